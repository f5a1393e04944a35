"""Pictures: a verification on one page, and the waveforms of a simulation."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
import xarray as xr
from matplotlib import colormaps, style
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullLocator

from ..board.judgement import BoardVerification
from ..functions import Gain
from ..graph import Activate, Graph
from ..transforms import in_si
from ..values.arrays import Array, freeze
from ..values.errors import InputError
from ..values.measures import ranges
from ..values.si_text import PREFIXES, format_si
from ..verification import Verification
from .files import save_figure
from .panels import plot_coverage, plot_inputs
from .schematic import FAULT, draw_neuron

A4_LANDSCAPE = (11.69, 8.27)
# On top of matplotlib's defaults, whatever a user's own are. No text is mathematics: a title may hold a dollar sign.
STYLE: Mapping[str, Any] = MappingProxyType(
    {
        "figure.dpi": 150.0,
        "font.size": 7.5,
        "axes.titlesize": 8.0,
        "axes.titlelocation": "left",
        "axes.linewidth": 0.6,
        "axes.spines.top": False,
        "axes.spines.right": False,
        "legend.frameon": False,
        "text.parse_math": False,
    }
)
# Okabe and Ito's palette and viridis: told apart by colour-blind readers too.
SPICE, GOOD, PALE = "#0072B2", "#007A59", "#C4C4C4"
BOX = MappingProxyType({"facecolor": "white", "edgecolor": "none", "alpha": 0.85, "pad": 1.0})
MOST_WAVES = 12
MOST_NAMED_BARS = 16
RESIDUAL_DECADES = 3
DASHES = (0, (4, 3))
# The energy is shown until twice the time at which it is within this part of its range of where it ends.
STILL = 1e-3
TABLE_LINES, TABLE_WIDTH = 15, 65
HEADING = 190  # letters of the reason of a verdict


@dataclass(frozen=True, kw_only=True, eq=False)
class Picture:
    """How the outputs of a memory are seen: as images of `shape` (rows, columns), rows first.

    `memories`: the stored patterns by name, (n,) each, of two values. Raises InputError for an empty shape, no
    memories, and a memory of another size.
    """

    shape: tuple[int, int]
    memories: Mapping[str, Array]

    def __post_init__(self) -> None:
        if len(self.shape) != 2 or min(self.shape) < 1:
            raise InputError(f"`Picture.shape` = {self.shape}: must be (rows, columns), each at least 1")
        if not self.memories:
            raise InputError("`Picture.memories` is empty: must hold at least one pattern")
        size = self.shape[0] * self.shape[1]
        checked = {str(k): freeze(v, f"Picture.memories[{k!r}]", shape=(size,)) for k, v in self.memories.items()}
        object.__setattr__(self, "memories", MappingProxyType(checked))


class Page(Figure):
    """A figure that a notebook shows by itself, without pyplot."""

    def _repr_png_(self) -> bytes:
        content = BytesIO()
        self.savefig(content, format="png")
        return content.getvalue()


def plot_verification(result: Verification, *, picture: Picture | None = None) -> Figure:
    """Return the picture of a verification, one page.

    The initial and the final outputs (as images where `picture` is given), the waveforms of ngspice under those of
    the reference, their difference as a part of each neuron's range, the energy (outputs against each other where
    there is none), the schematic of the worst neuron, and the report.
    Raises InputError for a picture of another size than the outputs.
    """
    with style.context(["default", dict(STYLE)]):
        figure = Page(figsize=A4_LANDSCAPE)
        figure.text(0.015, 0.963, textwrap.shorten(result.circuit.title, 90, placeholder="..."), size=12, weight="bold")
        figure.text(0.015, 0.936, _verdict(result), size=9, color=GOOD if result.passed else FAULT)
        if picture is None:
            _plot_bars(figure.add_axes((0.06, 0.755, 0.42, 0.115)), result)
        else:
            plot_images(figure, result, picture)
        waves = figure.add_axes((0.06, 0.355, 0.42, 0.295))
        residual = figure.add_axes((0.06, 0.06, 0.42, 0.27), sharex=waves)
        _plot_comparison(waves, residual, result)
        schematic = figure.add_axes((0.56, 0.585, 0.435, 0.315))
        _draw_schematic(schematic, result)
        below = figure.add_axes((0.61, 0.335, 0.195, 0.2))
        plot_coverage(figure.add_axes((0.865, 0.335, 0.12, 0.2)), result.coverage, SPICE)
        if result.energy is None:
            _plot_portrait(below, result)
        else:
            _plot_energy(below, result)
        write_table(figure.add_axes((0.575, 0.015, 0.42, 0.245)), result.rows())
    return figure


def plot_waves(dataset: xr.Dataset, path: Path | str) -> None:
    """Write a picture of the states and outputs of a dataset; the suffix of `path` says in which format.

    Raises InputError for a suffix that is not a picture's, and for a path that cannot be written.
    """
    with style.context(["default", dict(STYLE)]):
        figure = Figure(figsize=(8.0, 6.0))
        attrs = dataset.attrs
        told = [f"{attrs.get('machine', 'waveforms')} {attrs.get('version', '')}".strip(), attrs.get("cell", "")]
        figure.text(0.02, 0.965, ", ".join(part for part in told if part), size=9)
        present = [name for name in ("state", "output") if dataset[name].shape[-1] > 0]
        for name, bottom in zip(present, (0.56, 0.08), strict=False):
            axes = figure.add_axes((0.09, bottom, 0.76, 0.355))
            labels = wave_labels(dataset, name)
            chosen = evenly_spread(len(labels))
            for line, colour in zip(_plot_lines(axes, dataset, name, chosen), line_colours(len(chosen)), strict=True):
                line.set_color(colour)
            part = "" if len(chosen) == len(labels) else f": {len(chosen)} of {len(labels)}, evenly spread"
            axes.set(title=f"{name}s{part}", xlabel=f"time ({axis_unit(dataset)[1]})")
            axes.legend(loc="upper left", bbox_to_anchor=(1.0, 1.05), title=str(dataset[name].dims[-1]))
    save_figure(figure, path)


def _verdict(result: Verification) -> str:
    if result.reasons:
        return f"{result.verdict}: {textwrap.shorten(result.reasons[0], HEADING, placeholder=' ...')}"
    error = f"NRMSE {result.nrmse:.1e} (tolerance {result.tolerance:.0e})"
    return f"{result.verdict}: {error}, steps {result.steps.size:.1e}, settled state: {result.settled}"


def wave_labels(dataset: xr.Dataset, name: str) -> list[str]:
    return [short_label(str(label)) for label in dataset[dataset[name].dims[-1]].to_numpy()]


def short_label(label: str) -> str:
    return label if len(label) <= 12 else f"{label[:6]}..{label[-4:]}"


def evenly_spread(n: int, include: int | None = None) -> list[int]:
    """Return the indices of at most MOST_WAVES of n, evenly spread; the nearest gives way to `include`."""
    chosen = np.unique(np.linspace(0, n - 1, min(n, MOST_WAVES)).round().astype(int))
    if include is not None:
        chosen[np.argmin(np.abs(chosen - include))] = include
    return [int(k) for k in chosen]


def line_colours(n: int) -> list[Any]:
    return list(colormaps["viridis"](np.linspace(0.25, 0.9, n)))


def axis_factor(largest: float, unit: str) -> tuple[float, str]:
    """Return a factor and the prefixed unit in which `largest` is between 1 and 1000."""
    exponent = 3 * math.floor(math.log10(largest) / 3.0) if largest > 0.0 else 0
    exponent = min(max(exponent, min(PREFIXES)), max(PREFIXES))
    return 10.0**-exponent, f"{PREFIXES[exponent]}{unit}"


def axis_unit(dataset: xr.Dataset) -> tuple[float, str]:
    return axis_factor(float(dataset["time"].to_numpy()[-1]), "s")


def _plot_lines(axes: Axes, dataset: xr.Dataset, name: str, chosen: Sequence[int], **looks: Any) -> list[Line2D]:
    """Draw some of the states or outputs over time, labelled by neuron."""
    factor, _ = axis_unit(dataset)
    time, values = dataset["time"].to_numpy() * factor, dataset[name].to_numpy()
    lines = axes.plot(time, values[:, chosen], label=[wave_labels(dataset, name)[k] for k in chosen], **looks)
    axes.set(ylabel=f"{name} (V)", xlim=(time[0], time[-1]))
    return lines


def _plot_comparison(waves: Axes, residual: Axes, result: Verification) -> None:
    """Draw the waveforms over each other, and below them the difference; both with the gate."""
    factor, unit = axis_unit(result.ref)
    n = result.neurons
    worst = [str(label) for label in result.ref["neuron"].to_numpy()].index(result.worst.neuron)
    chosen = evenly_spread(n, worst)
    time, expected = result.ref["time"].to_numpy(), result.ref["state"].to_numpy()
    apart = np.abs(result.wave["state"].to_numpy() - expected) / ranges(expected)
    # Zero has no logarithm: such points are left out.
    shown = np.where(apart > 0.0, apart, np.nan)[:, chosen]
    clocked = {"drawstyle": "steps-post"} if result.circuit.clock is not None else {}
    found = _plot_lines(waves, result.wave, "state", chosen, lw=2.6, **clocked)
    differences = residual.semilogy(time * factor, shown, lw=0.8)
    for k, colour, *lines in zip(chosen, line_colours(len(chosen)), found, differences, strict=True):
        for line in lines:
            line.set(color=FAULT if k == worst else colour, zorder=2.2 if k == worst else 2.0)
    waves.legend(loc="upper left", bbox_to_anchor=(0.99, 1.03), title="neuron", handlelength=1.0)
    dashes = _plot_lines(waves, result.ref, "state", chosen, color="black", lw=0.9, ls=DASHES, zorder=2.5, **clocked)
    dashes[chosen.index(worst)].set(lw=1.5)
    inputs = plot_inputs(waves, result, factor)
    others = "" if len(chosen) == n else f"; with it {len(chosen) - 1} of the other {n - 1}, evenly spread"
    waves.set_title(
        "states: ngspice in colour under the reference in black dashes\n"
        f"neuron {short_label(result.worst.neuron)} (orange, thick dashes) is the worst{others}{inputs}"
    )
    waves.tick_params(labelbottom=False)
    scale_residual(residual, float(np.max(apart)), result.tolerance)
    residual.set(xlabel=f"time ({unit})", ylabel="|ngspice - reference| / range")
    if result.restarted:
        _draw_gate(waves, residual, result, factor)


def scale_residual(axes: Axes, largest: float, tolerance: float) -> None:
    low = min(largest, tolerance) if largest > 0.0 else tolerance
    top = 10.0 ** math.ceil(math.log10(3.0 * max(largest, tolerance)))
    axes.set_ylim(10.0 ** (math.floor(math.log10(low)) - RESIDUAL_DECADES), top)
    axes.yaxis.set(
        major_locator=LogLocator(numticks=8),
        minor_locator=NullLocator(),
        major_formatter=FuncFormatter(lambda value, _: f"{value:.0e}"),
    )
    axes.axhline(tolerance, color="black", lw=0.9, ls="-.")
    axes.text(1.01, tolerance, f"tolerance\n{tolerance:.0e}", transform=axes.get_yaxis_transform(), va="center")


def _draw_gate(waves: Axes, residual: Axes, result: Verification, factor: float) -> None:
    gate, end = result.gate * factor, float(result.ref["time"].to_numpy()[-1]) * factor
    for axes in (waves, residual):
        axes.axvspan(gate, end, color=PALE, alpha=0.4, lw=0.0)
        axes.axvline(gate, color="black", lw=0.9)
    text = f"whole waveforms agree up to {format_si(result.gate, 's')}"
    side = "right" if gate > 0.5 * end else "left"
    residual.text(gate, 0.97, f" {text} ", transform=residual.get_xaxis_transform(), ha=side, va="top", bbox=dict(BOX))


def _plot_bars(axes: Axes, result: Verification) -> None:
    """Draw by neuron the outputs at the start and at the end, and those of the reference at the end."""
    name = "output" if result.wave["output"].shape[-1] > 0 else "state"
    found, expected, labels = result.wave[name].to_numpy(), result.ref[name].to_numpy(), wave_labels(result.wave, name)
    places = np.arange(len(labels))
    start = axes.bar(places - 0.2, found[0], 0.4, color=PALE)
    end = axes.bar(places + 0.2, found[-1], 0.4, color=SPICE)
    reference = axes.hlines(expected[-1], places, places + 0.4, color="black", lw=1.2)
    axes.axhline(0.0, color="black", lw=0.6)
    if len(labels) <= MOST_NAMED_BARS:
        axes.set_xticks(places, labels)
    else:
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.set(xlabel=str(result.wave[name].dims[-1]), ylabel=f"{name} (V)", xlim=(-0.6, len(labels) - 0.4))
    axes.set_title(f"initial and final outputs at {_end(result)}", pad=16.0)
    axes.legend(
        [start, end, reference],
        ["at the start", "at the end, ngspice", "at the end, reference"],
        loc="lower left",
        bbox_to_anchor=(0.0, 1.0),
        ncols=3,
        borderpad=0.0,
        handlelength=1.2,
    )


def _end(result: Verification | BoardVerification) -> str:
    return format_si(float(result.wave["time"].to_numpy()[-1]), "s")


def plot_images(figure: Figure, result: Verification | BoardVerification, picture: Picture) -> None:
    """Draw the outputs at the start and at the end, the memory nearest to the end, and the next one."""
    found = result.wave["output"].to_numpy()
    n = picture.shape[0] * picture.shape[1]
    if found.shape[-1] != n:
        raise InputError(f"`Picture.shape` = {picture.shape}: has {n} pixels, the network {found.shape[-1]} outputs")
    low, high = _span(result.graph, found)
    stored = np.stack(list(picture.memories.values()))
    bits = stored > 0.5 * (stored.min() + stored.max())
    first, end = (found[k] > 0.5 * (low + high) for k in (0, -1))
    nearest, *others = np.argsort(np.sum(bits != end, axis=1), kind="stable").tolist()
    names = list(picture.memories)
    settled = "not settled" if result.settled == "not settled" else "settled"
    images = [
        ("initial", found[0], first != bits[nearest]),
        (f"{settled} (ngspice)", found[-1], end != bits[nearest]),
        (f"nearest stored: {short_label(names[nearest])}", np.where(bits[nearest], high, low), None),
    ]
    if others:
        wrong = bits[others[0]]
        images.append((f"nearest wrong: {short_label(names[others[0]])}", np.where(wrong, high, low), wrong != end))
    for k, (title, values, differs) in enumerate(images):
        axes = figure.add_axes((0.03 + 0.12 * k, 0.71, 0.11, 0.155))
        axes.imshow(values.reshape(picture.shape), cmap="Greys", vmin=low, vmax=high, interpolation="nearest")
        axes.set(xticks=[], yticks=[])
        axes.spines[:].set_visible(True)
        if differs is not None:
            rows, columns = np.nonzero(differs.reshape(picture.shape))
            axes.plot(columns, rows, "o", color=FAULT, ms=30.0 / max(picture.shape), mew=0.0)
            title += f"\n{rows.size} of {n} pixels differ"
        axes.set_title(title, loc="center", fontsize=7.0, y=1.0)
    figure.text(0.03, 0.91, f"initial and final outputs at {_end(result)}; dots: pixels that differ", size=8)


def _span(graph: Graph, outputs: Array) -> tuple[float, float]:
    """Return the range of the outputs: that of their gain where it is bounded, or what they take."""
    curves = [operator.function for operator in in_si(graph).of_type(Activate)]
    bounds = [bound for curve in curves if isinstance(curve, Gain) for bound in (curve.lower, curve.upper)]
    extremes = np.concatenate([np.ravel(bound) for bound in bounds]) if bounds else np.array([np.inf])
    seen = extremes if np.isfinite(extremes).all() else outputs
    return float(np.min(seen)), float(np.max(seen))


def _plot_energy(axes: Axes, result: Verification) -> None:
    """Draw the energy over time from both machines."""
    report = result.energy
    if report is None:
        return
    time = result.ref["time"].to_numpy()
    moving = np.abs(report.reference - report.reference[-1]) > STILL * np.ptp(report.reference)
    last = int(np.max(np.flatnonzero(moving), initial=0))
    end = float(time[min(2 * last + 2, time.size - 1)])
    factor, time_unit = axis_factor(end, "s")
    scale, unit = axis_factor(float(np.max(np.abs(report.reference))), "W")
    axes.plot(time * factor, report.spice * scale, color=SPICE, lw=2.6, label="ngspice")
    axes.plot(time * factor, report.reference * scale, color="black", lw=0.9, ls=DASHES, label="reference")
    rise = max(report.rise, report.rise_reference)
    said = "never rises" if report.falls else f"rises by {rise:.1e} of its range"
    axes.set_title(f"energy: {said}")
    axes.set(xlabel=f"time ({time_unit})", ylabel=f"E ({unit})", xlim=(0.0, end * factor))
    axes.legend(loc="best")


def _plot_portrait(axes: Axes, result: Verification) -> None:
    """Draw the two outputs that move most against each other, or two states; a single state against its rate."""
    name = "output" if result.wave["output"].shape[-1] > 1 else "state"
    labels = wave_labels(result.wave, name)
    moving = np.argsort(-np.ptp(result.ref[name].to_numpy(), axis=0), kind="stable")[:2].tolist()
    across, up = moving[0], moving[-1]
    factor, unit = axis_unit(result.ref)
    for data, colour, width, dashes, label in (
        (result.wave, SPICE, 2.6, "-", "ngspice"),
        (result.ref, "black", 0.9, DASHES, "reference"),
    ):
        x, y = (data[name].to_numpy()[:, k] for k in (across, up))
        if across == up:
            y = np.gradient(x, data["time"].to_numpy() * factor)
        axes.plot(x, y, color=colour, lw=width, ls=dashes, label=label)
    axes.plot(x[0], y[0], "o", color="black", ms=4.0, label="start")
    rising = f"its rate (V/{unit})" if across == up else f"{name} of {labels[up]} (V)"
    axes.set(xlabel=f"{name} of {labels[across]} (V)", ylabel=rising)
    what = f"the {name} and its rate" if across == up else f"the {name}s that move most"
    axes.set_title(f"{what}; no energy")
    axes.legend(loc="best")


def _draw_schematic(axes: Axes, result: Verification) -> None:
    """Draw the neuron of the first suspect, or the worst one; where anyone's own cell has no such neuron, say so."""
    suspect = result.suspects[0].neuron if result.suspects else ""
    neuron, which = (suspect, "suspect") if suspect else (result.worst.neuron, "the worst")
    faults = {name for suspect in result.suspects for name in suspect.devices}
    marked = "; in colour: suspected devices" if faults else ""
    axes.set_title(f"neuron {short_label(neuron)} ({which}), cell {result.cell}{marked}")
    try:
        draw_neuron(axes, result.circuit, result.graph, neuron, faults)
    except InputError as error:
        axes.text(0.0, 0.5, textwrap.fill(str(error), TABLE_WIDTH), transform=axes.transAxes, va="center")
        axes.axis("off")


def write_table(axes: Axes, rows: Sequence[tuple[str, str]]) -> None:
    """Write the report, as many lines of it as there is room for."""
    lines, indent = [], max(0.25, *(0.0125 * len(what) for what, _ in rows))
    for what, value in rows:
        for k, line in enumerate(textwrap.wrap(value, TABLE_WIDTH, max_lines=2, placeholder=" ...")):
            lines.append((what if k == 0 else "", line))
    if len(lines) > TABLE_LINES:
        lines[TABLE_LINES - 1 :] = [("", f"and {len(lines) - TABLE_LINES + 1} more lines in the report")]
    for k, (what, line) in enumerate(lines):
        y = 1.0 - k / TABLE_LINES
        axes.text(0.0, y, what, va="top", color="#555555")
        axes.text(indent, y, line, va="top")
    axes.axis("off")
