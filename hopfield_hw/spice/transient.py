"""Transient simulation in ngspice, refined until a self-check agrees to the accuracy asked for."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import xarray as xr

from ..cells import Cell
from ..circuit import Circuit, Probe, Settling
from ..equations import Growth
from ..graph import Clock, Graph, HasGraph, Leak
from ..graph.usual_values import warn_of_stop
from ..lowering import lower
from ..processes import TIMEOUT
from ..values.arrays import Array, positive
from ..values.datasets import make_dataset
from ..values.errors import InputError
from ..values.grids import period_grid, uniform_grid
from ..values.measures import check_accuracy, nrmse
from ..values.signals import as_signal
from .convergence import run_until_converged
from .dialects import write
from .dialects.ngspice import format_transient
from .ngspice import find, run
from .options import GMIN_OF_NGSPICE, Settings, settings_for
from .pace import Zone, all_pauses, outrun, start_zone, uncertain
from .sampling import read_unsettled, resample

POINTS = 2001
# Halvings of the step after the first pair of runs.
REFINEMENTS = 4
# Halving the step divides the error by this once steps are short enough, as the method is of second order; by the first
# of the pair it is taken to be divided until two halvings have shown by how much.
UNKNOWN_ORDER, SECOND_ORDER = 2.0, 4.0
SLOWEST = 1.25
# Where this many halvings in a row have not brought a measure down by this much, shorter steps do not help.
LEAST_GAIN, IN_VAIN = 1.5, 2
# KLU is for circuits of more devices to a node than this. In ngspice 44 dense networks of 100 neurons ran four times as
# fast with it, but a grid of 32 x 32 cells up to fifteen times as slow, as its order fills a sparse matrix up; and it
# does not converge where switches close.
DENSE = 10
# Where nothing says how fast deviations grow, a run begins with so short a part of its longest step.
FIRST = 1e-3
# A run that takes more steps than this, for each of the longest and in all, gets nowhere: ngspice 39 was seen to take
# millions of steps of one size where rounding keeps it from a tolerance, and not to give up.
MOST_STEPS, FREE_STEPS = 300.0, 100_000.0
# Runs that are repeated with shorter steps where something grows unseen.
PACED = 6


class AccuracyWarning(UserWarning):
    """The self-check did not agree to the accuracy asked for, or a clock is too fast for what it samples."""


@dataclass(frozen=True, kw_only=True)
class Deck:
    """A circuit as text, what to probe in it, and where its states start.

    `text`: device lines (and `.model`, `.subckt`, `.param`), without analysis. `initial`: node voltages at t = 0.
    `clock`, `settling`: as for a Circuit. `shortest_delay`: of the transmission lines, seconds; steps must be shorter.
    `klu`: whether KLU, where ngspice has it, is the solver to take. `macro_models`: whether op-amps are such, for which
    the tightest tolerances are too tight. Of a deck that someone gave: `stated`, the options
    that it sets itself; `starts`, its statements that may start a node elsewhere than `initial` says (`IC=`), each with
    its line; `notes`, what to tell of it. `growth`: how fast deviations of the
    states grow by themselves, where the graph is known that the circuit realises.
    """

    text: str
    states: tuple[Probe, ...]
    outputs: tuple[Probe, ...]
    initial: Mapping[str, float]
    attrs: Mapping[str, Any]
    clock: Clock | None = None
    settling: tuple[Settling, ...] = ()
    shortest_delay: float = np.inf
    klu: bool = False
    macro_models: bool = False
    stated: frozenset[str] = frozenset()
    starts: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    growth: Growth | None = field(default=None, compare=False)


def simulate(
    circuit: Circuit | Graph | HasGraph,
    *,
    cell: str | Cell | None = None,
    t_stop: float | None = None,
    inputs: Any = None,
    accuracy: float = 1e-4,
    points: int | None = None,
    timeout: float = TIMEOUT,
    keep: Path | None = None,
) -> xr.Dataset:
    """Return state and output of a circuit over (time, neuron), from ngspice.

    A network (a Graph, or anything with a method `graph`) is lowered before, in the cell `ideal` or in `cell`.
    `t_stop`: seconds, positive; 20 max(R C) by default. `inputs`: a Signal, a number, or (m,) constants, volts.
    `accuracy`: NRMSE; maximum step and tolerances follow from it, and are refined until the error left, estimated from
    runs with a step and with half of it (`attrs["self_check"]`), is at most half of it; an AccuracyWarning says so
    where it is not. `timeout`: seconds for each run. `keep`: a folder for the last run's deck, log and raw file, which
    are otherwise removed. `points`: uniform times from 0 to t_stop, 2,001 by default.

    A clocked circuit is read once a period, at its end, and `time` is its start, k T up to t_stop, unless `points` asks
    for the waveform; where what it samples has not settled to the accuracy, an AccuracyWarning says so.

    Raises InputError for wrong arguments, and a SimulatorError where ngspice does not deliver.
    """
    if not isinstance(circuit, Circuit):
        circuit = lower(circuit, cell="ideal" if cell is None else cell)
    elif cell is not None:
        raise InputError("`cell`: the circuit is lowered already; leave it out, or give the network")
    end = stop_time(circuit, t_stop)
    warn_of_stop(end, circuit.time_constant, inputs)
    return simulate_deck(
        circuit_deck(circuit, inputs),
        t_stop=end,
        accuracy=accuracy,
        points=points,
        timeout=float(positive(timeout, "timeout", shape=(), unit="s")),
        keep=keep,
    )


def circuit_deck(circuit: Circuit, inputs: Any = None) -> Deck:
    """Return the deck of a circuit with its inputs driven."""
    return Deck(
        text=write(circuit.driven(inputs), "ngspice"),
        states=circuit.states,
        outputs=circuit.outputs,
        initial=circuit.initial,
        attrs={"machine": "ngspice", "cell": circuit.cell, "graph": circuit.graph_hash},
        clock=circuit.clock,
        settling=circuit.settling,
        shortest_delay=circuit.shortest_delay,
        klu=circuit.clock is None and len(circuit.devices) > DENSE * circuit.node_count,
        macro_models=circuit.macro_models,
        growth=_growth(circuit, inputs),
    )


def _growth(circuit: Circuit, inputs: Any) -> Growth | None:
    if circuit.graph is None or not circuit.graph.of_type(Leak):
        return None
    return Growth(circuit.graph, None if inputs is None else as_signal(inputs, "inputs", len(circuit.inputs)))


def stop_time(circuit: Circuit, t_stop: float | None) -> float:
    """Return t_stop, or 20 max(R C) where it is None."""
    if t_stop is not None:
        return float(positive(t_stop, "t_stop", shape=(), unit="s"))
    if not np.isfinite(circuit.time_constant):
        raise InputError("`t_stop`: the circuit has no finite time constant R C; say for how long to run, in seconds")
    return 20.0 * circuit.time_constant


def simulate_deck(
    deck: Deck,
    *,
    t_stop: float,
    accuracy: float = 1e-4,
    points: int | None = None,
    timeout: float = TIMEOUT,
    keep: Path | None = None,
) -> xr.Dataset:
    """Return state and output of a deck; see `simulate`."""
    return simulate_waves(deck, t_stop=t_stop, accuracy=accuracy, points=points, timeout=timeout, keep=keep)[0]


def simulate_waves(
    deck: Deck,
    *,
    t_stop: float,
    accuracy: float = 1e-4,
    points: int | None = None,
    timeout: float = TIMEOUT,
    keep: Path | None = None,
    error: Callable[[Waves], float] | None = None,
) -> tuple[xr.Dataset, Waves]:
    """Return what `simulate_deck` does, and with it the waves of the finest run, at ngspice's own time points too.

    `error`: another measure of a run, which is to come to half of the accuracy too. A measure counts as it is where
    shorter steps no longer make it smaller: of the self-check where the network amplifies small errors, of the other
    one where the circuit is wrong; an AccuracyWarning speaks of the self-check where there is no other.
    """
    goal = check_accuracy(accuracy, "accuracy")
    times, grid = choose_grids(deck.clock, t_stop, points)
    settings = settings_for(goal, float(grid[-1]), deck)
    zones = _start_zones(deck, settings)
    fine, settings = _run_paced(deck, settings, grid, timeout, keep, zones)
    difference: float | None = None
    off, in_vain = np.inf if error is None else error(fine), 0
    for _ in range(1 + REFINEMENTS):
        coarse = fine
        fine, settings = _run_paced(deck, settings.halve(), grid, timeout, keep, zones)
        before, difference = difference, nrmse(fine.states, coarse.states)
        check = _left(before, difference)
        if error is None:
            if check <= goal / 2.0:
                break
            continue
        off_before, off = off, error(fine)
        in_vain = in_vain + 1 if before is not None and difference > before / LEAST_GAIN else 0
        agrees = check <= goal / 2.0 or in_vain == IN_VAIN
        if agrees and (off <= goal / 2.0 or off > off_before / LEAST_GAIN):
            break
    else:
        warnings.warn(
            f"ngspice: with steps of {settings.step:.3g} s the waveform is still off by some {check:.2g} NRMSE, above "
            f"half of the accuracy {goal:g} asked for; the network may amplify errors by itself",
            AccuracyWarning,
            stacklevel=3,
        )
    if settings.gmin > GMIN_OF_NGSPICE:
        warnings.warn(
            f"ngspice: converges only with gmin={settings.gmin:g} S, a conductance across each junction, so that the "
            "circuit is not quite the one given; give its nodes capacitances to ground",
            AccuracyWarning,
            stacklevel=2,
        )
    if deck.growth is not None and (zone := uncertain(deck.growth, zones, fine.own_times, fine.own_states)):
        warnings.warn(
            f"ngspice: from t = {zone.times[0]:.6g} s on the state leaves a point of balance, from so near to it that "
            "roundings choose the way that it goes; start it further from that point, or break the symmetry",
            AccuracyWarning,
            stacklevel=3,
        )
    for note in describe_unsettled("ngspice", fine.unsettled, goal):
        warnings.warn(note, AccuracyWarning, stacklevel=2)
    attrs = {**deck.attrs, "accuracy": goal, "self_check": check, "step": settings.step, "version": find().version}
    dataset = make_dataset(
        times,
        fine.states,
        fine.outputs,
        neurons=[probe.label for probe in deck.states],
        ports=[probe.label for probe in deck.outputs],
        attrs=attrs,
    )
    return dataset, fine


def measure_waves(
    deck: Deck,
    *,
    t_stop: float,
    whole: float,
    accuracy: float,
    timeout: float,
    error: Callable[[Waves], float] | None,
) -> Waves:
    """Return the waves of the first run whose `error` is at most half of the accuracy, or that no shorter step helps.

    There is no self-check: `error` has to see what a run is off by, as the residual of an equation does; without it
    the first run is returned. `whole`: the length of a run whose steps are taken first, seconds.
    """
    _, grid = choose_grids(deck.clock, t_stop, None)
    settings = settings_for(accuracy, max(whole, float(grid[-1])), deck)
    zones = _start_zones(deck, settings)
    off, in_vain = np.inf, 0
    for _ in range(2 + REFINEMENTS):
        waves, settings = _run_paced(deck, settings, grid, timeout, None, zones)
        if error is None:
            break
        before, off = off, error(waves)
        in_vain = in_vain + 1 if off > before / LEAST_GAIN else 0
        if off <= accuracy / 2.0 or in_vain == IN_VAIN:
            break
        settings = settings.halve()
    return waves


def _start_zones(deck: Deck, settings: Settings) -> list[Zone]:
    if deck.growth is None:
        return []
    return start_zone(deck.growth, _begin(deck), settings.step)


def _begin(deck: Deck) -> Array:
    """Return where the states start, (n,), volts."""
    return np.array([probe.scale * deck.initial.get(probe.node, 0.0) for probe in deck.states])


def _run_paced(
    deck: Deck, settings: Settings, grid: Array, timeout: float, keep: Path | None, zones: list[Zone]
) -> tuple[Waves, Settings]:
    """Return a run in whose steps nothing grows unseen, and its settings; what it takes is added to `zones`."""
    for attempt in range(1 + PACED):
        pauses = all_pauses(zones, settings.way, float(grid[-1]))
        waves, settings = run_converged(deck, settings, grid, timeout, keep, pauses)
        found = [] if deck.growth is None else outrun(deck.growth, waves.own_times, waves.own_states)
        if not found or attempt == PACED:
            break
        zones += found
    if found:
        zone = found[0]
        warnings.warn(
            f"ngspice: from t = {zone.times[0]:.6g} s on the state stays where deviations grow by e in "
            f"{1.0 / zone.rates[0]:.3g} s, less than a step; which way it goes hangs on roundings: start it further "
            "from the point of balance",
            AccuracyWarning,
            stacklevel=4,
        )
    return waves, settings


def _left(before: float | None, difference: float) -> float:
    """Return the error left in the finest of two or three runs, from how far each is from the one before."""
    if difference == 0.0:
        return 0.0
    ratio = UNKNOWN_ORDER if before is None else min(max(before / difference, SLOWEST), SECOND_ORDER)
    return difference / (ratio - 1.0)


def choose_grids(clock: Clock | None, t_stop: float, points: int | None) -> tuple[Array, Array]:
    """Return the times that a result has, and when it is read, once a period of a clock unless it has `points`."""
    if clock is None or points is not None:
        grid = uniform_grid(t_stop, POINTS if points is None else points)
        return grid, grid
    return period_grid(clock.period, t_stop)


def describe_unsettled(engine: str, unsettled: float, goal: float) -> list[str]:
    """Return what to warn of where what is sampled is off by more than the accuracy."""
    if unsettled <= goal:
        return []
    return [
        f"{engine}: at the end of a period, what is sampled is still off by {unsettled:.2g} of its range, above the "
        f"accuracy {goal:g} asked for; the clock is too fast: take a longer period, or faster switches"
    ]


class Waves(NamedTuple):
    """States and outputs of one run: on a grid, (times, n), and at ngspice's own time points, with 0 before them.

    `unsettled`: what of a clocked circuit has not settled at the end of a period, a part of its range.
    """

    states: Array
    outputs: Array
    unsettled: float
    own_times: Array
    own_states: Array
    own_outputs: Array


def run_converged(
    deck: Deck, settings: Settings, grid: Array, timeout: float, keep: Path | None, pauses: Sequence[float] = ()
) -> tuple[Waves, Settings]:
    """Return states and outputs on a grid from one run that converges, and its settings: these or looser ones.

    `pauses`: as for `format_transient`.
    """
    return run_until_converged(lambda chosen: _run(deck, chosen, grid, timeout, keep, pauses), settings, keep=keep)


def _run(
    deck: Deck, settings: Settings, grid: Array, timeout: float, keep: Path | None, pauses: Sequence[float]
) -> Waves:
    t_stop = float(grid[-1])
    nodes = [*(probe.node for probe in (*deck.states, *deck.outputs)), *(part.node for part in deck.settling)]
    options = settings.options(klu=deck.klu and find().klu, stated=deck.stated)
    # Corners closer than 5e-5 of the longest step are one.
    step = min([settings.step, *(1e4 * gap for gap in np.diff(pauses, prepend=0.0).tolist())])
    first = FIRST * step if deck.growth is None else min([step, *pauses[:1], deck.growth.first_step(_begin(deck))])
    analysis = format_transient(
        deck.initial, nodes, t_stop=t_stop, step=step, options=options, first=first, pauses=pauses
    )
    most = int(MOST_STEPS * t_stop / step + FREE_STEPS) * (1 + len(nodes))
    plot = run(deck.text + analysis, t_stop=t_stop, timeout=timeout, keep=keep, most_numbers=most)
    left = 0.0 if deck.clock is None else read_unsettled(plot, deck.settling, deck.clock.period, t_stop)
    probes = (*deck.states, *deck.outputs)
    begins = [deck.initial.get(probe.node, np.nan) for probe in deck.states] + [np.nan] * len(deck.outputs)
    own_times, own, on_grid = resample(plot, probes, np.array(begins), grid, straight=deck.clock is not None)
    n = len(deck.states)
    return Waves(on_grid[:, :n], on_grid[:, n:], left, own_times, own[:, :n], own[:, n:])
