"""Which device is at fault: a deck against its circuit device by device, or read back against its network.

A deck with the devices of a circuit is held against it by their names. Where nothing differs there, or a deck has
names of its own, it is read back (see `extraction`), and its devices are those whose change would give the network.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from ..circuit import Circuit, Probe, Role
from ..extraction import ClockedExtraction, DeviceChanges, Differences, Extraction, compare_devices, extract
from ..extraction.findings import format_deviation
from ..graph import Graph
from ..lowering import lower
from ..parts import OpAmp
from ..spice.decks.statements import read_statements
from ..spice.transient import Deck
from ..values.errors import HopfieldHWError, InputError
from .coverage import Coverage

MAX_SUSPECTS = 8
# Values of a deck that differ by less than this part are one.
TOLERANCE = 1e-5
# Of what is measured in a simulator, what differs by less than this part is noise.
MEASURED = 1e-3
# A change below this part of what would be noticed explains no failure.
TOO_SMALL = 0.1
# Devices that leave more than this part of what differs do not explain it: then values are named.
LEFT = 0.05
# A circuit that differs from that of its cell in more devices than this is of other values throughout.
MOST_CHANGED = 8
# The roles of the devices behind a value of a network, by its name in what differs.
ROLES: Mapping[str, Role] = {
    "T": Role.WEIGHT,
    "1/R": Role.RESISTANCE,
    "I": Role.BIAS,
    "b": Role.BIAS,
    "C": Role.CAPACITANCE,
}
NAMED = re.compile(r"(T|1/R|I|b|C)\[(\d+)(?:, (\d+))?\]")


@dataclass(frozen=True, kw_only=True)
class Suspect:
    """What would explain what the circuit did, if it were another one.

    `weight`: what of the graph it is, such as `syn.weights[3, 7]`; `devices`: what is at fault; `explained`: the part
    of what differs that it accounts for, with those named before it; `change`: what is wrong, in words.
    """

    neuron: str
    weight: str
    devices: tuple[str, ...]
    explained: float
    change: str

    def __str__(self) -> str:
        devices = f"{', '.join(self.devices)} ({self.weight})" if self.devices else self.weight
        return f"{f'neuron {self.neuron}: ' if self.neuron else ''}{devices}: {self.change}"


@dataclass(frozen=True, kw_only=True, eq=False)
class Judged:
    """What has failed: the `deck` that was run, and the circuit that it should have been.

    `graph`, `inputs`: of both. `intended`: the text of the circuit. `seen`: what the runs would have noticed. `named`:
    whether the devices of the circuit are those of the deck.
    """

    graph: Graph
    circuit: Circuit
    deck: Deck
    intended: str
    inputs: Any
    seen: Coverage
    limit: float
    named: bool


def diagnose(judged: Judged) -> tuple[Suspect, ...]:
    """Return the suspected devices, the likeliest first."""
    found, explains = find_changed(judged) if judged.named else ([], False)
    if explains:
        return tuple(found[:MAX_SUSPECTS])
    if judged.named and judged.deck.text == judged.intended:
        found = _find_changed_circuit(judged)
    return tuple((found or [*_read_back(judged), *found])[:MAX_SUSPECTS])


def find_changed(judged: Judged) -> tuple[list[Suspect], bool]:
    """Return the devices of a deck that are not those of its circuit, and whether they explain a failure."""
    if judged.deck.text == judged.intended:
        return [], False
    try:
        changes = compare_devices(judged.deck.text, judged.intended, TOLERANCE)
    except InputError:
        return [], False
    written = _names_as_written(judged.deck.text)
    return _rank(judged.circuit, changes, judged.seen, written) if changes is not None else ([], False)


def _find_changed_circuit(judged: Judged) -> list[Suspect]:
    """Return the few devices of a circuit that are not those which its cell makes for its graph."""
    try:
        made = lower(judged.graph, cell=judged.circuit.cell, rescale=True)
        if _op_amps(made) != _op_amps(judged.circuit):
            return []  # of other parts than the cell takes by itself
        text = judged.circuit.netlist()
        changes = compare_devices(text, made.netlist(), TOLERANCE)
    except HopfieldHWError:
        return []
    if changes is None or len(changes.edits) > MOST_CHANGED or any(edit.kind == "curve" for edit in changes.edits):
        return []
    found, explains = _rank(made, changes, judged.seen, _names_as_written(text))
    return found if explains else []


def _op_amps(circuit: Circuit) -> dict[str, OpAmp]:
    return {device.name: device.part for device in circuit.devices if isinstance(device.part, OpAmp)}


def _names_as_written(text: str) -> Mapping[str, str]:
    """Return by first word of a deck's statements, lower case, the word as it stands there."""
    return {statement.word: statement.text.split()[0] for statement in read_statements(text).statements}


def _rank(
    circuit: Circuit, changes: DeviceChanges, seen: Coverage, written: Mapping[str, str]
) -> tuple[list[Suspect], bool]:
    """Return suspects by how much what is wrong with them would be noticed, and whether any of it would."""
    smallest = {name.lower(): size for name, size in seen.smallest.items()}

    def noticed(devices: Sequence[str], size: float | None) -> float:
        if size is None:
            return np.inf
        return max(size / smallest.get(name, size) if smallest.get(name, size) else np.inf for name in devices)

    sizes = [noticed(edit.devices, size) for edit, size in zip(changes.edits, changes.sizes, strict=True)]
    total = sum(size for size in sizes if np.isfinite(size))
    order = sorted(range(len(sizes)), key=lambda k: -sizes[k])
    found = []
    for k in order:
        edit = changes.edits[k]
        explained = sizes[k] / total if np.isfinite(sizes[k]) and total else 1.0
        words = "its inputs are exchanged" if edit.kind == "inputs" else edit.words
        found.append(_of_devices(circuit, edit.devices, words, explained, written))
    return found, bool(sizes) and max(sizes) >= TOO_SMALL


def _of_devices(
    circuit: Circuit, devices: Sequence[str], words: str, explained: float, written: Mapping[str, str]
) -> Suspect:
    """Return a suspect of some devices, under their own names."""
    names, origins = [], []
    for name in devices:
        try:
            device = circuit.device(name)
        except InputError:
            names.append(written.get(name, name))
        else:
            names.append(device.name)
            origins.append(device.origin)
    return Suspect(
        neuron=circuit.label_of(origins[0]) if origins else "",
        weight=", ".join(str(origin) for origin in origins) or "the network",
        devices=tuple(names),
        explained=explained,
        change=_with_names(words, devices, names),
    )


def _with_names(words: str, devices: Sequence[str], names: Sequence[str]) -> str:
    """Return words with the devices' own names, and without them where they begin with all of them."""
    for name, own in zip(devices, names, strict=True):
        words = own.join(re.split(rf"(?<![\w.]){re.escape(name)}(?![\w.])", words))
    return words.removeprefix(f"{' and '.join(names)} ")


def _read_back(judged: Judged) -> list[Suspect]:
    """Return what explains how a deck differs from its network once both are read back; none where they cannot be."""
    try:
        found = _label(extract(judged.deck.text, verify=False), judged.deck.states)
        if isinstance(found, ClockedExtraction):
            by_device = found.diff(judged.graph, max(judged.limit, TOLERANCE))
            return _of_findings(judged, by_device) if by_device.left <= LEFT else []
        # With inputs as in the deck: constant ones are biases in both.
        ideal = lower(judged.graph, cell="ideal").driven(judged.inputs)
        intended = _label(extract(ideal.netlist(), ideal=True, verify=False), ideal.states)
        intended = replace(intended, deck=None)
        tolerance = max(judged.limit, MEASURED if found.way == "clamped states" else TOLERANCE)
        by_device = found.diff(intended, tolerance)
        if by_device.findings and by_device.left <= LEFT:
            return _of_findings(judged, by_device)
        return _of_values(judged, found, replace(found, deck=None).diff(intended, tolerance))
    except HopfieldHWError:
        return []


def _label(found: Extraction, probes: Sequence[Probe]) -> Extraction:
    """Return an extraction with the labels of the probes at its capacitors, where each has one."""
    at = {probe.node.lower(): probe.label for probe in probes}
    labels = [next((at[node] for node in state.nodes if node in at), None) for state in found.states]
    known = tuple(label for label in labels if label is not None)
    return replace(found, labels=known) if len(set(known)) == len(labels) else found


def _of_findings(judged: Judged, found: Differences) -> list[Suspect]:
    """Return the faults of a deck, the first one with the value of the network that is most off."""
    neuron, place = _place(judged.circuit, found.deviations[0].name if found.deviations else "")
    said = f"; {format_deviation(found.deviations[0])}" if found.deviations else ""
    written = _names_as_written(judged.deck.text)
    suspects = []
    for finding in found.findings:
        names = tuple(written.get(name, name) for name in finding.devices)
        words = "its inputs are exchanged" if finding.kind == "inputs" else str(finding)
        change = f"{_with_names(words, finding.devices, names)}{said}"
        suspects.append(
            Suspect(neuron=neuron, weight=place, devices=names, explained=1.0 - finding.left, change=change)
        )
        neuron, place, said = "", "the network", ""  # which value a further one moves is not known
    return suspects


def _of_values(judged: Judged, found: Extraction, differences: Differences) -> list[Suspect]:
    """Return the values of a network that are off, the most first, with the devices that make them."""
    suspects = []
    for deviation in differences.deviations[: MAX_SUSPECTS // 2]:
        neuron, place = _place(judged.circuit, deviation.name)
        match = NAMED.fullmatch(deviation.name)
        pair = (int(match[2]), int(match[3])) if match is not None and match[3] else None
        devices = found.devices(*pair) if pair is not None else ()
        suspects.append(
            Suspect(
                neuron=neuron,
                weight=place,
                devices=devices,
                explained=0.0,
                change=f"effective {format_deviation(deviation)}",
            )
        )
    return suspects


def _place(circuit: Circuit, value: str) -> tuple[str, str]:
    """Return the label of the state that a value of the network belongs to, and what of the graph it is."""
    match = NAMED.fullmatch(value)
    if match is None:
        return "", value or "the network"
    element = tuple(int(k) for k in match.groups()[1:] if k is not None)
    at = [d.origin for d in circuit.devices if d.origin.role is ROLES[match[1]] and d.origin.element == element]
    label = circuit.states[element[0]].label
    return label, str(at[0]) if len({origin.operator for origin in at}) == 1 else value
