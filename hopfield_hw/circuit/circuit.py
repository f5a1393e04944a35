"""The circuit: devices that remember where in the graph they come from."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple

from ..graph import Clock, Graph
from ..graph.usual_values import warn_of_inputs
from ..parts import Line, MacroModel, OpAmp, Part, VoltageSource
from ..values.errors import InputError
from ..values.names import NAME, RESERVED
from ..values.signals import as_signal
from .blocks import Block, split_blocks
from .device import GROUND, Device, Origin
from .roles import Role
from .sketch import Sketch

if TYPE_CHECKING:
    from PySpice.Spice.Netlist import Circuit as PySpiceCircuit


class Probe(NamedTuple):
    """A quantity of the network in the circuit: its value is `scale` times the voltage of `node`."""

    label: str
    node: str
    scale: float = 1.0


class Settling(NamedTuple):
    """A node that must come to rest in each period of the clock from `start` to `stop`, parts of it."""

    node: str
    start: float
    stop: float


@dataclass(frozen=True, kw_only=True, eq=False)
class Circuit:
    """A flat circuit of devices, verified when it is made.

    `initial`: the node voltage of every state, and of other capacitors, at t = 0. `states`, `outputs`: what to probe.
    `inputs`: the sources that a simulation drives. `time_constant`: the largest R C, seconds; infinite without a leak.
    `clock`: of its sample-and-holds; None where there is none. `settling`: what must be fast enough for it.
    `sketches`: by operator, how it is drawn.
    `graph`: what it realises, where that is known; a simulation sees from it how fast deviations grow.

    Raises InputError for names that are unsafe or collide after case folding, a device with a wrong number of
    nodes, parameters that its part refuses, and a node that nothing drives.
    """

    title: str
    cell: str
    graph_hash: str
    devices: tuple[Device, ...]
    initial: Mapping[str, float]
    states: tuple[Probe, ...]
    outputs: tuple[Probe, ...]
    inputs: tuple[str, ...] = ()
    time_constant: float = math.inf
    clock: Clock | None = None
    settling: tuple[Settling, ...] = ()
    sketches: Mapping[str, Sketch] = field(default_factory=dict, repr=False)
    graph: Graph | None = field(default=None, repr=False)
    _by_name: Mapping[str, Device] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_by_name", _verify(self))

    def __repr__(self) -> str:
        counts = f"cell {self.cell}, states {len(self.states)}, devices {len(self.devices)}, nodes {self.node_count}"
        return f"<Circuit: {counts}>"

    @cached_property
    def blocks(self) -> tuple[Block, ...]:
        """The devices neuron by neuron, after what all of them share."""
        return split_blocks(self.devices, self.graph)

    @cached_property
    def node_count(self) -> int:
        """How many nodes there are, ground among them."""
        return len({node for device in self.devices for node in device.nodes})

    @cached_property
    def ideal_devices(self) -> tuple[Device, ...]:
        """The devices that no board has: those that are not physical, without supplies and inputs."""
        return tuple(d for d in self.devices if not d.part.physical and d.origin.role not in (Role.SUPPLY, Role.INPUT))

    @cached_property
    def shortest_delay(self) -> float:
        """The delay of the shortest transmission line, seconds; infinite where there is none."""
        return min((d.part.delay for d in self.devices if isinstance(d.part, Line)), default=math.inf)

    @cached_property
    def macro_models(self) -> bool:
        """Whether there are op-amps of macro-models, which a simulator cannot run with the tightest tolerances."""
        return any(isinstance(d.part, OpAmp) and isinstance(d.part.model, MacroModel) for d in self.devices)

    def device(self, name: str) -> Device:
        """Return a device by its name, in any case, or by that of one of its lines in a netlist.

        A dialect writes `B_G_w` for a G_w whose element begins with B there, and `V_E_x_os` for the offset of E_x.
        Raises InputError for a name that the circuit lacks.
        """
        line = name.lower()
        behind = line[2:] if line[1:2] == "_" else line
        for known in (line, behind, behind.removesuffix("_os")):
            if known in self._by_name:
                return self._by_name[known]
        raise InputError(f"{self.title!r} has no device {name!r:.80}; `trace` takes a name from the netlist")

    def origin(self, name: str) -> Origin:
        """Return where a device comes from: `origin("R_syn_3_7")` is `syn.weights[3, 7]`."""
        return self.device(name).origin

    def label_of(self, origin: Origin) -> str:
        """Return the label of the state that an origin belongs to, or of its element where it is no state's."""
        k = origin.element[0] if origin.element else 0
        if self.graph is None:
            return self.states[min(k, len(self.states) - 1)].label
        first = 0
        for state in self.graph.states:
            if state.name == origin.operator:
                return self.graph.state_labels[first + k]
            first += state.output_size
        operator = self.graph.by_name.get(origin.operator)
        labels = () if operator is None else self.graph.labels(operator)
        return labels[k] if k < len(labels) else str(k)

    def devices_from(self, operator: str, element: tuple[int, ...], role: Role | None = None) -> tuple[Device, ...]:
        """Return the devices that realise one element of an operator: the way from a weight to its resistor."""
        key = (operator, element)
        return tuple(d for d in self._by_origin.get(key, ()) if role is None or d.origin.role == role)

    @cached_property
    def _by_origin(self) -> Mapping[tuple[str, tuple[int, ...]], tuple[Device, ...]]:
        table: dict[tuple[str, tuple[int, ...]], tuple[Device, ...]] = {}
        for device in self.devices:
            key = (device.origin.operator, device.origin.element)
            table[key] = (*table.get(key, ()), device)
        return table

    def driven(self, inputs: Any) -> Circuit:
        """Return the circuit with its input sources set to a Signal, a number, or (m,) constants; None keeps 0 V.

        Those of a map, whose states are Holds alone, are held for each period at what they are at its start.
        """
        if inputs is None:
            return self
        if not self.inputs:
            raise InputError(f"{self.title!r} has no inputs: leave `inputs` out")
        signal = as_signal(inputs, "inputs", len(self.inputs))
        warn_of_inputs(signal)
        if self.clock is not None and math.isinf(self.time_constant):
            signal = signal.hold(self.clock.period)
        waves = {
            name: float(signal.values[0, k])
            if signal.times.size == 1
            else tuple((float(t), float(v)) for t, v in zip(signal.times, signal.values[:, k], strict=True))
            for k, name in enumerate(self.inputs)
        }
        devices = tuple(d._replace(part=VoltageSource(waves[d.name])) if d.name in waves else d for d in self.devices)
        return replace(self, devices=devices)

    def netlist(self, dialect: str = "ngspice") -> str:
        """Return the circuit as text of a dialect, without an analysis."""
        from ..spice.dialects import write

        return write(self, dialect)

    def to_pyspice(self) -> PySpiceCircuit:
        """Return a PySpice `Circuit` with the same netlist. Raises MissingExtra where PySpice is missing."""
        from ..spice.pyspice import to_pyspice

        return to_pyspice(self)


def _verify(circuit: Circuit) -> dict[str, Device]:
    for field_name in ("title", "cell", "graph_hash"):
        text = getattr(circuit, field_name)
        if not isinstance(text, str) or not text.isprintable():
            raise InputError(f"`Circuit.{field_name}` = {text!r:.80}: must be one line of printable text")
    for operator in {device.origin.operator for device in circuit.devices}:
        if NAME.fullmatch(operator) is None:
            raise InputError(f"`Circuit` has a device from operator {operator!r:.80}: must be a plain name")
    for probe in (*circuit.states, *circuit.outputs):
        if not isinstance(probe.label, str) or not probe.label.isprintable():
            raise InputError(f"`Circuit` probes {probe.label!r:.80}: must be one line of printable text")
    by_name: dict[str, Device] = {}
    driven = {GROUND}
    legal: dict[str, None] = {GROUND: None}
    for device in circuit.devices:
        name, part, nodes, _ = device
        if not isinstance(part, Part):
            raise InputError(f"device {name!r:.80}: {part!r:.60} is not a part; take one of hopfield_hw.parts")
        if NAME.fullmatch(name) is None:
            raise InputError(f"device {name!r:.80}: must be a plain name: letters, digits and _, a letter first")
        key = name.lower()
        if key in by_name:
            raise InputError(f"devices {by_name[key].name!r} and {name!r} are one name in SPICE; rename one")
        by_name[key] = device
        if len(nodes) != len(part.ports):
            raise InputError(f"device {name}: has {len(nodes)} nodes, a {part.what} has {len(part.ports)}")
        for node in nodes:
            if node not in legal:
                if NAME.fullmatch(node) is None or node.lower() in RESERVED:
                    raise InputError(f"device {name}: node {node!r:.80} is not a plain name, or reserved; rename it")
                legal[node] = None
        part.check(name)
        sensed = part.sensed
        driven.update(nodes if not sensed else (node for port, node in enumerate(nodes) if port not in sensed))
    folded: dict[str, str] = {}
    for node in legal:
        if folded.setdefault(node.lower(), node) != node:
            raise InputError(f"nodes {folded[node.lower()]!r} and {node!r} are one name in SPICE; rename one")
    for device in circuit.devices:
        for port in device.part.sensed:
            if (node := device.nodes[port]) not in driven:
                raise InputError(f"device {device.name}: nothing drives its node {node!r}")
    probed = [probe.node for probe in (*circuit.states, *circuit.outputs)]
    for node in (*circuit.initial, *probed, *(part.node for part in circuit.settling)):
        if node not in legal:
            raise InputError(f"`Circuit` starts or probes node {node!r:.80}, which no device has")
    for name in circuit.inputs:
        if name.lower() not in by_name:
            raise InputError(f"`Circuit.inputs` names {name!r:.80}, which is not a device")
    return by_name
