"""Gain curves that saturate smoothly or piecewise linearly: an amplitude, a slope at zero, and a unit curve."""

from __future__ import annotations

import math
from abc import abstractmethod
from dataclasses import dataclass, replace
from functools import cached_property
from typing import ClassVar, Self

import numpy as np
from scipy.special import expit, logit, xlog1py

from ..values.arrays import Array, positive
from .expressions import ARGUMENT, Expression, Number, call, maximum, minimum, tanh
from .function import Gain, Numbers
from .parameters import Parameter, factor


@dataclass(frozen=True, kw_only=True, eq=False)
class Sigmoid(Gain):
    """f(x) = a s(b x / a), with `gain` b, the slope at zero, `amplitude` a, and a unit curve s of slope 1 at zero.

    Raises InputError unless both are positive and finite.
    """

    gain: Parameter = 1.0
    amplitude: Parameter = 1.0

    def __post_init__(self) -> None:
        self._freeze("gain", unit="V/V")
        self._freeze("amplitude", unit="V")
        self._check_shapes()
        with np.errstate(over="ignore"):
            rate = self.gain / self.amplitude
        positive(rate, self._label("gain / amplitude"), shape=np.shape(rate), unit="1/V")

    @cached_property
    def _factors(self) -> tuple[Array | None, Array | None]:
        """b / a and a; None where it is 1. Kept, as arrays, for the inner loop of every reference run."""
        return _multiplier(self.gain / self.amplitude), _multiplier(self.amplitude)

    @abstractmethod
    def _unit(self, t: Numbers, out: Array | None) -> Array:
        """Return s(t)."""

    @abstractmethod
    def _unit_slope(self, t: Numbers) -> Array:
        """Return ds/dt."""

    @abstractmethod
    def _unit_inverse(self, u: Array) -> Array:
        """Return s^-1(u)."""

    @abstractmethod
    def _unit_integral(self, u: Array) -> Array:
        """Return the integral of s^-1 from s(0) to u."""

    @abstractmethod
    def _unit_curve(self, t: Expression) -> Expression:
        """Return s(t) as an expression."""

    def value(self, x: Numbers, out: Array | None = None) -> Array:
        rate, amplitude = self._factors
        y = self._unit(x if rate is None else np.multiply(x, rate, out=out), out)
        return y if amplitude is None else np.asarray(np.multiply(y, amplitude, out=out))

    def derivative(self, x: Numbers) -> Array:
        return np.asarray(self.gain * self._unit_slope(x * (self.gain / self.amplitude)))

    def inverse(self, y: Numbers) -> Array:
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.asarray(self._unit_inverse(np.asarray(y / self.amplitude)) * (self.amplitude / self.gain))

    def inverse_integral(self, y: Numbers) -> Array:
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.asarray(self._unit_integral(np.asarray(y / self.amplitude)) * (self.amplitude**2 / self.gain))

    def curve(self) -> Expression:
        gain, amplitude = self._scalar("gain"), self._scalar("amplitude")
        if amplitude == 1.0:
            return self._unit_curve(gain * ARGUMENT)
        return amplitude * self._unit_curve(Number(gain) / amplitude * ARGUMENT)

    def scale(self, volts: float) -> Self:
        return replace(self, amplitude=self.amplitude * factor(volts, "volts", "V"))

    def compress(self, s: float) -> Self:
        return replace(self, gain=self.gain / factor(s, "s", "V/V"))

    @property
    def slope(self) -> Parameter:
        return self.gain

    @property
    def lower(self) -> Parameter:
        return -self.amplitude

    @property
    def upper(self) -> Parameter:
        return self.amplitude


@dataclass(frozen=True, kw_only=True, eq=False)
class Tanh(Sigmoid):
    """f(x) = a tanh(b x / a): the transfer curve of a bipolar differential pair."""

    kind: ClassVar[str] = "tanh"
    has_corners = False

    def _unit(self, t: Numbers, out: Array | None) -> Array:
        return np.asarray(np.tanh(t, out=out))

    def _unit_slope(self, t: Numbers) -> Array:
        y: Array = np.tanh(t)
        return (1.0 - y) * (1.0 + y)

    def _unit_inverse(self, u: Array) -> Array:
        return np.asarray(np.arctanh(u))

    def _unit_integral(self, u: Array) -> Array:
        return _tanh_integral(u)

    def _unit_curve(self, t: Expression) -> Expression:
        return tanh(t)


@dataclass(frozen=True, kw_only=True, eq=False)
class Logistic(Sigmoid):
    """f(x) = a / (1 + exp(-4 b x / a)), from 0 to a, a/2 at zero; also (a/2) (1 + tanh(2 b x / a)), as SPICE has it."""

    kind: ClassVar[str] = "logistic"
    has_corners = False

    def _unit(self, t: Numbers, out: Array | None) -> Array:
        """(1 + tanh(2 t)) / 2: NumPy has a fast tanh, and the error is a rounding of the range."""
        y = np.multiply(np.tanh(np.multiply(t, 2.0, out=out), out=out), 0.5, out=out)
        return np.asarray(np.add(y, 0.5, out=out))

    def _unit_slope(self, t: Numbers) -> Array:
        return np.asarray(4.0 * expit(4.0 * t) * expit(-4.0 * t))

    def _unit_inverse(self, u: Array) -> Array:
        return np.asarray(0.25 * logit(u))

    def _unit_integral(self, u: Array) -> Array:
        return 0.25 * _tanh_integral(2.0 * u - 1.0)

    def _unit_curve(self, t: Expression) -> Expression:
        return 0.5 + 0.5 * tanh(2.0 * t)

    @property
    def lower(self) -> Parameter:
        return 0.0 * self.amplitude


@dataclass(frozen=True, kw_only=True, eq=False)
class PiecewiseLinear(Sigmoid):
    """f(x) = clip(b x, -a, a); with b = a = 1 the output of a cellular neural network (Chua and Yang 1988)."""

    kind: ClassVar[str] = "piecewise_linear"
    has_corners = True

    def _unit(self, t: Numbers, out: Array | None) -> Array:
        return np.asarray(np.minimum(np.maximum(t, -1.0, out=out), 1.0, out=out))

    def _unit_slope(self, t: Numbers) -> Array:
        return np.where(np.abs(t) < 1.0, 1.0, 0.0)

    def _unit_inverse(self, u: Array) -> Array:
        return np.where(np.abs(u) <= 1.0, u, np.nan)

    def _unit_integral(self, u: Array) -> Array:
        return np.where(np.abs(u) <= 1.0, 0.5 * u * u, np.nan)

    def _unit_curve(self, t: Expression) -> Expression:
        return maximum(-1.0, minimum(1.0, t))


@dataclass(frozen=True, kw_only=True, eq=False)
class Arctan(Sigmoid):
    """f(x) = (2 a / pi) atan(pi b x / (2 a)): Hopfield (1984, fig. 3); its energy is infinite at the ends."""

    kind: ClassVar[str] = "arctan"
    has_corners = False

    def _unit(self, t: Numbers, out: Array | None) -> Array:
        angle = np.arctan(np.multiply(t, 0.5 * math.pi, out=out), out=out)
        return np.asarray(np.multiply(angle, 2.0 / math.pi, out=out))

    def _unit_slope(self, t: Numbers) -> Array:
        return np.asarray(np.power(np.hypot(1.0, 0.5 * math.pi * t), -2.0))

    def _unit_inverse(self, u: Array) -> Array:
        """tan(pi u / 2), with its cosine written as a sine that is exactly 0 at the ends."""
        tangent = np.sin(0.5 * math.pi * u) / np.sin(0.5 * math.pi * (1.0 - np.abs(u)))
        return np.where(np.abs(u) <= 1.0, 2.0 / math.pi * tangent, np.nan)

    def _unit_integral(self, u: Array) -> Array:
        """-(2/pi)^2 log cos(pi u / 2)."""
        return np.asarray(2.0 / math.pi**2 * np.log1p((0.5 * math.pi * self._unit_inverse(u)) ** 2))

    def _unit_curve(self, t: Expression) -> Expression:
        return 2.0 / math.pi * call("arctan", 0.5 * math.pi * t)


@dataclass(frozen=True, kw_only=True, eq=False)
class Algebraic(Sigmoid):
    """f(x) = b x / sqrt(1 + (b x / a)^2)."""

    kind: ClassVar[str] = "algebraic"
    has_corners = False

    def _unit(self, t: Numbers, out: Array | None) -> Array:
        return np.asarray(np.divide(t, np.hypot(1.0, t), out=out))

    def _unit_slope(self, t: Numbers) -> Array:
        return np.asarray(np.power(np.hypot(1.0, t), -3.0))

    def _unit_inverse(self, u: Array) -> Array:
        return np.asarray(u / np.sqrt((1.0 - u) * (1.0 + u)))

    def _unit_integral(self, u: Array) -> Array:
        """1 - sqrt(1 - u^2), without cancellation."""
        return np.asarray(u * u / (1.0 + np.sqrt((1.0 - u) * (1.0 + u))))

    def _unit_curve(self, t: Expression) -> Expression:
        return t / call("sqrt", 1.0 + t * t)


@dataclass(frozen=True, kw_only=True, eq=False)
class Softsign(Sigmoid):
    """f(x) = b x / (1 + |b x / a|) (Bergstra et al. 2009)."""

    kind: ClassVar[str] = "softsign"
    has_corners = False

    def _unit(self, t: Numbers, out: Array | None) -> Array:
        return np.asarray(np.divide(t, 1.0 + np.abs(t), out=out))

    def _unit_slope(self, t: Numbers) -> Array:
        return np.asarray(np.power(1.0 + np.abs(t), -2.0))

    def _unit_inverse(self, u: Array) -> Array:
        return np.where(np.abs(u) <= 1.0, u / (1.0 - np.abs(u)), np.nan)

    def _unit_integral(self, u: Array) -> Array:
        """-|u| - log(1 - |u|); its series keeps the digits that the sum loses near zero."""
        v = np.abs(u)
        series = v * v * (0.5 + v * (1.0 / 3.0 + v * (0.25 + v * (0.2 + v / 6.0))))
        return np.where(v < 1e-3, series, -v - np.log1p(-v))

    def _unit_curve(self, t: Expression) -> Expression:
        return t / (1.0 + call("abs", t))


SIGMOIDS: tuple[type[Sigmoid], ...] = (Tanh, Logistic, PiecewiseLinear, Arctan, Algebraic, Softsign)


def _multiplier(value: Parameter) -> Array | None:
    return None if isinstance(value, float) and value == 1.0 else np.asarray(value)


def _tanh_integral(u: Array) -> Array:
    """u atanh(u) + log(1 - u^2) / 2; the equal form by xlog1py keeps its digits up to the ends, where it is log 2."""
    inner = u * np.arctanh(u) + 0.5 * np.log1p(-u * u)
    outer = 0.5 * (xlog1py(1.0 + u, u) + xlog1py(1.0 - u, -u))
    return np.where(np.abs(u) < 0.5, inner, outer)
