"""The circuit's own waveform verified against the equation, step by step, whatever the growth of errors."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from typing import NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt
from scipy.interpolate import PchipInterpolator

from ..equations import Along, Waveform
from ..equations.evaluate import Values
from ..graph import Delay, Graph, Hold, Leak
from ..spice.transient import Waves
from ..values.arrays import Array
from ..values.grids import EDGE, READ
from ..values.measures import ranges
from ..values.signals import Signal
from .decay import Decay

# Steps are taken together in pieces of a time constant, so that the rounding of a point, which one step gains and the
# next one loses, cancels; no more than so many pieces in a run.
PIECES = 8
MOST_PIECES = 20_000
# What is evaluated at once, in numbers.
BLOCK = 4_000_000
# So many points of a run are enough to say what a value does to it.
THINNED = 2000
# Where nothing leaks, the time over which errors add up is this part of the run.
PART_OF_RUN = 20
# A start that is so far off, a part of the range, is none; it may be made up for within this part of the shortest R C.
ELSEWHERE, SETTLED = 1e-3, 0.05
# A circuit has been where it was started by verify itself where it comes so near within that time.
NEAR = 0.02
Indices: TypeAlias = npt.NDArray[np.int64]


class Imbalance(NamedTuple):
    """By how much states are off at the end of each piece of a run whose start is the circuit's own.

    `ends`: (P,), seconds. `volts`: (P, n), signed. `windows`: (n,), seconds: over how long errors add up.
    """

    ends: Array
    volts: Array
    windows: Array

    def added_up(self) -> Array:
        """Return at each end what |volts| of the window before it come to, (P, n)."""
        return window_sums(np.abs(self.volts), self.ends, self.windows)


@dataclass(frozen=True, kw_only=True, eq=False)
class Run:
    """One run of a circuit beside the equation of its graph (in SI units).

    `times`, (M,), `states`, (M, n), and `outputs`: at the simulator's own points of time. `held`: (K, held), what the
    Holds hold, once a period, and `shown`: (K, outputs), what the Outputs give then. `along`: the equation there.
    `decays`: whether to ask what decays within a step.
    """

    graph: Graph
    along: Along
    times: Array
    states: Array
    outputs: Array
    held: Array
    shown: Array
    decays: bool = True

    @property
    def is_clocked(self) -> bool:
        """Whether it holds states that move at the edges of a clock."""
        return bool(self.along.holds)

    @cached_property
    def windows(self) -> Array:
        """The time over which the errors of each Leak's state add up, its R C, (continuous,), seconds."""
        rates = [np.broadcast_to(self.along.rates[leak.name][1], (leak.output_size,)) for leak in self.along.leaks]
        rate = np.concatenate([np.zeros(0), *rates])
        longest = float(self.times[-1]) / PART_OF_RUN
        return np.where(rate > 0.0, 1.0 / np.where(rate > 0.0, rate, 1.0), longest)

    @cached_property
    def pieces(self) -> Indices:
        """The first step of each piece, (P,)."""
        shortest = float(np.min(self.windows, initial=np.inf))
        length = max(min(shortest / PIECES, float(self.times[-1])), float(self.times[-1]) / MOST_PIECES)
        number: Indices = np.floor(self.times[1:] / length * (1.0 - 1e-12)).astype(np.int64)
        if self.is_clocked:
            period = self.along.holds[0].clock.period
            number = number + (self.periods + 1) * (int(period / length) + 2)
        starts: Indices = np.flatnonzero(np.diff(number, prepend=number[:1] - 1))
        return starts

    @cached_property
    def ends(self) -> Array:
        """When each piece ends, (P,), seconds."""
        return np.append(self.times[self.pieces[1:]], self.times[-1])

    @cached_property
    def periods(self) -> Indices:
        """The period of the clock in which each step lies, (M - 1,)."""
        period = self.along.holds[0].clock.period
        middle = 0.5 * (self.times[1:] + self.times[:-1])
        return np.minimum((middle / period).astype(np.int64), len(self.held) - 1)

    @cached_property
    def decay(self) -> Decay:
        """What is left at the end of a step of what moves its states."""
        states = self.states
        if self.is_clocked:
            held = self.held[np.append(self.periods[:1], self.periods)]
            states = np.concatenate([states[:, : self.along.continuous], held], axis=1)
        return Decay(self.along, self.times, states, asked=self.decays)

    @cached_property
    def steps(self) -> Imbalance:
        """By how much the Leaks' states are off after each piece.

        Over a step of h, x1 - x0 - h/6 (f0 + 4 fm + f1) with f = dx/dt of the equation at both ends and in the middle,
        where x is that of the cubic through both ends and their slopes: the residual of the Hermite-Simpson formula,
        exact to the fourth order. To first order it is what a solution of the equation that starts at x0 is off by
        at x1, less what decays on the way (see `Decay`).
        """
        found = np.zeros((len(self.pieces), self.along.continuous))
        for block, left, middle, right in self.blocks():
            h = np.diff(self.times)[block, np.newaxis]
            slopes = [self.along.slope(values) for values in (left, middle, right)]
            x = self.states[:, : self.along.continuous]
            moved = x[1:][block] - x[:-1][block] - h / 6.0 * (slopes[0] + 4.0 * slopes[1] + slopes[2])
            self.add(found, block, self.decay.left(block, moved))
        return Imbalance(self.ends, found, self.windows)

    @cached_property
    def edges(self) -> Imbalance:
        """By how much the Holds' states are off after each edge of the clock, (K, held)."""
        if not self.is_clocked:
            return Imbalance(np.zeros(0), np.zeros((0, 0)), np.zeros(0))
        taken = self.along.sample(self.at_edges)
        ends = self.along.holds[0].clock.period * np.arange(1.0, len(self.held))
        return Imbalance(ends, self.held[1:] - taken[: len(self.held) - 1], np.zeros(taken.shape[1]))

    @cached_property
    def at_edges(self) -> Values:
        """The values of all operators just before each edge of the clock, one row a period."""
        period = self.along.holds[0].clock.period
        starts: Array = period * np.arange(float(len(self.held)))
        # A map takes its inputs as they are at the start of a period, another clocked graph just before its end.
        at = starts if not self.along.leaks else starts + period * (1.0 - READ * EDGE)
        x = np.zeros((at.size, self.along.continuous))
        for k in range(self.along.continuous):
            x[:, k] = np.interp(at, self.times, self.states[:, k])
        return self.along.values(at, np.concatenate([x, self.held], axis=1))

    def blocks(self) -> Iterator[tuple[slice, Values, Values, Values]]:
        """Yield blocks of steps, and the values of all operators at their left ends, in the middle and at the right."""
        total = sum(operator.output_size for operator in self.graph.operators)
        size = max(BLOCK // max(total, 1), 1)
        steps = len(self.times) - 1
        for first in range(0, steps, size):
            block = slice(first, min(first + size, steps))
            yield block, *self._values(block)

    def _values(self, block: slice) -> tuple[Values, Values, Values]:
        times = self.times[block.start : block.stop + 1]
        x = self.states[block.start : block.stop + 1, : self.along.continuous]
        if self.is_clocked:
            held = self.held[self.periods[block]]
            left, right = (self._at(t, s, held) for t, s in ((times[:-1], x[:-1]), (times[1:], x[1:])))
        else:
            held = np.zeros((len(times) - 1, 0))
            both = self.along.values(times, x)
            left, right = ({k: v[part] for k, v in both.items()} for part in (slice(None, -1), slice(1, None)))
        h = np.diff(times)[:, np.newaxis]
        slope = self.along.slope(left) - self.along.slope(right)
        if self.decay.applies:  # there the equation's slopes magnify rounding, and those of the waveform do not
            strong, own = self.decay.strong[block], self._slopes[block.start : block.stop + 1]
            slope[strong] = (own[:-1] - own[1:])[strong]
        middle = 0.5 * (x[:-1] + x[1:]) + h / 8.0 * slope
        return left, self._at(0.5 * (times[:-1] + times[1:]), middle, held), right

    @cached_property
    def _slopes(self) -> Array:
        """The slopes of the Leaks' states, from their waveforms, (M, continuous), without overshoot at their bends."""
        with np.errstate(over="ignore"):  # where a state stands still its slope is next to 0
            path = PchipInterpolator(self.times, self.states[:, : self.along.continuous])
        return np.asarray(path.derivative()(self.times))

    def _at(self, t: Array, x: Array, held: Array) -> Values:
        return self.along.values(t, np.concatenate([x, held], axis=1))

    def integral(self, of: Callable[[Values], Array], rows: Indices | None = None) -> Array:
        """Return the integral over each piece, (P, m), of what a function makes of the values of all operators.

        `rows`: the state that each column moves, (m,): what of it is left at the end of a step counts.
        """
        total: Array | None = None
        for block, *parts in self.blocks():
            h = np.diff(self.times)[block, np.newaxis]
            left, middle, right = (of(values) for values in parts)
            total = np.zeros((len(self.pieces), left.shape[1])) if total is None else total
            moved = h / 6.0 * (left + 4.0 * middle + right)
            self.add(total, block, moved if rows is None else moved * self._left(block, rows))
        return np.zeros((0, 0)) if total is None else total

    def _left(self, block: slice, rows: Indices) -> Array:
        states = rows < self.along.continuous
        left = np.ones((block.stop - block.start, rows.size))
        left[:, states] = self.decay.own(block)[:, rows[states]]
        return left

    @cached_property
    def moves(self) -> Array:
        """By how much the Leaks' states move in each piece, (P, continuous)."""
        bounds = np.append(self.pieces, len(self.times) - 1)
        return np.diff(self.states[bounds, : self.along.continuous], axis=0)

    def thin(self) -> Run:
        """Return the run at fewer points, which lie where its states move: enough for what a value does to them."""
        if self.is_clocked or len(self.times) <= THINNED or self.decay.applies:
            return self
        extent = ranges(self.states)
        moved = np.max(np.abs(np.diff(self.states, axis=0)) / extent, axis=1, initial=0.0)
        way = np.cumsum(moved / np.sum(moved) + np.diff(self.times) / (self.times[-1] - self.times[0]))
        number = np.floor(0.5 * THINNED * way)
        kept = np.concatenate([[0], 1 + np.flatnonzero(np.diff(number, append=np.inf))])
        outputs = self.outputs[kept]
        return replace(self, times=self.times[kept], states=self.states[kept], outputs=outputs, decays=False)

    def add(self, total: Array, block: slice, by_step: Array) -> None:
        """Add what each step of a block brings, (steps, ...), to the pieces, (P, ...)."""
        first = int(np.searchsorted(self.pieces, block.start, side="right")) - 1
        last = int(np.searchsorted(self.pieces, block.stop, side="left"))
        starts = np.maximum(self.pieces[first:last] - block.start, 0)
        total[first:last] += np.add.reduceat(by_step, starts, axis=0)


def make_run(
    graph: Graph,
    signal: Signal | None,
    waves: Waves,
    *,
    start: float | None = None,
    initial: Array | None = None,
) -> Run:
    """Return a run of a circuit beside the graph (in SI units) that it should realise.

    `start`: by what part of its range a state may be off the graph's own start. A circuit that starts further away is
    taken to begin where the graph does, so that it is off after its first step. `initial`: the start where it is
    another one, (n,). None of both for a circuit that may begin anywhere.
    """
    holds = graph.of_type(Hold)
    times, states, outputs = waves.own_times, waves.own_states, waves.own_outputs
    continuous = states.shape[1] - sum(hold.output_size for hold in holds)
    if not holds and len(times) > 2:
        first, states = _begin(graph, times, states, start, initial)
        times, states, outputs = times[first:], states[first:], outputs[first:]
    return Run(
        graph=graph,
        along=Along(graph, signal, Waveform(times, states)),
        times=times,
        states=states,
        outputs=outputs,
        held=waves.states[:, continuous:] if holds else np.zeros((0, 0)),
        shown=waves.outputs if holds else np.zeros((0, 0)),
    )


def _begin(graph: Graph, times: Array, states: Array, start: float | None, other: Array | None) -> tuple[int, Array]:
    """Return the first point that counts, and the states, which begin where the graph does.

    It is later than the first one where an op-amp has yet to reach its feedback: its inner nodes start at 0 V, so that
    a state at its output does, and comes to where `.ic` has it within moments.
    """
    leaks = graph.of_type(Leak)
    constants = np.concatenate([leak.resistance * leak.capacitance for leak in leaks])
    # What Delays give then is asked of the points before.
    moment = 0.0 if graph.of_type(Delay) else SETTLED * min(float(np.min(constants)), float(times[-1]))
    later = int(np.searchsorted(times, moment))
    if other is not None:
        extent = np.maximum(np.ptp(states, axis=0), np.abs(other))
        near = np.abs(states[1 : later + 1] - other) <= NEAR * extent
        comes_to_it = bool(near.any(axis=0).all()) and not near[0].all()
        return (later if comes_to_it else 0), np.vstack([other, states[1:]])
    if start is None:
        return later, states
    initial = np.concatenate([leak.initial for leak in leaks])
    extent = np.maximum(np.ptp(states, axis=0), np.abs(initial))
    if not (np.abs(states[0] - initial) > ELSEWHERE * extent).any():
        return 0, states
    if (np.abs(states[later] - initial) <= start * extent).all():
        return later, states
    return 0, np.vstack([initial, states[1:]])


def window_sums(values: Array, ends: Array, windows: Array) -> Array:
    """Return at each end the sum of the values (P, n) whose ends lie within the window before it; one at least."""
    total = np.concatenate([np.zeros((1, values.shape[1])), np.cumsum(values, axis=0)])
    result = np.empty_like(values)
    for window in np.unique(windows):
        columns = np.flatnonzero(windows == window)
        first = np.minimum(np.searchsorted(ends, ends - window * (1.0 - 1e-9), side="right"), np.arange(ends.size))
        result[:, columns] = total[1:, columns] - total[first][:, columns]
    return result
