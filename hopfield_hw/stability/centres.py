"""The largest shift at which linear matrix inequalities hold, by the method of centres; in NumPy alone."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from ..values.arrays import Array
from .semidefinite import Problem

# A step towards the largest shift that the present point allows; Newton's decrement at which a point is a centre.
STEP, CENTRED = 0.7, 0.5
MOST_SHIFTS, MOST_NEWTON, MOST_DOUBLINGS = 600, 60, 60


class _Blocks(NamedTuple):
    """All matrices as sum_i x_i (still[i] - shift moved[i]), (m, N, N) each, and which x_i must be at least 0."""

    still: list[Array]
    moved: list[Array]
    nonnegative: Any


def largest_shift(problem: Problem, start: Array, tolerance: float) -> tuple[float, Array] | None:
    """Return the largest shift c at which all matrices of a problem are positive definite, from below, and its numbers.

    The matrices are linear in the numbers x of the unknowns, and in c = data["shift"], with which none grows and at
    least one falls. The centre of {x: all matrices > 0, |x| < 1} is followed while c rises (S. Boyd and L. El Ghaoui,
    Linear Algebra Appl. 188:63, 1993), until the next step is below `tolerance`. `start`: numbers for which they are
    positive definite at some c, however far below 0; None is returned where they are not. Nothing is proved here.
    """
    blocks = _blocks(problem)
    x = 0.5 * start / float(np.linalg.norm(start))
    shift = next((c for c in (1.0 - 2.0**k for k in range(MOST_DOUBLINGS)) if _is_inside(blocks, x, c)), None)
    if shift is None:
        return None
    best = shift, x
    for _ in range(MOST_SHIFTS):
        x = _centre(blocks, x, shift)
        best = shift, x
        room = _room(blocks, x, shift)
        if not np.isfinite(room) or STEP * room < tolerance:
            break
        shift += STEP * room
    return best


def _blocks(problem: Problem) -> _Blocks:
    numbers = len(problem.nonnegative)
    each = []
    for shift in (0.0, 1.0):
        data = dict(problem.data) | {"shift": np.array([shift])}
        each.append([problem.build(problem.matrices(row), data) for row in np.eye(numbers)])
    names = list(each[0][0])
    still, after = ([np.array([one[name] + one[name].T for one in part]) / 2.0 for name in names] for part in each)
    return _Blocks(still, [a - b for a, b in zip(still, after, strict=True)], problem.nonnegative)


def _matrices(blocks: _Blocks, x: Array, shift: float) -> list[Array]:
    return [
        np.tensordot(x, still - shift * moved, axes=1) for still, moved in zip(blocks.still, blocks.moved, strict=True)
    ]


def _is_inside(blocks: _Blocks, x: Array, shift: float) -> bool:
    if float(x @ x) >= 1.0 or bool(np.any(x[blocks.nonnegative] <= 0.0)):
        return False
    try:
        for matrix in _matrices(blocks, x, shift):
            np.linalg.cholesky(matrix)
    except np.linalg.LinAlgError:
        return False
    return True


def _centre(blocks: _Blocks, x: Array, shift: float) -> Array:
    """Return the point near x where the sum of -log det of all matrices, -log x_i and -log(1 - |x|^2) is least."""
    parts = [still - shift * moved for still, moved in zip(blocks.still, blocks.moved, strict=True)]
    signed = np.flatnonzero(blocks.nonnegative)
    for _ in range(MOST_NEWTON):
        left = 1.0 - float(x @ x)
        slope = 2.0 * x / left
        curvature = 2.0 * np.eye(x.size) / left + np.outer(slope, slope)
        slope[signed] -= 1.0 / x[signed]
        curvature[signed, signed] += 1.0 / x[signed] ** 2
        for part in parts:
            product = np.linalg.inv(np.tensordot(x, part, axes=1)) @ part
            slope -= np.trace(product, axis1=1, axis2=2)
            curvature += product.reshape(x.size, -1) @ product.transpose(0, 2, 1).reshape(x.size, -1).T
        step = -np.linalg.solve(curvature, slope)
        decrement = max(-float(slope @ step), 0.0) ** 0.5
        part_of = 1.0 if decrement < 0.25 else 1.0 / (1.0 + decrement)
        while part_of > 1e-9 and not _is_inside(blocks, x + part_of * step, shift):
            part_of *= 0.5  # rounding alone can ask for it
        x = x + part_of * step if part_of > 1e-9 else x
        if decrement < CENTRED or part_of <= 1e-9:
            break
    return x


def _room(blocks: _Blocks, x: Array, shift: float) -> float:
    """Return by how much the shift can rise before a matrix at x is singular."""
    room = np.inf
    for matrix, moved in zip(_matrices(blocks, x, shift), blocks.moved, strict=True):
        falls = np.tensordot(x, moved, axes=1)
        inverse = np.linalg.inv(np.linalg.cholesky(matrix))
        largest = float(np.linalg.eigvalsh(inverse @ falls @ inverse.T)[-1])
        if largest > 0.0:
            room = min(room, 1.0 / largest)
    return room
