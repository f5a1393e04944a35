"""Models of op-amps in every cell that has them: a gain, one pole with rails, and a user's own subcircuit."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import hopfield_hw as hh
from hopfield_hw.cells import CELLS, AllPass
from hopfield_hw.circuit import Device, Role
from hopfield_hw.parts import OpAmp, Subcircuit, VoltageGain
from hopfield_hw.spice.dialects import DIALECTS, write
from hopfield_hw.spice.ngspice import run
from hopfield_hw.transforms import add_delay, hold_outputs

TAU = 1e-3
IN_OP_AMPS = tuple(name for name, cell in CELLS.items() if hasattr(cell, "op_amp"))
# A macro-model as vendors write them: a differential input with a bias path, one pole with limits that follow the
# supplies, and an output stage; parameters, a continued line, a nested subcircuit and comments.
MACRO = """\
* A macro-model of an op-amp. Nodes: non-inverting, inverting, positive supply, negative supply, output
.param gbw_hz=5e6
.func bound(x,lo,hi) {min(max(x,lo),hi)}
.subckt stage in out ; a buffered output
E1 mid 0 in 0 1
R1 mid out 40
.ends stage
.SUBCKT macro 1 2 3 4 5
* input
Rin 1 2 10meg
Gm 0 pole 1 2 1m
Rp pole 0 {2e5/1m}
+
Cp pole 0 {1m/(6.2831853*gbw_hz)}
Blim pole 0 I={1*(v(pole)-bound(v(pole),v(4)+1.5,v(3)-1.5))}
Rs1 3 0 100k $ what the supplies give
Rs2 4 0 100k
Xout pole 5 stage
.ENDS macro
"""
PINS = ("plus", "minus", "supply_plus", "supply_minus", "output")
USER = Subcircuit(library=MACRO, name="macro", pins=PINS)
MODELS: dict[str, Any] = {"a gain": 1e7, "one pole": hh.OnePole(gain_bandwidth=1e7), "a subcircuit": USER}


def network(n: int = 3) -> hh.Network:
    """Neurons that inhibit one another alike, so that winner_take_all has its common line."""
    weights = -3e-5 * (np.ones((n, n)) - np.eye(n)) + 2e-5 * np.eye(n)
    initial, bias = np.linspace(-0.4, 0.6, n), 1e-5 * np.cos(np.arange(n))
    return hh.Network(
        weights=weights, resistance=1e4, capacitance=TAU / 1e4, gain=hh.Tanh(gain=3.0), initial=initial, bias=bias
    )


def test_the_cells_with_op_amps_are_known() -> None:
    assert set(IN_OP_AMPS) == {"inverting_integrator", "winner_take_all", "active_rc", "summing_amplifier"}
    for cell in CELLS:
        circuit = hh.lower(network(), cell=cell, rescale=True)
        assert any(isinstance(device.part, OpAmp) for device in circuit.devices) == (cell in IN_OP_AMPS)


@pytest.mark.usefixtures("ngspice")
@pytest.mark.parametrize("cell", IN_OP_AMPS)
@pytest.mark.parametrize("model", MODELS)
def test_a_network_in_op_amps_of_every_model(model: str, cell: str) -> None:
    """With a bandwidth of 10 MHz against 160 Hz of the neurons, what is left of a model is its output resistance."""
    graph = network()
    circuit = hh.lower(graph, cell=cell, op_amp=MODELS[model])
    assert len({device.part for device in circuit.devices if isinstance(device.part, OpAmp)}) == 1
    expected = hh.reference(graph, t_stop=8.0 * TAU, points=201)["state"].to_numpy()
    found = hh.simulate(circuit, t_stop=8.0 * TAU, points=201, accuracy=1e-3)["state"].to_numpy()
    apart = np.abs(found - expected)[1:] / np.ptp(expected, axis=0)
    assert np.max(apart) < (1e-4 if model == "a gain" else 1e-2)
    # And as verify judges it, from the cell.
    chosen = replace(CELLS[cell], op_amp=MODELS[model])  # type: ignore[type-var]
    result = hh.verify(graph, cell=chosen, t_stop=8.0 * TAU, accuracy=1e-2 if model != "a gain" else 1e-4)
    assert result.passed, result


@pytest.mark.usefixtures("ngspice")
@pytest.mark.parametrize("model", ["one pole", "a subcircuit"])
def test_a_clocked_network_in_op_amps_of_a_model(model: str) -> None:
    graph = hold_outputs(network(2), period=TAU)
    expected = hh.reference(graph, t_stop=6.0 * TAU)["state"].to_numpy()
    circuit = hh.lower(graph, cell="active_rc", op_amp=MODELS[model])
    found = hh.simulate(circuit, t_stop=6.0 * TAU, accuracy=1e-3)["state"].to_numpy()
    assert np.max(np.abs(found - expected)[1:] / np.ptp(expected, axis=0)) < 5e-3


@pytest.mark.usefixtures("ngspice")
@pytest.mark.parametrize("model", ["one pole", "a subcircuit"])
def test_a_delay_in_stages_of_a_model(model: str) -> None:
    """Of every stage: its capacitor starts at the history, the pole of its op-amp with it."""
    cell = hh.InvertingIntegrator(op_amp=1e7, delay=AllPass(accuracy=0.02, op_amp=MODELS[model]))
    graph = add_delay(network(2), 0.5 * TAU, history={"v": [0.5, -0.2]})
    exact = hh.simulate(hh.lower(graph, cell=hh.InvertingIntegrator(delay=AllPass(accuracy=0.02))), t_stop=4.0 * TAU)
    found = hh.simulate(hh.lower(graph, cell=cell), t_stop=4.0 * TAU, accuracy=1e-3)
    apart = np.abs(found["state"].to_numpy() - exact["state"].to_numpy())
    assert np.max(apart) < 1e-2 * np.ptp(exact["state"].to_numpy())


def alone(lines: str, text: str, analysis: str, node: str = "v(out)") -> Any:
    return run(f"alone\n{lines}\n{text}{analysis}\n.end\n", t_stop=None, timeout=60.0).column(node)


def amplifier(model: hh.OnePole) -> tuple[str, str]:
    """Return the call of an op-amp of a model, between p, m and out, and its subcircuit."""
    circuit = hh.lower(network(2), cell=hh.InvertingIntegrator(op_amp=model))
    text = circuit.netlist()
    (line,) = [line for line in text.splitlines() if line.startswith("X_x_0 ")]
    name = line.split()[4]
    start = text.index(f".subckt {name}")
    return f"X1 p m out {name}", text[start : text.index(f".ends {name}")] + f".ends {name}\n"


@pytest.mark.usefixtures("ngspice")
def test_one_pole_has_the_gain_and_the_bandwidth_that_it_says() -> None:
    model = hh.OnePole(gain=1e5, gain_bandwidth=1e6, output_resistance=100.0)
    call, text = amplifier(model)
    lines = f"V1 p 0 DC 0 AC 1\nVm m 0 0\n{call}\nRl out 0 100"
    low, at_pole, far = (
        complex(alone(lines, text, f".ac lin 1 {hertz!r} {hertz!r}")[0]) for hertz in (0.01, 1e6 / 1e5, 1e6)
    )
    assert abs(low) == pytest.approx(1e5 / 2.0, rel=1e-3)  # the load halves it
    assert abs(at_pole) == pytest.approx(1e5 / 2.0 / np.sqrt(2.0), rel=1e-3)
    assert np.angle(at_pole, deg=True) == pytest.approx(-45.0, abs=0.1)
    assert abs(far) == pytest.approx(0.5, rel=1e-3)


@pytest.mark.usefixtures("ngspice")
def test_one_pole_ends_at_its_rails_and_leaves_them_at_once() -> None:
    """Driven by +-1 V without feedback it stands at its swing; after the input turns, it crosses at its slew rate."""
    model = hh.OnePole(gain=1e5, gain_bandwidth=1e6, lower=-5.0, upper=8.0)
    call, text = amplifier(model)
    lines = f"V1 p 0 PULSE(1 -1 20u 1n 1n 1 2)\nVm m 0 0\n{call}\nRl out 0 1meg"
    plot = run(f"rails\n{lines}\n{text}.tran 10n 60u\n.end\n", t_stop=60e-6, timeout=60.0)
    t, v = plot.column("time").real, plot.column("v(out)").real
    # The limiter of 1 S takes the 1 mA of the input stage with 1 mV.
    assert v[np.searchsorted(t, 19e-6)] == pytest.approx(8.0, abs=5e-3)
    assert v[-1] == pytest.approx(-5.0, abs=5e-3)
    slew = 2.0 * np.pi * 1e6 * 1.0  # V/s of 1 V at the input
    crossed = float(t[np.argmax((t > 20e-6) & (v < 0.0))])
    assert crossed - 20e-6 == pytest.approx(8.0 / slew, rel=0.05)


@pytest.mark.usefixtures("ngspice")
def test_a_pole_of_a_state_starts_where_the_state_does() -> None:
    """Else the first step would jump from 0 V."""
    circuit = hh.lower(network(), cell=hh.InvertingIntegrator(op_amp=hh.OnePole()))
    starts = {
        line.split()[0]: line.rpartition("start=")[2] for line in circuit.netlist().splitlines() if "start=" in line
    }
    for probe in circuit.states:
        device = next(d for d in circuit.devices if isinstance(d.part, OpAmp) and d.nodes[2] == probe.node)
        assert float(starts.get(device.name, "0")) == pytest.approx(circuit.initial[probe.node])
    wave = hh.simulate(circuit, t_stop=1e-5, points=101, accuracy=1e-3)["state"].to_numpy()
    assert np.max(np.abs(wave - network().initial)) < 2e-2


@pytest.mark.usefixtures("ngspice")
@pytest.mark.parametrize("model", [1e6, hh.OnePole(), USER], ids=["a gain", "one pole", "a subcircuit"])
def test_an_offset_shifts_every_model(model: Any) -> None:
    net = hh.Network(weights=[[0.0]], resistance=1e4, capacitance=1e-8, initial=0.1)
    circuit = hh.lower(net, cell="active_rc", op_amp=model)
    devices = tuple(
        d._replace(part=replace(d.part, offset=2e-3)) if isinstance(d.part, OpAmp) else d for d in circuit.devices
    )
    rest = float(hh.simulate(replace(circuit, devices=devices), t_stop=2e-3, accuracy=1e-3)["state"].to_numpy()[-1, 0])
    assert rest == pytest.approx(2e-3, rel=2e-2)


@pytest.mark.usefixtures("ngspice")
@pytest.mark.parametrize("cell", IN_OP_AMPS)
def test_what_inverts_and_buffers_is_made_of_the_same_op_amps(cell: str) -> None:
    """A complement is -v + 2 V_os, as two equal resistors make it on a board; no ideal source is left."""
    weights = np.array([[0.0, 0.5], [-0.5, 0.1]])
    static = hh.families.static_field(weights, initial=[0.2, 0.1])
    net = replace(network(2), weights=1e-4 * weights)
    made = hh.lower(static if cell == "summing_amplifier" else net, cell=cell, op_amp=hh.OnePole())
    assert not any(isinstance(device.part, VoltageGain) for device in made.devices)
    inputs = [device for device in made.devices if device.origin.role is Role.INVERTER_IN]
    assert inputs

    def with_offset(device: Device) -> Device:
        is_inverter = isinstance(device.part, OpAmp) and device.nodes[1] in {d.nodes[1] for d in inputs}
        return device._replace(part=replace(device.part, offset=5e-3)) if is_inverter else device

    text = replace(made, devices=tuple(map(with_offset, made.devices))).netlist()
    plot = run(f"{text}.save all\n.options reltol=1e-6\n.op\n.end\n", t_stop=None, timeout=60.0)
    for device in inputs:
        (back,) = (d for d in made.devices if d.origin.role is Role.INVERTER_FEEDBACK and device.nodes[1] in d.nodes)
        given, complement = (float(plot.column(f"v({node})")[0]) for node in (device.nodes[0], back.nodes[0]))
        assert complement == pytest.approx(-given + 1e-2, abs=1e-4)


# Names, models and supplies in the netlist.


def test_two_libraries_that_define_one_name_are_refused() -> None:
    """A deck has one name for one model: the second definition would silently stand for both, or for none."""
    text = ".subckt {name} 1 2 3 4 5\n.model DX D(IS={current})\nE1 5 0 1 2 {gain}\n.ends {name}\n"
    one, other = (
        Subcircuit(library=text.format(name="amp", current="1f", gain=gain), name="amp") for gain in ("1e5", "1e6")
    )
    apart = Subcircuit(library=text.format(name="amp2", current="2f", gain="1e6"), name="amp2")
    delays = add_delay(network(), TAU)
    with pytest.raises(hh.InputError) as refused:
        hh.lower(delays, cell=hh.InvertingIntegrator(op_amp=one, delay=AllPass(op_amp=other))).netlist()
    assert str(refused.value) == ("two libraries of op-amps both define 'amp'; rename it in one, or take one for both")
    # Names within a subcircuit are its own.
    hh.lower(delays, cell=hh.InvertingIntegrator(op_amp=one, delay=AllPass(op_amp=apart))).netlist()


def test_each_model_is_written_once_and_each_op_amp_calls_it() -> None:
    circuit = hh.lower(network(), cell="inverting_integrator", op_amp=hh.OnePole(gain=1e6))
    for dialect in DIALECTS:
        text = write(circuit, dialect)
        (name,) = re.findall(r"(?m)^\.subckt (onepole_\S+) plus minus output", text)
        calls = re.findall(rf"(?m)^X_\S+ 0 \S+ \S+ {name}\b", text)
        assert len(calls) == sum(isinstance(device.part, OpAmp) for device in circuit.devices)
        assert text.count(".subckt") == text.count(".ends") == 1
    two = hh.lower(
        add_delay(network(), TAU), cell=hh.InvertingIntegrator(op_amp=hh.OnePole(), delay=AllPass(op_amp="one_pole"))
    )
    assert two.netlist().count(".subckt onepole") == 1
    other = hh.lower(
        add_delay(network(), TAU),
        cell=hh.InvertingIntegrator(op_amp=hh.OnePole(gain=1e6), delay=AllPass(op_amp="one_pole")),
    )
    assert other.netlist().count(".subckt onepole") == 2


def test_a_user_model_has_its_supplies() -> None:
    user = Subcircuit(
        library=MACRO, name="MACRO", pins=("plus", "minus", "vcc", "vee", "output"), supplies={"vcc": 5.0, "vee": -5.0}
    )
    circuit = hh.lower(network(), cell="inverting_integrator", op_amp=user)
    text = circuit.netlist()
    assert text.count("V_vcc vcc 0 DC 5\n") == text.count("V_vee vee 0 DC -5\n") == 1
    assert re.search(r"(?m)^X_x_0 0 x_sum_0 vcc vee xn_0 MACRO$", text)
    assert "* references and supplies" in text
    assert text.lower().count(".subckt macro ") == 1
    assert all(" ; a buffered" not in write(circuit, dialect) for dialect in DIALECTS)


def test_a_library_is_read_from_a_file_too(tmp_path: Path) -> None:
    path = tmp_path / "macro.lib"
    path.write_text(MACRO)
    assert Subcircuit(library=path, name="macro", pins=PINS) == Subcircuit(library=str(path), name="macro", pins=PINS)
    assert Subcircuit(library=path, name="macro", pins=PINS) == USER
    assert hash(Subcircuit(library=path, name="macro", pins=PINS)) == hash(USER)
    with pytest.raises(hh.InputError, match=r"^`Subcircuit.library` '.*none\.lib': cannot be read \(No such file"):
        Subcircuit(library=tmp_path / "none.lib", name="macro", pins=PINS)


AMP = ".subckt amp 1 2 3 4 5\nE1 5 0 1 2 1e5\n.ends\n"
CARDS = ".subckt, .ends, .model, .param, .func"
OUTSIDE = f"must be an element within a .subckt, or a card of {CARDS}"


def card(name: str) -> str:
    return f"`Subcircuit.library` has {name!r}: may hold {CARDS}; take it out"


def amp(body: str, header: str = ".subckt amp 1 2 3 4 5") -> str:
    return f"{header}\n{body}\n.ends\n"


REFUSED: dict[str, tuple[str, str]] = {
    "an include": (f".include /etc/passwd\n{AMP}", card(".include")),
    "a library within": (f".lib x.lib\n{AMP}", card(".lib")),
    "an include within": (amp(".INC /etc/passwd"), card(".inc")),
    "commands": (f"{AMP}.control\nshell touch injected\n.endc\n", card(".control")),
    "an analysis": (f"{AMP}.tran 1 1\n", card(".tran")),
    "an end": (f"{AMP}.end\n", card(".end")),
    "options": (f".options gmin=1\n{AMP}", card(".options")),
    "an element outside": (f"R1 a 0 1k\n{AMP}", f"`Subcircuit.library` has 'R1 a 0 1k': {OUTSIDE}"),
    "a word that is no element": (amp("netlist 1"), f"`Subcircuit.library` has 'netlist 1': {OUTSIDE}"),
    "backticks": (
        amp("B1 5 0 V=`touch injected`"),
        "`Subcircuit.library` has 'B1 5 0 V=`touch injected`': must be printable text without backticks",
    ),
    "a control character": (
        amp("E1 5 0 1 2 1\x07"),
        "`Subcircuit.library` has 'E1 5 0 1 2 1\\x07': must be printable text without backticks",
    ),
    "no end": (".subckt amp 1 2 3 4 5\nE1 5 0 1 2 1\n", "`Subcircuit.library`: a .subckt has no .ends"),
    "an end too many": (f"{AMP}.ends\n", "`Subcircuit.library`: '.ends' does not fit the statements before it"),
    "another name": (
        amp("E1 5 0 1 2 1", ".subckt other 1 2 3 4 5"),
        "`Subcircuit.name` = 'amp': the library has other",
    ),
    "nothing": ("\n", "`Subcircuit.name` = 'amp': the library has none"),
    "three pins": (
        amp("E1 5 0 1 2 1", ".subckt amp 1 2 5 params: A=1"),
        "`Subcircuit.pins`: amp has 3 nodes, 1 2 5, and 5 pins are named; name one for each node, in their order",
    ),
}


@pytest.mark.parametrize(("library", "message"), REFUSED.values(), ids=REFUSED)
def test_a_library_that_is_more_than_a_model_is_refused(library: str, message: str) -> None:
    with pytest.raises(hh.InputError) as refused:
        Subcircuit(library=library, name="amp", pins=PINS)
    assert str(refused.value) == message


@pytest.mark.parametrize(
    ("pins", "supplies", "message"),
    [
        (
            ("plus", "minus", "output"),
            {"a": 1.0, "b": 2.0},
            "`Subcircuit.pins` is plus, minus, output: must name each of a, b, minus, output, plus once",
        ),
        (
            ("plus", "minus", "output", "a", "a"),
            {"a": 1.0},
            "`Subcircuit.pins` is plus, minus, output, a, a: must name each of a, minus, output, plus once",
        ),
        (
            ("plus", "minus", "output", "a b", "c"),
            {"a b": 1.0, "c": 2.0},
            "`Subcircuit.supplies` names 'a b': must be a plain name",
        ),
    ],
    ids=["missing", "twice", "no name"],
)
def test_pins_must_fit(pins: tuple[str, ...], supplies: dict[str, float], message: str) -> None:
    with pytest.raises(hh.InputError) as refused:
        Subcircuit(library=AMP, name="amp", pins=pins, supplies=supplies)
    assert str(refused.value) == message


def test_a_cell_without_op_amps_refuses_one() -> None:
    message = "`op_amp`: cell 'gm_c' has no op-amp; leave it out, or take "
    with pytest.raises(hh.InputError, match=f"^{re.escape(message)}inverting_integrator, winner_take_all, active_rc"):
        hh.lower(network(), cell="gm_c", op_amp=1e5)
    with pytest.raises(hh.InputError, match=r"^`op_amp`: op-amp 'lm741' is unknown: must be one of ideal, one_pole"):
        hh.lower(network(), cell="active_rc", op_amp="lm741")
