"""Recordings: sampled waveforms of all states from one start, their noise, and the grid of their converter."""

from __future__ import annotations

from dataclasses import dataclass
from math import comb

import numpy as np

from ..values.arrays import Array, freeze
from ..values.brief import Brief
from ..values.errors import InputError

FEWEST_SAMPLES = 20
# Noise is never taken to be below this part of a channel's largest voltage: what solvers and printed digits leave.
LEAST_NOISE = 1e-5
ORDERS = (1, 2, 3, 4)  # of the differences that noise is estimated from
# Gaps between levels that are whole multiples of the smallest one, to so much of it, in so large a part of all.
GRID_FIT, GRID_PART = 0.1, 0.98
HARMONICS = np.arange(1.0, 201.0)  # of a quantiser's error


@dataclass(frozen=True, kw_only=True, eq=False)
class Recording(Brief):
    """Samples of all n states from one start.

    `times`: (T,), seconds, rising, in any steps. `states`: (T, n), volts. `label`: what messages call it.

    Raises InputError for fewer than 20 samples, times that do not rise, other shapes, and values that are not finite.
    """

    times: Array
    states: Array
    label: str = ""

    def __post_init__(self) -> None:
        at = f"Recording {self.label!r:.60}" if self.label else "Recording"
        times = freeze(self.times, f"{at}.times")
        states = freeze(self.states, f"{at}.states")
        if times.ndim != 1 or states.ndim != 2 or states.shape[0] != times.size or not states.shape[1]:
            raise InputError(
                f"{at}: `times` has shape {times.shape} and `states` {states.shape}: must be (samples,) and (samples, "
                "neurons), with one neuron at least; one row for each time"
            )
        if times.size < FEWEST_SAMPLES:
            raise InputError(f"{at}: has {times.size} samples: must have {FEWEST_SAMPLES} at least; record more")
        step = np.diff(times)
        if not (step > 0.0).all():
            k = int(np.argmin(step > 0.0)) + 1
            raise InputError(
                f"{at}: time {times[k]:g} s at sample {k} is not above {times[k - 1]:g} s before it; times must rise: "
                "write them with more digits, and give each transient as a recording of its own"
            )
        object.__setattr__(self, "times", times)
        object.__setattr__(self, "states", states)

    @property
    def size(self) -> int:
        """The number of states, n."""
        return int(self.states.shape[1])

    @property
    def duration(self) -> float:
        """The time from the first sample to the last, seconds."""
        return float(self.times[-1] - self.times[0])


@dataclass(frozen=True, kw_only=True, eq=False)
class Noise:
    """What is added to n channels of a recording: `deviation`, (n,), before a converter of step `step`, (n,), volts.

    `step` is 0 where the samples sit on no grid. A quantiser of step q after Gaussian noise of deviation s has the
    mean error sum_k (-1)^k q / (pi k) exp(-2 pi^2 k^2 s^2 / q^2) sin(2 pi k x / q), which stays while the signal x does
    (Widrow and Kollar, Quantization Noise, Cambridge 2008, ch. 4); the rest of s^2 + q^2 / 12 is new in each sample.
    """

    deviation: Array
    step: Array

    @property
    def lasting(self) -> Array:
        """The variance of the error that stays while the signal does, (n,), volts squared."""
        return lasting_variance(self.deviation, self.step)

    @property
    def fresh(self) -> Array:
        """The variance of what is new in each sample, (n,), volts squared."""
        return np.asarray(self.deviation**2 + self.step**2 / 12.0 - self.lasting)


def lasting_variance(deviation: Array, step: Array) -> Array:
    """Return sum_k (q / pi k)^2 / 2 exp(-(2 pi k s / q)^2): from q^2 / 12 without noise down to 0 with much of it."""
    grid = np.where(step > 0.0, step, 1.0)
    ratio = 2.0 * np.pi * np.asarray(deviation / grid)[..., None] * HARMONICS
    series = np.exp(-(ratio**2)) / (2.0 * (np.pi * HARMONICS) ** 2)
    return np.where(step > 0.0, step**2 * np.minimum(series.sum(axis=-1), 1.0 / 12.0), 0.0)


def estimate_noise(recording: Recording) -> Noise:
    """Return the noise of a recording's channels, from differences between neighbouring samples.

    The p-th difference of white noise of variance v has the variance C(2p, p) v, and that of a smooth signal vanishes
    with p: the smallest of p = 1 to 4 counts. Of samples on a grid of step q it is s^2 + q^2 / 12 less the error that
    lasts, which is solved for s.
    """
    states = recording.states
    found = np.min([np.mean(np.diff(states, p, axis=0) ** 2, axis=0) / comb(2 * p, p) for p in ORDERS], axis=0)
    step = np.array([find_step(channel) for channel in states.T])
    deviation = np.sqrt(found)
    for i in np.flatnonzero(step > 0.0):
        tried = step[i] * np.geomspace(1e-3, 2.0, 400)
        fresh = tried**2 + step[i] ** 2 / 12.0 - lasting_variance(tried, np.full_like(tried, step[i]))
        below = np.sqrt(max(found[i] - step[i] ** 2 / 12.0, 0.0))
        deviation[i] = below if found[i] > fresh[-1] else np.interp(found[i], fresh, tried)
    reach = np.abs(states).max(axis=0)
    least = LEAST_NOISE * np.where(reach > 0.0, reach, float(reach.max()) or 1.0)
    return Noise(deviation=np.maximum(deviation, least), step=step)


def find_step(channel: Array) -> float:
    """Return the step of the grid that samples, (T,), sit on, such as that of a converter; 0.0 where there is none."""
    levels = np.unique(channel)
    gaps = np.diff(levels)
    gaps = gaps[gaps > 1e-9 * (np.abs(levels).max() + np.finfo(float).tiny)]
    if not gaps.size:
        return 0.0
    step = float(gaps.min())
    for _ in range(2):  # the smallest gap first, then the mean over all gaps
        counts = np.maximum(np.round(gaps / step), 1.0)
        step = float(gaps.sum() / counts.sum())
    fits = np.abs(gaps / step - counts) <= GRID_FIT
    return step if fits.mean() >= GRID_PART and levels.size <= channel.size // 2 + 1 else 0.0
