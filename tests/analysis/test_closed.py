"""The round that a solution goes: one that crosses its plane twice a round, one that settles, one that runs away."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from hopfield_hw.analysis.closed import last_round, rounds, sort_multipliers
from hopfield_hw.values.errors import AccuracyError


def test_one_state_that_crosses_its_plane_several_times_a_round() -> None:
    """One state alone is the same at each crossing; what it was before tells them apart."""

    def state(t: Any) -> Any:
        return (np.sin(t) + 1.5 * np.sin(2.0 * t + 0.3))[:, np.newaxis]

    end, period = last_round(state, np.linspace(0.0, 2.0, 9), 10.0, 110.0, 1.0)
    assert period == pytest.approx(2.0 * np.pi, abs=1e-9)
    assert end <= 110.0
    assert last_round(state, np.zeros(1), 10.0, 110.0, 1.0)[1] < 0.8 * period


def test_what_decays_or_moves_too_little_has_settled() -> None:
    for size in (lambda t: np.exp(-0.05 * t), lambda t: np.full_like(t, 1e-7)):
        with pytest.raises(AccuracyError, match="find_cycle: the solution settles; start elsewhere"):
            last_round(lambda t, size=size: (size(t) * np.sin(t))[:, np.newaxis], np.zeros(1), 0.0, 100.0, 1.0)


def test_what_does_not_come_back() -> None:
    with pytest.raises(AccuracyError, match="find_cycle: the solution does not come back often enough"):
        last_round(lambda t: t[:, np.newaxis], np.zeros(1), 0.0, 100.0, 1.0)


def test_multipliers_are_sorted_with_the_trivial_one_first() -> None:
    values = np.array([0.2, 3.0, 1.0 + 1e-9, -0.5j, 0.5j], dtype=complex)
    np.testing.assert_array_equal(sort_multipliers(values), [1.0 + 1e-9, 3.0, 0.5j, -0.5j, 0.2])


def test_a_motion_that_is_much_faster_than_the_run_is_resolved_by_the_steps_of_the_solver() -> None:
    def state(t: Any) -> Any:
        return np.column_stack([np.sin(t), np.cos(t)])

    end = 20_000.0
    steps = np.linspace(0.0, end, 40_001)
    assert last_round(state, np.zeros(1), 0.0, end, 1.0, steps=steps)[1] == pytest.approx(2.0 * np.pi, abs=1e-6)
    assert last_round(state, np.zeros(1), 0.0, end, 1.0)[1] > 6.5


@pytest.mark.parametrize("count", [1, 2, 9, 13, 26, 97])
def test_how_often_a_closed_solution_goes_round(count: int) -> None:
    def state(t: Any) -> Any:
        angle = 2.0 * np.pi * count * t
        return np.column_stack([np.sin(angle) + 0.4 * np.sin(2.0 * angle), np.cos(3.0 * angle)])

    assert rounds(state) == count
