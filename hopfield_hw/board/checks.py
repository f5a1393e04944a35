"""Checks of a board: what was found, against a limit; those of the network and its values are here."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, fields
from typing import Any, Literal

import numpy as np

from ..circuit import Circuit
from ..networks.network import Network
from ..parts import MacroModel, OpAmp
from ..values.arrays import Array
from ..values.si_text import format_si
from .scaling import Limits, board_conductances

ROUNDING = 1e-12  # of a limit: products of scales that come to it are off by the last digit
SCALED = 1e-9  # of a limit that a scale is chosen by


@dataclass(frozen=True, kw_only=True)
class Check:
    """One thing that a board must hold: what was found, against its limit.

    `name`: of the check. `where`: the device or neuron that is nearest to its limit. `sense`: whether `found` must be
    at most or at least the limit. `cure`: what would do.
    """

    name: str
    where: str
    found: float
    limit: float
    unit: str
    sense: Literal["at most", "at least"]
    cure: str = ""

    @property
    def passed(self) -> bool:
        """Whether it holds, to rounding; a check without a number does not."""
        room = ROUNDING * abs(self.limit) if np.isfinite(self.limit) else 0.0
        return self.found <= self.limit + room if self.sense == "at most" else self.found >= self.limit - room

    def figures(self) -> dict[str, Any]:
        """Return by name what JSON has of it."""
        return {field.name: getattr(self, field.name) for field in fields(self)} | {"passed": self.passed}

    def __str__(self) -> str:
        found, limit = (
            format_si(value, self.unit) if self.unit else f"{value:.3g}" for value in (self.found, self.limit)
        )
        told = f"{self.name}: {self.where} {found}, must be {self.sense} {limit}"
        return told if self.passed or not self.cure else f"{told}; {self.cure}"


def nearest_to_limit(checks: Iterable[Check]) -> Check:
    """Return the check that failed by most, or is nearest to its limit."""
    return max(checks, key=lambda c: (not c.passed, c.found - c.limit if c.sense == "at most" else c.limit - c.found))


def loop_rate(network: Network) -> float:
    """Return the fastest rate of a network, 1/s: max_i (1/R_i + b_i sum_j |T_ij|) / C_i."""
    slope = np.max(np.abs(network.gain.slope))
    total = np.asarray(np.abs(network.weights).sum(axis=1)).reshape(-1)
    return float(np.max((1.0 / network.resistance + slope * total) / network.capacitance))


def check_droop(network: Network, model: MacroModel, bounds: Array, t_stop: float) -> Iterator[Check]:
    """Yield the check of integrators without a leak: how far bias current and offset take them in a run.

    dX/dt = (I_b + V_os sum |T|) / C, as a part of the state's range.
    """
    open_ended = np.flatnonzero(np.isinf(network.resistance))
    if not open_ended.size:
        return
    total = np.asarray(np.abs(network.weights).sum(axis=1)).reshape(-1)
    rate = (abs(model.bias_current) + abs(model.offset) * total) / network.capacitance
    part = rate * t_stop / np.maximum(bounds, 1e-12)
    k = int(open_ended[np.argmax(part[open_ended])])
    yield Check(
        name="droop",
        where=f"neuron {network.labels[k] if network.labels else k}: no leak: it runs away, in parts of its range, by",
        found=float(part[k]),
        limit=0.05,
        unit="",
        sense="at most",
        cure=f"give it a leak, a capacitor {part[k] / 0.05:.2g} times as large, or an op-amp of less offset and bias",
    )


def check_bounds(circuit: Circuit, model: MacroModel, states: Array, output: float) -> Iterator[Check]:
    """Yield the checks of what states and outputs can reach, volts: against the swing without load, and against the
    range of inputs where an amplifier senses states with an op-amp's non-inverting input.
    """
    low, high = model.swing()
    end, reached = min(-low, high), float(np.max(states))
    what = "an output" if output >= reached else f"state {int(np.argmax(states))}"
    worst = max(output, reached)
    yield Check(
        name="headroom",
        where=f"{what} can reach",
        found=worst,
        limit=end,
        unit="V",
        sense="at most",
        cure=f"take a scale {end / worst:.2g} times as large for it, or supplies {worst - end:.2g} V further out",
    )
    if not _senses_states(circuit):
        return
    room = _common_room(model)
    yield Check(
        name="phase reversal" if model.beyond_common_mode == "reverse" else "common mode",
        where=f"state {int(np.argmax(states))}, which an amplifier senses, can reach",
        found=reached,
        limit=room,
        unit="V",
        sense="at most",
        cure=f"take a state scale {room / reached if reached else 1.0:.2g} times as large",
    )


def room_of_states(circuit: Circuit, model: MacroModel) -> float:
    """Return what states may reach, volts: the swing without load, and the range of inputs where op-amps sense them."""
    low, high = model.swing()
    swing = min(-low, high)
    return min(swing, _common_room(model)) if _senses_states(circuit) else swing


def _senses_states(circuit: Circuit) -> bool:
    nodes = {probe.node for probe in circuit.states}
    return any(isinstance(d.part, OpAmp) and d.nodes[0] in nodes for d in circuit.devices)


def _common_room(model: MacroModel) -> float:
    lowest, highest = model.common_mode()
    return min(-lowest, highest)


def check_rounding(error: float, limits: Limits) -> Check:
    """Return the check of the largest relative error that parts make of a weight, a bias, a leak or a capacitance."""
    return Check(
        name="rounding",
        where="a value is off by",
        found=error,
        limit=limits.rounding,
        unit="",
        sense="at most",
        cure="take a finer series, or two resistors (`two_resistors`)",
    )


def check_resistors(network: Network, reference: float, limits: Limits) -> Iterator[Check]:
    """Yield the checks of the smallest and the largest resistor at the summing nodes, before rounding.

    `reference`: of the biases, volts.
    """
    ohms = 1.0 / board_conductances(network, reference)
    smallest, largest = float(ohms.min()), float(ohms.max())
    yield Check(
        name="smallest resistor",
        where="at a summing node:",
        found=smallest,
        limit=limits.least_resistance * (1.0 - SCALED),
        unit="Ohm",
        sense="at least",
        cure=f"take a conductance scale {smallest / limits.least_resistance:.2g} times as large",
    )
    yield Check(
        name="largest resistor",
        where="at a summing node:",
        found=largest,
        limit=limits.most_resistance * (1.0 + SCALED),
        unit="Ohm",
        sense="at most",
        cure=f"take a conductance scale {largest / limits.most_resistance:.2g} times as large",
    )


def check_synaptic_current(network: Network, model: MacroModel, output: float, limits: Limits) -> Check:
    """Return the check of what the most loaded output can give into its synapses, at its bound, volts."""
    loads = np.asarray(np.abs(network.weights).sum(axis=0)).reshape(-1)
    k = int(np.argmax(loads))
    found = output * float(loads[k])
    limit = limits.output_current * min(model.source_current, model.sink_current)
    return Check(
        name="current",
        where=f"output {network.labels[k] if network.labels else k} can give into its synapses",
        found=found,
        limit=limit * (1.0 + SCALED),
        unit="A",
        sense="at most",
        cure=f"take a conductance scale {limit / found if found else 1.0:.2g} times as large",
    )


def check_supply(model: MacroModel) -> Check:
    """Return the check of the whole supply against the op-amp's range."""
    found = model.supply_plus - model.supply_minus
    is_low = found < model.least_supply
    return Check(
        name="supply",
        where=f"{model.name} on",
        found=found,
        limit=model.least_supply if is_low else model.most_supply,
        unit="V",
        sense="at least" if is_low else "at most",
        cure=f"take a {'higher' if is_low else 'lower'} supply, or another op-amp",
    )
