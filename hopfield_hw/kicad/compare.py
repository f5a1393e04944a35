"""Where drawings and net lists differ from an assembly: pin by pin, and part by part."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping

from ..assembly import Assembly, Component
from ..assembly.component import GROUND
from .netlist import NetList
from .reader import ReadComponent, Schematic
from .symbols import LIBRARY

Pin = tuple[str, str]


def compare_nets(assembly: Assembly, nets: Mapping[str, frozenset[Pin]], free: Collection[Pin]) -> list[str]:
    """Return where nets differ from an assembly's, in words.

    `nets`: by name; `free`: the pins that are connected to nothing. Names count for ground and supplies alone.
    """
    found = {pin: name for name, pins in nets.items() for pin in pins}
    differences = []
    for net, pins in sorted(assembly.nets.items()):
        names = sorted({found[pin] for pin in pins if pin in found})
        lost = sorted(pin for pin in pins if pin not in found)
        if lost:
            differences.append(f"net {net}: {_pins(lost)} at no net")
        if len(names) > 1:
            parts = "; ".join(f"{name} has {_pins(sorted(pins & nets[name]))}" for name in names)
            differences.append(f"net {net} is in {len(names)} pieces: {parts}")
        for name in names:
            more = sorted(nets[name] - pins)
            if more:
                differences.append(f"net {net}: {_pins(more)} at it too, as net {name}")
        if len(names) == 1 and net in (GROUND, *assembly.supplies) and names[0] != net:
            differences.append(f"net {net} is named {names[0]}")
    known = {
        (component.reference, pin): net for component in assembly.components for pin, net in component.pins.items()
    }
    for pin in sorted(pin for pin, net in known.items() if net is None and pin in found and len(nets[found[pin]]) > 1):
        differences.append(f"{_pins([pin])}: at net {found[pin]}, must be at none")
    open_pins = {pin for pin, net in known.items() if net is None}
    for pin in sorted(set(found) - set(known)):
        differences.append(f"{_pins([pin])} at net {found[pin]}: no such pin in the assembly")
    for pin in sorted(open_pins - set(free) - set(found)):
        differences.append(f"{_pins([pin])}: is there no more")
    return differences


def compare_parts(assembly: Assembly, schematic: Schematic) -> list[str]:
    """Return where the parts of drawings differ from an assembly's: references, symbols, values, fields, units.

    A field that no part of the assembly has, and that says nothing of a simulation, is a person's own.
    """
    differences = list(_references(assembly, schematic.components))
    known = {name for component in assembly.components for name in component.fields}
    for reference, component in assembly.by_reference.items():
        found = schematic.components.get(reference)
        if found is not None:
            differences += (f"{reference}: {said}" for said in _component(component, found, known))
    return differences


def compare_listed(assembly: Assembly, listed: NetList) -> list[str]:
    """Return where KiCad's list of components differs: references, values, footprints, fields."""
    differences = list(_references(assembly, listed.components))
    for reference, component in assembly.by_reference.items():
        found = listed.components.get(reference)
        if found is None:
            continue
        if found.value != component.value:
            differences.append(f"{reference}: value {found.value!r}, must be {component.value!r}")
        if found.footprint != footprint_name(component):
            differences.append(f"{reference}: footprint {found.footprint!r}, must be {footprint_name(component)!r}")
        for name, text in component.fields.items():
            if text and found.fields.get(name) != text:
                differences.append(f"{reference}: {name} {found.fields.get(name)!r}, must be {text!r}")
    return differences


def footprint_name(component: Component) -> str:
    """Return the footprint of a component as a project names it."""
    return f"{LIBRARY}:{component.footprint}" if component.footprint else ""


def _references(assembly: Assembly, found: Collection[str]) -> Iterator[str]:
    for reference in sorted(set(assembly.by_reference) - set(found)):
        yield f"{reference} is missing"
    for reference in sorted(set(found) - set(assembly.by_reference)):
        yield f"{reference} is not in the assembly"


def _component(component: Component, found: ReadComponent, known: Collection[str]) -> Iterator[str]:
    expected = {
        "symbol": (found.symbol, f"{LIBRARY}:{component.symbol}"),
        "value": (found.value, component.value),
        "footprint": (found.footprint, footprint_name(component)),
    }
    own = {name: text for name, text in component.fields.items() if text and name not in ("Datasheet", "Description")}
    extra = {name for name, text in found.fields.items() if text and (name in known or name.startswith("Sim."))}
    for name in sorted({*own, *extra}):
        expected[name] = (found.fields.get(name, ""), own.get(name, ""))
    switches = {
        "exclude_from_sim": "no" if component.simulated else "yes",
        "in_bom": "yes" if component.bought else "no",
        "on_board": "yes",
        "dnp": "no",
    }
    for name, value in switches.items():
        expected[name] = (found.switches.get(name, ""), value)
    for name, (is_now, must_be) in expected.items():
        if is_now != must_be:
            yield f"{name} {is_now!r}, must be {must_be!r}"
    drawn = {unit.number: unit.sheet for unit in found.units}
    for unit in component.units:
        if unit.number not in drawn:
            yield f"unit {unit.number} is on no sheet"


def _pins(pins: Collection[Pin]) -> str:
    shown = [f"{reference} pin {number}" for reference, number in pins]
    return ", ".join(shown[:6]) + (f" and {len(shown) - 6} more" if len(shown) > 6 else "")
