"""A model annealed by a dynamics, many times at once: the batched equation."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache
from itertools import pairwise

import numpy as np

from ..values.arrays import Array, positive, whole
from ..values.brief import Brief
from ..values.compiled import load_compiled
from ..values.errors import InputError
from ..values.names import unknown
from .dynamics import Dynamics, GainRamp
from .models import GroupedModel, IsingModel, Model, States
from .noise import keys
from .plain import anneal as plain
from .presets import as_dynamics
from .program import force_of

# Samples that are annealed together: the state of all their neurons stays in the processor's cache.
BLOCK = 64
ROUND = 16  # a block is filled to whole vectors of the processor
MOST_READS = 10_000_000
READOUTS = ("final", "best")
# Looks of the latch in one anneal, beside the one at its end.
LOOKS = 16


@dataclass(frozen=True, kw_only=True, eq=False)
class Annealed(Brief):
    """What `anneal` found, one row a read.

    `states`: (reads, state_size), of the model's own values. `energies`: (reads,), exact where the model is of whole
    numbers. `hit_times`: (reads,), when the state was there first, in R C: as the latch saw it, or the end of the run.
    `duration`: of a run, R C. `time_constant`: R C in seconds. `processor_time`: that was spent, seconds.
    """

    states: States
    energies: Array
    hit_times: Array
    duration: float
    time_constant: float
    processor_time: float
    readout: str

    @property
    def best(self) -> States:
        """The state of the least energy, (state_size,), the first of several."""
        return np.asarray(self.states[int(np.argmin(self.energies))])

    @property
    def best_energy(self) -> float:
        """The least energy."""
        return float(np.min(self.energies))

    @property
    def hit_seconds(self) -> Array:
        """The hit times in seconds of the network, (reads,)."""
        return self.hit_times * self.time_constant


def anneal(
    model: Model,
    dynamics: Dynamics | str,
    *,
    reads: int = 64,
    seed: int = 0,
    readout: str = "final",
    reanneal: int = 1,
    time_constant: float = 1e-3,
    threads: int = 1,
    fast: bool | None = None,
) -> Annealed:
    """Return `reads` states that a dynamics ends at, each from a start and with a noise of its own.

    `dynamics`: an object, or the name of a preset. `readout`: "final", the state at the end, or "best": a latch keeps
    the state of the least energy that it saw, LOOKS times in an anneal and at its end. `reanneal`: a run is so many
    anneals, each from a new start; with more than one the readout must be "best". `time_constant`: R C of the network,
    seconds. `threads`: blocks of samples go to so many threads; the numbers are the same whatever their number. `fast`:
    with Numba (True), without (False), or as it is installed. Everything follows from `seed`.

    Raises InputError for a dynamics that does not anneal this kind of model, for no reads, and for a readout that is
    none; MissingExtra for `fast` without Numba.
    """
    if not isinstance(model, Model):
        raise InputError(
            f"`model` = {model!r:.60}: must be an IsingModel, BinaryModel, PolynomialModel or GroupedModel"
        )
    dynamics = as_dynamics(dynamics)
    count = whole(reads, "reads", 1, MOST_READS)
    teeth = whole(reanneal, "reanneal", 1, MOST_READS)
    if readout not in READOUTS:
        raise InputError(unknown("readout", readout, READOUTS))
    if teeth > 1 and readout != "best":
        raise InputError(
            f"`readout` = {readout!r} with `reanneal` = {teeth}: must be 'best', or the last anneal alone counts"
        )
    seconds = float(positive(time_constant, "time_constant", shape=(), unit="s"))
    number = whole(seed, "seed", 0, 2**63 - 1)
    workers = whole(threads, "threads", 1, 4096)
    kernel = load_compiled(_load_compiled, fast, "fast") or plain
    started = time.process_time()
    rules, table = dynamics.program(model.kind)
    force = force_of(model)
    every = max(1, len(table) // LOOKS) if readout == "best" else 0
    best = np.zeros((-(-count // ROUND) * ROUND, model.size), np.int8)
    hits = np.zeros(len(best), np.int64)
    of_sample = keys(number, 0, len(best))

    def run(first: int, after: int) -> None:
        part = slice(first, after)
        kernel(force, rules, table, of_sample[part], BLOCK, teeth, every, best[part], hits[part])

    if model.size:
        share = -(-len(best) // (workers * BLOCK)) * BLOCK
        starts = range(0, len(best), share)
        if len(starts) == 1:
            run(0, len(best))
        else:
            with ThreadPoolExecutor(len(starts)) as pool:
                list(pool.map(run, starts, [first + share for first in starts]))
    states = _as_states(model, best[:count])
    energies = model.energies_of(states)
    return Annealed(
        states=states,
        energies=energies,
        hit_times=hits[:count].astype(np.float64) * float(rules.step),
        duration=dynamics.t_stop * teeth,
        time_constant=seconds,
        processor_time=time.process_time() - started,
        readout=readout,
    )


def _as_states(model: Model, outputs: States) -> States:
    if not isinstance(model, GroupedModel):
        return outputs
    choices = [np.argmax(outputs[:, a:b], axis=1) for a, b in pairwise(model.starts)]
    shape = (len(outputs), 0)
    return np.stack(choices, axis=1).astype(np.int8) if choices else np.zeros(shape, np.int8)


@cache
def _load_compiled() -> Callable[..., None]:
    """Return the compiled kernel after its first call, so that no measured time has the compiler in it."""
    from .kernels import anneal as compiled

    rules, table = GainRamp(t_stop=1.0, step=1.0).program("ising")
    force, states = force_of(IsingModel(couplings=np.zeros((1, 1)))), np.zeros((ROUND, 1), np.int8)
    compiled(force, rules, table, keys(0, 0, ROUND), BLOCK, 1, 0, states, np.zeros(ROUND, np.int64))
    return compiled
