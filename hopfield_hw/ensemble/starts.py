"""What is read at t = 0: of nodes that a capacitor holds where they start; of all others what follows from that.

A run knows the latter from the end of its first step, which is so short that what is held has not moved.
"""

from __future__ import annotations

import numpy as np

from ..values.arrays import Array
from .equations.layout import Layout
from .state import Marks


def find_followers(layout: Layout, places: list[int]) -> Marks:
    """Return which of some nodes no capacitor holds."""
    held = np.append(layout.differential, np.zeros(layout.nodes - layout.n))
    found: Marks = held[places] == 0.0
    return found


def add_start(times: Array, first: float) -> Array:
    """Return times with the end of the first step among them, where they begin at 0."""
    return np.unique(np.append(times, first)) if times[0] == 0.0 else times


def read_start(times: Array, first: float, waves: Array, followers: Marks) -> None:
    """Write what follows from the start at t = 0, of waves (times, probes, ...) at times of `add_start`."""
    if times[0] == 0.0:
        waves[0, followers] = waves[np.searchsorted(times, first), followers]


def weigh_start(times: Array, first: float, weights: Array, followers: Marks) -> None:
    """Move weights (times, probes, ...) of what `read_start` writes to where it is read, for derivatives."""
    if times[0] == 0.0:
        weights[np.searchsorted(times, first), followers] += weights[0, followers]
        weights[0, followers] = 0.0
