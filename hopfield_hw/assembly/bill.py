"""The bill of materials: what a board is bought from, parts of one kind on a line."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from typing import NamedTuple

from .assembly import Assembly
from .component import Component

COLUMNS = (
    "Quantity",
    "References",
    "Value",
    "Footprint",
    "MPN",
    "Manufacturer",
    "Tolerance",
    "Dielectric",
    "TempCo",
    "Price",
)
FIELDS = ("MPN", "Manufacturer", "Tolerance", "Dielectric", "TempCo")


class BillLine(NamedTuple):
    """So many parts of one kind. `references`: theirs, in order. `fields`: by FIELDS, "" where nothing is recorded."""

    quantity: int
    references: tuple[str, ...]
    value: str
    footprint: str
    fields: tuple[str, ...]


def list_bill(assembly: Assembly) -> tuple[BillLine, ...]:
    """Return the lines of the bill of materials, in the order of their first references; test points are no parts."""
    found: dict[tuple[str, ...], list[Component]] = {}
    for component in assembly.components:
        if component.bought:
            fields = tuple(component.fields.get(name, "") for name in FIELDS)
            found.setdefault((component.symbol, component.value, component.footprint, *fields), []).append(component)
    return tuple(
        BillLine(len(parts), tuple(part.reference for part in parts), value, footprint, tuple(fields))
        for (_, value, footprint, *fields), parts in found.items()
    )


def write_bill(assembly: Assembly) -> str:
    """Return the bill of materials as CSV, the references with spaces between them, the price left to the buyer."""
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    table.writerow(COLUMNS)
    table.writerows(_row(line) for line in list_bill(assembly))
    return text.getvalue()


def _row(line: BillLine) -> Sequence[object]:
    return (line.quantity, " ".join(line.references), line.value, line.footprint, *line.fields, "")
