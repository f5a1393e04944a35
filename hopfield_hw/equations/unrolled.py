"""A map over whole sequences: what waits for no state for all steps at once, and the rest step by step, in place.

Dense weights that the same operators drive are one product, and what inputs add to it is computed ahead. So sums are
taken in another order than a single step takes them, and results differ from its by rounding.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import Any, NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt

from ..functions import Function, Logistic, Softmax, Tanh
from ..graph import Activate, Affine, Graph, Hadamard, Operator, Quantise, Sign
from ..graph.phases import phases
from ..values.arrays import Array
from .evaluate import Evaluator

NUMBERS = 1 << 18  # that are held for steps ahead at once: enough for large products, and few enough for a cache
Running: TypeAlias = npt.NDArray[np.bool_]
Code: TypeAlias = "list[tuple[Callable[..., object], Any]]"  # what to call, and what to call it with at each step


class Product(NamedTuple):
    """Affines that the same operators drive, x @ matrix + bias; `columns` by Affine.

    `ahead`: what inputs add, by their sources, as matrices; `others`: (columns, operator) that they add as it is.
    `function`: of the activations that read these columns, and nothing else that moves; `curves`: their columns.
    Tanh and Logistic are one: scale tanh(rate x) + shift, (columns,), the rate being in the matrices and the bias.
    """

    matrix: Array
    bias: Array
    columns: Mapping[str, slice]
    ahead: Mapping[tuple[str, ...], Array]
    others: tuple[tuple[slice, str], ...]
    function: Function | None
    curves: Mapping[str, slice]
    rate: Array
    scale: Array
    shift: Array


class Unrolled:
    """A graph whose states are Holds, made ready for sequences."""

    def __init__(self, operators: Evaluator) -> None:
        self.operators, self.graph = operators, operators.graph
        drivers = {op.name: [d for port in op.ports for d in _names(self.graph, op, port)] for op in self.graph.order}
        self.states = tuple(state.name for state in operators.states)
        found = phases(drivers, self.states)
        self.during = tuple(self.graph.by_name[name] for name in found.during)
        self.after = tuple(self.graph.by_name[name] for name in found.after)
        self.kept = found.kept
        self.ports = {(op.name, port): _names(self.graph, op, port) for op in self.graph.operators for port in op.ports}
        self._readers: dict[str, list[tuple[str, str]]] = {}
        for key, names in self.ports.items():
            for name in names:
                self._readers.setdefault(name, []).append(key)
        self._before = frozenset(found.ahead)
        self.products = self._products()
        # Read step by step as they are, beside what the products have taken in.
        stepped = (*self.during, *operators.states)
        self.rows = self._before.intersection(n for op in stepped for p in op.ports for n in self.ports[op.name, p])
        read = {source for one in self.products for sources in one.ahead for source in sources}
        read |= {name for one in self.products for _, name in one.others} | self.rows
        read |= {name for op in self.after for name in drivers[op.name]}
        read |= {op.name for op in self._outputs(found.ahead)}
        for name in reversed(found.ahead):
            if name in read:
                read.update(drivers[name])
        self.ahead = tuple(self.graph.by_name[name] for name in found.ahead if name in read)

    def run(self, h: Array, u: Array, running: Running | None = None, *, reverse: bool = False) -> tuple[Array, Array]:
        """Return the outputs, (T, B, outputs), and the state after the last step, from h (B, n) and u (T, B, m).

        `running`: (T, B), where a state goes on; elsewhere it stays, and the outputs mean nothing. `reverse`: from the
        last step to the first.
        """
        steps, batch = u.shape[:2]
        widths = [one.bias.size for one in self.products]
        widths += [self.graph.by_name[name].output_size for name in (*self.rows, *self.kept)]
        chunk = max(1, min(steps, NUMBERS // max(1, batch * sum(widths))))
        loop = _Loop(self, batch, chunk, masked=running is not None)
        for name, part in self.operators.slices.items():
            loop.values[name][...] = h[:, part]
        parts = [slice(start, min(start + chunk, steps)) for start in range(0, steps, chunk)]
        given = self._outputs(self.graph.by_name)
        ends = np.cumsum([0, *(op.output_size for op in given)]).tolist()
        outputs = np.empty((steps, batch, ends[-1]))
        for part in reversed(parts) if reverse else parts:
            count = part.stop - part.start
            values = loop.prepare(u[part])
            if running is not None:
                loop.mask[:count] = running[part, :, np.newaxis]
            loop.advance(reversed(range(count)) if reverse else range(count))
            values |= {
                name: trace[:count].reshape(count * batch, trace.shape[-1]) for name, trace in loop.traces.items()
            }
            self.operators.fill(values, self.after, np.zeros(0))
            for output, start, stop in zip(given, ends, ends[1:], strict=False):
                outputs[part, :, start:stop] = values[output.name].reshape(count, batch, stop - start)
        return outputs, np.concatenate([loop.values[name] for name in self.operators.slices], axis=-1)

    def _outputs(self, names: Iterable[str]) -> list[Operator]:
        return [self.graph.by_name[name] for name in names if self.graph.by_name[name].kind == "output"]

    def _products(self) -> tuple[Product, ...]:
        groups: list[tuple[tuple[str, ...], Function | None, list[Affine]]] = []
        for affine in self.during:
            if isinstance(affine, Affine) and not affine.weights.is_sparse:
                curve = self._curve(affine)
                sources, function = self.ports[affine.name, "in"], None if curve is None else curve.function
                if isinstance(function, Tanh | Logistic):
                    function = Tanh()
                for other, shared, members in groups:
                    if set(other) == set(sources) and shared == function:
                        members.append(affine)
                        break
                else:
                    groups.append((sources, function, [affine]))
        return tuple(self._product(function, members) for _, function, members in groups)

    def _product(self, function: Function | None, members: Sequence[Affine]) -> Product:
        """Stack Affines; what inputs add to them is taken in here."""
        ends = np.cumsum([0, *(affine.output_size for affine in members)]).tolist()
        columns = {affine.name: slice(a, b) for affine, a, b in zip(members, ends, ends[1:], strict=False)}
        curves = {curve.name: columns[affine.name] for affine in members if (curve := self._curve(affine)) is not None}
        matrix = np.ascontiguousarray(np.concatenate([affine.weights.matrix.T for affine in members], axis=1))
        bias = np.concatenate([affine.constant for affine in members])
        ahead: dict[tuple[str, ...], Array] = {}
        others: list[tuple[slice, str]] = []
        for affine in members:
            for name in self._taken_in(affine):
                source, part = self.graph.by_name[name], columns[affine.name]
                if isinstance(source, Affine) and not source.weights.is_sparse:
                    key = self.ports[name, "in"]
                    ahead.setdefault(key, np.zeros((source.input_size, ends[-1])))[:, part] += source.weights.matrix.T
                    bias[part] += source.constant
                else:
                    others.append((part, name))
        forms = [_as_tanh(None if (curve := self._curve(one)) is None else curve.function) for one in members]
        sizes = [affine.output_size for affine in members]
        rate, scale, shift = (np.repeat(column, sizes) for column in zip(*forms, strict=True))
        ahead = {sources: rate * weights for sources, weights in ahead.items()}
        form = (rate, scale, shift)
        return Product(rate * matrix, rate * bias, columns, ahead, tuple(others), function, curves, *form)

    def _curve(self, affine: Affine) -> Activate | None:
        """Return the activation that reads an Affine, and nothing else that moves, where it alone reads it."""
        readers = self._readers[affine.name]
        reader = self.graph.by_name[readers[0][0]]
        if len(readers) > 1 or not isinstance(reader, Activate) or isinstance(reader.function, Softmax):
            return None
        moving = [name for name in self.ports[reader.name, "in"] if name not in self._before]
        return reader if moving == [affine.name] and reader.function.size is None else None

    def _taken_in(self, affine: Affine) -> list[str]:
        """Return what inputs add at the port that an Affine alone drives, and take it off that port."""
        readers = self._readers[affine.name]
        if len(readers) > 1:
            return []
        taken = [name for name in self.ports[readers[0]] if name in self._before]
        self.ports[readers[0]] = tuple(name for name in self.ports[readers[0]] if name not in self._before)
        return taken


class _Loop:
    """The arrays of a run, and what is called at each step to fill them. `chunk`: steps at once."""

    def __init__(self, plan: Unrolled, batch: int, chunk: int, *, masked: bool) -> None:
        self.plan, self.batch, self.chunk = plan, batch, chunk
        sizes = {op.name: op.output_size for op in plan.graph.operators}
        self.values = {name: np.empty((batch, sizes[name])) for name in plan.states}
        self.rows = {name: np.empty((chunk, batch, sizes[name])) for name in plan.rows}
        self.traces = {name: np.empty((chunk, batch, sizes[name])) for name in plan.kept}
        self.sums: list[tuple[Product, Array]] = []
        self.mask = np.ones((chunk, batch, 1), dtype=bool)
        self._code: Code = []
        self._homes = {} if masked else self._in_place()
        self._totals: dict[frozenset[str], Array] = {}
        for name in plan.states:
            if name in plan.kept:
                self._trace(name)
        products = {name: one for one in plan.products for name in one.columns}
        for operator in plan.during:
            if operator.name in products and operator.name not in self.values:
                self._product(products[operator.name])
            elif operator.name not in self.values:
                self._step(operator)
            if operator.name in plan.kept:
                self._trace(operator.name)
        self._update(masked=masked)

    def prepare(self, u: Array) -> dict[str, Array]:
        """Compute what inputs give over the steps of u, (count, B, m); return it by name, (count B, n)."""
        count = len(u)
        values: dict[str, Array] = {}
        operators = self.plan.operators
        operators.fill(values, self.plan.ahead, u.reshape(count * self.batch, u.shape[-1]))
        for name, rows in self.rows.items():
            rows[:count] = values[name].reshape(count, self.batch, rows.shape[-1])
        for one, rows in self.sums:
            flat = rows[:count].reshape(count * self.batch, rows.shape[-1])
            for k, (sources, matrix) in enumerate(one.ahead.items()):
                x = sum((values[name] for name in sources[1:]), start=values[sources[0]])
                np.matmul(x, matrix, out=flat) if k == 0 else np.add(flat, x @ matrix, out=flat)
            np.add(flat if one.ahead else 0.0, one.bias, out=flat)
            for part, name in one.others:
                flat[:, part] += one.rate[part] * values[name]
        return values

    def advance(self, steps: Iterable[int]) -> None:
        """Take the steps prepared."""
        code = self._code
        for k in steps:
            for call, rows in code:
                if rows is None:
                    call()
                else:
                    call(rows[k])

    def _call(self, call: Callable[..., object], *given: Any) -> None:
        self._code.append((partial(call, *given), None))

    def _call_with(self, rows: Any, call: Callable[..., object], *given: Any, **named: Any) -> None:
        self._code.append((partial(call, *given, **named), rows))

    def _in_place(self) -> dict[frozenset[str], Array]:
        """Return, by what drives a state, the array of the state, where its next value can take its place at once.

        It can where whatever reads the state has done so before the first operator that needs the next value.
        """
        plan = self.plan
        taken = [[frozenset(plan.ports[op.name, port]) for port in op.ports] for op in plan.during]
        made = [{frozenset([op.name]), *ports} for op, ports in zip(plan.during, taken, strict=True)]
        held = {state.name: frozenset(plan.ports[state.name, "in"]) for state in plan.operators.states}
        found: dict[frozenset[str], Array] = {}
        for name, drivers in held.items():
            first = next((k for k, sums in enumerate(made) if drivers in sums), len(made))
            read = any(name in port for ports in taken[first:] for port in ports)
            if not read and not any(name in other for other in held.values()):
                found.setdefault(drivers, self.values[name])
        return found

    def _trace(self, name: str) -> None:
        self._call_with(self.traces[name], np.positive, self.values[name])

    def _taken(self, operator: Operator, port: str = "in") -> Array:
        """Return what a port takes, once for all ports that take the same."""
        names = self.plan.ports[operator.name, port]
        key = frozenset(names)
        if key in self._totals:
            return self._totals[key]
        moving = [self.values[name] for name in names if name in self.values]
        ahead = [self.rows[name] for name in names if name not in self.values]
        if len(names) == 1 and moving:
            total = moving[0]
        else:
            total = self._homes.get(key, np.empty((self.batch, operator.input_size)))
        if moving:
            first, *others = moving
            for value in others:
                self._call(np.add, first, value, total)
                first = total
        else:
            first = total
            self._call_with(ahead.pop(), np.copyto, total)
        for rows in ahead:
            self._call_with(rows, np.add, first, out=total)
            first = total
        self._totals[key] = total
        return total

    def _product(self, one: Product) -> None:
        result = np.empty((self.batch, one.bias.size))
        self._call(np.matmul, self._taken(self.plan.graph.by_name[next(iter(one.columns))]), one.matrix, result)
        if one.ahead or one.others:
            rows = np.empty((self.chunk, self.batch, one.bias.size))
            self.sums.append((one, rows))
            self._call_with(rows, np.add, result, out=result)
        elif np.any(one.bias != 0.0):
            self._call(np.add, result, one.bias, result)
        self.values |= {name: result[:, part] for name, part in one.columns.items()}
        self.values |= {name: result[:, part] for name, part in one.curves.items()}
        if isinstance(one.function, Tanh):
            self._call(np.tanh, result, result)
            if np.any(one.scale != 1.0):
                self._call(np.multiply, result, one.scale, result)
            if np.any(one.shift != 0.0):
                self._call(np.add, result, one.shift, result)
        elif one.function is not None:
            self._call(one.function.value, result, result)

    def _step(self, operator: Operator) -> None:
        out = self._homes.get(frozenset([operator.name]), np.empty((self.batch, operator.output_size)))
        if isinstance(operator, Hadamard):
            self._call(np.multiply, self._taken(operator, "left"), self._taken(operator, "right"), out)
        elif isinstance(operator, Activate):
            plain = operator.function == Tanh()
            self._call(np.tanh if plain else operator.function.value, self._taken(operator), out)
        elif isinstance(operator, Affine):
            factors, x = operator.weights.diagonal(), self._taken(operator)
            if factors is None:
                self._call(lambda: np.copyto(out, operator.weights.apply(x)))
            else:
                self._call(np.multiply, x, factors, out)
            if np.any(operator.constant != 0.0):
                self._call(np.add, out, operator.constant, out)
        elif isinstance(operator, Sign):
            drive, tie = (self._taken(operator, port) for port in operator.ports)
            self._call(lambda: np.copyto(out, operator.value(drive, tie)))
        else:
            assert isinstance(operator, Quantise)
            x = self._taken(operator)
            self._call(lambda: np.copyto(out, operator.value(x)))
        self.values[operator.name] = out

    def _update(self, *, masked: bool) -> None:
        """Give every state its next value, after all of them are known."""
        taken = []
        held = [self.values[name] for name in self.plan.states]
        for state in self.plan.operators.states:
            value = self._taken(state)
            if any(value is other for other in held) and value is not self.values[state.name]:
                before, value = value, np.empty_like(value)
                self._call(np.copyto, value, before)
            taken.append(value)
        for target, value in zip(held, taken, strict=True):
            if masked:
                self._call_with(self.mask, _copy_where, target, value)
            elif target is not value:
                self._call(np.copyto, target, value)


def _copy_where(target: Array, value: Array, where: Running) -> None:
    np.copyto(target, value, where=where)


def _as_tanh(function: Function | None) -> tuple[float, float, float]:
    """Return (rate, scale, shift) of a function that is scale tanh(rate x) + shift; (1, 1, 0) for others."""
    if isinstance(function, Tanh):
        return float(function.gain / function.amplitude), float(function.amplitude), 0.0
    if isinstance(function, Logistic):  # a / 2 (1 + tanh(2 b x / a))
        half = 0.5 * float(function.amplitude)
        return float(function.gain / half), half, half
    return 1.0, 1.0, 0.0


def _names(graph: Graph, operator: Operator, port: str) -> tuple[str, ...]:
    return tuple(driver.name for driver in graph.drivers(operator, port))
