"""Programs solved by their networks: the differential equation runs until it rests."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np

from ..problems.program_networks import multiplier_network, penalty_network
from ..problems.programs import QuadraticProgram
from ..values.arrays import Array, freeze, positive
from ..values.errors import InputError
from ..values.names import unknown
from ..values.report import Report
from .resting import run_to_rest

NETWORKS = ("multipliers", "penalty")


@dataclass(frozen=True, kw_only=True, eq=False)
class ProgramSolution(Report):
    """Where the network of a program rests. `x`: (n,). `multipliers`: (m,), of the rows, 0 where the limit is not met.

    `objective`, `violation`: at x. `residual`: the largest of what the optimality conditions miss, B(x - slope) - x.
    `time`: how many time constants it ran until it rested.
    """

    x: Array
    multipliers: Array
    objective: float
    violation: float
    residual: float
    time: float

    def rows(self) -> list[tuple[str, str]]:
        """Return the solution as (what, value) rows."""
        return [
            ("objective", f"{self.objective:.12g}"),
            ("violation", f"{self.violation:.1e}"),
            ("residual", f"{self.residual:.1e}"),
            ("time", f"{self.time:.4g} R C"),
        ]

    def figures(self) -> dict[str, Any]:
        """Return by name what JSON has of the solution."""
        return {
            "x": self.x.tolist(),
            "multipliers": self.multipliers.tolist(),
            "objective": self.objective,
            "violation": self.violation,
            "residual": self.residual,
            "time": self.time,
        }


def solve_program(
    program: QuadraticProgram,
    *,
    network: Literal["multipliers", "penalty"] = "multipliers",
    gain: float = 1000.0,
    initial: Any = None,
    accuracy: float = 1e-10,
    scale: bool = True,
) -> ProgramSolution:
    """Run the network of a program (`problems.program_networks`) as its equation until it rests.

    `network`: "multipliers", exact, or "penalty" with a `gain`, off by the order of 1 / gain. `initial`: (n,), the
    point of the box nearest to 0 by default. `accuracy`: of the state, at which it rests. `scale`: divide each row by
    its norm and the objective by its slope at the start, which changes the pace and no solution.

    Raises InputError for an infeasible program, an unbounded linear one, and an unknown network; AccuracyError where it
    does not rest within 10^5 time constants, as where a quadratic objective has no least value.
    """
    if network not in NETWORKS:
        raise InputError(unknown("network", network, NETWORKS))
    if not isinstance(program, QuadraticProgram):
        raise InputError(f"`program` = {program!r:.60}: must be a QuadraticProgram or a LinearProgram")
    goal = float(positive(accuracy, "accuracy", shape=(), unit=""))
    program.check_feasible()
    n = program.size
    nearest = np.clip(np.zeros(n), program.lower, program.upper)
    start = nearest if initial is None else freeze(initial, "initial", shape=(n,))
    scaled, factors = _scaled(program, start) if scale else (program, np.ones(len(program.rows)))
    if network == "penalty":
        graph = penalty_network(scaled, gain=gain, initial=start)
    else:
        graph = multiplier_network(scaled, initial=start)
    rest = run_to_rest(
        graph, goal, "solve_program", f"the objective may have no least value, or accuracy={goal:g} is too fine"
    )
    x = np.clip(rest.state[:n], program.lower, program.upper)
    if network == "penalty":
        z = scaled.rows @ x
        pushes = gain * (z - np.clip(z, scaled.rows_lower, scaled.rows_upper))
    else:
        pushes = rest.outputs[n:]
    multipliers = pushes * factors
    slope = program.quadratic @ x + program.linear + program.rows.T @ multipliers
    residual = np.abs(np.clip(x - slope, program.lower, program.upper) - x)
    return ProgramSolution(
        x=x,
        multipliers=multipliers,
        objective=float(program.objective(x)),
        violation=float(program.violation(x)),
        residual=float(residual.max()),
        time=rest.time,
    )


def _scaled(program: QuadraticProgram, start: Array) -> tuple[QuadraticProgram, Array]:
    """Return the program with rows of norm 1 and an objective of slope 1 at the start, and what multiplies multipliers.

    The largest element of the slope counts, or of P where that is 0.
    """
    norms = np.linalg.norm(program.rows, axis=1)
    norms[norms == 0.0] = 1.0
    slope = float(np.max(np.abs(program.quadratic @ start + program.linear)))
    pace = slope or float(np.max(np.abs(program.quadratic))) or 1.0
    scaled = replace(
        program,
        quadratic=program.quadratic / pace,
        linear=program.linear / pace,
        rows=program.rows / norms[:, np.newaxis],
        rows_lower=program.rows_lower / norms,
        rows_upper=program.rows_upper / norms,
    )
    return scaled, pace / norms
