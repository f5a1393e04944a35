"""Projection network with a correction: it settles wherever F is monotone, with no potential and no strong one."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..functions import Clip
from ..graph import Activate, Affine, Graph, Operator, Units
from ..graph.building import CIRCUIT_UNITS, network_graph, state
from ..values.arrays import Array, freeze, positive
from ..values.errors import InputError
from .projection import BoxProblem, check_problem, product_operators

# Of 1 / L, the step by default; below 1 it settles.
SHARE = 0.9


def forward_backward_forward(
    problem: BoxProblem,
    *,
    step: float | None = None,
    tau: float = 1.0,
    initial: Any = 0.0,
    units: Units = CIRCUIT_UNITS,
) -> Graph:
    """Return tau dx/dt = p - x + step (F(x) - F(p)),    p = P(x - step F(x)),    P clips to the box.

    Where it rests, p is a solution, whatever the step, as then p = P(p - step F(p)); and x = p while step L < 1, where
    L bounds |F(x) - F(y)| / |x - y|. For F monotone on the box it then settles, as |x - x*| falls for every solution
    x*: d/dt |x - x*|^2 / 2 <= -(1 - step L) |x - p|^2 / tau. That needs no potential and no strong monotonicity:
    without the correction, F(x) = J x with a rotation J makes x circle. P. Tseng, SIAM J. Control Optim. 38:431 (2000);
    as a differential equation R. I. Bot, E. R. Csetnek, P. T. Vuong, Eur. J. Oper. Res. 287:49 (2020).

    `step`: 0.9 / L by default; for a quadratic F, L is taken over |x_i| up to the larger finite end of the box, the
    start, and 1, so that a run that leaves this region may need a smaller one. `initial`: x(0), (n,) or one. Output:
    `output` = p, which is in the box always.

    Raises InputError for what is not a problem, a step or tau that is not positive, a step of at least 1 / L for an
    affine F, and an initial state of another size.
    """
    n = check_problem(problem).vector.size
    start = freeze(initial, "initial", shape=(n,))
    largest = problem.lipschitz(reach(problem, start))
    gain = usual_step(largest) if step is None else float(positive(step, "step", shape=(), unit=""))
    if problem.quadratic is None and gain * largest >= 1.0:
        raise InputError(f"`step` = {gain:g}: must be below 1 / |matrix| = {1.0 / largest:.6g}, or it may not settle")
    keep = np.eye(n) - gain * problem.matrix
    operators: list[Operator] = [
        state("x", start, tau=tau),
        Affine(name="step", weights=keep, bias=-gain * problem.vector),
        Activate(name="project", size=n, function=Clip(lower=problem.lower, upper=problem.upper)),
        Affine(name="here", weights=gain * problem.matrix),
        Affine(name="there", weights=keep),
    ]
    edges: list[tuple[str, ...]] = [("x", "step"), ("step", "project"), ("x", "here"), ("here", "x")]
    edges += [("project", "there"), ("there", "x")]
    here, there = product_operators(problem, "x"), product_operators(problem, "project", "_there")
    if here is not None and there is not None:
        operators += [*here.operators, *there.operators]
        operators += [
            Affine(name="quadratic", weights=-gain * here.weights),
            Affine(name="quadratic_here", weights=gain * here.weights),
            Affine(name="quadratic_there", weights=-gain * there.weights),
        ]
        edges += [*here.edges, *there.edges, (here.name, "quadratic"), ("quadratic", "project")]
        edges += [(here.name, "quadratic_here"), ("quadratic_here", "x")]
        edges += [(there.name, "quadratic_there"), ("quadratic_there", "x")]
    return network_graph(operators, edges, outputs=[("output", "project", n)], units=units)


def reach(problem: BoxProblem, start: Array) -> Array:
    """Return how far from 0 each variable may be, (n,): its larger finite end, the start, and 1."""
    ends = [np.where(np.isfinite(end), np.abs(end), 0.0) for end in (problem.lower, problem.upper)]
    return np.asarray(np.max([*ends, np.abs(start), np.ones(start.size)], axis=0))


def usual_step(largest: float) -> float:
    """Return 0.9 / L, and 1 for a constant F."""
    return SHARE / largest if largest > 0.0 else 1.0
