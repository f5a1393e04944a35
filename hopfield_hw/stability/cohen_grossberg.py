"""Symmetric networks: an energy that never rises, whatever the number of equilibria."""

from __future__ import annotations

import numpy as np

from ..graph import Graph, HasGraph
from ..values.arrays import Array
from ..values.errors import InputError
from .certificate import Certificate
from .inequality import check_positive, exact
from .reading import read_network
from .systems import DelayedNetwork

# T_ij / C_i has been rounded: two weights count as symmetric to this part of the larger of them.
SYMMETRY = 1e-12
TAKEN = "; the weights are taken as symmetric, as each pair is to 1e-12"


def certify_cohen_grossberg(network: DelayedNetwork | Graph | HasGraph) -> Certificate:
    """Return that a network without delay whose weights are symmetric has an energy that never rises.

    There are c_i > 0 with c_i W_ij = c_j W_ji (the capacitances of an electrical network), and gain curves do not fall:
    then E = -1/2 f^T c W f - c I^T f + sum_i c_i a_i int f_i^-1 has dE/dt = -sum_i c_i f_i'(x_i) x_i'^2 <= 0 (M. A.
    Cohen and S. Grossberg, IEEE Trans. Syst. Man Cybern. 13:815, 1983; J. J. Hopfield, PNAS 81:3088, 1984). This says
    nothing of how many equilibria there are. Each pair c_i W_ij, c_j W_ji may differ by 1e-12 of the larger one, for
    rounding; the claim then says that the weights are taken as symmetric, and it is not exact.

    Raises InputError for weights that are not symmetric in this sense, feedback with delay, a static field, gain curves
    that fall, and as `read_network` does.
    """
    found = read_network(network)
    if found.has_delay:
        raise InputError("the energy of Cohen and Grossberg is of a network without delay; this one has late weights")
    if found.kind != "local":
        raise InputError("the energy of Cohen and Grossberg is of a local field here; this network has a static one")
    if bool(np.any(found.lower < 0.0)):
        k = int(np.argmax(found.lower < 0.0))
        raise InputError(f"`lower[{k}]` = {found.lower[k]:g}: a gain curve falls: must be monotone, slopes at least 0")
    c = _symmetrise(found.weights)
    weighted = c[:, None] * found.weights
    larger = np.maximum(np.abs(weighted), np.abs(weighted.T))
    difference = np.abs(weighted - weighted.T) / np.where(larger > 0.0, larger, 1.0)
    if not float(difference.max()) <= SYMMETRY:
        i, j = (int(k) for k in np.unravel_index(np.argmax(difference), difference.shape))
        raise InputError(
            f"`weights[{i}, {j}]` = {found.weights[i, j]:g} and `weights[{j}, {i}]` = {found.weights[j, i]:g}: no "
            "capacitances make them symmetric, so there is no such energy; make them equal, or take another criterion"
        )
    symmetric = _is_symmetric(c, found.weights)
    rest = [1.0 - float(difference.max()) / SYMMETRY]
    return Certificate(
        criterion="Cohen-Grossberg",
        claim="an energy never rises along any solution; where gain curves rise strictly and are bounded, each "
        "solution approaches the equilibria" + ("" if symmetric else TAKEN),
        system=found,
        inequalities=(
            check_positive("c", exact(c)),
            check_positive("1e-12 less the asymmetry of each pair", exact([1.0]) if symmetric else np.array(rest)),
        ),
        delays=(0.0, 0.0),
        matrices={"c": c},
        proves="convergence",
        source="Cohen and Grossberg, IEEE Trans. Syst. Man Cybern. 13:815 (1983)",
    )


def _is_symmetric(c: Array, weights: Array) -> bool:
    """Return whether c_i W_ij = c_j W_ji for all pairs, in rational numbers."""
    if bool(np.all(c == 1.0)):
        return bool(np.array_equal(weights, weights.T))
    weighted = exact(c)[:, None] * exact(weights)
    return bool(np.all(weighted == weighted.T))


def _symmetrise(weights: Array) -> Array:
    """Return c > 0 with c_i W_ij = c_j W_ji along a tree of the network's edges; 1 where there is none."""
    n = weights.shape[0]
    c = np.zeros(n)
    for start in range(n):
        if c[start]:
            continue
        c[start] = 1.0
        queue = [start]
        for i in queue:
            for j in range(n):
                if not c[j] and weights[i, j] * weights[j, i] > 0.0:
                    c[j] = c[i] * weights[i, j] / weights[j, i]
                    queue.append(j)
    return c
