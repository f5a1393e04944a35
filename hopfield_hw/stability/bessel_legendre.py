"""Linear systems with one delay: the Bessel-Legendre hierarchy, which converges to the exact limit."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from ..values.arrays import whole
from ..values.errors import InputError
from .certificate import Certificate, check_delay, round_down, round_up
from .sectors import both, legendre_moments, selectors, square, stack, with_moments
from .semidefinite import Problem, Unknown, solve, verify
from .systems import LinearDelaySystem

HIGHEST_ORDER = 12


def certify_linear_delay(
    system: LinearDelaySystem,
    delay: float | tuple[float, float],
    *,
    order: int = 1,
    solver: str | None = None,
    exactly: bool = True,
) -> Certificate:
    """Return whether x'(t) = A x(t) + Ad x(t - h) is stable for one delay, or for each of a range of delays.

    V = [x; M]^T P [x; M] + int_{t-h}^t x^T S x + h int int x'^T R x', M the first N Legendre moments of the delayed
    state: order N of A. Seuret and F. Gouaisbaut, "Hierarchy of LMI conditions for the stability analysis of time-delay
    systems" (Syst. Control Lett. 81:1, 2015, theorem 5). What is proved at order N is at N + 1. Time is measured in
    units of h, in which all coefficients are small integers, so that high orders are solved as well as low ones.

    `delay`: h, or (shortest, longest), seconds. For a range the same P, S and R serve both ends: -V' is concave in h,
    so that it is positive between them. With N = 0 a proof is one for all delays up to h. `order`: N, from 0 to 12.
    `solver`, `exactly`: as of `certify_every_delay`.

    Raises InputError for others, and MissingExtra without cvxpy.
    """
    if not isinstance(system, LinearDelaySystem):
        raise InputError(f"{system!r:.60}: must be a LinearDelaySystem; of a DelayedNetwork take `.linear()`")
    ends = delay if isinstance(delay, tuple | list) else (delay, delay)
    if len(ends) != 2:
        raise InputError(f"`delay` has {len(ends)} ends: must be one delay, or (shortest, longest)")
    low, high = (check_delay(end, "delay") for end in ends)
    if low > high:
        raise InputError(f"`delay` = ({low:g}, {high:g}) s: the shortest comes first; exchange them")
    problem = linear_delay_problem(system, low, high, whole(order, "order", 0, HIGHEST_ORDER))
    values = solve(problem, solver)
    low = 0.0 if order == 0 else low
    which = f"for the delay {high!r} s"
    if low < high:
        which = f"for each constant delay from {round_up(low, 9)} to {round_down(high, 9)} s"
    return Certificate(
        criterion=f"Bessel-Legendre, order {order}",
        claim=f"exponentially stable, {which}",
        system=system,
        inequalities=verify(problem, values, exactly=exactly),
        delays=(low, high),
        matrices={} if values is None else problem.matrices(values),
        source="Seuret and Gouaisbaut, Syst. Control Lett. 81:1 (2015), theorem 5",
    )


def linear_delay_problem(system: LinearDelaySystem, low: float, high: float, order: int) -> Problem:
    """Return the inequalities of the functional above, at one delay or at both ends of a range."""
    n = system.size
    unknowns = (
        Unknown("P", "symmetric", n * (1 + order)),
        Unknown("S", "symmetric", n),
        Unknown("R", "symmetric", n),
    )
    ends = ("low", "high") if low < high else ("high",)

    def build(found: Mapping[str, Any], data: Mapping[str, Any]) -> dict[str, Any]:
        x, late, *moments = selectors(2 + order, n, data["A"])
        changes = legendre_moments(x, late, moments)
        fixed = square(x, found["S"]) - square(late, found["S"])
        for k, change in enumerate(changes):
            fixed = fixed - square(change, found["R"] * (2 * k + 1))
        matrices = {"P + S": with_moments(found["P"], found["S"], order, n), "S": found["S"], "R": found["R"]}
        for end in ends:
            h = data[end][0]
            rate = np.concatenate([data["A"] * h, data["Ad"] * h, *([data["A"] * 0] * order)], axis=1)
            total = fixed + both(stack(x, *moments), found["P"], stack(rate, *changes[:order]))
            matrices[f"-V' at {end}"] = -total - square(rate, found["R"])
        return matrices

    data = {"A": system.matrix, "Ad": system.late, "low": np.array([low]), "high": np.array([high])}
    return Problem(unknowns, build, data)
