"""The kernels of sums: the residual of a step's equations, its Jacobian, and what the past adds, (entries, LANES)."""

from __future__ import annotations

from typing import Any

from .lanes import compiled, load, spread, store


@compiled
def copy(rows: Any, first: int, count: int, to: Any) -> None:
    """Write rows from `first` on to the first rows of an array."""
    for i in range(count):
        store(to, i, load(rows, first + i))


@compiled
def add_product(starts: Any, columns: Any, matrix: Any, v: Any, result: Any) -> None:
    """Add matrix v to result."""
    for i in range(result.shape[0]):
        total = load(result, i)
        for k in range(starts[i], starts[i + 1]):
            total = total + load(matrix, k) * load(v, columns[k])
        store(result, i, total)


@compiled
def combine(weights: Any, past: Any, slots: Any, result: Any) -> None:
    """Write sum_j weights[j] past[slots[j]], with weights, (points, LANES), of each sample's own."""
    for j in range(weights.shape[0]):
        one, weight = past[slots[j]], load(weights, j)
        if j == 0:
            for i in range(result.shape[0]):
                store(result, i, weight * load(one, i))
        else:
            for i in range(result.shape[0]):
                store(result, i, load(result, i) + weight * load(one, i))


@compiled
def write_residual(
    g: Any, linear: Any, rates: Any, v: Any, values: Any, alpha: Any, base: Any, charge_base: Any, result: Any
) -> None:
    """Write G v, with crossbars, + i(v) + alpha (C v + q(v)) + base, where base is what the past adds."""
    factor = load(alpha, 0)
    for i in range(g.n):
        total = spread(0.0)
        for k in range(g.rate_starts[i], g.rate_starts[i + 1]):
            total = total + load(rates, k) * load(v, g.rate_columns[k])
        total = total * factor + load(base, i)
        for k in range(g.linear_starts[i], g.linear_starts[i + 1]):
            total = total + load(linear, k) * load(v, g.linear_columns[k])
        for k in range(g.coupling_starts[i], g.coupling_starts[i + 1]):
            total = total + g.coupling_values[k] * load(v, g.coupling_columns[k])
        store(result, i, total)
    for k in range(g.value_rows.shape[0]):
        plus, minus = g.value_rows[k, 0], g.value_rows[k, 1]
        q = k - g.charges
        value = load(values, k)
        if q >= 0:
            value = factor * value + load(charge_base, q)
        if plus >= 0:
            store(result, plus, load(result, plus) + value)
        if minus >= 0:
            store(result, minus, load(result, minus) - value)


@compiled
def write_jacobian(g: Any, linear: Any, rates: Any, slopes: Any, alpha: Any, factors: Any) -> None:
    """Write the Jacobian of the residual into the pattern of its factors."""
    factors[:] = 0.0
    factor = load(alpha, 0)
    for k in range(g.linear_places.shape[0]):
        place = g.linear_places[k]
        if place >= 0:
            store(factors, place, load(factors, place) + load(linear, k))
    for k in range(g.rate_places.shape[0]):
        place = g.rate_places[k]
        if place >= 0:
            store(factors, place, load(factors, place) + factor * load(rates, k))
    for k in range(g.slope_places.shape[0]):
        place, slope = g.slope_places[k, 0], load(slopes, g.slope_places[k, 1]) * g.slope_signs[k]
        if g.slope_places[k, 2] == 1:
            slope = factor * slope
        store(factors, place, load(factors, place) + slope)
