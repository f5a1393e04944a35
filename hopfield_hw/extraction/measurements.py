"""Measurements: waveforms from the CSV files that oscilloscopes write, as recordings."""

from __future__ import annotations

import csv
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from ..values.arrays import Array
from ..values.errors import InputError
from ..values.si_text import READ, unit_of
from .recordings import FEWEST_SAMPLES, Recording

SEPARATORS = (";", "\t", ",")
MOST_BYTES = 500_000_000
# What the first column is called, in small letters and without its unit.
TIME_NAMES = frozenset({"time", "t", "x", "x-axis", "x axis", "xaxis", "source", "second", "seconds", "timestamp"})
NUMBER = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")
COMMA_NUMBER = re.compile(r"[+-]?(?:[0-9]+,[0-9]*|,[0-9]+)(?:[eE][+-]?[0-9]+)?")
# "CH1 (mV)", "CH1 [mV]" and "C1 in mV".
FREQUENCY = re.compile(r"(?i)freq.*")
WITH_UNIT = re.compile(r"(.*?)\s*(?:[(\[]\s*([^)\]]*?)\s*[)\]]|\bin\s+(\S+))\s*")
BARE_UNIT = re.compile(r"[(\[]?\s*([^()\[\]]*?)\s*[)\]]?")
# What is written for a sample beyond the range of the converter, or for none.
BEYOND = frozenset(
    {"inf", "infinity", "∞", "nan", "over", "ovr", "clip", "clipped", "overflow", "overrange", "-", "--"}
)
BACK = 0.5  # of the time since a segment began, by which the time falls back where the next segment begins


@dataclass(frozen=True, kw_only=True)
class _Table:
    """A stretch of rows of numbers with the names and units above it. `rows`: line number and cells."""

    names: tuple[str, ...]
    units: tuple[str, ...]
    rows: list[tuple[int, list[str]]]


def read_scope(
    source: str | Path | Sequence[str | Path],
    *,
    channels: Sequence[str] | None = None,
    units: Mapping[str, str] | None = None,
    before_trigger: bool = False,
) -> list[Recording]:
    """Return the recordings in a CSV file of an oscilloscope, in a text of one, or in several, one for each start.

    The table is found below any lines about the instrument. Its first column is the time; a name above it (Time,
    Source, X-Axis, Second, ...), and units in names, "CH1 (mV)" or "C1 in mV", or in a row of their own, "s,V,V" or
    "(ms),(V)", are used where they are there; otherwise numbers are in seconds and volts, and the channels are called
    1, 2, ... Columns are separated by commas, semicolons or tabs; with the latter two a decimal comma is understood.
    Rows in which a channel has no value are left out. A time that falls back to its beginning, and a new heading, begin
    another recording. Time 0 is the trigger: what is before it is left out, where a table goes on after it.

    `source`: a path, a text with at least one line break, or a sequence of them. `channels`: names of columns, in the
    order of the neurons; all but the time by default. `units`: by name of a column, or "time", where the file says
    none or a wrong one. `before_trigger`: keep what is before the trigger too.

    Raises InputError, which names the file and the line, for what cannot be read, no table, other units than seconds
    and volts, unknown channels, texts and overranges in place of numbers, mixed decimal signs, rows that are too long,
    times that do not rise, fewer than 20 samples, and files with different channels.
    """
    if not isinstance(source, str | Path | Sequence):
        raise InputError(f"`source` = {source!r:.60}: must be a path, a text, or a sequence of them")
    given = [source] if isinstance(source, str | Path) else list(source)
    if not given:
        raise InputError("`source` is empty: must be a path, a text, or a sequence of them, one for each start")
    found: list[Recording] = []
    first: tuple[str, tuple[str, ...]] | None = None
    for one in given:
        label, text = _text(one)
        for table in _tables(text, label):
            columns = _columns(table, channels, label)
            names = tuple(table.names[k] for k in columns)
            if first is not None and names != first[1]:
                raise InputError(
                    f"{label}: has the channels {', '.join(names):.100}, and {first[0]} {', '.join(first[1]):.100}: "
                    "all recordings must have the same ones in the same order; name them in `channels`"
                )
            first = first or (label, names)
            found += _recordings(table, columns, dict(units or {}), before_trigger, label)
    if len(found) == 1:
        return found
    return [Recording(times=one.times, states=one.states, label=f"{one.label} {k}") for k, one in enumerate(found, 1)]


def _text(source: Any) -> tuple[str, str]:
    """Return what messages call a source, and its text."""
    if isinstance(source, str) and ("\n" in source or "\r" in source):
        return "scope text", source
    if not isinstance(source, str | Path):
        raise InputError(f"`source` = {source!r:.60}: must be a path, a text, or a sequence of them")
    place = Path(source)
    label = f"scope file {place.name!r:.100}"
    try:
        if place.stat().st_size > MOST_BYTES:
            raise InputError(f"{label}: has more than {MOST_BYTES // 10**6} MB: write fewer samples")
        data = place.read_bytes()
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or "no such name"
        raise InputError(f"{label}: cannot be read ({why}); a text must have line breaks") from None
    for encoding in ("utf-16" if data[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig", "cp1252"):
        try:
            text = data.decode(encoding)
        except ValueError:
            continue
        if "\0" not in text:
            return label, text
    raise InputError(f"{label}: is no text; export the waveforms as CSV, not as the instrument's own binary file")


def _tables(text: str, label: str) -> list[_Table]:
    """Return the stretches of numbers in a text, each with the names and units above it."""
    lines = [(k, line) for k, line in enumerate(text.splitlines(), start=1) if line.strip(" \t,;")]
    separator, comma = _form(lines, label)
    rows = [(k, [cell.strip() for cell in next(csv.reader([line], delimiter=separator))]) for k, line in lines]
    tables: list[_Table] = []
    head: list[list[str]] = []
    for k, (line, cells) in enumerate(rows):
        if comma:
            cells = [cell.replace(",", ".") if COMMA_NUMBER.fullmatch(cell) else cell for cell in cells]
        continues = not head and tables
        if NUMBER.fullmatch(cells[0]) and (continues or _begins(rows, k, comma)):
            if not continues:
                if head and FREQUENCY.fullmatch(head[-1][0]):
                    raise InputError(
                        f"{label}, line {line}: its first column is {head[-1][0]!r:.40}: must be the time; record "
                        "waveforms, not a spectrum"
                    )
                names, units = _heading(head, len(cells))
                if tables and not any(names):
                    names, units = tables[-1].names, tables[-1].units
                tables.append(_Table(names=_named(names), units=units, rows=[]))
                head = []
            tables[-1].rows.append((line, cells))
        elif continues and not NUMBER.fullmatch(cells[0]) and any(NUMBER.fullmatch(cell) for cell in cells):
            if _looks_like_heading(cells):
                head.append(cells)
                continue
            raise InputError(
                f"{label}, line {line}: the time is {cells[0]!r:.40}: must be a number; delete the line, or complete it"
            )
        else:
            head.append(cells)
    if not tables:
        raise InputError(
            f"{label}: has no table of numbers: must have columns of time and voltages, separated by a comma, a "
            "semicolon or a tab"
        )
    return tables


def _looks_like_heading(cells: list[str]) -> bool:
    """Whether cells with numbers are about the instrument, or names: their first one is a word."""
    return bool(re.match(r"[A-Za-z#]", cells[0])) and cells[0].lower() not in BEYOND


def _form(lines: list[tuple[int, str]], label: str) -> tuple[str, bool]:
    """Return the separator of the columns, and whether the decimal sign is a comma."""
    numeric = [(k, line) for k, line in lines if re.match(r"\s*\"?[+-]?[.,]?[0-9]", line)]
    if not numeric:
        raise InputError(
            f"{label}: has no table of numbers: must have columns of time and voltages, separated by a comma, a "
            "semicolon or a tab"
        )
    body = numeric[len(numeric) // 2 :]
    separator = next((mark for mark in SEPARATORS if sum(mark in line for _, line in body) * 2 > len(body)), None)
    if separator is None:
        raise InputError(
            f"{label}, line {body[0][0]}: has one column: must have the time and one voltage at least, separated by a "
            "comma, a semicolon or a tab"
        )
    if separator == ",":
        return separator, False
    commas = [k for k, line in numeric if re.search(r"[0-9],[0-9]", line)]
    points = [k for k, line in numeric if re.search(r"[0-9]\.[0-9]", line)]
    if commas and points:
        raise InputError(
            f"{label}: line {commas[0]} has a decimal comma and line {points[0]} a decimal point; must be one of them, "
            "and thousands without a mark"
        )
    return separator, bool(commas)


def _begins(rows: list[tuple[int, list[str]]], k: int, comma: bool) -> bool:
    """Whether a table begins at a row: two or more numbers in it, the first cell of the next rows is a number too."""
    form = COMMA_NUMBER if comma else NUMBER

    def count(cells: list[str]) -> int:
        return sum(bool(NUMBER.fullmatch(cell) or form.fullmatch(cell)) for cell in cells)

    nearby = rows[k : k + 3]
    return all(count(cells[:1]) == 1 for _, cells in nearby) and max(count(cells) for _, cells in nearby) > 1


def _heading(head: list[list[str]], width: int) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the names and units that lines above a table of so many columns give it; "" where they do not."""
    names, units = [""] * width, [""] * width
    rows = [row for row in head[-3:] if sum(bool(cell) for cell in row) > 1]
    below = bool(rows) and _is_heading(rows[-1]) and all(_unit(cell) is not None for cell in rows[-1] if cell)
    if below:
        for k, cell in enumerate(rows.pop()[:width]):
            bare = BARE_UNIT.fullmatch(cell)
            units[k] = bare[1] if bare else cell
    if rows and (_is_heading(rows[-1]) or (below and len(rows[-1]) >= width)):
        for k, cell in enumerate(rows[-1][:width]):
            found = WITH_UNIT.fullmatch(cell)
            names[k] = found[1] if found else cell
            units[k] = (found[2] or found[3] or "" if found else "") or units[k]
    return tuple(names), tuple(units)


def _is_heading(row: list[str]) -> bool:
    """Whether a row has the names or units of columns: it begins with a word for the time, or with a unit of it."""
    found = WITH_UNIT.fullmatch(row[0])
    name = (found[1] if found else row[0]).lower()
    unit = _unit(row[0])
    return name in TIME_NAMES or name.startswith("time") or name == "" or (unit is not None and unit[0] == "s")


def _named(names: tuple[str, ...]) -> tuple[str, ...]:
    """Return names, a column without one being called by its place after the time: 1, 2, ..."""
    return tuple(name or ("time" if k == 0 else str(k)) for k, name in enumerate(names))


def _unit(text: str) -> tuple[str, float] | None:
    """Return the unit that a text such as "mV", "(ms)" or "Volt" names, and its power of ten; None for none."""
    found = BARE_UNIT.fullmatch(text.strip())
    if found is None:
        return None
    bare = found[1]
    for name in (bare, bare.lower()):
        own = unit_of(name)
        if own is not None:
            return own, 1.0
        for prefix, exponent in READ.items():
            own = unit_of(name[len(prefix) :]) if prefix and name.startswith(prefix) else None
            if own is not None:
                return own, 10.0**exponent
    return None


def _columns(table: _Table, channels: Sequence[str] | None, label: str) -> list[int]:
    """Return the places of the channels in a table."""
    if channels is None:
        used = [k for k in range(1, len(table.names)) if any(k < len(row) and row[k] for _, row in table.rows)]
        if not used:
            raise InputError(f"{label}: has one column with numbers: must have the time and one voltage at least")
        for k in used:
            _refuse_double(table, table.names[k], label)
        return used
    if isinstance(channels, str) or not len(channels):
        raise InputError(f"`channels` = {channels!r:.60}: must be a sequence of names, one for each neuron")
    known = ", ".join(table.names[1:])
    for name in channels:
        if name not in table.names[1:]:
            raise InputError(f"`channels` has {name!r:.60}: {label} has the channels {known:.200}")
        _refuse_double(table, name, label)
    if len(set(channels)) < len(channels):
        raise InputError(f"`channels` = {channels!r:.100}: has a name twice; must have each once")
    return [table.names.index(name, 1) for name in channels]


def _refuse_double(table: _Table, name: str, label: str) -> None:
    if table.names.count(name) > 1:
        raise InputError(f"{label}: has the channel {name!r:.60} twice: must have each once; rename one of them")


def _factors(table: _Table, columns: list[int], units: Mapping[str, str], label: str) -> Array:
    """Return by column, the time first, what turns its numbers into seconds and volts."""
    factors = np.ones(1 + len(columns))
    unknown = [name for name in units if name not in ("time", *table.names)]
    if unknown:
        raise InputError(
            f"`units` has {unknown[0]!r:.60}: {label} has the columns time, {', '.join(table.names[1:]):.200}"
        )
    for q, k in enumerate((0, *columns)):
        wanted, word = ("s", "seconds, such as s or ms") if k == 0 else ("V", "volts, such as V or mV")
        given = units.get(table.names[k], units.get("time", "") if k == 0 else "")
        text = given or table.units[k]
        if not text:
            continue
        found = _unit(text)
        if found is None or found[0] != wanted:
            raise InputError(
                f"{label}: column {table.names[k]!r:.60} is in {text!r:.20}: must be in {word}; choose others in "
                "`channels`, or say its unit in `units`"
            )
        factors[q] = found[1]
    return factors


def _recordings(
    table: _Table, columns: list[int], units: Mapping[str, str], before_trigger: bool, label: str
) -> list[Recording]:
    """Return a table's segments."""
    factors = _factors(table, columns, units, label)
    picked = (0, *columns)
    lines: list[int] = []
    numbers: list[list[float]] = []
    for line, cells in table.rows:
        if len([cell for cell in cells[len(table.names) :] if cell]):
            raise InputError(
                f"{label}, line {line}: has {len(cells)} columns: must have {len(table.names)} as the first row; a "
                "decimal comma needs another separator, a semicolon or a tab"
            )
        row = [cells[k] if k < len(cells) else "" for k in picked]
        if all(row):
            numbers.append(
                [_number(cell, f"{label}, line {line}", table.names[k]) for cell, k in zip(row, picked, strict=True)]
            )
            lines.append(line)
    values = np.array(numbers, dtype=np.float64).reshape(len(numbers), len(picked)) * factors
    found = []
    for first, last in pairwise(_borders(values[:, 0], lines, label)):
        piece = values[first:last]
        if not before_trigger and piece[-1, 0] > 0.0:
            piece = piece[piece[:, 0] >= 0.0]
        if len(piece) < FEWEST_SAMPLES:
            raise InputError(
                f"{label}, line {lines[first]}: the recording that begins here has {len(piece)} complete samples after "
                f"the trigger: must have {FEWEST_SAMPLES} at least; `before_trigger=True` keeps those before it"
            )
        found.append(Recording(times=piece[:, 0], states=piece[:, 1:], label=label))
    if not found:
        raise InputError(f"{label}: no row has values of all channels; leave out an empty one by `channels`")
    return found


def _borders(times: Array, lines: list[int], label: str) -> list[int]:
    """Return where segments begin, and the end: a time that falls back to near where the segment began."""
    borders = [0]
    for k in np.flatnonzero(np.diff(times) <= 0.0) + 1:
        begin, before = float(times[borders[-1]]), float(times[k - 1])
        if before - begin <= 0.0 or before - times[k] < BACK * (before - begin):
            raise InputError(
                f"{label}, line {lines[k]}: time {times[k]:g} s is not above {before:g} s before it; times must rise: "
                "export them with more digits, and sort the rows"
            )
        borders.append(int(k))
    return [*borders, len(times)] if len(times) else [0]


def _number(cell: str, at: str, name: str) -> float:
    if NUMBER.fullmatch(cell):
        value = float(cell)
        if np.isfinite(value):
            return value
    if cell.lower().lstrip("+-") in BEYOND or not cell.strip("*-+"):
        raise InputError(
            f"{at}: {name!r:.60} is {cell!r:.20}, beyond the range of the instrument: must be a number; record it "
            "again in a larger range, or empty the cell to leave the row out"
        )
    raise InputError(f"{at}: {name!r:.60} is {cell!r:.40}: must be a number, with a point as decimal sign")
