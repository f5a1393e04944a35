"""The walk through the sheets of a project: every instance of a sheet, what is joined there, and what names it."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from ..values.errors import InputError
from .nets import (
    LABEL,
    PIN,
    PORT,
    POWER,
    SHEET_PIN,
    Driver,
    Joined,
    escape,
    join_wires,
    name_nets,
    pin_net_name,
    unit_letter,
)
from .sheet_file import PlacedPin, PlacedSymbol, SheetFile, SubSheet, read_sheet

DEEPEST = 20  # sheets in sheets


class VisitedSheet(NamedTuple):
    """An instance of a sheet: its path of uuids and of names, its file, and what its parent's sub-sheet has of pins."""

    path: str
    names: str
    depth: int
    name: str
    file: SheetFile
    ports: frozenset[str]
    symbols: tuple[tuple[PlacedSymbol, str, int], ...]  # with reference and unit of this instance

    def pins(self) -> Iterator[tuple[PlacedSymbol, str, int, PlacedPin]]:
        """Yield each pin with its symbol, reference and unit."""
        for symbol, reference, unit in self.symbols:
            for pin in symbol.pins(unit):
                yield symbol, reference, unit, pin


@dataclass
class Walk:
    """The walk through the sheets of a project; `texts` gives by its name the text of a file, or raises InputError."""

    texts: Callable[[str], str]
    project: str
    joined: Joined = field(default_factory=Joined)
    drivers: list[tuple[Hashable, Driver]] = field(default_factory=list)
    sheets: list[VisitedSheet] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)

    def visit(self, file: SheetFile, name: str, path: str, names: str, depth: int, ports: frozenset[str]) -> None:
        """Take in one instance of a sheet, then those below it."""
        symbols = tuple(
            (symbol, *symbol.instances[self.project, path])
            for symbol in file.symbols
            if (self.project, path) in symbol.instances
        )
        here = VisitedSheet(path, names, depth, name, file, ports, symbols)
        self.sheets.append(here)
        pins = {pin.at for _, _, _, pin in here.pins()} | {at for sheet in file.sheets for _, at in sheet.pins}
        join_wires(self.joined, path, file, pins)
        for label in file.labels:
            shown = f"{names}{escape(label.name)}"
            if label.kind == "global_label":
                self.joined.join((path, label.at), ("global", label.name))
                self.drivers.append(((path, label.at), Driver(POWER, 0, escape(label.name))))
                continue
            self.joined.join((path, label.at), (path, "name", label.name))
            if label.kind == "hierarchical_label":
                self.joined.join((path, label.at), (path, "port", label.name))
            strength = LABEL if label.kind == "label" else PORT
            self.drivers.append(((path, label.at), Driver(strength, depth, shown)))
        for found in here.pins():
            self._take_pin(path, *found)
        for sheet in file.sheets:
            self._take_sheet(sheet, name, path, names, depth)

    def _take_pin(self, path: str, symbol: PlacedSymbol, reference: str, unit: int, pin: PlacedPin) -> None:
        key = (path, pin.at)
        if symbol.drawn.power and pin.kind == "power_in":
            net = symbol.fields.get("Value", "")
            self.joined.join(key, ("global", net))
            self.drivers.append((key, Driver(POWER, 0, escape(net))))
        elif not reference.startswith("#"):
            shared = sum(other.name == pin.name for other in symbol.pins(unit)) > 1
            letter = unit_letter(unit) if symbol.drawn.units > 1 else ""
            name = pin_net_name(reference, letter, pin.name, pin.number, shared=shared)
            # A pin that has a name counts before one that has a number alone.
            self.drivers.append((key, Driver(PIN, int("-Pad" in name), name)))

    def _take_sheet(self, sheet: SubSheet, name: str, path: str, names: str, depth: int) -> None:
        below = f"{path}/{sheet.uuid}"
        for pin, at in sheet.pins:
            self.joined.join((path, at), (below, "port", pin))
            self.drivers.append(((path, at), Driver(SHEET_PIN, depth, f"{names}{escape(pin)}")))
        if depth >= DEEPEST:
            self.problems.append(f"{name}: sheet {sheet.name!r}: sheets lie in one another without an end")
            return
        try:
            file = read_sheet(self.texts(sheet.file))
        except InputError as error:
            self.problems.append(f"{name}: sheet {sheet.name!r}: {sheet.file} {error}")
            return
        ports = frozenset(pin for pin, _ in sheet.pins)
        self.visit(file, sheet.file, below, f"{names}{escape(sheet.name)}/", depth + 1, ports)

    def nets(self) -> tuple[dict[str, frozenset[tuple[str, str]]], dict[str, tuple[str, str]]]:
        """Return the pins of each net by its name, then those that are connected to nothing."""
        pins: dict[tuple[str, str], Hashable] = {}
        alone: dict[tuple[str, str], str] = {}
        nets, free = {}, {}
        for sheet in self.sheets:
            for symbol, reference, unit, pin in sheet.pins():
                if reference.startswith("#"):
                    continue
                place = reference, pin.number
                letter = unit_letter(unit) if symbol.drawn.units > 1 else ""
                alone[place] = pin_net_name(reference, letter, pin.name, pin.number, shared=False, unconnected=True)
                if pin.at in sheet.file.no_connects or pin.kind == "no_connect":
                    free[alone[place]] = place
                else:
                    pins[place] = (sheet.path, pin.at)
        for net in name_nets(self.joined, pins, self.drivers):
            if len(net.pins) == 1 and not net.labelled:
                (place,) = net.pins
                free[alone[place]] = place
            else:
                nets[net.name] = net.pins
        return nets, free
