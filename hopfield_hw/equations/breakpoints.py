"""Where the solution of a delay equation is not smooth, and which piece of the past each delay then looks at."""

from __future__ import annotations

import heapq
from bisect import bisect_left, insort
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt

from ..values.arrays import Array, positive
from ..values.errors import AccuracyError, InputError
from ..values.signals import Signal

Tau: TypeAlias = float | Signal | Callable[[float], float]

# A derivative of this order may jump between two steps: those of lower order may not, nor the value (order 0).
SMOOTH = 8
# Kinks are left to the error control of the steps once so many breaks have been followed; jumps are too many there.
MOST_KINKS, MOST_JUMPS = 500, 50_000
# Two points closer than this part of the span are one.
SAME = 1e-12
# Where a lag is a Python function, crossings are looked for between so many times.
LOOKS = 2001


@dataclass(frozen=True, kw_only=True, eq=False)
class Lag:
    """tau(t), seconds: a positive number, a Signal of one element, or a function of time that is never negative."""

    tau: Tau

    def __post_init__(self) -> None:
        if isinstance(self.tau, Signal):
            if self.tau.size != 1 or bool(np.any(self.tau.values < 0.0)):
                raise InputError("`lags`: a Signal must have one element, never negative")
        elif not callable(self.tau):
            object.__setattr__(self, "tau", float(positive(self.tau, "lags", shape=(), unit="s")))

    def at(self, times: Array) -> Array:
        """Return tau at each time."""
        if isinstance(self.tau, Signal):
            return np.interp(times, self.tau.times, self.tau.values[:, 0])
        if callable(self.tau):
            found = np.array([self.tau(t) for t in times.tolist()])
            if bool(np.any(found < 0.0)):
                k = int(np.argmin(found))
                raise InputError(f"`lags`: tau({times[k]:.6g}) = {found[k]:.6g}: must not look into the future")
            return found
        return np.full(times.shape, self.tau)

    def nodes(self, start: float, end: float) -> Array:
        """Return times from start to end between which tau is straight; close ones where it is a Python function."""
        if callable(self.tau):
            return np.linspace(start, end, LOOKS)
        corners = self.tau.times if isinstance(self.tau, Signal) else np.zeros(0)
        return np.concatenate([[start], corners[(corners > start) & (corners < end)], [end]])

    def crossings(self, point: float, start: float, end: float) -> list[float]:
        """Return the times in (start, end] at which t - tau(t) passes a point."""
        if isinstance(self.tau, float):
            return [point + self.tau] if start < point + self.tau <= end else []
        nodes = self.nodes(start, end)
        above = nodes - self.at(nodes) - point
        left = np.flatnonzero(np.sign(above[:-1]) * np.sign(above[1:]) <= 0.0)
        return [self._crossing(point, nodes[k : k + 2], above[k : k + 2]) for k in left.tolist() if above[k + 1] != 0.0]

    def _crossing(self, point: float, nodes: Array, above: Array) -> float:
        if callable(self.tau) and above[0] != 0.0:
            from scipy.optimize import brentq

            tau = self.tau
            found = brentq(lambda t: t - tau(t) - point, nodes[0], nodes[1], xtol=1e-15, rtol=1e-15)
            return float(found)
        return float(nodes[0] - above[0] * (nodes[1] - nodes[0]) / (above[1] - above[0]))


class Break(NamedTuple):
    """The signal that drives a delay is not smooth at a time: its derivative of an order jumps (0: its value)."""

    order: int
    time: float
    delay: int


class Segments(NamedTuple):
    """`edges`: (S + 1,) times between which all is smooth, from the start to the end.

    `low`, `high`: (S, K), the jumps of what drives delay k around the times that it looks at from segment s; `low` is
    -inf where these lie in the history.
    """

    edges: Array
    low: Array
    high: Array

    def of(self, times: Array) -> npt.NDArray[np.intp]:
        """Return the segment of each time; a time between two, to rounding, belongs to the later one."""
        rounding = SAME * float(np.max(np.abs(self.edges)))
        found = np.searchsorted(self.edges, times + rounding, side="right") - 1
        return np.clip(found, 0, self.edges.size - 2)


def find_segments(
    lags: Sequence[Lag],
    start: float,
    end: float,
    *,
    direct: npt.NDArray[np.bool_],
    breaks: Iterable[Break] = (),
    edges: Iterable[float] = (),
) -> Segments:
    """Follow the breaks from the start through the delays: tau later, and one order smoother by an integral.

    `direct[e, k]`: whether what drives delay e depends on what delay k gives without an integral between (a neutral
    equation, or delays in a row): a break keeps its order there. `breaks`: those of histories and inputs; at `start`
    everything jumps. `edges`: times besides at which a step has to end.

    Raises AccuracyError where the jumps are too many to follow.
    """
    same = SAME * max(end - start, abs(end), abs(start))
    known: list[float] = []

    def canonical(time: float) -> float:
        k = bisect_left(known, time - same)
        if k < len(known) and known[k] <= time + same:
            return known[k]
        insort(known, time)
        return time

    found = {canonical(start), canonical(end), *(canonical(t) for t in edges if start < t < end)}
    pending = [Break(0, canonical(start), k) for k in range(len(lags))]
    pending += [b._replace(time=canonical(b.time)) for b in breaks]
    for k, lag in enumerate(lags):
        corners = [] if callable(lag.tau) else [canonical(t) for t in lag.nodes(start, end)[1:-1].tolist()]
        found.update(corners)
        pending += [Break(1 if direct[e, k] else 2, t, e) for t in corners for e in range(len(lags))]
    heapq.heapify(pending)
    jumps: list[set[float]] = [set() for _ in lags]
    done: set[tuple[int, float]] = set()
    while pending:
        order, time, delay = heapq.heappop(pending)
        if (delay, time) in done or order >= SMOOTH or (order > 0 and len(done) > MOST_KINKS):
            continue
        done.add((delay, time))
        if order == 0:
            jumps[delay].add(time)
        if order == 0 and len(done) > MOST_JUMPS:
            raise AccuracyError(
                f"reference: more than {MOST_JUMPS} jumps before t = {end:.6g} s; a neutral equation with short delays "
                "never grows smooth: end earlier, or take longer delays"
            )
        for at in lags[delay].crossings(time, start, end):
            then = canonical(at)
            found.add(then)
            for e in range(len(lags)):
                heapq.heappush(pending, Break(order if direct[e, delay] else order + 1, then, e))
    return _windows(lags, np.array(sorted(t for t in found if start <= t <= end)), jumps)


def _windows(lags: Sequence[Lag], edges: Array, jumps: Sequence[set[float]]) -> Segments:
    middle = 0.5 * (edges[:-1] + edges[1:])
    low, high = np.empty((middle.size, len(lags))), np.empty((middle.size, len(lags)))
    for k, (lag, at) in enumerate(zip(lags, jumps, strict=True)):
        bounds = np.array([-np.inf, *sorted(at), np.inf])
        after = np.searchsorted(bounds, middle - lag.at(middle), side="right")
        low[:, k], high[:, k] = bounds[after - 1], bounds[after]
    return Segments(edges, low, high)
