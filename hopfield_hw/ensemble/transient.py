"""Transients of circuits in our own engine: the circuit's own devices, many samples of them at once.

`runs` makes them with steps of one tolerance, `accuracy` as accurate as is asked for.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ..circuit import Circuit, Ensemble
from ..equations import Growth
from ..graph import Leak
from ..spice.transient import AccuracyWarning, choose_grids, describe_unsettled, stop_time
from ..values.arrays import whole
from ..values.datasets import make_dataset
from ..values.errors import ConvergenceError, warn
from ..values.measures import check_accuracy
from ..values.signals import as_signal
from .accuracy import refine
from .backends import Backend, choose_run
from .equations.layout import plan
from .equations.system import build_system
from .runs import Job, read

if TYPE_CHECKING:
    import xarray as xr


def simulate(
    circuits: Circuit | Ensemble | Sequence[Circuit],
    *,
    t_stop: float | None = None,
    inputs: Any = None,
    accuracy: float = 1e-4,
    points: int | None = None,
    workers: int | None = None,
    currents: Sequence[str] = (),
    backend: Backend | None = None,
) -> xr.Dataset:
    """Return state and output over (time, neuron) of a circuit, or (sample, time, neuron) of several at once.

    Several circuits, a list or an Ensemble, have one topology, and differ in the values of their parts. `t_stop`,
    `inputs`, `points`: as for ngspice, the same for all. `accuracy`: NRMSE of states and outputs; the error left,
    estimated from a run and one with steps of a tenth of its tolerance, is at most half of it for every sample
    (`attrs["self_check"]` has the largest), or an AccuracyWarning says so. `workers`: threads; all processors by
    default; the numbers do not depend on them. `currents`: names of voltage sources to ground, of which the result has
    the `current` into the plus too, over (time, source), amperes; NaN at the start. `backend`: what computes: "numba",
    kernels in machine code; "numpy", slower and equal to rounding; "cupy" or "torch", on a GPU where there is one; by
    default Numba where it is installed, and NumPy elsewhere. Samples that fail are NaN, and `attrs["failures"]` says
    why by sample.

    A clocked circuit is read once a period, as in ngspice, and an AccuracyWarning says where what it samples has not
    settled.

    Raises InputError for circuits of different topologies, and for nodes that nothing determines, Unrealisable for a
    part that the engine, or the backend, does not know, MissingExtra where a backend asked for is not installed, and
    ConvergenceError where one circuit, or every one, fails.
    """
    given = Ensemble.as_samples(circuits, "simulate")
    found, notes = run_samples(
        given,
        t_stop=t_stop,
        inputs=inputs,
        accuracy=accuracy,
        points=points,
        workers=workers,
        currents=currents,
        backend=backend,
    )
    for note in notes:
        warn(note, AccuracyWarning)
    failures = found.attrs["failures"]
    if len(failures) == given.size:
        raise ConvergenceError(f"ensemble: {given.circuit.title!r} does not run: {failures['0']}")
    return found.isel(sample=0) if isinstance(circuits, Circuit) else found


def run_samples(
    ensemble: Ensemble,
    *,
    t_stop: float | None = None,
    inputs: Any = None,
    accuracy: float = 1e-4,
    points: int | None = None,
    workers: int | None = None,
    currents: Sequence[str] = (),
    backend: Backend | None = None,
) -> tuple[xr.Dataset, list[str]]:
    """Return what `simulate` does of several circuits, and what it warns of; where all fail, all are NaN."""
    first = ensemble.circuit
    goal = check_accuracy(accuracy, "accuracy")
    end = stop_time(first, t_stop)
    times, grid = choose_grids(first.clock, end, points)
    threads = (os.cpu_count() or 1) if workers is None else whole(workers, "workers", 1, 1024)
    chosen, run_all = choose_run(backend, threads)
    system = build_system(ensemble.driven(inputs), currents)
    job = Job(plan(system, float(grid[-1])), first, grid, run_all, find_growth(first, inputs))
    found, check, tolerance, notes = refine(job, goal)
    if found.failures and not job.plan.is_whole:
        job = job._replace(plan=plan(system, float(grid[-1]), with_weak=True))
        found, check, tolerance, notes = refine(job, goal)
    notes += describe_unsettled("ensemble", found.unsettled, goal)
    states, outputs = read(found, first)
    attrs = {
        "machine": "ensemble",
        "backend": chosen,
        "cell": first.cell,
        "graph": first.graph_hash,
        "accuracy": goal,
        "self_check": check,
        "tolerance": tolerance,
        "steps": found.counts[0],
        "failures": {str(sample): why for sample, why in found.failures.items()},
    }
    dataset = make_dataset(
        times,
        states,
        outputs,
        neurons=[probe.label for probe in first.states],
        ports=[probe.label for probe in first.outputs],
        attrs=attrs,
        draws=ensemble.size,
    ).rename(draw="sample")
    if currents:
        amperes = found.waves[:, :, -len(currents) :].copy()
        amperes[:, grid == 0.0] = np.nan
        dataset["current"] = ("sample", "time", "source"), amperes, {"units": "A"}
        dataset = dataset.assign_coords(source=list(currents))
    return dataset, notes


def find_growth(circuit: Circuit, inputs: Any) -> Growth | None:
    """Return how fast deviations of the states of a circuit grow, where its graph is known."""
    if circuit.graph is None or not circuit.graph.of_type(Leak):
        return None
    return Growth(circuit.graph, None if inputs is None else as_signal(inputs, "inputs", len(circuit.inputs)))
