"""The ideal cell: one exact device for each element of each operator. It loads nothing and realises any network."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from types import MappingProxyType
from typing import Any

import numpy as np

from ..circuit import GROUND, Draft, Origin
from ..functions import Function, Softmax
from ..graph import Activate, Affine, Delay, Graph, Hadamard, Hold, Leak, Operator, Output, Quantise, Sign
from .cell import Fragment
from .delay_line import add_delay
from .sample_hold import add_sample_hold, ideal_sample_hold
from .softmax import add_softmax

# A voltage this near to halfway between two levels, in pairs of steps, counts as halfway: the solver is no nearer.
HALFWAY = 1e-9


@dataclass(frozen=True, kw_only=True)
class Ideal:
    """C dx/dt = -x/R + sum of G sources: capacitor and leak at a node, a transconductance for each weight.

    Activate is a behavioural voltage source, Hadamard a product of voltages. Where currents are to become a voltage
    they flow into 1 ohm.
    """

    name: str = "ideal"
    law: str = "C_i dx_i/dt = -x_i/R_i + sum_j T_ij v_j + I_i,  v_i = g_i(x_i), no loading"

    def fragments(self, graph: Graph) -> Iterable[Fragment]:
        """Return one fragment for each operator."""
        for operator in graph.order:
            build = BUILDERS.get(type(operator))
            if build is not None:
                yield Fragment((operator.name,), partial(_build, build, operator))

    def rescaling(self, graph: Graph) -> dict[str, float]:
        """Return nothing: every value is realisable."""
        return {}


def add_amplifier(draft: Draft, activate: Activate, inputs: Iterable[str]) -> None:
    """Add one behavioural source for each element: v_i = g_i(input_i); `inputs` are voltage expressions."""
    for k, (node, expression) in enumerate(zip(draft.nodes(activate), inputs, strict=True)):
        curve: Function = activate.function if activate.function.size is None else activate.function.at(k)
        name = f"B_{activate.name}_{k}"
        draft.add(name, (node, GROUND), curve.spice(expression), Origin(activate.name, "function", (k,)))


def add_bias(draft: Draft, affine: Affine, nodes: tuple[str, ...]) -> None:
    """Add an ideal current source into each node to which the Affine adds a constant."""
    constant = affine.constant
    for k in np.flatnonzero(constant).tolist():
        draft.add(f"I_{affine.name}_{k}", (GROUND, nodes[k]), float(constant[k]), Origin(affine.name, "bias", (k,)))


def add_capacitors(draft: Draft, leak: Leak, plus: tuple[str, ...], minus: tuple[str, ...] | None = None) -> None:
    """Add the capacitors of a Leak, to ground where nothing else is said."""
    for k, value in enumerate(leak.capacitance.tolist()):
        to = GROUND if minus is None else minus[k]
        draft.add(f"C_{leak.name}_{k}", (plus[k], to), value, Origin(leak.name, "capacitance", (k,)))


def add_leak(draft: Draft, leak: Leak) -> tuple[str, ...]:
    """Add the capacitor and the resistor of each element of a Leak, from its node to ground; return the nodes."""
    nodes = draft.nodes(leak)
    draft.state(leak, nodes)
    add_capacitors(draft, leak, nodes)
    for k, value in enumerate(leak.resistance.tolist()):
        if np.isfinite(value):
            draft.add(f"R_{leak.name}_{k}", (nodes[k], GROUND), value, Origin(leak.name, "resistance", (k,)))
    return nodes


def _build(build: Callable[[Draft, Any], None], operator: Operator, draft: Draft) -> None:
    build(draft, operator)


def _build_leak(draft: Draft, leak: Leak) -> None:
    nodes = add_leak(draft, leak)
    for source in draft.graph.drivers(leak):
        if not _injects(draft.graph, source):
            _add_unity(draft, source, leak.name, nodes)


def _build_affine(draft: Draft, affine: Affine) -> None:
    graph = draft.graph
    if _injects(graph, affine):
        nodes = draft.nodes(graph.targets(affine)[0])
    else:
        nodes = draft.nodes(affine)
        _add_ohms(draft, affine.name, nodes, affine.name)
    sources = _input_nodes(draft, affine)
    values, rows, columns = affine.weights.entries()
    name, add = affine.name, draft.add
    for value, i, j in zip(values.tolist(), rows.tolist(), columns.tolist(), strict=True):
        ports = (GROUND, nodes[i], sources[j], GROUND)
        add(f"G_{name}_{i}_{j}", ports, value, Origin(name, "weights", (i, j)))
    add_bias(draft, affine, nodes)


def _build_activate(draft: Draft, activate: Activate) -> None:
    inputs = [f"v({node})" for node in _input_nodes(draft, activate)]
    if isinstance(activate.function, Softmax):
        add_softmax(draft, activate, activate.function, inputs)
    else:
        add_amplifier(draft, activate, inputs)


def _build_hadamard(draft: Draft, product: Hadamard) -> None:
    left, right = (_input_nodes(draft, product, port) for port in product.ports)
    for k, node in enumerate(draft.nodes(product)):
        expression = f"v({left[k]})*v({right[k]})"
        draft.add(f"B_{product.name}_{k}", (node, GROUND), expression, Origin(product.name, "product", (k,)))


def add_comparators(draft: Draft, sign: Sign, drives: tuple[str, ...], ties: tuple[str, ...]) -> None:
    """Add the comparator of each element of a Sign: its threshold lies at the band, on the side away from the tie."""
    for k, (node, drive, tie) in enumerate(zip(draft.nodes(sign), drives, ties, strict=True)):
        expression = f"{sign.amplitude!r}*sgn(v({drive})+{float(sign.band[k])!r}*sgn(v({tie})))"
        draft.add(f"B_{sign.name}_{k}", (node, GROUND), expression, Origin(sign.name, "comparator", (k,)))


def _build_sign(draft: Draft, sign: Sign) -> None:
    drives, ties = (_input_nodes(draft, sign, port) for port in sign.ports)
    add_comparators(draft, sign, drives, ties)


def _build_delay(draft: Draft, delay: Delay) -> None:
    add_delay(draft, delay, _input_nodes(draft, delay))


def _build_hold(draft: Draft, hold: Hold) -> None:
    add_sample_hold(draft, hold, _input_nodes(draft, hold), ideal_sample_hold(hold))


def _build_quantise(draft: Draft, converter: Quantise) -> None:
    for k, (node, source) in enumerate(zip(draft.nodes(converter), _input_nodes(draft, converter), strict=True)):
        extent, last = converter.upper - converter.lower, converter.levels - 1
        place = f"(v({source})-{converter.lower!r})*{float(last)!r}/{extent!r}"
        # Halfway, which `floor` and `ceil` share, an even level comes out; so it does of what rounding moved off it.
        quarter = repr(0.25 + HALFWAY)
        level = f"(ceil(0.5*{place}-{quarter})+floor(0.5*{place}+{quarter}))"
        expression = f"{converter.lower!r}+{extent / last!r}*min(max({level},0),{last})"
        draft.add(f"B_{converter.name}_{k}", (node, GROUND), expression, Origin(converter.name, "converter", (k,)))


def _build_output(draft: Draft, output: Output) -> None:
    nodes = draft.nodes(output)
    _add_ohms(draft, output.name, nodes, output.name)
    for source in draft.graph.drivers(output):
        _add_unity(draft, source, output.name, nodes)


def _injects(graph: Graph, operator: Operator) -> bool:
    """Whether an Affine's currents flow straight into one Leak's node."""
    targets = graph.targets(operator)
    return isinstance(operator, Affine) and len(targets) == 1 and isinstance(targets[0], Leak)


def _input_nodes(draft: Draft, operator: Operator, port: str = "in") -> tuple[str, ...]:
    """Return the nodes with the voltages that drive a port; several drivers are added up at nodes of their own."""
    drivers = draft.graph.drivers(operator, port)
    if len(drivers) == 1:
        return draft.nodes(drivers[0])
    name = f"{operator.name}_{port}_sum"
    nodes = tuple(f"{name}_{k}" for k in range(operator.input_size))
    for node in nodes:
        draft.claim(node, operator, port)
    _add_ohms(draft, name, nodes, operator.name)
    for source in drivers:
        _add_unity(draft, source, name, nodes)
    return nodes


def _add_ohms(draft: Draft, name: str, nodes: tuple[str, ...], operator: str) -> None:
    for k, node in enumerate(nodes):
        draft.add(f"R_{name}_{k}", (node, GROUND), 1.0, Origin(operator, "sum", (k,)))


def _add_unity(draft: Draft, source: Operator, target: str, nodes: tuple[str, ...]) -> None:
    for k, (to, driver) in enumerate(zip(nodes, draft.nodes(source), strict=True)):
        ports = (GROUND, to, driver, GROUND)
        draft.add(f"G_{source.name}_to_{target}_{k}", ports, 1.0, Origin(source.name, "edge", (k,)))


BUILDERS: Mapping[type[Operator], Callable[[Draft, Any], None]] = MappingProxyType(
    {
        Leak: _build_leak,
        Affine: _build_affine,
        Activate: _build_activate,
        Hadamard: _build_hadamard,
        Sign: _build_sign,
        Delay: _build_delay,
        Hold: _build_hold,
        Quantise: _build_quantise,
        Output: _build_output,
    }
)
