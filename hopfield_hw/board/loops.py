"""The feedback loops of a board's op-amps: delay, phase margin, and the capacitor that makes them stable."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import NamedTuple

import numpy as np

from ..circuit import Circuit, Device, Role
from ..parts import Capacitor, MacroModel, OpAmp, Resistor
from ..parts.series import nearest
from ..values.si_text import format_si
from .checks import Check, nearest_to_limit
from .choice import merge_pairs
from .scaling import Limits

PARASITIC = {Role.DECOUPLING}


class Loop(NamedTuple):
    """One op-amp's loop: conductances at its inverting input to its output and elsewhere, siemens; capacitances, F.

    `capacitance`: of an integrator; `compensation`: of a capacitor that is there for stability.
    """

    device: Device
    feedback: float
    others: float
    capacitance: float
    compensation: float

    @property
    def noise_gain(self) -> float:
        """1 + R_f times all else; 1 of an integrator, whose capacitor is the feedback at the rates of a loop."""
        return 1.0 if self.capacitance or not self.feedback else 1.0 + self.others / self.feedback

    @property
    def lag(self) -> float:
        """R_f C_f of a capacitor for stability, seconds."""
        return self.compensation / self.feedback if self.feedback else 0.0

    def delay(self, model: MacroModel) -> float:
        """Return the delay of its closed loop, seconds: N / (2 pi GBW), and R_f C_f of a compensation."""
        return self.noise_gain / (2.0 * math.pi * model.gain_bandwidth) + self.lag

    def phase_margin(self, model: MacroModel, stray: float) -> float:
        """Return the phase margin, degrees, of A(s) (G_f + s C_f) / (G_f + G + s (C_f + C_s)).

        C_s: the capacitances of the inputs, and stray ones, farads.
        """
        across = self.capacitance + self.compensation
        if not self.feedback and not across:
            return 90.0 if math.isinf(model.second_pole) else model.phase_margin
        f = np.geomspace(1e-4, 10.0, 4001) * model.gain_bandwidth
        s = 2j * math.pi * f
        shunt = stray + model.input_capacitance + model.differential_capacitance
        back = (self.feedback + s * across) / (self.feedback + self.others + s * (across + shunt))
        loop = model.gain_bandwidth / (1j * f) / (1.0 + 1j * f / model.second_pole) * back
        crossing = int(np.argmax(np.abs(loop) < 1.0))
        return float(180.0 + np.degrees(np.unwrap(np.angle(loop))[crossing]))


def find_loops(circuit: Circuit) -> tuple[Loop, ...]:
    """Return the loop of each op-amp, from the resistors and capacitors at its inverting input."""
    circuit = merge_pairs(circuit)
    at: dict[str, list[Device]] = {}
    for device in circuit.devices:
        if isinstance(device.part, Resistor | Capacitor) and device.origin.role not in PARASITIC:
            for node in set(device.nodes):
                at.setdefault(node, []).append(device)
    return tuple(_loop(device, at) for device in circuit.devices if isinstance(device.part, OpAmp))


def _loop(device: Device, at: Mapping[str, list[Device]]) -> Loop:
    _, minus, output, *_ = device.nodes
    feedback, others, capacitance, for_stability = 0.0, 0.0, 0.0, 0.0
    for other in at.get(minus, ()):
        is_feedback = output in other.nodes and output != minus
        if isinstance(other.part, Resistor) and is_feedback:
            feedback += 1.0 / other.part.resistance
        elif isinstance(other.part, Resistor):
            others += 1.0 / other.part.resistance
        elif isinstance(other.part, Capacitor) and is_feedback:
            if other.origin.role is Role.COMPENSATION:
                for_stability += other.part.capacitance
            else:
                capacitance += other.part.capacitance
    return Loop(device, feedback, others, capacitance, for_stability)


def compensation(loop: Loop, model: MacroModel, limits: Limits) -> float | None:
    """Return the capacitor, farads, that brings a loop to its phase margin: of E6, the least; None where none does."""
    for k in range(40):
        value = float(nearest(1e-12 * 10.0 ** (k / 6.0), "E6"))
        if loop._replace(compensation=value).phase_margin(model, limits.stray_capacitance) >= limits.phase_margin:
            return value
    return None


def check_loops(circuit: Circuit, limits: Limits) -> Iterator[Check]:
    """Yield the check of the loop with the least phase margin."""
    found = []
    for loop in find_loops(circuit):
        part = loop.device.part
        if isinstance(part, OpAmp) and isinstance(part.model, MacroModel) and (loop.feedback or loop.capacitance):
            margin = loop.phase_margin(part.model, limits.stray_capacitance)
            needed = compensation(loop, part.model, limits)
            cure = (
                "no capacitor across its feedback does: take an op-amp of more phase margin, or smaller resistors"
                if needed is None
                else f"put {format_si(needed, 'F')} across its feedback, or take smaller resistors"
            )
            found.append(
                Check(
                    name="stability of a summing node",
                    where=f"{loop.device.name}, with {format_si(limits.stray_capacitance, 'F')} at it, degrees:",
                    found=margin,
                    limit=min(limits.phase_margin, model_margin(part.model)),
                    unit="",
                    sense="at least",
                    cure=cure,
                )
            )
    if found:
        yield nearest_to_limit(iter(found))


def model_margin(model: MacroModel) -> float:
    """Return the phase margin that the op-amp has as a follower: no feedback can be asked for more."""
    return model.phase_margin - 1.0


def neuron_delays(circuit: Circuit) -> dict[int, float]:
    """Return by neuron the delay of all its op-amps, seconds."""
    delays: dict[int, float] = {}
    for loop in find_loops(circuit):
        part, origin = loop.device.part, loop.device.origin
        if isinstance(part, OpAmp) and isinstance(part.model, MacroModel) and len(origin.element) == 1:
            delays[origin.element[0]] = delays.get(origin.element[0], 0.0) + loop.delay(part.model)
    return delays


def check_speed(circuit: Circuit, loop_rate: float, limits: Limits) -> Check:
    """Return the check of the amplifiers' delay against the fastest loop, 1/s, of the neuron that is nearest."""
    delays = neuron_delays(circuit)
    k = max(delays, key=lambda key: delays[key])
    found = loop_rate * delays[k]
    return Check(
        name="bandwidth",
        where=f"neuron {circuit.states[k].label}: its amplifiers' delay of {format_si(delays[k], 's')} by the rate of "
        f"its loop, {format_si(loop_rate, 'Hz')},",
        found=found,
        limit=limits.speed,
        unit="",
        sense="at most",
        cure=f"take a time scale {found / limits.speed:.3g} times as large, or a faster op-amp",
    )
