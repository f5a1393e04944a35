"""Sensitivities of a margin: by part, by differences; of an equilibrium, to every value of the network by one solve."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np

from ..networks import Network
from ..values.arrays import Array, dense, freeze, positive
from ..values.errors import InputError
from ..values.report import Report

Margins: TypeAlias = Callable[[Array], Any]

STEP = 1e-3  # of half of the box: of the differences
MOST_SHOWN = 8
SMALL = 1e-9  # of what flows at a node: the residual of an equilibrium
LEAST_RECIPROCAL = 1e-13  # of the condition number of a Jacobian that is not singular


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Sensitivities(Report):
    """How a margin changes with each of m values, at their nominal ones.

    `derivative`: d(margin)/d(value), (m,), the margin's unit by the value's. `error`: (m,), how far differences of
    half the step are from it. `nominal`: (m,); `margin`: there. `names`: of the values.
    """

    names: tuple[str, ...]
    nominal: Array
    margin: float
    derivative: Array
    error: Array

    @property
    def relative(self) -> Array:
        """value x d(margin)/d(value), (m,): the margin's change by a part of 1; 0 where the nominal value is 0."""
        return np.asarray(self.derivative * self.nominal)

    def linear(self, values: Any) -> Array:
        """Return the margin to first order, (samples,), at values (samples, m)."""
        return np.asarray(self.margin + (np.asarray(values) - self.nominal) @ self.derivative)

    def deviation(self, deviations: Any) -> float:
        """Return the margin's standard deviation to first order, of values that vary independently, (m,)."""
        spread = freeze(deviations, "deviations", shape=self.nominal.shape)
        return float(np.linalg.norm(self.derivative * spread))

    def rows(self) -> list[tuple[str, str]]:
        order = np.argsort(-np.abs(self.relative), kind="stable")[:MOST_SHOWN]
        said = [("margin", f"{self.margin:.5g}")]
        return said + [(self.names[k], f"{self.relative[k] * 0.01:+.3g} by 1%") for k in order.tolist()]

    def figures(self) -> dict[str, Any]:
        return {"margin": self.margin, "names": list(self.names), "derivative": self.derivative.tolist()}


def sensitivities(
    margin: Margins, nominal: Any, lower: Any, upper: Any, *, names: Sequence[str] = (), step: float = STEP
) -> Sensitivities:
    """Return the sensitivities of a margin by central differences, (m(p + h) - m(p - h)) / 2h: 4 m + 1 evaluations.

    `margin(values)`: (samples,) of values (samples, m). `nominal`, `lower`, `upper`: (m,); h is `step` times half of
    upper - lower, of each value. What the error says is the change from h to h / 2, without the error of rounding.

    Raises InputError for a box that does not hold the nominal values, and a margin that is not finite.
    """
    point, low, high = as_box(nominal, lower, upper)
    size = point.size
    part = float(positive(step, "step", shape=(), unit=""))
    h = part * 0.5 * (high - low)
    moves = np.concatenate([np.diag(h), -np.diag(h), np.diag(h / 2.0), -np.diag(h / 2.0), np.zeros((1, size))])
    found = evaluate(margin, point + moves)
    wide, narrow = found[:size] - found[size : 2 * size], found[2 * size : 3 * size] - found[3 * size : 4 * size]
    with np.errstate(divide="ignore", invalid="ignore"):
        coarse, fine = (np.where(h > 0.0, change / (2.0 * h), 0.0) for change in (wide, 2.0 * narrow))
    return Sensitivities(
        names=names_of(names, size),
        nominal=point,
        margin=float(found[-1]),
        derivative=freeze(fine, "derivative"),
        error=freeze(np.abs(fine - coarse), "error"),
    )


def as_box(nominal: Any, lower: Any, upper: Any) -> tuple[Array, Array, Array]:
    """Return nominal values and their limits, (m,) each. Raises InputError where they do not lie between."""
    point = freeze(nominal, "nominal")
    if point.ndim != 1 or not point.size:
        raise InputError(f"`nominal` has shape {point.shape}: must be (parts,), with one part at least")
    low, high = (freeze(end, name, shape=point.shape) for name, end in (("lower", lower), ("upper", upper)))
    bad = (low > point) | (point > high)
    if bad.any():
        k = int(np.argmax(bad))
        raise InputError(f"`nominal[{k}]` = {point[k]:g}: must lie from lower, {low[k]:g}, to upper, {high[k]:g}")
    return point, low, high


def evaluate(margin: Margins, values: Array) -> Array:
    """Return a margin of samples. Raises InputError for another shape, and for what is not finite."""
    found = np.asarray(margin(values), dtype=np.float64)
    if found.shape != (len(values),):
        raise InputError(f"`margin` gave shape {found.shape} of {len(values)} samples: must give ({len(values)},)")
    if not np.isfinite(found).all():
        k = int(np.argmin(np.isfinite(found)))
        raise InputError(f"`margin` gave {found[k]} of sample {k}: must be finite, also where a board fails")
    return found


def names_of(names: Sequence[str], size: int) -> tuple[str, ...]:
    """Return names of values, their places by default. Raises InputError for another number of them."""
    if names and len(names) != size:
        raise InputError(f"`names` has {len(names)}: must have {size}")
    return tuple(str(name) for name in names) if names else tuple(str(k) for k in range(size))


@dataclass(frozen=True, kw_only=True, eq=False)
class EquilibriumSensitivities:
    """d(margin)/d(value) of a margin m(x) at an equilibrium x.

    `weights`: (n, n), by siemens. `leaks`: (n,), by siemens of 1/R_i; `resistance`: (n,), by ohm of R_i. `bias`: (n,),
    by ampere. `offsets`: (n,), by volt at the input of amplifier j. `multiplier`: (n,), the solution of J^T l = dm/dx.
    """

    weights: Array
    leaks: Array
    resistance: Array
    bias: Array
    offsets: Array
    multiplier: Array


def equilibrium_sensitivities(
    network: Network, state: Any, gradient: Any, *, is_loaded: bool = False
) -> EquilibriumSensitivities:
    """Return how a margin of an equilibrium changes with every value of the network, by one transposed solve.

    0 = F = -x / R + T g(x + e) + I at `state` x, (n,), and e = 0 the offsets. With J = dF/dx = T diag(g'(x)) -
    diag(1/R) and J^T l = dm/dx, `gradient`, (n,): dm/dp = -l . dF/dp, so

        dm/dT_ij = -l_i g_j(x_j)    dm/d(1/R_i) = l_i x_i    dm/dI_i = -l_i    dm/de_j = -(T^T l)_j g_j'(x_j).

    `is_loaded`: the conductances T_ij load a passive summing node, 1/R_i = 1/rho_i + sum_j |T_ij| with rho held, so
    dm/dT_ij = -l_i (g_j(x_j) - sign(T_ij) x_i). A gradient that depends on the values besides is the caller's to add.

    Raises InputError for a state that is not an equilibrium, and one where J is singular, so that it has no derivative.
    """
    n = network.size
    x = freeze(state, "state", shape=(n,))
    slope = freeze(gradient, "gradient", shape=(n,))
    weights = dense(network.weights)
    outputs, gains = np.asarray(network.gain.value(x)), np.asarray(network.gain.derivative(x))
    terms = -x / network.resistance, weights @ outputs, network.bias
    flow = np.abs(terms[0]) + np.abs(weights) @ np.abs(outputs) + np.abs(network.bias)
    jacobian = weights * gains - np.diag(1.0 / network.resistance)
    # Newton's step says how far the equilibrium is, which the current at its node does not.
    residual = np.abs(terms[0] + terms[1] + terms[2])
    if np.any(residual > SMALL * np.max(flow)):
        k = int(np.argmax(residual))
        raise InputError(
            f"`state`: {residual[k]:.3g} A are left over at neuron {k}, of {np.max(flow):.3g} A: must be an "
            "equilibrium; take one of find_equilibria, or go on with its Newton iteration"
        )
    if not np.linalg.cond(jacobian, 1) * LEAST_RECIPROCAL < 1.0:
        raise InputError("`state`: the Jacobian is singular there (a fold), so the equilibrium has no derivative")
    multiplier = np.linalg.solve(jacobian.T, slope)
    drive = np.broadcast_to(outputs, (n, n)) - (np.sign(weights) * x[:, None] if is_loaded else 0.0)
    return EquilibriumSensitivities(
        weights=freeze(-multiplier[:, None] * drive, "weights"),
        leaks=freeze(multiplier * x, "leaks"),
        resistance=freeze(-multiplier * x / network.resistance**2, "resistance"),
        bias=freeze(-multiplier, "bias"),
        offsets=freeze(-(weights.T @ multiplier) * gains, "offsets"),
        multiplier=freeze(multiplier, "multiplier"),
    )
