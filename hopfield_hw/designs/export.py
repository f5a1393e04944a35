"""Designs as circuits, and as decks that a simulator runs as they are."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

from ..circuit import Circuit
from ..lowering import lower
from ..spice.dialects import write
from ..spice.dialects.ngspice import format_analysis
from ..spice.options import settings_for
from ..spice.transient import stop_time
from .design import Design

Analysis = Callable[[Circuit, float, float], str]


def design_circuit(design: Design, cell: str = "ideal", *, rescale: bool = False) -> Circuit:
    """Return the circuit of a design, rescaled where the design says so for the cell. Raises as `lower` does."""
    return lower(design.graph(), cell=cell, rescale=rescale or rescales(design, cell), title=design.title)


def rescales(design: Design, cell: str) -> bool:
    """Whether a design asks for the rescaling that makes it realisable in a cell."""
    return cell in design.cells and design.cells[cell].rescale


def export_deck(design: Design, dialect: str = "ngspice", cell: str = "ideal", *, rescale: bool = False) -> str:
    """Return the complete deck of a design: title, devices, initial state, what to save, options, analysis, end.

    The step is the one with which the engine usually ends; as a deck cannot refine itself, `verify` and `simulate`
    are the ones that answer for the accuracy. The text depends on the design alone: no date and no path.
    Raises InputError for an unknown dialect or cell, and Unrealisable for values that the cell cannot build.
    """
    circuit = design_circuit(design, cell, rescale=rescale).driven(design.inputs)
    return write(circuit, dialect) + ANALYSES[dialect](circuit, stop_time(circuit, design.t_stop), design.accuracy)


def device_lines(deck: str) -> dict[str, tuple[int, str]]:
    """Return by device name, lower case, the number of its line in a deck (from 1 on) and the line."""
    lines = enumerate(deck.splitlines(), start=1)
    return {line.split(maxsplit=1)[0].lower(): (number, line) for number, line in lines if line.strip()}


def _ngspice(circuit: Circuit, t_stop: float, accuracy: float) -> str:
    settings = settings_for(accuracy, t_stop, circuit.shortest_delay).halved()
    nodes = (probe.node for probe in (*circuit.states, *circuit.outputs))
    options = settings.options(klu=False)
    return format_analysis(circuit.initial, nodes, t_stop=t_stop, step=settings.step, options=options)


ANALYSES: Mapping[str, Analysis] = MappingProxyType({"ngspice": _ngspice})
