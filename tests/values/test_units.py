"""Quantities as people write them, and values that nobody can build with."""

from __future__ import annotations

import re
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import hopfield_hw as hh
from hopfield_hw.cells import ChuaYang, SummingAmplifier
from hopfield_hw.cli import run
from hopfield_hw.designs.design import shipped_designs
from hopfield_hw.families import FAMILIES, CellularNetwork, Template
from hopfield_hw.graph import Activate, Affine, Clock, Edge, Graph, Hold, Leak, Output
from hopfield_hw.tolerance import Tolerances
from hopfield_hw.transforms import add_delay
from hopfield_hw.values.si_text import parse_si

READ = [
    ("10k", "Ohm", 10e3),
    ("10K", "Ohm", 10e3),
    ("4.7nF", "F", 4.7e-9),
    ("4.7 NF", "F", 4.7e-9),
    ("20 uS", "S", 20e-6),
    ("-20 µS", "S", -20e-6),
    ("100μA", "A", 100e-6),  # the Greek letter
    ("1meg", "Ohm", 1e6),
    ("1 MEGohm", "Ohm", 1e6),
    ("1M", "Ohm", 1e6),
    ("1m", "Ohm", 1e-3),
    ("2k2", "Ohm", 2.2e3),
    ("4n7", "F", 4.7e-9),
    ("4n7F", "F", 4.7e-9),
    ("2meg2", "Ohm", 2.2e6),
    ("4R7", "Ohm", 4.7),
    ("R47", "Ohm", 0.47),
    ("100R", "Ohm", 100.0),
    ("3V3", "V", 3.3),
    ("-3V3", "V", -3.3),
    ("10 kOhm", "Ohm", 10e3),
    ("10kΩ", "Ohm", 10e3),
    ("10k\N{OHM SIGN}", "Ohm", 10e3),
    ("1e4", "Ohm", 1e4),
    ("1e-1k", "Ohm", 100.0),
    (" 5 ms ", "s", 5e-3),
    ("5f", "F", 5e-15),
    ("5F", "F", 5.0),
    ("50 uA/V", "S", 50e-6),
    ("3 umho", "S", 3e-6),
    ("inf", "Ohm", np.inf),
    ("1%", "", 0.01),
    ("10k", "", 10e3),
    (".5", "V", 0.5),
    ("−2 mV", "V", -2e-3),  # noqa: RUF001  # the minus sign
]


@pytest.mark.parametrize(("text", "unit", "value"), READ)
def test_text_is_the_nearest_number(text: str, unit: str, value: float) -> None:
    assert parse_si(text, "x", unit) == value


REFUSED = [
    ("10 nF", "Ohm", "`x` = '10 nF': is in farads: must be in ohms"),
    ("20 kOhm", "S", "`x` = '20 kOhm': is in ohms: must be in siemens; the conductance of 20 kOhm is '50 uS'"),
    ("20 us", "S", "`x` = '20 us': is in seconds: must be in siemens"),
    ("5 mS", "s", "`x` = '5 mS': is in siemens: must be in seconds"),
    ("1 kHz", "s", "`x` = '1 kHz': is in hertz: must be in seconds; a frequency of 1 kHz is a time of '1 ms'"),
    ("10 V", "", "`x` = '10 V': has a unit (volts): must be a number alone here"),
    ("4,7k", "Ohm", "`x` = '4,7k': has a comma: write a point"),
    ("1,000", "Ohm", "`x` = '1,000': has a comma: write a point"),
    ("100P", "F", "`x` = '100P': must be a number, with an SI prefix and the unit F where wanted, such as '4.7nF'"),
    ("10 quux", "V", "`x` = '10 quux': must be a number"),
    ("", "V", "`x` = '': must be a number"),
    ("k", "Ohm", "`x` = 'k': must be a number"),
    ("1_000", "Ohm", "`x` = '1_000': must be a number"),
    ("1e999", "Ohm", "`x` = '1e999': is beyond what numbers reach"),
    ("1e99999999999", "Ohm", "`x` = '1e99999999999': must be a number"),
    ("10k; .include x", "Ohm", "`x` = '10k; .include x': must be a number"),
    ("\u0661\u0660", "Ohm", "`x` = '\u0661\u0660': must be a number"),  # digits of another script
]


@pytest.mark.parametrize(("text", "unit", "message"), REFUSED)
def test_other_text_is_refused(text: str, unit: str, message: str) -> None:
    with pytest.raises(hh.InputError) as caught:
        parse_si(text, "x", unit)
    assert str(caught.value).startswith(message)


USUAL: dict[str, Any] = {
    "weights": [[0, -50e-6], [-50e-6, 0]],
    "resistance": 10e3,
    "capacitance": 10e-9,
    "gain": hh.Tanh(gain=10.0),
    "initial": [0.1, 0.05],
}


def test_a_network_of_texts_is_that_of_numbers(tmp_path: Path) -> None:
    unit = pytest.importorskip("PySpice.Unit")
    given = hh.Network(
        weights=[["0", "-50uS"], [unit.u_uS(-50), 0.0]],
        resistance=unit.u_kΩ(10),
        capacitance=np.array("10nF"),
        gain=hh.Tanh(gain="10"),
        initial=["100mV", np.float32(0.05)],
        bias=np.array(["0", "1 uA"]),
        input_weights=[["1u"], ["2 uS"]],
    )
    assert given.weights == pytest.approx(np.array([[0.0, -50e-6], [-50e-6, 0.0]]), rel=1e-15)  # PySpice rounds
    assert given.resistance.tolist() == [10e3, 10e3]
    assert given.capacitance.tolist() == [10e-9, 10e-9]
    assert given.gain == hh.Tanh(gain=10.0)
    assert given.initial.tolist() == [0.1, float(np.float32(0.05))]
    assert given.bias.tolist() == [0.0, 1e-6]
    assert given.input_weights.tolist() == [[1e-6], [2e-6]]
    with pytest.raises(hh.InputError, match="is in farads: must be in ohms"):
        hh.Network(**{**USUAL, "resistance": unit.u_nF(10)})
    with pytest.raises(hh.InputError, match="has a unit"):
        hh.Network.dimensionless([[0.0]], bias="5 mV")


def test_texts_wherever_a_quantity_is(tmp_path: Path) -> None:
    net = hh.Network(**USUAL, input_weights=[[1e-5], [0.0]])
    late = add_delay(net, "20us")
    assert late.hash == add_delay(net, 20e-6).hash
    short: dict[str, Any] = {"points": 3, "accuracy": 1e-3}
    wave = hh.reference(net, t_stop="1ms", inputs="500mV", **short)
    assert wave.equals(hh.reference(net, t_stop=1e-3, inputs=0.5, **short))
    assert Clock(period="10us", phase="1us") == Clock(period=10e-6, phase=1e-6)
    assert Tolerances(resistors="1%", offset="5mV") == Tolerances(resistors=0.01, offset=5e-3)
    assert hh.Signal(times=["0", "1ms"], values=["0", "1V"]).times.tolist() == [0.0, 1e-3]
    assert hh.ActiveRC(resistance="47k", reference="5V") == hh.ActiveRC(resistance=47e3, reference=5.0)
    assert hh.Pair(tail_current="100uA", early_voltage="inf") == hh.Pair(tail_current=1e-4, early_voltage=np.inf)
    assert SummingAmplifier(feedback="22k") == SummingAmplifier(feedback=22e3)
    assert ChuaYang(output_resistance="1meg", clamp_resistance="1R") == ChuaYang()
    image = CellularNetwork(template=Template(feedback=[[2.0]]), image=[[0.5]], resistance="1k", capacitance="1nF")
    assert (image.resistance, image.capacitance) == (1e3, 1e-9)


def test_texts_in_a_design(tmp_path: Path) -> None:
    (tmp_path / "design.toml").write_text(
        'title = "T"\ncitation = "C"\n[network]\nweights = [["0", "-50uS"], [-50e-6, 0.0]]\nresistance = "10k"\n'
        'capacitance = "10nF"\ngain = {kind = "tanh", gain = "10"}\ninitial = ["100mV", 0.05]\n'
        'input_weights = [["10u"], ["0"]]\n[analysis]\nt_stop = "2ms"\n'
        'inputs = {times = ["0", "1ms"], values = ["0", "1V"]}\n[delay]\ntau = "5us"\n'
    )
    design = hh.load_design(tmp_path)
    assert design.t_stop == 2e-3
    net = hh.Network(**USUAL, input_weights=[[1e-5], [0.0]])
    assert design.graph().hash == add_delay(net, 5e-6).hash


def test_the_command_line_takes_texts_and_warns_in_one_line(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    path = tmp_path / "net.json"
    hh.Network(**{**USUAL, "capacitance": 10.0}).to_json(path)
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        assert run(["export", str(path), "--to", "ngspice", "-o", str(tmp_path / "net.cir")]) == 0
    (line,) = (line for line in capsys.readouterr().err.splitlines() if "capacitance" in line)
    assert line.startswith("hopfield-hw: warning: `x.capacitance[0]` = 10 F: is far outside")
    assert run(["simulate", str(path), "--timeout", "5 kOhm"]) == 2
    assert "is in ohms: must be in seconds" in capsys.readouterr().err


def leaky(**others: Any) -> Graph:
    fields: dict[str, Any] = {"capacitance": [1e-8], "resistance": [1e4], "initial": [0.1]}
    operators = (
        Leak(name="x", **{**fields, **others}),
        Activate(name="v", size=1, function=hh.Tanh(amplitude=others.pop("amplitude", 1.0))),
        Affine(name="w", weights=[[1e-5]]),
        Output(name="o", size=1),
    )
    return Graph(operators=operators, edges=(Edge("x", "v"), Edge("v", "w"), Edge("w", "x"), Edge("v", "o")))


def held(period: float) -> Graph:
    operators = (
        Hold(name="x", clock=Clock(period=period), initial=[0.5]),
        Affine(name="a", weights=[[0.5]]),
        Output(name="o", size=1),
    )
    return Graph(operators=operators, edges=(Edge("x", "a"), Edge("a", "x"), Edge("x", "o")))


UNUSUAL: dict[str, tuple[Callable[[], Any], str]] = {
    "weights in ohms": (
        lambda: hh.Network(**{**USUAL, "weights": [[0, -20e3], [-20e3, 0]]}),
        r"`syn.weights\[0, 1\]` = -20 kS: .*ohms\? siemens are meant: 1/20000 = 5e-05",
    ),
    "weights in uS": (lambda: hh.Network(**{**USUAL, "weights": [[0, -50], [-50, 0]]}), r"was .*50 uS.* meant\?"),
    "resistance in kOhm": (lambda: hh.Network(**{**USUAL, "resistance": 10.0}), "was .*10 kOhm.* meant"),
    "resistance in siemens": (
        lambda: hh.Network(**{**USUAL, "resistance": [1e4, 1e-4]}),
        r"`x.resistance\[1\]` = 100 uOhm: .*siemens\? ohms are meant: 1/0.0001 = 10000",
    ),
    "capacitance in nF": (lambda: hh.Network(**{**USUAL, "capacitance": 10.0}), "was .*10 nF.* meant"),
    "bias in uA": (lambda: hh.Network(**USUAL, bias=[0.0, 5.0]), r"`syn.bias\[1\]` = 5 A: .*5 uA"),
    "initial in mV": (lambda: hh.Network(**{**USUAL, "initial": [100.0, 0]}), "`x.initial.* = 100 V: .*100 mV"),
    "input weights in ohms": (lambda: hh.Network(**USUAL, input_weights=[[0], [1e5]]), r"`syn_u.weights\[1, 0\]`"),
    "amplitude in mV": (
        lambda: hh.Network(**{**USUAL, "gain": hh.Tanh(amplitude=[1.0, 500.0])}),
        r"`v.amplitude\[1\]` = 500 V: .*500 mV",
    ),
    "delay in us": (lambda: add_delay(hh.Network(**USUAL), 5.0), "`v_late.tau` = 5 s: .*5 us"),
    "period in hertz": (lambda: held(1000.0), r"hertz\? seconds are meant: 1/1000 = 0.001"),
    "a normalised network": (
        lambda: hh.Network(weights=[[1.0]], resistance=1.0, capacitance=1.0),
        "Network.dimensionless, or a Graph with Units",
    ),
}


@pytest.mark.parametrize(("build", "message"), UNUSUAL.values(), ids=UNUSUAL)
def test_what_nobody_builds_is_warned_of(build: Callable[[], Any], message: str) -> None:
    network = build()
    with pytest.warns(hh.UnusualValueWarning) as said:
        hh.lower(network)
    texts = [str(one.message) for one in said]
    assert any(re.search(message, text) for text in texts), texts
    assert len({text.split("`")[1].split("[")[0] for text in texts}) == len(texts)  # one for each quantity
    assert all(one.filename == __file__ for one in said)  # at the line that called


def test_the_reference_takes_any_value() -> None:
    normalised = hh.Network(weights=[[0.5]], resistance=1.0, capacitance=1.0, initial=0.3)
    assert hh.reference(normalised, t_stop=2.0, points=3).sizes["time"] == 3


def test_times_and_inputs_of_a_run_are_warned_of(ngspice: str) -> None:
    net = hh.Network(**USUAL, input_weights=[[1e-6], [0.0]])
    circuit = hh.lower(net)
    with pytest.warns(hh.UnusualValueWarning, match=r"`inputs` = 100 V: .*100 mV"):
        circuit.driven([100.0])
    long = r"`t_stop` = 5 s: is 5e\+04 time constants of 100 us; .*5 ms meant"
    for run_it in (hh.simulate, hh.verify):
        with pytest.warns(hh.UnusualValueWarning, match=long):
            run_it(net, t_stop=5.0, accuracy=1e-2)
    slow = hh.Signal(times=[0.0, 4.0], values=[0.0, 0.1])  # inputs that last say that the run is meant to
    hh.simulate(circuit, t_stop=5.0, inputs=slow, accuracy=1e-2)


@pytest.mark.parametrize("name", shipped_designs())
def test_shipped_designs_are_usual(name: str) -> None:
    hh.lower(hh.load_design(name), rescale=True)


@pytest.mark.parametrize("family", FAMILIES)
def test_random_networks_are_usual(family: str) -> None:
    for seed in range(3):
        hh.lower(FAMILIES[family](np.random.default_rng(seed)), rescale=True)


def test_units_of_a_network_count() -> None:
    hh.lower(hh.Network.dimensionless([[0.0, 1.0], [1.0, 0.0]], tau=[1.0, 2.0], initial=0.3))
    with pytest.warns(hh.UnusualValueWarning, match="capacitance") as said:
        hh.lower(hh.Network.dimensionless([[0.0]], seconds=1e3, siemens=1e-4))
    assert not any("dimensionless" in str(one.message) for one in said)
