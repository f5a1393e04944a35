"""The equation of a board: its network with the true curves and poles of its amplifiers.

Each neuron has four states: q, the voltage of its capacitor; m, the integrator's output (X = -m); v, the amplifier's;
and w, the complement's. With the summing node at s = q + m, and rails v and w of the others,

    C dq/dt = sum G+ v + sum G- w + B u + I - I_b - q/R - (q + m) G,
    dm/dt = -w_t sat(q + m - V_os) - w_t m / A0,
    dv/dt = (g(-m) - v) w_a,      dw/dt = -w_i sat((rho v + w)/(1 + rho) - V_os) - w_i w / A0,

where G is all that conducts at the node beside R, w_t = 2 pi GBW, sat(d) = d / sqrt(1 + (w_t d / S)^2) with the slew
rate S, rho = R_f/R_in of the inverter, g the measured curve, and w_a its pole. 1/w_i = 1/w_t + R_f C_f / (1 + rho):
the lag of a capacitor across its feedback comes to that of its bandwidth.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field, replace

import numpy as np
from scipy.integrate import solve_ivp
from scipy.interpolate import PchipInterpolator

from ..functions import Function, Table
from ..values.arrays import Array
from ..values.errors import AccuracyError
from ..values.signals import Signal

RTOL, ATOL = 1e-7, 1e-9
SMALL, DIRECTIONS = 1e-4, 2  # of the largest state: well above the tolerances
FEW_POINTS = 30


@dataclass(frozen=True, kw_only=True, eq=False)
class BoardEquation:
    """The parameters of the equation at the head of this module, SI units; (n,) where nothing else is said.

    `positive`, `negative`: G+ and G-, (n, n), siemens, from rails and complements. `inputs`: B, (n, m). `current`: I,
    with the bias's; `conductance`: G. `curves`: g of each neuron, or one for all. `pole`: w_a / 2 pi, Hz.
    `offset`, `inverter_offset`: V_os of the integrators and the inverters. `ratio`: rho. `inverter_bandwidth`:
    w_i / 2 pi, Hz. `initial`: X at t = 0.
    """

    capacitance: Array
    leak: Array
    positive: Array
    negative: Array
    inputs: Array | None
    current: Array
    conductance: Array
    curves: tuple[Function, ...] = field(repr=False)
    pole: float
    ratio: Array
    offset: Array
    inverter_offset: Array
    bias_current: float
    gain: float
    gain_bandwidth: float
    inverter_bandwidth: Array
    slew_rate: float
    initial: Array

    @property
    def size(self) -> int:
        """The number of neurons."""
        return self.capacitance.size

    def solve(self, times: Array, signal: Signal | None = None) -> tuple[Array, Array]:
        """Return X and v at increasing times, (P, n) each. Raises AccuracyError where the integrator gives up."""
        n = self.size
        smooth = [_smooth(curve) for curve in self.curves]

        def g(x: Array) -> Array:
            if len(smooth) == 1:
                return smooth[0][0](x)
            return np.concatenate([value(x[k : k + 1]) for k, (value, _) in enumerate(smooth)])

        def dg(x: Array) -> Array:
            if len(smooth) == 1:
                return smooth[0][1](x)
            return np.concatenate([slope(x[k : k + 1]) for k, (_, slope) in enumerate(smooth)])

        def derivative(t: float, y: Array) -> Array:
            return self._derivative(y.reshape(4, n), self._drive(signal, t), g).reshape(-1)

        def jacobian(_: float, y: Array) -> Array:
            return self._jacobian(y.reshape(4, n), dg)

        v0 = g(self.initial)
        start = np.concatenate([self.initial, -self.initial, v0, -self.ratio * v0])
        found = solve_ivp(
            derivative, (0.0, float(times[-1])), start, method="BDF", t_eval=times, rtol=RTOL, atol=ATOL, jac=jacobian
        )
        if not found.success:
            raise AccuracyError(f"equation of the board: {found.message}")
        states = found.y.reshape(4, n, -1)
        return -states[1].T, states[2].T

    def growth(self, times: Array, signal: Signal | None = None, *, seed: int = 0) -> float:
        """Return by how much a small difference at the start grows at most, up to the last time: of two directions."""
        states, _ = self.solve(times, signal)
        size = SMALL * float(np.max(np.abs(states)))
        rng = np.random.default_rng(seed)
        found = []
        for _ in range(DIRECTIONS):
            direction = rng.normal(size=self.size)
            kick = size * direction / np.max(np.abs(direction))
            other, _ = replace(self, initial=self.initial + kick).solve(times, signal)
            found.append(float(np.max(np.abs(other - states))) / size)
        return max(found)

    def _drive(self, signal: Signal | None, t: float) -> Array | float:
        if signal is None or self.inputs is None:
            return 0.0
        return np.asarray(self.inputs @ signal.at(t))

    def _derivative(self, y: Array, drive: Array | float, g: Callable[[Array], Array]) -> Array:
        q, m, v, w = y
        into = self.positive @ v + self.negative @ w + drive + self.current - self.bias_current
        fast, of_inverters = 2.0 * math.pi * self.gain_bandwidth, 2.0 * math.pi * self.inverter_bandwidth
        dq = (into - q * self.leak - (q + m) * self.conductance) / self.capacitance
        dm = -self._saturate(q + m - self.offset, fast) - fast * m / self.gain
        dv = (g(-m) - v) * 2.0 * math.pi * self.pole
        sensed = (self.ratio * v + w) / (1.0 + self.ratio) - self.inverter_offset
        dw = -self._saturate(sensed, of_inverters) - of_inverters * w / self.gain
        return np.concatenate([dq, dm, dv, dw]).reshape(4, -1)

    def _saturate(self, d: Array, fast: float | Array) -> Array:
        """Return w d / sqrt(1 + (w d / S)^2)."""
        asked = fast * d
        return np.asarray(asked / np.sqrt(1.0 + (asked / self.slew_rate) ** 2))

    def _jacobian(self, y: Array, dg: Callable[[Array], Array]) -> Array:
        q, m, v, w = y
        n, fast = self.size, 2.0 * math.pi * self.gain_bandwidth
        of_inverters = 2.0 * math.pi * self.inverter_bandwidth
        bent = (1.0 + (fast * (q + m - self.offset) / self.slew_rate) ** 2) ** -1.5
        sensed = (self.ratio * v + w) / (1.0 + self.ratio) - self.inverter_offset
        bent_w = (1.0 + (of_inverters * sensed / self.slew_rate) ** 2) ** -1.5
        result = np.zeros((4 * n, 4 * n))
        rows = [slice(k * n, (k + 1) * n) for k in range(4)]
        by_c = 1.0 / self.capacitance
        result[rows[0], rows[0]] = np.diag(-(self.leak + self.conductance) * by_c)
        result[rows[0], rows[1]] = np.diag(-self.conductance * by_c)
        result[rows[0], rows[2]] = self.positive * by_c[:, None]
        result[rows[0], rows[3]] = self.negative * by_c[:, None]
        result[rows[1], rows[0]] = np.diag(-fast * bent)
        result[rows[1], rows[1]] = np.diag(-fast * (bent + 1.0 / self.gain))
        pole = 2.0 * math.pi * self.pole
        result[rows[2], rows[1]] = np.diag(-pole * dg(-m))
        result[rows[2], rows[2]] = np.diag(np.full(n, -pole))
        result[rows[3], rows[2]] = np.diag(-of_inverters * bent_w * self.ratio / (1.0 + self.ratio))
        result[rows[3], rows[3]] = np.diag(-of_inverters * (bent_w / (1.0 + self.ratio) + 1.0 / self.gain))
        return result


def _smooth(curve: Function) -> tuple[Callable[[Array], Array], Callable[[Array], Array]]:
    """Return a curve and its slope; of a measured table, without the corners between its points.

    A table of few points is one of straight lines, whose corners are the amplifier's own, and stays as it is.
    """
    if not isinstance(curve, Table) or curve.x.size < FEW_POINTS:
        return curve.value, curve.derivative
    value = PchipInterpolator(np.asarray(curve.x), np.asarray(curve.y))
    slope = value.derivative()
    low, high = float(curve.x[0]), float(curve.x[-1])

    def inside(x: Array) -> Array:
        return np.asarray(value(np.clip(x, low, high)))

    return inside, lambda x: np.where((x > low) & (x < high), slope(np.clip(x, low, high)), 0.0)
