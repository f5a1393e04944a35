"""The least cost of tolerances: which parts must be of a better grade for a margin to hold."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Literal

import numpy as np
import scipy.optimize
from scipy import special

from ..values.arrays import Array, freeze, positive
from ..values.errors import AccuracyError, InputError
from ..values.report import Report
from .sensitivity import names_of

# What grades of resistors cost, by the cheapest.
GRADES: Mapping[float, float] = MappingProxyType({0.05: 1.0, 0.01: 1.5, 0.001: 10.0})
UNIFORM = 1.0 / math.sqrt(3.0)  # the standard deviation of a uniform distribution, by its tolerance
ROUNDED = 1e-9  # of the budget
TIGHTER = 1e-6  # of the budget, where the solver's rounding went over it


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class GradeChoice(Report):
    """Which grade each of m parts has. `tolerances`: (m,). `cost`: of all. `lost`: what they take of `margin`.

    `basis`: what `lost` is: "worst case" or "statistical".
    """

    names: tuple[str, ...]
    tolerances: Array
    cost: float
    lost: float
    margin: float
    basis: Literal["worst case", "statistical"]

    @property
    def counts(self) -> dict[float, int]:
        """How many parts there are of each tolerance."""
        found, counts = np.unique(self.tolerances, return_counts=True)
        return dict(zip(found.tolist(), counts.tolist(), strict=True))

    def of(self, tolerance: float) -> tuple[str, ...]:
        """Return the names of the parts of a tolerance."""
        return tuple(name for name, one in zip(self.names, self.tolerances, strict=True) if one == tolerance)

    def rows(self) -> list[tuple[str, str]]:
        counts = ", ".join(f"{count} of {tolerance:.3%}" for tolerance, count in self.counts.items())
        return [
            ("cost", f"{self.cost:g}"),
            ("parts", counts),
            ("margin", f"{self.margin:.4g}, of which {self.lost:.4g} is lost ({self.basis})"),
        ]

    def figures(self) -> dict[str, Any]:
        return {
            "cost": self.cost,
            "tolerances": self.tolerances.tolist(),
            "lost": self.lost,
            "margin": self.margin,
            "basis": self.basis,
        }


def choose_grades(
    relative: Any,
    margin: float,
    *,
    grades: Mapping[Any, float] | None = None,
    yielded: float | None = None,
    spread: float = UNIFORM,
    groups: Sequence[int] | None = None,
    names: Sequence[str] = (),
) -> GradeChoice:
    """Return the grades of least cost with which a linear margin holds, by a mixed-integer program (HiGHS).

    `relative`: a_k = |value_k d(margin)/d(value_k)|, (m,), as `Sensitivities.relative` has them; `margin`: the nominal
    one. `grades`: by tolerance ("1%" or 0.01) the cost of a part. One binary z_kt says that part k has tolerance t:

        worst case:   sum_k a_k t_k <= margin
        statistical:  q sqrt(sum_k (a_k `spread` t_k)^2) <= margin, with q = Phi^-1(`yielded`),

    which is linear in z after squaring, as the squares of the grades are constants. `spread`: the standard deviation of
    a part by its tolerance: 1/sqrt(3) where uniform, 1/3 for a normal of three sigmas. `groups`: (m,), parts of one
    number have one grade, as parts of one value are bought together.

    Raises InputError where the best grades do not do, with the margin that they need, for a nominal margin that is not
    positive, and for grades that are none; AccuracyError where the solver does not end.
    """
    a = np.abs(freeze(relative, "relative"))
    if a.ndim != 1 or not a.size:
        raise InputError(f"`relative` has shape {a.shape}: must be (parts,), with one part at least")
    budget = float(positive(margin, "margin", shape=(), unit=""))
    tolerances, costs = _grades(GRADES if grades is None else grades)
    group = _group(groups, a.size)
    if yielded is None:
        per_part, limit = np.outer(a, tolerances), budget
    else:
        wanted = float(freeze(yielded, "yielded", shape=(), unit=""))
        if not 0.5 < wanted < 1.0:
            raise InputError(f"`yielded` = {wanted:g}: must be above 0.5 and below 1")
        quantile = float(special.ndtri(wanted)) * float(positive(spread, "spread", shape=(), unit=""))
        per_part, limit = np.outer(a, tolerances) ** 2, (budget / quantile) ** 2
    loads = np.zeros((int(group.max()) + 1, tolerances.size))
    np.add.at(loads, group, per_part)
    members = np.bincount(group)
    best = float(loads.min(axis=1).sum())
    if best > limit * (1.0 + ROUNDED):
        need = best if yielded is None else math.sqrt(best) * quantile
        raise InputError(
            f"`margin` = {budget:.4g}: parts of {tolerances.min():.3%} all over need {need:.4g}; give a better grade, "
            "or a design of a larger margin"
        )
    choice = _solve(loads, np.outer(members, costs), limit)
    picked = choice[group]
    used = float(loads[np.arange(members.size), choice].sum())
    return GradeChoice(
        names=names_of(names, a.size),
        tolerances=freeze(tolerances[picked], "tolerances"),
        cost=float(costs[picked].sum()),
        lost=used if yielded is None else math.sqrt(used) * quantile,
        margin=budget,
        basis="worst case" if yielded is None else "statistical",
    )


def _solve(loads: Array, costs: Array, limit: float) -> Any:
    """Return which grade each group has: least cost, loads within the limit."""
    groups, grades = loads.shape
    one_each = np.kron(np.eye(groups), np.ones(grades))
    allowed = 1.0
    for _ in range(2):
        found = scipy.optimize.milp(
            costs.ravel(),
            integrality=np.ones(groups * grades),
            bounds=scipy.optimize.Bounds(0.0, 1.0),
            constraints=[
                scipy.optimize.LinearConstraint(one_each, 1.0, 1.0),
                scipy.optimize.LinearConstraint(loads.ravel()[None] / limit, -np.inf, allowed),
            ],
            options={"mip_rel_gap": 0.0},
        )
        if not found.success:
            raise AccuracyError(f"choose_grades: the mixed-integer program did not end ({found.message})")
        choice = np.argmax(found.x.reshape(groups, grades), axis=1)
        if float(loads[np.arange(groups), choice].sum()) <= limit * (1.0 + ROUNDED):
            return choice
        allowed = 1.0 - TIGHTER
    raise AccuracyError("choose_grades: the solver's rounding hides whether the margin holds; change it a little")


def _grades(grades: Mapping[Any, float]) -> tuple[Array, Array]:
    if not isinstance(grades, Mapping) or not grades:
        raise InputError(f"`grades` = {grades!r:.60}: must be costs by tolerance, such as {{0.05: 1.0, 0.01: 1.5}}")
    tolerances = np.array([float(freeze(one, "grades", shape=(), unit="")) for one in grades])
    costs = freeze(list(grades.values()), "grades", unit="")
    if np.any((tolerances <= 0.0) | (tolerances >= 1.0)) or np.any(costs < 0.0):
        raise InputError("`grades`: tolerances must be above 0 and below 1 (100%), and costs not negative")
    return tolerances, costs


def _group(groups: Sequence[int] | None, size: int) -> Any:
    if groups is None:
        return np.arange(size)
    given = np.asarray(groups)
    if given.shape != (size,):
        raise InputError(f"`groups` has shape {given.shape}: must be ({size},), a number for each part")
    return np.unique(given, return_inverse=True)[1]
