"""Limit cycles of an ordinary differential equation by shooting."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from scipy.integrate import solve_ivp

from ..equations import OdeProgram
from ..graph import Graph
from ..values.arrays import Array, dense, freeze
from ..values.errors import AccuracyError, InputError
from .balance import Balance, constant_inputs
from .closed import POINTS, Closed, apart, last_round, refuse_equilibrium, rounds, sort_multipliers

RTOL, LOOSER = 1e-11, 1e-9  # the second one tells how good the multipliers are
ITERATIONS = 25
CONVERGED = 1e-10


class Shooting:
    """phi_T(x), its derivative by x, and Newton's method on a closed solution."""

    def __init__(self, network: Graph, inputs: Any) -> None:
        self._program = OdeProgram([network], constant_inputs(network, inputs))
        self._reaches = Balance(network, inputs, what="find_cycle").reaches
        self.n, self.initial = self._program.size, self._program.initial
        if self.n < 2:
            raise InputError("find_cycle: the graph has one state, and one state cannot oscillate; it takes two")

    def start(self, initial: Any) -> Array:
        """Return where to start, as one row."""
        return (self.initial if initial is None else freeze(initial, "initial", shape=(self.n,)))[np.newaxis]

    def guess(self, initial: Any) -> Array:
        """Return a state near the cycle, as one row."""
        return self.start(initial)

    def slowest(self) -> float:
        """Return 200 times the slowest time of the equation at its start, seconds."""
        values = np.abs(np.linalg.eigvals(dense(self._program.jacobian(0.0, self.initial))))
        moving = values[values > 1e-6 * max(float(values.max()), 1e-300)]
        if not moving.size:
            raise InputError("find_cycle: the start does not say how fast the equation is; give `transient`, seconds")
        return 200.0 / float(moving.min())

    def rhs(self, x: Array) -> Array:
        """Return dx/dt."""
        return self._program.rhs(0.0, x)

    def simulate(self, initial: Any, transient: float | None) -> tuple[Array, float]:
        """Return a state near the cycle, as one row, and about how long it takes to come back."""
        x, length = self.start(initial)[0], self.slowest() if transient is None else transient
        reach = max(self._program.reach, 1e-9)
        options: dict[str, Any] = {"method": "DOP853", "rtol": 1e-9, "atol": 1e-9 * reach}
        found = solve_ivp(lambda t, y: self.rhs(y), (0.0, length), x, **options)
        if not found.success:
            raise AccuracyError(f"find_cycle: DOP853 stopped at t = {found.t[-1]:.6g} s ({found.message})")
        x = found.y[:, -1]
        piece = solve_ivp(lambda t, y: self.rhs(y), (0.0, length), x, dense_output=True, **options)
        sol: Any = piece.sol
        t, period = last_round(lambda at: np.asarray(sol(at)).T, np.zeros(1), 0.0, length, reach, steps=piece.t)
        return np.asarray(sol(t))[np.newaxis], period

    def flow(self, x: Array, period: float, rtol: float = RTOL) -> tuple[Array, Array]:
        """Return phi_T(x) and its derivative by x, (n, n)."""
        n = self.n

        def both(t: float, z: Array) -> Array:
            jacobian = dense(self._program.jacobian(0.0, z[:n]))
            return np.concatenate([self.rhs(z[:n]), (jacobian @ z[n:].reshape(n, n)).ravel()])

        start = np.concatenate([x, np.eye(n).ravel()])
        size = max(float(np.max(np.abs(x))), 1e-9)
        atol = rtol * np.concatenate([np.full(n, size), np.ones(n * n)])
        found = solve_ivp(both, (0.0, period), start, method="DOP853", rtol=rtol, atol=atol)
        if not found.success:
            raise AccuracyError(f"find_cycle: DOP853 stopped at t = {found.t[-1]:.6g} s ({found.message})")
        return found.y[:n, -1], found.y[n:, -1].reshape(n, n)

    def solve(self, states: Array, period: float, points: int) -> Closed:
        """Return the cycle near a guess, of which the first row counts, once round."""
        x, period = self._newton(states, period)
        path = self._path(x, period)
        refuse_equilibrium(path(np.linspace(0.0, 1.0, POINTS)), self._reaches)
        count = rounds(path)
        if count > 1:
            x, period = self._newton(x[np.newaxis], period / count)
        return self._closed(x, period, points)

    def _path(self, x: Array, period: float) -> Callable[[Array], Array]:
        """Return what gives the states, (P, n), at times in periods."""
        size = max(float(np.max(np.abs(x))), 1e-9)
        options: dict[str, Any] = {"method": "DOP853", "rtol": RTOL, "atol": RTOL * size, "dense_output": True}
        sol: Any = solve_ivp(lambda t, y: self.rhs(y), (0.0, period), x, **options).sol
        return lambda at: np.asarray(sol(period * at)).T

    def _newton(self, states: Array, period: float) -> tuple[Array, float]:
        """Return the state and the period that close by Newton's method."""
        first, x, guess = np.array(states[0]), np.array(states[0]), period
        for _ in range(ITERATIONS):
            end, slope = self.flow(x, period)
            phase = self.rhs(first)
            matrix = np.block(
                [[slope - np.eye(self.n), self.rhs(end)[:, np.newaxis]], [phase[np.newaxis], np.zeros((1, 1))]]
            )
            residual = np.append(end - x, phase @ (x - first))
            size = max(float(np.max(np.abs(x))), 1e-9)
            rows = np.append(np.ones(self.n), max(float(np.linalg.norm(phase)), 1e-300))
            columns = np.append(np.full(self.n, size), period)
            scaled = matrix / rows[:, np.newaxis] * columns
            step = -np.linalg.lstsq(scaled, residual / rows, rcond=1e-13)[0] * columns
            # At most a fifth of the period or of the size at once.
            part = min(1.0, 0.2 / max(float(np.max(np.abs(step / columns))), 1e-300))
            x, period = x + part * step[:-1], period + part * float(step[-1])
            if not np.isfinite(period) or not 0.05 * guess < period < 20.0 * guess:
                break
            if float(np.max(np.abs(step / columns))) <= CONVERGED:
                return x, period
        raise AccuracyError("find_cycle: Newton's method does not converge; give a start nearer to the cycle")

    def _closed(self, x: Array, period: float, points: int) -> Closed:
        end, monodromy = self.flow(x, period)
        path = self._path(x, period)(np.linspace(0.0, 1.0, points))
        extent = refuse_equilibrium(path, self._reaches)
        values, others = (
            np.linalg.eigvals(found).astype(np.complex128) for found in (monodromy, self.flow(x, period, LOOSER)[1])
        )
        change = max(apart(values, others), apart(others, values))
        return Closed(period, path, sort_multipliers(values), float(np.max(np.abs(end - x)) / extent), change)
