"""The command faults: what a fault of each part of a design's board does to its task."""

from __future__ import annotations

import csv
from typing import Annotated

import typer

from ..designs.boards import board_of, board_task
from ..production.circuit_faults import KINDS
from ..production.faults import find_fault_effects
from ..values.errors import InputError
from .inputs import load
from .options import Case, DesignName, Json, OutputFile
from .reporting import check_output, emit_result, progress_of, say_table, working, written

COLUMNS = ("part", "fault", "task", "margin", "test point")


def faults(
    design: DesignName,
    case: Case = None,
    kinds: Annotated[
        list[str] | None, typer.Option("--kind", metavar="K", help=f"Of: {', '.join(KINDS)}; again for more; all.")
    ] = None,
    parts: Annotated[
        list[str] | None, typer.Option("--part", metavar="P", help="A part, by its name; again for more; all.")
    ] = None,
    engine: Annotated[
        str, typer.Option("--engine", metavar="E", help="equation, or ngspice: the circuit changed, all parts.")
    ] = "equation",
    workers: Annotated[int, typer.Option("--workers", metavar="W", help="Threads, with ngspice.")] = 1,
    output: OutputFile = None,
    as_json: Json = False,
) -> int:
    """Find what a fault of each part of a design's board does to its task.

    Each part is open, short, a decade off, or swapped with its neighbour, each amplifier dead. The table has, the worst
    first, whether the task is still done, its margin, and the test point that shows the fault best. A fault that
    ngspice cannot run is reported as not run. --output writes all of it as .csv.
    """
    chosen = load(design, case)
    if output is not None:
        check_output(output, ".csv")
    if chosen.expected is None:
        raise InputError(f"faults: {chosen.name} expects no answer, so that there is no task; give it `expected`")
    if engine not in ("equation", "ngspice"):
        raise InputError(f"--engine {engine!r:.40}: must be equation or ngspice")
    if workers < 1:
        raise InputError(f"--workers {workers}: must be at least 1")
    wanted = [kind for kind in KINDS if not kinds or kind in kinds]
    if unknown := [kind for kind in kinds or () if kind not in KINDS]:
        raise InputError(f"--kind {unknown[0]!r:.40}: must be one of {', '.join(KINDS)}")
    with working(f"{chosen.name}: the board is designed"):
        board = board_of(chosen)
    task = board_task(chosen, board)
    assert task is not None
    with progress_of(f"{chosen.name}: faults") as progress:
        found = find_fault_effects(
            board,
            task,
            kinds=wanted,
            parts=parts or None,
            engine="ngspice" if engine == "ngspice" else "equation",
            workers=workers,
            progress=progress,
        )
    if output is not None:
        with written(output) as part, part.open("w", encoding="utf-8", newline="") as file:
            csv.writer(file, lineterminator="\n").writerows([COLUMNS, *found.table()])
    if as_json:
        emit_result({"status": "done", "design": chosen.name, "neurons": board.network.size, **found.figures()})
    else:
        say_table(found.summary(), title=board.title)
        say_table(found.table(), columns=COLUMNS)
    return 0
