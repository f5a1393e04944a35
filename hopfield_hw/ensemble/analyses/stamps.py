"""The equations of a system on whole arrays: what is left of them at voltages, their slopes, and linear solves.

Of all samples at once and without compiled kernels, for analyses that are no inner loop of a transient.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from scipy.sparse import csc_array, csr_array
from scipy.sparse.linalg import splu

from ...parts.sources import Pulse, Waveform
from ...values.arrays import Array
from ..equations.evaluate import evaluate_group
from ..equations.system import System
from .wires import join_lines

Samples = npt.NDArray[np.intp]

DENSE = 64  # unknowns up to which a matrix is dense
FULL = 0.1  # of a larger one's entries, from which on it is dense too
TOGETHER = 4_000_000  # entries of dense matrices that are solved at once


class Slopes(NamedTuple):
    """A system at voltages, by sample: what its laws leave, (unknowns, samples), and the slopes, (entries, samples).

    `residual`: G v + i(v). `conductances`: its slopes. `capacitances`: those of C v + q(v).
    """

    residual: Array
    conductances: Array
    capacitances: Array


class Stamps:
    """A system with the places of its slopes: an entry in each of `rows` and `columns`, which are of all nodes.

    `system`: its own, in which what comes out of lines are unknowns too. `grounded`: by entry, 1 where a conductance
    from each node to ground would be, else 0.
    """

    def __init__(self, system: System) -> None:
        self.system = system = join_lines(system)
        every, n = len(system.nodes), system.unknowns
        lawful = np.flatnonzero(system.laws[:n] >= 0)
        sloped = [
            (group, nodes)
            for group in system.groups
            for nodes, row in zip(group.nodes, group.program.slopes, strict=True)
            if row >= 0
        ]
        coupling = system.coupling.tocoo()
        self._weights = coupling.data[:, np.newaxis]
        parts: list[tuple[Any, Any]] = [
            (coupling.row, coupling.col),
            (system.linear.rows, system.linear.columns),
            (system.rates.rows, system.rates.columns),
            (system.laws[lawful], lawful),
            *((rows[rows >= 0], nodes[rows >= 0]) for group, nodes in sloped for rows in group.rows),
        ]
        keys = [rows.astype(np.int64) * every + columns for rows, columns in parts]
        known, inverse = np.unique(np.concatenate(keys), return_inverse=True)
        self.rows, self.columns = known // every, known % every
        self._coupled, self._linear, self._rates, grounds, *places = np.split(
            inverse.reshape(-1), np.cumsum([len(key) for key in keys])[:-1]
        )
        self.grounded = np.bincount(grounds, minlength=known.size).clip(max=1).astype(np.float64)
        self._law_sums = _sums(system.linear.rows, n)
        self._row_sums = _sums(self.rows, n)
        # What adds the values of formulas up by row, and their slopes by entry: not of charges, and of charges alone.
        self._flows = _scatter([(group.rows, group.kind != "charge") for group in system.groups], n)
        sides = [
            (_spread(group.rows, places[2 * j : 2 * j + 2]), group.kind == "charge")
            for j, (group, _) in enumerate(sloped)
        ]
        self._by_current = _scatter([(side, not of_charge) for side, of_charge in sides], known.size)
        self._by_charge = _scatter(sides, known.size)
        inner = self.columns < n
        self._inner = np.flatnonzero(inner)
        order = np.lexsort((self.rows[inner], self.columns[inner]))
        self._by_column = self._inner[order]
        self._starts = np.concatenate(([0], np.cumsum(np.bincount(self.columns[inner], minlength=n))))
        late = (self.rows >= n - len(system.ports)) & (self.columns != self.rows)
        self._late = np.flatnonzero(late)
        self._line_of = (self.rows[self._late] - n + len(system.ports)) // 2
        self._is_dense = n <= DENSE or self._inner.size > FULL * n * n

    def voltages(self, unknown: Array) -> Array:
        """Return the voltages of all nodes, (nodes, samples), with sources at what they are at t = 0."""
        given = np.array([*map(first_volts, self.system.waveforms), 0.0])
        return np.concatenate([unknown, np.tile(given[:, np.newaxis], unknown.shape[1])])

    def at(self, v: Array, samples: Samples) -> Slopes:
        """Return residual and slopes of some samples at voltages of all nodes, (nodes, samples)."""
        system = self.system
        values, slopes = [np.zeros((0, len(samples)))], [np.zeros((0, len(samples)))]
        for group in system.groups:
            with np.errstate(over="ignore", invalid="ignore"):
                value, its = evaluate_group(group, v, numbers=group.numbers[:, :, samples])
            values.append(value)
            slopes += [slope for slope in its if slope is not None]
        value, slope = np.concatenate(values), np.concatenate(slopes)
        conductances, capacitances = self._by_current @ slope, self._by_charge @ slope
        linear = system.linear.values[:, samples]
        conductances[self._coupled] += self._weights
        conductances[self._linear] += linear
        capacitances[self._rates] += system.rates.values[:, samples]
        residual = self._law_sums @ (linear * v[system.linear.columns]) + system.coupling @ v + self._flows @ value
        return Slopes(residual, conductances, capacitances)

    def matrix(self, at: Slopes, frequency: float, samples: Samples) -> npt.NDArray[np.complex128]:
        """Return the matrix of small signals of samples at a frequency, Hz: G + j w C, with the delays of lines."""
        w = 2.0 * math.pi * frequency
        values: npt.NDArray[np.complex128] = at.conductances + 1j * w * at.capacitances
        values[self._late] *= np.exp(-1j * w * self.system.delays[:, samples][self._line_of])
        return values

    def solve(self, values: npt.NDArray[Any], b: npt.NDArray[Any], *, transposed: bool = False) -> npt.NDArray[Any]:
        """Return x of A x = b, or of A^T x = b, (unknowns, samples); NaN where A is singular.

        `values`: of A, (entries, samples), real or complex, of which columns that are no unknowns do not count.
        """
        n = self.system.unknowns
        with np.errstate(all="ignore"):
            scale = 1.0 / self.row_sizes(values)
            scaled = values * scale[self.rows]
            right = b if transposed else b * scale
        usable = np.flatnonzero(np.all(np.isfinite(scaled), axis=0) & np.all(np.isfinite(right), axis=0))
        x = np.full(b.shape, np.nan, dtype=np.result_type(values, b))
        if self._is_dense:
            size = max(1, TOGETHER // max(n * n, 1))
            for first in range(0, usable.size, size):
                chosen = usable[first : first + size]
                x[:, chosen] = self._solve_dense(scaled[:, chosen], right[:, chosen], transposed)
        else:
            for k in usable.tolist():
                x[:, k] = self._solve_sparse(scaled[:, k], right[:, k], transposed)
        return x * scale if transposed else x

    def row_sizes(self, values: npt.NDArray[Any]) -> Array:
        """Return the largest magnitude in each row, (unknowns, samples)."""
        sizes = np.zeros((self.system.unknowns, values.shape[1]))
        np.maximum.at(sizes, self.rows[self._inner], np.abs(values[self._inner]))
        return sizes

    def dense(self, values: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """Return matrices of values, (entries, samples), over the unknowns: (samples, unknowns, unknowns)."""
        n = self.system.unknowns
        whole = np.zeros((values.shape[1], n, n), dtype=values.dtype)
        whole[:, self.rows[self._inner], self.columns[self._inner]] = values[self._inner].T
        return whole

    def multiply(self, values: npt.NDArray[Any], v: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """Return A v, (unknowns, samples), of voltages of all nodes, (nodes, samples)."""
        return np.asarray(self._row_sums @ (values * v[self.columns]))

    def _solve_dense(self, values: npt.NDArray[Any], b: npt.NDArray[Any], transposed: bool) -> npt.NDArray[Any]:
        matrices = self.dense(values)
        if transposed:
            matrices = matrices.transpose(0, 2, 1)
        try:
            return np.asarray(np.linalg.solve(matrices, b.T[..., np.newaxis])[..., 0].T)
        except np.linalg.LinAlgError:
            if len(matrices) == 1:
                return np.full_like(b, np.nan, dtype=np.result_type(values, b))
        halves = np.array_split(np.arange(len(matrices)), 2)
        return np.concatenate([self._solve_dense(values[:, h], b[:, h], transposed) for h in halves], axis=1)

    def _solve_sparse(self, values: npt.NDArray[Any], b: npt.NDArray[Any], transposed: bool) -> npt.NDArray[Any]:
        n = self.system.unknowns
        data = values[self._by_column]
        matrix = csc_array((data, self.rows[self._by_column], self._starts), shape=(n, n))
        try:
            factors = splu(matrix)
        except RuntimeError:
            return np.full(n, np.nan)
        solve: Any = factors.solve
        return np.asarray(solve(b.astype(data.dtype), "T" if transposed else "N"))


def first_volts(wave: Waveform) -> float:
    """Return what a waveform is at t = 0, volts."""
    if isinstance(wave, Pulse):
        return wave.first
    if isinstance(wave, float):
        return wave
    times, volts = zip(*wave, strict=True)
    return float(np.interp(0.0, times, volts))


def _spread(rows: npt.NDArray[np.int32], places: Sequence[npt.NDArray[np.intp]]) -> npt.NDArray[np.intp]:
    """Return places, of those that have a row, in the shape of the rows, (2, formulas), -1 for none."""
    spread = np.full(rows.shape, -1, dtype=np.intp)
    for side, its, place in zip(spread, rows, places, strict=True):
        side[its >= 0] = place
    return spread


def _scatter(parts: Sequence[tuple[npt.NDArray[Any], bool]], count: int) -> csr_array:
    """Return the matrix that adds stacked values to the first of two places of each and takes them from the second.

    `parts`: places, (2, values), -1 for none, and whether they count.
    """
    whole = [np.where(counts, places, -1) for places, counts in parts]
    places = np.concatenate([np.zeros((2, 0), dtype=np.intp), *whole], axis=1)
    side, column = np.nonzero(places >= 0)
    signs = np.where(side == 0, 1.0, -1.0)
    return csr_array((signs, (places[side, column], column)), shape=(count, places.shape[1]))


def _sums(rows: Sequence[int] | npt.NDArray[Any], count: int) -> csr_array:
    """Return the matrix that adds values up by row."""
    return csr_array((np.ones(len(rows)), (rows, np.arange(len(rows)))), shape=(count, len(rows)))
