"""What an error budget says: the contribution of each imperfection, their sum, the dominating one and its cure."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...values.arrays import Array
from ...values.report import Report
from ...verification.evidence import Settled
from .first_order import Deviation

if TYPE_CHECKING:
    from matplotlib.figure import Figure

# A contribution is resolved where it is so many times what half the step changes.
RESOLVED = 3.0


@dataclass(frozen=True, kw_only=True, eq=False)
class Contribution:
    """What one imperfection contributes: NRMSE of the worst neuron, of states and of outputs.

    `states`, `outputs`: measured, with all else ideal. `predicted`, `predicted_outputs`: to first order; None where
    there is none, and `refused` says why. `settled`: whether the board with it ends where it does without. `deviation`:
    the waveforms, volts.
    """

    name: str
    what: str
    states: float
    outputs: float
    predicted: float | None
    predicted_outputs: float | None
    refused: str
    settled: Settled
    deviation: Deviation = field(repr=False)
    prediction: Deviation | None = field(repr=False, default=None)

    @property
    def ratio(self) -> float | None:
        """Predicted over measured, of the states; None without a prediction."""
        return None if self.predicted is None or self.states == 0.0 else self.predicted / self.states


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class ErrorBudget(Report):
    """The contributions to the deviation of a board from the ideal equation, as NRMSE of the worst neuron.

    `contributions`: of the nominal board, the largest first; `beside`: of tolerances and temperature, which a nominal
    board has not. `states`, `outputs`: of the whole board. `residual`: of the states: what the sum of the waveforms of
    all contributions misses of the whole; NaN where not all were measured. `slew_ratio`: the largest |dv/dt| over the
    slew rate. `refused`: why nothing is predicted. `growth`: how much the network amplifies a small difference; where
    that is more than 100-fold, waveforms tell up to `gate` alone. `resolution`: what half the step changes.
    """

    contributions: tuple[Contribution, ...]
    beside: tuple[Contribution, ...]
    states: float
    outputs: float
    settled: Settled
    residual: float
    predicted: float | None
    slew_ratio: float
    refused: str
    growth: float
    gate: float
    resolution: float
    goal: float
    cure: str
    tolerances: str
    times: Array = field(repr=False)
    ideal: Deviation = field(repr=False)
    whole: Deviation = field(repr=False)
    title: str = "board"

    @property
    def dominating(self) -> Contribution:
        """The largest contribution of the nominal board."""
        return self.contributions[0]

    @property
    def root_sum_square(self) -> float:
        """What the contributions come to as if they were independent, NRMSE."""
        return math.sqrt(sum(one.states**2 for one in self.contributions))

    @property
    def linear_sum(self) -> float:
        """What they come to at most, if all had one sign at all times, NRMSE."""
        return sum(one.states for one in self.contributions)

    @cached_property
    def by_name(self) -> dict[str, Contribution]:
        """The contributions by name, those beside too."""
        return {one.name: one for one in (*self.contributions, *self.beside)}

    def is_resolved(self, one: Contribution) -> bool:
        """Return whether a contribution is above what the simulation's own error leaves."""
        return one.states > RESOLVED * self.resolution

    def rows(self) -> list[tuple[str, str]]:
        rows = [
            ("whole", f"NRMSE {self.states:.2e} of states, {self.outputs:.2e} of outputs; ends: {self.settled}"),
            ("dominated by", f"{self.dominating.what}, {self.dominating.states:.2e}"),
            ("cure", self.cure),
        ]
        rows += [(one.what, self._line(one)) for one in (*self.contributions, *self.beside)]
        rows += [
            (
                "sum of waveforms",
                "not all were measured" if math.isnan(self.residual) else f"misses {self.residual:.1e} of the whole",
            ),
            ("root-sum-square, linear", f"{self.root_sum_square:.2e}, {self.linear_sum:.2e}"),
            ("first order", self.refused or _text(self.predicted)),
            ("slew ratio", f"{self.slew_ratio:.2g}"),
            ("resolution", f"{self.resolution:.1e}"),
        ]
        return rows

    def figures(self) -> dict[str, Any]:
        def of(one: Contribution) -> dict[str, Any]:
            return {
                "name": one.name,
                "states": one.states,
                "outputs": one.outputs,
                "predicted": one.predicted,
                "predicted_outputs": one.predicted_outputs,
                "refused": one.refused,
                "settled": one.settled,
            }

        return {
            "states": self.states,
            "outputs": self.outputs,
            "settled": self.settled,
            "dominating": self.dominating.name,
            "cure": self.cure,
            "contributions": [of(one) for one in self.contributions],
            "beside": [of(one) for one in self.beside],
            "tolerances": self.tolerances,
            "residual": self.residual,
            "root_sum_square": self.root_sum_square,
            "linear_sum": self.linear_sum,
            "predicted": self.predicted,
            "refused": self.refused,
            "slew_ratio": self.slew_ratio,
            "growth": self.growth,
            "gate": self.gate,
            "resolution": self.resolution,
        }

    def plot(self, path: Path | str | None = None) -> Figure:
        """Return the page of the budget, and write it where a path is given."""
        from ...pictures.budgets import plot_budget
        from ...pictures.files import save_figure

        return save_figure(plot_budget(self), path)

    def _line(self, one: Contribution) -> str:
        if not self.is_resolved(one):
            return f"below {RESOLVED * self.resolution:.1e}, which is not resolved"
        ends = "; it ends in another state" if one.settled == "different" else ""
        return f"{one.states:.2e} of states, {one.outputs:.2e} of outputs; predicted {_text(one.predicted)}{ends}"


def _text(value: float | None) -> str:
    return "none" if value is None else f"{value:.2e}"
