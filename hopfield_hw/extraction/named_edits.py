"""What differs between two decks whose devices have the same names: values, nodes, and what is missing or too many."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import NamedTuple

from ..values.si_text import format_si
from .devices import FlatDeck, FlatDevice
from .findings import Kind

# Values that differ by less than this part are one.
SAME = 1e-9
# Decks are of the same names where this part of the devices of one is in the other.
SHARED = 0.8
UNITS = {"R": "Ohm", "C": "F", "V": "V", "I": "A", "G": "S"}


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
    """Whether most devices of an intended deck are in another one by their names."""
    shared = sum(name in deck.by_name for name in known.by_name)
    return shared >= SHARED * len(known.by_name)


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
            edits.append(NamedEdit("extra", words, (name,)))
    return edits


def _differ(given: FlatDevice, wanted: FlatDevice, tolerance: float) -> bool:
    return _values_differ(given, wanted, tolerance) or _rest(given) != _rest(wanted)


def _rest(device: FlatDevice) -> FlatDevice:
    return replace(device, value=None, where="", wave="", keys=())


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
    if given.kind != wanted.kind or given.formula != wanted.formula or given.model != wanted.model:
        yield NamedEdit("curve", f"{name} is another device than it should be", (name,))
        return
    said = []
    ends = zip((*given.nodes, *given.sensed), (*wanted.nodes, *wanted.sensed), strict=False)
    moved = [(here, there) for here, there in ends if here != there]
    said += [f"goes to {here}, and should go to {there}" for here, there in moved]
    if _values_differ(given, wanted):
        said.append(f"is {_value(given)}, and should be {_value(wanted)}")
    kind: Kind = "rewired" if moved else "capacitor" if given.kind == "C" else "value"
    yield NamedEdit(kind, f"{name} {', and '.join(said) or 'differs'}", (name,), tuple(there for _, there in moved))


def _value(device: FlatDevice) -> str:
    return format_si(device.value, UNITS.get(device.kind, "")).strip() if device.value is not None else device.kind
