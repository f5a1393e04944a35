"""Yield: how many of the boards do their task, with an exact interval, and how many samples an interval takes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

import numpy as np
import numpy.typing as npt
from scipy import special, stats

from ..values.arrays import Array, freeze, whole
from ..values.errors import InputError
from ..values.report import Report

Verdict: TypeAlias = Literal["passed", "failed", "undecided"]
MOST_TRIALS = 10**9
MOST_SAMPLES = 10**7
LEVEL = 0.95


@dataclass(frozen=True, kw_only=True, repr=False)
class Yield(Report):
    """`count` of `trials` samples did their task.

    `interval` is the exact one of C. J. Clopper and E. S. Pearson, Biometrika 26:404 (1934), as scipy.stats.binomtest
    gives it; it holds the true yield with at least the probability `level`. `undecided`: samples of which it is not
    known (no convergence, a waveform cut short): they count as failures below and as successes above.

    The number of samples must be chosen before any is seen (`samples_for`). Who looks at the count while it grows, and
    stops when it pleases, finds what he likes: say in `looks` how often it is judged at most, and each interval is of
    the level 1 - (1 - level) / looks, so that all of them hold together (Bonferroni).

    Raises InputError for no trials, and counts that do not fit.
    """

    count: int
    trials: int
    undecided: int = 0
    level: float = LEVEL
    looks: int = 1

    def __post_init__(self) -> None:
        trials = whole(self.trials, "Yield.trials", 1, MOST_TRIALS, "; nothing was tried")
        count = whole(self.count, "Yield.count", 0, trials, ", the trials")
        whole(self.undecided, "Yield.undecided", 0, trials - count, ", what is left of the trials")
        whole(self.looks, "Yield.looks", 1, 10**6)
        object.__setattr__(self, "level", check_level(self.level, "Yield.level"))

    @property
    def value(self) -> float:
        """count / trials."""
        return self.count / self.trials

    @property
    def interval(self) -> tuple[float, float]:
        """The lower and the upper end."""
        level = 1.0 - (1.0 - self.level) / self.looks
        counts = dict.fromkeys((int(self.count), int(self.count + self.undecided)))
        ends = [stats.binomtest(k, int(self.trials)).proportion_ci(level, method="exact") for k in counts]
        return float(ends[0].low), float(ends[-1].high)

    def recovered(self, before: Yield) -> float:
        """Return what part of the failures of another yield is gone; 0 where nothing failed before."""
        missing = 1.0 - before.value
        return (self.value - before.value) / missing if missing else 0.0

    def told(self) -> str:
        """Return value, interval and trials in one text."""
        low, high = self.interval
        return f"{self.value:.4f} [{low:.4f}, {high:.4f}] of {self.trials}"

    def passes(self, goal: float) -> Verdict:
        """Return "passed" where the lower end is at least the goal, "failed" where the upper end is below it.

        Between them the samples do not tell, and it is "undecided". Raises InputError for a goal not from 0 to 1.
        """
        wanted = float(freeze(goal, "goal", shape=(), unit=""))
        if not 0.0 < wanted <= 1.0:
            raise InputError(f"`goal` = {wanted:g}: must be above 0 and at most 1")
        low, high = self.interval
        return "passed" if low >= wanted else "failed" if high < wanted else "undecided"

    def rows(self) -> list[tuple[str, str]]:
        low, high = self.interval
        found = [("yield", f"{self.value:.4g}, {self.count} of {self.trials}")]
        found.append(("interval", f"{low:.4f} to {high:.4f}, exact, {self.level:.4g}"))
        if self.undecided:
            found.append(("not known", f"{self.undecided}"))
        if self.looks > 1:
            found.append(("looks", f"at most {self.looks}, the level divided among them"))
        return found

    def figures(self) -> dict[str, Any]:
        return {
            "count": self.count,
            "trials": self.trials,
            "undecided": self.undecided,
            "yield": self.value,
            "interval": self.interval,
            "level": self.level,
            "looks": self.looks,
        }


def count_yield(margins: Any, *, level: float = LEVEL, looks: int = 1) -> Yield:
    """Return the yield of margins, (samples,): above 0 is a success, NaN is one of which it is not known.

    Raises InputError for no samples.
    """
    given = np.asarray(margins, dtype=np.float64)
    if given.ndim != 1:
        raise InputError(f"`margins` has shape {given.shape}: must be (samples,)")
    unknown = int(np.isnan(given).sum())
    return Yield(count=int((given > 0.0).sum()), trials=given.size, undecided=unknown, level=level, looks=looks)


def samples_for(
    *, expected: float, width: float | None = None, goal: float | None = None, level: float = LEVEL, looks: int = 1
) -> int:
    """Return how many samples give an interval no wider than `width`, or one whose lower end reaches `goal`.

    `expected`: the yield that is expected; the count is taken as the whole number at most expected x n (of a width, the
    nearest). The number is the least from which on all numbers up to twice as many do, as the exact interval moves in
    steps. With a yield exactly as expected a goal is then reached about half of the time: expect a little less.

    Raises InputError where both or neither are given, for a goal that is not below what is expected, and where more
    than 10^7 samples would be needed.
    """
    if (width is None) == (goal is None):
        raise InputError("`samples_for`: give one of `width` and `goal`")
    yielded = float(freeze(expected, "expected", shape=(), unit=""))
    if not 0.0 <= yielded <= 1.0:
        raise InputError(f"`expected` = {yielded:g}: must be from 0 to 1")
    alpha = (1.0 - check_level(level, "level")) / whole(looks, "looks", 1, 10**6)
    if width is not None:
        widest = float(freeze(width, "width", shape=(), unit=""))
        if not 0.0 < widest < 1.0:
            raise InputError(f"`width` = {widest:g}: must be above 0 and below 1")
        return _least(lambda n: _width(np.rint(yielded * n), n, alpha) <= widest, f"a width of {widest:g}")
    wanted = float(freeze(goal, "goal", shape=(), unit=""))
    if not 0.0 < wanted < yielded:
        raise InputError(f"`goal` = {wanted:g}: must be above 0 and below what is expected, {yielded:g}")
    return _least(
        lambda n: _lower(np.floor(yielded * n + 1e-9), n, alpha) >= wanted, f"{wanted:g} with {yielded:g} expected"
    )


def check_level(level: Any, name: str) -> float:
    """Return a level of confidence. Raises InputError for one that is not between 0 and 1."""
    found = float(freeze(level, name, shape=(), unit=""))
    if not 0.0 < found < 1.0:
        raise InputError(f"`{name}` = {found:g}: must be above 0 and below 1, such as 0.95")
    return found


def _lower(count: Array, trials: Array, alpha: float) -> Array:
    """Return the exact lower end: the alpha / 2 quantile of Beta(k, n - k + 1), 0 for k = 0."""
    return np.where(count > 0, special.betaincinv(np.maximum(count, 1e-9), trials - count + 1.0, alpha / 2.0), 0.0)


def _width(count: Array, trials: Array, alpha: float) -> Array:
    return np.asarray(1.0 - _lower(trials - count, trials, alpha) - _lower(count, trials, alpha))


def _least(is_enough: Callable[[Array], npt.NDArray[np.bool_]], what: str) -> int:
    most = 64
    while most <= 2 * MOST_SAMPLES:
        # Of a long range every k-th is looked at first, then all from the last that fails.
        step = max(1, most // 4096)
        coarse = np.arange(1, most + 1, step, dtype=np.float64)
        failing = coarse[~is_enough(coarse)]
        last = float(failing[-1]) if failing.size else 0.0
        if last <= most / 2.0 - step:
            fine = np.arange(max(last, 1.0), min(last + 256.0 * step, most) + 1.0)
            bad = fine[~is_enough(fine)]
            return int(bad[-1]) + 1 if bad.size else 1
        most *= 2
    raise InputError(f"`samples_for`: {what} would need more than {MOST_SAMPLES:,} samples; ask for less")
