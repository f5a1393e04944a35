"""A graph in the making: operators, each with what drives it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..functions import Clip, Function
from ..values.arrays import Array
from .graph import Edge, Graph
from .operators import Activate, Affine, Clock, Hadamard, Hold, Input, Operator, Output
from .weights import diagonal_weights

STEP = Clock(period=1.0)


class GraphDraft:
    """Operators and edges of a map; every method returns the name of what it has added."""

    def __init__(self) -> None:
        self.operators: list[Operator] = []
        self.edges: list[Edge] = []

    def graph(self) -> Graph:
        """Return the finished graph, verified."""
        return Graph(operators=tuple(self.operators), edges=tuple(self.edges))

    def add(self, operator: Operator, *sources: str) -> str:
        """Add an operator that these drive; what drives it adds up."""
        self.operators.append(operator)
        self.drive(operator.name, *sources)
        return operator.name

    def drive(self, target: str, *sources: str) -> None:
        """Say what drives an operator."""
        self.edges += [Edge(source, target) for source in sources]

    def input(self, name: str, size: int) -> str:
        """Add an input."""
        return self.add(Input(name=name, size=size))

    def hold(self, name: str, size: int) -> str:
        """Add a register that starts at 0."""
        return self.add(Hold(name=name, clock=STEP, initial=np.zeros(size)))

    def affine(self, name: str, weights: Any, bias: Array | None, *sources: str) -> str:
        """Add W x + b."""
        return self.add(Affine(name=name, weights=weights, bias=bias), *sources)

    def scale(self, name: str, factors: Array, *sources: str) -> str:
        """Add diag(factors) x."""
        return self.affine(name, diagonal_weights(factors), None, *sources)

    def complement(self, name: str, size: int, source: str) -> str:
        """Add 1 - x, exact in every format."""
        weights = diagonal_weights(np.full(size, -1.0))
        return self.add(Affine(name=name, weights=weights, bias=np.ones(size), exact=True), source)

    def activate(
        self, name: str, function: Function, clip: float | None, size: int, *sources: Sequence[str] | str
    ) -> str:
        """Add f(x), of a bounded x where there is a clip."""
        driven = [source for given in sources for source in ([given] if isinstance(given, str) else given)]
        if clip is not None:
            bound = Clip(lower=-clip, upper=clip)
            driven = [self.add(Activate(name=f"{name}_clip", size=size, function=bound), *driven)]
        return self.add(Activate(name=name, size=size, function=function), *driven)

    def product(self, name: str, size: int, left: str, right: str) -> str:
        """Add left * right."""
        self.operators.append(Hadamard(name=name, size=size))
        self.edges += [Edge(left, name, "left"), Edge(right, name, "right")]
        return name

    def output(self, name: str, size: int, *sources: str) -> str:
        """Add an output."""
        return self.add(Output(name=name, size=size), *sources)
