"""The nearest point of a set of linear limits and balls, by least squares with an active set: no network is in it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from ..values.arrays import Array
from ..values.errors import AccuracyError

# Of their own sizes: a direction that counts as none, and limits that are met.
NONE, MET = 1e-12, 1e-9
MOST_ROUNDS = 500
FARTHEST = 1e15  # of the multiplier of a ball: beyond, the other limits leave nothing of it
FINEST = 1e-15
ROUNDING = 1e-14  # of a difference, as a part of what is subtracted


class Ball(NamedTuple):
    """The x with |x_B - centre| <= radius. `variables`: B, their numbers; `centre`: (len(B),)."""

    variables: tuple[int, ...]
    centre: Array
    radius: float

    def excess(self, x: Array) -> Array:
        """Return |x_B - centre| - radius, (...,), of x (..., n)."""
        return np.asarray(np.linalg.norm(x[..., list(self.variables)] - self.centre, axis=-1) - self.radius)


class LinearLimits(NamedTuple):
    """The x with G x <= h and A x = b. `rows`: G, (m, n); `most`: h; `equations`: A; `values`: b."""

    rows: Array
    most: Array
    equations: Array
    values: Array

    def nearest(self, point: Array, scales: Array) -> Array | None:
        """Return the x for which sum_i (scales_i (x_i - point_i))^2 is least, or None where no x is within the limits.

        Equations by the singular value decomposition; inequalities by non-negative least squares, as a problem of least
        distance: C. L. Lawson and R. J. Hanson, Solving Least Squares Problems (1974), chapter 23. The limits that it
        finds met are then met as equations.
        """
        from scipy.optimize import nnls

        base, ways = _within(self.equations / scales, self.values, point * scales)
        if base is None:
            return None
        rows = self.rows / scales
        slopes, room = rows @ ways, self.most - rows @ base
        sizes = np.linalg.norm(slopes, axis=1)
        terms = np.abs(self.most) + np.abs(rows) @ np.abs(base)
        fixed = sizes <= NONE * np.linalg.norm(rows, axis=1)  # no way leads nearer to such a limit, or away from it
        if np.any(room[fixed] < -MET * terms[fixed]):
            return None
        if not np.any(room[~fixed] < 0.0):
            return np.asarray(base / scales)
        slopes, room = slopes[~fixed] / sizes[~fixed, np.newaxis], room[~fixed] / sizes[~fixed]
        unit = -float(room.min())
        # Least |t| with slopes t <= room: what is left of (0, ..., 0, 1) by the columns (slopes, room) is a multiple of
        # (t, 1), and 0 where there is no t; the columns that are taken are the limits that t meets.
        columns = np.vstack([-slopes.T, -room / unit])
        aim = np.zeros(len(columns))
        aim[-1] = 1.0
        try:
            pushes = nnls(columns, aim, maxiter=30 * len(room) + 100)[0]
        except RuntimeError as error:
            raise AccuracyError(f"nearest_point: non-negative least squares stopped ({error}); drop limits") from None
        met = pushes > 0.0
        t = np.linalg.lstsq(slopes[met], room[met], rcond=None)[0]
        if np.any(slopes @ t - room > MET * np.maximum(unit, terms[~fixed] / sizes[~fixed])):
            return None
        return np.asarray((base + ways @ t) / scales)


def nearest_point(
    point: Array, limits: LinearLimits, balls: Sequence[Ball], scales: Array | None = None
) -> Array | None:
    """Return the point within linear limits and balls that is nearest to `point`, or None where there is none.

    `scales`: (n,), positive, of the distance sqrt(sum_i (scales_i (x_i - point_i))^2); 1 by default.
    A ball counts by its multiplier s >= 0, which adds s (|x_B - centre|^2 - radius^2) to the squared distance, so that
    each trial of s is a problem of the limits alone; s is found by bisection (Brent), of several balls in turn.

    Raises AccuracyError where the multipliers of several balls have not settled after 500 rounds.
    """
    pushes = np.zeros(len(balls))
    sizes = np.ones(point.size) if scales is None else scales
    x = _pushed(point, limits, balls, pushes, sizes)
    if x is None or not balls:
        return x
    for _ in range(MOST_ROUNDS):
        last = x
        for k in range(len(balls)):
            push = _push(point, limits, balls, pushes, sizes, k)
            if push is None:
                return None
            pushes[k] = push
            x = _pushed(point, limits, balls, pushes, sizes)
            if x is None:
                return None
        size = 1.0 + float(np.max(np.abs(x)))
        over = max(float(ball.excess(x)) for ball in balls)
        if len(balls) == 1 or (np.max(np.abs(x - last)) <= NONE * size and over <= MET * size):
            return x
    raise AccuracyError(f"nearest_point: {len(balls)} balls have not settled after {MOST_ROUNDS} rounds; use fewer")


def _push(
    point: Array, limits: LinearLimits, balls: Sequence[Ball], pushes: Array, scales: Array, k: int
) -> float | None:
    """Return the multiplier of ball k, given those of the others; None where the limits leave nothing of it."""
    from scipy.optimize import brentq

    def excess(push: float) -> float:
        trial = pushes.copy()
        trial[k] = push
        x = _pushed(point, limits, balls, trial, scales)
        return np.inf if x is None else float(balls[k].excess(x))

    if excess(0.0) <= 0.0:
        return 0.0
    size = float(np.max(np.square(scales[list(balls[k].variables)])))
    high = size
    while excess(high) > 0.0:
        high *= 10.0
        if high > FARTHEST * size:
            return None
    found: float = brentq(excess, 0.0, high, xtol=FINEST * high, rtol=1e-14, maxiter=200)
    return found


def _pushed(point: Array, limits: LinearLimits, balls: Sequence[Ball], pushes: Array, scales: Array) -> Array | None:
    """Return the x within the linear limits that is nearest to a point, where balls pull with their multipliers."""
    weights = np.square(scales)
    aim = weights * point
    for ball, push in zip(balls, pushes.tolist(), strict=True):
        at = list(ball.variables)
        weights[at] += push
        aim[at] += push * ball.centre
    return limits.nearest(aim / weights, np.sqrt(weights))


def _within(equations: Array, values: Array, point: Array) -> tuple[Array | None, Array]:
    """Return the point that is nearest among those of equations, and the ways along them, (n, k), orthonormal."""
    n = point.size
    if not len(equations):
        return point, np.eye(n)
    sizes = np.linalg.norm(equations, axis=1)
    sizes[sizes == 0.0] = 1.0
    equations, values = equations / sizes[:, np.newaxis], values / sizes
    left, sigma, right = np.linalg.svd(equations, full_matrices=True)
    rank = int(np.count_nonzero(sigma > NONE * len(sigma) * sigma.max(initial=0.0)))
    apart = left[:, :rank].T @ (values - equations @ point)
    base = point + right[:rank].T @ (apart / sigma[:rank])
    terms = np.abs(values) + np.abs(equations) @ np.abs(base)
    far = ROUNDING * np.abs(equations) @ np.abs(point)  # what is left of a point far away
    met = bool(np.all(np.abs(equations @ base - values) <= MET * terms + far + FINEST))
    return (base if met else None), right[rank:].T
