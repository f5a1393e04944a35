"""Many solutions in one call: many initial states, or many draws of the parameters, each with its own error control."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import xarray as xr

from ..graph import Graph, HasGraph, Leak, Output, as_graph
from ..transforms import in_si
from ..values.arrays import Array, frozen
from ..values.datasets import make_dataset
from ..values.errors import InputError
from ..values.grids import uniform_grid
from .batch_solver import Rows, integrate
from .program import Program
from .request import absolute_tolerance, check_request, input_signal, segments, stop_time
from .solution import MARGIN, STEPS, TIGHTEST, through_points
from .watch import TIMEOUT, Watch

# Where a gain curve has corners, no step is longer than this part of the smallest R C: an error estimate does not see a
# corner that a step jumps over.
CORNER_STEP = 0.05


def solve_batch(
    graphs: Graph | HasGraph | Sequence[Graph | HasGraph],
    *,
    initial: Any = None,
    t_stop: float | None = None,
    inputs: Any = None,
    accuracy: float = 1e-4,
    points: int = 2001,
    rtol: float | None = None,
    timeout: float = TIMEOUT,
) -> xr.Dataset:
    """Return state and output over (draw, time, neuron), each draw integrated with its own steps (DOP853).

    `graphs`: one graph, or one for each draw, alike but for their values. `initial`: (draws, states), volts; by
    default what the graphs hold. `t_stop`, `inputs` (the same for all draws), `accuracy`: as for `reference`.
    `rtol` sets the relative tolerance itself, in place of 1e-4 of the accuracy. `timeout`: as for `reference`, for all
    draws together.

    Raises InputError for draws of different forms and wrong shapes, AccuracyError for a draw that cannot
    go on, and SimulatorTimeout where the time is used up.
    """
    several = [as_graph(graph) for graph in (graphs if isinstance(graphs, Sequence) else [graphs])]
    if not several:
        raise InputError("`graphs` is empty: give at least one graph")
    accuracy = check_request(accuracy, points)
    draws = [in_si(graph) for graph in several]
    end = stop_time(draws[0], t_stop)
    program = Program(draws, input_signal(draws[0], inputs))
    x0 = _initial(program, len(draws), initial)
    grid = uniform_grid(end, points)
    tolerance = max(accuracy * MARGIN, TIGHTEST) if rtol is None else rtol
    state = integrate_program(program, x0, grid, tolerance, Watch(draws[0], timeout, end, what="reference_batch"))
    times = np.broadcast_to(grid, state.shape[:2])
    rows = np.arange(x0.shape[0]) if len(draws) > 1 else slice(None)
    output = np.stack([program.outputs(times[:, k], state[:, k], rows) for k in range(points)], axis=1)
    return make_dataset(
        grid,
        state,
        output,
        neurons=draws[0].labels_of(Leak),
        ports=draws[0].labels_of(Output),
        draws=x0.shape[0],
        attrs={"machine": "reference", "graph": several[0].hash, "accuracy": accuracy},
    )


def integrate_program(program: Program, x0: Array, grid: Array, rtol: float, watch: Watch) -> Array:
    """Return the states (draws, times, states) of a program from x0 (draws, states), piece by piece of its inputs."""
    if program.size == 0:
        return np.zeros((x0.shape[0], grid.size, 0))
    followed = through_points(program, x0, grid, rtol, watch, least=2 * STEPS[0])
    if followed is not None:
        return followed
    atol = absolute_tolerance(program, rtol)
    step = CORNER_STEP * program.shortest_time if program.has_corners else np.inf
    result = np.empty((x0.shape[0], grid.size, x0.shape[1]))
    result[:, 0] = x0
    x = x0

    def watched(t: Array, x: Array, rows: Rows, out: Array) -> None:
        watch.look(float(np.min(t)), x)
        program.batch_rhs(t, x, rows, out)

    for piece in segments(grid, program.inputs):
        found = integrate(watched, x, piece, rtol=rtol, atol=atol, max_step=step)
        x = found.states[:, -1]
        inside = np.isin(piece, grid)
        result[:, np.searchsorted(grid, piece[inside])] = found.states[:, inside]
    return result


def _initial(program: Program, draws: int, initial: Any) -> Array:
    if initial is None:
        start: Array = np.atleast_2d(program.initial)
    else:
        start = frozen(initial, "initial")
        fits = start.ndim == 2 and start.shape[0] > 0 and start.shape[1] == program.size
        if not fits or (draws > 1 and start.shape[0] != draws):
            rows = "draws" if draws == 1 else str(draws)
            raise InputError(f"`initial` has shape {start.shape}: must be ({rows}, {program.size})")
    return np.broadcast_to(start, (max(draws, start.shape[0]), program.size))
