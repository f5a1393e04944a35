"""Where a run must take short steps: while deviations that are too small to be seen grow by themselves.

ngspice chooses its steps by truncation errors, relative to what it computes. A deviation from a point of balance, or
from a path on which all is in balance, is none of these until it has grown; with steps h of trapezoids it then grows by
(1 + h r / 2) / (1 - h r / 2) where it should by exp(h r), which has the wrong sign for h r > 2, and so the wrong branch
is taken. So the rates r along the waveform that ngspice gave are compared with its steps, and where these are too long
the run is repeated with pauses.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np

from ..equations import Growth
from ..values.arrays import Array

# h r up to which a step counts as short.
OUTRUN = 0.5
# Times by e over which a deviation is followed: from a rounding to all of the range.
FOLDS = 40.0
# A deviation that has to grow by more than this, in folds, before it is seen (to all of the range, from 1e-12 of it) is
# no more than what roundings make of it.
CERTAIN = 28.0
REST = 1e-4  # of the range: what moves less rests
CHUNK = 2000  # points looked at together


class Zone(NamedTuple):
    """Rates of growth, 1/s, each from a time on, seconds, up to the next."""

    times: Array
    rates: Array

    def pauses(self, way: float) -> list[tuple[float, float]]:
        """Return times, each with its distance from the one before: `way` over the rate there.

        They go on until a rounding has grown to all of the range.
        """
        t, folds, found, k = float(self.times[0]), 0.0, [], 0
        while folds < FOLDS:
            while k + 1 < self.times.size and self.times[k + 1] <= t:
                k += 1
            distance = way / float(self.rates[k])
            t += distance
            folds += way
            found.append((t, distance))
        return found


def all_pauses(zones: Iterable[Zone], way: float, t_stop: float) -> tuple[float, ...]:
    """Return the pauses of all zones up to the end of a run, without those that others make needless."""
    found = sorted(pause for zone in zones for pause in zone.pauses(way))
    result = [0.0]
    for t, distance in found:
        if t < t_stop and t - result[-1] > 0.5 * distance:
            result.append(t)
    return tuple(result[1:])


def start_zone(growth: Growth, start: Array, step: float) -> list[Zone]:
    """Return the zone at the start, (n,), where steps of this length would be too long there."""
    times, states = np.zeros(1), start[np.newaxis]
    if growth.bounds(times, states)[0] * step <= OUTRUN:
        return []
    rate = growth.rates(times, states)
    return [Zone(times, rate)] if OUTRUN < rate[0] * step < np.inf else []


def outrun(growth: Growth, times: Array, states: Array) -> list[Zone]:
    """Return where the steps between increasing times were too long for what grew there; states are (P, n)."""
    steps = np.diff(times)
    parts = [slice(k, k + CHUNK) for k in range(0, steps.size, CHUNK)]
    bounds = np.concatenate([growth.bounds(times[:-1][part], states[:-1][part]) for part in parts])
    (maybe,) = np.nonzero(steps * bounds > OUTRUN)
    if not maybe.size:
        return []
    looked = maybe[np.unique(np.linspace(0.0, maybe.size - 1.0, min(growth.looks, maybe.size)).astype(np.intp))]
    rates = growth.rates(times[looked], states[looked])
    bad = (steps[looked] * rates > OUTRUN) & np.isfinite(rates)
    zones = []
    for run in np.split(np.arange(looked.size), np.flatnonzero(np.diff(bad.astype(np.intp))) + 1):
        if run.size and bad[run[0]]:
            zones.append(Zone(times[looked[run]], rates[run]))
    return zones


def uncertain(growth: Growth, zones: Iterable[Zone], times: Array, states: Array) -> Zone | None:
    """Return a zone that a run left in a direction which roundings chose: in which deviations grew from too little.

    Beside the zones, where steps had to be short, it is looked for at the start, if the state rests there at first.
    """
    for zone in (*zones, *_resting(growth, times, states)):
        inside = np.flatnonzero((times >= zone.times[0]) & (times <= zone.pauses(FOLDS)[-1][0]))
        if inside.size < 2:
            continue
        looked = inside[np.unique(np.linspace(0.0, inside.size - 1.0, min(growth.looks, inside.size)).astype(np.intp))]
        rates = growth.rates(times[looked], states[looked])
        over = np.flatnonzero(rates <= 0.0)
        last = int(over[0]) if over.size else rates.size
        if np.trapezoid(rates[:last], times[looked[:last]]) > CERTAIN:
            return zone
    return None


def _resting(growth: Growth, times: Array, states: Array) -> list[Zone]:
    """Return a zone at the start where the state does not move for half of the folds that are certain."""
    rate = growth.rates(times[:1], states[:1])
    if not 0.5 * CERTAIN < rate[0] * times[-1] < np.inf:
        return []
    early = states[times <= 0.5 * CERTAIN / rate[0]]
    moved = np.max(np.abs(early - states[0]), initial=0.0)
    return [Zone(times[:1], rate)] if moved <= REST * np.max(np.ptp(states, axis=0), initial=0.0) else []
