"""What is measured on boards of drawn parts: every test point in every condition, in our own engine, all at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from ..circuit import Circuit, Ensemble, Probe
from ..ensemble.backends import choose_run
from ..ensemble.equations.layout import plan
from ..ensemble.equations.system import build_system
from ..ensemble.runs import Job, run
from ..parts import VoltageSource
from ..parts.parameters import Parameter
from ..tolerance.draws import draw_factors
from ..tolerance.tolerances import Tolerances
from ..values.arrays import Array
from ..values.brief import Brief
from ..values.errors import ConvergenceError
from .bench import Bench, Condition
from .points import BoardPoint

TOLERANCE = 1e-4  # of a step: in parts of a voltage
LONGEST = 0.02  # step, of a run
LATE, SAMPLES = 0.9, 21  # of a phase: when it is read, and how often
REST = 0.01  # of the largest voltage: what may still move while it is read
SUPPLIES = ("V_supply_plus", "V_supply_minus")


@dataclass(frozen=True, kw_only=True, eq=False)
class Readings(Brief):
    """Readings of S boards in C conditions, the first board the nominal one.

    `volts`: (S, C, P) at the points; `currents`: (S, C, 2), amperes that the upper supply gives and the lower takes.
    `moving`: (S, C), the largest range of a point while it is read, volts. `settling`: (C,), how long the nominal board
    takes, seconds; NaN of what is held. NaN where a board did not run.
    """

    volts: Array
    currents: Array
    moving: Array
    settling: Array


def read_boards(
    bench: Bench,
    points: Sequence[BoardPoint],
    conditions: Sequence[Condition],
    tolerances: Tolerances,
    *,
    samples: int,
    seed: int,
    workers: int = 1,
) -> Readings:
    """Return the readings of the nominal board, and of `samples` whose parts are drawn.

    Raises ConvergenceError where the nominal board does not run.
    """
    circuit = replace(bench.circuit, states=(), outputs=tuple(Probe(point.name, point.name) for point in points))
    draws = draw_factors(circuit, tolerances, seed=seed, samples=samples)
    columns, values = draws.variation.columns, np.vstack([draws.variation.nominal, draws.values])
    shape = (len(values), len(conditions))
    volts, currents = np.full((*shape, len(points)), np.nan), np.full((*shape, len(SUPPLIES)), np.nan)
    moving, settling = np.full(shape, np.nan), np.full(len(conditions), np.nan)
    run_all = choose_run(None, workers)[1]
    grids = {
        True: np.linspace(LATE * bench.held, 0.999 * bench.held, SAMPLES),
        False: np.linspace(bench.t_stop - (1.0 - LATE) * bench.board.t_stop, bench.t_stop, SAMPLES),
    }
    path = np.linspace(1.01 * bench.held, bench.t_stop, 401)
    grid = np.unique(np.concatenate([[0.0], grids[True], path, grids[False]]))
    for k, start in enumerate(bench.starts):
        rows = [c for c, condition in enumerate(conditions) if condition.start == k]
        if not rows:
            continue
        times = grid if any(not conditions[c].held for c in rows) else grid[grid <= bench.held]
        parts: dict[str, dict[Parameter, Array]] = {}
        for column, row in zip(columns, values.T, strict=True):
            parts.setdefault(column.device, {})[column.parameter] = row
        given = apply_start(bench, k, circuit)
        ensemble = Ensemble(circuit=given, size=len(values), values=parts).driven(bench.signals[k])
        job = Job(plan(build_system(ensemble, SUPPLIES), float(times[-1])), given, times, run_all, None)
        found = run(job, TOLERANCE, LONGEST * float(times[-1]))
        waves = found.waves
        waves[list(found.failures)] = np.nan
        for c in rows:
            of = np.isin(times, grids[conditions[c].held])
            volts[:, c] = np.mean(waves[:, of, : len(points)], axis=1)
            currents[:, c] = np.mean(waves[:, of, len(points) :], axis=1) * np.array([-1.0, 1.0])
            moving[:, c] = np.max(np.ptp(waves[:, of, : len(points)], axis=1), axis=1)
            if not conditions[c].held:
                settling[c] = _settled(times, waves[0, :, : len(points)], volts[0, c], 1.01 * bench.held)
        if 0 in found.failures:
            raise ConvergenceError(f"bring_up: the board does not run from {start.name!r}: {found.failures[0]}")
    return Readings(volts=volts, currents=currents, moving=moving, settling=settling)


def apply_start(bench: Bench, start: int, circuit: Circuit) -> Circuit:
    """Return a circuit of a bench with the states of a start at its connector."""
    volts = {bench.source(k): float(x) for k, x in enumerate(bench.starts[start].states)}
    devices = tuple(d._replace(part=VoltageSource(volts[d.name])) if d.name in volts else d for d in circuit.devices)
    return replace(circuit, devices=devices)


def _settled(times: Array, waves: Array, rest: Array, begin: float) -> float:
    """Return when all points stay within 1% of the largest change about where they come to rest; seconds."""
    off = np.max(np.abs(waves - rest), axis=1)[times >= begin]
    after = times[times >= begin] - begin
    late = np.flatnonzero(off > REST * max(float(np.max(off)), 1e-3))
    return float(after[min(late[-1] + 1, len(after) - 1)]) if late.size else 0.0


def read_once(circuit: Circuit, currents: Sequence[str]) -> Array:
    """Return the currents of sources of a circuit at rest, (sources,), amperes; NaN where it does not run."""
    ensemble = Ensemble(circuit=circuit, size=1)
    job = Job(plan(build_system(ensemble, currents), 1.0), circuit, np.array([0.0, 1.0]), choose_run(None, 1)[1], None)
    waves = run(job, TOLERANCE, LONGEST).waves
    return np.asarray(np.abs(waves[0, -1, -len(currents) :]))
