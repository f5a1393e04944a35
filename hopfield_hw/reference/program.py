"""A graph as a right-hand side: dx/dt, its Jacobian and the outputs, from the equations of the operators."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any, NamedTuple, TypeAlias

import numpy as np
import scipy.sparse as sp

from ..arrays import Array
from ..errors import InputError
from ..functions import Clip, Softmax, Table, stack
from ..gain import Function, HardLimiter, PiecewiseLinear
from ..graph import Activate, Affine, Delay, Graph, Hadamard, Hold, Input, Leak, Operator, Output, Quantise
from ..graph.weights import Stencil, apply_weights, same_weights
from ..signals import Signal

Rows: TypeAlias = Any  # slice(None), or an index array that says which draws the rows of x are
Matrix: TypeAlias = Any  # dense or sparse, (size, states)


CORNERED = (PiecewiseLinear, HardLimiter, Table, Clip)


class _Crossbar(NamedTuple):
    """A Leak that one gain curve of one Leak drives through one dense matrix, the same for all draws.

    `matrix`: W^T over a row of the bias, both divided by C, so that one product gives all that flows in.
    """

    target: slice
    source: slice
    activate: str
    matrix: Array
    rate: Array | None  # None where it is 1

    def into(self, result: Array, x: Array, function: Function) -> None:
        """Write dx/dt, with as few passes over the rows as there can be."""
        driven = np.empty((*x.shape[:-1], self.matrix.shape[0]))
        driven[..., -1] = 1.0
        function.value(x[..., self.source], out=driven[..., :-1])
        target, state = result[..., self.target], x[..., self.target]
        np.matmul(driven, self.matrix, out=target)
        target -= state if self.rate is None else self.rate * state


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
                    f"{type(operator).__name__} {operator.name!r}: the reference runs graphs without Hold or Delay"
                )
        self.graph = graph
        self.inputs = inputs
        self.leaks = graph.of_type(Leak)
        ends = np.cumsum([0, *(leak.output_size for leak in self.leaks)]).tolist()
        self.slices = {leak.name: slice(a, b) for leak, a, b in zip(self.leaks, ends, ends[1:], strict=False)}
        self.size = int(ends[-1])
        sources = graph.of_type(Input)
        edges = np.cumsum([0, *(source.output_size for source in sources)]).tolist()
        self._input_slices = {s.name: slice(a, b) for s, a, b in zip(sources, edges, edges[1:], strict=False)}
        self.input_size = int(edges[-1])
        self.initial = self._stacked_states(draws)
        self._values = {op.name: _OperatorValues(draws, op.name) for op in graph.operators}
        self._stateless = tuple(op for op in graph.order if not op.holds_state)
        self._before_leaks = _ancestors(graph)
        self.rates = self._leak_rates(draws)
        found = [self._crossbar(leak) for leak in self.leaks]
        # The short way to dx/dt, where every Leak has it.
        self._crossbars = [crossbar for crossbar in found if crossbar is not None] if None not in found else []

    def rhs(self, t: Any, x: Array, rows: Rows = slice(None), out: Array | None = None) -> Array:
        """Return dx/dt, (..., states); t is one time, or one for each row of x."""
        result = np.empty_like(x) if out is None else out
        if self._crossbars:
            for crossbar in self._crossbars:
                crossbar.into(result, x, self._values[crossbar.activate].function_of(rows))
            return result
        values = self._evaluate(t, x, rows, needed=self._before_leaks)
        for leak in self.leaks:
            part = self.slices[leak.name]
            inverse_c, rate = (_rows(value, rows) for value in self.rates[leak.name])
            target = result[..., part]
            drivers = self.graph.drivers(leak)
            if drivers:
                np.multiply(self._sum(values, drivers), inverse_c, out=target)
                target -= rate * x[..., part]
            else:
                np.multiply(x[..., part], -rate, out=target)
        return result

    def batch_rhs(self, t: Array, x: Array, rows: Rows, out: Array) -> None:
        """Write dx/dt of the draws `rows` into `out`: the form that `batch_solver.integrate` takes."""
        self.rhs(t, x, rows, out)

    def outputs(self, t: Any, x: Array, rows: Rows = slice(None)) -> Array:
        """Return what the Outputs give, one after the other, (..., outputs)."""
        values = self._evaluate(t, x, rows, needed=None)
        given = [values[op.name] for op in self.graph.of_type(Output)]
        return np.concatenate(given, axis=-1) if given else np.zeros((*x.shape[:-1], 0))

    def jacobian(self, t: float, x: Array) -> Matrix:
        """Return d(dx/dt)/dx, (states, states), of one state; sparse where a weight is sparse or a Stencil."""
        values = self._evaluate(t, x, slice(None), needed=None)
        slopes: dict[str, Matrix] = {}
        for leak in self.leaks:
            rows = np.arange(self.size)[self.slices[leak.name]]
            identity = sp.csr_array((np.ones(rows.size), (np.arange(rows.size), rows)), shape=(rows.size, self.size))
            slopes[leak.name] = self._formed(identity)
        for operator in self._stateless:
            slopes[operator.name] = self._formed(self._slope(operator, values, slopes))
        parts = []
        for leak in self.leaks:
            inverse_c, rate = self.rates[leak.name]
            total = _scale_rows(-rate, slopes[leak.name])
            for driver in self.graph.drivers(leak):
                total = total + _scale_rows(inverse_c, slopes[driver.name])
            parts.append(total)
        return sp.vstack(parts, format="csr") if self._is_sparse else np.vstack(parts)

    def _evaluate(self, t: Any, x: Array, rows: Rows, needed: frozenset[str] | None) -> dict[str, Array]:
        values = {name: x[..., part] for name, part in self.slices.items()}
        for operator in self._stateless:
            if needed is not None and operator.name not in needed:
                continue
            stored = self._values[operator.name]
            if isinstance(operator, Input):
                values[operator.name] = self._signal(t, x)[..., self._input_slices[operator.name]]
            elif isinstance(operator, Hadamard):
                left, right = (self._sum(values, self.graph.drivers(operator, port)) for port in operator.ports)
                values[operator.name] = left * right
            else:
                driven = self._sum(values, self.graph.drivers(operator))
                values[operator.name] = stored.value(operator, driven, rows)
        return values

    def _sum(self, values: dict[str, Array], drivers: Sequence[Operator]) -> Array:
        total = values[drivers[0].name]
        for driver in drivers[1:]:
            total = total + values[driver.name]
        return total

    def _signal(self, t: Any, x: Array) -> Array:
        if self.inputs is None:
            return np.zeros((*x.shape[:-1], self.input_size))
        if np.ndim(t) == 0:
            return np.broadcast_to(self.inputs.at(float(t)), (*x.shape[:-1], self.input_size))
        if self.inputs.times.size == 1:
            return np.broadcast_to(self.inputs.values[0], (*x.shape[:-1], self.input_size))
        points = self.inputs
        return np.stack([np.interp(t, points.times, column) for column in points.values.T], axis=-1)

    def _slope(self, operator: Operator, values: dict[str, Array], slopes: dict[str, Matrix]) -> Matrix:
        def driven(port: str = "in") -> tuple[Array, Matrix]:
            drivers = self.graph.drivers(operator, port)
            total = slopes[drivers[0].name]
            for driver in drivers[1:]:
                total = total + slopes[driver.name]
            return self._sum(values, drivers), total

        if isinstance(operator, Input | Quantise):
            return sp.csr_array((operator.output_size, self.size))
        if isinstance(operator, Hadamard):
            (left, left_slope), (right, right_slope) = driven("left"), driven("right")
            return _scale_rows(right, left_slope) + _scale_rows(left, right_slope)
        at, slope = driven()
        if isinstance(operator, Affine):
            matrix: Matrix = _linear(operator)
            return matrix @ slope
        if isinstance(operator, Activate):
            function = operator.function
            if isinstance(function, Softmax):
                return function.jacobian(at) @ slope
            return _scale_rows(np.broadcast_to(function.derivative(at), at.shape), slope)
        return slope

    def _formed(self, matrix: Matrix) -> Matrix:
        """Return a matrix in the form of this program's Jacobian: sparse throughout, or dense throughout."""
        if self._is_sparse:
            return sp.csr_array(matrix)
        return matrix if isinstance(matrix, np.ndarray) else matrix.toarray()

    @property
    def shortest_time(self) -> float:
        """The smallest R C, seconds; infinite where nothing leaks."""
        rates = [float(np.max(rate)) for _, rate in self.rates.values()]
        return 1.0 / max(rates) if rates and max(rates) > 0.0 else np.inf

    @property
    def has_corners(self) -> bool:
        """Whether some function has corners or jumps, over which an error estimate is blind."""
        functions = [op.function for op in self.graph.of_type(Activate)]
        return any(isinstance(f, CORNERED) for f in functions) or bool(self.graph.of_type(Quantise))

    @property
    def _is_sparse(self) -> bool:
        return any(not isinstance(op.weights, np.ndarray) for op in self.graph.of_type(Affine))

    def _stacked_states(self, draws: Sequence[Graph]) -> Array:
        form = [(op.kind, op.name, op.output_size) for op in draws[0].operators]
        for k, draw in enumerate(draws):
            if [(op.kind, op.name, op.output_size) for op in draw.operators] != form or draw.edges != draws[0].edges:
                raise InputError(f"draw {k}: has other operators, sizes or edges than draw 0; only values may differ")
        rows = [np.concatenate([leak.initial for leak in d.of_type(Leak)] or [np.zeros(0)]) for d in draws]
        return rows[0] if len(rows) == 1 else np.stack(rows)

    def _leak_rates(self, draws: Sequence[Graph]) -> dict[str, tuple[Array, Array]]:
        rates = {}
        for leak in self.leaks:
            same = [draw.by_name[leak.name] for draw in draws]
            inverse_c = [1.0 / op.capacitance for op in same if isinstance(op, Leak)]
            rate = [1.0 / (op.resistance * op.capacitance) for op in same if isinstance(op, Leak)]
            rates[leak.name] = (_joined(inverse_c), _joined(rate))
        return rates

    def _crossbar(self, leak: Leak) -> _Crossbar | None:
        drivers = self.graph.drivers(leak)
        if len(drivers) != 1 or not isinstance(affine := drivers[0], Affine):
            return None
        sources = self.graph.drivers(affine)
        if len(sources) != 1 or not isinstance(activate := sources[0], Activate):
            return None
        states = self.graph.drivers(activate)
        weights, offset = self._values[affine.name].weights, self._values[affine.name].offset
        inverse_c, rate = self.rates[leak.name]
        shared = isinstance(weights, np.ndarray) and weights.ndim == 2
        alike = offset.ndim == inverse_c.ndim == rate.ndim == 1
        if not shared or not alike or len(states) != 1 or states[0] not in self.leaks:
            return None
        matrix = np.vstack([weights.T, offset]) * inverse_c
        source = self.slices[states[0].name]
        return _Crossbar(self.slices[leak.name], source, activate.name, matrix, None if np.all(rate == 1.0) else rate)


class _OperatorValues:
    """The values of one operator over the draws: one array where all draws agree, else one row a draw."""

    def __init__(self, draws: Sequence[Graph], name: str) -> None:
        operators = [draw.by_name[name] for draw in draws]
        self.functions: list[Function] = []
        self.function: Function | None = None
        self.weights: Any = None
        if all(isinstance(op, Affine) for op in operators):
            affines = [op for op in operators if isinstance(op, Affine)]
            self.offset = _joined([op.offset for op in affines])
            first = affines[0].weights
            dense = [op.weights for op in affines if isinstance(op.weights, np.ndarray)]
            if all(same_weights(op.weights, first) for op in affines):
                self.weights = first
            elif len(dense) == len(affines):
                self.weights = np.stack(dense)
            else:
                raise InputError(f"`{name}.weights` differ between draws: only dense weights may; run the draws singly")
        elif all(isinstance(op, Activate) for op in operators):
            self.functions = [op.function for op in operators if isinstance(op, Activate)]
            if all(function == self.functions[0] for function in self.functions):
                self.function = self.functions[0]
            self._stacked = lru_cache(maxsize=64)(self._stack)

        elif operators[0].kind == "quantise" and any(op.params() != operators[0].params() for op in operators):
            raise InputError(f"`{name}`: its levels or range differ between draws, and must be the same")

    def value(self, operator: Operator, x: Array, rows: Rows) -> Array:
        """Return the operator's output for the rows given."""
        if isinstance(operator, Affine):
            return self._affine(x, rows)
        if isinstance(operator, Activate):
            return self.function_of(rows).value(x)
        return operator.value(x) if isinstance(operator, Quantise) else x

    def _affine(self, x: Array, rows: Rows) -> Array:
        if isinstance(self.weights, np.ndarray) and self.weights.ndim == 3:
            product: Array = np.matmul(self.weights[rows], x[..., np.newaxis])[..., 0]
        else:
            product = apply_weights(self.weights, x)
        product += _rows(self.offset, rows)
        return product

    def function_of(self, rows: Rows) -> Function:
        """Return the function of the rows given."""
        if self.function is not None:
            return self.function
        indices = np.arange(len(self.functions))[rows]
        return self._stacked(tuple(indices.tolist()))

    def _stack(self, indices: tuple[int, ...]) -> Function:
        return stack([self.functions[k] for k in indices])


def _ancestors(graph: Graph) -> frozenset[str]:
    """Return the operators that some Leak depends on without another Leak between."""
    found: set[str] = set()
    pending: list[Operator] = list(graph.of_type(Leak))
    while pending:
        operator = pending.pop()
        for port in operator.ports:
            for driver in graph.drivers(operator, port):
                if driver.name not in found:
                    found.add(driver.name)
                    pending.append(driver)
    return frozenset(found)


def _linear(affine: Affine) -> Matrix:
    weights: Matrix = affine.weights
    return affine.weights.sparse() if isinstance(affine.weights, Stencil) else weights


def _joined(arrays: Sequence[Array]) -> Array:
    if all(np.array_equal(array, arrays[0]) for array in arrays):
        return arrays[0]
    return np.stack(arrays)


def _rows(values: Array, rows: Rows) -> Array:
    return values if values.ndim == 1 else values[rows]


def _scale_rows(factors: Array, matrix: Matrix) -> Matrix:
    if isinstance(matrix, np.ndarray):
        return factors[:, np.newaxis] * matrix
    return matrix.multiply(factors[:, np.newaxis]).tocsr()
