"""Variational inequalities solved: games, markets, traffic, disks, complementarity, and what is never called solved."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy.optimize import linprog

from hopfield_hw.optimisation import solve_inequality, solve_program
from hopfield_hw.optimisation import variational_inequalities as module
from hopfield_hw.problems import QuadraticProgram, VariationalInequality, fathi, kojima_shindo, murty, tridiagonal
from hopfield_hw.problems.equilibrium_problems import cournot, matrix_game, traffic
from hopfield_hw.values.arrays import Array
from hopfield_hw.values.errors import AccuracyError, InputError

ROTATION = np.array([[0.0, 1.0], [-1.0, 0.0]])
PUBLISHED = [0.407637, 0.315273, 0.334365, 0.326367, 0.319917, 0.303019, 0.265996, 0.183501]
COMPLEMENTARITY = {
    "murty": (murty(8), np.eye(8)[7], 1e-9),
    "fathi": (fathi(8), np.eye(8)[0], 1e-9),
    "tridiagonal": (tridiagonal(8), np.array(PUBLISHED), 5e-7),
}


@pytest.mark.parametrize(("box", "solution", "within"), COMPLEMENTARITY.values(), ids=COMPLEMENTARITY)
def test_complementarity(box: Any, solution: Array, within: float) -> None:
    found = solve_inequality(VariationalInequality(**box._asdict()))
    np.testing.assert_allclose(found.x, solution, atol=within)
    assert found.solved
    assert found.residual < 1e-9


def test_kojima_shindo_is_solved_and_not_monotone() -> None:
    """Of its two solutions the network goes to one, from a start beside the other, degenerate one too."""
    problem = VariationalInequality(**kojima_shindo()._asdict())
    other = np.array([np.sqrt(1.5), 0.0, 0.0, 0.5])
    assert problem.residual(other) < 1e-12
    for start in (np.ones(4), other + 0.02):
        found = solve_inequality(problem, initial=start)
        assert found.solved
        np.testing.assert_allclose(found.x, [1.0, 0.0, 3.0, 0.0], atol=1e-8)
        assert found.monotone is False
        assert dict(found.rows())["proved"].startswith("F is not monotone: nothing is proved")


@pytest.mark.parametrize("seed", range(4))
def test_the_value_of_a_matrix_game_is_that_of_a_linear_program(seed: int) -> None:
    rng = np.random.default_rng(seed)
    m, k = int(rng.integers(2, 7)), int(rng.integers(2, 7))
    payoff = rng.normal(size=(m, k))
    found = solve_inequality(matrix_game(payoff))
    assert found.solved
    assert found.monotone is True
    # Least v with A^T x <= v.
    best = linprog(
        np.eye(m + 1)[m],
        A_ub=np.column_stack([payoff.T, -np.ones(k)]),
        b_ub=np.zeros(k),
        A_eq=[[1.0] * m + [0.0]],
        b_eq=[1.0],
        bounds=[(0.0, None)] * m + [(None, None)],
    )
    x, y = found.x[:m], found.x[m:]
    assert float(x @ payoff @ y) == pytest.approx(best.fun, abs=1e-9)
    assert float(np.max(payoff.T @ x)) == pytest.approx(best.fun, abs=1e-9)
    assert float(np.min(payoff @ y)) == pytest.approx(best.fun, abs=1e-9)
    np.testing.assert_allclose(found.multipliers, [-best.fun, best.fun], atol=1e-8)


def test_rock_paper_scissors_is_played_evenly() -> None:
    found = solve_inequality(matrix_game([[0.0, 1.0, -1.0], [-1.0, 0.0, 1.0], [1.0, -1.0, 0.0]]), initial=np.eye(6)[0])
    np.testing.assert_allclose(found.x, 1.0 / 3.0, atol=1e-9)


def test_a_market_has_its_closed_form() -> None:
    """Three firms: x_i = (a - c_i)/b - S, S = 12; of at most 6 together, a unit is worth 4, and one sells 0."""
    free = solve_inequality(cournot([1.0, 2.0, 3.0], intercept=10.0, slope=0.5))
    np.testing.assert_allclose(free.x, [6.0, 4.0, 2.0], atol=1e-8)
    limited = solve_inequality(cournot([1.0, 2.0, 3.0], intercept=10.0, slope=0.5, total=6.0))
    np.testing.assert_allclose(limited.x, [4.0, 2.0, 0.0], atol=1e-8)
    np.testing.assert_allclose(limited.multipliers, [4.0], atol=1e-8)


def test_traffic_of_braess() -> None:
    """A link more makes each journey longer, 92 in place of 83 (D. Braess, Unternehmensforschung 12:258, 1968)."""
    paths = np.array([[1.0, 0.0, 1.0, 0.0, 0.0], [0.0, 1.0, 0.0, 1.0, 0.0], [1.0, 0.0, 0.0, 1.0, 1.0]])
    times: dict[str, Any] = {"rates": [10.0, 1.0, 1.0, 10.0, 1.0], "constants": [0.0, 50.0, 50.0, 0.0, 10.0]}
    for used, flows, time in ((paths, [2.0, 2.0, 2.0], 92.0), (paths[:2], [3.0, 3.0], 83.0)):
        found = solve_inequality(traffic(used, **times, demand=6.0))
        np.testing.assert_allclose(found.x, flows, atol=1e-8)
        np.testing.assert_allclose(-found.multipliers, [time], atol=1e-7)


@pytest.mark.parametrize("radius", [0.5, 1.0])
def test_a_disk_has_its_closed_form(radius: float) -> None:
    """F = J x + q on |x| <= r, |q| > r: x = -(s + J)^-1 q with s = sqrt(|q|^2 / r^2 - 1)."""
    q = np.array([1.0, 2.0])
    ball = {"variables": [0, 1], "radius": radius}
    found = solve_inequality(VariationalInequality(matrix=ROTATION, vector=q, balls=[ball]))  # type: ignore[arg-type]
    s = np.sqrt(float(q @ q) / radius**2 - 1.0)
    np.testing.assert_allclose(found.x, -np.linalg.solve(s * np.eye(2) + ROTATION, q), atol=1e-9)
    np.testing.assert_allclose(found.ball_multipliers, [s * radius], atol=1e-8)
    assert found.solved


def random_problem(seed: int) -> VariationalInequality:
    """Monotone and no more: a matrix of rank 3 and a skew-symmetric one; rows of each kind, open ends, a ball."""
    rng = np.random.default_rng(seed)
    n = 7
    root, twist = rng.normal(size=(3, n)), rng.normal(size=(n, n))
    inside, rows = rng.uniform(-0.5, 0.5, n), rng.normal(size=(4, n))
    middle = rows @ inside
    balls = [{"variables": [0, 1, 6], "centre": inside[[0, 1, 6]], "radius": 0.6}]
    return VariationalInequality(
        matrix=root.T @ root + twist - twist.T,
        vector=2.0 * rng.normal(size=n),
        rows=rows,
        rows_lower=middle - np.array([0.0, 0.3, np.inf, 0.1]),
        rows_upper=middle + np.array([0.0, 0.3, 0.1, np.inf]),
        lower=-np.ones(n),
        upper=np.where(np.arange(n) < 5, 1.0, np.inf),
        balls=balls if seed % 2 else (),  # type: ignore[arg-type]
    )


@pytest.mark.parametrize("seed", range(4))
def test_random_monotone_problems_against_extragradient_steps(seed: int) -> None:
    """G. M. Korpelevich (1976): x <- P(x - s F(P(x - s F(x)))), P by least squares, from another start."""
    problem = random_problem(seed)
    found = solve_inequality(problem)
    assert found.solved
    assert found.monotone is True
    step = 0.5 / float(np.linalg.norm(problem.matrix, 2))
    x = np.ones(problem.size)
    for _ in range(400):
        middle = problem.nearest(x - step * problem.mapping(x))
        assert middle is not None
        last, moved = x, problem.nearest(x - step * problem.mapping(middle))
        assert moved is not None
        x = moved
        if np.max(np.abs(x - last)) < 1e-9:
            break
    assert problem.residual(x, step) < 1e-4
    gap = float(problem.mapping(found.x) @ (x - found.x))  # at least 0 for every point of C
    assert gap >= -1e-9
    np.testing.assert_allclose(found.x, x, atol=2e-3)


def test_a_quadratic_program_is_the_inequality_of_its_slope() -> None:
    limits: dict[str, Any] = {"rows": np.array([[-1.0, 2.0], [1.0, 2.0], [1.0, -2.0]]), "rows_upper": [2.0, 6.0, 2.0]}
    p, q = 2.0 * np.eye(2), np.array([-2.0, -5.0])
    program = solve_program(QuadraticProgram(quadratic=p, linear=q, **limits, lower=np.zeros(2)))
    found = solve_inequality(VariationalInequality(matrix=p, vector=q, **limits, lower=np.zeros(2)))
    np.testing.assert_allclose(found.x, [1.4, 1.7], atol=1e-9)
    np.testing.assert_allclose(found.x, program.x, atol=1e-8)
    np.testing.assert_allclose(found.multipliers, program.multipliers, atol=1e-7)


def test_units_of_f_change_neither_solution_nor_verdict() -> None:
    problem = random_problem(2)
    first = solve_inequality(problem)
    for factor in (1e-6, 1e6):
        other = VariationalInequality(
            matrix=factor * problem.matrix,
            vector=factor * problem.vector,
            rows=problem.rows,
            rows_lower=problem.rows_lower,
            rows_upper=problem.rows_upper,
            lower=problem.lower,
            upper=problem.upper,
        )
        found = solve_inequality(other)
        assert found.solved
        np.testing.assert_allclose(found.x, first.x, atol=1e-7)
        np.testing.assert_allclose(found.multipliers, factor * first.multipliers, rtol=1e-5, atol=1e-7 * factor)


@pytest.mark.parametrize("wrong", [1e-6, -1e-6, 0.1])
def test_a_point_that_is_no_solution_is_not_called_one(wrong: float, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the network would rest elsewhere, the projection of another kind says so."""
    run = module.run_to_rest

    def off(*given: Any) -> Any:
        rest = run(*given)
        return rest._replace(outputs=rest.outputs + wrong * np.eye(rest.outputs.size)[1])

    monkeypatch.setattr(module, "run_to_rest", off)
    small = cournot([1e-6, 2e-6, 3e-6], intercept=1e-5, slope=5e-7)  # in units in which its residual is small
    for problem in (random_problem(0), cournot([1.0, 2.0, 3.0], intercept=10.0, slope=0.5), small):
        found = solve_inequality(problem)
        assert not found.solved
        assert found.verdict == "no solution"
        assert found.to_json()["result"] == "no solution"
        assert dict(found.rows())["result"] == "no solution"


def test_a_wrong_projection_does_not_pass_either(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(VariationalInequality, "nearest", lambda self, point, scales=None: None)
    found = solve_inequality(cournot([1.0, 2.0], intercept=10.0, slope=0.5))
    assert not found.solved
    assert found.residual == np.inf


def test_a_mapping_that_is_not_monotone_may_be_solved_and_nothing_is_proved() -> None:
    """F = 1/2 - x on [-1, 2] has three solutions; the middle one repels."""
    problem = VariationalInequality(matrix=np.array([[-1.0]]), vector=np.array([0.5]), lower=-1.0, upper=2.0)  # type: ignore[arg-type]
    ends = [solve_inequality(problem, initial=[start]) for start in (0.0, 1.0)]
    assert [end.x.tolist() for end in ends] == [[-1.0], [2.0]]
    assert all(end.solved and end.monotone is False for end in ends)
    assert problem.residual(np.array([0.5])) == 0.0
    assert dict(ends[0].rows())["proved"] == (
        "F is not monotone: nothing is proved of where, or whether, the network settles; others may solve it too"
    )


def test_a_step_at_which_it_does_not_rest_is_followed_by_a_quarter_of_it(monkeypatch: pytest.MonkeyPatch) -> None:
    square: Any = {"matrix": np.zeros((1, 1)), "vector": [-4.0], "quadratic": np.ones((1, 1, 1)), "lower": 0.0}
    run, steps = module.run_to_rest, []

    def failing(graph: Any, *more: Any) -> Any:
        (affine,) = (operator for operator in graph.operators if operator.name == "step")
        steps.append(float(affine.bias[0]))  # the step times 4 over the pace, which is 4
        if len(steps) < 3:
            raise AccuracyError("it does not rest")
        return run(graph, *more)

    monkeypatch.setattr(module, "run_to_rest", failing)
    found = solve_inequality(VariationalInequality(**square))
    assert found.solved
    np.testing.assert_allclose(found.x, [2.0], atol=1e-9)
    assert steps == pytest.approx([1.8, 0.45, 0.1125])
    steps.clear()
    monkeypatch.setattr(module, "TRIALS", 2)
    with pytest.raises(AccuracyError, match=r"^it does not rest$"):
        solve_inequality(VariationalInequality(**square))


def test_what_does_not_rest_has_no_answer() -> None:
    """F = (-2 x_0 + x_1, -x_0 - 2 x_1) turns outwards without limit."""
    matrix = ROTATION - 2.0 * np.eye(2)
    with pytest.raises(
        AccuracyError, match=r"^solve_inequality: (within|after) .* time constants the state .*F may not be"
    ):
        solve_inequality(VariationalInequality(matrix=matrix, vector=np.zeros(2)), initial=[0.1, 0.0])


def test_infeasible_and_wrong_input_is_refused() -> None:
    empty = VariationalInequality(
        matrix=np.eye(2), vector=np.zeros(2), rows=np.ones((1, 2)), rows_upper=-3.0, lower=0.0
    )  # type: ignore[arg-type]
    with pytest.raises(InputError, match=r"^VariationalInequality: is infeasible, as no x lies within all its limits"):
        solve_inequality(empty)
    with pytest.raises(InputError, match=r"^`accuracy = 0.0`: must be positive"):
        solve_inequality(cournot([1.0], intercept=2.0, slope=1.0), accuracy=0.0)
    with pytest.raises(InputError, match=r"^`problem` = 3: must be a VariationalInequality, or a table"):
        solve_inequality(3)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("matrix", "vector", "accuracy"),
    [
        ([1e12, 1.0], [-1e12, -5.0], 1e-10),
        ([1.0, 2e-6], [-1e6, -1e-5], 1e-10),
        ([1.0, 2e-5], [-1.0, -1e-4], 1e-3),
    ],
)
def test_a_variable_that_is_slower_than_the_others_is_not_forgotten(
    matrix: list[float], vector: list[float], accuracy: float
) -> None:
    """x_2 should be 5; each problem rests where it has hardly moved, and no such point is called a solution."""
    found = solve_inequality(VariationalInequality(matrix=np.diag(matrix), vector=vector), accuracy=accuracy)
    assert abs(found.x[1] - 5.0) > 1.0
    assert not found.solved
    assert found.misses[1] == pytest.approx(5.0 - found.x[1], rel=1e-6)


@pytest.mark.parametrize("scale", [1e-9, 1.0, 1e7, 1e12])
def test_the_unit_of_a_game_does_not_matter(scale: float) -> None:
    found = solve_inequality(matrix_game(scale * np.array([[3.0, 0.0], [1.0, 2.0]])))
    assert found.solved
    assert np.isfinite(found.residual)
    np.testing.assert_allclose(found.x, [0.25, 0.75, 0.5, 0.5], atol=1e-8)


def test_an_empty_set_has_no_nearest_point_however_large_other_limits_are() -> None:
    empty = VariationalInequality(
        matrix=np.eye(2),
        vector=[-0.5, 1.0],
        rows=[[1.0, 0.0], [1.0, 0.0]],
        rows_lower=[1.0, -np.inf],
        rows_upper=[np.inf, 0.0],
        upper=[np.inf, 1e10],
    )
    assert empty.residual(np.array([0.5, -1.0])) == np.inf
