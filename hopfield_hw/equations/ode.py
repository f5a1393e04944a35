"""A graph as a differential equation: dx/dt, its Jacobian and the outputs, from the equations of the operators."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cached_property
from typing import Any

import numpy as np

from ..graph import Activate, Affine, Delay, Graph, Hold, Leak
from ..values.arrays import Array
from ..values.errors import InputError
from ..values.signals import Signal
from .crossbar import Crossbar, FusedStep, GridCrossbar, crossbar
from .evaluate import Evaluator, Matrix, Rows, Values, rows_of
from .leaks import LeakEquation


class OdeEquation:
    """The differential equation of a graph without Hold or Delay (in SI units), for one state or many at once.

    States: those of the Leaks, one after the other, x[..., n]. `draws` graphs of the same form (other values) make an
    equation whose rows have their own parameters.

    Raises InputError for a graph that holds a Hold or a Delay, and for draws that differ in form.
    """

    def __init__(self, draws: Sequence[Graph], inputs: Signal | None = None) -> None:
        graph = draws[0]
        for operator in graph.operators:
            if isinstance(operator, Hold | Delay):
                raise InputError(
                    f"{type(operator).__name__} {operator.name!r}: a batch runs graphs without Hold or Delay; run them "
                    "one by one with `reference`"
                )
        self.graph, self.inputs = graph, inputs
        self.draws = len(draws)
        self._operators = Evaluator(draws, graph.of_type(Leak))
        self._leaks = LeakEquation(self._operators, draws)
        self.slices, self.size, self.initial = self._operators.slices, self._operators.size, self._operators.initial
        self.has_corners = self._operators.has_corners
        self._static = self._operators.static if inputs is None or inputs.times.size == 1 else frozenset()
        self._moving = self._operators.before_states - self._static
        found = [self._crossbar(leak) for leak in self._leaks.leaks]
        # The short way to dx/dt, where every Leak has it.
        self._crossbars = [crossbar for crossbar in found if crossbar is not None] if None not in found else []

    def rhs(self, t: Any, x: Array, rows: Rows = slice(None), out: Array | None = None) -> Array:
        """Return dx/dt, (..., states); t is one time, or one for each row of x."""
        operators = self._operators
        if self._crossbars:
            result = np.empty_like(x) if out is None else out
            for crossbar in self._crossbars:
                crossbar.into(result, x, operators.held[crossbar.activate].function_of(rows))
            return result
        known = {name: rows_of(value, rows) for name, value in self._constants.items()}
        values = operators.evaluate(x, self._signal(t, x), rows, needed=self._moving, known=known)
        return self._leaks.slopes(values, rows, out=out)

    def following(self, t: Array) -> Callable[[Array], Array]:
        """Return what gives dx/dt, (P, B, n), of states (P, B, n) at the times t, (P, 1), again and again.

        What inputs alone drive is evaluated once.
        """
        operators, size = self._operators, self._operators.size
        start = np.zeros((*t.shape, size))
        driven = operators.static & operators.before_states
        values = operators.evaluate(start, self._signal(t, start), needed=driven)
        given = {name: values[name] for name in driven}
        wanted = operators.before_states - driven
        nothing = np.zeros((*t.shape, operators.input_size))

        def slopes(x: Array) -> Array:
            return self._leaks.slopes(operators.evaluate(x, nothing, needed=wanted, known=given))

        return slopes

    def batch_rhs(self, t: Array, x: Array, rows: Rows, out: Array) -> None:
        """Write dx/dt of the draws `rows` into `out`: the form that `runge_kutta.integrate` takes."""
        self.rhs(t, x, rows, out)

    @cached_property
    def fused(self) -> FusedStep | None:
        """A compiled step for `runge_kutta`; None where dx/dt is not that of cells on one grid, or not many."""
        if len(self._crossbars) != 1 or not isinstance(grid := self._crossbars[0], GridCrossbar):
            return None
        function = self._operators.held[grid.activate].function
        return None if function is None else grid.fused(function)

    def outputs(self, t: Any, x: Array, rows: Rows = slice(None)) -> Array:
        """Return what the Outputs give, one after the other, (..., outputs)."""
        needed = self._operators.before_outputs
        return self._operators.outputs(self._operators.evaluate(x, self._signal(t, x), rows, needed=needed))

    def jacobian(self, t: float, x: Array) -> Matrix:
        """Return d(dx/dt)/dx, (states, states), of one state; sparse where a weight is sparse or a Stencil."""
        return self._leaks.jacobian(self._operators.evaluate(x, self._signal(t, x)))

    @cached_property
    def reach(self) -> float:
        """The size of the state, volts: its start, or what one time constant of the first slope brings."""
        slope = self.rhs(0.0, np.zeros_like(self.initial))
        return max(float(np.max(np.abs(self.initial), initial=0.0)), self._leaks.reach(slope), 1e-6)

    @property
    def shortest_time(self) -> float:
        """The smallest R C, seconds; infinite where nothing leaks."""
        return 1.0 / self._leaks.fastest if self._leaks.fastest > 0.0 else np.inf

    def _signal(self, t: Any, x: Array) -> Array:
        size = self._operators.input_size
        if self.inputs is None:
            return np.zeros((*x.shape[:-1], size))
        if np.ndim(t) == 0:
            return np.broadcast_to(self.inputs.at(float(t)), (*x.shape[:-1], size))
        if self.inputs.times.size == 1:
            return np.broadcast_to(self.inputs.values[0], (*x.shape[:-1], size))
        return self.inputs.sample(t)

    @cached_property
    def _constants(self) -> Values:
        """The values of what neither a state nor a changing input drives, evaluated once."""
        x = np.zeros_like(self.initial)
        values = self._operators.evaluate(x, self._signal(0.0, x), needed=self._static)
        return {name: values[name] for name in self._static}

    def _crossbar(self, leak: Leak) -> Crossbar | None:
        drivers = self.graph.drivers(leak)
        moving = [driver for driver in drivers if driver.name not in self._static]
        if len(moving) != 1 or not isinstance(affine := moving[0], Affine):
            return None
        sources = self.graph.drivers(affine)
        if len(sources) != 1 or not isinstance(activate := sources[0], Activate):
            return None
        states = self.graph.drivers(activate)
        held = self._operators.held[affine.name]
        constants = [self._constants[driver.name] for driver in drivers if driver is not affine]
        rates = self._leaks.rates[leak.name]
        parts = (held.constant, *constants, *rates)
        shared = held.weights is not None and all(part.ndim == 1 for part in parts)
        if held.weights is None or not shared or len(states) != 1 or states[0] not in self._leaks.leaks:
            return None
        constant = np.sum([held.constant, *constants], axis=0)
        source = self.slices[states[0].name]
        return crossbar(self.slices[leak.name], source, activate.name, held.weights, constant, *rates)
