"""How a board's states are held while they are reset: the resistor beside the switch of each integrator."""

from __future__ import annotations

import numpy as np

from ..parts.series import nearest
from ..values.arrays import Array, dense
from .design import Board

ON = 50.0  # ohms, of an analog switch of CMOS on +-12 V
PART = 0.05  # of the leak's resistance that a state is held with
AIMED = 0.4  # loop gain while states are held
LEAST, WITHOUT_LEAK = 51.0, 1e3  # ohms of a resistor; of one where a neuron has no leak
SERIES = "E24"


def reset_resistors(board: Board) -> Array:
    """Return the resistor of each reset, ohms, (n,), which has a switch in series.

    While the switches are on a state rests at what is applied and R_h sum_j T_ij v_j, with R_h the resistor and the
    switch. With a loop gain R_h max|eig(T g')| of 1 and more states latch while they are held: R_h is 5% of the leak,
    and less where that is needed for a loop gain of 0.4; of the series E24.
    """
    n = board.network.size
    leaks = np.broadcast_to(board.scaled.resistance, (n,))
    by_gain = AIMED / max(float(np.max(np.abs(np.linalg.eigvals(slopes(board))))), 1e-12) - ON
    by_leak = np.where(np.isfinite(leaks), PART * leaks, WITHOUT_LEAK)
    return np.asarray(nearest(np.maximum(np.minimum(by_leak, by_gain), LEAST), SERIES), dtype=np.float64)


def slopes(board: Board) -> Array:
    """Return T_ij g_j'(0), (n, n), siemens: the current that a state makes in the others."""
    n = board.network.size
    slope = np.broadcast_to(np.asarray(board.scaled.gain.derivative(np.zeros(n))), (n,))
    return np.asarray(dense(board.realised.weights) * slope)
