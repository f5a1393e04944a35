"""How a network amplifies small errors by itself: up to when a comparison of waveforms means something."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from ..equations import TIMEOUT, Watch, input_signal, program_of, stop_time
from ..graph import Graph
from ..transforms import in_si

PERTURBATIONS = 4
SIZE = 1e-6  # of the range
GROWTH = 100.0
POINTS = 201
RTOL = 1e-8  # a hundredth of the perturbations
SEED = 1984


class Amplification(NamedTuple):
    """`gate`: the time, seconds, up to which no perturbation has grown 100-fold; `cut`: whether one did."""

    gate: float
    cut: bool
    growth: float


def amplification(
    graph: Graph, *, t_stop: float | None = None, inputs: Any = None, seed: int = SEED, timeout: float = TIMEOUT
) -> Amplification:
    """Follow four random perturbations of the initial state, each of 1e-6 of the range, in the reference alone.

    Returns the time at which the worst of them has grown 100-fold (t_stop where none has) and the largest growth. The
    size of a perturbation is its root mean square over the neurons, each in units of the largest range. `timeout`: as
    for `reference`.
    """
    network = in_si(graph)
    end = stop_time(network, t_stop)
    program, watch = program_of(network, input_signal(network, inputs)), Watch(network, timeout, end)
    grid, _ = program.grids(end, POINTS)
    initial = program.initial
    if initial.size == 0:
        return Amplification(end, False, 1.0)
    rng = np.random.default_rng(seed)
    nominal = program.follow(initial[np.newaxis], grid, 1e-6, watch)[0]
    extent = max(float(np.max(np.ptp(nominal, axis=0))), 1e-12)
    kicks = rng.normal(size=(PERTURBATIONS, initial.size))
    kicks *= SIZE * extent / np.sqrt(np.mean(kicks**2, axis=1, keepdims=True))
    paths = program.follow(np.vstack([initial, initial + kicks]), grid, RTOL, watch)
    apart = np.sqrt(np.mean((paths[1:] - paths[0]) ** 2, axis=2)) / (SIZE * extent)
    worst = np.max(apart, axis=0)
    grown = np.flatnonzero(worst >= GROWTH)
    gate = float(grid[max(int(grown[0]) - 1, 0)]) if grown.size else end
    return Amplification(gate, bool(grown.size), float(np.max(worst)))
