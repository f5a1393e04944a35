"""Real poles of amplifiers: the closed form of two equal poles, and networks of many neurons."""

from __future__ import annotations

import numpy as np
import pytest

import hopfield_hw as hh
from hopfield_hw.stability import closed_loop_pole, critical_gain, loop_roots, measure_pole_margin


@pytest.mark.parametrize("tau", [0.1, 1.0, 3.0, 100.0])
def test_two_equal_poles_have_the_closed_form(tau: float) -> None:
    """g = 2 tau + 4 + 2 / tau with tau = R C p (Routh)."""
    pole, time_constant = 1e5, tau / 1e5
    limit = 2.0 * tau + 4.0 + 2.0 / tau
    assert critical_gain(time_constant, [pole, pole]) == pytest.approx(limit, rel=1e-10)
    assert loop_roots(0.999 * limit, time_constant, [pole, pole])[0].real < 0.0
    assert loop_roots(1.001 * limit, time_constant, [pole, pole])[0].real > 0.0


@pytest.mark.parametrize("gain", [1.0, 1e3, 1e7])
def test_one_pole_never_oscillates(gain: float) -> None:
    assert critical_gain(1e-4, [1e6]) == np.inf
    assert loop_roots(gain, 1e-4, [1e6])[0].real < 0.0


def test_more_poles_take_more_of_the_margin() -> None:
    three = critical_gain(1e-4, [1e5, 1e5, 1e5])
    assert three < critical_gain(1e-4, [1e5, 1e5])
    assert abs(loop_roots(three, 1e-4, [1e5] * 3)[0].real) < 1e-6 * 1e5


def test_a_network_has_the_margin_of_its_most_negative_mode() -> None:
    """Three neurons that inhibit themselves alone: g = b R |T| = 80 each."""
    resistance, capacitance, pole = 10e3, 10e-9, 1e6
    weights = -4e-3 * np.eye(3)
    net = hh.Network(weights=weights, resistance=resistance, capacitance=capacitance, gain=hh.Tanh(gain=2.0))
    tau = resistance * capacitance * pole
    margin = measure_pole_margin(net, [pole, pole])
    assert margin.stable
    assert margin.gain_margin * 80.0 == pytest.approx(2.0 * tau + 4.0 + 2.0 / tau, rel=1e-6)
    assert measure_pole_margin(net, [pole]).gain_margin == np.inf
    assert measure_pole_margin(net, [pole], [pole]).gain_margin == pytest.approx(margin.gain_margin, rel=1e-9)
    roots = loop_roots(80.0, resistance * capacitance, [pole, pole])
    assert margin.growth == pytest.approx(roots[0].real, rel=1e-6)


@pytest.mark.parametrize(("capacitance", "outcome"), [(1e-3, "undecided"), (1e-6, "stable"), (1e-9, "stable")])
def test_a_margin_is_never_above_the_true_one(capacitance: float, outcome: str) -> None:
    """One neuron that excites itself by 1/2 has the margin 2 with any pole; rounding hides that of a slow one."""
    net = hh.Network(weights=[[0.5e-9]], resistance=1e9, capacitance=capacitance)
    margin = measure_pole_margin(net, [2.0 * np.pi * (1e8 if capacitance == 1e-3 else 1e7)])
    assert margin.outcome == outcome
    if outcome == "undecided":
        assert np.isnan(margin.gain_margin)
    else:
        assert margin.gain_margin <= 2.0
        assert margin.gain_margin == pytest.approx(2.0, rel=1e-2 if capacitance == 1e-6 else 1e-5)


def test_units_of_the_network_do_not_matter() -> None:
    si = hh.Network(weights=[[0.0, -3e-3], [-3e-3, 0.0]], resistance=10e3, capacitance=100e-9)
    plain = hh.Network.dimensionless([[0.0, -30.0], [-30.0, 0.0]])
    a, b = measure_pole_margin(si, [1e4]), measure_pole_margin(plain, [1e4])
    np.testing.assert_allclose(a.roots, b.roots, rtol=1e-9)


def test_the_pole_of_an_amplifier_with_feedback() -> None:
    op_amp = hh.OnePole(gain=2e5, gain_bandwidth=3e6)
    assert closed_loop_pole(op_amp, 33.0) == pytest.approx(2.0 * np.pi * 3e6 / 33.0, rel=1e-3)
    with pytest.raises(hh.InputError, match=r"`noise_gain` = 0\.5: must be at least 1"):
        closed_loop_pole(op_amp, 0.5)
    with pytest.raises(hh.InputError, match="must be a OnePole, which states its gain-bandwidth product"):
        closed_loop_pole(1e5, 2.0)  # type: ignore[arg-type]


def test_bad_poles_are_refused() -> None:
    with pytest.raises(hh.InputError, match=r"`poles\[1\] = -1\.0 rad/s`: must be positive"):
        critical_gain(1e-4, [1e5, -1.0])
    with pytest.raises(hh.InputError, match=r"`poles` has shape \(0,\): must be a list of poles, rad/s, \(m,\)"):
        loop_roots(1.0, 1e-4, [])
    with pytest.raises(hh.InputError, match="must be a Network; a Graph has no weights"):
        measure_pole_margin(hh.Network(weights=[[0.0]], resistance=1e4, capacitance=1e-9).graph(), [1e5])  # type: ignore[arg-type]


@pytest.mark.parametrize(("gain", "grows"), [(9.8, False), (12.0, True)])
def test_a_circuit_with_two_slow_op_amps_does_as_its_poles_say(ngspice: str, gain: float, grows: bool) -> None:
    """An adder and an inverter of noise gain 2 each make two equal poles; the equation alone is stable at any gain."""
    op_amp = hh.OnePole(gain_bandwidth=1e5, output_resistance=0.1)
    pole = closed_loop_pole(op_amp, 2.0)
    limit = critical_gain(10e3 * 1e-9, [pole, pole])
    assert (gain > limit) == grows
    net = hh.Network(weights=[[-1e-4]], resistance=10e3, capacitance=1e-9, gain=hh.Tanh(gain=gain), initial=[1e-3])
    margin = measure_pole_margin(net, [pole], [pole])
    assert margin.gain_margin == pytest.approx(limit / gain, rel=1e-9)
    assert margin.stable is not grows
    circuit = hh.lower(net, cell="summing_amplifier", op_amp=op_amp)
    wave = hh.simulate(circuit, t_stop=4e-4, accuracy=1e-3)
    states, times = wave["state"].to_numpy()[:, 0], wave["time"].to_numpy()
    fifth = len(states) // 5
    swings = [np.ptp(states[k * fifth : (k + 1) * fifth]) for k in (1, 3)]
    seen = float(np.log(swings[1] / swings[0]) / (times[2 * fifth] - times[0]))
    assert (seen > 0.0) == grows
    assert seen == pytest.approx(margin.growth, abs=0.005 * abs(margin.roots[0].imag))
