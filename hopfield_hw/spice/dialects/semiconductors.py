"""Diodes, transistors and OTAs as `.model` and `.subckt`."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from ...circuit import Device, Origin, Role
from ...parts import OTA, Diode, Transistor
from ...parts.op_amp import word as as_word

if TYPE_CHECKING:
    from .dialect import Dialect


def number(value: float) -> str:
    """Return a number as short as it is exact to 1e-12, with an exponent, never an SI suffix (`1M` is one milli)."""
    return f"{value:.13g}"


def semiconductor_name(part: Transistor | Diode | OTA) -> str:
    """Return the name of a model, the same for equal ones and for those alone: its kind and its parameters."""
    if isinstance(part, Transistor):
        return f"{part.polarity}_" + "_".join(map(as_word, (part.beta, part.saturation_current, part.early_voltage)))
    if isinstance(part, Diode):
        return "diode_" + "_".join(as_word(getattr(part, name)) for name in (*part.units, "breakdown"))
    return "ota_" + "_".join(as_word(getattr(part, name)) for name in part.units)


def format_transistor(part: Transistor) -> str:
    """Return the `.model` of a transistor."""
    early = "" if part.early_voltage == math.inf else f" VAF={number(part.early_voltage)}"
    what = f"{part.polarity.upper()}(IS={number(part.saturation_current)} BF={number(part.beta)}{early})"
    return f".model {semiconductor_name(part)} {what}"


def format_diode(diode: Diode, dialect: Dialect) -> str:
    """Return the `.model` of a diode."""
    words = [f"IS={number(diode.saturation_current)}", f"N={number(diode.emission)}"]
    for key, value in (("RS", diode.resistance), ("CJO", diode.capacitance)):
        words += [f"{key}={number(value)}"] if value != 0.0 else []
    if diode.breakdown != math.inf:
        words += [f"BV={number(diode.breakdown)}", f"IBV={number(diode.breakdown_current)}"]
        words += [f"NBV={number(diode.breakdown_emission)}"]
        words += [dialect.format_breakdown_drift(diode)] if diode.breakdown_drift != 0.0 else []
    return f".model {semiconductor_name(diode)} D({' '.join(words)})"


def format_ota(ota: OTA, dialect: Dialect) -> list[str]:
    """Return the `.subckt` of an OTA with its transistors and their models."""
    lines = [f".subckt {semiconductor_name(ota)} {' '.join(ota.ports)}"]
    models: dict[str, None] = {}
    for element in ota.elements():
        device = Device(f"Q_{element.name}", element.part, element.nodes, Origin("", Role.FUNCTION, ()))
        line, *more = dialect.format_device(device, {})
        if isinstance(element.part, Transistor):
            collector, base, _ = element.nodes
            line += dialect.format_conducting(element.part, as_diode=collector == base)
            models[format_transistor(element.part)] = None
        lines += [line, *more]
    return [*lines, *models, f".ends {semiconductor_name(ota)}"]
