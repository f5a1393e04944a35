"""A differential equation as a program: solved to an accuracy by the method that suits it, and from many states."""

from __future__ import annotations

from typing import Any, get_args

import numpy as np
from scipy.integrate import solve_ivp

from ..values.arrays import Array
from ..values.errors import AccuracyError
from ..values.signals import Signal
from .accuracy import COARSER, STEPS, refine
from .ode import OdeEquation
from .program import Method, Solved
from .recordings import MANY_POINTS, follow_recording, is_recording
from .request import piecewise, uniform_times
from .runge_kutta import LIBRARIES, integrate
from .stiffness import STIFF_BUDGET, Stiffness, fastest_rate, stiffness
from .tableau import EIGHTH, FIFTH
from .watch import Watch

METHODS = frozenset(get_args(Method))
IMPLICIT = frozenset({"Radau", "BDF", "LSODA"})
# Right-hand sides that the explicit solver may spend before the equation counts as stiff.
EXPLICIT_BUDGET = 200_000
# More states than this count as many: with corners in their gain curves nearly every step holds one, which the lower
# order takes for less work, and steps that nobody needs cost minutes. So such a run starts with the steps that its
# tolerance asks for, and is checked against one of a tenth of the tolerance in steps of at most a third of their mean.
MANY = 100
MANY_BUDGET = 5_000_000
# Where a gain curve has corners, no step of many rows is longer than this part of the smallest R C: an error estimate
# does not see a corner that a step jumps over.
CORNER_STEP = 0.05
SPENT = "its right-hand sides are used up; the equation may be stiff: use method='BDF'"


class SpentError(AccuracyError):
    """The right-hand sides that may be spent are spent: the equation may be stiff."""


class OdeProgram(OdeEquation):
    """The differential equation of a graph with its solvers: a `Program`."""

    methods = METHODS

    def grids(self, end: float, points: int | None) -> tuple[Array, Array]:
        """Return uniform times, twice: see `Program`."""
        return uniform_times(end, points)

    def solve(self, grid: Array, accuracy: float, method: Method, watch: Watch) -> Solved:
        """Return the solution by a method of SciPy or the one that suits: see `Program`, and `reference`."""
        end = float(grid[-1])
        states, check = refine(_Solver(self, grid, method, watch), end, accuracy, self._levels(end))
        return Solved(states, self.outputs(grid, states), {"accuracy": accuracy, "self_check": check})

    def follow(self, rows: Array, grid: Array, rtol: float, watch: Watch) -> Array:
        """Return the states, (B, T, n), each row with its own steps (DOP853): see `Program`."""
        if not self.size:
            return np.zeros((len(rows), grid.size, 0))
        followed = follow_recording(self, rows, grid, rtol, watch, least=2 * STEPS[0])
        if followed is not None:
            return followed
        step = CORNER_STEP * self.shortest_time if self.has_corners else np.inf

        options: dict[str, Any] = {"rtol": rtol, "atol": rtol * self.reach, "max_step": step, "look": watch.look}

        def advance(x: Array, piece: Array) -> Array:
            return integrate(self.batch_rhs, x, piece, **options).states

        return piecewise(rows, grid, self.inputs, advance)

    def _levels(self, end: float) -> tuple[int, ...]:
        points = 0 if self.inputs is None else self.inputs.times.size
        if self.has_corners or not self.size or points >= MANY_POINTS:
            return STEPS
        return (COARSER, *STEPS) if end * fastest_rate(self) <= COARSER else STEPS


class _Solver:
    """States at a grid, (T, n), to a tolerance and in steps of at most some seconds, again and again.

    What is found to suit the equation is kept: the method, whether elements follow its inputs, the number of steps.
    """

    def __init__(self, program: OdeProgram, grid: Array, method: Method, watch: Watch) -> None:
        self._program, self._grid, self._method, self._watch = program, grid, method, watch
        self._end = float(grid[-1])
        self._together = self._explicit = method == "auto"
        self._many = self._explicit and program.size > MANY
        self._stiff = stiffness(program, self._end) if self._many else None
        self._taken = 0

    def __call__(self, rtol: float, step: float) -> Array:
        program, grid = self._program, self._grid
        if not program.size:
            return np.zeros((grid.size, 0))
        if self._together:
            least = round(self._end / step)
            found = follow_recording(program, program.initial[np.newaxis], grid, rtol, self._watch, least=least)
            if found is not None:
                return np.asarray(found[0])
            self._together = False
            if is_recording(program.inputs, 0.0, self._end) and not self._many and not self._watch.jumps:
                self._method, self._explicit = "LSODA", False
        if not self._explicit:
            return self._integrate(self._method, rtol, step)
        try:
            if self._many:
                return self._integrate_many(rtol)
            # No implicit method can take jumps either.
            return self._integrate("DOP853", rtol, step, budget=None if self._watch.jumps else EXPLICIT_BUDGET)
        except SpentError as spent:
            self._method, self._explicit = _implicit(self._stiff, spent) if self._many else "Radau", False
        return self._integrate(self._method, rtol, step)

    def _integrate(self, method: Any, rtol: float, step: float, *, budget: int | None = None) -> Array:
        """Return the states by a method of SciPy. Raises SpentError where it takes more than `budget` evaluations."""
        program, spent = self._program, 0

        def rhs(t: float, x: Array) -> Array:
            nonlocal spent
            spent += 1
            if budget is not None and spent > budget:
                raise SpentError(f"reference: {method} stopped at t = {t:.6g} s: {SPENT}")
            self._watch.look(t, x)
            return program.rhs(t, x)

        def dense_jacobian(t: float, x: Array) -> Array:
            matrix = program.jacobian(t, x)
            return matrix if isinstance(matrix, np.ndarray) else matrix.toarray()

        options: dict[str, Any] = {"max_step": step, "rtol": rtol, "atol": rtol * program.reach}
        if method in IMPLICIT:
            options["jac"] = dense_jacobian if method == "LSODA" else program.jacobian

        # A multistep method starts slowly, so it goes on over the corners of a recording; `refine` verifies the result.
        whole = method == "LSODA" and is_recording(program.inputs, 0.0, self._end)

        def advance(x: Array, piece: Array) -> Array:
            with LIBRARIES.limit(limits=1, user_api="blas"):
                found = solve_ivp(rhs, (piece[0], piece[-1]), x[0], method=method, t_eval=piece, **options)
            if not found.success:
                raise AccuracyError(f"reference: {method} stopped at t = {found.t[-1]:.6g} s ({found.message})")
            return np.asarray(found.y.T[np.newaxis])

        return self._advance(advance, None if whole else program.inputs)

    def _integrate_many(self, rtol: float) -> Array:
        """Return the states of many, by RK45 where curves have corners, else by DOP853; nothing is kept beside them.

        Raises SpentError where the first solution of an equation that may be stiff takes too much.
        """
        program, first = self._program, not self._taken
        tableau = FIFTH if program.has_corners else EIGHTH
        may_go_over = self._stiff is not None and self._stiff.can_be_factored and first
        budget = STIFF_BUDGET if may_go_over else MANY_BUDGET
        steps = spent = 0

        def look(t: float, x: Array, evaluations: int) -> None:
            nonlocal spent
            spent += evaluations
            if spent > budget:
                raise SpentError(f"reference: {tableau.name} stopped at t = {t:.6g} of {self._end:.6g} s: {SPENT}")
            self._watch.look(t, x, evaluations)

        options: dict[str, Any] = {"rtol": rtol, "atol": rtol * program.reach, "max_steps": budget, "look": look}
        options["max_step"] = np.inf if first else self._end / (3 * self._taken)
        options["tableau"], options["fused"] = tableau, program.fused if program.has_corners else None

        def advance(x: Array, piece: Array) -> Array:
            nonlocal steps
            found = integrate(program.batch_rhs, x, piece, **options)
            steps += int(found.steps[0])
            return found.states

        states = self._advance(advance, program.inputs)
        self._taken = steps
        return states

    def _advance(self, advance: Any, corners: Signal | None) -> Array:
        return np.asarray(piecewise(self._program.initial[np.newaxis], self._grid, corners, advance)[0])


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
