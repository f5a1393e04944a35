"""Graph colouring: colours for nodes, different along each edge, as few as are found."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..formats.instances import WeightedGraph
from ..values.arrays import whole
from .annealed import Effort, anneal_model
from .solution import Solution

MOST_COLOURS = 126


def solve_colouring(graph: WeightedGraph, effort: Effort, *, colours: int | None = None) -> Solution:
    """Return a colouring with `colours` colours by softmax neurons, or with the fewest that are found.

    Without a number, it begins at the size of a clique, below which no colouring exists, and adds colours until a run
    ends valid; a colouring with as many colours as the clique has nodes is optimal. A greedy colouring says where this
    ends. Of fewer colours than the clique has nodes `rests_on` says that no colouring exists.
    """
    from ..annealing import GroupedModel

    clique = find_clique(graph)
    most = greedy_colours(graph)
    numbers = range(max(len(clique), 1), most + 1) if colours is None else [whole(colours, "colours", 1, MOST_COLOURS)]
    for count in numbers:
        found, preset = anneal_model(GroupedModel.colouring(graph.couplings, count), effort)
        chosen = np.asarray(found.best, dtype=np.int64)
        clashes = count_clashes(graph, chosen)
        if clashes == 0:
            break
    used = int(np.unique(chosen).size)
    rests_on = "the edges of the file"
    if count < len(clique):
        rests_on += f", and a clique of {len(clique)} nodes: no colouring with {count} colours exists"
    optimal = clashes == 0 and used == len(clique)
    if optimal:
        rests_on += f", and a clique of {len(clique)} nodes"
    return Solution(
        name=graph.name,
        kind="colouring",
        answer=chosen,
        form="the colour of each node, from 0",
        value=float(used if clashes == 0 else clashes),
        what="colours" if clashes == 0 else f"edges within one of {count} colours",
        valid=clashes == 0,
        rests_on=rests_on,
        optimal=optimal,
        bound=float(len(clique)) if clashes == 0 else None,
        more={"greedy": f"{most} colours, largest degree first"},
        edges=graph.edges,
        values_of=f"edges within one of {count} colours",
        **effort.told(found, preset, found.energies),
    )


def count_clashes(graph: WeightedGraph, colours: Any) -> int:
    """Return how many edges join nodes of one colour."""
    chosen, (i, j) = np.asarray(colours), graph.edges.T
    return int(np.count_nonzero(chosen[i] == chosen[j]))


def find_clique(graph: WeightedGraph) -> tuple[int, ...]:
    """Return nodes that are all joined: the largest of the cliques that grow greedily from each node."""
    joined = [set[int]() for _ in range(graph.size)]
    for i, j in graph.edges.tolist():
        joined[i].add(j)
        joined[j].add(i)
    best: tuple[int, ...] = ()
    for node in range(graph.size):
        clique, common = [node], set(joined[node])
        while common:
            following = max(common, key=lambda each: (len(joined[each] & common), -each))
            clique.append(following)
            common &= joined[following]
        if len(clique) > len(best):
            best = tuple(clique)
    return best


def greedy_colours(graph: WeightedGraph) -> int:
    """Return how many colours a greedy colouring takes, largest degree first."""
    import networkx as nx

    network = nx.Graph()
    network.add_nodes_from(range(graph.size))
    network.add_edges_from(graph.edges.tolist())
    return 1 + int(max(nx.greedy_color(network, strategy="largest_first").values()))
