"""Backward differentiation of many samples on arrays, steps and orders of each sample's own; see `kernels.steps`."""

from __future__ import annotations

from math import inf
from typing import Any, NamedTuple

import numpy as np

from ..method import (
    BETTER,
    FAILED,
    GROWTH,
    HIGHEST,
    LEAST_FALL,
    LEAST_GROWTH,
    NO_CONVERGENCE,
    PAST,
    READ_WITHIN,
    REJECTED,
    SAFETY,
    SHORTEST,
    SMALL,
)
from ..state import Options
from .equations import Equations, evaluate_charges
from .newton import Found, Given, iterate
from .sources import Sources, give_sources
from .state import KEPT, State
from .sums import add_sums

# By order, how the next step depends on the error of this one.
ROOTS = -1.0 / np.arange(1, HIGHEST + 3)


class Results(NamedTuple):
    """What is read: `probes`, of which some are `unknowns`, at `times`; `ends`: those, and a last one, never."""

    times: Any
    ends: Any
    probes: Any
    unknowns: Any


class Step(NamedTuple):
    """A step that is tried: when it ends, how long it is, the weights of the past, what it predicts and finds."""

    now: Any
    h: Any
    alpha: Any
    predicted: Any
    v: Any
    charges: Any
    converged: Any


def weigh(xp: Any, times: Any, t: Any, count: Any) -> tuple[Any, Any]:
    """Return alpha and beta_1 to beta_PAST of the derivative at t, of the polynomial through so many points."""
    own = _points(xp, times) < count
    alpha = xp.sum(xp.where(own, 1.0 / (t - times), 0.0), axis=0)
    return alpha, xp.where(own, extrapolate(xp, times, t, count) / (times - t), 0.0)


def extrapolate(xp: Any, times: Any, t: Any, count: Any) -> Any:
    """Return the weights at t of the polynomial through the first `count` points, and 0 for the others."""
    own = _points(xp, times) < count
    ratios = (t - times) / (times[:, None] - times)
    same = xp.eye(PAST, dtype=xp.bool, device=times.device)
    counts = own & ~xp.reshape(same, (PAST, PAST, *(1,) * (times.ndim - 1)))
    return xp.where(own, xp.prod(xp.where(counts, ratios, 1.0), axis=1), 0.0)


def _points(xp: Any, times: Any) -> Any:
    return xp.reshape(xp.arange(PAST, device=times.device), (PAST, *(1,) * (times.ndim - 1)))


def combine(weights: Any, past: Any) -> Any:
    """Return sum_j weights[j] past[j]."""
    total = weights[0] * past[0]
    for j in range(1, KEPT):
        total = total + weights[j] * past[j]
    return total


def try_step(e: Equations, sources: Sources, s: State, options: Options) -> Step:
    """Return the next step of each lane."""
    xp, n = e.library.xp, e.layout.n
    now, h = _choose_times(xp, sources, s, options)
    alpha, beta = weigh(xp, s.times, now, s.order)
    known = xp.where(s.known > 1, s.known, 1)
    points = xp.where(s.order + 1 < known, s.order + 1, known)
    predicted = combine(extrapolate(xp, s.times, now, points), s.past[:, :n])
    base = xp.zeros_like(predicted)
    add_sums(xp, e.rates, s.numbers.rates, combine(beta, s.past), base)
    given = Given(
        numbers=s.numbers,
        alpha=alpha,
        constant=xp.where(s.known > s.order, 1.0 / (alpha * (now - _last(xp, s, s.order))), 0.0),
        base=base,
        charge_base=combine(beta, s.charge_past),
        weights=1.0 / (options.tolerance * s.size + options.nothing),
        active=s.active,
    )
    v = xp.concat([predicted, give_sources(e.library, sources, now)], axis=0)
    found = Found(v, s.factors, s.factored, s.rate, ~s.active, s.iterations, s.factorisations)
    iterate(e, given, found, s.known == 0)
    charges = evaluate_charges(e, s.numbers.parameters, v)
    return Step(now, h, alpha, predicted, v, charges, found.converged)


def _last(xp: Any, s: State, order: Any) -> Any:
    """Return the last time that a prediction of an order is drawn through."""
    return xp.sum(xp.where(_points(xp, s.times) == order, s.times, 0.0), axis=0)


def _choose_times(xp: Any, sources: Sources, s: State, options: Options) -> tuple[Any, Any]:
    """Return when the next step of each lane ends, at corners of sources exactly, and how long it is."""
    end = sources.ends[s.next_break]
    end = xp.where(s.target < end, s.target, end)
    left = end - s.t
    h = xp.where(s.wanted < options.longest, s.wanted, options.longest)
    is_last = s.active & (h >= left * (1.0 - 1e-9))
    # Two steps of one length rather than a long and a short one.
    h = xp.where(is_last, left, xp.where(s.active & (h > 0.5 * left), 0.5 * left, h))
    return xp.where(is_last, end, s.t + h), h


def find_errors(e: Equations, moving: Any, s: State, step: Step, options: Options) -> tuple[Any, Any]:
    """Return the errors of the step, and of one of the next lower and the next higher order; and which are known.

    `moving`: the unknowns that have a capacitance.
    """
    xp, k = e.library.xp, s.order
    past, v = xp.take(s.past, moving, axis=1), xp.take(step.v, moving, axis=0)
    size = xp.take(s.size, moving, axis=0)
    largest = xp.where(size > xp.abs(v), size, xp.abs(v))
    weights = 1.0 / (options.tolerance * largest + options.nothing)
    known = s.active & (s.known > k)
    errors, marks = [], []
    for order, is_known in (
        (k - 1, known & (k > 1)),
        (k, known),
        (k + 1, s.active & (k < HIGHEST) & (s.known > k + 1)),
    ):
        if order is k:
            alpha, guess = step.alpha, xp.take(step.predicted, moving, axis=0)
        else:
            alpha, _ = weigh(xp, s.times, step.now, order)
            guess = combine(extrapolate(xp, s.times, step.now, order + 1), past)
        total = xp.sum(((v - guess) * weights) ** 2, axis=0)
        error = xp.sqrt(total / max(moving.shape[0], 1)) / (alpha * (step.now - _last(xp, s, order)))
        errors.append(xp.where(is_known, error, 0.0))
        marks.append(is_known)
    return xp.stack(errors), xp.stack(marks)


def find_misses(e: Equations, results: Results, s: State, step: Step, options: Options) -> tuple[Any, Any]:
    """Return which lanes have a result within the step that would be off, and when each has its next result.

    What no capacitor holds may move faster than the states.
    """
    xp = e.library.xp
    out = results.ends[s.next_out]
    v, size = xp.take(step.v, results.unknowns, axis=0), xp.take(s.size, results.unknowns, axis=0)
    off = xp.abs(v - xp.take(step.predicted, results.unknowns, axis=0))
    largest = xp.where(size > xp.abs(v), size, xp.abs(v))
    is_off = xp.any(off > READ_WITHIN * (options.tolerance * largest + options.nothing), axis=0)
    return is_off & (out < step.now * (1.0 - 1e-12)), out


def judge(
    e: Equations, s: State, step: Step, errors: Any, known: Any, misses: tuple[Any, Any], first: float
) -> tuple[State, Any]:
    """Return the state with the next step and order of each lane, and which lanes accept this step."""
    xp, k, error = e.library.xp, s.order, errors[1]
    is_off, result = misses
    failed = s.active & ~step.converged
    refused = s.active & step.converged & (error > 1.0)
    missed = s.active & step.converged & ~refused & is_off
    accepted = s.active & step.converged & ~refused & ~missed
    shorter = SAFETY * xp.where(refused, error, 1.0) ** e.library.give(ROOTS)[k]
    wanted = xp.where(failed, FAILED * step.h, s.wanted)
    wanted = xp.where(refused, step.h * xp.where(shorter > REJECTED, shorter, REJECTED), wanted)
    wanted = xp.where(missed, result - s.t, wanted)
    lost = failed & (wanted < SHORTEST * first)
    waited = xp.where(accepted, s.waited + 1, 0)
    h, order, changed = _next_step(e, s, step, errors, known, waited, wanted)
    # Of the first two steps no error is known.
    early = s.known <= 1
    wanted = xp.where(accepted, xp.where(early, step.h, h), wanted)
    changed = changed & accepted & ~early
    made = s._replace(
        wanted=wanted,
        target=xp.where(missed, result, xp.where(accepted, inf, s.target)),
        order=xp.where(changed, order, k),
        waited=xp.where(changed, 0, xp.where(missed, s.waited, waited)),
        factored=xp.where(failed, 0.0, s.factored),
        active=s.active & ~lost,
        status=xp.where(lost, NO_CONVERGENCE, s.status),
        steps=s.steps + accepted,
        rejected=s.rejected + (failed | refused | missed),
    )
    return made, accepted


def _next_step(
    e: Equations, s: State, step: Step, errors: Any, known: Any, waited: Any, wanted: Any
) -> tuple[Any, Any, Any]:
    """Return the next step after one that is accepted, its order where another one allows a longer step, and where."""
    xp, k = e.library.xp, s.order
    roots = e.library.give(ROOTS)[xp.stack([k - 1, k, k + 1])]
    factors = SAFETY * xp.where(errors > SMALL, errors, SMALL) ** roots
    factor, best = factors[1], k
    lower = known[0] & (factors[0] > BETTER * factor)
    factor, best = xp.where(lower, factors[0], factor), xp.where(lower, k - 1, best)
    higher = known[2] & (waited > k) & (factors[2] > BETTER * factor)
    factor, best = xp.where(higher, factors[2], factor), xp.where(higher, k + 1, best)
    most = e.library.give(np.array(GROWTH))[k]
    factor = xp.where(factor < most, factor, most)
    longer = step.h * factor
    kept = xp.where(wanted < longer, wanted, longer)
    kept = xp.where(step.h > kept, step.h, kept)
    h = xp.where((factor >= LEAST_FALL) & (factor < LEAST_GROWTH), kept, longer)
    return h, best, lower | higher


def keep(e: Equations, s: State, step: Step, accepted: Any) -> State:
    """Return the state with what is accepted as the past; each lane has one of its own."""
    xp, n = e.library.xp, e.layout.n

    def shifted(past: Any, new: Any) -> Any:
        return xp.where(accepted, xp.concat([new[None], past[:-1]], axis=0), past)

    largest = xp.abs(step.v[:n])
    largest = xp.where(s.size > largest, s.size, largest)
    # Nothing is drawn through the start itself, which need not be consistent.
    known = xp.where(s.known + 1 < PAST, s.known + 1, PAST)
    return s._replace(
        past=shifted(s.past, step.v),
        charge_past=shifted(s.charge_past, step.charges),
        times=shifted(s.times, step.now),
        size=xp.where(accepted, largest, s.size),
        t=xp.where(accepted, step.now, s.t),
        known=xp.where(accepted, known, s.known),
    )


def turn_corners(e: Equations, sources: Sources, s: State, accepted: Any, options: Options) -> State:
    """Return the state in which lanes at corners of sources begin anew, and those at the end rest."""
    xp = e.library.xp
    corner = accepted & (s.t >= sources.ends[s.next_break]) & (s.t < options.t_stop)
    return s._replace(
        next_break=s.next_break + corner,
        known=xp.where(corner, 1, s.known),
        order=xp.where(corner, 1, s.order),
        waited=xp.where(corner, 0, s.waited),
        wanted=xp.where(corner, options.first, s.wanted),
        active=s.active & ~(accepted & (s.t >= options.t_stop)),
    )
