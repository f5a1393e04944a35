"""Points of balance: voltages at which the currents into every node add up to nothing and none moves a charge.

    G v + i(v) = 0

for each sample, by Newton's method from a guess. Where that does not converge, the circuit is followed in time from the
guess by implicit steps that grow as it comes to rest, until only the balance is left. For a circuit that never rests, a
conductance from each node to ground is taken away in steps from 0 V, and then steps in time are as long as their
equations can be solved, which damps what grows too (pseudo-transient continuation: C. T. Kelley and D. E. Keyes, SIAM
J. Numer. Anal. 35:508, 1998).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from ...values.arrays import Array
from .stamps import Samples, Stamps

ITERATIONS = 60
# Newton's last step: parts of a voltage, volts; where it stays larger by rounding, it may be ROUGH times that.
CLOSE, NOTHING, ROUGH = 1e-10, 1e-10, 1e4
REACH, WIDER = 10.0, 1.5  # V: how far a voltage moves in the first iteration, and how much farther in each next one
HELD = 1e3  # S: what holds a voltage that is known
SMALL = 1e-12  # F, from each node to ground, while the circuit is followed in time
FIRST_STEP, LEAST_STEP, LAST_STEP, MOST_STEPS = 1e-12, 1e-18, 1e6, 1000  # seconds
# Of a step in time, volts and parts of a voltage: its second iteration, and how far it is from the line of the last.
BENT, TURNED = 0.02, 0.1
# S, from each node to ground: at first, and below which the next one is none; by how much it is divided at most, and by
# how little where it gets nowhere.
MOST, LEAST, QUICK, SLOW, MOST_RELEASES = 1.0, 1e-14, 10.0, 1.02, 200
SINGULAR = 1e15  # of what a matrix with rows of size 1 makes of a vector of size 1 when it is inverted
ANYWHERE = 0.1  # V
NAMED = 4
NOT_FOUND = (
    "no balance is found: by Newton's method from the guess, by growing steps in time, nor with conductances to ground "
    "that are taken away; give a guess near one"
)


class Balances(NamedTuple):
    """Voltages of all nodes, (nodes, samples), NaN where none are found, and why by sample."""

    voltages: Array
    failures: dict[int, str]


def find_balances(stamps: Stamps, guess: Array, known: npt.NDArray[np.bool_]) -> Balances:
    """Return a balance of each sample, from voltages of the unknowns, (unknowns, samples).

    Where only some of them are `known`, (unknowns,), these are held at first, and the others follow them.
    """
    if 0 < np.count_nonzero(known) < known.size:
        guess = _hold(stamps, guess, known)
    found = np.full(guess.shape, np.nan)
    left = np.arange(guess.shape[1])
    for search in (_iterate, _follow, _release, _hurry, _hurry_from_nothing):
        if left.size:
            reached = search(stamps, guess[:, left], left)
            found[:, left] = reached
            left = left[~np.all(np.isfinite(reached), axis=0)]
    there = np.setdiff1d(np.arange(guess.shape[1]), left)
    failures = dict.fromkeys(left.tolist(), NOT_FOUND)
    # A matrix that is singular at some voltages that mean nothing is so at all, and not for saturation alone.
    anywhere = guess + ANYWHERE * np.cos(np.arange(len(guess)))[:, np.newaxis]
    for samples, at in ((there, found[:, there]), (left, anywhere[:, left])):
        for sample, nodes in _find_undetermined(stamps, at, samples).items():
            failures[sample] = f"at its balance nothing determines the voltage of node {', '.join(nodes)}"
            found[:, sample] = np.nan
    return Balances(stamps.voltages(found), dict(sorted(failures.items())))


def _hold(stamps: Stamps, guess: Array, known: npt.NDArray[np.bool_]) -> Array:
    """Return what the unknowns are while known voltages are held; the guess where that is not found."""
    n = stamps.system.unknowns
    columns = np.minimum(stamps.columns, n - 1)
    strong = HELD * stamps.grounded * (known[columns] & (stamps.columns < n))
    held = np.tile(strong[:, np.newaxis], guess.shape[1])
    found = _iterate(stamps, guess, np.arange(guess.shape[1]), held, guess)
    return np.where(np.all(np.isfinite(found), axis=0), found, guess)


def _iterate(
    stamps: Stamps, guess: Array, samples: Samples, held: Array | None = None, anchor: Array | None = None
) -> Array:
    """Return what Newton's method reaches, (unknowns, samples), NaN where it does not converge.

    `held`: conductances, (entries, samples), from voltages that are fixed, `anchor`, (unknowns, samples).
    """
    u, found = guess.copy(), np.full(guess.shape, np.nan)
    active = np.arange(len(samples))
    before = np.full(len(samples), np.inf)
    reach = REACH
    for _ in range(ITERATIONS):
        v = stamps.voltages(u[:, active])
        at = stamps.at(v, samples[active])
        left, matrix = at.residual, at.conductances
        if held is not None and anchor is not None:
            v[: len(u)] -= anchor[:, active]
            v[len(u) :] = 0.0
            left, matrix = left + stamps.multiply(held[:, active], v), matrix + held[:, active]
        move = np.clip(stamps.solve(matrix, -left), -reach, reach)
        reach *= WIDER
        u[:, active] += move
        size = np.max(np.abs(move) / (NOTHING + CLOSE * np.abs(u[:, active])), axis=0, initial=0.0)
        done = (size <= 1.0) | ((size <= ROUGH) & (size >= 0.5 * before[active]))
        found[:, active[done]] = u[:, active[done]]
        before[active] = size
        active = active[~done & np.isfinite(size)]
        if not active.size:
            break
    return found


def _follow(stamps: Stamps, guess: Array, samples: Samples, turned: float = TURNED) -> Array:
    """Return where the circuit comes to rest in time, NaN where it does not."""
    small = SMALL * stamps.grounded[:, np.newaxis]
    held = (stamps.at(stamps.voltages(guess), samples).capacitances + small) / FIRST_STEP
    begun = _iterate(stamps, guess, samples, held, guess)
    u, speed = np.where(np.isfinite(begun), begun, guess), np.zeros_like(guess)
    h = np.full(len(samples), FIRST_STEP)
    active = np.arange(len(samples))
    for step in range(MOST_STEPS):
        v = stamps.voltages(u[:, active])
        at = stamps.at(v, samples[active])
        rates = (at.capacitances + small) / h[active]
        matrix = at.conductances + rates
        first = stamps.solve(matrix, -at.residual)
        moved = np.concatenate([first, np.zeros((len(v) - len(first), len(active)))])
        left = stamps.at(v + moved, samples[active]).residual + stamps.multiply(rates, moved)
        second = stamps.solve(matrix, -left)
        move = first + second
        turn = np.abs(move - h[active] * speed[:, active]) if step else np.zeros_like(move)
        coarse = np.maximum(np.abs(second) / BENT, turn / turned) / (1.0 + np.abs(u[:, active]))
        error = np.max(coarse, axis=0, initial=0.0)
        good = error <= 1.0
        speed[:, active[good]] = (move / h[active])[:, good]
        u[:, active[good]] += move[:, good]
        h[active] *= np.where(good, np.where(error < 0.25, 4.0, 1.5), 0.125)
        active = active[(h[active] < LAST_STEP) & (h[active] > LEAST_STEP)]
        if not active.size:
            break
    found = np.full(guess.shape, np.nan)
    at_rest = np.flatnonzero(h >= LAST_STEP)
    if at_rest.size:
        found[:, at_rest] = _iterate(stamps, u[:, at_rest], samples[at_rest])
    return found


def _release(stamps: Stamps, guess: Array, samples: Samples) -> Array:
    """Return what is reached from 0 V as conductances to ground are taken away, NaN where that gets stuck."""
    u, found = np.zeros_like(guess), np.full(guess.shape, np.nan)
    g = np.full(len(samples), MOST)
    ratio = np.full(len(samples), QUICK)
    active = np.arange(len(samples))
    for _ in range(MOST_RELEASES):
        tried = np.where(g[active] > LEAST, g[active] / ratio[active], 0.0)
        held = tried * stamps.grounded[:, np.newaxis]
        reached = _iterate(stamps, u[:, active], samples[active], held, np.zeros((len(u), len(active))))
        good = np.all(np.isfinite(reached), axis=0)
        u[:, active[good]], g[active[good]] = reached[:, good], tried[good]
        done = good & (tried == 0.0)
        found[:, active[done]] = reached[:, done]
        ratio[active] = np.where(good, np.minimum(ratio[active] ** 1.5, QUICK), np.sqrt(ratio[active]))
        active = active[~done & (ratio[active] > SLOW)]
        if not active.size:
            break
    return found


def _hurry(stamps: Stamps, guess: Array, samples: Samples) -> Array:
    """Return what is reached in steps of time that follow no trajectory."""
    return _follow(stamps, guess, samples, turned=np.inf)


def _hurry_from_nothing(stamps: Stamps, guess: Array, samples: Samples) -> Array:
    return _hurry(stamps, np.zeros_like(guess), samples)


def _find_undetermined(stamps: Stamps, u: Array, samples: Samples) -> dict[int, list[str]]:
    """Return by sample the nodes that may have any voltage, where the matrix of conductances is singular."""
    if not samples.size:
        return {}
    values = stamps.at(stamps.voltages(u), samples).conductances
    n = stamps.system.unknowns
    sizes = stamps.row_sizes(values)
    size = np.max(np.abs(stamps.solve(values, sizes * np.cos(np.arange(1.0, n + 1.0))[:, np.newaxis])), axis=0)
    found = {}
    for k in np.flatnonzero(~(size < SINGULAR)).tolist():
        scaled = stamps.dense(values[:, [k]])[0] / np.maximum(sizes[:, [k]], np.finfo(float).tiny)
        found[int(samples[k])] = _name_free(stamps.system.nodes, scaled)
    return found


def _name_free(nodes: tuple[str, ...], matrix: npt.NDArray[np.float64]) -> list[str]:
    """Return the first nodes that move most in the direction that a singular matrix does not see."""
    if not np.all(np.isfinite(matrix)):
        return ["(not finite)"]
    free = np.abs(np.linalg.svd(matrix)[2][-1])
    return [nodes[k] for k in np.flatnonzero(free > 0.5 * np.max(free))[:NAMED].tolist()]
