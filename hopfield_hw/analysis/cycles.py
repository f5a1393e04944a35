"""Limit cycles of differential and delay equations, with their Floquet multipliers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from ..graph import Graph, HasGraph, as_graph
from ..transforms import in_si
from ..values.arrays import Array, freeze, positive, whole
from ..values.errors import AccuracyError, InputError
from ..values.report import Report
from ..values.si_text import format_si
from .characteristic import Complexes
from .closed import POINTS, TRIVIAL, Closed
from .delay_cycles import Collocation
from .shooting import Shooting

Outcome = Literal["stable", "unstable", "undecided"]

LEAST_ERROR = 1e-11  # of the multipliers, as the equation is solved no better


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Cycle(Report):
    """A closed solution x(t + T) = x(t).

    `period`: T, seconds. `times`: (p,), `states`: (p, n), volts, one period. `multipliers`: (n,), the eigenvalues of
    the monodromy matrix, the trivial one first, which is 1, and then the largest first. `trivial_error`: how far the
    one is from 1, and at least what the multipliers change by in a second computation, with another tolerance. `gap`:
    |x(T) - x(0)|, as a part of the size of the cycle.

    `outcome`: "stable" where the cycle is verified and all other multipliers are within the unit circle, "unstable"
    where one is outside it, by more than `margin`; else "undecided". The margin is the square root of the trivial
    error: an error e of a matrix moves two eigenvalues that are equal, and one of them is 1, by up to about sqrt(e)
    (J. H. Wilkinson, The Algebraic Eigenvalue Problem, 1965, chapter 2).

    A delay equation has infinitely many multipliers: these are the largest, up to 16 and the trivial one, and
    `complete` is False. There the second computation is that of the mesh before the last, and `gap` is what the states
    changed by, as a part of the size.
    """

    period: float
    times: Array
    states: Array
    multipliers: Complexes
    trivial_error: float
    gap: float
    parameter: float | None = None
    complete: bool = True

    @property
    def stable(self) -> bool:
        return self.outcome == "stable"

    @property
    def outcome(self) -> Outcome:
        if not self.is_verified or abs(self._largest - 1.0) <= self.margin:
            return "undecided"
        return "stable" if self._largest < 1.0 else "unstable"

    @property
    def margin(self) -> float:
        """How near to 1 the size of a multiplier tells nothing."""
        return float(np.sqrt(max(self.trivial_error, LEAST_ERROR)))

    @property
    def _largest(self) -> float:
        return float(np.max(np.abs(self.multipliers[1:]), initial=0.0))

    @property
    def is_verified(self) -> bool:
        """Whether the cycle closes, and the trivial multiplier is 1, as it has to be."""
        return self.gap <= 1e-8 and self.trivial_error <= TRIVIAL

    def rows(self) -> list[tuple[str, str]]:
        largest = self._largest
        many = "all" if self.complete else "the largest of infinitely many"
        return [
            ("limit cycle", self.outcome),
            ("period", format_si(self.period, "s")),
            ("largest multiplier", f"{largest:.8g}"),
            ("multipliers", f"{self.multipliers.size}, {many}"),
            ("trivial multiplier", f"1 to {self.trivial_error:.1e}"),
            ("closes", f"to {self.gap:.1e} of its size"),
        ]

    def figures(self) -> dict[str, Any]:
        return {
            "period": self.period,
            "stable": self.stable,
            "outcome": self.outcome,
            "multipliers": [[float(m.real), float(m.imag)] for m in self.multipliers],
            "trivial_error": self.trivial_error,
            "gap": self.gap,
            "parameter": self.parameter,
            "complete": self.complete,
        }


def find_cycle(
    graph: Graph | HasGraph,
    inputs: Any = None,
    *,
    transient: Any = None,
    initial: Any = None,
    period: Any = None,
    points: int = POINTS,
) -> Cycle:
    """Return the limit cycle of a differential or delay equation that a simulated solution comes to.

    The equation runs for `transient` seconds, then until it has gone round several times (its returns to a plane across
    it); from there Newton's method solves for a closed solution and its period T.

    An ordinary differential equation by shooting: phi_T(x) = x with f(x_0) . (x - x_0) = 0, with the derivative of phi
    from the variational equation M' = J M (DOP853, relative tolerance 1e-11). M(T) is the monodromy matrix, whose
    eigenvalues are the Floquet multipliers; one of them is 1. How well it is, and what they change by with a relative
    tolerance of 1e-9, says how good the others are.

    A delay equation with constant delays by collocation of the periodic problem x'(t) = f(x(t), x(t - tau_1), ...):
    polynomials of degree 6 on a mesh over one period, delayed values from the same polynomials modulo T, and the phase
    condition int x . x_0' dt = int x_0 . x_0' dt (K. Engelborghs, T. Luzyanina, K. J. in 't Hout and D. Roose, SIAM J.
    Sci. Comput. 22:1593, 2000). The mesh follows the solution and is refined until period, states and multipliers
    agree with those of the mesh before. The multipliers are those of the discretised monodromy operator, from the
    states over the longest delay to those one period later.

    `transient`: 200 of the slowest R C by default; of a delay equation 50 of the longest R C and delay together.
    `initial`: (n,), volts, where to start, and of a delay equation where the state has been; the graph's own by
    default, with its own past. With `period`, seconds, a guess, nothing is simulated: `initial` is near the cycle,
    which may be unstable; of a delay equation it is (p, n), the states at p equally spaced times from 0 to the period,
    both included.

    Raises InputError for a graph of another kind, an ordinary differential equation of fewer than two states, delays
    that vary, a neutral equation, and inputs that change; AccuracyError where the solution settles, does not return, or
    Newton's method does not converge.
    """
    method = _method(graph, inputs)
    count = whole(points, "points", 3, 1_000_000)
    if period is not None:
        guess = float(positive(period, "period", shape=(), unit="s"))
        return _cycle(method.solve(method.guess(initial), guess, count))
    length = None if transient is None else float(positive(transient, "transient", shape=(), unit="s"))
    states, guess = method.simulate(initial, length)
    return _cycle(method.solve(states, guess, count))


def continue_cycle(
    family: Callable[[float], Graph | HasGraph], start: Cycle, parameters: Any, *, inputs: Any = None
) -> tuple[Cycle, ...]:
    """Follow a cycle through parameter values, (k,), each solved from the one before, stable or not.

    It ends at a value where Newton's method does not converge, as at a fold of cycles or a Hopf point: what was found
    until there is given. Raises InputError as `find_cycle`.
    """
    values = freeze(parameters, "parameters")
    if values.ndim != 1 or not values.size:
        raise InputError(f"`parameters` has shape {values.shape}: must be one row of at least one value")
    found: list[Cycle] = []
    last = start
    for value in values.tolist():
        method = _method(family(value), inputs)
        if last.states.shape[1] != method.n:
            raise InputError(
                f"`family` has {method.n} states at {value:g} and the cycle {last.states.shape[1]}: must have the same"
            )
        try:
            last = _cycle(method.solve(last.states, last.period, last.times.size), parameter=value)
        except AccuracyError:
            break
        found.append(last)
    return tuple(found)


def _method(graph: Graph | HasGraph, inputs: Any) -> Shooting | Collocation:
    network = in_si(as_graph(graph))
    if network.kind not in ("ode", "dde"):
        raise InputError(f"find_cycle: the graph is of the kind {network.kind!r}: must be 'ode' or 'dde'")
    return Collocation(network, inputs) if network.kind == "dde" else Shooting(network, inputs)


def _cycle(found: Closed, parameter: float | None = None) -> Cycle:
    return Cycle(
        period=found.period,
        times=freeze(np.linspace(0.0, found.period, len(found.states)), "times"),
        states=freeze(found.states, "states"),
        multipliers=found.multipliers,
        trivial_error=max(float(abs(found.multipliers[0] - 1.0)), found.change),
        gap=found.gap,
        parameter=parameter,
        complete=found.complete,
    )
