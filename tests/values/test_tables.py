"""Tables of pandas and xarray are matched by their names."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import xarray as xr

import hopfield_hw as hh
from hopfield_hw.graph import Affine, Input

T = np.array([[0.0, -3e-5, 1e-5], [-5e-5, 0.0, 2e-5], [4e-5, 6e-5, 0.0]])
ABC = ["a", "b", "c"]
FIELDS: dict[str, Any] = {"resistance": 1e4, "capacitance": 1e-8}
SHUFFLED = [2, 0, 1]


def frame(values: Any, rows: list[str], columns: list[str]) -> Any:
    return pd.DataFrame(values, index=rows, columns=columns)


def array(values: Any, rows: list[str], columns: list[str]) -> Any:
    return xr.DataArray(values, dims=("to", "from"), coords={"to": rows, "from": columns})


@pytest.mark.parametrize("make", [frame, array])
def test_columns_in_another_order(make: Callable[..., Any]) -> None:
    table = make(T[:, SHUFFLED], ABC, [ABC[k] for k in SHUFFLED])
    net = hh.Network(weights=table, **FIELDS)
    assert np.array_equal(net.weights, T)
    assert net.labels == ("a", "b", "c")
    assert net.graph().state_labels == ("a", "b", "c")


@pytest.mark.parametrize("make", [frame, array])
def test_labels_say_the_order(make: Callable[..., Any]) -> None:
    table = make(T[SHUFFLED], [ABC[k] for k in SHUFFLED], ABC)
    assert hh.Network(weights=table, **FIELDS).labels == ("c", "a", "b")
    net = hh.Network(weights=table, labels=("a", "b", "c"), **FIELDS)
    assert np.array_equal(net.weights, T)


def test_every_field_is_matched(tmp_path: Path) -> None:
    order = [ABC[k] for k in SHUFFLED]
    net = hh.Network(
        weights=frame(T[:, SHUFFLED], ABC, order),
        resistance=pd.Series({"c": "30k", "a": "10k", "b": 20e3}),
        capacitance=xr.DataArray([3.0, 1.0, 2.0], dims="n", coords={"n": order}, attrs={"units": "nF"}),
        bias=pd.Series({"b": 2e-6, "a": 1e-6, "c": 3e-6}),
        initial=pd.Series([0.1, 0.2, 0.3]),  # without names: as an array
        input_weights=frame([[3e-5, 0.0], [1e-5, 4e-5], [2e-5, 0.0]], order, ["u", "w"]),
    )
    assert net.resistance.tolist() == [10e3, 20e3, 30e3]
    assert net.capacitance == pytest.approx([1e-9, 2e-9, 3e-9], rel=1e-15)
    assert net.bias.tolist() == [1e-6, 2e-6, 3e-6]
    assert net.initial.tolist() == [0.1, 0.2, 0.3]
    assert net.input_weights.tolist() == [[1e-5, 4e-5], [2e-5, 0.0], [3e-5, 0.0]]
    assert (net.labels, net.input_labels) == (("a", "b", "c"), ("u", "w"))
    (source,) = net.graph().of_type(Input)
    assert source.labels == ("u", "w")
    for write, read in (("to_json", "from_json"), ("to_npz", "from_npz")):
        getattr(net, write)(tmp_path / "net")
        assert getattr(hh.Network, read)(tmp_path / "net").graph().hash == net.graph().hash


def test_names_of_series_alone_become_labels() -> None:
    net = hh.Network(weights=T, resistance=pd.Series([1e4, 2e4, 3e4], index=ABC), capacitance=1e-8)
    assert net.labels == ("a", "b", "c")


def test_numbers_that_are_not_the_places_are_names() -> None:
    net = hh.Network(weights=pd.DataFrame(T[:, SHUFFLED], index=[0, 1, 2], columns=SHUFFLED), **FIELDS)
    assert net.labels == ("0", "1", "2")
    assert np.array_equal(net.weights, T)
    assert hh.Network(weights=pd.DataFrame(T), **FIELDS).labels is None


REFUSED: dict[str, tuple[Callable[[], Any], str]] = {
    "other names": (
        lambda: hh.Network(weights=frame(T, ABC, ["a", "b", "d"]), **FIELDS),
        "`Network.weights` has the name 'd': the neurons are a, b, c; tables must have the same names",
    ),
    "a name too few": (
        lambda: hh.Network(weights=frame(T, ABC, ABC), capacitance=1e-8, resistance=pd.Series({"a": 1e4, "b": 1e4})),
        "`Network.resistance` lacks the name 'c'",
    ),
    "a name twice": (
        lambda: hh.Network(weights=frame(T, ["a", "b", "b"], ["a", "b", "b"]), **FIELDS),
        "`Network.weights` has the name 'b' twice along the neurons",
    ),
    "columns without names": (
        lambda: hh.Network(weights=pd.DataFrame(T, index=ABC), **FIELDS),
        "`Network.weights` has the name '0': the neurons are a, b, c",
    ),
    "labels of others": (
        lambda: hh.Network(weights=frame(T, ABC, ABC), labels=("x", "y", "z"), **FIELDS),
        "`Network.weights` has the name 'a': the neurons are x, y, z",
    ),
    "two orders and none of the weights": (
        lambda: hh.Network(
            weights=T,
            capacitance=pd.Series([1.0, 2.0, 3.0], index=ABC),
            resistance=pd.Series([1.0] * 3, index=list("bca")),
        ),
        "`Network.resistance` and others have the neurons in several orders, and `Network.weights` has no names",
    ),
    "names that a netlist cannot hold": (
        lambda: hh.Network(weights=frame(T, ["a b", "c", "d"], ["a b", "c", "d"]), **FIELDS),
        "`Network.labels[0]` = 'a b': must be letters",
    ),
    "a value that is missing": (
        lambda: hh.Network(weights=frame(T, ABC, ABC), capacitance=1e-8, resistance=pd.Series([1e4, None, 1e4], ABC)),
        "`Network.resistance[1] = nan`",
    ),
    "another unit in the attributes": (
        lambda: hh.Network(weights=T, capacitance=1e-8, resistance=xr.DataArray([1.0] * 3, attrs={"units": "nF"})),
        "`Network.resistance` = '1 nF': is in farads: must be in ohms",
    ),
    "an Affine": (
        lambda: Affine(name="w", weights=frame(T, ABC, list("bca"))),
        "`w.weights` is a table with names, which are not looked at here",
    ),
    "a gain": (
        lambda: hh.Tanh(gain=pd.Series({"b": 1.0, "a": 2.0})),
        "`Tanh.gain` is a table with names (b, a)",
    ),
    "inputs": (
        lambda: hh.reference(hh.Network(weights=T, input_weights=np.eye(3), **FIELDS), inputs=pd.Series({"b": 1.0})),
        "`inputs` is a table with names (b)",
    ),
    "two tables deep": (
        lambda: hh.Network(
            weights=pd.DataFrame(T, index=pd.MultiIndex.from_product([["a"], [1, 2, 3]]), columns=ABC), **FIELDS
        ),
        "`Network.weights` has the name 'a'",
    ),
}


@pytest.mark.parametrize(("build", "message"), REFUSED.values(), ids=REFUSED)
def test_what_does_not_match_is_refused(build: Callable[[], Any], message: str) -> None:
    with pytest.raises(hh.InputError) as caught:
        build()
    assert str(caught.value).startswith(message)
