"""The projection network with a correction: its equation, the distance that falls, monotone maps, and bad input."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import hopfield_hw as hh
from hopfield_hw.equations import OdeProgram
from hopfield_hw.families import box_problem, forward_backward_forward, projection
from hopfield_hw.families.projection import BoxProblem, mapping_on_box
from hopfield_hw.transforms import in_si
from hopfield_hw.values.arrays import Array

MS = 1e-3
ROTATION = [[0.0, 1.0], [-1.0, 0.0]]


def random_problem(rng: np.random.Generator, n: int, *, products: bool) -> BoxProblem:
    quadratic = rng.normal(size=(n, n, n)) if products else None
    return mapping_on_box(rng.normal(size=(n, n)), rng.normal(size=n), quadratic, -rng.uniform(size=n), 1.0)


@pytest.mark.parametrize("products", [False, True])
def test_the_equation_is_the_stated_one(products: bool) -> None:
    rng = np.random.default_rng(3)
    problem, x, step = random_problem(rng, 4, products=products), rng.normal(size=4), 0.1
    p = np.clip(x - step * problem.mapping(x), problem.lower, problem.upper)
    expected = p - x + step * (problem.mapping(x) - problem.mapping(p))
    equation = OdeProgram([in_si(forward_backward_forward(problem, step=step))])
    np.testing.assert_allclose(equation.rhs(0.0, x) * MS, expected, atol=1e-12)
    np.testing.assert_allclose(equation.outputs(0.0, x), p, atol=1e-14)


def test_a_rotation_settles_where_the_plain_network_circles() -> None:
    """x' = -(step J + step^2) x in the middle of the box: the distance falls by exp(-step^2 t)."""
    problem, start = box_problem(ROTATION, [0.0, 0.0], lower=-1.0, upper=1.0), np.array([0.5, 0.0])
    plain = OdeProgram([in_si(projection(problem, alpha=0.5))])
    assert float(start @ plain.rhs(0.0, start)) == 0.0
    wave = hh.reference(forward_backward_forward(problem, step=0.5, initial=start), t_stop=8 * MS, accuracy=1e-5)
    distance = np.linalg.norm(wave["state"].to_numpy(), axis=1)
    expected = 0.5 * np.exp(-0.25 * wave["time"].to_numpy() / MS)
    np.testing.assert_allclose(distance, expected, atol=1e-5)


@settings(max_examples=12)
@given(seed=st.integers(0, 2**31))
def test_the_distance_to_a_solution_never_rises(seed: int) -> None:
    """A skew-symmetric F and more, on a box: d/dt |x - x*|^2 / 2 <= -(1 - step L) |x - p|^2."""
    rng = np.random.default_rng(seed)
    n = int(rng.integers(1, 6))
    twist, root = rng.normal(size=(n, n)), rng.normal(size=(n, 1))
    matrix, solution = twist - twist.T + root @ root.T, rng.uniform(-1.0, 1.0, n)
    at_end = rng.uniform(size=n) < 0.5
    solution = np.where(at_end, np.sign(solution), solution)
    vector = -matrix @ solution - np.where(at_end, solution * rng.uniform(size=n), 0.0)  # F pushes out at the ends
    problem = box_problem(matrix, vector, lower=-1.0, upper=1.0)
    assert problem.residual(solution) < 1e-12
    assert problem.is_monotone()
    step, largest = 0.5 / problem.lipschitz(np.ones(n)), problem.lipschitz(np.ones(n))
    equation = OdeProgram([in_si(forward_backward_forward(problem, step=step))])
    for x in rng.normal(size=(5, n)) * 2.0:
        falls = float((x - solution) @ equation.rhs(0.0, x)) * MS
        apart = x - equation.outputs(0.0, x)
        assert falls <= -(1.0 - step * largest) * float(apart @ apart) + 1e-9


def test_where_it_rests_the_output_is_a_solution_though_the_step_is_too_large() -> None:
    """F = x^2 - 100 on x >= 0, step 0.45: x = -70/9 rests, as x - step F(x) = 10, where F is 0."""
    problem = mapping_on_box([[0.0]], [-100.0], [[[1.0]]], 0.0, np.inf)
    equation = OdeProgram([in_si(forward_backward_forward(problem, step=0.45))])
    x = np.array([-70.0 / 9.0])
    assert abs(equation.rhs(0.0, x)[0]) * MS < 1e-12
    np.testing.assert_allclose(equation.outputs(0.0, x), [10.0])
    assert problem.residual(np.array([10.0])) == 0.0


@settings(max_examples=12)
@given(seed=st.integers(0, 2**31))
def test_the_bound_of_lipschitz_holds_within_its_reach(seed: int) -> None:
    rng = np.random.default_rng(seed)
    problem, reach = random_problem(rng, 3, products=True), rng.uniform(0.1, 2.0, 3)
    bound = problem.lipschitz(reach)
    for x, y in rng.uniform(-1.0, 1.0, (20, 2, 3)) * reach:
        assert np.linalg.norm(problem.mapping(x) - problem.mapping(y)) <= bound * np.linalg.norm(x - y) + 1e-12


def square(low: float, high: float) -> dict[str, Any]:
    """F = x^2 on an interval."""
    return {"matrix": [[0.0]], "vector": 0.0, "quadratic": [[[1.0]]], "lower": low, "upper": high}


def crossed(low: Array, high: Array) -> dict[str, Any]:
    """F = (x_0 + x_0 x_1, x_1): its slope in x_0 is 1 + x_1."""
    quadratic = np.zeros((2, 2, 2))
    quadratic[0, 0, 1] = 1.0
    return {"matrix": np.eye(2), "vector": 0.0, "quadratic": quadratic, "lower": low, "upper": high}


INF = np.inf
MONOTONE: dict[str, tuple[dict[str, Any], bool | None]] = {
    "skew": ({"matrix": ROTATION, "vector": 0.0, "lower": -INF, "upper": INF}, True),
    "indefinite": ({"matrix": [[1.0, 3.0], [0.0, 1.0]], "vector": 0.0, "lower": 0.0, "upper": INF}, False),
    "fixed": ({"matrix": [[1.0, 3.0], [0.0, 1.0]], "vector": 0.0, "lower": [1.0, 0.0], "upper": [1.0, INF]}, True),
    "a square, to the right": (square(0.0, INF), True),
    "a square, across 0": (square(-0.1, 1.0), False),
    "a square, everywhere": (square(-INF, INF), False),
    "a square, to the left": (square(-INF, 0.0), False),
    "a square against x, to the right": (
        {"matrix": [[1.0]], "vector": 0.0, "quadratic": [[[-1.0]]], "lower": 0.0, "upper": INF},
        False,
    ),
    "a square against x, to the left": (
        {"matrix": [[1.0]], "vector": 0.0, "quadratic": [[[1.0]]], "lower": -INF, "upper": 0.0},
        False,
    ),
    "a product within": (crossed(np.zeros(2), np.ones(2)), True),
    "a product too wide": (crossed(np.array([-3.0, 0.0]), np.array([3.0, 1.0])), False),
    "too many": (
        {"matrix": np.eye(13), "vector": 0.0, "quadratic": np.ones((13, 13, 13)), "lower": 0.0, "upper": 1.0},
        None,
    ),
    "13, of which none is in a product": (
        {"matrix": np.eye(13), "vector": 0.0, "quadratic": np.zeros((13, 13, 13)), "lower": 0.0, "upper": 1.0},
        True,
    ),
}


@pytest.mark.parametrize(("fields", "expected"), MONOTONE.values(), ids=MONOTONE)
def test_whether_a_mapping_is_monotone_on_the_box(fields: dict[str, Any], expected: bool | None) -> None:
    assert mapping_on_box(**{"quadratic": None, **fields}).is_monotone() is expected


@settings(max_examples=25)
@given(seed=st.integers(0, 2**31))
def test_a_mapping_is_monotone_where_its_derivative_is_at_every_corner(seed: int) -> None:
    """The derivative by differences, which are exact for a quadratic F; by samples it is least at a corner."""
    rng = np.random.default_rng(seed)
    problem = random_problem(rng, 2, products=True)
    problem = problem._replace(matrix=problem.matrix + rng.uniform(0.0, 8.0) * np.eye(2))

    def least(x: Array) -> float:
        slope = np.array([problem.mapping(x + d) - problem.mapping(x - d) for d in 0.5 * np.eye(2)]).T
        return float(np.linalg.eigvalsh(slope + slope.T)[0])

    corners = [least(np.array([a, b])) for a in (problem.lower[0], 1.0) for b in (problem.lower[1], 1.0)]
    assert problem.is_monotone() is (min(corners) >= 0.0)
    assert min(least(x) for x in rng.uniform(problem.lower, problem.upper, (50, 2))) >= min(corners) - 1e-12


REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "no problem": ({"problem": 1.0}, "`problem` = 1.0: must be a BoxProblem, from box_problem(matrix, vector, ...)"),
    "a step": ({"step": 0.0}, "`step = 0.0`: must be positive"),
    "a large step": ({"step": 1.0}, "`step` = 1: must be below 1 / |matrix| = 1, or it may not settle"),
    "a start": ({"initial": [0.0]}, "`initial` has shape (1,): must have shape (2,)"),
    "tau": ({"tau": -1.0}, "`x: tau[0] = -1.0 units of time`: must be positive"),
}


@pytest.mark.parametrize(("arguments", "message"), REFUSED.values(), ids=REFUSED)
def test_refused(arguments: dict[str, Any], message: str) -> None:
    given = {"problem": box_problem(ROTATION, 0.0, lower=-1.0, upper=1.0), **arguments}
    with pytest.raises(hh.InputError) as caught:
        forward_backward_forward(**given)
    assert str(caught.value) == message
