"""Runs of samples with steps of one tolerance, and what is read of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from ..circuit import Circuit
from ..equations import Growth
from ..spice.sampling import measure_unsettled, settling_times
from ..values.arrays import Array
from .backends import RunAll
from .equations.layout import LANES, Layout, Plan
from .starts import add_start, find_followers, read_start
from .state import Options, Outcome, no_path

# The first step, and the longest one, as parts of the run.
FIRST_STEP, LONGEST = 1e-9, 0.05
EDGE_STEP = 1e-3  # the first one, as a part of the shortest time between corners of sources
MOST_STEPS = 2_000_000
BEYOND = 1e7  # V: a circuit that is there has lost its equations
KEPT = 100_000  # times of steps
WHY = ("", "it takes too many steps", "Newton's method does not converge, however short the step")


class Job(NamedTuple):
    """What is run: `plan`, of samples of `circuit`, up to the last time of `grid`, by `run_all`.

    `growth`: how fast deviations of the states grow by themselves, where the graph is known. `scale`: volts, that
    tolerances of a part of each voltage end at.
    """

    plan: Plan
    circuit: Circuit
    grid: Array
    run_all: RunAll
    growth: Growth | None
    scale: float = 1.0


class Run(NamedTuple):
    """Waveforms of samples, volts, why each failed, and the times of the steps of the first.

    `blocks`: the waveforms as they are computed, (blocks, times, probes, LANES). `counts`: steps, rejected ones,
    iterations and factorisations of all samples. `unsettled`: what of a clocked circuit has not settled at the end of
    a period, a part of its range, in the worst sample. `largest`: voltages of states, and of outputs, (2, lanes).
    """

    blocks: Array
    samples: int
    failures: dict[int, str]
    taken: Array
    counts: tuple[int, ...]
    unsettled: float
    largest: Array

    @property
    def waves(self) -> Array:
        """The waveforms, (samples, times, probes); a copy."""
        return by_sample(self.blocks, self.samples)


def run(job: Job, tolerance: float, longest: float, further: Sequence[int] = (), most: int = MOST_STEPS) -> Run:
    """Return the waveforms of what a circuit probes, of currents, and of `further` places, of all samples.

    `most`: steps that samples side by side may take; those that take more fail.
    """
    made, circuit, end = job.plan, job.circuit, float(job.grid[-1])
    period = np.inf if circuit.clock is None else circuit.clock.period
    looked = settling_times(circuit.settling, period, end)
    first = first_step(made.layout, end)
    grid = np.unique(np.concatenate((add_start(job.grid, first), looked.reshape(-1))))
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
        nothing=tolerance * job.scale,
        first=first,
        longest=longest,
        most=most,
    )
    path = no_path()
    outcomes = [Outcome(result[k], counts[k], status[k], taken if k == 0 else taken[:0], path) for k in range(blocks)]
    job.run_all(made, options, outcomes)
    followers = find_followers(made.layout, places)
    for block in result:
        read_start(grid, first, block[:, : len(places)], followers)
    unsettled = 0.0
    if circuit.settling:
        at = np.searchsorted(grid, looked)
        settles = by_sample(result[:, :, len(places) :], made.samples)
        unsettled = max(measure_unsettled(wave[at, np.arange(at.shape[2])]) for wave in settles)
    kept = _choose(result[:, :, : len(places)], np.searchsorted(grid, job.grid))
    largest = _find_largest(kept, len(circuit.states), len(circuit.outputs))
    return Run(
        blocks=kept,
        samples=made.samples,
        failures=_find_failures(kept, largest, status.reshape(-1)[: made.samples]),
        taken=taken[:, 0],
        counts=tuple(counts.sum(axis=0).tolist()),
        unsettled=unsettled,
        largest=largest,
    )


def by_sample(blocks: Array, samples: int) -> Array:
    """Return waveforms (blocks, times, probes, LANES) as (samples, times, probes); a copy."""
    count, times, probes, lanes = blocks.shape
    return blocks.transpose(0, 3, 1, 2).reshape(count * lanes, times, probes)[:samples]


def _choose(blocks: Array, at: npt.NDArray[np.int64]) -> Array:
    """Return the results at some times; without a copy where they are all but what was read for the start."""
    if at.size + 1 == blocks.shape[1] and np.array_equal(at[1:], np.arange(2, at.size + 1)):
        blocks[:, 1] = blocks[:, 0]
        return blocks[:, 1:]
    return blocks if at.size == blocks.shape[1] else blocks[:, at]


def _find_largest(blocks: Array, states: int, outputs: int) -> Array:
    """Return the largest voltages of the nodes of states, and of outputs, (2, lanes of all blocks)."""
    kinds = (slice(0, states), slice(states, states + outputs))
    found = [[np.fmax.reduce(np.abs(block[:, kind]), axis=(0, 1), initial=0.0) for block in blocks] for kind in kinds]
    return np.array(found).reshape(2, -1)


def _find_failures(blocks: Array, largest: Array, status: npt.NDArray[np.int64]) -> dict[int, str]:
    """Return why samples failed; of those whose voltages leave all bounds nothing is left."""
    failures = {int(k): WHY[status[k]] for k in np.flatnonzero(status)}
    volts = np.max(largest, axis=0)[: len(status)]
    for k in np.flatnonzero(volts > BEYOND).tolist():
        failures.setdefault(k, f"its voltages leave all bounds, with {volts[k]:.1e} V")
        blocks[k // LANES, :, :, k % LANES] = np.nan
    return failures


def first_step(layout: Layout, end: float) -> float:
    """Return how long the first step of a run is, and that after a corner of a source, seconds."""
    gap = float(np.min(np.diff(layout.breaks, prepend=0.0), initial=np.inf))
    return min(FIRST_STEP * end, EDGE_STEP * gap)


def read(found: Run, circuit: Circuit) -> tuple[Array, Array]:
    """Return states and outputs, (samples, times, n) each, volts."""
    scales, n, waves = find_scales(circuit), len(circuit.states), found.waves
    return waves[:, :, :n] * scales[:n], waves[:, :, n : len(scales)] * scales[n:]


def read_first(found: Run, circuit: Circuit) -> Array:
    """Return the states of the first sample, (times, neurons), volts."""
    n = len(circuit.states)
    states: Array = found.blocks[0, :, :n, 0] * find_scales(circuit)[:n]
    return states


def find_scales(circuit: Circuit) -> Array:
    """Return the scales of the probes of states and outputs."""
    return np.array([probe.scale for probe in (*circuit.states, *circuit.outputs)], dtype=np.float64)
