"""The difference between a circuit and the network that was intended, in words: which device is at fault, and how.

Single changes of the deck that would turn it into the intended network are weighed by what they leave (chi-square) and
by what they may choose; where one does not explain all, further ones are looked for in the repaired deck.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from ..circuit import Circuit
from ..functions import Table
from ..graph import as_graph
from ..lowering import lower
from ..values.arrays import Array, positive
from ..values.errors import InputError
from .chains import PENALTIES, search_chains
from .clocks import is_clocked
from .comparison import Frame, Reading, Values, flat_values
from .devices import FlatDeck
from .entry import extract
from .extraction import Extraction
from .findings import Deviation, Differences, Finding
from .flatten import as_input, flatten
from .matching import match_order, match_states
from .named_edits import NamedEdit, find_named_edits, have_same_names
from .spread import ROUNDING, Spread

# Of the squares of what differs, what devices that are not as in the intended deck may leave.
EXPLAINED = 1e-3
SHOWN = 12
# The swing of a measured curve is taken for that intended within this part.
MEASURED = 0.1


def find_differences(extraction: Extraction, network: Any, tolerance: float = 1e-3) -> Differences:
    """Return what differs between what was read back and what was intended.

    `network`: a Network, a Graph, anything with a method `graph`, a Circuit, a deck (text or path), or an Extraction.
    `tolerance`: by how much every part may be off, in parts of its value. A value counts as off where no parts within
    it make it so, and a fault is one where chance, with parts spread evenly within it, does not explain what differs.

    Raises InputError for a network of another size, and for an extraction without a deck.
    """
    tolerance = float(positive(tolerance, "tolerance", shape=(), unit=""))
    if extraction.deck is None:
        return _compare_values(extraction, network, tolerance)
    intended = as_extraction(network)
    frame = make_frame(extraction, intended)
    known = flatten_known(network, intended) if isinstance(network, str | Path | Circuit | Extraction) else None
    found = find_faults(extraction.deck, frame, tolerance, known)
    order = match_order(extraction, intended, intended_values(intended))
    curves = compare_curves(extraction, intended, order, tolerance)
    return replace(found, deviations=(*found.deviations, *curves)) if curves else found


def compare_curves(
    extraction: Extraction, intended: Extraction, order: Sequence[int], tolerance: float
) -> tuple[Deviation, ...]:
    """Return the curves whose ends are not those intended: slopes at rest are among the values of a frame.

    `order`: by state, its place among those intended. Ends of measured curves are those of the rails, which a few
    percent of load move.
    """
    found = []
    for k, place in enumerate(order):
        given, wanted = extraction.gains[k], intended.gains[place]
        if given is None or wanted is None:
            continue
        measured = isinstance(given, Table) or isinstance(wanted, Table)
        reach = [float(np.max(gain.upper)) - float(np.min(gain.lower)) for gain in (given, wanted)]
        off = abs(reach[0] / reach[1] - 1.0) if reach[1] else np.inf
        if off > max(tolerance, MEASURED if measured else 0.0):
            found.append(Deviation(f"swing of the curve of {k}", reach[0], reach[1], "V", off))
    return tuple(found)


def compare(
    source: str | Path | Circuit, intended: Any, *, states: Sequence[str] | None = None, tolerance: float = 1e-3
) -> Differences:
    """Return how a deck differs from what was intended, and the faults that explain it.

    `intended`: as for `Extraction.diff`. Where it is a deck or a circuit with the same capacitors, the faulty one need
    not work at all: its op-amps are taken to do what those of the intended one do, and what it has besides is a load.

    Raises InputError as `extract` does, for the intended one, or for both where only a network is intended.
    """
    tolerance = float(positive(tolerance, "tolerance", shape=(), unit=""))
    flat = flatten(source)
    wanted = as_extraction(intended)
    if is_clocked(flat) or wanted.way == "clock phases":
        from .clocked_differences import compare_clocked

        return compare_clocked(source, flat, intended, tolerance)
    inputs = {device.name for device in wanted.deck.devices if device.wave} if wanted.deck is not None else set()
    deck = flat.with_devices(as_input(device) if device.name in inputs else device for device in flat.devices)
    names = {name for state in wanted.states for name in state.names}
    if not names <= set(deck.by_name) or not isinstance(intended, str | Path | Circuit | Extraction):
        return find_differences(extract(source, states=states, verify=False), wanted, tolerance)
    return find_faults(deck, own_frame(wanted, intended_values(wanted)), tolerance, flatten_known(intended, wanted))


def flatten_known(intended: Any, wanted: Extraction) -> FlatDeck | None:
    """Return the whole deck that was intended, where one was."""
    return flatten(intended) if isinstance(intended, str | Path | Circuit) else wanted.deck


def as_extraction(network: Any) -> Extraction:
    """Return what was intended as an extraction: a graph over its ideal circuit, a deck or a circuit as it is."""
    if isinstance(network, Extraction):
        return network
    if isinstance(network, Circuit | str | Path):
        return extract(network, ideal=True, verify=False)
    return extract(lower(as_graph(network), cell="ideal"), ideal=True, verify=False)


def intended_values(extraction: Extraction) -> Values:
    """Return the values of an extraction as they are compared; where op-amps make curves, by its devices."""
    n = extraction.size
    if extraction.deck is not None and extraction.curve_op_amps:
        empty = np.ones(n)
        blank = Values(
            weights=np.ones((n, n)), conductances=np.ones((n, n)), bias=empty, capacitance=empty, slopes=empty
        )
        return Reading(extraction.deck, own_frame(extraction, blank)).values
    with np.errstate(divide="ignore"):
        conductances = np.diag(1.0 / extraction.resistance)
    if extraction.linear.size:
        conductances = conductances - extraction.linear
    slopes = np.ones(n)
    for j, gain in enumerate(extraction.gains):
        slopes[j] = 1.0 if gain is None else _slope(gain)
    return Values(
        weights=extraction.weights,
        conductances=conductances,
        bias=extraction.bias,
        capacitance=extraction.capacitance,
        slopes=slopes,
    )


def _slope(gain: Any) -> float:
    if isinstance(gain, Table):
        h = 1e-3 * float(gain.x[-1] - gain.x[0])
        low, high = gain.value(np.array([-h, h]))
        return float((high - low) / (2.0 * h))
    return float(np.max(gain.slope))


def make_frame(extraction: Extraction, intended: Extraction) -> Frame:
    """Return how the deck of an extraction is read, held against what was intended, its states matched."""
    return own_frame(extraction, match_states(extraction, intended, intended_values(intended)))


def own_frame(extraction: Extraction, values: Values) -> Frame:
    """Return how the deck of an extraction is read, held against values in its own order."""
    return Frame(
        states=tuple(state.names for state in extraction.states),
        curves=extraction.curve_op_amps,
        owners=extraction.owners,
        signs=extraction.signs,
        intended=values,
        from_rest=extraction.from_rest,
    )


def find_faults(
    deck: FlatDeck, frame: Frame, tolerance: float, known: FlatDeck | None = None, *, by_name: bool = True
) -> Differences:
    """Return the faults that would explain how a deck differs from the intended values of a frame.

    `known`: the deck as it should be, where that is known. `by_name`: whether devices of the same names are held
    against each other first; else all follows from the values of the network.
    """
    try:
        reading = Reading(deck, frame)
    except InputError:
        reading = Reading(deck, frame, ideal=False)
    named_edits = []
    if by_name and known is not None and have_same_names(deck, known):
        named_edits = find_named_edits(deck, known, tolerance)
    spread = Spread(reading, tolerance)
    deviations = _deviations(reading, frame, spread.limits)
    if named_edits and known is not None:
        named = _by_name(deck, known, named_edits, frame, deviations, tolerance, spread.beyond)
        if named is not None:
            return named
    found = search_chains(reading, tolerance, known)
    part = found.spread.beyond / spread.beyond if spread.beyond > 0.0 else 0.0
    return Differences(
        findings=found.findings,
        candidates=found.candidates[:SHOWN],
        deviations=deviations,
        tolerance=tolerance,
        left=part,
    )


def _by_name(
    deck: FlatDeck,
    known: FlatDeck,
    edits: Sequence[NamedEdit],
    frame: Frame,
    deviations: tuple[Deviation, ...],
    tolerance: float,
    total: float,
) -> Differences | None:
    """Return the devices that are not what they are in the intended deck; None where these do not explain what differs.

    Those that move values most come first; what moves none, such as a supply or a diode's model, may change curves.
    """
    repaired = deck
    for edit in edits:
        repaired = edit.repair(repaired, known)
    try:
        whole = Reading(repaired, frame)
        left = Spread(whole, tolerance).beyond
    except InputError:
        return None
    floor = max(tolerance, ROUNDING)
    if not edits or left > EXPLAINED * max(total, floor**2):
        return None
    found = []
    for edit in edits:
        others = repaired
        for name in edit.devices:
            others = others.with_device(deck.by_name[name]) if name in deck.by_name else others.without([name])
        try:
            alone = Reading(others, frame)
            moves = float(np.max(np.abs(alone.residual - whole.residual)))
            turned = bool(alone.nodal.find_turned() or alone.linear.find_turned())
        except InputError:
            moves, turned = np.inf, False
        kind = "load" if edit.kind == "extra" and moves <= floor else edit.kind
        weight = np.inf if turned else moves
        found.append((weight, Finding(kind, edit.words, edit.devices, edit.nodes, 0.0, PENALTIES.get(edit.kind, 4.0))))
    chosen = tuple(finding for _, finding in sorted(found, key=lambda each: -each[0]))
    return Differences(findings=chosen, candidates=chosen, deviations=deviations, tolerance=tolerance, left=0.0)


def _deviations(reading: Reading, frame: Frame, limits: Array) -> tuple[Deviation, ...]:
    residual = reading.residual
    found, wanted = flat_values(reading.values), flat_values(frame.intended)
    names = frame.names()
    order = [k for k in np.argsort(-np.abs(residual)).tolist() if abs(residual[k]) > limits[k]]
    return tuple(
        Deviation(names[k][0], float(found[k]), float(wanted[k]), names[k][1], float(abs(residual[k]))) for k in order
    )


def _compare_values(extraction: Extraction, network: Any, tolerance: float) -> Differences:
    """Return how values that were measured differ from those intended; no device is known."""
    intended = as_extraction(network)
    values = match_states(extraction, intended, intended_values(intended))
    frame = Frame(
        states=tuple((label,) for label in extraction.labels),
        curves=(),
        owners={},
        signs=extraction.signs,
        intended=values,
    )
    residual = frame.residual(intended_values(extraction))
    found, wanted = flat_values(intended_values(extraction)), flat_values(values)
    names = frame.names()
    order = [k for k in np.argsort(-np.abs(residual)).tolist() if abs(residual[k]) > tolerance]
    deviations = tuple(
        Deviation(names[k][0], float(found[k]), float(wanted[k]), names[k][1], float(abs(residual[k]))) for k in order
    )
    return Differences(findings=(), candidates=(), deviations=deviations, tolerance=tolerance, left=1.0)
