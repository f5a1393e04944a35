"""Machine code for many cells on a grid, compiled by Numba: a Runge-Kutta step in one pass over the grid.

The stages follow each other row by row (a wavefront): as soon as a stage has the rows that a template reaches, it gives
its slope there, and the next stage goes on. So the slopes stay in the cache, and only the state, the first slope and
the last one go through memory.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, TypeAlias, TypeVar, cast

import numpy as np
import numpy.typing as npt
from numba import njit

from ..values.arrays import Array
from .tableau import FIFTH

Indices: TypeAlias = npt.NDArray[np.intp]
F = TypeVar("F", bound=Callable[..., Any])
STAGES: Final = FIFTH.stages
# Weights of the slopes in the argument of each stage but the first, the last one at the new state.
WEIGHTS: Final = FIFTH.matrix[1:, :STAGES]
GROUP: Final = 5  # weights of a template that are taken at once


def compiled(function: F) -> F:
    """Compile a function when it is first called, and keep the code on disk; sums may be taken in any order."""
    return cast(F, njit(cache=True, nogil=True, error_model="numpy", fastmath={"contract", "reassoc"})(function))


def terms(template: Array) -> tuple[Array, Indices, Indices]:
    """Return the weights of a template, and how far down and right they reach, filled with zeros to whole groups."""
    places = np.argwhere(template)
    rest = GROUP * max(1, -(-len(places) // GROUP)) - len(places)
    down, right = np.pad(places - np.array(template.shape) // 2, ((0, rest), (0, 0))).T
    return np.pad(template[template != 0.0], (0, rest)), down, right


@compiled
def step(
    slots: Array,
    forward: bool,
    keep: bool,
    squares: Array,
    tableau: Array,
    estimate: Array,
    tolerances: tuple[float, float],
    values: Array,
    down: Indices,
    right: Indices,
    reach: tuple[int, int],
    gain: float,
    amplitude: float,
    periodic: bool,
    copied: bool,
    constant: Array,
    rate: float,
) -> None:
    """Take a step in `slots`, (STAGES + 3, rows, columns): write the new state, its slope and the error.

    Slots: x, the slopes of the stages (the first one given; those between written only if `keep`), the slope at the new
    x, the new x; in this order, or backward. `tableau`, `estimate`: h times the weights of the slopes in the arguments
    of the stages and in the error. `tolerances`: rtol, atol. `squares`, (rows,): the sums of
    (error / (atol + rtol max(|x|, |new x|)))^2.

    dx/dt = (sum over k of values[k] y(row + down[k], column + right[k])) + constant - rate x, where y is gain x within
    -amplitude and amplitude, and outside the grid 0, or what the opposite side has where it is periodic, or what
    the nearest cell of the rim has where it is `copied`. `reach`: the largest shift, down and to the side.
    """
    _, rows, columns = slots.shape
    tall, wide = reach
    rtol, atol = tolerances
    margin = -(-wide // 8) * 8  # so that rows begin where lines of the cache do
    width, inside = np.uint64(columns), np.uint64(margin)  # without a sign: such an index needs no check
    depth, span = STAGES * tall + 1, 2 * tall + 1
    x, new = (slots[0], slots[-1]) if forward else (slots[-1], slots[0])
    given, last = (slots[1], slots[-2]) if forward else (slots[-2], slots[1])
    # The rows at work, each at its number modulo these heights; before a slope, its place holds the argument.
    slopes = np.empty((STAGES, depth, columns))
    outputs = np.zeros((STAGES, span, -(-(columns + 2 * margin) // 8) * 8))
    for front in range(-STAGES * tall, rows + STAGES * tall):
        known = front + STAGES * tall
        for stage in range(STAGES):
            if known < 2 * stage * tall:
                break
            row = front - stage * tall
            r = row % rows if periodic else row
            at, near = row % depth, row % span
            if 0 <= r < rows:
                w0, w1, w2, w3, w4, w5 = tableau[stage]
                if stage == 0:
                    for c in range(width):
                        slopes[0, at, c] = x[r, c] + w0 * given[r, c]
                elif stage == 1:
                    for c in range(width):
                        slopes[1, at, c] = x[r, c] + w0 * given[r, c] + w1 * slopes[0, at, c]
                elif stage == 2:
                    for c in range(width):
                        slopes[2, at, c] = x[r, c] + w0 * given[r, c] + w1 * slopes[0, at, c] + w2 * slopes[1, at, c]
                elif stage == 3:
                    for c in range(width):
                        part = x[r, c] + w0 * given[r, c] + w1 * slopes[0, at, c]
                        slopes[3, at, c] = part + w2 * slopes[1, at, c] + w3 * slopes[2, at, c]
                elif stage == 4:
                    for c in range(width):
                        part = x[r, c] + w0 * given[r, c] + w1 * slopes[0, at, c] + w2 * slopes[1, at, c]
                        slopes[4, at, c] = part + w3 * slopes[2, at, c] + w4 * slopes[3, at, c]
                else:
                    for c in range(width):
                        part = x[r, c] + w0 * given[r, c] + w2 * slopes[1, at, c] + w3 * slopes[2, at, c]
                        slopes[5, at, c] = part + w4 * slopes[3, at, c] + w5 * slopes[4, at, c]
                for c in range(width):
                    outputs[stage, near, inside + c] = min(max(gain * slopes[stage, at, c], -amplitude), amplitude)
                if periodic:
                    for c in range(wide):
                        outputs[stage, near, margin - 1 - c] = outputs[stage, near, margin + columns - 1 - c]
                        outputs[stage, near, margin + columns + c] = outputs[stage, near, margin + c]
                elif copied:
                    for c in range(wide):
                        outputs[stage, near, margin - 1 - c] = outputs[stage, near, margin]
                        outputs[stage, near, margin + columns + c] = outputs[stage, near, margin + columns - 1]
                    if row == 0:
                        for k in range(1, tall + 1):
                            outputs[stage, (near - k) % span] = outputs[stage, near]
                if stage == STAGES - 1 and r == row:
                    for c in range(width):
                        new[r, c] = slopes[stage, at, c]
            elif not copied:
                outputs[stage, near] = 0.0
            elif row >= rows:
                outputs[stage, near] = outputs[stage, (rows - 1) % span]
            row -= tall
            r = row % rows if periodic else row
            if known < 2 * (stage + 1) * tall or not 0 <= r < rows:
                continue
            at = row % depth
            for k in range(0, values.size, GROUP):
                v0, v1, v2, v3, v4 = values[k], values[k + 1], values[k + 2], values[k + 3], values[k + 4]
                r0, c0 = (row + down[k]) % span, np.uint64(margin + right[k])
                r1, c1 = (row + down[k + 1]) % span, np.uint64(margin + right[k + 1])
                r2, c2 = (row + down[k + 2]) % span, np.uint64(margin + right[k + 2])
                r3, c3 = (row + down[k + 3]) % span, np.uint64(margin + right[k + 3])
                r4, c4 = (row + down[k + 4]) % span, np.uint64(margin + right[k + 4])
                if k == 0:
                    for c in range(width):
                        slopes[stage, at, c] = constant[r, c] - rate * slopes[stage, at, c]
                for c in range(width):
                    slopes[stage, at, c] += (
                        v0 * outputs[stage, r0, c0 + c]
                        + v1 * outputs[stage, r1, c1 + c]
                        + v2 * outputs[stage, r2, c2 + c]
                        + v3 * outputs[stage, r3, c3 + c]
                        + v4 * outputs[stage, r4, c4 + c]
                    )
            if keep and stage < STAGES - 1 and r == row:
                slots[2 + stage if forward else STAGES - stage, r] = slopes[stage, at]
        row = front - STAGES * tall
        if row >= 0:
            at = row % depth
            e0, _, e2, e3, e4, e5, e6 = estimate
            total = 0.0
            for c in range(width):
                error = e0 * given[row, c] + e2 * slopes[1, at, c] + e3 * slopes[2, at, c] + e4 * slopes[3, at, c]
                error += e5 * slopes[4, at, c] + e6 * slopes[5, at, c]
                ratio = error / (atol + rtol * max(abs(x[row, c]), abs(new[row, c])))
                total += ratio * ratio
            squares[row] = total
            for c in range(width):
                last[row, c] = slopes[STAGES - 1, at, c]
