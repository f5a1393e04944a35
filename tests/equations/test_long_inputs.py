"""Inputs of many points: right values, and no new start of a solver at each."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import hopfield_hw as hh
from hopfield_hw.equations import Watch, delay_solver, ode_program, recordings
from hopfield_hw.graph import Activate, Affine, Delay, Edge, Graph, Input, Leak, Output
from hopfield_hw.values.arrays import Array

TAU, T_STOP = 1e-4, 1e-3


def recording(points: int, size: int = 1, seed: int = 0) -> hh.Signal:
    steps = np.random.default_rng(seed).normal(size=(points, size))
    return hh.Signal(times=np.linspace(0.0, T_STOP, points), values=np.cumsum(steps, axis=0) / points**0.5)


def exact(signal: hh.Signal, weights: Array, tau: float = TAU) -> Array:
    """Return x at the end of tau dx/dt = -x + w u, by the exponentials of each piece."""
    x, driven = 0.0, signal.values @ weights
    for t, u, v in zip(np.diff(signal.times), driven[:-1], driven[1:], strict=True):
        e, slope = np.exp(-t / tau), (v - u) / t
        x = x * e + u * (1.0 - e) + slope * (t - tau * (1.0 - e))
    return np.asarray(x)


def linear(inputs: int = 1) -> hh.Network:
    weights = 1e-4 * np.linspace(1.0, 0.5, inputs)[np.newaxis]
    return hh.Network(weights=[[0.0]], resistance=1e4, capacitance=1e-8, input_weights=weights)


@pytest.fixture
def no_starts(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*args: object, **options: object) -> None:
        raise AssertionError("a solver has started")

    monkeypatch.setattr(ode_program, "solve_ivp", refuse)


@pytest.mark.usefixtures("no_starts")
@pytest.mark.parametrize("inputs", [1, 3])
def test_a_recording_gives_what_exponentials_give(inputs: int) -> None:
    signal = recording(2000, inputs)
    found = hh.reference(linear(inputs), inputs=signal, t_stop=T_STOP)
    expected = exact(signal, np.linspace(1.0, 0.5, inputs))
    assert abs(float(found["state"][-1, 0]) - expected) < 1e-8 * float(np.max(np.abs(found["state"])))


@pytest.mark.usefixtures("no_starts")
def test_a_held_signal_gives_what_exponentials_give() -> None:
    signal = hh.Signal.held(np.random.default_rng(1).normal(size=500), T_STOP / 500)
    found = hh.reference(linear(), inputs=signal, t_stop=float(signal.times[-1]))
    assert abs(float(found["state"][-1, 0]) - exact(signal, np.ones(1))) < 1e-8


@pytest.mark.parametrize("curve", [hh.Tanh(gain=5.0, amplitude=1.0), hh.PiecewiseLinear(gain=5.0, amplitude=1.0)])
def test_one_and_many_agree_with_restarts(curve: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(2)
    options: dict[str, Any] = {"resistance": 1e4, "capacitance": 1e-8, "gain": curve}
    options |= {"weights": 4e-5 * rng.normal(size=(4, 4)), "input_weights": 1e-4 * rng.normal(size=(4, 2))}
    starts, signal = rng.uniform(-1.0, 1.0, (3, 4)), recording(300, 2)
    nets = [hh.Network(initial=start, **options) for start in starts]
    one = hh.reference(nets[0], inputs=signal, t_stop=T_STOP)
    many = hh.reference_batch(nets[0], initial=starts, inputs=signal, t_stop=T_STOP)
    drawn = hh.reference_batch(nets, inputs=signal, t_stop=T_STOP)
    monkeypatch.setattr(recordings, "MANY_POINTS", 10**9)
    restarted = hh.reference(nets[0], inputs=signal, t_stop=T_STOP)
    for found in (one["state"], many["state"][0], drawn["state"][0]):
        np.testing.assert_allclose(found.to_numpy(), restarted["state"].to_numpy(), atol=1e-7)


def test_a_stiff_network_is_solved_over_the_corners(monkeypatch: pytest.MonkeyPatch) -> None:
    """Time constants of 100 us and 0.1 us: restarts at the corners take 760 evaluations a point."""
    taken = []
    look = Watch.look
    monkeypatch.setattr(Watch, "look", lambda *given: taken.append(1) or look(*given))
    signal, fast = recording(300), 1e-7
    options: dict[str, Any] = {"resistance": 1e4, "capacitance": [1e-8, 1e-11], "input_weights": [[1e-4], [1e-4]]}
    found = hh.reference(hh.Network(weights=np.zeros((2, 2)), **options), inputs=signal, t_stop=T_STOP)
    expected = [exact(signal, np.ones(1), tau) for tau in (TAU, fast)]
    assert np.max(np.abs(found["state"].to_numpy()[-1] - expected)) < 1e-6 * np.max(np.abs(found["state"].to_numpy()))
    assert len(taken) < 550 * signal.times.size


def test_a_network_that_is_too_stiff_for_elements_is_solved_all_the_same() -> None:
    weights = 1e-4 * np.array([[0.0, -1.0], [-1.0, 0.0]])
    curve = hh.Tanh(gain=3e4, amplitude=1.0)
    options: dict[str, Any] = {"resistance": 1e4, "capacitance": 1e-8, "gain": curve, "initial": [0.1, -0.1]}
    net = hh.Network(weights=weights, input_weights=[[1e-4], [1e-4]], **options)
    found = hh.reference(net, inputs=recording(60), t_stop=T_STOP)
    assert found.attrs["self_check"] < 1e-5


def delayed() -> Graph:
    operators = (
        Input(name="u", size=1),
        Affine(name="b", weights=[[1e-4], [5e-5]]),
        Leak(name="x", resistance=[1e4, 1e4], capacitance=[1e-8, 1e-8], initial=[0.3, -0.2]),
        Activate(name="f", size=2, function=hh.Tanh(gain=2.0, amplitude=1.0)),
        Delay(name="d", size=2, tau=1e-4, history=[0.1, 0.0]),
        Affine(name="w", weights=[[0.0, -1e-4], [1e-4, 0.0]]),
        Output(name="y", size=2),
    )
    links = (("u", "b"), ("b", "x"), ("x", "f"), ("f", "d"), ("d", "w"), ("w", "x"), ("x", "y"))
    return Graph(operators=operators, edges=tuple(Edge(*link) for link in links))


def test_a_recording_into_delays_agrees_with_single_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = []
    solve_row = delay_solver.solve_row
    monkeypatch.setattr(delay_solver, "solve_row", lambda *given: rows.append(given) or solve_row(*given))
    found = hh.reference(delayed(), inputs=recording(200), t_stop=T_STOP)
    assert rows
    monkeypatch.setattr(delay_solver, "_ROW", 10**9)
    single = hh.reference(delayed(), inputs=recording(200), t_stop=T_STOP)
    np.testing.assert_allclose(found["state"].to_numpy(), single["state"].to_numpy(), atol=1e-7)
