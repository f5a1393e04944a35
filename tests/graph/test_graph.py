"""The graph: what it verifies, its canonical text and hash, its labels and kinds, stencils, and SI units."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import scipy.sparse as sp
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from hopfield_hw.equations import OdeProgram, solve
from hopfield_hw.functions import (
    Clip,
    Function,
    Identity,
    Logistic,
    PiecewiseLinear,
    Polynomial,
    Rational,
    Softmax,
    Table,
    Tanh,
)
from hopfield_hw.graph import (
    Activate,
    Affine,
    Clock,
    Delay,
    Edge,
    Graph,
    Hadamard,
    Hold,
    Input,
    Leak,
    Operator,
    Output,
    Quantise,
    Stencil,
    Units,
    parse_graph,
)
from hopfield_hw.graph.weights import BOUNDARIES, Weights
from hopfield_hw.networks.network import Network
from hopfield_hw.transforms import in_si
from hopfield_hw.values.arrays import Array
from hopfield_hw.values.errors import InputError
from hopfield_hw.values.signals import Signal

N = 4  # elements of every operator in the graphs of the property tests
numbers = st.floats(-1e6, 1e6, allow_nan=False)
positives = st.floats(1e-9, 1e9)
vectors = arrays(np.float64, N, elements=numbers)


def leak(name: str, n: int = 1, **others: Any) -> Leak:
    fields = {"capacitance": np.ones(n), "resistance": np.ones(n), "initial": np.zeros(n), **others}
    return Leak(name=name, **fields)


def gain(name: str, n: int = 1) -> Activate:
    return Activate(name=name, size=n, function=Tanh())


def hopfield(n: int = 2) -> tuple[list[Operator], list[tuple[str, ...]]]:
    operators = [leak("x", n), gain("v", n), Affine(name="syn", weights=np.eye(n)), Output(name="o", size=n)]
    return operators, [("x", "v"), ("v", "syn"), ("syn", "x"), ("v", "o")]


# Verification


def refused(operators: Iterable[Operator], edges: Iterable[tuple[str, ...]], message: str) -> None:
    with pytest.raises(InputError, match=f"^{re.escape(message)}$"):
        Graph(operators=tuple(operators), edges=tuple(Edge(*edge) for edge in edges))


def test_an_empty_graph_is_refused() -> None:
    refused([], [], "`Graph.operators` is empty: must hold at least one operator")


def test_names_that_collide_after_case_folding_are_refused() -> None:
    refused(
        [leak("Syn"), leak("syn")],
        [],
        "`Graph.operators`: 'Syn' and 'syn' are one name in SPICE, which ignores case; rename one of them",
    )


def test_edges_must_join_operators() -> None:
    operators, edges = hopfield()
    refused(operators, [*edges, ("x", "w")], "`Graph.edges`: ('x', 'w', 'in') names 'w', which is not an operator")
    refused(operators, [*edges, ("w", "x")], "`Graph.edges`: ('w', 'x', 'in') names 'w', which is not an operator")


def test_an_output_drives_nothing() -> None:
    operators, edges = hopfield()
    message = "`Graph.edges`: 'o' is an Output and drives nothing; start at what drives it"
    refused(operators, [*edges, ("o", "x")], message)


def test_ports_must_be_there() -> None:
    operators, edges = hopfield()
    refused(operators, [*edges, ("x", "v", "left")], "`Graph.edges`: 'v' has no port 'left'; its ports: in")
    refused(
        [*operators, Input(name="u", size=2)],
        [*edges, ("x", "u")],
        "`Graph.edges`: 'u' has no port 'in'; its ports: none, it is an Input",
    )
    refused(
        [*operators, Hadamard(name="p", size=2)],
        [*edges, ("x", "p")],
        "`Graph.edges`: 'p' has no port 'in'; its ports: left, right",
    )


def test_sizes_must_meet() -> None:
    refused(
        [leak("x", 2), gain("v", 3)],
        [("x", "v")],
        "`Graph.edges`: 'x' gives 2 elements and 'v' takes 3; make the sizes meet",
    )
    refused(
        [leak("x", 2), Affine(name="w", weights=np.ones((2, 3)))],
        [("x", "w")],
        "`Graph.edges`: 'x' gives 2 elements and 'w' takes 3; make the sizes meet",
    )


def test_an_edge_stands_once() -> None:
    operators, edges = hopfield()
    message = "`Graph.edges` holds an edge twice: state each once, and put a factor into an Affine"
    refused(operators, [*edges, ("x", "v")], message)


def test_every_port_but_that_of_a_leak_is_driven() -> None:
    refused([leak("x"), gain("v")], [], "`Graph`: nothing drives 'v'; add an edge to it")
    refused(
        [leak("x"), Hadamard(name="p", size=1)],
        [("x", "p", "left")],
        "`Graph`: nothing drives port 'right' of 'p'; add an edge to it",
    )
    Graph(operators=(leak("x"),), edges=())


def test_an_algebraic_cycle_is_printed() -> None:
    operators = [gain("a"), Affine(name="b", weights=[[1.0]]), Quantise(name="c", size=1, levels=2, lower=0, upper=1)]
    with pytest.raises(InputError) as caught:
        Graph(operators=(*operators, leak("x")), edges=(("a", "b"), ("b", "c"), ("c", "a"), ("x", "a"), ("a", "x")))
    paths = [" -> ".join([*"abcabc"[k : k + 3], "abc"[k]]) for k in range(3)]
    messages = [f"`Graph`: the cycle {path} holds no state; put a Leak, a Hold or a Delay into it" for path in paths]
    assert str(caught.value) in messages


def test_a_cycle_of_one_is_printed() -> None:
    message = "`Graph`: the cycle p -> p holds no state; put a Leak, a Hold or a Delay into it"
    refused([leak("x"), Hadamard(name="p", size=1)], [("x", "p", "left"), ("p", "p", "right")], message)


def test_cycle_message_is_reproducible() -> None:
    """The order of a set of names changes with the hash seed of the process; the message must not."""
    program = (
        "from hopfield_hw.graph import Activate, Graph\nfrom hopfield_hw.functions.sigmoids import Tanh\n"
        "try: Graph(operators=[Activate(name=n, size=1, function=Tanh()) for n in 'abc'],"
        " edges=[('a', 'b'), ('b', 'c'), ('c', 'a')])\nexcept ValueError as error: print(error)"
    )
    runs = [
        subprocess.Popen(
            [sys.executable, "-c", program],
            env={**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": os.pathsep.join(sys.path)},
            stdout=subprocess.PIPE,
        )
        for seed in ("1", "2")  # with these two a set of "abc" is walked in two orders
    ]
    answers = {run.communicate()[0] for run in runs}
    assert len(answers) == 1
    assert b"-> " in answers.pop()


@pytest.mark.parametrize(
    "state",
    [
        leak("s"),
        Hold(name="s", clock=Clock(period=1.0), initial=[0.0]),
        Delay(name="s", size=1, tau=1.0, history=[0.0]),
    ],
    ids=["leak", "hold", "delay"],
)
def test_a_state_makes_a_cycle_legal(state: Operator) -> None:
    Graph(operators=(state, gain("a")), edges=(("a", "s"), ("s", "a")))


def test_a_delay_in_a_map_is_refused() -> None:
    hold = Hold(name="h", clock=Clock(period=1.0), initial=[0.0])
    delay = Delay(name="d", size=1, tau=1.0, history=[0.0])
    message = "`d`: a Delay in a map has no meaning; chain Holds instead"
    refused([hold, delay], [("h", "d"), ("d", "h")], message)
    Graph(operators=(hold, delay, leak("x")), edges=(("h", "d"), ("d", "h")))


def test_kinds_of_graphs() -> None:
    hold = Hold(name="h", clock=Clock(period=1.0), initial=[0.0])
    delay = Delay(name="d", size=1, tau=1.0, history=[0.0])
    x, y = leak("x"), gain("y")
    kinds = {
        "ode": Graph(operators=(x,), edges=()),
        "dde": Graph(operators=(x, delay), edges=(("x", "d"),)),
        "map": Graph(operators=(hold, y), edges=(("h", "y"), ("y", "h"))),
        "sampled": Graph(operators=(hold, x), edges=(("x", "h"), ("h", "x"))),
        "static": Graph(operators=(Input(name="u", size=1), y), edges=(("u", "y"),)),
    }
    assert {kind: graph.kind for kind, graph in kinds.items()} == {kind: kind for kind in kinds}


def test_order_puts_what_drives_first() -> None:
    operators, edges = hopfield()
    graph = Graph(operators=tuple(reversed(operators)), edges=tuple(edges))
    names = [operator.name for operator in graph.order]
    assert sorted(names) == sorted(operator.name for operator in operators)
    for source, target in edges:
        if target != "x":
            assert names.index(source) < names.index(target)


def test_labels_pass_down_to_what_a_leak_alone_drives() -> None:
    operators, edges = hopfield()
    operators[0] = leak("x", 2, labels=("p", "q"))
    graph = Graph(
        operators=(
            *operators,
            Input(name="u", size=2, labels=("k", "m")),
            Affine(name="wide", weights=np.ones((3, 2))),
        ),
        edges=(*edges, ("u", "x"), ("u", "wide")),
    )
    labels = {operator.name: graph.labels(operator) for operator in graph.operators}
    assert labels["x"] == labels["v"] == labels["o"] == ("p", "q")
    assert labels["u"] == ("k", "m")
    assert labels["wide"] == ("0", "1", "2")
    assert graph.labels_of(Leak) == ("p", "q")


def test_labels_of_several_populations_say_which() -> None:
    graph = Graph(operators=(leak("x", 2, labels=("p", "q")), leak("y", 1)), edges=())
    assert graph.labels_of(Leak) == ("x_p", "x_q", "y_0")


# Canonical text and hash


@st.composite
def weights(draw: st.DrawFn) -> Any:
    matrix = draw(arrays(np.float64, (N, N), elements=st.one_of(st.just(0.0), numbers)))
    boundary = draw(st.sampled_from(BOUNDARIES))
    template = draw(arrays(np.float64, draw(st.sampled_from([(1, 1), (3, 3), (1, 3), (5, 1)])), elements=numbers))
    stencil = Stencil(
        template=template, shape=(2, N // 2), boundary=boundary, edge=draw(numbers) if boundary == "fixed" else 0.0
    )
    return draw(st.sampled_from([matrix, sp.csr_array(matrix), sp.coo_matrix(matrix), stencil]))


@st.composite
def functions(draw: st.DrawFn) -> Function:
    slopes = st.one_of(positives.map(lambda b: b % 99.0 + 1.0), arrays(np.float64, N, elements=st.floats(0.1, 99.0)))
    return draw(
        st.one_of(
            st.builds(Tanh, gain=slopes, amplitude=st.floats(0.5, 2.0)),
            st.builds(Logistic, gain=slopes),
            st.just(Identity()),
            st.builds(Clip, lower=st.sampled_from([-np.inf, -1.0]), upper=st.sampled_from([np.inf, 0.5])),
            st.builds(Polynomial, coefficients=arrays(np.float64, 3, elements=numbers)),
            st.just(Rational(numerator=[1.0, 2.0], denominator=[1.0, 0.0, 1.0])),
            st.builds(Softmax, groups=st.sampled_from([None, (1, 3), (2, 2)]), beta=st.floats(0.1, 9.0)),
            st.just(Table(x=[-1.0, 0.5, 1.0], y=[-2.0, 0.0, 0.25])),
        )
    )


@st.composite
def signals(draw: st.DrawFn, n: int, values: st.SearchStrategy[float] = numbers) -> Signal:
    times = draw(st.lists(st.floats(0.0, 1e3), min_size=1, max_size=4, unique=True).map(sorted))
    return Signal(times=times, values=draw(arrays(np.float64, (len(times), n), elements=values)))


@st.composite
def graphs(draw: st.DrawFn) -> Graph:
    """A graph with each operator at least once, shuffled."""
    labels = st.one_of(st.none(), st.just(("a", "B", "3", "x_y")))
    operators: list[Operator] = [
        Input(name="u", size=N, labels=draw(labels)),
        leak(
            "x",
            N,
            capacitance=draw(arrays(np.float64, N, elements=positives)),
            resistance=draw(arrays(np.float64, N, elements=st.one_of(positives, st.just(np.inf)))),
            initial=draw(vectors),
            labels=draw(labels),
        ),
        Affine(name="syn", weights=draw(weights()), bias=draw(st.one_of(st.none(), vectors))),
        Activate(name="f", size=N, function=draw(functions())),
        Hadamard(name="product", size=N),
        Delay(
            name="d",
            size=N,
            tau=draw(st.one_of(positives, signals(1, positives))),
            history=draw(st.one_of(vectors, signals(N))),
        ),
        Hold(name="h", clock=Clock(period=2.0, phase=draw(st.floats(0.0, 1.9))), initial=draw(vectors)),
        Quantise(name="q", size=N, levels=draw(st.integers(2, 300)), lower=-1.5, upper=draw(st.floats(-1.0, 1e3))),
        Output(name="o", size=N),
    ]
    edges = [
        ("x", "f"),
        ("u", "f"),
        ("f", "syn"),
        ("syn", "x"),
        ("f", "product", "left"),
        ("x", "product", "right"),
        ("product", "d"),
        ("d", "q"),
        ("q", "h"),
        ("h", "x"),
        ("f", "o"),
    ]
    units = Units(volts_per_unit=draw(positives), siemens_per_unit=draw(positives), seconds_per_unit=draw(positives))
    return Graph(
        operators=tuple(draw(st.permutations(operators))),
        edges=tuple(Edge(*edge) for edge in draw(st.permutations(edges))),
        units=units,
    )


def same(left: Any, right: Any) -> bool:
    if isinstance(left, Weights):
        return left.is_same(right)
    if isinstance(left, Signal):
        return type(left) is type(right) and all(same(v, getattr(right, k)) for k, v in vars(left).items())
    if isinstance(left, np.ndarray):
        return isinstance(right, np.ndarray) and np.array_equal(left, right)
    return bool(left == right)


@settings(max_examples=40)
@given(graphs())
def test_parse_of_print_is_the_same_graph(graph: Graph) -> None:
    back = parse_graph(graph.text)
    assert back.text == graph.text
    assert back.hash == graph.hash
    assert back.units == graph.units
    assert set(back.edges) == set(graph.edges)
    assert set(back.by_name) == set(graph.by_name)
    for name, operator in graph.by_name.items():
        assert type(back.by_name[name]) is type(operator)
        for field, value in vars(operator).items():
            assert same(value, getattr(back.by_name[name], field)), (name, field)


@settings(max_examples=15)
@given(graphs(), st.randoms(use_true_random=False))
def test_hash_is_that_of_the_content_not_of_its_order(graph: Graph, random: Any) -> None:
    operators, edges = list(graph.operators), list(graph.edges)
    random.shuffle(operators)
    random.shuffle(edges)
    assert Graph(operators=tuple(operators), edges=tuple(edges), units=graph.units).hash == graph.hash


def test_text_of_a_graph_line_by_line() -> None:
    operators, edges = hopfield()
    operators[0] = leak("x", 2, resistance=[2.0, np.inf], labels=("p", "q"))
    text = Graph(operators=tuple(operators), edges=tuple(edges), units=Units(volts_per_unit=0.5)).text
    assert text.splitlines() == [
        "hopfield_hw graph 1",
        "units 0.5 1.0 1.0",
        'output o {"size":2}',
        'affine syn {"bias":[0.0,0.0],"weights":{"dense":[[1.0,0.0],[0.0,1.0]]}}',
        'activate v {"function":{"amplitude":1.0,"gain":1.0,"kind":"tanh"},"size":2}',
        'leak x {"capacitance":[1.0,1.0],"initial":[0.0,0.0],"labels":["p","q"],"resistance":[2.0,Infinity]}',
        "edge syn x in",
        "edge v o in",
        "edge v syn in",
        "edge x v in",
    ]


BASE = Network(weights=[[0.0, 1.0], [2.0, 0.0]], resistance=1.0, capacitance=1.0, input_weights=[[1.0], [0.0]])


@pytest.mark.parametrize(
    "change",
    [
        {"weights": [[0.0, 1.0], [np.nextafter(2.0, 3.0), 0.0]]},
        {"weights": [[0.0, 2.0], [1.0, 0.0]]},
        {"weights": sp.csr_array([[0.0, 1.0], [2.0, 0.0]])},
        {"resistance": 2.0},
        {"capacitance": 2.0},
        {"gain": Tanh(gain=2.0)},
        {"gain": Logistic()},
        {"bias": 1.0},
        {"initial": 1.0},
        {"input_weights": [[0.0], [1.0]]},
        {"labels": ("a", "b")},
        {"volts_per_unit": 2.0},
        {"siemens_per_unit": 2.0},
        {"seconds_per_unit": 2.0},
    ],
    ids=lambda change: next(iter(change)),
)
def test_hash_changes_with_the_content(change: dict[str, Any]) -> None:
    assert replace(BASE, **change).graph().hash != BASE.graph().hash
    assert replace(BASE).graph().hash == BASE.graph().hash


# Stencils


@given(
    arrays(np.float64, st.tuples(st.sampled_from([1, 3, 5]), st.sampled_from([1, 3, 5])), elements=numbers),
    st.tuples(st.integers(1, 4), st.integers(1, 4)),
    st.sampled_from(BOUNDARIES),
    st.integers(0, 2**32 - 1),
)
def test_a_stencil_is_what_its_definition_says(
    template: Array, shape: tuple[int, int], boundary: Any, seed: int
) -> None:
    """Against the sum over the template, cell by cell, for grids smaller than the template too."""
    edge = 0.75 if boundary == "fixed" else 0.0
    stencil = Stencil(template=template, shape=shape, boundary=boundary, edge=edge)
    x = np.random.default_rng(seed).normal(size=(2, *shape))
    expected = np.zeros_like(x)
    for k, r, c in np.ndindex(x.shape):
        for (p, q), weight in np.ndenumerate(template):
            row, column = r + p - template.shape[0] // 2, c + q - template.shape[1] // 2
            if boundary == "periodic":
                expected[k, r, c] += weight * x[k, row % shape[0], column % shape[1]]
            elif boundary == "zero_flux":
                expected[k, r, c] += weight * x[k, min(max(row, 0), shape[0] - 1), min(max(column, 0), shape[1] - 1)]
            elif 0 <= row < shape[0] and 0 <= column < shape[1]:
                expected[k, r, c] += weight * x[k, row, column]
            else:
                expected[k, r, c] += weight * edge
    flat, wanted = x.reshape(2, -1), expected.reshape(2, -1)
    tolerance = 1e-13 * (1.0 + np.abs(template).sum())  # rounding of at most 25 products of |x| below 5
    constant = stencil.constant
    np.testing.assert_allclose(stencil.apply(flat) + constant, wanted, rtol=0, atol=tolerance)
    np.testing.assert_allclose(stencil.apply(flat[0]) + constant, wanted[0], rtol=0, atol=tolerance)
    np.testing.assert_allclose(flat @ stencil.matrix.T + constant, wanted, rtol=0, atol=tolerance)


def test_weights_in_three_forms_are_one_map() -> None:
    rng = np.random.default_rng(2)
    stencil = Stencil(template=rng.normal(size=(3, 3)), shape=(2, 3), boundary="periodic")
    sparse = Affine(name="a", weights=stencil.sparse).weights
    dense = Affine(name="a", weights=stencil.matrix).weights
    x = rng.normal(size=(4, 5, 6))
    for form in (stencil, sparse, dense):
        assert (form.output_size, form.input_size) == (6, 6)
        np.testing.assert_allclose(form.apply(x), dense.apply(x), rtol=0, atol=1e-13)
        values, rows, columns = form.entries()
        assert list(zip(rows, columns, strict=True)) == sorted(zip(rows, columns, strict=True))
        rebuilt = np.zeros((6, 6))
        rebuilt[rows, columns] = values
        np.testing.assert_allclose(rebuilt, dense.matrix, rtol=0, atol=1e-15)


# SI units


def rich_graph(units: Units) -> Graph:
    """A graph of every kind of edge: into Leaks with and without an Affine, products, chains, a fixed edge."""
    return Graph(
        operators=(
            Leak(name="x", capacitance=[1.0, 2.0], resistance=[1.0, 0.5], initial=[0.3, -0.2]),
            Leak(name="y", capacitance=[1.5, 0.7], resistance=[np.inf, 2.0], initial=[0.1, 0.4]),
            Activate(name="v", size=2, function=Tanh(gain=3.0, amplitude=0.8)),
            Activate(name="f", size=2, function=Polynomial(coefficients=[0.1, -0.3, 0.2])),
            Affine(name="inner", weights=[[0.5, -0.2], [0.1, 0.4]], bias=[0.05, -0.02]),
            Affine(name="syn", weights=[[0.2, -0.7], [0.6, 0.1]], bias=[0.3, -0.1]),
            Affine(
                name="grid",
                weights=Stencil(template=[[0.2, -0.1, 0.3]], shape=(1, 2), boundary="fixed", edge=0.6),
                bias=[0.01, 0.02],
            ),
            Hadamard(name="p", size=2),
            Output(name="o", size=2),
        ),
        edges=(
            Edge("x", "v"),
            Edge("v", "syn"),
            Edge("syn", "x"),
            Edge("y", "f"),
            Edge("f", "inner"),
            Edge("inner", "p", "left"),
            Edge("x", "p", "left"),
            Edge("v", "p", "right"),
            Edge("p", "x"),
            Edge("p", "o"),
            Edge("v", "grid"),
            Edge("grid", "y"),
            Edge("f", "y"),
            Edge("x", "y"),
        ),
        units=units,
    )


@pytest.mark.parametrize(
    ("volts", "siemens", "seconds"),
    [(1.0, 1.0, 1e-3), (0.025, 1.0, 1.0), (1.0, 1e-4, 1.0), (3.0, 2e-5, 1e-6)],
    ids=["time", "volts", "siemens", "all"],
)
def test_units_scale_volts_and_time_and_nothing_else(volts: float, siemens: float, seconds: float) -> None:
    """x -> V x and t -> T t: the slope is V / T times that of the graph without units, and outputs V times."""
    units = Units(volts_per_unit=volts, siemens_per_unit=siemens, seconds_per_unit=seconds)
    plain, scaled = OdeProgram([rich_graph(Units())]), OdeProgram([in_si(rich_graph(units))])
    np.testing.assert_allclose(scaled.initial, volts * plain.initial, rtol=1e-14)
    for x in np.random.default_rng(1).normal(size=(5, 4)):
        np.testing.assert_allclose(scaled.rhs(0.0, volts * x), volts / seconds * plain.rhs(0.0, x), rtol=1e-11)
        np.testing.assert_allclose(scaled.outputs(0.0, volts * x), volts * plain.outputs(0.0, x), rtol=1e-11)


def test_scaling_time_scales_time() -> None:
    """A run in other units is the same curve, with its axes scaled."""
    net = Network.dimensionless([[0.2, -1.5], [1.2, 0.4]], gain=Tanh(gain=3.0), bias=[0.2, 0.0], initial=[0.4, 0.1])
    plain = replace(net, volts_per_unit=1.0, siemens_per_unit=1.0, seconds_per_unit=1.0)
    other = replace(net, volts_per_unit=0.025, siemens_per_unit=2e-5, seconds_per_unit=1e-6)
    waves = [solve(plain.graph(), points=21, t_stop=3.0), solve(other.graph(), points=21, t_stop=3e-6)]
    np.testing.assert_allclose(waves[1].time.values, waves[0].time.values * 1e-6, rtol=1e-14)
    # Both runs are asked for 1e-8 (a ten-thousandth of the accuracy); the values are of order 1.
    for name in ("state", "output"):
        np.testing.assert_allclose(waves[1][name].values / 0.025, waves[0][name].values, rtol=0, atol=1e-6)


def test_si_units_are_left_alone() -> None:
    graph = rich_graph(Units())
    assert in_si(graph) is graph


@settings(max_examples=20)
@given(graphs())
def test_units_of_delay_hold_and_quantise(graph: Graph) -> None:
    scaled = in_si(graph)
    volts, seconds = graph.units.volts_per_unit, graph.units.seconds_per_unit
    assert scaled.units == Units()
    delays, holds, converters = ((graph.of_type(kind)[0], scaled.of_type(kind)[0]) for kind in (Delay, Hold, Quantise))
    (before, after) = delays
    if isinstance(before.tau, Signal):
        assert isinstance(after.tau, Signal)
        assert np.array_equal(after.tau.times, before.tau.times * seconds)
        assert np.array_equal(after.tau.values, before.tau.values * seconds)
    else:
        assert after.tau == before.tau * seconds
    if isinstance(before.history, Signal):
        assert isinstance(after.history, Signal)
        assert np.array_equal(after.history.times, before.history.times * seconds)
        assert np.array_equal(after.history.values, before.history.values * volts)
    else:
        assert np.array_equal(np.asarray(after.history), before.history * volts)
    assert after.size == before.size
    assert holds[1].clock == Clock(period=holds[0].clock.period * seconds, phase=holds[0].clock.phase * seconds)
    assert np.array_equal(holds[1].initial, holds[0].initial * volts)
    assert (converters[1].lower, converters[1].upper) == (converters[0].lower * volts, converters[0].upper * volts)
    assert converters[1].levels == converters[0].levels


def test_an_affine_of_two_units_is_refused() -> None:
    operators, edges = hopfield()
    graph = Graph(operators=tuple(operators), edges=(*edges, ("syn", "o")), units=Units(siemens_per_unit=1e-4))
    message = "`syn` drives a Leak and something else: give each its own Affine"
    with pytest.raises(InputError, match=re.escape(message)):
        in_si(graph)


def test_piecewise_linear_keeps_its_corner_in_volts() -> None:
    graph = Graph(
        operators=(leak("x"), Activate(name="v", size=1, function=PiecewiseLinear(gain=2.0, amplitude=1.0))),
        edges=(("x", "v"),),
        units=Units(volts_per_unit=0.1),
    )
    curve = in_si(graph).of_type(Activate)[0].function
    np.testing.assert_allclose(curve.value(np.array([0.01, 0.05, 0.2])), [0.02, 0.1, 0.1], rtol=1e-14)
