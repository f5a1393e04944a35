"""Diagonal (Lyapunov) stability: one multiplier for each neuron."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from ..graph import Graph, HasGraph
from ..values.arrays import freeze
from ..values.errors import InputError
from .certificate import Certificate
from .inequality import multiply
from .reading import read_network
from .sectors import in_units, network_data
from .semidefinite import Problem, Unknown, blocks, solve, verify
from .systems import DelayedNetwork


def certify_diagonal_stability(
    network: DelayedNetwork | Graph | HasGraph,
    rate: float = 0.0,
    *,
    solver: str | None = None,
    exactly: bool = True,
) -> Certificate:
    """Return whether there is a diagonal D > 0 with D W0 + W0^T D - 2 D A K^-1 < 0, and its form with delay.

    Of a local field with slopes in [0, K]: V = e x^T x + 2 sum_i d_i int f_i falls, whatever the gain curves and
    inputs are (M. Forti and A. Tesi, IEEE Trans. Circuits Syst. I 42:354, 1995). With a delay of rate up to mu below 1,
    int_{t-h}^t f^T Q f is added to V, and the inequality is

        [D W0 + W0^T D - 2 D A K^-1 + Q, D W1; W1^T D, -(1 - mu) Q] < 0.

    Both are multiplied by K on either side, so that nothing is divided. `rate`: mu, from 0 to below 1. `solver`,
    `exactly`: as of `certify_every_delay`.

    Raises InputError for a static field, a slope below 0 or an upper one that is 0, another rate, and as `read_network`
    does; MissingExtra without cvxpy.
    """
    found = read_network(network)
    mu = float(freeze(rate, "rate", shape=(), allow_inf=True))
    if not 0.0 <= mu < 1.0:
        raise InputError(f"`rate` = {mu:g}: must be from 0 to below 1 here; faster delays are for the M-matrix")
    if found.kind != "local":
        raise InputError("diagonal stability is of a local field, x' = -A x + W f(x); this network has a static one")
    if bool(np.any(found.lower < 0.0)) or bool(np.any(found.upper <= 0.0)):
        raise InputError(
            "diagonal stability needs slopes in [0, K] with K above 0: a gain curve here falls, or is flat"
        )
    problem = _problem(found, mu)
    values = solve(problem, solver)
    how = "every constant delay" if mu == 0.0 else f"every delay that grows by at most {mu:g} s/s"
    return Certificate(
        criterion="diagonal stability",
        claim="one equilibrium for each constant input, globally asymptotically stable"
        + (f", for {how}" if found.has_delay else ""),
        system=found,
        inequalities=verify(problem, values, exactly=exactly),
        rate=mu,
        matrices={} if values is None else problem.matrices(values),
        source="Forti and Tesi, IEEE Trans. Circuits Syst. I 42:354 (1995)",
    )


def _problem(network: DelayedNetwork, rate: float) -> Problem:
    n = network.size
    unknowns = [Unknown("D", "diagonal", n)]
    if network.has_delay:
        unknowns.append(Unknown("Q", "symmetric", n))

    def build(found: Mapping[str, Any], given: Mapping[str, Any]) -> dict[str, Any]:
        data = in_units(network, given)
        d, k = found["D"], data["K"]
        half = multiply(k, d, data["W0"], k) - multiply(d, data["A"], k)
        total = half + half.T
        if not network.has_delay:
            return {"D": d, "-V'": -total}
        late = multiply(k, d, data["W1"], k)
        q = found["Q"]
        return {"D": d, "Q": q, "-V'": blocks([[-total - q, -late], [-late.T, q - q * data["rate"][0]]])}

    data = network_data(network, float(1.0 / np.max(network.decay))) | {"rate": np.array([rate])}
    return Problem(tuple(unknowns), build, data)
