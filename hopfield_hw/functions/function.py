"""What an Activate operator may apply: plain functions, and gains, which have an inverse and so an energy."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import ClassVar, Self, TypeAlias

from ..values.arrays import Array
from .expressions import Expression
from .parameters import Parameter, Parametric

Numbers: TypeAlias = float | Array


@dataclass(frozen=True, kw_only=True, eq=False)
class Function(Parametric, ABC):
    """A function of the state x[..., n], element by element; its parameters fit the last axes of x."""

    kind: ClassVar[str]

    @abstractmethod
    def value(self, x: Numbers, out: Array | None = None) -> Array:
        """Return f(x), in `out` where it is given (`out` may be `x` itself)."""

    @abstractmethod
    def derivative(self, x: Numbers) -> Array:
        """Return df/dx, element by element."""

    @property
    @abstractmethod
    def has_corners(self) -> bool:
        """Whether f or its slope jumps somewhere: solvers take short steps there, as an error estimate is blind to it.

        A class states it as an attribute, `has_corners = True`; there is no default, so that none forgets.
        """

    @abstractmethod
    def curve(self) -> Expression:
        """Return f of ARGUMENT as an expression.

        Raises InputError where a parameter is an array: take `.at(i)` first.
        """

    @abstractmethod
    def scale(self, volts: float) -> Self:
        """Return v -> volts f(v / volts): the same curve with `volts` to one unit, on both axes."""

    @abstractmethod
    def compress(self, s: float) -> Self:
        """Return x -> f(x / s): the same range, and 1/s of the slope."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Gain(Function):
    """A monotone function, with an inverse, and so with a term in the energy (Hopfield 1984)."""

    continuous: ClassVar[bool] = True

    @abstractmethod
    def inverse(self, y: Numbers) -> Array:
        """Return f^-1(y) on the closed range (infinite where the range is not attained), and NaN outside it."""

    @abstractmethod
    def inverse_integral(self, y: Numbers) -> Array:
        """Return the integral of f^-1 from f(0) to y, in closed form; the limit at the ends, NaN outside."""

    @property
    @abstractmethod
    def slope(self) -> Parameter:
        """The slope b at zero."""

    @property
    @abstractmethod
    def lower(self) -> Parameter:
        """The lower end of the range."""

    @property
    @abstractmethod
    def upper(self) -> Parameter:
        """The upper end of the range."""
