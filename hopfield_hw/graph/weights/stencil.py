"""Weights as a space-invariant stencil."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from types import MappingProxyType
from typing import Any, ClassVar, Literal, TypeAlias

import numpy as np
import scipy.sparse as sp

from ...values.arrays import Array, SparseArray, freeze, freeze_sparse, is_whole
from ...values.errors import InputError
from .base import Weights
from .shifts import Fold, Shifts
from .sparse import Sparse

Boundary: TypeAlias = Literal["zero", "fixed", "periodic", "zero_flux"]
BOUNDARIES: tuple[Boundary, ...] = ("zero", "fixed", "periodic", "zero_flux")


def _around(places: Any, side: int) -> Any:
    return places % side


def _nearest(places: Any, side: int) -> Any:
    return np.minimum(np.maximum(places, 0), side - 1)


# Which cell of the grid a place outside stands for, row by row and column by column; others have a constant outside.
FOLDS: Mapping[Boundary, Fold] = MappingProxyType({"periodic": _around, "zero_flux": _nearest})


def freeze_template(value: Any, name: str) -> Array:
    """Return a template frozen at the door. Raises InputError for one of even size or not of two dimensions."""
    template = freeze(value, name)
    if template.ndim != 2 or any(side % 2 == 0 for side in template.shape):
        raise InputError(f"`{name}` has shape {template.shape}: both sides must be odd, as in 3 x 3")
    return template


def check_boundary(value: Any, name: str) -> None:
    """Refuse what is not the name of a boundary."""
    if not isinstance(value, str) or value not in BOUNDARIES:
        raise InputError(f"`{name}` = {value!r:.40}: must be one of {', '.join(BOUNDARIES)}")


@dataclass(frozen=True, kw_only=True, eq=False)
class Stencil(Weights):
    """A space-invariant linear map on a grid (cellular networks; Chua and Yang 1988, eq. 2).

    y[r, c] = sum over (p, q) of template[p + m, q + m'] x[r + p, c + q], rows first, flattened in C order. What a fixed
    edge gives of it is the `constant`.

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
    form: ClassVar[str] = "stencil"

    def __post_init__(self) -> None:
        template = freeze_template(self.template, "Stencil.template")
        sides = self.shape if isinstance(self.shape, tuple | list) else ()
        if len(sides) != 2 or not all(is_whole(side) and side >= 1 for side in sides):
            raise InputError(f"`Stencil.shape` = {self.shape}: must be (rows, columns), whole numbers of at least 1")
        check_boundary(self.boundary, "Stencil.boundary")
        edge = float(freeze(self.edge, "Stencil.edge", shape=()))
        if edge != 0.0 and self.boundary != "fixed":
            raise InputError(f'`Stencil.edge` = {edge}: only boundary="fixed" has an edge value')
        object.__setattr__(self, "template", template)
        object.__setattr__(self, "shape", (int(self.shape[0]), int(self.shape[1])))
        object.__setattr__(self, "edge", edge)

    @property
    def size(self) -> int:
        """Cells in the grid."""
        return self.shape[0] * self.shape[1]

    @property
    def output_size(self) -> int:
        return self.size

    @property
    def input_size(self) -> int:
        return self.size

    @cached_property
    def shifts(self) -> Shifts:
        """W as sums of shifted grids."""
        return Shifts(self.template, self.shape, FOLDS.get(self.boundary))

    @cached_property
    def constant(self) -> Array:
        """What a fixed edge adds, (size,)."""
        if self.edge == 0.0:
            return super().constant
        padded, result, scratch = self.shifts.buffers(1)
        padded.fill(self.edge)
        self.shifts.inside(padded).fill(0.0)
        self.shifts.into(padded, result, scratch)
        return freeze(self.shifts.inside(result).reshape(-1), "Stencil.constant")

    @cached_property
    def sparse(self) -> SparseArray:
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
            return freeze_sparse(sp.csr_array((self.size, self.size), dtype=np.float64), "Stencil")
        indices = (np.concatenate(targets), np.concatenate(sources))
        matrix = sp.coo_array((np.concatenate(values), indices), shape=(self.size, self.size))
        return freeze_sparse(matrix, "Stencil")

    def apply(self, x: Array) -> Array:
        shifts = self.shifts
        padded, result, scratch = shifts.buffers(x.size // self.size)
        inside = shifts.inside(padded)
        inside[...] = x.reshape(inside.shape)
        shifts.into(padded, result, scratch)
        return shifts.inside(result).reshape(x.shape)

    def scale(self, factor: float, *, inputs: float = 1.0) -> Stencil:
        return replace(self, template=self.template * factor, edge=self.edge * inputs)

    def with_values(self, values: Array) -> Sparse:
        return Sparse(values=self.sparse).with_values(values)

    def transpose(self) -> Sparse:
        return Sparse(values=self.sparse).transpose()

    def content(self) -> Any:
        places = {"template": self.template.tolist(), "shape": list(self.shape)}
        return {**places, "boundary": self.boundary, "edge": self.edge}

    def _parts(self) -> tuple[Any, ...]:
        return self.template, self.shape, self.boundary, self.edge
