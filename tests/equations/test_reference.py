"""The reference: closed forms, an independent right-hand side, Jacobians, solvers, batches, energy, amplification."""

from __future__ import annotations

import importlib
import math
import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
import scipy.sparse as sp
from scipy.integrate import quad, solve_ivp
from scipy.linalg import expm

from hopfield_hw.analysis.amplification import amplification
from hopfield_hw.analysis.energy import energy, energy_rise, has_energy
from hopfield_hw.equations import OdeProgram, solve, solve_batch
from hopfield_hw.functions import (
    Algebraic,
    Arctan,
    Clip,
    Gain,
    HardLimiter,
    Identity,
    Logistic,
    PiecewiseLinear,
    Polynomial,
    Rational,
    Softmax,
    Table,
    Tanh,
)
from hopfield_hw.graph import (
    Activate,
    Affine,
    Clock,
    Delay,
    Edge,
    Graph,
    Hadamard,
    Hold,
    Input,
    Leak,
    Operator,
    Output,
    Quantise,
    Stencil,
    Units,
)
from hopfield_hw.networks.network import Network
from hopfield_hw.transforms import in_si
from hopfield_hw.values.arrays import Array
from hopfield_hw.values.errors import AccuracyError, InputError
from hopfield_hw.values.measures import nrmse
from hopfield_hw.values.signals import Signal

CURVES: tuple[Gain, ...] = (
    Tanh(gain=3.0, amplitude=1.5),
    Logistic(gain=2.0),
    PiecewiseLinear(gain=2.0),
    Arctan(gain=4.0),
    Algebraic(gain=3.0),
    Table(x=[-1.0, -0.2, 0.3, 1.0], y=[-1.0, -0.5, 0.5, 1.2]),
)
kind = {"ids": lambda value: getattr(value, "kind", None)}


def random_net(seed: int, n: int = 5, **others: Any) -> Network:
    """A network with values of order 1, all of them different."""
    rng = np.random.default_rng(seed)
    fields = {
        "weights": rng.normal(size=(n, n)),
        "resistance": rng.uniform(0.5, 2.0, n),
        "capacitance": rng.uniform(0.5, 2.0, n),
        "gain": Tanh(gain=rng.uniform(1.0, 4.0, n), amplitude=rng.uniform(0.5, 2.0, n)),
        "bias": rng.normal(size=n),
        "initial": rng.normal(size=n),
        **others,
    }
    return Network(**fields)


def symmetric_net(seed: int, **others: Any) -> Network:
    net = random_net(seed)
    return replace(net, weights=net.weights + net.weights.T, symmetric=True, **others)


def graph_of(operators: Sequence[Operator], *edges: tuple[str, ...], units: Units | None = None) -> Graph:
    return Graph(operators=tuple(operators), edges=tuple(Edge(*edge) for edge in edges), units=units or Units())


def leak(name: str, n: int, **others: Any) -> Leak:
    rng = np.random.default_rng(len(name) + n)
    fields = {name: rng.uniform(0.5, 2.0, n) for name in ("capacitance", "resistance", "initial")}
    return Leak(name=name, **{**fields, **others})


# Exact answers


@pytest.mark.parametrize(("t_ij", "x0"), [(0.0, 0.5), (-3.0, 0.8), (0.9, -0.2), (1.0, 0.3)])
def test_one_linear_neuron(t_ij: float, x0: float) -> None:
    """C x' = -x / R + (T b) x + I, inside the corners of the curve."""
    r, c, slope, bias = 0.5, 3.0, 2.0, 0.1
    gain = PiecewiseLinear(gain=slope, amplitude=100.0)
    net = Network(weights=[[t_ij]], resistance=r, capacitance=c, gain=gain, bias=bias, initial=x0)
    wave = solve(net.graph(), t_stop=6.0, points=61, accuracy=1e-6)
    rate, t = (t_ij * slope - 1.0 / r) / c, wave.time.values
    exact = x0 + bias / c * t if rate == 0.0 else x0 * np.exp(rate * t) + bias / (c * rate) * np.expm1(rate * t)
    np.testing.assert_allclose(wave.state.values[:, 0], exact, rtol=1e-8)  # the solver is asked for 1e-10
    np.testing.assert_allclose(wave.output.values[:, 0], slope * exact, rtol=1e-8)


def test_one_neuron_crosses_the_corner_of_its_curve() -> None:
    """x' = -x + 2 clip(x, -1, 1): x = x0 e^t up to 1, then x = 2 - e^-(t - t1)."""
    net = Network(weights=[[2.0]], resistance=1.0, capacitance=1.0, gain=PiecewiseLinear(), initial=0.25)
    wave = solve(net.graph(), t_stop=5.0, points=501, accuracy=1e-6)
    t, corner = wave.time.values, math.log(4.0)
    exact = np.where(t < corner, 0.25 * np.exp(t), 2.0 - np.exp(corner - t))
    # A step over the corner is judged by the error estimate alone: ten times what is asked for elsewhere.
    np.testing.assert_allclose(wave.state.values[:, 0], exact, rtol=0, atol=1e-9 * 10)


@pytest.mark.parametrize("form", [np.asarray, sp.csr_array], ids=["dense", "sparse"])
@pytest.mark.parametrize("seed", range(3))
def test_linear_networks_by_matrix_exponential(form: Callable[[Any], Any], seed: int) -> None:
    gain = PiecewiseLinear(gain=[0.5, 1.0, 2.0, 1.5, 0.7], amplitude=1e6)
    net = random_net(seed, gain=gain)
    wave = solve(replace(net, weights=form(net.weights)).graph(), t_stop=2.0, points=9, accuracy=1e-6)
    a = (net.weights * gain.gain - np.diag(1.0 / net.resistance)) / net.capacitance[:, np.newaxis]
    system = np.zeros((6, 6))
    system[:5, :5], system[:5, 5] = a, net.bias / net.capacitance
    exact = np.stack([(expm(system * t) @ [*net.initial, 1.0])[:5] for t in wave.time.values])
    assert nrmse(exact, wave.state.values) < 1e-8  # the solver is asked for 1e-10


def test_logistic_growth() -> None:
    """x' = x (1 - x) as a product: x = 1 / (1 + (1/x0 - 1) e^-t)."""
    graph = graph_of(
        [
            leak("x", 1, capacitance=[1.0], resistance=[np.inf], initial=[0.1]),
            Affine(name="rest", weights=[[-1.0]], bias=[1.0]),
            Hadamard(name="p", size=1),
            Output(name="o", size=1),
        ],
        ("x", "rest"),
        ("rest", "p", "left"),
        ("x", "p", "right"),
        ("p", "x"),
        ("rest", "o"),
    )
    wave = solve(graph, t_stop=8.0, points=33, accuracy=1e-6)
    exact = 1.0 / (1.0 + 9.0 * np.exp(-wave.time.values))
    np.testing.assert_allclose(wave.state.values[:, 0], exact, rtol=1e-8)
    np.testing.assert_allclose(wave.output.values[:, 0], 1.0 - exact, rtol=0, atol=1e-8)


def test_an_equation_runs_twenty_time_constants_by_default() -> None:
    net = Network(weights=np.zeros((2, 2)), resistance=[1e4, 2e4], capacitance=[1e-7, 3e-7])
    assert solve(net.graph()).time.values[-1] == pytest.approx(20.0 * 6e-3, rel=1e-15)
    assert solve(net.graph()).sizes["time"] == 2001


# The right-hand side, term by term


def equation(net: Network, x: Array, u: Array) -> Array:
    """C_i x_i' = -x_i / R_i + sum_j T_ij a_j tanh(b_j x_j / a_j) + sum_k B_ik u_k + I_i, in plain Python."""
    gain = net.gain
    assert isinstance(gain, Tanh)
    b, a = (np.broadcast_to(p, net.size) for p in (gain.gain, gain.amplitude))
    slope = []
    for i in range(net.size):
        current = -x[i] / net.resistance[i] + net.bias[i]
        for j in range(net.size):
            current += net.weights[i, j] * a[j] * math.tanh(b[j] * x[j] / a[j])
        for k in range(u.size):
            current += net.input_weights[i, k] * u[k]
        slope.append(current / net.capacitance[i])
    return np.array(slope)


@pytest.mark.parametrize("form", [np.asarray, sp.csr_array], ids=["dense", "sparse"])
def test_right_hand_side_is_the_equation(form: Callable[[Any], Any]) -> None:
    rng = np.random.default_rng(8)
    net = random_net(8, input_weights=rng.normal(size=(5, 2)))
    signal = Signal(times=[0.0, 2.0], values=[[0.0, 1.0], [4.0, 5.0]])
    program = OdeProgram([replace(net, weights=form(net.weights)).graph()], signal)
    x = rng.normal(size=(3, 5))
    expected = np.stack([equation(net, row, np.array([1.0, 2.0])) for row in x])
    np.testing.assert_allclose(program.rhs(0.5, x), expected, rtol=1e-13, atol=1e-13)
    np.testing.assert_allclose(program.rhs(0.5, x[1]), expected[1], rtol=1e-13, atol=1e-13)
    times = np.array([0.5, 1.0, 9.0])
    by_row = [equation(net, row, signal.at(t)) for row, t in zip(x, times, strict=True)]
    out = np.empty_like(x)
    program.batch_rhs(times, x, slice(0, 3), out)
    np.testing.assert_allclose(out, np.stack(by_row), rtol=1e-13, atol=1e-13)


def test_what_drives_an_operator_adds_up() -> None:
    graph = graph_of(
        [
            leak("x", 2, capacitance=[1.0, 1.0], resistance=[1.0, 0.5]),
            leak("y", 2, capacitance=[2.0, 1.0], resistance=[np.inf, 1.0]),
            Input(name="u", size=2),
            Activate(name="f", size=2, function=Polynomial(coefficients=[0.0, 0.0, 1.0])),
            Hadamard(name="p", size=2),
        ],
        ("x", "f"),
        ("y", "f"),
        ("u", "f"),
        ("f", "p", "left"),
        ("x", "p", "left"),
        ("y", "p", "right"),
        ("u", "p", "right"),
        ("p", "x"),
        ("y", "x"),
        ("u", "x"),
        ("f", "y"),
    )
    x, y, u = np.array([0.3, -0.5]), np.array([0.7, 0.2]), np.array([0.1, -0.4])
    f = (x + y + u) ** 2
    expected = [-x / np.array([1.0, 0.5]) + (f + x) * (y + u) + y + u, np.array([f[0] / 2.0, -y[1] + f[1]])]
    program = OdeProgram([graph], Signal(times=[0.0], values=[u]))
    np.testing.assert_allclose(program.rhs(0.0, np.concatenate([x, y])), np.concatenate(expected), rtol=1e-14)


# Jacobians


def mixed(weights: Any, function: Any) -> Graph:
    """Two populations, joined by one dense and one other Affine, a product, a square and a direct edge."""
    return graph_of(
        [
            leak("x", 4),
            leak("y", 4, resistance=[1.0, np.inf, 2.0, 0.5]),
            Input(name="u", size=4),
            Activate(name="v", size=4, function=function),
            Affine(name="dense", weights=np.random.default_rng(5).normal(size=(4, 4)), bias=np.ones(4)),
            Affine(name="other", weights=weights),
            Hadamard(name="p", size=4),
            Hadamard(name="square", size=4),
            Output(name="o", size=4),
        ],
        ("x", "v"),
        ("u", "v"),
        ("v", "dense"),
        ("y", "dense"),
        ("dense", "other"),
        ("other", "x"),
        ("v", "p", "left"),
        ("y", "p", "left"),
        ("dense", "p", "right"),
        ("p", "y"),
        ("dense", "square", "left"),
        ("dense", "square", "right"),
        ("square", "y"),
        ("x", "y"),
        ("u", "y"),
        ("p", "o"),
    )


SPARSE = sp.csr_array(np.array([[0.0, 1.0, 0, 0], [0, 0, -2.0, 0], [0.5, 0, 0, 0], [0, 0, 0, 0]]))
TEMPLATE = [[0.1, 0.2, 0.0], [0.3, -0.5, 0.4], [0.0, 0.6, 0.7]]
STENCIL = Stencil(template=TEMPLATE, shape=(2, 2), boundary="fixed", edge=0.5)


@pytest.mark.parametrize(
    "graph",
    [
        random_net(1).graph(),
        random_net(1, weights=sp.csr_array(np.triu(np.ones((5, 5))))).graph(),
        mixed(np.eye(4) * 2.0, Tanh(gain=2.0)),
        mixed(SPARSE, Logistic(gain=[1.0, 2.0, 3.0, 4.0])),
        mixed(STENCIL, Rational(numerator=[1.0, 2.0], denominator=[2.0, 0.0, 1.0])),
        mixed(np.eye(4), Softmax(groups=(1, 3), beta=2.0)),
        mixed(SPARSE, Softmax(beta=0.5, amplitude=3.0)),
        mixed(STENCIL, Clip(lower=[-9.0, -np.inf, 0.2, 0.0], upper=9.0)),
        mixed(SPARSE, Identity()),
    ],
    ids=["network", "sparse network", "dense", "sparse", "stencil", "softmax", "sparse softmax", "clip", "identity"],
)
def test_jacobian_against_central_differences(graph: Graph) -> None:
    inputs = sum(op.size for op in graph.of_type(Input))
    signal = Signal(times=[0.0, 1.0], values=np.outer([0.0, 1.0], np.linspace(-1.0, 1.0, inputs))) if inputs else None
    program = OdeProgram([graph], signal)
    x = np.random.default_rng(4).normal(size=program.size)
    steps = np.eye(program.size) * 1e-6
    numeric = np.stack([(program.rhs(0.3, x + h) - program.rhs(0.3, x - h)) / 2e-6 for h in steps], axis=1)
    found = program.jacobian(0.3, x)
    has_sparse = any(op.weights.is_sparse for op in graph.of_type(Affine))
    assert sp.issparse(found) == has_sparse
    dense = found.toarray() if sp.issparse(found) else np.asarray(found)
    assert dense.shape == (program.size, program.size)
    # Rounding: 1e-16 of values up to about 30, over a step of 1e-6; the h^2 term is below that.
    np.testing.assert_allclose(dense, numeric, rtol=0, atol=1e-7)


# Solvers


def driven_net() -> Network:
    return random_net(6, n=3, input_weights=[[0.5], [-1.0], [0.0]])


RAMP: dict[str, Any] = {
    "t_stop": 5.0,
    "points": 51,
    "inputs": Signal(times=[0.0, 1.5, 1.7], values=[[0.0], [1.0], [-1.0]]),
}


@pytest.fixture(scope="module")
def auto() -> Array:
    state: Array = solve(driven_net().graph(), accuracy=1e-6, **RAMP).state.values
    return state


@pytest.mark.parametrize(
    ("method", "form"),
    [
        *((method, np.asarray) for method in ("RK45", "DOP853", "Radau", "BDF", "LSODA")),
        *((method, sp.csr_array) for method in ("auto", "Radau", "BDF", "LSODA")),
    ],
)
def test_methods_agree(method: Any, form: Callable[[Any], Any], auto: Array) -> None:
    net = driven_net()
    wave = solve(replace(net, weights=form(net.weights)).graph(), method=method, **RAMP)
    # A tenth of the accuracy: the error of the reference must not show in a comparison.
    assert nrmse(auto, wave.state.values) < 1e-5


def stiff(form: Callable[[Any], Any]) -> Network:
    """Time constants of 1 and 1e-7: an explicit method takes a step every 1e-7."""
    return Network(
        weights=form([[0.0, 0.5], [0.0, 0.0]]),
        resistance=1.0,
        capacitance=[1.0, 1e-7],
        gain=PiecewiseLinear(amplitude=9.0),
        bias=[0.0, 1.0],
    )


@pytest.mark.parametrize("form", [np.array, sp.csr_array], ids=["dense", "sparse"])
@pytest.mark.parametrize("method", ["auto", "Radau", "BDF", "LSODA"])
def test_a_stiff_equation_goes_to_an_implicit_method(
    method: Any, form: Callable[[Any], Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    module = importlib.import_module("hopfield_hw.equations.ode_program")
    tried: list[str] = []

    def spy(*args: Any, **options: Any) -> Any:
        tried.append(options["method"])
        return solve_ivp(*args, **options)

    monkeypatch.setattr(module, "EXPLICIT_BUDGET", 500)
    monkeypatch.setattr(module, "solve_ivp", spy)
    wave = solve(stiff(form).graph(), t_stop=4.0, points=41, method=method)
    assert list(dict.fromkeys(tried)) == (["DOP853", "Radau"] if method == "auto" else [method])
    assert len(tried) > len(set(tried))  # the self-check solves once more
    # Neuron 1 is at 1 at once (1e-7); neuron 0 follows.
    exact = np.stack([0.5 * (1.0 - np.exp(-wave.time.values)), wave.time.values > 0.0], axis=1)
    np.testing.assert_allclose(wave.state.values, exact, rtol=0, atol=1e-6)  # the solver is asked for 1e-8


def blow_up() -> Graph:
    """x' = x^2 from 1: infinite at t = 1."""
    square = Activate(name="f", size=1, function=Polynomial(coefficients=[0.0, 0.0, 1.0]))
    x = leak("x", 1, capacitance=[1.0], resistance=[np.inf], initial=[1.0])
    return graph_of([x, square], ("x", "f"), ("f", "x"))


def test_what_cannot_go_on_is_an_accuracy_error() -> None:
    with pytest.raises(AccuracyError, match=re.escape("reference: DOP853 stopped at t = 1 s")):
        solve(blow_up(), t_stop=2.0)
    with pytest.raises(AccuracyError, match=re.escape("draw 0 stops at t = 1 of 2")):
        solve_batch(blow_up(), t_stop=2.0)


def test_delays_and_holds_of_a_batch_are_refused_by_name() -> None:
    hold = Hold(name="h", clock=Clock(period=1.0), initial=[0.0])
    delay = Delay(name="d", size=1, tau=1.0, history=[0.0])
    for operator, what in ((hold, "Hold 'h'"), (delay, "Delay 'd'")):
        graph = graph_of([leak("x", 1), operator], ("x", operator.name), (operator.name, "x"))
        with pytest.raises(
            InputError,
            match=re.escape(f"{what}: a batch runs graphs without Hold or Delay; run them one by one with `reference`"),
        ):
            solve_batch(graph)


# Inputs


@pytest.mark.parametrize("runner", [solve, lambda *args, **kw: solve_batch(*args, **kw).isel(draw=0)])
def test_inputs_with_corners(runner: Callable[..., Any]) -> None:
    """A low-pass that follows a triangle: corners between grid points, on one, and after the end."""
    net = Network(weights=[[0.0]], resistance=2.0, capacitance=0.25, initial=0.3, input_weights=[[0.5]])
    times, values = [0.2, 0.9123, 1.5, 7.0], [0.0, 2.0, -1.0, 4.0]
    wave = runner(
        net.graph(), t_stop=3.0, points=31, accuracy=1e-6, inputs=Signal(times=times, values=np.array(values)[:, None])
    )
    tau, x, exact = 0.5, 0.3, []
    knots = [0.0, *times]
    levels = [values[0], *values]

    def step(x: float, start: float, end: float, a: float, b: float, at: float) -> float:
        """Return the solution of tau x' = -x + a + (b - a) (t - start) / (end - start) at a time."""
        slope, dt = (b - a) / (end - start), at - start
        return a - slope * tau + slope * dt + (x - a + slope * tau) * math.exp(-dt / tau)

    for t in wave.time.values:
        x = 0.3
        for start, end, a, b in zip(knots, knots[1:], levels, levels[1:], strict=False):
            if t > start:
                x = step(x, start, end, a, b, min(t, end))
        exact.append(x)
    np.testing.assert_allclose(wave.state.values[:, 0], exact, rtol=0, atol=1e-8)  # the solver is asked for 1e-10


def test_a_static_graph_is_read_off_its_inputs() -> None:
    graph = graph_of(
        [Input(name="u", size=2), Affine(name="w", weights=[[2.0, -1.0]], bias=[0.5]), Output(name="o", size=1)],
        ("u", "w"),
        ("w", "o"),
    )
    wave = solve(graph, t_stop=2.0, points=5, inputs=Signal(times=[0.0, 1.0], values=[[0.0, 0.0], [1.0, 3.0]]))
    assert wave.output.values[:, 0].tolist() == pytest.approx([0.5, 0.0, -0.5, -0.5, -0.5])


def test_batch_without_states() -> None:
    graph = graph_of([Input(name="u", size=1), Output(name="o", size=1)], ("u", "o"))
    assert solve(graph, t_stop=1.0, inputs=2.0, points=3).output.values.tolist() == [[2.0]] * 3
    try:
        wave = solve_batch(graph, t_stop=1.0, inputs=2.0, points=3)
    except InputError:
        return  # refusing is as good as answering
    assert wave.output.values.tolist() == [[[2.0]] * 3]


# Symmetries


@pytest.mark.parametrize("form", [np.asarray, sp.csr_array], ids=["dense", "sparse"])
def test_permuting_neurons_permutes_answers(form: Callable[[Any], Any]) -> None:
    rng = np.random.default_rng(9)
    net = random_net(9, input_weights=rng.normal(size=(5, 2)), labels=tuple("abcde"))
    p = rng.permutation(5)
    gain = net.gain
    assert isinstance(gain, Tanh)
    permuted = replace(
        net,
        weights=form(net.weights[np.ix_(p, p)]),
        gain=Tanh(gain=np.asarray(gain.gain)[p], amplitude=np.asarray(gain.amplitude)[p]),
        labels=tuple("abcde"[k] for k in p),
        **{name: getattr(net, name)[p] for name in ("resistance", "capacitance", "bias", "initial", "input_weights")},
    )
    options: dict[str, Any] = {"t_stop": 4.0, "points": 41, "inputs": [0.5, -1.0], "accuracy": 1e-6}
    plain, other = solve(net.graph(), **options), solve(permuted.graph(), **options)
    # Sums in another order, grown over a few time constants; both runs are asked for 1e-10.
    for name in ("state", "output"):
        np.testing.assert_allclose(other[name].values, plain[name].sel(neuron=other.neuron).values, rtol=0, atol=1e-8)


def test_each_neuron_has_its_own_gain() -> None:
    gain = Tanh(gain=[1.0, 5.0, 30.0], amplitude=[1.0, 2.0, 0.5])
    net = Network(weights=np.zeros((3, 3)), resistance=1.0, capacitance=1.0, gain=gain, initial=0.1)
    wave = solve(net.graph(), points=3)
    expected = [1.0 * math.tanh(0.1), 2.0 * math.tanh(0.25), 0.5 * math.tanh(6.0)]
    assert wave.output.values[0].tolist() == pytest.approx(expected, rel=1e-15)


# Batches


def alone(graph: Graph, *, t_stop: float, points: int, accuracy: float, inputs: Signal | None) -> tuple[Array, Array]:
    """Return state and output by SciPy, from corner to corner of the inputs."""
    program, grid = OdeProgram([in_si(graph)], inputs), np.linspace(0.0, t_stop, points)
    corners = [] if inputs is None else [t for t in inputs.times.tolist() if 0.0 < t < t_stop]
    x, states = program.initial, np.empty((points, program.size))
    for start, end in pairwise([0.0, *corners, t_stop]):
        run = solve_ivp(program.rhs, (start, end), x, "DOP853", rtol=accuracy * 1e-5, atol=1e-12, dense_output=True)
        inside = (grid >= start) & (grid <= end)
        states[inside], x = run.sol(grid[inside]).T, run.y[:, -1]
    return states, program.outputs(grid, states)


def assert_batch_is_single(batch: Any, graphs: Sequence[Graph], **options: Any) -> None:
    assert batch.state.dims == ("draw", "time", "neuron")
    assert batch.sizes["draw"] == len(graphs)
    for k, graph in enumerate(graphs):
        state, output = alone(graph, **options)
        # The batch is asked for 1e-10, a ten-thousandth of the accuracy; gains up to 8 carry it to the outputs.
        np.testing.assert_allclose(batch.state.values[k], state, rtol=0, atol=1e-8)
        np.testing.assert_allclose(batch.output.values[k], output, rtol=0, atol=1e-7)


OPTIONS: dict[str, Any] = {
    "t_stop": 3.0,
    "points": 13,
    "accuracy": 1e-6,
    "inputs": Signal(times=[0.5, 1.1, 2.0], values=[[0.0], [1.0], [-1.0]]),
}


@pytest.mark.parametrize("form", [np.asarray, sp.csr_array], ids=["dense", "sparse"])
def test_batch_of_initial_states(form: Callable[[Any], Any]) -> None:
    rng = np.random.default_rng(10)
    net = random_net(10, input_weights=rng.normal(size=(5, 1)))
    net = replace(net, weights=form(net.weights))
    starts = rng.normal(size=(7, 5))
    batch = solve_batch(net.graph(), initial=starts, **OPTIONS)
    assert_batch_is_single(batch, [replace(net, initial=x0).graph() for x0 in starts], **OPTIONS)
    np.testing.assert_array_equal(batch.state.values[:, 0], starts)


VARIED = ("weights", "resistance", "capacitance", "bias", "initial", "gain", "input_weights")


@pytest.mark.parametrize("varied", [*((name,) for name in VARIED), VARIED, "sparse", "units"], ids=str)
def test_batch_of_parameter_draws(varied: Any) -> None:
    rng = np.random.default_rng(11)
    base = random_net(11, input_weights=rng.normal(size=(5, 1)), gain=Tanh(gain=2.0))
    if varied == "sparse":
        base = replace(base, weights=sp.csr_array(base.weights * (rng.uniform(size=(5, 5)) < 0.5)))
        varied = ("capacitance", "bias")
    if varied == "units":
        base = replace(base, volts_per_unit=2.0, siemens_per_unit=0.5, seconds_per_unit=3.0)
        varied = ("weights", "resistance")
    others = [random_net(20 + k, input_weights=rng.normal(size=(5, 1))) for k in range(4)]
    draws = [replace(base, **{name: getattr(other, name) for name in varied}).graph() for other in others]
    assert_batch_is_single(solve_batch(draws, **OPTIONS), draws, **OPTIONS)


def test_a_batch_of_draws_takes_initial_states_of_its_own() -> None:
    nets = [random_net(30 + k) for k in range(3)]
    starts = np.random.default_rng(12).normal(size=(3, 5))
    options = {**OPTIONS, "inputs": None}
    batch = solve_batch([net.graph() for net in nets], initial=starts, **options)
    graphs = [replace(net, initial=x0).graph() for net, x0 in zip(nets, starts, strict=True)]
    assert_batch_is_single(batch, graphs, **options)


def test_a_batch_agrees_with_a_solution() -> None:
    net = random_net(17, input_weights=np.ones((5, 1)))
    batch, single = solve_batch(net.graph(), **OPTIONS), solve(net.graph(), **OPTIONS)
    for name in ("state", "output"):
        np.testing.assert_allclose(batch[name].values[0], single[name].values, rtol=0, atol=1e-7)
    assert batch.time.equals(single.time)
    assert batch.neuron.equals(single.neuron)


def test_one_draw_is_one_draw() -> None:
    net = random_net(13)
    options = {**OPTIONS, "inputs": None}
    for graphs in (net.graph(), [net.graph()]):
        batch = solve_batch(graphs, **options)
        assert batch.sizes["draw"] == 1
        assert_batch_is_single(batch, [net.graph()], **options)


def test_draws_of_dense_and_sparse_weights() -> None:
    """They are run as they are, or refused; never is one draw run with the weights of another."""
    nets = [random_net(14), random_net(15, weights=sp.csr_array(np.diag([1.0, 2.0, 3.0, 4.0, 5.0])))]
    options = {**OPTIONS, "inputs": None}
    for pair in (nets, nets[::-1]):
        graphs = [net.graph() for net in pair]
        try:
            batch = solve_batch(graphs, **options)
        except InputError:
            continue
        assert_batch_is_single(batch, graphs, **options)


def test_draws_with_different_converters() -> None:
    def draw(levels: int) -> Graph:
        x = leak("x", 1, capacitance=[1.0], resistance=[1.0], initial=[0.7])
        converter = Quantise(name="q", size=1, levels=levels, lower=0.0, upper=1.0)
        return graph_of([x, converter, Output(name="o", size=1)], ("x", "q"), ("q", "o"))

    try:
        batch = solve_batch([draw(2), draw(11)], t_stop=0.01, points=2)
    except InputError:
        return
    assert batch.output.values[:, 0, 0].tolist() == [1.0, pytest.approx(0.7)]


def test_draws_of_other_forms_are_refused() -> None:
    message = "draw 1: has other operators, sizes or edges than draw 0; only values may differ"
    for other in (random_net(16, n=4), random_net(16, input_weights=np.ones((5, 1)))):
        with pytest.raises(InputError, match=f"^{re.escape(message)}$"):
            solve_batch([random_net(16).graph(), other.graph()])


# Energy


@pytest.mark.parametrize("gain", CURVES, **kind)
def test_energy_never_rises_on_symmetric_networks(gain: Gain) -> None:
    for seed in range(2):
        net = symmetric_net(seed, gain=gain)
        graph = net.graph()
        wave = solve(graph, points=401, t_stop=10.0, accuracy=1e-6)
        values = energy(graph, wave.output.values)
        assert has_energy(graph)
        assert np.ptp(values) > 0.01
        # A rise of up to ten times the accuracy, of the energy's range, counts as flat.
        assert energy_rise(values) <= 10.0 * 1e-6


@pytest.mark.parametrize("form", [np.asarray, sp.csr_array], ids=["dense", "sparse"])
@pytest.mark.parametrize("gain", CURVES, **kind)
def test_energy_is_the_potential_of_the_currents(gain: Gain, form: Callable[[Any], Any]) -> None:
    """dE/dV_i = -C_i dx_i/dt."""
    net = symmetric_net(3, gain=gain)
    graph = replace(net, weights=form(net.weights)).graph()
    x = np.array([0.11, -0.13, 0.07, 0.21, -0.05])
    output = gain.value(x)
    steps = np.eye(5) * 1e-6
    slope = np.array([float(energy(graph, output + h) - energy(graph, output - h)) / 2e-6 for h in steps])
    currents = net.capacitance * OdeProgram([graph]).rhs(0.0, x)
    np.testing.assert_allclose(-slope, currents, rtol=0, atol=1e-8)  # rounding of E ~ 10 over a step of 1e-6


def test_energy_by_quadrature() -> None:
    """Hopfield (1984), eq. 7, for one neuron, with the integral of atanh done numerically."""
    gain = Tanh(gain=4.0, amplitude=2.0)
    net = Network(weights=[[1.5]], resistance=0.5, capacitance=1.0, gain=gain, bias=0.3)
    for v in (-1.9, -0.4, 0.0, 0.7, 1.99):
        leaking = quad(lambda s: math.atanh(s / 2.0) * 2.0 / 4.0, 0.0, v)[0] / 0.5
        exact = -0.5 * 1.5 * v**2 - 0.3 * v + leaking
        assert float(energy(net.graph(), np.array([v]))) == pytest.approx(exact, abs=1e-9)


def test_energy_of_a_network_in_units_of_its_own_is_in_watts() -> None:
    net = Network.dimensionless([[0.5]], gain=Tanh(gain=2.0), bias=0.1, volts=2.0, siemens=1e-3)
    plain = Network(weights=[[0.5]], resistance=1.0, capacitance=1.0, gain=Tanh(gain=2.0), bias=0.1)
    v = np.array([[0.3], [-0.6]])
    np.testing.assert_allclose(energy(net.graph(), 2.0 * v), 4e-3 * energy(plain.graph(), v), rtol=1e-13)


def test_constant_inputs_are_a_part_of_the_bias() -> None:
    """The converter of Tank and Hopfield (1986) has an energy for every input that is held."""
    net = symmetric_net(5, input_weights=np.random.default_rng(0).normal(size=(5, 2)))
    u, v = np.array([0.3, -0.8]), np.random.default_rng(1).uniform(-0.5, 0.5, (7, 5))
    same = replace(net, bias=net.bias + net.input_weights @ u, input_weights=None)
    np.testing.assert_allclose(energy(net.graph(), v, u), energy(same.graph(), v), rtol=1e-13)
    np.testing.assert_allclose(energy(net.graph(), v), energy(replace(net, input_weights=None).graph(), v), rtol=1e-13)
    held = Signal(times=[0.0, 1.0], values=[u, u])
    np.testing.assert_array_equal(energy(net.graph(), v, held), energy(net.graph(), v, u))
    changing = Signal(times=[0.0, 1.0], values=[u, 2.0 * u])
    assert not has_energy(net.graph(), changing)
    message = "energy: the inputs change with time, so there is no energy that falls; hold them constant"
    with pytest.raises(InputError, match=f"^{re.escape(message)}$"):
        energy(net.graph(), v, changing)


def test_energy_rise() -> None:
    assert energy_rise(np.array([4.0, 3.0, 1.0])) == 0.0
    assert energy_rise(np.array([4.0, 1.0, 2.0, 1.5, 3.0])) == pytest.approx(2.0 / 3.0)
    assert energy_rise(np.array([1.0, 1.0])) == 0.0


@pytest.mark.parametrize(
    "net",
    [
        random_net(2),
        symmetric_net(2, gain=HardLimiter()),
    ],
    ids=["not symmetric", "hard limiter"],
)
def test_other_networks_have_no_energy(net: Network) -> None:
    assert not has_energy(net.graph())
    with pytest.raises(InputError, match=r"^energy: "):
        energy(net.graph(), np.zeros(5))


@pytest.mark.parametrize(
    "change",
    [
        {("v", "syn"): ("x", "syn")},
        {("v", "output"): ("v", "output"), ("v", "x"): ("v", "x")},
        {("x", "v"): ("syn", "v"), ("v", "syn"): ("x", "syn")},
    ],
    ids=["linear weights", "a gain drives the Leak", "outputs of currents"],
)
def test_energy_only_where_the_edges_are_those_of_a_hopfield_network(change: Any) -> None:
    graph = symmetric_net(4).graph()
    edges = {(edge.source, edge.target) for edge in graph.edges} - change.keys() | set(change.values())
    other = Graph(operators=graph.operators, edges=tuple(Edge(*edge) for edge in edges))
    assert not has_energy(other)


# Self-amplification


@pytest.mark.parametrize("rate", [2.0, 5.0])
def test_amplification_of_an_unstable_line(rate: float) -> None:
    """x' = rate x: every perturbation grows as e^(rate t), 100-fold at ln(100) / rate."""
    gain = PiecewiseLinear(gain=1.0 + rate, amplitude=1e12)
    net = Network(weights=np.eye(2), resistance=1.0, capacitance=1.0, gain=gain, initial=[1e-3, -1e-3])
    found = amplification(net.graph(), t_stop=4.0)
    assert found.cut
    assert found.gate <= math.log(100.0) / rate < found.gate + 4.0 / 200.0 * (1.0 + 1e-9)  # one grid step
    assert found.growth == pytest.approx(math.exp(4.0 * rate), rel=1e-3)


def test_amplification_of_a_stable_network_is_not_cut() -> None:
    net = Network(weights=np.zeros((3, 3)), resistance=1.0, capacitance=1.0, initial=[1.0, -0.5, 0.2])
    found = amplification(net.graph(), t_stop=4.0)
    assert not found.cut
    assert found.gate == 4.0
    assert found.growth == pytest.approx(1.0, rel=1e-3)
    assert amplification(net.graph(), t_stop=4.0) == found


def test_amplification_without_states() -> None:
    graph = graph_of([Input(name="u", size=1), Output(name="o", size=1)], ("u", "o"))
    assert amplification(graph, t_stop=1.0, inputs=1.0) == (1.0, False, 1.0)
