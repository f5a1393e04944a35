"""The operators of a graph, evaluated: their values from those of the states and inputs, and their slopes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import cached_property, lru_cache
from operator import itemgetter
from typing import Any, TypeAlias

import numpy as np
import scipy.sparse as sp

from ..functions import Function, Softmax, stack
from ..graph import Activate, Affine, Graph, Hadamard, Hold, Input, Leak, Operator, Output, Quantise, Sign
from ..graph.weights import Weights, stack_matrices
from ..values.arrays import Array
from ..values.errors import InputError

Rows: TypeAlias = Any  # slice(None), or an index array that says which draws the rows of x are
Matrix: TypeAlias = Any  # dense or sparse, (size, states)
Values: TypeAlias = dict[str, Array]
# What gives the value of an operator: (values of others, inputs, rows) -> its own.
Formula: TypeAlias = Callable[[Values, Array, Rows], Array]


class Evaluator:
    """A graph whose states are its Leaks, or its Holds, one after the other, x[..., n]; for one state or many at once.

    What Delays, or other operators, give is a state too, where `states` has them. `draws` graphs of the same form
    (other values) have rows with their own parameters. Inputs are u[..., m].

    Raises InputError for draws that differ in form.
    """

    def __init__(self, draws: Sequence[Graph], states: Sequence[Operator]) -> None:
        self.graph = draws[0]
        self.states = tuple(states)
        self.slices, self.size = _slices(self.states)
        self._input_slices, self.input_size = _slices(self.graph.of_type(Input))
        self.initial = self._initial(draws)
        self.held = {op.name: OperatorValues(draws, op.name) for op in self.graph.operators}
        self._stateless = tuple(op for op in self.graph.order if not op.holds_state)
        self._formulas = {op.name: self._formula(op) for op in self._stateless}
        self.before_states = self.ancestors(self.states)
        outputs = self.graph.of_type(Output)
        self.before_outputs = self.ancestors(outputs) | {output.name for output in outputs}

    def evaluate(
        self,
        x: Array,
        u: Array,
        rows: Rows = slice(None),
        needed: frozenset[str] | None = None,
        known: Values | None = None,
    ) -> Values:
        """Return the value of each operator by name; of those `needed` alone where it is given, and those `known`."""
        values = {name: x[..., part] for name, part in self.slices.items()} | (known or {})
        wanted = (op for op in self._stateless if op.name not in values and (needed is None or op.name in needed))
        self.fill(values, wanted, u, rows)
        return values

    def fill(self, values: Values, operators: Iterable[Operator], u: Array, rows: Rows = slice(None)) -> None:
        """Add the values of operators, each after what drives it."""
        for operator in operators:
            values[operator.name] = self._formulas[operator.name](values, u, rows)

    def _formula(self, operator: Operator) -> Formula:
        """Return what gives the value of an operator, from those of its drivers: chosen once, as it is asked often."""
        name, ports = operator.name, operator.ports
        if isinstance(operator, Input):
            part = self._input_slices[name]
            return lambda values, u, rows: u[..., part]
        if isinstance(operator, Hadamard):
            left, right = (self._sum(operator, port) for port in ports)
            return lambda values, u, rows: left(values) * right(values)
        if isinstance(operator, Sign):
            drive, tie = (self._sum(operator, port) for port in ports)
            return lambda values, u, rows: operator.value(drive(values), tie(values))
        driven, value = self._sum(operator), self.held[name].formula(operator)
        return lambda values, u, rows: value(driven(values), rows)

    def _sum(self, operator: Operator, port: str = "in") -> Callable[[Values], Array]:
        names = [driver.name for driver in self.graph.drivers(operator, port)]
        return itemgetter(names[0]) if len(names) == 1 else lambda values: self.driven(values, operator, port)

    def driven(self, values: dict[str, Any], operator: Operator, port: str = "in") -> Any:
        """Return the sum of what drives a port; the values may be slopes as well."""
        first, *others = self.graph.drivers(operator, port)
        total = values[first.name]
        for driver in others:
            total = total + values[driver.name]
        return total

    def outputs(self, values: Values) -> Array:
        """Return what the Outputs give, one after the other, (..., outputs)."""
        given = [values[op.name] for op in self.graph.of_type(Output)]
        return np.concatenate(given, axis=-1) if given else np.zeros((*self._shape(values), 0))

    def slopes(self, values: Values) -> dict[str, Matrix]:
        """Return the slope of each operator by the states, (operator, states), of one state; all in one form."""
        found = dict(self._constant_slopes)
        for operator in self._stateless:
            if operator.name not in found:
                found[operator.name] = self._formed(self._slope(operator, values, found))
        return found

    @cached_property
    def _constant_slopes(self) -> dict[str, Matrix]:
        """The slopes that are the same at all states: those of the states, and what Affines alone make of them."""
        found: dict[str, Matrix] = {}
        for state in self.states:
            rows = np.arange(self.size)[self.slices[state.name]]
            identity = sp.csr_array((np.ones(rows.size), (np.arange(rows.size), rows)), shape=(rows.size, self.size))
            found[state.name] = self._formed(identity)
        for operator in self._stateless:
            drivers = [driver.name for port in operator.ports for driver in self.graph.drivers(operator, port)]
            if isinstance(operator, Input | Quantise | Sign):
                found[operator.name] = self._formed(sp.csr_array((operator.output_size, self.size)))
            elif isinstance(operator, Affine) and all(name in found for name in drivers):
                found[operator.name] = self._formed(operator.weights.compact @ self.driven(found, operator))
        return found

    @cached_property
    def is_sparse(self) -> bool:
        """Whether some weights are sparse, so that slopes are."""
        return any(op.weights.is_sparse for op in self.graph.of_type(Affine))

    @property
    def has_corners(self) -> bool:
        """Whether some function has corners or jumps, over which an error estimate is blind."""
        jumps = any(isinstance(op, Quantise | Sign) for op in self.graph.operators)
        return jumps or any(op.function.has_corners for op in self.graph.of_type(Activate))

    def _slope(self, operator: Operator, values: Values, slopes: dict[str, Matrix]) -> Matrix:
        if isinstance(operator, Hadamard):
            left, right = (self.driven(values, operator, port) for port in operator.ports)
            left_slope, right_slope = (self.driven(slopes, operator, port) for port in operator.ports)
            return scale_rows(right, left_slope) + scale_rows(left, right_slope)
        at, slope = self.driven(values, operator), self.driven(slopes, operator)
        if isinstance(operator, Affine):
            matrix: Matrix = operator.weights.compact
            return matrix @ slope
        if isinstance(operator, Activate):
            function = operator.function
            if isinstance(function, Softmax):
                return function.jacobian(at) @ slope
            return scale_rows(np.broadcast_to(function.derivative(at), at.shape), slope)
        return slope

    def _formed(self, matrix: Matrix) -> Matrix:
        """Return a matrix in the form that all slopes have: sparse throughout, or dense throughout."""
        if self.is_sparse:
            return sp.csr_array(matrix)
        return matrix if isinstance(matrix, np.ndarray) else matrix.toarray()

    def _shape(self, values: Values) -> tuple[int, ...]:
        return next((value.shape[:-1] for value in values.values()), ())

    def _initial(self, draws: Sequence[Graph]) -> Array:
        form = [(op.kind, op.name, op.output_size) for op in draws[0].operators]
        for k, draw in enumerate(draws):
            if [(op.kind, op.name, op.output_size) for op in draw.operators] != form or draw.edges != draws[0].edges:
                raise InputError(f"draw {k}: has other operators, sizes or edges than draw 0; only values may differ")
        names = list(self.slices)
        rows = [np.concatenate([_start(draw.by_name[name]) for name in names] or [np.zeros(0)]) for draw in draws]
        return rows[0] if len(rows) == 1 else np.stack(rows)

    @cached_property
    def static(self) -> frozenset[str]:
        """The operators that depend on inputs alone."""
        found: set[str] = set()
        for operator in self._stateless:
            drivers = [driver.name for port in operator.ports for driver in self.graph.drivers(operator, port)]
            if all(name in found for name in drivers):
                found.add(operator.name)
        return frozenset(found)

    def ancestors(self, operators: Iterable[Operator]) -> frozenset[str]:
        """Return what some of the operators depend on without a state between."""
        found: set[str] = set()
        pending: list[Operator] = list(operators)
        while pending:
            operator = pending.pop()
            for port in operator.ports:
                for driver in self.graph.drivers(operator, port):
                    if driver.name not in found:
                        found.add(driver.name)
                        pending += [driver] if driver.name not in self.slices else []
        return frozenset(found)


class OperatorValues:
    """The values of one operator over the draws: one array where all draws agree, else one row a draw."""

    def __init__(self, draws: Sequence[Graph], name: str) -> None:
        operators = [draw.by_name[name] for draw in draws]
        self.functions: list[Function] = []
        self.function: Function | None = None
        self.weights: Weights | None = None
        self.matrices: Array | None = None  # by draw, of weights that differ
        if all(isinstance(op, Affine) for op in operators):
            affines = [op for op in operators if isinstance(op, Affine)]
            self.constant = join_equal([op.constant for op in affines])
            given = [op.weights for op in affines]
            if all(weights.is_same(given[0]) for weights in given):
                self.weights = given[0]
            else:
                self.matrices = stack_matrices(given)
            if self.weights is None and self.matrices is None:
                raise InputError(f"`{name}.weights` differ between draws: only dense weights may; run the draws singly")
        elif all(isinstance(op, Activate) for op in operators):
            self.functions = [op.function for op in operators if isinstance(op, Activate)]
            if all(function == self.functions[0] for function in self.functions):
                self.function = self.functions[0]
            self._stacked = lru_cache(maxsize=64)(self._stack)

        elif isinstance(operators[0], Quantise | Sign) and any(
            op.params() != operators[0].params() for op in operators
        ):
            raise InputError(f"`{name}`: its parameters differ between draws, and must be the same")

    def formula(self, operator: Operator) -> Callable[[Array, Rows], Array]:
        """Return what gives the operator's output from what drives it, for the rows given."""
        if isinstance(operator, Activate):
            alone = self.function
            return (lambda x, rows: alone.value(x)) if alone else lambda x, rows: self.function_of(rows).value(x)
        if isinstance(operator, Quantise):
            return lambda x, rows: operator.value(x)
        if not isinstance(operator, Affine):
            return lambda x, rows: x
        constant, matrices, weights = self.constant, self.matrices, self.weights
        if weights is None:
            assert matrices is not None
            by_draw = matrices
            return lambda x, rows: np.matmul(by_draw[rows], x[..., np.newaxis])[..., 0] + rows_of(constant, rows)
        apply = weights.apply
        if constant.ndim == 1:
            return lambda x, rows: apply(x) + constant
        return lambda x, rows: apply(x) + constant[rows]

    def function_of(self, rows: Rows) -> Function:
        """Return the function of the rows given."""
        if self.function is not None:
            return self.function
        indices = np.arange(len(self.functions))[rows]
        return self._stacked(tuple(indices.tolist()))

    def _stack(self, indices: tuple[int, ...]) -> Function:
        return stack([self.functions[k] for k in indices])


def join_equal(arrays: Sequence[Array]) -> Array:
    """Return one array where all are equal, else one row for each."""
    if all(np.array_equal(array, arrays[0]) for array in arrays):
        return arrays[0]
    return np.stack(arrays)


def rows_of(values: Array, rows: Rows) -> Array:
    """Return the rows of values that differ between draws, and values that do not as they are."""
    return values if values.ndim == 1 else values[rows]


def scale_rows(factors: Array, matrix: Matrix) -> Matrix:
    """Return diag(factors) @ matrix."""
    if isinstance(matrix, np.ndarray):
        return factors[:, np.newaxis] * matrix
    return matrix.multiply(factors[:, np.newaxis]).tocsr()


def _slices(operators: Sequence[Operator]) -> tuple[dict[str, slice], int]:
    ends = np.cumsum([0, *(operator.output_size for operator in operators)]).tolist()
    return {op.name: slice(a, b) for op, a, b in zip(operators, ends, ends[1:], strict=False)}, int(ends[-1])


def _start(operator: Operator) -> Array:
    return operator.initial if isinstance(operator, Leak | Hold) else np.zeros(operator.output_size)
