"""All that the builder of a board takes away, in one folder: KiCad project, lists, decks, bring-up sheet."""

from __future__ import annotations

import csv
import io
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .assembly import Assembly, assemble, write_bill
from .board.design import Board
from .bringup import bring_up, sheet_html, table_csv
from .bringup.bring_up import SAMPLES
from .bringup.sheet import refuse_filled_table
from .kicad.keeping.report import ProjectUpdate
from .kicad.keeping.update import update_project
from .kicad.pcb import place_parts
from .kicad.project import write_files as write_texts
from .spice.export import write_deck

KICAD, TABLE = "kicad", "bringup.csv"
# The decks by name of their file; what a dialect does not have is refused by it.
DECKS = {"board.cir": "ngspice", "board.ltspice.cir": "ltspice", "board.xyce.cir": "xyce"}
ACCURACY = 1e-3  # of the decks


@dataclass(frozen=True, kw_only=True)
class BuilderFiles:
    """What was written for a builder; it iterates over its paths.

    `lists`: lists, decks and the bring-up. `project`: what was done to the KiCad project: written, or, where a person
    had rearranged it, brought up to date.
    """

    lists: tuple[Path, ...]
    project: ProjectUpdate

    def __iter__(self) -> Iterator[Path]:
        yield from self.lists
        yield from (self.project.folder / name for name in self.project.written)


def write_files(
    board: Board,
    folder: str | os.PathLike[str],
    *,
    name: str | None = None,
    assembly: Assembly | None = None,
    with_bring_up: bool = True,
    starts: Any = None,
    samples: int = SAMPLES,
) -> BuilderFiles:
    """Write what a builder needs into a folder and return what was written.

    kicad/: the project, with its own symbols and footprints, and a board with all parts placed and nothing routed;
    positions of a drawing that was rearranged are kept. parts.csv: the bill of materials; placement.csv: where parts
    lie on the board; board.cir, board.ltspice.cir, board.xyce.cir: decks with the same parts. With a bring-up, which
    takes simulations: bringup.html, the sheet to print, and bringup.csv, its table; see `bring_up` for `starts` and
    `samples`. `name`: of the project; by default from the board's title. `assembly`: of the board, where it is made
    already.

    The text depends on the board alone: no date and no path. Raises InputError for a board with parts that cannot be
    bought, for a project of another board or one that cannot be kept, and for a bringup.csv with readings in it, before
    anything is written.
    """
    if with_bring_up:
        refuse_filled_table(Path(folder) / TABLE)
    made = assemble(board, name=name) if assembly is None else assembly
    texts = list_texts(board, made)
    if with_bring_up:
        called = {unit.device: c.reference for c in made.components for unit in c.units if unit.device}
        table = bring_up(board, starts=starts, samples=samples, references=called)
        texts |= {"bringup.html": sheet_html(table), TABLE: table_csv(table)}
    project = update_project(Path(folder) / KICAD, made)
    return BuilderFiles(lists=tuple(write_texts(Path(folder), texts)), project=project)


def list_texts(board: Board, assembly: Assembly) -> dict[str, str]:
    """Return by name the lists and decks of a board."""
    decks = {
        name: write_deck(board.circuit, dialect, t_stop=board.t_stop, inputs=board.inputs, accuracy=ACCURACY)
        for name, dialect in DECKS.items()
    }
    return {"parts.csv": write_bill(assembly), "placement.csv": write_placement(assembly), **decks}


def write_placement(assembly: Assembly) -> str:
    """Return as CSV where each part lies on the board that is written: its origin in millimetres, y downwards."""
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    table.writerow(("reference", "value", "footprint", "x mm", "y mm", "rotation", "side"))
    for component, x, y in place_parts(assembly)[0]:
        table.writerow((component.reference, component.value, component.footprint, f"{x:g}", f"{y:g}", "0", "top"))
    return text.getvalue()
