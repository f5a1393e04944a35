"""Dialects: every design in every cell is written in each, or refused by name; decks are complete; nothing is lost."""

from __future__ import annotations

import math
import re
import subprocess
from collections import Counter
from collections.abc import Iterator
from functools import cache
from itertools import product
from pathlib import Path

import numpy as np
import pytest

import hopfield_hw as hh
from hopfield_hw.cells import CELLS
from hopfield_hw.circuit import Circuit, Device, Origin, Role
from hopfield_hw.designs.design import load_design, shipped_designs
from hopfield_hw.designs.export import design_circuit, export_deck
from hopfield_hw.functions.expressions import ARGUMENT, Argument
from hopfield_hw.parts import (
    LM13700,
    Behaviour,
    Capacitor,
    CurrentSource,
    Diode,
    IdealGain,
    Line,
    Multiplier,
    OnePole,
    OpAmp,
    Part,
    Pulse,
    Resistor,
    Switch,
    Transconductance,
    Transconductor,
    Transistor,
    VoltageGain,
    VoltageSource,
)
from hopfield_hw.spice.dialects import DIALECTS, Dialect, find_dialect, write
from hopfield_hw.spice.export import write_deck
from hopfield_hw.spice.rawfile import read
from hopfield_hw.transforms import add_delay

ELSEWHERE = tuple(name for name in DIALECTS if name != "ngspice")
# What ngspice alone has, or reads in its own way.
OF_NGSPICE = re.compile(r"cur=|REL=|pwl\(|\?|itl4=|maxord=|'")
TWO = hh.Network(
    weights=[[0.0, -5e-5], [-5e-5, 0.0]],
    resistance=1e4,
    capacitance=1e-8,
    gain=hh.Tanh(gain=10.0),
    initial=[0.1, 0.05],
    input_weights=[[1e-5], [0.0]],
)


def test_the_table_holds_dialects_by_their_names() -> None:
    assert list(DIALECTS) == ["ngspice", "ltspice", "xyce"]
    for name, dialect in DIALECTS.items():
        assert isinstance(dialect, Dialect)
        assert (dialect.name, find_dialect(name)) == (name, dialect)
        assert dialect.suffix.startswith(".")


# Every design, in every cell, in every dialect.


@cache
def built(design: str, cell: str) -> Circuit | None:
    """Return the circuit of a design in a cell; None where the cell does not build it."""
    try:
        return design_circuit(load_design(design), cell, rescale=True)
    except hh.Unrealisable:
        return None


def statements(text: str) -> list[str]:
    """Return the statements of a netlist, each on one line; comments and the title are left out."""
    joined = re.sub(r"\n\+", "", text)
    return [line for line in joined.splitlines()[1:] if line and not line.startswith("*")]


def test_every_design_is_built_in_some_cells() -> None:
    counts = {cell: sum(built(design, cell) is not None for design in shipped_designs()) for cell in CELLS}
    assert counts["ideal"] == len(shipped_designs())
    assert min(counts.values()) >= 3


@pytest.mark.parametrize(("design", "cell"), list(product(shipped_designs(), CELLS)))
def test_every_design_in_every_cell_is_written_or_refused_by_name(design: str, cell: str) -> None:
    circuit = built(design, cell)
    if circuit is None:
        with pytest.raises(hh.Unrealisable):
            export_deck(load_design(design), "xyce", cell, rescale=True)
        return
    lines = [device for device in circuit.devices if isinstance(device.part, Line) and device.part.initial != 0.0]
    for name in DIALECTS:
        if lines and name != "ngspice":
            with pytest.raises(hh.Unrealisable, match=f"^device {lines[0].name}: starts at .* starts empty; give the"):
                write(circuit, name)
            continue
        text = export_deck(load_design(design), name, cell, rescale=True)
        assert text.splitlines()[0] == f"* {circuit.title}"
        assert text.endswith("\n.end\n")
        assert text.count(".end\n") == 1
        assert text.isascii()
        found = Counter(line.split()[0].lower() for line in statements(text.split("\n.ic")[0].split("\n.IC")[0]))
        assert all(found[device.name.lower()] == 1 for device in circuit.devices), design
        if name != "ngspice":
            assert OF_NGSPICE.search("\n".join(statements(text))) is None


# What each part is in each dialect.

NOTHING = Origin("x", Role.WEIGHT, (0,))
FORMS: dict[str, tuple[Part, tuple[str, ...], dict[str, str]]] = {
    "R_1": (Resistor(5e4), ("a", "b"), {"": "R_1 a b 50000"}),
    "R_2": (
        Resistor(220.0, drift=3.5e-3),
        ("a", "b"),
        {"": "R_2 a b 220 tc1=0.0035", "ltspice": "R_2 a b 220 tc=0.0035"},
    ),
    "C_1": (Capacitor(1e-9), ("a", "b"), {"": "C_1 a b 1e-09"}),
    "V_1": (VoltageSource(-1.5), ("a", "0"), {"": "V_1 a 0 DC -1.5"}),
    "V_2": (VoltageSource(((0.0, 1.0), (1e-3, -2.0))), ("a", "0"), {"": "V_2 a 0 PWL(0.0 1.0 0.001 -2.0)"}),
    "V_3": (
        VoltageSource(Pulse(0.0, 1.0, 1e-3, 1e-6, 2e-3, 4e-3)),
        ("a", "0"),
        {"": "V_3 a 0 PULSE(0.0 1.0 0.001 1e-06 1e-06 0.002 0.004)"},
    ),
    "I_1": (CurrentSource(2e-6), ("0", "a"), {"": "I_1 0 a 2e-06"}),
    "E_1": (VoltageGain(-1.0), ("c", "0", "a", "b"), {"": "E_1 c 0 a b -1"}),
    "G_1": (Transconductance(1e-4), ("0", "c", "a", "b"), {"": "G_1 0 c a b 0.0001"}),
    "G_2": (Transconductor(1e-4), ("0", "c", "a", "b"), {"": "G_2 0 c a b 0.0001"}),
    "G_3": (
        Transconductor(1e-4, 0.5),
        ("0", "c", "a", "b"),
        {
            "ngspice": "G_3 0 c cur='5e-05*tanh(v(a,b)/0.5)'",
            "ltspice": "B_G_3 0 c I=5e-05*tanh(v(a,b)/0.5)",
            "xyce": "B_G_3 0 c I={5e-05*tanh(v(a,b)/0.5)}",
        },
    ),
    "G_4": (
        Switch(1.0, 1000.0),
        ("a", "b", "c", "0"),
        {
            "ngspice": "G_4 a b cur='(0.001+0.999*v(c))*v(a,b)'",
            "ltspice": "B_G_4 a b I=(0.001+0.999*v(c))*v(a,b)",
            "xyce": "B_G_4 a b I={(0.001+0.999*v(c))*v(a,b)}",
        },
    ),
    "B_1": (
        Behaviour(Argument(0) * Argument(1)),
        ("c", "0", "a", "b"),
        {"": "B_1 c 0 V=v(a)*v(b)", "xyce": "B_1 c 0 V={v(a)*v(b)}"},
    ),
    "B_2": (
        Behaviour(2.0 * ARGUMENT, "current"),
        ("c", "0", "a"),
        {"": "B_2 c 0 I=2.0*v(a)", "xyce": "B_2 c 0 I={2.0*v(a)}"},
    ),
    "B_3": (
        Multiplier(),
        ("c", "a", "b", "0"),
        {"": "B_3 c 0 V=0.1*v(a)*v(b)", "xyce": "B_3 c 0 V={0.1*v(a)*v(b)}"},
    ),
    "Q_1": (Transistor(200.0, 1e-14, 100.0), ("a", "b", "c"), {"": "Q_1 a b c npn_200_1em14_100"}),
    "Q_2": (Transistor(50.0, 1e-14, math.inf, "pnp"), ("a", "b", "c"), {"": "Q_2 a b c pnp_50_1em14_inf"}),
    "D_1": (
        Diode(saturation_current=1e-9, emission=2.0),
        ("a", "b"),
        {"": "D_1 a b diode_1em09_2_0_0_0p005_0_1_inf"},
    ),
    "X_2": (LM13700, ("a", "b", "c", "d", "e", "f"), {"": "X_2 a b c d e f ota_600_60_1em15_100"}),
    "T_1": (
        Line(1e-3, 50.0),
        ("a", "0", "b", "0"),
        {
            "ngspice": "T_1 a 0 b 0 Z0=50 TD=0.001 REL=3.0 IC=0.0,0.0,0.0,-0.0",
            "ltspice": "T_1 a 0 b 0 Td=0.001 Z0=50",
            "xyce": "T_1 a 0 b 0 Z0=50 TD=0.001",
        },
    ),
    "E_2": (OpAmp(IdealGain(1e6)), ("a", "b", "c"), {"": "E_2 c 0 a b 1000000"}),
    "X_1": (OpAmp(OnePole()), ("a", "b", "c"), {"": "X_1 a b c onepole_200000_3000000_m13p5_13p5_75"}),
}


@pytest.mark.parametrize(("name", "dialect"), list(product(FORMS, DIALECTS)))
def test_every_part_has_its_form_in_every_dialect(name: str, dialect: str) -> None:
    part, nodes, texts = FORMS[name]
    (line,) = find_dialect(dialect).format_devices((Device(name, part, nodes, NOTHING),), {})
    assert line == texts.get(dialect, texts.get(""))


@pytest.mark.parametrize("dialect", DIALECTS)
def test_an_element_begins_with_its_letter_whatever_its_name(dialect: str) -> None:
    """A capacitor by the name of a resistor would else be one."""
    letters = {"R_1": "R", "C_1": "C", "V_1": "V", "I_1": "I", "E_1": "E", "G_1": "G", "G_2": "G", "B_1": "B"}
    letters |= {"Q_1": "Q", "T_1": "T", "E_2": "E", "X_1": "X", "D_1": "D", "X_2": "X"}
    for name, letter in letters.items():
        part, nodes, _ = FORMS[name]
        for wrong in "RCVIEGBQTXZDr":
            (line,) = find_dialect(dialect).format_devices((Device(f"{wrong}_7", part, nodes, NOTHING),), {})
            assert line[0].upper() == letter
            assert f"{wrong}_7" in line.split()[0]


def test_a_line_that_starts_with_a_voltage_is_of_ngspice_alone() -> None:
    device = Device("T_1", Line(1e-3, 50.0, 0.5), ("a", "0", "b", "0"), NOTHING)
    assert list(find_dialect("ngspice").format_devices((device,), {})) == [
        "T_1 a 0 b 0 Z0=50 TD=0.001 REL=3.0 IC=0.5,0.01,0.5,-0.01"
    ]
    for name, simulator in (("ltspice", "LTspice"), ("xyce", "Xyce")):
        with pytest.raises(hh.Unrealisable) as refused:
            find_dialect(name).format_devices((device,), {})
        assert str(refused.value) == (
            f"device T_1: starts at 0.5 V, and a transmission line of {simulator} starts empty; give the delay a "
            "history of 0, or export to ngspice"
        )


@pytest.mark.parametrize("dialect", ELSEWHERE)
def test_a_delay_with_a_history_of_0_is_written_everywhere(dialect: str) -> None:
    graph = add_delay(TWO, 1e-4, history={"v": [0.0, 0.0]})
    text = write(hh.lower(graph, cell="hopfield_tank"), dialect)
    assert len(re.findall(r"(?m)^T_\S+ .*TD=0\.0001", text, re.IGNORECASE)) == 2


@pytest.mark.parametrize("dialect", DIALECTS)
def test_a_model_within_a_subcircuit_has_the_parameters_of_the_dialect(dialect: str) -> None:
    circuit = hh.lower(TWO, cell="inverting_integrator", op_amp=OnePole())
    text = write(circuit, dialect)
    word = " PARAMS:" if dialect == "xyce" else ""
    name = "onepole_200000_3000000_m13p5_13p5_75"
    assert f".subckt {name} plus minus output{word} start=0.0\n" in text
    assert f"X_x_0 0 x_sum_0 xn_0 {name}{word} start=-0.1\n" in text
    inside = text[text.index(".subckt") : text.index(".ends")].splitlines()[1:]
    assert [line[0] for line in inside] == ["G", "R", "C", "B", "E", "R"]
    assert inside[2].endswith(" IC={start}")
    assert ("I={" in inside[3]) == (dialect == "xyce")


# Decks.


def words(deck: str) -> Iterator[str]:
    """Yield the words of the cards of the analysis."""
    start = deck.lower().rindex("\n.ic")
    yield from re.sub(r"\n\+", "", deck[start:]).replace("\n", " ").split()


@pytest.mark.parametrize("dialect", DIALECTS)
def test_a_tight_deck_has_what_simulate_ends_with_and_an_everyday_one_the_usual(dialect: str) -> None:
    tight, everyday = (
        write_deck(TWO, dialect, t_stop=2e-3, inputs=0.5, options=options)  # type: ignore[arg-type]
        for options in ("tight", "everyday")
    )
    devices = find_dialect(dialect).write(hh.lower(TWO).driven(0.5))
    for deck in (tight, everyday):
        assert deck.startswith(devices)
        assert "V_u_0 u_0 0 DC 0.5" in deck
        lower = [word.lower() for word in words(deck)]
        assert {"v(x_0)=0.1", "v(x_1)=0.05", "v(v_0)", "v(v_1)"} <= set(lower)
        assert lower[-2:] == ["uic", ".end"]
    cards = {"tight": list(words(tight)), "everyday": list(words(everyday))}
    found = {name: dict(word.lower().split("=", 1) for word in all_ if "=" in word) for name, all_ in cards.items()}
    assert float(found["tight"]["reltol"]) <= 1e-6
    assert float(found["everyday"]["reltol"]) == 1e-4
    assert "method" in found["tight"]
    assert "method" not in found["everyday"]
    steps = {name: [word for word in all_ if re.fullmatch(r"[0-9.e+-]+", word)] for name, all_ in cards.items()}
    longest = {name: float(numbers[-1]) for name, numbers in steps.items()}
    assert longest["tight"] < longest["everyday"] == 2e-3 / 500


@pytest.mark.usefixtures("ngspice")
@pytest.mark.parametrize("options", ["tight", "everyday"])
def test_ngspice_runs_a_deck_of_either_kind(options: str, ngspice: str, tmp_path: Path) -> None:
    deck, raw = tmp_path / "deck.cir", tmp_path / "out.raw"
    deck.write_text(write_deck(TWO, cell="hopfield_tank", t_stop=2e-3, options=options))  # type: ignore[arg-type]
    subprocess.run([ngspice, "-n", "-b", "-r", str(raw), str(deck)], check=True, capture_output=True, cwd=tmp_path)
    (plot,) = read(raw)
    times, found = plot.column("time").real, plot.column("v(x_0)").real
    reference = hh.reference(TWO, t_stop=2e-3)
    expected = np.interp(times, reference["time"], reference["state"][:, 0])
    assert times[-1] == pytest.approx(2e-3)
    assert np.max(np.abs(found - expected)) < (1e-4 if options == "tight" else 1e-2) * np.ptp(expected)


def test_a_deck_takes_a_network_or_its_circuit() -> None:
    circuit = hh.lower(TWO, cell="hopfield_tank")
    assert write_deck(TWO, cell="hopfield_tank", t_stop=1e-3) == write_deck(circuit, t_stop=1e-3)
    assert write_deck(TWO.graph(), t_stop=1e-3) == write_deck(hh.lower(TWO), t_stop=1e-3)
    assert write_deck(TWO, t_stop=1e-3) == write_deck(TWO, t_stop=1e-3)
    for act, message in (
        (
            lambda: write_deck(circuit, cell="ideal"),
            "`cell`: the circuit is lowered already; leave it out, or give the network",
        ),
        (lambda: write_deck(TWO, options="loose"), "`options` = 'loose': must be tight or everyday"),  # type: ignore[arg-type]
        (lambda: write_deck(TWO, "pspice"), "dialect 'pspice': must be one of ngspice, ltspice, xyce"),
        (
            lambda: write_deck(TWO, accuracy=2.0),
            "`accuracy` = 2.0: is an NRMSE and must be from 1e-09 to below 1, such as 1e-4",
        ),
    ):
        with pytest.raises(hh.InputError) as refused:
            act()
        assert str(refused.value) == message


# Blocks.


@pytest.mark.parametrize(("design", "cell"), list(product(shipped_designs(), CELLS)))
def test_each_device_is_in_exactly_one_block(design: str, cell: str) -> None:
    circuit = built(design, cell)
    if circuit is None:
        return
    members = Counter(device.name for block in circuit.blocks for device in block.devices)
    assert members == Counter(device.name for device in circuit.devices)
    headings = [block.heading for block in circuit.blocks]
    assert len(set(headings)) == len(headings)
    assert all(block.devices for block in circuit.blocks)
    text = circuit.netlist()
    positions = [text.index(f"\n* {heading}\n") for heading in headings]
    assert positions == sorted(positions)


def test_a_block_holds_a_neuron_with_its_synapses() -> None:
    net = hh.Network(
        weights=[[1e-5, -5e-5], [-5e-5, 0.0]],
        resistance=1e4,
        capacitance=1e-8,
        initial=0.1,
        bias=[1e-6, 0.0],
        labels=("left", "right"),
    )
    for cell in CELLS:
        circuit = hh.lower(net, cell=cell)
        blocks = {block.heading: block.devices for block in circuit.blocks}
        left = {device.origin.operator for device in blocks["neuron left"]}
        assert left == {"x", "v", "syn"}
        for label, k in (("left", 0), ("right", 1)):
            synapses = [d for d in blocks[f"neuron {label}"] if d.origin.role is Role.WEIGHT]
            assert {d.origin.element[0] for d in synapses} == {k}
            # Devices say whom they serve by its label.
            assert all(f"_{label}" in d.name for d in synapses)
