"""The network that the parts of a circuit make: weights, resistances, capacitances and biases read back from devices.

A weight is the conductance of its resistors; one that comes from a complement rail counts with -R_f/R_in of the
inverter there. What is read is what the parts say, whatever they were meant to be.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from ..circuit import Circuit, Device, Role
from ..graph import Affine, Input, Leak
from ..networks.network import Network
from ..parts import Capacitor, Resistor, VoltageSource
from ..values.arrays import Array, dense
from ..values.errors import InputError
from .additions import RAILS


class Crossbar(NamedTuple):
    """What conducts into the summing nodes, siemens: from rails and from complements, (n, n), and from inputs, (n, m).

    `ratios`: of each complement to its rail, (n,), negative; -1 where there is no complement. `bias`: of references,
    (n,), and `current`, amperes, what flows through that. `leak`: across the capacitors, (n,); `capacitance`: farads.
    """

    positive: Array
    negative: Array
    inputs: Array | None
    ratios: Array
    bias: Array
    current: Array
    leak: Array
    capacitance: Array


def read_crossbar(circuit: Circuit) -> Crossbar:
    """Return what the parts of a circuit conduct, wherever its own graph has a weight.

    A weight that was to be 0 may be there: devices of programmed levels are never without conductance. Raises
    InputError for another cell than the inverting integrator.
    """
    graph = circuit.graph
    leaks = () if graph is None else graph.of_type(Leak)
    if graph is None or circuit.cell != "inverting_integrator" or len(leaks) != 1:
        raise InputError(f"read_network: a circuit of cell {circuit.cell!r}: must be of 'inverting_integrator'")
    leak, n = leaks[0], leaks[0].output_size
    complements = _complements(circuit)
    positive, negative, inputs = np.zeros((n, n)), np.zeros((n, n)), None
    ratios = np.full(n, -1.0)
    sources = {source.name for source in graph.of_type(Input)}
    for affine in graph.of_type(Affine):
        driver = graph.drivers(affine)[0]
        from_rail, from_complement = _read_matrix(circuit, affine, complements)
        if driver.name in sources:
            own = np.array([complements.get(f"{driver.name}n_{label}", -1.0) for label in graph.labels(driver)])
            inputs = from_rail + from_complement * own
        else:
            positive, negative = from_rail, from_complement
            ratios = np.array([complements.get(f"{driver.name}n_{label}", -1.0) for label in graph.labels(driver)])
    affines = [affine.name for affine in graph.of_type(Affine)]
    biases = np.array([[_bias(circuit, name, k) for name in affines] for k in range(n)]).reshape(n, -1, 2).sum(axis=1)
    return Crossbar(
        positive=positive,
        negative=negative,
        inputs=inputs,
        ratios=ratios,
        bias=biases[:, 0],
        current=biases[:, 1],
        leak=np.array([conductance_of(circuit.devices_from(leak.name, (k,), Role.RESISTANCE)) for k in range(n)]),
        capacitance=np.array([_capacitance(circuit.devices_from(leak.name, (k,), Role.CAPACITANCE)) for k in range(n)]),
    )


def read_network(circuit: Circuit, network: Network) -> Network:
    """Return a network with the values of a circuit's parts; gain, labels and start are those of `network`.

    Raises InputError for a circuit of another cell than the inverting integrator.
    """
    found = read_crossbar(circuit)
    with np.errstate(divide="ignore"):
        resistance = 1.0 / found.leak
    return replace(
        network,
        weights=found.positive + found.negative * found.ratios,
        input_weights=found.inputs,
        bias=found.current,
        resistance=resistance,
        capacitance=found.capacitance,
        symmetric=False,
    )


VALUES = ("weights", "input_weights", "bias", "resistance", "capacitance")


def value_error(wanted: Network, made: Network, names: Sequence[str] = VALUES) -> float:
    """Return the largest relative error of a value; infinite where one is missing, or there that should not be.

    `names`: of the values, all by default: weights, biases, leaks and capacitances.
    """
    worst = 0.0
    for name in names:
        if getattr(wanted, name) is None:
            continue
        right, found = (dense(getattr(network, name)) for network in (wanted, made))
        if name == "resistance":
            right, found = 1.0 / right, 1.0 / found
        there = right != 0.0
        if ((found != 0.0) != there).any():
            return math.inf
        worst = max(worst, float(np.max(np.abs(found[there] / right[there] - 1.0), initial=0.0)))
    return worst


def _read_matrix(circuit: Circuit, affine: Affine, complements: dict[str, float]) -> tuple[Array, Array]:
    """Return the conductances of the weights of an Affine, siemens: from rails, and from complements."""
    both = np.zeros((2, *affine.weights.matrix.shape))
    for i, j in zip(*(part.tolist() for part in affine.weights.entries()[1:]), strict=True):
        devices = circuit.devices_from(affine.name, (i, j), Role.WEIGHT)
        from_complement = any(node in complements for device in devices for node in device.nodes)
        both[int(from_complement), i, j] = conductance_of(devices)
    return both[0], both[1]


def _complements(circuit: Circuit) -> dict[str, float]:
    """Return by complement rail what it is of the rail that it inverts: -R_f/R_in."""
    found: dict[str, float] = {}
    for device in circuit.devices:
        operator, role, element = device.origin
        if role == Role.INVERTER_FEEDBACK and isinstance(device.part, Resistor):
            feedback = circuit.devices_from(operator, element, Role.INVERTER_FEEDBACK)
            entry = circuit.devices_from(operator, element, Role.INVERTER_IN)
            outputs = [d.nodes[2] for d in circuit.devices_from(operator, element, Role.OP_AMP)]
            rail = next(node for d in feedback for node in d.nodes if node in outputs)
            found[rail] = -conductance_of(entry) / conductance_of(feedback)
        elif role == Role.INVERTER:
            found[device.nodes[0]] = -1.0
    return found


def conductance_of(devices: Iterable[Device]) -> float:
    """Return the conductance of one resistor, or of two, in parallel where both have the same nodes."""
    resistors = [d for d in devices if isinstance(d.part, Resistor)]
    values = [d.part.resistance for d in resistors if isinstance(d.part, Resistor)]
    if not values:
        return 0.0
    if len({frozenset(d.nodes) for d in resistors}) == 1:
        return sum(1.0 / value for value in values)
    return 1.0 / sum(values)


def _capacitance(devices: Iterable[Device]) -> float:
    return sum(d.part.capacitance for d in devices if isinstance(d.part, Capacitor))


def _bias(circuit: Circuit, affine: str, k: int) -> tuple[float, float]:
    """Return the conductance of a bias resistor, siemens, and its current into the virtual ground, amperes."""
    devices = circuit.devices_from(affine, (k,), Role.BIAS)
    rails = [node for device in devices for node in device.nodes if node in RAILS]
    conductance = conductance_of(devices)
    return conductance, conductance * reference_volts(circuit, rails[0]) if rails else 0.0


def reference_volts(circuit: Circuit, node: str) -> float:
    """Return the voltage of a reference rail: of its source, or of the source that is buffered and inverted to it."""
    for device in circuit.devices:
        if isinstance(device.part, VoltageSource) and device.nodes[0] in (node, "reference_set"):
            volts = device.part.voltage
            sign = -1.0 if node == "reference_n" and device.nodes[0] == "reference_set" else 1.0
            return sign * float(volts) if isinstance(volts, float) else 0.0
    raise InputError(f"circuit {circuit.title!r}: nothing holds node {node!r} at a voltage")
