"""Linear and quadratic programs of files, by a projection network with multiplier neurons."""

from __future__ import annotations

import time

import numpy as np

from ..formats.instances import ProgramData
from ..problems.programs import as_program
from ..values.errors import InputError
from .annealed import Effort
from .programs import solve_program
from .solution import Solution

# What optimality conditions and limits may miss, as parts of the largest number that stands in them.
CLOSE = 1e-7


def solve_data(data: ProgramData, effort: Effort) -> Solution:
    """Return the x at which the network of a convex program rests, judged by its optimality conditions.

    With multipliers y of the rows, x is optimal where P x + q + A^T y pushes no variable further into its limits and y
    pushes only rows that are met (Karush, Kuhn and Tucker). Raises InputError for whole variables, an indefinite P, an
    infeasible or unbounded program, and for a preset; AccuracyError where the network does not rest.
    """
    if effort.preset is not None:
        raise InputError(f"`preset` = {effort.preset!r:.60}: a program is solved by one dynamics; leave it out")
    program = as_program(data)
    started = time.process_time()
    found = solve_program(program)
    seconds = time.process_time() - started
    size = max(1.0, float(np.max(np.abs(found.x))), float(np.max(np.abs(program.linear))))
    valid = found.violation <= CLOSE * size
    optimal = valid and found.residual <= CLOSE * size
    return Solution(
        name=data.name,
        kind="program",
        answer=found.x,
        form="the variables, in the file's order",
        value=data.sign * found.objective,
        what="objective",
        valid=valid,
        rests_on=(
            f"the limits of the file, missed by {found.violation:.1e}, and the conditions of a convex optimum, "
            f"missed by {found.residual:.1e}"
        ),
        optimal=optimal,
        method="projection network with multiplier neurons",
        processor_time=seconds,
        more={"rested": f"after at most {found.time:.4g} R C"},
    )
