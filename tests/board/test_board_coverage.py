"""The coverage of a board's verification: what it predicts is what a changed part does to the board's equation."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

import hopfield_hw as hh
from hopfield_hw.board import design_board
from hopfield_hw.board.coverage import board_coverage
from hopfield_hw.board.judgement import BoardVerification, board_equation, measure_curves, output_nrmse
from hopfield_hw.parts import Capacitor, Resistor
from hopfield_hw.values.measures import nrmse
from hopfield_hw.verification.coverage import MARGIN

NOTICED = 0.1  # of the verdict's tolerance: small enough for the first order


@pytest.fixture(scope="module")
def result(ngspice: str) -> BoardVerification:
    network = hh.Network(
        weights=[[2e-5, -5e-5, 0.0], [-4e-5, 0.0, 3e-5], [1e-5, -2e-5, 0.0]],
        resistance=1e4,
        capacitance=1e-8,
        gain=hh.Tanh(gain=3.0),
        initial=[0.3, -0.2, 0.1],
        bias=[1e-6, 0.0, -2e-6],
        input_weights=[[2e-5], [0.0], [1e-5]],
    )
    return design_board(network, t_stop=1e-3, inputs=0.05, two_resistors=1e-3, series="E96").verify()


def test_a_change_of_each_part_moves_the_equation_as_predicted(result: BoardVerification) -> None:
    board, coverage = result.board, board_coverage(result)
    times, curves = result.wave["time"].to_numpy(), measure_curves(result.board)
    before = board_equation(board, curves=curves).solve(times, board.inputs)
    assert any(name.endswith("_and") for name in coverage.smallest)
    for device in board.circuit.devices:
        size = coverage.smallest.get(device.name)
        if size is None or not np.isfinite(size):
            continue
        change = min(NOTICED * size, 0.02)
        part = device.part
        assert isinstance(part, Resistor | Capacitor)
        name = "resistance" if isinstance(part, Resistor) else "capacitance"
        changed = device._replace(part=replace(part, **{name: getattr(part, name) * (1.0 + change)}))
        devices = tuple(changed if d is device else d for d in board.circuit.devices)
        other = replace(board, circuit=replace(board.circuit, devices=devices))
        after = board_equation(other, curves=curves).solve(times, board.inputs)
        found = max(nrmse(before[0][1:], after[0][1:]), output_nrmse(before[1][1:], after[1][1:]))
        assert found == pytest.approx(MARGIN * result.tolerance * change / size, rel=0.25), device.name


def test_every_part_of_a_value_has_a_figure_and_the_others_are_named(result: BoardVerification) -> None:
    coverage, circuit = board_coverage(result), result.board.circuit
    origins = {circuit.origin(name).role for name in coverage.smallest}
    assert {"weights", "bias", "resistance", "capacitance", "inverter_in", "inverter_feedback"} <= origins
    assert not set(coverage.untold) & set(coverage.smallest)
    assert {d.name for d in circuit.devices if d.origin.role == "op_amp"} <= set(coverage.untold)
    looser = board_coverage(replace(result, tolerance=2.0 * result.tolerance))
    for name, size in coverage.smallest.items():
        assert looser.smallest[name] == pytest.approx(2.0 * size)
