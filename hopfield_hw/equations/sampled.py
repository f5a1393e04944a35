"""A sampled-data graph: a differential equation between the edges of clocks, at which Holds take what drives them."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from ..graph import Delay, Graph, Hold
from ..values.arrays import Array
from ..values.errors import InputError
from ..values.grids import EDGE, READ, period_grid, uniform_grid
from ..values.signals import Signal
from .accuracy import relative_tolerance
from .evaluate import Evaluator, Values
from .leaks import LeakEquation
from .program import Method, Solved
from .request import check_steps, input_values
from .runge_kutta import Rows, integrate
from .watch import Watch


class SampledProgram:
    """C dx/dt = -x/R + what drives it between edges; at an edge of its clock a Hold takes the left limit of its drive.

    States: those of the Leaks, then of the Holds, s[n] (SI units). Every Hold may have its own clock. A `Program`.

    Raises InputError for a graph that holds a Delay.
    """

    methods = frozenset({"auto", "DOP853"})

    def __init__(self, graph: Graph, inputs: Signal | None) -> None:
        for delay in graph.of_type(Delay):
            raise InputError(f"Delay {delay.name!r}: the reference runs no Delay beside a Hold; chain Holds instead")
        self.graph, self.inputs = graph, inputs
        self.holds = graph.of_type(Hold)
        self._operators = Evaluator([graph], graph.states)
        self._leaks = LeakEquation(self._operators, [graph])
        self.initial, self.size = self._operators.initial, self._operators.size

    @property
    def period(self) -> float:
        """The period of the fastest clock, seconds."""
        return min(hold.clock.period for hold in self.holds)

    def grids(self, end: float, points: int | None) -> tuple[Array, Array]:
        """Return the periods of the fastest clock, and when each is read, at its end; or points: see `Program`."""
        check_steps(self.graph, self.period, end)
        return period_grid(self.period, end) if points is None else (uniform_grid(end, points),) * 2

    def solve(self, grid: Array, accuracy: float, method: Method, watch: Watch) -> Solved:
        """Return the solution between the edges by DOP853: see `Program`."""
        (states,) = self.follow(self.initial[np.newaxis], grid, relative_tolerance(accuracy), watch)
        outputs = self._operators.outputs(self._values(grid, states))
        return Solved(states, outputs, {"accuracy": accuracy, "period": self.period})

    def follow(self, rows: Array, grid: Array, rtol: float, watch: Watch) -> Array:
        """Return the states, (B, T, n), at increasing times from 0 on; at an edge, those that begin there.

        Raises AccuracyError where the solver fails.
        """
        end = float(grid[-1])
        corners = [] if self.inputs is None else [t for t in self.inputs.times.tolist() if 0.0 < t < end]
        edges = self.edges(end * (1.0 + 1e-12))
        bounds = np.unique(np.concatenate([[0.0, end], corners, edges]))
        sampling = set(edges.tolist())
        states = rows
        result = np.empty((len(rows), grid.size, self.size))
        for left, right in pairwise(bounds.tolist()):
            watch.look(left, states)
            if left in sampling:
                states = self._sample(left, states)
            inside = (grid >= left) & (grid < right)
            found = self._flow(left, right, states, grid[inside], rtol, watch)
            result[:, inside], states = found[:, :-1], found[:, -1]
        if end in sampling:
            states = self._sample(end, states)
        result[:, grid == end] = states[:, np.newaxis]
        return result

    def edges(self, end: float) -> Array:
        """Return the times after 0 and before `end` at which some Hold samples."""
        clocks = {hold.clock for hold in self.holds}
        found = [
            clock.phase + clock.period * np.arange(np.ceil((end - clock.phase) / clock.period)) for clock in clocks
        ]
        times: Array = np.unique(np.concatenate(found))
        return times[(times > 0.0) & (times < end)]

    def _values(self, t: float | Array, states: Array) -> Values:
        u = input_values(self.inputs, np.broadcast_to(t, states.shape[:-1]), self._operators.input_size)
        return self._operators.evaluate(states, u)

    def _sample(self, t: float, states: Array) -> Array:
        """Return the states after an edge; an input that moves towards the edge is taken as it was before."""
        after = states.copy()
        for hold in self.holds:
            beats = (t - hold.clock.phase) / hold.clock.period
            if abs(beats - round(beats)) < 1e-9 and beats > -0.5:
                values = self._values(t - READ * EDGE * hold.clock.period, states)
                after[..., self._operators.slices[hold.name]] = self._operators.driven(values, hold)
        return after

    def _flow(self, left: float, right: float, states: Array, times: Array, rtol: float, watch: Watch) -> Array:
        """Return the states, (B, times + 1, n), at the times within one piece and at its end."""
        wanted = np.append(times, right)
        held = np.repeat(states[:, np.newaxis], wanted.size, axis=1)
        size = self._leaks.size
        if not size:
            return held
        kept = states[:, size:]

        def rhs(t: Array, x: Array, rows: Rows, out: Array) -> None:
            self._leaks.slopes(self._values(t, np.concatenate([x, kept[rows]], axis=1)), out=out)

        first = wanted[0] > left
        grid = np.append(left, wanted) if first else wanted
        found = integrate(rhs, states[:, :size], grid, rtol=rtol, atol=rtol * 1e-3, look=watch.look)
        held[..., :size] = found.states[:, int(first) :]
        return held
