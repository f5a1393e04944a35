"""Signals: what drives an Input, as a function of time that every machine follows exactly."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from .arrays import Array, freeze, positive
from .brief import Brief
from .errors import InputError
from .grids import EDGE


@dataclass(frozen=True, kw_only=True, eq=False)
class Signal(Brief):
    """A piecewise-linear vector signal, constant before its first point and after its last.

    `times`: (k,), strictly increasing, from 0 on, seconds (or the graph's unit of time).
    `values`: (k, n), volts (or the graph's unit); one row a time.
    Raises InputError for empty, decreasing or non-finite points.
    """

    times: Array
    values: Array

    def __post_init__(self) -> None:
        times = freeze(self.times, "Signal.times", unit="s")
        if times.ndim != 1 or times.size == 0 or times[0] < 0.0 or bool(np.any(np.diff(times) <= 0.0)):
            found = f"{times.tolist()!r:.60}"
            raise InputError(f"`Signal.times` = {found}: must be one row of strictly increasing times from 0 on")
        values = freeze(self.values, "Signal.values", unit="V")
        if values.ndim == 1:
            values = freeze(values[:, np.newaxis], "Signal.values")
        if values.ndim != 2 or values.shape[0] != times.size:
            raise InputError(f"`Signal.values` has shape {values.shape}: must be ({times.size}, n), one row a time")
        object.__setattr__(self, "times", times)
        object.__setattr__(self, "values", values)

    @classmethod
    def held(cls, values: Any, period: float) -> Signal:
        """Return a signal that is `values[k]`, (steps, n), from k periods on to the next, seconds.

        It moves within the last 1e-5 of a period before, when every sample-and-hold of a circuit has sampled.
        """
        rows = freeze(values, "values", unit="V")
        if rows.ndim not in (1, 2) or rows.size == 0:
            raise InputError(f"`values` has shape {rows.shape}: must be (steps, n), not empty")
        seconds = float(positive(period, "period", shape=(), unit="s"))
        edges = seconds * np.arange(len(rows))
        moved = edges[1:] - EDGE * seconds
        times = np.concatenate([edges[:1], np.stack([moved, edges[1:]], axis=1).reshape(-1)])
        return cls(times=times, values=np.repeat(rows, 2, axis=0)[:-1])

    def hold(self, period: float) -> Signal:
        """Return what is held for each period, of what this signal is at its start."""
        steps = int(np.ceil(self.times[-1] / period * (1.0 - 1e-12))) + 1
        return Signal.held(np.stack([self.at(k * period) for k in range(steps)]), period)

    @property
    def size(self) -> int:
        """The number of elements, n."""
        return int(self.values.shape[1])

    def at(self, time: float) -> Array:
        """Return the value at one time, (n,)."""
        times, values = self.times, self.values
        k = int(np.searchsorted(times, time, side="right")) - 1
        if k < 0 or k == times.size - 1:
            at_end: Array = values[max(k, 0)]
            return at_end
        part = (time - times[k]) / (times[k + 1] - times[k])
        between: Array = values[k] + part * (values[k + 1] - values[k])
        return between

    def sample(self, times: Array) -> Array:
        """Return the values at many times, (..., n) for times of shape (...)."""
        return np.stack([np.interp(times, self.times, column) for column in self.values.T], axis=-1)

    def scale(self, *, seconds: float, volts: float) -> Signal:
        """Return the same signal with its times and values multiplied."""
        return Signal(times=self.times * seconds, values=self.values * volts)


def as_signal(value: Any, name: str, size: int) -> Signal:
    """Return `value` (a Signal, a number, or (n,) constants) as a Signal of `size` elements."""
    if not isinstance(value, Signal):
        value = Signal(times=np.zeros(1), values=freeze(value, name, shape=(size,), unit="V")[np.newaxis])
    signal: Signal = value
    if signal.size != size:
        raise InputError(f"`{name}` has {signal.size} elements: must have {size}")
    return signal
