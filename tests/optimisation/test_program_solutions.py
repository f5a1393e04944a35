"""Programs solved by their networks: a published linear program, random ones against SciPy, and bad input."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.optimize import linprog, minimize

from hopfield_hw.formats.instances import read_program
from hopfield_hw.optimisation import solve_program
from hopfield_hw.problems.programs import LinearProgram, QuadraticProgram, as_program
from hopfield_hw.values.errors import AccuracyError, InputError

# The linear program of Tank and Hopfield (1986): y <= 5, -x <= 5, 5/12 x - y <= 35/12, 5/2 x + y <= 35/2.
ROWS = np.array([[0.0, 1.0], [-1.0, 0.0], [5.0 / 12.0, -1.0], [5.0 / 2.0, 1.0]])
LIMITS = np.array([5.0, 5.0, 35.0 / 12.0, 35.0 / 2.0])
VERTICES = np.array([[-5.0, 5.0], [5.0, 5.0], [7.0, 0.0], [-5.0, -5.0]])
# Published optima (I. Maros and C. Meszaros 1999), to the digits given.
OPTIMA = {
    "HS21": -99.96,
    "HS35": 1.0 / 9.0,
    "HS76": -4.68181818,
    "HS118": 664.82045,
    "LOTSCHD": 2398.41589,
    "ZECEVIC2": -4.125,
    "DUAL4": 0.746090842,
    "GENHS28": 0.927173694,
}


def direction(degrees: float) -> LinearProgram:
    angle = np.deg2rad(degrees)
    return LinearProgram(linear=np.array([np.cos(angle), np.sin(angle)]), rows=ROWS, rows_upper=LIMITS)


@pytest.mark.parametrize("degrees", [30, 210])
def test_linear_program_of_tank_and_hopfield(degrees: float) -> None:
    program = direction(degrees)
    best = VERTICES[np.argmin(VERTICES @ program.linear)]
    exact = solve_program(program)
    np.testing.assert_allclose(exact.x, best, atol=1e-8)
    assert exact.violation < 1e-9
    assert exact.residual < 1e-8
    # The penalty's error is that of the multipliers over the gain.
    errors = [
        float(np.abs(solve_program(program, network="penalty", gain=gain, scale=False).x - best).max())
        for gain in (10.0, 1000.0)
    ]
    assert 0.01 < errors[0] <= 0.125
    assert errors[1] == pytest.approx(errors[0] / 100.0, rel=0.05)


def random_program(seed: int) -> QuadraticProgram:
    rng = np.random.default_rng(seed)
    root = rng.normal(size=(5, 5))
    inside = rng.uniform(-0.5, 0.5, 5)
    rows = rng.normal(size=(3, 5))
    middle = rows @ inside
    lower, upper = middle - np.array([0.0, 0.3, np.inf]), middle + np.array([0.0, 0.3, 0.1])
    return QuadraticProgram(
        quadratic=0.4 * root @ root.T,
        linear=2.0 * rng.normal(size=5),
        rows=rows,
        rows_lower=lower,
        rows_upper=upper,
        lower=-np.ones(5),
        upper=np.where(np.arange(5) < 3, 1.0, np.inf),
    )


@pytest.mark.parametrize("seed", range(3))
def test_random_programs_against_another_method(seed: int) -> None:
    program = random_program(seed)
    found = solve_program(program)
    constraints = [
        {"type": "eq", "fun": lambda x: program.rows[:1] @ x - program.rows_upper[:1]},
        {"type": "ineq", "fun": lambda x: program.rows_upper[1:] - program.rows[1:] @ x},
        {"type": "ineq", "fun": lambda x: program.rows[1:2] @ x - program.rows_lower[1:2]},
    ]
    options: dict[str, Any] = {"ftol": 1e-14, "maxiter": 500}
    box = list(zip(program.lower, program.upper, strict=True))
    other = minimize(
        program.objective, np.zeros(5), method="SLSQP", bounds=box, constraints=constraints, options=options
    )
    assert found.objective == pytest.approx(float(other.fun), abs=1e-7)
    assert found.violation < 1e-9
    assert found.residual < 1e-8
    # A multiplier is 0 where its row is not at a limit, and of the sign of the limit where it is.
    z = program.rows @ found.x
    for value, at, low, high in zip(found.multipliers, z, program.rows_lower, program.rows_upper, strict=True):
        assert abs(value) < 1e-8 or (value > 0.0 and abs(at - high) < 1e-8) or (value < 0.0 and abs(at - low) < 1e-8)


def test_scaling_changes_no_solution() -> None:
    program = random_program(1)
    plain, scaled = (solve_program(program, scale=scale) for scale in (False, True))
    np.testing.assert_allclose(plain.x, scaled.x, atol=1e-8)
    np.testing.assert_allclose(plain.multipliers, scaled.multipliers, atol=1e-7)


def test_the_report_says_objective_and_residual() -> None:
    found = solve_program(direction(30))
    assert [row[0] for row in found.rows()] == ["objective", "violation", "residual", "time"]
    assert found.objective == pytest.approx(float(linprog(direction(30).linear, ROWS, LIMITS, bounds=(None, None)).fun))


@pytest.mark.parametrize("name", OPTIMA)
def test_published_programs(name: str) -> None:
    folder = os.environ.get("HOPFIELD_HW_DATA")
    if not folder:
        pytest.skip("HOPFIELD_HW_DATA does not name the folder of the benchmark data")
    program = as_program(read_program(Path(folder) / "qp" / f"{name}.mat"))
    found = solve_program(program)
    assert found.objective == pytest.approx(OPTIMA[name], rel=3e-9)
    assert found.violation <= 1e-9
    assert found.residual <= 1e-9


def test_infeasible_programs_are_refused_at_the_door() -> None:
    program = LinearProgram(linear=np.ones(2), rows=np.ones((1, 2)), rows_upper=-3.0, lower=0.0)  # type: ignore[arg-type]
    with pytest.raises(InputError) as caught:
        solve_program(program)
    assert str(caught.value) == (
        "LinearProgram: is infeasible, as no x lies within all its limits (1 rows, 2 variables; found by "
        "scipy.optimize.linprog); relax one of them"
    )


def test_a_quadratic_objective_without_a_least_value_does_not_rest() -> None:
    program = QuadraticProgram(quadratic=np.diag([1.0, 0.0]), linear=np.array([0.0, -1.0]))
    with pytest.raises(
        AccuracyError, match=r"^solve_program: after 1.11e\+05 time constants the state still moves by "
    ):
        solve_program(program)


def test_an_unknown_network_is_refused() -> None:
    with pytest.raises(InputError) as caught:
        solve_program(direction(0), network="multiplier")  # type: ignore[arg-type]
    assert str(caught.value) == (
        "network 'multiplier' is unknown: must be one of multipliers, penalty; did you mean 'multipliers'?"
    )
