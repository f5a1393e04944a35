"""The comparison matrix of a network: an M-matrix proves stability for any delay, and bounds what inputs do."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..graph import Graph, HasGraph
from ..values.arrays import Array
from .certificate import EVERY, Certificate
from .inequality import Inequality, check_positive, exact, multiply
from .reading import read_network
from .semidefinite import check_multipliers
from .systems import DelayedNetwork

SOURCE = "van den Driessche and Zou, SIAM J. Appl. Math. 58:1878 (1998)"
# By how much the inverse is rounded up, so that it is a bound in exact arithmetic.
ABOVE = 1.0 + 1e-9


def certify_m_matrix(network: DelayedNetwork | Graph | HasGraph, delay: float | None = None) -> Certificate:
    """Return whether M = A - |W0| k - |W1| k is a nonsingular M-matrix, k the largest sizes of slopes.

    On the diagonal W0 counts with its sign and the slope that makes most of it; in a static field k stands on the left.
    M is one if there is v > 0 with M v > 0: then the distance of two solutions, max_i |x_i - z_i| / v_i, falls
    exponentially for every delay, constant or varying in any way (P. van den Driessche and X. Zou, SIAM J. Appl. Math.
    58:1878, 1998; A. Berman and R. J. Plemmons, Nonnegative Matrices in the Mathematical Sciences, 1979, chapter 6).

    The rate, 1/s, is the largest s with (A - s) v >= |W0| k v + exp(s h) |W1| k v, where h is known or there is none.
    No solver is needed. Raises InputError as `read_network` does.
    """
    found = read_network(network, delay)
    v, inequalities = _prove(found)
    figures = {}
    if found.delay is not None or not found.has_delay:
        figures["exponential rate, 1/s"] = _rate(found, v)
    proved = all(one.holds for one in inequalities)
    return Certificate(
        criterion="M-matrix",
        claim="one equilibrium for each constant input, globally exponentially stable, for every delay, also one that "
        "varies",
        system=found,
        inequalities=inequalities,
        rate=EVERY,
        matrices={"M": comparison_matrix(found), "v": v},
        figures=figures if proved else {},
        source=SOURCE,
    )


def certify_input_gain(network: DelayedNetwork | Graph | HasGraph, delay: float | None = None) -> Certificate:
    """Return how far inputs that change can drive a network: |x_i - z_i| comes below sum_j G_ij sup |u_j - w_j|.

    x and z are solutions with the inputs u and w, both added to x', in volts per second (currents over C); M is the
    matrix of `certify_m_matrix`, and G its inverse, seconds, rounded up so that M G >= 1 element by element, which is
    checked. This is input-to-state stability with a linear gain, of differences too (E. D. Sontag, IEEE Trans. Autom.
    Control 34:435, 1989, with M as the comparison system), for every delay. The figure is the largest row sum of G.

    Raises InputError as `read_network` does.
    """
    found = read_network(network, delay)
    v, inequalities = _prove(found)
    matrix = comparison_matrix(found)
    gain = np.full_like(matrix, np.inf)
    checks = list(inequalities)
    if all(one.holds for one in inequalities):
        inverse = np.maximum(np.linalg.inv(matrix), 0.0)
        gain = ABOVE * inverse + (ABOVE - 1.0) * float(inverse.max()) * v[:, None]
        excess = multiply(exact_comparison(found), exact(gain)) - exact(np.eye(found.size))
        checks += [check_multipliers("M G - 1", excess), check_multipliers("G", exact(gain))]
    proved = all(one.holds for one in checks)
    return Certificate(
        criterion="input-to-state gain",
        claim="inputs that differ by at most |u_j - w_j| keep solutions apart by at most G |u - w| in the end, for "
        "every delay, also one that varies",
        system=found,
        inequalities=tuple(checks),
        rate=EVERY,
        matrices={"M": matrix, "v": v, "G": gain} if proved else {"M": matrix, "v": v},
        figures={"gain, s": float(np.max(gain.sum(axis=1)))} if proved else {},
        source="Sontag, IEEE Trans. Autom. Control 34:435 (1989), with the comparison matrix M",
    )


def comparison_matrix(network: DelayedNetwork) -> Array:
    """Return M = A - |W0| k - |W1| k, 1/s, whose elements off the diagonal are at most 0."""
    return np.asarray(exact_comparison(network), dtype=np.float64)


def exact_comparison(network: DelayedNetwork) -> Any:
    """Return M as rational numbers."""
    late, now = _parts(network)
    return np.diag(exact(network.decay)) - now - late


def _parts(network: DelayedNetwork) -> tuple[Any, Any]:
    """Return |W1| k and |W0| k, its diagonal with sign and the worse slope, as rational numbers."""
    steep = exact(network.steepest)
    steep = steep[None, :] if network.kind == "local" else steep[:, None]
    now, late = exact(network.weights), exact(np.abs(network.late_weights)) * steep
    own = np.diagonal(now)
    worse = np.maximum(own * exact(network.lower), own * exact(network.upper))
    now = abs(now) * steep
    now[np.diag_indices(network.size)] = worse
    return late, now


def _prove(network: DelayedNetwork) -> tuple[Array, tuple[Inequality, ...]]:
    """Return v, and whether v > 0 and M v > 0: exactly, as parts of a_i v_i."""
    matrix = exact_comparison(network)
    floats = np.asarray(matrix, dtype=np.float64)
    v = np.full(network.size, -1.0)
    if abs(np.linalg.det(floats / np.abs(floats).max())) > 0.0:
        v = np.linalg.solve(floats, network.decay)
    if not bool(np.all(np.isfinite(v) & (v > 0.0))):
        # The vector of Perron of what M takes from a shifted identity has the best margin there is.
        values, vectors = np.linalg.eig(-floats / network.decay[:, None])
        v = np.abs(vectors[:, np.argmax(values.real)].real) + 1e-9
    v = v / float(np.max(v))
    product = multiply(matrix, exact(v)[:, None])[:, 0]
    return v, (
        check_positive("v", exact(v)),
        check_positive("M v / (A v)", product / (exact(network.decay) * exact(v))),
    )


def _rate(network: DelayedNetwork, v: Array) -> float:
    """Return the largest s with (A - s) v >= |W0| k v + exp(s h) |W1| k v, less a rounding; 0 for none."""
    late, now = (np.asarray(part, dtype=np.float64) @ v for part in _parts(network))
    h = network.delay if network.has_delay and network.delay is not None else 0.0
    low, high = 0.0, float(np.min(network.decay))

    def holds(rate: float) -> bool:
        return bool(np.all((network.decay - rate) * v >= (now + np.exp(min(rate * h, 700.0)) * late)))

    high = max(high, float(np.max(network.decay - now / v)))
    for _ in range(80):
        middle = 0.5 * (low + high)
        low, high = (middle, high) if holds(middle) else (low, middle)
    return low * (1.0 - 1e-12)
