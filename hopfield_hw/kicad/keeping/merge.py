"""One sheet as a person has it, and as it would be drawn: what is on it follows the board, how it lies stays."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from ...assembly import Assembly
from ..geometry import Point
from ..marks import add_to_mark, read_mark, symbol_mark
from ..papers import PAPERS, choose_paper
from ..sexpr import Quoted, Tree, every, first, need, number, word
from ..sheet import Sheet, make_uuid
from ..sheet_file import GRID, UNIT, PlacedSymbol, read_at, read_library_symbol, read_symbol
from ..symbols import LIBRARY
from ..symbols.shapes import GRID as STEP
from .drawing import Drawing, is_generated, uuid_of
from .joining import PORT, Wanted, embed, free_reference, join_pins
from .report import Change, Log

SWITCHES = ("exclude_from_sim", "in_bom", "on_board", "dnp")
PARKED_LEFT, PARKED_RIGHT, BELOW, APART = 40, 260, 14, 10  # in grid units
CHARACTERS = 0.9


class Merged(NamedTuple):
    """A sheet that was kept: its tree, what was done to it, and how many of its symbols a person has moved."""

    tree: Tree
    log: Log
    moved: int | None


def merge_sheet(old: Tree, sheet: Sheet, assembly: Assembly) -> Merged:
    """Bring the tree of a sheet that a person may have rearranged to what the board says; `old` is changed.

    Raises InputError for what cannot be merged.
    """
    return _Merger(old, sheet, assembly).run()


def wanted_nets(sheet: Sheet, new: Tree, assembly: Assembly) -> Wanted:
    """Return what the pins of a sheet are to be joined to."""
    nets: dict[tuple[str, str], str | None] = {}
    for component in assembly.components:
        for unit in component.units:
            if unit.sheet == sheet.name:
                key = str(make_uuid(sheet.project, sheet.name, "symbol", unit.role))
                nets |= {(key, pin): net for pin, net in unit.pins.items()}
    for item in every(new, "sheet"):
        nets |= {(uuid_of(item), word(pin)): word(pin) for pin in every(item, "pin")}
    ports = {word(item): word(need(item, "shape")) for item in every(new, PORT)}
    return Wanted(sheet.project, sheet.name, sheet.path, sheet.page, nets, ports, assembly.supplies)


def known_fields(assembly: Assembly) -> frozenset[str]:
    """Return the names of all fields that the parts of a board have."""
    return frozenset(name for component in assembly.components for name in component.fields)


class _Merger:
    def __init__(self, old: Tree, sheet: Sheet, assembly: Assembly) -> None:
        self.tree, self.sheet, self.assembly = old, sheet, assembly
        self.new = sheet.tree()
        self.drawing = Drawing(old)
        self.log = Log()
        self.fields = known_fields(assembly)
        self.parked: list[Tree] = []

    def run(self) -> Merged:
        mark = read_mark(self.tree)
        before = {pin.at for pin in self.drawing.pins()}
        self._remove_symbols()
        self._update_symbols()
        self._merge_sheets()
        after = {pin.at for pin in self.drawing.pins()}
        self.log.joined += self.drawing.prune(before - after)
        self._add_symbols()
        join_pins(self.drawing, wanted_nets(self.sheet, self.new, self.assembly), self.log)
        self._number_power_symbols()
        self._merge_texts()
        self._list_added()
        self._grow_paper()
        moved = None
        if mark is not None:
            own = [item for item in every(self.tree, "symbol") if is_generated(item)]
            known = {id(item) for item in self.parked}
            moved = sum(symbol_mark(item) not in mark[1] for item in own if id(item) not in known)
        add_to_mark(self.tree, self.parked)
        return Merged(self.tree, self.log, moved)

    def _symbols(self) -> dict[str, tuple[Tree, PlacedSymbol]]:
        return {placed.uuid: (item, placed) for item, placed in self.drawing.symbols()}

    def _drawn(self) -> dict[str, tuple[Tree, PlacedSymbol]]:
        """Return the parts as they would be drawn; power symbols are no parts."""
        library = {word(item): read_library_symbol(item) for item in every(need(self.new, "lib_symbols"), "symbol")}
        found = [(item, read_symbol(item, library)) for item in every(self.new, "symbol")]
        return {placed.uuid: (item, placed) for item, placed in found if not placed.drawn.power}

    def _remove_symbols(self) -> None:
        drawn = self._drawn()
        for key, (item, placed) in self._symbols().items():
            if placed.drawn.power or not is_generated(item):
                continue
            new = drawn.get(key)
            if new is None or new[1].drawn.name != placed.drawn.name:
                self.drawing.remove(item)
                self.log.gone.append(_title(placed))

    def _update_symbols(self) -> None:
        drawn, present = self._drawn(), self._symbols()
        library = need(self.tree, "lib_symbols")
        new_library = {word(item): item for item in every(need(self.new, "lib_symbols"), "symbol")}
        for k, item in enumerate(library):
            if isinstance(item, list) and word(item) in new_library:
                other = new_library[word(item)]
                if _pins_of(item) != _pins_of(other):
                    library[k] = other
                    self.log.changed.append(Change(word(item), "symbol", "other pins", "those of the library"))
        for key, (new, placed) in drawn.items():
            if key in present:
                self.log.kept += 1
                self._update_symbol(*present[key], new, placed)
        self.log.kept += sum(placed.drawn.power and is_generated(item) for item, placed in present.values())

    def _update_symbol(self, item: Tree, was: PlacedSymbol, new: Tree, placed: PlacedSymbol) -> None:
        title = _title(placed)
        for name, text in placed.fields.items():
            before = was.fields.get(name)
            if before == text or (before is None and not text):
                continue
            self.log.changed.append(Change(title, name, before or "", text))
            found = next((part for part in every(item, "property") if word(part) == name), None)
            if found is not None:
                found[2] = Quoted(text)
            else:
                self._add_field(item, new, name)
        for name in sorted(set(was.fields) - set(placed.fields)):
            if was.fields[name] and (name in self.fields or name.startswith("Sim.")):
                self.log.changed.append(Change(title, name, was.fields[name], ""))
                item[:] = [p for p in item if not (isinstance(p, list) and p[0] == "property" and word(p) == name)]
        for name in SWITCHES:
            if was.switches.get(name) != placed.switches.get(name) and name in placed.switches:
                self.log.changed.append(Change(title, name, was.switches.get(name, ""), placed.switches[name]))
                found = first(item, name)
                if found is not None:
                    found[1] = placed.switches[name]
                else:
                    item.insert(_index(item, "uuid"), [name, placed.switches[name]])
        if was.unit != placed.unit:
            self.log.changed.append(Change(title, "unit", str(was.unit), str(placed.unit)))
            need(item, "unit")[1] = placed.unit
        own = {key: value for key, value in was.instances.items() if key[0] == self.sheet.project}
        if own != placed.instances:
            if was.unit == placed.unit and was.fields.get("Reference") == placed.fields["Reference"]:
                self.log.changed.append(Change(title, "instance", "another", placed.fields["Reference"]))
            instances = need(new, "instances")
            if first(item, "instances") is None:
                item.append(instances)
            else:
                need(item, "instances")[:] = instances

    @staticmethod
    def _add_field(item: Tree, new: Tree, name: str) -> None:
        """Add a field to a symbol, hidden, at its origin."""
        found = next(part for part in every(new, "property") if word(part) == name)
        at = need(item, "at")
        effects: Tree = ["effects", ["font", ["size", 1.27, 1.27]], ["hide", "yes"]]
        added = ["property", Quoted(name), Quoted(word(found, 2)), ["at", at[1], at[2], 0], effects]
        last = max(k for k, part in enumerate(item) if isinstance(part, list) and part[0] == "property")
        item.insert(last + 1, added)

    def _add_symbols(self) -> None:
        """Park new parts in rows below the drawing."""
        present = self._symbols()
        waiting = [(item, placed) for key, (item, placed) in self._drawn().items() if key not in present]
        reach = {placed.uuid: _reach(placed) for _, placed in waiting}
        room = _Room(self.drawing, self.assembly)
        for item, placed in sorted(waiting, key=lambda found: -reach[found[1].uuid][1]):  # a row's highest first
            wide, high = reach[placed.uuid]
            x, y = room.next(wide, high)
            shift(item, x * STEP - placed.at[0] * UNIT, y * STEP - placed.at[1] * UNIT)
            embed(self.tree, placed.drawn.name.removeprefix(f"{LIBRARY}:"))
            self.drawing.add(item)
            self.parked.append(item)
            self.log.new.append(_title(placed))

    def _merge_sheets(self) -> None:
        present = {uuid_of(item): item for item in every(self.tree, "sheet")}
        drawn = {uuid_of(item): item for item in every(self.new, "sheet")}
        for key, item in present.items():
            if key not in drawn and is_generated(item):
                self.drawing.remove(item)
                self.log.gone.append(f"sheet {_field(item, 'Sheetname')}")
        room = _Room(self.drawing, self.assembly)
        pages = {_page(item) for item in every(self.tree, "sheet")} | {"1"}
        for key, item in drawn.items():
            if key in present:
                self._merge_sub_sheet(present[key], item)
                continue
            width, height = (round(number(need(item, "size"), k) / STEP) for k in (1, 2))
            x, y = room.next(width, height)
            at = need(item, "at")
            shift(item, x * STEP - float(at[1]), y * STEP - float(at[2]))
            self._number_page(item, pages)
            self.drawing.add(item)
            self.log.new.append(f"sheet {_field(item, 'Sheetname')}")

    @staticmethod
    def _number_page(item: Tree, pages: set[str]) -> None:
        page = need(need(need(need(item, "instances"), "project"), "path"), "page")
        k = int(word(page))
        while str(k) in pages:
            k += 1
        page[1] = Quoted(str(k))
        pages.add(str(k))

    def _merge_sub_sheet(self, item: Tree, new: Tree) -> None:
        title = f"sheet {_field(item, 'Sheetname')}"
        present = {word(pin): pin for pin in every(item, "pin")}
        drawn = {word(pin): pin for pin in every(new, "pin")}
        for name in sorted(set(present) - set(drawn)):
            item[:] = [part for part in item if part is not present[name]]
            self.log.gone.append(f"{title} pin {name}")
        for name, pin in drawn.items():
            if name not in present:
                self._add_sheet_pin(item, pin)
                self.log.new.append(f"{title} pin {name}")
            elif word(present[name], 2) != word(pin, 2):
                self.log.changed.append(Change(f"{title} pin {name}", "shape", word(present[name], 2), word(pin, 2)))
                present[name][2] = pin[2]

    def _add_sheet_pin(self, item: Tree, pin: Tree) -> None:
        """Add a pin on the side that it would be drawn at, at a place where nothing is, below all others there."""
        x, y = read_at(need(item, "at"))
        size = need(item, "size")
        width, height = (round(number(size, k) / UNIT) for k in (1, 2))
        angle = round(number(need(pin, "at"), 3))
        side = x if angle == 180 else x + width
        rows = [read_at(need(other, "at")) for other in every(item, "pin")]
        row = max([b for a, b in rows if a == side], default=y) + 2 * GRID
        taken = {point.at for point in self.drawing.pins()}
        for wire in every(self.tree, "wire"):
            (x1, y1), (x2, y2) = (read_at(end) for end in every(need(wire, "pts"), "xy"))
            if min(x1, x2) <= side <= max(x1, x2):
                taken |= {(side, line) for line in range(min(y1, y2), max(y1, y2) + 1, GRID)}
        while (side, row) in taken:
            row += 2 * GRID
        need(pin, "at")[1:] = [side * UNIT, row * UNIT, angle]
        size[2] = max(height, row - y + 2 * GRID) * UNIT
        last = max(k for k, part in enumerate(item) if isinstance(part, list) and part[0] in ("property", "pin"))
        item.insert(last + 1, pin)

    def _number_power_symbols(self) -> None:
        """Give to generated power symbols the references of their page, each its own."""
        low = 1000 * (self.sheet.page - 1)
        seen: set[str] = set()
        for item, placed in list(self.drawing.symbols()):
            reference = placed.fields.get("Reference", "")
            if not placed.drawn.power or not is_generated(item):
                continue
            digits = reference.lstrip("#ABCDEFGHIJKLMNOPQRSTUVWXYZ_")
            inside = digits.isdigit() and low < int(digits) < low + 1000 and len(digits) >= 4
            if not inside or reference in seen:
                prefix = reference[: len(reference) - len(digits)] if digits else reference
                reference = free_reference(self.drawing, prefix, low + 1, seen)
                next(p for p in every(item, "property") if word(p) == "Reference")[2] = Quoted(reference)
                for project in every(need(item, "instances"), "project"):
                    for path in every(project, "path"):
                        need(path, "reference")[1] = Quoted(reference)
                self.log.changed.append(Change("power symbol", "Reference", placed.fields["Reference"], reference))
            seen.add(reference)

    def _merge_texts(self) -> None:
        """Let the texts that say what the board says follow it, and titles of what is gone go."""
        for kind in ("text", "rectangle"):
            present = {uuid_of(item): item for item in every(self.tree, kind)}
            drawn = {uuid_of(item): item for item in every(self.new, kind)}
            both = [key for key in drawn if key in present]
            for key, item in present.items():
                if key not in drawn and is_generated(item):
                    self.drawing.remove(item)
                    self.log.gone.append(f"text {word(item)!r}" if kind == "text" else "a box")
            if kind != "text":
                continue
            moved = next((_between(drawn[key], present[key]) for key in both if key in self.sheet.following), (0, 0))
            for key, item in drawn.items():
                if key not in self.sheet.following:
                    continue
                if key not in present:
                    shift(item, *moved)
                    self.drawing.add(item)
                    self.log.new.append(f"text {word(item)!r}")
                elif word(present[key]) != word(item):
                    self.log.changed.append(Change("text", "says", word(present[key]), word(item)))
                    present[key][1] = Quoted(word(item))

    def _list_added(self) -> None:
        """List what a person has added, by reference or kind."""
        for item, placed in self.drawing.symbols():
            if not is_generated(item) and not placed.drawn.power:
                self.log.added.append(placed.fields.get("Reference", "?"))
        for kind in ("text", "text_box", "image", "table"):
            for item in every(self.tree, kind):
                if not is_generated(item):
                    said = word(item) if kind in ("text", "text_box") else ""
                    self.log.added.append(f"{kind} {said!r}" if said else f"a {kind}")

    def _grow_paper(self) -> None:
        if self.log.is_empty:
            return
        right, down = self.drawing.extent()
        paper = need(self.tree, "paper")
        if word(paper) not in PAPERS:
            return
        width, height = PAPERS[word(paper)]
        if any(word(paper, k) == "portrait" for k in range(2, len(paper))):
            width, height = height, width
        if right > width or down > height:
            paper[:] = choose_paper(None, (right / STEP, down / STEP))
            self.log.changed.append(Change("sheet", "paper", f"{width} x {height} mm", word(paper)))


class _Room:
    """Free places below a drawing, in rows."""

    def __init__(self, drawing: Drawing, assembly: Assembly) -> None:
        self.names = round(CHARACTERS * max(map(len, assembly.nets), default=0)) + 4
        self.x, self.y, self.high = PARKED_LEFT, round(drawing.extent()[1] / STEP) + BELOW, 0

    def next(self, wide: int, high: int) -> Point:
        """Return the place of what reaches so far from its origin, with names at both sides."""
        step = 2 * (wide + self.names)
        if self.x > PARKED_LEFT and self.x + step > PARKED_RIGHT:
            self.x, self.y, self.high = PARKED_LEFT, self.y + self.high, 0
        if self.high == 0:
            self.y += high
        x = self.x + wide + self.names
        self.x, self.high = self.x + step, max(self.high, 2 * high + APART)
        return x, self.y


def shift(item: Tree, dx: float, dy: float) -> None:
    """Move an item, its fields and pins."""
    for part in item:
        if isinstance(part, list) and part and part[0] == "at":
            part[1], part[2] = float(part[1]) + dx, float(part[2]) + dy
        elif isinstance(part, list) and part and part[0] in ("property", "pin"):
            shift(part, dx, dy)


def _between(a: Tree, b: Tree) -> tuple[float, float]:
    (x1, y1), (x2, y2) = read_at(need(a, "at")), read_at(need(b, "at"))
    return (x2 - x1) * UNIT, (y2 - y1) * UNIT


def _title(placed: PlacedSymbol) -> str:
    reference = placed.fields.get("Reference", "?")
    return reference if placed.drawn.units == 1 else f"{reference} unit {placed.unit}"


def _reach(placed: PlacedSymbol) -> Point:
    """Return how far the pins of a symbol lie from its origin, across and down, in grid units."""
    x, y = placed.at
    pins = [pin.at for pin in placed.pins(placed.unit)]
    return max((abs(a - x) for a, _ in pins), default=0) // GRID, max((abs(b - y) for _, b in pins), default=0) // GRID


def _pins_of(item: Tree) -> object:
    found = read_library_symbol(item)
    return found.power, found.units, frozenset(found.pins)


def _field(item: Tree, name: str) -> str:
    return next((word(part, 2) for part in every(item, "property") if word(part) == name), "?")


def _page(item: Tree) -> str:
    pages: Iterable[str] = (
        word(need(path, "page"))
        for project in every(first(item, "instances") or [], "project")
        for path in every(project, "path")
        if first(path, "page") is not None
    )
    return next(iter(pages), "")


def _index(item: Tree, name: str) -> int:
    return next(k for k, part in enumerate(item) if isinstance(part, list) and part[0] == name)
