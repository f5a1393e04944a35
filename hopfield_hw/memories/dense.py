"""Dense and softmax memories, many states at once, for the curves of `capacity`."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..values.arrays import Array, positive, whole
from ..values.brief import Brief
from ..values.errors import InputError
from .asynchronous import EXACT, SWEEPS, Settled

HIGHEST_DEGREE = 12
STILL = 1e-9  # of a state's elements, which are within +-1


@dataclass(frozen=True, kw_only=True)
class Dense(Brief):
    """x <- sign(sum_m X_m (X_m . x)^(degree - 1)), all neurons at once; a sum of 0 keeps x: `families.dense_memory`.

    Sums are whole numbers, and exact. D. Krotov and J. J. Hopfield, NIPS 29 (2016). Degree 2 is Hebb's memory with its
    diagonal. Raises InputError for a degree that is not from 2 to 12.
    """

    degree: int = 3

    def __post_init__(self) -> None:
        whole(self.degree, "Dense.degree", 2, HIGHEST_DEGREE)

    def settle(self, patterns: Array, states: Array) -> Settled:
        """Return where states, (B, n), end. Raises InputError where sums would not be exact."""
        count, n = patterns.shape
        if count * float(n) ** (self.degree - 1) >= EXACT:
            raise InputError(f"`Dense.degree` = {self.degree}: sums of {count} patterns of {n} neurons are not exact")
        x, sweeps = states.copy(), np.full(len(states), -1, dtype=np.int64)
        for sweep in range(SWEEPS):
            drive = (x @ patterns.T) ** (self.degree - 1) @ patterns
            after = np.where(drive == 0.0, x, np.sign(drive))
            sweeps[(sweeps < 0) & np.all(after == x, axis=1)] = sweep
            x = after
            if np.all(sweeps >= 0):
                break
        return Settled(x, sweeps)


@dataclass(frozen=True, kw_only=True)
class SoftmaxMemory(Brief):
    """x <- X softmax(beta X^T x), and the signs of where it rests: `families.modern_hopfield`, one step a sweep.

    H. Ramsauer et al., arXiv:2008.02217 (2020). Raises InputError for a beta that is not positive.
    """

    beta: float = 1.0

    def __post_init__(self) -> None:
        positive(self.beta, "SoftmaxMemory.beta", shape=(), unit="")

    def settle(self, patterns: Array, states: Array) -> Settled:
        """Return the signs of where states, (B, n), end; -1 sweeps where they still move after SWEEPS."""
        x, sweeps = states.copy(), np.full(len(states), -1, dtype=np.int64)
        for sweep in range(SWEEPS):
            overlap = self.beta * (x @ patterns.T)
            share = np.exp(overlap - overlap.max(axis=1, keepdims=True))
            after = share / share.sum(axis=1, keepdims=True) @ patterns
            sweeps[(sweeps < 0) & np.all(np.abs(after - x) <= STILL, axis=1)] = sweep
            x = after
            if np.all(sweeps >= 0):
                break
        return Settled(np.where(x >= 0.0, 1.0, -1.0), sweeps)
