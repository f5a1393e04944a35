"""Asynchronous recall of many states at once, in whole numbers: compiled where Numba is there, else in NumPy."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from ..problems.learning_rules import DECIMALS
from ..values.arrays import Array
from ..values.compiled import load_compiled
from ..values.errors import InputError

Whole = npt.NDArray[np.float64]
SWEEPS = 100
# Sums of whole numbers are exact in float64, in any order, up to here.
EXACT = 2.0**53


class Settled(NamedTuple):
    """`states`: (B, n), +1 or -1. `sweeps`: (B,), before one that changed nothing, -1 where none did."""

    states: Array
    sweeps: npt.NDArray[np.int64]


def whole_weights(weights: Array) -> Array:
    """Return weights as whole numbers, to one common scale: those of Hebb times n, others times 10^DECIMALS.

    Raises InputError for weights that no such scale makes whole, and for sums that float64 does not hold exactly.
    """
    for scale in (float(weights.shape[0]), 10.0**DECIMALS):
        scaled = weights * scale
        found = np.round(scaled)
        # A whole number divided by n and multiplied again comes back to within a few units in the last place.
        whole = np.all(np.abs(scaled - found) <= 1e-6) and np.array_equal(found != 0.0, weights != 0.0)
        if whole and np.abs(found).sum(axis=1).max() * 2.0 < EXACT:
            return np.ascontiguousarray(found)
    raise InputError(
        f"`weights`: are no whole multiples of 1/{weights.shape[0]} or of 1e-{DECIMALS}, so that sums are not exact; "
        f"scale them, and round them to {DECIMALS} decimals"
    )


def settle(weights: Whole, states: Array, orders: npt.NDArray[np.int64], *, compiled: bool | None = None) -> Settled:
    """Return where states settle, x_i <- sign(sum_j W_ij x_j), one neuron after the other; a sum of 0 keeps x_i.

    `weights`: whole numbers, symmetric, as of `whole_weights`. `states`: (B, n). `orders`: (sweeps, n), of each sweep.
    `compiled`: by Numba or not; None: where it is installed. Not a bit differs.
    """
    x = np.array(states, dtype=np.float64, order="C")
    drive = np.ascontiguousarray(x @ weights)
    sweeps = np.full(len(x), -1, dtype=np.int64)
    run = load_compiled(_load_kernel, compiled, "compiled") or settle_plain
    run(weights, orders, x, drive, sweeps)
    return Settled(x, sweeps)


def settle_plain(weights: Any, orders: Any, x: Any, drive: Any, sweeps: Any) -> None:
    """Do what `recall_kernel.settle` does, all states together."""
    running = np.arange(len(x))
    sweeps[:] = -1
    for sweep, order in enumerate(orders):
        changed = np.zeros(len(x), dtype=bool)
        for i in order.tolist():
            moved = running[drive[running, i] * x[running, i] < 0]
            if moved.size:
                drive[moved] -= (2.0 * x[moved, i])[:, np.newaxis] * weights[i]
                x[moved, i] *= -1.0
                changed[moved] = True
        still = running[~changed[running]]
        sweeps[still] = sweep
        running = running[changed[running]]
        if not running.size:
            return


def _load_kernel() -> Any:
    from .recall_kernel import settle as kernel

    return kernel
