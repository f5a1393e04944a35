"""For which delays linear systems are stable: exact limits, both ends of windows, and the characteristic roots."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import hopfield_hw as hh
from hopfield_hw.analysis import characteristic_roots, critical_delay, find_delay_windows, linearise_delays
from hopfield_hw.transforms import add_delay
from hopfield_hw.values.errors import AccuracyError, InputError

THIRD = np.array([[-0.1052, -0.5069, -0.1121], [-0.0257, -0.2808, 0.0212], [0.1205, -0.2153, 0.1315]])
FOURTH = np.array([[13.6014, -2.9616, -0.6936], [7.4736, 21.6810, 3.2100], [0.7290, -2.6334, -20.1300]])
CASES: dict[str, tuple[Any, Any, tuple[float, float]]] = {
    "two states": ([[-2.0, 0.0], [0.0, -0.9]], [[-1.0, 0.0], [-1.0, -1.0]], (0.0, 6.17258)),
    "a window": ([[0.0, 1.0], [-2.0, 0.1]], [[0.0, 0.0], [1.0, 0.0]], (0.1002, 1.7178)),
    "local field": (
        -np.diag([4.1889, 0.7160, 1.9985]),
        THIRD @ np.diag([0.4219, 3.8993, 1.0160]),
        (0.0, 2.7732),
    ),
    "static field": (
        -np.diag([7.3458, 6.9987, 5.5949]),
        np.diag([0.3680, 0.1795, 0.2876]) @ FOURTH,
        (0.0, 2.2321),
    ),
}


@pytest.mark.parametrize(("matrix", "delayed", "window"), CASES.values(), ids=CASES)
def test_the_limits_of_published_systems(matrix: Any, delayed: Any, window: tuple[float, float]) -> None:
    found = find_delay_windows(matrix, delayed)
    assert found.agrees
    (low, high), *others = found.windows
    assert not others
    assert (low, high) == pytest.approx(window, abs=1e-4)
    for end in {low, high} - {0.0}:
        roots = characteristic_roots(matrix, [delayed], [end]).roots
        assert np.min(np.abs(roots.real)) < 1e-10


@pytest.mark.parametrize("a", [-1.5, -2.0, -4.0])
def test_a_scalar_limit_is_its_formula(a: float) -> None:
    found = find_delay_windows([[-1.0]], [[a]])
    assert found.windows[0] == (0.0, pytest.approx(np.arccos(1.0 / a) / np.sqrt(a * a - 1.0), abs=1e-13))
    assert found.frequencies[0] == pytest.approx(np.sqrt(a * a - 1.0), abs=1e-13)
    assert set(found.directions.tolist()) == {1}


@pytest.mark.parametrize("w2", [1.2, 3.0])
def test_windows_of_an_oscillator_by_its_formula(w2: float) -> None:
    """x'' + 0.2 x' + w2 x = 0.5 x(t - h): w^4 + (0.04 - 2 w2) w^2 + w2^2 - 0.25 = 0, and h from the angle at each."""
    c, k = 0.2, 0.5
    found = find_delay_windows([[0.0, 1.0], [-w2, -c]], [[0.0, 0.0], [k, 0.0]], h_max=25.0, check=False)
    squares = np.roots([1.0, c * c - 2.0 * w2, w2 * w2 - k * k])
    expected = []
    for w in np.sqrt(squares[np.isreal(squares)].real):
        angle = (-np.angle((w2 - w * w + 1j * c * w) / k)) % (2.0 * np.pi)
        expected += [(angle + 2.0 * np.pi * m) / w for m in range(30)]
    expected = sorted(h for h in expected if h <= 25.0)
    np.testing.assert_allclose(found.delays, expected, atol=1e-10)


@pytest.mark.parametrize("seed", range(8))
def test_random_systems_agree_with_their_roots(seed: int) -> None:
    rng = np.random.default_rng(seed)
    n = 1 + seed % 4
    matrix, delayed = rng.normal(size=(n, n)) - 1.2 * np.eye(n), rng.normal(size=(n, n))
    found = find_delay_windows(matrix, delayed)
    assert found.agrees
    for h in rng.uniform(0.0, 0.5 * found.until + 0.1, 3):
        unstable = int(np.sum(characteristic_roots(matrix, [delayed], [h], count=60).roots.real > 0.0))
        passed = found.delays < h
        weights = found.directions[passed]
        assert unstable == found.unstable_at_zero + 2 * int(weights.sum())
        assert any(a < h < b for a, b in found.windows) == (unstable == 0)


def test_a_system_that_no_delay_moves() -> None:
    found = find_delay_windows([[-2.0]], [[1.0]])
    assert found.windows == ((0.0, np.inf),)
    assert not found.delays.size
    assert find_delay_windows([[2.0]], [[1.0]]).windows == ()
    assert "every longer one" in str(found)


def test_a_wrong_direction_is_seen_by_the_roots(monkeypatch: pytest.MonkeyPatch) -> None:
    from hopfield_hw.analysis import delay_windows

    right = delay_windows._directed

    def turned(*args: Any) -> Any:
        return [crossing._replace(direction=-crossing.direction) for crossing in right(*args)]

    monkeypatch.setattr(delay_windows, "_directed", turned)
    assert not find_delay_windows([[-1.0]], [[-2.0]], h_max=5.0).agrees


def test_a_network_is_as_its_formula() -> None:
    net = hh.Network(weights=[[0.0, -1e-4], [-1e-4, 0.0]], resistance=1e4, capacitance=1e-8, gain=hh.Tanh(gain=2.0))
    terms = linearise_delays(add_delay(net, 1e-5), [0.0, 0.0])
    (low, high), *_ = find_delay_windows(terms.matrix, terms.delayed[0], h_max=1e-3).windows or ((0.0, 0.0),)
    # The other mode, +2, is unstable without any delay, so no delay makes it stable; the mode -2 crosses as told.
    assert (low, high) == (0.0, 0.0)
    crossing = find_delay_windows(terms.matrix, terms.delayed[0], h_max=2e-4).delays[0]
    assert crossing == pytest.approx(critical_delay(net), rel=1e-9)


BAD: dict[str, tuple[Any, str]] = {
    "singular": (
        ([[-1.0]], [[1.0]]),
        "find_delay_windows: A + Ad is singular, so 0 is a root at every delay; take that state out",
    ),
    "many": (
        (-np.eye(21), np.eye(21)),
        "find_delay_windows: 21 states; at most 20, as the pencil has 2 n^2 rows",
    ),
    "shape": ((np.eye(2), [[1.0]]), "`delayed[0]` has shape (1, 1): must have shape (2, 2)"),
}


@pytest.mark.parametrize(("args", "message"), BAD.values(), ids=BAD)
def test_bad_input_is_refused(args: Any, message: str) -> None:
    with pytest.raises(InputError) as refused:
        find_delay_windows(*args)
    assert str(refused.value) == message


def test_a_chain_of_equal_stages_is_refused() -> None:
    with pytest.raises(AccuracyError) as caught:
        find_delay_windows(-np.eye(10) + np.eye(10, k=1), -2.0 * np.eye(10))
    assert str(caught.value) == (
        "find_delay_windows: the root j 1.73205 rad/s on the imaginary axis at h = 1.2092 s is multiple with fewer "
        "eigenvectors, as in a chain of equal stages, so the way in which it crosses is not computed; take one stage "
        "alone, or make the stages differ"
    )


def test_where_no_crossing_is_found_the_roots_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hopfield_hw.analysis.delay_windows._crossings", lambda *args: [])
    assert find_delay_windows([[-2.0]], [[-1.0]]).agrees
    assert not find_delay_windows([[-1.0]], [[-2.0]]).agrees
