"""Where a network stands still: F(x) = 0 of any graph, with its Jacobian, its outputs and how it is solved."""

from __future__ import annotations

from dataclasses import replace
from functools import cached_property
from typing import Any

import numpy as np

from ..equations import MapProgram, OdeProgram, input_signal
from ..graph import Activate, Affine, Delay, Graph, HasGraph, Quantise, Sign, as_graph
from ..graph.neutral import direct_links
from ..graph.weights import diagonal_weights, freeze_weights
from ..transforms import in_si
from ..values.arrays import Array, dense
from ..values.errors import InputError
from ..values.signals import Signal
from .lure_form import LureForm, lure_form

FEW = 200
LEAST_REACH = 1e-7  # of the largest state: what cancels is no more exact


class Balance:
    """F(x), (..., n), of a graph under constant inputs: dx/dt in V/s, or x[k+1] - x[k] of a map, V.

    A Delay gives what drives it: an equilibrium of a delay equation is one of the equation without its delays.

    Raises InputError for a sampled-data system, a graph without a state, inputs that change, Quantise and Sign, and for
    a neutral equation.
    """

    def __init__(self, graph: Graph | HasGraph, inputs: Any = None, *, what: str = "find_equilibria") -> None:
        self.given = in_si(as_graph(graph))
        if self.given.kind not in ("ode", "map", "dde"):
            raise InputError(f"{what}: the graph is of the kind {self.given.kind!r}: must be 'ode', 'dde' or 'map'")
        for operator in self.given.operators:
            if isinstance(operator, Quantise | Sign):
                raise InputError(f"{what}: {operator.name!r} is a {type(operator).__name__}, which jumps; take it out")
        self.given = _with_dense_weights(self.given)
        self.graph = without_delays(self.given, what)
        self.inputs = constant_inputs(self.graph, inputs)
        self.is_map = self.graph.kind == "map"
        self._map = MapProgram([self.graph], self.inputs) if self.is_map else None
        self._ode = None if self.is_map else OdeProgram([self.graph], self.inputs)
        program = self._map if self._map is not None else self._ode
        assert program is not None
        self.size, self.initial = program.size, program.initial
        width = sum(op.output_size for op in self.graph.operators if op.kind == "input")
        self.u = np.zeros(width) if self.inputs is None else np.asarray(self.inputs.values[0])

    @cached_property
    def form(self) -> LureForm | None:
        """The Lur'e form; None where there are products."""
        return lure_form(self.graph, self.u)

    @cached_property
    def has_jumps(self) -> bool:
        """Whether some function has corners or jumps."""
        return any(op.function.has_corners for op in self.graph.of_type(Activate))

    def value(self, x: Array) -> Array:
        """Return F(x), (..., n)."""
        if self._map is not None:
            return self._map.step(x, np.broadcast_to(self.u, (*x.shape[:-1], self.u.size)))[0] - x
        assert self._ode is not None
        return self._ode.rhs(0.0, x)

    def jacobian(self, x: Array) -> Array:
        """Return dF/dx, (n, n), at one state."""
        if self._map is not None:
            return dense(self._map.jacobian(x, self.u)) - np.eye(self.size)
        assert self._ode is not None
        return dense(self._ode.jacobian(0.0, x))

    def values(self, x: Array) -> Array:
        """Return F, (rows, n), of states (rows, n)."""
        return self.form.value(x) if self.form is not None else self.value(x)

    def jacobians(self, x: Array) -> Array:
        """Return dF/dx, (rows, n, n), of states (rows, n)."""
        if self.form is not None:
            return self.form.jacobian(x)
        return np.array([self.jacobian(row) for row in x]).reshape(len(x), self.size, self.size)

    def outputs(self, x: Array) -> Array:
        """Return what the Outputs give, (rows, outputs), of states (rows, n)."""
        if self._map is not None:
            return self._map.step(x, np.broadcast_to(self.u, (*x.shape[:-1], self.u.size)))[1]
        assert self._ode is not None
        return self._ode.outputs(0.0, x)

    @cached_property
    def reach(self) -> float:
        """The size of the states, volts: where the equation bounds them, else from the start."""
        bounds = None if self.form is None else self.form.state_range()
        if bounds is not None and self.size:
            return max(float(np.max(np.abs(bounds))), 1e-9)
        if self._ode is not None:
            return self._ode.reach
        return max(float(np.max(np.abs(self.initial), initial=0.0)), 1.0)

    @cached_property
    def reaches(self) -> Array:
        """The size of each state, (n,), volts: a small one beside a large one is not lost in it."""
        bounds = None if self.form is None else self.form.state_range()
        if bounds is None:
            return np.full(self.size, self.reach)
        return np.asarray(np.maximum(np.max(np.abs(bounds), axis=0), LEAST_REACH * self.reach))


def constant_inputs(graph: Graph, inputs: Any) -> Signal | None:
    """Return inputs that do not change, as a Signal. Raises InputError for others."""
    signal = input_signal(graph, inputs)
    if signal is not None and bool(np.any(signal.values != signal.values[0])):
        raise InputError("`inputs`: change with time, so nothing stands still; hold them constant")
    return signal


def without_delays(graph: Graph, what: str) -> Graph:
    """Return a graph in SI units whose Delays give at once what drives them. Raises InputError for a neutral one."""
    delays = graph.of_type(Delay)
    if not delays:
        return graph
    refuse_neutral(graph, what)
    at_once = {
        delay.name: Affine(name=delay.name, weights=diagonal_weights(np.ones(delay.size), is_sparse=_is_sparse(graph)))
        for delay in delays
    }
    return replace(graph, operators=tuple(at_once.get(op.name, op) for op in graph.operators))


def refuse_neutral(graph: Graph, what: str) -> None:
    """Raise InputError where Delays drive each other in a cycle without a Leak."""
    import networkx as nx

    links = direct_links(graph)
    for names in nx.strongly_connected_components(links):
        if any(links.has_edge(a, b) for a in names for b in names):
            named = ", ".join(repr(name) for name in sorted(names))
            raise InputError(
                f"{what}: the Delays {named} drive each other without a Leak between, so the equation is neutral; its "
                "roots are not computed here: put a Leak into the cycle"
            )


def _with_dense_weights(graph: Graph) -> Graph:
    """Return a graph of a few neurons with dense weights: sparse ones cost more than they save there."""
    if not _is_sparse(graph) or max(op.output_size for op in graph.operators) > FEW:
        return graph
    return replace(
        graph,
        operators=tuple(_as_dense(op) if isinstance(op, Affine) else op for op in graph.operators),
    )


def _as_dense(affine: Affine) -> Affine:
    return replace(affine, weights=freeze_weights(affine.weights.matrix, affine.name), bias=affine.constant)


def _is_sparse(graph: Graph) -> bool:
    return any(op.weights.is_sparse for op in graph.of_type(Affine))
