"""What the benchmarks share: times taken in turns, and the lines of the report."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import numpy as np

COMMAND = "make bench"
ROUNDS = 9


def interleaved(
    tasks: dict[str, Callable[[], object]], *, rounds: int, of: Callable[[list[float]], Any] = np.median
) -> dict[str, float]:
    """Return the median seconds of each task, or another `of` them; taken in turns, so a busy machine slows all."""
    seconds: dict[str, list[float]] = {name: [] for name in tasks}
    for _ in range(rounds):
        for name, task in tasks.items():
            start = time.perf_counter()
            task()
            seconds[name].append(time.perf_counter() - start)
    return {name: float(of(taken)) for name, taken in seconds.items()}


def row(name: str, value: float | None, goal: float, better: str, *, unit: str = "ratio") -> dict[str, Any]:
    """Return one line of the report; `value` is None for what was not measured."""
    against = f"at most {goal:g}" if better == "lower" else f"at least {goal:g}"
    fields = {"name": name, "value": value, "goal": goal, "better": better, "unit": unit}
    return {**fields, "against": against, "command": COMMAND}
