"""Yields: exact intervals against sums of binomials, the samples that an interval takes, and honest looks."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy import stats

import hopfield_hw as hh
from hopfield_hw.tolerance.yields import Yield, count_yield, samples_for


def test_published_intervals() -> None:
    assert [round(end, 3) for end in Yield(count=190, trials=200).interval] == [0.910, 0.976]
    assert [round(end, 3) for end in Yield(count=950, trials=1000).interval] == [0.935, 0.963]
    assert Yield(count=0, trials=50).interval == (0.0, pytest.approx(1.0 - 0.025 ** (1 / 50)))
    assert Yield(count=50, trials=50).interval == (pytest.approx(0.025 ** (1 / 50)), 1.0)


@pytest.mark.parametrize("true", [0.5, 0.8, 0.95, 0.99])
def test_an_interval_holds_the_true_yield_at_least_so_often(true: float) -> None:
    n = 60
    covered = [low <= true <= high for low, high in (Yield(count=k, trials=n).interval for k in range(n + 1))]
    assert stats.binom(n, true).pmf(np.flatnonzero(covered)).sum() >= 0.95


def test_a_claim_gates_on_the_lower_end() -> None:
    boards = Yield(count=190, trials=200)
    assert [boards.passes(goal) for goal in (0.90, 0.91, 0.95, 0.97, 0.98)] == [
        "passed",
        "undecided",
        "undecided",
        "undecided",
        "failed",
    ]
    assert Yield(count=200, trials=200).passes(1.0) == "undecided"  # no number of samples shows that all pass
    assert Yield(count=199, trials=200).passes(1.0) == "failed"


def test_what_is_not_known_is_never_a_success() -> None:
    known, unknown = Yield(count=95, trials=100), Yield(count=95, trials=100, undecided=5)
    assert unknown.interval == (known.interval[0], 1.0)
    assert count_yield([1.0, -1.0, np.nan, 0.0, 2.0]) == Yield(count=2, trials=5, undecided=1)
    assert "not known  1" in str(count_yield([1.0, np.nan]))
    assert "looks" not in str(count_yield([1.0]))
    assert str(count_yield([1.0, -1.0], looks=3)).splitlines()[-1].startswith("looks     at most 3, ")


def covered_at_every_look(true: float, looks: int) -> float:
    """Return the exact probability that five intervals, after 10, 20, ... 50 samples, all hold the true yield."""
    alive = np.array([1.0])
    for step in range(1, 6):
        alive = np.convolve(alive, stats.binom(10, true).pmf(np.arange(11)))
        ends = [Yield(count=k, trials=10 * step, looks=looks).interval for k in range(10 * step + 1)]
        alive = np.where([low <= true <= high for low, high in ends], alive, 0.0)
    return float(alive.sum())


def test_looking_while_it_grows_is_paid_for() -> None:
    assert covered_at_every_look(0.8, looks=5) >= 0.95
    assert covered_at_every_look(0.8, looks=1) < 0.95  # who looks for free is wrong more often than he says


@pytest.mark.parametrize(
    ("asked", "check"),
    [
        ({"width": 0.03, "expected": 0.95}, lambda low, high: high - low <= 0.03),
        ({"width": 0.1, "expected": 0.7, "level": 0.9}, lambda low, high: high - low <= 0.1),
        ({"goal": 0.95, "expected": 0.97}, lambda low, high: low >= 0.95),
        ({"goal": 0.95, "expected": 1.0}, lambda low, high: low >= 0.95),
        ({"goal": 0.9, "expected": 0.95, "looks": 4}, lambda low, high: low >= 0.9),
    ],
)
def test_so_many_samples_do_and_one_less_does_not(asked: dict[str, Any], check: Any) -> None:
    n = samples_for(**asked)
    more = {key: asked[key] for key in ("level", "looks") if key in asked}
    for trials, wanted in ((n, True), (n + 1, True), (n + 17, True), (n - 1, False)):
        count = round(asked["expected"] * trials) if "width" in asked else int(asked["expected"] * trials + 1e-9)
        assert check(*Yield(count=count, trials=trials, **more).interval) == wanted


def test_all_of_72_show_95_percent() -> None:
    """The least n with 0.025^(1/n) >= 0.95, of the lower end where all pass."""
    assert samples_for(goal=0.95, expected=1.0) == int(np.ceil(np.log(0.025) / np.log(0.95)))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            lambda: Yield(count=1, trials=0),
            "`Yield.trials` = 0: must be a whole number from 1 to 1000000000; nothing was tried",
        ),
        (lambda: Yield(count=6, trials=5), "`Yield.count` = 6: must be a whole number from 0 to 5, the trials"),
        (
            lambda: Yield(count=4, trials=5, undecided=2),
            "`Yield.undecided` = 2: must be a whole number from 0 to 1, what is left of the trials",
        ),
        (
            lambda: Yield(count=4, trials=5, level=95.0),
            "`Yield.level` = 95: must be above 0 and below 1, such as 0.95",
        ),
        (lambda: count_yield([]), "`Yield.trials` = 0: must be a whole number from 1 to 1000000000; nothing was tried"),
        (lambda: Yield(count=4, trials=5).passes(95), "`goal` = 95: must be above 0 and at most 1"),
        (lambda: samples_for(expected=0.9), "`samples_for`: give one of `width` and `goal`"),
        (
            lambda: samples_for(expected=0.9, goal=0.9),
            "`goal` = 0.9: must be above 0 and below what is expected, 0.9",
        ),
        (
            lambda: samples_for(expected=0.5, width=1e-5),
            "`samples_for`: a width of 1e-05 would need more than 10,000,000 samples; ask for less",
        ),
    ],
)
def test_what_is_no_yield_is_refused(call: Any, message: str) -> None:
    with pytest.raises(hh.InputError) as refused:
        call()
    assert str(refused.value) == message
