"""The library of a project: the text of hopfield.lib, with each model that its parts name in Sim.Library."""

from __future__ import annotations

from ..circuit import Device
from ..parts import Resistor
from .assembly import Assembly
from .component import Component
from .packages import PACKAGES
from .simulation import drift_subcircuit, models, package_subcircuit


def write_library(assembly: Assembly) -> str:
    """Return the text of hopfield.lib, of ngspice: packages as subcircuits of their sections, and the parts' models.

    The sections are the parts of the circuit as its own deck has them, so that both simulate alike.
    """
    found: dict[str, list[str]] = {}
    for component in assembly.components:
        name = component.fields.get("Sim.Name", "")
        if "Sim.Library" in component.fields and name not in found:
            lines = _subcircuit(component, assembly)
            if lines:
                found[name] = lines
    text = [f"* {assembly.title}: models for KiCad's simulator, ngspice"]
    for name in sorted(found):
        text += ["*", *found[name]]
    return "\n".join([*text, "*", *models(assembly.circuit)]) + "\n"


def section_devices(component: Component, assembly: Assembly) -> tuple[Device | None, ...]:
    """Return by section of a package its device in the circuit; None for one that the circuit has not."""
    count = len(PACKAGES[component.symbol].sections)
    names = [unit.device for unit in component.units[:count]]
    return tuple(assembly.circuit.device(name) if name else None for name in names)


def _subcircuit(component: Component, assembly: Assembly) -> list[str]:
    if component.symbol in PACKAGES:
        package = PACKAGES[component.symbol]
        return package_subcircuit(package, component.value, section_devices(component, assembly))[1]
    part = assembly.circuit.device(component.units[0].device).part
    return drift_subcircuit(part)[1] if isinstance(part, Resistor) else []
