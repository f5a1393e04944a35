"""Designs: what is shipped gives the answers it claims, in the reference and in ngspice; what is wrong is refused."""

from __future__ import annotations

import json
import shutil
from dataclasses import fields, replace
from functools import cache
from inspect import signature
from pathlib import Path
from typing import Any

import jsonschema
import numpy as np
import pytest
import xarray as xr
from scipy.integrate import solve_ivp

from hopfield_hw.analysis.stability import critical_delay
from hopfield_hw.board.design import design_board
from hopfield_hw.board.scaling import Limits
from hopfield_hw.cells import CELLS
from hopfield_hw.designs import design as designs
from hopfield_hw.designs import shipped
from hopfield_hw.designs.boards import board_of
from hopfield_hw.designs.design import Design, check_answer, load_design
from hopfield_hw.designs.export import design_circuit
from hopfield_hw.designs.networks import FORMS
from hopfield_hw.designs.shipped import CHECKOUT, shipped_designs
from hopfield_hw.equations import integrate_delayed, solve
from hopfield_hw.functions import Logistic, Tanh
from hopfield_hw.graph import Leak
from hopfield_hw.lowering import lower
from hopfield_hw.networks.network import Network
from hopfield_hw.problems import Oscillation, Recall
from hopfield_hw.problems.answers import period_and_swing
from hopfield_hw.spice.transient import simulate
from hopfield_hw.values.errors import InputError
from hopfield_hw.values.measures import nrmse
from hopfield_hw.values.signals import Signal

CASES = {
    "ad_converter_4bit": ["off_by_one", "sweep"],
    "ad_converter_board": ["nine", "eleven"],
    "bam_two_pairs": ["second_pair"],
    "brain_state_in_a_box": [],
    "chaotic_neurons": [],
    "competing_species": ["exclusion"],
    "complementarity": [],
    "cubic_memory": [],
    "delayed_inhibition": ["short"],
    "digit_memory": ["digit_0", "digit_1", "digit_4", "digit_7"],
    "distributed_inhibition": ["one_stage"],
    "echoing_pair": ["loud"],
    "flip_flop": ["other_state"],
    "graph_colouring": [],
    "growing_delay": [],
    "hole_filling": [],
    "letter_memory": ["letter_L", "letter_Y"],
    "limit_cycle": [],
    "matrix_game": [],
    "max_cut": [],
    "quadratic_program": [],
    "sequence_memory": [],
    "shunting_choice": [],
    "signal_decomposition": [],
    "softmax_memory": [],
    "static_flip_flop": ["other_state"],
    "strongest_of_eight": [],
    "tour_of_five": [],
    "two_delays": ["short"],
}
SHIPPED = tuple(CASES)
CELLS_STATED = [(name, cell) for name in SHIPPED for cell in load_design(name).cells]
# Its feedback adds up to 7 / R, which no passive node takes as it is.
RESCALED = {"hole_filling": ["hopfield_tank"]}
PASSIVE = [name for name in SHIPPED if "hopfield_tank" in load_design(name).cells and name not in RESCALED]
RUNS = [(name, case) for name in SHIPPED for case in (None, *CASES[name])]
# The sweep is stiff: slow in the input, fast where a code changes.
METHODS: dict[str, Any] = {"sweep": "LSODA"}


def design_of(name: str, case: str | None = None) -> Design:
    design = load_design(name)
    return design if case is None else design.cases[case]


@cache
def reference(name: str, case: str | None = None) -> xr.Dataset:
    design = design_of(name, case)
    method = METHODS.get(case or "", "auto")
    return solve(design.graph(), t_stop=design.t_stop, inputs=design.inputs, accuracy=design.accuracy, method=method)


@cache
def simulated(name: str, cell: str, case: str | None = None) -> xr.Dataset:
    design = design_of(name, case)
    circuit = lower(design.graph(), cell=cell, rescale=design.cells[cell].rescale)
    return simulate(circuit, t_stop=design.t_stop, inputs=design.inputs, accuracy=design.accuracy)


def test_the_shipped_designs() -> None:
    assert shipped_designs() == SHIPPED
    assert {name: list(load_design(name).cases) for name in SHIPPED} == CASES


@pytest.mark.parametrize("name", SHIPPED)
def test_a_design_is_cited_and_states_a_tolerance_with_its_reason_for_its_cells(name: str) -> None:
    design = load_design(name)
    assert design.name == name
    assert all((design.title, design.citation, design.description, design.expected))
    assert next(iter(design.cells)) == "ideal"
    assert set(design.cells) <= set(CELLS)
    assert all(stated.reason for stated in design.cells.values())
    assert [cell for cell, stated in design.cells.items() if stated.rescale] == RESCALED.get(name, [])
    assert [case.name for case in design.cases.values()] == [f"{name}_{case}" for case in CASES[name]]


@pytest.mark.parametrize(("name", "case"), RUNS)
def test_the_reference_gives_the_answer_expected(name: str, case: str | None) -> None:
    answers = check_answer(design_of(name, case), reference(name, case))
    assert answers
    assert all(answer.ok for answer in answers), answers


def test_networks_are_built_in_the_cells_of_neurons() -> None:
    for name in SHIPPED:
        neutral = (load_design(name).delay or {}).get("kind") == "neutral"  # its states are sums, of no one neuron
        if isinstance(load_design(name).network, Network) and not neutral:
            assert list(load_design(name).cells)[:3] == ["ideal", "hopfield_tank", "inverting_integrator"]


@pytest.mark.parametrize(("name", "cell"), CELLS_STATED)
@pytest.mark.usefixtures("ngspice")
def test_a_cell_is_within_the_tolerance_that_the_design_states(name: str, cell: str) -> None:
    design, wave = load_design(name), simulated(name, cell)
    assert nrmse(reference(name).state.values, wave.state.values) <= design.cells[cell].tolerance
    answers = check_answer(design, wave)
    assert all(answer.ok for answer in answers), answers


@pytest.mark.usefixtures("ngspice")
def test_the_sweep_visits_the_same_codes_in_ngspice_as_in_the_reference() -> None:
    design, ref = design_of("ad_converter_4bit", "sweep"), reference("ad_converter_4bit", "sweep")
    wave = simulated("ad_converter_4bit", "ideal", "sweep")
    up, down = check_answer(design, wave)
    assert (up, down) == check_answer(design, ref)
    assert (up.what, up.found) == ("codes from 0 s to 16 ms", "0 1 2 3 6 7 12 13 14 15")
    assert (down.what, down.found) == ("codes from 16 ms to 34 ms", "15 14 13 12 9 8 3 2 1 0")
    assert nrmse(ref.state.values, wave.state.values) <= design.cells["ideal"].tolerance


@pytest.mark.parametrize("name", PASSIVE)
def test_a_passive_node_realises_the_design_as_it_is(name: str) -> None:
    graph = load_design(name).graph()
    assert len(lower(graph, cell="hopfield_tank").states) == len(graph.labels_of(Leak))


def test_one_wrong_synapse_of_the_memory_shows() -> None:
    """The sign of one of 4,032 weights changes the waveform by far more than what a comparison allows."""
    design = load_design("digit_memory")
    weights = design.network.weights.copy()
    weights[3, 7] *= -1.0
    wrong = replace(design.network, weights=weights, symmetric=False)
    wave = solve(wrong.graph(), t_stop=design.t_stop)
    assert nrmse(reference("digit_memory").state.values, wave.state.values) > 100.0 * design.cells["ideal"].tolerance


def test_the_memory_starts_ten_pixels_away() -> None:
    design = load_design("digit_memory")
    assert isinstance(design.expected, Recall)
    distances = design.expected.patterns.distances(np.sign(design.network.initial))
    assert distances["3"] == 10
    assert design.network.symmetric


def test_the_limit_cycle_is_that_of_its_equation() -> None:
    """Its period and swing, by SciPy alone, in units of R C and volts."""

    def slope(_: float, x: Any) -> Any:
        return -np.asarray(x) + np.array([[0.3, -0.6], [0.6, 0.3]]) @ np.tanh(5.0 * np.asarray(x))

    def crossing(_: float, x: Any) -> Any:
        return x[0]

    def peak(t: float, x: Any) -> Any:
        return slope(t, x)[0]

    found = solve_ivp(slope, (0.0, 60.0), [0.3, 0.0], "DOP853", rtol=1e-11, atol=1e-12, events=[crossing, peak])
    assert found.t_events is not None
    assert found.y_events is not None
    period = 1e-4 * (found.t_events[0][-1] - found.t_events[0][-3])
    swing = np.ptp([state[0] for state in found.y_events[1][-2:]])
    design = load_design("limit_cycle")
    assert isinstance(design.expected, Oscillation)
    # As many digits as the design gives.
    assert design.expected.period == pytest.approx(period, rel=1e-6)
    assert design.expected.swing == pytest.approx(swing, rel=1e-6)
    assert not design.network.is_symmetric
    assert design.t_stop == pytest.approx(10.0 * period, rel=1e-3)


CYCLES: dict[str, tuple[Any, list[Any], list[float], float]] = {
    "delayed_inhibition": (lambda t, x, z: -x - 0.95 * np.tanh(2.2 * z[0]), [2.0], [0.5], 160.0),
    "two_delays": (
        lambda t, x, z: -x + [np.tanh(2.0 * z[0][1]), -np.tanh(2.0 * z[1][0])],
        [0.9, 0.3],
        [0.5, 0.2],
        80.0,
    ),
    "growing_delay": (
        lambda t, x, z: -x - np.tanh(2.0 * z[0]),
        [Signal(times=[0.0, 20.0], values=[1.0, 2.0])],  # type: ignore[arg-type]
        [0.5],
        240.0,
    ),
    "distributed_inhibition": (
        lambda t, x, z: np.append(-x[0] - 0.95 * x[4], 2.0 * (np.append(np.tanh(5.0 * x[0]), x[1:4]) - x[1:])),
        [],
        [0.5, *4 * [np.tanh(2.5)]],
        120.0,
    ),
}


@pytest.mark.parametrize("name", CYCLES)
def test_a_delayed_cycle_is_that_of_its_equation(name: str) -> None:
    """Its period and swing, from the equation of the neurons that differ, in units of R C and volts."""
    rhs, lags, start, end = CYCLES[name]
    times, tolerance = np.linspace(0.0, end, 40001), {"rtol": 1e-11, "atol": 1e-11}
    if lags:
        states = integrate_delayed(rhs, lags, lambda t: start, (0.0, end), **tolerance).state(times)
    else:
        states = solve_ivp(rhs, (0.0, end), start, args=((),), method="DOP853", t_eval=times, **tolerance).y.T
    period, swing = period_and_swing(times, states[:, 0])
    design = load_design(name)
    assert isinstance(design.expected, Oscillation)
    assert design.expected.period == pytest.approx(1e-4 * period, rel=2e-6)
    assert design.expected.swing == pytest.approx(swing, rel=2e-6)


def test_the_delay_of_the_delayed_inhibition_is_above_the_critical_one_and_that_of_its_case_below() -> None:
    design = load_design("delayed_inhibition")
    assert isinstance(design.network, Network)
    assert critical_delay(design.network) == pytest.approx(1.127759e-4, rel=1e-6)
    late, short = (one.delay["tau"] for one in (design, design.cases["short"]) if one.delay is not None)
    assert short < critical_delay(design.network) < late == 2e-4


WRONG = {
    "other state": ("flip_flop", ("flip_flop", "other_state")),
    "other code": ("ad_converter_4bit", ("ad_converter_4bit", "off_by_one")),
    "other digit": ("digit_memory", ("digit_memory", "digit_7")),
}


@pytest.mark.parametrize(("name", "run"), WRONG.values(), ids=WRONG)
def test_a_wrong_answer_is_seen(name: str, run: tuple[str, str]) -> None:
    answers = check_answer(load_design(name), reference(*run))
    assert not answers[0].ok


def test_the_answer_of_a_memory_names_what_it_found() -> None:
    recalled, nearest = check_answer(load_design("digit_memory"), reference("digit_memory", "digit_7"))
    assert recalled == ("pattern recalled", "7, 0 of 64 pixels differ", "3, 0 of 64 pixels differ", False)
    assert nearest == ("nearest wrong pattern", "7, 0 of 64 pixels differ", "1", False)


def test_one_wrong_pixel_is_not_recall() -> None:
    wave = reference("digit_memory").copy(deep=True)
    wave.output[-1, 5] *= -1.0
    recalled, _ = check_answer(load_design("digit_memory"), wave)
    assert (recalled.found, recalled.ok) == ("3, 1 of 64 pixels differ", False)


def test_a_slower_cycle_and_a_smaller_one_are_not_the_cycle() -> None:
    wave = reference("limit_cycle")
    slower = wave.assign_coords(time=wave.time * 1.001)
    smaller = wave.assign(state=wave.state * 0.999)
    assert [answer.ok for answer in check_answer(load_design("limit_cycle"), slower)] == [False, True]
    assert [answer.ok for answer in check_answer(load_design("limit_cycle"), smaller)] == [True, False]


def test_a_sweep_the_other_way_visits_other_codes() -> None:
    design = design_of("ad_converter_4bit", "sweep")
    wave = reference("ad_converter_4bit", "sweep")
    backwards = wave.assign(output=wave.output.copy(data=wave.output.values[::-1]))
    assert [answer.ok for answer in check_answer(design, backwards)] == [False, False]


FLIP_FLOP = (CHECKOUT / "flip_flop" / "design.toml").read_text(encoding="utf-8")
INLINE = "[network]\nweights = [[0.0, 1e-5], [2e-5, 0.0]]\nresistance = [1e4, inf]\ncapacitance = 1e-8\n"
HEAD = 'title = "T"\ncitation = "C"\n'


def written(folder: Path, text: str, name: str = "mine") -> Path:
    (folder / name).mkdir()
    path = folder / name / "design.toml"
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize("given", ["folder", "file", "text of a path"])
def test_a_design_is_loaded_by_its_path(tmp_path: Path, given: str) -> None:
    path = written(tmp_path, FLIP_FLOP)
    forms: dict[str, str | Path] = {"folder": path.parent, "file": path, "text of a path": str(path.parent)}
    loaded = load_design(forms[given])
    assert (loaded.name, loaded.title, loaded.folder) == ("mine", load_design("flip_flop").title, path.parent)
    assert loaded.graph().hash == load_design("flip_flop").graph().hash


def test_a_shipped_name_is_not_a_folder_that_happens_to_lie_here(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    written(tmp_path, HEAD + INLINE, "flip_flop")
    monkeypatch.chdir(tmp_path)
    assert load_design("flip_flop").title == load_design(CHECKOUT / "flip_flop").title
    assert load_design("./flip_flop").title == "T"


def test_designs_are_found_inside_an_installed_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shutil.copytree(CHECKOUT / "flip_flop", tmp_path / "flip_flop")
    monkeypatch.setattr(shipped, "INSTALLED", tmp_path)
    assert shipped_designs() == ("flip_flop",)
    assert load_design("flip_flop").folder == tmp_path / "flip_flop"


def test_values_inline_and_their_defaults(tmp_path: Path) -> None:
    design = load_design(written(tmp_path, HEAD + INLINE))
    network = design.network
    assert network.weights.tolist() == [[0.0, 1e-5], [2e-5, 0.0]]
    assert network.resistance.tolist() == [1e4, np.inf]
    assert network.gain == Tanh()
    assert (design.t_stop, design.accuracy, design.inputs, design.expected) == (None, 1e-4, None, None)
    assert (dict(design.cells), dict(design.cases), design.description) == ({}, {}, "")
    assert check_answer(design, reference("flip_flop")) == ()


def test_inputs_and_gain_inline(tmp_path: Path) -> None:
    gain = "gain = {kind = 'logistic', gain = 3.0}\ninput_weights = [[1e-6, 0.0], [0.0, 1e-6]]\n"
    analysis = "[analysis]\naccuracy = 1e-3\ninputs = {times = [0.0, 1.0], values = [[1.0, 2.0], [3.0, 4.0]]}\n"
    case = "[[cases]]\nname = 'held'\ninputs = [5.0, 6.0]\ninitial = [0.1, 0.2]\nt_stop = 2.0\n"
    expected = "expected = {kind = 'settled', outputs = [0.0, 1.0], tolerance = 0.1}\n"
    design = load_design(written(tmp_path, HEAD + INLINE + gain + analysis + case + expected))
    assert design.network.gain == Logistic(gain=3.0)
    assert isinstance(design.inputs, Signal)
    assert design.inputs.at(0.5).tolist() == [2.0, 3.0]
    held = design.cases["held"]
    assert isinstance(held.inputs, Signal)
    assert held.inputs.at(0.5).tolist() == [5.0, 6.0]
    assert (held.network.initial.tolist(), held.t_stop, held.accuracy) == ([0.1, 0.2], 2.0, 1e-3)


def test_a_network_file_of_a_design_and_alone(tmp_path: Path) -> None:
    network = load_design("flip_flop").network
    path = written(tmp_path, HEAD + '[network]\nfile = "network.json"\n')
    network.to_json(path.parent / "network.json")
    assert load_design(path).graph().hash == network.graph().hash
    alone = load_design(path.parent / "network.json")
    assert (alone.name, alone.title, alone.t_stop, alone.expected) == ("network", "network", None, None)
    assert alone.graph().hash == network.graph().hash


def test_the_schema_is_one_and_knows_what_the_code_knows() -> None:
    schema = json.loads(designs.SCHEMA.read_text(encoding="utf-8"))
    jsonschema.Draft202012Validator.check_schema(schema)
    inline = {field.name for field in fields(Network)}
    assert set(schema["properties"]["network"]["properties"]) == inline | {*FORMS, "arguments", "seed", "files"}
    board = schema["properties"]["board"]["properties"]
    assert set(board) < set(signature(design_board).parameters)
    assert set(board["limits"]["properties"]) == {field.name for field in fields(Limits)}
    kinds = schema["$defs"]["expected"]["properties"]["kind"]["enum"]
    assert kinds == list(designs.EXPECTATIONS)
    assert kinds == [part["if"]["properties"]["kind"]["const"] for part in schema["$defs"]["expected"]["allOf"]]


BOARD = (
    "gain = {kind = 'tanh', gain = 5.0}\n[analysis]\nt_stop = 1e-2\n"
    "[board]\nsupplies = [15.0, -15.0]\nseries = 'E12'\nlimits = {usual_resistance = '22k', slew = 0.4}\n"
)


@pytest.mark.usefixtures("ngspice")
def test_a_design_says_how_its_board_is_made(tmp_path: Path) -> None:
    design = load_design(written(tmp_path, HEAD + INLINE.replace("inf", "1e4") + BOARD))
    made = board_of(design)
    assert (made.model.supply_plus, made.model.supply_minus, made.t_stop) == (15.0, -15.0, 1e-2 * made.scaling.time)
    assert (made.limits.usual_resistance, made.limits.slew, made.limits.room) == (22e3, 0.4, Limits().room)
    assert made.passed
    synapses = {line.value for line in made.parts if line.names[0].startswith("R_syn")}
    assert synapses <= {f"{value:g} kOhm" for value in 10.0 * np.array([1.0, 1.2, 1.5, 1.8, 2.2, 2.7, 3.3, 3.9, 4.7])}
    # What is given stands in place of what the design says; the rest stays.
    other = board_of(design, supplies=(12.0, -12.0))
    assert (other.model.supply_plus, other.limits) == (12.0, made.limits)


@pytest.mark.usefixtures("ngspice")
def test_the_converters_board_is_one_for_all_of_its_inputs() -> None:
    design = load_design("ad_converter_board")
    boards = [board_of(one) for one in (design, *design.cases.values())]
    assert all(board.passed for board in boards)
    assert len({board.circuit.netlist() for board in boards}) == 1
    assert [float(board.inputs.values[0, 0]) for board in boards if board.inputs] == pytest.approx([4.95, 2.97, 3.63])


def test_limits_of_a_board_are_checked(tmp_path: Path) -> None:
    text = HEAD + INLINE + "[board.limits]\nmost_resistance = -1.0\n"
    with pytest.raises(InputError) as refusal:
        board_of(load_design(written(tmp_path, text)))
    assert str(refusal.value) == "`board.limits.most_resistance = -1.0 Ohm`: must be positive"


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ("[board]\nopamp = 'TL074'\n", "key 'board.opamp' is unknown: must be one of "),
        ("[board]\nsupplies = 12.0\n", "`board.supplies` = 12.0: must be of type array"),
        ("[board]\nsupplies = [12.0]\n", "`board.supplies`: [12.0] is too short"),
        ("[board.limits]\nrooom = 0.5\n", "key 'board.limits.rooom' is unknown: must be one of "),
    ],
)
def test_a_wrong_table_of_a_board_is_refused(tmp_path: Path, table: str, message: str) -> None:
    with pytest.raises(InputError) as refusal:
        load_design(written(tmp_path, HEAD + INLINE + table))
    assert str(refusal.value).startswith(f"mine/design.toml: {message}")


@pytest.mark.usefixtures("ngspice")
def test_outputs_start_where_the_states_start() -> None:
    """The converter starts at u = 0, where its steep curves give 0.5 V; at ngspice's first point they give 0.54 V."""
    design = load_design("ad_converter_4bit")
    wave = simulate(design_circuit(design), t_stop=design.t_stop, inputs=design.inputs)
    # A straight line back misses the bend of the curve: 2.4e-3 V was measured.
    np.testing.assert_allclose(wave.output.values[0], 0.5, atol=5e-3)
