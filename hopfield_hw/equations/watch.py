"""A solution ends: by its time limit, and before that where it makes no headway; then it says what holds it up."""

from __future__ import annotations

import time

import numpy as np

from ..functions import Gain
from ..graph import Activate, Graph, Quantise
from ..values.arrays import Array, positive
from ..values.errors import AccuracyError, SimulatorTimeout

TIMEOUT = 600.0
# Headway is looked at after each of these times, seconds; none is made where what is left would take so many times as
# long as was allowed, twice in a row. Where curves jump it is looked at after so many right-hand sides too, and what is
# left may take so many times as many: a chattering solution takes ever shorter steps, and never comes to an end.
WINDOW, HOPELESS, IN_A_ROW = 10.0, 10.0, 2
BLOCK, BLOCKS = 25_000, 50.0
# States below this part of the largest one that was met count as 0 in what is said, and so many of them are shown.
ZERO, SHOWN = 0.05, 6


class Watch:
    """The time that a solution may take, and whether it gets on; looked at with each right-hand side.

    `timeout`: seconds of wall clock. `end`: where the solution ends, seconds. Graphs are asked for functions that jump.
    """

    def __init__(self, graph: Graph, timeout: float, end: float, *, what: str = "reference") -> None:
        self._timeout = float(positive(timeout, "timeout", shape=(), unit="s"))
        self._end, self._what = end, what
        curves = ((op.name, op.function) for op in graph.of_type(Activate))
        jumping = [name for name, curve in curves if isinstance(curve, Gain) and not curve.continuous]
        self.jumps = (*jumping, *(op.name for op in graph.of_type(Quantise)))
        self._begun = self._since = time.monotonic()
        self._at, self._slow, self._slow_from, self._reach = 0.0, 0, 0.0, 0.0
        self._count, self._counted_at, self._crawls = 0, 0.0, 0

    def look(self, t: float, x: Array, evaluations: int = 1) -> None:
        """Raise SimulatorTimeout where the time is up, and AccuracyError where there is no headway from t on."""
        now = time.monotonic()
        if now - self._begun > self._timeout:
            raise SimulatorTimeout(
                f"{self._what}: was at t = {t:.6g} of {self._end:.6g} s when its {self._timeout:g} s were used up; "
                "allow it more `timeout`, or ask for a shorter t_stop or less accuracy"
            )
        if t < self._at:  # another solution has begun
            self._at, self._since, self._slow = t, now, 0
            self._count, self._counted_at, self._crawls = 0, t, 0
        self._count += evaluations
        if self._reach == 0.0:
            self._reach = float(np.max(np.abs(x), initial=0.0))
        if self.jumps and self._count >= BLOCK:
            self._crawls = self._crawls + 1 if self._end - t > BLOCKS * (t - self._counted_at) else 0
            if self._crawls >= IN_A_ROW:
                self._stuck(self._counted_at, x)
            self._count, self._counted_at = 0, t
        if now - self._since >= WINDOW:
            pace = (t - self._at) / (now - self._since)
            slow = self._end - t > pace * HOPELESS * self._timeout
            if slow and not self._slow:
                self._slow_from = self._at
            self._slow = self._slow + 1 if slow else 0
            self._at, self._since = t, now
            if self._slow >= IN_A_ROW:
                self._stuck(self._slow_from, x)

    def _stuck(self, t: float, x: Array) -> None:
        """Raise AccuracyError: from t on the solution does not get on, with the states x."""
        states = np.ravel(x)
        reach = max(self._reach, float(np.max(np.abs(states), initial=0.0)))
        shown = ", ".join(f"{0.0 if abs(v) < ZERO * reach else v:.3g}" for v in states[:SHOWN].tolist())
        place = f"({shown}{', ...' if states.size > SHOWN else ''})"
        if self.jumps:
            raise AccuracyError(
                f"{self._what}: the states chatter about {place} from t = {t:.6g} of {self._end:.6g} s on, where "
                f"{', '.join(self.jumps)} jumps to and fro and no step gets on; give it a steep slope in place of the "
                "jump, as Tanh or PiecewiseLinear have one"
            )
        raise AccuracyError(
            f"{self._what}: makes no headway from t = {t:.6g} of {self._end:.6g} s on, about the states {place}: its "
            "steps are too short for it; end before this time, ask for less accuracy, or bring the time constants "
            "closer to each other"
        )
