"""Rectifiers: functions that are straight, or nearly, on the positive side (of ONNX: alpha is theirs)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar, Self

import numpy as np

from ..values.arrays import Array
from .expressions import ARGUMENT, Choice, Expression, Number, exp, maximum, minimum, softplus
from .function import Function, Numbers
from .parameters import Parameter, factor


@dataclass(frozen=True, kw_only=True, eq=False)
class LeakyRelu(Function):
    """f(x) = above x for x >= 0, below x for x < 0; `below` is the alpha of ONNX, `above` is 1 there."""

    kind: ClassVar[str] = "leaky_relu"
    has_corners = True
    below: Parameter = 0.01
    above: Parameter = 1.0

    def __post_init__(self) -> None:
        self._freeze("below")
        self._freeze("above")
        self._check_shapes()

    def value(self, x: Numbers, out: Array | None = None) -> Array:
        return np.asarray(np.multiply(x, self.derivative(x), out=out))

    def derivative(self, x: Numbers) -> Array:
        return np.where(np.asarray(x) >= 0.0, self.above, self.below)

    def curve(self) -> Expression:
        below, above = self._scalar("below"), self._scalar("above")
        return above * maximum(0.0, ARGUMENT) + below * minimum(0.0, ARGUMENT)

    def scale(self, volts: float) -> Self:
        factor(volts, "volts", "V")
        return self

    def compress(self, s: float) -> Self:
        s = factor(s, "s", "V/V")
        return replace(self, below=self.below / s, above=self.above / s)


@dataclass(frozen=True, kw_only=True, eq=False)
class ThresholdedRelu(Function):
    """f(x) = slope x for x > threshold, else 0: a jump; `threshold` is the alpha of ONNX, `slope` is 1 there."""

    kind: ClassVar[str] = "thresholded_relu"
    has_corners = True
    threshold: Parameter = 1.0
    slope: Parameter = 1.0

    def __post_init__(self) -> None:
        self._freeze("threshold")
        self._freeze("slope")
        self._check_shapes()

    def value(self, x: Numbers, out: Array | None = None) -> Array:
        return np.asarray(np.multiply(x, self.derivative(x), out=out))

    def derivative(self, x: Numbers) -> Array:
        return np.where(np.asarray(x) > self.threshold, self.slope, 0.0)

    def curve(self) -> Expression:
        threshold, slope = (Number(self._scalar(name)) for name in ("threshold", "slope"))
        return Choice(ARGUMENT, threshold, slope * ARGUMENT, Number(0.0))

    def scale(self, volts: float) -> Self:
        return replace(self, threshold=self.threshold * factor(volts, "volts", "V"))

    def compress(self, s: float) -> Self:
        s = factor(s, "s", "V/V")
        return replace(self, threshold=self.threshold * s, slope=self.slope / s)


@dataclass(frozen=True, kw_only=True, eq=False)
class Elu(Function):
    """f(x) = slope x for x >= 0, alpha (exp(x / width) - 1) for x < 0; `width` and `slope` are 1 in ONNX.

    Clevert, Unterthiner and Hochreiter (ICLR 2016, eq. 15). Raises InputError for a width that is not positive.
    """

    kind: ClassVar[str] = "elu"
    has_corners = True
    alpha: Parameter = 1.0
    width: Parameter = 1.0
    slope: Parameter = 1.0

    def __post_init__(self) -> None:
        self._freeze("alpha")
        self._freeze("width", unit="V")
        self._freeze("slope")
        self._check_shapes()

    def value(self, x: Numbers, out: Array | None = None) -> Array:
        below = self.alpha * np.expm1(np.minimum(x, 0.0) / self.width)
        return np.asarray(np.add(below, self.slope * np.maximum(x, 0.0), out=out))

    def derivative(self, x: Numbers) -> Array:
        below = self.alpha / self.width * np.exp(np.minimum(x, 0.0) / self.width)
        return np.where(np.asarray(x) >= 0.0, self.slope, below)

    def curve(self) -> Expression:
        alpha, width, slope = self._scalar("alpha"), self._scalar("width"), self._scalar("slope")
        return slope * maximum(0.0, ARGUMENT) + alpha * (exp(minimum(0.0, ARGUMENT) / width) - 1.0)

    def scale(self, volts: float) -> Self:
        volts = factor(volts, "volts", "V")
        return replace(self, alpha=self.alpha * volts, width=self.width * volts)

    def compress(self, s: float) -> Self:
        s = factor(s, "s", "V/V")
        return replace(self, width=self.width * s, slope=self.slope / s)


@dataclass(frozen=True, kw_only=True, eq=False)
class Softplus(Function):
    """f(x) = amplitude log(1 + exp(x / width)); both are 1 in ONNX (Dugas et al. 2001).

    Raises InputError unless both are positive.
    """

    kind: ClassVar[str] = "softplus"
    has_corners = False
    amplitude: Parameter = 1.0
    width: Parameter = 1.0

    def __post_init__(self) -> None:
        self._freeze("amplitude", unit="V")
        self._freeze("width", unit="V")
        self._check_shapes()

    def value(self, x: Numbers, out: Array | None = None) -> Array:
        y = np.logaddexp(0.0, np.divide(x, self.width, out=out), out=out)
        return np.asarray(np.multiply(y, self.amplitude, out=out))

    def derivative(self, x: Numbers) -> Array:
        return np.asarray(self.amplitude / self.width * 0.5 * (1.0 + np.tanh(0.5 * x / self.width)))

    def curve(self) -> Expression:
        return self._scalar("amplitude") * softplus(ARGUMENT / self._scalar("width"))

    def scale(self, volts: float) -> Self:
        volts = factor(volts, "volts", "V")
        return replace(self, amplitude=self.amplitude * volts, width=self.width * volts)

    def compress(self, s: float) -> Self:
        return replace(self, width=self.width * factor(s, "s", "V/V"))


RECTIFIERS: tuple[type[Function], ...] = (LeakyRelu, ThresholdedRelu, Elu, Softplus)
