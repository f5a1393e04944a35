"""The project's own footprints: pads, outline and room, in millimetres, y downwards.

    footprint("R_0805").pads[0]      # Pad(number="1", x=-0.9125, y=0, width=1.025, height=1.4, kind="smd")

The names: R_0805, R_1206, C_0805, C_1206, C_1210, C_1812, SOD123, SOT23, SOIC8, SOIC14, SOIC16 (bodies of 3.9 mm),
HDR_01 to HDR_40 (one row, 2.54 mm), TP_1.5. Pads are of nominal density, as IPC-7351 has them for these bodies.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from typing import NamedTuple

from ..values.errors import InputError
from ..values.names import unknown
from .geometry import Room
from .sexpr import Quoted, Tree
from .symbols import connections

VERSION = 20241229  # of the file format: what KiCad 9 writes
CLEARANCE = 0.25  # between what a part covers and the edge of its room
HEADER = re.compile(r"HDR_(\d\d)")


class Pad(NamedTuple):
    """A pad: its centre and size. `kind`: smd, round (a test pad without paste) or drilled."""

    number: str
    x: float
    y: float
    width: float
    height: float
    kind: str = "smd"


@dataclass(frozen=True, kw_only=True)
class Footprint:
    """A footprint. `body`: half the width and height of what lies on the board; None for a header."""

    name: str
    description: str
    pads: tuple[Pad, ...]
    body: tuple[float, float] | None

    @cached_property
    def room(self) -> Room:
        """The room that it needs on a board, millimetres."""
        rooms = [Room(p.x - p.width / 2, p.y - p.height / 2, p.x + p.width / 2, p.y + p.height / 2) for p in self.pads]
        if self.body is not None:
            rooms.append(Room(-self.body[0], -self.body[1], *self.body))
        return Room(
            round(min(room.left for room in rooms) - CLEARANCE, 2),
            round(min(room.top for room in rooms) - CLEARANCE, 2),
            round(max(room.right for room in rooms) + CLEARANCE, 2),
            round(max(room.bottom for room in rooms) + CLEARANCE, 2),
        )

    @property
    def attribute(self) -> str:
        """How it is mounted, as KiCad says it."""
        return "through_hole" if any(pad.kind == "drilled" for pad in self.pads) else "smd"

    def content(self, added: Callable[[str], list[Tree]] = lambda number: []) -> list[Tree]:
        """Return its outlines and pads; `added`: what a pad of a number has besides."""
        found = [_rectangle(self.room, "F.CrtYd", 0.05)]
        if self.body is not None:
            width, height = self.body
            found.append(_rectangle(Room(-width, -height, width, height), "F.Fab", 0.1))
        return found + [[*_write_pad(pad), *added(pad.number)] for pad in self.pads]

    def tree(self) -> Tree:
        """Return it as a file of a library has it."""
        font: Tree = ["effects", ["font", ["size", 1, 1], ["thickness", 0.15]]]
        shown = (
            ("Reference", "REF**", self.room.top - 0.8, "F.SilkS"),
            ("Value", self.name, self.room.bottom + 0.8, "F.Fab"),
        )
        return [
            "footprint",
            Quoted(self.name),
            ["version", VERSION],
            ["generator", Quoted("hopfield")],
            ["generator_version", Quoted("9.0")],
            ["layer", Quoted("F.Cu")],
            ["descr", Quoted(self.description)],
            *(
                ["property", Quoted(name), Quoted(value), ["at", 0, round(y, 2), 0], ["layer", Quoted(layer)], font]
                for name, value, y, layer in shown
            ),
            ["attr", self.attribute],
            *self.content(),
            ["embedded_fonts", "no"],
        ]


def _two(x: float, width: float, height: float) -> tuple[Pad, ...]:
    return Pad("1", -x, 0, width, height), Pad("2", x, 0, width, height)


def _soic(count: int) -> Footprint:
    half = count // 2
    rows = [1.27 * (k - (half - 1) / 2) for k in range(half)]
    pads = [Pad(str(k + 1), -2.475, y, 1.95, 0.6) for k, y in enumerate(rows)]
    pads += [Pad(str(count - k), 2.475, y, 1.95, 0.6) for k, y in enumerate(rows)]
    return Footprint(
        name=f"SOIC{count}",
        description=f"SOIC, {count} leads, body 3.9 mm wide, 1.27 mm pitch",
        pads=tuple(pads),
        body=(1.95, 0.635 * half),
    )


def _chip(name: str, description: str, pads: tuple[Pad, ...], body: tuple[float, float]) -> Footprint:
    return Footprint(name=name, description=description, pads=pads, body=body)


TABLE: Mapping[str, Footprint] = {
    found.name: found
    for found in (
        _chip("R_0805", "Resistor 0805 (2.0 x 1.25 mm)", _two(0.9125, 1.025, 1.4), (1.0, 0.625)),
        _chip("R_1206", "Resistor 1206 (3.2 x 1.6 mm)", _two(1.4625, 1.125, 1.75), (1.6, 0.8)),
        _chip("C_0805", "Capacitor 0805 (2.0 x 1.25 mm)", _two(0.95, 1.0, 1.45), (1.0, 0.625)),
        _chip("C_1206", "Capacitor 1206 (3.2 x 1.6 mm)", _two(1.475, 1.15, 1.8), (1.6, 0.8)),
        _chip("C_1210", "Capacitor 1210 (3.2 x 2.5 mm)", _two(1.475, 1.15, 2.7), (1.6, 1.25)),
        _chip("C_1812", "Capacitor 1812 (4.5 x 3.2 mm)", _two(2.1125, 1.225, 3.4), (2.25, 1.6)),
        _chip("SOD123", "SOD-123, pin 1 is the cathode", _two(1.65, 0.9, 1.2), (1.35, 0.8)),
        _chip(
            "SOT23",
            "SOT-23, three leads",
            (
                Pad("1", -0.9375, -0.95, 1.475, 0.6),
                Pad("2", -0.9375, 0.95, 1.475, 0.6),
                Pad("3", 0.9375, 0, 1.475, 0.6),
            ),
            (0.65, 1.45),
        ),
        *(_soic(count) for count in (8, 14, 16)),
        _chip("TP_1.5", "Test pad, 1.5 mm", (Pad("1", 0, 0, 1.5, 1.5, "round"),), (0.75, 0.75)),
    )
}


@cache
def footprint(name: str) -> Footprint:
    """Return a footprint by its name. Raises InputError for a name that is not there."""
    if name in TABLE:
        return TABLE[name]
    found = HEADER.fullmatch(name)
    if found is None:
        raise InputError(unknown("footprint", name, [*TABLE, "HDR_NN"]))
    count = int(found[1])
    if not 1 <= count <= connections.MOST:
        raise InputError(f"footprint {name!r}: a header in one row has 1 to {connections.MOST} pins; use several")
    return Footprint(
        name=name,
        description=f"Pin header, 1 x {count}, 2.54 mm pitch",
        pads=tuple(Pad(str(k + 1), 0, 2.54 * k, 1.7, 1.7, "drilled") for k in range(count)),
        body=None,
    )


def _rectangle(room: Room, layer: str, width: float) -> Tree:
    stroke: Tree = ["stroke", ["width", width], ["type", "solid"]]
    start, end = ["start", room.left, room.top], ["end", room.right, room.bottom]
    return ["fp_rect", start, end, stroke, ["fill", "no"], ["layer", Quoted(layer)]]


def _write_pad(pad: Pad) -> Tree:
    mask, paste = Quoted("F.Mask"), Quoted("F.Paste")
    kind, shape = "smd", "roundrect"
    layers: Tree = ["layers", Quoted("F.Cu"), mask, paste]
    more: list[Tree] = [["roundrect_rratio", 0.2]]
    if pad.kind == "drilled":
        kind, shape = "thru_hole", "rect" if pad.number == "1" else "circle"
        layers, more = ["drill", 1.0], [["layers", Quoted("*.Cu"), Quoted("*.Mask")]]
    elif pad.kind == "round":
        shape, layers, more = "circle", ["layers", Quoted("F.Cu"), mask], []
    at = ["at", pad.x, pad.y]
    return ["pad", Quoted(pad.number), kind, shape, at, ["size", pad.width, pad.height], layers, *more]
