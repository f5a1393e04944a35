"""Design centering against designs whose best yield has a closed form."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy.special import ndtr

import hopfield_hw as hh
from hopfield_hw.tolerance import Tolerances, Uniform, vary
from hopfield_hw.tolerance.centering import center


def spread(p: Any, z: Any) -> Any:
    return p * (1.0 + 0.05 * z)


def window(values: Any) -> Any:
    """A product of two parts that must lie from 0.8 to 1.2."""
    product = values[:, 0] * values[:, 1]
    return np.minimum(product - 0.8, 1.2 - product)


@pytest.mark.parametrize("objective", ["normal", "smooth", "gravity"])
def test_a_window_is_centred(objective: Any) -> None:
    found = center(window, [1.0, 1.13], [0.5, 0.5], [2.0, 2.0], perturb=spread, seed=1, objective=objective, fresh=4000)
    deviation = 0.05 * np.sqrt(2.0)
    before = ndtr((1.2 - 1.13) / (1.13 * deviation)) - ndtr((0.8 - 1.13) / (1.13 * deviation))
    best = max(
        ndtr((1.2 - p) / (p * deviation)) - ndtr((0.8 - p) / (p * deviation)) for p in np.linspace(0.9, 1.1, 201)
    )
    assert 0.6 < before < 0.85
    assert found.before.value == pytest.approx(before, abs=0.02)
    assert found.after.value == pytest.approx(best, abs=0.01)
    assert found.outcome == "better"
    assert found.recovered > 0.9
    assert np.prod(found.nominal) == pytest.approx(0.985, abs=0.02)
    assert found.after.count - found.before.count == found.gained - found.lost


def test_gravity_centres_a_margin_that_only_tells_pass_from_fail() -> None:
    def decision(values: Any) -> Any:
        return np.sign(window(values))

    found = center(
        decision, [1.0, 1.13], [0.5, 0.5], [2.0, 2.0], perturb=spread, seed=1, objective="gravity", fresh=4000
    )
    assert found.outcome == "better"
    assert found.recovered > 0.8


def test_counting_boards_goes_on_where_a_normal_margin_is_wrong() -> None:
    """A margin with a cliff: mean over deviation prefers a design of which more boards fail."""

    def cliff(values: Any) -> Any:
        x = values[:, 0]
        return np.where(x > 1.0, 1.0, -0.3) + 0.2 * (1.0 - x) + 4.0 * np.clip(x - 1.15, 0.0, None) * -1.0

    counts = {
        objective: center(
            cliff,
            [1.02],
            [0.8],
            [1.5],
            perturb=lambda p, z: p + 0.05 * z,
            seed=2,
            objective=objective,  # type: ignore[arg-type]
            fresh=4000,
        )
        for objective in ("normal", "smooth")
    }
    assert counts["smooth"].after.value >= counts["normal"].after.value
    assert counts["smooth"].outcome == "better"
    assert counts["smooth"].after.value > 0.99


def test_parts_of_a_circuit_are_centred() -> None:
    """The ratio of two resistors of a circuit, which must lie within 3% of 1.02, by their own distributions."""
    net = hh.Network(weights=[[0.0]], resistance=1e4, capacitance=1e-8, gain=hh.Tanh(), input_weights=[[1e-4]])
    variation = vary(hh.lower(net, cell="inverting_integrator"), Tolerances(resistors=Uniform(tolerance="2%")))
    nominal = variation.nominal
    found = center(
        lambda values: 0.03 - np.abs(values[:, 0] / values[:, 1] - 1.02),
        nominal,
        0.9 * nominal,
        1.1 * nominal,
        perturb=lambda p, z: variation.values(ndtr(z), p),
        size=len(variation.streams),
        seed=5,
    )
    assert found.before.value < 0.8
    assert found.recovered > 0.7
    assert found.nominal[0] / found.nominal[1] == pytest.approx(1.02, abs=3e-3)


def test_a_design_that_is_centred_is_not_called_better() -> None:
    found = center(window, [1.0, 0.985], [0.9, 0.9], [1.1, 1.1], perturb=spread, seed=3, samples=100)
    assert found.outcome == "not better"
    assert found.after.passes(0.95) == "passed"


def test_limits_hold_and_what_cannot_move_does_not() -> None:
    found = center(window, [1.0, 1.13], [1.0, 1.05], [1.0, 1.2], perturb=spread, seed=4)
    assert found.nominal[0] == 1.0
    assert found.nominal[1] == pytest.approx(1.05)
    again = center(window, [1.0, 1.13], [1.0, 1.05], [1.0, 1.2], perturb=spread, seed=4)
    assert again.nominal.tolist() == found.nominal.tolist()
    assert again.figures() == found.figures()


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ({"lower": [1.0], "upper": [1.0]}, "`center`: lower and upper leave no room; nothing could move"),
        ({"upper": [0.9], "lower": [0.5]}, "`nominal[0]` = 1: must lie from lower, 0.5, to upper, 0.9"),
        ({"objective": "best"}, "`objective` = 'best': must be one of normal, smooth, gravity"),
        (
            {"samples": 5},
            "`samples` = 5: must be a whole number from 20 to 10000000; fewer say nothing of a yield",
        ),
        ({"perturb": lambda p, z: p}, "`perturb` gave shape (1,): must give (400, parts)"),
    ],
)
def test_what_cannot_be_centred_is_refused(more: dict[str, Any], message: str) -> None:
    arguments = {"nominal": [1.0], "lower": [0.5], "upper": [2.0], "perturb": spread, "seed": 0}
    with pytest.raises(hh.InputError) as refused:
        center(lambda v: v[:, 0], **{**arguments, **more})
    assert str(refused.value) == message
