"""How a clocked circuit differs from the map that was intended, in words: devices, capacitors, phases of the clock."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from ..circuit import Circuit
from ..graph import Clock, Hold, as_graph
from ..values.errors import InputError
from .clocked_extraction import ClockedExtraction
from .comparison import Reading, Values
from .devices import FlatDeck
from .differences import as_extraction, compare_curves, find_faults
from .entry import extract
from .findings import Deviation, Differences, Finding
from .flatten import as_input, flatten
from .matching import match_order, match_states
from .named_edits import NamedEdit, find_named_edits, have_same_names

# A time of the clock is another one where it differs by more than this part of a period.
SAME = 1e-5
# Two phases are exchanged where each begins within this part of a period of where the other one should.
NEAR = 0.02
# What a device at fault is named for, those that keep a circuit from being a map first.
FIRST = ("clock", "missing", "rewired", "inputs", "exchanged", "extra", "capacitor", "value", "source", "curve", "load")


def values_of(extraction: ClockedExtraction) -> Values:
    """Return the values of a map as they are compared."""
    assert extraction.deck is not None
    return Reading(extraction.deck, extraction.frame()).values


def find_clocked_differences(extraction: ClockedExtraction, network: Any, tolerance: float) -> Differences:
    """Return what differs between a map that was read back and what was intended; see `Extraction.diff`.

    Raises InputError for an intended network that is no map, or one of the other kind.
    """
    intended = _as_map(network)
    if intended.is_of_sums != extraction.is_of_sums:
        kinds = ["sums of the states" if each.is_of_sums else "single states" for each in (extraction, intended)]
        raise InputError(
            f"extraction: the curves of the circuit are of {kinds[0]}, and those intended of {kinds[1]}: the maps are "
            "of two kinds, whose values do not compare"
        )
    values = values_of(intended)
    assert extraction.deck is not None
    # A map does not depend on what holds its states.
    matched = replace(match_states(extraction, intended, values), capacitance=extraction.capacitance)
    frame = extraction.frame(matched)
    found = find_faults(extraction.deck, frame, tolerance, by_name=False)
    if _are_exchanged(extraction, intended):
        words = f"the two phases of the clock ({', '.join(extraction.sources)}) are exchanged"
        fault = Finding("clock", words, extraction.sources, (), 0.0, 0.0)
        found = replace(found, findings=(fault, *found.findings), candidates=(fault, *found.candidates), left=0.0)
    others = (
        *compare_curves(extraction, intended, match_order(extraction, intended, values), tolerance),
        *_compare_clocks(extraction, intended),
    )
    return replace(found, deviations=(*found.deviations, *others)) if others else found


def _as_map(network: Any) -> ClockedExtraction:
    phase = 0.0
    if not isinstance(network, str | Path | Circuit | ClockedExtraction):
        # A circuit has its clock at 0 s; that of the graph is put back.
        network = as_graph(network)
        operators = []
        for op in network.operators:
            if isinstance(op, Hold):
                phase = op.clock.phase
                op = replace(op, clock=Clock(period=op.clock.period))
            operators.append(op)
        network = replace(network, operators=tuple(operators))
    intended = as_extraction(network)
    if not isinstance(intended, ClockedExtraction):
        raise InputError(
            "extraction: the circuit is clocked, a map, and the intended network flows in time: give a graph with "
            "Holds, such as hopfield_hw.transforms.discretise makes"
        )
    if phase:
        period = intended.clock.period
        later = (intended.sampled + phase * network.units.seconds_per_unit) % period
        clock = Clock(period=period, phase=phase * network.units.seconds_per_unit)
        intended = replace(intended, clock=clock, sampled=later)
    return intended


def _are_exchanged(found: ClockedExtraction, intended: ClockedExtraction) -> bool:
    """Whether states are taken over when they should be computed, and the other way round."""

    def apart(one: float, other: float) -> float:
        return abs((one / found.clock.period - other / intended.clock.period + 0.5) % 1.0 - 0.5)

    phase, wanted = found.clock.phase, intended.clock.phase
    if apart(phase, wanted) <= NEAR:
        return False
    return apart(phase, intended.sampled) <= NEAR and apart(found.sampled, wanted) <= NEAR


def _compare_clocks(found: ClockedExtraction, intended: ClockedExtraction) -> Iterator[Deviation]:
    period, wanted = found.clock.period, intended.clock.period
    if abs(period / wanted - 1.0) > SAME:
        yield Deviation("period of the clock", period, wanted, "s", abs(period / wanted - 1.0))
    apart = (found.clock.phase / period - intended.clock.phase / wanted + 0.5) % 1.0 - 0.5
    if abs(apart) > SAME:
        yield Deviation("phase of the clock", found.clock.phase, intended.clock.phase, "s", abs(apart))
    for label, given, band in zip(found.labels, found.bands, intended.bands, strict=False):
        if abs(given - band) > SAME * max(given, band):
            yield Deviation(f"band of {label}", float(given), float(band), "V", abs(float(given - band)))


def compare_clocked(source: str | Path | Circuit, flat: FlatDeck, intended: Any, tolerance: float) -> Differences:
    """Return how a clocked deck differs from what was intended; see `compare`.

    `flat`: the deck of the source. A deck with the names of the intended one need not be a map at all.
    """
    wanted = _as_map(intended)
    known = flatten(intended) if isinstance(intended, str | Path | Circuit) else None
    if known is None or not have_same_names(flat, known):
        return find_clocked_differences(_read(source), wanted, tolerance)
    inputs = {device.name for device in known.devices if device.wave and not device.wave.startswith("pulse")}
    deck = flat.with_devices(as_input(device) if device.name in inputs else device for device in flat.devices)
    edits = [*_clock_edits(deck, known), *find_named_edits(deck, known, tolerance)]
    if not edits:
        return Differences(findings=(), candidates=(), deviations=(), tolerance=tolerance, left=0.0)
    edits.sort(key=lambda edit: FIRST.index(edit.kind))
    findings = tuple(
        Finding(edit.kind, edit.words, edit.devices, edit.nodes, 0.0, float(k)) for k, edit in enumerate(edits)
    )
    try:
        deviations = find_clocked_differences(_read(source), wanted, tolerance).deviations
    except InputError:  # it is no map any more
        deviations = ()
    return Differences(findings=findings, candidates=findings, deviations=deviations, tolerance=tolerance, left=0.0)


def _read(source: str | Path | Circuit) -> ClockedExtraction:
    found = extract(source, ideal=True, verify=False)
    if not isinstance(found, ClockedExtraction):
        raise InputError("extraction: the circuit has no clock, and the intended network is a map")
    return found


def _clock_edits(deck: FlatDeck, known: FlatDeck) -> Iterator[NamedEdit]:
    """Yield sources of the clock whose pulses are those of another one, or others than they should be."""
    pulses = [device for device in known.of("V") if device.wave.startswith("pulse")]
    wrong = [d for d in pulses if d.name in deck.by_name and deck.by_name[d.name].keys != d.keys]
    for k, one in enumerate(wrong):
        for other in wrong[k + 1 :]:
            if deck.by_name[one.name].keys == other.keys and deck.by_name[other.name].keys == one.keys:
                words = f"{one.name} and {other.name} are exchanged: the phases of the clock"
                yield NamedEdit("clock", words, (one.name, other.name))
                wrong = [each for each in wrong if each not in (one, other)]
    for device in wrong:
        given = deck.by_name[device.name]
        said = [
            f"{key} of {value:g}, and should have {wanted:g}"
            for (key, value), (_, wanted) in zip(given.keys, device.keys, strict=False)
            if value != wanted
        ]
        yield NamedEdit("clock", f"{device.name} has a {' and a '.join(said) or 'different wave'}", (device.name,))
