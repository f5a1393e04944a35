"""What a change of one value does to all states along a run: the equation of a graph in which it is changed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from ..graph import Affine, Delay, Edge, Graph, Leak, Operator
from ..graph.weights import diagonal_weights
from ..values.arrays import Array
from ..values.signals import Signal
from .effects import Value
from .steps import Run

# The relative change of a value that is tried: small, and well above rounding.
TRIED = 1e-3
SUFFIX = "_changed"


def imbalance(run: Run, extent: Array) -> Array:
    """Return by how much states and Outputs are off in each piece, (pieces, states + outputs), parts of their ranges.

    Of a map: its states at each edge.
    """
    if run.along.continuous == 0:
        return run.edges.volts / extent[: run.edges.volts.shape[1]]
    held = np.zeros((len(run.pieces), run.held.shape[1]))
    found = np.concatenate([run.steps.volts, held, run.outputs_off], axis=1)
    return found / extent[: found.shape[1]]


def measure_effect(run: Run, values: Sequence[Value], extent: Array) -> Array:
    """Return by how much a relative change of 1 of values together moves what `imbalance` tells of, to first order."""
    other = run.beside(change_values(run.graph, values, 1.0 + TRIED))
    return (imbalance(run, extent) - imbalance(other, extent)) / TRIED


def left_by(run: Run, values: Sequence[Value], factor: float, extent: Array) -> float:
    """Return the sum of the squares that is left of an imbalance where values are taken a factor larger."""
    return float(np.sum(imbalance(run.beside(change_values(run.graph, values, factor)), extent) ** 2))


def change_values(graph: Graph, values: Sequence[Value], factor: float) -> Graph:
    """Return a graph in which some values are multiplied by a factor."""
    for value in values:
        graph = change_value(graph, value, factor)
    return graph


def change_value(graph: Graph, value: Value, factor: float) -> Graph:
    """Return a graph in which one value is multiplied by a factor, its states in the same order."""
    operator, element = graph.by_name[value.operator], value.element
    match value.kind:
        case "weight" | "loading" | "bias":
            assert isinstance(operator, Affine)
            return _replace(graph, _with_weight(operator, value, factor))
        case "capacitance" | "resistance":
            assert isinstance(operator, Leak)
            factors = np.ones(operator.output_size)
            factors[element[0]] = factor
            if value.kind == "capacitance":
                return _replace(graph, replace(operator, capacitance=operator.capacitance * factors))
            return _replace(graph, replace(operator, resistance=operator.resistance * factors))
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


def _replace(graph: Graph, operator: Operator) -> Graph:
    operators = tuple(operator if each.name == operator.name else each for each in graph.operators)
    return replace(graph, operators=operators)


def _with_weight(affine: Affine, value: Value, factor: float) -> Affine:
    values, rows, columns = affine.weights.entries()
    if value.kind == "bias":
        bias = affine.constant.copy()
        bias[value.element[0]] *= factor
        return replace(affine, weights=affine.weights.with_values(values), bias=bias)
    i, j = value.element
    values = np.where((rows == i) & (columns == j), factor * values, values)
    return replace(affine, weights=affine.weights.with_values(values), bias=affine.constant)


def _gain(operator: Operator, size: int, element: int, factor: float, name: str = SUFFIX) -> Affine:
    """Return a gain of 1 for each element but one."""
    gains = np.ones(size)
    gains[element] = factor
    return Affine(name=f"{operator.name}{name}", weights=diagonal_weights(gains))


def _with_delay(graph: Graph, delay: Delay, element: int, factor: float) -> Graph:
    """Return a graph in which one element of a Delay comes from a Delay of another length."""
    tau = delay.tau
    later = replace(tau, values=tau.values * factor) if isinstance(tau, Signal) else tau * factor
    other = replace(delay, name=f"{delay.name}{SUFFIX}", tau=later)
    rest = _gain(delay, delay.size, element, 0.0, f"{SUFFIX}_rest")
    only = np.zeros(delay.size)
    only[element] = 1.0
    one = Affine(name=f"{delay.name}{SUFFIX}_one", weights=diagonal_weights(only))
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
