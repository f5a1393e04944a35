"""Packages: symbols and footprints with the numbers of their pins, section by section.

Sources: op-amps, the pinouts that single, dual and quad ones share (Texas Instruments TL07xx, SLOS080); SSM2212 and
AD633 in SOIC-8 (Analog Devices; the DIP of the AD633 has other numbers); LM13700 (Texas Instruments SNOSBW2); DG442
(Vishay DG441, DG442); CD4066B (Texas Instruments SCHS051).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType


@dataclass(frozen=True, kw_only=True)
class Package:
    """What holds one section of a part, or several.

    `sections`: of each the pins, in the order of the ports of its part, without those of its supplies. `supply`: by pin
    what it is at: "plus", "minus" or "ground". `tied`: by section further pins of it that are at ground. `spare`: of a
    section that is not used, by pin "ground", "minus", "follow" (joined with its output), or None: left open. `idle`:
    by unit behind the sections, likewise, what no circuit uses. `open_pins`: those that are connected to nothing.
    """

    symbol: str
    footprint: str
    prefix: str = "U"
    sections: tuple[tuple[str, ...], ...]
    supply: Mapping[str, str] = field(default_factory=dict)
    tied: tuple[tuple[str, ...], ...] = ()
    spare: tuple[Mapping[str, str | None], ...] = ()
    idle: tuple[Mapping[str, str | None], ...] = ()
    open_pins: tuple[str, ...] = ()

    @property
    def supply_unit(self) -> int:
        """The number of the unit with the supply pins: the last one."""
        return len(self.sections) + len(self.idle) + 1


def _op_amp(symbol: str, footprint: str, sections: tuple[tuple[str, str, str], ...], plus: str, minus: str) -> Package:
    return Package(
        symbol=symbol,
        footprint=footprint,
        sections=sections,
        supply=MappingProxyType({plus: "plus", minus: "minus"}),
        spare=tuple(MappingProxyType({p: "ground", m: "follow", out: "follow"}) for p, m, out in sections),
        open_pins=("1", "5", "8") if len(sections) == 1 else (),
    )


# By the number of amplifiers; the pins are plus, minus, output.
OP_AMP_PACKAGES: Mapping[int, Package] = MappingProxyType(
    {
        1: _op_amp("OpAmp_Single", "SOIC8", (("3", "2", "6"),), "7", "4"),
        2: _op_amp("OpAmp_Dual", "SOIC8", (("3", "2", "1"), ("5", "6", "7")), "8", "4"),
        4: _op_amp(
            "OpAmp_Quad",
            "SOIC14",
            (("3", "2", "1"), ("5", "6", "7"), ("10", "9", "8"), ("12", "13", "14")),
            "4",
            "11",
        ),
    }
)


def _grounded(*pins: str) -> Mapping[str, str | None]:
    return MappingProxyType(dict.fromkeys(pins, "ground"))


# Collector, base, emitter.
SSM2212 = Package(
    symbol="SSM2212",
    footprint="SOIC8",
    prefix="Q",
    sections=(("1", "2", "3"), ("8", "7", "6")),
    spare=(_grounded("1", "2", "3"), _grounded("8", "7", "6")),
)
# Plus, minus, bias, output. The linearising diodes of a section in use stay open; a buffer's input is grounded.
LM13700 = Package(
    symbol="LM13700",
    footprint="SOIC16",
    sections=(("3", "4", "1", "5"), ("14", "13", "16", "12")),
    supply=MappingProxyType({"11": "plus", "6": "minus"}),
    spare=(
        MappingProxyType({"3": "ground", "4": "ground", "1": None, "5": None}),
        MappingProxyType({"14": "ground", "13": "ground", "16": None, "12": None}),
    ),
    idle=(MappingProxyType({"7": "ground", "8": None}), MappingProxyType({"10": "ground", "9": None})),
)
# Of each section of an LM13700 the pin of its linearising diodes, open.
DIODE_PINS = ("2", "15")
# W, X1, Y1, Z; X2 and Y2 are at ground.
AD633 = Package(
    symbol="AD633",
    footprint="SOIC8",
    sections=(("5", "7", "1", "4"),),
    supply=MappingProxyType({"6": "plus", "3": "minus"}),
    tied=(("8", "2"),),
    spare=(_grounded("7", "1", "4"),),
)


def _switches(
    symbol: str, footprint: str, sections: tuple[tuple[str, str, str], ...], supply: Mapping[str, str], off: str
) -> Package:
    return Package(
        symbol=symbol,
        footprint=footprint,
        sections=sections,
        supply=supply,
        spare=tuple(MappingProxyType({a: "ground", b: "ground", control: off}) for a, b, control in sections),
        open_pins=("12",) if symbol == "DG442" else (),
    )


# Both ends, and the control, which closes the switch when it is high.
DG442 = _switches(
    "DG442",
    "SOIC16",
    (("2", "3", "1"), ("15", "14", "16"), ("10", "11", "9"), ("7", "6", "8")),
    MappingProxyType({"13": "plus", "4": "minus", "5": "ground"}),
    "ground",
)
# Its control has the levels of its supplies, so that an open switch has it at the lower one.
CD4066B = _switches(
    "CD4066B",
    "SOIC14",
    (("1", "2", "13"), ("4", "3", "5"), ("8", "9", "6"), ("11", "10", "12")),
    MappingProxyType({"14": "plus", "7": "minus"}),
    "minus",
)
# By the name of its symbol.
PACKAGES: Mapping[str, Package] = MappingProxyType(
    {package.symbol: package for package in (*OP_AMP_PACKAGES.values(), SSM2212, LM13700, AD633, DG442, CD4066B)}
)
MOST_OF_CD4066B = 18.0  # volts, of the whole supply
