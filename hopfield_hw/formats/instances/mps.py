"""MPS files, free or fixed, with quadratic objectives: rows, columns, right sides, ranges, bounds, whole numbers."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import scipy.sparse as sp

from ...values.errors import InputError
from .lines import Line, read_lines, read_text
from .types import ProgramData, make_program

SENSES = {"MIN": 1.0, "MINIMIZE": 1.0, "MAX": -1.0, "MAXIMIZE": -1.0}
LOW = {"N": -math.inf, "L": -math.inf, "G": 0.0, "E": 0.0}
HIGH = {"N": math.inf, "L": 0.0, "G": math.inf, "E": 0.0}
# What a bound of each kind sets: the lower end, the upper end, or both; None is the value that the line gives.
BOUNDS: dict[str, tuple[tuple[int, ...], float | None]] = {
    "LO": ((0,), None),
    "UP": ((1,), None),
    "FX": ((0, 1), None),
    "MI": ((0,), -math.inf),
    "PL": ((1,), math.inf),
    "LI": ((0,), None),
    "UI": ((1,), None),
}


class _Model:
    """What the sections have said so far."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.name, self.sign = path.stem, 1.0
        self.objective: str | None = None
        self.kinds: dict[str, str] = {}
        self.rows: dict[str, int] = {}
        self.columns: dict[str, int] = {}
        self.entries: dict[tuple[int, int], float] = {}
        self.cost: dict[int, float] = {}
        self.right: dict[str, float] = {}
        self.ranges: dict[str, float] = {}
        self.bounds: list[list[float]] = []
        self.whole: list[bool] = []
        self.quadratic: dict[tuple[int, int], float] = {}
        self.in_whole = False
        self.with_lower: set[int] = set()
        self.sets: dict[str, str] = {}
        self.is_full = False
        self.mirrored: dict[tuple[int, int], int] = {}

    def row(self, line: Line) -> None:
        """`KIND NAME`"""
        kind, name = _take(line, 2)
        if kind.upper() not in LOW:
            line.refuse("the kind of a row must be N, L, G or E")
        if name in self.kinds:
            line.refuse("this row is there twice")
        self.kinds[name] = kind.upper()
        if kind.upper() == "N":
            self.objective = self.objective or name
        else:
            self.rows[name] = len(self.rows)

    def column(self, line: Line) -> None:
        """`NAME ROW VALUE [ROW VALUE]`, or a marker of whole numbers"""
        if len(line.words) == 3 and line.words[1].upper() == "'MARKER'":
            kind = line.words[2].upper()
            if kind not in ("'INTORG'", "'INTEND'"):
                line.refuse("a marker must be 'INTORG' or 'INTEND'")
            self.in_whole = kind == "'INTORG'"
            return
        name = line.words[0]
        if name not in self.columns:
            self.columns[name] = len(self.columns)
            self.bounds.append([0.0, 1.0 if self.in_whole else math.inf])
            self.whole.append(self.in_whole)
        j = self.columns[name]
        for row, value in self._pairs(line, 1).items():
            if row == self.objective:
                if j in self.cost:
                    line.refuse("this entry is there twice")
                self.cost[j] = value
            elif row in self.rows:
                if (self.rows[row], j) in self.entries:
                    line.refuse("this entry is there twice")
                self.entries[self.rows[row], j] = value

    def right_side(self, line: Line) -> None:
        """`[NAME] ROW VALUE [ROW VALUE]`"""
        self._add(line, "RHS", self.right)

    def range(self, line: Line) -> None:
        """`[NAME] ROW VALUE [ROW VALUE]`"""
        self._add(line, "RANGES", self.ranges)

    def bound(self, line: Line) -> None:
        """`KIND NAME COLUMN [VALUE]`, or without the name"""
        kind, words = line.words[0].upper(), line.words
        place = next((k for k in (2, 1) if k < len(words) and words[k] in self.columns), None)
        if place is None:
            line.refuse("must be `KIND BOUND COLUMN VALUE`, with a column of the section COLUMNS")
        self._check_set(line, "BOUNDS", words[1] if place == 2 else "")
        column, values = self.columns[words[place]], self.bounds[self.columns[words[place]]]
        if kind == "FR":
            values[:] = [-math.inf, math.inf]
        elif kind == "BV":
            values[:] = [0.0, 1.0]
        elif kind in BOUNDS:
            ends, fixed = BOUNDS[kind]
            value = line.value(place + 1, "a bound") if fixed is None else fixed
            if kind in ("UP", "UI") and value < 0.0 and column not in self.with_lower:
                values[0] = -math.inf
            if 0 in ends:
                self.with_lower.add(column)
            for end in ends:
                values[end] = value
        else:
            line.refuse(f"the kind of a bound must be FR, BV, or one of {', '.join(BOUNDS)}")
        if kind in ("BV", "LI", "UI"):
            self.whole[column] = True

    def square(self, line: Line) -> None:
        """`COLUMN COLUMN VALUE`: an entry of P, once for both places"""
        first, second, _ = _take(line, 3)
        if first not in self.columns or second not in self.columns:
            line.refuse("must name two columns of the section COLUMNS")
        i, j = sorted((self.columns[first], self.columns[second]))
        value = line.value(2, "a value")
        if self.quadratic.setdefault((i, j), value) != value:
            line.refuse("this entry and its mirror image differ: P must be symmetric")
        self.mirrored[i, j] = self.mirrored.get((i, j), 0) + 1

    def matrix_entry(self, line: Line) -> None:
        """`COLUMN COLUMN VALUE` of a section that has both places of P"""
        self.square(line)
        self.is_full = True

    def check_full(self) -> None:
        """Raise InputError where a full matrix has an entry off its diagonal in one place alone."""
        for (i, j), count in self.mirrored.items():
            if self.is_full and count != 1 + (i != j):
                names = list(self.columns)
                raise InputError(
                    f"{self.path.name}: QMATRIX has {names[i]} {names[j]} {count} times: must have an entry and its "
                    "mirror image; write QUADOBJ for one triangle"
                )

    def _add(self, line: Line, section: str, known: dict[str, float]) -> None:
        first = len(line.words) % 2
        self._check_set(line, section, line.words[0] if first else "")
        for row, value in self._pairs(line, first).items():
            if row in known:
                line.refuse(f"the row {row} is there twice")
            known[row] = value

    def _check_set(self, line: Line, section: str, name: str) -> None:
        if self.sets.setdefault(section, name) != name:
            line.refuse(f"a second set of {section}, {name or 'without a name'}: must be one; leave the others out")

    def _pairs(self, line: Line, first: int) -> dict[str, float]:
        if len(line.words) < first + 2 or (len(line.words) - first) % 2:
            line.refuse("must be pairs `ROW VALUE`")
        for k in range(first, len(line.words), 2):
            if line.words[k] not in self.kinds:
                line.refuse(f"the row {line.words[k]} is not in the section ROWS")
        return {line.words[k]: line.value(k + 1, "a value") for k in range(first, len(line.words), 2)}


SECTIONS = {
    "ROWS": _Model.row,
    "COLUMNS": _Model.column,
    "RHS": _Model.right_side,
    "RANGES": _Model.range,
    "BOUNDS": _Model.bound,
    "QUADOBJ": _Model.square,
    "QMATRIX": _Model.matrix_entry,
}


def read_mps(path: Path) -> ProgramData:
    """Return the program of an `.mps` or `.qps` file; names have no blanks.

    A variable is at least 0 unless BOUNDS says otherwise; an upper bound below 0 alone opens the lower one. A constant
    of the objective is minus its right side. Raises InputError, with the line, for what does not fit the format.
    """
    model = _Model(path)
    for section, line in _sections(path, model):
        SECTIONS[section](model, line)
    model.check_full()
    if not model.columns:
        raise InputError(f"{path.name}: has no variables; there is nothing to solve")
    return _finish(model)


def _sections(path: Path, model: _Model) -> Iterator[tuple[str, Line]]:
    """Yield the lines of the sections of data; take what the others say."""
    indented = _indentation(path)
    section = ""
    for line in read_lines(path, ("*",)):
        word = line.words[0].upper()
        if not indented[line.number] and (word in SECTIONS or word in ("NAME", "OBJSENSE", "ENDATA", "OBJSENSE:")):
            section = word
            if word == "NAME" and len(line.words) > 1:
                model.name = line.words[1]
            if word == "OBJSENSE" and len(line.words) > 1:
                model.sign = _sense(line, line.words[1])
            if word == "ENDATA":
                return
        elif section == "OBJSENSE":
            model.sign = _sense(line, line.words[0])
        elif section in SECTIONS:
            yield section, line
        else:
            line.refuse("must stand in a section of ROWS, COLUMNS, RHS, RANGES, BOUNDS, QUADOBJ")
    raise InputError(f"{path.name}: has no ENDATA; is the file whole?")


def _indentation(path: Path) -> dict[int, bool]:
    return {k: text[:1].isspace() for k, text in enumerate(read_text(path).splitlines(), start=1)}


def _sense(line: Line, word: str) -> float:
    if word.upper() not in SENSES:
        line.refuse("must be MIN or MAX")
    return SENSES[word.upper()]


def _take(line: Line, count: int) -> tuple[str, ...]:
    if len(line.words) != count:
        line.refuse(f"must have {count} words")
    return line.words


def _finish(model: _Model) -> ProgramData:
    n, m = len(model.columns), len(model.rows)
    low, high = np.zeros(m), np.zeros(m)
    for name, i in model.rows.items():
        kind, right = model.kinds[name], model.right.get(name, 0.0)
        low[i], high[i] = right + LOW[kind], right + HIGH[kind]
        if name in model.ranges:
            wide = model.ranges[name]
            if kind == "E":
                low[i], high[i] = min(right, right + wide), max(right, right + wide)
            elif kind == "L":
                low[i] = right - abs(wide)
            else:
                high[i] = right + abs(wide)
    linear = np.zeros(n)
    linear[list(model.cost)] = list(model.cost.values())
    constant = -model.right.get(model.objective or "", 0.0)
    lower, upper = np.array(model.bounds).T
    upper_part = _matrix(model.quadratic, (n, n))
    hessian = upper_part + upper_part.T - sp.diags_array(upper_part.diagonal())
    return make_program(
        model.name,
        model.sign * hessian,
        model.sign * linear,
        model.sign * constant,
        _matrix(model.entries, (m, n)),
        (low, high, lower, upper),
        whole=np.array(model.whole),
        sign=model.sign,
    )


def _matrix(entries: dict[tuple[int, int], float], shape: tuple[int, int]) -> Any:
    places = np.array(list(entries), dtype=np.int64).reshape(-1, 2).T
    return sp.csr_array((np.array(list(entries.values()), dtype=np.float64), tuple(places)), shape=shape)
