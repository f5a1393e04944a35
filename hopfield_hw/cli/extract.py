"""The command extract: from a deck, or the waveforms of a scope, back to the network."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ..circuit import Circuit
from ..designs.boards import board_of
from ..designs.design import Design, load_design
from ..designs.export import design_circuit
from ..extraction import Differences, Extraction, compare, read_scope
from ..extraction import extract as read_back
from ..extraction.differences import as_extraction, intended_values
from ..extraction.matching import match_states
from ..graph import Graph
from ..pictures import plot_extraction, save_figure
from ..spice.decks.text import Head, read_head
from ..values.arrays import Array
from ..values.errors import InputError
from .options import PICTURES, Json, PlotFile
from .reporting import check_output, emit, report_error, say_table, warn, working

# A deck that was not run, as ngspice is missing: nothing has been compared.
UNVERIFIED = 3
WAVEFORMS = (".csv", ".tsv")
DECKS = (".cir", ".net", ".sp", ".spice", ".ckt", ".asc")


def extract(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A deck, or the waveforms of a scope (.csv).")],
    against: Annotated[
        str | None,
        typer.Option("--against", metavar="DESIGN", help="The design, network .json or deck that it should be."),
    ] = None,
    states: Annotated[
        str | None, typer.Option("--states", metavar="C1,C2", help="The capacitors of the states; found by itself.")
    ] = None,
    capacitance: Annotated[
        str | None,
        typer.Option("--capacitance", metavar="C", help="Of waveforms: one for all, or one each: 100n,47n."),
    ] = None,
    ideal: Annotated[bool, typer.Option("--ideal", help="What the devices say with ideal op-amps.")] = False,
    tolerance: Annotated[
        float, typer.Option("--tolerance", metavar="P", help="By how much parts may be off, for --against.")
    ] = 1e-3,
    plot: PlotFile = None,
    as_json: Json = False,
) -> int:
    """Read a deck or a measurement back into the network that it implements.

    It ends with the network run against the circuit. With --against, what differs from the design is named, with the
    devices at fault. Exit status 1: the network does not do what the circuit does, or the circuit is not the design; 3:
    it was not run, as ngspice is missing.
    """
    if plot is not None:
        check_output(plot, *PICTURES)
    wanted, circuit = _intended(against, file)
    differences: Differences | None = None
    found: Extraction | None = None
    refused: InputError | None = None
    with working(f"reading {file.name} back"):
        try:
            found = _read(file, states, capacitance, ideal)
        except InputError as error:
            if wanted is None or file.suffix.lower() in WAVEFORMS:
                raise
            refused = error
        if wanted is not None:
            if file.suffix.lower() in WAVEFORMS:
                assert found is not None
                differences = found.diff(wanted, tolerance)
            else:
                differences = compare(file, wanted, states=_names(states), tolerance=tolerance)
    status = _status(found, differences)
    if as_json:
        shown = {} if found is None else {"network": found.to_json()}
        told = {} if differences is None else {"differences": differences.to_json()}
        said = {0: "passed", 1: "failed"}.get(status, "unverified")
        emit({"status": said, "file": file.name, **shown, **told})
    else:
        rows = [] if differences is None else differences.rows()
        rows += [("not a network", str(refused))] if refused is not None else []
        rows += [] if found is None else found.rows()
        say_table(rows, title=f"{file.name}: the network that it implements")
    if plot is not None:
        if found is None:
            report_error(InputError("extract: there is no network to plot"), as_json=False)
            return 1
        figure = plot_extraction(
            found,
            intended=None if wanted is None else _weights(found, wanted),
            differences=differences,
            circuit=circuit,
            title=f"{file.name}: the network that it implements",
        )
        save_figure(figure, plot)
    return status


def _read(file: Path, states: str | None, capacitance: str | None, ideal: bool) -> Extraction:
    if file.suffix.lower() in WAVEFORMS:
        given = None if capacitance is None else [part.strip() for part in capacitance.split(",")]
        values = given[0] if given is not None and len(given) == 1 else given
        return read_back(read_scope(file), capacitance=values)
    if capacitance is not None:
        raise InputError("--capacitance: is for waveforms; a deck has its own capacitors")
    return read_back(file, states=_names(states), ideal=ideal)


def _names(states: str | None) -> list[str] | None:
    return None if states is None else [name.strip() for name in states.split(",")]


def _intended(against: str | None, file: Path) -> tuple[Circuit | Path | Graph | None, Circuit | None]:
    """Return what was intended, and its circuit where the deck names the cell that it was lowered to."""
    if against is None:
        return None, None
    path = Path(against)
    if path.suffix.lower() in DECKS:
        return path, None
    design = load_design(against)
    head = read_head(file) if file.is_file() and file.suffix.lower() not in WAVEFORMS else None
    if head is None:
        return design.graph(), None
    circuit = _made_of(design, head)
    return circuit, circuit


def _made_of(design: Design, head: Head) -> Circuit:
    """Return the circuit of a design that a deck with this head is to be: its board's, where that is what it names."""
    circuit = design_circuit(design, head.cell)
    if head.graph == circuit.graph_hash:
        return circuit
    try:
        board = board_of(design, force=True).circuit
    except InputError:
        board = circuit
    if head.graph == board.graph_hash:
        return board
    warn(
        f"the deck says that it was made of another graph than {design.name}, or than its board as it is designed now; "
        "where that is so by other scales, give the deck that it should be to --against"
    )
    return circuit


def _weights(found: Extraction, wanted: Circuit | Path | Graph) -> Array:
    """Return the intended weights in the order and with the signs of what was found."""
    intended = as_extraction(wanted)
    return match_states(found, intended, intended_values(intended)).weights


def _status(found: Extraction | None, differences: Differences | None) -> int:
    if differences is not None and not differences.agrees:
        return 1
    if found is None or found.unexplained:
        return 1
    if found.agreement is None:
        return 0 if found.way == "waveforms" else UNVERIFIED
    return 0 if found.agreement.passed else 1
