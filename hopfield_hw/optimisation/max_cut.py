"""Max-cut: the sides of the nodes of a weighted graph between which the weights add up to most."""

from __future__ import annotations

from typing import Any

import numpy as np
import scipy.sparse as sp
from scipy.sparse.csgraph import connected_components

from ..formats.instances import WeightedGraph
from ..values.errors import InputError
from .annealed import Effort, anneal_model
from .solution import Solution

# A bound by an eigenvalue is taken for so many nodes; what is added to it against rounding, of the norm of L.
LARGEST, DENSE, ROUNDING = 4000, 400, 1e-9
# From so many nodes on; none of them is the best for dense, planar and grid-like graphs alike.
MANY, PRESETS_OF_LARGE = 300, ("large", "large_planar", "large_grid")


def solve_max_cut(graph: WeightedGraph, effort: Effort) -> Solution:
    """Return the best cut that annealed networks find, E = sum_{i<j} w_ij s_i s_j, and a bound by an eigenvalue.

    No cut is above n lambda_max(L) / 4, with L the Laplacian (B. Mohar and S. Poljak, Czech. Math. J. 40:343, 1990);
    where the weights are whole the bound is rounded down, and a cut that reaches it is the largest.
    """
    from ..annealing import IsingModel

    presets = PRESETS_OF_LARGE if graph.size > MANY else ()
    found, preset = anneal_model(IsingModel(couplings=graph.couplings), effort, presets)
    sides = np.asarray(found.best > 0, dtype=np.int8)
    value = cut_value(graph, sides)
    bound = cut_bound(graph)
    pieces = int(connected_components(graph.couplings, directed=False)[0])
    return Solution(
        name=graph.name,
        kind="max_cut",
        answer=sides,
        form="the side of each node, 0 or 1",
        value=value,
        what="cut",
        valid=True,
        rests_on="the weights of the file between the two sides" + (", and the bound" if value >= bound else ""),
        optimal=value >= bound,
        bound=bound,
        more={} if pieces == 1 else {"graph": f"in {pieces} pieces, solved together"},
        **effort.told(found, preset, 0.5 * (graph.weights.sum() - found.energies)),
    )


def cut_value(graph: WeightedGraph, sides: Any) -> float:
    """Return the weights of the edges between nodes of different sides, added up."""
    side = np.asarray(sides)
    if side.shape != (graph.size,):
        raise InputError(f"`sides` has shape {side.shape}: must have shape {(graph.size,)}")
    i, j = graph.edges.T
    return float(graph.weights[side[i] != side[j]].sum())


def cut_bound(graph: WeightedGraph) -> float:
    """Return a value that no cut is above: the least of the weights above 0, added up, and n lambda_max / 4.

    An eigenvalue is taken for the largest where t I - L has a Cholesky factor for a t just above it.
    """
    most = float(graph.weights[graph.weights > 0.0].sum())
    if graph.size <= LARGEST:
        weights = graph.couplings
        laplacian: Any = sp.diags_array(weights.sum(axis=1)) - weights
        above = _largest_eigenvalue(laplacian) + ROUNDING * float(abs(laplacian).sum(axis=1).max())
        try:
            np.linalg.cholesky(above * np.eye(graph.size) - laplacian.toarray())
        except np.linalg.LinAlgError:
            pass  # nothing is known of this bound
        else:
            most = min(most, 0.25 * graph.size * above)
    whole = np.all(graph.weights == np.rint(graph.weights))
    return float(np.floor(most)) if whole else most


def _largest_eigenvalue(matrix: Any) -> float:
    if matrix.shape[0] <= DENSE:
        return float(np.linalg.eigvalsh(matrix.toarray())[-1])
    from scipy.sparse.linalg import eigsh

    start = np.random.default_rng(0).normal(size=matrix.shape[0])
    return float(eigsh(matrix, k=1, which="LA", v0=start, tol=1e-12, return_eigenvectors=False)[0])
