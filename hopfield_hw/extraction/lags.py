"""How late currents into capacitors are for the states that make them: op-amps and clamps need time.

With state j on a ramp and the others held, i_i(t) = F_ij(x_j) - M_ij(x_j) dx_j/dt to first order in what is late: the
way up and the way down differ by 2 M_ij |dx_j/dt|. A curve's own lag tau is M_ij = tau dF_ij/dx_j. The network with
its lags is then, with no constant that was fitted to a waveform,

    (C + M(x)) dx/dt = -x/R + T g(x) + I.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from scipy.integrate import solve_ivp

from ..values.arrays import Array
from ..values.errors import AccuracyError
from .devices import FlatDeck
from .emission import ramp_states
from .nodal import StateCapacitor

if TYPE_CHECKING:
    from .extraction import Extraction

# A ramp from end to end takes so many of the longest time constant; what is left out at its ends, where it turns.
PACE, TURNS = 4.0, 0.08
POINTS, RTOL = 81, 1e-7


class Lags(NamedTuple):
    """M of a circuit: `at`, (n, points), volts of x, and `values`, (n, n, points), farads, to i from j.

    `longest`: the longest lag of a curve, seconds.
    """

    at: Array
    values: Array
    longest: float

    def matrix(self, x: Array) -> Array:
        """Return M at states, (batch, n), as (batch, n, n)."""
        n = len(self.at)
        found = np.empty((len(x), n, n))
        for j in range(n):
            place = np.clip(np.searchsorted(self.at[j], x[:, j]) - 1, 0, self.at.shape[1] - 2)
            low, high = self.at[j, place], self.at[j, place + 1]
            part = np.clip((x[:, j] - low) / (high - low), 0.0, 1.0)
            column = self.values[:, j]
            found[:, :, j] = (column[:, place] * (1.0 - part) + column[:, place + 1] * part).T
        return found


def measure_lags(
    extraction: Extraction,
    deck: FlatDeck,
    states: Sequence[StateCapacitor],
    ranges: Sequence[tuple[float, float]],
    seconds: float,
    *,
    timeout: float,
) -> Lags:
    """Return the lags of a deck, in ngspice. `ranges`: (low, high) of each state, volts of its capacitor.

    `seconds`: the longest time constant. Raises a SimulatorError where ngspice does not deliver.
    """
    n = len(states)
    ramp = PACE * seconds
    times, volts, currents = ramp_states(deck, states, ranges, ramp, timeout=timeout)
    at, values = np.empty((n, POINTS)), np.empty((n, n, POINTS))
    longest = 0.0
    for j, (low, high) in enumerate(ranges):
        grid = low + (high - low) * np.linspace(TURNS, 1.0 - TURNS, POINTS)
        ways = []
        for rising, begin in ((True, 3.0 * j + 0.5), (False, 3.0 * j + 1.5)):
            part = (times >= begin * ramp) & (times <= (begin + 1.0) * ramp)
            x = volts[part, j] if rising else volts[part, j][::-1]
            of_part = currents[part] if rising else currents[part][::-1]
            ways.append(np.stack([np.interp(grid, x, of_part[:, i]) for i in range(n)]))
        up, down = ways
        rate = (high - low) / ramp
        late = (down - up) / (2.0 * rate)
        slope = np.gradient(0.5 * (up + down), grid, axis=1)
        for i in range(n):
            if i != j and np.any(slope[i]):
                longest = max(longest, float(late[i] @ slope[i] / (slope[i] @ slope[i])))
        sign = extraction.signs[j]
        x = sign * grid + extraction.offsets[j]
        order = np.argsort(x)
        at[j] = x[order]
        values[:, j] = (extraction.signs * sign)[:, np.newaxis] * late[:, order]
    return Lags(at, values, longest)


def solve_with_lags(extraction: Extraction, lags: Lags, initial: Array, t_stop: float, points: int) -> Array:
    """Return the states of the network with its lags, (batch, points, n), from starts, (batch, n), volts.

    Inputs are 0 V. Raises AccuracyError where the integrator gives up.
    """
    batch, n = initial.shape
    capacitance = np.diag(extraction.capacitance)
    straight = extraction.linear if extraction.linear.size else np.zeros((n, n))
    straight = straight - np.diag(1.0 / extraction.resistance)

    def derivative(_: float, flat: Array) -> Array:
        x = flat.reshape(batch, n)
        outputs = np.stack(
            [x[:, j] if gain is None else gain.value(x[:, j]) for j, gain in enumerate(extraction.gains)], axis=1
        )
        into = outputs @ extraction.weights.T + x @ straight.T + extraction.bias
        return np.asarray(np.linalg.solve(capacitance + lags.matrix(x), into[..., np.newaxis])).reshape(-1)

    found = solve_ivp(
        derivative,
        (0.0, t_stop),
        initial.reshape(-1),
        method="LSODA",
        t_eval=np.linspace(0.0, t_stop, points),
        rtol=RTOL,
        atol=RTOL * max(float(np.max(np.abs(initial))), 1e-3),
    )
    if not found.success:
        raise AccuracyError(f"network with its lags: {found.message}")
    return np.asarray(found.y.T.reshape(points, batch, n).transpose(1, 0, 2))
