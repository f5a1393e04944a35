"""Delay equations: closed forms, order, breaks, short and vanishing delays, and another solver's numbers."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import pytest

from hopfield_hw.equations.breakpoints import Break, Lag, find_segments
from hopfield_hw.equations.delay_solver import integrate_delayed
from hopfield_hw.values.arrays import Array
from hopfield_hw.values.errors import AccuracyError, InputError
from hopfield_hw.values.signals import Signal

NONE = np.zeros((1, 1), dtype=bool)


class Exact(NamedTuple):
    """An equation whose solution is known: rhs(t, x, z), lags, history and solution (one component), start and end."""

    rhs: Callable[[float, Array, Array], Any]
    lag: Any
    solution: Callable[[float], float]
    start: float
    end: float


# Enright and Hayashi, "The evaluation of numerical software for delay differential equations" (1997), and Paul, "A test
# set of functional differential equations" (1994): those with an analytic solution and lags that depend on time alone.
EXACT = {
    "sine": Exact(lambda t, x, z: z[0], 1.5 * math.pi, math.sin, 0.0, 10.0),
    "logarithm, lag zero at t = 1": Exact(
        lambda t, x, z: 1.0 - z[0], lambda t: t - math.exp(1.0 - 1.0 / t), math.log, 0.1, 10.0
    ),
    "lag zero at the start": Exact(
        lambda t, x, z: math.cos(t) - z[0] + math.sin(t - 1.0 + math.exp(-t)),
        lambda t: 1.0 - math.exp(-t),
        math.sin,
        0.0,
        10.0,
    ),
    "pantograph": Exact(
        lambda t, x, z: -x + 0.25 * z[0] - 0.25 * math.exp(-t / 2.0),
        lambda t: t / 2.0,
        lambda t: math.exp(-t),
        0.0,
        10.0,
    ),
    "lag as a Signal": Exact(
        lambda t, x, z: np.cos(t) - z[0] + math.sin(t - float(np.interp(t, [0.0, 2.0, 5.0], [0.5, 1.5, 0.7]))),
        Signal(times=[0.0, 2.0, 5.0], values=[0.5, 1.5, 0.7]),  # type: ignore[arg-type]
        math.sin,
        0.0,
        10.0,
    ),
}


def error(problem: Exact, rtol: float) -> float:
    span = (problem.start, problem.end)
    solution = integrate_delayed(problem.rhs, [problem.lag], problem.solution, span, rtol=rtol, atol=rtol)
    times = np.linspace(*span, 101)
    expected = [problem.solution(t) for t in times]
    return float(np.max(np.abs(solution.state(times)[:, 0] - expected)))


@pytest.mark.parametrize("name", EXACT)
def test_closed_forms(name: str) -> None:
    assert error(EXACT[name], 1e-10) < 1e-9


@pytest.mark.parametrize("name", ["sine", "logarithm, lag zero at t = 1"])
def test_error_follows_the_tolerance(name: str) -> None:
    errors = [error(EXACT[name], rtol) for rtol in (1e-6, 1e-8, 1e-10, 1e-12)]
    slope = np.polyfit(np.log([1e-6, 1e-8, 1e-10, 1e-12]), np.log(errors), 1)[0]
    assert 0.75 < slope < 1.25
    assert errors[-1] < 1e-10


def test_pieces_of_polynomials_are_exact() -> None:
    solution = integrate_delayed(lambda t, x, z: -z[0], [1.0], lambda t: 1.0, (0.0, 5.0), rtol=1e-6, atol=1e-6)
    found = solution.state(np.arange(1.0, 6.0))[:, 0]
    assert np.max(np.abs(found - [0.0, -1 / 2, -1 / 6, 5 / 24, 19 / 120])) < 1e-14
    assert solution.steps < 10  # one a unit of time, and the first ones


def test_halving_the_step_shows_the_order() -> None:
    """With tolerances that no step fails, the steps are the largest allowed: order 7 at least, that of the output."""

    def off(steps: int) -> float:
        solution = integrate_delayed(
            lambda t, x, z: z[0], [1.5 * math.pi], math.sin, (0.0, 12.0), rtol=0.5, atol=10.0, max_step=12.0 / steps
        )
        return float(abs(solution.state(np.array([12.0]))[0, 0] - math.sin(12.0)))

    first, second = off(12), off(24)
    assert math.log2(first / second) > 6.5


def test_a_short_delay_does_not_limit_the_steps() -> None:
    """x' = -x(t - tau): x is near c exp(-k t) with k = exp(k tau), once the first few delays are over."""
    tau = 1e-4
    solution = integrate_delayed(lambda t, x, z: -z[0], [tau], lambda t: 1.0, (0.0, 10.0), rtol=1e-9, atol=1e-12)
    k = 1.0
    for _ in range(50):
        k = math.exp(k * tau)
    early, late = solution.state(np.array([1.0, 9.0]))[:, 0]
    assert math.log(early / late) / 8.0 == pytest.approx(k, rel=1e-7)
    assert solution.steps < 100 < 10.0 / tau


def test_a_wrong_delay_is_seen() -> None:
    """The checks above can fail: one part in a thousand of the delay is seen."""
    problem = EXACT["sine"]
    assert error(problem._replace(lag=1.5 * math.pi * 1.001), 1e-10) > 1e-4


# jitcdde 1.8.3: f = [-y(0) + 1.5*tanh(y(1, t-1)) - 0.5*tanh(2*y(0, t-0.3)) + 0.2,
#                     -y(1) - 2*tanh(y(0, t-1)) + 0.4*tanh(2*y(1, t-0.3))]
# d = jitcdde(f); d.constant_past([0.5, -0.25])
# d.set_integration_parameters(rtol=1e-9, atol=1e-11, first_step=1e-3, min_step=1e-14); d.step_on_discontinuities()
# [d.integrate(t) for t in (5, 10, 20)]
TWO_DELAYS = [
    [0.2585540825709064, 0.7358268712081661],
    [-0.5394458531651326, -0.36175948489307097],
    [0.5519682517968116, 0.8126774590875404],
]
# The same for f = [0.2*y(0, t-17)/(1 + y(0, t-17)**10) - 0.1*y(0)], past 0.5, at (50, 100, 200): Mackey and Glass.
MACKEY_GLASS = [0.6441197097177297, 1.0500205180815128, 0.9426104913771609]


def test_another_solver_gives_the_same() -> None:
    slow, fast = np.array([[0.0, 1.5], [-2.0, 0.0]]), np.array([[-0.5, 0.0], [0.0, 0.4]])
    solution = integrate_delayed(
        lambda t, x, z: -x + slow @ np.tanh(z[0]) + fast @ np.tanh(2.0 * z[1]) + [0.2, 0.0],
        [1.0, 0.3],
        lambda t: [0.5, -0.25],
        (0.0, 20.0),
        rtol=1e-10,
        atol=1e-10,
    )
    assert np.max(np.abs(solution.state(np.array([5.0, 10.0, 20.0])) - TWO_DELAYS)) < 2e-8
    solution = integrate_delayed(
        lambda t, x, z: 0.2 * z[0] / (1.0 + z[0] ** 10) - 0.1 * x,
        [17.0],
        lambda t: 0.5,
        (0.0, 200.0),
        rtol=1e-9,
        atol=1e-9,
    )
    assert np.max(np.abs(solution.state(np.array([50.0, 100.0, 200.0]))[:, 0] - MACKEY_GLASS)) < 5e-8


def test_breaks_are_followed_through_the_delays() -> None:
    lags = [Lag(tau=1.0), Lag(tau=2.5)]
    segments = find_segments(lags, 0.0, 3.6, direct=np.zeros((2, 2), dtype=bool))
    assert segments.edges.tolist() == [0.0, 1.0, 2.0, 2.5, 3.0, 3.5, 3.6]
    assert segments.low[:, 0].tolist() == [-np.inf, 0.0, 0.0, 0.0, 0.0, 0.0]
    assert segments.high[:, 1].tolist() == [0.0, 0.0, 0.0, np.inf, np.inf, np.inf]


def test_jumps_last_where_nothing_is_integrated() -> None:
    smoothed = find_segments([Lag(tau=1.0)], 0.0, 20.0, direct=NONE)
    neutral = find_segments([Lag(tau=1.0)], 0.0, 20.0, direct=~NONE)
    assert smoothed.edges.tolist() == [*range(9), 20.0]  # orders 0 to 7
    assert neutral.edges.tolist() == list(range(21))
    assert neutral.low[:, 0].tolist() == [-np.inf, *range(19)]


def test_times_at_which_a_lag_lets_a_break_through() -> None:
    back_and_forth = Lag(tau=Signal(times=[0.0, 1.0, 2.0, 3.0], values=[0.5, 0.5, 2.5, 0.5]))  # type: ignore[arg-type]
    assert back_and_forth.crossings(0.25, 0.0, 5.0) == pytest.approx([0.75, 1.25, 2.25])
    curved = Lag(tau=lambda t: t / 2.0)
    assert curved.crossings(1.0, 0.0, 5.0) == pytest.approx([2.0], abs=1e-12)
    kink = find_segments([Lag(tau=1.0)], 0.0, 2.0, direct=NONE, breaks=[Break(1, -0.25, 0)])
    assert kink.edges.tolist() == [0.0, 0.75, 1.0, 1.75, 2.0]


def test_corners_of_a_lag_are_breaks() -> None:
    """t - tau is 4 t / 3 - 1 up to the corner at 1.5, and t - 0.5 after it: images of 0, and of the corner."""
    bent = Lag(tau=Signal(times=[0.0, 1.5], values=[1.0, 0.5]))  # type: ignore[arg-type]
    found = find_segments([bent], 0.0, 3.0, direct=NONE).edges
    assert found.tolist() == pytest.approx([0.0, 0.75, 1.3125, 1.5, 1.8125, 2.0, 2.3125, 2.5, 2.8125, 3.0])


def test_bad_requests_are_refused() -> None:
    def solve(lag: Any, span: tuple[float, float] = (0.0, 1.0), rtol: float = 1e-6) -> None:
        integrate_delayed(lambda t, x, z: -z[0], [lag], lambda t: 1.0, span, rtol=rtol, atol=1e-6)

    with pytest.raises(InputError, match=re.escape("`lags = -1.0 s`: must be positive")):
        solve(-1.0)
    with pytest.raises(InputError, match=re.escape("`lags`: tau(1) = -1: must not look into the future")):
        solve(lambda t: -t)
    with pytest.raises(InputError, match="`lags`: a Signal must have one element, never negative"):
        solve(Signal(times=[0.0], values=[-1.0]))  # type: ignore[arg-type]
    options: Any = {"rtol": 1e-6, "atol": 1e-6}
    for lags in ([], 1.0):
        with pytest.raises(InputError, match=re.escape(f"`lags` = {lags}: must list one delay or more; without any")):
            integrate_delayed(lambda t, x, z: -x, lags, lambda t: 1.0, (0.0, 1.0), **options)  # type: ignore[arg-type]
    with pytest.raises(InputError, match=re.escape("`history` = 1.0: must be a function, of time first")):
        integrate_delayed(lambda t, x, z: -x, [1.0], 1.0, (0.0, 1.0), **options)  # type: ignore[arg-type]
    with pytest.raises(InputError, match="must end after it begins"):
        solve(1.0, span=(1.0, 1.0))
    with pytest.raises(InputError, match=re.escape("`t_span` has shape (3,): must have shape (2,)")):
        solve(1.0, span=(0.0, 1.0, 2.0))  # type: ignore[arg-type]
    with pytest.raises(InputError, match=re.escape("`rtol = 0.0`: must be positive")):
        solve(1.0, rtol=0.0)
    with pytest.raises(InputError, match=re.escape("`rtol` = 1.0: must be below 1")):
        solve(1.0, rtol=1.0)
    with pytest.raises(InputError, match=re.escape("`rtol` = '1e-6%': must be real numbers")):
        solve(1.0, rtol="1e-6%")  # type: ignore[arg-type]


def test_what_cannot_go_on_is_an_accuracy_error() -> None:
    with pytest.raises(AccuracyError, match=re.escape("reference: stopped at t = ")):
        integrate_delayed(lambda t, x, z: x**2 + z[0], [1.0], lambda t: 1.0, (0.0, 5.0), rtol=1e-6, atol=1e-6)
    with pytest.raises(AccuracyError, match="its derivative is not finite; bound the right-hand side"):
        integrate_delayed(lambda t, x, z: x * np.inf, [1.0], lambda t: 1.0, (0.0, 5.0), rtol=1e-6, atol=1e-6)
    lags = [Lag(tau=0.01), Lag(tau=0.01 * math.sqrt(2.0)), Lag(tau=0.01 * math.e)]
    with pytest.raises(AccuracyError, match="more than 50000 jumps before t = 1 s"):
        find_segments(lags, 0.0, 1.0, direct=np.ones((3, 3), dtype=bool))
