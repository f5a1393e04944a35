"""An annealing dynamics as a graph, whose schedules and noise are inputs: the reference, ngspice and op-amps run it."""

from __future__ import annotations

from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np

from ..graph import Graph, Units
from ..graph.building import CIRCUIT_UNITS, network_graph
from ..values.arrays import Array, freeze, whole
from ..values.errors import AccuracyError, InputError
from ..values.signals import Signal
from .dynamics import OFF, Dynamics, Hysteresis
from .latch import add_latch
from .models import GroupedModel, Model, Quadratic, States
from .neurons import RESTART, Neurons
from .presets import as_dynamics
from .program import scale_of
from .schedules import EDGE, Constant, Sawtooth, Schedule, Tabulated

SETTLED = 15.0  # time constants of a restart
MOST_ANNEALS = 10_000
SHORTEST = 1.0  # R C, of an anneal that is restarted
LEVELS = {"ising": (-1, 1), "binary": (0, 1), "grouped": (0, 1)}
UNTOLD = 0.1  # of the range of an output: a latch that is farther from a digital value holds no state
WORSE = 0.1  # of the scale: a latched state of so much more energy than the least one was not saturated
NARROWEST = 0.05  # of a Schmitt trigger


class AnnealingCircuit(NamedTuple):
    """A graph with the signals of its inputs.

    `inputs`: the schedules, the noise and the starts as one piecewise-linear signal, None where nothing changes;
    `t_stop`: the end of the run; both in seconds, as machines take them. `model`: what is annealed. `latched`: whether
    the graph has the latch of `annealing.latch`.
    """

    graph: Graph
    inputs: Signal | None
    t_stop: float
    model: Model
    latched: bool

    def decisions(self, wave: Any) -> States:
        """Return the digital state at the end of a waveform of this graph, of any machine, (state_size,).

        It is that of the latch where there is one, and else that of the outputs. Raises AccuracyError where the latch
        holds what is no state, or one whose energy is above the least one that was seen.
        """
        outputs, n = np.asarray(wave.output.values)[-1], self.model.size
        if not self.latched:
            return self._decide(outputs)
        held = outputs[n : 2 * n]
        state = self._decide(held)
        self._check_latch(held, state, float(outputs[2 * n]))
        return state

    def _check_latch(self, held: Array, state: States, least: float) -> None:
        """Refuse a latch that took over a state in part, or never."""
        ideal = self._as_outputs(state)
        worst = int(np.argmax(np.abs(held - ideal)))
        if abs(held[worst] - ideal[worst]) > UNTOLD * float(np.ptp(LEVELS[self.model.kind])):
            raise AccuracyError(
                f"AnnealingCircuit: the latch holds {held[worst]:.3g} at neuron {worst}, which is no state: the energy "
                "fell too little, or too late, to be latched, or neurons are not saturated; run it longer, to a higher "
                "gain"
            )
        assert isinstance(self.model, Quadratic | GroupedModel)
        scale, energy = scale_of(self.model), float(self.model.energies_of(state[np.newaxis])[0])
        seen = least * self.model.size * scale + self.model.offset
        if energy > seen + WORSE * scale:
            raise AccuracyError(
                f"AnnealingCircuit: the latch holds a state of the energy {energy:.6g}, and the least that it saw is "
                f"{seen:.6g}, of outputs that were not saturated; end at a higher gain"
            )

    def _as_outputs(self, state: States) -> Array:
        """Return the outputs, (n,), of a digital state."""
        if not isinstance(self.model, GroupedModel):
            return state.astype(np.float64)
        outputs = np.zeros(self.model.size)
        outputs[self.model.starts[:-1] + state] = 1.0
        return outputs

    def visited(self, wave: Any) -> States:
        """Return the digital states of the outputs at all times of a waveform, (times, state_size)."""
        return self._decide(np.asarray(wave.output.values)[:, : self.model.size])

    def _decide(self, outputs: Array) -> States:
        if isinstance(self.model, GroupedModel):
            starts = self.model.starts
            groups = [outputs[..., a:b] for a, b in pairwise(starts)]
            return np.stack([np.argmax(group, axis=-1) for group in groups], axis=-1).astype(np.int8)
        lower, upper = LEVELS[self.model.kind]
        return np.where(outputs > 0.5 * (lower + upper), upper, lower).astype(np.int8)


def annealing_graph(
    model: Model,
    dynamics: Dynamics | str,
    initial: Any = None,
    *,
    reanneal: int = 1,
    latch: bool = False,
    seed: int = 0,
    units: Units = CIRCUIT_UNITS,
) -> AnnealingCircuit:
    """Return an annealing dynamics as a graph, with its schedules as inputs. See `dynamics` for the equations.

    Schedules that change with time are elements of the input `schedule`, and go to multipliers. The differences from
    `anneal`: time is continuous; a wall at b is a current -50 (|x| - b) / (R C) sgn x, which begins within 10 mV, and
    behind which the velocity of a bifurcation is braked by 2,500 (|x| - b) y / (R C); a comparator is straight from
    -10 mV to 10 mV, and one of a Schmitt trigger is behind an R C a hundredth as long, so that it turns some 10 mV
    before its width. Noise is an input of n elements, the schedule of the noise times Gaussian numbers every
    `dynamics.step`, with straight lines between them: it is white up to about a quarter of 1 / step.

    `initial`: x(0), (n,) or one for all; by default uniform on (-start, start). `reanneal`: anneals one after the
    other; for the first 0.3 R C of each and 0.002 of it `restart` pulls x to a new random start, the input `start`, y
    to 0 and e to 1. `latch`: adds the outputs `best` and `least_energy`, which is the
    energy without its offset over n and the scale of the forces: see `annealing.latch.add_latch`. `seed`: of the
    noise and the starts. One of x is a volt and R C a millisecond by default.

    Raises InputError for polynomial and empty models, a dynamics that does not fit the model, several anneals with a
    Hysteresis or in less than 1 R C, a Hysteresis of a width below 0.05, and couplings too large or small to scale.
    """
    if not isinstance(model, Quadratic | GroupedModel):
        raise InputError(
            f"`model` is a {type(model).__name__}: must be an IsingModel, a BinaryModel or a GroupedModel; a "
            "polynomial energy is a graph by problems.cubic_network"
        )
    dynamics = as_dynamics(dynamics)
    dynamics.program(model.kind)  # refuses what does not fit
    if model.size == 0:
        raise InputError("`model` has no neurons: must have at least one")
    if not isinstance(latch, bool):
        raise InputError(f"`latch` = {latch!r:.40}: must be True or False")
    if isinstance(dynamics, Hysteresis) and dynamics.width < NARROWEST:
        raise InputError(
            f"`dynamics.width` = {dynamics.width:g}: must be at least {NARROWEST:g} in a circuit, as its comparators "
            "are straight from -0.01 to 0.01"
        )
    teeth = whole(reanneal, "reanneal", 1, MOST_ANNEALS)
    if teeth > 1 and isinstance(dynamics, Hysteresis):
        raise InputError(f"`reanneal` = {teeth}: must be 1 for Hysteresis, whose triggers no restart sets")
    rng = np.random.default_rng(whole(seed, "seed", 0, 2**63 - 1))
    starts = rng.uniform(-dynamics.start, dynamics.start, (teeth, model.size))
    if initial is not None:
        starts[0] = freeze(initial, "initial", shape=(model.size,))
    noise = dynamics.schedules.get("noise", OFF)
    noisy = not (isinstance(noise, Constant) and noise.value == 0.0)
    neurons = Neurons(model, dynamics, starts[0], noisy=noisy, restarted=teeth > 1, tapped=latch)
    outputs = [("output", "digital", model.size)]
    if latch:
        add_latch(neurons)
        outputs += [("best", "held", model.size), ("least_energy", "least", 1)]
    graph = network_graph(neurons.operators, neurons.edges, outputs=outputs, units=units)
    seconds = dynamics.t_stop * units.seconds_per_unit
    signals = [_repeat(each, teeth).signal(seconds * teeth) for each in neurons.schedules.values()]
    if teeth > 1:
        signals.append(_repeat(_pulse(dynamics.t_stop), teeth).signal(seconds * teeth))
    if noisy:
        signals.append(_noise(_repeat(noise, teeth), dynamics, teeth, model.size, rng, seconds))
    if teeth > 1:
        signals.append(_steps(starts, seconds))
    return AnnealingCircuit(graph, _together(signals), seconds * teeth, model, latch)


def _repeat(schedule: Schedule, teeth: int) -> Schedule:
    return Sawtooth(tooth=schedule, teeth=teeth) if teeth > 1 else schedule


def _pulse(t_stop: float) -> Schedule:
    """Return 1 at the start of an anneal, for as long as a restart takes, and 0 after it."""
    if t_stop < SHORTEST:
        raise InputError(f"`dynamics.t_stop` = {t_stop:g} R C: must be at least 1 R C, so that a restart has its time")
    end = 2.0 * EDGE + SETTLED / (RESTART * t_stop)
    return Tabulated(times=np.array([0.0, end, end + EDGE, 1.0]), table=np.array([1.0, 1.0, 0.0, 0.0]))


def _noise(
    amplitude: Schedule, dynamics: Dynamics, teeth: int, n: int, rng: np.random.Generator, seconds: float
) -> Signal:
    """Return white noise of n elements up to a band of half the step's inverse, times its amplitude."""
    count = dynamics.steps * teeth + 1
    u = np.linspace(0.0, 1.0, count)
    density = np.sqrt(dynamics.steps / dynamics.t_stop)
    values = density * amplitude.at(u)[:, np.newaxis] * rng.normal(size=(count, n))
    return Signal(times=u * seconds * teeth, values=values)


def _steps(starts: Array, seconds: float) -> Signal:
    """Return the start of each anneal, held until the next begins."""
    edge = EDGE * seconds
    first = np.arange(1, len(starts)) * seconds
    times = np.concatenate([[0.0], np.stack([first, first + edge], axis=1).ravel()])
    values = np.concatenate([starts[:1], np.stack([starts[:-1], starts[1:]], axis=1).reshape(-1, starts.shape[1])])
    return Signal(times=times, values=values)


def _together(signals: list[Signal]) -> Signal | None:
    """Return signals as one whose points are those of all."""
    if not signals:
        return None
    times = np.unique(np.concatenate([each.times for each in signals]))
    return Signal(times=times, values=np.concatenate([each.sample(times) for each in signals], axis=1))
