"""Blocks: the devices of a circuit, neuron by neuron, and what all of them share."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from ..graph import Activate, Affine, Graph, Hold, Leak, Operator
from .circuit import Circuit, Device
from .roles import Role

SHARED = {Role.INPUT: "inputs", Role.SUPPLY: "references and supplies", Role.CLOCK: "clock"}


class Block(NamedTuple):
    """Devices that belong together, and what they are."""

    heading: str
    devices: tuple[Device, ...]


def split_blocks(circuit: Circuit) -> tuple[Block, ...]:
    """Return the devices by blocks: what all share, then each neuron with its synapses, then each other operator.

    A neuron's block is one element of a Leak or a Hold, with the rows of the Affines that drive it alone and the
    elements of the Activates that it drives.
    """
    found: dict[str, list[Device]] = {}
    owners = {} if circuit.graph is None else _owners(circuit.graph)
    for device in circuit.devices:
        found.setdefault(_heading(circuit, owners, device), []).append(device)
    order = [*SHARED.values(), *found]
    return tuple(Block(heading, tuple(found[heading])) for heading in dict.fromkeys(order) if heading in found)


def _heading(circuit: Circuit, owners: dict[str, str], device: Device) -> str:
    origin = device.origin
    if origin.role in SHARED:
        return SHARED[origin.role]
    owner = owners.get(origin.operator)
    if circuit.graph is None or owner is None or not origin.element or origin.role is Role.COMMON:
        return origin.operator
    state = circuit.graph.by_name[owner]
    label = circuit.graph.labels(state)[origin.element[0]]
    name = "neuron" if len(circuit.graph.states) == 1 else f"{owner}, neuron"
    return f"{name} {label}"


def _owners(graph: Graph) -> dict[str, str]:
    """Return by operator the state whose elements its own belong to, one to one."""
    found = {state.name: state.name for state in graph.states}
    for operator in graph.operators:
        if isinstance(operator, Affine):
            found.update(_only(operator, (to for to in graph.targets(operator))))
        elif isinstance(operator, Activate):
            found.update(_only(operator, iter(graph.drivers(operator))))
    return found


def _only(operator: Operator, others: Iterator[Operator]) -> dict[str, str]:
    states = [other for other in others if isinstance(other, Leak | Hold)]
    alone = len(states) == 1 and states[0].output_size == operator.output_size
    return {operator.name: states[0].name} if alone else {}
