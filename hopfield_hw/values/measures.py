"""How far two waveforms are apart, and the accuracy that can be asked for."""

from __future__ import annotations

from typing import Any

import numpy as np

from .arrays import Array, freeze
from .errors import InputError

# What the machines can be asked for: below it, rounding and the steps of ngspice leave nothing to gain.
FINEST = 1e-9


def check_accuracy(value: Any, name: str) -> float:
    """Return an accuracy, an NRMSE. Raises InputError for one that no machine can aim at."""
    plain = isinstance(value, float)
    accuracy = float(value if plain else freeze(value, name, shape=(), unit=""))
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
