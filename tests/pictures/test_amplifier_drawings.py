"""Schematics of neurons whose amplifiers are made of parts: every part is there by its name."""

from __future__ import annotations

import matplotlib as mpl
import numpy as np
import pytest
from matplotlib.figure import Figure

import hopfield_hw as hh
from hopfield_hw.cells import InvertingIntegrator
from hopfield_hw.circuit import Stage
from hopfield_hw.pictures.schematic import draw_neuron, neuron_devices
from hopfield_hw.pictures.sheet import shorten

mpl.use("Agg")
CURVES: dict[str, tuple[hh.Tanh | hh.Logistic | hh.PiecewiseLinear, Stage]] = {
    "differential_pair": (hh.Tanh(gain=8.0), Stage.DRIVEN_PAIR),
    "ota": (hh.Tanh(gain=8.0), Stage.PARTS_AMPLIFIER),
    "piecewise_linear": (hh.PiecewiseLinear(gain=2.0), Stage.PARTS_AMPLIFIER),
    "diode_clamp": (hh.Tanh(gain=8.0), Stage.PARTS_AMPLIFIER),
    "zener_clamp": (hh.PiecewiseLinear(gain=1.0, amplitude=5.0), Stage.PARTS_AMPLIFIER),
}


@pytest.mark.parametrize("name", CURVES)
def test_an_amplifier_of_parts_is_drawn_with_its_parts(name: str) -> None:
    gain, stage = CURVES[name]
    weights = -5e-5 * (np.ones((2, 2)) - np.eye(2))
    graph = hh.Network(weights=weights, resistance=1e4, capacitance=1e-7, gain=gain, bias=1e-5).graph()
    circuit = hh.lower(graph, cell=InvertingIntegrator(op_amp=hh.OnePole(), amplifier=name))
    assert [drawn.stage for drawn in neuron_devices(circuit, graph, "0").stages] == [Stage.INTEGRATOR, stage]
    axes = Figure().add_subplot()
    draw_neuron(axes, circuit, graph, "0")
    texts = "\n".join(text.get_text() for text in axes.texts).replace("\n", "")
    own = [d.name for d in circuit.devices_from("v", (0,)) if not d.name.startswith(("X_inv", "R_inv"))]
    assert len(own) >= 6
    assert [each for each in own if shorten(each) not in texts and each not in texts] == []


def test_a_logistic_pair_has_no_offset_and_a_slow_one_no_gain() -> None:
    graph = hh.Network(weights=[[0.0]], resistance=1e4, capacitance=1e-7, gain=hh.Logistic(gain=0.2)).graph()
    circuit = hh.lower(graph, cell=InvertingIntegrator(op_amp=hh.OnePole(), amplifier="differential_pair"))
    axes = Figure().add_subplot()
    draw_neuron(axes, circuit, graph, "0")
    texts = "\n".join(text.get_text() for text in axes.texts)
    assert "v_base_0" in texts
    assert "offset" not in texts
    assert "drive" not in texts
