"""What runs all blocks of a plan: kernels in machine code, or a library of arrays."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any, Literal, get_args

import numpy as np

from ..values.compiled import load_compiled
from ..values.errors import InputError
from .arrays.library import load_library
from .arrays.run import run_plan
from .equations.layout import Numbers, Plan
from .method import PAST_LOST
from .state import Options, Outcome, new_state

# Points of the past of lines that there is room for at first, and how many times as many where they are not enough.
ROOM, MORE_ROOM = 2048, 8
Backend = Literal["numba", "numpy", "cupy", "torch"]
# Writes the outcomes of all blocks.
RunAll = Callable[[Plan, Options, list[Outcome]], None]


def choose_run(backend: Backend | None, threads: int) -> tuple[Backend, RunAll]:
    """Return what runs a plan, and its name: by default kernels where Numba is installed, and NumPy elsewhere.

    Raises InputError for an unknown name, and MissingExtra for one whose package is not installed.
    """
    if backend is not None and backend not in get_args(Backend):
        raise InputError(f"ensemble: `backend` = {backend!r:.40}: must be {', '.join(get_args(Backend)[:-1])} or torch")
    if backend in (None, "numba"):
        run_forward = load_compiled(_load, backend and True, f"backend={backend!r}")
        if run_forward is not None:
            return "numba", partial(_run_blocks, run_forward, threads)
    chosen = backend or "numpy"
    return chosen, partial(run_plan, load_library(chosen), threads)


def _load() -> Any:
    from .kernels.calls import run_forward

    return run_forward


def _run_blocks(run_forward: Any, threads: int, made: Plan, options: Options, outcomes: list[Outcome]) -> None:
    def one(k: int) -> None:
        numbers, outcome = Numbers(*(values[k] for values in made.numbers)), outcomes[k]
        room = ROOM
        while True:
            run_forward(made.layout, numbers, new_state(made.layout, options.first, room), options, outcome)
            if not np.any(outcome.status == PAST_LOST):
                return
            room *= MORE_ROOM
            for written, nothing in zip(outcome[:4], (np.nan, 0, 0, np.nan), strict=True):
                written[...] = nothing

    with ThreadPoolExecutor(min(threads, len(outcomes))) as pool:
        list(pool.map(one, range(len(outcomes))))
