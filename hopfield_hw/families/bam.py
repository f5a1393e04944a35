"""Bidirectional associative memory (Kosko 1988): two populations that drive each other through one matrix."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..functions import Gain, Tanh
from ..graph import Activate, Affine, Graph, Operator, Sign, Units, tie_bands
from ..graph.building import CIRCUIT_UNITS, matrix, network_graph, state
from ..values.arrays import Array, freeze
from ..values.errors import InputError


def bam(
    weights: Any,
    *,
    gain: Gain | None = None,
    tau: float = 1.0,
    bias_x: Any = 0.0,
    bias_y: Any = 0.0,
    initial_x: Any = 0.0,
    initial_y: Any = 0.0,
    units: Units = CIRCUIT_UNITS,
) -> Graph:
    """Return the continuous memory: two populations, so that T = [[0, M], [M^T, 0]] is symmetric for every M.

    tau dx_i/dt = -x_i + sum_j M_ij g(y_j) + I_i,    tau dy_j/dt = -y_j + sum_i M_ij g(x_i) + J_j

    `weights`: M, (n, p), dense, scipy.sparse or a Stencil (a fixed edge of which drives x alone); M_ij couples x_i and
    y_j, both ways. `gain`: g, of all neurons; Tanh() by default. `tau`: units of time. `bias_x`, `initial_x`: (n,) or
    one; `bias_y`, `initial_y`: (p,) or one. Outputs: `x_out` = g(x), then `y_out` = g(y). B. Kosko, IEEE Trans. Syst.
    Man Cybern. 18:49 (1988).

    Raises InputError for a gain that is not monotone, and for shapes that do not meet.
    """
    forward, n, p = matrix(weights, "weights")
    curve = Tanh() if gain is None else gain
    if not isinstance(curve, Gain) or curve.size is not None:
        raise InputError(f"`gain` = {curve!r:.60}: must be one Gain for all neurons, such as Tanh(gain=5.0)")
    operators: list[Operator] = [
        state("x", freeze(initial_x, "initial_x", shape=(n,)), tau=tau),
        state("y", freeze(initial_y, "initial_y", shape=(p,)), tau=tau),
        Activate(name="gx", size=n, function=curve),
        Activate(name="gy", size=p, function=curve),
        Affine(name="to_x", weights=forward, bias=freeze(bias_x, "bias_x", shape=(n,))),
        Affine(name="to_y", weights=forward.transpose(), bias=freeze(bias_y, "bias_y", shape=(p,))),
    ]
    edges = [("x", "gx"), ("gx", "to_y"), ("to_y", "y"), ("y", "gy"), ("gy", "to_x"), ("to_x", "x")]
    return network_graph(operators, edges, outputs=[("x_out", "gx", n), ("y_out", "gy", p)], units=units)


def discrete_bam(
    weights: Any,
    *,
    bias_x: Any = 0.0,
    bias_y: Any = 0.0,
    initial_x: Any = 1.0,
    initial_y: Any = 1.0,
    units: Units = CIRCUIT_UNITS,
) -> Graph:
    """Return the discrete memory: y' = sign(M^T x + J), then x' = sign(M y' + I), one pass there and back a step.

    Neurons are +1 or -1, and keep their state where their drive is a tie (see `families.discrete_hopfield`). The energy
    -x^T M y - I^T x - J^T y never rises, so that every M is bidirectionally stable (Kosko 1988): each start ends at a
    fixed point.

    `weights`: M, (n, p), as of `bam`. `bias_x`: I, (n,) or one; `bias_y`: J, (p,) or one. `initial_x`,
    `initial_y`: +1 or -1. One step is one unit of time. Outputs: `x_out`, `y_out`, the new states.

    Raises InputError for shapes that do not meet, and an initial state other than +1 or -1.
    """
    forward, n, p = matrix(weights, "weights")
    to_x = Affine(name="to_x", weights=forward, bias=freeze(bias_x, "bias_x", shape=(n,)))
    to_y = Affine(name="to_y", weights=forward.transpose(), bias=freeze(bias_y, "bias_y", shape=(p,)))
    operators: list[Operator] = [
        state("x", _bipolar(initial_x, "initial_x", n), discrete=True),
        state("y", _bipolar(initial_y, "initial_y", p), discrete=True),
        to_y,
        to_x,
        Sign(name="new_y", size=p, band=tie_bands(to_y)),
        Sign(name="new_x", size=n, band=tie_bands(to_x)),
    ]
    edges: list[tuple[str, ...]] = [("x", "to_y"), ("to_y", "new_y"), ("y", "new_y", "tie"), ("new_y", "y")]
    edges += [("new_y", "to_x"), ("to_x", "new_x"), ("x", "new_x", "tie"), ("new_x", "x")]
    return network_graph(operators, edges, outputs=[("x_out", "new_x", n), ("y_out", "new_y", p)], units=units)


def bam_weights(pairs_x: Any, pairs_y: Any) -> Array:
    """Return M = sum_k x_k y_k^T, (n, p), of k pairs of patterns, (k, n) and (k, p), +1 or -1 (Kosko 1988).

    Raises InputError for different numbers of patterns, and values other than +1 or -1.
    """
    first, second = freeze(pairs_x, "pairs_x"), freeze(pairs_y, "pairs_y")
    if first.ndim != 2 or second.ndim != 2 or len(first) != len(second) or not first.size or not second.size:
        raise InputError(
            f"`pairs_x` has shape {first.shape}, `pairs_y` {second.shape}: must be (k, n) and (k, p), one row a pattern"
        )
    for values, name in ((first, "pairs_x"), (second, "pairs_y")):
        _bipolar(values, name, None)
    product: Array = first.T @ second
    return product


def _bipolar(value: Any, name: str, size: int | None) -> Array:
    values = freeze(value, name, shape=None if size is None else (size,))
    if not bool(np.all(np.abs(values) == 1.0)):
        raise InputError(f"`{name}` holds {values[np.abs(values) != 1.0].flat[0]:g}: each must be +1 or -1")
    return values


def random_bam(rng: np.random.Generator) -> Graph:
    """Return a memory of 2 to 12 and 2 to 12 neurons, with gains from 1 to 20 and weights that make it choose."""
    n, p = rng.integers(2, 13, 2).tolist()
    return bam(
        rng.normal(size=(n, p)) * rng.uniform(0.5, 2.0) / np.sqrt(max(n, p)),
        gain=Tanh(gain=20.0 ** rng.uniform()),
        tau=rng.uniform(0.5, 2.0),
        bias_x=0.2 * rng.normal(size=n),
        bias_y=0.2 * rng.normal(size=p),
        initial_x=rng.uniform(-1.0, 1.0, n),
        initial_y=rng.uniform(-1.0, 1.0, p),
    )
