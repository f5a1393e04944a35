"""How much a memory holds, and from how far it recalls: curves over load and over the share of flipped bits."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..problems.learning_rules import rule_named
from ..values.arrays import Array, freeze, whole
from ..values.errors import InputError
from ..values.proportion import Proportion, proportion
from ..values.report import Report
from .asynchronous import SWEEPS, settle, whole_weights
from .dense import Dense, SoftmaxMemory

# Recalled: an overlap with the pattern of at least this. Hebb's fixed points lie up to 1.7% off their patterns.
RECALLED = 0.95
MOST_NEURONS = 10_000


@dataclass(frozen=True, kw_only=True, eq=False)
class RecallCurve(Report):
    """The part of starts from which a pattern was recalled, over `along`: "load" or "flipped".

    `points`: loads (patterns by neurons), or parts of the bits that were flipped. `recalled`: by point, with its
    interval. `overlap`: by point, the mean of xi . x / n at the end. `settled`: by point, the part that settled.
    """

    rule: str
    along: str
    n: int
    points: tuple[float, ...]
    recalled: tuple[Proportion, ...]
    overlap: tuple[float, ...]
    settled: tuple[float, ...]

    def rows(self) -> list[tuple[str, str]]:
        """Return the curve as (point, recalled and overlap) rows."""
        each = zip(self.points, self.recalled, self.overlap, strict=True)
        return [(f"{self.along} {at:.4g}", f"{part}, overlap {mean:.4f}") for at, part, mean in each]

    def figures(self) -> dict[str, Any]:
        """Return by name what JSON has of the curve."""
        return {
            "rule": self.rule,
            "n": self.n,
            self.along: self.points,
            "recalled": [part.value for part in self.recalled],
            "interval": [part.interval for part in self.recalled],
            "overlap": self.overlap,
            "settled": self.settled,
        }


def measure_capacity(
    rule: str | Callable[[Array], Array] | Dense | SoftmaxMemory,
    *,
    n: int = 400,
    loads: Iterable[float] = (0.05, 0.10, 0.138, 0.20, 0.30, 0.50),
    flipped: float = 0.1,
    sets: int = 20,
    probes: int = 50,
    overlap: float = RECALLED,
    seed: int,
    compiled: bool | None = None,
) -> RecallCurve:
    """Return how often patterns are recalled, over the load, patterns by neurons.

    For each load, `sets` sets of random patterns are learned; from each `probes` patterns, with round(flipped n) bits
    changed, settle asynchronously in random orders (Hopfield, PNAS 79:2554, 1982). One counts as recalled where
    xi . x / n is at least `overlap`. The limit for Hebb's rule in large networks is 0.138 (D. J. Amit, H. Gutfreund and
    H. Sompolinsky, Phys. Rev. Lett. 55:1530, 1985).

    `rule`: of `problems.learning_rules.RULES`, or a function from patterns to symmetric weights; `Dense` and
    `SoftmaxMemory` change all neurons at once. Sums of the others, and of `Dense`, are exact whole
    numbers, so that a seed has one answer. The intervals take the probes of a set as independent, which close to
    the limit they are not quite.

    Raises InputError for a load without a pattern, for parts out of range and for numbers that are not whole.
    """
    found = [float(one) for one in freeze(list(loads), "loads").reshape(-1)]
    return _measure(rule, "load", found, n, found, [flipped] * len(found), sets, probes, overlap, seed, compiled)


def measure_basins(
    rule: str | Callable[[Array], Array] | Dense | SoftmaxMemory,
    *,
    n: int = 400,
    load: float = 0.1,
    flipped: Iterable[float] = (0.0, 0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.35, 0.4, 0.45),
    sets: int = 20,
    probes: int = 50,
    overlap: float = RECALLED,
    seed: int,
    compiled: bool | None = None,
) -> RecallCurve:
    """Return how often patterns are recalled, over the part of their bits that is flipped, at one load.

    What is measured, and what is raised, is that of `measure_capacity`.
    """
    found = [float(one) for one in freeze(list(flipped), "flipped").reshape(-1)]
    return _measure(rule, "flipped", found, n, [load] * len(found), found, sets, probes, overlap, seed, compiled)


def _measure(
    rule: Any,
    along: str,
    points: list[float],
    n: int,
    loads: list[float],
    flips: list[float],
    sets: int,
    probes: int,
    overlap: float,
    seed: int,
    compiled: bool | None,
) -> RecallCurve:
    size = whole(n, "n", 2, MOST_NEURONS)
    draws, starts = whole(sets, "sets", 1, 1_000_000), whole(probes, "probes", 1, 1_000_000)
    counts = [_count(load, size) for load in loads]
    bits = [round(_part(part, "flipped") * size) for part in flips]
    least = _part(overlap, "overlap")
    learn = rule if isinstance(rule, Dense | SoftmaxMemory) else rule_named(rule)
    if not points:
        raise InputError(f"`{along}`: is empty; give at least one point")
    rng = np.random.default_rng(whole(seed, "seed", 0, 2**63 - 1))
    recalled, overlaps, settled = [], [], []
    for patterns, flip in zip(counts, bits, strict=True):
        found = np.concatenate([_probe(learn, rng, size, patterns, flip, starts, compiled) for _ in range(draws)])
        recalled.append(proportion(int(np.count_nonzero(found[:, 0] >= least)), len(found)))
        overlaps.append(float(found[:, 0].mean()))
        settled.append(float(found[:, 1].mean()))
    name = rule if isinstance(rule, str | Dense | SoftmaxMemory) else getattr(rule, "__name__", "own rule")
    return RecallCurve(
        rule=str(name),
        along=along,
        n=size,
        points=tuple(points),
        recalled=tuple(recalled),
        overlap=tuple(overlaps),
        settled=tuple(settled),
    )


def _probe(
    learn: Callable[[Array], Array] | Dense | SoftmaxMemory,
    rng: np.random.Generator,
    n: int,
    count: int,
    flip: int,
    starts: int,
    compiled: bool | None,
) -> Array:
    """Return the overlap at the end and whether it settled, (starts, 2), of one set of patterns."""
    patterns = rng.choice(np.array([-1.0, 1.0]), size=(count, n))
    chosen = np.arange(starts) % count
    x = patterns[chosen].copy()
    for row in x:
        row[rng.permutation(n)[:flip]] *= -1.0
    if isinstance(learn, Dense | SoftmaxMemory):
        end = learn.settle(patterns, x)
    else:
        orders = np.array([rng.permutation(n) for _ in range(SWEEPS)])
        end = settle(whole_weights(learn(patterns)), x, orders, compiled=compiled)
    return np.column_stack([np.sum(end.states * patterns[chosen], axis=1) / n, end.sweeps >= 0])


def _count(load: float, n: int) -> int:
    count = round(load * n) if np.isfinite(load) else 0
    if not 1 <= count <= MOST_NEURONS:
        raise InputError(f"`load` = {load:g}: is {count} patterns of {n} neurons; must be 1 to {MOST_NEURONS}")
    return count


def _part(value: float, name: str) -> float:
    part = float(freeze(value, name, shape=()))
    if not 0.0 <= part <= 1.0:
        raise InputError(f"`{name}` = {part:g}: must be from 0 to 1")
    return part
