"""Limit cycles of delay equations: closed forms, Hopf points, another method, unstable ones, what is refused."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy.integrate import solve_ivp
from scipy.interpolate import CubicSpline
from scipy.optimize import fsolve
from scipy.sparse.linalg import ArpackError

import hopfield_hw as hh
from hopfield_hw.analysis import Cycle, characteristic_roots, continue_cycle, continue_equilibria, find_cycle
from hopfield_hw.analysis.delay_cycles import COUNT, Collocation
from hopfield_hw.designs import load_design
from hopfield_hw.equations import integrate_delayed
from hopfield_hw.families import generalised_hopfield
from hopfield_hw.functions import Function, HardLimiter, PiecewiseLinear, Polynomial, Tanh
from hopfield_hw.graph import Activate, Affine, Delay, Edge, Graph, Hadamard, Leak, Units
from hopfield_hw.pictures.bifurcations import plot_bifurcation
from hopfield_hw.transforms import add_delay, add_delay_by_edge, add_neutral_delays
from hopfield_hw.values.errors import AccuracyError, InputError
from hopfield_hw.values.signals import Signal

UNIT = Units()
RING = -np.roll(np.eye(3), 1, axis=0)
CUBIC = Polynomial(coefficients=[0.0, 1.0, 0.0, 1.0])


def network(weights: Any, gain: float = 2.0, initial: Any = 0.5) -> Graph:
    return generalised_hopfield(weights, gain=Tanh(gain=gain), initial=initial, units=UNIT)


def yorke(function: Function, slope: float, start: float = 0.5) -> Graph:
    """x'(t) = -slope f(x(t - 1)), which does not leak."""
    operators = (
        Leak(name="x", capacitance=np.ones(1), resistance=np.full(1, np.inf), initial=np.array([start])),
        Activate(name="f", size=1, function=function),
        Delay(name="late", size=1, tau=1.0, history=function.value(np.array([start]))),
        Affine(name="back", weights=np.array([[-slope]])),
    )
    pairs = [("x", "f"), ("f", "late"), ("late", "back"), ("back", "x")]
    return Graph(operators=operators, edges=tuple(Edge(*pair) for pair in pairs))


def cosine(size: float) -> Any:
    return size * np.cos(2.0 * np.pi * np.linspace(0.0, 1.0, 65))[:, np.newaxis]


def quarter_turn(found: Cycle, function: Function, slope: float) -> Any:
    """The plane x' = -slope f(y), y' = slope f(x) from the cycle's first point; by symmetry y(t) = x(t - 1)."""
    x = found.states[:, 0]
    quarter = (len(x) - 1) // 4
    run = solve_ivp(
        lambda t, z: slope * function.value(np.array([-z[1], z[0]])),
        (0.0, found.period),
        [x[0], x[-1 - quarter]],
        t_eval=found.times,
        method="DOP853",
        rtol=1e-12,
        atol=1e-12,
    )
    return run.y[0]


def history(found: Cycle) -> Any:
    closing = np.vstack([found.states[:-1], found.states[:1]])
    spline = CubicSpline(found.times, closing, bc_type="periodic")
    return lambda t: spline(t % found.period)


@pytest.mark.parametrize("gain", [2.0, 20.0])
def test_kaplan_and_yorke(gain: float) -> None:
    """x' = -f(x(t - 1)) with odd f has a cycle of period 4, in which (x(t), x(t - 1)) goes round in a plane."""
    function = Tanh(gain=gain)
    found = find_cycle(yorke(function, 1.0), transient=30.0)
    assert found.period == pytest.approx(4.0, abs=1e-9)
    assert found.stable
    assert found.multipliers[0] == pytest.approx(1.0, abs=1e-7)
    half = len(found.states) // 2
    np.testing.assert_allclose(found.states[half:], -found.states[: half + 1], atol=1e-8)
    np.testing.assert_allclose(found.states[:, 0], quarter_turn(found, function, 1.0), atol=1e-8)


def test_an_unstable_cycle_and_how_fast_it_is_left() -> None:
    """f = x + x^3, a slope below pi/2: rest is stable within the cycle, and what is beside it leaves by mu a round."""
    found = find_cycle(yorke(CUBIC, 1.2), initial=cosine(0.5), period=4.1, points=1601)
    assert found.period == pytest.approx(4.0, abs=1e-10)
    assert not found.stable
    assert found.is_verified
    np.testing.assert_allclose(found.states[:, 0], quarter_turn(found, CUBIC, 1.2), atol=1e-9)
    mu = found.multipliers[1].real
    assert mu > 2.0
    assert multiplier_by_runs(
        lambda x, late: -1.2 * (late + late**3), 1.0, found, rounds=3, size=1e-5
    ) == pytest.approx(mu, rel=1e-4)


def multiplier_by_runs(rhs: Any, tau: float, found: Cycle, rounds: int = 5, size: float = 1e-3) -> float:
    """mu by the method of steps: what two starts beside the cycle differ by, each round; what is trivial drops out."""
    on, ends = history(found), []
    for h in (size, -size):
        run = integrate_delayed(
            lambda t, x, z: rhs(x, z[0]),
            [tau],
            lambda t, h=h: on(t) * (1.0 + h) + h,
            (0.0, (rounds + 0.5) * found.period),
            rtol=1e-11,
            atol=1e-12,
        )
        ends.append(run.state(found.period * (0.3 + np.arange(rounds + 1)))[:, 0])
    steps = np.diff(ends[0] - ends[1])
    return float(steps[-1] / steps[-2])


def test_a_multiplier_is_the_decay_of_a_run() -> None:
    found = find_cycle(add_delay(network([[-1.0]]), 2.0), transient=40.0, points=1601)
    assert found.stable
    mu = multiplier_by_runs(lambda x, late: -x - np.tanh(2.0 * late), 2.0, found)
    assert mu == pytest.approx(found.multipliers[1].real, rel=2e-3)
    assert np.abs(found.multipliers[1].imag) < 1e-12
    assert found.multipliers.shape == (COUNT + 1,)
    assert ("multipliers", "17, the largest of infinitely many") in found.rows()
    assert found.to_json()["complete"] is False


@pytest.mark.parametrize(("b", "tau", "guess"), [(0.3, 0.7, 0.8), (-0.5, 2.0, 1.4), (0.6, 9.0, 0.85)])
def test_the_multipliers_of_a_rotating_wave_are_those_of_the_frame_that_turns_with_it(
    b: float, tau: float, guess: float
) -> None:
    """z' = (mu + i) z - mu z |z|^2 + b z(t - tau) has z = r exp(i w t); about it all is linear with constant terms.

    w = 1 - b sin w tau, mu r^2 = mu + b cos w tau; the multipliers are exp(lambda 2 pi/w) of its characteristic roots.
    """
    mu = 0.4
    operators = (
        Leak(name="x", capacitance=np.ones(2), resistance=np.full(2, np.inf), initial=np.array([0.5, 0.0])),
        Affine(name="turn", weights=np.array([[mu, -1.0], [1.0, mu]])),
        Hadamard(name="square", size=2),
        Affine(name="radius", weights=np.ones((2, 2))),
        Hadamard(name="cubic", size=2),
        Affine(name="back", weights=-mu * np.eye(2)),
        Delay(name="late", size=2, tau=tau, history=np.zeros(2)),
        Affine(name="echo", weights=b * np.eye(2)),
    )
    pairs = [("x", "turn"), ("turn", "x"), ("square", "radius"), ("cubic", "back"), ("back", "x")]
    pairs += [("x", "late"), ("late", "echo"), ("echo", "x")]
    ports = [("x", "square", "left"), ("x", "square", "right"), ("radius", "cubic", "left"), ("x", "cubic", "right")]
    graph = Graph(operators=operators, edges=tuple(Edge(*edge) for edge in (*pairs, *ports)))
    w = float(fsolve(lambda w: w - 1.0 + b * np.sin(w * tau), guess, xtol=1e-12)[0])
    square = 1.0 + b * np.cos(w * tau) / mu
    angle = 2.0 * np.pi * np.linspace(0.0, 1.0, 65)
    start = 1.02 * np.sqrt(square) * np.column_stack([np.cos(angle), np.sin(angle)])
    found = find_cycle(graph, initial=start, period=2.0 * np.pi / w)
    assert found.is_verified
    assert found.period == pytest.approx(2.0 * np.pi / w, rel=1e-9)
    np.testing.assert_allclose(np.hypot(*found.states.T), np.sqrt(square), rtol=1e-8)
    here = np.array([[mu, w - 1.0], [1.0 - w, mu]]) - mu * square * np.diag([3.0, 1.0])
    c, s = np.cos(w * tau), np.sin(w * tau)
    roots = characteristic_roots(here, [b * np.array([[c, s], [-s, c]])], [tau], count=12).roots
    expected = np.exp(roots * found.period)
    for value in expected[np.abs(expected) > 1e-3]:
        assert np.min(np.abs(found.multipliers - value)) < 1e-7
    assert np.sum(np.abs(found.multipliers) > 1.0 + 1e-6) == np.sum(roots.real > 1e-9)


def test_a_rapid_cycle_whose_delay_is_longer_than_its_period() -> None:
    """With x(t - 1) the period 4/5 is as good as 4, five times as fast: the same orbit at five times the slope."""
    slow = find_cycle(yorke(CUBIC, 1.2), initial=cosine(0.5), period=4.1)
    fast = find_cycle(yorke(CUBIC, 6.0), initial=cosine(0.5), period=0.82)
    assert fast.period == pytest.approx(0.8, abs=1e-10)
    assert np.ptp(fast.states) == pytest.approx(np.ptp(slow.states), rel=1e-9)
    assert np.sum(np.abs(fast.multipliers[1:]) > 1.0) > np.sum(np.abs(slow.multipliers[1:]) > 1.0) == 1


def test_from_a_hopf_point_the_cycle_grows_as_a_square_root() -> None:
    def family(tau: float) -> Graph:
        return add_delay(network([[-1.0]]), tau)

    (point,) = continue_equilibria(family, [0.0], (0.8, 1.6), step=0.1).of_kind("hopf")
    start = find_cycle(family(1.5), transient=60.0)
    aside = np.array([0.04, 0.02, 0.01])
    found = continue_cycle(family, start, [1.4, 1.3, *(point.parameter + aside)])
    assert all(cycle.stable for cycle in found)
    near = found[-3:]
    squares = np.array([np.ptp(cycle.states) ** 2 for cycle in near]) / aside
    periods = np.array([cycle.period for cycle in near])
    # What is left is of the next order: it halves with the distance.
    assert (squares[1] - squares[2]) / (squares[0] - squares[1]) == pytest.approx(0.5, abs=0.05)
    at_the_point = periods[2] + (periods[2] - periods[1])
    assert at_the_point == pytest.approx(2.0 * np.pi / point.frequency, abs=5e-4)
    assert 1.0 - near[2].multipliers[1].real == pytest.approx(0.5 * (1.0 - near[1].multipliers[1].real), rel=0.1)
    figure = plot_bifurcation(continue_equilibria(family, [0.0], (0.8, 1.6), step=0.1), cycles=found)
    assert figure.axes


def test_a_subcritical_hopf_point_sheds_an_unstable_cycle() -> None:
    """Of f = x + x^3 the cycle is there before the slope pi/2, and gone beyond it."""
    start = find_cycle(yorke(CUBIC, 1.4), initial=cosine(0.3), period=4.0)
    found = continue_cycle(lambda a: yorke(CUBIC, a), start, [1.5, 1.55, 1.6, 1.7])
    assert [cycle.parameter for cycle in found] == [1.5, 1.55]
    assert all(cycle.multipliers[1].real > 1.0 for cycle in found)
    assert np.ptp(found[0].states) > np.ptp(found[1].states)


def test_a_delay_of_a_whole_period_keeps_the_cycle() -> None:
    """x(t - T) is x(t) on it: the cycle is that of the ordinary equation, which shooting finds."""
    plain = find_cycle(network(RING, 3.0, [0.1, 0.2, -0.1]), transient=60.0)
    late = add_delay(network(RING, 3.0), plain.period)
    found = find_cycle(late, initial=plain.states, period=1.005 * plain.period)
    assert found.period == pytest.approx(plain.period, rel=1e-9)
    np.testing.assert_allclose(found.states.max(axis=0), plain.states.max(axis=0), atol=1e-4)


def test_several_delays_close_in_another_solver() -> None:
    taus = np.array([[0.0, 0.0, 1.3], [0.4, 0.0, 0.0], [0.0, 0.9, 0.0]])
    found = find_cycle(add_delay_by_edge(network(RING, 2.0, [0.5, 0.1, -0.3]), taus), transient=60.0, points=1601)
    assert found.stable
    on = history(found)

    weights = np.argwhere(RING != 0.0)
    lags = sorted({float(taus[i, j]) for i, j in weights} - {0.0})

    def rhs(t: float, x: Any, z: Any) -> Any:
        result = -x
        for i, j in weights:
            tau = float(taus[i, j])
            given = x if tau == 0.0 else z[lags.index(tau)]
            result[i] += RING[i, j] * np.tanh(2.0 * given[j])
        return result

    run = integrate_delayed(rhs, lags, on, (0.0, found.period), rtol=1e-10, atol=1e-11)
    at = found.times
    np.testing.assert_allclose(run.state(at), found.states, atol=1e-7)


@pytest.mark.parametrize("name", ["delayed_inhibition", "two_delays"])
def test_shipped_designs_come_to_their_cycle(name: str) -> None:
    design = load_design(name)
    found = find_cycle(design.graph(), points=2001)
    assert found.stable
    expected = design.expected
    assert found.period == pytest.approx(expected.period, rel=2e-7)
    assert np.ptp(found.states[:, 0]) == pytest.approx(expected.swing, rel=1e-5)
    wave = hh.reference(design.graph(), t_stop=9.0 * found.period, accuracy=1e-4)
    late = wave["state"].values[-len(wave.time) // 9 :]
    np.testing.assert_allclose(np.ptp(found.states, axis=0), np.ptp(late, axis=0), rtol=2e-4)


def test_a_gain_with_corners_is_known_less_well() -> None:
    found = find_cycle(
        add_delay(generalised_hopfield([[-2.0]], gain=PiecewiseLinear(), initial=0.5, units=UNIT), 2.0), transient=30.0
    )
    assert found.is_verified
    assert found.trivial_error > 1e-9


def test_a_guess_of_two_rounds_gives_one() -> None:
    once = np.cos(2.0 * np.pi * np.linspace(0.0, 2.0, 129))[:, np.newaxis]
    found = find_cycle(yorke(Tanh(gain=2.0), 1.0), initial=once, period=8.2)
    assert found.period == pytest.approx(4.0, abs=1e-9)


def test_multipliers_without_the_matrix_are_those_with_it(monkeypatch: pytest.MonkeyPatch) -> None:
    late = add_delay(network([[-1.0]]), 2.0)
    with_it = find_cycle(late, initial=cosine(0.6), period=5.5)
    monkeypatch.setattr("hopfield_hw.analysis.delay_cycles.LARGE", 10)
    without = find_cycle(late, initial=cosine(0.6), period=5.5)
    np.testing.assert_allclose(without.multipliers[:5], with_it.multipliers[:5], atol=1e-8)


def test_multipliers_that_the_iteration_does_not_give(monkeypatch: pytest.MonkeyPatch) -> None:
    late = add_delay(network([[-1.0]]), 2.0)

    def fail(*arguments: Any, **options: Any) -> Any:
        raise ArpackError(3)

    monkeypatch.setattr("hopfield_hw.analysis.delay_cycles.eigs", fail)
    monkeypatch.setattr("hopfield_hw.analysis.delay_cycles.LARGE", 10)
    assert find_cycle(late, initial=cosine(0.6), period=5.5).is_verified
    monkeypatch.setattr("hopfield_hw.analysis.delay_cycles.LARGEST", 10)
    with pytest.raises(AccuracyError, match="find_cycle: the multipliers are not computed"):
        find_cycle(late, initial=cosine(0.6), period=5.5)


def test_meshes_that_do_not_agree_leave_it_undecided(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hopfield_hw.analysis.delay_cycles.MOST_ELEMENTS", 21)
    found = find_cycle(yorke(Tanh(gain=4.0), 1.0), initial=cosine(1.0), period=4.0)
    assert found.gap > 1e-8
    assert found.trivial_error > abs(found.multipliers[0] - 1.0)
    assert not found.stable
    assert found.rows()[0] == ("limit cycle", "undecided")


def test_the_run_of_xpp_has_the_period() -> None:
    """Its delays are of first order in the step, which two steps take out."""
    xpplab = pytest.importorskip("xpplab", reason="xpplab is not installed: pip install '.[test]'")

    def period(step: float) -> float:
        text = f"x'=-x-tanh(2*delay(x,2))\nx(0)=0.5\ninit x=0.5\n@ delay=5,total=80,dt={step},meth=rk4\ndone\n"
        run = xpplab.Model.from_text(text).run()
        x, t = np.asarray(run["x"]), np.asarray(run.t)
        up = np.flatnonzero((x[:-1] < 0.0) & (x[1:] >= 0.0))
        at = t[up] - x[up] * (t[up + 1] - t[up]) / (x[up + 1] - x[up])
        return float(at[-1] - at[-6]) / 5.0

    found = find_cycle(add_delay(network([[-1.0]]), 2.0), initial=cosine(0.6), period=5.5)
    assert 2.0 * period(0.005) - period(0.01) == pytest.approx(found.period, abs=1e-4)


def test_a_start_of_ones_own() -> None:
    late = add_delay(network([[-1.0]]), 2.0)
    found = find_cycle(late, initial=[-0.2], transient=40.0)
    again = find_cycle(late, initial=found.states, period=found.period)
    assert again.period == pytest.approx(found.period, rel=1e-10)


def test_a_delayed_network_that_settles() -> None:
    with pytest.raises(AccuracyError, match="find_cycle: the solution settles; start elsewhere"):
        find_cycle(add_delay(network([[-1.0]]), 0.5))


def test_an_equilibrium_is_no_cycle() -> None:
    with pytest.raises(AccuracyError, match=r"find_cycle: (what was found is an equilibrium|Newton's method does not)"):
        find_cycle(add_delay(network([[-1.0]]), 0.5), initial=cosine(1e-3), period=3.0)


BAD: dict[str, tuple[Any, str]] = {
    "varies": (
        lambda: find_cycle(add_delay(network([[-1.0]]), Signal(times=[0.0, 1.0], values=[[1.0], [2.0]]))),
        "find_cycle: the Delay 'v_late' varies with time; give a constant tau",
    ),
    "neutral": (
        lambda: find_cycle(add_neutral_delays(network([[-1.0]]), [[[0.5]]], [1.0])),
        "find_cycle: the Delays 'x_late_0' drive each other without a Leak between, so the equation is neutral; its "
        "roots are not computed here: put a Leak into the cycle",
    ),
    "states": (
        lambda: find_cycle(add_delay(network([[-1.0]]), 2.0), initial=[0.5], period=5.0),
        "`initial` has shape (1,): with `period` a delay equation takes the states over a period, (p, 1) of at least 8 "
        "times, as `states` of another cycle has them",
    ),
    "no states": (
        lambda: find_cycle(add_delay(network([[-1.0]]), 2.0), period=5.0),
        "`initial` has shape (0,): with `period` a delay equation takes the states over a period, (p, 1) of at least 8 "
        "times, as `states` of another cycle has them",
    ),
    "jumps": (
        lambda: find_cycle(yorke(HardLimiter(), 1.0)),
        "find_cycle: 'f' is a HardLimiter, which jumps, and the cycles of delay equations are computed of what is "
        "continuous; take a steep Tanh in its place",
    ),
    "few times": (
        lambda: continue_cycle(
            lambda a: yorke(CUBIC, a), find_cycle(yorke(CUBIC, 1.2), initial=cosine(0.5), period=4.1, points=3), [1.3]
        ),
        "the cycle to start from is known at 3 times: must be at least 8 for a delay equation; find it with more "
        "`points`",
    ),
    "start": (
        lambda: find_cycle(add_delay(network([[-1.0]]), 2.0), initial=[0.5, 0.1]),
        "`initial` has shape (2,): must have shape (1,)",
    ),
    "many": (
        lambda: find_cycle(add_delay(network(-np.eye(150)), 2.0)),
        "find_cycle: the delay equation has 150 states; at most 119, as each takes 84 unknowns or more",
    ),
    "family": (
        lambda: continue_cycle(
            lambda p: add_delay(network(-np.eye(2)), p), find_cycle(yorke(Tanh(gain=2.0), 1.0), transient=20.0), [2.0]
        ),
        "`family` has 2 states at 2 and the cycle 1: must have the same",
    ),
}


@pytest.mark.parametrize(("call", "message"), BAD.values(), ids=BAD)
def test_bad_input_is_refused(call: Any, message: str) -> None:
    with pytest.raises(InputError) as refused:
        call()
    assert str(refused.value) == message


def test_any_multiple_of_the_period_is_divided_out() -> None:
    at = np.linspace(0.0, 1.0, 1041)
    guess = 0.9 * np.cos(26.0 * np.pi * at)[:, np.newaxis]
    found = find_cycle(yorke(Tanh(gain=1.0), 2.0), initial=guess, period=52.0)
    assert found.period == pytest.approx(4.0, abs=1e-9)
    assert found.outcome == "stable"


def test_a_run_that_is_looked_at_seldom_is_resolved_by_the_steps_of_the_solver(monkeypatch: pytest.MonkeyPatch) -> None:
    method = Collocation(yorke(Tanh(gain=2.0), 1.0), None)
    monkeypatch.setattr("hopfield_hw.analysis.closed.LOOKS", 14)
    assert method.simulate(None, 60.0)[1] == pytest.approx(4.0, abs=1e-3)
