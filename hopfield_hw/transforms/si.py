"""A pass: a graph in its own units becomes the same graph in volts, amperes and seconds."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ..graph.graph import Edge, Graph, Units
from ..graph.operators import Activate, Affine, Clock, Delay, Hadamard, Hold, Leak, Operator, Quantise, Sign
from ..graph.weights import diagonal_weights
from ..values.errors import InputError
from ..values.names import MAX_LENGTH
from ..values.signals import Signal


def in_si(graph: Graph) -> Graph:
    """Return the graph with its units applied: x volts, W siemens into a Leak, C farads, t seconds.

    With V = volts_per_unit, S = siemens_per_unit and T = seconds_per_unit: x -> V x, f(x) -> V f(x / V),
    W -> S W and b -> S V b into a Leak (W and V b elsewhere), R -> R / S, C -> S T C, tau -> T tau.

    Raises InputError for an Affine that drives a Leak and something else: its weights would need two units.
    """
    if graph.units == Units():
        return graph
    units = graph.units
    volts = units.volts_per_unit
    operators: list[Operator] = []
    edges = list(graph.edges)
    for operator in graph.operators:
        into_leak = {isinstance(target, Leak) for target in graph.targets(operator)}
        if isinstance(operator, Affine):
            if len(into_leak) == 2:
                raise InputError(f"`{operator.name}` drives a Leak and something else: give each its own Affine")
            operators.append(_scale_affine(operator, units, current=into_leak == {True}))
            continue
        operators.append(_scale(operator, units))
        if True in into_leak and units.siemens_per_unit != 1.0:
            _insert(operators, edges, operator, units.siemens_per_unit, leaks_of=graph)
        if isinstance(operator, Hadamard) and volts != 1.0:
            left = _new_name(graph, f"{operator.name}_per_volt")
            operators.append(Affine(name=left, weights=diagonal_weights(np.full(operator.size, 1.0 / volts))))
            edges = [Edge(e.source, left) if (e.target, e.port) == (operator.name, "left") else e for e in edges] + [
                Edge(left, operator.name, "left")
            ]
    return Graph(operators=tuple(operators), edges=tuple(edges))


def _scale_affine(affine: Affine, units: Units, *, current: bool) -> Affine:
    conductance = units.siemens_per_unit if current else 1.0
    weights = affine.weights.scale(conductance, inputs=units.volts_per_unit)
    return replace(affine, weights=weights, bias=affine.bias * (conductance * units.volts_per_unit))


def _scale(operator: Operator, units: Units) -> Operator:
    volts, siemens, seconds = units.volts_per_unit, units.siemens_per_unit, units.seconds_per_unit
    if isinstance(operator, Leak):
        return replace(
            operator,
            capacitance=operator.capacitance * (siemens * seconds),
            resistance=operator.resistance / siemens,
            initial=operator.initial * volts,
        )
    if isinstance(operator, Activate):
        return replace(operator, function=operator.function.scale(volts))
    if isinstance(operator, Hold):
        clock = Clock(period=operator.clock.period * seconds, phase=operator.clock.phase * seconds)
        return replace(operator, clock=clock, initial=operator.initial * volts)
    if isinstance(operator, Delay):
        tau, history = operator.tau, operator.history
        return replace(
            operator,
            tau=tau.scale(seconds=seconds, volts=seconds) if isinstance(tau, Signal) else tau * seconds,
            history=history.scale(seconds=seconds, volts=volts) if isinstance(history, Signal) else history * volts,
        )
    if isinstance(operator, Sign):
        return replace(operator, amplitude=operator.amplitude * volts, band=operator.band * volts)
    if isinstance(operator, Quantise):
        return replace(operator, lower=operator.lower * volts, upper=operator.upper * volts)
    return operator


def _insert(operators: list[Operator], edges: list[Edge], source: Operator, factor: float, *, leaks_of: Graph) -> None:
    """Put a conductance between an operator and the Leaks that it drives without an Affine."""
    name = _new_name(leaks_of, f"{source.name}_current")
    operators.append(Affine(name=name, weights=diagonal_weights(np.full(source.output_size, factor))))
    leaks = {leak.name for leak in leaks_of.of_type(Leak)}
    for k, edge in enumerate(edges):
        if edge.source == source.name and edge.target in leaks:
            edges[k] = Edge(name, edge.target, edge.port)
    edges.append(Edge(source.name, name))


def _new_name(graph: Graph, wish: str) -> str:
    """Return the wish, or with a number the first name that no operator has (names are cut at their limit)."""
    taken = {name.lower() for name in graph.by_name}
    candidates = (wish[:MAX_LENGTH], *(f"{wish[: MAX_LENGTH - 8]}_{k}" for k in range(1, len(taken) + 2)))
    return next(name for name in candidates if name.lower() not in taken)
