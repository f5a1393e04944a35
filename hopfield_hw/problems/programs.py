"""Linear and quadratic programs: what is minimised, and within which limits."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from ..families.projection import INFEASIBLE
from ..formats.instances import ProgramData
from ..values.arrays import ROUNDED, Array, first_asymmetry, first_crossed, freeze
from ..values.brief import Brief
from ..values.errors import InputError

MOST_VARIABLES = 4096
UNBOUNDED = 3  # of scipy.optimize.linprog, as INFEASIBLE is


@dataclass(frozen=True, kw_only=True, eq=False)
class QuadraticProgram(Brief):
    """Minimise x^T P x / 2 + q^T x + r, with l <= A x <= u and lower <= x <= upper; convex.

    `quadratic`: P, (n, n), symmetric, positive semidefinite. `linear`: q, (n,). `constant`: r. `rows`: A, (m, n), m may
    be 0; `rows_lower`, `rows_upper`: l and u, (m,) or one, infinite where there is no limit, equal in an equation.
    `lower`, `upper`: (n,) or one.

    Raises InputError for shapes that do not meet, limits without a finite number between, a P that is not symmetric,
    and an indefinite P, whose local minima no such network tells from the least one.
    """

    linear: Array
    quadratic: Array
    constant: float = 0.0
    rows: Array = None  # type: ignore[assignment]  # (m, n) from the start
    rows_lower: Array = -np.inf  # type: ignore[assignment]  # (m,)
    rows_upper: Array = np.inf  # type: ignore[assignment]
    lower: Array = -np.inf  # type: ignore[assignment]  # (n,)
    upper: Array = np.inf  # type: ignore[assignment]

    def __post_init__(self) -> None:
        kind = type(self).__name__
        q = freeze(self.linear, f"{kind}.linear")
        if q.ndim != 1 or not 1 <= q.size <= MOST_VARIABLES:
            raise InputError(f"`{kind}.linear` has shape {q.shape}: must be (n,), of 1 to {MOST_VARIABLES} variables")
        n = q.size
        a = np.zeros((0, n)) if self.rows is None else self.rows
        a = freeze(a, f"{kind}.rows")
        if a.ndim != 2 or a.shape[1] != n:
            raise InputError(f"`{kind}.rows` has shape {a.shape}: must be (m, {n})")
        m = len(a)
        p = symmetric(self.quadratic, f"{kind}.quadratic", n)
        checked = {
            "linear": q,
            "quadratic": p,
            "constant": float(freeze(self.constant, f"{kind}.constant", shape=())),
            "rows": a,
            "rows_lower": freeze(self.rows_lower, f"{kind}.rows_lower", shape=(m,), allow_inf=True),
            "rows_upper": freeze(self.rows_upper, f"{kind}.rows_upper", shape=(m,), allow_inf=True),
            "lower": freeze(self.lower, f"{kind}.lower", shape=(n,), allow_inf=True),
            "upper": freeze(self.upper, f"{kind}.upper", shape=(n,), allow_inf=True),
        }
        for name, value in checked.items():
            object.__setattr__(self, name, value)
        check_limits(f"{kind}.rows_lower", self.rows_lower, f"{kind}.rows_upper", self.rows_upper)
        check_limits(f"{kind}.lower", self.lower, f"{kind}.upper", self.upper)
        _check_convex(f"{kind}.quadratic", p)

    @property
    def size(self) -> int:
        """n, the number of variables."""
        return int(self.linear.size)

    @property
    def equalities(self) -> Any:
        """Which rows are equations, (m,)."""
        return self.rows_lower == self.rows_upper

    def objective(self, x: Any) -> Array:
        """Return x^T P x / 2 + q^T x + r, (...,), of x (..., n)."""
        value: Array = 0.5 * np.sum(x * (x @ self.quadratic), axis=-1) + x @ self.linear + self.constant
        return np.asarray(value)

    def violation(self, x: Any) -> Array:
        """Return by how much the worst limit is passed, (...,), of x (..., n); 0 within all of them."""
        z = np.asarray(x @ self.rows.T)
        box = np.maximum(np.maximum(self.lower - x, x - self.upper), 0.0)
        rows = np.maximum(np.maximum(self.rows_lower - z, z - self.rows_upper), 0.0)
        return np.asarray(np.max(np.concatenate([box, rows], axis=-1), axis=-1))

    def check_feasible(self) -> None:
        """Raise InputError where no x is within all limits, or where a linear objective has no least value there.

        Found by `scipy.optimize.linprog`.
        """
        from scipy.optimize import linprog

        box = list(zip(self.lower.tolist(), self.upper.tolist(), strict=True))
        is_linear = not np.any(self.quadratic)
        cost = self.linear if is_linear else np.zeros(self.size)
        found = linprog(cost, bounds=box, **rows_for_linprog(self.rows, self.rows_lower, self.rows_upper))
        what = type(self).__name__
        if found.status == INFEASIBLE:
            raise InputError(
                f"{what}: is infeasible, as no x lies within all its limits ({len(self.rows)} rows, {self.size} "
                "variables; found by scipy.optimize.linprog); relax one of them"
            )
        if found.status == UNBOUNDED:
            raise InputError(
                f"{what}: is unbounded, as its objective has no least value within the limits; add a limit"
            )


@dataclass(frozen=True, kw_only=True, eq=False)
class LinearProgram(QuadraticProgram):
    """Minimise q^T x + r, with l <= A x <= u and lower <= x <= upper: a `QuadraticProgram` without its P.

    Raises InputError as that does, and for a P that is not 0.
    """

    quadratic: Array = 0.0  # type: ignore[assignment]  # (n, n) from the start

    def __post_init__(self) -> None:
        super().__post_init__()
        if np.any(self.quadratic):
            raise InputError("`LinearProgram.quadratic`: must be 0; use QuadraticProgram")


def as_program(data: ProgramData) -> QuadraticProgram:
    """Return the program of a file, to be made least. Raises InputError where variables must be whole numbers."""
    if data.whole.any():
        raise InputError(
            f"{data.name}: {int(data.whole.sum())} variables must be whole numbers: must be continuous; drop the "
            "condition, or write the program as a QUBO"
        )
    return QuadraticProgram(
        quadratic=data.hessian.toarray(),
        linear=data.linear,
        constant=data.constant,
        rows=data.constraints.toarray(),
        rows_lower=data.low,
        rows_upper=data.high,
        lower=data.lower,
        upper=data.upper,
    )


def rows_for_linprog(rows: Array, lower: Array, upper: Array) -> dict[str, Any]:
    """Return l <= A x <= u as the arguments of `scipy.optimize.linprog`, equations among them."""
    equal = lower == upper
    high, low = np.isfinite(upper) & ~equal, np.isfinite(lower) & ~equal
    limits: dict[str, Array] = {}
    if np.any(high | low):
        limits["A_ub"] = np.vstack([rows[high], -rows[low]])
        limits["b_ub"] = np.concatenate([upper[high], -lower[low]])
    if np.any(equal):
        limits["A_eq"], limits["b_eq"] = rows[equal], upper[equal]
    return limits


def check_limits(low: str, lower: Array, high: str, upper: Array) -> None:
    """Raise InputError where no finite number lies between a lower and an upper limit; `low`, `high`: their names."""
    if (k := first_crossed(lower, upper)) is not None:
        raise InputError(
            f"`{low}[{k}]` = {lower[k]:g} and `{high}[{k}]` = {upper[k]:g}: must hold a finite number between"
        )


def symmetric(value: Any, name: str, n: int) -> Array:
    """Return a symmetric matrix, (n, n), without what rounding adds to one half. Raises InputError for others."""
    p = freeze(value, name, shape=(n, n))
    if (pair := first_asymmetry(p, ROUNDED)) is not None:
        i, j = pair
        raise InputError(
            f"`{name}[{i}, {j}]` = {p[i, j]:g} and [{j}, {i}] = {p[j, i]:g}: must be symmetric; give (P + P^T) / 2"
        )
    return freeze(0.5 * (p + p.T), name)


def _check_convex(name: str, p: Array) -> None:
    least, largest = np.linalg.eigvalsh(p)[[0, -1]].tolist()
    if least < -ROUNDED * max(abs(largest), abs(least)) * len(p):
        raise InputError(
            f"`{name}` has the eigenvalue {least:.6g}: is indefinite, so that there may be many local minima; must be "
            "positive semidefinite"
        )
