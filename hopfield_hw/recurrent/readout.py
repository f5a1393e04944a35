"""A linear readout after a cell: what a trained network predicts from its hidden state."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ..graph import Affine, Edge, Graph, Operator, Output
from ..values.arrays import freeze
from ..values.brief import Brief
from ..values.errors import InputError

READOUT = "readout"


@dataclass(frozen=True, kw_only=True, eq=False)
class Readout(Brief):
    """V h + c. `weights`: V, (O, H). `bias`: c, (O,). Raises InputError for wrong shapes, NaN and infinite values."""

    weights: Any
    bias: Any = 0.0

    def __post_init__(self) -> None:
        weights = freeze(self.weights, "Readout.weights")
        if weights.ndim != 2 or 0 in weights.shape:
            raise InputError(f"`Readout.weights` has shape {weights.shape}: must be (outputs, H)")
        object.__setattr__(self, "weights", weights)
        object.__setattr__(self, "bias", freeze(self.bias, "Readout.bias", shape=weights.shape[:1]))

    def after(self, graph: Graph, output: str) -> Graph:
        """Return a graph in which `output` is V y + c of what it was; the Affine is named "readout".

        Raises InputError for a name that is not an Output, and for one of another size than H.
        """
        self._check(graph, output)
        operators = [operator for operator in graph.operators if operator.name != output]
        edges = [edge if edge.target != output else Edge(edge.source, READOUT) for edge in graph.edges]
        return self._add(graph, operators, edges, output)

    def beside(self, graph: Graph, output: str, name: str) -> Graph:
        """Return a graph with one more Output, `name`, that is V y + c of what `output` is; else as `after`."""
        self._check(graph, output)
        edges = [*graph.edges, *(Edge(edge.source, READOUT) for edge in graph.edges if edge.target == output)]
        return self._add(graph, list(graph.operators), edges, name)

    def _check(self, graph: Graph, output: str) -> None:
        old = graph.by_name.get(output)
        outputs, size = self.weights.shape
        if not isinstance(old, Output) or old.size != size:
            found = f"has {old.size} elements" if isinstance(old, Output) else "is not an Output"
            raise InputError(f"{output!r:.60} {found}: `Readout.weights` of shape {(outputs, size)} reads {size}")

    def _add(self, graph: Graph, operators: list[Operator], edges: list[Edge], name: str) -> Graph:
        operators += [
            Affine(name=READOUT, weights=self.weights, bias=self.bias),
            Output(name=name, size=self.weights.shape[0]),
        ]
        return Graph(operators=tuple(operators), edges=(*edges, Edge(READOUT, name)), units=graph.units)
