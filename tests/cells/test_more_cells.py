"""The summing amplifier, the gm-C neuron and the winner-take-all stage, beyond what every cell must do."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

import hopfield_hw as hh
from hopfield_hw import families
from hopfield_hw.cells import CELLS, AllPass, Cell, ChuaYang, GmC, HopfieldTank, SummingAmplifier
from hopfield_hw.circuit import Role, Stage
from hopfield_hw.graph import Activate, Affine, Edge, Graph, Units
from hopfield_hw.graph.building import CIRCUIT_UNITS
from hopfield_hw.lowering import lower
from hopfield_hw.pictures.schematic import neuron_devices
from hopfield_hw.testing import assert_matches_ode


def static(seed: int = 0, units: Units = CIRCUIT_UNITS) -> Graph:
    rng = np.random.default_rng(seed)
    return families.static_field(
        rng.normal(size=(3, 3)),
        gain=hh.Tanh(gain=[1.0, 2.0, 3.0]),
        bias=rng.normal(size=3),
        tau=[0.5, 1.0, 2.0],
        initial=rng.normal(size=3),
        units=units,
    )


@pytest.mark.parametrize("volts", [1.0, 0.1])
def test_summing_amplifier_builds_the_static_field_model(volts: float, ngspice: str) -> None:
    graph = static(units=Units(volts_per_unit=volts, siemens_per_unit=1e-4, seconds_per_unit=1e-3))
    circuit = lower(graph, cell="summing_amplifier")
    kinds = {device.name[0] for device in circuit.devices}
    assert kinds == {"R", "C", "E", "B", "I"}
    assert len(circuit.devices_from("syn", (0, 1), "weights")) == 1
    assert_matches_ode(circuit, graph)


def test_summing_amplifier_builds_the_box(ngspice: str) -> None:
    graph = families.brain_state_in_a_box([[0.3, 0.8], [0.8, 0.3]], initial=[0.3, -0.1], alpha=0.5, discrete=False)
    result = hh.verify(graph, cell="summing_amplifier", t_stop=20e-3)
    assert result.passed
    np.testing.assert_allclose(np.abs(result.wave["state"].to_numpy()[-1]), 1.0, atol=1e-3)


def test_summing_amplifier_takes_what_is_left_of_the_leak_to_ground(ngspice: str) -> None:
    """A gain that charges the capacitor through half of 1/R: C x' = -x/R + g/(2 R)."""
    graph = static()
    half = Affine(name="half", weights=0.5 * np.eye(3))
    edges = [Edge("v", "half") if edge == Edge("v", "x") else edge for edge in graph.edges]
    halved = Graph(operators=(*graph.operators, half), edges=(*edges, Edge("half", "x")), units=graph.units)
    assert {device.name for device in lower(halved, cell="summing_amplifier").devices} >= {"R_x_0", "R_x_0_rest"}
    assert_matches_ode(lower(halved, cell="summing_amplifier"), halved)
    double = replace(half, weights=2.0 * np.eye(3))
    too_much = Graph(operators=(*graph.operators, double), edges=halved.edges, units=graph.units)
    with pytest.raises(
        hh.Unrealisable, match=r"^summing_amplifier, neuron 0 of 'x': its gain drives it through 200 uS"
    ):
        lower(too_much, cell="summing_amplifier")


def test_a_drawing_is_made_of_the_stages_that_a_cell_names() -> None:
    """The inputs lead into the first stage, which the cell says; the devices of a stage are found by their roles."""
    summed = neuron_devices(lower(static(), cell="summing_amplifier"), static(), "1")
    assert [drawn.stage for drawn in summed.stages] == [Stage.ADDER, Stage.AMPLIFIER, Stage.SERIES_RC, Stage.FOLLOWER]
    assert sorted(device.name for device in summed.into) == sorted([*(f"R_syn_1_{k}" for k in range(3)), "I_syn_1"])
    adder, amplifier, rc, follower = (drawn.devices for drawn in summed.stages)
    assert adder[Role.OP_AMP][0].name == "E_x_1"
    assert amplifier[Role.FUNCTION][0].name == "B_v_1"
    assert rc[Role.CAPACITANCE][0].name == "C_x_1"
    assert follower[Role.OP_AMP][1].name == "E_buf_x_1"
    graph = families.winner_take_all(np.linspace(0.0, 1.0, 5))
    line = neuron_devices(lower(graph, cell="winner_take_all"), graph, "1")
    assert [device.name for device in line.into] == ["R_syn_1_1", "R_syn_to_1", "I_syn_1"]
    net = hh.Network(weights=[[1e-5]], resistance=1e4, capacitance=1e-7, initial=0.1)
    for cell in CELLS:
        first = neuron_devices(lower(net, cell=cell), net.graph(), "0")
        held = [device.name for drawn in first.stages for device in drawn.devices.get(Role.CAPACITANCE, ())]
        assert "C_x_0" in held


def test_a_cell_without_a_drawing_says_so() -> None:
    circuit = replace(lower(static(), cell="ideal"), sketches={})
    with pytest.raises(hh.InputError) as refused:
        neuron_devices(circuit, static(), "1")
    assert str(refused.value) == "schematic: cell 'ideal' gives no drawing of 'x'; it calls Draft.sketch"


def test_summing_amplifier_refuses_an_integrator_and_what_is_not_its_form() -> None:
    integrator = hh.Network(weights=[[0.0]], resistance=np.inf, capacitance=1e-7)
    with pytest.raises(hh.Unrealisable, match=r"^summing_amplifier, neuron 0 of 'x': R is infinite, and a resistor"):
        lower(integrator, cell="summing_amplifier")
    memory = families.modern_hopfield(np.eye(3), initial=0.1)
    with pytest.raises(hh.Unrealisable, match=r"^cell 'summing_amplifier' does not lower "):
        lower(memory, cell="summing_amplifier")
    with pytest.raises(hh.InputError, match=r"^`SummingAmplifier.feedback = 0.0 Ohm`: must be positive"):
        SummingAmplifier(feedback=0.0)


def test_gm_c_with_a_linear_range_is_the_network_of_its_saturated_pairs(ngspice: str) -> None:
    """Its law as a graph: pairs before each weight, and as the leak, of tanh with amplitude V_s."""
    rng = np.random.default_rng(3)
    net = hh.Network(
        weights=1e-4 * rng.normal(size=(3, 3)),
        resistance=1e4,
        capacitance=1e-7,
        gain=hh.Tanh(gain=4.0),
        bias=[2e-5, -1e-5, 0.0],
        initial=[0.5, -0.3, 0.8],
    )
    pair = hh.Tanh(amplitude=0.7)
    base = net.graph()
    leak = replace(base.by_name["x"], resistance=np.full(3, np.inf))
    rest = [op for op in base.operators if op.name != "x"]
    added = [
        Activate(name="pair_v", size=3, function=pair),
        Activate(name="pair_x", size=3, function=pair),
        Affine(name="leak", weights=-1e-4 * np.eye(3)),
    ]
    edges = [Edge("pair_v", "syn") if edge == Edge("v", "syn") else edge for edge in base.edges]
    edges += [Edge("v", "pair_v"), Edge("x", "pair_x"), Edge("pair_x", "leak"), Edge("leak", "x")]
    law = Graph(operators=(leak, *rest, *added), edges=tuple(edges))
    circuit = lower(net, cell=GmC(linear_range=0.7))
    assert_matches_ode(circuit, law, t_stop=20e-3)
    # The network itself is met the closer, the wider the range is: the error goes with its inverse square.
    narrow, wide = (
        hh.verify(net, cell=GmC(linear_range=reach), t_stop=20e-3, tolerance=0.9).nrmse for reach in (5.0, 50.0)
    )
    assert 50.0 < narrow / wide < 200.0
    with pytest.raises(hh.InputError, match=r"^`GmC.linear_range = 0.0 V`: must be positive"):
        GmC(linear_range=0.0)


@pytest.mark.parametrize(
    "cell",
    [
        GmC(linear_range=np.float64(0.7)),
        ChuaYang(output_resistance=np.float64(1e6), clamp_resistance=np.float64(1.0)),
        SummingAmplifier(op_amp=np.float64(1e7), feedback=np.float64(1e4)),
        HopfieldTank(delay=AllPass(accuracy=np.float64(0.1), resistance=np.float64(1e4))),
    ],
    ids=lambda cell: cell.name,
)
def test_numbers_of_numpy_are_written_as_numbers(cell: Cell) -> None:
    net = hh.Network(weights=[[0.0, 1e-5], [1e-5, 0.0]], resistance=1e4, capacitance=1e-7, gain=hh.PiecewiseLinear())
    graph = hh.transforms.add_delay(net, 1e-4) if isinstance(cell, HopfieldTank) else net
    assert "np." not in lower(graph, cell=cell).netlist()


def test_winner_take_all_has_one_common_line(ngspice: str) -> None:
    graph = families.winner_take_all(np.linspace(0.0, 1.0, 8))
    line, crossbar = (lower(graph, cell=cell) for cell in ("winner_take_all", "inverting_integrator"))
    assert sum(device.name[0] == "R" for device in line.devices) == 8 + 8 + 1 + 2 * 8  # leaks, own, adder, common
    assert sum(device.name[0] == "R" for device in crossbar.devices) == 8 + 64 + 2 * 8  # two of each inverter
    assert_matches_ode(line, graph)
    two = lower(families.winner_take_all([0.1, 0.2]), cell="winner_take_all")  # nothing to be gained
    assert len(two.devices_from("syn", (0, 1), "weights")) == 1


def test_softmax_in_groups_at_any_level(ngspice: str) -> None:
    """Inputs of +-200 units, whose exponentials overflow, and groups that do not touch."""
    rng = np.random.default_rng(4)
    graph = families.modern_hopfield(rng.normal(size=(5, 3)), beta=3.0, initial=[0.3, -0.2, 0.5])
    grouped = replace(graph.by_name["attention"], function=hh.Softmax(groups=(2, 3), beta=3.0, amplitude=0.8))
    shifted = replace(graph.by_name["overlap"], bias=np.array([200.0, 200.1, -200.0, -200.3, -200.0]))
    kept = [op for op in graph.operators if op.name not in ("attention", "overlap")]
    changed = Graph(operators=(*kept, grouped, shifted), edges=graph.edges, units=graph.units)
    circuit = lower(changed)
    assert len(circuit.devices_from("attention", (0,), "total")) == 1
    assert_matches_ode(circuit, changed)
