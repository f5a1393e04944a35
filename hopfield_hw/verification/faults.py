"""Faults planted in a netlist on purpose, to see that a verification finds them."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple

from ..circuit import GROUND, Circuit, Device
from ..values.errors import InputError

INDEX = r"\d{1,9}"
PAIR = rf"{INDEX},{INDEX}"
PLACE = rf"{INDEX}(?:,{INDEX})?"
NUMBER = r"[0-9.]+(?:[eE][-+]?\d+)?"


class Kind(NamedTuple):
    """A kind of fault: how it is written, and the pattern of what follows its name."""

    form: str
    pattern: str


KINDS: Mapping[str, Kind] = MappingProxyType(
    {
        "sign": Kind("sign:I,J", PAIR),
        "swap": Kind("swap:I,J:K,L", f"{PLACE}:{PLACE}"),
        "factor": Kind("factor:I,J:F", f"{PAIR}:{NUMBER}"),
        "missing": Kind("missing:I,J", PAIR),
        "capacitor": Kind("capacitor:I:F", f"{INDEX}:{NUMBER}"),
    }
)
FORMS = ", ".join(kind.form for kind in KINDS.values())


class Fault(NamedTuple):
    """What to plant: the elements of the graph whose devices go wrong, and by which factor."""

    kind: str
    elements: tuple[tuple[int, ...], ...]
    factor: float = 1.0

    def __str__(self) -> str:
        parts = [self.kind, *(",".join(str(k) for k in element) for element in self.elements)]
        return ":".join(parts if self.factor == 1.0 else [*parts, f"{self.factor:g}"])


class Planted(NamedTuple):
    """A netlist with a fault in it, and the names of the devices that are wrong."""

    text: str
    devices: tuple[str, ...]


def parse_fault(text: str) -> Fault:
    """Return the fault of a text such as `sign:3,7` (to 3, from 7). Raises InputError for any other form."""
    name, _, rest = text.partition(":")
    kind = KINDS.get(name)
    if kind is None or re.fullmatch(kind.pattern, rest) is None:
        raise InputError(f"fault {text!r:.60}: must be one of {FORMS}, with indices of neurons from 0 on")
    parts = rest.split(":")
    if name not in ("factor", "capacitor"):
        return Fault(name, tuple(_element(part) for part in parts))
    try:
        factor = float(parts[1])
    except ValueError:
        factor = math.nan
    if not (math.isfinite(factor) and factor > 0.0 and factor != 1.0):
        raise InputError(f"fault {text!r:.60}: its factor must be a positive number other than 1")
    return Fault(name, (_element(parts[0]),), factor)


def plant(text: str, circuit: Circuit, fault: Fault, *, operator: str = "syn") -> Planted:
    """Return the netlist of a circuit with a fault in it, in the devices of the weights of an Affine.

    `sign`: a resistor hangs on the complement of its rail, a transconductance is negated. `swap`: two devices have
    each other's value; an index alone is the leak of that neuron. `factor`: a conductance is multiplied. `missing`: a
    device is not there. `capacitor`: a capacitance is multiplied.

    Raises InputError for an element without a device, and for a swap that would change nothing.
    """
    devices = tuple(_device(circuit, fault, element, operator) for element in fault.elements)
    names = tuple(device.name for device in devices)
    lines = text.splitlines()
    match fault.kind:
        case "sign":
            _flip(lines, circuit, devices[0])
        case "swap":
            _swap(lines, fault, *names)
        case "missing":
            del lines[_find(lines, names[0])]
        case _:
            # What a resistor's line states is the inverse of its conductance.
            factor = 1.0 / fault.factor if names[0].startswith("R") else fault.factor
            _set_value(lines, names[0], factor * _value(lines, names[0]))
    return Planted("\n".join(lines) + "\n", names)


def _element(part: str) -> tuple[int, ...]:
    return tuple(int(index) for index in part.split(","))


def _device(circuit: Circuit, fault: Fault, element: tuple[int, ...], operator: str) -> Device:
    size = len(circuit.states)
    beyond = [k for k in element if k >= size]
    if beyond:
        raise InputError(f"fault {fault}: there is no neuron {beyond[0]}; must be 0 to {size - 1}")
    if len(element) == 2:
        found = circuit.devices_from(operator, element, "weights")
    else:
        role = "capacitance" if fault.kind == "capacitor" else "resistance"
        found = tuple(d for d in circuit.devices if (d.origin.role, d.origin.element) == (role, element))
    if not found:
        what = f"{operator}.weights[{element[0]}, {element[1]}] is 0" if len(element) == 2 else f"no leak {element[0]}"
        raise InputError(f"fault {fault}: {what}, so no device realises it; choose another")
    return found[0]


def _flip(lines: list[str], circuit: Circuit, device: Device) -> None:
    if device.name.startswith("G"):
        _set_value(lines, device.name, -_value(lines, device.name))
        return
    rail = device.nodes[0]
    driver = next(d for d in circuit.devices if d.name[0] in "BEV" and d.nodes[0] == rail)
    operator, _, index = driver.origin
    if driver.origin.role == "inverter":
        complement = driver.nodes[2]
    else:
        complement = rail.replace(f"{operator}_", f"{operator}n_", 1)
        if not circuit.devices_from(operator, index, "inverter"):
            inverter = f"E_inv_{operator}_{index[0]} {complement} {GROUND} {rail} {GROUND} -1.0"
            lines.insert(_find(lines, driver.name) + 1, inverter)
    at = _find(lines, device.name)
    name, _, *rest = lines[at].split()
    lines[at] = " ".join([name, complement, *rest])


def _swap(lines: list[str], fault: Fault, first: str, second: str) -> None:
    if first[0] != second[0]:
        raise InputError(f"fault {fault}: {first} and {second} are not of one kind; choose others")
    a, b = _value(lines, first), _value(lines, second)
    if a == b:
        raise InputError(f"fault {fault}: {first} and {second} have the same value, so nothing changes; choose others")
    _set_value(lines, first, b)
    _set_value(lines, second, a)


def _find(lines: list[str], name: str) -> int:
    for at, line in enumerate(lines):
        if line.split(maxsplit=1)[:1] and line.split(maxsplit=1)[0].lower() == name.lower():
            return at
    raise InputError(f"fault: the netlist has no device {name!r}; plant it in the netlist of the same circuit")


def _value(lines: list[str], name: str) -> float:
    return float(lines[_find(lines, name)].split()[-1])


def _set_value(lines: list[str], name: str, value: float) -> None:
    at = _find(lines, name)
    lines[at] = " ".join([*lines[at].split()[:-1], repr(value)])
