"""Weights as a sparse matrix."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import scipy.sparse as sp

from ...values.arrays import Array, SparseArray, freeze_sparse
from .base import Weights


@dataclass(frozen=True, kw_only=True, eq=False)
class Sparse(Weights):
    """W without its zeros. `values`: (outputs, inputs), scipy.sparse. Raises InputError for what is not finite."""

    values: SparseArray
    form: ClassVar[str] = "sparse"

    def __post_init__(self) -> None:
        object.__setattr__(self, "values", freeze_sparse(self.values, "Sparse.values"))

    @property
    def output_size(self) -> int:
        return int(self.values.shape[0])

    @property
    def input_size(self) -> int:
        return int(self.values.shape[1])

    @property
    def sparse(self) -> SparseArray:
        return self.values

    def apply(self, x: Array) -> Array:
        if x.size == x.shape[-1]:  # one vector: the product of a matrix of one column is slower
            one: Array = np.asarray(self.values @ x.reshape(-1))
            return one.reshape(*x.shape[:-1], self.output_size)
        columns: Array = np.ascontiguousarray(x.reshape(-1, x.shape[-1]).T)
        flat: Array = np.asarray(self.values @ columns).T
        return flat.reshape(*x.shape[:-1], self.output_size)

    def scale(self, factor: float, *, inputs: float = 1.0) -> Sparse:
        return Sparse(values=self.values * factor)

    def with_values(self, values: Array) -> Sparse:
        parts = (values, self.values.indices, self.values.indptr)
        return Sparse(values=sp.csr_array(parts, shape=self.values.shape))

    def transpose(self) -> Sparse:
        return Sparse(values=sp.csr_array(self.values.T))

    def content(self) -> Any:
        places = {"indptr": self.values.indptr.tolist(), "indices": self.values.indices.tolist()}
        return {"shape": list(self.values.shape), **places, "data": self.values.data.tolist()}

    def _parts(self) -> tuple[Any, ...]:
        return self.values.shape, self.values.indptr, self.values.indices, self.values.data
