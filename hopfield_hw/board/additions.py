"""What a board has beside its network: a buffered reference, capacitors that keep amplifiers stable, decoupling."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from ..circuit import GROUND, Circuit, Device, Origin, Role
from ..networks.network import Network
from ..parts import Capacitor, OpAmp, Resistor, VoltageSource
from ..parts.figures import SUPPLIES

REFERENCE = "reference_set"
DECOUPLING = 100e-9  # farads, at each supply pin of a package
RAILS = ("reference_p", "reference_n")


def buffer_references(circuit: Circuit, op_amp: OpAmp, resistance: float) -> Circuit:
    """Return the circuit with one reference: a follower gives the positive rail, an inverter the negative one.

    A circuit without references stays as it is. `resistance`: of the inverter, ohms.
    """
    sources = {d.nodes[0]: d for d in circuit.devices if isinstance(d.part, VoltageSource) and d.nodes[0] in RAILS}
    if not sources:
        return circuit
    first = next(iter(sources.values()))
    volts = (
        abs(float(first.part.voltage))
        if isinstance(first.part, VoltageSource) and isinstance(first.part.voltage, float)
        else 0.0
    )
    owner = first.origin.operator

    def origin(role: Role) -> Origin:
        return Origin(owner, role, ())

    added = [
        Device(f"V_{REFERENCE}", VoltageSource(volts), (REFERENCE, GROUND), origin(Role.SUPPLY)),
        Device("X_reference_p", op_amp, (REFERENCE, "reference_p", "reference_p", *SUPPLIES), origin(Role.REFERENCE)),
    ]
    if "reference_n" in sources:
        at = "reference_n_inv"
        added += [
            Device("R_reference_in", Resistor(resistance), ("reference_p", at), origin(Role.REFERENCE)),
            Device("R_reference_feedback", Resistor(resistance), ("reference_n", at), origin(Role.REFERENCE)),
            Device("X_reference_n", op_amp, (GROUND, at, "reference_n", *SUPPLIES), origin(Role.REFERENCE)),
        ]
    initial = dict(circuit.initial) | {"reference_p": volts}
    if "reference_n" in sources:
        initial["reference_n"] = -volts
    kept = [device for device in circuit.devices if device not in sources.values()]
    return replace(circuit, devices=(*added, *kept), initial=initial)


def start_rails(circuit: Circuit, network: Network) -> Circuit:
    """Return the circuit whose amplifiers and complements begin at what the network's start asks of them.

    Otherwise their outputs would begin at 0 V and slew, which is no part of a network's equation.
    """
    nodes = {node for device in circuit.devices for node in device.nodes}
    outputs = np.broadcast_to(network.gain.value(network.initial), network.initial.shape)
    initial = dict(circuit.initial)
    for probe, volts in zip(circuit.outputs, outputs.tolist(), strict=True):
        complement = probe.node.replace("_", "n_", 1)
        initial[probe.node] = volts
        if complement in nodes:
            initial[complement] = -volts
    return replace(circuit, initial=initial)


def compensate(circuit: Circuit, capacitances: Mapping[str, float]) -> Circuit:
    """Return the circuit with a capacitor, farads, from the output to the inverting input of op-amps, by their name."""
    added = []
    for device in circuit.devices:
        if device.name in capacitances:
            _, minus, output, *_ = device.nodes
            name = f"C_{device.name.partition('_')[2]}_compensation"
            origin = device.origin._replace(role=Role.COMPENSATION)
            added.append(Device(name, Capacitor(capacitances[device.name]), (minus, output), origin))
    return replace(circuit, devices=(*circuit.devices, *added))


def decouple(circuit: Circuit, amplifiers: int) -> Circuit:
    """Return the circuit with a capacitor from each rail to ground for every package of so many amplifiers."""
    op_amps = [device for device in circuit.devices if isinstance(device.part, OpAmp)]
    owner = op_amps[0].origin.operator
    added = [
        Device(f"C_decoupling_{side}_{k}", Capacitor(DECOUPLING), (rail, GROUND), Origin(owner, Role.DECOUPLING, ()))
        for k in range(math.ceil(len(op_amps) / amplifiers))
        for side, rail in zip(("p", "n"), SUPPLIES, strict=True)
    ]
    return replace(circuit, devices=(*circuit.devices, *added))
