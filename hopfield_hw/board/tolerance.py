"""Component tolerances: a circuit with values drawn from them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from types import MappingProxyType
from typing import NamedTuple
from zlib import crc32

import numpy as np

from ..circuit import Circuit
from ..parts import AD633_TYPICAL, Capacitor, Multiplier, OpAmp, Part, Resistor, Transistor
from ..values.arrays import freeze
from ..values.errors import InputError, NoEffectWarning, warn

# The errors of a multiplier, and how large they typically are.
AD633_ERRORS: Mapping[str, float] = MappingProxyType(
    {field.name: getattr(AD633_TYPICAL, field.name) for field in fields(AD633_TYPICAL) if field.name != "scale"}
)


class Applies(NamedTuple):
    """What a field of a Spread applies to: which parts, in words, and cells that have such (for most networks)."""

    to: type[Part]
    what: str
    cells: str


@dataclass(frozen=True, kw_only=True)
class Spread:
    """How far parts are from their values; 0 by default, which leaves them exact.

    `resistors`, `capacitors`: the tolerance, 0.01 for 1%, in which values lie uniformly. `offset`: of op-amps, volts,
    and `matching`: of the saturation currents of transistors, a part; `multipliers`: the errors of an AD633, in units
    of what its data sheet calls typical. These three are standard deviations of normal distributions. Tolerances may be
    texts such as "1%", and an offset "5mV".

    Raises InputError for negative or infinite values, and tolerances of 1 or more.
    """

    resistors: float = 0.0
    capacitors: float = 0.0
    offset: float = 0.0
    matching: float = 0.0
    multipliers: float = 0.0

    def __post_init__(self) -> None:
        for field in fields(self):
            unit = "V" if field.name == "offset" else ""
            value = float(freeze(getattr(self, field.name), f"Spread.{field.name}", shape=(), unit=unit))
            if value < 0.0 or (value >= 1.0 and field.name in ("resistors", "capacitors")):
                raise InputError(f"`Spread.{field.name}` = {value:g}: must not be negative, and tolerances below 1")
            object.__setattr__(self, field.name, value)


def sample(circuit: Circuit, spread: Spread, *, rng: np.random.Generator) -> Circuit:
    """Return a circuit whose parts are drawn from a spread, each with a random stream keyed by its name.

    An offset of an op-amp is a voltage in series with its non-inverting input. What is ideal in the circuit (sources,
    exact curves and products, resistors that only compute) stays as it is.

    Where a field of the spread applies to no device of the circuit, a NoEffectWarning says so: a yield study would find
    perfect boards.
    """
    for name, value, kind in (
        ("circuit", circuit, Circuit),
        ("spread", spread, Spread),
        ("rng", rng, np.random.Generator),
    ):
        if not isinstance(value, kind):
            raise InputError(f"`{name}` = {value!r:.60}: must be a {kind.__name__}")
    _warn_of_no_effect(circuit, spread)
    seed = int(rng.integers(2**32))
    devices = tuple(
        device._replace(part=_draw(device.part, spread, _stream(seed, device.name))) for device in circuit.devices
    )
    return replace(circuit, devices=devices)


def _stream(seed: int, name: str) -> np.random.Generator:
    """Return the random stream of a device, keyed by its name: it does not depend on the others."""
    return np.random.default_rng([seed, crc32(name.lower().encode())])


def _warn_of_no_effect(circuit: Circuit, spread: Spread) -> None:
    """Say which fields of a spread that are not 0 change no device."""
    asked = [(field, applies) for field, applies in APPLIES.items() if getattr(spread, field) > 0.0]
    kinds = {type(device.part) for device in circuit.devices if device.part.physical}
    idle = [(field, applies) for field, applies in asked if applies.to not in kinds]
    if idle:
        said = "; ".join(f"`Spread.{name}` is of {of.what}, as there are in {of.cells}" for name, of in idle)
        change = "nothing changes" if len(idle) == len(asked) else "only the rest of the spread changes something"
        warn(
            f"sample: {change} in this circuit of cell {circuit.cell!r}, which has no such device: {said}",
            NoEffectWarning,
        )


APPLIES: Mapping[str, Applies] = MappingProxyType(
    {
        "resistors": Applies(
            Resistor, "resistors", "hopfield_tank, inverting_integrator, active_rc, summing_amplifier"
        ),
        "capacitors": Applies(Capacitor, "capacitors", "every cell"),
        "offset": Applies(OpAmp, "op-amps", "inverting_integrator, winner_take_all, active_rc, summing_amplifier"),
        "matching": Applies(Transistor, "transistors", 'ActiveRC(activation="pair")'),
        "multipliers": Applies(Multiplier, "multipliers", 'ActiveRC(multiplier="ad633"), for graphs with products'),
    }
)


def _draw(part: Part, spread: Spread, rng: np.random.Generator) -> Part:
    """Return a part drawn from a spread; an ideal one stays as it is."""
    if not part.physical:
        return part
    match part:
        case Resistor(resistance):
            return replace(part, resistance=resistance * (1.0 + spread.resistors * float(rng.uniform(-1.0, 1.0))))
        case Capacitor(capacitance):
            return replace(part, capacitance=capacitance * (1.0 + spread.capacitors * float(rng.uniform(-1.0, 1.0))))
        case Transistor():
            factor = float(np.exp(spread.matching * rng.normal()))
            return replace(part, saturation_current=part.saturation_current * factor)
        case Multiplier():
            errors = {name: spread.multipliers * size * float(rng.normal()) for name, size in AD633_ERRORS.items()}
            return replace(part, **errors)
        case OpAmp():
            return replace(part, offset=part.offset + spread.offset * float(rng.normal()))
    return part
