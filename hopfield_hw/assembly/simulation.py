"""Subcircuits: each package as one of the file hopfield.lib, so that KiCad simulates the parts of our decks."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from zlib import crc32

from ..circuit import GROUND as GROUND_NODE
from ..circuit import Circuit, Device
from ..parts import Diode, OpAmp, Resistor
from ..parts.op_amp import OpAmpModel, word
from ..spice.dialects.dialect import model_name
from ..spice.dialects.table import find_dialect
from .packages import Package
from .sections import port_pins

LIBRARY = "hopfield.lib"
DIALECT = "ngspice"


def package_fields(
    package: Package, value: str, devices: Sequence[Device | None], initial: Mapping[str, float]
) -> dict[str, str]:
    """Return the Sim.* fields of a package; `initial`: node voltages at the start, which op-amps begin at."""
    pins = package_pins(package)
    fields = {
        "Sim.Device": "SUBCKT",
        "Sim.Library": LIBRARY,
        "Sim.Name": package_subcircuit(package, value, devices)[0],
        "Sim.Pins": " ".join(f"{pin}=p{pin}" for pin in pins),
    }
    starts = [
        f"start{k + 1}={initial[device.nodes[2]]:.13g}"
        for k, device in enumerate(devices)
        if device is not None and _has_start(device) and initial.get(device.nodes[2], 0.0) != 0.0
    ]
    return fields | ({"Sim.Params": " ".join(starts)} if starts else {})


def package_pins(package: Package) -> tuple[str, ...]:
    """Return the pins of a package that its subcircuit has, in their order."""
    found = [pin for section in package.sections for pin in section] + list(package.supply)
    found += [pin for section in package.tied for pin in section]
    return tuple(sorted(found, key=int))


def package_subcircuit(package: Package, value: str, devices: Sequence[Device | None]) -> tuple[str, list[str]]:
    """Return name and lines of a package's subcircuit: its sections in use, each as a deck of ours has it.

    Sections that are not used are left out, and pins without a section, such as X2 of an AD633, are at no element.
    """
    dialect = find_dialect(DIALECT)
    body, parameters = [], []
    for k, device in enumerate(devices):
        if device is None:
            continue
        nodes = tuple(f"p{pin}" if pin else GROUND_NODE for pin in port_pins(package, k, device.part))
        lines = list(dialect.format_device(device._replace(name=f"{device.name[0]}_{k + 1}", nodes=nodes), {}))
        if _has_start(device):
            parameters.append(f"start{k + 1}=0.0")
            lines[-1] += f" start={{start{k + 1}}}"
        body += lines
    name = f"{_plain(value)}_{crc32(chr(10).join(body).encode()):08x}"
    ports = [f"p{pin}" for pin in package_pins(package)]
    return name, [" ".join([".subckt", name, *ports, *parameters]), *body, f".ends {name}"]


def diode_fields(diode: Diode) -> dict[str, str]:
    """Return the Sim.* fields of a diode: its .model is in the library."""
    return {
        "Sim.Device": "D",
        "Sim.Library": LIBRARY,
        "Sim.Name": model_name(diode),
        "Sim.Pins": "1=K 2=A",
    }


def resistor_fields(part: Resistor) -> dict[str, str]:
    """Return the Sim.* fields of a resistor: none, or a subcircuit where it has a temperature coefficient."""
    if not part.drift:
        return {}
    return {
        "Sim.Device": "SUBCKT",
        "Sim.Library": LIBRARY,
        "Sim.Name": drift_subcircuit(part)[0],
        "Sim.Pins": "1=p1 2=p2",
        "Sim.Params": f"r={part.resistance:.13g}",
    }


def drift_subcircuit(part: Resistor) -> tuple[str, list[str]]:
    """Return name and lines of the subcircuit of resistors with a temperature coefficient."""
    name = f"r_drift_{word(part.drift)}"
    return name, [f".subckt {name} p1 p2 r=1000", f"R_1 p1 p2 {{r}} tc1={part.drift:.13g}", f".ends {name}"]


def source_fields(volts: float) -> dict[str, str]:
    """Return the Sim.* fields of a shunt reference: a source of its voltage, from the cathode to the anode."""
    return {
        "Sim.Device": "V",
        "Sim.Type": "DC",
        "Sim.Pins": "1=+ 2=-",
        "Sim.Params": f"dc={volts:.13g}",
    }


def models(circuit: Circuit) -> list[str]:
    """Return the models of a circuit's parts: `.model` and `.subckt`, as its deck has them."""
    return find_dialect(DIALECT).format_models(circuit.devices)


def _has_start(device: Device) -> bool:
    part = device.part
    return isinstance(part, OpAmp) and isinstance(part.model, OpAmpModel) and bool(part.model.poles)


def _plain(value: str) -> str:
    return re.sub(r"[^a-z0-9]", "_", value.lower())
