"""C dx/dt = -x/R + i, the equation of the Leaks: its right-hand side, its Jacobian and its rates."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import scipy.sparse as sp

from ..graph import Graph, Leak
from ..values.arrays import Array
from .evaluate import Evaluator, Matrix, Rows, Values, join_equal, rows_of, scale_rows


class LeakEquation:
    """The Leaks of a graph, whose states come first among those of an evaluator, one after the other, x[..., n].

    `rates`: by Leak, 1/C and 1/(R C), (n,), or one row a draw where draws differ.
    """

    def __init__(self, operators: Evaluator, draws: Sequence[Graph]) -> None:
        graph = draws[0]
        self.leaks = graph.of_type(Leak)
        self.size = sum(leak.output_size for leak in self.leaks)
        self.rates = {leak.name: _rates(leak, draws) for leak in self.leaks}
        self._operators = operators
        self._terms = [
            (leak, operators.slices[leak.name], inverse_c, -rate, bool(graph.drivers(leak)))
            for leak, (inverse_c, rate) in zip(self.leaks, self.rates.values(), strict=True)
        ]

    def slopes(
        self,
        values: Values,
        rows: Rows = slice(None),
        *,
        current: Callable[[Leak], Array] | None = None,
        out: Array | None = None,
    ) -> Array:
        """Return dx/dt = i / C - x / (R C), (..., size), from the values of the operators.

        `rows`: which draws these are. `current`: i, where it is not the sum of the values of what drives a Leak.
        """
        driven = current or (lambda leak: self._operators.driven(values, leak))
        shape = values[self.leaks[0].name].shape[:-1] if self.leaks else _shape(values)
        result = np.empty((*shape, self.size)) if out is None else out
        for leak, part, inverse_c, decay, has_drivers in self._terms:
            target = result[..., part]
            np.multiply(values[leak.name], rows_of(decay, rows), out=target)
            if has_drivers:
                target += driven(leak) * rows_of(inverse_c, rows)
        return result

    def jacobian(self, values: Values) -> Matrix:
        """Return d(dx/dt)/d(states of the evaluator), (size, states), at one point; sparse where a weight is."""
        slopes = self._operators.slopes(values)
        parts = []
        for leak, _, inverse_c, decay, has_drivers in self._terms:
            total = scale_rows(decay, slopes[leak.name])
            if has_drivers:
                total = total + scale_rows(inverse_c, self._operators.driven(slopes, leak))
            parts.append(total)
        return sp.vstack(parts, format="csr") if self._operators.is_sparse else np.vstack(parts)

    def dense_jacobian(self, values: Values) -> Array:
        """Return d(dx/dt)/dx, (size, size), at one point; all other states are held."""
        if not self.leaks:
            return np.zeros((0, 0))
        matrix = self.jacobian(values)
        dense: Array = matrix if isinstance(matrix, np.ndarray) else matrix.toarray()
        return dense[:, : self.size]

    def reach(self, slope: Array) -> float:
        """Return the furthest that a slope, (..., size), brings a state within its time constant, volts."""
        found = [0.0]
        for leak in self.leaks:
            rate = self.rates[leak.name][1]
            part = np.abs(slope[..., self._operators.slices[leak.name]])
            found.append(float(np.max(part / np.where(rate > 0.0, rate, np.inf))))
        return max(found)

    @property
    def fastest(self) -> float:
        """The largest 1/(R C), per second; 0 where nothing leaks."""
        return max((float(np.max(rate)) for _, rate in self.rates.values()), default=0.0)


def _rates(leak: Leak, draws: Sequence[Graph]) -> tuple[Array, Array]:
    same = [op for draw in draws if isinstance(op := draw.by_name[leak.name], Leak)]
    rates = [1.0 / (op.resistance * op.capacitance) for op in same]
    return join_equal([1.0 / op.capacitance for op in same]), join_equal(rates)


def _shape(values: Values) -> tuple[int, ...]:
    return next((value.shape[:-1] for value in values.values()), ())
