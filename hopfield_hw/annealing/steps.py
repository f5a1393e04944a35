"""The largest step with which the scheme of `dynamics` follows its equation where neurons are not saturated."""

from __future__ import annotations

import math

import numpy as np

from ..values.arrays import Array
from ..values.errors import InputError
from .dynamics import AmplitudeCorrection, BallisticBifurcation, DiscreteBifurcation, Dynamics, Hysteresis
from .models import GroupedModel, Model, Quadratic, dense_of
from .polynomial import PolynomialModel
from .presets import as_dynamics
from .program import LARGEST_FACTOR, scale_of

DENSE = 400  # neurons up to which all eigenvalues are computed
POINTS = 1025  # of the schedules, beside their knots
GROUP_SLOPE = 0.5  # a softmax has at most this slope, in any direction, for a gain of 1


def largest_step(model: Model, dynamics: Dynamics | str) -> float:
    """Return a step h, in R C, up to which no linear mode grows by the step alone, at any time of the schedules.

    With lambda from the least to the largest eigenvalue of -J / scale, 0 among them as neurons may be saturated, a mode
    of first order decays at the rate leak - gain (coupling lambda - feedback), and steps are stable while h times the
    fastest rate is below 2; in a bifurcation h^2 (leak - coupling lambda) is to be below 4 (semi-implicit Euler). In
    amplitude correction the coupling counts 20 times, as its factors may. It is the largest such step but for chaotic
    annealing, whose scheme bears somewhat more.

    Presets for the least time to solution go beyond it towards their end, where most neurons are saturated and the
    slope that counts is 0; a step that is to follow the equation stays below.

    Raises InputError for polynomial models, which have no one slope, for outputs that jump (DiscreteBifurcation,
    Hysteresis), and for what is no model.
    """
    if not isinstance(model, Model):
        raise InputError(f"`model` = {model!r:.60}: must be an IsingModel, BinaryModel or GroupedModel")
    dynamics = as_dynamics(dynamics)
    dynamics.program(model.kind)  # refuses what does not fit
    for what in (model, dynamics):
        if isinstance(what, PolynomialModel | DiscreteBifurcation | Hysteresis):
            raise InputError(
                f"largest_step: a {type(what).__name__} has no linear modes; compare runs with a step and half of it"
            )
    assert isinstance(model, Quadratic | GroupedModel)
    leak, coupling = (_values(dynamics, name, 1.0) for name in ("leak", "coupling"))
    pulls = [np.zeros_like(coupling), *(coupling * end for end in _eigenvalues(model))]
    if isinstance(dynamics, BallisticBifurcation):
        stiffest = float(np.max([leak - pull for pull in pulls]))
        return 2.0 / math.sqrt(stiffest) if stiffest > 0.0 else math.inf
    factor = float(LARGEST_FACTOR) if isinstance(dynamics, AmplitudeCorrection) else 1.0
    gain = _values(dynamics, "gain", 1.0) * (GROUP_SLOPE if isinstance(model, GroupedModel) else 1.0)
    feedback = _values(dynamics, "feedback", 0.0)
    fastest = float(np.max([leak, *(leak - gain * (factor * pull - feedback) for pull in pulls)]))
    return 2.0 / fastest if fastest > 0.0 else math.inf


def _values(dynamics: Dynamics, name: str, otherwise: float) -> Array:
    """Return a schedule at the knots of all of them, and between."""
    schedules = dynamics.schedules
    u = np.unique(np.concatenate([np.linspace(0.0, 1.0, POINTS), *(each.knots() for each in schedules.values())]))
    return schedules[name].at(u) if name in schedules else np.full(u.size, otherwise)


def _eigenvalues(model: Quadratic | GroupedModel) -> tuple[float, float]:
    """Return the least and the largest of -J / scale."""
    from scipy.sparse.linalg import eigsh

    scale = scale_of(model)
    if model.size == 0:
        return 0.0, 0.0
    if model.size <= DENSE:
        found = np.linalg.eigvalsh(dense_of(model.couplings))
        return -float(found[-1]) / scale, -float(found[0]) / scale
    start = np.random.default_rng(0).normal(size=model.size)
    ends = eigsh(model.couplings, k=2, which="BE", v0=start, return_eigenvectors=False)
    return -float(np.max(ends)) / scale, -float(np.min(ends)) / scale
