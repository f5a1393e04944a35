"""Random cellular networks, to verify machines against each other."""

from __future__ import annotations

import numpy as np

from ...graph import Graph
from ...graph.weights import BOUNDARIES
from ...values.arrays import Array
from .network import CellularNetwork
from .templates import Template

SIDES = (1, 3, 5)


def random_cellular(rng: np.random.Generator) -> CellularNetwork:
    """Return a network of 2 to 6 rows and columns with a random grey image, templates, boundary and initial state.

    Templates have sides of 1, 3 or 5 (at least one of them 3), and weights with a variance of 2 in all, half of them
    missing or none: cells saturate, and some networks oscillate. One of three has no B.
    """
    shape = (int(rng.integers(2, 7)), int(rng.integers(2, 7)))
    boundary = BOUNDARIES[int(rng.integers(len(BOUNDARIES)))]
    template = Template(
        feedback=_weights(rng),
        control=None if rng.integers(3) == 0 else _weights(rng),
        bias=rng.normal(),
        boundary=boundary,
        edge=rng.uniform(-1.0, 1.0) if boundary == "fixed" else 0.0,
    )
    return CellularNetwork(
        template=template,
        image=rng.uniform(-1.0, 1.0, shape),
        initial=rng.uniform(-1.5, 1.5, shape),
        resistance=1e3 * 2.0 ** rng.uniform(-1.0, 1.0),
        capacitance=1e-9 * 2.0 ** rng.uniform(-1.0, 1.0),
    )


def random_cellular_graph(rng: np.random.Generator) -> Graph:
    """Return a cellular network of 2 to 6 rows and columns with random templates, its image in the bias."""
    return random_cellular(rng).graph(driven=False)


def _weights(rng: np.random.Generator) -> Array:
    sides = rng.permutation([3, int(rng.choice(SIDES))])
    present = rng.uniform(size=sides) < (0.5 if rng.integers(2) else 1.0)
    weights: Array = rng.normal(size=sides) * present * np.sqrt(2.0 / max(int(present.sum()), 1))
    return weights
