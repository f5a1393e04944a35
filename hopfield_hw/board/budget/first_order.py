"""The first-order equation of what small errors do to a board, along the waveform of the board without them.

Each op-amp has an error voltage e at its input, as if that much were in series with its non-inverting input: with its
output y and the current i that it gives, a = (1 + s/w_2)(y + R_o i) what its gain stage must give, and v_c its common
mode,

    e = V_os + (v_c - v_mid) r_c + (V_supply - V_nominal) r_s - (a - v_c)/A_0 - (da/dt)/w_t.

At an integrator e is the voltage s of the summing node. The rail of a neuron is off by h = sum_k (dv/de_k) e_k over the
op-amps of its amplifier, and the complement w = -rho v by (1 + rho) e besides. So, with q = X + s the voltage of the
capacitor, d = dX, G all that conducts at the node beside the leak 1/R, and T = G+ - rho G-,

    C dq'/dt = -dq/R + T (g'(X) d + h) + G- (1 + rho) e_inv - G s - I_b + dI,      d = dq - s,

with dI what errors of the references and of parts add; g'(X), e and X are those along the waveform.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from ...values.arrays import Array
from ..realised import Crossbar


class Source(NamedTuple):
    """What one imperfection adds, (P, n) each: s at the summing nodes and h at the rails, volts; e of the inverters,
    volts; and a current into the summing nodes, amperes."""

    summing: Array
    rails: Array
    inverters: Array
    current: Array

    @classmethod
    def none(cls, shape: tuple[int, ...]) -> Source:
        """Return one that adds nothing."""
        return cls(*(np.zeros(shape) for _ in range(4)))


class Deviation(NamedTuple):
    """By how much states and outputs are off, volts, (P, n) each."""

    states: Array
    outputs: Array


@dataclass(frozen=True, kw_only=True, eq=False)
class FirstOrder:
    """The equation at the head of this module along one waveform. `times`: even, (P,). `slopes`: g'(X), (P, n)."""

    times: Array
    slopes: Array
    crossbar: Crossbar

    def follow(self, sources: list[Source]) -> list[Deviation]:
        """Return what each source comes to, by the trapezoidal rule on the grid of the waveform."""
        c, n = self.crossbar, self.slopes.shape[1]
        total = c.positive + c.negative * c.ratios
        at_node = c.positive.sum(axis=1) + c.negative.sum(axis=1) + c.bias
        if c.inputs is not None:
            at_node = at_node + np.abs(c.inputs).sum(axis=1)
        rates = total * self.slopes[:, np.newaxis, :]
        rates[:, np.arange(n), np.arange(n)] -= c.leak
        rates /= c.capacitance[:, np.newaxis]
        into = []
        for one in sources:
            rail = one.rails - self.slopes * one.summing
            current = rail @ total.T + ((1.0 - c.ratios) * one.inverters) @ c.negative.T
            into.append((current - at_node * one.summing + one.current) / c.capacitance)
        charges = _trapezoid(float(self.times[1] - self.times[0]), rates, np.stack(into, axis=2))
        found = []
        for k, one in enumerate(sources):
            states = charges[:, :, k] - one.summing
            found.append(Deviation(states, self.slopes * states + one.rails))
        return found


def follow_plain(step: float, rates: Array, into: Array) -> Array:
    """Return d of d' = J d + p from d(0) = 0; J is (P, n, n), p (P, n)."""
    return _trapezoid(step, rates, into[:, :, np.newaxis])[:, :, 0]


def _trapezoid(step: float, rates: Array, into: Array) -> Array:
    """Return d(t), (P, n, K), of d' = J d + p; J is (P, n, n), p (P, n, K)."""
    one = np.eye(rates.shape[1])
    left = one - 0.5 * step * rates[1:]
    across = np.linalg.solve(left, one + 0.5 * step * rates[:-1])
    added = np.linalg.solve(left, 0.5 * step * (into[1:] + into[:-1]))
    found = np.zeros_like(into)
    for k in range(into.shape[0] - 1):
        found[k + 1] = across[k] @ found[k] + added[k]
    return found
