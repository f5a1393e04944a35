"""Weights as a dense matrix."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar

import numpy as np
import scipy.sparse as sp

from ...values.arrays import Array, SparseArray, freeze, freeze_sparse
from ...values.errors import InputError
from .base import Entries, Weights


@dataclass(frozen=True, kw_only=True, eq=False)
class Dense(Weights):
    """W with all its zeros. `values`: (outputs, inputs). Raises InputError for what is not a finite matrix."""

    values: Array
    form: ClassVar[str] = "dense"
    is_sparse: ClassVar[bool] = False

    def __post_init__(self) -> None:
        values = freeze(self.values, "Dense.values")
        if values.ndim != 2:
            raise InputError(f"`Dense.values` has shape {values.shape}: must be a matrix (to, from)")
        object.__setattr__(self, "values", values)

    @property
    def output_size(self) -> int:
        return int(self.values.shape[0])

    @property
    def input_size(self) -> int:
        return int(self.values.shape[1])

    @property
    def matrix(self) -> Array:
        return self.values

    @cached_property
    def sparse(self) -> SparseArray:
        values, rows, columns = self.entries()
        return freeze_sparse(sp.coo_array((values, (rows, columns)), shape=self.values.shape), "Dense.values")

    @property
    def compact(self) -> Any:
        return self.values

    def apply(self, x: Array) -> Array:
        product: Array = x @ self.values.T
        return product

    def scale(self, factor: float, *, inputs: float = 1.0) -> Dense:
        return Dense(values=self.values * factor)

    def with_values(self, values: Array) -> Dense:
        _, rows, columns = self.entries()
        matrix = np.zeros_like(self.values)
        matrix[rows, columns] = values
        return Dense(values=matrix)

    def transpose(self) -> Dense:
        return Dense(values=self.values.T)

    def entries(self) -> Entries:
        rows, columns = np.nonzero(self.values)
        return Entries(self.values[rows, columns], rows, columns)

    def content(self) -> Any:
        return self.values.tolist()

    def _parts(self) -> tuple[Any, ...]:
        return (self.values,)
