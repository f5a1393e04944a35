"""The command montecarlo: boards of drawn parts, and how many of them do the task of a design."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, get_args

import typer

from ..designs.boards import board_of, board_task
from ..production.monte_carlo import Engine, monte_carlo
from ..production.usual import usual_tolerances
from ..values.errors import InputError
from .inputs import load
from .options import Case, DesignName, Json
from .reporting import check_output, emit_result, progress_of, say_table, working

PERCENT = 100.0


def montecarlo(
    design: DesignName,
    case: Case = None,
    samples: Annotated[int, typer.Option("--samples", metavar="N", help="How many boards are drawn.")] = 1000,
    seed: Annotated[int, typer.Option("--seed", metavar="S", help="Seed of the draws.")] = 1,
    workers: Annotated[
        int | None, typer.Option("--workers", metavar="W", help="Threads; one per core by default.")
    ] = None,
    tolerance: Annotated[
        str | None, typer.Option("--tolerance", metavar="T", help="Of all resistors, such as 5%; 1% by default.")
    ] = None,
    engine: Annotated[
        str, typer.Option("--engine", metavar="E", help="equation, or ngspice: the whole circuit with all its op-amps.")
    ] = "equation",
    resume: Annotated[
        Path | None, typer.Option("--resume", metavar="FILE", help="Keep results here; go on from them after a stop.")
    ] = None,
    as_json: Json = False,
) -> int:
    """Draw the parts of a design's board many times, and count the boards that do its task.

    Resistors, capacitors and op-amps are drawn within their tolerances. What is reported is the yield with its exact
    interval, the margin, settling time, power, and the parts that matter. A study that was stopped goes on from its
    file with --resume, with the same numbers whatever the workers.
    """
    chosen = load(design, case)
    part = 0.01 if tolerance is None else _tolerance(tolerance)
    if engine not in get_args(Engine):
        raise InputError(f"--engine {engine!r:.40}: must be {' or '.join(get_args(Engine))}")
    if workers is not None and workers < 1:
        raise InputError(f"--workers {workers}: must be at least 1")
    if samples < 1:
        raise InputError(f"--samples {samples}: must be at least 1")
    if seed < 0:
        raise InputError(f"--seed {seed}: must be 0 or above")
    if resume is not None:
        check_output(resume)
    if chosen.expected is None:
        raise InputError(f"montecarlo: {chosen.name} expects no answer, so that there is no task; give it `expected`")
    with working(f"{chosen.name}: the board is designed"):
        board = board_of(chosen)
    task = board_task(chosen, board)
    assert task is not None
    with progress_of(f"{chosen.name}: boards") as progress:
        found = monte_carlo(
            board,
            task=task,
            tolerances=usual_tolerances(board, resistors=part),
            samples=samples,
            seed=seed,
            engine="ngspice" if engine == "ngspice" else "equation",
            workers=workers,
            progress=progress,
            resume=resume,
        )
    if as_json:
        emit_result({"status": "done", "design": chosen.name, "neurons": board.network.size, **found.figures()})
    else:
        say_table([("tolerance", f"resistors {part * PERCENT:g}%"), *found.rows()], title=board.title)
    return 0


def _tolerance(text: str) -> float:
    """Return the value of --tolerance, a part of 1. Raises InputError for what is not a percentage within 0 to 100."""
    number = text.strip().removesuffix("%")
    try:
        value = float(number) / (PERCENT if text.strip().endswith("%") else 1.0)
    except ValueError:
        raise InputError(f"--tolerance {text!r:.40}: must be a percentage, such as 1%") from None
    if not 0.0 < value < 1.0:
        raise InputError(f"--tolerance {text!r:.40}: must be above 0 and below 100%")
    return value
