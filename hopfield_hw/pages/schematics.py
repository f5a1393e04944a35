"""Schematics as SVG: each neuron as the package draws it, or the sheets of a KiCad project, which KiCad exports."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from matplotlib import style
from matplotlib.figure import Figure

from ..board.design import Board
from ..kicad.commands import export_pictures
from ..kicad.pictures import shrink_picture
from ..pictures.plots import STYLE
from ..pictures.schematic import draw_neuron
from ..values.errors import InputError, KiCadError

SIZE = (11.4, 5.8)  # inches
# The same names of parts and the same text on every machine; a reader without the font has one of the same widths.
LOOK = {**STYLE, "svg.fonttype": "none", "svg.hashsalt": "hopfield_hw", "font.sans-serif": ["DejaVu Sans", "Verdana"]}


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

    Raises InputError for a file that is none, and KiCadError for one that KiCad refuses, or where kicad-cli is missing.
    """
    path = Path(schematic)
    if path.suffix != ".kicad_sch" or not path.is_file():
        raise InputError(f"--kicad {str(schematic)!r:.200}: must be the .kicad_sch of a project's root sheet")
    sheets = export_pictures(path)
    if not sheets:
        raise KiCadError(f"--kicad {str(schematic)!r:.200}: kicad-cli exports no sheet")
    root = f"{path.stem}.svg"
    return tuple(
        Drawing(name.removesuffix(".svg").removeprefix(f"{path.stem}-"), shrink_picture(sheets[name]).encode())
        for name in sorted(sheets, key=lambda name: (name != root, name))
    )
