"""The command parts: op-amps with data sheets, their figures, and what test benches measure."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from ..board.checks import check_supply
from ..parts import MacroModel, Subcircuit
from ..parts.data_sheet import DataSheet, Figure, figure_text, find_data_sheet, read_data_sheet, shipped_sheets
from ..values.errors import InputError
from ..values.report import plain
from .inputs import rails
from .options import Json
from .reporting import emit, say, say_table, working

PINS_HELP = "What each node of the .subckt is, in their order: plus,minus,supply_plus,supply_minus,output by default."
HEADS = ("figure", "min", "typ", "max", "from")


def parts(
    name: Annotated[str | None, typer.Argument(metavar="NAME", help="A part; without one, all are listed.")] = None,
    bench: Annotated[bool, typer.Option("--bench", help="Run the test benches; 1 where a figure is 5% off.")] = False,
    sheet: Annotated[
        Path | None, typer.Option("--sheet", metavar="FILE.toml", help="A data sheet of your own, in place of NAME.")
    ] = None,
    model: Annotated[
        Path | None, typer.Option("--model", metavar="FILE.lib", help="A vendor's model, to be run on the benches.")
    ] = None,
    subcircuit: Annotated[
        str | None, typer.Option("--name", metavar="SUBCKT", help="The .subckt of that file.")
    ] = None,
    pins: Annotated[str | None, typer.Option("--pins", metavar="P,P,...", help=PINS_HELP)] = None,
    supplies: Annotated[
        str | None, typer.Option("--supplies", metavar="U,L", help="Upper and lower rail, volts; else the sheet's.")
    ] = None,
    as_json: Json = False,
) -> int:
    """Show op-amps with data sheets, and measure their models on test benches.

    NAME or --sheet shows the figures with minimum, typical value and maximum, and where each stands. --bench measures
    the model beside them. With --model a vendor's model is measured, and compared with the sheet where one is named.
    """
    if name is not None and sheet is not None:
        raise InputError("NAME and --sheet: give one of them")
    if model is None and (subcircuit is not None or pins is not None):
        raise InputError("--name and --pins are of a vendor's model: give its file with --model too")
    if supplies is not None and not bench and model is None:
        raise InputError("--supplies: is of the benches, and a data sheet says its own; give --bench too")
    chosen = find_data_sheet(name) if name is not None else read_data_sheet(sheet) if sheet is not None else None
    if chosen is None and model is None:
        if bench:
            raise InputError("--bench: name a part, or give --sheet or --model")
        return _list(as_json)
    if chosen is not None and model is None and not bench:
        return _show(chosen, as_json)
    chosen_rails = None if supplies is None else rails(supplies)
    if model is not None:
        return _bench(_vendor(model, subcircuit, pins, chosen_rails, chosen), chosen, as_json)
    assert chosen is not None
    part = chosen.model() if chosen_rails is None else chosen.model(chosen_rails)
    supply = check_supply(part)
    if not supply.passed:
        raise InputError(f"--supplies: {supply}")
    return _bench(part, chosen, as_json)


def _list(as_json: bool) -> int:
    sheets = shipped_sheets()
    if as_json:
        emit({"status": "done", "parts": {name: _head(sheet) for name, sheet in sheets.items()}})
        return 0
    rows = []
    for name, sheet in sheets.items():
        also = ", ".join(sheet.also)
        documents = ", ".join(one.number or one.title for one in sheet.sheets.values())
        rows.append((name, sheet.what, also, documents))
    say_table(rows, columns=("part", "what", "also", "data sheets"))
    return 0


def _show(sheet: DataSheet, as_json: bool) -> int:
    if as_json:
        figures = {name: plain(_fields(figure)) for name, figure in sheet.figures.items()}
        emit({"status": "done", **_head(sheet), "figures": figures})
        return 0
    upper, lower = sheet.supplies
    rows = [("what", sheet.what), ("amplifiers", str(sheet.amplifiers)), ("packages", ", ".join(sheet.packages))]
    rows += [("supplies", f"{upper:g} V, {lower:g} V"), ("conditions", sheet.conditions)]
    rows += [("beyond common mode", sheet.beyond_common_mode)]
    for document in sheet.sheets.values():
        words = (document.title, document.number, document.revision)
        rows.append(("sheet", ", ".join(word for word in words if word)))
        rows += [("", f"read: {document.seen}")] if document.seen else []
    say_table([row for row in rows if row[1]], title=sheet.name)
    say("")
    lines = [(name, *_bounds(figure), figure.source) for name, figure in sheet.figures.items()]
    say_table(lines, columns=HEADS)
    notes = [(name, figure.note) for name, figure in sheet.figures.items() if figure.note]
    if notes:
        say("")
        say_table(notes, title="notes")
    return 0


def _bench(op_amp: MacroModel | Subcircuit, sheet: DataSheet | None, as_json: bool) -> int:
    from ..benches.measure import measure

    with working("running the test benches"):
        found = measure(op_amp, sheet=sheet)
    compared = bool(found.compared)
    if as_json:
        status = "passed" if found.passed else "failed" if compared else "done"
        emit({"status": status, **found.to_json()})
    else:
        say_table(found.rows())
    return 0 if found.passed or not compared else 1


def _vendor(
    path: Path,
    name: str | None,
    pins: str | None,
    supplies: tuple[float, float] | None,
    sheet: DataSheet | None,
) -> Subcircuit:
    if name is None:
        raise InputError(f"--model {str(path)!r:.100}: name its .subckt with --name")
    if supplies is None:
        supplies = (15.0, -15.0) if sheet is None else sheet.supplies
    order = tuple(pin.strip() for pin in pins.split(",")) if pins is not None else None
    options: dict[str, Any] = {} if order is None else {"pins": order}
    upper, lower = supplies
    return Subcircuit(library=path, name=name, supplies={"supply_plus": upper, "supply_minus": lower}, **options)


def _head(sheet: DataSheet) -> dict[str, Any]:
    found: dict[str, Any] = plain(
        {
            "name": sheet.name,
            "what": sheet.what,
            "amplifiers": sheet.amplifiers,
            "packages": list(sheet.packages),
            "also": dict(sheet.also),
            "supplies": list(sheet.supplies),
            "conditions": sheet.conditions,
            "beyond_common_mode": sheet.beyond_common_mode,
            "sheets": [
                {"title": one.title, "number": one.number, "revision": one.revision, "read": one.seen}
                for one in sheet.sheets.values()
            ],
        }
    )
    return found


def _fields(figure: Figure) -> dict[str, Any]:
    return {
        "min": figure.minimum,
        "typ": figure.typical,
        "max": figure.maximum,
        "unit": figure.unit,
        "sheet": figure.sheet,
        "page": figure.page,
        "estimate": figure.estimate,
        "note": figure.note,
    }


def _bounds(figure: Figure) -> tuple[str, ...]:
    values = (figure.minimum, figure.typical, figure.maximum)
    return tuple("" if value is None else figure_text(value, figure.unit) for value in values)
