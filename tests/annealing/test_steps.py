"""The largest step, against the linear steps themselves: just below it no mode grows, just above one does."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import scipy.sparse as sp
from models import cubic, max_cut, qubo

from hopfield_hw.annealing import (
    PRESETS,
    AmplitudeCorrection,
    BallisticBifurcation,
    ChaoticAnnealing,
    GainRamp,
    GroupedModel,
    Hysteresis,
    IsingModel,
    Tabulated,
    anneal,
    largest_step,
)
from hopfield_hw.annealing.models import dense_of
from hopfield_hw.annealing.program import scale_of
from hopfield_hw.values.errors import InputError


def growth(model: Any, dynamics: Any, h: float) -> float:
    """The spectral radius of one step around x = 0."""
    force, n = -dense_of(model.couplings) / scale_of(model), model.size
    at = {name: float(schedule.at(np.zeros(()))) for name, schedule in dynamics.schedules.items()}
    leak, c = at["leak"], at.get("coupling", 1.0)
    if isinstance(dynamics, BallisticBifurcation):
        stiffness = leak * np.eye(n) - c * force
        step = np.block([[np.eye(n) - h * h * stiffness, h * np.eye(n)], [-h * stiffness, np.eye(n)]])
    else:
        slope = at["gain"] * (c * force - at.get("feedback", 0.0) * np.eye(n))
        step = np.eye(n) + h * (slope - leak * np.eye(n))
    return float(np.max(np.abs(np.linalg.eigvals(step))))


# All modes decay with small steps: a gain, or a coupling, below threshold.
BELOW = [
    GainRamp(t_stop=10.0, step=0.1, gain=0.2, leak=1.3),
    ChaoticAnnealing(t_stop=10.0, step=0.1, gain=0.5, feedback=2.0, coupling=0.4),
    BallisticBifurcation(t_stop=10.0, step=0.1, leak=1.5, coupling=0.5),
]


@pytest.mark.parametrize("dynamics", BELOW, ids=lambda each: type(each).__name__)
def test_a_mode_grows_just_above_it_and_none_below(dynamics: Any) -> None:
    model = max_cut(20)
    h = largest_step(model, dynamics)
    assert growth(model, dynamics, 0.99 * h) <= 1.0 + 1e-9
    assert growth(model, dynamics, 1.01 * h) > 1.0 + 1e-3


def test_signs_peaks_and_factors_count() -> None:
    model = max_cut(20)
    ends = np.linalg.eigvalsh(-dense_of(model.couplings) / scale_of(model))
    turned = BallisticBifurcation(t_stop=10.0, step=0.1, leak=3.0, coupling=-1.0)
    assert largest_step(model, turned) == pytest.approx(2.0 / np.sqrt(3.0 + ends[-1]))
    assert growth(model, turned, 1.01 * largest_step(model, turned)) > 1.0 + 1e-3
    negative = GainRamp(t_stop=10.0, step=0.1, gain=-1.0)
    assert largest_step(model, negative) == pytest.approx(2.0 / (1.0 + ends[-1]))
    times, table = np.array([0.0, 0.0005, 0.00055, 0.0006, 1.0]), np.array([0.1, 0.1, 50.0, 0.1, 0.1])
    peak = GainRamp(t_stop=10.0, step=0.1, gain=Tabulated(times=times, table=table))
    assert largest_step(model, peak) == largest_step(model, GainRamp(t_stop=10.0, step=0.1, gain=50.0))


def test_amplitude_correction_follows_its_equation_below_it() -> None:
    """At the step that leaves its factors out, 1.27, neurons change their sign with every step."""
    rng = np.random.default_rng(0)
    upper = np.triu(rng.choice([-1.0, 1.0], (20, 20)), 1)
    model = IsingModel(couplings=upper + upper.T)
    dynamics = AmplitudeCorrection(t_stop=100.0, step=0.1, leak=1.0, coupling=0.3, rate=0.2, target=1.0)
    h = largest_step(model, dynamics)
    fine = anneal(model, replace(dynamics, step=h / 4.0), reads=64, seed=1).energies
    found = anneal(model, replace(dynamics, step=0.9 * h), reads=64, seed=1).energies
    assert np.mean(found) == pytest.approx(np.mean(fine), abs=1.0)
    assert np.mean(anneal(model, replace(dynamics, step=10.0 * h), reads=64, seed=1).energies) > np.mean(fine) + 10.0


def test_the_worst_time_of_the_schedules_counts() -> None:
    model = max_cut(20)
    ramp = GainRamp(t_stop=10.0, step=0.1, gain=(0.2, 4.0))
    assert largest_step(model, ramp) == largest_step(model, replace(ramp, gain=4.0))
    assert PRESETS["first_order"].step > largest_step(model, "first_order")


def test_sparse_models_groups_and_models_without_couplings() -> None:
    ring = sp.csr_array(np.roll(np.eye(500), 1, axis=1) + np.roll(np.eye(500), -1, axis=1))
    model = IsingModel(couplings=ring)  # eigenvalues 2 cos, scale sqrt(2)
    ramp = GainRamp(t_stop=10.0, step=0.1)
    assert largest_step(model, ramp) == pytest.approx(2.0 / (1.0 + 2.0 / np.sqrt(2.0)), rel=1e-9)
    colouring = GroupedModel.colouring(np.ones((4, 4)) - np.eye(4), 3)  # eigenvalue 3, scale sqrt(3)
    assert largest_step(colouring, ramp) == pytest.approx(2.0 / (1.0 + 0.5 * np.sqrt(3.0)), rel=1e-9)
    assert largest_step(IsingModel(couplings=np.zeros((3, 3))), ramp) == 2.0
    still = BallisticBifurcation(t_stop=10.0, step=0.1, leak=0.0)
    assert largest_step(IsingModel(couplings=np.zeros((3, 3))), still) == np.inf


@pytest.mark.parametrize(
    ("model", "dynamics", "message"),
    [
        (
            cubic(),
            GainRamp(t_stop=1.0, step=0.1),
            "largest_step: a PolynomialModel has no linear modes; compare runs with a step and half of it",
        ),
        (
            max_cut(4),
            Hysteresis(t_stop=1.0, step=0.1, width=0.1),
            "largest_step: a Hysteresis has no linear modes; compare runs with a step and half of it",
        ),
        (
            max_cut(4),
            PRESETS["discrete"],
            "largest_step: a DiscreteBifurcation has no linear modes; compare runs with a step and half of it",
        ),
        ("x", "first_order", "`model` = 'x': must be an IsingModel, BinaryModel or GroupedModel"),
        (
            qubo(4),
            BallisticBifurcation(t_stop=1.0, step=0.1),
            "`BallisticBifurcation` does not anneal models of kind 'binary': must be one of ising; take GainRamp, or "
            "convert the model (to_ising, to_binary)",
        ),
    ],
)
def test_what_has_no_linear_modes_is_refused(model: Any, dynamics: Any, message: str) -> None:
    with pytest.raises(InputError) as caught:
        largest_step(model, dynamics)
    assert str(caught.value) == message
