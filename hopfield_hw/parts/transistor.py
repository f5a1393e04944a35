"""The bipolar transistor."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import ClassVar

from ..values.errors import InputError
from .part import Part


@dataclass(frozen=True, slots=True)
class Transistor(Part):
    """An NPN transistor (Gummel and Poon 1970): forward current gain, saturation current A, Early voltage V.

    An infinite Early voltage is one that is not there.
    """

    beta: float
    saturation_current: float
    early_voltage: float
    what: ClassVar[str] = "NPN transistor"
    ports = ("collector", "base", "emitter")
    units: ClassVar[Mapping[str, str]] = MappingProxyType({"beta": "A/A", "saturation_current": "A"})
    positive: ClassVar[frozenset[str]] = frozenset({"beta", "saturation_current"})

    @property
    def physical(self) -> bool:
        return True

    @property
    def value(self) -> None:
        return None

    def check(self, name: str) -> None:
        super(Transistor, self).check(name)
        if type(self.early_voltage) is not float or math.isnan(self.early_voltage) or self.early_voltage <= 0.0:
            raise InputError(f"device {name}: early_voltage = {self.early_voltage!r:.40} V: must be positive")
