"""Where the states of a circuit may be, and how long they take: for its starts and its sweeps."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ..values.arrays import Array
from .devices import FlatDeck
from .nodal import Nodal, StateCapacitor

# Where states start: parts of the way between the supplies, or volts where there are none.
PART, WITHOUT_SUPPLIES = 0.1, 2.0


def typical_voltages(deck: FlatDeck, state: StateCapacitor) -> tuple[float, float]:
    """Return about where the voltage of a capacitor may be: its middle, and how far it may be from there."""
    volts = list(deck.fixed.values())
    low, high = min(volts), max(volts)
    if high - low <= 0.0:
        return 0.0, WITHOUT_SUPPLIES
    grounded = any(node in deck.fixed for node in state.nodes)
    return (0.5 * (low + high) if grounded and low >= 0.0 else 0.0), PART * (high - low)


def longest_time(nodal: Nodal) -> float:
    """Return the longest time constant that is finite, seconds."""
    found = nodal.currents[:, :-1]
    own = np.abs(np.diag(found[:, : len(nodal.states)]))
    sizes = np.where(own > 1e-12 * np.max(np.abs(found)), own, np.max(np.abs(found), axis=1))
    times = np.array([state.capacitance for state in nodal.states]) / np.maximum(sizes, 1e-30)
    return float(np.max(times))


def draw_starts(deck: FlatDeck, states: Sequence[StateCapacitor], count: int, rng: np.random.Generator) -> Array:
    scales = [typical_voltages(deck, state) for state in states]
    return np.array([[middle + reach * rng.uniform(-1.0, 1.0) for middle, reach in scales] for _ in range(count)])
