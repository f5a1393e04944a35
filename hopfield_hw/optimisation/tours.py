"""Tours that networks end at, and how good they are; beside them 2-opt from random tours."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from ..formats.instances.types import tour_lengths
from ..problems.travelling_salesman import TravellingSalesman, decode, hopfield_tank, scaled_distances
from ..values.arrays import Array, freeze, positive, whole
from ..values.proportion import Proportion, proportion
from ..values.report import Report

# Two lengths are one within this part: sums of the same distances in another order.
SAME = 1e-9


@dataclass(frozen=True, kw_only=True, eq=False)
class Tours(Report):
    """What starts ended at. `lengths`: (starts,), NaN where one gave no tour. `tours`: (starts, n), or -1 there."""

    lengths: Array
    tours: Any

    @property
    def valid(self) -> Proportion:
        """The part of the starts that gave a tour."""
        return proportion(int(np.count_nonzero(np.isfinite(self.lengths))), self.lengths.size)

    @property
    def best(self) -> float:
        """The least length, infinite where there is no tour."""
        return float(np.min(self.lengths, where=np.isfinite(self.lengths), initial=np.inf))

    def within(self, length: float, gap: float = 0.0) -> Proportion:
        """Return the part of the starts at most (1 + gap) times as long as `length`."""
        least = float(positive(length, "length", shape=(), unit=""))
        limit = least * (1.0 + float(freeze(gap, "gap", shape=())) + SAME)
        return proportion(int(np.count_nonzero(self.lengths <= limit)), self.lengths.size)

    def rows(self) -> list[tuple[str, str]]:
        """Return the tours as (what, value) rows."""
        rows = [("valid", str(self.valid))]
        if np.isfinite(self.best):
            rows += [("best", f"{self.best:.9g}"), ("as long as the best", str(self.within(self.best)))]
            rows.append(("mean of the valid", f"{float(np.nanmean(self.lengths)):.6g}"))
        return rows

    def figures(self) -> dict[str, Any]:
        """Return by name what JSON has of the tours."""
        return {"valid": self.valid.value, "interval": self.valid.interval, "best": self.best}


def judge(problem: TravellingSalesman, outputs: Array) -> Tours:
    """Return the tours of outputs, (starts, n, n), city by place."""
    tours = np.full(outputs.shape[:2], -1, dtype=np.int64)
    lengths = np.full(len(outputs), np.nan)
    for k, each in enumerate(outputs):
        tour = decode(each)
        if tour is not None:
            tours[k], lengths[k] = tour, problem.length(tour)
    return Tours(lengths=lengths, tours=tours)


def run_hopfield_tank(
    problem: TravellingSalesman, *, starts: int, seed: int, t_stop: float = 0.1, step: float = 1e-5, **parameters: Any
) -> Tours:
    """Return what the network of 1985 gives from random starts, by Euler's method with a step of 1e-5 tau.

    `t_stop`, `step`: in its units of time. `parameters`: of `problems.travelling_salesman.hopfield_tank`.
    """
    count = whole(starts, "starts", 1, 1_000_000)
    whole(seed, "seed", 0, 2**63 - 1)
    first = hopfield_tank(problem, seed=seed, **parameters)
    size = float(positive(step, "step", shape=(), unit=""))
    steps = max(1, round(float(positive(t_stop, "t_stop", shape=(), unit="")) / size))
    u = np.array([hopfield_tank(problem, seed=seed + k, **parameters).initial for k in range(count)])
    weights = np.asarray(first.weights) * size
    leak, bias = 1.0 - size / first.resistance, first.bias * size
    gain = 2.0 * float(np.asarray(first.gain.params()["gain"]))
    for _ in range(steps):
        u *= leak
        u += (0.5 + 0.5 * np.tanh(gain * (u / leak))) @ weights + bias
    outputs = first.gain.value(u)
    return judge(problem, outputs.reshape(count, problem.size, problem.size))


def run_valid_subspace(
    problem: TravellingSalesman,
    *,
    starts: int,
    seed: int,
    steps: int = 2000,
    ramp: tuple[float, float] = (-1.0, 1.0),
    penalty: float = 1.0,
    step: float | None = None,
    spread: float = 0.01,
) -> Tours:
    """Return what `travelling_salesman.valid_subspace` gives, stepped by its time constant, from 1/n +- spread.

    x <- P(x - step (F D F x - h F x) - penalty (x - F x - 1/n)); h goes evenly from the first to the second of `ramp`.
    """
    count, length = whole(starts, "starts", 1, 1_000_000), whole(steps, "steps", 1, 10_000_000)
    rng = np.random.default_rng(whole(seed, "seed", 0, 2**63 - 1))
    n, d = problem.size, scaled_distances(problem)
    rate = 0.5 / n if step is None else float(positive(step, "step", shape=(), unit=""))
    weight = float(positive(penalty, "penalty", shape=(), unit=""))
    low, high = freeze(ramp, "ramp", shape=(2,)).tolist()
    x = 1.0 / n + float(freeze(spread, "spread", shape=())) * rng.uniform(-1.0, 1.0, (count, n, n))
    for h in np.linspace(low, high, length, endpoint=False).tolist():
        f = _centred(x)
        slope = _centred(d @ (np.roll(f, 1, axis=2) + np.roll(f, -1, axis=2))) - h * f
        x = np.clip(x - rate * slope - weight * (x - f - 1.0 / n), 0.0, 1.0)
    return judge(problem, x)


def _centred(x: Array) -> Array:
    """Return F x: x, (starts, n, n), without the means of its rows and columns."""
    means = x.mean(axis=1, keepdims=True) + x.mean(axis=2, keepdims=True)
    centred: Array = x - means + x.mean(axis=(1, 2), keepdims=True)
    return centred


def two_opt(problem: TravellingSalesman, *, starts: int, seed: int) -> Tours:
    """Return local optima of 2-opt from random tours: edges are exchanged in pairs while a tour becomes shorter.

    G. A. Croes, Oper. Res. 6:791 (1958). What any network has to be compared with.
    """
    count = whole(starts, "starts", 1, 1_000_000)
    rng = np.random.default_rng(whole(seed, "seed", 0, 2**63 - 1))
    d, n = problem.distances, problem.size
    tours = np.array([rng.permutation(n) for _ in range(count)])
    i, j = np.triu_indices(n, 2)
    keep = ~((i == 0) & (j == n - 1))
    i, j = i[keep], j[keep]
    running = np.arange(count if i.size else 0)  # of three cities all tours are one
    while running.size:
        t = tours[running]
        after = np.roll(t, -1, axis=1)
        gain = d[t[:, i], after[:, i]] + d[t[:, j], after[:, j]] - d[t[:, i], t[:, j]] - d[after[:, i], after[:, j]]
        best = np.argmax(gain, axis=1)
        better = gain[np.arange(len(t)), best] > SAME * d.max()
        running, best = running[better], best[better]
        for row, k in zip(running.tolist(), best.tolist(), strict=True):
            tours[row, i[k] + 1 : j[k] + 1] = tours[row, i[k] + 1 : j[k] + 1][::-1].copy()
    return Tours(lengths=tour_lengths(d, tours), tours=tours)
