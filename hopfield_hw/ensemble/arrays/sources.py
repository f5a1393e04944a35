"""The voltages of sources at times of each lane's own."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from ..equations.layout import Layout
from .library import Library


class Sources(NamedTuple):
    """`constant`: volts of sources, and 0 of ground, (sources + 1, 1, 1). `moving`: of others, times and volts.

    `ends`: when waveforms have corners, and the end.
    """

    constant: Any
    moving: list[tuple[int, Any, Any]]
    ends: Any


def plan_sources(library: Library, g: Layout, t_stop: float) -> Sources:
    """Return the sources of a layout, for a run of so many seconds."""
    first, count = g.wave_starts[:-1], np.diff(g.wave_starts)
    moving = []
    for k in np.flatnonzero(count > 1).tolist():
        own = slice(g.wave_starts[k], g.wave_starts[k + 1])
        moving.append((k, library.give(g.wave_times[own]), library.give(g.wave_volts[own])))
    constant = np.append(g.wave_volts[first], 0.0).reshape(-1, 1, 1)
    return Sources(library.give(constant), moving, library.give(np.append(g.breaks, t_stop)))


def give_sources(library: Library, sources: Sources, t: Any) -> Any:
    """Return the voltages of sources at times t, (blocks, LANES), and 0 of ground, (sources + 1, blocks, LANES)."""
    xp = library.xp
    volts = sources.constant + library.zeros(1, *t.shape)
    for k, times, its in sources.moving:
        low = xp.searchsorted(times, xp.reshape(t, (-1,)), side="right") - 1
        low = xp.reshape(xp.clip(low, 0, times.shape[0] - 2), t.shape)
        part = xp.clip((t - times[low]) / (times[low + 1] - times[low]), 0.0, 1.0)
        volts[k] = its[low] + part * (its[low + 1] - its[low])
    return volts
