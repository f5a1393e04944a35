"""The exact rescaling that makes a passive summing node realisable."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from ..graph import Activate, Affine, Graph, Leak, Operator


def rescale_states(graph: Graph, factors: Mapping[str, float]) -> Graph:
    """Return the graph with x -> s x, W -> s W, b -> s b, and f(x) -> f(x / s), by Leak; the outputs are the same."""
    if not factors:
        return graph

    def scaled(operator: Operator) -> Operator:
        if isinstance(operator, Leak) and operator.name in factors:
            return replace(operator, initial=operator.initial * factors[operator.name])
        if isinstance(operator, Affine):
            for target in graph.targets(operator):
                if target.name in factors:
                    s = factors[target.name]
                    return replace(operator, weights=operator.weights.scale(s), bias=operator.bias * s)
        if isinstance(operator, Activate):
            for source in graph.drivers(operator):
                if source.name in factors:
                    return replace(operator, function=operator.function.compress(factors[source.name]))
        return operator

    return replace(graph, operators=tuple(scaled(operator) for operator in graph.operators))
