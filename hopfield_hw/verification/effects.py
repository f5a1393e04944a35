"""What each value of a network does to its states, along the waveform that a circuit gave.

A relative change p of a value changes dx/dt of the equation by p df/dp. Over a piece of the waveform this moves the
state by the integral of it, which is what `Run.steps` would then be off by: sensitivities are quadratures, not
solutions.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal, NamedTuple, TypeAlias

import numpy as np

from ..equations.evaluate import Evaluator, Values
from ..functions import Softmax
from ..graph import Activate, Affine, Delay, Hadamard, Hold, Leak, Operator, Output, Quantise, Sign
from ..values.arrays import Array
from ..values.signals import Signal
from .steps import Indices, Run, window_sums

# How a value acts: a weight, a weight that also loads its node, all that is read of an operator, what goes into it, a
# bias, all that drives a Leak, a capacitance, a resistance, what a Hold holds, the time of a Delay.
Kind: TypeAlias = Literal[
    "weight", "loading", "output", "argument", "bias", "drive", "capacitance", "resistance", "held", "delay"
]
OF_STATE = frozenset({"capacitance", "resistance", "drive", "held"})
TERMS = frozenset({"weight", "loading", "bias"})
# A pass over a run keeps at most so many numbers.
MOST = 20_000_000
# Points of a run at which it is asked which state an operator moves most.
SAMPLES = 200


class Value(NamedTuple):
    """A value of the network: how it acts, in which operator, and which element (or (to, from) pair) it is."""

    kind: Kind
    operator: str
    element: tuple[int, ...]


class Reach(NamedTuple):
    """By operator element: the state or output that it moves most, (m,), and by how much, (m,) or (points, m).

    Rows below the number of states are states (dx/dt, or what a Hold takes), those from there on are outputs.
    """

    rows: Indices
    factor: Array


class Effects:
    """The effects of the values of a graph along a run; see the module.

    `extent`: (states + outputs,), the range of each, volts.
    """

    def __init__(self, run: Run, extent: Array) -> None:
        self.run, self.graph, self.extent = run, run.graph, extent
        self.evaluator: Evaluator = run.along.operators
        self.continuous, self.held = run.along.continuous, run.held.shape[1]
        self.states = self.continuous + self.held
        self._weights = {op.name: op.weights.entries() for op in self.graph.of_type(Affine)}
        self._rows = self._reached()

    def integrals(self, values: list[Value]) -> Array:
        """Return by how much a relative change of 1 moves what each value acts on, in each piece, (P, values)."""
        rows = np.array([self.row(value) for value in values], dtype=np.int64)
        return self.run.integral(lambda found: self._effects(found, values), rows)

    def seen(self, values: list[Value]) -> Array:
        """Return what a relative change of 1 of each value makes of a run's errors, (values,), parts of a range."""
        found = np.zeros(len(values))
        if not values:
            return found
        rows = np.array([self.row(value) for value in values])
        flows = np.flatnonzero((rows < self.continuous) | (rows >= self.states))
        size = max(MOST // max(len(self.run.pieces), 1), 1)
        shortest = float(np.min(self.run.windows, initial=self.run.times[-1]))
        for first in range(0, flows.size, size):
            some = flows[first : first + size]
            moved = np.abs(self.integrals([values[k] for k in some.tolist()]))
            for column, k in enumerate(some.tolist()):
                if values[k].kind == "delay":
                    moved[:, column] = np.abs(self._later(values[k]))
            output = rows[some] >= self.states
            windows = np.where(
                output, shortest, np.append(self.run.windows, 0.0)[np.minimum(rows[some], self.continuous)]
            )
            total = window_sums(moved, self.run.ends, windows) / np.where(output, shortest, 1.0)
            found[some] = np.max(total, axis=0) / self.extent[rows[some]]
        if self.held:
            steps = np.flatnonzero((rows >= self.continuous) & (rows < self.states))
            if steps.size and len(self.run.held) > 1:
                moved = np.abs(self.at_edges([values[k] for k in steps.tolist()]))
                found[steps] = np.max(moved, axis=0) / self.extent[rows[steps]]
        return found

    def at_edges(self, values: list[Value]) -> Array:
        """Return by how much a relative change of 1 moves what the Holds take at each edge, (edges, values)."""
        return self._effects({name: value[:-1] for name, value in self.run.at_edges.items()}, values)

    def _later(self, value: Value) -> Array:
        """Return by how much a relative change of 1 of a delay moves what it acts on in each piece, (P,).

        Of y(t) = x(t - tau) a change of p of tau changes y by -p tau dy/dt: nothing while y is its history at rest.
        """
        run, delay, (element, *_) = self.run, self.graph.by_name[value.operator], value.element
        assert isinstance(delay, Delay)
        values = run.along.values(run.times, run.states)
        tau = delay.tau.sample(run.times)[:, 0] if isinstance(delay.tau, Signal) else delay.tau
        reach = self._reaches(values)[delay.name]
        factor = np.broadcast_to(reach.factor, (len(run.times), reach.rows.size))[:, element]
        effect = -tau * np.gradient(values[delay.name][:, element], run.times) * factor
        moved = np.zeros((len(run.pieces), 1))
        steps = np.diff(run.times) * 0.5 * (effect[1:] + effect[:-1])
        run.add(moved, slice(0, len(steps)), steps[:, np.newaxis])
        return moved[:, 0]

    def turns(self, values: list[Value]) -> Array:
        """Return the smallest relative change of each value, up or down, that turns a Sign at an edge, (values,).

        Of a = sum_j w_j x_j + band sgn(tie) a change p of one term turns the sign where p w_j x_j passes -a. Infinite
        where none does, or only a change one way.
        """
        found = np.full(len(values), np.inf)
        if len(self.run.held) < 2:
            return found
        at_edges = {name: value[:-1] for name, value in self.run.at_edges.items()}
        for k, value in enumerate(values):
            operator = self.graph.by_name[value.operator]
            for sign in self.graph.targets(operator):
                if value.kind not in TERMS or not isinstance(sign, Sign):
                    continue
                element = np.array([value.element])
                alone = {operator.name: Reach(np.zeros(operator.output_size, dtype=np.int64), np.ones(1))}
                slope = self.run.along.slope(at_edges)
                term = self._effect(value.kind, operator, element, at_edges, slope, alone)[:, 0]
                drive, tie = (self.evaluator.driven(at_edges, sign, port) for port in sign.ports)
                drive = (drive + sign.band * np.where(tie >= 0.0, 1.0, -1.0))[:, value.element[0]]
                with np.errstate(divide="ignore", invalid="ignore"):
                    change = -drive / term
                change = change[(term != 0.0) & (drive != 0.0)]
                ways = (np.min(np.abs(change[change * way > 0.0]), initial=np.inf) for way in (1.0, -1.0))
                found[k] = min(found[k], max(ways))
        return found

    def row(self, value: Value) -> int:
        """Return the state or output that a value moves most."""
        if value.kind in OF_STATE:
            return int(self.evaluator.slices[value.operator].start) + value.element[0]
        return int(self._rows[value.operator].rows[value.element[0]])

    def _effects(self, values: Values, wanted: list[Value]) -> Array:
        """Return d(what is moved)/dp at some points, (points, wanted)."""
        slope = self.run.along.slope(values)
        reaches = self._reaches(values)
        points = len(slope)
        result = np.zeros((points, len(wanted)))
        by_place: dict[tuple[Kind, str], list[int]] = {}
        for k, value in enumerate(wanted):
            by_place.setdefault((value.kind, value.operator), []).append(k)
        for (kind, name), places in by_place.items():
            elements = np.array([wanted[k].element for k in places])
            operator = self.graph.by_name[name]
            result[:, places] = self._effect(kind, operator, elements, values, slope, reaches)
        return result

    def _effect(
        self, kind: Kind, operator: Operator, elements: Array, values: Values, slope: Array, reaches: dict[str, Reach]
    ) -> Array:
        first = elements[:, 0]
        if kind == "held":
            return np.asarray(
                np.broadcast_to(self.evaluator.driven(values, operator), (len(slope), operator.output_size))
            )[:, first]
        if isinstance(operator, Leak) and kind in OF_STATE:
            moving = slope[:, self.evaluator.slices[operator.name].start + first]
            leaking = values[operator.name][:, first] * self.run.along.rates[operator.name][1][..., first]
            return {"capacitance": -moving, "resistance": leaking, "drive": moving + leaking}[kind]
        reach = reaches[operator.name]
        factor = np.broadcast_to(reach.factor, (len(slope), reach.rows.size))[:, first]
        if kind in ("output", "delay"):
            given = np.broadcast_to(values[operator.name], (len(slope), operator.output_size))
            return np.asarray(factor * given[:, first])
        if kind == "argument":
            at = self.evaluator.driven(values, operator)
            if isinstance(operator, Activate) and not isinstance(operator.function, Softmax):
                at = at * operator.function.derivative(at)
            return np.asarray(factor * np.broadcast_to(at, (len(slope), operator.output_size))[:, first])
        assert isinstance(operator, Affine)
        if kind == "bias":
            return np.asarray(factor * operator.constant[first])
        sources = np.broadcast_to(self.evaluator.driven(values, operator), (len(slope), operator.input_size))
        weights = self._weight(operator, elements)
        carried = sources[:, elements[:, 1]] * weights
        if kind == "loading":
            state = np.concatenate([values[leak.name] for leak in self.run.along.leaks], axis=-1)
            carried = carried - np.abs(weights) * state[:, reach.rows[first]]
        return factor * carried

    def _weight(self, affine: Affine, elements: Array) -> Array:
        values, rows, columns = self._weights[affine.name]
        key = rows * affine.input_size + columns
        at = np.minimum(np.searchsorted(key, elements[:, 0] * affine.input_size + elements[:, 1]), max(len(key) - 1, 0))
        found = key[at] == elements[:, 0] * affine.input_size + elements[:, 1]
        return np.where(found, values[at], 1.0)

    def _reached(self) -> dict[str, Reach]:
        """Choose by operator element what it moves most, from a sample of the run."""
        at = np.unique(np.linspace(0, len(self.run.times) - 1, SAMPLES).astype(int))
        held = self.run.held[self.run.periods[np.maximum(at - 1, 0)]] if self.run.is_clocked else np.zeros((at.size, 0))
        x = np.concatenate([self.run.states[at, : self.continuous], held], axis=1)
        return self._reaches(self.run.along.values(self.run.times[at], x), choose=True)

    def _reaches(self, values: Values, *, choose: bool = False) -> dict[str, Reach]:
        found: dict[str, Reach] = {}
        for output in self.graph.of_type(Output):
            found[output.name] = Reach(np.arange(output.size) + self._first_output(output), np.ones(output.size))
        # From the targets to what drives them; what lies behind a Delay is known on the second way alone.
        for _ in range(2 if self.graph.of_type(Delay) else 1):
            for operator in self.graph.order[::-1]:
                if not isinstance(operator, Output):
                    found[operator.name] = self._reach(operator, values, found, choose)
        return found

    def _reach(self, operator: Operator, values: Values, found: dict[str, Reach], choose: bool) -> Reach:
        size = operator.output_size
        options = list(self._options(operator, values, found))
        if not options:
            return Reach(np.zeros(size, dtype=np.int64), np.zeros(size))
        if not choose:
            fixed = self._rows[operator.name].rows
            total: Array = np.zeros(size)
            for option in options:
                total = total + np.where(option.rows == fixed, option.factor, 0.0)
            return Reach(fixed, total)
        strength = np.stack([self._strength(option) for option in options])
        best = np.argmax(strength, axis=0)
        rows = np.stack([option.rows for option in options])[best, np.arange(size)]
        total = np.zeros(size)
        for option in options:
            total = total + np.where(option.rows == rows, option.factor, 0.0)
        return Reach(rows, total)

    def _strength(self, option: Reach) -> Array:
        size = np.sqrt(np.mean(np.atleast_2d(option.factor) ** 2, axis=0))
        window = np.concatenate([self.run.windows, np.ones(len(self.extent) - self.continuous)])
        result: Array = size * window[option.rows] / self.extent[option.rows]
        return result

    def _options(self, operator: Operator, values: Values, found: dict[str, Reach]) -> Iterator[Reach]:
        """Yield what an operator's elements move through each of its targets."""
        for target in self.graph.targets(operator):
            match target:
                case Leak():
                    rows = np.arange(target.output_size) + self.evaluator.slices[target.name].start
                    yield Reach(rows, self.run.along.rates[target.name][0])
                case Hold():
                    yield Reach(
                        np.arange(target.output_size) + self.evaluator.slices[target.name].start,
                        np.ones(target.output_size),
                    )
                case Output():
                    yield found[target.name]
                case Affine() if target.name in found:
                    yield self._through(target, found[target.name])
                case Activate() if target.name in found:
                    at = self.evaluator.driven(values, target)
                    slope = 1.0 if isinstance(target.function, Softmax) else target.function.derivative(at)
                    yield Reach(found[target.name].rows, found[target.name].factor * slope)
                case Hadamard() if target.name in found:
                    left = operator in self.graph.drivers(target, "left")
                    other = self.evaluator.driven(values, target, "right" if left else "left")
                    yield Reach(found[target.name].rows, found[target.name].factor * other)
                case Quantise() | Delay() if target.name in found:
                    yield found[target.name]

    def _through(self, affine: Affine, reach: Reach) -> Reach:
        """Return what the sources of an Affine move: each through its strongest weight."""
        values, rows, columns = self._weights[affine.name]
        strength = np.abs(values) * self._strength(reach)[rows]
        order = np.lexsort((strength, columns))
        chosen, at = np.unique(columns[order][::-1], return_index=True)
        best = order[::-1][at]
        to, factor = np.zeros(affine.input_size, dtype=np.int64), np.zeros(affine.input_size)
        to[chosen], factor[chosen] = reach.rows[rows[best]], values[best]
        source = np.zeros(affine.input_size, dtype=np.int64)
        source[chosen] = rows[best]
        return Reach(to, factor * np.atleast_2d(reach.factor)[:, source])

    def _first_output(self, output: Output) -> int:
        outputs = self.graph.of_type(Output)
        return int(self.states) + sum(op.output_size for op in outputs[: outputs.index(output)])
