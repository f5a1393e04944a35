"""A draft: what cells add their devices to, until it is frozen into a Circuit."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from ..arrays import Array
from ..errors import InputError
from ..graph import Graph, Input, Leak, Operator, Output
from .ir import GROUND, Circuit, Device, Origin, Probe


class Draft:
    """The devices, node voltages and probes of a circuit that is being made from a graph in SI units.

    `scale`: by Leak, what the circuit's state is multiplied by against the graph's (see lower.rescale).
    """

    def __init__(self, graph: Graph, scale: Mapping[str, float]) -> None:
        self.graph = graph
        self.scale = scale
        self.devices: list[Device] = []
        self._nodes: dict[str, tuple[str, ...]] = {}
        self._owners: dict[str, tuple[str, str]] = {}
        self._states: dict[str, tuple[tuple[str, ...], float, Array]] = {}
        self._rails: dict[str, tuple[str, Origin]] = {}

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

    def add(self, name: str, nodes: tuple[str, ...], value: float | str, origin: Origin) -> None:
        """Add a device."""
        self.devices.append(Device(name, nodes, value, origin))

    def state(self, leak: Leak, nodes: tuple[str, ...], *, scale: float = 1.0) -> None:
        """Say where a Leak's state is found: x = scale * v(node)."""
        by = scale / self.scale.get(leak.name, 1.0)
        self._states[leak.name] = (nodes, by, leak.initial / self.scale.get(leak.name, 1.0))

    def inverted(self, operator: Operator, element: int) -> str:
        """Return the complement rail of an operator's element, as in `vn_3`; its inverter is made once."""
        node = self.nodes(operator)[element]
        if node not in self._rails:
            rail = f"{operator.name}n_{self.graph.labels(operator)[element]}"
            self.claim(rail, operator, "n")
            self._rails[node] = (rail, Origin(operator.name, "inverter", (element,)))
        return self._rails[node][0]

    def circuit(self, title: str, cell: str) -> Circuit:
        """Return the finished circuit: complement rails are added, and everything is verified."""
        for node, (rail, origin) in self._rails.items():
            name = f"E_inv_{origin.operator}_{origin.element[0]}"
            self.add(name, (rail, GROUND, node, GROUND), -1.0, origin)
        leaks = self.graph.of_type(Leak)
        held = [self._states[leak.name] for leak in leaks]
        nodes = [(node, scale) for names, scale, _ in held for node in names]
        labels = self.graph.labels_of(Leak)
        outputs = [probe for output in self.graph.of_type(Output) for probe in self._output_nodes(output)]
        sources = self.graph.of_type(Input)
        return Circuit(
            title=title,
            cell=cell,
            graph_hash=self.graph.hash,
            devices=tuple(self.devices),
            initial={node: float(x) / scale for names, scale, x0 in held for node, x in zip(names, x0, strict=True)},
            states=tuple(Probe(label, node, scale) for label, (node, scale) in zip(labels, nodes, strict=True)),
            outputs=tuple(
                Probe(label, node, scale)
                for label, (node, scale) in zip(self.graph.labels_of(Output), outputs, strict=True)
            ),
            inputs=tuple(f"V_{source.name}_{k}" for source in sources for k in range(source.output_size)),
            time_constant=max((float(np.max(leak.resistance * leak.capacitance)) for leak in leaks), default=np.inf),
        )

    def _output_nodes(self, output: Output) -> list[tuple[str, float]]:
        """Return node and scale of each element of an Output; those of a state are found as the state is."""
        (driver,) = self.graph.drivers(output)
        nodes, scale = self._states[driver.name][:2] if isinstance(driver, Leak) else (self.nodes(driver), 1.0)
        return [(node, scale) for node in nodes]
