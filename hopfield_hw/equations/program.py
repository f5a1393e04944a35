"""What every equation of a graph offers to those that run it, whatever its kind."""

from __future__ import annotations

from collections.abc import Mapping, Set
from typing import Literal, NamedTuple, Protocol, TypeAlias

from ..graph import Graph
from ..values.arrays import Array
from .watch import Watch

Method: TypeAlias = Literal["auto", "RK45", "DOP853", "Radau", "BDF", "LSODA"]


class Solved(NamedTuple):
    """States and outputs at the times of a grid, (T, n) and (T, outputs); `attrs`: what is known of the solution."""

    states: Array
    outputs: Array
    attrs: Mapping[str, float]


class Program(Protocol):
    """A graph in SI units as an equation: of the kind ODE, DDE, map or sampled.

    States: those of the Leaks, then those of the Holds, x[..., n]; `initial` is what they start with. `methods`: those
    of `reference` that can solve it.
    """

    @property
    def graph(self) -> Graph: ...

    @property
    def size(self) -> int: ...

    @property
    def initial(self) -> Array: ...

    @property
    def methods(self) -> Set[str]: ...

    def grids(self, end: float, points: int | None) -> tuple[Array, Array]:
        """Return the times of a result from 0 to `end`, seconds, and when each of them is read, (T,) both.

        `points`: uniform ones; by default as many as usual, or what the clocks say. A map has those of its clock alone.
        Raises InputError for so many that the states find no room.
        """
        ...

    def solve(self, grid: Array, accuracy: float, method: Method, watch: Watch) -> Solved:
        """Return the solution from the initial state at `grid`, from 0 on, to an accuracy (NRMSE).

        Raises AccuracyError where the solver fails or makes no headway, and SimulatorTimeout where its time is up.
        """
        ...

    def follow(self, rows: Array, grid: Array, rtol: float, watch: Watch) -> Array:
        """Return the states, (B, T, n), at `grid` from each row of states, (B, n), to a relative tolerance.

        Histories of Delays stay as they are. Raises as `solve`.
        """
        ...
