"""From a circuit to what a board carries: components with references and pins, in the order of their references."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace

from ..board.design import Board
from ..board.resetting import reset_resistors
from ..circuit import Circuit, Role
from ..circuit.crossbars import expand_crossbars
from ..parts import Capacitor, Diode, Resistor
from ..parts.data_sheet import DataSheet
from ..values.errors import InputError
from ..values.names import check_name
from .assembly import POWER, Assembly
from .component import GROUND, Component, Unit
from .decoupling import Decoupling
from .groups import SHARED_GROUP, Group, Groups
from .hardware import RESET, Reset, connectors, plan_reset, reset_control, test_points
from .library import write_library
from .nets import Nets
from .packages import DIODE_PINS, LM13700, SSM2212
from .passives import capacitor_kind, resistor_fields, value_text
from .plan import Plan, single
from .products import IN_SOD123, order_fields
from .references import References
from .refusals import check_parts
from .sections import Packed, fill, pack, pack_pairs, port_pins, rails_of, switch_package
from .shunts import make_references
from .simulation import diode_fields, package_fields
from .simulation import resistor_fields as drift_fields
from .weights import Weights

LONGEST_NAME = 40  # that is made from a title


def assemble(board: Board | Circuit, *, name: str | None = None, op_amp: str | DataSheet | None = None) -> Assembly:
    """Return the components of a board, or of any circuit of physical parts.

    `name`: of its files, a plain name; by default from the title. `op_amp`: the part whose packages the op-amps are in,
    a name with a data sheet or a DataSheet; by default what the board was designed with, or what their models name.

    Resistors, capacitors, diodes and sections of packages realise the devices of the circuit one by one, with its
    nodes, so that their simulation is that of the circuit; see `check_against_circuit`. Supplies, inputs and clocks are
    connectors, and a reference is a shunt reference at a supply. To these come the switches that bring states to their
    start, test points, decoupling where the circuit has none, and sections that are not used, tied off.

    Raises InputError for a circuit with a device that no board has, naming the first one and what to choose instead.
    """
    if not isinstance(board, Board | Circuit):
        raise InputError(f"assemble: {type(board).__name__}: must be a Board, of design_board, or a Circuit")
    if not isinstance(op_amp, str | DataSheet | None):
        raise InputError(f"assemble: `op_amp` = {op_amp!r:.60}: must be the name of a part, or a DataSheet")
    circuit = expand_crossbars(board if isinstance(board, Circuit) else board.circuit)
    if op_amp is None and isinstance(board, Board) and board.product:
        op_amp = board.product
    title = board.title
    if name is None:
        name = _plain(title)
    check_name(name, "assemble.name")
    nets = Nets(circuit)
    check_parts(circuit, nets)
    devices = tuple(device for block in circuit.blocks for device in block.devices)
    groups = Groups(circuit, devices, title)
    plan = Plan(
        circuit=circuit,
        devices=devices,
        nets=nets,
        groups=groups,
        references=References(circuit, devices, groups),
        reset_ohms=tuple(reset_resistors(board).tolist()) if isinstance(board, Board) else (),
    )
    components = sorted(_components(plan, op_amp), key=lambda component: _order(component.reference))
    assembly = Assembly(
        name=name,
        title=title,
        circuit=circuit,
        components=tuple(components),
        sheets=groups.sheets,
        supplies=nets.supplies,
    )
    return replace(assembly, library=write_library(assembly))


def _components(plan: Plan, op_amp: str | DataSheet | None) -> Iterator[Component]:
    nets, groups = plan.nets, plan.groups
    control = nets.new(RESET)
    reset = Reset((), (), ()) if nets.rails is None else plan_reset(plan, control)
    packed = pack(plan.devices, nets, op_amp)
    package = switch_package(nets)
    resetting = fill(package, package.symbol, [device for device, _ in reset.switches], rails_of(nets))
    matched, others = pack_pairs(plan.devices)
    decoupling = Decoupling(plan, len(packed) + len(resetting))
    plan.references.reserve(decoupling.highest)
    yield from _two_ended(plan)
    group_of = {device.name: group for device, group in reset.switches}
    for number, one in enumerate((*packed, *resetting), start=1):
        yield _package(plan, one, f"U{number}", group_of)
        yield from decoupling.of_package(number, one)
    yield from decoupling.rest()
    yield from make_references(plan, len(packed) + len(resetting) + 1)
    for one in matched:
        first = next(device for device in one.devices if device is not None)
        yield _package(plan, one, plan.references.at("Q", groups.of(first), 1), group_of)
    for number, one in enumerate(others, start=1):
        yield _package(plan, one, plan.references.at("Q", SHARED_GROUP, number), group_of)
    yield from reset.resistors
    if reset.switches:
        yield from reset_control(plan, control)
    yield from connectors(plan, reset)
    yield from test_points(plan)


def _two_ended(plan: Plan) -> Iterator[Component]:
    weights = Weights(plan.circuit)
    for device in plan.devices:
        part = device.part
        if not isinstance(part, Resistor | Capacitor | Diode) or device.origin.role == Role.DECOUPLING:
            continue
        reference, sheet = plan.references.of_device(device.name), plan.groups.of(device).sheet
        first, second = (plan.nets.names[node] for node in device.nodes)
        pins = {"1": first, "2": second}
        if isinstance(part, Resistor):
            weight = weights.text(device)
            fields = resistor_fields(part) | ({"Weight": weight} if weight else {}) | drift_fields(part)
            text = ("R", value_text(part.resistance), "R_0805")
        elif isinstance(part, Capacitor):
            kind = capacitor_kind(part)
            fields = {"Tolerance": kind.tolerance, "Dielectric": kind.dielectric}
            text = ("C", value_text(part.capacitance), kind.footprint)
        else:
            value = IN_SOD123[part.product]
            fields = order_fields(value) | diode_fields(part)
            text = ("DZ" if part.breakdown < float("inf") else "D", value, "SOD123")
            pins = {"1": second, "2": first}  # the cathode is pin 1
        yield single(reference, *text, device.name, sheet, pins, fields, device=device.name)


def _package(plan: Plan, packed: Packed, reference: str, group_of: Mapping[str, Group]) -> Component:
    """Return a package: a unit for each section, then one for its supply pins."""
    package, names = packed.package, plan.nets.names
    units = []
    at_supply = {**packed.rails, "ground": GROUND}
    in_circuit = [device for device in packed.devices if device is not None and device.name not in group_of]
    for k, device in enumerate(packed.devices):
        spare = package.spare[k]
        if device is None:
            follow = plan.nets.new(f"{reference}_{k + 1}_OUT") if "follow" in spare.values() else None
            pins = {pin: follow if what == "follow" else _net(what, at_supply) for pin, what in spare.items()}
            pins |= dict.fromkeys(package.tied[k] if package.tied else (), GROUND)
            unit = (f"spare_{reference}_{k + 1}", "", POWER)
        else:
            group = group_of.get(device.name)
            nodes = device.nodes if group is not None else tuple(names[node] for node in device.nodes)
            pins = dict(zip(port_pins(package, k, device.part), nodes, strict=True))
            pins = {pin: net for pin, net in pins.items() if pin and pin not in package.supply}
            pins |= dict.fromkeys(package.tied[k] if package.tied else (), GROUND)
            sheet = (group or plan.groups.of(device)).sheet
            unit = (device.name, "" if group is not None else device.name, sheet)
        if package is LM13700:
            pins[DIODE_PINS[k]] = None
        role, name, sheet = unit
        units.append(Unit(number=k + 1, role=role, device=name, sheet=sheet, pins=pins))
    for k, idle in enumerate(package.idle, start=len(package.sections) + 1):
        pins = {pin: _net(what, at_supply) for pin, what in idle.items()}
        units.append(Unit(number=k, role=f"spare_{reference}_{k}", device="", sheet=POWER, pins=pins))
    if package is not SSM2212:
        pins = {pin: at_supply[what] for pin, what in package.supply.items()} | dict.fromkeys(package.open_pins)
        units.append(Unit(number=package.supply_unit, role=f"supply_{reference}", device="", sheet=POWER, pins=pins))
    fields = order_fields(packed.value)
    if in_circuit:
        fields |= package_fields(package, packed.value, packed.devices, plan.circuit.initial)
    return Component(
        reference=reference,
        symbol=package.symbol,
        value=packed.value,
        footprint=package.footprint,
        units=tuple(units),
        fields=fields,
        simulated=bool(in_circuit),
    )


def _net(what: str | None, at: Mapping[str, str]) -> str | None:
    return None if what is None else at[what]


def _plain(title: str) -> str:
    """Return a title as a plain name: its first words."""
    words = re.sub(r"[^a-z0-9]+", "_", title.lower()).strip("_")
    if len(words) > LONGEST_NAME:
        words = words[:LONGEST_NAME].rpartition("_")[0] or words[:LONGEST_NAME]
    return words if words[:1].isalpha() else f"board_{words}".strip("_")


def _order(reference: str) -> tuple[str, int]:
    letters = reference.rstrip("0123456789")
    return letters, int(reference[len(letters) :])
