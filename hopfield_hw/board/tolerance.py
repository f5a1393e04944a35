"""Parts as they are bought: a circuit with values drawn from their tolerances."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, fields, replace
from types import MappingProxyType
from typing import NamedTuple
from zlib import crc32

import numpy as np

from ..circuit import Circuit, Device, Multiplier, Origin, Transistor
from ..values.arrays import frozen
from ..values.errors import InputError, NoEffectWarning, warn

# Typical errors of an AD633 (Analog Devices data sheet, specifications at 25 degrees Celsius); parts of full scale.
AD633_TYPICAL = Multiplier(
    "x",
    "y",
    "z",
    gain=0.0025,
    x_offset=5e-3,
    y_offset=5e-3,
    z_offset=5e-3,
    x_feedthrough=0.003,
    y_feedthrough=0.001,
    x_nonlinearity=0.004,
    y_nonlinearity=0.001,
)


class Applies(NamedTuple):
    """What a field of a Spread applies to: which devices, in words, and cells that have such (for most networks)."""

    to: Callable[[Device], bool]
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
            value = float(frozen(getattr(self, field.name), f"Spread.{field.name}", shape=(), unit=unit))
            if value < 0.0 or (value >= 1.0 and field.name in ("resistors", "capacitors")):
                raise InputError(f"`Spread.{field.name}` = {value:g}: must not be negative, and tolerances below 1")
            object.__setattr__(self, field.name, value)


def sample(circuit: Circuit, spread: Spread, *, rng: np.random.Generator) -> Circuit:
    """Return a circuit whose parts are drawn from a spread, each from a stream of its own by its name.

    Op-amps are the sources whose origin has the role `op_amp`; an offset is a voltage source in front of the input that
    does not invert. What is ideal in the circuit (other sources, exact curves and products) stays so.

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
    devices = [part for device in circuit.devices for part in _sampled(device, spread, seed)]
    return replace(circuit, devices=tuple(devices))


def _warn_of_no_effect(circuit: Circuit, spread: Spread) -> None:
    """Say which fields of a spread that are not 0 change no device."""
    asked = [(field, applies) for field, applies in APPLIES.items() if getattr(spread, field) > 0.0]
    idle = [(field, applies) for field, applies in asked if not any(map(applies.to, circuit.devices))]
    if idle:
        said = "; ".join(f"`Spread.{name}` is of {of.what}, as there are in {of.cells}" for name, of in idle)
        change = "nothing changes" if len(idle) == len(asked) else "only the rest of the spread changes something"
        warn(
            f"sample: {change} in this circuit of cell {circuit.cell!r}, which has no such device: {said}",
            NoEffectWarning,
        )


def _is_op_amp(device: Device) -> bool:
    return device.origin.role == "op_amp"


def _is_multiplier(device: Device) -> bool:
    return isinstance(device.value, Multiplier) and device.origin.role == "multiplier"


APPLIES: Mapping[str, Applies] = MappingProxyType(
    {
        "resistors": Applies(
            lambda device: device.name[0] == "R" and isinstance(device.value, float),
            "resistors",
            "hopfield_tank, active_sum, op_amps",
        ),
        "capacitors": Applies(
            lambda device: device.name[0] == "C" and isinstance(device.value, float), "capacitors", "every cell"
        ),
        "offset": Applies(_is_op_amp, "op-amps", "active_sum, op_amps, summing_stage"),
        "matching": Applies(
            lambda device: isinstance(device.value, Transistor), "transistors", 'OpAmps(activation="pair")'
        ),
        "multipliers": Applies(_is_multiplier, "multipliers", 'OpAmps(multiplier="ad633"), for graphs with products'),
    }
)


def _sampled(device: Device, spread: Spread, seed: int) -> Iterator[Device]:
    rng = np.random.default_rng([seed, crc32(device.name.lower().encode())])
    value = device.value
    tolerance = {"R": spread.resistors, "C": spread.capacitors}.get(device.name[0])
    if tolerance is not None and isinstance(value, float):
        yield device._replace(value=value * (1.0 + tolerance * float(rng.uniform(-1.0, 1.0))))
    elif isinstance(value, Transistor):
        factor = float(np.exp(spread.matching * rng.normal()))
        yield device._replace(value=value._replace(saturation_current=value.saturation_current * factor))
    elif isinstance(value, Multiplier) and _is_multiplier(device):
        errors = [spread.multipliers * size * float(rng.normal()) for size in AD633_TYPICAL[4:]]
        yield device._replace(value=Multiplier(value.x, value.y, value.z, value.unit, *errors))
    elif _is_op_amp(device) and spread.offset > 0.0:
        output, ground, plus, minus = device.nodes
        shifted = f"{device.name[2:]}_os"
        origin = Origin(device.origin.operator, "offset", device.origin.element)
        yield Device(f"V_{shifted}", (shifted, plus), spread.offset * float(rng.normal()), origin)
        yield device._replace(nodes=(output, ground, shifted, minus))
    else:
        yield device
