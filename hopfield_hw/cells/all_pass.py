"""Delays that can be soldered: a row of first-order all-pass stages, one op-amp each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from ..circuit import GROUND, Draft, Origin, Role
from ..graph import Delay, Leak
from ..parts import Capacitor, as_op_amp
from ..values.arrays import positive
from ..values.brief import Brief
from ..values.errors import Unrealisable
from .delay_line import check_delays, constant_history, find_used, new_node, tau_of

MOST_STAGES = 256


@dataclass(frozen=True, kw_only=True)
class AllPass(Brief):
    """exp(-s tau) by ((1 - s RC) / (1 + s RC))^N, R C = tau / (2 N): what passes keeps its size, and comes late.

    A sine of w rad/s comes late by 2 N arctan(w tau / (2 N)) rad in place of w tau: too early by (w tau)^3 / (12 N^2)
    at most. N is the least with which that is `accuracy` rad at the bandwidth w, which is 1/min(R C) of the graph
    unless one is given. A jump, which has no bandwidth, comes as a ripple. The op-amps add some 2 N / A.

    `accuracy`: rad. `bandwidth`: rad/s. `resistance`: of all resistors, ohms. `op_amp`: or its gain A.
    """

    accuracy: float = 1e-2
    bandwidth: float | None = None
    resistance: float = 1e4
    op_amp: Any = 1e5
    name: str = "all_pass"

    def __post_init__(self) -> None:
        object.__setattr__(self, "op_amp", as_op_amp(self.op_amp, "AllPass.op_amp"))
        units = {"accuracy": "rad", "bandwidth": "rad/s", "resistance": "Ohm"}
        for field, unit in units.items():
            if getattr(self, field) is not None or field != "bandwidth":
                value = positive(getattr(self, field), f"AllPass.{field}", shape=(), unit=unit)
                object.__setattr__(self, field, float(value))

    def stages(self, tau: float, bandwidth: float) -> int:
        """Return N. Raises Unrealisable above 256."""
        number = max(int(np.ceil(np.sqrt((bandwidth * tau) ** 3 / (12.0 * self.accuracy)))), 1)
        if number > MOST_STAGES:
            raise Unrealisable(
                f"all_pass: a delay of {tau:.4g} s at {bandwidth:.4g} rad/s to {self.accuracy:g} rad takes {number} "
                f"stages, at most {MOST_STAGES}; ask for less accuracy or bandwidth"
            )
        return number

    def add(self, draft: Draft, delay: Delay, inputs: tuple[str, ...]) -> None:
        """Add the stages of each element; their capacitors start at the history."""
        check_delays(draft, delay)
        tau = tau_of(delay)
        number = self.stages(tau, self._bandwidth(draft))
        capacitance = tau / (2.0 * number) / self.resistance
        ends, taken = draft.nodes(delay), find_used(draft.graph, delay)
        for k, (into, volts) in enumerate(zip(inputs, constant_history(delay).tolist(), strict=True)):
            if not taken[k]:
                continue
            origin, before = Origin(delay.name, Role.STAGE, (k,)), into
            for j in range(number):
                part = f"{draft.label(delay.name, k)}_{j}"
                plus, minus = (new_node(draft, delay, f"{role}_{k}_{j}") for role in ("plus", "minus"))
                out = ends[k] if j == number - 1 else new_node(draft, delay, f"stage_{k}_{j}")
                draft.add_resistor(f"R_{part}_plus", (before, plus), self.resistance, origin)
                draft.add(f"C_{part}", Capacitor(capacitance), (plus, GROUND), origin)
                draft.add_resistor(f"R_{part}_minus", (before, minus), self.resistance, origin)
                draft.add_resistor(f"R_{part}_back", (minus, out), self.resistance, origin)
                draft.add_op_amp(part, self.op_amp, (plus, minus), out, origin)
                draft.start(plus, volts)
                before = out

    def _bandwidth(self, draft: Draft) -> float:
        if self.bandwidth is not None:
            return self.bandwidth
        shortest = [float(np.min(leak.resistance * leak.capacitance)) for leak in draft.graph.of_type(Leak)]
        if not shortest or not np.isfinite(min(shortest)):
            raise Unrealisable("all_pass: the graph has no finite R C to take a bandwidth from; give one, rad/s")
        return 1.0 / min(shortest)
