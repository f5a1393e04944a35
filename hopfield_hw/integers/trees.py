"""The nodes of binary trees in fixed point."""

from __future__ import annotations

from collections.abc import Mapping

from ..equations.trees import Node
from ..values.arrays import Array
from .machine import FixedMachine


def fixed_node(machine: FixedMachine) -> Node:
    """Return the fixed-point machine of a node: what goes in is quantised, what comes out is exact."""
    formats = {step.name: step.ports[0].format for step in machine.program.steps}

    def node(inputs: Mapping[str, Array]) -> Mapping[str, Array]:
        _, outputs = machine.step_raw({name: formats[name].quantise(value) for name, value in inputs.items()})
        return {name: formats[name].value(raw) for name, raw in outputs.items()}

    return node
