"""The figures of an op-amp: their units, what they are of an ideal one, and which values can be."""

from __future__ import annotations

import math
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from ..values.errors import InputError

SUPPLIES = ("supply_plus", "supply_minus")
UNITS: Mapping[str, str] = MappingProxyType(
    {
        "offset": "V",
        "bias_current": "A",
        "offset_current": "A",
        "gain": "V/V",
        "gain_bandwidth": "Hz",
        "phase_margin": "deg",
        "slew_rate": "V/s",
        "output_resistance": "Ohm",
        "source_current": "A",
        "sink_current": "A",
        "headroom_plus": "V",
        "headroom_minus": "V",
        "headroom_plus_resistance": "Ohm",
        "headroom_minus_resistance": "Ohm",
        "supply_current": "A",
        "common_mode_rejection": "dB",
        "supply_rejection": "dB",
        "common_mode_plus": "V",
        "common_mode_minus": "V",
        "voltage_noise": "V/sqrt(Hz)",
        "noise_corner": "Hz",
        "current_noise": "A/sqrt(Hz)",
        "input_capacitance": "F",
        "differential_capacitance": "F",
        "input_resistance": "Ohm",
        "load": "Ohm",
        "supply_plus": "V",
        "supply_minus": "V",
        "nominal_supply": "V",
        "least_supply": "V",
        "most_supply": "V",
    }
)
# What each figure is in an amplifier without that imperfection; of gain and bandwidth, more than any part has.
IDEAL: Mapping[str, float] = MappingProxyType(
    {
        "offset": 0.0,
        "bias_current": 0.0,
        "offset_current": 0.0,
        "gain": 1e9,
        "gain_bandwidth": 1e11,
        "phase_margin": 90.0,
        "slew_rate": math.inf,
        "output_resistance": 1e-3,
        "source_current": math.inf,
        "sink_current": math.inf,
        "headroom_plus": -math.inf,
        "headroom_minus": -math.inf,
        "headroom_plus_resistance": 0.0,
        "headroom_minus_resistance": 0.0,
        "common_mode_rejection": math.inf,
        "supply_rejection": math.inf,
        "input_capacitance": 0.0,
        "differential_capacitance": 0.0,
        "input_resistance": math.inf,
    }
)
POSITIVE = frozenset({"gain", "gain_bandwidth", "phase_margin", "slew_rate", "output_resistance", "load"})
POSITIVE_OR_INFINITE = frozenset(
    {"source_current", "sink_current", "input_resistance", "nominal_supply", "most_supply"}
)
NOT_NEGATIVE = frozenset(
    {
        "supply_current",
        "voltage_noise",
        "noise_corner",
        "current_noise",
        "input_capacitance",
        "differential_capacitance",
    }
)


def check_figure(name: str, value: float, unit: str) -> None:
    """Raise InputError for a figure that cannot be."""
    found = f"`MacroModel.{name}` = {value:g} {unit}"
    if math.isnan(value):
        raise InputError(f"{found}: must be a number")
    if name == "phase_margin" and not 0.0 < value <= 90.0:
        raise InputError(f"{found}: must be above 0 and at most 90 degrees")
    if name in POSITIVE and not (value > 0.0 and (name == "slew_rate" or value < math.inf)):
        raise InputError(f"{found}: must be positive" + ("" if name == "slew_rate" else " and finite"))
    if name in POSITIVE_OR_INFINITE and not value > 0.0:
        raise InputError(f"{found}: must be positive")
    if name in NOT_NEGATIVE and not 0.0 <= value < math.inf:
        raise InputError(f"{found}: must not be negative, and finite")
    if name.startswith("headroom") and not (value >= 0.0 or (value == -math.inf and "resistance" not in name)):
        raise InputError(f"{found}: must not be negative")
    if name in ("offset", "bias_current", "offset_current", *SUPPLIES) and not math.isfinite(value):
        raise InputError(f"{found}: must be finite")


def check_supplies(supplies: Any) -> tuple[float, float]:
    """Return the voltages of two rails, the upper one first. Raises InputError for what is not that."""
    try:
        upper, lower = (float(value) for value in supplies)
    except (TypeError, ValueError):
        raise InputError(f"`supplies` = {supplies!r:.60}: must be two voltages, the upper one first") from None
    if not (math.isfinite(upper) and math.isfinite(lower) and upper > lower):
        raise InputError(f"`supplies` = {upper:g} V, {lower:g} V: must be two voltages, the upper one first")
    return upper, lower
