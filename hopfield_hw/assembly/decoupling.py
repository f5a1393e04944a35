"""Decoupling: of each package the capacitors from its supply pins to ground, those of the circuit first."""

from __future__ import annotations

from collections.abc import Iterator

from ..circuit import Device, Role
from ..parts import Capacitor
from .assembly import POWER
from .component import GROUND, Component
from .groups import SHARED_GROUP
from .passives import DECOUPLING_FIELDS, value_text
from .plan import Plan, single
from .sections import Packed

FARADS = 100e-9
SIDES = ("plus", "minus")


class Decoupling:
    """The capacitors of packages: of the package Uk these are C(2k + 9), at its upper supply, and C(2k + 10).

    A package at references has none, as a capacitor would make the op-amp behind them ring. `highest`: the last slot.
    """

    def __init__(self, plan: Plan, packages: int) -> None:
        self._plan, self._packages = plan, packages
        rails = plan.nets.rails or ("", "")
        self._left: dict[str, list[Device]] = {side: [] for side in SIDES}
        for device in plan.devices:
            if device.origin.role == Role.DECOUPLING and isinstance(device.part, Capacitor):
                self._left["plus" if plan.nets.names[device.nodes[0]] == rails[0] else "minus"].append(device)
        self._before = plan.references.decoupling
        self.highest = self._before + 2 * packages + sum(map(len, self._left.values()))

    def of_package(self, number: int, packed: Packed) -> Iterator[Component]:
        """Yield the capacitors of the package U`number`: the next ones of the circuit, or what only the board has."""
        for place, side in enumerate(SIDES):
            net = packed.rails.get(side, GROUND)
            if net not in self._plan.nets.supplies:
                continue
            slot = self._before + 2 * number - 1 + place
            if self._left[side]:
                yield self._component(slot, self._left[side].pop(0))
                continue
            pins: dict[str, str | None] = {"1": net, "2": GROUND}
            yield self._made(slot, FARADS, f"decoupling_{side}_U{number}", pins, "")

    def rest(self) -> Iterator[Component]:
        """Yield those of the circuit that no package is left for."""
        left = [device for side in SIDES for device in self._left[side]]
        for slot, device in enumerate(left, start=self._before + 2 * self._packages + 1):
            yield self._component(slot, device)

    def _component(self, slot: int, device: Device) -> Component:
        first, second = (self._plan.nets.names[node] for node in device.nodes)
        value = device.part.value
        assert value is not None
        return self._made(slot, value, device.name, {"1": first, "2": second}, device.name)

    def _made(self, slot: int, farads: float, role: str, pins: dict[str, str | None], device: str) -> Component:
        reference = self._plan.references.at("C", SHARED_GROUP, slot)
        return single(reference, "C", value_text(farads), "C_0805", role, POWER, pins, DECOUPLING_FIELDS, device=device)
