"""Components: what is bought and soldered, with its reference, its pins and the nets at them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

GROUND = "GND"


@dataclass(frozen=True, kw_only=True)
class Unit:
    """What of a component is drawn by itself: a section of an op-amp, the supply pins of a package, a resistor.

    `number`: of the unit in its symbol, from 1. `role`: what it is for, unique on a board and the same whenever the
    board is made again: the name of its device in the circuit, or of what only a board has (`reset_0`, `spare_U3_4`).
    `device`: its name in the circuit; empty where the circuit has none. `sheet`: where it is drawn, of
    `Assembly.sheets`. `pins`: by pin number its net; None where nothing is connected.
    """

    number: int
    role: str
    device: str
    sheet: str
    pins: Mapping[str, str | None]


@dataclass(frozen=True, kw_only=True)
class Component:
    """One part of a board.

    `reference`: as on the board, R103. `symbol`, `footprint`: names in the project's own libraries. `value`: as it is
    printed, 11k. `fields`: further ones: MPN, Tolerance, Dielectric, Weight, and Sim.* for a simulation. `simulated`:
    whether it is in the circuit; connectors, test points and switches that are open in a run are not. `bought`:
    whether the bill of materials has it.
    """

    reference: str
    symbol: str
    value: str
    footprint: str
    units: tuple[Unit, ...]
    fields: Mapping[str, str] = field(default_factory=dict)
    simulated: bool = True
    bought: bool = True

    @cached_property
    def pins(self) -> Mapping[str, str | None]:
        """By pin number its net, of all units."""
        return {pin: net for unit in self.units for pin, net in unit.pins.items()}

    @property
    def roles(self) -> tuple[str, ...]:
        """The roles of its units."""
        return tuple(unit.role for unit in self.units)
