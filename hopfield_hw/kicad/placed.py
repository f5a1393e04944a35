"""Placed symbols and sub-sheets as trees, with the room that their texts take."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from ..values.errors import InputError
from .geometry import Room, text_room, turn
from .sexpr import Quoted, Tree
from .symbols import LIBRARY, Anchor, Symbol, SymbolUnit
from .symbols.shapes import FONT, GRID, write_property

Place = tuple[int, int, int, str]  # x, y, angle, mirror
At = Sequence[float | str]  # (dx, dy) or (dx, dy, side)
Port = tuple[str, str, int]  # name, shape, y
Key = Callable[..., Quoted]

SHAPES = ("input", "output", "bidirectional", "tri_state", "passive")
ALWAYS = ("Reference", "Value")
SIZE, SMALL = 1.27, 1.0  # millimetres, of reference and value, and of other fields


def write_symbol(
    key: Key,
    role: str,
    drawn: Symbol,
    number: int,
    place: Place,
    texts: Mapping[str, str],
    places: Mapping[str, At | None],
    switches: Mapping[str, bool],
) -> tuple[Tree, list[Room]]:
    """Return a placed unit without its instances, and the rooms of its texts.

    `texts`: by name all fields; `places`: by name where one is shown, from its origin; `switches`: yes or no by name.
    """
    x, y, angle, mirror = place
    tree: Tree = ["symbol", ["lib_id", Quoted(f"{LIBRARY}:{drawn.name}")], ["at", x * GRID, y * GRID, angle]]
    if mirror:
        tree.append(["mirror", mirror])
    tree.append(["unit", number])
    tree += [[name, "yes" if on else "no"] for name, on in switches.items()]
    tree += [["on_board", "yes"], ["dnp", "no"], ["uuid", key("symbol", role)]]
    usual = _usual_places(drawn.units[number - 1], angle, mirror)
    rooms: list[Room] = []
    for name, said in texts.items():
        at = places.get(name) or usual.get(name)
        shown = not (name == "Reference" and drawn.power) and not (name == "Value" and not drawn.value_shown)
        tree.append(_write_field(name, said, place, at, shown, rooms))
    tree += [["pin", Quoted(pin.number), ["uuid", key("symbol", role, "pin", pin.number)]] for pin in drawn.pins]
    return tree, rooms


def write_sub_sheet(
    key: Key, name: str, body: Room, left: Sequence[Port], right: Sequence[Port]
) -> tuple[Tree, list[Room]]:
    """Return a sub-sheet without its instances, and the rooms of its texts."""
    x, y = body.left * GRID, body.top * GRID
    above, below = (x, y - 0.7116), (x, body.bottom * GRID + 0.5846)
    file = f"{name}.kicad_sch"
    small: Tree = ["font", ["size", SMALL, SMALL]]
    tree: Tree = [
        "sheet",
        ["at", x, y],
        ["size", (body.right - body.left) * GRID, (body.bottom - body.top) * GRID],
        ["exclude_from_sim", "no"],
        ["in_bom", "yes"],
        ["on_board", "yes"],
        ["dnp", "no"],
        ["stroke", ["width", 0.1524], ["type", "solid"]],
        ["fill", ["color", 255, 255, 230, 1]],
        ["uuid", key("sheet", name)],
        _titled("Sheetname", name, above, ["effects", FONT, ["justify", "left", "bottom"]]),
        # Its name says the file too, and the next sheet's name is where this would stand.
        _titled("Sheetfile", file, below, ["effects", small, ["justify", "left", "top"], ["hide", "yes"]]),
    ]
    for side, angle, ports in (("left", 180, left), ("right", 0, right)):
        for pin, shape, row in ports:
            if shape not in SHAPES:
                raise InputError(
                    f"sub-sheet {name!r}, pin {pin!r}: shape {shape!r}: must be one of {', '.join(SHAPES)}"
                )
            at = ["at", (body.left if side == "left" else body.right) * GRID, row * GRID, angle]
            effects: Tree = ["effects", FONT, ["justify", side]]
            tree.append(["pin", Quoted(pin), shape, at, ["uuid", key("sheet", name, pin)], effects])
    return tree, [text_room(name, body.left, body.top - 1.1, "left", SIZE, GRID)]


def _titled(name: str, value: str, at: tuple[float, float], effects: Tree) -> Tree:
    return ["property", Quoted(name), Quoted(value), ["at", *at, 0], effects]


def _write_field(name: str, said: str, place: Place, at: At | None, shown: bool, rooms: list[Room]) -> Tree:
    x, y, angle, mirror = place
    if at is None:
        return write_property(name, said, (x * GRID, y * GRID, 0), hidden=True)
    dx, dy, side = (*at, "centre")[:3]
    if not isinstance(dx, int | float) or not isinstance(dy, int | float) or side not in ("left", "right", "centre"):
        raise InputError(f"place of {name} = {at!r}: must be (dx, dy) or (dx, dy, 'left' or 'right')")
    size = SIZE if name in ALWAYS else SMALL
    if shown:
        rooms.append(text_room(said, x + dx, y + dy, str(side), size, GRID))
    # KiCad turns and mirrors a text with its symbol: asked for so that it reads to the right where it is shown.
    stands = angle in (90, 270)
    along, _ = turn(0, 1, angle, mirror) if stands else turn(1, 0, angle, mirror)
    if along < 0 and side != "centre":
        side = "left" if side == "right" else "right"
    at_mm = ((x + dx) * GRID, (y + dy) * GRID, 90 if stands else 0)
    return write_property(name, said, at_mm, hidden=not shown, side=str(side), size=size)


def _usual_places(unit: SymbolUnit, angle: int, mirror: str) -> dict[str, Anchor]:
    texts = unit.turned if angle in (90, 270) else unit.texts
    if unit.sided and angle in (0, 180) and turn(1, 0, angle, mirror)[0] < 0:
        other = {"left": "right", "right": "left", "centre": "centre"}
        return {name: Anchor(-at.x, at.y, other[at.side]) for name, at in zip(ALWAYS, texts, strict=True)}
    return dict(zip(ALWAYS, texts, strict=True))
