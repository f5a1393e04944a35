"""The discrete Hopfield network (1982): neurons of +1 or -1 that change all at once."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..graph import Affine, Clock, Edge, Graph, Hold, Operator, Output, Sign, tie_bands
from ..graph.building import square
from ..values.arrays import freeze
from ..values.errors import InputError


def discrete_hopfield(weights: Any, *, bias: Any = 0.0, initial: Any = 1.0) -> Graph:
    """Return x_i' = sign(sum_j W_ij x_j + b_i), x = +1 or -1; where the sum is a tie a neuron keeps its state.

    A tie is a sum within the band of the neuron, `band` of the Sign "v", alike in every machine. Where the weights and
    the bias of a neuron are whole multiples of a step q (whole numbers, say, or numbers of few decimals), so is every
    sum, and the band is q/2: a tie is a sum of 0, whatever rounding makes of it. Otherwise it is half of the least sum
    other than 0, or 1e-9 of sum_j |W_ij| + |b_i| where those are more than 12 terms. See `graph.tie_band`.

    `weights`: W, (n, n), dense, scipy.sparse or a Stencil. `bias`: (n,) or one. `initial`: (n,) or one, each +1 or -1.
    All neurons change at once; `equations.asynchronous.run_asynchronous` changes them one by one (Hopfield, PNAS
    79:2554, 1982).

    Raises InputError for weights that are not square, and an initial state other than +1 or -1.
    """
    matrix, n = square(weights, "weights")
    start = freeze(initial, "initial", shape=(n,))
    if not bool(np.all(np.abs(start) == 1.0)):
        raise InputError(f"`initial` holds {start[np.abs(start) != 1.0][0]:g}: each must be +1 or -1")
    synapses = Affine(name="syn", weights=matrix, bias=freeze(bias, "bias", shape=(n,)))
    operators: tuple[Operator, ...] = (
        Hold(name="x", clock=Clock(period=1.0), initial=start),
        synapses,
        Sign(name="v", size=n, band=tie_bands(synapses)),
        Output(name="y", size=n),
    )
    edges = (Edge("x", "syn"), Edge("syn", "v"), Edge("x", "v", "tie"), Edge("v", "x"), Edge("x", "y"))
    return Graph(operators=operators, edges=edges)
