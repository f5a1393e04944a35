"""Weights as they can be made, against each way's own formula, and what rounding does to equilibria solved again."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import scipy.optimize

import hopfield_hw as hh
from hopfield_hw.board.rounding import realise, rounding_cost
from hopfield_hw.board.ways import DigitalPotentiometer, OfSeries, ProgrammedLevels, TwoOfSeries
from hopfield_hw.parts.series import as_series, nearest

RNG = np.random.default_rng(4)
N = 6
WEIGHTS = np.sign(RNG.normal(size=(N, N))) / np.exp(RNG.uniform(np.log(2e3), np.log(9e3), (N, N)))
np.fill_diagonal(WEIGHTS, 0.0)
WEIGHTS.flags.writeable = False
THERE = WEIGHTS != 0.0


def test_of_a_series() -> None:
    found = realise(WEIGHTS, OfSeries(series="E24"))
    resistance = nearest(1.0 / np.abs(WEIGHTS[THERE]), "E24")
    assert found.weights[THERE] == pytest.approx(np.sign(WEIGHTS[THERE]) / resistance)
    assert np.all(found.weights[~THERE] == 0.0)
    assert found.errors == pytest.approx(
        np.where(THERE, found.weights - WEIGHTS, 0.0) / np.where(THERE, abs(WEIGHTS), 1)
    )
    assert found.worst == np.max(np.abs(found.errors)) < 0.06
    assert found.frobenius == pytest.approx(np.linalg.norm(found.weights - WEIGHTS) / np.linalg.norm(WEIGHTS))
    assert found.settings["resistance"][THERE].tolist() == resistance.tolist()
    assert np.all(np.isinf(found.settings["resistance"][~THERE]))


def test_limits_themselves_can_be_made() -> None:
    found = realise([[1e-3, -1e-6, 1.0 / 1.5e3]], OfSeries())
    assert found.settings["resistance"].tolist() == [[1e3, 1e6, 1.5e3]]
    ends = realise([[1.0 / 75.0, 1.0 / 10_075.0]], DigitalPotentiometer())
    assert ends.settings["code"].tolist() == [[0.0, 256.0]]


def test_two_of_a_series_where_one_misses() -> None:
    one, two = realise(WEIGHTS, OfSeries(series="E12")), realise(WEIGHTS, TwoOfSeries(series="E12", tolerance="1.5%"))
    assert two.worst <= 0.015 * 1.02 < one.worst  # of resistances; a conductance is off by as much, to first order
    kinds = two.settings["connection"]
    singles = kinds == "single"
    assert np.array_equal(two.weights[singles], one.weights[singles])
    assert set(kinds.ravel()) == {"none", "single", "series", "parallel"}
    values = as_series("E12").within(1e3, 1e6)
    assert np.isin(two.settings["first"][THERE], values).all()
    assert np.isin(two.settings["second"][THERE & ~singles], values).all()
    finer = realise(WEIGHTS, TwoOfSeries(series="E12"))
    assert finer.worst < 0.015


def test_a_digital_potentiometer() -> None:
    typical = realise(WEIGHTS, DigitalPotentiometer())
    code = typical.settings["code"]
    resistance = 75.0 + 10e3 * code[THERE] / 256
    assert np.all(code[THERE] == np.rint(code[THERE]))
    assert typical.weights[THERE] == pytest.approx(np.sign(WEIGHTS[THERE]) / resistance)
    assert np.max(np.abs(resistance - 1.0 / np.abs(WEIGHTS[THERE]))) <= 0.5 * 10e3 / 256 * (1 + 1e-9)
    drawn = [realise(WEIGHTS / 0.9, DigitalPotentiometer(), seed=seed) for seed in range(40)]
    ends = np.concatenate([(1.0 / np.abs(one.weights[THERE])) for one in drawn])
    assert 0.1 < np.std(ends * np.tile(np.abs(WEIGHTS[THERE]), 40)) < 0.14  # 20% / sqrt(3), and a little of the wiper
    measured = [realise(WEIGHTS / 0.7, DigitalPotentiometer(is_measured=True), seed=seed) for seed in range(10)]
    assert max(one.worst for one in measured) < 0.1 < min(one.worst for one in drawn)
    assert np.array_equal(drawn[3].weights, realise(WEIGHTS / 0.9, DigitalPotentiometer(), seed=3).weights)


@pytest.mark.parametrize("ratio", [10.0, 1e3])
def test_levels_of_a_pair(ratio: float) -> None:
    found = realise(WEIGHTS, ProgrammedLevels(levels=16, ratio=ratio))
    largest = np.abs(WEIGHTS).max()
    step = largest / 15
    assert np.abs(found.weights - WEIGHTS).max() <= 0.5 * step * (1 + 1e-9)
    assert found.weights == pytest.approx(step * np.rint(WEIGHTS / step), abs=1e-12 * largest)
    assert np.all(found.weights[~THERE] == 0.0)
    on = largest / (1.0 - 1.0 / ratio)
    for side in ("plus", "minus"):
        assert np.all((found.settings[side] >= on / ratio * (1 - 1e-9)) & (found.settings[side] <= on * (1 + 1e-9)))
    assert found.weights == pytest.approx(found.settings["plus"] - found.settings["minus"])


def test_levels_of_single_devices_leak_where_a_weight_is_0() -> None:
    found = realise(WEIGHTS, ProgrammedLevels(levels=64, ratio=50.0, is_pair=False))
    off = np.abs(WEIGHTS).max() / 50.0
    assert found.weights[~THERE] == pytest.approx(off)
    assert np.all(np.isinf(found.errors[~THERE]))
    assert np.isfinite(found.worst)
    levels = np.linspace(off, np.abs(WEIGHTS).max(), 64)
    assert np.min(np.abs(np.abs(found.weights[..., None]) - levels), axis=-1).max() < 1e-12


def test_mismatch_and_drift() -> None:
    exact = realise(WEIGHTS, ProgrammedLevels(levels=256))
    drifted = realise(WEIGHTS, ProgrammedLevels(levels=256, drift=0.05, elapsed=1e4))
    assert drifted.weights == pytest.approx(exact.weights * 1e4**-0.05)
    way = ProgrammedLevels(levels=256, ratio=1e6, mismatch="3%")
    ratios = np.concatenate(
        [realise(WEIGHTS, way, seed=k).weights[THERE] / realise(WEIGHTS, way).weights[THERE] for k in range(60)]
    )
    assert np.std(ratios) == pytest.approx(0.03, rel=0.1)
    assert np.mean(ratios) == pytest.approx(1.0, abs=0.005)
    aged = ProgrammedLevels(levels=256, ratio=1e6, drift=0.05, elapsed=1e4, drift_mismatch=0.2)
    logs = np.log(realise(WEIGHTS, aged, seed=1).weights[THERE] / exact.weights[THERE]) / np.log(1e4)
    assert np.mean(logs) == pytest.approx(-0.05, abs=0.01)
    assert 0.005 < np.std(logs) < 0.02


def refusal(call: Any) -> str:
    with pytest.raises(hh.InputError) as refused:
        call()
    return str(refused.value)


def test_too_few_levels_and_too_coarse_series_are_refused_with_what_would_do() -> None:
    message = refusal(lambda: realise(WEIGHTS, ProgrammedLevels(levels=4), most="1%"))
    assert message.startswith("`weights`: ProgrammedLevels makes them to ")
    count = int(message.split("; ")[1].split()[0])
    assert message.endswith(f"above `most` = 1.000%; {count} levels would do")
    assert realise(WEIGHTS, ProgrammedLevels(levels=count), most="1%").frobenius <= 0.01
    assert realise(WEIGHTS, ProgrammedLevels(levels=count // 2)).frobenius > 0.01
    assert refusal(lambda: realise(WEIGHTS, OfSeries(series="E6"), most="1%")).endswith("; series E96 would do")
    assert refusal(lambda: realise(WEIGHTS, OfSeries(series="E6"), most=1e-6)).endswith(
        "; no series does: take TwoOfSeries"
    )
    assert refusal(lambda: realise(WEIGHTS, DigitalPotentiometer(taps=33), most="0.5%")).endswith(" taps would do")
    single = ProgrammedLevels(levels=4, is_pair=False, ratio=2.0)
    assert refusal(lambda: realise(WEIGHTS, single, most="1%")).endswith(
        "no number of levels does: raise `ratio`, or take pairs of devices"
    )


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            lambda: realise([[1e-2, 0.0], [5e-3, 0.0]], OfSeries()),
            "`weights[0, 0]` = 0.01 S: is 100 Ohm, outside of 1000 to 1e+06 Ohm; scale all weights by 0.1",
        ),
        (
            lambda: realise([[1e-8, 2e-6]], OfSeries()),
            "`weights[0, 0]` = 1e-08 S: is 1e+08 Ohm, outside of 1000 to 1e+06 Ohm; scale all weights by 100",
        ),
        (
            lambda: realise([[1e-8, 2e-3]], OfSeries()),
            "`weights[0, 0]` = 1e-08 S: is 1e+08 Ohm, outside of 1000 to 1e+06 Ohm; the weights span 2e+05 to 1, more "
            "than 1e+03 to 1: drop the smallest, or widen the limits",
        ),
        (
            lambda: realise([[1e-5]], DigitalPotentiometer()),
            "`weights[0, 0]` = 1e-05 S: is 1e+05 Ohm, outside of 75 to 1.008e+04 Ohm; scale all weights by 9.926",
        ),
        (
            lambda: realise([[1e-3]], ProgrammedLevels(on=1e-4, ratio=10.0)),
            "`weights`: the largest, 0.001 S, is beyond 9e-05 S, the most of devices of 0.0001 S and a ratio of 10; "
            "scale the weights by 0.09, or leave `on` out",
        ),
        (
            lambda: ProgrammedLevels(levels=1),
            "`ProgrammedLevels.levels` = 1: must be a whole number from 2 to 1048576; one level holds no weight",
        ),
        (
            lambda: ProgrammedLevels(ratio=1.0),
            "`ProgrammedLevels`: ratio = 1 must be above 1, elapsed = 1 above 0, mismatch = 0 below 1 (100%)",
        ),
        (lambda: OfSeries(series=()), "`series` is empty: must have at least one value, or be a name such as 'E24'"),
        (
            lambda: OfSeries(lowest="1M", highest="1k"),
            "`OfSeries`: lowest = 1e+06 Ohm must be below highest = 1000 Ohm",
        ),
        (
            lambda: DigitalPotentiometer(wiper=200.0),
            "`DigitalPotentiometer`: wiper = 200 Ohm must be at most most_wiper = 160 Ohm",
        ),
        (
            lambda: realise([[1e-4]], "E24"),  # type: ignore[arg-type]
            "`way` = 'E24': must be OfSeries, TwoOfSeries, DigitalPotentiometer or ProgrammedLevels",
        ),
        (lambda: realise([[0.0]], OfSeries()), "`weights`: are all 0; nothing is to be made"),
        (
            lambda: realise([[np.nan]], OfSeries()),
            "`weights[0, 0] = nan`: must be finite; replace missing or infinite values",
        ),
    ],
)
def test_what_cannot_be_made_is_refused(call: Any, message: str) -> None:
    assert refusal(call) == message


NET = hh.Network(
    weights=WEIGHTS,
    resistance=1.2e3,
    capacitance=1e-8,
    gain=hh.Tanh(gain=1.5),
    bias=RNG.normal(size=N) * 2e-4,
)


def solve(weights: Any, leaks: Any, start: Any) -> Any:
    found = scipy.optimize.root(lambda x: (weights @ NET.gain.value(x) - x * leaks + NET.bias) * 1e3, start, tol=1e-13)
    return found.x


@pytest.mark.parametrize("is_loaded", [False, True])
def test_equilibria_move_as_solved_again(is_loaded: bool) -> None:
    state = solve(WEIGHTS, 1.0 / NET.resistance, np.zeros(N))
    errors = []
    for series in ("E12", "E96"):
        made = realise(WEIGHTS, OfSeries(series=series))
        cost = rounding_cost(NET, made, states=[state], is_loaded=is_loaded)
        load = (np.abs(made.weights) - np.abs(WEIGHTS)).sum(axis=1) if is_loaded else 0.0
        again = solve(made.weights, 1.0 / NET.resistance + load, state)
        assert cost.moved[0] == pytest.approx(again, abs=1e-9)
        assert not cost.lost.any()
        size = float(np.max(np.abs(again - state)))
        errors.append((size, float(np.max(np.abs(cost.first_order[0] - (again - state))))))
    (coarse, off), (fine, less_off) = errors
    assert fine < 0.3 * coarse
    assert off < 0.3 * coarse
    assert less_off < 0.1 * fine  # of second order


def test_a_state_behind_a_fold_is_lost() -> None:
    """x = R T tanh(x): two states apart from 0 while R T > 1; one level too few and they are gone."""
    net = hh.Network(weights=[[1.05e-4, 0.0], [0.0, 2.0e-4]], resistance=1e4, capacitance=1e-8, gain=hh.Tanh(gain=1.0))
    high = [float(scipy.optimize.brentq(lambda x, g=g: g * np.tanh(x) - x, 0.05, 5.0)) for g in (1.05, 2.0)]
    made = realise(net.weights, ProgrammedLevels(levels=5, ratio=1e6))
    assert made.weights == pytest.approx(np.diag([1e-4, 2e-4]), abs=1e-9)
    cost = rounding_cost(net, made, states=[high, [0.0, high[1]]], margin=lambda w: w[:, 0, 0] - 1.02e-4)
    assert cost.lost.tolist() == [True, True]
    assert cost.outcome == "lost"
    assert rounding_cost(net, made, margin=lambda w: w[:, 1, 1]).outcome == "kept"
    better = realise(net.weights, ProgrammedLevels(levels=81, ratio=1e6))
    kept = rounding_cost(net, better, states=[high, [0.0, high[1]]])
    assert kept.lost.tolist() == [False, False]
    assert kept.outcome == "no task"
    assert kept.moved == pytest.approx(np.array([high, [0.0, high[1]]]), abs=1e-6)


def test_what_cannot_be_compared_is_refused() -> None:
    made = realise(WEIGHTS, OfSeries())
    assert refusal(lambda: rounding_cost(NET, made)) == (
        "`rounding_cost`: give `states`, a `margin`, or both; nothing would be compared"
    )
    assert refusal(lambda: rounding_cost(replace(NET, weights=2.0 * WEIGHTS), made, margin=lambda w: w[:, 0, 1])) == (
        "`realisation`: is of other weights than the network's; realise network.weights"
    )
    assert refusal(lambda: rounding_cost(NET, made, states=np.ones((1, N)))) == (
        "`states[0]`: is no equilibrium of the network; take one of find_equilibria"
    )
    assert refusal(lambda: rounding_cost(NET, made, margin=lambda w: w[:1, 0, 0])).endswith(
        "of 2 samples: must give 2 finite numbers"
    )
