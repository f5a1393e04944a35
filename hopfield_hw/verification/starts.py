"""Starts and inputs of verify's own choice, which show what the run asked for does not."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

import numpy as np

from ..arrays import Array
from ..circuit import Circuit
from ..engines.transient import AccuracyWarning, Deck, circuit_deck, measured_waves
from ..errors import AccuracyError, SimulatorError, SimulatorTimeout
from ..graph import Activate, Graph, Input
from ..reference import Along, Program, Watch, Waveform, integrate_program
from ..signals import Signal
from ..waves import uniform_grid
from .coverage import Coverage, Devices
from .effects import Effects
from .steps import Run, make_run

SEED = 1982
# How many starts are tried in the equation, how many are run at most, for how many time constants, at how many points.
CANDIDATES = 16
MOST = 3
LENGTH = 3.0
POINTS = 201
RTOL = 1e-5
# What the equation may take for it, seconds.
PATIENCE = 5.0
# A start from which the equation goes further than this many times the range is not one for a circuit.
FAR = 20.0
# A start is worth a run where it shows this part of the devices more.
WORTH = 1e-9


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
    other_inputs: bool,
) -> list[tuple[Array, Signal | None]]:
    """Return the starts, with their inputs, that show most of what is not seen to `goal`, found in the equation alone.

    `states`: (times, n), what the run took; the starts lie in its range, and where the functions move.
    """
    if network.kind != "ode" or seen.share(goal) == 1.0:
        return []
    rng = np.random.default_rng(SEED)
    tried = []
    for drives in _drives(network, signal, rng) if other_inputs else [signal]:
        rows = _candidates(network, states, rng)
        end = LENGTH * _longest(network, states)
        tried += [(x0, drives, path) for x0, path in _followed(network, drives, rows, end, extent)]
    found: list[tuple[Array, Signal | None]] = []
    coverages = [_predicted(network, devices, drives, path, extent, limit) for _, drives, path in tried]
    while len(found) < MOST and coverages:
        shares = [seen.joined(each).share(goal) for each in coverages]
        best = int(np.argmax(shares))
        if shares[best] <= seen.share(goal) + WORTH:
            break
        seen = seen.joined(coverages.pop(best))
        x0, drives, _ = tried.pop(best)
        found.append((x0, drives))
    return found


def scattered(states: Array, count: int) -> list[Array]:
    """Return random starts within twice the range that the states of a run took, for a circuit that is at fault."""
    rng = np.random.default_rng(SEED)
    reach = max(float(np.max(np.abs(states))), 0.1)
    return list(rng.uniform(-reach, reach, (count, states.shape[1])))


def run_from(
    network: Graph,
    deck: Deck,
    x0: Array,
    signal: Signal | None,
    off: Callable[[Run], float],
    *,
    t_stop: float,
    whole: float,
    accuracy: float,
    timeout: float,
) -> Run | None:
    """Return the run of a deck from a start; None where the simulator does not deliver.

    `off`: by how much a run leaves its equation; its steps are halved until this is small, or they do not help.
    `whole`: as for `measured_waves`.
    """
    nodes = {probe.node: float(x) / probe.scale for probe, x in zip(deck.states, x0, strict=True)}
    started = replace(deck, initial={**deck.initial, **nodes})
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", AccuracyWarning)
            waves = measured_waves(
                started,
                t_stop=t_stop,
                whole=whole,
                accuracy=accuracy,
                timeout=timeout,
                error=lambda found: off(make_run(network, signal, found)),
            )
    except SimulatorError:
        return None
    return make_run(network, signal, waves)


def _longest(network: Graph, states: Array) -> float:
    along = Along(network, None, Waveform(np.zeros(1), states[:1]))
    rates = np.concatenate([np.ravel(rate) for _, rate in along.rates.values()])
    return float(1.0 / np.min(rates[rates > 0.0])) if np.any(rates > 0.0) else np.nan


def _drives(network: Graph, signal: Signal | None, rng: np.random.Generator) -> Iterator[Signal | None]:
    """Yield the inputs as they are, and constant ones that move all of them."""
    yield signal
    size = sum(op.size for op in network.of_type(Input))
    if size:
        volts = rng.uniform(0.5, 1.0, size) * rng.choice([-1.0, 1.0], size)
        scale = 1.0 if signal is None else max(float(np.max(np.abs(signal.values))), 1e-3)
        yield Signal(times=np.zeros(1), values=scale * volts[np.newaxis])


def _candidates(network: Graph, states: Array, rng: np.random.Generator) -> Array:
    """Return starts, (CANDIDATES, n): within what the states took, and out to where the functions have turned."""
    low, high = np.min(states, axis=0), np.max(states, axis=0)
    inside = rng.uniform(low, high, (CANDIDATES // 4, low.size))
    reach = np.maximum(np.maximum(np.abs(low), np.abs(high)), _turned(network))
    wide = rng.uniform(-1.0, 1.0, (CANDIDATES - len(inside), low.size)) * reach
    return np.concatenate([inside, wide])


def _turned(network: Graph) -> float:
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


def _followed(
    network: Graph, signal: Signal | None, rows: Array, end: float, extent: Array
) -> Iterator[tuple[Array, Waveform]]:
    """Yield the starts from which the equation stays within reach, and the waveform."""
    if not np.isfinite(end):
        return
    program, grid = Program([network], signal), uniform_grid(end, POINTS)
    most = FAR * float(np.max(extent))
    watch = Watch(network, PATIENCE, end, what="verify")
    try:
        paths = list(integrate_program(program, rows, grid, RTOL, watch))
    except SimulatorTimeout:
        return
    except AccuracyError:  # one of them goes off; the others are worth asking alone
        paths = list(_alone(program, rows, grid, watch))
    for path in paths:
        reach = float(np.max(np.abs(path)))
        if np.isfinite(reach) and reach < max(most, 2.0 * float(np.max(np.abs(path[0])))):
            yield path[0], Waveform(grid, path)


def _alone(program: Program, rows: Array, grid: Array, watch: Watch) -> Iterator[Array]:
    for x0 in rows:
        try:
            yield from integrate_program(program, x0[np.newaxis], grid, RTOL, watch)
        except AccuracyError:
            continue
        except SimulatorTimeout:
            return


def _predicted(
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


def more_runs(
    network: Graph,
    circuit: Circuit,
    deck: Deck,
    starts: Sequence[tuple[Array, Signal | None]],
    signal: Signal | None,
    off: Callable[[Run], float],
    *,
    t_stop: float,
    whole: float,
    accuracy: float,
    timeout: float,
) -> list[tuple[Array, Run]]:
    """Return the starts, with their inputs, from which the simulator delivers a run of a deck, and these runs.

    `off`, `whole`: as for `run_from`.
    """
    found = []
    for x0, drives in starts:
        driven = deck if drives is signal else replace(circuit_deck(circuit, drives), initial=deck.initial)
        run = run_from(network, driven, x0, drives, off, t_stop=t_stop, whole=whole, accuracy=accuracy, timeout=timeout)
        found += [] if run is None else [(x0, run)]
    return found
