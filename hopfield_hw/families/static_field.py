"""The static-field model: the gain acts on the summed input, before the state."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..functions import Function, Tanh
from ..graph import Activate, Affine, Graph, Operator, Units
from ..graph.building import CIRCUIT_UNITS, network_graph, square, state
from ..values.arrays import freeze
from ..values.errors import InputError
from .random_network import random_gain


def static_field(
    weights: Any,
    *,
    gain: Function | None = None,
    bias: Any = 0.0,
    tau: Any = 1.0,
    initial: Any = 0.0,
    discrete: bool = False,
    units: Units = CIRCUIT_UNITS,
) -> Graph:
    """Return tau_i dx_i/dt = -x_i + g_i(sum_j W_ij x_j + q_i); with `discrete`, x[k+1] = g(W x[k] + q).

    With one tau for all and W invertible it is the local-field (Hopfield) form: y = W x + q obeys
    tau dy/dt = -y + W g(y) + q. Z.-B. Xu, H. Qiao, J. Peng, B. Zhang, Neural Netw. 17:73 (2004).

    `weights`: W, (n, n), dense, scipy.sparse or a Stencil, no unit. `gain`: g, any Function; Tanh() by default. `bias`:
    q, (n,) or one. `tau`: (n,) or one, units of time. `initial`: x(0), (n,) or one. Output: `output` = g(W x + q). One
    discrete step is one unit of time.

    Raises InputError for a matrix that is not square, a tau that is not positive, and functions of another size.
    """
    matrix, n = square(weights, "weights")
    curve = Tanh() if gain is None else gain
    if not isinstance(curve, Function):
        raise InputError(f"`gain` = {curve!r:.60}: must be a Function such as Tanh(gain=2.0)")
    operators: list[Operator] = [
        state("x", freeze(initial, "initial", shape=(n,)), tau=tau, discrete=discrete),
        Affine(name="syn", weights=matrix, bias=freeze(bias, "bias", shape=(n,))),
        Activate(name="v", size=n, function=curve),
    ]
    edges = [("x", "syn"), ("syn", "v"), ("v", "x")]
    return network_graph(operators, edges, outputs=[("output", "v", n)], units=units)


def random_static_field(rng: np.random.Generator) -> Graph:
    """Return a model of 2 to 16 neurons with any gain curve and different taus."""
    n = int(rng.integers(2, 17))
    return static_field(
        rng.normal(size=(n, n)) / np.sqrt(n),
        gain=random_gain(rng, n),
        bias=rng.normal(size=n),
        tau=2.0 ** rng.uniform(-1.0, 1.0, n),
        initial=rng.uniform(-1.0, 1.0, n),
    )
