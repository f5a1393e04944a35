"""A board of two neurons, which takes one of two states: what most studies of production are tried on."""

from __future__ import annotations

import pytest

import hopfield_hw as hh
from hopfield_hw.board import Board, design_board


@pytest.fixture(scope="session")
def board(ngspice: str) -> Board:
    network = hh.Network(
        weights=[[0.0, -1e-4], [-1e-4, 0.0]],
        resistance=1e4,
        capacitance=1e-8,
        gain=hh.Tanh(gain=3.0),
        initial=[0.02, -0.02],
        bias=[1e-6, -1e-6],
    )
    return design_board(network, t_stop=1e-3)
