"""Suspects by structure: the devices of a deck that are not what those of its circuit are, and change the network."""

from __future__ import annotations

from ..circuit import Circuit
from ..extraction import Differences, compare
from ..values.errors import InputError, SimulatorError
from .diagnosis import Suspect

# A value that is off by more than this part counts.
TOLERANCE = 1e-5


def suspect_by_structure(circuit: Circuit, text: str) -> tuple[Suspect, ...]:
    """Return the devices at fault in a deck that has the names of a circuit.

    Empty where neither is a network that can be read back (delays, clocks, products), and where nothing was found.
    """
    try:
        found = compare(text, circuit, tolerance=TOLERANCE)
    except (InputError, SimulatorError):
        return ()
    return tuple(_suspects(circuit, found))


def _suspects(circuit: Circuit, found: Differences) -> list[Suspect]:
    suspects = []
    for finding in found.findings:
        names, origins = [], []
        for name in finding.devices:
            try:
                device = circuit.device(name)
            except InputError:
                names.append(name)
                continue
            names.append(device.name)
            origins.append(device.origin)
        label = circuit.label_of(origins[0]) if origins else ""
        place = ", ".join(str(origin) for origin in origins) or "the network"
        words = "its inputs are exchanged" if finding.kind == "inputs" else finding.words
        for name, given in zip(names, finding.devices, strict=True):
            words = words.replace(given, name)
        words = words.removeprefix(f"{' and '.join(names)} ")
        suspects.append(
            Suspect(neuron=label, weight=place, devices=tuple(names), explained=1.0 - finding.left, change=words)
        )
    return suspects
