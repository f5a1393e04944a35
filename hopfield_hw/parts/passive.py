"""Resistors and capacitors."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import ClassVar

from .part import Part


@dataclass(frozen=True, slots=True)
class Resistor(Part):
    """v = R i. `resistance`: ohms. `is_computing`: it turns currents into a voltage for the simulation alone.

    Such a one is ideal: no tolerance applies to it, and no board has it. `drift`: the temperature coefficient, 1/K:
    R (1 + drift (T - 27 degrees Celsius)).
    """

    resistance: float
    is_computing: bool = False
    drift: float = 0.0
    what: ClassVar[str] = "resistor"
    ports = ("a", "b")
    units: ClassVar[Mapping[str, str]] = MappingProxyType({"resistance": "Ohm", "drift": "1/K"})
    positive: ClassVar[frozenset[str]] = frozenset({"resistance"})

    @property
    def physical(self) -> bool:
        return not self.is_computing

    @property
    def conductance(self) -> float:
        return 1.0 / self.resistance

    def with_conductance(self, siemens: float) -> Resistor:
        return replace(self, resistance=1.0 / siemens)


@dataclass(frozen=True, slots=True)
class Capacitor(Part):
    """i = C dv/dt. `capacitance`: farads."""

    capacitance: float
    what: ClassVar[str] = "capacitor"
    ports = ("plus", "minus")
    units: ClassVar[Mapping[str, str]] = MappingProxyType({"capacitance": "F"})
    positive: ClassVar[frozenset[str]] = frozenset({"capacitance"})

    @property
    def physical(self) -> bool:
        return True
