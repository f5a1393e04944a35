"""Families: functions that return the networks of the field. A new one is one file and one line in FAMILIES."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

import numpy as np

from ..graph import Graph
from ..network import Network
from .bam import bam, bam_weights, discrete_bam, random_bam
from .random_network import random_gain, random_network

# By name, what draws a random instance in continuous time: for holding machines against each other.
FAMILIES: Mapping[str, Callable[[np.random.Generator], Graph | Network]] = MappingProxyType(
    {
        "hopfield": random_network,
        "bam": random_bam,
    }
)

__all__ = [
    "FAMILIES",
    "bam",
    "bam_weights",
    "discrete_bam",
    "random_gain",
    "random_network",
]
