"""The Bessel-Legendre hierarchy: published figures, never above the exact limit, and a range with both ends."""

from __future__ import annotations

from fractions import Fraction
from functools import partial
from typing import Any

import numpy as np
import pytest
from delayed_cases import FIRST, WINDOW
from numpy.polynomial import legendre

import hopfield_hw as hh
from hopfield_hw.stability import (
    LinearDelaySystem,
    certify_linear_delay,
    certify_range,
    largest_delay,
    largest_stable_delay,
    rightmost_root,
    stable_windows,
)
from hopfield_hw.stability.bessel_legendre import linear_delay_problem
from hopfield_hw.stability.sectors import legendre_moments
from hopfield_hw.stability.semidefinite import verify

EXACT = largest_stable_delay(FIRST, 20.0)


@pytest.mark.parametrize(("order", "published"), [(0, 4.472), (1, 6.059), (2, 6.1689), (3, 6.1724)])
def test_each_order_reaches_its_figure_and_no_more(order: int, published: float) -> None:
    """Seuret and Gouaisbaut 2015: N = 0 is Jensen's inequality, 4.472; N = 1 6.059; they end at 6.17258."""
    found = largest_delay(partial(certify_linear_delay, FIRST, order=order), 6.5, shortest=4.0, tolerance=2e-5)
    assert found.is_exact
    assert published - 2e-4 < found.delays[1] < published + 1e-3
    assert found.delays[1] < EXACT
    assert found.delays[0] == (0.0 if order == 0 else found.delays[1])


def test_it_converges_to_the_exact_limit() -> None:
    found = certify_linear_delay(FIRST, EXACT - 1e-5, order=5)
    assert found.is_exact
    assert "for the delay 6.1725" in found.statement
    assert not certify_linear_delay(FIRST, EXACT + 1e-5, order=5).proved
    assert not certify_linear_delay(FIRST, EXACT + 1e-5, order=8).proved


def test_a_window_is_proved_from_one_end_to_the_other() -> None:
    ((low, high),) = stable_windows(WINDOW, 5.0)
    found = certify_range(WINDOW, low + 2e-4, high - 2e-4, order=4)
    assert found.is_exact
    assert found.delays == (low + 2e-4, high - 2e-4)
    for outside in (0.99 * low, 1.01 * high):
        assert not certify_linear_delay(WINDOW, outside, order=4).proved
        assert rightmost_root(WINDOW, outside).real > 0.0
    assert not certify_range(WINDOW, 0.9 * low, high / 2.0, order=2).proved


def test_a_range_from_no_delay_on() -> None:
    found = certify_range(FIRST, 0.0, 6.1, order=2)
    assert found.is_exact
    assert "from 0 to 6.1 s" in found.statement


def test_one_functional_serves_all_delays_between_its_ends() -> None:
    """What is proved at both ends is looked at between them: the same matrices hold there."""
    certificate = certify_linear_delay(FIRST, (4.0, 5.0), order=2)
    assert certificate.is_exact
    p, s, r = (certificate.matrices[name] for name in ("P", "S", "R"))
    values = np.concatenate([one[np.triu_indices(len(one))] for one in (p, s, r)])
    for delay in np.linspace(4.0, 5.0, 7).tolist():
        assert all(one.holds for one in verify(linear_delay_problem(FIRST, delay, delay, 2), values))


def test_matrices_that_are_changed_prove_nothing() -> None:
    certificate = certify_linear_delay(FIRST, 6.05, order=1)
    p, s, r = (certificate.matrices[name].copy() for name in ("P", "S", "R"))
    problem = linear_delay_problem(FIRST, 6.05, 6.05, 1)

    def holds() -> bool:
        values = np.concatenate([one[np.triu_indices(len(one))] for one in (p, s, r)])
        found = verify(problem, values)
        return bool(found) and all(one.holds for one in found)

    assert holds()
    for matrix in (p, s, r):
        before = matrix.copy()
        matrix *= -1.0
        assert not holds()
        matrix[:] = before
    assert verify(problem, None) == ()


def test_moments_are_those_of_legendre_polynomials() -> None:
    """int_{-1}^0 L_k(s) x'(s) ds of polynomials x, against integration term by term in rational numbers."""
    rng = np.random.default_rng(4)
    x = [Fraction(int(c)) for c in rng.integers(-5, 6, 5)]  # ascending powers of s

    def integral(a: list[Fraction], b: list[Fraction]) -> Fraction:
        total = Fraction(0)
        for i, p in enumerate(a):
            for j, q in enumerate(b):
                total -= p * q * Fraction(-1) ** (i + j + 1) / (i + j + 1)
        return total

    def shifted(k: int) -> list[Fraction]:
        power = [Fraction(c).limit_denominator(64) for c in legendre.leg2poly([0] * k + [1])]
        result = [Fraction(0)]
        for c in reversed(power):  # Horner in 1 + 2 s
            result = [a + 2 * b for a, b in zip([*result, Fraction(0)], [Fraction(0), *result], strict=True)]
            result[0] += c
        return result

    def value(a: list[Fraction], s: int) -> Fraction:
        return sum((c * s**k for k, c in enumerate(a)), Fraction(0))

    slope = [k * c for k, c in enumerate(x)][1:]
    moments: list[Any] = [np.array([integral(shifted(k), x)], dtype=object) for k in range(3)]
    at = [np.array([value(x, s)], dtype=object) for s in (0, -1)]
    found = legendre_moments(at[0], at[1], moments)
    assert [one[0] for one in found] == [integral(shifted(k), slope) for k in range(4)]


def test_bad_delays_are_refused() -> None:
    with pytest.raises(hh.InputError, match=r"`delay` = 0 s: must be positive"):
        certify_linear_delay(FIRST, 0.0)
    with pytest.raises(hh.InputError, match=r"`delay` = \(2, 1\) s: the shortest comes first; exchange them"):
        certify_linear_delay(FIRST, (2.0, 1.0))
    with pytest.raises(hh.InputError, match=r"`order` = 13: must be a whole number from 0 to 12"):
        certify_linear_delay(FIRST, 1.0, order=13)
    with pytest.raises(hh.InputError, match=r"must be a LinearDelaySystem; of a DelayedNetwork take `\.linear"):
        certify_linear_delay(np.eye(2), 1.0)  # type: ignore[arg-type]
    with pytest.raises(hh.InputError, match=r"`solver` = 'MOSEK': must be one of CLARABEL, SCS, or None"):
        certify_linear_delay(FIRST, 1.0, solver="MOSEK")
    with pytest.raises(hh.InputError, match=r"`shortest` = 2 s: must be below `longest` = 1 s"):
        certify_range(FIRST, 2.0, 1.0)
    with pytest.raises(hh.InputError, match=r"`LinearDelaySystem.matrix` has shape \(1, 2\): must be square, \(n, n\)"):
        LinearDelaySystem(matrix=[[1.0, 2.0]], late=[[1.0]])
    with pytest.raises(hh.InputError, match=r"`LinearDelaySystem.late\[0, 0\] = nan`: must be finite"):
        LinearDelaySystem(matrix=[[1.0]], late=[[np.nan]])
