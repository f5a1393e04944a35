"""Basins by the batched reference, and the energy along waveforms of both machines."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import xarray as xr

import hopfield_hw as hh
from hopfield_hw.analysis import find_basins, find_equilibria, trace_energy
from hopfield_hw.families import generalised_hopfield
from hopfield_hw.functions import HardLimiter, Tanh
from hopfield_hw.graph import Units
from hopfield_hw.transforms import add_delay
from hopfield_hw.values.errors import InputError

FLIP_FLOP = np.array([[0.0, -1.0], [-1.0, 0.0]])


def network(**options: Any) -> Any:
    return generalised_hopfield(FLIP_FLOP, gain=Tanh(gain=3.0), units=Units(), **options)


def test_a_flip_flop_falls_to_the_side_that_starts_ahead() -> None:
    graph = network()
    found = find_equilibria(graph)
    basins = find_basins(graph, found, points=30, low=-1.3, high=1.3)
    x, y = np.meshgrid(basins.x, basins.y)
    off = np.abs(x - y) > 1e-9
    assert set(basins.ends[off & (x > y)].tolist()) == {2}
    assert set(basins.ends[off & (x < y)].tolist()) == {0}
    assert basins.shares.sum() == pytest.approx(1.0)


def test_a_run_that_is_too_short_ends_near_none() -> None:
    graph = network()
    basins = find_basins(graph, find_equilibria(graph), points=6, t_stop=0.01)
    assert np.mean(basins.ends < 0) > 0.9


def test_a_plane_of_three_states_with_the_third_held_at_its_start() -> None:
    weights = 2.0 * np.eye(3)
    graph = generalised_hopfield(weights, gain=Tanh(gain=2.0), initial=[0.0, 0.0, -0.5], units=Units())
    found = find_equilibria(graph)
    basins = find_basins(graph, found, (0, 2), points=8, rest=[0.0, 0.7, 0.0])
    ends = found.states[basins.ends]
    x, z = np.meshgrid(basins.x, basins.y)
    np.testing.assert_array_equal(np.sign(ends[..., 0]), np.sign(x))
    np.testing.assert_array_equal(np.sign(ends[..., 2]), np.sign(z))
    assert np.all(ends[..., 1] > 0.0)


BAD: dict[str, tuple[dict[str, Any], str]] = {
    "plane": ({"plane": (0, 0)}, "`plane` = (0, 0): must name two states, such as (0, 1)"),
    "state": ({"plane": (0, 2)}, "`plane[1]` = 2: must be a whole number from 0 to 1, the states"),
    "corners": ({"low": 1.0, "high": 0.0}, "`low` must be below `high` in both states"),
    "points": ({"points": 1}, "`points` = 1: must be a whole number from 2 to 10000"),
}


@pytest.mark.parametrize(("options", "message"), BAD.values(), ids=BAD)
def test_bad_planes_are_refused(options: dict[str, Any], message: str) -> None:
    graph = network()
    with pytest.raises(InputError) as refused:
        find_basins(graph, find_equilibria(graph, starts=20), **options)
    assert str(refused.value) == message


def test_the_equilibria_of_another_network_are_refused() -> None:
    one = find_equilibria(generalised_hopfield([[0.5]], units=Units()))
    with pytest.raises(InputError, match=r"has states \(1, 1\): must hold some, \(k, 2\), of this graph"):
        find_basins(network(), one)
    with pytest.raises(InputError, match="find_basins: the graph is of the kind 'dde': must be 'ode'"):
        find_basins(add_delay(network(), 1.0), one)


def symmetric(seed: int) -> hh.Network:
    rng = np.random.default_rng(seed)
    n = int(rng.integers(2, 6))
    weights = rng.normal(size=(n, n)) * 1e-4
    return hh.Network(
        weights=weights + weights.T,
        resistance=1e4 * 2.0 ** rng.uniform(-1.0, 1.0, n),
        capacitance=1e-8,
        gain=Tanh(gain=float(rng.uniform(1.0, 10.0))),
        bias=1e-5 * rng.normal(size=n),
        initial=rng.uniform(-1.0, 1.0, n),
    )


@pytest.mark.parametrize("seed", range(3))
def test_the_energy_never_rises_in_a_circuit(seed: int) -> None:
    net = symmetric(seed)
    wave = hh.simulate(hh.lower(net), accuracy=1e-4)
    found = trace_energy(net, wave)
    assert found.falls
    assert found.skipped == 1
    assert found.values[-1] < found.values[1]
    assert trace_energy(net, hh.reference(net)).rise <= 1e-7


def test_a_waveform_that_runs_back_rises() -> None:
    net = symmetric(1)
    wave = hh.reference(net)
    back = wave.assign(output=wave["output"].copy(data=wave["output"].to_numpy()[::-1]))
    found = trace_energy(net, back)
    assert not found.falls
    assert found.rise == pytest.approx(1.0)
    assert "rises" in str(found)


def test_many_waveforms_at_once() -> None:
    net = symmetric(2)
    starts = np.random.default_rng(0).uniform(-1.0, 1.0, (5, net.size))
    found = trace_energy(net, hh.reference_batch(net, initial=starts, points=201))
    assert found.values.shape == (5, 201)
    assert found.falls


def asymmetric() -> hh.Network:
    return hh.Network(weights=[[0.0, 1e-4], [-1e-4, 0.0]], resistance=1e4, capacitance=1e-8, gain=Tanh())


def jumping() -> hh.Network:
    return hh.Network(weights=FLIP_FLOP * 1e-4, resistance=1e4, capacitance=1e-8, gain=HardLimiter())


NEEDS = "energy: needs a Hopfield network with symmetric weights and a continuous gain"
OTHER = "energy: the graph is not a Hopfield network, populations x -> g(x) -> T v + I -> x with the outputs g(x)"


@pytest.mark.parametrize(
    ("graph", "message"),
    [(asymmetric, NEEDS), (jumping, NEEDS), (lambda: add_delay(symmetric(0), 1e-6), OTHER)],
)
def test_a_graph_without_an_energy_is_refused(graph: Any, message: str) -> None:
    given = graph()
    wave = hh.reference(given, t_stop=1e-5)
    with pytest.raises(InputError) as refused:
        trace_energy(given, wave)
    assert str(refused.value) == message


def test_a_waveform_of_something_else_is_refused() -> None:
    net = symmetric(0)
    with pytest.raises(InputError, match="`waveform` has no 'output': must be a Dataset"):
        trace_energy(net, xr.Dataset())
    with pytest.raises(InputError, match=r"`waveform` has 2 outputs and the graph \d: must be of this graph"):
        trace_energy(net, hh.reference(asymmetric(), t_stop=1e-5))
