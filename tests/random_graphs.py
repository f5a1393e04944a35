"""Random graphs about the patterns of the cells: a graph that some cell builds, and changes that a pattern may miss."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import scipy.sparse as sp
from random_maps import random_map

import hopfield_hw as hh
from hopfield_hw.functions import Clip, Function, Identity
from hopfield_hw.graph import (
    Activate,
    Affine,
    Clock,
    Edge,
    Graph,
    Hadamard,
    Hold,
    Input,
    Leak,
    Operator,
    Output,
    Stencil,
)
from hopfield_hw.values.errors import InputError

TAU = 1e-3  # R C of every neuron, and the period of a map; seconds
CURVES: tuple[Function, ...] = (
    hh.Tanh(),
    hh.Tanh(gain=2.0, amplitude=0.5),
    hh.Logistic(gain=0.7),
    hh.PiecewiseLinear(),
)
PLAIN: tuple[Function, ...] = (Identity(), Clip(lower=-0.4, upper=0.7))


def hopfield(rng: np.random.Generator, *, stencil: bool = False) -> Graph:
    """One population, with inputs or without; its inhibition all alike at times."""
    n = 4 if stencil else int(rng.integers(2, 5))
    weights: Any = rng.normal(size=(n, n)) / np.sqrt(n)
    if stencil:
        boundary = str(rng.choice(["zero", "fixed", "periodic"]))
        edge = 0.5 if boundary == "fixed" else 0.0
        weights = Stencil(template=rng.normal(size=(3, 3)) / 3, shape=(2, 2), boundary=boundary, edge=edge)  # type: ignore[arg-type]
    elif rng.random() < 0.3:
        weights = np.where(np.eye(n, dtype=bool), rng.uniform(0.0, 1.0, n), -0.4)
    elif rng.random() < 0.4:
        weights = sp.csr_array(np.where(rng.random((n, n)) < 0.5, weights, 0.0))
    operators: list[Operator] = [
        _leak(rng, "x", n),
        Activate(name="v", size=n, function=_one(rng, CURVES)),
        Affine(name="syn", weights=weights, bias=0.3 * rng.normal(size=n)),
        Output(name="y", size=n),
    ]
    edges = [Edge("x", "v"), Edge("v", "syn"), Edge("syn", "x"), Edge("v", "y")]
    if rng.random() < 0.6:
        operators += [Input(name="u", size=2), Affine(name="syn_u", weights=rng.normal(size=(n, 2)))]
        edges += [Edge("u", "syn_u"), Edge("syn_u", "x")]
    return Graph(operators=tuple(operators), edges=tuple(edges))


def static_field(rng: np.random.Generator) -> Graph:
    """The gain before the capacitor; between them a conductance at times."""
    n = int(rng.integers(2, 4))
    operators: list[Operator] = [
        _leak(rng, "x", n, most=1.0),  # a conductance of 1 is at most 1/R
        Affine(name="w", weights=rng.normal(size=(n, n)) / np.sqrt(n), bias=0.2 * rng.normal(size=n)),
        Activate(name="g", size=n, function=_one(rng, (*CURVES, *PLAIN[1:]))),
        Output(name="y", size=n),
    ]
    edges = [Edge("x", "w"), Edge("w", "g"), Edge("x", "y")]
    if rng.random() < 0.5:
        operators.append(Affine(name="into", weights=sp.diags_array(rng.uniform(0.2, 0.9, n), format="csr")))
        edges += [Edge("g", "into"), Edge("into", "x")]
    else:
        edges.append(Edge("g", "x"))
    return Graph(operators=tuple(operators), edges=tuple(edges))


def two_populations(rng: np.random.Generator) -> Graph:
    """Two populations that drive each other, one Leak read by an Affine as it is at times."""
    n, m = (int(k) for k in rng.integers(2, 4, 2))
    operators: list[Operator] = [
        _leak(rng, "x", n),
        _leak(rng, "z", m),
        Activate(name="gx", size=n, function=_one(rng, CURVES)),
        Activate(name="gz", size=m, function=_one(rng, CURVES)),
        Affine(name="to_z", weights=rng.normal(size=(m, n))),
        Affine(name="to_x", weights=rng.normal(size=(n, m)), bias=0.3 * rng.normal(size=n)),
        Output(name="y", size=m),
    ]
    source = "x" if rng.random() < 0.3 else "gx"
    edges = [Edge("x", "gx"), Edge(source, "to_z"), Edge("to_z", "z"), Edge("z", "gz"), Edge("gz", "to_x")]
    edges += [Edge("to_x", "x"), Edge("gz", "y")]
    return Graph(operators=tuple(operators), edges=tuple(edges))


def product(rng: np.random.Generator, *, discrete: bool = False) -> Graph:
    """A product with several drivers at a port, and a uniform diagonal among them: the unit of a multiplier, or not."""
    n = 2
    state = (
        Hold(name="x", clock=Clock(period=TAU), initial=rng.uniform(-0.9, 0.9, n)) if discrete else _leak(rng, "x", n)
    )
    operators: list[Operator] = [
        state,
        Affine(name="part", weights=sp.csr_array(float(rng.choice([0.5, 0.25, 1.0, -0.5])) * sp.eye_array(n))),
        Activate(name="g", size=n, function=_one(rng, CURVES)),
        Hadamard(name="p", size=n),
        Affine(name="w", weights=rng.normal(size=(n, n)) * 0.5, bias=0.2 * rng.normal(size=n)),
        Activate(name="bounded", size=n, function=Clip(lower=-1.5, upper=1.5)),
        Output(name="y", size=n),
    ]
    edges = [Edge("x", "part"), Edge("x", "g"), Edge("part", "p", "left"), Edge("p", "w"), Edge("w", "bounded")]
    edges += [Edge("bounded", "x"), Edge("p", "y")]
    choices = [Edge("g", "p", "left"), Edge("part", "p", "right"), Edge("x", "p", "right"), Edge("x", "p", "left")]
    edges += [edge for edge in choices if rng.random() < 0.4] + [Edge("g", "p", "right")]
    return Graph(operators=tuple(operators), edges=tuple(dict.fromkeys(edges)))


def random_graph(rng: np.random.Generator, kind: str) -> Graph:
    """Return a graph of one kind with up to three changes. Kinds: see KINDS."""
    graph = KINDS[kind](rng)
    for k in range(int(rng.integers(0, 4))):
        graph = changed(rng, graph, f"c{k}")
    return graph


def changed(rng: np.random.Generator, graph: Graph, name: str) -> Graph:
    """Return a graph with one edge more, an operator within an edge, or a probe; as it was where that is no graph."""
    act = rng.choice(["edge", "edge", "within", "within", "probe", "product"])
    operators, edges = list(graph.operators), list(graph.edges)
    givers = [op for op in operators if not isinstance(op, Output)]
    if act == "probe":
        source = _one(rng, givers)
        operators.append(Output(name=name, size=source.output_size))
        edges.append(Edge(source.name, name))
    elif act == "edge":
        target = _one(rng, [op for op in operators if op.ports])
        sources = [op for op in givers if op.output_size == target.input_size]
        edges.append(Edge(_one(rng, sources).name, target.name, str(rng.choice(target.ports))))
    else:
        k = int(rng.integers(len(edges)))
        source, target, port = graph.by_name[edges[k].source], edges[k].target, edges[k].port
        n = source.output_size
        alike = [op for op in givers if op.output_size == n]
        extra: Operator = Hadamard(name=name, size=n) if act == "product" else _within(rng, name, n)
        operators.append(extra)
        edges[k] = Edge(source.name, name, extra.ports[0])
        edges.append(Edge(name, target, port))
        if act == "product":
            edges.append(Edge(_one(rng, alike).name, name, "right"))
    try:
        return replace(graph, operators=tuple(operators), edges=tuple(edges))
    except InputError:
        return graph


def _within(rng: np.random.Generator, name: str, n: int) -> Operator:
    factor = float(rng.choice([0.5, 1.0, -1.0, 2.0]))
    weights: list[Any] = [
        sp.csr_array(factor * sp.eye_array(n)),
        factor * np.eye(n),
        sp.diags_array(rng.uniform(0.1, 0.9, n), format="csr"),
        sp.csr_array((np.array([factor]), (np.array([0]), np.array([n - 1]))), shape=(n, n)),
    ]
    k = int(rng.integers(len(weights) + 2))
    if k < len(weights):
        bias = 0.1 * rng.normal(size=n) if rng.random() < 0.3 else None
        return Affine(name=name, weights=weights[k], bias=bias)
    return Activate(name=name, size=n, function=_one(rng, (*CURVES, *PLAIN)))


def _leak(rng: np.random.Generator, name: str, n: int, *, most: float = 1.5) -> Leak:
    resistance = rng.uniform(0.5, most, n)
    return Leak(name=name, capacitance=TAU / resistance, resistance=resistance, initial=rng.uniform(-0.8, 0.8, n))


def _one(rng: np.random.Generator, things: Any) -> Any:
    return things[int(rng.integers(len(things)))]


def mixed_map(rng: np.random.Generator) -> Graph:
    """A map of every operator, at a clock of a circuit."""
    graph = random_map(rng)
    return replace(graph, units=hh.Units(seconds_per_unit=TAU))


KINDS: dict[str, Any] = {
    "hopfield": hopfield,
    "stencil": lambda rng: hopfield(rng, stencil=True),
    "static_field": static_field,
    "two_populations": two_populations,
    "product": product,
    "map": mixed_map,
    "product_map": lambda rng: product(rng, discrete=True),
}
