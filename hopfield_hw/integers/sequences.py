"""Maps in integers over whole sequences: the tables that the machine code of `fixed_kernels` works through.

What waits for no state is computed for many steps at once, the rest step by step. Not a bit differs from single steps.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from ..equations.sequences import Running
from ..graph.phases import phases
from ..values.arrays import Array
from . import kernels
from .fixed_point import MAX_WORD, ActivationTable, Integers, QFormat, Rounding
from .lowering import Bounds, Crossbar, Decision, IntegerProgram, Levels, Port, Step
from .machine import EXACT

NUMBERS = 1 << 16  # that are held at once for the steps computed together
LINE = 64  # bytes; a vector that lies across two lines takes twice the time
Table: TypeAlias = npt.NDArray[np.int64]
Row: TypeAlias = dict[int, int]  # of the table of operators, by column


class Unrolled:
    """A program in integers, made ready for sequences."""

    def __init__(self, program: IntegerProgram) -> None:
        self.program = program
        self.steps = {step.name: step for step in program.steps}
        self.holds = program.of_kind("hold")
        drivers = {step.name: [name for port in step.ports for name, _ in port.sources] for step in program.steps}
        found = phases(drivers, [hold.name for hold in self.holds])
        self.kept = tuple(hold for hold in self.holds if hold.name in found.kept)
        # Those of all steps, beside the states kept; of the others there is one step.
        self.whole = {*found.ahead, *found.after} | found.kept
        self._last: tuple[tuple[int, int], dict[str, int], int, _Tables] | None = None  # of runs of one form
        self._data: list[Integers] = []
        self._short: list[npt.NDArray[np.int16]] = []
        self._real: list[Array] = []
        self._ends = {"data": 0, "short": 0, "real": 0}
        self.ahead, self.during, self.after = (
            self._group([self.steps[name] for name in names if self.steps[name].kind != "input"])
            for names in (found.ahead, found.during, found.after)
        )
        self.data = np.concatenate([np.zeros(1, dtype=np.int64), *self._data])
        self.short = _align(np.concatenate([np.zeros(0, dtype=np.int16), *self._short]))
        self.real = np.concatenate([np.zeros(0), *self._real])
        groups = (*self.ahead, *self.during, *self.after)
        self.widest = max(*(step.size for step in program.steps), *(row[kernels.SIZE] for _, row in groups))

    def run(self, h: Array, u: Array, running: Running | None = None, *, reverse: bool = False) -> tuple[Array, Array]:
        """Return the outputs, (T, B, outputs), and the last state, from h (B, n) and u (T, B, m): see `Unrolling`."""
        steps, batch = u.shape[:2]
        each = batch * sum(self.steps[name].size for name in self.whole)
        chunk = max(1, min(steps, NUMBERS // max(1, each)))
        inputs, outputs = self.program.of_kind("input"), self.program.of_kind("output")
        last = self._last
        if last is None or last[0] != (batch, chunk):
            places, size = self._place(batch, chunk)
            last = self._last = (batch, chunk), places, size, _Tables(self, places, batch)
        _, places, size, tables = last
        values = np.zeros(size, dtype=np.int64)
        state = {hold.name: values[places[hold.name] :][: batch * hold.size] for hold in self.holds}
        for hold, part in _columns(self.holds):
            state[hold.name][:] = _format(hold).quantise(h[:, part]).reshape(-1)
        given = (tables.targets, tables.sources, values, self.data, self.short, self.real, self._scratch())
        found = np.empty((steps, batch, sum(step.size for step in outputs)))
        mask = np.ones((steps, batch), dtype=bool) if running is None else running
        starts = range(0, steps, chunk)
        for start in reversed(starts) if reverse else starts:
            stop = min(start + chunk, steps)
            rows = (stop - start) * batch
            flat = u[start:stop].reshape(rows, u.shape[-1])
            for step, part in _columns(inputs):
                _enter(_format(step), flat[:, part], values[places[step.name] :][: rows * step.size])
            kernels.sweep(tables.ahead, tables.ports, 0, rows, *given)
            kernels.advance(tables.during, tables.ports, stop - start, reverse, mask[start:stop], tables.holds, *given)
            kernels.sweep(tables.after, tables.ports, 0, rows, *given)
            for step, part in _columns(outputs):
                raw = values[places[step.name] :][: rows * step.size]
                kernels.left(raw, _format(step).step, found[start:stop].reshape(rows, found.shape[-1])[:, part])
        after = [_format(hold).value(state[hold.name].reshape(batch, hold.size)) for hold in self.holds]
        return found, np.concatenate(after, axis=-1)

    def _scratch(self) -> tuple[npt.NDArray[Any], ...]:
        """Return room for what an operator takes, and for the rows and sums of a product."""
        room = -(-self.widest // kernels.LANES) * kernels.LANES
        return (
            np.zeros(max(kernels.BLOCK, room), dtype=np.int64),
            np.zeros(max(kernels.BLOCK, room), dtype=np.int64),
            _align(np.zeros(kernels.TOGETHER * room, dtype=np.int16)),
            _align(np.zeros(kernels.TOGETHER * room, dtype=np.int32)),
            np.zeros(self.widest),
        )

    def _place(self, batch: int, chunk: int) -> tuple[dict[str, int], int]:
        """Return where the values of each step begin, and the end of all: a state, `next NAME` and `all NAME` of it."""
        blocks = {name: chunk if name in self.whole and step.kind != "hold" else 1 for name, step in self.steps.items()}
        blocks |= {f"next {hold.name}": 1 for hold in self.holds} | {f"all {hold.name}": chunk for hold in self.kept}
        places, end = {}, 0
        for name, count in blocks.items():
            places[name] = end
            end += count * batch * self.steps[name.split()[-1]].size
        return places, end

    def _group(self, steps: Sequence[Step]) -> list[tuple[tuple[Step, ...], Row]]:
        """Return the operators in their order, dense crossbars that take the same together, and the columns of each."""
        groups: dict[object, tuple[int | None, list[Step]]] = {}
        for step in steps:
            kind = self._product(step)
            key = step.name if kind is None else (kind, step.ports[0].sources, step.ports[0].format)
            groups.setdefault(key, (kind, []))[1].append(step)
        return [
            (tuple(group), self._payload(group[0]) if kind is None else self._crossbars(kind, group))
            for kind, group in groups.values()
        ]

    def _product(self, step: Step) -> int | None:
        """Return how a dense crossbar is multiplied; None for any other operator."""
        if not isinstance(step.payload, Crossbar) or _diagonal(step.payload.weights) is not None:
            return None
        weights = step.payload.weights
        if step.bits <= 32 and step.ports[0].format.word <= 16 and bool(np.all(weights == weights.astype(np.int16))):
            return kernels.PRODUCT16
        return kernels.PRODUCT53 if step.bits <= EXACT else kernels.PRODUCT64

    def _crossbars(self, kind: int, group: Sequence[Step]) -> Row:
        crossbars = [step.payload for step in group if isinstance(step.payload, Crossbar)]
        weights = np.concatenate([crossbar.weights for crossbar in crossbars])
        bias = self._constants(np.concatenate([crossbar.bias for crossbar in crossbars]))
        n, m = weights.shape
        if kind == kernels.PRODUCT16:
            rows, columns = -(-m // (2 * kernels.PAIRS)) * kernels.PAIRS, -(-n // kernels.LANES) * kernels.LANES
            pairs = np.zeros((rows, columns, 2), dtype=np.int16)
            pairs[: -(-m // 2), :n] = np.pad(weights, ((0, 0), (0, m % 2))).reshape(n, -1, 2).transpose(1, 0, 2)
            data = self._put(self._short, "short", pairs)
        elif kind == kernels.PRODUCT53:
            data = self._put(self._real, "real", weights.T.astype(np.float64))
        else:
            data = self._constants(weights.T)
        sizes = {kernels.KIND: kind, kernels.SIZE: n, kernels.WIDTH: m}
        return sizes | {kernels.DATA: data, kernels.BIAS: bias}

    def _payload(self, step: Step) -> Row:
        """Return the columns of an operator that say what it does, its numbers being put among the constants."""
        found = {kernels.KIND: kernels.COPY}
        match step.payload:
            case Crossbar(weights, bias):
                factors = self._constants(np.diagonal(weights))
                found = {kernels.KIND: kernels.DIAGONAL, kernels.DATA: factors, kernels.BIAS: self._constants(bias)}
            case Bounds(lower, upper):
                found = {kernels.KIND: kernels.BOUNDS, kernels.OFFSET: lower, kernels.END: upper}
            case Levels(thresholds, entries):
                found = {kernels.KIND: kernels.LEVELS, kernels.END: thresholds.size}
                found |= {kernels.DATA: self._constants(thresholds), kernels.BIAS: self._constants(entries)}
            case ActivationTable() as table:
                offset = 1 << (table.range_bits + table.source.fraction)
                if table.index == "nearest":
                    offset += (1 << table.shift) >> 1
                add, odd, sign = _rounding(table.output.rounding, table.shift)
                found = {kernels.KIND: kernels.STRAIGHT if table.index == "interpolate" else kernels.TABLE}
                found |= {kernels.DATA: self._constants(table.entries), kernels.END: table.size - 1}
                found |= {kernels.OFFSET: offset, kernels.SHIFT: table.shift}
                found |= {kernels.ADD: add, kernels.ODD: odd, kernels.SIGN: sign}
            case Decision(reach, values):
                below, above = values.tolist()
                found = {kernels.KIND: kernels.DECISION, kernels.DATA: self._constants(reach)}
                found |= {kernels.OFFSET: below, kernels.END: above}
            case None if step.kind == "hadamard":
                found = {kernels.KIND: kernels.HADAMARD}
        return found | {kernels.SIZE: step.size}

    def _constants(self, numbers: Integers) -> int:
        return self._put(self._data, "data", numbers.astype(np.int64)) + 1

    def _put(self, kept: list[Any], name: str, numbers: Any) -> int:
        kept.append(np.ascontiguousarray(numbers).reshape(-1))
        self._ends[name] += numbers.size
        return self._ends[name] - int(numbers.size)


class _Tables:
    """The tables of a run: rows of operators by phase, of ports, sources, targets of products, and states."""

    def __init__(self, plan: Unrolled, places: Mapping[str, int], batch: int) -> None:
        self._plan, self._places, self._batch = plan, places, batch
        self._ports: list[list[int]] = []
        self._sources: list[list[int]] = []
        self._targets: list[list[int]] = []
        kept = [self._copy(hold, f"all {hold.name}", None) for hold in plan.kept]
        after = [self._copy(hold, f"next {hold.name}", hold.ports[0]) for hold in plan.holds]
        self.ahead = _table(self._ops(plan.ahead, ""), kernels.SIGN)
        self.during = _table([*kept, *self._ops(plan.during, ""), *after], kernels.SIGN)
        self.after = _table(self._ops(plan.after, "all "), kernels.SIGN)
        self.ports = _table(self._ports, kernels.P_LIMIT)
        self.sources = _table(self._sources, kernels.S_SHIFT)
        self.targets = _table(self._targets, kernels.T_SIZE)
        states = [[places[hold.name], places[f"next {hold.name}"], hold.size] for hold in plan.holds]
        self.holds = _table(states, kernels.H_SIZE)

    def _ops(self, groups: Iterable[tuple[tuple[Step, ...], Row]], states: str) -> list[list[int]]:
        """`states`: what stands before the names of the states that they look at."""
        rows = []
        for steps, row in groups:
            port = {kernels.PORT: len(self._ports)}
            for taken in steps[0].ports:
                self._port(taken.sources, taken, states)
            first = len(self._targets)
            self._targets += [[self._places[step.name], self._each(step.name), step.size] for step in steps]
            if kernels.WIDTH in row:
                at = {kernels.FIRST_TARGET: first, kernels.LAST_TARGET: len(self._targets)}
            else:
                at = {kernels.BASE: self._places[steps[0].name], kernels.STEP: self._each(steps[0].name)}
            rows.append(_row(row | port | at))
        return rows

    def _copy(self, hold: Step, place: str, port: Port | None) -> list[int]:
        """Return the row of what takes a port, or the state as it is where there is none."""
        columns = {kernels.KIND: kernels.COPY, kernels.SIZE: hold.size, kernels.PORT: len(self._ports)}
        self._port([(hold.name, 0)] if port is None else port.sources, port, "")
        each = self._batch * hold.size if port is None else 0
        return _row(columns | {kernels.BASE: self._places[place], kernels.STEP: each})

    def _each(self, name: str) -> int:
        """Return by how much the values of an operator move from one step to the next."""
        return self._batch * self._plan.steps[name].size if name in self._plan.whole else 0

    def _port(self, sources: Iterable[tuple[str, int]], port: Port | None, states: str) -> None:
        first = len(self._sources)
        for name, shift in sources:
            if self._plan.steps[name].kind == "hold":
                self._sources.append([self._places[states + name], 0, shift])
            else:
                self._sources.append([self._places[name], self._each(name), shift])
        ends = [first, len(self._sources)]
        if port is None:
            self._ports.append([*ends, *[0] * (kernels.P_LIMIT - 1)])
            return
        kept = port.format
        shift = min(port.fraction - kept.fraction, 63)
        limit = 1 if kept.overflow == "saturate" else 2
        if shift == 0 and port.bits <= kept.word:
            limit = 0
        left = min(max(-shift, 0), MAX_WORD)
        rounding = _rounding(kept.rounding, shift)
        self._ports.append([*ends, max(shift, 0), *rounding, left, kept.lowest, kept.highest, limit])


def _enter(kept: QFormat, x: Array, raw: Integers) -> None:
    """Write real numbers, (rows, n), in a format."""
    if kept.overflow == "saturate" and kept.fraction >= 0:  # then no product underflows, and each is exact
        kernels.enter(x, 4.0 / kept.step, kept.lower, kept.upper, *_rounding(kept.rounding, 2), raw)
    else:
        raw[:] = kept.quantise(x).reshape(-1)


def _rounding(rounding: Rounding, shift: int) -> tuple[int, int, int]:
    """Return (add, odd, sign): x / 2^shift is rounded as (x + add + (odd & x >> shift) + (sign & x >> 63)) >> shift."""
    if shift <= 0:
        return 0, 0, 0
    half = 1 << (shift - 1)
    terms = {"nearest_even": (half - 1, 1, 0), "nearest_up": (half, 0, 0), "floor": (0, 0, 0)}
    return terms.get(rounding, (0, 0, (1 << shift) - 1))


def _diagonal(weights: Integers) -> Integers | None:
    """Return the diagonal of weights that have nothing else; None for others."""
    square = weights.shape[0] == weights.shape[1]
    factors = np.diagonal(weights)
    return factors if square and np.count_nonzero(weights) == np.count_nonzero(factors) else None


def _row(columns: Row) -> list[int]:
    return [columns.get(k, 0) for k in range(kernels.SIGN + 1)]


def _table(rows: Sequence[Sequence[int]], last: int) -> Table:
    return np.array(rows, dtype=np.int64).reshape(len(rows), last + 1)


def _format(step: Step) -> QFormat:
    return step.ports[0].format


def _columns(steps: Sequence[Step]) -> list[tuple[Step, slice]]:
    ends = np.cumsum([0, *(step.size for step in steps)]).tolist()
    return [(step, slice(a, b)) for step, a, b in zip(steps, ends, ends[1:], strict=False)]


def _align(array: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Return a copy that begins at the beginning of a line of the cache."""
    room = np.zeros(array.nbytes + LINE, dtype=np.uint8)
    first = -room.ctypes.data % LINE
    copy = room[first : first + array.nbytes].view(array.dtype).reshape(array.shape)
    copy[...] = array
    return copy
