"""Scaling a network to a board: volts, ohms and seconds that its parts can keep, with the same outcome.

With X = s x, V = a v, U = u' u, conductances times k, and times times t, the network

    C dx/dt = -x/R + T g(x) + B u + I     is the board     C' dX/dt = -X/R' + T' G(X) + B' U + I',

T' = k T s/a, B' = k B s/u', I' = k s I, R' = R/k, C' = k t C, and G(X) = a g(X/s): exact, whatever the factors.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np

from ..networks.network import Network
from ..parts import MacroModel
from ..parts.series import Series, nearest
from ..values.arrays import Array
from ..values.errors import Unrealisable
from ..values.si_text import format_si

# What references are sold as, volts, and how much of an output's swing one may take.
REFERENCES, REFERENCE_ROOM = (5.0, 4.096, 3.0, 2.5, 2.048, 1.25), 0.9


@dataclass(frozen=True, kw_only=True)
class Scaling:
    """Factors from the network to the board: of states, outputs and inputs, of conductances, and of time."""

    state: float = 1.0
    output: float = 1.0
    inputs: float = 1.0
    conductance: float = 1.0
    time: float = 1.0

    def apply(self, network: Network) -> Network:
        """Return the network of the board; see the head of this module."""
        k, s = self.conductance, self.state
        weights = network.input_weights
        return replace(
            network,
            weights=network.weights * (k * s / self.output),
            resistance=network.resistance / k,
            capacitance=network.capacitance * (k * self.time),
            gain=network.gain.scale(self.output).compress(s / self.output),
            bias=network.bias * (k * s),
            initial=network.initial * s,
            input_weights=None if weights is None else weights * (k * s / self.inputs),
        )


@dataclass(frozen=True, kw_only=True)
class Limits:
    """What a board may hold.

    `least_resistance`, `most_resistance`: ohms; `usual_resistance`: of its largest weight, where that is free.
    `least_capacitance`, `most_capacitance`: farads. `room`: how much of an output's swing voltages may take.
    `output_current`: how much of an op-amp's short-circuit current. `slew`: how much of its slew rate. `speed`: the
    delay of all amplifiers of a neuron, in units of the time in which its loop changes by e, at most. `phase_margin`:
    of each amplifier's loop with `stray_capacitance`, farads, at its summing node; degrees.
    `rounding`: of a weight, by its parts, a part.
    """

    least_resistance: float = 1e3
    usual_resistance: float = 1e4
    most_resistance: float = 1e7
    least_capacitance: float = 100e-12
    most_capacitance: float = 10e-6
    room: float = 0.8
    output_current: float = 0.25
    slew: float = 0.5
    speed: float = 0.05
    stray_capacitance: float = 5e-12
    phase_margin: float = 45.0
    rounding: float = 0.25


class Bounds(NamedTuple):
    """Where a network stays: the largest |x|, volts, (n,), |v|, and |u|; and |dx/dt|, volts a second."""

    states: Array
    output: float
    inputs: float
    rate: float


def find_bounds(network: Network, inputs: float, reached: Array | None = None) -> Bounds:
    """Return bounds of a network that hold for every start at least as near to 0 as its own, and for all time.

    |x_i| <= max(|x_i(0)|, R_i (sum_j |T_ij| a + sum_k |B_ik| u + |I_i|)); without a leak there is no such bound, and
    `reached`, what a run reaches, (n,), stands for it. Raises Unrealisable for a gain without limits.
    """
    ends = np.array([np.max(np.abs(network.gain.lower)), np.max(np.abs(network.gain.upper))])
    output = float(np.max(ends))
    if not math.isfinite(output):
        raise Unrealisable(
            f"design_board: gain {type(network.gain).__name__} has no limits, so that nothing bounds the outputs of "
            "amplifiers; take a gain with a limited range"
        )
    drive = np.asarray(np.abs(network.weights).sum(axis=1)).reshape(-1) * output + np.abs(network.bias)
    if network.input_weights is not None:
        drive = drive + np.abs(network.input_weights).sum(axis=1) * inputs
    leaky = np.isfinite(network.resistance)
    settled = np.where(leaky, np.where(leaky, network.resistance, 0.0) * drive, 0.0)
    if reached is not None:
        settled = np.where(leaky, settled, reached)
    states = np.maximum(np.abs(network.initial), settled)
    return Bounds(states, output, inputs, float(np.max(drive / network.capacitance)))


def reached_states(realised: Network, bounds: Bounds, scaling: Scaling) -> Array:
    """Return the largest |x| that each state of a board's parts can reach, volts on the board, (n,).

    `realised`: the network of the parts; `bounds`: of the network that was asked for, which stand in for those of
    states without a leak.
    """
    return find_bounds(realised, bounds.inputs * scaling.inputs, bounds.states * scaling.state).states


def fit_volts(model: MacroModel, bounds: Bounds, limits: Limits, reference: float) -> Scaling:
    """Return factors for states, outputs and inputs with which each uses the room that its op-amp leaves.

    Outputs take half of the room, which leaves some to the tolerances. States keep to the range of the inputs too, as
    an amplifier may sense them there.
    """
    low, high = model.swing()
    room = limits.room * min(-low, high)
    if room <= 0.0:
        raise Unrealisable(
            f"design_board: supplies of {model.supply_plus:g} V and {model.supply_minus:g} V: the output of "
            f"{model.name} swings from {low:.3g} to {high:.3g} V, which must hold 0 V; use a positive and a negative "
            "supply"
        )
    lowest, highest = model.common_mode()
    largest = float(np.max(bounds.states))
    of_states = min(room, -lowest, highest)
    return Scaling(
        state=round_down(of_states / largest) if largest > 0.0 and of_states > 0.0 else 1.0,
        output=round_down(0.5 * room / bounds.output),
        inputs=round_down(min(room, reference) / bounds.inputs) if bounds.inputs > 0.0 else 1.0,
    )


def usual_reference(model: MacroModel) -> float:
    """Return the largest of REFERENCES, volts, that an op-amp on its supplies follows and inverts with room to spare.

    It must be within the swing, of either sign, and within the range of the inputs; the smallest where none is.
    """
    room = REFERENCE_ROOM * min(abs(end) for end in (*model.swing(), model.common_mode()[1]))
    return max((volts for volts in REFERENCES if volts <= room), default=min(REFERENCES))


def fit_ohms(
    network: Network, reference: float, model: MacroModel, limits: Limits, capacitors: Series, free: bool
) -> float:
    """Return the factor of conductances that brings resistors within their range, and a capacitor onto its series.

    Raises Unrealisable with the binding constraint: the range of the resistors against that of the weights, the current
    of an output into all of its synapses, or the capacitor's range.
    """
    conductances = board_conductances(network, reference)
    largest, smallest = float(conductances.max()), float(conductances.min())
    highest = 1.0 / (limits.least_resistance * largest)
    lowest = 1.0 / (limits.most_resistance * smallest)
    loads = np.asarray(np.abs(network.weights).sum(axis=0)).reshape(-1)
    output = float(max(np.max(np.abs(network.gain.lower)), np.max(np.abs(network.gain.upper))))
    current = limits.output_current * min(model.source_current, model.sink_current)
    heaviest = int(np.argmax(loads))
    by_current = current / (output * loads[heaviest]) if loads[heaviest] else math.inf
    if lowest > highest * (1.0 + 1e-9):
        raise Unrealisable(
            f"design_board: resistors: the largest conductance is {largest / smallest:.4g} times the smallest, so that "
            f"they span {format_si(limits.least_resistance, 'Ohm')} to "
            f"{format_si(limits.least_resistance * largest / smallest, 'Ohm')}, above the "
            f"{format_si(limits.most_resistance, 'Ohm')} allowed; allow that (`limits`), or set the "
            "smallest weights to 0"
        )
    if lowest > by_current:
        label = network.labels[heaviest] if network.labels else str(heaviest)
        raise Unrealisable(
            f"design_board: current: with its largest resistor at {format_si(limits.most_resistance, 'Ohm')}, output "
            f"{label} gives {format_si(output * loads[heaviest] * lowest, 'A')} into its synapses, above the "
            f"{format_si(current, 'A')} that {model.name} may give; allow resistors up to "
            f"{format_si(lowest * limits.most_resistance / by_current, 'Ohm')}, or a smaller output scale"
        )
    if not free:
        return 1.0
    usual = min(max(1.0 / (limits.usual_resistance * largest), lowest), highest, by_current)
    return _onto_series(network, usual, (lowest, min(highest, by_current)), limits, capacitors)


def board_conductances(network: Network, reference: float) -> Array:
    """Return the conductances of all resistors at the summing nodes, siemens: weights, inputs, leaks and biases."""
    found = [np.abs(np.asarray(network.weights[network.weights != 0.0])).reshape(-1)]
    if network.input_weights is not None:
        found.append(np.abs(network.input_weights[network.input_weights != 0.0]))
    found.append(1.0 / network.resistance[np.isfinite(network.resistance)])
    found.append(np.abs(network.bias[network.bias != 0.0]) / reference)
    all_of_them = np.concatenate(found)
    if all_of_them.size == 0:
        raise Unrealisable("design_board: the network has no weight, no leak and no bias: nothing to build")
    return all_of_them


def _onto_series(
    network: Network, usual: float, allowed: tuple[float, float], limits: Limits, capacitors: Series
) -> float:
    """Return a factor near the usual one with which the commonest capacitance is a value of its series."""
    values, counts = np.unique(network.capacitance, return_counts=True)
    common = float(values[int(np.argmax(counts))])
    low, high = common * allowed[0], common * allowed[1]
    room = capacitors.within(max(low, limits.least_capacitance), min(high, limits.most_capacitance))
    if room.size == 0:
        raise Unrealisable(
            f"design_board: capacitors: resistors within their range need {format_si(low, 'F')} to "
            f"{format_si(high, 'F')}, and {format_si(limits.least_capacitance, 'F')} to "
            f"{format_si(limits.most_capacitance, 'F')} are allowed; scale time by "
            f"{_needed_time(low, high, limits):.3g} (`time_scale`)"
        )
    return float(nearest(min(max(common * usual, room[0]), room[-1]), room)) / common


def _needed_time(low: float, high: float, limits: Limits) -> float:
    return limits.most_capacitance / low if low > limits.most_capacitance else limits.least_capacitance / high


def fit_seconds(loop_rate: float, delay: float, slew: float, model: MacroModel, limits: Limits) -> float:
    """Return by how much a board must be slower for its amplifiers: at least 1, rounded up to two digits.

    `loop_rate`: in 1/s, of the fastest loop; `delay`: of a neuron's amplifiers, seconds; `slew`: of the fastest output,
    volts a second.
    """
    needed = max(loop_rate * delay / limits.speed, slew / (limits.slew * model.slew_rate))
    return 1.0 if needed <= 1.0 else _round_up(needed)


def round_down(value: float) -> float:
    """Return two digits, not above the value."""
    unit = 10.0 ** (math.floor(math.log10(value)) - 1)
    return float(f"{math.floor(value / unit + 1e-9) * unit:.12g}")


def _round_up(value: float) -> float:
    unit = 10.0 ** (math.floor(math.log10(value)) - 1)
    return float(f"{math.ceil(value / unit - 1e-9) * unit:.12g}")
