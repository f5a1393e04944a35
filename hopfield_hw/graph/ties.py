"""What counts as a tie: how far from 0 a drive of neurons that are +1 or -1 may lie and still be 0."""

from __future__ import annotations

import math
from collections.abc import Iterable
from fractions import Fraction
from functools import lru_cache

import numpy as np

from ..values.arrays import Array
from .operators import Affine

# Steps of a grid in its largest number, at most; and what rounding may move a number off it by, a part of the largest.
FINEST = 10**6
ROUNDING = 16.0 * float(np.finfo(np.float64).eps)
# So many terms have at most 2,048 sums, up to the sign of all; a sum below this part of their sizes is a rounding of 0.
FEW, ZERO = 12, 1e-12
# Of all that can drive a neuron: what a sum of numbers on no grid may be off by, and more than its rounding ever is.
PART = 1e-9


def tie_bands(affine: Affine) -> Array:
    """Return by neuron the band of its ties, (n,): a drive W x + c of states x = +1 or -1 is a tie within it.

    See `tie_band`, of the weights of a neuron and of what is added to them.
    """
    values, rows, _ = affine.weights.entries()
    ends = np.searchsorted(rows, np.arange(affine.output_size + 1))
    added = affine.constant.tolist()
    return np.array([tie_band([*values[a:b], c]) for a, b, c in zip(ends, ends[1:], added, strict=False)])


def tie_band(terms: Iterable[float], *, most: float | None = None) -> float:
    """Return the band of ties of a sum of some of these terms, each with either sign.

    It is half of the least that a sum other than 0 can be, as far as possible from both. Where the terms are whole
    multiples of a step q, to rounding, that least is taken as q; of up to 12 other terms it is looked for among all
    signs. Of more terms on no grid the band is 1e-9 of the sum of their sizes, which is above every rounding; `most`:
    that sum, where it is not that of the terms, each of which may then count or not. Of no terms it is 1/2.
    """
    sizes = np.abs(np.fromiter(terms, dtype=np.float64))
    sizes = sizes[sizes > 0.0]
    if sizes.size == 0:
        return 0.5
    least = _step(np.unique(sizes))
    if least is None and most is None and sizes.size <= FEW:
        least = _least(sizes)
    if least is not None:
        return 0.5 * least
    return PART * (float(sizes.sum()) if most is None else most)


def _least(sizes: Array) -> float:
    """Return the smallest size, other than 0, of a sum of all sizes with any signs."""
    sums = sizes[:1]
    for size in sizes[1:].tolist():
        sums = np.concatenate([sums + size, sums - size])
    found = np.abs(sums)
    return float(found[found > ZERO * sizes.sum()].min())


def _step(sizes: Array) -> float | None:
    """Return the largest number of which all sizes, increasing, are whole multiples; None where it is too fine."""
    largest = float(sizes[-1])
    if largest < 2.0**53 and bool(np.all(sizes == np.rint(sizes))):
        return float(np.gcd.reduce(sizes.astype(np.int64)))
    steps = 1
    for ratio in (sizes / largest).tolist():
        parts = _denominator(ratio)
        steps = 0 if parts is None else math.lcm(steps, parts)
        if not 0 < steps <= FINEST:
            return None
    return largest / steps


@lru_cache(maxsize=4096)
def _denominator(ratio: float) -> int | None:
    found = Fraction(ratio).limit_denominator(FINEST)
    return found.denominator if found and abs(float(found) - ratio) <= ROUNDING else None
