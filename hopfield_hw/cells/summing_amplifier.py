"""The summing amplifier: an op-amp adder, then a resistor and a capacitor; its gain before them or after."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, NamedTuple

import numpy as np

from ..circuit import GROUND, Draft, Origin, Role, Stage
from ..functions import Softmax
from ..graph import Activate, Affine, Graph, Input, Leak
from ..parts import as_op_amp
from ..values.arrays import Array, positive
from ..values.brief import Brief
from ..values.errors import Unrealisable
from ..values.si_text import format_si
from .cell import Fragment
from .elements import add_amplifier, add_bias, add_capacitors
from .population import Population, add_crossbar, populations


class StaticField(NamedTuple):
    """One population of the static-field model: Leak <- [conductances <-] gain <- Affines <- (Leaks, or Inputs)."""

    leak: Leak
    activate: Activate
    affines: tuple[Affine, ...]
    current: Affine | None
    conductance: Array

    @property
    def operators(self) -> tuple[str, ...]:
        """The names of the operators covered."""
        others = () if self.current is None else (self.current.name,)
        return (self.leak.name, self.activate.name, *others, *(affine.name for affine in self.affines))


@dataclass(frozen=True, kw_only=True)
class SummingAmplifier(Brief):
    """An inverting adder drives a resistor and a capacitor to ground.

    Static field: the adder gives -(W x + q), with input resistors `feedback`/|W_ij|; a saturating amplifier g follows,
    and R and C; a follower buffers x. Local field (Hopfield): the adder gives -R_i (sum_j T_ij v_j + I_i), and
    its RC has -x_i, which the amplifiers read. `op_amp`: its model, or its open-loop gain A: the laws
    hold to about (1 + sum of the gains of an adder) / A.

    Raises Unrealisable for an infinite R, and for a gain that charges a capacitor through more than its 1/R.
    """

    op_amp: Any = 1e7
    feedback: float = 1e4
    name: str = "summing_amplifier"
    law: str = "R_i C_i dx_i/dt = -x_i + g_i(sum_j W_ij x_j + q_i), or -x_i + R_i (sum_j T_ij v_j + I_i); to 1/A"

    def __post_init__(self) -> None:
        object.__setattr__(self, "op_amp", as_op_amp(self.op_amp, "SummingAmplifier.op_amp"))
        feedback = positive(self.feedback, "SummingAmplifier.feedback", shape=(), unit="Ohm")
        object.__setattr__(self, "feedback", float(feedback))

    def fragments(self, graph: Graph) -> Iterable[Fragment]:
        """Return one fragment for each population of neurons, of either form."""
        for population in populations(graph):
            _refuse_integrators(graph, population.leak)
            yield Fragment(population.operators, partial(self._build_local, population))
        for stage in find_static_fields(graph):
            _refuse_integrators(graph, stage.leak)
            allowed = 1.0 / stage.leak.resistance
            over = stage.conductance > allowed * (1.0 + 1e-9)
            if over.any():
                k = int(np.argmax(over))
                raise Unrealisable(
                    f"summing_amplifier, neuron {graph.labels(stage.leak)[k]} of {stage.leak.name!r}: its gain drives "
                    f"it through {format_si(float(stage.conductance[k]), 'S')}, above 1/R = "
                    f"{format_si(float(allowed[k]), 'S')}; put the factor into the amplitude of the gain, or use "
                    "cell='ideal'"
                )
            yield Fragment(stage.operators, partial(self._build_static, stage))

    def rescaling(self, graph: Graph) -> dict[str, float]:
        """Return nothing: no rescaling makes an integrator of a passive RC."""
        return {}

    def _build_local(self, population: Population, draft: Draft) -> None:
        leak = population.leak
        draft.use_op_amps(self.op_amp, self.feedback)
        nodes = draft.new_nodes(leak, "n")
        draft.state(leak, nodes, scale=-1.0)
        draft.sketch(leak, Stage.ADDER, Stage.SERIES_RC, inputs=population.affines)
        driven = self._add_adder(draft, leak, population.affines, leak.resistance)
        self._add_rc(draft, leak, driven, nodes, 1.0 / leak.resistance)
        for activate in population.activates:
            add_amplifier(draft, activate, nodes, inverting=True)

    def _build_static(self, stage: StaticField, draft: Draft) -> None:
        leak, activate = stage.leak, stage.activate
        draft.use_op_amps(self.op_amp, self.feedback)
        nodes = draft.new_nodes(leak, "_rc")
        draft.state(leak, nodes)
        draft.sketch(
            leak, Stage.ADDER, (Stage.AMPLIFIER, activate), Stage.SERIES_RC, Stage.FOLLOWER, inputs=stage.affines
        )
        ohms = np.full(activate.size, self.feedback)
        scaled = [
            replace(op, weights=op.weights.scale(1.0 / self.feedback), bias=op.bias / self.feedback)
            for op in stage.affines
        ]
        driven = self._add_adder(draft, leak, scaled, ohms)
        add_amplifier(draft, activate, driven, inverting=True)
        self._add_rc(draft, leak, draft.nodes(activate), nodes, stage.conductance)

    def _add_adder(self, draft: Draft, leak: Leak, affines: Iterable[Affine], feedback: Array) -> tuple[str, ...]:
        """Add an inverting adder for each neuron, and return its output nodes."""
        summing, outputs = draft.new_nodes(leak, "_sum"), draft.new_nodes(leak, "_add")
        for k, value in enumerate(feedback.tolist()):
            origin = Origin(leak.name, Role.OP_AMP, (k,))
            name = draft.label(leak.name, k)
            draft.add_resistor(f"R_{name}_fb", (summing[k], outputs[k]), value, Origin(leak.name, Role.FEEDBACK, (k,)))
            draft.add_op_amp(name, self.op_amp, (GROUND, summing[k]), outputs[k], origin)
        for affine in affines:
            add_crossbar(draft, affine, summing)
            add_bias(draft, affine, summing)
        return outputs

    def _add_rc(
        self, draft: Draft, leak: Leak, driven: tuple[str, ...], nodes: tuple[str, ...], conductance: Array
    ) -> None:
        add_capacitors(draft, leak, nodes)
        for k, through in enumerate(conductance.tolist()):
            origin = Origin(leak.name, Role.RESISTANCE, (k,))
            rest = 1.0 / float(leak.resistance[k]) - through
            if through > 0.0:
                draft.add_resistor(f"R_{draft.label(leak.name, k)}", (driven[k], nodes[k]), 1.0 / through, origin)
            if rest > 1e-9 / float(leak.resistance[k]):
                draft.add_resistor(f"R_{draft.label(leak.name, k)}_rest", (nodes[k], GROUND), 1.0 / rest, origin)


def find_static_fields(graph: Graph) -> tuple[StaticField, ...]:
    """Return the populations of a graph that are in the form of the static-field model."""
    found = []
    for leak in graph.of_type(Leak):
        drivers = graph.drivers(leak)
        if len(drivers) != 1:
            continue
        (driver,) = drivers
        current, conductance = None, np.ones(leak.output_size)
        if isinstance(driver, Affine):
            current, sources = driver, graph.drivers(driver)
            diagonal = _diagonal(driver)
            if len(sources) != 1 or len(graph.targets(driver)) != 1 or diagonal is None:
                continue
            (driver,), conductance = sources, diagonal
        if not isinstance(driver, Activate) or isinstance(driver.function, Softmax):
            continue
        inputs = graph.drivers(driver)
        affines = tuple(op for op in inputs if isinstance(op, Affine) and _is_adder(graph, op))
        if len(affines) == len(inputs):
            found.append(StaticField(leak, driver, affines, current, conductance))
    return tuple(found)


def _is_adder(graph: Graph, affine: Affine) -> bool:
    drivers = graph.drivers(affine)
    return len(drivers) == len(graph.targets(affine)) == 1 and isinstance(drivers[0], Leak | Input)


def _diagonal(affine: Affine) -> Array | None:
    """Return the diagonal of an Affine that is nothing but conductances one to one; None for any other."""
    diagonal = affine.weights.diagonal()
    return None if diagonal is None or np.any(affine.constant) or np.any(diagonal < 0.0) else diagonal


def _refuse_integrators(graph: Graph, leak: Leak) -> None:
    infinite = np.isinf(leak.resistance)
    if infinite.any():
        raise Unrealisable(
            f"summing_amplifier, neuron {graph.labels(leak)[int(np.argmax(infinite))]} of {leak.name!r}: R is "
            "infinite, and a resistor and a capacitor do not integrate; use cell='inverting_integrator'"
        )
