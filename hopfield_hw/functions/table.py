"""Measured gain curves, given by points."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar, Literal, Self

import numpy as np

from ..values.arrays import Array
from ..values.errors import InputError
from .expressions import ARGUMENT, Expression, Interpolation
from .function import Gain, Numbers
from .parameters import Parameter, factor


@dataclass(frozen=True, kw_only=True, eq=False)
class Table(Gain):
    """A measured curve: linear between the points (x, y), flat before the first and after the last.

    `x`: (m,), strictly increasing; `y`: (m,), not decreasing; m at least 2. All elements share them.
    Where the curve is flat, its inverse is the preimage nearest zero. Raises InputError for any other points.
    """

    kind: ClassVar[str] = "table"
    has_corners = True
    shared: ClassVar[frozenset[str]] = frozenset({"x", "y"})
    x: Array
    y: Array

    def __post_init__(self) -> None:
        self._freeze("x")
        self._freeze("y")
        shapes = np.shape(self.x), np.shape(self.y)
        if shapes[0] != shapes[1] or len(shapes[0]) != 1 or shapes[0][0] < 2:
            raise InputError(f"`Table`: x has shape {shapes[0]}, y {shapes[1]}: must be two or more points, (m,) each")
        for k in range(1, self.x.size):
            if self.x[k] <= self.x[k - 1]:
                found, before = f"`Table.x[{k}] = {self.x[k]}`", f"`x[{k - 1}] = {self.x[k - 1]}`"
                raise InputError(f"{found}: must be above {before}; sort the points by x, and keep one of equal ones")
            if self.y[k] < self.y[k - 1]:
                found, before = f"`Table.y[{k}] = {self.y[k]}`", f"`y[{k - 1}] = {self.y[k - 1]}`"
                raise InputError(f"{found}: must not be below {before}, as a gain is monotone; smooth the measurement")

    def value(self, x: Numbers, out: Array | None = None) -> Array:
        return np.asarray(np.positive(np.interp(x, self.x, self.y), out=out))

    def derivative(self, x: Numbers) -> Array:
        """Return the slope of the segment, at a point that of the segment above it."""
        slopes = np.diff(self.y) / np.diff(self.x)
        return np.asarray(np.concatenate(([0.0], slopes, [0.0]))[np.searchsorted(self.x, x, side="right")])

    def inverse(self, y: Numbers) -> Array:
        nearest = np.maximum(self._preimage(y, "left"), np.minimum(self._preimage(y, "right"), 0.0))
        return np.where((y >= self.y[0]) & (y <= self.y[-1]), nearest, np.nan)

    def inverse_integral(self, y: Numbers) -> Array:
        """Return y x - (integral of f from 0 to x) at x = f^-1(y), which is the same (Young 1912)."""
        x = self.inverse(y)
        return np.asarray(y * x - (self._area(x) - self._area(0.0)))

    def _preimage(self, y: Numbers, side: Literal["left", "right"]) -> Array:
        """Return the lowest ("left") or highest ("right") x with f(x) = y."""
        k = np.searchsorted(self.y, y, side=side)
        above = np.clip(k, 1, self.y.size - 1)
        below = above - 1
        with np.errstate(divide="ignore", invalid="ignore"):
            part = (y - self.y[below]) / (self.y[above] - self.y[below])
        x = self.x[below] + part * (self.x[above] - self.x[below])
        return np.where(k == 0, -np.inf, np.where(k == self.y.size, np.inf, x))

    def _area(self, x: Numbers) -> Array:
        """Return the integral of f from the first point to x."""
        areas = np.concatenate(([0.0], np.cumsum(0.5 * np.diff(self.x) * (self.y[1:] + self.y[:-1]))))
        k = np.clip(np.searchsorted(self.x, x, side="right") - 1, 0, self.x.size - 1)
        return np.asarray(areas[k] + 0.5 * (x - self.x[k]) * (self.y[k] + self.value(x)))

    def curve(self) -> Expression:
        return Interpolation(ARGUMENT, tuple(zip(self.x.tolist(), self.y.tolist(), strict=True)))

    def scale(self, volts: float) -> Self:
        volts = factor(volts, "volts", "V")
        return replace(self, x=self.x * volts, y=self.y * volts)

    def compress(self, s: float) -> Self:
        return replace(self, x=self.x * factor(s, "s", "V/V"))

    @property
    def slope(self) -> Parameter:
        return float(self.derivative(0.0))

    @property
    def lower(self) -> Parameter:
        return float(self.y[0])

    @property
    def upper(self) -> Parameter:
        return float(self.y[-1])
