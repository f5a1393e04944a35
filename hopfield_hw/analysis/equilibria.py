"""Equilibria of a network: where it can stand still, and whether it stays there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

import numpy as np
import numpy.typing as npt

from ..graph import Graph, HasGraph
from ..values.arrays import Array, freeze, whole
from ..values.errors import AccuracyError, InputError
from ..values.names import unknown
from ..values.report import Report
from .balance import Balance
from .characteristic import Complexes
from .linear_pieces import stand_in_pieces
from .linear_regions import Continuum, all_of_regions, all_pieces, choices_of_regions, region
from .newton import distinct, newton
from .small_signals import SmallSignals
from .spectrum import judge_equilibrium

Stability = Literal["stable", "saddle", "unstable", "marginal", "corner"]

STARTS, SEED, ROUNDS = 512, 1984, 4
DEFLATED = 96  # of the starts, about so many in each round
MOST_STARTS = 100_000
MOST_STAND_INS = 8  # elements: up to 3^8 regions of the straight stand-in
METHODS = ("auto", "regions", "newton")
NO_BOUND = 10.0  # times the size of the state, where the equation gives no bound
NOT_STRAIGHT = "find_equilibria: method='regions' needs Leaks or Holds, Affines and piecewise-linear functions alone"


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Equilibria(Report):
    """What was found. The k states are in the order of their first components.

    `states`: (k, n), volts. `outputs`: (k, m), volts. `eigenvalues`: (k, r), 1/s: those of the Jacobian, the rightmost
    characteristic roots of a delay equation, multipliers of a map. `stability` of each: "stable", "saddle", "unstable"
    (no direction falls), "marginal" (undecided: an eigenvalue is on the border, or rounding could have moved it over,
    by the rule of `small_signals`), "corner" (a drive is at a corner of its curve, where no Jacobian tells).
    `residuals`: (k,), the largest |dx/dt| of each, V/s (of a map |x[k+1] - x[k]|, V).
    `continua`: equilibria that are not isolated. `complete`: whether these are known to be all, and `basis` on what
    that rests.
    """

    states: Array
    outputs: Array
    eigenvalues: Complexes
    stability: tuple[Stability, ...]
    residuals: Array
    continua: tuple[Continuum, ...]
    complete: bool
    basis: str

    def __len__(self) -> int:
        return len(self.states)

    @property
    def stable(self) -> npt.NDArray[np.intp]:
        """Which are stable."""
        return np.flatnonzero([one == "stable" for one in self.stability])

    def rows(self) -> list[tuple[str, str]]:
        counts = ", ".join(f"{self.stability.count(kind)} {kind}" for kind in dict.fromkeys(self.stability))
        said = [
            ("equilibria", f"{len(self)}{' (all)' if self.complete else ' found'}{': ' + counts if counts else ''}")
        ]
        if self.continua:
            said.append(("continua", f"{len(self.continua)}, of equilibria that are not isolated"))
        said.append(("on what it rests", self.basis))
        for k, (state, kind) in enumerate(zip(self.states, self.stability, strict=True)):
            shown = ", ".join(f"{x:.5g}" for x in state[:8]) + (", ..." if state.size > 8 else "")
            said.append((f"{k}", f"{kind:<9} [{shown}] V"))
        return said

    def figures(self) -> dict[str, Any]:
        return {
            "complete": self.complete,
            "basis": self.basis,
            "continua": len(self.continua),
            "equilibria": [
                {"state": x.tolist(), "stability": kind, "residual": float(r), "largest": float(np.max(roots.real))}
                for x, kind, r, roots in zip(self.states, self.stability, self.residuals, self.eigenvalues, strict=True)
            ],
        }


class _Search(NamedTuple):
    states: Array
    at_corner: Any
    continua: tuple[Continuum, ...]
    complete: bool
    basis: str


def find_equilibria(
    graph: Graph | HasGraph,
    inputs: Any = None,
    *,
    method: str = "auto",
    starts: int = STARTS,
    seed: int = SEED,
    within: tuple[Any, Any] | None = None,
) -> Equilibria:
    """Return the equilibria of a differential or delay equation (dx/dt = 0), or of a map (x[k+1] = x[k]).

    Where all functions are piecewise linear (PiecewiseLinear, Clip, Identity, LeakyRelu, Table, HardLimiter,
    ThresholdedRelu) each linear region has one linear system, and all regions that interval bounds do not rule out are
    solved: the list is complete, and equilibria that are not isolated are given as continua. (Where a function jumps,
    states that slide along the jump are not counted.) Else damped Newton's method with the analytic Jacobian runs from
    many starts, and again with what it found deflated: what is found is not said to be all. The starts are the
    solutions of the regions of a straight stand-in for each sigmoid, and random ones within the bound
    |x_i| <= R_i (sum_j |T_ij| max|g_j| + |I_i|) that the equation gives.

    `inputs`: constant, as for `reference`. `method`: "auto", "regions" or "newton". `starts`: how many random ones.
    `within`: (low, high), volts, (n,) or one each: where to start instead, and where no bound is known.

    Raises InputError for a sampled-data system, a neutral equation, Quantise and Sign, inputs that change, and
    method="regions" where it cannot be had.
    """
    if method not in METHODS:
        raise InputError(f"find_equilibria: {unknown('method', method, METHODS)}")
    starts = whole(starts, "starts", 1, MOST_STARTS)
    balance = Balance(graph, inputs)
    pieces = None if balance.form is None or method == "newton" else all_pieces(balance.form)
    if pieces is None and method == "regions":
        raise InputError(NOT_STRAIGHT)
    if pieces is not None and balance.form is not None:
        found = all_of_regions(balance.form, pieces, scale=balance.reach, scales=balance.reaches)
        slide = "; states that slide along a jump are not counted" if pieces.jumps.any() else ""
        basis = f"{found.regions} linear regions solved, all others ruled out by interval bounds{slide}"
        if found.doubtful:
            basis += f"; {found.doubtful} of them nearly singular, where an equilibrium may be missed or be a continuum"
        search = _Search(found.states, found.at_corner, found.continua, not found.doubtful, basis)
    else:
        search = _newton_search(balance, starts, seed, within)
    order = np.lexsort(np.round(search.states / balance.reach, 9).T[::-1]) if len(search.states) else np.zeros(0, int)
    states = freeze(search.states[order], "states")
    judged = [judge_equilibrium(balance, x) for x in states]
    residual = np.max(np.abs(balance.value(states)), axis=1, initial=0.0) if len(states) else np.zeros(0)
    kinds: list[Stability] = [
        "corner" if corner else classify(one, balance)
        for one, corner in zip(judged, search.at_corner[order], strict=True)
    ]
    return Equilibria(
        states=states,
        outputs=freeze(balance.outputs(states), "outputs"),
        eigenvalues=_as_rows([one.roots for one in judged]),
        stability=tuple(kinds),
        residuals=freeze(residual, "residuals"),
        continua=search.continua,
        complete=search.complete,
        basis=search.basis,
    )


def classify(found: SmallSignals, balance: Balance) -> Stability:
    """Return the stability that roots or multipliers tell. Raises AccuracyError where there is none."""
    if not found.roots.size:
        raise AccuracyError("find_equilibria: no root is known, so neither is the stability")
    if found.outcome == "unstable":
        delayed = balance.given.kind == "dde"  # it has roots far to the left always
        return "saddle" if delayed or bool(np.any(found.sides < 0)) else "unstable"
    return "stable" if found.outcome == "stable" else "marginal"


def _newton_search(balance: Balance, starts: int, seed: int, within: Any) -> _Search:
    n, scale = balance.size, balance.reach
    bounds = None if balance.form is None else balance.form.state_range()
    if within is not None:
        low, high = (freeze(end, f"within[{k}]", shape=(n,)) for k, end in enumerate(_pair(within)))
        if bool(np.any(low > high)):
            raise InputError("`within`: low is above high; give (low, high)")
        where = "the box given"
    elif bounds is not None:
        (low, high), where = bounds, "the bound that the equation gives"
    else:
        low, high = np.full(n, -NO_BOUND * scale), np.full(n, NO_BOUND * scale)
        where = f"{NO_BOUND:g} times the size of the state, as the equation gives no bound"
    rng = np.random.default_rng(seed)
    # Half of them near the middle, where states that are not stable tend to be.
    widths = np.where(np.arange(starts) % 2, 1.0, 0.3)[:, np.newaxis]
    middle, half = 0.5 * (low + high), 0.5 * (high - low)
    rows = middle + widths * half * rng.uniform(-1.0, 1.0, (starts, n))
    first = np.vstack([balance.initial, np.zeros(n), middle, *_stand_in_states(balance, low, high), rows])
    scales = balance.reaches
    states = newton(balance.values, balance.jacobians, first, scales)
    some = first[:: max(len(first) // DEFLATED, 1)]
    for _ in range(ROUNDS):
        more = newton(balance.values, balance.jacobians, some, scales, roots=states)
        if not len(more):
            break
        states = np.vstack([states, more])
    states = distinct(states, np.zeros((0, n)), scales)
    basis = f"found by Newton's method from {len(first)} starts in {where}, with deflation; there may be others"
    return _Search(states, _at_corner(balance, states), (), False, basis)


def _stand_in_states(balance: Balance, low: Array, high: Array) -> list[Array]:
    """Return the solutions of the linear regions of a straight stand-in, within the bounds, feasible or not."""
    form = balance.form
    if form is None or form.drive_constant.size > MOST_STAND_INS:
        return []
    pieces = all_pieces(form, stand_in_pieces)
    if pieces is None:
        return []
    found = []
    for chosen in choices_of_regions(form, pieces):
        part = region(form, pieces, chosen)
        x = np.linalg.lstsq(part.matrix, -part.constant, rcond=None)[0]
        found.append(np.clip(x, low, high))
    return found


def _at_corner(balance: Balance, states: Array) -> Any:
    """Return whether the Jacobian differs on two sides of a state, (k,)."""
    result = np.zeros(len(states), dtype=bool)
    if not balance.has_jumps or not len(states):
        return result
    base = balance.jacobians(states)
    size = np.max(np.abs(base), axis=(1, 2))
    for i in range(balance.size):
        for sign in (-1.0, 1.0):
            moved = np.array(states)
            moved[:, i] += sign * 1e-7 * balance.reach
            result |= np.max(np.abs(balance.jacobians(moved) - base), axis=(1, 2)) > 1e-3 * size
    return result


def _as_rows(found: list[Complexes]) -> Complexes:
    """Return rows of one length, (k, r); a delay equation may have more roots at one state than at another."""
    width = min((len(row) for row in found), default=0)
    return np.array([row[:width] for row in found], dtype=np.complex128).reshape(len(found), width)


def _pair(value: Any) -> tuple[Any, Any]:
    if not isinstance(value, list | tuple) or len(value) != 2:
        raise InputError(f"`within` = {value!r:.60}: must be (low, high), volts")
    return value[0], value[1]
