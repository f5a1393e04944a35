"""Solutions along inputs of many points, many of these at once.

An input given by points has a corner at each, and a step must end there: a step of a Runge-Kutta method, and a new
start of a solver, for every point of a recording. Between two corners the solution is smooth and short, so it is taken
as a polynomial: that of Gauss collocation (Hairer, Norsett, Wanner, "Solving Ordinary Differential Equations I", 2nd
ed., II.7), which with K nodes is of order 2 K. The equations of a row of such elements, up to a time constant or so
together, are solved by Picard's iteration x <- x(0) + integral f(t, x) dt (waveform relaxation), in which the slopes at
all nodes of all elements are one call.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import NamedTuple, TypeAlias

import numpy as np
from numpy.polynomial import legendre

from ..values.arrays import Array

RightHandSide: TypeAlias = Callable[[Array], Callable[[Array], Array]]
"""f(t: (P, 1)) gives g, where g(x: (P, B, n)) is dx/dt, (P, B, n)."""

# A row of elements is halved where so many iterations do not do, and doubled where few did; fewer where the numbers in
# it are many, as these then cost more than the calls.
FEW, MANY = 15, 40
FEW_OF_MANY, LARGE = 6, 20_000
LONGEST_ROW, NUMBERS = 4096, 1 << 20
# Elements are halved up to so often, where their polynomial does not come to the tolerance.
HALVINGS = 30


class NoCollocationError(Exception):
    """The equation is too stiff for this, or jumps."""


def integrate_elements(
    rhs: RightHandSide, initial: Array, mesh: Array, *, rtol: float, atol: float, nodes: int, smooth: bool
) -> Array:
    """Return the states, (B, mesh, n), of dx/dt = f from `initial`, (B, n); f is smooth between the times of the mesh.

    What an element leaves out, by the last coefficient of its polynomial, and what an iteration still changes, is kept
    below atol + rtol |x|. `smooth`: f has no corners, so that coefficients go on to fall as they do.

    Raises NoCollocationError where elements would be too short.
    """
    result = np.empty((initial.shape[0], mesh.size, initial.shape[1]))
    result[:, 0] = x = initial
    tolerance = Tolerance(rtol, atol, (nodes + 2.0) / nodes if smooth else 1.0)
    k, row = 0, 1
    most = max(min(LONGEST_ROW, NUMBERS // (nodes * max(initial.size, 1))), 1)
    while k < mesh.size - 1:
        row = min(row, most, mesh.size - 1 - k)
        found = solve_row(rhs, x, mesh[k : k + row + 1], tolerance, nodes)
        if found is None and row > 1:
            row = max(row // 2, 1)
            continue
        good = row if found is not None else 0
        if found is not None and found.rough:
            good = found.rough - 1
        if found is not None and good:
            result[:, k + 1 : k + 1 + good] = np.swapaxes(found.ends[:good], 0, 1)
            x, k = found.ends[good - 1], k + good
        if good < row:
            x = _apart(rhs, x, float(mesh[k]), float(mesh[k + 1]), tolerance, nodes, HALVINGS)
            k += 1
            result[:, k] = x
        elif found is not None:
            few = FEW if row * nodes * initial.size < LARGE else FEW_OF_MANY
            row = 2 * row if found.iterations <= few else max(row // 2, 1) if found.iterations > 2 * few else row
    return result


class Row(NamedTuple):
    """States at the ends, (E, B, n), and nodes, (E, K, B, n), of elements; `rough`: the first that is, from 1; or 0."""

    ends: Array
    states: Array
    iterations: int
    rough: int


class Tolerance(NamedTuple):
    """`power`: what is left out is this power of the last coefficient, both as parts of x."""

    rtol: float
    atol: float | Array
    power: float

    def of(self, x: Array) -> Array:
        """Return the error that is allowed."""
        allowed: Array = self.atol + self.rtol * np.abs(x)
        return allowed


def _apart(
    rhs: RightHandSide, x: Array, start: float, end: float, tolerance: Tolerance, nodes: int, halvings: int
) -> Array:
    """Return the states at the end of one element, which is halved."""
    middle = 0.5 * (start + end)
    if not halvings or not start < middle < end:
        raise NoCollocationError
    for a, b in ((start, middle), (middle, end)):
        found = solve_row(rhs, x, np.array([a, b]), tolerance, nodes)
        whole = found is not None and not found.rough
        x = found.ends[0] if found and whole else _apart(rhs, x, a, b, tolerance, nodes, halvings - 1)
    return x


def solve_row(rhs: RightHandSide, x: Array, edges: Array, tolerance: Tolerance, nodes: int) -> Row | None:
    """Return a row of elements from the states x, (B, n); None where the iteration does not converge."""
    at, weights, integrals, tail = gauss(nodes)
    lengths = np.diff(edges)
    times = (edges[:-1, np.newaxis] + lengths[:, np.newaxis] * at).reshape(-1, 1)
    shape = (lengths.size, nodes, *x.shape)
    h = lengths[:, np.newaxis, np.newaxis]
    states = np.broadcast_to(x, shape)
    before, slopes_at = np.inf, rhs(times)
    for iteration in range(1, MANY + 1):
        slopes = slopes_at(states.reshape(-1, *x.shape)).reshape(shape)
        ends = x + np.cumsum(h * np.einsum("k,ekbn->ebn", weights, slopes), axis=0)
        starts = np.concatenate([x[np.newaxis], ends[:-1]])
        new = starts[:, np.newaxis] + h[:, np.newaxis] * np.einsum("jk,ekbn->ejbn", integrals, slopes)
        scale = tolerance.of(ends)
        change = float(np.max(np.abs(new - states) / scale[:, np.newaxis], initial=0.0))
        states = new
        if change <= 1.0:
            part = h * np.abs(np.einsum("k,ekbn->ebn", tail, slopes)) * tolerance.rtol / scale
            rough = part**tolerance.power > tolerance.rtol
            found = np.flatnonzero(rough.any(axis=(1, 2)))
            return Row(ends, states, iteration, int(found[0]) + 1 if found.size else 0)
        if not np.isfinite(change) or (iteration > 2 and change > before):
            return None
        before = change
    return None


@lru_cache(maxsize=8)
def gauss(nodes: int) -> tuple[Array, Array, Array, Array]:
    """Return on [0, 1] the Gauss nodes, their weights, the integrals from 0 to each node, and what gives the last
    Legendre coefficient of the integrand."""
    points, weights = legendre.leggauss(nodes)
    to_coefficients = np.linalg.inv(legendre.legvander(points, nodes - 1))
    integrals = np.stack([legendre.legval(points, legendre.legint(row, lbnd=-1.0)) for row in np.eye(nodes)], axis=1)
    return 0.5 + 0.5 * points, 0.5 * weights, 0.5 * integrals @ to_coefficients, to_coefficients[-1]
