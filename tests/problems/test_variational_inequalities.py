"""Variational inequalities: residuals, the enlarged problem, designs in ngspice, and bad input."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import hopfield_hw as hh
from hopfield_hw.designs import load_design
from hopfield_hw.problems import Ball, VariationalInequality, build_problem, matrix_game, variational_network
from hopfield_hw.problems.equilibrium_problems import cournot, traffic
from hopfield_hw.values.errors import InputError

INF = np.inf


def problem(**fields: Any) -> VariationalInequality:
    return VariationalInequality(**fields)


# F = J x + q with a rotation J, on the unit disk and x_0 + x_1 >= -0.8.
DISK = problem(
    matrix=[[0.0, 1.0], [-1.0, 0.0]],
    vector=[1.0, 2.0],
    rows=[[1.0, 1.0]],
    rows_lower=-0.8,
    balls=[{"variables": [0, 1], "radius": 1.0}],
)


def test_the_residual_is_0_at_a_solution_and_nowhere_else() -> None:
    """F = x - v: the solution is the point of C that is nearest to v."""
    near = problem(matrix=np.eye(2), vector=[-3.0, -1.0], rows=[[1.0, 1.0]], rows_upper=2.0, lower=0.0)
    assert near.residual(np.array([2.0, 0.0])) == pytest.approx(0.0, abs=1e-14)
    assert near.residual(np.array([1.0, 1.0])) == pytest.approx(1.0)
    assert near.residual(np.array([2.0, 0.0]), step=100.0) == pytest.approx(0.0, abs=1e-13)
    assert near.residual(np.array([5.0, 5.0])) >= 3.0
    assert near.violation(np.array([2.0, 0.0])) == 0.0
    assert near.violation(np.array([3.0, -0.5])) == pytest.approx(0.5)
    assert DISK.violation(np.array([-2.0, 0.0])) == pytest.approx(1.2)
    assert DISK.violation(np.array([3.0, 0.0])) == pytest.approx(2.0)


def test_the_enlarged_problem_is_the_stated_one() -> None:
    rng = np.random.default_rng(0)
    n = 4
    given = problem(
        matrix=rng.normal(size=(n, n)),
        vector=rng.normal(size=n),
        quadratic=rng.normal(size=(n, n, n)),
        rows=rng.normal(size=(4, n)),
        rows_lower=[0.5, -INF, -1.0, -2.0],
        rows_upper=[0.5, 1.0, 2.0, INF],
        balls=[{"variables": [1, 3], "centre": [0.2, -0.1], "radius": 0.5}, Ball((0,), np.array([0.3]), 2.0)],
    )
    box = given.enlarged()
    assert box.lower.tolist() == [-INF] * 4 + [-INF, 0.0, 0.0] + [0.0, 0.0] + [0.0, 0.0]
    z = rng.normal(size=11)
    x, y, k = given.split(z)
    assert y.tolist() == [z[4], z[5], z[6] - z[7], -z[8]]
    apart = [x[[1, 3]] - np.array([0.2, -0.1]), x[[0]] - 0.3]
    expected = given.mapping(x) + given.rows.T @ y
    expected[[1, 3]] += k[0] * apart[0] / 0.5
    expected[0] += k[1] * apart[1][0] / 2.0
    rows = given.rows @ x
    limits = [0.5 - rows[0], 1.0 - rows[1], 2.0 - rows[2], rows[2] + 1.0, rows[3] + 2.0]
    discs = [0.5 * (r - float(d @ d) / r) for d, r in zip(apart, (0.5, 2.0), strict=True)]
    np.testing.assert_allclose(box.mapping(z), [*expected, *limits, *discs], atol=1e-12)


@pytest.mark.parametrize("seed", range(4))
def test_the_enlarged_problem_is_monotone_where_f_is(seed: int) -> None:
    rng = np.random.default_rng(seed)
    twist = rng.normal(size=(3, 3))
    fields: dict[str, Any] = {"vector": 0.0, "rows": rng.normal(size=(2, 3)), "rows_upper": 1.0}
    fields["balls"] = [{"variables": [0, 2], "radius": 1.0}]
    assert problem(matrix=twist - twist.T, **fields).enlarged().is_monotone() is True
    assert problem(matrix=twist - twist.T - 0.1 * np.eye(3), **fields).enlarged().is_monotone() is False


DESIGN = """
title = "A game of two rows and two columns"
citation = "J. von Neumann, Math. Ann. 100:295 (1928)"
description = "Both players mix so that the other has no choice that is better; the multipliers are the value, 1.5."
[network]
problem = "variational_inequality"
[network.arguments.problem]
matrix = [[0.0, 0.0, 3.0, 0.0], [0.0, 0.0, 1.0, 2.0], [-3.0, -1.0, 0.0, 0.0], [0.0, -2.0, 0.0, 0.0]]
vector = 0.0
rows = [[1.0, 1.0, 0.0, 0.0], [0.0, 0.0, 1.0, 1.0]]
rows_lower = 1.0
rows_upper = 1.0
lower = 0.0
[analysis]
t_stop = 1.0
[expected]
kind = "settled"
outputs = [0.25, 0.75, 0.5, 0.5, -1.5, 1.5]
tolerance = 1.0e-3
[cells.ideal]
tolerance = 1.0e-4
reason = "the accuracy that ngspice is asked for"
"""


@pytest.mark.usefixtures("ngspice")
@pytest.mark.parametrize("cell", ["ideal", "active_rc"])
def test_a_game_is_solved_by_its_circuit(cell: str, tmp_path: Path) -> None:
    """The design in ideal cells and in op-amps ends at the value of the game, for which no potential exists."""
    folder = tmp_path / "game"
    folder.mkdir()
    (folder / "design.toml").write_text(DESIGN, encoding="utf-8")
    design = load_design(folder)
    assert design.expected is not None
    real = hh.ActiveRC(op_amp=1e9) if cell == "active_rc" else "ideal"
    wave = hh.simulate(hh.lower(design.graph(), cell=real), t_stop=design.t_stop, accuracy=1e-3)
    (answer,) = design.expected.check(wave)
    assert answer.ok, answer
    graph = variational_network(matrix_game([[3.0, 0.0], [1.0, 2.0]]))
    assert hh.verify(graph, cell=real, t_stop=20e-3, accuracy=1e-3).passed


@pytest.mark.usefixtures("ngspice")
@pytest.mark.parametrize("cell", ["ideal", "active_rc"])
def test_a_disk_and_a_row_in_a_circuit_with_multipliers(cell: str) -> None:
    """Squares by multipliers: the circuit ends on the circle and on the line, where the equation says."""
    real = hh.ActiveRC(op_amp=1e9) if cell == "active_rc" else "ideal"
    wave = hh.simulate(hh.lower(variational_network(DISK), cell=real), t_stop=0.2, accuracy=1e-3)
    x, rows, balls = DISK.split(wave["output"].to_numpy()[-1])
    away = np.sqrt(0.34)  # the line meets the circle at (-0.4, -0.4) +- away (1, -1)
    np.testing.assert_allclose(x, [away - 0.4, -away - 0.4], atol=1e-4)
    assert rows[0] < 0.0 < balls[0]
    assert DISK.residual(x) < 1e-3


def test_a_design_may_have_balls_in_tables() -> None:
    table = {"matrix": [[1.0]], "vector": [-3.0], "balls": [{"variables": [0], "centre": 0.5, "radius": 1.0}]}
    graph = build_problem("variational_inequality", {"problem": table, "step": 0.1, "initial": 0.5})
    assert graph.kind == "ode"


GIVEN: dict[str, Any] = {"matrix": np.eye(2), "vector": [-1.0, 0.0]}
VI = "VariationalInequality"
REFUSED: dict[str, tuple[Callable[[], Any], str]] = {
    "not square": (
        lambda: problem(matrix=[[1.0, 2.0]], vector=1.0),
        f"`{VI}.matrix` has shape (1, 2): must be (n, n) with at least one variable",
    ),
    "vector": (
        lambda: problem(matrix=np.eye(2), vector=[1.0, 2.0, 3.0]),
        f"`{VI}.vector` has shape (3,): must have shape (2,)",
    ),
    "nan": (
        lambda: problem(matrix=[[np.nan]], vector=1.0),
        f"`{VI}.matrix[0, 0] = nan`: must be finite; replace missing or infinite values",
    ),
    "quadratic": (
        lambda: problem(**GIVEN, quadratic=np.eye(2)),
        f"`{VI}.quadratic` has shape (2, 2): must have shape (2, 2, 2)",
    ),
    "limits": (
        lambda: problem(**GIVEN, lower=[0.0, 2.0], upper=1.0),
        f"`{VI}.lower[1]` = 2.0 and `{VI}.upper[1]` = 1.0: must hold a finite number between",
    ),
    "rows": (lambda: problem(**GIVEN, rows=np.ones((1, 3))), f"`{VI}.rows` has shape (1, 3): must be (m, 2)"),
    "limits of rows": (
        lambda: problem(**GIVEN, rows=np.ones((1, 2)), rows_lower=1.0, rows_upper=0.0),
        f"`{VI}.rows_lower[0]` = 1 and `{VI}.rows_upper[0]` = 0: must hold a finite number between",
    ),
    "too many": (
        lambda: problem(matrix=np.eye(127), vector=0.0, rows=np.ones((2, 127)), balls=[Ball((0,), np.zeros(1), 1.0)]),
        f"{VI}: has 130 variables, rows and balls: must be at most 128 where F is quadratic or there are balls",
    ),
    "a ball": (
        lambda: problem(**GIVEN, balls=[{"variables": [0]}]),
        f"`{VI}.balls[0]` = {{'variables': [0]}}: must be a Ball, or a table of variables, centre and radius",
    ),
    "variables of a ball": (
        lambda: problem(**GIVEN, balls=[{"variables": [0, 2], "radius": 1.0}]),
        f"`{VI}.balls[0].variables` = 2: must be a whole number from 0 to 1",
    ),
    "a variable twice": (
        lambda: problem(**GIVEN, balls=[{"variables": [1, 1], "radius": 1.0}]),
        f"`{VI}.balls[0].variables` = (1, 1): must name at least one variable, and none twice",
    ),
    "a radius": (
        lambda: problem(**GIVEN, balls=[Ball((0,), np.zeros(1), 0.0)]),
        f"`{VI}.balls[0].radius = 0.0`: must be positive",
    ),
    "infeasible rows": (
        lambda: variational_network(problem(**GIVEN, rows=[[1.0, 1.0]], rows_lower=3.0, lower=0.0, upper=1.0)),
        f"{VI}: is infeasible, as no x lies within all its limits (1 rows, 0 balls, 2 variables; found by a "
        "linear program); relax one of them",
    ),
    "a ball outside of the rows": (
        lambda: problem(
            **GIVEN, rows=[[1.0, 1.0]], rows_lower=1.5, balls=[{"variables": [0, 1], "radius": 1.0}]
        ).check_feasible(),
        f"{VI}: is infeasible, as no x lies within all its limits (1 rows, 1 balls, 2 variables; found by a "
        "linear program and a projection); relax one of them",
    ),
    "balls apart": (
        lambda: problem(
            **GIVEN, balls=[{"variables": [0], "radius": 1.0}, {"variables": [0], "centre": 3.0, "radius": 1.0}]
        ).check_feasible(),
        f"{VI}: is infeasible, as no x lies within all its limits (0 rows, 2 balls, 2 variables; found by a "
        "linear program and a projection); relax one of them",
    ),
    "two disks apart, whose boxes are not": (
        lambda: problem(
            **GIVEN,
            balls=[
                {"variables": [0, 1], "radius": 1.0},
                {"variables": [0, 1], "centre": 1.5, "radius": 1.0},
            ],
        ).check_feasible(),
        f"{VI}: is infeasible, as no x lies within all its limits (0 rows, 2 balls, 2 variables; found by a "
        "linear program and a projection); relax one of them",
    ),
    "no list of balls": (
        lambda: problem(**GIVEN, balls=None),
        "`VariationalInequality.balls` = None: must be a list of balls, empty where there are none",
    ),
    "half a link": (
        lambda: traffic([[0.5, 1.0]], rates=[1.0, 1.0], constants=[0.0, 0.0], demand=1.0),
        "`paths` holds 0.5: must be 0 or 1, for each link",
    ),
    "a point that is none": (
        lambda: problem(**GIVEN).violation(np.array([np.nan, 0.0])),
        "`x[0] = nan`: must be finite; replace missing or infinite values",
    ),
    "no solution": (
        lambda: variational_network(
            problem(matrix=np.zeros((2, 2)), vector=[0.0, -1.0], rows=[[1.0, 0.0]], rows_upper=1.0)
        ),
        f"{VI}: has no solution, as no x within its limits and no multipliers y of its rows have M x + q + A^T y >= 0 "
        "where only the lower end of a variable is finite (<= 0 for the upper one, = 0 for neither); change the "
        "vector, or make the limits finite",
    ),
    "no problem": (
        lambda: variational_network(3),  # type: ignore[arg-type]
        "`problem` = 3: must be a VariationalInequality, or a table of one with matrix and vector",
    ),
    "a field": (
        lambda: variational_network({"matrix": [[1.0]], "vector": 1.0, "uper": 1.0}),
        "`problem`: field 'uper' is unknown: must be one of matrix, vector, quadratic, rows, rows_lower, rows_upper, "
        "lower, upper, balls; did you mean 'upper'?",
    ),
    "a start": (
        lambda: variational_network(problem(**GIVEN), initial=np.zeros(3)),
        "`initial` has shape (3,): must have shape (2,)",
    ),
    "a game": (
        lambda: matrix_game([1.0, 2.0]),
        "`payoff` has shape (2,): must be (m, k), of at least one row and column",
    ),
    "a market": (lambda: cournot([1.0], intercept=2.0, slope=0.0), "`slope = 0.0`: must be positive"),
    "firms": (
        lambda: cournot(1.0, intercept=2.0, slope=1.0),
        "`costs` has shape (): must be (n,), of at least one firm",
    ),
    "a link": (
        lambda: traffic([[1.0]], rates=[-1.0], constants=[0.0], demand=1.0),
        "`rates` holds -1: must be at least 0",
    ),
    "a demand": (
        lambda: traffic([[1.0]], rates=[1.0], constants=[0.0], demand=0.0),
        "`demand[0] = 0.0`: must be positive",
    ),
}


@pytest.mark.parametrize(("make", "message"), REFUSED.values(), ids=REFUSED)
def test_refused(make: Callable[[], Any], message: str) -> None:
    with pytest.raises(InputError) as caught:
        make()
    assert str(caught.value) == message
