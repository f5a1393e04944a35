"""The identity, and the identity within bounds."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import ClassVar, Self, TypeVar

import numpy as np

from ..values.arrays import Array
from ..values.errors import InputError, Unrealisable
from .expressions import ARGUMENT, Expression, maximum, minimum
from .function import Function, Numbers
from .parameters import Parameter, factor

F = TypeVar("F", bound=Function)


@dataclass(frozen=True, kw_only=True, eq=False)
class Identity(Function):
    """f(x) = x."""

    kind: ClassVar[str] = "identity"
    has_corners = False

    def value(self, x: Numbers, out: Array | None = None) -> Array:
        return np.asarray(np.positive(x, out=out))

    def derivative(self, x: Numbers) -> Array:
        return np.ones(np.shape(x))

    def curve(self) -> Expression:
        return ARGUMENT

    def scale(self, volts: float) -> Self:
        factor(volts, "volts", "V")
        return self

    def compress(self, s: float) -> Self:
        """Return itself for s = 1. Raises Unrealisable for any other s: the slope is 1."""
        return _refuse_compression(self, s)


@dataclass(frozen=True, kw_only=True, eq=False)
class Clip(Function):
    """f(x) = min(max(x, lower), upper); the bounds may be infinite. Raises InputError unless lower <= upper."""

    kind: ClassVar[str] = "clip"
    has_corners = True
    lower: Parameter
    upper: Parameter

    def __post_init__(self) -> None:
        self._freeze("lower", allow_inf=True)
        self._freeze("upper", allow_inf=True)
        self._check_shapes()
        lower, upper = np.broadcast_arrays(self.lower, self.upper)
        for k in np.ndindex(lower.shape):
            if not lower[k] <= upper[k] or lower[k] == math.inf or upper[k] == -math.inf:
                at = f" of element {k[-1]}" if k else ""
                raise InputError(
                    f"`Clip`: the bounds{at} are {lower[k]} and {upper[k]}: must have lower <= upper, with a finite "
                    "number between them"
                )

    def value(self, x: Numbers, out: Array | None = None) -> Array:
        return np.asarray(np.minimum(np.maximum(x, self.lower, out=out), self.upper, out=out))

    def derivative(self, x: Numbers) -> Array:
        return np.where((x > self.lower) & (x < self.upper), 1.0, 0.0)

    def curve(self) -> Expression:
        lower, upper = self._scalar("lower"), self._scalar("upper")
        below = ARGUMENT if upper == math.inf else minimum(upper, ARGUMENT)
        return below if lower == -math.inf else maximum(lower, below)

    def scale(self, volts: float) -> Self:
        volts = factor(volts, "volts", "V")
        return replace(self, lower=self.lower * volts, upper=self.upper * volts)

    def compress(self, s: float) -> Self:
        """Return itself for s = 1. Raises Unrealisable for any other s: the slope between the bounds is 1."""
        return _refuse_compression(self, s)


def _refuse_compression(function: F, s: float) -> F:
    if factor(s, "s", "V/V") == 1.0:
        return function
    raise Unrealisable(
        f"{type(function).__name__}: cannot take the slope 1/{s}, as its slope is 1; leave the scale of the network as "
        "it is, or use PiecewiseLinear or Polynomial, whose slope can be chosen"
    )
