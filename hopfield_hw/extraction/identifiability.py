"""What recordings can tell of a network, and what they cannot: said in words, the latter first."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..values.arrays import Array
from ..values.proportion import NORMAL_95
from .recordings import Noise, Recording

KNOWN = 0.1  # the half of an interval, by the largest weight, up to which a weight counts as known
TRUSTED = 0.5  # the half of an interval, by the weight itself, of weights that the largest is taken from
EXPLAINED = 1.5  # chi-square per degree of freedom up to which the model describes the samples
APART = 0.05  # of a channel's range: starts that are different
MOVES = 5.0  # standard deviations of noise that a state must move by, and starts must be apart
SLOPE, SATURATED = 0.1, 4.0  # a relative standard error of a slope that scales a column; b |x| / a of a curve's ends
VAGUE = 0.2  # a relative standard error of a slope
LINEAR, FLAT = 0.5, 1.5  # b |x| / a: up to it a curve is a straight line within 8%; from it on it is flat within 0.2
FEW = 10  # samples on the steep part of a curve
ILL = 1e10  # condition


@dataclass(frozen=True, kw_only=True, eq=False)
class Known:
    """What a fit found, named as in WaveformFit; `leak`: 1 / R, (n,); `slope_errors`: relative; `drive`: b / a, (n,).

    `pieces`: that each recording had to be cut into. `ended`: whether the search did.
    """

    weights: Array
    weight_errors: Array
    leak: Array
    slope_errors: Array
    drive: Array
    chi_square: float
    condition: float
    ended: bool
    pieces: int


@dataclass(frozen=True, kw_only=True, eq=False)
class Judgement:
    """`identified`: (n, n), which weights are known. `certain`: whether anything is. `notes`: in their order."""

    identified: Any
    certain: bool
    notes: tuple[str, ...]


def judge(recordings: Sequence[Recording], noise: Sequence[Noise], known: Known) -> Judgement:
    """Return which weights are known, and notes.

    A weight is known where half its 95% interval is at most a tenth of the largest weight that is itself trusted, its
    curve's slope is known or does not matter as the curve is driven to its ends, the starts are several, the model
    explains the samples, the search ended, and both its neurons' states move.
    """
    still = find_still(recordings, noise)
    starts = count_starts(recordings, noise)
    certain = starts > 1 and known.chi_square <= EXPLAINED and known.ended
    half = NORMAL_95 * known.weight_errors
    size = np.abs(known.weights)
    reach = np.max([np.abs(one.states).max(axis=0) for one in recordings], axis=0) * known.drive
    scaled = (known.slope_errors <= SLOPE) | (reach >= SATURATED)
    trusted = size[(half <= TRUSTED * size) & scaled]
    identified = half <= KNOWN * trusted.max() if trusted.size else np.zeros_like(half, dtype=bool)
    identified &= ~(still[:, None] | still[None, :]) & scaled & certain
    identified.flags.writeable = False
    notes = (
        *_doubts(recordings, known, starts),
        *(
            f"state {i} does not move: nothing can be told of row {i} and column {i} of the weights"
            for i in np.flatnonzero(still)
        ),
        *_curves(recordings, known, still),
        *_unknown(identified, known, certain, still),
        *_told(identified, half, trusted),
    )
    return Judgement(identified=identified, certain=bool(certain), notes=notes)


def count_starts(recordings: Sequence[Recording], noise: Sequence[Noise]) -> int:
    """Return how many recordings begin at different states: apart by 5% of a channel's range, and by its noise."""
    reach = np.ptp(np.concatenate([one.states for one in recordings]), axis=0)
    kept: list[tuple[Array, Array]] = []
    for one, noisy in zip(recordings, noise, strict=True):
        start, least = one.states[0], np.maximum(APART * reach, MOVES * _deviation(noisy))
        if all((np.abs(start - other) > np.maximum(least, limit)).any() for other, limit in kept):
            kept.append((start, least))
    return len(kept)


def _deviation(noise: Noise) -> Array:
    return np.sqrt(noise.fresh + noise.lasting)


def find_still(recordings: Sequence[Recording], noise: Sequence[Noise]) -> Any:
    """Return which states stay where they are in all recordings, and at one place, (n,): by means of 20 samples."""
    means: list[Array] = []
    limits: list[Array] = []
    for one, noisy in zip(recordings, noise, strict=True):
        parts = np.array_split(one.states, 20)
        means.extend(part.mean(axis=0) for part in parts)
        least = min(len(part) for part in parts)
        limits.append(np.sqrt(noisy.fresh / least + noisy.lasting))
    return np.ptp(np.array(means), axis=0) <= MOVES * np.max(limits, axis=0)


def _doubts(recordings: Sequence[Recording], known: Known, starts: int) -> Iterator[str]:
    if starts == 1:
        several = "" if len(recordings) == 1 else f" ({len(recordings)} recordings begin at the same states)"
        yield (
            f"one transient{several} is not enough: other networks fit it as well, and its intervals would lie; "
            "nothing is claimed. Record transients from several different starts, at least as many as there are neurons"
        )
    if known.chi_square > EXPLAINED:
        yield (
            f"the model does not explain the samples (chi-square {known.chi_square:.3g} per degree of freedom, must be "
            f"at most {EXPLAINED:g}): nothing is claimed. Other curves, delays, inputs that change, clipped samples "
            "and a wrong order of channels do this"
        )
    if not known.ended:
        yield "the search did not end: nothing is claimed. Record more starts, or shorter transients"
    if known.pieces > 1 and known.chi_square <= EXPLAINED:
        yield (
            f"the network amplifies errors: each recording was fitted in {known.pieces} pieces, each with a start of "
            "its own, which tells less"
        )
    if known.condition > ILL:
        yield (
            f"the parameters are hardly told apart: condition {known.condition:.1e}, must be at most {ILL:.0e}; "
            "some combinations of them are unknown"
        )


def _curves(recordings: Sequence[Recording], known: Known, still: Any) -> Iterator[str]:
    for j in np.flatnonzero(~still):
        if known.slope_errors[j] <= VAGUE:
            continue
        drive = np.concatenate([np.abs(one.states[:, j]) for one in recordings]) * known.drive[j]
        steep = int((drive < FLAT).sum())
        if drive.max() <= LINEAR:
            yield (
                f"curve {j} is driven where it is straight as far as the samples tell (b |x| / a up to "
                f"{drive.max():.2g}): its slope and column {j} of the weights trade off, and only T[:, j] b_j is told. "
                "Start from larger states"
            )
        elif steep <= FEW:
            yield (
                f"curve {j} is saturated in all but {steep} of {drive.size} samples: its slope is not told, and column "
                f"{j} of the weights only by its sign's changes. Start nearer to 0 V"
            )
        else:
            told = f"known to {known.slope_errors[j]:.0%} only" if known.slope_errors[j] < 1.0 else "not told"
            yield (
                f"the slope of curve {j} is {told}, and column {j} of the weights "
                "trades off with it. Record more starts in which its state crosses 0 V and goes to both ends"
            )


def _unknown(identified: Any, known: Known, certain: bool, still: Any) -> Iterator[str]:
    missing = [(int(i), int(j)) for i, j in np.argwhere(~identified) if not (still[i] or still[j])]
    if certain and missing:
        listed = ", ".join(f"[{i}, {j}]" for i, j in missing[:8]) + (", ..." if len(missing) > 8 else "")
        yield f"{len(missing)} of {identified.size} weights are not known to {KNOWN:.0%} of the largest: {listed}"
    for i in np.flatnonzero(known.leak <= 0.0):
        yield f"no leak of neuron {i} is found: its resistance is infinite as far as the samples tell"


def _told(identified: Any, half: Array, trusted: Array) -> Iterator[str]:
    if identified.any():
        worst = float(half[identified].max() / trusted.max())
        yield (
            f"{int(identified.sum())} of {identified.size} weights are known, the worst within {100.0 * worst:.2g}% of "
            "the largest (95% interval)"
        )
