"""The difference between a circuit and the network that was intended, in words: which device is at fault, and how.

Single changes of the deck that would turn it into the intended network are weighed by what they leave (chi-square) and
by what they may choose; where one does not explain all, further ones are looked for in the repaired deck.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from ..circuit import Circuit
from ..functions import Table
from ..graph import as_graph
from ..lowering import lower
from ..values.arrays import positive
from ..values.errors import InputError
from .clocks import is_clocked
from .comparison import Frame, Reading, Values, flat_values
from .devices import FlatDeck
from .edits import FITTED, PENALTIES, Edit, find_edits, is_stranger
from .entry import extract
from .extraction import Extraction
from .findings import Deviation, Differences, Finding
from .flatten import as_input, flatten
from .matching import match_order, match_states
from .named_edits import NamedEdit, find_named_edits, have_same_names
from .pairs import trim

# How many faults may be there at once, and how many chains of them are followed.
MOST_FAULTS, BEAM = 3, 3
# Of the squares of what differs, what devices that are not as in the intended deck may leave.
EXPLAINED = 1e-3
# Two faults are one where they score the same to this much.
SAME = 1.0
# Of exact decks: what differs by less is rounding.
ROUNDING = 1e-7
SHOWN = 12
# The swing of a measured curve is taken for that intended within this part.
MEASURED = 0.1


def find_differences(extraction: Extraction, network: Any, tolerance: float = 1e-3) -> Differences:
    """Return what differs between what was read back and what was intended.

    `network`: a Network, a Graph, anything with a method `graph`, a Circuit, a deck (text or path), or an Extraction.
    `tolerance`: by how much parts may be off; a value that is off by more counts, and what a fault leaves is weighed
    against it.

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
    sigma = tolerance / 3.0
    floor = max(tolerance, ROUNDING)
    try:
        reading = Reading(deck, frame)
    except InputError:
        reading = Reading(deck, frame, ideal=False)
    deviations = _deviations(reading, frame, floor)
    named_edits = []
    if by_name and known is not None and have_same_names(deck, known):
        named_edits = find_named_edits(deck, known, tolerance)
    if not deviations and not named_edits and not _is_odd(reading, known):
        return Differences(findings=(), candidates=(), deviations=(), tolerance=tolerance, left=0.0)
    total = float(trim(reading.residual, floor) @ trim(reading.residual, floor))
    if named_edits and known is not None:
        named = _by_name(deck, known, named_edits, frame, deviations, tolerance, floor, total)
        if named is not None:
            return named
    paths: list[tuple[float, list[Finding], Edit | None]] = [(math.inf, [], None)]
    first: list[Finding] = []
    done: list[tuple[float, list[Finding], float, bool]] = []
    for depth in range(MOST_FAULTS):
        further: list[tuple[float, list[Finding], Edit | None]] = []
        for _, findings, last in paths:
            here = reading if last is None else Reading(last.deck, frame)
            scored = _score(find_edits(here, floor, known), sigma, floor, here)
            if depth == 0:
                first = [finding for finding, _ in scored]
            for finding, edit in scored[:BEAM]:
                left = float(trim(edit.residual, floor) @ trim(edit.residual, floor))
                chain = [*findings, _with_alternatives(finding, [each for each, _ in scored])]
                cost = finding.score + sum(
                    PENALTIES.get(each.kind, 8.0) + _fitted(each.kind, sigma) for each in findings
                )
                further.append((cost, chain, edit))
                done.append((cost, chain, left, left == 0.0 and not _is_odd(Reading(edit.deck, frame), known)))
        if not further or any(is_whole for *_, is_whole in done):
            break
        paths = sorted(further, key=lambda each: each[0])[:BEAM]
    if not done:
        return Differences(findings=(), candidates=(), deviations=deviations, tolerance=tolerance, left=1.0)
    whole = [each for each in done if each[3]] or done
    _, chain, left, _ = min(whole, key=lambda each: each[0])
    part = left / total if total > 0.0 else 0.0
    return Differences(
        findings=tuple(chain), candidates=tuple(first[:SHOWN]), deviations=deviations, tolerance=tolerance, left=part
    )


def _by_name(
    deck: FlatDeck,
    known: FlatDeck,
    edits: Sequence[NamedEdit],
    frame: Frame,
    deviations: tuple[Deviation, ...],
    tolerance: float,
    floor: float,
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
    except InputError:
        return None
    cut = trim(whole.residual, floor)
    if not edits or float(cut @ cut) > EXPLAINED * max(total, floor**2):
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


def _is_odd(reading: Reading, known: FlatDeck | None) -> bool:
    """Whether a deck shows a fault that is in no value: positive feedback, or a resistor that should not be there."""
    if known is not None and any(is_stranger(device, known) for device in reading.deck.of("R")):
        return True
    return bool(reading.nodal.find_turned() or reading.linear.find_turned())


def _fitted(kind: str, sigma: float) -> float:
    return 2.0 * math.log(1.0 / sigma) if kind in FITTED else 0.0


def _score(edits: Sequence[Edit], sigma: float, floor: float, reading: Reading) -> list[tuple[Finding, Edit]]:
    """Return edits with their scores, the likeliest first."""
    nodes = len(reading.nodal.places)
    before = trim(reading.residual, floor)
    total = float(before @ before)
    found: dict[tuple[str, tuple[str, ...], tuple[str, ...]], tuple[Finding, Edit]] = {}
    for edit in edits:
        cut = trim(edit.residual, floor)
        chi = float(np.sum(np.minimum(cut**2, 1e12))) / sigma**2
        choice = 2.0 * math.log(nodes**2 / 2.0) if edit.kind == "missing" else 0.0
        score = chi + PENALTIES[edit.kind] + _fitted(edit.kind, sigma) + choice
        left = float(cut @ cut) / total if total > 0.0 else 0.0
        finding = Finding(edit.kind, edit.words, edit.devices, edit.nodes, left, score)
        key = (edit.kind, tuple(sorted(edit.devices)), tuple(sorted(edit.nodes)))
        if key not in found or score < found[key][0].score:
            found[key] = (finding, edit)
    return sorted(found.values(), key=lambda each: each[0].score)


def _with_alternatives(finding: Finding, candidates: Sequence[Finding]) -> Finding:
    """Return a finding with the others that leave as little and choose as much."""
    others = tuple(
        other.words for other in candidates if other.words != finding.words and abs(other.score - finding.score) <= SAME
    )
    return finding._replace(alternatives=others)


def _deviations(reading: Reading, frame: Frame, floor: float) -> tuple[Deviation, ...]:
    residual = reading.residual
    found, wanted = flat_values(reading.values), flat_values(frame.intended)
    names = frame.names()
    order = [k for k in np.argsort(-np.abs(residual)).tolist() if abs(residual[k]) > floor]
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
