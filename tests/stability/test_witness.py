"""Certificates beside their circuits in ngspice: inside the bound they decay, outside the exact limit they grow."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from delayed_cases import FIRST, STATIC, THREE, TWO, WINDOW

import hopfield_hw as hh
from hopfield_hw.stability import (
    certify,
    certify_constant_delay,
    certify_every_delay,
    certify_linear_delay,
    certify_range,
    demonstrate,
    read_network,
)
from hopfield_hw.stability.witness import circuit_graph
from hopfield_hw.transforms import add_delay


def test_a_window_is_seen_from_both_sides(ngspice: str) -> None:
    certificate = certify_range(WINDOW, 0.15, 1.65)
    above = demonstrate(certificate, inside=1.5, outside=1.9)
    assert above.confirmed
    assert above.seen_outside
    assert above.limit == pytest.approx(1.7178, abs=1e-4)
    below = demonstrate(certificate, inside=0.3, outside=0.02)
    assert below.confirmed
    assert (below.inside.seen, below.outside and below.outside.seen) == ("decays", "grows")


def test_an_inhibitory_circuit_oscillates_beyond_its_limit(ngspice: str) -> None:
    """g = 2: tau_c = 1.2092 R C (Marcus and Westervelt 1989), between what is proved and what grows."""
    net = hh.Network(weights=[[-2e-4]], resistance=10e3, capacitance=10e-9, initial=[0.02])
    certificate = certify(net, 1.15e-4)
    assert certificate.is_exact
    found = demonstrate(certificate, inside=1.15e-4, outside=1.3e-4)
    assert found.confirmed
    assert found.limit == pytest.approx(1.2092e-4, rel=1e-4)
    assert found.inside.wave.sizes["neuron"] == 1


def test_a_graph_that_begins_at_its_equilibrium_is_moved_away_from_it(ngspice: str) -> None:
    net = hh.Network(weights=[[-2e-4]], resistance=1e4, capacitance=1e-8, gain=hh.Tanh(gain=1.0))
    graph = add_delay(net, tau=4e-5)
    found = demonstrate(certify(graph))
    assert found.confirmed
    assert found.inside.seen == "decays"
    begun = found.inside.wave["state"].to_numpy()[0]
    np.testing.assert_allclose(begun, 0.02 * np.cos(1.0), rtol=1e-3)
    # Another start is kept.
    own = circuit_graph(read_network(add_delay(replace(net, initial=[0.3]), tau=4e-5)), 4e-5)
    assert [leak.initial.tolist() for leak in own.of_type(hh.graph.Leak)] == [[0.3]]


@pytest.mark.parametrize(
    ("network", "delay", "order"), [(THREE, 2.6, 1), (STATIC, 1.6, 1)], ids=["local field", "static field"]
)
def test_networks_decay_inside_and_grow_outside(ngspice: str, network, delay: float, order: int) -> None:  # type: ignore[no-untyped-def]
    found = demonstrate(certify_constant_delay(network, delay, order=order))
    assert found.confirmed
    assert "grows (expected: grows)" in str(found)


def test_a_network_without_a_limit_has_no_outside(ngspice: str) -> None:
    found = demonstrate(certify_every_delay(TWO), inside=2.0)
    assert found.confirmed
    assert not found.seen_outside
    assert str(found).endswith(
        "  outside  no exact limit was found: the circuit was run inside alone, nothing was seen outside"
    )
    assert found.outside is None
    assert found.limit == np.inf


def test_graphs_keep_what_they_were_read_from() -> None:
    net = hh.Network(weights=[[-2e-4]], resistance=10e3, capacitance=10e-9, initial=[0.02])
    graph = circuit_graph(read_network(net, 1e-4), 3e-4)
    assert read_network(graph).delay == pytest.approx(3e-4)
    again = read_network(circuit_graph(STATIC, 1.5))
    rate = float(np.max(STATIC.decay)) * 1e-3
    np.testing.assert_allclose(again.decay * rate, STATIC.decay)
    np.testing.assert_allclose(again.upper * rate, STATIC.upper)
    np.testing.assert_allclose(again.late_weights, STATIC.late_weights)
    assert again.delay == pytest.approx(1.5 * rate)


def test_what_is_not_proved_is_not_demonstrated() -> None:
    failed = certify_linear_delay(FIRST, 7.0)
    with pytest.raises(hh.InputError, match=r"not proved, margin .*: proves nothing that a circuit could show"):
        demonstrate(failed)
    proved = certify_linear_delay(FIRST, 5.0)
    with pytest.raises(hh.InputError, match="`inside` = 4 s: must be a delay that is proved, 5 to 5 s"):
        demonstrate(proved, inside=4.0)
    with pytest.raises(hh.InputError, match="`outside` = 5 s: is proved to be stable, from 5 to 5 s"):
        demonstrate(proved, outside=5.0)
    with pytest.raises(hh.InputError, match="the network has no delay; run it with `verify`"):
        demonstrate(certify(hh.Network(weights=[[0.0]], resistance=1e4, capacitance=1e-8)))
