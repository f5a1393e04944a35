"""A run of all samples of a plan on a library of arrays."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple

import numpy as np

from ...values.arrays import Array
from ...values.errors import Unrealisable
from ..equations.layout import LANES, Plan
from ..method import STEPS_EXHAUSTED
from ..state import Options, Outcome
from .equations import Equations, evaluate_charges, give_numbers, plan_equations
from .library import Library
from .sources import Sources, give_sources, plan_sources
from .state import KEPT, State, new_state, of_block, take
from .steps import Results, combine, extrapolate, find_errors, find_misses, judge, keep, try_step, turn_corners


class Run(NamedTuple):
    """What a run of blocks shares; `moving`: see `find_errors`."""

    e: Equations
    sources: Sources
    options: Options
    results: Results
    moving: Any


def run_plan(library: Library, threads: int, made: Plan, options: Options, outcomes: list[Outcome]) -> None:
    """Run all blocks of a plan, whose outcomes are written, in groups of them.

    Raises Unrealisable for transmission lines, whose past the kernels alone keep.
    """
    g, blocks = made.layout, len(outcomes)
    if len(g.ports):
        raise Unrealisable(
            f"ensemble: `backend` = {library.name!r} has no transmission lines: it must be 'numba' for this circuit "
            "(pip install '.[fast]')"
        )
    together = min(library.together, blocks)
    run = Run(
        e=plan_equations(library, g, together),
        sources=plan_sources(library, g, options.t_stop),
        options=options,
        results=Results(
            times=library.give(options.grid),
            ends=library.give(np.append(options.grid, np.inf)),
            probes=library.give(options.probes),
            unknowns=library.give(options.probes[options.probes < g.n]),
        ),
        moving=library.give(np.flatnonzero(g.differential)),
    )

    def one(first: int) -> None:
        last = min(first + together, blocks)
        with np.errstate(all="ignore"):  # of lanes that fail
            _run_together(run, *give_numbers(run.e, made.numbers, first, last), outcomes[first:last])

    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(one, range(0, blocks, together)))


def _run_together(run: Run, numbers: Any, start: Any, outcomes: list[Outcome]) -> None:
    """Run blocks of samples to their ends; those that are there are left out of what follows."""
    e, options = run.e, run.options
    library, xp = e.library, e.library.xp
    blocks = len(outcomes)
    origin = library.give(np.arange(blocks).reshape(-1, 1))
    s = new_state(e, numbers, start, origin, options.first)
    v = _begin(run, s, start)
    shape = (blocks * LANES, options.grid.size, options.probes.size)
    waves = xp.full(shape, np.nan, dtype=xp.float64, device=library.device)
    if options.grid[0] <= 0.0:
        waves[:, 0] = xp.reshape(xp.take(v, run.results.probes, axis=0), (shape[2], -1)).T
        s = s._replace(next_out=s.next_out + 1)
    taken: list[float] = []
    for _ in range(options.most):
        step = try_step(e, run.sources, s, options)
        errors, known = find_errors(e, run.moving, s, step, options)
        misses = find_misses(e, run.results, s, step, options)
        s, accepted = judge(e, s, step, errors, known, misses, options.first)
        s = keep(e, s, step, accepted)
        s = _write(run, s, accepted, waves)
        s = turn_corners(e, run.sources, s, accepted, options)
        if outcomes[0].taken.size and s.origin[0, 0] == 0 and accepted[0, 0]:
            taken.append(float(s.t[0, 0]))
        going = of_block(xp, s.active)
        if not xp.all(going):
            _close(library, take(xp, s, xp.nonzero(~going)[0]), outcomes)
            s = take(xp, s, xp.nonzero(going)[0])
            if not s.t.shape[0]:
                break
    else:
        _close(library, s._replace(status=xp.where(s.active, STEPS_EXHAUSTED, s.status)), outcomes)
    found = library.take_back(waves).reshape(blocks, LANES, *shape[1:])
    for outcome, its in zip(outcomes, found, strict=True):
        outcome.waves[:] = its.transpose(1, 2, 0)
    count = min(len(taken), len(outcomes[0].taken))
    outcomes[0].taken[:count, 0] = taken[:count]


def _begin(run: Run, s: State, start: Any) -> Any:
    """Write the start, and its charges, as the past, and return the voltages of all nodes.

    Sources come from 0 V, as in ngspice: what is between one and a node starts at the voltage of the node alone.
    """
    e, xp = run.e, run.e.library.xp
    volts = give_sources(e.library, run.sources, s.t)
    s.past[0] = xp.concat([start, xp.zeros_like(volts)], axis=0)
    s.charge_past[0] = evaluate_charges(e, s.numbers.parameters, s.past[0])
    return xp.concat([start, volts], axis=0)


def _write(run: Run, s: State, accepted: Any, waves: Any) -> State:
    """Write the results that the accepted steps have passed: of each lane, a number of times of its own."""
    library, xp = run.e.library, run.e.library.xp
    passed = xp.searchsorted(run.results.times, xp.reshape(s.t * (1.0 + 1e-12), (-1,)), side="right")
    before = xp.reshape(s.next_out, (-1,))
    count = xp.where(xp.reshape(accepted, (-1,)) & (passed > before), passed - before, 0)
    ends = xp.cumsum(count, 0)
    every = xp.arange(int(ends[-1]), device=library.device)
    lanes = xp.searchsorted(ends, every, side="right")
    outs = every - (ends - count - before)[lanes]
    points = xp.reshape(xp.where(s.order + 1 < s.known, s.order + 1, s.known), (-1,))
    times = xp.reshape(s.times, (s.times.shape[0], -1))
    past = xp.reshape(xp.take(s.past, run.results.probes, axis=1), (KEPT, run.results.probes.shape[0], -1))
    origin = xp.reshape(s.origin * LANES + xp.arange(LANES, device=library.device), (-1,))
    piece = max(1, library.numbers // (KEPT * max(1, run.results.probes.shape[0])))
    for first in range(0, lanes.shape[0], piece):
        own, at = lanes[first : first + piece], outs[first : first + piece]
        weights = extrapolate(xp, times[:, own], run.results.times[at], points[own])
        waves[origin[own], at] = combine(weights, past[:, :, own]).T
    return s._replace(next_out=xp.reshape(before + count, s.next_out.shape))


def _close(library: Library, s: State, outcomes: list[Outcome]) -> None:
    """Write the counts, and why each lane ended, of blocks that are at their ends."""
    status = library.take_back(s.status)
    counts: list[Array] = [library.take_back(one) for one in (s.steps, s.rejected, s.iterations, s.factorisations)]
    for k, block in enumerate(library.take_back(s.origin)[:, 0].tolist()):
        outcomes[block].status[:] = status[k]
        outcomes[block].counts[:] = (counts[0][k].sum(), counts[1][k].sum(), counts[2][k, 0], counts[3][k, 0])
