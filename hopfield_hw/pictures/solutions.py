"""A picture of an answer: what it is on the left, where the runs ended on the right."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from matplotlib import style
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from ..values.arrays import Array
from .files import save_figure
from .plots import STYLE

if TYPE_CHECKING:
    from ..optimisation import Solution

# A graph of more nodes, or a vector of more numbers, is shown as a bar for each.
MOST_NODES, MOST_COLOURS = 150, 20
BARS, BINS = 12, 40


def plot_solution(found: Solution, path: Path | str) -> None:
    """Write a picture of a Solution; the suffix of `path` says in which format.

    Raises InputError for a suffix that is not a picture's, and for a path that cannot be written.
    """
    with style.context(["default", dict(STYLE)]):
        figure = Figure(figsize=(11.0, 5.2))
        left, right = figure.add_axes((0.06, 0.11, 0.44, 0.72)), figure.add_axes((0.60, 0.16, 0.37, 0.67))
        figure.text(0.02, 0.94, f"{found.name}: {found.what} {found.value:.10g}", size=13, weight="bold")
        bound = "" if found.bound is None else f"; none is better than {found.bound:.10g}"
        figure.text(0.02, 0.895, f"{found.verdict}, by {found.rests_on}{bound}", size=10)
        _draw_answer(left, found)
        _draw_runs(right, found)
    save_figure(figure, path)


def _draw_answer(axes: Axes, found: Solution) -> None:
    if found.kind == "travelling_salesman" and found.places is not None:
        tour = np.append(found.answer, found.answer[0])
        axes.plot(*found.places[tour].T, "k-", linewidth=1.2)
        axes.plot(*found.places.T, "o", color="#D55E00")
        for city, place in enumerate(found.places):
            axes.annotate(str(city + 1), place, textcoords="offset points", xytext=(5, 4), size=8)
        axes.set(title="tour", xlabel="x, as in the file", ylabel="y, as in the file")
        axes.margins(0.08)
    elif found.edges is not None and found.answer.size <= MOST_NODES:
        _draw_graph(axes, found)
    else:
        axes.bar(np.arange(1, found.answer.size + 1), found.answer, width=1.0, color="#0072B2")
        axes.set(title=f"answer: {found.form}", xlabel="element, as in the file", ylabel="value")


def _draw_graph(axes: Axes, found: Solution) -> None:
    import networkx as nx

    assert found.edges is not None
    graph = nx.Graph(found.edges.tolist())
    graph.add_nodes_from(range(found.answer.size))
    places = nx.spring_layout(graph, seed=1)
    xy = np.array([places[k] for k in range(found.answer.size)])
    for i, j in found.edges.tolist():
        clash = found.kind == "colouring" and found.answer[i] == found.answer[j]
        axes.plot(*xy[[i, j]].T, color="#D55E00" if clash else "0.75", linewidth=2.0 if clash else 0.6, zorder=1)
    axes.scatter(
        xy[:, 0],
        xy[:, 1],
        c=found.answer % MOST_COLOURS,
        cmap="tab20",
        s=60.0,
        zorder=2,
        edgecolors="k",
        linewidths=0.4,
    )
    axes.set(title=f"answer: {found.form}")
    axes.axis("off")


def _draw_runs(axes: Axes, found: Solution) -> None:
    values: Array = found.values[np.isfinite(found.values)]
    if values.size < 2:
        axes.axis("off")
        return
    apart, counts = np.unique([float(f"{each:.10g}") for each in values.tolist()], return_counts=True)
    if apart.size <= BARS:
        axes.bar(np.arange(apart.size), counts, color="0.6")
        axes.set_xticks(np.arange(apart.size), [f"{each:.7g}" for each in apart.tolist()], rotation=30, ha="right")
    else:
        axes.hist(values, bins=BINS, color="0.6")
    ended = f"{values.size} of {found.values.size} runs" if values.size < found.values.size else f"{values.size} runs"
    axes.set(title=ended, xlabel=found.values_of or found.what, ylabel="runs that ended there")
