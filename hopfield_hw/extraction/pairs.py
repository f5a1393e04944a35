"""Resistors between any two nodes of a deck, weighed at once by what they leave of what differs."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from ..values.arrays import Array
from .comparison import Frame, Reading
from .devices import GROUND

# Of the squares of what differs, what the first look must leave at most for a change to be worked out: of two or three
# faults of one size each leaves a half or two thirds.
PROMISING = 0.75


def trim(residual: Array, floor: float) -> Array:
    """Return a residual without what is below a floor."""
    return np.where(np.abs(residual) > floor, residual, 0.0)


class Pairs:
    """Resistors between any two nodes of a deck, weighed at once."""

    def __init__(self, reading: Reading, frame: Frame) -> None:
        nodal = reading.nodal
        fixed = reading.deck.fixed
        self.reading, self.frame = reading, frame
        # Nodes of a view are none of its deck.
        there = {node for device in reading.deck.devices for node in device.all_nodes}
        self.nodes = [*(node for node in nodal.places if node in there), GROUND]
        inverse, solution = nodal.inverse, nodal.solution
        at = [nodal.places[node] for node in self.nodes[:-1]]
        self.into = np.concatenate([inverse[list(nodal.clamps)][:, at].T, np.zeros((1, len(reading.states)))])
        self.volts = np.concatenate([solution[at], np.zeros((1, solution.shape[1]))])
        self.loop = np.zeros((len(self.nodes), len(self.nodes)))
        self.loop[:-1, :-1] = inverse[np.ix_(at, at)]
        self.is_fixed = np.array([node in fixed for node in self.nodes])
        self.base = reading.residual

    def _directions(self, a: int) -> tuple[Array, Array]:
        """Return for every second node what a resistor from node `a` to it does for each unit, and 1/g + w."""
        into, volts = self.into[a] - self.into, self.volts[a] - self.volts
        change = -into[:, :, np.newaxis] * volts[:, np.newaxis, :]
        loop = self.loop[a, a] - self.loop[a] - self.loop[:, a] + np.diag(self.loop)
        return self._as_residual(change), loop

    def _as_residual(self, change: Array) -> Array:
        """Return changes of currents, (nodes, n, columns), as changes of the residual, (nodes, values)."""
        frame, reading = self.frame, self.reading
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

    def best(self, rest: Array) -> Iterator[tuple[float, str, str, float]]:
        """Yield for pairs of nodes what the best resistor leaves of the squares, the nodes, and its conductance."""
        total = float(rest @ rest)
        for a in range(len(self.nodes) - 1):
            directions, loop = self._directions(a)
            sizes = np.einsum("ij,ij->i", directions, directions)
            along = directions @ rest
            with np.errstate(divide="ignore", invalid="ignore"):
                share = -along / sizes
                siemens = share / (1.0 - share * loop)
            left = total - np.where(sizes > 0.0, along**2 / np.maximum(sizes, 1e-300), 0.0)
            for b in np.flatnonzero((np.arange(len(loop)) > a) & (siemens > 0.0) & (left < PROMISING * total)).tolist():
                if not (self.is_fixed[a] and self.is_fixed[b]) and np.isfinite(siemens[b]):
                    yield float(left[b]), self.nodes[a], self.nodes[b], float(siemens[b])

    def with_resistor(self, node: str, siemens: float, floor: float) -> Iterator[tuple[str, float]]:
        """Yield for every other node what a resistor from one to it leaves of the squares of what differs."""
        a = self.nodes.index(node)
        directions, loop = self._directions(a)
        share = siemens / (1.0 + siemens * loop)
        rest = trim(self.base + share[:, np.newaxis] * directions, floor)
        left = np.einsum("ij,ij->i", rest, rest)
        for b, other in enumerate(self.nodes):
            if b != a and np.isfinite(left[b]):
                yield other, float(left[b])
