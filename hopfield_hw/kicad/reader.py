"""Schematics of KiCad read without KiCad: what is connected with what, by the places of wires, labels and pins.

found = read_project("board/memory.kicad_pro")
found.nets["/neuron_1/SUM"]        # frozenset({("R101", "2"), ("U1", "2"), ...}), names as KiCad gives them
found.components["R101"].value
found.problems                     # what is wrong, in words, each with its file and place
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from ..values.errors import InputError
from .problems import find_problems
from .sheet_file import read_sheet, read_sheet_text
from .walk import VisitedSheet, Walk

BUILT_IN = ("Reference", "Value", "Footprint", "Datasheet", "Description")


class ReadUnit(NamedTuple):
    """A unit of a component as it lies on a sheet. `place`: path of uuids from below the root, as a board names it."""

    number: int
    file: str
    sheet: str
    place: str
    fields: Mapping[str, str]
    switches: Mapping[str, str]
    symbol: str


class ReadComponent(NamedTuple):
    """A component as the sheets have it: what its first unit says. `units`: in the order of their numbers."""

    symbol: str
    value: str
    footprint: str
    fields: Mapping[str, str]
    switches: Mapping[str, str]
    units: tuple[ReadUnit, ...]


@dataclass(frozen=True, kw_only=True)
class Schematic:
    """What the files of a project say.

    `nets`: by KiCad's name the pins of each, those that are connected to nothing left out; `free`: those, by KiCad's
    name. `components`: by reference. `sheets`: all instances of sheets. `problems`: what is wrong, in words.
    """

    nets: Mapping[str, frozenset[tuple[str, str]]]
    free: Mapping[str, tuple[str, str]]
    components: Mapping[str, ReadComponent]
    sheets: tuple[VisitedSheet, ...]
    problems: tuple[str, ...]


def read_project(path: str | Path) -> Schematic:
    """Return what the schematic of a project says; `path`: of its .kicad_pro or root .kicad_sch.

    A fault in a file is a problem of the schematic. Raises InputError where the root sheet cannot be read.
    """
    root = Path(path).with_suffix(".kicad_sch")
    return _read(root.stem, lambda name: read_sheet_text(root.parent / name))


def read_texts(name: str, texts: Mapping[str, str]) -> Schematic:
    """Return what the sheets of a project say; `name`: of the project, `texts`: by the name of its file each sheet."""

    def find(file: str) -> str:
        if file not in texts:
            raise InputError("is not there")
        return texts[file]

    return _read(name, find)


def _read(project: str, texts: Callable[[str], str]) -> Schematic:
    root = f"{project}.kicad_sch"
    walk = Walk(texts, project)
    try:
        file = read_sheet(texts(root))
    except InputError as error:
        raise InputError(f"{root}: {error}") from None
    walk.visit(file, root, f"/{file.uuid}", "/", 0, frozenset())
    nets, free = walk.nets()
    return Schematic(
        nets=nets,
        free=free,
        components=_components(walk.sheets),
        sheets=tuple(walk.sheets),
        problems=(*walk.problems, *find_problems(walk)),
    )


def _components(sheets: Sequence[VisitedSheet]) -> dict[str, ReadComponent]:
    """Return the components by reference, each with its units."""
    units: dict[str, list[ReadUnit]] = {}
    for sheet in sheets:
        for symbol, reference, unit in sheet.symbols:
            if reference.startswith("#"):
                continue
            place = f"{sheet.path[sheet.path.index('/', 1) :] if sheet.depth else ''}/{symbol.uuid}"
            library = symbol.drawn.name
            read = ReadUnit(unit, sheet.name, sheet.names, place, symbol.fields, symbol.switches, library)
            units.setdefault(reference, []).append(read)
    found = {}
    for reference in sorted(units):
        members = sorted(units[reference], key=lambda unit: unit.number)
        fields = members[0].fields
        found[reference] = ReadComponent(
            symbol=members[0].symbol,
            value=fields.get("Value", ""),
            footprint=fields.get("Footprint", ""),
            fields={name: text for name, text in fields.items() if name not in BUILT_IN},
            switches=members[0].switches,
            units=tuple(members),
        )
    return found
