"""The dead zone: nothing between two thresholds, and a slope beyond them, as two diodes in opposite directions give."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar, Self

import numpy as np

from ..values.arrays import Array
from ..values.errors import InputError
from .expressions import ARGUMENT, Expression, softplus
from .function import Function, Numbers
from .parameters import Parameter, factor


@dataclass(frozen=True, kw_only=True, eq=False)
class DeadZone(Function):
    """f(x) = slope width (log(1 + exp((x - upper) / width)) - log(1 + exp((lower - x) / width))).

    It is about slope (x - upper) above `upper`, slope (x - lower) below `lower`, and 0 between them; `width` is that of
    the knees. It rises everywhere where the slope is above 0, with a slope below that.

    Raises InputError for a width that is not positive, and for thresholds that are not lower < upper.
    """

    kind: ClassVar[str] = "dead_zone"
    has_corners = False
    lower: Parameter
    upper: Parameter
    slope: Parameter = 1.0
    width: Parameter = 0.01

    def __post_init__(self) -> None:
        for name in ("lower", "upper", "slope"):
            self._freeze(name)
        self._freeze("width", unit="V")
        self._check_shapes()
        lower, upper = np.broadcast_arrays(self.lower, self.upper)
        if not bool(np.all(lower < upper)):
            k = int(np.flatnonzero(~(lower < upper).ravel())[0])
            at = f" of element {k}" if lower.ndim else ""
            raise InputError(
                f"`DeadZone`: the thresholds{at} are {lower.flat[k]} and {upper.flat[k]}: must have lower < upper"
            )

    def value(self, x: Numbers, out: Array | None = None) -> Array:
        above = np.logaddexp(0.0, (x - self.upper) / self.width)
        below = np.logaddexp(0.0, (self.lower - x) / self.width)
        return np.asarray(np.multiply(above - below, self.slope * self.width, out=out))

    def derivative(self, x: Numbers) -> Array:
        above = 1.0 + np.tanh(0.5 * (x - self.upper) / self.width)
        below = 1.0 + np.tanh(0.5 * (self.lower - x) / self.width)
        return np.asarray(0.5 * self.slope * (above + below))

    def curve(self) -> Expression:
        lower, upper, slope, width = (self._scalar(name) for name in ("lower", "upper", "slope", "width"))
        above, below = (ARGUMENT - upper) / width, (lower - ARGUMENT) / width
        return slope * width * (softplus(above) - softplus(below))

    def scale(self, volts: float) -> Self:
        volts = factor(volts, "volts", "V")
        return replace(self, lower=self.lower * volts, upper=self.upper * volts, width=self.width * volts)

    def compress(self, s: float) -> Self:
        s = factor(s, "s", "V/V")
        return replace(self, lower=self.lower * s, upper=self.upper * s, width=self.width * s, slope=self.slope / s)
