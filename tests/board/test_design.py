"""Boards of small networks: exact scales, values of series, parts read back, checks, ngspice against the equation."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

import hopfield_hw as hh
from hopfield_hw.board import Board, Limits, ProgrammedLevels, Scaling, design_board
from hopfield_hw.board.checks import Check
from hopfield_hw.board.choice import merge_pairs
from hopfield_hw.board.demands import _without_limits, is_within_amplifier
from hopfield_hw.board.loops import Loop, find_loops
from hopfield_hw.board.realised import read_network, value_error
from hopfield_hw.board.scaling import fit_volts, usual_reference
from hopfield_hw.parts import Capacitor, MacroModel, OpAmp, Resistor
from hopfield_hw.parts.data_sheet import find_data_sheet
from hopfield_hw.parts.series import as_series
from hopfield_hw.values.errors import InputError, SimulatorTimeout, Unrealisable
from hopfield_hw.values.measures import nrmse

pytestmark = pytest.mark.usefixtures("ngspice")
TL074 = find_data_sheet("TL074").model()


def network(**changes: Any) -> hh.Network:
    given: dict[str, Any] = {
        "weights": np.array([[0.0, 3e-5, -2e-5], [3e-5, 0.0, 1e-5], [-2e-5, 1e-5, 0.0]]),
        "resistance": 1e4,
        "capacitance": 1e-7,
        "gain": hh.Tanh(gain=4.0),
        "initial": [0.2, -0.1, 0.05],
        "bias": [1e-6, -2e-6, 0.0],
    }
    return hh.Network(**(given | changes))


@pytest.fixture(scope="module")
def board(ngspice: Any) -> Board:
    return design_board(network())


def test_scaling_is_exact() -> None:
    """The board's network has the states and outputs of the network, times their scales, at its time."""
    scaling = Scaling(state=3.0, output=2.5, inputs=0.5, conductance=7.0, time=4.0)
    net = replace(network(), input_weights=np.full((3, 1), 1e-5))
    made = scaling.apply(net)
    ideal = hh.reference(net, t_stop=5e-3, inputs=0.3)
    scaled = hh.reference(made, t_stop=2e-2, inputs=0.15)
    assert nrmse(ideal["state"].to_numpy(), scaled["state"].to_numpy() / 3.0) < 1e-5
    assert nrmse(ideal["output"].to_numpy(), scaled["output"].to_numpy() / 2.5) < 1e-5


@pytest.mark.parametrize(
    ("op_amp", "volts", "reference"),
    [("TL074", 12.0, 5.0), ("TL074", 5.0, 3.0), ("MCP6002", 2.75, 2.048), ("MCP6002", 2.5, 2.048), ("LM358", 5.0, 2.5)],
)
def test_references_follow_the_supplies(op_amp: str, volts: float, reference: float) -> None:
    model = find_data_sheet(op_amp).model((volts, -volts))
    assert usual_reference(model) == reference
    assert reference < min(model.swing()[1], model.common_mode()[1])


def test_a_board_of_low_supplies_has_a_reference_that_its_buffer_gives() -> None:
    small = hh.Network(
        weights=[[5e-5, -1e-4], [-1e-4, 0.0]],
        resistance=1e4,
        capacitance=1e-8,
        gain=hh.Tanh(gain=3.0),
        initial=[0.2, -0.2],
        bias=[1e-6, -1e-6],
    )
    found = design_board(small, op_amp="MCP6002", supplies=(2.5, -2.5))
    assert found.circuit.device("V_reference_set").value == 2.048
    assert found.verify().verdict == "passed"
    with pytest.raises(Unrealisable, match="headroom: X_reference_p is asked for 5 V"):
        design_board(small, op_amp="MCP6002", supplies=(2.5, -2.5), reference=5.0)


def test_all_parts_are_of_their_series(board: Board) -> None:
    resistors, fine, capacitors = as_series("E24"), as_series("E96"), as_series("E6")
    assert board.passed
    assert {device.name for device in board.circuit.ideal_devices} <= {
        "V_reference_set",
        "V_supply_plus",
        "V_supply_minus",
    }
    for device in board.circuit.devices:
        part = device.part
        if isinstance(part, Resistor):
            series = resistors if device.name.startswith(("R_syn", "R_x", "R_inv")) else fine
            assert min(abs(series.within(0.5 * part.resistance, 2.0 * part.resistance) - part.resistance)) < 1e-6
        if isinstance(part, Capacitor):
            assert (
                min(abs(capacitors.within(0.5 * part.capacitance, 2.0 * part.capacitance) - part.capacitance)) < 1e-18
            )


def test_parts_are_read_back(board: Board) -> None:
    """A weight is what its resistor says: another resistor is another weight, and an inverter scales its complement."""
    again = read_network(board.circuit, board.scaled)
    assert value_error(board.scaled, again) < 0.05
    changed = [
        device._replace(part=Resistor(2.0 * device.part.resistance))
        if device.name in ("R_syn_0_1", "R_inv_v_2_feedback") and isinstance(device.part, Resistor)
        else device
        for device in board.circuit.devices
    ]
    other = read_network(replace(board.circuit, devices=tuple(changed)), board.scaled)
    ratio = other.weights / np.where(again.weights == 0.0, np.inf, again.weights)
    expected = np.ones((3, 3))
    expected[0, 1], expected[0, 2] = 0.5, 2.0
    np.testing.assert_allclose(ratio[again.weights != 0.0], expected[again.weights != 0.0], rtol=1e-12)


def test_a_board_follows_its_own_equation(board: Board) -> None:
    found = board.verify()
    assert found.passed, found
    assert max(found.nrmse, found.output_nrmse) < 2e-3
    assert (
        found.deviation > 5.0 * found.nrmse
    )  # its offsets and roundings are in its equation, and not in the ideal one
    assert found.settled != "different"


def test_another_part_than_its_equation_has_fails(board: Board) -> None:
    """The equation is read from the parts; one changed in the circuit alone is seen."""
    wrong = [
        device._replace(part=Capacitor(1.1 * device.part.capacitance))
        if device.name == "C_x_1" and isinstance(device.part, Capacitor)
        else device
        for device in board.circuit.devices
    ]
    states, _ = board.equation().solve(np.linspace(0.0, board.t_stop, 201))
    wave = hh.simulate(replace(board.circuit, devices=tuple(wrong)), t_stop=board.t_stop, points=201, accuracy=1e-3)
    assert nrmse(states[1:], wave["state"].to_numpy()[1:]) > 5e-3


def test_two_resistors_where_one_misses() -> None:
    board = design_board(network(), two_resistors=0.005)
    assert value_error(board.scaled, board.realised) < 0.006


def test_a_stray_capacitance_lowers_the_phase_margin(board: Board) -> None:
    """An inverter of two equal resistors R: the pole of its summing node lies at 1/(pi R C)."""
    (loop,) = [one for one in find_loops(board.circuit) if one.device.name == "X_inv_v_2"]
    bare = loop._replace(compensation=0.0)
    model = replace(TL074, phase_margin=90.0, input_capacitance=0.0, differential_capacitance=0.0)
    stray = 20e-12
    crossing = np.sqrt(1.0 + 4.0 * (4e6 / 2.0 * np.pi * 1e4 * stray) ** 2)
    crossing = np.sqrt((crossing - 1.0) / 2.0) / (np.pi * 1e4 * stray)
    expected = 90.0 - np.degrees(np.arctan(crossing * np.pi * 1e4 * stray))
    assert bare.phase_margin(model, stray) == pytest.approx(expected, abs=0.2)
    assert isinstance(loop, Loop)
    assert loop.phase_margin(model, stray) > bare.phase_margin(model, stray)


REFUSED: dict[str, tuple[dict[str, Any], dict[str, Any], str]] = {
    "wrong supply": ({}, {"op_amp": "MCP6002"}, "supply: MCP6002 on 24 V, must be at most 6 V; take a lower supply"),
    "one supply": ({}, {"op_amp": "LM358", "supplies": (12, 0)}, "which must hold 0 V; use a positive and a negative"),
    "headroom": ({}, {"output_scale": 14.0}, "headroom: an output can reach 14 V, must be at most 11"),
    "phase reversal": (
        {},
        {"supplies": (12, -3.9), "reference": 2.5, "output_scale": 2.0, "state_scale": 4.0},
        "the output runs to the upper rail: phase reversal",
    ),
    "common mode": (
        {},
        {"op_amp": "LM358", "supplies": (6.2, -12), "reference": 5.0},
        "common mode: inputs of X_reference_p at 5 to 5 V, range -12 to 4.7 V (inputs stop)",
    ),
    "current": ({}, {"conductance_scale": 150.0}, "output current: "),
    "bandwidth": (
        {"capacitance": 1e-11},
        {"time_scale": 1.0, "conductance_scale": 1.0, "capacitors": ["10p"]},
        "bandwidth: neuron 0: its amplifiers' delay of ",
    ),
    "slew rate": ({"capacitance": 3e-10}, {"op_amp": "LM358", "time_scale": 1.0}, "slew rate: "),
    "summing node": (
        {},
        {"limits": Limits(usual_resistance=1e6), "compensated": False},
        "stability of a summing node: ",
    ),
    "droop": (
        {
            "resistance": np.inf,
            "weights": np.array([[0.0, 1e-6], [-1e-6, 0.0]]),
            "initial": [0.2, 0.1],
            "bias": 0.0,
            "capacitance": 1e-5,
        },
        {"op_amp": "LM358", "t_stop": 300.0, "time_scale": 1.0, "conductance_scale": 0.1},
        "droop: neuron ",
    ),
    "stock": ({}, {"series": ["7k5", "1M"]}, "rounding: a value is off by "),
    "span": (
        {"weights": np.array([[0.0, 3e-5], [1e-10, 0.0]]), "initial": 0.0, "bias": 0.0},
        {},
        "they span 1 kOhm to 300 MOhm, above the 10 MOhm allowed",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_a_board_that_cannot_work_is_refused_for_its_reason(name: str) -> None:
    changes, how, said = REFUSED[name]
    with pytest.raises(Unrealisable) as error:
        design_board(network(**changes), **how)
    assert str(error.value).startswith("design_board: ")
    assert said in str(error.value)


def test_a_forced_board_says_what_fails() -> None:
    board = design_board(network(), supplies=(12, -5), reference=5.0, force=True)
    assert not board.passed
    assert repr(board).startswith("<Board: board 3 neurons, 2 of 13 checks failed; op-amps TL074 on 12 V, -5 V; ")


def test_bad_input() -> None:
    for how, message in (
        ({"series": ()}, "`series` is empty: must have at least one value, or be a name such as 'E24'"),
        ({"supplies": (12,)}, "`supplies` = (12,): must be two voltages, the upper one first"),
        ({"supplies": (-12, 12)}, "`supplies` = -12 V, 12 V: must be two voltages, the upper one first"),
        ({"inputs": 1.0}, "design_board: `inputs`: the network has none; leave them out"),
        ({"time_scale": -1.0}, "`time_scale = -1.0`: must be positive"),
    ):
        with pytest.raises(InputError) as error:
            design_board(network(), **how)
        assert str(error.value) == message
    with pytest.raises(InputError, match=r"^`op_amp`: op-amp 'TL999' is unknown: must be one of ideal, one_pole, "):
        design_board(network(), op_amp="TL999")
    with pytest.raises(InputError, match=r"must be a part with a data sheet, such as 'TL074', or a MacroModel$"):
        design_board(network(), op_amp=1e6)
    with pytest.raises(InputError, match=r"^design_board: Graph: must be a Network, a continuous network without"):
        design_board(network().graph())  # type: ignore[arg-type]
    with pytest.raises(InputError, match=r"above `most` = 5.000%; \d+ levels would do$"):
        design_board(network(), synapses=ProgrammedLevels(levels=2), most_rounding=0.05)
    with pytest.raises(Unrealisable, match=r"^design_board: no amplifier of parts makes a Arctan; those that are"):
        design_board(network(gain=hh.Arctan(gain=2.0)))


@pytest.mark.parametrize("is_pair", [True, False])
def test_weights_of_0_that_conduct_are_in_the_equation(is_pair: bool) -> None:
    """Devices that are off, or never without conductance, stand where the network has no weight."""
    way = ProgrammedLevels(levels=16, ratio=10.0, mismatch=0.2, is_pair=is_pair)
    found = design_board(network(), synapses=way, seed=2, limits=Limits(rounding=10.0))
    assert found.rounding is not None
    assert np.all(np.diag(found.rounding.weights) != 0.0)
    np.testing.assert_allclose(found.realised.weights, found.rounding.weights, rtol=0.1)
    result = found.verify()
    assert result.verdict == "passed"
    assert result.nrmse < 2e-3
    assert result.value_error == pytest.approx(found.rounding.worst)


def test_a_users_own_op_amp() -> None:
    """An op-amp of one's own figures: ten times the offset moves the states, and the equation with them."""
    found = [design_board(network(), op_amp=replace(TL074, offset=offset)).verify() for offset in (3e-3, 30e-3)]
    assert all(one.passed for one in found)
    ends = [one.wave["state"].to_numpy()[-1] for one in found]
    assert np.max(np.abs(ends[1] - ends[0])) > 0.03
    assert isinstance(OpAmp(TL074).model, MacroModel)


def test_two_resistors_count_as_the_one_that_they_are() -> None:
    """Loops see a divider's or a feedback's two resistors as one: delays are those of the design before rounding."""
    steep = network(gain=hh.Tanh(gain=40.0), weights=4.0 * np.asarray(network().weights))
    board = design_board(steep)
    drive = next(loop for loop in find_loops(board.circuit) if loop.device.name == "X_v_0_drive")
    ends = [one.name for one in board.circuit.devices if one.name.endswith("_and")]
    assert ends
    ohms = {d.name: d.part.resistance for d in merge_pairs(board.circuit).devices if isinstance(d.part, Resistor)}
    assert not any(name.endswith("_and") for name in ohms)
    assert drive.noise_gain == pytest.approx(1.0 + ohms["R_v_0_drive_feedback"] / ohms["R_v_0_drive_in"])


def test_a_capacitor_for_stability_does_not_speed_an_inverter_up(board: Board) -> None:
    """Its noise gain stays 2, and R_f C_f comes to its delay; an integrator's is 1."""
    loops = {loop.device.name: loop for loop in find_loops(board.circuit)}
    inverter, integrator = loops["X_inv_v_2"], loops["X_x_0"]
    assert inverter.compensation > 0.0
    closed = 1.0 / (2.0 * np.pi * TL074.gain_bandwidth)
    assert inverter.noise_gain == pytest.approx(2.0)
    assert inverter.delay(TL074) == pytest.approx(2.0 * closed + 1e4 * inverter.compensation)
    assert integrator.delay(TL074) == pytest.approx(closed)


def test_a_wrong_capacitance_or_leak_is_a_wrong_value(board: Board) -> None:
    values = board.realised
    assert value_error(values, values) == 0.0
    for name in ("capacitance", "resistance", "bias"):
        factor = np.ones(3)
        factor[1] = 1.25
        changed = replace(values, **{name: getattr(values, name) * factor})
        assert value_error(values, changed) == pytest.approx(0.2 if name == "resistance" else 0.25)
    assert value_error(values, replace(values, bias=[0.0, 0.0, 0.0])) == np.inf


def test_states_that_an_amplifier_senses_keep_to_the_range_of_inputs() -> None:
    """A drive's input follows -x: on +-12 V those of a TL074 end at -9 V, and its output at 11.4 V."""
    steep = network(gain=hh.Tanh(gain=40.0), weights=4.0 * np.asarray(network().weights))
    good = design_board(steep)
    reached = [check for check in good.checks if check.name == "phase reversal" and "senses" in check.where]
    assert len(reached) == 1
    assert reached[0].limit == pytest.approx(9.0)
    assert reached[0].passed
    with pytest.raises(Unrealisable, match=r"phase reversal: state \d, which an amplifier senses, can reach 10\.\d+ V"):
        design_board(steep, state_scale=good.scaling.state * 9.6 / reached[0].found)


def random_memory(seed: int, size: int) -> hh.Network:
    """Return a memory of size/4 random patterns by Hebb's rule, which starts near the first."""
    random = np.random.default_rng([seed, size])
    patterns = random.choice([-1.0, 1.0], (size // 4, size))
    weights = 2e-5 * (patterns.T @ patterns) / size
    np.fill_diagonal(weights, 0.0)
    start = 0.1 * patterns[0] * random.uniform(0.5, 1.0, size)
    return hh.Network(weights=weights, resistance=1e5, capacitance=1e-9, gain=hh.Tanh(gain=4.0), initial=start)


def test_rounded_parts_that_take_a_state_too_far_get_a_smaller_scale() -> None:
    """The weights of this memory round upwards: on the scale that fits its own bounds, a state reaches 9.37 V."""
    memory = random_memory(1, 8)
    board = design_board(memory)
    assert board.passed
    assert np.max(board.reached) == pytest.approx(8.333, abs=1e-3)
    fitted = fit_volts(board.model, board.bounds, board.limits, 5.0).state
    assert board.scaling.state < fitted
    wanted = r"phase reversal: state \d, which .*, can reach 9\.37\d* V, must be at most 9 V"
    with pytest.raises(Unrealisable, match=wanted):
        design_board(memory, state_scale=fitted)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_boards_of_otas_start_between_their_rails(seed: int) -> None:
    """Nodes between an OTA's transistors are volts from ground at t = 0, where ngspice did not find its first step."""
    found = design_board(random_memory(seed, 4), amplifier="ota").verify()
    assert found.passed
    assert found.nrmse < 1e-4


def test_a_verdict_needs_time_movement_and_a_network_that_does_not_amplify(board: Board) -> None:
    short = replace(board, t_stop=1.5e-3)
    found = short.verify()
    assert (found.verdict, found.reasons) == (
        "undecided",
        ("it ran for 1.5 time constants, and 2 are the least",),
    )
    assert replace(board, checks=()).verify().verdict == "failed"


def test_a_board_that_its_equation_does_not_know_fails(board: Board) -> None:
    """Integrators that end 1 V from 0: the limit is in their macro-model alone."""
    clipped = tuple(
        device._replace(part=replace(device.part, model=replace(board.model, headroom_plus=11.0, headroom_minus=11.0)))
        if isinstance(device.part, OpAmp) and device.name.startswith("X_x_")
        else device
        for device in board.circuit.devices
    )
    found = board.with_circuit(replace(board.circuit, devices=clipped)).verify()
    assert found.verdict == "failed"
    assert found.reasons[0].startswith("NRMSE ")
    assert found.reasons[0].endswith(" against its own equation is above 5e-03")


def test_rails_begin_where_the_start_asks_for_them(board: Board) -> None:
    outputs = board.scaled.gain.value(board.scaled.initial)
    assert [board.circuit.initial[f"v_{k}"] for k in range(3)] == pytest.approx(outputs.tolist())
    assert board.circuit.initial["vn_2"] == pytest.approx(-outputs[2])


@pytest.mark.parametrize(("found", "passed"), [(9.0 * (1.0 + 1e-15), True), (9.0 + 1e-9, False), (float("nan"), False)])
def test_a_value_at_its_limit_passes_its_check_to_rounding(found: float, passed: bool) -> None:
    check = Check(name="headroom", where="state 3", found=found, limit=9.0, unit="V", sense="at most")
    assert check.passed is passed
    mirrored = Check(name="supply", where="state 3", found=-found, limit=-9.0, unit="V", sense="at least")
    assert mirrored.passed is passed


def test_a_board_starts_at_rest_with_its_clamps_closed() -> None:
    """A slow op-amp whose output starts beyond its clamp would slew there first: 1e-2 of the output, and "failed"."""
    latch = network(
        weights=[[0.0, 5e-5], [5e-5, 0.0]], gain=hh.PiecewiseLinear(gain=2.0), initial=[0.9, -0.3], bias=0.0
    )
    found = design_board(latch, op_amp="OP07", t_stop=1e-2).verify()
    assert found.verdict == "passed"
    assert max(found.nrmse, found.output_nrmse) < 2e-4


def test_a_board_that_decides_otherwise_than_its_network_fails() -> None:
    """Rounding to E6 moves the balance point over the start: the board follows its own equation, to another state."""
    near = hh.Network(
        weights=[[1.7e-4]],
        resistance=1e4,
        capacitance=1e-8,
        gain=hh.Tanh(gain=5.0),
        initial=[-0.5],
        bias=[1.1378604979555862e-4],
    )
    found = design_board(near, series="E6").verify()
    assert (found.verdict, found.settled, found.decided) == ("failed", "same", "different")
    assert found.reasons == (
        "it settles in another state than the network that was asked for: neuron 0 at 7.83 V in place of -1.7 V",
    )
    assert design_board(near, series="E192").verify().decided == "same"


@pytest.mark.parametrize(
    ("tolerance", "message"),
    [
        (1e9, "`tolerance` = 1000000000.0: is an NRMSE and must be from 1e-09 to below 1, such as 1e-4"),
        (-1.0, "`tolerance` = -1.0: is an NRMSE and must be from 1e-09 to below 1, such as 1e-4"),
        (np.nan, "`tolerance` = nan: is an NRMSE and must be from 1e-09 to below 1, such as 1e-4"),
        (0.2, "`tolerance` = 0.2: must be at most 0.1, beyond which any waveform would pass"),
    ],
)
def test_a_tolerance_that_nothing_would_miss_is_refused(board: Board, tolerance: float, message: str) -> None:
    with pytest.raises(InputError) as error:
        board.verify(tolerance=tolerance)
    assert str(error.value) == message


def test_scales_that_are_given_keep_resistors_and_currents_within_limits() -> None:
    with pytest.raises(
        Unrealisable,
        match=r"smallest resistor: at a summing node: 220\.6 Ohm, must be at least 1 kOhm; take a",
    ):
        design_board(network(), conductance_scale=40.0)
    with pytest.raises(
        Unrealisable, match=r"largest resistor: at a summing node: 14\.71 MOhm, must be at most 10 MOhm"
    ):
        design_board(network(), conductance_scale=0.02)
    small = Limits(least_resistance=10.0)
    with pytest.raises(Unrealisable, match=r"current: output 0 can give into its synapses 34 mA, must be at most"):
        design_board(network(), conductance_scale=40.0, limits=small)


def test_op_amps_within_amplifiers_keep_their_limits_while_demands_are_measured() -> None:
    """Without a swing one whose loop a clamp opens would run away, and take the loops around it along."""
    board = design_board(network(gain=hh.PiecewiseLinear(gain=4.0)))
    free = _without_limits(board.circuit)
    inner = [d for d in free.devices if isinstance(d.part, OpAmp) and is_within_amplifier(board.circuit, d)]
    outer = [d for d in free.devices if isinstance(d.part, OpAmp) and d.name.startswith(("X_x_", "X_inv_"))]
    assert inner
    assert outer
    swings = [[d.part.model.swing() for d in devices] for devices in (inner, outer)]  # type: ignore[union-attr]
    assert np.all(np.isfinite(swings[0]))
    assert np.all(np.isinf(swings[1]))


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"limits": 3}, "design_board: `limits` = 3: must be Limits, such as Limits(rounding=0.1)"),
        (
            {"most_rounding": 1e-9},
            "design_board: `most_rounding` is of the way that `synapses` names; give one, or "
            "`limits=Limits(rounding=...)`",
        ),
        ({"two_resistors": -1.0}, "`two_resistors = -1.0`: must be positive"),
    ],
)
def test_arguments_of_the_wrong_kind_are_refused(given: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError) as error:
        design_board(network(), **given)
    assert str(error.value) == message


def test_the_run_of_the_checks_has_a_time_limit() -> None:
    with pytest.raises(SimulatorTimeout, match=r"did not finish in 0\.001 s and was stopped"):
        design_board(network(), timeout=1e-3)
