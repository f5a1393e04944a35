"""All equilibria of a network whose gains are piecewise linear, by going through its linear regions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from scipy.optimize import linprog

from ..values.arrays import Array
from ..values.brief import Brief
from ..values.errors import InputError
from .linear_pieces import Piece, jumps, linear_pieces
from .lure_form import LureForm, is_regular

# Regions that are looked at side by side; more take too much room.
MOST_REGIONS = 2_000_000
# A drive this near an end of a piece, of the size of the drives, is at it.
EDGE = 1e-10
SINGULAR = 1e-11
# A ratio of singular values between these may be rounding or a slow direction: (of n rows, of any number).
DOUBTFUL = 1e-15, 1e-9
SWEEPS = 2
LARGE = 1e150  # stands for infinity, so that 0 times it is 0


@dataclass(frozen=True, kw_only=True, eq=False)
class Continuum(Brief):
    """Equilibria that are not isolated: `state` + `directions` @ t within one linear region.

    `state`: (n,), one of them. `directions`: (n, k), orthonormal. `low`, `high`: (n,), the bounds of all of them,
    volts, infinite where they go on without end.
    """

    state: Array
    directions: Array
    low: Array
    high: Array


class Found(NamedTuple):
    """`states`: (k, n). `at_corner`: (k,), whether a drive is at an end of a piece. `regions`: how many were
    solved; `doubtful`: how many of those are nearly singular.
    """

    states: Array
    at_corner: Any
    continua: tuple[Continuum, ...]
    regions: int
    doubtful: int


class Pieces(NamedTuple):
    """The pieces of m elements, (m, p) each; where an element has fewer, the rest are empty: low above high."""

    low: Array
    high: Array
    slope: Array
    offset: Array
    jumps: Any


def all_pieces(form: LureForm, find: Any = linear_pieces) -> Pieces | None:
    """Return the pieces of all elements; None where a function has none."""
    rows: list[list[Piece]] = []
    jump: list[bool] = []
    for function, part in form.functions:
        found = find(function, part.stop - part.start)
        if found is None:
            return None
        rows += found
        jump += [jumps(function)] * len(found)
    most = max((len(row) for row in rows), default=1)
    empty = Piece(np.inf, -np.inf, 0.0, 0.0)
    table = np.array([[*row, *[empty] * (most - len(row))] for row in rows], dtype=np.float64).reshape(-1, most, 4)
    low, high, slope, offset = np.moveaxis(table, 2, 0)
    return Pieces(low, high, slope, offset, np.array(jump, dtype=bool))


def choices_of_regions(form: LureForm, pieces: Pieces) -> Any:
    """Return the piece of each element, (regions, m), of all regions that interval bounds cannot rule out.

    s = W z + w, from x = -A^-1 (B z + a), bounds each drive by those of z, which the pieces chosen bound.
    """
    m = pieces.low.shape[0]
    bounds = _Bounds(form, pieces)
    chosen = np.full((1, m), -1, dtype=np.int8)
    low, high = np.full((1, m), -LARGE), np.full((1, m), LARGE)
    low, high, kept = bounds.tighten(chosen, low, high)
    chosen, low, high = chosen[kept], low[kept], high[kept]
    for k in bounds.order:
        grown = []
        for p in range(pieces.low.shape[1]):
            if pieces.low[k, p] > pieces.high[k, p]:
                continue
            c, a, b = chosen.copy(), low.copy(), high.copy()
            c[:, k] = p
            a[:, k] = np.maximum(a[:, k], pieces.low[k, p])
            b[:, k] = np.minimum(b[:, k], pieces.high[k, p])
            a, b, kept = bounds.tighten(c, a, b)
            grown.append((c[kept], a[kept], b[kept]))
        chosen, low, high = (np.concatenate(parts) for parts in zip(*grown, strict=True))
        if len(chosen) > MOST_REGIONS:
            raise InputError(
                f"find_equilibria: more than {MOST_REGIONS} of the linear regions may hold an equilibrium; ask for a "
                "search with method='newton', or take fewer neurons"
            )
    return chosen


class _Bounds:
    """Interval bounds of the drives s = W z + w."""

    def __init__(self, form: LureForm, pieces: Pieces) -> None:
        self._pieces = pieces
        m = pieces.low.shape[0]
        self._known = is_regular(form.slope_state)
        self.order = list(range(m))
        if not self._known:
            return
        matrix = form.drive_signal - form.drive_state @ np.linalg.solve(form.slope_state, form.slope_signal)
        self._w = form.drive_constant - form.drive_state @ np.linalg.solve(form.slope_state, form.constant)
        self._up, self._down = np.maximum(matrix, 0.0).T, np.minimum(matrix, 0.0).T
        # What moves others most is decided first.
        self.order = np.argsort(-np.sum(np.abs(matrix), axis=0) * (pieces.slope.max(axis=1) + 1.0)).tolist()

    def tighten(self, chosen: Any, low: Array, high: Array) -> tuple[Array, Array, Any]:
        """Return tighter bounds of the drives, and which rows may hold an equilibrium."""
        kept = np.all(low <= high, axis=1)
        if not self._known:
            return low, high, kept
        for _ in range(SWEEPS):
            z_low, z_high = self._signals(chosen, low, high)
            size = np.abs(z_high) @ (self._up - self._down) + np.abs(z_low) @ (self._up - self._down)
            slack = EDGE * (size + np.abs(self._w) + 1e-300)
            a = z_low @ self._up + z_high @ self._down + self._w - slack
            b = z_high @ self._up + z_low @ self._down + self._w + slack
            low, high = np.maximum(low, a), np.minimum(high, b)
            kept &= np.all(low <= high + slack, axis=1) & np.all(z_low <= z_high, axis=1)
        return low, high, kept

    def _signals(self, chosen: Any, low: Array, high: Array) -> tuple[Array, Array]:
        """Return the least and the largest z, (rows, m), over the pieces that are left."""
        lowest, highest = np.full(low.shape, LARGE), np.full(low.shape, -LARGE)
        slack = EDGE * (np.abs(low) + np.abs(high))
        for p in range(self._pieces.low.shape[1]):
            start, end, slope, offset = (part[:, p] for part in self._pieces[:4])
            a = np.clip(np.maximum(low, start), -LARGE, LARGE)
            b = np.clip(np.minimum(high, end), -LARGE, LARGE)
            may = (a <= b + slack) & ((chosen < 0) | (chosen == p)) & (start <= end)
            first, last = slope * a + offset, slope * b + offset
            lowest = np.where(may, np.minimum(lowest, np.minimum(first, last)), lowest)
            highest = np.where(may, np.maximum(highest, np.maximum(first, last)), highest)
        return lowest, highest


class Region(NamedTuple):
    """F(x) = matrix x + constant and s = drive x + drive_constant within a region, which ends at low and high.

    `terms`: (n, n), the absolute values that the matrix is the sum of.
    """

    matrix: Array
    constant: Array
    drive: Array
    drive_constant: Array
    low: Array
    high: Array
    terms: Array


def region(form: LureForm, pieces: Pieces, chosen: Any) -> Region:
    """Return the linear system of one region, by the piece of each element, (m,)."""
    at = np.arange(len(chosen)), chosen
    slope, offset = pieces.slope[at], pieces.offset[at]
    through = np.linalg.inv(np.eye(len(chosen)) - form.drive_signal * slope)
    drive = through @ form.drive_state
    drive_constant = through @ (form.drive_signal @ offset + form.drive_constant)
    matrix = form.slope_state + form.slope_signal @ (slope[:, np.newaxis] * drive)
    constant = form.constant + form.slope_signal @ (slope * drive_constant + offset)
    terms = np.abs(form.slope_state) + np.abs(form.slope_signal) @ np.abs(slope[:, np.newaxis] * drive)
    return Region(matrix, constant, drive, drive_constant, pieces.low[at], pieces.high[at], terms)


def all_of_regions(form: LureForm, pieces: Pieces, *, scale: float, scales: Array) -> Found:
    """Return every equilibrium, and every continuum of them, of a network of piecewise-linear functions.

    `scale`: the size of the states, volts; `scales`: (n,), that of each.
    """
    chosen = choices_of_regions(form, pieces)
    states: list[Array] = []
    corners: list[bool] = []
    continua: list[Continuum] = []
    doubtful = 0
    for row in chosen:
        part = region(form, pieces, row)
        # Rows and columns are scaled by the terms, so that what cancels stays small.
        sizes = _sizes(part.terms, axis=1)
        columns = _sizes(part.terms / sizes[:, np.newaxis], axis=0)
        matrix, constant = part.matrix / sizes[:, np.newaxis] / columns, part.constant / sizes
        u, values, vt = np.linalg.svd(matrix)
        doubtful += bool(DOUBTFUL[0] * len(matrix) * values[0] < values[-1] < DOUBTFUL[1] * values[0])
        if values[-1] <= SINGULAR * values[0]:
            found = _continuum(part, matrix, constant, (u, values, vt), columns, scales)
            if found is not None and bool(np.any(found.high - found.low > EDGE * scales)):
                continua.append(found)
                continue
            if found is None:
                continue
            x = found.state
        else:
            x = vt.T @ ((u.T @ -constant) / values) / columns
        s = part.drive @ x + part.drive_constant
        size = np.abs(part.drive) @ np.abs(x) + np.abs(part.drive_constant) + EDGE * scale
        edge = 10.0 * EDGE * size
        near = (np.abs(s - part.low) <= edge) | (np.abs(s - part.high) <= edge)
        if bool(np.any(s < part.low - edge) or np.any(s > part.high + edge) or np.any(near & pieces.jumps)):
            continue
        states.append(x)
        corners.append(bool(near.any()))
    kept, at_corner = _distinct(states, corners, continua, scales)
    return Found(kept, at_corner, tuple(continua), len(chosen), doubtful)


def _sizes(terms: Array, axis: int) -> Array:
    """Return the largest of each row or column, 1 where all are 0."""
    sizes = np.max(terms, axis=axis)
    return np.asarray(np.where(sizes > 0.0, sizes, 1.0))


def _continuum(
    part: Region, matrix: Array, constant: Array, svd: Any, columns: Array, scales: Array
) -> Continuum | None:
    """Return the equilibria of a singular region, by a linear program for each bound; None where there are none."""
    u, values, vt = svd
    rank = int(np.sum(values > SINGULAR * values[0]))
    y = vt[:rank].T @ ((u[:, :rank].T @ -constant) / values[:rank])
    allowed = 1e-9 * (np.abs(constant) + np.abs(matrix) @ np.abs(y) + columns * scales)
    if bool(np.any(np.abs(matrix @ y + constant) > allowed)):
        return None
    x, null = y / columns, np.linalg.qr(vt[rank:].T / columns[:, np.newaxis])[0]
    slope, at = part.drive @ null, part.drive @ x + part.drive_constant
    slack = EDGE * (np.abs(at) + np.abs(part.drive) @ scales)
    upper, lower = np.isfinite(part.high), np.isfinite(part.low)
    rows = np.vstack([slope[upper], -slope[lower]])
    ends = np.concatenate([(part.high - at + slack)[upper], (at - part.low + slack)[lower]])
    low, high = np.full(x.size, -np.inf), np.full(x.size, np.inf)
    inside: list[Array] = []
    for i in range(x.size):
        for sign, bound in ((1.0, low), (-1.0, high)):
            solved = linprog(
                sign * null[i],
                A_ub=rows if len(rows) else None,
                b_ub=ends if len(rows) else None,
                bounds=(None, None),
                method="highs",
            )
            if solved.status == 2:
                return None
            if solved.x is not None and solved.fun is not None:
                bound[i] = x[i] + sign * solved.fun
                inside.append(solved.x)
    middle = np.mean(inside, axis=0) if inside else np.zeros(null.shape[1])
    return Continuum(state=x + null @ middle, directions=null, low=low, high=high)


def _distinct(states: list[Array], corners: list[bool], continua: list[Continuum], scales: Array) -> tuple[Array, Any]:
    """Return each equilibrium once: two regions share what is at their border, and a continuum its ends."""
    kept: list[Array] = []
    at_corner: list[bool] = []
    for state, corner in zip(states, corners, strict=True):
        near = [k for k, other in enumerate(kept) if bool(np.all(np.abs(other - state) <= 1e-8 * scales))]
        if near:
            at_corner[near[0]] |= corner
        elif not (corner and any(_holds(one, state, scales) for one in continua)):
            kept.append(state)
            at_corner.append(corner)
    return np.array(kept).reshape(len(kept), scales.size), np.array(at_corner, dtype=bool)


def _holds(continuum: Continuum, state: Array, scales: Array) -> bool:
    apart = state - continuum.state
    off = apart - continuum.directions @ (continuum.directions.T @ apart)
    slack = 1e-8 * scales
    inside = np.all(state >= continuum.low - slack) and np.all(state <= continuum.high + slack)
    return bool(inside and np.all(np.abs(off) <= slack))
