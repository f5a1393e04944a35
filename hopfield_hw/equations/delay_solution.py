"""A delay equation, and its solution: the dense output of every step, and what delays give of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final, Protocol, TypeAlias

import numpy as np
import numpy.typing as npt
from numpy.polynomial.chebyshev import chebpts2, chebvander

from ..values.arrays import Array
from .breakpoints import Lag, Segments
from .tableau import EIGHTH

Index: TypeAlias = npt.NDArray[np.intp]

# What delays give is kept, where other delays look at it, by its values at so many Chebyshev points of each step.
POINTS: Final = 12
_NODES: Final = 0.5 + 0.5 * chebpts2(POINTS)
_FIT: Final = np.linalg.inv(chebvander(2.0 * _NODES - 1.0, POINTS - 1))


class Equation(Protocol):
    """dx/dt = rhs(t, x, y), where delay k gives y[parts[k]](t) = signals(t, x, y)[parts[k]] at t - tau_k(t).

    `lags`: K of them. `parts`: by delay, the indices of its elements in y, (M,). `direct[e, k]`: whether the signal of
    delay e depends on what delay k gives at the same time.
    """

    @property
    def lags(self) -> Sequence[Lag]: ...

    @property
    def parts(self) -> Sequence[Index]: ...

    @property
    def direct(self) -> npt.NDArray[np.bool_]: ...

    def rhs(self, t: float, x: Array, y: Array) -> Array:
        """Return dx/dt, (n,)."""
        ...

    def slopes(self, t: Array, x: Array, y: Array) -> Array:
        """Return dx/dt at P times, (P, n), from x (P, n) and y (P, M)."""
        ...

    def signals(self, t: Array, x: Array, y: Array) -> Array:
        """Return what drives the delays at P times, (P, M), from x (P, n) and y (P, M)."""
        ...

    def history(self, delay: int, t: Array) -> Array:
        """Return what drove one delay at P times before the start, (P, elements)."""
        ...


@dataclass
class Solution:
    """Dense output: `state(times)` is (P, n), `delayed(times)` what the delays give, (P, M)."""

    equation: Equation
    segments: Segments
    size: int
    steps: int = 0
    rejected: int = 0
    looked_at_itself: bool = False
    _starts: Array = field(default_factory=lambda: np.full(64, np.inf))
    _lengths: Array = field(default_factory=lambda: np.ones(64))
    _states: Array = field(init=False)
    _given: Array = field(init=False)

    def __post_init__(self) -> None:
        given = sum(part.size for part in self.equation.parts)
        self._states = np.zeros((64, 8, self.size))
        self._given = np.zeros((64, POINTS, given if bool(np.any(self.equation.direct)) else 0))
        self._width = given

    @property
    def times(self) -> Array:
        """The times at which the steps began, (steps,), seconds."""
        return np.array(self._starts[: self.steps])

    def state(self, times: Array) -> Array:
        """Return x at each time, (P, n)."""
        return self._state(times, self._steps_of(times))

    def evaluate(self, times: Array, segment: int | None = None) -> Array:
        """Return y at each time, (P, M): that of a segment, else from the right where there are jumps."""
        equation, segments = self.equation, self.segments
        rows = segments.of(times) if segment is None else np.full(times.shape, segment)
        low, high = segments.low[rows], segments.high[rows]
        theta = times[:, np.newaxis] - np.stack([lag.at(times) for lag in equation.lags], axis=1)
        theta = np.clip(theta, low, high)
        before = np.isneginf(low)
        y = np.empty((times.size, self._width))
        if not before.all():
            steps = self._steps_of(theta) - (theta >= high)
            steps[before] = 0
            self.looked_at_itself |= bool(np.any(steps == self.steps))
            found = self._signals(theta.ravel(), steps.ravel()).reshape(times.size, len(equation.lags), -1)
            for k, part in enumerate(equation.parts):
                y[:, part] = found[:, k, part]
        for k in np.flatnonzero(before.any(axis=0)).tolist():
            old = before[:, k]
            y[np.ix_(old, equation.parts[k])] = equation.history(k, theta[old, k])
        return y

    def propose(self, start: float, length: float, coefficients: Array) -> None:
        """Write the step that is being tried behind the accepted ones."""
        k = self.steps
        if k == self._starts.size:
            for name, fill in (("_starts", np.inf), ("_lengths", 1.0), ("_states", 0.0), ("_given", 0.0)):
                old = getattr(self, name)
                setattr(self, name, np.concatenate([old, np.full_like(old, fill)]))
        self._starts[k], self._lengths[k], self._states[k] = start, length, coefficients

    def record(self, segment: int) -> Array:
        """Keep what the delays give over the proposed step; return the two last coefficients, (2, M)."""
        k = self.steps
        times = self._starts[k] + self._lengths[k] * _NODES
        self._given[k] = _FIT @ self.evaluate(times, segment)
        tail: Array = self._given[k, -2:]
        return tail

    def _steps_of(self, times: Array) -> Index:
        found: Index = np.searchsorted(self._starts[: self.steps + 1], times, side="right") - 1
        return np.maximum(found, 0)

    def _state(self, times: Array, steps: Index) -> Array:
        part = (times - self._starts[steps]) / self._lengths[steps]
        found: Array = np.matmul(EIGHTH.basis(part)[:, np.newaxis], self._states[steps])[:, 0]
        return found

    def _signals(self, times: Array, steps: Index) -> Array:
        x = self._state(times, steps)
        y = np.zeros((times.size, self._width))
        if self._given.size:
            part = (times - self._starts[steps]) / self._lengths[steps]
            y = np.matmul(chebvander(2.0 * part - 1.0, POINTS - 1)[:, np.newaxis], self._given[steps])[:, 0]
        return self.equation.signals(times, x, y)
