"""Devices: parts in their places, which remember where in the graph they come from."""

from __future__ import annotations

from typing import NamedTuple

from ..parts import Part
from .roles import Role

GROUND = "0"


class Origin(NamedTuple):
    """Where a device comes from: an operator of the graph, what of it, and which element or (to, from) pair."""

    operator: str
    role: Role
    element: tuple[int, ...]

    def __str__(self) -> str:
        return f"{self.operator}.{self.role}[{', '.join(str(k) for k in self.element)}]"


class Device(NamedTuple):
    """One part in its place: what it is, the nodes of its ports in their order, and what of the graph it realises."""

    name: str
    part: Part
    nodes: tuple[str, ...]
    origin: Origin

    @property
    def value(self) -> float | None:
        """The main parameter of its part, in the part's unit; None where no one number says it all."""
        return self.part.value
