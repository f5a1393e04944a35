"""The network that a circuit makes, from the currents into its held capacitors and the devices that make them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np
from scipy.interpolate import PchipInterpolator

from ..spice.ngspice import find
from ..values.arrays import Array
from ..values.errors import InputError
from .canonical import Canonical, to_canonical
from .clamped import Sweep, find_curves, reachable_ranges, sample, sweep
from .currents import fit_currents
from .curves import Curve, read_curves
from .devices import JUNCTIONS, FlatDeck
from .emission import let_go
from .extraction import Extraction, Way
from .nodal import Nodal, StateCapacitor
from .starts import draw_starts, longest_time, typical_voltages
from .states import Found, find_states
from .structure import make_extraction

# Starts from which a circuit is let go, to see where its states go, and for how many of its longest time constants.
LOOKED, TIMES = 3, 10.0
OTHER_SIDE = 0.6
# How far beyond that curves are measured: parts of it, the widest that can be read first.
MARGINS, LEAST_SPAN = (0.15, 0.03, -0.04), 0.4
# Of the largest current, what may be left by one curve of each state.
ADDITIVE = 0.02
# Values by sweep and by structure are one within this part of the largest.
SAME = 0.02
# A weight that no device makes is none below this part of the largest.
NOTHING = 1e-3
# Of a range: how far a circuit may go beyond it for it to be within.
SLACK = 1e-6
POINTS = 4001  # of a measured curve, dense where it was measured densely
# Where formulas make all curves, states are held within so many widths of them, then within a part of that.
WIDTHS = (1.5, 0.5, 0.15)


class Ranges(NamedTuple):
    """Ranges, (low, high) of each state, volts of its capacitor: what a sweep held, and where the circuit went."""

    held: Sequence[tuple[float, float]]
    visited: Sequence[tuple[float, float]]

    @classmethod
    def of_visited(cls, visited: Sequence[tuple[float, float]]) -> Ranges:
        """Return ranges of which nothing was held yet."""
        return cls([(0.5 * (low + high), 0.5 * (low + high)) for low, high in visited], visited)

    @property
    def is_wider(self) -> bool:
        """Whether the circuit went beyond what was held."""
        return any(self.beyond())

    def beyond(self) -> list[bool]:
        """Return by state whether it went beyond what was held, by more than rounding."""
        found = []
        for (low, high), seen in zip(self.held, self.visited, strict=True):
            slack = SLACK * (high - low)
            found.append(seen[0] < low - slack or seen[1] > high + slack)
        return found

    def widened(self, margin: float) -> list[tuple[float, float]]:
        """Return both, with a margin about what was visited: a part of its width."""
        found = []
        for held, (low, high) in zip(self.held, self.visited, strict=True):
            more = max(margin * (high - low), 0.5 * (LEAST_SPAN - (high - low)))
            found.append((min(held[0], low - more), max(held[1], high + more)))
        return found


def read_by_sweep(
    deck: FlatDeck,
    names: Sequence[str] | None,
    ideal: bool,
    span: Sequence[tuple[float, float]] | None,
    rng: np.random.Generator,
    timeout: float,
    again: Ranges | None = None,
) -> tuple[Found, Extraction]:
    """Return the states of a deck, and its network as a sweep has it.

    `span`: as given, the ranges of the sweep, volts of the capacitors; else `again`: those of a sweep before it, with
    what the circuit visited beyond them; else where the circuit goes when it is let go. The widest range that can be
    read is taken.
    """
    find()
    found = find_states(deck, names)
    nodal = Nodal(found.deck, found.states)
    widths = _formula_widths(found, nodal)
    if span is None and again is None and widths is not None:
        for part in WIDTHS:
            ranges = [(-part * width, part * width) for width in widths]
            try:
                return found, _from_sweep(deck, found, sample(found.deck, found.states, ranges, rng, timeout), ideal)
            except InputError:
                if part == WIDTHS[-1]:
                    raise
    given = span is not None
    if span is not None:
        tried = [_given_ranges(span, found.states)]
    else:
        seen = again or Ranges.of_visited(_look(deck, found, nodal, rng, timeout))
        tried = [seen.widened(margin) for margin in MARGINS]
    for ranges in tried:
        try:
            swept = sweep(found.deck, found.states, ranges, rng, timeout=timeout)
            if not given:
                shorter = reachable_ranges(found.deck, found.states, swept, ranges)
                if shorter != ranges:
                    swept = sweep(found.deck, found.states, shorter, rng, timeout=timeout)
            extraction = _from_sweep(deck, found, swept, ideal)
            lows, highs = np.min(swept.states, axis=0).tolist(), np.max(swept.states, axis=0).tolist()
            return found, replace(extraction, swept=tuple(zip(lows, highs, strict=True)))
        except InputError:
            # At the ends of their ranges op-amps that should not saturate may do so.
            if ranges is tried[-1]:
                raise
    raise AssertionError


def _formula_widths(found: Found, nodal: Nodal) -> list[float] | None:
    """Return how wide the curve of each state is, volts, where formulas make them all; None where they do not."""
    if any(device.kind in JUNCTIONS for device in found.deck.devices):
        return None
    widths = {}
    for curve in read_curves(nodal):
        rising = curve if curve.upper > curve.lower else curve.turned()
        gain = rising.recognised().gain
        slope = float(np.max(np.abs(gain.slope))) if gain is not None else 0.0
        reach = 0.5 * abs(curve.upper - curve.lower)
        widths[curve.owner] = reach / slope if 0.0 < slope < np.inf else 1.0
    return [widths[k] for k in range(len(found.states))] if len(widths) == len(found.states) else None


def _from_sweep(deck: FlatDeck, found: Found, swept: Sweep, ideal: bool) -> Extraction:
    """Return the network of a sweep: which op-amps make curves, and what the devices and the currents say."""
    saturating, owners = find_curves(found.deck, found.states, swept)
    turned = Nodal(found.deck, found.states).find_turned()
    if turned:
        device = found.deck.by_name[turned[0]]
        raise InputError(
            f"{device.where}: op-amp {device.name} has positive feedback: its inputs are exchanged, or it is a Schmitt "
            "trigger, whose hysteresis is a state without a capacitor; exchange them, or verify it against a graph"
        )
    nodal = Nodal(found.deck, found.states, saturating)
    measured = _measure_arguments(nodal, swept)
    formulas = {nodal_curve.name: None for nodal_curve in nodal.curves if nodal_curve.formula is not None}
    read = dict(zip(formulas, read_curves(nodal, measured), strict=True))
    curves = [
        read[device.name] if device.formula is not None else _measure(swept, device.name, nodal, owners[device.name])
        for device in nodal.curves
    ]
    structural = to_canonical(nodal, curves)
    fitted = fit_currents(nodal, curves, swept)
    effective = _without_noise(to_canonical(fitted, curves), structural)
    notes = list(found.notes)
    size = float(np.max(np.abs(effective.weights), initial=0.0))
    off = np.abs(structural.weights - effective.weights)
    if size > 0.0 and np.max(off) > SAME * size:
        i, j = np.unravel_index(int(np.argmax(off)), off.shape)
        notes.append(
            f"T[{i}, {j}] is {effective.weights[i, j]:.4g} S as the circuit does it, and "
            f"{structural.weights[i, j]:.4g} S by its devices with ideal op-amps"
        )
    if fitted.left > ADDITIVE:
        raise InputError(
            f"deck: {fitted.left:.1%} of the largest current is no sum of one curve for each state: something "
            "depends on several states at once, such as a diode between them or an op-amp that saturates with their "
            "sum; such a circuit is not of C dx/dt = -x/R + T g(x) + I"
        )
    extraction = make_extraction(deck, found, nodal, structural if ideal else effective, curves, notes=notes)
    way: Way = "structure" if ideal else "clamped states"
    uncertainty = {} if ideal else fitted.uncertainty
    return replace(extraction, way=way, additivity=fitted.left, uncertainty=uncertainty)


def _without_noise(effective: Canonical, structural: Canonical) -> Canonical:
    """Return measured values without weights that no device makes, where these are next to nothing."""
    size = float(np.max(np.abs(effective.weights), initial=0.0))
    none = (structural.weights == 0.0) & (np.abs(effective.weights) < NOTHING * size)
    return replace(effective, weights=np.where(none, 0.0, effective.weights))


def _measure_arguments(nodal: Nodal, swept: Sweep) -> dict[str, Array]:
    """Return by node that a formula senses what its voltage is linear in, as measured: with offsets of op-amps."""
    found = {}
    n = len(nodal.states)
    for device in nodal.curves:
        for node in device.sensed if device.formula is not None else ():
            row = nodal.voltage(node)
            places = np.flatnonzero(np.abs(row[:n]) > 1e-9 * max(float(np.max(np.abs(row[:n]))), 1e-30))
            if node not in swept.voltages or np.any(row[n:-1]) or not places.size:
                continue
            basis = np.concatenate([swept.states[:, places], np.ones((len(swept.states), 1))], axis=1)
            fit, *_ = np.linalg.lstsq(basis, swept.voltages[node], rcond=None)
            row = row.copy()
            row[places], row[-1] = fit[:-1], fit[-1]
            found[node] = row
    return found


def _given_ranges(span: Sequence[tuple[float, float]], states: Sequence[StateCapacitor]) -> list[tuple[float, float]]:
    ranges = [(float(low), float(high)) for low, high in span]
    if len(ranges) != len(states) or any(not low < high for low, high in ranges):
        raise InputError(
            f"extract: `span` = {list(span)!r:.80}: must be (low, high), volts, for each of the {len(states)} states"
        )
    return ranges


def _look(
    deck: FlatDeck, found: Found, nodal: Nodal, rng: np.random.Generator, timeout: float
) -> list[tuple[float, float]]:
    """Return by state between which voltages the circuit goes when it is let go."""
    t_stop = TIMES * longest_time(nodal)
    seen = []
    for start in draw_starts(deck, found.states, LOOKED, rng):
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
    middles = np.array([typical_voltages(deck, state)[0] for state in found.states])
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
        points=np.interp(np.linspace(0.0, len(at) - 1.0, POINTS), np.arange(len(at)), at),
    )
