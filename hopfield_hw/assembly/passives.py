"""Resistors and capacitors: values as text, footprints, and what is bought."""

from __future__ import annotations

from typing import NamedTuple

from ..parts import Capacitor, Resistor

RESISTOR_TOLERANCE = "1%"  # as `hopfield_hw.production.usual` has it, and capacitors of 5%


class Kind(NamedTuple):
    """Capacitors up to a size, farads: footprint, dielectric, tolerance."""

    most: float
    footprint: str
    dielectric: str
    tolerance: str


CAPACITORS = (
    Kind(22.5e-9, "C_0805", "C0G", "5%"),
    Kind(100.5e-9, "C_1206", "C0G", "5%"),
    Kind(1.005e-6, "C_1812", "film", "5%"),
    Kind(float("inf"), "C_1812", "X7R", "10%"),
)
DECOUPLING_FIELDS = {"Tolerance": "10%", "Dielectric": "X7R"}
PREFIXES = {9: "G", 6: "Meg", 3: "k", 0: "", -3: "m", -6: "u", -9: "n", -12: "p", -15: "f"}


def value_text(value: float) -> str:
    """Return a value as SPICE and people read it: 4.99k, 100n, 1.2Meg; with as many digits as it is exact to 1e-12."""
    digits, _, exponent = f"{value:.12e}".partition("e")
    power = min(max(3 * (int(exponent) // 3), min(PREFIXES)), max(PREFIXES))
    shift = int(exponent) - power
    return f"{float(f'{digits}e{shift}'):.13g}{PREFIXES[power]}"


def resistor_fields(part: Resistor) -> dict[str, str]:
    """Return the fields of a resistor: its tolerance, and its temperature coefficient where it has one."""
    drift = {"TempCo": f"{part.drift * 1e6:+.6g} ppm/K"} if part.drift else {}
    return {"Tolerance": RESISTOR_TOLERANCE, **drift}


def capacitor_kind(part: Capacitor) -> Kind:
    """Return footprint, dielectric and tolerance of a capacitor that is no decoupling."""
    return next(kind for kind in CAPACITORS if part.capacitance <= kind.most)
