"""Families: functions that return the networks of the field. A new one is one file and one line in FAMILIES."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

import numpy as np

from ..graph import Graph
from ..networks import Network
from .bam import bam, bam_weights, discrete_bam, random_bam
from .box import brain_state_in_a_box, random_brain_state_in_a_box
from .cellular import (
    TEMPLATES,
    CellularNetwork,
    Template,
    binary,
    random_cellular,
    random_cellular_graph,
    read_image,
    write_image,
)
from .cohen_grossberg import cohen_grossberg, lotka_volterra, random_cohen_grossberg, shunting
from .discrete_hopfield import discrete_hopfield
from .generalised_hopfield import chaotic_hopfield, generalised_hopfield, random_generalised_hopfield
from .modern_hopfield import dense_memory, modern_hopfield, random_dense_memory, random_modern_hopfield
from .projection import BoxProblem, box_problem, projection, random_projection
from .random_delayed import (
    random_delayed,
    random_delayed_by_edge,
    random_delayed_varying,
    random_distributed,
    random_neutral,
)
from .random_network import random_gain, random_network
from .static_field import random_static_field, static_field
from .winner_take_all import maxnet, random_winner_take_all, winner_take_all

# By name, what draws a random instance in continuous time: for holding machines against each other.
FAMILIES: Mapping[str, Callable[[np.random.Generator], Graph | Network]] = MappingProxyType(
    {
        "hopfield": random_network,
        "generalised_hopfield": random_generalised_hopfield,
        "bam": random_bam,
        "cohen_grossberg": random_cohen_grossberg,
        "static_field": random_static_field,
        "brain_state_in_a_box": random_brain_state_in_a_box,
        "projection": random_projection,
        "modern_hopfield": random_modern_hopfield,
        "dense_memory": random_dense_memory,
        "winner_take_all": random_winner_take_all,
        "cellular": random_cellular_graph,
        "delayed": random_delayed,
        "delayed_by_edge": random_delayed_by_edge,
        "delayed_varying": random_delayed_varying,
        "distributed": random_distributed,
        "neutral": random_neutral,
    }
)


# By name, what builds a network from its arguments, as a design gives them.
BUILDERS: Mapping[str, Callable[..., Graph | Network]] = MappingProxyType(
    {
        "generalised_hopfield": generalised_hopfield,
        "chaotic_hopfield": chaotic_hopfield,
        "bam": bam,
        "discrete_bam": discrete_bam,
        "cohen_grossberg": cohen_grossberg,
        "lotka_volterra": lotka_volterra,
        "shunting": shunting,
        "static_field": static_field,
        "brain_state_in_a_box": brain_state_in_a_box,
        "projection": projection,
        "modern_hopfield": modern_hopfield,
        "dense_memory": dense_memory,
        "winner_take_all": winner_take_all,
        "maxnet": maxnet,
    }
)

__all__ = [
    "BUILDERS",
    "FAMILIES",
    "TEMPLATES",
    "BoxProblem",
    "CellularNetwork",
    "Template",
    "bam",
    "bam_weights",
    "binary",
    "box_problem",
    "brain_state_in_a_box",
    "chaotic_hopfield",
    "cohen_grossberg",
    "dense_memory",
    "discrete_bam",
    "discrete_hopfield",
    "generalised_hopfield",
    "lotka_volterra",
    "maxnet",
    "modern_hopfield",
    "projection",
    "random_cellular",
    "random_gain",
    "random_network",
    "read_image",
    "shunting",
    "static_field",
    "winner_take_all",
    "write_image",
]
