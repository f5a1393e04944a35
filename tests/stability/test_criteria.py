"""Criteria of the weights alone: M-matrix, contraction, diagonal stability, energy, gain of inputs."""

from __future__ import annotations

import numpy as np
import pytest
from delayed_cases import STATIC, TWO

import hopfield_hw as hh
from hopfield_hw.stability import (
    DelayedNetwork,
    certify_cohen_grossberg,
    certify_contraction,
    certify_diagonal_stability,
    certify_every_delay,
    certify_input_gain,
    certify_m_matrix,
    read_network,
)
from hopfield_hw.stability.comparison import comparison_matrix
from hopfield_hw.transforms import add_delay

# Two that excite each other by g: one stable state for g < 1, two for g > 1.
PAIR = np.array([[0.0, 1.0], [1.0, 0.0]])


def pair(g: float, *, late: bool = False) -> DelayedNetwork:
    return DelayedNetwork(decay=1.0, upper=1.0, **{"late_weights" if late else "weights": g * PAIR})


@pytest.mark.parametrize("late", [False, True])
@pytest.mark.parametrize(
    "certify", [certify_m_matrix, certify_contraction, certify_diagonal_stability, certify_every_delay]
)
def test_all_criteria_know_the_pitchfork_at_1(certify, late: bool) -> None:  # type: ignore[no-untyped-def]
    """A pair has two stable states from g = 1 on; each criterion is sharp for it."""
    below, above = certify(pair(0.999, late=late)), certify(pair(1.001, late=late))
    assert below.proved
    assert below.is_exact
    assert below.margin > 0.0
    assert not above.proved
    assert above.margin <= 0.0
    assert above.statement.startswith("nothing is proved")
    assert "globally" not in str(above)
    assert not certify(pair(1.0, late=late)).proved


def test_inhibition_is_stable_without_delay_for_diagonal_stability_alone() -> None:
    """W = -g (1 1; 1 1) has no instability without delay, whatever g is; the M-matrix does not see signs."""
    network = DelayedNetwork(decay=1.0, weights=-50.0 * np.ones((2, 2)), upper=1.0)
    assert not certify_m_matrix(network).proved
    assert certify_diagonal_stability(network).is_exact
    assert certify_every_delay(network).is_exact
    late = DelayedNetwork(decay=1.0, late_weights=-50.0 * np.ones((2, 2)), upper=1.0)
    assert not certify_diagonal_stability(late).proved


def test_a_skew_network_is_a_contraction_in_the_2_norm_alone() -> None:
    network = DelayedNetwork(decay=1.0, weights=[[0.0, 5.0], [-5.0, 0.0]], upper=1.0, lower=1.0)
    found = certify_contraction(network, norm="2")
    assert found.is_exact
    assert found.figures["exponential rate, 1/s"] == pytest.approx(1.0, rel=1e-8)
    assert not certify_contraction(network, norm="1").proved
    assert not certify_contraction(network, norm="inf").proved


@pytest.mark.parametrize("norm", ["1", "2", "inf"])
def test_solutions_come_together_at_least_at_the_rate_of_contraction(norm: str) -> None:
    rng = np.random.default_rng(5)
    weights = 0.25 * rng.normal(size=(3, 3))
    graph = hh.Network.dimensionless(weights, gain=hh.Tanh(gain=1.2), bias=rng.normal(size=3), seconds=1.0)
    found = certify_contraction(graph, norm=norm)  # type: ignore[arg-type]
    rate = found.figures["exponential rate, 1/s"]
    assert found.proved
    starts = rng.normal(size=(2, 3))
    waves = [
        hh.reference(hh.Network.dimensionless(weights, gain=hh.Tanh(gain=1.2), bias=graph.bias, initial=x, seconds=1.0),
                     t_stop=5.0, accuracy=1e-9, points=51)
        for x in starts
    ]  # fmt: skip
    difference = waves[0]["state"].to_numpy() - waves[1]["state"].to_numpy()
    distance = np.linalg.norm(difference, ord={"1": 1, "2": 2, "inf": np.inf}[norm], axis=1)
    times = waves[0]["time"].to_numpy()
    assert np.all(distance <= distance[0] * np.exp(-rate * times) * (1.0 + 1e-6))


def test_the_rate_of_an_m_matrix_with_delay_is_that_of_the_scalar() -> None:
    """x' = -x + w x(t - h): s = 1 - w exp(s h)."""
    network = DelayedNetwork(decay=1.0, late_weights=[[0.5]], upper=1.0)
    rate = certify_m_matrix(network, 2.0).figures["exponential rate, 1/s"]
    assert rate == pytest.approx(1.0 - 0.5 * np.exp(2.0 * rate), abs=1e-10)
    assert "exponential rate, 1/s" not in certify_m_matrix(network).figures
    assert certify_contraction(network, 2.0).figures["exponential rate, 1/s"] == pytest.approx(rate, rel=1e-6)


def test_the_comparison_matrix_takes_the_worse_slope() -> None:
    network = DelayedNetwork(
        decay=[3.0, 4.0], weights=[[-1.0, -2.0], [0.5, 1.0]], late_weights=[[0.5, 0.0], [0.0, -1.0]], upper=[1.0, 0.5]
    )
    np.testing.assert_allclose(comparison_matrix(network), [[3.0 - 0.5, -1.0], [-0.5, 4.0 - 0.5 - 0.5]])
    static = DelayedNetwork(
        decay=1.0, weights=[[0.0, 2.0], [1.0, 0.0]], upper=[0.1, 0.2], lower=[-0.3, 0.0], kind="static"
    )
    np.testing.assert_allclose(comparison_matrix(static), [[1.0, -0.6], [-0.2, 1.0]])


def test_inputs_move_a_network_by_no_more_than_its_gain() -> None:
    rng = np.random.default_rng(8)
    weights = rng.normal(size=(3, 3)) * 2e-5
    net = hh.Network(weights=weights, resistance=10e3, capacitance=10e-9, gain=hh.Tanh(gain=1.5))
    found = certify_input_gain(add_delay(net, 3e-5))
    assert found.is_exact
    gain = found.matrices["G"]
    states = []
    for current in (np.zeros(3), np.array([2e-5, 0.0, -1e-5])):
        wave = hh.reference(add_delay(hh.Network(weights=weights, resistance=10e3, capacitance=10e-9,
                                                 gain=hh.Tanh(gain=1.5), bias=current), 3e-5), t_stop=4e-3)  # fmt: skip
        states.append(wave["state"].to_numpy()[-1])
    moved = np.abs(states[1] - states[0])
    bound = gain @ (np.array([2e-5, 0.0, 1e-5]) / 10e-9)
    assert np.all(moved <= bound)
    sharp = certify_input_gain(pair(0.5))  # both driven alike: x = u / (1 - 0.5)
    assert sharp.figures["gain, s"] == pytest.approx(2.0, rel=1e-7)
    assert not certify_input_gain(pair(1.01)).proved
    assert certify_input_gain(pair(1.01)).figures == {}


def test_a_symmetric_network_has_an_energy_and_others_have_none() -> None:
    rng = np.random.default_rng(2)
    half = rng.normal(size=(4, 4)) * 1e-4
    net = hh.Network(weights=half + half.T, resistance=10e3, capacitance=[1e-9, 2e-9, 3e-9, 5e-9])
    found = certify_cohen_grossberg(net)
    assert found.proved
    assert not found.is_exact  # T / C has been rounded
    assert found.statement.endswith("; the weights are taken as symmetric, as each pair is to 1e-12")
    assert "an energy never rises" in found.statement
    c = found.matrices["c"]
    np.testing.assert_allclose(c / c[0], np.array([1.0, 2.0, 3.0, 5.0]), rtol=1e-12)
    with pytest.raises(hh.InputError) as error:
        certify_cohen_grossberg(DelayedNetwork(decay=1.0, weights=[[0.0, 1.0], [-1.0, 0.0]], upper=1.0))
    assert str(error.value) == (
        "`weights[0, 1]` = 1 and `weights[1, 0]` = -1: no capacitances make them symmetric, so there is no such "
        "energy; make them equal, or take another criterion"
    )
    ring = np.zeros((3, 3))
    ring[[0, 1, 2], [1, 2, 0]] = 1.0
    ring[[1, 2, 0], [0, 1, 2]] = 2.0  # each pair can be made symmetric; the ring cannot
    with pytest.raises(hh.InputError, match="no capacitances make them symmetric"):
        certify_cohen_grossberg(DelayedNetwork(decay=1.0, weights=ring, upper=1.0))
    with pytest.raises(hh.InputError, match="is of a network without delay; this one has late weights"):
        certify_cohen_grossberg(add_delay(net, 1e-5))


def test_symmetry_is_that_of_each_pair() -> None:
    """Two neurons that oscillate beside two of large weights."""
    weights = np.zeros((4, 4))
    weights[0, 1] = weights[1, 0] = -1e14
    weights[2:, 2:] = [[3.0, 3.0], [-3.0, 3.0]]
    with pytest.raises(hh.InputError, match=r"`weights\[2, 3\]` = 3 and `weights\[3, 2\]` = -3: no capacitances"):
        certify_cohen_grossberg(DelayedNetwork(decay=1.0, weights=weights, upper=1.0))
    weights[3, 2] = 3.0
    found = certify_cohen_grossberg(DelayedNetwork(decay=1.0, weights=weights, upper=1.0))
    assert found.is_exact
    assert "taken as symmetric" not in found.statement
    weights[3, 2] = np.nextafter(3.0, 4.0)
    weights[2, 2] = weights[3, 3] = 0.0
    scaled = certify_cohen_grossberg(DelayedNetwork(decay=1.0, weights=weights, upper=1.0))
    assert scaled.proved  # by capacitances that make the pair equal but for a rounding


def test_what_does_not_apply_is_refused() -> None:
    falling = DelayedNetwork(decay=1.0, weights=PAIR, upper=1.0, lower=-0.5)
    with pytest.raises(hh.InputError, match=r"`lower\[0\]` = -0.5: a gain curve falls: must be monotone"):
        certify_cohen_grossberg(falling)
    with pytest.raises(hh.InputError, match=r"needs slopes in \[0, K\] with K above 0"):
        certify_diagonal_stability(falling)
    with pytest.raises(hh.InputError, match="this network has a static one"):
        certify_diagonal_stability(STATIC)
    with pytest.raises(hh.InputError, match=r"`rate` = 1: must be from 0 to below 1 here"):
        certify_diagonal_stability(TWO, 1.0)
    with pytest.raises(hh.InputError, match=r"`norm` = '3': must be one of 1, 2, inf"):
        certify_contraction(TWO, norm="3")  # type: ignore[arg-type]


def test_a_network_in_siemens_is_read_in_1_per_second() -> None:
    net = hh.Network(weights=[[0.0, 4e-5], [2e-5, 0.0]], resistance=10e3, capacitance=10e-9, gain=hh.Tanh(gain=3.0))
    found = read_network(net)
    np.testing.assert_allclose(found.decay, [1e4, 1e4])
    np.testing.assert_allclose(found.weights, [[0.0, 4e3], [2e3, 0.0]])
    np.testing.assert_allclose(found.upper, [3.0, 3.0])
    assert not certify_m_matrix(net).proved or certify_m_matrix(net).margin > 0.0
