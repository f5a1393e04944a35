"""One solution of a graph's differential equation, by SciPy, to the accuracy asked for."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import Any, Literal, TypeAlias, get_args

import numpy as np
import xarray as xr
from scipy.integrate import solve_ivp

from ..arrays import Array, positive
from ..errors import AccuracyError, InputError
from ..graph import Graph, HasGraph, Hold, Input, Leak, Output, as_graph, in_si
from ..signals import Signal, as_signal
from ..waves import checked_accuracy, make_dataset, nrmse, period_grid, uniform_grid
from .batch_solver import Rows, integrate
from .delayed import DelayProgram
from .program import Program
from .sampled import SampledProgram
from .single_solver import LIBRARIES, SPENT, SpentError, integrate_single
from .steps import StepProgram
from .stiffness import STIFF_BUDGET, Stiffness, stiffness

Method: TypeAlias = Literal["auto", "RK45", "DOP853", "Radau", "BDF", "LSODA"]
METHODS = get_args(Method)
IMPLICIT = frozenset({"Radau", "BDF", "LSODA"})
POINTS = 2001
# The reference is asked for this part of the accuracy, so that its own error does not show in a comparison.
MARGIN = 1e-4
TIGHTEST = 1e-13
# Steps at least, level by level of the self-check, and the part of the accuracy to which two levels must agree.
STEPS = (300, 1000, 3000, 10000)
AGREED = 0.02
# Right-hand sides that the explicit solver may spend before the equation counts as stiff.
EXPLICIT_BUDGET = 200_000
# More states than this count as many: with corners in their gain curves nearly every step holds one, which the lower
# order takes for less work, and steps that nobody needs cost minutes. So such a run starts with the steps that its
# tolerance asks for, and is checked against one of a tenth of the tolerance in steps of at most a third of their mean.
MANY = 100
MANY_BUDGET = 5_000_000


def solve(
    graph: Graph | HasGraph,
    *,
    t_stop: float | None = None,
    inputs: Any = None,
    accuracy: float = 1e-4,
    points: int | None = None,
    method: Method = "auto",
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

    A map is stepped instead, and its steps are the grid: state and output at the times k * period, of the inputs there.
    A graph with Leak and Hold is solved from edge to edge of its clocks; it is read once a period of the fastest, at
    its end, and `time` is its start, unless `points` asks for the waveform.
    A delay equation is solved by the method of steps over DOP853 (`delay_solver`), and by no other method.

    Raises InputError for a graph with a Delay beside a Hold, and for wrong arguments; AccuracyError where the solver
    fails.
    """
    accuracy = check_request(accuracy, points)
    graph = as_graph(graph)
    if graph.kind == "map":
        return _mapped(in_si(graph), t_stop, inputs)
    if graph.kind == "sampled":
        return _sampled(in_si(graph), t_stop, inputs, accuracy, points)
    if not isinstance(method, str) or method not in METHODS:
        raise InputError(f"`method` = {method!r:.60}: must be one of {', '.join(METHODS)}")
    network = in_si(graph)
    end = stop_time(network, t_stop)
    signal = input_signal(network, inputs)
    grid = uniform_grid(end, POINTS if points is None else points)
    if network.kind == "dde":
        if method not in ("auto", "DOP853"):
            raise InputError(f"`method` = {method!r}: a delay equation is solved by DOP853; leave it out")
        state, output, check = _delayed(DelayProgram(network, signal), grid, accuracy)
    else:
        program = Program([network], signal)
        state, check = _checked(_solver(program, grid, method), grid, accuracy)
        output = program.outputs(grid, state)
    return make_dataset(
        grid,
        state,
        output,
        neurons=network.labels_of(Leak),
        ports=network.labels_of(Output),
        attrs={"machine": "reference", "graph": graph.hash, "accuracy": accuracy, "self_check": check},
    )


def _mapped(graph: Graph, t_stop: float | None, inputs: Any) -> xr.Dataset:
    program = StepProgram([graph])
    period = program.clock.period
    if t_stop is None:
        raise InputError("`t_stop`: a map has no time constant; say for how long to run, in seconds")
    steps = int(float(positive(t_stop, "t_stop", shape=(), unit="s")) / period * (1.0 + 1e-12))
    grid = period * np.arange(steps + 1.0)
    signal = input_signal(graph, inputs)
    u = np.stack([np.zeros(program.input_size) if signal is None else signal.at(t) for t in grid.tolist()])
    state = [program.initial]
    outputs = []
    for driven in u:
        after, given = program.step(state[-1], driven)
        state.append(after)
        outputs.append(given)
    return make_dataset(
        grid,
        np.stack(state[:-1]),
        np.stack(outputs),
        neurons=graph.labels_of(Hold),
        ports=graph.labels_of(Output),
        attrs={"machine": "reference", "graph": graph.hash, "period": period},
    )


def _sampled(graph: Graph, t_stop: float | None, inputs: Any, accuracy: float, points: int | None) -> xr.Dataset:
    program = SampledProgram(graph, input_signal(graph, inputs))
    end = stop_time(graph, t_stop)
    period = min(hold.clock.period for hold in graph.of_type(Hold))
    times, grid = period_grid(period, end) if points is None else (uniform_grid(end, points),) * 2
    rtol = max(accuracy * MARGIN, TIGHTEST)
    state = program.states_at(grid, program.initial, rtol=rtol, atol=rtol * 1e-3)
    return make_dataset(
        times,
        state,
        program.outputs(grid, state),
        neurons=graph.state_labels,
        ports=graph.labels_of(Output),
        attrs={"machine": "reference", "graph": graph.hash, "accuracy": accuracy, "period": period},
    )


def check_request(accuracy: Any, points: int | None) -> float:
    """Return the accuracy, an NRMSE. Raises InputError for another, and for fewer than two points."""
    if points is not None:
        uniform_grid(1.0, points)
    return checked_accuracy(accuracy, "accuracy")


def stop_time(graph: Graph, t_stop: float | None) -> float:
    """Return t_stop, or 20 max(R C) of a graph in SI units where it is None."""
    if t_stop is not None:
        return float(positive(t_stop, "t_stop", shape=(), unit="s"))
    constants = [float(np.max(leak.resistance * leak.capacitance)) for leak in graph.of_type(Leak)]
    if not constants or not np.isfinite(max(constants)):
        raise InputError("`t_stop`: the graph has no finite time constant R C; say for how long to run, in seconds")
    return 20.0 * max(constants)


def input_signal(graph: Graph, inputs: Any) -> Signal | None:
    """Return the inputs as a Signal; None where nothing is given (0 V)."""
    size = sum(source.output_size for source in graph.of_type(Input))
    if inputs is None:
        return None
    if size == 0:
        raise InputError("`inputs`: the graph has no Input; leave it out")
    return as_signal(inputs, "inputs", size)


def absolute_tolerance(program: Program, rtol: float) -> float:
    """Return rtol times the size of the state: its start, or what one time constant of the first slope brings."""
    x0 = program.initial
    slope = np.abs(program.rhs(0.0, np.zeros_like(x0)))
    reach = [float(np.max(np.abs(x0)))]
    for leak in program.leaks:
        rate = program.rates[leak.name][1]
        part = slope[..., program.slices[leak.name]]
        reach.append(float(np.max(part / np.where(rate > 0.0, rate, np.inf))))
    return rtol * max(*reach, 1e-6)


def segments(grid: Array, signal: Signal | None) -> list[Array]:
    """Return the grid cut at the corners of a signal, each piece with its ends."""
    corners = [] if signal is None else [t for t in signal.times.tolist() if grid[0] < t < grid[-1]]
    bounds = [float(grid[0]), *corners, float(grid[-1])]
    return [np.unique(np.concatenate([[a], grid[(grid > a) & (grid < b)], [b]])) for a, b in pairwise(bounds)]


def _delayed(program: DelayProgram, grid: Array, accuracy: float) -> tuple[Array, Array, float]:
    solutions = []

    def solved(rtol: float, step: float) -> Array:
        longest = step if program.has_corners else np.inf
        solutions.append(program.integrate(program.initial, float(grid[-1]), rtol=rtol, max_step=longest))
        return solutions[-1].state(grid)

    state, check = _checked(solved, grid, accuracy)
    return state, program.outputs(grid, solutions[-1]), check


def _solver(program: Program, grid: Array, method: Method) -> Callable[[float, float], Array]:
    chosen, taken = method, 0
    many = program.size > MANY and method == "auto"
    stiff = stiffness(program, float(grid[-1])) if many and program.leaks else None

    def solved(rtol: float, step: float) -> Array:
        nonlocal chosen, taken
        if not program.leaks:
            return np.zeros((grid.size, 0))
        if many and chosen == "auto":
            try:
                found, taken = _solve_many(program, grid, rtol, stiff, least=3 * taken)
                return found
            except SpentError as error:
                chosen = _implicit(stiff, error)
        found, chosen = _solve(program, grid, rtol, chosen, step)
        return found

    return solved


def _implicit(stiff: Stiffness | None, spent: SpentError) -> Method:
    """Return the method to go on with where the explicit one has spent its budget, if there is one."""
    if stiff is None:
        raise spent
    if not stiff.can_be_factored:
        raise AccuracyError(
            f"{spent}; but its Jacobian of {stiff.size} states reaches {stiff.band} from the diagonal, and to factor "
            f"it takes {stiff.operations:.1e} operations a time; ask for a shorter t_stop, or for time constants that "
            "are closer to each other"
        )
    return "BDF"


def _checked(solved: Callable[[float, float], Array], grid: Array, accuracy: float) -> tuple[Array, float]:
    """Return the states, and what the last tightening of tolerance and step changed, as NRMSE.

    An error estimate is blind to a corner of a gain curve that a step jumps over, so the tolerance alone is not
    trusted: step and tolerance are tightened until two solutions agree (self-amplifying networks may not).
    """
    rtol = max(accuracy * MARGIN, TIGHTEST)
    found = solved(rtol, float(grid[-1]) / STEPS[0])
    check = np.inf
    for level, steps in enumerate(STEPS[1:], start=1):
        previous = found
        found = solved(max(rtol / 10.0**level, TIGHTEST), float(grid[-1]) / steps)
        check = nrmse(found, previous)
        if check <= AGREED * accuracy:
            break
    return found, check


def _solve_many(
    program: Program, grid: Array, rtol: float, stiff: Stiffness | None, *, least: int
) -> tuple[Array, int]:
    """Return the states and how many steps they took, of at least `least`; nothing is kept beside them.

    Raises SpentError where the first solution (`least` = 0) of an equation that may be stiff takes too much.
    """
    atol = absolute_tolerance(program, rtol)
    longest = float(grid[-1]) / least if least else np.inf
    budget = STIFF_BUDGET if stiff is not None and stiff.can_be_factored and not least else MANY_BUDGET
    result = np.empty((grid.size, program.size))
    result[0] = x = program.initial
    steps = spent = 0

    def counted(t: Array, x: Array, rows: Rows, out: Array) -> None:
        nonlocal spent
        spent += 1
        if spent > budget:
            raise SpentError(f"reference: DOP853 stopped at t = {t[0]:.6g} of {grid[-1]:.6g} s: {SPENT}")
        program.batch_rhs(t, x, rows, out)

    for piece in segments(grid, program.inputs):
        if program.has_corners:
            options: dict[str, Any] = {"max_step": longest, "max_evaluations": budget - spent, "fused": program.fused}
            done = integrate_single(program.rhs, x, piece, rtol=rtol, atol=atol, **options)
            states, steps, spent = done.states, steps + done.steps, spent + done.evaluations
        else:
            with LIBRARIES.limit(limits=1, user_api="blas"):  # its sums wait for memory, not for processors
                limits: dict[str, Any] = {"max_step": longest, "max_steps": budget}
                batch = integrate(counted, x[np.newaxis], piece, rtol=rtol, atol=atol, **limits)
            states, steps = batch.states[0], steps + int(batch.steps[0])
        x = states[-1]
        inside = np.isin(piece, grid)
        result[np.searchsorted(grid, piece[inside])] = states[inside]
    return result, steps


def _solve(program: Program, grid: Array, rtol: float, method: Method, step: float) -> tuple[Array, Method]:
    atol = absolute_tolerance(program, rtol)
    if method != "auto":
        return _integrate(program, grid, rtol, atol, method, step, budget=None), method
    try:
        return _integrate(program, grid, rtol, atol, "DOP853", step, budget=EXPLICIT_BUDGET), method
    except SpentError:
        return _integrate(program, grid, rtol, atol, "Radau", step, budget=None), "Radau"


def _integrate(
    program: Program, grid: Array, rtol: float, atol: float, method: Any, step: float, budget: int | None
) -> Array:
    spent = 0

    def rhs(t: float, x: Array) -> Array:
        nonlocal spent
        spent += 1
        if budget is not None and spent > budget:
            raise SpentError(f"reference: {method} stopped at t = {t:.6g} s: {SPENT}")
        return program.rhs(t, x)

    def dense_jacobian(t: float, x: Array) -> Array:
        matrix = program.jacobian(t, x)
        return matrix if isinstance(matrix, np.ndarray) else matrix.toarray()

    options: dict[str, Any] = {"max_step": step, "rtol": rtol, "atol": atol}
    if method in IMPLICIT:
        options["jac"] = dense_jacobian if method == "LSODA" else program.jacobian
    result = np.empty((grid.size, program.size))
    result[0] = program.initial
    x = program.initial
    for piece in segments(grid, program.inputs):
        with LIBRARIES.limit(limits=1, user_api="blas"):
            found = solve_ivp(rhs, (piece[0], piece[-1]), x, method=method, t_eval=piece, **options)
        if not found.success:
            raise AccuracyError(f"reference: {method} stopped at t = {found.t[-1]:.6g} s ({found.message})")
        x = found.y[:, -1]
        inside = np.isin(piece, grid)
        result[np.searchsorted(grid, piece[inside])] = found.y.T[inside]
    return result
