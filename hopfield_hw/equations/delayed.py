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
from .breakpoints import Break, Lag
from .delay_solution import Index, Solution
from .delay_solver import integrate
from .evaluate import Evaluator
from .program import leak_rates
from .watch import Watch


class _Late(NamedTuple):
    """What flows into a Leak: from Delays through matrices, y @ matrix + constant in one product; and from others."""

    matrix: Array
    constant: Array
    others: tuple[Operator, ...]


class DelayProgram:
    """The delay equation of a graph with Leaks and Delays (in SI units), for `draws` states side by side.

    States: those of the Leaks, one after the other; delayed signals: those of the Delays. It is an `Equation` of
    `delay_solver` in x.ravel() of x (draws, states) and y.ravel() of y (draws, delayed).

    Raises InputError for a graph that holds a Hold, and for a neutral one whose jumps would not die out.
    """

    def __init__(self, graph: Graph, inputs: Signal | None = None, draws: int = 1) -> None:
        for hold in graph.of_type(Hold):
            raise InputError(f"Hold {hold.name!r}: the reference runs graphs with Delays without Hold")
        check_neutral(graph)
        self.graph, self.inputs, self.draws = graph, inputs, draws
        self.leaks, self.delays = graph.of_type(Leak), graph.of_type(Delay)
        self._operators = Evaluator([graph], (*self.leaks, *self.delays))
        self.slices = self._operators.slices
        self.size = sum(leak.output_size for leak in self.leaks)
        self._width = self._operators.size - self.size
        self.initial = self._operators.initial[: self.size]
        self.has_corners = self._operators.has_corners
        self.rates = leak_rates(self.leaks, [graph])
        self._late = {leak.name: self._late_currents(leak) for leak in self.leaks}
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
        values = {}
        if self._to_leaks:
            u = self._inputs(t)[..., np.newaxis, :]
            values = self._operators.evaluate(self._joined(x, y), u, needed=self._to_leaks)
        result = np.empty(states.shape)
        for leak in self.leaks:
            part, late, (inverse_c, rate) = self.slices[leak.name], self._late[leak.name], self.rates[leak.name]
            current = given @ late.matrix + late.constant
            for driver in late.others:
                current = current + values[driver.name]
            result[..., part] = inverse_c * current - rate * states[..., part]
        return result.reshape(x.shape)

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
        found = held.sampled(-t) if isinstance(held, Signal) else np.broadcast_to(held, (t.size, held.size))
        return np.tile(found, self.draws)

    def outputs(self, times: Array, solution: Solution) -> Array:
        """Return what the Outputs give, one after the other, (P, outputs), of one draw."""
        states = self._joined(solution.state(times), solution.delayed(times))[:, 0]
        return self._operators.outputs(self._operators.evaluate(states, self._inputs(times)))

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
        y = np.concatenate([self.history(k, np.zeros(1))[0, : d.output_size] for k, d in enumerate(self.delays)])
        single = DelayProgram(self.graph, self.inputs) if self.draws > 1 else self
        slope = np.abs(single.rhs(0.0, np.zeros(self.size), y))
        reach = [1e-6, *np.abs(self.initial), *np.abs(y)]
        for leak in self.leaks:
            rate = self.rates[leak.name][1]
            reach.append(float(np.max(slope[self.slices[leak.name]] / np.where(rate > 0.0, rate, np.inf))))
        return float(max(reach))

    def _breaks(self) -> Iterable[Break]:
        for k, delay in enumerate(self.delays):
            if isinstance(delay.history, Signal):
                yield from (Break(1, -t, k) for t in delay.history.times.tolist() if t > 0.0)
            yield from (Break(1, t, k) for t in self._corners())

    def _corners(self) -> list[float]:
        return [] if self.inputs is None else [t for t in self.inputs.times.tolist() if t > 0.0]

    def _inputs(self, t: Array) -> Array:
        if self.inputs is None:
            return np.zeros((*t.shape, self._operators.input_size))
        return self.inputs.sampled(t)

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
