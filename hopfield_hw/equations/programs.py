"""The program of a graph, by its kind."""

from __future__ import annotations

from ..graph import Graph
from ..values.signals import Signal
from .delayed import DelayProgram
from .map_program import MapProgram
from .ode_program import OdeProgram
from .program import Program
from .sampled import SampledProgram


def program_of(graph: Graph, inputs: Signal | None = None) -> Program:
    """Return the program of a graph in SI units: of its differential or delay equation, map or sampled-data system.

    Raises InputError for what no program runs: a Delay beside a Hold, Holds of several clocks without a Leak.
    """
    match graph.kind:
        case "dde":
            return DelayProgram(graph, inputs)
        case "map":
            return MapProgram([graph], inputs)
        case "sampled":
            return SampledProgram(graph, inputs)
    return OdeProgram([graph], inputs)  # one without a state gives what its inputs do
