"""The command trace: from a netlist line to the weight that it realises, and back."""

from __future__ import annotations

import re
from typing import Annotated, NamedTuple

import typer

from ..cells import CELLS
from ..circuit import Circuit, Device, Origin, Role
from ..designs.design import Design, load_design
from ..designs.export import design_circuit, device_lines, export_deck
from ..graph import Affine, Graph, Leak
from ..transforms import in_si
from ..values.errors import InputError, Unrealisable
from ..values.si_text import format_si
from .options import DesignName, Json, Rescale
from .reporting import emit, say_table

WEIGHT = re.compile(r"(?:(?:(?P<operator>\w+)\.)?(?P<role>[a-z_]+)\[)?\s*(?P<index>\d{1,9}(?:\s*,\s*\d{1,9})*)\s*\]?")
SYNAPSES = "syn"
UNITS = {Role.WEIGHT: "S", Role.BIAS: "A", Role.CAPACITANCE: "F", Role.RESISTANCE: "Ohm"}


class _Found(NamedTuple):
    """The element of the graph, its devices in a circuit, and their lines in its netlist."""

    cell: str
    origin: Origin
    devices: tuple[Device, ...]
    lines: tuple[tuple[int, str], ...]


def trace(
    design: DesignName,
    item: Annotated[
        str, typer.Argument(metavar="DEVICE_OR_WEIGHT", help="A device such as R_syn_3_7, or a weight such as 3,7.")
    ],
    cell: Annotated[
        str | None, typer.Option("--cell", metavar="C", help="The cell; by default the first that has the device.")
    ] = None,
    rescale: Rescale = False,
    as_json: Json = False,
) -> int:
    """Find the weight of a netlist line, or the lines of a weight.

    Line numbers are those of `export --to ngspice` with the same cell.
    """
    chosen = load_design(design)
    graph = in_si(chosen.graph())
    found = _search(chosen, cell, rescale, item, _parse(item, graph))
    value = _value(graph, found.origin)
    if as_json:
        numbered = zip(found.devices, found.lines, strict=True)
        devices = [{"name": device.name, "line": number, "text": line} for device, (number, line) in numbered]
        element = {"element": str(found.origin), "value": value}
        emit({"status": "done", "design": chosen.name, "cell": found.cell, **element, "devices": devices})
        return 0
    text = "" if value is None else f" = {format_si(value, UNITS[found.origin.role])}"
    rows = [("element", f"{found.origin}{text}"), ("cell", found.cell)]
    rows += [(f"line {number}", line) for number, line in found.lines]
    if not found.devices:
        rows.append(("line", "no dedicated device; merged with other weights" if value else "none: it is 0"))
    say_table(rows, title=chosen.title)
    return 0


def _search(design: Design, cell: str | None, rescale: bool, item: str, wanted: Origin | None) -> _Found:
    """Return the item in a cell, or in the first cell that has it. Raises InputError where none has."""
    for name in CELLS if cell is None else (cell,):
        try:
            circuit = design_circuit(design, name, rescale=rescale or cell is None)
        except Unrealisable:
            if cell is not None:
                raise
            continue
        devices = _devices(circuit, item, wanted)
        if devices or wanted is not None:
            lines = device_lines(export_deck(design, "ngspice", name, rescale=rescale or cell is None))
            origin = wanted if wanted is not None else devices[0].origin
            return _Found(circuit.cell, origin, devices, tuple(lines[device.name.lower()] for device in devices))
    where = f"cell {cell}" if cell is not None else f"any cell ({', '.join(CELLS)})"
    raise InputError(
        f"{design.name}: has no device {item!r:.80} in {where}; take a name from the netlist that `export` writes, or "
        "give a weight as weights[to, from]"
    )


def _devices(circuit: Circuit, item: str, wanted: Origin | None) -> tuple[Device, ...]:
    if wanted is not None:
        return circuit.devices_from(wanted.operator, wanted.element, wanted.role)
    try:
        return (circuit.device(item),)
    except InputError:
        return ()


def _parse(item: str, graph: Graph) -> Origin | None:
    """Return the element that a text names, None for the name of a device. Raises InputError for an unknown one."""
    match = WEIGHT.fullmatch(item.strip())
    if match is None:
        return None
    text = match["role"] or Role.WEIGHT.value
    if text not in UNITS:
        raise InputError(f"{item!r:.80}: {text!r:.40} has no values; must be one of {', '.join(UNITS)}")
    role = Role(text)
    index = tuple(int(k) for k in match["index"].split(","))
    holders = [name for name, operator in graph.by_name.items() if _shape(operator, role)]
    name = match["operator"] or (SYNAPSES if SYNAPSES in holders else next(iter(holders), ""))
    if name not in holders:
        known = ", ".join(f"{holder}.{role}" for holder in holders)
        raise InputError(f"{item!r:.80}: the network has no such values; it has {known or ', '.join(UNITS)}")
    shape = _shape(graph.by_name[name], role)
    if len(index) != len(shape) or any(k >= size for k, size in zip(index, shape, strict=True)):
        order = "[to, from]" if len(shape) == 2 else "[neuron]"
        raise InputError(f"{item!r:.80}: {name}.{role}{order} has the shape {shape}; indices count from 0")
    return Origin(name, role, index)


def _shape(operator: object, role: Role) -> tuple[int, ...]:
    if isinstance(operator, Affine) and role in (Role.WEIGHT, Role.BIAS):
        shape = (operator.output_size, operator.input_size)
        return shape if role is Role.WEIGHT else shape[:1]
    if isinstance(operator, Leak) and role in (Role.CAPACITANCE, Role.RESISTANCE):
        return (operator.output_size,)
    return ()


def _value(graph: Graph, origin: Origin) -> float | None:
    """Return the number in the graph that an element is; None where it is not a number."""
    operator = graph.by_name.get(origin.operator)
    if operator is None or not _shape(operator, origin.role):
        return None
    if isinstance(operator, Affine) and origin.role is Role.WEIGHT:
        values, rows, columns = operator.weights.entries()
        i, j = origin.element
        return float(values[(rows == i) & (columns == j)].sum())
    if isinstance(operator, Affine):
        return float(operator.constant[origin.element])
    if isinstance(operator, Leak):
        values = operator.capacitance if origin.role is Role.CAPACITANCE else operator.resistance
        return float(values[origin.element])
    return None
