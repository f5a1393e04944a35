"""Weights of an Affine: a dense matrix, a sparse matrix, or a space-invariant stencil."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from types import MappingProxyType
from typing import Any, Literal, TypeAlias

import numpy as np
import scipy.sparse as sp

from ..values.arrays import Array, Sparse, frozen, frozen_sparse, is_whole
from ..values.brief import Brief
from ..values.errors import InputError
from ..values.labels import as_table
from .shifts import Fold, Shifts

Boundary: TypeAlias = Literal["zero", "fixed", "periodic", "zero_flux"]
BOUNDARIES: tuple[Boundary, ...] = ("zero", "fixed", "periodic", "zero_flux")


def _around(places: Any, side: int) -> Any:
    return places % side


def _nearest(places: Any, side: int) -> Any:
    return np.minimum(np.maximum(places, 0), side - 1)


# Which cell of the grid a place outside stands for, row by row and column by column; others have a constant outside.
FOLDS: Mapping[Boundary, Fold] = MappingProxyType({"periodic": _around, "zero_flux": _nearest})


def checked_template(value: Any, name: str) -> Array:
    """Return a template frozen at the door. Raises InputError for one of even size or not of two dimensions."""
    template = frozen(value, name)
    if template.ndim != 2 or any(side % 2 == 0 for side in template.shape):
        raise InputError(f"`{name}` has shape {template.shape}: both sides must be odd, as in 3 x 3")
    return template


def check_boundary(value: Any, name: str) -> None:
    """Refuse what is not the name of a boundary."""
    if not isinstance(value, str) or value not in BOUNDARIES:
        raise InputError(f"`{name}` = {value!r:.40}: must be one of {', '.join(BOUNDARIES)}")


@dataclass(frozen=True, kw_only=True, eq=False)
class Stencil(Brief):
    """A space-invariant linear map on a grid (cellular networks; Chua and Yang 1988, eq. 2).

    y[r, c] = sum over (p, q) of template[p + m, q + m'] x[r + p, c + q], rows first, flattened in C order.

    `template`: odd by odd. `shape`: (rows, columns) of the grid.
    `boundary`: what lies outside the grid: "zero", "fixed" (at `edge`), "periodic", or "zero_flux", where every place
    outside is a copy of the cell of the rim that is nearest to it (`np.pad(mode="edge")`; no reflection, which would be
    another boundary for templates that reach further than one cell).
    Raises InputError for a template of even size, an empty grid, or an unknown boundary.
    """

    template: Array
    shape: tuple[int, int]
    boundary: Boundary = "zero"
    edge: float = 0.0

    def __post_init__(self) -> None:
        template = checked_template(self.template, "Stencil.template")
        sides = self.shape if isinstance(self.shape, tuple | list) else ()
        if len(sides) != 2 or not all(is_whole(side) and side >= 1 for side in sides):
            raise InputError(f"`Stencil.shape` = {self.shape}: must be (rows, columns), whole numbers of at least 1")
        check_boundary(self.boundary, "Stencil.boundary")
        edge = float(frozen(self.edge, "Stencil.edge", shape=()))
        if edge != 0.0 and self.boundary != "fixed":
            raise InputError(f'`Stencil.edge` = {edge}: only boundary="fixed" has an edge value')
        object.__setattr__(self, "template", template)
        object.__setattr__(self, "shape", (int(self.shape[0]), int(self.shape[1])))
        object.__setattr__(self, "edge", edge)

    @property
    def size(self) -> int:
        """Cells in the grid."""
        return self.shape[0] * self.shape[1]

    def apply(self, x: Array) -> Array:
        """Return the map of x, (..., size), the fixed edge included."""
        shifts = self.shifts
        padded, result, scratch = shifts.buffers(x.size // self.size)
        inside = shifts.inside(padded)
        inside[...] = x.reshape(inside.shape)
        shifts.into(padded, result, scratch)
        return shifts.inside(result).reshape(x.shape)

    @cached_property
    def shifts(self) -> Shifts:
        """The map as sums of shifted grids, the fixed edge included."""
        return Shifts(self.template, self.shape, self.edge, FOLDS.get(self.boundary))

    def scaled(self, factor: float) -> Stencil:
        """Return the stencil with every weight multiplied."""
        return replace(self, template=self.template * factor)

    def sparse(self) -> Sparse:
        """Return the linear part as a sparse matrix, (size, size); the fixed edge is `offset`."""
        rows, columns = self.shape
        r, c = np.indices(self.shape)
        fold = FOLDS.get(self.boundary)
        targets, sources, values = [], [], []
        for (p, q), weight in np.ndenumerate(self.template):
            if weight == 0.0:
                continue
            rr, cc = r + p - self.template.shape[0] // 2, c + q - self.template.shape[1] // 2
            if fold is not None:
                rr, cc = fold(rr, rows), fold(cc, columns)
            inside = (rr >= 0) & (rr < rows) & (cc >= 0) & (cc < columns)
            targets.append((r * columns + c)[inside])
            sources.append((rr * columns + cc)[inside])
            values.append(np.full(int(inside.sum()), weight))
        if not values:
            return frozen_sparse(sp.csr_array((self.size, self.size), dtype=np.float64), "Stencil")
        indices = (np.concatenate(targets), np.concatenate(sources))
        matrix = sp.coo_array((np.concatenate(values), indices), shape=(self.size, self.size))
        return frozen_sparse(matrix, "Stencil")

    def offset(self) -> Array:
        """Return what the fixed edge adds, (size,)."""
        return self.apply(np.zeros(self.size))


Weights: TypeAlias = "Array | Sparse | Stencil"


def frozen_weights(value: Any, name: str) -> Weights:
    """Return weights frozen at the door: a read-only matrix, a canonical CSR matrix, or a Stencil."""
    if isinstance(value, Stencil):
        return value
    if sp.issparse(value):
        return frozen_sparse(value, name)
    table = as_table(value)
    if table is not None and table.named:
        raise InputError(
            f"`{name}` is a table with names, which are not looked at here; give .to_numpy() of it, with rows and "
            "columns in the order of the elements (a Network matches tables by their names)"
        )
    matrix = frozen(value, name)
    if matrix.ndim != 2:
        raise InputError(f"`{name}` has shape {matrix.shape}: must be a matrix (to, from)")
    return matrix


def weights_shape(weights: Weights) -> tuple[int, int]:
    """Return (outputs, inputs)."""
    if isinstance(weights, Stencil):
        return weights.size, weights.size
    return int(weights.shape[0]), int(weights.shape[1])


def apply_weights(weights: Weights, x: Array) -> Array:
    """Return W x for x of shape (..., inputs)."""
    if isinstance(weights, Stencil):
        return weights.apply(x)
    if isinstance(weights, np.ndarray):
        product: Array = x @ weights.T
        return product
    if x.size == x.shape[-1]:  # one vector: the product of a matrix of one column is slower
        one: Array = np.asarray(weights @ x.reshape(-1))
        return one.reshape(*x.shape[:-1], weights.shape[0])
    columns: Array = np.ascontiguousarray(x.reshape(-1, x.shape[-1]).T)
    flat: Array = np.asarray(weights @ columns).T
    return flat.reshape(*x.shape[:-1], weights.shape[0])


def diagonal(weights: Weights) -> Array | None:
    """Return d of a sparse diag(d), (n,); None for other weights."""
    if isinstance(weights, Stencil | np.ndarray) or weights.shape[0] != weights.shape[1]:
        return None
    _, rows, columns = entries(weights)
    return np.asarray(weights.diagonal()) if np.array_equal(rows, columns) else None


def linear(weights: Weights) -> Any:
    """Return W as a matrix: a stencil as a sparse one, without its fixed edge."""
    return weights.sparse() if isinstance(weights, Stencil) else weights


def entries(weights: Weights) -> tuple[Array, Any, Any]:
    """Return (values, rows, columns) of the weights that are not zero, by row then column."""
    if isinstance(weights, np.ndarray):
        rows, columns = np.nonzero(weights)
        return weights[rows, columns], rows, columns
    coo = linear(weights).tocoo()
    return coo.data, coo.coords[0], coo.coords[1]


def same_weights(first: Weights, second: Weights) -> bool:
    """Whether two weights have the same form and the same values."""
    if first is second:
        return True
    if isinstance(first, Stencil) or isinstance(second, Stencil):
        if not (isinstance(first, Stencil) and isinstance(second, Stencil)):
            return False
        same = (first.shape, first.boundary, first.edge) == (second.shape, second.boundary, second.edge)
        return same and np.array_equal(first.template, second.template)
    if isinstance(first, np.ndarray) or isinstance(second, np.ndarray):
        both = isinstance(first, np.ndarray) and isinstance(second, np.ndarray)
        return both and np.array_equal(np.asarray(first), np.asarray(second))
    form = np.array_equal(first.indptr, second.indptr) and np.array_equal(first.indices, second.indices)
    return first.shape == second.shape and form and np.array_equal(first.data, second.data)


def scaled_weights(weights: Weights, factor: float) -> Weights:
    """Return the weights multiplied by a number."""
    if isinstance(weights, Stencil):
        return weights.scaled(factor)
    return frozen_weights(weights * factor, "weights")
