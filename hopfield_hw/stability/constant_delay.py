"""Networks with slopes in sectors and one constant delay: the Bessel-Legendre hierarchy with sector conditions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..graph import Graph, HasGraph
from ..values.arrays import whole
from .certificate import Certificate, check_delay, round_down
from .inequality import multiply
from .reading import read_network
from .sectors import (
    both,
    field,
    in_units,
    integrals,
    legendre_moments,
    network_data,
    sector,
    selectors,
    square,
    stack,
    with_moments,
)
from .semidefinite import Problem, Unknown, solve, verify
from .systems import DelayedNetwork

HIGHEST_ORDER = 12


def certify_constant_delay(
    network: DelayedNetwork | Graph | HasGraph,
    delay: float | None = None,
    *,
    order: int = 1,
    solver: str | None = None,
    exactly: bool = True,
) -> Certificate:
    """Return whether a network with slopes in sectors is stable with one constant delay h.

    V = [x; M]^T P [x; M] + integrals of f + int_{t-h}^t (x^T S x + [x; f]^T Q [x; f]) + h int int x'^T R x', with N
    moments M of the delayed state: the functional of order N of A. Seuret and F. Gouaisbaut (Syst. Control Lett. 81:1,
    2015) with sector conditions at t and t - h, and of the increment between them. With N = 0 it is Jensen's
    inequality, and holds for every constant delay up to h; higher orders are of the one delay h alone.

    `delay`: h, seconds; that of the graph where it has one. `order`: N, from 0 to 12. `solver`, `exactly`: as of
    `certify_every_delay`. Raises InputError for others and as `read_network` does, and MissingExtra without cvxpy.
    """
    found = read_network(network, delay)
    seconds = check_delay(found.delay, "delay")
    problem = constant_delay_problem(found, seconds, whole(order, "order", 0, HIGHEST_ORDER))
    values = solve(problem, solver)
    which = f"for the delay {seconds!r} s" if order else f"for every constant delay up to {round_down(seconds, 9)} s"
    return Certificate(
        criterion=f"Bessel-Legendre with sectors, order {order}",
        claim=f"one equilibrium for each constant input, globally asymptotically stable, {which}",
        system=found,
        inequalities=verify(problem, values, exactly=exactly),
        delays=(0.0 if order == 0 else seconds, seconds),
        matrices={} if values is None else problem.matrices(values),
        source="Seuret and Gouaisbaut, Syst. Control Lett. 81:1 (2015), with sector conditions",
    )


def constant_delay_problem(network: DelayedNetwork, delay: float, order: int) -> Problem:
    """Return the inequalities for one delay: the functional of order N of Seuret and Gouaisbaut with sector conditions.

    V = [x; M]^T P [x; M] + integrals of f + int_{t-h}^t (x^T S x + [x; f]^T Q [x; f]) + h int int x'^T R x', with N
    moments M of the delayed state, in units of time of h. Besides the sectors at t and at t - h (T0, T1) the increment
    f(y(t)) - f(y(t - h)) lies in the sector of its argument's (T2), as the slopes do.
    """
    n = network.size
    unknowns = (
        *(Unknown("P", "symmetric", n * (1 + order)), Unknown("S", "symmetric", n), Unknown("R", "symmetric", n)),
        *(Unknown("Q", "symmetric", 2 * n), Unknown("above", "diagonal", n), Unknown("below", "diagonal", n)),
        *(Unknown("T0", "diagonal", n), Unknown("T1", "diagonal", n), Unknown("T2", "diagonal", n)),
    )

    def build(found: Mapping[str, Any], data: Mapping[str, Any]) -> dict[str, Any]:
        data = in_units(network, data)
        x, x_late, f, f_late, *moments = selectors(4 + order, n, data["A"])
        y_matrix, rate = field(network, data, x, f, f_late)
        y, y_late = multiply(y_matrix, x), multiply(y_matrix, x_late)
        changes = legendre_moments(x, x_late, moments)
        total = both(stack(x, *moments), found["P"], stack(rate, *changes[:order]))
        total = total + square(x, found["S"]) - square(x_late, found["S"]) + square(rate, found["R"])
        for k, change in enumerate(changes):
            total = total - square(change, found["R"] * (2 * k + 1))
        total = total + square(stack(x, f), found["Q"]) - square(stack(x_late, f_late), found["Q"])
        total = total + integrals(f, y, multiply(y_matrix, rate), data, found["above"], found["below"])
        total = total + sector(f, y, data, found["T0"]) + sector(f_late, y_late, data, found["T1"])
        total = total + sector(f - f_late, y - y_late, data, found["T2"])
        bounded = with_moments(found["P"], found["S"], order, n)
        return {"P + S": bounded, "S": found["S"], "R": found["R"], "Q": found["Q"], "-V'": -total}

    return Problem(unknowns, build, network_data(network, delay))
