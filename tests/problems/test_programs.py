"""Programs and their networks: limits, objectives, equilibria that are optimal, one circuit, and bad input."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import hopfield_hw as hh
from hopfield_hw.equations import OdeProgram
from hopfield_hw.problems import build_problem
from hopfield_hw.problems.program_networks import multiplier_network, penalty_network
from hopfield_hw.problems.programs import LinearProgram, QuadraticProgram
from hopfield_hw.transforms import in_si
from hopfield_hw.values.errors import InputError

# Minimise over x with x_0 + x_1 + x_2 = 1, x_0 - x_1 <= 1/4 and -1/2 <= x <= 1; the solution is (2/7, 1, -2/7).
PROGRAM = QuadraticProgram(
    quadratic=np.array([[2.0, 0.5, 0.0], [0.5, 1.0, 0.0], [0.0, 0.0, 1.5]]),
    linear=np.array([-1.0, -2.0, 0.5]),
    rows=np.array([[1.0, 1.0, 1.0], [1.0, -1.0, 0.0]]),
    rows_lower=np.array([1.0, -np.inf]),
    rows_upper=np.array([1.0, 0.25]),
    lower=-0.5,  # type: ignore[arg-type]
    upper=1.0,  # type: ignore[arg-type]
)
SOLUTION, MULTIPLIERS = np.array([2.0 / 7.0, 1.0, -2.0 / 7.0]), np.array([-1.0 / 14.0, 0.0])


def test_limits_and_objective() -> None:
    assert PROGRAM.equalities.tolist() == [True, False]
    assert PROGRAM.objective(SOLUTION) == pytest.approx(-23.0 / 14.0)
    assert PROGRAM.violation(SOLUTION) == pytest.approx(0.0, abs=1e-15)
    assert PROGRAM.violation(np.array([[1.0, 0.0, 0.0], [2.0, -1.0, 0.0]])).tolist() == [0.75, 2.75]
    both = PROGRAM.objective(np.stack([SOLUTION, np.zeros(3)]))
    assert both.tolist() == pytest.approx([-23.0 / 14.0, 0.0])


def test_the_solution_is_at_rest_and_its_neighbours_are_not() -> None:
    equation = OdeProgram([in_si(multiplier_network(PROGRAM))])
    state = np.concatenate([SOLUTION, MULTIPLIERS])
    assert np.abs(equation.rhs(0.0, state)).max() * 1e-3 < 1e-15
    for k in range(5):
        assert np.abs(equation.rhs(0.0, state + 0.01 * np.eye(5)[k])).max() * 1e-3 > 1e-3
    np.testing.assert_allclose(equation.outputs(0.0, state), state, atol=1e-15)


def test_the_equation_is_the_stated_one() -> None:
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=3), rng.normal(size=2)
    p = PROGRAM
    w = y + p.rows @ x
    z = w - np.clip(w, p.rows_lower, p.rows_upper)
    slopes = [np.clip(x - (p.quadratic @ x + p.linear + p.rows.T @ z), p.lower, p.upper) - x, z - y]
    equation = OdeProgram([in_si(multiplier_network(p))])
    np.testing.assert_allclose(equation.rhs(0.0, np.concatenate([x, y])) * 1e-3, np.concatenate(slopes), atol=1e-12)
    push = p.rows @ x - np.clip(p.rows @ x, p.rows_lower, p.rows_upper)
    within = np.clip(x - 0.5 * (p.quadratic @ x + p.linear + 30.0 * p.rows.T @ push), p.lower, p.upper)
    equation = OdeProgram([in_si(penalty_network(p, gain=30.0, step=0.5))])
    np.testing.assert_allclose(equation.rhs(0.0, x) * 1e-3, within - x, atol=1e-12)


@pytest.mark.usefixtures("ngspice")
def test_equation_and_circuit_settle_at_the_solution() -> None:
    rng = np.random.default_rng(0)
    graph = multiplier_network(PROGRAM, initial=rng.uniform(-1.0, 1.0, 3), multipliers=rng.uniform(-1.0, 1.0, 2))
    circuit = hh.simulate(graph, t_stop=30e-3, points=3, accuracy=1e-3).output.to_numpy()[-1]
    equation = hh.reference_batch(graph, t_stop=30e-3, points=2, rtol=1e-6).output.to_numpy()[0, -1]
    for end in (circuit, equation):
        np.testing.assert_allclose(end, np.concatenate([SOLUTION, MULTIPLIERS]), atol=1e-6)


def test_a_design_has_the_fields_in_a_table() -> None:
    graph = build_problem("program", {"program": {"linear": [1.0], "lower": [-2.0]}})
    assert graph.kind == "ode"
    assert build_problem("program_by_penalty", {"program": {"linear": [1.0], "quadratic": [[1.0]]}}).kind == "ode"


GIVEN: dict[str, Any] = {"linear": np.ones(2), "quadratic": np.eye(2)}


REFUSED: dict[str, tuple[Callable[[Path], Any], str]] = {
    "indefinite": (
        lambda _: QuadraticProgram(linear=np.ones(2), quadratic=np.array([[1.0, 2.0], [2.0, 1.0]])),
        "`QuadraticProgram.quadratic` has the eigenvalue -1: is indefinite, so that there may be many local minima; "
        "must be positive semidefinite",
    ),
    "not symmetric": (
        lambda _: QuadraticProgram(linear=np.ones(2), quadratic=np.array([[1.0, 2.0], [0.0, 1.0]])),
        "`QuadraticProgram.quadratic[0, 1]` = 2 and [1, 0] = 0: must be symmetric; give (P + P^T) / 2",
    ),
    "limits": (
        lambda _: QuadraticProgram(**GIVEN, lower=1.0, upper=0.0),
        "`QuadraticProgram.lower[0]` = 1 and `QuadraticProgram.upper[0]` = 0: must hold a finite number between",
    ),
    "rows": (
        lambda _: LinearProgram(linear=np.ones(2), rows=np.ones((1, 3))),
        "`LinearProgram.rows` has shape (1, 3): must be (m, 2)",
    ),
    "a linear one with a square": (
        lambda _: LinearProgram(linear=np.ones(2), quadratic=np.eye(2)),
        "`LinearProgram.quadratic`: must be 0; use QuadraticProgram",
    ),
    "infeasible": (
        lambda _: QuadraticProgram(
            **GIVEN, rows=np.ones((1, 2)), rows_lower=3.0, lower=0.0, upper=1.0
        ).check_feasible(),
        "QuadraticProgram: is infeasible, as no x lies within all its limits (1 rows, 2 variables; found by "
        "scipy.optimize.linprog); relax one of them",
    ),
    "unbounded": (
        lambda _: LinearProgram(linear=np.ones(2), upper=1.0).check_feasible(),  # type: ignore[arg-type]
        "LinearProgram: is unbounded, as its objective has no least value within the limits; add a limit",
    ),
    "no program": (
        lambda _: multiplier_network(3),  # type: ignore[arg-type]
        "`program` = 3: must be a QuadraticProgram or a LinearProgram, or a table of one",
    ),
    "a field": (
        lambda _: multiplier_network({"linear": [1.0], "uper": 1.0}),
        "`program`: field 'uper' is unknown: must be one of linear, quadratic, constant, rows, rows_lower, rows_upper, "
        "lower, upper; did you mean 'upper'?",
    ),
}


@pytest.mark.parametrize(("make", "message"), REFUSED.values(), ids=REFUSED)
def test_refused(make: Callable[[Path], Any], message: str, tmp_path: Path) -> None:
    with pytest.raises(InputError) as caught:
        make(tmp_path)
    assert str(caught.value) == message or (message.endswith("(") and str(caught.value).startswith(message))
