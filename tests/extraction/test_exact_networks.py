"""Networks drawn at random are read back from every cell, to rounding."""

from __future__ import annotations

import numpy as np
import pytest
from extraction.exact import GAINS, draw_any, error_of

import hopfield_hw as hh
from hopfield_hw.extraction import extract

COUNT, EXACT = 18, 1e-9
# A clamp of 1 Ohm on a node of 1 MOhm is no level line.
CLAMPED = 5e-5


@pytest.mark.parametrize("cell", list(hh.CELLS))
def test_it_is_read_back(cell: str) -> None:
    rng = np.random.default_rng(17)
    for index in range(COUNT):
        network = draw_any(index, GAINS[index % len(GAINS)], rng)
        is_clamped = cell == "chua_yang" and isinstance(network.gain, hh.PiecewiseLinear)
        found = extract(hh.lower(network, cell=cell), ideal=True, verify=False)
        assert error_of(found, network) <= (CLAMPED if is_clamped else EXACT), f"network {index}"


def test_a_neuron_that_nothing_drives_is_a_state() -> None:
    network = hh.Network(
        weights=[[0.0, 1e-5, 0.0], [-2e-5, 0.0, 1e-5], [0.0, 0.0, 0.0]],
        resistance=2e4,
        capacitance=1e-7,
        gain=hh.Tanh(gain=5.0),
        bias=[0.0, 0.0, 1e-5],
    )
    found = extract(hh.lower(network, cell="ideal"), ideal=True, verify=False)
    assert found.labels == ("0", "1", "2")
    assert error_of(found, network) <= EXACT
