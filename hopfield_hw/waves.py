"""Waveforms: the one shape in which every machine gives its answer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import xarray as xr

from .arrays import Array, frozen, is_whole
from .errors import InputError

# What is clocked moves within this part of a period, and is read this many of them before the period ends.
EDGE = 1e-6
READ = 3.0


def make_dataset(
    times: Array,
    state: Array,
    output: Array,
    *,
    neurons: Sequence[str],
    ports: Sequence[str],
    attrs: dict[str, Any],
    draws: int | None = None,
) -> xr.Dataset:
    """Return `state` (time, neuron) and `output` over the same, volts, with `time` in seconds.

    Outputs have a dimension `port` of their own where they are not labelled as the neurons are. With `draws` the
    first dimension of both is `draw`.
    """
    batch = () if draws is None else ("draw",)
    same = tuple(neurons) == tuple(ports)
    dataset = xr.Dataset(
        {
            "state": ((*batch, "time", "neuron"), state, {"units": "V"}),
            "output": ((*batch, "time", "neuron" if same else "port"), output, {"units": "V"}),
        },
        coords={"time": ("time", times, {"units": "s"}), "neuron": list(neurons)},
        attrs=attrs,
    )
    return dataset if same else dataset.assign_coords(port=list(ports))


MOST_POINTS = 100_000_000  # 0.8 GB for the times alone


def uniform_grid(t_stop: float, points: int) -> Array:
    """Return `points` uniform times from 0 to t_stop, ends included. Raises InputError for fewer than two."""
    if not is_whole(points) or points < 2:
        raise InputError(f"`points` = {points!r:.60}: must be a whole number of times, at least 2")
    if points > MOST_POINTS:
        raise InputError(f"`points` = {points!s:.20}: must be at most {MOST_POINTS}; ask for fewer")
    return np.linspace(0.0, t_stop, points)


def period_grid(period: float, t_stop: float) -> tuple[Array, Array]:
    """Return the times k T from 0 to t_stop, and when each period is read: at its end, before anything clocked moves.

    From the second one on, what is clocked holds the values that stand in the graph from k T to (k + 1) T.
    """
    steps = int(t_stop / period * (1.0 + 1e-12))
    edges = period * np.arange(steps + 1.0)
    return edges, edges + period * (1.0 - READ * EDGE)


# What the machines can be asked for: below it, rounding and the steps of ngspice leave nothing to gain.
FINEST = 1e-9


def checked_accuracy(value: Any, name: str) -> float:
    """Return an accuracy, an NRMSE. Raises InputError for one that no machine can aim at."""
    plain = isinstance(value, float)
    accuracy = float(value if plain else frozen(value, name, shape=(), unit=""))
    if not FINEST <= accuracy < 1.0:
        raise InputError(f"`{name}` = {value!s:.40}: is an NRMSE and must be from {FINEST:g} to below 1, such as 1e-4")
    return accuracy


# A neuron whose range is below this part of the largest range counts with that part.
SMALLEST_RANGE = 1e-3


def ranges(reference: Array) -> Array:
    """Return by neuron the larger of its range over time and 1e-3 of the largest one, (n,)."""
    each = np.ptp(reference, axis=0)
    largest = float(np.max(each, initial=0.0))
    if largest == 0.0:
        largest = float(np.max(np.abs(reference), initial=0.0))
    floor = SMALLEST_RANGE * largest if largest > 0.0 else 1.0
    result: Array = np.maximum(each, floor)
    return result


def nrmse_each(reference: Array, found: Array) -> Array:
    """Return by neuron the RMS difference over time divided by the neuron's range, (n,); both are (time, n)."""
    rms: Array = np.sqrt(np.mean((found - reference) ** 2, axis=0))
    return rms / ranges(reference)


def nrmse(reference: Array, found: Array) -> float:
    """Return the worst neuron's NRMSE."""
    return float(np.max(nrmse_each(reference, found), initial=0.0))


def sqnr(expected: Array, found: Array) -> float:
    """Return 10 log10(sum expected^2 / sum (found - expected)^2), dB; infinite where they are the same."""
    noise = float(np.sum((found - expected) ** 2))
    signal = float(np.sum(expected**2))
    return float("inf") if noise == 0.0 else 10.0 * float(np.log10(signal / noise)) if signal > 0.0 else -float("inf")
