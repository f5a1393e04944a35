"""Measurements of a board at its test points: a table of readings, or the trace of a scope."""

from __future__ import annotations

import csv
import math
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from ..extraction.measurements import read_scope
from ..values.errors import InputError
from ..values.names import unknown
from ..values.si_text import parse_si
from .bench import HELD_AT
from .bring_up import BringUp

# What columns of a table are called, in small letters and without the unit behind them.
NAMES: Mapping[str, tuple[str, ...]] = {
    "test point": ("test point", "point", "node", "test_point", "tp"),
    "state": ("state", "condition", "start"),
    "volts": ("volts", "voltage", "value", "reading", "measured"),
    "unit": ("unit", "units"),
}
REQUIRED = ("test point", "state", "volts")
WITH_UNIT = re.compile(r"(.*?)\s*(?:[(\[]\s*([^)\]]*?)\s*[)\]])?\s*")
SEPARATORS = (",", ";", "\t")
LATE = 0.9  # of a trace: when it is read
EXAMPLE = "such as `test point,state,volts`, and `v_0,reset,12 mV` below it"


class Reading(NamedTuple):
    """One reading: volts at a test point in a condition, and the line that it is in."""

    point: int
    condition: int
    volts: float
    line: int


def read_measurement(source: str | Path, table: BringUp, *, start: str | None = None) -> tuple[Reading, ...]:
    """Return the readings in a CSV file, or a text of one.

    A table has the columns test point, state (the name of a condition) and volts, in any order, and a unit, behind a
    value, in a column of its own or in a heading, as "value (mV)". A trace of a scope has a time and channels that are
    called by test points: its last tenth is the state `start`, by default the only one, and what is before the trigger
    is the same start held, where it has such samples.

    Raises InputError, with file and line, for what is not there or cannot be read, unknown test points and conditions,
    other units, values that are not finite, and a reading that is there twice.
    """
    label, text = _text(source)
    rows = _rows(text, label)
    heading = [_column(cell) for _, cells in rows[:1] for cell in cells]
    if not any(name == "test point" for name, _ in heading) and _is_trace(rows):
        return _read_trace(source, table, start, label)
    return _read_table(rows, heading, table, label)


def _text(source: str | Path) -> tuple[str, str]:
    if isinstance(source, str) and "\n" in source:
        return "measurement", source
    place = Path(source)
    label = f"measurement {place.name!r:.100}"
    try:
        return label, place.read_bytes().decode("utf-8-sig")
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or "it is no text of UTF-8"
        raise InputError(f"{label}: cannot be read ({why}); give a CSV file") from None


def _rows(text: str, label: str) -> list[tuple[int, list[str]]]:
    lines = [(k, line) for k, line in enumerate(text.splitlines(), 1) if line.strip(" \t,;")]
    lines = [(k, line) for k, line in lines if not line.lstrip().startswith("#")]
    if not lines:
        raise InputError(f"{label}: is empty: must have columns {', '.join(REQUIRED)}, {EXAMPLE}")
    separator = max(SEPARATORS, key=lines[0][1].count)
    return [(k, [cell.strip() for cell in next(csv.reader([line], delimiter=separator))]) for k, line in lines]


def _column(cell: str) -> tuple[str, str]:
    """Return which column a heading names, or "", and the unit in it."""
    found = WITH_UNIT.fullmatch(cell)
    name, unit = (found[1].lower(), found[2] or "") if found else (cell.lower(), "")
    return next((column for column, names in NAMES.items() if name in names), ""), unit


def _is_trace(rows: Sequence[tuple[int, list[str]]]) -> bool:
    """Whether rows are those of a scope: most have numbers alone."""

    def plain(cell: str) -> bool:
        return re.fullmatch(r"[-+0-9.eE,]*", cell) is not None

    return len(rows) > 20 and sum(all(plain(cell) for cell in cells) for _, cells in rows) > len(rows) // 2


def _read_table(
    rows: Sequence[tuple[int, list[str]]], heading: Sequence[tuple[str, str]], table: BringUp, label: str
) -> tuple[Reading, ...]:
    first = rows[0][0]
    names = [name for name, _ in heading]
    for name in REQUIRED:
        if names.count(name) != 1:
            said = "has no column" if name not in names else "has more than one column"
            raise InputError(
                f"{label}, line {first}: {said} {name!r}: must have {', '.join(REQUIRED)} once each, {EXAMPLE}"
            )
    places = {name: names.index(name) for name in NAMES if name in names}
    of_heading = heading[places["volts"]][1]
    if len(rows) == 1:
        raise InputError(f"{label}, line {first}: has no reading below its heading; write one in each line")
    found: list[Reading] = []
    seen: dict[tuple[int, int], int] = {}
    for number, cells in rows[1:]:
        at = f"{label}, line {number}"
        row = {name: cells[k] if k < len(cells) else "" for name, k in places.items()}
        if not row["volts"]:
            continue  # a line of the printed table that nothing was written into
        point, condition = _point(row["test point"], table, at), _condition(row["state"], table, at)
        volts = _volts(row["volts"], row.get("unit") or of_heading, at)
        if (before := seen.get((point, condition))) is not None:
            raise InputError(
                f"{at}: {row['test point']} in {row['state']!r} is in line {before} already; delete one of them"
            )
        seen[point, condition] = number
        found.append(Reading(point, condition, volts, number))
    if not found:
        raise InputError(f"{label}: all readings are empty; write volts into the column {'volts'!r}")
    return tuple(found)


def _point(name: str, table: BringUp, at: str) -> int:
    found = table.point(name)
    if found is None:
        raise InputError(f"{at}: {unknown('test point', name, [point.name for point in table.points])}")
    return found


def _condition(name: str, table: BringUp, at: str) -> int:
    found = table.condition(name)
    if found is None:
        raise InputError(f"{at}: {unknown('state', name, [one.name for one in table.conditions])}")
    return found


def _volts(text: str, unit: str, at: str) -> float:
    written = text.replace("−", "-")  # noqa: RUF001  # the minus sign
    if unit and re.fullmatch(r"[-+0-9.eE]+", written):
        written = f"{written} {unit}"
    try:
        volts = parse_si(written, "volts", "V")
    except InputError as error:
        raise InputError(f"{at}: {error}; write volts, such as 1.25, or with a unit, 1250 mV") from None
    if not math.isfinite(volts):
        raise InputError(f"{at}: `volts` = {text!r:.40}: must be finite; leave the cell empty where nothing was read")
    return volts


def _read_trace(source: str | Path, table: BringUp, start: str | None, label: str) -> tuple[Reading, ...]:
    settled = [c for c, one in enumerate(table.conditions) if not one.held]
    if start is None:
        if len(settled) != 1:
            names = ", ".join(table.conditions[c].name for c in settled)
            raise InputError(f"{label}: does not say of which start its trace is: give it as `start`, one of {names}")
        chosen = settled[0]
    else:
        chosen = _condition(start, table, label)
        if chosen not in settled:
            raise InputError(f"{label}: `start` = {start!r:.40}: a trace is of what settles; take the name of a start")
    recordings: Any = read_scope(source, before_trigger=True)
    if len(recordings) != 1:
        raise InputError(f"{label}: has {len(recordings)} recordings: must have one; write each into its own file")
    channels = _channels(source, label)
    times, volts = recordings[0].times, recordings[0].states
    found = []
    held = table.condition(table.conditions[chosen].name + HELD_AT)
    for k, name in enumerate(channels[: volts.shape[1]]):
        point = _point(name, table, label)
        late = times >= times[0] + LATE * (times[-1] - times[0])
        found.append(Reading(point, chosen, float(np.mean(volts[late, k])), 0))
        if held is not None and np.count_nonzero(times < 0.0) > 1:
            found.append(Reading(point, held, float(np.mean(volts[times < 0.0, k])), 0))
    return tuple(found)


def _channels(source: str | Path, label: str) -> list[str]:
    """Return what the channels of a trace are called, in the order of its columns, without their units."""
    for _, cells in _rows(_text(source)[1], label):
        if len(cells) > 1 and any(re.search(r"[A-Za-z]_?[0-9]", cell) for cell in cells[1:]):
            names = [WITH_UNIT.fullmatch(cell) for cell in cells[1:]]
            return [found[1] for found in names if found is not None and found[1]]
    raise InputError(f"{label}: its channels have no names; call each by its test point, in the line above the numbers")
