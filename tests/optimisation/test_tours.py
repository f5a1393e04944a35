"""Tours that networks end at: rates against the exact optimum, 2-opt beside them, and the same bits from both loops."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hopfield_hw.optimisation import Schedule, anneal_tours, run_hopfield_tank, run_valid_subspace, two_opt
from hopfield_hw.optimisation.exponential import logistic
from hopfield_hw.problems.travelling_salesman import of_points
from hopfield_hw.values.errors import InputError

EIGHT = of_points(np.random.default_rng(5).uniform(size=(8, 2)))
BEST = EIGHT.optimum()[0]


def test_the_curve_is_the_logistic_one_to_a_few_roundings() -> None:
    a = np.linspace(-45.0, 45.0, 20_001)
    exact = 1.0 / (1.0 + np.exp(-np.clip(a, -40.0, 40.0)))
    assert np.max(np.abs(logistic(a) / exact - 1.0)) < 1e-15
    assert logistic(np.zeros(1))[0] == 0.5


@pytest.mark.parametrize("noise", [0.0, 0.002])
def test_compiled_and_plain_loops_agree_bit_for_bit(noise: float) -> None:
    """Over sweeps of chaos, in which the least difference would grow."""
    pytest.importorskip("numba")
    problem = of_points(np.random.default_rng(6).uniform(size=(5, 2)))
    schedule = Schedule(beta=0.02, noise=noise, sweeps=150)
    one, other = (anneal_tours(problem, starts=5, seed=2, schedule=schedule, compiled=c) for c in (True, False))
    np.testing.assert_array_equal(one.tours, other.tours)
    np.testing.assert_array_equal(one.lengths, other.lengths)
    assert one.valid.count > 0


def test_states_of_both_loops_agree_bit_for_bit() -> None:
    kernel = pytest.importorskip("hopfield_hw.optimisation.chaotic_kernel")
    from hopfield_hw.optimisation.chaotic_annealing import anneal_plain

    rng = np.random.default_rng(0)
    y = rng.uniform(-1.0, 1.0, (5, 5, 3))
    numbers = (0.9, 250.0, 0.015, 0.08, 0.65, 1.0, 1.0, 0.99, np.zeros((60, 0, 5, 3)))
    distances = EIGHT.distances[:5, :5] / EIGHT.distances.max()
    ends = [run(distances, y.copy(), 60, *numbers) for run in (kernel.anneal, anneal_plain)]
    np.testing.assert_array_equal(*ends)


def test_chaotic_annealing_finds_the_shortest_tour_of_eight_cities() -> None:
    pytest.importorskip("numba")
    found = anneal_tours(EIGHT, starts=40, seed=1)
    assert found.valid.value >= 0.95
    assert found.within(BEST).value >= 0.95
    assert found.best == pytest.approx(BEST)
    assert found.lengths[np.isfinite(found.lengths)].min() >= BEST * (1.0 - 1e-12)


def test_without_chaos_it_is_worse() -> None:
    pytest.importorskip("numba")
    still = anneal_tours(EIGHT, starts=40, seed=1, schedule=Schedule(z0=0.0))
    assert still.within(BEST).interval[1] < anneal_tours(EIGHT, starts=40, seed=1).within(BEST).value


def test_the_valid_subspace_gives_tours_alone() -> None:
    found = run_valid_subspace(EIGHT, starts=20, seed=1)
    assert found.valid.value == 1.0
    assert found.best <= 1.01 * BEST


def test_the_network_of_1985_rarely_gives_a_tour() -> None:
    ten = of_points(np.random.default_rng(0).uniform(size=(10, 2)))
    found = run_hopfield_tank(ten, starts=20, seed=1, t_stop=0.05)
    assert found.valid.value < 0.6
    assert np.all(found.lengths[np.isfinite(found.lengths)] >= ten.optimum()[0] * (1.0 - 1e-12))


def test_two_opt_ends_where_no_exchange_helps() -> None:
    found = two_opt(EIGHT, starts=50, seed=1)
    assert found.valid.value == 1.0
    assert found.best == pytest.approx(BEST)
    tour = found.tours[0]
    for i in range(8):
        for j in range(i + 2, 8):
            other = np.concatenate([tour[: i + 1], tour[i + 1 : j + 1][::-1], tour[j + 1 :]])
            assert EIGHT.length(other) >= found.lengths[0] * (1.0 - 1e-9)


def test_a_report_says_what_was_found() -> None:
    text = str(two_opt(EIGHT, starts=5, seed=1))
    assert [line.split("  ")[0] for line in text.splitlines()] == [
        "valid",
        "best",
        "as long as the best",
        "mean of the valid",
    ]
    # No tour at all is no success, and no number.
    none = run_hopfield_tank(EIGHT, starts=2, seed=0, t_stop=1e-5)
    assert str(none) == "valid  0 [0, 0.658] of 2"
    assert none.best == np.inf
    assert none.within(BEST).count == 0


def test_ten_published_cities() -> None:
    folder = os.environ.get("HOPFIELD_HW_DATA")
    if not folder:
        pytest.skip("HOPFIELD_HW_DATA does not name the folder of the benchmark data")
    pytest.importorskip("numba")
    ten = of_points(np.loadtxt(Path(folder) / "tsp" / "hopfield_tank10.csv", delimiter=","))
    assert ten.optimum()[0] == pytest.approx(2.690670637, abs=5e-10)
    assert anneal_tours(ten, starts=200, seed=1).within(2.690670637).value >= 0.99


REFUSED: dict[str, tuple[Callable[[], Any], str]] = {
    "a schedule": (
        lambda: Schedule(beta=1.0),
        "`Schedule.beta` = 1: must be between 0 and 1, such as 0.003",
    ),
    "steepness": (lambda: Schedule(eps=0.0), "`Schedule.eps` = 0: must not be negative or 0"),
    "distances": (
        lambda: anneal_tours("ten", starts=1, seed=0),  # type: ignore[arg-type]
        "`problem` = 'ten': must be a TravellingSalesman, as of_points makes one",
    ),
    "no starts": (
        lambda: two_opt(EIGHT, starts=0, seed=0),
        "`starts` = 0: must be a whole number from 1 to 1000000",
    ),
}


@pytest.mark.parametrize(("make", "message"), REFUSED.values(), ids=REFUSED)
def test_refused(make: Callable[[], Any], message: str) -> None:
    with pytest.raises(InputError) as caught:
        make()
    assert str(caught.value) == message
