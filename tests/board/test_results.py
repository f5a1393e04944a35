"""Results of the statistics as text, JSON and one line."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import hopfield_hw as hh
from hopfield_hw import board, production, tolerance
from hopfield_hw.values.brief import LINE

ONES = np.ones(60)


def linear(p: Any) -> Any:
    return 5.0 + p.sum(axis=1) / 60.0


RESULTS: dict[str, Callable[[], Any]] = {
    "yield": lambda: tolerance.Yield(count=190, trials=200, undecided=3, looks=2),
    "rare failures": lambda: tolerance.rare_failures(lambda z: 3.0 - z[:, 0], 2, samples=1000, seed=0),
    "worst case": lambda: tolerance.worst_case(linear, ONES, 0.9 * ONES, 1.1 * ONES, signs=ONES),
    "sensitivities": lambda: tolerance.sensitivities(linear, ONES, 0.9 * ONES, 1.1 * ONES),
    "grades": lambda: tolerance.choose_grades(ONES, 1.0),
    "centering": lambda: tolerance.center(
        lambda v: v[:, 0] - 1.0, [1.0], [0.9], [1.2], perturb=lambda p, z: p + 0.1 * z, seed=0, samples=50, fresh=50
    ),
    "realisation": lambda: board.realise(1e-5 * np.ones((30, 30)), board.OfSeries()),
    "cost": lambda: board.rounding_cost(
        hh.Network(weights=[[1e-5]], resistance=1e4, capacitance=1e-8),
        board.realise([[1e-5]], board.OfSeries()),
        states=[[0.0]],
        margin=lambda w: w[:, 0, 0],
    ),
}


@pytest.mark.parametrize("make", RESULTS.values(), ids=RESULTS)
def test_a_result_is_text_and_json(make: Callable[[], Any]) -> None:
    result = make()
    assert len(repr(result)) <= LINE
    assert "\n" not in repr(result)
    assert len(str(result).splitlines()) == len(result.rows()) >= 2
    json.dumps(result.to_json(), allow_nan=False)
    assert result._repr_html_().startswith("<table")


def test_what_is_drawn_is_one_line() -> None:
    net = hh.Network(weights=1e-5 * np.ones((9, 9)), resistance=1e4, capacitance=1e-8)
    variation = tolerance.vary(hh.lower(net, cell="inverting_integrator"), tolerance.Tolerances(resistors="1%"))
    ways = (board.OfSeries(), board.TwoOfSeries(), board.DigitalPotentiometer(), board.ProgrammedLevels())
    assert repr(ways[0]).startswith("OfSeries(series=Series(values=<24 entries>, ")
    for thing in (
        *ways,
        variation,
        tolerance.draw_factors(variation, seed=0, samples=5),
        variation.columns[0].distribution,
    ):
        assert len(repr(thing)) <= LINE


@pytest.mark.parametrize("folder", [board, tolerance, production])
def test_the_face_is_complete(folder: Any) -> None:
    assert all(getattr(folder, name) is not None for name in folder.__all__)
