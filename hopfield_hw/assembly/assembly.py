"""The assembly: all components of a board, and the nets that join their pins."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from ..circuit import Circuit
from ..values.errors import InputError
from .component import Component, Unit
from .nets import Nets

# The sheets that every board has: the crossbar with its connectors, and what all neurons share.
ROOT, POWER = "root", "power"


@dataclass(frozen=True, kw_only=True, eq=False)
class Assembly:
    """What a board carries: the truth that drawings, lists and decks are compared with.

    `name`: of its files, a plain name. `title`: a line of text. `circuit`: what it realises. `components`: in the order
    of their references. `sheets`: by its name the title of each sheet, from the root, then each neuron, to the power
    sheet. `supplies`: by net its voltage, volts. `library`: SPICE text of the models that fields of components name.

    Raises InputError for a reference, or a role, that is there twice.
    """

    name: str
    title: str
    circuit: Circuit
    components: tuple[Component, ...]
    sheets: Mapping[str, str]
    supplies: Mapping[str, float]
    library: str = ""

    def __post_init__(self) -> None:
        for what, names in (
            ("reference", [component.reference for component in self.components]),
            ("role", [role for component in self.components for role in component.roles]),
        ):
            twice = next((name for name, count in Counter(names).items() if count > 1), None)
            if twice is not None:
                raise InputError(f"assembly {self.name!r}: {what} {twice!r} is there twice; name one otherwise")

    @cached_property
    def nets(self) -> Mapping[str, frozenset[tuple[str, str]]]:
        """By net the pins at it, each as (reference, pin number)."""
        found: dict[str, set[tuple[str, str]]] = {}
        for component in self.components:
            for pin, net in component.pins.items():
                if net is not None:
                    found.setdefault(net, set()).add((component.reference, pin))
        return {net: frozenset(pins) for net, pins in found.items()}

    @cached_property
    def net_names(self) -> Mapping[str, str]:
        """By node of the circuit its net: GND for ground, +12V for a supply, or the node's own name."""
        return Nets(self.circuit).names

    @cached_property
    def by_reference(self) -> Mapping[str, Component]:
        """By reference its component."""
        return {component.reference: component for component in self.components}

    @cached_property
    def by_role(self) -> Mapping[str, tuple[Component, Unit]]:
        """By role its component and unit."""
        return {unit.role: (component, unit) for component in self.components for unit in component.units}
