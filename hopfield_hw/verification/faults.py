"""Faults planted in a circuit on purpose, to see that a verification finds them."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import NamedTuple

from ..circuit import GROUND, Circuit, Device, Role
from ..parts import Part, Resistor, VoltageGain
from ..values.errors import InputError

INDEX = r"\d{1,9}"
PAIR = rf"{INDEX},{INDEX}"
PLACE = rf"{INDEX}(?:,{INDEX})?"
NUMBER = r"[0-9.]+(?:[eE][-+]?\d+)?"


class Kind(NamedTuple):
    """A kind of fault: how it is written, and the pattern of what follows its name."""

    form: str
    pattern: str


KINDS: Mapping[str, Kind] = MappingProxyType(
    {
        "sign": Kind("sign:I,J", PAIR),
        "swap": Kind("swap:I,J:K,L", f"{PLACE}:{PLACE}"),
        "factor": Kind("factor:I,J:F", f"{PAIR}:{NUMBER}"),
        "missing": Kind("missing:I,J", PAIR),
        "capacitor": Kind("capacitor:I:F", f"{INDEX}:{NUMBER}"),
    }
)
FORMS = ", ".join(kind.form for kind in KINDS.values())


class Fault(NamedTuple):
    """What to plant: the elements of the graph whose devices go wrong, and by which factor."""

    kind: str
    elements: tuple[tuple[int, ...], ...]
    factor: float = 1.0

    def __str__(self) -> str:
        parts = [self.kind, *(",".join(str(k) for k in element) for element in self.elements)]
        return ":".join(parts if self.factor == 1.0 else [*parts, f"{self.factor:g}"])


class Planted(NamedTuple):
    """A circuit with a fault in it, and the names of the devices that are wrong."""

    circuit: Circuit
    devices: tuple[str, ...]

    @property
    def text(self) -> str:
        """Its netlist for ngspice."""
        return self.circuit.netlist()


def parse_fault(text: str) -> Fault:
    """Return the fault of a text such as `sign:3,7` (to 3, from 7). Raises InputError for any other form."""
    name, _, rest = text.partition(":")
    kind = KINDS.get(name)
    if kind is None or re.fullmatch(kind.pattern, rest) is None:
        raise InputError(f"fault {text!r:.60}: must be one of {FORMS}, with indices of neurons from 0 on")
    parts = rest.split(":")
    if name not in ("factor", "capacitor"):
        return Fault(name, tuple(_element(part) for part in parts))
    try:
        factor = float(parts[1])
    except ValueError:
        factor = math.nan
    if not (math.isfinite(factor) and factor > 0.0 and factor != 1.0):
        raise InputError(f"fault {text!r:.60}: its factor must be a positive number other than 1")
    return Fault(name, (_element(parts[0]),), factor)


def plant(circuit: Circuit, fault: Fault, *, operator: str = "syn") -> Planted:
    """Return a circuit with a fault in it, in the devices of the weights of an Affine.

    `sign`: a resistor hangs on the complement of its rail, a transconductance is negated. `swap`: two devices have
    each other's part; an index alone is the leak of that neuron. `factor`: a conductance is multiplied. `missing`: a
    device is not there. `capacitor`: a capacitance is multiplied.

    Raises InputError for an element without a device, and for a swap that would change nothing.
    """
    devices = tuple(_device(circuit, fault, element, operator) for element in fault.elements)
    first = devices[0]
    changed: dict[str, tuple[Device, ...]] = {}
    match fault.kind:
        case "sign":
            changed[first.name] = _flip(circuit, first)
        case "swap":
            changed = _swap(fault, *devices)
        case "missing":
            changed[first.name] = ()
        case _:
            changed[first.name] = (first._replace(part=_scale(first.part, fault.factor)),)
    wrong = tuple(part for device in circuit.devices for part in changed.get(device.name, (device,)))
    return Planted(replace(circuit, devices=wrong), tuple(device.name for device in devices))


def _element(part: str) -> tuple[int, ...]:
    return tuple(int(index) for index in part.split(","))


def _device(circuit: Circuit, fault: Fault, element: tuple[int, ...], operator: str) -> Device:
    size = len(circuit.states)
    beyond = [k for k in element if k >= size]
    if beyond:
        raise InputError(f"fault {fault}: there is no neuron {beyond[0]}; must be 0 to {size - 1}")
    if len(element) == 2:
        found = circuit.devices_from(operator, element, Role.WEIGHT)
    else:
        role = Role.CAPACITANCE if fault.kind == "capacitor" else Role.RESISTANCE
        label = circuit.states[element[0]].label
        of_role = (device for device in circuit.devices if device.origin.role is role)
        found = tuple(device for device in of_role if circuit.label_of(device.origin) == label)
    if not found and len(element) == 2 and circuit.devices_from(operator, element[:1], Role.COMMON_LINE):
        raise InputError(
            f"fault {fault}: {operator}.weights[{element[0]}, {element[1]}] goes over the common line, with others; "
            "plant it in another cell"
        )
    if not found:
        place = f"{operator}.weights[{', '.join(map(str, element))}] is 0"
        what = place if len(element) == 2 else f"no {role} {element[0]}"
        raise InputError(f"fault {fault}: {what}, so no device realises it; choose another")
    return found[0]


def _scale(part: Part, factor: float) -> Part:
    """Return a part with a conductance, or another value, times a factor."""
    if part.conductance is not None:
        return part.with_conductance(factor * part.conductance)
    return part.with_value(factor * (part.value or 0.0))


def _flip(circuit: Circuit, device: Device) -> tuple[Device, ...]:
    """Return the devices in place of one whose sign is wrong: it hangs on the complement, made where there is none."""
    if not isinstance(device.part, Resistor):
        return (device._replace(part=_scale(device.part, -1.0)),)
    rail = device.nodes[0]
    complement = _complements(circuit).get(rail)
    added: tuple[Device, ...] = ()
    if complement is None:
        nodes = {node.lower() for each in circuit.devices for node in each.nodes}
        names = (f"{rail}_n", *(f"{rail}_n{k}" for k in range(len(nodes) + 1)))
        complement = next(name for name in names if name.lower() not in nodes)
        origin = device.origin._replace(role=Role.INVERTER)
        added = (Device(f"E_inv_{rail}", VoltageGain(-1.0), (complement, GROUND, rail, GROUND), origin),)
    return (*added, device._replace(nodes=(complement, *device.nodes[1:])))


def _complements(circuit: Circuit) -> dict[str, str]:
    """Return by node of a rail or of its complement the other one."""
    pairs = [(d.nodes[0], d.nodes[2]) for d in circuit.devices if d.origin.role is Role.INVERTER]
    ends = {d.origin[::2]: d.nodes[0] for d in circuit.devices if d.origin.role is Role.INVERTER_IN}
    backs = {d.origin[::2]: d.nodes[0] for d in circuit.devices if d.origin.role is Role.INVERTER_FEEDBACK}
    pairs += [(backs[place], ends[place]) for place in ends]
    return dict(pairs) | {rail: node for node, rail in pairs}


def _swap(fault: Fault, first: Device, second: Device) -> dict[str, tuple[Device, ...]]:
    if type(first.part) is not type(second.part):
        raise InputError(f"fault {fault}: {first.name} and {second.name} are not of one kind; choose others")
    if first.part == second.part:
        raise InputError(
            f"fault {fault}: {first.name} and {second.name} have the same value, so nothing changes; choose others"
        )
    parts = {first.name: first._replace(part=second.part), second.name: second._replace(part=first.part)}
    return {name: (device,) for name, device in parts.items()}
