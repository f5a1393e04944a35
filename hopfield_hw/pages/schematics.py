"""Schematics as SVG: each neuron as the package draws it, or the sheets of a KiCad project, which KiCad exports."""

from __future__ import annotations

import io
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from matplotlib import style
from matplotlib.figure import Figure

from ..board.design import Board
from ..pictures.plots import STYLE
from ..pictures.schematic import draw_neuron
from ..processes import run_program
from ..values.errors import InputError, SimulatorMissing, SimulatorTimeout

PROGRAM = "kicad-cli"
SIZE = (11.4, 5.8)  # inches
# The same names of parts and the same text on every machine; a reader without the font has one of the same widths.
LOOK = {**STYLE, "svg.fonttype": "none", "svg.hashsalt": "hopfield_hw", "font.sans-serif": ["DejaVu Sans", "Verdana"]}
SECONDS = 300.0


class Drawing(NamedTuple):
    """A drawing with its title; `svg`: a complete document."""

    title: str
    svg: bytes


def draw_neurons(board: Board, neurons: Sequence[int] | None = None) -> tuple[Drawing, ...]:
    """Return the schematics of neurons with their parts, of all by default. Raises InputError as `draw_neuron` does."""
    graph = board.scaled.graph()
    labels = graph.state_labels
    found = []
    for k in range(len(labels)) if neurons is None else neurons:
        with style.context(["default", LOOK]):
            figure = Figure(figsize=SIZE)
            draw_neuron(figure.add_axes((0.0, 0.0, 1.0, 1.0)), board.circuit, graph, labels[k])
            text = io.BytesIO()
            figure.savefig(
                text, format="svg", metadata={"Date": None, "Creator": None}, bbox_inches="tight", pad_inches=0.08
            )
        found.append(Drawing(f"neuron {labels[k]}", text.getvalue()))
    return tuple(found)


def export_kicad(schematic: Path | str) -> tuple[Drawing, ...]:
    """Return the sheets of a KiCad schematic, a .kicad_sch, as kicad-cli exports them.

    Raises InputError for a file that is none or that KiCad refuses, and SimulatorMissing where kicad-cli is missing.
    """
    path = Path(schematic)
    if path.suffix != ".kicad_sch" or not path.is_file():
        raise InputError(f"--kicad {str(schematic)!r:.200}: must be the .kicad_sch of a project's root sheet")
    program = shutil.which(PROGRAM)
    if program is None:
        raise SimulatorMissing(
            f"--kicad: {PROGRAM} is not installed, so that sheets cannot be exported; leave --kicad out, or install "
            "kicad (on Debian from its backports)"
        )
    with tempfile.TemporaryDirectory(prefix="hopfield_hw_") as folder:
        command = [program, "sch", "export", "svg", "--exclude-drawing-sheet", "--no-background-color", "-o", "."]
        try:
            done = run_program([*command, str(path.resolve())], Path(folder), SECONDS)
        except subprocess.TimeoutExpired:
            raise SimulatorTimeout(f"{PROGRAM}: did not export {path.name:.80} within {SECONDS:g} s") from None
        sheets = sorted(Path(folder).glob("*.svg"), key=lambda one: (one.stem != path.stem, one.stem))
        if done.status != 0 or not sheets:
            said = "; ".join((done.complained or done.printed).strip().splitlines())[-160:]
            raise InputError(f"--kicad {str(schematic)!r:.200}: {PROGRAM} exports no sheet ({said})")
        titles = [sheet.stem.removeprefix(f"{path.stem}-") or path.stem for sheet in sheets]
        return tuple(Drawing(title, sheet.read_bytes()) for title, sheet in zip(titles, sheets, strict=True))
