"""The operational transconductance amplifier (OTA)."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import ClassVar

from ..functions.expressions import Argument, Expression, tanh
from ..values.errors import InputError
from .part import Part


@dataclass(frozen=True, slots=True)
class Transconductor(Part):
    """An OTA: i = g V_s tanh((v(plus) - v(minus)) / V_s), from `from` to `to`; linear where `linear_range` is infinite.

    `siemens`: g. `linear_range`: V_s, volts: of a bipolar differential pair 2 V_T (52 mV), times what its degeneration
    or attenuation adds.
    """

    siemens: float
    linear_range: float = math.inf
    what: ClassVar[str] = "transconductor"
    ports = ("from", "to", "plus", "minus")
    units: ClassVar[Mapping[str, str]] = MappingProxyType({"siemens": "S"})

    @property
    def sensed(self) -> tuple[int, ...]:
        return (2, 3)

    @property
    def physical(self) -> bool:
        return True

    @property
    def conductance(self) -> float:
        return self.siemens

    def with_conductance(self, siemens: float) -> Transconductor:
        return replace(self, siemens=siemens)

    @property
    def is_linear(self) -> bool:
        """Whether its range has no end."""
        return math.isinf(self.linear_range)

    def current(self) -> Expression:
        """Return its current as an expression of the voltages at plus and minus."""
        v = Argument(0) - Argument(1)
        if self.is_linear:
            return self.siemens * v
        return self.siemens * self.linear_range * tanh(v / self.linear_range)

    def check(self, name: str) -> None:
        super(Transconductor, self).check(name)
        if type(self.linear_range) is not float or not self.linear_range > 0.0:
            raise InputError(f"device {name}: linear_range = {self.linear_range!r:.40} V: must be positive")
