"""The neuron of Hopfield (1984) and Tank and Hopfield (1986): a passive summing node, amplifier and complement rail."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import partial

import numpy as np

from ..circuit import GROUND, Draft, Origin, Role, Stage
from ..graph import Graph
from ..values.brief import Brief
from ..values.errors import Unrealisable
from ..values.si_text import format_si
from .cell import Fragment
from .delay_line import MATCHED_LINE, DelayForm
from .elements import add_amplifier, add_bias, add_capacitors
from .population import Population, add_crossbar, delay_fragments, populations

# A leak conductance below this part of 1/R_i is rounding, not a resistor (it would be over 1e9 R_i).
NO_LEAK = 1e-9


@dataclass(frozen=True, kw_only=True)
class HopfieldTank(Brief):
    """The weights are resistors from amplifier rails into a node that is not a virtual ground, so they load it.

    1/R_i = 1/rho_i + sum_j |T_ij| + sum_k |B_ik|: the lowering solves for the leak rho_i (Hopfield 1984, eq. 6).
    The bias is an ideal current source. The amplifier has no input current and no output resistance; a negative
    weight comes from the complement rail.

    Raises Unrealisable where rho_i would be negative, with the exact rescaling that cures it.
    """

    delay: DelayForm = MATCHED_LINE
    name: str = "hopfield_tank"
    law: str = "C_i dx_i/dt = -x_i/rho_i + sum_j |T_ij| (s_ij v_j - x_i) + I_i,  v_i = g_i(x_i),  s_ij = sign T_ij"

    def fragments(self, graph: Graph) -> Iterable[Fragment]:
        """Return one fragment for each population of neurons, and one for each Delay of what they give."""
        for population in populations(graph):
            conductance = 1.0 / population.leak.resistance - population.loading()
            low = conductance < -NO_LEAK * population.loading()
            if low.any():
                raise Unrealisable(_message(graph, population, int(np.argmin(conductance))))
            yield Fragment(population.operators, partial(_build, population))

        yield from delay_fragments(graph, self.delay)

    def rescaling(self, graph: Graph) -> dict[str, float]:
        """Return s = min_i (1/R_i) / (sum_j |T_ij| + sum_k |B_ik|) for each Leak that needs it (s below 1).

        The input weights scale with T, so they stand in the sum.
        """
        factors = {}
        for population in populations(graph):
            factor = _factor(population)
            if 0.0 < factor < 1.0:
                factors[population.leak.name] = factor
        return factors


def _factor(population: Population) -> float:
    loading = population.loading()
    loaded = loading > 0.0
    ratio = 1.0 / population.leak.resistance[loaded] / loading[loaded]
    return float(np.min(ratio, initial=np.inf))


def _message(graph: Graph, population: Population, neuron: int) -> str:
    leak = population.leak
    label = graph.labels(leak)[neuron]
    allowed = 1.0 / float(leak.resistance[neuron])
    total = float(population.loading()[neuron])
    head = (
        f"hopfield_tank, neuron {label} of {leak.name!r}: its weights add up to {format_si(total, 'S')}, above "
        f"1/R = {format_si(allowed, 'S')}, so its leak would be negative"
    )
    factor = _factor(population)
    if factor == 0.0:
        return f"{head}; no rescaling gives a passive node an infinite R: use cell='inverting_integrator'"
    slope = next((_slope(op.function.params().get("gain")) for op in population.activates), None)
    gain = "" if slope is None else f", gain {slope:.4g} becomes {slope / factor:.4g}"
    return (
        f"{head}; the exact cure is to multiply state, weights and bias by s = {_round_down(factor)} at most and the "
        f"slope by 1/s{gain}: lower(..., rescale=True) or --rescale does it; or use cell='inverting_integrator'"
    )


def _round_down(factor: float) -> str:
    """Return six digits that are not above the factor, so that what is printed works when it is applied by hand."""
    exponent = np.floor(np.log10(factor)) - 5
    return f"{np.floor(factor / 10.0**exponent + 1e-9) * 10.0**exponent:.6g}"


def _slope(gain: object) -> float | None:
    if isinstance(gain, list):
        return float(np.max(gain))
    return gain if isinstance(gain, float) else None


def _build(population: Population, draft: Draft) -> None:
    leak = population.leak
    nodes = draft.nodes(leak)
    draft.state(leak, nodes)
    draft.sketch(leak, Stage.RC, inputs=population.affines)
    add_capacitors(draft, leak, nodes)
    leakage = 1.0 / leak.resistance - population.loading()
    for k, (conductance, resistance) in enumerate(zip(leakage.tolist(), leak.resistance.tolist(), strict=True)):
        if conductance * resistance > NO_LEAK:
            origin = Origin(leak.name, Role.RESISTANCE, (k,))
            draft.add_resistor(f"R_{draft.label(leak.name, k)}", (nodes[k], GROUND), 1.0 / conductance, origin)
    for affine in population.affines:
        add_crossbar(draft, affine, nodes)
        add_bias(draft, affine, nodes)
    for activate in population.activates:
        add_amplifier(draft, activate, nodes)
