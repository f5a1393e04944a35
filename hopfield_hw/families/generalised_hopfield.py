"""The Hopfield network with any matrix: fixed points, limit cycles and chaos."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..functions import Function, Tanh
from ..graph import Activate, Affine, Graph, Operator, Units
from ..graph.building import CIRCUIT_UNITS, network_graph, square, state
from ..graph.weights import diagonal_weights
from ..values.arrays import freeze
from ..values.errors import InputError
from .random_network import random_gain

# To 1.9 in the second row Danca and Kuznetsov add their parameter p.
CHAOTIC_WEIGHTS = ((2.0, -1.2, 0.0), (1.9, 1.71, 1.15), (-4.75, 0.0, 1.1))


def generalised_hopfield(
    weights: Any,
    *,
    decay: Any = 1.0,
    gain: Function | None = None,
    bias: Any = 0.0,
    initial: Any = 0.0,
    discrete: bool = False,
    units: Units = CIRCUIT_UNITS,
) -> Graph:
    """Return dx_i/dt = -c_i x_i + sum_j a_ij g_j(x_j) + I_i for any matrix A, symmetric or not.

    With `discrete`, x_i[k+1] = c_i x_i[k] + sum_j a_ij g_j(x_j[k]) + I_i, one step a unit of time.

    `weights`: A, (n, n), dense, scipy.sparse or a Stencil, per unit of time; a_ij is from j to i. `decay`: c, (n,) or
    one, per unit of time, at least 0 (0: an integrator); in discrete time any number. `gain`: g, any Function, monotone
    or not; Tanh() by default. `bias`: I, and `initial`: x(0), (n,) or one. Output: `output` = g(x). J. J. Hopfield,
    PNAS 81:3088 (1984), where A is symmetric.

    Raises InputError for a matrix that is not square, a negative decay, and functions for another number of neurons.
    """
    matrix, n = square(weights, "weights")
    curve = Tanh() if gain is None else gain
    if not isinstance(curve, Function):
        raise InputError(f"`gain` = {curve!r:.60}: must be a Function such as Tanh(gain=2.0)")
    start = freeze(initial, "initial", shape=(n,))
    operators: list[Operator] = [
        state("x", start, decay=decay, discrete=discrete),
        Activate(name="v", size=n, function=curve),
        Affine(name="syn", weights=matrix, bias=freeze(bias, "bias", shape=(n,))),
    ]
    edges = [("x", "v"), ("v", "syn"), ("syn", "x")]
    if discrete:
        kept = diagonal_weights(freeze(decay, "decay", shape=(n,)), is_sparse=matrix.is_sparse)
        operators.append(Affine(name="keep", weights=kept))
        edges += [("x", "keep"), ("keep", "x")]
    return network_graph(operators, edges, outputs=[("output", "v", n)], units=units)


def chaotic_hopfield(*, p: float = 0.1, initial: Any = (0.1, 0.1, 0.1), units: Units = CIRCUIT_UNITS) -> Graph:
    """Return three neurons that are chaotic: dx/dt = -x + W tanh(x), W = [2 -1.2 0; 1.9 + p 1.71 1.15; -4.75 0 1.1].

    X.-S. Yang and Q. Yuan, Neurocomputing 69:232 (2005); the form with p is that of M.-F. Danca and N. Kuznetsov,
    Chaos, Solitons and Fractals 103:144 (2017). At p = 0.1 the Lyapunov exponents are 0.054, 0 and -0.517 per unit of
    time (by Benettin's method, over 4,000 units). Other p have limit cycles, or chaos that ends in one.
    """
    weights = np.array(CHAOTIC_WEIGHTS)
    weights[1, 0] += float(freeze(p, "p", shape=()))
    return generalised_hopfield(weights, initial=initial, units=units)


def random_generalised_hopfield(rng: np.random.Generator) -> Graph:
    """Return a network of 2 to 16 neurons with different decays, any gain curve, and a matrix that is not symmetric.

    Gains are from 1 to 100, and weights as strong as lets most of them settle or oscillate regularly.
    """
    n = int(rng.integers(2, 17))
    decay = 2.0 ** rng.uniform(-1.0, 1.0, n)
    return generalised_hopfield(
        decay[:, np.newaxis] * rng.normal(size=(n, n)) / np.sqrt(n),
        decay=decay,
        gain=random_gain(rng, n),
        bias=decay * rng.normal(size=n),
        initial=rng.uniform(-3.0, 3.0, n),
    )
