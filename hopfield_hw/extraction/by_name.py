"""Two decks held against each other device by device, whatever they hold: lines, switches and products too."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import cast

from ..functions.formula_text import parse_number
from ..spice.decks.statements import Statement, read_statements
from .devices import FlatDeck, FlatDevice, Kind
from .flatten import flatten
from .named_edits import NamedEdit, find_factor, find_named_edits, have_same_names, keys_differ

# How many nodes the devices have that no network is read back from: lines, switches, inductors.
NODES = {"t": 4, "o": 4, "y": 2, "u": 3, "s": 4, "w": 2, "l": 2}
# Where they start says nothing of what they are.
STARTS = frozenset({"ic", "rel", "abs"})


@dataclass(frozen=True, kw_only=True, eq=False)
class DeviceChanges:
    """What of a deck is not as it should be, each with the size of the change.

    `edits`: what would make it right. `sizes`: by edit, by how much its devices are off, the largest part of a value;
    None for one that is no value: a device that is missing, goes elsewhere, or is another one.
    """

    edits: tuple[NamedEdit, ...]
    sizes: tuple[float | None, ...]


def compare_devices(deck: str, known: str, tolerance: float) -> DeviceChanges | None:
    """Return what differs between a deck and what it should be, as text; values within `tolerance` are one.

    None for a deck with devices of its own names. Raises InputError for one that cannot be read.
    """
    given, wanted = _flatten_all(deck), _flatten_all(known)
    if not have_same_names(given, wanted):
        return None
    edits = tuple(find_named_edits(given, wanted, tolerance))
    return DeviceChanges(edits=edits, sizes=tuple(_size(edit, given, wanted) for edit in edits))


def _size(edit: NamedEdit, given: FlatDeck, wanted: FlatDeck) -> float | None:
    if edit.kind not in ("value", "capacitor", "exchanged"):
        return None
    found = []
    for name in edit.devices:
        device, right = given.by_name[name], wanted.by_name[name]
        if device.formula is not None:
            found.append(abs((find_factor(device, right) or 0.0) - 1.0))
        elif device.value is None or not right.value or keys_differ(device, right):
            return None
        else:
            found.append(abs(device.value / right.value - 1.0))
    return max(found)


def _flatten_all(deck: str) -> FlatDeck:
    """Return the devices of a deck, with those at its top that `flatten` refuses, and the models of these."""
    source = read_statements(deck)
    depth, taken, kept = 0, [], [source.title or "*"]
    models = {}
    for statement in source.statements:
        depth += {".subckt": 1, ".macro": 1, ".ends": -1, ".eom": -1}.get(statement.word, 0)
        if not depth and statement.word[0] in NODES:
            taken.append(_as_written(statement))
            continue
        if statement.word == ".model":
            words = statement.text.lower().split()
            models[words[1]] = " ".join(words)
        kept += statement.lines
    flat = flatten("\n".join(kept) + "\n")
    used = {model for device in taken if (model := device.model.partition(" ")[0]) in models}
    return replace(
        flat,
        devices=(*flat.devices, *taken),
        models=(*flat.models, *(models[name] for name in sorted(used))),
    )


def _as_written(statement: Statement) -> FlatDevice:
    """Return a device from the words of its statement: a number that it has is its value, or in its keys."""
    name, *words = statement.text.lower().replace("=", " = ").split()
    count = NODES[name[0]]
    rest, keys, values, others = words[count:], {}, [], []
    while rest:
        if len(rest) > 2 and rest[1] == "=":
            key, _, text, *rest = rest
            keys[key] = text
        else:
            text, *rest = rest
            number = parse_number(text)
            if number is None:
                others.append(text)
            else:
                values.append(number)
    delay = keys.pop("td", None)
    value = parse_number(delay) if delay is not None else values[0] if values else None
    numbers = {key: parse_number(text) for key, text in keys.items() if key not in STARTS}
    return FlatDevice(
        name=name,
        kind=cast(Kind, name[0].upper()),
        nodes=tuple(words[:count]),
        where=statement.where,
        value=value,
        model=" ".join(others),
        keys=tuple((key, number) for key, number in numbers.items() if number is not None),
    )
