"""Decks that people drew or edited are read as ngspice reads them; what is replaced, kept and refused."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

import hopfield_hw as hh
from hopfield_hw.spice.convergence import LAST, looser, run_until_converged
from hopfield_hw.spice.decks.nodes import Place
from hopfield_hw.spice.decks.statements import plain, read_statements
from hopfield_hw.spice.decks.text import KEPT, OPTIONS, REPLACED, number, read_deck, with_nodes
from hopfield_hw.spice.options import Settings, settings_for
from hopfield_hw.spice.rawfile import read
from hopfield_hw.spice.transient import AccuracyWarning, Deck, circuit_deck, simulate_deck
from hopfield_hw.testing import assert_matches_ode
from hopfield_hw.values.errors import ConvergenceError

NETWORK = hh.Network(
    weights=[[0.0, -5e-5], [-5e-5, 0.0]],
    resistance=1e4,
    capacitance=1e-8,
    gain=hh.Tanh(gain=10.0),
    initial=[0.1, 0.05],
)
NODES: dict[str, Place] = {"0": "n1", "1": "n2"}
AMPLIFIERS = "B1 a1 0 V=tanh(10*v(n1))\nB2 a2 0 V=tanh(10*v(n2))\n"
# A circuit without delays, clock and macro-models.
PLAIN = SimpleNamespace(shortest_delay=np.inf, clock=None, macro_models=False)
BOARD = (
    "board\nC1 n1 0 10n\nR1 n1 0 10k\nG1 n1 0 a2 0 50u\nC2 n2 0 10n\nR2 n2 0 10k\nG2 n2 0 a1 0 50u\n"
    f"{AMPLIFIERS}.tran 1u 2m\n"
)
# Ten times the NRMSE that this board has (8e-6).
ACCURACY = 1e-4


def compiled(nodes: dict[str, Place] = NODES) -> Deck:
    return with_nodes(circuit_deck(hh.lower(NETWORK)), nodes)


def text_of(added: str) -> list[str]:
    """Return the lines that are kept of what is added to the board."""
    kept = read_deck(BOARD + added, like=compiled()).text.splitlines()
    return kept[len(BOARD.splitlines()) - 1 :]


def refused(deck: str | Path, nodes: dict[str, Place] = NODES) -> str:
    with pytest.raises(hh.InputError) as error:
        read_deck(deck, like=compiled(nodes))
    return str(error.value)


def passes(deck: str | Path, nodes: dict[str, Place] = NODES) -> hh.Verification:
    result = assert_matches_ode(deck, NETWORK, nodes=nodes, accuracy=ACCURACY, t_stop=2e-3)
    assert result.start == ""
    return result


# What stays, what is replaced, what is refused.


@pytest.mark.parametrize(
    ("added", "kept"),
    [
        (".options temp=85\n", [".options temp=85"]),
        (".OPTION Temp = 85 reltol=1e-1, tnom=30 klu\n", [".options Temp=85 tnom=30"]),
        (".options reltol=1\n+ abstol=1 method = gear\n* between\n\n+ gmin=1e-10\n", [".options gmin=1e-10"]),
        (".options savecurrents numdgt=7 plotwinsize=0\n", []),
        (".options temp={hot} rshunt=1e12\n.param hot = 85\n", [".options temp={hot} rshunt=1e12", ".param hot = 85"]),
        (".temp 85\n.global a1\n.func f(x) {2*x}\n", [".temp 85", ".global a1", ".func f(x) {2*x}"]),
        (".if (1==1)\nR9 n1 0 1g\n.endif\n", [".if (1==1)", "R9 n1 0 1g", ".endif"]),
        (".ic v(n1)=0.1 V(a1) = 0.3 v(N2)=50m\n", [".ic v(a1)=0.3"]),
        (".ic v(n1)=100m\n+ v(n2)=0.05\n.nodeset v(n1)=1\n", []),
        (".tran 1u 1m uic\n.op\n.dc R1 1 2 1\n.ac dec\n+ 10\n* c\n+ 1 1k\n.tran 2u 1m\n", []),
        (".noise v(n1) V9 dec 10 1 1k\n.sens v(n1)\n.tf v(n1) V9\n.disto dec 10 1 1k\n.pz n1 0 n2 0 cur pz\n", []),
        (
            ".four 1k v(n1)\n.meas tran x max v(n1)\n.print tran v(n1)\n.plot tran v(n1)\n.save v(n2)\n.probe v(n1)\n",
            [],
        ),
        (".backanno\n.title another\n.width out=80\n.measure tran y max v(n1)\n", []),
        (".subckt a b\nC1 x b 1n\n.ic v(x)=1\n.ends\n", [".subckt a b", "C1 x b 1n", ".ic v(x)=1", ".ends"]),
    ],
)
def test_what_stays_and_what_is_replaced(added: str, kept: list[str]) -> None:
    assert text_of(added) == kept


def test_the_tables_do_not_overlap() -> None:
    assert len(KEPT | REPLACED | OPTIONS) == len(KEPT) + len(REPLACED) + len(OPTIONS)


@pytest.mark.parametrize(
    ("added", "message"),
    [
        (".step param r 1 2 1\n", r"^deck line 11 `.step param r 1 2 1`: .step runs a circuit many times, .* `.param`"),
        ("\n* c\n.control\nrun\n.endc\n", "^deck line 13 `.control`: this makes ngspice run commands"),
        (".foo 1\n", "^deck line 11 `.foo 1`: .foo is not a statement that ngspice is known to take: remove it"),
        (".mc 10\n", "^deck line 11 `.mc 10`: .mc draws values at random"),
        (".loadbias x\n", "^deck line 11 `.loadbias x`: .loadbias starts the circuit from a file: write"),
        (".endl\n", "^deck line 11 `.endl`: .endl ends a section that no line begins"),
        (".lib a b c\n", "^deck line 11 `.lib a b c`: .lib must name a file, and at most one section"),
        (".ic i(L1)=1m\n", "^deck line 11 `.ic i.L1.=1m`: must be a list of v.node.=volts"),
        ('.model m d_process(process_file="rm")\n', "^deck line 11 `.*: makes ngspice start a program; remove it"),
        (".include none.inc\n", "^deck line 11 `.include none.inc`: found no such file in .*; put it beside the deck"),
    ],
)
def test_what_cannot_be_kept_is_refused_by_name(added: str, message: str) -> None:
    with pytest.raises(hh.InputError, match=message):
        read_deck(BOARD + added, like=compiled())


def test_a_continuation_of_nothing_is_refused() -> None:
    assert refused("board\n+ 10n\nR1 n1 n2 1\n") == (
        "deck line 2 `+ 10n`: goes on with a statement, but none is before it"
    )


def test_options_that_a_deck_states_are_left_to_it() -> None:
    deck = read_deck(BOARD + ".options GMIN=1e-10\n", like=compiled())
    words = settings_for(1e-4, 1e-3, PLAIN).options(klu=False, stated=deck.stated)
    assert not any(word.startswith("gmin") for word in words)
    assert any(word.startswith("gmin") for word in settings_for(1e-4, 1e-3, PLAIN).options(klu=False))


def test_text_after_the_end_is_left_out_and_told_of() -> None:
    deck = read_deck(BOARD + ".end\n\n* words\nC9 n1 0 1u\nand more\n", like=compiled())
    assert "C9" not in deck.text
    assert deck.notes == ("deck line 14: text after `.end` is not part of the circuit",)
    assert read_deck(BOARD + ".end\n* words\n", like=compiled()).notes == ()


def test_a_start_of_a_state_that_the_network_does_not_have_is_told_of(ngspice: str) -> None:
    result = passes(BOARD + ".ic v(n1)=0.3 v(n2)={0.05}\n")
    assert result.warning == (
        "deck line 11 `.ic v(n1)=0.3` starts elsewhere than the network (or is an expression): this run starts that "
        "node at 0.1 V, as the network does"
    )


@pytest.mark.parametrize(
    ("text", "value"),
    [("10u", 1e-5), ("1meg", 1e6), ("1M", 1e-3), ("0.1V", 0.1), ("-5e-2", -0.05), (".5k", 500.0), ("{x}", None)],
)
def test_numbers_have_the_scales_of_spice(text: str, value: float | None) -> None:
    assert number(text) == (None if value is None else pytest.approx(value, rel=1e-15))


# Statements: continuations, comments, encodings.


def test_statements_with_comments_and_empty_lines_between(ngspice: str) -> None:
    deck = BOARD.replace("C1 n1 0 10n", "C1 n1\n* c\n\n  ; another\n$ dollar\n  + 0\n#hash\n\t+ 10n ; tail")
    deck = deck.replace("R1 n1 0 10k", "R1 n1 0 10k $ tail").replace("R2 n2 0 10k", "R2 n2 0 10k // tail")
    deck = deck.replace("G2 n2 0 a1 0 50u", "G2 n2 0 \\\\\na1 0 50u").replace("\n", "\r\n")
    passes(deck)
    first = read_statements(deck).statements[0]
    assert (first.text, first.where) == ("C1 n1 0 10n", "deck line 2")
    assert read_statements("t\nV1 a 0 PWL(0 0\n+ 1 '2;3')\n").statements[0].text == "V1 a 0 PWL(0 0 1 '2;3')"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "cp1252"])
def test_encodings_and_micro_signs(encoding: str, tmp_path: Path, ngspice: str) -> None:
    text = (
        BOARD.replace("board", "* C:\\bretter\\zwei 10\u00b5s für.asc").replace("50u", "50\u00b5") + ".backanno\n.end\n"
    )
    path = tmp_path / "board.net"
    path.write_bytes(text.encode(encoding))
    passes(path)


def test_letters_outside_of_ascii_stay_apart() -> None:
    assert plain("R1 \u00e91 \u00e81 10k\u03a9 1\u03bc") == "R1 _u00e9_1 _u00e8_1 10k 1u"
    assert plain("C1 Net-(U1-Pad1) 0 \u22121") == "C1 Net-_U1-Pad1_ 0 -1"


def test_what_is_no_text_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "board.cir"
    path.write_bytes(b"board\n\0\0\0\0\0\0\0R1 a 0 1\n")
    assert "cannot be read (it holds zeros, so it is not text); give a netlist or its path" in refused(path)


# Included files and libraries.


@pytest.mark.parametrize(
    "line",
    [
        ".include parts/cell.inc",
        '.INC "parts\\cell.inc" ; of another system',
        ".lib 'my parts.lib' TT",
        ".lib parts/cell.inc",
        ".include outer.inc",
    ],
)
def test_files_are_found_beside_the_deck(line: str, tmp_path: Path, ngspice: str) -> None:
    (tmp_path / "parts").mkdir()
    (tmp_path / "parts" / "cell.inc").write_text(
        ".include tanh.inc\n.subckt amp in out\nXi in out curve\n.ends\n.end\n"
    )
    (tmp_path / "parts" / "tanh.inc").write_text(".subckt curve in out\nB1 out 0 V=tanh(10*v(in))\n.ends\n")
    wrong = ".lib ff\n.subckt amp in out\nB1 out 0 V=0\n.ends\n.endl\n"
    (tmp_path / "my parts.lib").write_text(f"{wrong}.lib tt\n.include parts/cell.inc\n.endl tt\n")
    (tmp_path / "outer.inc").write_text(".include parts/cell.inc\n.tran 1u 1m\n.ac dec 1 1 10\n.options reltol=1\n")
    path = tmp_path / "board.cir"
    path.write_text(BOARD.replace(AMPLIFIERS, f"{line}\nX1 n1 a1 amp\nX2 n2 a2 amp\n"))
    passes(path)


def test_what_an_included_file_must_not_hold(tmp_path: Path) -> None:
    path = tmp_path / "board.cir"
    (tmp_path / "commands.inc").write_text("* c\n.control\nshell ls\n.endc\n")
    path.write_text(f"{BOARD}.include commands.inc\n")
    assert refused(path).startswith("commands.inc line 2 `.control`: this makes ngspice run commands")
    (tmp_path / "loop.inc").write_text(".include loop.inc\n")
    path.write_text(f"{BOARD}.include loop.inc\n")
    assert refused(path).startswith("loop.inc line 1 `.include loop.inc`: that file includes itself")
    (tmp_path / "parts.lib").write_text(".lib tt\nR1 a b 1\n")
    path.write_text(f"{BOARD}.lib parts.lib ff\n")
    assert refused(path).endswith("the library has no section 'ff'; name a section that it has")
    path.write_text(f"{BOARD}.lib parts.lib tt\n")
    assert refused(path).endswith("the library has no `.endl` of that section; name a section that it has")


def test_a_temperature_in_options_is_kept(ngspice: str) -> None:
    """I/2 (1 - tanh(v / 2 V_T)) of a pair at 85 C, V_T = k T / q = 30.863 mV, by hand."""
    deck = (
        "pair\nC1 n1 0 10n\nR1 n1 0 10k\nVCC vcc 0 5\nQ1 vcc b1 e1 qx\nQ2 c2 0 e1 qx\nI1 e1 0 100u\nVS vcc c2 0\n"
        "B0 b1 0 V=0.02\nF1 0 n1 VS 1\n.model qx npn(is=1e-16 bf=1e9)\n.options temp=85\n.tran 1u 2m\n.end\n"
    )

    def network(celsius: float) -> hh.Network:
        thermal = 8.617333262e-5 * (celsius + 273.15)
        bias = 1e-4 * (1.0 - np.tanh(0.02 / (2.0 * thermal))) / 2.0
        return hh.Network(weights=[[0.0]], resistance=1e4, capacitance=1e-8, bias=[bias])

    assert_matches_ode(deck, network(85.0), nodes={"0": "n1"}, accuracy=1e-3)
    with pytest.raises(AssertionError, match="does not match"):
        assert_matches_ode(deck, network(27.0), nodes={"0": "n1"}, accuracy=1e-3)


# Nodes.


@pytest.mark.parametrize(
    "node", ["/x0", "N$1", "v[0]", "x0!", "n#1", "Net-(U1-Pad1)", "+5V", "a/b~%<0>", "X.1", "\u00b5x"]
)
def test_names_of_drawing_programs(node: str, ngspice: str) -> None:
    deck = BOARD.replace("v(n1)", "v(q1)").replace("n1 ", f"{node} ").replace("B1 a1", f"E1 q1 0 {node} 0 1\nB1 a1")
    passes(deck, {"0": node, "1": "n2"})


@pytest.mark.parametrize("place", ["-n", ("n", -1.0), ("h", -2.0)])
def test_an_inverting_integrator(place: Place, ngspice: str) -> None:
    """-v(n) = 0.5 V - 0.4 V exp(-t/RC), by hand."""
    network = hh.Network(weights=[[0.0]], resistance=1e4, capacitance=1e-8, bias=[5e-5], initial=[0.1])
    deck = "inverting\nE1 n 0 0 s 1e6\nC1 s n 10n\nR1 s n 10k\nI1 0 s 50u\nE2 h 0 n 0 0.5\n.ic v(n)=-0.1\n.end\n"
    result = assert_matches_ode(deck, network, nodes={"0": place}, accuracy=1e-3)
    times = result.wave["time"].to_numpy()
    expected = 0.5 - 0.4 * np.exp(-times / 1e-4)
    assert float(np.max(np.abs(result.wave["state"].to_numpy()[:, 0] - expected))) < 1e-4
    with pytest.raises(AssertionError, match="does not match"):
        assert_matches_ode(deck, network, nodes={"0": "n"}, accuracy=1e-3)


@pytest.mark.parametrize(
    ("place", "message"),
    [
        ("b)\n.control", "must be the name of a node, such as x_0, /x0 or xa.node"),
        ("$n", "must be the name of a node"),
        ("n//1", "must be the name of a node"),
        ("~{RST}", "must be the name of a node"),
        ("e1#branch", "must be the name of a node"),
        ("", "must be the name of a node"),
        (7, "must be the name of a node"),
        (("n1",), "must be the name of a node"),
        ("GND", "is not a node that can be probed"),
        ("time", "is not a node that can be probed"),
        (("n1", 0.0), "its scale must be a finite number other than 0"),
        (("n1", float("nan")), "its scale must be a finite number other than 0"),
        (("n1", "2"), "its scale must be a finite number other than 0"),
        ("N2", "neurons 0 and 1 are both at 'n2'"),
        ("zz", "deck: has no node 'zz', where neuron 0 is probed"),
        ("x.zz", "deck: has no node 'x.zz', where neuron 0 is probed"),
        ("xa.p", "is a pin of a subcircuit"),
    ],
)
def test_places_that_cannot_be_probed(place: Place, message: str) -> None:
    deck = BOARD + ".subckt cell p\nR1 p q 1k\nC1 q 0 1n\n.ends\nXa n1 cell\n"
    assert message in refused(deck, {"0": place, "1": "n2"})


def test_nodes_inside_subcircuits(ngspice: str) -> None:
    deck = (
        "board\n.subckt half p q k=1\nC1 x 0 {{10n*k}} {}\nR1 x 0 10k\nG1 x 0 p 0 50u\nXo x q amp\n.ends\n"
        ".macro amp in out\nE1 hid 0 in 0 1\nB1 out 0 V=tanh(10*v(hid))\n.eom\n"
        "Xa a2 a1 half k = 1\nXb a1 a2 half\n.end\n"
    )
    passes(deck.format(""), {"0": "xa.x", "1": "Xb.X"})
    with pytest.raises(AssertionError, match=r"neuron 0 \(node xa.x\) starts at 50 mV, not 100 mV, as deck line 3"):
        passes(deck.format("IC=0.05"), {"0": "xa.x", "1": "xb.x"})
    assert "has no node 'xa.xo.x'" in refused(deck.format(""), {"0": "xa.xo.x", "1": "xb.x"})


# Where a deck starts.


def test_a_deck_that_starts_elsewhere_is_told_so_before_devices_are_blamed(ngspice: str) -> None:
    deck = BOARD.replace("10n\nR1", "10n IC={}\nR1").replace("10n\nR2", "10n ic = {}\nR2")
    passes(deck.format("0.1", "50m"))
    with pytest.raises(AssertionError) as error:
        passes(deck.format("0", "50m"))
    assert (
        "the deck starts elsewhere than the network: neuron 0 (node n1) starts at 0 V, not 100 mV, as deck line 2 "
        "`C1 n1 0 10n IC=0` has it: give it the network's start there, or leave it out"
    ) in str(error.value)
    assert "suspected device" not in str(error.value)
    assert "neuron 1 (node" not in str(error.value)


def test_a_node_that_holds_no_charge_is_told_of(ngspice: str) -> None:
    deck = BOARD.replace("B1 a1", "E1 o1 0 n1 0 0.5\nB1 a1")
    nodes: dict[str, Place] = {"0": ("o1", 2.0), "1": "n2"}
    with pytest.raises(AssertionError, match=r"\(node o1\) starts at .*, not 100 mV: nothing at that node holds"):
        passes(deck, nodes)
    passes(f"{deck}.ic v(n1)=0.1\n", nodes)


# Convergence.

MACRO = """two neurons, an op-amp of a bipolar pair and clamps
.subckt amp p n vc ve o
I1 4 ve 100u
R3 5 vc 500
R4 6 vc 500
Q1 5 n 4 qx
Q2 6 p 4 qx
C4 5 6 100p
G1 0 9 5 6 2m
R5 9 0 100meg
C3 9 0 300p
D1 9 8 dx
V2 vc 8 1.6
D2 10 9 dx
V3 10 ve 1.6
E1 23 0 9 0 1
R16 23 22 20
L3 22 o 1n
RL3 22 o 100k
.model dx d(is=1e-15)
.model qx npn(bf=600)
.ends
VP vcc 0 15
VN vee 0 -15
X1 0 s1 vcc vee n1 amp
C1 s1 n1 10n
R1 s1 n1 10k
R12 a2 s1 20k
X2 0 s2 vcc vee n2 amp
C2 s2 n2 10n
R2 s2 n2 10k
R21 a1 s2 20k
B1 a1 0 V=tanh(10*v(n1))
B2 a2 0 V=tanh(10*v(n2))
.end
"""


def test_macro_models_of_op_amps_converge(ngspice: str) -> None:
    # Its bias current and open-loop gain leave it 2.1e-3 from the equation (after t = 0, where its poles are at 0 V).
    result = assert_matches_ode(MACRO, NETWORK, nodes=NODES, accuracy=0.02, t_stop=2e-3)
    assert result.warning == ""
    assert result.self_check < 1e-3
    with pytest.raises(AssertionError, match=r"NRMSE +2\.\d+e-03 \(tolerance 1e-03\)"):
        assert_matches_ode(MACRO, NETWORK, nodes=NODES, accuracy=1e-3, t_stop=2e-3)
    with pytest.raises(AssertionError, match=r"suspected device  neuron 0: R12 \(syn.weights\[0, 1\]\): is 40 kOhm, "):
        assert_matches_ode(MACRO.replace("R12 a2 s1 20k", "R12 a2 s1 40k"), NETWORK, nodes=NODES, accuracy=0.02)


def test_what_does_not_converge_says_what_was_tried(ngspice: str, tmp_path: Path) -> None:
    deck = read_deck(BOARD + "B9 q 0 V=v(q)>0.5?0:1\n", like=compiled())
    with pytest.raises(ConvergenceError) as error:
        simulate_deck(deck, t_stop=1e-3, keep=tmp_path)
    assert 'trouble with node "q"`; look at that node: smooth a source that jumps there' in str(error.value)
    assert "(looser tolerances do not help: reltol up to 0.001, " in str(error.value)
    assert str(error.value).endswith(f"; run folder kept: {tmp_path}")


def test_tolerances_are_loosened_step_by_step(tmp_path: Path) -> None:
    tight = settings_for(1e-4, 1e-3, PLAIN)
    rungs = list(looser(tight))
    assert [rung.reltol for rung in rungs] == sorted(rung.reltol for rung in rungs)
    assert [rung.gmin for rung in rungs] == sorted(rung.gmin for rung in rungs)
    assert rungs[0].reltol == tight.reltol
    assert rungs[0].current > tight.current
    assert rungs[-1].halve().reltol == rungs[-1].reltol == LAST.reltol
    assert all(rung.step == tight.step for rung in rungs)
    tried: list[Settings] = []

    def attempt(settings: Settings) -> str:
        tried.append(settings)
        if settings.reltol < 1e-4:
            folder = tmp_path / str(len(tried))
            folder.mkdir()
            raise ConvergenceError("gave up", folder=folder)
        return "done"

    assert run_until_converged(attempt, tight, keep=None) == ("done", tried[-1])
    assert tried[0] == tight
    assert (tried[-1].reltol, tried[-1].gmin) == (1e-4, tight.gmin)
    assert list(tmp_path.iterdir()) == []
    # A run that follows begins where the last one got to.
    following = tried[-1].halve()
    assert run_until_converged(attempt, following, keep=None) == ("done", following)


def test_a_gmin_above_that_of_ngspice_is_told_of(ngspice: str, monkeypatch: pytest.MonkeyPatch) -> None:
    loosest = list(looser(settings_for(1e-4, 1e-3, PLAIN)))[-1]
    monkeypatch.setattr("hopfield_hw.spice.transient.settings_for", lambda *_: loosest)
    deck = read_deck(BOARD, like=compiled())
    with pytest.warns(AccuracyWarning, match="converges only with gmin=1e-09 S"):
        simulate_deck(deck, t_stop=1e-3, accuracy=0.1)


def test_a_deck_is_found_beside_the_test(tmp_path: Path, ngspice: str) -> None:
    tests = tmp_path / "tests"
    tests.mkdir()
    (tests / "amp.inc").write_text(AMPLIFIERS)
    (tests / "board.cir").write_text(BOARD.replace(AMPLIFIERS, ".include amp.inc\n"))
    (tests / "test_board.py").write_text(
        "from pathlib import Path\nimport hopfield_hw as hh\n"
        "from hopfield_hw.testing import assert_matches_ode as held\n\n"
        "NETWORK = hh.Network(weights=[[0, -5e-5], [-5e-5, 0]], resistance=1e4, capacitance=1e-8,\n"
        "                     gain=hh.Tanh(gain=10.0), initial=[0.1, 0.05])\nNODES = {'0': 'n1', '1': 'n2'}\n\n"
        "def test_fixture(assert_matches_ode):\n    assert_matches_ode('board.cir', NETWORK, nodes=NODES)\n\n"
        "def test_function():\n    held(Path('board.cir'), NETWORK, nodes=NODES)\n"
    )
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "tests"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "2 passed" in done.stdout


@pytest.mark.parametrize(
    "node", ["/x0", "N$1", "v[0]", "-n", "+n", "a*b", "a|b", "<0>", "@a", "#n", "!x", "a\\b", "01"]
)
def test_ngspice_takes_these_names(node: str, tmp_path: Path, ngspice: str) -> None:
    """The names that `nodes=` lets through, as ngspice alone sees them."""
    deck = f"t\nC1 {node} 0 1u\nR1 {node} 0 1k\n.ic v({node})=0.5\n.save v({node})\n.tran 1u 10u uic\n.end\n"
    (tmp_path / "t.cir").write_text(deck)
    subprocess.run([ngspice, "-n", "-b", "-r", "t.raw", "t.cir"], cwd=tmp_path, capture_output=True, check=True)
    (plot,) = read(tmp_path / "t.raw")
    assert plot.column(f"v({node.lower()})")[0] == pytest.approx(0.5, rel=1e-3)


def test_diagnosis_of_a_deck_with_starts_of_its_own(ngspice: str) -> None:
    """`IC=` that agrees with the network holds through the starts of a diagnosis too, which still finds the fault."""
    deck = BOARD.replace("10n\nR1", "10n IC=0.1\nR1").replace("10n\nR2", "10n IC=0.05\nR2")
    wrong = deck.replace("G1 n1 0 a2 0 50u", "G1 n1 0 a2 0 40u")
    with pytest.raises(AssertionError) as error:
        passes(wrong)
    assert "starts elsewhere" not in str(error.value)
    assert "neuron 0: G1 (syn.weights[0, 1]): is 40 uS, and should be 50 uS" in str(error.value)


def test_a_deck_without_a_start_of_its_own_has_no_notes() -> None:
    deck = read_deck(BOARD, like=compiled())
    assert deck == replace(compiled(), text=deck.text)
