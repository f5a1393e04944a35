"""Networks that settle at the solution of a variational inequality, with multiplier neurons."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from typing import Any

import numpy as np

from ..families.forward_backward_forward import forward_backward_forward
from ..graph import Graph, Units
from ..graph.building import CIRCUIT_UNITS
from ..values.arrays import freeze
from ..values.errors import InputError
from ..values.names import unknown
from .variational_inequalities import VariationalInequality


def variational_network(
    problem: VariationalInequality | Mapping[str, Any],
    *,
    step: float | None = None,
    tau: float = 1.0,
    initial: Any = None,
    units: Units = CIRCUIT_UNITS,
) -> Graph:
    """Return the projection network of `VariationalInequality.enlarged`: x, and a multiplier neuron for each limit.

    It settles for every monotone F, without a potential and without strong monotonicity, by the correction of
    `families.forward_backward_forward` (P. Tseng, SIAM J. Control Optim. 38:431, 2000), of which `step` and `tau` are.
    For an F that is not monotone nothing is proved: what it rests at is a solution, but it may not rest. A ball takes
    multipliers (of signals) for its squares, and needs a point of C strictly within it, or its neuron may run away; a
    simplex is an equation, whose neuron finds the threshold; softmax is not its projection, and is not used.

    `problem`: a VariationalInequality, or a table of its fields. `initial`: x(0), (n,) or one; by default the point of
    the box nearest to 0. Multipliers start at 0. Output: `output`, (n + multipliers,), in the order of `enlarged`: x at
    rest and its multipliers, which `VariationalInequality.split` takes apart.

    Raises InputError for what is no problem, C that is empty, a step or tau that is not positive, a step of at least
    1 / L for an affine F without balls, and an initial state of another size.
    """
    problem = as_inequality(problem)
    problem.check_feasible()
    n, box = problem.size, problem.enlarged()
    start = np.zeros(box.vector.size)
    start[:n] = problem.nearest_start() if initial is None else freeze(initial, "initial", shape=(n,))
    return forward_backward_forward(box, step=step, tau=tau, initial=start, units=units)


def as_inequality(problem: Any) -> VariationalInequality:
    """Return a variational inequality as it is, and that of a table of its fields."""
    if isinstance(problem, VariationalInequality):
        return problem
    if not isinstance(problem, Mapping) or not {"matrix", "vector"} <= set(problem):
        raise InputError(
            f"`problem` = {problem!r:.60}: must be a VariationalInequality, or a table of one with matrix and vector"
        )
    names = [field.name for field in fields(VariationalInequality)]
    for name in problem:
        if name not in names:
            raise InputError(unknown("`problem`: field", name, names))
    return VariationalInequality(**problem)
