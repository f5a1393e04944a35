"""Projection networks: variational inequalities and complementarity problems on boxes, solved by settling."""

from __future__ import annotations

from itertools import product
from typing import Any, NamedTuple

import numpy as np

from ..functions import Clip
from ..graph import Activate, Affine, Graph, Hadamard, Operator, Units
from ..graph.building import CIRCUIT_UNITS, network_graph, state
from ..values.arrays import ROUNDED, Array, first_crossed, freeze, positive
from ..values.brief import brief
from ..values.errors import InputError

MOST_CORNERS = 12  # variables in products, of which the corners of a box are enumerated
INFEASIBLE = 2  # of scipy.optimize.linprog


class BoxProblem(NamedTuple):
    """Find x in the box with F(x)^T (y - x) >= 0 for all y in it, F(x) = M x + q + (x^T Q_k x)_k.

    `matrix`: M, (n, n). `vector`: q, (n,). `quadratic`: Q, (n, n, n), or None. `lower`, `upper`: the box, (n,), with
    infinite ends where there are none. With lower = 0 and upper infinite it is the complementarity problem x >= 0,
    F(x) >= 0, x^T F(x) = 0.
    """

    matrix: Array
    vector: Array
    quadratic: Array | None
    lower: Array
    upper: Array

    def mapping(self, x: Array) -> Array:
        """Return F(x), (..., n)."""
        value: Array = x @ self.matrix.T + self.vector
        return value if self.quadratic is None else value + np.einsum("kij,...i,...j->...k", self.quadratic, x, x)

    def derivative(self, x: Array) -> Array:
        """Return dF_i/dx_j at x, (n,), as (n, n)."""
        if self.quadratic is None:
            return self.matrix
        return np.asarray(self.matrix + (self.quadratic + self.quadratic.swapaxes(1, 2)) @ x)

    def residual(self, x: Array) -> Array:
        """Return max_i |x - P(x - F(x))|_i, (...,): 0 at a solution, and nowhere else."""
        apart: Array = np.abs(x - np.clip(x - self.mapping(x), self.lower, self.upper))
        return np.asarray(np.max(apart, axis=-1))

    def is_monotone(self) -> bool | None:
        """Whether (F(x) - F(y))^T (x - y) >= 0 for all x and y of the box; None where that takes too long to know.

        An affine F is where M + M^T has no eigenvalue below 0, among the variables that are not fixed. The derivative
        of a quadratic one is affine in x, so that its corners and the ways to infinity decide, for up to 12 variables
        in products.
        """
        low, high, free = self.lower, self.upper, np.flatnonzero(self.lower < self.upper)
        if self.quadratic is None or not np.any(self.quadratic):
            return _is_semidefinite(self.matrix[np.ix_(free, free)])
        rates = self._rates()
        moving = [j for j in range(low.size) if np.any(rates[j])]
        if len(moving) > MOST_CORNERS:
            return None
        middle = np.where(np.isfinite(low), low, np.where(np.isfinite(high), high, 0.0))
        ends = [{float(end) for end in (low[j], high[j]) if np.isfinite(end)} or {0.0} for j in moving]
        slopes = [np.tensordot(np.array(corner) - middle[moving], rates[moving], 1) for corner in product(*ends)]
        slopes = [self.matrix + np.tensordot(middle, rates, 1) + each for each in slopes]
        slopes += [rates[j] for j in moving if np.isinf(high[j])] + [-rates[j] for j in moving if np.isinf(low[j])]
        return all(_is_semidefinite(slope[np.ix_(free, free)]) for slope in slopes)

    def lipschitz(self, reach: Array) -> float:
        """Return a bound of |F(x) - F(y)| / |x - y| over |x_i|, |y_i| <= reach_i, (n,); exact for an affine F."""
        bound = float(np.linalg.norm(self.matrix, 2))
        if self.quadratic is not None:
            bound += float(sum(r * np.linalg.norm(d, 2) for r, d in zip(reach, self._rates(), strict=True)))
        return bound

    def _rates(self) -> Array:
        """Return by variable the derivative by it of the Jacobian of F, (n, n, n)."""
        terms = np.zeros((self.vector.size,) * 3) if self.quadratic is None else self.quadratic
        return np.moveaxis(terms + np.swapaxes(terms, 1, 2), 2, 0)

    def __repr__(self) -> str:
        return brief(self)


def _is_semidefinite(slope: Array) -> bool:
    """Whether M + M^T has no eigenvalue below 0 by more than rounding."""
    if not slope.size:
        return True
    values = np.linalg.eigvalsh(slope + slope.T)
    return bool(values[0] >= -ROUNDED * len(slope) * np.abs(values).max())


def box_problem(
    matrix: Any, vector: Any, *, quadratic: Any = None, lower: Any = 0.0, upper: Any = np.inf
) -> BoxProblem:
    """Return a problem that is well posed as far as can be known.

    Raises InputError for shapes that do not meet, values that are not finite, lower > upper, and an affine F for which
    no x of the box has F_i >= 0 where only the lower end is finite, F_i <= 0 where only the upper one is, and F_i = 0
    where neither is: such a problem has no solution (found by `scipy.optimize.linprog`).
    """
    problem = mapping_on_box(matrix, vector, quadratic, lower, upper)
    if not may_be_solvable(problem):
        raise InputError(
            "`matrix`, `vector`: the problem has no solution, as no x of the box has M x + q >= 0 where only the lower "
            "end is finite (<= 0 for the upper one, = 0 for neither); change the vector, or make the box finite"
        )
    return problem


def mapping_on_box(matrix: Any, vector: Any, quadratic: Any, lower: Any, upper: Any, owner: str = "") -> BoxProblem:
    """Return F and a box, checked but for solvability; `owner` stands before names in messages ("Class.")."""
    m = freeze(matrix, f"{owner}matrix")
    if m.ndim != 2 or m.shape[0] != m.shape[1] or m.shape[0] == 0:
        raise InputError(f"`{owner}matrix` has shape {m.shape}: must be (n, n) with at least one variable")
    n = m.shape[0]
    products = None if quadratic is None else freeze(quadratic, f"{owner}quadratic", shape=(n, n, n))
    low = freeze(lower, f"{owner}lower", shape=(n,), allow_inf=True)
    high = freeze(upper, f"{owner}upper", shape=(n,), allow_inf=True)
    if (k := first_crossed(low, high)) is not None:
        raise InputError(
            f"`{owner}lower[{k}]` = {low[k]} and `{owner}upper[{k}]` = {high[k]}: must hold a finite number between"
        )
    return BoxProblem(m, freeze(vector, f"{owner}vector", shape=(n,)), products, low, high)


def may_be_solvable(problem: BoxProblem) -> bool:
    """Whether a point of the box meets what a solution needs where an end is infinite, for an affine F.

    F_i >= 0 where only the lower end is finite, <= 0 where only the upper one is, and 0 where neither is. True for a
    quadratic F, which is not looked at.
    """
    if problem.quadratic is not None:
        return True
    m, q, low, high = problem.matrix, problem.vector, problem.lower, problem.upper
    at_least, at_most = np.isinf(high), np.isinf(low)  # F_i >= 0 and F_i <= 0; both where neither end is finite
    rows = np.vstack([-m[at_least], m[at_most]])
    if not rows.size:
        return True
    limits = np.concatenate([q[at_least], -q[at_most]])
    box = list(zip(low.tolist(), high.tolist(), strict=True))
    from scipy.optimize import linprog

    return bool(linprog(np.zeros(q.size), A_ub=rows, b_ub=limits, bounds=box).status != INFEASIBLE)


def projection(
    problem: BoxProblem,
    *,
    alpha: float = 1.0,
    tau: float = 1.0,
    initial: Any = 0.0,
    discrete: bool = False,
    units: Units = CIRCUIT_UNITS,
) -> Graph:
    """Return tau dx/dt = P(x - alpha F(x)) - x, which rests at the solutions of a problem and nowhere else.

    P clips to the box. With `discrete`, x[k+1] = P(x[k] - alpha F(x[k])), one step a unit of time. A quadratic F is
    made of products of states, by Hadamard. `alpha`: positive. `tau`: units of time. `initial`: x(0), (n,) or one.
    Output: `output` = P(x - alpha F(x)), which is in the box always. It settles for strongly monotone F and a small
    alpha, and for symmetric positive semidefinite M at any; where it does not, `analysis.settling` says so.
    T. L. Friesz, D. Bernstein, N. J. Mehta, R. L. Tobin, S. Ganjalizadeh, Oper. Res. 42:1120 (1994); Y. Xia and J.
    Wang, J. Optim. Theory Appl. 106:129 (2000).

    Raises InputError for an alpha or tau that is not positive, and an initial state of another size.
    """
    n = check_problem(problem).vector.size
    gain = float(positive(alpha, "alpha", shape=(), unit=""))
    bounds = Clip(lower=problem.lower, upper=problem.upper)
    operators: list[Operator] = [
        state("x", freeze(initial, "initial", shape=(n,)), tau=tau, discrete=discrete),
        Affine(name="step", weights=np.eye(n) - gain * problem.matrix, bias=-gain * problem.vector),
        Activate(name="project", size=n, function=bounds),
    ]
    edges: list[tuple[str, ...]] = [("x", "step"), ("step", "project"), ("project", "x")]
    if (products := product_operators(problem, "x")) is not None:
        operators += [*products.operators, Affine(name="quadratic", weights=-gain * products.weights)]
        edges += [*products.edges, (products.name, "quadratic"), ("quadratic", "project")]
    return network_graph(operators, edges, outputs=[("output", "project", n)], units=units)


class Products(NamedTuple):
    """The products x_i x_j that a quadratic F takes, by Hadamard. `weights`: F - M x - q = weights @ products."""

    name: str
    operators: list[Operator]
    edges: list[tuple[str, ...]]
    weights: Array


def product_operators(problem: BoxProblem, source: str, suffix: str = "") -> Products | None:
    """Return the products of the elements of `source`, each pair once; None for an affine F."""
    if problem.quadratic is None or not np.any(problem.quadratic):
        return None
    n, name = problem.vector.size, f"products{suffix}"
    left, right = f"left{suffix}", f"right{suffix}"
    terms = problem.quadratic + np.swapaxes(problem.quadratic, 1, 2)  # x_i x_j once, for i <= j
    terms[:, np.arange(n), np.arange(n)] /= 2.0
    i, j = np.nonzero(np.triu(np.any(terms != 0.0, axis=0)))
    operators: list[Operator] = [
        Affine(name=left, weights=np.eye(n)[i]),
        Affine(name=right, weights=np.eye(n)[j]),
        Hadamard(name=name, size=i.size),
    ]
    edges: list[tuple[str, ...]] = [(source, left), (source, right), (left, name, "left"), (right, name, "right")]
    return Products(name, operators, edges, terms[:, i, j])


def check_problem(problem: Any) -> BoxProblem:
    """Return a problem as it is. Raises InputError for what is none."""
    if not isinstance(problem, BoxProblem):
        raise InputError(f"`problem` = {problem!r:.60}: must be a BoxProblem, from box_problem(matrix, vector, ...)")
    return problem


def random_projection(rng: np.random.Generator) -> Graph:
    """Return a network for a problem of 2 to 12 variables with a strongly monotone F, not symmetric, on a random box.

    The matrix is positive definite with an antisymmetric part as large; ends of the box are infinite in a quarter each.
    """
    n = int(rng.integers(2, 13))
    root, twist = rng.normal(size=(n, n)), rng.normal(size=(n, n))
    matrix = root @ root.T / n + 0.5 * np.eye(n) + 0.5 * (twist - twist.T) / np.sqrt(n)
    lower = np.where(rng.uniform(size=n) < 0.25, -np.inf, -rng.uniform(0.0, 1.0, n))
    upper = np.where(rng.uniform(size=n) < 0.25, np.inf, rng.uniform(0.1, 1.0, n))
    problem = box_problem(matrix, rng.normal(size=n), lower=lower, upper=upper)
    return projection(problem, alpha=1.0 / float(np.linalg.norm(matrix, 2)), initial=rng.uniform(-1.0, 1.0, n))
