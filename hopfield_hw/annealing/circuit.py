"""An annealing dynamics as a graph, whose schedules are inputs: so it runs in the reference and in ngspice."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from ..functions import Clip
from ..graph import Activate, Affine, Graph, Hadamard, Input, Operator, Units
from ..graph.building import CIRCUIT_UNITS, network_graph, state
from ..values.arrays import freeze
from ..values.errors import InputError
from ..values.signals import Signal
from .dynamics import OFF, UNIT, ChaoticAnnealing, Dynamics, GainRamp
from .models import Model, Quadratic, States, dense_of
from .program import scale_of
from .schedules import Constant, Schedule


class AnnealingCircuit(NamedTuple):
    """A graph with the schedules of its inputs.

    `inputs`: the schedules as piecewise-linear signals, `t_stop`: the end of the anneal; both in seconds, as machines
    take them. `lower`: what a neuron is below its threshold, -1 or 0.
    """

    graph: Graph
    inputs: Signal
    t_stop: float
    lower: int

    def decisions(self, wave: Any) -> States:
        """Return the digital state, (n,), at the end of a waveform of this graph, of any machine."""
        return np.where(np.asarray(wave.state.values)[-1] > 0.0, 1, self.lower).astype(np.int8)


def annealing_graph(
    model: Model, dynamics: Dynamics, initial: Any, *, units: Units = CIRCUIT_UNITS
) -> AnnealingCircuit:
    """Return x' = -leak x + c F(s) - feedback (s - s0), s = clip(gain(t) x), with schedules as inputs.

    The gain is a product of x and an input, before the clip; the self-feedback one of s and an input. `initial`: x(0),
    (n,) or one for all. Units: one of x is a volt, R C a millisecond, by default. Noise is left out.

    Raises InputError for models that are not quadratic, dynamics other than GainRamp and ChaoticAnnealing, leaks and
    couplings that change with time, and a dynamics that does not fit the model.
    """
    if not isinstance(model, Quadratic):
        raise InputError(f"`model` is a {type(model).__name__}: must be an IsingModel or a BinaryModel")
    if not isinstance(dynamics, GainRamp | ChaoticAnnealing):
        raise InputError(
            f"`dynamics` is {type(dynamics).__name__}: must be a GainRamp or ChaoticAnnealing; the others run in "
            "`anneal` alone"
        )
    dynamics.program(model.kind)  # refuses what does not fit
    if model.size == 0:
        raise InputError("`model` has no neurons: must have at least one")
    schedules = dynamics.schedules
    leak = _constant(schedules["leak"], "leak")
    coupling = _constant(schedules.get("coupling", UNIT), "coupling")
    n, scale = model.size, scale_of(model) / coupling
    low, middle = (-1.0, 0.0) if model.kind == "ising" else (0.0, 0.5)
    feedback = schedules.get("feedback", OFF)
    looped = not (isinstance(feedback, Constant) and feedback.value == 0.0)
    operators: list[Operator] = [
        state("x", freeze(initial, "initial", shape=(n,)), decay=leak),
        Input(name="schedule", size=1 + looped, labels=("gain", "feedback")[: 1 + looped]),
        Affine(name="gain", weights=np.repeat([[1.0, 0.0][: 1 + looped]], n, axis=0)),
        Hadamard(name="amplified", size=n),
        Affine(name="centre", weights=np.eye(n), bias=middle),
        Activate(name="clip", size=n, function=Clip(lower=low, upper=1.0)),
        Affine(name="couplings", weights=-dense_of(model.couplings) / scale, bias=-model.fields / scale),
    ]
    edges: list[tuple[str, ...]] = [
        ("schedule", "gain"),
        ("gain", "amplified", "left"),
        ("x", "amplified", "right"),
        *([("amplified", "centre"), ("centre", "clip")] if middle else [("amplified", "clip")]),
        ("clip", "couplings"),
        ("couplings", "x"),
    ]
    if not middle:
        del operators[4]
    signals = [schedules["gain"]]
    if looped:
        operators += [
            Affine(name="feedback", weights=np.repeat([[0.0, -1.0]], n, axis=0)),
            Affine(name="deviation", weights=np.eye(n), bias=-middle),
            Hadamard(name="fed_back", size=n),
        ]
        edges += [("schedule", "feedback"), ("feedback", "fed_back", "left"), ("clip", "deviation")]
        edges += [("deviation", "fed_back", "right"), ("fed_back", "x")]
        signals.append(feedback)
    graph = network_graph(operators, edges, outputs=[("output", "clip", n)], units=units)
    t_stop = dynamics.t_stop * units.seconds_per_unit
    return AnnealingCircuit(graph, _together(signals, t_stop), t_stop, int(low))


def _constant(schedule: Schedule, name: str) -> float:
    if not isinstance(schedule, Constant):
        raise InputError(f"`dynamics.{name}` = {schedule!r:.60}: must be constant in a circuit; ramp the gain")
    return schedule.value


def _together(schedules: list[Schedule], t_stop: float) -> Signal:
    """Return schedules as one signal whose points are those of all."""
    signals = [each.signal(t_stop) for each in schedules]
    times = np.unique(np.concatenate([each.times for each in signals]))
    return Signal(times=times, values=np.concatenate([each.sample(times) for each in signals], axis=1))
