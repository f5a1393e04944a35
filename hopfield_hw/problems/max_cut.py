"""Max-cut as a circuit: a neuron a node, whose sign is its side, annealed by schedules."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ..annealing import AnnealingCircuit, IsingModel, annealing_graph
from ..formats.instances import WeightedGraph, read_max_cut


def max_cut(
    graph: WeightedGraph | str | Path | Any,
    *,
    dynamics: Any = "first_order",
    initial: Any = None,
    reanneal: int = 1,
    latch: bool = False,
    seed: int = 0,
) -> AnnealingCircuit:
    """Return the circuit of E = -sum_{i<j} w_ij (1 - s_i s_j) / 2, s = +-1: minus the weights between the two sides.

    A network of couplings alone, as in J. J. Hopfield and D. W. Tank, Science 233:625 (1986). `graph`: a WeightedGraph,
    the path of a file (Gset, BiqMac), or the weights, (n, n), symmetric. `dynamics`: a Dynamics or the name of a
    preset; it and the rest as `annealing_graph` takes them.

    Raises InputError for weights that are not symmetric, and as `annealing_graph` and `read_max_cut` do.
    """
    if isinstance(graph, str | Path):
        graph = read_max_cut(Path(graph))
    model = IsingModel.max_cut(graph.couplings if isinstance(graph, WeightedGraph) else graph)
    return annealing_graph(model, dynamics, initial, reanneal=reanneal, latch=latch, seed=seed)
