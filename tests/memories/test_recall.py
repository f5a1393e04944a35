"""Recall in one call: what each machine ends at, and where a machine is refused."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import hopfield_hw as hh
from hopfield_hw.families import dense_memory, discrete_hopfield, modern_hopfield
from hopfield_hw.memories import recall
from hopfield_hw.memories.recall import MACHINES
from hopfield_hw.problems.learning_rules import hebb
from hopfield_hw.problems.memory import Patterns, corrupt
from hopfield_hw.values.errors import InputError

PATTERNS = np.random.default_rng(0).choice([-1.0, 1.0], size=(3, 24))
START = corrupt(PATTERNS[1], 4, 5)


@pytest.mark.usefixtures("ngspice")
@pytest.mark.parametrize("rule", ["hebb", "storkey", "projection"])
def test_every_machine_recalls_the_pattern(rule: str) -> None:
    found = recall(rule, START, patterns=PATTERNS, machines=MACHINES)
    assert found.start.nearest == "1"
    assert found.start.distance == 4
    assert {name: (end.nearest, end.distance) for name, end in found.ends.items()} == dict.fromkeys(MACHINES, ("1", 0))
    assert found.agree
    assert str(found).splitlines()[0].split() == ["start", "4", "bits", "from", "1"]


def test_labels_of_patterns_and_a_network_of_ones_own() -> None:
    labelled = Patterns(labels=("a", "b", "c"), values=PATTERNS)
    net = hh.Network(weights=4e-4 * hebb(PATTERNS), resistance=1e3, capacitance=1e-7, gain=hh.Tanh(gain=10.0))
    found = recall(net, START, patterns=labelled, machines=("equation", "asynchronous"))
    assert {end.nearest for end in found.ends.values()} == {"b"}


@pytest.mark.usefixtures("ngspice")
@pytest.mark.parametrize("make", [dense_memory, modern_hopfield])
def test_dense_and_softmax_memories(make: Callable[..., hh.Graph]) -> None:
    found = recall(
        make(PATTERNS, initial=1.0),
        START,
        patterns=PATTERNS,
        machines=("equation", "circuit"),
        t_stop=8e-3,
        accuracy=1e-2,
    )
    assert found.agree
    assert found.ends["circuit"].nearest == "1"


def test_a_run_that_is_too_short_has_not_settled() -> None:
    found = recall("hebb", START, patterns=PATTERNS, machines=("equation",), t_stop=5e-5)
    assert not found.ends["equation"].settled
    assert not found.agree
    assert "not settled" in str(found)


def test_a_map_runs_in_integers() -> None:
    found = recall(discrete_hopfield(hebb(PATTERNS)), START, patterns=PATTERNS, machines=("integers",))
    assert found.ends["integers"].distance == 0


REFUSED: dict[str, tuple[Callable[[], Any], str]] = {
    "a machine": (
        lambda: recall("hebb", START, patterns=PATTERNS, machines=("equations",)),
        "machine 'equations' is unknown: must be one of equation, integers, circuit, asynchronous; did you mean "
        "'equation'?",
    ),
    "no machine": (
        lambda: recall("hebb", START, patterns=PATTERNS, machines=()),
        "`machines` = (): must name at least one of equation, integers, circuit, asynchronous, in a tuple",
    ),
    "a start": (
        lambda: recall("hebb", 0.5 * START, patterns=PATTERNS),
        f"`start` holds {0.5 * START[0]:g}: each must be +1 or -1",
    ),
    "another size": (
        lambda: recall("hebb", START[:5], patterns=PATTERNS),
        "`start` has shape (5,): must have shape (24,)",
    ),
    "a graph in integers": (
        lambda: recall(dense_memory(PATTERNS, initial=1.0), START, patterns=PATTERNS, machines=("integers",)),
        "recall: `integers` takes a rule, a Network, or a map (discrete=True); leave it out",
    ),
    "a graph neuron by neuron": (
        lambda: recall(dense_memory(PATTERNS, initial=1.0), START, patterns=PATTERNS, machines=("asynchronous",)),
        "recall: `asynchronous` takes a rule, or a Network; leave that machine out",
    ),
    "a network of another size": (
        lambda: recall(hh.Network(weights=[[0.0]], resistance=1e3, capacitance=1e-7), START, patterns=PATTERNS),
        "`memory` has 1 neurons: must have 24, as `start` has",
    ),
}


@pytest.mark.parametrize(("make", "message"), REFUSED.values(), ids=REFUSED)
def test_refused(make: Callable[[], Any], message: str) -> None:
    with pytest.raises(InputError) as caught:
        make()
    assert str(caught.value) == message


def test_one_machine_agrees_with_none() -> None:
    patterns = np.sign(np.random.default_rng(3).normal(size=(2, 12)))
    one = recall("hebb", patterns[0], patterns=patterns, machines=("asynchronous",))
    assert one.ends["asynchronous"].settled
    assert not one.agree
    both = recall("hebb", patterns[0], patterns=patterns, machines=("asynchronous", "equation"))
    assert both.agree
