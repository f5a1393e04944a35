"""The OTA with a bias current, as it is inside: a differential pair, and current mirrors that subtract its currents."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import ClassVar

from .op_amp import Element
from .part import Part
from .transistor import Transistor


@dataclass(frozen=True, slots=True, kw_only=True)
class OTA(Part):
    """i = I_B tanh((v(plus) - v(minus)) / 2 V_T) out of `output`; I_B is the current into `bias`.

    I_B flows into a Wilson mirror whose input lies two junctions above `supply_minus`, and is the tail of a pair. The
    pair's currents go over two PNP Wilson mirrors, one of them over an NPN one besides, to the output. V_T = k T / q:
    the transconductance I_B / 2 V_T falls by 0.33% by kelvin.

    `npn_beta`, `pnp_beta`: current gains. `saturation_current`: A. `early_voltage`: V. `product`: what is bought.
    """

    npn_beta: float
    pnp_beta: float
    saturation_current: float
    early_voltage: float
    product: str = field(default="", compare=False)
    what: ClassVar[str] = "operational transconductance amplifier"
    ports = ("plus", "minus", "bias", "output", "supply_plus", "supply_minus")
    units: ClassVar[Mapping[str, str]] = MappingProxyType(
        {"npn_beta": "A/A", "pnp_beta": "A/A", "saturation_current": "A", "early_voltage": "V"}
    )
    positive: ClassVar[frozenset[str]] = frozenset(units)

    @property
    def sensed(self) -> tuple[int, ...]:
        return ()

    @property
    def physical(self) -> bool:
        return True

    @property
    def value(self) -> None:
        return None

    def elements(self) -> tuple[Element, ...]:
        """Return the transistors that it is made of, between its ports and inner nodes."""
        npn = Transistor(self.npn_beta, self.saturation_current, self.early_voltage)
        return (
            *self._mirror("tail", "npn", "bias", "emitters", "supply_minus"),
            Element("pair_minus", npn, ("left", "minus", "emitters")),
            Element("pair_plus", npn, ("right", "plus", "emitters")),
            *self._mirror("up", "pnp", "left", "down", "supply_plus"),
            *self._mirror("source", "pnp", "right", "output", "supply_plus"),
            *self._mirror("sink", "npn", "down", "output", "supply_minus"),
        )

    def _mirror(self, name: str, polarity: str, into: str, out: str, rail: str) -> Iterator[Element]:
        """Yield a Wilson mirror: its output transistor has its emitter at a diode, whose twin takes the input."""
        kind = (
            Transistor(self.npn_beta, self.saturation_current, self.early_voltage)
            if polarity == "npn"
            else Transistor(self.pnp_beta, self.saturation_current, self.early_voltage, "pnp")
        )
        yield Element(f"{name}_in", kind, (into, f"{name}_base", rail))
        yield Element(f"{name}_diode", kind, (f"{name}_base", f"{name}_base", rail))
        yield Element(f"{name}_out", kind, (out, into, f"{name}_base"))


# Half an LM13700: 9.6 mS at 500 uA typical, which is I_B / 2 V_T, and 0.4 uA typical of input bias there, which is a
# current gain of 600 (National Semiconductor, LM13700, August 2000, electrical characteristics). The PNP gain, the
# saturation current and the Early voltage are typical estimates.
LM13700 = OTA(npn_beta=600.0, pnp_beta=60.0, saturation_current=1e-15, early_voltage=100.0, product="LM13700")
