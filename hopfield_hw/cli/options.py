"""Options that several commands share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, TypeAlias

import typer

from ..designs.design import Design, load_design
from ..lowering import find_cell
from ..spice.transient import TIMEOUT
from ..values.arrays import positive
from ..values.errors import InputError
from ..values.measures import checked_accuracy

PICTURES = (".png", ".pdf", ".svg")
DESIGN_HELP = "A folder, a design.toml, a network .json, or the name of a shipped design."

DesignName: TypeAlias = Annotated[str, typer.Argument(metavar="DESIGN", help=DESIGN_HELP)]
Case: TypeAlias = Annotated[
    str | None, typer.Option("--case", metavar="NAME", help="A case of the design: other inputs or initial state.")
]
CellName: TypeAlias = Annotated[str, typer.Option("--cell", metavar="C", help="The cell to build neurons from.")]
Accuracy: TypeAlias = Annotated[
    float | None,
    typer.Option("--accuracy", metavar="A", help="The NRMSE to aim at and to judge by; the design's own by default."),
]
Rescale: TypeAlias = Annotated[
    bool, typer.Option("--rescale", help="Apply the exact rescaling that makes a passive cell realisable.")
]
Timeout: TypeAlias = Annotated[
    str | None,
    typer.Option("--timeout", metavar="S", help=f"Seconds after which ngspice is stopped; {TIMEOUT:g} by default."),
]
Json: TypeAlias = Annotated[bool, typer.Option("--json", help="Write one object of JSON on stdout.")]
PlotFile: TypeAlias = Annotated[
    Path | None, typer.Option("--plot", metavar="FILE.png", help="Write a picture (.png, .pdf or .svg).")
]
OutputFile: TypeAlias = Annotated[
    Path | None, typer.Option("--output", "-o", metavar="FILE", help="Write to this file; its folder must be there.")
]


def load(name: str, case: str | None = None) -> Design:
    """Return a design, or a case of it. Raises InputError for what is not there, and for what is wrong with it."""
    design = load_design(name)
    if case is None:
        return design
    if case not in design.cases:
        known = ", ".join(design.cases) if design.cases else "none"
        raise InputError(f"--case {case!r:.60}: is no case of {design.name}; its cases: {known}")
    return design.cases[case]


def checked_cell(name: str) -> str:
    """Return the name of a cell. Raises InputError for an unknown one."""
    return find_cell(name).name


def checked_positive(value: float | str, name: str, unit: str) -> float:
    """Return a positive number. Raises InputError for another."""
    return float(positive(value, name, shape=(), unit=unit))


def accuracy_given(value: float | None) -> float | None:
    """Return the value of --accuracy, an NRMSE; None where it is not given. Raises InputError for another number."""
    return None if value is None else checked_accuracy(value, "--accuracy")


def checked_timeout(value: str | None) -> float:
    """Return the value of --timeout, seconds. Raises InputError for one that is not positive."""
    return TIMEOUT if value is None else checked_positive(value, "--timeout", "s")
