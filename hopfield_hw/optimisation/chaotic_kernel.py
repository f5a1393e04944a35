"""Machine code for chaotic annealing, compiled by Numba: the same numbers as `chaotic_annealing.anneal_plain`."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

from .exponential import LIMIT, LN2_HIGH, LN2_LOW, LOG2_E, OFFSET, POWERS, TAYLOR

T0, T1, T2, T3, T4, T5, T6, T7, T8, T9, T10, T11, T12, T13 = TAYLOR


@njit(inline="always")
def logistic(a: float, powers: Any) -> float:
    """Return 1 / (1 + exp(-a)) by the operations of `exponential.logistic`."""
    x = -min(max(a, -LIMIT), LIMIT)
    k = np.rint(x * LOG2_E)
    r = (x - k * LN2_HIGH) - k * LN2_LOW
    p = ((((((T0 * r + T1) * r + T2) * r + T3) * r + T4) * r + T5) * r + T6) * r + T7
    p = (((((p * r + T8) * r + T9) * r + T10) * r + T11) * r + T12) * r + T13
    result: float = 1.0 / (1.0 + p * powers[np.int64(k) + OFFSET])
    return result


@njit(cache=True, nogil=True)
def anneal(
    distances: Any, y: Any, sweeps: int, k: float, steep: float, alpha: float, z0: float, i0: float, w1: float,
    w2: float, decay: float, noise: Any
) -> Any:  # fmt: skip
    """Return the outputs x, (n, n, B), from internal states y, (n, n, B), which change in place.

    The arguments are those of `chaotic_annealing.Schedule`. `noise`: (sweeps, 0 or n, n, B), added to y.
    """
    n, _, batch = y.shape
    powers = POWERS
    x = np.empty_like(y)
    rows, columns = np.zeros((n, batch)), np.zeros((n, batch))
    for i in range(n):
        for j in range(n):
            for b in range(batch):
                x[i, j, b] = logistic(y[i, j, b] * steep, powers)
                rows[i, b] += x[i, j, b]
                columns[j, b] += x[i, j, b]
    length = np.empty(batch)
    z = z0
    for sweep in range(sweeps):
        for i in range(n):
            for j in range(n):
                after, before = (j + 1) % n, (j - 1) % n
                for b in range(batch):
                    length[b] = 0.0
                for m in range(n):
                    d = distances[i, m]
                    for b in range(batch):
                        length[b] += d * (x[m, after, b] + x[m, before, b])
                for b in range(batch):
                    old = x[i, j, b]
                    drive = w1 * (1.0 - ((rows[i, b] - old) + (columns[j, b] - old))) - w2 * length[b]
                    y[i, j, b] = (k * y[i, j, b] + alpha * drive) - z * (old - i0)
                if noise.shape[1] > 0:
                    for b in range(batch):
                        y[i, j, b] += noise[sweep, i, j, b]
                for b in range(batch):
                    old = x[i, j, b]
                    new = logistic(y[i, j, b] * steep, powers)
                    rows[i, b] += new - old
                    columns[j, b] += new - old
                    x[i, j, b] = new
        z *= decay
    return x
