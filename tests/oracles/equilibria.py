"""Equilibria by other means: every linear region one by one, subdivision of a box, signs on a fine grid."""

from __future__ import annotations

from itertools import product
from typing import Any

import numpy as np
from scipy.optimize import brentq, fsolve

# x' = -x + W f(x) + b throughout.


def every_region(weights: Any, bias: Any, gain: float, amplitude: float = 1.0) -> list[Any]:
    """Solve all 3^n linear systems of f(x) = max(-a, min(a, gain x)), and keep those that lie in their region."""
    n, end, found = len(bias), amplitude / gain, []
    for signs in product((-1, 0, 1), repeat=n):
        sign = np.array(signs)
        inner = sign == 0
        matrix = np.eye(n) - weights * np.where(inner, gain, 0.0)
        if abs(np.linalg.det(matrix)) < 1e-12:
            continue
        x = np.linalg.solve(matrix, bias + weights @ (amplitude * sign))
        if np.all(np.where(inner, np.abs(x) <= end, sign * x > end)):
            found.append(x)
    return found


def by_subdivision(weights: Any, bias: Any, gain: float, width: float = 1e-6) -> list[Any]:
    """Return the equilibria of f(x) = tanh(gain x): boxes that intervals do not rule out, cut until each holds one.

    A box whose image does not meet it holds none; one over which the Jacobian stays near that of its middle holds one
    at most, and MINPACK starts in it.
    """
    up, down = np.maximum(weights, 0.0), np.minimum(weights, 0.0)
    reach, eye = np.sum(np.abs(weights), axis=1), np.eye(len(bias))
    low, high = (bias - reach)[np.newaxis], (bias + reach)[np.newaxis]
    starts: list[Any] = []
    while len(low):
        for _ in range(4):
            a, b = np.tanh(gain * low), np.tanh(gain * high)
            low = np.maximum(low, a @ up.T + b @ down.T + bias - 1e-12)
            high = np.minimum(high, b @ up.T + a @ down.T + bias + 1e-12)
            kept = np.all(low <= high, axis=1)
            low, high = low[kept], high[kept]
        if not len(low):
            break
        ends = gain / np.cosh(gain * low) ** 2, gain / np.cosh(gain * high) ** 2
        least, largest = np.minimum(*ends), np.where((low < 0.0) & (high > 0.0), gain, np.maximum(*ends))
        slope, half = 0.5 * (least + largest), 0.5 * (largest - least)
        inverse = np.linalg.pinv(weights * slope[:, np.newaxis] - eye)
        alone = np.max(np.sum(np.abs(inverse @ weights) * half[:, np.newaxis], axis=2), axis=1) < 1.0
        alone |= np.max(high - low, axis=1) < width
        starts += list(0.5 * (low + high)[alone])
        low, high = low[~alone], high[~alone]
        k, rows = np.argmax(high - low, axis=1), np.arange(len(low))
        middle = 0.5 * (low + high)[rows, k]
        first, second = high.copy(), low.copy()
        first[rows, k], second[rows, k] = middle, middle
        low, high = np.vstack([low, second]), np.vstack([first, high])

    def slope_at(x: Any) -> Any:
        return -x + weights @ np.tanh(gain * x) + bias

    roots: list[Any] = []
    for middle in starts:
        x, _, status, _ = fsolve(slope_at, middle, xtol=1e-13, full_output=True)
        good = status == 1 or np.max(np.abs(slope_at(x))) < 1e-11
        if good and not any(np.max(np.abs(x - other)) < 1e-6 for other in roots):
            roots.append(x)
    return roots


def by_signs(slope: Any, low: float, high: float, points: int = 20_001) -> list[float]:
    """Return the zeros of a function of one number: changes of sign on a fine grid, each made exact by bisection."""
    at = np.linspace(low, high, points)
    values = np.array([slope(x) for x in at])
    found = [float(x) for x in at[values == 0.0]]
    changes = np.flatnonzero(values[:-1] * values[1:] < 0.0)
    return sorted(found + [brentq(slope, at[k], at[k + 1], xtol=1e-14) for k in changes])
