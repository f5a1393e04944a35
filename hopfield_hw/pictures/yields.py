"""The pages of yields: the margins of drawn boards and the parts that matter, and yields against a tolerance."""

from __future__ import annotations

import math
import textwrap
from typing import TYPE_CHECKING

import numpy as np
from matplotlib import style
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, NullFormatter

from ..values.arrays import Array
from .plots import A4_LANDSCAPE, SPICE, STYLE, Page, axis_factor, write_table
from .schematic import FAULT

if TYPE_CHECKING:
    from ..production.monte_carlo import MonteCarlo
    from ..production.sweeps import YieldCurve

GOAL = 0.95
MOST_PARTS = 15
MOST_BINS, LEAST_BINS = 60, 10


def plot_monte_carlo(found: MonteCarlo, *, title: str = "board") -> Figure:
    """Return the page of a Monte Carlo study.

    The margins as a histogram, those at or below 0 in the colour of a failure, and their empirical distribution; the
    settling times and the power; the parts whose rank correlation with the margin is beyond chance; and the report,
    with engine and seed.
    """
    with style.context(["default", dict(STYLE)]):
        figure = Page(figsize=A4_LANDSCAPE)
        one = found.yielded
        low, high = one.interval
        figure.text(0.015, 0.963, textwrap.shorten(f"{title}: yield", 100, placeholder="..."), size=12, weight="bold")
        said = f"{one.count} of {one.trials} boards do the task: yield {one.value:.4g}, {low:.4f} to {high:.4f}"
        said += f" (exact interval, {one.level:.4g}); engine {found.engine}, seed {found.seed}"
        figure.text(0.015, 0.936, said, size=9)
        margins, below = figure.add_axes((0.06, 0.54, 0.42, 0.34)), figure.add_axes((0.06, 0.3, 0.42, 0.19))
        _plot_margins(margins, below, found)
        _plot_histogram(figure.add_axes((0.06, 0.065, 0.19, 0.15)), found.settling, "settling time", "s")
        _plot_histogram(figure.add_axes((0.29, 0.065, 0.19, 0.15)), found.power, found.power_label, "W")
        _plot_influences(figure.add_axes((0.68, 0.54, 0.3, 0.34)), found)
        rows = [row for row in found.rows() if row[0] != "parts that matter"]
        write_table(figure.add_axes((0.56, 0.06, 0.43, 0.39)), [*rows, ("seed", str(found.seed))])
    return figure


def plot_yields(curve: YieldCurve, *, title: str = "") -> Figure:
    """Return the picture of yields over a quantity: intervals as bars, and the line of 95%; parts of 1 in percent."""
    with style.context(["default", dict(STYLE)]):
        figure = Page(figsize=(7.0, 4.6))
        axes = figure.add_axes((0.1, 0.12, 0.86, 0.74))
        is_part, unit = curve.unit == "", curve.unit or "%"
        x = np.array(curve.points) * (100.0 if is_part else 1.0)
        values = np.array([one.value for one in curve.yields])
        low, high = np.array([one.interval for one in curve.yields]).T
        off = np.maximum(np.stack([values - low, high - values]), 0.0)
        axes.errorbar(x, values, yerr=off, fmt="o-", color=SPICE, ms=4, lw=1.0, elinewidth=1.2, capsize=3)
        axes.axhline(GOAL, color="black", lw=0.9, ls="-.")
        axes.text(1.0, GOAL, f"{GOAL:.0%} ", transform=axes.get_yaxis_transform(), ha="right", va="bottom")
        if is_part and x[0] > 0.0 and x.size > 1:
            axes.set_xscale("log")
            axes.xaxis.set_minor_formatter(NullFormatter())
        axes.set_xticks(x, [f"{one:g}%" if is_part else f"{one:g}" for one in x])
        named = curve.quantity if is_part else f"{curve.quantity} ({unit})"
        axes.set(xlabel=named, ylabel="yield", ylim=(min(0.0, float(low.min())), 1.03))
        first = curve.yields[0]
        proved, crossed = curve.reaches(GOAL), ", ".join(map(curve.text, curve.crossings(GOAL)))
        said = (
            "sure at none of these"
            if proved is None
            else f"for sure {curve.text(proved[0])} to {curve.text(proved[1])}"
        )
        said += f"; the yield itself crosses it about {crossed}" if crossed else ""
        begin = f"{textwrap.shorten(title, 40, placeholder='...')}: " if title else ""
        axes.set_title(
            f"{begin}yield of {first.trials} boards each, exact {100.0 * first.level:.4g}% intervals\n"
            f"{GOAL:.0%}: {said}",
            size=9,
        )
    return figure


def _plot_margins(axes: Axes, below: Axes, found: MonteCarlo) -> None:
    """Draw the margins as a histogram, with an edge at 0, and below it their empirical distribution."""
    known = np.sort(found.margins[np.isfinite(found.margins)])
    unknown = int(found.margins.size - known.size)
    unit = f" ({found.unit})" if found.unit else ""
    failed = int(np.sum(known <= 0.0))
    said = f"margin: {known.size - failed} do the task, {failed} do not (orange)"
    axes.set_title(said + (f"; {unknown} undecided are not shown" if unknown else ""))
    below.set(xlabel=f"margin of the task{unit}; above 0 it is done", ylabel="part of boards", ylim=(0.0, 1.02))
    axes.set_ylabel("boards")
    if not known.size:
        return
    edges = _edges(known)
    middle = 0.5 * (edges[:-1] + edges[1:])
    counts, _ = np.histogram(known, edges)
    axes.bar(middle, counts, np.diff(edges), color=np.where(middle > 0.0, SPICE, FAULT), edgecolor="white", lw=0.3)
    below.step([edges[0], *known, edges[-1]], [0.0, *np.arange(1, known.size + 1) / known.size, 1.0], "k", where="post")
    below.axvspan(min(edges[0], 0.0), 0.0, color=FAULT, alpha=0.2, lw=0.0)
    for one in (axes, below):
        one.axvline(0.0, color="black", lw=0.9, ls="-.")
        one.set_xlim(min(edges[0], 0.0), max(edges[-1], 0.0))
    axes.tick_params(labelbottom=False)


def _edges(known: Array) -> Array:
    """Return the edges of bins of one width, one of them just above 0, so that no bin holds both sides."""
    low, high = float(known[0]), float(known[-1])
    bins = min(MOST_BINS, max(LEAST_BINS, round(2.0 * math.sqrt(known.size))))
    width = (high - low) / bins or 0.05 * abs(low) or 1.0
    edges = width * np.arange(math.ceil(low / width) - 1, math.ceil(high / width) + 1)
    edges[0], edges[-1] = min(edges[0], low), max(edges[-1], high)
    # A margin of exactly 0 has failed, and a histogram's bins hold their lower edge.
    return np.asarray(np.where(edges == 0.0, np.nextafter(0.0, 1.0), edges))


def _plot_histogram(axes: Axes, values: Array, what: str, unit: str) -> None:
    known = values[np.isfinite(values)]
    axes.set_title(what if known.size else f"{what}: not known of any board")
    axes.set_ylabel("boards")
    if not known.size:
        return
    factor, shown = axis_factor(float(np.max(np.abs(known))), unit)
    axes.hist(known * factor, bins=min(MOST_BINS // 2, max(LEAST_BINS, round(math.sqrt(known.size)))), color=SPICE)
    axes.set_xlabel(f"{what} ({shown})")
    missing = values.size - known.size
    if missing:
        axes.set_title(f"{what}: not known of {missing}")


def _plot_influences(axes: Axes, found: MonteCarlo) -> None:
    """Draw the rank correlations of the margin with the parts that matter."""
    rows = found.influences()
    shown = rows[:MOST_PARTS]
    more = f", the {len(shown)} strongest of {len(rows)}" if len(rows) > len(shown) else ""
    if not shown:
        axes.set_title("parts that matter: none alone is beyond chance")
        axes.axis("off")
        return
    at = np.arange(len(shown))
    axes.barh(at, [one.correlation for one in shown], 0.62, color=SPICE)
    axes.axvline(0.0, color="black", lw=0.6)
    axes.set_yticks(at, [one.name for one in shown])
    largest = max(abs(one.correlation) for one in shown)
    axes.set(ylim=(len(shown) - 0.4, -0.6), xlim=(-1.1 * largest, 1.1 * largest))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:+.2g}" if value else "0"))
    axes.set_xlabel("rank correlation of the margin with the part's value (Spearman)")
    axes.set_title(f"parts that matter{more}", x=-0.3)
