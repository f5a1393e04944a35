"""The command montecarlo: boards of drawn parts, and how many of them do the task of a design."""

from __future__ import annotations

import csv
import json
import math
from pathlib import Path
from typing import Annotated, Any

import typer

from ..designs.boards import board_of, board_task
from ..production.monte_carlo import MonteCarlo, monte_carlo
from ..production.study import check_engine
from ..production.sweeps import YieldCurve, yield_against_temperature
from ..production.usual import usual_tolerances
from ..tolerance.drifts import check_temperature
from ..values.errors import InputError
from ..values.executors import check_workers
from ..values.physics import ROOM
from ..values.report import plain
from .inputs import load
from .options import Case, DesignName, Json
from .reporting import check_folder, check_output, emit_result, progress_of, say_table, working, written

PERCENT = 100.0
COLUMNS = ("sample", "margin", "settling", "power", "energy")  # of samples.csv, before the values of the parts


def montecarlo(
    design: DesignName,
    case: Case = None,
    samples: Annotated[int, typer.Option("--samples", metavar="N", help="How many boards are drawn.")] = 1000,
    seed: Annotated[int, typer.Option("--seed", metavar="S", help="Seed of the draws.")] = 1,
    workers: Annotated[
        int | None, typer.Option("--workers", metavar="W", help="Threads; one per core by default.")
    ] = None,
    executor: Annotated[
        str | None, typer.Option("--executor", metavar="ADDRESS", help="A Dask scheduler's, such as tcp://host:8786.")
    ] = None,
    tolerance: Annotated[
        str | None, typer.Option("--tolerance", metavar="T", help="Of all resistors, such as 5%; 1% by default.")
    ] = None,
    engine: Annotated[
        str | None,
        typer.Option(
            "--engine",
            metavar="E",
            help="ensemble: whole circuits, many at once; ngspice: the same, one by one; or equation.",
        ),
    ] = None,
    temperature: Annotated[
        str | None,
        typer.Option(
            "--temperature", metavar="T", help="Degrees Celsius, one or several such as 0,25,70; 27 by default."
        ),
    ] = None,
    resume: Annotated[
        Path | None, typer.Option("--resume", metavar="FILE", help="Keep results here; go on from them after a stop.")
    ] = None,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", metavar="FOLDER", help="Folder for page, samples, report.")
    ] = None,
    as_json: Json = False,
) -> int:
    """Draw the parts of a design's board many times, and count the boards that do its task.

    Resistors, capacitors and op-amps are drawn within their tolerances. What is reported is the yield with its exact
    interval, the margin, settling time, power, and the parts that matter. The engine is "ensemble" where it knows all
    parts and Numba is installed, else the equation, and the report says why. A study that was stopped goes on from its
    file with --resume, with the same numbers whatever the workers, threads or those of --executor. At several
    temperatures the yield of each is reported, of the same boards; resistors, capacitors and offsets drift, each by a
    coefficient of its own. With -o a folder gets the page (yield.png), the samples with the values of their parts
    (samples.csv), and the report (yield.json); of several temperatures no samples.
    """
    chosen = load(design, case)
    part = 0.01 if tolerance is None else _tolerance(tolerance)
    degrees = [ROOM] if temperature is None else _temperatures(temperature)
    if len(degrees) > 1 and resume is not None:
        raise InputError(
            f"--resume: a file is of one study, and --temperature {temperature} of several; give one of them"
        )
    check_engine(engine, "--engine")
    if workers is not None and workers < 1:
        raise InputError(f"--workers {workers}: must be at least 1")
    check_workers(executor, workers)
    if samples < 1:
        raise InputError(f"--samples {samples}: must be at least 1")
    if seed < 0:
        raise InputError(f"--seed {seed}: must be 0 or above")
    if resume is not None:
        check_output(resume)
    if chosen.expected is None:
        raise InputError(f"montecarlo: {chosen.name} expects no answer, so that there is no task; give it `expected`")
    if output is not None:
        check_folder(output)
    with working(f"{chosen.name}: the board is designed"):
        board = board_of(chosen)
    task = board_task(chosen, board)
    assert task is not None
    with progress_of(f"{chosen.name}: boards") as progress:
        how: dict[str, Any] = {
            "tolerances": usual_tolerances(board, resistors=part),
            "samples": samples,
            "seed": seed,
            "engine": engine,
            "workers": workers,
            "executor": executor,
            "progress": progress,
        }
        found: MonteCarlo | YieldCurve
        if len(degrees) > 1:
            found = yield_against_temperature(board, task, temperatures=degrees, **how)
        else:
            found = monte_carlo(board, task=task, temperature=degrees[0], resume=resume, **how)
    content = {
        "status": "done",
        "design": chosen.name,
        "neurons": board.network.size,
        "tolerance": part,
        **found.figures(),
    }
    files = [] if output is None else write_study(output, found, content, board.title)
    if as_json:
        emit_result({**content, "files": [str(path) for path in files]})
    else:
        rows = [("tolerance", f"resistors {part * PERCENT:g}%"), *found.rows(), ("seed", str(seed))]
        say_table(rows, title=board.title)
        say_table([("written", str(path)) for path in files])
    return 0


def write_study(folder: Path, found: MonteCarlo | YieldCurve, content: dict[str, Any], title: str) -> list[Path]:
    """Write the page, the report, and of one temperature the samples of a study; return their paths."""
    page, samples, report = (folder / name for name in ("yield.png", "samples.csv", "yield.json"))
    with written(report) as part:
        part.write_text(json.dumps(plain(content), indent=1, allow_nan=False) + "\n", encoding="utf-8", newline="\n")
    if isinstance(found, MonteCarlo):
        _write_samples(samples, found)
    with written(page) as part:
        found.plot(part, title=title)
    return [page, samples, report] if isinstance(found, MonteCarlo) else [page, report]


def _write_samples(path: Path, found: MonteCarlo) -> None:
    draws = found.draws
    with written(path) as part, part.open("w", encoding="utf-8", newline="") as file:
        lines = csv.writer(file, lineterminator="\n")
        lines.writerow([*COLUMNS, *draws.variation.names])
        columns = (found.margins, found.settling, found.power, found.energy)
        for k, values in enumerate(zip(*(column.tolist() for column in columns), strict=True)):
            told = ["" if math.isnan(value) else repr(value) for value in values]
            lines.writerow([k, *told, *map(repr, draws.values[k].tolist())])


def _temperatures(text: str) -> list[float]:
    """Return the values of --temperature. Raises InputError for what is no number, and for what no part is made for."""
    try:
        found = [float(word) for word in text.split(",")]
    except ValueError:
        raise InputError(f"--temperature {text!r:.40}: must be degrees Celsius, such as 0,25,70") from None
    return [check_temperature(one, "--temperature") for one in dict.fromkeys(found)]


def _tolerance(text: str) -> float:
    """Return the value of --tolerance, a part of 1. Raises InputError for what is not a percentage within 0 to 100."""
    number = text.strip().removesuffix("%")
    try:
        value = float(number) / (PERCENT if text.strip().endswith("%") else 1.0)
    except ValueError:
        raise InputError(
            f"--tolerance {text!r:.40}: must be a percentage, such as 5%, or a part of 1, such as 0.05"
        ) from None
    if not 0.0 < value < 1.0:
        raise InputError(f"--tolerance {text!r:.40}: must be above 0 and below 100%, such as 5% or 0.05")
    return value
