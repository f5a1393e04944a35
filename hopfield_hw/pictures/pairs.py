"""Pairs of resistors, drawn as one: a value that no series has is made of two, in series or in parallel."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from ..board.choice import SECOND
from ..circuit import Circuit
from ..parts import Resistor
from ..values.si_text import format_si


def join_pairs(circuit: Circuit) -> tuple[Circuit, Mapping[str, str]]:
    """Return the circuit with one resistor for each pair, and by its name what it is made of."""
    by_name = {device.name: device for device in circuit.devices}
    devices, made = [], {}
    for device in circuit.devices:
        first = by_name.get(device.name.removesuffix(SECOND))
        if device.name.endswith(SECOND) and first is not None and isinstance(first.part, Resistor):
            continue
        second = by_name.get(f"{device.name}{SECOND}")
        if second is not None and isinstance(device.part, Resistor) and isinstance(second.part, Resistor):
            a, b = device.part.resistance, second.part.resistance
            in_parallel = set(device.nodes) == set(second.nodes)
            total, sign = (a * b / (a + b), "||") if in_parallel else (a + b, "+")
            made[device.name] = f"{format_si(a, 'Ohm')} {sign} {format_si(b, 'Ohm')}"
            nodes = device.nodes if in_parallel else (device.nodes[0], second.nodes[1])
            device = device._replace(part=replace(device.part, resistance=total), nodes=nodes)
        devices.append(device)
    return replace(circuit, devices=tuple(devices)), made
