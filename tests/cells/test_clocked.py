"""Clocked circuits: sample-and-hold pairs in ngspice, verified against the map or the sampled-data equation."""

from __future__ import annotations

import re
import warnings
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

import hopfield_hw as hh
from hopfield_hw.equations import SampledProgram, Watch
from hopfield_hw.graph import Activate, Affine, Clock, Edge, Graph, Hold, Input, Leak, Output, Quantise
from hopfield_hw.parts import Switch
from hopfield_hw.recurrent import GRU, LSTM, RNN
from hopfield_hw.transforms import discretise, hold_outputs, in_si, remove_clock
from hopfield_hw.values.grids import period_grid

pytestmark = pytest.mark.usefixtures("ngspice")


def cell(kind: str, rng: np.random.Generator, hidden: int = 2, inputs: int = 2) -> Any:
    gates = {"RNN": 1, "GRU": 3, "LSTM": 4}[kind]
    fields: dict[str, Any] = {
        "input_weights": rng.normal(size=(gates * hidden, inputs)),
        "recurrent_weights": rng.normal(size=(gates * hidden, hidden)),
        "bias": 0.3 * rng.normal(size=2 * gates * hidden),
    }
    if kind == "LSTM":
        return LSTM(**fields, peepholes=rng.normal(size=3 * hidden))
    if kind == "GRU":
        return GRU(**fields, linear_before_reset=bool(rng.integers(2)))
    return RNN(**fields, output_weights=rng.normal(size=(1, hidden)), output_bias=[0.2])


def network(rng: np.random.Generator, n: int = 3) -> hh.Network:
    return hh.Network(
        weights=rng.normal(size=(n, n)) * 5e-5,
        resistance=rng.uniform(5e3, 2e4, n),
        capacitance=1e-7,
        gain=hh.Tanh(gain=1.5),
        bias=rng.normal(size=n) * 3e-5,
        initial=rng.uniform(-1.0, 1.0, n),
    )


@pytest.mark.parametrize("kind", ["RNN", "GRU", "LSTM"])
@pytest.mark.parametrize("topology", ["ideal", "active_rc"])
def test_a_cell_in_a_circuit_steps_as_its_map(kind: str, topology: str) -> None:
    rng = np.random.default_rng(7)
    graph = replace(cell(kind, rng).graph(), units=hh.Units(seconds_per_unit=1e-3))
    inputs = hh.Signal.held(rng.uniform(-1.0, 1.0, (13, 2)), 1e-3)
    result = hh.verify(graph, cell=topology, t_stop=12e-3, inputs=inputs)
    assert result.passed, result
    assert result.warning == ""
    assert result.wave.sizes["time"] == 13
    # Exact switches leave rounding; op-amps of gain 1e6 and real switches some parts in 1e5.
    assert result.sqnr > (140.0 if topology == "ideal" else 75.0)


def test_an_input_that_moves_is_held_as_the_map_reads_it() -> None:
    """A map reads u(k T): a ramp reaches the circuit of a map in steps."""
    graph = Graph(
        operators=(
            Input(name="u", size=1),
            Hold(name="x", clock=Clock(period=1e-3), initial=[0.0]),
            Output(name="y", size=1),
        ),
        edges=(Edge("u", "x"), Edge("x", "y")),
    )
    ramp = hh.Signal(times=[0.0, 5e-3], values=[0.0, 5.0])
    result = hh.verify(graph, t_stop=6e-3, inputs=ramp)
    assert result.passed
    np.testing.assert_allclose(result.wave["output"].to_numpy()[:, 0], [0, 0, 1, 2, 3, 4, 5], atol=1e-5)


def test_a_hopfield_network_that_is_held_is_its_zero_order_hold_and_not_free_running() -> None:
    """At D = R C the held network is exactly the map; the free-running one is elsewhere; both have circuits."""
    net = network(np.random.default_rng(1))
    period = float(np.max(net.resistance * net.capacitance))
    graph = hold_outputs(net, period=period)
    result = hh.verify(graph, t_stop=10 * period)
    assert result.passed, result
    mapped = hh.reference(discretise(net, step=period, method="zero_order_hold"), t_stop=11 * period)
    # The state of period k, at its end, is the map's of step k + 1; what is left is the time at which it is read.
    expected = mapped["state"].to_numpy()[1:]
    assert np.max(np.abs(result.ref["state"].to_numpy()[:, :3] - expected)) < 1e-5 * np.ptp(expected)
    free = hh.reference(net, t_stop=10 * period, points=11)["state"].to_numpy()
    assert np.max(np.abs(free[1:] - expected[:-1])) > 1e-2


@pytest.mark.parametrize("refined", [2, 4])
def test_a_held_network_goes_to_the_free_running_one_by_the_first_order(refined: int) -> None:
    net = network(np.random.default_rng(2))
    end = 5e-3

    def off(period: float) -> float:
        found = hh.reference(hold_outputs(net, period=period), t_stop=end, points=2)["state"].to_numpy()[-1, :3]
        return float(np.max(np.abs(found - hh.reference(net, t_stop=end, points=2)["state"].to_numpy()[-1])))

    assert off(2e-5) / off(2e-5 / refined) == pytest.approx(refined, rel=0.1)


def test_a_free_running_cell_rests_where_its_map_does() -> None:
    rng = np.random.default_rng(3)
    graph = RNN(input_weights=rng.normal(size=(3, 1)), recurrent_weights=0.3 * rng.normal(size=(3, 3))).graph()
    free = remove_clock(graph, time_constant=1e-3)
    result = hh.verify(free, inputs=0.7)
    assert result.passed
    rests = hh.reference(graph, t_stop=200.0, inputs=0.7)["state"].to_numpy()[-1]
    np.testing.assert_allclose(result.ref["state"].to_numpy()[-1], rests, atol=1e-6)


def test_a_clock_too_fast_for_its_switches_is_warned_of() -> None:
    """Switches of 100 Ohm charge 1 nF in 0.1 us; a period of 1 us leaves 4.5 of it."""
    rng = np.random.default_rng(4)
    for period, fast in ((1e-3, False), (1e-6, True)):
        graph = replace(cell("RNN", rng).graph(), units=hh.Units(seconds_per_unit=period))
        inputs = hh.Signal.held(rng.uniform(-1.0, 1.0, (6, 2)), period)
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            hh.simulate(hh.lower(graph, cell="active_rc"), t_stop=5 * period, inputs=inputs)
        messages = [str(warning.message) for warning in caught]
        assert bool(messages) == fast
        if fast:
            assert re.fullmatch(
                r"ngspice: at the end of a period, what is sampled is still off by 0\.0\d+ of its range, above the "
                r"accuracy 0\.0001 asked for; the clock is too fast: take a longer period, or faster switches",
                messages[-1],
            )


def test_a_converter_quantises_in_the_circuit() -> None:
    levels = Quantise(name="adc", size=1, levels=5, lower=-1.0, upper=1.0)
    graph = Graph(
        operators=(
            Input(name="u", size=1),
            Hold(name="x", clock=Clock(period=1.0), initial=[0.0]),
            levels,
            Output(name="y", size=1),
        ),
        edges=(Edge("u", "x"), Edge("x", "adc"), Edge("adc", "y")),
    )
    inputs = hh.Signal.held([-3.0, -0.6, -0.3, 0.2, 0.3, 0.8, 2.0, 0.0], 1.0)
    result = hh.verify(graph, t_stop=7.0, inputs=inputs)
    assert result.passed
    expected = [0.0, -1.0, -0.5, -0.5, 0.0, 0.5, 1.0, 1.0]
    np.testing.assert_allclose(result.wave["output"].to_numpy()[:, 0], expected, atol=1e-9)


def test_a_waveform_on_request() -> None:
    """With `points`, a clocked circuit gives its waveform on uniform times, and so does the sampled reference."""
    net = network(np.random.default_rng(5))
    graph = hold_outputs(net, period=1e-3)
    wave, ref = hh.simulate(hh.lower(graph), t_stop=4e-3, points=41), hh.reference(graph, t_stop=4e-3, points=41)
    assert wave.sizes["time"] == ref.sizes["time"] == 41
    inside = np.arange(41) % 10 != 0  # at the edges the held values are on the move
    apart = np.abs(wave["state"].to_numpy() - ref["state"].to_numpy())[inside]
    assert np.max(apart) < 1e-4 * float(np.ptp(ref["state"].to_numpy()))


def test_a_faulty_switch_is_seen() -> None:
    """Mutation: a master that always follows lets the state race through."""
    graph = cell("RNN", np.random.default_rng(6)).graph()
    inputs = hh.Signal.held(np.random.default_rng(6).uniform(-1.0, 1.0, (9, 2)), 1.0)
    deck = hh.lower(graph).netlist().replace("v(clock_acquire)", "1.0")
    assert "1.0)*v(h_in_0,h_master_0)" in deck
    result = hh.verify(graph, t_stop=8.0, inputs=inputs, deck=deck)
    assert not result.passed


# The reference of sampled-data graphs, exact cases.


def decay(phase: float = 0.0) -> Graph:
    """x' = -x + held, held = the left limit of x at each edge."""
    return Graph(
        operators=(
            Leak(name="x", capacitance=[1.0], resistance=[1.0], initial=[1.0]),
            Hold(name="held", clock=Clock(period=1.0, phase=phase), initial=[0.0]),
            Affine(name="half", weights=[[0.5]]),
            Output(name="y", size=1),
        ),
        edges=(Edge("x", "held"), Edge("held", "half"), Edge("half", "x"), Edge("x", "y")),
    )


def test_the_sampled_equation_of_one_neuron_is_exact() -> None:
    """x(t) = h/2 + (x_k - h/2) e^-(t - t_k) between the edges, with h = x_k from the first edge after 0 on."""
    program = SampledProgram(decay(), None)
    times = np.array([0.0, 0.5, 1.0, 1.5, 2.0, 3.0])
    found = program.follow(program.initial[np.newaxis], times, 1e-12, Watch(program.graph, 60.0, 3.0))[0]
    e = np.exp(-1.0)
    x1 = e
    x2 = x1 / 2 + x1 / 2 * e
    x3 = x2 / 2 + x2 / 2 * e
    np.testing.assert_allclose(found[:, 0], [1.0, np.exp(-0.5), x1, x1 / 2 * (1 + np.exp(-0.5)), x2, x3], rtol=1e-10)
    np.testing.assert_allclose(found[:, 1], [0.0, 0.0, x1, x1, x2, x3], rtol=1e-10)


def test_a_clock_with_a_phase_samples_at_its_phase() -> None:
    program = SampledProgram(decay(0.25), None)
    times, watch = np.array([0.0, 0.2, 0.3]), Watch(program.graph, 60.0, 3.0)
    found = program.follow(program.initial[np.newaxis], times, 1e-12, watch)[0]
    np.testing.assert_allclose(found[:, 1], [0.0, 0.0, np.exp(-0.25)], rtol=1e-10)


def test_holds_with_clocks_of_their_own() -> None:
    """A slow Hold after a fast one takes the left limit: what the fast one held before the edge that they share."""
    graph = Graph(
        operators=(
            Input(name="u", size=1),
            Leak(name="x", capacitance=[1.0], resistance=[np.inf], initial=[0.0]),
            Hold(name="fast", clock=Clock(period=1.0), initial=[0.0]),
            Hold(name="slow", clock=Clock(period=2.0), initial=[0.0]),
            Output(name="y", size=1),
        ),
        edges=(Edge("u", "x"), Edge("x", "fast"), Edge("fast", "slow"), Edge("slow", "y")),
    )
    found = hh.reference(graph, t_stop=5.0, inputs=1.0)
    np.testing.assert_allclose(found["state"].to_numpy()[:, 1], [0, 1, 2, 3, 4, 5], atol=1e-5)
    np.testing.assert_allclose(found["state"].to_numpy()[:, 2], [0, 0, 1, 1, 3, 3], atol=1e-5)
    with pytest.raises(hh.Unrealisable) as refused:
        hh.lower(graph)
    message = "Hold 'slow' has a clock of 2 s + 0 s: a circuit has one clock of phase 0, here 1 s; give it to all Holds"
    assert str(refused.value) == message


def test_a_signal_that_is_held() -> None:
    signal = hh.Signal.held([[1.0], [2.0], [4.0]], 0.5)
    assert [float(signal.at(t)[0]) for t in (0.0, 0.4999, 0.5, 0.7, 1.0, 9.0)] == [1.0, 1.0, 2.0, 2.0, 4.0, 4.0]
    again = signal.hold(0.5)
    np.testing.assert_array_equal(again.values, signal.values)
    np.testing.assert_array_equal(again.times, signal.times)
    with pytest.raises(hh.InputError, match=re.escape("`values` has shape (0,): must be (steps, n), not empty")):
        hh.Signal.held([], 1.0)


def test_labels_of_several_states() -> None:
    graph = hold_outputs(network(np.random.default_rng(8)), period=1e-3)
    assert graph.state_labels == ("x_0", "x_1", "x_2", "held_0", "held_1", "held_2")
    assert graph.kind == "sampled"
    assert [probe.label for probe in hh.lower(graph).states] == list(graph.state_labels)


def test_a_sum_that_leaves_by_an_output() -> None:
    graph = Graph(
        operators=(
            Leak(name="x", capacitance=[1e-7], resistance=[1e4], initial=[1.0]),
            Activate(name="v", size=1, function=hh.Tanh()),
            Output(name="y", size=1),
        ),
        edges=(Edge("x", "v"), Edge("x", "y"), Edge("v", "y")),
    )
    for topology in ("ideal", "active_rc"):
        result = hh.verify(graph, cell=topology)
        assert result.passed
        expected = result.ref["state"].to_numpy() + np.tanh(result.ref["state"].to_numpy())
        np.testing.assert_allclose(result.wave["output"].to_numpy(), expected, atol=1e-3)


def test_free_running_takes_maps_alone() -> None:
    with pytest.raises(hh.InputError) as refused:
        remove_clock(network(np.random.default_rng(0)).graph(), time_constant=1.0)
    assert str(refused.value) == ("the graph is of kind 'ode': free_running takes a map, whose states are Holds alone")


def test_a_switch_is_a_conductance_between_its_ends() -> None:
    graph = cell("RNN", np.random.default_rng(9)).graph()
    circuit = hh.lower(graph)
    assert isinstance(circuit.device("G_h_master_0").part, Switch)
    line = next(line for line in circuit.netlist().splitlines() if line.startswith("G_h_master_0"))
    conductance = "1e-15+0.999999999999999*v(clock_acquire)"
    assert line == f"G_h_master_0 h_in_0 h_master_0 cur='({conductance})*v(h_in_0,h_master_0)'"


def discrete_families() -> dict[str, tuple[Graph, Any]]:
    rng = np.random.default_rng(0)
    weights = rng.normal(size=(4, 4))
    image = np.where(rng.random((4, 5)) > 0.5, 1.0, -1.0)
    cells = hh.families.CellularNetwork(template=hh.families.TEMPLATES["edge"], image=image)
    memory = hh.families.bam_weights(rng.choice([-1.0, 1.0], (2, 5)), rng.choice([-1.0, 1.0], (2, 4)))
    hopfield = hh.families.discrete_hopfield(
        [[0.0, 1.0, -1.0], [1.0, 0.0, -1.0], [-1.0, -1.0, 0.0]], initial=[1, -1, 1]
    )
    box = hh.families.brain_state_in_a_box(0.3 * weights @ weights.T, initial=rng.uniform(-0.3, 0.3, 4))
    return {
        "hopfield": (hopfield, None),
        "bam": (hh.families.discrete_bam(memory, initial_x=rng.choice([-1.0, 1.0], 5)), None),
        "brain state in a box": (box, None),
        "maxnet": (hh.families.maxnet([0.3, 0.5, 0.45, 0.2]), None),
        "cellular": (cells.map(), cells.inputs),
    }


@pytest.mark.parametrize("name", discrete_families())
def test_the_discrete_networks_of_the_field_step_in_circuits(name: str) -> None:
    graph, inputs = discrete_families()[name]
    period = in_si(graph).of_type(Hold)[0].clock.period
    result = hh.verify(graph, t_stop=6 * period, inputs=inputs)
    assert result.passed, result
    assert result.warning == ""
    assert result.nrmse < 1e-6


def test_an_input_that_moves_at_an_edge_is_sampled_as_it_was_before() -> None:
    """Beside a Leak, too, a Hold takes the left limit of a held input: what stood in the period that ends."""
    graph = Graph(
        operators=(
            Input(name="u", size=1),
            Hold(name="held", clock=Clock(period=1e-3), initial=[0.5]),
            Affine(name="w", weights=[[1e-4]]),
            Leak(name="x", capacitance=[1e-7], resistance=[1e4], initial=[0.0]),
            Output(name="y", size=1),
        ),
        edges=(Edge("u", "held"), Edge("held", "w"), Edge("w", "x"), Edge("x", "y")),
    )
    inputs = hh.Signal.held([1.0, 2.0, 4.0, 3.0], 1e-3)
    result = hh.verify(graph, t_stop=3e-3, inputs=inputs)
    assert result.passed, result
    for machine in (result.ref, result.wave):
        np.testing.assert_allclose(machine["state"].to_numpy()[:, 1], [0.5, 1.0, 2.0, 4.0], atol=1e-3)


@pytest.mark.parametrize(("period", "steps"), [(0.1, 3), (1e-5, 7), (1e-3, 43)])
def test_a_whole_number_of_periods_is_not_lost_to_rounding(period: float, steps: int) -> None:
    """0.3 / 0.1 rounds to just below 3."""
    end = float(f"{steps * period:.12g}")
    assert int(end / period) == steps - 1
    assert period_grid(period, end)[0].size == steps + 1
