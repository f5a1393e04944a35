"""The currents into held capacitors, fitted by curves, states and a constant: what the circuit does with its loads.

Every current is taken to be i = A s + B z + d with the outputs z of the curves as they were measured. The fit is of the
differences from what the devices say with ideal op-amps, which stays where the sweep does not tell.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from ..values.arrays import Array
from .clamped import Sweep
from .curves import Curve
from .devices import FlatDevice
from .nodal import Nodal, StateCapacitor

# How strongly values are held at what the devices say, against the sweep: parts of a standard deviation.
HELD = 1e-6
# What is below this part of the largest value, by the devices, is not there.
NOTHING = 1e-9


@dataclass(frozen=True, kw_only=True, eq=False)
class FittedCurrents:
    """Currents into the capacitors, as `Nodal.currents`, with what is left of them and how sure they are.

    `left`: the largest rest at points where several states move, of the largest current. `uncertainty`: one standard
    deviation of "weights", (n, n), and "bias", (n,), and "resistance", (n,).
    """

    states: tuple[StateCapacitor, ...]
    curves: list[FlatDevice]
    currents: Array
    left: float
    uncertainty: Mapping[str, Array]


def fit_currents(nodal: Nodal, curves: Sequence[Curve], swept: Sweep) -> FittedCurrents:
    """Return the currents as a sweep has them, inputs as the devices say."""
    n, count = len(nodal.states), len(curves)
    given = nodal.currents
    outputs = [
        swept.output(device) if device.is_op_amp else curve.values(swept.states[:, curve.owner])
        for device, curve in zip(nodal.curves, curves, strict=True)
    ]
    ones = np.ones(len(swept.states))
    found = given.copy()
    size = float(np.max(np.ptp(swept.currents, axis=0)))
    worst = 0.0
    weights, bias, resistance = np.zeros((n, n)), np.zeros(n), np.zeros(n)
    checked = np.ones(len(swept.states), dtype=bool)
    for axis in swept.axes:
        checked[list(axis)] = False
    scale = float(np.max(np.abs(given[:, :-1]), initial=1e-30))
    # One that only drives transistors, which make a curve of it, leads to no capacitor.
    acting = [k for k in range(count) if np.any(np.abs(given[:, n + k]) > NOTHING * scale)]
    for i in range(n):
        places = [j for j in range(n) if j == i or abs(given[i, j]) > NOTHING * scale]
        columns = [*(swept.states[:, j] for j in places), *(outputs[k] for k in acting), ones]
        at = [*places, *(n + k for k in acting), found.shape[1] - 1]
        basis = np.stack(columns, axis=1)
        widths = np.maximum(np.sqrt(np.mean(basis**2, axis=0)), 1e-30)
        rest = swept.currents[:, i] - basis @ given[i, at]
        scaled = basis / widths
        normal = scaled.T @ scaled / len(basis) + HELD**2 * np.eye(len(at))
        change = np.linalg.solve(normal, scaled.T @ rest / len(basis)) / widths
        found[i, at] += change
        left = rest - basis @ change
        worst = max(worst, float(np.max(np.abs(left[checked]), initial=0.0)) / size)
        spread = np.sqrt(np.mean(left**2) / len(basis) * np.diag(np.linalg.inv(normal))) / widths
        for place, k in enumerate(acting, len(places)):
            weights[i, curves[k].owner] = max(weights[i, curves[k].owner], spread[place])
        bias[i] = spread[-1]
        leak = found[i, i]
        resistance[i] = spread[places.index(i)] / leak**2 if leak else 0.0
    uncertainty = {"weights": weights, "bias": bias, "resistance": resistance}
    return FittedCurrents(states=nodal.states, curves=nodal.curves, currents=found, left=worst, uncertainty=uncertainty)
