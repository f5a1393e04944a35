"""How a gradient fares through time: products of the Jacobians of a map, by lag."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

from ..equations import MapProgram, iterate
from ..graph import Graph
from ..values.arrays import Array, freeze
from ..values.errors import InputError


class GradientFlow(NamedTuple):
    """`norms`: (lags,), the spectral norm of dh[T]/dh[T - k], k from 1 on, as the geometric mean over where it ends.

    `singular`: (lags, n), all singular values likewise, the largest first. `rate`: the factor by which the norm changes
    from one lag to the next, over the second half of the lags: below 1 gradients vanish, above 1 they explode.
    """

    norms: Array
    singular: Array
    rate: float


def gradient_flow(
    graph: Graph, inputs: Any, *, lags: int, initial: Mapping[str, Any] | None = None, of: tuple[str, ...] | None = None
) -> GradientFlow:
    """Follow dh[T]/dh[T - k] = J[T - 1] ... J[T - k] of a map along a sequence (Bengio, Simard and Frasconi 1994).

    `inputs`: (T, m). `lags`: how many, at most T. `initial`: by Hold, (n,). `of`: the Holds to look at, at both ends;
    all by default (the cell state of an LSTM alone shows its constant error carousel).

    Raises InputError for wrong shapes, lags that the sequence does not have, and names that are no Hold.
    """
    program = MapProgram([graph])
    u = freeze(inputs, "inputs")
    if u.ndim != 2 or u.shape[1] != program.input_size:
        raise InputError(f"`inputs` has shape {u.shape}: must be (T, {program.input_size})")
    if not 1 <= lags <= u.shape[0]:
        raise InputError(f"`lags` = {lags}: must be a whole number from 1 to {u.shape[0]}, the steps given")
    h = program.initial.copy()
    for name in (*(initial or {}), *(of or ())):
        if name not in program.slices:
            raise InputError(f"{name!r:.60}: must be one of {', '.join(program.slices)}")
    for name, value in (initial or {}).items():
        part = program.slices[name]
        h[part] = freeze(value, f"initial[{name!r}]", shape=(part.stop - part.start,))
    chosen = np.concatenate([np.arange(program.size)[program.slices[name]] for name in of or program.slices])
    jacobians = []
    for k, state, _, _ in iterate(program, h, u):
        slope = program.jacobian(state, u[k])
        jacobians.append(slope if isinstance(slope, np.ndarray) else slope.toarray())
    logs = np.zeros((lags, chosen.size))
    ends = range(lags, u.shape[0] + 1)
    for end in ends:
        product = np.eye(program.size)
        for k in range(lags):
            product = product @ jacobians[end - 1 - k]
            values = np.linalg.svd(product[np.ix_(chosen, chosen)], compute_uv=False)
            logs[k] += np.log(np.maximum(values, np.finfo(np.float64).tiny))
    singular = np.exp(logs / len(ends))
    norms = singular[:, 0]
    half = lags // 2
    rate = float((norms[-1] / norms[half]) ** (1.0 / (lags - 1 - half))) if lags - 1 > half else float(norms[-1])
    return GradientFlow(norms, singular, rate)
