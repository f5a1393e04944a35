"""Op-amps of people's own decks: an ideal one with its inputs exchanged has the same solution, and is found."""

from __future__ import annotations

import numpy as np
import pytest

import hopfield_hw as hh
from hopfield_hw.engines.deck_op_amps import read_source
from hopfield_hw.engines.deck_statements import read_statements
from hopfield_hw.verification.verify import verify_circuit

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


@pytest.mark.parametrize(
    "line",
    [
        "B1 v 0 V=tanh(1e4*v(u))",
        "B1 v 0 V=1e4*v(u)*v(w)",
        "B1 v 0 V=1e4*(v(u)-v(w)-v(x))",
        "B1 v 0 V=1e4*v(u)-v(w)",
        "B1 v 0 I=1e4*v(u)",
        "E1 v 0 POLY(2) a 0 b 0 0 1 1",
        "E1 v 0 TABLE {V(u)} = (0,0) (1,1)",
        "G1 v 0 u 0 1e5",
    ],
)
def test_what_is_no_multiple_of_a_difference_is_no_op_amp(line: str) -> None:
    assert read_source(read_statements(f"title\n{line}\n").statements[0]) is None
