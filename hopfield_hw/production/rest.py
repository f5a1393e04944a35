"""Boards at rest: the equilibrium of each sample, followed from that of the nominal board by Newton's iteration."""

from __future__ import annotations

import numpy as np

from ..values.arrays import Array
from ..values.signals import Signal
from .samples import Samples

ROUNDS, CLOSE = 30, 1e-9
WIDEST = 0.05  # of the swing: the longest step of an iteration


def settle(samples: Samples, start: Array, signal: Signal | None = None) -> tuple[Array, Array]:
    """Return states, (S, n), and whether each board is at rest there, (S,): 0 = W v + drive - X / R.

    `start`: (n,) or (S, n), an equilibrium of the nominal board. Where that is lost on the way the iteration ends
    elsewhere or nowhere: what is found is an equilibrium, but not surely the one that a run comes to.
    """
    x = np.array(np.broadcast_to(start, samples.current.shape), dtype=np.float64)
    drive = samples.drive(signal, 0.0)
    longest = WIDEST * samples.span
    n = x.shape[1]
    for _ in range(ROUNDS):
        v, slope = samples.outputs(x), _slopes(samples, x)
        off = np.matmul(samples.weights, v[:, :, np.newaxis])[:, :, 0] + drive - samples.leak * x
        jacobian = samples.weights * slope[:, np.newaxis, :]
        jacobian[:, range(n), range(n)] -= samples.leak
        try:
            step = -np.linalg.solve(jacobian, off[:, :, np.newaxis])[:, :, 0]
        except np.linalg.LinAlgError:
            return x, np.zeros(len(x), dtype=bool)
        size = np.max(np.abs(step), axis=1, keepdims=True)
        x = x + step * np.minimum(1.0, longest / np.maximum(size, 1e-300))
        if float(size.max()) < CLOSE * samples.span:
            break
    flow = np.abs(drive) + np.sum(np.abs(samples.weights), axis=2) * samples.span + samples.leak * np.abs(x)
    return x, np.max(np.abs(off) / flow, axis=1) < 1e-4


def _slopes(samples: Samples, states: Array) -> Array:
    inner = (1.0 + samples.slope) * states + samples.shift
    found = np.empty_like(inner)
    for curve, which in samples.runs:
        found[:, which] = curve.derivative(inner[:, which])
    return np.asarray((1.0 + samples.amplitude) * (1.0 + samples.slope) * found)
