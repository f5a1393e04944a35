"""A sequence of patterns: the order in which the equation and the circuit step through it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from scipy.linalg import hadamard

import hopfield_hw as hh
from hopfield_hw.graph import Affine, Delay
from hopfield_hw.problems import build_problem, sequence_memory, visited_patterns
from hopfield_hw.values.errors import InputError

# Four patterns at right angles to each other.
PATTERNS = hadamard(8)[[1, 2, 4, 7]].astype(np.float64)


@pytest.mark.usefixtures("ngspice")
def test_equation_and_circuit_step_through_four_patterns() -> None:
    graph = sequence_memory(PATTERNS, tau=5.0)
    assert graph.kind == "dde"
    wave = hh.reference(graph, t_stop=23e-3, points=261, accuracy=1e-3)
    assert visited_patterns(wave.output.to_numpy(), PATTERNS) == (0, 1, 2, 3, 0)
    circuit = hh.simulate(graph, t_stop=23e-3, points=261, accuracy=1e-3)
    assert visited_patterns(circuit.output.to_numpy(), PATTERNS) == (0, 1, 2, 3, 0)
    np.testing.assert_allclose(circuit.state, wave.state, atol=5e-3)


def test_what_holds_a_pattern_is_not_late_and_what_leads_on_is() -> None:
    graph = sequence_memory(PATTERNS, tau=5.0)
    drivers = {
        op.name: {by.name for by in graph.drivers(op)} for op in graph.of_type(Affine) if np.any(op.weights.matrix)
    }
    assert set(map(frozenset, drivers.values())) == {frozenset({"v"}), frozenset({"v_late_0"})}
    (late,) = graph.of_type(Delay)
    assert late.tau == 5.0


def test_a_pattern_stays_for_the_delay_and_the_way_of_a_few_time_constants() -> None:
    wave = hh.reference(sequence_memory(PATTERNS, tau=10.0), t_stop=40e-3, points=4001, accuracy=1e-3)
    there = np.argmax(wave.output.to_numpy() @ PATTERNS.T, axis=1)
    changes = wave.time.to_numpy()[1:][np.diff(there) != 0]
    assert np.all(np.abs(np.diff(changes) - 10e-3) < 1e-3)


def test_overlapping_patterns_need_the_projection_and_an_open_sequence_ends() -> None:
    patterns = np.random.default_rng(0).choice([-1.0, 1.0], size=(4, 12))
    patterns[2] = patterns[1] * np.where(np.arange(12) < 2, -1.0, 1.0)  # two bits apart
    graph = sequence_memory(patterns, tau=5.0, stay=0.9, cyclic=False, rule="projection")
    wave = hh.reference(graph, t_stop=30e-3, points=301, accuracy=1e-2)
    assert visited_patterns(wave.output.to_numpy(), patterns, overlap=0.95) == (0, 1, 2, 3)


def test_a_design_names_it() -> None:
    graph = build_problem("sequence_memory", {"patterns": PATTERNS.tolist(), "stay": 0.0})
    assert {operator.name for operator in graph.operators} >= {"x", "v"}


def test_visited_patterns_are_named_once_while_they_stay() -> None:
    outputs = np.array([PATTERNS[k] if k >= 0 else np.zeros(8) for k in (0, 0, -1, 0, 2, 2, -1, 1)])
    assert visited_patterns(outputs, PATTERNS) == (0, 2, 1)


REFUSED: dict[str, tuple[Callable[[], Any], str]] = {
    "one pattern": (
        lambda: sequence_memory(PATTERNS[:1]),
        "`patterns` has one row: a sequence has at least two patterns",
    ),
    "no step": (
        lambda: sequence_memory(PATTERNS, stay=1.0),
        "`stay` = 1: must be from 0 to below `step`, 1, or no pattern is ever left",
    ),
    "tau": (lambda: sequence_memory(PATTERNS, tau=0.0), "`tau = 0.0 units of time`: must be positive"),
}


@pytest.mark.parametrize(("make", "message"), REFUSED.values(), ids=REFUSED)
def test_refused(make: Callable[[], Any], message: str) -> None:
    with pytest.raises(InputError) as caught:
        make()
    assert str(caught.value) == message
