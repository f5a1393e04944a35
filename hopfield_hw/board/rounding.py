"""Weights as they can be made: what rounding to parts does to each, to the matrix, and to the network's equilibria."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..networks import Network
from ..values.arrays import Array, freeze
from ..values.errors import InputError
from ..values.report import Report
from .ways import Way

JUMP = 10.0  # times its tangent: what a step along a branch is never
STEPS = 32  # from the weights wanted to those that are made
NEWTON, CLOSE = 40, 1e-12


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Realisation(Report):
    """A matrix of conductances as a way makes it.

    `wanted`, `weights`: (n, m), siemens. `errors`: (weight - wanted) / |wanted|, (n, m): 0 where both are 0, infinite
    where a weight of 0 is not. `frobenius`: |weights - wanted| / |wanted|, of the whole. `worst`: the largest |error|
    of weights that are not 0. `settings`: by name how each is made (resistances, codes), (n, m) each. `way`, and the
    `seed` that drew what differs from device to device, None for none.
    """

    wanted: Array
    weights: Array
    errors: Array
    frobenius: float
    worst: float
    settings: Mapping[str, Any]
    way: Way
    seed: int | None

    def rows(self) -> list[tuple[str, str]]:
        return [
            ("made by", type(self.way).__name__),
            ("error of the whole", f"{self.frobenius:.3%}"),
            ("largest error of a weight", f"{self.worst:.3%}"),
        ]

    def figures(self) -> dict[str, Any]:
        return {
            "way": type(self.way).__name__,
            "frobenius": self.frobenius,
            "worst": self.worst,
            "seed": self.seed,
            "weights": self.weights.tolist(),
        }


def realise(weights: Any, way: Way, *, seed: int | None = None, most: Any = None) -> Realisation:
    """Return a matrix of conductances as a way makes it: OfSeries, TwoOfSeries, DigitalPotentiometer, ProgrammedLevels.

    `weights`: (n, m), siemens, of either sign. `seed`: draws mismatch, drift and the spread of potentiometers, each
    device by its place; None for typical devices. `most`: the largest error of the whole, |made - wanted| / |wanted|,
    that is accepted, a part.

    Raises InputError for weights that are all 0, values that cannot be made, with the scale of the weights that would
    do, and an error above `most`, with the series or the number of levels that would do.
    """
    if not isinstance(way, Way):
        raise InputError(
            f"`way` = {way!r:.60}: must be OfSeries, TwoOfSeries, DigitalPotentiometer or ProgrammedLevels"
        )
    wanted = freeze(weights.toarray() if hasattr(weights, "toarray") else weights, "weights", unit="S")
    if wanted.ndim != 2 or not wanted.size:
        raise InputError(f"`weights` has shape {wanted.shape}: must be (rows, columns)")
    if not wanted.any():
        raise InputError("`weights`: are all 0; nothing is to be made")
    made = way.make(wanted, seed)
    difference = made.weights - wanted
    with np.errstate(divide="ignore", invalid="ignore"):
        errors = np.where(difference == 0.0, 0.0, difference / np.abs(wanted))
    found = Realisation(
        wanted=wanted,
        weights=freeze(made.weights, "weights"),
        errors=freeze(errors, "errors", allow_inf=True),
        frobenius=float(np.linalg.norm(difference) / np.linalg.norm(wanted)),
        worst=float(np.max(np.abs(errors[wanted != 0.0]))),
        settings=dict(made.settings),
        way=way,
        seed=seed,
    )
    if most is not None:
        limit = float(freeze(most, "most", shape=(), unit=""))
        if not limit > 0.0:
            raise InputError(f"`most` = {limit:g}: must be above 0")
        if found.frobenius > limit:
            raise InputError(
                f"`weights`: {type(way).__name__} makes them to {found.frobenius:.3%}, above `most` = {limit:.3%}; "
                f"{way.cure(wanted, limit)}"
            )
    return found


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class RoundingCost(Report):
    """What rounding costs a network.

    `states`: (k, n), the equilibria asked for, volts. `first_order`: their shift to first order, (k, n), and `moved`
    where they are with the weights as made, followed all the way; NaN for one that is `lost`: on the way it met a fold,
    and is no more. `margin`, `margin_made`: of the task, before and after; None where no task was given.
    """

    states: Array
    first_order: Array
    moved: Array
    margin: float | None
    margin_made: float | None

    @property
    def lost(self) -> Any:
        """Which states are no more, (k,)."""
        return np.isnan(self.moved).any(axis=1)

    @property
    def outcome(self) -> str:
        """Of the task: "kept", "lost", "won" (it failed before), "failed before and after", or "no task"."""
        if self.margin is None or self.margin_made is None:
            return "no task"
        if self.margin > 0.0:
            return "kept" if self.margin_made > 0.0 else "lost"
        return "won" if self.margin_made > 0.0 else "failed before and after"

    def rows(self) -> list[tuple[str, str]]:
        said = []
        if len(self.states):
            said.append(("states", f"{len(self.states)}, {int(self.lost.sum())} lost"))
            shift = np.abs(self.moved - self.states)
            if not self.lost.all():
                said.append(("largest shift", f"{np.nanmax(shift):.4g} V"))
            said.append(("to first order", f"{np.max(np.abs(self.first_order)):.4g} V"))
        if self.margin is not None:
            said.append(("task", f"{self.outcome}: margin {self.margin:.4g} to {self.margin_made:.4g}"))
        return said

    def figures(self) -> dict[str, Any]:
        return {
            "states": len(self.states),
            "lost": int(self.lost.sum()),
            "moved": self.moved.tolist(),
            "outcome": self.outcome,
            "margin": self.margin,
            "margin_made": self.margin_made,
        }


def rounding_cost(
    network: Network,
    realisation: Realisation,
    *,
    states: Any = None,
    margin: Callable[[Array], Any] | None = None,
    is_loaded: bool = False,
) -> RoundingCost:
    """Return what a realisation of a network's weights T costs its equilibria, and a task.

    `states`: (k, n), equilibria of 0 = -x / R + T g(x) + I. To first order they move by dx = -J^-1 dF with
    J = T diag(g') - diag(1/R) and dF = dT g(x); and they are followed by Newton's method in 32 steps from T to T + dT.
    `is_loaded`: a passive summing node, whose 1/R_i changes with sum_j |T_ij|. `margin(weights)`: of a task, (samples,)
    of (samples, n, n), above 0 where it is done right.

    Raises InputError for a realisation of other weights, states that are no equilibria, and where neither states nor a
    margin are given.
    """
    n = network.size
    weights: Any = network.weights
    wanted = np.asarray(weights.toarray() if hasattr(weights, "toarray") else weights)
    if realisation.wanted.shape != wanted.shape or not np.array_equal(realisation.wanted, wanted):
        raise InputError("`realisation`: is of other weights than the network's; realise network.weights")
    if states is None and margin is None:
        raise InputError("`rounding_cost`: give `states`, a `margin`, or both; nothing would be compared")
    given = np.zeros((0, n)) if states is None else freeze(states, "states")
    if given.ndim != 2 or given.shape[1] != n:
        raise InputError(f"`states` has shape {given.shape}: must be (states, {n})")
    path = _Path(network, wanted, realisation.weights - wanted, is_loaded)
    first, moved = np.zeros_like(given), np.full(given.shape, np.nan)
    for k, state in enumerate(given):
        start = path.solve(state, 0.0)
        if start is None or np.max(np.abs(start - state)) > 1e-6 * max(float(np.max(np.abs(state))), 1e-3):
            raise InputError(f"`states[{k}]`: is no equilibrium of the network; take one of find_equilibria")
        first[k] = path.first_order(start)
        end = path.follow(start)
        if end is not None:
            moved[k] = end
    margins: list[float | None] = [None, None]
    if margin is not None:
        values = np.asarray(margin(np.stack([wanted, realisation.weights])), dtype=np.float64)
        if values.shape != (2,) or not np.isfinite(values).all():
            raise InputError(f"`margin` gave {values!r:.60} of 2 samples: must give 2 finite numbers")
        margins = [float(value) for value in values]
    return RoundingCost(
        states=freeze(given, "states"),
        first_order=freeze(first, "first_order"),
        moved=moved,
        margin=margins[0],
        margin_made=margins[1],
    )


class _Path:
    """0 = -x L(s) + (T + s dT) g(x) + I for s from 0 to 1."""

    def __init__(self, network: Network, weights: Array, change: Array, is_loaded: bool) -> None:
        self.gain: Any = network.gain
        self.bias: Array = np.asarray(network.bias)
        self.weights, self.change = weights, change
        leaks = 1.0 / np.asarray(network.resistance)
        self.leaks = leaks
        self.loading = (np.abs(weights + change) - np.abs(weights)).sum(axis=1) * (1.0 if is_loaded else 0.0)

    def jacobian(self, x: Array, s: float) -> Array:
        slopes = (self.weights + s * self.change) * np.asarray(self.gain.derivative(x))
        return np.asarray(slopes - np.diag(self.leaks + s * self.loading))

    def flow(self, x: Array, s: float) -> Array:
        outputs = np.asarray(self.gain.value(x))
        return np.asarray((self.weights + s * self.change) @ outputs - x * (self.leaks + s * self.loading) + self.bias)

    def solve(self, x: Array, s: float) -> Array | None:
        """Return the equilibrium that Newton's method finds from x; None for none."""
        for _ in range(NEWTON):
            try:
                step = np.linalg.solve(self.jacobian(x, s), self.flow(x, s))
            except np.linalg.LinAlgError:
                return None
            x = x - step
            if not np.isfinite(x).all():
                return None
            if np.max(np.abs(step)) <= CLOSE * max(1.0, float(np.max(np.abs(x)))):
                return x
        return None

    def first_order(self, x: Array, s: float = 0.0) -> Array:
        """Return dx/ds at an equilibrium."""
        drive = self.change @ np.asarray(self.gain.value(x)) - x * self.loading
        return -np.asarray(np.linalg.solve(self.jacobian(x, s), drive))

    def follow(self, x: Array) -> Array | None:
        """Return where the equilibrium ends; None behind a fold: another sign of the Jacobian, or another branch."""
        sign, s = np.linalg.slogdet(self.jacobian(x, 0.0))[0], 0.0
        for k in range(1, STEPS + 1):
            # Newton's method may land on another branch; no step of a branch is far longer than its tangent says.
            tangent = np.max(np.abs(self.first_order(x, s))) / STEPS
            s = k / STEPS
            found = self.solve(x, s)
            if found is None or np.linalg.slogdet(self.jacobian(found, s))[0] != sign:
                return None
            if np.max(np.abs(found - x)) > JUMP * tangent + CLOSE * max(1.0, float(np.max(np.abs(x)))):
                return None
            x = found
        return x
