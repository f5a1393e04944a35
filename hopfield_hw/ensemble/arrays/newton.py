"""Newton's method for a step of many blocks of samples, each of which iterates as long as it needs.

It does for each block what `kernels.newton` does for one; blocks that are done are left out of what follows.
"""

from __future__ import annotations

from math import inf
from typing import Any, NamedTuple

from ..method import (
    BALANCED,
    CONVERGED,
    FIRST_ITERATIONS,
    ITERATIONS,
    MORE_ITERATIONS,
    NEGLIGIBLE,
    RATE_KEPT,
    ROUNDED,
    SLOW,
    STALE,
    SWEEPS,
    TIRED,
)
from .equations import Equations, Numbers, evaluate_slopes, evaluate_values, find_jacobian, find_residual
from .factors import Factors, factorise, solve
from .state import T, in_lanes, of_block, put, take
from .sums import add_sums


class Given(NamedTuple):
    """What a step's equations are made of.

    `constant`: of the error of the step, 0 where that is unknown. `weights`: of the moves of the unknowns, one by the
    tolerance, 1/V.
    """

    numbers: Numbers
    alpha: Any
    constant: Any
    base: Any
    charge_base: Any
    weights: Any
    active: Any


class Found(NamedTuple):
    """What Newton's method changes: the voltages of all nodes, the factors, which lanes converged, and counts.

    `rate`: of its convergence with these factors.
    """

    v: Any
    factors: Factors
    factored: Any
    rate: Any
    converged: Any
    iterations: Any
    factorisations: Any


def iterate(e: Equations, given: Given, found: Found, is_first: Any) -> None:
    """Solve the equations of a step for the voltages, from those predicted; `converged` says which lanes did.

    `is_first`: which lanes take their first step.
    """
    xp = e.library.xp
    predicted = found.v[: e.layout.n] + 0.0
    first = of_block(xp, given.active & is_first)
    begun = _those(xp, first)
    _try(e, given, found, begun, FIRST_ITERATIONS, True, True)
    _check_balance(e, given, found, begun)
    astray = _those(xp, first & ~xp.all(found.converged, axis=-1))
    _relax(e, given, found, astray, predicted)
    _try(e, given, found, astray, FIRST_ITERATIONS, True, True)
    _check_balance(e, given, found, astray)
    stale = of_block(xp, given.active & (xp.abs(found.factored / given.alpha - 1.0) > STALE))
    renewed = _those(xp, stale & ~first)
    if renewed.shape[0]:
        its, own = take(xp, given, renewed), take(xp, found, renewed)
        put(found, renewed, _renew(e, its, own)[0])
    _try(e, given, found, _those(xp, ~first), ITERATIONS, False)
    failed = of_block(xp, ~found.converged) & ~first
    again = xp.broadcast_to(in_lanes(xp, failed), predicted.shape)
    found.v[: e.layout.n] = xp.where(again, predicted, found.v[: e.layout.n])
    _try(e, given, found, _those(xp, failed), MORE_ITERATIONS, True)


def _those(xp: Any, marks: Any) -> Any:
    return xp.nonzero(marks)[0]


def _look(e: Equations, given: Given, v: Any) -> tuple[Any, Any]:
    """Return what is left of each law at the voltages, and the entries of the Jacobian."""
    values, slopes = evaluate_slopes(e, given.numbers.parameters, v)
    off = find_residual(e, given.numbers, v, values, given.alpha, given.base, given.charge_base)
    return off, find_jacobian(e, given.numbers, slopes, given.alpha)


def _check_balance(e: Equations, given: Given, found: Found, blocks: Any) -> None:
    """Unmark lanes with a law that is further from balance than moves of the tolerance of each node would leave it."""
    xp, n = e.library.xp, e.layout.n
    if not blocks.shape[0]:
        return
    its, own = take(xp, given, blocks), take(xp, found, blocks)
    off, entries = _look(e, its, own.v)
    moved = BALANCED * max(n, 1) ** 0.5 / its.weights + ROUNDED * xp.abs(own.v[:n])
    most = xp.zeros_like(off)
    add_sums(xp, e.entries, xp.abs(entries), moved, most)
    is_balanced = xp.all(xp.abs(off) - most <= 0.0, axis=0)
    put(found.converged, blocks, own.converged & (is_balanced | ~its.active))
    put(found.factored, blocks, xp.zeros_like(own.factored))


def _relax(e: Equations, given: Given, found: Found, blocks: Any, predicted: Any) -> None:
    """Start lanes that have not converged anew: each law moves its own node, sweep by sweep."""
    xp, n = e.library.xp, e.layout.n
    if not blocks.shape[0]:
        return
    its, own = take(xp, given, blocks), take(xp, found, blocks)
    v = own.v + 0.0
    v[:n] = xp.where(own.converged, v[:n], xp.take(predicted, blocks, axis=-2))
    for _ in range(SWEEPS):
        off, entries = _look(e, its, v)
        moves = off / xp.take(entries, e.diagonal, axis=0)
        v[:n] = xp.where(~own.converged & xp.isfinite(moves), v[:n] - moves, v[:n])
    put(found.v, blocks, v)


def _renew(e: Equations, given: Given, found: Found) -> tuple[Found, Any]:
    """Return factors of the Jacobian at the voltages, and the values of formulas there."""
    values, slopes = evaluate_slopes(e, given.numbers.parameters, found.v)
    factors = factorise(e.library.xp, e.elimination, find_jacobian(e, given.numbers, slopes, given.alpha))
    count = found.factorisations + 1
    rate = e.library.xp.ones_like(found.rate)
    return found._replace(factors=factors, factored=given.alpha, rate=rate, factorisations=count), values


def _try(
    e: Equations, given: Given, found: Found, blocks: Any, most: int, renews: bool, is_first: bool = False
) -> None:
    """Iterate until all lanes of a block have converged, or, with old factors, one of them leads nowhere.

    What is found of a block is written then; the others go on without it as soon as they are fewer.
    """
    xp = e.library.xp
    if not blocks.shape[0]:
        return
    its, own = _choose(xp, given, blocks), _choose(xp, found, blocks)
    own = own._replace(v=own.v + 0.0)
    before = xp.full_like(its.alpha, -1.0)
    part = xp.where(its.constant > 0.0, its.constant, 1.0)  # of a first step no error is known
    waits = xp.ones_like(blocks, dtype=xp.bool)
    for k in range(most):
        if renews:
            own, values = _renew(e, its, own)
        else:
            values = evaluate_values(e, its.numbers.parameters, own.v)
        moves = find_residual(e, its.numbers, own.v, values, its.alpha, its.base, its.charge_base)
        norm = _move(e, its, own, solve(xp, e.elimination, own.factors, moves), is_first)
        has_two = before > 0.0
        kept, now = RATE_KEPT * own.rate, norm / before
        rate = xp.where(has_two & its.active, xp.where(now > kept, now, kept), own.rate)
        left = norm * part * xp.where(rate < 0.5, rate / (1.0 - rate), 1.0)
        converged = ~its.active | (norm < NEGLIGIBLE) | ((rate < 1.0) & (left < CONVERGED))
        hopeless = ~converged & has_two & (rate > SLOW) & (not renews)
        own = own._replace(converged=converged, rate=rate, iterations=own.iterations + 1)
        before = norm
        stops = waits & (xp.all(converged, axis=-1) | of_block(xp, hopeless))
        if k + 1 >= TIRED:
            own = own._replace(factored=xp.where(in_lanes(xp, stops), 0.0, own.factored))
        _write(xp, found, blocks, own, stops, renews)
        waits = waits & ~stops
        going = _those(xp, waits)
        if not going.shape[0]:
            return
        if 2 * going.shape[0] <= blocks.shape[0]:
            blocks = xp.take(blocks, going, axis=0)
            its, own, before, part = take(xp, (its, own, before, part), going)
            waits = xp.ones_like(going, dtype=xp.bool)
    _write(xp, found, blocks, own, waits, renews)


def _choose(xp: Any, values: T, blocks: Any) -> T:
    """Return those blocks of arrays, without a copy where they are all."""
    return values if blocks.shape[0] == values[-1].shape[0] else take(xp, values, blocks)


def _write(xp: Any, found: Found, blocks: Any, own: Found, those: Any, renews: bool) -> None:
    """Write what was found of those blocks."""
    at = _those(xp, those)
    if not at.shape[0]:
        return
    to = xp.take(blocks, at, axis=0)
    for field in Found._fields if renews else ("v", "factored", "rate", "converged", "iterations"):
        put(getattr(found, field), to, take(xp, (getattr(own, field),), at)[0])


def _move(e: Equations, given: Given, found: Found, moves: Any, is_first: bool) -> Any:
    """Move the voltages, and return how far in units of the tolerance; what is not a number moves nothing."""
    xp, n = e.library.xp, e.layout.n
    # Of factors with another alpha, what is known of the move (A. C. Hindmarsh, LSODE).
    moves = (2.0 / (1.0 + found.factored / given.alpha)) * moves
    norm = xp.sqrt(xp.sum((moves * given.weights) ** 2, axis=0) / max(n, 1))
    counts = xp.isfinite(norm)
    if is_first:
        moves = xp.clip(moves, -e.limits, e.limits)
    found.v[:n] = xp.where(counts, found.v[:n] - moves, found.v[:n])
    return xp.where(counts, norm, inf)
