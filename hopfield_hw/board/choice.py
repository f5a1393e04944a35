"""Parts that can be bought: each resistor and capacitor of a circuit becomes a value of its series."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator
from dataclasses import replace
from typing import NamedTuple

from ..circuit import Circuit, Device, Role
from ..parts import Capacitor, Resistor
from ..parts.series import Series, nearest, two_resistors

SECOND = "_and"  # the end of the name of a second resistor, and of the node between two in series


# What a weight, a leak, a bias or an inverter is made of; all other resistors shape gain curves.
SYNAPTIC = frozenset({Role.WEIGHT, Role.BIAS, Role.RESISTANCE, Role.INVERTER_IN, Role.INVERTER_FEEDBACK})


class Stock(NamedTuple):
    """What resistors are chosen from: their series, their range, ohms, and the error beyond which one becomes two."""

    series: Series
    lowest: float
    highest: float
    two_beyond: float = math.inf


def choose_parts(
    circuit: Circuit, synaptic: Stock, others: Stock, capacitors: Series, *, kept: Collection[str] = ()
) -> Circuit:
    """Return the circuit with values of series: the nearest one, or two resistors where one misses by too much.

    `synaptic`: for weights, leaks, biases and inverters; `others`: for what shapes gain curves. `kept`: names of
    devices that stay as they are.

    A resistor of a circuit's own outside of the limits (a divider's of 220 Ohm, say) takes the nearest value too.
    """
    devices = [
        made
        for device in circuit.devices
        for made in (
            (device,)
            if device.name in kept
            else _choose(device, synaptic if device.origin.role in SYNAPTIC else others, capacitors)
        )
    ]
    return replace(circuit, devices=tuple(devices))


def _choose(device: Device, stock: Stock, capacitors: Series) -> Iterator[Device]:
    part = device.part
    if isinstance(part, Capacitor):
        yield device._replace(part=replace(part, capacitance=float(nearest(part.capacitance, capacitors))))
        return
    if not isinstance(part, Resistor) or part.is_computing:
        yield device
        return
    wanted = part.resistance
    one = float(nearest(wanted, stock.series))
    if abs(one / wanted - 1.0) <= stock.two_beyond:
        yield device._replace(part=replace(part, resistance=one))
        return
    span = {"lowest": min(stock.lowest, wanted / 10.0), "highest": max(stock.highest, 10.0 * wanted)}
    found = two_resistors(wanted, stock.series, tolerance=stock.two_beyond, **span)
    first, second, how = float(found.first), float(found.second), str(found.connection)
    if how == "single":
        yield device._replace(part=replace(part, resistance=first))
        return
    a, b = device.nodes
    between = f"{device.name}{SECOND}"
    ends, others = ((a, b), (a, b)) if how == "parallel" else ((a, between), (between, b))
    yield device._replace(part=replace(part, resistance=first), nodes=ends)
    yield Device(f"{device.name}{SECOND}", replace(part, resistance=second), others, device.origin)


def find_pairs(circuit: Circuit) -> dict[str, tuple[Device, Device]]:
    """Return by the name of the first one every two resistors that `choose_parts` took for one."""
    by_name = {device.name: device for device in circuit.devices}
    seconds = ((name, by_name.get(f"{name}{SECOND}")) for name in by_name)
    return {name: (by_name[name], second) for name, second in seconds if second is not None}


def merge_pairs(circuit: Circuit) -> Circuit:
    """Return the circuit with one resistor, of the same resistance, for every two of `find_pairs`."""
    pairs = find_pairs(circuit)
    seconds = {second.name for _, second in pairs.values()}
    devices = (_merge(*pairs[d.name]) if d.name in pairs else d for d in circuit.devices if d.name not in seconds)
    return replace(circuit, devices=tuple(devices))


def _merge(first: Device, second: Device) -> Device:
    if not isinstance(first.part, Resistor) or not isinstance(second.part, Resistor):
        return first
    a, b = first.part.resistance, second.part.resistance
    if first.nodes == second.nodes:
        return first._replace(part=replace(first.part, resistance=a * b / (a + b)))
    return first._replace(part=replace(first.part, resistance=a + b), nodes=(first.nodes[0], second.nodes[1]))
