"""What eigenvalues say about stability when they carry rounding: one rule for equations, maps, delays and circuits."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal, NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt
import scipy.linalg

from ..values.arrays import Array
from .characteristic import Complexes, DelayedTerms

Outcome: TypeAlias = Literal["stable", "unstable", "undecided"]
# Roundings for each row of a matrix, as parts of its norm, that its entries and its eigenvalues may carry.
ROUNDINGS = 64


class SmallSignals(NamedTuple):
    """`roots`: (r,), the rightmost first (of a map the largest). `sides`: (r,), +1 for one that grows, -1 for one that
    decays, 0 where rounding could have moved it over the border.
    """

    roots: Complexes
    sides: npt.NDArray[np.intp]

    @property
    def outcome(self) -> Outcome:
        """ "unstable" where one grows for certain, "undecided" where one may, "stable" where all decay for certain."""
        if bool(np.any(self.sides > 0)):
            return "unstable"
        return "undecided" if bool(np.any(self.sides == 0)) or not self.sides.size else "stable"


def judge_matrix(matrix: Array, *, is_map: bool = False, terms: float = 0.0, error: float = 0.0) -> SmallSignals:
    """Return the eigenvalues of x' = M x (of x[k+1] = M x[k]), and on which side of the border each lies for certain.

    What is computed are the eigenvalues of M + E with |E| <= e = 64 n eps (|M| + `terms`) + `error`. With b the nearest
    point of the imaginary axis (the unit circle), an eigenvalue counts as decided where the least singular value of
    b - M is above e: then no matrix so near has an eigenvalue at b (C. F. Van Loan, Contemp. Math. 47:465, 1985, the
    distance to an unstable matrix). Those that first order keeps off the border, |Re| > 2 e / |y^H x| for unit left and
    right eigenvectors y and x, are not looked at further. `terms`: the size of what cancels in the entries of M;
    `error`: what they carry besides, both in the units of M.
    """
    found: Any = scipy.linalg.eig(matrix, left=True, right=True)
    values, left, right = found
    size = float(np.linalg.norm(matrix, 2))
    allowed = ROUNDINGS * len(matrix) * float(np.finfo(np.float64).eps) * (size + terms) + error
    angles = np.abs(np.sum(left.conj() * right, axis=0))
    with np.errstate(divide="ignore"):
        near = np.abs(_growth(values, is_map)) <= 2.0 * allowed / angles
    identity = np.eye(len(matrix))

    def distance(border: complex) -> float:
        return float(np.linalg.svd(border * identity - matrix, compute_uv=False)[-1])

    return _judged(values, is_map, near, lambda border: distance(border) <= allowed)


def judge_terms(terms: DelayedTerms, roots: Complexes, *, error: float = 0.0) -> SmallSignals:
    """Return the same of characteristic roots: by the least singular value of i w - A - sum_k A_k exp(-i w tau_k)."""
    rows = ROUNDINGS * len(terms.matrix) * float(np.finfo(np.float64).eps)

    def is_close(border: complex) -> bool:
        least = float(np.linalg.svd(terms.characteristic(border), compute_uv=False)[-1])
        return least <= rows * terms.size(border) + error

    return _judged(roots, False, np.ones(roots.size, dtype=bool), is_close)


def _growth(roots: Complexes, is_map: bool) -> Array:
    return np.asarray(np.abs(roots) - 1.0 if is_map else roots.real, dtype=np.float64)


def _judged(
    roots: Complexes, is_map: bool, near: npt.NDArray[np.bool_], is_close: Callable[[complex], bool]
) -> SmallSignals:
    sides = np.sign(_growth(roots, is_map)).astype(np.intp)
    for k in np.flatnonzero(near).tolist():
        root = complex(roots[k])
        border = 1j * root.imag if not is_map else root / abs(root) if root else 1.0 + 0.0j
        if is_close(border):
            sides[k] = 0
    order = np.argsort(-(np.abs(roots) if is_map else roots.real), kind="stable")
    return SmallSignals(np.asarray(roots[order], dtype=np.complex128), sides[order])
