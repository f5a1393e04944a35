"""Gains from inputs to the state: closed forms, H-infinity norms by Hamiltonian matrices, simulated inputs."""

from __future__ import annotations

import sys
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from delayed_cases import FOUR, STATIC

import hopfield_hw as hh
from hopfield_hw.stability import DelayedNetwork, certify_input_gain, certify_input_to_state, read_network
from hopfield_hw.stability.certificate import round_down, round_up
from hopfield_hw.stability.comparison import comparison_matrix
from hopfield_hw.stability.input_to_state import input_problem
from hopfield_hw.stability.sector_limit import corners
from hopfield_hw.stability.semidefinite import minimise, solve, verify
from hopfield_hw.transforms import add_delay

L2, SUP = "L2 gain, s", "gain of the largest input, s"


def h_infinity(matrix: Any) -> float:
    """Return sup_w |(i w - A)^-1|: gamma is above it if [A, 1/gamma^2; -1, -A^T] has no root on the imaginary axis.

    Bisection on the Hamiltonian matrix (S. Boyd, V. Balakrishnan and P. Kabamba, Math. Control Signals Syst. 2:207,
    1989).
    """
    n = len(matrix)
    low, high = 0.0, 1e6
    for _ in range(60):
        gamma = np.sqrt(low * high) if low else 0.5 * high
        hamiltonian = np.block([[matrix, np.eye(n) / gamma**2], [-np.eye(n), -matrix.T]])
        reaches = np.min(np.abs(np.linalg.eigvals(hamiltonian).real)) < 1e-9
        low, high = (gamma, high) if reaches else (low, gamma)
    return high


def response(network: DelayedNetwork, delay: float) -> float:
    """Return the largest |(i w - A - Ad exp(-i w h))^-1| of the linear network of the upper slopes on a grid of w."""
    linear, eye = network.linear(), np.eye(network.size)
    each = [
        1j * w * eye - linear.matrix - linear.late * np.exp(-1j * w * delay)
        for w in np.concatenate(([0.0], np.geomspace(1e-3, 1e2, 4000)))
    ]
    return float(1.0 / np.linalg.svd(np.array(each), compute_uv=False)[:, -1].min())


def random_network(rng: np.random.Generator, *, linear: bool, late: bool = False) -> DelayedNetwork:
    """Return a network of 2 to 4 neurons whose linear form is stable."""
    while True:
        n = int(rng.integers(2, 5))
        weights = {"late_weights" if late else "weights": rng.normal(size=(n, n)) * rng.uniform(0.2, 0.6)}
        upper = rng.uniform(0.5, 1.5, n)
        found = DelayedNetwork(
            decay=2.0 ** rng.uniform(-1.0, 1.0, n), upper=upper, lower=upper if linear else 0.0, **weights
        )
        if all(
            np.linalg.eigvals(one.matrix + one.late).real.max() < -0.05 for one in map(found.linear, corners(found))
        ):
            return found


@pytest.mark.parametrize("norm", ["2", "inf"])
@pytest.mark.parametrize(("kind", "decay"), [("local", 1e4), ("static", 1.0)])
@pytest.mark.parametrize(("weight", "expected"), [(0.5, 2.0), (-3.0, 1.0), (0.0, 1.0)])
def test_one_neuron_has_the_gain_of_its_worst_slope(
    norm: Any, kind: Any, decay: float, weight: float, expected: float
) -> None:
    """x' = a (-x + w f(x)) + u, slopes in [0, 1]: 1/(a (1 - w)) where w excites, 1/a where it inhibits."""
    scale = decay if kind == "local" else 1.0
    network = DelayedNetwork(decay=decay, weights=[[scale * weight]], upper=1.0, kind=kind)
    found = certify_input_to_state(network, norm=norm, rate=None if norm == "2" else decay / expected)
    gain = found.figures[L2 if norm == "2" else SUP] * decay
    assert found.is_exact
    assert expected < gain < expected * (1.0 + 1e-3)


@pytest.mark.parametrize("seed", range(4))
def test_the_gain_of_a_linear_network_is_its_h_infinity_norm(seed: int) -> None:
    network = random_network(np.random.default_rng(seed), linear=True)
    found, exact = certify_input_to_state(network), h_infinity(network.linear().matrix)
    assert found.is_exact
    assert exact <= found.figures[L2] <= exact * (1.0 + 1e-3)
    largest = certify_input_to_state(network, norm="inf", rate=0.1).figures.get(SUP, np.inf)
    constant = np.linalg.norm(np.linalg.inv(network.linear().matrix), 2)
    assert largest >= constant


@pytest.mark.parametrize(("seed", "late"), [(0, False), (1, False), (1, True)])
def test_excitation_has_the_gain_of_the_comparison_matrix(seed: int, late: bool) -> None:
    """Of weights that are not negative the largest gain is that of M^-1, at frequency 0, whatever the delay is."""
    rng = np.random.default_rng(seed)
    n = int(rng.integers(2, 5))
    network = DelayedNetwork(
        decay=2.0 ** rng.uniform(0.0, 1.0, n),
        upper=1.0,
        **{"late_weights" if late else "weights": rng.uniform(0.0, 0.8 / n, (n, n))},
    )
    exact = float(np.linalg.norm(np.linalg.inv(comparison_matrix(network)), 2))
    found = certify_input_to_state(network)
    assert found.is_exact
    assert exact < found.figures[L2] < exact * (1.0 + 3e-4)
    assert certify_input_gain(network).proved


@pytest.mark.parametrize("seed", range(3))
def test_no_gain_is_below_that_of_a_linear_network_in_the_sector(seed: int) -> None:
    network = random_network(np.random.default_rng(100 + seed), linear=False)
    exact = max(h_infinity(network.linear(slopes).matrix) for slopes in corners(network))
    found = certify_input_to_state(network)
    assert found.is_exact
    assert exact <= found.figures[L2] < 1.1 * exact


@pytest.mark.parametrize("seed", range(2))
def test_with_delay_no_gain_is_below_that_of_any_delay(seed: int) -> None:
    network = random_network(np.random.default_rng(seed), linear=True, late=True)
    found = certify_input_to_state(network)
    if found.proved:
        assert found.figures[L2] >= max(response(network, h) for h in (0.0, 0.3, 1.0, 3.0, 10.0))
        assert found.delays == (0.0, np.inf)


def test_one_neuron_with_delay() -> None:
    """1/(a - |w|) is the limit over all delays, reached by inhibition too."""
    found = certify_input_to_state(DelayedNetwork(decay=1.0, late_weights=[[-0.5]], upper=1.0))
    assert 2.0 < found.figures[L2] < 2.001
    assert not certify_input_to_state(DelayedNetwork(decay=1.0, late_weights=[[-1.01]], upper=1.0)).proved
    short = certify_input_to_state(DelayedNetwork(decay=1.0, late_weights=[[0.5]], upper=1.0), 0.1, norm="inf")
    long = certify_input_to_state(DelayedNetwork(decay=1.0, late_weights=[[0.5]], upper=1.0), 2.0, norm="inf")
    assert short.is_exact
    assert long.is_exact
    assert short.delays == (0.0, 0.1)
    assert 2.0 < short.figures[SUP] < long.figures[SUP]


def driven(net: hh.Network, inputs: hh.Signal, t_stop: float) -> tuple[Any, Any]:
    """Return times and x - x* of a network that starts at its equilibrium x*, found by letting it settle."""
    still = hh.Signal(times=np.zeros(1), values=np.zeros((1, inputs.size)))
    rest = hh.reference(net, t_stop=3.0 * t_stop, inputs=still)["state"].to_numpy()[-1]
    wave = hh.reference(replace(net, initial=rest), t_stop=t_stop, inputs=inputs, points=2001)
    return wave["time"].to_numpy(), wave["state"].to_numpy() - rest


def driven_late(net: hh.Network, inputs: hh.Signal, t_stop: float, delay: float) -> tuple[Any, Any]:
    """Return the same with all feedback late, by Heun's method in steps of a fiftieth of the delay."""
    steps, gain = 50, 1.3
    step = delay / steps
    times = np.arange(round(t_stop / step) + 1) * step
    per_volt = net.weights / net.capacitance[:, None]
    decay, bias = 1.0 / (net.resistance * net.capacitance), net.bias / net.capacitance
    rest = np.zeros(net.size)
    for _ in range(3000):
        rest += 0.1 * (per_volt @ np.tanh(gain * rest) + bias - decay * rest) / decay
    states = np.tile(rest, (steps + times.size, 1))  # from -delay on
    u = inputs.sample(times) @ (net.input_weights / net.capacitance[:, None]).T
    for k in range(times.size - 1):
        late = [per_volt @ np.tanh(gain * states[k + j]) + bias + u[k + j] for j in (0, 1)]
        x = states[steps + k]
        first = late[0] - decay * x
        states[steps + k + 1] = x + 0.5 * step * (first + late[1] - decay * (x + step * first))
    return times, states[steps:] - rest


@pytest.mark.parametrize(("seed", "delay"), [(0, None), (1, 5e-5)])
def test_random_inputs_move_a_network_by_no_more(seed: int, delay: float | None) -> None:
    rng = np.random.default_rng(seed)
    n, t_stop, into = 3, 2e-3, 1e-4
    net = hh.Network(
        weights=rng.normal(size=(n, n)) * 2.5e-5,
        resistance=10e3,
        capacitance=10e-9,
        gain=hh.Tanh(gain=1.3),
        bias=rng.normal(size=n) * 2e-5,
        input_weights=into * np.eye(n),
    )
    graph: Any = net if delay is None else add_delay(net, delay)
    mean = certify_input_to_state(graph)
    largest = certify_input_to_state(graph, norm="inf")
    assert mean.is_exact
    assert largest.is_exact
    knots = np.linspace(0.0, t_stop, 21)
    inputs = hh.Signal(times=knots, values=rng.normal(size=(21, n)) * np.linspace(0.0, 3.0, 21)[:, None])
    times, moved = driven(net, inputs, t_stop) if delay is None else driven_late(net, inputs, t_stop, delay)
    u = inputs.sample(times) * into / 10e-9
    step = times[1] - times[0]
    energies = [float(np.cumsum(np.sum(one**2, axis=1))[-1] * step) for one in (moved, u)]
    assert 0.0 < energies[0] <= mean.figures[L2] ** 2 * energies[1]
    peak = float(np.linalg.norm(moved, axis=1).max())
    assert 0.0 < peak <= largest.figures[SUP] * float(np.linalg.norm(u, axis=1).max())
    held = hh.Signal(times=[0.0], values=[rng.normal(size=n)])
    _, moved = driven(net, held, t_stop) if delay is None else driven_late(net, held, t_stop, delay)
    bound = float(np.linalg.norm(held.values[0])) * into / 10e-9
    assert np.linalg.norm(moved[-1]) <= min(mean.figures[L2], largest.figures[SUP]) * bound


@pytest.mark.parametrize("norm", ["2", "inf"])
def test_the_function_falls_as_the_claim_says(norm: Any) -> None:
    """V' of the matrices that were found, by differences along solutions of random gain curves and inputs."""
    rng = np.random.default_rng(4)
    # Time is in units of the fastest decay in these matrices.
    network = DelayedNetwork(decay=[1.0, 2.0], weights=[[0.3, -1.5], [1.2, 0.4]], lower=0.1, upper=[1.0, 0.9])
    found = certify_input_to_state(network, norm=norm)
    assert found.is_exact
    p, above, below = (found.matrices[name] for name in ("P", "above", "below"))
    c = float(found.matrices["level"][0, 0])
    gain, alpha = found.figures[L2 if norm == "2" else SUP], found.figures.get("rate, 1/s", 0.0)
    low, high, unit = network.lower, network.upper, 1.0 / network.decay.max()

    def curve(x: Any) -> Any:
        return low * x + (high - low) * np.tanh(x)

    def integral(x: Any) -> Any:
        return 0.5 * low * x**2 + (high - low) * np.log(np.cosh(x))

    def energy(x: Any) -> float:
        rest = np.diag(above) * (integral(x) - 0.5 * low * x**2) + np.diag(below) * (0.5 * high * x**2 - integral(x))
        return float(x @ p @ x + 2.0 * rest.sum())

    for _ in range(200):
        x, u = rng.normal(size=(2, 2)) * 10.0 ** rng.uniform(-1.0, 1.0, (2, 1))
        change = -network.decay * x + network.weights @ curve(x) + u
        slope = (energy(x + 1e-6 * change) - energy(x - 1e-6 * change)) / 2e-6 * unit
        driven = c * gain**2 * (u @ u)
        if norm == "2":
            assert slope <= driven - c * (x @ x) + 1e-6 * abs(slope)
        else:
            assert energy(x) >= c * (x @ x)
            assert slope <= alpha * unit * (driven - energy(x)) + 1e-6 * abs(slope)


def test_a_gain_that_is_too_small_has_no_proof() -> None:
    """Below the H-infinity norm a candidate fails, whatever the solver says of it."""
    network = random_network(np.random.default_rng(0), linear=True)
    exact = h_infinity(network.linear().matrix)
    for factor, proved in ((0.9999, False), (1.001, True)):
        problem = input_problem(network, factor * exact, 0.0, 0.0)
        inequalities = verify(problem, solve(problem))
        assert all(one.holds for one in inequalities) == proved
    unit = 1.0 / network.decay.max()
    least = minimise(input_problem(network, None, 0.0, 0.0), "gain", "level")
    assert least is not None
    assert np.sqrt(least) * unit == pytest.approx(exact, rel=1e-4)


def test_what_is_not_stable_has_no_gain() -> None:
    for network in (DelayedNetwork(decay=1.0, weights=[[1.0]], upper=1.0), replace(FOUR, late_weights=np.eye(4) * 20)):
        for norm in ("2", "inf"):
            found = certify_input_to_state(network, 1.0, norm=norm)  # type: ignore[arg-type]
            assert not found.proved
            assert found.figures == {}
            assert found.statement == "nothing is proved (the solver found no candidate)"
    published = certify_input_to_state(STATIC)
    assert published.proved == bool(published.figures)


def test_units_are_those_of_the_graph() -> None:
    """The same network 1e4 times as fast has 1e-4 times the gain."""
    slow = hh.Network(weights=[[0.0, 0.4], [0.2, 0.0]], resistance=1.0, capacitance=1.0, gain=hh.Tanh(gain=1.0))
    fast = hh.Network(weights=[[0.0, 4e-5], [2e-5, 0.0]], resistance=1e4, capacitance=1e-8, gain=hh.Tanh(gain=1.0))
    first, second = (certify_input_to_state(net).figures[L2] for net in (slow, fast))
    assert second == pytest.approx(1e-4 * first, rel=1e-6)
    assert first >= np.linalg.norm(np.linalg.inv(comparison_matrix(read_network(slow))), 2)


def test_bad_arguments_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    cases: list[tuple[dict[str, Any], str]] = [
        ({"norm": "1"}, "`norm` = '1': must be one of 2, inf"),
        ({"rate": 1.0}, "`rate`: is of norm='inf' alone; leave it out"),
        ({"norm": "inf", "rate": -1.0}, "`rate = -1.0 1/s`: must be positive"),
        ({"norm": "inf"}, "`delay`: the network has none of its own; give it, seconds"),
        ({"solver": "MOSEK"}, "`solver` = 'MOSEK': must be one of CLARABEL, SCS, or None"),
    ]
    for given, message in cases:
        with pytest.raises(hh.InputError) as error:
            certify_input_to_state(FOUR, **given)
        assert str(error.value) == message
    monkeypatch.setitem(sys.modules, "cvxpy", None)
    with pytest.raises(hh.values.errors.MissingExtra, match=r"install it: pip install '\.\[stability\]'$"):
        certify_input_to_state(FOUR)


@pytest.mark.parametrize("norm", ["2", "inf"])
@pytest.mark.parametrize("decay", [3.0, 7.0])
def test_what_a_claim_says_is_not_more_than_what_is_proved(norm: Any, decay: float) -> None:
    delayed = DelayedNetwork(decay=decay, late_weights=[[0.1]], upper=[1.0], delay=1.0 / 7.0)
    found = certify_input_to_state(delayed, norm=norm)
    assert found.proved
    words = found.claim.replace(",", " ").split()
    said = float(words[words.index("s") - 1])
    gain = found.figures[L2 if norm == "2" else SUP]
    assert gain <= said <= gain * (1.0 + 1e-5)
    if norm == "inf":
        rate = float(words[words.index("1/s") - 1])
        assert found.figures["rate, 1/s"] * (1.0 - 1e-5) <= rate <= found.figures["rate, 1/s"]
        assert found.claim.endswith("up to 0.142857142 s")


def test_numbers_of_claims_are_rounded_to_the_safe_side() -> None:
    assert [round_up(x) for x in (1.0 / 3.0, 0.5, 1.0000001, 2e-9 / 3.0, 1e6, np.inf)] == [
        *("0.333334", "0.5", "1.00001", "6.66667e-10", "1e+06", "inf")
    ]
    assert [round_down(x, 9) for x in (2.0 / 3.0, 0.0, 1e-4 / 7.0)] == ["0.666666666", "0", "1.42857142e-05"]
