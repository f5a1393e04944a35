"""The energy of a Cohen-Grossberg network with symmetric weights."""

from __future__ import annotations

import numpy as np

from ..functions import Function
from ..graph import Activate, Affine, Delay, Graph, as_graph
from ..values.arrays import Array, check_array
from ..values.errors import InputError

# The integral is cut at this many uniform points and at every state asked for, with five Gauss points in each piece.
PIECES = 4000
GAUSS = np.polynomial.legendre.leggauss(5)


def cohen_grossberg_energy(graph: Graph, state: Array) -> Array:
    """Return V = -sum_i int_0^{x_i} (b_i(s) + I_i) d_i'(s) ds + 1/2 sum_jk c_jk d_j(x_j) d_k(x_k).

    `graph`: from `families.cohen_grossberg`. `state`: x, (..., n), volts; the result is (...,), in the graph's units. V
    never rises along a solution in continuous time where C is symmetric, a is at least 0 and d does not fall (Cohen and
    Grossberg 1983).

    Raises InputError for another graph, one with delays, weights that are not symmetric, and states of another size.
    """
    names = as_graph(graph).by_name
    bracket, signal = names.get("bracket"), names.get("signal")
    if not isinstance(bracket, Affine) or not isinstance(signal, Activate):
        raise InputError("cohen_grossberg_energy: the graph must be one from families.cohen_grossberg")
    if len(graph.states) != 1 or graph.of_type(Delay):
        raise InputError("cohen_grossberg_energy: the graph has delays, and with them no such energy; take them out")
    if not bracket.weights.is_symmetric:
        raise InputError("cohen_grossberg_energy: the weights are not symmetric, so there is no such energy")
    x = check_array(state, "state") / graph.units.volts_per_unit
    if x.shape[-1:] != (signal.size,):
        raise InputError(f"`state` has shape {x.shape}: must be (..., {signal.size}), the states last")
    d = signal.function
    values, still = d.value(x), d.value(np.zeros(signal.size))
    quadratic = -0.5 * np.sum(values * bracket.weights.apply(values), axis=-1)
    total: Array = quadratic - np.sum(bracket.constant * (values - still), axis=-1)
    own = names.get("self_signal")
    if isinstance(own, Activate) and x.size:
        rows = x.reshape(-1, signal.size)
        each = [_integral(own.function, d, rows[:, i], i) for i in range(signal.size)]
        total = total - np.sum(each, axis=0).reshape(total.shape)
    return total


def _integral(b: Function, d: Function, ends: Array, i: int) -> Array:
    """Return the integral of b(s) d'(s) from 0 to each end, for element i; by parts, as d may jump and b does not."""
    own, signal = (f if f.size is None else f.at(i) for f in (b, d))
    low, high = min(0.0, float(ends.min())), max(0.0, float(ends.max()))
    cuts = np.unique(np.concatenate([ends, [0.0], np.linspace(low, high, PIECES)]))
    half = 0.5 * np.diff(cuts)
    at = (cuts[:-1] + half)[:, np.newaxis] + half[:, np.newaxis] * GAUSS[0]
    pieces = half * np.sum(GAUSS[1] * own.derivative(at) * signal.value(at), axis=1)
    area = np.concatenate([[0.0], np.cumsum(pieces)])
    product = own.value(cuts) * signal.value(cuts) - area
    found: Array = product[np.searchsorted(cuts, ends)] - product[np.searchsorted(cuts, 0.0)]
    return found
