"""The largest step with which the scheme of `dynamics` follows its equation where neurons are not saturated."""

from __future__ import annotations

import math

import numpy as np

from ..values.errors import InputError
from .dynamics import BallisticBifurcation, Dynamics, Hysteresis
from .models import GroupedModel, Model, Quadratic, dense_of
from .polynomial import PolynomialModel
from .presets import as_dynamics
from .program import scale_of

DENSE = 400  # neurons up to which all eigenvalues are computed
POINTS = 1025  # of the schedules
GROUP_SLOPE = 0.5  # a softmax has at most this slope, in any direction, for a gain of 1


def largest_step(model: Model, dynamics: Dynamics | str) -> float:
    """Return the step, in R C, below which no linear mode grows by the step alone, at any time of the schedules.

    With lambda the least eigenvalue of -J / scale, or 0 where that is positive: first order steps are stable for
    h (leak + coupling gain |lambda| + feedback gain) < 2, those of a bifurcation for
    h^2 (leak + coupling |lambda|) < 4 (semi-implicit Euler). What is returned is the largest h for all times.

    Presets for the least time to solution go beyond it towards their end, where most neurons are saturated and the
    slope that counts is 0; a step that is to follow the equation stays below.

    Raises InputError for polynomial models, which have no one slope, and for Hysteresis, whose outputs jump.
    """
    dynamics = as_dynamics(dynamics)
    dynamics.program(model.kind)  # refuses what does not fit
    for what in (model, dynamics):
        if isinstance(what, Hysteresis | PolynomialModel):
            raise InputError(
                f"largest_step: a {type(what).__name__} has no linear modes; compare runs with a step and half of it"
            )
    assert isinstance(model, Quadratic | GroupedModel)
    u = np.linspace(0.0, 1.0, POINTS)
    found_at = {name: schedule.at(u) for name, schedule in dynamics.schedules.items()}
    leak, coupling = (found_at.get(name, np.ones(POINTS)) for name in ("leak", "coupling"))
    lowest = max(0.0, -_least_eigenvalue(model))
    if isinstance(dynamics, BallisticBifurcation):
        stiffest = float(np.max(leak + coupling * lowest))
        return 2.0 / math.sqrt(stiffest) if stiffest > 0.0 else math.inf
    gain = found_at.get("gain", np.ones(POINTS)) * (GROUP_SLOPE if isinstance(model, GroupedModel) else 1.0)
    fastest = float(np.max(leak + gain * (coupling * lowest + found_at.get("feedback", np.zeros(POINTS)))))
    return 2.0 / fastest if fastest > 0.0 else math.inf


def _least_eigenvalue(model: Quadratic | GroupedModel) -> float:
    """Return that of -J / scale."""
    from scipy.sparse.linalg import eigsh

    if model.size == 0:
        return 0.0
    if model.size <= DENSE:
        largest = float(np.linalg.eigvalsh(dense_of(model.couplings))[-1])
    else:
        start = np.random.default_rng(0).normal(size=model.size)
        largest = float(eigsh(model.couplings, k=1, which="LA", v0=start, return_eigenvectors=False)[0])
    return -largest / scale_of(model)
