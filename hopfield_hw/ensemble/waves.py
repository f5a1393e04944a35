"""The waveforms of one circuit in our own engine, at the points of time that its steps have."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ..circuit import Circuit, Ensemble
from ..spice.transient import Waves, choose_grids
from ..values.arrays import Array
from ..values.errors import ConvergenceError
from .accuracy import FINER, SURE, run_scaled
from .backends import choose_run
from .equations.layout import plan
from .equations.system import build_system
from .runs import LONGEST, Job, read, run
from .transient import find_growth

# Runs with smaller tolerances that are tried for another measure than the self-check, and by how much one must help.
MORE, LEAST_GAIN = 4, 1.5
RESTART = 1e-3  # of the step before: a step that is shorter begins anew


def measure_waves(
    circuit: Circuit,
    *,
    inputs: Any,
    t_stop: float,
    tolerance: float,
    goal: float = 0.0,
    error: Callable[[Waves], float] | None = None,
) -> Waves:
    """Return the waves of a run with steps of a tolerance.

    `error`: what a run is off by; the tolerance is made smaller until it is at most half of the `goal`, or that does
    not help. Raises ConvergenceError where the circuit does not run, and as `transient.simulate` does.
    """
    _, grid = choose_grids(circuit.clock, t_stop, None)
    run_all = choose_run(None, 1)[1]
    system = build_system(Ensemble(circuit=circuit, size=1).driven(inputs))
    job = Job(plan(system, float(grid[-1])), circuit, grid, run_all, find_growth(circuit, inputs))
    before = np.inf
    for _ in range(1 + MORE):
        waves = _run(job, tolerance)
        off = 0.0 if error is None else error(waves)
        if off <= goal / 2.0 or off > before / LEAST_GAIN or tolerance <= SURE:
            break
        before, tolerance = off, max(tolerance / FINER, SURE)
    return waves


def _run(job: Job, tolerance: float) -> Waves:
    job, found, longest = run_scaled(job, tolerance, LONGEST * float(job.grid[-1]))
    if found.failures:
        raise ConvergenceError(f"ensemble: {job.circuit.title!r} does not run: {found.failures[0]}")
    own_times = np.concatenate(([0.0], found.taken[np.isfinite(found.taken)]))
    # Of a run of more steps than are kept, the grid has the rest.
    own_times = np.concatenate((own_times, job.grid[job.grid > own_times[-1] * (1.0 + 1e-9)]))
    own_times = _add_before_restarts(own_times)
    states, outputs = (each[0] for each in read(found, job.circuit))
    # The same steps once more, for what is at their ends.
    again = run(job._replace(grid=own_times), tolerance, longest)
    own_states, own_outputs = (each[0] for each in read(again, job.circuit))
    return Waves(states, outputs, found.unsettled, own_times, own_states, own_outputs)


def _add_before_restarts(times: Array) -> Array:
    """Return times with one right before each at which steps begin anew, as short as the next: there something jumps.

    So no step of those times has a jump at its end.
    """
    steps = np.diff(times)
    restarts = 1 + np.flatnonzero(steps[1:] < RESTART * steps[:-1])
    return np.unique(np.concatenate((times, times[restarts] - steps[restarts])))
