"""What a method for limit cycles gives, and the round that a simulated solution goes."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from scipy.optimize import brentq

from ..values.arrays import Array
from ..values.errors import AccuracyError
from .characteristic import Complexes

POINTS = 401
LOOKS = 4001
PARTS = 4  # of each step of a solver
RETURNS = 12  # crossings of the section that a simulated start gives
STILL = 1e-3  # of the size: a state that moves less, squared, has settled
DECAYED = 0.3  # so much less in the second half of a run than in the first
TRIVIAL = 1e-5
RESOLVED = 1e-5  # of what a state reaches: a cycle that is smaller is not told from an equilibrium
ONCE = 1e-5  # of the size: a solution that differs less after a part of its period has gone round more than once
PRIMES = tuple(k for k in range(2, 200) if all(k % m for m in range(2, k)))


class Closed(NamedTuple):
    """A closed solution: `period`, seconds; `states` (p, n) at uniform times of one period; all `multipliers` that are
    computed; `gap`, by how much it does not close, as a part of its size; `change`, of the multipliers, where a second
    computation tells it; whether the multipliers are `complete`.
    """

    period: float
    states: Array
    multipliers: Complexes
    gap: float
    change: float = 0.0
    complete: bool = True


def last_round(
    state: Callable[[Array], Array],
    past: Array,
    start: float,
    end: float,
    reach: float,
    noise: float = 1e-6,
    steps: Array | None = None,
) -> tuple[float, float]:
    """Return when a solution last went round, and for how long: its returns to a plane across it, from start to end.

    `state`: times -> (P, n). `past`: before a return, the times whose states tell two of them apart, seconds.
    `noise`: of the solution, as a part of its `reach`, volts. `steps`: the times of the solver's steps, seconds, as the
    fastest motion may be much shorter than the time from start to end.

    Raises AccuracyError where the solution settles, or does not return.
    """
    at = np.linspace(start, end, LOOKS)
    if steps is not None:
        inside = np.concatenate([[start], steps[(steps > start) & (steps < end)], [end]])
        parts = inside[:-1, np.newaxis] + np.diff(inside)[:, np.newaxis] * (np.arange(PARTS) / PARTS)
        at = np.union1d(at, parts.ravel())
    path = state(at)
    half = int(np.searchsorted(at, 0.5 * (start + end)))
    # The plane is through the middle of what the state that moves most goes through.
    moved = np.ptp(path[half:], axis=0)
    before = float(np.max(np.ptp(path[:half], axis=0)))
    if float(np.max(moved)) <= max(max(STILL * STILL, noise) * reach, DECAYED * before):
        raise AccuracyError("find_cycle: the solution settles; start elsewhere, or run for a longer `transient`")
    k = int(np.argmax(moved))
    level = float(np.mean([path[half:, k].min(), path[half:, k].max()]))
    above = path[:, k] > level
    crossings = np.flatnonzero(~above[:-1] & above[1:])[-RETURNS:]
    if len(crossings) < 3:
        raise AccuracyError("find_cycle: the solution does not come back often enough; run a longer `transient`")
    times = [
        brentq(lambda t: float(state(np.array([t]))[0, k]) - level, at[m], at[m + 1], xtol=1e-12 * (end - start))
        for m in crossings
    ]
    seen = np.array([state(t - past).ravel() for t in times])
    # A cycle may cross the plane several times a round: the round is the one after which it is nearest again.
    gaps = [float(np.max(np.abs(seen[-1] - seen[-1 - m]))) for m in range(1, len(times))]
    near = next(m for m, gap in enumerate(gaps, start=1) if gap <= 2.0 * min(gaps) + noise * reach)
    return times[-1], float(times[-1] - times[-1 - near])


def rounds(state: Callable[[Array], Array]) -> int:
    """Return how often a closed solution goes round, by primes up to 199.

    `state`: times from 0 to 1, in parts of what was taken for the period, -> (P, n).
    """
    at = np.linspace(0.0, 1.0, LOOKS)
    path, found = state(at), 1
    alike = ONCE * float(np.max(np.ptp(path, axis=0)))
    for prime in PRIMES:
        while float(np.max(np.abs(state((at + 1.0 / (found * prime)) % 1.0) - path))) <= alike:
            found *= prime
            if found >= LOOKS:
                return 1
    return found


def sort_multipliers(values: Complexes) -> Complexes:
    """Return the trivial multiplier, the one nearest 1, and then the others, the largest first."""
    trivial = int(np.argmin(np.abs(values - 1.0)))
    others = np.delete(values, trivial)
    return np.append(values[trivial], others[np.lexsort((-others.imag, -np.abs(others)))])


def apart(some: Complexes, among: Complexes) -> float:
    """Return how far some multipliers are from the nearest ones of others, those above 1 as parts."""
    nearest = np.min(np.abs(some[:, np.newaxis] - among), axis=1)
    return float(np.max(nearest / np.maximum(np.abs(some), 1.0)))


def refuse_equilibrium(states: Array, reaches: Array) -> float:
    """Return how far a closed solution goes. Raises AccuracyError where it stands still.

    Near an equilibrium at a Hopf point all small circles seem to close: what tells a size is of third order, a part
    (size/reach)^2 of the motion, which the relative error of the solution, 1e-11, hides below 3e-6 of the reach.
    `reaches`: (n,), the size of each state in the network, volts.
    """
    moved = np.ptp(states, axis=0)
    extent = float(np.max(moved))
    size = float(np.max(np.abs(states)))
    if bool(np.all(moved <= RESOLVED * reaches)) or extent <= STILL * STILL * size:
        raise AccuracyError("find_cycle: what was found is an equilibrium; start nearer to the cycle")
    return extent
