"""A graph with Delays as a delay equation, and its solution."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

import networkx as nx
import numpy as np
import numpy.typing as npt

from ..graph import Affine, Delay, Graph, Hold, Leak, Operator
from ..graph.neutral import check_neutral, direct_links
from ..values.arrays import Array
from ..values.errors import InputError
from ..values.signals import Signal
from .accuracy import refine
from .breakpoints import Break, Lag
from .delay_solution import Index, Solution
from .delay_solver import integrate
from .evaluate import Evaluator
from .leaks import LeakEquation
from .program import Method, Solved
from .request import input_values, uniform_times
from .watch import Watch


class _Late(NamedTuple):
    """What flows into a Leak: from Delays through matrices, y @ matrix + constant in one product; and from others."""

    matrix: Array
    constant: Array
    others: tuple[Operator, ...]


class DelayProgram:
    """The delay equation of a graph with Leaks and Delays (in SI units), for `draws` states side by side.

    States: those of the Leaks, one after the other; delayed signals: those of the Delays. It is a `Program`, and an
    `Equation` of `delay_solver` in x.ravel() of x (draws, states) and y.ravel() of y (draws, delayed).

    Raises InputError for a graph that holds a Hold, and for a neutral one whose jumps would not die out.
    """

    methods = frozenset({"auto", "DOP853"})

    def __init__(self, graph: Graph, inputs: Signal | None = None, draws: int = 1) -> None:
        for hold in graph.of_type(Hold):
            raise InputError(f"Hold {hold.name!r}: the reference runs graphs with Delays without Hold")
        check_neutral(graph)
        self.graph, self.inputs, self.draws = graph, inputs, draws
        self.delays = graph.of_type(Delay)
        self._operators = Evaluator([graph], (*graph.of_type(Leak), *self.delays))
        self._leaks = LeakEquation(self._operators, [graph])
        self.slices, self.size = self._operators.slices, self._leaks.size
        self._width = self._operators.size - self.size
        self.initial = self._operators.initial[: self.size]
        self.has_corners = self._operators.has_corners
        self._late = {leak.name: self._late_currents(leak) for leak in self._leaks.leaks}
        others = [driver for late in self._late.values() for driver in late.others]
        self._to_leaks = self._operators.ancestors(others) | {driver.name for driver in others}
        self._to_delays = self._operators.ancestors(self.delays)
        self.lags = [Lag(tau=delay.tau) for delay in self.delays]
        self.parts = self._indices()
        links = nx.to_numpy_array(direct_links(graph), [delay.name for delay in self.delays])
        self.direct: npt.NDArray[np.bool_] = links.T > 0.0

    def rhs(self, t: float, x: Array, y: Array) -> Array:
        """Return dx/dt, (draws * states,)."""
        result: Array = self.slopes(np.array(t), x, y)
        return result

    def slopes(self, t: Array, x: Array, y: Array) -> Array:
        """Return dx/dt at many times, (..., draws * states)."""
        shape = (*x.shape[:-1], self.draws)
        states, given = x.reshape(*shape, self.size), y.reshape(*shape, self._width)
        values = {leak.name: states[..., self.slices[leak.name]] for leak in self._leaks.leaks}
        if self._to_leaks:
            u = self._inputs(t)[..., np.newaxis, :]
            values = self._operators.evaluate(self._joined(x, y), u, needed=self._to_leaks)

        def current(leak: Leak) -> Array:
            late = self._late[leak.name]
            total: Array = given @ late.matrix + late.constant
            for driver in late.others:
                total = total + values[driver.name]
            return total

        return self._leaks.slopes(values, current=current).reshape(x.shape)

    def signals(self, t: Array, x: Array, y: Array) -> Array:
        """Return what drives the Delays, (P, draws * delayed)."""
        u = self._inputs(t)[:, np.newaxis]
        values = self._operators.evaluate(self._joined(x, y), u, needed=self._to_delays)
        result = np.empty((t.size, self.draws, self._width))
        for delay in self.delays:
            result[..., self._given(delay)] = self._operators.driven(values, delay)
        return result.reshape(t.size, -1)

    def history(self, delay: int, t: Array) -> Array:
        """Return what drove one Delay before the start, (P, draws * elements)."""
        held = self.delays[delay].history
        found = held.sample(-t) if isinstance(held, Signal) else np.broadcast_to(held, (t.size, held.size))
        return np.tile(found, self.draws)

    def grids(self, end: float, points: int | None) -> tuple[Array, Array]:
        """Return uniform times, twice: see `Program`."""
        return uniform_times(end, points)

    def solve(self, grid: Array, accuracy: float, method: Method, watch: Watch) -> Solved:
        """Return the solution by the method of steps over DOP853: see `Program`."""
        solutions: list[Solution] = []

        def solve(rtol: float, step: float) -> Array:
            longest = step if self.has_corners else np.inf
            found = self.integrate(self.initial, float(grid[-1]), rtol=rtol, max_step=longest, watch=watch)
            solutions.append(found)
            return found.state(grid)

        states, check = refine(solve, float(grid[-1]), accuracy)
        joined = self._joined(states, solutions[-1].evaluate(grid))[:, 0]
        outputs = self._operators.outputs(self._operators.evaluate(joined, self._inputs(grid)))
        return Solved(states, outputs, {"accuracy": accuracy, "self_check": check})

    def follow(self, rows: Array, grid: Array, rtol: float, watch: Watch) -> Array:
        """Return the states, (B, T, n), of all rows, which take the same steps: see `Program`."""
        together = DelayProgram(self.graph, self.inputs, draws=len(rows))
        solution = together.integrate(rows, float(grid[-1]), rtol=rtol, watch=watch)
        return np.swapaxes(solution.state(grid).reshape(grid.size, *rows.shape), 0, 1)

    def integrate(
        self, initial: Array, end: float, *, rtol: float, max_step: float = np.inf, watch: Watch | None = None
    ) -> Solution:
        """Solve from initial states (draws, states) at t = 0."""
        options: dict[str, Any] = {"rtol": rtol, "atol": rtol * self._reach(), "max_step": max_step, "watch": watch}
        return integrate(self, initial.ravel(), (0.0, end), breaks=self._breaks(), edges=self._corners(), **options)

    def _late_currents(self, leak: Leak) -> _Late:
        matrix, constant, others = np.zeros((self._width, leak.output_size)), np.zeros(leak.output_size), []
        for driver in self.graph.drivers(leak):
            sources = self.graph.drivers(driver)
            late = len(sources) == 1 and isinstance(sources[0], Delay)
            if late and isinstance(driver, Affine) and not driver.weights.is_sparse:
                matrix[self._given(sources[0])] += driver.weights.matrix.T
                constant = constant + driver.constant
            else:
                others.append(driver)
        return _Late(matrix, constant, tuple(others))

    def _reach(self) -> float:
        """Return the size of the state: its start, the history, or what one time constant of the first slope brings."""
        y = np.empty(self.draws * self._width)
        for k, part in enumerate(self.parts):
            y[part] = self.history(k, np.zeros(1))[0]
        slope = self.rhs(0.0, np.zeros(self.draws * self.size), y).reshape(self.draws, self.size)
        reach = self._leaks.reach(slope)
        return max(1e-6, float(np.max(np.abs(self.initial), initial=0.0)), float(np.max(np.abs(y), initial=0.0)), reach)

    def _breaks(self) -> Iterable[Break]:
        for k, delay in enumerate(self.delays):
            if isinstance(delay.history, Signal):
                yield from (Break(1, -t, k) for t in delay.history.times.tolist() if t > 0.0)
            yield from (Break(1, t, k) for t in self._corners())

    def _corners(self) -> list[float]:
        return [] if self.inputs is None else [t for t in self.inputs.times.tolist() if t > 0.0]

    def _inputs(self, t: Array) -> Array:
        return input_values(self.inputs, t, self._operators.input_size)

    def _joined(self, x: Array, y: Array) -> Array:
        """Return the states of the evaluator, (..., draws, states + delayed)."""
        shape = (*x.shape[:-1], self.draws)
        return np.concatenate([x.reshape(*shape, self.size), y.reshape(*shape, self._width)], axis=-1)

    def _given(self, delay: Operator) -> slice:
        part = self.slices[delay.name]
        return slice(part.start - self.size, part.stop - self.size)

    def _indices(self) -> list[Index]:
        """Return by Delay where its elements stand in y.ravel(), the draws one after the other."""
        at = np.arange(self.draws * self._width).reshape(self.draws, self._width)
        return [at[:, self._given(delay)].ravel() for delay in self.delays]
