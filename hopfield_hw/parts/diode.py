"""Diodes: signal diodes, and zener diodes by their breakdown voltage."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import ClassVar

from ..values.errors import InputError
from .part import Part


@dataclass(frozen=True, slots=True, kw_only=True)
class Diode(Part):
    """i = I_S (exp((v - R_S i) / (N V_T)) - 1), and -I_B exp(-(v + V_B) / (N_B V_T)) in breakdown (Shockley 1949).

    `saturation_current`: I_S at 27 degrees Celsius, amperes; it rises with temperature as SPICE has it (EG = 1.11,
    XTI = 3). `emission`: N. `resistance`: R_S, ohms. `capacitance`: of the junction at 0 V, farads. `breakdown`: V_B,
    volts, the reverse voltage at `breakdown_current`, I_B, amperes; infinite where it has none.
    `breakdown_drift`: of V_B, volts by kelvin. `breakdown_emission`: N_B. `product`: what is bought.
    """

    saturation_current: float
    emission: float = 1.0
    resistance: float = 0.0
    capacitance: float = 0.0
    breakdown: float = math.inf
    breakdown_current: float = 5e-3
    breakdown_drift: float = 0.0
    breakdown_emission: float = 1.0
    product: str = field(default="", compare=False)
    what: ClassVar[str] = "diode"
    ports = ("anode", "cathode")
    units: ClassVar[Mapping[str, str]] = MappingProxyType(
        {
            "saturation_current": "A",
            "emission": "",
            "resistance": "Ohm",
            "capacitance": "F",
            "breakdown_current": "A",
            "breakdown_drift": "V/K",
            "breakdown_emission": "",
        }
    )
    positive: ClassVar[frozenset[str]] = frozenset(
        {"saturation_current", "emission", "breakdown_current", "breakdown_emission"}
    )

    @property
    def physical(self) -> bool:
        return True

    @property
    def value(self) -> None:
        return None

    def check(self, name: str) -> None:
        super(Diode, self).check(name)
        for what in ("resistance", "capacitance"):
            if getattr(self, what) < 0.0:
                raise InputError(f"device {name}: {what} = {getattr(self, what)}: must not be negative")
        if type(self.breakdown) is not float or math.isnan(self.breakdown) or self.breakdown <= 0.0:
            raise InputError(f"device {name}: breakdown = {self.breakdown!r:.40} V: must be positive, or infinite")


# Typical, an estimate: 0.69 V at 10 mA, where sheets say at most 1 V; 4 pF at most.
D1N4148 = Diode(saturation_current=2.52e-9, emission=1.752, resistance=0.568, capacitance=4e-12, product="1N4148")
# 6.2 V at 5 mA (5.8 to 6.6), at most 10 Ohm there, 0.4 to 3.7 mV/K (BZX84C series, characteristics table); the middle
# of that range, and an estimate of the knee and of the junction: 0.72 V at 10 mA, where the sheet says at most 0.9 V.
# Its rise cancels the fall of a forward junction. A saturation current below the tolerance of currents would let
# ngspice take a false balance between two of them.
BZX84C6V2 = Diode(
    saturation_current=1e-10,
    emission=1.5,
    resistance=2.0,
    capacitance=1.5e-10,
    breakdown=6.2,
    breakdown_drift=2.05e-3,
    product="BZX84C6V2",
)
