"""The hard limiter: the gain curve that jumps."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import ClassVar, Self

import numpy as np

from ..values.arrays import Array
from .expressions import ARGUMENT, Expression, call
from .function import Gain, Numbers
from .parameters import Parameter, factor


@dataclass(frozen=True, kw_only=True, eq=False)
class HardLimiter(Gain):
    """f(x) = a sign(x), and 0 at 0; its inverse, and the integral of that, are 0 on the closed range."""

    kind: ClassVar[str] = "hard_limiter"
    has_corners = True
    continuous: ClassVar[bool] = False
    amplitude: Parameter = 1.0

    def __post_init__(self) -> None:
        self._freeze("amplitude", unit="V")

    def value(self, x: Numbers, out: Array | None = None) -> Array:
        return np.asarray(np.multiply(np.sign(x, out=out), self.amplitude, out=out))

    def derivative(self, x: Numbers) -> Array:
        """Return 0: the derivative wherever there is one."""
        return np.zeros(np.broadcast_shapes(np.shape(x), np.shape(self.amplitude)))

    def inverse(self, y: Numbers) -> Array:
        return np.where(np.abs(y) <= self.amplitude, 0.0, np.nan)

    def inverse_integral(self, y: Numbers) -> Array:
        return self.inverse(y)

    def curve(self) -> Expression:
        return self._scalar("amplitude") * call("sign", ARGUMENT)

    def scale(self, volts: float) -> Self:
        return replace(self, amplitude=self.amplitude * factor(volts, "volts", "V"))

    def compress(self, s: float) -> Self:
        factor(s, "s", "V/V")
        return self

    @property
    def slope(self) -> Parameter:
        return math.inf

    @property
    def lower(self) -> Parameter:
        return -self.amplitude

    @property
    def upper(self) -> Parameter:
        return self.amplitude
