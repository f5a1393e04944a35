"""Networks and graphs read as networks with slopes in sectors."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest

import hopfield_hw as hh
from hopfield_hw.families import bam, static_field
from hopfield_hw.functions.rectifiers import Elu, LeakyRelu, Softplus
from hopfield_hw.functions.sigmoids import SIGMOIDS
from hopfield_hw.graph import Activate, Affine, Delay, Graph, Leak, Operator, Output
from hopfield_hw.graph.graph import Edge
from hopfield_hw.stability import DelayedNetwork, read_network, slope_bounds
from hopfield_hw.transforms import add_delay, add_delay_by_edge

WEIGHTS = np.array([[0.0, 4e-5], [-2e-5, 1e-5]])


def network(**fields: Any) -> hh.Network:
    return hh.Network(**({"weights": WEIGHTS, "resistance": 10e3, "capacitance": [10e-9, 20e-9]} | fields))


def test_a_delay_puts_the_feedback_late() -> None:
    plain, late = read_network(network()), read_network(add_delay(network(), 1e-4))
    rates = WEIGHTS / np.array([[10e-9], [20e-9]])
    np.testing.assert_allclose(plain.weights, rates, rtol=1e-14)
    assert not plain.has_delay
    np.testing.assert_allclose(late.late_weights, rates, rtol=1e-14)
    assert not late.weights.any()
    assert late.delay == pytest.approx(1e-4)
    given = read_network(network(), 1e-4)
    np.testing.assert_array_equal(given.late_weights, late.late_weights)
    assert read_network(add_delay(network(), 1e-4), 3e-4).delay == 3e-4


def test_some_edges_are_late() -> None:
    taus = np.array([[0.0, 1e-4], [0.0, 0.0]])
    found = read_network(add_delay_by_edge(network(), taus))
    np.testing.assert_allclose(found.late_weights, [[0.0, 4e3], [0.0, 0.0]])
    np.testing.assert_allclose(found.weights, [[0.0, 0.0], [-1e3, 0.5e3]])
    with pytest.raises(hh.InputError, match=r"the graph has 2 delays, 0\.0001 s to 0\.0002 s: must have one"):
        read_network(add_delay_by_edge(network(), np.array([[0.0, 1e-4], [2e-4, 0.0]])))


def test_a_static_field_and_units() -> None:
    weights = np.array([[0.5, -1.0], [2.0, 0.0]])
    graph = static_field(weights, gain=hh.Tanh(gain=1.5), tau=[1.0, 2.0], units=hh.Units(seconds_per_unit=1e-3))
    found = read_network(graph)
    assert found.kind == "static"
    np.testing.assert_allclose(found.decay, [1e3, 0.5e3])
    np.testing.assert_allclose(found.weights, weights)
    np.testing.assert_allclose(found.upper, [1.5e3, 0.75e3])
    late = read_network(add_delay(graph, 0.7))
    assert late.delay == pytest.approx(0.7e-3)
    np.testing.assert_allclose(late.late_weights, weights)


@pytest.mark.parametrize(
    "function",
    [
        *(kind(gain=2.0, amplitude=0.5) for kind in SIGMOIDS),
        *(hh.Identity(), hh.Clip(lower=-1.0, upper=2.0), hh.Table(x=[-1.0, 0.0, 2.0], y=[-1.0, 0.5, 0.7])),
        *(LeakyRelu(below=0.1, above=1.0), Elu(alpha=1.0, width=0.5, slope=1.2), Softplus(amplitude=2.0, width=0.5)),
    ],
    ids=lambda function: type(function).__name__,
)
def test_no_slope_leaves_its_bounds_and_some_reach_them(function: Any) -> None:
    low, high = slope_bounds(function, 3)
    x = np.linspace(-8.0, 8.0, 8001)
    slopes = np.diff(function.value(x)) / np.diff(x)
    assert slopes.min() >= low[0] - 1e-9
    assert slopes.max() <= high[0] + 1e-9
    assert slopes.max() > 0.99 * high[0]
    assert slopes.min() < low[0] + 0.05


def test_other_graphs_are_refused() -> None:
    other = "certificates are of one population of neurons"
    with pytest.raises(hh.InputError, match=other):
        read_network(bam(np.ones((2, 3))))
    with pytest.raises(hh.InputError, match=other):
        read_network(hh.recurrent.RNN(input_weights=np.ones((2, 1)), recurrent_weights=np.ones((2, 2))).graph())
    with pytest.raises(hh.InputError, match=r"neuron 1 has no leak \(R is infinite\): certificates need one"):
        read_network(network(resistance=[10e3, np.inf]))
    with pytest.raises(hh.InputError) as error:
        read_network(network(gain=hh.HardLimiter()))
    assert str(error.value) == (
        "HardLimiter: a certificate needs bounds of the slope, and no finite ones of this function are known; give a "
        "`DelayedNetwork` with `lower` and `upper` of your own"
    )
    varying = add_delay(network(), hh.Signal(times=[0.0, 1e-3], values=[[1e-4], [2e-4]]))
    with pytest.raises(hh.InputError, match="must be one constant delay on each way"):
        read_network(varying)


def branches(bias: tuple[float, float], weights: tuple[float, float], late: bool = False) -> Graph:
    """Return x' = -x + f(W1 x + p) + f(W2 x + q), one curve in two operators; with one operator f(x + x(t - h))."""
    curve = hh.Tanh()
    operators: list[Operator] = [Leak(name="x", capacitance=np.ones(1), resistance=np.ones(1), initial=np.zeros(1))]
    edges = []
    for k in range(2):
        operators.append(Affine(name=f"syn{k}", weights=[[weights[k]]], bias=[bias[k]]))
        operators.append(Activate(name=f"v{k}", size=1, function=curve))
        edges += [Edge("x", f"syn{k}"), Edge(f"syn{k}", f"v{k}"), Edge(f"v{k}", "x")]
    if late:
        operators = [operators[0], operators[2], Delay(name="late", size=1, tau=1.0, history=np.zeros(1))]
        edges = [Edge("x", "v0"), Edge("x", "late"), Edge("late", "v0"), Edge("v0", "x")]
    operators.append(Output(name="output", size=1))
    return Graph(operators=tuple(operators), edges=(*edges, Edge("x", "output")), units=hh.Units())


@pytest.mark.parametrize(
    "graph",
    [branches((-3.0, 20.0), (3.0, -3.0)), branches((-3.0, 20.0), (1.0, 1.0)), branches((0.0, 0.0), (1.0, 1.0), True)],
    ids=["static field", "local field", "one curve of two delays"],
)
def test_gain_curves_of_two_arguments_are_refused(graph: Graph) -> None:
    """f(3 x - 3) + f(-3 x + 20) has several equilibria; f(0) + f(0), of the sum of the weights, has one."""
    with pytest.raises(hh.InputError) as error:
        read_network(graph)
    assert str(error.value) == (
        "certificates are of one population of neurons, x' = -A x + W0 f(x) + W1 f(x(t - h)) + I or x' = -A x + "
        "f(W x(t - h) + I); this graph is not one"
    )


GOOD: dict[str, Any] = {"decay": 1.0, "upper": 1.0, "weights": [[0.0, 1.0], [1.0, 0.0]]}


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"weights": [[1.0, 2.0]]}, "`DelayedNetwork.weights` has shape (1, 2): must be square, (n, n)"),
        ({"weights": None}, "`DelayedNetwork`: has neither `weights` nor `late_weights`; give one, (n, n)"),
        ({"late_weights": [[1.0]]}, "`DelayedNetwork.late_weights` has shape (1, 1): must have shape (2, 2)"),
        ({"weights": [[0.0, np.nan], [0.0, 0.0]]},
         "`DelayedNetwork.weights[0, 1] = nan`: must be finite; replace missing or infinite values"),
        ({"decay": [1.0, 0.0]}, "`DelayedNetwork.decay[1] = 0.0 1/s`: must be positive"),
        ({"upper": [1.0, np.inf]},
         "`DelayedNetwork.upper[1] = inf`: a slope without a bound, as a hard limiter has: must be finite; give a gain "
         "curve of finite slope"),
        ({"upper": np.nan}, "`DelayedNetwork.upper[0] = nan`: must be a number (infinity allowed)"),
        ({"lower": 2.0}, "`DelayedNetwork.lower[0]` = 2 is above `upper[0]` = 1: must be at most that; exchange them"),
        ({"kind": "global"}, "`DelayedNetwork.kind` = 'global': must be one of local, static"),
        ({"kind": "static", "late_weights": np.eye(2)},
         "`DelayedNetwork`: a static field has either `weights` or `late_weights`, not both"),
    ],
)  # fmt: skip
def test_bad_networks_are_refused(fields: dict[str, Any], message: str) -> None:
    with pytest.raises(hh.InputError, match=f"^{re.escape(message)}$"):
        DelayedNetwork(**(GOOD | fields))
