"""What the matrix inequalities of networks with slopes in sectors are put together from."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from ..values.arrays import Array
from .inequality import multiply
from .systems import DelayedNetwork

# x'^T R x' >= sum_k (2k + 1) G_k^T R G_k, G_k = int_{-1}^0 L_k(s) x'(t + s) ds, L_k the Legendre polynomials there.


def legendre_moments(now: Any, late: Any, moments: list[Any]) -> list[Any]:
    """Return G_k = int_{-1}^0 L_k x' = x(t) - (-1)^k x(t - 1) - sum_{j < k, k - j odd} 2 (2j + 1) M_j, k = 0, ..., N.

    M_j = int_{-1}^0 L_j x, the N `moments`, with L_k(0) = 1, L_k(-1) = (-1)^k (Seuret and Gouaisbaut, Syst. Control
    Lett. 81:1, 2015). Each is a matrix that takes it out of all variables. G_k is also the derivative of M_k.
    """
    found = []
    for k in range(len(moments) + 1):
        total = now - late * (-1) ** k
        for j in range(k):
            if (k - j) % 2:
                total = total - moments[j] * (2 * (2 * j + 1))
        found.append(total)
    return found


def selectors(count: int, n: int, like: Any) -> list[Any]:
    """Return the matrices (n, count n) that take each of `count` vectors out of one with all of them."""
    whole = np.zeros((count * n, count * n), dtype=like.dtype) + like.flat[0] * 0
    whole[np.diag_indices(count * n)] = whole.flat[0] + 1
    return [whole[k * n : (k + 1) * n] for k in range(count)]


def both(left: Any, middle: Any, right: Any) -> Any:
    """Return L^T M R + R^T M^T L."""
    product = multiply(left.T, middle, right)
    return product + product.T


def square(side: Any, middle: Any) -> Any:
    """Return S^T M S."""
    return multiply(side.T, middle, side)


def stack(*parts: Any) -> Any:
    """Return matrices one above the other."""
    return np.concatenate(parts, axis=0)


def network_data(network: DelayedNetwork, seconds: float) -> dict[str, Array]:
    """Return A, W0, W1, the slopes, and `seconds`, the unit of time that `in_units` takes; nothing is rounded."""
    return {
        "A": np.diag(network.decay),
        "W0": network.weights,
        "W1": network.late_weights,
        "L": np.diag(network.lower),
        "K": np.diag(network.upper),
        "time": np.array([seconds]),
    }


def in_units(network: DelayedNetwork, data: Mapping[str, Any]) -> dict[str, Any]:
    """Return A, W0, W1 and slopes with `time` for the unit of time: the rates times it."""
    rates = ("A", "W0", "W1") if network.kind == "local" else ("A", "L", "K")
    return {name: value * data["time"][0] if name in rates else value for name, value in data.items()}


def field(network: DelayedNetwork, data: Mapping[str, Any], x: Any, f: Any, late: Any) -> tuple[Any, Any]:
    """Return (Y, x'): what the gain curves take is y = Y x; x' = -A x + W0 f + W1 late, or -A x + f (or late)."""
    if network.kind == "local":
        identity = x[:, : x.shape[0]]
        return identity, multiply(-data["A"], x) + multiply(data["W0"], f) + multiply(data["W1"], late)
    return (
        (data["W1"], multiply(-data["A"], x) + late) if network.has_delay else (data["W0"], multiply(-data["A"], x) + f)
    )


def sector(f: Any, y: Any, data: Mapping[str, Any], multiplier: Any) -> Any:
    """Return 2 (f - L y)^T T (K y - f) as a matrix: at least 0 where each slope lies in its sector and T >= 0."""
    return both(f - multiply(data["L"], y), multiplier, multiply(data["K"], y) - f)


def integrals(f: Any, y: Any, rate: Any, data: Mapping[str, Any], above: Any, below: Any) -> Any:
    """Return the derivative of 2 sum_i [a_i int_0^y (f_i - l_i s) ds + b_i int_0^y (k_i s - f_i) ds], y' = rate."""
    rising = both(f - multiply(data["L"], y), above, rate)
    return rising + both(multiply(data["K"], y) - f, below, rate)


def with_moments(p: Any, s: Any, order: int, n: int) -> Any:
    """Return P + diag(0, S, 3 S, 5 S, ...): V is positive where it is, as int x^T S x >= sum (2k + 1) M_k^T S M_k."""
    total = p.copy()
    for k in range(order):
        part = slice((k + 1) * n, (k + 2) * n)
        total[part, part] = total[part, part] + s * (2 * k + 1)
    return total
