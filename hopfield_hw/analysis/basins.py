"""Basins: in which of the settled states a grid of starts ends."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from ..equations import TIMEOUT, OdeProgram, input_signal, stop_time
from ..equations.watch import Watch
from ..graph import Graph, HasGraph, as_graph
from ..transforms import in_si
from ..values.arrays import Array, freeze, whole
from ..values.brief import Brief
from ..values.errors import InputError
from .equilibria import Equilibria

NEAR = 1e-3  # of the extent of the starts
MOST_STARTS = 1_000_000
RTOL = 1e-6


@dataclass(frozen=True, kw_only=True, eq=False)
class Basins(Brief):
    """Where the starts of a plane end.

    `x`: (p,), `y`: (q,), volts, of the states `plane`. `ends`: (q, p), the index of the equilibrium, -1 where the
    solution was near none at the end. `shares`: (k,), of the starts that end at each. `t_stop`: seconds.
    """

    x: Array
    y: Array
    plane: tuple[int, int]
    ends: npt.NDArray[np.intp]
    shares: Array
    t_stop: float


def find_basins(
    graph: Graph | HasGraph,
    equilibria: Equilibria,
    plane: tuple[int, int] = (0, 1),
    *,
    low: Any = None,
    high: Any = None,
    points: int = 41,
    rest: Any = None,
    inputs: Any = None,
    t_stop: Any = None,
    tolerance: float = NEAR,
    timeout: float = TIMEOUT,
) -> Basins:
    """Run a grid of starts in the plane of two states to `t_stop`, and say which equilibrium each is near at the end.

    All starts run side by side in the batched reference, each with its own steps. A start on the border between two
    basins ends at an unstable equilibrium, or is not there yet: -1.

    `plane`: the two states. `low`, `high`: volts, (2,) or one for both; by default what the equilibria span, half as
    much again. `points`: starts along each side. `rest`: (n,), what the other states start at, the graph's own by
    default. `t_stop`: as for `reference`. `tolerance`: near, as a part of the extent of the grid.

    Raises InputError for a graph that is no differential equation, states that there are not, and
    other equilibria or none.
    """
    network = in_si(as_graph(graph))
    if network.kind != "ode":
        raise InputError(f"find_basins: the graph is of the kind {network.kind!r}: must be 'ode'")
    program = OdeProgram([network], input_signal(network, inputs))
    n = program.size
    side = whole(points, "points", 2, 10_000)
    if not isinstance(plane, list | tuple) or len(plane) != 2 or plane[0] == plane[1]:
        raise InputError(f"`plane` = {plane!r:.60}: must name two states, such as (0, 1)")
    i, j = (whole(k, f"plane[{m}]", 0, n - 1, ", the states") for m, k in enumerate(plane))
    if not isinstance(equilibria, Equilibria):
        raise InputError(f"`equilibria` = {equilibria!r:.60}: must be Equilibria, of `find_equilibria`")
    if not len(equilibria) or equilibria.states.shape[1] != n:
        raise InputError(f"`equilibria`: has states {equilibria.states.shape}: must hold some, (k, {n}), of this graph")
    seen = equilibria.states[:, [i, j]]
    middle, half = 0.5 * (seen.min(axis=0) + seen.max(axis=0)), 0.75 * np.ptp(seen, axis=0)
    half = np.maximum(half, 0.1 * max(float(half.max()), program.reach))
    a = middle - half if low is None else freeze(low, "low", shape=(2,))
    b = middle + half if high is None else freeze(high, "high", shape=(2,))
    if bool(np.any(a >= b)):
        raise InputError("`low` must be below `high` in both states")
    x, y = np.linspace(a[0], b[0], side), np.linspace(a[1], b[1], side)
    base = program.initial if rest is None else freeze(rest, "rest", shape=(n,))
    starts = np.tile(base, (side * side, 1))
    starts[:, i], starts[:, j] = (part.ravel() for part in np.meshgrid(x, y))
    end = stop_time(network, t_stop)
    watch = Watch(network, timeout, end, what="find_basins")
    final = program.follow(starts, np.array([0.0, end]), RTOL, watch)[:, -1]
    apart = np.max(np.abs(final[:, np.newaxis] - equilibria.states), axis=2)
    nearest = np.argmin(apart, axis=1)
    there = apart[np.arange(len(final)), nearest] <= tolerance * float(np.max(b - a))
    ends = np.where(there, nearest, -1)
    shares = np.bincount(ends[there], minlength=len(equilibria)) / len(ends)
    return Basins(
        x=freeze(x, "x"),
        y=freeze(y, "y"),
        plane=(i, j),
        ends=ends.reshape(side, side).astype(np.intp),
        shares=freeze(shares, "shares"),
        t_stop=end,
    )
