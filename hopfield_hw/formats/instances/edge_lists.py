"""Edge lists: `n m`, then m lines `i j w`: graphs of max-cut (Gset, BiqMac) and matrices of QUBO."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import numpy as np

from ...values.arrays import freeze
from ...values.errors import InputError
from .lines import MOST_NODES, Line, read_lines, take_first
from .types import Qubo, WeightedGraph, make_graph

Entries = dict[tuple[int, int], float]
MOST_ENTRIES = 2**40
LARGEST = 1e100  # squares of sums of weights stay finite


def read_max_cut(path: Path) -> WeightedGraph:
    """Return the graph of a file of Gset (rudy) or BiqMac, nodes from 1; a weight that is left out is 1.

    Raises InputError, with the line, for counts that do not fit, nodes out of range, loops and edges that are there
    twice, and for a graph without an edge.
    """
    lines = read_lines(path)
    size, count = _counts(take_first(lines, path))
    entries = _read_entries(lines, size, origin=1, default=1.0)
    _match(path, len(entries), count)
    for i, j in entries:
        if i == j:
            raise InputError(f"{path.name}: an edge joins node {i + 1} with itself; read a matrix as kind 'qubo'")
    return make_graph(path.name, size, entries)


def read_qubo(path: Path) -> Qubo:
    """Return the function of a sparse file `i j q` of min x^T Q x (Beasley; Glover, Kochenberger and Alidaee 1998).

    Q is symmetric and given once, nodes from 1, so that an entry off the diagonal counts twice. In a file with a line
    `p qubo 0 NODES DIAGONALS COUPLERS` (qbsolv) nodes are from 0, and it counts once. Raises InputError as
    `read_max_cut` does.
    """
    lines = read_lines(path, ("#", "c"))
    first = take_first(lines, path)
    if first.words[0] == "p":
        if len(first.words) != 6 or first.words[1:3] != ("qubo", "0"):
            first.refuse("must be `p qubo 0 NODES DIAGONALS COUPLERS`")
        size = first.whole(3, 1, MOST_NODES, "the number of nodes")
        count = sum(first.whole(k, 0, MOST_ENTRIES, "a count") for k in (4, 5))
        origin, factor = 0, 1.0
    else:
        size, count = _counts(first)
        origin, factor = 1, 2.0
    entries = _read_entries(lines, size, origin=origin)
    _match(path, len(entries), count)
    linear = np.zeros(size)
    for (i, j), value in entries.items():
        if i == j:
            linear[i] = value
    couplers = {pair: factor * value for pair, value in entries.items() if pair[0] != pair[1]}
    pairs = np.array(list(couplers), dtype=np.int64).reshape(-1, 2)
    quadratic = freeze(np.array(list(couplers.values()), dtype=np.float64), "quadratic")
    return Qubo(name=path.stem, size=size, linear=freeze(linear, "linear"), pairs=pairs, quadratic=quadratic)


def _read_entries(lines: Iterable[Line], size: int, *, origin: int, default: float | None = None) -> Entries:
    found: Entries = {}
    for line in lines:
        if len(line.words) != 3 and not (default is not None and len(line.words) == 2):
            line.refuse("must be `NODE NODE WEIGHT`")
        i, j = (line.whole(k, origin, size - 1 + origin, "a node") - origin for k in (0, 1))
        pair = (min(i, j), max(i, j))
        if pair in found:
            line.refuse("this pair of nodes is there twice, in either order; leave one out")
        weight = default if default is not None and len(line.words) == 2 else line.value(2, "a weight")
        if abs(weight) > LARGEST:
            line.refuse(f"a weight {weight:g}: must be within {LARGEST:g}; scale all of them down")
        found[pair] = weight
    return found


def _counts(line: Line) -> tuple[int, int]:
    if len(line.words) != 2:
        line.refuse("the first line must be `NODES ENTRIES`")
    return line.whole(0, 1, MOST_NODES, "the number of nodes"), line.whole(1, 0, MOST_ENTRIES, "the number of entries")


def _match(path: Path, found: int, stated: int) -> None:
    if found != stated:
        raise InputError(f"{path.name}: has {found} entries and states {stated}; is the file whole?")
