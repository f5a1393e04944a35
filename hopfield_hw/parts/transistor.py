"""The bipolar transistor, and those that a matched pair has."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import ClassVar, Literal

from ..values.errors import InputError
from .part import Part


@dataclass(frozen=True, slots=True)
class Transistor(Part):
    """A bipolar transistor (Gummel and Poon 1970): forward current gain, saturation current A, Early voltage V.

    An infinite Early voltage is one that is not there. `polarity`: "npn" or "pnp". `product`: what is bought.
    The saturation current is that at 27 degrees Celsius, and rises as SPICE has it (EG = 1.11, XTI = 3).
    """

    beta: float
    saturation_current: float
    early_voltage: float
    polarity: Literal["npn", "pnp"] = "npn"
    product: str = field(default="", compare=False)
    what: ClassVar[str] = "bipolar transistor"
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
        if self.polarity not in ("npn", "pnp"):
            raise InputError(f"device {name}: polarity = {self.polarity!r:.40}: must be npn or pnp")


# One half of an SSM2212: a current gain of 600 and an offset of 10 uV between the halves, typical (Analog Devices,
# SSM2212 data sheet, general description); saturation current and Early voltage are typical estimates.
SSM2212 = Transistor(beta=600.0, saturation_current=1e-13, early_voltage=150.0, product="SSM2212")
