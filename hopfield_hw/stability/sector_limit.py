"""The delay that no certificate for slopes in a sector can pass: the least exact limit at the corners of the sector."""

from __future__ import annotations

from itertools import product
from typing import NamedTuple

import numpy as np

from ..graph import Graph, HasGraph
from ..values.arrays import Array
from ..values.errors import InputError
from .exact import largest_stable_delay
from .reading import read_network
from .systems import DelayedNetwork

MOST_CORNERS = 1024


class SectorLimit(NamedTuple):
    """The least exact limit, `delay` (s), and the `slopes` (n,) of the linear network that has it."""

    delay: float
    slopes: Array


def corners(network: DelayedNetwork) -> list[Array]:
    """Return all corners of the box of slopes, the upper ones first, (n,) each; none twice."""
    ends = [sorted({high, low}, reverse=True) for low, high in zip(network.lower, network.upper, strict=True)]
    return [np.array(corner, dtype=np.float64) for corner in product(*ends)]


def sector_limit(network: DelayedNetwork | Graph | HasGraph, longest: float) -> SectorLimit:
    """Return the least of the exact limits of the linear networks with slopes at the corners of the sector.

    A certificate for all gain curves of a sector is one for these linear networks too, so that none is proved above it;
    the linear network at the largest slopes alone may bear a longer delay. Slopes within the box may bear less still.

    `longest`: seconds; the limit found is at most this. Raises InputError for more than 1,024 corners, and as
    `read_network` and `stable_windows` do.
    """
    found = read_network(network)
    count = 2 ** int(np.sum(found.lower < found.upper))
    if count > MOST_CORNERS:
        raise InputError(f"sector_limit: {count} corners of the slopes of {found.size} neurons: at most {MOST_CORNERS}")
    each = [SectorLimit(largest_stable_delay(found.linear(slopes), longest), slopes) for slopes in corners(found)]
    return min(each, key=lambda one: one.delay)
