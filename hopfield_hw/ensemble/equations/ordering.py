"""The order in which unknowns are eliminated, and where that fills the factors in: once for all samples."""

from __future__ import annotations

import heapq
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

Indices = npt.NDArray[np.int32]


class Pattern(NamedTuple):
    """The entries of L and U together, row by row: `starts` (n + 1,), `columns`, and the place of each diagonal."""

    starts: Indices
    columns: Indices
    diagonal: Indices

    def place(self, row: int, column: int) -> int:
        """Return where an entry is stored."""
        first = int(self.starts[row])
        return first + int(np.searchsorted(self.columns[first : self.starts[row + 1]], column))

    def find(self, row: int, column: int) -> int:
        """Return where an entry is stored, -1 where it is not."""
        at = self.place(row, column)
        return at if at < self.starts[row + 1] and self.columns[at] == column else -1


def order_unknowns(rows: Indices, columns: Indices, n: int, most: float = np.inf) -> npt.NDArray[np.intp] | None:
    """Return the order of least fill: each time the unknown whose row and column have the fewest others.

    The product of both counts is Markowitz's (Management Science 3:255, 1957), with pivots on the diagonal. None where
    the factors would have more entries than `most`.
    """
    of_row: list[set[int]] = [set() for _ in range(n)]
    of_column: list[set[int]] = [set() for _ in range(n)]
    for i, j in zip(rows.tolist(), columns.tolist(), strict=True):
        if i != j:
            of_row[i].add(j)
            of_column[j].add(i)
    waiting = [(len(of_row[k]) * len(of_column[k]), k) for k in range(n)]
    heapq.heapify(waiting)
    done = [False] * n
    order, entries = [], 0
    while waiting:
        cost, k = heapq.heappop(waiting)
        if done[k] or cost != len(of_row[k]) * len(of_column[k]):
            continue
        done[k] = True
        order.append(k)
        row, column = of_row[k], of_column[k]
        entries += 1 + len(row) + len(column)
        if entries > most:
            return None
        for i in column:
            of_row[i] |= row
            of_row[i] -= {i, k}
        for j in row:
            of_column[j] |= column
            of_column[j] -= {j, k}
        for i in row | column:
            heapq.heappush(waiting, (len(of_row[i]) * len(of_column[i]), i))
    return np.array(order, dtype=np.intp)


def fill_in(rows: Indices, columns: Indices, n: int) -> Pattern:
    """Return the pattern of L and U of a matrix whose unknowns are in their order of elimination."""
    of_row: list[set[int]] = [{k} for k in range(n)]
    for i, j in zip(rows.tolist(), columns.tolist(), strict=True):
        of_row[i].add(j)
    above: list[list[int]] = []
    found = []
    for i in range(n):
        entries = of_row[i]
        waiting = [j for j in entries if j < i]
        heapq.heapify(waiting)
        while waiting:
            for j in above[heapq.heappop(waiting)]:
                if j not in entries:
                    entries.add(j)
                    if j < i:
                        heapq.heappush(waiting, j)
        found.append(sorted(entries))
        above.append([j for j in found[-1] if j > i])
    starts = np.concatenate(([0], np.cumsum([len(one) for one in found]))).astype(np.int32)
    flat = np.array([j for one in found for j in one], dtype=np.int32)
    diagonal = np.array([starts[i] + one.index(i) for i, one in enumerate(found)], dtype=np.int32)
    return Pattern(starts, flat, diagonal)
