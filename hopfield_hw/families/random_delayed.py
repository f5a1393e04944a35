"""Random delayed networks, of each kind of delay, for holding machines against each other."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

import numpy as np

from ..arrays import Array
from ..errors import InputError
from ..gain import Tanh
from ..graph import Graph
from ..network import Network
from ..signals import Signal
from .delayed import delayed, delayed_by_edge, distributed, neutral

R, C = 1e4, 1e-7


def random_delayed(rng: np.random.Generator, kind: str) -> Graph:
    """Return a network of 2 to 6 neurons with delays of one kind (a key of DELAYED_KINDS), of 0.1 to 1 R C.

    With a delay for each edge there are 2 to 4 neurons. One network in three is all-inhibitory. Gains go from 1 to 4,
    and R C is near 1 ms. Raises InputError for an unknown kind.
    """
    if kind not in DELAYED_KINDS:
        raise InputError(f"kind {kind!r:.60}: must be one of {', '.join(DELAYED_KINDS)}")
    n = int(rng.integers(2, 5 if kind == "by_edge" else 7))
    weights = 2.0 * rng.normal(size=(n, n)) / np.sqrt(n)
    if rng.uniform() < 1.0 / 3.0:
        weights = -np.abs(weights)
    network = Network(
        weights=weights / R,
        resistance=R * 2.0 ** rng.uniform(-0.5, 0.5, n),
        capacitance=C * 2.0 ** rng.uniform(-0.5, 0.5, n),
        gain=Tanh(gain=4.0 ** rng.uniform(size=n)),
        bias=0.5 * rng.normal(size=n) / R,
        initial=rng.uniform(-1.0, 1.0, n),
    )
    return DELAYED_KINDS[kind](network, rng)


def _taus(rng: np.random.Generator, *shape: int) -> Array:
    """Return delays of 0.1 to 1 R C."""
    return np.asarray(R * C * 10.0 ** rng.uniform(-1.0, 0.0, shape))


def _one(network: Network, rng: np.random.Generator) -> Graph:
    return delayed(network, float(_taus(rng)))


def _by_edge(network: Network, rng: np.random.Generator) -> Graph:
    return delayed_by_edge(network, _taus(rng, network.size, network.size))


def _varying(network: Network, rng: np.random.Generator) -> Graph:
    times = R * C * np.linspace(0.0, 20.0, int(rng.integers(3, 9)))
    return delayed(network, Signal(times=times, values=_taus(rng, times.size)))


def _distributed(network: Network, rng: np.random.Generator) -> Graph:
    return distributed(network, float(_taus(rng)), order=int(rng.integers(1, 7)))


def _neutral(network: Network, rng: np.random.Generator) -> Graph:
    matrix = rng.normal(size=(network.size, network.size))
    matrix *= rng.uniform(0.2, 0.6) / np.max(np.sum(np.abs(matrix), axis=1))
    tau, late = _taus(rng, 2)
    return neutral(delayed(network, late), [matrix], [tau])


DELAYED_KINDS: Mapping[str, Callable[[Network, np.random.Generator], Graph]] = MappingProxyType(
    {"one": _one, "by_edge": _by_edge, "varying": _varying, "distributed": _distributed, "neutral": _neutral}
)
