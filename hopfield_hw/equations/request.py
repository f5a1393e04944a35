"""What is asked of a solution: accuracy, times, inputs; refused here where it cannot be."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np

from ..graph import Graph, Input, Leak, Output
from ..values.arrays import Array, positive
from ..values.errors import InputError
from ..values.grids import uniform_grid
from ..values.measures import checked_accuracy
from ..values.signals import Signal, as_signal
from .program import Program

# Numbers of a result: more find no room.
MOST_NUMBERS = 1e9


def check_request(accuracy: Any, points: int | None) -> float:
    """Return the accuracy, an NRMSE. Raises InputError for another, and for fewer than two points."""
    if points is not None:
        uniform_grid(1.0, points)
    return checked_accuracy(accuracy, "accuracy")


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


def absolute_tolerance(program: Program, rtol: float) -> float:
    """Return rtol times the size of the state: its start, or what one time constant of the first slope brings."""
    x0 = program.initial
    slope = np.abs(program.rhs(0.0, np.zeros_like(x0)))
    reach = [float(np.max(np.abs(x0)))]
    for leak in program.leaks:
        rate = program.rates[leak.name][1]
        part = slope[..., program.slices[leak.name]]
        reach.append(float(np.max(part / np.where(rate > 0.0, rate, np.inf))))
    return rtol * max(*reach, 1e-6)


def segments(grid: Array, signal: Signal | None) -> list[Array]:
    """Return the grid cut at the corners of a signal, each piece with its ends."""
    corners = [] if signal is None else [t for t in signal.times.tolist() if grid[0] < t < grid[-1]]
    bounds = [float(grid[0]), *corners, float(grid[-1])]
    return [np.unique(np.concatenate([[a], grid[(grid > a) & (grid < b)], [b]])) for a, b in pairwise(bounds)]
