"""Limit cycles: one with a closed form, another solver's multipliers, unstable ones, and what is refused."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from scipy.integrate import solve_ivp

import hopfield_hw as hh
from hopfield_hw.analysis import continue_cycle, continue_equilibria, find_cycle
from hopfield_hw.families import generalised_hopfield
from hopfield_hw.functions import Tanh
from hopfield_hw.graph import Affine, Edge, Graph, Hadamard, Leak, Units
from hopfield_hw.values.errors import AccuracyError, InputError

RING = -np.roll(np.eye(3), 1, axis=0)


def ring(gain: float, initial: Any = (0.1, 0.2, -0.1)) -> Graph:
    return generalised_hopfield(RING, gain=Tanh(gain=gain), initial=initial, units=Units())


def radial(mu: float, initial: Any = (0.5, 0.0)) -> Graph:
    """x' = mu x - y - mu x r^2, y' = x + mu y - mu y r^2: r' = mu r (1 - r^2), a circle of period 2 pi."""
    operators = (
        Leak(name="x", capacitance=np.ones(2), resistance=np.full(2, np.inf), initial=np.array(initial)),
        Affine(name="turn", weights=np.array([[mu, -1.0], [1.0, mu]])),
        Hadamard(name="square", size=2),
        Affine(name="radius", weights=np.ones((2, 2))),
        Hadamard(name="cubic", size=2),
        Affine(name="back", weights=-mu * np.eye(2)),
    )
    pairs = [("x", "turn"), ("turn", "x"), ("square", "radius"), ("cubic", "back"), ("back", "x")]
    ports = [("x", "square", "left"), ("x", "square", "right"), ("radius", "cubic", "left"), ("x", "cubic", "right")]
    return Graph(operators=operators, edges=tuple(Edge(*edge) for edge in (*pairs, *ports)))


@pytest.mark.parametrize("mu", [0.05, 0.2])
def test_the_multiplier_of_a_circle_is_its_closed_form(mu: float) -> None:
    """d(r - 1)/dt = -2 mu (r - 1): exp(-4 pi mu)."""
    found = find_cycle(radial(mu))
    assert found.period == pytest.approx(2.0 * np.pi, abs=1e-9)
    assert found.multipliers[0] == pytest.approx(1.0, abs=1e-9)
    assert found.multipliers[1] == pytest.approx(np.exp(-4.0 * np.pi * mu), abs=1e-9)
    assert found.stable
    assert found.is_verified
    np.testing.assert_allclose(np.hypot(*found.states.T), 1.0, atol=1e-8)


def test_an_unstable_cycle_from_a_guess() -> None:
    """Turned round in time the circle repels: its multiplier is exp(+4 pi mu), and no simulation ends there."""
    mu = 0.1
    found = find_cycle(radial(-mu), initial=[1.05, 0.0], period=6.0)
    assert found.multipliers[1].real == pytest.approx(np.exp(4.0 * np.pi * mu), rel=1e-8)
    assert not found.stable


def test_the_ring_by_another_solver() -> None:
    """The multipliers from differences of whole rounds by LSODA, with their own returns to a plane."""
    found = find_cycle(ring(3.0), transient=40.0)

    def slope(t: float, x: Any) -> Any:
        return -x + RING @ np.tanh(3.0 * x)

    start, level = found.states[0], found.states[0]
    normal = slope(0.0, start)

    def plane(t: float, x: Any) -> float:
        return float(normal @ (x - level)) if t > 0.2 * found.period else 1.0

    plane.terminal, plane.direction = True, 1.0  # type: ignore[attr-defined]

    def back(x: Any) -> tuple[Any, float]:
        run = solve_ivp(slope, (0.0, 2.0 * found.period), x, method="DOP853", rtol=1e-12, atol=1e-13, events=plane)
        return run.y_events[0][0], float(run.t_events[0][0])

    end, period = back(start)
    assert period == pytest.approx(found.period, abs=1e-8)
    np.testing.assert_allclose(end, start, atol=1e-9)
    across = np.linalg.svd(normal[np.newaxis])[2][1:]
    h = 1e-5
    poincare = np.array(
        [across @ (back(start + h * row)[0] - back(start - h * row)[0]) / (2.0 * h) for row in across]
    ).T
    expected = np.linalg.eigvals(poincare)
    np.testing.assert_allclose(sorted(np.abs(found.multipliers[1:])), sorted(np.abs(expected)), atol=1e-6)


def test_the_product_of_the_multipliers_is_liouvilles() -> None:
    """prod mu = exp(int_0^T trace J dt), here exp(-3 T) as the gains stand off the diagonal."""
    found = find_cycle(ring(2.5), transient=60.0)
    assert np.prod(found.multipliers).real == pytest.approx(np.exp(-3.0 * found.period), rel=1e-6)


def test_cycles_down_to_the_hopf_point() -> None:
    start = find_cycle(ring(3.0), transient=60.0)
    found = continue_cycle(ring, start, [2.4, 2.1, 2.03])
    assert len(found) == 3
    assert all(cycle.is_verified and cycle.stable for cycle in found)
    (hopf,) = continue_equilibria(ring, np.zeros(3), (1.5, 3.0), step=0.1).of_kind("hopf")
    # The period and the square of the amplitude go to those of the Hopf point linearly.
    near = found[-2:]
    values = [(cycle.parameter, cycle.period, np.abs(cycle.states).max() ** 2) for cycle in near]
    (p0, t0, a0), (p1, t1, a1) = values
    at = (hopf.parameter - p1) / (p0 - p1)
    assert t1 + at * (t0 - t1) == pytest.approx(2.0 * np.pi / hopf.frequency, abs=2e-3)
    assert a1 + at * (a0 - a1) == pytest.approx(0.0, abs=3e-3)


def test_continuation_ends_where_the_cycle_does() -> None:
    found = continue_cycle(ring, find_cycle(ring(2.2), transient=60.0), [2.1, 1.9, 1.8])
    assert [cycle.parameter for cycle in found] == [2.1]


def test_what_it_says() -> None:
    found = find_cycle(radial(0.2), initial=[1.0, 0.0], period=6.0)
    assert str(found).splitlines()[0] == "limit cycle         stable"
    assert found.to_json()["stable"] is True
    assert ("multipliers", "2, all") in found.rows()


def test_a_network_that_settles_has_none() -> None:
    with pytest.raises(AccuracyError, match="find_cycle: the solution settles; start elsewhere"):
        find_cycle(ring(1.5))


BAD: dict[str, tuple[Any, str]] = {
    "one state": (
        lambda: find_cycle(generalised_hopfield([[1.0]])),
        "find_cycle: the graph has one state, and one state cannot oscillate; it takes two",
    ),
    "map": (
        lambda: find_cycle(generalised_hopfield(RING, decay=0.0, discrete=True, units=Units())),
        "find_cycle: the graph is of the kind 'map': must be 'ode' or 'dde'",
    ),
    "period": (lambda: find_cycle(ring(3.0), period=-1.0), "`period = -1.0 s`: must be positive"),
    "start": (lambda: find_cycle(ring(3.0), initial=[0.0]), "`initial` has shape (1,): must have shape (3,)"),
    "inputs": (lambda: find_cycle(ring(3.0), inputs=1.0), "`inputs`: the graph has no Input; leave it out"),
    "parameters": (
        lambda: continue_cycle(ring, find_cycle(radial(0.2), initial=[1.0, 0.0], period=6.0), 2.0),
        "`parameters` has shape (): must be one row of at least one value",
    ),
}


@pytest.mark.parametrize(("call", "message"), BAD.values(), ids=BAD)
def test_bad_input_is_refused(call: Any, message: str) -> None:
    with pytest.raises(InputError) as refused:
        call()
    assert str(refused.value) == message


def test_a_cycle_in_a_network_of_ohms_and_farads() -> None:
    net = hh.Network(
        weights=1e-4 * RING, resistance=1e4, capacitance=1e-8, gain=Tanh(gain=3.0), initial=[0.1, 0.2, -0.1]
    )
    found = find_cycle(net, transient=4e-3)
    assert found.period == pytest.approx(1e-4 * find_cycle(ring(3.0), transient=40.0).period, rel=1e-8)


def test_a_cycle_that_is_not_verified_is_undecided() -> None:
    found = find_cycle(radial(0.2), initial=[1.0, 0.0], period=6.0)
    near = np.array([1.0, 1.0 - 1e-7], dtype=complex)
    for case in (replace(found, trivial_error=1e-3), replace(found, multipliers=near, trivial_error=1e-6)):
        assert not case.stable
        assert case.rows()[0] == ("limit cycle", "undecided")


@pytest.mark.parametrize("seed", [0, 4])
def test_a_second_multiplier_of_1_is_undecided(seed: int) -> None:
    """Two rings that are not coupled: each has its own trivial multiplier, and rounding tells nothing."""
    weights = np.kron(np.eye(2), 3.0 * RING)
    start = np.random.default_rng(seed).normal(size=6)
    found = find_cycle(generalised_hopfield(weights, gain=Tanh(gain=1.0), initial=start, units=Units()))
    np.testing.assert_allclose(np.abs(found.multipliers[:2]), 1.0, atol=1e-6)
    assert found.is_verified
    assert (found.outcome, found.stable) == ("undecided", False)
    assert found.rows()[0] == ("limit cycle", "undecided")
    assert found.to_json()["outcome"] == "undecided"


def test_a_conservative_network_is_undecided() -> None:
    """Its period changes with its size: the multipliers 1, 1 are those of a Jordan block, which errors part most."""
    turn = generalised_hopfield([[0.0, 1.0], [-1.0, 0.0]], decay=0.0, gain=Tanh(gain=1.0), initial=[1.0, 0.0])
    found = find_cycle(turn, transient=50.0 * 1e-3)
    assert abs(found.multipliers[1] - 1.0) > 0.3 * found.trivial_error
    assert found.outcome == "undecided"


def test_an_equilibrium_at_a_hopf_point_is_no_cycle() -> None:
    """At a gain of 2 the linear part goes round, and each circle that is small enough seems to close."""
    net = hh.Network(weights=2.0 * RING, resistance=1.0, capacitance=1.0, gain=Tanh(gain=1.0))
    with pytest.raises(AccuracyError, match="find_cycle: what was found is an equilibrium"):
        find_cycle(net, initial=[1e-6, 2e-6, -1e-6], period=2.0 * np.pi / np.sqrt(3.0))


@pytest.mark.parametrize("times", [2, 3])
def test_a_multiple_of_the_period_is_divided_out(times: int) -> None:
    found = find_cycle(ring(3.0), transient=40.0)
    again = find_cycle(ring(3.0), initial=found.states[0], period=1.001 * times * found.period)
    assert again.period == pytest.approx(found.period, rel=1e-9)
    np.testing.assert_allclose(again.multipliers[1:], found.multipliers[1:], atol=1e-7)
