"""Random delayed networks, of each kind of delay, to verify machines against each other.

They have 2 to 6 neurons (2 to 4 with a delay for each weight), gains from 1 to 4, R C near one unit of time, and delays
of a tenth of it to all of it. One in three is all-inhibitory.
"""

from __future__ import annotations

import numpy as np

from ..functions import Tanh
from ..graph import Graph
from ..graph.building import CIRCUIT_UNITS
from ..networks.network import Network
from ..transforms.delays import add_delay, add_delay_by_edge, add_neutral_delays, distribute_delay
from ..values.arrays import Array
from ..values.signals import Signal

MOST = 6
MOST_WITH_EDGES = 4


def random_delayed(rng: np.random.Generator) -> Graph:
    """Return a network with one delay."""
    return add_delay(_network(rng), float(_taus(rng)))


def random_delayed_by_edge(rng: np.random.Generator) -> Graph:
    """Return a network with a delay for each weight."""
    network = _network(rng, MOST_WITH_EDGES)
    return add_delay_by_edge(network, _taus(rng, network.size, network.size))


def random_delayed_varying(rng: np.random.Generator) -> Graph:
    """Return a network with one delay that has 3 to 8 corners in twenty units of time."""
    network = _network(rng)
    times = np.linspace(0.0, 20.0, int(rng.integers(3, 9)))
    return add_delay(network, Signal(times=times, values=_taus(rng, times.size)))


def random_distributed(rng: np.random.Generator) -> Graph:
    """Return a network with a gamma-distributed delay of order 1 to 6."""
    return distribute_delay(_network(rng), float(_taus(rng)), order=int(rng.integers(1, 7)))


def random_neutral(rng: np.random.Generator) -> Graph:
    """Return a neutral network with a delay in its feedback besides; the row sums of |D| are at most 0.2 to 0.6."""
    network = _network(rng)
    matrix = rng.normal(size=(network.size, network.size))
    matrix *= rng.uniform(0.2, 0.6) / np.max(np.sum(np.abs(matrix), axis=1))
    tau, late = _taus(rng, 2)
    return add_neutral_delays(add_delay(network, late), [matrix], [tau])


def _network(rng: np.random.Generator, most: int = MOST) -> Network:
    n = int(rng.integers(2, most + 1))
    weights = 2.0 * rng.normal(size=(n, n)) / np.sqrt(n)
    if rng.uniform() < 1.0 / 3.0:
        weights = -np.abs(weights)
    return Network(
        weights=weights,
        resistance=2.0 ** rng.uniform(-0.5, 0.5, n),
        capacitance=2.0 ** rng.uniform(-0.5, 0.5, n),
        gain=Tanh(gain=4.0 ** rng.uniform(size=n)),
        bias=0.5 * rng.normal(size=n),
        initial=rng.uniform(-1.0, 1.0, n),
        siemens_per_unit=CIRCUIT_UNITS.siemens_per_unit,
        seconds_per_unit=CIRCUIT_UNITS.seconds_per_unit,
    )


def _taus(rng: np.random.Generator, *shape: int) -> Array:
    """Return delays of 0.1 to 1 unit of time."""
    return np.asarray(10.0 ** rng.uniform(-1.0, 0.0, shape))
