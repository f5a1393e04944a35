"""Lyapunov exponents: how fast nearby states of a network part, direction by direction."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from scipy.integrate import solve_ivp

from ..equations import MapProgram, OdeProgram, input_signal
from ..graph import Graph, as_graph
from ..networks.network import Network
from ..transforms import in_si
from ..values.arrays import Array, freeze, positive, whole
from ..values.errors import AccuracyError, InputError
from ..values.signals import Signal

RTOL = 1e-7
# The part of the time that is run before anything is counted; how often the tangent vectors are made orthonormal.
TRANSIENT = 0.1
INTERVALS = 500
SEED = 1984

Flow = Callable[[int, Array, Array], tuple[Array, Array]]


class Lyapunov(NamedTuple):
    """`exponents`: (k,), 1/s, the largest first. `drift`: (k,), how much each changed over the last half, 1/s.

    The sum of all of them is the mean rate at which a volume of states grows. The largest above 0 is chaos; one of them
    is 0 where the state neither settles nor is driven.
    """

    exponents: Array
    drift: Array


def lyapunov(
    graph: Graph | Network,
    *,
    t_stop: float,
    count: int | None = None,
    inputs: Any = None,
    transient: float | None = None,
) -> Lyapunov:
    """Return the largest `count` Lyapunov exponents, all by default, of the solution that starts at the initial state.

    `t_stop`: seconds that are averaged over. `transient`: seconds that are run before; a tenth of t_stop by default. A
    constant `inputs` drives the network. The tangent vectors follow the analytic Jacobian and are made orthonormal 500
    times along the way (a map: at each step). G. Benettin, L. Galgani, A. Giorgilli, J.-M. Strelcyn, Meccanica 15:9
    (1980).

    Raises InputError for a graph that is neither a differential equation nor a map, and for wrong arguments;
    AccuracyError where the solver fails, and where a map leaves all bounds.
    """
    network = in_si(as_graph(graph))
    if network.kind not in ("ode", "map"):
        raise InputError(f"lyapunov: the graph is of the kind {network.kind!r}: must be 'ode' or 'map'")
    length = float(positive(t_stop, "t_stop", shape=(), unit="s"))
    before = TRANSIENT * length if transient is None else float(freeze(transient, "transient", shape=()))
    if before < 0.0:
        raise InputError(f"`transient` = {before} s: must be at least 0")
    signal = input_signal(network, inputs)
    if signal is not None and bool(np.any(signal.values != signal.values[0])):
        raise InputError(
            "`inputs`: change with time, so that there are no exponents of the network; hold them constant"
        )
    flow, initial, step = _map(network, signal) if network.kind == "map" else _equation(network, signal, length)
    k = initial.size if count is None else whole(count, "count", 1, initial.size, ", the states")
    runs, steps = int(np.ceil(before / step)), max(int(np.round(length / step)), 1)
    x, frame = initial, np.linalg.qr(np.random.default_rng(SEED).normal(size=(initial.size, k)))[0]
    logs = np.zeros((steps, k))
    for j in range(-runs, steps):
        x, moved = flow(j + runs, x, frame)
        frame, stretch = np.linalg.qr(moved)
        if j >= 0:
            logs[j] = np.log(np.maximum(np.abs(np.diag(stretch)), np.finfo(np.float64).tiny))
    exponents = logs.mean(axis=0) / step
    half = logs[: max(steps // 2, 1)].mean(axis=0) / step
    order = np.argsort(-exponents)
    return Lyapunov(exponents[order], np.abs(exponents - half)[order])


def _map(graph: Graph, signal: Signal | None) -> tuple[Flow, Array, float]:
    program = MapProgram([graph])
    u = np.zeros(program.input_size) if signal is None else signal.values[0]

    def flow(j: int, x: Array, frame: Array) -> tuple[Array, Array]:
        with np.errstate(over="ignore", invalid="ignore"):
            after, moved = program.step(x, u)[0], np.asarray(program.jacobian(x, u) @ frame)
        if not (np.isfinite(after).all() and np.isfinite(moved).all()):
            raise AccuracyError(f"lyapunov: the map leaves all bounds at step {j + 1}; end before, or start elsewhere")
        return after, moved

    return flow, program.initial, program.clock.period


def _equation(graph: Graph, signal: Signal | None, length: float) -> tuple[Flow, Array, float]:
    program = OdeProgram([graph], signal)
    n, step = program.size, length / INTERVALS

    def rhs(t: float, z: Array) -> Array:
        x, frame = z[:n], z[n:].reshape(n, -1)
        return np.concatenate([program.rhs(t, x), np.asarray(program.jacobian(t, x) @ frame).ravel()])

    def flow(j: int, x: Array, frame: Array) -> tuple[Array, Array]:
        scale = max(float(np.max(np.abs(x))), 1e-6)
        atol = RTOL * np.concatenate([np.full(n, scale), np.ones(frame.size)])
        start = np.concatenate([x, frame.ravel()])
        found = solve_ivp(rhs, (0.0, step), start, method="DOP853", rtol=RTOL, atol=atol)
        if not found.success:
            raise AccuracyError(f"lyapunov: DOP853 stopped at t = {j * step + found.t[-1]:.6g} s ({found.message})")
        return found.y[:n, -1], found.y[n:, -1].reshape(frame.shape)

    return flow, program.initial, step
