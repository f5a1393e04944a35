"""The DIMACS formats: graphs to be coloured (`p edge`), and formulas in conjunctive normal form (`p cnf`)."""

from __future__ import annotations

from pathlib import Path

from ...values.errors import InputError
from .lines import MOST_NODES, Line, read_lines, take_first
from .types import Clauses, WeightedGraph, make_graph

MOST_EDGES = 2**40


def read_colouring(path: Path) -> WeightedGraph:
    """Return the graph of a `.col` file, lines `e i j`, nodes from 1; an edge may be there in both directions.

    Files of the library count an edge once or twice; fewer edges than the file states, counted either way, are refused.
    Raises InputError, with the line, for what is no such line, nodes out of range and loops, and for a graph without an
    edge.
    """
    lines = read_lines(path, ("c",))
    first = take_first(lines, path)
    if len(first.words) != 4 or first.words[0] != "p" or first.words[1] not in ("edge", "edges", "col"):
        first.refuse("the first line must be `p edge NODES EDGES`")
    size = first.whole(2, 1, MOST_NODES, "the number of nodes")
    stated = first.whole(3, 0, MOST_EDGES, "the number of edges")
    edges: dict[tuple[int, int], float] = {}
    for line in lines:
        if line.words[0] == "n":  # a node's own colour or weight, as some files have
            continue
        if len(line.words) != 3 or line.words[0] != "e":
            line.refuse("must be `e NODE NODE`")
        i, j = (line.whole(k, 1, size, "a node") - 1 for k in (1, 2))
        if i == j:
            line.refuse("an edge joins a node with itself, so that no colouring exists")
        edges[min(i, j), max(i, j)] = 1.0
    if 2 * len(edges) < stated:
        raise InputError(f"{path.name}: has {len(edges)} edges and states {stated}; is the file whole?")
    return make_graph(path.stem, size, edges)


def read_clauses(path: Path) -> Clauses:
    """Return the formula of a `.cnf` file: literals +k and -k, each clause ended by 0; `%` ends the file.

    A clause that holds a variable and its opposite is always true, and stays. Raises InputError, with the line, for
    literals out of range, an empty clause (no state satisfies it), and a count that does not fit.
    """
    lines = read_lines(path, ("c",))
    first = take_first(lines, path)
    if len(first.words) != 4 or first.words[:2] != ("p", "cnf"):
        first.refuse("the first line must be `p cnf VARIABLES CLAUSES`")
    size = first.whole(2, 1, MOST_NODES, "the number of variables")
    count = first.whole(3, 1, MOST_NODES, "the number of clauses")
    clauses: list[tuple[int, ...]] = []
    clause: list[int] = []
    last: Line = first
    for line in lines:
        if line.words[0] == "%":
            break
        last = line
        for place in range(len(line.words)):
            literal = line.whole(place, -size, size, "a literal")
            if literal:
                clause.append(literal)
                continue
            if not clause:
                line.refuse("an empty clause, which nothing satisfies; leave it out")
            clauses.append(tuple(dict.fromkeys(clause)))
            clause = []
    if clause:
        last.refuse("the last clause has no 0 at its end; is the file whole?")
    if len(clauses) != count:
        raise InputError(f"{path.name}: has {len(clauses)} clauses and states {count}; is the file whole?")
    return Clauses(name=path.stem, size=size, clauses=tuple(clauses))
