"""Many independent trajectories of one size, integrated side by side, each with its own step size and error control.

The method is DOP853: the explicit Runge-Kutta pair of order 8(5, 3) of Dormand and Prince with its interpolant of
order 7 (Hairer, Norsett, Wanner, "Solving Ordinary Differential Equations I", 2nd ed., II.4 to II.6 and II.10).
Coefficients and step size control are those of `scipy.integrate.DOP853`, so a row takes the steps that `solve_ivp`
would take on it alone. What differs is the work per call: the rows of a chunk share every product and every call of
the right-hand side, and the chunk is small enough for its stages to stay in the cache.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from queue import SimpleQueue
from typing import Final, NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt
from scipy.integrate import DOP853
from threadpoolctl import threadpool_limits

from ..arrays import Array, frozen
from ..errors import AccuracyError, InputError

IndexArray: TypeAlias = npt.NDArray[np.intp]
Rows: TypeAlias = slice | IndexArray
RightHandSide: TypeAlias = Callable[[Array, Array, Rows, Array], None]
"""rhs(t: (A,), x: (A, n), rows, out: (A, n)): write dx/dt of the draws `rows` into `out`, and change nothing else.

`p[rows]` picks the rows of a per-draw parameter. `rows` is a slice where the draws are consecutive and an index array
elsewhere; the object for a chunk stays the same until a draw finishes, so what is gathered by it can be kept. Large
batches are shared between threads: `rhs` may be called from several at once, so it keeps no working storage.
"""


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
) -> BatchSolution:
    """Solve dx/dt = rhs(t, x) from each row of `initial` (B, n) at times[0]; return the states at `times` (m,).

    The estimated error of a step, as the root mean square over a row's n components, is kept below
    atol + rtol * |x| row by row; `atol` is a number or (n,). `max_steps` bounds the steps of a row, rejected ones
    included; no step is longer than `max_step`. A row's answer does not depend on the other rows beyond rounding: BLAS
    may order the sums of a product by the place of a row in its chunk.

    Raises InputError for unusable arguments, and AccuracyError, naming the draw and the time, where a trajectory
    cannot go on.
    """
    x0 = frozen(initial, "initial")
    if x0.ndim != 2 or x0.shape[1] == 0:
        raise InputError(f"`initial` has shape {x0.shape}: must be (draws, neurons) with at least one neuron")
    grid = frozen(times, "times")
    if grid.ndim != 1 or grid.size == 0 or (np.diff(grid) <= 0.0).any():
        raise InputError(f"`times` of shape {grid.shape}: must be one list of strictly increasing times")
    if not _MIN_RTOL <= rtol < 1.0:
        raise InputError(f"`rtol = {rtol}`: must be at least {_MIN_RTOL:.3g} (100 roundings) and below 1")
    tolerance = frozen(atol, "atol", shape=x0.shape[1:])
    if (tolerance <= 0.0).any():
        raise InputError(f"`atol = {tolerance.min()}`: must be positive")
    if not max_step > 0.0:
        raise InputError(f"`max_step = {max_step}`: must be positive")
    return _Batch(rhs, x0, grid, float(rtol), tolerance, max_step).run(max_steps)


# Step size control of scipy.integrate.DOP853.
_SAFETY: Final = 0.9
_MIN_FACTOR: Final = 0.2
_MAX_FACTOR: Final = 10.0
_EXPONENT: Final = -1.0 / (DOP853.error_estimator_order + 1)
_MIN_RTOL: Final = 100.0 * float(np.finfo(np.float64).eps)

# The stages of a chunk lie in slots, each as h * k: two stages that only the next few need, the state y, the others in
# their order. So the argument of a stage, y + sum_j a_j (h * k_j), is one vector-matrix product over a run of slots.
_STAGES: Final = DOP853.n_stages
_STATE: Final = 2
_SLOT: Final = np.array([3, 1, 0, *range(4, 17)])  # of stage 0, 1, 2, 3 to 15; 12 is f(y_new), 13 to 15 interpolate
_SLOTS: Final = 17
_CHUNK_BYTES: Final = 1 << 22  # of all slots of a chunk: a share of the last-level cache
_MIN_SHARED: Final = 1 << 14  # elements of a batch: fewer are not worth threads
_MIN_CHUNK: Final = 32  # rows: fewer leave the products of the right-hand side slow


class _Sum(NamedTuple):
    """A linear combination of the slots first, ..., last - 1."""

    first: int
    last: int
    weights: Array

    def into(self, slots: Array, out: Array) -> None:
        np.dot(self.weights, slots[self.first : self.last].reshape(self.weights.size, -1), out=out.reshape(-1))


def _sum(coefficients: Array, *, state: float) -> _Sum:
    weights = np.zeros(_SLOTS)
    weights[_STATE] = state
    weights[_SLOT[: coefficients.size]] = coefficients
    used = np.flatnonzero(weights)
    first, last = int(used[0]), int(used[-1]) + 1
    return _Sum(first, last, weights[first:last])


class _Stage(NamedTuple):
    slot: int
    time: float  # as a fraction of the step
    argument: _Sum


def _stages(first: int, matrix: Array, times: Array) -> tuple[_Stage, ...]:
    return tuple(
        _Stage(int(_SLOT[s]), float(c), _sum(row[:s], state=1.0))
        for s, (row, c) in enumerate(zip(matrix, times, strict=True), start=first)
    )


_STEP_STAGES: Final = _stages(1, DOP853.A[1:], DOP853.C[1:])
_EXTRA_STAGES: Final = _stages(_STAGES + 1, DOP853.A_EXTRA, DOP853.C_EXTRA)
_STEP: Final = _sum(DOP853.B, state=1.0)
_ERROR_5: Final = _sum(DOP853.E5, state=0.0)
_ERROR_3: Final = _sum(DOP853.E3, state=0.0)


def _interpolant() -> Array:
    """Return M (8, slots): x(t + s h) = sum_i b_i(s) (M hk)_i with b = `_basis(s)`."""
    stages = np.zeros((7, DOP853.D.shape[1]))
    stages[0, :_STAGES] = DOP853.B
    stages[1] = -stages[0]
    stages[1, 0] += 1.0
    stages[2] = 2.0 * stages[0]
    stages[2, [0, _STAGES]] -= 1.0
    stages[3:] = DOP853.D
    matrix = np.zeros((8, _SLOTS))
    matrix[0, _STATE] = 1.0
    matrix[1:, _SLOT] = stages
    return matrix


_INTERPOLANT: Final = _interpolant()


def _basis(s: Array) -> Array:
    """Return 1, s, s (1-s), s^2 (1-s), s^2 (1-s)^2, ... (P, 8) for s (P,)."""
    factors = np.ones((s.size, 8))
    factors[:, 1::2] = s[:, None]
    factors[:, 2::2] = 1.0 - s[:, None]
    return np.asarray(np.cumprod(factors, axis=1))


class _Chunk(NamedTuple):
    """Draws that step together: as the right-hand side sees them, and their indices."""

    rows: Rows
    draws: IndexArray


class _Storage:
    """Working storage for one chunk at a time, and how often it evaluated: [calls, rows]."""

    def __init__(self, elements: int) -> None:
        self.slots = np.empty(_SLOTS * elements)
        self.buffers = np.empty((4, elements))
        self.evaluated = [0, 0]


class _Batch:
    """The state of all trajectories."""

    def __init__(
        self, rhs: RightHandSide, initial: Array, times: Array, rtol: float, atol: Array, longest: float
    ) -> None:
        self._rhs, self._times, self._rtol, self._atol, self._longest = rhs, times, rtol, atol, longest
        batch, n = initial.shape
        self._t = np.full(batch, times[0])
        self._h = np.empty(batch)
        self._x = initial.copy()
        self._f = np.empty_like(initial)
        self._retry = np.zeros(batch, dtype=np.bool_)
        self._steps = np.zeros(batch, dtype=np.intp)
        self._rejected = np.zeros(batch, dtype=np.intp)
        self._states = np.empty((batch, times.size, n))
        self._states[:, 0] = initial
        self._written = np.ones(batch, dtype=np.intp)
        self._chunk_rows = min(max(_MIN_CHUNK, _CHUNK_BYTES // (8 * _SLOTS * n)), max(batch, 1))
        self._workers = min(os.cpu_count() or 1, batch // _MIN_CHUNK) if batch * n >= _MIN_SHARED else 1
        self._storage: SimpleQueue[_Storage] = SimpleQueue()
        self._counts = [_Storage(self._chunk_rows * n) for _ in range(max(self._workers, 1))]
        for storage in self._counts:
            self._storage.put(storage)

    def run(self, max_steps: int) -> BatchSolution:
        if self._workers <= 1:
            self._sweep(max_steps, lambda work, chunks: list(map(work, chunks)))
        else:
            # One thread of chunks a core is faster than one product spread over the cores: NumPy lets go of the
            # interpreter in both, but tanh and the sums between the products run on one core each.
            with threadpool_limits(limits=1, user_api="blas"), ThreadPoolExecutor(self._workers) as pool:
                self._sweep(max_steps, lambda work, chunks: list(pool.map(work, chunks)))
        calls, rows = (sum(count) for count in zip(*(s.evaluated for s in self._counts), strict=True))
        return BatchSolution(self._states, calls, rows, self._steps, self._rejected)

    def _sweep(self, max_steps: int, each: Callable[[Callable[[_Chunk], None], list[_Chunk]], object]) -> None:
        end = self._times[-1]
        active = np.flatnonzero(self._t < end)
        chunks = self._chunks(active)
        each(self._start, chunks)
        for _ in range(max_steps):
            if active.size == 0:
                return
            each(self._attempt, chunks)
            unfinished = self._t[active] < end
            if not unfinished.all():
                active = active[unfinished]
                chunks = self._chunks(active)
        if active.size > 0:
            raise self._failure(int(active[0]), f"max_steps = {max_steps} steps are used up", "raise max_steps")

    def _start(self, chunk: _Chunk) -> None:
        with self._borrowed() as storage:
            self._first_step(chunk, storage)

    def _attempt(self, chunk: _Chunk) -> None:
        with self._borrowed() as storage:
            self._try_step(chunk, storage)

    @contextmanager
    def _borrowed(self) -> Iterator[_Storage]:
        """Lend working storage to one chunk. Trial steps may overflow where the solution does not: they fail the
        error test and are retried, smaller."""
        storage = self._storage.get()
        try:
            with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
                yield storage
        finally:
            self._storage.put(storage)

    def _chunks(self, active: IndexArray) -> list[_Chunk]:
        if active.size == 0:
            return []
        count = -(-active.size // self._chunk_rows)
        count = min(-(-count // self._workers) * self._workers, active.size) if self._workers > 1 else count
        parts = np.array_split(active, count)
        return [
            _Chunk(slice(int(part[0]), int(part[-1]) + 1) if part[-1] - part[0] < part.size else part, part)
            for part in parts
        ]

    def _evaluate(self, t: Array, x: Array, rows: Rows, out: Array, storage: _Storage) -> None:
        self._rhs(t, x, rows, out)
        storage.evaluated[0] += 1
        storage.evaluated[1] += t.size

    def _norm(self, error: Array, scale: Array) -> Array:
        """Return the sum of squares of error / scale by row; overwrites `error`."""
        np.divide(error, scale, out=error)
        return np.asarray(np.einsum("ij,ij->i", error, error))

    def _first_step(self, chunk: _Chunk, storage: _Storage) -> None:
        """Evaluate the first derivative and choose the first step (Hairer et al., section II.4)."""
        rows, draws = chunk
        t, x, span = self._t[rows], self._x[rows], float(self._times[-1] - self._times[0])
        slope, probe = np.empty_like(x), np.empty_like(x)
        self._evaluate(t, np.array(x), rows, slope, storage)
        finite = np.isfinite(slope).all(axis=1)
        if not finite.all():
            raise self._failure(int(draws[~finite][0]), *_NOT_FINITE)
        scale = self._atol + np.abs(x) * self._rtol
        n = x.shape[1]
        d0 = np.sqrt(self._norm(x.copy(), scale) / n)
        d1 = np.sqrt(self._norm(slope.copy(), scale) / n)
        h = np.where((d0 < 1e-5) | (d1 < 1e-5), 1e-6, 0.01 * d0 / d1)
        h = np.minimum(h, span)
        self._evaluate(t + h, x + h[:, None] * slope, rows, probe, storage)
        d2 = np.sqrt(self._norm(probe - slope, scale) / n) / h
        steepest = np.fmax(d1, d2)
        h1 = np.where(steepest <= 1e-15, np.maximum(1e-6, h * 1e-3), (0.01 / steepest) ** -_EXPONENT)
        self._f[rows] = slope
        self._h[rows] = np.minimum(np.minimum(100.0 * h, h1), span)

    def _try_step(self, chunk: _Chunk, storage: _Storage) -> None:
        """Try one step of every draw of a chunk: accept it, or leave a smaller step for the next time."""
        rows, draws = chunk
        size, n = draws.size, self._x.shape[1]
        slots = storage.slots[: _SLOTS * size * n].reshape(_SLOTS, size, n)
        x, x_new, f_new, scale = storage.buffers[:, : size * n].reshape(4, size, n)
        t = self._t[rows]
        h = np.maximum(np.minimum(self._h[rows], self._longest), _smallest_step(t))
        t_new = np.minimum(t + h, self._times[-1])
        h = t_new - t
        column = h[:, None]

        slots[_STATE] = self._x[rows]
        np.multiply(self._f[rows], column, out=slots[_SLOT[0]])
        for slot, c, argument in _STEP_STAGES:
            argument.into(slots, x)
            k = slots[slot]
            self._evaluate(t + c * h, x, rows, k, storage)
            np.multiply(k, column, out=k)
        _STEP.into(slots, x_new)
        self._evaluate(t_new, x_new, rows, f_new, storage)

        np.abs(slots[_STATE], out=scale)
        np.maximum(scale, np.abs(x_new, out=x), out=scale)
        np.multiply(scale, self._rtol, out=scale)
        np.add(scale, self._atol, out=scale)
        _ERROR_5.into(slots, x)
        fifth = self._norm(x, scale)
        _ERROR_3.into(slots, x)
        size_of_error = np.sqrt((fifth + 0.01 * self._norm(x, scale)) * n)
        error = np.divide(fifth, size_of_error, out=np.zeros(size), where=size_of_error != 0.0)

        accepted = error < 1.0  # False for NaN, for which fmax then gives the smallest factor
        factor = np.fmin(np.fmax(_SAFETY * error**_EXPONENT, _MIN_FACTOR), _MAX_FACTOR)
        factor[self._retry[rows] & (factor > 1.0)] = 1.0
        h_next = h * factor
        self._h[rows] = h_next
        self._retry[rows] = ~accepted
        self._steps[rows] += accepted
        self._rejected[rows] += ~accepted
        stuck = ~accepted & (h_next < _smallest_step(t))
        if stuck.any():
            draw = int(draws[stuck][0])
            finite = np.isfinite(self._f[draw]).all() and np.isfinite(error[stuck][0])
            raise self._failure(draw, *(_TOO_SMALL if finite else _NOT_FINITE))

        crossing = np.flatnonzero(accepted & (self._times[self._written[rows]] <= t_new))
        if crossing.size == size:
            self._write(chunk, t, t_new, slots, f_new, storage)
        elif crossing.size > 0:
            some = _Chunk(draws[crossing], draws[crossing])
            spare = np.take(slots, crossing, axis=1)
            self._write(some, t[crossing], t_new[crossing], spare, f_new[crossing], storage)
        done = slice(None) if accepted.all() else accepted
        taken = rows if accepted.all() else draws[accepted]
        self._t[taken] = t_new[done]
        self._x[taken] = x_new[done]
        self._f[taken] = f_new[done]

    def _write(self, chunk: _Chunk, t: Array, t_new: Array, slots: Array, f_new: Array, storage: _Storage) -> None:
        """Interpolate draws at the output times that their step from t to t_new has passed; overwrites spare slots."""
        rows, draws = chunk
        h = t_new - t
        column = h[:, None]
        np.multiply(f_new, column, out=slots[_SLOT[_STAGES]])
        x = np.empty_like(f_new)
        for slot, c, argument in _EXTRA_STAGES:
            argument.into(slots, x)
            self._evaluate(t + c * h, x, rows, slots[slot], storage)
            np.multiply(slots[slot], column, out=slots[slot])
        coefficients = np.tensordot(_INTERPOLANT, slots, axes=1)  # (8, A, n)

        first, last = self._written[draws], np.searchsorted(self._times, t_new, side="right")
        ends = np.cumsum(last - first)
        owner = np.repeat(np.arange(draws.size), last - first)
        index = np.arange(owner.size) + (last - ends)[owner]
        basis = _basis((self._times[index] - t[owner]) / h[owner])
        begin = 0
        for row, (draw, i, j, end) in enumerate(zip(draws, first, last, ends, strict=True)):
            np.matmul(basis[begin:end], coefficients[:, row], out=self._states[draw, i:j])
            begin = end
        self._written[draws] = last

    def _failure(self, draw: int, found: str, fix: str) -> AccuracyError:
        return AccuracyError(f"draw {draw} stops at t = {self._t[draw]:.6g} of {self._times[-1]:.6g}: {found}; {fix}")


_NOT_FINITE: Final = ("its derivative is not finite there", "bound the right-hand side, or end before this time")
_TOO_SMALL: Final = (
    "its step fell below 10 roundings of t",
    "raise rtol or atol, or begin a new integration where the right-hand side jumps",
)


def _smallest_step(t: Array) -> Array:
    return 10.0 * (np.nextafter(t, np.inf) - t)
