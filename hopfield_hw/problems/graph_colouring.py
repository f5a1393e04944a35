"""Graph colouring as a circuit: a softmax over the neurons of a node, one a colour, annealed by schedules."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ..annealing import AnnealingCircuit, GroupedModel, annealing_graph
from ..formats.instances import WeightedGraph, read_colouring


def graph_colouring(
    graph: WeightedGraph | str | Path | Any,
    colours: int,
    *,
    dynamics: Any = "colouring",
    initial: Any = None,
    reanneal: int = 1,
    latch: bool = False,
    seed: int = 0,
) -> AnnealingCircuit:
    """Return the circuit whose energy is the number of edges between nodes of one colour; 0 is a colouring.

    Of a group of neurons a softmax lets one win (C. Peterson and B. Soderberg, Int. J. Neural Syst. 1:3, 1989).
    Neuron colours * i + c is node i in colour c. `graph`: a WeightedGraph, the path of a DIMACS file, or the adjacency,
    (m, m), symmetric. `dynamics`: a GainRamp or the name of a preset; it and the rest as `annealing_graph` takes them.

    Raises InputError for loops and adjacencies that are not symmetric, and as `annealing_graph` and `read_colouring`.
    """
    if isinstance(graph, str | Path):
        graph = read_colouring(Path(graph))
    model = GroupedModel.colouring(graph.couplings if isinstance(graph, WeightedGraph) else graph, colours)
    return annealing_graph(model, dynamics, initial, reanneal=reanneal, latch=latch, seed=seed)
