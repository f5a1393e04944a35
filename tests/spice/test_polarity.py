"""Op-amps of people's own decks: an ideal one with its inputs exchanged has the same solution, and is found."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

import hopfield_hw as hh
from hopfield_hw.graph import as_graph
from hopfield_hw.spice.decks.op_amps import read_sources
from hopfield_hw.spice.decks.polarity import find_exchanged
from hopfield_hw.spice.decks.statements import read_statements
from hopfield_hw.spice.transient import circuit_deck
from hopfield_hw.verification import verify_circuit
from hopfield_hw.verification.random_set import draw

TWO = hh.Network(
    weights=1e-4 * np.array([[0.0, -1.0], [-1.0, 0.0]]),
    resistance=1e4,
    capacitance=1e-8,
    gain=hh.Tanh(gain=3.0),
    initial=[0.3, 0.1],
)
# A follower: the state u1 again at b1, with p and m where the op-amp's inputs go.
FORMS = {
    "number": "E1 b1 0 {p} {m} 1e5",
    "scale": "E1 b1 0 {p} {m} 100k",
    "parameter": "E1 b1 0\n+ {p} {m}\n+ {{10*A}}",
    "poly": "E1 b1 0 POLY(1) {p} {m} 0 1e5",
    "value": "E1 b1 0 VALUE={{1e5*V({p},{m})}}",
    "vol": "E1 b1 0 vol='1e+5*(v({p})-v({m}))'",
    "B": "B1 b1 0 V=(v({p})-v({m}))*1e5",
    "one voltage": "B1 b1 0 V=-1e5*(v({m})-v({p}))",
    "subcircuit": "XU1 {p} {m} b1 op_amp",
    "its parameter": "XU1 {p} {m} b1 op_amp G={{10*A}}",
}
DECK = """two neurons
.param A=1e4
.subckt op_amp p m o G=1e5
E1 o 0 p m {{G}}
.ends
C1 u1 0 10n
R1 u1 0 10k
C2 u2 0 10n
R2 u2 0 10k
{line}
B_1 v1 0 V=tanh(3*v(b1))
B_2 v2 0 V=tanh(3*v(u2))
G12 0 u1 v2 0 -1e-4
G21 0 u2 v1 0 -1e-4
.end
"""


@pytest.mark.parametrize("form", FORMS)
def test_an_op_amp_with_its_inputs_exchanged_is_found_however_it_is_written(form: str) -> None:
    def judged(plus: str, minus: str) -> hh.Verification:
        deck = DECK.format(line=FORMS[form].format(p=plus, m=minus))
        return verify_circuit(TWO.graph(), hh.lower(TWO), deck=deck, nodes={"0": "u1", "1": "u2"})

    right, wrong = judged("u1", "b1"), judged("b1", "u1")
    assert (right.verdict, right.warning) == ("passed", "")
    name = FORMS[form].split()[0].replace("XU1", "xu1.E1")
    assert wrong.verdict == "failed"
    assert f"{name}: inputs exchanged" in wrong.reasons[0]
    assert wrong.suspects[0].devices == (name,)
    assert str(wrong.suspects[0]) == f"{name} (op-amp): its inputs are exchanged"


PAIR = hh.Network(
    weights=1e-4 * np.array([[0.0, -0.5], [-0.5, 0.0]]),
    resistance=1e4,
    capacitance=1e-8,
    gain=hh.Tanh(gain=10.0),
    initial=[0.1, 0.05],
)
# Op-amps with limits, in the place of one that integrates; `s` is 1 where the inputs are exchanged, else -1.
LIMITED = {
    "tanh": "B_x_0 xn_0 0 V=15*tanh({s}e6*v(x_sum_0))",
    "limits": "B_x_0 xn_0 0 V=max(-15,min(15,{s}e7*v(x_sum_0)))",
    "pwl": "B_x_0 xn_0 0 V={s}*pwl(v(x_sum_0),-1u,-15,1u,15)",
    "table": "E_x_0 xn_0 0 TABLE {{{s}*v(x_sum_0)}} = (-1u,-15) (1u,15)",
    "current": "G_x_0 0 xn_0 x_sum_0 0 {s}e7\nR_o xn_0 0 1",
    "gain": "A_x_0 x_sum_0 xn_0 amp\n.model amp gain(gain={s}e7)",
    "limit": "A_x_0 x_sum_0 xn_0 amp\n.model amp limit(gain={s}e7 out_lower_limit=-15 out_upper_limit=15)",
    "supplies": (
        "X_x_0 x_sum_0 xn_0 vp vm rails\nVP vp 0 15\nVM vm 0 -15\n.subckt rails p o vp vm\n"
        "B1 o 0 V=min(v(vp),max(v(vm),{s}e6*v(p)))\n.ends"
    ),
}


@pytest.mark.parametrize("form", LIMITED)
def test_an_op_amp_with_limits_is_found_too(form: str) -> None:
    text = hh.lower(PAIR, cell="inverting_integrator").netlist()
    line = next(line for line in text.splitlines() if line.startswith("E_x_0 "))

    def judged(sign: int) -> hh.Verification:
        return hh.verify(PAIR, cell="inverting_integrator", deck=text.replace(line, LIMITED[form].format(s=sign)))

    assert judged(-1).passed
    wrong = judged(1)
    assert wrong.verdict == "failed"
    assert "inputs exchanged" in wrong.reasons[0]


def test_op_amps_that_are_each_in_the_loop_of_the_other_fail() -> None:
    text = hh.lower(PAIR, cell="inverting_integrator").netlist()
    crossed = text.replace("0 x_sum_0 1", "0 x_sum_A 1").replace("0 x_sum_1 1", "0 x_sum_0 1").replace("_A 1", "_1 1")
    assert crossed != text
    assert hh.verify(PAIR, cell="inverting_integrator", deck=crossed, timeout=5.0).verdict != "passed"


def test_one_of_two_with_limits_in_one_loop_is_found() -> None:
    """Turning both leaves the loop as wrong as it was, which does not make them amplifiers of their own."""
    text = hh.lower(PAIR, cell="inverting_integrator").netlist()
    (line,) = (line for line in text.splitlines() if line.startswith("E_x_0 "))
    first, second = ("B_first mid 0 V=10*tanh(1e3*v(x_sum_0))", "B_second xn_0 0 V=10*tanh({sign}1e3*v(mid))")
    turned = text.replace(line, f"{first}\n{second.format(sign='')}")
    assert hh.verify(PAIR, cell="inverting_integrator", deck=turned).verdict != "passed"


def test_an_op_amp_that_no_feedback_holds_leaves_it_undecided() -> None:
    text = hh.lower(PAIR, cell="inverting_integrator").netlist()
    result = hh.verify(PAIR, cell="inverting_integrator", deck=text + "E_more more 0 v_0 v_1 1e7\nR_more more 0 1e4\n")
    assert result.verdict == "undecided"
    (reason,) = result.reasons
    assert reason == (
        "whether inputs of op-amps are exchanged could not be told: E_more run to a rail either way, so that no "
        "feedback holds them"
    )


@pytest.mark.parametrize(
    ("line", "steepest"),
    [
        ("B1 v 0 V=tanh(1e4*v(u))", "bends"),
        ("B1 v 0 V=1e4*v(u)-v(w)", "bends"),
        ("B1 v 0 V=1e4*(v(u)-v(w))", ""),
        ("B1 v 0 I=1e4*v(u)", None),
        ("E1 v 0 POLY(2) a 0 b 0 0 1 1", None),
        ("G1 v 0 u 0 1e5", None),
        ("B1 v 0 V=ddt(v(u))", None),
    ],
)
def test_what_a_source_is_of(line: str, steepest: str | None) -> None:
    found = read_sources(read_statements(f"title\n{line}\n").statements)
    if steepest is None:
        assert not found
    else:
        assert all(source.bends == bool(steepest) for source in found[0])


def test_a_model_with_capacitors_of_its_own_is_left_to_them() -> None:
    inside = "E1 a 0 p m 1e5\nR1 a o 1k\n{c}"
    for line, many in (("C1 o 0 1n", 0), ("R2 o 0 1k", 1)):
        deck = f"title\n.subckt x p m o\n{inside.format(c=line)}\n.ends\n"
        assert len(read_sources(read_statements(deck).statements)) == many


@pytest.mark.parametrize("gain", [hh.Tanh(gain=1e4), hh.Logistic(gain=400.0), hh.PiecewiseLinear(gain=300.0)])
def test_steep_neurons_are_no_op_amps(gain: hh.Gain, ngspice: str) -> None:
    net = replace(PAIR, gain=gain, initial=np.array([0.1, -0.05]))
    deck = circuit_deck(hh.lower(net))
    assert find_exchanged(deck, volts=1.0, fastest=1e-7, timeout=20.0) == ((), ())


def test_forty_op_amps_in_a_chain_of_stages_are_told_in_moments() -> None:
    """Gains of 1e7 with poles are too stiff for it: the gain is taken as 1e4, which tells which way a loop goes."""
    graph = as_graph(draw(2026, 163, "distributed"))
    result = hh.verify(graph, cell="winner_take_all", rescale=True)
    assert result.verdict == "passed", result
