"""Coverage: what a verification could not have seen. For each device, how far it may be off without being noticed."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from types import MappingProxyType
from typing import Any

import numpy as np

from ..circuit import GROUND, Circuit, Device, Role
from ..functions import HardLimiter
from ..graph import Activate, Affine, Graph, Leak, Operator
from ..parts import Resistor
from ..values.report import Report
from .effects import Effects, Kind, Value

# A change is noticed for sure where it makes this times the tolerance.
MARGIN = 2.0
LEVELS = (0.01, 0.05, 0.20)
# What may be off by as much as its own value is not seen at all.
BLIND = 1.0
MOST_NAMED = 8
# More devices than this are not asked for one by one.
MOST_DEVICES = 20_000

# How a device acts that comes from an operator in a role.
ACTS: Mapping[Role, tuple[Kind, ...]] = MappingProxyType(
    {
        Role.WEIGHT: ("weight",),
        Role.BIAS: ("bias",),
        Role.CAPACITANCE: ("capacitance",),
        Role.RESISTANCE: ("resistance",),
        Role.FUNCTION: ("output", "argument"),
        Role.CLAMP: ("output",),
        Role.PRODUCT: ("output",),
        Role.MULTIPLIER: ("output",),
        Role.CONVERTER: ("output",),
        Role.EDGE: ("output",),
        Role.BUFFER: ("output",),
        Role.LINE: ("output", "delay"),
        Role.INTERPOLATION: ("output",),
        Role.STAGE: ("output", "delay"),
        Role.COMPARATOR: ("output",),
        Role.FOLLOWER: ("held",),
    }
)
# Sources of the outside, and what a sample-and-hold needs to be fast enough.
NOT_ASKED = frozenset({Role.INPUT, Role.CLOCK, Role.MASTER, Role.SLAVE})


@dataclass(frozen=True, kw_only=True)
class Coverage(Report):
    """How far each device may be off without being noticed.

    `smallest`: by device, the smallest relative change of its value that would have changed the verdict; infinite where
    none would. `op_amps`: those whose gain does not matter as long as it is high; their inputs are checked for being
    exchanged. `clamps`: resistors of clamps, which only have to be low. `untold`: devices for which nobody knows a
    figure. `asked`: whether it was asked for at all. `what`: devices, or values of the graph where the deck has devices
    of its own.
    """

    smallest: Mapping[str, float]
    op_amps: tuple[str, ...] = ()
    clamps: tuple[str, ...] = ()
    untold: tuple[str, ...] = ()
    asked: bool = True
    what: str = "devices"

    def share(self, level: float) -> float:
        """Return the share of devices of which a change of `level` (0.01: one in a hundred) is noticed; 1 of none."""
        return float(np.mean([size <= level for size in self.smallest.values()])) if self.smallest else 1.0

    @property
    def blind(self) -> tuple[str, ...]:
        """The devices that may be off by their own value, the least seen first."""
        found = sorted((name for name in self.smallest if self.smallest[name] > BLIND), key=lambda n: -self.smallest[n])
        return tuple(found)

    def join(self, other: Coverage) -> Coverage:
        """Return what two runs see together."""
        both = {name: min(size, other.smallest.get(name, np.inf)) for name, size in self.smallest.items()}
        return replace(self, smallest=both)

    def rows(self) -> list[tuple[str, str]]:
        """Return the coverage as (what, value) rows."""
        return [("coverage", line) for line in self.lines()]

    def figures(self) -> dict[str, Any]:
        """Return by name what JSON has of the coverage."""
        return {
            "asked": self.asked,
            "seen": {f"{level:g}": self.share(level) for level in LEVELS} if self.asked else {},
            "smallest": self.smallest,
            "blind": self.blind,
            "op_amps": self.op_amps,
            "clamps": self.clamps,
            "untold": self.untold,
        }

    def lines(self, starts: int = 0) -> list[str]:
        """Return what to say of it, a line each."""
        if not self.asked:
            return [f"not asked for more than {MOST_DEVICES} devices"]
        more = f", with {starts} further start{'s' if starts > 1 else ''}" if starts else ""
        shares = ", ".join(f"{self.share(level):.0%} to {level:.0%}" for level in LEVELS)
        lines = [f"of {len(self.smallest)} {self.what} a change is seen: {shares}{more}"]
        if self.blind:
            lines.append(f"not seen, may be off twofold: {_list_names(self.blind)}")
        if self.op_amps:
            lines.append(f"gain of {len(self.op_amps)} op-amps: only that it is high; inputs checked")
        if self.clamps:
            lines.append(f"resistance of {len(self.clamps)} clamps: only that it is low")
        if self.untold:
            lines.append(f"no figure for {_list_names(self.untold)}")
        return lines


NOTHING = Coverage(smallest=MappingProxyType({}), asked=False)


class Devices:
    """The devices of a circuit, and the values of its graph that they stand for.

    `named`: whether these are the devices of the deck; else the values of the graph are named that they stand for.
    """

    def __init__(self, circuit: Circuit, graph: Graph, *, named: bool = True) -> None:
        self._circuit, self._named = circuit, named
        self._few = len(circuit.devices) <= MOST_DEVICES
        asked = [d for d in circuit.devices if self._few and d.origin.role not in NOT_ASKED]
        self._op_amps, self._clamps = (
            tuple(device.name for device in asked if device.origin.role is role) for role in (Role.OP_AMP, Role.CLAMP)
        )
        acts = {device.name: device_values(circuit, graph, device) for device in asked}
        self._wanted = sorted({value for values in acts.values() for value in values})
        place = {value: k for k, value in enumerate(self._wanted)}
        self._direct = {name: [place[value] for value in values] for name, values in acts.items() if values}
        self._part = {device.name: part(graph, device) for device in asked if acts[device.name]}
        readers = _Behind(circuit)
        behind = {device.name: readers.of(device, self._direct) for device in asked if not acts[device.name]}
        self._behind = {name: found for name, found in behind.items() if found}
        self._untold = tuple(name for name, found in behind.items() if not found and name not in self._op_amps)

    def coverage(self, effects: Effects, limit: float) -> Coverage:
        """Return how far each device may be off in a run before it shows above the limit."""
        if not self._few:
            return NOTHING
        with np.errstate(divide="ignore"):
            noticed = np.minimum(MARGIN * limit / effects.seen(self._wanted), effects.turns(self._wanted)).tolist()
        smallest = {name: max(noticed[k] for k in places) / self._part[name] for name, places in self._direct.items()}
        smallest |= {name: min(smallest[reader] for reader in readers) for name, readers in self._behind.items()}
        if not self._named:
            values = {str(self._circuit.origin(name)): size for name, size in smallest.items()}
            return Coverage(smallest=values, what="values")
        only = {*self._op_amps, *self._clamps}
        told = {name: size for name, size in smallest.items() if name not in only}
        return Coverage(smallest=told, op_amps=self._op_amps, clamps=self._clamps, untold=self._untold)


def device_values(circuit: Circuit, graph: Graph, device: Device) -> tuple[Value, ...]:
    """Return the values of the graph that a device stands for; none where its role is not enough to tell."""
    origin = device.origin
    operator = graph.by_name.get(origin.operator)
    if operator is None:
        return ()
    kinds = ACTS.get(origin.role, ())
    into_leak = any(isinstance(target, Leak) for target in graph.targets(operator))
    if origin.role is Role.WEIGHT and isinstance(device.part, Resistor) and into_leak and _loads(circuit, device):
        kinds = ("loading",)
    if origin.role is Role.FUNCTION and isinstance(operator, Activate) and isinstance(operator.function, HardLimiter):
        kinds = ("output",)
    if origin.role is Role.RESISTANCE and isinstance(device.part, Resistor) and _charges(circuit, device):
        alone = len(circuit.devices_from(origin.operator, origin.element, Role.RESISTANCE)) == 1
        kinds = ("capacitance",) if alone else ("drive", "resistance")
    if origin.role is Role.FEEDBACK:
        return _fed_back(graph, operator, origin.element)
    if origin.role is Role.SUM:
        kinds = ("argument",) if isinstance(operator, Activate) else ("output",)
    return tuple(Value(kind, operator.name, origin.element) for kind in kinds)


def part(graph: Graph, device: Device) -> float:
    """Return the part of a value by which it changes as a device does.

    A leak that weights load is only a part of its R; of a line's two resistors either is half of the divider.
    """
    name, role, element = device.origin
    operator, conductance = graph.by_name[name], device.part.conductance
    if role is Role.LINE and isinstance(device.part, Resistor):
        return 0.5
    if role is Role.RESISTANCE and isinstance(operator, Leak) and conductance is not None:
        return min(float(operator.resistance[element[0]]) * abs(conductance), 1.0)
    return 1.0


def _fed_back(graph: Graph, operator: Operator, element: tuple[int, ...]) -> tuple[Value, ...]:
    """Return what a feedback resistor scales: the sum that an operator gives or takes, or all that drives a Leak."""
    if not isinstance(operator, Leak):
        return (Value("argument" if isinstance(operator, Activate) else "output", operator.name, element),)
    before = list(graph.drivers(operator))
    while before and isinstance(before[0], Affine) and len(before) == 1:
        before = list(graph.drivers(before[0]))
        if before and isinstance(before[0], Activate) and graph.drivers(before[0])[0] is not operator:
            return (Value("argument", before[0].name, element),)
        break
    if len(before) == 1 and isinstance(before[0], Activate) and before[0] in graph.drivers(operator):
        return (Value("argument", before[0].name, element),)
    return (Value("drive", operator.name, element),)


def _loads(circuit: Circuit, device: Device) -> bool:
    """Whether a device hangs on a node that is a state itself, so that its current depends on that state."""
    return any(probe.node in device.nodes for probe in circuit.states)


def _charges(circuit: Circuit, device: Device) -> bool:
    """Whether all that moves a state comes through a resistor: from a source to the capacitor's node."""
    states, driven = {probe.node for probe in circuit.states}, _find_driven(circuit)
    return any(a in states and a not in driven and b in driven for a, b in (device.nodes, device.nodes[::-1]))


@lru_cache(maxsize=8)
def _find_driven(circuit: Circuit) -> frozenset[str]:
    """Return the nodes that sources hold at a voltage."""
    return frozenset(node for device in circuit.devices for node in _held_nodes(device))


class _Behind:
    """Which devices read what a device drives: an inverter is seen where the weights behind it are."""

    def __init__(self, circuit: Circuit) -> None:
        self._at: dict[str, list[Device]] = {}
        for device in circuit.devices:
            for node in set(device.nodes) - {GROUND}:
                self._at.setdefault(node, []).append(device)
        self._find_driven = _find_driven(circuit)

    def of(self, device: Device, known: Collection[str]) -> tuple[str, ...]:
        """Return the devices, of those of which something is known, that lie next behind a device."""
        found = []
        pending, done = [device], {device.name}
        while pending:
            for node in self._outputs(pending.pop()):
                for reader in self._at[node]:
                    if reader.name in done:
                        continue
                    done.add(reader.name)
                    if reader.name in known:
                        found.append(reader.name)
                    elif node in _seen_nodes(reader):
                        pending.append(reader)
        return tuple(found)

    def _outputs(self, device: Device) -> list[str]:
        """Return the nodes that a device drives: of a resistor those that no source holds."""
        held = _held_nodes(device)
        if held:
            return held
        sensed = device.part.sensed
        nodes = (node for port, node in enumerate(device.nodes) if port not in sensed)
        return [node for node in nodes if node != GROUND and node not in self._find_driven]


def _held_nodes(device: Device) -> list[str]:
    """Return the node that a device holds at a voltage, but for ground."""
    port = device.part.held
    return [device.nodes[port]] if port is not None and device.nodes[port] != GROUND else []


def _seen_nodes(device: Device) -> list[str]:
    """Return the nodes whose voltages a device acts on: those that it senses, or all of them."""
    sensed = device.part.sensed
    return [device.nodes[port] for port in sensed] if sensed else list(device.nodes)


def _list_names(names: Sequence[str]) -> str:
    more = f" and {len(names) - MOST_NAMED} more" if len(names) > MOST_NAMED else ""
    return ", ".join(names[:MOST_NAMED]) + more
