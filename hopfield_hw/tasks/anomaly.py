"""Anomalies in a series: where a machine that has learnt the series is surprised."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from ..values.arrays import Array, freeze
from ..values.brief import brief
from ..values.errors import InputError
from .forecast import Stepper, forecast


class Anomalies(NamedTuple):
    """`errors`: (T,), |series[k] - its forecast|, 0 for the first. `where`: the k whose error is above the limit."""

    errors: Array
    where: npt.NDArray[np.intp]

    def __repr__(self) -> str:
        return brief(self)


def find_anomalies(machine: Stepper, series: Any, *, limit: float, warm_up: int) -> Anomalies:
    """Return where the forecast of a series, (T,), is off by more than `limit`.

    `warm_up`: steps at the beginning that do not count, since the machine does not yet know where it is; at least 1.
    Raises InputError for a warm-up as long as the series, and as `forecast` does.
    """
    values = freeze(series, "series")
    if not 1 <= warm_up < values.size:
        raise InputError(f"`warm_up` = {warm_up}: must be a whole number from 1 to {values.size - 1}")
    errors = np.zeros(values.shape)
    errors[1:] = np.abs(values[1:] - forecast(machine, values)[:-1])
    where = np.flatnonzero(errors > limit)
    return Anomalies(errors, where[where >= warm_up])


def largest_error(machine: Stepper, series: Any, *, warm_up: int) -> float:
    """Return the largest error over a series without anomalies: what a limit is set from."""
    return float(find_anomalies(machine, series, limit=np.inf, warm_up=warm_up).errors[warm_up:].max())
