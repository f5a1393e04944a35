"""Factors of sparse matrices by stages: in each, all entries whose terms are known are computed in a few operations.

The last unknowns, whose rows are full, are not eliminated: of what is left there, the inverse is kept. So the stages
are those of the sparse part alone.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np

from ..equations.layout import Layout
from ..state import Marks
from .library import Library
from .sums import Piece, Rows, arrange, in_order, take_sums

DENSE = 0.9  # how full the rows of the last unknowns are


class Stage(NamedTuple):
    """What is computed together: `sums` are taken off, pivots `inverted`, and rows `scaled` by theirs."""

    sums: list[Piece]
    inverted: Any
    scaled: Any
    by: Any


class Elimination(NamedTuple):
    """The stages of the factors, and of solutions with L and with U.

    `head`: how many unknowns are eliminated; `tail`: places of the entries of the others, (rows^2,). `order`: of the
    entries as solutions need them. `backward`: the sums, the unknowns, and where their pivots are.
    """

    head: int
    entries: int
    order: Any
    stages: list[Stage]
    tail: Any
    forward: list[list[Piece]]
    backward: list[tuple[list[Piece], Any, slice]]


class Factors(NamedTuple):
    """`entries`: of L and U in the order of the solution, of pivots the inverse. `inverse`: (m, m, ...)."""

    entries: Any
    inverse: Any


def plan_elimination(library: Library, layout: Layout, lanes: int) -> Elimination:
    """Return what is computed after what, for so many samples together."""
    n = layout.n
    columns, diagonal = (np.asarray(one, np.int64) for one in (layout.columns, layout.diagonal))
    rows = np.repeat(np.arange(n), np.diff(layout.starts))
    head, entries = _find_head(rows, columns, n), len(columns)
    keys, last = rows * n + columns, np.arange(head, n)
    wanted = (last[:, np.newaxis] * n + last).reshape(-1)
    at = np.minimum(np.searchsorted(keys, wanted), entries - 1)
    is_lower, is_upper = (columns < rows) & (columns < head), (columns > rows) & (rows < head)
    forward = _levels(rows[is_lower], columns[is_lower], np.arange(n))[1:]
    backward = [own[own < head] for own in _levels(rows[is_upper], columns[is_upper], np.arange(n)[::-1])]

    def sums_of(level: Rows, those: Marks) -> list[Piece]:
        its = np.flatnonzero(those & np.isin(rows, level))
        return arrange(library, lanes, rows[its], its, columns[its], entries)

    sums, order = in_order([sums_of(own, is_lower) for own in forward] + [sums_of(own, is_upper) for own in backward])
    ends = np.cumsum([sum(one.shape[0] for one in order), *(own.size for own in backward)]).tolist()
    pivots = [library.give(diagonal[own]) for own in backward]
    solved = zip(sums[len(forward) :], backward, pairwise(ends), strict=True)
    return Elimination(
        head=head,
        entries=entries,
        order=library.xp.concat([library.give(np.zeros(0, np.int64)), *order, *pivots]),
        stages=_plan_stages(library, lanes, rows, columns, diagonal, head),
        tail=library.give(np.where(keys[at] == wanted, at, entries)),
        forward=sums[: len(forward)],
        backward=[(pieces, library.give(own), slice(*its)) for pieces, own, its in solved],
    )


def _plan_stages(library: Library, lanes: int, rows: Rows, columns: Rows, diagonal: Rows, head: int) -> list[Stage]:
    """Return the stages of the factors: an entry is computed one stage after the last one of those that it needs."""
    n, entries = len(diagonal), len(columns)
    keys = rows * n + columns
    stage_of = np.zeros(entries, np.int64)
    terms = [np.zeros((3, 0), np.int64)]
    below = np.argsort(columns, kind="stable")  # entries column by column, each from above
    first_of = np.searchsorted(columns[below], np.arange(n + 1))
    ends = np.searchsorted(rows, np.arange(n), side="right")
    for k in range(head):
        pivot, own = diagonal[k], below[first_of[k] : first_of[k + 1]]
        lower, upper = own[rows[own] > k], np.arange(pivot + 1, ends[k])
        stage_of[pivot] = max(stage_of[pivot], 1)
        stage_of[lower] = np.maximum(stage_of[lower], stage_of[pivot] + 1)
        if lower.size and upper.size:
            to = np.searchsorted(keys, rows[lower][:, np.newaxis] * n + columns[upper])
            later = np.maximum(stage_of[lower][:, np.newaxis], stage_of[upper]) + 1
            stage_of[to] = np.maximum(stage_of[to], later)
            pairs = np.broadcast_arrays(to, lower[:, np.newaxis], upper)
            terms.append(np.stack([one.reshape(-1) for one in pairs]))
    to, left, right = np.concatenate(terms, axis=1)
    stages = []
    for stage in range(1, int(stage_of.max(initial=0)) + 1):
        here = np.flatnonzero((stage_of == stage) & (columns < head) & (columns <= rows))
        inverted, scaled = here[columns[here] == rows[here]], here[columns[here] < rows[here]]
        due = stage_of[to] == stage
        sums = arrange(library, lanes, to[due], left[due], right[due], entries)
        its = (library.give(one) for one in (inverted, scaled, diagonal[columns[scaled]]))
        stages.append(Stage(sums, *its))
    return stages


def _find_head(rows: Rows, columns: Rows, n: int) -> int:
    """Return how many unknowns come before those whose rows are full."""
    count = np.cumsum(np.bincount(n - 1 - np.minimum(rows, columns), minlength=n))  # of the last 1, 2, ... unknowns
    full = np.flatnonzero(count >= DENSE * np.arange(1, n + 1) ** 2)
    return n - 1 - int(full[-1]) if full.size else n


def _levels(rows: Rows, columns: Rows, order: Rows) -> list[Rows]:
    """Return the unknowns that can be solved for together, one group after the other."""
    level = np.zeros(len(order), np.int64)
    by_row = np.argsort(rows, kind="stable")
    first = np.searchsorted(rows[by_row], np.arange(len(order) + 1))
    for i in order.tolist():
        before = columns[by_row[first[i] : first[i + 1]]]
        if before.size:
            level[i] = level[before].max() + 1
    return [np.flatnonzero(level == k) for k in range(int(level.max(initial=0)) + 1)]


def factorise(xp: Any, elimination: Elimination, entries: Any) -> Factors:
    """Return the factors of a matrix, (entries + 1, ...), which is overwritten."""
    for stage in elimination.stages:
        take_sums(xp, stage.sums, entries, entries, entries)
        entries[stage.inverted] = 1.0 / xp.take(entries, stage.inverted, axis=0)
        entries[stage.scaled] = xp.take(entries, stage.scaled, axis=0) * xp.take(entries, stage.by, axis=0)
    inverse = _invert(xp, xp.take(entries, elimination.tail, axis=0))
    return Factors(xp.take(entries, elimination.order, axis=0), inverse)


def _invert(xp: Any, matrix: Any) -> Any:
    """Return the inverses of full matrices, (m^2, ...), as (m, m, ...) (Gauss and Jordan, pivots on the diagonal)."""
    m = round(matrix.shape[0] ** 0.5)
    a = xp.reshape(matrix, (m, m, *matrix.shape[1:]))
    for k in range(m):
        pivot = 1.0 / a[k, k]
        row = a[k] * pivot
        row[k] = pivot
        column = a[:, k] + 0.0
        column[k] = 0.0
        a[:, k] = 0.0
        a -= column[:, None] * row
        a[k] = row
    return a


def solve(xp: Any, elimination: Elimination, factors: Factors, b: Any) -> Any:
    """Return the solution of A x = b, (n, ...), which is overwritten."""
    head = elimination.head
    for pieces in elimination.forward:
        take_sums(xp, pieces, factors.entries, b, b)
    if factors.inverse.shape[0]:
        b[head:] = xp.einsum("ij...,j...->i...", factors.inverse, b[head:])
    for pieces, rows, pivots in elimination.backward:
        take_sums(xp, pieces, factors.entries, b, b)
        b[rows] = xp.take(b, rows, axis=0) * factors.entries[pivots]
    return b
