"""Design centering: nominal values with which more of the boards work."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias, get_args

import numpy as np
import scipy.optimize
from scipy import special, stats

from ..values.arrays import Array, freeze, whole
from ..values.errors import InputError
from ..values.report import Report
from .sensitivity import as_box, evaluate
from .streams import uniforms
from .yields import LEVEL, Yield, check_level, count_yield

Margins: TypeAlias = Callable[[Array], Any]
Perturb: TypeAlias = Callable[[Array, Array], Any]

Outcome = Literal["better", "not better", "worse"]
Objective = Literal["normal", "smooth", "gravity"]
DIFFERENCE = 1e-3  # of the range of a value, of the differences
# Widths of the smooth step that counts boards, in standard deviations of the margin at the start.
WIDTHS = (1.0, 0.3, 0.1)
# Of "gravity": how far nominal values are spread, as a part of their room; steps tried, in spreads of each value.
SPREAD, STEPS = 0.02, (0.0, 0.3, 1.0)


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Centered(Report):
    """What centering did.

    `nominal`: (m,), the new nominal values, `start` the old ones. `before`, `after`: yields of fresh samples, the same
    for both, that the search has not seen. `gained`, `lost`: how many of them only the new, and only the old design
    passes; `outcome`: "better" or "worse" where this is beyond chance (exact test of the two counts, at `level`).
    `index_before`, `index_after`: mean over standard deviation of the margin, of the fresh samples.
    """

    nominal: Array
    start: Array
    before: Yield
    after: Yield
    gained: int
    lost: int
    outcome: Outcome
    index_before: float
    index_after: float
    evaluations: int

    @property
    def recovered(self) -> float:
        """What part of the failures is gone: (after - before) / (1 - before); 0 where nothing failed before."""
        return self.after.recovered(self.before)

    def rows(self) -> list[tuple[str, str]]:
        return [
            ("centering", self.outcome),
            ("before", self.before.told()),
            ("after", self.after.told()),
            ("samples", f"{self.gained} gained, {self.lost} lost; {self.recovered:.0%} of what was missing"),
            ("mean over deviation", f"{self.index_before:.3g} before, {self.index_after:.3g} after"),
            ("boards looked at", f"{self.evaluations}"),
        ]

    def figures(self) -> dict[str, Any]:
        return {
            "outcome": self.outcome,
            "nominal": self.nominal.tolist(),
            "before": self.before.figures(),
            "after": self.after.figures(),
            "gained": self.gained,
            "lost": self.lost,
            "recovered": self.recovered,
            "evaluations": self.evaluations,
        }


def center(
    margin: Margins,
    nominal: Any,
    lower: Any,
    upper: Any,
    *,
    perturb: Perturb,
    size: int | None = None,
    samples: int = 400,
    fresh: int = 1000,
    seed: int,
    objective: Objective = "smooth",
    steps: int = 30,
    level: float = LEVEL,
) -> Centered:
    """Move nominal values within lower <= p <= upper, (m,) each, so that more boards have a margin above 0.

    `margin(values)`: (samples,) of values (samples, k). `perturb(p, z)`: values of parts, (samples, k), of nominal ones
    p, (m,), and independent standard normal numbers z, (samples, `size`), such as p (1 + 0.01 z / 3); `size` is m by
    default. The search sees the same z all along (common random numbers), so that what it climbs is smooth:

    - "normal": Phi(mean / standard deviation) of the margin, the yield were the margin normal;
    - "smooth": the mean of Phi(margin / h), which counts the boards themselves as h falls to a tenth of the margin's
      deviation; it starts from where "normal" ends.

    Both by L-BFGS-B with differences in m directions, `steps` iterations each. A margin that jumps, as that of a
    decision does, has no such differences:

    - "gravity": each of `steps` rounds spreads the nominal values too, and moves them along the covariance of their
      places with the ranks of the margins, from boards that fail to boards that pass, by the step of which most boards
      pass (R. S. Soin, R. Spence, IEE Proc. G 127:262, 1980, with ranks in the place of pass and fail).

    Before and after are then estimated on `fresh` samples of their own, the same for both.

    Raises InputError for a box that does not hold the nominal values or has no room, and margins that are not finite.
    """
    point, low, high = as_box(nominal, lower, upper)
    if objective not in get_args(Objective):
        raise InputError(f"`objective` = {objective!r:.40}: must be one of {', '.join(get_args(Objective))}")
    if not np.any(high > low):
        raise InputError("`center`: lower and upper leave no room; nothing could move")
    count = whole(samples, "samples", 20, 10**7, "; fewer say nothing of a yield")
    rounds = whole(steps, "steps", 1, 10**4)
    confidence = check_level(level, "level")
    width = point.size if size is None else whole(size, "size", 1, 10**6)
    tally = [0]

    def margins(where: Array, z: Array) -> Array:
        rows = [perturb(where, z)] if where.ndim == 1 else [perturb(p, z[k : k + 1]) for k, p in enumerate(where)]
        values = np.concatenate([np.asarray(row, dtype=np.float64) for row in rows])
        if values.ndim != 2 or len(values) != len(z):
            raise InputError(f"`perturb` gave shape {values.shape}: must give ({len(z)}, parts)")
        tally[0] += len(values)
        return evaluate(margin, values)

    if objective == "gravity":
        best = _gravitate(margins, point, low, high, rounds, lambda name, k: _normals(seed, name, k or width, count))
    else:
        common = _normals(seed, "centering", width, count)
        best = _climb(lambda p: _index(margins(p, common)), point, low, high, rounds)
    if objective == "smooth":
        scale = float(np.std(margins(best, common))) or 1.0
        for part in WIDTHS:
            width_of_step = part * scale

            def smoothed(p: Array, h: float = width_of_step) -> float:
                return float(np.mean(special.ndtr(margins(p, common) / h)))

            best = _climb(smoothed, best, low, high, rounds)
    z = _normals(seed, "fresh", width, whole(fresh, "fresh", 20, 10**8, "; fewer say nothing of a yield"))
    old, new = margins(point, z), margins(best, z)
    gained, lost = int(np.sum((new > 0.0) & (old <= 0.0))), int(np.sum((new <= 0.0) & (old > 0.0)))
    return Centered(
        nominal=freeze(best, "nominal"),
        start=point,
        before=count_yield(old, level=confidence),
        after=count_yield(new, level=confidence),
        gained=gained,
        lost=lost,
        outcome=_outcome(gained, lost, confidence),
        index_before=_index(old),
        index_after=_index(new),
        evaluations=tally[0],
    )


def _normals(seed: int, name: str, width: int, count: int) -> Array:
    return np.asarray(special.ndtri(uniforms(seed, [f"{name} {k}" for k in range(width)], range(count))))


def _index(margins: Array) -> float:
    spread = float(np.std(margins))
    mean = float(np.mean(margins))
    return mean / spread if spread > 0.0 else np.copysign(np.inf, mean)


def _outcome(gained: int, lost: int, level: float) -> Outcome:
    """Compare what only one of the designs passes: of equal designs either is as likely (McNemar's exact test)."""
    if gained + lost == 0 or stats.binomtest(gained, gained + lost).pvalue > 1.0 - level:
        return "not better"
    return "better" if gained > lost else "worse"


def _gravitate(
    margins: Callable[[Array, Array], Array],
    start: Array,
    low: Array,
    high: Array,
    rounds: int,
    normals: Callable[[str, int], Array],
) -> Array:
    """Return a point of which more boards pass; `normals(name, m)`: numbers of samples, of parts where m is 0."""
    point, spread, step = start, SPREAD, 1.0
    for k in range(rounds):
        width = spread * (high - low) / 2.0
        moves = normals(f"moves {k}", point.size)
        ranks = stats.rankdata(margins(np.clip(point + width * moves, low, high), normals(f"spread {k}", 0)))
        way = moves.T @ (ranks - np.mean(ranks))
        if not np.any(way):
            break
        way *= np.sqrt(way.size) / np.linalg.norm(way)
        z = normals(f"steps {k}", 0)
        places = [np.clip(point + far * step * width * way, low, high) for far in STEPS]
        passed = [int(np.sum(margins(place, z) > 0.0)) for place in places]
        best = int(np.argmax(passed))
        point = places[best]
        if best == 0:
            spread, step = spread / 1.2, step / 3.0
        elif best == len(STEPS) - 1:
            step *= 1.5
    return point


def _climb(score: Callable[[Array], float], start: Array, low: Array, high: Array, rounds: int) -> Array:
    """Return a point of a higher score within the box, or the start."""
    room = np.where(high > low, high - low, 1.0)
    free = high > low
    most = 1e6

    def place(u: Array) -> Array:
        return np.clip(np.where(free, low + room * u, start), low, high)

    def worth(u: Array) -> float:
        return -min(max(score(place(u)), -most), most)

    def slope(u: Array) -> Array:
        found = np.zeros(u.size)
        for k in np.flatnonzero(free):
            ends = np.array([max(u[k] - DIFFERENCE, 0.0), min(u[k] + DIFFERENCE, 1.0)])
            rows = np.tile(u, (2, 1))
            rows[:, k] = ends
            found[k] = (worth(rows[1]) - worth(rows[0])) / (ends[1] - ends[0])
        return found

    first = np.where(free, (start - low) / room, 0.0)
    found = scipy.optimize.minimize(
        worth, first, jac=slope, method="L-BFGS-B", bounds=[(0.0, 1.0)] * first.size, options={"maxiter": rounds}
    )
    return place(np.asarray(found.x)) if found.fun < worth(first) else np.asarray(start)
