"""Characteristic roots of linear delay equations x'(t) = A x(t) + sum_k A_k x(t - tau_k)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt

from ..values.arrays import Array, freeze, whole
from ..values.errors import InputError

Complexes: TypeAlias = npt.NDArray[np.complex128]

COUNT = 16
# Chebyshev points: at least so many, and this many for each unit of |lambda| tau that a root to the right may have.
LEAST_POINTS, POINTS_A_UNIT = 24, 0.75
MOST_SIZE = 1600
POLISH = 25
RESIDUAL = 1e-10
MULTIPLE = 1e-7


class Roots(NamedTuple):
    """`roots`: (r,), 1/s, the rightmost first. `residuals`: (r,), the least singular value of the characteristic matrix
    at each, over the size of its terms; `points`: of the discretisation.
    """

    roots: Complexes
    residuals: Array
    points: int


class DelayedTerms(NamedTuple):
    """x'(t) = matrix x(t) + sum_k delayed[k] x(t - taus[k]): (n, n), (K, n, n), and (K,) seconds, ascending."""

    matrix: Array
    delayed: Array
    taus: Array

    def characteristic(self, root: complex) -> Complexes:
        """Return lambda - A - sum_k A_k exp(-lambda tau_k), (n, n)."""
        late = np.tensordot(np.exp(-root * self.taus), self.delayed, axes=1)
        return np.asarray(root * np.eye(len(self.matrix)) - self.matrix - late, dtype=np.complex128)

    def characteristic_slope(self, root: complex) -> Complexes:
        """Return its derivative by lambda, 1 + sum_k tau_k A_k exp(-lambda tau_k), (n, n)."""
        late = np.tensordot(self.taus * np.exp(-root * self.taus), self.delayed, axes=1)
        return np.asarray(np.eye(len(self.matrix)) + late, dtype=np.complex128)

    def size(self, root: complex) -> float:
        """Return the size of the terms of the characteristic matrix at a root."""
        late = np.exp(-root.real * self.taus) @ np.linalg.norm(self.delayed, 2, axis=(1, 2)) if len(self.taus) else 0.0
        return abs(root) + float(np.linalg.norm(self.matrix, 2)) + float(late)


def delayed_terms(matrix: Any, delayed: Sequence[Any], taus: Sequence[Any] | Any) -> DelayedTerms:
    """Return the terms of x'(t) = A x(t) + sum_k A_k x(t - tau_k), checked: equal delays are joined.

    `matrix`: A, (n, n). `delayed`: A_k, (n, n) each. `taus`: seconds, at least 0. Raises InputError for wrong shapes.
    """
    a = freeze(matrix, "matrix")
    if a.ndim != 2 or a.shape[0] != a.shape[1] or not a.size:
        raise InputError(f"`matrix` has shape {a.shape}: must be (n, n)")
    times = np.atleast_1d(freeze(taus, "taus", unit="s"))
    parts = [freeze(one, f"delayed[{k}]", shape=a.shape) for k, one in enumerate(delayed)]
    if len(parts) != times.size:
        raise InputError(f"`delayed` has {len(parts)} and `taus` {times.size}: must have as many")
    if bool(np.any(times < 0.0)):
        raise InputError(f"`taus` holds {times.min()} s: must be at least 0")
    now = a + np.sum([part for part, tau in zip(parts, times, strict=True) if tau == 0.0], axis=0)
    late: dict[float, Array] = {}
    for part, tau in sorted(zip(parts, times.tolist(), strict=True), key=lambda pair: pair[1]):
        if tau > 0.0:
            late[tau] = late.get(tau, 0.0) + part
    return DelayedTerms(np.asarray(now), np.array(list(late.values())).reshape(-1, *a.shape), np.array(list(late)))


def characteristic_roots(
    matrix: Any, delayed: Sequence[Any] = (), taus: Any = (), *, count: int = COUNT, points: int | None = None
) -> Roots:
    """Return the `count` rightmost roots of det(lambda - A - sum_k A_k exp(-lambda tau_k)) = 0.

    The generator of the solution operator, d/dtheta on [-tau_max, 0] with the equation as its condition at 0, is
    discretised at Chebyshev points (Breda, Maset and Vermiglio, SIAM J. Sci. Comput. 27:482, 2005); each eigenvalue is
    then made exact by Newton's method on the characteristic matrix itself. `points`: of the discretisation, as many as
    the matrices and delays ask for where it is None. What does not converge is left out, so that every root given is
    one, with its residual.

    Raises InputError for wrong shapes, and for delays so long that the discretisation would find no room.
    """
    terms = delayed_terms(matrix, delayed, taus)
    wanted = whole(count, "count", 1, 10_000)
    return roots_of(terms, wanted, points)


def roots_of(terms: DelayedTerms, count: int = COUNT, points: int | None = None) -> Roots:
    """Return the rightmost roots of checked terms: see `characteristic_roots`."""
    n = len(terms.matrix)
    if not len(terms.taus):
        own = np.linalg.eigvals(terms.matrix).astype(np.complex128)
        return Roots(own[np.lexsort((own.imag, -own.real))][:count], np.zeros(min(n, count)), 0)
    tau = float(terms.taus[-1])
    reach = terms.size(0.0j) * tau
    found = LEAST_POINTS + int(np.ceil(POINTS_A_UNIT * reach + count / n)) if points is None else points
    if n * (found + 1) > MOST_SIZE:
        raise InputError(
            f"characteristic_roots: {n} states with delays of up to {reach:.3g} of their own times ask for a matrix of "
            f"{n * (found + 1)} rows, at most {MOST_SIZE}; give `points`, shorter delays or fewer states"
        )
    found_roots: Any = np.linalg.eigvals(_generator(terms, found)) / tau
    guesses = found_roots[np.argsort(-found_roots.real)]
    groups: list[tuple[complex, float, int, int]] = []  # root, residual, its multiplicity, how often it was found
    for guess in guesses[: 2 * count + n].tolist():
        root = polish_root(terms, complex(guess))
        if root is None or abs(root - guess) > 0.5 * (1.0 / tau + abs(guess)):
            continue
        values, size = np.linalg.svd(terms.characteristic(root), compute_uv=False), terms.size(root)
        if values[-1] > RESIDUAL * size:
            continue
        same = [k for k, other in enumerate(groups) if abs(other[0] - root) <= MULTIPLE * (1.0 / tau + abs(root))]
        if same:
            old = groups[same[0]]
            groups[same[0]] = (*old[:3], old[3] + 1)
        else:
            groups.append((root, float(values[-1] / size), max(int(np.sum(values <= MULTIPLE * size)), 1), 1))
    listed = [
        (root, residual) for root, residual, multiplicity, times in groups for _ in range(min(multiplicity, times))
    ]
    listed.sort(key=lambda pair: (-pair[0].real, abs(pair[0].imag), pair[0].imag))
    listed = listed[:count]
    roots = np.array([root for root, _ in listed], dtype=np.complex128)
    return Roots(roots, np.array([residual for _, residual in listed]), found)


def _generator(terms: DelayedTerms, points: int) -> Array:
    """Return the generator at points + 1 Chebyshev points of [-1, 0], times in units of the longest delay."""
    n, tau = len(terms.matrix), float(terms.taus[-1])
    at = np.arange(points + 1)
    nodes = 0.5 * (np.cos(np.pi * at / points) - 1.0)
    ends = np.where((at == 0) | (at == points), 2.0, 1.0) * (-1.0) ** at
    apart = nodes[:, np.newaxis] - nodes + np.eye(points + 1)
    slope = np.outer(ends, 1.0 / ends) / apart
    slope -= np.diag(slope.sum(axis=1))
    result = np.kron(slope, np.eye(n))
    result[:n] = 0.0
    result[:n, :n] = tau * terms.matrix
    weights = 1.0 / ends
    for matrix, late in zip(terms.delayed, terms.taus, strict=True):
        gap = -late / tau - nodes
        hit = np.flatnonzero(np.abs(gap) < 1e-14)
        if hit.size:
            basis = (at == hit[0]).astype(np.float64)
        else:
            basis = weights / gap
            basis /= basis.sum()
        result[:n] += tau * np.kron(basis, matrix)
    return np.asarray(result)


def polish_root(terms: DelayedTerms, root: complex) -> complex | None:
    """Return the root near a guess by successive linear problems (Ruhe 1973); None where they do not converge."""
    tau = float(terms.taus[-1])
    for _ in range(POLISH):
        if -root.real * tau > 500.0:
            return None
        try:
            steps = np.linalg.eigvals(np.linalg.solve(terms.characteristic_slope(root), terms.characteristic(root)))
        except np.linalg.LinAlgError:
            return None
        step = steps[np.argmin(np.abs(steps))]
        root = complex(root - step)
        if abs(step) <= 1e-14 * (1.0 / tau + abs(root)):
            break
    # A root on the real axis stays there.
    return complex(root.real, 0.0) if abs(root.imag) <= 1e-12 * (1.0 / tau + abs(root)) else root
