"""Graphs a second time: the equations of the operators, one after the other, and SciPy's integrator.

It reads the graph, and shares no arithmetic with the package: no Evaluator, no weights' `apply`, no pass to SI units.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.integrate import solve_ivp

from hopfield_hw.graph import Activate, Affine, Graph, Hadamard, Hold, Input, Leak, Output, Quantise, Sign, Stencil
from hopfield_hw.values.arrays import Array

STATES = (Leak, Hold)


def states_of(graph: Graph) -> list[Leak | Hold]:
    """The states as waveforms list them: Leaks, then Holds."""
    return [op for kind in STATES for op in graph.operators if isinstance(op, kind)]


def start(graph: Graph) -> Array:
    return np.concatenate([op.initial for op in states_of(graph)])


def values_at(graph: Graph, x: Array, inputs: dict[str, Array]) -> dict[str, Array]:
    """Return what each operator gives, by name; every operator asks for what drives it."""
    known: dict[str, Array] = dict(inputs)
    place = 0
    for op in states_of(graph):
        known[op.name] = x[place : place + op.initial.size]
        place += op.initial.size
    operators = {op.name: op for op in graph.operators}

    def value(name: str) -> Array:
        if name not in known:
            known[name] = computed(operators[name])
        return known[name]

    def computed(op: Any) -> Array:
        def port(which: str = "in") -> Array:
            given = [value(edge.source) for edge in graph.edges if (edge.target, edge.port) == (op.name, which)]
            return np.asarray(sum(given))

        if isinstance(op, Affine):
            return matrix_of(op) @ port() + offset_of(op)
        if isinstance(op, Activate):
            return np.asarray(op.function.value(port()))
        if isinstance(op, Hadamard):
            return port("left") * port("right")
        if isinstance(op, Sign):
            drive, tie = port(), port("tie")
            chosen = [d if abs(d) > band else t for d, t, band in zip(drive, tie, op.band.tolist(), strict=True)]
            return np.array([op.amplitude if one >= 0.0 else -op.amplitude for one in chosen])
        if isinstance(op, Quantise):
            step = (op.upper - op.lower) / (op.levels - 1)
            return np.array(
                [op.lower + step * min(max(round((v - op.lower) / step), 0), op.levels - 1) for v in port()]
            )
        assert isinstance(op, Output)
        return port()

    for name in operators:
        value(name)
    return known


def driving(graph: Graph, op: Leak | Hold, values: dict[str, Array]) -> Array:
    """Return the sum of what drives a state."""
    given = [values[edge.source] for edge in graph.edges if edge.target == op.name]
    return np.asarray(sum(given, start=np.zeros(op.initial.size)))


def integrated(graph: Graph, times: Array, inputs: dict[str, Array]) -> Array | None:
    """Return the states of an ODE at the times, (times, n); None where it runs away, or is not solved."""

    def rhs(_: float, x: Array) -> Array:
        values = values_at(graph, x, inputs)
        parts = []
        for op in states_of(graph):
            assert isinstance(op, Leak)
            parts.append((driving(graph, op, values) - values[op.name] / op.resistance) / op.capacitance)
        return np.concatenate(parts)

    def away(_: float, x: Array) -> float:
        return float(np.max(np.abs(x))) - 30.0

    away.terminal = True  # type: ignore[attr-defined]
    span = (float(times[0]), float(times[-1]))
    found = solve_ivp(rhs, span, start(graph), method="LSODA", t_eval=times, rtol=1e-9, atol=1e-11, events=away)
    return np.asarray(found.y.T) if found.status == 0 else None


def stepped(graph: Graph, inputs: dict[str, Array], steps: int) -> Array:
    """Return the states of a map, (steps + 1, n)."""
    found = [start(graph)]
    for _ in range(steps):
        values = values_at(graph, found[-1], inputs)
        found.append(np.concatenate([driving(graph, op, values) for op in states_of(graph)]))
    return np.stack(found)


def outputs_of(graph: Graph, states: Array, inputs: dict[str, Array]) -> Array:
    """Return what the Outputs give at each state, (times, outputs)."""
    outputs = [op for op in graph.operators if isinstance(op, Output)]
    rows = [values_at(graph, x, inputs) for x in states]
    return np.stack([np.concatenate([row[op.name] for op in outputs]) for row in rows])


def matrix_of(affine: Affine) -> Array:
    """Return W, dense; a Stencil cell by cell."""
    weights = affine.weights
    if isinstance(weights, Stencil):
        (rows, columns), (p, q) = weights.shape, weights.template.shape
        found = np.zeros((rows * columns, rows * columns))
        for r in range(rows):
            for c in range(columns):
                for i in range(p):
                    for j in range(q):
                        rr, cc = r + i - p // 2, c + j - q // 2
                        if weights.boundary == "periodic":
                            rr, cc = rr % rows, cc % columns
                        if 0 <= rr < rows and 0 <= cc < columns:
                            found[r * columns + c, rr * columns + cc] += weights.template[i, j]
        return found
    return weights.matrix


def offset_of(affine: Affine) -> Array:
    """Return b, and what the fixed edge of a Stencil adds."""
    bias, weights = affine.bias, affine.weights
    if not isinstance(weights, Stencil) or weights.boundary != "fixed":
        return np.asarray(bias)
    missing = float(weights.template.sum()) - matrix_of(affine).sum(axis=1)
    return np.asarray(bias + weights.edge * missing)


def inputs_of(graph: Graph, values: Array) -> dict[str, Array]:
    """Return constants, one after the other, by Input."""
    found, place = {}, 0
    for op in graph.operators:
        if isinstance(op, Input):
            found[op.name] = values[place : place + op.size]
            place += op.size
    return found
