"""The forms that weights have: what a user gives becomes one of them, and so does canonical text."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any

import numpy as np
import scipy.sparse as sp

from ...values.arrays import Array, check_array, freeze_sparse
from ...values.errors import InputError
from ...values.labels import as_table
from .base import Weights
from .dense import Dense
from .sparse import Sparse
from .stencil import Stencil


def freeze_weights(value: Any, name: str) -> Weights:
    """Return weights as one of the forms: those of an array, of a scipy.sparse array or matrix, or as they are.

    Raises InputError, with `name`, for what is not a finite real matrix, and for tables with names.
    """
    if isinstance(value, Weights):
        return value
    if sp.issparse(value):
        return Sparse(values=freeze_sparse(value, name))
    table = as_table(value)
    if table is not None and table.named:
        raise InputError(
            f"`{name}` is a table with names, which are not looked at here; give .to_numpy() of it, with rows and "
            "columns in the order of the elements (a Network matches tables by their names)"
        )
    matrix = check_array(value, name)
    if matrix.ndim != 2:
        raise InputError(f"`{name}` has shape {matrix.shape}: must be a matrix (to, from)")
    return Dense(values=matrix)


def diagonal_weights(values: Array, *, is_sparse: bool = True) -> Weights:
    """Return diag(values), of (n,)."""
    return Sparse(values=sp.diags_array(values, format="csr")) if is_sparse else Dense(values=np.diag(values))


def stack_matrices(draws: Sequence[Weights]) -> Array | None:
    """Return the matrices of weights side by side, (draws, outputs, inputs); None where some are sparse."""
    if any(weights.is_sparse for weights in draws):
        return None
    return np.stack([weights.matrix for weights in draws])


def _read_sparse(content: Any) -> Any:
    arrays = (np.array(content["data"], dtype=np.float64), content["indices"], content["indptr"])
    return sp.csr_array(arrays, shape=tuple(content["shape"]))


def _read_stencil(content: Any) -> Stencil:
    return Stencil(**{**content, "shape": tuple(content["shape"])})


READERS: Mapping[str, Callable[[Any], Any]] = MappingProxyType(
    {
        Dense.form: lambda content: np.array(content, dtype=np.float64),
        Sparse.form: _read_sparse,
        Stencil.form: _read_stencil,
    }
)


def read_weights(value: Mapping[str, Any]) -> Any:
    """Return what `freeze_weights` takes, from {form: content} of canonical text. Raises KeyError for no form."""
    ((form, content),) = value.items()
    return READERS[form](content)
