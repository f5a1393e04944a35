"""Delay equations by the method of steps: DOP853 with error control over its own dense output.

The method of Bellen and Zennaro, "Numerical Methods for Delay Differential Equations" (2003), chapters 3 and 4: every
step ends at the breaks of the solution (`breakpoints`), so that it is smooth within a step, and what the delays look at
is the dense output of the steps before. Where a delay is shorter than a step, the step looks at its own dense output
and is repeated until that no longer changes: no delay, however short, limits the steps of a smooth solution. A neutral
equation is never smooth for longer than its delay, so there it does.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, Final

import numpy as np

from ..values.arrays import Array, freeze, positive
from ..values.errors import AccuracyError, InputError
from .breakpoints import Break, Lag, Segments, Tau, find_segments
from .collocation import Tolerance, gauss, solve_row
from .controller import guess_step, smallest_step
from .delay_solution import POINTS, Equation, Solution
from .tableau import EIGHTH as TABLEAU
from .watch import Watch

# A step that looks at itself is repeated until two dense outputs agree to this part of the tolerance. Each costs as
# much as a step, so a step of up to so many delays is rather cut to one.
_AGREED, _REPEATS, _WORTH = 0.01, 12, 4.0
MAX_STEPS = 200_000
# So many segments at least are taken in a row (inputs of many points make many short ones), by elements of so many
# nodes, whose polynomials are those of the dense output.
_ROW, _LONGEST_ROW, _FEW, _ROW_NODES = 8, 512, 12, 7
_TO_DENSE: Final = np.linalg.inv(TABLEAU.basis(np.concatenate([[0.0], gauss(_ROW_NODES)[0]])))


def integrate_delayed(
    rhs: Callable[[float, Array, Array], Array],
    lags: Sequence[Tau],
    history: Callable[[float], Any],
    t_span: tuple[float, float],
    *,
    rtol: float,
    atol: float | Array,
    breaks: Iterable[float] = (),
    max_step: float = np.inf,
) -> Solution:
    """Solve dx/dt = rhs(t, x, z), z[k] = x(t - tau_k(t)), x(t) = history(t) up to the start; z is (K, n).

    `lags`: seconds, positive numbers, Signals, or functions of t that are never negative (they may vanish). `breaks`:
    times at which the history is not smooth. The estimated error of a step, as the root mean square over the n
    components, is kept below atol + rtol |x|. `solution.state(times)` is (P, n).

    Raises InputError for lags that are not positive or look into the future, AccuracyError where it cannot go on.
    """
    if not isinstance(lags, Sequence | np.ndarray) or not len(lags):
        raise InputError(f"`lags` = {lags!r:.60}: must list one delay or more; without any, use scipy's `solve_ivp`")
    for name, value in (("rhs", rhs), ("history", history)):
        if not callable(value):
            raise InputError(f"`{name}` = {value!r:.60}: must be a function, of time first")
    span = _span(t_span)
    start = np.atleast_1d(freeze(history(span[0]), "history"))
    equation = _States(rhs, tuple(Lag(tau=tau) for tau in lags), history, start.size)
    kinks = [Break(1, t, k) for t in breaks for k in range(len(lags))]
    return integrate(equation, start, span, rtol=rtol, atol=atol, breaks=kinks, max_step=max_step)


class _States:
    """The equation of `integrate_delayed`: what drives each delay is the state."""

    def __init__(self, rhs: Any, lags: tuple[Lag, ...], history: Any, size: int) -> None:
        self._rhs, self._history, self._size, self.lags = rhs, history, size, lags
        self.parts = [np.arange(k * size, (k + 1) * size) for k in range(len(lags))]
        self.direct = np.zeros((len(lags), len(lags)), dtype=bool)

    def rhs(self, t: float, x: Array, y: Array) -> Array:
        return np.asarray(self._rhs(t, x, y.reshape(-1, self._size)), dtype=np.float64)

    def slopes(self, t: Array, x: Array, y: Array) -> Array:
        return np.stack([self.rhs(*one) for one in zip(t.tolist(), x, y, strict=True)])

    def signals(self, t: Array, x: Array, y: Array) -> Array:
        return np.tile(x, len(self.lags))

    def history(self, delay: int, t: Array) -> Array:
        return np.array([np.atleast_1d(self._history(at)) for at in t.tolist()], dtype=np.float64)


def integrate(
    equation: Equation,
    initial: Array,
    t_span: tuple[float, float],
    *,
    rtol: float,
    atol: float | Array,
    breaks: Iterable[Break] = (),
    edges: Iterable[float] = (),
    max_step: float = np.inf,
    watch: Watch | None = None,
) -> Solution:
    """Solve an Equation from x = initial; see `integrate_delayed`. `breaks` and `edges`: as of `find_segments`."""
    part = float(positive(rtol, "rtol", shape=(), unit=""))
    if part >= 1.0:
        raise InputError(f"`rtol` = {part}: must be below 1")
    least = positive(atol, "atol", shape=np.shape(atol), unit="")
    longest = float(positive(max_step, "max_step", shape=(), unit="s", allow_inf=True))
    segments = find_segments(equation.lags, *_span(t_span), direct=equation.direct, breaks=breaks, edges=edges)
    return _Solver(equation, segments, initial, part, least, longest, watch).run()


def _span(t_span: tuple[float, float]) -> tuple[float, float]:
    begin, end = freeze(t_span, "t_span", shape=(2,)).tolist()
    if not begin < end:
        raise InputError(f"`t_span` = {begin, end}: must end after it begins")
    return begin, end


class _Solver:
    """One run: the state at the end of the accepted steps, and the step to try next."""

    def __init__(
        self,
        equation: Equation,
        segments: Segments,
        initial: Array,
        rtol: float,
        atol: Array,
        longest: float,
        watch: Watch | None,
    ) -> None:
        self._equation, self._segments, self._watch = equation, segments, watch
        self._rtol, self._atol, self._longest = rtol, atol, longest
        self._solution = Solution(equation, segments, initial.size)
        self._t, self._x = float(segments.edges[0]), np.array(initial)
        self._stages = np.empty((len(TABLEAU.times), initial.size))
        self._segment, self._tried, self._most = 0, 0, _LONGEST_ROW

    def run(self) -> Solution:
        """Step from edge to edge: the derivative may jump there, so it is evaluated anew."""
        with np.errstate(over="ignore", invalid="ignore"):  # a trial step may overflow; it fails its error test
            h, resting = np.inf, np.zeros((8, self._x.size))
            resting[0] = self._x
            self._solution.propose(self._t, 1.0, resting)  # for a delay that is zero at the start
            edges = self._segments.edges
            while (segment := self._segment) < edges.size - 1:
                taken = self._row(segment)
                if taken:
                    self._segment += taken
                    continue
                given = self._solution.evaluate(np.array([self._t]), segment)[0]
                f = self._equation.rhs(self._t, self._x, given)
                h = self._first(f) if not self._solution.steps else h
                while self._t < edges[segment + 1]:
                    h, f = self._step(h, f, float(edges[segment + 1]))
                self._segment += 1
        return self._solution

    def _row(self, segment: int) -> int:
        """Take a row of short segments at once, and return how many; 0 where they are few, or not smooth enough.

        It ends before a delay looks at it, so that all that delays give is known.
        """
        edges = self._segments.edges
        known = edges[segment + 1 : segment + 1 + self._most]
        latest = np.max([known - lag.at(known) for lag in self._equation.lags], axis=0)
        beyond = np.flatnonzero(
            (np.maximum.accumulate(latest) > self._t) | (np.diff(edges)[segment:][: known.size] > self._longest)
        )
        count = int(beyond[0]) if beyond.size else known.size
        if count < _ROW:
            return 0

        def slopes_at(times: Array) -> Callable[[Array], Array]:
            at = times[:, 0]
            given = self._solution.evaluate(at)

            def slopes(x: Array) -> Array:
                if self._watch is not None:
                    self._watch.look(self._t, self._x)
                return self._equation.slopes(at, x[:, 0], given)[:, np.newaxis]

            return slopes

        # Steps are limited for the sake of corners, over which coefficients do not fall on as they began to.
        power = 1.0 if np.isfinite(self._longest) else (_ROW_NODES + 2.0) / _ROW_NODES
        tolerance = Tolerance(self._rtol, self._atol, power)
        row = solve_row(slopes_at, self._x[np.newaxis], edges[segment : segment + count + 1], tolerance, _ROW_NODES)
        if row is None:
            self._most = max(count // 2, 1)
            return 0
        count = row.rough - 1 if row.rough else count
        starts = np.concatenate([self._x[np.newaxis], row.ends[:, 0]])
        for k in range(count):
            values = np.concatenate([starts[k][np.newaxis], row.states[k, :, 0]])
            self._solution.propose(
                float(edges[segment + k]), float(edges[segment + k + 1] - edges[segment + k]), _TO_DENSE @ values
            )
            self._segment = segment + k
            self._tail()
            self._solution.steps += 1
        self._segment = segment
        self._t, self._x = float(edges[segment + count]), starts[count]
        self._most = 2 * self._most if row.iterations < _FEW else self._most
        return count

    def _first(self, f: Array) -> float:
        """Return a first step (Hairer, Norsett, Wanner, section II.4)."""
        scale = self._atol + self._rtol * np.abs(self._x)
        state, slope = _rms(self._x / scale), _rms(f / scale)
        if not np.isfinite(slope):
            raise self._failure("its derivative is not finite", "bound the right-hand side")
        return float(guess_step(state, slope))

    def _step(self, h: float, f: Array, edge: float) -> tuple[float, Array]:
        """Try steps until one is accepted; return the next step to try, and the derivative at the new time."""
        t, solution, wanted, rejected = self._t, self._solution, h, False
        while True:
            h = min(self._unhurried(h), self._longest, edge - t)
            t_new = edge if t + h >= edge - 1e-3 * h else t + h
            whole = t_new - t
            if whole < smallest_step(t) or self._tried >= MAX_STEPS:
                why = f"its step fell to {whole:.3g} s" if self._tried < MAX_STEPS else f"{MAX_STEPS} steps are used up"
                raise self._failure(why, "ask for less accuracy, a shorter t_stop, or an equation that is not stiff")
            self._tried += 1
            if self._watch is not None:
                self._watch.look(t, self._x, len(self._stages))
            error, dense = self._attempt(t, whole, f)
            h = whole * float(TABLEAU.controller.factor(error, rejected))
            if error < 1.0:
                break
            solution.rejected += 1
            wanted, rejected = 0.0, True
        solution.steps += 1
        self._t, self._x = t_new, dense[0] + dense[1]
        return max(h, wanted), self._stages[TABLEAU.stages].copy()

    def _unhurried(self, h: float) -> float:
        """Return a step cut to the shortest delay where it is only some delays long."""
        now = np.array([self._t])
        shortest = min(float(lag.at(now)[0]) for lag in self._equation.lags)
        return shortest if shortest < h < _WORTH * shortest else h

    def _attempt(self, t: float, h: float, f: Array) -> tuple[float, Array]:
        """Return the estimated error of a step, 1 for the tolerance, and its dense output, proposed to the solution."""
        solution, stages = self._solution, self._stages
        dense = np.zeros((8, f.size))
        dense[0], dense[1] = self._x, h * f
        stages[0] = f
        for _ in range(_REPEATS):
            solution.looked_at_itself = False
            solution.propose(t, h, dense)
            tail = self._tail()
            times = t + TABLEAU.times * h
            given = solution.evaluate(times, self._segment)
            for s in range(1, len(times)):
                at = self._x + h * (TABLEAU.matrix[s, :s] @ stages[:s])
                stages[s] = self._equation.rhs(float(times[s]), at, given[s])
                if s == TABLEAU.stages:
                    error = max(self._error(at, h), tail)
                    if not error < 1.0 and not solution.looked_at_itself:
                        return error, dense
            before, dense = dense, np.vstack([self._x, h * (TABLEAU.interpolant @ stages)])
            scale = self._atol + self._rtol * np.abs(self._x)
            if not solution.looked_at_itself or float(np.max(np.abs(dense - before) / scale, initial=0.0)) < _AGREED:
                solution.propose(t, h, dense)
                return error, dense
        return np.inf, dense

    def _tail(self) -> float:
        """Return what is left out of what delays give, 1 for the tolerance: by the last coefficients of its fit."""
        if not self._solution._given.size:
            return 0.0
        tail = np.abs(self._solution.record(self._segment))
        size = np.abs(self._solution._given[self._solution.steps]).max()
        return float((np.max(tail) / (np.max(self._atol) + self._rtol * size)) ** (TABLEAU.order / (POINTS - 1.0)))

    def _error(self, x_new: Array, h: float) -> float:
        scale = self._atol + self._rtol * np.maximum(np.abs(self._x), np.abs(x_new))
        errors = h * (TABLEAU.errors @ self._stages[: TABLEAU.stages + 1]) / scale
        return float(TABLEAU.combine_errors(np.sum(errors**2, axis=1), x_new.size))

    def _failure(self, found: str, fix: str) -> AccuracyError:
        end = float(self._segments.edges[-1])
        return AccuracyError(f"reference: stopped at t = {self._t:.6g} of {end:.6g} s: {found}; {fix}")


def _rms(values: Array) -> float:
    return float(np.sqrt(np.mean(values**2))) if values.size else 0.0
