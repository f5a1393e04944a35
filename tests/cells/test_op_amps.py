"""The cell active_rc: summers, differential pairs, multipliers and sample-and-hold pairs; the trained LSTM in them."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np
import pytest

import hopfield_hw as hh
from hopfield_hw.graph import Affine, Clock, Edge, Graph, Hadamard, Hold, Input, Output
from hopfield_hw.parts import Multiplier, Part, Resistor, Transistor

PERIOD = 1e-3


def trained(volts: float = 1.0) -> Graph:
    """The cell of the Mackey-Glass forecaster, at a kilohertz."""
    units = hh.Units(volts_per_unit=volts, seconds_per_unit=PERIOD)
    return replace(hh.trained.mackey_glass().cell.graph(), units=units)


def series(steps: int, volts: float = 1.0) -> hh.Signal:
    forecaster = hh.trained.mackey_glass()
    return hh.Signal.held(volts * forecaster.scale.normalise(forecaster.test)[: steps + 1], PERIOD)


@cache
def in_pairs() -> hh.Verification:
    return run(hh.ActiveRC(activation="pair"))


def run(cell: hh.ActiveRC, *, steps: int = 100, volts: float = 1.0) -> hh.Verification:
    return hh.verify(trained(volts), cell=cell, t_stop=steps * PERIOD, inputs=series(steps, volts), accuracy=1e-3)


@pytest.mark.usefixtures("ngspice")
def test_the_trained_lstm_with_exact_curves_is_the_digital_cell_to_70_db() -> None:
    result = run(hh.ActiveRC())
    assert result.wave.sizes["time"] == 101
    assert result.sqnr >= 70.0  # measured: 87 dB, of op-amps with a gain of 1e6


@pytest.mark.usefixtures("ngspice")
def test_the_trained_lstm_in_differential_pairs_of_beta_200_after_calibration_is_it_to_40_db() -> None:
    assert in_pairs().sqnr >= 40.0  # measured: 68 dB, of an Early voltage of 100 V


@pytest.mark.usefixtures("ngspice")
def test_base_currents_spoil_it_without_calibration() -> None:
    """0.5% less of every tail current costs some 40 dB: the state feeds its errors back."""
    spoilt = run(hh.ActiveRC(activation="pair", pair=hh.Pair(calibrated=False)), steps=24)
    assert spoilt.sqnr < 35.0 < 60.0 < in_pairs().sqnr


@pytest.mark.usefixtures("ngspice")
def test_multipliers_of_an_ad633_without_errors_are_exact_multipliers() -> None:
    cells = [hh.ActiveRC(multiplier=kind) for kind in ("exact", "ad633")]
    first, second = (run(cell, steps=12, volts=2.5) for cell in cells)
    assert abs(first.sqnr - second.sqnr) < 1.0
    assert first.sqnr > 70.0


@pytest.mark.usefixtures("ngspice")
def test_a_hopfield_network_in_differential_pairs() -> None:
    net = hh.Network(
        weights=[[0.0, -6e-5], [8e-5, 2e-5]],
        resistance=1e4,
        capacitance=1e-7,
        gain=hh.Tanh(gain=3.0, amplitude=2.0),
        bias=[2e-5, -1e-5],
        initial=[0.3, -0.2],
    )
    cell = hh.ActiveRC(activation="pair", pair=hh.Pair(early_voltage=np.inf))
    result = hh.verify(net, cell=cell)
    assert result.passed, result


@pytest.mark.usefixtures("ngspice")
def test_peepholes_and_several_drivers_add_up() -> None:
    """A W that sees a sum of two drivers takes a resistor from each."""
    graph = Graph(
        operators=(
            Input(name="u", size=2),
            Hold(name="x", clock=Clock(period=PERIOD), initial=[0.2, -0.1]),
            Affine(name="w", weights=[[0.5, -0.25], [0.0, 1.5]], bias=[0.1, -0.2]),
            Hadamard(name="p", size=2),
            Output(name="y", size=2),
        ),
        edges=(
            *(Edge(source, "w") for source in ("u", "x")),
            *(Edge(source, "p", "left") for source in ("u", "w")),
            *(Edge(source, "p", "right") for source in ("x",)),
            Edge("p", "x"),
            Edge("w", "x"),
            Edge("p", "y"),
            Edge("w", "y"),
        ),
    )
    inputs = hh.Signal.held(np.random.default_rng(0).uniform(-0.5, 0.5, (6, 2)), PERIOD)
    result = hh.verify(graph, cell="active_rc", t_stop=5 * PERIOD, inputs=inputs)
    assert result.passed, result
    assert result.circuit.origin("R_w_u_0_1").element == (0, 1)


def test_what_the_trained_lstm_is_made_of() -> None:
    """Four gates of four cells in op-amps, one inverter a signal that needs its complement, two holds a state."""
    circuit = hh.lower(trained(), cell=hh.ActiveRC(activation="pair"))
    roles = Counter(device.origin.role for device in circuit.devices)
    assert roles["pair"] == 2 * 20  # i, f, g, o and tanh(c), four of each
    assert roles["product"] == 12
    assert roles["master"] == roles["slave"] == 2 * 8  # a switch and a capacitor each
    kinds = Counter(device.name[0] for device in circuit.devices)
    assert kinds["Q"] == 40
    weights = hh.trained.mackey_glass().cell
    nonzero = np.count_nonzero(weights.input_weights) + np.count_nonzero(weights.recurrent_weights)
    assert roles["weights"] == nonzero


def test_every_device_comes_from_the_graph() -> None:
    graph = trained(2.5)
    circuit = hh.lower(graph, cell=hh.ActiveRC(activation="pair", multiplier="ad633"))
    names = set(graph.by_name)
    # In volts, each product takes the unit off one factor; that Affine is the scale of its multiplier.
    assert {d.origin.operator for d in circuit.devices} <= names
    product = circuit.device("B_fc_0")
    assert isinstance(product.part, Multiplier)
    assert (product.part.scale, product.nodes[3]) == (10.0, "fc_tap_0")
    top, tap = (circuit.device(f"R_fc_0_{part}").value or 0.0 for part in ("top", "tap"))
    assert (top + tap) / top == pytest.approx(10.0 / 2.5)


def test_models_are_written_once() -> None:
    text = hh.lower(trained(), cell=hh.ActiveRC(activation="pair")).netlist()
    assert re.findall(r"^\.model .*$", text, re.M) == [".model npn_200_1em14_100 NPN(IS=1e-14 BF=200 VAF=100)"]
    assert "Q_i_0_2 i_collector_0 i_in_sum_0 i_emitter_0 npn_200_1em14_100" in text
    ideal = hh.lower(trained(), cell=hh.ActiveRC(activation="pair", pair=hh.Pair(early_voltage=np.inf))).netlist()
    assert ".model npn_200_1em14_inf NPN(IS=1e-14 BF=200)\n" in ideal


def rnn(function: Any = None, scale: float = 1.0) -> Graph:
    cell = hh.recurrent.RNN(
        input_weights=scale * np.ones((1, 1)),
        recurrent_weights=np.ones((1, 1)),
        activations=() if function is None else (function,),
    )
    return replace(cell.graph(), units=hh.Units(seconds_per_unit=PERIOD))


REFUSED = {
    "a curve that no pair gives": (
        lambda: hh.lower(rnn(hh.PiecewiseLinear()), cell=hh.ActiveRC(activation="pair")),
        "Activate 'f': a differential pair is a tanh or a logistic, not a PiecewiseLinear; use activation='exact'",
    ),
    "a clock that is too slow": (
        lambda: hh.lower(replace(rnn(), units=hh.Units()), cell="active_rc"),
        "Hold 'h': in a period of 1 s its capacitors lose 0.001 of their voltage, above 0.0001; take a faster clock, "
        "Units(seconds_per_unit=...) of the graph, or a larger capacitance",
    ),
    "a unit above an AD633's": (
        lambda: hh.lower(trained(12.0), cell=hh.ActiveRC(multiplier="ad633")),
        "Hadamard 'fc': its unit is 12 V, and an AD633 multiplies by 1/10 V; give the graph Units(volts_per_unit=...) "
        "of at most 10",
    ),
    "a weight too small": (
        lambda: hh.lower(rnn(scale=1e-7), cell="active_rc"),
        "`w_h.weights[0, 0]` = 1e-07: its resistor would be above 1e+09 Ohm; set it to 0",
    ),
    "an option that there is not": (
        lambda: hh.ActiveRC(activation="diode"),  # type: ignore[arg-type]
        "`ActiveRC.activation` = 'diode': must be exact or pair",
    ),
    "no capacitance": (lambda: hh.ActiveRC(capacitance=0.0), "`ActiveRC.capacitance = 0.0 F`: must be positive"),
    "no gain": (lambda: hh.Pair(beta=-1.0), "`Pair.beta = -1.0 A/A`: must be positive"),
}


@pytest.mark.parametrize(("act", "message"), REFUSED.values(), ids=REFUSED)
def test_wrong_input_is_refused(act: Any, message: str) -> None:
    with pytest.raises(hh.InputError) as refused:
        act()
    assert str(refused.value) == message


def test_transistors_and_multipliers_are_checked() -> None:
    circuit = hh.lower(trained(), cell=hh.ActiveRC(activation="pair", multiplier="ad633"))
    cases: tuple[tuple[str, Part, str], ...] = (
        ("Q_i_0_1", Resistor(1.0), "device Q_i_0_1: has 3 nodes, a resistor has 2"),
        (
            "Q_i_0_1",
            Transistor(-1.0, 1e-14, 100.0),
            "device Q_i_0_1: beta = -1.0 A/A: must be positive and finite",
        ),
        ("Q_i_0_1", Transistor(200.0, 1e-14, 0.0), "device Q_i_0_1: early_voltage = 0.0 V: must be positive"),
        ("B_fc_0", Multiplier(scale=-10.0), "device B_fc_0: scale = -10.0 V: must be positive and finite"),
        ("B_fc_0", Multiplier(x_offset=np.inf), "device B_fc_0: x_offset = inf V: must be finite"),
        (
            "B_fc_0",
            Multiplier(gain="a b"),  # type: ignore[arg-type]
            "device B_fc_0: gain = 'a b': must be a float (of Python, not of NumPy)",
        ),
    )
    for name, part, message in cases:
        devices = tuple(d._replace(part=part) if d.name == name else d for d in circuit.devices)
        with pytest.raises(hh.InputError) as refused:
            replace(circuit, devices=devices)
        assert str(refused.value) == message
