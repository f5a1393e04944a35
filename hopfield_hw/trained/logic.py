"""A recursive network that has learnt what logical expressions evaluate to."""

from __future__ import annotations

from dataclasses import dataclass

from ..graph import Graph
from ..recurrent import Readout, RecursiveCell
from ..values.brief import Brief
from .weights import load_arrays


@dataclass(frozen=True, kw_only=True, eq=False)
class LogicModel(Brief):
    """A recursive cell over expressions; the word of a node goes in one-hot, in the order of `expressions.WORDS`.

    `readout`: of one output, above 0 where the node is true.
    """

    cell: RecursiveCell
    readout: Readout

    def graph(self) -> Graph:
        """Return the graph of a node: Inputs `x`, `h_left`, `h_right`; Outputs `h`, and `y`, above 0 for true."""
        return self.readout.beside(self.cell.graph(), "h", "y")


def logic() -> LogicModel:
    """Return a recursive cell (H = 8) trained on expressions of depth 1 to 4. Training: training/logic.py."""
    arrays = load_arrays("logic")
    readout = Readout(weights=arrays.pop("readout.weight"), bias=arrays.pop("readout.bias"))
    return LogicModel(cell=RecursiveCell(**arrays), readout=readout)
