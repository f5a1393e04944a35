"""The command bringup: what a new board should measure, and which part is at fault where it does not."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ..bringup.bring_up import SAMPLES, BringUp, bring_up
from ..bringup.comparison import BringUpComparison, compare_measurement
from ..bringup.measured import read_measurement
from ..bringup.naming import Meter
from ..bringup.sheet import refuse_filled_table, sheet_html, table_csv
from ..designs.boards import board_of, board_starts
from ..values.arrays import positive
from ..values.errors import InputError
from ..values.si_text import parse_si
from .inputs import load
from .options import Case, DesignName, Json
from .reporting import check_folder, emit_result, say, say_table, working, written

FILES = ("bringup.html", "bringup.csv")
STATUSES = {"done": 0, "passed": 0, "failed": 1, "incomplete": 3}


def bringup(
    design: DesignName,
    case: Case = None,
    measured: Annotated[
        Path | None, typer.Option("--measured", metavar="FILE.csv", help="Readings of a board, to compare.")
    ] = None,
    start: Annotated[
        str | None, typer.Option("--start", metavar="NAME", help="Of a scope's trace: which start it is of.")
    ] = None,
    accuracy: Annotated[
        str, typer.Option("--accuracy", metavar="A", help="Of the instrument, one standard deviation: 1%.")
    ] = "1%",
    reset_ohms: Annotated[
        str | None, typer.Option("--reset-ohms", metavar="R", help="What holds a state while it is reset, ohms.")
    ] = None,
    samples: Annotated[int, typer.Option("--samples", metavar="N", help="Boards drawn for the bands.")] = SAMPLES,
    seed: Annotated[int, typer.Option("--seed", metavar="S", help="By which they are drawn.")] = 1,
    workers: Annotated[int, typer.Option("--workers", metavar="W", help="Threads.")] = 1,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", metavar="FOLDER", help="Folder for the sheet and the table.")
    ] = None,
    as_json: Json = False,
) -> int:
    """Say what a new board should measure, compare it with a measurement, and name the part at fault.

    Every test point, with the states held at 0 V and at each start of the design, and settled from there: its voltage,
    its band by the tolerances of the parts, supply currents, settling times, and the order of tests. With -o a folder
    gets the sheet to print (bringup.html) and the table (bringup.csv), whose empty column is filled in and given back
    with --measured: a table of test point, state and volts, or a scope's trace with channels named by test points. Then
    the points outside of their bands are listed, and the parts that are likeliest at fault. The exit status is 1 where
    a point is outside, and 3 where none is, and some were not read.
    """
    chosen = load(design, case)
    ohms = None if reset_ohms is None else float(positive(reset_ohms, "--reset-ohms", shape=(), unit="Ohm"))
    meter = Meter(accuracy=parse_si(accuracy, "--accuracy", ""))
    if not 0.0 < meter.accuracy < 1.0:
        raise InputError(f"--accuracy {accuracy!r:.40}: must be above 0 and below 1, such as 1% or 0.01")
    if measured is not None and not measured.is_file():
        raise InputError(f"--measured {str(measured)!r:.200}: there is no such file; give a CSV file of readings")
    if output is not None:
        check_folder(output)
        refuse_filled_table(output / FILES[1])
    with working(f"{chosen.name}: the board is designed"):
        made = board_of(chosen, force=True)
    with working(f"{chosen.name}: {samples} boards of drawn parts, at all test points"):
        table = bring_up(
            made,
            starts=board_starts(chosen, made),
            reset_ohms=ohms,
            samples=samples,
            seed=seed,
            workers=workers,
        )
    found = None
    if measured is not None:
        readings = read_measurement(measured, table, start=start)
        with working(f"{chosen.name}: faults are weighed"):
            found = compare_measurement(table, readings, meter=meter)
    files = [] if output is None else write_sheet(output, table)
    status = "done" if found is None else found.verdict
    if as_json:
        said = {} if found is None else {"measured": found.figures()}
        emit_result(
            {"status": status, "design": chosen.name, **table.figures(), **said, "files": [str(f) for f in files]}
        )
    else:
        show(table, found)
        say_table([("written", str(path)) for path in files])
    return STATUSES[status]


def show(table: BringUp, found: BringUpComparison | None) -> None:
    """Write the table, or what a measurement says beside it, on stdout."""
    if found is not None:
        say_table(found.rows())
        return
    say_table(table.rows())
    say("")
    say_table([(f"{k}.", step) for k, step in enumerate(table.order, 1)])
    say("")
    say_table(table.table(), columns=("test point", "", *(condition.name for condition in table.conditions)))


def write_sheet(folder: Path, table: BringUp) -> list[Path]:
    """Write the sheet and the table into a folder; return their paths."""
    texts = dict(zip(FILES, (sheet_html(table), table_csv(table)), strict=True))
    for name, text in texts.items():
        with written(folder / name) as part:
            part.write_text(text, encoding="utf-8", newline="\n")
    return [folder / name for name in texts]
