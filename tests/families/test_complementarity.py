"""Projection networks: published complementarity problems, boxes, and problems without a solution."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import hopfield_hw as hh
from hopfield_hw.analysis.settling import settle
from hopfield_hw.equations import MapProgram
from hopfield_hw.families import box_problem, projection
from hopfield_hw.graph import Edge, Graph, Input, Output
from hopfield_hw.problems.complementarity import fathi, kojima_shindo, murty, tridiagonal

MS = 1e-3


def test_murty_settles_at_the_last_unit_vector() -> None:
    found = settle(projection(murty(8), alpha=0.5), t_stop=100 * MS)
    assert found.settled
    np.testing.assert_allclose(found.output, np.eye(8)[7], atol=2e-11)


def test_fathi_settles_at_the_first_unit_vector_but_slowly() -> None:
    problem = fathi(8)
    graph = projection(problem, alpha=1.0 / float(np.linalg.norm(problem.matrix, 2)))
    early, late = settle(graph, t_stop=100 * MS), settle(graph, t_stop=1e4 * MS)
    assert not early.settled
    assert str(early).startswith("did not settle within 100 ms: the state moved by ")
    assert float(np.max(np.abs(early.output - np.eye(8)[0]))) == pytest.approx(0.5, abs=0.15)
    assert late.settled
    np.testing.assert_allclose(late.output, np.eye(8)[0], atol=1e-8)


def test_tridiagonal_has_its_published_solution() -> None:
    found = settle(projection(tridiagonal(8), alpha=0.2), t_stop=50 * MS)
    published = [0.407637, 0.315273, 0.334365, 0.326367, 0.319917, 0.303019, 0.265996, 0.183501]
    np.testing.assert_allclose(found.output, published, atol=5e-7)
    assert tridiagonal(8).residual(found.output) < 1e-8


def test_kojima_shindo_reaches_both_of_its_solutions_from_starts_of_their_own() -> None:
    """20 starts, uniform in [0, 2]: all end at one of the two; the first is degenerate, and slow to reach."""
    problem = kojima_shindo()
    first, second = np.array([np.sqrt(6.0) / 2.0, 0.0, 0.0, 0.5]), np.array([1.0, 0.0, 3.0, 0.0])
    np.testing.assert_allclose(problem.residual(np.stack([first, second])), 0.0, atol=1e-12)
    starts = np.random.default_rng(0).uniform(0.0, 2.0, (20, 4))
    ends = hh.reference_batch(projection(problem, alpha=0.1), initial=starts, t_stop=400 * MS, points=2, accuracy=1e-3)
    states = ends["state"].to_numpy()[:, -1]
    at_first, at_second = (np.max(np.abs(states - each), axis=1) < 1e-3 for each in (first, second))
    assert np.all(at_first ^ at_second)
    assert (int(at_first.sum()), int(at_second.sum())) == (4, 16)


@settings(max_examples=12)
@given(seed=st.integers(0, 2**31))
def test_where_it_rests_the_variational_inequality_holds(seed: int) -> None:
    """F(x)^T (y - x) >= 0 for every y of the box: x_i is at an end, or F_i is 0, as the sign of F_i says."""
    rng = np.random.default_rng(seed)
    n = int(rng.integers(1, 6))
    root = rng.normal(size=(n, n))
    matrix = root @ root.T + 0.5 * np.eye(n)
    problem = box_problem(matrix, rng.normal(size=n), lower=-rng.uniform(0.0, 1.0, n), upper=rng.uniform(0.0, 1.0, n))
    graph = projection(problem, alpha=1.0 / float(np.linalg.norm(matrix, 2)), discrete=True)
    program = MapProgram([graph])
    x = program.initial
    for _ in range(3000):
        x = program.step(x, np.zeros(0))[0]
    f = problem.mapping(x)
    assert np.all((f < 1e-6) | (x <= problem.lower + 1e-9))
    assert np.all((f > -1e-6) | (x >= problem.upper - 1e-9))


def test_one_variable_by_hand() -> None:
    """F = 2 x - 1 on [0, 1] has x = 1/2; on [0, 1/4] it stops at the upper end; dx/dt = -2 alpha (x - 1/2) inside."""
    wide, narrow = (box_problem([[2.0]], [-1.0], upper=upper) for upper in (1.0, 0.25))
    wave = hh.reference(projection(wide, alpha=0.25, initial=0.3), t_stop=4 * MS, accuracy=1e-6)
    expected = 0.5 - 0.2 * np.exp(-0.5 * wave["time"].to_numpy() / MS)
    np.testing.assert_allclose(wave["state"].to_numpy()[:, 0], expected, atol=1e-9)
    assert settle(projection(narrow, initial=0.1), t_stop=30 * MS).output == pytest.approx([0.25])


def test_a_network_that_never_settles_says_so() -> None:
    """F = J x with a rotation J: the solution 0 is monotone, but x circles outwards at alpha = 1."""
    free = {"lower": -1.0, "upper": 1.0}
    problem = box_problem([[0.0, 1.0], [-1.0, 0.0]], [0.0, 0.0], **free)
    found = settle(projection(problem, alpha=4.0, initial=[0.5, 0.0]), t_stop=12 * MS)
    assert not found.settled
    assert str(found).startswith("did not settle within 12 ms")


REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "no solution": (
        {"matrix": [[0.0, 0.0], [0.0, 1.0]], "vector": [-1.0, 1.0]},
        "`matrix`, `vector`: the problem has no solution, as no x of the box has M x + q >= 0",
    ),
    "no solution, free": (
        {"matrix": [[1.0, 1.0], [1.0, 1.0]], "vector": [0.0, 1.0], "lower": -np.inf},
        "`matrix`, `vector`: the problem has no solution",
    ),
    "not square": ({"matrix": [[1.0, 2.0]], "vector": [1.0]}, "`matrix` has shape (1, 2): must be (n, n)"),
    "vector": ({"matrix": np.eye(2), "vector": [1.0, 2.0, 3.0]}, "`vector` has shape (3,): must have shape (2,)"),
    "not finite": ({"matrix": [[np.nan]], "vector": [1.0]}, "`matrix[0, 0] = nan`: must be finite"),
    "crossed": (
        {"matrix": np.eye(2), "vector": 1.0, "lower": [0.0, 2.0], "upper": 1.0},
        "`lower[1]` = 2.0 and `upper[1]` = 1.0: must hold a finite number between",
    ),
    "nan bound": ({"matrix": np.eye(2), "vector": 1.0, "lower": np.nan}, "`lower[0] = nan`: must be a number"),
    "quadratic": (
        {"matrix": np.eye(2), "vector": 1.0, "quadratic": np.zeros((2, 2))},
        "`quadratic` has shape (2, 2): must have shape (2, 2, 2)",
    ),
}


@pytest.mark.parametrize(("arguments", "message"), REFUSED.values(), ids=REFUSED)
def test_an_ill_posed_problem_is_refused(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(hh.InputError, match="^" + re.escape(message)):
        box_problem(**arguments)


def test_a_finite_box_makes_any_affine_problem_solvable() -> None:
    problem = box_problem([[0.0, 0.0], [0.0, 1.0]], [-1.0, 1.0], upper=5.0)
    found = settle(projection(problem, initial=1.0), t_stop=60 * MS)
    np.testing.assert_allclose(found.output, [5.0, 0.0], atol=1e-9)


def test_nothing_settles_without_a_state_or_a_step() -> None:
    graph = projection(murty(2), discrete=True)
    assert settle(graph, t_stop=50 * MS).settled
    with pytest.raises(hh.InputError, match=r"^`t_stop` = 0.0005 s: is shorter than a step of the map"):
        settle(graph, t_stop=0.5 * MS)
    wire = Graph(operators=(Input(name="u", size=1), Output(name="y", size=1)), edges=(Edge("u", "y"),))
    with pytest.raises(hh.InputError, match=r"^settle: the graph holds no state that could settle"):
        settle(wire, t_stop=MS)


def test_a_wrong_network_for_a_problem_is_refused() -> None:
    with pytest.raises(hh.InputError, match=r"^`alpha = 0.0`: must be positive"):
        projection(murty(2), alpha=0.0)
    with pytest.raises(hh.InputError, match=r"must be a BoxProblem, from box_problem"):
        projection([[1.0]])  # type: ignore[arg-type]
    with pytest.raises(hh.InputError, match=r"^`initial` has shape \(3,\): must have shape \(2,\)"):
        projection(murty(2), initial=[0.0, 0.0, 0.0])
    with pytest.raises(hh.InputError, match=r"^`n` = 0: must be a whole number from 1 to 512"):
        murty(0)
