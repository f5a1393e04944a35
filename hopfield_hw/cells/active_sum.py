"""The virtual-ground neuron: an inverting summing integrator, so that the weights do not load one another."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import partial

import numpy as np

from ..circuit import GROUND, Draft, Origin
from ..graph import Graph
from ..values.arrays import positive
from ..values.brief import Brief
from .cell import Fragment
from .delay_line import MATCHED_LINE, DelayForm
from .ideal import add_amplifier, add_bias, add_capacitors
from .population import Population, add_crossbar, delay_fragments, populations


@dataclass(frozen=True, kw_only=True)
class ActiveSum(Brief):
    """An op-amp holds the summing node at ground; C_i and R_i are its feedback, and it gives -x_i.

    Any R_i is realisable (infinite: an integrator without leak). The op-amp is a voltage-controlled source of
    `open_loop_gain` A: the law holds to about (1 + R_i sum_j |T_ij|) / A.
    """

    open_loop_gain: float = 1e7
    delay: DelayForm = MATCHED_LINE
    name: str = "active_sum"
    law: str = "C_i dx_i/dt = -x_i/R_i + sum_j T_ij v_j + I_i,  v_i = g_i(x_i), to (1 + R_i sum_j |T_ij|)/A"

    def __post_init__(self) -> None:
        positive(self.open_loop_gain, "ActiveSum.open_loop_gain", shape=(), unit="V/V")

    def fragments(self, graph: Graph) -> Iterable[Fragment]:
        """Return one fragment for each population of neurons, and one for each Delay of what they give."""
        for population in populations(graph):
            yield Fragment(population.operators, partial(self.build, population))

        yield from delay_fragments(graph, self.delay)

    def rescaling(self, graph: Graph) -> dict[str, float]:
        """Return nothing: every value is realisable."""
        return {}

    def build(self, population: Population, draft: Draft) -> None:
        """Add the devices of a population."""
        leak = population.leak
        summing, inverted = draft.new_nodes(leak, "_sum"), draft.new_nodes(leak, "n")
        draft.state(leak, inverted, scale=-1.0)
        add_capacitors(draft, leak, summing, inverted)
        for k, value in enumerate(leak.resistance.tolist()):
            if np.isfinite(value):
                origin = Origin(leak.name, "resistance", (k,))
                draft.add(f"R_{leak.name}_{k}", (summing[k], inverted[k]), value, origin)
            ports = (inverted[k], GROUND, GROUND, summing[k])
            draft.add(f"E_{leak.name}_{k}", ports, float(self.open_loop_gain), Origin(leak.name, "op_amp", (k,)))
        for affine in population.affines:
            add_crossbar(draft, affine, summing)
            add_bias(draft, affine, summing)
        for activate in population.activates:
            add_amplifier(draft, activate, (f"(-v({node}))" for node in inverted))
