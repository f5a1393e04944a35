"""Nearest points of linear limits and balls: closed forms, random sets against another method, and empty sets."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize

from hopfield_hw.problems.nearest_points import Ball, LinearLimits, nearest_point
from hopfield_hw.values.arrays import Array


def limits(n: int, rows: object = (), most: object = (), equations: object = (), values: object = ()) -> LinearLimits:
    g, a = (np.array(each, dtype=float).reshape(-1, n) for each in (rows, equations))
    return LinearLimits(g, np.array(most, dtype=float), a, np.array(values, dtype=float))


def simplex(n: int) -> LinearLimits:
    return limits(n, -np.eye(n), np.zeros(n), np.ones(n), [1.0])


def on_simplex(point: Array) -> Array:
    """The projection by sorting: max(point - t, 0), whose sum is 1."""
    falling = np.sort(point)[::-1]
    thresholds = (np.cumsum(falling) - 1.0) / np.arange(1, point.size + 1)
    t = thresholds[np.flatnonzero(falling > thresholds)[-1]]
    return np.asarray(np.maximum(point - t, 0.0))


def found(point: object, within: LinearLimits, balls: tuple[Ball, ...] = ()) -> Array:
    x = nearest_point(np.array(point, dtype=float), within, balls)
    assert x is not None
    return x


def ball(variables: tuple[int, ...], centre: object, radius: float) -> Ball:
    return Ball(variables, np.array(centre, dtype=float), radius)


def test_closed_forms() -> None:
    np.testing.assert_allclose(found([2.0, 3.0], limits(2)), [2.0, 3.0])
    np.testing.assert_allclose(found([2.0, 2.0], limits(2, [1.0, 1.0], [2.0])), [1.0, 1.0], atol=1e-14)
    np.testing.assert_allclose(found([0.0, 1.0], limits(2, [1.0, 1.0], [2.0])), [0.0, 1.0], atol=0.0)
    np.testing.assert_allclose(found([1.0, 5.0], limits(2, equations=[0.0, 2.0], values=[4.0])), [1.0, 2.0], atol=1e-14)
    disk = ball((0, 1), [1.0, 0.0], 2.0)
    np.testing.assert_allclose(found([1.0, 8.0], limits(2), (disk,)), [1.0, 2.0], atol=1e-12)
    np.testing.assert_allclose(found([1.0, 0.5], limits(2), (disk,)), [1.0, 0.5], atol=0.0)
    # The corner of the disk |x| <= 1 and the half plane x_0 >= 0.6.
    corner = found([-3.0, 2.0], limits(2, [-1.0, 0.0], [-0.6]), (ball((0, 1), [0.0, 0.0], 1.0),))
    np.testing.assert_allclose(corner, [0.6, 0.8], atol=1e-12)
    # Two disks meet at (0, +-sqrt(3)/2).
    pair = (ball((0, 1), [-0.5, 0.0], 1.0), ball((0, 1), [0.5, 0.0], 1.0))
    np.testing.assert_allclose(found([0.0, 3.0], limits(2), pair), [0.0, np.sqrt(0.75)], atol=1e-8)


@settings(max_examples=25)
@given(seed=st.integers(0, 2**31))
def test_the_simplex_by_sorting(seed: int) -> None:
    rng = np.random.default_rng(seed)
    point = rng.normal(size=int(rng.integers(1, 9))) * 10.0 ** rng.uniform(-2.0, 3.0)
    rounding = 1e-14 * max(1.0, float(np.abs(point).max()))
    np.testing.assert_allclose(found(point, simplex(point.size)), on_simplex(point), rtol=1e-12, atol=rounding)


@pytest.mark.parametrize("seed", range(8))
def test_random_sets_against_another_method(seed: int) -> None:
    """Rows, dependent equations and a ball about a point of their own, against SLSQP."""
    rng = np.random.default_rng(seed)
    n, inside = 6, rng.normal(size=6)
    g, a = rng.normal(size=(4, n)), rng.normal(size=(2, n))
    a = np.vstack([a, a[0] - 2.0 * a[1]])
    h, b = g @ inside + rng.uniform(0.0, 0.3, 4), a @ inside
    centre = inside[:3] + 0.2 * rng.normal(size=3)
    disk = ball((0, 1, 2), centre, float(np.linalg.norm(inside[:3] - centre)) + 0.1)
    point = inside + 3.0 * rng.normal(size=n)
    x = found(point, LinearLimits(g, h, a, b), (disk,))
    assert np.max(g @ x - h) < 1e-10
    assert np.max(np.abs(a @ x - b)) < 1e-10
    assert float(disk.excess(x)) < 1e-10
    other = minimize(
        lambda z: 0.5 * np.sum((z - point) ** 2),
        inside,
        jac=lambda z: z - point,
        method="SLSQP",
        options={"ftol": 1e-15, "maxiter": 500},
        constraints=[
            {"type": "ineq", "fun": lambda z: h - g @ z, "jac": lambda z: -g},
            {"type": "eq", "fun": lambda z: a[:2] @ z - b[:2], "jac": lambda z: a[:2]},
            {"type": "ineq", "fun": lambda z: disk.radius**2 - np.sum((z[:3] - centre) ** 2)},
        ],
    )
    assert float(np.sum((x - point) ** 2)) <= 2.0 * float(other.fun) + 1e-8
    np.testing.assert_allclose(x, other.x, atol=1e-4)
    for _ in range(20):  # (point - x)^T (y - x) <= 0 for y within
        y = found(inside + rng.normal(size=n), LinearLimits(g, h, a, b), (disk,))
        assert float((point - x) @ (y - x)) <= 1e-8


def test_limits_of_other_sizes_give_the_same_point() -> None:
    rng = np.random.default_rng(0)
    g, point = rng.normal(size=(5, 4)), 5.0 * rng.normal(size=4)
    h, sizes = g @ np.ones(4) + 0.1, 10.0 ** rng.uniform(-6.0, 6.0, 5)
    one, other = limits(4, g, h), limits(4, g * sizes[:, np.newaxis], h * sizes)
    np.testing.assert_allclose(found(point, one), found(point, other), atol=1e-12)


def test_empty_sets_have_no_nearest_point() -> None:
    point = np.array([0.3, -0.2])
    empty = {
        "rows": limits(2, [[1.0, 1.0], [-1.0, -1.0]], [1.0, -2.0]),
        "equations": limits(2, equations=[[1.0, 1.0], [1.0, 1.0]], values=[1.0, 2.0]),
        "rows on a line": limits(2, [1.0, 1.0], [0.5], [1.0, 1.0], [1.0]),
        "a row of zeros": limits(2, [0.0, 0.0], [-1.0]),
    }
    for within in empty.values():
        assert nearest_point(point, within, ()) is None
    half = limits(2, [-1.0, 0.0], [-1.5])
    assert nearest_point(point, half, (ball((0, 1), [0.0, 0.0], 1.0),)) is None
    assert nearest_point(point, half, (ball((0, 1), [0.0, 0.0], 1.6),)) is not None
