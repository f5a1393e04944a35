"""One trajectory of many states, by the explicit Runge-Kutta pair of order 5(4), without temporaries.

The method is that of Dormand and Prince (Hairer, Norsett, Wanner, "Solving Ordinary Differential Equations I", 2nd
ed., II.4 to II.6); its coefficients are those of `tableau`, so it takes the steps that `solve_ivp` would take. What
differs is the work beside the right-hand side: every sum of stages is one
product that reads them once, and no array is made anew at a step.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, NamedTuple, Protocol

import numpy as np
from threadpoolctl import ThreadpoolController

from ..values.arrays import Array
from ..values.errors import AccuracyError
from .controller import smallest_step
from .crossbar import FusedStep
from .tableau import FIFTH as TABLEAU

STAGES: Final = TABLEAU.stages
LIBRARIES: Final = ThreadpoolController()  # to look for them takes as long as a small network
SPENT: Final = "its right-hand sides are used up; the equation may be stiff: use method='BDF'"


class SpentError(AccuracyError):
    """The right-hand sides that may be spent are spent: the equation may be stiff."""


class RightHandSide(Protocol):
    """Writes dx/dt at a time and a state, (n,), into `out`."""

    def __call__(self, t: float, x: Array, *, out: Array) -> object: ...


class Trajectory(NamedTuple):
    """States at the output times, (times, n), and how many steps and right-hand sides they took."""

    states: Array
    steps: int
    evaluations: int


def integrate_single(
    rhs: RightHandSide,
    initial: Array,
    times: Array,
    *,
    rtol: float,
    atol: float,
    max_step: float,
    max_evaluations: int,
    fused: FusedStep | None = None,
    look: Callable[[float, Array, int], None] | None = None,
) -> Trajectory:
    """Solve dx/dt from `initial` (n,) at times[0]; return the states at `times`.

    The estimated error of a step, as the root mean square over the states, is kept below atol + rtol * |x|. `fused`:
    a step of this very equation, compiled, where it has one. `look`: called at each try of a step with the time, the
    state and the right-hand sides it takes.

    Raises AccuracyError, naming the time, where the trajectory cannot go on, and SpentError where the evaluations are
    used up.
    """
    with LIBRARIES.limit(limits=1, user_api="blas"), np.errstate(over="ignore", invalid="ignore"):
        return _Run(rhs, initial, times, rtol, atol, max_step, max_evaluations, fused, look).run()


class _Run:
    """The state of an integration.

    Slots: x, the slopes of the stages, the last one at the new x, the new x. Read backward they begin with the new x
    and its slope, so the next step is taken from there, and nothing is copied.
    """

    def __init__(
        self,
        rhs: RightHandSide,
        initial: Array,
        times: Array,
        rtol: float,
        atol: float,
        max_step: float,
        max_evaluations: int,
        fused: FusedStep | None,
        look: Callable[[float, Array, int], None] | None,
    ) -> None:
        self._rhs, self._times, self._rtol, self._atol = rhs, times, rtol, atol
        self._longest, self._most, self._fused = max_step, max_evaluations, fused
        self._look = look
        self._slots = np.empty((STAGES + 3, initial.size))
        self._slots[0] = initial
        self._work = np.empty((2, initial.size))
        self._t, self._end, self._evaluations = float(times[0]), float(times[-1]), 0

    def run(self) -> Trajectory:
        states = np.empty((self._times.size, self._slots.shape[1]))
        states[0] = self._slots[0]
        self._evaluate(self._t, self._slots[0], self._slots[1])
        h, steps, written = self._first_step(), 0, 1
        while self._t < self._end:
            h = self._step(h, float(self._times[written]))
            steps += 1
            written = self._write(states, written)
            self._slots = self._slots[::-1]
            self._t = self._t_new
        return Trajectory(states, steps, self._evaluations)

    def _step(self, h: float, due: float) -> float:
        """Take one step, as long as the error allows; return the step to try next. `due`: the next output time."""
        rejected = False
        while True:
            least = float(smallest_step(self._t))
            if self._look is not None:
                self._look(self._t, self._slots[0], STAGES)
            if rejected and h < least:
                self._fail("its step fell below 10 roundings of t; raise the accuracy's number")
            h = min(max(h, least), self._longest)
            self._t_new = min(self._t + h, self._end)
            self._h = h = self._t_new - self._t
            if self._fused is None:
                squares = self._stages(h)
            else:
                self._count(STAGES)
                squares = self._fused(self._slots, h, rtol=self._rtol, atol=self._atol, keep=due <= self._t_new)
            error = float(TABLEAU.combine_errors(np.array([squares]), self._slots.shape[1]))
            h *= float(TABLEAU.controller.factor(error, rejected))
            if error < 1.0:
                return h
            rejected = True

    def _stages(self, h: float) -> float:
        """Write the stages of a step of h into the slots; return the sum of squared relative errors."""
        x, new = self._slots[0], self._slots[-1]
        for stage in range(1, STAGES + 1):
            self._sum(np.append(1.0, h * TABLEAU.matrix[stage, :stage]), out=new)
            time = self._t_new if stage == STAGES else self._t + TABLEAU.times[stage] * h
            self._evaluate(time, new, self._slots[stage + 1])
        scale, error = self._work
        np.abs(x, out=scale)
        np.abs(new, out=error)
        np.maximum(scale, error, out=scale)
        scale *= self._rtol
        scale += self._atol
        self._sum(np.append(0.0, h * TABLEAU.errors[0]), out=error)
        error /= scale
        return float(np.dot(error, error))

    def _sum(self, weights: Array, out: Array) -> None:
        """Write the weighted sum of the first slots, which are read once."""
        slots = self._slots[: weights.size]
        if slots.strides[0] < 0:  # a product copies what it would have to read backward
            weights, slots = weights[::-1], slots[::-1]
        np.dot(weights, slots, out=out)

    def _write(self, states: Array, written: int) -> int:
        """Interpolate at the output times that the step has passed; return how many have been written."""
        last = int(np.searchsorted(self._times, self._t_new, side="right"))
        weights = self._h * TABLEAU.basis((self._times[written:last] - self._t) / self._h) @ TABLEAU.interpolant
        for k in range(written, last):
            self._sum(np.append(1.0, weights[k - written]), out=states[k])
        return last

    def _first_step(self) -> float:
        """Return the first step."""
        x, slope, span = self._slots[:1], self._slots[1:2], self._end - self._t

        def slope_after(h: Array) -> Array:
            self._evaluate(self._t + float(h[0]), x[0] + h[0] * slope[0], self._slots[2])
            return self._slots[2:3]

        scale = self._atol + np.abs(x) * self._rtol
        return min(float(TABLEAU.controller.first_step(x, slope, scale, span, slope_after)[0]), self._longest)

    def _evaluate(self, t: float, x: Array, out: Array) -> None:
        self._count(1)
        self._rhs(t, x, out=out)

    def _count(self, more: int) -> None:
        self._evaluations += more
        if self._evaluations > self._most:
            self._fail(SPENT, SpentError)

    def _fail(self, why: str, error: type[AccuracyError] = AccuracyError) -> None:
        raise error(f"reference: RK45 stopped at t = {self._t:.6g} of {self._end:.6g} s: {why}")
