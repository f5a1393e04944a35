"""References: a source of a circuit's reference becomes a shunt reference at a supply, or a divider."""

from __future__ import annotations

from collections.abc import Iterator

from ..circuit import GROUND as GROUND_NODE
from ..circuit import Device, Role
from ..parts import Resistor, VoltageSource
from ..parts.series import as_series, nearest
from ..values.errors import InputError
from .component import GROUND, Component
from .groups import SHARED_GROUP
from .nets import is_supply
from .passives import resistor_fields, value_text
from .plan import Plan, board_resistor, single
from .products import SHUNT_REFERENCES, order_fields
from .simulation import source_fields

SHUNT_CURRENT = 1e-3  # amperes
MOST_LOAD = 10e-3  # of a shunt reference, which takes 15 mA in all (Texas Instruments, LM4040, SLOS456)
LEAST_LOAD = 1e-6  # what a divider does not bear
LEAST_ROOM = 0.5  # volts, across the resistor of a shunt reference


def reference_sources(plan: Plan) -> list[tuple[Device, float]]:
    """Return the sources that are references, each with its voltage."""
    return [
        (device, device.part.voltage)
        for device in plan.devices
        if isinstance(device.part, VoltageSource)
        and isinstance(device.part.voltage, float)
        and device.origin.role == Role.SUPPLY
        and not is_supply(device, plan.circuit)
    ]


def make_references(plan: Plan, first: int) -> Iterator[Component]:
    """Yield what makes each reference: a LM4040 with its resistor, or two resistors; `first`: number of the next U.

    The part that is at the node of the source stands for the source in a simulation. Raises InputError for a reference
    outside of the supplies, and one that bears more than its circuit can give.
    """
    slots = {1.0: 3, -1.0: 4}
    for source, volts in reference_sources(plan):
        sign = 1.0 if volts > 0.0 else -1.0
        net, rail = plan.nets.names[source.nodes[0]], _rail(plan, source, volts)
        room, load = abs(plan.nets.supplies[rail]) - abs(volts), _load(plan, source.nodes[0], abs(volts))
        name = SHUNT_REFERENCES.get(abs(volts))
        if name is None or room < LEAST_ROOM:
            yield from _divider(plan, source, volts, rail, load)
            continue
        if load > MOST_LOAD:
            raise InputError(
                f"assemble: source {source.name} gives {load * 1e3:.3g} mA, a {name} at most {MOST_LOAD * 1e3:g} mA: "
                "make the board with design_board, which buffers its reference, or take larger resistors"
            )
        slot = slots.pop(sign, 0)
        if not slot:
            raise InputError(
                f"assemble: source {source.name} is a second reference of {volts:g} V, one of either sign is allowed"
            )
        ohms = float(nearest(room / (SHUNT_CURRENT + load), as_series("E24")))
        role = f"shunt_{'p' if volts > 0.0 else 'n'}"
        yield board_resistor(plan.references.at("R", SHARED_GROUP, slot), ohms, role, SHARED_GROUP, (rail, net))
        pins: dict[str, str | None] = {"1": net, "2": GROUND} if volts > 0.0 else {"1": GROUND, "2": net}
        yield single(
            f"U{first}",
            "LM4040",
            name,
            "SOT23",
            source.name,
            SHARED_GROUP.sheet,
            pins | {"3": None},
            order_fields(name) | source_fields(abs(volts)),
            device=source.name,
        )
        first += 1


def _divider(plan: Plan, source: Device, volts: float, rail: str, load: float) -> Iterator[Component]:
    supply, net = abs(plan.nets.supplies[rail]), plan.nets.names[source.nodes[0]]
    if load > LEAST_LOAD:
        raise InputError(
            f"assemble: source {source.name} of {volts:g} V gives {load * 1e3:.3g} mA, which a divider does not bear: "
            f"give the circuit a reference of {', '.join(f'{one:g}' for one in SHUNT_REFERENCES)} V, or make the board "
            "with design_board, which buffers it"
        )
    series = as_series("E96")
    tap_wanted = abs(volts) / SHUNT_CURRENT
    choices = [
        (abs(tap / (tap + top) * supply / abs(volts) - 1.0), top, tap)
        for tap in series.within(0.5 * tap_wanted, 2.0 * tap_wanted).tolist()
        for top in (float(nearest(tap * (supply / abs(volts) - 1.0), series)),)
    ]
    _, top, tap = min(choices)
    at = plan.references.at
    yield board_resistor(at("R", SHARED_GROUP, 5), top, "set_top", SHARED_GROUP, (rail, net))
    ends = (net, GROUND) if volts > 0.0 else (GROUND, net)
    yield single(
        at("R", SHARED_GROUP, 6),
        "R",
        value_text(tap),
        "R_0805",
        source.name,
        SHARED_GROUP.sheet,
        {"1": ends[0], "2": ends[1]},
        resistor_fields(Resistor(tap)) | source_fields(abs(volts)),
        device=source.name,
    )


def _rail(plan: Plan, source: Device, volts: float) -> str:
    """Return the supply that a reference is made from."""
    beyond = {net: v for net, v in plan.nets.supplies.items() if v / volts > 1.0}
    if not beyond:
        raise InputError(
            f"assemble: source {source.name} of {volts:g} V: is beyond all supplies, {', '.join(plan.nets.supplies)}; "
            "give the circuit a smaller reference, or the op-amps other supplies"
        )
    return min(beyond, key=lambda net: abs(beyond[net]))


def _load(plan: Plan, node: str, volts: float) -> float:
    """Return what resistors at a node take at most, their other ends at ground; between two references, twice that."""
    load = 0.0
    for device in plan.devices:
        if isinstance(device.part, Resistor) and node in device.nodes and node != GROUND_NODE:
            load += volts / device.part.resistance
    return load
