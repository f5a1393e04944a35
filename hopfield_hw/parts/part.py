"""What a part is: its ports, its parameters with their units, and whether it can be bought."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import ClassVar, Self

from ..values.errors import InputError


class Part:
    """A kind of device with its parameters; a frozen dataclass whose fields are finite floats unless it says else.

    `what`: its name in words. `units`: of its parameters, by name, the main one first; `positive`: those that must be.
    What is physical can be bought and placed; what is ideal is a convenience of simulation.
    """

    __slots__ = ()
    what: ClassVar[str]
    units: ClassVar[Mapping[str, str]] = MappingProxyType({})
    positive: ClassVar[frozenset[str]] = frozenset()

    @property
    def ports(self) -> tuple[str, ...]:
        """Its ports, in the order of a device's nodes; a class states them as an attribute."""
        raise NotImplementedError(type(self).__name__)

    @property
    def sensed(self) -> tuple[int, ...]:
        """The ports that draw no current, so that something else must drive their nodes; by their places."""
        return ()

    @property
    def held(self) -> int | None:
        """The port that it holds at a voltage, as a source does, by its place; None for none."""
        return None

    @property
    def physical(self) -> bool:
        """Whether it can be bought and placed."""
        return False

    @property
    def value(self) -> float | None:
        """The main parameter, in its unit; None for a part without one number that says it all."""
        found = getattr(self, next(iter(self.units))) if self.units else None
        return found if isinstance(found, float) else None

    @property
    def unit(self) -> str:
        """The unit of the main parameter."""
        return next(iter(self.units.values()), "")

    def with_value(self, value: float) -> Self:
        """Return the part with another main parameter. Raises InputError where it has none."""
        if self.value is None:
            raise InputError(f"a {self.what} has no one value: change its parameters with dataclasses.replace")
        return replace(self, **{next(iter(self.units)): value})  # type: ignore[type-var]

    @property
    def conductance(self) -> float | None:
        """Its current by voltage, siemens, of what a weight can be made of; None for other parts."""
        return None

    def with_conductance(self, siemens: float) -> Self:
        """Return the part with another conductance. Raises InputError for a part that has none."""
        raise InputError(f"a {self.what} has no conductance of {siemens:g} S")

    def check(self, name: str) -> None:
        """Raise InputError, with the name of the device, for a parameter that is not finite, or not positive."""
        for field, unit in self.units.items():
            value = getattr(self, field)
            if type(value) is not float:
                raise InputError(f"device {name}: {field} = {value!r:.60}: must be a float (of Python, not of NumPy)")
            if not math.isfinite(value) or (value <= 0.0 and field in self.positive):
                what = "positive and finite" if field in self.positive else "finite"
                raise InputError(f"device {name}: {field} = {value} {unit}: must be {what}")
