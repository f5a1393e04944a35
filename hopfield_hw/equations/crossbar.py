"""The short ways to dx/dt of a Leak that one gain curve of one Leak drives through weights that all draws share."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from functools import cached_property
from typing import NamedTuple, Protocol

import numpy as np

from ..functions import Function, PiecewiseLinear
from ..graph import Dense, Stencil, Weights
from ..graph.weights.shifts import Shifts
from ..values.arrays import Array
from .tableau import FIFTH

# Cells below this number are done before the compiler is.
WORTH_COMPILING = 4096


class FusedStep(Protocol):
    """What `runge_kutta` does at a step of one row, compiled; see `grid_kernels`."""

    def __call__(self, slots: Array, h: float, *, rtol: float, atol: float, keep: bool) -> float:
        """Write into `slots` what a step of h gives; return the sum over the states of the squared relative errors.

        Slots, (STAGES + 3, n): x, its slope, the slopes of the other stages (only if `keep`), the slope at the new x,
        the new x.
        """
        ...


class Crossbar(Protocol):
    """dx/dt = (W f(x) + constant) / C - x / (R C), written with as few passes over memory as there can be.

    `target`, `source`: where the states are that it drives, and that drive it. `activate`: the operator of f.
    """

    @property
    def target(self) -> slice: ...

    @property
    def source(self) -> slice: ...

    @property
    def activate(self) -> str: ...

    def into(self, result: Array, x: Array, function: Function) -> None:
        """Write dx/dt of the target's states into `result`, (..., states)."""
        ...


class DenseCrossbar(NamedTuple):
    """`matrix`: W^T over a row of the constant, both divided by C, so that one product gives all that flows in.

    `rate`: 1 / (R C); None where it is 1.
    """

    target: slice
    source: slice
    activate: str
    matrix: Array
    rate: Array | None

    def into(self, result: Array, x: Array, function: Function) -> None:
        driven = np.empty((*x.shape[:-1], self.matrix.shape[0]))
        driven[..., -1] = 1.0
        function.value(x[..., self.source], out=driven[..., :-1])
        target, state = result[..., self.target], x[..., self.target]
        np.matmul(driven, self.matrix, out=target)
        target -= state if self.rate is None else self.rate * state


class SparseCrossbar(NamedTuple):
    """`weights`: W / C; `constant`: divided by C; `rate`: 1 / (R C)."""

    target: slice
    source: slice
    activate: str
    weights: Weights
    constant: Array
    rate: Array

    def into(self, result: Array, x: Array, function: Function) -> None:
        flowing = self.weights.apply(np.asarray(function.value(x[..., self.source])))
        target = result[..., self.target]
        np.multiply(x[..., self.target], -self.rate, out=target)
        target += self.constant
        target += flowing


@dataclass(frozen=True, eq=False)
class GridCrossbar:
    """`stencil`: W / C; `constant`: divided by C; C and `rate` are the same for all cells.

    Each thread has separate storage.
    """

    target: slice
    source: slice
    activate: str
    stencil: Stencil
    constant: Array
    rate: float
    _kept: threading.local = field(default_factory=threading.local)

    @cached_property
    def _shifts(self) -> Shifts:
        return self.stencil.shifts

    def into(self, result: Array, x: Array, function: Function) -> None:
        count, shifts = x.size // x.shape[-1], self._shifts
        if getattr(self._kept, "count", None) != count:
            self._kept.count, self._kept.buffers = count, shifts.buffers(count)
        padded, summed, scratch = self._kept.buffers
        inside = shifts.inside(padded)
        function.value(x[..., self.source].reshape(inside.shape), out=inside)
        shifts.into(padded, summed, scratch)
        target = result[..., self.target]
        np.multiply(x[..., self.target], -self.rate, out=target)
        target += self.constant
        grid = target.reshape(inside.shape)  # a view: the states of a row lie side by side
        grid += shifts.inside(summed)

    def fused(self, function: Function) -> FusedStep | None:
        """Return a compiled step for this crossbar alone; None for few cells, other curves, and without Numba."""
        if (
            self.stencil.size < WORTH_COMPILING
            or not isinstance(function, PiecewiseLinear)
            or function.size is not None
        ):
            return None
        try:
            from .grid_kernels import WEIGHTS, step, terms
        except ImportError:
            return None
        (rows, columns), template = self.stencil.shape, self.stencil.template
        reach = (template.shape[0] // 2, template.shape[1] // 2)
        weights, boundary = terms(template), self.stencil.boundary
        curve = (float(function.gain), float(function.amplitude), boundary == "periodic", boundary == "zero_flux")
        constant = self.constant.reshape(rows, columns)

        def fused_step(slots: Array, h: float, *, rtol: float, atol: float, keep: bool) -> float:
            forward = slots.strides[0] > 0
            grids = (slots if forward else slots[::-1]).reshape(-1, rows, columns)
            squares = np.empty(rows)
            sums = (h * WEIGHTS, h * FIFTH.errors[0], (rtol, atol), *weights)
            step(grids, forward, keep, squares, *sums, reach, *curve, constant, self.rate)
            return float(np.sum(squares))

        return fused_step


def crossbar(
    target: slice,
    source: slice,
    activate: str,
    weights: Weights,
    constant: Array,
    inverse_c: Array,
    rate: Array,
) -> Crossbar | None:
    """Return the short way for weights, a constant (theirs included), 1 / C and 1 / (R C), (n,) each.

    None where there is none.
    """
    match weights:
        case Dense():
            matrix = np.vstack([weights.matrix.T, constant]) * inverse_c
            return DenseCrossbar(target, source, activate, matrix, None if np.all(rate == 1.0) else rate)
        case Stencil():
            if bool(np.any(inverse_c != inverse_c[0])) or bool(np.any(rate != rate[0])):
                return None
            stencil = weights.scale(float(inverse_c[0]))
            return GridCrossbar(target, source, activate, stencil, constant * inverse_c, float(rate[0]))
        case _:
            rows = weights.scale_rows(inverse_c)
            return SparseCrossbar(target, source, activate, rows, constant * inverse_c, rate)
