"""A sampled-data graph: a differential equation between the edges of clocks, at which Holds take what drives them."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from scipy.integrate import solve_ivp

from ..graph import Delay, Graph, Hold, Leak
from ..values.arrays import Array
from ..values.errors import AccuracyError, InputError
from ..values.grids import EDGE, READ
from ..values.signals import Signal
from .evaluate import Evaluator
from .watch import Watch


class SampledProgram:
    """C dx/dt = -x/R + what drives it between edges; at an edge of its clock a Hold takes the left limit of its drive.

    States: those of the Leaks, then of the Holds, s[n] (SI units). Every Hold may have a clock of its own.

    Raises InputError for a graph that holds a Delay.
    """

    def __init__(self, graph: Graph, inputs: Signal | None) -> None:
        for delay in graph.of_type(Delay):
            raise InputError(f"Delay {delay.name!r}: the reference runs no Delay beside a Hold; chain Holds instead")
        self.graph, self.inputs = graph, inputs
        self.leaks, self.holds = graph.of_type(Leak), graph.of_type(Hold)
        self._operators = Evaluator([graph], graph.states)
        self.initial = self._operators.initial
        self._slices = self._operators.slices
        self._continuous = sum(leak.output_size for leak in self.leaks)

    def edges(self, end: float) -> Array:
        """Return the times after 0 and before `end` at which some Hold samples."""
        clocks = {hold.clock for hold in self.holds}
        found = [
            clock.phase + clock.period * np.arange(np.ceil((end - clock.phase) / clock.period)) for clock in clocks
        ]
        times: Array = np.unique(np.concatenate(found))
        return times[(times > 0.0) & (times < end)]

    def states_at(self, grid: Array, start: Array, *, rtol: float, atol: float, watch: Watch) -> Array:
        """Return the states at increasing times from 0 on, (times, n); at an edge, those that begin there.

        Raises AccuracyError where the solver fails.
        """
        end = float(grid[-1])
        corners = [] if self.inputs is None else [t for t in self.inputs.times.tolist() if 0.0 < t < end]
        edges = self.edges(end * (1.0 + 1e-12))
        bounds = np.unique(np.concatenate([[0.0, end], corners, edges]))
        sampling = set(edges.tolist())
        state = start
        result = np.empty((grid.size, state.size))
        for left, right in pairwise(bounds.tolist()):
            watch.look(left, state)
            if left in sampling:
                state = self._sampled(left, state)
            inside = (grid >= left) & (grid < right)
            found = self._flow(left, right, state, grid[inside], rtol, atol, watch)
            result[inside], state = found[:-1], found[-1]
        if end in sampling:
            state = self._sampled(end, state)
        result[grid == end] = state
        return result

    def outputs(self, times: Array, states: Array) -> Array:
        """Return what the Outputs give, (times, outputs)."""
        rows = [self._operators.outputs(self._values(t, s)) for t, s in zip(times.tolist(), states, strict=True)]
        return np.stack(rows)

    def _values(self, t: float, state: Array) -> dict[str, Array]:
        u = np.zeros(self._operators.input_size) if self.inputs is None else self.inputs.at(t)
        return self._operators.evaluate(state, u)

    def _sampled(self, t: float, state: Array) -> Array:
        """Return the states after an edge; an input that moves towards the edge is taken as it was before."""
        after = state.copy()
        for hold in self.holds:
            beats = (t - hold.clock.phase) / hold.clock.period
            if abs(beats - round(beats)) < 1e-9 and beats > -0.5:
                values = self._values(t - READ * EDGE * hold.clock.period, state)
                after[self._slices[hold.name]] = self._operators.driven(values, hold)
        return after

    def _flow(
        self, left: float, right: float, state: Array, times: Array, rtol: float, atol: float, watch: Watch
    ) -> Array:
        """Return the states at the times within one piece and at its end."""
        held = np.repeat(state[np.newaxis], times.size + 1, axis=0)
        if self._continuous == 0:
            return held
        leaving = state[self._continuous :]

        def rhs(t: float, x: Array) -> Array:
            watch.look(t, x)
            values = self._values(t, np.concatenate([x, leaving]))
            parts = []
            for leak in self.leaks:
                driven = self._operators.driven(values, leak) if self.graph.drivers(leak) else 0.0
                parts.append((driven - values[leak.name] / leak.resistance) / leak.capacitance)
            return np.concatenate(parts)

        wanted = np.append(times, right)
        x0 = state[: self._continuous]
        found = solve_ivp(rhs, (left, right), x0, method="DOP853", t_eval=wanted, rtol=rtol, atol=atol)
        if not found.success:
            raise AccuracyError(f"reference: DOP853 stopped at t = {found.t[-1]:.6g} s ({found.message})")
        held[:, : self._continuous] = found.y.T
        return held
