"""The energy along a waveform of any machine."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import xarray as xr

from ..graph import Graph, HasGraph, as_graph
from ..values.arrays import Array, freeze
from ..values.errors import InputError
from ..values.report import Report
from .energy import FLAT, energy, energy_rise

REFERENCE = "reference"


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class EnergyTrace(Report):
    """`times`: (p,), seconds; `values`: (p,) or (draws, p), watts.

    `rise`: the largest rise above an earlier value, as a part of the range of its waveform. `at`: when, seconds.
    `flat`: up to which rise the accuracy of the waveform tells nothing. `skipped`: samples at the start that are left
    out: under `uic` the first outputs of a circuit are not yet those of its states.
    """

    times: Array
    values: Array
    rise: float
    at: float
    flat: float
    skipped: int

    @property
    def falls(self) -> bool:
        """Whether the energy never rises, to the accuracy of the waveform."""
        return self.rise <= self.flat

    def rows(self) -> list[tuple[str, str]]:
        said = "never rises" if self.falls else f"rises, at {self.at:.4g} s"
        return [("energy", said), ("largest rise", f"{self.rise:.1e} of its range ({self.flat:.0e} counts as flat)")]

    def figures(self) -> dict[str, Any]:
        return {"rise": self.rise, "at": self.at, "flat": self.flat, "falls": self.falls}


def trace_energy(
    graph: Graph | HasGraph, waveform: xr.Dataset, inputs: Any = None, *, skip: int | None = None
) -> EnergyTrace:
    """Return E(t) along a waveform, as `reference`, `reference_batch` or `simulate` give it, with its largest rise.

    E = -1/2 V^T T V - I^T V + sum_i (1/R_i) int_0^{V_i} g_i^-1(v) dv of the outputs V (Hopfield 1984). A rise of up to
    10 x accuracy x the range counts as flat. `inputs`: constant, as for `reference`. `skip`: samples at the start to
    leave out; by default 1 for a circuit and 0 for the reference.

    Raises InputError for a graph without such an energy (weights that are not symmetric, gains that jump, delays,
    products, maps), inputs that change, and a waveform of another graph's size.
    """
    network = as_graph(graph)
    missing = [name for name in ("output", "time") if name not in waveform]
    if missing:
        raise InputError(f"`waveform` has no {missing[0]!r}: must be a Dataset as `reference` and `simulate` give it")
    outputs, times = waveform["output"].to_numpy(), waveform["time"].to_numpy()
    width = sum(op.output_size for op in network.operators if op.kind == "output")
    if outputs.shape[-1] != width:
        raise InputError(f"`waveform` has {outputs.shape[-1]} outputs and the graph {width}: must be of this graph")
    if "draw" in waveform.dims and waveform["time"].ndim != 1:
        raise InputError("`waveform`: its draws have different times; give them one by one")
    first = int(waveform.attrs.get("machine") != REFERENCE) if skip is None else skip
    if len(times) - first < 2:
        raise InputError(f"`waveform` has {len(times)} times, of which {first} are left out: at least two must remain")
    values = energy(network, outputs, inputs)
    rows = np.atleast_2d(values)
    rises = [energy_rise(row, skip=first) for row in rows]
    worst = rows[int(np.argmax(rises))][first:]
    at = float(times[first + int(np.argmax(worst - np.minimum.accumulate(worst)))])
    return EnergyTrace(
        times=freeze(times, "times"),
        values=freeze(values, "values"),
        rise=max(rises),
        at=at,
        flat=FLAT * float(waveform.attrs.get("accuracy", 1e-4)),
        skipped=first,
    )
