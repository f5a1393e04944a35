"""Machine code for many cells on a grid, compiled by Numba: a stage of a Runge-Kutta step in one pass over its slopes.

To read the slopes is what a stage costs, so all that it does is done where they are read.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar, cast

import numpy as np
from numba import njit

from ..arrays import Array

F = TypeVar("F", bound=Callable[..., Any])
BLOCK = 1024  # states that stay in the first cache


def compiled(function: F) -> F:
    """Compile a function when it is first called, and keep the code on disk; sums may be taken in any order."""
    return cast(F, njit(cache=True, nogil=True, fastmath={"contract", "reassoc"})(function))


@compiled
def stage(
    slots: Array,
    weights: Array,
    argument: Array,
    slope: Array,
    shape: tuple[int, int],
    values: Array,
    down: Array,
    right: Array,
    reach: tuple[int, int],
    gain: float,
    amplitude: float,
    edge: float,
    periodic: bool,
    constant: Array,
    rate: float,
) -> None:
    """Write the argument x = sum_k weights[k] slots[k] of a stage, (n,), and dx/dt there into `slope`, (n,).

    dx/dt = (sum over k of values[k] y(row + down[k], column + right[k])) + constant - rate x, where y is gain x within
    -amplitude and amplitude, and `edge` outside the grid, or what the opposite side has where it is periodic. `reach`:
    the largest shift, down and to the side.
    """
    rows, columns = shape
    tall, wide = reach
    span = 2 * tall + 1
    window = np.full((span, columns + 2 * wide), edge)  # y of the rows that the row at work needs, with margins
    for below in range(-tall, rows + tall):
        y = window[below % span]
        row = below % rows if periodic else below
        if 0 <= row < rows:
            x = argument[row * columns : (row + 1) * columns]
            part = slots[0, row * columns : (row + 1) * columns]
            for c in range(columns):
                x[c] = weights[0] * part[c]
            for k in range(1, weights.size):
                part, weight = slots[k, row * columns : (row + 1) * columns], weights[k]
                for c in range(columns):
                    x[c] += weight * part[c]
            for c in range(columns):
                y[wide + c] = min(max(gain * x[c], -amplitude), amplitude)
            if periodic:
                for c in range(wide):
                    y[c] = y[wide + (c - wide) % columns]
                    y[wide + columns + c] = y[wide + c % columns]
        else:
            y[:] = edge
        at = below - tall
        if at >= 0:
            x = argument[at * columns : (at + 1) * columns]
            out = slope[at * columns : (at + 1) * columns]
            flowing = constant[at * columns : (at + 1) * columns]
            for c in range(columns):
                out[c] = flowing[c] - rate * x[c]
            for k in range(values.size):
                value, first = values[k], wide + right[k]
                near = window[(at + down[k]) % span, first : first + columns]
                for c in range(columns):
                    out[c] += value * near[c]


@compiled
def squared_error(slots: Array, weights: Array, new: Array, rtol: float, atol: float) -> float:
    """Return the sum of ((sum_k weights[k] slots[k + 1]) / (atol + rtol max(|slots[0]|, |new|)))^2 over the states."""
    total = 0.0
    block = np.empty(BLOCK)
    for first in range(0, new.size, BLOCK):
        size = min(BLOCK, new.size - first)
        block[:] = 0.0
        for k in range(weights.size):
            part, weight = slots[k + 1, first : first + size], weights[k]
            for c in range(size):
                block[c] += weight * part[c]
        old, now = slots[0, first : first + size], new[first : first + size]
        for c in range(size):
            ratio = block[c] / (atol + rtol * max(abs(old[c]), abs(now[c])))
            total += ratio * ratio
    return total
