"""The yearly sunspot numbers, and a GRU that forecasts the next year."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from ..values.arrays import Array, freeze
from ..values.brief import brief
from .forecaster import Forecaster, Scale
from .weights import DATA, load_cell

LAST_TRAINING_YEAR = 1920
SCALE = Scale(centre=100.0, half_range=100.0)


class Sunspots(NamedTuple):
    """`years`: (309,), 1700 to 2008. `numbers`: the mean sunspot number of each, (309,)."""

    years: npt.NDArray[np.int64]
    numbers: Array

    def __repr__(self) -> str:
        return brief(self)


def sunspots() -> Forecaster:
    """Return a GRU (I = 1, H = 4) that forecasts the sunspot number of the next year.

    Trained by training/sunspots.py on 1700 to 1920; the test is 1921 to 2008.
    """
    years, numbers = sunspot_numbers()
    cell, readout = load_cell("sunspots")
    known = years <= LAST_TRAINING_YEAR
    return Forecaster(cell=cell, readout=readout, scale=SCALE, train=numbers[known], test=numbers[~known])


def sunspot_numbers() -> Sunspots:
    """Return the yearly mean sunspot numbers (National Geophysical Data Center, NOAA; in the public domain)."""
    with (DATA / "sunspots.csv").open(encoding="ascii") as file:
        table = np.loadtxt(file, delimiter=",", skiprows=3)
    return Sunspots(table[:, 0].astype(np.int64), freeze(table[:, 1], "numbers"))
