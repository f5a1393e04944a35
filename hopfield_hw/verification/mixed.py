"""A mixed run: an analog network in ngspice, its outputs through converters, into a digital machine."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import xarray as xr

from ..cells import Cell
from ..equations import solve
from ..equations.sequences import Machine, run_sequence
from ..graph import Graph, Quantise, as_graph
from ..lowering import lower
from ..networks.network import Network
from ..recurrent import RecurrentCell
from ..spice.transient import simulate
from ..values.arrays import Array, positive
from ..values.errors import InputError
from ..values.measures import ranges, sqnr
from ..values.report import Report


@dataclass(frozen=True, kw_only=True, eq=False)
class MixedRun(Report):
    """One analog network before one digital machine, in ngspice and in the reference, step by step.

    `codes`, `codes_reference`: what the converters gave, (T, n). `output`, `output_reference`: of the machine, (T, m).
    `differing`: how many codes are not the same; `unexplained`: those of them whose analog value in the reference is
    further from the threshold than `accuracy` of its range. `sqnr`: of the machine's outputs, dB.
    """

    accuracy: float
    differing: int
    unexplained: int
    sqnr: float
    codes: Array = field(repr=False)
    codes_reference: Array = field(repr=False)
    output: Array = field(repr=False)
    output_reference: Array = field(repr=False)
    wave: xr.Dataset = field(repr=False)
    ref: xr.Dataset = field(repr=False)

    @property
    def passed(self) -> bool:
        """Whether every code that differs lies at a threshold."""
        return self.unexplained == 0

    def rows(self) -> list[tuple[str, str]]:
        """Return the run as (what, value) rows, the result first."""
        total = self.codes.size
        return [
            ("result", "passed" if self.passed else "failed"),
            ("codes", f"{self.differing} of {total} differ, {self.unexplained} of them not at a threshold"),
            ("SQNR", f"{self.sqnr:.1f} dB of the digital outputs"),
        ]

    def figures(self) -> dict[str, Any]:
        """Return by name what JSON has of the run."""
        return {
            "status": "passed" if self.passed else "failed",
            "accuracy": self.accuracy,
            "codes": self.codes.size,
            "differing": self.differing,
            "unexplained": self.unexplained,
            "sqnr": self.sqnr,
        }


def run_mixed(
    analog: Graph | Network,
    digital: Machine | Graph | RecurrentCell,
    converter: Quantise,
    *,
    period: float,
    t_stop: float,
    inputs: Any = None,
    cell: str | Cell = "ideal",
    accuracy: float = 1e-4,
) -> MixedRun:
    """Run an analog network in ngspice and in the reference, convert its outputs every period, and step a machine.

    At k `period`, seconds, from 0 to t_stop, the outputs go through the converter, volts, and the machine takes one
    step. `inputs`, `cell`, `accuracy`: of the analog network, as for `simulate`.

    Raises InputError for a period that does not divide t_stop and for sizes that do not meet; Unrealisable for values
    that the cell cannot build, and a SimulatorError where ngspice does not deliver.
    """
    end = float(positive(t_stop, "t_stop", shape=(), unit="s"))
    steps = int(np.rint(end / float(positive(period, "period", shape=(), unit="s"))))
    if steps < 1 or abs(steps * period - end) > 1e-9 * end:
        raise InputError(f"`t_stop` = {end:g} s: must be a whole number of periods of {period:g} s, at least 1")
    graph = as_graph(analog)
    common: dict[str, Any] = {"t_stop": end, "inputs": inputs, "accuracy": accuracy, "points": steps + 1}
    ref = solve(graph, **common)
    expected = ref["output"].to_numpy()
    if expected.shape[1] != converter.size:
        raise InputError(
            f"`converter` has {converter.size} elements: must have {expected.shape[1]}, one for each output"
        )
    wave = simulate(lower(graph, cell=cell, rescale=True), **common)
    found = wave["output"].to_numpy()
    codes, codes_reference = converter.value(found), converter.value(expected)
    output, output_reference = (run_sequence(digital, each).outputs[:, 0] for each in (codes, codes_reference))
    differ = codes != codes_reference
    threshold = (codes + codes_reference) / 2.0
    explained = np.abs(expected - threshold) <= accuracy * ranges(expected)
    return MixedRun(
        accuracy=accuracy,
        differing=int(np.sum(differ)),
        unexplained=int(np.sum(differ & ~explained)),
        sqnr=sqnr(output_reference, output),
        codes=codes,
        codes_reference=codes_reference,
        output=output,
        output_reference=output_reference,
        wave=wave,
        ref=ref,
    )
