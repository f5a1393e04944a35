"""Networks with slopes in sectors and a delay that varies: bounds by free-weighting matrices."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from ..graph import Graph, HasGraph
from ..values.arrays import freeze
from ..values.errors import InputError
from .certificate import Certificate, check_delay, round_down
from .inequality import multiply
from .reading import read_network
from .sectors import both, field, in_units, integrals, network_data, sector, selectors, square, stack
from .semidefinite import Problem, Unknown, blocks, solve, verify
from .systems import DelayedNetwork

ANY_RATE = float(np.inf)


def certify_varying_delay(
    network: DelayedNetwork | Graph | HasGraph,
    delay: float | None = None,
    rate: float = ANY_RATE,
    *,
    increments: bool = False,
    solver: str | None = None,
    exactly: bool = True,
) -> Certificate:
    """Return whether a network with slopes in sectors is stable for each delay d(t) in [0, h] with d'(t) <= mu.

    V = x^T P x + 2 sum_i a_i int (f_i - l_i s) ds + int_{t-d}^t (x^T Q1 x + f^T Q3 f) + int_{t-h}^t x^T Q2 x
    + int int x'^T R x', in units of time of h. With all variables z = [x, x_d, x_h, f, f_d], and N and M free,

        -int_{t-d}^t x'^T R x' <= 2 z^T N (x - x_d) + (d/h) z^T N R^-1 N^T z,
        -int_{t-h}^{t-d} x'^T R x' <= 2 z^T M (x_d - x_h) + (1 - d/h) z^T M R^-1 M^T z,

    so that V' < 0 for all d if it is at d = 0 and d = h: free-weighting matrices (Y. He, G. P. Liu, D. Rees and M. Wu,
    IEEE Trans. Neural Netw. 18:1850, 2007). From mu = 1 on Q1 and Q3 are left out. `increments`: f(x(t - h)) is one of
    the variables too, the Q are of [x; f], k_i s - f_i has an integral too, and the increments of f between the three
    times lie in the sector of the slopes, which proves more.

    `delay`: h, seconds; that of the graph where it has one. `rate`: mu, at least 0; infinite (the default) for a delay
    that changes as fast as it likes. `solver`, `exactly`: as of `certify_every_delay`.

    Raises InputError for others and as `read_network` does, and MissingExtra without cvxpy.
    """
    found = read_network(network, delay)
    seconds = check_delay(found.delay, "delay")
    mu = float(freeze(rate, "rate", shape=(), allow_inf=True))
    if mu < 0.0:
        raise InputError(f"`rate` = {mu:g}: must be at least 0, the bound of d'(t); 0 for a delay that does not grow")
    problem = varying_delay_problem(found, seconds, mu, increments=increments)
    values = solve(problem, solver)
    how = "however fast it changes" if mu >= 1.0 else f"that grows by at most {round_down(mu)} s/s"
    return Certificate(
        criterion="free-weighting matrices" + (" with increments" if increments else ""),
        claim=f"one equilibrium for each constant input, globally asymptotically stable, for each delay of up to "
        f"{round_down(seconds, 9)} s {how}",
        system=found,
        inequalities=verify(problem, values, exactly=exactly),
        delays=(0.0, seconds),
        rate=mu if mu < 1.0 else ANY_RATE,
        matrices={} if values is None else problem.matrices(values),
        source="He, Liu, Rees and Wu, IEEE Trans. Neural Netw. 18:1850 (2007)",
    )


def varying_delay_problem(network: DelayedNetwork, delay: float, rate: float, *, increments: bool) -> Problem:
    """Return the inequalities of the functional above."""
    n, known = network.size, rate < 1.0
    count, side = (6, 2 * n) if increments else (5, n)
    names = (*(("Q1",) if known else ()), "Q2", *(("Q3",) if known and not increments else ()))
    pairs = 6 if increments else 2
    bounds = ("above", "below") if increments else ("above",)
    unknowns = (
        *(Unknown("P", "symmetric", n), Unknown("R", "symmetric", n)),
        *(Unknown(name, "symmetric", side) for name in names),
        *(Unknown(name, "full", count * n, n) for name in ("N", "M")),
        *(Unknown(name, "diagonal", n) for name in (*bounds, *(f"T{k}" for k in range(pairs)))),
    )

    def build(found: Mapping[str, Any], given: Mapping[str, Any]) -> dict[str, Any]:
        data = in_units(network, given)
        x, x_late, x_last, f, f_late, *others = selectors(count, n, data["A"])
        y_matrix, change = field(network, data, x, f, f_late)
        y, y_late, y_last = (multiply(y_matrix, one) for one in (x, x_late, x_last))
        total = both(x, found["P"], change) + square(change, found["R"])
        weights = [found.get(name, 0 * found["above"]) for name in ("above", "below")]
        total = total + integrals(f, y, multiply(y_matrix, change), data, *weights)
        sectors = [(f, y), (f_late, y_late)]
        if increments:
            (f_last,) = others
            now, late, last = stack(x, f), stack(x_late, f_late), stack(x_last, f_last)
            sectors += [(f_last, y_last), (f - f_late, y - y_late), (f_late - f_last, y_late - y_last)]
            sectors.append((f - f_last, y - y_last))
        else:
            now, late, last = x, x_late, x_last
        total = total + square(now, found["Q2"]) - square(last, found["Q2"])
        if known:
            past = square(late, found["Q1"])
            total = total + square(now, found["Q1"])
            if not increments:
                past, total = past + square(f_late, found["Q3"]), total + square(f, found["Q3"])
            total = total - past + past * data["rate"][0]
        for free, step in (("N", x - x_late), ("M", x_late - x_last)):
            product = multiply(found[free], step)
            total = total + product + product.T
        for k, (curve, argument) in enumerate(sectors):
            total = total + sector(curve, argument, data, found[f"T{k}"])
        ends = {
            f"-V' at {where}": blocks([[-total, found[free]], [found[free].T, found["R"]]])
            for free, where in (("N", "d = h"), ("M", "d = 0"))
        }
        return {"P": found["P"], "R": found["R"], **{name: found[name] for name in names}, **ends}

    data = network_data(network, delay)
    if known:
        data |= {"rate": np.array([rate])}
    return Problem(unknowns, build, data)
