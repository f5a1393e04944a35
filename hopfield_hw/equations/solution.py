"""The reference: the solution of a graph's equation to the accuracy asked for."""

from __future__ import annotations

from typing import Any, get_args

import xarray as xr

from ..graph import Graph, HasGraph, Output, as_graph
from ..transforms import in_si
from ..values.datasets import make_dataset
from ..values.errors import InputError
from .ode_program import METHODS
from .program import Method
from .programs import program_of
from .request import check_request, input_signal, stop_time
from .watch import TIMEOUT, Watch


def solve(
    graph: Graph | HasGraph,
    *,
    t_stop: float | None = None,
    inputs: Any = None,
    accuracy: float = 1e-4,
    points: int | None = None,
    method: Method = "auto",
    timeout: float = TIMEOUT,
) -> xr.Dataset:
    """Return state and output over (time, neuron) on a uniform grid, from the graph's differential equation.

    `graph`: a Graph, or anything with a method `graph`, such as a Network or a network of a family.
    `t_stop`: seconds, positive; 20 max(R C) by default. `inputs`: a Signal, a number, or (m,) constants, volts.
    `accuracy`: NRMSE; the solver's relative tolerance is 1e-4 of it, and is tightened with the step until two solutions
    agree to 2% of it (`attrs["self_check"]`). `points`: 2,001 of 10^5 neurons are 1.6 GB; ask for fewer of many.
    `method`: a method of `scipy.integrate.solve_ivp`; "auto" is DOP853, and Radau with the analytic Jacobian where that
    is stiff. Over 100 neurons it is DOP853, or RK45 where gain curves have corners, and BDF where that is stiff: where
    t_stop is so many of the fastest time constants that stability alone may ask for 200,000 right-hand sides, and
    20,000 were not enough. The Jacobian of sparse weights and of stencils stays sparse; where even its factors are too
    much work (a random network of over 2,500 neurons, a grid of over 256 x 256 cells) the explicit method goes on.

    `timeout`: seconds of wall clock for all of it. It ends sooner where it makes no headway, within a minute mostly:
    where the states chatter about a point at which gain curves jump, say (no usual solution goes on from there).

    A map is stepped instead, and its steps are the grid: state and output at the times k * period, of the inputs there.
    A graph with Leak and Hold is solved from edge to edge of its clocks; it is read once a period of the fastest, at
    its end, and `time` is its start, unless `points` asks for the waveform.
    A delay equation is solved by the method of steps over DOP853 (`delay_solver`), and by no other method.

    Raises InputError for a graph with a Delay beside a Hold, and for wrong arguments; AccuracyError where the solver
    fails or makes no headway, and SimulatorTimeout where its time is used up.
    """
    accuracy = check_request(accuracy, points)
    if not isinstance(method, str) or method not in METHODS:
        raise InputError(f"`method` = {method!r:.60}: must be one of {', '.join(get_args(Method))}")
    graph = as_graph(graph)
    network = in_si(graph)
    end = stop_time(network, t_stop)
    program = program_of(network, input_signal(network, inputs))
    if method not in program.methods:
        known = " or ".join(repr(name) for name in sorted(program.methods))
        raise InputError(f"`method` = {method!r}: a graph of the kind {network.kind!r} takes {known}; leave it out")
    times, read = program.grids(end, points)
    found = program.solve(read, accuracy, method, Watch(network, timeout, end))
    return make_dataset(
        times,
        found.states,
        found.outputs,
        neurons=network.state_labels,
        ports=network.labels_of(Output),
        attrs={"machine": "reference", "graph": graph.hash, **found.attrs},
    )
