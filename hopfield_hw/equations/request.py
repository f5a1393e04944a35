"""What is asked of a solution: accuracy, times, inputs; refused here where it cannot be."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import Any

import numpy as np

from ..graph import Graph, Input, Leak, Output
from ..values.arrays import Array, positive
from ..values.errors import InputError
from ..values.grids import uniform_grid
from ..values.measures import check_accuracy
from ..values.signals import Signal, as_signal

POINTS = 2001
# Numbers of a result: more find no room.
MOST_NUMBERS = 1e9


def check_request(accuracy: Any, points: int | None) -> float:
    """Return the accuracy, an NRMSE. Raises InputError for another, and for fewer than two points."""
    if points is not None:
        uniform_grid(1.0, points)
    return check_accuracy(accuracy, "accuracy")


def check_steps(graph: Graph, period: float, end: float) -> None:
    """Refuse so many periods of a clock that their states find no room."""
    numbers = (end / period + 1.0) * max(sum(op.output_size for op in (*graph.states, *graph.of_type(Output))), 1)
    if numbers > MOST_NUMBERS:
        raise InputError(
            f"`t_stop` = {end:g} s: is {end / period:.3g} periods of {period:g} s, and {8.0 * numbers / 1e9:.3g} GB of "
            f"states; at most {8.0 * MOST_NUMBERS / 1e9:g} GB are allowed: run it for less time"
        )


def stop_time(graph: Graph, t_stop: float | None) -> float:
    """Return t_stop, or 20 max(R C) of a graph in SI units where it is None."""
    if t_stop is not None:
        return float(positive(t_stop, "t_stop", shape=(), unit="s"))
    if graph.kind == "map":
        raise InputError("`t_stop`: a map has no time constant; say for how long to run, in seconds")
    constants = [float(np.max(leak.resistance * leak.capacitance)) for leak in graph.of_type(Leak)]
    if not constants or not np.isfinite(max(constants)):
        raise InputError("`t_stop`: the graph has no finite time constant R C; say for how long to run, in seconds")
    return 20.0 * max(constants)


def input_signal(graph: Graph, inputs: Any) -> Signal | None:
    """Return the inputs as a Signal; None where nothing is given (0 V)."""
    size = sum(source.output_size for source in graph.of_type(Input))
    if inputs is None:
        return None
    if size == 0:
        raise InputError("`inputs`: the graph has no Input; leave it out")
    return as_signal(inputs, "inputs", size)


def uniform_times(end: float, points: int | None) -> tuple[Array, Array]:
    """Return uniform times from 0 to `end`, seconds, as the times of a result and when each is read."""
    grid = uniform_grid(end, POINTS if points is None else points)
    return grid, grid


def input_values(signal: Signal | None, t: Array, size: int) -> Array:
    """Return the inputs at the times t, (*t.shape, size); 0 V where nothing is given."""
    return np.zeros((*np.shape(t), size)) if signal is None else signal.sample(t)


def piecewise(initial: Array, grid: Array, signal: Signal | None, advance: Callable[[Array, Array], Array]) -> Array:
    """Return the states, (B, T, n), at `grid` from `initial`, (B, n), solved anew from each corner of a signal on.

    `advance(x, piece)`: the states, (B, times, n), at the times of a piece, from x at the first one.
    """
    result = np.empty((len(initial), grid.size, initial.shape[1]))
    result[:, 0] = x = initial
    for piece in segments(grid, signal):
        states = advance(x, piece)
        x = states[:, -1]
        inside = np.isin(piece, grid)
        result[:, np.searchsorted(grid, piece[inside])] = states[:, inside]
    return result


def segments(grid: Array, signal: Signal | None) -> list[Array]:
    """Return the grid cut at the corners of a signal, each piece with its ends."""
    corners = [] if signal is None else [t for t in signal.times.tolist() if grid[0] < t < grid[-1]]
    bounds = [float(grid[0]), *corners, float(grid[-1])]
    return [np.unique(np.concatenate([[a], grid[(grid > a) & (grid < b)], [b]])) for a, b in pairwise(bounds)]
