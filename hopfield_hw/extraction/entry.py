"""Reading a circuit back into the network that it implements."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from ..circuit import Circuit
from ..spice.ngspice import find
from ..values.arrays import Array, positive
from ..values.errors import InputError, SimulatorError, SimulatorMissing
from .agreement import LENGTH, compare_transients
from .clocked import read_clocked
from .clocks import is_clocked
from .curves import read_curves
from .devices import JUNCTIONS, FlatDeck
from .extraction import Extraction
from .flatten import flatten
from .from_waveforms import as_recordings, read_waveforms
from .instants import with_instants
from .nodal import Nodal
from .recordings import Recording
from .starts import draw_starts
from .states import Found, find_states
from .structure import read_by_structure
from .sweeping import Ranges, read_by_sweep

# Starts from which waveforms are compared.
COMPARED = 2
# How often curves are measured again where a circuit went beyond them.
SWEEPS = 3
SEED = 1984


def extract(
    source: str | Path | Circuit | Recording | Sequence[Recording] | xr.Dataset,
    *,
    states: Sequence[str] | None = None,
    capacitance: Any = None,
    ideal: bool = False,
    verify: bool = True,
    span: Sequence[tuple[float, float]] | None = None,
    rng: np.random.Generator | None = None,
    timeout: float = 120.0,
) -> Extraction:
    """Return the network that a circuit implements, C dx/dt = -x/R + T g(x) + U u + I, in canonical form.

    `source`: a deck, as text or as a path (with its subcircuits, includes and parameters, as drawing programs write
    them), a Circuit, or measured waveforms: Recordings (see `read_scope`), or the result of `simulate` or
    `reference`, with several samples from several starts. `states`: the names of the capacitors that hold the
    states; found by their time constants where not given. `capacitance`: C of waveforms, which do not tell it, (n,)
    or one, farads. `ideal`: what the devices say with ideal op-amps, where these are real; else what the circuit
    does, from the currents into its held capacitors. `verify`: whether the network is then run against the
    circuit's transient; where the two differ by the lags of op-amps, with these too, as they are on held states
    (`hopfield_hw.extraction.lags`). `span`: of each state, the voltages of its capacitor between which curves are
    measured; where the circuit goes by itself where not given. `rng`: of the points and the starts; seeded where not
    given. `timeout`: of each run of ngspice, seconds.

    A deck with switches on a clock is a map from one period to the next: a ClockedExtraction, of its devices in each
    phase; see there.

    With formulas and ideal op-amps alone all values follow from the devices, to rounding. With real op-amps, diodes or
    transistors ngspice sweeps the states for the curves.

    Raises InputError, with the line, for what is not a network of this family: delay lines, switches without a clock,
    curves of several states, hysteresis, currents that are not sums of one curve for each state, missing models,
    floating nodes, op-amps without feedback; and a SimulatorError where ngspice is needed and does not deliver.
    """
    positive(timeout, "timeout", shape=(), unit="s")
    if isinstance(states, str) or not (states is None or all(isinstance(name, str) for name in states)):
        raise InputError(f"extract: `states` = {states!r:.60}: must be a list of names of capacitors")
    if rng is not None and not isinstance(rng, np.random.Generator):
        raise InputError(f"extract: `rng` is a {type(rng).__name__}: must be a numpy.random.Generator")
    if span is not None and any(len(tuple(each)) != 2 or not each[0] < each[1] for each in span):
        raise InputError(f"extract: `span` = {list(span)!r:.80}: must be (low, high), volts, for each state")
    recordings = as_recordings(source)
    if recordings is not None:
        return read_waveforms(recordings, capacitance)
    if capacitance is not None:
        raise InputError("extract: `capacitance` is for waveforms, which do not tell it; a deck has its own")
    if not isinstance(source, str | Path | Circuit):
        raise InputError(f"extract: `source` is a {type(source).__name__}: must be a deck, a Circuit or waveforms")
    deck = flatten(source)
    rng = np.random.default_rng(SEED) if rng is None else rng
    if is_clocked(deck):
        clocked = read_clocked(deck, states, ideal)
        return with_instants(clocked, deck, rng, timeout) if verify else clocked
    is_real = any(device.kind == "OpAmp" or device.kind in JUNCTIONS for device in deck.devices)
    if not is_real or (ideal and _is_of_formulas(deck, states)):
        found, extraction = read_by_structure(deck, states, ideal)
        starts = draw_starts(deck, found.states, COMPARED, rng)
        return _with_agreement(extraction, deck, found, starts, timeout) if verify else extraction
    found, extraction = read_by_sweep(deck, states, ideal, span, rng, timeout)
    if not verify:
        return extraction
    lows, highs = np.transpose(extraction.swept) if extraction.swept else (-np.inf, np.inf)
    starts = np.clip(draw_starts(deck, found.states, COMPARED, rng), lows, highs)
    extraction = _with_agreement(extraction, deck, found, starts, timeout)
    for _ in range(SWEEPS if span is None else 0):
        again = _where_it_went(extraction)
        if again is None or not again.is_wider:
            break
        try:
            found, wider = read_by_sweep(deck, states, ideal, None, rng, timeout, again)
        except (InputError, SimulatorError):
            break  # op-amps that should not saturate do so there
        extraction = _with_agreement(wider, deck, found, starts, timeout)
    return _with_what_is_beyond(extraction)


def _where_it_went(extraction: Extraction) -> Ranges | None:
    """Return between which voltages of the capacitors curves were measured, and the circuit then went."""
    if extraction.agreement is None or not extraction.swept:
        return None
    seen = (np.array(extraction.agreement.visited) - extraction.offsets[:, np.newaxis]) * extraction.signs[
        :, np.newaxis
    ]
    return Ranges(extraction.swept, [(float(low), float(high)) for low, high in np.sort(seen, axis=1)])


def _with_what_is_beyond(extraction: Extraction) -> Extraction:
    """Return an extraction that says where its circuit went beyond a curve, as the network does not go on there."""
    again = _where_it_went(extraction)
    if again is None or not again.is_wider:
        return extraction
    said = [
        f"{label} went from {seen[0]:.3g} V to {seen[1]:.3g} V, and its curve is known from {held[0]:.3g} V to "
        f"{held[1]:.3g} V"
        for label, held, seen, went in zip(extraction.labels, again.held, again.visited, again.beyond(), strict=True)
        if went
    ]
    return replace(extraction, notes=(*extraction.notes, *said))


def _is_of_formulas(deck: FlatDeck, states: Sequence[str] | None) -> bool:
    """Whether formulas make the curves of all states, so that op-amps only add and invert."""
    if any(device.kind in JUNCTIONS for device in deck.devices):
        return False
    found = find_states(deck, states)
    owners = {curve.owner for curve in read_curves(Nodal(found.deck, found.states))}
    return len(owners) == len(found.states)


def _with_agreement(extraction: Extraction, deck: FlatDeck, found: Found, starts: Array, timeout: float) -> Extraction:
    """Return an extraction that says how far its waveforms are from the circuit's, or why that is not known.

    `starts`: (starts, n), volts of the capacitors.
    """
    try:
        find()
    except SimulatorMissing:
        return replace(extraction, notes=(*extraction.notes, "not run against the circuit: ngspice is missing"))
    times = extraction.capacitance * np.where(np.isfinite(extraction.resistance), extraction.resistance, np.nan)
    sizes = np.sum(np.abs(extraction.weights), axis=1)
    integrators = extraction.capacitance / np.maximum(sizes, 1e-30)
    longest = float(np.nanmax(np.where(np.isfinite(times), times, integrators)))
    starts = starts * extraction.signs + extraction.offsets
    try:
        agreement = compare_transients(extraction, deck, found, starts, LENGTH * abs(longest), timeout=timeout)
    except (SimulatorError, InputError) as error:
        return replace(extraction, unexplained=(*extraction.unexplained, f"not run against the circuit: {error}"))
    return replace(extraction, agreement=agreement)
