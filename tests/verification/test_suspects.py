"""Suspects where devices have other names, where none differs, and in what cannot be read back."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

import hopfield_hw as hh
from hopfield_hw.circuit import Circuit
from hopfield_hw.graph import as_graph
from hopfield_hw.parts import Part, Resistor
from hopfield_hw.verification import verify_circuit
from hopfield_hw.verification.random_set import draw, time_constant

pytestmark = pytest.mark.usefixtures("ngspice")
NETWORK = hh.Network(
    weights=[[1e-5, -5e-5], [4e-5, 0.0]],
    resistance=1e4,
    capacitance=1e-8,
    gain=hh.Tanh(gain=3.0),
    initial=[0.5, 0.2],
    bias=[1e-5, 0.0],
    input_weights=[[2e-5], [0.0]],
)


def scaled(text: str, name: str, factor: float) -> str:
    found, count = re.subn(rf"(?m)^({name} .* )(\S+)$", lambda at: f"{at[1]}{factor * float(at[2])!r}", text)
    assert count == 1
    return found


def test_the_device_of_a_deck_with_names_of_its_own_is_named() -> None:
    circuit = hh.lower(NETWORK, cell="inverting_integrator")
    text = scaled(circuit.driven(0.3).netlist(), "R_syn_0_1", 1.3).replace("R_", "Rx")
    text = re.sub(r"\b(x|xn|v|vn|x_sum)_(\d)\b", r"\1q\2", text)
    nodes = {probe.label: f"-{probe.node.replace('_', 'q')}" for probe in circuit.states}
    assert all(probe.scale == -1.0 for probe in circuit.states)
    result = verify_circuit(NETWORK.graph(), circuit, deck=text, nodes=nodes, inputs=0.3)
    assert result.verdict == "failed"
    assert result.suspects[0].devices == ("Rxsyn_0_1",), result
    assert result.suspects[0].neuron == "0"
    assert result.suspects[0].change.startswith("is 26 kOhm, and should be 20 kOhm")


def test_a_circuit_with_a_device_changed_is_held_against_that_of_its_cell() -> None:
    graph = as_graph(draw(2026, 23, "delayed"))
    circuit = hh.lower(graph, cell="ideal", rescale=True)
    end = 20.0 * time_constant(graph)
    result = verify_circuit(graph, _changed(circuit, "R_v_late_far_1", Resistor(60.0)), t_stop=end)
    assert str(result.suspects[0]).endswith("R_v_late_far_1 (v_late.line[1]): is 60 Ohm, and should be 50 Ohm"), result
    result = verify_circuit(graph, _changed(circuit, "R_x_2", None), t_stop=end)
    assert str(result.suspects[0]).startswith("neuron 2: R_x_2 (x.resistance[2]): ("), result
    assert result.suspects[0].change.endswith("is missing")


def _changed(circuit: Circuit, name: str, part: Part | None) -> Circuit:
    """Return a circuit with another part in the place of one, or without it."""
    kept = (device for device in circuit.devices if device.name != name or part is not None)
    return replace(circuit, devices=tuple(d._replace(part=part) if part and d.name == name else d for d in kept))


def test_op_amps_of_too_little_gain_are_among_what_is_named() -> None:
    result = hh.verify(NETWORK, cell="inverting_integrator", op_amp=2000.0)
    assert result.verdict == "failed"
    assert "e_x_0" in str(result.suspects).lower(), result


def test_what_would_not_be_noticed_comes_after_what_would() -> None:
    graph = NETWORK.graph()
    text = scaled(scaled(hh.lower(graph).netlist(), "C_x_0", 1.00005), "G_syn_1_0", 1.1)
    result = hh.verify(graph, deck=text)
    assert [suspect.devices for suspect in result.suspects] == [("G_syn_1_0",), ("C_x_0",)]


def test_a_right_deck_that_starts_elsewhere_has_no_suspects() -> None:
    text = re.sub(r"(?m)^(C_x_0 .*)$", r"\1 IC=0.1", hh.lower(NETWORK).netlist())
    result = hh.verify(NETWORK, deck=text)
    assert result.start
    assert result.suspects == ()
    result = hh.verify(NETWORK, deck=scaled(text, "C_x_1", 2.0))
    assert result.start
    assert result.suspects[0].devices == ("C_x_1",)
