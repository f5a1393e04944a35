"""Many solutions in one call: many initial states, or many draws of the parameters, each with its own error control."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import xarray as xr

from ..graph import Graph, HasGraph, Leak, Output, as_graph
from ..transforms import in_si
from ..values.arrays import Array, freeze
from ..values.datasets import make_dataset
from ..values.errors import InputError
from ..values.grids import uniform_grid
from .accuracy import relative_tolerance
from .ode_program import OdeProgram
from .request import check_request, input_signal, stop_time
from .watch import TIMEOUT, Watch


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
    program = OdeProgram(draws, input_signal(draws[0], inputs))
    x0 = _initial(program, len(draws), initial)
    grid = uniform_grid(end, points)
    tolerance = relative_tolerance(accuracy) if rtol is None else rtol
    state = program.follow(x0, grid, tolerance, Watch(draws[0], timeout, end, what="reference_batch"))
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


def _initial(program: OdeProgram, draws: int, initial: Any) -> Array:
    if initial is None:
        start: Array = np.atleast_2d(program.initial)
    else:
        start = freeze(initial, "initial")
        fits = start.ndim == 2 and start.shape[0] > 0 and start.shape[1] == program.size
        if not fits or (draws > 1 and start.shape[0] != draws):
            rows = "draws" if draws == 1 else str(draws)
            raise InputError(f"`initial` has shape {start.shape}: must be ({rows}, {program.size})")
    return np.broadcast_to(start, (max(draws, start.shape[0]), program.size))
