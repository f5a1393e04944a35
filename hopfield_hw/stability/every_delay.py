"""Networks with slopes in sectors, stable whatever the delay: one matrix inequality."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from ..graph import Graph, HasGraph
from .certificate import Certificate
from .inequality import multiply
from .reading import read_network
from .sectors import both, field, in_units, integrals, network_data, sector, selectors, square, stack
from .semidefinite import Problem, Unknown, solve, verify
from .systems import DelayedNetwork


def certify_every_delay(
    network: DelayedNetwork | Graph | HasGraph, *, solver: str | None = None, exactly: bool = True
) -> Certificate:
    """Return whether a network with slopes in sectors is stable for every constant delay (a Lur'e functional).

    V = x^T P x + 2 sum_i a_i int (f_i - l_i s) ds + 2 sum_i b_i int (k_i s - f_i) ds + int_{t-h}^t [x; f]^T Q [x; f],
    x and f measured from an equilibrium; V' < 0 wherever f lies in its sector, by the S-procedure (S. Boyd, L. El
    Ghaoui, E. Feron and V. Balakrishnan, Linear Matrix Inequalities in System and Control Theory, 1994, sections 5.1
    and 8.1). Of a network without delay it is the Lur'e-Postnikov criterion.

    Since each linear network with slopes in the sector is stable, no matrix -A + W D is singular, so that there is one
    equilibrium for each constant input. `solver`: as of `semidefinite.solve`. `exactly`: in rational arithmetic.

    Raises InputError as `read_network` does, and MissingExtra without cvxpy.
    """
    found = read_network(network)
    problem = every_delay_problem(found)
    values = solve(problem, solver)
    return Certificate(
        criterion="Lur'e functional, every delay",
        claim="one equilibrium for each constant input, globally asymptotically stable, "
        + ("for every constant delay" if found.has_delay else "in this network without delay"),
        system=found,
        inequalities=verify(problem, values, exactly=exactly),
        matrices={} if values is None else problem.matrices(values),
        source="Boyd, El Ghaoui, Feron and Balakrishnan, Linear Matrix Inequalities (1994), sections 5.1, 8.1",
    )


def every_delay_problem(network: DelayedNetwork) -> Problem:
    """Return the inequalities of V = x^T P x + integrals of f + int_{t-h}^t [x; f]^T Q [x; f], whatever h is.

    V' < 0 with the sector conditions of f(y(t)) and f(y(t - h)) by multipliers T0, T1 (S-procedure).
    """
    n = network.size
    late = network.has_delay
    unknowns = [Unknown("P", "symmetric", n), Unknown("above", "diagonal", n), Unknown("below", "diagonal", n)]
    unknowns += [Unknown("T0", "diagonal", n)]
    if late:
        unknowns += [Unknown("T1", "diagonal", n), Unknown("Q", "symmetric", 2 * n)]

    def build(found: Mapping[str, Any], data: Mapping[str, Any]) -> dict[str, Any]:
        data = in_units(network, data)
        if not late:
            x, f = selectors(2, n, data["A"])
            y_matrix, rate = field(network, data, x, f, f)
        else:
            x, x_late, f, f_late = selectors(4, n, data["A"])
            y_matrix, rate = field(network, data, x, f, f_late)
        y = multiply(y_matrix, x)
        total = both(x, found["P"], rate) + sector(f, y, data, found["T0"])
        total = total + integrals(f, y, multiply(y_matrix, rate), data, found["above"], found["below"])
        if not late:
            return {"P": found["P"], "-V'": -total}
        total = total + square(stack(x, f), found["Q"]) - square(stack(x_late, f_late), found["Q"])
        total = total + sector(f_late, multiply(y_matrix, x_late), data, found["T1"])
        return {"P": found["P"], "Q": found["Q"], "-V'": -total}

    seconds = float(1.0 / np.max(network.decay))
    return Problem(tuple(unknowns), build, network_data(network, seconds))
