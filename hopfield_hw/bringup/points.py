"""Test points: which nodes of a board are measured, and what each of them is."""

from __future__ import annotations

from typing import Literal, NamedTuple

from ..circuit import GROUND, Circuit, Role
from ..parts import OpAmp, VoltageSource

Kind = Literal["state", "output", "complement", "reference", "level", "amplifier", "summing"]
# In words, by kind.
WORDS: dict[Kind, str] = {
    "state": "output of the integrator",
    "output": "output of the amplifier",
    "complement": "output of the inverter",
    "reference": "reference",
    "level": "level from a divider",
    "amplifier": "output of an op-amp",
    "summing": "inverting input of an op-amp",
}
ORDER: tuple[Kind, ...] = ("reference", "level", "amplifier", "state", "output", "complement", "summing")


class BoardPoint(NamedTuple):
    """A test point: the name of its node, what it is, the op-amp that it is at, empty for none, and its neuron."""

    name: str
    kind: Kind
    op_amp: str = ""
    neuron: str = ""

    @property
    def words(self) -> str:
        """What it is, in words."""
        at = f" of neuron {self.neuron}" if self.neuron else ""
        return f"{WORDS[self.kind]} {self.op_amp}{at}".replace("  ", " ").rstrip()


def find_points(circuit: Circuit) -> tuple[BoardPoint, ...]:
    """Return the test points of a board's circuit: references and levels, then outputs, then summing nodes.

    The output of every op-amp, the levels that dividers make, and every inverting input that is not an output itself.
    """
    states = {probe.node: probe.label for probe in circuit.states}
    outputs = {probe.node: probe.label for probe in circuit.outputs}
    amplifiers = [d for d in circuit.devices if isinstance(d.part, OpAmp)]
    held = {d.nodes[0] for d in circuit.devices if isinstance(d.part, VoltageSource)} | {GROUND}
    driven = {d.nodes[2]: d for d in amplifiers}
    found: dict[str, BoardPoint] = {}
    for node, device in driven.items():
        role = device.origin.role
        neuron = circuit.label_of(device.origin) if device.origin.element else ""
        kind: Kind = "amplifier"
        if node in states:
            kind = "state"
        elif node in outputs:
            kind = "output"
        elif role == Role.REFERENCE:
            kind = "reference"
        elif any(d.origin.role == Role.INVERTER_FEEDBACK and node in d.nodes for d in circuit.devices):
            kind = "complement"
        found[node] = BoardPoint(node, kind, device.name, neuron)
    for device in circuit.devices:
        if device.origin.role == Role.LEVEL:
            for node in device.nodes:
                if node not in found and node not in held:
                    found[node] = BoardPoint(node, "level")
    for device in amplifiers:
        node = device.nodes[1]
        if node not in found and node not in held:
            neuron = circuit.label_of(device.origin) if device.origin.element else ""
            found[node] = BoardPoint(node, "summing", device.name, neuron)
    labels = {probe.label: k for k, probe in enumerate(circuit.states)}
    return tuple(sorted(found.values(), key=lambda p: (ORDER.index(p.kind), labels.get(p.neuron, -1))))
