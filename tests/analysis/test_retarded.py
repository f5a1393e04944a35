"""A delay equation by its states now and before: lags, values and Jacobians, against differences and the spectrum."""

from __future__ import annotations

import numpy as np
import pytest

from hopfield_hw.analysis import linearise_delays
from hopfield_hw.analysis.balance import Balance
from hopfield_hw.analysis.retarded import RetardedEquation
from hopfield_hw.families import generalised_hopfield
from hopfield_hw.functions import Softmax, Tanh
from hopfield_hw.graph import Activate, Affine, Delay, Edge, Graph, Hadamard, Input, Leak, Units
from hopfield_hw.transforms import add_delay_by_edge

RNG = np.random.default_rng(4)


def echoes() -> Graph:
    """Two states; "first" delays them by 0.3, "second" a product with that by 0.5; a softmax and an input."""
    rng = np.random.default_rng(7)
    operators = (
        Leak(
            name="x", capacitance=np.array([1.0, 2.0]), resistance=np.array([1.0, np.inf]), initial=np.array([0.3, 0.1])
        ),
        Activate(name="f", size=2, function=Tanh(gain=1.5)),
        Delay(name="first", size=2, tau=0.3, history=np.zeros(2)),
        Hadamard(name="square", size=2),
        Delay(name="second", size=2, tau=0.5, history=np.zeros(2)),
        Activate(name="choice", size=2, function=Softmax(beta=2.0)),
        Input(name="u", size=1),
        Affine(name="given", weights=np.array([[0.2], [0.1]])),
        Affine(name="w0", weights=rng.normal(size=(2, 2))),
        Affine(name="w1", weights=rng.normal(size=(2, 2))),
        Affine(name="w2", weights=rng.normal(size=(2, 2))),
    )
    edges = [("x", "f"), ("f", "first"), ("square", "second"), ("x", "choice"), ("u", "given"), ("given", "x")]
    edges += [("choice", "w0"), ("first", "w1"), ("second", "w2"), ("w0", "x"), ("w1", "x"), ("w2", "x")]
    ports = [("first", "square", "left"), ("f", "square", "right")]
    return Graph(operators=operators, edges=tuple(Edge(*edge) for edge in (*edges, *ports)))


def equation() -> RetardedEquation:
    return RetardedEquation(Balance(echoes(), [0.7]), "test")


def test_delays_in_a_row_add_up() -> None:
    np.testing.assert_allclose(equation().lags, [0.0, 0.3, 0.5, 0.8])


def test_values_are_those_of_the_equation_written_out() -> None:
    graph, found = echoes(), equation()
    w0, w1, w2 = (graph.by_name[name].weights.matrix for name in ("w0", "w1", "w2"))  # type: ignore[union-attr]
    z = RNG.normal(size=(7, 4, 2))
    now, first, second, both = np.moveaxis(z, 1, 0)
    f = lambda x: np.tanh(1.5 * x)  # noqa: E731
    weight = np.exp(2.0 * now)
    choice = weight / weight.sum(axis=1, keepdims=True)
    current = choice @ w0.T + f(first) @ w1.T + (f(second) * f(both)) @ w2.T + 0.7 * np.array([0.2, 0.1])
    np.testing.assert_allclose(found.value(z), (current - now * [1.0, 0.0]) / [1.0, 2.0], atol=1e-12)


def test_jacobians_are_differences() -> None:
    found, h = equation(), 1e-6
    z = RNG.normal(size=(3, 4, 2))
    value, jacobians = found.jacobians(z)
    np.testing.assert_allclose(value, found.value(z))
    for k in range(4):
        for i in range(2):
            aside = np.zeros_like(z)
            aside[:, k, i] = h
            slope = (found.value(z + aside) - found.value(z - aside)) / (2.0 * h)
            np.testing.assert_allclose(jacobians[:, k, :, i], slope, atol=1e-8)


def test_at_rest_they_are_the_terms_of_the_spectrum() -> None:
    taus = RNG.choice([0.0, 0.2, 0.9], size=(4, 4))
    late = add_delay_by_edge(generalised_hopfield(RNG.normal(size=(4, 4)), gain=Tanh(gain=1.3), units=Units()), taus)
    at = RNG.normal(size=4)
    terms = linearise_delays(late, at)
    found = RetardedEquation(Balance(late), "test")
    _, jacobians = found.jacobians(np.broadcast_to(at, (1, 3, 4)))
    np.testing.assert_allclose(found.lags[1:], terms.taus)
    np.testing.assert_allclose(jacobians[0, 0], terms.matrix, atol=1e-12)
    np.testing.assert_allclose(jacobians[0, 1:], terms.delayed, atol=1e-12)


def test_delays_that_add_up_to_one_lag_are_one() -> None:
    operators = [Leak(name="x", capacitance=np.ones(1), resistance=np.ones(1), initial=np.zeros(1))]
    edges, before = [], "x"
    for k in range(3):
        operators.append(Delay(name=f"d{k}", size=1, tau=0.1, history=np.zeros(1)))
        operators.append(Affine(name=f"w{k}", weights=np.array([[1.0]])))
        edges += [(before, f"d{k}"), (f"d{k}", f"w{k}"), (f"w{k}", "x")]
        before = f"d{k}"
    operators += [
        Delay(name="whole", size=1, tau=0.3, history=np.zeros(1)),
        Affine(name="w", weights=np.array([[1.0]])),
    ]
    edges += [("x", "whole"), ("whole", "w"), ("w", "x")]
    found = RetardedEquation(Balance(Graph(operators=tuple(operators), edges=tuple(Edge(*e) for e in edges))), "test")
    np.testing.assert_allclose(found.lags, [0.0, 0.1, 0.2, 0.3])
    _, jacobians = found.jacobians(np.zeros((1, 4, 1)))
    assert jacobians[0, :, 0, 0].tolist() == pytest.approx([-1.0, 1.0, 1.0, 2.0])
    assert found.slowest == pytest.approx(1.3)
