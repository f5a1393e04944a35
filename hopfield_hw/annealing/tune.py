"""A short seeded search for the numbers of a dynamics."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np

from ..values.arrays import Array, positive, whole
from ..values.brief import Brief
from ..values.errors import InputError
from .dynamics import Dynamics
from .models import Model
from .presets import as_dynamics, default_preset
from .run import MOST_READS, anneal
from .schedules import Constant, Schedule, Tabulated

CONFIDENCE = 0.99  # of a time to solution
TOLERANCE = 1e-9  # of an energy, relative: what counts as reached


@dataclass(frozen=True, kw_only=True, eq=False)
class Trial(Brief):
    """One dynamics that was tried. `successes`: reads at the target, by model. `cost`: geometric mean TTS99, steps."""

    dynamics: Dynamics
    successes: tuple[int, ...]
    reads: int
    cost: float


@dataclass(frozen=True, kw_only=True, eq=False)
class Tuned(Brief):
    """What `tune` found. `dynamics`: the best one. `trials`: all that were tried, in their order, the start first.

    `targets`: the energies, by model, that count as success: given, or the least that any trial found.
    """

    dynamics: Dynamics
    trials: tuple[Trial, ...]
    targets: tuple[float, ...]

    @property
    def gain(self) -> float:
        """The cost of the start over that of the best one, both as they were measured on these models."""
        return self.trials[0].cost / min(trial.cost for trial in self.trials)


def time_to_solution(duration: float, success: float) -> float:
    """Return duration ln(1 - 0.99) / ln(1 - p), at least the duration; infinite for p = 0."""
    if success <= 0.0:
        return math.inf
    if success >= CONFIDENCE:
        return duration
    return duration * math.log(1.0 - CONFIDENCE) / math.log1p(-success)


def tune(
    models: Model | Sequence[Model],
    start: Dynamics | str | None = None,
    *,
    trials: int = 24,
    reads: int = 128,
    spread: float = 2.0,
    targets: Sequence[float] | None = None,
    seed: int = 0,
) -> Tuned:
    """Return the dynamics with the least time to solution, in steps, of random ones around a start.

    Each number of the start but zeros and exponents is multiplied by a factor, log-uniform from 1 / `spread` to
    `spread`, in the first half of the trials; in the second half by one from its square root, around the best so far.
    The cost is the geometric mean over the models of the time to solution with 99% (steps of a read), with half a
    success added, so that no success is not worth nothing. Give instances like those that matter, not those themselves.

    `start`: a dynamics, the name of a preset, or by default the preset for this kind of model. `targets`: energies that
    count as success, one a model; by default the least that any trial finds. The same arguments give the same result.

    Raises InputError for no models, models of different kinds, and numbers out of range.
    """
    given = (models,) if isinstance(models, Model) else tuple(models)
    if not given or len({model.kind for model in given}) != 1:
        kinds = ", ".join(sorted({model.kind for model in given})) or "none"
        raise InputError(f"`models` are of the kinds: {kinds}; must be at least one model, all of one kind")
    count, each = whole(trials, "trials", 1, 10_000), whole(reads, "reads", 1, MOST_READS)
    width = float(positive(spread, "spread", shape=(), unit=""))
    if targets is not None and len(targets) != len(given):
        raise InputError(f"`targets` has {len(targets)} energies: must have {len(given)}, one a model")
    rng = np.random.default_rng(whole(seed, "seed", 0, 2**63 - 1))
    first = as_dynamics(default_preset(given[0]) if start is None else start)
    tried: list[tuple[Dynamics, list[Array]]] = []
    wide = math.log(width)
    for k in range(count):
        if k == 0:
            candidate = first
        elif 2 * k < count:
            candidate = vary(first, wide, rng)
        else:
            costs = _costs(tried, _targets(tried, targets))
            candidate = vary(tried[int(np.argmin(costs))][0], 0.5 * wide, rng)
        found = [anneal(model, candidate, reads=each, seed=int(rng.integers(2**62))) for model in given]
        tried.append((candidate, [one.energies for one in found]))
    reached = _targets(tried, targets)
    costs = _costs(tried, reached)
    return Tuned(
        dynamics=tried[int(np.argmin(costs))][0],
        trials=tuple(
            Trial(dynamics=one, successes=_successes(energies, reached), reads=each, cost=cost)
            for (one, energies), cost in zip(tried, costs, strict=True)
        ),
        targets=tuple(reached),
    )


def vary(dynamics: Dynamics, width: float, rng: np.random.Generator) -> Dynamics:
    """Return a dynamics whose numbers are multiplied by exp(uniform(-width, width)), each by its own."""
    changed: dict[str, Any] = {}
    for each in fields(dynamics):
        value = getattr(dynamics, each.name)
        if each.name == "bound" or (each.name == "leak" and isinstance(value, Constant)):
            continue  # a constant leak is the unit of time
        if isinstance(value, Schedule):
            changed[each.name] = _vary_schedule(value, width, rng)
        else:
            changed[each.name] = value * _factor(width, rng)
    changed["step"] = min(changed["step"], changed["t_stop"])
    return replace(dynamics, **changed)


def _vary_schedule(schedule: Schedule, width: float, rng: np.random.Generator) -> Schedule:
    changed: dict[str, Any] = {}
    for each in fields(schedule):
        value = getattr(schedule, each.name)
        if isinstance(value, Schedule):
            changed[each.name] = _vary_schedule(value, width, rng)
        elif each.name in ("value", "start", "stop") or (each.name == "table" and isinstance(schedule, Tabulated)):
            changed[each.name] = value * _factor(width, rng)
    return replace(schedule, **changed)


def _factor(width: float, rng: np.random.Generator) -> float:
    return math.exp(float(rng.uniform(-width, width)))


def _targets(tried: list[tuple[Dynamics, list[Array]]], given: Sequence[float] | None) -> list[float]:
    if given is not None:
        return [float(each) for each in given]
    columns = zip(*(energies for _, energies in tried), strict=True)
    return [min(float(energies.min()) for energies in column) for column in columns]


def _successes(energies: list[Array], targets: list[float]) -> tuple[int, ...]:
    pairs = zip(energies, targets, strict=True)
    return tuple(int(np.sum(found <= target + TOLERANCE * max(1.0, abs(target)))) for found, target in pairs)


def _costs(tried: list[tuple[Dynamics, list[Array]]], targets: list[float]) -> list[float]:
    costs = []
    for dynamics, energies in tried:
        hits = _successes(energies, targets)
        rates = [(hit + 0.5) / (found.size + 1.0) for hit, found in zip(hits, energies, strict=True)]
        logs = [math.log(time_to_solution(dynamics.steps, rate)) for rate in rates]
        costs.append(math.exp(sum(logs) / len(logs)))
    return costs
