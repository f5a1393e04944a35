"""The command verify."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal, TypeAlias

import typer

from ..cells import CELLS
from ..designs.export import design_circuit
from ..spice.decks.text import read_head
from ..values.errors import InputError
from .checks import Checked, Job, Unverified, check, show
from .inputs import accuracy_given, check_cell, check_timeout, load
from .options import (
    DESIGN_HELP,
    PICTURES,
    Accuracy,
    Case,
    Json,
    OpAmpName,
    PlotFile,
    Rescale,
    Timeout,
)
from .random_set import RandomSet, verify_set
from .reporting import check_output, emit_result, report_error, warn

EngineName: TypeAlias = Literal["ngspice", "ensemble", "both"]


def verify(
    design: Annotated[str | None, typer.Argument(metavar="DESIGN", help=DESIGN_HELP, show_default=False)] = None,
    cell: Annotated[
        str | None, typer.Option("--cell", metavar="C", help="The cell; by default that of --deck, or ideal.")
    ] = None,
    case: Case = None,
    accuracy: Accuracy = None,
    op_amp: OpAmpName = None,
    rescale: Rescale = False,
    deck: Annotated[
        Path | None, typer.Option("--deck", metavar="FILE", help="Verify this netlist in place of the compiled one.")
    ] = None,
    plot: PlotFile = None,
    timeout: Timeout = None,
    engine: Annotated[
        EngineName | None,
        typer.Option("--engine", help="What runs the circuit; ngspice, and our own where that is missing."),
    ] = None,
    count: Annotated[
        int | None, typer.Option("--random", metavar="N", help="Verify N random networks in place of a design.")
    ] = None,
    seed: Annotated[int | None, typer.Option("--seed", metavar="S", help="Seed of --random; 0 by default.")] = None,
    family: Annotated[str | None, typer.Option("--family", metavar="F", help="Family of --random; see list.")] = None,
    workers: Annotated[
        int | None, typer.Option("--workers", metavar="W", help="Processes of --random; one per core by default.")
    ] = None,
    as_json: Json = False,
) -> int:
    """Compile a design, simulate it, and compare it with its equations.

    With --random, N random networks are verified in place of a design.
    """
    chosen = cell if cell is not None else _cell_of(deck)
    check_cell(chosen)
    goal = accuracy_given(accuracy)
    if count is not None:
        own = {
            "--case": case,
            "--op-amp": op_amp,
            "--rescale": rescale or None,
            "--deck": deck,
            "--plot": plot,
            "--timeout": timeout,
            "--engine": engine,
        }
        _refuse({"DESIGN": design, **own}, "--random verifies random networks")
        return verify_set(RandomSet.of(count, seed, family, chosen, goal, workers), as_json=as_json)
    _refuse({"--seed": seed, "--family": family, "--workers": workers}, "only --random uses it")
    if design is None:
        raise InputError("verify: must have a DESIGN or --random N; `hopfield-hw list` shows the designs")
    if plot is not None:
        check_output(plot, *PICTURES)
    return _verify_design(
        Job(load(design, case), chosen, goal, rescale, deck, check_timeout(timeout), op_amp, engine), plot, as_json
    )


def _verify_design(job: Job, plot: Path | None, as_json: bool) -> int:
    checked = check(job)
    if isinstance(checked, Checked) and not checked.passed:
        _warn_of_another_graph(job)
    if isinstance(checked, Checked) and plot is not None:
        checked.draw(plot)
    if not as_json:
        show(checked)
    if isinstance(checked, Unverified):
        report_error(
            checked.error,
            as_json=as_json,
            message=f"{checked.error}; not verified: {checked.missing}",
            **checked.to_json(),
        )
        return checked.error.exit_status
    if as_json:
        emit_result(checked.to_json())
    return 0 if checked.passed else 1


def _warn_of_another_graph(job: Job) -> None:
    """Say so where the head of a deck names another graph than the one that it was judged against."""
    head = read_head(job.deck) if isinstance(job.deck, Path) else None
    circuit = design_circuit(job.design, job.cell, op_amp=job.op_amp, rescale=job.rescale)
    if head is not None and head.graph != circuit.graph_hash:
        warn(
            f"the deck says that it was made of another graph than {job.design.name}; a board has scales of its own: "
            f"`hopfield-hw extract {job.deck} --against {job.design.name}` compares it with the design's board"
        )


def _cell_of(deck: Path | None) -> str:
    """Return the cell that a deck names, ideal where it names none."""
    head = None if deck is None else read_head(deck)
    named = None if head is None else head.cell
    return named if named is not None and named in CELLS else "ideal"


def _refuse(given: Mapping[str, object], why: str) -> None:
    for name, value in given.items():
        if value is not None:
            raise InputError(f"verify: {name} has no meaning here: {why}; leave it out")
