"""The discrete adjoint of the steps that a run took, with their orders and lengths as given.

With Q(v) = C v + q(v), step m solves G v_m + i(v_m) + alpha_m Q(v_m) + sum_j beta_mj Q(v_(m-j)) = 0. Of a function J of
the voltages, and J_m the Jacobian of step m, from the last step to the first

    J_m^T l_m = -dJ/dv_m - (dQ/dv)^T mu_m,    mu_m = sum_j beta_(m+j)j l_(m+j),
    dJ/dp = sum_m [l_m (dG/dp v_m + di/dp) + (alpha_m l_m + mu_m) dQ/dp],

and at the start, where l_0 = 0, dJ/dv_0 + (dQ/dv)^T mu_0 is the derivative by where it starts (Y. Cao, S. Li,
L. Petzold and R. Serban, SIAM J. Sci. Comput. 24:1076, 2003; here of the steps, not of the equations).
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from ..equations.layout import LANES
from ..method import HIGHEST, PAST
from .factors import factorise, solve_transposed
from .formulas import evaluate_formulas
from .lanes import compiled, inlined, load, spread, store
from .steps import extrapolate, find_corners, give_sources
from .sums import combine, copy, write_jacobian

# Where factors lack entries, how often what they leave is solved for, and the move that is small enough, of the whole.
MOST: Final = 60
SMALL: Final = 1e-10


@compiled
def walk_back(g: Any, a: Any, numbers: Any, path: Any, wanted: Any, s: Any, found: Any) -> None:
    """Walk back along the paths of a block of lanes; see `Adjoint`, `Wanted`, `BackState` and `Found`."""
    while _go_back(g, path, s):
        give_sources(g, s.t, s.v)
        _take_wanted(g, path, wanted, s)
        evaluate_formulas(g, numbers.parameters, s.v, s.registers, s.values, s.slopes, True, 0)
        combine(s.back, s.past, s.slots, s.charge)
        s.current[:] = 0.0
        _multiply_transposed(g, a, numbers, s)
        _set_right_side(g, wanted, s, found)
        write_jacobian(g, numbers.linear, numbers.rates, s.slopes, s.alpha, s.factors)
        factorise(g, s.factors, s.where)
        s.current[:] = 0.0
        for k in range(MOST):
            _solve(g, s)
            _multiply_transposed(g, a, numbers, s)
            if a.is_whole or _is_solved(g, s, k):
                break
        _add_sources(g, wanted, s, found)
        _add_numbers(g, a, s, found)
        _pass(s)


@compiled
def _go_back(g: Any, path: Any, s: Any) -> bool:
    """Read the next point of each lane, and the weights of what lies behind it; return whether there is one."""
    any_left = False
    s.back[:] = 0.0
    for lane in range(LANES):
        m, of = s.at[lane], s.lanes[lane]
        if m < 0:
            continue
        any_left = True
        s.t[lane] = path.steps[m, 0, of]
        if m > 0:
            s.alpha[0, lane] = path.steps[m, 1, of]
        for j in range(HIGHEST):
            if m + j + 1 <= s.last[lane]:
                s.back[j, lane] = path.steps[m + j + 1, 2 + j, of]
        for i in range(g.n):
            s.v[i, lane] = path.voltages[m, i, of]
    return any_left


@compiled
def _take_wanted(g: Any, path: Any, wanted: Any, s: Any) -> None:
    """Spread the weights of results up to this point over the points that they are drawn through."""
    for lane in range(LANES):
        m, of = s.at[lane], s.lanes[lane]
        if m < 0:
            continue
        before = path.steps[m - 1, 0, of] * (1.0 + 1e-12) if m > 0 else -np.inf
        points = int(path.steps[m, 2 + HIGHEST, of])
        while s.next_out[lane] >= 0 and wanted.grid[s.next_out[lane]] > before:
            out = s.next_out[lane]
            if m > 0:
                for j in range(points):
                    s.times[j] = path.steps[m - j, 0, of]
                extrapolate(s.times, wanted.grid[out], points, s.work)
                for j in range(points):
                    for p in range(wanted.probes.shape[0]):
                        s.seeds[j, p, lane] += s.work[j] * wanted.weights[out, p, lane]
            else:
                for p in range(wanted.probes.shape[0]):
                    s.seeds[0, p, lane] += wanted.weights[out, p, lane]
            s.next_out[lane] -= 1


@inlined
def _difference(of: Any, plus: int, minus: int) -> Any:
    """Return what a row has above another one, with 0 for none."""
    total = spread(0.0)
    if plus >= 0:
        total = total + load(of, plus)
    if minus >= 0:
        total = total - load(of, minus)
    return total


@compiled
def _multiply_transposed(g: Any, a: Any, numbers: Any, s: Any) -> None:
    """Write (G + di/dv)^T current + (C + dq/dv)^T charge, for all nodes."""
    s.sums[:] = 0.0
    for i in range(g.n):
        x = load(s.current, i)
        for k in range(g.linear_starts[i], g.linear_starts[i + 1]):
            to = g.linear_columns[k]
            store(s.sums, to, load(s.sums, to) + load(numbers.linear, k) * x)
        for k in range(g.coupling_starts[i], g.coupling_starts[i + 1]):
            to = g.coupling_columns[k]
            store(s.sums, to, load(s.sums, to) + g.coupling_values[k] * x)
        x = load(s.charge, i)
        for k in range(g.rate_starts[i], g.rate_starts[i + 1]):
            to = g.rate_columns[k]
            store(s.sums, to, load(s.sums, to) + load(numbers.rates, k) * x)
    for k in range(g.value_rows.shape[0]):
        plus, minus = g.value_rows[k, 0], g.value_rows[k, 1]
        total = _difference(s.charge if k >= g.charges else s.current, plus, minus)
        store(s.weights, k, total)
    for k in range(a.slope_nodes.shape[0]):
        to = a.slope_nodes[k]
        store(s.sums, to, load(s.sums, to) + load(s.slopes, k) * load(s.weights, a.slope_values[k]))


@compiled
def _set_right_side(g: Any, wanted: Any, s: Any, found: Any) -> None:
    """Write what the adjoint equation has on its right, with and without that of mu; at the start it is the result."""
    s.wanted[:] = 0.0
    for p in range(wanted.probes.shape[0]):
        if wanted.probes[p] < g.n:
            for lane in range(LANES):
                s.wanted[wanted.probes[p], lane] -= s.seeds[0, p, lane]
    for i in range(g.n):
        store(s.left, i, load(s.wanted, i) - load(s.sums, i))
    for lane in range(LANES):
        if s.at[lane] == 0:
            for i in range(g.n):
                found.start[i, lane] = -s.left[i, lane]
                s.left[i, lane] = 0.0


@compiled
def _solve(g: Any, s: Any) -> None:
    """Add to l what the factors make of what is left of the equation."""
    solve_transposed(g, s.factors, s.left)
    alpha = load(s.alpha, 0)
    for i in range(g.n):
        store(s.current, i, load(s.current, i) + load(s.left, i))
        store(s.charge, i, load(s.charge, i) + alpha * load(s.left, i))


@compiled
def _is_solved(g: Any, s: Any, k: int) -> bool:
    """Write what is left of the equation, as the factors lack entries; return whether the last move was small."""
    is_small = True
    for lane in range(LANES):
        move, largest = 0.0, 0.0
        for i in range(g.n):
            move, largest = max(move, abs(s.left[i, lane])), max(largest, abs(s.current[i, lane]))
            s.left[i, lane] = s.wanted[i, lane] - s.sums[i, lane] if s.at[lane] > 0 else 0.0
        if s.at[lane] > 0 and not move <= SMALL * largest:
            is_small = False
            if k == MOST - 1:
                s.unsolved[lane] = 1
    return is_small


@compiled
def _add_sources(g: Any, wanted: Any, s: Any, found: Any) -> None:
    """Add what the voltages of sources do, by the corners of their waveforms."""
    for p in range(wanted.probes.shape[0]):
        if wanted.probes[p] >= g.n:
            for lane in range(LANES):
                s.sums[wanted.probes[p], lane] += s.seeds[0, p, lane]
    for k in range(g.wave_starts.shape[0] - 1):
        for lane in range(LANES):
            if s.at[lane] < 0:
                continue
            low, high, part = find_corners(g, k, s.t[lane])
            found.corners[low, lane] += (1.0 - part) * s.sums[g.n + k, lane]
            found.corners[high, lane] += part * s.sums[g.n + k, lane]


@compiled
def _add_numbers(g: Any, a: Any, s: Any, found: Any) -> None:
    """Add what conductances, capacitances, and numbers of formulas do."""
    for k in range(a.element_rows.shape[0]):
        plus, minus = a.element_rows[k, 0], a.element_rows[k, 1]
        total = _difference(s.charge if k >= a.rates else s.current, plus, minus)
        across = load(s.v, a.element_nodes[k, 0]) - load(s.v, a.element_nodes[k, 1])
        store(found.elements, k, load(found.elements, k) + total * across)
    # The weights of values are those of the last product.
    for k in range(a.number_slopes.shape[0]):
        w = load(s.weights, a.number_values[k])
        store(found.numbers, k, load(found.numbers, k) + load(s.slopes, a.number_slopes[k]) * w)


@compiled
def _pass(s: Any) -> None:
    """Go on to the point before."""
    free = s.slots[HIGHEST - 1]
    for j in range(HIGHEST - 1, 0, -1):
        s.slots[j] = s.slots[j - 1]
    s.slots[0] = free
    copy(s.current, 0, s.current.shape[0], s.past[free])
    for j in range(PAST - 1):
        copy(s.seeds[j + 1], 0, s.seeds.shape[1], s.seeds[j])
    s.seeds[PAST - 1] = 0.0
    for lane in range(LANES):
        s.at[lane] -= 1
