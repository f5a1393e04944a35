"""Whether an equation of many states may be stiff, and whether an implicit method can take it."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import scipy.sparse as sp
from scipy.sparse.csgraph import reverse_cuthill_mckee

from .evaluate import Matrix
from .ode import OdeEquation
from .tableau import FIFTH

# Right-hand sides that stability alone may ask of the explicit method before the equation counts as stiff, and what it
# may spend then, to see whether it comes to an end all the same (it does where the fast states have settled).
STABLE_EVALUATIONS = 200_000
STIFF_BUDGET = 20_000
# h |lambda| up to which RK45 is stable on the negative real axis (Hairer and Wanner, "Solving Ordinary Differential
# Equations II", 2nd ed., IV.2).
STABLE = 3.3
# Operations of one factorization, about two seconds, of which a solution takes a hundred or more.
MOST_FACTORING = 2e10


class Stiffness(NamedTuple):
    """What an implicit method has to factor: a Jacobian of `size` states that reaches `band` from its diagonal.

    Its factors hold size * band numbers at most, for size * band^2 operations.
    """

    size: int
    band: int

    @property
    def operations(self) -> float:
        """Operations of one factorization."""
        return float(self.size) * self.band**2

    @property
    def can_be_factored(self) -> bool:
        """Whether an implicit method comes to an end."""
        return self.operations <= MOST_FACTORING


def stiffness(equation: OdeEquation, duration: float) -> Stiffness | None:
    """Return what makes a run of `duration` seconds hard; None where stability cannot hold up the explicit method.

    Stability asks RK45 for T |lambda| / 3.3 steps, and |lambda| is at most |J|_1 and at most |J|_inf: of the Jacobian J
    at x = 0, where gain curves are steep.
    """
    if FIFTH.stages * duration * fastest_rate(equation) / STABLE <= STABLE_EVALUATIONS:
        return None
    return Stiffness(equation.size, _band(equation.jacobian(0.0, np.zeros_like(equation.initial))))


def fastest_rate(equation: OdeEquation) -> float:
    """Return a bound of the rates of an equation, per second: the smaller of |J|_1 and |J|_inf at x = 0."""
    sizes = abs(equation.jacobian(0.0, np.zeros_like(equation.initial)))
    return min(float(np.max(sizes.sum(axis=0))), float(np.max(sizes.sum(axis=1))))


def _band(jacobian: Matrix) -> int:
    if isinstance(jacobian, np.ndarray):
        return len(jacobian)
    order = reverse_cuthill_mckee(sp.csr_matrix(jacobian), symmetric_mode=False)
    place = np.empty_like(order)
    place[order] = np.arange(order.size)
    entries = sp.coo_array(jacobian)
    return int(np.max(np.abs(place[entries.row] - place[entries.col]), initial=0)) + 1
