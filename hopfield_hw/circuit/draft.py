"""A draft: what cells add their devices to, until it is frozen into a Circuit."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from ..graph import Clock, Graph, Hold, Input, Leak, Operator, Output
from ..values.errors import InputError, Unrealisable
from .circuit import GROUND, Circuit, Device, Origin, Probe, Settling
from .primitives import Value


def ideal_inverter(draft: Draft, rail: str, node: str, origin: Origin) -> None:
    """Add a complement rail that is exact."""
    draft.add(f"E_inv_{origin.operator}_{origin.element[0]}", (rail, GROUND, node, GROUND), -1.0, origin)


class Draft:
    """The devices, node voltages and probes of a circuit that is being made from a graph in SI units.

    `scale`: by Leak, what the circuit's state is multiplied by against the graph's (see lower.rescale).
    """

    def __init__(self, graph: Graph, scale: Mapping[str, float]) -> None:
        self.graph = graph
        self.scale = scale
        self.devices: list[Device] = []
        self.settling: list[Settling] = []
        self._nodes: dict[str, tuple[str, ...]] = {}
        self._owners: dict[str, tuple[str, str]] = {}
        self._states: dict[str, tuple[tuple[str, ...], float]] = {}
        self._initial: dict[str, float] = {}
        self._rails: dict[str, tuple[str, Origin]] = {}
        self._supplies: dict[str, float] = {}
        self.invert: Callable[[Draft, str, str, Origin], None] = ideal_inverter
        self._buffers: dict[tuple[str, int], str] = {}

    def nodes(self, operator: Operator) -> tuple[str, ...]:
        """Return the nodes that carry an operator's elements: `<operator>_<label>`, as in `v_3`."""
        if operator.name not in self._nodes:
            self._nodes[operator.name] = self.new_nodes(operator, "")
        return self._nodes[operator.name]

    def new_nodes(self, operator: Operator, role: str) -> tuple[str, ...]:
        """Return a node for each element, `<operator><role>_<label>`, as in `x_sum_3` for the role "_sum".

        Raises InputError where another operator has a node of that name already.
        """
        nodes = tuple(f"{operator.name}{role}_{label}" for label in self.graph.labels(operator))
        for node in nodes:
            self.claim(node, operator, role)
        return nodes

    def claim(self, node: str, operator: Operator, role: str) -> None:
        """Say that a node belongs to an operator. Raises InputError where it belongs to another one, or role."""
        owner = self._owners.setdefault(node.lower(), (operator.name, role))
        if owner != (operator.name, role):
            raise InputError(
                f"operators {owner[0]!r} and {operator.name!r} both have a node {node!r}; rename one, or its labels"
            )

    def add(self, name: str, nodes: tuple[str, ...], value: Value, origin: Origin) -> None:
        """Add a device."""
        self.devices.append(Device(name, nodes, value, origin))

    def state(self, operator: Leak | Hold, nodes: tuple[str, ...], *, scale: float = 1.0) -> None:
        """Say where a state is found: x = scale * v(node); the nodes of a Leak start there too."""
        self._states[operator.name] = (nodes, scale / self.scale.get(operator.name, 1.0))
        if isinstance(operator, Leak):
            for node, volts in zip(nodes, (operator.initial / scale).tolist(), strict=True):
                self.start(node, volts)

    def start(self, node: str, volts: float) -> None:
        """Say at what voltage a capacitor starts, at its node."""
        self._initial[node] = volts

    def rail(self, operator: Operator, element: int) -> str:
        """Return a node with an operator's element that may be loaded: of a Leak a buffer, made once, as in `xb_3`."""
        if not isinstance(operator, Leak):
            return self.nodes(operator)[element]
        if (operator.name, element) not in self._buffers:
            node = f"{operator.name}b_{self.graph.labels(operator)[element]}"
            self.claim(node, operator, "b")
            self._buffers[operator.name, element] = node
        return self._buffers[operator.name, element]

    def inverted(self, operator: Operator, element: int) -> str:
        """Return the complement rail of an operator's element, as in `vn_3`; its inverter is made once."""
        node = self.rail(operator, element)
        if node not in self._rails:
            role = "bn" if isinstance(operator, Leak) else "n"
            rail = f"{operator.name}{role}_{self.graph.labels(operator)[element]}"
            self.claim(rail, operator, role)
            self._rails[node] = (rail, Origin(operator.name, "inverter", (element,)))
        return self._rails[node][0]

    def supply(self, node: str, volts: float, operator: Operator) -> str:
        """Return a node that a source holds at a voltage, the same for all operators; the first one makes it."""
        if node not in self._supplies:
            self._supplies[node] = volts
            self.claim(node, operator, f"_{node}")
            self.add(f"V_{node}", (node, GROUND), volts, Origin(operator.name, "supply", ()))
        return node

    def circuit(self, title: str, cell: str, graph: Graph) -> Circuit:
        """Return the finished circuit: buffers and complement rails are added, and everything is verified.

        `graph`: what people know, before units and scale.
        """
        for (leak_name, element), buffer in self._buffers.items():
            held_at, scale = self._states[leak_name]
            ports = (buffer, GROUND, held_at[element], GROUND)
            self.add(f"E_buf_{leak_name}_{element}", ports, scale, Origin(leak_name, "buffer", (element,)))
        for node, (rail, origin) in self._rails.items():
            self.invert(self, rail, node, origin)
        probed = [(node, scale) for op in self.graph.states for node, scale in self._probed(op)]
        outputs = [probe for output in self.graph.of_type(Output) for probe in self._output_nodes(output)]
        leaks = self.graph.of_type(Leak)
        sources = self.graph.of_type(Input)
        return Circuit(
            title=title,
            cell=cell,
            graph_hash=graph.hash,
            graph=graph,
            devices=tuple(self.devices),
            initial=self._initial,
            states=tuple(
                Probe(label, node, scale) for label, (node, scale) in zip(self.graph.state_labels, probed, strict=True)
            ),
            outputs=tuple(
                Probe(label, node, scale)
                for label, (node, scale) in zip(self.graph.labels_of(Output), outputs, strict=True)
            ),
            inputs=tuple(f"V_{source.name}_{k}" for source in sources for k in range(source.output_size)),
            time_constant=max((float(np.max(leak.resistance * leak.capacitance)) for leak in leaks), default=np.inf),
            clock=self.clock,
            settling=tuple(self.settling),
        )

    @property
    def clock(self) -> Clock | None:
        """The clock of the graph's Holds; None where there is none. Raises Unrealisable for clocks that differ."""
        holds = self.graph.of_type(Hold)
        for hold in holds:
            if hold.clock != holds[0].clock or hold.clock.phase != 0.0:
                raise Unrealisable(
                    f"Hold {hold.name!r} has a clock of {hold.clock.period:g} s + {hold.clock.phase:g} s: a circuit "
                    f"has one clock of phase 0, here {holds[0].clock.period:g} s; give it to all Holds"
                )
        return holds[0].clock if holds else None

    def _probed(self, operator: Operator) -> list[tuple[str, float]]:
        nodes, scale = self._states[operator.name]
        return [(node, scale) for node in nodes]

    def _output_nodes(self, output: Output) -> list[tuple[str, float]]:
        """Return node and scale of each element of an Output: those of its driver, or its own where it has several."""
        first, *others = self.graph.drivers(output)
        if first.name in self._states and not others:
            return self._probed(first)
        return [(node, 1.0) for node in self.nodes(output if others else first)]
