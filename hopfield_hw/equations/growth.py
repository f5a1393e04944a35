"""How fast deviations grow by themselves, from a graph's Jacobian along a waveform: what steps must not jump over."""

from __future__ import annotations

from functools import cached_property

import numpy as np

from ..functions import Softmax
from ..graph import Activate, Affine, Delay, Graph, Hadamard, Input, Operator, Quantise
from ..graph.weights import Weights
from ..transforms import in_si
from ..values.arrays import Array
from ..values.signals import Signal
from .evaluate import Evaluator
from .leaks import LeakEquation
from .request import input_values

# So many Jacobians are looked at in a waveform, fewer of many states: their eigenvalues take 25 n^3 operations.
# What a first step may let pass of the fastest time constant; the simulator begins with a hundredth of it.
FIRST = 1.0
MOST_LOOKS, MOST_OPERATIONS = 100, 1e10


class Growth:
    """The rates of growth of a graph with Leaks, along states that some machine found.

    States are those of the Leaks and Holds, (P, n). What Holds and Delays give counts as given: only what grows at once
    is asked for.
    """

    def __init__(self, graph: Graph, inputs: Signal | None = None) -> None:
        network = in_si(graph)
        self._inputs = inputs
        delays = network.of_type(Delay)
        self._operators = Evaluator([network], (*network.states, *delays))
        self._equation = LeakEquation(self._operators, [network])
        self._size = self._equation.size
        held = (np.zeros(d.output_size) if isinstance(d.history, Signal) else d.history for d in delays)
        self._late = np.concatenate([np.zeros(0), *held])
        self._needed = self._operators.ancestors(self._equation.leaks)

    @property
    def looks(self) -> int:
        """How many Jacobians of one waveform are worth looking at."""
        return int(min(MOST_LOOKS, max(MOST_OPERATIONS / (25.0 * max(self._size, 1) ** 3), 3)))

    def bounds(self, times: Array, states: Array) -> Array:
        """Return by time a rate that nothing exceeds, 1/s, (P,): the largest row sum of |J|."""
        if not self._size:
            return np.full(times.shape, -np.inf)
        values = self._values(times, states)
        sums: dict[str, Array] = {}
        for name, part in self._operators.slices.items():
            width = part.stop - part.start
            sums[name] = np.full((times.size, width), 1.0 if part.stop <= self._size else 0.0)
        graph = self._operators.graph
        for operator in graph.order:
            if operator.name not in sums and operator.name in self._needed:
                sums[operator.name] = self._sums(operator, values, sums)
        return np.asarray(np.max(self._equation.slopes(sums), axis=-1))

    def first_step(self, state: Array) -> float:
        """Return a step from a state, (n,), over which hardly anything moves by itself, seconds: FIRST / max |J|."""
        at = np.zeros(1), state[np.newaxis]
        bound = max(float(self.bounds(*at)[0]), 0.0) + 2.0 * self._equation.fastest
        return FIRST / bound if bound > 0.0 and np.isfinite(bound) else np.inf

    def rates(self, times: Array, states: Array) -> Array:
        """Return by time the largest real part of the eigenvalues of the Jacobian, 1/s, (P,)."""
        return np.array([self._rate(t, x) for t, x in zip(times.tolist(), states, strict=True)])

    def _rate(self, t: float, x: Array) -> float:
        if not self._size:
            return -np.inf
        jacobian = self._equation.dense_jacobian(self._values(np.array(t), x))
        if not np.all(np.isfinite(jacobian)):
            return np.inf
        return float(np.max(np.linalg.eigvals(jacobian).real))

    def _values(self, times: Array, states: Array) -> dict[str, Array]:
        late = np.broadcast_to(self._late, (*states.shape[:-1], self._late.size))
        u = input_values(self._inputs, times, self._operators.input_size)
        return self._operators.evaluate(np.concatenate([states, late], axis=-1), u)

    def _sums(self, operator: Operator, values: dict[str, Array], sums: dict[str, Array]) -> Array:
        """Return the sum of the sizes of each element's slopes by the states, (P, size)."""
        driven = self._operators.driven
        if isinstance(operator, Input | Quantise):
            return np.zeros_like(values[operator.name])
        if isinstance(operator, Hadamard):
            left, right = (np.abs(driven(values, operator, port)) for port in operator.ports)
            by_left, by_right = (driven(sums, operator, port) for port in operator.ports)
            result: Array = right * by_left + left * by_right
            return result
        into: Array = driven(sums, operator)
        if isinstance(operator, Affine):
            return self._sizes[operator.name].apply(into)
        if isinstance(operator, Activate):
            at = driven(values, operator)
            if isinstance(operator.function, Softmax):
                jacobian = np.abs(operator.function.jacobian(at))
                shared: Array = np.matmul(jacobian, into[..., np.newaxis])[..., 0]
                return shared
            slope: Array = np.abs(np.broadcast_to(operator.function.derivative(at), at.shape))
            return slope * into
        return into

    @cached_property
    def _sizes(self) -> dict[str, Weights]:
        affines = (op for op in self._operators.graph.operators if isinstance(op, Affine))
        return {op.name: op.weights.sizes() for op in affines}
