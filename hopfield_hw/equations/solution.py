"""One solution of a graph's differential equation, by SciPy, to the accuracy asked for."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal, TypeAlias, get_args

import numpy as np
import xarray as xr
from scipy.integrate import solve_ivp

from ..graph import Graph, HasGraph, Hold, Leak, Output, as_graph
from ..transforms import in_si
from ..values.arrays import Array, positive
from ..values.datasets import make_dataset
from ..values.errors import AccuracyError, InputError
from ..values.grids import period_grid, uniform_grid
from ..values.measures import nrmse
from .batch_solver import Rows, integrate
from .collocation import NoCollocationError, integrate_elements
from .delayed import DelayProgram
from .program import Program
from .request import absolute_tolerance, check_request, check_steps, input_signal, segments, stop_time
from .sampled import SampledProgram
from .single_solver import LIBRARIES, SPENT, SpentError, integrate_single
from .steps import StepProgram
from .stiffness import STIFF_BUDGET, Stiffness, fastest_rate, stiffness
from .watch import TIMEOUT, Watch

Method: TypeAlias = Literal["auto", "RK45", "DOP853", "Radau", "BDF", "LSODA"]
METHODS = get_args(Method)
IMPLICIT = frozenset({"Radau", "BDF", "LSODA"})
POINTS = 2001
# The reference is asked for this part of the accuracy, so that its own error does not show in a comparison.
MARGIN = 1e-4
TIGHTEST = 1e-13
# Steps at least, level by level of the self-check, and the part of the accuracy to which two levels must agree. An
# equation without corners that nowhere moves in less than one of the steps of a coarser level begins there.
STEPS = (300, 1000, 3000, 10000)
COARSER = 100
AGREED = 0.02
# Right-hand sides that the explicit solver may spend before the equation counts as stiff.
EXPLICIT_BUDGET = 200_000
# More states than this count as many: with corners in their gain curves nearly every step holds one, which the lower
# order takes for less work, and steps that nobody needs cost minutes. So such a run starts with the steps that its
# tolerance asks for, and is checked against one of a tenth of the tolerance in steps of at most a third of their mean.
MANY = 100
# Inputs of so many points are followed by elements, with so many nodes in the first solution and in those that check
# it; where that takes more calls for each point, a solver starts anew at each.
MANY_POINTS, NODES, CALLS_A_POINT = 50, (4, 5), 40
MANY_BUDGET = 5_000_000


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
    graph = as_graph(graph)
    if graph.kind == "map":
        return _mapped(in_si(graph), t_stop, inputs, timeout)
    if graph.kind == "sampled":
        return _sampled(in_si(graph), t_stop, inputs, accuracy, points, timeout)
    if not isinstance(method, str) or method not in METHODS:
        raise InputError(f"`method` = {method!r:.60}: must be one of {', '.join(METHODS)}")
    network = in_si(graph)
    end = stop_time(network, t_stop)
    signal = input_signal(network, inputs)
    grid = uniform_grid(end, POINTS if points is None else points)
    watch = Watch(network, timeout, end)
    if network.kind == "dde":
        if method not in ("auto", "DOP853"):
            raise InputError(f"`method` = {method!r}: a delay equation is solved by DOP853; leave it out")
        state, output, check = _delayed(DelayProgram(network, signal), grid, accuracy, watch)
    else:
        program = Program([network], signal)
        state, check = _checked(_solver(program, grid, method, watch), grid, accuracy, _levels(program, grid))
        output = program.outputs(grid, state)
    return make_dataset(
        grid,
        state,
        output,
        neurons=network.labels_of(Leak),
        ports=network.labels_of(Output),
        attrs={"machine": "reference", "graph": graph.hash, "accuracy": accuracy, "self_check": check},
    )


def _mapped(graph: Graph, t_stop: float | None, inputs: Any, timeout: float) -> xr.Dataset:
    program = StepProgram([graph])
    period = program.clock.period
    if t_stop is None:
        raise InputError("`t_stop`: a map has no time constant; say for how long to run, in seconds")
    end = float(positive(t_stop, "t_stop", shape=(), unit="s"))
    check_steps(graph, period, end)
    grid = period * np.arange(int(end / period * (1.0 + 1e-12)) + 1.0)
    signal, watch = input_signal(graph, inputs), Watch(graph, timeout, end)
    u = np.zeros((grid.size, program.input_size)) if signal is None else signal.sampled(grid)
    state = [program.initial]
    outputs = []
    for t, driven in zip(grid.tolist(), u, strict=True):
        watch.look(t, state[-1])
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


def _sampled(
    graph: Graph, t_stop: float | None, inputs: Any, accuracy: float, points: int | None, timeout: float
) -> xr.Dataset:
    program = SampledProgram(graph, input_signal(graph, inputs))
    end = stop_time(graph, t_stop)
    period = min(hold.clock.period for hold in graph.of_type(Hold))
    check_steps(graph, period, end)
    times, grid = period_grid(period, end) if points is None else (uniform_grid(end, points),) * 2
    rtol = max(accuracy * MARGIN, TIGHTEST)
    state = program.states_at(grid, program.initial, rtol=rtol, atol=rtol * 1e-3, watch=Watch(graph, timeout, end))
    return make_dataset(
        times,
        state,
        program.outputs(grid, state),
        neurons=graph.state_labels,
        ports=graph.labels_of(Output),
        attrs={"machine": "reference", "graph": graph.hash, "accuracy": accuracy, "period": period},
    )


def _delayed(program: DelayProgram, grid: Array, accuracy: float, watch: Watch) -> tuple[Array, Array, float]:
    solutions = []

    def solved(rtol: float, step: float) -> Array:
        longest = step if program.has_corners else np.inf
        solutions.append(program.integrate(program.initial, float(grid[-1]), rtol=rtol, max_step=longest, watch=watch))
        return solutions[-1].state(grid)

    state, check = _checked(solved, grid, accuracy)
    return state, program.outputs(grid, solutions[-1]), check


def through_points(
    program: Program, initial: Array, grid: Array, rtol: float, watch: Watch, *, least: int
) -> Array | None:
    """Return the states, (B, times, n), from `initial`, (B, n), of an equation whose inputs have many points.

    `least`: elements at least. None where the points are few, or the equation too stiff for many at once.
    """
    signal = program.inputs
    inside = 0 if signal is None else int(np.sum((signal.times > grid[0]) & (signal.times < grid[-1])))
    if signal is None or inside < MANY_POINTS or not program.size:
        return None
    corners = signal.times[(signal.times > grid[0]) & (signal.times < grid[-1])]
    mesh = np.unique(np.concatenate([grid, corners, np.linspace(grid[0], grid[-1], least + 1)]))
    calls = 0

    def rhs(t: Array) -> Callable[[Array], Array]:
        slopes = program.following(t)

        def counted(x: Array) -> Array:
            nonlocal calls
            calls += 1
            if calls > CALLS_A_POINT * mesh.size:
                raise NoCollocationError
            watch.look(float(t[0, 0]), x[0])
            return slopes(x)

        return counted

    try:
        found = integrate_elements(
            rhs,
            initial,
            mesh,
            rtol=rtol,
            atol=absolute_tolerance(program, rtol),
            nodes=NODES[least > STEPS[0]],
            smooth=not program.has_corners,
        )
    except NoCollocationError:
        return None
    states: Array = found[:, np.searchsorted(mesh, grid)]
    return states


def _solver(program: Program, grid: Array, method: Method, watch: Watch) -> Callable[[float, float], Array]:
    chosen, taken, together = method, 0, method == "auto"
    many = program.size > MANY and method == "auto"
    stiff = stiffness(program, float(grid[-1])) if many and program.leaks else None

    def solved(rtol: float, step: float) -> Array:
        nonlocal chosen, taken, together
        if not program.leaks:
            return np.zeros((grid.size, 0))
        least = round(float(grid[-1]) / step)
        if together:
            found = through_points(program, program.initial[np.newaxis], grid, rtol, watch, least=least)
            if found is not None:
                whole: Array = found[0]
                return whole
            together = False
        if many and chosen == "auto":
            try:
                found, taken = _solve_many(program, grid, rtol, stiff, watch, least=3 * taken)
                return found
            except SpentError as error:
                chosen = _implicit(stiff, error)
        found, chosen = _solve(program, grid, rtol, chosen, step, watch)
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


def _levels(program: Program, grid: Array) -> tuple[int, ...]:
    points = 0 if program.inputs is None else program.inputs.times.size
    if program.has_corners or not program.leaks or points >= MANY_POINTS:
        return STEPS
    return (COARSER, *STEPS) if float(grid[-1]) * fastest_rate(program) <= COARSER else STEPS


def _checked(
    solved: Callable[[float, float], Array], grid: Array, accuracy: float, levels: tuple[int, ...] = STEPS
) -> tuple[Array, float]:
    """Return the states, and what the last tightening of tolerance and step changed, as NRMSE.

    An error estimate is blind to a corner of a gain curve that a step jumps over, so the tolerance alone is not
    trusted: step and tolerance are tightened until two solutions agree (self-amplifying networks may not).
    """
    rtol = max(accuracy * MARGIN, TIGHTEST)
    found = solved(rtol, float(grid[-1]) / levels[0])
    check = np.inf
    for level, steps in enumerate(levels[1:], start=1):
        previous = found
        found = solved(max(rtol / 10.0**level, TIGHTEST), float(grid[-1]) / steps)
        check = nrmse(found, previous)
        if check <= AGREED * accuracy:
            break
    return found, check


def _solve_many(
    program: Program, grid: Array, rtol: float, stiff: Stiffness | None, watch: Watch, *, least: int
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
        watch.look(float(t[0]), x)
        program.batch_rhs(t, x, rows, out)

    for piece in segments(grid, program.inputs):
        if program.has_corners:
            options: dict[str, Any] = {"max_step": longest, "max_evaluations": budget - spent, "fused": program.fused}
            done = integrate_single(program.rhs, x, piece, rtol=rtol, atol=atol, look=watch.look, **options)
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


def _solve(
    program: Program, grid: Array, rtol: float, method: Method, step: float, watch: Watch
) -> tuple[Array, Method]:
    atol = absolute_tolerance(program, rtol)
    if method != "auto":
        return _integrate(program, grid, rtol, atol, method, step, watch, budget=None), method
    if watch.jumps:  # which no implicit method can take either
        return _integrate(program, grid, rtol, atol, "DOP853", step, watch, budget=None), method
    try:
        return _integrate(program, grid, rtol, atol, "DOP853", step, watch, budget=EXPLICIT_BUDGET), method
    except SpentError:
        return _integrate(program, grid, rtol, atol, "Radau", step, watch, budget=None), "Radau"


def _integrate(
    program: Program, grid: Array, rtol: float, atol: float, method: Any, step: float, watch: Watch, budget: int | None
) -> Array:
    spent = 0

    def rhs(t: float, x: Array) -> Array:
        nonlocal spent
        spent += 1
        if budget is not None and spent > budget:
            raise SpentError(f"reference: {method} stopped at t = {t:.6g} s: {SPENT}")
        watch.look(t, x)
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
