"""The winner-take-all stage: neurons that inhibit one another alike do so over one common line."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import partial

import numpy as np

from ..circuit import GROUND, Draft, Origin
from ..graph import Activate, Affine, Graph
from ..graph.weights import diagonal_weights
from ..values.arrays import positive
from .active_sum import ActiveSum
from .cell import Fragment
from .ideal import add_bias
from .population import Population, add_crossbar, populations

# Weights off the diagonal count as equal within this part of the largest one.
ALIKE = 1e-12


@dataclass(frozen=True, kw_only=True)
class WinnerTakeAll:
    """The neuron of ActiveSum, where inhibition that is the same between all, T_ij = -w for i != j, has a common line.

    An inverting adder of all rails gives -sum_j v_j, and one resistor 1/w takes it to each neuron, so that n neurons
    have 2 n resistors for their inhibition in place of n (n - 1). What is left on the diagonal, T_ii + w, is a resistor
    of its own. Any other matrix is a crossbar, as in ActiveSum. Op-amps have `open_loop_gain` A.
    """

    open_loop_gain: float = 1e7
    name: str = "winner_take_all"
    law: str = "C_i dx_i/dt = -x_i/R_i + (T_ii + w) v_i - w sum_j v_j + I_i,  v_i = g_i(x_i), to n/A"

    def __post_init__(self) -> None:
        positive(self.open_loop_gain, "WinnerTakeAll.open_loop_gain", shape=(), unit="V/V")

    def fragments(self, graph: Graph) -> Iterable[Fragment]:
        """Return one fragment for each population of neurons."""
        for population in populations(graph):
            yield Fragment(population.operators, partial(self._build, population))

    def rescaling(self, graph: Graph) -> dict[str, float]:
        """Return nothing: every value is realisable."""
        return {}

    def _build(self, population: Population, draft: Draft) -> None:
        found = [(affine, inhibition(draft.graph, affine)) for affine in population.affines]
        others = tuple(affine for affine, w in found if w is None)
        ActiveSum(open_loop_gain=self.open_loop_gain).build(population._replace(affines=others), draft)
        summing = draft.new_nodes(population.leak, "_sum")
        for affine, w in found:
            if w is not None:
                self._add_line(draft, affine, w, summing)
                add_bias(draft, affine, summing)

    def _add_line(self, draft: Draft, affine: Affine, w: float, summing: tuple[str, ...]) -> None:
        (source,) = draft.graph.drivers(affine)
        name = affine.name
        total, line = f"{name}_total", f"{name}_line"
        for node, role in ((total, "total"), (line, "line")):
            draft.claim(node, affine, role)
        draft.add(f"R_{name}_fb", (total, line), 1.0 / w, Origin(name, "feedback", (0,)))
        ports = (line, GROUND, GROUND, total)
        draft.add(f"E_{name}_line", ports, float(self.open_loop_gain), Origin(name, "op_amp", (0,)))
        for k, (rail, node) in enumerate(zip(draft.nodes(source), summing, strict=True)):
            draft.add(f"R_{name}_from_{k}", (rail, total), 1.0 / w, Origin(name, "common", (k,)))
            draft.add(f"R_{name}_to_{k}", (line, node), 1.0 / w, Origin(name, "common_line", (k,)))
        own = affine.weights.matrix.diagonal() + w
        own[np.abs(own) <= ALIKE * w] = 0.0
        add_crossbar(draft, replace(affine, weights=diagonal_weights(own)), summing)


def inhibition(graph: Graph, affine: Affine) -> float | None:
    """Return w where an Affine of three neurons or more has T_ij = -w < 0 everywhere off the diagonal; else None."""
    n = affine.output_size
    if n != affine.input_size or n < 3 or not isinstance(graph.drivers(affine)[0], Activate):
        return None
    values, rows, columns = affine.weights.entries()
    off = values[rows != columns]
    if off.size < n * (n - 1):
        return None
    w = -float(off[0])
    alike = bool(np.all(np.abs(off + w) <= ALIKE * abs(w)))
    return w if w > 0.0 and alike else None
