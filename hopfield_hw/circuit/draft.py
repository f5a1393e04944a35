"""A draft: what cells add their devices to, until it is frozen into a Circuit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_array

from ..graph import Activate, Affine, Clock, Graph, Hold, Input, Leak, Operator, Output
from ..parts import IdealGain, OpAmp, OpAmpModel, Part, Resistor, VoltageGain, VoltageSource
from ..parts.crossbar import Crossbar
from ..values.arrays import Array
from ..values.errors import InputError, Unrealisable
from .circuit import Circuit, Probe, Settling
from .device import GROUND, Device, Origin
from .roles import Role
from .sketch import Sketch, Stage


class Draft:
    """The devices, node voltages and probes of a circuit that is being made from a graph in SI units.

    `scale`: by Leak, what the circuit's state is multiplied by against the graph's (see lower.rescale). `crossbars`:
    whether the weights of an Affine are one device.
    """

    def __init__(self, graph: Graph, scale: Mapping[str, float], *, crossbars: bool = False) -> None:
        self.graph = graph
        self.scale = scale
        self.crossbars = crossbars
        self.devices: list[Device] = []
        self.settling: list[Settling] = []
        self._nodes: dict[str, tuple[str, ...]] = {}
        self._owners: dict[str, tuple[str, str]] = {}
        self._states: dict[str, tuple[tuple[str, ...], float]] = {}
        self._initial: dict[str, float] = {}
        self._rails: dict[str, tuple[str, Origin]] = {}
        self._supplies: dict[str, float] = {}
        self._made_supplies: set[str] = set()
        self._shared: set[str] = set()
        self._op_amp: OpAmp | None = None
        self._ohms = 0.0
        self._labels: dict[str, _Labels] = {}
        self._sketches: dict[str, Sketch] = {}
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

    def label(self, operator: str, *element: int) -> str:
        """Return how names say an element of an operator: `syn_3_7`, with the labels of neurons."""
        return f"{operator}{self.suffix(operator, *element)}"

    def suffix(self, operator: str, *element: int) -> str:
        """Return what stands for an element at the end of names: `_3_7`.

        Labels with an underscore could be read in two ways in a pair, so that there the indices stand.
        """
        labels = self._labels.get(operator)
        if labels is None:
            labels = self._labels[operator] = _element_labels(self.graph, self.graph.by_name[operator])
        if len(element) == 1:
            return f"_{labels.of_elements[element[0]]}"
        if len(element) == 2 and labels.of_pairs is not None:
            to, sources = labels.of_pairs
            return f"_{to[element[0]]}_{sources[element[1]]}"
        return "".join(f"_{k}" for k in element)

    def add(self, name: str, part: Part, nodes: tuple[str, ...], origin: Origin) -> None:
        """Add a device."""
        self.devices.append(Device(name, part, nodes, origin))

    def add_crossbar(
        self, letter: str, affine: Affine, rows: tuple[str, ...], columns: tuple[str, ...], entries: Crossings
    ) -> None:
        """Add weights as one device, named `letter`_ and the Affine, whose parts have the names of single devices."""
        self.suffix(affine.name, 0)
        pairs = self._labels[affine.name].of_pairs
        sources = entries.elements
        values = np.abs(entries.values) if letter == "R" else entries.values
        matrix = csr_array((values, (entries.rows, entries.columns)), shape=(len(rows), len(columns)))
        matrix.sort_indices()
        part = Crossbar(
            siemens=matrix,
            row_labels=tuple(pairs[0]) if pairs else tuple(str(k) for k in range(len(rows))),
            column_labels=tuple(pairs[1][j] if pairs else str(j) for j in sources),
            elements=sources,
            loads=letter == "R",
        )
        self.add(f"{letter}_{affine.name}", part, (*rows, *columns), Origin(affine.name, Role.WEIGHT, ()))

    def add_resistor(self, name: str, ends: tuple[str, str], ohms: float, origin: Origin) -> None:
        """Add a resistor of a board."""
        self.add(name, Resistor(ohms), ends, origin)

    def add_op_amp(self, name: str, op_amp: OpAmp, inputs: tuple[str, str], output: str, origin: Origin) -> None:
        """Add an op-amp; `inputs`: the one that does not invert, and the one that does. Its supplies are made."""
        model = op_amp.model
        operator = self.graph.by_name[origin.operator]
        rails = tuple(self.supply(pin, volts, operator) for pin, volts in model.supplies.items())
        letter = "E" if isinstance(model, IdealGain) else "X"
        self.add(f"{letter}_{name}", op_amp, (*inputs, output, *rails), origin)

    def use_op_amps(self, op_amp: OpAmp, ohms: float) -> None:
        """Say what buffers and complement rails are made of, in place of ideal sources: op-amps, and resistors."""
        self._op_amp, self._ohms = op_amp, ohms

    def sketch(
        self, operator: Operator, *stages: Stage | tuple[Stage, Operator], inputs: Sequence[Operator] = ()
    ) -> None:
        """Say how the elements of an operator are drawn; a stage may have the devices of another operator.

        `inputs`: the operators whose devices lead into the first stage.
        """
        row = tuple((s, operator.name) if isinstance(s, Stage) else (s[0], s[1].name) for s in stages)
        self._sketches[operator.name] = Sketch(row, tuple(source.name for source in inputs))

    def state(self, operator: Leak | Hold, nodes: tuple[str, ...], *, scale: float = 1.0) -> None:
        """Say where a state is found: x = scale * v(node); the nodes of a Leak start there too."""
        self._states[operator.name] = (nodes, scale / self.scale.get(operator.name, 1.0))
        if isinstance(operator, Leak):
            for node, volts in zip(nodes, (operator.initial / scale).tolist(), strict=True):
                self.start(node, volts)

    def start(self, node: str, volts: float) -> None:
        """Say at what voltage a capacitor starts, at its node."""
        self._initial[node] = volts

    def volts_at_start(self, operator: Operator, element: int) -> float:
        """Return what an operator gives at t = 0: a Leak, or a gain of one; 0 V where that is not known here."""
        drivers = self.graph.drivers(operator)
        if isinstance(operator, Leak):
            return float(operator.initial[element])
        if isinstance(operator, Activate) and len(drivers) == 1 and isinstance(drivers[0], Leak):
            return float(operator.function.value(drivers[0].initial)[element])
        return 0.0

    def rail(self, operator: Operator, element: int) -> str:
        """Return a node with an operator's element that may be loaded: of a Leak a buffer, made once, as in `xb_3`."""
        if not isinstance(operator, Leak):
            return self.nodes(operator)[element]
        if (operator.name, element) not in self._buffers:
            node = f"{operator.name}b_{self.graph.labels(operator)[element]}"
            self.claim(node, operator, "b")
            self._buffers[operator.name, element] = node
        return self._buffers[operator.name, element]

    def invert(self, operator: Operator, element: int) -> str:
        """Return the complement rail of an operator's element, as in `vn_3`; its inverter is made once."""
        node = self.rail(operator, element)
        if node not in self._rails:
            role = "bn" if isinstance(operator, Leak) else "n"
            rail = f"{operator.name}{role}_{self.graph.labels(operator)[element]}"
            self.claim(rail, operator, role)
            self._rails[node] = (rail, Origin(operator.name, Role.INVERTER, (element,)))
        return self._rails[node][0]

    def supply(self, node: str, volts: float, operator: Operator) -> str:
        """Return a node that a source holds at a voltage, the same for all operators; the first one makes it."""
        if self._supplies.setdefault(node, volts) != volts:
            raise InputError(
                f"supply {node!r} is {self._supplies[node]:g} V and {volts:g} V in one circuit; give one another name"
            )
        if node not in self._made_supplies:
            self._made_supplies.add(node)
            self.claim(node, operator, f"_{node}")
            self.add(f"V_{node}", VoltageSource(volts), (node, GROUND), Origin(operator.name, Role.SUPPLY, ()))
        return node

    def is_first(self, name: str) -> bool:
        """Return whether this is asked for the first time of a name: what all operators share is made once."""
        asked = name in self._shared
        self._shared.add(name)
        return not asked

    def circuit(self, title: str, cell: str, graph: Graph) -> Circuit:
        """Return the finished circuit: buffers and complement rails are added, and everything is verified.

        `graph`: what people know, before units and scale.
        """
        for leak_name, element in self._buffers:
            self._add_buffer(leak_name, element)
        for node, (rail, origin) in self._rails.items():
            self._add_inverter(rail, node, origin)
        probed = [(node, scale) for op in self.graph.states for node, scale in self._probes(op)]
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
            inputs=tuple(f"V_{self.label(source.name, k)}" for source in sources for k in range(source.output_size)),
            time_constant=max((float(np.max(leak.resistance * leak.capacitance)) for leak in leaks), default=np.inf),
            clock=self.clock,
            settling=tuple(self.settling),
            sketches=self._sketches,
        )

    def _add_buffer(self, leak_name: str, element: int) -> None:
        """Add what gives a state to a load: a follower, and an inverter behind it where the node holds -x."""
        buffer = self._buffers[leak_name, element]
        held_at, scale = self._states[leak_name]
        held, name = held_at[element], f"buf_{self.label(leak_name, element)}"
        if self._op_amp is None or abs(scale) != 1.0:
            origin = Origin(leak_name, Role.BUFFER, (element,))
            self.add(f"E_{name}", VoltageGain(scale), (buffer, GROUND, held, GROUND), origin)
            return
        out = buffer if scale > 0.0 else self.invert(self.graph.by_name[leak_name], element)
        self.add_op_amp(name, self._op_amp, (held, out), out, Origin(leak_name, Role.OP_AMP, (element,)))
        if scale < 0.0:
            _, origin = self._rails.pop(buffer)
            self._rails[out] = (buffer, origin)

    def _add_inverter(self, rail: str, node: str, origin: Origin) -> None:
        """Add a complement rail, v(rail) = -v(node): an op-amp with two resistors, or exact."""
        name = f"inv_{self.label(origin.operator, origin.element[0])}"
        if self._op_amp is None:
            self.add(f"E_{name}", VoltageGain(-1.0), (rail, GROUND, node, GROUND), origin)
            return
        at = f"{rail}_inv"
        self.claim(at, self.graph.by_name[origin.operator], "inv")
        ends = (("in", node, Role.INVERTER_IN), ("feedback", rail, Role.INVERTER_FEEDBACK))
        for part, end, role in ends:
            self.add_resistor(f"R_{name}_{part}", (end, at), self._ohms, origin._replace(role=role))
        self.add_op_amp(name, self._op_amp, (GROUND, at), rail, origin._replace(role=Role.OP_AMP))
        model, operator = self._op_amp.model, self.graph.by_name[origin.operator]
        if isinstance(model, OpAmpModel) and model.poles and isinstance(operator, Activate):
            self.start(rail, -self.volts_at_start(operator, origin.element[0]))

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

    def _probes(self, operator: Operator) -> list[tuple[str, float]]:
        nodes, scale = self._states[operator.name]
        return [(node, scale) for node in nodes]

    def _output_nodes(self, output: Output) -> list[tuple[str, float]]:
        """Return node and scale of each element of an Output: those of its driver, or its own where it has several."""
        first, *others = self.graph.drivers(output)
        if first.name in self._states and not others:
            return self._probes(first)
        return [(node, 1.0) for node in self.nodes(output if others else first)]


class Crossings(NamedTuple):
    """Weights of a crossbar: values, siemens, their rows and columns, and by column the element that it is of."""

    values: Array
    rows: npt.NDArray[np.intp]
    columns: npt.NDArray[np.intp]
    elements: tuple[int, ...]


class _Labels(NamedTuple):
    """Labels of the elements of an operator, and of an Affine those of (to, from); None where pairs have indices."""

    of_elements: tuple[str, ...]
    of_pairs: tuple[tuple[str, ...], tuple[str, ...]] | None


def _element_labels(graph: Graph, operator: Operator) -> _Labels:
    targets = graph.targets(operator)
    to = graph.labels(targets[0] if len(targets) == 1 and isinstance(targets[0], Leak) else operator)
    if not isinstance(operator, Affine) or not graph.drivers(operator):
        return _Labels(to, None)
    sources = graph.labels(graph.drivers(operator)[0])
    is_plain = not any("_" in label for label in (*to, *sources))
    return _Labels(to, (to, sources) if is_plain else None)
