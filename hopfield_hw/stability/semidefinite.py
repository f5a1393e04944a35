"""Linear matrix inequalities: unknown matrices, a solver for a candidate, and its check in rational arithmetic."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal, NamedTuple, TypeAlias

import numpy as np
import scipy.sparse as sp

from ..values.arrays import Array
from ..values.errors import InputError, MissingExtra
from .inequality import Inequality, check_definite, check_positive, exact

# From matrices (float64 or Fractions) to the matrices that have to be positive definite, by name; linear in the first.
Build: TypeAlias = Callable[[Mapping[str, Any], Mapping[str, Any]], dict[str, Any]]
# Up to so many rows in the largest inequality an interior-point method is the faster one.
LARGEST_FOR_CLARABEL = 56
SOLVERS = ("CLARABEL", "SCS")


class Unknown(NamedTuple):
    """One matrix to be found: symmetric, full, or diagonal with elements of at least 0."""

    name: str
    kind: Literal["symmetric", "full", "diagonal"]
    rows: int
    columns: int = 0

    @property
    def numbers(self) -> int:
        """How many numbers it has."""
        n = self.rows
        return {"symmetric": n * (n + 1) // 2, "full": n * self.columns, "diagonal": n}[self.kind]

    def matrix(self, values: Any) -> Any:
        """Return the matrix of its numbers, of float64 or of Fractions."""
        if self.kind == "full":
            return values.reshape(self.rows, self.columns)
        found = np.full((self.rows, self.rows), values.flat[0] * 0, dtype=values.dtype)
        if self.kind == "diagonal":
            found[np.diag_indices(self.rows)] = values
        else:
            upper = np.triu_indices(self.rows)
            found[upper] = values
            found.T[upper] = values
        return found


class Problem(NamedTuple):
    """Find the unknowns so that all matrices of `build(unknowns, data)` are positive definite."""

    unknowns: tuple[Unknown, ...]
    build: Build
    data: Mapping[str, Array]

    def matrices(self, values: Any) -> dict[str, Any]:
        """Return the unknown matrices of a vector of all numbers."""
        return {
            unknown.name: unknown.matrix(values[a : a + unknown.numbers])
            for unknown, a in zip(self.unknowns, self.starts, strict=True)
        }

    @property
    def starts(self) -> list[int]:
        """Where the numbers of each unknown begin."""
        ends: list[int] = np.cumsum([0, *(unknown.numbers for unknown in self.unknowns)]).tolist()
        return ends[:-1]

    @property
    def nonnegative(self) -> Any:
        """Which numbers must be at least 0: those of diagonal matrices."""
        return np.concatenate([np.full(unknown.numbers, unknown.kind == "diagonal") for unknown in self.unknowns])


def solve(problem: Problem, solver: str | None = None) -> Array | None:
    """Return a candidate, all numbers of the unknowns, or None where the solver came to none.

    The smallest eigenvalue of all matrices is made as large as it can be, the sum of their traces being the number of
    their rows; nothing is decided here. `solver`: "CLARABEL" or "SCS"; by the size where it is not given.

    Raises MissingExtra without cvxpy, and InputError for another solver.
    """
    cp = import_cvxpy()
    _check_solver(solver)
    each = _parts(problem)
    sizes = {name: int(matrix.shape[0]) for name, matrix in each[0].items()}
    values, least = cp.Variable(len(each)), cp.Variable()
    constraints = [least <= 1.0, *_definite(problem, each, values, least)]
    traces = np.array([sum(float(np.trace(matrix)) for matrix in one.values()) for one in each])
    traces = traces + problem.nonnegative
    constraints.append(traces @ values == sum(sizes.values()))
    found = _solved(cp.Problem(cp.Maximize(least), constraints), values, solver, sizes)
    if found is None:
        return None
    return np.asarray(np.where(problem.nonnegative, np.maximum(found, 0.0), found), dtype=np.float64)


def minimise(problem: Problem, name: str, per: str, solver: str | None = None) -> float | None:
    """Return the least value that the number `name` can have where the number `per` is 1; None where there is none.

    Both are unknowns of one number, "diagonal" of one row; all matrices are at least 0. What the solver says is no
    proof: it tells where to look for one. `solver` and what is raised: as of `solve`.
    """
    cp = import_cvxpy()
    _check_solver(solver)
    each = _parts(problem)
    starts = dict(zip([one.name for one in problem.unknowns], problem.starts, strict=True))
    values = cp.Variable(len(each))
    constraints = [values[starts[per]] == 1.0, *_definite(problem, each, values, 0.0)]
    sizes = {key: int(matrix.shape[0]) for key, matrix in each[0].items()}
    found = _solved(cp.Problem(cp.Minimize(values[starts[name]]), constraints), values, solver, sizes)
    return None if found is None else float(found[starts[name]])


def _parts(problem: Problem) -> list[dict[str, Any]]:
    """Return all matrices with one of the numbers 1 and the others 0, for each number."""
    return [problem.build(problem.matrices(row), problem.data) for row in np.eye(len(problem.nonnegative))]


def _definite(problem: Problem, each: list[dict[str, Any]], values: Any, least: Any) -> list[Any]:
    """Return the constraints that all matrices less `least` are at least 0, and so the numbers of diagonal ones."""
    cp = import_cvxpy()
    constraints: list[Any] = [values[np.flatnonzero(problem.nonnegative)] >= 0.0]
    for name, matrix in each[0].items():
        size = int(matrix.shape[0])
        columns = sp.csc_array(np.array([(one[name] + one[name].T).ravel() / 2.0 for one in each]).T)
        constraints.append(cp.reshape(columns @ values, (size, size), order="C") - least * np.eye(size) >> 0)
    return constraints


def _check_solver(solver: str | None) -> None:
    if solver is not None and solver not in SOLVERS:
        raise InputError(f"`solver` = {solver!r:.40}: must be one of {', '.join(SOLVERS)}, or None")


def _solved(task: Any, values: Any, solver: str | None, sizes: Mapping[str, int]) -> Array | None:
    """Return the numbers that a solver comes to, whatever it says of them; None for none."""
    cp = import_cvxpy()
    if solver is None:
        solver = SOLVERS[0] if max(sizes.values()) <= LARGEST_FOR_CLARABEL else SOLVERS[1]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that a solution may be inaccurate: it is checked
        try:
            task.solve(solver=solver, **({"eps": 1e-7, "max_iters": 20_000} if solver == "SCS" else {}))
        except (cp.error.SolverError, ArithmeticError, ValueError):
            return None
    found: Any = values.value
    return None if found is None or not np.isfinite(found).all() else np.asarray(found, dtype=np.float64)


def verify(problem: Problem, values: Array | None, *, exactly: bool = True) -> tuple[Inequality, ...]:
    """Return the inequalities of a candidate: its matrices in rational numbers; not `exactly`: in float64, unproved."""
    if values is None:
        return ()
    matrices = problem.matrices(values)
    found = problem.build(matrices, problem.data)
    # What float64 refuses by far is not worth the exact check.
    if exactly and all(check_definite(name, one).eigenvalue > -1e-9 for name, one in found.items()):
        matrices = problem.matrices(exact(values))
        found = problem.build(matrices, {name: exact(value) for name, value in problem.data.items()})
    checks = [check_definite(name, matrix) for name, matrix in found.items()]
    diagonals = [unknown.name for unknown in problem.unknowns if unknown.kind == "diagonal"]
    if diagonals:
        values_of = np.concatenate([np.diagonal(matrices[name]) for name in diagonals])
        checks.append(check_multipliers(", ".join(diagonals), values_of))
    return tuple(checks)


def check_multipliers(name: str, values: Any) -> Inequality:
    """Return that multipliers are at least 0; they need no margin, so that 0 counts for 1."""
    found = check_positive(name, values, strict=False)
    return Inequality(
        name=f"{name} (at least 0)",
        size=found.size,
        eigenvalue=1.0 if found.holds else found.eigenvalue,
        bound=0.0,
        arithmetic=found.arithmetic,
        holds=found.holds,
    )


def import_cvxpy() -> Any:
    """Return the package cvxpy. Raises MissingExtra where it is not installed."""
    try:
        import cvxpy
    except ImportError as error:
        raise MissingExtra(
            f"matrix inequalities need cvxpy ({error}); install it: pip install '.[stability]'"
        ) from None
    return cvxpy


def largest(holds: Callable[[float], bool], low: float, high: float, tolerance: float) -> float:
    """Return by bisection a number at which `holds` was true, within `tolerance` of one where it was not; low for none.

    `high` is taken to fail. What is returned was tried, never interpolated.
    """
    while high - low > tolerance:
        middle = 0.5 * (low + high)
        low, high = (middle, high) if holds(middle) else (low, middle)
    return low


def blocks(rows: Sequence[Sequence[Any]]) -> Any:
    """Return a matrix of blocks, of float64 or of Fractions."""
    return np.concatenate([np.concatenate(list(row), axis=1) for row in rows], axis=0)
