"""Networks with slopes in sectors: published bounds, exact limits, and a functional along a solution."""

from __future__ import annotations

from functools import partial

import numpy as np
import pytest
from delayed_cases import (
    FOUR,
    SEVENTH,
    STATIC,
    THREE,
    TWO,
    hold_against_exact,
    random_network,
)

import hopfield_hw as hh
from hopfield_hw.stability import (
    DelayedNetwork,
    certify_constant_delay,
    certify_every_delay,
    certify_m_matrix,
    certify_varying_delay,
    largest_delay,
    largest_stable_delay,
    sector_limit,
)
from hopfield_hw.stability.witness import circuit_graph


@pytest.mark.parametrize("network", [FOUR, TWO, SEVENTH])
def test_three_published_networks_are_stable_for_every_delay(network: DelayedNetwork) -> None:
    """Bounds of the delay were published for them; M is an M-matrix, so that none is needed at any rate."""
    found = certify_m_matrix(network)
    assert found.is_exact
    assert found.rate == np.inf
    assert certify_every_delay(network).is_exact


@pytest.mark.parametrize(
    ("rate", "published"), [(0.8, 2.3534), (0.9, 1.6050), (np.inf, 1.5103)], ids=["0.8", "0.9", "any"]
)
def test_free_weighting_matrices_have_their_published_bounds(rate: float, published: float) -> None:
    """He, Liu, Rees and Wu 2007, for the second-order network."""
    assert certify_varying_delay(TWO, published - 5e-4, rate).is_exact
    assert not certify_varying_delay(TWO, published + 5e-4, rate).proved
    assert certify_varying_delay(TWO, 1.015 * published, rate, increments=True).is_exact


def test_the_static_network_has_its_published_bound_at_order_0() -> None:
    assert certify_constant_delay(STATIC, 1.33, order=0).is_exact
    assert not certify_constant_delay(STATIC, 1.34, order=0).proved
    found = largest_delay(partial(certify_constant_delay, STATIC, order=0), 1.4, shortest=1.2, tolerance=1e-3)
    assert found.is_exact
    assert found.delays == (0.0, pytest.approx(1.3323, abs=2e-3))


@pytest.mark.parametrize(
    ("network", "at_largest", "least"), [(THREE, 2.7732, 2.7390), (STATIC, 2.2321, 1.9366)], ids=["local", "static"]
)
def test_certificates_come_near_the_limit_of_the_sector(
    network: DelayedNetwork, at_largest: float, least: float
) -> None:
    """A linear network with smaller slopes bears less delay than that of the largest ones; orders 2 and 3 come near."""
    limit = sector_limit(network, 20.0)
    assert largest_stable_delay(network.linear(), 20.0) == pytest.approx(at_largest, abs=1e-4)
    assert limit.delay == pytest.approx(least, abs=1e-4)
    assert np.any(limit.slopes == 0.0)
    assert certify_constant_delay(network, 0.998 * limit.delay, order=2).is_exact
    assert not certify_constant_delay(network, 1.0001 * limit.delay, order=3).proved
    assert not certify_every_delay(network).proved


def test_too_many_corners_are_refused() -> None:
    wide = DelayedNetwork(decay=1.0, late_weights=np.zeros((11, 11)), upper=1.0)
    with pytest.raises(hh.InputError, match="sector_limit: 2048 corners of the slopes of 11 neurons: at most 1024"):
        sector_limit(wide, 1.0)


@pytest.mark.parametrize("seed", range(3))
def test_no_certificate_passes_an_exact_limit(seed: int) -> None:
    rng = np.random.default_rng(seed)
    held = hold_against_exact(random_network(rng), rng, orders=(0, 1))
    assert held.wrong == ()
    assert held.refused + held.inside > 0


def test_the_functional_falls_along_a_solution() -> None:
    """V of order 1, put together anew from its definition and quadrature, along a solution of the delay equation."""
    delay, points = 2.6, 400
    certificate = certify_constant_delay(THREE, delay, order=1)
    assert certificate.is_exact
    graph = circuit_graph(THREE, delay, [0.8, -1.5, 1.1])
    unit = graph.units.seconds_per_unit
    steps = 12
    wave = hh.reference(graph, t_stop=steps * delay * unit, accuracy=1e-8, points=steps * points + 1)
    x = wave["state"].to_numpy()
    k = THREE.upper
    f = np.tanh(k * x)
    late = np.vstack([np.tile(f[0], (points, 1)), f[:-points]])
    slope = delay * (-x * THREE.decay + late @ THREE.late_weights.T)  # per unit of time of the delay
    m = {name: np.asarray(value) for name, value in certificate.matrices.items()}
    with np.errstate(over="ignore"):
        log_cosh = np.abs(k * x) + np.log1p(np.exp(-2.0 * np.abs(k * x))) - np.log(2.0)
    area = log_cosh / k  # int_0^x tanh(k s) ds
    above, below = np.diag(m["above"]), np.diag(m["below"])
    values = []
    s = np.linspace(-1.0, 0.0, points + 1)
    for at in range(points, len(x), 20):
        window = slice(at - points, at + 1)
        xs, fs, rates = x[window], f[window], slope[window]
        both = np.hstack([xs, fs])
        ends = np.concatenate([x[at], np.trapezoid(xs, s, axis=0)])
        inner = np.einsum("ti,ij,tj->t", xs, m["S"], xs) + np.einsum("ti,ij,tj->t", both, m["Q"], both)
        inner = inner + (1.0 + s) * np.einsum("ti,ij,tj->t", rates, m["R"], rates)
        stored = 2.0 * (above @ area[at] + below @ (0.5 * k * x[at] ** 2 - area[at]))
        values.append(ends @ m["P"] @ ends + stored + np.trapezoid(inner, s))
    found = np.array(values)
    assert found[0] > 10.0 * found[-1] > 0.0
    assert float(np.max(np.diff(found)[1:] / found[1:-1])) < 0.0


def test_bad_delays_and_rates_are_refused() -> None:
    with pytest.raises(hh.InputError, match=r"`rate` = -1: must be at least 0, the bound of d'\(t\)"):
        certify_varying_delay(TWO, 1.0, -1.0)
    with pytest.raises(hh.InputError, match=r"`delay` = -1 s: must be at least 0"):
        certify_constant_delay(TWO, -1.0)
    with pytest.raises(hh.InputError, match=r"^`delay`: the network has none of its own; give it, seconds$"):
        certify_constant_delay(TWO)
    with pytest.raises(hh.InputError, match=r"`order` = -1: must be a whole number from 0 to 12"):
        certify_constant_delay(TWO, 1.0, order=-1)
    with pytest.raises(hh.InputError, match=r"`shortest` = 3 s: must be below `longest` = 2 s"):
        largest_delay(partial(certify_constant_delay, TWO), 2.0, shortest=3.0)
