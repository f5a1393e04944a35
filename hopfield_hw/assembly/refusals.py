"""What no board holds: a circuit with such a device is refused, with what to choose instead."""

from __future__ import annotations

from collections.abc import Mapping

from ..circuit import GROUND as GROUND_NODE
from ..circuit import Circuit, Device, Role
from ..parts import (
    OTA,
    Behaviour,
    Capacitor,
    CurrentSource,
    Diode,
    IdealGain,
    Line,
    Multiplier,
    OnePole,
    OpAmp,
    Part,
    Resistor,
    Switch,
    Transconductance,
    Transconductor,
    Transistor,
    VoltageGain,
    VoltageSource,
)
from ..values.errors import InputError
from .nets import Nets, is_source
from .products import IN_SOD123, PRODUCTS

FULL_SCALE = 10.0  # volts: what an AD633 divides by
AD633_SUPPLY = (8.0, 18.0)  # volts, of either rail (Analog Devices, AD633 data sheet: power supply)
PARTS_OF_AMPLIFIERS = "an amplifier of parts, such as InvertingIntegrator(amplifier='differential_pair')"
INSTEAD: Mapping[type[Part], str] = {
    Behaviour: f"choose {PARTS_OF_AMPLIFIERS}, or ActiveRC(multiplier='ad633') for products",
    VoltageGain: "choose a cell of op-amps, such as 'inverting_integrator' or 'active_rc'",
    CurrentSource: f"choose {PARTS_OF_AMPLIFIERS}: biases then are resistors from a reference",
    Transconductance: "choose a cell of resistors, such as 'inverting_integrator'",
    Transconductor: "choose the amplifier 'ota', an LM13700, or a cell of resistors",
    Line: "a delay is made of no parts here: leave it out, or build it of all-pass stages",
}
SUPPORTED = (Resistor, Capacitor, Diode, Transistor, OpAmp, OTA, Multiplier, Switch)


def check_parts(circuit: Circuit, nets: Nets) -> None:
    """Raise InputError for the first device that no board holds, with what to choose instead."""
    for device in circuit.devices:
        why = _why_not(device, circuit, nets)
        if why:
            raise InputError(f"assemble: device {device.name}, {why}")


def _why_not(device: Device, circuit: Circuit, nets: Nets) -> str:
    part = device.part
    if is_source(device, circuit) or (isinstance(part, VoltageSource) and _is_reference(device)):
        return ""
    if type(part) in INSTEAD:
        return f"a {part.what}: a board holds parts alone; {INSTEAD[type(part)]}"
    if not isinstance(part, SUPPORTED) or not part.physical:
        return f"a {part.what} that no board has: allowed are {', '.join(kind.what for kind in SUPPORTED)}"
    match part:
        case OpAmp(IdealGain() | OnePole()):
            return (
                f"an op-amp of an ideal model, {type(part.model).__name__}: a board needs one with supplies; give the "
                "cell op_amp='TL074', or another part with a data sheet"
            )
        case Diode() if IN_SOD123.get(part.product) is None:
            return f"a diode {part.product!r}: none that is recorded; allowed are {', '.join(IN_SOD123)}"
        case Transistor() if part.product != "SSM2212":
            return f"a transistor {part.product!r}: none that is recorded; give transistor=SSM2212"
        case OTA() if part.product not in PRODUCTS:
            return f"an OTA {part.product!r}: none that is recorded; give ota=LM13700"
        case Multiplier() if part.scale != FULL_SCALE:
            return f"a multiplier that divides by {part.scale:g} V: an AD633 divides by {FULL_SCALE:g} V"
        case Switch() if device.nodes[3] != GROUND_NODE:
            return f"a switch with a control against {device.nodes[3]!r}: must be against ground"
    if isinstance(part, Multiplier | Switch) and nets.rails is None:
        return f"a {part.what} without supplies: the circuit needs op-amps with two; give the cell op_amp='TL074'"
    if isinstance(part, Multiplier) and not _within(nets, AD633_SUPPLY):
        return (
            f"an AD633 on {', '.join(nets.supplies)}: its rails must be {AD633_SUPPLY[0]:g} V to {AD633_SUPPLY[1]:g} V "
            "on either side; give the op-amps such supplies"
        )
    return ""


def _is_reference(device: Device) -> bool:
    part = device.part
    return (
        isinstance(part, VoltageSource)
        and device.origin.role == Role.SUPPLY
        and isinstance(part.voltage, float)
        and part.voltage != 0.0
        and device.nodes[1] == GROUND_NODE
    )


def _within(nets: Nets, limits: tuple[float, float]) -> bool:
    if nets.rails is None or any(rail not in nets.supplies for rail in nets.rails):
        return False
    upper, lower = (nets.supplies[rail] for rail in nets.rails)
    return limits[0] <= upper <= limits[1] and limits[0] <= -lower <= limits[1]
