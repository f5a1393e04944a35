"""Of a measured curve the family that it is near is said, with how near it is; and what is near none."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import hopfield_hw as hh
from hopfield_hw.extraction import extract
from hopfield_hw.extraction.families import find_family
from hopfield_hw.functions import Softsign

BOARDS = Path(__file__).parent / "boards"
X = np.linspace(-3.0, 4.0, 1501)


@pytest.mark.parametrize("family", [hh.Tanh, hh.PiecewiseLinear, hh.Arctan, hh.Algebraic, Softsign])
@pytest.mark.parametrize(("gain", "amplitude", "at", "level"), [(3.1, 1.02, 0.0, 0.0), (8.0, 5.0, 0.4, -1.5)])
def test_a_family_is_found_with_its_values(family: Any, gain: float, amplitude: float, at: float, level: float) -> None:
    table = hh.Table(x=X, y=level + family(gain=gain, amplitude=amplitude).value(X - at))
    found = find_family(table)
    assert found is not None
    assert found.kind == family.kind
    assert found.deviation < 1e-3
    np.testing.assert_allclose([found.amplitude, found.slope], [amplitude, gain], rtol=5e-3)
    np.testing.assert_allclose([found.at, found.level], [at, level], atol=5e-3)


def test_a_line_and_a_logistic_have_their_names() -> None:
    line = find_family(hh.Table(x=X, y=2.0 * X + 1.0))
    assert line is not None
    assert line.kind == "linear"
    np.testing.assert_allclose([line.slope, line.level], [2.0, 1.0])
    logistic = find_family(hh.Table(x=X, y=hh.Logistic(gain=4.0, amplitude=2.0).value(X)))
    assert logistic is not None
    assert logistic.kind == "logistic"
    np.testing.assert_allclose([logistic.amplitude, logistic.slope], [2.0, 4.0], rtol=1e-3)


def test_the_deviation_is_that_of_what_was_added() -> None:
    """A rising line with a ripple of 0.4% of its swing: a root mean square of 0.4% / sqrt(2), with 20 whole periods."""
    x = np.linspace(-1.0, 1.0, 4001)
    found = find_family(hh.Table(x=x, y=np.maximum.accumulate(x + 0.008 * np.sin(20.0 * np.pi * x))))
    assert found is not None
    assert found.kind == "linear"
    assert found.deviation == pytest.approx(0.004 / np.sqrt(2.0), rel=0.05)


def test_what_is_near_no_family_has_none() -> None:
    steps = np.where(X < -1.0, -1.0, np.where(X < 1.0, 0.0, 1.0))
    assert find_family(hh.Table(x=X, y=steps)) is None
    assert find_family(hh.Table(x=X, y=np.zeros_like(X))) is None


@pytest.mark.parametrize(
    ("board", "kind", "gain", "amplitude"),
    [("diff_pair_bjt", "tanh", 14.6, 8.26), ("level_shift", "piecewise_linear", 4.7, 7.0)],
)
def test_the_curves_of_a_board_are_named(board: str, kind: str, gain: float, amplitude: float) -> None:
    """A bipolar pair is a tanh; an op-amp from -3.5 V to 10.5 V with 47k over 10k is a clip of 7 V and gain 4.7."""
    found = extract(BOARDS / f"{board}.cir", verify=False)
    fit = found.families[1]
    assert fit is not None
    assert fit.kind == kind
    assert fit.slope == pytest.approx(gain, rel=0.02)
    assert fit.amplitude == pytest.approx(amplitude, rel=0.02)
    assert fit.deviation < 2e-3
    assert ("nearest", f"{found.labels[1]}: {fit}") in found.rows()
    assert found.figures()["families"][1]["kind"] == kind
