"""Network: fields, symmetry, the graph it stands for, and every way in and out of it."""

from __future__ import annotations

import dataclasses
import json
import re
import zipfile
from pathlib import Path
from typing import Any

import jsonschema
import networkx as nx
import numpy as np
import pytest
import scipy.sparse as sp
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

import hopfield_hw.networks.files as formats
from hopfield_hw.functions import Gain, HardLimiter, Logistic, Table, Tanh
from hopfield_hw.graph import Activate, Affine, Edge, Input, Leak, Output, Units
from hopfield_hw.networks.network import Network
from hopfield_hw.values.errors import InputError

ARRAYS = ("weights", "resistance", "capacitance", "bias", "initial", "input_weights")
UNITS = ("volts_per_unit", "siemens_per_unit", "seconds_per_unit")

numbers = st.floats(-1e9, 1e9, allow_nan=False, allow_subnormal=False)
positives = st.floats(1e-12, 1e12)


@st.composite
def gains(draw: st.DrawFn, n: int) -> Gain:
    slopes = st.one_of(st.floats(0.1, 100.0), arrays(np.float64, n, elements=st.floats(0.1, 100.0)))
    return draw(
        st.one_of(
            st.builds(Tanh, gain=slopes, amplitude=st.floats(0.1, 10.0)),
            st.builds(Logistic, gain=slopes),
            st.builds(HardLimiter, amplitude=st.floats(0.1, 10.0)),
            st.just(Table(x=[-1.0, 0.5, 1.0], y=[-2.0, 0.0, 0.25])),
        )
    )


@st.composite
def networks(draw: st.DrawFn) -> Network:
    n = draw(st.integers(1, 4))
    m = draw(st.integers(0, 2))
    matrix = draw(arrays(np.float64, (n, n), elements=st.one_of(st.just(0.0), numbers)))
    symmetric = draw(st.booleans())
    if symmetric:
        matrix = matrix + matrix.T
    labels = draw(st.lists(st.from_regex(r"[A-Za-z0-9][A-Za-z0-9_]{0,5}", fullmatch=True), min_size=n, max_size=n))
    usable = len({label.lower() for label in labels}) == n and not {"gnd", "time", "pi", "all", "none", "end"} & {
        label.lower() for label in labels
    }
    return Network(
        weights=sp.csr_array(matrix) if draw(st.booleans()) else matrix,
        resistance=draw(arrays(np.float64, n, elements=st.one_of(positives, st.just(np.inf)))),
        capacitance=draw(arrays(np.float64, n, elements=positives)),
        gain=draw(gains(n)),
        bias=draw(arrays(np.float64, n, elements=numbers)),
        initial=draw(arrays(np.float64, n, elements=numbers)),
        input_weights=draw(arrays(np.float64, (n, m), elements=numbers)) if m else None,
        labels=tuple(labels) if usable else None,
        symmetric=symmetric,
        volts_per_unit=draw(positives),
        siemens_per_unit=draw(positives),
        seconds_per_unit=draw(positives),
    )


def plain(**others: Any) -> Network:
    fields = {"weights": [[0.0, 2.0], [3.0, -1.0]], "resistance": 5.0, "capacitance": [0.5, 0.25]}
    return Network(**{**fields, **others})


def assert_same(found: Network, expected: Network) -> None:
    assert sp.issparse(found.weights) == sp.issparse(expected.weights)
    for name in ARRAYS:
        left, right = getattr(found, name), getattr(expected, name)
        if sp.issparse(left):
            left, right = left.toarray(), right.toarray()
        assert (left is None) == (right is None)
        assert left is None or np.array_equal(left, right), name
    for name in ("gain", "labels", "symmetric", *UNITS):
        assert getattr(found, name) == getattr(expected, name), name


def test_scalars_hold_for_all_neurons() -> None:
    net = plain(bias=2.0, initial=-1.0)
    assert net.size == 2
    assert net.resistance.tolist() == [5.0, 5.0]
    assert net.capacitance.tolist() == [0.5, 0.25]
    assert (net.bias.tolist(), net.initial.tolist()) == ([2.0, 2.0], [-1.0, -1.0])
    assert net.gain == Tanh(gain=1.0)


@pytest.mark.parametrize("wrap", [np.array, sp.csr_array], ids=["dense", "sparse"])
def test_fields_are_read_only(wrap: Any) -> None:
    weights = wrap([[0.0, 2.0], [3.0, -1.0]])
    net = plain(weights=weights, input_weights=[[1.0], [2.0]])
    for name in ARRAYS:
        value = getattr(net, name)
        assert not (value.data if sp.issparse(value) else value).flags.writeable, name
    with pytest.raises(dataclasses.FrozenInstanceError):
        net.bias = np.zeros(2)  # type: ignore[misc]


@pytest.mark.parametrize("wrap", [np.array, sp.csr_array], ids=["dense", "sparse"])
def test_what_was_given_can_change_afterwards(wrap: Any) -> None:
    weights = wrap([[0.0, 2.0], [3.0, -1.0]])
    net = plain(weights=weights)
    weights[1, 0] = 77.0
    assert net.weights[1, 0] == 3.0


@pytest.mark.parametrize("wrap", [np.array, sp.csr_array], ids=["dense", "sparse"])
@pytest.mark.parametrize(
    ("matrix", "symmetric"),
    [
        ([[1.0, 2.0], [2.0, 3.0]], True),
        ([[0.0, 0.0], [0.0, 0.0]], True),
        ([[0.0, 1.0], [1.0 + 1e-14, 0.0]], True),
        ([[0.0, 1.0], [1.0 + 1e-9, 0.0]], False),
        ([[0.0, 1e-12], [2e-12, 0.0]], False),
        ([[0.0, 1.0], [-1.0, 0.0]], False),
    ],
)
def test_symmetry_is_judged_to_rounding(wrap: Any, matrix: list[list[float]], symmetric: bool) -> None:
    assert plain(weights=wrap(matrix)).is_symmetric is symmetric


def test_graph_of_a_network() -> None:
    net = plain(bias=[0.1, 0.2], initial=[1.0, 2.0], labels=["a", "b"], gain=Logistic(gain=3.0), volts_per_unit=4.0)
    graph = net.graph()
    assert [(op.name, type(op)) for op in graph.operators] == [
        ("x", Leak),
        ("v", Activate),
        ("syn", Affine),
        ("output", Output),
    ]
    assert set(graph.edges) == {Edge("x", "v"), Edge("v", "syn"), Edge("syn", "x"), Edge("v", "output")}
    assert graph.units == Units(volts_per_unit=4.0)
    leak, activate, synapse = graph.of_type(Leak)[0], graph.of_type(Activate)[0], graph.of_type(Affine)[0]
    assert leak.capacitance.tolist() == [0.5, 0.25]
    assert leak.resistance.tolist() == [5.0, 5.0]
    assert leak.initial.tolist() == [1.0, 2.0]
    assert leak.labels == ("a", "b")
    assert activate.function == Logistic(gain=3.0)
    assert synapse.weights.matrix.tolist() == [[0.0, 2.0], [3.0, -1.0]]
    assert synapse.bias.tolist() == [0.1, 0.2]


def test_graph_of_a_network_with_inputs() -> None:
    graph = plain(input_weights=[[1.0, 0.0, 2.0], [0.0, -1.0, 0.0]]).graph()
    assert graph.of_type(Input)[0].size == 3
    assert {Edge("u", "syn_u"), Edge("syn_u", "x")} <= set(graph.edges)
    matrix = graph.by_name["syn_u"]
    assert isinstance(matrix, Affine)
    assert matrix.weights.matrix.tolist() == [[1.0, 0.0, 2.0], [0.0, -1.0, 0.0]]
    assert matrix.bias.tolist() == [0.0, 0.0]


@settings(max_examples=50)
@given(networks())
def test_dict_round_trip(net: Network) -> None:
    fields = net.to_dict()
    json.dumps(fields, allow_nan=False)
    assert_same(Network.from_dict(fields), net)


@pytest.mark.parametrize("suffix", ["json", "npz"])
@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(net=networks())
def test_file_round_trip(tmp_path: Path, suffix: str, net: Network) -> None:
    path = tmp_path / f"net.{suffix}"
    getattr(net, f"to_{suffix}")(path)
    assert_same(getattr(Network, f"from_{suffix}")(path), net)


@settings(max_examples=25)
@given(networks())
def test_networkx_round_trip(net: Network) -> None:
    graph = net.to_networkx()
    others = {name: getattr(net, name) for name in ("gain", "input_weights", *UNITS)}
    back = Network.from_graph(graph, **others)
    dense = net.weights.toarray() if sp.issparse(net.weights) else net.weights
    assert np.array_equal(back.weights.toarray(), dense)
    for name in ("resistance", "capacitance", "bias", "initial"):
        assert np.array_equal(getattr(back, name), getattr(net, name)), name
    assert back.labels == (net.labels or tuple(str(k) for k in range(net.size)))


def test_json_is_versioned_strict_and_meets_the_published_schema(tmp_path: Path) -> None:
    path = tmp_path / "net.json"
    plain(resistance=[1.0, np.inf], weights=sp.csr_array([[0.0, 2.0], [3.0, 0.0]]), labels=("a", "b")).to_json(path)

    def refuse(constant: str) -> float:
        raise AssertionError(constant)

    content = json.loads(path.read_text(), parse_constant=refuse)
    schema = json.loads(formats.SCHEMA.read_text())
    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.validate(content, schema)
    assert (content["format"], content["version"], content["size"]) == ("hopfield_hw network", 1, 2)
    assert content["resistance"] == [1.0, None]
    assert content["weights"] is None
    assert sorted(content["entries"]) == [[0, 1, 2.0], [1, 0, 3.0]]
    assert content["labels"] == ["a", "b"]


@pytest.mark.parametrize("write", ["to_json", "to_npz"])
def test_a_path_that_cannot_be_written_is_refused(write: str, tmp_path: Path) -> None:
    path = tmp_path / "none" / "net"
    message = f"'{path}': cannot be written (No such file or directory); give another path"
    with pytest.raises(InputError, match=f"^{re.escape(message)}$"):
        getattr(plain(), write)(path)


def test_npz_holds_no_pickle(tmp_path: Path) -> None:
    path = tmp_path / "net.npz"
    plain(labels=("a", "b"), gain=Table(x=[-1.0, 1.0], y=[-1.0, 1.0])).to_npz(path)
    for member in zipfile.ZipFile(path).namelist():
        with np.load(path, allow_pickle=False) as archive:
            assert archive[member.removesuffix(".npy")].dtype.kind in "fUib", member


def test_npz_is_read_from_where_it_was_written(tmp_path: Path) -> None:
    plain().to_npz(tmp_path / "net")
    assert_same(Network.from_npz(tmp_path / "net"), plain())


def test_from_graph_reads_edges_from_source_to_target() -> None:
    graph = nx.DiGraph()
    graph.add_edge("a", "b", weight=2.0)
    net = Network.from_graph(graph, resistance=1.0, capacitance=1.0)
    assert net.weights.toarray().tolist() == [[0.0, 0.0], [2.0, 0.0]]
    assert net.labels == ("a", "b")


def test_from_graph_takes_values_of_nodes_and_common_ones() -> None:
    graph = nx.DiGraph()
    graph.add_node("a", bias=1.0, capacitance=3.0)
    graph.add_node("b", bias=2.0, capacitance=4.0)
    net = Network.from_graph(graph, resistance=7.0, gain=Tanh(gain=9.0), initial=[5.0, 6.0])
    assert net.bias.tolist() == [1.0, 2.0]
    assert net.capacitance.tolist() == [3.0, 4.0]
    assert net.resistance.tolist() == [7.0, 7.0]
    assert net.initial.tolist() == [5.0, 6.0]
    assert net.gain == Tanh(gain=9.0)


def test_an_undirected_graph_is_symmetric() -> None:
    graph = nx.Graph()
    graph.add_edge(0, 1, weight=2.0)
    graph.add_edge(1, 1, weight=-3.0)
    net = Network.from_graph(graph, resistance=1.0, capacitance=1.0, symmetric=True)
    assert net.weights.toarray().tolist() == [[0.0, 2.0], [2.0, -3.0]]


def test_networkx_edges_run_from_source_to_target() -> None:
    graph = plain(labels=("a", "b"), bias=[1.0, 2.0]).to_networkx()
    assert {(j, i): w for j, i, w in graph.edges(data="weight")} == {("b", "a"): 2.0, ("a", "b"): 3.0, ("b", "b"): -1.0}
    assert graph.nodes["b"] == {"resistance": 5.0, "capacitance": 0.25, "bias": 2.0, "initial": 0.0}


def test_dimensionless_keeps_the_equation_without_units() -> None:
    net = Network.dimensionless([[0.0, 2.0], [3.0, 0.0]], tau=[1.0, 4.0], bias=0.5, initial=[0.1, 0.2], symmetric=False)
    assert net.weights.tolist() == [[0.0, 2.0], [3.0, 0.0]]
    assert net.resistance.tolist() == [1.0, 1.0]
    assert net.capacitance.tolist() == [1.0, 4.0]
    assert (net.volts_per_unit, net.siemens_per_unit, net.seconds_per_unit) == (1.0, 1e-4, 1e-3)
    assert net.gain == Tanh()
    with pytest.raises(InputError, match="symmetric=True is claimed"):
        Network.dimensionless([[0.0, 2.0], [3.0, 0.0]], symmetric=True)
