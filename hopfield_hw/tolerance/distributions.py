"""How a part's value is distributed: within its tolerance, as a lot, or between the figures of a data sheet."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, ClassVar

import numpy as np
from scipy import special

from ..values.arrays import Array, freeze, positive
from ..values.errors import InputError
from ..values.si_text import UNITS

MIDDLE = 0.5
# By the unit of an amount, how its text is read.
AMOUNTS: Mapping[str, str] = MappingProxyType({**{unit: unit for unit in UNITS}, "1": ""})


class Distribution(ABC):
    """How one value is distributed about its nominal one.

    `values(nominal, u)` is the quantile function: the value below which the value lies with probability u. So each
    value is made of one uniform number, and a sample of importance moves that number.
    """

    shares: ClassVar[bool] = False  # whether it has a part that all parts of a lot have in common

    @abstractmethod
    def values(self, nominal: Any, u: Array, common: Array | None = None) -> Array:
        """Return the values at the probabilities u, 0 < u < 1. `common`: those of its lot, where it has one.

        `nominal`: a number, or one for each of the last axis of u.
        """

    @abstractmethod
    def limits(self, nominal: float) -> tuple[float, float]:
        """Return the lowest and the highest value of a worst case; that of a normal is the tolerance that it states."""

    @abstractmethod
    def deviation(self, nominal: float) -> float:
        """Return the standard deviation."""


@dataclass(frozen=True)
class Fixed(Distribution):
    """The nominal value itself."""

    def values(self, nominal: Any, u: Array, common: Array | None = None) -> Array:
        return np.array(np.broadcast_to(nominal, np.shape(u)), dtype=np.float64)

    def limits(self, nominal: float) -> tuple[float, float]:
        return nominal, nominal

    def deviation(self, nominal: float) -> float:
        return 0.0


@dataclass(frozen=True, kw_only=True)
class Deviating(Distribution):
    """Distributions of a deviation e: the value is nominal (1 + e), or nominal + e where e has a unit.

    `tolerance`: how far it goes, a part of the value such as 0.01 or "1%", or with `unit` ("V", "Ohm", "A", ...) an
    amount, such as "5mV" ("1" for an amount without a unit).

    Raises InputError for a negative tolerance, and for one of 100% or more.
    """

    tolerance: Any
    unit: str = ""

    def __post_init__(self) -> None:
        name = type(self).__name__
        if self.unit and self.unit not in AMOUNTS:
            raise InputError(f"`{name}.unit` = {self.unit!r:.20}: must be one of {', '.join(AMOUNTS)}, or left out")
        tolerance = float(freeze(self.tolerance, f"{name}.tolerance", shape=(), unit=AMOUNTS.get(self.unit, "")))
        if tolerance < 0.0:
            raise InputError(f"`{name}.tolerance` = {tolerance:g}: must not be negative")
        if not self.unit and tolerance >= 1.0:
            raise InputError(
                f"`{name}.tolerance` = {tolerance:g}: is {tolerance:.0%} of the value: must be below 100%; write 0.01 "
                "or '1%' for a percent, and give `unit` for an amount"
            )
        object.__setattr__(self, "tolerance", tolerance)

    @abstractmethod
    def deviations(self, u: Array) -> Array:
        """Return e at the probabilities u."""

    @property
    @abstractmethod
    def spread(self) -> float:
        """The standard deviation of e."""

    def values(self, nominal: Any, u: Array, common: Array | None = None) -> Array:
        return np.asarray(self.applied(nominal, self.deviations(u)))

    def applied(self, nominal: Any, deviations: Any) -> Any:
        """Return the value that deviates so."""
        return nominal + deviations if self.unit else nominal * (1.0 + deviations)

    def limits(self, nominal: float) -> tuple[float, float]:
        ends = self.applied(nominal, -self.tolerance), self.applied(nominal, self.tolerance)
        return min(ends), max(ends)

    def deviation(self, nominal: float) -> float:
        return self.spread * (1.0 if self.unit else abs(nominal))


@dataclass(frozen=True, kw_only=True)
class Uniform(Deviating):
    """e is uniform from -tolerance to tolerance."""

    def deviations(self, u: Array) -> Array:
        return np.asarray(self.tolerance * (2.0 * u - 1.0))

    @property
    def spread(self) -> float:
        return float(self.tolerance) / math.sqrt(3.0)


@dataclass(frozen=True, kw_only=True)
class Normal(Deviating):
    """e is normal with the standard deviation tolerance / `sigmas`; it has no end, 0.27% lie beyond 3 sigmas.

    Raises InputError, besides, for sigmas that are not positive.
    """

    sigmas: float = 3.0

    def __post_init__(self) -> None:
        super().__post_init__()
        sigmas = float(positive(self.sigmas, f"{type(self).__name__}.sigmas", shape=(), unit=""))
        object.__setattr__(self, "sigmas", sigmas)

    def deviations(self, u: Array) -> Array:
        return np.asarray(self.spread * special.ndtri(u))

    @property
    def spread(self) -> float:
        return float(self.tolerance) / self.sigmas


@dataclass(frozen=True, kw_only=True)
class Cut(Normal):
    """A normal, sorted: nothing is beyond the tolerance, and what is within `inner` was sold as a better grade.

    P(|e| <= x) = (F(x) - F(inner)) / (F(tolerance) - F(inner)), F(x) = erf(x / (s sqrt 2)), s = tolerance / sigmas.
    With inner = 0 it is a normal that ends at the tolerance. Raises InputError for inner not from 0 to below it.
    """

    inner: Any

    def __post_init__(self) -> None:
        super().__post_init__()
        inner = float(freeze(self.inner, "Cut.inner", shape=(), unit=AMOUNTS.get(self.unit, "")))
        if not 0.0 <= inner < self.tolerance:
            raise InputError(
                f"`Cut.inner` = {inner:g}: must be from 0 to below the tolerance, {self.tolerance:g}; nothing is left"
            )
        object.__setattr__(self, "inner", inner)

    @property
    def _sigma(self) -> float:
        return float(self.tolerance) / self.sigmas

    def deviations(self, u: Array) -> Array:
        ends = special.erf(np.array([self.inner, self.tolerance]) / (self._sigma * math.sqrt(2.0)))
        side = 2.0 * np.asarray(u) - 1.0
        within = ends[0] + np.abs(side) * (ends[1] - ends[0])
        sizes = np.clip(self._sigma * math.sqrt(2.0) * special.erfinv(within), self.inner, self.tolerance)
        return np.asarray(np.copysign(sizes, side))

    @property
    def spread(self) -> float:
        """Of e, sqrt(E e^2): s^2 (1 - (b f(b) - a f(a)) / (F(b) - F(a))), a and b the ends in sigmas, F one-sided."""
        a, b = self.inner / self._sigma, self.sigmas
        density = [math.exp(-x * x / 2.0) / math.sqrt(2.0 * math.pi) for x in (a, b)]
        mass = float(special.ndtr(b) - special.ndtr(a))
        return self._sigma * math.sqrt(max(1.0 - (b * density[1] - a * density[0]) / mass, 0.0))


@dataclass(frozen=True, kw_only=True)
class Lot(Distribution):
    """Parts of one lot: e = c + o, c drawn once for all of them and o for each.

    `common`, `own`: distributions of deviations, both of the value or both in one unit. `name`: parts whose lots have
    one name are of one lot, whatever they are; without a name a lot is all that one rule applies to.

    Raises InputError for other distributions, and for units that differ.
    """

    common: Deviating
    own: Deviating
    name: str = ""
    shares: ClassVar[bool] = True

    def __post_init__(self) -> None:
        for which in ("common", "own"):
            given = getattr(self, which)
            if not isinstance(given, Deviating):
                raise InputError(f"`Lot.{which}` = {given!r:.60}: must be a Uniform, a Normal or a Cut")
        if self.common.unit != self.own.unit:
            raise InputError(
                f"`Lot`: its parts are in {self.common.unit or 'parts'!r} and {self.own.unit or 'parts'!r}"
            )
        if not self.own.unit and self.common.tolerance + self.own.tolerance >= 1.0:
            raise InputError(
                f"`Lot`: the tolerances add up to {self.common.tolerance + self.own.tolerance:.0%}: must be below 100%"
            )
        if not isinstance(self.name, str):
            raise InputError(f"`Lot.name` = {self.name!r:.40}: must be a text")

    def values(self, nominal: Any, u: Array, common: Array | None = None) -> Array:
        shared = np.full(np.shape(u), MIDDLE) if common is None else common
        return np.asarray(self.own.applied(nominal, self.common.deviations(shared) + self.own.deviations(u)))

    def limits(self, nominal: float) -> tuple[float, float]:
        most = self.common.tolerance + self.own.tolerance
        ends = self.own.applied(nominal, -most), self.own.applied(nominal, most)
        return min(ends), max(ends)

    def deviation(self, nominal: float) -> float:
        return math.hypot(self.common.deviation(nominal), self.own.deviation(nominal))


@dataclass(frozen=True, kw_only=True)
class MinTypMax(Distribution):
    """Between the figures of a data sheet, whatever the nominal value is: a triangle with its peak at the typical one.

    `minimum`, `typical`, `maximum`: numbers in SI units, or texts with `unit`. An end that the sheet leaves out lies as
    far on the other side; where that is beyond 0 and the others are positive, in the same ratio.

    A triangle, as both ends are limits that parts are tested to, so nothing is beyond, and it needs no further figure:
    a split normal has a standard deviation that no sheet states. Its own, sqrt((a^2 + b^2 + c^2 - ab - ac - bc) / 18),
    is wider than that of a normal of 3 sigmas, so a yield rather comes out too low. The peak is the typical value; its
    mean, (a + b + c) / 3, is not where the ends are uneven.

    Raises InputError for ends without order, and where both are left out.
    """

    minimum: Any = None
    typical: Any
    maximum: Any = None
    unit: str = ""

    def __post_init__(self) -> None:
        low, mid, high = (
            None if given is None else float(freeze(given, f"MinTypMax.{name}", shape=(), unit=self.unit))
            for name, given in (("minimum", self.minimum), ("typical", self.typical), ("maximum", self.maximum))
        )
        if mid is None or (low is None and high is None):
            raise InputError("`MinTypMax`: must have the typical value and a minimum or a maximum; Fixed() has no ends")
        low = _mirrored(mid, high) if low is None and high is not None else low
        high = _mirrored(mid, low) if high is None and low is not None else high
        assert low is not None
        assert high is not None
        if not low <= mid <= high:
            raise InputError(f"`MinTypMax`: {low:g}, {mid:g}, {high:g}: must be minimum <= typical <= maximum")
        for name, value in (("minimum", low), ("typical", mid), ("maximum", high)):
            object.__setattr__(self, name, value)

    def values(self, nominal: Any, u: Array, common: Array | None = None) -> Array:
        a, c, b = (float(end) for end in (self.minimum, self.typical, self.maximum))
        if a == b:
            return np.full(np.shape(u), float(c))
        u = np.asarray(u)
        rising = a + np.sqrt(u * (b - a) * (c - a))
        falling = b - np.sqrt((1.0 - u) * (b - a) * (b - c))
        return np.asarray(np.where(u * (b - a) < c - a, rising, falling))

    def limits(self, nominal: float) -> tuple[float, float]:
        return self.minimum, self.maximum

    def deviation(self, nominal: float) -> float:
        a, c, b = self.minimum, self.typical, self.maximum
        return math.sqrt((a * a + b * b + c * c - a * b - a * c - b * c) / 18.0)


def _mirrored(typical: float, end: float) -> float:
    other = 2.0 * typical - end
    return typical * typical / end if typical > 0.0 and end > 0.0 and other <= 0.0 else other


def as_distribution(value: Any, name: str, *, unit: str = "", is_deviation: bool = False) -> Distribution:
    """Return a distribution as it is, or from a number: Uniform of a tolerance, or Normal of a standard deviation.

    0 is Fixed. Raises InputError for anything else.
    """
    if isinstance(value, Distribution):
        return value
    number = float(freeze(value, name, shape=(), unit=unit))
    if number < 0.0 or (not unit and number >= 1.0):
        raise InputError(f"`{name}` = {number:g}: must not be negative, and tolerances below 1 (100%)")
    if number == 0.0:
        return Fixed()
    return Normal(tolerance=number, sigmas=1.0, unit=unit) if is_deviation else Uniform(tolerance=number, unit=unit)
