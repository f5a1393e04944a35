"""How states are held while they are reset: loop gains that do not latch, and values of a series."""

from __future__ import annotations

import numpy as np
import pytest

import hopfield_hw as hh
from hopfield_hw.assembly import assemble
from hopfield_hw.board.resetting import AIMED, LEAST, ON, reset_resistors, slopes


@pytest.mark.usefixtures("ngspice")
def test_states_that_are_held_do_not_latch() -> None:
    """Two neurons that excite each other: with 10 kOhm across the capacitors the loop gain would be above 1."""
    weights = np.array([[0.0, 1e-4], [1e-4, 0.0]])
    net = hh.Network(weights=weights, capacitance=1e-8, resistance=1e5, gain=hh.Tanh(gain=4.0))
    board = hh.design_board(net, force=True)
    ohms = reset_resistors(board)
    largest = float(np.max(np.abs(np.linalg.eigvals(slopes(board)))))
    assert largest * 1e4 > 1.0
    assert np.all(ohms >= LEAST)
    assert np.all((ohms + ON) * largest <= 1.1 * AIMED)
    assembly = assemble(board)
    values = {assembly.by_role[f"{what}_0_resistor"][0].value for what in ("reset", "preset")}
    assert {float(value) for value in values} == {float(ohms[0])}
