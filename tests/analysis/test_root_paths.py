"""How near the border roots come within a step: cubics with known minima, and roots that change sides are left out."""

from __future__ import annotations

import numpy as np
import pytest

from hopfield_hw.analysis.root_paths import deepest_dip


def ends(polynomial: np.polynomial.Polynomial, length: float) -> tuple[tuple[np.ndarray, np.ndarray], ...]:
    slope = polynomial.deriv()
    return tuple((np.array([polynomial(s)]), np.array([slope(s)])) for s in (0.0, length))


def test_the_least_of_random_cubics() -> None:
    rng = np.random.default_rng(2)
    for _ in range(200):
        cubic, length = np.polynomial.Polynomial(rng.normal(size=4)), float(rng.uniform(0.1, 2.0))
        first, second = ends(cubic, length)
        sign = np.sign(first[0][0])
        found = deepest_dip(first, second, length)
        if first[0][0] * second[0][0] <= 0.0:
            assert found == 1.0
            continue
        nearer = min(abs(first[0][0]), abs(second[0][0]))
        least = np.min(sign * cubic(np.linspace(0.0, length, 20_001))) / nearer
        assert found == pytest.approx(min(1.0, least), abs=1e-5 * (1.0 + abs(least)))


def test_a_parabola_and_a_straight_line() -> None:
    first, second = ends(np.polynomial.Polynomial([-0.09, 0.6, -1.0]), 0.6)  # -(s - 0.3)^2
    assert deepest_dip(first, second, 0.6) == pytest.approx(0.0, abs=1e-12)
    first, second = ends(np.polynomial.Polynomial([-1.0, 0.5]), 1.0)
    assert deepest_dip(first, second, 1.0) == pytest.approx(1.0)


def test_roots_that_stay_on_the_border_or_have_no_slope_say_nothing() -> None:
    still = (np.array([0.5, 1e-12]), np.array([0.0, -1.0]))
    assert deepest_dip(still, still, 1.0) == 1.0
    steep = (np.array([-0.5]), np.array([np.inf]))
    assert deepest_dip(steep, steep, 1.0) == 1.0
    assert deepest_dip((np.zeros(0), np.zeros(0)), (np.zeros(0), np.zeros(0)), 1.0) == 1.0
