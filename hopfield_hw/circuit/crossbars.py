"""Crossbars as the parts that they are made of."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from ..parts.crossbar import Crossbar
from .circuit import Circuit
from .device import GROUND, Device


def expand_crossbars(circuit: Circuit) -> Circuit:
    """Return a circuit with the resistors or transconductances of its crossbars as devices of their own."""
    if not any(isinstance(device.part, Crossbar) for device in circuit.devices):
        return circuit
    return replace(circuit, devices=tuple(one for device in circuit.devices for one in _expand(device)))


def _expand(device: Device) -> Iterator[Device]:
    name, part, nodes, origin = device
    if not isinstance(part, Crossbar):
        yield device
        return
    for row, column, suffix, piece, ports in part.crossings():
        ends = tuple(GROUND if port < 0 else nodes[port] for port in ports)
        yield Device(f"{name}{suffix}", piece, ends, origin._replace(element=(row, column)))
