"""What all forms of weights have in common."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any, ClassVar, NamedTuple

import numpy as np
import numpy.typing as npt

from ...values.arrays import Array, SparseArray
from ...values.brief import Brief

# W_ij and W_ji count as equal within this part of the largest weight.
SYMMETRY = 1e-12


class Entries(NamedTuple):
    """The weights that are not zero, by row, then column: W[rows[k], columns[k]] = values[k]."""

    values: Array
    rows: npt.NDArray[np.signedinteger]
    columns: npt.NDArray[np.signedinteger]


class Weights(Brief, ABC):
    """A map W x + c of vectors x, (..., inputs), to (..., outputs): W, and a constant c that only some forms have.

    `form`: its name in canonical text. `is_sparse`: whether it holds less than all of W, so that what is computed from
    it is sparse.
    """

    form: ClassVar[str]
    is_sparse: ClassVar[bool] = True

    @property
    @abstractmethod
    def output_size(self) -> int:
        """Rows of W."""

    @property
    @abstractmethod
    def input_size(self) -> int:
        """Columns of W."""

    @property
    @abstractmethod
    def sparse(self) -> SparseArray:
        """W in rows of what is not zero, (outputs, inputs)."""

    @property
    def matrix(self) -> Array:
        """W with its zeros, (outputs, inputs)."""
        return self.sparse.toarray()

    @property
    def compact(self) -> Any:
        """W as a matrix to multiply others by: `sparse`, or `matrix` where nothing less is held."""
        return self.sparse

    @property
    def constant(self) -> Array:
        """c, what is added whatever x is, (outputs,): 0 but for a fixed edge."""
        return np.zeros(self.output_size)

    @abstractmethod
    def apply(self, x: Array) -> Array:
        """Return W x, (..., outputs), of x, (..., inputs), without the constant."""

    @abstractmethod
    def scale(self, factor: float, *, inputs: float = 1.0) -> Weights:
        """Return the weights times a factor, for an x that is `inputs` times as large: c is that much larger too."""

    @abstractmethod
    def with_values(self, values: Array) -> Weights:
        """Return other values at the places of `entries`, in their order, without the constant."""

    @abstractmethod
    def transpose(self) -> Weights:
        """Return W^T; the constant, which belongs to W, is left out."""

    @abstractmethod
    def content(self) -> Any:
        """Return what canonical text holds of it, JSON-able."""

    @abstractmethod
    def _parts(self) -> tuple[Any, ...]:
        """Return what must be equal for two weights of one form to be the same."""

    def entries(self) -> Entries:
        """Return the weights that are not zero."""
        coo = self.sparse.tocoo()
        return Entries(coo.data, coo.coords[0], coo.coords[1])

    def diagonal(self) -> Array | None:
        """Return d where W is diag(d), (n,); None where it is not."""
        values, rows, columns = self.entries()
        if self.output_size != self.input_size or not np.array_equal(rows, columns):
            return None
        found = np.zeros(self.output_size)
        found[rows] = values
        return found

    @property
    def is_symmetric(self) -> bool:
        """Whether W_ij = W_ji to rounding (1e-12 of the largest weight)."""
        if self.output_size != self.input_size:
            return False
        matrix = self.compact
        return bool(abs(matrix - matrix.T).max() <= SYMMETRY * abs(matrix).max())

    def scale_rows(self, factors: Array) -> Weights:
        """Return diag(factors) W, without the constant."""
        values, rows, _ = self.entries()
        return self.with_values(values * factors[rows])

    def sizes(self) -> Weights:
        """Return |W_ij|, without the constant."""
        return self.with_values(np.abs(self.entries().values))

    def is_same(self, other: Weights) -> bool:
        """Whether other weights have the same form and the same values."""
        if self is other:
            return True
        return type(self) is type(other) and all(map(np.array_equal, self._parts(), other._parts()))
