"""A graph as a map: the next state and the outputs from the state and the inputs, and the Jacobian of a step."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cached_property
from typing import Protocol

import numpy as np
import scipy.sparse as sp

from ..graph import Graph, Hold, Leak
from ..values.arrays import Array
from ..values.errors import InputError
from ..values.grids import period_grid
from ..values.signals import Signal
from .evaluate import Evaluator, Matrix, Rows
from .program import Method, Solved
from .request import check_steps, input_values
from .unrolled import Running, Unrolled
from .watch import Watch


class Steppable(Protocol):
    """What takes one step of a map."""

    def step(self, h: Array, u: Array) -> tuple[Array, Array]:
        """Return the next state, (..., n), and the outputs of this step, (..., outputs), from h and u (..., m)."""
        ...


def iterate(
    steppable: Steppable, h: Array, u: Array, running: Running | None = None, *, reverse: bool = False
) -> Iterator[tuple[int, Array, Array, Array]]:
    """Step a map from h (..., n) along u (T, ..., m): yield the step k, h before it, h after it, and the outputs.

    `running`: (T, B), where a state goes on; elsewhere it stays, and the outputs mean nothing. `reverse`: from the last
    step to the first.
    """
    steps = range(len(u))
    for k in reversed(steps) if reverse else steps:
        after, outputs = steppable.step(h, u[k])
        if running is not None:
            after = np.where(running[k, :, np.newaxis], after, h)
        yield k, h, after, outputs
        h = after


class MapProgram:
    """h[k+1] = F(h[k], u[k]), y[k] = G(h[k], u[k]), for one state or many at once; a `Program`.

    States: those of the Holds, one after the other, h[..., n]; inputs u[..., m]. h[0] is what the Holds start with.
    `draws` graphs of the same form make a program whose rows have their own parameters.

    Raises InputError for a graph with a Leak, without a Hold, or with Holds of different clocks.
    """

    methods = frozenset({"auto"})

    def __init__(self, draws: Sequence[Graph], inputs: Signal | None = None) -> None:
        graph = draws[0]
        self.graph, self.inputs = graph, inputs
        self.holds = graph.of_type(Hold)
        for leak in graph.of_type(Leak):
            raise InputError(f"Leak {leak.name!r}: a map has Holds alone; run it as a differential equation")
        if not self.holds:
            raise InputError("the graph holds no Hold, so there is nothing to step; put one into its cycle")
        clocks = {hold.clock for hold in self.holds}
        if len(clocks) > 1:
            found = ", ".join(f"{hold.name} {hold.clock.period} s + {hold.clock.phase} s" for hold in self.holds)
            raise InputError(f"the Holds have their own clocks ({found}); a map has one clock, give it to all of them")
        (self.clock,) = clocks
        self._operators = Evaluator(draws, self.holds)
        self.slices, self.size, self.initial = self._operators.slices, self._operators.size, self._operators.initial
        self.input_size = self._operators.input_size

    def step(self, h: Array, u: Array, rows: Rows = slice(None)) -> tuple[Array, Array]:
        """Return the next state, (..., n), and the outputs of this step, (..., outputs)."""
        values = self._operators.evaluate(h, u, rows)
        after = [
            np.broadcast_to(self._operators.driven(values, hold), h[..., self.slices[hold.name]].shape)
            for hold in self.holds
        ]
        return np.concatenate(after, axis=-1), self._operators.outputs(values)

    def run(self, h: Array, u: Array, running: Running | None = None, *, reverse: bool = False) -> tuple[Array, Array]:
        """Take many steps: return the outputs, (T, B, outputs), and the last state, from h (B, n) and u (T, B, m).

        `running`, `reverse`: as for `iterate`. For a program of one graph; it differs from `step` by rounding.
        """
        return self._unrolled.run(h, u, running, reverse=reverse)

    @cached_property
    def _unrolled(self) -> Unrolled:
        return Unrolled(self._operators)

    def jacobian(self, h: Array, u: Array) -> Matrix:
        """Return dh[k+1]/dh[k], (n, n), at one state; sparse where some weights are."""
        slopes = self._operators.slopes(self._operators.evaluate(h, u))
        parts = [self._operators.driven(slopes, hold) for hold in self.holds]
        return sp.vstack(parts, format="csr") if self._operators.is_sparse else np.vstack(parts)

    def grids(self, end: float, points: int | None) -> tuple[Array, Array]:
        """Return the times k T from 0 to `end`, twice: see `Program`."""
        check_steps(self.graph, self.clock.period, end)
        edges, _ = period_grid(self.clock.period, end)
        return edges, edges

    def solve(self, grid: Array, accuracy: float, method: Method, watch: Watch) -> Solved:
        """Return the states and the outputs of each step: see `Program`."""
        states, outputs = [], []
        for k, h, _, given in iterate(self, self.initial, input_values(self.inputs, grid, self.input_size)):
            watch.look(float(grid[k]), h)
            states.append(h)
            outputs.append(given)
        return Solved(np.stack(states), np.stack(outputs), {"period": self.clock.period})

    def follow(self, rows: Array, grid: Array, rtol: float, watch: Watch) -> Array:
        """Return the states of each step, (B, T, n): see `Program`."""
        u = np.repeat(input_values(self.inputs, grid, self.input_size)[:, np.newaxis], len(rows), axis=1)
        states = []
        for k, h, _, _ in iterate(self, rows, u):
            watch.look(float(grid[k]), h)
            states.append(h)
        return np.stack(states, axis=1)
