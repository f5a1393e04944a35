"""The command report: a design's board as one HTML file."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from ..board import error_budget
from ..designs.boards import board_of, board_task
from ..pages import export_kicad, read_engine, write_report
from ..production import monte_carlo
from ..values.errors import InputError
from .board import ACCURACY
from .inputs import check_timeout, load
from .options import Case, DesignName, Json, Timeout
from .reporting import check_output, emit_result, progress_of, say_table, working, written

PAGES = (".html", ".htm")


def report(
    design: DesignName,
    output: Annotated[
        Path, typer.Option("--output", "-o", metavar="FILE.html", help="The page, in an existing folder.")
    ],
    case: Case = None,
    engine: Annotated[
        Path | None,
        typer.Option(
            "--engine",
            metavar="PATH",
            help="The npm package eecircuit-engine (what `npm pack eecircuit-engine` writes, or its folder): the page "
            "runs its circuit again.",
        ),
    ] = None,
    kicad: Annotated[
        Path | None,
        typer.Option("--kicad", metavar="FILE.kicad_sch", help="A KiCad project's root sheet, drawn by kicad-cli."),
    ] = None,
    samples: Annotated[
        int | None, typer.Option("--samples", metavar="N", help="Draw so many boards, and show the yield.")
    ] = None,
    seed: Annotated[int, typer.Option("--seed", metavar="S", help="Seed of the draws.")] = 1,
    budget: Annotated[bool, typer.Option("--budget", help="Measure what each imperfection contributes.")] = False,
    timeout: Timeout = None,
    as_json: Json = False,
) -> int:
    """Write a design's board as one HTML file, which can run its circuit again.

    It has verdict, waveforms, checks, netlist with its weights, schematic, parts; with --budget and --samples the error
    budget and the yield. It works from a disk, loads nothing, and stays below 5 MB. With --engine it holds ngspice as
    WebAssembly, and runs the circuit again in the reader's browser with another weight, other parts, other supplies.
    The exit status is 1 where the board does not pass.
    """
    check_output(output, *PAGES)
    chosen, limit = load(design, case), check_timeout(timeout)
    if samples is not None and samples < 1:
        raise InputError(f"--samples {samples}: must be at least 1")
    if seed < 0:
        raise InputError(f"--seed {seed}: must be 0 or above")
    if samples is not None and chosen.expected is None:
        raise InputError(f"--samples: {chosen.name} expects no answer, so that no board can miss it; leave it out")
    held = None if engine is None else read_engine(engine)
    given: dict[str, Any] = {} if kicad is None else {"drawings": export_kicad(kicad)}
    with working(f"{chosen.name}: the board is designed, run in ngspice and in its own equation"):
        made = board_of(chosen, force=True, timeout=limit)
        result = made.verify(accuracy=ACCURACY, timeout=limit)
    if budget:
        with working(f"{chosen.name}: error budget, one imperfection at a time in ngspice"):
            given["budget"] = error_budget(made, timeout=limit)
    task = board_task(chosen, made)
    if samples is not None and task is not None:
        with progress_of(f"{chosen.name}: boards") as progress:
            given["study"] = monte_carlo(made, task=task, samples=samples, seed=seed, progress=progress)
    with working(f"{chosen.name}: the page"), written(output) as part:
        page = write_report(made, part, result=result, engine=held, timeout=limit, **given)
    if as_json:
        figures = {**page.figures(), "files": [str(output)], "design": chosen.name, "neurons": made.network.size}
        emit_result({"status": result.verdict, "nrmse": result.nrmse, "settled": result.settled, **figures})
    else:
        say_table([row for row in page.rows() if row[0] != "page"], title=made.title)
        say_table([("written", f"{output}, {page.size / 1e6:.2f} MB")])
    return 0 if result.passed else 1
