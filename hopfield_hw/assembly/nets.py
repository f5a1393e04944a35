"""Nets: what a board calls the nodes of a circuit, and names for those that the circuit has not."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import MappingProxyType

from ..circuit import GROUND as GROUND_NODE
from ..circuit import Circuit, Device, Role
from ..parts import OpAmp, VoltageSource
from .component import GROUND


class Nets:
    """The nets of a circuit's board.

    `names`: by node its net: the node's name, GND for ground, and of a supply its voltage, as in +12V; a supply of 0 V
    is ground. `supplies`: by net its voltage. `rails`: the nets of the upper and the lower supply of the op-amps.
    """

    def __init__(self, circuit: Circuit) -> None:
        volts = dict(_supply_volts(circuit))
        nodes = {node for device in circuit.devices for node in device.nodes} | {GROUND_NODE}
        names: dict[str, str] = {GROUND_NODE: GROUND}
        taken = {node.lower() for node in nodes} | {GROUND.lower()}
        for node in sorted(volts, key=lambda node: (-volts[node], node)):
            name = f"{volts[node]:+g}V"
            names[node] = GROUND if volts[node] == 0.0 else node if name.lower() in taken else name
            taken.add(names[node].lower())
        self.names: Mapping[str, str] = MappingProxyType({node: names.get(node, node) for node in sorted(nodes)})
        self.supplies: Mapping[str, float] = MappingProxyType(
            {names[node]: volts[node] for node in sorted(volts, key=lambda node: -volts[node]) if volts[node] != 0.0}
        )
        ordered = sorted(volts, key=lambda node: volts[node])
        self.rails: tuple[str, str] | None = (names[ordered[-1]], names[ordered[0]]) if len(ordered) > 1 else None
        self.span = volts[ordered[-1]] - volts[ordered[0]] if ordered else 0.0
        self._taken = taken

    def new(self, name: str) -> str:
        """Return a name that no other net has, in any case: this one, or with underscores behind it."""
        while name.lower() in self._taken:
            name += "_"
        self._taken.add(name.lower())
        return name


def is_supply(device: Device, circuit: Circuit) -> bool:
    """Return whether a device is the source of a supply of op-amps."""
    return device.name in {source.name for source, _ in _supply_sources(circuit)}


def is_source(device: Device, circuit: Circuit) -> bool:
    """Return whether a device is a source that a connector stands for: a supply, an input, or a clock."""
    if not isinstance(device.part, VoltageSource):
        return False
    return device.origin.role in (Role.INPUT, Role.CLOCK) or is_supply(device, circuit)


def _supply_volts(circuit: Circuit) -> Iterator[tuple[str, float]]:
    for source, volts in _supply_sources(circuit):
        yield source.nodes[0], volts


def _supply_sources(circuit: Circuit) -> list[tuple[Device, float]]:
    pins = {
        node
        for device in circuit.devices
        if isinstance(device.part, OpAmp)
        for node in device.nodes[len(device.nodes) - len(device.part.model.supplies) :]
    }
    return [
        (device, device.part.voltage)
        for device in circuit.devices
        if isinstance(device.part, VoltageSource)
        and device.origin.role == Role.SUPPLY
        and device.nodes[0] in pins
        and device.nodes[1] == GROUND_NODE
        and isinstance(device.part.voltage, float)
    ]
