"""Contraction in the 2-norm over a whole box of slopes: one matrix inequality with a multiplier for each neuron."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise
from typing import Any, Literal, NamedTuple, TypeAlias

import numpy as np

from ..values.arrays import Array
from .centres import largest_shift
from .inequality import Inequality, check_positive, exact, multiply
from .sectors import both, field, in_units, network_data, sector, selectors, square
from .semidefinite import Problem, Unknown, verify
from .systems import DelayedNetwork

# Parts of the fastest decay at which a first search for the largest rate ends, and the last one.
ROUGH, TOLERANCE = 1e-2, 1e-4
# What is tried for the weight of the late distance, as parts of the largest norm of W1 D.
LATE = (0.3, 0.6, 1.0)
Metric: TypeAlias = Literal["weights", "diagonal", "full"]
METRICS = ("weights", "diagonal", "full")


class BoxRate(NamedTuple):
    """V = d^T P d of the difference d of any two solutions: V' <= -`alpha` V + `beta` V(t - h), 1/s each.

    `metric`: P, (n, n). `inequalities`: what proves it. `matrices`: P and the multipliers of the proof.
    """

    alpha: float
    beta: float
    metric: Array
    inequalities: tuple[Inequality, ...]
    matrices: dict[str, Array]


def box_rate(network: DelayedNetwork, weights: Array, metric: Metric) -> BoxRate | None:
    """Return the largest alpha - beta with V' <= -alpha V + beta V(t - h) for all slopes; None where none is found.

    d' = -A d + W0 D d + W1 D(t - h) d(t - h), with D(t) anywhere in the box at any time. `metric`: P is
    diag(`weights`^2), or found among diagonal or all symmetric matrices. alpha - beta may come out below 0, which
    proves no contraction.
    """
    unit = 1.0 / float(np.max(network.decay))
    side = network.steepest[None, :] if network.kind == "local" else network.steepest[:, None]
    norm = float(np.linalg.norm(network.late_weights * side, 2)) * unit
    least = weights if metric == "weights" else np.ones(network.size)
    best: tuple[float, float, Array] | None = None
    parts, end = (LATE, ROUGH) if network.has_delay else ((0.0,), TOLERANCE)
    for part in parts:
        problem = box_problem(network, 0.0, part * norm, weights, metric)
        found = largest_shift(problem, _start(network, problem, part * norm, least), end)
        if found is not None and (best is None or found[0] > best[0]):
            best = found[0], part * norm, found[1]
    if best is None:
        return None
    shift, beta, values = best
    if network.has_delay:
        problem = box_problem(network, 0.0, beta, weights, metric)
        shift, values = largest_shift(problem, values, TOLERANCE) or (shift, values)
    problem = box_problem(network, shift, beta, weights, metric)
    matrices = problem.matrices(values)
    if metric == "weights":
        matrices["P"] = np.diag(weights**2) * matrices.pop("scale")[0, 0]
    rest = check_positive("alpha - beta, of A", exact([2.0 * shift]))
    inequalities = (rest, *verify(problem, values)) if rest.holds else (rest,)
    # Dividing by the unit of time rounds.
    alpha, beta = (beta + 2.0 * shift) / unit, beta / unit
    return BoxRate(alpha - 1e-12 * abs(alpha), beta * (1.0 + 1e-12), matrices["P"], inequalities, matrices)


def box_problem(network: DelayedNetwork, shift: float, beta: float, weights: Array, metric: Metric) -> Problem:
    """Return the inequality of `box_rate` in units of time of the fastest decay: alpha = `beta` + 2 `shift`.

    With w = D d in the sector of d (of W d in a static field) by multipliers T0, T1 >= 0 (S-procedure; S. Boyd, L. El
    Ghaoui, E. Feron and V. Balakrishnan, Linear Matrix Inequalities in System and Control Theory, 1994, section 8.1).
    """
    n, late = network.size, network.has_delay
    curved = np.flatnonzero(network.lower < network.upper)
    unknowns = [
        Unknown("scale", "diagonal", 1)
        if metric == "weights"
        else Unknown("P", "diagonal" if metric == "diagonal" else "symmetric", n)
    ]
    unknowns += [Unknown("T0", "diagonal", n)] + ([Unknown("T1", "diagonal", n)] if late else [])
    ends = np.cumsum([0, n, curved.size, *((n, curved.size) if late else ())]).tolist()

    def build(found: Mapping[str, Any], given: Mapping[str, Any]) -> dict[str, Any]:
        data = in_units(network, given)
        (every,) = selectors(1, ends[-1], data["A"])
        x, free, *past = [every[a:b] for a, b in pairwise(ends)]
        spread = (data["K"] - data["L"])[:, curved]
        argument = data["W1" if late else "W0"] if network.kind == "static" else selectors(1, n, data["A"])[0]
        pairs = []
        for one, other in ((x, free), *([past] if late else [])):
            y = multiply(argument, one)
            pairs.append((multiply(data["L"], y) + multiply(spread, other), y))
        metric_of = found["P"] if metric != "weights" else square(data["S"], found["scale"][0, 0] * data["one"])
        change = field(network, data, x, pairs[0][0], pairs[-1][0])[1]
        now = square(x, metric_of)
        total = both(x, metric_of, change) + now * (data["beta"][0] + 2 * data["shift"][0])
        for k, (f, y) in enumerate(pairs):
            total = total + sector(f, y, data, found[f"T{k}"])
        if late:
            total = total - square(past[0], metric_of) * data["beta"][0]
        return {"P": metric_of, "-V'": -total}

    data = network_data(network, float(1.0 / np.max(network.decay)))
    data |= {"S": np.diag(weights), "one": np.eye(n), "beta": np.array([beta]), "shift": np.array([shift])}
    return Problem(tuple(unknowns), build, data)


def _start(network: DelayedNetwork, problem: Problem, beta: float, weights: Array) -> Array:
    """Return numbers for which the inequality holds at some shift: T1 so small that the late distance bears it."""
    argument = network.late_weights if network.kind == "static" else np.eye(network.size)
    wide = problem.data["time"][0] if network.kind == "static" else 1.0
    width = float(np.max(network.upper - network.lower)) * wide * float(np.linalg.norm(argument, 2))
    start = []
    for unknown in problem.unknowns:
        late = unknown.name == "T1" and width > 0.0
        value = beta * float(np.min(weights)) ** 2 / width**2 if late else 1.0
        first = np.eye(unknown.rows)[np.triu_indices(unknown.rows)] if unknown.kind == "symmetric" else None
        start.append(np.full(unknown.numbers, value) if first is None else first)
    return np.concatenate(start)
