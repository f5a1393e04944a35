"""A stencil applied as sums of shifted grids: every pass is one NumPy call over memory that lies in one piece."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

import numpy as np

from ...values.arrays import Array

# (places, side) -> places from 0 to below the side
Fold: TypeAlias = Callable[[Any, int], Any]


class Shifts:
    """y[r, c] = sum over (p, q) of template[p + m, q + m'] x[r + p, c + q] over grids with a margin around them.

    A margin holds what lies outside, so that a shift is an offset into the flat grid; cells with the same weight are
    added up before they are multiplied. `template`: odd by odd. `shape`: rows, columns of the grid. `fold`: which cells
    of the grid the places outside stand for; without one a margin stays as it is, 0 from the start.
    """

    def __init__(self, template: Array, shape: tuple[int, int], fold: Fold | None = None) -> None:
        (rows, columns), (high, wide) = shape, template.shape
        self.shape, self._fold = shape, fold
        self._m, self._n = high // 2, wide // 2
        self._padded = (rows + high - 1, columns + wide - 1)
        self._first = self._m * self._padded[1] + self._n
        by_weight: dict[float, list[int]] = {}
        for (p, q), weight in np.ndenumerate(template):
            if weight != 0.0:
                by_weight.setdefault(float(weight), []).append(int((p - self._m) * self._padded[1] + q - self._n))
        self._terms = tuple(by_weight.items())

    def buffers(self, count: int) -> tuple[Array, Array, Array]:
        """Return working storage for `count` grids: three arrays with margins, those of the first one 0."""
        padded = np.zeros((count, *self._padded))
        return padded, np.zeros_like(padded), np.empty_like(padded)

    def inside(self, padded: Array) -> Array:
        """Return the view of grids without their margins, (count, rows, columns)."""
        rows, columns = self.shape
        return padded[:, self._m : self._m + rows, self._n : self._n + columns]

    def into(self, padded: Array, result: Array, scratch: Array) -> None:
        """Write the sums over grids into `result`, valid inside its margins. The three have the form of `buffers`."""
        if self._fold is not None:
            self._fill(padded, self._fold)
        size = padded.size - 2 * self._first
        flat, total, part = padded.reshape(-1), *(a.reshape(-1)[self._first :][:size] for a in (result, scratch))
        if not self._terms:
            total.fill(0.0)
        for k, (weight, offsets) in enumerate(self._terms):
            out = part if k else total
            taken = [flat[self._first + offset :][:size] for offset in offsets]
            if len(taken) == 1:
                np.multiply(taken[0], weight, out=out)
            else:
                np.add(taken[0], taken[1], out=out)
                for other in taken[2:]:
                    out += other
                if weight != 1.0:
                    out *= weight
            if k:
                total += part

    def _fill(self, padded: Array, fold: Fold) -> None:
        """Fill the margins from the cells that they stand for; a margin may be wider than the grid."""
        (rows, columns), m, n = self.shape, self._m, self._n
        padded[:, :m] = padded[:, m + fold(np.arange(-m, 0), rows)]
        padded[:, m + rows :] = padded[:, m + fold(rows + np.arange(m), rows)]
        padded[:, :, :n] = padded[:, :, n + fold(np.arange(-n, 0), columns)]
        padded[:, :, n + columns :] = padded[:, :, n + fold(columns + np.arange(n), columns)]
