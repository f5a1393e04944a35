"""A start of a board: every footprint placed, in blocks by sheet, its pads at their nets, nothing routed.

Routing, the outline and the mechanics are the user's. Nets have the names that KiCad gives them, so that "update board
from schematic" changes nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from ..assembly import Assembly, Component
from ..values.errors import InputError
from .footprints import VERSION, footprint
from .reader import ReadComponent, Schematic
from .sexpr import Quoted, Tree
from .sheet import make_uuid
from .symbols import LIBRARY, symbol

# In millimetres.
CORNER = 20.0
BLOCK_WIDTH, ROW_WIDTH = 70.0, 230.0
GAP, EDGE = 3.0, 3.0
TEXT, STROKE, LINE = 0.8, 0.12, 1.6
CHARACTER = 0.75

LAYERS = (
    (0, "F.Cu", "signal"),
    (2, "B.Cu", "signal"),
    (9, "F.Adhes", "user"),
    (11, "B.Adhes", "user"),
    (13, "F.Paste", "user"),
    (15, "B.Paste", "user"),
    (5, "F.SilkS", "user"),
    (7, "B.SilkS", "user"),
    (1, "F.Mask", "user"),
    (3, "B.Mask", "user"),
    (25, "Edge.Cuts", "user"),
    (27, "Margin", "user"),
    (31, "F.CrtYd", "user"),
    (29, "B.CrtYd", "user"),
    (35, "F.Fab", "user"),
    (33, "B.Fab", "user"),
)


def board_tree(assembly: Assembly, schematic: Schematic) -> Tree:
    """Return the board of an assembly, whose drawings say how nets are named, as the tree of a .kicad_pcb file."""
    names = {pin: net for net, pins in schematic.nets.items() for pin in pins}
    names |= {pin: net for net, pin in schematic.free.items()}
    codes = {net: k for k, net in enumerate(sorted(set(names.values())), 1)}
    placed, width, height = place_parts(assembly)
    tree: Tree = [
        "kicad_pcb",
        ["version", VERSION],
        ["generator", Quoted("hopfield")],
        ["generator_version", Quoted("9.0")],
        ["general", ["thickness", 1.6], ["legacy_teardrops", "no"]],
        ["paper", *_paper(width, height)],
        ["layers", *([str(number), Quoted(name), kind] for number, name, kind in LAYERS)],
        ["setup", ["pad_to_mask_clearance", 0]],
        ["net", 0, Quoted("")],
        *(["net", code, Quoted(net)] for net, code in codes.items()),
    ]
    for component, x, y in placed:
        read = schematic.components.get(component.reference)
        if read is None:
            raise InputError(f"board {assembly.name!r}: {component.reference} is on no sheet; draw it first")
        pads = {
            pin: (codes[names[component.reference, pin]], names[component.reference, pin])
            for pin in component.pins
            if (component.reference, pin) in names
        }
        tree.append(_footprint(assembly.name, component, read, pads, (x, y)))
    edge = CORNER - EDGE
    tree.append(
        [
            "gr_rect",
            ["start", edge, edge],
            ["end", round(width + EDGE, 1), round(height + EDGE, 1)],
            ["stroke", ["width", 0.1], ["type", "default"]],
            ["fill", "no"],
            ["layer", Quoted("Edge.Cuts")],
            ["uuid", make_uuid(assembly.name, "board", "edge")],
        ]
    )
    tree.append(["embedded_fonts", "no"])
    return tree


def place_parts(assembly: Assembly) -> tuple[list[tuple[Component, float, float]], float, float]:
    """Return each part with the place of its footprint, and how far they reach to the right and down, millimetres.

    The parts of a sheet make a block, rows of them beside each other; a part that has units on several sheets lies
    with its first.
    """
    blocks: dict[str, list[Component]] = {}
    for component in assembly.components:
        if component.footprint:
            blocks.setdefault(component.units[0].sheet, []).append(component)
    placed: list[tuple[Component, float, float]] = []
    x, y, row = CORNER, CORNER, 0.0
    width = 0.0
    for name in sorted(blocks, key=list(assembly.sheets).index):
        inside, block_width, block_height = _block(blocks[name])
        if x > CORNER and x + block_width > CORNER + ROW_WIDTH:
            x, y, row = CORNER, y + row + GAP, 0.0
        placed += [(component, round(x + dx, 3), round(y + dy, 3)) for component, dx, dy in inside]
        x, row = x + block_width + GAP, max(row, block_height)
        width = max(width, x - GAP)
    return placed, width, y + row


def _block(components: Sequence[Component]) -> tuple[list[tuple[Component, float, float]], float, float]:
    placed = []
    x, y, row, width = 0.0, 0.0, 0.0, 0.0
    for component in components:
        room = footprint(component.footprint).room
        label = CHARACTER * max(len(component.reference), len(component.value)) + 0.6
        across = max(room.right - room.left + 0.8, label)
        if x > 0 and x + across > BLOCK_WIDTH:
            x, y, row = 0.0, y + row, 0.0
        middle = (room.left + room.right) / 2
        placed.append((component, x + across / 2 - middle, y - room.top + LINE))
        x, row = x + across, max(row, room.bottom - room.top + 2 * LINE)
        width = max(width, x)
    return placed, width, y + row


def _paper(width: float, height: float) -> Iterator[object]:
    for name, across, down in (("A4", 297, 210), ("A3", 420, 297), ("A2", 594, 420)):
        if width < across - CORNER and height < down - CORNER:
            yield Quoted(name)
            return
    yield Quoted("User")
    yield from (round(width + 2 * CORNER), round(height + 2 * CORNER))


def _footprint(
    project: str,
    component: Component,
    read: ReadComponent,
    pads: Mapping[str, tuple[int, str]],
    at: tuple[float, float],
) -> Tree:
    found = footprint(component.footprint)
    role = component.reference

    def key(*item: object) -> Tree:
        return ["uuid", make_uuid(project, "board", role, *item)]

    def added(number: str) -> list[Tree]:
        net = [["net", pads[number][0], Quoted(pads[number][1])]] if number in pads else []
        return [*net, key("pad", number)]

    effects: Tree = ["effects", ["font", ["size", TEXT, TEXT], ["thickness", STROKE]]]
    first = read.units[0]
    middle = round((found.room.left + found.room.right) / 2, 3)
    shown = (
        ("Reference", component.reference, found.room.top - 0.7, "F.SilkS"),
        ("Value", component.value, found.room.bottom + 0.7, "F.Fab"),
    )
    tree: Tree = ["footprint", Quoted(f"{LIBRARY}:{component.footprint}"), ["layer", Quoted("F.Cu")], key()]
    tree.append(["at", *at])
    for name, value, y, layer in shown:
        place: Tree = ["at", middle, round(y, 2), 0]
        tree.append(["property", Quoted(name), Quoted(value), place, ["layer", Quoted(layer)], key(name), effects])
    fields = {"Datasheet": "", "Description": symbol(component.symbol).description, **component.fields}
    for name, value in fields.items():
        if value or name == "Datasheet":
            hidden: list[Tree] = [["unlocked", "yes"], ["layer", Quoted("F.Fab")], ["hide", "yes"]]
            tree.append(
                ["property", Quoted(name), Quoted(value), ["at", 0, 0, 0], *hidden, key("field", name), effects]
            )
    tree += [["path", Quoted(first.place)], ["sheetname", Quoted(first.sheet)], ["sheetfile", Quoted(first.file)]]
    excluded = [] if component.bought else ["exclude_from_bom"]
    tree.append(["attr", found.attribute, *excluded])
    for k, item in enumerate(found.content(added)):
        tree.append(item if item[0] == "pad" else [*item, key("line", k)])
    tree.append(["embedded_fonts", "no"])
    return tree
