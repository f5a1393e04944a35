"""The schematic of one neuron: the stages that its cell has, from left to right, with their devices and values."""

from __future__ import annotations

import textwrap
from collections.abc import Collection, Mapping
from typing import NamedTuple

from matplotlib.axes import Axes

from ..circuit import Circuit, Device, Role, Stage
from ..graph import Activate, Graph, Hold, Leak
from ..transforms import in_si
from ..values.errors import InputError
from .pairs import join_pairs
from .sheet import FAULT, LINE_LENGTH, Sheet
from .stages import DRAW, draw_inputs, draw_output

__all__ = ["FAULT", "Drawn", "Neuron", "draw_neuron", "neuron_devices"]

SYNAPSES = 3
# What leads into a neuron, by operator: its synapses first, then its bias.
INTO = (Role.WEIGHT, Role.COMMON_LINE, Role.EDGE)


class Drawn(NamedTuple):
    """A stage with its devices by role."""

    stage: Stage
    devices: Mapping[Role, tuple[Device, ...]]


class Neuron(NamedTuple):
    """The devices of one neuron.

    `into`: what leads into its first stage: up to SYNAPSES synapses, those at fault and then the strongest first, and
    one bias. `more`: how many there are besides. `stages`: from left to right. `inverter`: of its complement; empty
    where there is none.
    """

    into: tuple[Device, ...]
    more: int
    stages: tuple[Drawn, ...]
    inverter: tuple[Device, ...]


def neuron_devices(circuit: Circuit, graph: Graph, neuron: str, faults: Collection[str] = ()) -> Neuron:
    """Return the devices that realise the neuron with a label, in the stages of its cell.

    `faults`: names of devices that come first. Raises InputError for a label that the graph lacks, and for a cell that
    gives no drawing of it.
    """
    network = in_si(graph)
    state, k = _locate(network, neuron)
    sketch = circuit.sketches.get(state.name)
    if sketch is None:
        raise InputError(f"schematic: cell {circuit.cell!r} gives no drawing of {state.name!r}; it calls Draft.sketch")
    synapses: list[Device] = []
    biases: list[Device] = []
    for name in sketch.inputs:
        for device in circuit.devices:
            operator, role, element = device.origin
            if operator == name and element[:1] == (k,) and role in INTO:
                synapses.append(device)
        biases += circuit.devices_from(name, (k,), Role.BIAS)
    synapses.sort(key=lambda device: (device.name not in faults, -abs(device.part.conductance or 0.0)))
    stages = [Drawn(stage, _by_role(circuit, operator, k)) for stage, operator in sketch.stages]
    inverted = [state.name]
    driven = [op for op in network.targets(state) if isinstance(op, Activate) and op.name in circuit.sketches]
    for activate in driven[:1]:
        stages += [Drawn(stage, _by_role(circuit, name, k)) for stage, name in circuit.sketches[activate.name].stages]
        inverted = [activate.name]
    roles = (Role.INVERTER, Role.INVERTER_IN, Role.INVERTER_FEEDBACK)
    inverter = tuple(d for name in inverted for role in roles for d in circuit.devices_from(name, (k,), role))
    return Neuron(
        into=(*synapses[:SYNAPSES], *biases[:1]),
        more=len(synapses[SYNAPSES:]) + len(biases[1:]),
        stages=tuple(stages),
        inverter=inverter,
    )


def draw_neuron(axes: Axes, circuit: Circuit, graph: Graph, neuron: str, faults: Collection[str] = ()) -> None:
    """Draw the schematic of a neuron into an axis, or the sample-and-hold pair of a clocked state.

    Devices named in `faults` are drawn in colour; two resistors that make one value are one. Raises InputError as
    `neuron_devices` does.
    """
    circuit, pairs = join_pairs(circuit)
    devices = neuron_devices(circuit, graph, neuron, faults)
    sheet = Sheet(axes, faults)
    shown = (
        *devices.into,
        *devices.inverter,
        *(d for _, by_role in devices.stages for ds in by_role.values() for d in ds),
    )
    of_two = [f"{device.name} = {pairs[device.name]}" for device in shown if device.name in pairs]
    if of_two:
        sheet.notes += textwrap.wrap(f"of two: {', '.join(of_two)}", LINE_LENGTH)
    at = draw_inputs(sheet, devices.into, devices.more)
    for stage, by_role in devices.stages:
        at = DRAW[stage](sheet, by_role, at)
    draw_output(sheet, devices.inverter, at)
    sheet.finish()


def _locate(graph: Graph, neuron: str) -> tuple[Leak | Hold, int]:
    labels = graph.state_labels
    if neuron not in labels:
        raise InputError(f"schematic: the graph has no neuron {neuron!r:.80}; name one of {', '.join(labels):.200}")
    k = labels.index(neuron)
    for state in graph.states:
        if k < state.output_size:
            break
        k -= state.output_size
    return state, k


def _by_role(circuit: Circuit, operator: str, k: int) -> dict[Role, tuple[Device, ...]]:
    found: dict[Role, tuple[Device, ...]] = {}
    for device in circuit.devices_from(operator, (k,)):
        found[device.origin.role] = (*found.get(device.origin.role, ()), device)
    return found
