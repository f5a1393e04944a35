"""Contraction: the matrix measure of all Jacobians of a network in a weighted norm."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np

from ..graph import Graph, HasGraph
from ..values.arrays import Array, positive
from ..values.errors import InputError
from .certificate import EVERY, Certificate
from .inequality import Exact, Inequality, check_definite, check_positive, exact, multiply
from .reading import read_network
from .sector_limit import corners
from .semidefinite import blocks
from .slope_box import METRICS, Metric, box_rate
from .systems import DelayedNetwork

NORMS = ("1", "2", "inf")
# Up to so many neurons the measure of the 2-norm is looked at in all corners of the box of slopes.
MOST_CORNERS = 8


def certify_contraction(
    network: DelayedNetwork | Graph | HasGraph,
    delay: float | None = None,
    *,
    norm: Literal["1", "2", "inf"] = "2",
    weights: Any = None,
    metric: Metric = "weights",
) -> Certificate:
    """Return whether any two solutions come together exponentially: mu(-A + W0 D) + ||W1 D|| < 0 for all slopes D.

    mu is the matrix measure (logarithmic norm) of the norm of S x, S = diag(`weights`): the largest over the box of
    slopes, which is at a corner of it. Without delay the distance falls at the rate -mu (W. Lohmiller and J.-J. E.
    Slotine, Automatica 34:683, 1998; M. Vidyasagar, Nonlinear Systems Analysis, 1978); with one, of any kind, at the
    s > 0 of s = -mu - ||W1 D|| exp(s h) (A. Halanay, Differential Equations, 1966). In a static field D stands on the
    left of W.

    `norm`: "1", "2" or "inf". `weights`: S, (n,) positive; 1 by default. `metric`, of norm "2" alone: "weights" for
    |d|^2 = sum (S_i d_i)^2, or "diagonal" or "full" for d^T P d with the P of the largest rate among these. That is
    found by the matrix inequality of `slope_box`, which has a multiplier for each slope and is sufficient for the whole
    box; a step of the search takes work of n^4, for a full P of n^6. Up to 8 neurons its P is then held against all
    corners, which loses nothing. Beyond, the inequality is the proof: V = d^T P d falls by V' <= -alpha V +
    beta V(t - h), and the distance at half the rate s = alpha - beta exp(s h). No solver is needed.

    Raises InputError for another norm or metric, weights that are not positive or that come with a metric that is
    found, and as `read_network` does.
    """
    found = read_network(network, delay)
    n = found.size
    if norm not in NORMS:
        raise InputError(f"`norm` = {norm!r:.40}: must be one of {', '.join(NORMS)}")
    if metric not in METRICS:
        raise InputError(f"`metric` = {metric!r:.40}: must be one of {', '.join(METRICS)}")
    if metric != "weights" and (norm != "2" or weights is not None):
        raise InputError(f"`metric` = {metric!r}: is found for norm='2' and without `weights`; leave one of them out")
    scale = positive(1.0 if weights is None else weights, "weights", shape=(n,), unit="")
    known = not found.has_delay or found.delay is not None
    h = found.delay or 0.0 if found.has_delay else 0.0
    matrices, criterion = {"S": np.diag(scale)}, f"contraction in the {norm}-norm"
    if norm != "2":
        sigma, beta, inequalities = _in_sums(found, scale, norm)
        rate = _halanay(sigma, beta, h)
    else:
        box = None if n <= MOST_CORNERS and metric == "weights" else box_rate(found, scale, metric)
        p = None if box is None else box.metric
        if n <= MOST_CORNERS:
            sigma, beta, inequalities = _in_two_norm(found, exact(np.diag(scale)) ** 2 if p is None else exact(p))
            matrices = matrices if p is None else {"P": p}
            rate = _halanay(sigma, beta, h)
        else:
            criterion += " by multipliers"
            inequalities, rate = (), 0.0
            if box is not None:
                matrices = box.matrices
                inequalities, rate = box.inequalities, _halanay(box.alpha, box.beta, h) / 2.0
        if metric != "weights":
            criterion += f", {metric} metric"
    proved = bool(inequalities) and all(one.holds for one in inequalities)
    return Certificate(
        criterion=criterion,
        claim="any two solutions come together exponentially, and one equilibrium for each constant input"
        + (", for every delay, also one that varies" if found.has_delay else ""),
        system=found,
        inequalities=inequalities,
        rate=EVERY,
        matrices=matrices,
        figures={"exponential rate, 1/s": rate} if proved and known else {},
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


def _in_two_norm(network: DelayedNetwork, metric: Exact) -> tuple[float, float, tuple[Inequality, ...]]:
    """Return -mu and the norm in sqrt(d^T P d), floats that the inequalities prove, and these: the worst corner."""
    each = [_jacobians(network, np.ones(network.size), corner) for corner in corners(network)]
    p = np.asarray(metric, dtype=np.float64)
    root = np.linalg.cholesky(p).T
    floats = [root @ np.asarray(pair, dtype=np.float64) @ np.linalg.inv(root) for pair in each]
    largest = float(np.max(network.decay))
    least = min(-float(np.linalg.eigvalsh(a + a.T)[-1]) / 2.0 for a, _ in floats)
    beta = max(float(np.linalg.norm(b, 2)) for _, b in floats)
    sigma, beta = least - 1e-9 * largest, beta + 1e-9 * largest if beta else 0.0
    rest = check_positive("-mu - ||W1 D||, of A", exact([(sigma - beta) / largest]))
    if not rest.holds:
        return sigma, beta, (rest,)
    checks = [check_definite("P", metric)]
    for a, b in each:
        falls = multiply(metric, a)
        checks.append(check_definite("-mu at each corner", -(falls + falls.T) / 2 - metric * exact(sigma)[()]))
        if beta:
            side, late = metric * exact(beta)[()], multiply(metric, b)
            checks.append(check_definite("norm of W1 D at each corner", blocks([[side, late], [late.T, side]])))
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
