"""Recall curves: the table of a memory of 400 neurons, exact sums, one answer a seed, and bad input."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from hopfield_hw import run_asynchronous
from hopfield_hw.equations import MapProgram
from hopfield_hw.families import dense_memory, discrete_hopfield, modern_hopfield
from hopfield_hw.memories import Dense, SoftmaxMemory, measure_basins, measure_capacity
from hopfield_hw.memories.asynchronous import settle, whole_weights
from hopfield_hw.problems.learning_rules import RULES, hebb
from hopfield_hw.values.errors import InputError
from hopfield_hw.values.proportion import Proportion, proportion

# By rule and load, what of the starts is recalled by N = 400 with a tenth of the bits flipped.
TABLE = {
    "hebb": ((0.10, 0.97, 1.0), (0.138, 0.65, 0.9), (0.20, 0.0, 0.15)),
    "storkey": ((0.10, 0.98, 1.0), (0.20, 0.98, 1.0), (0.30, 0.95, 1.0)),
    "projection": ((0.10, 0.98, 1.0), (0.30, 0.98, 1.0), (0.50, 0.4, 0.75)),
}


@pytest.mark.parametrize("rule", TABLE)
def test_the_table_of_four_hundred_neurons(rule: str) -> None:
    curve = measure_capacity(rule, loads=[row[0] for row in TABLE[rule]], sets=4, probes=40, seed=1)
    for part, (load, low, high) in zip(curve.recalled, TABLE[rule], strict=True):
        assert low <= part.value <= high, (load, str(part))
    assert curve.settled == (1.0, 1.0, 1.0)


def test_basins_shrink_with_the_flipped_bits() -> None:
    curve = measure_basins("projection", n=100, load=0.2, flipped=(0.0, 0.1, 0.3, 0.5), sets=4, probes=20, seed=2)
    values = [part.value for part in curve.recalled]
    assert values[0] == 1.0
    assert values == sorted(values, reverse=True)
    assert values[-1] < 0.1
    # Half of the bits flipped leave no trace of the pattern.
    assert abs(curve.overlap[-1]) < 0.3


@pytest.mark.parametrize("rule", RULES)
def test_compiled_and_plain_loops_agree_bit_for_bit(rule: str) -> None:
    pytest.importorskip("numba")
    options: dict[str, Any] = {"n": 60, "loads": (0.1, 0.25), "sets": 2, "probes": 12, "seed": 3}
    one, other = (measure_capacity(rule, **options, compiled=compiled) for compiled in (True, False))
    assert one.to_json() == other.to_json()


def test_states_are_those_of_the_general_asynchronous_run() -> None:
    rng = np.random.default_rng(4)
    patterns = rng.choice([-1.0, 1.0], size=(5, 40))
    starts = rng.choice([-1.0, 1.0], size=(6, 40))
    weights = hebb(patterns)

    class Given(np.random.Generator):
        """Gives the orders that the fast loop takes."""

        def permutation(self, n: Any, axis: int = 0) -> Any:
            return next(self.orders)

    orders = np.array([rng.permutation(40) for _ in range(100)])
    given = Given(np.random.PCG64(0))
    given.orders = iter(orders)  # type: ignore[attr-defined]
    expected = run_asynchronous(discrete_hopfield(weights), rng=given, initial=starts)
    found = settle(whole_weights(weights), starts, orders)
    np.testing.assert_array_equal(found.states, expected.states)
    np.testing.assert_array_equal(found.sweeps + 1, expected.sweeps)


@pytest.mark.parametrize("degree", [2, 3, 4])
def test_dense_states_are_those_of_the_family(degree: int) -> None:
    rng = np.random.default_rng(degree)
    patterns = rng.choice([-1.0, 1.0], size=(6, 20))
    starts = rng.choice([-1.0, 1.0], size=(5, 20))
    ends = Dense(degree=degree).settle(patterns, starts)
    for start, end, sweeps in zip(starts, ends.states, ends.sweeps, strict=True):
        program = MapProgram([dense_memory(patterns, degree=degree, initial=start, discrete=True)])
        state = start
        for _ in range(int(sweeps) if sweeps >= 0 else 100):
            state = program.step(state, np.zeros(0))[0]
        np.testing.assert_array_equal(state, end)


def test_softmax_states_are_those_of_the_family() -> None:
    rng = np.random.default_rng(1)
    patterns = rng.choice([-1.0, 1.0], size=(6, 20))
    start = rng.choice([-1.0, 1.0], size=20)
    end = SoftmaxMemory(beta=0.3).settle(patterns, start[np.newaxis])
    program = MapProgram([modern_hopfield(patterns, beta=0.3, initial=start, discrete=True)])
    state = start
    for _ in range(100):
        state = program.step(state, np.zeros(0))[0]
    np.testing.assert_array_equal(np.where(state >= 0.0, 1.0, -1.0), end.states[0])


def test_dense_memories_hold_more_than_neurons() -> None:
    options: dict[str, Any] = {"n": 64, "loads": [1.0, 4.0], "sets": 2, "probes": 30, "seed": 1}
    held = [
        [part.value for part in measure_capacity(memory, **options).recalled]
        for memory in ("hebb", Dense(degree=3), Dense(degree=4), SoftmaxMemory(beta=1.0))
    ]
    assert held[0] == [0.0, 0.0]
    assert held[1][0] > 0.9 > held[1][1]
    assert min(held[2]) > 0.9
    assert held[3] == [1.0, 1.0]


def test_what_does_not_settle_is_said() -> None:
    # Two neurons, one for and one against the other, with a single sweep.
    found = settle(np.array([[0.0, 1.0], [1.0, 0.0]]), np.array([[1.0, -1.0]]), np.array([[0, 1]]))
    assert found.sweeps.tolist() == [-1]


def test_a_curve_says_its_points_and_figures() -> None:
    curve = measure_capacity("hebb", n=50, loads=[0.1], sets=1, probes=5, seed=0)
    assert str(curve).startswith("load 0.1  ")
    assert set(curve.to_json()) == {"rule", "n", "load", "recalled", "interval", "overlap", "settled"}


def test_wilson_intervals() -> None:
    # The published example: 81 of 263 has the interval 0.2553 to 0.3662 (R. G. Newcombe, Stat. Med. 17:857, 1998).
    low, high = proportion(81, 263).interval
    assert (round(low, 4), round(high, 4)) == (0.2553, 0.3662)
    assert proportion(0, 20).interval[0] == 0.0
    assert round(proportion(0, 20).interval[1], 4) == 0.1611
    assert proportion(20, 20).interval[1] == 1.0
    assert str(Proportion(1, 2)) == "0.5 [0.0945, 0.905] of 2"


REFUSED: dict[str, tuple[Callable[[], Any], str]] = {
    "a load of nothing": (
        lambda: measure_capacity("hebb", n=10, loads=[0.01], seed=0),
        "`load` = 0.01: is 0 patterns of 10 neurons; must be 1 to 10000",
    ),
    "no loads": (lambda: measure_capacity("hebb", loads=[], seed=0), "`load`: is empty; give at least one point"),
    "a part": (
        lambda: measure_basins("hebb", flipped=[1.5], seed=0),
        "`flipped` = 1.5: must be from 0 to 1",
    ),
    "a rule": (
        lambda: measure_capacity("heb", seed=0),
        "rule 'heb' is unknown: must be one of hebb, storkey, projection; did you mean 'hebb'?",
    ),
    "sums that are not exact": (
        lambda: measure_capacity(lambda rows: hebb(rows) / np.pi, n=10, loads=[0.5], seed=0),
        "`weights`: are no whole multiples of 1/10 or of 1e-9, so that sums are not exact; scale "
        "them, and round them to 9 decimals",
    ),
    "a degree": (lambda: Dense(degree=1), "`Dense.degree` = 1: must be a whole number from 2 to 12"),
    "a degree too high": (
        lambda: measure_capacity(Dense(degree=12), n=100, loads=[1.0], seed=0),
        "`Dense.degree` = 12: sums of 100 patterns of 100 neurons are not exact",
    ),
    "beta": (lambda: SoftmaxMemory(beta=0.0), "`SoftmaxMemory.beta = 0.0`: must be positive"),
    "no trials": (
        lambda: proportion(0, 0),
        "`trials` = 0: must be a whole number from 1 to 9007199254740992; nothing was counted",
    ),
    "more than all": (lambda: proportion(3, 2), "`count` = 3: must be at most the trials, 2"),
}


@pytest.mark.parametrize(("make", "message"), REFUSED.values(), ids=REFUSED)
def test_refused(make: Callable[[], Any], message: str) -> None:
    with pytest.raises(InputError) as caught:
        make()
    assert str(caught.value) == message


def test_weights_that_are_too_small_to_be_whole_are_refused_and_not_taken_for_0() -> None:
    with pytest.raises(InputError, match=r"^`weights`: are no whole multiples of 1/40 or of 1e-9"):
        measure_capacity(lambda patterns: 1e-9 * RULES["hebb"](patterns), n=40, loads=(0.5,), sets=1, probes=2, seed=1)
