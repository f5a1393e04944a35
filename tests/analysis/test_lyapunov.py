"""Lyapunov exponents of systems whose exponents are known, and of a chaotic network."""

from __future__ import annotations

import numpy as np
import pytest

import hopfield_hw as hh
from hopfield_hw.analysis.lyapunov import lyapunov
from hopfield_hw.families import chaotic_hopfield, generalised_hopfield
from hopfield_hw.graph import Activate, Affine, Clock, Edge, Graph, Hadamard, Hold, Leak, Units
from hopfield_hw.transforms import add_delay
from hopfield_hw.values.errors import AccuracyError

UNIT = Units()


def lorenz() -> Graph:
    """x' = 10 (y - x), y' = 28 x - y - x z, z' = x y - 8 z / 3 (Lorenz 1963), by one Hadamard of (x, x) and (z, y)."""
    linear = np.array([[-10.0, 10.0, 0.0], [28.0, -1.0, 0.0], [0.0, 0.0, -8.0 / 3.0]])
    operators = (
        Leak(name="x", capacitance=np.ones(3), resistance=np.full(3, np.inf), initial=np.array([1.0, 1.0, 20.0])),
        Affine(name="linear", weights=linear),
        Affine(name="left", weights=np.array([[1.0, 0.0, 0.0], [1.0, 0.0, 0.0]])),
        Affine(name="right", weights=np.array([[0.0, 0.0, 1.0], [0.0, 1.0, 0.0]])),
        Hadamard(name="product", size=2),
        Affine(name="back", weights=np.array([[0.0, 0.0], [-1.0, 0.0], [0.0, 1.0]])),
    )
    edges = [("x", "linear"), ("linear", "x"), ("x", "left"), ("x", "right"), ("product", "back"), ("back", "x")]
    products = [Edge("left", "product", "left"), Edge("right", "product", "right")]
    return Graph(operators=operators, edges=(*(Edge(*edge) for edge in edges), *products))


def test_a_linear_network_has_the_real_parts_of_its_eigenvalues() -> None:
    rng = np.random.default_rng(1)
    basis = rng.normal(size=(3, 3))
    matrix = basis @ np.diag([0.3, -0.5, -2.0]) @ np.linalg.inv(basis)
    graph = generalised_hopfield(matrix, decay=0.0, gain=hh.Identity(), initial=0.0, units=UNIT)
    found = lyapunov(graph, t_stop=10.0, transient=10.0)
    np.testing.assert_allclose(found.exponents, [0.3, -0.5, -2.0], atol=1e-3)
    rotation = generalised_hopfield([[-0.4, 3.0], [-3.0, -0.4]], decay=0.0, gain=hh.Identity(), units=UNIT)
    np.testing.assert_allclose(lyapunov(rotation, t_stop=10.0).exponents, -0.4, atol=0.01)


def test_time_is_that_of_the_graph_in_seconds() -> None:
    graph = generalised_hopfield([[0.5]], gain=hh.Identity(), initial=0.1)  # -1/2 per ms
    assert lyapunov(graph, t_stop=0.02).exponents == pytest.approx([-500.0], rel=1e-6)


def test_the_lorenz_system_has_its_published_exponents() -> None:
    """0.9056, 0, -14.5723 (Sprott 2003); their sum is the divergence, -10 - 1 - 8/3, exactly."""
    found = lyapunov(lorenz(), t_stop=120.0, transient=4.0)  # shorter ones differ by what roundings do to them
    assert found.exponents[0] == pytest.approx(0.9056, abs=0.06)
    assert found.exponents[1] == pytest.approx(0.0, abs=0.03)
    assert found.exponents.sum() == pytest.approx(-41.0 / 3.0, rel=1e-4)
    assert found.drift[0] < 0.2


def test_the_logistic_map_at_four_has_the_logarithm_of_two() -> None:
    operators = (
        Hold(name="x", clock=Clock(period=1.0), initial=np.array([0.3])),
        Activate(name="f", size=1, function=hh.Polynomial(coefficients=np.array([0.0, 4.0, -4.0]))),
    )
    graph = Graph(operators=operators, edges=(Edge("x", "f"), Edge("f", "x")))
    assert lyapunov(graph, t_stop=2000.0, count=np.int64(1)).exponents == pytest.approx([np.log(2.0)], abs=0.01)  # type: ignore[arg-type]


def test_three_neurons_are_chaotic() -> None:
    """The largest exponent is well above 0, one is 0, and the state stays bounded: a strange attractor, not an escape.

    Along the flow the exponent is the change of log |dx/dt| over the time: a speed that varies over a factor of 1,000
    leaves ln(1000) / 400 = 0.017 of it.
    """
    found = lyapunov(chaotic_hopfield(), t_stop=0.4, count=2)
    per_unit = found.exponents * 1e-3
    assert per_unit[0] > 0.03
    assert per_unit[1] == pytest.approx(0.0, abs=0.017)
    wave = hh.reference(chaotic_hopfield(), t_stop=0.1, accuracy=1e-2, points=301)
    assert float(np.abs(wave["state"].to_numpy()).max()) < 8.0


def test_a_network_that_settles_is_not_chaotic() -> None:
    settled = chaotic_hopfield(p=-2.0, initial=[0.5, 0.1, 0.1])
    assert lyapunov(settled, t_stop=0.05, count=1).exponents[0] <= 0.0


def test_a_map_that_leaves_all_bounds_says_so() -> None:
    away = generalised_hopfield(
        [[5.0]], decay=0.0, gain=hh.Polynomial(coefficients=[0.0, 0.0, 1.0]), initial=1.0, discrete=True, units=UNIT
    )
    assert lyapunov(away, t_stop=3.0, transient=0.0).exponents[0] > 0.0
    with pytest.raises(AccuracyError, match="lyapunov: the map leaves all bounds at step 9; end before, or start els"):
        lyapunov(away, t_stop=50.0)


def test_wrong_requests_are_refused() -> None:
    graph = chaotic_hopfield()
    with pytest.raises(hh.InputError, match=r"^`count` = 4: must be a whole number from 1 to 3, the states"):
        lyapunov(graph, t_stop=0.1, count=4)
    with pytest.raises(hh.InputError, match=r"^`t_stop = 0.0 s`: must be positive"):
        lyapunov(graph, t_stop=0.0)
    with pytest.raises(hh.InputError, match=r"^`transient` = -1.0 s: must be at least 0"):
        lyapunov(graph, t_stop=0.1, transient=-1.0)
    driven = hh.Network(weights=[[0.0]], resistance=1e4, capacitance=1e-7, input_weights=[[1e-4]])
    ramp = hh.Signal(times=[0.0, 1.0], values=[[0.0], [1.0]])
    with pytest.raises(hh.InputError, match=r"^`inputs`: change with time"):
        lyapunov(driven, t_stop=0.1, inputs=ramp)
    with pytest.raises(hh.InputError, match=r"^lyapunov: the graph is of the kind 'dde': must be 'ode' or 'map'"):
        lyapunov(add_delay(graph, 1e-3), t_stop=0.1)
