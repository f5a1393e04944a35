"""Contraction in the 2-norm over the whole box of slopes: against corners, closed forms, Jacobians and solutions."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy.linalg import eigh

import hopfield_hw as hh
from hopfield_hw.stability import DelayedNetwork, certify, certify_contraction
from hopfield_hw.stability.centres import largest_shift
from hopfield_hw.stability.semidefinite import Problem, Unknown, verify
from hopfield_hw.stability.slope_box import box_problem, box_rate

RATE = "exponential rate, 1/s"
METRICS = ("weights", "diagonal", "full")


def random_network(seed: int, n: int, size: float = 0.5, **others: Any) -> DelayedNetwork:
    rng = np.random.default_rng(seed)
    return DelayedNetwork(decay=2.0 ** rng.uniform(-0.5, 0.5, n), upper=rng.uniform(0.6, 1.2, n),
                          weights=rng.normal(size=(n, n)) * size / np.sqrt(n), **others)  # fmt: skip


def test_the_largest_shift_of_a_pencil_is_its_least_eigenvalue() -> None:
    rng = np.random.default_rng(0)
    a, b = rng.normal(size=(2, 6, 6))
    a, b = a + a.T, b @ b.T

    def build(found: Any, data: Any) -> dict[str, Any]:
        return {"A - c B": (data["A"] - data["B"] * data["shift"][0]) * found["x"][0, 0]}

    problem = Problem((Unknown("x", "diagonal", 1),), build, {"A": a, "B": b})
    found = largest_shift(problem, np.ones(1), 1e-9)
    assert found is not None
    exact = float(eigh(a, b, eigvals_only=True)[0])
    assert exact - 1e-6 * abs(exact) < found[0] < exact
    assert largest_shift(problem, -np.ones(1), 1e-9) is None


@pytest.mark.parametrize("kind", ["local", "static"])
@pytest.mark.parametrize("seed", range(4))
def test_multipliers_lose_nothing_that_corners_show(seed: int, kind: Any) -> None:
    """Never more than all corners allow, and less by no more than the search leaves."""
    network = random_network(seed, 2 + seed, kind=kind, lower=(0.0, 0.2, -0.2, 0.0)[seed])
    corners = certify_contraction(network)
    box = box_rate(network, np.ones(network.size), "weights")
    assert box is not None
    assert corners.is_exact
    rate, slack = corners.figures[RATE], 1e-3 * float(network.decay.max())
    assert all(one.holds for one in box.inequalities)
    assert rate - slack < box.alpha / 2.0 < rate + 1e-8


@pytest.mark.parametrize("seed", range(4))
def test_a_metric_that_is_found_is_at_least_as_good(seed: int) -> None:
    network = random_network(seed, 3 + seed % 3)
    rates = [certify_contraction(network, metric=metric).figures[RATE] for metric in METRICS]  # type: ignore[arg-type]
    assert rates[0] < rates[1] + 1e-3
    assert rates[1] < rates[2] + 1e-3
    rng = np.random.default_rng(seed)
    for _ in range(200):
        slopes = rng.uniform(network.lower, network.upper)
        assert rates[2] <= -np.linalg.eigvals(network.linear(slopes).matrix).real.max()


@pytest.mark.parametrize("metric", ["weights", "diagonal", "full"])
def test_closed_forms_of_12_neurons(metric: Any) -> None:
    """x' = -x + w f(x), apart from each other: 1 - w. A skew network with slopes of 1: 1."""
    apart = certify_contraction(DelayedNetwork(decay=1.0, weights=0.4 * np.eye(12), upper=1.0), metric=metric)
    assert apart.is_exact
    assert 0.6 - 1e-3 < apart.figures[RATE] <= 0.6
    assert apart.criterion == "contraction in the 2-norm by multipliers" + (
        "" if metric == "weights" else f", {metric} metric"
    )
    half = np.random.default_rng(1).normal(size=(12, 12))
    skew = certify_contraction(DelayedNetwork(decay=1.0, weights=half - half.T, upper=1.0, lower=1.0), metric=metric)
    assert skew.is_exact
    assert 1.0 - 1e-3 < skew.figures[RATE] <= 1.0


def test_a_chain_contracts_in_a_metric_of_its_own_alone() -> None:
    """Each neuron drives the next by 1.5: no contraction in the plain norm, and the rate 1 in the limit of steep P."""
    chain = DelayedNetwork(decay=1.0, weights=1.2 * np.eye(9, k=-1), upper=1.0)
    assert not certify_contraction(chain).proved
    found = certify_contraction(chain, metric="diagonal")
    assert found.is_exact
    assert 0.5 < found.figures[RATE] < 1.0
    assert np.all(np.diff(np.diag(found.matrices["P"])) < 0.0)
    weights = np.sqrt(np.diag(found.matrices["P"]))
    assert certify_contraction(chain, weights=weights).figures[RATE] > found.figures[RATE] - 1e-3


@pytest.mark.parametrize("late", [False, True])
def test_two_solutions_of_32_neurons_come_together_as_fast(late: bool) -> None:
    rng = np.random.default_rng(7)
    n, delay, steps = 32, 0.5, 50
    if late:
        n = 10
    weights = rng.normal(size=(n, n)) * 0.45 / np.sqrt(n)
    which = {"late_weights": weights, "delay": delay} if late else {"weights": weights}
    network = DelayedNetwork(decay=1.0, upper=1.0, **which)
    found = certify_contraction(network, metric="diagonal")
    assert found.is_exact
    p, rate, step = found.matrices["P"], found.figures[RATE], delay / steps
    assert 0.05 < rate < 1.0
    # Two solutions by Heun's method, from histories that are constant.
    history = np.repeat(rng.normal(size=(1, 2, n)), steps + 1, axis=0)
    states = list(history)
    for _ in range(500):
        x = states[-1]
        before = [states[-1 - steps], states[-steps]] if late else [x, x]
        first = np.tanh(before[0]) @ weights.T - x
        second = np.tanh(before[1] if late else x + step * first) @ weights.T - (x + step * first)
        states.append(x + 0.5 * step * (first + second))
    apart = np.array([state[0] - state[1] for state in states[steps:]])
    distance = np.sqrt(np.einsum("ki,ij,kj->k", apart, p, apart))
    assert np.all(distance <= distance[0] * np.exp(-rate * step * np.arange(501)) * (1.0 + 1e-3))


@pytest.mark.parametrize("n", [3, 12])
@pytest.mark.parametrize("metric", METRICS)
def test_no_contraction_is_claimed_of_a_bistable_network(n: int, metric: Any) -> None:
    weights = np.zeros((n, n))
    weights[0, 1] = weights[1, 0] = 1.001
    found = certify_contraction(DelayedNetwork(decay=1.0, weights=weights, upper=1.0), metric=metric)
    assert not found.proved
    assert found.figures == {}
    assert found.statement.startswith("nothing is proved (does not hold: ")


def test_no_rate_with_delay_is_above_that_of_one_neuron() -> None:
    """x' = -x + w x(t - h) in each of 10: s = 1 - w exp(s h) is the rate itself."""
    network = DelayedNetwork(decay=1.0, late_weights=0.5 * np.eye(10), upper=1.0, delay=1.0)
    found = certify_contraction(network)
    rate = found.figures[RATE]
    exact = certify_contraction(DelayedNetwork(decay=1.0, late_weights=[[0.5]], upper=1.0, delay=1.0)).figures[RATE]
    assert exact == pytest.approx(1.0 - 0.5 * np.exp(exact), abs=1e-6)
    assert 0.7 * exact < rate <= exact
    assert found.rate == np.inf
    unknown = certify_contraction(DelayedNetwork(decay=1.0, late_weights=0.5 * np.eye(10), upper=1.0))
    assert unknown.proved
    assert unknown.figures == {}


def test_a_rate_that_is_too_large_has_no_proof() -> None:
    network = random_network(3, 10)
    box = box_rate(network, np.ones(10), "diagonal")
    assert box is not None
    unit = 1.0 / float(network.decay.max())
    shift = 0.5 * box.alpha * unit
    first = largest_shift(box_problem(network, 0.0, 0.0, np.ones(10), "diagonal"), np.ones(20), 1e-4)
    assert first is not None
    for factor, proved in ((0.999, True), (1.001, False)):
        problem = box_problem(network, factor * shift, 0.0, np.ones(10), "diagonal")
        assert all(one.holds for one in verify(problem, first[1])) == proved


def test_a_network_of_many_neurons_is_certified_without_a_solver(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the delay may change as fast as it likes and no M-matrix proves it."""
    rng = np.random.default_rng(5)
    half = rng.normal(size=(9, 9))
    network = DelayedNetwork(
        decay=1.0, weights=0.6 * (half - half.T), late_weights=0.1 * np.eye(9), upper=1.0, lower=0.9
    )
    monkeypatch.setitem(__import__("sys").modules, "cvxpy", None)
    found = certify(network, 1.0, np.inf)
    assert found.criterion == "contraction in the 2-norm by multipliers, diagonal metric"
    assert found.is_exact


def test_bad_arguments_are_refused() -> None:
    network = random_network(0, 9)
    cases: list[tuple[dict[str, Any], str]] = [
        ({"norm": "3"}, "`norm` = '3': must be one of 1, 2, inf"),
        ({"metric": "best"}, "`metric` = 'best': must be one of weights, diagonal, full"),
        (
            {"metric": "full", "norm": "1"},
            "`metric` = 'full': is found for norm='2' and without `weights`; leave one of them out",
        ),
        (
            {"metric": "diagonal", "weights": 2.0},
            "`metric` = 'diagonal': is found for norm='2' and without `weights`; leave one of them out",
        ),
    ]
    for given, message in cases:
        with pytest.raises(hh.InputError) as error:
            certify_contraction(network, **given)
        assert str(error.value) == message
