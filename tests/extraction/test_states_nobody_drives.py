"""A neuron that nothing drives is a state, and a capacitor that smooths a reference is none."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import hopfield_hw as hh
from hopfield_hw.extraction import extract, flatten
from hopfield_hw.extraction.our_labels import read_labels
from hopfield_hw.extraction.states import find_states

BOARDS = Path(__file__).parent / "boards"
# The first drives two others and is driven by none; the fourth too, and it has a bias.
WEIGHTS = np.zeros((5, 5))
WEIGHTS[1, 0], WEIGHTS[2, 0], WEIGHTS[4, 3], WEIGHTS[4, 4] = 3e-5, -2e-5, 3e-5, 2e-5
NET = hh.Network(
    weights=WEIGHTS,
    resistance=1e4,
    capacitance=1e-8,
    bias=[0.0, 0.0, 0.0, 1e-5, 0.0],
    gain=hh.Tanh(gain=3.0),
)


def _without_comments(deck: str) -> str:
    title, *lines = deck.splitlines()
    return "\n".join([title, *(line for line in lines if not line.startswith("*"))]) + "\n"


@pytest.mark.parametrize("with_comments", [True, False])
@pytest.mark.parametrize("cell", hh.CELLS)
def test_a_deck_of_ours_as_text_keeps_them(cell: str, with_comments: bool) -> None:
    deck = hh.lower(NET, cell=cell).netlist()
    found = extract(deck if with_comments else _without_comments(deck), ideal=True, verify=False)
    if with_comments:
        assert found.labels == tuple("01234")
    order = [found.labels.index(label if with_comments else f"c_x_{label}") for label in "01234"]
    np.testing.assert_allclose(found.weights[np.ix_(order, order)], WEIGHTS, rtol=1e-9, atol=1e-15)
    np.testing.assert_allclose(found.bias[order], [0.0, 0.0, 0.0, 1e-5, 0.0], rtol=1e-9, atol=1e-15)
    assert found.notes == ()


@pytest.mark.parametrize("cell", [*hh.CELLS, hh.InvertingIntegrator(op_amp="TL074", amplifier="differential_pair")])
def test_a_deck_as_text_has_the_labels_of_its_circuit(cell: Any) -> None:
    """Its head names three states of the five; the headings tell the others."""
    circuit = hh.lower(NET, cell=cell)
    text, known = flatten(circuit.netlist()).labels, flatten(circuit).labels
    assert text
    assert known
    assert set(text.values()) == set("01234")
    assert {name: known[name] for name in text} == text


def test_a_reference_is_none_whatever_buffers_it() -> None:
    """Its follower may be a formula that saturates: that moves what it is of, as no neuron's curve does by itself."""
    deck = """a reference of 2.5 V
V1 vcc 0 5
R1 vcc half 10k
R2 half 0 10k
C1 half 0 220n
B1 ref 0 V=2.5+2.5*tanh(1e6*(v(half)-v(ref)))
C2 x 0 100n
R3 x ref 10k
B2 y 0 V=2.5+2*tanh(2*(v(x)-2.5))
R4 y x 20k
"""
    found = find_states(flatten(deck), None)
    assert [state.names for state in found.states] == [("c2",)]
    assert found.at_rest == {"c1": pytest.approx(2.5)}
    driving = deck.replace("B1 ref 0 V=2.5+2.5*tanh(1e6*(v(half)-v(ref)))", "B1 ref 0 V=2.5+2*tanh(v(half)-2.5)")
    assert {state.names for state in find_states(flatten(driving), None).states} == {("c1",), ("c2",)}


@pytest.mark.parametrize(("board", "capacitor"), [("lm324_midrail", "cd3"), ("cmos_inverters", "chalf")])
def test_references_of_boards_stay_references(board: str, capacitor: str) -> None:
    found = find_states(flatten(BOARDS / f"{board}.cir"), None)
    assert capacitor in found.at_rest
    assert any(note.startswith(f"{capacitor} smooths a reference") for note in found.notes)


def test_labels_are_those_of_the_head_and_of_the_headings() -> None:
    deck = flatten("t\nC_x_a xa 0 1n\nC_x_b xb 0 1n\nC_x_d xd 0 1n\nC_far xa far 1n\nR1 far 0 1k\n")
    capacitors = list(deck.of("C"))
    comments = ["states: A = v(xa), b = -v(xb), and 1 more", "neuron A", "neuron D", "neuron F"]
    assert read_labels(comments, capacitors)["c_x_d"] == "D"
    assert read_labels(comments, capacitors)["c_x_a"] == "A"
    assert read_labels(["neuron A", "neuron D"], capacitors) == {}
