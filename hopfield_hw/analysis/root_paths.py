"""How the roots of an equilibrium move along an arc, and whether one may cross the border and come back in a step."""

from __future__ import annotations

import numpy as np

from ..values.arrays import Array
from .arc import Arc
from .characteristic import Complexes, polish_root
from .spectrum import linear_terms

ASIDE = 1e-5  # of the arc: where roots are looked at again for how they move
DIPS = 0.2  # a path that falls to so much of what it is at the nearer end is looked at more closely
LOOKS = np.linspace(0.0, 1.0, 17)[1:-1]
NOUGHT = 1e-9  # of the largest root: one that stays on the border


def paths(arc: Arc, u: Array, tangent: Array, roots: Complexes) -> tuple[Array, Array]:
    """Return the growth of each root at a point of an arc, descending, and how fast each changes along it.

    By the roots a little further along the tangent; where that is beyond the range, a little before. Of a delay
    equation each root is followed by itself, as its spectrum is dear.
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
    growth, after = (np.sort(arc.growth(values))[::-1] for values in (roots, moved))
    return growth, np.asarray((after - growth) / way)


def may_return(first: tuple[Array, Array], second: tuple[Array, Array], length: float) -> bool:
    """Whether a root on one side of the border at both ends of a step may have been on the other one between.

    By the cubic through its growth and slope at the ends: where that comes to a fifth of the growth at the nearer end.
    `first`, `second`: of `paths`. `length`: of the step.
    """
    count = min(first[0].size, second[0].size)
    (a, slope_a), (b, slope_b) = ((growth[:count], slopes[:count]) for growth, slopes in (first, second))
    nearer = np.minimum(np.abs(a), np.abs(b))
    largest = max(float(np.max(np.abs(np.concatenate([a, b])), initial=0.0)), 1e-300)
    apart = (a * b > 0.0) & (nearer > NOUGHT * largest) & np.isfinite(slope_a) & np.isfinite(slope_b)
    t = LOOKS[:, np.newaxis]
    cubic = (1.0 + 2.0 * t) * (1.0 - t) ** 2 * a + t**2 * (3.0 - 2.0 * t) * b
    cubic = cubic + length * (t * (1.0 - t) ** 2 * slope_a - t**2 * (1.0 - t) * slope_b)
    lowest = np.min(cubic * np.sign(a), axis=0, initial=np.inf)
    return bool(np.any(apart & (lowest < DIPS * nearer)))
