"""Grids of times, and when what is clocked is read."""

from __future__ import annotations

import numpy as np

from .arrays import Array, is_whole
from .errors import InputError

# What is clocked moves within this part of a period, and is read this many of them before the period ends.
EDGE = 1e-6


READ = 3.0


MOST_POINTS = 100_000_000  # 0.8 GB for the times alone


def uniform_grid(t_stop: float, points: int) -> Array:
    """Return `points` uniform times from 0 to t_stop, ends included. Raises InputError for fewer than two."""
    if not is_whole(points) or points < 2:
        raise InputError(f"`points` = {points!r:.60}: must be a whole number of times, at least 2")
    if points > MOST_POINTS:
        raise InputError(f"`points` = {points!s:.20}: must be at most {MOST_POINTS}; ask for fewer")
    return np.linspace(0.0, t_stop, points)


def period_grid(period: float, t_stop: float) -> tuple[Array, Array]:
    """Return the times k T from 0 to t_stop, and when each period is read: at its end, before anything clocked moves.

    From the second one on, what is clocked holds the values that stand in the graph from k T to (k + 1) T.
    """
    steps = int(t_stop / period * (1.0 + 1e-12))
    edges = period * np.arange(steps + 1.0)
    return edges, edges + period * (1.0 - READ * EDGE)
