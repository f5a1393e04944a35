"""Transforms: a network in, another one out: delayed, clocked, in SI units, rescaled."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

from ..graph import Graph
from .clocking import free_running, held, stepped
from .delays import delayed, delayed_by_edge, distributed, neutral
from .rescale import rescaled
from .si import in_si

# By name, the delayed forms of a network: a design has one beside any network.
DELAYS: Mapping[str, Callable[..., Graph]] = MappingProxyType(
    {"delayed": delayed, "delayed_by_edge": delayed_by_edge, "distributed": distributed, "neutral": neutral}
)

__all__ = [
    "DELAYS",
    "delayed",
    "delayed_by_edge",
    "distributed",
    "free_running",
    "held",
    "in_si",
    "neutral",
    "rescaled",
    "stepped",
]
