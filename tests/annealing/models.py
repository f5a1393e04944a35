"""Models that the tests of annealing share, all generated."""

from __future__ import annotations

import numpy as np

from hopfield_hw.annealing import BinaryModel, GroupedModel, IsingModel, PolynomialModel, edges_matrix
from hopfield_hw.values.arrays import Array


def random_graph(n: int, density: float, seed: int) -> Array:
    """Weights of 1, symmetric, as those of the g05 graphs are made."""
    upper = np.triu(np.random.default_rng(seed).random((n, n)) < density, 1).astype(np.float64)
    return upper + upper.T


def max_cut(n: int = 20, density: float = 0.5, seed: int = 1) -> IsingModel:
    return IsingModel.max_cut(random_graph(n, density, seed))


def with_fields(n: int = 12, seed: int = 2) -> IsingModel:
    rng = np.random.default_rng(seed)
    upper = np.triu(rng.integers(-3, 4, (n, n)), 1).astype(np.float64)
    return IsingModel(couplings=upper + upper.T, fields=rng.integers(-1, 2, n).astype(np.float64))


def qubo(n: int = 14, seed: int = 3) -> BinaryModel:
    rng = np.random.default_rng(seed)
    upper = np.triu(rng.integers(-50, 51, (n, n)), 1).astype(np.float64)
    return BinaryModel.from_matrix(upper + upper.T + np.diag(rng.integers(-50, 51, n).astype(np.float64)))


def cubic(n: int = 10, terms: int = 30, seed: int = 4, binary: bool = False) -> PolynomialModel:
    rng = np.random.default_rng(seed)
    chosen = {tuple(rng.choice(n, rng.integers(1, 4), replace=False).tolist()): float(k % 7 - 3) for k in range(terms)}
    return PolynomialModel(neurons=n, terms=chosen, binary=binary)


def ring_colouring(n: int = 9, colours: int = 3) -> GroupedModel:
    return GroupedModel.colouring(edges_matrix(n, [(k, (k + 1) % n, 1.0) for k in range(n)]), colours)
