"""Travelling salesman: a closed tour through all cities, as short as chaotic annealing finds."""

from __future__ import annotations

import time
from collections.abc import Iterable

import numpy as np

from ..formats.instances import Cities
from ..problems.travelling_salesman import TravellingSalesman
from ..values.errors import InputError
from .annealed import Effort
from .chaotic_annealing import Schedule, anneal_tours
from .solution import Solution
from .tours import Tours, two_opt

# So many cities are also solved exactly, by dynamic programming over sets of them.
MOST_EXACT = 12
SAME = 1e-9
# The weight of the distances against that of the rules of a tour: a small one finds more tours, a large one shorter.
SCHEDULES = (Schedule(w2=0.5), Schedule(w2=1.0), Schedule(w2=0.5, noise=0.01), Schedule(w2=0.75, noise=0.01))


def solve_tour(cities: Cities, effort: Effort) -> Solution:
    """Return the shortest tour that chaotic annealing ends at (Chen and Aihara 1995), and that of 2-opt beside it.

    The runs are divided between SCHEDULES, as none is the best for all problems.

    Up to twelve cities, dynamic programming (Held and Karp 1962) says whether the tour is optimal. Raises InputError
    for a preset: this network has one dynamics.
    """
    if effort.preset is not None:
        raise InputError(f"`preset` = {effort.preset!r:.60}: a tour is found by chaotic annealing alone; leave it out")
    problem = TravellingSalesman(distances=cities.distances)
    started = time.process_time()
    found = join(
        anneal_tours(problem, starts=max(1, effort.reads // len(SCHEDULES)), seed=effort.seed + k, schedule=schedule)
        for k, schedule in enumerate(SCHEDULES)
    )
    seconds = time.process_time() - started
    valid = bool(np.isfinite(found.best))
    tour = found.tours[int(np.nanargmin(found.lengths))] if valid else np.arange(problem.size)
    length = problem.length(tour) if valid else np.nan
    started = time.process_time()
    other = two_opt(problem, starts=effort.reads, seed=effort.seed)
    beside = f"{other.best:.10g} from {effort.reads} starts in {time.process_time() - started:.3g} s"
    least = problem.optimum()[0] if problem.size <= MOST_EXACT else None
    optimal = valid and least is not None and length <= least * (1.0 + SAME)
    return Solution(
        name=cities.name,
        kind="travelling_salesman",
        answer=tour if valid else np.zeros(0, dtype=np.int64),
        form="the cities in their order, from 0",
        value=float(length),
        what="length",
        valid=valid,
        rests_on=(
            f"the distances of the file{', and dynamic programming' if optimal else ''}"
            if valid
            else "that no run gave each city a place of its own; try more reads"
        ),
        optimal=optimal,
        bound=least,
        method="chaotic annealing",
        values=found.lengths,
        best_reads=int(np.count_nonzero(found.lengths <= found.best * (1.0 + SAME))),
        processor_time=seconds,
        places=cities.places,
        more={"valid tours": str(found.valid), "2-opt beside it": beside},
    )


def join(parts: Iterable[Tours]) -> Tours:
    """Return what several sets of starts ended at as one."""
    found = tuple(parts)
    return Tours(
        lengths=np.concatenate([part.lengths for part in found]), tours=np.concatenate([part.tours for part in found])
    )
