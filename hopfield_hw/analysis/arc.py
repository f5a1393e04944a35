"""F(x, p) = 0 along its arc: tangents, corrections and test functions, in units of the states and of the range of p."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any, TypeAlias

import numpy as np

from ..graph import Graph, HasGraph
from ..values.arrays import Array
from ..values.errors import InputError
from .balance import Balance
from .characteristic import Complexes
from .spectrum import equilibrium_roots

Family: TypeAlias = Callable[[float], Graph | HasGraph]

DIFFERENCE = 1e-5  # of the range, for dF/dp
CORRECTIONS = 10
CONVERGED = 1e-12
REAL = 1e-7  # of the size of the roots: an imaginary part below it is none


class Arc:
    """The equation of a family, u = (x / scale, (p - low)/(high - low)), all of size 1, and its test functions."""

    def __init__(self, family: Family, low: float, high: float, inputs: Any) -> None:
        self.low, self.width = low, high - low
        self._family, self._inputs = family, inputs
        self.balance: Callable[[float], Balance] = lru_cache(maxsize=64)(self._make)
        first = self.balance(0.0)
        self.n, self.is_map = first.size, first.is_map
        self.scale = first.reach
        size = float(np.linalg.norm(first.jacobian(first.initial), 2)) if self.n else 1.0
        self._rate = 1.0 / size if size > 0.0 else 1.0

    def _make(self, q: float) -> Balance:
        balance = Balance(self._family(self.low + self.width * q), self._inputs, what="continue_equilibria")
        if hasattr(self, "n") and balance.size != self.n:
            raise InputError(
                f"`family` has {balance.size} states at {self.low + self.width * q:g} and {self.n} at {self.low:g}: "
                "must have the same ones at each parameter"
            )
        return balance

    def parameter(self, u: Array) -> float:
        """Return p."""
        return self.low + self.width * float(u[-1])

    def state(self, u: Array) -> Array:
        """Return x, volts."""
        return np.asarray(u[:-1] * self.scale)

    def value(self, u: Array) -> Array:
        """Return F, scaled."""
        found = self.balance(float(u[-1])).value(self.state(u))
        return np.asarray(found * (self._rate / self.scale))

    def slope(self, u: Array) -> Array:
        """Return dF/du, (n, n + 1)."""
        jacobian = self.balance(float(u[-1])).jacobian(self.state(u)) * self._rate
        return np.column_stack([jacobian, self._by_parameter(u)])

    def _by_parameter(self, u: Array) -> Array:
        """Return dF/dq by differences within the range."""
        q = float(u[-1])
        if q < DIFFERENCE or q > 1.0 - DIFFERENCE:
            way = DIFFERENCE if q < DIFFERENCE else -DIFFERENCE
            at = [self.value(np.append(u[:-1], q + k * way)) for k in (0, 1, 2)]
            return np.asarray((-3.0 * at[0] + 4.0 * at[1] - at[2]) / (2.0 * way))
        ends = [self.value(np.append(u[:-1], q + way)) for way in (DIFFERENCE, -DIFFERENCE)]
        return np.asarray((ends[0] - ends[1]) / (2.0 * DIFFERENCE))

    def tangent(self, u: Array, along: Array) -> Array:
        """Return the unit tangent at a point, turned as `along` is."""
        slope = self.slope(u)
        matrix = np.vstack([slope, along])
        try:
            found = np.linalg.solve(matrix, np.append(np.zeros(self.n), 1.0))
        except np.linalg.LinAlgError:
            found = np.linalg.svd(matrix[:-1])[2][-1]
        found = found / np.linalg.norm(found)
        return np.asarray(found if found @ along >= 0.0 else -found)

    def correct(self, guess: Array, normal: Array) -> tuple[Array, int] | None:
        """Return the point of F = 0 in the plane through a guess, and the steps taken; None where there is none."""
        u = np.array(guess)
        last = np.inf
        by_parameter: Array | None = None
        for k in range(CORRECTIONS):
            if not -1e-9 <= u[-1] <= 1.0 + 1e-9:
                return None
            f = np.append(self.value(u), normal @ (u - guess))
            if by_parameter is None or k > 3:
                by_parameter = self._by_parameter(u)
            jacobian = self.balance(float(u[-1])).jacobian(self.state(u)) * self._rate
            matrix = np.vstack([np.column_stack([jacobian, by_parameter]), normal])
            try:
                step = -np.linalg.solve(matrix, f)
            except np.linalg.LinAlgError:
                return None
            size = float(np.max(np.abs(step)))
            if not np.isfinite(size) or size > 10.0:
                return None
            u = u + step
            if size <= CONVERGED or (size <= 1e-9 and size >= 0.5 * last):
                return u, k + 1
            last = size
        return None

    def at_parameter(self, guess: Array, q: float) -> Array | None:
        """Return the point at one parameter that Newton's method finds from a guess."""
        found = self.correct(np.append(guess[:-1], q), np.append(np.zeros(self.n), 1.0))
        return None if found is None else np.append(found[0][:-1], q)

    def determinant(self, u: Array, tangent: Array) -> float:
        """Return det [dF/du; t], which changes its sign where branches cross, and not at folds."""
        matrix = np.vstack([self.slope(u), tangent])
        sizes = np.maximum(np.linalg.norm(matrix, axis=1), 1e-300)
        return float(np.linalg.det(matrix / sizes[:, np.newaxis]))

    def roots(self, u: Array) -> Complexes:
        """Return the roots that tell stability."""
        return equilibrium_roots(self.balance(float(u[-1])), self.state(u))

    def growth(self, roots: Complexes) -> Array:
        """Return what is above 0 for a root that grows."""
        return np.asarray(np.abs(roots) - 1.0 if self.is_map else roots.real)

    def crossing(self, roots: Complexes) -> tuple[float, complex]:
        """Return the growth of the root nearest the border, and that root; 1 of a map, and 0, are not meant."""
        size = max(float(np.max(np.abs(roots))), 1e-300)
        oscillates = roots.imag > REAL * size
        if self.is_map:
            oscillates |= (np.abs(roots.imag) <= REAL * size) & (roots.real < 0.0)
        chosen = roots[oscillates] if oscillates.any() else roots
        growth = self.growth(chosen)
        nearest = int(np.argmin(np.abs(growth)))
        return float(growth[nearest]), complex(chosen[nearest])
