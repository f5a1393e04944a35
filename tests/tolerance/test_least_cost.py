"""Grades of least cost against all choices of grades."""

from __future__ import annotations

from itertools import product
from typing import Any

import numpy as np
import pytest
from scipy.special import ndtri

import hopfield_hw as hh
from hopfield_hw.tolerance.least_cost import GRADES, choose_grades


def cheapest(relative: Any, margin: float, yielded: float | None, groups: Any = None) -> float:
    """Return the least cost of all 3^m choices that hold."""
    group = np.arange(len(relative)) if groups is None else np.asarray(groups)
    best = np.inf
    for choice in product(GRADES, repeat=int(group.max()) + 1):
        tolerances = np.array(choice)[group]
        lost = np.sum(relative * tolerances)
        if yielded is not None:
            lost = ndtri(yielded) * np.linalg.norm(relative * tolerances / np.sqrt(3.0))
        if lost <= margin:
            best = min(best, sum(GRADES[t] for t in tolerances))
    return best


@pytest.mark.parametrize("yielded", [None, 0.95, 0.999])
def test_grades_are_the_cheapest_of_all_that_hold(yielded: float | None) -> None:
    rng = np.random.default_rng(5)
    for _ in range(12):
        relative = np.exp(rng.normal(size=7))
        margin = float(rng.uniform(0.05, 0.8) * np.sum(relative) * 0.05)
        if cheapest(relative, margin, yielded) == np.inf:
            continue
        found = choose_grades(relative, margin, yielded=yielded)
        assert found.cost == pytest.approx(cheapest(relative, margin, yielded))
        assert found.lost <= margin * (1 + 1e-9)
        assert found.cost == pytest.approx(sum(GRADES[t] for t in found.tolerances.tolist()))
        if yielded is None:
            assert found.lost == pytest.approx(np.sum(relative * found.tolerances))


def test_the_parts_that_matter_are_the_good_ones() -> None:
    found = choose_grades([10.0, 1.0, 1.0, 1.0], 0.3, grades={"5%": 1.0, "1%": 1.5}, names=("R_1", "R_2", "R_3", "R_4"))
    assert found.of(0.01) == ("R_1",)
    assert found.counts == {0.01: 1, 0.05: 3}
    assert found.cost == 4.5
    assert found.lost == pytest.approx(0.25)


def test_statistics_need_less_than_the_worst_case() -> None:
    relative = np.ones(40)
    worst, statistical = choose_grades(relative, 1.0), choose_grades(relative, 1.0, yielded=0.999)
    assert statistical.cost < worst.cost
    drawn = np.random.default_rng(0).uniform(-1.0, 1.0, (200_000, 40)) * statistical.tolerances
    assert np.mean(drawn.sum(axis=1) < 1.0) >= 0.999


def test_groups_are_bought_together() -> None:
    relative, groups = np.array([3.0, 0.1, 0.1, 2.0, 1.0]), [0, 0, 0, 1, 1]
    found = choose_grades(relative, 0.15, groups=groups)
    assert len(set(found.tolerances[:3].tolist())) == len(set(found.tolerances[3:].tolist())) == 1
    assert found.cost == pytest.approx(cheapest(relative, 0.15, None, groups))


def test_a_budget_that_is_met_exactly_is_met() -> None:
    assert choose_grades([1.0, 1.0], 0.1).cost == 2.0
    assert choose_grades([1.0, 1.0], 0.06).cost == 2.5


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            {"margin": 1e-3},
            "`margin` = 0.001: parts of 0.100% all over need 0.003; give a better grade, or a design of a larger "
            "margin",
        ),
        ({"margin": -1.0}, "`margin = -1.0`: must be positive"),
        (
            {"grades": {}},
            "`grades` = {}: must be costs by tolerance, such as {0.05: 1.0, 0.01: 1.5}",
        ),
        (
            {"grades": {5.0: 1.0}},
            "`grades`: tolerances must be above 0 and below 1 (100%), and costs not negative",
        ),
        (
            {"margin": 1e-3, "yielded": 0.9772498680518208},
            "`margin` = 0.001: parts of 0.100% all over need 0.002582; give a better grade, or a design of a larger "
            "margin",  # 2 sqrt(1 + 4) 1e-3 / sqrt(3)
        ),
        ({"yielded": 0.4}, "`yielded` = 0.4: must be above 0.5 and below 1"),
        ({"yielded": 1.0}, "`yielded` = 1: must be above 0.5 and below 1"),
        ({"groups": [0]}, "`groups` has shape (1,): must be (2,), a number for each part"),
        ({"relative": []}, "`relative` has shape (0,): must be (parts,), with one part at least"),
    ],
)
def test_what_cannot_hold_is_refused(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(hh.InputError) as refused:
        choose_grades(**{"relative": [1.0, 2.0], "margin": 1.0, **arguments})
    assert str(refused.value) == message
