"""Where the nodes of a board are when its states are let go: at rest, as a preset of the states leaves them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ..circuit import GROUND, Circuit, Device, Role
from ..parts import Capacitor
from ..spice.analyses import run_transient
from ..values.errors import SimulatorError
from ..values.signals import Signal

# How long the states are held, of the run; by what their capacitances are larger meanwhile; the accuracy of the rest.
HELD, LARGER, ACCURACY = 1e-2, 1e6, 1e-3
TIMEOUT = 60.0  # seconds


def start_at_rest(circuit: Circuit, t_stop: float, inputs: Signal | None) -> Circuit:
    """Return the circuit with all nodes where they come to rest while its states are held.

    An op-amp that starts elsewhere slews there first, and a clamp with it, which is no part of a network's equation.
    The states are held by larger capacitors, which carry the same currents and keep their charge: that is what a state
    is, and its node is off it by the offset of its op-amp. Where ngspice does not find the rest, the circuit starts as
    it is.
    """
    end = HELD * t_stop
    held = replace(circuit, devices=tuple(_hold(device) for device in circuit.devices))
    try:
        found = run_transient(
            held.driven(inputs), end, step=end / 100.0, initial=circuit.initial, accuracy=ACCURACY, timeout=TIMEOUT
        )
    except SimulatorError:
        return circuit
    nodes = {node for device in circuit.devices for node in device.nodes} - {GROUND}
    rest = {node: float(np.real(found.voltage(node))[-1]) for node in sorted(nodes)}
    return replace(circuit, initial={**circuit.initial, **rest})


def _hold(device: Device) -> Device:
    if device.origin.role is not Role.CAPACITANCE or not isinstance(device.part, Capacitor):
        return device
    return device._replace(part=replace(device.part, capacitance=LARGER * device.part.capacitance))
