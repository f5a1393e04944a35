"""The ensemble engine: exact answers, equations of all designs, ngspice, many samples, and what it refuses."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from small_circuits import circuit
from verify_ensemble import SEED

pytest.importorskip("numba")

import hopfield_hw as hh
from hopfield_hw.board import design_board
from hopfield_hw.circuit import Circuit, Ensemble, Role
from hopfield_hw.ensemble import accuracy, runs
from hopfield_hw.ensemble.equations.layout import LANES, plan
from hopfield_hw.ensemble.equations.system import build_system
from hopfield_hw.equations import solve
from hopfield_hw.graph import as_graph
from hopfield_hw.parts import (
    BZX84C6V2,
    D1N4148,
    Capacitor,
    CurrentSource,
    IdealGain,
    OnePole,
    OpAmp,
    Pulse,
    Resistor,
    Transconductance,
    Transistor,
    VoltageGain,
    VoltageSource,
)
from hopfield_hw.simulation import simulate
from hopfield_hw.spice.analyses import run_transient
from hopfield_hw.spice.transient import simulate as simulate_in_ngspice
from hopfield_hw.tolerance import Tolerances, draw_factors, vary
from hopfield_hw.values.errors import ConvergenceError, InputError
from hopfield_hw.values.measures import nrmse
from hopfield_hw.verification.random_set import draw

DESIGNS = sorted(path.parent.name for path in (Path(__file__).parents[2] / "circuits").glob("*/design.toml"))


NETWORK = hh.Network(
    weights=[[0.0, -6e-5], [5e-5, 0.0]],
    resistance=1e4,
    capacitance=1e-8,
    gain=hh.Tanh(gain=3.0),
    initial=[0.3, -0.1],
)


def state(wave: Any) -> Any:
    return wave["state"].to_numpy()[..., 0]


def test_a_capacitor_charges_as_its_exponential_says() -> None:
    found = simulate(
        circuit(
            ("V_in", VoltageSource(1.0), ("in", "0")),
            ("R", Resistor(1e3), ("in", "out")),
            ("C", Capacitor(1e-6), ("out", "0")),
        ),
        engine="ensemble",
        t_stop=5e-3,
        accuracy=1e-6,
    )
    times = found["time"].to_numpy()
    assert np.max(np.abs(state(found) - (1.0 - np.exp(-times / 1e-3)))) < 2e-6
    assert found.attrs["machine"] == "ensemble"
    assert found.attrs["failures"] == {}
    assert 0.0 < found.attrs["self_check"] < 5e-7


def test_corners_of_sources_end_a_step() -> None:
    """A ramp and a pulse on an RC: each piece has a closed form, and the corners lie anywhere between steps."""
    ramp = simulate(
        circuit(
            ("V_in", VoltageSource(((1e-4, 0.0), (1.3e-3, 2.0), (2e-3, -1.0))), ("in", "0")),
            ("R", Resistor(1e3), ("in", "out")),
            ("C", Capacitor(1e-7), ("out", "0")),
        ),
        engine="ensemble",
        t_stop=3e-3,
        accuracy=1e-6,
    )
    times, tau = ramp["time"].to_numpy(), 1e-4
    slopes, corners = (2.0 / 1.2e-3, -3.0 / 0.7e-3, 0.0), (1e-4, 1.3e-3, 2e-3)
    exact = np.zeros_like(times)
    before = 0.0
    for slope, corner in zip(slopes, corners, strict=True):
        after = np.maximum(times - corner, 0.0)
        exact += (slope - before) * (after - tau * (1.0 - np.exp(-after / tau)))
        before = slope
    assert np.max(np.abs(state(ramp) - exact)) < 5e-6
    pulse = VoltageSource(Pulse(0.0, 1.0, 1e-4, 1e-6, 2e-4, 1e-3))
    wave = simulate(
        circuit(
            ("V_in", pulse, ("out", "0")), ("R", Resistor(1e3), ("out", "0")), ("C", Capacitor(1e-9), ("out", "0"))
        ),
        engine="ensemble",
        t_stop=2e-3,
        points=2001,
    )
    times = wave["time"].to_numpy()
    inside = ((times - 1e-4) % 1e-3 > 2e-6) & ((times - 1e-4) % 1e-3 < 1.98e-4) & (times > 1e-4)
    np.testing.assert_allclose(state(wave)[inside], 1.0)
    assert np.mean(state(wave)) == pytest.approx(0.2, abs=0.01)


def test_a_source_between_two_nodes_holds_their_difference() -> None:
    found = simulate(
        circuit(
            ("V_step", VoltageSource(0.5), ("out", "low")),
            ("I_in", CurrentSource(1e-3), ("0", "out")),
            ("R", Resistor(1e3), ("low", "0")),
            ("C", Capacitor(1e-7), ("low", "0")),
        ),
        engine="ensemble",
        t_stop=2e-3,
        accuracy=1e-5,
    )
    times = found["time"].to_numpy()[1:]
    np.testing.assert_allclose(state(found)[1:], 1.5 - np.exp(-times / 1e-4), atol=2e-5)


@pytest.mark.usefixtures("ngspice")
@pytest.mark.parametrize(
    "devices",
    [
        (("D", D1N4148, ("in", "out")), ("R", Resistor(1e3), ("out", "0")), ("C", Capacitor(1e-7), ("out", "0"))),
        (
            ("V_cc", VoltageSource(5.0), ("cc", "0")),
            ("R_c", Resistor(1e3), ("cc", "out")),
            ("Q", Transistor(200.0, 1e-14, 80.0), ("out", "base", "0")),
            ("R_b", Resistor(1e5), ("in", "base")),
            ("C", Capacitor(1e-8), ("out", "0")),
        ),
        (
            ("V_cc", VoltageSource(-5.0), ("cc", "0")),
            ("R_c", Resistor(1e3), ("cc", "out")),
            ("Q", Transistor(100.0, 1e-14, 50.0, "pnp"), ("out", "base", "0")),
            ("R_b", Resistor(1e5), ("in", "base")),
            ("C", Capacitor(1e-8), ("out", "0")),
        ),
    ],
    ids=["diode", "npn", "pnp"],
)
def test_semiconductors_are_those_of_ngspice(devices: tuple[Any, ...]) -> None:
    drive = VoltageSource(((0.0, 0.0), (1e-3, 3.0), (3e-3, -3.0), (4e-3, 0.0)))
    made = circuit(("V_in", drive, ("in", "0")), *devices)
    found = simulate(made, engine="ensemble", t_stop=4e-3, accuracy=1e-5)
    times = found["time"].to_numpy()
    run = run_transient(made, 4e-3, step=2e-6, initial={"out": 0.0}, accuracy=1e-6)
    expected = np.interp(times, run.axis, np.real(run.voltage("out")))
    assert np.ptp(expected) > 1.0
    assert nrmse(expected[5:, np.newaxis], state(found)[5:, np.newaxis]) < 2e-4


@pytest.mark.usefixtures("ngspice")
@pytest.mark.parametrize(
    ("part", "volts", "seconds"),
    [(BZX84C6V2, 12.0, 4e-3), (replace(D1N4148, capacitance=1e-11), 3.0, 2e-5)],
    ids=["breakdown", "charge of the junction"],
)
def test_a_reverse_diode_is_that_of_ngspice(part: Any, volts: float, seconds: float) -> None:
    """Behind 100 kOhm: a zener diode that breaks down, and a junction that is charged as fast as it is driven."""
    corners = ((0.0, 0.0), (0.25 * seconds, volts), (0.5 * seconds, 0.2 * volts), (seconds, volts))
    made = circuit(
        ("V_in", VoltageSource(corners), ("in", "0")), ("R", Resistor(1e5), ("in", "out")), ("D", part, ("0", "out"))
    )
    found = simulate(made, engine="ensemble", t_stop=seconds, accuracy=1e-5)
    run = run_transient(made, seconds, step=seconds / 2000.0, initial={"out": 0.0}, accuracy=1e-6)
    expected = np.interp(found["time"].to_numpy(), run.axis, np.real(run.voltage("out")))
    assert nrmse(expected[5:, np.newaxis], state(found)[5:, np.newaxis]) < 5e-4


@pytest.mark.parametrize("model", [IdealGain(), OnePole()], ids=["ideal", "one pole"])
def test_an_op_amp_has_its_offset(model: Any) -> None:
    """A follower of 0.5 V with an offset of 50 mV."""
    found = simulate(
        circuit(
            ("V_in", VoltageSource(0.5), ("in", "0")),
            ("X", OpAmp(model, offset=0.05), ("in", "out", "out")),
            ("R", Resistor(1e4), ("out", "0")),
            ("C", Capacitor(1e-12), ("out", "0")),
        ),
        engine="ensemble",
        t_stop=1e-4,
    )
    assert state(found)[-1] == pytest.approx(0.55, rel=1e-4)


@pytest.mark.parametrize("name", DESIGNS)
def test_ideal_cells_of_every_design_follow_its_equation(name: str) -> None:
    design = hh.load_design(name)
    made = hh.lower(design.network, cell="ideal")
    how: dict[str, Any] = {"t_stop": design.t_stop, "inputs": design.inputs, "points": 501}
    loose = name == "tour_of_five"  # a ramp through a branch point, where deviations grow from too little to be seen
    found = simulate(made, engine="ensemble", accuracy=1e-2 if loose else 1e-4, **how)
    expected = hh.reference(design.network, **how)
    assert nrmse(expected["state"].to_numpy()[1:], found["state"].to_numpy()[1:]) < (2e-2 if loose else 2e-4)


@pytest.mark.usefixtures("ngspice")
@pytest.mark.parametrize(
    ("cell", "op_amp"),
    [("inverting_integrator", "TL074"), ("inverting_integrator", "one_pole"), ("active_rc", "ideal"), ("gm_c", None)],
)
def test_a_network_in_op_amps_is_that_of_ngspice(cell: str, op_amp: str | None) -> None:
    rng = np.random.default_rng(3)
    network = hh.Network(
        weights=rng.normal(size=(3, 3)) * 4e-5,
        resistance=1e4,
        capacitance=1e-8,
        gain=hh.Tanh(gain=4.0),
        initial=rng.uniform(-0.4, 0.4, 3),
    )
    made = hh.lower(network, cell=cell, **({} if op_amp is None else {"op_amp": op_amp}))
    how: dict[str, Any] = {"t_stop": 1e-3, "points": 401}
    ours, theirs = simulate(made, engine="ensemble", **how), simulate_in_ngspice(made, accuracy=3e-5, **how)
    for what in ("state", "output"):
        assert nrmse(theirs[what].to_numpy()[1:], ours[what].to_numpy()[1:]) < 2e-4


@pytest.mark.usefixtures("ngspice")
@pytest.mark.parametrize("gain", [hh.Tanh(gain=4.0), hh.PiecewiseLinear(gain=2.0)], ids=["pair", "clamps"])
def test_a_board_follows_its_own_equation(gain: Any) -> None:
    weights = [[0.0, 5e-5, -2e-5], [5e-5, 0.0, 1e-5], [-2e-5, 1e-5, 0.0]]
    network = hh.Network(weights=weights, resistance=1e4, capacitance=1e-7, gain=gain, initial=[0.4, -0.1, 0.05])
    board = design_board(network)
    found = simulate(board.circuit, engine="ensemble", t_stop=board.t_stop, points=401)
    states, outputs = board.equation().solve(found["time"].to_numpy(), None)
    assert nrmse(states[4:], found["state"].to_numpy()[4:]) < 1e-3
    assert nrmse(outputs[4:], found["output"].to_numpy()[4:]) < 2e-3


def drawn(count: int) -> tuple[hh.Network, list[Circuit]]:
    network = hh.Network(
        weights=[[0.0, -6e-5], [-6e-5, 0.0]],
        resistance=1e4,
        capacitance=1e-8,
        gain=hh.Tanh(gain=3.0),
        initial=[0.3, -0.1],
        bias=[2e-6, -1e-6],
    )
    made = hh.lower(network, cell="inverting_integrator", op_amp="TL074")
    draws = draw_factors(vary(made, Tolerances(resistors="5%", capacitors="5%")), seed=2, samples=count)
    return network, [draws.circuit(k) for k in range(count)]


def test_each_sample_of_an_ensemble_is_the_circuit_alone() -> None:
    """11 samples in two blocks, on one thread or three: the same numbers, and those of each circuit within accuracy."""
    _, circuits = drawn(11)
    one = simulate(circuits, engine="ensemble", t_stop=1e-3, points=201, workers=1)
    three = simulate(circuits, engine="ensemble", t_stop=1e-3, points=201, workers=3)
    assert one["state"].dims == ("sample", "time", "neuron")
    assert one["state"].shape == (11, 201, 2)
    np.testing.assert_array_equal(one["state"].to_numpy(), three["state"].to_numpy())
    assert np.ptp(one["state"].to_numpy()[:, -1, 0]) > 0.02
    for k in (0, 7, 10):
        alone = simulate(circuits[k], engine="ensemble", t_stop=1e-3, points=201)
        assert nrmse(alone["state"].to_numpy()[1:], one["state"].to_numpy()[k, 1:]) < 1e-4


def test_samples_have_starts_of_their_own() -> None:
    network, _ = drawn(1)
    starts = ([0.3, -0.1], [-0.2, 0.4], [0.05, 0.06])
    circuits = [hh.lower(replace(network, initial=one), cell="inverting_integrator", op_amp="TL074") for one in starts]
    found = simulate(circuits, engine="ensemble", t_stop=1e-3, points=201)
    for k, one in enumerate(starts):
        expected = hh.reference(replace(network, initial=one), t_stop=1e-3, points=201)
        assert nrmse(expected["state"].to_numpy()[1:], found["state"].to_numpy()[k, 1:]) < 5e-2
        alone = simulate(circuits[k], engine="ensemble", t_stop=1e-3, points=201)
        assert nrmse(alone["state"].to_numpy()[1:], found["state"].to_numpy()[k, 1:]) < 1e-4
    assert np.ptp(found["state"].to_numpy()[:, -1, 0]) > 0.2


def test_a_sample_that_fails_is_named_and_the_others_are_returned() -> None:
    """A current that nothing carries away: after a time its node is beyond all numbers."""
    small = [
        circuit(
            ("I_in", CurrentSource(current), ("0", "out")),
            ("D", D1N4148, ("out", "0")),
            ("C", Capacitor(1e-9), ("out", "0")),
        )
        for current in (1e-4, 1e300)
    ]
    found = simulate(small, engine="ensemble", t_stop=1e-4, points=51)
    assert list(found.attrs["failures"]) == ["1"]
    assert np.all(np.isfinite(state(found)[0]))
    assert np.all(np.isnan(state(found)[1, 1:]))


def test_a_wrong_device_is_seen() -> None:
    """A capacitor of a neuron 2% off moves the waveform by far more than two machines are apart."""
    _, (made, *_) = drawn(1)
    changed = replace(
        made,
        devices=tuple(
            d._replace(part=replace(d.part, capacitance=1.02 * d.part.capacitance))
            if isinstance(d.part, Capacitor) and d.origin.role is Role.CAPACITANCE and d.origin.element == (0,)
            else d
            for d in made.devices
        ),
    )
    waves = [simulate(one, engine="ensemble", t_stop=1e-3, points=201)["state"].to_numpy() for one in (made, changed)]
    assert nrmse(waves[0][1:], waves[1][1:]) > 1e-3


def test_bad_input() -> None:
    _, circuits = drawn(2)
    other = hh.lower(drawn(1)[0], cell="inverting_integrator")
    with pytest.raises(
        InputError, match=r"^ensemble: `circuits\[1\]` has \w+ \(.*\) where the first has \w+ \(.*\): the"
    ):
        simulate([circuits[0], other], engine="ensemble", t_stop=1e-3)
    swapped = tuple(
        d._replace(part=VoltageSource(((0.0, 11.0), (1.0, 12.0)))) if d.name == "V_supply_plus" else d
        for d in circuits[1].devices
    )
    with pytest.raises(InputError, match=r"^ensemble: device V_supply_plus has another waveform than in the"):
        simulate([circuits[0], replace(circuits[1], devices=swapped)], engine="ensemble", t_stop=1e-3)
    with pytest.raises(InputError, match=r"^ensemble: `circuits` is empty: must be a Circuit, or a list with at"):
        simulate([], engine="ensemble", t_stop=1e-3)
    with pytest.raises(InputError, match=r"^ensemble: `circuits\[1\]` is a Network: must be a Circuit; lower a net"):
        simulate([circuits[0], NETWORK], engine="ensemble", t_stop=1e-3)  # type: ignore[list-item]
    for wrong in (None, 5, draw_factors(vary(circuits[0], Tolerances(resistors="1%")), seed=1, samples=2)):
        with pytest.raises(
            InputError, match=r"must be a Circuit, a list of them, or an Ensemble; lower .* `\.ensemble`$"
        ):
            simulate(wrong, engine="ensemble", t_stop=1e-3)  # type: ignore[arg-type]
    for currents in (None, 5, "V_in"):
        with pytest.raises(InputError, match=r"^`currents` = .*: must be a list of names of voltage sources$"):
            simulate(circuits[0], engine="ensemble", t_stop=1e-3, currents=currents)
    with pytest.raises(InputError, match=r"^`store` = 5: must be the path of a folder$"):
        simulate(circuits, engine="ensemble", t_stop=1e-3, store=5)
    with pytest.raises(InputError, match=r"^simulate: ngspice runs one circuit at a time; take engine='ensemble'"):
        simulate(circuits, t_stop=1e-3)
    with pytest.raises(InputError, match=r"^simulate: `engine` = 'spice': must be ngspice or ensemble$"):
        simulate(circuits[0], engine="spice", t_stop=1e-3)  # type: ignore[arg-type]
    with pytest.raises(InputError, match=r"^`cell`: the circuit is lowered already; leave it out, or give"):
        simulate(circuits[0], engine="ensemble", cell="ideal", t_stop=1e-3)
    loop = circuit(
        ("V_a", VoltageSource(1.0), ("out", "0")),
        ("V_b", VoltageSource(2.0), ("out", "0")),
        ("R", Resistor(1e3), ("out", "0")),
    )
    with pytest.raises(InputError, match=r"^device V_b: node out is held by another source: a loop of sources$"):
        build_system(Ensemble.of([loop]))
    around = circuit(
        ("V_a", VoltageSource(1.0), ("out", "low")),
        ("V_b", VoltageSource(2.0), ("low", "0")),
        ("V_c", VoltageSource(3.0), ("out", "0")),
        ("R", Resistor(1e3), ("out", "0")),
    )
    with pytest.raises(InputError, match=r"^device V_a: it holds a voltage between nodes that others hold already"):
        build_system(Ensemble.of([around]))


@pytest.mark.parametrize(
    ("devices", "node"),
    [
        ((("I_in", CurrentSource(1e-3), ("0", "out")),), "out"),
        (
            (
                ("G", Transconductance(1e-3), ("0", "out", "in", "0")),
                ("V_in", VoltageSource(1.0), ("in", "0")),
            ),
            "out",
        ),
    ],
    ids=["a current into nothing", "a transconductance into nothing"],
)
def test_nodes_that_nothing_determines_are_named(devices: tuple[Any, ...], node: str) -> None:
    with pytest.raises(InputError) as error:
        simulate(circuit(*devices), engine="ensemble", t_stop=1e-3)
    assert str(error.value) == (
        f"'a small circuit': nothing determines the voltage of node {node}: give each a path to ground, and drive it "
        "by one source at most"
    )


@pytest.mark.parametrize("part", [Resistor(1e3), Capacitor(1e-6), VoltageGain(2.0)], ids=["R", "C", "E"])
def test_nodes_without_a_path_to_ground_are_named(part: Any) -> None:
    """Whatever lies between them: all of them may move together."""
    nodes = ("f1", "f2", "f1", "f2") if isinstance(part, VoltageGain) else ("f1", "f2")
    made = circuit(("R", Resistor(1e3), ("out", "0")), ("R_f", Resistor(1e3), ("f1", "f2")), ("X", part, nodes))
    with pytest.raises(
        InputError, match=r"nothing determines the voltage of node f1, f2: no part connects it to ground"
    ):
        simulate(made, engine="ensemble", t_stop=1e-3)


@pytest.mark.parametrize("node", ["0", "out"])
def test_a_source_with_both_ends_at_one_node_is_refused(node: str) -> None:
    made = circuit(("R", Resistor(1e3), ("out", "0")), ("V_a", VoltageSource(1.0), (node, node)))
    with pytest.raises(InputError, match=rf"^device V_a: a voltage source with both ends at node {node}: give it two"):
        simulate(made, engine="ensemble", t_stop=1e-3)


@pytest.mark.parametrize("cell", ["ideal", "inverting_integrator", "active_rc", "hopfield_tank"])
def test_what_no_capacitor_holds_follows_from_the_start(cell: str) -> None:
    """At t = 0 states are where they start, and outputs, and what holds an output, what follows from that."""
    held = (hh.transforms.hold_outputs(NETWORK, period=1e-5),) if cell in ("ideal", "active_rc") else ()
    for graph in (NETWORK, *held):
        made = hh.lower(graph, cell=cell, rescale=True)
        found = simulate(made, engine="ensemble", t_stop=2e-5, points=21).isel(time=0)
        expected = hh.reference(graph, t_stop=2e-5, points=21).isel(time=0)
        for what in ("state", "output"):
            np.testing.assert_allclose(found[what], expected[what], atol=2e-4)


def test_the_derivative_of_an_output_at_the_start_is_that_of_its_curve() -> None:
    slopes = hh.find_gradients(hh.lower(NETWORK), ("0", 0.0, "output"), t_stop=2e-5)
    expected = 3.0 * (1.0 - np.tanh(3.0 * 0.3) ** 2)
    assert float(slopes.sel(parameter="x_0.initial")) == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize("backend", ["numba", "numpy"])
@pytest.mark.parametrize("volts", [1e-12, 1e-7, 1e-3])
def test_small_voltages_are_as_accurate_as_large_ones(volts: float, backend: Any) -> None:
    network = hh.Network(weights=[[0.0]], resistance=1e4, capacitance=1e-8, gain=hh.Tanh(gain=1.0), initial=[volts])
    found = simulate(network, engine="ensemble", t_stop=5e-4, points=51, backend=backend)
    exact = volts * np.exp(-found["time"].to_numpy() / 1e-4)
    assert nrmse(exact[:, np.newaxis], found["state"].to_numpy()) < 1e-4
    slopes = hh.find_gradients(hh.lower(network), ("0", 1e-4), t_stop=5e-4)
    assert float(slopes.sel(parameter="x_0.initial")) == pytest.approx(np.exp(-1.0), rel=1e-5)


def test_a_list_runs_as_long_as_its_slowest_circuit() -> None:
    slow, fast = (hh.lower(replace(NETWORK, capacitance=farads)) for farads in (1e-7, 1e-8))
    found = simulate([fast, slow], engine="ensemble", points=11)
    assert float(found["time"][-1]) == pytest.approx(20.0 * 1e4 * 1e-7)


def test_voltages_beyond_all_bounds_are_a_failure() -> None:
    """A node that grows by e in 1 us, from 1 V: what is beyond 10 MV is no waveform of a circuit."""
    made = circuit(
        ("C", Capacitor(1e-9), ("out", "0")),
        ("G", Transconductance(1e-3), ("0", "out", "out", "0")),
        ("R", Resistor(1e9), ("out", "0")),
        initial={"out": 1.0},
    )
    simulate(made, engine="ensemble", t_stop=1e-5)
    with pytest.raises(ConvergenceError, match=r"does not run: its voltages leave all bounds, with 4\.\de\+08 V$"):
        simulate(made, engine="ensemble", t_stop=2e-5)


@pytest.mark.parametrize("backend", ["numba", "numpy"])
def test_a_quotient_of_nothing_at_the_start_does_not_lead_astray(backend: Any) -> None:
    """A softmax whose sum starts at 0 V: Newton's method came to a point that is none of the circuit, at 1e15 V."""
    graph = as_graph(draw(SEED, 261, "modern_hopfield"))
    made = hh.lower(graph)
    t_stop = 5.0 * made.time_constant
    found = simulate(made, engine="ensemble", t_stop=t_stop, points=101, backend=backend)["state"].to_numpy()
    exact = solve(graph, t_stop=t_stop, points=101)["state"].to_numpy()
    assert nrmse(exact[1:], found[1:]) < 1e-4


def test_runs_that_come_near_each_other_by_chance_are_compared_once_more(monkeypatch: pytest.MonkeyPatch) -> None:
    """The third run is as far off as the second, nearer to it than steps bring a run: chaotic networks do that."""
    made = circuit(("R", Resistor(1e3), ("out", "0")), ("C", Capacitor(1e-6), ("out", "0")))
    times, errors = np.linspace(0.0, 1.0, 11), iter((1e-1, 1e-2, 9.9e-3, *(10.0**-k for k in range(5, 11))))

    def run(job: runs.Job, tolerance: float, longest: float) -> runs.Run:
        wave = np.tile((times + next(errors))[:, np.newaxis, np.newaxis], (1, 1, 1, LANES))
        return runs.Run(wave, 1, {}, np.zeros(0), (0, 0, 0, 0), 0.0, np.ones((2, LANES)))

    monkeypatch.setattr(accuracy, "run", run)
    job = runs.Job(plan(build_system(Ensemble.of([made])), 1.0), made, times, lambda *_: None, None)
    fine, check, *_ = accuracy.refine(job, 1e-4)
    assert fine.waves[0, 0, 0] <= 1e-5
    assert check <= 5e-5
