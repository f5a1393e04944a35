"""Polynomials and rational functions, given by coefficients."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar, Self

import numpy as np

from ..values.arrays import Array
from ..values.errors import InputError
from .expressions import ARGUMENT, Expression, Number
from .function import Function, Numbers
from .parameters import Series, derived, factor, polynomial, rescale


@dataclass(frozen=True, kw_only=True, eq=False)
class Polynomial(Series, Function):
    """f(x) = sum_k c_k x^k; `coefficients`: (m,), c_0 first."""

    kind: ClassVar[str] = "polynomial"
    has_corners = False
    shared: ClassVar[frozenset[str]] = frozenset({"coefficients"})
    coefficients: Array

    def value(self, x: Numbers, out: Array | None = None) -> Array:
        return np.asarray(np.positive(polynomial(self.coefficients, x), out=out))

    def derivative(self, x: Numbers) -> Array:
        return polynomial(derived(self.coefficients), x)

    def curve(self) -> Expression:
        return _nest(self.coefficients, "Polynomial.coefficients")

    def scale(self, volts: float) -> Self:
        volts = factor(volts, "volts", "V")
        return replace(self, coefficients=volts * rescale(self.coefficients, volts))

    def compress(self, s: float) -> Self:
        return replace(self, coefficients=rescale(self.coefficients, factor(s, "s", "V/V")))


@dataclass(frozen=True, kw_only=True, eq=False)
class Rational(Series, Function):
    """f(x) = sum_k p_k x^k / sum_k q_k x^k; `numerator`: (m,), p_0 first; `denominator`: (l,), q_0 first.

    Raises InputError where the whole denominator is zero.
    """

    kind: ClassVar[str] = "rational"
    has_corners = False
    shared: ClassVar[frozenset[str]] = frozenset({"numerator", "denominator"})
    numerator: Array
    denominator: Array

    def __post_init__(self) -> None:
        super().__post_init__()
        if not bool(np.all(np.any(self.denominator != 0.0, axis=-1))):
            raise InputError("`Rational.denominator` is all zeros: must have at least one other coefficient")

    def value(self, x: Numbers, out: Array | None = None) -> Array:
        return np.asarray(np.divide(polynomial(self.numerator, x), polynomial(self.denominator, x), out=out))

    def derivative(self, x: Numbers) -> Array:
        p, q = polynomial(self.numerator, x), polynomial(self.denominator, x)
        slope_p, slope_q = polynomial(derived(self.numerator), x), polynomial(derived(self.denominator), x)
        return (slope_p - p / q * slope_q) / q

    def curve(self) -> Expression:
        return _nest(self.numerator, "Rational.numerator") / _nest(self.denominator, "Rational.denominator")

    def scale(self, volts: float) -> Self:
        volts = factor(volts, "volts", "V")
        return replace(self.compress(volts), numerator=volts * rescale(self.numerator, volts))

    def compress(self, s: float) -> Self:
        s = factor(s, "s", "V/V")
        return replace(
            self,
            numerator=rescale(self.numerator, s),
            denominator=rescale(self.denominator, s),
        )


def _nest(coefficients: Array, name: str) -> Expression:
    """Return a polynomial by Horner's rule, without powers: a power in ngspice is that of the absolute value."""
    if coefficients.ndim > 1:
        raise InputError(f"`{name}` is stacked, with shape {coefficients.shape}: has no expression")
    *lower, highest = coefficients.tolist()
    result: Expression = Number(highest)
    for coefficient in reversed(lower):
        product = ARGUMENT * result
        result = product if coefficient == 0.0 else coefficient + product
    return result
