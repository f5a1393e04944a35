"""QUBO: the states of 0 and 1 at which a quadratic function is least."""

from __future__ import annotations

import numpy as np
import scipy.sparse as sp

from ..formats.instances import Qubo
from .annealed import Effort, anneal_model
from .solution import Solution


def solve_qubo(problem: Qubo, effort: Effort) -> Solution:
    """Return the state of least value that annealed networks of 0 and 1 find, and the trivial bound of it."""
    from ..annealing import BinaryModel

    n, (i, j) = problem.size, problem.pairs.T
    upper = sp.csr_array((problem.quadratic, (i, j)), shape=(n, n))
    found, preset = anneal_model(BinaryModel(couplings=sp.csr_array(upper + upper.T), fields=problem.linear), effort)
    state = np.asarray(found.best, dtype=np.int8)
    value = float(problem.values(state))
    bound = float(np.minimum(problem.linear, 0.0).sum() + np.minimum(problem.quadratic, 0.0).sum())
    return Solution(
        name=problem.name,
        kind="qubo",
        answer=state,
        form="0 or 1 for each variable",
        value=value,
        what="value",
        valid=True,
        rests_on="the function of the file at this state" + (", and the bound" if value <= bound else ""),
        optimal=value <= bound,
        bound=bound,
        **effort.told(found, preset, found.energies),
    )
