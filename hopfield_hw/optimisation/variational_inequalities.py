"""Variational inequalities solved by their network, and judged by a projection of another kind."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from ..families.forward_backward_forward import forward_backward_forward, reach, usual_step
from ..problems.variational_inequalities import VariationalInequality
from ..problems.variational_networks import as_inequality
from ..values.arrays import Array, freeze, positive
from ..values.errors import AccuracyError
from ..values.report import Report
from .resting import Rest, run_to_rest

# A solution is off by less than this multiple of the accuracy in each variable, relative to one above 1.
CLOSE = 100.0
# Where F is quadratic, no step is known before the run to be small enough: each is this part of the one before.
SMALLER, TRIALS = 0.25, 4
PROOFS = {
    True: "F is monotone: from every start the network settles at a solution, if there is one and the step is small",
    False: "F is not monotone: nothing is proved of where, or whether, the network settles; others may solve it too",
    None: "whether F is monotone is not known, so that nothing is proved of where, or whether, the network settles",
}


@dataclass(frozen=True, kw_only=True, eq=False)
class VariationalSolution(Report):
    """Where the network of a variational inequality rests.

    `x`: (n,). `multipliers`: (m,), of the rows, above 0 at an upper limit. `ball_multipliers`: of |x_B - c| <= r.
    `violation`: by how much the worst limit is passed. `residual`: max |x - P_C(x - F(x))|, 0 at a solution and nowhere
    else, with P_C by `problems.nearest_points`. `step_residual`: the same of `step` F, which does not depend on the
    units of F. `solved`: whether this and the violation are within 100 times the accuracy, relative to an x above 1.
    `monotone`: whether F is monotone on the box, None where not known. `time`: time constants until it rested.
    """

    x: Array
    multipliers: Array
    ball_multipliers: Array
    violation: float
    residual: float
    misses: Array
    solved: bool
    monotone: bool | None
    time: float

    @property
    def verdict(self) -> str:
        """ "solution" or "no solution"."""
        return "solution" if self.solved else "no solution"

    def rows(self) -> list[tuple[str, str]]:
        """Return the solution as (what, value) rows."""
        return [
            ("result", self.verdict),
            ("residual", f"{self.residual:.1e}; a variable is off by {float(np.max(self.misses)):.1e} at most"),
            ("violation", f"{self.violation:.1e}"),
            ("proved", PROOFS[self.monotone]),
            ("time", f"{self.time:.4g} R C"),
        ]

    def figures(self) -> dict[str, Any]:
        """Return by name what JSON has of the solution."""
        return {
            "result": self.verdict,
            "x": self.x.tolist(),
            "multipliers": self.multipliers.tolist(),
            "ball_multipliers": self.ball_multipliers.tolist(),
            "violation": self.violation,
            "residual": self.residual,
            "misses": self.misses.tolist(),
            "monotone": self.monotone,
            "time": self.time,
        }


def solve_inequality(
    problem: VariationalInequality, *, initial: Any = None, accuracy: float = 1e-10
) -> VariationalSolution:
    """Run the network of a variational inequality (`problems.variational_networks`) until it rests, and judge it.

    F is divided by the larger of |M|_2 and |F| at the start, and each row by its norm, which changes the pace and no
    solution. For a quadratic F or balls, a step at which it does not rest is followed by a quarter of it, three times
    at most. `initial`: x(0), (n,); the point of the box nearest to 0 by default. `accuracy`: of the state.

    Raises InputError where C is empty and where no solution can exist; AccuracyError where it does not rest within 10^5
    time constants, as where F is not monotone, or where there is no solution.
    """
    problem = as_inequality(problem)
    goal = float(positive(accuracy, "accuracy", shape=(), unit=""))
    problem.check_feasible()
    n = problem.size
    start = problem.nearest_start() if initial is None else freeze(initial, "initial", shape=(n,))
    scaled, pace, norms = _scaled(problem, start)
    box = scaled.enlarged()
    state = np.concatenate([start, np.zeros(box.vector.size - n)])
    step = usual_step(box.lipschitz(reach(box, state)))
    trials = 1 if box.quadratic is None else TRIALS
    for trial in range(trials):
        try:
            found = _run(forward_backward_forward(box, step=step * SMALLER**trial, initial=state), goal)
            break
        except AccuracyError:
            if trial == trials - 1:
                raise
    x, rows, balls = scaled.split(found.outputs)
    violation, misses, sizes = problem.violation(x), problem.misses(x), np.maximum(1.0, np.abs(x))
    met = violation <= CLOSE * goal * float(np.max(sizes))
    return VariationalSolution(
        x=x,
        multipliers=pace / norms * rows,
        ball_multipliers=pace * balls,
        violation=violation,
        residual=problem.residual(x),
        misses=freeze(misses, "misses", shape=(n,), allow_inf=True),
        solved=met and bool(np.all(misses <= CLOSE * goal * sizes)),
        monotone=problem.is_monotone(),
        time=found.time,
    )


def _run(graph: Any, goal: float) -> Rest:
    why = f"F may not be monotone, there may be no solution, or accuracy={goal:g} is too fine"
    with np.errstate(over="ignore", invalid="ignore"):
        return run_to_rest(graph, goal, "solve_inequality", why)


def _scaled(problem: VariationalInequality, start: Array) -> tuple[VariationalInequality, float, Array]:
    """Return the problem with an F of about 1 and rows of norm 1, what F was divided by, and the norms."""
    norms = np.linalg.norm(problem.rows, axis=1)
    norms[norms == 0.0] = 1.0
    sizes = [float(np.linalg.norm(problem.matrix, 2)), float(np.max(np.abs(problem.mapping(start))))]
    pace = max(sizes) or 1.0
    scaled = replace(
        problem,
        matrix=problem.matrix / pace,
        vector=problem.vector / pace,
        quadratic=None if problem.quadratic is None else problem.quadratic / pace,
        rows=problem.rows / norms[:, np.newaxis],
        rows_lower=problem.rows_lower / norms,
        rows_upper=problem.rows_upper / norms,
    )
    return scaled, pace, norms
