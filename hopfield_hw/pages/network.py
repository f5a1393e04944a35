"""The table of a board's network beside its netlist: each value a cell that leads to its lines, and back."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from ..board.design import Board
from ..pictures.plots import axis_factor
from ..values.arrays import Array, dense
from ..values.si_text import format_si
from .markup import Html, element
from .netlist import Element, Netlist
from .sections import section

UNITS: Mapping[str, str] = {"weight": "S", "input": "S", "bias": "A", "resistance": "Ohm", "capacitance": "F"}
SHADES = 4
MOST_COLUMNS = 160


def show_network(board: Board, netlist: Netlist) -> Html:
    """Return the table of weights and the netlist, side by side."""
    note = (
        "Click a value to see the lines that make it, a line to see the value that it makes, a neuron to see all that "
        "is its own. Values are those of the parts, on the board's scales; weights[to, from]."
    )
    said = element("div", "Nothing chosen.", id="origin", class_="origin", role="status")
    columns = element("div", element("div", _table(board, netlist), said), _deck(netlist), class_="sidebyside")
    return section("netlist", "Network and netlist", note, columns)


def element_data(board: Board, netlist: Netlist) -> list[dict[str, Any]]:
    """Return the elements of a netlist for the scripts of a page; `said`: what a reader is told of each."""
    asked, made = _values(board, scaled=True), _values(board, scaled=False)
    return [
        {
            "said": _say(one, asked.get(one.cell), made.get(one.cell)),
            "cell": one.cell,
            "block": one.block,
            "lines": list(one.lines),
            "devices": list(one.devices),
        }
        for one in netlist.elements
    ]


def _say(one: Element, asked: float | None, made: float | None) -> str:
    unit = UNITS.get(one.cell.partition("-")[0], "")
    if asked is None or made is None or not math.isfinite(made):
        return one.origin.removesuffix("[]")
    off = (
        f"; asked for {format_si(asked, unit)}, off by {made / asked - 1.0:+.3%}"
        if asked and math.isfinite(asked)
        else ""
    )
    return f"{one.origin} = {format_si(made, unit)}{off}"


def _values(board: Board, *, scaled: bool) -> dict[str, float]:
    """Return by cell of the table the value asked for on the board's scales, or the one that its parts make."""
    network = board.scaled if scaled else board.realised
    n = network.size
    found = {f"weight-{i}-{j}": value for (i, j), value in np.ndenumerate(dense(network.weights))}
    if network.input_weights is not None:
        found |= {f"input-{i}-{k}": value for (i, k), value in np.ndenumerate(dense(network.input_weights))}
    for name, values in (
        ("bias", network.bias),
        ("resistance", network.resistance),
        ("capacitance", network.capacitance),
    ):
        column: Array = np.broadcast_to(np.asarray(values, dtype=np.float64), (n,))
        found |= {f"{name}-{i}": value for i, value in enumerate(column)}
    return {cell: float(value) for cell, value in found.items()}


def _table(board: Board, netlist: Netlist) -> Html:
    network = board.realised
    labels = board.scaled.graph().state_labels
    values, n = _values(board, scaled=False), network.size
    inputs = 0 if network.input_weights is None else network.input_weights.shape[1]
    if n + inputs > MOST_COLUMNS:
        return element("p", f"{n} neurons are too many for a table; the netlist has each weight.", class_="note")
    by_cell = {one.cell: k for k, one in enumerate(netlist.elements) if one.cell}
    input_labels = network.input_labels or tuple(map(str, range(inputs)))
    groups = [
        ("weight", [f"{labels[j]}" for j in range(n)]),
        ("input", [f"u {label}" for label in input_labels]),
        ("bias", ["bias"]),
        ("resistance", ["R"]),
        ("capacitance", ["C"]),
    ]
    scales = {kind: _scale(values, kind) for kind, _ in groups}
    first, second = [element("th", "")], [element("th", "to \\ from")]
    for kind, names in groups:
        if names:
            unit = scales[kind][1]
            title = {"weight": "weights", "input": "inputs"}.get(kind, "")
            first.append(element("th", f"{title} ({unit})" if title else f"({unit})", colspan=len(names)))
            second += [element("th", name) for name in names]
    rows = []
    for i in range(n):
        cells = [element("th", labels[i], data_block=i, scope="row")]
        for kind, names in groups:
            for column in range(len(names)):
                key = f"{kind}-{i}-{column}" if kind in ("weight", "input") else f"{kind}-{i}"
                cells.append(_cell(key, values[key], scales[kind], by_cell.get(key)))
        rows.append(element("tr", cells))
    head = element("thead", element("tr", first), element("tr", second))
    return element("div", element("table", head, element("tbody", rows)), class_="matrix")


def _scale(values: Mapping[str, float], kind: str) -> tuple[float, str, float]:
    """Return the factor to a prefixed unit, that unit, and the largest value of a kind."""
    largest = max(
        (abs(v) for cell, v in values.items() if cell.startswith(f"{kind}-") and math.isfinite(v)), default=0.0
    )
    return (*axis_factor(largest, UNITS[kind]), largest)


def _cell(key: str, value: float, scale: tuple[float, str, float], place: int | None) -> Html:
    factor, _, largest = scale
    if place is None:
        return element(
            "td", "-" if not math.isfinite(value) or value == 0.0 else f"{value * factor:.4g}", class_="none"
        )
    shade = ""
    if key.startswith(("weight", "input", "bias")) and largest > 0.0 and value != 0.0:
        shade = f"{'p' if value > 0.0 else 'n'}{min(SHADES, 1 + int(SHADES * abs(value) / largest * 0.999))}"
    text = f"{value * factor:.4g}" if math.isfinite(value) else "-"
    return element("td", text, data_element=place, id=key, class_=shade or None)


def _deck(netlist: Netlist) -> Html:
    lines = []
    for number, text in enumerate(netlist.lines, start=1):
        place = netlist.by_line.get(number)
        kind = "comment" if text.startswith("*") else None
        lines.append(element("li", text or " ", id=f"line-{number}", data_element=place, class_=kind))
    return element("ol", lines, class_="deck")
