"""Gradients: how a voltage at a time, or a function of waveforms, changes with every value of every part.

The derivative is that of the steps taken (see `kernels.adjoint`), which tends to the true one as their tolerance does
to 0; the tolerance is made smaller until two runs agree, sample by sample.
"""

from __future__ import annotations

import os
import warnings
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.sparse import csr_array

from ...circuit import Circuit, Ensemble
from ...equations import Growth
from ...functions.expressions import Call, Choice, Expression, Interpolation, Negative, Operation
from ...parts import Line, OpAmp, Subcircuit
from ...parts.parameters import find_parameter
from ...spice.transient import POINTS, AccuracyWarning, stop_time
from ...values.arrays import Array, whole
from ...values.compiled import load_compiled
from ...values.errors import ConvergenceError, InputError, Unrealisable
from ...values.grids import uniform_grid
from ...values.measures import check_accuracy
from ..accuracy import run_scaled
from ..backends import choose_run
from ..devices.elements import Formula
from ..equations.layout import LANES, Numbers, Plan, plan
from ..equations.samples import split_samples
from ..equations.system import Indices, build_system
from ..method import HIGHEST
from ..runs import LONGEST, MOST_STEPS, WHY, Job, first_step
from ..starts import add_start, find_followers, read_start, weigh_start
from ..state import Options, Outcome, Path, new_state
from ..transient import find_growth
from .back import Back, Wanted, new_back_state, new_found, plan_back
from .chain import Chain, Fits, as_filter, complete, find_chain, is_branch, select
from .objectives import Functionals, Objective, as_functionals

if TYPE_CHECKING:
    import xarray as xr

# The tolerance of the first run's steps, as a part of the accuracy; how much smaller the next one is; how often.
FIRST, FINER, REFINEMENTS = 0.01, 10.0, 5
TIGHTEST = 1e-11
TINY = 1e-300
ROOM = 2**31  # bytes of the paths that are kept at once


def find_gradients(
    circuits: Circuit | Ensemble | Sequence[Circuit],
    objective: Objective,
    *,
    t_stop: float | None = None,
    inputs: Any = None,
    accuracy: float = 1e-5,
    points: int | None = None,
    parameters: str | Sequence[str] | None = None,
    workers: int | None = None,
) -> xr.DataArray:
    """Return d(objective)/d(value) over (parameter,), of several circuits over (sample, parameter).

    One run, and one walk back along its steps, give the derivatives by all values: of parts and their models
    (`DEVICE.resistance`), of sources (`DEVICE.voltage`, by point `DEVICE.voltage[2]`), and of where nodes start
    (`NODE.initial`). What changes nothing, and figures without limit, are left out; `attrs["left_out"]` names values
    whose part is made of other elements on both sides of them, or depends on them with a kink.

    `objective`: (label, seconds), the state of a neuron at a time, volts, or (label, seconds, "output"); a list of
    them, over (objective, parameter); a `Weighted` sum over times and neurons; or a function of times (P,), states
    (P, n) and outputs (P, m), volts, that returns its value and its derivatives by states and outputs, such as a margin
    with that of its active entry. `t_stop`, `inputs`, `points`, `workers`: as of `simulate`. `accuracy`: of what
    relative changes of values do, d(objective)/d(value) x value, as a part of the largest; of values that are 0, 1 mV,
    1 nA, 1 pF, or 1. The last two runs, of which the finer one is returned, differ by half of it at most
    (`attrs["self_check"]`), or an AccuracyWarning says so. `parameters`: patterns, such as "R_*.resistance"; all values
    by default.

    Coordinates: `unit` and `nominal` of the values, `value` of the objective. Samples that fail are NaN, and
    `attrs["failures"]` says why. That the time of a jump moves, as of a comparator, is not in the derivatives: an
    AccuracyWarning names parts whose formulas jump.

    Raises InputError for labels, times and patterns that fit nothing, Unrealisable for transmission lines, vendors'
    models and clocks, MissingExtra where Numba is not installed, and ConvergenceError where every circuit fails.
    """
    alone = isinstance(circuits, Circuit)
    samples = Ensemble.as_samples(circuits, "find_gradients")
    given = [circuits] if isinstance(circuits, Circuit) else [circuits[k] for k in range(len(circuits))]
    _refuse(given[0])
    goal = check_accuracy(accuracy, "accuracy")
    end = stop_time(samples.circuit, t_stop)
    functionals = as_functionals(given[0], objective, end, points)
    threads = (os.cpu_count() or 1) if workers is None else whole(workers, "workers", 1, 1024)
    fits = as_filter(parameters)
    driven = [one.driven(inputs) for one in given]
    problem = _pose(driven, functionals, fits, end)
    _refuse_unmatched(parameters, given[0], (*problem.chain.names, *problem.chain.left_out))
    growth = find_growth(given[0], inputs)
    try:
        found, check, tolerance = _refine(problem, given[0], goal, threads, growth)
    except _UnsolvedError:
        problem = _pose(driven, functionals, fits, end, with_weak=True)
        found, check, tolerance = _refine(problem, given[0], goal, threads, growth)
    if len(found.failures) == len(given):
        raise ConvergenceError(f"find_gradients: {given[0].title!r} does not run: {found.failures[0]}")
    return _as_array(problem, found, alone, goal, check, tolerance)


@dataclass(frozen=True, kw_only=True, eq=False)
class _Problem:
    """What is asked for: a system, how to walk back, the chain to the values, and by sample its matrix.

    `scale`: of its voltages, see `Job`.
    """

    plan: Plan
    back: Back
    chain: Chain
    matrices: tuple[csr_array, ...]
    functionals: Functionals
    probes: Indices
    end: float
    scale: float = 1.0


@dataclass(frozen=True, kw_only=True, eq=False)
class _Gradients:
    """`values` (samples, J), `slopes` (samples, J, values), why samples failed, and steps."""

    values: Array
    slopes: Array
    failures: dict[int, str]
    steps: int


class _UnsolvedError(ConvergenceError):
    """The adjoint equation was not solved with factors that lack entries."""


def _refuse(circuit: Circuit) -> None:
    if circuit.clock is not None:
        raise Unrealisable(f"find_gradients: {circuit.title!r} has a clock, whose edges have no derivatives yet")
    for device in circuit.devices:
        if isinstance(device.part, Line):
            raise Unrealisable(f"find_gradients: device {device.name}: a transmission line has no derivatives yet")
        if isinstance(device.part, Subcircuit) or (
            isinstance(device.part, OpAmp) and isinstance(device.part.model, Subcircuit)
        ):
            raise Unrealisable(f"find_gradients: device {device.name}: a vendor's model has no derivatives yet")


def _refuse_unmatched(patterns: str | Sequence[str] | None, circuit: Circuit, names: Sequence[str]) -> None:
    """Raise InputError for a pattern that fits neither a value with a derivative, nor a figure of a device."""
    for pattern in (patterns,) if isinstance(patterns, str) else patterns or ():
        device, _, figure = pattern.rpartition(".")
        parts = (one.part for one in circuit.devices if one.name.lower() == device.lower())
        if not any(map(as_filter(pattern), names)) and not any(find_parameter(part, figure) for part in parts):
            raise InputError(
                f"find_gradients: `parameters`: no value that changes a waveform fits {pattern!r:.60}; there are "
                f"{', '.join(names):.300}"
            )


def _pose(
    circuits: Sequence[Circuit],
    functionals: Functionals,
    fits: Fits,
    end: float,
    *,
    with_weak: bool = False,
) -> _Problem:
    selected = select(circuits[0], fits)
    completed = [complete(one, selected) for one in circuits]
    ensemble, first = Ensemble.of(completed), completed[0]
    system = build_system(ensemble)
    made = plan(system, end, with_weak=with_weak)
    split = [split_samples(ensemble, device) for device in first.devices]
    chain = find_chain(completed, split, selected, fits, end)
    branches = [one for its in split for one in its if is_branch(one)]
    formulas = [one.element for one in branches if isinstance(one.element, Formula)]
    jumping = list(dict.fromkeys(one.device for one in formulas if _jumps(one.formula)))
    if jumping:
        warnings.warn(
            f"find_gradients: a formula of {', '.join(jumping[:4])} jumps; that the time of a jump moves is not in the "
            "derivatives: they are right only where none is passed",
            AccuracyWarning,
            stacklevel=3,
        )
    back = plan_back(system, made, branches, chain.wanted)
    probes = (*first.states, *first.outputs)
    places = [made.places[probes[k].node.lower()] for k in functionals.probes]
    return _Problem(
        plan=made,
        back=back,
        chain=chain,
        matrices=_matrices(chain, back, made),
        functionals=functionals,
        probes=np.array(places, dtype=np.int32),
        end=end,
    )


def _jumps(formula: Expression) -> bool:
    """Return whether a formula may jump: it rounds, has a sign, or chooses between two."""
    match formula:
        case Call(function, inner):
            return function in ("sign", "floor", "ceil") or any(map(_jumps, inner))
        case Operation(_, left, right):
            return _jumps(left) or _jumps(right)
        case Negative(operand) | Interpolation(operand, _):
            return _jumps(operand)
    return isinstance(formula, Choice)


def _matrices(chain: Chain, back: Back, made: Plan) -> tuple[csr_array, ...]:
    """Return by sample d(what `Found` has derivatives by)/d(values), (values, entries)."""
    layout = back.layout
    entry: dict[object, int] = {(branch, 0): k for k, branch in enumerate(back.elements)}
    entry |= {place: len(entry) + k for k, place in enumerate(back.numbers)}
    corners = len(entry)
    starts = corners + layout.wave_times.size

    def place(kind: str, at: Any) -> int | None:
        if kind == "number":
            return entry.get(at)
        if kind == "corner":
            return corners + int(layout.wave_starts[at[0]]) + int(at[1])
        node = made.places.get(at, layout.n)
        return starts + node if node < layout.n else None

    found = []
    for sample in chain.terms:
        triples = [
            (row, column, term.factor)
            for row, terms in enumerate(sample)
            for term in terms
            if (column := place(term.kind, term.place)) is not None
        ]
        rows, columns, factors = zip(*triples, strict=True) if triples else ((), (), ())
        found.append(csr_array((factors, (rows, columns)), shape=(len(sample), starts + layout.n)))
    return tuple(found)


def _refine(
    problem: _Problem, circuit: Circuit, goal: float, threads: int, growth: Growth | None
) -> tuple[_Gradients, float, float]:
    """Return the finest gradients, by how much the run before differs at most, and the tolerance of the steps."""
    tolerance, longest = max(FIRST * goal, FINER * TIGHTEST), LONGEST * problem.end
    run_all = choose_run("numba", threads)[1]
    job = Job(problem.plan, circuit, uniform_grid(problem.end, POINTS), run_all, growth)
    job, _, longest = run_scaled(job, tolerance, longest)
    problem = replace(problem, scale=job.scale)
    coarse = _run(problem, tolerance, longest, threads)
    for _ in range(REFINEMENTS):
        tolerance = max(tolerance / FINER, TIGHTEST)
        fine = _run(problem, tolerance, longest, threads)
        check = _difference(problem.chain.sizes, fine, coarse)
        if check <= goal / 2.0 or tolerance == TIGHTEST:
            break
        coarse = fine
    if check > goal / 2.0:
        warnings.warn(
            f"find_gradients: with a tolerance of {tolerance:.0e} of a step sensitivities still change by {check:.2g} "
            f"of the largest, above half of the accuracy {goal:g} asked for",
            AccuracyWarning,
            stacklevel=3,
        )
    return fine, check, tolerance


def _difference(sizes: Array, fine: _Gradients, coarse: _Gradients) -> float:
    """Return how far gradients are apart, as a part of the largest of each, the worst sample's and objective's.

    Infinite for a sample that failed in the coarser run alone.
    """
    scaled, other = (one.slopes * sizes[:, np.newaxis, :] for one in (fine, coarse))
    largest = np.max(np.abs(scaled), axis=2)
    off = np.nan_to_num(np.max(np.abs(scaled - other), axis=2), nan=np.inf)
    known = np.isfinite(largest) & (off > 0.0)
    return float(np.max(off[known] / np.maximum(largest[known], TINY), initial=0.0))


def _run(problem: _Problem, tolerance: float, longest: float, threads: int) -> _Gradients:
    """Return the gradients of runs with steps of this tolerance, of all samples."""
    kernels = load_compiled(_load, True, "find_gradients")
    assert kernels is not None
    run_forward, run_back = kernels
    made, wanted = problem.plan, problem.functionals
    samples, blocks, n = made.samples, len(made.numbers.linear), made.layout.n
    values = np.full((samples, len(wanted.names)), np.nan)
    slopes = np.full((samples, len(wanted.names), len(problem.chain.names)), np.nan)
    counts, status = np.zeros((blocks, 4), np.int64), np.zeros((blocks, LANES), np.int64)
    first = first_step(made.layout, problem.end)
    times = add_start(wanted.times, first)
    at, followers = np.searchsorted(times, wanted.times), find_followers(made.layout, problem.probes.tolist())
    options = Options(
        t_stop=problem.end,
        grid=times,
        probes=problem.probes,
        tolerance=tolerance,
        nothing=tolerance * problem.scale,
        first=first,
        longest=longest,
        most=MOST_STEPS,
    )
    at_once = min(threads, blocks)

    def one(k: int) -> None:
        numbers = Numbers(*(entries[k] for entries in made.numbers))
        lanes = min(LANES, samples - k * LANES)
        room = min(ROOM // (8 * at_once * lanes * (n + 3 + HIGHEST)), MOST_STEPS) + 1
        path = Path(np.empty((room, n, lanes)), np.empty((room, 3 + HIGHEST, lanes)))
        path.voltages[0], path.steps[0] = numbers.start[:, :lanes], 0.0
        waves = np.full((times.size, problem.probes.size, LANES), np.nan)
        state = new_state(made.layout, options.first, 0)
        outcome = Outcome(waves, counts[k], status[k], np.zeros((0, LANES)), path)
        run_forward(made.layout, numbers, state, options, outcome)
        good = [lane for lane in range(lanes) if status[k, lane] == 0]
        if good and max(state.ended[good]) >= room:
            raise ConvergenceError(
                f"find_gradients: {max(state.ended[good])} steps of {n} voltages do not fit into {ROOM / 2**30:g} GiB; "
                "ask for less accuracy, or a shorter run"
            )
        read_start(times, first, waves, followers)
        tasks, weights = [], []
        for lane in good:
            values[k * LANES + lane], own = wanted.evaluate(waves[at, :, lane])
            tasks += [(lane, j) for j in range(len(own))]
            weights += list(own)
        for begin in range(0, len(tasks), LANES):
            some = tasks[begin : begin + LANES]
            of = np.array([lane for lane, _ in some] + [some[0][0]] * (LANES - len(some)), dtype=np.int64)
            last = np.where(np.arange(LANES) < len(some), state.ended[of], -1)
            seeds = np.zeros((*waves.shape[:2], LANES))
            seeds[at, :, : len(some)] = np.stack(weights[begin : begin + LANES], axis=2)
            weigh_start(times, first, seeds, followers)
            given = Wanted(times, problem.probes, seeds)
            walk, found = new_back_state(problem.back, path, of, last, given), new_found(problem.back)
            own_numbers = Numbers(*(np.ascontiguousarray(entries[:, of]) for entries in numbers))
            run_back(problem.back.layout, problem.back.adjoint, own_numbers, path, given, walk, found)
            if walk.unsolved.any():
                raise _UnsolvedError(
                    "find_gradients: the adjoint equation is not solved by factors without the entries of crossbars"
                )
            entries = np.concatenate(found)
            for lane, (of_lane, j) in enumerate(some):
                sample = k * LANES + of_lane
                slopes[sample, j] = problem.matrices[sample] @ entries[:, lane]

    with ThreadPoolExecutor(at_once) as pool:
        list(pool.map(one, range(blocks)))
    why = status.reshape(-1)[:samples]
    failures = {int(k): WHY[why[k]] for k in np.flatnonzero(why)}
    return _Gradients(values=values, slopes=slopes, failures=failures, steps=int(counts[:, 0].sum()))


def _as_array(
    problem: _Problem, found: _Gradients, alone: bool, goal: float, check: float, tolerance: float
) -> xr.DataArray:
    import xarray as xr

    chain, functionals = problem.chain, problem.functionals
    kept = (0 if alone else slice(None), slice(None) if functionals.is_list else 0)
    sample = () if alone else ("sample",)
    objective = ("objective",) if functionals.is_list else ()
    coordinates: dict[str, Any] = {
        "parameter": list(chain.names),
        "unit": ("parameter", list(chain.units)),
        "nominal": ((*sample, "parameter"), chain.nominal[kept[0]]),
        "value": ((*sample, *objective), found.values[kept]),
    }
    if functionals.is_list:
        coordinates["objective"] = list(functionals.names)
    return xr.DataArray(
        found.slopes[kept],
        dims=(*sample, *objective, "parameter"),
        coords=coordinates,
        name="gradient",
        attrs={
            "units": "objective (V, or a margin's) by the unit of each parameter",
            "accuracy": goal,
            "self_check": check,
            "tolerance": tolerance,
            "steps": found.steps,
            "left_out": list(chain.left_out),
            "failures": {str(k): why for k, why in found.failures.items()},
        },
    )


def _load() -> Any:
    from ..kernels.calls import run_back, run_forward

    return run_forward, run_back
