"""Chaotic annealing of tours: neurons with a negative self-feedback that fades (Chen and Aihara 1995)."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..problems.travelling_salesman import TravellingSalesman
from ..values.arrays import Array, freeze, whole
from ..values.brief import Brief
from ..values.compiled import load_compiled
from ..values.errors import InputError
from .exponential import logistic
from .tours import Tours, judge

BLOCK = 32  # starts that are run together, so that they stay in the cache
SEGMENT = 64  # sweeps whose noise is drawn at once
MOST_STARTS = 1_000_000


@dataclass(frozen=True, kw_only=True)
class Schedule(Brief):
    """Parameters of chaotic annealing (L. Chen and K. Aihara, Neural Networks 8:915, 1995).

    y_ij <- k y_ij + alpha (-w1 (sum_(m != j) x_im + sum_(m != i) x_mj) - w2 sum_m d_im (x_m,j+1 + x_m,j-1) + w1)
            - z (x_ij - i0),    x_ij = 1 / (1 + exp(-y_ij / eps)),    z <- (1 - beta) z  after each sweep,

    with distances d divided by the largest, one neuron after the other; z begins at z0. Between chaos and a network at
    rest it wanders, ever less, along the valleys of the energy. With w2 of at most w1 / 2 it never pays to leave a city
    out; a larger one, 1 in the paper, finds shorter tours where distances are far below the largest, and none at all
    where they are not. Over `sweeps` sweeps; None: until z is z0 exp(-4).
    `noise`: of y at each step, uniform within +-noise, which falls as z does.
    """

    k: float = 0.9
    eps: float = 1.0 / 250.0
    alpha: float = 0.015
    z0: float = 0.08
    i0: float = 0.65
    w1: float = 1.0
    w2: float = 0.5
    beta: float = 0.003
    noise: float = 0.0
    sweeps: int | None = None

    def __post_init__(self) -> None:
        for name in ("k", "eps", "alpha", "z0", "i0", "w1", "w2", "beta", "noise"):
            value = float(freeze(getattr(self, name), f"Schedule.{name}", shape=()))
            if value < 0.0 or (name == "eps" and value == 0.0):
                raise InputError(f"`Schedule.{name}` = {value:g}: must not be negative{' or 0' * (name == 'eps')}")
            object.__setattr__(self, name, value)
        if not 0.0 < self.beta < 1.0:
            raise InputError(f"`Schedule.beta` = {self.beta:g}: must be between 0 and 1, such as 0.003")
        if self.sweeps is not None:
            whole(self.sweeps, "Schedule.sweeps", 1, 10_000_000)

    @property
    def length(self) -> int:
        """How many sweeps it takes."""
        return math.ceil(4.0 / self.beta) if self.sweeps is None else self.sweeps


def anneal_tours(
    problem: TravellingSalesman,
    *,
    starts: int,
    seed: int,
    schedule: Schedule | None = None,
    compiled: bool | None = None,
) -> Tours:
    """Return the tours that chaotic annealing ends at, from y uniform within +-1, each start with its own.

    A start is valid where each city, and each place in the tour, has exactly one output above 1/2. `compiled`: by
    Numba or not; None: where it is installed. Not a bit differs.

    Raises InputError for what is not a problem or a schedule, and a number of starts out of range.
    """
    if not isinstance(problem, TravellingSalesman):
        raise InputError(f"`problem` = {problem!r:.60}: must be a TravellingSalesman, as of_points makes one")
    chosen = Schedule() if schedule is None else schedule
    if not isinstance(chosen, Schedule):
        raise InputError(f"`schedule` = {chosen!r:.60}: must be a Schedule")
    count = whole(starts, "starts", 1, MOST_STARTS)
    rng = np.random.default_rng(whole(seed, "seed", 0, 2**63 - 1))
    scaled = np.ascontiguousarray(problem.distances / problem.distances.max())
    run: Any = load_compiled(_load_kernel, compiled, "compiled") or anneal_plain
    n, found = problem.size, []
    for first in range(0, count, BLOCK):
        batch = min(BLOCK, count - first)
        y = rng.uniform(-1.0, 1.0, (n, n, batch))
        for sweep in range(0, chosen.length, SEGMENT):
            sweeps = min(SEGMENT, chosen.length - sweep)
            faded = (1.0 - chosen.beta) ** np.arange(sweep, sweep + sweeps)
            size = n if chosen.noise > 0.0 else 0
            noise = rng.uniform(-chosen.noise, chosen.noise, (sweeps, size, n, batch)) * faded[:, None, None, None]
            x = run(scaled, y, sweeps, *_numbers(chosen, faded[0]), noise)
        found.append(x)
    return judge(problem, np.moveaxis(np.concatenate(found, axis=2), 2, 0))


def _numbers(schedule: Schedule, faded: float) -> tuple[float, ...]:
    """Return the arguments of a kernel, from k to decay, in their order, where z has faded to a part of z0."""
    s = schedule
    return s.k, 1.0 / s.eps, s.alpha, s.z0 * faded, s.i0, s.w1, s.w2, 1.0 - s.beta


def anneal_plain(
    distances: Array, y: Array, sweeps: int, k: float, steep: float, alpha: float, z0: float, i0: float, w1: float,
    w2: float, decay: float, noise: Array
) -> Array:  # fmt: skip
    """Do what `chaotic_kernel.anneal` does, all starts together."""
    n = len(y)
    x = logistic(y * steep)
    rows, columns = np.zeros((n, y.shape[2])), np.zeros((n, y.shape[2]))
    for i in range(n):
        for j in range(n):
            rows[i] += x[i, j]
            columns[j] += x[i, j]
    z = z0
    for sweep in range(sweeps):
        for i in range(n):
            for j in range(n):
                after, before = (j + 1) % n, (j - 1) % n
                length = np.zeros(y.shape[2])
                for m in range(n):
                    length += distances[i, m] * (x[m, after] + x[m, before])
                old = x[i, j].copy()
                drive = w1 * (1.0 - ((rows[i] - old) + (columns[j] - old))) - w2 * length
                y[i, j] = (k * y[i, j] + alpha * drive) - z * (old - i0)
                if noise.shape[1] > 0:
                    y[i, j] += noise[sweep, i, j]
                new = logistic(y[i, j] * steep)
                rows[i] += new - old
                columns[j] += new - old
                x[i, j] = new
        z *= decay
    return x


def _load_kernel() -> Any:
    from .chaotic_kernel import anneal as kernel

    return kernel
