"""The gm-C neuron: transconductors charge a capacitor, and one of them is its leak."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from functools import partial

import numpy as np

from ..circuit import GROUND, Draft, Origin, Role, Stage
from ..graph import Graph
from ..parts import Transconductor
from ..values.arrays import positive
from ..values.brief import Brief
from .cell import Fragment
from .elements import add_amplifier, add_bias, add_capacitors
from .population import Population, add_transconductors, populations


@dataclass(frozen=True, kw_only=True)
class GmC(Brief):
    """A transconductor for each weight, and one as the leak, at a capacitor; any R_i, sign and size is realisable.

    `linear_range` V_s, volts: each gives G V_s tanh(v / V_s), a differential pair with V_s = 2 V_T times what its
    degeneration or attenuation adds; infinite for linear ones. The law is that of the network where V_s is well above
    its voltages: the third-order error is (v / V_s)^2 / 3 of a current.
    """

    linear_range: float = math.inf
    name: str = "gm_c"
    law: str = "C_i dx_i/dt = -s(x_i)/R_i + sum_j T_ij s(v_j) + I_i,  v_i = g_i(x_i),  s(v) = V_s tanh(v / V_s)"

    def __post_init__(self) -> None:
        reach = positive(self.linear_range, "GmC.linear_range", shape=(), unit="V", allow_inf=True)
        object.__setattr__(self, "linear_range", float(reach))

    def fragments(self, graph: Graph) -> Iterable[Fragment]:
        """Return one fragment for each population of neurons."""
        for population in populations(graph):
            yield Fragment(population.operators, partial(self._build, population))

    def rescaling(self, graph: Graph) -> dict[str, float]:
        """Return nothing: every value is realisable."""
        return {}

    def _build(self, population: Population, draft: Draft) -> None:
        leak = population.leak
        nodes = draft.nodes(leak)
        draft.state(leak, nodes)
        draft.sketch(leak, Stage.RC, inputs=population.affines)
        add_capacitors(draft, leak, nodes)
        for k, value in enumerate(leak.resistance.tolist()):
            if np.isfinite(value):
                ports = (nodes[k], GROUND, nodes[k], GROUND)
                part = Transconductor(1.0 / value, self.linear_range)
                draft.add(f"G_{draft.label(leak.name, k)}", part, ports, Origin(leak.name, Role.RESISTANCE, (k,)))
        for affine in population.affines:
            add_transconductors(draft, affine, nodes, linear_range=self.linear_range)
            add_bias(draft, affine, nodes)
        for activate in population.activates:
            add_amplifier(draft, activate, nodes)
