"""How a network amplifies small errors by itself: up to when a comparison of waveforms means something."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple, TypeAlias

import numpy as np

from ..equations import (
    TIMEOUT,
    DelayProgram,
    Program,
    SampledProgram,
    StepProgram,
    Watch,
    input_signal,
    integrate_program,
    stop_time,
)
from ..graph import Graph, Leak
from ..transforms import in_si
from ..values.arrays import Array
from ..values.grids import period_grid, uniform_grid
from ..values.signals import Signal

PERTURBATIONS = 4
SIZE = 1e-6  # of the range
GROWTH = 100.0
POINTS = 201
RTOL = 1e-8  # a hundredth of the perturbations
SEED = 1984

Follow: TypeAlias = "Callable[[Array, float], Array]"


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
    grid, initial, follow = _machine(network, end, input_signal(network, inputs), Watch(network, timeout, end))
    if initial.size == 0:
        return Amplification(end, False, 1.0)
    rng = np.random.default_rng(seed)
    nominal = follow(initial[np.newaxis], 1e-6)[0]
    extent = max(float(np.max(np.ptp(nominal, axis=0))), 1e-12)
    kicks = rng.normal(size=(PERTURBATIONS, initial.size))
    kicks *= SIZE * extent / np.sqrt(np.mean(kicks**2, axis=1, keepdims=True))
    paths = follow(np.vstack([initial, initial + kicks]), RTOL)
    apart = np.sqrt(np.mean((paths[1:] - paths[0]) ** 2, axis=2)) / (SIZE * extent)
    worst = np.max(apart, axis=0)
    grown = np.flatnonzero(worst >= GROWTH)
    gate = float(grid[max(int(grown[0]) - 1, 0)]) if grown.size else end
    return Amplification(gate, bool(grown.size), float(np.max(worst)))


def _machine(network: Graph, end: float, signal: Signal | None, watch: Watch) -> tuple[Array, Array, Follow]:
    """Return a grid, the initial state, and what follows rows of states over the grid, (rows, times, n)."""
    if network.kind == "map":
        steps = StepProgram([network])
        times, _ = period_grid(steps.clock.period, end)
        return times, steps.initial, lambda rows, _: _run_map(steps, rows, times, signal, watch)
    grid = uniform_grid(end, POINTS)
    if network.kind == "sampled":
        sampled = SampledProgram(network, signal)
        return grid, sampled.initial, lambda rows, rtol: _run_sampled(sampled, rows, grid, rtol, watch)
    if network.kind == "dde":
        initial = np.concatenate([np.zeros(0), *(leak.initial for leak in network.of_type(Leak))])
        return grid, initial, lambda rows, rtol: _run_delayed(network, signal, rows, grid, rtol, watch)
    program = Program([network], signal)
    return grid, program.initial, lambda rows, rtol: integrate_program(program, rows, grid, rtol, watch)


def _run_map(steps: StepProgram, rows: Array, times: Array, signal: Signal | None, watch: Watch) -> Array:
    states = [rows]
    for t in times[:-1].tolist():
        watch.look(t, states[-1])
        u = np.zeros(steps.input_size) if signal is None else signal.at(t)
        states.append(steps.step(states[-1], np.broadcast_to(u, (len(rows), u.size)))[0])
    return np.stack(states, axis=1)


def _run_sampled(program: SampledProgram, rows: Array, grid: Array, rtol: float, watch: Watch) -> Array:
    return np.stack([program.states_at(grid, row, rtol=rtol, atol=rtol * 1e-3, watch=watch) for row in rows])


def _run_delayed(network: Graph, signal: Signal | None, rows: Array, grid: Array, rtol: float, watch: Watch) -> Array:
    """Histories stay as they are."""
    program = DelayProgram(network, signal, draws=len(rows))
    solution = program.integrate(rows, float(grid[-1]), rtol=rtol, watch=watch)
    return np.swapaxes(solution.state(grid).reshape(grid.size, *rows.shape), 0, 1)
