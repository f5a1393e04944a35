"""The inverting summing integrator: a virtual ground, so that the weights do not load one another."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np

from ..circuit import GROUND, Draft, Origin, Role, Stage
from ..graph import Affine, Graph
from ..graph.weights import diagonal_weights
from ..parts import as_op_amp
from ..values.arrays import positive
from ..values.brief import Brief
from .amplifiers import as_amplifier
from .cell import Fragment
from .common_line import ALIKE, add_common_line, common_inhibition
from .delay_line import MATCHED_LINE, DelayForm
from .elements import add_bias, add_bias_resistors, add_capacitors, add_leak_resistors
from .population import Population, add_crossbar, delay_fragments, populations
from .summing import Summing


@dataclass(frozen=True, kw_only=True)
class InvertingIntegrator(Brief):
    """An op-amp holds the summing node at ground; C_i and R_i are its feedback, and it gives -x_i.

    Any R_i is realisable (infinite: an integrator without leak). `op_amp`: its model, or its open-loop gain A: the law
    holds to about (1 + R_i sum_j |T_ij|) / A. `resistance`: of the inverters that give complement rails, ohms.

    `common_line`: inhibition that is the same between all, T_ij = -w for i != j, goes over one line: an inverting adder
    of all rails gives -sum_j v_j, and a resistor 1/w takes it to each neuron: 2 n resistors in place of n (n - 1). What
    is left on the diagonal, T_ii + w, is a resistor beside it. Any other matrix is a crossbar.

    `amplifier`: how gain curves are made, by a name of AMPLIFIERS or an Amplifier: "exact", an ideal source, or of
    parts, and then a bias is a resistor from the positive or the negative `reference`, volts, in place of an ideal
    current source, so that nothing on the board is ideal but its references. `resistance`: of the amplifiers' inputs
    too.
    """

    op_amp: Any = 1e7
    resistance: float = 1e4
    amplifier: Any = "exact"
    reference: float = 10.0
    common_line: bool = False
    delay: DelayForm = MATCHED_LINE
    name: str = "inverting_integrator"
    law: str = "C_i dx_i/dt = -x_i/R_i + sum_j T_ij v_j + I_i,  v_i = g_i(x_i), to (1 + R_i sum_j |T_ij|)/A"

    def __post_init__(self) -> None:
        object.__setattr__(self, "op_amp", as_op_amp(self.op_amp, "InvertingIntegrator.op_amp"))
        resistance = positive(self.resistance, "InvertingIntegrator.resistance", shape=(), unit="Ohm")
        object.__setattr__(self, "resistance", float(resistance))
        reference = positive(self.reference, "InvertingIntegrator.reference", shape=(), unit="V")
        object.__setattr__(self, "reference", float(reference))
        object.__setattr__(self, "amplifier", as_amplifier(self.amplifier, "InvertingIntegrator.amplifier"))

    def fragments(self, graph: Graph) -> Iterable[Fragment]:
        """Return one fragment for each population of neurons, and one for each Delay of what they give."""
        for population in populations(graph):
            yield Fragment(population.operators, partial(self._build, population))

        yield from delay_fragments(graph, self.delay)

    def rescaling(self, graph: Graph) -> dict[str, float]:
        """Return nothing: every value is realisable."""
        return {}

    def _build(self, population: Population, draft: Draft) -> None:
        leak, op_amp = population.leak, self.op_amp
        draft.use_op_amps(op_amp, self.resistance)
        summing, inverted = draft.new_nodes(leak, "_sum"), draft.new_nodes(leak, "n")
        draft.state(leak, inverted, scale=-1.0)
        draft.sketch(leak, Stage.INTEGRATOR, inputs=population.affines)
        add_capacitors(draft, leak, summing, inverted)
        add_leak_resistors(draft, leak, summing, inverted)
        for k, nodes in enumerate(zip(summing, inverted, strict=True)):
            at, output = nodes
            origin = Origin(leak.name, Role.OP_AMP, (k,))
            draft.add_op_amp(draft.label(leak.name, k), op_amp, (GROUND, at), output, origin)
        for affine in population.affines:
            w = common_inhibition(draft.graph, affine) if self.common_line else None
            add_crossbar(draft, affine if w is None else _without(affine, w), summing)
            if w is not None:
                add_common_line(draft, affine, w, summing, op_amp)
            if self.amplifier.in_parts:
                add_bias_resistors(draft, affine, summing, self.reference)
            else:
                add_bias(draft, affine, summing)
        make = Summing(op_amp=op_amp, resistance=self.resistance, reference=self.reference)
        for activate in population.activates:
            self.amplifier.add(draft, activate, inverted, make)


def _without(affine: Affine, w: float) -> Affine:
    """Return what is left of an Affine beside its common line: T_ii + w on the diagonal."""
    rest = affine.weights.matrix.diagonal() + w
    rest[np.abs(rest) <= ALIKE * w] = 0.0
    return replace(affine, weights=diagonal_weights(rest))


def with_common_line() -> InvertingIntegrator:
    """Return the integrator whose uniform inhibition goes over one common line."""
    law = "C_i dx_i/dt = -x_i/R_i + (T_ii + w) v_i - w sum_j v_j + I_i,  v_i = g_i(x_i), to n/A"
    return InvertingIntegrator(common_line=True, name="winner_take_all", law=law)
