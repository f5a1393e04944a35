"""Resistors between any two nodes of a deck, weighed at once by what they leave of what differs."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from ..values.arrays import Array
from .comparison import Reading
from .devices import GROUND, FlatDevice
from .parts import put_vectors


class Pairs:
    """Resistors between any two nodes of a deck, weighed at once.

    `each`: standard deviations of values, (values,). `without`: a resistor that is taken out first. Slopes are taken
    for those that they are.
    """

    def __init__(self, reading: Reading, each: Array, without: FlatDevice | None = None) -> None:
        nodal = reading.nodal
        fixed = reading.deck.fixed
        self.reading, self.each = reading, each
        # Nodes of a view are none of its deck.
        there = {node for device in reading.deck.devices for node in device.all_nodes}
        self.nodes = [*(node for node in nodal.places if node in there), GROUND]
        inverse, solution = nodal.inverse, nodal.solution
        if without is not None:
            p, q = np.zeros((2, len(nodal.matrix)))
            put_vectors(nodal, without, p, q)
            d = -1.0 / (without.value or 1.0)
            column = d / (1.0 + d * float(q @ inverse @ p)) * (inverse @ p)
            inverse, solution = inverse - np.outer(column, q @ inverse), solution - np.outer(column, q @ solution)
        at = [nodal.places[node] for node in self.nodes[:-1]]
        self.into = np.concatenate([inverse[list(nodal.clamps)][:, at].T, np.zeros((1, len(reading.states)))])
        self.volts = np.concatenate([solution[at], np.zeros((1, solution.shape[1]))])
        self.loop = np.zeros((len(self.nodes), len(self.nodes)))
        self.loop[:-1, :-1] = inverse[np.ix_(at, at)]
        self.is_fixed = np.array([node in fixed for node in self.nodes])

    def _directions(self, a: int) -> tuple[Array, Array]:
        """Return for every second node what a resistor from node `a` to it does for each unit, in standard deviations,
        and q^T M^-1 p."""
        into, volts = self.into[a] - self.into, self.volts[a] - self.volts
        change = -into[:, :, np.newaxis] * volts[:, np.newaxis, :]
        loop = self.loop[a, a] - self.loop[a] - self.loop[:, a] + np.diag(self.loop)
        return self._as_residual(change) / self.each, loop

    def _as_residual(self, change: Array) -> Array:
        """Return changes of currents, (nodes, n, columns), as changes of the residual, (nodes, values)."""
        frame, reading = self.reading.frame, self.reading
        n, signs, scales = len(reading.states), frame.signs, frame.scales
        weights = np.zeros((len(change), n, n))
        for k, device in enumerate(reading.nodal.curves):
            j = frame.owners.get(device.name)
            if j is not None:
                weights[:, :, j] += reading.shares[k] * change[:, :, n + k]
        parts = [
            (signs[:, np.newaxis] * weights / scales.weights).reshape(len(change), -1),
            (-np.outer(signs, signs) * change[:, :, :n] / scales.conductances).reshape(len(change), -1),
            signs * change[:, :, -1] / scales.bias,
            np.zeros((len(change), 2 * n)),
        ]
        return np.concatenate(parts, axis=1)

    def best(self, residual: Array) -> Iterator[tuple[float, str, str, float]]:
        """Yield for pairs of nodes the chi-square that the best resistor leaves, the nodes, and its conductance."""
        rest = residual / self.each
        total = float(rest @ rest)
        for a in range(len(self.nodes) - 1):
            directions, loop = self._directions(a)
            sizes = np.einsum("ij,ij->i", directions, directions)
            along = directions @ rest
            with np.errstate(divide="ignore", invalid="ignore"):
                share = -along / sizes
                siemens = share / (1.0 - share * loop)
            left = total - np.where(sizes > 0.0, along**2 / np.maximum(sizes, 1e-300), 0.0)
            for b in np.flatnonzero((np.arange(len(loop)) > a) & (siemens > 0.0) & (left < total)).tolist():
                if not (self.is_fixed[a] and self.is_fixed[b]) and np.isfinite(siemens[b]):
                    yield float(left[b]), self.nodes[a], self.nodes[b], float(siemens[b])

    def with_resistor(self, node: str, siemens: float, residual: Array) -> Iterator[tuple[str, float]]:
        """Yield for every other node the chi-square that a resistor from one to it leaves of what differs."""
        a = self.nodes.index(node)
        directions, loop = self._directions(a)
        share = siemens / (1.0 + siemens * loop)
        rest = residual / self.each + share[:, np.newaxis] * directions
        left = np.einsum("ij,ij->i", rest, rest)
        for b, other in enumerate(self.nodes):
            if b != a and np.isfinite(left[b]):
                yield other, float(left[b])
