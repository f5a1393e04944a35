"""The table of problems that a design can name. A new one is one file and one line here."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from ..values.errors import InputError
from ..values.names import unknown
from ..values.tables import LazyTable

if TYPE_CHECKING:
    from ..annealing import AnnealingCircuit
    from ..graph import Graph
    from ..networks import Network

PROBLEMS: LazyTable[Callable[..., Network | Graph | AnnealingCircuit]] = LazyTable(
    __package__,
    {
        "ad_converter": (".ad_converter:ad_converter", "A/D converter of an input in volts (Tank and Hopfield 1986)"),
        "cellular_image": (".cellular_image:cellular_image", "cellular network that processes a PNG file"),
        "decomposition": (
            ".decomposition:decomposition",
            "signal as a sum of parts, each there or not (Tank and Hopfield 1986)",
        ),
        "graph_colouring": (
            ".graph_colouring:graph_colouring",
            "colours for nodes, different along each edge, by an annealed softmax for each node",
        ),
        "max_cut": (".max_cut:max_cut", "the sides of a graph's nodes with the largest cut between them, annealed"),
        "memory": (".memory:memory", "associative memory of the patterns in a file, started at a corrupted one"),
        "program": (
            ".program_networks:multiplier_network",
            "linear or quadratic program with multiplier neurons: rows, equations and limits are met exactly",
        ),
        "program_by_penalty": (
            ".program_networks:penalty_network",
            "the same with a penalty, off by 1/gain (Tank and Hopfield 1986)",
        ),
        "satisfiability": (
            ".satisfiability:cubic_network",
            "clauses of three literals as a cubic energy whose terms grow while they do not hold",
        ),
        "sequence_memory": (
            ".sequence_memory:sequence_memory",
            "patterns that follow each other, by delayed weights (Sompolinsky and Kanter 1986)",
        ),
        "tour_in_valid_subspace": (
            ".travelling_salesman:valid_subspace",
            "tours that are always valid in the end, by a ramp (Aiyer, Niranjan and Fallside 1990)",
        ),
        "travelling_salesman": (
            ".travelling_salesman:hopfield_tank",
            "tours as published (Hopfield and Tank 1985): a neuron for each city and place",
        ),
        "variational_inequality": (
            ".variational_networks:variational_network",
            "variational inequality within limits, rows and balls, F affine or quadratic, by multiplier neurons",
        ),
    },
)


def build_problem(name: str, arguments: Mapping[str, Any]) -> Network | Graph | AnnealingCircuit:
    """Return the network of a problem in the table; an annealing circuit brings its inputs and its length with it.

    Raises InputError for an unknown problem, an unknown or missing argument, and for what the problem refuses.
    """
    if name not in PROBLEMS:
        raise InputError(unknown("problem", name, PROBLEMS))
    parameters = inspect.signature(PROBLEMS[name]).parameters
    for given in arguments:
        if given not in parameters:
            raise InputError(unknown(f"problem {name!r}: argument", given, parameters))
    needed = [key for key, parameter in parameters.items() if parameter.default is inspect.Parameter.empty]
    missing = [key for key in needed if key not in arguments]
    if missing:
        raise InputError(f"problem {name!r}: the argument {missing[0]!r} is missing; must have {', '.join(needed)}")
    return PROBLEMS[name](**arguments)
