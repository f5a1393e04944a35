"""What trained networks do: forecasts, anomalies and trees, in float, in integers and in simulated Verilog."""

from __future__ import annotations

import itertools
import shutil
from dataclasses import replace

import numpy as np
import pytest

import hopfield_hw as hh
from hopfield_hw.equations import MapProgram
from hopfield_hw.equations.sequences import Machine
from hopfield_hw.graph import Graph
from hopfield_hw.integers.fixed_point import QFormat
from hopfield_hw.integers.icarus import simulate_verilog
from hopfield_hw.integers.lowering import FixedPoint, lower_to_integers
from hopfield_hw.integers.machine import FixedMachine, narrowest_for, shorten_words
from hopfield_hw.integers.trees import fixed_node
from hopfield_hw.tasks import (
    evaluate,
    find_anomalies,
    forecast,
    forecast_in_circuit,
    forecast_in_verilog,
    largest_error,
    relative_error,
    roll_out,
    tree_of,
)
from hopfield_hw.trained import Expression, mackey_glass, parse_expression, random_expression
from hopfield_hw.values.arrays import Array

WARM_UP = 100
MODEL = mackey_glass()
GRAPH = MODEL.graph()
# The test series, after the end of the training that the machine reads to warm up.
SERIES = MODEL.scale.normalise(np.concatenate([MODEL.train[-WARM_UP:], MODEL.test]))


def words(word: int, fraction: int) -> FixedPoint:
    kept = QFormat(word=word, fraction=fraction)
    return FixedPoint(signals=kept, weights=kept)


def fixed(graph: Graph, word: int, fraction: int) -> FixedMachine:
    return FixedMachine(lower_to_integers(graph, words(word, fraction)))


def forecast_error(machine: Machine) -> float:
    return relative_error(forecast(machine, SERIES)[WARM_UP - 1 : -1], SERIES[WARM_UP:])


def copied() -> hh.recurrent.RNN:
    """A machine whose forecast is that the value stays: y[k] = series[k]."""
    return hh.recurrent.RNN(input_weights=[[1.0]], recurrent_weights=[[0.0]], activations=(hh.Identity(),))


def test_a_forecast_stands_where_it_was_made() -> None:
    series = np.array([0.1, 0.4, -0.2])
    np.testing.assert_array_equal(forecast(copied(), series), series)
    np.testing.assert_array_equal(roll_out(copied(), series, steps=2), [-0.2, -0.2])
    assert relative_error([1.0, 1.0], [0.0, 2.0]) == 1.0


def test_a_machine_that_goes_on_alone_reads_its_own_forecasts() -> None:
    found = roll_out(GRAPH, SERIES[:50], steps=5)
    for k in range(1, 5):
        assert forecast(GRAPH, np.concatenate([SERIES[:50], found[:k]]))[-1] == pytest.approx(found[k], rel=1e-12)


# Each figure as measured; the tolerance is for what other processors make of the last digit of exp.
@pytest.mark.parametrize(("formats", "error"), [(None, 0.0423), ((16, 12), 0.0422), ((12, 8), 0.0554)])
def test_the_error_of_the_forecast(formats: tuple[int, int] | None, error: float) -> None:
    machine = MapProgram([GRAPH]) if formats is None else fixed(GRAPH, *formats)
    assert forecast_error(machine) == pytest.approx(error, abs=5e-4)


@pytest.mark.parametrize("machine", [MapProgram([GRAPH]), fixed(GRAPH, 16, 12)], ids=["float", "fixed"])
def test_alone_it_keeps_near_the_series_for_five_minutes(machine: Machine) -> None:
    alone = roll_out(machine, SERIES[:WARM_UP], steps=50)
    assert relative_error(alone, SERIES[WARM_UP : WARM_UP + 50]) < 0.25  # 0.226 and 0.223


def test_verilog_forecasts_bit_for_bit_what_the_integers_do() -> None:
    if shutil.which("iverilog") is None:
        pytest.skip("iverilog is not installed, so no Verilog is simulated")
    program = lower_to_integers(GRAPH, words(16, 12))
    series = SERIES[:100]
    found = forecast_in_verilog(program, series)
    np.testing.assert_array_equal(found, forecast(FixedMachine(program), series))
    # Where the forecasts go back in, equal outputs to equal inputs make an equal run.
    alone = roll_out(FixedMachine(program), series[:50], steps=30)
    again = forecast_in_verilog(program, np.concatenate([series[:50], alone]), stalls=True)
    np.testing.assert_array_equal(again[49:79], alone)


def strange(series: Array, at: int) -> Array:
    """The series with twelve values in reverse order: none of them is out of the ordinary."""
    found = series.copy()
    found[at : at + 12] = series[at : at + 12][::-1]
    return found


def test_an_error_stands_where_the_forecast_was_wrong() -> None:
    errors, where = find_anomalies(copied(), [0.0, 0.0, 1.0, 1.0, 0.75], limit=0.5, warm_up=1)
    assert (errors.tolist(), where.tolist()) == ([0.0, 0.0, 1.0, 0.0, 0.25], [2])
    assert find_anomalies(copied(), [0.0, 0.0, 1.0, 1.0, 0.75], limit=0.5, warm_up=3).where.size == 0
    assert largest_error(copied(), [0.0, 0.0, 1.0, 1.0, 0.75], warm_up=3) == 0.25


@pytest.mark.parametrize("formats", [None, (16, 12), (12, 8)])
def test_a_planted_anomaly_is_found_and_nothing_else(formats: tuple[int, int] | None) -> None:
    machine = MapProgram([GRAPH]) if formats is None else fixed(GRAPH, *formats)
    limit = 1.5 * largest_error(machine, MODEL.scale.normalise(MODEL.train)[-300:], warm_up=WARM_UP)
    assert find_anomalies(machine, SERIES[:300], limit=limit, warm_up=WARM_UP).where.size == 0
    where = find_anomalies(machine, strange(SERIES[:300], 200), limit=limit, warm_up=WARM_UP).where
    assert 200 <= where.min() <= 201
    assert where.max() < 212 + 16  # the machine remembers what was strange; after 16 steps it has found its way back


def test_the_narrowest_format_for_a_task() -> None:
    def error(machine: Machine) -> float:
        return relative_error(forecast(machine, SERIES[:200])[WARM_UP - 1 : -1], SERIES[WARM_UP:200])

    found = narrowest_for(GRAPH, words(16, 12), error, goal=0.06)
    assert found.error == error(FixedMachine(lower_to_integers(GRAPH, found.formats))) <= 0.06
    assert 4 < found.formats.signals.word < 16
    assert error(FixedMachine(lower_to_integers(GRAPH, shorten_words(found.formats, 1)))) > 0.06
    with pytest.raises(hh.InputError, match=r"^`goal` = 0\.01: Q\(16,12\) .* has an error of 0\.0...; give longer"):
        narrowest_for(GRAPH, words(16, 12), error, goal=0.01)


def test_the_tree_of_an_expression() -> None:
    tree = tree_of(parse_expression("((not true) or (false xor true))"))
    assert tree.inputs.argmax(axis=1).tolist() == [1, 2, 0, 1, 5, 4]
    assert tree.children == (None, (0, None), None, None, (2, 3), (1, 4))


# Right answers of 200 expressions of each depth; the network was trained on depths 1 to 4.
@pytest.mark.parametrize("formats", [None, (16, 12), (8, 5)])
def test_deep_expressions_by_a_network_that_has_seen_shallow_ones(formats: tuple[int, int] | None) -> None:
    model, rng = hh.trained.logic(), np.random.default_rng(11)
    node = None if formats is None else fixed_node(fixed(model.graph(), *formats))
    for depth in (1, 2, 4, 8):
        expressions = [random_expression(depth, rng) for _ in range(200)]
        right = evaluate(model, expressions, node=node) == [expression.truth for expression in expressions]
        assert np.mean(right) >= (1.0 if depth <= 4 else 0.99), depth


def test_a_node_of_a_tree_in_verilog(rng: np.random.Generator) -> None:
    if shutil.which("iverilog") is None:
        pytest.skip("iverilog is not installed, so no Verilog is simulated")
    program = lower_to_integers(hh.trained.logic().graph(), words(8, 5))
    inputs = {step.name: rng.integers(-128, 128, size=(50, step.size)) for step in program.of_kind("input")}
    found, machine = simulate_verilog(program, inputs), FixedMachine(program)
    _, expected = machine.step_raw(inputs)
    np.testing.assert_array_equal(found["h"], expected["h"])
    np.testing.assert_array_equal(found["y"], expected["y"])
    # A machine without states steps as any other one.
    run = hh.run_sequence(machine, np.concatenate(list(inputs.values()), axis=1) * 2.0**-5)
    np.testing.assert_array_equal(run.outputs[:, 0], np.concatenate([found["h"], found["y"]], axis=1) * 2.0**-5)


def test_expressions_as_text(rng: np.random.Generator) -> None:
    for depth in range(7):
        expression = random_expression(depth, rng)
        assert expression.depth == depth
        assert parse_expression(str(expression)) == expression


def test_what_expressions_evaluate_to() -> None:
    for a, b in itertools.product((False, True), repeat=2):
        for word, value in {"and": a and b, "or": a or b, "xor": a != b}.items():
            assert parse_expression(f"({str(a).lower()} {word} {str(b).lower()})").truth == value
        assert parse_expression(f"(not {str(a).lower()})").truth == (not a)


REFUSED = {
    "series": (lambda: forecast(GRAPH, SERIES[:, np.newaxis]), r"`series` has shape \(600, 1\): must be \(T,\)"),
    "outputs": (lambda: forecast(MODEL.cell, SERIES), "the machine has 4 outputs: must have one, the forecast"),
    "nothing": (lambda: roll_out(GRAPH, [], steps=1), "`series` is empty: must have the steps that the machine reads"),
    "flat": (lambda: relative_error([0.0], [1.0]), "`actual` does not vary: its standard deviation must be above 0"),
    "program": (
        lambda: forecast_in_verilog(lower_to_integers(MODEL.cell.graph(), words(16, 12)), SERIES),
        "`program`: must have one input and one output, of one element each",
    ),
    "warm-up": (
        lambda: find_anomalies(GRAPH, SERIES, limit=0.1, warm_up=600),
        "`warm_up` = 600: must be a whole number from 1 to 599",
    ),
    "word": (lambda: Expression("nor"), "`Expression.word` = 'nor': must be one of false, true, not, and, or, xor"),
    "parts": (lambda: Expression("not"), "`Expression` 'not' has 0 parts: must have 1"),
    "text": (lambda: parse_expression("(true and)"), r"`text` = '\(true and\)': at '\)' must be true, false or \("),
    "open": (lambda: parse_expression("(not true"), r"`text` = '\(not true': a \) is missing"),
    "bare": (lambda: parse_expression("true and true"), "`text` = 'true and true': ends at 'and'; put parentheses"),
}


@pytest.mark.parametrize(("call", "message"), REFUSED.values(), ids=REFUSED)
def test_what_makes_no_sense_is_refused(call: object, message: str) -> None:
    with pytest.raises(hh.InputError, match=f"^{message}"):
        call()  # type: ignore[operator]


@pytest.mark.usefixtures("ngspice")
@pytest.mark.parametrize("volts", [1.0, 2.5])
def test_a_circuit_forecasts_as_the_cell_does(volts: float) -> None:
    graph = replace(GRAPH, units=hh.Units(volts_per_unit=volts, seconds_per_unit=1e-3))
    found = forecast_in_circuit(graph, SERIES[:12], cell="active_rc")
    expected = forecast(GRAPH, SERIES[:12])
    # Op-amps with a gain of 1e6 leave some parts in 1e5.
    assert np.max(np.abs(found - expected)) < 1e-4 * np.ptp(expected)


def test_a_circuit_forecasts_from_a_series_and_a_clocked_graph() -> None:
    for graph, series, message in (
        (GRAPH, [], "`series` is empty: must have at least one value"),
        (
            hh.Network(weights=[[0.0]], resistance=1e4, capacitance=1e-7).graph(),
            [0.0],
            "the graph is of kind 'ode': a forecast takes a map, whose states are Holds alone",
        ),
    ):
        with pytest.raises(hh.InputError) as refused:
            forecast_in_circuit(graph, series)
        assert str(refused.value) == message
