"""The crossbar: a matrix of resistors, or of transconductances, as one device of a large dense network."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import ClassVar, NamedTuple

import numpy as np

from ..values.arrays import SparseArray
from ..values.errors import InputError
from .part import Part
from .passive import Resistor
from .sources import Transconductance


class Crossing(NamedTuple):
    """One part of a crossbar: its row and column, the end of its name, the part, and its ports, -1 for ground."""

    row: int
    column: int
    suffix: str
    part: Part
    ports: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Crossbar(Part):
    """A matrix of conductances between row nodes and column nodes, siemens.

    With `loads`, each entry is a resistor 1 / G_ij between row i and column j, so that row i takes the current

        i_i = sum_j G_ij (v_i - v_j)

    and column j the opposite; without, a transconductance that senses column j alone, i_i = -sum_j G_ij v_j. Its ports
    are the rows, then the columns. `row_labels`, `column_labels`: of the names of its parts; `elements`: the element of
    the graph that a column is of.

    Raises InputError for resistors that are not positive, and labels that do not fit.
    """

    siemens: SparseArray = field(repr=False)
    row_labels: tuple[str, ...] = field(repr=False)
    column_labels: tuple[str, ...] = field(repr=False)
    elements: tuple[int, ...] = field(repr=False)
    loads: bool = True
    what: ClassVar[str] = "crossbar"

    @property
    def ports(self) -> tuple[str, ...]:
        rows, columns = self.siemens.shape
        return (*(f"row_{k}" for k in range(rows)), *(f"column_{k}" for k in range(columns)))

    @property
    def sensed(self) -> tuple[int, ...]:
        rows, columns = self.siemens.shape
        return () if self.loads else tuple(range(rows, rows + columns))

    @property
    def physical(self) -> bool:
        return self.loads

    def check(self, name: str) -> None:
        rows, columns = self.siemens.shape
        if (len(self.row_labels), len(self.column_labels), len(self.elements)) != (rows, columns, columns):
            raise InputError(f"device {name}: a crossbar of {rows} x {columns} needs a label for each row and column")
        values = self.siemens.data
        with np.errstate(divide="ignore", over="ignore"):
            is_bad = ~np.isfinite(1.0 / values) | (values <= 0.0) if self.loads else ~np.isfinite(values)
        if is_bad.any():
            raise InputError(
                f"device {name}: a conductance of {values[is_bad][0]} S: must be finite, of a resistor positive too"
            )

    def crossings(self) -> Iterator[Crossing]:
        """Yield its parts, row by row."""
        starts, columns, values = self.siemens.indptr, self.siemens.indices.tolist(), self.siemens.data.tolist()
        rows = self.siemens.shape[0]
        for i in range(rows):
            for k in range(starts[i], starts[i + 1]):
                j, siemens = columns[k], values[k]
                suffix = f"_{self.row_labels[i]}_{self.column_labels[j]}"
                if self.loads:
                    yield Crossing(i, self.elements[j], suffix, Resistor(1.0 / siemens), (rows + j, i))
                else:
                    ports = (-1, i, rows + j, -1)
                    yield Crossing(i, self.elements[j], suffix, Transconductance(siemens), ports)
