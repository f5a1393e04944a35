"""Amplifiers of parts: which curves each makes, what it refuses, the values of its parts, and the suite of cells."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

import hopfield_hw as hh
from hopfield_hw.benches.gain_curves import gain_curve
from hopfield_hw.cells import InvertingIntegrator
from hopfield_hw.cells.amplifiers import (
    AMPLIFIERS,
    Amplifier,
    DifferentialPair,
    DiodeClamp,
    ThreeOpAmps,
    TransconductanceAmplifier,
    ZenerClamp,
    as_amplifier,
)
from hopfield_hw.cells.amplifiers.drive import Divider
from hopfield_hw.circuit import Circuit, Role
from hopfield_hw.functions import GAINS, Gain, Logistic, PiecewiseLinear, Tanh
from hopfield_hw.graph import Activate, Graph
from hopfield_hw.parts import BZX84C6V2, D1N4148, CurrentSource, Resistor
from hopfield_hw.parts.data_sheet import find_data_sheet
from hopfield_hw.testing import check_cell
from hopfield_hw.values.errors import Unrealisable
from hopfield_hw.verification import verify_circuit

REAL = hh.OnePole(gain=2e5, gain_bandwidth=4e6, output_resistance=128.0)
FAST = hh.OnePole(gain=1e7, gain_bandwidth=1e8, output_resistance=1.0)
IN_PARTS = tuple(name for name in AMPLIFIERS if AMPLIFIERS[name].in_parts)
CURVES: dict[str, Gain] = {
    "differential_pair": Tanh(gain=8.0),
    "ota": Tanh(gain=4.0),
    "piecewise_linear": PiecewiseLinear(gain=4.0),
    "diode_clamp": Tanh(gain=2.0),
    "zener_clamp": PiecewiseLinear(gain=2.0, amplitude=5.0),
}


def network(gain: Gain, n: int = 2, **values: Any) -> hh.Network:
    weights = -5e-5 * (np.ones((n, n)) - np.eye(n))
    return hh.Network(weights=weights, resistance=1e4, capacitance=1e-7, gain=gain, bias=[1e-5, *[-2e-5] * (n - 1)])


def build(amplifier: Any, gain: Gain, n: int = 2, **values: Any) -> Circuit:
    return hh.lower(
        network(gain, n).graph(), cell=InvertingIntegrator(amplifier=amplifier, **{"op_amp": REAL} | values)
    )


def ohms(circuit: Circuit, name: str) -> float:
    part = circuit.device(name).part
    assert isinstance(part, Resistor)
    return part.resistance


def test_the_table_holds_amplifiers_by_their_names() -> None:
    assert set(CURVES) == set(IN_PARTS) == set(AMPLIFIERS) - {"exact"}
    for name, amplifier in AMPLIFIERS.items():
        assert isinstance(amplifier, Amplifier)
        assert amplifier.name == name
        assert amplifier.curves
        assert as_amplifier(name) is amplifier is as_amplifier(amplifier)


@pytest.mark.parametrize("name", IN_PARTS)
def test_a_board_has_physical_parts_alone(name: str) -> None:
    circuit = build(name, CURVES[name])
    assert circuit.ideal_devices == ()
    assert not any(isinstance(device.part, CurrentSource) for device in circuit.devices)


def test_an_exact_amplifier_is_the_circuit_as_it_was_and_is_ideal() -> None:
    circuit = build("exact", Tanh(gain=8.0))
    assert (
        circuit.netlist() == hh.lower(network(Tanh(gain=8.0)).graph(), cell=InvertingIntegrator(op_amp=REAL)).netlist()
    )
    assert [d.name for d in circuit.ideal_devices] == ["I_syn_0", "I_syn_1", "B_v_0", "B_v_1"]


@pytest.mark.parametrize("name", AMPLIFIERS)
@pytest.mark.parametrize("kind", GAINS)
def test_each_makes_its_curves_and_refuses_others_with_those_that_can(name: str, kind: str) -> None:
    if kind not in ("tanh", "logistic", "piecewise_linear", "arctan"):
        return
    gain: Gain = GAINS[kind](gain=2.0, amplitude=2.0)  # type: ignore[call-arg]
    if type(gain) in AMPLIFIERS[name].curves:
        assert build(name, gain).devices
        return
    with pytest.raises(hh.Unrealisable) as error:
        build(name, gain)
    able = " or ".join(repr(each) for each in AMPLIFIERS if type(gain) in AMPLIFIERS[each].curves)
    makes = " or ".join(curve.__name__ for curve in AMPLIFIERS[name].curves)
    assert str(error.value) == (
        f"Activate 'v': amplifier {name!r} makes {makes}, not {type(gain).__name__}; take {able}"
    )


# What the biases come from.


def test_a_positive_bias_comes_from_the_positive_reference() -> None:
    circuit = build("differential_pair", Tanh(gain=8.0), reference=5.0)
    first, second = (circuit.device(f"R_syn_bias_{k}") for k in range(2))
    assert (first.nodes, first.part) == (("reference_p", "x_sum_0"), Resistor(5.0 / 1e-5))
    assert (second.nodes, second.part) == (("reference_n", "x_sum_1"), Resistor(5.0 / 2e-5))
    assert {d.name for d in circuit.devices if d.origin.role is Role.SUPPLY} == {"V_reference_p", "V_reference_n"}


# The values of the parts.


def test_the_parts_of_a_pair_follow_from_slope_and_amplitude() -> None:
    circuit = build("differential_pair", Tanh(gain=8.0, amplitude=2.0))
    thermal = 1.380649e-23 * 300.15 / 1.602176634e-19
    ratio = 1.0 - 1.0 / (300.15 * 3.5e-3)
    bulk = 220.0 * (1.0 - ratio)
    gain = 2.0 * thermal * 8.0 / 2.0 / ratio
    gain *= (1.0 + bulk * 1e-4 / (2.0 * thermal * 601.0)) * (1.0 + thermal / 150.0)
    assert ohms(circuit, "R_v_0_top") == pytest.approx(220.0 * (1.0 / ratio - 1.0), rel=1e-9)
    assert ohms(circuit, "R_v_0_balance") == pytest.approx(bulk, rel=1e-9)
    measured = 1.0 + ohms(circuit, "R_v_0_drive_feedback") / ohms(circuit, "R_v_0_drive_in")
    assert measured == pytest.approx(gain, rel=1e-4)
    assert ohms(circuit, "R_v_0_swing") == pytest.approx(2.0 * 2.0 / (1e-4 * 600.0 / 601.0), rel=1e-9)
    assert ohms(circuit, "R_v_0_tail") == pytest.approx(5.0 / (1e-4 * 601.0 / 600.0), rel=1e-9)
    assert circuit.device("R_v_0_tap").part == Resistor(220.0, drift=3.5e-3)


def test_a_slope_that_needs_no_gain_has_none() -> None:
    names = {d.name for d in build("differential_pair", Tanh(gain=0.5)).devices}
    assert "X_v_0_drive" not in names
    assert "R_v_0_drive_in" not in names
    assert "X_v_0_drive" in {d.name for d in build("differential_pair", Tanh(gain=2.0)).devices}


def test_the_tails_of_all_pairs_share_what_holds_them() -> None:
    circuit = build("differential_pair", Tanh(gain=8.0), n=4)
    lines = [d.name for d in circuit.devices if d.origin.role is Role.TAIL_LINE]
    assert lines == ["X_tail_line", "Q_tail_line", "R_tail_line"]
    tails = [d for d in circuit.devices if d.origin.role is Role.TAIL]
    assert [d.nodes[1] for d in tails] == ["tail_line"] * 4
    assert sum(block.heading == "references and supplies" for block in circuit.blocks) == 1


# A divider and the follower behind it: the clamps of all neurons draw current from a level.
LEVEL = (("R", "top"), ("R", "tap"), ("X", "held"))


def test_levels_are_shared_by_equal_amplitudes() -> None:
    equal = build("piecewise_linear", PiecewiseLinear(gain=2.0, amplitude=1.5), n=3)
    levels = [d.name for d in equal.devices if d.origin.role is Role.LEVEL]
    assert levels == [f"{kind}_level_{side}_1p5_{end}" for side in "pn" for kind, end in LEVEL]
    assert ohms(equal, "R_level_p_1p5_tap") / ohms(equal, "R_level_p_1p5_top") == pytest.approx(1.5 / 8.5)
    apart = build("piecewise_linear", PiecewiseLinear(gain=2.0, amplitude=np.array([1.0, 10.0])))
    found = [d.name for d in apart.devices if d.origin.role is Role.LEVEL]
    assert found == [f"{kind}_level_{side}_1_{end}" for side in "pn" for kind, end in LEVEL]
    assert apart.device("X_v_1_upper").nodes[0] == "reference_p"


# What is refused.


def refused(message: str, make: Callable[[], object], error: type[Exception] = hh.InputError) -> None:
    with pytest.raises(error) as caught:
        make()
    assert str(caught.value) == message


def test_amplifiers_are_refused_that_are_none() -> None:
    refused(
        "`InvertingIntegrator.amplifier`: amplifier 'diode_clam' is unknown: must be one of exact, differential_pair, "
        "ota, piecewise_linear, diode_clamp, zener_clamp; did you mean 'diode_clamp'?; or give an Amplifier",
        lambda: InvertingIntegrator(amplifier="diode_clam"),
    )
    for wrong in (3.0, DifferentialPair, None):
        refused(
            f"`InvertingIntegrator.amplifier` = {wrong!r:.60}: must be one of exact, differential_pair, ota, "
            "piecewise_linear, diode_clamp, zener_clamp, or an Amplifier",
            lambda wrong=wrong: InvertingIntegrator(amplifier=wrong),  # type: ignore[misc]
        )


def test_values_out_of_reach_are_refused_with_what_would_do() -> None:
    refused(
        "Activate 'v': amplifier 'differential_pair' needs a reference of 2 V at least, not 1 V; give reference=2",
        lambda: build("differential_pair", Tanh(), reference=1.0),
        hh.Unrealisable,
    )
    refused(
        "Activate 'v': amplifier 'piecewise_linear' needs a reference of 12 V at least, not 10 V; give reference=12",
        lambda: build("piecewise_linear", PiecewiseLinear(gain=2.0, amplitude=12.0)),
        hh.Unrealisable,
    )
    refused(
        "Activate 'v': amplifier 'piecewise_linear' opens the loop of op-amps, and an ideal gain has no limits; give "
        "op_amp=OnePole(), or the model of a part",
        lambda: build("piecewise_linear", PiecewiseLinear(), op_amp=1e6),
        hh.Unrealisable,
    )


def test_values_that_cannot_be_are_refused() -> None:
    refused(
        "`Divider.drift` = 0.003: must be above 1/T = 0.003332 1/K, as the drift of a divider is less than that of its "
        "lower resistor; or 0, which does not compensate",
        lambda: Divider(drift=3e-3),
    )
    refused(
        "`ZenerClamp.diode`: has no breakdown voltage; give a zener diode, such as BZX84C6V2",
        lambda: ZenerClamp(diode=D1N4148),
    )
    for make in (
        lambda: Divider(resistance=0.0),
        lambda: DifferentialPair(tail_current=-1.0),
        lambda: TransconductanceAmplifier(bias_current=0.0),
        lambda: ThreeOpAmps(resistance=0.0),
        lambda: DiodeClamp(resistance=0.0),
        lambda: ZenerClamp(diode=BZX84C6V2, resistance=0.0),
        lambda: InvertingIntegrator(reference=0.0),
    ):
        with pytest.raises(hh.InputError, match="must be positive"):
            make()


# The conformance suite: against the ideal curve where the amplifier has it, else against the measured one.


def measured(amplifier: Amplifier, gain: Gain) -> Callable[[Circuit, Graph], Graph]:
    table = gain_curve(amplifier, gain=gain, op_amp=FAST, span=13.0, accuracy=2e-4)

    def equation(_: Circuit, graph: Graph) -> Graph:
        operators = (replace(op, function=table) if isinstance(op, Activate) else op for op in graph.operators)
        return replace(graph, operators=tuple(operators))

    return equation


def test_the_cell_keeps_its_conventions_with_a_pair() -> None:
    check_cell(InvertingIntegrator(op_amp=FAST, amplifier="differential_pair"), accuracy=2e-3)


@pytest.mark.parametrize(
    "amplifier",
    [TransconductanceAmplifier(), ThreeOpAmps(), DiodeClamp(), ZenerClamp(resistance=5e3)],
    ids=lambda amplifier: amplifier.name,
)
def test_a_network_is_verified_with_each_amplifier(amplifier: Amplifier) -> None:
    gain = CURVES[amplifier.name]
    net = hh.Network(
        weights=[[3e-5, -6e-5], [8e-5, 2e-5]],
        resistance=[1e4, 2e4],
        capacitance=1e-7,
        gain=gain,
        bias=[2e-5, -3e-5],
        initial=[0.4, -0.7],
        input_weights=[[5e-5], [-2e-5]],
    )
    graph = net.graph()
    circuit = hh.lower(graph, cell=InvertingIntegrator(op_amp=FAST, amplifier=amplifier))
    held = graph if isinstance(amplifier, ThreeOpAmps) else measured(amplifier, gain)(circuit, graph)
    result = verify_circuit(held, circuit, inputs=[0.3], accuracy=2e-3)
    assert result.passed, str(result)


def test_a_pair_makes_a_logistic_too() -> None:
    assert Logistic in DifferentialPair().curves
    offset = [d for d in build("differential_pair", Logistic(gain=4.0, amplitude=2.0)).devices if "_offset" in d.name]
    assert offset == []


def test_clamps_refuse_an_op_amp_whose_inputs_load_each_other() -> None:
    model = replace(find_data_sheet("NE5532").model(), input_resistance=3e5)
    net = hh.Network(weights=[[1e-5]], resistance=1e4, capacitance=1e-7, gain=hh.PiecewiseLinear(gain=2.0))
    with pytest.raises(Unrealisable) as error:
        hh.lower(net, cell=hh.InvertingIntegrator(op_amp=model, amplifier="piecewise_linear"))
    assert str(error.value) == (
        "Activate 'v': the inputs of NE5532 have 3e+05 Ohm between them, and stand volts apart where a clamp is open: "
        "must be 1e+06 Ohm at least; take an op-amp with FET inputs"
    )
