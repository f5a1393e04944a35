"""One network on every machine: as a circuit, as a differential equation, and as digital recurrent networks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Literal

import numpy as np
import xarray as xr

from ..cells import Cell
from ..equations import solve
from ..lowering import lower
from ..networks.network import Network
from ..spice.transient import simulate
from ..transforms import discretise
from ..values.arrays import Array, positive
from ..values.errors import InputError
from ..values.measures import check_accuracy, nrmse
from ..values.report import Report

METHODS: tuple[Literal["euler", "zero_order_hold"], ...] = ("euler", "zero_order_hold")
MOST_STEPS = 1_000_000


@dataclass(frozen=True, kw_only=True, eq=False)
class Machines(Report):
    """States of one network over one grid, the steps of the digital machines.

    `waves`: by machine ("reference", "circuit", "euler", "zero_order_hold"), a dataset over (time, neuron). `nrmse`: by
    machine, the distance from the differential equation; the worst neuron counts.
    """

    step: float
    nrmse: Mapping[str, float]
    waves: Mapping[str, xr.Dataset] = field(repr=False)

    def rows(self) -> list[tuple[str, str]]:
        """Return the comparison as (machine, distance) rows."""
        return [(name, f"NRMSE {value:.2e} against the differential equation") for name, value in self.nrmse.items()]

    def figures(self) -> dict[str, Any]:
        """Return by name what JSON has of the comparison."""
        return {"step": self.step, "nrmse": self.nrmse}


def run_machines(
    network: Network,
    *,
    step: float,
    t_stop: float,
    cell: str | Cell = "ideal",
    inputs: Any = None,
    accuracy: float = 1e-4,
) -> Machines:
    """Run a network in ngspice, as its differential equation, and as digital maps that step by `step`.

    `step`: D, in the network's unit of time. `t_stop`: seconds, a whole number of steps. `inputs`: as for `simulate`;
    the maps see what they are at each step. `cell`, `accuracy`: of the circuit.

    Each map is a separate target: both approach the equation as the step goes to 0, by the first order of it.

    Raises InputError for wrong arguments, Unrealisable for values that the cell cannot build, and a SimulatorError
    where ngspice does not deliver.
    """
    if not isinstance(network, Network):
        raise InputError(f"run_machines: {network!r:.60}: must be a Network, whose digital forms there are")
    accuracy = check_accuracy(accuracy, "accuracy")
    seconds = float(positive(step, "step", shape=(), unit="s")) * network.seconds_per_unit
    end = float(positive(t_stop, "t_stop", shape=(), unit="s"))
    count = int(np.rint(end / seconds))
    if not 1 <= count <= MOST_STEPS or abs(count * seconds - end) > 1e-9 * end:
        raise InputError(f"`t_stop` = {end:g} s: must be a whole number of steps of {seconds:g} s, 1 to {MOST_STEPS}")
    graph = network.graph()
    common: dict[str, Any] = {"t_stop": end, "inputs": inputs}
    waves = {
        "reference": solve(graph, accuracy=accuracy, points=count + 1, **common),
        "circuit": simulate(lower(graph, cell=cell, rescale=True), accuracy=accuracy, points=count + 1, **common),
    }
    waves |= {
        method: solve(discretise(network, step=seconds / network.seconds_per_unit, method=method), **common)
        for method in METHODS
    }
    expected = _states(waves["reference"])
    apart = {name: nrmse(expected, _states(wave)) for name, wave in waves.items() if name != "reference"}
    return Machines(step=seconds, nrmse=MappingProxyType(apart), waves=MappingProxyType(waves))


def _states(wave: xr.Dataset) -> Array:
    values: Array = wave["state"].to_numpy()
    return values
