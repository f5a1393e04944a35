"""Equilibria of games, markets and traffic as variational inequalities, with known answers."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..values.arrays import freeze, positive
from ..values.errors import InputError
from .variational_inequalities import VariationalInequality


def matrix_game(payoff: Any) -> VariationalInequality:
    """Return the game in which the first player pays x^T A y to the second: x and y are on simplices.

    F(x, y) = (A y, -A^T x) is skew-symmetric, so that it is monotone and no more: there is no potential. At a solution
    x^T A y is the value of the game, which a linear program has too (J. von Neumann, Math. Ann. 100:295, 1928). The
    multipliers of the two equations are minus and plus the value. `payoff`: A, (m, k). Variables: x, then y.

    Raises InputError for what is no matrix.
    """
    a = freeze(payoff, "payoff")
    if a.ndim != 2 or not a.size:
        raise InputError(f"`payoff` has shape {a.shape}: must be (m, k), of at least one row and column")
    m, k = a.shape
    rows = np.zeros((2, m + k))
    rows[0, :m], rows[1, m:] = 1.0, 1.0
    skew = np.block([[np.zeros((m, m)), a], [-a.T, np.zeros((k, k))]])
    return VariationalInequality(
        matrix=skew,
        vector=np.zeros(m + k),
        rows=rows,
        rows_lower=np.ones(2),
        rows_upper=np.ones(2),
        lower=np.zeros(m + k),
    )


def cournot(costs: Any, *, intercept: float, slope: float, total: float | None = None) -> VariationalInequality:
    """Return the oligopoly in which n firms sell at the price a - b sum_i x_i, each unit at a cost c_i, x_i >= 0.

    F_i(x) = c_i - a + b sum_j x_j + b x_i (A. Cournot, 1838). Where all firms sell, x_i = (a - c_i)/b - S with
    S = sum_j (a - c_j) / (b (n + 1)). With a `total` that the firms together may not pass, the multiplier of its row is
    what a unit of it is worth, and acts as a cost of each. `costs`: c, (n,). `intercept`: a. `slope`: b.

    Raises InputError for a slope, an intercept or a total that is not positive.
    """
    c = freeze(costs, "costs")
    if c.ndim != 1 or not c.size:
        raise InputError(f"`costs` has shape {c.shape}: must be (n,), of at least one firm")
    a, b = (float(positive(v, name, shape=(), unit="")) for v, name in ((intercept, "intercept"), (slope, "slope")))
    both = b * (np.ones((c.size, c.size)) + np.eye(c.size))
    limited = 0 if total is None else 1
    return VariationalInequality(
        matrix=both,
        vector=c - a,
        rows=np.ones((limited, c.size)),
        rows_upper=np.full(limited, np.inf) if total is None else positive(total, "total", shape=(1,), unit=""),
        lower=np.zeros(c.size),
    )


def traffic(paths: Any, *, rates: Any, constants: Any, demand: float) -> VariationalInequality:
    """Return the flows x >= 0 on paths between two places, of which each that is used takes as long as the quickest.

    The time on link l is rates_l v_l + constants_l with the flow v = paths^T x, F(x) = paths (rates v + constants), and
    sum x = demand (J. G. Wardrop, Proc. Inst. Civ. Eng. 1:325, 1952). Minus the multiplier of the demand is the time.
    `paths`: (paths, links) of 0 and 1. `rates`, `constants`: (links,), at least 0.

    Raises InputError for shapes that do not meet, numbers below 0, and a demand that is not positive.
    """
    used = freeze(paths, "paths")
    if used.ndim != 2 or not used.size:
        raise InputError(f"`paths` has shape {used.shape}: must be (paths, links), of at least one each")
    links = used.shape[1]
    slopes, fixed = freeze(rates, "rates", shape=(links,)), freeze(constants, "constants", shape=(links,))
    for name, values in (("paths", used), ("rates", slopes), ("constants", fixed)):
        if bool(np.any(values < 0.0)):
            raise InputError(f"`{name}` holds {values.min():g}: must be at least 0")
    if bool(np.any((used != 0.0) & (used != 1.0))):
        raise InputError(
            f"`paths` holds {used[(used != 0.0) & (used != 1.0)].flat[0]:g}: must be 0 or 1, for each link"
        )
    flow = positive(demand, "demand", shape=(1,), unit="")
    return VariationalInequality(
        matrix=(used * slopes) @ used.T,
        vector=used @ fixed,
        rows=np.ones((1, len(used))),
        rows_lower=flow,
        rows_upper=flow,
        lower=np.zeros(len(used)),
    )
