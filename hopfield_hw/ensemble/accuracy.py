"""Runs that are as accurate as is asked for: tolerances are made smaller until two runs agree, sample by sample."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from ..circuit import Circuit
from ..equations import Growth
from ..spice.pace import OUTRUN, Zone, outrun, uncertain
from ..spice.transient import PACED
from ..values.arrays import Array
from .equations.layout import LANES, Numbers, Plan
from .runs import LONGEST, Job, Run, find_scales, read_first, run

# The tolerance of the first run's steps, as a part of the accuracy; how much smaller the next one is; and by how much,
# at least, that divides the error of a run until two steps have shown it.
FIRST, FINER, DIVIDES = 0.1, 10.0, 3.0
# By what two steps are taken to have divided it at most and at least: the method of order k divides it by 10^(k/(k+1)).
MOST, LEAST = 5.0, 1.25
AIMED = 0.25  # of the accuracy: the error that the first samples of many set the tolerance of all for
REFINEMENTS = 7
TIGHTEST, SURE = 1e-12, 1e-11  # below SURE roundings may keep Newton's method from converging
# Voltages all below SMALL times the scale have one of their own, volts, down to the least.
SMALL, LEAST_SCALE = 0.1, 1e-12
LITTLE = 1e-3  # of the largest voltage: a range that is less does not count
SHORTER = 0.8  # of what the growth of deviations allows


def refine(job: Job, goal: float) -> tuple[Run, float, float, list[str]]:
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
        zone = uncertain(job.growth, [], job.grid, read_first(fine, job.circuit))
        if zone is not None:
            notes.append(
                f"ensemble: from t = {zone.times[0]:.6g} s on the state leaves a point of balance, from so near to it "
                "that roundings choose the way that it goes; start it further from that point, or break the symmetry"
            )
    return fine, found.check, found.tolerance, notes


def first_block(made: Plan) -> Plan:
    """Return a plan of the first samples, as many as run side by side."""
    return made._replace(numbers=Numbers(*(values[:1] for values in made.numbers)), samples=LANES)


class _Refined(NamedTuple):
    """The finest of some runs, the error left in it, its tolerance and longest step, and the last `ratio` of errors."""

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
    job, coarse, longest = run_scaled(job, tolerance, longest)
    for _ in range(REFINEMENTS):
        tolerance = max(tolerance / FINER, TIGHTEST)
        fine, longest = run_paced(job, tolerance, longest)
        if found is not None and tolerance < SURE and not fine.failures.keys() <= coarse.failures.keys():
            break
        known = [k for k in range(job.plan.samples) if k not in fine.failures]
        difference = float(np.max(compare(fine, coarse, job.circuit)[known], initial=0.0))
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


def compare(fine: Run, coarse: Run, circuit: Circuit) -> Array:
    """Return the NRMSE of the worst state or output of each sample.

    One that hardly moves is measured by the largest voltage of its kind.
    """
    scales, n = np.abs(find_scales(circuit))[:, np.newaxis], len(circuit.states)
    found = np.zeros((len(fine.blocks), LANES))
    for k, (own, other) in enumerate(zip(fine.blocks, coarse.blocks, strict=True)):
        for kind in (slice(0, n), slice(n, len(scales))):
            scale, wave = scales[kind], own[:, kind]
            if not wave.size:
                continue
            off = other[:, kind] - wave
            high, low = wave.max(axis=0) * scale, wave.min(axis=0) * scale
            sizes = np.maximum(high - low, LITTLE * np.maximum(high, -low).max(axis=0))
            errors = scale * np.sqrt(np.einsum("tpl,tpl->pl", off, off) / len(off)) / np.where(sizes > 0.0, sizes, 1.0)
            found[k] = np.maximum(found[k], errors.max(axis=0))
    return found.reshape(-1)[: fine.samples]


def run_scaled(job: Job, tolerance: float, longest: float) -> tuple[Job, Run, float]:
    """Return a job with the scale of its voltages, and `run_paced` of it."""
    found, longest = run_paced(job, tolerance, longest)
    scale = _find_scale(found)
    if scale < SMALL * job.scale:
        job = job._replace(scale=scale)
        found, longest = run_paced(job, tolerance, longest)
    return job, found, longest


def _find_scale(found: Run) -> float:
    """Return the largest voltage of states, or of outputs, in the sample where it is least; of what is not 0."""
    return max(float(np.min(found.largest[found.largest > 0.0], initial=1.0)), LEAST_SCALE)


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
    states = read_first(found, circuit)
    at = np.stack([np.interp(times, grid, column) for column in states.T], axis=1)
    return outrun(growth, times, at)
