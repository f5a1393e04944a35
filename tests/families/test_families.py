"""The families of networks: exact cases, published answers, properties; all in the reference."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import scipy.sparse as sp
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import solve_ivp
from scipy.special import expit

import hopfield_hw as hh
from hopfield_hw import families
from hopfield_hw.analysis.cohen_grossberg_energy import cohen_grossberg_energy
from hopfield_hw.analysis.energy import energy, energy_rise
from hopfield_hw.equations import MapProgram, OdeProgram, solve
from hopfield_hw.families import FAMILIES
from hopfield_hw.graph import Graph, as_graph, parse_graph
from hopfield_hw.transforms import in_si
from hopfield_hw.values.measures import nrmse

MS = 1e-3  # one unit of time of a family's graph


def steps(graph: Graph, count: int) -> np.ndarray:
    """Return the states of a map, (count + 1, n)."""
    return solve(graph, t_stop=count * MS)["state"].to_numpy()


def run(graph: Graph, units: float, points: int = 2) -> np.ndarray:
    """Return the states of a differential equation over so many units of time, (points, n)."""
    program = OdeProgram([in_si(graph)])
    times = np.linspace(0.0, units * MS, points)
    scale = {"rtol": 1e-9, "atol": 1e-11}
    return solve_ivp(program.rhs, (0.0, times[-1]), program.initial, t_eval=times, method="LSODA", **scale).y.T


def final(graph: Graph, units: float = 60.0) -> np.ndarray:
    return run(graph, units)[-1]


def direct(rhs: Any, start: Any, units: float, points: int = 201) -> np.ndarray:
    """Return the solution of an equation that is written down in the test itself, (points, n)."""
    times = np.linspace(0.0, units, points)
    found = solve_ivp(rhs, (0.0, units), start, t_eval=times, method="DOP853", rtol=1e-10, atol=1e-12)
    return found.y.T


def agrees(graph: Graph, rhs: Any, units: float = 10.0, limit: float = 1e-7) -> None:
    """Assert that a graph is the differential equation of the test, in units of 1 ms."""
    wave = run(graph, units, 201)
    assert nrmse(direct(rhs, wave[0], units), wave) < limit


LATE = ("delayed", "delayed_by_edge", "delayed_varying", "neutral")


def drawn(family: str, seed: int) -> Graph:
    return as_graph(FAMILIES[family](np.random.default_rng(seed)))


@pytest.mark.parametrize("family", FAMILIES)
def test_a_random_instance_is_a_graph_that_prints_and_depends_on_its_seed_alone(family: str) -> None:
    graph = drawn(family, 3)
    assert graph.kind == ("dde" if family in LATE else "ode")
    assert graph.hash == drawn(family, 3).hash != drawn(family, 4).hash
    assert parse_graph(graph.text).hash == graph.hash


@pytest.mark.parametrize("family", [family for family in FAMILIES if family not in LATE])
def test_the_analytic_jacobian_is_the_slope_of_the_right_hand_side(family: str) -> None:
    program = OdeProgram([in_si(drawn(family, 5))])
    x = 0.3 * np.random.default_rng(6).normal(size=program.size)
    h = 1e-6
    columns = [(program.rhs(0.0, x + h * e) - program.rhs(0.0, x - h * e)) / (2 * h) for e in np.eye(program.size)]
    matrix = program.jacobian(0.0, x)
    dense = matrix if isinstance(matrix, np.ndarray) else matrix.toarray()
    slope = np.array(columns).T
    smooth = np.abs(dense - slope) <= 1e-4 * np.abs(slope).max()
    assert smooth.all()


# Bidirectional associative memory


def test_bam_is_the_hopfield_network_of_its_block_matrix() -> None:
    rng = np.random.default_rng(0)
    m = rng.normal(size=(3, 2))
    start = rng.normal(size=5)
    block = np.block([[np.zeros((3, 3)), m], [m.T, np.zeros((2, 2))]])
    net = hh.Network.dimensionless(block, tau=0.7, gain=hh.Tanh(gain=3.0), initial=start, symmetric=True)
    graph = families.bam(m, gain=hh.Tanh(gain=3.0), tau=0.7, initial_x=start[:3], initial_y=start[3:])
    wave, expected = solve(graph, t_stop=5 * MS), solve(net, t_stop=5 * MS)
    assert list(wave["neuron"].to_numpy()) == ["x_0", "x_1", "x_2", "y_0", "y_1"]
    np.testing.assert_allclose(wave["state"].to_numpy(), expected["state"].to_numpy(), atol=1e-8)
    np.testing.assert_allclose(wave["output"].to_numpy(), expected["output"].to_numpy(), atol=1e-8)
    sparse = families.bam(sp.csr_array(m), gain=hh.Tanh(gain=3.0), tau=0.7, initial_x=start[:3], initial_y=start[3:])
    np.testing.assert_allclose(solve(sparse, t_stop=5 * MS)["state"], wave["state"], atol=1e-8)


@settings(max_examples=10)
@given(seed=st.integers(0, 2**31))
def test_every_matrix_is_bidirectionally_stable_in_continuous_time(seed: int) -> None:
    """Kosko (1988): the energy never rises, whatever the matrix, and the state comes to rest."""
    rng = np.random.default_rng(seed)
    n, p = rng.integers(1, 6, 2).tolist()
    m = rng.normal(size=(n, p)) * rng.uniform(0.2, 3.0)
    x, y = rng.normal(size=n), rng.normal(size=p)
    graph = families.bam(m, gain=hh.Tanh(gain=4.0), bias_x=0.1, initial_x=x, initial_y=y)
    states = run(graph, 40.0, 401)
    values = energy(graph, np.tanh(4.0 * states))
    assert energy_rise(values) < 1e-6
    block = np.block([[np.zeros((n, n)), m], [m.T, np.zeros((p, p))]])
    bias = np.concatenate([np.full(n, 0.1), np.zeros(p)])
    net = hh.Network.dimensionless(block, gain=hh.Tanh(gain=4.0), bias=bias)
    np.testing.assert_allclose(values, energy(net.graph(), np.tanh(4.0 * states)), rtol=1e-9)
    assert np.ptp(states[-20:], axis=0).max() < 1e-3


@settings(max_examples=40)
@given(seed=st.integers(0, 2**31))
def test_every_matrix_is_bidirectionally_stable_in_discrete_time(seed: int) -> None:
    rng = np.random.default_rng(seed)
    n, p = rng.integers(1, 9, 2).tolist()
    m = rng.integers(-3, 4, size=(n, p)).astype(float)
    x, y = rng.choice([-1.0, 1.0], n), rng.choice([-1.0, 1.0], p)
    states = steps(families.discrete_bam(m, initial_x=x, initial_y=y), 4 * (n + p))
    values = [-float(s[:n] @ m @ s[n:]) for s in states]
    assert np.all(np.diff(values) <= 1e-12)
    np.testing.assert_array_equal(states[-1], states[-2])
    np.testing.assert_array_equal(np.abs(states), 1.0)


def test_bam_recalls_a_pair_from_a_part_of_it() -> None:
    rng = np.random.default_rng(1)
    pairs_x, pairs_y = rng.choice([-1.0, 1.0], (3, 20)), rng.choice([-1.0, 1.0], (3, 12))
    m = families.bam_weights(pairs_x, pairs_y)
    np.testing.assert_array_equal(m, sum(np.outer(a, b) for a, b in zip(pairs_x, pairs_y, strict=True)))
    noisy = pairs_x[1] * np.where(np.arange(20) < 3, -1.0, 1.0)
    end = steps(families.discrete_bam(m, initial_x=noisy, initial_y=np.ones(12)), 5)[-1]
    np.testing.assert_array_equal(end, np.concatenate([pairs_x[1], pairs_y[1]]))
    graph = families.bam(m / 20, gain=hh.Tanh(gain=5.0), initial_x=0.1 * noisy)
    np.testing.assert_array_equal(np.sign(final(graph)), np.concatenate([pairs_x[1], pairs_y[1]]))


# Generalised Hopfield


def test_generalised_hopfield_is_its_equation_in_continuous_and_in_discrete_time() -> None:
    rng = np.random.default_rng(2)
    a, c, b, x0 = rng.normal(size=(3, 3)), np.array([0.5, 1.0, 0.0]), rng.normal(size=3), rng.normal(size=3)
    arguments: dict[str, Any] = {"decay": c, "bias": b, "initial": x0, "gain": hh.Tanh(gain=2.0)}
    agrees(families.generalised_hopfield(a, **arguments), lambda t, x: -c * x + a @ np.tanh(2 * x) + b)
    discrete = steps(families.generalised_hopfield(a, discrete=True, **arguments), 2)
    first = c * x0 + a @ np.tanh(2 * x0) + b
    np.testing.assert_allclose(discrete, [x0, first, c * first + a @ np.tanh(2 * first) + b], atol=1e-12)


def test_generalised_hopfield_has_a_limit_cycle() -> None:
    """A rotation that grows from a small start, until its swing stays the same."""
    graph = families.generalised_hopfield([[2.0, -2.0], [2.0, 2.0]], initial=[0.01, 0.0])
    x = run(graph, 40.0, 2001)
    late, middle = np.ptp(x[1500:], axis=0), np.ptp(x[750:1250], axis=0)
    assert late.min() > 1.0
    np.testing.assert_allclose(late, middle, rtol=1e-3)


# Static field, box


def test_static_field_is_its_equation_in_continuous_and_in_discrete_time() -> None:
    rng = np.random.default_rng(3)
    w, q, tau, x0 = rng.normal(size=(3, 3)), rng.normal(size=3), np.array([0.5, 1.0, 2.0]), rng.normal(size=3)
    curve = hh.Tanh(gain=2.0)
    graph = families.static_field(w, gain=curve, bias=q, tau=tau, initial=x0)
    agrees(graph, lambda t, x: (np.tanh(2 * (w @ x + q)) - x) / tau)
    discrete = steps(families.static_field(w, gain=curve, bias=q, initial=x0, discrete=True), 1)
    np.testing.assert_allclose(discrete[1], np.tanh(2 * (w @ x0 + q)), atol=1e-12)


def test_static_field_is_the_local_field_form_under_y_is_w_x_plus_q() -> None:
    rng = np.random.default_rng(4)
    w, q, x0 = rng.normal(size=(4, 4)), rng.normal(size=4), rng.normal(size=4)
    curve = hh.Logistic(gain=3.0)
    still = solve(families.static_field(w, gain=curve, bias=q, initial=x0), t_stop=8 * MS, accuracy=1e-6)
    local = families.generalised_hopfield(w, gain=curve, bias=q, initial=w @ x0 + q)
    mapped = still["state"].to_numpy() @ w.T + q
    moving = solve(local, t_stop=8 * MS, accuracy=1e-6)
    np.testing.assert_allclose(mapped, moving["state"].to_numpy(), atol=1e-7)
    np.testing.assert_allclose(still["output"].to_numpy(), moving["output"].to_numpy(), atol=1e-7)


@settings(max_examples=10)
@given(seed=st.integers(0, 2**31))
def test_corners_of_the_box_attract(seed: int) -> None:
    """With one learned corner v and W = v v^T / n, all that v weighs positively goes to v, and x W x never falls."""
    rng = np.random.default_rng(seed)
    n = int(rng.integers(2, 12))
    v = rng.choice([-1.0, 1.0], n)
    start = rng.uniform(-0.5, 0.5, n)
    if abs(v @ start) < 0.1:
        start = start + 0.2 * v
    w = np.outer(v, v) / n
    end = np.sign(v @ start) * v
    path = steps(families.brain_state_in_a_box(w, alpha=0.3, initial=start), 120)
    np.testing.assert_allclose(path[-1], end)
    assert np.all(np.diff(np.einsum("ki,ij,kj->k", path, w, path)) >= -1e-12)
    continuous = families.brain_state_in_a_box(w, alpha=0.3, initial=start, discrete=False)
    np.testing.assert_allclose(final(continuous, 100.0), end, atol=1e-6)


def test_the_box_has_its_limit_and_its_step() -> None:
    path = steps(families.brain_state_in_a_box([[0.0, 1.0], [1.0, 0.0]], alpha=0.5, limit=2.0, initial=[1.0, 0.5]), 3)
    np.testing.assert_allclose(path, [[1.0, 0.5], [1.25, 1.0], [1.75, 1.625], [2.0, 2.0]])


# Cohen-Grossberg


def test_cohen_grossberg_is_its_equation_in_continuous_and_in_discrete_time() -> None:
    rng = np.random.default_rng(5)
    c, i, x0 = rng.normal(size=(3, 3)), rng.normal(size=3), rng.uniform(0.2, 1.0, 3)
    arguments: dict[str, Any] = {
        "amplification": hh.Polynomial(coefficients=[1.0, 0.0, 0.5]),
        "self_signal": hh.Polynomial(coefficients=[0.0, -2.0]),
        "signal": hh.Tanh(gain=3.0),
        "bias": i,
        "initial": x0,
    }

    def rhs(t: float, x: np.ndarray) -> np.ndarray:
        return (1.0 + 0.5 * x**2) * (-2.0 * x + i - c @ np.tanh(3.0 * x))

    agrees(families.cohen_grossberg(c, **arguments), rhs)
    discrete = steps(families.cohen_grossberg(c, step=0.1, **arguments), 1)
    np.testing.assert_allclose(discrete[1], x0 + 0.1 * rhs(0.0, x0), atol=1e-12)


@settings(max_examples=10)
@given(seed=st.integers(0, 2**31))
def test_the_energy_of_a_symmetric_cohen_grossberg_network_never_rises(seed: int) -> None:
    rng = np.random.default_rng(seed)
    n = int(rng.integers(2, 5))
    c = rng.normal(size=(n, n))
    graph = families.cohen_grossberg(
        c + c.T,
        amplification=hh.Polynomial(coefficients=[0.5, 0.0, 1.0]),
        self_signal=hh.Polynomial(coefficients=[0.3, -1.0, 0.0, -1.0]),
        signal=hh.Tanh(gain=rng.uniform(1.0, 8.0, n)),
        bias=rng.normal(size=n),
        initial=rng.uniform(-1.0, 1.0, n),
    )
    states = run(graph, 20.0, 401)
    values = cohen_grossberg_energy(graph, states)
    assert energy_rise(values) < 1e-7
    assert np.ptp(values) > 0.0


def test_the_energy_of_a_signal_that_jumps_has_the_jump() -> None:
    """With b = 5 - x and d = sign(x), V falls by 2 b(0) where a signal jumps by 2, and d_1 d_2 changes."""
    graph = families.cohen_grossberg(
        [[0.0, 1.0], [1.0, 0.0]],
        amplification=hh.Polynomial(coefficients=[1.0]),
        self_signal=hh.Polynomial(coefficients=[5.0, -1.0]),
        signal=hh.HardLimiter(),
        initial=0.0,
    )
    values = cohen_grossberg_energy(graph, np.array([[-1.0, -2.0], [-1.0, 2.0], [1.0, 2.0]]))
    np.testing.assert_allclose(np.diff(values), [-2.0 * 5.0 - 2.0, -2.0 * 5.0 + 2.0], atol=1e-12)


def test_the_energy_is_its_formula() -> None:
    """b = -x and d = x: V = x^2 / 2 summed, minus I x, plus x C x / 2."""
    c, i = np.array([[0.0, 0.5], [0.5, 0.2]]), np.array([0.3, -0.4])
    graph = families.cohen_grossberg(
        c,
        amplification=hh.Identity(),
        self_signal=hh.Polynomial(coefficients=[0.0, -1.0]),
        signal=hh.Identity(),
        bias=i,
        initial=1.0,
    )
    x = np.array([[0.7, -0.2], [1.5, 0.4], [0.0, 0.0]])
    expected = 0.5 * np.sum(x**2, axis=1) - x @ i + 0.5 * np.einsum("ki,ij,kj->k", x, c, x)
    np.testing.assert_allclose(cohen_grossberg_energy(graph, x), expected, atol=1e-12)


def test_lotka_volterra_coexists_or_excludes_as_its_equilibria_say() -> None:
    a, r = np.array([[1.0, 0.5], [0.4, 1.0]]), np.array([1.0, 0.8])
    agrees(families.lotka_volterra(a, growth=r, initial=[0.1, 0.2]), lambda t, x: x * (r - a @ x))
    both = final(families.lotka_volterra(a, growth=r, initial=[0.1, 0.2]), 100.0)
    np.testing.assert_allclose(both, np.linalg.solve(a, r), rtol=1e-5)
    one = final(families.lotka_volterra([[1.0, 2.0], [2.0, 1.0]], growth=1.0, initial=[0.11, 0.1]), 60.0)
    np.testing.assert_allclose(one, [1.0, 0.0], atol=1e-5)


def test_shunting_is_its_equation_and_an_instance_of_cohen_grossberg() -> None:
    f = np.array([[0.0, 0.8, 0.3], [0.8, 0.0, 0.5], [0.3, 0.5, 0.0]])
    x0 = np.array([0.3, 0.35, 0.2])
    graph = families.shunting(f, decay=0.2, ceiling=1.5, excitation=0.05, inhibition=0.02, initial=x0)
    agrees(graph, lambda t, x: -0.2 * x + (1.5 - x) * (x**2 + 0.05) - x * (0.02 + f @ x**2))
    # With I = 0, b = (B - x) x - A - J.
    unexcited = families.shunting(f, decay=0.2, ceiling=1.5, inhibition=0.02, initial=x0)
    own = hh.Polynomial(coefficients=[-0.2 - 0.02, 1.5, -1.0])
    square = hh.Polynomial(coefficients=[0.0, 0.0, 1.0])
    same = families.cohen_grossberg(f, amplification=hh.Identity(), signal=square, self_signal=own, initial=x0)
    one, two = (run(each, 20.0, 201) for each in (unexcited, same))
    np.testing.assert_allclose(one, two, atol=1e-8)
    assert energy_rise(cohen_grossberg_energy(same, one)) < 1e-7


def test_a_shunting_network_that_is_faster_than_linear_chooses() -> None:
    """Grossberg (1973): with f = x^2 and inhibition of all others, the largest start alone is left."""
    start = np.array([0.5, 0.55, 0.3, 0.52])
    end = final(families.shunting(1.0 - np.eye(4), decay=0.05, initial=start), 400.0)
    assert end[1] > 0.9
    assert np.delete(end, 1).max() < 1e-3


# Dense memories


def test_modern_hopfield_is_the_softmax_update() -> None:
    rng = np.random.default_rng(7)
    patterns, x0 = rng.normal(size=(4, 6)), rng.normal(size=6)

    def update(x: np.ndarray) -> np.ndarray:
        weights = np.exp(1.5 * patterns @ x)
        return patterns.T @ (weights / weights.sum())

    path = steps(families.modern_hopfield(patterns, beta=1.5, initial=x0, discrete=True), 2)
    np.testing.assert_allclose(path, [x0, update(x0), update(update(x0))], atol=1e-12)
    graph = families.modern_hopfield(patterns, beta=1.5, tau=0.5, initial=x0)
    agrees(graph, lambda t, x: (update(x) - x) / 0.5)


@pytest.mark.parametrize("discrete", [True, False])
def test_modern_hopfield_retrieves_among_many_patterns_and_its_energy_falls(discrete: bool) -> None:
    """64 neurons, 200 patterns, over three times as many: Ramsauer et al. (2020), one update is enough."""
    rng = np.random.default_rng(8)
    patterns = rng.choice([-1.0, 1.0], (200, 64)) / 8.0
    noisy = patterns[17] * np.where(np.arange(64) < 12, -1.0, 1.0)
    graph = families.modern_hopfield(patterns, beta=30.0, initial=noisy, discrete=discrete)
    path = steps(graph, 3) if discrete else run(graph, 20.0, 101)
    np.testing.assert_allclose(path[-1], patterns[17], atol=1e-4)
    overlaps = 30.0 * path @ patterns.T
    largest = overlaps.max(axis=1)
    values = -(largest + np.log(np.exp(overlaps - largest[:, None]).sum(axis=1))) / 30.0 + 0.5 * (path**2).sum(axis=1)
    assert np.all(np.diff(values) <= 1e-7)


def test_dense_memory_holds_more_patterns_at_a_higher_degree() -> None:
    """Krotov and Hopfield (2016): 60 patterns, 64 neurons, 6 of them flipped: all is lost at degree 2, none at 3."""
    rng = np.random.default_rng(9)
    patterns = rng.choice([-1.0, 1.0], (60, 64))
    noisy = patterns * np.where(np.arange(64) < 6, -1.0, 1.0)
    recalled = {}
    for degree in (2, 3):
        program = MapProgram([families.dense_memory(patterns, degree=degree, initial=1.0, discrete=True)])
        x = noisy
        for _ in range(8):
            x = program.step(x, np.zeros((60, 0)))[0]
        recalled[degree] = int(np.sum(np.all(x == patterns, axis=1)))
    assert recalled == {2: 0, 3: 60}


def test_dense_memory_of_degree_two_is_the_hopfield_network_of_hebbs_rule() -> None:
    rng = np.random.default_rng(10)
    patterns, x0 = rng.choice([-1.0, 1.0], (3, 8)), rng.normal(size=8)
    hebb = families.generalised_hopfield(patterns.T @ patterns / 8, gain=hh.Tanh(gain=4.0), initial=x0)
    dense = families.dense_memory(patterns, degree=2, initial=x0)
    one, two = (run(graph, 5.0, 50) for graph in (hebb, dense))
    np.testing.assert_allclose(one, two, atol=1e-7)


# Winner-take-all


@settings(max_examples=15)
@given(seed=st.integers(0, 2**31))
def test_the_largest_drive_wins(seed: int) -> None:
    rng = np.random.default_rng(seed)
    n = int(rng.integers(2, 12))
    drive = rng.permutation(np.linspace(0.0, 1.0, n))
    end = expit(40.0 * final(families.winner_take_all(drive)))
    assert np.argmax(end) == np.argmax(drive)
    assert end.max() > 0.9
    assert np.sort(end)[-2] < 0.1


@settings(max_examples=30)
@given(seed=st.integers(0, 2**31))
def test_maxnet_leaves_the_largest_start(seed: int) -> None:
    start = np.random.default_rng(seed).permutation(np.linspace(0.1, 1.0, 2 + seed % 9))
    end = steps(families.maxnet(start), 400)[-1]
    assert np.flatnonzero(end).tolist() == [int(np.argmax(start))]


def test_a_map_of_a_family_has_the_jacobian_of_its_step() -> None:
    program = MapProgram([families.modern_hopfield(np.eye(3)[:2], beta=2.0, initial=[0.1, 0.2, 0.3], discrete=True)])
    x, u, h = np.array([0.2, -0.1, 0.4]), np.zeros(0), 1e-6
    columns = [(program.step(x + h * e, u)[0] - program.step(x - h * e, u)[0]) / (2 * h) for e in np.eye(3)]
    np.testing.assert_allclose(program.jacobian(x, u), np.array(columns).T, atol=1e-8)
