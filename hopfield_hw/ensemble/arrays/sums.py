"""Sums of products of rows, sum_k a[i_k] b[j_k], for many rows at once: what sparse matrices come down to.

No row is written twice in an operation, so that plain assignment to rows does in every library.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from .library import Library

Rows = npt.NDArray[np.int64]
FULL = 0.7  # of a piece, what is no padding, at least in each of its rows


class Piece(NamedTuple):
    """Rows with about as many terms each: `rows` (R,); `left`, `right`: rows of a and b, (terms R,).

    `left` is a slice where the rows of a are in the order of the terms (see `in_order`).
    """

    rows: Any
    left: Any
    right: Any
    terms: int


def arrange(library: Library, lanes: int, rows: Rows, left: Rows, right: Rows, nothing: int) -> list[Piece]:
    """Return terms as pieces: term k is a[left[k]] b[right[k]] and belongs to rows[k].

    `nothing`: a row of a that is zero. `lanes`: samples that run together.
    """
    order = np.argsort(rows, kind="stable")
    rows, left, right = rows[order], left[order], right[order]
    found, first, counts = np.unique(rows, return_index=True, return_counts=True)
    pieces = []
    for chosen, terms in _alike(counts, library.numbers // lanes):
        at = first[chosen] + np.arange(terms)[:, np.newaxis]
        is_term = np.arange(terms)[:, np.newaxis] < counts[chosen]
        at = np.where(is_term, at, first[chosen])
        factors = [library.give(one.reshape(-1)) for one in (np.where(is_term, left[at], nothing), right[at])]
        pieces.append(Piece(library.give(found[chosen]), factors[0], factors[1], terms))
    return pieces


def _alike(counts: Rows, most: int) -> Iterator[tuple[Rows, int]]:
    """Yield which rows have about as many terms, and how many at most; `most` of terms together, if in several rows."""
    order = np.argsort(-counts, kind="stable")
    first = 0
    while first < len(order):
        terms = int(counts[order[first]])
        last = first + int(np.sum(counts[order[first:]] >= FULL * terms))
        last = min(last, first + max(1, most // terms))
        yield order[first:last], terms
        first = last


def in_order(groups: list[list[Piece]]) -> tuple[list[list[Piece]], list[Any]]:
    """Return groups of pieces for an a whose rows are in the order of their terms, and that order, piece by piece."""
    count, order = 0, []
    found: list[list[Piece]] = []
    for pieces in groups:
        found.append([])
        for piece in pieces:
            order.append(piece.left)
            found[-1].append(piece._replace(left=slice(count, count + piece.left.shape[0])))
            count += piece.left.shape[0]
    return found, order


def add_up(xp: Any, piece: Piece, a: Any, b: Any) -> Any:
    """Return the sums of a piece's rows; a and b are (rows, ...) each."""
    if isinstance(piece.left, slice):
        products = xp.take(b, piece.right, axis=0)
        products *= a[piece.left]
    else:
        products = xp.take(a, piece.left, axis=0) * xp.take(b, piece.right, axis=0)
    if piece.terms == 1:
        return products
    return xp.sum(xp.reshape(products, (piece.terms, -1, *products.shape[1:])), axis=0)


def add_sums(xp: Any, pieces: list[Piece], a: Any, b: Any, result: Any) -> None:
    """Add the sums to the rows of the result."""
    for piece in pieces:
        result[piece.rows] = xp.take(result, piece.rows, axis=0) + add_up(xp, piece, a, b)


def take_sums(xp: Any, pieces: list[Piece], a: Any, b: Any, result: Any) -> None:
    """Take the sums from the rows of the result."""
    for piece in pieces:
        result[piece.rows] = xp.take(result, piece.rows, axis=0) - add_up(xp, piece, a, b)
