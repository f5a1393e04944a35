"""What a cell is: a pattern over the graph, and the devices that realise it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import NamedTuple, Protocol

from ..circuit import Draft
from ..graph import Graph


class Fragment(NamedTuple):
    """Operators that a cell realises together, and how: `build` adds their devices to a draft."""

    operators: tuple[str, ...]
    build: Callable[[Draft], None]


class Cell(Protocol):
    """A topology for neurons. Any object with these members is one; `hopfield_hw.testing.check_cell` tests it.

    `name`: what users call it. `law`: the equation that the devices realise.
    """

    @property
    def name(self) -> str: ...

    @property
    def law(self) -> str: ...

    def fragments(self, graph: Graph) -> Iterable[Fragment]:
        """Return what the cell can realise of a graph in SI units; fragments may overlap, the largest wins.

        Raises Unrealisable where the pattern is there but its values cannot be built.
        """
        ...

    def rescaling(self, graph: Graph) -> dict[str, float]:
        """Return by Leak the factor s (x -> s x) that makes the graph realisable; empty where none is needed."""
        ...
