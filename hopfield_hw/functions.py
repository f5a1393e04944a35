"""Functions given by points, coefficients, bounds or groups; and the table of all functions by name.

Of these, Table is a gain, so that a network with it has an energy; the others are plain.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import MISSING, dataclass, fields, replace
from types import MappingProxyType
from typing import Any, ClassVar, Literal, Self, TypeVar

import numpy as np
import numpy.typing as npt

from .arrays import Array, is_whole
from .errors import InputError, Unrealisable
from .gain import SIGMOIDS, Function, Gain, HardLimiter, Numbers, operand
from .names import unknown
from .parameters import Parameter, Series, derived, factor, polynomial, rescaled
from .rectifiers import RECTIFIERS


@dataclass(frozen=True, kw_only=True, eq=False)
class Table(Gain):
    """A measured curve: linear between the points (x, y), flat before the first and after the last.

    `x`: (m,), strictly increasing; `y`: (m,), not decreasing; m at least 2. All elements share them.
    Where the curve is flat, its inverse is the preimage nearest zero. Raises InputError for any other points.
    """

    kind: ClassVar[str] = "table"
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

    def spice(self, x: str) -> str:
        span = self.x[-1] - self.x[0]
        points = zip((self.x[0] - span, *self.x, self.x[-1] + span), (self.y[0], *self.y, self.y[-1]), strict=True)
        return f"pwl({x},{','.join(f'{float(px)!r},{float(py)!r}' for px, py in points)})"

    def scaled(self, volts: float) -> Self:
        volts = factor(volts, "volts", "V")
        return replace(self, x=self.x * volts, y=self.y * volts)

    def compressed(self, s: float) -> Self:
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


@dataclass(frozen=True, kw_only=True, eq=False)
class Identity(Function):
    """f(x) = x."""

    kind: ClassVar[str] = "identity"

    def value(self, x: Numbers, out: Array | None = None) -> Array:
        return np.asarray(np.positive(x, out=out))

    def derivative(self, x: Numbers) -> Array:
        return np.ones(np.shape(x))

    def spice(self, x: str) -> str:
        return x

    def scaled(self, volts: float) -> Self:
        factor(volts, "volts", "V")
        return self

    def compressed(self, s: float) -> Self:
        """Return itself for s = 1. Raises Unrealisable for any other s: the slope is 1."""
        return _uncompressed(self, s)


@dataclass(frozen=True, kw_only=True, eq=False)
class Polynomial(Series, Function):
    """f(x) = sum_k c_k x^k; `coefficients`: (m,), c_0 first."""

    kind: ClassVar[str] = "polynomial"
    shared: ClassVar[frozenset[str]] = frozenset({"coefficients"})
    coefficients: Array

    def value(self, x: Numbers, out: Array | None = None) -> Array:
        return np.asarray(np.positive(polynomial(self.coefficients, x), out=out))

    def derivative(self, x: Numbers) -> Array:
        return polynomial(derived(self.coefficients), x)

    def spice(self, x: str) -> str:
        return _horner(self.coefficients, x, "Polynomial.coefficients")

    def scaled(self, volts: float) -> Self:
        volts = factor(volts, "volts", "V")
        return replace(self, coefficients=volts * rescaled(self.coefficients, volts))

    def compressed(self, s: float) -> Self:
        return replace(self, coefficients=rescaled(self.coefficients, factor(s, "s", "V/V")))


@dataclass(frozen=True, kw_only=True, eq=False)
class Rational(Series, Function):
    """f(x) = sum_k p_k x^k / sum_k q_k x^k; `numerator`: (m,), p_0 first; `denominator`: (l,), q_0 first.

    Raises InputError where the whole denominator is zero.
    """

    kind: ClassVar[str] = "rational"
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

    def spice(self, x: str) -> str:
        numerator = _horner(self.numerator, x, "Rational.numerator")
        return f"({numerator})/({_horner(self.denominator, x, 'Rational.denominator')})"

    def scaled(self, volts: float) -> Self:
        volts = factor(volts, "volts", "V")
        return replace(self.compressed(volts), numerator=volts * rescaled(self.numerator, volts))

    def compressed(self, s: float) -> Self:
        s = factor(s, "s", "V/V")
        return replace(self, numerator=rescaled(self.numerator, s), denominator=rescaled(self.denominator, s))


@dataclass(frozen=True, kw_only=True, eq=False)
class Clip(Function):
    """f(x) = min(max(x, lower), upper); the bounds may be infinite. Raises InputError unless lower <= upper."""

    kind: ClassVar[str] = "clip"
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

    def spice(self, x: str) -> str:
        lower, upper = self._scalar("lower"), self._scalar("upper")
        text = x if upper == math.inf else f"min({upper!r},{x})"
        return text if lower == -math.inf else f"max({lower!r},{text})"

    def scaled(self, volts: float) -> Self:
        volts = factor(volts, "volts", "V")
        return replace(self, lower=self.lower * volts, upper=self.upper * volts)

    def compressed(self, s: float) -> Self:
        """Return itself for s = 1. Raises Unrealisable for any other s: the slope between the bounds is 1."""
        return _uncompressed(self, s)


@dataclass(frozen=True, kw_only=True, eq=False)
class Softmax(Function):
    """f(x)_i = a exp(beta x_i) / sum_j exp(beta x_j), over the j in the group of i.

    `groups`: the sizes of the groups, one after the other along the last axis; None for one group of all.
    `beta`, `amplitude` a: positive; one for all elements ((B, 1) after `stack`).
    """

    kind: ClassVar[str] = "softmax"
    shared: ClassVar[frozenset[str]] = frozenset({"groups"})
    groups: tuple[int, ...] | None = None
    beta: Parameter = 1.0
    amplitude: Parameter = 1.0

    def __post_init__(self) -> None:
        for name, unit in (("beta", "1/V"), ("amplitude", "V")):
            self._freeze(name, unit=unit)
            shape = np.shape(getattr(self, name))
            if shape and (len(shape) != 2 or shape[1] != 1):
                raise InputError(f"`{self._label(name)}` has shape {shape}: must be one number for all elements")
        if self.groups is not None:
            groups = tuple(self.groups)
            if not groups or not all(is_whole(size) and size > 0 for size in groups):
                raise InputError(f"`Softmax.groups` = {self.groups!r:.60}: must be whole numbers, at least 1, or None")
            object.__setattr__(self, "groups", tuple(int(size) for size in groups))

    @property
    def size(self) -> int | None:
        return None if self.groups is None else sum(self.groups)

    def value(self, x: Numbers, out: Array | None = None) -> Array:
        sizes = self._sizes(x)
        starts = np.cumsum(sizes) - sizes
        y = np.asarray(np.multiply(x, self.beta, out=out))
        y -= np.repeat(np.maximum.reduceat(y, starts, axis=-1), sizes, axis=-1)
        np.exp(y, out=y)
        y *= self.amplitude / np.repeat(np.add.reduceat(y, starts, axis=-1), sizes, axis=-1)
        return y

    def derivative(self, x: Numbers) -> Array:
        """Return df_i/dx_i, the diagonal of the Jacobian."""
        y = self.value(x)
        return np.asarray(self.beta * y * (1.0 - y / self.amplitude))

    def jacobian(self, x: Array) -> Array:
        """Return J[..., i, j] = df_i/dx_j = beta f_i (delta_ij - f_j / a), 0 between groups; (..., n, n)."""
        sizes, y = self._sizes(x), self.value(x)
        group = np.repeat(np.arange(sizes.size), sizes)
        share = np.where(group[:, np.newaxis] == group, (y / self.amplitude)[..., np.newaxis, :], 0.0)
        return np.asarray((self.beta * y)[..., np.newaxis] * (np.eye(group.size) - share))

    def at(self, i: int) -> Self:
        raise Unrealisable(self._coupled())

    def spice(self, x: str) -> str:
        raise Unrealisable(self._coupled())

    def scaled(self, volts: float) -> Self:
        volts = factor(volts, "volts", "V")
        return replace(self, beta=self.beta / volts, amplitude=self.amplitude * volts)

    def compressed(self, s: float) -> Self:
        return replace(self, beta=self.beta / factor(s, "s", "V/V"))

    def _sizes(self, x: Numbers) -> npt.NDArray[np.intp]:
        shape = np.shape(x)
        sizes = np.array(shape[-1:] if self.groups is None else self.groups, dtype=np.intp)
        if not shape or sizes.sum() != shape[-1]:
            raise InputError(f"`Softmax` of groups {self.groups}: x has shape {shape}, must end in {self.size or 'n'}")
        return sizes

    def _coupled(self) -> str:
        return "Softmax: couples the elements of a group, so that one element alone has no expression; use another cell"


GAINS: Mapping[str, type[Gain]] = MappingProxyType(
    {
        **{sigmoid.kind: sigmoid for sigmoid in SIGMOIDS},
        "hard_limiter": HardLimiter,
        "table": Table,
    }
)
FUNCTIONS: Mapping[str, type[Function]] = MappingProxyType(
    {
        **GAINS,
        "identity": Identity,
        "polynomial": Polynomial,
        "rational": Rational,
        "clip": Clip,
        "softmax": Softmax,
        **{rectifier.kind: rectifier for rectifier in RECTIFIERS},
    }
)

F = TypeVar("F", bound=Function)


def function_from(kind: str, params: Mapping[str, Any]) -> Function:
    """Return the function of a kind from its parameters: `function_from(f.kind, f.params()) == f`.

    Raises InputError for an unknown kind or parameter, for one that is missing, and for what the class refuses.
    """
    if kind not in FUNCTIONS:
        raise InputError(f"function {unknown('kind', kind, FUNCTIONS)}")
    cls = FUNCTIONS[kind]
    known = {field.name: field for field in fields(cls)}
    for name in params:
        if name not in known:
            raise InputError(f"function {kind!r}: {unknown('parameter', name, known)}")
    missing = [name for name, field in known.items() if field.default is MISSING and name not in params]
    if missing:
        raise InputError(f"function {kind!r}: the parameter {missing[0]!r} is missing; must have {', '.join(known)}")
    return cls(**params)


def stack(functions: Sequence[F]) -> F:
    """Return B functions of one class as one, for x[B, n]: their parameters are stacked to (B, n) or (B, 1).

    Coefficients go to (B, m). The points of a Table and the groups of a Softmax must be the same in all.
    Raises InputError for no functions, for several classes, and for parameters that do not fit together.
    """
    kinds = sorted({type(function).__name__ for function in functions})
    if len(kinds) != 1:
        raise InputError(
            f"stack: found functions of the classes [{', '.join(kinds)}]: must be of one class, at least one"
        )
    first = functions[0]
    names = [field.name for field in fields(first)]
    columns = {name: [getattr(function, name) for function in functions] for name in names}
    return replace(first, **{name: first.stacked_parameter(name, column) for name, column in columns.items()})


def _uncompressed(function: F, s: float) -> F:
    if factor(s, "s", "V/V") == 1.0:
        return function
    raise Unrealisable(
        f"{type(function).__name__}: cannot take the slope 1/{s}, as its slope is 1; leave the scale of the network as "
        "it is, or use PiecewiseLinear or Polynomial, which have a slope of their own"
    )


def _horner(coefficients: Array, x: str, name: str) -> str:
    """Return a polynomial without powers: a power in ngspice is that of the absolute value."""
    if coefficients.ndim > 1:
        raise InputError(f"`{name}` is stacked, with shape {coefficients.shape}: has no SPICE expression")
    *lower, highest = coefficients.tolist()
    text = f"({highest!r})"
    for coefficient in reversed(lower):
        product = f"{operand(x)}*{text}"
        text = product if coefficient == 0.0 else f"({coefficient!r}+{product})"
    return text
