"""A .kicad_pcb read without KiCad: its footprints, and the net at each of their pads, against the drawings."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from ..assembly import Assembly
from ..values.errors import InputError
from .compare import footprint_name
from .reader import Schematic
from .sexpr import Tree, every, first, need, read_tree, word


def compare_board(path: Path, assembly: Assembly, schematic: Schematic) -> list[str]:
    """Return where the footprints of a board, and the nets at their pads, differ from assembly and drawings."""
    try:
        tree = read_tree(path.read_text(encoding="utf-8"))
        return list(_differences(tree, assembly, schematic))
    except (OSError, UnicodeDecodeError, InputError) as error:
        return [f"{path.name}: {error}"]


def _differences(tree: Tree, assembly: Assembly, schematic: Schematic) -> Iterator[str]:
    if tree[0] != "kicad_pcb":
        raise InputError(f"is a ({tree[0]} ...), no board of KiCad")
    codes = {word(net): word(net, 2) for net in every(tree, "net")}
    wanted = {pin: net for net, pins in schematic.nets.items() for pin in pins}
    wanted |= {pin: net for net, pin in schematic.free.items()}
    seen: set[str] = set()
    for item in every(tree, "footprint"):
        fields = {word(field): word(field, 2) for field in every(item, "property")}
        reference = fields.get("Reference", "?")
        if reference in seen:
            yield f"{reference} is on the board twice"
            continue
        seen.add(reference)
        component = assembly.by_reference.get(reference)
        if component is None:
            yield f"{reference} is on the board, and not in the assembly"
            continue
        if word(item) != footprint_name(component):
            yield f"{reference}: footprint {word(item)!r}, must be {footprint_name(component)!r}"
        if fields.get("Value") != component.value:
            yield f"{reference}: value {fields.get('Value')!r}, must be {component.value!r}"
        for pad in every(item, "pad"):
            number = word(pad)
            net = first(pad, "net")
            name = "" if net is None else word(net, 2)
            if name != wanted.get((reference, number), ""):
                yield f"{reference} pad {number}: net {name!r}, must be {wanted.get((reference, number), '')!r}"
            if net is not None and codes.get(word(net)) != name:
                yield f"{reference} pad {number}: net {name!r} has the number of net {codes.get(word(net))!r}"
        lost = sorted(set(component.pins) - {word(pad) for pad in every(item, "pad")})
        if lost:
            yield f"{reference}: no pads {', '.join(lost)}"
        place = schematic.components[reference].units[0].place if reference in schematic.components else ""
        if word(need(item, "path")) != place:
            yield f"{reference}: its path is not that of its symbol, so that KiCad takes it for another part"
    for component in assembly.components:
        if component.footprint and component.reference not in seen:
            yield f"{component.reference} is not on the board"
