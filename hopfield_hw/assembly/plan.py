"""What all steps of an assembly work from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ..circuit import Circuit, Device
from ..parts import Resistor
from .component import Component, Unit
from .groups import Group, Groups
from .nets import Nets
from .passives import resistor_fields, value_text
from .references import References


@dataclass(frozen=True, kw_only=True)
class Plan:
    """A circuit that is being assembled. `devices`: of it, neuron by neuron, crossbars as their resistors.

    `reset_ohms`: of the resistor that each state is reset with; of usual ones where it is empty.
    """

    circuit: Circuit
    devices: tuple[Device, ...]
    nets: Nets
    groups: Groups
    references: References
    reset_ohms: tuple[float, ...] = ()


def single(
    reference: str,
    symbol: str,
    value: str,
    footprint: str,
    role: str,
    sheet: str,
    pins: Mapping[str, str | None],
    fields: Mapping[str, str] | None = None,
    *,
    device: str = "",
    bought: bool = True,
) -> Component:
    """Return a component of one unit; `device`: of the circuit, where it is simulated."""
    unit = Unit(number=1, role=role, device=device, sheet=sheet, pins=dict(pins))
    return Component(
        reference=reference,
        symbol=symbol,
        value=value,
        footprint=footprint,
        units=(unit,),
        fields=dict(fields or {}),
        simulated=bool(device),
        bought=bought,
    )


def board_resistor(reference: str, ohms: float, role: str, group: Group, ends: tuple[str, str]) -> Component:
    """Return a resistor that only a board has."""
    pins = {"1": ends[0], "2": ends[1]}
    fields = resistor_fields(Resistor(ohms))
    return single(reference, "R", value_text(ohms), "R_0805", role, group.sheet, pins, fields)
