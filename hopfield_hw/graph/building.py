"""What the families have in common: states in continuous and in discrete time, checked shapes, and units."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from ..values.arrays import Array, freeze, positive
from ..values.errors import InputError
from .graph import Edge, Graph, Units
from .operators import Clock, Hold, Leak, Operator, Output
from .weights import Weights, freeze_weights

# One unit of a dimensionless network in a circuit: 1 V, 100 uS and 1 ms, so that neurons have 10 kOhm and 100 nF.
CIRCUIT_UNITS = Units(siemens_per_unit=1e-4, seconds_per_unit=1e-3)


def state(name: str, initial: Array, *, tau: Any = 1.0, decay: Any = 1.0, discrete: bool = False) -> Leak | Hold:
    """Return tau dx/dt = -decay x + what drives it; in discrete time x[k+1] = what drives it, one step a unit of time.

    `initial`: x(0), (n,). `tau`, `decay`: (n,) or one for all; tau positive, decay at least 0.
    """
    n = initial.size
    if not isinstance(discrete, bool | np.bool_):
        raise InputError(f"`discrete` = {discrete!r:.60}: must be True or False")
    constants = positive(tau, f"{name}: tau", shape=(n,), unit="units of time")
    if discrete:
        return Hold(name=name, clock=Clock(period=1.0), initial=initial)
    rates = freeze(decay, f"{name}: decay", shape=(n,))
    if bool(np.any(rates < 0.0)):
        raise InputError(f"`{name}: decay` holds {rates.min()}: must be at least 0; put growth into the weights")
    with np.errstate(divide="ignore", over="ignore"):
        return Leak(name=name, capacitance=constants, resistance=1.0 / rates, initial=initial)


def matrix(value: Any, name: str) -> tuple[Weights, int, int]:
    """Return weights frozen at the door, and their outputs and inputs. Raises InputError where there are none."""
    weights = freeze_weights(value, name)
    outputs, inputs = weights.output_size, weights.input_size
    if outputs == 0 or inputs == 0:
        raise InputError(f"`{name}` has shape {(outputs, inputs)}: must have at least one element")
    return weights, outputs, inputs


def square(value: Any, name: str) -> tuple[Weights, int]:
    """Return weights from n elements to the same n, and n."""
    weights, outputs, inputs = matrix(value, name)
    if outputs != inputs:
        raise InputError(f"`{name}` has shape {(outputs, inputs)}: must be (n, n)")
    return weights, outputs


def network_graph(
    operators: Iterable[Operator],
    edges: Iterable[tuple[str, ...]],
    *,
    outputs: Iterable[tuple[str, str, int]],
    units: Units,
) -> Graph:
    """Return a graph with an Output for each (name, what it shows, size)."""
    shown = tuple(outputs)
    probes = [Output(name=name, size=size) for name, _, size in shown]
    return Graph(
        operators=(*operators, *probes),
        edges=tuple(Edge(*edge) for edge in (*edges, *((source, name) for name, source, _ in shown))),
        units=units,
    )
