"""What only a board has: connectors, test points, and the resistors and switches that bring states to their start."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from ..circuit import GROUND as GROUND_NODE
from ..circuit import Device, Origin, Role
from ..parts import Capacitor, OpAmp, Resistor, Switch, VoltageSource
from .assembly import POWER, ROOT
from .component import GROUND, Component
from .groups import SHARED_GROUP, Group
from .nets import is_supply
from .plan import Plan, board_resistor, single
from .references import SECOND
from .sections import switch_package

RESET = "RESET"
RESET_OHMS = 1e3  # where no board says what holds its states
SERIES_OHMS, PULL_OHMS = 10e3, 100e3
MOST_PINS = 40  # of a header in one row
# Connectors by number: power, inputs, outputs, start, clock, and the jumper of the reset.
CONNECTORS = ("power", "inputs", "outputs", "start", "clock", "reset")
FREE_TEST_POINT = 4  # of a neuron: behind its state, its output and its complement
STEP = 10  # between the numbers of the headers of one purpose


class Reset(NamedTuple):
    """The switches of a board's reset, in their order, as devices; their resistors; and what the start connector has.

    `starts`: nets, each with the sign that the state has of its voltage.
    """

    switches: tuple[tuple[Device, Group], ...]
    resistors: tuple[Component, ...]
    starts: tuple[tuple[str, float], ...]


def plan_reset(plan: Plan, control: str) -> Reset:
    """Return the reset of each state: a switch and a resistor across its capacitor.

    Where the capacitor is across an op-amp, a second switch takes as much from a pin of the start connector to the
    summing node: both closed, the op-amp gives the negative of what is applied, 0 V where nothing is. A capacitor to
    ground is shorted to it; those of a sample-and-hold only while its clocks are low.
    """
    switches: list[tuple[Device, Group]] = []
    resistors: list[Component] = []
    starts: list[tuple[str, float]] = []
    names = plan.nets.names
    loops = {frozenset((d.nodes[1], d.nodes[2])): d.nodes[1] for d in plan.devices if isinstance(d.part, OpAmp)}
    capacitors = _state_capacitors(plan)
    of_states = plan.reset_ohms or (RESET_OHMS,) * len(plan.circuit.states)
    for group, probe, ohms in zip(plan.groups.neurons, plan.circuit.states, of_states, strict=True):
        for what, device in capacitors.get(group.number, ()):
            at = loops.get(frozenset(device.nodes))
            role = f"{what}_{probe.label}"
            inner = plan.nets.new(role.upper())
            if at is None:
                hot, cold = (n for n in sorted(device.nodes, key=lambda node: node == GROUND_NODE))
                ends, other = names[hot], names[cold]
            else:
                ends, other = names[at], names[next(node for node in device.nodes if node != at)]
            switches.append((_switch(role, (ends, inner, control)), group))
            reference = plan.references.hardware(group, what)
            resistors.append(board_resistor(reference, ohms, f"{role}_resistor", group, (inner, other)))
            if at is None:
                continue
            role = f"preset_{probe.label}"
            start, inner = plan.nets.new(f"START_{probe.label}"), plan.nets.new(role.upper())
            switches.append((_switch(role, (inner, ends, control)), group))
            reference = plan.references.hardware(group, "preset")
            resistors.append(board_resistor(reference, ohms, f"{role}_resistor", group, (start, inner)))
            starts.append((start, -probe.scale))
    return Reset(tuple(switches), tuple(resistors), tuple(starts))


def _state_capacitors(plan: Plan) -> dict[int, list[tuple[str, Device]]]:
    """Return by number of a neuron the capacitors that hold its state."""
    words = {Role.CAPACITANCE: "reset", Role.SLAVE: "reset", Role.MASTER: "reset_master"}
    found: dict[int, list[tuple[str, Device]]] = {}
    for device in plan.devices:
        role = device.origin.role
        if isinstance(device.part, Capacitor) and role in words:
            found.setdefault(plan.groups.of(device).number, []).append((words[role], device))
    return found


def _switch(role: str, nets: tuple[str, str, str]) -> Device:
    """Return a switch that no circuit has, its nodes nets already."""
    return Device(role, Switch(100.0, 1e12), (*nets, GROUND), Origin("reset", Role.PRESET, ()))


def reset_control(plan: Plan, control: str) -> Iterator[Component]:
    """Yield the jumper that closes the switches of the reset, and the resistors at their control."""
    assert plan.nets.rails is not None
    upper, lower = plan.nets.rails
    package = switch_package(plan.nets)
    jumper = plan.nets.new(f"{RESET}_JUMPER")
    yield from connector("reset", "Reset: closed", [upper, jumper], POWER)
    at = plan.references.at
    yield board_resistor(at("R", SHARED_GROUP, 1), SERIES_OHMS, "reset_series", SHARED_GROUP, (jumper, control))
    off = GROUND if "ground" in package.supply.values() else lower
    yield board_resistor(at("R", SHARED_GROUP, 2), PULL_OHMS, "reset_pull", SHARED_GROUP, (control, off))


def connectors(plan: Plan, reset: Reset) -> Iterator[Component]:
    """Yield the connectors of supplies, inputs, outputs, start voltages and clocks."""
    nets = plan.nets
    positive = [net for net, volts in nets.supplies.items() if volts > 0.0]
    yield from connector(
        "power", "Power", [*positive, GROUND, *(net for net in nets.supplies if net not in positive)], POWER
    )
    by_name = {device.name: device for device in plan.devices}
    yield from _signals("inputs", "Inputs", (by_name[name].nodes[0] for name in plan.circuit.inputs), plan)
    yield from _signals("outputs", "Outputs", (probe.node for probe in plan.circuit.outputs), plan)
    if reset.starts:
        turned = any(sign < 0.0 for _, sign in reset.starts)
        note = {"Note": "states begin at the negative of what is applied"} if turned else {}
        yield from connector("start", "Start", [*(net for net, _ in reset.starts), GROUND], ROOT, note)
    clocks = [d for d in plan.devices if isinstance(d.part, VoltageSource) and d.origin.role == Role.CLOCK]
    if clocks:
        levels = "0 V and +5 V" if "ground" in switch_package(nets).supply.values() else "those of the supplies"
        note = {"Note": f"levels: {levels}; 0 V and 1 V in a simulation"}
        yield from connector("clock", "Clock", [*(nets.names[d.nodes[0]] for d in clocks), GROUND], ROOT, note)


def _signals(what: str, value: str, nodes: Iterable[str], plan: Plan) -> Iterator[Component]:
    found = [plan.nets.names[node] for node in dict.fromkeys(nodes)]
    if found:
        yield from connector(what, value, [*found, GROUND], ROOT)


def connector(
    what: str, value: str, nets: Sequence[str], sheet: str, fields: dict[str, str] | None = None
) -> Iterator[Component]:
    """Yield the headers of one purpose; where one has not pins enough, each further one ends with ground too."""
    number = CONNECTORS.index(what) + 1
    size = MOST_PINS - 1
    rows = (
        [list(nets)]
        if len(nets) <= MOST_PINS
        else [[*nets[first : min(first + size, len(nets) - 1)], nets[-1]] for first in range(0, len(nets) - 1, size)]
    )
    for k, row in enumerate(rows):
        name, role = f"{len(row):02d}", f"connector_{what}" + (f"_{k + 1}" if k else "")
        pins = {str(pin): net for pin, net in enumerate(row, start=1)}
        reference = f"J{number + STEP * k}"
        yield single(reference, f"Conn_{name}", value, f"HDR_{name}", role, sheet, pins, fields)


def test_points(plan: Plan) -> Iterator[Component]:
    """Yield a test point at ground, each reference, state, output and complement."""
    drivers = {d.nodes[2]: d for d in plan.devices if isinstance(d.part, OpAmp)}
    wanted: list[tuple[str, Group, int]] = [(GROUND_NODE, SHARED_GROUP, 1)]
    for device in plan.devices:
        if isinstance(device.part, VoltageSource) and device.origin.role == Role.SUPPLY:
            if not is_supply(device, plan.circuit):
                wanted.append((device.nodes[0], SHARED_GROUP, 2))
        elif isinstance(device.part, OpAmp) and device.origin.role in (Role.REFERENCE, Role.TAIL_LINE):
            wanted.append((device.nodes[2], SHARED_GROUP, 2))
    for group, probe in zip(plan.groups.neurons, plan.circuit.states, strict=True):
        wanted.append((probe.node, group, 1))
    for probe in plan.circuit.outputs:
        driver = drivers.get(probe.node)
        wanted.append((probe.node, SHARED_GROUP if driver is None else plan.groups.of(driver), 2))
    for device in plan.devices:
        role = device.origin.role
        if isinstance(device.part, Resistor) and role == Role.INVERTER_FEEDBACK and not device.name.endswith(SECOND):
            wanted.append((device.nodes[0], plan.groups.of(device), 3))
    done: set[str] = set()
    taken: set[str] = set()
    for node, group, slot in wanted:
        if node in done:
            continue
        done.add(node)
        while (reference := plan.references.at("TP", group, slot)) in taken:
            slot = slot + 1 if group.number == 0 else max(slot + 1, FREE_TEST_POINT)
        taken.add(reference)
        net = plan.nets.names[node]
        test = f"test_{net}" if net == GROUND else f"test_{node}"
        yield single(reference, "TP", net, "TP_1.5", test, group.sheet, {"1": net}, bought=False)
