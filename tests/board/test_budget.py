"""The error budget: predictions against ngspice, orders, refusals, and what is said."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache
from typing import Any

import numpy as np
import pytest

import hopfield_hw as hh
from hopfield_hw.board import Board, Contribution, ErrorBudget, design_board, error_budget
from hopfield_hw.board.budget.cures import say_cure
from hopfield_hw.board.budget.first_order import FirstOrder, Source, follow_plain
from hopfield_hw.board.budget.imperfections import IMPERFECTIONS, NOMINAL, circuit_with, switch_on
from hopfield_hw.board.realised import Crossbar
from hopfield_hw.parts import OpAmp
from hopfield_hw.pictures.budgets import bars
from hopfield_hw.tolerance import Tolerances
from hopfield_hw.values.errors import InputError


@lru_cache
def small_board(op_amp: str = "TL074") -> Board:
    network = hh.Network(
        weights=1e-5 * np.array([[0.0, 6.0, -4.0], [-5.0, 0.0, 3.0], [4.0, -6.0, 2.0]]),
        resistance=1e4,
        capacitance=1e-8,
        gain=hh.Tanh(gain=2.0),
        bias=[1e-5, -5e-6, 0.0],
        initial=[0.3, -0.2, 0.1],
    )
    return design_board(network, op_amp=op_amp, two_resistors=0.005)


@lru_cache
def whole() -> ErrorBudget:
    return error_budget(small_board(), tolerances=Tolerances(resistors="0.1%"), draws=1)


def with_figure(board: Board, **figures: Any) -> Board:
    devices = tuple(
        d._replace(part=replace(d.part, model=replace(board.model, **figures))) if isinstance(d.part, OpAmp) else d
        for d in board.circuit.devices
    )
    changed = board.with_circuit(replace(board.circuit, devices=devices))
    return replace(changed, op_amp=replace(board.op_amp, model=replace(board.model, **figures)))


def test_what_is_resolved_is_predicted_within_a_twentieth() -> None:
    found = whole()
    known = [
        one
        for one in (*found.contributions, *found.beside)
        if one.ratio is not None and one.states > max(2e-5, 5.0 * found.resolution)
    ]
    assert {one.name for one in known} >= {"offset", "gain_bandwidth", "curve", "compensation", "tolerance"}
    for one in known:
        assert one.ratio == pytest.approx(1.0, abs=0.05), one.name


def test_waveforms_of_errors_add_to_the_whole() -> None:
    found = whole()
    assert found.residual < 0.02 * found.states
    assert found.predicted == pytest.approx(found.states, rel=0.02)
    assert found.root_sum_square <= found.linear_sum
    assert found.states <= found.linear_sum
    assert {one.name for one in found.contributions} == set(NOMINAL)
    assert found.dominating.states == max(one.states for one in found.contributions)


@pytest.mark.parametrize(
    ("name", "figures", "order"),
    [("gain_bandwidth", (2e6, 8e6), -1.0), ("gain", (1e4, 1e5), -1.0), ("offset", (1e-3, 4e-3), 1.0)],
)
def test_contributions_fall_at_their_order(name: str, figures: tuple[float, float], order: float) -> None:
    sizes = [
        error_budget(with_figure(small_board(), **{name: value}), only=[name]).contributions[0].states
        for value in figures
    ]
    slope = np.log(sizes[1] / sizes[0]) / np.log(figures[1] / figures[0])
    assert slope == pytest.approx(order, abs=0.05)


def test_a_prediction_is_refused_above_half_of_the_slew_rate() -> None:
    board = small_board()
    slew = error_budget(board, only=["offset"]).slew_ratio * board.model.slew_rate
    found = error_budget(with_figure(board, slew_rate=slew / 0.8), only=["offset"])
    assert found.refused == "not a prediction: the slew ratio is 0.8, above 0.5"
    assert found.contributions[0].predicted is None
    assert found.predicted is None


def test_a_network_that_amplifies_differences_is_said_to() -> None:
    network = hh.Network(
        weights=[[1e-3, 0.0], [0.0, 1e-3]],
        resistance=1e4,
        capacitance=1e-7,
        gain=hh.Tanh(gain=2.0),
        initial=[1e-3, -1e-3],
    )
    board = design_board(network, force=True)
    found = error_budget(board, only=["offset"])
    assert found.growth > 100.0
    assert found.refused.startswith("not a prediction: the network amplifies a difference ")
    assert found.contributions[0].predicted is None


def test_switches() -> None:
    board = small_board()
    models: set[Any] = {d.part.model for d in switch_on(board.circuit, ["offset"]).devices if isinstance(d.part, OpAmp)}
    assert {(model.offset, model.gain, model.bias_current) for model in models} == {(board.model.offset, 1e9, 0.0)}
    assert "pair" in str([d.name for d in circuit_with(board, ("rounding", "curve")).devices])
    ideal = board.with_imperfections(ideal=True)
    assert not any("pair" in d.name for d in ideal.circuit.devices)
    assert np.allclose(ideal.realised.weights, board.scaled.weights, rtol=1e-9)
    assert np.allclose(board.with_imperfections("rounding").realised.weights, board.realised.weights, rtol=1e-9)


def test_bad_input() -> None:
    board = small_board()
    with pytest.raises(InputError) as error:
        error_budget(board, only=["ofset"])
    assert str(error.value).startswith("`only`: ")
    with pytest.raises(InputError) as error:
        error_budget(board, only=[])
    assert str(error.value) == f"`only` is empty: nothing would be measured; name one of {', '.join(IMPERFECTIONS)}"
    for given, message in (
        ({"only": "ofset"}, "`only`: imperfection 'ofset' is unknown: "),
        ({"draws": 0}, "`draws` = 0: must be a whole number from 1 to 1000"),
        ({"goal": -1.0}, "`goal` = -1.0: is an NRMSE and must be from 1e-09 to below 1, such as 1e-4"),
    ):
        with pytest.raises(InputError) as error:
            error_budget(board, **given)  # type: ignore[arg-type]
        assert str(error.value).startswith(message)
    with pytest.raises(InputError) as error:
        board.with_imperfections()
    assert str(error.value) == "Board.with_imperfections: give names of imperfections, or `ideal=True` for none"


def test_report() -> None:
    found = whole()
    assert [what for what, _ in found.rows()][:3] == ["whole", "dominated by", "cure"]
    assert found.to_json()["dominating"] == found.dominating.name
    assert isinstance(found.by_name["offset"], Contribution)
    *rows, total, last = bars(found)
    assert [row.name for row in rows] == [one.what for one in (*found.contributions, *found.beside)]
    assert (last.name, last.measured) == ("whole board", found.states)
    assert abs(total.measured - found.states) <= found.residual < 0.1 * found.states
    texts = [text.get_text() for axes in found.plot().axes for text in axes.texts]
    assert f"{found.dominating.states:.2e}" in texts


def test_a_cure_is_for_the_whole() -> None:
    """An offset of which nothing, a half, or less than what the others leave may stay."""
    board, offset = with_figure(small_board(), offset=1e-3), whole().by_name["offset"]
    one = replace(offset, states=8e-3)
    assert say_cure(board, one, 9e-3, 1e-2) == "none is needed: the whole is below 1e-02"
    assert say_cure(board, one, 9e-3, 5e-3).startswith("an offset of 500 uV at most: ")  # 4e-3 of 8e-3 are left to it
    both = say_cure(board, one, 2e-2, 1e-2)
    assert both.startswith("an offset of 500 uV at most: ")
    assert both.endswith("; the others leave too much: those that follow by as much")


def test_first_order_of_one_neuron_is_the_closed_form() -> None:
    """With e constant: X -> -e (1 + R G), and the charge leaves 0 with R C: X(0) = -e."""
    times = np.linspace(0.0, 20.0, 2001)
    crossbar = Crossbar(
        positive=np.zeros((1, 1)),
        negative=np.zeros((1, 1)),
        inputs=np.array([[3.0]]),
        ratios=-np.ones(1),
        bias=np.zeros(1),
        current=np.zeros(1),
        leak=np.ones(1),
        capacitance=np.ones(1),
    )
    source = Source.none((2001, 1))
    source.summing[:] = 1e-3
    (found,) = FirstOrder(times=times, slopes=np.zeros((2001, 1)), crossbar=crossbar).follow([source])
    assert np.allclose(found.states[:, 0], -1e-3 * (1.0 + 3.0 * (1.0 - np.exp(-times))), atol=1e-7)


def test_plain_first_order_of_a_rotation() -> None:
    times = np.linspace(0.0, 1.0, 1001)
    rates = np.broadcast_to([[0.0, -1.0], [1.0, 0.0]], (1001, 2, 2))
    found = follow_plain(1e-3, np.asarray(rates), np.broadcast_to([1.0, 0.0], (1001, 2)))
    assert np.allclose(found, np.stack([np.sin(times), 1.0 - np.cos(times)], axis=1), atol=1e-6)


def test_clamps_that_let_go_slew_and_are_not_predicted() -> None:
    """The op-amp of a clamp comes from a rail at its slew rate, whatever the network does."""
    network = hh.Network(
        weights=[[0.0, 1e-4], [1e-4, 0.0]],
        resistance=1e4,
        capacitance=1e-8,
        gain=hh.PiecewiseLinear(gain=3.0),
        initial=[0.2, 0.1],
    )
    found = error_budget(design_board(network), only=("offset",))
    assert found.refused.startswith("not a prediction: the slew ratio is ")
    assert found.contributions[0].predicted is None
