"""Rare failures: importance sampling about the failures that are nearest to the nominal board."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from scipy import special

from ..values.arrays import Array, freeze, whole
from ..values.errors import AccuracyError, InputError
from ..values.report import Report
from .streams import uniforms
from .yields import LEVEL, check_level

Margins: TypeAlias = Callable[[Array], Any]

PILOT_SCALE = 3.0  # standard deviations of the search's samples
DEFENCE = 0.1  # of the samples that stay where the parts are
MOST_POINTS = 8  # failures that are aimed at
MOST_SEARCHES = 16
BEYOND = 0.9  # of the distance of a failure: what lies so far in its direction belongs to it
STEPS = 30
DIFFERENCE = 1e-4  # standard deviations, of the gradient
CLOSE = 1e-3  # of the nominal margin, at a nearest failure
LEAST_SIZE = 50.0


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class RareFailures(Report):
    """The probability of failing, by importance sampling.

    `probability`, `interval` (of `level`), `error`: its standard error. `effective_size`: (sum w)^2 / sum w^2 of the
    weights of the samples that failed. `points`: (points, m), the nearest failures, in standard deviations, and
    `distances` from the nominal board: beta, of a first-order reliability method, whose estimate is `first_order` =
    sum of Phi(-beta). `failures` of `samples` failed; `evaluations` counts all boards looked at.
    """

    probability: float
    interval: tuple[float, float]
    level: float
    error: float
    effective_size: float
    points: Array
    distances: Array
    first_order: float
    failures: int
    samples: int
    evaluations: int

    def rows(self) -> list[tuple[str, str]]:
        low, high = self.interval
        return [
            ("failures", f"{self.probability:.3g} of the boards"),
            ("interval", f"{low:.3g} to {high:.3g}, {self.level:.4g}"),
            ("first order", f"{self.first_order:.3g}, from {', '.join(f'{b:.2f}' for b in self.distances)} sigma"),
            ("samples", f"{self.failures} of {self.samples} failed, of effective size {self.effective_size:.0f}"),
            ("boards looked at", f"{self.evaluations}"),
        ]

    def figures(self) -> dict[str, Any]:
        return {
            "probability": self.probability,
            "interval": self.interval,
            "level": self.level,
            "error": self.error,
            "effective_size": self.effective_size,
            "distances": self.distances.tolist(),
            "first_order": self.first_order,
            "failures": self.failures,
            "samples": self.samples,
            "evaluations": self.evaluations,
        }


class _Counted:
    """A margin that counts the boards that it looks at, and refuses what is no margin."""

    def __init__(self, margin: Margins) -> None:
        self.margin = margin
        self.evaluations = 0

    def __call__(self, z: Array) -> Array:
        found = np.asarray(self.margin(z), dtype=np.float64)
        if found.shape != (len(z),):
            raise InputError(f"`margin` gave shape {found.shape} of {len(z)} samples: must give ({len(z)},)")
        if np.isnan(found).any():
            raise InputError(
                "`margin` gave NaN: a rare failure cannot be told from a board that is not known; give what did not "
                "converge a margin, of a failure if in doubt"
            )
        self.evaluations += len(z)
        return found

    def gradient(self, z: Array) -> Array:
        steps = DIFFERENCE * np.eye(z.size)
        both = self(np.concatenate([z + steps, z - steps]))
        return np.asarray((both[: z.size] - both[z.size :]) / (2.0 * DIFFERENCE))


def rare_failures(
    margin: Margins,
    size: int,
    *,
    samples: int,
    seed: int,
    points: Any = None,
    pilot: int = 1000,
    level: float = LEVEL,
) -> RareFailures:
    """Return how probable a margin at or below 0 is, where plain sampling would see too few such boards.

    `margin(z)`: of each sample, (samples,), from independent standard normal numbers z, (samples, `size`); parts of any
    distribution are made of them by its quantiles: `variation.values(scipy.special.ndtr(z))`.

    1. Where margin(z) = 0 is nearest to z = 0 the most failures lie (the design point of a first-order reliability
    method, A. M. Hasofer and N. C. Lind, 1974). It is searched by linearising: z <- (g.z - m) g / g.g with the margin's
    gradient g by differences, damped where the margin does not follow; from z = 0, and from failures among `pilot`
    samples of three standard deviations, of those that no tangent plane cuts off yet, so that failures apart are found
    (8 at most). `points` gives them by hand.
    2. Of `samples` a tenth is drawn where the parts are, the rest about the points, each a normal of unit deviation.
    The weight of a sample is w = f(z) / q(z), f the density of the parts and q that of all that was drawn, so w is
    at most 10: a failure that was not aimed at is not lost, though seen only as often as its probability allows.
    3. p = mean of w over the failures, and its interval p exp(-+ z_level s / p) with s the standard error.

    Raises InputError for samples of the wrong kind and a nominal board that fails, AccuracyError where no failure was
    found and where the weights say nothing: an effective size of the failing samples below 50.
    """
    m = whole(size, "size", 1, 10**6)
    count = whole(samples, "samples", 100, 10**8, "; fewer say nothing of a rare failure")
    confidence = check_level(level, "level")
    counted = _Counted(margin)
    nominal = float(counted(np.zeros((1, m)))[0])
    if nominal <= 0.0:
        raise InputError(f"`margin` = {nominal:g} of the nominal board, which fails: its failures are not rare")
    if points is None:
        aims = _search(counted, m, whole(pilot, "pilot", 0, 10**7), seed, nominal)
    else:
        aims = freeze(points, "points")
        if aims.ndim != 2 or aims.shape[1] != m or not len(aims):
            raise InputError(f"`points` has shape {aims.shape}: must be (points, {m})")
    z, log_weights = _mixture(aims, count, seed)
    failed = counted(z) <= 0.0
    weights = np.where(failed, np.exp(log_weights), 0.0)
    total, squares = float(weights.sum()), float((weights**2).sum())
    effective = total * total / squares if squares else 0.0
    if effective < LEAST_SIZE:
        raise AccuracyError(
            f"rare_failures: {int(failed.sum())} of {count} samples failed, of effective size {effective:.1f}, below "
            f"{LEAST_SIZE:g}: their weights say nothing; take more samples, or give `points` nearer to the failures"
        )
    estimate = total / count
    error = math.sqrt(max(squares / count - estimate**2, 0.0) / count)
    spread = float(special.ndtri(0.5 + confidence / 2.0)) * error / estimate
    distances = np.linalg.norm(aims, axis=1)
    return RareFailures(
        probability=estimate,
        interval=(estimate * math.exp(-spread), min(estimate * math.exp(spread), 1.0)),
        level=confidence,
        error=error,
        effective_size=effective,
        points=freeze(aims, "points"),
        distances=freeze(distances, "distances"),
        first_order=float(special.ndtr(-distances).sum()),
        failures=int(failed.sum()),
        samples=count,
        evaluations=counted.evaluations,
    )


def _mixture(aims: Array, count: int, seed: int) -> tuple[Array, Array]:
    """Return samples about 0 and about each aim, and the logarithms of their weights."""
    m = aims.shape[1]
    z = special.ndtri(uniforms(seed, [f"importance {k}" for k in range(m)], range(count)))
    plain = round(DEFENCE * count)
    which = np.arange(count - plain) % len(aims)
    z[plain:] += aims[which]
    centres = np.concatenate([np.zeros((1, m)), aims])
    shares = np.array([plain, *np.bincount(which, minlength=len(aims))]) / count
    # log N(z; c) / N(z; 0) = z.c - c.c / 2
    ratios = z @ centres.T - 0.5 * np.sum(centres**2, axis=1)
    return z, -np.asarray(special.logsumexp(ratios, axis=1, b=shares))


def _search(margin: _Counted, m: int, pilot: int, seed: int, nominal: float) -> Array:
    """Return the nearest failures, the nearest first: none lies well beyond the tangent plane at another."""
    starts = [np.zeros(m)]
    if pilot:
        tried = PILOT_SCALE * special.ndtri(uniforms(seed, [f"pilot {k}" for k in range(m)], range(pilot)))
        failing = tried[margin(tried) <= 0.0]
        starts += list(failing[np.argsort(np.linalg.norm(failing, axis=1), kind="stable")])
    found: list[Array] = []
    searches = 0
    for start in starts:
        if searches == MOST_SEARCHES or len(found) == MOST_POINTS:
            break
        if any(_is_beyond(start, point) for point in found):
            continue
        searches += 1
        point = _nearest_failure(margin, start, nominal)
        if point is not None and not any(_is_beyond(point, other) for other in found):
            found.append(point)
    if not found:
        raise AccuracyError(
            f"rare_failures: no failure was found, neither downhill from the nominal board nor among {pilot} samples "
            f"of {PILOT_SCALE:g} sigma; take a larger `pilot`, or give `points`"
        )
    found.sort(key=lambda point: float(np.linalg.norm(point)))
    return np.array(found)


def _nearest_failure(margin: _Counted, start: Array, nominal: float) -> Array | None:
    """Return where the margin is 0 nearest to z = 0, by Hasofer and Lind's iteration with damping; None for none."""
    z = start
    value = float(margin(z[None])[0])
    penalty = 0.0
    for _ in range(STEPS):
        g = margin.gradient(z)
        square = float(g @ g)
        if square == 0.0:
            return None
        target = (float(g @ z) - value) / square * g
        step = target - z
        # A merit of distance and margin decides how far to go (P.-L. Liu and A. Der Kiureghian, 1991).
        penalty = max(penalty, 2.0 * float(np.linalg.norm(z)) / math.sqrt(square), 1e-3 / math.sqrt(square))
        merit = 0.5 * float(z @ z) + penalty * abs(value)
        length, new, new_value = 1.0, target, float(margin(target[None])[0])
        while length > 1e-3 and 0.5 * float(new @ new) + penalty * abs(new_value) > merit:
            length *= 0.5
            new = z + length * step
            new_value = float(margin(new[None])[0])
        moved = float(np.linalg.norm(new - z))
        z, value = new, new_value
        if moved < 1e-3 and abs(value) <= CLOSE * nominal:
            return z
    return z if abs(value) <= 10.0 * CLOSE * nominal else None


def _is_beyond(z: Array, point: Array) -> bool:
    """Whether z lies beyond the tangent plane of the failures at a point, or nearly: samples about it reach z."""
    return float(z @ point) >= BEYOND * float(point @ point)
