"""The static equation of many boards against the network read back from each, and against ngspice."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

import hopfield_hw as hh
from hopfield_hw.board import Board, design_board
from hopfield_hw.board.realised import read_network
from hopfield_hw.production.engines import simulate_board
from hopfield_hw.production.places import find_places
from hopfield_hw.production.samples import Maker, block_size, sample_maker
from hopfield_hw.production.usual import usual_tolerances, without_offsets
from hopfield_hw.tolerance import Normal, Rule, Tolerances, draw_factors, vary
from hopfield_hw.values.errors import InputError
from hopfield_hw.values.measures import nrmse


@pytest.fixture(scope="module")
def board() -> Board:
    weights = np.array([[0.0, 3e-5, -2e-5], [3e-5, 0.0, 4e-5], [-2e-5, 4e-5, 0.0]])
    network = hh.Network(
        weights=weights,
        resistance=2e4,
        capacitance=2e-8,
        gain=hh.Tanh(gain=4.0),
        initial=[0.3, -0.2, 0.1],
        bias=[2e-6, -3e-6, 0.0],
    )
    return design_board(network, t_stop=4e-3)


def test_values_are_those_of_the_network_that_is_read_from_each_drawn_circuit(board: Board) -> None:
    rules = [
        Rule(distribution="5%", role=role)
        for role in ("weights", "bias", "resistance", "inverter_in", "inverter_feedback")
    ]
    draws = draw_factors(
        vary(without_offsets(board.circuit), Tolerances(capacitors="5%", rules=rules)), seed=3, samples=4
    )
    maker = sample_maker(draws)
    count = len(maker.places.figures)
    ideal = replace(maker.places, figures=np.tile([0.0, 0.0, 0.0, np.inf], (count, 1)), rails=np.zeros(count))
    samples = replace(maker, places=ideal).make(draws.values)
    for k in range(4):
        read = read_network(draws.circuit(k), board.scaled)
        np.testing.assert_allclose(samples.weights[k], read.weights, rtol=1e-13)
        np.testing.assert_allclose(samples.capacitance[k], read.capacitance, rtol=1e-13)
        np.testing.assert_allclose(1.0 / samples.leak[k], read.resistance, rtol=1e-13)
        np.testing.assert_allclose(samples.current[k], read.bias, rtol=1e-12, atol=1e-20)


def test_a_run_solves_the_equation_that_it_states(board: Board) -> None:
    samples = sample_maker(circuit=board.circuit).make(np.zeros((1, 0)))
    times = np.linspace(0.0, board.t_stop, 51)
    states, _ = samples.run(board.realised.initial, times)
    network = replace(
        board.realised,
        weights=samples.weights[0],
        resistance=1.0 / samples.leak[0],
        capacitance=samples.capacitance[0],
        bias=samples.current[0],
        gain=samples.curves[0],
    )
    wave = hh.reference(network, t_stop=board.t_stop, points=51)
    assert nrmse(wave.state.to_numpy(), states[:, 0]) < 1e-4


def test_a_drawn_board_in_ngspice_stays_within_a_thousandth(board: Board) -> None:
    draws = draw_factors(vary(without_offsets(board.circuit), usual_tolerances(board)), seed=7, samples=2)
    times = np.linspace(0.0, board.t_stop, 101)
    states, outputs = sample_maker(draws).make(draws.values).run(board.realised.initial, times)
    waves, power = simulate_board(board, draws.circuit(1), times)
    assert nrmse(waves.states[1:, 0], states[1:, 1]) < 2e-3
    np.testing.assert_allclose(waves.outputs[-1, 0], outputs[-1, 1], atol=5e-3)
    assert np.all(power[1:] > 0.0)


def test_the_offset_of_an_integrator_moves_the_balance_as_the_formula_says(board: Board) -> None:
    rule = Rule(distribution=Normal(tolerance="3mV", unit="V"), kind="op_amp", name="X_x_0", parameter="offset")
    variation = vary(without_offsets(board.circuit), Tolerances(rules=[rule]))
    maker = sample_maker(circuit=variation.circuit, columns=variation.columns)
    both = maker.make(np.array([[0.0], [2e-3]]))
    network = board.realised
    total = np.abs(network.weights[0]).sum() + abs(network.bias[0]) / 5.0 + 1.0 / network.resistance[0]
    assert both.current[1, 0] - both.current[0, 0] == pytest.approx(-2e-3 * total, rel=1e-3)
    np.testing.assert_array_equal(both.current[1, 1:], both.current[0, 1:])


def test_the_parts_of_an_amplifier_move_its_curve_as_measured(board: Board) -> None:
    rule = Rule(distribution="2%", name="R_v_1_swing")
    variation = vary(board.circuit, Tolerances(rules=[rule]))
    maker: Maker = sample_maker(circuit=variation.circuit, columns=variation.columns)
    drawn = maker.make(variation.nominal[np.newaxis] * 1.02)
    again = sample_maker(circuit=variation.build(variation.nominal * 1.02)).make(np.zeros((1, 0)))
    x = np.linspace(-6.0, 6.0, 25)
    for value in x:
        states = np.full((1, 3), value)
        np.testing.assert_allclose(drawn.outputs(states), again.outputs(states), atol=2e-3)


def test_blocks_keep_their_size_by_neurons() -> None:
    assert [block_size(n) for n in (2, 16, 64, 1000)] == [1024, 1024, 64, 16]


def test_other_cells_are_refused() -> None:
    circuit = hh.lower(hh.Network(weights=[[1e-4]], resistance=1e3, capacitance=1e-9), cell="ideal")
    with pytest.raises(InputError) as caught:
        find_places(circuit)
    assert str(caught.value) == (
        "samples: a circuit of cell 'ideal': must be of 'inverting_integrator', one population"
    )


def test_an_integrator_ends_at_the_swing_of_its_op_amp(board: Board) -> None:
    """Without its leak and with a large current it would go on without end; turned round, it leaves at once."""
    made = sample_maker(circuit=board.circuit).make(np.zeros((1, 0)))
    low, high = board.model.swing()
    assert made.swing == pytest.approx((-high, -low))
    driven = replace(made, leak=np.zeros_like(made.leak), current=np.array([[1e-2, -1e-2, 0.0]]))
    states, _ = driven.run(board.realised.initial, np.linspace(0.0, board.t_stop, 51))
    np.testing.assert_allclose(states[-1, 0, :2], [-low, -high], rtol=1e-12)
    back = replace(driven, current=-driven.current)
    assert np.all(np.abs(back.derivative(states[-1], back.current)[0, :2]) > 0.0)
