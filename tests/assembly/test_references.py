"""References that stay, of any number of neurons, and values as text."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from assembled import clocked, in_rc, integrators, network, without

from hopfield_hw.assembly import assemble, check_against_circuit
from hopfield_hw.assembly.passives import value_text
from hopfield_hw.circuit import Circuit
from hopfield_hw.parts.series import as_series
from hopfield_hw.values.si_text import parse_si


def test_references_say_neuron_and_column() -> None:
    circuit = integrators(network(4, inputs=2))
    assembly = assemble(circuit)
    for device in circuit.devices:
        if device.name.startswith("R_syn_") and len(device.origin.element) == 2:
            i, j = device.origin.element
            column = j if device.origin.operator == "syn" else 4 + j
            assert assembly.by_role[device.name][0].reference == f"R{100 * (i + 1) + column + 1}"
    weight = assembly.by_role["R_syn_2_0"][0].fields["Weight"]
    value = network(4, inputs=2).weights[2, 0]
    assert weight == f"T[2,0] = {value:.4g} S"


def test_references_stay_when_a_synapse_goes_or_changes_its_sign() -> None:
    net = network(5)
    before = _references(integrators(net))
    gone = _references(integrators(without(net, 2, 3)))
    assert set(before) - set(gone) == {"R_syn_2_3"}
    assert _moved(before, gone) == {}
    turned = np.array(net.weights)
    turned[1, 4] *= -1.0
    assert _moved(before, _references(integrators(replace(net, weights=turned)))) == {}
    bias = np.array(net.bias)
    bias[3] = 0.0
    assert _moved(before, _references(integrators(replace(net, bias=bias)))) == {}


def test_clocked_circuits_keep_their_references_too() -> None:
    graph = clocked()
    before = _references(in_rc(graph))
    weights = replace(graph.by_name["w"], weights=[[0.5, 0.0], [0.0, 1.5]])
    operators = tuple(weights if operator.name == "w" else operator for operator in graph.operators)
    after = _references(in_rc(replace(graph, operators=operators)))
    assert set(before) - set(after) == {"R_w_u_0_1", "R_w_x_0_1"}
    assert _moved(before, after) == {}


def _references(circuit: Circuit) -> dict[str, str]:
    """Return the references of what is soldered by itself: packages are filled in order, and may move."""
    return {
        component.roles[0]: component.reference
        for component in assemble(circuit).components
        if component.reference[0] in "RCDTQJ" and not component.roles[0].startswith("decoupling")
    }


def _moved(before: dict[str, str], after: dict[str, str]) -> dict[str, tuple[str, str]]:
    return {role: (before[role], after[role]) for role in before if role in after and before[role] != after[role]}


@pytest.mark.parametrize("n", [1, 2, 7, 16, 40, 64])
def test_no_reference_is_there_twice_at_any_size(n: int) -> None:
    circuit = integrators(network(n, inputs=3))
    assembly = assemble(circuit)
    check_against_circuit(assembly)
    step = 100 if n < 28 else 1000
    assert assembly.by_role[f"C_x_{n - 1}"][0].reference == f"C{step * n + 1}"


def test_headers_with_too_many_pins_are_split() -> None:
    assembly = assemble(integrators(network(50)))
    headers = [c for c in assembly.components if c.reference[0] == "J" and c.value == "Outputs"]
    assert [header.reference for header in headers] == ["J3", "J13"]
    assert [header.symbol for header in headers] == ["Conn_40", "Conn_12"]
    nets = [net for header in headers for net in header.pins.values() if net != "GND"]
    assert nets == [f"v_{k}" for k in range(50)]


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (4990.0, "4.99k"),
        (1e-7, "100n"),
        (10e3, "10k"),
        (1.18e6, "1.18Meg"),
        (2.2e-12, "2.2p"),
        (102.0, "102"),
        (999.9999999999999, "1k"),
        (0.5, "500m"),
        (47e3 / 7.0, "6.714285714286k"),
        (6.8e-9, "6.8n"),
    ],
)
def test_values_are_text_that_reads_back(value: float, text: str) -> None:
    assert value_text(value) == text
    assert parse_si(text, "value", "Ohm") == pytest.approx(value, rel=1e-12)


def test_values_of_all_series_read_back_exactly() -> None:
    for value in as_series("E192").within(1e-12, 1e9).tolist():
        assert parse_si(value_text(value), "value", "") == pytest.approx(value, rel=1e-15)
