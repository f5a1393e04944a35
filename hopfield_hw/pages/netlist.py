"""A board's netlist as the page has it: each line with the element of the network that it comes from, both ways."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from ..circuit import Circuit, Device, Origin, Role
from ..graph import Activate, Affine, Graph, Input, Leak
from ..spice.dialects.ngspice import format_transient
from ..spice.options import Settings
from ..spice.transient import Deck

# Roles whose value stands in the table of the network, by the kind of its column.
CELLS: Mapping[Role, str] = {
    Role.WEIGHT: "weight",
    Role.BIAS: "bias",
    Role.RESISTANCE: "resistance",
    Role.CAPACITANCE: "capacitance",
}


class Element(NamedTuple):
    """An element of the network with the lines of the netlist that realise it.

    `cell`: its place in the table of the network, such as weight-3-7, input-3-0 or bias-3; empty where it has none.
    `block`: the neuron that it belongs to; None for what all share. `lines`: from 1 on; `devices`: their names.
    """

    origin: str
    cell: str
    block: int | None
    lines: tuple[int, ...]
    devices: tuple[str, ...]


class Netlist(NamedTuple):
    """The text of a deck by lines, its elements, and by number of a line the place of its element among them."""

    lines: tuple[str, ...]
    elements: tuple[Element, ...]
    by_line: Mapping[int, int]


def complete_deck(deck: Deck, t_stop: float, settings: Settings) -> str:
    """Return the whole deck that a run with these settings reads."""
    nodes = [probe.node for probe in (*deck.states, *deck.outputs)]
    options = settings.options(klu=False)
    return deck.text + format_transient(deck.initial, nodes, t_stop=t_stop, step=settings.step, options=options)


def link_lines(circuit: Circuit, graph: Graph, deck: str) -> Netlist:
    """Return the lines of a deck of a circuit, and the elements of the network that they come from."""
    lines = tuple(deck.splitlines())
    numbers: dict[str, int] = {}
    inside = False
    for number, line in enumerate(lines, start=1):
        word = line.split(maxsplit=1)[0].lower() if line.strip() else ""
        inside = (inside or word == ".subckt") and word != ".ends"
        if word and not inside:  # a model has lines of its own, which are no devices of the circuit
            numbers.setdefault(word, number)
    found: dict[Origin, list[Device]] = {}
    for device in circuit.devices:
        if device.name.lower() in numbers:
            found.setdefault(device.origin, []).append(device)
    elements = tuple(
        Element(
            origin=str(origin),
            cell=_cell(graph, origin),
            block=_block(graph, origin),
            lines=tuple(numbers[device.name.lower()] for device in devices),
            devices=tuple(device.name for device in devices),
        )
        for origin, devices in found.items()
    )
    return Netlist(lines, elements, {line: k for k, element in enumerate(elements) for line in element.lines})


def _cell(graph: Graph, origin: Origin) -> str:
    """Return where in the table of the network an element stands: its kind with its indices."""
    operator, kind = graph.by_name.get(origin.operator), CELLS.get(origin.role, "")
    if operator is None or not kind or not origin.element:
        return ""
    if isinstance(operator, Affine):
        source = graph.drivers(operator)[0]
        kind = "input" if kind == "weight" and isinstance(source, Input) else kind
    elif not isinstance(operator, Leak):
        return ""
    return "-".join([kind, *map(str, origin.element)])


def _block(graph: Graph, origin: Origin) -> int | None:
    """Return the neuron that an element belongs to; an inverter belongs to the one that it inverts."""
    if not origin.element or not isinstance(graph.by_name.get(origin.operator), Affine | Leak | Activate):
        return None
    return origin.element[0]
