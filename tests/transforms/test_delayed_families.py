"""Delayed forms of networks: what they are built of, and that each is the equation that it says."""

from __future__ import annotations

import math
import re
from dataclasses import replace

import numpy as np
import pytest
import scipy.sparse as sp

import hopfield_hw as hh
from hopfield_hw.equations.delay_solver import integrate_delayed
from hopfield_hw.families import generalised_hopfield, shunting
from hopfield_hw.graph import Affine, Delay, Graph, Hold, Leak, Sign
from hopfield_hw.transforms import add_delay, add_delay_by_edge, add_neutral_delays, distribute_delay
from hopfield_hw.values.errors import InputError

WEIGHTS = np.array([[0.2, -0.8], [0.7, -0.3]])


def network(**others: object) -> hh.Network:
    return hh.Network(
        weights=WEIGHTS, resistance=[1.0, 2.0], capacitance=[1.0, 0.5], bias=[0.1, -0.2], initial=[0.5, -0.4], **others
    )  # type: ignore[arg-type]


def apart(graph: Graph, rhs: object, lags: object, t_stop: float = 8.0) -> float:
    found = hh.reference(graph, t_stop=t_stop, points=41, accuracy=1e-7)
    solution = integrate_delayed(rhs, lags, lambda t: [0.5, -0.4], (0.0, t_stop), rtol=1e-10, atol=1e-10)  # type: ignore[arg-type]
    return float(np.max(np.abs(found["state"].to_numpy()[:, :2] - solution.state(found["time"].to_numpy()))))


RC, CAPACITANCE = np.array([1.0, 1.0]), np.array([1.0, 0.5])


def test_one_delay() -> None:
    graph = add_delay(network(), 0.8)
    assert graph.kind == "dde"
    assert graph.by_name["v_late"].params()["history"] == np.tanh([0.5, -0.4]).tolist()
    assert apart(graph, lambda t, x, z: -x / RC + (WEIGHTS @ np.tanh(z[0]) + [0.1, -0.2]) / CAPACITANCE, [0.8]) < 1e-8


def test_a_delay_that_varies() -> None:
    tau = hh.Signal(times=[0.0, 3.0], values=[0.4, 1.2])  # type: ignore[arg-type]
    graph = add_delay(network(), tau)
    assert apart(graph, lambda t, x, z: -x / RC + (WEIGHTS @ np.tanh(z[0]) + [0.1, -0.2]) / CAPACITANCE, [tau]) < 1e-8


def test_one_delay_for_each_edge() -> None:
    taus = np.array([[0.3, 0.9], [0.0, 0.3]])
    graph = add_delay_by_edge(network(), taus)
    assert [op.name for op in graph.of_type(Affine)] == ["syn", "syn_0", "syn_1"]
    assert [op.tau for op in graph.of_type(Delay)] == [0.3, 0.9]
    by_name = {op.name: op.weights.matrix for op in graph.of_type(Affine)}
    assert by_name["syn"].tolist() == [[0.0, 0.0], [0.7, 0.0]]
    assert by_name["syn_0"].tolist() == [[0.2, 0.0], [0.0, -0.3]]

    def rhs(t: float, x: np.ndarray, z: np.ndarray) -> np.ndarray:
        now, first, second = np.tanh(x), np.tanh(z[0]), np.tanh(z[1])
        flow = [0.2 * first[0] - 0.8 * second[1] + 0.1, 0.7 * now[0] - 0.3 * first[1] - 0.2]
        return -x / RC + np.array(flow) / CAPACITANCE

    assert apart(graph, rhs, [0.3, 0.9]) < 1e-8


def test_edges_of_a_sparse_network_and_with_inputs() -> None:
    driven = network(input_weights=[[1.0], [0.5]])
    sparse = hh.Network(**{**vars(driven), "weights": sp.csr_array(WEIGHTS)})  # type: ignore[arg-type]
    taus = np.array([[0.3, 0.9], [0.5, 0.3]])
    options = {"t_stop": 5.0, "points": 11, "inputs": [0.3]}
    first, second = (hh.reference(add_delay_by_edge(each, taus), **options) for each in (driven, sparse))  # type: ignore[arg-type]
    assert np.max(np.abs(first["state"].to_numpy() - second["state"].to_numpy())) < 1e-9


@pytest.mark.parametrize("order", [1, 3])
def test_a_gamma_kernel_is_a_row_of_leaks(order: int) -> None:
    """What goes in is constant and the row starts at zero: it gives the Erlang distribution, by its closed form."""
    rest = hh.Network(weights=[[0.0]], resistance=1.0, capacitance=1.0, bias=[1.0], initial=[1.0])
    graph = distribute_delay(rest, 0.6, order=order)
    assert graph.kind == "ode"
    stages = [op for op in graph.of_type(Leak) if op.name != "x"]
    assert len(stages) == order
    assert all(float(stage.initial[0]) == math.tanh(1.0) for stage in stages)
    empty = [replace(op, initial=np.zeros(1)) if op in stages else op for op in graph.operators]
    rise = hh.reference(replace(graph, operators=tuple(empty)), t_stop=2.0, points=21)
    t = order / 0.6 * rise["time"].to_numpy()
    expected = math.tanh(1.0) * (1.0 - np.exp(-t) * sum(t**k / math.factorial(k) for k in range(order)))
    assert np.max(np.abs(rise["state"].to_numpy()[:, -1] - expected)) < 1e-8


def test_a_neutral_network_keeps_its_start_and_its_leak() -> None:
    d = np.array([[0.3, 0.1], [-0.2, 0.4]])
    graph = add_neutral_delays(network(), [d], [1.0])
    found = hh.reference(graph, t_stop=1.0, points=11, accuracy=1e-7)
    assert graph.by_name["x"].params()["initial"] == pytest.approx((np.array([0.5, -0.4]) - d @ [0.5, -0.4]).tolist())
    # up to t = 1 what is before is constant: x moves as without D
    plain = hh.reference(network(), t_stop=1.0, points=11, accuracy=1e-7)
    x = found["state"].to_numpy() + d @ [0.5, -0.4]
    assert np.max(np.abs(x - plain["state"].to_numpy())) < 1e-9


def test_a_neutral_network_against_its_derivative_form() -> None:
    """C [x' - D x'(t - 1)] = F(x): with y = x', F's own solver steps x, and x' of the past is differenced from it."""
    d, tau = np.array([[0.3, 0.1], [-0.2, 0.4]]), 1.0
    graph = add_neutral_delays(network(), [d], [tau])
    times = np.linspace(0.0, 2.5, 2001)
    found = hh.reference(graph, t_stop=2.5, accuracy=1e-7)
    z = found["state"].to_numpy()
    x = z.copy()
    late = int(np.searchsorted(times, tau))
    for k in range(times.size):
        before = x[k - late] if k >= late else np.array([0.5, -0.4])
        x[k] = z[k] + d @ before
    flow = -x / RC + (np.tanh(x) @ WEIGHTS.T + [0.1, -0.2]) / CAPACITANCE
    integral = np.concatenate([[[0.0, 0.0]], np.cumsum(0.5 * (flow[1:] + flow[:-1]), axis=0) * (times[1] - times[0])])
    assert np.max(np.abs(z - z[0] - integral)) < 1e-5


def test_a_history_may_be_given() -> None:
    past = hh.Signal(times=[0.0, 1.0], values=[[0.0, 0.1], [1.0, 0.1]])  # type: ignore[arg-type]
    graph = add_delay(network(), 0.5, history={"v": past})
    assert graph.by_name["v_late"].params()["history"]["values"] == past.values.tolist()
    assert add_delay(network(), 0.5, history={"v": 0.0}).by_name["v_late"].params()["history"] == [0.0, 0.0]


DISCRETE = generalised_hopfield(
    [[0.0, 1.5], [-1.2, 0.3]], decay=0.5, initial=[0.4, -0.2], bias=[0.1, 0.0], discrete=True
)


def stepped(taus: np.ndarray, before: np.ndarray, steps: int = 12) -> np.ndarray:
    """Return x[k] of x_i[k+1] = x_i[k] / 2 + sum_j a_ij tanh(x_j[k - tau_ij]) + I_i.

    `before`: the outputs at k = -1, -2, ...
    """
    a, x = np.array([[0.0, 1.5], [-1.2, 0.3]]), [np.array([0.4, -0.2])]
    for k in range(steps):
        v = [[np.tanh(x[k - d][j]) if k >= d else before[d - k - 1][j] for j, d in enumerate(row)] for row in taus]
        x.append(x[k] / 2.0 + np.sum(a * v, axis=1) + [0.1, 0.0])
    return np.array(x)


def test_a_map_is_delayed_by_rows_of_holds() -> None:
    past = hh.Signal(times=[0.0, 4.0], values=[[0.1, 0.2], [0.5, 1.0]])  # type: ignore[arg-type]
    graph = add_delay(DISCRETE, 3.0, history=past)
    before = np.array([[0.2, 0.4], [0.3, 0.6], [0.4, 0.8]])
    found = hh.reference(graph, t_stop=12e-3)["state"].to_numpy()[:, :2]
    assert np.allclose(found, stepped(np.full((2, 2), 3), before), rtol=0, atol=1e-12)


def test_weights_of_a_map_have_delays_of_their_own() -> None:
    taus = np.array([[0, 2], [3, 0]])
    graph = add_delay_by_edge(DISCRETE, taus)
    assert [op.name for op in graph.of_type(Hold)] == ["x", "v_late_step_1", "v_late_0", "v_late_1"]
    before = np.tile(np.tanh([0.4, -0.2]), (3, 1))
    found = hh.reference(graph, t_stop=12e-3)["state"].to_numpy()[:, :2]
    assert np.allclose(found, stepped(taus, before), rtol=0, atol=1e-12)


def test_delays_of_a_map_that_differ_by_a_rounding_are_one() -> None:
    graph = add_delay_by_edge(DISCRETE, [[0.0, 3.0], [3.0000000000000004, 3.0]])
    assert [op.name for op in graph.of_type(Hold)] == ["x", "v_late_step_1", "v_late_step_2", "v_late_0"]


def test_how_a_neuron_keeps_its_own_state_is_not_delayed() -> None:
    memory = hh.families.discrete_bam([[1.0, -1.0], [1.0, 1.0]])
    late = add_delay(memory, 2.0)
    signs = late.of_type(Sign)
    assert {by.name for sign in signs for by in late.drivers(sign, "tie")} == {"x", "y"}
    assert {by.name for by in late.drivers(late.by_name["to_y"])} == {"x_late"}
    alone = add_delay(
        hh.families.static_field([[0.5]], initial=0.3, discrete=True), 1.0
    )  # all the feedback that it has
    assert [by.name for by in alone.drivers(alone.by_name["syn"])] == ["x_late"]


def test_a_delayed_map_in_a_circuit(ngspice: str) -> None:
    result = hh.verify(add_delay_by_edge(DISCRETE, [[0, 2], [1, 0]]), t_stop=12e-3)
    assert result.passed, result


def test_of_a_shunting_network_the_signals_alone_are_late() -> None:
    """What multiplies them is what the state is now, as in the literature."""
    graph = add_delay(shunting([[0.0, 1.0], [1.0, 0.0]], excitation=[0.3, 0.2], initial=[0.2, 0.1]), 1.0)
    assert [op.name for op in graph.of_type(Delay)] == ["signal_late"]
    assert {op.name for op in graph.targets(graph.by_name["x"])} >= {"room", "minus_x", "signal"}


def test_bad_requests_are_refused() -> None:
    alone = Graph(operators=(Leak(name="x", capacitance=[1.0], resistance=[1.0], initial=[1.0]),), edges=())  # type: ignore[arg-type]
    refused = {
        "the graph has no feedback to delay": lambda: add_delay(alone, 1.0),
        "`v_late.tau = -1.0 s`: must be positive": lambda: add_delay(network(), -1.0),
        "`history` names ['w']: must be of what is delayed, ['v']": lambda: add_delay(
            network(), 1.0, history={"w": 0.0}
        ),
        "`taus[0, 1]` = -0.1 s: must not be negative": lambda: add_delay_by_edge(network(), [[0.0, -0.1], [0.1, 0.0]]),
        "`taus of 'syn'` has shape (1, 2): must have shape (2, 2)": lambda: add_delay_by_edge(network(), [[0.0, 0.1]]),
        "`taus` names ['w']: must name what takes feedback, ['syn']": lambda: add_delay_by_edge(network(), {"w": 0.1}),
        "`mean = 0.0 s`: must be positive": lambda: distribute_delay(network(), 0.0),
        "`order` = 0: must be a whole number from 1 to 1000, the Leaks in a row": lambda: distribute_delay(
            network(), 1.0, order=0
        ),
        "`order` = 100000000000000000000: must be a whole": lambda: distribute_delay(network(), 1.0, order=10**20),
        "`matrices` and `taus`: must be lists": lambda: add_neutral_delays(network(), np.eye(2), 1.0),  # type: ignore[arg-type]
        "`taus` names ['1', 'syn']: must name what takes": lambda: add_delay_by_edge(network(), {1: 0.1, "syn": 0.1}),
        "`history` names ['1', 'v']: must be of what": lambda: add_delay(network(), 1.0, history={1: 0.0, "v": 0.0}),
        "`matrices` and `taus`: must be lists, of one": lambda: add_neutral_delays(network(), np.array(0.1), [1.0]),  # type: ignore[arg-type]
        "`matrices` has 1 and `taus` 2": lambda: add_neutral_delays(network(), [np.eye(2)], [1.0, 2.0]),
        "alone has a spectral radius of D = 1.2": lambda: add_neutral_delays(network(), [1.2 * np.eye(2)], [1.0]),
        "`leak` = 'y': must name one of x": lambda: add_neutral_delays(network(), [np.zeros((2, 2))], [1.0], leak="y"),
        "`history`: several things are delayed, ['gx', 'gy']": lambda: add_delay(
            hh.families.bam([[1.0]]), 1.0, history=0.0
        ),
        "the graph is delayed already": lambda: add_delay(add_delay(network(), 1.0), 1.0),
        "the graph is delayed already: ": lambda: add_delay(add_delay(DISCRETE, 1.0), 1.0),
        "the graph is delayed already: give": lambda: add_delay(
            add_neutral_delays(network(), [np.zeros((2, 2))], [1.0]), 1.0
        ),
        "`tau` of 'v' = 1.5: the network is a map: must be a whole number of periods of 1": lambda: add_delay(
            DISCRETE, 1.5
        ),
        "`tau of 'v' = 0.0 units of time`: must be positive": lambda: add_delay(DISCRETE, 0.0),
        "`tau` of 'v' varies: must be constant in a map": lambda: add_delay(
            DISCRETE,
            hh.Signal(times=[0.0], values=[1.0]),  # type: ignore[arg-type]
        ),
        "the graph is a map, and a gamma kernel is a row of Leaks": lambda: distribute_delay(DISCRETE, 1.0),
        "the graph is a map, and a neutral equation holds derivatives": lambda: add_neutral_delays(
            DISCRETE, [np.eye(2)], [1.0]
        ),
    }
    for message, build in refused.items():
        with pytest.raises(InputError, match=re.escape(message)):
            build()
