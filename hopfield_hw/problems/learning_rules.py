"""Learning rules: weights from patterns of +1 and -1, of one population and from one population to another."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

import numpy as np

from ..values.arrays import Array, freeze
from ..values.errors import InputError
from ..values.names import unknown

# Decimals kept of a computed weight: the same netlist from every linear algebra library, at 1e-7 of a typical weight.
DECIMALS = 9


def hebb(patterns: Array) -> Array:
    """Return W = sum_k xi_k xi_k^T / n without its diagonal, for xi (patterns, n) (Hopfield, PNAS 79:2554, 1982)."""
    return _without_diagonal(patterns.T @ patterns / patterns.shape[1])


def storkey(patterns: Array) -> Array:
    """Return the weights of Storkey's rule, which takes one pattern after the other, rounded to DECIMALS.

    W_ij <- W_ij + (xi_i xi_j - xi_i h_ji - h_ij xi_j) / n,    h_ij = sum_(k != i, j) W_ik xi_k

    without the diagonal; with h = W xi it is W <- (1 + 2/n) W + (xi xi^T - h xi^T - xi h^T) / n.
    A. J. Storkey, "Increasing the capacity of a Hopfield network without sacrificing functionality", ICANN (1997).
    """
    n = patterns.shape[1]
    weights = np.zeros((n, n))
    for pattern in patterns:
        field = weights @ pattern
        left = np.stack([pattern, field], axis=1)
        weights *= 1.0 + 2.0 / n
        weights += left @ np.stack([pattern - field, -pattern]) / n
        np.fill_diagonal(weights, 0.0)
    return _without_diagonal(np.round(0.5 * (weights + weights.T), DECIMALS))


def projection(patterns: Array) -> Array:
    """Return the projection onto the patterns, X^+ X, without its diagonal, rounded to DECIMALS.

    Every stored pattern is a fixed point, however much the patterns overlap, as W xi = (1 - W_ii) xi (Personnaz, Guyon
    and Dreyfus, Phys. Rev. A 34:4217, 1986; without the diagonal: Kanter and Sompolinsky, Phys. Rev. A 35:380, 1987).
    """
    product = np.linalg.pinv(patterns) @ patterns
    return _without_diagonal(np.round(0.5 * (product + product.T), DECIMALS))


RULES: Mapping[str, Callable[[Array], Array]] = MappingProxyType(
    {"hebb": hebb, "storkey": storkey, "projection": projection}
)


def hebb_pairs(sources: Array, targets: Array) -> Array:
    """Return M = sum_k y_k x_k^T / n, (p, n), which leads x_k towards y_k (B. Kosko, 1988; S. Amari, 1972)."""
    weights: Array = targets.T @ sources / sources.shape[1]
    return weights


def projection_pairs(sources: Array, targets: Array) -> Array:
    """Return M = Y X^+, (p, n), rounded to DECIMALS: M x_k = y_k wherever the x_k are independent.

    T. Kohonen and M. Ruohonen, IEEE Trans. Comput. C-22:701 (1973).
    """
    weights: Array = (np.linalg.pinv(sources) @ targets).T
    return np.round(weights, DECIMALS)


# From a population, (patterns, n), to another, (patterns, p).
PAIR_RULES: Mapping[str, Callable[[Array, Array], Array]] = MappingProxyType(
    {"hebb": hebb_pairs, "projection": projection_pairs}
)


def learn(rule: Any, patterns: Any) -> Array:
    """Return the weights that a rule of RULES, or a function of its own, makes of patterns, (patterns, n).

    Raises InputError for an unknown rule, and for patterns that are not rows of +1 and -1.
    """
    rows = bipolar_rows(patterns, "patterns")
    return rule_named(rule)(rows)


def rule_named(rule: Any) -> Callable[[Array], Array]:
    """Return a rule by its name, or a function as it is. Raises InputError for what is neither."""
    if callable(rule):
        given: Callable[[Array], Array] = rule
        return given
    if not isinstance(rule, str) or rule not in RULES:
        raise InputError(unknown("rule", rule, RULES))
    return RULES[rule]


def learn_pairs(rule: str, sources: Any, targets: Any) -> Array:
    """Return M, (p, n), of pairs of patterns, (k, n) and (k, p), by a rule of PAIR_RULES: heteroassociative recall.

    y = sign(M x); `families.bam` takes M^T and goes both ways.

    Raises InputError for an unknown rule, different numbers of patterns, and what is not +1 or -1.
    """
    if not isinstance(rule, str) or rule not in PAIR_RULES:
        raise InputError(unknown("rule for pairs", rule, PAIR_RULES))
    first, second = bipolar_rows(sources, "sources"), bipolar_rows(targets, "targets")
    if len(first) != len(second):
        raise InputError(f"`sources` has {len(first)} patterns, `targets` {len(second)}: must have as many")
    return PAIR_RULES[rule](first, second)


def bipolar_rows(value: Any, name: str) -> Array:
    """Return rows of +1 and -1, (patterns, n). Raises InputError for another shape and other values."""
    rows = freeze(value, name)
    if rows.ndim != 2 or rows.size == 0:
        raise InputError(f"`{name}` has shape {rows.shape}: must be (patterns, n), one row a pattern")
    if not bool(np.all(np.abs(rows) == 1.0)):
        raise InputError(f"`{name}` holds {rows[np.abs(rows) != 1.0][0]:g}: each must be +1 or -1")
    return rows


def _without_diagonal(weights: Array) -> Array:
    np.fill_diagonal(weights, 0.0)
    return weights
