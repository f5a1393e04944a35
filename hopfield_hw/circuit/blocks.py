"""Blocks: the devices of a circuit, neuron by neuron, and what all of them share."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import NamedTuple

from ..graph import Activate, Affine, Graph, Hold, Leak, Operator
from .device import Device
from .roles import Role

SHARED: Mapping[Role, str] = MappingProxyType(
    {
        Role.INPUT: "inputs",
        Role.SUPPLY: "references and supplies",
        Role.LEVEL: "references and supplies",
        Role.TAIL_LINE: "references and supplies",
        Role.REFERENCE: "references and supplies",
        Role.DECOUPLING: "references and supplies",
        Role.CLOCK: "clock",
    }
)


# Of an Affine, what all of its rows share: the adder of a common line.
COMMON = frozenset({Role.COMMON, Role.FEEDBACK, Role.OP_AMP})


class Block(NamedTuple):
    """Devices that belong together, and what they are."""

    heading: str
    devices: tuple[Device, ...]


def split_blocks(devices: Iterable[Device], graph: Graph | None) -> tuple[Block, ...]:
    """Return devices by blocks: what all share, then each neuron with its synapses, then each other operator.

    A neuron's block is one element of a Leak or a Hold, with the rows of the Affines that drive it alone and the
    elements of the Activates that it drives.
    """
    headings = {} if graph is None else _headings(graph)
    affines = set() if graph is None else {affine.name for affine in graph.of_type(Affine)}
    found: dict[str, list[Device]] = {heading: [] for heading in dict.fromkeys(SHARED.values())}
    for device in devices:
        operator, role, element = device.origin
        of_elements = headings.get(operator)
        if role in SHARED:
            heading = SHARED[role]
        elif of_elements is None or not element or (role in COMMON and operator in affines):
            heading = operator
        else:
            heading = of_elements[element[0]]
        if heading in found:
            found[heading].append(device)
        else:
            found[heading] = [device]
    return tuple(Block(heading, tuple(members)) for heading, members in found.items() if members)


def _headings(graph: Graph) -> dict[str, tuple[str, ...]]:
    """Return by operator whose elements belong to those of one state, one to one, the heading of each."""
    alone = len(graph.states) == 1
    of_states = {
        state.name: tuple(f"{'' if alone else f'{state.name}, '}neuron {label}" for label in graph.labels(state))
        for state in graph.states
    }
    return {operator: of_states[state] for operator, state in state_of_operators(graph).items()}


def state_of_operators(graph: Graph) -> dict[str, str]:
    """Return by operator whose elements belong to those of one state, one to one, that state; states too."""
    found = {state.name: state.name for state in graph.states}
    for operator in graph.operators:
        if not isinstance(operator, Affine | Activate):
            continue
        others = graph.targets(operator) if isinstance(operator, Affine) else graph.drivers(operator)
        owner = _only_state(operator, others)
        if owner is not None:
            found[operator.name] = owner
    return found


def _only_state(operator: Operator, others: Iterable[Operator]) -> str | None:
    states = [other for other in others if isinstance(other, Leak | Hold)]
    return states[0].name if len(states) == 1 and states[0].output_size == operator.output_size else None
