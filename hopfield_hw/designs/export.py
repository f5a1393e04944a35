"""Designs as circuits, and as decks that a simulator runs as they are."""

from __future__ import annotations

from ..circuit import Circuit
from ..lowering import lower
from ..spice.export import Options, write_deck
from .design import Design


def design_circuit(design: Design, cell: str = "ideal", *, op_amp: str | None = None, rescale: bool = False) -> Circuit:
    """Return the circuit of a design, rescaled where the design says so for the cell. Raises as `lower` does."""
    rescale = rescale or rescales(design, cell)
    return lower(design.graph(), cell=cell, op_amp=op_amp, rescale=rescale, title=design.title)


def rescales(design: Design, cell: str) -> bool:
    """Whether a design asks for the rescaling that makes it realisable in a cell."""
    return cell in design.cells and design.cells[cell].rescale


def export_deck(
    design: Design,
    dialect: str = "ngspice",
    cell: str = "ideal",
    *,
    op_amp: str | None = None,
    rescale: bool = False,
    options: Options = "tight",
) -> str:
    """Return the complete deck of a design, as `write_deck` does.

    Raises InputError for an unknown dialect or cell, and Unrealisable for what the cell or the dialect lacks.
    """
    return write_deck(
        design_circuit(design, cell, op_amp=op_amp, rescale=rescale),
        dialect,
        t_stop=design.t_stop,
        inputs=design.inputs,
        accuracy=design.accuracy,
        options=options,
    )


def device_lines(deck: str) -> dict[str, tuple[int, str]]:
    """Return by device name, lower case, the number of its line in a deck (from 1 on) and the line."""
    lines = enumerate(deck.splitlines(), start=1)
    return {line.split(maxsplit=1)[0].lower(): (number, line) for number, line in lines if line.strip()}
