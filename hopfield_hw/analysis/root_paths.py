"""How the roots of an equilibrium move along an arc, and how near the border one comes within a step."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from scipy.optimize import linear_sum_assignment

from ..values.arrays import Array
from .arc import Arc
from .characteristic import Complexes, polish_root
from .spectrum import linear_terms

ASIDE = 1e-5  # of the arc: where roots are looked at again for how they move
NOUGHT = 1e-9  # of the largest root: one that stays on the border


class Paths(NamedTuple):
    """The growth of each root at a point of an arc, descending, how fast it changes along the arc, and the root and its
    own speed.
    """

    growth: Array
    slopes: Array
    roots: Complexes
    speeds: Complexes

    def at(self, places: npt.NDArray[np.intp]) -> Paths:
        """Return those of some roots."""
        return Paths(self.growth[places], self.slopes[places], self.roots[places], self.speeds[places])


def paths(arc: Arc, u: Array, tangent: Array, roots: Complexes) -> Paths:
    """Return the roots at a point of an arc, and how they move along it.

    By the roots a little further along the tangent; where that is beyond the range, a little before. Of a delay
    equation each root is followed by itself, as its spectrum is dear; else each goes to the one that is nearest to it.
    """
    way = -ASIDE if u[-1] + ASIDE * tangent[-1] > 1.0 or u[-1] + ASIDE * tangent[-1] < 0.0 else ASIDE
    beside = np.asarray(u + way * tangent)
    balance = arc.balance(float(beside[-1]))
    if balance.given.kind == "dde":
        terms = linear_terms(balance, arc.state(beside))
        found = [polish_root(terms, complex(root)) for root in roots]
        moved = np.array([old if new is None else new for old, new in zip(roots, found, strict=True)])
    else:
        moved = arc.roots(beside)
        moved = moved[linear_sum_assignment(np.abs(roots[:, np.newaxis] - moved))[1]]
    growth = arc.growth(roots)
    order = np.argsort(-growth, kind="stable")
    slopes, speeds = (arc.growth(moved) - growth) / way, (moved - roots) / way
    return Paths(growth[order], slopes[order], roots[order], np.asarray(speeds[order]))


def matched(first: Paths, second: Paths, length: float) -> tuple[Paths, Paths]:
    """Return the roots at the ends of a step with those in the same place that its tangents lead to, and from."""
    forward = (first.roots + length * first.speeds)[:, np.newaxis] - second.roots
    backward = first.roots[:, np.newaxis] - (second.roots - length * second.speeds)
    apart = np.nan_to_num(np.abs(forward) + np.abs(backward), nan=1e300, posinf=1e300)
    at, to = linear_sum_assignment(apart)
    return first.at(at), second.at(to)


def exchange(first: Paths, second: Paths) -> bool:
    """Return whether one root crosses to the right and another to the left, as the number on each side does not tell.

    `first`, `second`: at the ends of a step, the same root in the same place.
    """
    a, b = first.growth, second.growth
    largest = max(float(np.max(np.abs(np.concatenate([a, b])), initial=0.0)), 1e-300)
    crosses = (a * b < 0.0) & (np.minimum(np.abs(a), np.abs(b)) > NOUGHT * largest)
    return bool(np.any(crosses & (a < 0.0))) and bool(np.any(crosses & (a > 0.0)))


def deepest_dip(first: tuple[Array, Array], second: tuple[Array, Array], length: float) -> float:
    """Return how near the border a root may have come within a step, of those on one side of it at both ends.

    The least of the cubic through its growth and slope at the ends, as a part of the growth at the nearer end: 1 where
    it does not dip, below 0 where it crosses and comes back. `first`, `second`: growth and slopes, of the same root in
    the same place. `length`: of the step.
    """
    count = min(first[0].size, second[0].size)
    (a, slope_a), (b, slope_b) = ((growth[:count], slopes[:count]) for growth, slopes in (first, second))
    nearer = np.minimum(np.abs(a), np.abs(b))
    largest = max(float(np.max(np.abs(np.concatenate([a, b])), initial=0.0)), 1e-300)
    apart = (a * b > 0.0) & (nearer > NOUGHT * largest) & np.isfinite(slope_a) & np.isfinite(slope_b)
    if not apart.any():
        return 1.0
    # a + c1 t + c2 t^2 + c3 t^3, turned so that it begins and ends above 0, in units of the nearer end.
    unit = np.sign(a[apart]) * nearer[apart]
    a, b, c1, end = (values[apart] / unit for values in (a, b, length * slope_a, length * slope_b))
    c2, c3 = 3.0 * (b - a) - 2.0 * c1 - end, 2.0 * (a - b) + c1 + end
    root = np.sqrt(np.maximum(c2**2 - 3.0 * c1 * c3, 0.0))
    # The minimum of a cubic, in the form that holds for c3 = 0 as well.
    below = c2 + root
    t = np.clip(np.where(below != 0.0, -c1 / np.where(below != 0.0, below, 1.0), 0.0), 0.0, 1.0)
    return min(1.0, float(np.min(a + t * (c1 + t * (c2 + t * c3)))))
