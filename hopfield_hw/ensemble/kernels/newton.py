"""Newton's method for a step of a block of samples, with factors of an earlier step as long as they do."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..equations.layout import LANES
from ..method import (
    BALANCED,
    CONVERGED,
    FIRST_ITERATIONS,
    ITERATIONS,
    LONGEST_MOVE,
    MORE_ITERATIONS,
    NEGLIGIBLE,
    RATE_KEPT,
    ROUNDED,
    SLOW,
    STALE,
    SWEEPS,
    TIRED,
)
from .factors import factorise, solve
from .formulas import evaluate_formulas
from .lanes import choose, compiled, load, magnitude, spread, store
from .sums import copy, write_jacobian, write_residual


@compiled
def iterate(g: Any, numbers: Any, s: Any, counts: Any) -> None:
    """Solve the equations of a step for the voltages, from those predicted; `converged` says which lanes did.

    Where old factors lead nowhere, it begins again with new ones in each iteration. A first step starts anywhere: it
    has new ones too, and moves that are limited; what it converges to is looked at, as no error of it is known.
    """
    usable, is_first = True, False
    for lane in range(LANES):
        if s.active[lane]:
            if abs(s.factored[lane] / s.alpha[0, lane] - 1.0) > STALE:
                usable = False
            if s.known[lane] == 0:
                is_first = True
    if is_first:
        _try(g, numbers, s, counts, FIRST_ITERATIONS, True, LONGEST_MOVE)
        _check_balance(g, numbers, s)
        if not s.converged.all():
            _relax(g, numbers, s)
            _try(g, numbers, s, counts, FIRST_ITERATIONS, True, LONGEST_MOVE)
            _check_balance(g, numbers, s)
        return
    if usable:
        _try(g, numbers, s, counts, ITERATIONS, False, np.inf)
    else:
        _renew(g, numbers, s, counts)
        _try(g, numbers, s, counts, ITERATIONS, False, np.inf)
    for lane in range(LANES):
        if not s.converged[lane]:
            copy(s.predicted, 0, g.n, s.v)
            _try(g, numbers, s, counts, MORE_ITERATIONS, True, np.inf)
            return


@compiled
def _look(g: Any, numbers: Any, s: Any) -> None:
    """Write what is left of each law at the voltages, and the entries of the Jacobian in place of its factors."""
    evaluate_formulas(g, numbers.parameters, s.v, s.registers, s.values, s.slopes, True, 0)
    write_residual(g, numbers.linear, numbers.rates, s.v, s.values, s.alpha, s.base, s.charge_base, s.moves)
    write_jacobian(g, numbers.linear, numbers.rates, s.slopes, s.alpha, s.factors)
    s.factored[:] = 0.0


@compiled
def _check_balance(g: Any, numbers: Any, s: Any) -> None:
    """Unmark lanes with a law that is further from balance than moves of the tolerance of each node would leave it.

    Where a quotient's divisor is next to 0 entries are so large that rounding hides the other laws from the factors.
    """
    _look(g, numbers, s)
    loose = BALANCED * np.sqrt(max(g.n, 1))
    for i in range(g.n):
        most = spread(0.0)
        for p in range(g.starts[i], g.starts[i + 1]):
            node = g.columns[p]
            moved = loose / load(s.weights, node) + ROUNDED * magnitude(load(s.v, node))
            most = most + magnitude(load(s.factors, p)) * moved
        store(s.correction, 0, magnitude(load(s.moves, i)) - most)
        for lane in range(LANES):
            # What is not a number is not in balance.
            if s.active[lane] and not s.correction[lane] <= 0.0:
                s.converged[lane] = False


@compiled
def _relax(g: Any, numbers: Any, s: Any) -> None:
    """Start lanes that have not converged anew: each law moves its own node, sweep by sweep.

    It follows a chain of formulas to its end, where a step of Newton's method through all of them goes astray.
    """
    for lane in range(LANES):
        if not s.converged[lane]:
            for i in range(g.n):
                s.v[i, lane] = s.predicted[i, lane]
    for _ in range(SWEEPS):
        _look(g, numbers, s)
        for i in range(g.n):
            for lane in range(LANES):
                move = s.moves[i, lane] / s.factors[g.diagonal[i], lane]
                if not s.converged[lane] and np.isfinite(move):
                    s.v[i, lane] -= move


@compiled
def _renew(g: Any, numbers: Any, s: Any, counts: Any) -> None:
    """Write factors of the Jacobian at the voltages."""
    evaluate_formulas(g, numbers.parameters, s.v, s.registers, s.values, s.slopes, True, 0)
    write_jacobian(g, numbers.linear, numbers.rates, s.slopes, s.alpha, s.factors)
    factorise(g, s.factors, s.where)
    store(s.factored, 0, load(s.alpha, 0))
    s.rate[:] = 1.0
    counts[3] += 1


@compiled
def _try(g: Any, numbers: Any, s: Any, counts: Any, most: int, renews: bool, longest_move: float) -> None:
    """Iterate until all lanes have converged, or, with old factors, one of them leads nowhere.

    The rates of convergence with the same factors are known from steps before.
    """
    s.before[:] = -1.0
    s.converged[:] = False
    for k in range(most):
        if renews:
            _renew(g, numbers, s, counts)
        else:
            evaluate_formulas(g, numbers.parameters, s.v, s.registers, s.values, s.slopes, False, 0)
        write_residual(g, numbers.linear, numbers.rates, s.v, s.values, s.alpha, s.base, s.charge_base, s.moves)
        solve(g, s.factors, s.moves)
        counts[2] += 1
        _move(g, s, longest_move)
        if _judge(s, renews):
            if k + 1 >= TIRED:
                s.factored[:] = 0.0
            return


@compiled
def _move(g: Any, s: Any, longest_move: float) -> None:
    """Move the voltages, and write how far in units of the tolerance; what is not a number moves nothing."""
    for lane in range(LANES):
        # Of factors with another alpha, what is known of the move (A. C. Hindmarsh, LSODE).
        s.correction[lane] = 2.0 / (1.0 + s.factored[lane] / s.alpha[0, lane])
    total = spread(0.0)
    for i in range(g.n):
        w = load(s.moves, i) * load(s.weights, i)
        total = total + w * w
    store(s.norm, 0, total)
    for lane in range(LANES):
        s.norm[lane] = s.correction[lane] * np.sqrt(s.norm[lane] / max(g.n, 1))
        if not np.isfinite(s.norm[lane]):
            s.correction[lane] = 0.0
            s.norm[lane] = np.inf
    correction = load(s.correction, 0)
    for i in range(g.n):
        most = np.inf if g.is_current[i] else longest_move
        move = correction * load(s.moves, i)
        move = choose(move, most, most, choose(-most, move, -most, move))
        store(s.v, i, load(s.v, i) - choose(correction, 0.0, move, 0.0))


@compiled
def _judge(s: Any, renews: bool) -> bool:
    """Mark the lanes that have converged; return whether there is nothing more to do."""
    all_done, hopeless = True, False
    for lane in range(LANES):
        if not s.active[lane]:
            s.converged[lane] = True
            continue
        norm, before = s.norm[lane], s.before[lane]
        if before > 0.0:
            s.rate[lane] = max(RATE_KEPT * s.rate[lane], norm / before)
        # Of a first step no error is known.
        part, rate = (s.constants[1, lane] if s.constants[1, lane] > 0.0 else 1.0), s.rate[lane]
        left = norm * part * min(1.0, rate / (1.0 - rate)) if rate < 1.0 else np.inf
        s.converged[lane] = norm < NEGLIGIBLE or left < CONVERGED
        if not s.converged[lane]:
            all_done = False
            hopeless = hopeless or (not renews and before > 0.0 and rate > SLOW)
        s.before[lane] = norm
    return all_done or hopeless
