"""The stability margin of a circuit from the poles of its real amplifiers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.linalg import matrix_balance

from ..analysis.small_signals import Outcome, SmallSignals, judge_matrix
from ..networks.network import Network
from ..parts import OnePole
from ..values.arrays import Array, freeze, positive
from ..values.errors import InputError


@dataclass(frozen=True, kw_only=True, eq=False)
class PoleMargin:
    """What amplifier poles leave of a circuit's stability.

    `roots`: all roots of the loops, 1/s, the rightmost first. `growth`: the real part of the rightmost one, 1/s.
    `gain_margin`: by what all gains can be multiplied, at least, before a root reaches the imaginary axis: up to it all
    roots lie to the left for certain. Infinite where they do up to 1e6, NaN where rounding hides the side at any gain.
    `outcome`: "stable" where all roots lie to the left, "unstable" where one lies to the right, "undecided" where
    rounding could have moved one over the axis (`analysis.small_signals`).
    """

    roots: npt.NDArray[np.complex128]
    gain_margin: float
    outcome: Outcome

    @property
    def growth(self) -> float:
        """The real part of the rightmost root, 1/s."""
        return float(self.roots[0].real)

    @property
    def stable(self) -> bool:
        """Whether all roots lie to the left for certain."""
        return self.outcome == "stable"


def closed_loop_pole(op_amp: OnePole, noise_gain: float) -> float:
    """Return the pole of an amplifier with feedback, rad/s: 2 pi GBW / noise gain, plus that of the open loop.

    Raises InputError for another model, and a noise gain below 1.
    """
    if not isinstance(op_amp, OnePole):
        raise InputError(f"{op_amp!r:.60}: must be a OnePole, which states its gain-bandwidth product")
    noise = float(freeze(noise_gain, "noise_gain", shape=(), unit=""))
    if noise < 1.0:
        raise InputError(f"`noise_gain` = {noise:g}: must be at least 1; it is 1 + R_f / (all inputs in parallel)")
    return 2.0 * np.pi * op_amp.gain_bandwidth * (1.0 / noise + 1.0 / op_amp.gain)


def loop_roots(gain: float, time_constant: float, poles: Any) -> npt.NDArray[np.complex128]:
    """Return the roots of 1 + g A(s) / (1 + s R C), A(s) = prod_k 1 / (1 + s / p_k), 1/s, the rightmost first.

    One mode of an inhibitory network of equal neurons: `gain`: g = -b lambda, lambda an eigenvalue of R T and b the
    slope; negative for a mode of excitation. `time_constant`: R C, seconds. `poles`: p_k, rad/s, (m,), positive.

    Raises InputError for values that are not positive.
    """
    g = float(freeze(gain, "gain", shape=(), unit=""))
    tau = float(positive(time_constant, "time_constant", shape=(), unit="s"))
    rates = _poles(poles, "poles")
    polynomial = np.array([1.0, 1.0])  # in s R C, so that its coefficients do not overflow
    for rate in rates * tau:
        polynomial = np.convolve(polynomial, [1.0 / rate, 1.0])
    polynomial[-1] += g
    return _sorted(np.roots(polynomial) / tau)


def critical_gain(time_constant: float, poles: Any) -> float:
    """Return the gain g from which on 1 + g A(s) / (1 + s R C) has a root to the right; infinite for one pole.

    The smallest g at which the phase of the loop is -180 degrees: with two equal poles of time constant 1/p it is
    2 tau + 4 + 2 / tau, tau = R C p (Routh's criterion); one pole never makes such a mode oscillate.

    Raises InputError for values that are not positive.
    """
    tau = float(positive(time_constant, "time_constant", shape=(), unit="s"))
    rates = _poles(poles, "poles")
    if rates.size < 2:
        return float(np.inf)
    lags = np.concatenate(([1.0], 1.0 / (rates * tau)))
    polynomial = np.array([1.0])
    for lag in lags:
        polynomial = np.convolve(polynomial, [lag, 1.0])
    # At s = i w the imaginary part, w (c_1 - c_3 w^2 + c_5 w^4 - ...), is 0.
    ascending = polynomial[::-1]
    odd = ascending[1::2] * (-1.0) ** np.arange(ascending[1::2].size)
    even = ascending[0::2] * (-1.0) ** np.arange(ascending[0::2].size)
    squares = np.roots(odd[::-1])
    squares = squares[(np.abs(squares.imag) < 1e-9 * np.abs(squares)) & (squares.real > 0.0)].real
    gains = [-float(np.polyval(even[::-1], square)) for square in squares]
    return min((gain for gain in gains if gain > 0.0), default=float(np.inf))


def measure_pole_margin(network: Network, poles: Any, inverter_poles: Any = None) -> PoleMargin:
    """Return the roots at the origin of a network whose amplifiers have real poles, for any weights.

    C_i dx_i/dt = -x_i / R_i + sum_j T_ij y_j, and y_j follows b_j x_j through the poles of its amplifier, one lag after
    the other; a negative weight takes it from the inverter behind, through `inverter_poles` besides. Eigenvalues of all
    that, and the factor of all gains up to which none of them reaches the imaginary axis. Where the poles are so much
    faster than R C that rounding hides the side of a root, the factor is the one up to which it is known, or NaN.

    `poles`: rad/s, (m,), positive, the same for all neurons: of a cell, its amplifiers' 2 pi GBW / noise gain
    (`closed_loop_pole`). `inverter_poles`: (k,), none by default.

    Raises InputError for another object than a Network, and poles that are not positive.
    """
    if not isinstance(network, Network):
        raise InputError(f"measure_pole_margin: {network!r:.60}: must be a Network; a Graph has no weights")
    own = _poles(poles, "poles")
    inverter = np.zeros(0) if inverter_poles is None else _poles(inverter_poles, "inverter_poles")

    def judge(factor: float) -> SmallSignals:
        # Scaled by powers of 2, which changes no root and leaves less for rounding to hide.
        scaled: Array = matrix_balance(_matrix(network, own, inverter, factor), permute=False)[0].astype(np.float64)
        return judge_matrix(scaled)

    judged = judge(1.0)
    roots = _sorted(judged.roots)

    # Upwards from a gain of nothing in steps of 5%: the first crossing counts, though a larger gain may cross back.
    factors = np.geomspace(1e-3, 1e6, 426)
    first = next((k for k, factor in enumerate(factors.tolist()) if judge(factor).outcome != "stable"), None)
    if first is None:
        return PoleMargin(roots=roots, gain_margin=float(np.inf), outcome=judged.outcome)
    low, high = (float(factors[first - 1]) if first else 0.0), float(factors[first])
    for _ in range(60):
        middle = 0.5 * (low + high)
        low, high = (middle, high) if judge(middle).outcome == "stable" else (low, middle)
    return PoleMargin(roots=roots, gain_margin=low if low > 0.0 else float(np.nan), outcome=judged.outcome)


def _matrix(network: Network, poles: Array, inverter: Array, factor: float) -> Array:
    """Return the Jacobian over (x, y_1, ..., y_m, z_1, ..., z_k), 1/s: y the lags of amplifiers, z of inverters."""
    n, seconds = network.size, network.seconds_per_unit
    weights = network.weights if isinstance(network.weights, np.ndarray) else network.weights.toarray()
    rates = np.concatenate((poles, inverter))
    total = np.zeros((n * (1 + rates.size),) * 2)
    x = slice(0, n)
    last, behind = slice(n * poles.size, n * (1 + poles.size)), slice(n * rates.size, n * (1 + rates.size))
    into = 1.0 / (network.capacitance * seconds)
    total[x, x] = -np.diag(into / network.resistance)
    total[x, last] += into[:, None] * np.maximum(weights, 0.0)
    total[x, behind] += into[:, None] * np.minimum(weights, 0.0)
    slope = np.broadcast_to(np.asarray(network.gain.slope, dtype=np.float64), (n,)) * factor
    for k, rate in enumerate(rates.tolist()):
        row, before = slice(n * (k + 1), n * (k + 2)), slice(n * k, n * (k + 1))
        total[row, row] = -rate * np.eye(n)
        total[row, before] = rate * (np.diag(slope) if k == 0 else np.eye(n))
    return total


def _poles(values: Any, name: str) -> Array:
    array = np.atleast_1d(freeze(values, name))
    if array.ndim != 1 or array.size == 0:
        raise InputError(f"`{name}` has shape {array.shape}: must be a list of poles, rad/s, (m,)")
    return positive(array, name, shape=array.shape, unit="rad/s")


def _sorted(roots: Any) -> npt.NDArray[np.complex128]:
    found = np.asarray(roots, dtype=np.complex128)
    found = found[np.lexsort((-found.imag, -found.real))]
    found.flags.writeable = False
    return found
