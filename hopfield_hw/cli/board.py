"""The command board: a design as a board of parts that can be bought, its checks and its verification."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, NamedTuple

import typer

from ..assembly import Assembly, assemble
from ..board.budget.contributions import ErrorBudget
from ..board.budget.error_budget import error_budget
from ..board.design import Board
from ..board.judgement import BoardVerification
from ..board.parts_list import COLUMNS, PartsLine
from ..bringup.sheet import refuse_filled_table
from ..builder_files import TABLE
from ..designs import Design
from ..designs.boards import board_margin, board_of, board_starts, board_task
from ..kicad.keeping.report import ProjectUpdate
from ..problems import Recall
from ..values.report import plain
from .inputs import check_timeout, load, rails
from .options import Case, DesignName, Json, Timeout
from .reporting import check_folder, emit_result, say, say_table, working, written

ACCURACY = 1e-3  # of the verification
NAMES = 60  # letters of the names of parts in a table


def board(
    design: DesignName,
    case: Case = None,
    op_amp: Annotated[str | None, typer.Option("--op-amp", metavar="N", help="A part with a data sheet.")] = None,
    supplies: Annotated[
        str | None, typer.Option("--supplies", metavar="U,L", help="Upper and lower rail, volts; +12,-12 by default.")
    ] = None,
    series: Annotated[
        str | None, typer.Option("--series", metavar="E", help="Series of the resistors, E24 by default.")
    ] = None,
    amplifier: Annotated[
        str | None, typer.Option("--amplifier", metavar="A", help="How gain curves are made; by default what fits.")
    ] = None,
    verify: Annotated[bool, typer.Option("--verify", help="Run it in ngspice against its own equation.")] = False,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", metavar="FOLDER", help="Folder for netlist, parts, page, report.")
    ] = None,
    budget: Annotated[
        bool, typer.Option("--budget", help="Measure what each imperfection of the op-amps contributes.")
    ] = False,
    timeout: Timeout = None,
    as_json: Json = False,
) -> int:
    """Design a board of a network: its scaling, its parts, and its checks.

    What is not given is as the design says, or by default. With -o a folder gets what a builder needs: a KiCad project
    (kicad/), the bill of materials and where parts lie (parts.csv, placement.csv), the sheet and the table of its
    bring-up (bringup.html, .csv), decks (board.cir, board.ltspice.cir, board.xyce.cir), the report (board.json), with
    --verify a page (board.png), and with --budget that of the error budget (budget.png). The exit status is 1 where a
    check or the verification fails, and 2 where no board can be made: the binding constraint is named.
    """
    chosen, limit = load(design, case), check_timeout(timeout)
    given = {
        "op_amp": op_amp,
        "supplies": None if supplies is None else rails(supplies),
        "series": series,
        "amplifier": amplifier,
    }
    if output is not None:
        check_folder(output)
        refuse_filled_table(output / TABLE)
    with working(f"{chosen.name}: the board is designed, and run with op-amps without limits"):
        made = board_of(chosen, force=True, timeout=limit, **given)
    assembly = None if output is None else assemble(made, name=chosen.name)
    done = Done(chosen, made)
    if verify:
        done = verify_design(done, limit)
    if budget:
        with working(f"{chosen.name}: error budget, one imperfection at a time in ngspice"):
            done = done._replace(budget=error_budget(made, timeout=limit))
    files, project = ([], None) if output is None or assembly is None else write_board(output, done, assembly)
    if as_json:
        said = {} if project is None else {"project": project.figures()}
        emit_result({**done.to_json(), **said, "files": [str(path) for path in files]})
    else:
        show_board(done)
        say_table([("written", str(path)) for path in files])
        if project is not None:
            say("")
            say_table(project.rows())
    return 0 if done.passed else 1


class Done(NamedTuple):
    """What was done for a design's board. `margin`: of its task in ngspice; None where none was asked for."""

    design: Design
    made: Board
    result: BoardVerification | None = None
    margin: float | None = None
    unit: str = ""
    budget: ErrorBudget | None = None

    @property
    def passed(self) -> bool:
        """Whether all checks hold, and, where it was verified, it is its equation and does its task."""
        verified = self.result is None or self.result.passed
        return self.made.passed and verified and (self.margin is None or self.margin > 0.0)

    @property
    def status(self) -> str:
        """Passed; undecided where the verification or the task leave it open and nothing else fails; or failed."""
        if self.passed:
            return "passed"
        verdict = "passed" if self.result is None else self.result.verdict
        missed = self.margin is not None and self.margin <= 0.0
        return "failed" if not self.made.passed or verdict == "failed" or missed else "undecided"

    def verdict_rows(self) -> list[tuple[str, str]]:
        """Return what the verification and the task gave."""
        rows = [] if self.result is None else self.result.rows()
        if self.margin is not None:
            said = "undecided: it has not come to rest"
            if not math.isnan(self.margin):
                margin = f"{self.margin:.4g} {self.unit}".rstrip()
                said = f"{'done' if self.margin > 0.0 else 'NOT done'}, margin {margin}"
            rows.append(("task", said))
        return rows

    def to_json(self) -> dict[str, Any]:
        """Return what JSON has of it."""
        found: Mapping[str, Any] = {} if self.result is None else self.result.figures()
        attrs = {} if self.result is None else self.result.wave.attrs
        return {
            "status": self.status,
            "design": self.design.name,
            "nrmse": found.get("nrmse"),
            "settled": found.get("settled"),
            "devices": len(self.made.circuit.devices),
            "engine": attrs.get("machine"),
            "version": attrs.get("version"),
            **self.made.figures(),
            "verification": dict(found) or None,
            "task": None if self.margin is None else {"margin": self.margin, "unit": self.unit},
            "budget": None if self.budget is None else self.budget.figures(),
        }


def verify_design(done: Done, timeout: float) -> Done:
    """Run a design's board in ngspice, against its equation and for its task."""
    made = done.made
    with working(f"{done.design.name}: devices {len(made.circuit.devices)}, in ngspice and in its own equation"):
        result = made.verify(accuracy=ACCURACY, timeout=timeout)
    task = board_task(done.design, made)
    margin = None if task is None else board_margin(task, result)
    return done._replace(result=result, margin=margin, unit="" if task is None else task.unit)


def show_board(done: Done) -> None:
    """Write a board on stdout: what it is, its checks, its parts, its verification and its error budget."""
    made = done.made
    say_table([row for row in made.rows() if row[0] != "check"], title=made.title)
    say("")
    say_table([("ok" if check.passed else "FAILED", str(check)) for check in made.checks], columns=("check", ""))
    say("")
    say_table([_parts_row(line) for line in made.parts], columns=COLUMNS)
    if done.result is not None:
        say("")
        say_table(done.verdict_rows(), title="verification")
    if done.budget is not None:
        say("")
        say_table(done.budget.rows(), title="error budget")


def write_board(folder: Path, done: Done, assembly: Assembly) -> tuple[list[Path], ProjectUpdate]:
    """Write what a builder needs, the report of a board, and the pages of what was done.

    Return their paths, and what was done to the KiCad project.
    """
    made = done.made
    with working(f"{done.design.name}: KiCad project, lists, decks, and what its test points should measure"):
        files = made.write(folder, assembly=assembly, starts=board_starts(done.design, made))
    with written(folder / "board.json") as part:
        part.write_text(
            json.dumps(plain(done.to_json()), indent=1, allow_nan=False) + "\n", encoding="utf-8", newline="\n"
        )
    found = [*files, folder / "board.json"]
    if done.result is not None:
        found.append(folder / "board.png")
        draw_board(done.design, done.result, found[-1])
    if done.budget is not None:
        found.append(folder / "budget.png")
        with written(found[-1]) as part:
            done.budget.plot(part)
    return found, files.project


def draw_board(design: Design, result: BoardVerification, path: Path) -> None:
    """Write the page of a board, with images where the design is a memory."""
    from ..pictures.plots import Picture

    expected, picture = design.expected, None
    if isinstance(expected, Recall):
        memories = dict(zip(expected.patterns.labels, expected.patterns.values, strict=True))
        picture = Picture(shape=expected.patterns.shape, memories=memories)
    with written(path) as part:
        result.plot(part, picture=picture)


def _parts_row(line: PartsLine) -> tuple[str, ...]:
    names = " ".join(line.names)
    shown = names if len(names) <= NAMES else f"{names[: names.rfind(' ', 0, NAMES - 4)]} ..."
    return str(line.quantity), line.part, line.value, shown
