"""The verdict rests on evidence: right circuits pass, wrong ones fail whatever the network does to errors."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from itertools import combinations

import numpy as np
import pytest

import hopfield_hw as hh
from hopfield_hw.equations import Along, Waveform
from hopfield_hw.families import TEMPLATES, CellularNetwork
from hopfield_hw.graph import Graph
from hopfield_hw.parts import OpAmp
from hopfield_hw.spice.decks.polarity import find_exchanged
from hopfield_hw.spice.transient import circuit_deck, simulate_waves
from hopfield_hw.transforms import add_delay, in_si
from hopfield_hw.verification import Verification
from hopfield_hw.verification.evidence import Error, Findings, faults, find
from hopfield_hw.verification.steps import make_run

pytestmark = pytest.mark.usefixtures("ngspice")
LIMIT = 1e-4


def edited(text: str, *names: str, change: Callable[[list[str]], object]) -> str:
    """Return a netlist with the words of some devices' lines changed."""
    lines = []
    for line in text.splitlines():
        words = line.split()
        if words and words[0] in names:
            change(words)
        lines.append(" ".join(words))
    return "\n".join(lines) + "\n"


def scaled(text: str, name: str, factor: float) -> str:
    return edited(text, name, change=lambda words: words.__setitem__(-1, repr(float(words[-1]) * factor)))


def flip_flop(gain: float, start: float = 1e-5) -> hh.Network:
    return hh.Network(
        weights=[[0, -5e-5], [-5e-5, 0]],
        resistance=10e3,
        capacitance=10e-9,
        gain=hh.Tanh(gain=gain),
        initial=[start, 0.5 * start],
    )


def judged(net: hh.Network | Graph, cell: str, device: str, factor: float, **arguments: object) -> Verification:
    deck = scaled(hh.lower(net, cell=cell).netlist(), device, factor)
    return hh.verify(net, cell=cell, deck=deck, **arguments)  # type: ignore[arg-type]


# Next to a point of balance


@pytest.mark.parametrize("cell", ["ideal", "inverting_integrator"])
def test_a_right_circuit_next_to_its_balance_point_passes(cell: str) -> None:
    result = hh.verify(flip_flop(1000.0), cell=cell)
    assert result.verdict == "passed", result
    assert result.reasons == ()
    assert result.steps.size < 2e-5


@pytest.mark.parametrize(("device", "lowest"), [("C_x_0", 4e-3), ("R_x_0", 9e-3), ("R_syn_0_1", 9e-3)])
def test_one_percent_fails_next_to_a_balance_point(device: str, lowest: float) -> None:
    """By hand: 1% of a resistor is 1% of the range in a time constant, at the end, where currents balance."""
    result = judged(flip_flop(1000.0), "inverting_integrator", device, 1.01)
    assert result.verdict == "failed", result
    assert lowest < result.steps.size < 1.1e-2
    assert "neuron 0 leaves its equation" in result.reasons[0]
    assert device in result.suspects[0].devices, result


def test_a_circuit_that_stays_at_its_balance_point_fails() -> None:
    """With one sign wrong nothing grows: the error is next to nothing of the range, and all of what moves."""
    result = judged(flip_flop(100.0), "ideal", "G_syn_0_1", -1.0)
    assert result.verdict == "failed", result
    assert result.steps.size < LIMIT
    assert result.growth is not None
    assert result.growth > 100.0
    assert "settles in another state" in result.reasons[0]


def test_wrong_resistors_of_an_undecided_flip_flop_fail() -> None:
    net = hh.Network(
        weights=[[0, -2e-4], [-2e-4, 0]],
        resistance=10e3,
        capacitance=10e-9,
        gain=hh.Tanh(gain=1e4, amplitude=5.0),
        initial=[1e-5, 0.5e-5],
    )
    text = hh.lower(net, cell="inverting_integrator").netlist()
    wrong = scaled(scaled(text, "R_syn_0_1", 0.94), "R_syn_1_0", 6.6)
    assert hh.verify(net, cell="inverting_integrator", deck=wrong).verdict == "failed"


# What is too little


def test_less_than_two_time_constants_decide_nothing() -> None:
    net = flip_flop(10.0, start=0.1)
    result = hh.verify(net, t_stop=1.9e-4)
    assert result.verdict == "undecided"
    assert not result.passed
    assert result.reasons == (
        "190 us is less than two time constants of the network's slowest neuron; run it for 200 us or more",
    )
    assert hh.verify(net, t_stop=2e-4).passed


def test_one_step_of_a_map_decides_nothing() -> None:
    graph = clocked(chaotic_map())
    result = hh.verify(graph, t_stop=1e-3)
    assert result.verdict == "undecided"
    assert "only 1 steps of the clock were compared; run it for 2 ms or more" in result.reasons


def test_a_wrong_circuit_fails_however_short_the_run() -> None:
    assert judged(flip_flop(10.0, start=0.1), "ideal", "C_x_0", 2.0, t_stop=1e-4).verdict == "failed"


@pytest.mark.parametrize("t_stop", [2e-3, 0.2])
def test_a_start_elsewhere_fails_however_long_the_run(t_stop: float) -> None:
    """In a long run it is over before the second sample of the uniform grid."""
    net = flip_flop(10.0, start=0.1)
    starts = {"C_x_0": "IC=0.3", "C_x_1": "IC=0.05"}
    lines = [f"{line} {starts.get(line.split()[0], '')}" for line in hh.lower(net).netlist().splitlines()]
    result = hh.verify(net, deck="\n".join(lines) + "\n", t_stop=t_stop, accuracy=1e-3, tolerance=5e-3)
    assert result.verdict == "failed"
    assert result.steps.size == pytest.approx(0.48, abs=0.04)  # 0.2 V of a range of 0.42 V


# Outputs, and op-amps


OUTPUT_ALONE = hh.Network(
    weights=[[0.0, 0.0], [1e-4, 0.0]],
    resistance=1e4,
    capacitance=1e-8,
    gain=hh.Tanh(gain=5.0),
    initial=[1.0, -0.5],
    bias=[2e-5, 0],
)


@pytest.mark.parametrize("source", ["V=0.0", "V=-3*tanh(5.0*v(x_1))", "V=1.01*tanh(5.0*v(x_1))"])
def test_an_amplifier_that_drives_an_output_alone_is_judged(source: str) -> None:
    text = edited(
        hh.lower(OUTPUT_ALONE).netlist(), "B_v_1", change=lambda words: words.__setitem__(slice(3, None), [source])
    )
    result = hh.verify(OUTPUT_ALONE, deck=text)
    assert result.verdict == "failed"
    assert result.steps.size < LIMIT
    assert "output 1 is off by" in result.reasons[0]
    if "1.01" not in source:
        assert result.suspects[0].devices == ("B_v_1",)


@pytest.mark.parametrize("cell", ["inverting_integrator", "active_rc", "summing_amplifier"])
def test_exchanged_inputs_of_an_op_amp_fail_and_are_named(cell: str) -> None:
    net = hh.Network(
        weights=[[0, -0.5e-4], [0.3e-4, 0]],
        resistance=1e4,
        capacitance=1e-8,
        gain=hh.Tanh(gain=3.0),
        bias=[1e-5, 0],
        initial=[0.5, -0.7],
    )
    circuit = hh.lower(net, cell=cell)
    op_amps = [device.name for device in circuit.devices if isinstance(device.part, OpAmp)]
    for names in (op_amps[-1:], op_amps):
        deck = edited(circuit.netlist(), *names, change=lambda words: words.__setitem__(slice(3, 5), words[4:2:-1]))
        result = hh.verify(net, cell=cell, deck=deck)
        assert result.verdict == "failed"
        assert "inputs exchanged" in result.reasons[0]
        assert {s.devices for s in result.suspects[: len(names)]} == {(name,) for name in names}
    assert hh.verify(net, cell=cell).passed


def test_any_set_of_exchanged_op_amps_is_named() -> None:
    """What follows an op-amp at a rail is at a rail too: only the ones at fault are named."""
    weights = 1e-4 * np.random.default_rng(3).normal(size=(3, 3))
    net = hh.Network(weights=weights, resistance=1e4, capacitance=1e-8, initial=[0.5, -0.7, 0.2])
    circuit = hh.lower(net, cell="active_rc")
    op_amps = [device.name for device in circuit.devices if isinstance(device.part, OpAmp)]
    deck = circuit_deck(circuit)
    for names in (sets for size in range(4) for sets in combinations(op_amps, size)):
        text = edited(deck.text, *names, change=lambda words: words.__setitem__(slice(3, 5), words[4:2:-1]))
        found, unsure = find_exchanged(replace(deck, text=text), volts=1.0, fastest=1e-9, timeout=20.0)
        assert (set(found), unsure) == (set(names), ())


def test_an_output_of_a_clocked_circuit_is_judged_at_each_edge() -> None:
    graph = clocked(chaotic_map())
    waves = simulate_waves(circuit_deck(hh.lower(graph)), t_stop=30e-3)[1]
    network, ones, labels = in_si(graph), np.ones(4), tuple("0123")
    right = find(make_run(network, None, waves), ones, ones, labels, labels)
    off = waves.outputs.copy()
    off[7, 2] += 0.01
    wrong = find(make_run(network, None, waves._replace(outputs=off)), ones, ones, labels, labels)
    assert right.outputs.size < 1e-6
    assert wrong.outputs == pytest.approx((0.01, "2", 7e-3, 0.01), abs=1e-6)
    assert wrong.steps == right.steps


# Maps, clocked circuits, delays: a fault where errors grow


def chaotic_map() -> hh.recurrent.RNN:
    rng = np.random.default_rng(5)
    return hh.recurrent.RNN(
        input_weights=np.zeros((4, 1)), recurrent_weights=3.0 * rng.normal(size=(4, 4)), bias=rng.normal(size=8)
    )


def clocked(cell: hh.recurrent.RNN) -> Graph:
    return replace(cell.graph(), units=hh.Units(seconds_per_unit=1e-3))


def late_inhibition() -> Graph:
    ring = hh.Network(
        weights=[[0.0, -2e-4], [-2e-4, 0.0]],
        resistance=10e3,
        capacitance=10e-9,
        gain=hh.Tanh(gain=50.0),
        initial=[1e-3, 0.5e-3],
    )
    return add_delay(ring, tau=5e-5)


SILENT = {
    "map": (lambda: clocked(chaotic_map()), 30e-3),
    "clocked": (lambda: hh.transforms.hold_outputs(flip_flop(1000.0, start=1e-3), period=2e-5), 1e-3),
    "delay": (late_inhibition, 2e-3),
}


@pytest.mark.parametrize("kind", SILENT)
def test_a_fault_fails_in_a_map_a_clocked_circuit_and_a_delay(kind: str) -> None:
    made, t_stop = SILENT[kind]
    graph = made()
    circuit = hh.lower(graph)
    right = hh.verify(graph, t_stop=t_stop)
    assert right.verdict in ("passed", "undecided"), right
    assert right.steps.size < LIMIT, right
    weights = [d.name for d in circuit.devices if d.origin.role == "weights"]
    wrong = hh.verify(graph, t_stop=t_stop, deck=scaled(circuit.netlist(), weights[-1], 1.05))
    assert wrong.verdict == "failed", wrong
    assert wrong.steps.size > LIMIT, wrong


def test_what_is_not_a_number_is_no_agreement() -> None:
    nothing, unknown = Error(0.0, "0", 0.0), Error(np.nan, "0", 0.0)
    assert faults(Findings(steps=nothing, local=nothing, outputs=nothing), LIMIT) == []
    assert len(faults(Findings(steps=unknown, local=nothing, outputs=unknown), LIMIT)) == 2


def test_a_fault_of_a_delayed_network_is_named() -> None:
    graph = late_inhibition()
    result = hh.verify(graph, t_stop=2e-3, deck=scaled(hh.lower(graph).netlist(), "C_x_1", 1.05))
    assert result.suspects[0].devices == ("C_x_1",)


# Coverage


def test_weights_that_a_run_does_not_exercise_are_seen_from_another_start() -> None:
    net = hh.Network(
        weights=[[0, 0.5e-4], [0.5e-4, 0]],
        resistance=1e4,
        capacitance=1e-8,
        gain=hh.Logistic(gain=20.0),
        bias=[-1e-4, -1e-4],
        initial=[-0.5, -0.7],
    )
    right = hh.verify(net)
    assert right.passed
    assert right.starts > 0
    assert right.coverage.share(0.05) == 1.0
    deck = scaled(scaled(hh.lower(net).netlist(), "G_syn_0_1", -10.0), "G_syn_1_0", -10.0)
    wrong = hh.verify(net, deck=deck)
    assert wrong.verdict == "failed"
    assert "started elsewhere by verify itself" in wrong.reasons[0]


def test_a_change_below_what_coverage_says_passes_and_one_above_it_fails() -> None:
    net = flip_flop(10.0, start=0.1)
    found = hh.verify(net, cell="hopfield_tank")
    for name in ("R_syn_0_1", "R_x_1", "C_x_0", "E_inv_v_1"):
        smallest = found.coverage.smallest[name]
        assert 1e-4 < smallest < 1e-2
        assert judged(net, "hopfield_tank", name, 1.0 + smallest).verdict == "failed", name
        below = judged(net, "hopfield_tank", name, 1.0 + smallest / 20.0)
        assert below.steps.size < LIMIT, name


def test_an_input_that_is_not_driven_is_driven() -> None:
    net = hh.Network(weights=[[0.0]], resistance=1e4, capacitance=1e-8, input_weights=[[1e-4]], initial=[0.5])
    found = hh.verify(net)
    assert found.starts == 2
    assert found.coverage.smallest["G_syn_u_0_0"] < 0.01


def test_what_no_run_sees_is_named() -> None:
    net = hh.Network(
        weights=[[0.0, 0.0], [0.0, 0.0]], resistance=1e4, capacitance=1e-8, gain=hh.HardLimiter(), initial=[0.5, 0.2]
    )
    found = hh.verify(net)
    assert "coverage" in str(found)
    assert found.to_json()["coverage"]["seen"]["0.05"] == pytest.approx(found.coverage.share(0.05))


def test_a_short_transient_in_a_long_run_is_seen() -> None:
    """One capacitor is 5% off, and the run goes on for 2,000 time constants after the transient is over."""
    net = flip_flop(10.0, start=0.1)
    result = judged(net, "ideal", "C_x_0", 1.05, t_stop=0.2, accuracy=1e-3, tolerance=5e-3)
    assert result.nrmse < 5e-3
    assert result.verdict == "failed", result


# Suspects


@pytest.mark.parametrize("boundary", ["fixed", "zero"])
def test_the_resistor_of_a_cell_is_named_whatever_the_boundary(boundary: str) -> None:
    image = -np.ones((4, 4))
    image[1:3, 1:3] = 1.0
    template = TEMPLATES["edge"] if boundary == "fixed" else replace(TEMPLATES["edge"], boundary="zero", edge=0.0)
    cells = CellularNetwork(template=template, image=image)
    deck = scaled(hh.lower(cells.graph()).driven(cells.inputs).netlist(), "R_x_1_1", 1.05)
    result = hh.verify(cells.graph(), deck=deck, inputs=cells.inputs, t_stop=cells.t_stop)
    assert result.suspects[0].devices == ("R_x_1_1",)
    assert result.suspects[0].change == "is 1.05 kOhm, and should be 1 kOhm"


def test_a_shorted_capacitor_is_named() -> None:
    net = flip_flop(10.0, start=0.1)
    deck = edited(
        hh.lower(net, cell="inverting_integrator").netlist(),
        "C_x_1",
        change=lambda words: words.__setitem__(slice(None), ["R_short", *words[1:3], "1e-3"]),
    )
    result = hh.verify(net, cell="inverting_integrator", deck=deck)
    assert result.verdict == "failed"
    assert result.suspects[0].devices == ("C_x_1", "R_short")


# The equation along a waveform


def test_an_exact_waveform_has_no_imbalance() -> None:
    """x = 0.5 exp(-t/RC): dx/dt of the equation is that of the waveform."""
    graph = in_si(hh.Network(weights=[[0.0]], resistance=1e4, capacitance=1e-8, initial=[0.5]).graph())
    times = np.linspace(0.0, 1e-3, 401)
    states = 0.5 * np.exp(-times / 1e-4)[:, np.newaxis]
    along = Along(graph, None, Waveform(times, states))
    slope = along.slope(along.values(times, states))
    np.testing.assert_allclose(slope, -states / 1e-4, rtol=1e-12)
