"""Parts as they are bought: a circuit with values drawn from their tolerances."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields, replace
from zlib import crc32

import numpy as np

from ..arrays import frozen
from ..circuit import Circuit, Device, Multiplier, Origin, Transistor
from ..errors import InputError

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


@dataclass(frozen=True, kw_only=True)
class Spread:
    """How far parts are from their values; 0 by default, which leaves them exact.

    `resistors`, `capacitors`: the tolerance, 0.01 for 1%, in which values lie uniformly. `offset`: of op-amps, volts,
    and `matching`: of the saturation currents of transistors, a part; `multipliers`: the errors of an AD633, in units
    of what its data sheet calls typical. These three are standard deviations of normal distributions.

    Raises InputError for negative or infinite values, and tolerances of 1 or more.
    """

    resistors: float = 0.0
    capacitors: float = 0.0
    offset: float = 0.0
    matching: float = 0.0
    multipliers: float = 0.0

    def __post_init__(self) -> None:
        for field in fields(self):
            value = float(frozen(getattr(self, field.name), f"Spread.{field.name}", shape=()))
            if value < 0.0 or (value >= 1.0 and field.name in ("resistors", "capacitors")):
                raise InputError(f"`Spread.{field.name}` = {value:g}: must not be negative, and tolerances below 1")


def sample(circuit: Circuit, spread: Spread, *, rng: np.random.Generator) -> Circuit:
    """Return a circuit whose parts are drawn from a spread, each from a stream of its own by its name.

    Op-amps are the sources whose origin has the role `op_amp`; an offset is a voltage source in front of the input that
    does not invert. What is ideal in the circuit (other sources, exact curves and products) stays so.
    """
    seed = int(rng.integers(2**32))
    devices = [part for device in circuit.devices for part in _sampled(device, spread, seed)]
    return replace(circuit, devices=tuple(devices))


def _sampled(device: Device, spread: Spread, seed: int) -> Iterator[Device]:
    rng = np.random.default_rng([seed, crc32(device.name.lower().encode())])
    kind, value = device.name[0], device.value
    tolerance = {"R": spread.resistors, "C": spread.capacitors}.get(kind)
    if tolerance is not None and isinstance(value, float):
        yield device._replace(value=value * (1.0 + tolerance * float(rng.uniform(-1.0, 1.0))))
    elif isinstance(value, Transistor):
        factor = float(np.exp(spread.matching * rng.normal()))
        yield device._replace(value=value._replace(saturation_current=value.saturation_current * factor))
    elif isinstance(value, Multiplier) and device.origin.role == "multiplier":
        errors = [spread.multipliers * size * float(rng.normal()) for size in AD633_TYPICAL[4:]]
        yield device._replace(value=Multiplier(value.x, value.y, value.z, value.unit, *errors))
    elif device.origin.role == "op_amp" and spread.offset > 0.0:
        output, ground, plus, minus = device.nodes
        shifted = f"{device.name[2:]}_os"
        origin = Origin(device.origin.operator, "offset", device.origin.element)
        yield Device(f"V_{shifted}", (shifted, plus), spread.offset * float(rng.normal()), origin)
        yield device._replace(nodes=(output, ground, shifted, minus))
    else:
        yield device
