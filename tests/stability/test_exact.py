"""Exact limits of linear systems with delay, by two methods that share nothing."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from delayed_cases import FIRST, FOUR, SEVENTH, STATIC, THREE, TWO, WINDOW

from hopfield_hw.stability import (
    LinearDelaySystem,
    largest_stable_delay,
    rightmost_root,
    stable_windows,
)
from hopfield_hw.stability import exact as module
from hopfield_hw.values.errors import AccuracyError

SCALAR = LinearDelaySystem(matrix=[[-1.0]], late=[[-2.0]])


@pytest.mark.parametrize(("gain", "delay"), [(1.5, 2.05765), (2.0, 1.20920), (4.0, 0.47082)])
def test_a_scalar_oscillates_from_the_formula_on(gain: float, delay: float) -> None:
    """x' = -x - g x(t - h): h = arccos(-1/g) / sqrt(g^2 - 1) (Marcus and Westervelt 1989)."""
    system = LinearDelaySystem(matrix=[[-1.0]], late=[[-gain]])
    formula = np.arccos(-1.0 / gain) / np.sqrt(gain**2 - 1.0)
    found = largest_stable_delay(system, 10.0)
    np.testing.assert_allclose(found, formula, rtol=1e-12)
    assert found == pytest.approx(delay, abs=1e-5)


def test_published_limits_and_windows() -> None:
    assert largest_stable_delay(FIRST, 20.0) == pytest.approx(6.17258, abs=1e-5)
    ((start, end),) = stable_windows(WINDOW, 10.0)
    assert (start, end) == (pytest.approx(0.1002, abs=5e-5), pytest.approx(1.7178, abs=1e-4))
    assert largest_stable_delay(THREE.linear(), 20.0) == pytest.approx(2.7732, abs=1e-4)
    assert largest_stable_delay(STATIC.linear(), 20.0) == pytest.approx(2.2321, abs=1e-4)
    for network in (FOUR, TWO, SEVENTH):
        assert largest_stable_delay(network.linear(), 100.0) == 100.0


def test_roots_that_are_several_at_once_count_as_often() -> None:
    both = LinearDelaySystem(matrix=-np.eye(2), late=-2.0 * np.eye(2))
    ((start, end),) = stable_windows(both, 2.0)
    assert start == 0.0
    np.testing.assert_allclose(end, np.arccos(-0.5) / np.sqrt(3.0), rtol=1e-9)


@pytest.mark.parametrize("seed", range(6))
def test_windows_agree_with_the_rightmost_root(seed: int) -> None:
    rng = np.random.default_rng(seed)
    n = int(rng.integers(1, 4))
    system = LinearDelaySystem(matrix=rng.normal(size=(n, n)) - np.eye(n), late=rng.normal(size=(n, n)))
    windows = stable_windows(system, 4.0)
    for delay in rng.uniform(0.0, 4.0, 8).tolist():
        root = rightmost_root(system, delay).real
        if abs(root) > 1e-3:
            assert (root < 0.0) == any(a <= delay <= b for a, b in windows)


def test_a_root_at_zero_leaves_no_window() -> None:
    assert stable_windows(LinearDelaySystem(matrix=[[-1.0]], late=[[1.0]]), 5.0) == ()
    assert stable_windows(LinearDelaySystem(matrix=[[1.0]], late=[[1.0]]), 5.0) == ()


def fails(*args: Any, **fields: Any) -> Any:
    raise np.linalg.LinAlgError("no convergence")


def test_windows_that_the_roots_do_not_confirm_are_none(monkeypatch: pytest.MonkeyPatch) -> None:
    """The roots counted beside each crossing are made wrong; then the crossings are moved."""
    monkeypatch.setattr("hopfield_hw.analysis.delay_windows._sides", lambda *args: (2, 2))
    with pytest.raises(AccuracyError, match=r"^stable_windows: the characteristic roots do not agree with the cross"):
        stable_windows(SCALAR, 5.0)
    assert largest_stable_delay(SCALAR, 5.0) == pytest.approx(1.2092, abs=1e-4)
    for end in (1.1, 1.3):
        found = SimpleNamespace(windows=((0.0, end),), agrees=True)
        monkeypatch.setattr(module, "find_delay_windows", lambda *args, found=found, **fields: found)
        with pytest.raises(AccuracyError, match=rf"^largest_stable_delay: at {end} s a root should go to the right"):
            largest_stable_delay(SCALAR, 5.0)


def test_eigenvalues_that_are_not_found_are_said_to_be_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "find_delay_windows", fails)
    with pytest.raises(AccuracyError, match=r"^stable_windows: the crossings were not found \(no convergence\)"):
        stable_windows(SCALAR, 5.0)
    monkeypatch.setattr(module, "characteristic_roots", fails)
    with pytest.raises(AccuracyError, match=r"^rightmost_root: the eigenvalues were not found \(no convergence\)"):
        rightmost_root(SCALAR, 1.0)
    monkeypatch.setattr(module, "characteristic_roots", lambda *args: SimpleNamespace(roots=np.zeros(0)))
    with pytest.raises(AccuracyError, match=r"^rightmost_root: no characteristic root was found at the delay 1 s$"):
        rightmost_root(SCALAR, 1.0)
