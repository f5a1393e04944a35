"""Projection networks: variational inequalities and complementarity problems on boxes, solved by settling."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from ..functions import Clip
from ..graph import Activate, Affine, Graph, Hadamard, Operator, Units
from ..graph.building import CIRCUIT_UNITS, network_graph, state
from ..values.arrays import Array, first_crossed, freeze, positive
from ..values.brief import brief
from ..values.errors import InputError


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

    def residual(self, x: Array) -> Array:
        """Return max_i |x - P(x - F(x))|_i, (...,): 0 at a solution, and nowhere else."""
        apart: Array = np.abs(x - np.clip(x - self.mapping(x), self.lower, self.upper))
        return np.asarray(np.max(apart, axis=-1))

    def __repr__(self) -> str:
        return brief(self)


def box_problem(
    matrix: Any, vector: Any, *, quadratic: Any = None, lower: Any = 0.0, upper: Any = np.inf
) -> BoxProblem:
    """Return a problem that is well posed as far as can be known.

    Raises InputError for shapes that do not meet, values that are not finite, lower > upper, and an affine F for which
    no x of the box has F_i >= 0 where only the lower end is finite, F_i <= 0 where only the upper one is, and F_i = 0
    where neither is: such a problem has no solution (found by `scipy.optimize.linprog`).
    """
    m = freeze(matrix, "matrix")
    if m.ndim != 2 or m.shape[0] != m.shape[1] or m.shape[0] == 0:
        raise InputError(f"`matrix` has shape {m.shape}: must be (n, n) with at least one variable")
    n = m.shape[0]
    products = None if quadratic is None else freeze(quadratic, "quadratic", shape=(n, n, n))
    low = freeze(lower, "lower", shape=(n,), allow_inf=True)
    high = freeze(upper, "upper", shape=(n,), allow_inf=True)
    if (k := first_crossed(low, high)) is not None:
        raise InputError(f"`lower[{k}]` = {low[k]} and `upper[{k}]` = {high[k]}: must hold a finite number between")
    problem = BoxProblem(m, freeze(vector, "vector", shape=(n,)), products, low, high)
    if products is None:
        _refuse_unsolvable(problem)
    return problem


def _refuse_unsolvable(problem: BoxProblem) -> None:
    """Refuse an affine problem whose necessary conditions no point of the box meets."""
    m, q, low, high = problem.matrix, problem.vector, problem.lower, problem.upper
    at_least, at_most = np.isinf(high), np.isinf(low)  # F_i >= 0 and F_i <= 0; both where neither end is finite
    rows = np.vstack([-m[at_least], m[at_most]])
    if not rows.size:
        return
    limits = np.concatenate([q[at_least], -q[at_most]])
    box = list(zip(low.tolist(), high.tolist(), strict=True))
    from scipy.optimize import linprog

    found = linprog(np.zeros(q.size), A_ub=rows, b_ub=limits, bounds=box)
    if found.status == 2:
        raise InputError(
            "`matrix`, `vector`: the problem has no solution, as no x of the box has M x + q >= 0 where only the lower "
            "end is finite (<= 0 for the upper one, = 0 for neither); change the vector, or make the box finite"
        )


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
    if not isinstance(problem, BoxProblem):
        raise InputError(f"`problem` = {problem!r:.60}: must be a BoxProblem, from box_problem(matrix, vector, ...)")
    n = problem.vector.size
    gain = float(positive(alpha, "alpha", shape=(), unit=""))
    bounds = Clip(lower=problem.lower, upper=problem.upper)
    operators: list[Operator] = [
        state("x", freeze(initial, "initial", shape=(n,)), tau=tau, discrete=discrete),
        Affine(name="step", weights=np.eye(n) - gain * problem.matrix, bias=-gain * problem.vector),
        Activate(name="project", size=n, function=bounds),
    ]
    edges: list[tuple[str, ...]] = [("x", "step"), ("step", "project"), ("project", "x")]
    if problem.quadratic is not None and np.any(problem.quadratic):
        terms = problem.quadratic + np.swapaxes(problem.quadratic, 1, 2)  # x_i x_j once, for i <= j
        terms[:, np.arange(n), np.arange(n)] /= 2.0
        i, j = np.nonzero(np.triu(np.any(terms != 0.0, axis=0)))
        operators += [
            Affine(name="left", weights=np.eye(n)[i]),
            Affine(name="right", weights=np.eye(n)[j]),
            Hadamard(name="products", size=i.size),
            Affine(name="quadratic", weights=-gain * terms[:, i, j]),
        ]
        edges += [("x", "left"), ("x", "right"), ("left", "products", "left"), ("right", "products", "right")]
        edges += [("products", "quadratic"), ("quadratic", "project")]
    return network_graph(operators, edges, outputs=[("output", "project", n)], units=units)


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
