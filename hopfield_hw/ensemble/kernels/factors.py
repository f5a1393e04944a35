"""The kernels of linear solves: factors of the Jacobian in a pattern that is known, (entries, LANES)."""

from __future__ import annotations

from typing import Any

from .lanes import compiled, load, store


@compiled
def factorise(g: Any, factors: Any, where: Any) -> None:
    """Replace a matrix by its L and U, row by row (Doolittle); of the diagonal of U it keeps the inverse."""
    for i in range(g.n):
        first, last, diagonal = g.starts[i], g.starts[i + 1], g.diagonal[i]
        for p in range(first, last):
            where[g.columns[p]] = p
        for p in range(first, diagonal):
            k = g.columns[p]
            pivot = g.diagonal[k]
            below = load(factors, p) * load(factors, pivot)
            store(factors, p, below)
            for q in range(pivot + 1, g.starts[k + 1]):
                to = where[g.columns[q]]
                store(factors, to, load(factors, to) - below * load(factors, q))
        store(factors, diagonal, 1.0 / load(factors, diagonal))


@compiled
def solve(g: Any, factors: Any, b: Any) -> None:
    """Replace b by the solution of L U x = b."""
    for i in range(g.n):
        total = load(b, i)
        for p in range(g.starts[i], g.diagonal[i]):
            total = total - load(factors, p) * load(b, g.columns[p])
        store(b, i, total)
    for i in range(g.n - 1, -1, -1):
        diagonal = g.diagonal[i]
        total = load(b, i)
        for p in range(diagonal + 1, g.starts[i + 1]):
            total = total - load(factors, p) * load(b, g.columns[p])
        store(b, i, total * load(factors, diagonal))


@compiled
def solve_transposed(g: Any, factors: Any, b: Any) -> None:
    """Replace b by the solution of (L U)^T x = b."""
    for i in range(g.n):
        diagonal = g.diagonal[i]
        x = load(b, i) * load(factors, diagonal)
        store(b, i, x)
        for p in range(diagonal + 1, g.starts[i + 1]):
            to = g.columns[p]
            store(b, to, load(b, to) - load(factors, p) * x)
    for i in range(g.n - 1, -1, -1):
        x = load(b, i)
        for p in range(g.starts[i], g.diagonal[i]):
            to = g.columns[p]
            store(b, to, load(b, to) - load(factors, p) * x)
