"""A linear readout after a cell: what a trained network predicts from its hidden state."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ..arrays import frozen
from ..errors import InputError
from ..graph import Affine, Edge, Graph, Output

READOUT = "readout"


@dataclass(frozen=True, kw_only=True, eq=False)
class Readout:
    """V h + c. `weights`: V, (O, H). `bias`: c, (O,). Raises InputError for wrong shapes, NaN and infinite values."""

    weights: Any
    bias: Any = 0.0

    def __post_init__(self) -> None:
        weights = frozen(self.weights, "Readout.weights")
        if weights.ndim != 2 or 0 in weights.shape:
            raise InputError(f"`Readout.weights` has shape {weights.shape}: must be (outputs, H)")
        object.__setattr__(self, "weights", weights)
        object.__setattr__(self, "bias", frozen(self.bias, "Readout.bias", shape=weights.shape[:1]))

    def after(self, graph: Graph, output: str) -> Graph:
        """Return a graph in which `output` is V y + c of what it was; the Affine is named "readout".

        Raises InputError for a name that is no Output, and for one of another size than H.
        """
        old = graph.by_name.get(output)
        outputs, size = self.weights.shape
        if not isinstance(old, Output) or old.size != size:
            found = f"has {old.size} elements" if isinstance(old, Output) else "is no Output"
            raise InputError(f"{output!r:.60} {found}: `Readout.weights` of shape {(outputs, size)} reads {size}")
        operators = [operator for operator in graph.operators if operator is not old]
        operators += [Affine(name=READOUT, weights=self.weights, bias=self.bias), Output(name=output, size=outputs)]
        edges = [Edge(edge.source, READOUT, edge.port) if edge.target == output else edge for edge in graph.edges]
        edges.append(Edge(READOUT, output))
        return Graph(operators=tuple(operators), edges=tuple(edges), units=graph.units)
