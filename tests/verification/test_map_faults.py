"""Faults in circuits of maps: the state that they spoil is found edge by edge, and the device that explains it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

import hopfield_hw as hh
from hopfield_hw.graph import Graph
from hopfield_hw.spice.dialects.dialect import number


def ring_of_units() -> Graph:
    rng = np.random.default_rng(5)
    cell = hh.recurrent.RNN(
        input_weights=np.zeros((4, 1)), recurrent_weights=3.0 * rng.normal(size=(4, 4)), bias=rng.normal(size=8)
    )
    return replace(cell.graph(), units=hh.Units(seconds_per_unit=1e-3))


@pytest.mark.parametrize(
    ("cell", "device"),
    [
        ("ideal", "G_r_h_1_0"),
        ("ideal", "E_h_held_3"),
        ("active_rc", "R_r_h_3_3"),
        ("active_rc", "R_f_feedback_2"),
    ],
)
def test_a_value_five_percent_off_is_named_first(cell: str, device: str, ngspice: str) -> None:
    graph = ring_of_units()
    circuit = hh.lower(graph, cell=cell)
    value = circuit.device(device).value
    assert value is not None
    line = next(line for line in circuit.netlist().splitlines() if line.startswith(f"{device} "))
    wrong = line.replace(f" {number(value)}", f" {1.05 * value!r}")
    assert wrong != line
    result = hh.verify(graph, cell=cell, deck=circuit.netlist().replace(line, wrong), t_stop=15e-3)
    assert result.verdict == "failed"
    assert device in result.suspects[0].devices
    assert result.suspects[0].neuron == device.split("_")[3 if "_r_h_" in device else -1]
