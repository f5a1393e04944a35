"""The sheet that is printed and filled in at the bench, and the table as CSV."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from html import escape
from itertools import groupby
from pathlib import Path

import numpy as np

from ..values.errors import InputError
from ..values.si_text import format_si
from .bring_up import SIGMAS, BringUp
from .points import BoardPoint

COLUMNS = ("test point", "state", "volts", "expected", "band", "what")
SIDE_BY_SIDE = 3  # conditions in a table
WIDTHS, PAIR = [29.0, 28.0], [26.0, 17.0]  # mm, of a point, its op-amp; what is expected of it, and measured
TITLES = {
    "reference": "References",
    "level": "Levels",
    "amplifier": "Other op-amps",
    "state": "States (outputs of integrators)",
    "output": "Outputs of amplifiers",
    "complement": "Complements (outputs of inverters)",
    "summing": "Inverting inputs, at the pins of the op-amps",
}
STYLE = """
@page { size: A4; margin: 14mm 12mm; }
* { box-sizing: border-box; }
body { font: 9pt/1.35 "DejaVu Sans", Verdana, Arial, sans-serif; color: #000; max-width: 186mm; margin: 0 auto; }
h1 { font-size: 15pt; margin: 0 0 1mm; }
h2 { font-size: 11pt; margin: 6mm 0 1.5mm; border-bottom: 0.4mm solid #000; break-after: avoid; }
p { margin: 1mm 0; }
table { border-collapse: collapse; width: 100%; table-layout: fixed; break-inside: auto; font-size: 8pt; }
thead { display: table-header-group; }
tr { break-inside: avoid; }
th, td { border: 0.2mm solid #777; padding: 0.5mm 1mm; text-align: left; overflow-wrap: anywhere; }
th { background: #eee; font-weight: bold; -webkit-print-color-adjust: exact; print-color-adjust: exact; }
td.volts { text-align: right; white-space: nowrap; font-variant-numeric: tabular-nums; }
td.name { font-family: "DejaVu Sans Mono", monospace; font-size: 7.5pt; }
tr.kind { break-after: avoid; }
tr.kind th { background: #f7f7f7; font-weight: normal; font-style: italic; }
ol { margin: 0; padding: 0; list-style: none; }
ol li { display: flex; gap: 2mm; margin: 0 0 1.5mm; break-inside: avoid; }
.tick { flex: none; width: 4mm; height: 4mm; border: 0.3mm solid #000; margin-top: 0.5mm; }
.fill { display: flex; gap: 6mm; margin: 2mm 0 3mm; }
.fill span { flex: 1; border-bottom: 0.2mm solid #000; padding-bottom: 4mm; font-size: 8pt; }
.small { font-size: 8pt; }
"""


def sheet_html(table: BringUp) -> str:
    """Return the sheet as a page of HTML that needs nothing else, for A4; all text in it is escaped."""
    board = table.board
    model = board.model
    body = [
        f"<h1>Bring-up: {escape(table.title)}</h1>",
        f"<p>{board.network.size} neurons, op-amps {escape(model.name)} on {model.supply_plus:+g} V and "
        f"{model.supply_minus:+g} V. Bands are {SIGMAS:g} sigma of {table.samples} boards with parts within their "
        "tolerances, computed from the circuit; add what your meter is off by. All voltages against ground.</p>",
        '<div class="fill"><span>Board number</span><span>Date</span><span>Name</span><span>Meter</span></div>',
        "<h2>Order of tests</h2>",
        "<ol>",
        *(
            f'<li><div class="tick"></div><div><b>{k}.</b> {escape(step)}</div></li>'
            for k, step in enumerate(table.order, 1)
        ),
        "</ol>",
        "<h2>Supply currents and settling times</h2>",
        *_currents(table),
    ]
    for first in range(0, len(table.conditions), SIDE_BY_SIDE):
        chosen = range(first, min(first + SIDE_BY_SIDE, len(table.conditions)))
        names = ", ".join(table.conditions[c].name for c in chosen)
        body += [f"<h2>Test points: {escape(names)}</h2>", *_points(table, chosen)]
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f"<title>Bring-up: {escape(table.title)}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n"
        + "\n".join(body)
        + "\n</body>\n</html>\n"
    )


def _currents(table: BringUp) -> Iterator[str]:
    yield f"<table>{_columns((34, 30, 20, 30, 20, 30, 22))}<thead><tr><th>State</th>"
    yield "<th>From the upper supply, mA</th><th>measured, mA</th><th>Into the lower one, mA</th>"
    yield "<th>measured, mA</th><th>Settled within</th><th>measured</th></tr></thead><tbody>"
    empty = [f'<td class="volts">{_amperes(x)}</td><td></td>' for x in table.empty.tolist()]
    yield f"<tr><td>without ICs</td>{''.join(empty)}<td></td><td></td></tr>"
    for c, condition in enumerate(table.conditions):
        cells = [
            f'<td class="volts">{_amperes(table.currents[c, k])} &plusmn; {_amperes(table.current_band[c, k])}</td>'
            "<td></td>"
            for k in range(2)
        ]
        settling = format_si(float(table.settling[c]), "s", 3) if np.isfinite(table.settling[c]) else ""
        yield f'<tr><td>{escape(condition.name)}</td>{"".join(cells)}<td class="volts">{settling}</td><td></td></tr>'
    yield "</tbody></table>"
    for c, condition in enumerate(table.conditions):
        if table.elsewhere[c] > 0.0:
            yield (
                f'<p class="small">{escape(condition.name)}: {table.elsewhere[c]:.0%} of boards of drawn parts settle '
                "to another state; such a board has no fault.</p>"
            )


def _columns(widths: Sequence[float]) -> str:
    """Return the columns of a table, of widths in millimetres."""
    return "<colgroup>" + "".join(f'<col style="width: {width}mm">' for width in widths) + "</colgroup>"


def _amperes(value: float) -> str:
    return f"{1e3 * value:.2f}"


def _points(table: BringUp, chosen: Sequence[int]) -> Iterator[str]:
    heads = "".join(
        f'<th>{escape(table.conditions[c].name)}<br><span class="small">expected, V</span></th>'
        '<th><span class="small">read, V</span></th>'
        for c in chosen
    )
    widths = [*WIDTHS, *PAIR * len(chosen)]
    yield f"<table>{_columns(widths)}<thead><tr><th>Point</th><th>At</th>{heads}</tr></thead><tbody>"
    places = {point.name: p for p, point in enumerate(table.points)}
    for kind, points in groupby(table.points, key=lambda point: point.kind):
        yield f'<tr class="kind"><th colspan="{2 + 2 * len(chosen)}">{escape(TITLES[kind])}</th></tr>'
        for point in points:
            yield _point(table, point, places[point.name], chosen)
    yield "</tbody></table>"


def _point(table: BringUp, point: BoardPoint, p: int, chosen: Sequence[int]) -> str:
    cells = []
    for c in chosen:
        said = "moves"
        if table.at_rest[c]:
            said = f"{table.volts[c, p] + 0.0:+z.3f} &plusmn; {table.band[c, p]:.3f}"
        cells.append(f'<td class="volts">{said}</td><td></td>')
    at = table.called(point.op_amp) if point.op_amp else ""
    return f'<tr><td class="name">{escape(point.name)}</td><td class="name">{escape(at)}</td>{"".join(cells)}</tr>'


def table_csv(table: BringUp) -> str:
    """Return the table as CSV: a row for each test point and state, the column "volts" to be filled in.

    Filled in, it is what `read_measurement` reads. Volts; expected and band as on the sheet.
    """
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    for c, condition in enumerate(table.conditions):
        if not table.at_rest[c]:
            continue
        for p, point in enumerate(table.points):
            values = f"{table.volts[c, p]:.4f}", f"{table.band[c, p]:.4f}"
            writer.writerow([point.name, condition.name, "", *values, point.words])
    return text.getvalue()


def refuse_filled_table(path: Path) -> None:
    """Raise InputError where a table of `table_csv` is at a path and has readings, which another would replace."""
    try:
        rows = list(csv.DictReader(path.read_text(encoding="utf-8-sig").splitlines()))
    except (OSError, ValueError, csv.Error):
        return
    filled = sum(bool((row.get("volts") or "").strip()) for row in rows)
    if filled:
        raise InputError(
            f"{str(path)!r:.200}: has {filled} reading{'s' * (filled != 1)}, which an empty table would replace; give "
            "another folder, or give the file another name"
        )
