"""Faults as changes of the circuit itself, for ngspice: parts open, short, wrong or swapped, amplifiers that are dead.

A part that is open is `OPEN` ohms in its place, one that is short `SHORT` ohms; of a transistor between its collector
and its emitter. An op-amp that is dead is a source in place of its output, at 0 V or at an end of its swing.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import replace
from itertools import pairwise
from typing import Literal, NamedTuple, get_args

from ..board.choice import SYNAPTIC
from ..circuit import GROUND, Circuit, Device, Role
from ..parts import Capacitor, Diode, MacroModel, OpAmp, Part, Resistor, Transistor, VoltageSource

Kind = Literal["open", "short", "times ten", "by ten", "swapped", "dead"]
KINDS: tuple[Kind, ...] = get_args(Kind)
OPEN, SHORT = 1e12, 10.0  # ohms
OHMS: dict[Kind, float] = {"open": OPEN, "short": SHORT}
DECADES: dict[Kind, float] = {"times ten": 10.0, "by ten": 0.1}
SUPPLIES = frozenset({"supply_plus", "supply_minus", GROUND})


class CircuitFault(NamedTuple):
    """One fault: of which part, of which kind, and the devices with it, each in place of the one of its name."""

    part: str
    kind: Kind
    devices: tuple[Device, ...]

    def change(self, circuit: Circuit) -> Circuit:
        """Return the circuit with the fault."""
        changed = {device.name: device for device in self.devices}
        return replace(circuit, devices=tuple(changed.get(device.name, device) for device in circuit.devices))


def left_out_of(circuit: Circuit) -> dict[str, int]:
    """Return how many physical parts have no fault here, by why."""
    found: dict[str, int] = {}
    for device in circuit.devices:
        if device.part.physical and not _has_faults(device):
            why = "other kinds of parts"
            if _across_supplies(device):
                why = "parts across the supplies, which are ideal sources"
            found[why] = found.get(why, 0) + 1
    return found


def list_faults(
    circuit: Circuit, kinds: Collection[Kind] = KINDS, parts: Collection[str] | None = None
) -> tuple[CircuitFault, ...]:
    """Return the faults of those kinds of a circuit, of all its parts by default.

    Swapped are those that follow each other among parts of one kind, within the synapses or outside of them, and whose
    values differ.
    """
    devices = [d for d in circuit.devices if d.part.physical and _has_faults(d)]
    found = [fault for d in devices for fault in _faults_of(d)]
    groups: dict[tuple[type[Part], Role | None], list[Device]] = {}
    for device in devices:
        if isinstance(device.part, Resistor | Capacitor):
            groups.setdefault((type(device.part), _group(device)), []).append(device)
    for group in groups.values():
        for one, other in pairwise(group):
            if one.part.value != other.part.value:
                both = one._replace(part=other.part), other._replace(part=one.part)
                found.append(CircuitFault(f"{one.name} with {other.name}", "swapped", both))
    return tuple(fault for fault in found if fault.kind in kinds and (parts is None or fault.devices[0].name in parts))


def _faults_of(device: Device) -> Iterator[CircuitFault]:
    name, part, nodes, origin = device
    if isinstance(part, OpAmp):
        for volts in dead_levels(device):
            stuck = Device(name, VoltageSource(volts), (nodes[2], GROUND), origin)
            yield CircuitFault(f"{name} at {volts:.3g} V", "dead", (stuck,))
        return
    for kind, ohms in OHMS.items():
        yield CircuitFault(name, kind, (Device(name, Resistor(ohms), (nodes[0], nodes[-1]), origin),))
    for kind, factor in DECADES.items():
        if isinstance(part, Resistor):
            yield CircuitFault(name, kind, (device._replace(part=replace(part, resistance=part.resistance * factor)),))
        elif isinstance(part, Capacitor):
            yield CircuitFault(
                name, kind, (device._replace(part=replace(part, capacitance=part.capacitance * factor)),)
            )


def dead_levels(device: Device) -> tuple[float, ...]:
    """Return where the output of an op-amp may be stuck, volts: at 0, and at the ends of its swing."""
    model = device.part.model if isinstance(device.part, OpAmp) else None
    return (0.0, *model.swing()) if isinstance(model, MacroModel) else (0.0,)


def _has_faults(device: Device) -> bool:
    known = isinstance(device.part, Resistor | Capacitor | Diode | Transistor | OpAmp)
    return known and not _across_supplies(device)


def _across_supplies(device: Device) -> bool:
    return len(device.nodes) == 2 and SUPPLIES.issuperset(device.nodes)


def _group(device: Device) -> Role | None:
    """Return what parts of a kind are swapped among: the synapses, the capacitors of states, or all others."""
    role = device.origin.role
    if role in SYNAPTIC:
        return Role.WEIGHT
    return Role.CAPACITANCE if role == Role.CAPACITANCE else None
