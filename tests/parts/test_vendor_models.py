"""Vendors' libraries: which file it was, pins by name, what is not readable, and functions of PSpice in ngspice."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path

import pytest

import hopfield_hw as hh
from hopfield_hw.benches import offset_circuit
from hopfield_hw.parts import Subcircuit
from hopfield_hw.spice.dialects.pspice import FUNCTIONS, translate_library
from hopfield_hw.spice.ngspice import run

LIBRARY = """\
* a vendor's model
.subckt amp 10 20 30 40 50
Rin 10 20 1meg
E1 e 0 VALUE={LIMIT(1e5*V(10,20),V(40)+1,V(30)-1)}
R1 e p 1k
C1 p 0 100n
E2 o 0 p 0 1
R2 o 50 50
.ends amp
"""
PINS = ("plus", "minus", "supply_plus", "supply_minus", "output")
BY_NODE = dict(zip(("10", "20", "30", "40", "50"), PINS, strict=True))


def test_the_file_is_recorded(tmp_path: Path) -> None:
    path = tmp_path / "amp.lib"
    path.write_bytes(LIBRARY.replace("\n", "\r\n").encode())
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    model = Subcircuit(library=path, name="amp", pins=PINS)
    assert model.sha256 == digest
    assert repr(model) == f"<Subcircuit amp: pins {' '.join(PINS)}, library sha256 {digest[:12]}>"
    for dialect in ("ngspice", "ltspice", "xyce"):
        assert offset_circuit(model).netlist(dialect).count(f"\n* library sha256 {digest}\n") == 1
    # It is that of the file still, after its comments have gone.
    assert replace(model, supplies={"supply_plus": 5.0, "supply_minus": 0.0}).sha256 == digest
    text = Subcircuit(library=LIBRARY, name="amp", pins=PINS)
    assert text.sha256 == hashlib.sha256(LIBRARY.encode()).hexdigest() != digest


def test_pins_are_given_in_order_or_by_node() -> None:
    ordered = Subcircuit(library=LIBRARY, name="amp", pins=PINS)
    shuffled = dict(reversed(BY_NODE.items()))
    assert Subcircuit(library=LIBRARY, name="AMP", pins=shuffled).pins == ordered.pins == PINS


@pytest.mark.usefixtures("ngspice")
def test_a_model_is_measured_on_a_bench() -> None:
    model = Subcircuit(library=LIBRARY, name="amp", pins=BY_NODE)
    loop = hh.benches.measure_open_loop(model, load=2e3)
    assert loop.gain == pytest.approx(1e5 / (1.0 + 50.0 / 2e3), rel=1e-4)
    assert loop.gain_bandwidth == pytest.approx(1e5 / 1.025 / (2 * 3.141592653589793 * 1e-4), rel=1e-3)
    assert hh.benches.measure_swing(model) == pytest.approx((-14.0, 14.0), abs=1e-6)


REMEDY = "ask the vendor for a plain one, or make a model from the data sheet (`read_data_sheet`)"
REFUSED = {
    "PSpice": (
        b"* model\n$CDNENCSTART\n0a1b2c\n$CDNENCFINISH\n",
        f"`Subcircuit.library` 'amp.lib': is encrypted for PSpice ('$cdnencstart'); {REMEDY}",
    ),
    "LTspice": (
        b"* LTspice Encrypted File\n*\n* Begin:\n  6F 12 5E\n",
        f"`Subcircuit.library` 'amp.lib': is encrypted for LTspice ('ltspice encrypted file'); {REMEDY}",
    ),
    "HSPICE": (
        b".subckt amp 1 2 3 4 5\n.prot\nxyz\n.unprot\n.ends\n",
        f"`Subcircuit.library` 'amp.lib': is encrypted for HSPICE ('.prot'); {REMEDY}",
    ),
    "binary": (
        b"\x07\x00\x1f\x00.subckt",
        f"`Subcircuit.library` 'amp.lib': is a binary file, perhaps an encrypted one; {REMEDY}",
    ),
    "empty": (b"", "`Subcircuit.name` = 'amp': the library has none"),
}


@pytest.mark.parametrize(("content", "message"), REFUSED.values(), ids=REFUSED)
def test_what_cannot_be_read_is_refused(tmp_path: Path, content: bytes, message: str) -> None:
    path = tmp_path / "amp.lib"
    path.write_bytes(content)
    with pytest.raises(hh.InputError) as refused:
        Subcircuit(library=path, name="amp", pins=PINS)
    assert str(refused.value) == message


@pytest.mark.parametrize(
    ("pins", "message"),
    [
        (BY_NODE | {"60": "plus"}, "`Subcircuit.pins` names node '60': amp has 10 20 30 40 50"),
        (
            {node: pin for node, pin in BY_NODE.items() if node != "40"},
            "`Subcircuit.pins` has no pin for node '40' of amp: must name one for each of 10 20 30 40 50",
        ),
        (
            BY_NODE | {"20": "plus"},
            "`Subcircuit.pins` is plus, plus, supply_plus, supply_minus, output: must name each of minus, output, "
            "plus, supply_minus, supply_plus once",
        ),
        (
            PINS[:4],
            "`Subcircuit.pins` is plus, minus, supply_plus, supply_minus: must name each of minus, output, plus, "
            "supply_minus, supply_plus once",
        ),
    ],
    ids=["an unknown node", "a missing node", "a pin twice", "a missing pin"],
)
def test_pins_that_do_not_fit_are_refused(pins: object, message: str) -> None:
    with pytest.raises(hh.InputError) as refused:
        Subcircuit(library=LIBRARY, name="amp", pins=pins)  # type: ignore[arg-type]
    assert str(refused.value) == message


def test_a_file_in_utf16_is_read_as_ltspice_writes_it(tmp_path: Path) -> None:
    path = tmp_path / "amp.sub"
    path.write_bytes(LIBRARY.encode("utf-16"))
    assert Subcircuit(library=path, name="amp", pins=PINS).pins == PINS


def test_an_absent_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "none.lib"
    with pytest.raises(hh.InputError) as refused:
        Subcircuit(library=path, name="amp", pins=PINS)
    assert str(refused.value) == f"`Subcircuit.library` {str(path)!r}: cannot be read (No such file or directory)"


# PSpice A/D Reference Guide, "Functions": what each is for V(i) = 0.7.
VALUES = {
    "LIMIT(2*V(i),-1,1)": 1.0,
    "LIMIT(2*V(i),1,-1)": 1.0,
    "LIMIT(V(i),-1,1)": 0.7,
    "IF(V(i)>0.5,1,2)": 1.0,
    "IF(V(i)>0.9 | V(i)<0.1,1,2)": 2.0,
    "IF(V(i)>0.5 & V(i)<1,3,2)": 3.0,
    "IF(~(V(i)>0.5),1,2)": 2.0,
    "STP(V(i))": 1.0,
    "STP(-V(i))": 0.0,
    "PWR(-V(i),2)": 0.49,
    "PWRS(-V(i),2)": -0.49,
    "ARCTAN(V(i))": 0.6107259643892087,
    "SGN(-V(i))": -1.0,
    "V(i)**2": 0.49,
    "MIN(V(i),MAX(0.2,0.1))": 0.2,
}


@pytest.mark.usefixtures("ngspice")
def test_functions_of_pspice_are_what_they_are_there() -> None:
    lines = [f"E{k} o{k} 0 VALUE={{{formula}}}" for k, formula in enumerate(VALUES)]
    nodes = " ".join(f"o{k}" for k in range(len(VALUES)))
    library = "\n".join((f".subckt s i {nodes}", *lines, "RT i 0 1k TC=0.001,0", ".ends"))
    translated = "\n".join(translate_library(library, "s"))
    loads = "\n".join(f"R{k} o{k} 0 1k" for k in range(len(VALUES)))
    deck = f"* functions\nVi i 0 0.7\n{translated}\nX1 i {nodes} s\n{loads}\n.op\n.end\n"
    plot = run(deck, t_stop=None, timeout=20.0)
    found = {formula: float(plot.column(f"v(o{k})")[0].real) for k, formula in enumerate(VALUES)}
    assert found == pytest.approx(VALUES, abs=1e-9)


def test_a_library_that_needs_nothing_is_left_as_it_is() -> None:
    library = Subcircuit(library=".subckt a 1 2 3 4 5\nE1 5 0 1 2 1\n.ends\n", name="a", pins=PINS).library
    assert translate_library(str(library), "a") == str(library).split("\n")
    own = ".func if(a,b,c) {a*b+(1-a)*c}\n.subckt a 1\nE1 1 0 VALUE={if(V(1)>0,1,2)}\n.ends"
    assert translate_library(own, "a") == own.split("\n")
    assert set(FUNCTIONS) == {"limit", "if", "stp", "pwr", "pwrs", "arctan"}


@pytest.mark.parametrize(
    ("line", "message"),
    [
        (
            "E1 5 0 LAPLACE {V(1)} = {1/(1+s)}",
            "op-amp a: its library has a LAPLACE source ('E1 5 0 LAPLACE {V(1)} = {1/(1+s)}'), which ngspice lacks: "
            "write resistors and capacitors around G sources in its place, or export to a simulator that has it",
        ),
        (
            ".model sm VSWITCH(Ron=1)",
            "op-amp a: its library has a VSWITCH model ('.model sm VSWITCH(Ron=1)'), which ngspice lacks: write a SW "
            "model with VT and VH, or a B source in its place, or export to a simulator that has it",
        ),
        (
            "E1 5 0 VALUE={TABLE(V(1),0,0,1,1)}",
            "op-amp a: its library has a TABLE function ('E1 5 0 VALUE={TABLE(V(1),0,0,1,1)}'), which ngspice lacks: "
            "write pwl, with a point more on either side where it is flat in its place, or export to a simulator that "
            "has it",
        ),
    ],
    ids=["laplace", "switch", "table"],
)
def test_what_ngspice_lacks_is_refused_by_name(line: str, message: str) -> None:
    library = f".subckt a 1 2 3 4 5\n{line}\n.ends\n"
    circuit = offset_circuit(Subcircuit(library=library, name="a", pins=PINS))
    with pytest.raises(hh.Unrealisable) as refused:
        circuit.netlist("ngspice")
    assert str(refused.value) == message
    assert line in circuit.netlist("ltspice")
