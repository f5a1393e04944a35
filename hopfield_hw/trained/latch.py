"""The latch problem: remember the first value of a long sequence; an RNN, an LSTM and a GRU that were trained on it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np

from ..graph import Graph
from ..recurrent import Readout, RecurrentCell
from ..values.arrays import Array
from ..values.brief import Brief
from .weights import load_cell

KINDS = ("RNN", "LSTM", "GRU")
NOISE = 0.3


@dataclass(frozen=True, kw_only=True, eq=False)
class LatchModel(Brief):
    """A cell and its readout, which is above 0 at the end of a sequence whose first value was +1."""

    cell: RecurrentCell
    readout: Readout

    def graph(self) -> Graph:
        """Return the graph of one step: Input `x`, the Holds of the cell, Output `y`."""
        return self.readout.after(self.cell.graph(), "y")


def latch() -> Mapping[str, LatchModel]:
    """Return an RNN, an LSTM and a GRU (I = 1, H = 8), by these names, trained alike on sequences of 10 to 59 steps.

    Training: training/latch.py.
    """
    found = {}
    for kind in KINDS:
        cell, readout = load_cell(f"latch_{kind.lower()}")
        found[kind] = LatchModel(cell=cell, readout=readout)
    return MappingProxyType(found)


def latch_sequences(steps: int, count: int, rng: np.random.Generator) -> tuple[Array, Array]:
    """Return u, (steps, count, 1), and what is to be remembered, (count,): u[0] = +1 or -1, then Gaussian noise of 0.3.

    The latch problem of Bengio, Simard and Frasconi (IEEE Trans. Neural Networks 5:157, 1994), in its simplest form.
    """
    inputs = NOISE * rng.standard_normal((steps, count, 1))
    inputs[0, :, 0] = rng.choice([-1.0, 1.0], size=count)
    return inputs, inputs[0, :, 0].copy()
