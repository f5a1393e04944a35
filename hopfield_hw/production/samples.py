"""The static equation of many boards at once: drawn parts, and what their networks do.

An integrator of offset V and gain A holds its summing node at s = V + X / A, and an inverter of ratio rho gives
w = (-rho v + (1 + rho) V + R_f I_b) / (1 + (1 + rho) / A). With G all that conducts at a node beside its leak,

    C (1 + 1/A) dX/dt = sum G+ v + sum G- w + B u + sum G_b V_ref - I_b - X / R - (V + X / A) (1/R + G),
    v = (1 + a) g((1 + s) X + e) + d,

each value that of the sample; a, s, e and d by `curves`; X ends at the swing of the integrator's op-amp. What it has
not: poles, slew rate and common mode of op-amps, the resistance of their outputs. `BoardEquation` has poles and slew
rate.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np

from ..circuit import Circuit
from ..functions import Table
from ..parts import MacroModel, OpAmp
from ..tolerance.draws import Column, Draws
from ..values.arrays import Array
from ..values.physics import ROOM
from ..values.signals import Signal
from .curves import CurveChanges, apply_changes, find_curve_changes
from .places import FIGURES, Indices, Places, column_places, find_places

# Boards that share their steps are always the same ones, so that the numbers do not depend on who has them: as many as
# keep their weights in a cache.
CACHED, MOST_IN_BLOCK = 2**18, 1024
RTOL, ATOL = 1e-5, 1e-6
AT_REST = 1e-7  # of the amplitude, in one time constant: nothing moves any more
MOST_STEPS = 2_000_000

# Dormand and Prince's pair of orders 5 and 4 (J. R. Dormand and P. J. Prince, J. Comp. Appl. Math. 6:19, 1980).
STAGES = (
    (1 / 5,),
    (3 / 40, 9 / 40),
    (44 / 45, -56 / 15, 32 / 9),
    (19372 / 6561, -25360 / 2187, 64448 / 6561, -212 / 729),
    (9017 / 3168, -355 / 33, 46732 / 5247, 49 / 176, -5103 / 18656),
    (35 / 384, 0.0, 500 / 1113, 125 / 192, -2187 / 6784, 11 / 84),
)
NODES = (0.2, 0.3, 0.8, 8 / 9, 1.0, 1.0)
ERRORS = (71 / 57600, 0.0, -71 / 16695, 71 / 1920, -17253 / 339200, 22 / 525, -1 / 40)


@dataclass(frozen=True, kw_only=True, eq=False)
class Samples:
    """The static equations of S boards with n neurons; the innermost arrays are laid out by board.

    `weights`: (S, n, n), of outputs, inverters in them, siemens. `inputs`: (S, n, m) or None. `current`: (S, n), all
    that is constant, amperes. `leak`: (S, n), siemens. `capacitance`: (S, n), farads. `amplitude`, `slope`, `shift`,
    `level`: a, s, e and d, (S, n). `curves`, `kinds`: nominal curves, and which one each neuron has. `swing`:
    of X, volts.
    """

    weights: Array
    inputs: Array | None
    current: Array
    leak: Array
    capacitance: Array
    amplitude: Array
    slope: Array
    shift: Array
    level: Array
    curves: tuple[Table, ...] = field(repr=False)
    kinds: tuple[int, ...] = field(repr=False)
    swing: tuple[float, float] = (-np.inf, np.inf)

    @cached_property
    def runs(self) -> list[tuple[Table, Any]]:
        """The curves with the neurons that have them."""
        if len(self.curves) == 1:
            return [(self.curves[0], slice(None))]
        kinds = np.array(self.kinds)
        return [(curve, np.flatnonzero(kinds == k)) for k, curve in enumerate(self.curves)]

    @property
    def span(self) -> float:
        """The largest swing of an output, volts."""
        return max(float(curve.y[-1] - curve.y[0]) for curve in self.curves)

    def outputs(self, states: Array) -> Array:
        """Return v, (S, n), of states (S, n)."""
        inner = (1.0 + self.slope) * states + self.shift
        v = np.empty_like(inner)
        for curve, which in self.runs:
            v[:, which] = np.interp(inner[:, which], curve.x, curve.y)
        return np.asarray((1.0 + self.amplitude) * v + self.level)

    def drive(self, signal: Signal | None, t: float) -> Array:
        """Return what is constant or given from outside, (S, n), amperes."""
        if signal is None or self.inputs is None:
            return self.current
        return np.asarray(self.current + self.inputs @ signal.at(t))

    def derivative(self, states: Array, drive: Array) -> Array:
        """Return dX/dt, (S, n), volts a second."""
        into = np.matmul(self.weights, self.outputs(states)[:, :, np.newaxis])[:, :, 0] + drive - self.leak * states
        low, high = self.swing
        stuck = ((states >= high) & (into > 0.0)) | ((states <= low) & (into < 0.0))
        return np.asarray(np.where(stuck, 0.0, into / self.capacitance))

    def run(self, initial: Array, times: Array, signal: Signal | None = None) -> tuple[Array, Array]:
        """Return states and outputs at increasing times from 0, (P, S, n) each; `initial`: (n,) or (S, n).

        By Dormand and Prince's pair, with one step for all boards that the worst one of them allows; a step that is too
        long for the fastest rate shows in its error. It ends early where nothing moves and the input is constant.
        """
        shape = self.current.shape
        x = np.array(np.broadcast_to(initial, shape), dtype=np.float64)
        states = np.empty((times.size, *shape))
        states[0] = x
        constant = signal is None or signal.times.size == 1
        last_corner = 0.0 if constant or signal is None else float(signal.times[-1])
        rate = np.max(self.leak / self.capacitance)
        quiet = AT_REST * self.span * max(float(rate), 1.0 / float(times[-1]))
        t, end = 0.0, float(times[-1])
        corners = [] if signal is None else [c for c in signal.times.tolist() if 0.0 < c < end]
        k1 = self.derivative(x, self.drive(signal, 0.0))
        h = 0.01 * end
        at, steps = 1, 0
        scale = ATOL * self.span
        while at < times.size:
            goal = min([float(times[at]), *[c for c in corners if c > t * (1.0 + 1e-12)][:1]])
            step = min(h, goal - t)
            whole = step == goal - t
            stages = [k1]
            for row, node in zip(STAGES, NODES, strict=True):
                y = x + step * sum(c * k for c, k in zip(row, stages, strict=True) if c)
                stages.append(self.derivative(y, self.drive(signal, t + node * step)))
            off = step * np.abs(sum(c * k for c, k in zip(ERRORS, stages, strict=True) if c))
            worst = float(np.max(off / (scale + RTOL * np.maximum(np.abs(x), np.abs(y)))))
            steps += 1
            if worst <= 1.0:
                # An integrator's op-amp ends at its swing, and leaves it at once.
                x, k1 = np.clip(y, *self.swing), stages[-1]
                t = goal if whole else t + step
                while at < times.size and t >= times[at] * (1.0 - 1e-12):
                    states[at] = x
                    at += 1
                if (constant or t >= last_corner) and at < times.size and float(np.max(np.abs(k1))) < quiet:
                    states[at:] = x
                    break
            if not np.isfinite(worst) or steps > MOST_STEPS:
                states[at:] = np.nan
                break
            factor = 5.0 if worst == 0.0 else 0.9 * worst**-0.2
            grown = step * min(5.0, max(0.2, factor))
            h = max(h, grown) if whole and worst <= 1.0 else grown
        outputs = np.stack([self.outputs(row) for row in states])
        return states, outputs


def block_size(neurons: int) -> int:
    """Return how many boards of so many neurons share their steps."""
    return min(MOST_IN_BLOCK, max(16, CACHED // neurons**2))


@dataclass(frozen=True, kw_only=True, eq=False)
class Maker:
    """What makes Samples of values: the places of a circuit's parts, and how its curves change with them."""

    places: Places = field(repr=False)
    columns: tuple[Column, ...] = field(repr=False)
    nominal: Array = field(repr=False)
    changes: CurveChanges = field(repr=False)
    swing: tuple[float, float] = (-np.inf, np.inf)

    @cached_property
    def _moves(self) -> Array:
        return apply_changes(self.changes, self.columns)

    @cached_property
    def _columns(self) -> tuple[Indices, Indices, Indices, Indices, Indices]:
        return column_places(self.places, self.columns)

    def make(self, values: Array) -> Samples:
        """Return the samples of values, (S, columns), SI units."""
        p = self.places
        count, n = len(values), p.size
        passive, at, active, amplifier, figure = self._columns
        ohms = np.tile(p.nominal, (count, 1))
        ohms[:, at] = values[:, passive]
        figures = np.tile(p.figures, (count, 1, 1))
        figures[:, amplifier, figure] = values[:, active]
        offset, bias, differing, gain = (figures[:, :, k] for k in range(len(FIGURES)))
        offset = offset + p.rails
        pin = bias - 0.5 * differing  # into the inverting input
        g = p.weights.conductances(ohms)
        total = _scatter(g, p.rows, n)
        rho = p.inverter_in.conductances(ohms)
        feedback = p.inverter_out.conductances(ohms)
        factor, constant = np.ones((count, n)), np.zeros((count, n))
        if p.inverter.size:
            ratio = rho / feedback
            loss = 1.0 + (1.0 + ratio) / gain[:, p.inverter]
            factor[:, p.inverted] = -ratio / loss
            behind = (1.0 + ratio) * offset[:, p.inverter] + pin[:, p.inverter] / feedback
            constant[:, p.inverted] = behind / loss
        weights = np.zeros((count, n, n))
        inverted = p.complement
        weights[:, p.rows, p.columns] = g * np.where(inverted, factor[:, p.columns], 1.0)
        current = _scatter(np.where(inverted, g * constant[:, p.columns], 0.0), p.rows, n)
        inputs = None
        if p.input_rows.size:
            entries = p.inputs.conductances(ohms)
            inputs = np.zeros((count, n, p.input_count))
            inputs[:, p.input_rows, p.input_columns] = entries
            total = total + _scatter(entries, p.input_rows, n)
        biases = p.biases.conductances(ohms)
        rails = self._references(ohms, offset, pin)
        current = current + _scatter(biases * np.where(p.bias_side > 0.0, rails[0], rails[1]), p.bias_row, n)
        total = total + _scatter(biases, p.bias_row, n)
        leak = _scatter(p.leaks.conductances(ohms), p.leak_rows, n)
        capacitance = _scatter(ohms[:, p.capacitors], p.capacitor_rows, n)
        own = p.integrators
        current = current - pin[:, own] - offset[:, own] * (leak + total)
        moved = np.einsum("sc,cnk->snk", values - self.nominal, self._moves, optimize=True)
        return Samples(
            weights=weights,
            inputs=inputs,
            current=current,
            leak=leak + (leak + total) / gain[:, own],
            capacitance=capacitance * (1.0 + 1.0 / gain[:, own]),
            amplitude=moved[:, :, 0],
            slope=moved[:, :, 1],
            shift=moved[:, :, 2],
            level=moved[:, :, 3],
            curves=self.changes.curves,
            kinds=self.changes.kinds,
            swing=self.swing,
        )

    def _references(self, ohms: Array, offset: Array, pin: Array) -> tuple[Array, Array]:
        """Return the two references, (S, 1): a follower's, and its inverse."""
        p = self.places
        first, second = p.followers
        upper = np.full((len(ohms), 1), p.reference)
        if first >= 0:
            upper = upper + offset[:, [first]]
        lower = -upper
        if second >= 0:
            into, feedback = p.reference_in.conductances(ohms), p.reference_out.conductances(ohms)
            ratio = into / feedback
            lower = -ratio * upper + (1.0 + ratio) * offset[:, [second]] + pin[:, [second]] / feedback
        return upper, lower


def sample_maker(
    draws: Draws | None = None,
    *,
    columns: tuple[Column, ...] = (),
    circuit: object = None,
    temperature: float = ROOM,
) -> Maker:
    """Return what makes samples of a variation's values, from its draws, or from a circuit and its columns.

    `temperature`: degrees Celsius, at which the curves of its amplifiers are measured.
    """
    if draws is not None:
        circuit, columns = draws.variation.circuit, draws.variation.columns
    assert isinstance(circuit, Circuit)
    return Maker(
        places=find_places(circuit),
        columns=columns,
        nominal=np.array([column.nominal for column in columns]),
        changes=find_curve_changes(circuit, columns, temperature=temperature),
        swing=_find_swing(circuit),
    )


def _find_swing(circuit: Circuit) -> tuple[float, float]:
    """Return the lowest and the highest state that integrators give, volts: of the smallest swing of an op-amp."""
    models = [d.part.model for d in circuit.devices if isinstance(d.part, OpAmp)]
    swings = [model.swing() for model in models if isinstance(model, MacroModel)]
    # The node of a state is at -x.
    return max([-high for _, high in swings], default=-np.inf), min([-low for low, _ in swings], default=np.inf)


def _scatter(values: Array, rows: Indices, n: int) -> Array:
    """Return sums by neuron, (S, n), of values (S, k)."""
    found = np.zeros((len(values), n))
    if rows.size:
        np.add.at(found.T, rows, values.T)
    return found
