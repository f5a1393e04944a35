"""Gain curves of amplifiers, measured in the very circuit: fit, drift and pole, and the equation that has them."""

from __future__ import annotations

import math
from dataclasses import replace
from functools import cache

import numpy as np
import pytest

import hopfield_hw as hh
from hopfield_hw.benches.gain_curves import (
    CLOSE,
    SOURCE,
    Bench,
    cut_bench,
    drift,
    find_pole,
    gain_curve,
    measure_shape,
    with_measured_curves,
)
from hopfield_hw.cells import InvertingIntegrator
from hopfield_hw.cells.amplifiers import AMPLIFIERS, DifferentialPair
from hopfield_hw.cells.amplifiers.drive import Divider
from hopfield_hw.functions import Gain, Logistic, PiecewiseLinear, Table, Tanh
from hopfield_hw.parts import MacroModel, Resistor
from hopfield_hw.parts.data_sheet import find_data_sheet
from hopfield_hw.spice.analyses import sweep
from hopfield_hw.values.measures import nrmse

ONE_POLE = hh.OnePole(gain=2e5, gain_bandwidth=4e6, output_resistance=128.0)
# As a TL074's data sheet has it, with its offset nulled.
MACRO = MacroModel(
    name="nulled",
    bias_current=30e-12,
    gain=1.5e5,
    gain_bandwidth=4e6,
    phase_margin=45.0,
    slew_rate=13e6,
    output_resistance=128.0,
    source_current=40e-3,
    sink_current=40e-3,
    input_capacitance=3e-12,
)
CURVES: dict[str, Gain] = {
    "differential_pair": Tanh(gain=8.0),
    "ota": Tanh(gain=8.0),
    "piecewise_linear": PiecewiseLinear(gain=8.0),
    "diode_clamp": Tanh(gain=8.0),
    "zener_clamp": PiecewiseLinear(gain=2.0, amplitude=5.0),
}
# How far each is from the ideal curve, as a part of the amplitude; and how far slope and amplitude are at 50 degrees.
FITS = {"differential_pair": 2e-4, "ota": 3e-3, "piecewise_linear": 2e-5, "diode_clamp": 0.05, "zener_clamp": 0.04}
DRIFTS = {
    "differential_pair": (1e-3, 1e-4),
    "ota": (1e-2, 1e-2),
    "piecewise_linear": (1e-6, 1e-5),
    "diode_clamp": (0.02, 0.15),
    "zener_clamp": (1e-3, 1e-2),
}


@cache
def bench_of(name: str) -> Bench:
    return cut_bench(name, gain=CURVES[name], op_amp=ONE_POLE)


@cache
def table_of(name: str) -> Table:
    return gain_curve(bench_of(name))


@pytest.mark.parametrize("name", CURVES)
def test_slope_and_amplitude_are_those_wanted_to_a_thousandth(name: str) -> None:
    bench = bench_of(name)
    shape = measure_shape(bench)
    assert shape.slope == pytest.approx(bench.slope, rel=1e-3)
    assert shape.amplitude == pytest.approx(bench.amplitude, rel=1e-3)


@pytest.mark.parametrize(
    "gain", [Tanh(gain=0.3, amplitude=4.0), Tanh(gain=40.0, amplitude=0.5), Logistic(gain=3.0, amplitude=2.0)]
)
def test_a_pair_has_any_slope_and_amplitude_to_a_thousandth_with_real_op_amps(gain: Gain) -> None:
    shape = measure_shape("differential_pair", gain=gain, op_amp=MACRO, reference=8.0)
    assert shape.slope == pytest.approx(gain.slope, rel=1e-3)
    assert shape.amplitude == pytest.approx(gain.params()["amplitude"], rel=1e-3)


@pytest.mark.parametrize("name", CURVES)
def test_each_curve_is_as_near_to_the_ideal_as_is_said(name: str) -> None:
    bench, table, gain = bench_of(name), table_of(name), CURVES[name]
    x = np.linspace(-bench.reach, bench.reach, 4001) * bench.unit
    off = float(np.max(np.abs(table.value(x) - gain.value(x)))) / bench.amplitude
    assert 0.2 * FITS[name] < off < FITS[name]


@pytest.mark.parametrize("name", CURVES)
def test_a_table_is_within_its_accuracy_of_the_circuit_everywhere(name: str) -> None:
    bench, table = bench_of(name), table_of(name)
    for width in (15.0, 1.3):
        x, y = bench.sweep(-width * bench.unit, width * bench.unit, 1717, 27.0)
        assert np.max(np.abs(table.value(x) - y)) < CLOSE * bench.amplitude
    assert table.x.size < 1500


@pytest.mark.parametrize("name", CURVES)
def test_what_is_left_of_the_drift_is_as_is_said(name: str) -> None:
    (hot,) = drift(bench_of(name), [50.0])
    slope, amplitude = DRIFTS[name]
    assert hot.temperature == 50.0
    assert abs(hot.slope) < slope
    assert abs(hot.amplitude) < amplitude
    if name == "diode_clamp":
        assert hot.amplitude < -0.1  # some -0.5% by kelvin


def test_without_compensation_the_slope_falls_as_the_thermal_voltage_rises() -> None:
    (hot,) = drift(DifferentialPair(divider=Divider(drift=0.0)), [50.0], gain=Tanh(gain=8.0), op_amp=ONE_POLE)
    assert hot.slope == pytest.approx(300.15 / 323.15 - 1.0, abs=1e-3)
    assert abs(hot.amplitude) < 1e-4


def test_a_first_order_amplifier_has_the_pole_of_its_gain_bandwidth() -> None:
    """Without a gain before it a clamp in feedback is one op-amp of noise gain 1 + G, and a follower behind."""
    bench = bench_of("piecewise_linear")
    assert find_pole(bench) == pytest.approx(4e6 / 9.0, rel=0.05)
    assert find_pole("exact") == math.inf


@pytest.mark.parametrize(
    ("name", "op_amp"),
    [("ota", ONE_POLE), ("diode_clamp", ONE_POLE), ("zener_clamp", ONE_POLE), ("piecewise_linear", MACRO)],
    ids=["ota", "diode_clamp", "zener_clamp", "piecewise_linear-macro"],
)
def test_circuit_and_equation_agree_with_the_measured_curve(name: str, op_amp: object) -> None:
    net = hh.Network(
        weights=[[0.0, -6e-5], [-6e-5, 0.0]],
        resistance=1e4,
        capacitance=1e-7,
        gain=CURVES[name],
        initial=[0.15, 0.1],
        bias=[1e-5, -1e-5],
    )
    graph = net.graph()
    circuit = hh.lower(graph, cell=InvertingIntegrator(op_amp=op_amp, amplifier=name))
    wave = hh.simulate(circuit, t_stop=6e-3, accuracy=1e-3)["state"].to_numpy()
    offs = []
    drifts = name in ("ota", "diode_clamp")
    for temperature in (27.0, 50.0) if drifts else (27.0,):
        held = with_measured_curves(circuit, graph, temperature=temperature, accuracy=2e-4, span=12.0)
        offs.append(nrmse(hh.reference(held, t_stop=6e-3, accuracy=2e-4)["state"].to_numpy(), wave))
    assert offs[0] < 2e-3
    if drifts:
        assert offs[1] > 2.0 * offs[0]


def test_a_circuits_own_load_counts() -> None:
    graph = hh.Network(weights=[[0.0, 1e-2], [0.0, 0.0]], resistance=1e4, capacitance=1e-7, gain=Tanh()).graph()
    soft = hh.OnePole(gain=1e3, output_resistance=500.0)
    circuit = hh.lower(graph, cell=InvertingIntegrator(op_amp=soft, amplifier="differential_pair"))
    loads = [
        [d.part.resistance for d in cut_bench(circuit, element=k).circuit.devices if d.name == "R_sweep_load"]  # type: ignore[attr-defined]
        for k in range(2)
    ]
    assert loads == [[], [100.0]]
    free, loaded = (measure_shape(cut_bench(circuit, element=k)).slope for k in range(2))
    assert 1e-3 < 1.0 - loaded / free < 2e-2


def test_the_wrong_part_is_seen_in_the_curve() -> None:
    graph = hh.Network(weights=[[1e-4]], resistance=1e4, capacitance=1e-7, gain=Tanh(gain=8.0)).graph()
    circuit = hh.lower(graph, cell=InvertingIntegrator(op_amp=ONE_POLE, amplifier="differential_pair"))
    assert measure_shape(circuit).amplitude == pytest.approx(1.0, rel=1e-3)
    for name, slope, amplitude in (("R_v_0_swing", 1.0, 1.0), ("R_v_0_tap", 1.0, 0.0)):
        devices = tuple(
            d._replace(part=replace(d.part, resistance=1.01 * d.part.resistance))
            if d.name == name and isinstance(d.part, Resistor)
            else d
            for d in circuit.devices
        )
        wrong = measure_shape(replace(circuit, devices=devices))
        assert wrong.slope / 8.0 - 1.0 == pytest.approx(0.01 * slope, abs=2e-3)
        assert wrong.amplitude - 1.0 == pytest.approx(0.01 * amplitude, abs=1e-3)


# What is refused.


def refused(message: str, call: object) -> None:
    with pytest.raises(hh.InputError) as error:
        call()  # type: ignore[operator]
    assert str(error.value) == message


def test_what_has_no_curve_is_refused() -> None:
    graph = hh.Network(weights=[[1e-4]], resistance=1e4, capacitance=1e-7, gain=Tanh(gain=8.0)).graph()
    ideal = hh.lower(graph, cell="ideal")
    refused(
        "gain curve: Activate 'v' is not driven by -x; take a circuit of cell 'inverting_integrator'",
        lambda: cut_bench(ideal),
    )
    circuit = hh.lower(graph, cell="inverting_integrator")
    refused("gain curve: the circuit has no Activate w", lambda: cut_bench(circuit, activate="w"))
    refused("`element` = 3: Activate 'v' has 1", lambda: cut_bench(circuit, element=3))
    refused(
        "`cut_bench`: a circuit has its curves and op-amps; leave `gain`, `op_amp` and such out",
        lambda: cut_bench(circuit, op_amp=1e5),
    )
    refused("`span = -1.0 V`: must be positive", lambda: gain_curve(circuit, span=-1.0))


def test_elements_with_curves_of_their_own_are_not_one_table() -> None:
    net = hh.Network(weights=np.zeros((2, 2)), resistance=1e4, capacitance=1e-7, gain=Tanh(gain=[1.0, 2.0]))
    circuit = hh.lower(net.graph(), cell=InvertingIntegrator(op_amp=ONE_POLE, amplifier="differential_pair"))
    refused(
        "Activate 'v': its elements have curves of their own, and a table is one curve; give all of them one gain",
        lambda: with_measured_curves(circuit, net.graph()),
    )
    assert measure_shape(circuit, element=1).slope == pytest.approx(2.0, rel=1e-3)


def test_there_is_a_curve_for_every_amplifier_of_parts() -> None:
    assert set(CURVES) == {name for name in AMPLIFIERS if AMPLIFIERS[name].in_parts}


def test_clamps_that_regulate_and_saturate_leave_the_curve_straight_between_them() -> None:
    """Rounding in the simulator's matrix put an error of 80 mV on this curve while clamps were on at all zeros."""
    model = find_data_sheet("OPA2134").model((12.0, -12.0), corner="minimum")
    bench = cut_bench("piecewise_linear", gain=PiecewiseLinear(gain=1.733, amplitude=4.3), op_amp=model)
    for start, step in ((1.0, -0.1), (8.0, -0.1), (-8.0, 0.01)):
        found = sweep(bench.circuit, SOURCE, (start, -start, step))
        inner = np.abs(found.axis) < 0.95 * bench.unit
        x, y = found.axis[inner], np.real(found.voltage(bench.output))[inner]
        assert np.max(np.abs(y - np.polyval(np.polyfit(x, y, 1), x))) < 1e-5 * bench.amplitude, (start, step)
