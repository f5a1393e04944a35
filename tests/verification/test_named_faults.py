"""Faults that act on several states, on outputs, or through delays are named by their devices, first."""

from __future__ import annotations

import re

import pytest

import hopfield_hw as hh
from hopfield_hw.families import TEMPLATES, CellularNetwork
from hopfield_hw.graph import Graph, as_graph
from hopfield_hw.verification.random_set import draw, time_constant

SEED = 2026


def drawn(family: str, index: int) -> Graph:
    return as_graph(draw(SEED, index, family))


@pytest.mark.parametrize(
    ("family", "index", "cell", "device", "factor"),
    [
        ("brain_state_in_a_box", 13, "summing_amplifier", "R_syn_4_5", 1.05),
        ("delayed", 23, "chua_yang", "R_v_late_far_4", 1.05),
        ("delayed", 23, "ideal", "T_v_late_2", 1.05),
        ("neutral", 43, "ideal", "G_x_neutral_0_2_4", -1.0),
        ("static_field", 202, "summing_amplifier", "R_inv_x_2_feedback", 2.0),
        ("static_field", 137, "active_rc", "R_syn_2_5", 1e-7),
        ("brain_state_in_a_box", 116, "ideal", "G_syn_6_6", 0.0),
    ],
)
def test_it_is_named_first(family: str, index: int, cell: str, device: str, factor: float, ngspice: str) -> None:
    graph = drawn(family, index)
    netlist = hh.lower(graph, cell=cell, rescale=True).netlist()
    value = rf"(?m)^({device} .*?(?:TD=| ))(-?[0-9.e+-]+)( REL=.*)?$"
    deck, count = re.subn(value, lambda at: f"{at[1]}{factor * float(at[2])!r}{at[3] or ''}", netlist)
    assert count == 1
    result = hh.verify(graph, deck=deck, t_stop=20.0 * time_constant(graph), cell=cell, rescale=True)
    assert result.verdict == "failed"
    assert device in result.suspects[0].devices, [str(suspect) for suspect in result.suspects]


def test_a_curve_whose_output_is_seen_is_told_from_what_it_drives(ngspice: str) -> None:
    graph = drawn("static_field", 136)
    netlist = hh.lower(graph, cell="ideal", rescale=True).netlist()
    deck = re.sub(r"(?m)^(B_v_3 .* V=)(.*)$", r"\g<1>1.05*(\2)", netlist)
    assert deck != netlist
    result = hh.verify(graph, deck=deck, t_stop=20.0 * time_constant(graph), cell="ideal", rescale=True)
    assert result.verdict == "failed"
    assert [str(suspect) for suspect in result.suspects] == [
        "neuron 3: B_v_3 (v.function[3]): gives 1.05 times what it should"
    ]


def test_what_no_run_can_tell_apart_the_netlist_does(ngspice: str) -> None:
    """An inverter that a single weight reads: the waveforms are those of another weight, the devices are not."""
    graph = hh.Network(
        weights=[[0.0, -5e-5], [5e-5, 0.0]], resistance=1e4, capacitance=1e-8, gain=hh.Tanh(), initial=[0.5, 0.2]
    )
    netlist = hh.lower(graph, cell="hopfield_tank", rescale=True).netlist()
    deck = re.sub(r"(?m)^(E_inv_v_1 .*) -1$", r"\1 -1.1", netlist)
    assert deck != netlist
    result = hh.verify(graph, deck=deck, cell="hopfield_tank", rescale=True)
    assert result.verdict == "failed"
    assert [suspect.devices for suspect in result.suspects] == [("E_inv_v_1",)]
    assert result.suspects[0].change == "is -1.1, and should be -1"


def test_a_resistor_that_charges_a_capacitor_is_seen_as_the_capacitor_is(ngspice: str) -> None:
    """C dx/dt = (drive - x) / R: only the product R C counts, and at rest neither does."""
    graph = hh.Network(
        weights=[[0.0, -5e-5], [5e-5, 0.0]], resistance=1e4, capacitance=1e-8, gain=hh.Tanh(), initial=[0.5, 0.2]
    )
    right = hh.verify(graph, cell="summing_amplifier")
    assert right.coverage.smallest["R_x_0"] == right.coverage.smallest["C_x_0"]
    netlist = hh.lower(graph, cell="summing_amplifier").netlist()
    deck = re.sub(r"(?m)^(R_x_0 \S+ \S+) .*$", r"\1 10100.0", netlist)
    assert deck != netlist
    result = hh.verify(graph, cell="summing_amplifier", deck=deck)
    assert result.verdict == "failed"
    assert [suspect.devices for suspect in result.suspects] == [("R_x_0",)]
    assert result.suspects[0].change == "is 10.1 kOhm, and should be 10 kOhm"


def test_a_resistor_of_a_line_is_half_of_what_its_buffer_is(ngspice: str) -> None:
    graph = drawn("delayed", 23)
    found = hh.verify(graph, t_stop=20.0 * time_constant(graph), rescale=True).coverage.smallest
    for resistor in ("R_v_late_near_2", "R_v_late_far_2"):
        assert found[resistor] == pytest.approx(2.0 * found["E_v_late_2"])


def test_a_capacitor_that_is_not_there_is_named(ngspice: str) -> None:
    graph = hh.Network(weights=[[0.0]], resistance=1e4, capacitance=1e-8, gain=hh.Tanh(), initial=[0.5], bias=[2e-5])
    netlist = hh.lower(graph).netlist()
    deck = re.sub(r"(?m)^C_x_0 .*\n", "", netlist)
    assert deck != netlist
    result = hh.verify(graph, deck=deck)
    assert result.verdict == "failed"
    (suspect,) = result.suspects
    assert str(suspect) == "neuron 0: C_x_0 (x.capacitance[0]): (10 nF, x_0 to 0) is missing"


def test_the_resistor_of_a_clamp_only_has_to_be_low(ngspice: str) -> None:
    """It is 1e-6 of what drives the output, and so is what a change of it does: no figure may promise more."""
    network = CellularNetwork(template=TEMPLATES["diffusion"], image=[[1.0, -0.5]])
    coverage = hh.verify(network, cell="chua_yang", t_stop=1e-4).coverage
    assert coverage.clamps == ("R_y_clamp_0_0", "R_y_clamp_0_1")
    assert not set(coverage.clamps) & set(coverage.smallest)
    assert "resistance of 2 clamps: only that it is low" in coverage.lines()
