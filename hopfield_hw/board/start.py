"""Where the op-amps of a board are when its states are let go: at rest, as a preset of the states leaves them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ..circuit import GROUND, Circuit, Device, Role
from ..parts import Capacitor, OpAmp
from ..spice.analyses import run_transient
from ..values.signals import Signal

# How long the states are held, of the run; by what their capacitances are larger meanwhile; the accuracy of the rest.
HELD, LARGER, ACCURACY = 1e-2, 1e6, 1e-3


def start_at_rest(circuit: Circuit, t_stop: float, inputs: Signal | None, *, timeout: float = 600.0) -> Circuit:
    """Return the circuit with all pins of its op-amps where they come to rest while its states are held.

    An op-amp that starts elsewhere slews there first, and a clamp with it, which is no part of a network's equation.
    The states are held by larger capacitors, which carry the same currents and keep their charge: that is what a state
    is, and its node is off it by the offset of its op-amp. Raises a SimulatorError where ngspice does not deliver.
    """
    end = HELD * t_stop
    held = replace(circuit, devices=tuple(_hold(device) for device in circuit.devices))
    found = run_transient(
        held.driven(inputs), end, step=end / 100.0, initial=circuit.initial, accuracy=ACCURACY, timeout=timeout
    )
    pins = {node for d in circuit.devices if isinstance(d.part, OpAmp) for node in d.nodes[:3]} - {GROUND}
    rest = {node: float(np.real(found.voltage(node))[-1]) for node in sorted(pins)}
    return replace(circuit, initial={**circuit.initial, **rest})


def _hold(device: Device) -> Device:
    if device.origin.role is not Role.CAPACITANCE or not isinstance(device.part, Capacitor):
        return device
    return device._replace(part=replace(device.part, capacitance=LARGER * device.part.capacitance))
