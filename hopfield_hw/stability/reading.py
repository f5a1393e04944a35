"""Networks and graphs read as networks with slopes in sectors, in SI units."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np

from ..functions import Clip, DeadZone, Function, Identity, Sigmoid, Table
from ..functions.rectifiers import Elu, LeakyRelu, Softplus
from ..graph import Activate, Affine, Delay, Graph, HasGraph, Input, Leak, Operator, Output, as_graph
from ..transforms import in_si
from ..values.arrays import Array
from ..values.errors import InputError
from ..values.signals import Signal
from .certificate import check_delay
from .systems import DelayedNetwork

OTHER = (
    "certificates are of one population of neurons, x' = -A x + W0 f(x) + W1 f(x(t - h)) + I or "
    "x' = -A x + f(W x(t - h) + I); this graph is not one"
)


class _Path(NamedTuple):
    """One way from the state back to it: the product of what it passes through, its delay, and its gain curve.

    `activate`: the name of the operator of the gain curve; `route`: the names of the operators before it.
    """

    before: Array
    function: Function | None
    after: Array
    delay: float
    activate: str = ""
    route: tuple[str, ...] = ()


def slope_bounds(function: Function, size: int) -> tuple[Array, Array]:
    """Return the least and the largest slope that a function has anywhere, (n,) each.

    Raises InputError for a function whose slope has no bound, or none that is known here.
    """
    low: Any
    high: Any
    if isinstance(function, Sigmoid):
        low, high = 0.0, function.slope
    elif isinstance(function, Identity):
        low, high = 1.0, 1.0
    elif isinstance(function, Clip):
        low, high = 0.0, 1.0
    elif isinstance(function, LeakyRelu):
        low, high = np.minimum(function.below, function.above), np.maximum(function.below, function.above)
    elif isinstance(function, Elu):
        steep = function.alpha / function.width
        low, high = np.minimum(0.0, np.minimum(steep, function.slope)), np.maximum(steep, function.slope)
    elif isinstance(function, DeadZone):
        low, high = np.minimum(function.slope, 0.0), np.maximum(function.slope, 0.0)
    elif isinstance(function, Softplus):
        low, high = 0.0, function.amplitude / function.width
    elif isinstance(function, Table):
        low, high = 0.0, np.max(np.diff(function.y) / np.diff(function.x))
    else:
        raise InputError(
            f"{type(function).__name__}: a certificate needs bounds of the slope, and no finite ones of this function "
            "are known; give a `DelayedNetwork` with `lower` and `upper` of your own"
        )
    return np.broadcast_to(np.asarray(low, float), (size,)), np.broadcast_to(np.asarray(high, float), (size,))


def read_network(network: DelayedNetwork | Graph | HasGraph, delay: float | None = None) -> DelayedNetwork:
    """Return a Network, or a graph of one population, as x' = -A x + W0 f(x) + W1 f(x(t - h)) + I, in SI units.

    A = 1 / (R C), W = T / C, and the slopes of the gain curve (see `DelayedNetwork`). Constant inputs and biases move
    equilibria alone. `delay`: puts all feedback of a network without delays late, as `transforms.add_delay` does, or
    replaces the delay that there is; of a DelayedNetwork it replaces h.

    Raises InputError for another graph (several populations, several gain curves, holds, multipliers), one with
    several delays or one that varies, neurons without a leak, and gain curves whose slope has no bound.
    """
    late = None if delay is None else check_delay(delay, "delay", zero=True)
    if isinstance(network, DelayedNetwork):
        return network if late is None else replace(network, delay=late)
    given = as_graph(network)
    found = _read(in_si(given), given)
    if late is None:
        return found
    if late and not found.has_delay:
        return replace(found, weights=None, late_weights=found.weights, delay=late)
    return replace(found, delay=late)


def _read(graph: Graph, given: Graph) -> DelayedNetwork:
    leaks = graph.of_type(Leak)
    kinds = (Leak, Activate, Affine, Delay, Input, Output)
    if len(leaks) != 1 or not all(isinstance(operator, kinds) for operator in graph.operators):
        raise InputError(OTHER)
    (leak,) = leaks
    if not np.isfinite(leak.resistance).all():
        k = int(np.argmin(np.isfinite(leak.resistance)))
        raise InputError(f"neuron {k} has no leak (R is infinite): certificates need one; give R a finite value")
    n, paths = leak.output_size, _paths(graph, leak)
    # Two operators with one curve may have different arguments, f(W1 x + p) and f(W2 x + q): one network has one.
    functions = {path.activate: path.function for path in paths if path.function is not None}
    delays = sorted({path.delay for path in paths} - {0.0})
    if len(functions) != 1 or any(path.function is None for path in paths):
        raise InputError(OTHER)
    if len(delays) > 1:
        raise InputError(f"the graph has {len(delays)} delays, {delays[0]:g} s to {delays[-1]:g} s: must have one")
    (function,) = functions.values()
    lower, upper = slope_bounds(function, n)
    into = 1.0 / leak.capacitance
    local = all(np.array_equal(path.before, np.eye(n)) for path in paths)
    if local and len({path.route for path in paths}) != 1:
        raise InputError(OTHER)  # f(x + x(t - h)) is not f(x) + f(x(t - h))
    weights = [np.zeros((n, n)), np.zeros((n, n))]
    for path in paths:
        weights[path.delay > 0.0] += into[:, None] * path.after if local else path.before
    if not local:
        after = [into[:, None] * path.after for path in paths]
        scale = np.diagonal(after[0])
        if any(not np.array_equal(one, np.diag(scale)) for one in after) or bool(np.any(scale <= 0.0)):
            raise InputError(OTHER)
        lower, upper = lower * scale, upper * scale
    return DelayedNetwork(
        decay=into / leak.resistance,
        upper=upper,
        lower=lower,
        weights=weights[0],
        late_weights=weights[1],
        kind="local" if local else "static",
        delay=delays[0] if delays else None,
        graph=given,
    )


def _paths(graph: Graph, leak: Leak) -> list[_Path]:
    """Return all ways from the state back to its own node. Raises InputError where one is not of this kind."""
    n = leak.output_size
    found: list[_Path] = []
    waiting: list[tuple[Any, _Path]] = [(leak, _Path(np.eye(n), None, np.eye(n), 0.0))]
    while waiting:
        operator, path = waiting.pop()
        for driver in graph.drivers(operator):
            if isinstance(driver, Input):
                continue
            if driver is leak:
                found.append(path)
            elif isinstance(driver, Delay):
                if isinstance(driver.tau, Signal) or path.delay:
                    raise InputError(f"`{driver.name}`: must be one constant delay on each way; see `rate` for others")
                waiting.append((driver, _passed(path, driver)._replace(delay=driver.tau)))
            elif isinstance(driver, Activate):
                if path.function is not None or driver.output_size != n:
                    raise InputError(OTHER)
                waiting.append((driver, path._replace(function=driver.function, activate=driver.name)))
            elif isinstance(driver, Affine):
                matrix = np.asarray(driver.weights.matrix, dtype=np.float64)
                name = "after" if path.function is None else "before"
                waiting.append((driver, _passed(path, driver)._replace(**{name: getattr(path, name) @ matrix})))
            else:
                raise InputError(OTHER)
    if not found:
        raise InputError(OTHER)
    return found


def _passed(path: _Path, operator: Operator) -> _Path:
    return path if path.function is None else path._replace(route=(*path.route, operator.name))
