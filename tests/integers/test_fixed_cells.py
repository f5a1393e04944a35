"""Cells in fixed point: vectorised, in plain integers, and as Verilog, bit for bit; and what the bits cost."""

from __future__ import annotations

import shutil
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from oracles.fixed import Oracle
from random_maps import random_map

from hopfield_hw.equations.sequences import run_sequence
from hopfield_hw.families import discrete_hopfield
from hopfield_hw.functions import Clip, Polynomial, Softmax, Tanh
from hopfield_hw.graph import Activate, Affine, Clock, Edge, Graph, Hold, Input, Output, Quantise
from hopfield_hw.integers.fixed_point import Integers, QFormat
from hopfield_hw.integers.icarus import simulate_verilog
from hopfield_hw.integers.lowering import FixedPoint, IntegerProgram, lower_to_integers
from hopfield_hw.integers.machine import FixedMachine, fixed_point_report, narrowest, shorten_words
from hopfield_hw.integers.tools import lint, run_tool, synthesise
from hopfield_hw.integers.verilog import write_verilog
from hopfield_hw.networks.network import Network
from hopfield_hw.recurrent import GRU, LSTM, RNN, RecurrentCell
from hopfield_hw.transforms import discretise
from hopfield_hw.values.errors import InputError, SimulatorCrash, SimulatorMissing, SimulatorTimeout, Unrealisable

ROUNDINGS = ("nearest_even", "nearest_up", "floor", "toward_zero")
OVERFLOWS = ("saturate", "wrap")
INDICES = ("floor", "nearest", "interpolate")


def cell(kind: type[RecurrentCell], rng: np.random.Generator, size: int = 4, **options: Any) -> RecurrentCell:
    rows = len(kind.gates) * size
    arrays = (rng.normal(size=s) for s in ((rows, 2), (rows, size), 2 * rows))
    w, r, b = arrays
    if kind is LSTM:
        options.setdefault("peepholes", rng.normal(size=3 * size))
    return kind(input_weights=w, recurrent_weights=r, bias=0.5 * b, **options)


def drawn(seed: int) -> tuple[Graph, FixedPoint]:
    """A random cell and random formats, short enough to saturate and to wrap."""
    rng = np.random.default_rng([2003, seed])
    kind = (LSTM, GRU, RNN)[seed % 3]
    options: dict[str, Any] = {"clip": 1.5} if seed % 5 == 0 else {}
    if kind is GRU:
        options["linear_before_reset"] = bool(rng.integers(2))
    if kind is RNN and seed % 2:
        options["activations"] = (Clip(lower=0.0, upper=np.inf),)
    rounding, overflow = ROUNDINGS[seed % 4], OVERFLOWS[seed % 7 == 0]
    word = int(rng.integers(6, 17))
    signals = QFormat(word=word, fraction=word - 3, rounding=rounding, overflow=overflow)  # type: ignore[arg-type]
    formats = FixedPoint(
        signals=signals,
        weights=QFormat(word=int(rng.integers(5, 13)), fraction=int(rng.integers(2, 9)), rounding=rounding),  # type: ignore[arg-type]
        activations=None if seed % 2 else QFormat(word=word, fraction=word - 2),
        address_bits=int(rng.integers(3, 9)),
        range_bits=int(rng.integers(1, 4)),
        index=INDICES[seed // 3 % 3],  # type: ignore[arg-type]
        formats={"h": replace(signals, word=word + 2, fraction=word - 1)},
    )
    return cell(kind, rng, **options).graph(), formats


def vectorised(program: IntegerProgram, x: Integers) -> Integers:
    """Outputs (T, B, n) of inputs (T, B, m), raw."""
    machine = FixedMachine(program)
    batch = x.shape[1]
    registers = {name: np.broadcast_to(raw, (batch, raw.size)) for name, raw in program.initial.items()}
    found = []
    for u in x:
        registers, outputs = machine.step_raw({**registers, "x": u})
        found.append(outputs["y"])
    return np.stack(found)


def raw_inputs(formats: FixedPoint, shape: tuple[int, ...], rng: np.random.Generator) -> Integers:
    kept = formats.of("x")
    return rng.integers(kept.lowest // 2, kept.highest // 2, size=shape)


@pytest.mark.parametrize("seed", range(36))
def test_the_vectorised_form_is_that_of_plain_integers(seed: int, rng: np.random.Generator) -> None:
    graph, formats = drawn(seed)
    x = raw_inputs(formats, (25, 3, 2), rng)
    found = vectorised(lower_to_integers(graph, formats), x)
    for b in range(3):
        oracle = Oracle(graph, formats)
        assert [oracle.step({"x": u})["y"] for u in x[:, b].tolist()] == found[:, b].tolist()


@pytest.mark.usefixtures("iverilog")
@pytest.mark.parametrize("seed", range(36))
def test_verilog_is_the_vectorised_form_stalled_or_not(seed: int, rng: np.random.Generator) -> None:
    graph, formats = drawn(seed)
    program = lower_to_integers(graph, formats)
    x = raw_inputs(formats, (60, 1, 2), rng)
    found = simulate_verilog(program, {"x": x[:, 0]}, stalls=seed % 2 == 0)
    np.testing.assert_array_equal(found["y"], vectorised(program, x)[:, 0])


@pytest.mark.usefixtures("iverilog")
def test_a_wrong_bit_is_seen(rng: np.random.Generator, monkeypatch: pytest.MonkeyPatch) -> None:
    """Rounding that is off in the Verilog alone, by no more than the last bit."""
    graph, formats = drawn(0)
    program = lower_to_integers(graph, formats)
    x = raw_inputs(formats, (60, 1, 2), rng)
    text = write_verilog(program)
    assert " || q[" in text
    monkeypatch.setattr("hopfield_hw.integers.icarus.write_verilog", lambda program: text.replace(" || q[", " && q["))
    assert np.any(simulate_verilog(program, {"x": x[:, 0]})["y"] != vectorised(program, x)[:, 0])


def test_verilog_is_the_same_every_time(rng: np.random.Generator) -> None:
    graph, formats = drawn(2)
    texts = {write_verilog(lower_to_integers(graph, formats)) for _ in range(2)}
    assert len(texts) == 1
    (text,) = texts
    assert text.startswith(f"// graph sha256 {graph.hash}\nmodule recurrent_cell (\n")


@pytest.mark.skipif(shutil.which("verilator") is None, reason="verilator is not installed; apt-get install verilator")
@pytest.mark.parametrize("seed", range(0, 36, 3))
def test_verilator_has_no_warning(seed: int) -> None:
    lint(lower_to_integers(*drawn(seed)))


@pytest.mark.skipif(shutil.which("verilator") is None, reason="verilator is not installed; apt-get install verilator")
def test_verilator_has_no_warning_of_signs_and_converters() -> None:
    lint(lower_to_integers(converter(9), PLAIN))
    lint(lower_to_integers(discrete_hopfield(np.array([[0.0, 1.0], [1.0, 0.0]])), PLAIN))


@pytest.mark.skipif(shutil.which("yosys") is None, reason="yosys is not installed; apt-get install yosys")
def test_yosys_counts_the_registers() -> None:
    """One weight of 1 from the input: a register of 6 bits, its output's 6 bits, and one that says valid."""
    graph = accumulator_of([[1.0]])
    found = synthesise(
        lower_to_integers(graph, FixedPoint(signals=QFormat(word=6, fraction=2), weights=QFormat(word=4, fraction=2)))
    )
    assert found.registers == 13
    assert found.cells > 13
    assert (found.memories, found.memory_bits) == (0, 0)


def accumulator_of(weights: Any) -> Graph:
    """x' = x + W u."""
    size = len(weights)
    operators = (
        Input(name="u", size=len(weights[0])),
        Hold(name="x", clock=Clock(period=1.0), initial=np.zeros(size)),
        Affine(name="w", weights=weights),
        Output(name="y", size=size),
    )
    return Graph(operators=operators, edges=(Edge("u", "w"), Edge("w", "x"), Edge("x", "x"), Edge("x", "y")))


# What it costs


def test_long_words_are_as_good_as_floating_point(rng: np.random.Generator) -> None:
    graph, x = cell(LSTM, rng, size=8).graph(), rng.normal(size=(50, 4, 2))
    formats = FixedPoint(
        signals=QFormat(word=28, fraction=20), weights=QFormat(word=24, fraction=20), address_bits=16, range_bits=5
    )
    report = fixed_point_report(graph, formats, x)
    assert report.sqnr > 100.0
    assert all(count.saturated == 0 for count in report.counts.values())
    assert str(report).splitlines()[0].split() == ["SQNR", f"{report.sqnr:.1f}", "dB"]


def test_index_and_rounding_of_tables_matter_more_than_the_word(rng: np.random.Generator) -> None:
    """A truncated table read at its floor costs tens of dB against an interpolated one of as many entries."""
    graph, x = cell(LSTM, rng, size=8, peepholes=None).graph(), rng.normal(size=(100, 4, 2))
    base = FixedPoint(signals=QFormat(word=16, fraction=12), weights=QFormat(word=16, fraction=12), address_bits=8)
    found = {index: fixed_point_report(graph, replace(base, index=index), x).sqnr for index in INDICES}  # type: ignore[arg-type]
    assert found["interpolate"] > found["nearest"] + 6.0 > found["floor"] + 6.0
    floored = replace(base.signals, rounding="floor")
    assert fixed_point_report(graph, replace(base, signals=floored), x).sqnr < found["interpolate"]


def test_saturation_is_counted(rng: np.random.Generator) -> None:
    graph = accumulator_of([[1.0]])
    formats = FixedPoint(signals=QFormat(word=6, fraction=2), weights=QFormat(word=4, fraction=2))
    report = fixed_point_report(graph, formats, np.full((20, 3, 1), 1.0))
    # x = 0, 1, 2, ...; from 8 on the word of 7.75 is full: x takes 8 and more at steps 7 to 19, in 3 sequences.
    assert report.counts["x"].saturated == 3 * 13
    assert report.counts["x"].highest == 8.75
    assert report.counts["w"].saturated == 0
    assert report.worst == 19.0 - 7.75


def test_the_narrowest_format_reaches_the_goal_and_one_bit_less_does_not(rng: np.random.Generator) -> None:
    graph, x = cell(GRU, rng, size=6).graph(), rng.normal(size=(60, 3, 2))
    formats = FixedPoint(signals=QFormat(word=24, fraction=20), weights=QFormat(word=20, fraction=16), address_bits=12)
    report = narrowest(graph, formats, x, sqnr_goal=40.0)
    assert report.sqnr >= 40.0
    assert report.formats.signals.word < 24
    assert fixed_point_report(graph, shorten_words(report.formats, 1), x).sqnr < 40.0
    with pytest.raises(InputError, match=r"^`sqnr_goal` = 400 dB: Q\(24,20\) nearest_even saturate reaches "):
        narrowest(graph, formats, x, sqnr_goal=400.0)


def test_a_fixed_machine_runs_ragged_sequences_as_a_floating_one(rng: np.random.Generator) -> None:
    graph, x = cell(LSTM, rng).graph(), rng.normal(size=(9, 3, 2))
    formats = FixedPoint(signals=QFormat(word=28, fraction=22), weights=QFormat(word=20, fraction=16), address_bits=14)
    options: dict[str, Any] = {"lengths": [9, 4, 0], "initial": {"h": 0.25, "c": -0.5}, "reverse": True}
    fixed = run_sequence(FixedMachine(lower_to_integers(graph, formats)), x, **options)
    floating = run_sequence(graph, x, **options)
    np.testing.assert_allclose(fixed.outputs, floating.outputs, atol=1e-4)
    np.testing.assert_allclose(fixed.states["c"], floating.states["c"], atol=1e-4)


def test_a_stepped_network_in_fixed_point(rng: np.random.Generator) -> None:
    net = Network.dimensionless(rng.normal(size=(5, 5)), gain=Tanh(gain=2.0), initial=rng.uniform(-1, 1, 5), volts=1.0)
    graph = discretise(net, step=0.05)
    formats = FixedPoint(signals=QFormat(word=24, fraction=18), weights=QFormat(word=24, fraction=22), address_bits=12)
    fixed = run_sequence(FixedMachine(lower_to_integers(graph, formats)), np.zeros((100, 1, 0)))
    np.testing.assert_allclose(fixed.outputs, run_sequence(graph, np.zeros((100, 1, 0))).outputs, atol=1e-3)


# What is refused


def one(function: Any, size: int = 2) -> Graph:
    operators = (
        Hold(name="x", clock=Clock(period=1.0), initial=np.zeros(size)),
        Activate(name="f", size=size, function=function),
        Output(name="y", size=size),
    )
    return Graph(operators=operators, edges=(Edge("x", "f"), Edge("f", "x"), Edge("x", "y")))


PLAIN = FixedPoint(signals=QFormat(word=12, fraction=8), weights=QFormat(word=12, fraction=8))
WIDE = FixedPoint(signals=QFormat(word=32, fraction=8), weights=QFormat(word=32, fraction=8))


def renamed(name: str) -> IntegerProgram:
    operators = (
        Hold(name="x", clock=Clock(period=1.0), initial=np.zeros(1)),
        Activate(name="f", size=1, function=Tanh()),
        Output(name=name, size=1),
    )
    return lower_to_integers(Graph(operators=operators, edges=(Edge("x", "f"), Edge("f", "x"), Edge("x", name))), PLAIN)


REFUSED = {
    "not a map": (
        lambda: lower_to_integers(Network(weights=[[0.0]], resistance=1.0, capacitance=1.0).graph(), PLAIN),
        "the graph is of kind 'ode': fixed point needs a map, whose states are Holds alone",
    ),
    "a name": (
        lambda: lower_to_integers(one(Tanh()), replace(PLAIN, formats={"g": PLAIN.signals})),
        "`formats` names 'g': must be one of x, f, y",
    ),
    "a long accumulator": (
        lambda: lower_to_integers(accumulator_of([[1.0]]), replace(WIDE, weights=QFormat(word=32, fraction=31))),
        "operator 'w': needs an accumulator of 63 bits, above 62; take shorter words",
    ),
    "softmax": (
        lambda: lower_to_integers(one(Softmax()), PLAIN),
        "Activate 'f': its function has parameters by element; fixed point has one table for all",
    ),
    "parameters by element": (
        lambda: lower_to_integers(one(Tanh(gain=np.array([1.0, 2.0]))), PLAIN),
        "Activate 'f': its function has parameters by element; fixed point has one table for all",
    ),
    "a keyword": (
        lambda: write_verilog(renamed("table")),
        "'table': is reserved in Verilog, or there twice in the module; rename the operator",
    ),
    "a port of the handshake": (
        lambda: write_verilog(renamed("clk")),
        "'clk': is reserved in Verilog, or there twice in the module; rename the operator",
    ),
    "a name that injects": (
        lambda: write_verilog(renamed("y"), "a; endmodule"),
        "`name` = 'a; endmodule': must be a letter, then letters, digits and underscores, at most 64 characters; "
        "rename it",
    ),
    "no inputs": (
        lambda: simulate_verilog(lower_to_integers(one(Tanh()), PLAIN), {}),
        "the program has no input, so nothing says for how many steps to run it; give it one",
    ),
    "inputs": (
        lambda: simulate_verilog(lower_to_integers(accumulator_of([[1.0]]), PLAIN), {"x": [[0]]}),
        "`inputs` has ['x']: must have ['u']",
    ),
}


@pytest.mark.parametrize(("act", "message"), REFUSED.values(), ids=REFUSED)
def test_wrong_input_is_refused(act: Any, message: str) -> None:
    with pytest.raises(InputError) as refused:
        act()
    assert str(refused.value) == message


def converter(levels: int, lower: float = -0.9, upper: float = 0.7) -> Graph:
    operators = (
        Input(name="u", size=1),
        Hold(name="x", clock=Clock(period=1.0), initial=np.zeros(1)),
        Quantise(name="q", size=1, levels=levels, lower=lower, upper=upper),
        Output(name="y", size=1),
    )
    return Graph(operators=operators, edges=(Edge("u", "q"), Edge("q", "x"), Edge("q", "y")))


@pytest.mark.parametrize("levels", [2, 3, 8, 1001])
def test_a_converter_takes_the_level_that_floating_point_takes(levels: int) -> None:
    """Every number of the format, against `Quantise.value`; ties, which are exact here, go to the even level."""
    graph = converter(levels, -1.0, 1.0)
    kept = QFormat(word=10, fraction=8)
    formats = FixedPoint(signals=kept, weights=kept, activations=QFormat(word=30, fraction=24))
    raw = np.arange(kept.lowest, kept.highest + 1)[:, np.newaxis]
    _, found = FixedMachine(lower_to_integers(graph, formats)).step_raw({"u": raw, "x": np.zeros((raw.size, 1), int)})
    (quantise,) = graph.of_type(Quantise)
    expected = QFormat(word=10, fraction=8).quantise(quantise.value(kept.value(raw)))
    np.testing.assert_array_equal(found["y"], expected)


def test_too_many_levels_are_refused_by_name() -> None:
    kept = QFormat(word=16, fraction=14)
    with pytest.raises(Unrealisable, match=r"^Quantise 'q': has 65536 levels in the reach of Q\(16,14\) nearest_even "):
        lower_to_integers(converter(1 << 16, -2.0, 2.0), FixedPoint(signals=kept, weights=kept))


def test_a_discrete_network_in_fixed_point(rng: np.random.Generator) -> None:
    """Signs as in floating point; 32 bits hold also the small sum by which a neuron without drive keeps its state."""
    patterns = rng.choice([-1.0, 1.0], size=(3, 12))
    weights = patterns.T @ patterns / 4.0
    np.fill_diagonal(weights, 0.0)
    graph = discrete_hopfield(weights, initial=rng.choice([-1.0, 1.0], size=12))
    long = QFormat(word=32, fraction=30)
    formats = FixedPoint(signals=QFormat(word=4, fraction=1), weights=long, formats={"v": long})
    empty = np.zeros((8, 1, 0))
    fixed = run_sequence(FixedMachine(lower_to_integers(graph, formats)), empty).outputs
    np.testing.assert_array_equal(fixed, run_sequence(graph, empty).outputs)


@pytest.mark.usefixtures("iverilog")
@pytest.mark.parametrize("seed", range(12))
def test_maps_with_signs_and_converters_in_verilog(seed: int) -> None:
    rng = np.random.default_rng([13, seed])
    graph = random_map(rng, jumps=True)
    signals = QFormat(word=9, fraction=6, rounding=ROUNDINGS[seed % 4])  # type: ignore[arg-type]
    formats = FixedPoint(signals=signals, weights=QFormat(word=8, fraction=5), address_bits=5, index=INDICES[seed % 3])  # type: ignore[arg-type]
    program, machine = lower_to_integers(graph, formats), FixedMachine(lower_to_integers(graph, formats))
    x = {s.name: rng.integers(signals.lowest, signals.highest, size=(40, s.size)) for s in program.of_kind("input")}
    registers = {name: raw[np.newaxis] for name, raw in program.initial.items()}
    found = simulate_verilog(program, x)
    for k in range(40):
        registers, outputs = machine.step_raw({**registers, **{name: raw[k : k + 1] for name, raw in x.items()}})
        for name, raw in outputs.items():
            np.testing.assert_array_equal(found[name][k], np.asarray(raw)[0])


def test_a_polynomial_is_tabulated(rng: np.random.Generator) -> None:
    graph = one(Polynomial(coefficients=np.array([0.1, 0.5, -0.25])))
    formats = replace(PLAIN, signals=QFormat(word=20, fraction=16), address_bits=12)
    fixed = run_sequence(FixedMachine(lower_to_integers(graph, formats)), np.zeros((20, 1, 0))).outputs
    np.testing.assert_allclose(fixed, run_sequence(graph, np.zeros((20, 1, 0))).outputs, atol=1e-4)


def test_without_the_tools_the_remedy_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    program = lower_to_integers(accumulator_of([[1.0]]), PLAIN)
    for tool, act in (
        ("iverilog", lambda: simulate_verilog(program, {"u": [[0]]})),
        ("verilator", lambda: lint(program)),
        ("yosys", lambda: synthesise(program)),
    ):
        with pytest.raises(
            SimulatorMissing, match=rf"^{tool}: found none on PATH; install it: `apt-get install {tool}`"
        ):
            act()


def test_a_tool_that_fails_or_hangs_is_named(tmp_path: Any) -> None:
    with pytest.raises(SimulatorCrash, match=r"^sh: ended with status 3: it broke$"):
        run_tool(["/bin/sh", "-c", "echo it broke >&2; exit 3"], tmp_path, 10.0)
    with pytest.raises(SimulatorTimeout, match=r"^sh: did not finish in 0\.1 s and was stopped"):
        run_tool(["/bin/sh", "-c", "exec sleep 10"], tmp_path, 0.1)
