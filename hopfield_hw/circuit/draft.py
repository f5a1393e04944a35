"""A draft: what cells add their devices to, until it is frozen into a Circuit."""

from __future__ import annotations

import numpy as np

from ..arrays import Array
from ..graph import Graph, Input, Leak, Operator, Output
from .ir import GROUND, Circuit, Device, Origin, Probe


class Draft:
    """The devices, node voltages and probes of a circuit that is being made from a graph in SI units.

    `scale`: by Leak, what the circuit's state is multiplied by against the graph's (see lower.rescale).
    """

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self.devices: list[Device] = []
        self._nodes: dict[str, tuple[str, ...]] = {}
        self._states: dict[str, tuple[tuple[str, ...], float, Array]] = {}
        self._rails: dict[str, tuple[str, Origin]] = {}

    def nodes(self, operator: Operator) -> tuple[str, ...]:
        """Return the nodes that carry an operator's elements: `<operator>_<label>`, as in `v_3`."""
        if operator.name not in self._nodes:
            labels = self.graph.labels(operator)
            self._nodes[operator.name] = tuple(f"{operator.name}_{label}" for label in labels)
        return self._nodes[operator.name]

    def wire(self, operator: Operator, nodes: tuple[str, ...]) -> None:
        """Let an operator's elements be carried by nodes that there are already."""
        self._nodes[operator.name] = nodes

    def add(self, name: str, nodes: tuple[str, ...], value: float | str, origin: Origin) -> None:
        """Add a device."""
        self.devices.append(Device(name, nodes, value, origin))

    def state(self, leak: Leak, nodes: tuple[str, ...], *, scale: float = 1.0) -> None:
        """Say where a Leak's state is found: x = scale * v(node)."""
        self._states[leak.name] = (nodes, scale, leak.initial)

    def inverted(self, operator: Operator, element: int) -> str:
        """Return the complement rail of an operator's element, as in `vn_3`; its inverter is made once."""
        node = self.nodes(operator)[element]
        if node not in self._rails:
            rail = f"{operator.name}n_{self.graph.labels(operator)[element]}"
            self._rails[node] = (rail, Origin(operator.name, "inverter", (element,)))
        return self._rails[node][0]

    def circuit(self, title: str, cell: str) -> Circuit:
        """Return the finished circuit: complement rails are added, and everything is verified."""
        for node, (rail, origin) in self._rails.items():
            name = f"E_inv_{origin.operator}_{origin.index[0]}"
            self.add(name, (rail, GROUND, node, GROUND), -1.0, origin)
        leaks = self.graph.of_type(Leak)
        held = [self._states[leak.name] for leak in leaks]
        nodes = [(node, scale) for names, scale, _ in held for node in names]
        labels = self.graph.labels_of(Leak)
        outputs = self.graph.of_type(Output)
        sources = self.graph.of_type(Input)
        return Circuit(
            title=title,
            cell=cell,
            graph_hash=self.graph.hash,
            devices=tuple(self.devices),
            initial={
                node: float(x) / scale for names, scale, x0 in held for node, x in zip(names, x0, strict=True)
            },
            states=tuple(Probe(label, node, scale) for label, (node, scale) in zip(labels, nodes, strict=True)),
            outputs=tuple(
                Probe(label, node)
                for label, node in zip(
                    self.graph.labels_of(Output), (n for output in outputs for n in self.nodes(output)), strict=True
                )
            ),
            inputs=tuple(f"V_{source.name}_{k}" for source in sources for k in range(source.output_size)),
            time_constant=max((float(np.max(leak.resistance * leak.capacitance)) for leak in leaks), default=np.inf),
        )
