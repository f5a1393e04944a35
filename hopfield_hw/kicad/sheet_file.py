"""One .kicad_sch file as plain data: what is read of it, by place, in units of 1e-4 mm.

This and `reader` share nothing with what draws sheets, so that a fault of one is not made up for by the other.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from ..values.errors import InputError
from .sexpr import Tree, every, first, need, number, read_tree, word

UNIT = 1e-4  # millimetres: what KiCad counts in
GRID = 12700  # 1.27 mm in these units
OLDEST, NEWEST = 20231120, 20250114  # the versions of the format that KiCad 8 and 9 write
LABELS = ("label", "hierarchical_label", "global_label")
# What is drawn without a meaning for nets.
DRAWN = ("text", "text_box", "rectangle", "polyline", "circle", "arc", "bezier", "image", "table")
HEAD = ("version", "generator", "generator_version", "uuid", "paper", "title_block", "lib_symbols")
TAIL = ("sheet_instances", "symbol_instances", "embedded_fonts", "embedded_files", "group")
READ = ("wire", "junction", "no_connect", "symbol", "sheet", *LABELS)

At = tuple[int, int]


class LibraryPin(NamedTuple):
    """A pin of an embedded symbol: y upwards. `unit`: 0 is part of all units."""

    unit: int
    number: str
    name: str
    kind: str
    x: int
    y: int


class LibrarySymbol(NamedTuple):
    """A symbol as a sheet embeds it."""

    name: str
    power: bool
    units: int
    pins: tuple[LibraryPin, ...]


class PlacedPin(NamedTuple):
    """A pin where it lies on a sheet."""

    number: str
    name: str
    kind: str
    at: At


class PlacedSymbol(NamedTuple):
    """A symbol on a sheet, turned counterclockwise by quarter turns, then mirrored at an axis of the sheet.

    `instances`: by (project, path) its reference and unit. `switches`: in_bom and the like, yes or no.
    """

    drawn: LibrarySymbol
    at: At
    turns: int
    mirror: str
    unit: int
    uuid: str
    fields: Mapping[str, str]
    instances: Mapping[tuple[str, str], tuple[str, int]]
    switches: Mapping[str, str]

    def pins(self, unit: int) -> list[PlacedPin]:
        """Return the pins of a unit where they lie; KiCad draws the unit that an instance names."""
        return [
            PlacedPin(pin.number, pin.name, pin.kind, self._place(pin.x, pin.y))
            for pin in self.drawn.pins
            if pin.unit in (0, unit)
        ]

    def _place(self, x: int, y: int) -> At:
        x, y = [(x, y), (-y, x), (-x, -y), (y, -x)][self.turns]
        if self.mirror == "x":
            y = -y
        elif self.mirror == "y":
            x = -x
        return self.at[0] + x, self.at[1] - y


class Label(NamedTuple):
    """A name at a point."""

    kind: str
    name: str
    at: At


class SubSheet(NamedTuple):
    """A sheet on a sheet: its pins by name; `projects`: those that it has an instance in, with its parent's path."""

    name: str
    file: str
    uuid: str
    pins: tuple[tuple[str, At], ...]
    projects: frozenset[tuple[str, str]]


class SheetFile(NamedTuple):
    """What a file holds. `problems`: of its content, each in words."""

    uuid: str
    version: int
    library: Mapping[str, LibrarySymbol]
    wires: tuple[tuple[At, At], ...]
    junctions: frozenset[At]
    no_connects: frozenset[At]
    labels: tuple[Label, ...]
    symbols: tuple[PlacedSymbol, ...]
    sheets: tuple[SubSheet, ...]
    has_instances: bool
    problems: tuple[str, ...]


def read_sheet_text(path: Path) -> str:
    """Return the text of a file. Raises InputError where it cannot be read."""
    try:
        return path.read_text(encoding="utf-8")
    except OSError as error:
        raise InputError(f"cannot be read: {error.strerror}") from None
    except UnicodeDecodeError as error:
        raise InputError(f"is no text in UTF-8: {error.reason} at byte {error.start}") from None


def read_sheet(text: str) -> SheetFile:
    """Return what the text of a .kicad_sch file says. Raises InputError for one that is none."""
    tree = read_tree(text)
    if tree[0] != "kicad_sch":
        raise InputError(f"is a ({tree[0]} ...), no schematic of KiCad")
    problems = []
    kinds = {str(item[0]) for item in tree[1:] if isinstance(item, list)}
    for kind in sorted(kinds - {*HEAD, *TAIL, *READ, *DRAWN}):
        problems.append(f"({kind} ...) is not understood here; draw it with wires and labels")
    library = {word(item): read_library_symbol(item) for item in every(need(tree, "lib_symbols"), "symbol")}
    symbols = []
    for item in every(tree, "symbol"):
        try:
            symbols.append(read_symbol(item, library))
        except InputError as error:
            problems.append(str(error))
    return SheetFile(
        uuid=word(need(tree, "uuid")),
        version=round(number(need(tree, "version"))),
        library=library,
        wires=tuple(_wire(item) for item in every(tree, "wire")),
        junctions=frozenset(read_at(need(item, "at")) for item in every(tree, "junction")),
        no_connects=frozenset(read_at(need(item, "at")) for item in every(tree, "no_connect")),
        labels=tuple(
            Label(kind, word(item), read_at(need(item, "at"))) for kind in LABELS for item in every(tree, kind)
        ),
        symbols=tuple(symbols),
        sheets=tuple(_sub_sheet(item) for item in every(tree, "sheet")),
        has_instances=first(tree, "sheet_instances") is not None,
        problems=tuple(problems),
    )


def show(at: At) -> str:
    """Return a point as KiCad shows it, in millimetres."""
    return f"({at[0] * UNIT:g}, {at[1] * UNIT:g}) mm"


def _units(tree: Tree, k: int) -> int:
    return round(number(tree, k) / UNIT)


def read_at(tree: Tree) -> At:
    """Return a point that a list begins with, in units of 1e-4 mm."""
    return _units(tree, 1), _units(tree, 2)


def _wire(tree: Tree) -> tuple[At, At]:
    ends = every(need(tree, "pts"), "xy")
    if len(ends) != 2:
        raise InputError(f"a wire has {len(ends)} points: must have 2")
    return read_at(ends[0]), read_at(ends[1])


def _properties(tree: Tree) -> dict[str, str]:
    return {word(item): word(item, 2) for item in every(tree, "property")}


def read_library_symbol(tree: Tree) -> LibrarySymbol:
    """Return an embedded symbol. Raises InputError for one that is none."""
    pins = []
    units = 0
    for body in every(tree, "symbol"):
        parts = word(body).rsplit("_", 2)
        if len(parts) != 3 or not parts[1].isdigit():
            raise InputError(f"symbol {word(tree)!r}: body {word(body)!r}: must end in _UNIT_STYLE")
        unit = int(parts[1])
        units = max(units, unit)
        for pin in every(body, "pin"):
            x, y = read_at(need(pin, "at"))
            pins.append(LibraryPin(unit, word(need(pin, "number")), word(need(pin, "name")), word(pin), x, y))
    return LibrarySymbol(word(tree), first(tree, "power") is not None, max(units, 1), tuple(pins))


def read_symbol(tree: Tree, library: Mapping[str, LibrarySymbol]) -> PlacedSymbol:
    """Return a placed symbol, of those embedded. Raises InputError for one that is none."""
    name = word(need(tree, "lib_id"))
    fields = _properties(tree)
    if name not in library:
        raise InputError(f"symbol {name!r} of {fields.get('Reference', '?')} is not among the file's lib_symbols")
    drawn = library[name]
    at = need(tree, "at")
    turns = round(number(at, 3)) // 90 % 4 if len(at) > 3 else 0
    mirror = first(tree, "mirror")
    unit = round(number(need(tree, "unit")))
    instances = {}
    for project in every(first(tree, "instances") or [], "project"):
        for path in every(project, "path"):
            found = word(need(path, "reference")), round(number(need(path, "unit")))
            instances[word(project), word(path)] = found
    switches = {
        key: word(item)
        for key in ("exclude_from_sim", "in_bom", "on_board", "dnp")
        if (item := first(tree, key)) is not None
    }
    return PlacedSymbol(
        drawn=drawn,
        at=read_at(at),
        turns=turns,
        mirror="" if mirror is None else word(mirror),
        unit=unit,
        uuid=word(need(tree, "uuid")),
        fields=fields,
        instances=instances,
        switches=switches,
    )


def _sub_sheet(tree: Tree) -> SubSheet:
    fields = _properties(tree)
    if "Sheetfile" not in fields or "Sheetname" not in fields:
        raise InputError("a sub-sheet has no Sheetname or Sheetfile")
    projects = {
        (word(project), word(path))
        for project in every(first(tree, "instances") or [], "project")
        for path in every(project, "path")
    }
    pins = tuple((word(pin), read_at(need(pin, "at"))) for pin in every(tree, "pin"))
    return SubSheet(fields["Sheetname"], fields["Sheetfile"], word(need(tree, "uuid")), pins, frozenset(projects))
