"""The Mackey-Glass series, and an LSTM of four cells that forecasts it."""

from __future__ import annotations

from functools import cache

import numpy as np

from ..values.arrays import Array
from .forecaster import Forecaster, Scale
from .weights import load_cell

DELAY = 17.0  # s
STEPS_PER_SECOND = 4
PERIOD = 6  # s between samples
TRANSIENT = 1000  # s that are dropped
TRAIN, TEST = 1000, 500  # samples
SCALE = Scale(centre=0.85, half_range=0.5)


def mackey_glass() -> Forecaster:
    """Return an LSTM (I = 1, H = 4) that forecasts the Mackey-Glass series by one sample, 6 s.

    Trained by training/mackey_glass.py on the first 1,000 samples; the 500 after them are the test.
    """
    series = mackey_glass_series(TRAIN + TEST)
    cell, readout = load_cell("mackey_glass")
    return Forecaster(cell=cell, readout=readout, scale=SCALE, train=series[:TRAIN], test=series[TRAIN:])


@cache
def mackey_glass_series(samples: int, *, transient: int = TRANSIENT) -> Array:
    """Return dx/dt = 0.2 x(t - 17) / (1 + x(t - 17)^10) - 0.1 x, every 6 s (Mackey and Glass, Science 197:287, 1977).

    Starts at the constant 1.2; the first `transient` seconds are dropped. The method of steps with the classical
    Runge-Kutta rule, four steps a second; between them x(t - 17) is the cubic through both ends and their slopes. It
    adds, multiplies and divides alone, which every machine rounds alike: the series is chaotic, and a last digit would
    change its end.
    """
    h = 1.0 / STEPS_PER_SECOND
    lag = round(DELAY * STEPS_PER_SECOND)
    count = (transient + PERIOD * samples) * STEPS_PER_SECOND
    x, slopes = [1.2] * (lag + 1), [0.0] * (lag + 1)  # x[k] at (k - lag) h
    for k in range(count):
        left, right = x[k], x[k + 1]
        middle = 0.5 * (left + right) + 0.125 * h * (slopes[k] - slopes[k + 1])
        drive = _production(left), _production(middle), _production(right)
        now = x[-1]
        k1 = drive[0] - 0.1 * now
        k2 = drive[1] - 0.1 * (now + 0.5 * h * k1)
        k3 = drive[1] - 0.1 * (now + 0.5 * h * k2)
        k4 = drive[2] - 0.1 * (now + h * k3)
        slopes[-1] = k1
        x.append(now + h / 6.0 * (k1 + 2.0 * (k2 + k3) + k4))
        slopes.append(drive[2] - 0.1 * x[-1])
    sampled = np.array(x[lag + transient * STEPS_PER_SECOND :: PERIOD * STEPS_PER_SECOND][:samples])
    sampled.flags.writeable = False
    return sampled


def _production(x: float) -> float:
    square = x * x
    fourth = square * square
    return 0.2 * x / (1.0 + fourth * fourth * square)
