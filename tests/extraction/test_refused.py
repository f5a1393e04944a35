"""What is no network of the family, and what is no deck: refused with its reason, and with its line."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import hopfield_hw as hh
from hopfield_hw.extraction import extract

# In messages, `#` stands for what differs.
PARTS = Path(__file__).parent / "boards" / "parts.lib"
NEURON = """one neuron
C1 x 0 100n
R1 x 0 10k
B1 y 0 V=2*tanh(3*v(x))
R2 y x 20k
"""
SUPPLIED = f"""real op-amps
.include {PARTS}
VCC vp 0 12
VEE vn 0 -12
C1 x 0 100n
R1 x 0 10k
"""
SECOND = "C2 z 0 100n\nR3 z 0 10k\n"
REFUSED = {
    "hysteresis": (
        f"{SUPPLIED}XU1 p x vp vn y TL074\nR2 y p 10k\nR3 p 0 10k\nR4 y x 22k\n",
        "deck line 7: op-amp xu1 has positive feedback: its inputs are exchanged, or it is a Schmitt trigger, whose "
        "hysteresis is a state without a capacitor; exchange them, or verify it against a graph",
    ),
    "a product": (
        f"{NEURON}{SECOND}B2 w 0 V=v(x)*v(z)\nR4 w z 10k\n",
        "deck line 8: b2 depends on 2 states or inputs (c1, c2): curves of several states, such as products and "
        "softmax, are not of C dx/dt = -x/R + T g(x) + I; verify such a circuit against its graph",
    ),
    "an op-amp that saturates with a sum": (
        f"{SUPPLIED}C2 z 0 100n\nR2 z 0 10k\nXU1 0 m vp vn y TL074\nR3 x m 1k\nR4 z m 1k\nR5 m y 20k\nR6 y x 22k\n"
        "R7 y z 33k\n",
        "deck line 9: op-amp xu1 saturates, and moves with c# and c#: a curve of several states, which no network "
        "here has; where it should not saturate, make its signals smaller",
    ),
    "diodes between states": (
        f"{NEURON}{SECOND}D1 x z DD\nD2 z x DD\n.model DD D(Is=1n)\n",
        "deck: #% of the largest current is no sum of one curve for each state: something depends on several states "
        "at once, such as a diode between them or an op-amp that saturates with their sum; such a circuit is not of "
        "C dx/dt = -x/R + T g(x) + I",
    ),
    "two curves of one state": (
        f"{NEURON}B2 y2 0 V=1.5*tanh(1*v(x))\nR3 y2 x 10k\n",
        "state 0: b2 and b1 make two different curves of it; one state has one curve here",
    ),
    "a curve that falls": (
        "t\nC1 x 0 100n\nR1 x 0 10k\nB1 y 0 V=v(x)*exp(-v(x)*v(x))\nR2 y x 20k\n",
        "curve of b1: goes from -0 V to 0 V: the curve of a neuron rises between two ends",
    ),
    "a delay line": (
        f"{NEURON}T1 y 0 w 0 Z0=50 TD=1m\nR5 w 0 50\n",
        "deck line 6 `t1 y 0 w 0 Z0=50 TD=1m`: a line is a delay, and a circuit with delays is not read back: verify "
        "it against its graph",
    ),
    "a switch": (
        f"{NEURON}S1 x 0 y 0 SW\n.model SW SW(VT=1)\n",
        "deck line 6: switch s1 is controlled by a state of the circuit (through b1): that is hysteresis or a "
        "relaxation, and no map of a clock; drive it from a source with a PULSE",
    ),
    "a switch of a current": (
        f"{NEURON}W1 x 0 V1 SW\n.model SW CSW(IT=1)\n",
        "deck line 6 `w1 x 0 V1 SW`: a switch that a current controls is not read back: control it by the voltage of "
        "its clock, as an S element",
    ),
    "an inductor": (
        f"{NEURON}L1 x 0 1m\n",
        "deck line 6 `l1 x 0 1m`: an inductor has a state of its own, and no network here has one: leave it out "
        "where it is only a filter",
    ),
    "a missing subcircuit": (
        f"{NEURON}XU1 x a b c d LM358\n",
        "deck line 6 `xu1 x a b c d LM358`: the subcircuit lm358 is missing: include its file, or add its `.subckt`",
    ),
    "a missing model": (
        f"{NEURON}D1 x 0 1N4148\n",
        "deck line 6 `d1 x 0 1N4148`: its model '1N4148' is missing: add its `.model`, or include its file",
    ),
    "floating nodes": (
        f"{NEURON}R9 q1 q2 10k\n",
        "deck: nothing determines v(q#), v(q#): a node floats, sources of voltages are in a loop, or an op-amp has "
        "no feedback; connect it, or name its capacitor in `states`",
    ),
    "an op-amp without feedback": (
        f"{NEURON}E2 q 0 0 m 1e6\nR7 y m 10k\nR8 q x 10k\n",
        "deck: nothing determines #: a node floats, sources of voltages are in a loop, or an op-amp has no feedback; "
        "connect it, or name its capacitor in `states`",
    ),
    "no capacitor": (
        "t\nR1 a 0 1k\nB1 b 0 V=tanh(v(a))\nR2 b a 1k\n",
        "deck: has no capacitor that could hold a state; a network has one for each neuron",
    ),
    "no device": ("t\n* nothing\n", "deck: holds no device; its first line is a title, devices follow"),
    "no value": (f"{NEURON}R5 x 0\n", "deck line 6 `r5 x 0`: has no value: give one, such as 10k"),
    "a value of 0": (
        f"{NEURON}R5 x 0 0\n",
        "deck line 6 `r5 x 0 0`: its value is 0: must be positive; leave it out where it is a wire",
    ),
    "two of one name": (f"{NEURON}R1 y 0 1k\n", "deck line 3: a second device 'r1'; give it a name of its own"),
    "a subcircuit within itself": (
        f"{NEURON}X1 x a\n.subckt a b\nX1 b a\n.ends\n",
        "deck: subcircuit a is within itself; remove one of the two",
    ),
    "a subcircuit without an end": (
        f"{NEURON}.subckt a b c\nR1 b c 1k\n",
        "deck: subcircuit a has no `.ends`; add it",
    ),
    "nodes that do not fit": (
        f"{NEURON}X1 x y z a\n.subckt a b c\nR1 b c 1k\n.ends\n",
        "deck line 6 `x1 x y z a`: has 3 nodes, and a 2: give one for each",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_no_network_is_refused_with_its_reason(name: str) -> None:
    deck, message = REFUSED[name]
    with pytest.raises(hh.InputError) as refused:
        extract(deck)
    said = str(refused.value)
    assert re.fullmatch(re.escape(message).replace(r"\#", ".*"), said), said


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"states": ["r1"]}, "`states` names 'r1': must be a capacitor that is not between fixed voltages"),
        ({"states": "c1"}, "extract: `states` = 'c1': must be a list of names of capacitors"),
        ({"span": [(1, 0)]}, "extract: `span` = [(1, 0)]: must be (low, high), volts, for each state"),
        ({"timeout": -1}, "`timeout = -1.0 s`: must be positive"),
        ({"rng": 3}, "extract: `rng` is a int: must be a numpy.random.Generator"),
    ],
)
def test_wrong_arguments_are_named(wrong: dict[str, Any], message: str) -> None:
    with pytest.raises(hh.InputError) as refused:
        extract(NEURON, **wrong)
    assert str(refused.value) == message


def test_what_is_no_deck_is_named() -> None:
    with pytest.raises(hh.InputError, match=r"^extract: `source` is a int: must be a deck"):
        extract(3)  # type: ignore[arg-type]


def test_commands_are_left_out_and_never_run(tmp_path: Path) -> None:
    touched = tmp_path / "touched"
    deck = f"{NEURON}.control\nshell touch {touched}\nrun\n.endc\n"
    found = extract(deck)
    assert not touched.exists()
    assert found.agreement is not None
    assert found.agreement.passed
    with pytest.raises(hh.InputError, match="line 6"):
        extract(f"{NEURON}shell touch {touched}\n")


def test_a_network_that_agrees_says_on_what_it_rests() -> None:
    found = extract(NEURON)
    assert found.way == "structure"
    assert found.agreement is not None
    assert found.agreement.starts == 2
    np.testing.assert_allclose(found.weights, [[5e-5]], rtol=1e-12)
    np.testing.assert_allclose(found.resistance, [1.0 / (1e-4 + 5e-5)], rtol=1e-12)
    assert found.gains == (hh.Tanh(gain=6.0, amplitude=2.0),)


@pytest.mark.parametrize(
    "formula",
    ["2*tanh(3*v(x))", "{a}*tanh({b}*v(x))", "{{a}*tanh({b}*v(x))}", "{a*tanh(b*v(x))}", "{a} * tanh({b}*v(x))"],
)
def test_parameters_in_braces_are_read_wherever_they_stand(formula: str) -> None:
    deck = NEURON.replace("V=2*tanh(3*v(x))", f"V={formula}") + ".param a=2 b=3\n"
    assert extract(deck, verify=False).gains == (hh.Tanh(gain=6.0, amplitude=2.0),)
