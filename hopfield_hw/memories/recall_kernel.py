"""Machine code for asynchronous recall, compiled by Numba: the same numbers as `asynchronous.settle_plain`."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit


@njit(cache=True, nogil=True)
def settle(weights: Any, orders: Any, x: Any, drive: Any, sweeps: Any) -> None:
    """Change neurons one by one, in place, until a sweep changes nothing; sweeps[b] is -1 where none did.

    `weights`: (n, n), symmetric. `orders`: (sweeps, n). `x`: (B, n), +1 or -1. `drive`: (B, n), W x.
    """
    n = weights.shape[0]
    for b in range(x.shape[0]):
        state, field = x[b], drive[b]
        sweeps[b] = -1
        for sweep in range(orders.shape[0]):
            changed = False
            for i in orders[sweep]:
                if field[i] * state[i] < 0:
                    row = weights[i]
                    step = -2 * state[i]
                    state[i] = -state[i]
                    for j in range(n):
                        field[j] += step * row[j]
                    changed = True
            if not changed:
                sweeps[b] = np.int64(sweep)
                break
