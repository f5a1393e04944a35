"""How late currents are for held states, and the network with that, against an equation that says it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.integrate import solve_ivp

import hopfield_hw as hh
from hopfield_hw.extraction.agreement import CLOSE, LATE, Agreement, compare_transients
from hopfield_hw.extraction.flatten import flatten
from hopfield_hw.extraction.lags import Lags, measure_lags, solve_with_lags
from hopfield_hw.extraction.states import find_states
from hopfield_hw.values.arrays import Array

TAU, WEIGHT = 1e-6, 2e-4
# A pair whose curves pass 1 kOhm and 1 nF, and a buffer: 1 us late, of a time constant of some 30 us.
PAIR = """two neurons
C0 x0 0 10n
R0 x0 0 10k
C1 x1 0 10n
R1 x1 0 10k
B0 y0 0 V=tanh(3*v(x0))
Rf0 y0 z0 1k
Cf0 z0 0 1n
E0 w0 0 z0 0 1
B1 y1 0 V=-tanh(3*v(x1))
Rf1 y1 z1 1k
Cf1 z1 0 1n
E1 w1 0 z1 0 1
R01 w1 x0 5k
R10 w0 x1 5k
"""
RANGES = [(-1.2, 1.2)] * 2


@pytest.fixture(scope="module")
def pair() -> hh.Extraction:
    return hh.extract(PAIR, verify=False, states=["C0", "C1"])


@pytest.fixture(scope="module")
def lags(pair: hh.Extraction, ngspice: str) -> Lags:
    deck = flatten(PAIR)
    found = find_states(deck, ["C0", "C1"])
    return measure_lags(pair, deck, found.states, RANGES, 3e-5, timeout=60.0)


def test_a_lag_is_that_of_its_resistor_and_capacitor(pair: hh.Extraction, lags: Lags) -> None:
    assert lags.longest == pytest.approx(TAU, rel=0.02)
    x = np.linspace(-1.0, 1.0, 21)
    found = lags.matrix(np.stack([x, x], axis=1))
    slopes = 3.0 / np.cosh(3.0 * x) ** 2
    for i, j in ((0, 1), (1, 0)):
        wanted = TAU * np.sign(pair.weights[i, j]) * WEIGHT * slopes
        np.testing.assert_allclose(found[:, i, j], wanted, atol=0.03 * TAU * WEIGHT * 3.0)
    np.testing.assert_allclose(found[:, [0, 1], [0, 1]], 0.0, atol=1e-3 * TAU * WEIGHT)


def test_the_network_with_its_lags_is_the_equation_with_its_poles(pair: hh.Extraction, lags: Lags) -> None:
    start, t_stop = np.array([[0.9, -0.2]]), 1e-4

    def equation(_: float, y: Array) -> Array:
        x, v = y[:2], y[2:]
        into = pair.weights @ v - x / pair.resistance
        return np.concatenate([into / 1e-8, (np.tanh(3.0 * x) - v) / TAU])

    begin = np.concatenate([start[0], np.tanh(3.0 * start[0])])
    exact = solve_ivp(equation, (0.0, t_stop), begin, "LSODA", np.linspace(0.0, t_stop, 201), rtol=1e-9, atol=1e-12)
    wanted = exact.y[:2].T
    found = solve_with_lags(pair, lags, start, t_stop, 201)[0]
    none = Lags(lags.at, np.zeros_like(lags.values), 0.0)
    alone = solve_with_lags(pair, none, start, t_stop, 201)[0]
    scale = np.ptp(wanted, axis=0)
    off, before = (float(np.max(np.abs(each - wanted) / scale)) for each in (found, alone))
    assert before > 0.02
    assert off < 0.1 * before


@pytest.mark.usefixtures("ngspice")
def test_lags_hide_no_wrong_weight() -> None:
    """With a weight that is 2% off, what is left is no lag."""
    text = PAIR.replace("0 1n", "0 400p")
    deck = flatten(text)
    found = find_states(deck, ["C0", "C1"])
    good = replace(hh.extract(text, verify=False, states=["C0", "C1"]), swept=tuple(RANGES))
    wrong = replace(good, weights=good.weights * np.array([[1.0, 1.02], [1.0, 1.0]]))
    starts = np.array([[0.9, 0.5], [-0.6, 0.8]])

    def judge(network: hh.Extraction) -> Agreement:
        return compare_transients(network, deck, found, starts, 2e-4, timeout=60.0)

    right = judge(good)
    assert right.nrmse > CLOSE
    assert right.passed
    assert right.longest_lag == pytest.approx(0.4 * TAU, rel=0.02)
    assert right.with_lags < 0.1 * CLOSE
    judged = judge(wrong)
    assert judged.with_lags > CLOSE
    assert not judged.passed


@pytest.mark.parametrize(
    ("nrmse", "with_lags", "passed"),
    [
        (0.9 * CLOSE, float("nan"), True),
        (1.1 * CLOSE, float("nan"), False),
        (1.1 * CLOSE, 0.9 * CLOSE, True),
        (1.1 * CLOSE, 1.1 * CLOSE, False),
        (1.1 * LATE, 0.0, False),
    ],
)
def test_a_verdict_with_lags_says_both_figures(nrmse: float, with_lags: float, passed: bool) -> None:
    found = Agreement(nrmse, 2, 1e-3, (), with_lags, 4e-7)
    assert found.passed is passed
    assert not found._replace(starts=0).passed
    assert f"NRMSE {with_lags:.1e} (at most 1e-03) with the lags" in str(found) or np.isnan(with_lags)
    assert f"{nrmse:.1e}" in str(found)
