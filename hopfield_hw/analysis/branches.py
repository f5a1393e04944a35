"""What a continuation gives: branches of equilibria, and the points where their number or stability changes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from ..values.arrays import Array
from ..values.brief import Brief
from ..values.report import Report

PointKind = Literal["fold", "branch", "hopf", "flip", "torus", "corner", "unresolved"]


@dataclass(frozen=True, kw_only=True, eq=False)
class SpecialPoint(Brief):
    """A point of a branch where something changes.

    `kind`: "fold" (the branch turns back), "branch" (another one crosses), "hopf" (a pair of roots crosses the
    imaginary axis), "flip" and "torus" of a map (a multiplier crosses -1, or a pair the unit circle), "corner" (the
    slope of a piecewise-linear gain jumps there), "unresolved" (the number of roots to the right changes near it, or
    may do so twice, and where is not found). `parameter`; `state`: (n,), volts. `frequency`: rad/s, of the pair
    that crosses at a Hopf point, else NaN. `step`: before which point of its branch it lies. `off`: how far the test
    function is from 0, as a part of what it was at the points before and after.
    """

    kind: PointKind
    parameter: float
    state: Array
    frequency: float
    step: int
    off: float


@dataclass(frozen=True, kw_only=True, eq=False)
class Branch(Brief):
    """A branch of equilibria, in the order of its arc.

    `parameters`: (k,). `states`: (k, n), volts. `unstable`: (k,), how many roots are to the right (of a map outside the
    unit circle): 0 is stable. `points`: the special ones. `parent`: the branch that it was reached from, None for the
    first. `ends`: why it ends, at the first point and at the last. `resolution`: the longest step between two points,
    of states by their size and of the parameter by its range. Two crossings of the imaginary axis that cancel within a
    step are found where the roots at its ends, and how fast these move, tell of them: a step is then halved. What comes
    and goes within one step without a trace at its ends is not.
    """

    parameters: Array
    states: Array
    unstable: npt.NDArray[np.intp]
    points: tuple[SpecialPoint, ...]
    parent: int | None
    ends: tuple[str, str]
    resolution: float


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Diagram(Report):
    """The branches that were followed, the first that of the start."""

    branches: tuple[Branch, ...]

    @property
    def points(self) -> tuple[SpecialPoint, ...]:
        """The special points of all branches."""
        return tuple(point for branch in self.branches for point in branch.points)

    @property
    def resolution(self) -> float:
        """The longest step between two points: see `Branch`."""
        return max((branch.resolution for branch in self.branches), default=0.0)

    def of_kind(self, kind: PointKind) -> tuple[SpecialPoint, ...]:
        """Return the special points of one kind."""
        return tuple(point for point in self.points if point.kind == kind)

    def rows(self) -> list[tuple[str, str]]:
        said = [("looked at", f"steps of up to {self.resolution:.2g}, the range and the size of the states being 1")]
        for k, branch in enumerate(self.branches):
            low, high = float(branch.parameters.min()), float(branch.parameters.max())
            part = f"{int(np.sum(branch.unstable == 0))} stable"
            said.append((f"branch {k}", f"{branch.parameters.size} points, {part}, parameter {low:.6g} to {high:.6g}"))
            for point in branch.points:
                more = f", {point.frequency:.6g} rad/s" if np.isfinite(point.frequency) else ""
                said.append((f"  {point.kind}", f"at {point.parameter:.10g}{more}"))
        return said

    def figures(self) -> dict[str, Any]:
        return {
            "branches": len(self.branches),
            "resolution": self.resolution,
            "points": [
                {"kind": p.kind, "parameter": p.parameter, "frequency": p.frequency, "state": p.state.tolist()}
                for p in self.points
            ],
        }
