"""Formulas solved by their networks from many starts: cubic energy with clause weights, without, and quadratised."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from ..problems.satisfiability import Formula, Whole, quadratise
from ..values.arrays import Array, freeze, positive, whole
from ..values.compiled import load_compiled
from ..values.errors import InputError
from ..values.names import unknown
from ..values.proportion import Proportion, proportion
from ..values.report import Report

FORMS = ("weighted", "cubic", "quadratised")
BLOCK = 64  # starts that are run together
MOST_STARTS = 1_000_000


@dataclass(frozen=True, kw_only=True, eq=False)
class Assignments(Report):
    """What starts ended at. `hits`: (starts,), the time at which the signs first were a solution, infinite where never.

    Times are in R C. `solution`: (n,), +1 and -1, of the first start that hit one, None where there is none; it is
    checked against the clauses. `nearest`: the solution, or without one the signs at the end that leave the fewest
    clauses unsatisfied.
    """

    form: str
    hits: Array
    solution: Array | None
    nearest: Array

    @property
    def success(self) -> Proportion:
        """The part of the starts that hit a solution."""
        return proportion(int(np.count_nonzero(np.isfinite(self.hits))), self.hits.size)

    def rows(self) -> list[tuple[str, str]]:
        """Return the result as (what, value) rows."""
        rows = [("form", self.form), ("solved", str(self.success))]
        if self.success.count:
            rows.append(("median time", f"{float(np.median(self.hits[np.isfinite(self.hits)])):.4g} R C"))
        return rows

    def figures(self) -> dict[str, Any]:
        """Return by name what JSON has of the result."""
        return {"form": self.form, "solved": self.success.value, "interval": self.success.interval}


def solve_formula(
    formula: Formula,
    *,
    starts: int,
    seed: int,
    form: Literal["weighted", "cubic", "quadratised"] = "weighted",
    t_stop: float = 400.0,
    dt: float = 0.1,
    step: float = 2.0,
    rate: float = 1.0,
    fading: float = 0.02,
    compiled: bool | None = None,
) -> Assignments:
    """Run a formula's network from random starts, by Euler's method with a step of `dt`, up to `t_stop` (R C).

    `form`: "weighted" is `problems.satisfiability.cubic_network`, with `step`, `rate` and `fading` as there, from x
    uniform within +-0.1; "cubic" the same without clause weights; "quadratised" a 0/1 network of the quadratic form,
    dv/dt = -2 Q v' - q + noise, v' = clip(g v + 1/2), with g from 0.34 to 15 and noise that falls to 0. A solution is
    looked for at every step. `compiled`: by Numba or not, which changes no bit; None: where it is installed.

    Raises InputError for what is not a formula, an unknown form, and values out of range.
    """
    if not isinstance(formula, Formula):
        raise InputError(f"`formula` = {formula!r:.60}: must be a Formula(clauses=..., variables=...)")
    if form not in FORMS:
        raise InputError(unknown("form", form, FORMS))
    count = whole(starts, "starts", 1, MOST_STARTS)
    rng = np.random.default_rng(whole(seed, "seed", 0, 2**63 - 1))
    size, speed, growth, end = (
        float(positive(value, name, shape=(), unit=""))
        for value, name in ((dt, "dt"), (step, "step"), (rate, "rate"), (t_stop, "t_stop"))
    )
    if size > 1.0:
        raise InputError(f"`dt` = {size:g}: must be at most 1, the time constant of the neurons")
    fade = float(freeze(fading, "fading", shape=()))
    steps = max(1, round(end / size))
    hits: list[Whole] = []
    solution = None
    nearest, fewest = np.ones(formula.variables), formula.index.shape[0] + 1
    run: Any = load_compiled(_load_kernel, compiled, "compiled") or descend_plain
    index, signs = formula.index, formula.signs
    for first in range(0, count, BLOCK):
        batch = min(BLOCK, count - first)
        hit = np.full(batch, -1, dtype=np.int64)
        if form == "quadratised":
            states = _quadratised(formula, rng, batch, steps, size, hit)
        else:
            states = rng.uniform(-0.1, 0.1, (formula.variables, batch))
            growing = growth if form == "weighted" else 0.0
            weights = np.ones((len(index), batch))
            run(index, signs, states, weights, steps, size, speed, growing, fade, hit)
        hits.append(hit)
        signed = np.where(states.T > 0.0, 1.0, -1.0)
        left = np.asarray(formula.unsatisfied(signed))
        if left.min() < fewest:
            nearest, fewest = signed[int(np.argmin(left))], int(left.min())
        if solution is None and np.any(hit >= 0):
            solution = np.where(states[:, int(np.argmax(hit >= 0))] > 0.0, 1.0, -1.0)
    if solution is not None and formula.unsatisfied(solution):
        raise AssertionError("a start was counted as a solution, and is none")
    found = np.concatenate(hits)
    return Assignments(
        form=form,
        hits=np.where(found >= 0, found * size, np.inf),
        solution=solution,
        nearest=nearest if solution is None else solution,
    )


def descend_plain(
    index: Whole, signs: Array, x: Array, a: Array, steps: int, dt: float, step: float, rate: float, fading: float,
    hit: Whole
) -> None:  # fmt: skip
    """Do what `clause_kernel.descend` does, all starts together."""
    pace = np.full(x.shape[1], dt)
    for taken in range(steps + 1):
        force = np.zeros_like(x)
        unsolved = np.zeros(x.shape[1], dtype=np.int64)
        for c, ((i0, i1, i2), (s0, s1, s2)) in enumerate(zip(index.tolist(), signs.tolist(), strict=True)):
            k0, k1, k2 = 0.5 - 0.5 * s0 * x[i0], 0.5 - 0.5 * s1 * x[i1], 0.5 - 0.5 * s2 * x[i2]
            w = a[c].copy()
            force[i0] += 0.5 * s0 * (k1 * k2 * w)
            force[i1] += 0.5 * s1 * (k0 * k2 * w)
            force[i2] += 0.5 * s2 * (k0 * k1 * w)
            unsolved += (k0 >= 0.5) & (k1 >= 0.5) & (k2 >= 0.5)
            a[c] = w + dt * rate * (k1 * k2 * k0 - fading * (w - 1.0))
        new = (unsolved == 0) & (hit < 0)
        hit[new] = taken
        pace[new] = 0.0
        if np.all(hit >= 0):
            return
        x += pace * (np.minimum(1.0, np.maximum(-1.0, x + step * force)) - x)


# Of the 0/1 network of a quadratised formula: the gain at both ends, the noise at its start.
GAIN, NOISE = (0.34, 15.0), 0.14


def _quadratised(formula: Formula, rng: np.random.Generator, batch: int, steps: int, dt: float, hit: Whole) -> Array:
    """Return the formula's variables, (n, B), after steps of its quadratic form; write when they first were right."""
    form = quadratise(formula)
    scale = float(np.sqrt(np.mean(np.sum((2.0 * form.couplings) ** 2, axis=1))))
    couplings, linear = 2.0 * form.couplings / scale, (form.linear / scale)[:, np.newaxis]
    u = rng.normal(0.0, 0.02, (linear.size, batch))
    kept = np.zeros((formula.variables, batch))
    for taken in range(steps + 1):
        part = taken / max(steps, 1)
        v = np.clip(GAIN[0] * (GAIN[1] / GAIN[0]) ** part * u + 0.5, 0.0, 1.0)
        x = v[: formula.variables] - 0.5
        new = (formula.unsatisfied(x.T) == 0) & (hit < 0)
        hit[new] = taken
        kept[:, new] = x[:, new]
        u += dt * (-couplings @ v - linear) + NOISE * (1.0 - part) * math.sqrt(dt) * rng.normal(size=u.shape)
        u = np.clip(u, -2.0, 2.0)
    # Of starts that hit none, the last values.
    kept[:, hit < 0] = x[:, hit < 0]
    return kept


def _load_kernel() -> Any:
    from .clause_kernel import descend as kernel

    return kernel
