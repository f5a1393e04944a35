"""Each convention pinned once, by closed forms: who drives whom, signs, directions of currents, units."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import scipy.sparse as sp
import xarray as xr

from hopfield_hw.equations import solve
from hopfield_hw.functions import Identity, PiecewiseLinear, Tanh
from hopfield_hw.graph import Activate, Affine, Graph, Leak, Output, Quantise, Stencil
from hopfield_hw.lowering import lower
from hopfield_hw.networks.network import Network
from hopfield_hw.spice.transient import simulate
from hopfield_hw.transforms import in_si
from hopfield_hw.values.measures import nrmse, nrmse_each
from hopfield_hw.values.signals import Signal

R, C = 1e4, 1e-7
TAU = R * C
# Passive nodes are loaded by their weights: below 1/R, every cell realises them.
WEIGHT = 0.6 / R
LINEAR = PiecewiseLinear(gain=1.0, amplitude=10.0)  # g(x) = x for all voltages here
POINTS = 201
ACCURACY = 1e-4
CELLS = ("ideal", "hopfield_tank", "inverting_integrator")
MACHINES = ("reference", *CELLS)

Run = Callable[..., xr.Dataset]


def machine(name: str) -> Run:
    """Return what runs a graph: the reference, or ngspice on the circuit of a cell."""

    def run(graph: Graph, *, inputs: Any = None, t_stop: float = 4.0 * TAU) -> xr.Dataset:
        if name == "reference":
            return solve(graph, t_stop=t_stop, inputs=inputs, points=POINTS)
        circuit = lower(graph, cell=name)
        return simulate(circuit, t_stop=t_stop, inputs=inputs, points=POINTS, accuracy=ACCURACY)

    return run


@pytest.fixture(params=MACHINES)
def run(request: pytest.FixtureRequest) -> Run:
    if request.param != "reference":
        request.getfixturevalue("ngspice")
    return machine(request.param)


def two(weight: float, **others: Any) -> Network:
    """Two neurons, of which only 0 drives 1."""
    return Network(weights=[[0.0, 0.0], [weight, 0.0]], resistance=R, capacitance=C, gain=LINEAR, **others)


def assert_close(found: xr.DataArray, expected: npt.NDArray[np.float64]) -> None:
    # The accuracy that was asked for, in the norm in which it is defined.
    assert nrmse(expected, found.values) < ACCURACY


@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_weights_1_0_drive_neuron_1_from_neuron_0(run: Run, sign: float) -> None:
    wave = run(two(sign * WEIGHT, initial=[0.8, 0.0]).graph())
    s = wave.time.values / TAU
    driver = 0.8 * np.exp(-s)
    driven = sign * WEIGHT * R * 0.8 * s * np.exp(-s)
    assert_close(wave.state, np.stack([driver, driven], axis=1))
    assert_close(wave.output, np.stack([driver, driven], axis=1))


def test_the_other_one_does_not_move(run: Run) -> None:
    wave = run(two(WEIGHT, initial=[0.0, 0.8]).graph())
    s = wave.time.values / TAU
    assert_close(wave.state, np.stack([np.zeros_like(s), 0.8 * np.exp(-s)], axis=1))


def test_positive_bias_raises_its_neuron(run: Run) -> None:
    wave = run(two(0.0, bias=[0.3 / R, -0.2 / R]).graph())
    rise = 1.0 - np.exp(-wave.time.values / TAU)
    assert_close(wave.state, np.stack([0.3 * rise, -0.2 * rise], axis=1))


def test_input_weights_are_to_from(run: Run) -> None:
    # Input 2 of 3 drives neuron 0 up, input 0 drives neuron 1 down; input 1 drives nothing.
    net = two(0.0, input_weights=[[0.0, 0.0, 0.5 / R], [-0.25 / R, 0.0, 0.0]])
    wave = run(net.graph(), inputs=[1.0, 7.0, 0.8])
    rise = 1.0 - np.exp(-wave.time.values / TAU)
    assert_close(wave.state, np.stack([0.4 * rise, -0.25 * rise], axis=1))


def test_inputs_are_zero_where_none_are_given(run: Run) -> None:
    wave = run(two(0.0, input_weights=[[0.5 / R], [0.5 / R]], initial=[0.8, -0.4]).graph())
    assert_close(wave.state, np.exp(-wave.time.values / TAU)[:, np.newaxis] * [0.8, -0.4])


def test_a_signal_is_linear_between_points_and_constant_outside(run: Run) -> None:
    """u = 0.2 up to t = 1, a ramp to 0.8 at t = 2, then 0.8 (times in R C)."""
    signal = Signal(times=np.array([1.0, 2.0]) * TAU, values=[[0.2], [0.8]])
    net = Network(
        weights=[[0.0]], resistance=R, capacitance=C, gain=LINEAR, initial=0.2, input_weights=[[1.0 / (2.0 * R)]]
    )
    wave = run(net.graph(), inputs=signal)
    s = wave.time.values / TAU
    # dx/ds = -x + u / 2: at 0.2 it decays to 0.1; a ramp of slope k lags by k: x = k (s - 1) - k (1 - e^-(s-1)) + ...
    first = 0.1 + 0.1 * np.exp(-s)
    at_1, k = 0.1 + 0.1 * np.exp(-1.0), 0.3
    ramp = 0.1 + k * (s - 1.0) - k * (1.0 - np.exp(1.0 - s)) + (at_1 - 0.1) * np.exp(1.0 - s)
    at_2 = 0.1 + k - k * (1.0 - np.exp(-1.0)) + (at_1 - 0.1) * np.exp(-1.0)
    last = 0.4 + (at_2 - 0.4) * np.exp(2.0 - s)
    expected = np.where(s < 1.0, first, np.where(s < 2.0, ramp, last))
    assert_close(wave.state, expected[:, np.newaxis])


def test_output_is_the_gain_of_the_state(run: Run) -> None:
    net = Network(
        weights=[[0.0]], resistance=R, capacitance=C, gain=Tanh(gain=4.0, amplitude=2.0), initial=0.9, bias=0.1 / R
    )
    wave = run(net.graph())
    expected = 2.0 * np.tanh(4.0 * wave.state.values / 2.0)
    # The output is read beside the state, through splines of one run: their error is that of the run.
    assert nrmse(expected, wave.output.values) < ACCURACY


def test_dataset_is_labelled_and_has_units(run: Run) -> None:
    wave = run(two(WEIGHT, labels=("left", "right"), initial=1.0).graph())
    assert wave.state.dims == wave.output.dims == ("time", "neuron")
    assert list(wave.neuron.values) == ["left", "right"]
    assert (wave.state.attrs["units"], wave.output.attrs["units"], wave.time.attrs["units"]) == ("V", "V", "s")
    assert (wave.time.values[0], wave.time.values[-1], wave.sizes["time"]) == (0.0, 4.0 * TAU, POINTS)
    assert wave.state.values[0] == pytest.approx([1.0, 1.0], rel=1e-12)


def test_dimensionless_is_in_units_of_volts_siemens_and_seconds(run: Run) -> None:
    """tau dx/dt = -x + W g(x) + b, in units of 2 V, 50 uS (20 kOhm) and 3 ms."""
    net = Network.dimensionless(
        [[0.0, 0.0], [0.5, 0.0]],
        tau=[1.0, 2.0],
        gain=LINEAR,
        bias=[0.1, 0.0],
        initial=[0.4, 0.0],
        volts=2.0,
        siemens=5e-5,
        seconds=3e-3,
    )
    wave = run(net.graph(), t_stop=12e-3)
    s = wave.time.values / 3e-3
    first = 0.1 + 0.3 * np.exp(-s)
    # 2 y' = -y + first / 2
    second = 0.05 * (1.0 - np.exp(-s / 2.0)) + 0.15 * (np.exp(-s / 2.0) - np.exp(-s))
    assert_close(wave.state, 2.0 * np.stack([first, second], axis=1))


def test_dimensionless_neurons_are_10_kohm_and_100_nf() -> None:
    graph = in_si(Network.dimensionless([[0.0, -2.0], [3.0, 0.0]], tau=[1.0, 5.0], bias=[0.5, 0.0]).graph())
    leak, synapse = graph.of_type(Leak)[0], graph.of_type(Affine)[0]
    assert leak.resistance.tolist() == pytest.approx([1e4, 1e4], rel=1e-15)
    assert leak.capacitance.tolist() == pytest.approx([1e-7, 5e-7], rel=1e-15)
    assert synapse.weights.matrix.ravel().tolist() == pytest.approx([0.0, -2e-4, 3e-4, 0.0], rel=1e-15)
    assert synapse.bias.tolist() == pytest.approx([5e-5, 0.0], rel=1e-15)


def test_inputs_and_times_of_a_run_are_volts_and_seconds_whatever_the_units(run: Run) -> None:
    net = Network.dimensionless([[0.0]], gain=LINEAR, input_weights=[[0.5]], volts=2.0, seconds=1e-3)
    wave = run(net.graph(), inputs=0.6, t_stop=3e-3)
    rise = 1.0 - np.exp(-wave.time.values / 1e-3)
    assert_close(wave.state, 0.3 * rise[:, np.newaxis])


def test_names_of_devices_are_to_from() -> None:
    circuit = lower(two(WEIGHT).graph(), cell="hopfield_tank")
    assert circuit.origin("R_syn_1_0") == ("syn", "weights", (1, 0))
    assert str(circuit.origin("R_syn_1_0")) == "syn.weights[1, 0]"
    assert circuit.device("R_syn_1_0").nodes == ("v_0", "x_1")


def test_current_sources_push_from_the_first_node_to_the_second() -> None:
    circuit = lower(two(WEIGHT, bias=[1e-6, 0.0]).graph(), cell="ideal")
    assert circuit.device("I_syn_0").nodes == ("0", "x_0")
    assert circuit.device("G_syn_1_0").nodes == ("0", "x_1", "v_0", "0")


def test_complement_rail_is_minus_its_amplifier() -> None:
    circuit = lower(two(-WEIGHT).graph(), cell="hopfield_tank")
    assert circuit.device("R_syn_1_0").nodes == ("vn_0", "x_1")
    inverter = circuit.device("E_inv_v_0")
    assert (inverter.nodes, inverter.value) == (("vn_0", "0", "v_0", "0"), -1.0)


def test_the_inverting_integrator_holds_minus_the_state() -> None:
    circuit = lower(two(WEIGHT, initial=[0.8, 0.0]).graph(), cell="inverting_integrator")
    assert [(probe.node, probe.scale) for probe in circuit.states] == [("xn_0", -1.0), ("xn_1", -1.0)]
    assert circuit.initial == {"xn_0": -0.8, "xn_1": 0.0}


def test_sparse_weights_mean_the_same_as_dense_ones() -> None:
    dense = np.array([[0.0, -1e-5], [3e-5, 0.0]])
    waves = [
        solve(Network(weights=w, resistance=R, capacitance=C, initial=[0.5, 0.1]).graph(), points=11)
        for w in (dense, sp.csc_matrix(dense))
    ]
    # Two orders of the same sums.
    np.testing.assert_allclose(waves[0].state.values, waves[1].state.values, rtol=0, atol=1e-12)


@pytest.mark.parametrize(("row", "column", "source"), [(0, 1, 1), (1, 0, 3), (1, 2, 5), (2, 1, 7), (0, 0, 0)])
def test_a_stencil_takes_from_where_its_template_points(row: int, column: int, source: int) -> None:
    """On a 3 x 3 grid the middle cell takes from row r + p - 1, column c + q - 1: no flip, as in a correlation."""
    template = np.zeros((3, 3))
    template[row, column] = 2.0
    stencil = Stencil(template=template, shape=(3, 3))
    assert stencil.apply(np.arange(9.0))[4] == 2.0 * source
    assert stencil.matrix[4].tolist() == [2.0 if j == source else 0.0 for j in range(9)]


@pytest.mark.parametrize("name", ["reference", "ideal"])
def test_a_stencil_runs_as_it_points(name: str, request: pytest.FixtureRequest) -> None:
    """A 1 x 3 row that takes from the left: x_0 decays alone, x_1 from x_0, x_2 from x_1, and 0 from the edge 0.5."""
    if name != "reference":
        request.getfixturevalue("ngspice")
    stencil = Stencil(template=[[0.5 / R, 0.0, 0.0]], shape=(1, 3), boundary="fixed", edge=0.4)
    graph = Graph(
        operators=(
            Leak(name="x", capacitance=[C] * 3, resistance=[R] * 3, initial=[0.0] * 3),
            Activate(name="v", size=3, function=Identity()),
            Affine(name="syn", weights=stencil),
            Output(name="output", size=3),
        ),
        edges=(("x", "v"), ("v", "syn"), ("syn", "x"), ("v", "output")),
    )
    wave = machine(name)(graph)
    s = wave.time.values / TAU
    e = np.exp(-s)
    expected = [0.2 * (1.0 - e), 0.1 * (1.0 - e - s * e), 0.05 * (1.0 - e - s * e - s**2 / 2.0 * e)]
    assert_close(wave.state, np.stack(expected, axis=1))


def test_quantise_takes_the_nearest_level_and_saturates() -> None:
    converter = Quantise(name="q", size=7, levels=5, lower=-1.0, upper=1.0)
    x = np.array([-9.0, -0.74, -0.76, 0.1, 0.25, 0.75, 9.0])
    # Halfway (0.25 and 0.75) goes to the even level, of -1, -0.5, 0, 0.5, 1.
    assert converter.value(x).tolist() == [-1.0, -0.5, -1.0, 0.0, 0.0, 1.0, 1.0]


def test_nrmse_is_that_of_the_worst_neuron_by_its_reference_range() -> None:
    reference = np.array([[0.0, 10.0], [4.0, 10.2], [2.0, 10.1]])
    found = reference + np.array([[0.3, 0.0], [0.0, 0.03], [0.4, 0.04]])
    first, second = np.sqrt(0.25 / 3.0) / 4.0, np.sqrt(25e-4 / 3.0) / 0.2
    assert nrmse_each(reference, found).tolist() == pytest.approx([first, second], rel=1e-12)
    assert nrmse(reference, found) == pytest.approx(second, rel=1e-12)
    # The range is the reference's: doubling what was found does not double it.
    assert nrmse(reference, 2.0 * reference) > 1.0


def test_nrmse_of_a_neuron_at_rest_counts_by_a_thousandth_of_the_largest_range() -> None:
    reference = np.array([[0.0, 7.0], [5.0, 7.0]])
    found = reference + np.array([[0.0, 0.01], [0.0, 0.01]])
    assert nrmse(reference, found) == pytest.approx(0.01 / 5e-3, rel=1e-12)
    assert nrmse(reference, reference) == 0.0


def test_a_signal_is_read_at_its_points_between_and_beyond() -> None:
    signal = Signal(times=[1.0, 2.0, 4.0], values=[[0.0, 1.0], [2.0, 3.0], [-2.0, 3.0]])
    at = {0.0: [0.0, 1.0], 1.0: [0.0, 1.0], 1.5: [1.0, 2.0], 2.0: [2.0, 3.0], 3.5: [-1.0, 3.0], 4.0: [-2.0, 3.0]}
    assert {time: signal.at(time).tolist() for time in at} == at
    assert signal.at(9.0).tolist() == [-2.0, 3.0]
