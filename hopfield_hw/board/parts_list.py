"""The parts of a board: how many of each kind and value, before they are packed into packages."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from ..circuit import Device
from ..parts import MacroModel, OpAmp, Part, Resistor
from ..values.si_text import format_si

COLUMNS = ("quantity", "part", "value", "names")


class PartsLine(NamedTuple):
    """So many devices of one kind and value; `names`: theirs, in the order of the circuit."""

    quantity: int
    part: str
    value: str
    names: tuple[str, ...]


def list_parts(devices: Iterable[Device]) -> tuple[PartsLine, ...]:
    """Return the parts that can be bought, by kind and value: op-amps and what else has a name, then R, C by size.

    Op-amps count as amplifiers, of which a package may hold several.
    """
    found: dict[tuple[str, str], list[Device]] = {}
    for device in devices:
        if device.part.physical:
            found.setdefault((device.part.what, part_value(device.part)), []).append(device)
    kinds = list(dict.fromkeys(sorted((kind for kind, _ in found), key=lambda kind: kind in ("resistor", "capacitor"))))
    order = {kind: k for k, kind in enumerate(kinds)}
    lines = sorted(found.items(), key=lambda item: (order[item[0][0]], item[1][0].part.value or 0.0, item[0][1]))
    return tuple(PartsLine(len(own), *key, tuple(device.name for device in own)) for key, own in lines)


def part_value(part: Part) -> str:
    """Return what is bought: the product where it has a name, or the value."""
    if isinstance(part, OpAmp):
        return part.model.name if isinstance(part.model, MacroModel) else str(part.model)
    product = str(getattr(part, "product", ""))
    if product or part.value is None:
        return product or str(part)
    drift = f", {part.drift * 1e6:+.0f} ppm/K" if isinstance(part, Resistor) and part.drift else ""
    return f"{format_si(part.value, part.unit)}{drift}"
