"""Characteristic roots against closed forms, the argument principle and other discretisations; Jacobians of graphs."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from scipy.special import lambertw

import hopfield_hw as hh
from hopfield_hw.analysis import characteristic_roots, find_equilibria, find_spectrum, linearise_delays
from hopfield_hw.analysis.characteristic import delayed_terms
from hopfield_hw.families import generalised_hopfield
from hopfield_hw.graph import Delay, Edge, Units
from hopfield_hw.graph.building import CIRCUIT_UNITS
from hopfield_hw.transforms import add_delay, add_delay_by_edge, add_neutral_delays, distribute_delay
from hopfield_hw.values.errors import AccuracyError, InputError

UNIT = Units()


def network(weights: Any, gain: Any = None, **options: Any) -> Any:
    return generalised_hopfield(weights, gain=gain or hh.Tanh(), units=UNIT, **options)


@pytest.mark.parametrize(("a", "tau"), [(-2.0, 1.2), (-4.0, 0.5), (-1.5, 20.0), (0.5, 3.0)])
def test_one_state_by_the_lambert_function(a: float, tau: float) -> None:
    """lambda = -1 + a exp(-lambda tau): lambda = W_k(a tau exp(tau))/tau - 1."""
    found = characteristic_roots([[-1.0]], [[[a]]], [tau], count=11)
    expected = np.array([lambertw(a * tau * np.exp(tau), k) / tau - 1.0 for k in range(-30, 30)])
    expected = expected[np.argsort(-expected.real)][:10]
    for root in expected:
        assert np.min(np.abs(found.roots - root)) < 1e-11
    assert found.residuals.max() < 1e-12


def winding(terms: Any, right: float, size: float) -> int:
    """Count the roots right of a line by the turns of det Delta along a rectangle (argument principle)."""
    corners = [right - 1j * size, right + size - 1j * size, right + size + 1j * size, right + 1j * size]
    path = np.concatenate(
        [np.linspace(a, b, 2001)[:-1] for a, b in zip(corners, [*corners[1:], corners[0]], strict=True)]
    )
    values = np.array([np.linalg.det(terms.characteristic(complex(z))) for z in [*path, path[0]]])
    return round(float(np.sum(np.angle(values[1:] / values[:-1]))) / (2.0 * np.pi))


@pytest.mark.parametrize("seed", range(4))
def test_no_root_to_the_right_is_missed(seed: int) -> None:
    rng = np.random.default_rng(seed)
    n = 1 + seed % 3
    a, late = rng.normal(size=(n, n)) - np.eye(n), rng.normal(size=(2, n, n))
    taus = rng.uniform(0.2, 3.0, 2)
    found = characteristic_roots(a, list(late), taus, count=40)
    terms = delayed_terms(a, list(late), taus)
    line = -0.11
    size = float(np.linalg.norm(a, 2) + np.exp(-line * taus) @ np.linalg.norm(late, 2, axis=(1, 2)))
    assert int(np.sum(found.roots.real > line)) == winding(terms, line, size + 0.2)


def test_double_roots_are_counted_twice() -> None:
    one = characteristic_roots([[-1.0]], [[[-2.0]]], [1.2], count=6).roots
    two = characteristic_roots(-np.eye(2), [-2.0 * np.eye(2)], [1.2], count=12).roots
    np.testing.assert_allclose(np.sort_complex(two), np.sort_complex(np.repeat(one, 2)), atol=1e-10)


def test_more_points_change_nothing() -> None:
    rng = np.random.default_rng(1)
    args = rng.normal(size=(3, 3)), [rng.normal(size=(3, 3)), rng.normal(size=(3, 3))], [0.4, 1.0]
    first, second = (characteristic_roots(*args, count=8, points=points).roots for points in (40, 70))
    np.testing.assert_allclose(first, second, atol=1e-10)


def test_without_delay_they_are_eigenvalues() -> None:
    matrix = np.array([[-1.0, 2.0], [-2.0, -1.0]])
    np.testing.assert_allclose(np.sort_complex(characteristic_roots(matrix).roots), [-1 - 2j, -1 + 2j], atol=1e-14)
    zero = characteristic_roots(-np.eye(2), [matrix], [0.0]).roots
    np.testing.assert_allclose(np.sort_complex(zero), [-2 - 2j, -2 + 2j], atol=1e-14)


def test_a_graph_with_one_delay() -> None:
    graph = add_delay(network([[-2.0]]), 1.2)
    terms = linearise_delays(graph)
    np.testing.assert_allclose([terms.matrix[0, 0], terms.delayed[0, 0, 0], terms.taus[0]], [-1.0, -2.0, 1.2])
    found = find_spectrum(graph, [0.0])
    assert found.stable
    assert not find_spectrum(add_delay(network([[-2.0]]), 1.22), 0.0).stable
    first = lambertw(-2.4 * np.exp(1.2), 0) / 1.2 - 1.0
    np.testing.assert_allclose(np.sort_complex(found.values[:2]), [np.conj(first), first], atol=1e-12)


def test_delays_by_edge_about_a_state_that_is_not_zero() -> None:
    weights, taus = np.array([[0.5, -1.5], [2.0, 0.3]]), np.array([[0.0, 0.7], [0.4, 0.7]])
    graph = add_delay_by_edge(network(weights, bias=[0.2, -0.1]), taus)
    at = np.array([0.3, -0.2])
    terms = linearise_delays(graph, at)
    slopes = weights / np.cosh(at) ** 2
    np.testing.assert_allclose(terms.taus, [0.4, 0.7])
    np.testing.assert_allclose(terms.matrix, -np.eye(2) + slopes * (taus == 0.0), atol=1e-12)
    for tau, late in zip(terms.taus, terms.delayed, strict=True):
        np.testing.assert_allclose(late, slopes * (taus == tau), atol=1e-12)


def test_delays_one_after_the_other_add_up() -> None:
    once = add_delay(network([[-2.0]]), 0.9)
    more = Delay(name="later", size=1, tau=0.4, history=[0.0])
    edges = [edge._replace(source="later") if edge.source == "v_late" else edge for edge in once.edges]
    twice = replace(once, operators=(*once.operators, more), edges=(*edges, Edge("v_late", "later")))
    terms = linearise_delays(twice)
    np.testing.assert_allclose(terms.taus, [1.3])
    np.testing.assert_allclose(terms.delayed, [[[-2.0]]])
    expected = characteristic_roots([[-1.0]], [[[-2.0]]], [1.3], count=4).roots
    np.testing.assert_allclose(np.sort_complex(find_spectrum(twice, 0.0, count=4).values), np.sort_complex(expected))


def test_a_gamma_distributed_delay_is_its_row_of_leaks() -> None:
    """lambda + 1 = -2 (1 + lambda tau/m)^-m for the mean tau in m stages."""
    graph = distribute_delay(network([[-2.0]]), 1.0, order=3)
    found = find_spectrum(graph, np.zeros(4))
    assert found.kind == "ode"
    for root in found.values:
        assert abs((root + 1.0) * (1.0 + root / 3.0) ** 3 + 2.0) < 1e-9


def test_seconds_of_a_network_in_circuit_units() -> None:
    graph = add_delay(generalised_hopfield([[-2.0]], gain=hh.Tanh(), units=CIRCUIT_UNITS), 1.2)
    plain = find_spectrum(add_delay(network([[-2.0]]), 1.2), 0.0)
    np.testing.assert_allclose(find_spectrum(graph, 0.0).values, 1e3 * plain.values, rtol=1e-9)


def test_the_multipliers_of_a_map() -> None:
    graph = network([[1.0, 0.5], [-0.5, 1.0]], decay=0.2, discrete=True)
    found = find_spectrum(graph, [0.0, 0.0])
    np.testing.assert_allclose(np.sort_complex(found.values), [1.2 - 0.5j, 1.2 + 0.5j], atol=1e-12)
    assert (found.kind, found.stable) == ("map", False)


def varying() -> Any:
    return add_delay(network([[-1.0]]), hh.Signal(times=[0.0, 1.0], values=[[0.5], [0.7]]))


BAD: dict[str, tuple[Any, str]] = {
    "varying": (
        lambda: find_spectrum(varying(), 0.0),
        "find_spectrum: the Delay 'v_late' varies with time; give a constant tau",
    ),
    "neutral": (
        lambda: find_spectrum(add_neutral_delays(network([[-1.0]]), [[[0.5]]], [1.0]), 0.0),
        "find_spectrum: the Delays 'x_late_0' drive each other without a Leak between, so the equation is neutral; its "
        "roots are not computed here: put a Leak into the cycle",
    ),
    "map": (
        lambda: linearise_delays(network([[1.0]], discrete=True)),
        "linearise_delays: the graph is a map; its delays are Holds: use find_spectrum",
    ),
    "shape": (lambda: characteristic_roots([[1.0, 2.0]]), "`matrix` has shape (1, 2): must be (n, n)"),
    "counts": (
        lambda: characteristic_roots([[1.0]], [[[1.0]]], [1.0, 2.0]),
        "`delayed` has 1 and `taus` 2: must have as many",
    ),
    "negative": (lambda: characteristic_roots([[1.0]], [[[1.0]]], [-1.0]), "`taus` holds -1.0 s: must be at least 0"),
    "long": (
        lambda: characteristic_roots([[-1.0]], [[[1.0]]], [1e6]),
        "characteristic_roots: 1 states with delays of up to 2e+06 of their own times ask for a matrix of 1500041 "
        "rows, at most 1600; give `points`, shorter delays or fewer states",
    ),
    "state": (lambda: find_spectrum(network([[1.0]]), [0.0, 1.0]), "`at` has shape (2,): must have shape (1,)"),
}


@pytest.mark.parametrize(("call", "message"), BAD.values(), ids=BAD)
def test_bad_input_is_refused(call: Any, message: str) -> None:
    with pytest.raises(InputError) as refused:
        call()
    assert str(refused.value) == message


def test_no_root_is_not_stability() -> None:
    graph = add_delay(network([[1e-200]]), 1000.0)
    message = (
        "characteristic roots: none found of 1 states with delays of up to 1e+03 s, so the stability is not known; "
        "take shorter delays, or leave out a delayed term that is too weak to count"
    )
    with pytest.raises(AccuracyError) as caught:
        find_spectrum(graph, [0.0])
    assert str(caught.value) == message
    with pytest.raises(AccuracyError, match="none found of 1 states"):
        find_equilibria(graph)
