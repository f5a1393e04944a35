"""What the spread of parts does to the values of a network, and whether it explains what differs.

Parts are off by chance, log p_k = log p_k0 + e_k with e_k of standard deviation s. What differs is then normal with

    Sigma = s^2 J J^T + rounding^2,    J = d residual / d log p,

so that a resistor that enters several values, or a capacitor common to a row, is no fault: chi-square is
r^T Sigma^-1 r. Where parts are spread evenly within a tolerance, s = tolerance / sqrt(3).
"""

from __future__ import annotations

import math
from functools import cached_property

import numpy as np
from scipy.linalg import cholesky, solve_triangular
from scipy.stats import chi2

from ..values.arrays import Array
from .comparison import Reading
from .parts import Parts, Places

# Of exact decks: what differs by less is rounding.
ROUNDING = 1e-7
# What the second order of a spread moves values by, in squares of the tolerance.
SECOND = 3.0
# In a deck with a fault a value may move by much more than its parts do; in a good one by at most so many of them.
MOST_PARTS = 4.0
# A good deck has a larger chi-square, or a single part that explains so much of it, in this part of cases.
ALARM = 1e-3
# What one part alone explains of chi-square by chance, at most.
BY_CHANCE = 12.5


class Spread:
    """What parts within a tolerance do to the values of a deck that was read."""

    def __init__(self, reading: Reading, tolerance: float) -> None:
        self.reading, self.parts = reading, Parts(reading)
        self.sigma = tolerance / math.sqrt(3.0)
        # What is compared in parts of less than itself counts by its own size.
        wide = np.maximum(reading.frame.parts_of_scale, 1.0)
        self.rounding = wide * max(ROUNDING / 3.0, min(SECOND * tolerance**2, self.sigma))
        jacobian = self.parts.jacobian
        most = MOST_PARTS * wide
        sizes = np.linalg.norm(jacobian, axis=1)
        self.jacobian = jacobian * np.minimum(1.0, most / np.maximum(sizes, most))[:, np.newaxis]
        self.tolerance = tolerance

    @cached_property
    def limits(self) -> Array:
        """By how much values may be off where every part is within the tolerance, (values,)."""
        bound = self.tolerance * np.sum(np.abs(self.jacobian), axis=1)
        return np.asarray(np.maximum(bound * (1.0 + bound), max(self.tolerance, ROUNDING)))

    @cached_property
    def beyond(self) -> float:
        """The squares of what differs by more than parts within the tolerance can do."""
        off = trim(self.reading.residual, self.limits)
        return float(off @ off)

    @cached_property
    def each(self) -> Array:
        """Standard deviations of values taken each for itself, (values,): at least that of one part where one is."""
        intended = self.reading.frame.parts_of_scale
        own = np.sum(self.jacobian**2, axis=1) + intended**2
        return np.asarray(np.sqrt(self.rounding**2 + self.sigma**2 * own))

    @cached_property
    def _factor(self) -> tuple[Places, Array]:
        """The values that any part moves, and the lower factor of their covariance."""
        moves = np.flatnonzero(np.any(self.jacobian != 0.0, axis=1))
        some = self.jacobian[moves]
        covariance = self.sigma**2 * (some @ some.T)
        covariance[np.diag_indices(len(moves))] += self.rounding[moves] ** 2
        return moves, cholesky(covariance, lower=True)

    def whiten(self, columns: Array) -> Array:
        """Return columns of differences, (values, ...), in units in which chance makes each 1, independently."""
        moves, lower = self._factor
        found = (columns.T / self.rounding).T
        found[moves] = solve_triangular(lower, columns[moves], lower=True)
        return found

    @cached_property
    def moved(self) -> Array:
        """By how much a part's value, in parts of itself, moves what differs, in units of chance: (values, parts)."""
        return self.whiten(self.jacobian)

    @cached_property
    def off(self) -> Array:
        """What differs, in units of chance, (values,)."""
        return self.whiten(self.reading.residual)

    @property
    def chi(self) -> float:
        """Chi-square of what differs."""
        return float(self.off @ self.off)

    @property
    def explains(self) -> bool:
        """Whether what differs is what the spread does: chi-square as a whole, and for each part alone."""
        free = self.sigma**2 * float(np.sum(self.moved**2))
        if self.chi > float(chi2.isf(ALARM, max(free, 1.0))):
            return False
        sizes = np.sum(self.moved**2, axis=0)
        gains = np.where(sizes > 0.0, (self.off @ self.moved) ** 2 / np.where(sizes > 0.0, sizes, 1.0), 0.0)
        return bool(np.max(gains, initial=0.0) <= BY_CHANCE)


def trim(residual: Array, limits: Array | float) -> Array:
    """Return a residual without what is within limits."""
    return np.where(np.abs(residual) > limits, residual, 0.0)
