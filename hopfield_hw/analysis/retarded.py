"""A delay equation by its states now and before: dx/dt = f(x(t), x(t - lag_1), ...), and its Jacobians."""

from __future__ import annotations

import numpy as np

from ..equations import Evaluator
from ..equations.leaks import LeakEquation
from ..functions import Softmax
from ..graph import Activate, Affine, Delay, Hadamard, Input, Leak, Operator
from ..graph.neutral import direct_links
from ..values.arrays import Array
from ..values.errors import InputError
from ..values.signals import Signal
from .balance import Balance, refuse_neutral

ALIKE = 1e-12  # of the longest lag: two lags are one


class RetardedEquation:
    """dx/dt = f(x(t - lags[0]), x(t - lags[1]), ...) of a graph with constant Delays and constant inputs, in SI units.

    `lags`: (K,), seconds, ascending, the first 0. Where a Delay drives another one, their sum is a lag as well. `size`:
    n, the states of the Leaks. States are z (P, K, n): at P times, each at all lags.

    Raises InputError as `Balance`, and for a neutral equation, and Delays that vary.
    """

    def __init__(self, balance: Balance, what: str) -> None:
        graph = balance.given
        refuse_neutral(graph, what)
        for delay in graph.of_type(Delay):
            if isinstance(delay.tau, Signal):
                raise InputError(f"{what}: the Delay {delay.name!r} varies with time; give a constant tau")
        self._graph, self._u = graph, balance.u
        self._delays = graph.of_type(Delay)
        self._evaluator = Evaluator([graph], (*graph.of_type(Leak), *self._delays))
        self._leaks = LeakEquation(self._evaluator, [graph])
        self._links = direct_links(graph)
        self._order = [op for op in graph.order if not op.holds_state]
        self.size, self.initial = self._leaks.size, self._evaluator.initial[: self._leaks.size]
        self._late = self._evaluator.size - self.size
        lags, self._needs = self._paths()
        self.lags = np.array(lags)

    @property
    def slowest(self) -> float:
        """The longest R C that is finite, and the longest lag, together, seconds."""
        slow = [float(np.max(1.0 / rate[rate > 0.0], initial=0.0)) for _, rate in self._leaks.rates.values()]
        return max(slow, default=0.0) + float(self.lags[-1])

    def value(self, z: Array) -> Array:
        """Return f, (P, n), of states (P, K, n)."""
        return self._leaks.slopes(self._values(z)[0])

    def jacobians(self, z: Array) -> tuple[Array, Array]:
        """Return f, (P, n), and its derivatives by the state at each lag, (P, K, n, n)."""
        n, times, count = self.size, len(z), len(self.lags)
        values = self._values(z)
        slopes = [self._slopes(one) for one in values]
        # What the Delays give at each lag, by the states at that lag and longer ones.
        given: list[Array] = [np.zeros((0,))] * count
        for k in reversed(range(count)):
            given[k] = np.zeros((times, count, self._late, n))
            for delay, other in self._needs[k]:
                drive = self._evaluator.driven(slopes[other], delay)
                into = given[k][:, :, self._part(delay)]
                into[:, other] += drive[..., :n]
                into += drive[..., np.newaxis, :, n:] @ given[other]
        found = self._slopes_of_leaks(slopes[0], times)
        result = found[:, np.newaxis, :, n:] @ given[0]
        result[:, 0] += found[..., :n]
        return self._leaks.slopes(values[0]), np.asarray(result)

    def _paths(self) -> tuple[list[float], list[list[tuple[Delay, int]]]]:
        """Return the lags, ascending, and for each the Delays whose values it needs, with the lag that they look at."""
        longest = sum(float(delay.tau) for delay in self._delays if not isinstance(delay.tau, Signal))
        needed: dict[float, set[str]] = {0.0: {delay.name for delay in self._delays}}
        ahead: dict[tuple[float, str], float] = {}
        pending = [0.0]
        while pending:
            lag = pending.pop(pending.index(min(pending)))
            for delay in self._delays:
                if delay.name not in needed[lag]:
                    continue
                assert not isinstance(delay.tau, Signal)
                later = lag + delay.tau
                later = next((known for known in needed if abs(known - later) <= ALIKE * longest), later)
                ahead[lag, delay.name] = later
                needed.setdefault(later, set()).update(self._links.predecessors(delay.name))
                if later not in pending:
                    pending.append(later)
        lags = sorted(needed)
        return lags, [
            [(delay, lags.index(ahead[lag, delay.name])) for delay in self._delays if (lag, delay.name) in ahead]
            for lag in lags
        ]

    def _part(self, operator: Operator) -> slice:
        part = self._evaluator.slices[operator.name]
        return slice(part.start - self.size, part.stop - self.size)

    def _values(self, z: Array) -> list[dict[str, Array]]:
        """Return the values of all operators at each lag."""
        n, count = self.size, len(self.lags)
        found: list[dict[str, Array]] = [{}] * count
        u = np.broadcast_to(self._u, (len(z), self._u.size))
        for k in reversed(range(count)):
            state = np.zeros((len(z), self._evaluator.size))
            state[:, :n] = z[:, k]
            for delay, other in self._needs[k]:
                state[:, self._evaluator.slices[delay.name]] = self._evaluator.driven(found[other], delay)
            found[k] = self._evaluator.evaluate(state, u)
        return found

    def _slopes_of_leaks(self, slopes: dict[str, Array], times: int) -> Array:
        parts = []
        for leak in self._leaks.leaks:
            inverse_c, rate = self._leaks.rates[leak.name]
            total = -rate[:, np.newaxis] * slopes[leak.name]
            if self._graph.drivers(leak):
                total = total + inverse_c[:, np.newaxis] * self._evaluator.driven(slopes, leak)
            parts.append(np.broadcast_to(total, (times, *total.shape[-2:])))
        return np.concatenate(parts, axis=1)

    def _slopes(self, values: dict[str, Array]) -> dict[str, Array]:
        """Return the slope of each operator by the states of the evaluator: (P, its size, states), or without P."""
        evaluator = self._evaluator
        identity = np.eye(evaluator.size)
        found = {name: identity[part] for name, part in evaluator.slices.items()}
        for op in self._order:
            if isinstance(op, Hadamard):
                left, right = (evaluator.driven(values, op, port)[..., np.newaxis] for port in op.ports)
                by_left, by_right = (evaluator.driven(found, op, port) for port in op.ports)
                found[op.name] = right * by_left + left * by_right
            elif isinstance(op, Input):
                found[op.name] = np.zeros((op.output_size, evaluator.size))
            else:
                found[op.name] = _slope(op, evaluator.driven(values, op), evaluator.driven(found, op))
        return found


def _slope(op: Operator, at: Array, slope: Array) -> Array:
    if isinstance(op, Affine):
        return np.asarray(op.weights.matrix @ slope)
    if isinstance(op, Activate):
        if isinstance(op.function, Softmax):
            return np.stack([op.function.jacobian(row) for row in at]) @ slope
        return np.asarray(np.broadcast_to(op.function.derivative(at), at.shape)[..., np.newaxis] * slope)
    return slope
