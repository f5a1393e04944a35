"""Contraction: the matrix measure of all Jacobians of a network in a weighted norm."""

from __future__ import annotations

from itertools import product
from typing import Any, Literal

import numpy as np

from ..graph import Graph, HasGraph
from ..values.arrays import Array, positive
from ..values.errors import InputError
from .certificate import EVERY, Certificate
from .inequality import Inequality, check_definite, check_positive, exact
from .reading import read_network
from .semidefinite import blocks
from .systems import DelayedNetwork

NORMS = ("1", "2", "inf")
# The measure of the 2-norm is looked at in all corners of the box of slopes.
MOST_CORNERS = 8


def certify_contraction(
    network: DelayedNetwork | Graph | HasGraph,
    delay: float | None = None,
    *,
    norm: Literal["1", "2", "inf"] = "2",
    weights: Any = None,
) -> Certificate:
    """Return whether any two solutions come together exponentially: mu(-A + W0 D) + ||W1 D|| < 0 for all slopes D.

    mu is the matrix measure (logarithmic norm) of the norm of S x, S = diag(`weights`): the largest over the box of
    slopes, which is at a corner of it. Without delay the distance falls at the rate -mu (W. Lohmiller and J.-J. E.
    Slotine, Automatica 34:683, 1998; M. Vidyasagar, Nonlinear Systems Analysis, 1978); with one, of any kind, at the
    s > 0 of s = -mu - ||W1 D|| exp(s h) (A. Halanay, Differential Equations, 1966). In a static field D stands on the
    left of W.

    `norm`: "1", "2" (up to 8 neurons) or "inf". `weights`: S, (n,) positive; 1 by default.

    Raises InputError for another norm, more neurons, weights that are not positive, and as `read_network` does.
    """
    found = read_network(network, delay)
    n = found.size
    if norm not in NORMS:
        raise InputError(f"`norm` = {norm!r:.40}: must be one of {', '.join(NORMS)}")
    if norm == "2" and n > MOST_CORNERS:
        raise InputError(f"the 2-norm over all corners of {n} slopes: must be at most {MOST_CORNERS} neurons; take 1")
    scale = positive(1.0 if weights is None else weights, "weights", shape=(n,), unit="")
    if norm == "2":
        ends = zip(found.lower.tolist(), found.upper.tolist(), strict=True)
        sigma, beta, inequalities = _in_two_norm(found, scale, [np.array(corner) for corner in product(*ends)])
    else:
        sigma, beta, inequalities = _in_sums(found, scale, norm)
    proved = all(one.holds for one in inequalities)
    h = 0.0 if not found.has_delay else found.delay
    return Certificate(
        criterion=f"contraction in the {norm}-norm",
        claim="any two solutions come together exponentially, and one equilibrium for each constant input"
        + (", for every delay, also one that varies" if found.has_delay else ""),
        system=found,
        inequalities=inequalities,
        rate=EVERY,
        matrices={"S": np.diag(scale)},
        figures={"exponential rate, 1/s": _halanay(sigma, beta, h)} if proved and h is not None else {},
        source="Lohmiller and Slotine, Automatica 34:683 (1998)"
        + ("; Halanay, Differential Equations (1966)" if found.has_delay else ""),
    )


def _jacobians(network: DelayedNetwork, scale: Array, corner: Array) -> tuple[Any, Any]:
    """Return S (-A + W0 D) S^-1 and S W1 D S^-1 as rational numbers."""
    slopes, s = exact(corner), exact(scale)
    side = slopes[None, :] if network.kind == "local" else slopes[:, None]
    now = exact(network.weights) * side - np.diag(exact(network.decay))
    ratio = s[:, None] / s[None, :]
    return now * ratio, exact(network.late_weights) * side * ratio


def _in_two_norm(
    network: DelayedNetwork, scale: Array, corners: list[Array]
) -> tuple[float, float, tuple[Inequality, ...]]:
    """Return -mu and the norm, floats that the inequalities prove, and these: the worst of all corners."""
    n = network.size
    each = [_jacobians(network, scale, corner) for corner in corners]
    floats = [(np.asarray(a, dtype=np.float64), np.asarray(b, dtype=np.float64)) for a, b in each]
    largest = float(np.max(network.decay))
    least = min(-float(np.linalg.eigvalsh(a + a.T)[-1]) / 2.0 for a, _ in floats)
    beta = max(float(np.linalg.norm(b, 2)) for _, b in floats)
    sigma, beta = least - 1e-9 * largest, beta + 1e-9 * largest if beta else 0.0
    rest = check_positive("-mu - ||W1 D||, of A", exact([(sigma - beta) / largest]))
    if not rest.holds:
        return sigma, beta, (rest,)
    identity = exact(np.eye(n))
    checks = []
    for a, b in each:
        checks.append(check_definite("-mu at each corner", -(a + a.T) / 2 - identity * exact(sigma)[()]))
        if beta:
            side = identity * exact(beta)[()]
            checks.append(check_definite("norm of W1 D at each corner", blocks([[side, b], [b.T, side]])))
    worst = {one.name: min((other for other in checks if other.name == one.name), key=_worse) for one in checks}
    return sigma, beta, (rest, *worst.values())


def _worse(one: Inequality) -> tuple[bool, float]:
    return one.holds, one.margin


def _in_sums(network: DelayedNetwork, scale: Array, norm: str) -> tuple[float, float, tuple[Inequality, ...]]:
    """Return -mu and the norm by sums of rows ("inf") or columns ("1"), and that their difference is above 0."""
    axis = 1 if norm == "inf" else 0
    ends = [_jacobians(network, scale, corner) for corner in (network.lower, network.upper)]
    # A row or a column depends on its own slopes only through the size of each: the worse end of each element counts.
    late = np.maximum(abs(ends[0][1]), abs(ends[1][1]))
    off = np.maximum(abs(ends[0][0]), abs(ends[1][0]))
    own = np.maximum(np.diagonal(ends[0][0]), np.diagonal(ends[1][0]))
    off[np.diag_indices(network.size)] = own
    sums, norms = off.sum(axis=axis), late.sum(axis=axis)
    sigma, beta = -max(sums.tolist()), max(norms.tolist())
    largest = exact(network.decay).max()
    difference = np.array([(sigma - beta) / largest], dtype=object)
    return float(sigma), float(beta), (check_positive("-mu - ||W1 D||, of A", difference),)


def _halanay(sigma: float, beta: float, delay: float) -> float:
    """Return the s >= 0 of s = sigma - beta exp(s h), from below."""
    low, high = 0.0, sigma
    for _ in range(80):
        middle = 0.5 * (low + high)
        holds = middle <= sigma - beta * float(np.exp(min(middle * delay, 700.0)))
        low, high = (middle, high) if holds else (low, middle)
    return low * (1.0 - 1e-12)
