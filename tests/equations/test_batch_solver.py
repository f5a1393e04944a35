"""The batched DOP853 against closed forms, and row by row against SciPy's own DOP853."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any, TypeAlias

import numpy as np
import pytest
from scipy.integrate import solve_ivp
from scipy.linalg import expm

from hopfield_hw.equations import runge_kutta
from hopfield_hw.equations.runge_kutta import RightHandSide, Rows, integrate
from hopfield_hw.values.arrays import Array
from hopfield_hw.values.errors import AccuracyError, InputError

Slope: TypeAlias = Callable[[float, Array], Array]
RTOL, ATOL = 1e-7, 1e-9


def linear(matrix: Array) -> RightHandSide:
    def rhs(t: Array, x: Array, rows: Rows, out: Array) -> None:
        np.matmul(x, matrix.T, out=out)

    return rhs


def decay(rates: Array) -> RightHandSide:
    def rhs(t: Array, x: Array, rows: Rows, out: Array) -> None:
        np.multiply(x, -rates[rows, None], out=out)

    return rhs


def driven_networks(rng: np.random.Generator, draws: int, n: int) -> tuple[RightHandSide, Callable[[int], Slope]]:
    """Return dx/dt = rate (-x + W tanh(x)) + cos(t + phase), all per draw, as a batch and as draw k alone."""
    weights = 2.0 * rng.normal(size=(draws, n, n)) / np.sqrt(n)
    rates, phases = rng.uniform(0.3, 6.0, draws), rng.uniform(0.0, 6.0, draws)

    def batch(t: Array, x: Array, rows: Rows, out: Array) -> None:
        field = np.matmul(weights[rows], np.tanh(x)[:, :, None])[:, :, 0] - x
        out[:] = rates[rows, None] * field + np.cos(t + phases[rows])[:, None]

    def alone(draw: int) -> Slope:
        def slope(t: float, x: Array) -> Array:
            return np.asarray(rates[draw] * (weights[draw] @ np.tanh(x) - x) + np.cos(t + phases[draw]))

        return slope

    return batch, alone


@pytest.fixture
def small_chunks(monkeypatch: pytest.MonkeyPatch) -> int:
    monkeypatch.setattr(runge_kutta, "_CHUNK_BYTES", 0)
    monkeypatch.setattr(runge_kutta, "_MIN_CHUNK", 5)
    return 5


def test_linear_networks_follow_the_matrix_exponential() -> None:
    rng = np.random.default_rng(0)
    skew = rng.normal(size=(6, 6))
    matrix = (skew - skew.T) - 0.2 * np.eye(6)  # normal and contracting: errors of steps add up and never grow
    x0 = rng.normal(size=(7, 6))
    times = np.array([-1.0, -0.3, 0.0, 2.0, 4.0])
    solution = integrate(linear(matrix), x0, times, rtol=RTOL, atol=ATOL)
    exact = np.stack([x0 @ expm(matrix * (t - times[0])).T for t in times], axis=1)
    step_error = ATOL + RTOL * np.abs(x0).max() * np.sqrt(6)
    assert np.linalg.norm(solution.states - exact, axis=2).max() < solution.steps.max() * step_error
    assert solution.states.shape == (7, 5, 6)
    np.testing.assert_array_equal(solution.states[:, 0], x0)


@pytest.mark.parametrize("seed", range(3))
def test_each_draw_takes_the_steps_of_solve_ivp(seed: int, small_chunks: int) -> None:
    rng = np.random.default_rng(seed)
    draws, n = 13, 6
    batch, alone = driven_networks(rng, draws, n)
    x0, times, atol = rng.normal(size=(draws, n)), np.linspace(0.5, 6.0, 40), rng.uniform(1e-10, 1e-6, n)
    solution = integrate(batch, x0, times, rtol=RTOL, atol=atol)
    assert len(set(solution.steps.tolist())) > 3
    for k in range(draws):
        free = solve_ivp(alone(k), (0.5, 6.0), x0[k], "DOP853", rtol=RTOL, atol=atol)
        assert solution.steps[k] == free.t.size - 1
        assert 2 + 12 * (solution.steps[k] + solution.rejected[k]) == free.nfev
        sampled = solve_ivp(alone(k), (0.5, 6.0), x0[k], "DOP853", rtol=RTOL, atol=atol, t_eval=times).y.T
        # The same steps, so only roundings differ: far inside ten tolerances even where they grow a thousandfold.
        assert (np.abs(solution.states[k] - sampled) <= 1e-2 * (atol + RTOL * np.abs(sampled))).all()
    assert solution.rejected.sum() > 0


def test_parameters_follow_their_draws_after_others_have_finished(small_chunks: int) -> None:
    rng = np.random.default_rng(1)
    rates = rng.permutation(np.geomspace(0.01, 30.0, 23))
    seen: list[tuple[int, type]] = []

    def rhs(t: Array, x: Array, rows: Rows, out: Array) -> None:
        seen.append((x.shape[0], type(rows)))
        assert t.shape == (x.shape[0],)
        assert rates[rows].shape == t.shape
        decay(rates)(t, x, rows, out)

    x0, times = rng.uniform(1.0, 2.0, size=(23, 3)), np.linspace(0.0, 5.0, 7)
    solution = integrate(rhs, x0, times, rtol=RTOL, atol=ATOL)
    exact = x0[:, None] * np.exp(-rates[:, None] * times)[:, :, None]
    bound = solution.steps[:, None, None] * (ATOL + RTOL * x0[:, None])  # a contraction: errors of steps add up
    assert (np.abs(solution.states - exact) < bound).all()
    assert {kind for _, kind in seen} == {slice, np.ndarray}
    assert max(size for size, _ in seen) == small_chunks
    assert solution.evaluations == len(seen)
    assert solution.row_evaluations == sum(size for size, _ in seen)


def test_a_stiff_draw_does_not_slow_the_others() -> None:
    rates = np.array([0.1, 300.0, 1.0])
    x0 = np.ones((3, 2))
    together = integrate(decay(rates), x0, [0.0, 10.0], rtol=RTOL, atol=ATOL)
    alone = [integrate(decay(rates[[k]]), x0[[k]], [0.0, 10.0], rtol=RTOL, atol=ATOL) for k in range(3)]
    assert together.steps.tolist() == [int(one.steps[0]) for one in alone]
    # Stability holds the step near 6 / rate: 500 steps for the fastest, and a few for the slowest.
    assert together.steps[1] > 40 * together.steps[0]


def test_error_falls_with_the_eighth_power_of_the_step() -> None:
    turn = np.array([[0.0, 1.0], [-1.0, 0.0]])
    x0, end = np.array([[0.0, 1.0]]), 40.0
    found = []
    for rtol in (1e-5, 1e-7, 1e-9):
        solution = integrate(linear(turn), x0, [0.0, end], rtol=rtol, atol=rtol)
        error = np.abs(solution.states[0, -1] - [np.sin(end), np.cos(end)]).max()
        found.append((int(solution.steps[0]), error))
    orders = [np.log(e0 / e1) / np.log(s1 / s0) for (s0, e0), (s1, e1) in itertools.pairwise(found)]
    assert all(7.0 < order < 9.5 for order in orders), found


def test_states_between_steps_are_as_accurate_as_those_at_steps() -> None:
    turn = np.array([[0.0, 1.0], [-1.0, 0.0]])
    times = np.linspace(0.0, 20.0, 2001)
    solution = integrate(linear(turn), [[0.0, 1.0]], times, rtol=1e-8, atol=1e-8)
    exact = np.stack([np.sin(times), np.cos(times)], axis=1)
    assert solution.steps[0] < 60  # more than 30 output times a step
    # The steps' own errors add up to steps * tolerance; the interpolant of order 7 may add one tolerance.
    assert np.abs(solution.states[0] - exact).max() < (solution.steps[0] + 1) * 1e-8
    sparse = integrate(linear(turn), [[0.0, 1.0]], times[::100], rtol=1e-8, atol=1e-8)
    np.testing.assert_allclose(sparse.states[0], solution.states[0, ::100], rtol=0.0, atol=1e-14)


def test_order_of_the_draws_does_not_matter_beyond_rounding(small_chunks: int) -> None:
    rng = np.random.default_rng(2)
    draws, n = 17, 5
    matrix = rng.normal(size=(n, n)) - 3.0 * np.eye(n)
    x0, order = rng.normal(size=(draws, n)), rng.permutation(draws)
    times = np.linspace(0.0, 3.0, 11)
    straight = integrate(linear(matrix), x0, times, rtol=RTOL, atol=ATOL)
    shuffled = integrate(linear(matrix), x0[order], times, rtol=RTOL, atol=ATOL)
    np.testing.assert_array_equal(shuffled.steps, straight.steps[order])
    # BLAS may sum in another order at another place of a chunk: roundings of numbers of order one.
    np.testing.assert_allclose(shuffled.states, straight.states[order], rtol=0.0, atol=1e-13)


def test_an_overflowing_trial_step_is_retried() -> None:
    overflows = 0

    def rhs(t: Array, x: Array, rows: Rows, out: Array) -> None:
        nonlocal overflows
        np.multiply(-100.0 * np.sinh(x), (t >= 1.0)[:, None], out=out)  # at rest, so with long steps, until t = 1
        overflows += int(not np.isfinite(out).all())

    solution = integrate(rhs, [[5.0], [0.0]], [0.0, 1.0, 1.02], rtol=RTOL, atol=ATOL)
    exact = 2.0 * np.arctanh(np.tanh(2.5) * np.exp(-100.0 * 0.02))  # tanh(x / 2) decays by exp(-100 t)
    np.testing.assert_allclose(solution.states[:, -1, 0], [exact, 0.0], atol=solution.steps.max() * (ATOL + 5 * RTOL))
    assert overflows > 0


def test_only_the_first_time() -> None:
    solution = integrate(decay(np.ones(3)), np.eye(3), [2.0], rtol=RTOL, atol=ATOL)
    np.testing.assert_array_equal(solution.states, np.eye(3)[:, None])
    assert solution.evaluations == solution.row_evaluations == 0
    assert solution.steps.tolist() == solution.rejected.tolist() == [0, 0, 0]


@pytest.mark.parametrize(("draws", "n"), [(0, 2), (1, 1), (1, 3), (40, 1)])
def test_small_shapes(draws: int, n: int) -> None:
    x0 = np.linspace(1.0, 2.0, draws * n).reshape(draws, n)
    solution = integrate(decay(np.ones(draws)), x0, [0.0, 0.5, 1.0], rtol=RTOL, atol=ATOL)
    exact = x0[:, None] * np.exp(-np.array([0.0, 0.5, 1.0]))[:, None]
    np.testing.assert_allclose(solution.states, exact, rtol=20 * RTOL)  # fewer than 20 steps
    assert solution.states.shape == (draws, 3, n)


def test_a_state_at_rest_stays() -> None:
    solution = integrate(decay(np.ones(2)), np.zeros((2, 2)), [0.0, 1e6], rtol=RTOL, atol=ATOL)
    np.testing.assert_array_equal(solution.states, 0.0)
    assert solution.steps.max() < 20  # the step grows tenfold each time


def test_a_trajectory_that_ends_early_is_named() -> None:
    def square(t: Array, x: Array, rows: Rows, out: Array) -> None:
        np.multiply(x, x, out=out)  # x = 1 / (1 / x0 - t)

    with pytest.raises(AccuracyError) as caught:
        integrate(square, [[0.1], [0.2], [0.8]], [0.0, 2.0], rtol=RTOL, atol=ATOL)
    assert str(caught.value) == (
        "draw 2 stops at t = 1.25 of 2: its step fell below 10 roundings of t; "
        "raise rtol or atol, or begin a new integration where the right-hand side jumps"
    )


def not_a_number_from(start: float) -> RightHandSide:
    def rhs(t: Array, x: Array, rows: Rows, out: Array) -> None:
        out[:] = -x
        out[(t >= start) & (np.arange(3)[rows] == 1)] = np.nan

    return rhs


@pytest.mark.parametrize(("start", "at"), [(0.0, "0"), (0.75, "0.75")])
def test_a_derivative_that_is_not_finite_is_named(start: float, at: str) -> None:
    with pytest.raises(AccuracyError) as caught:
        integrate(not_a_number_from(start), np.ones((3, 2)), [0.0, 1.0], rtol=RTOL, atol=ATOL)
    assert str(caught.value) == (
        f"draw 1 stops at t = {at} of 1: its derivative is not finite there; "
        "bound the right-hand side, or end before this time"
    )


def test_running_out_of_steps_is_named() -> None:
    with pytest.raises(AccuracyError) as caught:
        integrate(decay(np.array([0.1, 300.0])), np.ones((2, 1)), [0.0, 10.0], rtol=RTOL, atol=ATOL, max_steps=50)
    message = str(caught.value)
    assert message.startswith("draw 1 stops at t = ")
    assert message.endswith(" of 10: max_steps = 50 steps are used up; raise max_steps")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"initial": [1.0, 2.0]}, "`initial` has shape (2,): must be (draws, neurons) with at least one neuron"),
        ({"initial": [[np.nan]]}, "`initial[0, 0] = nan`: must be finite; replace missing or infinite values"),
        ({"times": [0.0, 1.0, 1.0]}, "`times` of shape (3,): must be one list of strictly increasing times"),
        ({"times": []}, "`times` of shape (0,): must be one list of strictly increasing times"),
        ({"rtol": 0.0}, "`rtol = 0.0`: must be at least 2.22e-14 (100 roundings) and below 1"),
        ({"atol": [1e-6, 0.0]}, "`atol = 0.0`: must be positive"),
        ({"atol": [1e-6]}, "`atol` has shape (1,): must have shape (2,)"),
    ],
)
def test_arguments_that_cannot_be_used(change: dict[str, Any], message: str) -> None:
    arguments: dict[str, Any] = {"initial": np.ones((3, 2)), "times": [0.0, 1.0], "rtol": RTOL, "atol": ATOL}
    with pytest.raises(InputError) as caught:
        integrate(decay(np.ones(3)), **{**arguments, **change})
    assert str(caught.value) == message
