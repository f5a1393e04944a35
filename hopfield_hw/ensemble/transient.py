"""Transients of circuits in our own engine: the circuit's own devices, many samples of them at once.

The tolerance of steps follows from the accuracy asked for, and is made smaller until two runs agree, sample by sample.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import numpy.typing as npt

from ..circuit import Circuit, Ensemble
from ..equations import Growth
from ..graph import Leak
from ..spice.pace import OUTRUN, Zone, outrun, uncertain
from ..spice.sampling import measure_unsettled, settling_times
from ..spice.transient import PACED, AccuracyWarning, choose_grids, describe_unsettled, stop_time
from ..values.arrays import Array, whole
from ..values.datasets import make_dataset
from ..values.errors import ConvergenceError, warn
from ..values.measures import check_accuracy
from ..values.signals import as_signal
from .backends import Backend, RunAll, choose_run
from .equations.layout import LANES, Layout, Numbers, Plan, plan
from .equations.system import build_system
from .state import Options, Outcome, no_path

if TYPE_CHECKING:
    import xarray as xr

# The tolerance of the first run's steps, as a part of the accuracy; how much smaller the next one is; and by how much,
# at least, that divides the error of a run until two steps have shown it.
FIRST, FINER, DIVIDES = 0.1, 10.0, 3.0
# By what two steps are taken to have divided it at most and at least: the method of order k divides it by 10^(k/(k+1)).
MOST, LEAST = 5.0, 1.25
AIMED = 0.25  # of the accuracy: the error that the first samples of many set the tolerance of all for
REFINEMENTS = 7
TIGHTEST, SURE = 1e-12, 1e-11  # below SURE roundings may keep Newton's method from converging
# The first step, and the longest one, as parts of the run.
FIRST_STEP, LONGEST = 1e-9, 0.05
EDGE_STEP = 1e-3  # the first one, as a part of the shortest time between corners of sources
MOST_STEPS = 2_000_000
BEYOND = 1e7  # V: a circuit that is there has lost its equations
LITTLE = 1e-3  # of the largest voltage: a range that is less does not count
KEPT = 100_000  # times of steps
SHORTER = 0.8  # of what the growth of deviations allows
WHY = ("", "it takes too many steps", "Newton's method does not converge, however short the step")


class Job(NamedTuple):
    """What is run: `plan`, of samples of `circuit`, up to the last time of `grid`, by `run_all`.

    `growth`: how fast deviations of the states grow by themselves, where the graph is known.
    """

    plan: Plan
    circuit: Circuit
    grid: Array
    run_all: RunAll
    growth: Growth | None


class Run(NamedTuple):
    """Waveforms of samples, volts, why each failed, and the times of the steps of the first.

    `blocks`: the waveforms as they are computed, (blocks, times, probes, LANES). `counts`: steps, rejected ones,
    iterations and factorisations of all samples. `unsettled`: what of a clocked circuit has not settled at the end of
    a period, a part of its range, in the worst sample.
    """

    blocks: Array
    samples: int
    failures: dict[int, str]
    taken: Array
    counts: tuple[int, ...]
    unsettled: float

    @property
    def waves(self) -> Array:
        """The waveforms, (samples, times, probes); a copy."""
        blocks, times, probes, lanes = self.blocks.shape
        return self.blocks.transpose(0, 3, 1, 2).reshape(blocks * lanes, times, probes)[: self.samples]


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
    given = as_ensemble(circuits)
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


def as_ensemble(circuits: Circuit | Ensemble | Sequence[Circuit]) -> Ensemble:
    """Return circuits as samples of one. Raises InputError as `Ensemble.of` does."""
    if isinstance(circuits, Circuit):
        return Ensemble(circuit=circuits, size=1)
    return circuits if isinstance(circuits, Ensemble) else Ensemble.of(circuits)


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
    found, check, tolerance, notes = _refine(job, goal)
    if found.failures and not job.plan.is_whole:
        job = job._replace(plan=plan(system, float(grid[-1]), with_weak=True))
        found, check, tolerance, notes = _refine(job, goal)
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


def _refine(job: Job, goal: float) -> tuple[Run, float, float, list[str]]:
    """Return the finest run, the largest error left in a sample, its tolerance, and what to warn of.

    Of many samples the first few show which tolerance it takes.
    """
    tolerance, longest, ratio = FIRST * goal, LONGEST * float(job.grid[-1]), DIVIDES
    if job.plan.samples > LANES:
        tried = _halve(job._replace(plan=first_block(job.plan)), goal, tolerance, longest, ratio)
        room = max(AIMED * goal / max(tried.check, TIGHTEST), 1.0)
        looser = FINER ** (1.0 + np.log(room) / np.log(MOST))
        tolerance, longest, ratio = min(tried.tolerance * looser, tolerance), tried.longest, tried.ratio
    found = _halve(job, goal, tolerance, longest, ratio)
    fine, notes = found.fine, []
    if found.check > goal / 2.0:
        notes.append(
            f"ensemble: with a tolerance of {found.tolerance:.0e} of a step the waveform is still off by some "
            f"{found.check:.2g} NRMSE, above half of the accuracy {goal:g} asked for; the network may amplify errors "
            "by itself"
        )
    if job.growth is not None and 0 not in fine.failures:
        zone = uncertain(job.growth, [], job.grid, _first_states(fine, job.circuit))
        if zone is not None:
            notes.append(
                f"ensemble: from t = {zone.times[0]:.6g} s on the state leaves a point of balance, from so near to it "
                "that roundings choose the way that it goes; start it further from that point, or break the symmetry"
            )
    return fine, found.check, found.tolerance, notes


class _Refined(NamedTuple):
    """The finest of some runs, the error left in it, its tolerance and longest step, and by what the last two differ:
    `ratio` is that of their errors.
    """

    fine: Run
    check: float
    tolerance: float
    longest: float
    ratio: float


def _halve(job: Job, goal: float, tolerance: float, longest: float, ratio: float) -> _Refined:
    """Return a run that agrees with one of a larger tolerance, where smaller ones bring that.

    `ratio`: of the errors of the first two, until three of them show it.
    """
    before, found = None, None
    coarse, longest = run_paced(job, tolerance, longest)
    for _ in range(REFINEMENTS):
        tolerance = max(tolerance / FINER, TIGHTEST)
        fine, longest = run_paced(job, tolerance, longest)
        if found is not None and tolerance < SURE and not fine.failures.keys() <= coarse.failures.keys():
            break
        known = [k for k in range(job.plan.samples) if k not in fine.failures]
        difference = float(np.max(_compare(fine, coarse, job.circuit)[known], initial=0.0))
        if any(k in coarse.failures for k in known):  # those are yet to be compared
            difference = np.inf
        if before is not None:
            # A run that has come nearer than its steps bring it has done so by chance, as chaotic networks do.
            difference = max(difference, before / MOST)
            ratio = max(before / difference, LEAST)
        check = difference / (ratio - 1.0)
        found = _Refined(fine, check, tolerance, longest, ratio)
        if check <= goal / 2.0 or tolerance == TIGHTEST:
            break
        before, coarse = (difference if np.isfinite(difference) else None), fine
    assert found is not None
    return found


def _compare(fine: Run, coarse: Run, circuit: Circuit) -> Array:
    """Return the NRMSE of the worst state or output of each sample.

    One that hardly moves is measured by the largest voltage of its kind.
    """
    scales, n = np.abs(_scales(circuit))[:, np.newaxis], len(circuit.states)
    found = np.zeros((len(fine.blocks), LANES))
    for k, (own, other) in enumerate(zip(fine.blocks, coarse.blocks, strict=True)):
        for kind in (slice(0, n), slice(n, len(scales))):
            scale, wave = scales[kind], own[1:, kind]
            if not wave.size:
                continue
            off = other[1:, kind] - wave
            high, low = wave.max(axis=0) * scale, wave.min(axis=0) * scale
            sizes = np.maximum(high - low, LITTLE * np.maximum(high, -low).max(axis=0))
            errors = scale * np.sqrt(np.einsum("tpl,tpl->pl", off, off) / len(off)) / np.where(sizes > 0.0, sizes, 1.0)
            found[k] = np.maximum(found[k], errors.max(axis=0))
    return found.reshape(-1)[: fine.samples]


def run_paced(job: Job, tolerance: float, longest: float) -> tuple[Run, float]:
    """Return a run in whose steps no deviation grows unseen, and the longest step that it took for that."""
    for _ in range(1 + PACED):
        found = run(job, tolerance, longest)
        zones = [] if job.growth is None else _find_zones(found, job.circuit, job.grid, job.growth)
        if not zones:
            break
        longest = SHORTER * min(longest, OUTRUN / max(float(np.max(zone.rates)) for zone in zones))
    return found, longest


def _find_zones(found: Run, circuit: Circuit, grid: Array, growth: Growth) -> list[Zone]:
    """Return where the steps of the first sample were too long for what grew there."""
    times = found.taken[np.isfinite(found.taken)]
    if 0 in found.failures or times.size < 2:
        return []
    states = _first_states(found, circuit)
    at = np.stack([np.interp(times, grid, column) for column in states.T], axis=1)
    return outrun(growth, times, at)


def read(found: Run, circuit: Circuit) -> tuple[Array, Array]:
    """Return states and outputs, (samples, times, n) each, volts."""
    scales, n, waves = _scales(circuit), len(circuit.states), found.waves
    return waves[:, :, :n] * scales[:n], waves[:, :, n : len(scales)] * scales[n:]


def _first_states(found: Run, circuit: Circuit) -> Array:
    """Return the states of the first sample, (times, neurons), volts."""
    n = len(circuit.states)
    states: Array = found.blocks[0, :, :n, 0] * _scales(circuit)[:n]
    return states


def _scales(circuit: Circuit) -> Array:
    """Return the scales of the probes of states and outputs."""
    return np.array([probe.scale for probe in (*circuit.states, *circuit.outputs)], dtype=np.float64)


def run(job: Job, tolerance: float, longest: float, further: Sequence[int] = ()) -> Run:
    """Return the waveforms of what a circuit probes, of currents, and of `further` places, of all samples."""
    made, circuit, end = job.plan, job.circuit, float(job.grid[-1])
    period = np.inf if circuit.clock is None else circuit.clock.period
    looked = settling_times(circuit.settling, period, end)
    grid = np.unique(np.concatenate((job.grid, looked.reshape(-1))))
    places = [made.places[probe.node.lower()] for probe in (*circuit.states, *circuit.outputs)]
    places += [*made.currents, *further]
    probes = places + [made.places[node.lower()] for node, _, _ in circuit.settling]
    blocks = len(made.numbers.linear)
    result = np.full((blocks, grid.size, len(probes), LANES), np.nan)
    counts, status = np.zeros((blocks, 4), np.int64), np.zeros((blocks, LANES), np.int64)
    taken = np.full((KEPT, LANES), np.nan)
    options = Options(
        t_stop=end,
        grid=grid,
        probes=np.array(probes, dtype=np.int32),
        tolerance=tolerance,
        nothing=tolerance,
        first=first_step(made.layout, end),
        longest=longest,
        most=MOST_STEPS,
    )
    path = no_path()
    outcomes = [Outcome(result[k], counts[k], status[k], taken if k == 0 else taken[:0], path) for k in range(blocks)]
    job.run_all(made, options, outcomes)
    found = Run(result, made.samples, {}, taken[:, 0], tuple(counts.sum(axis=0).tolist()), 0.0)
    if circuit.settling:
        at = np.searchsorted(grid, looked)
        settles = found.waves[:, :, len(places) :]
        left = max(measure_unsettled(wave[at, np.arange(at.shape[2])]) for wave in settles)
        found = found._replace(unsettled=left, blocks=result[:, :, : len(places)])
    if grid.size != job.grid.size:
        found = found._replace(blocks=found.blocks[:, np.searchsorted(grid, job.grid)])
    voltages = len(circuit.states) + len(circuit.outputs)
    return found._replace(failures=_find_failures(found.blocks, voltages, status.reshape(-1)[: made.samples]))


def _find_failures(blocks: Array, voltages: int, status: npt.NDArray[np.int64]) -> dict[int, str]:
    """Return why samples failed; of those whose voltages, the first probes, leave all bounds, nothing is left."""
    failures = {int(k): WHY[status[k]] for k in np.flatnonzero(status)}
    for k, block in enumerate(blocks):
        largest = np.fmax.reduce(np.abs(block[:, :voltages]), axis=(0, 1), initial=0.0)
        for lane in np.flatnonzero(largest > BEYOND).tolist():
            if (sample := k * LANES + lane) < len(status):
                failures.setdefault(sample, f"its voltages leave all bounds, with {largest[lane]:.1e} V")
                block[:, :, lane] = np.nan
    return failures


def first_block(made: Plan) -> Plan:
    """Return a plan of the first samples, as many as run side by side."""
    return made._replace(numbers=Numbers(*(values[:1] for values in made.numbers)), samples=LANES)


def first_step(layout: Layout, end: float) -> float:
    """Return how long the first step of a run is, and that after a corner of a source, seconds."""
    gap = float(np.min(np.diff(layout.breaks, prepend=0.0), initial=np.inf))
    return min(FIRST_STEP * end, EDGE_STEP * gap)
