"""How much a solver may try, and the annealing of a model with that."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ..values.arrays import whole
from ..values.brief import Brief

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

    def told(self, found: Annealed, values: Any) -> dict[str, Any]:
        """Return what a Solution says of the runs; `values`: of each in the terms of the file."""
        best = found.energies == found.best_energy
        return {
            "values": np.asarray(values, dtype=np.float64),
            "best_reads": int(np.count_nonzero(best)),
            "hit_time": float(np.mean(found.hit_times[best])),
            "processor_time": found.processor_time,
        }


def anneal_model(model: Model, effort: Effort) -> Annealed:
    """Return what the preset of an effort finds, or that for this kind of model.

    Raises InputError for a preset that is unknown or does not anneal this kind of model.
    """
    from ..annealing import anneal, default_preset
    from ..annealing.presets import as_dynamics

    dynamics = default_preset(model) if effort.preset is None else as_dynamics(effort.preset)
    return anneal(
        model,
        dynamics,
        reads=effort.reads,
        seed=effort.seed,
        readout="best",
        reanneal=effort.reanneal,
        threads=effort.threads,
    )
