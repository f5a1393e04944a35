"""The page of an error budget: contributions beside their predictions, their waveforms, and the table."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from matplotlib import style
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from ..values.measures import ranges
from ..values.report import text_table
from ..values.si_text import format_si
from .plots import A4_LANDSCAPE, GOOD, SPICE, STYLE, Page

if TYPE_CHECKING:
    from ..board.budget.contributions import ErrorBudget

LARGEST = 5  # contributions whose waveforms are drawn
FLOOR = 1e-7
LINE = 70  # letters of a line of the table


def plot_budget(budget: ErrorBudget) -> Figure:
    """Return the page of an error budget."""
    with style.context(["default", dict(STYLE)]):
        figure = Page(figsize=A4_LANDSCAPE)
        figure.text(0.015, 0.963, f"{budget.title}: error budget", size=12, weight="bold")
        said = f"NRMSE {budget.states:.2e}, dominated by: {budget.dominating.what}; cure: {budget.cure}"
        figure.text(0.015, 0.936, said, size=9)
        _plot_bars(figure.add_axes((0.2, 0.53, 0.3, 0.36)), budget)
        _plot_waves(figure.add_axes((0.06, 0.07, 0.44, 0.37)), budget)
        _write_rows(figure, budget)
    return figure


def _plot_bars(axes: Axes, budget: ErrorBudget) -> None:
    entries = [*budget.contributions, *(one for one in budget.beside if one not in budget.contributions)]
    at = np.arange(len(entries))
    axes.barh(at, [max(one.states, FLOOR) for one in entries], height=0.6, color=SPICE, label="measured in ngspice")
    known = [(k, one.predicted) for k, one in enumerate(entries) if one.predicted is not None]
    axes.plot(
        [max(value, FLOOR) for _, value in known], [k for k, _ in known], "D", ms=4, color="black", label="first order"
    )
    axes.axvline(budget.resolution, color="0.6", lw=0.8, ls=":")
    axes.axvline(budget.goal, color=GOOD, lw=0.8)
    axes.set_yticks(at, [one.what for one in entries])
    axes.invert_yaxis()
    axes.set(xscale="log", xlabel="NRMSE of the states, worst neuron; line: the goal; dotted: resolution")
    axes.set_title("each imperfection alone")
    axes.legend(loc="lower left", bbox_to_anchor=(0.4, 1.0), ncols=2)


def _plot_waves(axes: Axes, budget: ErrorBudget) -> None:
    extent, times = ranges(budget.ideal.states), budget.times[1:]
    off = np.sqrt(np.mean(budget.whole.states**2, axis=0)) / extent
    k = int(np.argmax(off))
    axes.plot(times, budget.whole.states[1:, k] / extent[k], color="black", lw=1.6, label="the whole board")
    for one in budget.contributions[:LARGEST]:
        axes.plot(times, one.deviation.states[1:, k] / extent[k], lw=1.0, label=one.what)
        if one.prediction is not None:
            axes.plot(times, one.prediction.states[1:, k] / extent[k], color="black", lw=0.7, ls=(0, (2, 3)))
    ticks = axes.get_xticks()
    ticks = ticks[(ticks >= 0.0) & (ticks <= budget.times[-1])]
    axes.set_xticks(ticks, [format_si(float(tick), "s") for tick in ticks])
    axes.set_title(f"deviation of state {k} as a part of its range; dashed: first order")
    axes.legend(loc="best", ncols=2)


def _write_rows(figure: Figure, budget: ErrorBudget) -> None:
    rows = [(what, value[:LINE]) for what, value in budget.rows()]
    figure.text(0.53, 0.9, text_table(rows), family="monospace", size=5.6, va="top", linespacing=1.6)
