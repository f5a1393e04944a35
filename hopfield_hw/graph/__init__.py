"""The graph: one description of a network, as operators with equations, that every machine runs."""

from .graph import Edge, Graph, HasGraph, Units, as_graph
from .operators import Activate, Affine, Clock, Delay, Hadamard, Hold, Input, Leak, Operator, Output, Quantise, Sign
from .text import parse_graph
from .ties import tie_band, tie_bands
from .weights import Dense, Sparse, Stencil, Weights

__all__ = [
    "Activate",
    "Affine",
    "Clock",
    "Delay",
    "Dense",
    "Edge",
    "Graph",
    "Hadamard",
    "HasGraph",
    "Hold",
    "Input",
    "Leak",
    "Operator",
    "Output",
    "Quantise",
    "Sign",
    "Sparse",
    "Stencil",
    "Units",
    "Weights",
    "as_graph",
    "parse_graph",
    "tie_band",
    "tie_bands",
]
