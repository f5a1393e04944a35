"""How much a solver may try, and the annealing of a model with that."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from ..values.arrays import whole
from ..values.brief import Brief
from ..values.errors import InputError

if TYPE_CHECKING:
    from ..annealing import Annealed, Model

MOST_READS = 1_000_000


@dataclass(frozen=True, kw_only=True)
class Effort(Brief):
    """`reads`: runs from starts of their own. `seed`: all follows from it. `preset`: of the dynamics; None: that of the
    kind of model. `reanneal`: anneals in each run, of which the best state counts. `threads`: of the processor.
    """

    reads: int = 256
    seed: int = 0
    preset: str | None = None
    reanneal: int = 1
    threads: int = 1

    def __post_init__(self) -> None:
        whole(self.reads, "reads", 1, MOST_READS)
        whole(self.seed, "seed", 0, 2**63 - 1)

    def told(self, found: Annealed, preset: str, values: Any) -> dict[str, Any]:
        """Return what a Solution says of the runs; `values`: of each in the terms of the file."""
        best = found.energies == found.best_energy
        return {
            "method": f"annealing, preset {preset}",
            "values": np.asarray(values, dtype=np.float64),
            "best_reads": int(np.count_nonzero(best)),
            "hit_time": float(np.mean(found.hit_times[best])),
            "processor_time": found.processor_time,
        }


def anneal_model(model: Model, effort: Effort, presets: Sequence[str] = ()) -> tuple[Annealed, str]:
    """Return what the preset of an effort finds, or the best of what several find, and the name of that one.

    `presets`: between which the runs are divided where the effort names none; by default the one for this kind of
    model. Raises InputError for a preset that is unknown or does not anneal this kind of model.
    """
    from ..annealing import PRESETS, anneal, default_preset
    from ..annealing.presets import as_dynamics

    usual = default_preset(model)
    names = (effort.preset,) if effort.preset is not None else presets
    if not names:
        names = tuple(name for name, dynamics in PRESETS.items() if dynamics is usual)
    best: tuple[Annealed, str] | None = None
    seconds = 0.0
    for name in names:
        found = anneal(
            model,
            as_dynamics(name),
            reads=max(1, effort.reads // len(names)),
            seed=effort.seed,
            readout="best",
            reanneal=effort.reanneal,
            threads=effort.threads,
        )
        seconds += found.processor_time
        if best is None or found.best_energy < best[0].best_energy:
            best = found, str(name)
    if best is None:
        raise InputError("`presets` names none; name at least one")
    return replace(best[0], processor_time=seconds), best[1]
