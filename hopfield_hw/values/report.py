"""Reports: what a result says, as a table in text and in a notebook, as JSON, and in one line."""

from __future__ import annotations

import html
import math
from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from .brief import Brief, shorten


class Report(Brief, ABC):
    """The base of all results: a frozen dataclass that states its rows and its figures.

    `rows` are for people: the table of `print` and of a notebook, and the one line of `repr`. `figures` are for
    programs: `to_json` makes them JSON-able.
    """

    @abstractmethod
    def rows(self) -> list[tuple[str, str]]:
        """Return the report as (what, value) rows, the most important first."""

    @abstractmethod
    def figures(self) -> dict[str, Any]:
        """Return by name what JSON has of the report."""

    def to_json(self) -> dict[str, Any]:
        """Return the figures as JSON-able values; what JSON has no number for becomes None."""
        found: dict[str, Any] = plain(self.figures())
        return found

    def __str__(self) -> str:
        return text_table(self.rows())

    def __repr__(self) -> str:
        said = "; ".join(f"{what} {value}" for what, value in self.rows())
        return shorten(f"<{type(self).__name__}: {said}>", "...>")

    def _repr_html_(self) -> str:
        cells = (f"<tr><th>{html.escape(what)}</th><td>{html.escape(value)}</td></tr>" for what, value in self.rows())
        return f'<table style="text-align: left">{"".join(cells)}</table>'


def text_table(rows: Iterable[Sequence[str]], columns: Sequence[str] = ()) -> str:
    """Return rows of texts as lines, each column as wide as its longest text; `columns`: their names, if any."""
    lines = [*([tuple(columns)] if columns else []), *(tuple(row) for row in rows)]
    count = max((len(line) for line in lines), default=0)
    widths = [max(len(line[k]) for line in lines if k < len(line)) for k in range(count)]
    padded = ("  ".join(f"{text:<{width}}" for text, width in zip(line, widths, strict=False)) for line in lines)
    return "\n".join(line.rstrip() for line in padded)


def plain(value: Any) -> Any:
    """Return a value as JSON has it: NamedTuples and mappings as objects, sequences as arrays, reports by figures.

    Numbers of NumPy become Python's, and what is not finite None.
    """
    if isinstance(value, Report):
        return value.to_json()
    if hasattr(value, "_asdict"):
        value = value._asdict()
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    if hasattr(value, "item") and getattr(value, "shape", None) == ():
        value = value.item()
    return None if isinstance(value, float) and not math.isfinite(value) else value
