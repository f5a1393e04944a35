"""The explicit Runge-Kutta pairs of Dormand and Prince: coefficients, error estimates, interpolants and their sums.

Hairer, Norsett, Wanner, "Solving Ordinary Differential Equations I", 2nd ed., II.4 to II.6 and II.10. The numbers are
those of `scipy.integrate`, so a solver that takes them and `Controller` takes the steps that `solve_ivp` would take.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final, NamedTuple

import numpy as np
from scipy.integrate import DOP853, RK45

from ..values.arrays import Array
from .controller import Controller

STATE: Final = -1


@dataclass(frozen=True, kw_only=True, eq=False)
class Tableau:
    """A step of h: k_s = f(t + c_s h, x + h sum_j a_sj k_j), and x(t + h) is the argument of stage `stages`.

    `matrix`: (S, S), a; `times`: (S,), c. The slope at the new state is k at `stages`, and stages after it serve the
    interpolant alone. `errors`: (E, stages + 1), the weights of the slopes in the estimates of the error / h.
    `interpolant`: (D, S). The dense output, (D + 1, n), is x over h interpolant k, and x(t + s h) = basis(s) times it,
    where basis(s) is (P, D + 1) for s (P,).
    `order`: that of the error estimate in h; an error is h^order times a constant. `storage`: the order in which the
    state (STATE) and the slopes are best kept, so that those that a stage adds up lie side by side.
    """

    name: str
    stages: int
    order: int
    matrix: Array
    times: Array
    errors: Array
    interpolant: Array
    basis: Callable[[Array], Array]
    storage: tuple[int, ...]

    @cached_property
    def controller(self) -> Controller:
        """What chooses the steps."""
        return Controller(order=self.order)

    @cached_property
    def layout(self) -> Layout:
        """The sums of a step over stored slopes."""
        return Layout(self)

    def combine_errors(self, squares: Array, size: int) -> Any:
        """Return the error of a step as a part of what is allowed, root mean square over `size` states.

        `squares`: (E, ...), the sums of squares of the estimates, each divided by what is allowed.
        """
        if len(squares) == 1:
            return np.sqrt(squares[0] / size)
        fifth, third = squares
        total = np.sqrt((fifth + 0.01 * third) * size)
        return np.divide(fifth, total, out=np.zeros(np.shape(total)), where=total != 0.0)


class Sum(NamedTuple):
    """A linear combination of the slots first, ..., last - 1; or several, one a row: state + h * slopes."""

    first: int
    last: int
    state: Array
    slopes: Array

    def into(self, slots: Array, out: Array, h: float) -> None:
        used, weights = slots[self.first : self.last], self.state + h * self.slopes
        if used.strides[0] < 0:  # a product copies what it would have to read backward
            used, weights = used[::-1], weights[..., ::-1]
        np.dot(weights, used.reshape(len(used), -1), out=out.reshape(*weights.shape[:-1], -1))


class Stage(NamedTuple):
    slot: int
    time: float  # as a fraction of the step
    argument: Sum


class Layout:
    """The sums of a tableau over slots, in which the state and the slopes lie in its order of storage.

    The argument of a stage, x + h sum_j a_j k_j, is one vector-matrix product over a run of slots. Slots hold h k of
    many rows, whose steps differ, and k of one. `flips`: the slots of one row and the new state behind them, read
    backward, begin with the new state and its slope, so that nothing is copied for the next step.
    """

    def __init__(self, tableau: Tableau) -> None:
        self.tableau = tableau
        self.size = len(tableau.storage)
        self.state = tableau.storage.index(STATE)
        self.slot = [tableau.storage.index(stage) for stage in range(self.size - 1)]
        self.steps = [self._stage(s) for s in range(1, tableau.stages)]
        self.extra = [self._stage(s) for s in range(tableau.stages + 1, self.size - 1)]
        # x(t + h) and the estimates of the error, but for the slope at t + h: one product reads the slots once.
        weights = np.vstack([tableau.matrix[tableau.stages, : tableau.stages], tableau.errors[:, : tableau.stages]])
        self.step = self._sum(weights, state=np.eye(len(weights))[:, 0])
        self.new, self.errors = self._sum(weights[0], state=np.ones(())), self._sum(weights[1:], state=np.zeros(()))
        self.flips = tableau.storage == (STATE, *range(tableau.stages + 1))
        self.last = tableau.errors[:, tableau.stages]
        dense = np.vstack([np.zeros(self.size - 1), tableau.interpolant])
        self.dense = self._sum(dense, state=np.eye(len(dense))[:, 0])
        self.buffers = len(weights) + 2

    def _stage(self, s: int) -> Stage:
        row = self._sum(self.tableau.matrix[s, :s], state=np.ones(()))
        return Stage(self.slot[s], float(self.tableau.times[s]), row)

    def _sum(self, coefficients: Array, *, state: Array) -> Sum:
        slopes, of_state = np.zeros((2, *coefficients.shape[:-1], self.size))
        of_state[..., self.state] = state
        slopes[..., self.slot[: coefficients.shape[-1]]] = coefficients
        used = np.flatnonzero((slopes + of_state).reshape(-1, self.size).any(axis=0))
        run = slice(int(used[0]), int(used[-1]) + 1)
        return Sum(run.start, run.stop, of_state[..., run], slopes[..., run])


def _square(rows: Array, size: int) -> Array:
    return np.pad(rows, ((0, 0), (0, size - rows.shape[1])))


def _powers(s: Array) -> Array:
    return s[:, np.newaxis] ** np.arange(RK45.P.shape[1] + 1.0)


def _alternating_powers(s: Array) -> Array:
    """Return 1, s, s (1-s), s^2 (1-s), s^2 (1-s)^2, ..., (P, 8) for s (P,)."""
    factors = np.ones((s.size, 8))
    factors[:, 1::2] = s[:, np.newaxis]
    factors[:, 2::2] = 1.0 - s[:, np.newaxis]
    return np.asarray(np.cumprod(factors, axis=1))


def _interpolate_eighth() -> Array:
    first, last = np.eye(16)[0], np.eye(16)[DOP853.n_stages]
    change = np.pad(DOP853.B, (0, 4))
    return np.vstack([change, first - change, 2.0 * change - first - last, DOP853.D])


FIFTH: Final = Tableau(
    name="RK45",
    stages=RK45.n_stages,
    order=RK45.error_estimator_order + 1,
    matrix=np.vstack([_square(RK45.A, 7), _square(RK45.B[np.newaxis], 7)]),
    times=np.append(RK45.C, 1.0),
    errors=RK45.E[np.newaxis],
    interpolant=RK45.P.T,
    basis=_powers,
    storage=(STATE, *range(7)),
)
"""Order 5(4), with an interpolant of order 4."""

EIGHTH: Final = Tableau(
    name="DOP853",
    stages=DOP853.n_stages,
    order=DOP853.error_estimator_order + 1,
    matrix=np.vstack([_square(rows, 16) for rows in (DOP853.A, DOP853.B[np.newaxis], DOP853.A_EXTRA)]),
    times=np.concatenate([DOP853.C, [1.0], DOP853.C_EXTRA]),
    errors=np.stack([DOP853.E5, DOP853.E3]),
    interpolant=_interpolate_eighth(),
    basis=_alternating_powers,
    storage=(2, 1, STATE, 0, *range(3, 16)),  # two slopes that only the next few stages need come first
)
"""Order 8(5, 3), with an interpolant of order 7."""
