"""Constants in fixed point: those of a cell's equations are exact in any format, and weights that clip are named."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hopfield_hw.cli import run
from hopfield_hw.equations.sequences import run_sequence
from hopfield_hw.families import discrete_hopfield
from hopfield_hw.formats import to_torch
from hopfield_hw.functions import HardLimiter
from hopfield_hw.graph import Activate, Affine, Clock, Edge, Graph, Hold, Input, Output, Quantise
from hopfield_hw.graph.text import parse_graph
from hopfield_hw.integers.fixed_point import QFormat
from hopfield_hw.integers.lowering import FixedPoint, lower_to_integers
from hopfield_hw.integers.machine import FixedMachine, fixed_point_report, narrowest, narrowest_for
from hopfield_hw.recurrent import GRU, LSTM, RNN, Layer
from hopfield_hw.values.errors import InputError, Unrealisable

SIGNALS = QFormat(word=16, fraction=11)


def q(word: int, fraction: int, **options: Any) -> QFormat:
    return QFormat(word=word, fraction=fraction, **options)


@pytest.mark.parametrize(
    "weights", [q(8, 8), q(5, 8), q(8, 7), q(8, -2), q(16, 20), q(4, -8), q(8, 8, overflow="wrap")]
)
@pytest.mark.parametrize("kind", ["GRU", "LSTM"])
def test_the_one_of_a_gate_is_exact_whatever_the_format_of_weights(kind: str, weights: QFormat) -> None:
    """With weights of 0 a gate is 1/2: a GRU keeps half of h, and an LSTM with coupled gates half of c."""
    rows = 3 if kind == "GRU" else 4
    zero = np.zeros((rows, 1))
    cell: Any = (
        GRU(input_weights=zero, recurrent_weights=zero)
        if kind == "GRU"
        else LSTM(input_weights=zero, recurrent_weights=zero, input_forget=True)
    )
    machine = FixedMachine(lower_to_integers(cell.graph(), FixedPoint(signals=SIGNALS, weights=weights)))
    state = "h" if kind == "GRU" else "c"
    states = run_sequence(machine, np.zeros((3, 1, 1)), initial={state: 1.0}).states
    assert states[state][0, 0] == 0.125
    step = next(s for s in machine.program.steps if s.name == ("new" if kind == "GRU" else "f"))
    assert step.payload.weights.tolist() == [[-(1 << max(0, step.fraction - SIGNALS.fraction))]]  # type: ignore[union-attr]
    assert step.payload.bias.tolist() == [1 << step.fraction]  # type: ignore[union-attr]


@pytest.mark.parametrize("signals", [q(8, -2), q(8, 8), q(8, 7), q(4, 0), q(16, -3)])
def test_the_one_is_exact_whatever_the_format_of_signals(signals: QFormat) -> None:
    graph = GRU(input_weights=np.zeros((3, 1)), recurrent_weights=np.zeros((3, 1))).graph()
    program = lower_to_integers(graph, FixedPoint(signals=signals, weights=q(8, 4), address_bits=1, range_bits=5))
    step = next(s for s in program.steps if s.name == "new")
    assert step.payload.bias.tolist() == [2**step.fraction]  # type: ignore[union-attr]
    assert step.payload.weights.tolist() == [[-(2 ** (step.fraction - signals.fraction))]]  # type: ignore[union-attr]


def map_of(weights: Any, *, bias: Any = None, exact: bool = False) -> Graph:
    operators = (
        Input(name="u", size=1),
        Affine(name="w", weights=weights, bias=bias, exact=exact),
        Hold(name="x", clock=Clock(period=1.0), initial=np.zeros(1)),
        Output(name="y", size=1),
    )
    return Graph(operators=operators, edges=(Edge("u", "w"), Edge("w", "x"), Edge("w", "y")))


def test_exact_numbers_that_no_word_holds_are_refused_by_name() -> None:
    formats = FixedPoint(signals=SIGNALS, weights=q(8, 4))
    assert (
        run_sequence(FixedMachine(lower_to_integers(map_of([[1.375]], exact=True), formats)), [[1.0]]).outputs == 1.375
    )
    for weights, bias in (([[0.1]], None), ([[1.0]], [0.1]), ([[2.0**40]], None)):
        with pytest.raises(Unrealisable, match=r"^Affine 'w': is exact, and no word of 32 bits holds its numbers "):
            lower_to_integers(map_of(weights, bias=bias, exact=True), formats)
    with pytest.raises(InputError, match=r"^`w.exact` = 1: must be true or false$"):
        map_of([[1.0]], exact=1)  # type: ignore[arg-type]


def test_an_exact_affine_is_in_the_text_of_its_graph() -> None:
    graph = GRU(input_weights=np.zeros((3, 1)), recurrent_weights=np.zeros((3, 1))).graph()
    assert parse_graph(graph.text).by_name["new"].params() == graph.by_name["new"].params()
    assert graph.by_name["new"].params()["exact"] is True
    assert "exact" not in graph.by_name["w_z"].params()


@pytest.mark.parametrize("rounding", ["nearest_even", "nearest_up", "floor", "toward_zero"])
@pytest.mark.parametrize("overflow", ["saturate", "wrap"])
def test_outside_is_what_quantise_changes_by_a_limit(rounding: Any, overflow: Any, rng: np.random.Generator) -> None:
    kept, wide = (q(word, 3, rounding=rounding, overflow=overflow) for word in (5, 20))
    ends = np.array([kept.lower, kept.upper])[:, np.newaxis] + np.arange(-16, 17) / 128.0
    for values in (ends, rng.uniform(-6.0, 6.0, 500), np.array([1e300, -1e300, 0.0, 1e-300])):
        expected = kept.quantise(values) != wide.quantise(np.clip(values, -1000.0, 1000.0))
        np.testing.assert_array_equal(kept.outside(values), expected)


@pytest.mark.parametrize("overflow", ["saturate", "wrap"])
def test_weights_that_a_format_clips_are_named(overflow: Any) -> None:
    cell = RNN(input_weights=[[3.0, 0.5], [-1.5, 0.25]], recurrent_weights=[[0.0, 0.5], [0.25, 0.0]])
    formats = FixedPoint(signals=SIGNALS, weights=q(8, 7, overflow=overflow))
    report = fixed_point_report(cell.graph(), formats, np.linspace(-1, 1, 50).reshape(25, 2))
    found = report.clipped["w_h"]
    assert list(report.clipped) == ["w_h"]
    assert (found.what, found.outside, found.total) == ("weights", 2, 4)
    assert found.worst == (3.0 - 127 / 128 if overflow == "saturate" else 4.0)
    assert ("w_h weights", f"2 of 4 outside {formats.weights}, the worst by {found.worst:.3g}") in report.rows()
    assert lower_to_integers(cell.graph(), FixedPoint(signals=SIGNALS, weights=q(8, 5))).clipped == {}


def test_other_constants_that_a_format_clips_are_named() -> None:
    limiter = discrete_hopfield(np.array([[0.0, 0.5], [0.5, 0.0]]))
    short = FixedPoint(signals=q(8, 9), weights=q(8, 6))
    assert {name: found.what for name, found in lower_to_integers(limiter, short).clipped.items()} == {
        "x": "initial",
        "v": "levels",
    }
    sigmoid = LSTM(input_weights=np.zeros((4, 1)), recurrent_weights=np.zeros((4, 1))).graph()
    formats = FixedPoint(signals=SIGNALS, weights=q(8, 6), activations=q(8, 8))
    assert lower_to_integers(sigmoid, formats).clipped["i"].what == "table"
    near = FixedPoint(signals=SIGNALS, weights=q(8, 6), activations=q(8, 7))  # 1 is a step beyond its end
    assert lower_to_integers(sigmoid, near).clipped == {}
    operators = (
        Input(name="u", size=1),
        Quantise(name="v", size=1, levels=7, lower=-3.0, upper=3.0),
        Activate(name="s", size=1, function=HardLimiter(amplitude=3.0)),
        Output(name="y", size=1),
    )
    graph = Graph(operators=operators, edges=(Edge("u", "v"), Edge("v", "s"), Edge("s", "y"), Edge("v", "y")))
    clipped = lower_to_integers(graph, FixedPoint(signals=q(8, 5), weights=q(8, 5), activations=q(8, 6))).clipped
    assert (clipped["v"].outside, clipped["v"].total) == (2, 7)  # -3 and 3; 2 is one step beyond the highest number
    assert (clipped["s"].outside, clipped["s"].worst) == (2, 3.0 - 127 / 64)


def test_inputs_and_initial_states_that_a_format_clips_are_counted() -> None:
    graph = RNN(input_weights=[[0.5]], recurrent_weights=[[0.5]]).graph()
    formats = FixedPoint(signals=q(8, 6), weights=q(8, 6))
    report = fixed_point_report(graph, formats, [[1.0], [5.0], [-3.0]], initial={"h": 4.0})
    assert (report.counts["x"].lowest, report.counts["x"].highest, report.counts["x"].saturated) == (-3.0, 5.0, 2)
    assert (report.counts["h"].highest, report.counts["h"].saturated) == (4.0, 1)


def test_the_shortest_words_say_what_they_clip() -> None:
    graph = RNN(input_weights=[[3.0]], recurrent_weights=[[0.25]]).graph()
    formats = FixedPoint(signals=q(16, 12), weights=q(16, 15))
    x = np.linspace(-1, 1, 20)[:, np.newaxis]
    assert list(narrowest(graph, formats, x, sqnr_goal=3.0).clipped) == ["w_h"]
    found = narrowest_for(graph, formats, lambda machine: float(machine.program.clipped["w_h"].outside != 1), goal=0.0)
    assert found.clipped["w_h"].format == found.formats.weights


def test_the_commands_say_what_is_clipped(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    cell = RNN(input_weights=[[3.0]], recurrent_weights=[[0.25]])
    np.savez(tmp_path / "w.npz", **to_torch(Layer(forward=cell)))
    np.savez(tmp_path / "x.npz", x=np.linspace(-1, 1, 20)[:, np.newaxis])
    words = ["--weight-word", "8", "--weight-fraction", "7"]
    said = "1 of 1 outside Q(8,7) nearest_even saturate, the worst by 2.01"
    report, modules = ["fixed", str(tmp_path / "w.npz"), str(tmp_path / "x.npz")], ["rtl", str(tmp_path / "w.npz")]
    for command in ([*report, *words], [*modules, "-o", str(tmp_path / "out"), "--no-tools", *words]):
        assert run(command) == 0
        assert said in capsys.readouterr().out
        assert run([*command, "--json"]) == 0
        (part,) = json.loads(capsys.readouterr().out)["parts"]
        clipped = part["clipped"]["w_h"]
        assert (clipped["what"], clipped["outside"], clipped["of"]) == ("weights", 1, 1)
        assert clipped["worst_error"] == 3.0 - 127 / 128


@pytest.mark.parametrize("count", [True, False])
def test_a_batch_of_no_sequence_in_fixed_point(count: bool) -> None:
    cell = LSTM(input_weights=np.ones((8, 3)), recurrent_weights=np.zeros((8, 2)))
    machine = FixedMachine(lower_to_integers(cell.graph(), FixedPoint(signals=SIGNALS, weights=q(8, 4))), count=count)
    for steps, batch in ((4, 0), (0, 4), (0, 0), (2000, 0)):
        found = run_sequence(machine, np.zeros((steps, batch, 3)))
        assert found.outputs.shape == (steps, batch, 2)
        assert {name: state.shape for name, state in found.states.items()} == {"h": (batch, 2), "c": (batch, 2)}
    assert not machine.counts
    assert fixed_point_report(cell.graph(), machine_formats(), np.zeros((4, 0, 3))).worst == 0.0


def machine_formats() -> FixedPoint:
    return FixedPoint(signals=SIGNALS, weights=q(8, 4))
