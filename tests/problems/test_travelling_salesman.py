"""Tours: the exact optimum, the published weights, the subspace of valid tours, and bad input."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import hopfield_hw as hh
from hopfield_hw.equations import OdeProgram
from hopfield_hw.optimisation import run_valid_subspace
from hopfield_hw.problems.travelling_salesman import (
    TravellingSalesman,
    decode,
    hopfield_tank,
    of_points,
    slope_matrix,
    valid_subspace,
)
from hopfield_hw.transforms import in_si
from hopfield_hw.values.errors import InputError

POINTS = np.random.default_rng(3).uniform(size=(7, 2))
SEVEN = of_points(POINTS)


def placed(tour: Any) -> Any:
    """Return the outputs, (n, n), of a tour: city by place."""
    v = np.zeros((len(tour), len(tour)))
    v[np.asarray(tour), np.arange(len(tour))] = 1.0
    return v


def test_dynamic_programming_finds_what_enumeration_does() -> None:
    length, tour = SEVEN.optimum()
    every = min(SEVEN.length((0, *rest)) for rest in itertools.permutations(range(1, 7)))
    assert length == pytest.approx(every, rel=1e-14)
    assert SEVEN.length(tour) == pytest.approx(length, rel=1e-14)


def test_the_network_has_the_published_energy() -> None:
    """-V^T T V / 2 - I^T V is the energy of the paper up to a constant: a tour's is D times its length."""
    network = hopfield_tank(SEVEN, n=7.0)

    def energy(v: Any) -> float:
        flat = v.reshape(-1)
        return float(-0.5 * flat @ network.weights @ flat - network.bias @ flat)

    tours = [(0, *rest) for rest in itertools.islice(itertools.permutations(range(1, 7)), 0, 700, 37)]
    lengths = np.array([SEVEN.length(tour) for tour in tours])
    energies = np.array([energy(placed(tour)) for tour in tours])
    np.testing.assert_allclose(energies - energies[0], 500.0 * (lengths - lengths[0]), atol=1e-8)
    # A city twice in a row costs A, in a place with another B, one city too many C / 2.
    once, v = placed(tours[0]), placed(tours[0])
    v[tours[0][0], 1] = 1.0
    d = SEVEN.distances
    extra = d[tours[0][0], tours[0][0]] + d[tours[0][0], tours[0][2]]
    assert energy(v) - energy(once) == pytest.approx(500.0 + 500.0 + 100.0 + 500.0 * extra)


def test_it_starts_where_the_outputs_add_up_to_the_cities() -> None:
    network = hopfield_tank(SEVEN, spread=1e-9)
    assert float(network.gain.value(network.initial).sum()) == pytest.approx(7.0)
    assert not np.array_equal(hopfield_tank(SEVEN, seed=1).initial, hopfield_tank(SEVEN, seed=2).initial)
    assert hh.problems.build_problem("travelling_salesman", {"problem": SEVEN.distances.tolist()}).size == 49


def test_the_slope_is_that_of_the_length_and_one_on_the_subspace() -> None:
    matrix = slope_matrix(SEVEN)
    tours = [(0, 1, 2, 3, 4, 5, 6), (0, 3, 5, 1, 6, 2, 4)]
    values = [0.5 * placed(t).reshape(-1) @ matrix @ placed(t).reshape(-1) for t in tours]
    ratio = SEVEN.length(tours[0]) / SEVEN.length(tours[1])
    assert values[0] / values[1] == pytest.approx(ratio)
    centre = np.kron(*(2 * [np.eye(7) - 1.0 / 7.0]))
    assert np.abs(np.linalg.eigvalsh(centre @ matrix @ centre)).max() <= 1.0 + 1e-12


def test_every_tour_is_at_rest_at_the_end_of_the_ramp_and_no_other_corner() -> None:
    square = of_points([[0.0, 0.0], [1.0, 0.0], [1.0, 1.0], [0.0, 1.0]])
    ramp = hh.Signal(times=np.zeros(1), values=np.array([[1.5]]))
    equation = OdeProgram([in_si(valid_subspace(square))], ramp)
    resting = []
    for column in itertools.product(np.eye(4).tolist(), repeat=4):
        v = np.array(column).T
        if np.abs(equation.rhs(0.0, v.reshape(-1))).max() < 1e-9:
            resting.append(tuple(np.argmax(v, axis=0).tolist()))
    assert sorted(resting) == sorted(itertools.permutations(range(4)))


def test_the_fast_loop_is_the_equation_in_steps_of_its_time_constant() -> None:
    five = of_points(POINTS[:5])
    x = 0.2 + 0.01 * np.random.default_rng(4).uniform(-1.0, 1.0, (1, 5, 5)).reshape(-1)
    ramp = hh.Signal(times=np.array([0.0, 1.0]), values=np.array([[-1.0], [1.0]]))
    equation = OdeProgram([in_si(valid_subspace(five))], ramp)
    for k in range(2000):
        x = x + equation.rhs(k / 2000.0, x) * 1e-3
    tour = decode(x.reshape(5, 5))
    assert tour is not None
    found = run_valid_subspace(five, starts=1, seed=4)
    assert found.tours[0].tolist() == tour.tolist()
    assert five.length(tour) == pytest.approx(five.optimum()[0])


def test_only_one_in_each_row_and_column_is_a_tour() -> None:
    found = decode(0.9 * placed((2, 0, 1)))
    assert found is not None
    assert found.tolist() == [2, 0, 1]
    assert decode(np.zeros((3, 3))) is None
    assert decode(np.ones((3, 3))) is None
    missing = placed((2, 0, 1))
    missing[1, 2] = 0.4
    assert decode(missing) is None


REFUSED: dict[str, tuple[Callable[[], Any], str]] = {
    "one way": (
        lambda: TravellingSalesman(distances=[[0.0, 1.0, 2.0], [1.0, 0.0, 3.0], [2.0, 4.0, 0.0]]),
        "`distances[1, 2]` = 3, and the way back 4: must be symmetric, as tours both ways are one here",
    ),
    "two cities": (
        lambda: TravellingSalesman(distances=[[0.0, 1.0], [1.0, 0.0]]),
        "`distances` has shape (2, 2): must be (n, n), of 3 to 1000 cities",
    ),
    "negative": (
        lambda: TravellingSalesman(distances=np.eye(3) - np.ones((3, 3))),
        "`distances`: must be 0 on the diagonal, at least 0 elsewhere, and not all 0",
    ),
    "no tour": (
        lambda: SEVEN.length((0, 1, 2, 3, 4, 5, 5)),
        "`tour` = (0, 1, 2, 3, 4, 5, 5): must name each of 7 cities once, from 0 on",
    ),
    "too many": (
        lambda: of_points(np.random.default_rng(0).uniform(size=(17, 2))).optimum(),
        "optimum: 17 cities take too large a table; at most 16",
    ),
    "a constant": (lambda: hopfield_tank(SEVEN, u0=0.0), "`hopfield_tank.u0 = 0.0`: must be positive"),
    "points": (lambda: of_points([0.0, 1.0]), "`points` has shape (2,): must be (n, 2), at least three of them"),
}


@pytest.mark.parametrize(("make", "message"), REFUSED.values(), ids=REFUSED)
def test_refused(make: Callable[[], Any], message: str) -> None:
    with pytest.raises(InputError) as caught:
        make()
    assert str(caught.value) == message
