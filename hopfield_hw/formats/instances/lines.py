"""Lines of words of a text file, with messages that name the line."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple, NoReturn

from ...values.errors import InputError

MOST_CHARACTERS = 200_000_000
MOST_NODES = 10_000_000


class Line(NamedTuple):
    """The words of one line of a file."""

    file: str
    number: int
    words: tuple[str, ...]

    def refuse(self, why: str) -> NoReturn:
        """Raise InputError with the line's place and text."""
        raise InputError(f"{self.file} line {self.number} `{' '.join(self.words):.60}`: {why}")

    def whole(self, place: int, low: int, high: int, what: str) -> int:
        """Return the word at a place as a whole number from low to high."""
        try:
            value = int(self.words[place])
        except (IndexError, ValueError):
            self.refuse(f"word {place + 1} must be {what}, a whole number")
        if not low <= value <= high:
            self.refuse(f"{what} {value}: must be from {low} to {high}")
        return value

    def value(self, place: int, what: str) -> float:
        """Return the word at a place as a finite number."""
        try:
            value = float(self.words[place])
        except (IndexError, ValueError):
            self.refuse(f"word {place + 1} must be {what}, a number")
        if not math.isfinite(value):
            self.refuse(f"{what} {value}: must be finite")
        return value


def read_text(path: Path) -> str:
    """Return the text of a file. Raises InputError for one that cannot be read, is no text, or is too large."""
    try:
        size = path.stat().st_size
        if size > MOST_CHARACTERS:
            raise InputError(f"{path.name}: has {size} bytes, at most {MOST_CHARACTERS}")
        text = path.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        raise InputError(f"{path.name}: is not a text file in UTF-8; give one of the formats that are read") from None
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or error
        raise InputError(f"{path.name}: cannot be read ({why}); give the path of a file") from None
    if not text.strip():
        raise InputError(f"{path.name}: is empty; give a file that holds a problem")
    return text


def read_lines(path: Path, comments: tuple[str, ...] = ("#",)) -> Iterator[Line]:
    """Yield the lines of a file that have words and do not begin with a comment."""
    for number, text in enumerate(read_text(path).splitlines(), start=1):
        words = tuple(text.split())
        if words and not words[0].startswith(comments):
            yield Line(path.name, number, words)


def take_first(lines: Iterator[Line], path: Path) -> Line:
    """Return the first of the lines. Raises InputError where there is none."""
    for line in lines:
        return line
    raise InputError(f"{path.name}: holds comments alone; give a file that holds a problem")
