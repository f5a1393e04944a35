"""Sections: op-amps, transistors, OTAs, multipliers and switches of a circuit, packed into packages."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import NamedTuple

from ..circuit import Device, Role
from ..parts import OTA, MacroModel, Multiplier, OpAmp, Part, Switch, Transistor
from ..parts.data_sheet import DataSheet, amplifiers_of, shipped_names
from ..values.errors import InputError
from .nets import Nets
from .packages import (
    AD633,
    CD4066B,
    DG442,
    LM13700,
    MOST_OF_CD4066B,
    OP_AMP_PACKAGES,
    SSM2212,
    Package,
)

# Parts that are made in smaller packages alone, with other pins, and what has the same die.
NOT_SOIC: Mapping[str, str] = MappingProxyType({"MCP6001": "MCP6002"})


class Packed(NamedTuple):
    """A package with what is in it. `value`: its product. `devices`: by section; None for one that is not used.

    `rails`: the nets that its supply pins are at: by "plus" and "minus".
    """

    package: Package
    value: str
    devices: tuple[Device | None, ...]
    rails: Mapping[str, str]


def pack(devices: Sequence[Device], nets: Nets, op_amp: str | DataSheet | None) -> list[Packed]:
    """Return the packages of a circuit, op-amps first, each kind in the order of the devices.

    `op_amp`: the part whose packages its op-amps are in; by default the one that their models name. Raises InputError
    for an op-amp that no data sheet is known for, and one that has not the packages of this table.
    """
    found: list[Packed] = []
    op_amps: dict[tuple[str, tuple[str, ...]], list[Device]] = {}
    otas: dict[tuple[str, ...], list[Device]] = {}
    for device in devices:
        if isinstance(device.part, OpAmp):
            product = _product(device, op_amp)
            op_amps.setdefault((product, device.nodes[3:]), []).append(device)
        elif isinstance(device.part, OTA):
            otas.setdefault(device.nodes[4:], []).append(device)
    for (product, rails), members in op_amps.items():
        count = _amplifiers(product, op_amp)
        if count not in OP_AMP_PACKAGES:
            raise InputError(
                f"assemble: op-amp {product!r} has {count} amplifiers in a package: allowed are "
                f"{', '.join(map(str, OP_AMP_PACKAGES))}; give `op_amp`, such as 'TL074'"
            )
        if len(rails) != 2:
            raise InputError(f"assemble: op-amp {product!r} has {len(rails)} supplies: must have two; give `op_amp`")
        found += fill(OP_AMP_PACKAGES[count], product, members, _order(members[0], nets))
    for rails, members in otas.items():
        found += fill(LM13700, "LM13700", members, {"plus": nets.names[rails[0]], "minus": nets.names[rails[1]]})
    for kind, package in ((Multiplier, AD633), (Switch, switch_package(nets))):
        found += fill(package, package.symbol, [d for d in devices if isinstance(d.part, kind)], rails_of(nets))
    return found


def pack_pairs(devices: Iterable[Device]) -> tuple[list[Packed], list[Packed]]:
    """Return the matched pairs of differential pairs, and those of the other transistors in their order.

    The other ones are tails, of which the first shares a package with the line of their bases.
    """
    pairs: dict[tuple[str, tuple[int, ...]], list[Device]] = {}
    others: list[Device] = []
    for device in devices:
        if not isinstance(device.part, Transistor):
            continue
        if device.origin.role == Role.PAIR:
            pairs.setdefault((device.origin.operator, device.origin.element), []).append(device)
        else:
            others.append(device)
    matched = [one for members in pairs.values() for one in fill(SSM2212, "SSM2212", members, {})]
    return matched, fill(SSM2212, "SSM2212", others, {})


def switch_package(nets: Nets) -> Package:
    """Return the quad analog switch for the supplies: a DG442 where they span more than 18 V, or else a CD4066B."""
    return DG442 if nets.span > MOST_OF_CD4066B else CD4066B


def rails_of(nets: Nets) -> dict[str, str]:
    """Return by "plus" and "minus" the rails of a board."""
    return {} if nets.rails is None else {"plus": nets.rails[0], "minus": nets.rails[1]}


def fill(package: Package, value: str, devices: Sequence[Device], rails: Mapping[str, str]) -> list[Packed]:
    size = len(package.sections)
    found = []
    for first in range(0, len(devices), size):
        members: list[Device | None] = list(devices[first : first + size])
        members += [None] * (size - len(members))
        found.append(Packed(package, value, tuple(members), rails))
    return found


def _product(device: Device, op_amp: str | DataSheet | None) -> str:
    if isinstance(op_amp, DataSheet):
        return op_amp.name
    if op_amp is not None:
        return next((name for name in shipped_names() if name.lower() == op_amp.lower()), op_amp)
    model = device.part.model if isinstance(device.part, OpAmp) else None
    return model.name if isinstance(model, MacroModel) else str(getattr(model, "name", ""))


def _amplifiers(product: str, op_amp: str | DataSheet | None) -> int:
    if isinstance(op_amp, DataSheet):
        return op_amp.amplifiers
    if product.lower() not in map(str.lower, shipped_names()):
        raise InputError(
            f"assemble: op-amp {product!r:.60} has no data sheet here that says its package; give `op_amp`, "
            f"one of {', '.join(shipped_names())}, or a DataSheet of your own"
        )
    if product.upper() in NOT_SOIC:
        raise InputError(
            f"assemble: op-amp {product!r} is in no package with the usual pins of an SOIC-8; give `op_amp`, such as "
            f"{NOT_SOIC[product.upper()]!r}"
        )
    return amplifiers_of(product)


def _order(op_amp: Device, nets: Nets) -> dict[str, str]:
    """Return the upper and the lower of an op-amp's supplies; a model's own order may be another."""
    first, second = (nets.names[node] for node in op_amp.nodes[3:])
    plus, minus = (first, second) if is_plus_first(op_amp.part) else (second, first)
    return {"plus": plus, "minus": minus}


def is_plus_first(part: Part) -> bool:
    """Return whether the upper supply of a part is before the lower one among its ports."""
    if not isinstance(part, OpAmp):
        return True
    first, second = part.model.supplies.values()
    return float(first) > float(second)


def port_pins(package: Package, section: int, part: Part) -> tuple[str, ...]:
    """Return by port of a part the pin that it is at in a section; "" for a port at ground that has no pin."""
    pins = package.sections[section]
    if isinstance(part, Switch):
        return (*pins, "")
    if not isinstance(part, OpAmp | OTA):
        return pins
    plus, minus = (next(pin for pin, at in package.supply.items() if at == what) for what in ("plus", "minus"))
    return (*pins, plus, minus) if is_plus_first(part) else (*pins, minus, plus)
