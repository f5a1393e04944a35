"""The step size of a solution from its estimated errors: one trajectory, or many with a step of their own each.

Hairer, Norsett, Wanner, "Solving Ordinary Differential Equations I", 2nd ed., II.4. The rules are those of
`scipy.integrate`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..values.arrays import Array

SAFETY, LEAST, MOST = 0.9, 0.2, 10.0


@dataclass(frozen=True, kw_only=True)
class Controller:
    """Steps of a method whose estimated error is h^order times a constant; errors are parts of what is allowed."""

    order: int

    def factor(self, error: Any, rejected: Any) -> Any:
        """Return by what to multiply a step, from LEAST to MOST; LEAST where the error is not finite.

        `rejected`: whether the step before this one, from the same place, was; then it does not grow.
        """
        with np.errstate(divide="ignore", invalid="ignore"):
            factor = np.fmin(np.fmax(SAFETY * np.asarray(error) ** (-1.0 / self.order), LEAST), MOST)
        return np.where(rejected, np.minimum(factor, 1.0), factor)

    def first_step(
        self, x: Array, slope: Array, scale: Array, span: float, slope_after: Callable[[Array], Array]
    ) -> Array:
        """Return the first step of each trajectory, (A,), from x and dx/dt, (A, n); at most `span`, seconds.

        `scale`: the error allowed, (A, n). `slope_after(h)`: dx/dt one Euler step of h, (A,), later.
        """
        steepness = _rms(slope / scale)
        h = np.minimum(guess_step(_rms(x / scale), steepness), span)
        steepest = np.fmax(steepness, _rms((slope_after(h) - slope) / scale) / h)
        with np.errstate(divide="ignore"):
            longer = np.where(steepest <= 1e-15, np.maximum(1e-6, h * 1e-3), (0.01 / steepest) ** (1.0 / self.order))
        return np.asarray(np.minimum(np.minimum(100.0 * h, longer), span))


def guess_step(size: Any, steepness: Any) -> Any:
    """Return a first step, seconds, from the norms of x and dx/dt, each divided by the error allowed."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where((size < 1e-5) | (steepness < 1e-5), 1e-6, 0.01 * np.divide(size, steepness))


def smallest_step(t: Any) -> Any:
    """Return 10 roundings of the time t: no step may be shorter."""
    return 10.0 * (np.nextafter(t, np.inf) - t)


def _rms(values: Array) -> Array:
    return np.asarray(np.sqrt(np.vecdot(values, values) / values.shape[1]))
