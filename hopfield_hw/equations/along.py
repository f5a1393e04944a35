"""A graph's equation along waveforms that something else gave: what it says of each point of a circuit's own run."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from scipy.interpolate import Akima1DInterpolator

from ..graph import Delay, Graph, Hold, Leak
from ..values.arrays import Array
from ..values.signals import Signal
from .evaluate import Evaluator, Values
from .leaks import LeakEquation
from .request import input_values


class Waveform(NamedTuple):
    """States at increasing times, (M,) and (M, n): those of the Leaks, then of the Holds, in SI units."""

    times: Array
    states: Array


class Along:
    """The operators of a graph (in SI units), evaluated where a waveform says that its states are.

    Nothing is integrated: dx/dt is C^-1 (-x/R + what drives the Leak), with the states, and what Delays give, taken
    from the waveform itself: a Delay gives what drove it at t - tau, of the states that the waveform had then (its
    history before the start).
    """

    def __init__(self, graph: Graph, inputs: Signal | None, waveform: Waveform) -> None:
        self.graph, self.inputs, self.waveform = graph, inputs, waveform
        self.leaks, self.holds, self.delays = graph.of_type(Leak), graph.of_type(Hold), graph.of_type(Delay)
        self.operators = Evaluator([graph], (*self.leaks, *self.holds, *self.delays))
        self._equation = LeakEquation(self.operators, [graph])
        self.rates, self.continuous = self._equation.rates, self._equation.size
        self._path = (
            Akima1DInterpolator(*waveform, method="makima") if self.delays and len(waveform.times) > 1 else None
        )

    def values(self, t: Array, x: Array) -> Values:
        """Return the value of each operator, (P, size), at the times t (P,) and the states x (P, n)."""
        states = np.concatenate([x, *(self._late(delay, t) for delay in self.delays)], axis=-1)
        return self.operators.evaluate(states, self._inputs(t))

    def slope(self, values: Values) -> Array:
        """Return dx/dt of the Leaks, (P, continuous), from the values of the operators."""
        return self._equation.slopes(values)

    def sample(self, values: Values) -> Array:
        """Return what the Holds take at an edge, (P, held), from the values just before it."""
        rows = len(next(iter(values.values())))
        taken = [np.broadcast_to(self.operators.driven(values, h), (rows, h.output_size)) for h in self.holds]
        return np.concatenate(taken, axis=-1) if taken else np.zeros((rows, 0))

    def outputs(self, values: Values) -> Array:
        """Return what the Outputs give, (P, outputs)."""
        return self.operators.outputs(values)

    def jacobian(self, values: Values) -> Array:
        """Return d(dx/dt)/dx of the Leaks, (continuous, continuous), at one point; what Delays give is held."""
        return self._equation.dense_jacobian(values)

    def _inputs(self, t: Array) -> Array:
        return input_values(self.inputs, t, self.operators.input_size)

    def _late(self, delay: Delay, t: Array) -> Array:
        """Return what a Delay gives at the times t, (P, size)."""
        tau = delay.tau.sample(t)[:, 0] if isinstance(delay.tau, Signal) else delay.tau
        then = t - tau
        held = delay.history
        if isinstance(held, Signal):
            past = held.sample(np.maximum(-then, 0.0))
        else:
            past = np.broadcast_to(held, (t.size, held.size))
        given, after = np.array(past), then >= 0.0
        if after.any():
            at = then[after]
            x = self.waveform.states[:1].repeat(at.size, axis=0) if self._path is None else self._path(at)
            given[after] = self._driving(delay, at, x)
        return given

    def _driving(self, delay: Delay, t: Array, x: Array) -> Array:
        needed = self.operators.ancestors([delay])
        others = [
            self._late(other, t) if other.name in needed else np.zeros((t.size, other.size)) for other in self.delays
        ]
        states = np.concatenate([x, *others], axis=-1)
        values = self.operators.evaluate(states, self._inputs(t), needed=needed)
        return np.asarray(self.operators.driven(values, delay))
