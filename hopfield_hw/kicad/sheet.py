"""Sheets of a schematic: parts, wires and names placed on a grid of 1.27 mm, written as a .kicad_sch file.

    root = Sheet(project="memory", name="root", title="A memory", supplies=assembly.supplies)
    component, unit = assembly.by_role["R_syn_1_2"]
    at = root.place(component, unit, 40, 20)        # {"1": (37, 20), "2": (43, 20)}
    root.wire((20, 20), at["1"])                    # points joined by wires along the axes
    root.label("V2", 20, 20, 180)
    root.power("GND", *at["2"])
    write_tree(root.tree())

Coordinates are integers, x to the right, y downwards; those of texts may be fractions. Wires are split, and junctions
made, where the end of a wire or a pin lies on another wire; wires that only cross do not meet. Every item has a uuid
that follows from the project, the sheet and its role alone, so that a drawing made again has the same.
"""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import pairwise

from ..assembly import Component, Unit
from ..assembly.component import GROUND
from ..values.errors import InputError
from .geometry import ANGLES, MIRRORS, Point, Room, split_wires, text_room, turn
from .marks import MARKED, make_mark
from .papers import choose_paper
from .placed import SHAPES, At, Place, Port, write_sub_sheet, write_symbol
from .sexpr import Quoted, Tree
from .symbols import LIBRARY, Symbol, symbol
from .symbols.shapes import FONT, GRID

VERSION = 20250114  # of the file format: what KiCad 9 writes
GENERATOR: list[Tree] = [["generator", Quoted("hopfield")], ["generator_version", Quoted("9.0")]]
NAMESPACE = uuid.uuid5(uuid.NAMESPACE_URL, "hopfield-hw-kicad")
MOST_POWER = 999  # power symbols on a sheet: their references are numbers of a thousand for each page


def make_uuid(*key: object) -> Quoted:
    """Return the uuid of a role: the same for the same key."""
    return Quoted(str(uuid.uuid5(NAMESPACE, "/".join(map(str, key)))))


class Sheet:
    """One sheet, which is one file: its drawing.

    `project`: name of the project. `name`: `root`, or that of the sheet and its file. `title`, `comment`: of the title
    block. `parent`: the sheet that has it as a sub-sheet; None for the root. `page`: from 1, another for each sheet.
    `supplies`: by net its volts, for the direction of its symbol. `paper`: A4 to A0, or None for the smallest that
    holds the drawing.
    """

    def __init__(
        self,
        *,
        project: str,
        name: str,
        title: str,
        parent: Sheet | None = None,
        page: int = 1,
        supplies: Mapping[str, float] | None = None,
        paper: str | None = None,
        comment: str = "",
    ) -> None:
        self.project, self.name, self.title, self.page, self.comment = project, name, title, page, comment
        inherited: Mapping[str, float] = {} if parent is None else parent.supplies
        self.supplies: Mapping[str, float] = dict(inherited if supplies is None else supplies)
        self.paper = paper
        self.uuid = self._key("file")
        self.path: str = f"/{self.uuid}" if parent is None else f"{parent.path}/{parent._key('sheet', name)}"
        self.is_root = parent is None
        self.texts: list[Room] = []
        self.wires: list[tuple[Point, Point]] = []
        self.bodies: list[Room] = []
        self.following: set[str] = set()  # uuids of texts that follow the board
        self._pins: list[Point] = []
        self._symbols: dict[str, Symbol] = {}
        self._placed: dict[str, Tree] = {}
        self._items: dict[str, list[Tree]] = {}
        self._counts: Counter[tuple[str, ...]] = Counter()
        self._power = 0

    @property
    def file(self) -> str:
        """The name of its file."""
        return f"{self.project if self.is_root else self.name}.kicad_sch"

    def place(
        self,
        component: Component,
        unit: Unit,
        x: int,
        y: int,
        angle: int = 0,
        mirror: str = "",
        *,
        reference: At | None = None,
        value: At | None = None,
        show: Mapping[str, At] | None = None,
    ) -> dict[str, Point]:
        """Place a unit of a component; return by pin number where a wire meets it.

        `angle`: 0, 90, 180 or 270, counterclockwise; `mirror`: "", or after turning "x" (top and bottom change) or
        "y" (left and right change). `reference`, `value`: where these texts stand instead of the usual place, from
        (x, y): (dx, dy) for the centre, or (dx, dy, "left" or "right"). `show`: by name of a field where it is shown,
        likewise.

        Raises InputError for a unit that the symbol does not have, a role placed twice, another angle or mirror.
        """
        drawn = symbol(component.symbol)
        if not 1 <= unit.number <= len(drawn.units):
            raise InputError(
                f"{component.reference}: unit {unit.number} of symbol {drawn.name}: it has 1 to {len(drawn.units)}"
            )
        fields = dict(component.fields)
        said = {
            "Footprint": f"{LIBRARY}:{component.footprint}" if component.footprint else "",
            "Datasheet": fields.pop("Datasheet", ""),
            "Description": fields.pop("Description", drawn.description),
            **{name: text for name, text in fields.items() if text},
        }
        texts = {"Reference": component.reference, "Value": component.value, **said}
        places = {"Reference": reference, "Value": value, **(show or {})}
        unknown = sorted(set(show or {}) - set(texts))
        if unknown:
            raise InputError(f"{component.reference} has no field {unknown[0]!r} to show: it has {', '.join(texts)}")
        switches = {"exclude_from_sim": not component.simulated, "in_bom": component.bought}
        return self._put(unit.role, drawn, unit.number, (x, y, angle, mirror), texts, places, switches)

    def power(self, net: str, x: int, y: int) -> Point:
        """Name the net at a point by the symbol of ground or of a supply; return the point.

        Raises InputError for a net that is neither.
        """
        if net == GROUND:
            shape = "GND"
        elif net in self.supplies:
            shape = "SUPPLY_MINUS" if self.supplies[net] < 0 else "SUPPLY_PLUS"
        else:
            raise InputError(f"net {net!r} has no power symbol: it is none of {', '.join([GROUND, *self.supplies])}")
        return self._put_power(shape, net, x, y)

    def flag(self, x: int, y: int) -> Point:
        """Say that the net at a point is powered from outside: each supply and ground must once; return the point."""
        return self._put_power("PWR_FLAG", "PWR_FLAG", x, y)

    def wire(self, *points: Point) -> None:
        """Join points by wires along the axes. Raises InputError for two that lie on no axis."""
        for a, b in pairwise(points):
            if a[0] != b[0] and a[1] != b[1]:
                raise InputError(f"sheet {self.name!r}: wire from {a} to {b}: must be horizontal or vertical")
            if a != b:
                self.wires.append((min(a, b), max(a, b)))

    def label(self, name: str, x: int, y: int, angle: int = 0) -> None:
        """Name the net at a point within this sheet; the name reads from the point to the right, 180 to the left."""
        side = "right" if angle in (180, 270) else "left"
        self._add_label("label", name, x, y, angle, ["justify", side, "bottom"])

    def port(self, name: str, x: int, y: int, angle: int = 0, shape: str = "passive") -> None:
        """Join the net at a point to the pin of this name on the parent sheet; `angle`: to where its name reads."""
        if shape not in SHAPES:
            raise InputError(f"port {name!r}: shape {shape!r}: must be one of {', '.join(SHAPES)}")
        self._add_label(
            "hierarchical_label", name, x, y, angle, ["justify", "right" if angle in (180, 270) else "left"], shape
        )

    def no_connect(self, x: int, y: int) -> None:
        """Say that the pin at a point is connected to nothing."""
        self._add("no_connect", ["no_connect", self._at(x, y), ["uuid", self._key("no_connect", x, y)]])

    def text(
        self, shown: str, x: float, y: float, size: float = 1.27, *, bold: bool = False, role: str | None = None
    ) -> None:
        """Write lines of text with their upper left corner at a point; `size` in millimetres.

        `role`: of a text that says what the board says, such as a weight: it follows the board where a person has
        rearranged the sheet. Another text is a title, and is the person's.
        """
        font: Tree = ["font", ["size", size, size], *([["bold", "yes"]] if bold else [])]
        effects: Tree = ["effects", font, ["justify", "left", "top"]]
        key = self._next("text", shown) if role is None else self._key("text of", role)
        if role is not None:
            self.following.add(key)
        self._add(
            "text",
            ["text", Quoted(shown), ["exclude_from_sim", "no"], self._at(x, y, 0), effects, ["uuid", key]],
        )
        for k, line in enumerate(shown.split("\n")):
            step = 1.6 * size / GRID
            self.texts.append(text_room(line, x, y + step * k + size / GRID / 2, "left", size, GRID))

    def box(self, x1: float, y1: float, x2: float, y2: float, title: str = "") -> None:
        """Draw a dashed rectangle, with a title in its upper left corner."""
        stroke: Tree = ["stroke", ["width", 0.15], ["type", "dash"], ["color", 132, 132, 132, 1]]
        start, end = ["start", x1 * GRID, y1 * GRID], ["end", x2 * GRID, y2 * GRID]
        key = self._next("box", title)
        self._add("rectangle", ["rectangle", start, end, stroke, ["fill", ["type", "none"]], ["uuid", key]])
        self.bodies += [Room(x1, y1, x1, y1), Room(x2, y2, x2, y2)]
        if title:
            self.text(title, x1 + 0.8, y1 + 0.8)

    def sub_sheet(
        self,
        name: str,
        x: int,
        y: int,
        width: int,
        height: int,
        left: Sequence[Port] = (),
        right: Sequence[Port] = (),
        *,
        page: int,
    ) -> dict[str, Point]:
        """Place a sub-sheet, drawn by the `Sheet` of its name with this as parent; return by pin where a wire meets it.

        `left`, `right`: its pins, each (name, shape, y), one for each port of that sheet.
        """
        found: dict[str, Point] = {}
        for side, ports in ((x, left), (x + width, right)):
            for pin, _, row in ports:
                if pin in found:
                    raise InputError(f"sub-sheet {name!r}: pin {pin!r} is there twice; one name joins one net")
                found[pin] = (side, row)
        self._pins += found.values()
        tree, rooms = write_sub_sheet(self._key, name, Room(x, y, x + width, y + height), left, right)
        instance = ["path", Quoted(self.path), ["page", Quoted(str(page))]]
        self._add("sheet", [*tree, ["instances", ["project", Quoted(self.project), instance]]])
        self.bodies.append(Room(x, y, x + width, y + height))
        self.texts += rooms
        return found

    def extent(self) -> tuple[float, float]:
        """Return how far the drawing reaches to the right and down, in grid units."""
        rooms = [*self.texts, *self.bodies]
        points = [*self._pins, *(point for wire in self.wires for point in wire)]
        return (
            max([room.right for room in rooms] + [x for x, _ in points], default=0),
            max([room.bottom for room in rooms] + [y for _, y in points], default=0),
        )

    def tree(self) -> Tree:
        """Return the sheet as the tree of its file."""
        wires, junctions = split_wires(self.wires, self._pins)
        block: Tree = ["title_block", ["title", Quoted(self.title)], ["rev", Quoted("1")]]
        if self.comment:
            block.append(["comment", 1, Quoted(self.comment)])
        tree: Tree = ["kicad_sch", ["version", VERSION], *GENERATOR, ["uuid", self.uuid]]
        tree += [choose_paper(self.paper, self.extent()), block]
        tree.append(["lib_symbols", *(self._symbols[name].tree(f"{LIBRARY}:") for name in sorted(self._symbols))])
        for x, y in junctions:
            dot: Tree = ["junction", self._at(x, y), ["diameter", 0], ["color", 0, 0, 0, 0]]
            tree.append([*dot, ["uuid", self._key("junction", x, y)]])
        tree += self._items.get("no_connect", [])
        for a, b in wires:
            points = ["pts", *(["xy", x * GRID, y * GRID] for x, y in (a, b))]
            stroke: Tree = ["stroke", ["width", 0], ["type", "default"]]
            tree.append(["wire", points, stroke, ["uuid", self._key("wire", *a, *b)]])
        for kind in ("rectangle", "text", "label", "hierarchical_label"):
            tree += self._items.get(kind, [])
        tree += self._placed.values()
        tree += self._items.get("sheet", [])
        if self.is_root:
            tree.append(["sheet_instances", ["path", Quoted("/"), ["page", Quoted("1")]]])
        tree.append(["embedded_fonts", "no"])
        block.append(["comment", MARKED, Quoted(make_mark(tree))])
        return tree

    def _key(self, *role: object) -> Quoted:
        return make_uuid(self.project, self.name, *role)

    def _next(self, *role: str) -> Quoted:
        self._counts[role] += 1
        return self._key(*role, self._counts[role])

    def _at(self, x: float, y: float, *angle: int) -> Tree:
        return ["at", x * GRID, y * GRID, *angle]

    def _add(self, kind: str, tree: Tree) -> None:
        self._items.setdefault(kind, []).append(tree)

    def _add_label(
        self, kind: str, name: str, x: int, y: int, angle: int, justify: Tree, shape: str | None = None
    ) -> None:
        if angle not in ANGLES:
            raise InputError(f"label {name!r}: angle {angle!r}: must be one of {ANGLES}")
        shaped = [["shape", shape]] if shape else []
        at = self._at(x, y, angle)
        self._add(kind, [kind, Quoted(name), *shaped, at, ["effects", FONT, justify], ["uuid", self._next(kind, name)]])
        width = text_room(name, 0, 0, "left", 1.27, GRID).right + (1.6 if shape else 0)
        # A label stands on its wire, letters such as _ just above it; a port is centred on its own.
        above, below = (1.6, -0.1) if kind == "label" else (0.5, 0.5)
        room = {
            0: Room(x, y - above, x + width, y + below),
            180: Room(x - width, y - above, x, y + below),
            90: Room(x - above, y - width, x + below, y),
            270: Room(x - above, y, x + below, y + width),
        }[angle]
        self.texts.append(room)

    def _put_power(self, shape: str, net: str, x: int, y: int) -> Point:
        self._power += 1
        if self._power > MOST_POWER:
            raise InputError(f"sheet {self.name!r} has more than {MOST_POWER} power symbols; draw several sheets")
        self._counts["power", net] += 1
        drawn = symbol(shape)
        texts = {
            "Reference": f"{drawn.prefix}{1000 * (self.page - 1) + self._power:04d}",
            "Value": net,
            "Footprint": "",
            "Datasheet": "",
            "Description": drawn.description,
        }
        role = f"power_{net}_{self._counts['power', net]}"
        switches = {"exclude_from_sim": False, "in_bom": True}
        return self._put(role, drawn, 1, (x, y, 0, ""), texts, {}, switches)["1"]

    def _put(
        self,
        role: str,
        drawn: Symbol,
        number: int,
        place: Place,
        texts: Mapping[str, str],
        places: Mapping[str, At | None],
        switches: Mapping[str, bool],
    ) -> dict[str, Point]:
        x, y, angle, mirror = place
        if role in self._placed:
            raise InputError(f"sheet {self.name!r}: role {role!r} is placed twice")
        if angle not in ANGLES or mirror not in MIRRORS:
            raise InputError(
                f"sheet {self.name!r}: {role!r} at angle {angle!r}, mirror {mirror!r}: must be of {ANGLES}, {MIRRORS}"
            )
        tree, rooms = write_symbol(self._key, role, drawn, number, place, texts, places, switches)
        instance = ["path", Quoted(self.path), ["reference", Quoted(texts["Reference"])], ["unit", number]]
        self._placed[role] = [*tree, ["instances", ["project", Quoted(self.project), instance]]]
        self._symbols[drawn.name] = drawn
        self.texts += rooms
        found = {}
        for pin, at in drawn.units[number - 1].at.items():
            dx, dy = turn(*at, angle, mirror)
            found[pin] = (x + round(dx), y + round(dy))
        self._pins += found.values()
        return found
