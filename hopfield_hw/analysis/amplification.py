"""How a network amplifies small errors by itself: up to when a comparison of waveforms means something."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from ..graph import Graph, in_si
from ..reference import Program, input_signal, integrate_program, stop_time
from ..waves import uniform_grid

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


def amplification(graph: Graph, *, t_stop: float | None = None, inputs: Any = None, seed: int = SEED) -> Amplification:
    """Follow four random perturbations of the initial state, each of 1e-6 of the range, in the reference alone.

    Returns the time at which the worst of them has grown 100-fold (t_stop where none has) and the largest growth. The
    size of a perturbation is its root mean square over the neurons, each in units of the largest range.
    """
    network = in_si(graph)
    end = stop_time(network, t_stop)
    program = Program([network], input_signal(network, inputs))
    if program.size == 0:
        return Amplification(end, False, 1.0)
    rng = np.random.default_rng(seed)
    grid = uniform_grid(end, POINTS)
    nominal = integrate_program(program, program.initial[np.newaxis], grid, 1e-6)[0]
    extent = max(float(np.max(np.ptp(nominal, axis=0))), 1e-12)
    kicks = rng.normal(size=(PERTURBATIONS, program.size))
    kicks *= SIZE * extent / np.sqrt(np.mean(kicks**2, axis=1, keepdims=True))
    rows = np.vstack([program.initial, program.initial + kicks])
    paths = integrate_program(program, rows, grid, RTOL)
    apart = np.sqrt(np.mean((paths[1:] - paths[0]) ** 2, axis=2)) / (SIZE * extent)
    worst = np.max(apart, axis=0)
    grown = np.flatnonzero(worst >= GROWTH)
    gate = float(grid[max(int(grown[0]) - 1, 0)]) if grown.size else end
    return Amplification(gate, bool(grown.size), float(np.max(worst)))
