"""A trained cell that forecasts a series: weights, readout, scale, and the data that it was trained and tested on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ..graph import Graph
from ..recurrent import Readout, RecurrentCell
from ..values.arrays import Array, freeze, positive
from ..values.brief import Brief
from ..values.errors import InputError


@dataclass(frozen=True, kw_only=True)
class Scale:
    """u = (x - centre) / half_range, so that a series fills [-1, 1] at most.

    Raises InputError for a range that is not positive.
    """

    centre: float
    half_range: float

    def __post_init__(self) -> None:
        positive(self.half_range, "Scale.half_range", shape=(), unit="")

    def normalise(self, values: Any) -> Array:
        """Return u of x."""
        return (freeze(values, "values") - self.centre) / self.half_range

    def restore(self, scaled: Any) -> Array:
        """Return x of u."""
        return self.centre + self.half_range * freeze(scaled, "scaled")


@dataclass(frozen=True, kw_only=True, eq=False)
class Forecaster(Brief):
    """A cell with a readout: u[k] goes in, its forecast of u[k + 1] comes out, both scaled.

    `cell`: of one input. `readout`: of one output. `scale`: between the series and what the cell sees. `train`, `test`:
    the series, (T,), in their own units; the test follows the training, which has not seen it.
    """

    cell: RecurrentCell
    readout: Readout
    scale: Scale
    train: Any
    test: Any

    def __post_init__(self) -> None:
        sizes = self.cell.input_size, self.readout.weights.shape[0]
        if sizes != (1, 1):
            raise InputError(f"`Forecaster` has {sizes[0]} inputs and {sizes[1]} outputs: must have one of each")
        for name in ("train", "test"):
            series = freeze(getattr(self, name), f"Forecaster.{name}")
            if series.ndim != 1:
                raise InputError(f"`Forecaster.{name}` has shape {series.shape}: must be (T,)")
            object.__setattr__(self, name, series)

    def graph(self) -> Graph:
        """Return the graph of one step: Input `x`, the Holds of the cell, Output `y`, the forecast."""
        return self.readout.after(self.cell.graph(), "y")
