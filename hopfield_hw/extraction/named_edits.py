"""What differs between two decks whose devices have the same names: values, nodes, and what is missing or too many."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from ..functions.expressions import evaluate
from ..values.si_text import format_si
from .devices import FlatDeck, FlatDevice
from .findings import Kind

# Values that differ by less than this part are one.
SAME = 1e-9
# Decks are of the same names where this part of the devices of one is in the other.
SHARED = 0.8
UNITS = {"R": "Ohm", "C": "F", "V": "V", "I": "A", "G": "S", "T": "s", "L": "H"}
# Voltages at which two formulas are held against each other: so many points, so far out.
POINTS, SEED, LARGEST = 64, 7, 10.0


class NamedEdit(NamedTuple):
    """A change that makes some devices what they are in the intended deck: its kind, in words, and which."""

    kind: Kind
    words: str
    devices: tuple[str, ...]
    nodes: tuple[str, ...] = ()

    def repair(self, deck: FlatDeck, known: FlatDeck) -> FlatDeck:
        """Return a deck with the devices as they are in the intended one."""
        gone = deck.without(name for name in self.devices if name not in known.by_name)
        for name in self.devices:
            if name in known.by_name:
                gone = gone.with_device(known.by_name[name])
        return gone


def have_same_names(deck: FlatDeck, known: FlatDeck) -> bool:
    """Whether most devices of an intended deck, all but one of a small one, are in another one by their names."""
    shared = sum(name in deck.by_name for name in known.by_name)
    return shared >= min(SHARED * len(known.by_name), len(known.by_name) - 1) > 0


def find_named_edits(deck: FlatDeck, known: FlatDeck, tolerance: float = 1e-9) -> list[NamedEdit]:
    """Return what makes a deck the intended one, device by device; two that have each other's value are one edit."""
    edits = []
    changed: dict[str, tuple[FlatDevice, FlatDevice]] = {}
    for name, wanted in known.by_name.items():
        given = deck.by_name.get(name)
        if given is None:
            words = f"{name} ({_value(wanted)}, {' to '.join(wanted.nodes[:2])}) is missing"
            edits.append(NamedEdit("missing", words, (name,), wanted.nodes[:2]))
        elif not wanted.wave and _differ(given, wanted, tolerance):
            changed[name] = (given, wanted)
    edits += _exchanged(changed)
    edits += [edit for name, (given, wanted) in changed.items() for edit in _changes(name, given, wanted)]
    if set(deck.models) != set(known.models):
        lines = sorted(set(deck.models) ^ set(known.models))
        users = tuple(d.name for d in deck.devices if d.model and any(f" {d.model} " in line for line in lines))
        edits.append(NamedEdit("curve", f"the model of {', '.join(users) or 'no device'} is another one", users))
    for name, device in deck.by_name.items():
        if name not in known.by_name:
            words = f"{name} ({_value(device)}, {' to '.join(device.nodes[:2])}) should not be there"
            edits.append(NamedEdit("extra", words, (name,), device.nodes[:2]))
    return list(_join_replaced(edits))


def _join_replaced(edits: list[NamedEdit]) -> Iterator[NamedEdit]:
    """Yield edits, those of a device that is missing and another one in its place as one."""
    extra = [edit for edit in edits if edit.kind == "extra"]
    taken = set()
    for edit in edits:
        other = next((e for e in extra if e not in taken and set(e.nodes) == set(edit.nodes)), None)
        if edit.kind == "missing" and other is not None:
            taken.add(other)
            words = f"{edit.words}, and {other.words.removesuffix(' should not be there')} is in its place"
            yield NamedEdit("curve", words, (*edit.devices, *other.devices))
        elif edit not in taken:
            yield edit


def _differ(given: FlatDevice, wanted: FlatDevice, tolerance: float) -> bool:
    return (
        _values_differ(given, wanted, tolerance)
        or keys_differ(given, wanted)
        or _rest(given) != _rest(wanted)
        or find_factor(given, wanted) != 1.0
    )


def _rest(device: FlatDevice) -> FlatDevice:
    nodes = tuple(sorted(device.nodes)) if device.kind in ("R", "C") else device.nodes
    sensed = device.sensed if device.formula is None else ()
    return replace(device, nodes=nodes, sensed=sensed, formula=None, value=None, where="", wave="", keys=())


def keys_differ(given: FlatDevice, wanted: FlatDevice) -> bool:
    """Whether two devices differ in a further parameter."""
    a, b = dict(given.keys), dict(wanted.keys)
    return a.keys() != b.keys() or any(abs(a[key] - b[key]) > SAME * abs(b[key]) for key in b)


def find_factor(given: FlatDevice, wanted: FlatDevice) -> float | None:
    """Return by how much the formula of a device gives more than another one's; None where it is another one."""
    if given.formula is None or wanted.formula is None:
        return 1.0 if given.formula is wanted.formula else None
    if set(given.sensed) != set(wanted.sensed):
        return None
    if (given.formula, given.sensed) == (wanted.formula, wanted.sensed):
        return 1.0
    rng = np.random.default_rng(SEED)
    sizes = np.geomspace(1e-3, LARGEST, POINTS)
    volts = {node: sizes * rng.uniform(-1.0, 1.0, POINTS) for node in wanted.sensed}
    with np.errstate(all="ignore"):
        a, b = (
            np.broadcast_to(evaluate(device.formula, [volts[node] for node in device.sensed]), POINTS)
            for device in (given, wanted)
            if device.formula is not None
        )
    size = float(b @ b)
    if not np.isfinite(size) or not np.all(np.isfinite(a)):
        return None
    factor = float(a @ b) / size if size else 1.0
    if np.max(np.abs(a - factor * b)) > SAME * max(float(np.max(np.abs(b))), 1e-300):
        return None
    return 1.0 if abs(factor - 1.0) <= SAME else factor


def _values_differ(given: FlatDevice, wanted: FlatDevice, part: float = SAME) -> bool:
    a, b = given.value or 0.0, wanted.value or 0.0
    return abs(a - b) > max(part, SAME) * max(abs(a), abs(b))


def _exchanged(changed: dict[str, tuple[FlatDevice, FlatDevice]]) -> Iterator[NamedEdit]:
    """Yield pairs of devices that have each other's value, and take them out."""
    only = [name for name, (given, wanted) in changed.items() if _rest(given) == _rest(wanted)]
    for k, a in enumerate(only):
        for b in only[k + 1 :]:
            if a not in changed or b not in changed or changed[a][0].kind != changed[b][0].kind:
                continue
            (given_a, wanted_a), (given_b, wanted_b) = changed[a], changed[b]
            if not _values_differ(given_a, wanted_b) and not _values_differ(given_b, wanted_a):
                yield NamedEdit("exchanged", f"{a} and {b} are exchanged", (a, b))
                del changed[a], changed[b]


def _changes(name: str, given: FlatDevice, wanted: FlatDevice) -> Iterator[NamedEdit]:
    """Yield what a device is, and what it should be."""
    if given.is_op_amp and wanted.is_op_amp and given.inputs == wanted.inputs[::-1]:
        yield NamedEdit("inputs", f"inputs of {name} are exchanged", (name,))
        return
    factor = find_factor(given, wanted)
    if given.kind != wanted.kind or factor is None or given.model != wanted.model:
        yield NamedEdit("curve", f"{name} is another device than it should be", (name,))
        return
    said = [] if factor == 1.0 else [f"gives {factor:.4g} times what it should"]
    ends, goals = given.nodes, wanted.nodes
    if given.kind in ("R", "C") and (ends[0] == goals[1] or ends[1] == goals[0]):
        ends = ends[::-1]
    if given.formula is None:
        ends, goals = (*ends, *given.sensed), (*goals, *wanted.sensed)
    moved = [(here, there) for here, there in zip(ends, goals, strict=False) if here != there]
    said += [f"goes to {here}, and should go to {there}" for here, there in moved]
    if _values_differ(given, wanted):
        said.append(f"is {_value(given)}, and should be {_value(wanted)}")
    if keys_differ(given, wanted):
        a, b = (", ".join(f"{key}={value:.4g}" for key, value in each.keys) or "none" for each in (given, wanted))
        said.append(f"has the parameters {a}, and should have {b}")
    kind: Kind = "rewired" if moved else "capacitor" if given.kind == "C" else "value"
    yield NamedEdit(kind, f"{name} {', and '.join(said) or 'differs'}", (name,), tuple(there for _, there in moved))


def _value(device: FlatDevice) -> str:
    return format_si(device.value, UNITS.get(device.kind, "")).strip() if device.value is not None else device.kind
