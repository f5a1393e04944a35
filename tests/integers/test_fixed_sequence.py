"""Fixed point over whole sequences, in machine code, against single steps and plain integers: not a bit differs."""

from __future__ import annotations

import sys
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from oracles.fixed import Oracle
from random_maps import random_map
from test_fixed_cells import INDICES, OVERFLOWS, ROUNDINGS, drawn

from hopfield_hw import integers
from hopfield_hw.equations.sequences import run_sequence, run_steps
from hopfield_hw.graph import Graph
from hopfield_hw.integers import machine as fixed
from hopfield_hw.integers.fixed_point import QFormat
from hopfield_hw.integers.lowering import FixedPoint, lower_to_integers
from hopfield_hw.integers.machine import FixedMachine, fixed_point_report
from hopfield_hw.recurrent import LSTM

pytest.importorskip("numba", reason="numba is not installed; pip install numba")
from hopfield_hw.integers import kernels as fixed_kernels
from hopfield_hw.integers import sequences as fixed_sequence


def assert_not_a_bit_differs(
    graph: Graph, formats: FixedPoint, rng: np.random.Generator, batch: int, scale: float = 2.0
) -> FixedMachine:
    machine = FixedMachine(lower_to_integers(graph, formats))
    compiled = fixed_sequence.Unrolled(machine.program)
    steps = 15
    u = scale * rng.normal(size=(steps, batch, machine.input_size))
    u.flat[::7] = np.rint(u.flat[::7] * 64.0) / 64.0  # some halfway between two numbers of a format
    h = machine.initial + rng.normal(size=(batch, machine.initial.size))
    running = np.arange(steps)[:, np.newaxis] < rng.integers(0, steps + 1, size=batch)
    for mask, reverse in ((None, False), (running, True)):
        found, last = compiled.run(h, u, mask, reverse=reverse)
        expected, last_expected = run_steps(machine, h, u, mask, reverse=reverse)
        where = np.ones((steps, batch), dtype=bool) if mask is None else mask
        np.testing.assert_array_equal(found[where], expected[where])
        stepped = where.any(axis=0)  # the other states were never brought to their format by single steps
        np.testing.assert_array_equal(last[stepped], last_expected[stepped])
    return machine


@pytest.mark.parametrize("seed", range(36))
def test_random_cells(seed: int, rng: np.random.Generator) -> None:
    assert_not_a_bit_differs(*drawn(seed), rng, batch=(1, 3, 6)[seed % 3])


def formats_of(seed: int, rng: np.random.Generator) -> FixedPoint:
    """Short and long words, and every way to round, to limit and to read a table."""
    word = int(rng.choice([6, 10, 16, 20]))
    rounding, overflow = ROUNDINGS[seed % 4], OVERFLOWS[seed % 3 == 0]
    signals = QFormat(word=word, fraction=word - 4, rounding=rounding, overflow=overflow)  # type: ignore[arg-type]
    weights = QFormat(word=int(rng.choice([6, 12, 18])), fraction=int(rng.integers(-1, 9)), rounding=rounding)  # type: ignore[arg-type]
    given = None if seed % 2 else QFormat(word=word, fraction=word - 2, rounding=ROUNDINGS[seed // 4 % 4])  # type: ignore[arg-type]
    return FixedPoint(
        signals=signals,
        weights=weights,
        activations=given,
        address_bits=int(rng.integers(1, 7)),
        range_bits=int(rng.integers(0, 4)),
        index=INDICES[seed // 2 % 3],  # type: ignore[arg-type]
        formats={"s0": replace(signals, word=word + 3), "o1": replace(signals, fraction=word - 6)},
    )


@pytest.mark.parametrize("seed", range(100))
def test_random_maps(seed: int) -> None:
    rng = np.random.default_rng([11, seed])
    graph, formats = random_map(rng, jumps=True), formats_of(seed, rng)
    machine = assert_not_a_bit_differs(graph, formats, rng, batch=(1, 2, 5)[seed % 3])
    oracle = Oracle(graph, formats)
    registers = {name: raw[np.newaxis] for name, raw in machine.program.initial.items()}
    for _ in range(6):
        inputs = {
            step.name: rng.integers(formats.signals.lowest, formats.signals.highest, size=step.size)
            for step in machine.program.of_kind("input")
        }
        given = {name: raw[np.newaxis] for name, raw in inputs.items()}
        registers, outputs = machine.step_raw({**registers, **given})
        plain = oracle.step({name: raw.tolist() for name, raw in inputs.items()})
        assert {name: np.asarray(raw)[0].tolist() for name, raw in outputs.items()} == plain


@pytest.mark.parametrize(
    ("signals", "weights", "kind"),
    [
        (QFormat(word=16, fraction=12), QFormat(word=12, fraction=8), fixed_kernels.PRODUCT16),
        (QFormat(word=16, fraction=12), QFormat(word=16, fraction=12), fixed_kernels.PRODUCT53),
        (QFormat(word=24, fraction=18), QFormat(word=16, fraction=12), fixed_kernels.PRODUCT53),
        (QFormat(word=28, fraction=24), QFormat(word=26, fraction=20), fixed_kernels.PRODUCT64),
    ],
)
@pytest.mark.parametrize("batch", [1, 4, 67])
def test_every_product(signals: QFormat, weights: QFormat, kind: int, batch: int, rng: np.random.Generator) -> None:
    """Sizes that fill no vector, and numbers up to the ends of their words."""
    size = 13
    w, r, b = (rng.uniform(-7.0, 7.0, size=shape) for shape in ((4 * size, 21), (4 * size, size), 8 * size))
    graph = LSTM(input_weights=w, recurrent_weights=r, bias=b).graph()
    formats = FixedPoint(signals=signals, weights=weights)
    assert_not_a_bit_differs(graph, formats, rng, batch, scale=20.0)
    plan = fixed_sequence.Unrolled(lower_to_integers(graph, formats))
    products = [(len(steps), row[fixed_kernels.KIND]) for steps, row in (*plan.ahead, *plan.during) if len(steps) > 1]
    assert products == [(4, kind), (4, kind)]


def test_long_runs_are_compiled_and_counted_ones_are_not(
    rng: np.random.Generator, monkeypatch: pytest.MonkeyPatch
) -> None:
    graph, formats = drawn(0)
    called = []
    monkeypatch.setattr(fixed_sequence.Unrolled, "run", lambda self, h, u, running, reverse: called.append(len(u)))
    machine = FixedMachine(lower_to_integers(graph, formats))
    machine.run(np.zeros((2, 8)), np.zeros((fixed.LONG // 2, 2, 2)))
    run_sequence(machine, np.zeros((fixed.LONG - 1, 1, 2)))
    fixed_point_report(graph, formats, np.zeros((fixed.LONG, 1, 2)))
    assert called == [fixed.LONG // 2]


def test_without_numba_the_plain_way_is_taken(rng: np.random.Generator, monkeypatch: pytest.MonkeyPatch) -> None:
    graph, formats = drawn(0)
    x = rng.normal(size=(fixed.LONG, 1, 2))
    compiled = run_sequence(FixedMachine(lower_to_integers(graph, formats)), x)
    for name in ("sequences", "kernels"):
        monkeypatch.delitem(sys.modules, f"hopfield_hw.integers.{name}")
        monkeypatch.delattr(integers, name)
    monkeypatch.setitem(sys.modules, "numba", None)
    machine: Any = FixedMachine(lower_to_integers(graph, formats))
    np.testing.assert_array_equal(run_sequence(machine, x).outputs, compiled.outputs)
    assert machine._unrolled is None
