"""The analog switch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import ClassVar

from ..functions.expressions import Argument, Expression
from .part import Part


@dataclass(frozen=True, slots=True)
class Switch(Part):
    """A switch, `off` ohms at a control of 0 V and `on` ohms at 1 V; its conductance is linear between."""

    on: float
    off: float
    what: ClassVar[str] = "switch"
    ports = ("a", "b", "control_plus", "control_minus")
    units: ClassVar[Mapping[str, str]] = MappingProxyType({"on": "Ohm", "off": "Ohm"})
    positive: ClassVar[frozenset[str]] = frozenset({"on", "off"})

    @property
    def sensed(self) -> tuple[int, ...]:
        return (2, 3)

    @property
    def physical(self) -> bool:
        return True

    @property
    def value(self) -> None:
        return None

    def current(self) -> Expression:
        """Return its current as an expression of the voltages of its nodes, in their order."""
        a, b, plus, minus = (Argument(k) for k in range(4))
        return (1.0 / self.off + (1.0 / self.on - 1.0 / self.off) * (plus - minus)) * (a - b)
