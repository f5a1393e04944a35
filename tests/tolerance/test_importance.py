"""Rare failures against closed forms: one side, two sides, all around, and of parts that are uniform."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy.optimize import minimize
from scipy.special import ndtr

import hopfield_hw as hh
from hopfield_hw.tolerance import Tolerances, Uniform, vary
from hopfield_hw.tolerance.importance import rare_failures

DIRECTION = np.random.default_rng(0).normal(size=20)
DIRECTION /= np.linalg.norm(DIRECTION)


@pytest.mark.parametrize("beta", [2.0, 3.0, 4.753424, 6.0])
def test_a_linear_margin_of_normals(beta: float) -> None:
    found = rare_failures(lambda z: beta - z @ DIRECTION, 20, samples=4000, seed=1)
    exact = ndtr(-beta)
    assert found.interval[0] <= exact <= found.interval[1]
    assert found.probability == pytest.approx(exact, rel=0.1)
    assert found.first_order == pytest.approx(exact, rel=1e-5)
    assert found.points[0] == pytest.approx(beta * DIRECTION, abs=1e-4)
    assert found.effective_size > 300


def test_intervals_hold_the_closed_form_as_often_as_they_say() -> None:
    exact = ndtr(-4.753424)
    assert exact == pytest.approx(1e-6, rel=1e-3)
    ends = [
        rare_failures(lambda z: 4.753424 - z[:, 0], 2, samples=1000, seed=seed, pilot=0).interval for seed in range(100)
    ]
    assert 89 <= sum(low <= exact <= high for low, high in ends) <= 100


def test_failures_apart_are_all_found() -> None:
    found = rare_failures(lambda z: 4.0 - np.abs(z @ DIRECTION), 20, samples=4000, seed=6)
    assert len(found.points) == 2
    assert found.probability == pytest.approx(2.0 * ndtr(-4.0), rel=0.12)
    assert found.interval[0] <= 2.0 * ndtr(-4.0) <= found.interval[1]


def test_failures_all_around() -> None:
    """|z| > 4 in the plane: exp(-8). From z = 0 no way leads downhill; the pilot samples find some of the ways."""
    found = rare_failures(lambda z: 16.0 - np.sum(z**2, axis=1), 2, samples=8000, seed=3)
    assert found.interval[0] <= np.exp(-8.0) <= found.interval[1]
    assert found.probability == pytest.approx(np.exp(-8.0), rel=0.1)


def test_a_curved_margin() -> None:
    """P(z_0 > 4.5 + z_1^2 / 10) by quadrature."""
    nodes, weights = np.polynomial.hermite_e.hermegauss(60)
    exact = float(weights @ ndtr(-(4.5 + 0.1 * nodes**2)) / np.sqrt(2.0 * np.pi))
    found = rare_failures(lambda z: 4.5 + 0.1 * z[:, 1] ** 2 - z[:, 0], 2, samples=4000, seed=4)
    assert found.interval[0] <= exact <= found.interval[1]
    assert not 0.9 < found.first_order / exact < 1.1  # what the samples are for


def test_a_margin_that_linearising_alone_does_not_follow() -> None:
    """x^3 + y^3 - 18 of normals of 10 and 5: the undamped iteration oscillates. The point by constrained minimising."""

    def margin(z: Any) -> Any:
        return np.sum((10.0 + 5.0 * z) ** 3, axis=1) - 18.0

    found = rare_failures(margin, 2, samples=2000, seed=0, pilot=0)
    best = minimize(lambda z: z @ z, [-2.0, -1.0], constraints=[{"type": "eq", "fun": lambda z: margin(z[None])[0]}])
    assert found.distances == pytest.approx([np.linalg.norm(best.x)], rel=1e-3)
    plain = margin(np.random.default_rng(0).normal(size=(1_000_000, 2))) <= 0.0
    assert found.probability == pytest.approx(np.mean(plain), rel=0.12)


def test_parts_that_are_uniform() -> None:
    """Of two resistors the deviations e, uniform within t: P(e_0 + e_1 > 1.98 t) = (0.02 t)^2 / 8 t^2."""
    net = hh.Network(weights=[[0.0]], resistance=1e4, capacitance=1e-8, gain=hh.Tanh(), input_weights=[[1e-4]])
    variation = vary(hh.lower(net, cell="inverting_integrator"), Tolerances(resistors=Uniform(tolerance="1%")))
    assert len(variation.columns) == 2

    def margin(z: Any) -> Any:
        deviations = variation.values(ndtr(z)) / variation.nominal - 1.0
        return (1.98 * 0.01 - deviations.sum(axis=1)) / 0.01

    exact = 0.02**2 / 8.0
    found = rare_failures(margin, 2, samples=4000, seed=5)
    assert found.interval[0] <= exact <= found.interval[1]
    assert found.probability == pytest.approx(exact, rel=0.15)


def test_what_the_weights_do_not_tell_is_refused() -> None:
    with pytest.raises(hh.HopfieldHWError) as refused:
        rare_failures(lambda z: 6.0 - z[:, 0], 2, samples=1000, seed=0, points=[[0.0, 6.0]])
    assert str(refused.value) == (
        "rare_failures: 0 of 1000 samples failed, of effective size 0.0, below 50: their weights say nothing; take "
        "more samples, or give `points` nearer to the failures"
    )
    with pytest.raises(hh.HopfieldHWError) as refused:
        rare_failures(lambda z: 1.0 + np.exp(-z[:, 0]), 2, samples=1000, seed=0)
    assert str(refused.value) == (
        "rare_failures: no failure was found, neither downhill from the nominal board nor among 1000 samples of 3 "
        "sigma; take a larger `pilot`, or give `points`"
    )


@pytest.mark.parametrize(
    ("margin", "more", "message"),
    [
        (lambda z: -1.0 - z[:, 0], {}, "`margin` = -1 of the nominal board, which fails: its failures are not rare"),
        (lambda z: z, {}, "`margin` gave shape (1, 2) of 1 samples: must give (1,)"),
        (
            lambda z: np.where(z[:, 0] > 1.0, np.nan, 1.0),
            {},
            "`margin` gave NaN: a rare failure cannot be told from a board that is not known; give what did not "
            "converge a margin, of a failure if in doubt",
        ),
        (
            lambda z: 3.0 - z[:, 0],
            {"samples": 10},
            "`samples` = 10: must be a whole number from 100 to 100000000; fewer say nothing of a rare failure",
        ),
        (lambda z: 3.0 - z[:, 0], {"points": [[1.0]]}, "`points` has shape (1, 1): must be (points, 2)"),
    ],
)
def test_a_margin_that_is_none_is_refused(margin: Any, more: dict[str, Any], message: str) -> None:
    with pytest.raises(hh.InputError) as refused:
        rare_failures(margin, 2, **{"samples": 1000, "seed": 0, **more})
    assert str(refused.value) == message
