"""Reading a circuit back into the network that it implements."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from scipy.interpolate import PchipInterpolator

from ..circuit import Circuit
from ..functions import Table
from ..spice.ngspice import find
from ..values.arrays import Array, positive
from ..values.errors import InputError, SimulatorError, SimulatorMissing
from .agreement import LENGTH, compare_transients
from .canonical import Canonical, to_canonical
from .clamped import Sweep, find_curves, reachable_ranges, sweep
from .currents import fit_currents
from .curves import Curve, read_curves
from .devices import JUNCTIONS, FlatDeck
from .emission import let_go
from .extraction import Extraction, Way
from .flatten import flatten
from .nodal import Nodal, StateCapacitor
from .states import Found, find_states

# Starts from which a circuit is let go, to see where its states go, and to compare waveforms.
LOOKED, COMPARED = 3, 2
# Where states start: parts of the way between the supplies, or volts where there are none.
PART, WITHOUT_SUPPLIES = 0.1, 2.0
OTHER_SIDE = 0.6
# How far beyond that curves are measured: parts of it, the widest that can be read first.
MARGINS, LEAST_SPAN = (0.15, 0.03, -0.04), 0.4
# Values by sweep and by structure are one within this part of the largest.
SAME = 0.02
SEED = 1984
TIMES = 10.0
POINTS = 2001  # of a measured curve


def extract(
    source: str | Path | Circuit,
    *,
    states: Sequence[str] | None = None,
    ideal: bool = False,
    verify: bool = True,
    span: Sequence[tuple[float, float]] | None = None,
    rng: np.random.Generator | None = None,
    timeout: float = 120.0,
) -> Extraction:
    """Return the network that a circuit implements, C dx/dt = -x/R + T g(x) + U u + I, in canonical form.

    `source`: a deck, as text or as a path (with its subcircuits, includes and parameters, as drawing programs write
    them), or a Circuit. `states`: the names of the capacitors that hold the states; found by their time constants where
    not given. `ideal`: what the devices say with ideal op-amps, where these are real; else what the circuit does, from
    the currents into its held capacitors. `verify`: whether the network is then run against the circuit's transient.
    `span`: of each state, the voltages of its capacitor between which curves are measured; where the circuit goes by
    itself where not given. `rng`: of the points and the starts; seeded where not given. `timeout`: of each run of
    ngspice, seconds.

    With formulas and ideal op-amps alone all values follow from the devices, to rounding. With real op-amps, diodes or
    transistors ngspice sweeps the states for the curves.

    Raises InputError, with the line, for what is not a network of this family: delay lines, switches, curves of several
    states, hysteresis, currents that are not sums of one curve for each state, missing models, floating nodes, op-amps
    without feedback; and a SimulatorError where ngspice is needed and does not deliver.
    """
    positive(timeout, "timeout", shape=(), unit="s")
    deck = flatten(source)
    if any(device.kind == "OpAmp" or device.kind in JUNCTIONS for device in deck.devices):
        found, extraction = _by_sweep(deck, states, ideal, span, _generator(rng), timeout)
    else:
        found, extraction = _by_structure(deck, states, ideal)
    if verify:
        extraction = _with_agreement(extraction, deck, found, _generator(rng), timeout)
    return extraction


def _generator(rng: np.random.Generator | None) -> np.random.Generator:
    return np.random.default_rng(SEED) if rng is None else rng


def _by_structure(deck: FlatDeck, states: Sequence[str] | None, ideal: bool) -> tuple[Found, Extraction]:
    found = find_states(deck, states)
    nodal = Nodal(found.deck, found.states, ideal=ideal)
    curves = read_curves(nodal)
    return found, _make(deck, found, nodal, to_canonical(nodal, curves), curves, notes=found.notes)


def _make(
    deck: FlatDeck,
    found: Found,
    nodal: Nodal,
    canonical: Canonical,
    curves: Sequence[Curve],
    *,
    notes: Sequence[str],
    unexplained: Sequence[str] = (),
) -> Extraction:
    labels = deck.labels or {}
    turned = tuple(
        f"{name} has positive feedback: its inputs are exchanged, or it is a Schmitt trigger"
        for name in nodal.find_turned()
    )
    size = canonical.input_weights.shape[1]
    return Extraction(
        weights=canonical.weights,
        resistance=canonical.resistance,
        capacitance=canonical.capacitance,
        bias=canonical.bias,
        gains=tuple(None if curve is None else curve.gain for curve in canonical.curves),
        labels=_labels(found.states, labels),
        signs=canonical.signs,
        way="structure",
        input_weights=canonical.input_weights if size else np.zeros((0, 0)),
        inputs=tuple(device.name for device in nodal.inputs),
        linear=canonical.linear,
        poles=found.fast,
        unexplained=(*turned, *unexplained),
        notes=(*notes, *canonical.notes),
        states=found.states,
        deck=found.deck,
        curve_op_amps=tuple(device.name for device in nodal.curves if device.is_op_amp),
        owners={device.name: curve.owner for device, curve in zip(nodal.curves, curves, strict=True)},
        from_rest=frozenset(
            device.name for device, curve in zip(nodal.curves, curves, strict=True) if curve.is_from_rest
        ),
    )


def _labels(states: Sequence[StateCapacitor], known: dict[str, str] | object) -> tuple[str, ...]:
    given = [known.get(state.names[0], "") for state in states] if isinstance(known, dict) else []
    if len(set(filter(None, given))) == len(states):
        return tuple(given)
    return tuple(state.names[0].replace(".", "_") for state in states)


def _by_sweep(
    deck: FlatDeck,
    names: Sequence[str] | None,
    ideal: bool,
    span: Sequence[tuple[float, float]] | None,
    rng: np.random.Generator,
    timeout: float,
) -> tuple[Found, Extraction]:
    find()
    found = find_states(deck, names)
    nodal = Nodal(found.deck, found.states)
    given = span is not None
    seen = _given_ranges(span, found.states) if span is not None else _look(deck, found, nodal, rng, timeout)
    for margin in MARGINS if not given else (0.0,):
        ranges = [_widen(low, high, margin) for low, high in seen]
        try:
            swept = sweep(found.deck, found.states, ranges, rng, timeout=timeout)
            if not given:
                shorter = reachable_ranges(found.deck, found.states, swept, ranges)
                if shorter != ranges:
                    swept = sweep(found.deck, found.states, shorter, rng, timeout=timeout)
            return found, _from_sweep(deck, found, swept, ideal)
        except InputError:
            # At the ends of their ranges op-amps that should not saturate may do so.
            if margin == MARGINS[-1] or given:
                raise
    raise AssertionError


def _widen(low: float, high: float, margin: float) -> tuple[float, float]:
    more = margin * (high - low)
    more = max(more, 0.5 * (LEAST_SPAN - (high - low)))
    return low - more, high + more


def _from_sweep(deck: FlatDeck, found: Found, swept: Sweep, ideal: bool) -> Extraction:
    """Return the network of a sweep: which op-amps make curves, and what the devices and the currents say."""
    saturating, owners = find_curves(found.deck, found.states, swept)
    nodal = Nodal(found.deck, found.states, saturating)
    formulas = {nodal_curve.name: None for nodal_curve in nodal.curves if nodal_curve.formula is not None}
    read = dict(zip(formulas, read_curves(nodal), strict=True))
    curves = [
        read[device.name] if device.formula is not None else _measure(swept, device.name, nodal, owners[device.name])
        for device in nodal.curves
    ]
    structural = to_canonical(nodal, curves)
    fitted = fit_currents(nodal, curves, swept)
    effective = to_canonical(fitted, curves)
    notes = list(found.notes)
    unexplained = []
    size = float(np.max(np.abs(effective.weights), initial=0.0))
    off = np.abs(structural.weights - effective.weights)
    if size > 0.0 and np.max(off) > SAME * size:
        i, j = np.unravel_index(int(np.argmax(off)), off.shape)
        notes.append(
            f"T[{i}, {j}] is {effective.weights[i, j]:.4g} S as the circuit does it, and "
            f"{structural.weights[i, j]:.4g} S by its devices with ideal op-amps"
        )
    if fitted.left > SAME:
        unexplained.append(
            f"{fitted.left:.1%} of the largest current is no sum of one curve of each state (it is not additive)"
        )
    extraction = _make(
        deck, found, nodal, structural if ideal else effective, curves, notes=notes, unexplained=unexplained
    )
    way: Way = "structure" if ideal else "clamped states"
    uncertainty = {} if ideal else fitted.uncertainty
    return replace(extraction, way=way, additivity=fitted.left, uncertainty=uncertainty)


def _given_ranges(span: Sequence[tuple[float, float]], states: Sequence[StateCapacitor]) -> list[tuple[float, float]]:
    ranges = [(float(low), float(high)) for low, high in span]
    if len(ranges) != len(states) or any(not low < high for low, high in ranges):
        raise InputError(
            f"extract: `span` = {list(span)!r:.80}: must be (low, high), volts, for each of the {len(states)} states"
        )
    return ranges


def _scale(deck: FlatDeck, state: StateCapacitor) -> tuple[float, float]:
    """Return about where the voltage of a capacitor may be: its middle, and how far it may be from there."""
    volts = list(deck.fixed.values())
    low, high = min(volts), max(volts)
    if high - low <= 0.0:
        return 0.0, WITHOUT_SUPPLIES
    grounded = any(node in deck.fixed for node in state.nodes)
    return (0.5 * (low + high) if grounded and low >= 0.0 else 0.0), PART * (high - low)


def _length(nodal: Nodal) -> float:
    """Return the longest time constant that is finite, seconds."""
    found = nodal.currents[:, :-1]
    own = np.abs(np.diag(found[:, : len(nodal.states)]))
    sizes = np.where(own > 1e-12 * np.max(np.abs(found)), own, np.max(np.abs(found), axis=1))
    times = np.array([state.capacitance for state in nodal.states]) / np.maximum(sizes, 1e-30)
    return float(np.max(times))


def _starts(deck: FlatDeck, states: Sequence[StateCapacitor], count: int, rng: np.random.Generator) -> Array:
    scales = [_scale(deck, state) for state in states]
    return np.array([[middle + reach * rng.uniform(-1.0, 1.0) for middle, reach in scales] for _ in range(count)])


def _look(
    deck: FlatDeck, found: Found, nodal: Nodal, rng: np.random.Generator, timeout: float
) -> list[tuple[float, float]]:
    """Return by state between which voltages the circuit goes when it is let go."""
    t_stop = TIMES * _length(nodal)
    seen = []
    for start in _starts(deck, found.states, LOOKED, rng):
        _, volts = let_go(
            deck,
            found.states,
            start,
            t_stop=t_stop,
            step=t_stop / 500,
            reltol=1e-4,
            timeout=timeout,
            at_rest=found.at_rest,
        )
        seen.append(volts)
    seen_all = np.concatenate(seen)
    lows, highs = np.min(seen_all, axis=0), np.max(seen_all, axis=0)
    # Also to the other side of where a state rests: a curve is seen from end to end.
    middles = np.array([_scale(deck, state)[0] for state in found.states])
    reach = np.maximum(np.abs(highs - middles), np.abs(lows - middles))
    lows, highs = np.minimum(lows, middles - OTHER_SIDE * reach), np.maximum(highs, middles + OTHER_SIDE * reach)
    return [(float(low), float(high)) for low, high in zip(lows, highs, strict=True)]


def _measure(swept: Sweep, name: str, nodal: Nodal, owner: int) -> Curve:
    """Return the output of an op-amp over its state, as a table."""
    device = nodal.deck.by_name[name]
    axis = swept.axes[owner]
    x, y = swept.states[axis, owner], swept.output(device)[list(axis)]
    order = np.argsort(x, kind="stable")
    x, y = x[order], y[order]
    at = np.unique(np.round(x, 12))
    mean = np.array([np.mean(y[np.abs(x - each) < 1e-9]) for each in at])
    smooth = PchipInterpolator(at, mean)
    return Curve(
        owner=owner,
        devices=(name,),
        values=lambda s: smooth(np.clip(s, at[0], at[-1])),
        points=np.linspace(at[0], at[-1], POINTS),
    )


def _with_agreement(
    extraction: Extraction, deck: FlatDeck, found: Found, rng: np.random.Generator, timeout: float
) -> Extraction:
    """Return an extraction that says how far its waveforms are from the circuit's, or why that is not known."""
    try:
        find()
    except SimulatorMissing:
        return replace(extraction, notes=(*extraction.notes, "not run against the circuit: ngspice is missing"))
    times = extraction.capacitance * np.where(np.isfinite(extraction.resistance), extraction.resistance, np.nan)
    sizes = np.sum(np.abs(extraction.weights), axis=1)
    integrators = extraction.capacitance / np.maximum(sizes, 1e-30)
    longest = float(np.nanmax(np.where(np.isfinite(times), times, integrators)))
    starts = _starts(deck, found.states, COMPARED, rng) * extraction.signs
    for k, gain in enumerate(extraction.gains):
        if isinstance(gain, Table):  # beyond its ends a measured curve is not known
            starts[:, k] = np.clip(starts[:, k], gain.x[0], gain.x[-1])
    try:
        agreement = compare_transients(extraction, deck, found, starts, LENGTH * abs(longest), timeout=timeout)
    except (SimulatorError, InputError) as error:
        return replace(extraction, unexplained=(*extraction.unexplained, f"not run against the circuit: {error}"))
    return replace(extraction, agreement=agreement)
