"""Tuning: seeded, better than its start, and honest about what it tried."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from models import max_cut, qubo, random_graph

from hopfield_hw.annealing import PRESETS, BallisticBifurcation, IsingModel, time_to_solution, tune
from hopfield_hw.values.errors import InputError


def test_it_improves_a_poor_start_and_says_what_it_tried() -> None:
    model = IsingModel.max_cut(random_graph(30, 0.5, 7))
    poor = BallisticBifurcation(t_stop=20.0, step=0.5, leak=(1.0, 0.6), coupling=0.2)
    first, second = (tune(model, poor, trials=12, reads=64, seed=1) for _ in range(2))
    assert first.gain > 1.5
    assert [trial.cost for trial in first.trials] == [trial.cost for trial in second.trials]
    assert len(first.trials) == 12
    assert first.trials[0].dynamics is poor
    best = min(first.trials, key=lambda trial: trial.cost)
    assert first.dynamics is best.dynamics
    assert best.successes[0] > 0
    rate = (best.successes[0] + 0.5) / 65.0
    assert best.cost == pytest.approx(time_to_solution(best.dynamics.steps, rate))


def test_other_seeds_try_other_numbers() -> None:
    model = max_cut(12)
    found = [tune(model, trials=3, reads=16, seed=seed).trials[1].dynamics.t_stop for seed in (0, 1)]
    assert found[0] != found[1]


def test_a_target_that_none_reaches_counts_as_no_success() -> None:
    result = tune(max_cut(12), trials=3, reads=16, targets=[-1e6])
    assert all(trial.successes == (0,) for trial in result.trials)
    assert result.targets == (-1e6,)


def test_time_to_solution() -> None:
    assert time_to_solution(2.0, 0.0) == math.inf
    assert time_to_solution(2.0, 0.9) == pytest.approx(4.0)
    assert time_to_solution(2.0, 0.99) == 2.0
    assert time_to_solution(2.0, 1.0) == 2.0
    assert np.isclose(time_to_solution(1.0, 0.01), math.log(0.01) / math.log(0.99))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: tune([]), "`models` are of the kinds: none; must be at least one model, all of one kind"),
        (
            lambda: tune([max_cut(), qubo()]),
            "`models` are of the kinds: binary, ising; must be at least one model, all of one kind",
        ),
        (
            lambda: tune(max_cut(), "balistic"),
            f"preset 'balistic' is unknown: must be one of {', '.join(PRESETS)}; did you mean 'ballistic'?",
        ),
        (lambda: tune(max_cut(), targets=[1.0, 2.0]), "`targets` has 2 energies: must have 1, one a model"),
    ],
)
def test_what_cannot_be_tuned_is_refused(call: Any, message: str) -> None:
    with pytest.raises(InputError) as caught:
        call()
    assert str(caught.value) == message
