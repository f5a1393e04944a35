"""A simulation ends on the branch that the equation takes, also where deviations grow that are too small to be seen."""

from __future__ import annotations

import warnings
from dataclasses import replace

import numpy as np
import pytest
from scipy.integrate import solve_ivp

import hopfield_hw as hh
from hopfield_hw.equations import Growth, OdeProgram
from hopfield_hw.spice.pace import FOLDS, OUTRUN, Zone, all_pauses, outrun, start_zone
from hopfield_hw.spice.transient import AccuracyWarning, circuit_deck, simulate_waves
from hopfield_hw.values.arrays import Array

R, C, AMPLITUDE = 1e4, 1e-8, 5.0


def near_balance(seed: int) -> tuple[hh.Network, Array]:
    """Return a network of a loop gain from 10 to 20,000 that starts next to a point of balance, and where it ends."""
    rng = np.random.default_rng(seed)
    n = int(rng.integers(2, 7))
    loop = 20_000.0 if seed % 3 == 0 else 10.0 ** rng.uniform(1.0, 3.0)
    gain = min(float(rng.choice([1e2, 1e3, 1e4])), 10.0 * loop)
    weights = rng.normal(size=(n, n))
    weights = weights + weights.T
    np.fill_diagonal(weights, 0.0)
    weights *= loop / gain / R / np.max(np.abs(np.linalg.eigvalsh(weights)))
    curve = hh.Tanh(gain=gain, amplitude=AMPLITUDE)
    balance = 0.3 * rng.uniform(-1.0, 1.0, n) * AMPLITUDE / gain
    bias = balance / R - weights @ curve.value(balance)
    start = balance + (1e-6 if seed % 2 else 1e-3) * rng.normal(size=n)
    net = hh.Network(weights=weights, resistance=R, capacitance=C, gain=curve, bias=bias, initial=start)

    def slope(_: float, x: Array) -> Array:
        return (-x / R + weights @ (AMPLITUDE * np.tanh(gain * x / AMPLITUDE)) + bias) / C

    truth = solve_ivp(slope, (0.0, 20.0 * R * C), start, method="LSODA", rtol=1e-10, atol=1e-14)
    return net, truth.y[:, -1]


@pytest.mark.parametrize("cell", ["ideal", "inverting_integrator", "hopfield_tank"])
@pytest.mark.parametrize("seed", range(4))
def test_a_network_next_to_balance_ends_where_its_equation_does(seed: int, cell: str) -> None:
    """1% of the range: the states at the end lie a whole range apart on the wrong branch."""
    net, truth = near_balance(seed)
    wave = hh.simulate(hh.lower(net, cell=cell, rescale=cell == "hopfield_tank"))
    states = wave["state"].to_numpy()
    np.testing.assert_allclose(states[-1], truth, atol=1e-2 * np.ptp(states))


def pair(start: list[float], *, gain: float = 1e4) -> hh.Network:
    weights = [[0.0, -2e-4], [-2e-4, 0.0]]
    curve = hh.Tanh(gain=gain, amplitude=AMPLITUDE)
    return hh.Network(weights=weights, resistance=R, capacitance=C, gain=curve, initial=start)


def test_it_warns_where_roundings_choose_the_branch() -> None:
    with pytest.warns(AccuracyWarning, match="leaves a point of balance, from so near to it that roundings choose"):
        hh.simulate(hh.lower(pair([1e-4, 1e-4])))


def test_a_deck_without_a_graph_begins_with_short_steps() -> None:
    deck = circuit_deck(hh.lower(pair([1e-4, 0.5e-4])))
    _, known = simulate_waves(deck, t_stop=2e-3)
    _, unknown = simulate_waves(replace(deck, growth=None), t_stop=2e-3)
    np.testing.assert_allclose(known.states[-1], [10.0, -10.0], atol=1e-3)
    np.testing.assert_allclose(unknown.states[-1], [10.0, -10.0], atol=1e-3)
    assert known.own_times[0] == 0.0
    np.testing.assert_array_equal(known.own_states[0], [1e-4, 0.5e-4])


def test_rates_are_the_eigenvalues_of_the_jacobian_and_stay_below_the_bounds() -> None:
    net, _ = near_balance(1)
    graph = net.graph()
    growth, program = Growth(graph), OdeProgram([graph])
    times = np.zeros(5)
    states = net.initial + 1e-2 * np.random.default_rng(0).normal(size=(5, net.initial.size))
    rates = growth.rates(times, states)
    expected = [np.max(np.linalg.eigvals(program.jacobian(0.0, x)).real) for x in states]
    np.testing.assert_allclose(rates, expected, rtol=1e-9)
    rows = [np.max(np.sum(np.abs(program.jacobian(0.0, x)), axis=1)) for x in states]
    assert np.all(growth.bounds(times, states) >= rates)
    assert np.all(growth.bounds(times, states) <= np.array(rows) * (1.0 + 1e-12))


def test_pauses_follow_the_rate_until_a_rounding_has_grown() -> None:
    zone = Zone(np.array([1.0, 2.0]), np.array([10.0, 100.0]))
    times = [t for t, _ in zone.pauses(0.4)]
    np.testing.assert_allclose(np.diff(times)[:5], 0.04)
    np.testing.assert_allclose(np.diff(times)[-5:], 0.004)
    assert 10.0 * 1.0 + 100.0 * (times[-1] - 2.0) == pytest.approx(FOLDS, abs=4.0)
    assert all_pauses([zone, zone], 0.4, 1.5) == tuple(t for t in times if t < 1.5)


def test_steps_that_something_outruns_are_found() -> None:
    net = pair([0.0, 0.0])
    growth = Growth(net.graph())
    rate = float(growth.rates(np.zeros(1), np.zeros((1, 2)))[0])
    assert rate == pytest.approx((2e-4 * R * 1e4 - 1.0) / (R * C))
    short, long = 0.5 * OUTRUN / rate, 4.0 * OUTRUN / rate
    assert start_zone(growth, np.zeros(2), short) == []
    (zone,) = start_zone(growth, np.zeros(2), long)
    assert zone.rates[0] == pytest.approx(rate)
    times = np.cumsum([0.0, short, short, long, long, short])
    (zone,) = outrun(growth, times, np.zeros((6, 2)))
    np.testing.assert_array_equal(zone.times, times[2:4])
    assert outrun(growth, times, np.full((6, 2), 1.0)) == []  # the curve is flat there: nothing grows


def test_an_ordinary_network_takes_no_pauses() -> None:
    net = pair([0.5, -0.3], gain=1.0)
    deck = circuit_deck(hh.lower(net))
    assert deck.growth is not None
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        _, waves = simulate_waves(deck, t_stop=2e-3)
    assert outrun(deck.growth, waves.own_times, waves.own_states) == []
