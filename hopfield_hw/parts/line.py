"""The lossless transmission line: a delay, ideal."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import ClassVar

from .part import Part


@dataclass(frozen=True, slots=True)
class Line(Part):
    """A lossless transmission line: impedance, ohms; delay, seconds; the voltage along it before t = 0, volts."""

    delay: float
    impedance: float
    initial: float = 0.0
    what: ClassVar[str] = "transmission line"
    ports = ("near", "near_minus", "far", "far_minus")
    units: ClassVar[Mapping[str, str]] = MappingProxyType({"delay": "s", "impedance": "Ohm", "initial": "V"})
    positive: ClassVar[frozenset[str]] = frozenset({"delay", "impedance"})
