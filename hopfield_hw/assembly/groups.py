"""Groups: which neuron, or which other operator, a device belongs to; its sheet and the hundreds of its references."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from ..circuit import Circuit, Device, Role
from ..circuit.blocks import COMMON, SHARED, state_of_operators
from ..graph import Affine, Graph, Input, Operator
from .assembly import POWER, ROOT


class Group(NamedTuple):
    """`number`: of its references, 0 for what all share, k + 1 for neuron k, and above for elements of other operators.

    `sheet`: where it is drawn. `operators`: those whose devices it may have.
    """

    number: int
    sheet: str
    operators: tuple[str, ...] = ()


SHARED_GROUP = Group(0, POWER)


class Groups:
    """The groups of a circuit. `sheets`: by name the title of each sheet, in their order.

    Numbers follow from the sizes of the operators alone, so that they stay when a weight comes or goes.
    """

    def __init__(self, circuit: Circuit, devices: Iterable[Device], title: str) -> None:
        labels = [probe.label for probe in circuit.states]
        graph = circuit.graph
        self._of_element: dict[tuple[str, int], Group] = {}
        self._common: dict[tuple[str, int], Group] = {}
        self.neurons = tuple(Group(k + 1, f"neuron_{label}") for k, label in enumerate(labels))
        self.sheets: dict[str, str] = {ROOT: title}
        self.sheets |= {group.sheet: f"Neuron {label}" for group, label in zip(self.neurons, labels, strict=True)}
        if graph is None:
            self._alone = True
        else:
            self._alone = False
            self._add_operators(graph, devices)
        self.sheets[POWER] = "Supplies, references and what all neurons share"

    def of(self, device: Device) -> Group:
        """Return the group of a device."""
        operator, role, element = device.origin
        if (role in SHARED and role != Role.INPUT) or not element:
            return SHARED_GROUP
        if self._alone:
            return self.neurons[element[0]] if element[0] < len(self.neurons) else SHARED_GROUP
        key = (operator, element[0])
        if role in COMMON and key in self._common:
            return self._common[key]
        return self._of_element.get(key, SHARED_GROUP)

    def _add_operators(self, graph: Graph, devices: Iterable[Device]) -> None:
        of_state, first = state_of_operators(graph), {}
        start = 0
        for state in graph.states:
            first[state.name] = start
            start += state.output_size
        owned: dict[str, list[str]] = {state.name: [] for state in graph.states}
        for operator in graph.operators:
            if operator.name in of_state:
                owned[of_state[operator.name]].append(operator.name)
        for name, state_name in of_state.items():
            for k in range(graph.by_name[state_name].output_size):
                neuron = self.neurons[first[state_name] + k]
                self._of_element[name, k] = neuron._replace(operators=tuple(owned[state_name]))
        self.neurons = tuple(
            self._of_element[state.name, k] for state in graph.states for k in range(state.output_size)
        )
        number, present = start, {d.origin.operator for d in devices if d.origin.element}
        shared = {d.origin.operator for d in devices if d.origin.role in (Role.COMMON, Role.COMMON_LINE)}
        for operator in graph.operators:
            if operator.name in of_state and not (isinstance(operator, Affine) and operator.name in shared):
                continue
            if operator.name not in present:
                continue
            sheet = POWER if operator.name in of_state or isinstance(operator, Input) else f"block_{operator.name}"
            table = self._common if operator.name in of_state else self._of_element
            for k in range(_elements(operator)):
                number += 1
                table[operator.name, k] = Group(number, sheet, (operator.name,))
            if sheet != POWER:
                self.sheets[sheet] = f"{type(operator).__name__} {operator.name}"


def _elements(operator: Operator) -> int:
    return max(operator.output_size, operator.input_size) if isinstance(operator, Affine) else operator.output_size


def columns_of(graph: Graph | None, group: Group) -> Mapping[str, int]:
    """Return the slot before those of a group's weights, by what names of their resistors begin with; "" has the last.

    That is `R_<affine>_`, and where an Affine has several drivers `R_<affine>_<driver>_`.
    """
    found: dict[str, int] = {}
    total = 0
    for name in group.operators:
        operator = None if graph is None else graph.by_name[name]
        if isinstance(operator, Affine) and graph is not None:
            drivers = graph.drivers(operator)
            for driver in drivers:
                found[f"R_{name}_" if len(drivers) == 1 else f"R_{name}_{driver.name}_"] = total
                total += operator.input_size
    found[""] = total
    return found
