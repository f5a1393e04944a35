"""What symbols are made of: pins on the grid, lines and texts. Shapes are in millimetres, y upwards."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

from ..sexpr import Quoted, Tree

GRID = 1.27  # millimetres
FONT: Tree = ["font", ["size", 1.27, 1.27]]
THICK, THIN = 0.254, 0.1524


class Anchor(NamedTuple):
    """Where a text stands: from the origin of its symbol to the right and down, in grid units; left, right or centre.

    A text `left` begins there, one `right` ends there.
    """

    x: float
    y: float
    side: str = "centre"


class Texts(NamedTuple):
    """Where reference and value stand."""

    reference: Anchor
    value: Anchor


@dataclass(frozen=True, kw_only=True)
class Pin:
    """A pin of a symbol: its number and name; what KiCad's rules take it for; where a wire meets it, in grid units.

    x to the right, y up, from the symbol's origin. `angle`: from the wire's end into the body, degrees; `length`:
    millimetres.
    """

    number: str
    name: str
    kind: str
    x: int
    y: int
    angle: int
    length: float

    def tree(self) -> Tree:
        """Return the pin as a symbol has it."""
        return [
            "pin",
            self.kind,
            "line",
            ["at", self.x * GRID, self.y * GRID, self.angle],
            ["length", self.length],
            ["name", Quoted(self.name), ["effects", FONT]],
            ["number", Quoted(self.number), ["effects", FONT]],
        ]


@dataclass(frozen=True, kw_only=True)
class SymbolUnit:
    """What of a symbol is drawn by itself.

    `texts`: of a unit that lies, at 0 and 180 degrees; `turned`: of one that stands, at 90 and 270. `sided`: texts
    follow a mirrored body to its other side.
    """

    pins: tuple[Pin, ...]
    shapes: tuple[Tree, ...]
    texts: Texts
    turned: Texts
    sided: bool = False

    @cached_property
    def at(self) -> Mapping[str, tuple[int, int]]:
        """By pin number where a wire meets it, in grid units, y upwards."""
        return {pin.number: (pin.x, pin.y) for pin in self.pins}


@dataclass(frozen=True, kw_only=True)
class Symbol:
    """A symbol of the project's own library, in one or more units.

    `prefix`: of its references. `power`: it names the net at its one pin by its value. `numbers`: pin numbers are
    shown. `value_shown`: the value is. `prefix` that begins with # is on no board.
    """

    name: str
    prefix: str
    description: str
    units: tuple[SymbolUnit, ...]
    power: bool = False
    numbers: bool = False
    value_shown: bool = True

    @cached_property
    def pins(self) -> tuple[Pin, ...]:
        """The pins of all units."""
        return tuple(pin for unit in self.units for pin in unit.pins)

    def tree(self, library: str = "") -> Tree:
        """Return the symbol as a library file has it, or with `library:` before its name, as a sheet has it."""
        found: Tree = ["symbol", Quoted(library + self.name)]
        if self.power:
            found.append(["power"])
        if not self.numbers:
            found.append(["pin_numbers", ["hide", "yes"]])
        found.append(["pin_names", ["offset", 0], ["hide", "yes"]])
        found += [["exclude_from_sim", "no"], ["in_bom", "yes"], ["on_board", "yes"]]
        hidden = self.prefix.startswith("#")
        found += [
            write_property("Reference", self.prefix, (0, 5.08, 0), hidden=hidden),
            write_property("Value", self.name, (0, -5.08, 0)),
            write_property("Footprint", "", (0, 0, 0), hidden=True),
            write_property("Datasheet", "", (0, 0, 0), hidden=True),
            write_property("Description", self.description, (0, 0, 0), hidden=True),
        ]
        for number, unit in enumerate(self.units, 1):
            body = [*unit.shapes, *(pin.tree() for pin in unit.pins)]
            found.append(["symbol", Quoted(f"{self.name}_{number}_1"), *body])
        found.append(["embedded_fonts", "no"])
        return found


def write_property(
    name: str,
    value: str,
    at: tuple[float, float, int],
    *,
    hidden: bool = False,
    side: str = "centre",
    size: float = 1.27,
) -> Tree:
    """Return a property; `at` in millimetres and degrees."""
    effects: Tree = ["effects", ["font", ["size", size, size]]]
    if side != "centre":
        effects.append(["justify", side])
    if hidden:
        effects.append(["hide", "yes"])
    return ["property", Quoted(name), Quoted(value), ["at", *at], effects]


def line(*points: tuple[float, float], width: float = THICK, fill: str = "none") -> Tree:
    """Return a line through points."""
    stroke: Tree = ["stroke", ["width", width], ["type", "default"]]
    return ["polyline", ["pts", *(["xy", *point] for point in points)], stroke, ["fill", ["type", fill]]]


def rectangle(first: tuple[float, float], second: tuple[float, float], fill: str = "none") -> Tree:
    """Return a rectangle between two corners."""
    stroke: Tree = ["stroke", ["width", THICK], ["type", "default"]]
    return ["rectangle", ["start", *first], ["end", *second], stroke, ["fill", ["type", fill]]]


def circle(centre: tuple[float, float], radius: float, fill: str = "none") -> Tree:
    """Return a circle."""
    stroke: Tree = ["stroke", ["width", THICK], ["type", "default"]]
    return ["circle", ["center", *centre], ["radius", radius], stroke, ["fill", ["type", fill]]]


def text(shown: str, x: float, y: float, size: float = 1.27) -> Tree:
    """Return a text, centred."""
    return ["text", Quoted(shown), ["at", x, y, 0], ["effects", ["font", ["size", size, size]]]]


def arrow(tip: tuple[float, float], towards: tuple[float, float], size: float = 1.0) -> Tree:
    """Return a filled arrow head with its tip at a point, in the direction of a vector."""
    length = (towards[0] ** 2 + towards[1] ** 2) ** 0.5
    x, y = towards[0] / length, towards[1] / length
    back = (tip[0] - size * x, tip[1] - size * y)
    half = 0.4 * size
    first, second = (back[0] - half * y, back[1] + half * x), (back[0] + half * y, back[1] - half * x)
    return line(tip, first, second, tip, width=0, fill="outline")
