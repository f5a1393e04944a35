"""Layers of recurrent cells: one or two directions, one above the other."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

from ..values.brief import Brief
from ..values.errors import InputError
from .cells import RecurrentCell

Direction: TypeAlias = Literal["forward", "reverse", "bidirectional"]


@dataclass(frozen=True, kw_only=True, eq=False)
class Layer(Brief):
    """A cell that reads a sequence forward, backward, or two cells that do both; their outputs stand side by side.

    Raises InputError for no cell, and for two that take inputs of different sizes or are of different kinds.
    """

    forward: RecurrentCell | None = None
    backward: RecurrentCell | None = None

    def __post_init__(self) -> None:
        cells = self.cells
        if not cells:
            raise InputError("`Layer` has no cell: give `forward`, `backward`, or both")
        sizes, kinds = {cell.input_size for cell in cells}, {type(cell).__name__ for cell in cells}
        if len(sizes) > 1 or len(kinds) > 1:
            found = " and ".join(f"{type(cell).__name__} of {cell.input_size} inputs" for cell in cells)
            raise InputError(f"`Layer` has {found}: both directions must have one kind and one number of inputs")

    @property
    def cells(self) -> tuple[RecurrentCell, ...]:
        """The cells, forward first."""
        return tuple(cell for cell in (self.forward, self.backward) if cell is not None)

    @property
    def direction(self) -> Direction:
        """Which way the sequence is read."""
        if len(self.cells) == 2:
            return "bidirectional"
        return "reverse" if self.forward is None else "forward"

    @property
    def output_size(self) -> int:
        """The elements of the output, all directions together."""
        return sum(cell.output_size for cell in self.cells)


@dataclass(frozen=True, kw_only=True, eq=False)
class Stack(Brief):
    """Layers, of which each reads what the one below it gives. Raises InputError for none, and where sizes differ."""

    layers: tuple[Layer, ...]

    def __post_init__(self) -> None:
        object.__setattr__(self, "layers", tuple(self.layers))
        if not self.layers:
            raise InputError("`Stack.layers` is empty: must hold at least one layer")
        for k, (below, above) in enumerate(zip(self.layers, self.layers[1:], strict=False)):
            if below.output_size != above.cells[0].input_size:
                raise InputError(
                    f"`Stack.layers[{k}]` gives {below.output_size} elements and the next one takes "
                    f"{above.cells[0].input_size}; make the sizes meet"
                )
