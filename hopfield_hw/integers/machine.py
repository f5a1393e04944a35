"""Fixed-point cells: a map in integers, many sequences at once, and what the integers cost in accuracy."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from ..equations import MapProgram
from ..equations.sequences import Running, run_sequence, run_steps
from ..graph import Graph
from ..values.arrays import Array
from ..values.brief import brief
from ..values.errors import InputError
from ..values.measures import sqnr
from ..values.report import Report
from .clipped import Clipped
from .fixed_point import ActivationTable, Integers, QFormat
from .lowering import Bounds, Crossbar, Decision, FixedPoint, IntegerProgram, Levels, Port, Step, lower_to_integers

if TYPE_CHECKING:
    from .sequences import Unrolled

EXACT = 53  # bits that float64 sums without rounding
LONG = 1000  # steps of all sequences together from which it is worth loading, or once compiling, machine code


class PortCount(NamedTuple):
    """What an operator has taken: the lowest and highest value, and how many were brought to an end of the format."""

    lowest: float
    highest: float
    saturated: int


class FixedMachine:
    """A map in integers behind the face of a floating-point one; what goes in is quantised, what comes out is exact.

    It steps many states at once. With `count` it keeps what each operator has taken, in `counts`, by operator.
    """

    def __init__(self, program: IntegerProgram, *, count: bool = False) -> None:
        self.program = program
        self.counts: dict[str, PortCount] | None = {} if count else None
        self._holds, self._inputs = program.of_kind("hold"), program.of_kind("input")
        self._outputs = program.of_kind("output")
        self.slices, size = _slices(self._holds)
        self._input_slices, self.input_size = _slices(self._inputs)
        self.initial = np.empty(size)
        for hold in self._holds:
            self.initial[self.slices[hold.name]] = hold.ports[0].format.value(program.initial[hold.name])

    def step(self, h: Array, u: Array) -> tuple[Array, Array]:
        """Return the next state and the outputs, (B, n) and (B, outputs), from (B, n) and (B, m)."""
        formats = {hold.name: hold.ports[0].format for hold in self._holds}
        raw = {hold.name: self._enter(hold, h[:, self.slices[hold.name]]) for hold in self._holds}
        raw |= {step.name: self._enter(step, u[:, self._input_slices[step.name]]) for step in self._inputs}
        after, outputs = self.step_raw(raw)
        state = np.concatenate([h[:, :0], *(formats[name].value(after[name]) for name in self.slices)], axis=-1)
        given = [step.ports[0].format.value(outputs[step.name]) for step in self._outputs]
        return state, np.concatenate(given, axis=-1)

    def run(self, h: Array, u: Array, running: Running | None = None, *, reverse: bool = False) -> tuple[Array, Array]:
        """Take many steps: see `sequence.Unrolling`. No bit differs from `step`.

        Long runs are compiled where the package numba is installed; where operators are counted they are not.
        """
        if u.shape[0] == 0:
            return np.zeros((0, u.shape[1], sum(step.size for step in self._outputs))), h
        unrolled = self._unrolled if self.counts is None and u.shape[0] * u.shape[1] >= LONG else None
        if unrolled is None:
            return run_steps(self, h, u, running, reverse=reverse)
        return unrolled.run(h, u, running, reverse=reverse)

    @cached_property
    def _unrolled(self) -> Unrolled | None:
        try:
            from .sequences import Unrolled
        except ImportError:
            return None
        return Unrolled(self.program)

    def step_raw(self, values: Mapping[str, Integers]) -> tuple[dict[str, Integers], dict[str, Integers]]:
        """Return the next registers and the outputs by name, (B, n), from the registers and inputs, all raw."""
        found = dict(values)
        for step in self.program.steps:
            if step.kind not in ("input", "hold"):
                found[step.name] = self._evaluate(step, found)
        after = {hold.name: self._take(hold, hold.ports[0], found) for hold in self._holds}
        return after, {step.name: found[step.name] for step in self._outputs}

    def _evaluate(self, step: Step, found: Mapping[str, Integers]) -> Integers:
        taken = [self._take(step, port, found) for port in step.ports]
        match step.payload:
            case Crossbar(weights, bias):
                if step.bits <= EXACT:
                    return (taken[0].astype(np.float64) @ weights.T.astype(np.float64)).astype(np.int64) + bias
                return taken[0] @ weights.T + bias
            case ActivationTable():
                return step.payload.apply(taken[0])
            case Bounds(lower, upper):
                return np.asarray(np.clip(taken[0], lower, upper))
            case Levels(thresholds, values):
                return values[np.searchsorted(thresholds, taken[0], side="right")]
            case Decision(reach, values):
                return values[np.where(np.abs(taken[0]) > reach, taken[0] > 0, taken[1] >= 0).astype(np.int64)]
        return taken[0] * taken[1] if step.kind == "hadamard" else taken[0]

    def _take(self, step: Step, port: Port, found: Mapping[str, Integers]) -> Integers:
        total: Integers = sum((found[name] << shift for name, shift in port.sources), start=np.zeros(1, dtype=np.int64))
        if self.counts is not None and total.size:
            scale = 2.0**-port.fraction
            outside = port.format.overflows(total, port.fraction)
            self._count(step.name, float(total.min()) * scale, float(total.max()) * scale, outside)
        return port.format.requantise(total, port.fraction)

    def _enter(self, step: Step, values: Array) -> Integers:
        """Return what comes from outside in the format of an input or a register."""
        kept = step.ports[0].format
        if self.counts is not None and values.size:
            outside = int(np.count_nonzero(kept.outside(values)))
            self._count(step.name, float(values.min()), float(values.max()), outside)
        return kept.quantise(values)

    def _count(self, name: str, low: float, high: float, saturated: int) -> None:
        assert self.counts is not None
        before = self.counts.get(name, PortCount(low, high, 0))
        lowest, highest = min(low, before.lowest), max(high, before.highest)
        self.counts[name] = PortCount(lowest, highest, before.saturated + saturated)


@dataclass(frozen=True, kw_only=True, eq=False)
class FixedPointReport(Report):
    """A cell in fixed point against the same in floating point, over sequences.

    `sqnr`: 10 log10 of the power of the outputs by that of their error, dB. `worst`: the largest error. `counts`: what
    each operator has taken. `clipped`: by operator, the weights and other constants that the formats do not reach.
    """

    formats: FixedPoint
    sqnr: float
    worst: float
    counts: Mapping[str, PortCount]
    clipped: Mapping[str, Clipped]

    def rows(self) -> list[tuple[str, str]]:
        """Return the report as (what, value) rows."""
        rows = [("SQNR", f"{self.sqnr:.1f} dB"), ("worst error", f"{self.worst:.2e}"), *clipped_rows(self.clipped)]
        for name, count in self.counts.items():
            limits = self.formats.of(name)
            said = f"{count.lowest:.4g} to {count.highest:.4g} in {limits}"
            rows.append((name, f"{said}, saturated {count.saturated}"))
        return rows

    def figures(self) -> dict[str, Any]:
        """Return by name what JSON has of the report."""
        return {
            "sqnr": self.sqnr,
            "worst_error": self.worst,
            "signals": str(self.formats.signals),
            "weights": str(self.formats.weights),
            "saturated": sum(count.saturated for count in self.counts.values()),
            "clipped": {name: found.figures() for name, found in self.clipped.items()},
        }


def clipped_rows(clipped: Mapping[str, Clipped]) -> list[tuple[str, str]]:
    """Return clipped constants as (operator and what, how many) rows."""
    return [(f"{name} {found.what}", str(found)) for name, found in clipped.items()]


def fixed_point_report(
    graph: Graph, formats: FixedPoint, inputs: Any, *, initial: Mapping[str, Any] | None = None
) -> FixedPointReport:
    """Run a map over sequences in fixed and in floating point. `inputs`, `initial`: as for `run_sequence`."""
    program = lower_to_integers(graph, formats)
    machine = FixedMachine(program, count=True)
    found = run_sequence(machine, inputs, initial=initial).outputs
    expected = run_sequence(MapProgram([graph]), inputs, initial=initial).outputs
    error = found - expected
    return FixedPointReport(
        formats=formats,
        sqnr=sqnr(expected, found),
        worst=float(np.max(np.abs(error), initial=0.0)),
        counts=machine.counts or {},
        clipped=program.clipped,
    )


def narrowest(
    graph: Graph, formats: FixedPoint, inputs: Any, *, sqnr_goal: float, initial: Mapping[str, Any] | None = None
) -> FixedPointReport:
    """Return the report of the shortest words that reach an SQNR, dB, over these sequences.

    The bits before the point stay those of `formats`; from its fractions on, bits are taken off signals, weights and
    activations alike, by bisection: more bits are taken to be no worse.

    Raises InputError where `formats` itself does not reach the goal.
    """
    reports: dict[int, FixedPointReport] = {}

    def reaches(bits: int) -> bool:
        reports[bits] = fixed_point_report(graph, shorten_words(formats, bits), inputs, initial=initial)
        return reports[bits].sqnr >= sqnr_goal

    if not reaches(0):
        raise InputError(
            f"`sqnr_goal` = {sqnr_goal:g} dB: {formats.signals} reaches {reports[0].sqnr:.1f} dB; give longer words"
        )
    return reports[_bits_off(formats, reaches)]


class TaskFormat(NamedTuple):
    """Formats, the error of a task in them, and by operator the weights and other constants that they do not reach."""

    formats: FixedPoint
    error: float
    clipped: Mapping[str, Clipped]

    def __repr__(self) -> str:
        return brief(self)


def narrowest_for(
    graph: Graph, formats: FixedPoint, error: Callable[[FixedMachine], float], *, goal: float
) -> TaskFormat:
    """Return the shortest words with which a task's `error` is at most `goal`; bits are taken off as by `narrowest`.

    `error`: of a machine in integers, such as the forecast's or 1 - the part of right answers. Raises InputError where
    `formats` itself does not reach the goal.
    """
    errors: dict[int, float] = {}
    clipped: dict[int, Mapping[str, Clipped]] = {}

    def reaches(bits: int) -> bool:
        program = lower_to_integers(graph, shorten_words(formats, bits))
        errors[bits], clipped[bits] = error(FixedMachine(program)), program.clipped
        return errors[bits] <= goal

    if not reaches(0):
        raise InputError(f"`goal` = {goal:g}: {formats.signals} has an error of {errors[0]:.3g}; give longer words")
    bits = _bits_off(formats, reaches)
    return TaskFormat(shorten_words(formats, bits), errors[bits], clipped[bits])


def _bits_off(formats: FixedPoint, reaches: Callable[[int], bool]) -> int:
    """Return the most bits that can be taken off every word, by bisection; 0 is known to reach the goal."""
    low, high = 0, min(f.word - 2 for f in (formats.signals, formats.weights, formats.activations or formats.signals))
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if reaches(middle) else (low, middle - 1)
    return low


def shorten_words(formats: FixedPoint, bits: int) -> FixedPoint:
    """Return the formats with fewer fractional bits in every word."""

    def shorter(kept: QFormat) -> QFormat:
        return replace(kept, word=kept.word - bits, fraction=kept.fraction - bits)

    given = None if formats.activations is None else shorter(formats.activations)
    own = {name: shorter(kept) for name, kept in formats.formats.items()}
    return replace(
        formats, signals=shorter(formats.signals), weights=shorter(formats.weights), activations=given, formats=own
    )


def _slices(steps: tuple[Step, ...]) -> tuple[dict[str, slice], int]:
    ends = np.cumsum([0, *(step.size for step in steps)]).tolist()
    return {s.name: slice(a, b) for s, a, b in zip(steps, ends, ends[1:], strict=False)}, int(ends[-1])
