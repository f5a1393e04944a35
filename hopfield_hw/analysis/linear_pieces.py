"""Functions as straight pieces: where each begins and ends, its slope and its offset."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np

from ..functions import Clip, Function, HardLimiter, Identity, PiecewiseLinear, Sigmoid, Table
from ..functions.rectifiers import LeakyRelu, ThresholdedRelu


class Piece(NamedTuple):
    """f(s) = slope s + offset for s from low to high."""

    low: float
    high: float
    slope: float
    offset: float


def linear_pieces(function: Function, size: int) -> list[list[Piece]] | None:
    """Return the pieces of each of `size` elements, from -inf to inf; None for a function that is not straight."""
    find = KINDS.get(type(function))
    return None if find is None else _by_element(find, function, size)


def stand_in_pieces(function: Function, size: int) -> list[list[Piece]] | None:
    """Return three pieces like a sigmoid's: its ends and its slope at zero. Searches start from their solutions."""
    straight = linear_pieces(function, size)
    if straight is not None or not isinstance(function, Sigmoid):
        return straight
    return _by_element(_sigmoid, function, size)


def jumps(function: Function) -> bool:
    """Whether the function jumps from one piece to the next."""
    return isinstance(function, HardLimiter | ThresholdedRelu)


def _by_element(find: Callable[[Any], list[Piece]], function: Function, size: int) -> list[list[Piece]]:
    if function.size is None:
        return [find(function)] * size
    return [find(function.at(i)) for i in range(size)]


def _piecewise_linear(function: PiecewiseLinear) -> list[Piece]:
    gain, end = float(function.gain), float(function.amplitude)
    at = end / gain
    return [Piece(-np.inf, -at, 0.0, -end), Piece(-at, at, gain, 0.0), Piece(at, np.inf, 0.0, end)]


def _sigmoid(function: Sigmoid) -> list[Piece]:
    low, high, gain = float(function.lower), float(function.upper), float(function.gain)
    middle = float(function.value(0.0))
    a, b = (low - middle) / gain, (high - middle) / gain
    return [Piece(-np.inf, a, 0.0, low), Piece(a, b, gain, middle), Piece(b, np.inf, 0.0, high)]


def _clip(function: Clip) -> list[Piece]:
    low, high = float(function.lower), float(function.upper)
    found = [Piece(low, high, 1.0, 0.0)] if low < high else []
    below = [Piece(-np.inf, low, 0.0, low)] if low > -np.inf else []
    return [*below, *found, *([Piece(high, np.inf, 0.0, high)] if high < np.inf else [])]


def _leaky_relu(function: LeakyRelu) -> list[Piece]:
    return [Piece(-np.inf, 0.0, float(function.below), 0.0), Piece(0.0, np.inf, float(function.above), 0.0)]


def _thresholded_relu(function: ThresholdedRelu) -> list[Piece]:
    at = float(function.threshold)
    return [Piece(-np.inf, at, 0.0, 0.0), Piece(at, np.inf, float(function.slope), 0.0)]


def _hard_limiter(function: HardLimiter) -> list[Piece]:
    end = float(function.amplitude)
    return [Piece(-np.inf, 0.0, 0.0, -end), Piece(0.0, np.inf, 0.0, end)]


def _table(function: Table) -> list[Piece]:
    slopes = np.diff(function.y) / np.diff(function.x)
    inner = [
        Piece(float(a), float(b), float(slope), float(y - slope * a))
        for a, b, slope, y in zip(function.x, function.x[1:], slopes, function.y, strict=False)
    ]
    first = Piece(-np.inf, float(function.x[0]), 0.0, float(function.y[0]))
    return [first, *inner, Piece(float(function.x[-1]), np.inf, 0.0, float(function.y[-1]))]


def _identity(function: Identity) -> list[Piece]:
    return [Piece(-np.inf, np.inf, 1.0, 0.0)]


KINDS: Mapping[type[Function], Callable[[Any], list[Piece]]] = MappingProxyType(
    {
        PiecewiseLinear: _piecewise_linear,
        Clip: _clip,
        Identity: _identity,
        LeakyRelu: _leaky_relu,
        ThresholdedRelu: _thresholded_relu,
        HardLimiter: _hard_limiter,
        Table: _table,
    }
)
