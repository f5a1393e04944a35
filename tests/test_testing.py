"""The pytest plugin, as people use it in tests of their own: decks and circuits against the equations."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

import hopfield_hw as hh
from hopfield_hw.testing import assert_matches_ode
from hopfield_hw.verification import Verification

NETWORK = hh.Network(
    weights=[[0.0, -5e-5], [-5e-5, 0.0]],
    resistance=1e4,
    capacitance=1e-8,
    gain=hh.Tanh(gain=10.0),
    initial=[0.1, 0.05],
    labels=("left", "right"),
)
# What a person might draw: other names, a subcircuit, a model of the amplifier, their own analysis.
BY_HAND = """a flip-flop, drawn by hand
.subckt neuron node out nout
Cm node 0 10n
Rleak node 0 20k
Bamp out 0 V=tanh(10*v(node))
Einv nout 0 out 0 -1
.ends
Xa a va vna neuron
Xb b vb vnb neuron
Rab vnb a 20k
Rba vna b 20k
.tran 1u 1m
.end
"""
NODES = {"left": "a", "right": "b"}
pytestmark = pytest.mark.usefixtures("ngspice")


def test_the_fixture_is_there(assert_matches_ode: Callable[..., Verification]) -> None:
    result = assert_matches_ode(hh.lower(NETWORK.graph(), cell="inverting_integrator"), NETWORK)
    assert result.passed
    assert result.tolerance == 1e-4


def test_a_deck_of_ours_edited_by_hand(tmp_path: Path) -> None:
    deck = tmp_path / "edited.cir"
    netlist = hh.lower(NETWORK.graph(), cell="hopfield_tank").netlist()
    line = "R_syn_left_right vn_right x_left 20000\n"
    assert line in netlist
    deck.write_text(netlist.replace(line, "R_syn_left_right vn_right x_left 20k ; E24\n"))
    assert_matches_ode(deck, NETWORK, cell="hopfield_tank")
    deck.write_text(netlist.replace(line, "R_syn_left_right vn_right x_left 22k\n"))
    named = r"R_syn_left_right \(syn.weights\[0, 1\]\)"
    with pytest.raises(AssertionError, match=rf"does not match its equations\n(.|\n)*{named}"):
        assert_matches_ode(deck, NETWORK, cell="hopfield_tank")
    # 10% of one weight is within a tolerance of 10%.
    assert assert_matches_ode(deck, NETWORK, cell="hopfield_tank", accuracy=0.1).passed


def test_a_deck_drawn_by_hand_with_names_of_its_own() -> None:
    result = assert_matches_ode(BY_HAND, NETWORK, nodes=NODES)
    assert result.settled == "same"
    assert result.neurons == 2
    with pytest.raises(AssertionError, match=r"neuron left: .*T\[0, 1\] is 50.00% low \(-25 uS, intended -50 uS\)"):
        assert_matches_ode(BY_HAND.replace("Rab vnb a 20k", "Rab vnb a 40k\nRleft a 0 40k"), NETWORK, nodes=NODES)
    with pytest.raises(AssertionError, match=r"x\.capacitance"):
        assert_matches_ode(BY_HAND.replace("Cm node 0 10n", "Cm node 0 12n"), NETWORK, nodes=NODES)


def test_a_network_at_rest_proves_nothing() -> None:
    """Any circuit agrees with a network that does nothing, so such a comparison is refused."""
    still = replace(NETWORK, initial=0.0)
    message = (
        "verify: the network rests where it starts, so there is nothing to compare; give it an initial state, a bias "
        "or inputs that move it"
    )
    with pytest.raises(hh.InputError) as refused:
        assert_matches_ode(BY_HAND, still, nodes=NODES)
    assert str(refused.value) == message


def test_a_network_does_for_its_graph() -> None:
    assert hh.verify(NETWORK, t_stop=1e-3).passed
    assert hh.lower(NETWORK).netlist() == hh.lower(NETWORK.graph()).netlist()
    with pytest.raises(hh.InputError, match=r"^'x': must be a Graph, or have a method graph"):
        hh.lower("x")


def test_nodes_must_name_every_neuron() -> None:
    with pytest.raises(hh.InputError) as refused:
        assert_matches_ode(BY_HAND, NETWORK, nodes={"left": "a"})
    assert str(refused.value) == "`nodes` names ['left']: must name the node of each neuron, ['left', 'right']"
    with pytest.raises(hh.InputError) as refused:
        assert_matches_ode(BY_HAND, NETWORK, nodes={"left": "a", "right": "c"})
    assert (
        str(refused.value)
        == "deck: has no node 'c', where neuron right is probed; keep its name, or say with `nodes` where its state is"
    )
    with pytest.raises(hh.InputError) as refused:
        assert_matches_ode(BY_HAND, NETWORK, nodes={"left": "a", "right": "b)\n.control"})
    found = "`nodes['right']` = 'b)\\n.control'"
    assert str(refused.value).startswith(f"{found}: must be the name of a node, such as x_0, /x0 or xa.node, ")


def test_a_clocked_circuit_keeps_its_nodes() -> None:
    held = hh.transforms.hold_outputs(NETWORK, period=1e-4)
    with pytest.raises(hh.InputError) as refused:
        assert_matches_ode(BY_HAND, held, nodes={"left": "a", "right": "b"})
    said = "`nodes`: a clocked circuit holds its states in more nodes than these; keep the compiled ones"
    assert str(refused.value) == said


def test_in_a_folder_of_ones_own(tmp_path: Path) -> None:
    """Two tests of a user, of which one is about a wrong deck: pytest reports one passed and one failed."""
    (tmp_path / "good.cir").write_text(BY_HAND)
    (tmp_path / "wrong.cir").write_text(BY_HAND.replace("Rab vnb a 20k", "Rab vb a 20k"))
    (tmp_path / "test_board.py").write_text(
        "import pytest\nimport hopfield_hw as hh\n\n"
        "NETWORK = hh.Network(weights=[[0, -5e-5], [-5e-5, 0]], resistance=1e4, capacitance=1e-8,\n"
        "                     gain=hh.Tanh(gain=10.0), initial=[0.1, 0.05])\n\n"
        "@pytest.mark.parametrize('deck', ['good.cir', 'wrong.cir'])\n"
        "def test_board(deck, assert_matches_ode):\n"
        "    assert_matches_ode(deck, NETWORK, nodes={'0': 'a', '1': 'b'})\n"
    )
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 1, done.stdout + done.stderr
    assert "1 failed, 1 passed" in done.stdout
    assert "the circuit does not match its equations" in done.stdout
