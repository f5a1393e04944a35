"""Schedules: how a gain, a noise or another coefficient changes over an anneal, in the equation and in a circuit."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..values.arrays import Array, freeze, is_whole, positive, whole
from ..values.brief import Brief
from ..values.errors import InputError
from ..values.signals import Signal

EDGE = 1e-3  # of a tooth: how long a circuit takes back to its start
CURVE_POINTS = 129  # of a curve drawn by straight lines: at most 1e-4 of its range beside it for powers of 1/2 and more
MOST_TEETH = 1_000_000


@dataclass(frozen=True, kw_only=True, eq=False)
class Schedule(Brief, ABC):
    """A coefficient over normalised time u, from 0 (the start of a run) to 1 (its end)."""

    @abstractmethod
    def at(self, u: Array) -> Array:
        """Return the values at normalised times, of any shape, each from 0 to 1."""

    @abstractmethod
    def knots(self) -> Array:
        """Return increasing normalised times from 0 to 1; between two of them the value is (nearly) straight."""

    def values(self, n: int) -> Array:
        """Return the values at n equidistant times from the start to the end, u = k / (n - 1)."""
        return self.at(np.linspace(0.0, 1.0, whole(n, "n", 1, 2**31)))

    def points(self, t_stop: float) -> tuple[Array, Array]:
        """Return (times, values), (k,) each: the points of a piecewise-linear source over t_stop."""
        u = self.knots()
        return u * float(positive(t_stop, "t_stop", shape=(), unit="")), self.at(u)

    def signal(self, t_stop: float) -> Signal:
        """Return the schedule over t_stop as a signal of one element, which every machine follows."""
        times, values = self.points(t_stop)
        return Signal(times=times, values=values)

    def _number(self, name: str) -> None:
        object.__setattr__(self, name, _number(getattr(self, name), f"{type(self).__name__}.{name}"))


@dataclass(frozen=True, kw_only=True, eq=False)
class Constant(Schedule):
    """v(u) = value."""

    value: float

    def __post_init__(self) -> None:
        self._number("value")

    def at(self, u: Array) -> Array:
        return np.full(np.shape(u), self.value)

    def knots(self) -> Array:
        return np.array([0.0, 1.0])


@dataclass(frozen=True, kw_only=True, eq=False)
class Power(Schedule):
    """v(u) = stop + (start - stop) (1 - u)^exponent; an exponent of 1/2 falls as the square root of the time left.

    Raises InputError for an exponent that is not positive.
    """

    start: float
    stop: float
    exponent: float = 1.0

    def __post_init__(self) -> None:
        self._number("start")
        self._number("stop")
        exponent = float(positive(self.exponent, f"{type(self).__name__}.exponent", shape=(), unit=""))
        object.__setattr__(self, "exponent", exponent)

    def at(self, u: Array) -> Array:
        return self.stop + (self.start - self.stop) * (1.0 - np.asarray(u)) ** self.exponent

    def knots(self) -> Array:
        if self.exponent == 1.0:
            return np.array([0.0, 1.0])
        return 1.0 - np.linspace(1.0, 0.0, CURVE_POINTS) ** 2  # dense at the end, where a root is steep


@dataclass(frozen=True, kw_only=True, eq=False)
class Linear(Schedule):
    """v(u) = start + (stop - start) u."""

    start: float
    stop: float

    def __post_init__(self) -> None:
        self._number("start")
        self._number("stop")

    def at(self, u: Array) -> Array:
        return self.start + (self.stop - self.start) * np.asarray(u)

    def knots(self) -> Array:
        return np.array([0.0, 1.0])


@dataclass(frozen=True, kw_only=True, eq=False)
class Geometric(Schedule):
    """v(u) = start (stop / start)^u; both ends positive."""

    start: float
    stop: float

    def __post_init__(self) -> None:
        for name in ("start", "stop"):
            value = float(positive(getattr(self, name), f"Geometric.{name}", shape=(), unit=""))
            object.__setattr__(self, name, value)

    def at(self, u: Array) -> Array:
        return np.asarray(self.start * (self.stop / self.start) ** np.asarray(u))

    def knots(self) -> Array:
        return np.linspace(0.0, 1.0, CURVE_POINTS)


@dataclass(frozen=True, kw_only=True, eq=False)
class Tabulated(Schedule):
    """Straight lines between (times, values); `times`: (k,), increasing from 0 to 1. Raises InputError for others."""

    times: Array
    table: Array

    def __post_init__(self) -> None:
        times = freeze(self.times, "Tabulated.times")
        if times.ndim != 1 or times.size < 2 or times[0] != 0.0 or times[-1] != 1.0 or np.any(np.diff(times) <= 0.0):
            raise InputError(
                f"`Tabulated.times` = {times.tolist()!r:.60}: must be one row that increases from 0 to 1; divide by "
                "the last time"
            )
        object.__setattr__(self, "times", times)
        object.__setattr__(self, "table", freeze(self.table, "Tabulated.table", shape=times.shape))

    def at(self, u: Array) -> Array:
        return np.asarray(np.interp(u, self.times, self.table))

    def knots(self) -> Array:
        return self.times


@dataclass(frozen=True, kw_only=True, eq=False)
class Sawtooth(Schedule):
    """Re-annealing: `tooth` run `teeth` times, v(u) = tooth(teeth u - k) in the k-th part.

    A circuit goes back to the start of a tooth within the first EDGE of it.
    """

    tooth: Schedule
    teeth: int

    def __post_init__(self) -> None:
        object.__setattr__(self, "tooth", as_schedule(self.tooth, "Sawtooth.tooth"))
        object.__setattr__(self, "teeth", whole(self.teeth, "Sawtooth.teeth", 1, MOST_TEETH))

    def at(self, u: Array) -> Array:
        place = np.asarray(u) * self.teeth
        part = np.minimum(np.floor(place), self.teeth - 1)
        return self.tooth.at(np.clip(place - part, 0.0, 1.0))

    def knots(self) -> Array:
        return self.points(1.0)[0]

    def points(self, t_stop: float) -> tuple[Array, Array]:
        seconds = float(positive(t_stop, "t_stop", shape=(), unit=""))
        times, values = self.tooth.points(1.0)
        later = times > EDGE
        after = np.concatenate([[EDGE], times[later]])
        starts = np.arange(1, self.teeth)[:, np.newaxis]
        again = np.concatenate([[np.interp(EDGE, times, values)], values[later]])
        all_times = np.concatenate([times, (starts + after).reshape(-1)]) / self.teeth
        return all_times * seconds, np.concatenate([values, np.tile(again, self.teeth - 1)])


def as_schedule(value: Any, name: str) -> Schedule:
    """Return a schedule; a number is a constant, a pair (start, stop) a straight line. Raises InputError for others."""
    if isinstance(value, Schedule):
        return value
    if isinstance(value, tuple | list) and len(value) == 2:
        return Linear(start=_number(value[0], f"{name}[0]"), stop=_number(value[1], f"{name}[1]"))
    if is_whole(value) or isinstance(value, float | np.floating):
        return Constant(value=_number(value, name))
    raise InputError(
        f"`{name}` = {value!r:.60}: must be a Schedule, a number, or a pair (start, stop); see hopfield_hw.annealing"
    )


def _number(value: Any, name: str) -> float:
    return float(freeze(value, name, shape=()))
