"""The page of an error budget: contributions beside their predictions, the sum beside the whole, their waveforms."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from matplotlib import style
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from ..values.measures import nrmse, ranges
from ..values.si_text import format_si
from .plots import A4_LANDSCAPE, GOOD, PALE, SPICE, STYLE, Page, write_table
from .schematic import FAULT

if TYPE_CHECKING:
    from ..board.budget.contributions import Contribution, ErrorBudget

LARGEST = 5  # contributions whose waveforms are drawn
FLOOR = 1e-7
TOTAL = "#444444"


class Bar(NamedTuple):
    """One row of the chart: a name, what was measured, what is predicted (None for nothing), and how it looks."""

    name: str
    measured: float
    predicted: float | None
    colour: str
    resolved: bool = True


def plot_budget(budget: ErrorBudget) -> Figure:
    """Return the page of an error budget.

    Each imperfection alone, measured beside its first-order prediction, on an axis of decades; the sum of all beside
    the whole board; the deviations of the worst state over time; and what dominates, with its cure.
    """
    with style.context(["default", dict(STYLE)]):
        figure = Page(figsize=A4_LANDSCAPE)
        figure.text(0.015, 0.963, f"{budget.title}: error budget", size=12, weight="bold")
        said = f"NRMSE {budget.states:.2e}, dominated by: {budget.dominating.what}; cure: {budget.cure}"
        figure.text(0.015, 0.936, said, size=9, color=GOOD if budget.states <= budget.goal else FAULT)
        _plot_bars(figure.add_axes((0.19, 0.08, 0.25, 0.8)), budget)
        write_table(figure.add_axes((0.6, 0.56, 0.395, 0.33)), _lines(budget))
        _plot_waves(figure.add_axes((0.63, 0.08, 0.355, 0.4)), budget)
    return figure


def bars(budget: ErrorBudget) -> list[Bar]:
    """Return the rows of the chart: the contributions, those beside a nominal board, and then the sum and the whole.

    The sum is that of the waveforms; it has no row where not all contributions were measured.
    """

    def of(one: Contribution, colour: str) -> Bar:
        resolved = budget.is_resolved(one)
        return Bar(one.what, one.states, one.predicted, colour if resolved else PALE, resolved)

    found = [of(one, FAULT if one is budget.dominating else SPICE) for one in budget.contributions]
    found += [of(one, SPICE) for one in budget.beside if one not in budget.contributions]
    if not math.isnan(budget.residual):
        nominal = [one.deviation.states for one in budget.contributions]
        total = nrmse(budget.ideal.states[1:], (budget.ideal.states + np.sum(nominal, axis=0))[1:])
        found.append(Bar("sum of the nominal ones", total, budget.predicted, TOTAL))
    found.append(Bar("whole board", budget.states, None, TOTAL))
    return found


def _plot_bars(axes: Axes, budget: ErrorBudget) -> None:
    rows = bars(budget)
    at = np.arange(len(rows))
    axes.barh(at, [max(row.measured, FLOOR) for row in rows], height=0.6, color=[row.colour for row in rows])
    known = [(k, row.predicted) for k, row in enumerate(rows) if row.predicted is not None and row.resolved]
    axes.plot(
        [max(value, FLOOR) for _, value in known], [k for k, _ in known], "D", ms=4, color="black", label="first order"
    )
    for k, row in enumerate(rows):
        predicted = "-" if row.predicted is None else f"{row.predicted:.2e}"
        words = (f"{row.measured:.2e}", predicted) if row.resolved else ("not resolved", "")
        for x, word in zip((1.04, 1.27), words, strict=True):
            axes.text(x, k, word, transform=axes.get_yaxis_transform(), va="center")
    for x, word in ((1.04, "measured"), (1.27, "first order")):
        axes.text(x, -1.0, word, transform=axes.get_yaxis_transform(), va="center", color="#555555")
    axes.axvline(budget.resolution, color="0.5", lw=0.9, ls=":", label=f"resolution {budget.resolution:.1e}")
    axes.axvline(budget.goal, color=GOOD, lw=0.9, label=f"goal {budget.goal:.0e}")
    axes.set_yticks(at, [row.name for row in rows])
    largest = max(budget.goal, *(row.measured for row in rows), *(value for _, value in known))
    axes.set(xscale="log", xlim=(FLOOR, 3.0 * largest), ylim=(len(rows) - 0.4, -1.4))
    axes.set_xlabel("NRMSE of the states, the worst neuron (a part of its range)")
    axes.set_title("each imperfection alone, in ngspice; orange: the dominating one", x=-0.6, pad=18.0)
    axes.legend(loc="lower left", bbox_to_anchor=(-0.6, 1.0), ncols=3, borderpad=0.0, handlelength=1.2)


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
    ticks = ticks[(ticks >= 0.0) & (ticks <= budget.times[-1])][::2]
    axes.set_xticks(ticks, [format_si(float(tick), "s") for tick in ticks])
    axes.set(xlabel="time", ylabel="deviation / range")
    axes.set_title(f"deviation of state {k}, which is off the most; dashed: first order")
    axes.legend(loc="best", ncols=2)


def _lines(budget: ErrorBudget) -> list[tuple[str, str]]:
    """Return the rows of a budget without those that the chart shows."""
    shown = {one.what for one in (*budget.contributions, *budget.beside)}
    return [
        *((what, value) for what, value in budget.rows() if what not in shown),
        ("ends in another state", ", ".join(_ended_elsewhere(budget)) or "none"),
    ]


def _ended_elsewhere(budget: ErrorBudget) -> list[str]:
    return [one.what for one in (*budget.contributions, *budget.beside) if one.settled == "different"]
