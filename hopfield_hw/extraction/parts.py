"""The parts of a deck that have values, and what other values of them make of its network.

A resistor, or a gain, is a rank-one change of the matrix of the linear part, M' = M + d p q^T, so that its solution is

    X' = X - d / (1 + d q^T M^-1 p) (M^-1 p)(q^T X)

(Sherman and Morrison 1950), exactly, and for all parts at once; a source changes X in one column.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property

import numpy as np
import numpy.typing as npt

from ..values.arrays import Array
from .comparison import Probe, Reading
from .devices import FlatDevice
from .nodal import Nodal

Places = npt.NDArray[np.intp]
Marks = npt.NDArray[np.bool_]

# Devices whose value is a coefficient of the linear part, or a constant in it.
KINDS = ("R", "G", "E", "V", "I")
# Derivatives are taken over this part of a value.
STEP = 1e-5
# So many numbers are worked on at once.
AT_ONCE = 2_000_000
# A denominator 1 + d q^T M^-1 p below this is a matrix without inverse.
SINGULAR = 1e-9


def is_part(device: FlatDevice) -> bool:
    """Whether a device has a value that the linear part depends on."""
    return device.kind in KINDS and not device.is_op_amp and not device.wave and bool(device.value)


class Parts:
    """The resistors, gains and constant sources of a deck that was read, `devices`, and the `capacitors` of its states.

    `names`: of all of them, in the order of the columns of `jacobian`.
    """

    def __init__(self, reading: Reading) -> None:
        self.reading = reading
        self.devices = tuple(device for device in reading.deck.devices if is_part(device))
        self.capacitors = tuple(
            (reading.deck.by_name[name], k) for k, state in enumerate(reading.states) for name in state.names
        )
        self.names = tuple(device.name for device in (*self.devices, *(device for device, _ in self.capacitors)))
        self._main = Changes(reading.nodal, self.devices)
        shared = reading.linear is reading.nodal
        self._linear = self._main if shared else Changes(reading.linear, self.devices)
        self._values = np.array([device.value for device in self.devices], dtype=float)
        self._is_resistor = np.array([device.kind == "R" for device in self.devices], dtype=bool)

    def changes(self, which: Places, values: Array) -> Array:
        """Return what other values of some devices add to the matrix, d; infinite values of resistors are open ones."""
        found: Array = values - self._values[which]
        resistors = self._is_resistor[which]
        found[resistors] = 1.0 / values[resistors] - 1.0 / self._values[which[resistors]]
        return found

    def residuals(self, which: Places, values: Array) -> Array:
        """Return what the network differs by, (m, values), where the device which[k] alone has the value values[k].

        Infinite where such a deck has no solution.
        """
        size = len(self.reading.residual)
        main, linear = self.reading.probes
        count = max(1, AT_ONCE // max(main.solution.size, linear.solution.size, size))
        found = np.empty((len(which), size))
        for first in range(0, len(which), count):
            part = slice(first, first + count)
            d = self.changes(which[part], values[part])
            by_main, ok = self._main.solve(main, which[part], d)
            by_linear, also = self._linear.solve(linear, which[part], d)
            found[part] = np.where((ok & also)[:, np.newaxis], self.reading.residuals(by_main, by_linear), np.inf)
        return found

    @cached_property
    def jacobian(self) -> Array:
        """By how much a part's value, in parts of itself, moves what differs: (values, parts)."""
        base = self.reading.residual
        which = np.arange(len(self.devices))
        moved = (self.residuals(which, self._values * (1.0 + STEP)) - base) / STEP
        n = len(self.reading.states)
        capacitors = np.zeros((len(self.capacitors), len(base)))
        for row, (device, k) in zip(capacitors, self.capacitors, strict=True):
            row[len(base) - 2 * n + k] = (device.value or 0.0) / float(self.reading.frame.intended.capacitance[k])
        return np.asarray(np.nan_to_num(np.concatenate([moved, capacitors]), posinf=0.0, neginf=0.0).T)


class Changes:
    """Rank-one changes of a linear part: M^-1 p, (unknowns, devices), q^T X, (devices, columns), and q^T M^-1 p,
    (devices,)."""

    def __init__(self, nodal: Nodal, devices: Sequence[FlatDevice]) -> None:
        p, q = np.zeros((2, len(nodal.matrix), len(devices)))
        constant = np.zeros((len(devices), nodal.width))
        for k, device in enumerate(devices):
            put_vectors(nodal, device, p[:, k], q[:, k])
            if device.kind in ("V", "I"):
                constant[k, -1] = -1.0
        self._left = nodal.inverse @ p
        self._right = q.T @ nodal.solution + constant
        self._loop = np.einsum("ij,ij->j", q, self._left)

    def solve(self, probe: Probe, which: Places, d: Array) -> tuple[Array, Marks]:
        """Return the rows of solutions that a probe has, (m, rows, columns), and whether there is one, (m,)."""
        below = 1.0 + d * self._loop[which]
        ok = np.abs(below) > SINGULAR
        share = np.where(ok, d / np.where(ok, below, 1.0), 0.0)
        left = share[:, np.newaxis] * self._left[np.ix_(probe.rows, which)].T
        return probe.solution - left[:, :, np.newaxis] * self._right[which][:, np.newaxis, :], ok


def put_vectors(nodal: Nodal, device: FlatDevice, p: Array, q: Array) -> None:
    """Write p and q of a change of a device's value into two vectors of zeros; of a source, p alone."""
    if device.kind in ("V", "E"):
        p[nodal.branches[device.name]] = -1.0 if device.kind == "E" else 1.0
    else:
        ends = device.nodes[::-1] if device.kind == "I" else device.nodes
        _put(nodal, p, ends)
    if device.kind in ("G", "E"):
        _put(nodal, q, device.sensed)
    elif device.kind == "R":
        _put(nodal, q, device.nodes)


def _put(nodal: Nodal, vector: Array, ends: Sequence[str]) -> None:
    for node, sign in zip(ends, (1.0, -1.0), strict=False):
        if node in nodal.places:
            vector[nodal.places[node]] += sign
