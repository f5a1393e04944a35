"""The discrete Hopfield network, one neuron after the other, in an order that a seed says."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np

from ..graph import Activate, Affine, Graph, HasGraph, Hold, Sign, as_graph
from ..values.arrays import Array, freeze, whole
from ..values.errors import InputError


class Settling(NamedTuple):
    """`states`: (B, n), +1 or -1. `sweeps`: (B,), until a sweep changed nothing; `settled`: (B,), whether one did."""

    states: Array
    sweeps: Any
    settled: Any


def run_asynchronous(
    graph: Graph | HasGraph, *, rng: np.random.Generator, initial: Any = None, max_sweeps: int = 100
) -> Settling:
    """Run `families.discrete_hopfield`, each sweep in a new random order, until nothing changes.

    x_i <- f(sum_j W_ij x_j + b_i), one neuron at a time; f is a Sign, which keeps x_i at a tie, or a function.
    `initial`: (n,) or (B, n), by default what the graph holds. With symmetric W of non-negative diagonal it always
    settles (Hopfield, PNAS 79:2554, 1982).

    Raises InputError for a graph that is not Hold <- Sign (or Activate) <- Affine <- Hold, and for a wrong shape.
    """
    graph = as_graph(graph)
    if not isinstance(rng, np.random.Generator):
        raise InputError(f"`rng` = {rng!r:.60}: must be a generator, as numpy.random.default_rng(seed) gives one")
    whole(max_sweeps, "max_sweeps", 1, 1_000_000)
    holds, affines = graph.of_type(Hold), graph.of_type(Affine)
    deciders: tuple[Sign | Activate, ...] = (*graph.of_type(Sign), *graph.of_type(Activate))
    fits = len(holds) == len(deciders) == len(affines) == 1 and graph.drivers(holds[0]) == deciders
    if not fits or graph.drivers(deciders[0]) != affines or graph.drivers(affines[0]) != holds:
        raise InputError("run_asynchronous: the graph is not one Hold <- Sign (or Activate) <- Affine <- Hold")
    (decider,) = deciders
    if isinstance(decider, Sign) and graph.drivers(decider, "tie") != holds:
        raise InputError(f"run_asynchronous: the ties of {decider.name!r} are not those of the Hold; drive them by it")
    columns = np.ascontiguousarray(affines[0].weights.matrix.T)
    n = holds[0].output_size
    start = freeze(holds[0].initial if initial is None else initial, "initial")
    if start.ndim not in (1, 2) or start.shape[-1] != n:
        raise InputError(f"`initial` has shape {start.shape}: must be ({n},) or (B, {n})")
    x = np.atleast_2d(start).copy()
    drive = x @ columns + affines[0].constant
    curves = [_law(decider, i) for i in range(n)]
    sweeps, settled = np.zeros(len(x), dtype=np.int64), np.zeros(len(x), dtype=bool)
    for _ in range(max_sweeps):
        if settled.all():
            break
        changed = np.zeros(len(x), dtype=bool)
        for i in rng.permutation(n).tolist():
            after = curves[i](drive[:, i], x[:, i])
            step = after - x[:, i]
            moved = np.flatnonzero(step)
            if moved.size:
                changed[moved] = True
                x[moved, i] = after[moved]
                drive[moved] += step[moved, np.newaxis] * columns[i]
        sweeps[~settled] += 1
        settled |= ~changed
    return Settling(x, sweeps, settled)


def _law(decider: Sign | Activate, i: int) -> Callable[[Array, Array], Array]:
    """Return the next states of neuron i from its drives and its states, (B,)."""
    if isinstance(decider, Sign):
        one = replace(decider, size=1, band=decider.band[i])
        return one.value
    function = decider.function if decider.function.size is None else decider.function.at(i)
    return lambda drive, _: function.value(drive)
