"""The accuracy of a solution: the tolerance that it is asked for, and its tightening until two solutions agree."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from ..values.arrays import Array
from ..values.measures import nrmse

# The reference is asked for this part of the accuracy, so that its own error does not show in a comparison.
MARGIN = 1e-4
TIGHTEST = 1e-13
# Steps at least, level by level of the self-check, and the part of the accuracy to which two levels must agree. An
# equation without corners that nowhere moves in less than one of the steps of a coarser level begins there.
STEPS = (300, 1000, 3000, 10000)
COARSER = 100
AGREED = 0.02


def relative_tolerance(accuracy: float) -> float:
    """Return the relative tolerance of a solution of an accuracy (NRMSE)."""
    return max(accuracy * MARGIN, TIGHTEST)


def refine(
    solve: Callable[[float, float], Array], end: float, accuracy: float, levels: tuple[int, ...] = STEPS
) -> tuple[Array, float]:
    """Return the states, and what the last tightening of tolerance and step changed, as NRMSE.

    `solve(rtol, step)`: the states, with steps of at most `step`, seconds. An error estimate is blind to a corner of a
    gain curve that a step jumps over, so the tolerance alone is not trusted: step and tolerance are tightened until two
    solutions agree (self-amplifying networks may not).
    """
    rtol = relative_tolerance(accuracy)
    found = solve(rtol, end / levels[0])
    check = np.inf
    for level, steps in enumerate(levels[1:], start=1):
        previous = found
        found = solve(max(rtol / 10.0**level, TIGHTEST), end / steps)
        check = nrmse(found, previous)
        if check <= AGREED * accuracy:
            break
    return found, check
