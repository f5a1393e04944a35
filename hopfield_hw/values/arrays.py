"""Arrays frozen at the door: copied, cast to float64, checked, read-only."""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp

from .errors import InputError
from .labels import Table, as_table
from .si_text import UNITS, parse_si, unit_of

Array: TypeAlias = npt.NDArray[np.float64]
SparseArray: TypeAlias = "sp.csr_array[np.float64, tuple[int, int]]"

# Of the largest element of a matrix: what rounding may add to one half of a symmetric one, or take from an eigenvalue.
ROUNDED = 1e-12


def freeze(
    value: Any, name: str, *, shape: tuple[int, ...] | None = None, allow_inf: bool = False, unit: str | None = None
) -> Array:
    """Return a read-only float64 copy of `value`, or `value` itself where it is read-only and owns its numbers.

    A scalar is broadcast to `shape` where one is given. With a `unit` (a key of `units.UNITS`; "" for a plain number)
    texts such as "10k" or "4.7nF" are taken, and values of PySpice, in arrays and lists too.
    Raises InputError for what is not numeric, for another unit, for another shape, and for NaN (and infinity unless
    `allow_inf`); with a unit also for tables with names, as nothing here matches them.
    """
    array = check_array(value, name, shape=shape, allow_inf=allow_inf, unit=unit)
    if array is not value or array.base is not None or array.flags.writeable:
        array = np.array(array)
        array.flags.writeable = False
    return array


def check_array(
    value: Any, name: str, *, shape: tuple[int, ...] | None = None, allow_inf: bool = False, unit: str | None = None
) -> Array:
    """Return `value` as float64, copied where it has to be; otherwise as `freeze` does."""
    array = _numbers(value, name, unit)
    if shape is not None and array.shape != shape:
        if array.ndim != 0:
            raise InputError(f"`{name}` has shape {array.shape}: must have shape {shape}")
        array = np.full(shape, float(array))
    bad = np.isnan(array) if allow_inf else ~np.isfinite(array)
    if bad.any():
        raise InputError(f"`{_first(name, bad)} = {array[bad].flat[0]}`: must be {_range_text(allow_inf)}")
    return array


def freeze_sparse(value: Any, name: str) -> SparseArray:
    """Return a read-only float64 CSR copy of a sparse matrix: duplicates summed, zeros removed, indices sorted.

    Raises InputError for complex numbers, NaN or infinite values, and for what is not two-dimensional.
    """
    if np.iscomplexobj(value.data) or value.ndim != 2:
        raise InputError(f"`{name}` is {value.ndim}-dimensional {value.dtype}: must be a real matrix")
    matrix: SparseArray = sp.csr_array(value, dtype=np.float64, copy=True)
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


def _numbers(value: Any, name: str, unit: str | None) -> Array:
    if isinstance(value, np.ndarray) and value.dtype == np.float64 and not isinstance(value, np.ma.MaskedArray):
        return np.asarray(value)
    if sp.issparse(value):
        raise InputError(f"`{name}` is a sparse matrix: must be a dense one here; give its `toarray()`")
    table = as_table(value)
    if table is not None:
        return _of_table(table, name, unit)
    if hasattr(value, "magnitude") and hasattr(value, "units"):
        raise InputError(f"`{name}` = {value!s:.80}: has units of another package; give its number in SI units")
    try:
        if np.ma.is_masked(value):
            raise TypeError("masked values")
        found = np.asarray(value)
        if found.dtype.kind in "iuf" and not _holds_bool(value):
            return np.asarray(found, dtype=np.float64)
        if found.dtype.kind not in "iufOU":
            raise TypeError(KINDS.get(found.dtype.kind, f"type {found.dtype}"))
        each = np.asarray(value, dtype=object)
        numbers = [_number(one, name, unit) for one in each.reshape(-1).tolist()]
    except (TypeError, ValueError, OverflowError) as error:
        if isinstance(error, InputError):
            raise
        raise InputError(f"`{name}` = {value!r:.80}: must be real numbers in a rectangular array ({error})") from None
    return np.array(numbers, dtype=np.float64).reshape(each.shape)


# What NumPy would cast to numbers in silence, or not at all, by the kind of its type.
KINDS = {"b": "true and false", "c": "complex numbers", "m": "times", "M": "times", "S": "bytes", "V": "records"}


def _number(value: Any, name: str, unit: str | None) -> float:
    """Return one number: a text with a unit, a value of PySpice, or what Python takes for a real number."""
    if isinstance(value, bool | np.bool_):
        raise TypeError(KINDS["b"])
    if isinstance(value, str):
        if unit is None:
            raise TypeError("text")
        return parse_si(value, name, unit)
    suffix = getattr(getattr(value, "unit", None), "unit_suffix", None)
    if unit is not None and isinstance(suffix, str) and (unit_of(suffix) or suffix) != unit:
        return parse_si(f"{float(value)!r} {suffix}", name, unit)  # says which unit is meant
    if isinstance(value, complex | np.complexfloating):
        raise TypeError(KINDS["c"])
    return float(value)


def _holds_bool(value: Any) -> bool:
    """Whether nested lists hold a bool among numbers."""
    if isinstance(value, list | tuple):
        return any(type(one) is bool or _holds_bool(one) for one in value)
    return isinstance(value, bool)


def _of_table(table: Table, name: str, unit: str | None) -> Array:
    if table.named and unit is not None:
        names = ", ".join(next(axis for axis in table.axes if axis is not None)[:5])
        raise InputError(
            f"`{name}` is a table with names ({names:.80}), which are not looked at here; give its values alone, in "
            "the order that is meant: .to_numpy()"
        )
    values = _numbers(table.values, name, unit)
    return values * parse_si(f"1 {table.units}", name, unit) if unit and table.units else values


def positive(value: Any, name: str, *, shape: tuple[int, ...], unit: str, allow_inf: bool = False) -> Array:
    """Return `freeze(value)` after checking that every element is above zero. `unit`: "" for a plain number."""
    array = freeze(value, name, shape=shape, allow_inf=allow_inf, unit=unit if unit in UNITS else None)
    bad = array <= 0.0
    if bad.any():
        found = f"{array[bad].flat[0]} {unit}".rstrip()
        raise InputError(f"`{_first(name, bad)} = {found}`: must be positive")
    return array


def is_whole(value: Any) -> bool:
    """Whether a value is a whole number of Python or NumPy: no bool, and no time, which NumPy counts among them."""
    return isinstance(value, int | np.integer) and not isinstance(value, bool | np.timedelta64)


def whole(value: Any, name: str, low: int, high: int, why: str = "") -> int:
    """Return a whole number from low to high, of Python or NumPy. Raises InputError for others; `why` ends it."""
    if not is_whole(value) or not low <= value <= high:
        raise InputError(f"`{name}` = {value!r:.40}: must be a whole number from {low} to {high}{why}")
    return int(value)


def first_asymmetry(matrix: Array | SparseArray, rounding: float = 0.0) -> tuple[int, int] | None:
    """Return the first (i, j), i < j, row by row, with M_ij and M_ji apart by more than `rounding` of the largest |M|.

    None where a square matrix, dense or sparse, is symmetric.
    """
    given: Any = matrix
    apart = sp.coo_array(abs(given - given.T))
    over = apart.data > rounding * (abs(given).max() if apart.nnz else 0.0)
    pairs = zip(*(axis[over].tolist() for axis in apart.coords), strict=True)
    return min(((i, j) for i, j in pairs if i < j), default=None)


def first_crossed(lower: Array, upper: Array) -> int | None:
    """Return the first k without a finite number from lower[k] to upper[k], (n,) each; None where all have one."""
    crossed = ~(lower <= upper) | (lower == np.inf) | (upper == -np.inf)
    return int(np.argmax(crossed)) if crossed.any() else None


def _first(name: str, bad: npt.NDArray[np.bool_]) -> str:
    index = np.argwhere(bad)[0]
    return name if index.size == 0 else f"{name}[{', '.join(str(int(k)) for k in index)}]"


def _range_text(allow_inf: bool) -> str:
    return "a number (infinity allowed)" if allow_inf else "finite; replace missing or infinite values"


def dense(matrix: Any) -> Array:
    """Return a matrix as an array, where it is sparse too."""
    found: Any = matrix
    return np.asarray(found.toarray() if sp.issparse(matrix) else matrix)
