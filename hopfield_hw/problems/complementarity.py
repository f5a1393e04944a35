"""Complementarity problems with known answers: x >= 0, F(x) >= 0, x^T F(x) = 0."""

from __future__ import annotations

import numpy as np

from ..families.projection import BoxProblem, box_problem
from ..values.arrays import whole

# F_k(x) = M x + q, and the terms (k, i, j, coefficient) of x_i x_j; M. Kojima and S. Shindo (1986).
KOJIMA_SHINDO_MATRIX = ((0.0, 0.0, 1.0, 3.0), (1.0, 0.0, 10.0, 2.0), (0.0, 0.0, 2.0, 9.0), (0.0, 0.0, 2.0, 3.0))
KOJIMA_SHINDO_VECTOR = (-6.0, -2.0, -9.0, -3.0)
KOJIMA_SHINDO_TERMS = (
    *((0, 0, 0, 3.0), (0, 0, 1, 2.0), (0, 1, 1, 2.0)),
    *((1, 0, 0, 2.0), (1, 1, 1, 1.0)),
    *((2, 0, 0, 3.0), (2, 0, 1, 1.0), (2, 1, 1, 2.0)),
    *((3, 0, 0, 1.0), (3, 1, 1, 3.0)),
)
LARGEST = 512


def murty(n: int) -> BoxProblem:
    """Return M = 1 on the diagonal and 2 above it, q = -1; the solution is e_n, the last unit vector.

    K. G. Murty, Linear Complementarity, Linear and Nonlinear Programming (1988). Raises InputError for n below 1.
    """
    size = whole(n, "n", 1, LARGEST)
    return box_problem(np.eye(size) + 2.0 * np.triu(np.ones((size, size)), 1), -1.0)


def fathi(n: int) -> BoxProblem:
    """Return M = U^T U with U = 1 on the diagonal and 2 above it, q = -1; the solution is e_1, and M is stiff.

    Y. Fathi, Math. Program. 17:335 (1979). Raises InputError for n below 1.
    """
    upper = murty(n).matrix
    return box_problem(upper.T @ upper, -1.0)


def tridiagonal(n: int) -> BoxProblem:
    """Return M = 4 on the diagonal, 1 below it and -2 above it, q = -1, whose solution is M^-1 (1, ..., 1) > 0.

    Raises InputError for n below 1.
    """
    size = whole(n, "n", 1, LARGEST)
    return box_problem(4.0 * np.eye(size) + np.eye(size, k=-1) - 2.0 * np.eye(size, k=1), -1.0)


def kojima_shindo() -> BoxProblem:
    """Return the problem of four variables with two solutions, (sqrt(6)/2, 0, 0, 1/2) and (1, 0, 3, 0); F is quadratic.

    M. Kojima and S. Shindo, J. Oper. Res. Soc. Japan 29:352 (1986), as tested by J.-S. Pang and S. A. Gabriel,
    Math. Program. 60:295 (1993).
    """
    quadratic = np.zeros((4, 4, 4))
    for k, i, j, coefficient in KOJIMA_SHINDO_TERMS:
        quadratic[k, i, j] += coefficient
    return box_problem(KOJIMA_SHINDO_MATRIX, KOJIMA_SHINDO_VECTOR, quadratic=quadratic)
