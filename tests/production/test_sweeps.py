"""Yields over tolerance, temperature and supply: what changes with each, the two machines, what is refused."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

import hopfield_hw as hh
from hopfield_hw.board import Board, design_board, on_supplies
from hopfield_hw.production import Pattern, YieldCurve, monte_carlo
from hopfield_hw.production.sweeps import yield_against_supply, yield_against_temperature, yield_against_tolerance
from hopfield_hw.tolerance import Drifts, Normal, Rule, Tolerances, Uniform, Yield, draw_factors, vary
from hopfield_hw.values.errors import InputError, Unrealisable

pytestmark = pytest.mark.usefixtures("ngspice")
TASK = Pattern(signs=[1, -1])
# Parts whose effect on a curve need not be measured, which takes seconds.
OUTSIDE = Tolerances(
    rules=[
        Rule(distribution=Uniform(tolerance=0.01), role="weights"),
        Rule(distribution=Uniform(tolerance=0.01), role="resistance"),
        Rule(distribution=Normal(tolerance=3e-3, unit="V"), name="X_x_*", parameter="offset"),
    ]
)
HOW: dict[str, Any] = {"tolerances": OUTSIDE, "workers": 1, "engine": "equation"}


@pytest.fixture(scope="module")
def weak(board: Board) -> Board:
    """A board whose outputs stay where their amplifiers are not flat: what parts do shows in its margins."""
    network = replace(board.network, bias=[1e-6, -1e-6], initial=[0.0, 0.0], gain=hh.Tanh(gain=0.7))
    return design_board(network, t_stop=1e-3)


def curve(*counts: int, nominal: float = 27.0) -> YieldCurve:
    return YieldCurve(
        quantity="temperature",
        unit="degrees C",
        points=tuple(10.0 * k for k in range(len(counts))),
        yields=tuple(Yield(count=count, trials=1000) for count in counts),
        nominal=nominal,
        notes=("",) * len(counts),
        engine="equation",
    )


def test_a_curve_says_where_the_goal_is_reached_about_its_nominal_point() -> None:
    found = curve(990, 900, 985, 999, 990, 700)
    assert found.reaches() == (20.0, 40.0)
    np.testing.assert_allclose(found.crossings(), (10 * 40 / 90, 10 + 10 * 50 / 85, 40 + 10 * 40 / 290))
    assert curve(990, 990, 900).reaches() is None  # the nearest to 27 degrees fails
    assert curve(990, 800, 700, nominal=0.0).reaches() == (0.0, 0.0)
    assert "95% for sure" in str(found)


def test_yields_fall_with_tolerance_and_say_where_95_percent_ends(board: Board) -> None:
    found = yield_against_tolerance(board, TASK, tolerances=["20%", 0.001], samples=150, workers=1, engine="equation")
    assert found.points == (0.001, 0.2)
    assert found.yields[0].value >= found.yields[1].value
    assert "95% about at" in str(found)


def test_drifts_are_of_each_part_and_in_proportion_to_the_change(board: Board) -> None:
    draws = draw_factors(vary(board.circuit, Tolerances(resistors=0.01, offset="1mV")), seed=4, samples=500)
    drifts = Drifts(resistors=1e-4, offset=1e-5)
    assert drifts.apply(draws, 27.0, seed=4) is draws
    warm, hot = (drifts.apply(draws, t, seed=4) for t in (37.0, 127.0))
    names = draws.variation.names
    resistors = [k for k, name in enumerate(names) if name.endswith(".resistance")]
    offsets = [k for k, name in enumerate(names) if name.endswith(".offset")]
    by_kelvin = (hot.values / draws.values - 1.0)[:, resistors] / 100.0
    np.testing.assert_allclose((warm.values / draws.values - 1.0)[:, resistors] / 10.0, by_kelvin, atol=1e-15)
    assert 0.99e-4 < np.abs(by_kelvin).max() <= 1e-4
    assert abs(np.corrcoef(by_kelvin[:, 0], by_kelvin[:, 1])[0, 1]) < 0.15
    moved = (hot.values - draws.values)[:, offsets] / 100.0
    assert np.std(moved) == pytest.approx(1e-5, rel=0.05)


def test_at_room_temperature_nothing_changes(board: Board) -> None:
    plain = monte_carlo(board, task=TASK, samples=20, **HOW)
    there = monte_carlo(board, task=TASK, samples=20, temperature=27.0, drifts=Drifts(resistors=1e-2), **HOW)
    np.testing.assert_array_equal(plain.margins, there.margins)


def test_both_machines_have_the_same_change_with_temperature(weak: Board) -> None:
    """Margins at 85 degrees less those at 27, of the same drawn boards: coefficients that are large."""
    how = {**HOW, "task": TASK, "samples": 4, "drifts": Drifts(resistors=2e-3, offset=1e-4)}
    changes = []
    for engine in ("equation", "ngspice"):
        how["engine"] = engine
        warm, cool = (monte_carlo(weak, temperature=t, **how).margins for t in (85.0, 27.0))
        changes.append(warm - cool)
    assert np.max(np.abs(changes[1])) > 0.02
    np.testing.assert_allclose(changes[0], changes[1], atol=0.05 * np.max(np.abs(changes[1])))


def test_a_yield_falls_with_temperature_where_parts_drift(weak: Board) -> None:
    drifts = Drifts(resistors=5e-3, offset=1e-3)
    found = yield_against_temperature(weak, TASK, temperatures=[27, "85"], samples=100, drifts=drifts, **HOW)
    assert found.points == (27.0, 85.0)
    assert found.yields[0].value > found.yields[1].value


def test_a_board_on_other_supplies_has_their_swing_and_checks(board: Board) -> None:
    low = on_supplies(board, 8.0, -8.0)
    assert low.model.supply_plus == 8.0
    assert low.circuit.device("V_supply_minus").part.voltage == -8.0  # type: ignore[attr-defined]
    assert {check.name for check in low.checks if not check.passed} == {"headroom"}
    again = on_supplies(low, 12.0, -12.0)
    assert again.circuit.netlist() == board.circuit.netlist()
    assert [str(check) for check in again.checks] == [str(check) for check in board.checks]


def test_a_supply_that_clips_is_noted(board: Board) -> None:
    found = yield_against_supply(board, TASK, supplies=[(12, -12), (8, -8)], samples=20, **HOW)
    assert found.points == (16.0, 24.0)
    assert found.nominal == 24.0
    assert found.notes[0].startswith("headroom: ")
    assert found.notes[1] == ""


def test_bad_input(board: Board) -> None:
    for call, message in (
        (
            lambda: yield_against_temperature(board, TASK, temperatures=[300.0], **HOW),
            "`temperatures` = 300: must be from -55 to 150 degrees Celsius, where parts are made for",
        ),
        (
            lambda: yield_against_temperature(board, TASK, temperatures=[]),
            "yield_against_temperature: `temperatures`: is empty; give some",
        ),
        (
            lambda: yield_against_temperature(board, TASK, temperatures=25.0),  # type: ignore[arg-type]
            "yield_against_temperature: `temperatures` = 25.0: must be several, in a list",
        ),
        (
            lambda: yield_against_temperature(board, TASK, temperature=25.0),
            "yield_against_temperature: `temperature`: each point has its own; leave it out",
        ),
        (
            lambda: yield_against_supply(board, TASK, supplies=[(12, -12), (14, -10)]),
            "yield_against_supply: `supplies`: two have the same voltage between their rails; give one of them",
        ),
        (
            lambda: yield_against_supply(board, TASK, supplies=[12.0]),  # type: ignore[list-item]
            "`supplies` = 12.0: must be two voltages, the upper one first",
        ),
        (
            lambda: on_supplies(board, -12.0, 12.0),
            "`supplies` = -12 V, 12 V: must be two voltages, the upper one first",
        ),
        (lambda: Drifts(offset=-1e-6), "`Drifts.offset` = -1e-06: must not be negative"),
        (
            lambda: monte_carlo(board, task=TASK, temperature=150.0, drifts=Drifts(resistors=0.01), **HOW),
            "`Drifts.resistors` = 0.01 1/K: 123 K from 27 degrees Celsius a value would not stay positive; give a "
            "smaller one",
        ),
    ):
        with pytest.raises(InputError) as error:
            call()
        assert str(error.value) == message
    with pytest.raises(Unrealisable, match=r"^on_supplies: supply: TL074 on 4 V, must be at least 7 V; take a higher"):
        yield_against_supply(board, TASK, supplies=[(2, -2)])
