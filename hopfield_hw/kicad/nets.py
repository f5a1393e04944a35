"""Which pins of a schematic are joined: union of points, and the name that KiCad gives to each net."""

from __future__ import annotations

from collections.abc import Container, Hashable, Iterable, Iterator, Mapping
from typing import NamedTuple

from .sheet_file import At, SheetFile

# What names a net, the last wins: a label of the sheet above counts more than one below.
PIN, SHEET_PIN, PORT, LABEL, POWER = range(5)


class Driver(NamedTuple):
    """A name that a net may get. `depth`: of its sheet below the root."""

    strength: int
    depth: int
    name: str


class Joined:
    """Sets of keys that are joined (union and find)."""

    def __init__(self) -> None:
        self._parent: dict[Hashable, Hashable] = {}

    def find(self, key: Hashable) -> Hashable:
        """Return what stands for all keys that are joined with a key."""
        self._parent.setdefault(key, key)
        while self._parent[key] != key:
            self._parent[key] = self._parent[self._parent[key]]
            key = self._parent[key]
        return key

    def join(self, first: Hashable, second: Hashable) -> None:
        """Join two keys, and all that are joined with either."""
        self._parent[self.find(first)] = self.find(second)


class Wires:
    """The wires of a sheet, found by a point that lies on them."""

    def __init__(self, wires: Iterable[tuple[At, At]]) -> None:
        self._columns: dict[int, list[tuple[At, At]]] = {}
        self._rows: dict[int, list[tuple[At, At]]] = {}
        self._slanted: list[tuple[At, At]] = []
        for wire in wires:
            (x1, y1), (x2, y2) = wire
            if x1 == x2:
                self._columns.setdefault(x1, []).append(wire)
            elif y1 == y2:
                self._rows.setdefault(y1, []).append(wire)
            else:
                self._slanted.append(wire)

    def overlaps(self) -> Iterator[tuple[At, At]]:
        """Yield where wires of one direction lie on one another."""
        for lines, along in ((self._columns, 1), (self._rows, 0)):
            for wires in lines.values():
                reach: tuple[At, At] | None = None
                for a, b in sorted((min(wire), max(wire)) for wire in wires):
                    if reach is not None and a[along] < reach[1][along]:
                        yield a, min(b, reach[1])
                    if reach is None or b[along] > reach[1][along]:
                        reach = (a, b)

    def at(self, point: At) -> list[tuple[At, At]]:
        """Return the wires that a point lies on, their ends included."""
        near = [*self._columns.get(point[0], ()), *self._rows.get(point[1], ()), *self._slanted]
        return [wire for wire in near if lies_on(point, wire)]


def lies_on(point: At, wire: tuple[At, At]) -> bool:
    """Whether a point lies on a wire, its ends included."""
    (x1, y1), (x2, y2) = wire
    inside = min(x1, x2) <= point[0] <= max(x1, x2) and min(y1, y2) <= point[1] <= max(y1, y2)
    return inside and (x2 - x1) * (point[1] - y1) == (y2 - y1) * (point[0] - x1)


def join_wires(joined: Joined, path: str, file: SheetFile, pins: Container[At]) -> None:
    """Join what the wires of a sheet join: their ends, and what a label lies on.

    Keys are (path, point). Wires meet at their ends alone: one that passes below a junction, a pin or the end of
    another joins none of them, in KiCad neither; see `find_problems`. A label joins a wire that passes below it, but
    where there is a pin at the point.
    """
    wires = Wires(file.wires)
    for a, b in file.wires:
        joined.join((path, a), (path, b))
    for point in {label.at for label in file.labels if label.at not in pins}:
        for wire in wires.at(point):
            joined.join((path, point), (path, wire[0]))


def choose_driver(drivers: Iterable[Driver]) -> Driver:
    """Return what names a net: the strongest driver, then that nearest to the root, then the first in order."""
    return min(drivers, key=lambda driver: (-driver.strength, driver.depth, driver.name))


def pin_net_name(reference: str, unit: str, name: str, number: str, *, shared: bool, unconnected: bool = False) -> str:
    """Return the name of a net that nothing names, as KiCad makes it from a pin.

    `unit`: its letter, "" where a symbol has one; `shared`: another pin of the unit has the name too.
    """
    start = "unconnected-" if unconnected else "Net-"
    if name not in ("", "~", number):
        pad = f"-Pad{number}" if unconnected or shared else ""
        return f"{start}({reference}{unit}-{escape(name)}{pad})"
    return f"{start}({reference}-Pad{number})"


def escape(name: str) -> str:
    """Return a name as KiCad has it in the name of a net."""
    return name.replace("/", "{slash}")


def unit_letter(unit: int) -> str:
    """Return the letters of a unit: A for 1."""
    letters = ""
    while unit > 0:
        unit, k = divmod(unit - 1, 26)
        letters = chr(ord("A") + k) + letters
    return letters


class NamedNet(NamedTuple):
    """A net: its name, whether a label or a power symbol gives it, and its pins as (reference, number)."""

    name: str
    labelled: bool
    pins: frozenset[tuple[str, str]]


def name_nets(
    joined: Joined, pins: Mapping[tuple[str, str], Hashable], drivers: Iterable[tuple[Hashable, Driver]]
) -> list[NamedNet]:
    """Return all nets; `pins`: by (reference, number) its key; `drivers`: at their keys. No two have one name."""
    names: dict[Hashable, list[Driver]] = {}
    for key, driver in drivers:
        names.setdefault(joined.find(key), []).append(driver)
    found: dict[Hashable, set[tuple[str, str]]] = {}
    for pin, key in pins.items():
        found.setdefault(joined.find(key), set()).add(pin)
    nets: dict[str, NamedNet] = {}
    for key, members in found.items():
        driver = choose_driver(names[key])
        name, k = driver.name, 0
        while name in nets:
            k += 1
            name = f"{driver.name}_{k}"
        nets[name] = NamedNet(name, driver.strength > PIN, frozenset(members))
    return list(nets.values())
