"""The picture of a continuation: branches of equilibria over the parameter, stable and unstable, with their points."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from types import MappingProxyType
from typing import Any

import numpy as np
from matplotlib import style
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from ..analysis.branches import Branch, Diagram, PointKind
from ..analysis.cycles import Cycle
from ..values.arrays import Array, whole
from ..values.errors import InputError
from .plots import GOOD, SPICE, STYLE, Page
from .sheet import FAULT

SIZE = (6.4, 4.4)
NAMES: Mapping[PointKind, tuple[str, str]] = MappingProxyType(
    {
        "fold": ("fold", "o"),
        "branch": ("branch point", "X"),
        "hopf": ("Hopf point", "*"),
        "flip": ("flip", "P"),
        "torus": ("torus point", "h"),
        "corner": ("corner of a gain", "v"),
    }
)
MOST_LABELS = 12


def plot_bifurcation(
    diagram: Diagram,
    state: int = 0,
    *,
    parameter: str = "parameter",
    cycles: Sequence[Cycle] = (),
) -> Figure:
    """Return the bifurcation diagram of one state: stable parts solid, unstable ones dashed, its points labelled.

    `state`: which one, from 0. `parameter`: what the axis says, with its unit, such as "gain (V/V)". `cycles`: from
    `continue_cycle`, whose largest and smallest values of the state are shown, full where they are stable,
    and a cross where that is undecided.

    Raises InputError for another object, a state that there is not, and cycles without their parameter.
    """
    if not isinstance(diagram, Diagram):
        raise InputError(f"`diagram` = {diagram!r:.60}: must be a Diagram, of `continue_equilibria`")
    if not diagram.branches:
        raise InputError("`diagram` holds no branch")
    k = whole(state, "state", 0, diagram.branches[0].states.shape[1] - 1, ", the states")
    with style.context(["default", dict(STYLE)]):
        figure = Page(figsize=SIZE)
        axes = figure.add_axes((0.11, 0.12, 0.63, 0.78))
        for branch in diagram.branches:
            _draw_branch(axes, branch, k)
        shown = [
            Line2D([], [], color=SPICE, lw=1.8, label="stable"),
            Line2D([], [], color=FAULT, lw=1.2, ls=(0, (4, 2)), label="unstable"),
        ]
        shown += _draw_cycles(axes, cycles, k)
        shown += _draw_points(axes, diagram, k)
        axes.set(title="bifurcation diagram", xlabel=parameter, ylabel=f"state {k} (V)")
        axes.margins(x=0.02, y=0.08)
        axes.legend(handles=shown, loc="upper left", bbox_to_anchor=(1.01, 1.02))
    return figure


def _draw_branch(axes: Axes, branch: Branch, k: int) -> None:
    """Draw a branch in pieces of one stability, which change at the special points exactly."""
    p, x, stable = list(branch.parameters), list(branch.states[:, k]), list(branch.unstable == 0)
    for point in sorted(branch.points, key=lambda one: one.step, reverse=True):
        p.insert(point.step, point.parameter)
        x.insert(point.step, float(point.state[k]))
        stable.insert(point.step, stable[min(point.step, len(stable) - 1)])
    # A piece between two points is as the one of them that is no special point; the last of several counts.
    kinds = np.array(stable[1:], dtype=bool)
    special = {point.step + n for n, point in enumerate(sorted(branch.points, key=lambda one: one.step))}
    for m in range(len(kinds)):
        if m + 1 in special:
            kinds[m] = stable[m]
    cuts = [0, *(np.flatnonzero(kinds[1:] != kinds[:-1]) + 1).tolist(), len(kinds)]
    for a, b in pairwise(cuts):
        if a < b:
            looks: dict[str, Any] = (
                {"color": SPICE, "lw": 1.8} if kinds[a] else {"color": FAULT, "lw": 1.2, "ls": (0, (4, 2))}
            )
            axes.plot(p[a : b + 1], x[a : b + 1], **looks)


def _draw_cycles(axes: Axes, cycles: Sequence[Cycle], k: int) -> list[Line2D]:
    shown = []
    for outcome, fill in (("stable", GOOD), ("unstable", "white"), ("undecided", "none")):
        chosen = [cycle for cycle in cycles if cycle.outcome == outcome]
        if not chosen:
            continue
        at = [cycle.parameter for cycle in chosen]
        if any(value is None for value in at):
            raise InputError("`cycles`: one has no parameter; give those of `continue_cycle`")
        values: Array = np.array(at, dtype=np.float64)
        ends = np.array([(cycle.states[:, k].min(), cycle.states[:, k].max()) for cycle in chosen])
        marker = "x" if outcome == "undecided" else "o"
        looks: dict[str, Any] = {"marker": marker, "ls": "", "ms": 3.5, "color": GOOD, "mfc": fill}
        for column in ends.T:
            axes.plot(values, column, **looks)
        shown.append(Line2D([], [], label=f"{outcome} cycle", **looks))
    return shown


def _draw_points(axes: Axes, diagram: Diagram, k: int) -> list[Line2D]:
    shown = []
    for kind, (name, marker) in NAMES.items():
        points = diagram.of_kind(kind)
        if not points:
            continue
        size = 9.0 if marker == "*" else 6.0
        at = np.array([(point.parameter, float(point.state[k])) for point in points])
        axes.plot(*at.T, marker=marker, ls="", ms=size, mec="black", mfc="white", zorder=5.0)
        shown.append(Line2D([], [], marker=marker, ls="", ms=size, mec="black", mfc="white", label=name))
    for point in diagram.points[:MOST_LABELS]:
        axes.annotate(
            f"{point.parameter:.6g}",
            (point.parameter, float(point.state[k])),
            xytext=(6, 5),
            textcoords="offset points",
            fontsize=7.0,
        )
    return shown
