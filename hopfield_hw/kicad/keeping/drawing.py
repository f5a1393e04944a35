"""A sheet's tree as a drawing that is changed: what is joined by wires, and what of it has to go with a pin."""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from ..nets import Joined, Wires
from ..sexpr import Tree, every, first, need, word
from ..sheet_file import LABELS, At, LibrarySymbol, PlacedSymbol, read_at, read_library_symbol, read_symbol, show

# The order in which KiCad writes what a sheet holds.
ORDER = (
    "version",
    "generator",
    "generator_version",
    "uuid",
    "paper",
    "title_block",
    "lib_symbols",
    "junction",
    "no_connect",
    "wire",
    "rectangle",
    "text",
    "label",
    "global_label",
    "hierarchical_label",
    "symbol",
    "sheet",
    "sheet_instances",
    "embedded_fonts",
)


class Pin(NamedTuple):
    """A pin of a symbol or a sub-sheet where it lies. `named`: the net that it names, of a power symbol."""

    item: Tree
    owner: str
    name: str
    at: At
    named: str | None = None

    @property
    def key(self) -> tuple[str, str]:
        """What finds it again in another drawing."""
        return self.owner, self.name


@dataclass
class Cluster:
    """What wires join: pins, labels, points; a label of the same name elsewhere is of another cluster."""

    pins: list[Pin] = field(default_factory=list)
    labels: list[Tree] = field(default_factory=list)
    wires: int = 0
    ends: set[At] = field(default_factory=set)


def uuid_of(item: Tree) -> str:
    """Return the uuid of an item."""
    return word(need(item, "uuid"))


def is_generated(item: Tree) -> bool:
    """Whether an item was drawn by this package: its uuid follows from its role. Those of KiCad are random."""
    try:
        return uuid.UUID(uuid_of(item)).version == 5
    except ValueError:
        return False


def wire_ends(item: Tree) -> tuple[At, At]:
    """Return the ends of a wire."""
    a, b = every(need(item, "pts"), "xy")
    return read_at(a), read_at(b)


class Drawing:
    """The tree of a sheet, to be changed."""

    def __init__(self, tree: Tree) -> None:
        self.tree = tree

    @property
    def library(self) -> dict[str, LibrarySymbol]:
        """The embedded symbols by name."""
        return {word(item): read_library_symbol(item) for item in every(need(self.tree, "lib_symbols"), "symbol")}

    def symbols(self) -> Iterator[tuple[Tree, PlacedSymbol]]:
        """Yield each symbol as a tree and as what it says."""
        library = self.library
        for item in every(self.tree, "symbol"):
            yield item, read_symbol(item, library)

    def pins(self) -> list[Pin]:
        """Return all pins, those of sub-sheets too."""
        found = []
        for item, symbol in self.symbols():
            for pin in symbol.pins(symbol.unit):
                names = symbol.drawn.power and pin.kind == "power_in"
                net = symbol.fields.get("Value", "") if names else None
                found.append(Pin(item, symbol.uuid, pin.number, pin.at, net))
        for item in every(self.tree, "sheet"):
            found += (Pin(item, uuid_of(item), word(pin), read_at(need(pin, "at"))) for pin in every(item, "pin"))
        return found

    def labels(self) -> list[Tree]:
        """Return all labels."""
        return [item for kind in LABELS for item in every(self.tree, kind)]

    def clusters(self) -> list[Cluster]:
        """Return what is joined by wires or lies at one point, in the order of the file."""
        joined = Joined()
        ends = [wire_ends(item) for item in every(self.tree, "wire")]
        for a, b in ends:
            joined.join(a, b)
        wires, pins, labels = Wires(ends), self.pins(), self.labels()
        taken = {pin.at for pin in pins}
        for label in labels:
            at = read_at(need(label, "at"))
            joined.find(at)
            for wire in () if at in taken else wires.at(at):
                joined.join(at, wire[0])
        found: dict[Hashable, Cluster] = {}
        for pin in pins:
            found.setdefault(joined.find(pin.at), Cluster()).pins.append(pin)
        for label in labels:
            found.setdefault(joined.find(read_at(need(label, "at"))), Cluster()).labels.append(label)
        for a, b in ends:
            cluster = found.setdefault(joined.find(a), Cluster())
            cluster.wires += 1
            cluster.ends |= {a, b}
        return list(found.values())

    def remove(self, item: Tree) -> None:
        """Remove an item, which is found by what it is, not by what it says."""
        del self.tree[next(k for k, other in enumerate(self.tree) if other is item)]

    def add(self, item: Tree) -> None:
        """Add an item behind those of its kind."""
        order = ORDER.index(item[0])
        last = max(k for k, other in enumerate(self.tree) if _order(other) <= order)
        self.tree.insert(last + 1, item)

    def prune(self, points: set[At], taken: Sequence[Tree] = ()) -> list[str]:
        """Remove wires that end at one of some points and join nothing there, and so on along them.

        With them go the wires that join no pin any more, the labels and the generated power symbols that lie at nothing
        then, and the dots of two wires. `taken`: wires that were removed before. Return what was removed, in words.
        """
        points, removed = set(points), list[Tree]()
        while True:
            wires = [(item, wire_ends(item)) for item in every(self.tree, "wire")]
            count = Counter(point for _, ends in wires for point in ends)
            held = {pin.at for pin in self.pins()} | {read_at(need(item, "at")) for item in self.labels()}
            loose = [
                item
                for item, ends in wires
                if any(point in points and count[point] == 1 and point not in held for point in ends)
            ]
            if not loose:
                loose = [
                    item
                    for cluster in self.clusters()
                    if not cluster.pins and cluster.ends & points
                    for item, ends in wires
                    if ends[0] in cluster.ends
                ]
            if not loose:
                break
            for item in loose:
                points.update(wire_ends(item))
                self.remove(item)
                removed.append(item)
        said = [f"{len(removed)} wires away that ended at what is gone"] if removed else []
        return said + self._remove_lone(points, Wires(wire_ends(item) for item in (*taken, *removed)))

    def _remove_lone(self, points: set[At], removed: Wires) -> list[str]:
        said = []
        wires = Wires(wire_ends(item) for item in every(self.tree, "wire"))
        pins = self.pins()
        held = Counter(pin.at for pin in pins)
        for label in self.labels():
            at = read_at(need(label, "at"))
            if (at in points or removed.at(at)) and not held[at] and not wires.at(at):
                self.remove(label)
                said.append(f"label {word(label)} at {show(at)} away")
        labels = {read_at(need(item, "at")) for item in self.labels()}
        for item, symbol in list(self.symbols()):
            if not symbol.drawn.power or not is_generated(item):
                continue
            (pin,) = symbol.pins(symbol.unit)
            if pin.at in points and held[pin.at] == 1 and pin.at not in labels and not wires.at(pin.at):
                self.remove(item)
                said.append(f"power symbol {symbol.fields.get('Value', '?')} at {show(pin.at)} away")
        held = Counter(pin.at for pin in self.pins())
        ends = Counter(point for item in every(self.tree, "wire") for point in wire_ends(item))
        for item in every(self.tree, "junction"):
            at = read_at(need(item, "at"))
            if at in points and ends[at] + held[at] < 3:
                self.remove(item)
        for item in every(self.tree, "no_connect"):
            at = read_at(need(item, "at"))
            if at in points and not held[at]:
                self.remove(item)
        return said

    def extent(self) -> tuple[float, float]:
        """Return how far the drawing reaches to the right and down, in millimetres."""
        right = down = 0.0
        for item in self.tree[1:]:
            if isinstance(item, list) and item[0] not in ("lib_symbols", "title_block", "paper"):
                for x, y in _points(item):
                    right, down = max(right, x), max(down, y)
        return right, down


def _order(item: object) -> int:
    if not isinstance(item, list):
        return -1
    return ORDER.index(item[0]) if item[0] in ORDER else ORDER.index("rectangle")


def _points(item: Tree) -> Iterator[tuple[float, float]]:
    for part in item:
        if isinstance(part, list) and part:
            if part[0] in ("at", "xy", "start", "end", "mid", "center") and len(part) > 2:
                yield float(part[1]), float(part[2])
            elif part[0] in ("pts", "property", "pin"):
                yield from _points(part)
    at, size = first(item, "at"), first(item, "size")
    if item[0] == "sheet" and at is not None and size is not None:
        yield float(at[1]) + float(size[1]), float(at[2]) + float(size[2])
