"""Vendors' models in the ensemble engine, of many structures, against ngspice; and what is refused by name."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest

pytest.importorskip("numba")

from hopfield_hw.circuit import Circuit, Device, Origin, Probe, Role
from hopfield_hw.functions.expressions import Argument, Expression, evaluate
from hopfield_hw.functions.formula_text import Macro, parse_formula, parse_number
from hopfield_hw.parts import Capacitor, OpAmp, Resistor, Subcircuit, VoltageSource
from hopfield_hw.simulation import simulate
from hopfield_hw.spice.analyses import run_transient
from hopfield_hw.values.errors import InputError, Unrealisable
from hopfield_hw.values.measures import nrmse

ORIGIN = Origin("x", Role.FUNCTION, (0,))
# As vendors write them since Boyle and others (1974), with numbers of our own: pairs of each kind of transistor, and a
# limit of current by an H and diodes.
BOYLE = """\
.subckt amp 1 2 3 4 5
c1 11 12 3.5e-12
c2 6 7 {comp}
dc 5 53 dx
de 54 5 dx
dlp 90 91 dx
dln 92 90 dx
dp 4 3 dx
egnd 99 0 poly(2) (3,0) (4,0) 0 .5 .5
fb 7 99 poly(5) vb vc ve vlp vln 0 4.7e6 -5e6 5e6 5e6 -5e6
ga 6 0 11 12 283u
gcm 0 6 10 99 8.9n
hlim 90 0 vlim 1k
{pair}
r2 6 9 100K
ro1 8 5 150
ro2 7 99 150
rp 3 4 2.1e3
vb 9 0 dc 0
vc 3 53 dc 2.2
ve 54 4 dc 2.2
vlim 7 8 dc 0
vlp 91 0 25
vln 0 92 dc 25
.param comp=15p
.model dx d(is=800e-18 rs=1 cjo=1p tt=1n)
{models}
.ends
"""
PAIRS = {
    "jfets": (
        "iss 3 10 dc 195u\nrss 10 99 1meg\nj1 11 2 10 jx\nj2 12 1 10 jx\nrd1 4 11 3.5k\nrd2 4 12 3.5k",
        ".model jx pjf(is=15p beta=270u vto=-1 lambda=0.01 cgs=2p cgd=1p rd=20)",
    ),
    "bipolar": (
        "iee 10 4 dc 30u\nree 10 99 6.6meg\nq1 11 2 13 qx\nq2 12 1 14 qx\nre1 13 10 1k\nre2 14 10 1k\n"
        "rd1 3 11 3.5k\nrd2 3 12 3.5k",
        ".model qx npn(is=8e-16 bf=100 vaf=80 ikf=1m ise=1f ne=1.8 cje=1p cjc=0.5p xcjc=0.7 tf=0.3n tr=5n rb=200 re=2)",
    ),
    "mosfets": (
        "iss 3 10 dc 60u\nrss 10 99 1meg\nm1 11 2 10 3 mx l=2u w=40u\nm2 12 1 10 3 mx l=2u w={20u*2}\n"
        "rd1 4 11 6k\nrd2 4 12 6k",
        ".model mx pmos(vto=-0.8 kp=20u gamma=0.4 phi=0.7 lambda=0.02 cgso=1n cgdo=1n cbd=0.1p)",
    ),
}
LIBRARIES = {
    **{name: BOYLE.replace("{pair}", pair).replace("{models}", model) for name, (pair, model) in PAIRS.items()},
    "formulas": """\
.func soft(x,a) {a*tanh(x/a)}
.param rails=14
.subckt amp in+ in- vcc vee out params: gain=1e5
Rin in+ in- 1meg
Bs s 0 I={-1m*soft(v(in+,in-)*10,2)}
Rs s 0 {gain/10*10}
Cs s 0 {1m/(6.28*1meg)*gain/1e5}
E1 e 0 VALUE={LIMIT(V(s)*0.1, min(V(vcc)-1,rails), V(vee)+1)}
E2 f 0 TABLE {V(e)} = (-20,-20) (0,0) (20,20)
Vi f g 0
Bo out 0 I=IF(I(Vi)>1, 1, 0)
Rg g out 50
Xl out 0 load PARAMS: r=20k
.subckt load a b
.param half=r/2
R1 a c {half}
L1 c b 1u
L2 d 0 4u
K1 L1 L2 0.5
Rd d 0 1k
.ends load
.ends amp
""".replace(".subckt load a b\n", ".subckt load a b params: r=1k\n"),
}
PINS = ("plus", "minus", "supply_plus", "supply_minus", "output")


def amplifier(library: str, load: Any = None) -> Circuit:
    """Return an inverting amplifier of gain -2 that is driven in steps, with a load that it cannot drive at the end."""
    model = Subcircuit(library=library, name="amp", pins=PINS)
    drive = ((0.0, 0.0), (1e-5, 0.0), (1.2e-5, 1.0), (5e-5, 1.0), (5.2e-5, -3.0), (1e-4, -3.0), (1.2e-4, 9.0))
    devices = (
        Device("V_in", VoltageSource(drive), ("in", "0"), ORIGIN),
        Device("V_p", VoltageSource(15.0), ("p", "0"), ORIGIN),
        Device("V_n", VoltageSource(-15.0), ("n", "0"), ORIGIN),
        Device("R_in", Resistor(1e4), ("in", "minus"), ORIGIN),
        Device("R_f", Resistor(2e4), ("minus", "out"), ORIGIN),
        Device("X", OpAmp(model, offset=1e-3), ("0", "minus", "out", "p", "n"), ORIGIN),
        Device("R_l", Resistor(1e3), ("out", "0"), ORIGIN),
        Device("C_l", Capacitor(1e-10), ("out", "0"), ORIGIN),
    )
    return Circuit(
        title="an amplifier",
        cell="none",
        graph_hash="",
        devices=devices,
        initial={"out": 0.0},
        states=(Probe("out", "out"),),
        outputs=(),
    )


@pytest.mark.usefixtures("ngspice")
@pytest.mark.parametrize("name", LIBRARIES)
def test_a_vendors_model_is_that_of_ngspice(name: str) -> None:
    made = amplifier(LIBRARIES[name])
    found = simulate(made, engine="ensemble", t_stop=1.5e-4, accuracy=1e-4)
    run = run_transient(made, 1.5e-4, step=5e-8, initial={"out": 0.0}, accuracy=1e-6)
    expected = np.interp(found["time"].to_numpy(), run.axis, np.real(run.voltage("out")))
    assert np.ptp(expected) > 10.0
    assert nrmse(expected[5:, np.newaxis], found["state"].to_numpy()[5:]) < 1e-4


def read(kind: str, terms: tuple[str, ...]) -> Expression:
    return {"v": Argument(0), "i": Argument(1)}[kind]


FORMULAS = {
    "LIMIT(2*V(i),-1,1)": 1.0,
    "LIMIT(2*V(i),1,-1)": 1.0,
    "IF(V(i)>0.9 | V(i)<0.1,1,2)": 2.0,
    "IF(V(i)>0.5 & V(i)<1,3,2)": 3.0,
    "IF(~(V(i)>0.5),1,2)": 2.0,
    "V(i)>=0.7 ? 1 : 2": 1.0,
    "STP(-V(i))": 0.0,
    "PWR(-V(i),2)": 0.49,
    "PWRS(-V(i),2)": -0.49,
    "ARCTAN(V(i))": 0.6107259643892087,
    "-V(i)**2 + 2.5k*I(Vx)": 249.51,
    "table(V(i),0,0,1,5)": 3.5,
    "twice(V(i))+a*1e-3": 1.4 + 0.025,
    "1-2*(3-1)/4": 0.0,
    "MIN(V(i),MAX(0.2,0.1))": 0.2,
}


@pytest.mark.parametrize(("text", "value"), FORMULAS.items(), ids=list(FORMULAS))
def test_formulas_are_what_they_are_in_ngspice(text: str, value: float) -> None:
    from hopfield_hw.functions.expressions import Number

    found = parse_formula(text, read, {"a": Number(25.0)}, {"twice": Macro(("x",), "2*x")})
    assert float(evaluate(found, [0.7, 0.1])) == pytest.approx(value, abs=1e-12)


@pytest.mark.parametrize(
    ("text", "value"), {"2.2k": 2200.0, "5meg": 5e6, "1e-12F": 1e-12, "3m": 3e-3, "10V": 10.0, "-.5u": -5e-7}.items()
)
def test_numbers_have_suffixes(text: str, value: float) -> None:
    assert parse_number(text) == pytest.approx(value, rel=1e-15)
    assert parse_number("k5") is None


REFUSED = {
    "sin(v(1))": "formula 'sin(v(1))': the function 'sin' is not known",
    "foo": "formula 'foo': the name 'foo' is not known",
    "1+": "formula '1+': ends where something must stand",
    "(1": "formula '(1': its end stands where ')' must",
    "1 2": "formula '1 2': '2' is not expected there",
    "v(1)#2": "formula 'v(1)#2': '#2' is not expected there",
    "min(1)": "formula 'min(1)': the function 'min' does not take 1 arguments",
    "table(v(1),0,0)": "formula 'table(v(1),0,0)': a table takes pairs of numbers, two at least",
    "f(1)": "formula 'f(x)': functions that are defined by themselves",
}


@pytest.mark.parametrize(("text", "message"), REFUSED.items(), ids=list(REFUSED))
def test_what_is_no_formula_is_refused(text: str, message: str) -> None:
    with pytest.raises(InputError) as error:
        parse_formula(text, read, {}, {"f": Macro(("x",), "f(x)")})
    assert str(error.value) == message


CARDS = {
    "E1 5 0 LAPLACE {V(1)} = {1/(1+s)}": "a LAPLACE source",
    "S1 5 0 1 2 sm": "an element S",
    "T1 1 0 5 0 Z0=50 TD=1n": "an element T",
    "B1 5 0 V={sin(V(1))}": "formula 'sin(V(1))': the function 'sin' is not known",
    "B1 5 0 V={time*V(1)}": "formula 'time*V(1)': the name 'time' is not known",
    "V1 5 0 SIN(0 1 1k)": "a source 0",
    "D1 5 0 none": "a model none",
    "D1 5 0 dn": "LEVEL=3",
    "Q1 5 1 2 qn": "XTF of a model NPN",
    "M1 5 1 2 2 mn": "TOX of a model NMOS",
    "R1 5 0 rows": "formula 'rows': the name 'rows' is not known",
    "X1 5 0 none": "a subcircuit none",
    "C1 5 1 1n IC=2": "IC between two nodes",
    "R1 5": "a word is missing",
}


@pytest.mark.parametrize(("line", "why"), CARDS.items(), ids=list(CARDS))
def test_cards_and_functions_that_are_unknown_are_refused_by_name(line: str, why: str) -> None:
    models = ".model dn d(level=3)\n.model qn npn(tf=1n xtf=2)\n.model mn nmos(tox=1e-7)"
    made = amplifier(f".subckt amp 1 2 3 4 5\nR0 5 0 1k\n{line}\n{models}\n.ends\n")
    with pytest.raises(Unrealisable) as error:
        simulate(made, engine="ensemble", t_stop=1e-4)
    assert str(error.value) == (
        f"op-amp amp: its library has {line!r}, which the engine 'ensemble' does not know ({why}); run it in ngspice"
    )


def test_samples_have_models_of_their_own() -> None:
    """A resistor of the model differs between samples: each is the circuit alone."""
    libraries = [LIBRARIES["jfets"].replace("ro1 8 5 150", f"ro1 8 5 {ohms}") for ohms in (150, 400)]
    circuits = [amplifier(library) for library in libraries]
    both = simulate(circuits, engine="ensemble", t_stop=6e-5, points=301)
    for k, made in enumerate(circuits):
        alone = simulate(made, engine="ensemble", t_stop=6e-5, points=301)
        assert nrmse(alone["state"].to_numpy()[1:], both["state"].to_numpy()[k, 1:]) < 1e-4
    assert re.search("amp", repr(circuits[0].devices[5].part))
