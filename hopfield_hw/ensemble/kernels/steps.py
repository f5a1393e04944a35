"""Backward differentiation with steps and orders of each sample's own.

With t_1 > t_2 > ... the last times and q_j the charges then, dq/dt at t_0 is that of the polynomial through the charges
at t_0 to t_k, alpha q_0 + sum_j beta_j q_j; voltages are predicted by the one through those at t_1 to t_{k+1}, sum_j
gamma_j v_j. The error of a step is

    (v_0 - predicted) / (alpha (t_0 - t_{k+1}))

to leading order (K. E. Brenan, S. L. Campbell and L. R. Petzold, Numerical Solution of Initial-Value Problems in
Differential-Algebraic Equations, section 5.2, with coefficients that vary).
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ..equations.layout import LANES
from ..method import (
    BETTER,
    FAILED,
    GROWTH,
    HIGHEST,
    LEAST_FALL,
    LEAST_GROWTH,
    NO_CONVERGENCE,
    PAST,
    PAST_LOST,
    READ_WITHIN,
    REJECTED,
    SAFETY,
    SHORTEST,
    SMALL,
    STEPS_EXHAUSTED,
)
from .delays import JUMP, begin_lines, give_lines, next_break, pass_breaks, remember
from .formulas import evaluate_formulas
from .lanes import choose, compiled, load, magnitude, spread, store
from .newton import iterate
from .sums import add_product, combine, copy


@compiled
def run_block(g: Any, numbers: Any, s: Any, options: Any, outcome: Any) -> None:
    """Run a block of samples; see `State`, `Options` and `Outcome`."""
    _begin(g, numbers, s, options, outcome)
    for _ in range(options.most):
        if not _choose_times(g, s, options):
            return
        if not _predict(g, numbers, s, options):
            outcome.status[:] = PAST_LOST
            return
        iterate(g, numbers, s, outcome.counts)
        # Charges at the solution, to the accuracy of its last move.
        evaluate_formulas(g, numbers.parameters, s.v, s.registers, s.values, s.slopes, False, g.charge_groups)
        _estimate(g, s, options)
        _judge(g, s, options, outcome)
        _keep(g, s)
        remember(g, numbers, s, options)
        _write(g, numbers, s, options, outcome)
    for lane in range(LANES):
        if s.active[lane]:
            outcome.status[lane] = STEPS_EXHAUSTED


@compiled
def weigh(times: Any, t: float, k: int, beta: Any) -> float:
    """Write beta_1 to beta_k of the derivative at t, and return alpha."""
    alpha = 0.0
    for j in range(k):
        alpha += 1.0 / (t - times[j])
        w = 1.0 / (times[j] - t)
        for m in range(k):
            if m != j:
                w *= (t - times[m]) / (times[j] - times[m])
        beta[j] = w
    return alpha


@compiled
def extrapolate(times: Any, t: float, count: int, gamma: Any) -> None:
    """Write the weights at t of the polynomial through the first `count` points, and 0 for the others."""
    gamma[:] = 0.0
    for j in range(count):
        w = 1.0
        for m in range(count):
            if m != j:
                w *= (t - times[m]) / (times[j] - times[m])
        gamma[j] = w


@compiled
def find_corners(g: Any, k: int, t: float) -> Any:
    """Return between which corners of source k a time lies, and which part of the way to the second."""
    low, high = g.wave_starts[k], g.wave_starts[k + 1] - 1
    at = min(max(t, g.wave_times[low]), g.wave_times[high])
    while high - low > 1:
        middle = (low + high) // 2
        if g.wave_times[middle] <= at:
            low = middle
        else:
            high = middle
    part = 0.0
    if high > low:
        part = (at - g.wave_times[low]) / (g.wave_times[high] - g.wave_times[low])
    return low, high, part


@compiled
def give_sources(g: Any, t: Any, v: Any) -> None:
    """Write the voltages of sources at the times of the lanes, and 0 of ground."""
    for k in range(g.wave_starts.shape[0] - 1):
        for lane in range(LANES):
            low, high, part = find_corners(g, k, t[lane])
            v[g.n + k, lane] = g.wave_volts[low] + part * (g.wave_volts[high] - g.wave_volts[low])
    v[g.nodes - 1] = 0.0


@compiled
def _begin(g: Any, numbers: Any, s: Any, options: Any, outcome: Any) -> None:
    """Write the start, its charges, and the results at t = 0.

    Sources come from 0 V, as in ngspice: what is between one and a node starts at the voltage of the node alone.
    """
    for i in range(g.n):
        store(s.v, i, load(numbers.start, i))
        store(s.size, i, magnitude(load(numbers.start, i)))
    evaluate_formulas(g, numbers.parameters, s.v, s.registers, s.values, s.slopes, False, g.charge_groups)
    copy(s.v, 0, g.nodes, s.past[0])
    copy(s.values, g.charges, s.values.shape[0] - g.charges, s.charge_past[0])
    give_sources(g, s.t, s.v)
    give_lines(g, numbers, s, s.t, s.v)
    begin_lines(g, numbers, s, options)
    if options.grid[0] <= 0.0:
        for k in range(options.probes.shape[0]):
            store(outcome.waves[0], k, load(s.v, options.probes[k]))
        s.next_out[:] = 1


@compiled
def _choose_times(g: Any, s: Any, options: Any) -> bool:
    """Write when the next step of each lane ends, at corners of sources exactly; return whether any lane runs on."""
    any_active = False
    for lane in range(LANES):
        if not s.active[lane]:
            continue
        any_active = True
        end = min(next_break(g, s, options, lane), s.target[lane])
        left = end - s.t[lane]
        s.h[lane] = min(s.wanted[lane], s.longest[lane])
        if s.h[lane] >= left * (1.0 - 1e-9):
            s.h[lane] = left
            s.now[lane] = end
        else:
            # Two steps of one length rather than a long and a short one.
            s.h[lane] = min(s.h[lane], 0.5 * left) if s.h[lane] > 0.5 * left else s.h[lane]
            s.now[lane] = s.t[lane] + s.h[lane]
    return any_active


@compiled
def _predict(g: Any, numbers: Any, s: Any, options: Any) -> bool:
    """Write the weights of the step, the voltages that it starts from, and what the past adds to its equations.

    The constant of its error is 0 where no error will be known. Return whether the past of the lines reaches far enough
    back.
    """
    s.beta[:] = 0.0
    for lane in range(LANES):
        if s.active[lane]:
            s.alpha[0, lane] = weigh(s.times[lane], s.now[lane], s.order[lane], s.beta[:, lane])
            points = min(s.order[lane] + 1, max(s.known[lane], 1))
            extrapolate(s.times[lane], s.now[lane], points, s.gamma[:, lane])
            s.constants[1, lane] = 0.0
            if s.known[lane] > s.order[lane]:
                s.constants[1, lane] = 1.0 / (s.alpha[0, lane] * (s.now[lane] - s.times[lane, s.order[lane]]))
    give_sources(g, s.now, s.v)
    if not give_lines(g, numbers, s, s.now, s.v):
        return False
    combine(s.gamma, s.past, s.slots, s.predicted)
    copy(s.predicted, 0, g.n, s.v)
    combine(s.beta, s.past, s.slots, s.summed)
    s.base[:] = 0.0
    add_product(g.rate_starts, g.rate_columns, numbers.rates, s.summed, s.base)
    combine(s.beta, s.charge_past, s.slots, s.charge_base)
    for i in range(g.n):
        store(s.weights, i, 1.0 / (load(s.size, i) * options.tolerance + options.nothing))
    return True


@compiled
def _estimate(g: Any, s: Any, options: Any) -> None:
    """Write the errors of the step, and of one of the next lower and the next higher order, where they are known."""
    for lane in range(LANES):
        k, now = s.order[lane], s.now[lane]
        s.constants[0, lane], s.constants[2, lane] = 0.0, 0.0
        if s.active[lane] and s.known[lane] > k > 1:
            alpha = weigh(s.times[lane], now, k - 1, s.work)
            s.constants[0, lane] = 1.0 / (alpha * (now - s.times[lane, k - 1]))
            extrapolate(s.times[lane], now, k, s.gamma[:, lane])
    combine(s.gamma, s.past, s.slots, s.lower)
    for lane in range(LANES):
        k, now = s.order[lane], s.now[lane]
        if s.active[lane] and k < HIGHEST and s.known[lane] > k + 1:
            alpha = weigh(s.times[lane], now, k + 1, s.work)
            s.constants[2, lane] = 1.0 / (alpha * (now - s.times[lane, k + 1]))
            extrapolate(s.times[lane], now, k + 2, s.gamma[:, lane])
    combine(s.gamma, s.past, s.slots, s.higher)
    moving = 0.0
    below, own, above = spread(0.0), spread(0.0), spread(0.0)
    for i in range(g.n):
        if g.differential[i] == 0.0:
            continue
        moving += 1.0
        v, size = load(s.v, i), load(s.size, i)
        size = choose(magnitude(v), size, magnitude(v), size)
        w = 1.0 / (size * options.tolerance + options.nothing)
        a, b, c = (v - load(s.lower, i)) * w, (v - load(s.predicted, i)) * w, (v - load(s.higher, i)) * w
        below, own, above = below + a * a, own + b * b, above + c * c
    store(s.errors, 0, below)
    store(s.errors, 1, own)
    store(s.errors, 2, above)
    for j in range(3):
        for lane in range(LANES):
            s.errors[j, lane] = s.constants[j, lane] * np.sqrt(s.errors[j, lane] / max(moving, 1.0))


@compiled
def _judge(g: Any, s: Any, options: Any, outcome: Any) -> None:
    """Mark the lanes whose step is accepted, and choose the next step and order of each."""
    for lane in range(LANES):
        s.accepted[lane] = False
        if not s.active[lane]:
            continue
        k, error = s.order[lane], s.errors[1, lane]
        if not s.converged[lane]:
            s.wanted[lane] = FAILED * s.h[lane]
            s.factored[lane] = 0.0
            s.waited[lane] = 0
            outcome.counts[1] += 1
            if s.wanted[lane] < SHORTEST * options.first:
                s.active[lane] = False
                outcome.status[lane] = NO_CONVERGENCE
        elif error > 1.0:
            s.wanted[lane] = s.h[lane] * max(REJECTED, SAFETY * error ** (-1.0 / (k + 1.0)))
            s.waited[lane] = 0
            outcome.counts[1] += 1
        elif _misses(g, s, options, lane):
            s.target[lane] = options.grid[s.next_out[lane]]
            s.wanted[lane] = s.target[lane] - s.t[lane]
            outcome.counts[1] += 1
        else:
            s.accepted[lane] = True
            s.target[lane] = np.inf
            outcome.counts[0] += 1
            s.waited[lane] += 1
            # Of the first two steps no error is known.
            s.wanted[lane] = s.h[lane] if s.known[lane] <= 1 else _next_step(s, lane)


@compiled
def _misses(g: Any, s: Any, options: Any, lane: int) -> bool:
    """Return whether a result within the step would be off: what no capacitor holds may move faster than the states."""
    out = s.next_out[lane]
    if out >= options.grid.shape[0] or options.grid[out] >= s.now[lane] * (1.0 - 1e-12):
        return False
    for k in range(options.probes.shape[0]):
        p = options.probes[k]
        if p < g.n:
            size = max(s.size[p, lane], abs(s.v[p, lane]))
            if abs(s.v[p, lane] - s.predicted[p, lane]) > READ_WITHIN * (options.tolerance * size + options.nothing):
                return True
    return False


@compiled
def _next_step(s: Any, lane: int) -> Any:
    """Return the next step after one that is accepted, and change the order where another one allows a longer step."""
    k = s.order[lane]
    factor, best = SAFETY * max(s.errors[1, lane], SMALL) ** (-1.0 / (k + 1.0)), k
    if s.constants[0, lane] > 0.0:
        lower = SAFETY * max(s.errors[0, lane], SMALL) ** (-1.0 / k)
        if lower > BETTER * factor:
            factor, best = lower, k - 1
    if s.constants[2, lane] > 0.0 and s.waited[lane] > k:
        higher = SAFETY * max(s.errors[2, lane], SMALL) ** (-1.0 / (k + 2.0))
        if higher > BETTER * factor:
            factor, best = higher, k + 1
    if best != k:
        s.order[lane] = best
        s.waited[lane] = 0
    factor = min(factor, GROWTH[k])
    if LEAST_FALL <= factor < LEAST_GROWTH:
        return max(s.h[lane], min(s.wanted[lane], s.h[lane] * factor))
    return s.h[lane] * factor


@compiled
def _keep(g: Any, s: Any) -> None:
    """Make what is accepted the past; each lane has one of its own."""
    free = s.slots[PAST]
    for j in range(PAST, 0, -1):
        s.slots[j] = s.slots[j - 1]
    s.slots[0] = free
    charges = s.values.shape[0] - g.charges
    copy(s.v, 0, g.nodes, s.past[free])
    copy(s.values, g.charges, charges, s.charge_past[free])
    for lane in range(LANES):
        if s.active[lane] and not s.accepted[lane]:
            for j in range(PAST):
                to, of = s.slots[j], s.slots[j + 1]
                for i in range(g.nodes):
                    s.past[to, i, lane] = s.past[of, i, lane]
                for i in range(charges):
                    s.charge_past[to, i, lane] = s.charge_past[of, i, lane]
    for lane in range(LANES):
        s.work[lane] = 1.0 if s.accepted[lane] else 0.0
    accepted = load(s.work, 0)
    for i in range(g.n):
        size, v = load(s.size, i), magnitude(load(s.v, i))
        store(s.size, i, choose(accepted, 0.5, choose(v, size, v, size), size))
    for lane in range(LANES):
        if s.accepted[lane]:
            for j in range(PAST - 1, 0, -1):
                s.times[lane, j] = s.times[lane, j - 1]
            s.times[lane, 0] = s.now[lane]
            s.t[lane] = s.now[lane]
            # Nothing is drawn through the start itself, which need not be consistent.
            s.known[lane] = min(s.known[lane] + 1, PAST)


@compiled
def _store(g: Any, s: Any, path: Any, lane: int, points: int) -> None:
    """Add an accepted point to the path of its sample."""
    k = s.ended[lane]
    if k < path.voltages.shape[0] and lane < path.voltages.shape[2]:
        for i in range(g.n):
            path.voltages[k, i, lane] = s.v[i, lane]
        path.steps[k, 0, lane], path.steps[k, 1, lane] = s.t[lane], s.alpha[0, lane]
        for j in range(HIGHEST):
            path.steps[k, 2 + j, lane] = s.beta[j, lane]
        path.steps[k, 2 + HIGHEST, lane] = points


@compiled
def _write(g: Any, numbers: Any, s: Any, options: Any, outcome: Any) -> None:
    """Write the results that the accepted steps have passed, and begin anew at corners of sources."""
    for lane in range(LANES):
        if not s.accepted[lane]:
            continue
        t = s.t[lane]
        points = min(s.order[lane] + 1, s.known[lane])
        if s.ended[lane] < outcome.taken.shape[0]:
            outcome.taken[s.ended[lane], lane] = t
        s.ended[lane] += 1
        _store(g, s, outcome.path, lane, points)
        while s.next_out[lane] < options.grid.shape[0] and options.grid[s.next_out[lane]] <= t * (1.0 + 1e-12):
            out = s.next_out[lane]
            extrapolate(s.times[lane], options.grid[out], points, s.work)
            for p in range(options.probes.shape[0]):
                total = 0.0
                for j in range(points):
                    total += s.work[j] * s.past[s.slots[j], options.probes[p], lane]
                outcome.waves[out, p, lane] = total
            s.next_out[lane] += 1
        level = pass_breaks(g, numbers, s, options, lane)
        if level >= 0:
            s.known[lane], s.order[lane], s.waited[lane] = (0 if level == JUMP else 1), 1, 0
            s.wanted[lane] = options.first
        if t >= options.t_stop:
            s.active[lane] = False
