"""KiCad's own SPICE net list, made to run: with the models, the sources and the start that a board's circuit has.

    deck = spice_deck("board/memory.kicad_pro", assembly, inputs)
    hh.verify(net, deck=deck.text, nodes=deck.nodes, ...)       # against the equations
    simulate_project("board/memory.kicad_pro", assembly, t_stop=5e-3)    # waveforms, as `hh.simulate` gives them

KiCad writes parts and nets; a net has its path in the schematic, as in /neuron_1/SUM1. What a board has from outside,
supplies, inputs and clocks, are sources here, those of the circuit.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import xarray as xr

from ..assembly import Assembly
from ..circuit import GROUND as GROUND_NODE
from ..circuit import Circuit, Probe
from ..parts import CurrentSource, VoltageSource
from ..spice.decks.nodes import Place
from ..spice.dialects.table import find_dialect
from ..spice.transient import Deck, circuit_deck, stop_time
from ..spice.transient import simulate_deck as run_deck
from ..values.errors import InputError
from . import commands
from .reader import Schematic, read_project

DIALECT = "ngspice"
# What a name cannot have in SPICE is an underscore in KiCad's net list.
FORBIDDEN = re.compile(r"[()\s,=\"'{}]")
INCLUDE = re.compile(r'^\.include\s+"?[^"\n]*"?\s*$', re.M | re.I)
END = re.compile(r"^\.end\s*$", re.M | re.I)
TITLE = re.compile(r"^\.title\b(.*)$", re.M | re.I)


class SpiceDeck(NamedTuple):
    """A net list of KiCad that can be run.

    `text`: parts, models and sources, without an analysis. `nodes`: by the label of a state where it is, as `nodes` of
    `verify` takes it. `names`: by node of the circuit its name in the text.
    """

    text: str
    nodes: Mapping[str, Place]
    names: Mapping[str, str]


def spice_deck(
    project: str | Path, assembly: Assembly, inputs: Any = None, *, timeout: float = commands.TIMEOUT
) -> SpiceDeck:
    """Return KiCad's own net list of a project, made to run; `inputs`: as `simulate` takes them.

    Raises KiCadMissing without KiCad, and InputError where the net list lacks a net of the assembly.
    """
    text = commands.export_spice(project, timeout=timeout)
    return make_deck(text, assembly, read_project(project), inputs)


def make_deck(text: str, assembly: Assembly, schematic: Schematic, inputs: Any = None) -> SpiceDeck:
    """Return a net list that KiCad exported, made to run; `schematic`: the drawings that it is of."""
    names = node_names(assembly, schematic)
    words = set(re.split(r"\s+", text.lower()))
    circuit = assembly.circuit.driven(inputs)
    sources = list(_source_lines(assembly, circuit, names))
    probed = {probe.node for probe in circuit.states}
    lost = next((node for node in sorted(probed) if names.get(node, "").lower() not in words), None)
    if lost is not None:
        raise InputError(
            f"KiCad's net list has no net for node {lost!r}, which would be {names.get(lost)!r}: other drawings"
        )
    body = INCLUDE.sub("", END.sub("", TITLE.sub(r"*\1", text))).strip()
    parts = [body, "* sources: supplies, inputs and clocks", *sources, assembly.library.strip()]
    nodes: dict[str, Place] = {probe.label: (names[probe.node], probe.scale) for probe in circuit.states}
    return SpiceDeck("\n".join(part for part in parts if part) + "\n", nodes, names)


def simulate_project(
    project: str | Path,
    assembly: Assembly,
    *,
    t_stop: float | None = None,
    inputs: Any = None,
    accuracy: float = 1e-4,
    timeout: float = commands.TIMEOUT,
) -> xr.Dataset:
    """Return state and output over (time, neuron) of KiCad's own net list in ngspice; see `hopfield_hw.simulate`."""
    found = spice_deck(project, assembly, inputs, timeout=timeout)
    deck = transient_deck(found, assembly.circuit, inputs)
    return run_deck(deck, t_stop=stop_time(assembly.circuit, t_stop), accuracy=accuracy, timeout=timeout)


def transient_deck(found: SpiceDeck, circuit: Circuit, inputs: Any = None) -> Deck:
    """Return a net list of KiCad as what ngspice runs, with the probes and the start of a circuit."""
    names = found.names

    def moved(probes: tuple[Probe, ...]) -> tuple[Probe, ...]:
        return tuple(probe._replace(node=names[probe.node].lower()) for probe in probes)

    initial = {names[node].lower(): volts for node, volts in circuit.initial.items() if node in names}
    return replace(
        circuit_deck(circuit, inputs),
        text=found.text,
        states=moved(circuit.states),
        outputs=moved(circuit.outputs),
        initial=initial,
    )


def node_names(assembly: Assembly, schematic: Schematic) -> dict[str, str]:
    """Return by node of an assembly's circuit the name of its net in KiCad's SPICE net list."""
    at = {pin: name for name, pins in schematic.nets.items() for pin in pins}
    names = {}
    for net, pins in assembly.nets.items():
        found = {at[pin] for pin in pins if pin in at}
        if len(found) == 1:
            names[net] = FORBIDDEN.sub("_", found.pop())
    by_node = {node: names[net] for node, net in assembly.net_names.items() if net in names}
    return by_node | {GROUND_NODE: GROUND_NODE}


def _source_lines(assembly: Assembly, circuit: Circuit, names: Mapping[str, str]) -> Iterator[str]:
    """Yield the sources of a circuit that are no components, at the nodes of the net list."""
    drawn = {unit.device for part in assembly.components if part.simulated for unit in part.units}
    dialect = find_dialect(DIALECT)
    for device in circuit.devices:
        if isinstance(device.part, VoltageSource | CurrentSource) and device.name not in drawn:
            lost = [node for node in device.nodes if node not in names]
            if lost:
                raise InputError(f"source {device.name}: its node {lost[0]!r} is at no net of the drawings")
            nodes = tuple(names[node] for node in device.nodes)
            yield from dialect.format_device(device._replace(nodes=nodes), {})
