"""Strict reader of ngspice raw files: real and complex, ASCII and binary, any number of plots.

A raw file is a sequence of plots, each a text header (`Title:` ... `Variables:`) and `points` rows of `variables`
numbers, in text after `Values:` or as the writing machine's doubles after `Binary:` (ngspice manual, section
"Rawfile"; `fileInit` and `raw_write` in its sources). ngspice writes `No. Points: 0` first and the true number when
an analysis ends, so 0 points are the mark of a run that was cut short.

What is not understood is refused, never guessed: other header lines or flags, and vectors of unequal length, which
ngspice pads with zeros.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import BinaryIO, Literal, NamedTuple, TypeAlias, cast

import numpy as np
import numpy.typing as npt

from ..values.errors import InputError, TruncatedOutput

Data: TypeAlias = npt.NDArray[np.float64] | npt.NDArray[np.complex128]
Flags: TypeAlias = Literal["real", "complex"]

REQUIRED = ("Title", "Plotname", "Flags", "No. Variables", "No. Points")
ONCE = (*REQUIRED, "Date")
REPEATED = ("Command", "Option")
LONGEST_LINE = 1 << 16
DTYPES = {"real": np.dtype(np.float64), "complex": np.dtype(np.complex128)}
PARTS = {"real": ("value",), "complex": ("real", "imaginary")}
_DISPLAY = re.compile(r"(?:min|max|color|grid|plot)=\S*")  # how a vector is drawn; all else changes what it means
_NUMBER = re.compile(r"[-+]?(?:\d+\.?\d*(?:e[-+]\d+)?|nan|inf)", re.ASCII | re.IGNORECASE)  # printf's
_COUNT = re.compile(r"[1-9]\d{0,14}", re.ASCII)


class Variable(NamedTuple):
    """One column of a plot: `name` as ngspice writes it (`v(x_0)`, `i(v1)`, `time`) and `kind` (`voltage`)."""

    name: str
    kind: str


@dataclass(frozen=True, kw_only=True, eq=False)
class Plot:
    """The result of one analysis.

    `data` is read-only, of shape (points, variables), float64 where `flags` is "real" and complex128 where it is
    "complex", in SI units. Column 0 is the scale (time, frequency, the swept source) of an analysis that has one.
    The order of the others is ngspice's own: take them by name. ngspice 39 leaves the imaginary part of a frequency
    unset with `-r`: use the real part alone.
    """

    title: str
    name: str
    flags: Flags
    variables: tuple[Variable, ...]
    data: Data

    @cached_property
    def _places(self) -> Mapping[str, list[int]]:
        places: dict[str, list[int]] = {}
        for index, variable in enumerate(self.variables):
            places.setdefault(variable.name, []).append(index)
        return places

    def _place(self, name: str) -> int:
        found = self._places.get(name, [])
        if len(found) != 1:
            names = ", ".join(variable.name for variable in self.variables)
            raise InputError(
                f"variable `{name}`: found {len(found)} times in {self.name}, which holds {names:.400}; name one of "
                "these"
            )
        return found[0]

    def column(self, name: str) -> Data:
        """Return the values of the variable `name`, of shape (points,); InputError where there is not exactly one."""
        return self.data[:, self._place(name)]

    def columns(self, names: Iterable[str]) -> Data:
        """Return the values of several variables, of shape (points, names); InputError as for `column`."""
        return self.data[:, [self._place(name) for name in names]]


def read(path: Path) -> tuple[Plot, ...]:
    """Return every plot of a raw file, in the order of the file.

    Raises TruncatedOutput, naming the file, what was found and what was declared, for a file that is missing, empty,
    malformed, or shorter or longer than its headers declare.
    """
    try:
        with path.open("rb") as file:
            reader = _Reader(path, file)
            plots = [reader.plot()]
            while reader.left():
                plots.append(reader.plot())
    except OSError as error:
        raise TruncatedOutput(f"raw file `{path}`: found none to read ({error.strerror}); run it again") from None
    return tuple(plots)


class _Reader:
    """A position in a raw file."""

    def __init__(self, path: Path, file: BinaryIO) -> None:
        self.path = path
        self.file = file
        self.size = os.fstat(file.fileno()).st_size
        self.plots = 0

    def left(self) -> int:
        """Return how many bytes are left."""
        return self.size - self.file.tell()

    def refuse(self, found: str, declared: str) -> TruncatedOutput:
        """Return the error to raise."""
        return TruncatedOutput(
            f"raw file `{self.path}` of {self.size} bytes, plot {self.plots}: found {found}, but {declared}; "
            "read the log of the run, and run it again"
        )

    def line(self, declared: str) -> str:
        """Return the next line, whole, without its end; `declared` says what should be there."""
        raw = self.file.readline(LONGEST_LINE)
        if not raw.endswith(b"\n"):
            found = "a line without end" if len(raw) == LONGEST_LINE else f"the end of the file after {raw[:60]!r}"
            raise self.refuse(found, declared)
        try:
            return raw.decode("utf-8").rstrip("\r\n")
        except UnicodeDecodeError:
            raise self.refuse(f"{raw[:60]!r}", f"{declared} in UTF-8") from None

    def plot(self) -> Plot:
        """Return the plot that begins here."""
        self.plots += 1
        header = self.header()
        flags = header["Flags"].strip()
        if flags not in ("real", "complex"):
            raise self.refuse(f"`Flags: {flags}`", "`real` or `complex` is allowed")
        points = self.count(header, "No. Points")
        variables = self.variables(self.count(header, "No. Variables"))
        allowed = "`Binary:` or `Values:` must follow the variables"
        encoding = self.line(allowed)
        if encoding not in ("Binary:", "Values:"):
            raise self.refuse(f"`{encoding:.60}`", allowed)
        if encoding == "Binary:":
            data = self.binary(points, variables, cast(Flags, flags))
        else:
            data = self.text(points, variables, cast(Flags, flags))
        data.flags.writeable = False
        return Plot(
            title=header["Title"].removeprefix(" "),
            name=header["Plotname"].strip(),
            flags=cast(Flags, flags),
            variables=variables,
            data=data,
        )

    def header(self) -> dict[str, str]:
        """Return the header lines up to `Variables:`, by key."""
        header: dict[str, str] = {}
        while True:
            declared = "a header must go on to `Variables:`" if header else "a plot must begin with `Title:`"
            line = self.line(declared)
            key, colon, value = line.partition(":")
            if key == "Variables" and colon and not value.strip():
                break
            if not header and key != "Title":
                raise self.refuse(f"`{line:.60}`", declared)
            if not colon or key not in ONCE + REPEATED or (key in header and key in ONCE):
                raise self.refuse(f"`{line:.60}`", f"only {', '.join(ONCE)}, once each, and {REPEATED} are known")
            header[key] = value
        if missing := [key for key in REQUIRED if key not in header]:
            raise self.refuse(f"no {', '.join(missing)}", "a header must hold them before `Variables:`")
        return header

    def count(self, header: dict[str, str], key: str) -> int:
        """Return the positive whole number of a header line."""
        text = header[key].strip()
        if not _COUNT.fullmatch(text):
            raise self.refuse(f"`{key}: {text:.60}`", "a whole number above 0 must be there (0: the run was cut short)")
        return int(text)

    def variables(self, count: int) -> tuple[Variable, ...]:
        """Return the `count` variables listed here."""
        variables: list[Variable] = []
        for index in range(count):
            declared = f"variable {index} of the {count} declared must be there"
            fields = self.line(declared).split()
            if len(fields) < 3 or fields[0] != str(index) or not all(map(_DISPLAY.fullmatch, fields[3:])):
                raise self.refuse(f"`{' '.join(fields):.80}`", f"{declared}, as `index name kind`")
            variables.append(Variable(fields[1], fields[2]))
        return tuple(variables)

    def binary(self, points: int, variables: tuple[Variable, ...], flags: Flags) -> Data:
        """Return the values after `Binary:`."""
        dtype = DTYPES[flags]
        row = len(variables) * dtype.itemsize
        if self.left() < points * row:
            raise self.refuse(
                f"{self.left() // row} whole points ({self.left()} bytes)",
                f"{points} points of {len(variables)} {flags} variables ({points * row} bytes) are declared",
            )
        return cast(Data, np.fromfile(self.file, dtype, points * len(variables)).reshape(points, len(variables)))

    def text(self, points: int, variables: tuple[Variable, ...], flags: Flags) -> Data:
        """Return the values after `Values:`: a line for each variable of a point, the first with the point's index.

        The `write` command puts a blank before the index and an empty line after the point; the option `-r` neither.
        """
        rows: list[list[complex]] = []
        for point in range(points):
            declared = f"point {point} of the {points} declared must be there"
            first = self.line(declared)
            index, _, value = first.partition("\t")
            if index.strip() != str(point):
                raise self.refuse(f"`{first:.60}`", declared)
            row = [self.number(value.removeprefix("\t"), flags, declared)]
            row += [self.number(self.line(declared).removeprefix("\t"), flags, declared) for _ in variables[1:]]
            if index.startswith(" ") and (line := self.line(f"an empty line must end point {point}")):
                raise self.refuse(f"`{line:.60}`", f"an empty line must end point {point}")
            rows.append(row)
        return cast(Data, np.array(rows, dtype=DTYPES[flags]))

    def number(self, text: str, flags: Flags, declared: str) -> complex:
        """Return one value of a text plot."""
        parts = text.split(",")
        if len(parts) != len(PARTS[flags]) or not all(map(_NUMBER.fullmatch, parts)):
            raise self.refuse(f"`{text:.60}`", f"{declared}, as `{','.join(PARTS[flags])}`")
        return float(text) if flags == "real" else complex(*map(float, parts))
