"""Satisfiability: values of variables that satisfy all clauses, by a cubic energy with clause weights."""

from __future__ import annotations

import time
from collections.abc import Iterator

import numpy as np

from ..formats.instances import Clauses
from ..problems.satisfiability import Formula
from ..values.errors import InputError
from .annealed import Effort
from .clauses import solve_formula
from .solution import Solution

LITERALS = 3


def solve_clauses(problem: Clauses, effort: Effort) -> Solution:
    """Return values that satisfy all clauses, or most: a network never shows that no values satisfy all.

    Clauses of another length are first written as clauses of three literals with further variables, which the same
    values satisfy. Raises InputError for a preset: this network has one dynamics.
    """
    if effort.preset is not None:
        raise InputError(f"`preset` = {effort.preset!r:.60}: clauses are solved by one dynamics; leave it out")
    formula = write_in_threes(problem)
    started = time.process_time()
    found = solve_formula(formula, starts=effort.reads, seed=effort.seed)
    seconds = time.process_time() - started
    valid = found.solution is not None
    values = found.nearest[: problem.size].astype(np.int8)
    held = np.count_nonzero(problem.satisfied(values))
    if valid and held < len(problem.clauses):
        raise AssertionError("values that satisfy the clauses of three do not satisfy those of the file")
    added = formula.variables - problem.size
    return Solution(
        name=problem.name,
        kind="satisfiability",
        answer=values,
        form="+1 (true) or -1 for each variable",
        value=float(held),
        what=f"clauses satisfied of {len(problem.clauses)}",
        valid=valid,
        rests_on=(
            "the clauses of the file"
            if valid
            else "that no run satisfied all; whether anything does is not known, try more reads"
        ),
        optimal=valid,
        method="cubic energy with clause weights",
        values=found.hits,
        values_of="time to the first solution (R C)",
        best_reads=found.success.count,
        hit_time=float(np.mean(found.hits[np.isfinite(found.hits)])) if valid else np.nan,
        processor_time=seconds,
        more={"solved": str(found.success)} | ({"variables": f"{added} added, for clauses of three"} if added else {}),
    )


def write_in_threes(problem: Clauses) -> Formula:
    """Return a formula of three literals a clause that is satisfied by the same values, with variables added.

    A shorter clause is repeated with both values of what it lacks; a longer one, (a b c ...), is (a b y)(-y c ...), and
    so on (R. M. Karp, 1972). Clauses that hold a variable and its opposite are always true, and left out.
    """
    size = max(problem.size, LITERALS)
    rows: list[tuple[int, ...]] = []

    def fill(clause: tuple[int, ...]) -> Iterator[tuple[int, ...]]:
        nonlocal size
        while len(clause) > LITERALS:
            size += 1
            yield (*clause[:2], size)
            clause = (-size, *clause[2:])
        if len(clause) == LITERALS:
            yield clause
            return
        extra = range(size + 1, size + 1 + LITERALS - len(clause))
        size += len(extra)
        for signs in np.ndindex(*(2 for _ in extra)):
            yield (*clause, *(v if s else -v for v, s in zip(extra, signs, strict=True)))

    for clause in problem.clauses:
        if not any(-literal in clause for literal in clause):
            rows += fill(clause)
    if not rows:
        raise InputError(f"{problem.name}: all its clauses are always true; there is nothing to solve")
    return Formula(clauses=np.array(rows), variables=size)
