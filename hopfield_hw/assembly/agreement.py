"""Whether what an assembly simulates is its circuit: the same devices, values and nodes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from ..circuit import Circuit, Device
from ..circuit.crossbars import expand_crossbars
from ..parts import Capacitor, Diode, Resistor, VoltageSource
from ..values.errors import InputError
from ..values.si_text import parse_si
from .assembly import Assembly
from .component import GROUND, Component, Unit
from .library import section_devices
from .nets import Nets, is_source
from .packages import PACKAGES
from .sections import port_pins
from .simulation import diode_fields, package_fields, source_fields

EXACT = 1e-12  # of a value: what its text may be off
DRIFT = 1e-6  # of a temperature coefficient, likewise


def check_against_circuit(assembly: Assembly, circuit: Circuit | None = None) -> None:
    """Raise InputError, naming the first three differences, where the simulated part of an assembly is not its circuit.

    Every device but sources that are connectors must be one unit of a simulated component, with its value and the nets
    of its nodes at the pins of its ports. `circuit`: another one to compare with.
    """
    found = list(find_differences(assembly, assembly.circuit if circuit is None else circuit))
    if found:
        more = f"; and {len(found) - 3} more" if len(found) > 3 else ""
        raise InputError(f"assembly {assembly.name!r} is not its circuit: {'; '.join(found[:3])}{more}")


def find_differences(assembly: Assembly, circuit: Circuit) -> Iterator[str]:
    """Yield in words each difference between what an assembly simulates and a circuit."""
    circuit = expand_crossbars(circuit)
    names = Nets(circuit).names
    wanted = {device.name: device for device in circuit.devices if not is_source(device, circuit)}
    units = [
        (component, unit)
        for component in assembly.components
        if component.simulated
        for unit in component.units
        if unit.device
    ]
    counts = Counter(unit.device for _, unit in units)
    yield from (f"device {name} is missing" for name in wanted if name not in counts)
    yield from (f"device {name} is there {count} times" for name, count in counts.items() if count > 1)
    for component, unit in units:
        device = wanted.get(unit.device)
        if device is None:
            yield f"{component.reference} is device {unit.device}, which the circuit has not"
            continue
        ports = _ports(component, unit, device)
        pins = tuple(GROUND if pin == "" else unit.pins.get(pin, component.pins.get(pin)) for pin in ports)
        nets = tuple(names[node] for node in device.nodes)
        if pins != nets:
            yield f"{component.reference}, {device.name}: its pins are at {pins}, the circuit's nodes at {nets}"
        yield from _value_differences(component, device, assembly)


def _ports(component: Component, unit: Unit, device: Device) -> tuple[str, ...]:
    """Return by node of a device the pin that it is at."""
    if component.symbol in PACKAGES:
        return port_pins(PACKAGES[component.symbol], unit.number - 1, device.part)
    volts = device.part.voltage if isinstance(device.part, VoltageSource) else 1.0
    turned = isinstance(device.part, Diode) or (isinstance(volts, float) and volts < 0.0)
    return ("2", "1") if turned else ("1", "2")


def _value_differences(component: Component, device: Device, assembly: Assembly) -> Iterator[str]:
    part, fields = device.part, component.fields
    said = f"{component.reference}, {device.name}"
    if isinstance(part, Resistor | Capacitor):
        assert part.value is not None
        value = parse_si(component.value, said, part.unit)
        if abs(value / part.value - 1.0) > EXACT:
            yield f"{said}: is {component.value}, the circuit has {part.value:.13g} {part.unit}"
    if isinstance(part, Resistor):
        drift = float(fields["TempCo"].split()[0]) * 1e-6 if "TempCo" in fields else 0.0
        if abs(drift - part.drift) > DRIFT * abs(part.drift):
            yield f"{said}: drifts by {drift:g} 1/K, the circuit's by {part.drift:g} 1/K"
    expected: dict[str, str] = {}
    if isinstance(part, Diode):
        expected = diode_fields(part)
    elif isinstance(part, VoltageSource) and isinstance(part.voltage, float):
        expected = source_fields(abs(part.voltage))
    elif component.symbol in PACKAGES:
        package = PACKAGES[component.symbol]
        devices = section_devices(component, assembly)
        expected = package_fields(package, component.value, devices, assembly.circuit.initial)
    for name, text in expected.items():
        if fields.get(name) != text:
            yield f"{said}: {name} is {fields.get(name)!r}, the circuit's parts have {text!r}"
