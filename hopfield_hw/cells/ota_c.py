"""The OTA-C neuron: transconductors charge a capacitor, and one of them is its leak."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from functools import partial

import numpy as np

from ..circuit import GROUND, Draft, Origin
from ..graph import Affine, Graph
from ..values.arrays import positive
from .cell import Fragment
from .ideal import add_amplifier, add_bias, add_capacitors
from .population import Population, populations


@dataclass(frozen=True, kw_only=True)
class OtaC:
    """A transconductor for each weight, and one as the leak, at a capacitor; any R_i, sign and size is realisable.

    `linear_range` V_s, volts: each gives G V_s tanh(v / V_s), a differential pair with V_s = 2 V_T times what its
    degeneration or attenuation adds; infinite for linear ones. The law is that of the network where V_s is well above
    its voltages: the third-order error is (v / V_s)^2 / 3 of a current.
    """

    linear_range: float = math.inf
    name: str = "ota_c"
    law: str = "C_i dx_i/dt = -s(x_i)/R_i + sum_j T_ij s(v_j) + I_i,  v_i = g_i(x_i),  s(v) = V_s tanh(v / V_s)"

    def __post_init__(self) -> None:
        reach = positive(self.linear_range, "OtaC.linear_range", shape=(), unit="V", allow_inf=True)
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
        add_capacitors(draft, leak, nodes)
        for k, value in enumerate(leak.resistance.tolist()):
            if np.isfinite(value):
                seen = self._limited(draft, leak.name, k, nodes[k])
                ports = (nodes[k], GROUND, seen, GROUND)
                draft.add(f"G_{leak.name}_{k}", ports, 1.0 / value, Origin(leak.name, "resistance", (k,)))
        for affine in population.affines:
            self._add_weights(draft, affine, nodes)
            add_bias(draft, affine, nodes)
        for activate in population.activates:
            add_amplifier(draft, activate, (f"v({node})" for node in nodes))

    def _add_weights(self, draft: Draft, affine: Affine, nodes: tuple[str, ...]) -> None:
        (source,) = draft.graph.drivers(affine)
        rails = draft.nodes(source)
        values, rows, columns = affine.weights.entries()
        seen = {j: self._limited(draft, affine.name, j, rails[j]) for j in sorted(set(columns.tolist()))}
        for value, i, j in zip(values.tolist(), rows.tolist(), columns.tolist(), strict=True):
            ports = (GROUND, nodes[i], seen[j], GROUND)
            draft.add(f"G_{affine.name}_{i}_{j}", ports, value, Origin(affine.name, "weights", (i, j)))

    def _limited(self, draft: Draft, operator: str, k: int, node: str) -> str:
        """Return a node with s(v): what all pairs with this input make of it, as they have one V_s."""
        if math.isinf(self.linear_range):
            return node
        limited = f"{operator}_pair_{k}"
        draft.claim(limited, draft.graph.by_name[operator], "pair")
        expression = f"{self.linear_range!r}*tanh(v({node})/{self.linear_range!r})"
        draft.add(f"B_{operator}_pair_{k}", (limited, GROUND), expression, Origin(operator, "pair", (k,)))
        return limited
