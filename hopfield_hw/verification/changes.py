"""What a change of one value does to all states along a run: the equation of a graph in which it is changed."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import scipy.sparse as sp

from ..arrays import Array
from ..graph import Affine, Delay, Edge, Graph, Leak, Operator
from ..graph.weights import linear
from ..signals import Signal
from .effects import Value
from .steps import Run

# The relative change of a value that is tried: small, and well above rounding.
TRIED = 1e-3
SUFFIX = "_changed"


def moved_by(run: Run, value: Value) -> Array:
    """Return by how much a relative change of 1 of a value moves all states, by its effect to first order.

    (pieces, continuous) of a run whose states flow, (edges, held) of a map.
    """
    other = run.beside(changed(run.graph, value, 1.0 + TRIED))
    if run.along.continuous == 0:
        return (run.edges.volts - other.edges.volts) / TRIED
    return (run.steps.volts - other.steps.volts) / TRIED


def changed(graph: Graph, value: Value, factor: float) -> Graph:
    """Return a graph in which one value is multiplied by a factor, its states in the same order."""
    operator, element = graph.by_name[value.operator], value.element
    match value.kind:
        case "weight" | "loading" | "bias":
            assert isinstance(operator, Affine)
            return _replaced(graph, _with_weight(operator, value, factor))
        case "capacitance" | "resistance":
            assert isinstance(operator, Leak)
            factors = np.ones(operator.output_size)
            factors[element[0]] = factor
            if value.kind == "capacitance":
                return _replaced(graph, replace(operator, capacitance=operator.capacitance * factors))
            return _replaced(graph, replace(operator, resistance=operator.resistance * factors))
        case "argument" | "drive" | "held":
            gain = _gain(operator, operator.input_size, element[0], factor)
            edges = [edge._replace(target=gain.name) if edge.target == operator.name else edge for edge in graph.edges]
            return replace(graph, operators=(*graph.operators, gain), edges=(*edges, Edge(gain.name, operator.name)))
        case "output":
            gain = _gain(operator, operator.output_size, element[0], factor)
            edges = [edge._replace(source=gain.name) if edge.source == operator.name else edge for edge in graph.edges]
            return replace(graph, operators=(*graph.operators, gain), edges=(*edges, Edge(operator.name, gain.name)))
        case "delay":
            assert isinstance(operator, Delay)
            return _with_delay(graph, operator, element[0], factor)


def _replaced(graph: Graph, operator: Operator) -> Graph:
    operators = tuple(operator if each.name == operator.name else each for each in graph.operators)
    return replace(graph, operators=operators)


def _with_weight(affine: Affine, value: Value, factor: float) -> Affine:
    edge = getattr(affine.weights, "offset", None)
    bias = affine.offset + (edge() if callable(edge) else 0.0)
    if value.kind == "bias":
        bias[value.element[0]] *= factor
        weights = linear(affine.weights)
    elif isinstance(affine.weights, np.ndarray):
        weights = affine.weights.copy()
        weights[value.element] *= factor
    else:
        weights = sp.csr_array(linear(affine.weights)).copy()
        weights[value.element] *= factor
    return replace(affine, weights=weights, bias=bias)


def _gain(operator: Operator, size: int, element: int, factor: float, name: str = SUFFIX) -> Affine:
    """Return a gain of 1 for each element but one."""
    gains = np.ones(size)
    gains[element] = factor
    return Affine(name=f"{operator.name}{name}", weights=sp.csr_array(sp.diags_array(gains)))


def _with_delay(graph: Graph, delay: Delay, element: int, factor: float) -> Graph:
    """Return a graph in which one element of a Delay comes from a Delay of another length."""
    tau = delay.tau
    later = replace(tau, values=tau.values * factor) if isinstance(tau, Signal) else tau * factor
    other = replace(delay, name=f"{delay.name}{SUFFIX}", tau=later)
    rest = _gain(delay, delay.size, element, 0.0, f"{SUFFIX}_rest")
    only = np.zeros(delay.size)
    only[element] = 1.0
    one = Affine(name=f"{delay.name}{SUFFIX}_one", weights=sp.csr_array(sp.diags_array(only)))
    edges: list[Edge] = []
    for edge in graph.edges:
        if edge.source == delay.name:
            edges += [edge._replace(source=rest.name), edge._replace(source=one.name)]
        elif edge.target == delay.name:
            edges += [edge, edge._replace(target=other.name)]
        else:
            edges.append(edge)
    # A Delay that drives itself drives the other one too.
    edges += [Edge(source, other.name) for source in (rest.name, one.name) if Edge(source, delay.name) in edges]
    edges += [Edge(delay.name, rest.name), Edge(other.name, one.name)]
    return replace(graph, operators=(*graph.operators, other, rest, one), edges=tuple(edges))
