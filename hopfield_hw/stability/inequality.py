"""Matrix inequalities, checked after the solver: eigenvalues in NumPy, and definiteness in exact integers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from ..values.arrays import Array

# Rational numbers: an array of Fractions, in which nothing is rounded.
Exact: TypeAlias = npt.NDArray[Any]
# Bits behind the point to which a scaled matrix is rounded before its minors are computed; a bound pays for it.
BITS = 80
# Matrices up to this size are proved in integers; larger ones by an elimination in float64 and a bound for rounding.
LARGEST_EXACT = 80
# By how much eigenvalues of a candidate in float64 should be above 0, roundings for each row; this proves nothing.
ROUNDINGS = 64


@dataclass(frozen=True, kw_only=True)
class Inequality:
    """One inequality of a certificate, "matrix > 0", as it was found after the solver.

    `name`: what has to be positive (definite). `size`: rows of the matrix (elements of a vector). `eigenvalue`: the
    smallest eigenvalue of the matrix scaled to a diagonal near 1 (smallest element of a vector). `bound`: what rounding
    can make of 0. `arithmetic`: "exact" (rational numbers, fraction-free elimination) or "float64". `holds`: whether it
    is proved, which a matrix whose entries were computed in float64 never is.
    """

    name: str
    size: int
    eigenvalue: float
    bound: float
    arithmetic: str
    holds: bool

    @property
    def margin(self) -> float:
        """The eigenvalue less the bound: above 0 where the inequality holds."""
        return self.eigenvalue - self.bound


def exact(values: Any) -> Exact:
    """Return an array of float64 as the rational numbers that they are."""
    array = np.asarray(values, dtype=np.float64)
    found = np.empty(array.shape, dtype=object)
    for index in np.ndindex(array.shape):
        found[index] = Fraction(float(array[index]))
    return found


def multiply(*factors: Any) -> Any:
    """Return a product of matrices, of floats or of Fractions; zeros of Fractions are passed over."""
    product = factors[0]
    for factor in factors[1:]:
        product = product @ factor if product.dtype != object or factor.dtype != object else _multiply(product, factor)
    return product


def check_definite(name: str, matrix: Any) -> Inequality:
    """Return whether a symmetric matrix is positive definite, of Fractions (proved exactly) or of float64.

    It is symmetrised, and scaled by powers of two to a diagonal near 1. Exactly: rounded to 2^-80, less what that can
    have changed times the identity, all its leading minors are positive (Sylvester's criterion), in integers by
    elimination without fractions (E. H. Bareiss, Math. Comp. 22:565, 1968). Fractions of more than 80 rows are rounded
    to float64: Cholesky's method comes to its end after a bound for all rounding has been taken from the diagonal
    (S. M. Rump, BIT 46:433, 2006). A matrix given in float64 never holds: its entries carry errors, of the terms that
    cancelled, that nothing here can know; its margin says whether a proof is worth trying.
    """
    half = (matrix + matrix.T) / 2
    n = int(half.shape[0])
    diagonal = np.array([float(half[k, k]) for k in range(n)])
    if not np.isfinite(diagonal).all() or bool(np.any(diagonal <= 0.0)):
        worst = float(np.min(diagonal)) if np.isfinite(diagonal).all() else -np.inf
        scale = float(np.max(np.abs(diagonal))) or 1.0
        value = worst / scale if np.isfinite(worst) and np.isfinite(scale) else -np.inf
        return Inequality(name=name, size=n, eigenvalue=value, bound=0.0, arithmetic="float64", holds=False)
    powers = np.round(-0.5 * np.log2(diagonal)).astype(int)
    scaled = np.array(half.astype(np.float64)) * np.exp2(powers[:, None] + powers[None, :])
    eigenvalue = float(np.linalg.eigvalsh(scaled)[0]) if np.isfinite(scaled).all() else -np.inf
    if half.dtype != object:
        bound = ROUNDINGS * n * float(np.finfo(np.float64).eps) * max(1.0, float(np.max(np.abs(scaled))))
        return Inequality(name=name, size=n, eigenvalue=eigenvalue, bound=bound, arithmetic="float64", holds=False)
    if n > LARGEST_EXACT:
        bound = rounding_bound(scaled)
        holds = bool(np.isfinite(bound)) and eigenvalue > bound and _eliminates(scaled - bound * np.eye(n))
        return Inequality(name=name, size=n, eigenvalue=eigenvalue, bound=bound, arithmetic="float64", holds=holds)
    rows = [
        [round(half[i, j] * _power(int(powers[i] + powers[j]) + BITS)) - (n if i == j else 0) for j in range(n)]
        for i in range(n)
    ]
    bound = n * 2.0**-BITS
    return Inequality(
        name=name, size=n, eigenvalue=eigenvalue, bound=bound, arithmetic="exact", holds=has_positive_minors(rows)
    )


def rounding_bound(matrix: Array) -> float:
    """Return twice what rounding the entries of a symmetric matrix, and Cholesky's method, can take from eigenvalues.

    With u = 2^-53: (n + 2) u trace for the method, and 2 u times the largest sum of a row for the entries.
    """
    unit = 0.5 * float(np.finfo(np.float64).eps)
    rows = float(np.max(np.abs(matrix).sum(axis=1)))
    return 2.0 * unit * ((len(matrix) + 2) * float(np.trace(matrix)) + 2.0 * rows)


def _eliminates(matrix: Array) -> bool:
    try:
        np.linalg.cholesky(matrix)
    except np.linalg.LinAlgError:
        return False
    return True


def check_positive(name: str, values: Any, *, strict: bool = True) -> Inequality:
    """Return whether all elements are above zero (at least zero where not `strict`), as the numbers that they are."""
    flat = np.ravel(values)
    least = min(flat.tolist(), default=Fraction(0))
    holds = bool(flat.size) and (least > 0 or (not strict and least >= 0))
    arithmetic = "exact" if flat.dtype == object else "float64"
    return Inequality(name=name, size=flat.size, eigenvalue=float(least), bound=0.0, arithmetic=arithmetic, holds=holds)


def has_positive_minors(rows: Sequence[Sequence[int]]) -> bool:
    """Return whether all leading minors of a matrix of integers are positive, without a division that rounds."""
    work = [list(row) for row in rows]
    n, before = len(work), 1
    for k in range(n):
        pivot = work[k][k]
        if pivot <= 0:
            return False
        top = work[k]
        for i in range(k + 1, n):
            row, factor = work[i], work[i][k]
            for j in range(k + 1, n):
                row[j] = (row[j] * pivot - factor * top[j]) // before
        before = pivot
    return n > 0


def _power(exponent: int) -> Fraction:
    return Fraction(2**exponent) if exponent >= 0 else Fraction(1, 2**-exponent)


def _multiply(left: Exact, right: Exact) -> Exact:
    rows = [[(j, value) for j, value in enumerate(row) if value] for row in right.tolist()]
    product = np.full((left.shape[0], right.shape[1]), Fraction(0), dtype=object)
    for i, row in enumerate(left.tolist()):
        sums: dict[int, Fraction] = {}
        for k, value in enumerate(row):
            if value:
                for j, other in rows[k]:
                    term = value * other
                    sums[j] = sums[j] + term if j in sums else term
        for j, total in sums.items():
            product[i, j] = total
    return product
