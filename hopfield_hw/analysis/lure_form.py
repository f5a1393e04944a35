"""A graph as a linear system with functions in its feedback: the Lur'e form, from which equilibria are computed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..equations import Evaluator
from ..equations.leaks import LeakEquation
from ..functions import Clip, Function, Gain, Softmax
from ..graph import Activate, Affine, Graph, Hold, Input, Leak, Output
from ..values.arrays import Array, dense
from ..values.brief import Brief

LINEAR = (Leak, Hold, Affine, Activate, Input, Output)


@dataclass(frozen=True, kw_only=True, eq=False)
class LureForm(Brief):
    """F(x) = A x + B z + a with z_k = f_k(s_k), s = P x + Q z + p, in SI units.

    F is dx/dt, or x[k+1] - x[k] of a map. n states, m signals z, those of all Activates one after the other, each after
    those that drive it. `slope_state` A (n, n), `slope_signal` B (n, m), `constant` a (n,); `drive_state` P (m, n),
    `drive_signal` Q (m, m), `drive_constant` p (m,). `functions`: f with the part of z that each gives.
    """

    slope_state: Array
    slope_signal: Array
    constant: Array
    drive_state: Array
    drive_signal: Array
    drive_constant: Array
    functions: tuple[tuple[Function, slice], ...]

    def signals(self, x: Array) -> tuple[Array, Array]:
        """Return s and z, (..., m), of states (..., n)."""
        s = x @ self.drive_state.T + self.drive_constant
        z = np.zeros_like(s)
        for function, part in self.functions:
            s[..., part] += z[..., : part.start] @ self.drive_signal[part, : part.start].T
            z[..., part] = function.value(s[..., part])
        return s, z

    def value(self, x: Array) -> Array:
        """Return F(x), (..., n)."""
        result: Array = x @ self.slope_state.T + self.signals(x)[1] @ self.slope_signal.T + self.constant
        return result

    def jacobian(self, x: Array) -> Array:
        """Return dF/dx, (rows, n, n), of states (rows, n)."""
        s, _ = self.signals(x)
        slopes = np.zeros((len(x), *self.drive_state.shape))
        for function, part in self.functions:
            driven = self.drive_state[part] + self.drive_signal[part, : part.start] @ slopes[:, : part.start]
            if isinstance(function, Softmax):
                slopes[:, part] = np.stack([function.jacobian(row) for row in s[:, part]]) @ driven
            else:
                at = s[:, part]
                slopes[:, part] = np.broadcast_to(function.derivative(at), at.shape)[..., np.newaxis] * driven
        result: Array = self.slope_state + self.slope_signal @ slopes
        return result

    def signal_range(self) -> tuple[Array, Array]:
        """Return the least and the largest value of each z, (m,), infinite where a function is not bounded."""
        low, high = np.full(self.drive_constant.size, -np.inf), np.full(self.drive_constant.size, np.inf)
        for function, part in self.functions:
            if isinstance(function, Gain | Clip):
                low[part], high[part] = function.lower, function.upper
            elif isinstance(function, Softmax):
                low[part], high[part] = 0.0, np.max(function.amplitude)
        return low, high

    def state_range(self) -> tuple[Array, Array] | None:
        """Return bounds of all equilibria, (n,): of a Hopfield network |x_i| <= R_i (sum_j |T_ij| max|g_j| + |I_i|).

        From x = -A^-1 (B z + a), z within what the functions give; None where A is singular, or some z that counts is
        not bounded.
        """
        if not is_regular(self.slope_state):
            return None
        gain = -np.linalg.solve(self.slope_state, self.slope_signal)
        low, high = self.signal_range()
        counts = np.any(gain != 0.0, axis=0)
        if not (np.isfinite(low[counts]).all() and np.isfinite(high[counts]).all()):
            return None
        middle, half = np.where(counts, 0.5 * (low + high), 0.0), np.where(counts, 0.5 * (high - low), 0.0)
        centre = gain @ middle - np.linalg.solve(self.slope_state, self.constant)
        reach = np.abs(gain) @ half
        return centre - reach, centre + reach


def lure_form(graph: Graph, u: Array) -> LureForm | None:
    """Return the Lur'e form of a graph of SI units without Delays under constant inputs u; None where it has none.

    Products and quantisers have none; a graph has Leaks or Holds, not both.
    """
    if not all(isinstance(op, LINEAR) for op in graph.operators):
        return None
    activates = [op for op in graph.order if isinstance(op, Activate)]
    states: Sequence[Leak | Hold] = graph.states
    evaluator = Evaluator([graph], (*states, *activates))
    n = sum(state.output_size for state in states)
    values = evaluator.evaluate(np.zeros(evaluator.size), u)
    slopes = evaluator.slopes(values)
    if isinstance(states[0], Leak):
        leaks = LeakEquation(evaluator, [graph])
        matrix, constant = dense(leaks.jacobian(values)), leaks.slopes(values)
    else:
        matrix = np.vstack([dense(evaluator.driven(slopes, state)) for state in states])
        matrix[:, :n] -= np.eye(n)
        constant = np.concatenate([evaluator.driven(values, state) for state in states])
    drives = [np.zeros((0, evaluator.size)), *(dense(evaluator.driven(slopes, op)) for op in activates)]
    starts = [np.zeros(0), *(evaluator.driven(values, op) for op in activates)]
    drive = np.vstack(drives)
    parts = [slice(part.start - n, part.stop - n) for part in (evaluator.slices[op.name] for op in activates)]
    return LureForm(
        slope_state=matrix[:, :n],
        slope_signal=matrix[:, n:],
        constant=constant,
        drive_state=drive[:, :n],
        drive_signal=drive[:, n:],
        drive_constant=np.concatenate(starts),
        functions=tuple((op.function, part) for op, part in zip(activates, parts, strict=True)),
    )


def is_regular(matrix: Array) -> bool:
    """Whether a square matrix is far from singular, its rows scaled to one size."""
    if not matrix.size:
        return True
    sizes = np.max(np.abs(matrix), axis=1, keepdims=True)
    return bool(np.all(sizes > 0.0)) and float(np.linalg.cond(matrix / sizes)) < 1e12
