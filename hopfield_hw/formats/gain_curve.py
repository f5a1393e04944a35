"""Measured gain curves in CSV: input and output of an amplifier, point by point."""

from __future__ import annotations

import csv
import re
from itertools import pairwise
from pathlib import Path

import numpy as np

from ..functions.table import Table
from ..values.errors import InputError
from ..values.si_text import PREFIXES, parse_si, unit_of

FEWEST_POINTS = 4
MOST_POINTS = 100_000
SEPARATORS = (",", ";", "\t")
# The unit of a column in its heading: "in (mV)", "out [V]", "V_out, V" has none that can be told.
UNIT = re.compile(r"[(\[]\s*([^)\]]*?)\s*[)\]]")


def read_gain_curve(path: str | Path) -> Table:
    """Return a measured gain curve from a CSV file: two columns, input and output, volts.

    A first line without numbers is a heading; units in it, "in (mV), out (V)", hold for their columns. Lines that begin
    with # are comments. Columns are separated by commas, semicolons or tabs, and the decimal sign is a point.

    Raises InputError, which names the line, for what cannot be read, other units than volts, texts in place of numbers,
    another number of columns, fewer than 4 points, inputs that do not increase, and outputs that fall.
    """
    place = Path(path)
    try:
        text = place.read_bytes().decode("utf-8-sig")
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or "it is not UTF-8 text"
        raise InputError(f"gain curve {place.name!r:.100}: cannot be read ({why})") from None
    lines = [(k, line) for k, line in enumerate(text.splitlines(), start=1) if line.strip() and line.strip()[0] != "#"]
    if not lines:
        raise InputError(f"gain curve {place.name!r:.100}: is empty; must have two columns, input and output, volts")
    separator = max(SEPARATORS, key=lambda mark: lines[0][1].count(mark))
    rows = [(k, next(csv.reader([line], delimiter=separator))) for k, line in lines]
    at = f"gain curve {place.name!r:.100}"
    factors = (1.0, 1.0)
    if not _is_number(rows[0][1][0]):
        factors = _factors(rows.pop(0)[1], f"{at}, line {lines[0][0]}")
    points = [_point(words, f"{at}, line {k}", factors) for k, words in rows]
    if not FEWEST_POINTS <= len(points) <= MOST_POINTS:
        raise InputError(f"{at}: has {len(points)} points: must have {FEWEST_POINTS} to {MOST_POINTS}")
    for k, (before, now) in enumerate(pairwise(points), start=1):
        line = rows[k][0]
        if not now[0] > before[0]:
            raise InputError(
                f"{at}, line {line}: input {now[0]:g} V is not above {before[0]:g} V before it; sort the points by "
                "input, and keep one of equal ones"
            )
        if now[1] < before[1]:
            raise InputError(
                f"{at}, line {line}: output {now[1]:g} V is below {before[1]:g} V before it; a gain is monotone: turn "
                "the sign of an inverting amplifier, and smooth noise"
            )
    x, y = np.array(points, dtype=np.float64).T
    return Table(x=x, y=y)


def _point(words: list[str], at: str, factors: tuple[float, float]) -> tuple[float, float]:
    if len(words) != 2:
        raise InputError(f"{at}: has {len(words)} columns: must have two, input and output, volts")
    x, y = (parse_si(word, f"{at}: {name}", "V") for word, name in zip(words, ("input", "output"), strict=True))
    return x * factors[0], y * factors[1]


def _factors(words: list[str], at: str) -> tuple[float, float]:
    """Return by column what turns its numbers into volts."""
    if len(words) != 2:
        raise InputError(f"{at}: has {len(words)} columns: must have two, input and output, volts")
    first, second = (_factor(word, at) for word in words)
    return first, second


def _factor(heading: str, at: str) -> float:
    found = UNIT.search(heading)
    if found is None:
        return 1.0
    prefixes = {prefix: exponent for exponent, prefix in PREFIXES.items()} | {"µ": -6}
    unit = found[1]
    if unit_of(unit) == "V":
        return 1.0
    if unit[:1] in prefixes and unit_of(unit[1:].strip()) == "V":
        return 10.0 ** prefixes[unit[:1]]
    raise InputError(f"{at}: column {heading.strip()!r:.60} is in {unit!r:.20}: must be in volts, V or mV")


def _is_number(word: str) -> bool:
    try:
        parse_si(word, "", "V")
    except InputError:
        return False
    return True
