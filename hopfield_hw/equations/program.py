"""A graph as a differential equation: dx/dt, its Jacobian and the outputs, from the equations of the operators."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from typing import Any

import numpy as np
import scipy.sparse as sp

from ..graph import Activate, Affine, Delay, Graph, Hold, Leak
from ..values.arrays import Array
from ..values.errors import InputError
from ..values.signals import Signal
from .crossbar import Crossbar, FusedStep, GridCrossbar, crossbar
from .evaluate import Evaluator, Matrix, Rows, Values, joined, rows_of, scale_rows


class Program:
    """The differential equation of a graph without Hold or Delay (in SI units), for one state or many at once.

    States: those of the Leaks, one after the other, x[..., n]. `draws` graphs of the same form (other values) make a
    program whose rows have parameters of their own.

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
        self.graph = graph
        self.inputs = inputs
        self.leaks = graph.of_type(Leak)
        self._operators = Evaluator(draws, self.leaks)
        self.slices, self.size, self.initial = self._operators.slices, self._operators.size, self._operators.initial
        self.has_corners = self._operators.has_corners
        self.rates = leak_rates(self.leaks, draws)
        self._static = self._operators.static if inputs is None or inputs.times.size == 1 else frozenset()
        self._moving = self._operators.before_states - self._static
        found = [self._crossbar(leak) for leak in self.leaks]
        # The short way to dx/dt, where every Leak has it.
        self._crossbars = [crossbar for crossbar in found if crossbar is not None] if None not in found else []

    def rhs(self, t: Any, x: Array, rows: Rows = slice(None), out: Array | None = None) -> Array:
        """Return dx/dt, (..., states); t is one time, or one for each row of x."""
        result = np.empty_like(x) if out is None else out
        operators = self._operators
        if self._crossbars:
            for crossbar in self._crossbars:
                crossbar.into(result, x, operators.held[crossbar.activate].function_of(rows))
            return result
        known = {name: rows_of(value, rows) for name, value in self._constants.items()}
        values = operators.evaluate(x, self._signal(t, x), rows, needed=self._moving, known=known)
        for leak in self.leaks:
            part = self.slices[leak.name]
            inverse_c, rate = (rows_of(value, rows) for value in self.rates[leak.name])
            target = result[..., part]
            if self.graph.drivers(leak):
                np.multiply(operators.driven(values, leak), inverse_c, out=target)
                target -= rate * x[..., part]
            else:
                np.multiply(x[..., part], -rate, out=target)
        return result

    def following(self, t: Array) -> Callable[[Array], Array]:
        """Return what gives dx/dt, (P, B, n), of states (P, B, n) at the times t, (P, 1), again and again.

        What inputs alone drive is evaluated once.
        """
        operators, size = self._operators, self._operators.size
        start = np.zeros((*t.shape, size))
        driven = operators.static & operators.before_states
        values = operators.evaluate(start, self._signal(t, start), needed=driven)
        given = {name: values[name] for name in driven}
        leaks = [(leak, self.slices[leak.name], *self.rates[leak.name]) for leak in self.leaks]
        wanted = operators.before_states - driven
        nothing = np.zeros((*t.shape, operators.input_size))

        def slopes(x: Array) -> Array:
            result = np.empty_like(x)
            values = operators.evaluate(x, nothing, needed=wanted, known=given)
            for leak, part, inverse_c, rate in leaks:
                target = result[..., part]
                np.multiply(x[..., part], -rate, out=target)
                if self.graph.drivers(leak):
                    target += operators.driven(values, leak) * inverse_c
            return result

        return slopes

    def batch_rhs(self, t: Array, x: Array, rows: Rows, out: Array) -> None:
        """Write dx/dt of the draws `rows` into `out`: the form that `batch_solver.integrate` takes."""
        self.rhs(t, x, rows, out)

    @cached_property
    def fused(self) -> FusedStep | None:
        """A compiled step for `single_solver`; None where dx/dt is not that of cells on one grid, or not many."""
        if len(self._crossbars) != 1 or not isinstance(grid := self._crossbars[0], GridCrossbar):
            return None
        function = self._operators.held[grid.activate].function
        return None if function is None else grid.fused(function)

    def outputs(self, t: Any, x: Array, rows: Rows = slice(None)) -> Array:
        """Return what the Outputs give, one after the other, (..., outputs)."""
        needed = self._operators.before_outputs
        return self._operators.outputs(self._operators.evaluate(x, self._signal(t, x), rows, needed=needed))

    def jacobian(self, t: float, x: Array) -> Matrix:
        """Return d(dx/dt)/dx, (states, states), of one state; sparse where some weights are."""
        return leak_slopes(self._operators, self.rates, self._operators.evaluate(x, self._signal(t, x)))

    @property
    def shortest_time(self) -> float:
        """The smallest R C, seconds; infinite where nothing leaks."""
        rates = [float(np.max(rate)) for _, rate in self.rates.values()]
        return 1.0 / max(rates) if rates and max(rates) > 0.0 else np.inf

    def _signal(self, t: Any, x: Array) -> Array:
        size = self._operators.input_size
        if self.inputs is None:
            return np.zeros((*x.shape[:-1], size))
        if np.ndim(t) == 0:
            return np.broadcast_to(self.inputs.at(float(t)), (*x.shape[:-1], size))
        if self.inputs.times.size == 1:
            return np.broadcast_to(self.inputs.values[0], (*x.shape[:-1], size))
        return self.inputs.sampled(t)

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
        parts = (held.constant, *constants, *self.rates[leak.name])
        if (
            held.weights is None
            or any(part.ndim != 1 for part in parts)
            or len(states) != 1
            or states[0] not in self.leaks
        ):
            return None
        constant = np.sum([held.constant, *constants], axis=0)
        source = self.slices[states[0].name]
        return crossbar(self.slices[leak.name], source, activate.name, held.weights, constant, *self.rates[leak.name])


def leak_slopes(operators: Evaluator, rates: Mapping[str, tuple[Array, Array]], values: Values) -> Matrix:
    """Return d(dx/dt)/d(states of the evaluator) of some Leaks, (leaking, states), at one point with these values.

    `rates`: by Leak, as from `leak_rates`. Sparse where a weight is.
    """
    slopes = operators.slopes(values)
    parts = []
    for name, (inverse_c, rate) in rates.items():
        total, leak = scale_rows(-rate, slopes[name]), operators.graph.by_name[name]
        if operators.graph.drivers(leak):
            total = total + scale_rows(inverse_c, operators.driven(slopes, leak))
        parts.append(total)
    return sp.vstack(parts, format="csr") if operators.is_sparse else np.vstack(parts)


def leak_rates(leaks: Sequence[Leak], draws: Sequence[Graph]) -> dict[str, tuple[Array, Array]]:
    """Return by Leak 1/C and 1/(R C), one row a draw where draws differ."""
    rates = {}
    for leak in leaks:
        same = [draw.by_name[leak.name] for draw in draws]
        inverse_c = [1.0 / op.capacitance for op in same if isinstance(op, Leak)]
        rate = [1.0 / (op.resistance * op.capacitance) for op in same if isinstance(op, Leak)]
        rates[leak.name] = (joined(inverse_c), joined(rate))
    return rates
