"""Options that several commands share. They import no engine, so that help and `list` are quick."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, TypeAlias

import typer

from ..processes import TIMEOUT

PICTURES = (".png", ".pdf", ".svg")
DESIGN_HELP = "A folder, a design.toml, a network .json, or the name of a shipped design."

DesignName: TypeAlias = Annotated[str, typer.Argument(metavar="DESIGN", help=DESIGN_HELP)]
Case: TypeAlias = Annotated[
    str | None, typer.Option("--case", metavar="NAME", help="A case of the design, with other inputs or initial state.")
]
CellName: TypeAlias = Annotated[str, typer.Option("--cell", metavar="C", help="The cell that neurons are built from.")]
Accuracy: TypeAlias = Annotated[
    float | None,
    typer.Option("--accuracy", metavar="A", help="NRMSE to reach, and to pass; by default that of the design."),
]
Rescale: TypeAlias = Annotated[
    bool, typer.Option("--rescale", help="Apply the exact rescaling that makes a passive cell realisable.")
]
Timeout: TypeAlias = Annotated[
    str | None,
    typer.Option("--timeout", metavar="S", help=f"Time limit of ngspice, seconds; {TIMEOUT:g} by default."),
]
OpAmpName: TypeAlias = Annotated[
    str | None,
    typer.Option(
        "--op-amp",
        metavar="A",
        help="Op-amp of the cell: a gain, ideal, one_pole, or a part such as TL074; by default its own.",
    ),
]
Json: TypeAlias = Annotated[bool, typer.Option("--json", help="Write one object of JSON on stdout.")]
PlotFile: TypeAlias = Annotated[
    Path | None, typer.Option("--plot", metavar="FILE.png", help="Write a picture (.png, .pdf or .svg).")
]
OutputFile: TypeAlias = Annotated[
    Path | None, typer.Option("--output", "-o", metavar="FILE", help="Write to this file, in an existing folder.")
]
