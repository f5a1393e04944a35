"""Variational inequalities within linear limits and balls: what is asked for, and how far a point is from it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..families.projection import INFEASIBLE, BoxProblem, mapping_on_box, may_be_solvable
from ..values.arrays import Array, freeze, positive, whole
from ..values.brief import Brief
from ..values.errors import AccuracyError, InputError
from .nearest_points import Ball, LinearLimits, nearest_point
from .programs import check_limits, rows_for_linprog

MOST_VARIABLES = 1024
MOST_IN_PRODUCTS = 128  # variables and multipliers: a quadratic F has n^3 terms


@dataclass(frozen=True, kw_only=True, eq=False)
class VariationalInequality(Brief):
    """Find x in C with (y - x)^T F(x) >= 0 for all y in C, F(x) = M x + q + (x^T Q_k x)_k.

    C = {lower <= x <= upper, l <= A x <= u, |x_B - c| <= r for each ball}. `matrix`: M, (n, n). `vector`: q, (n,) or
    one. `quadratic`: Q, (n, n, n), or None. `rows`: A, (m, n), m may be 0; `rows_lower`, `rows_upper`: l and u, (m,) or
    one, infinite where there is no limit, equal in an equation. `lower`, `upper`: (n,) or one. `balls`: `Ball`s, or
    tables of `variables`, `centre` (a number or one for each; 0 by default) and `radius`. A simplex is lower = 0 with
    an equation. Second-order cones are left out: their projection has a square root at 0, which no function here has,
    and |x|^2 <= t^2 is not convex, so that multiplier neurons do not serve either.

    Raises InputError for shapes that do not meet, values that are not finite, limits without a finite number between,
    a ball of no variables or without a positive radius, and too many variables.
    """

    matrix: Array
    vector: Array
    quadratic: Array | None = None
    rows: Array = None  # type: ignore[assignment]  # (m, n) from the start
    rows_lower: Array = -np.inf  # type: ignore[assignment]  # (m,)
    rows_upper: Array = np.inf  # type: ignore[assignment]
    lower: Array = -np.inf  # type: ignore[assignment]  # (n,)
    upper: Array = np.inf  # type: ignore[assignment]
    balls: tuple[Ball, ...] = ()

    def __post_init__(self) -> None:
        kind = "VariationalInequality"
        box = mapping_on_box(self.matrix, self.vector, self.quadratic, self.lower, self.upper, f"{kind}.")
        n = box.vector.size
        if n > MOST_VARIABLES:
            raise InputError(f"`{kind}.matrix` has shape {box.matrix.shape}: must have at most {MOST_VARIABLES} rows")
        a = freeze(np.zeros((0, n)) if self.rows is None else self.rows, f"{kind}.rows")
        if a.ndim != 2 or a.shape[1] != n:
            raise InputError(f"`{kind}.rows` has shape {a.shape}: must be (m, {n})")
        low = freeze(self.rows_lower, f"{kind}.rows_lower", shape=(len(a),), allow_inf=True)
        high = freeze(self.rows_upper, f"{kind}.rows_upper", shape=(len(a),), allow_inf=True)
        check_limits(f"{kind}.rows_lower", low, f"{kind}.rows_upper", high)
        if not isinstance(self.balls, list | tuple) or isinstance(self.balls, Ball):
            raise InputError(
                f"`{kind}.balls` = {self.balls!r:.60}: must be a list of balls, empty where there are none"
            )
        balls = tuple(_ball(each, n, f"{kind}.balls[{k}]") for k, each in enumerate(self.balls))
        checked = {**box._asdict(), "rows": a, "rows_lower": low, "rows_upper": high, "balls": balls}
        for name, value in checked.items():
            object.__setattr__(self, name, value)
        size = n + len(a) + len(balls)
        if (balls or self.quadratic is not None) and size > MOST_IN_PRODUCTS:
            raise InputError(
                f"{kind}: has {size} variables, rows and balls: must be at most {MOST_IN_PRODUCTS} where F is "
                "quadratic or there are balls"
            )

    @property
    def size(self) -> int:
        """n, the number of variables."""
        return int(self.vector.size)

    @property
    def on_box(self) -> BoxProblem:
        """F and the box alone."""
        return BoxProblem(self.matrix, self.vector, self.quadratic, self.lower, self.upper)

    def mapping(self, x: Array) -> Array:
        """Return F(x), (..., n)."""
        return self.on_box.mapping(x)

    def is_monotone(self) -> bool | None:
        """Whether F is monotone on the box; None where that takes too long to know. See `BoxProblem.is_monotone`."""
        return self.on_box.is_monotone()

    def violation(self, x: Array) -> float:
        """Return by how much the worst limit is passed at x, (n,); 0 within all of them. NaN is refused."""
        x = freeze(x, "x", shape=(self.size,))
        z = self.rows @ x
        apart = (self.lower - x, x - self.upper, self.rows_lower - z, z - self.rows_upper)
        return max(
            0.0, *(float(np.max(each, initial=0.0)) for each in apart), *(float(b.excess(x)) for b in self.balls)
        )

    def nearest(self, point: Array, scales: Array | None = None) -> Array | None:
        """Return the point of C that is nearest to `point`, (n,), or None where C is empty.

        `scales`, (n,), are those of the distance. See `nearest_points`.
        """
        return nearest_point(point, self._linear(), self.balls, scales)

    def residual(self, x: Array, step: float = 1.0) -> float:
        """Return max_i |x - P_C(x - step F(x))|_i: 0 at a solution and nowhere else, for any positive step.

        P_C is computed by `nearest`, an active-set method with no network in it. Infinite where C is empty.
        """
        x = freeze(x, "x", shape=(self.size,))
        found = self.nearest(x - float(positive(step, "step", shape=(), unit="")) * self.mapping(x))
        return np.inf if found is None else float(np.max(np.abs(x - found)))

    def misses(self, x: Array) -> Array:
        """Return |x - P(x - F(x) / d)|, (n,), where d_i is the slope of F_i and P nearest by sum_i d_i (x - y)_i^2.

        It is 0 at a solution and nowhere else, as `residual` is, and the same in any units of a variable or of its
        F_i: near a solution it says how far each variable is off. d_i is the size of row i of the derivative of F at x,
        |F_i(x)| where that is 0, and 1 where both are. Infinite where C is empty.
        """
        x = freeze(x, "x", shape=(self.size,))
        f = self.mapping(x)
        slopes = np.max(np.abs(self.on_box.derivative(x)), axis=1)
        slopes = np.where(slopes > 0.0, slopes, np.abs(f))
        slopes = np.where(slopes > 0.0, slopes, 1.0)
        found = self.nearest(x - f / slopes, np.sqrt(slopes))
        return np.full(self.size, np.inf) if found is None else np.abs(x - found)

    def check_feasible(self) -> None:
        """Raise InputError where C is empty, and where an affine problem misses what any solution needs.

        Found by `scipy.optimize.linprog`, with the box around each ball, and then by `nearest`. Where several balls
        leave hardly a point it may not be told: the network then does not rest.
        """
        from scipy.optimize import linprog

        low, high = np.array(self.lower), np.array(self.upper)
        for ball in self.balls:
            at = list(ball.variables)
            low[at] = np.maximum(low[at], ball.centre - ball.radius)
            high[at] = np.minimum(high[at], ball.centre + ball.radius)
        empty = bool(np.any(low > high))
        if not empty:
            box = list(zip(low.tolist(), high.tolist(), strict=True))
            rows = rows_for_linprog(self.rows, self.rows_lower, self.rows_upper)
            empty = linprog(np.zeros(self.size), bounds=box, **rows).status == INFEASIBLE
        if not empty and self.balls:
            with suppress(AccuracyError):
                empty = self.nearest(self.nearest_start()) is None
        if empty:
            raise InputError(
                f"VariationalInequality: is infeasible, as no x lies within all its limits ({len(self.rows)} rows, "
                f"{len(self.balls)} balls, {self.size} variables; found by a linear program"
                f"{' and a projection' if self.balls else ''}); relax one of them"
            )
        if not self.balls and not may_be_solvable(self.enlarged()):
            raise InputError(
                "VariationalInequality: has no solution, as no x within its limits and no multipliers y of its rows "
                "have M x + q + A^T y >= 0 where only the lower end of a variable is finite (<= 0 for the upper one, = "
                "0 for neither); change the vector, or make the limits finite"
            )

    def nearest_start(self) -> Array:
        """Return the point of the box that is nearest to 0, (n,)."""
        return np.clip(np.zeros(self.size), self.lower, self.upper)

    def enlarged(self) -> BoxProblem:
        """Return the same problem on a box of more variables: x, a multiplier for each limit of a row, and for balls.

            F(x) + A^T (y_u - y_l) + sum_b k_b (x_B - c) / r,    u - A x,    A x - l,    (r - |x_B - c|^2 / r) / 2

        Multipliers are at least 0, and free for an equation, which has one. It is monotone where F is. Y. Xia and
        J. Wang, IEEE Trans. Neural Netw. 15:318 (2004), for the enlargement. In order: of the upper limits of the
        rows and the equations, of the lower limits of the rows that are none, of the balls.
        """
        n, upper, lower = self.size, *self._limited()
        a = np.vstack([self.rows[upper], -self.rows[lower]])
        m, b = len(a), len(self.balls)
        size = n + m + b
        matrix, vector = np.zeros((size, size)), np.zeros(size)
        matrix[:n, :n], vector[:n] = self.matrix, self.vector
        matrix[:n, n : n + m], matrix[n : n + m, :n] = a.T, -a
        vector[n : n + m] = np.concatenate([self.rows_upper[upper], -self.rows_lower[lower]])
        least = np.zeros(size - n)
        least[: upper.size] = np.where(self.rows_lower[upper] == self.rows_upper[upper], -np.inf, 0.0)
        quadratic = None
        if b or self.quadratic is not None:
            quadratic = np.zeros((size, size, size))
            quadratic[:n, :n, :n] = 0.0 if self.quadratic is None else self.quadratic
            for k, (variables, centre, radius) in enumerate(self.balls, start=n + m):
                at = np.array(variables)
                quadratic[at, at, k] = 1.0 / radius
                matrix[at, k] = -centre / radius
                quadratic[k, at, at] = -0.5 / radius
                matrix[k, at] = centre / radius
                vector[k] = 0.5 * (radius - float(centre @ centre) / radius)
        high = np.concatenate([self.upper, np.full(size - n, np.inf)])
        return mapping_on_box(matrix, vector, quadratic, np.concatenate([self.lower, least]), high)

    def split(self, z: Array) -> tuple[Array, Array, Array]:
        """Return x, (n,), the multipliers of the rows, (m,), and of the balls, of the variables of `enlarged`.

        A row's is above 0 where its upper limit is met, and below 0 where its lower one is.
        """
        n, upper, lower = self.size, *self._limited()
        multipliers = np.zeros(len(self.rows))
        multipliers[upper] = z[n : n + upper.size]
        multipliers[lower] -= z[n + upper.size : n + upper.size + lower.size]
        return z[:n], multipliers, z[n + upper.size + lower.size :]

    def _linear(self) -> LinearLimits:
        """Return the limits of variables and rows as inequalities and equations."""
        low = np.concatenate([self.lower, self.rows_lower])
        high = np.concatenate([self.upper, self.rows_upper])
        found = rows_for_linprog(np.vstack([np.eye(self.size), self.rows]), low, high)
        none, empty = np.zeros((0, self.size)), np.zeros(0)
        return LinearLimits(
            found.get("A_ub", none), found.get("b_ub", empty), found.get("A_eq", none), found.get("b_eq", empty)
        )

    def _limited(self) -> tuple[Any, Any]:
        """Return which rows have an upper limit, and which a lower one that is another."""
        upper = np.isfinite(self.rows_upper)
        return np.flatnonzero(upper), np.flatnonzero(
            np.isfinite(self.rows_lower) & (self.rows_lower != self.rows_upper)
        )


def _ball(given: Any, n: int, name: str) -> Ball:
    """Return a checked ball."""
    table = given._asdict() if isinstance(given, Ball) else given
    if not isinstance(table, Mapping) or not {"variables", "radius"} <= set(table) <= set(Ball._fields):
        raise InputError(f"`{name}` = {given!r:.60}: must be a Ball, or a table of variables, centre and radius")
    listed = table["variables"]
    if not isinstance(listed, Iterable) or isinstance(listed, str):
        raise InputError(f"`{name}.variables` = {listed!r:.60}: must be a list of numbers of variables")
    variables = tuple(whole(k, f"{name}.variables", 0, n - 1) for k in listed)
    if not variables or len(set(variables)) != len(variables):
        raise InputError(f"`{name}.variables` = {variables}: must name at least one variable, and none twice")
    centre = freeze(table.get("centre", 0.0), f"{name}.centre", shape=(len(variables),))
    return Ball(variables, centre, float(positive(table["radius"], f"{name}.radius", shape=(), unit="")))
