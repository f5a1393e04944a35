"""Arrays frozen at the door: copied, cast to float64, checked, read-only."""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp

from .errors import InputError

Array: TypeAlias = npt.NDArray[np.float64]
Sparse: TypeAlias = "sp.csr_array[np.float64, tuple[int, int]]"


def frozen(value: Any, name: str, *, shape: tuple[int, ...] | None = None, allow_inf: bool = False) -> Array:
    """Return a read-only float64 copy of `value`.

    A scalar is broadcast to `shape` where one is given.
    Raises InputError for what is not numeric, for another shape, and for NaN (and infinity unless `allow_inf`).
    """
    array = np.array(checked(value, name, shape=shape, allow_inf=allow_inf))
    array.flags.writeable = False
    return array


def checked(value: Any, name: str, *, shape: tuple[int, ...] | None = None, allow_inf: bool = False) -> Array:
    """Return `value` as float64, copied where it has to be; otherwise as `frozen`."""
    if sp.issparse(value):
        raise InputError(f"`{name}` is a sparse matrix: must be a dense one here; give its `toarray()`")
    try:
        if np.iscomplexobj(value):
            raise TypeError("complex numbers")
        if np.ma.is_masked(value):
            raise TypeError("masked values")
        array = np.asarray(value, dtype=np.float64)
    except (TypeError, ValueError, OverflowError) as error:
        raise InputError(f"`{name}` = {value!r:.80}: must be real numbers in a rectangular array ({error})") from None
    if shape is not None and array.shape != shape:
        if array.ndim != 0:
            raise InputError(f"`{name}` has shape {array.shape}: must have shape {shape}")
        array = np.full(shape, float(array))
    bad = np.isnan(array) if allow_inf else ~np.isfinite(array)
    if bad.any():
        raise InputError(f"`{_first(name, bad)} = {array[bad].flat[0]}`: must be {_allowed(allow_inf)}")
    return array


def frozen_sparse(value: Any, name: str) -> Sparse:
    """Return a read-only float64 CSR copy of a sparse matrix: duplicates summed, zeros removed, indices sorted.

    Raises InputError for complex numbers, NaN or infinite values, and for what is not two-dimensional.
    """
    if np.iscomplexobj(value.data) or value.ndim != 2:
        raise InputError(f"`{name}` is {value.ndim}-dimensional {value.dtype}: must be a real matrix")
    matrix: Sparse = sp.csr_array(value, dtype=np.float64, copy=True)
    matrix.sum_duplicates()
    bad = np.flatnonzero(~np.isfinite(matrix.data))
    if bad.size:
        row = int(np.searchsorted(matrix.indptr, bad[0], side="right")) - 1
        where = f"{name}[{row}, {int(matrix.indices[bad[0]])}] = {matrix.data[bad[0]]}"
        raise InputError(f"`{where}`: must be finite; replace missing or infinite values")
    matrix.eliminate_zeros()
    matrix.sort_indices()
    for part in (matrix.data, matrix.indices, matrix.indptr):
        part.flags.writeable = False
    return matrix


def positive(value: Any, name: str, *, shape: tuple[int, ...], unit: str, allow_inf: bool = False) -> Array:
    """Return `frozen(value)` after checking that every element is above zero. `unit`: "" for a plain number."""
    array = frozen(value, name, shape=shape, allow_inf=allow_inf)
    bad = array <= 0.0
    if bad.any():
        found = f"{array[bad].flat[0]} {unit}".rstrip()
        raise InputError(f"`{_first(name, bad)} = {found}`: must be positive")
    return array


def whole(value: Any, name: str, low: int, high: int, why: str = "") -> int:
    """Return a whole number from low to high, of Python or NumPy. Raises InputError for others; `why` ends it."""
    if isinstance(value, bool) or not isinstance(value, int | np.integer) or not low <= value <= high:
        raise InputError(f"`{name}` = {value!r:.40}: must be a whole number from {low} to {high}{why}")
    return int(value)


def _first(name: str, bad: npt.NDArray[np.bool_]) -> str:
    index = np.argwhere(bad)[0]
    return name if index.size == 0 else f"{name}[{', '.join(str(int(k)) for k in index)}]"


def _allowed(allow_inf: bool) -> str:
    return "a number (infinity allowed)" if allow_inf else "finite; replace missing or infinite values"
