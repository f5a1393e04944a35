"""What a verification found, and how it is said."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import xarray as xr

from ..circuit import Circuit
from ..graph import Graph
from ..values.arrays import Array
from ..values.brief import Brief
from ..values.measures import ranges, sqnr
from ..values.report import Report
from ..values.si_text import format_si
from .coverage import Coverage
from .diagnosis import Suspect
from .evidence import SAME, Error, Settled, Verdict

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from ..pictures.plots import Picture


class Worst(NamedTuple):
    """Where the waveforms are furthest apart: `error` is the difference as a part of the neuron's range."""

    neuron: str
    time: float
    error: float
    volts: float


@dataclass(frozen=True, kw_only=True, eq=False)
class EnergyReport(Brief):
    """Energy over time in both machines. `rise`: its largest rise, a part of the range; `flat`: what counts as none."""

    spice: Array
    reference: Array
    rise: float
    rise_reference: float
    flat: float

    @property
    def falls(self) -> bool:
        """Whether the energy never rises, in both machines."""
        return max(self.rise, self.rise_reference) <= self.flat


@dataclass(frozen=True, kw_only=True, eq=False)
class Verification(Report):
    """What a verification found.

    `verdict`: passed, failed or undecided; only the first is success. `reasons`: why it is not passed, the first one
    first. `nrmse`: of the whole waveforms of the states. `steps`: how far the circuit leaves its equation
    within a time constant, started again and again from its own state; `outputs`: how far its outputs are from what
    the graph gives for its own states. `restarted`: the whole waveforms are further apart than the tolerance, since the
    network amplifies a perturbation by `growth`, so that the verdict rests on `steps`; `growth` is None where nobody
    had to ask. `coverage`: how far each device might be off without being noticed. `starts`: how many further starts
    and inputs were chosen and run. `self_check`: the error of ngspice's run, as NRMSE, that runs with a step and with
    half of it tell. `start`: in words, where a deck starts elsewhere than the network. `engine`: what ran the circuit;
    `apart`: where two did, the NRMSE between their waveforms.
    """

    verdict: Verdict
    reasons: tuple[str, ...]
    nrmse: float
    worst: Worst
    steps: Error
    outputs: Error
    settled: Settled
    restarted: bool
    growth: float | None
    tolerance: float
    accuracy: float
    coverage: Coverage
    starts: int
    energy: EnergyReport | None
    seconds: Mapping[str, float]
    cell: str
    version: str
    self_check: float
    warning: str
    suspects: tuple[Suspect, ...]
    wave: xr.Dataset = field(repr=False)
    ref: xr.Dataset = field(repr=False)
    circuit: Circuit = field(repr=False)
    graph: Graph = field(repr=False)
    inputs: Any = field(repr=False, default=None)
    start: str = ""
    engine: str = "ngspice"
    apart: float | None = None

    @property
    def passed(self) -> bool:
        """Whether the verdict is "passed"."""
        return self.verdict == "passed"

    @property
    def status(self) -> Verdict:
        """The verdict, under the name that it has in JSON."""
        return self.verdict

    @cached_property
    def gate(self) -> float:
        """The time up to which the whole waveforms of the states agree within ten times the tolerance, seconds."""
        expected, times = self.ref["state"].to_numpy(), self.ref["time"].to_numpy()
        apart = np.max(np.abs(self.wave["state"].to_numpy() - expected) / ranges(expected), axis=1)
        over = np.flatnonzero(apart > SAME * self.tolerance)
        return float(times[max(int(over[0]) - 1, 0)] if over.size else times[-1])

    @property
    def neurons(self) -> int:
        """The number of states."""
        return int(self.ref.sizes["neuron"])

    @property
    def devices(self) -> int:
        """The number of devices in the compiled netlist."""
        return len(self.circuit.devices)

    @property
    def sqnr(self) -> float:
        """10 log10 of the power of the reference's outputs by that of what the circuit is off by, dB."""
        return sqnr(self.ref["output"].to_numpy(), self.wave["output"].to_numpy())

    def figures(self) -> dict[str, Any]:
        """Return by name what JSON has of the verification."""
        return {
            "status": self.verdict,
            "reasons": self.reasons,
            "nrmse": self.nrmse,
            "worst_error": self.worst,
            "steps": self.steps,
            "outputs": self.outputs,
            "settled": self.settled,
            "restarted": self.restarted,
            "growth": self.growth,
            "tolerance": self.tolerance,
            "accuracy": self.accuracy,
            "coverage": self.coverage,
            "starts": self.starts,
            "energy": self.energy and {"rise": self.energy.rise, "flat": self.energy.flat, "falls": self.energy.falls},
            "neurons": self.neurons,
            "devices": self.devices,
            "seconds": self.seconds,
            "cell": self.cell,
            "engine": self.engine,
            "apart": self.apart,
            "version": self.version,
            "self_check": self.self_check,
            "warning": self.warning,
            "start": self.start,
            "suspects": [
                {"neuron": s.neuron, "weight": s.weight, "devices": s.devices, "change": s.change}
                for s in self.suspects
            ],
        }

    def rows(self) -> list[tuple[str, str]]:
        """Return the verification as (what, value) rows, the verdict first."""
        where = f"neuron {self.worst.neuron} at {format_si(self.worst.time, 's')}"
        of_steps = f", neuron {self.steps.what} around {format_si(self.steps.time, 's')}" if self.steps.what else ""
        rows = [("result", self.verdict), *(("reason", reason) for reason in self.reasons)]
        rows += [("suspected device", str(suspect)) for suspect in self.suspects]
        rows += [
            ("cell", f"{self.cell}, neurons {self.neurons}, devices {self.devices}"),
            ("NRMSE", f"{self.nrmse:.2e} (tolerance {self.tolerance:.0e})"),
            ("worst error", f"{self.worst.error:.2e} of the range, {format_si(self.worst.volts, 'V')}, {where}"),
            ("step by step", f"{self.steps.size:.1e} of the range within a time constant{of_steps}"),
            ("settled state", self.settled),
        ]
        if self.circuit.clock is not None:
            rows.append(("SQNR", f"{self.sqnr:.1f} dB of the outputs"))
        if self.restarted:
            said = f"the network amplifies a difference {self.growth:.0e}-fold, so that the steps are judged alone"
            rows.append(("self-amplifying", f"{said}; whole waveforms agree up to {format_si(self.gate, 's')}"))
        rows += [("coverage", line) for line in self.coverage.lines(self.starts)]
        if self.energy is not None:
            said = "never rises" if self.energy.falls else f"rises by {self.energy.rise:.1e} of its range"
            rows.append(("energy", said))
        rows += [
            ("self-check", f"{self.self_check:.1e}" + (f"; {self.warning}" if self.warning else "")),
            ("seconds", ", ".join(f"{name} {value:.2f}" for name, value in self.seconds.items())),
            ("engine", f"{self.engine} {self.version}"),
        ]
        if self.apart is not None:
            rows.append(("between both", f"NRMSE {self.apart:.1e}"))
        return rows

    def plot(self, path: Path | str | None = None, *, picture: Picture | None = None) -> Figure:
        """Return the one-page picture, and write it where a path is given."""
        from ..pictures.files import save_figure
        from ..pictures.plots import plot_verification

        return save_figure(plot_verification(self, picture=picture), path)
