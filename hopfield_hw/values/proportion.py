"""A proportion that was counted, with its confidence interval."""

from __future__ import annotations

import math
from dataclasses import dataclass

from .arrays import whole
from .errors import InputError

NORMAL_95 = 1.959963984540054  # the two-sided 95% point of the normal distribution
MOST = 2**53


@dataclass(frozen=True)
class Proportion:
    """`count` of `trials`, with the 95% interval of E. B. Wilson, J. Am. Stat. Assoc. 22:209 (1927).

    With p = count / trials and z = 1.96: (p + z^2 / 2n -+ z sqrt(p (1 - p) / n + z^2 / 4n^2)) / (1 + z^2 / n).
    """

    count: int
    trials: int

    @property
    def value(self) -> float:
        """The proportion itself, count / trials."""
        return self.count / self.trials

    @property
    def interval(self) -> tuple[float, float]:
        """The lower and the upper end of the interval; they are 0 and 1 where none and all were counted."""
        p, n, z = self.value, self.trials, NORMAL_95
        middle = p + z * z / (2.0 * n)
        half = z * math.sqrt(p * (1.0 - p) / n + z * z / (4.0 * n * n))
        scale = 1.0 + z * z / n
        low = 0.0 if self.count == 0 else (middle - half) / scale
        high = 1.0 if self.count == n else (middle + half) / scale
        return low, high

    def __str__(self) -> str:
        low, high = self.interval
        return f"{self.value:.3g} [{low:.3g}, {high:.3g}] of {self.trials}"


def proportion(count: int, trials: int) -> Proportion:
    """Return a proportion. Raises InputError for no trials, and for a count that is not from 0 to the trials."""
    total = whole(trials, "trials", 1, MOST, "; nothing was counted")
    found = Proportion(whole(count, "count", 0, MOST), total)
    if found.count > total:
        raise InputError(f"`count` = {found.count}: must be at most the trials, {total}")
    return found
