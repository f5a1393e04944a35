"""The ideal cell: one exact device for each element of each operator. It loads nothing and realises any network."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from types import MappingProxyType
from typing import Any

from ..circuit import GROUND, Draft, Origin, Role
from ..circuit.draft import Crossings
from ..functions import Softmax
from ..functions.expressions import ARGUMENT, Argument, Expression, call, maximum, minimum
from ..graph import Activate, Affine, Delay, Graph, Hadamard, Hold, Leak, Operator, Output, Quantise, Sign
from ..parts import Behaviour, Resistor, Transconductance
from ..values.brief import Brief
from .cell import Fragment
from .delay_line import add_delay
from .elements import add_amplifier, add_bias, add_comparators, add_leak
from .sample_hold import add_sample_hold, ideal_sample_hold
from .softmax import add_softmax

# A voltage this near to halfway between two levels, in pairs of steps, counts as halfway: the solver is no nearer.
HALFWAY = 1e-9
OHM = Resistor(1.0, is_computing=True)
PRODUCT = Behaviour(Argument(0) * Argument(1))


@dataclass(frozen=True, kw_only=True)
class Ideal(Brief):
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
    name, add, label = affine.name, draft.add, draft.label
    if draft.crossbars and values.size:
        draft.add_crossbar("G", affine, nodes, sources, Crossings(values, rows, columns, tuple(range(len(sources)))))
        add_bias(draft, affine, nodes)
        return
    for value, i, j in zip(values.tolist(), rows.tolist(), columns.tolist(), strict=True):
        ports = (GROUND, nodes[i], sources[j], GROUND)
        add(f"G_{label(name, i, j)}", Transconductance(value), ports, Origin(name, Role.WEIGHT, (i, j)))
    add_bias(draft, affine, nodes)


def _build_activate(draft: Draft, activate: Activate) -> None:
    inputs = _input_nodes(draft, activate)
    if isinstance(activate.function, Softmax):
        add_softmax(draft, activate, activate.function, inputs)
    else:
        add_amplifier(draft, activate, inputs)


def _build_hadamard(draft: Draft, product: Hadamard) -> None:
    left, right = (_input_nodes(draft, product, port) for port in product.ports)
    for k, node in enumerate(draft.nodes(product)):
        nodes = (node, GROUND, left[k], right[k])
        draft.add(f"B_{draft.label(product.name, k)}", PRODUCT, nodes, Origin(product.name, Role.PRODUCT, (k,)))


def _build_sign(draft: Draft, sign: Sign) -> None:
    drives, ties = (_input_nodes(draft, sign, port) for port in sign.ports)
    add_comparators(draft, sign, drives, ties)


def _build_delay(draft: Draft, delay: Delay) -> None:
    add_delay(draft, delay, _input_nodes(draft, delay))


def _build_hold(draft: Draft, hold: Hold) -> None:
    add_sample_hold(draft, hold, _input_nodes(draft, hold), ideal_sample_hold(hold))


def _build_quantise(draft: Draft, converter: Quantise) -> None:
    for k, (node, source) in enumerate(zip(draft.nodes(converter), _input_nodes(draft, converter), strict=True)):
        origin = Origin(converter.name, Role.CONVERTER, (k,))
        part = Behaviour(_staircase(converter))
        draft.add(f"B_{draft.label(converter.name, k)}", part, (node, GROUND, source), origin)


def _staircase(converter: Quantise) -> Expression:
    """Return the nearest level, of an even number halfway; so it is of what rounding moved off the middle."""
    extent, last = converter.upper - converter.lower, float(converter.levels - 1)
    half, quarter = 0.5 * ((ARGUMENT - converter.lower) * last / extent), 0.25 + HALFWAY
    level = call("ceil", half - quarter) + call("floor", half + quarter)
    return converter.lower + extent / last * minimum(maximum(level, 0.0), last)


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
    """Return the nodes with the voltages that drive a port; several drivers are added up at separate nodes."""
    drivers = draft.graph.drivers(operator, port)
    if len(drivers) == 1:
        return draft.nodes(drivers[0])
    name = f"{operator.name}_{port}_sum"
    labels = (draft.suffix(operator.name, k) for k in range(operator.input_size))
    nodes = tuple(f"{name}{label}" for label in labels)
    for node in nodes:
        draft.claim(node, operator, port)
    _add_ohms(draft, name, nodes, operator.name)
    for source in drivers:
        _add_unity(draft, source, name, nodes)
    return nodes


def _add_ohms(draft: Draft, name: str, nodes: tuple[str, ...], operator: str) -> None:
    """Add 1 ohm to ground at each node, where currents add up to a voltage."""
    for k, node in enumerate(nodes):
        origin = Origin(operator, Role.SUM, (k,))
        draft.add(f"R_{name}{draft.suffix(operator, k)}", OHM, (node, GROUND), origin)


def _add_unity(draft: Draft, source: Operator, target: str, nodes: tuple[str, ...]) -> None:
    for k, (to, driver) in enumerate(zip(nodes, draft.nodes(source), strict=True)):
        name = f"G_{source.name}_to_{target}{draft.suffix(source.name, k)}"
        draft.add(name, Transconductance(1.0), (GROUND, to, driver, GROUND), Origin(source.name, Role.EDGE, (k,)))


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
