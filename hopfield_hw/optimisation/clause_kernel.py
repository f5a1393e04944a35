"""Machine code for cubic energies with clause weights, compiled by Numba: the numbers of `clauses.descend_plain`."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit


@njit(cache=True, nogil=True)
def descend(
    index: Any, signs: Any, x: Any, a: Any, steps: int, dt: float, step: float, rate: float, fading: float, hit: Any
) -> None:
    """Take Euler steps of `problems.satisfiability.cubic_network` in place, until every start is a solution.

    `x`: (n, B), `a`: (m, B). `hit`: (B,), the step at which the signs of x first were a solution; -1 where never. A
    start that is one stays.
    """
    n, batch = x.shape
    m = index.shape[0]
    force = np.empty((n, batch))
    unsolved = np.empty(batch, np.int64)
    pace = np.full(batch, dt)
    for taken in range(steps + 1):
        for i in range(n):
            for b in range(batch):
                force[i, b] = 0.0
        for b in range(batch):
            unsolved[b] = 0
        for c in range(m):
            i0, i1, i2 = index[c, 0], index[c, 1], index[c, 2]
            s0, s1, s2 = signs[c, 0], signs[c, 1], signs[c, 2]
            for b in range(batch):
                k0, k1, k2 = 0.5 - 0.5 * s0 * x[i0, b], 0.5 - 0.5 * s1 * x[i1, b], 0.5 - 0.5 * s2 * x[i2, b]
                w = a[c, b]
                force[i0, b] += 0.5 * s0 * (k1 * k2 * w)
                force[i1, b] += 0.5 * s1 * (k0 * k2 * w)
                force[i2, b] += 0.5 * s2 * (k0 * k1 * w)
                unsolved[b] += np.int64((k0 >= 0.5) & (k1 >= 0.5) & (k2 >= 0.5))
                a[c, b] = w + dt * rate * (k1 * k2 * k0 - fading * (w - 1.0))
        left = np.int64(0)
        for b in range(batch):
            if unsolved[b] == 0 and hit[b] < 0:
                hit[b] = taken
                pace[b] = 0.0
            left += np.int64(hit[b] < 0)
        if left == 0:
            return
        for i in range(n):
            for b in range(batch):
                x[i, b] += pace[b] * (min(1.0, max(-1.0, x[i, b] + step * force[i, b])) - x[i, b])
