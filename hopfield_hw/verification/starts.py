"""Starts and inputs chosen by verify, which show what the run asked for does not."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from ..equations import Along, Program, Watch, Waveform, program_of, solve
from ..graph import Activate, Graph, Hold, Input, Leak
from ..values.arrays import Array
from ..values.errors import AccuracyError, SimulatorTimeout
from ..values.grids import uniform_grid
from ..values.signals import Signal
from .coverage import Coverage, Devices
from .effects import Effects
from .steps import Run

SEED = 1982
# How many starts are tried in the equation, how many are run at most beside the first pair, how many pairs are tried,
# and at how many points of time.
CANDIDATES = 16
MOST = 2
TRIES = 4
POINTS = 201
RTOL = 1e-5
# What the equation may take for it, seconds.
PATIENCE = 5.0
# A start from which the equation goes further than this many times the range is not one for a circuit.
FAR = 20.0
# What has Holds is to stay within so many times what it took.
WITHIN = 1.5
# A start is worth a run where it shows this part of the devices more.
WORTH = 1e-9


class Start(NamedTuple):
    """Where a run chosen by verify starts, (n,), volts, and what drives it."""

    states: Array
    inputs: Signal | None


def choose(
    network: Graph,
    devices: Devices,
    seen: Coverage,
    signal: Signal | None,
    extent: Array,
    states: Array,
    limit: float,
    *,
    goal: float,
    t_stop: float,
    other_inputs: bool,
) -> list[Start]:
    """Return the starts of a verification's own: a pair of any kind, and those that show most of what is not seen.

    The pair has states and inputs that all differ, and the same with the other sign: devices between two waveforms
    that are alike in the run asked for, and curves beyond what it reached, show in no other. Those that show what is
    not seen to `goal` are found in the equation alone. `states`: (times, n), what the run took; `t_stop`: how long
    one of these runs is, seconds.
    """
    rng = np.random.default_rng(SEED)
    drives = list(_drives(network, signal, rng)) if other_inputs else [signal]
    if network.kind != "ode":
        return _inside(network, drives, np.max(np.abs(states), axis=0), t_stop, rng)
    reach = np.maximum(np.max(np.abs(states), axis=0), _turning(network))
    found = _pair(network, drives, reach, t_stop, extent, rng)
    for start, path in found:
        seen = seen.join(_predict(network, devices, start.inputs, path, extent, limit))
    chosen = [start for start, _ in found]
    if seen.share(goal) == 1.0:
        return chosen
    tried = []
    for drive in drives:
        rows = _candidates(states, reach, rng)
        tried += [(Start(path.states[0], drive), path) for path in _follow(network, drive, rows, t_stop, extent)]
    coverages = [_predict(network, devices, start.inputs, path, extent, limit) for start, path in tried]
    for _ in range(MOST):
        shares = [seen.join(each).share(goal) for each in coverages]
        best = int(np.argmax(shares)) if shares else 0
        if not shares or shares[best] <= seen.share(goal) + WORTH:
            break
        seen = seen.join(coverages.pop(best))
        chosen.append(tried.pop(best)[0])
    return chosen


def _pair(
    network: Graph, drives: list[Signal | None], reach: Array, end: float, extent: Array, rng: np.random.Generator
) -> list[tuple[Start, Waveform]]:
    """Return two starts of opposite signs from which the equation stays within reach, and its waveforms."""
    found: list[tuple[Start, Waveform]] = []
    for _ in range(TRIES):
        x0 = _unequal(reach, rng)
        found = []
        for sign, drive in zip((1.0, -1.0), (drives[-1], drives[-2] if len(drives) > 1 else drives[-1]), strict=True):
            paths = _follow(network, drive, sign * x0[np.newaxis], end, extent)
            found += [(Start(path.states[0], drive), path) for path in paths]
        if len(found) == 2:
            break
    return found


def _inside(
    network: Graph, drives: list[Signal | None], reach: Array, t_stop: float, rng: np.random.Generator
) -> list[Start]:
    """Return a pair of starts of a map, or of an equation with Holds or Delays, that stays about where the run was."""
    x0 = _unequal(reach, rng)
    for _ in range(TRIES):
        pair = [Start(x0, drives[-1]), Start(-x0, drives[-2] if len(drives) > 1 else drives[-1])]
        try:
            paths = [solve(_start_at(network, start.states), t_stop=t_stop, inputs=start.inputs) for start in pair]
            furthest = max(float(np.max(np.abs(path["state"].to_numpy()))) for path in paths)
            if furthest <= (FAR if network.kind == "dde" else WITHIN) * float(np.max(reach)):
                return pair
        except (AccuracyError, SimulatorTimeout):
            pass
        x0 = 0.5 * x0
    return []


def _start_at(network: Graph, states: Array) -> Graph:
    """Return the graph with other initial states: those of the Leaks, then of the Holds."""
    keepers = [*network.of_type(Leak), *network.of_type(Hold)]
    ends = np.cumsum([op.output_size for op in keepers])
    initial = {op.name: states[end - op.output_size : end] for op, end in zip(keepers, ends.tolist(), strict=True)}
    operators = tuple(
        replace(op, initial=initial[op.name]) if isinstance(op, Leak | Hold) else op for op in network.operators
    )
    return replace(network, operators=operators)


def _unequal(reach: Array, rng: np.random.Generator) -> Array:
    """Return states that all differ, half of them of each sign, (n,)."""
    size = rng.permutation(np.linspace(0.35, 1.0, reach.size))
    sign = rng.permutation(np.where(np.arange(reach.size) % 2, -1.0, 1.0))
    return np.asarray(reach * size * sign)


def _drives(network: Graph, signal: Signal | None, rng: np.random.Generator) -> Iterator[Signal | None]:
    """Yield the inputs as they are, and two of constants that all differ, of opposite signs."""
    yield signal
    size = sum(op.size for op in network.of_type(Input))
    if size:
        scale = 1.0 if signal is None else max(float(np.max(np.abs(signal.values))), 1e-3)
        volts = _unequal(np.full(size, scale), rng)
        for sign in (1.0, -1.0):
            yield Signal(times=np.zeros(1), values=sign * volts[np.newaxis])


def _candidates(states: Array, reach: Array, rng: np.random.Generator) -> Array:
    """Return starts, (CANDIDATES, n): within what the states took, and out to where the functions have turned."""
    inside = rng.uniform(np.min(states, axis=0), np.max(states, axis=0), (CANDIDATES // 4, reach.size))
    wide = rng.uniform(-1.0, 1.0, (CANDIDATES - len(inside), reach.size)) * reach
    return np.concatenate([inside, wide])


def _turning(network: Graph) -> float:
    """Return an argument, volts, at which the functions have gone most of their way; 0 where none is bounded."""
    steps = 10.0 ** np.arange(-4.0, 3.0)
    found = [0.0]
    for activate in network.of_type(Activate):
        value, ones = activate.function.value, np.ones(activate.size)
        spans = [float(np.max(np.abs(value(s * ones) - value(-s * ones)))) for s in steps]
        last = spans[-1]
        if np.isfinite(last) and last > 0.0 and last < 2.0 * spans[-2]:
            found.append(float(steps[int(np.argmax(np.array(spans) > 0.7 * last))]))
    return max(found)


def _follow(network: Graph, signal: Signal | None, rows: Array, end: float, extent: Array) -> Iterator[Waveform]:
    """Yield the waveforms of the equation from the starts from which it stays within reach."""
    program, grid = program_of(network, signal), uniform_grid(end, POINTS)
    most = FAR * float(np.max(extent))
    watch = Watch(network, PATIENCE, end, what="verify")
    try:
        paths = list(program.follow(rows, grid, RTOL, watch))
    except SimulatorTimeout:
        return
    except AccuracyError:  # one of them goes off; the others are worth asking alone
        paths = list(_follow_each(program, rows, grid, watch))
    for path in paths:
        reach = float(np.max(np.abs(path)))
        if np.isfinite(reach) and reach < max(most, 2.0 * float(np.max(np.abs(path[0])))):
            yield Waveform(grid, path)


def _follow_each(program: Program, rows: Array, grid: Array, watch: Watch) -> Iterator[Array]:
    for x0 in rows:
        try:
            yield from program.follow(x0[np.newaxis], grid, RTOL, watch)
        except AccuracyError:
            continue
        except SimulatorTimeout:
            return


def _predict(
    network: Graph, devices: Devices, signal: Signal | None, path: Waveform, extent: Array, limit: float
) -> Coverage:
    run = Run(
        graph=network,
        along=Along(network, signal, path),
        times=path.times,
        states=path.states,
        outputs=np.zeros((len(path.times), 0)),
        held=np.zeros((0, 0)),
        shown=np.zeros((0, 0)),
        decays=False,
    )
    return devices.coverage(Effects(run, extent), limit)
