"""What is wrong on the sheets of a project, whatever it is to be: each fault in words, with its file and place."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterable, Iterator

from ..values.errors import InputError
from .nets import Wires
from .sheet_file import GRID, NEWEST, OLDEST, At, LibraryPin, LibrarySymbol, SheetFile, show
from .symbols import LIBRARY, symbol
from .walk import VisitedSheet, Walk

# What drives an input, as KiCad's rules have it.
DRIVING = frozenset({"output", "power_out", "passive", "tri_state", "bidirectional"})
ONE_ONLY = ("output", "power_out")  # of these a net has one at most, of both together too


def find_problems(walk: Walk) -> list[str]:
    """Return all problems, in the order of the sheets."""
    found: list[str] = []
    seen: set[str] = set()
    for sheet in walk.sheets:
        if sheet.name not in seen:
            found += (f"{sheet.name}: {problem}" for problem in _of_file(sheet.file))
            seen.add(sheet.name)
        for problems in (_of_instances(sheet, walk.project), _of_ports(sheet), _of_drawing(sheet)):
            found += (f"{sheet.name}: {problem}" for problem in problems)
    if not walk.sheets[0].file.has_instances:
        found.append(f"{walk.sheets[0].name}: has no (sheet_instances ...); KiCad writes it in the root sheet")
    found += _of_units(walk.sheets)
    found += _of_rules(walk)
    return found


def _of_file(file: SheetFile) -> Iterator[str]:
    if not OLDEST <= file.version <= NEWEST:
        yield f"version {file.version}: must be {OLDEST} to {NEWEST}, those of KiCad 8 and 9; an older KiCad drops it"
    yield from file.problems
    for drawn in file.library.values():
        yield from _of_library(drawn)
    for item in file.symbols:
        if item.at[0] % GRID or item.at[1] % GRID:
            name = item.fields.get("Reference", "?")
            yield f"{name} at {show(item.at)} is off the grid of 1.27 mm; its pins meet no wire on it"
    for a, b in file.wires:
        if any(value % GRID for value in (*a, *b)):
            yield f"wire from {show(a)} to {show(b)} is off the grid of 1.27 mm"
    for uuid, count in Counter([item.uuid for item in file.symbols] + [below.uuid for below in file.sheets]).items():
        if count > 1:
            yield f"uuid {uuid} is there {count} times; each item has its own"
    for name, count in Counter(item.name for item in file.sheets).items():
        if count > 1:
            yield f"sheet name {name!r} is there {count} times; name one otherwise"


def _of_library(drawn: LibrarySymbol) -> Iterator[str]:
    """Compare an embedded symbol with the library's, by what a net list needs of it."""
    library, _, name = drawn.name.partition(":")
    if library != LIBRARY:
        return
    try:
        own = symbol(name)
    except InputError as error:
        yield str(error)
        return
    want = {
        LibraryPin(unit, pin.number, pin.name, pin.kind, pin.x * GRID, pin.y * GRID)
        for unit, part in enumerate(own.units, 1)
        for pin in part.pins
    }
    if want != set(drawn.pins) or drawn.power != own.power:
        differ = sorted({pin.number for pin in want ^ set(drawn.pins)})
        yield f"symbol {drawn.name!r} differs from the library's at pins {', '.join(differ) or '(kind of symbol)'}"


def _of_instances(sheet: VisitedSheet, project: str) -> Iterator[str]:
    for item in sheet.file.symbols:
        name = item.fields.get("Reference", "?")
        found = item.instances.get((project, sheet.path))
        if found is None:
            projects = sorted({project for project, _ in item.instances})
            yield (
                f"{name} has no instance of project {project!r} on path {sheet.path}"
                f"{'; it has of ' + ', '.join(projects) if projects else ''}"
            )
            continue
        if len(item.instances) == 1 and found != (name, item.unit):
            yield f"{name}, unit {item.unit}, is {found[0]}, unit {found[1]}, in its instance; make them one"
        if not found[0][-1:].isdigit():
            yield f"{found[0]} has no number; annotate the schematic"
        if not 1 <= found[1] <= item.drawn.units:
            yield f"{found[0]}: unit {found[1]} of symbol {item.drawn.name!r}: it has 1 to {item.drawn.units}"
    for below in sheet.file.sheets:
        if (project, sheet.path) not in below.projects:
            yield f"sheet {below.name!r} has no instance of project {project!r} on path {sheet.path}"


def _of_ports(sheet: VisitedSheet) -> Iterator[str]:
    if sheet.depth == 0:
        return
    names = {label.name for label in sheet.file.labels if label.kind == "hierarchical_label"}
    for name in sorted(sheet.ports - names):
        yield f"pin {name!r} of the sheet above has no hierarchical label"
    for name in sorted(names - sheet.ports):
        yield f"hierarchical label {name!r} has no pin on the sheet above"


def _of_drawing(sheet: VisitedSheet) -> Iterator[str]:
    file, wires = sheet.file, Wires(sheet.file.wires)
    ends = Counter(point for wire in file.wires for point in wire)
    pins = Counter(pin.at for _, _, _, pin in sheet.pins())
    pins.update(at for below in file.sheets for _, at in below.pins)
    labels = {label.at for label in file.labels}
    for point, count in ends.items():
        if count == 1 and point not in pins and point not in labels and point not in file.no_connects:
            yield f"loose end of a wire at {show(point)}"
    for point in set(ends) | set(pins) | file.junctions:
        through = [wire for wire in wires.at(point) if point not in wire]
        meeting = ends[point] + pins[point]
        if through and (point in file.junctions or meeting):
            yield f"a wire is not split at {show(point)}, where it meets others; KiCad does not join it"
        elif meeting > 2 and ends[point] and point not in file.junctions:
            yield f"no junction at {show(point)}, where {meeting} wires or pins meet"
    for a, b in wires.overlaps():
        yield f"wires lie on one another from {show(a)} to {show(b)}; KiCad makes one of them, which splits no more"
    for label in file.labels:
        if label.at not in pins and not wires.at(label.at):
            yield f"label {label.name!r} at {show(label.at)} is at no wire and no pin"
    for _, reference, _, pin in sheet.pins():
        joined = ends[pin.at] or pins[pin.at] > 1 or pin.at in labels or pin.at in file.junctions
        marked = pin.at in file.no_connects or pin.kind == "no_connect"
        if marked and joined:
            yield f"{reference} pin {pin.number} at {show(pin.at)} is connected, and said not to be"
        elif not marked and not joined:
            yield f"{reference} pin {pin.number} at {show(pin.at)} is connected to nothing; wire it, or say so"
    for _, at in ((below, at) for below in file.sheets for _, at in below.pins):
        marked, joined = at in file.no_connects, bool(ends[at]) or pins[at] > 1 or at in labels
        if marked == bool(joined):
            how = "connected, and said not to be" if marked else "connected to nothing; wire it, or say so"
            yield f"pin of a sheet at {show(at)} is {how}"
    for point in sorted(file.no_connects - set(pins)):
        yield f"no_connect at {show(point)} is at no pin"


def _of_units(sheets: Iterable[VisitedSheet]) -> Iterator[str]:
    placed: dict[str, list[tuple[int, VisitedSheet, int]]] = {}
    for sheet in sheets:
        for k, (_, reference, unit) in enumerate(sheet.symbols):
            placed.setdefault(reference, []).append((unit, sheet, k))
    for reference in sorted(placed):
        found = placed[reference]
        items = [sheet.symbols[k][0] for _, sheet, k in found]
        for unit, count in Counter(unit for unit, _, _ in found).items():
            if count > 1:
                files = ", ".join(sorted({sheet.name for number, sheet, _ in found if number == unit}))
                yield f"{reference} unit {unit} is there {count} times, in {files}; give each part its own reference"
        if reference.startswith("#"):
            continue
        names = sorted({item.drawn.name for item in items})
        if len(names) > 1:
            yield f"{reference} is of several symbols: {', '.join(names)}"
            continue
        missing = sorted(set(range(1, items[0].drawn.units + 1)) - {unit for unit, _, _ in found})
        if missing:
            yield f"{reference}: units {', '.join(map(str, missing))} of {names[0]!r} are on no sheet"
        for item in items[1:]:
            differ = [
                name
                for name in sorted({*item.fields, *items[0].fields})
                if item.fields.get(name) != items[0].fields.get(name)
            ]
            differ += [name for name in item.switches if item.switches[name] != items[0].switches.get(name)]
            if differ:
                yield f"{reference}: its units differ in {', '.join(differ)}; one part has one of each"


def _of_rules(walk: Walk) -> Iterator[str]:
    """Yield what breaks the rules for the kinds of pins at a net, and nets of two names."""
    kinds: dict[Hashable, list[tuple[str, str]]] = {}
    for sheet in walk.sheets:
        for _, reference, _, pin in sheet.pins():
            if pin.at not in sheet.file.no_connects and pin.kind != "no_connect":
                key = walk.joined.find((sheet.path, pin.at))
                kinds.setdefault(key, []).append((pin.kind, f"{reference} pin {pin.number}"))
    for members in kinds.values():
        found = {kind for kind, _ in members}
        drivers = [who for kind, who in members if kind in ONE_ONLY]
        first = members[0][1]
        if len(drivers) > 1:
            yield f"net at {first}: two outputs, {drivers[0]} and {drivers[1]}, drive it"
        if "power_in" in found and not found & {"power_out"}:
            yield f"net at {first} has a supply pin and no PWR_FLAG; add one where the supply enters"
        if "input" in found and not found & DRIVING:
            yield f"net at {first} has an input and nothing that drives it"
    powers: dict[Hashable, set[str]] = {}
    for sheet in walk.sheets:
        for item, _, _, pin in sheet.pins():
            if item.drawn.power and pin.kind == "power_in":
                powers.setdefault(walk.joined.find((sheet.path, pin.at)), set()).add(item.fields.get("Value", ""))
    for several in powers.values():
        if len(several) > 1:
            yield f"supplies {', '.join(sorted(several))} are joined"
    for sheet in walk.sheets:
        names: dict[Hashable, set[str]] = {}
        for at, name in _names(sheet):
            names.setdefault(walk.joined.find((sheet.path, at)), set()).add(name)
        for several in names.values():
            if len(several) > 1:
                yield f"{sheet.name}: one net has the names {', '.join(sorted(several))}; keep one"


def _names(sheet: VisitedSheet) -> Iterator[tuple[At, str]]:
    for label in sheet.file.labels:
        yield label.at, label.name
    for item, _, _, pin in sheet.pins():
        if item.drawn.power and pin.kind == "power_in":
            yield pin.at, item.fields.get("Value", "")
