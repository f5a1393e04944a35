"""Limit cycles of a differential equation: by shooting, with their Floquet multipliers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.integrate import solve_ivp
from scipy.optimize import brentq

from ..equations import OdeProgram
from ..graph import Graph, HasGraph, as_graph
from ..transforms import in_si
from ..values.arrays import Array, freeze, positive, whole
from ..values.errors import AccuracyError, InputError
from ..values.report import Report
from ..values.si_text import format_si
from .balance import constant_inputs
from .characteristic import Complexes
from .lure_form import dense

RTOL = 1e-11
ITERATIONS = 25
CONVERGED = 1e-10
POINTS = 401
RETURNS = 12  # crossings of the section that a simulated start gives
STILL = 1e-3  # of the size: a state that moves less, squared, has settled
DECAYED = 0.3  # so much less in the second half of a run than in the first
TRIVIAL = 1e-5


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Cycle(Report):
    """A closed solution x(t + T) = x(t).

    `period`: T, seconds. `times`: (p,), `states`: (p, n), volts, one period. `multipliers`: (n,), the eigenvalues of
    the monodromy matrix, the trivial one first, which is 1, and then the largest first. `trivial_error`: how far the
    one is from 1. `gap`: |x(T) - x(0)|, as a part of the size of the cycle. `stable`: whether the cycle is verified
    and all others are within the unit circle, by more than the trivial error.
    """

    period: float
    times: Array
    states: Array
    multipliers: Complexes
    trivial_error: float
    gap: float
    parameter: float | None = None

    @property
    def stable(self) -> bool:
        return self.is_verified and self._largest < 1.0 - self.trivial_error

    @property
    def _largest(self) -> float:
        return float(np.max(np.abs(self.multipliers[1:]), initial=0.0))

    @property
    def is_verified(self) -> bool:
        """Whether the cycle closes, and the trivial multiplier is 1, as it has to be."""
        return self.gap <= 1e-8 and self.trivial_error <= TRIVIAL

    def rows(self) -> list[tuple[str, str]]:
        largest = self._largest
        undecided = not self.is_verified or abs(largest - 1.0) <= self.trivial_error
        return [
            ("limit cycle", "undecided" if undecided else "stable" if self.stable else "unstable"),
            ("period", format_si(self.period, "s")),
            ("largest multiplier", f"{largest:.8g}"),
            ("trivial multiplier", f"1 to {self.trivial_error:.1e}"),
            ("closes", f"to {self.gap:.1e} of its size"),
        ]

    def figures(self) -> dict[str, Any]:
        return {
            "period": self.period,
            "stable": self.stable,
            "multipliers": [[float(m.real), float(m.imag)] for m in self.multipliers],
            "trivial_error": self.trivial_error,
            "gap": self.gap,
            "parameter": self.parameter,
        }


def find_cycle(
    graph: Graph | HasGraph,
    inputs: Any = None,
    *,
    transient: Any = None,
    initial: Any = None,
    period: Any = None,
    points: int = POINTS,
) -> Cycle:
    """Return the limit cycle of a differential equation that a simulated solution comes to.

    The equation runs for `transient` seconds, then until it has gone round several times (its returns to a plane across
    it); from there Newton's method solves phi_T(x) = x with f(x_0) . (x - x_0) = 0 for x and T, with the derivative of
    phi from the variational equation M' = J M (DOP853, relative tolerance 1e-11). M(T) is the monodromy matrix, whose
    eigenvalues are the Floquet multipliers; one of them is 1, and how well it is says how good the others are.

    `transient`: 200 of the slowest R C by default. `initial`: (n,), volts, where to start, the graph's own by default.
    With `period`, seconds, a guess, nothing is simulated: `initial` is near the cycle, which may be unstable.

    Raises InputError for a graph that is no differential equation, or of fewer than two states, and inputs that change;
    AccuracyError where the solution settles, does not return, or Newton's method does not converge.
    """
    shooting = _Shooting(graph, inputs)
    x = shooting.initial if initial is None else freeze(initial, "initial", shape=(shooting.n,))
    count = whole(points, "points", 3, 1_000_000)
    if period is not None:
        return shooting.solve(x, float(positive(period, "period", shape=(), unit="s")), count)
    length = (
        shooting.slowest(200.0) if transient is None else float(positive(transient, "transient", shape=(), unit="s"))
    )
    x, guess = shooting.simulate(x, length)
    return shooting.solve(x, guess, count)


def continue_cycle(
    family: Callable[[float], Graph | HasGraph], start: Cycle, parameters: Any, *, inputs: Any = None
) -> tuple[Cycle, ...]:
    """Follow a cycle through parameter values, (k,), each solved from the one before, stable or not.

    It ends at a value where Newton's method does not converge, as at a fold of cycles or a Hopf point: what was found
    until there is given. Raises InputError as `find_cycle`.
    """
    values = freeze(parameters, "parameters")
    if values.ndim != 1 or not values.size:
        raise InputError(f"`parameters` has shape {values.shape}: must be one row of at least one value")
    found: list[Cycle] = []
    last = start
    for value in values.tolist():
        shooting = _Shooting(family(value), inputs)
        try:
            last = shooting.solve(last.states[0], last.period, last.times.size, parameter=value)
        except AccuracyError:
            break
        found.append(last)
    return tuple(found)


class _Shooting:
    """phi_T(x), its derivative by x, and Newton's method on a closed solution."""

    def __init__(self, graph: Graph | HasGraph, inputs: Any) -> None:
        network = in_si(as_graph(graph))
        if network.kind != "ode":
            raise InputError(f"find_cycle: the graph is of the kind {network.kind!r}: must be 'ode'")
        self._program = OdeProgram([network], constant_inputs(network, inputs))
        self.n, self.initial = self._program.size, self._program.initial
        if self.n < 2:
            raise InputError("find_cycle: the graph has one state, and one state cannot oscillate; it takes two")

    def slowest(self, times: float) -> float:
        """Return so many times the slowest time of the equation at its start, seconds."""
        values = np.abs(np.linalg.eigvals(dense(self._program.jacobian(0.0, self.initial))))
        moving = values[values > 1e-6 * max(float(values.max()), 1e-300)]
        if not moving.size:
            raise InputError("find_cycle: the start does not say how fast the equation is; give `transient`, seconds")
        return times / float(moving.min())

    def rhs(self, x: Array) -> Array:
        """Return dx/dt."""
        return self._program.rhs(0.0, x)

    def simulate(self, x: Array, transient: float) -> tuple[Array, float]:
        """Return a state near the cycle and about how long it takes to come back."""
        reach = max(self._program.reach, 1e-9)
        options: dict[str, Any] = {"method": "DOP853", "rtol": 1e-9, "atol": 1e-9 * reach}
        found = solve_ivp(lambda t, y: self.rhs(y), (0.0, transient), x, **options)
        if not found.success:
            raise AccuracyError(f"find_cycle: DOP853 stopped at t = {found.t[-1]:.6g} s ({found.message})")
        x = found.y[:, -1]
        # The plane is through the mean of what follows, across the state that moves most.
        piece = solve_ivp(lambda t, y: self.rhs(y), (0.0, transient), x, dense_output=True, **options)
        at = np.linspace(0.0, transient, 4001)
        assert piece.sol is not None
        path = piece.sol(at)
        moved = np.ptp(path[:, len(at) // 2 :], axis=1)
        before = float(np.max(np.ptp(path[:, : len(at) // 2], axis=1)))
        if float(np.max(moved)) <= max(STILL * STILL * reach, DECAYED * before):
            raise AccuracyError("find_cycle: the solution settles; start elsewhere, or run for a longer `transient`")
        k = int(np.argmax(moved))
        level = float(np.mean([path[k, len(at) // 2 :].min(), path[k, len(at) // 2 :].max()]))

        above = path[k] > level
        crossings = np.flatnonzero(~above[:-1] & above[1:])[-RETURNS:]
        if len(crossings) < 3:
            raise AccuracyError("find_cycle: the solution does not come back often enough; run a longer `transient`")
        sol = piece.sol
        times = [
            brentq(lambda t: float(sol(t)[k]) - level, at[m], at[m + 1], xtol=1e-12 * transient) for m in crossings
        ]
        states = np.array([sol(t) for t in times])
        # A cycle may cross the plane several times a round: the round is the one after which it is nearest again.
        gaps = [float(np.max(np.abs(states[-1] - states[-1 - m]))) for m in range(1, len(times))]
        near = next(m for m, gap in enumerate(gaps, start=1) if gap <= 2.0 * min(gaps) + 1e-6 * reach)
        return states[-1], float(times[-1] - times[-1 - near])

    def flow(self, x: Array, period: float) -> tuple[Array, Array]:
        """Return phi_T(x) and its derivative by x, (n, n)."""
        n = self.n

        def both(t: float, z: Array) -> Array:
            jacobian = dense(self._program.jacobian(0.0, z[:n]))
            return np.concatenate([self.rhs(z[:n]), (jacobian @ z[n:].reshape(n, n)).ravel()])

        start = np.concatenate([x, np.eye(n).ravel()])
        size = max(float(np.max(np.abs(x))), 1e-9)
        atol = RTOL * np.concatenate([np.full(n, size), np.ones(n * n)])
        found = solve_ivp(both, (0.0, period), start, method="DOP853", rtol=RTOL, atol=atol)
        if not found.success:
            raise AccuracyError(f"find_cycle: DOP853 stopped at t = {found.t[-1]:.6g} s ({found.message})")
        return found.y[:n, -1], found.y[n:, -1].reshape(n, n)

    def solve(self, x: Array, period: float, points: int, *, parameter: float | None = None) -> Cycle:
        """Return the cycle near a guess by Newton's method."""
        first, guess = np.array(x), period
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
                return self._cycle(x, period, points, parameter)
        raise AccuracyError("find_cycle: Newton's method does not converge; give a start nearer to the cycle")

    def _cycle(self, x: Array, period: float, points: int, parameter: float | None) -> Cycle:
        end, monodromy = self.flow(x, period)
        times = np.linspace(0.0, period, points)
        size = max(float(np.max(np.abs(x))), 1e-9)
        path = solve_ivp(
            lambda t, y: self.rhs(y), (0.0, period), x, method="DOP853", rtol=RTOL, atol=RTOL * size, t_eval=times
        ).y.T
        extent = float(np.max(np.ptp(path, axis=0)))
        if extent <= STILL * STILL * size:
            raise AccuracyError("find_cycle: what was found is an equilibrium; start nearer to the cycle")
        values = np.linalg.eigvals(monodromy).astype(np.complex128)
        trivial = int(np.argmin(np.abs(values - 1.0)))
        others = np.delete(values, trivial)
        others = others[np.argsort(-np.abs(others), kind="stable")]
        return Cycle(
            period=period,
            times=freeze(times, "times"),
            states=freeze(path, "states"),
            multipliers=np.append(values[trivial], others),
            trivial_error=float(abs(values[trivial] - 1.0)),
            gap=float(np.max(np.abs(end - x)) / extent),
            parameter=parameter,
        )
