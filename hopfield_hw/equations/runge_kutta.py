"""Many independent trajectories of one size, integrated side by side, each with its own step size and error control.

The method is an explicit Runge-Kutta pair of `tableau`, so a row takes the steps that `solve_ivp` would take on it
alone. What differs is the work per call: the rows of a chunk share every product and every call of the right-hand side,
the chunk is small enough for its stages to stay in the cache, every sum of stages is one product that reads them once,
and no array is made anew at a step.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final, NamedTuple, Self, TypeAlias

import numpy as np
import numpy.typing as npt
from threadpoolctl import ThreadpoolController

from ..values.arrays import Array, freeze
from ..values.errors import AccuracyError, InputError
from .controller import smallest_step
from .crossbar import FusedStep
from .tableau import EIGHTH, Layout, Tableau

IndexArray: TypeAlias = npt.NDArray[np.intp]
Rows: TypeAlias = slice | IndexArray
RightHandSide: TypeAlias = Callable[[Array, Array, Rows, Array], None]
"""rhs(t: (A,), x: (A, n), rows, out: (A, n)): write dx/dt of the draws `rows` into `out`, and change nothing else.

`p[rows]` picks the rows of a per-draw parameter. `rows` is a slice where the draws are consecutive and an index array
elsewhere; the object for a chunk stays the same until a draw finishes, so what is gathered by it can be kept. Large
batches are shared between threads: `rhs` may be called from several at once, so it keeps no working storage.
"""
Look: TypeAlias = Callable[[float, Array, int], object]
"""look(t, x: (A, n), evaluations): called at each try of a step with how many calls of the right-hand side it takes."""
LIBRARIES: Final = ThreadpoolController()  # to look for them takes as long as a small network


class BatchSolution(NamedTuple):
    """States at the output times, and what they cost."""

    states: Array  # (B, m, n)
    evaluations: int  # calls of the right-hand side
    row_evaluations: int  # rows evaluated in all of these calls
    steps: IndexArray  # (B,) accepted
    rejected: IndexArray  # (B,)


def integrate(
    rhs: RightHandSide,
    initial: npt.ArrayLike,
    times: npt.ArrayLike,
    *,
    rtol: float,
    atol: float | npt.ArrayLike,
    max_steps: int = 100_000,
    max_step: float = np.inf,
    tableau: Tableau = EIGHTH,
    fused: FusedStep | None = None,
    look: Look | None = None,
) -> BatchSolution:
    """Solve dx/dt = rhs(t, x) from each row of `initial` (B, n) at times[0]; return the states at `times` (m,).

    The estimated error of a step, as the root mean square over a row's n components, is kept below
    atol + rtol * |x| row by row; `atol` is a number or (n,). `max_steps` bounds the steps of a row, rejected ones
    included; no step is longer than `max_step`. A row's answer does not depend on the other rows beyond rounding: BLAS
    may order the sums of a product by the place of a row in its chunk. `fused`: a compiled step of FIFTH for one
    row of this very equation, with one `atol`.

    Raises InputError for unusable arguments, and AccuracyError, naming the draw and the time, where a trajectory
    cannot go on.
    """
    x0 = freeze(initial, "initial")
    if x0.ndim != 2 or x0.shape[1] == 0:
        raise InputError(f"`initial` has shape {x0.shape}: must be (draws, neurons) with at least one neuron")
    grid = freeze(times, "times")
    if grid.ndim != 1 or grid.size == 0 or (np.diff(grid) <= 0.0).any():
        raise InputError(f"`times` of shape {grid.shape}: must be one list of strictly increasing times")
    if not _MIN_RTOL <= rtol < 1.0:
        raise InputError(f"`rtol = {rtol}`: must be at least {_MIN_RTOL:.3g} (100 roundings) and below 1")
    tolerance = freeze(atol, "atol", shape=x0.shape[1:])
    if (tolerance <= 0.0).any():
        raise InputError(f"`atol = {tolerance.min()}`: must be positive")
    if not max_step > 0.0:
        raise InputError(f"`max_step = {max_step}`: must be positive")
    batch, n = x0.shape
    solution = BatchSolution(
        states=np.empty((batch, grid.size, n)),
        evaluations=0,
        row_evaluations=0,
        steps=np.zeros(batch, dtype=np.intp),
        rejected=np.zeros(batch, dtype=np.intp),
    )
    solution.states[:, 0] = x0
    problem = _Problem(
        rhs, x0, grid, float(rtol), tolerance, max_step, max_steps, tableau.layout, fused, look, solution
    )
    done = _run(problem) if grid.size > 1 and batch > 0 else []
    return solution._replace(
        evaluations=sum(chunk.evaluations for chunk in done),
        row_evaluations=sum(chunk.row_evaluations for chunk in done),
    )


_MIN_RTOL: Final = 100.0 * float(np.finfo(np.float64).eps)

_CHUNK_BYTES: Final = 1 << 23  # of all slots of a chunk: a share of the last-level cache
_MIN_SHARED: Final = 1 << 14  # elements of a batch: fewer are not worth threads
_MIN_CHUNK: Final = 32  # rows: fewer leave the products of the right-hand side slow


def _run(problem: _Problem) -> list[_Chunk]:
    """Step every draw to the end, chunk by chunk."""
    batch, n = problem.initial.shape
    workers = min(os.cpu_count() or 1, batch // _MIN_CHUNK) if batch * n >= _MIN_SHARED else 1
    rows = max(_MIN_CHUNK, _CHUNK_BYTES // (8 * problem.layout.size * n))
    count = -(-batch // (rows * max(workers, 1))) * max(workers, 1)
    parts = np.array_split(np.arange(batch), min(count, batch))
    if batch == 1:
        with LIBRARIES.limit(limits=1, user_api="blas"):  # its sums wait for memory, not for processors
            return [_Chunk(problem, parts[0]).run()]
    if workers <= 1:
        return [_Chunk(problem, draws).run() for draws in parts]
    # One thread of chunks a core is faster than one product spread over the cores: NumPy lets go of the interpreter in
    # both, but tanh and the sums between the products run on one core each.
    with LIBRARIES.limit(limits=1, user_api="blas"), ThreadPoolExecutor(workers) as pool:
        return list(pool.map(lambda draws: _Chunk(problem, draws).run(), parts))


class _Problem(NamedTuple):
    """What is to be solved, and where the answers go: each chunk writes its own draws."""

    rhs: RightHandSide
    initial: Array
    times: Array
    rtol: float
    atol: Array
    longest: float
    max_steps: int
    layout: Layout
    fused: FusedStep | None
    look: Look | None
    solution: BatchSolution


def _rows(draws: IndexArray) -> Rows:
    first, last = int(draws[0]), int(draws[-1])
    return slice(first, last + 1) if last - first < draws.size else draws


class _Chunk:
    """Draws that step together, each with its own step, until the last of them is done."""

    def __init__(self, problem: _Problem, draws: IndexArray) -> None:
        self._problem, self._layout = problem, problem.layout
        self._alone = len(problem.initial) == 1
        self._end = float(problem.times[-1])
        self._n = problem.initial.shape[1]
        self._storage = np.empty((self._layout.size + self._layout.buffers) * draws.size * self._n)
        self._begin(draws, problem.initial[draws], np.empty((draws.size, self._n)))
        self._t = np.full(draws.size, problem.times[0])
        self._h = np.empty(draws.size)
        self._retry = np.zeros(draws.size, dtype=np.bool_)
        self._written = np.ones(draws.size, dtype=np.intp)
        self.evaluations = 0
        self.row_evaluations = 0

    def _begin(self, draws: IndexArray, x: Array, f: Array) -> None:
        """Lay the storage out for these draws."""
        self._draws, self._rows = draws, _rows(draws)
        count = self._layout.size + self._layout.buffers
        used = self._storage[: count * x.size].reshape(count, *x.shape)
        self._f, self._f_new, self._buffers = f, np.empty_like(f), used[self._layout.size :]
        self._use(used[: self._layout.size + 1])
        self._slots[self._layout.state] = x

    def _use(self, used: Array) -> None:
        """Take these arrays as the slots and, behind them, the new state."""
        self._used, self._slots, self._x_new = used, used[:-1], used[-1]
        if self._alone:  # slots hold the slopes as they are
            self._f, self._f_new = (self._slots[self._layout.slot[k]] for k in (0, self._layout.tableau.stages))

    def run(self) -> Self:
        """Step until every draw is at the end. Trial steps may overflow where the solution does not: they fail the
        error test and are retried, smaller."""
        with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
            self._first_step()
            for _ in range(self._problem.max_steps):
                self._try_step()
                unfinished = self._t < self._end
                if not unfinished.all():
                    if not unfinished.any():
                        return self
                    self._keep(unfinished)
        steps = f"max_steps = {self._problem.max_steps} steps are used up"
        raise self._failure(0, steps, "raise max_steps")

    def _keep(self, some: npt.NDArray[np.bool_]) -> None:
        """Go on with some of the draws."""
        self._t, self._h, self._retry = self._t[some], self._h[some], self._retry[some]
        self._written = self._written[some]
        self._begin(self._draws[some], self._slots[self._layout.state][some], self._f[some])

    def _evaluate(self, t: Array, x: Array, out: Array, rows: Rows) -> None:
        self._problem.rhs(t, x, rows, out)
        self.evaluations += 1
        self.row_evaluations += t.size

    def _first_step(self) -> None:
        """Evaluate the first derivative and choose the first step (Hairer et al., section II.4)."""
        problem, rows = self._problem, self._rows
        t, slope, span = self._t, self._f, float(self._end - problem.times[0])
        x: Array = self._slots[self._layout.state]
        self._evaluate(t, x, slope, rows)
        finite = np.isfinite(slope).all(axis=1)
        if not finite.all():
            raise self._failure(int(np.argmin(finite)), *_NOT_FINITE)

        def slope_after(h: Array) -> Array:
            probe: Array = np.empty(x.shape)
            self._evaluate(t + h, x + h[:, None] * slope, probe, rows)
            return probe

        scale = problem.atol + np.abs(x) * problem.rtol
        self._h = self._layout.tableau.controller.first_step(x, slope, scale, span, slope_after)

    def _try_step(self) -> None:
        """Try one step of every draw: accept it, or leave a smaller step for the next time."""
        problem, layout, rows, t = self._problem, self._layout, self._rows, self._t
        y, x_new, f_new = self._slots[layout.state], self._x_new, self._f_new
        t_new = np.minimum(t + np.maximum(np.minimum(self._h, problem.longest), smallest_step(t)), self._end)
        h = t_new - t
        if problem.look is not None:
            problem.look(float(np.min(t)), y, layout.tableau.stages)
        squares = self._take_stages(h, t_new) if problem.fused is None else self._take_fused(float(h[0]), t_new)
        error = layout.tableau.combine_errors(squares, self._n)
        accepted = error < 1.0  # False for NaN, for which the factor is the smallest
        factor = layout.tableau.controller.factor(error, self._retry)
        self._h, self._retry = h * factor, ~accepted
        problem.solution.steps[rows] += accepted
        problem.solution.rejected[rows] += ~accepted
        stuck = ~accepted & (self._h < smallest_step(t))
        if stuck.any():
            draw = int(np.argmax(stuck))
            finite = np.isfinite(self._f[draw]).all() and np.isfinite(error[draw])
            raise self._failure(draw, *(_TOO_SMALL if finite else _NOT_FINITE))

        crossing = np.flatnonzero(accepted & (problem.times[self._written] <= t_new))
        if crossing.size > 0:
            self._write(crossing, h, t_new, f_new)
        if self._alone:
            if accepted[0]:
                self._t = t_new
                if layout.flips:
                    self._use(self._used[::-1])
                else:
                    y[:], self._f[:] = x_new, f_new
            return
        again = np.flatnonzero(self._retry)
        x_new[again], f_new[again], t_new[again] = y[again], self._f[again], t[again]
        y[:] = x_new
        self._t, self._f, self._f_new = t_new, f_new, self._f

    def _take_stages(self, h: Array, t_new: Array) -> Array:
        """Write the new states and their slopes; return the squares of the estimated errors, (E, A)."""
        problem, layout, rows, slots, t = self._problem, self._layout, self._rows, self._slots, self._t
        _, *errors, x, scale = self._buffers
        x_new, f_new = self._x_new, self._f_new
        same = float(h[0]) if self._alone else 1.0
        steps: Any = same
        if not self._alone:
            steps = scale  # each h as a whole row: no product of the stages has to broadcast it
            steps[:] = h[:, None]
            np.multiply(self._f, steps, out=slots[layout.slot[0]])
        for slot, c, argument in layout.steps:
            argument.into(slots, x, same)
            self._evaluate(t + c * h, x, slots[slot], rows)
            if not self._alone:
                np.multiply(slots[slot], steps, out=slots[slot])
        if self._alone:
            layout.new.into(slots, x_new, same)
            layout.errors.into(slots, self._buffers[1 : 1 + len(errors)], same)
        else:
            layout.step.into(slots, self._buffers[: 1 + len(errors)], same)
        self._evaluate(t_new, x_new, f_new, rows)
        for weight, error in zip(layout.last.tolist(), errors, strict=True):
            if weight:
                error += np.multiply(f_new, weight * steps, out=x)
        np.abs(slots[layout.state], out=scale)
        np.maximum(scale, np.abs(x_new, out=x), out=scale)
        np.multiply(scale, problem.rtol, out=scale)
        np.add(scale, problem.atol, out=scale)
        return np.stack([_squares(error, scale) for error in errors])

    def _take_fused(self, h: float, t_new: Array) -> Array:
        """Do what `_take_stages` does, of one row, by the compiled step."""
        problem, stages = self._problem, self._layout.tableau.stages
        assert problem.fused is not None
        slots = self._used[:, 0]
        due = bool(problem.times[self._written[0]] <= t_new[0])
        squares = problem.fused(slots, h, rtol=problem.rtol, atol=float(problem.atol[0]), keep=due)
        self.evaluations += stages
        self.row_evaluations += stages
        return np.array([[squares]])

    def _write(self, crossing: IndexArray, h: Array, t_new: Array, f_new: Array) -> None:
        """Interpolate the draws of `crossing` at the output times that their step to t_new has passed."""
        times, states = self._problem.times, self._problem.solution.states
        draws, t, h, t_new = self._draws[crossing], self._t[crossing], h[crossing], t_new[crossing]
        layout, rows, column = self._layout, _rows(draws), h[:, None]
        same = float(h[0]) if self._alone else 1.0
        slots = self._slots if self._alone else np.take(self._slots, crossing, axis=1)
        if not self._alone:
            np.multiply(f_new[crossing], column, out=slots[layout.slot[layout.tableau.stages]])
        x = np.empty(slots.shape[1:])
        for slot, c, argument in layout.extra:
            argument.into(slots, x, same)
            self._evaluate(t + c * h, x, slots[slot], rows)
            if not self._alone:
                np.multiply(slots[slot], column, out=slots[slot])

        first, last = self._written[crossing], np.searchsorted(times, t_new, side="right")
        ends = np.cumsum(last - first)
        owner = np.repeat(np.arange(draws.size), last - first)
        index = np.arange(owner.size) + (last - ends)[owner]
        basis = layout.tableau.basis((times[index] - t[owner]) / h[owner])
        if self._alone:
            sums = layout.dense._replace(state=basis @ layout.dense.state, slopes=basis @ layout.dense.slopes)
            sums.into(slots, states[0, first[0] : last[0]], same)
        else:
            dense = np.empty((basis.shape[1], *slots.shape[1:]))
            layout.dense.into(slots, dense, same)
            for row, (draw, i, j, end) in enumerate(zip(draws, first, last, ends, strict=True)):
                np.matmul(basis[end - (j - i) : end], dense[:, row], out=states[draw, i:j])
        self._written[crossing] = last

    def _failure(self, row: int, found: str, fix: str) -> AccuracyError:
        where = f"draw {self._draws[row]} stops at t = {self._t[row]:.6g} of {self._end:.6g}"
        return AccuracyError(f"{where}: {found}; {fix}")


def _squares(error: Array, scale: Array) -> Array:
    """Return the sum of squares of error / scale by row; overwrites `error`."""
    np.divide(error, scale, out=error)
    return np.asarray(np.vecdot(error, error))


_NOT_FINITE: Final = ("its derivative is not finite there", "bound the right-hand side, or end before this time")
_TOO_SMALL: Final = (
    "its step fell below 10 roundings of t",
    "raise rtol or atol, or begin a new integration where the right-hand side jumps",
)
