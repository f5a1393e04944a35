"""Linear and quadratic programs of files, by a projection network with multiplier neurons."""

from __future__ import annotations

import time

import numpy as np

from ..formats.instances import ProgramData
from ..problems.programs import QuadraticProgram, as_program
from ..values.arrays import Array
from ..values.errors import InputError
from .annealed import Effort
from .programs import solve_program
from .solution import Solution

# What a limit, the slope of a variable without limits, and the objective may miss, as parts of their own terms.
CLOSE = 1e-7
NOTHING = 1e-12


def solve_data(data: ProgramData, effort: Effort) -> Solution:
    """Return the x at which the network of a convex program rests, judged by the limits and by a bound of its own.

    With multipliers y of the rows and s = P x + q + A^T y, no z within the limits is better than
    f(x) + min_z s . (z - x) - max_z y . (A z - A x), each taken over its own limits (weak duality). x counts as optimal
    where that bound is f(x), to a part of the objective's terms; every limit is judged by its own terms.

    Raises InputError for whole variables, an indefinite P, an infeasible or unbounded program, and for a preset;
    AccuracyError where the network does not rest.
    """
    if effort.preset is not None:
        raise InputError(f"`preset` = {effort.preset!r:.60}: a program is solved by one dynamics; leave it out")
    started = time.process_time()
    try:
        program = as_program(data)
        found = solve_program(program)
    except InputError as error:
        raise InputError(f"{data.name}: {str(error).removeprefix(f'{data.name}: ')}") from None
    seconds = time.process_time() - started
    valid = is_within(program, found.x)
    gap = duality_gap(program, found.x, found.multipliers)
    size = 0.5 * np.abs(found.x) @ np.abs(program.quadratic) @ np.abs(found.x) + np.abs(program.linear) @ np.abs(
        found.x
    )
    optimal = valid and gap <= CLOSE * float(size) + NOTHING
    return Solution(
        name=data.name,
        kind="program",
        answer=found.x,
        form="the variables, in the file's order",
        value=data.sign * found.objective,
        what="objective",
        valid=valid,
        rests_on=(
            f"the limits of the file, missed by {found.violation:.1e}; by weak duality nothing is better by more than "
            f"{gap:.1e}"
        ),
        optimal=optimal,
        method="projection network with multiplier neurons",
        processor_time=seconds,
        more={"rested": f"after at most {found.time:.4g} R C"},
    )


def is_within(program: QuadraticProgram, x: Array) -> bool:
    """Whether x is within all limits, each to a part CLOSE of what stands in it."""
    z, terms = program.rows @ x, np.abs(program.rows) @ np.abs(x)
    checks = ((z, terms, program.rows_lower, program.rows_upper), (x, np.abs(x), program.lower, program.upper))
    for value, size, low, high in checks:
        over = np.maximum(np.maximum(low - value, value - high), 0.0)
        limit = np.minimum(np.abs(low), np.abs(high))
        if np.any(over > CLOSE * (size + np.where(np.isfinite(limit), limit, 0.0)) + NOTHING):
            return False
    return True


def duality_gap(program: QuadraticProgram, x: Array, multipliers: Array) -> float:
    """Return by how much, at most, anything within the limits is better than x; infinite where no bound is known.

    A slope that is 0 to a part CLOSE of its own terms, in a direction without a limit, counts as 0.
    """
    slope = program.quadratic @ x + program.linear + program.rows.T @ multipliers
    reach = np.maximum(np.abs(x), np.max(np.abs(x), initial=1.0))
    terms = np.abs(program.quadratic) @ reach + np.abs(program.linear) + np.abs(program.rows).T @ np.abs(multipliers)
    z = program.rows @ x
    better = 0.0
    for push, own, at, low, high in (
        (slope, terms, x, program.lower, program.upper),
        (
            -multipliers,
            np.full(z.size, np.max(np.abs(multipliers), initial=0.0)),
            z,
            program.rows_lower,
            program.rows_upper,
        ),
    ):
        way = np.where(push > 0.0, at - low, high - at)
        small = ~np.isfinite(way) & (np.abs(push) <= CLOSE * own)
        amount = np.abs(push) * np.where(small | (push == 0.0), 0.0, np.maximum(way, 0.0))
        better += float(np.sum(amount))
    return better
