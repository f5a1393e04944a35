"""The page of what was read back: weights found and intended side by side, curves, and the suspected devices."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import numpy as np
from matplotlib import style
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from ..circuit import Circuit
from ..values.arrays import Array
from .plots import A4_LANDSCAPE, GOOD, STYLE, Page, axis_factor, line_colours, write_table
from .schematic import FAULT, draw_neuron

if TYPE_CHECKING:
    from ..extraction import Differences, Extraction

FEW = 12  # states whose weights are written as numbers, and whose curves have labels
BEYOND = 1.3  # how far curves are drawn, of where they bend
PLACE = re.compile(r"(?:T|coupling )\[(\d+), (\d+)\]")


def plot_extraction(
    found: Extraction,
    *,
    intended: Array | None = None,
    differences: Differences | None = None,
    circuit: Circuit | None = None,
    title: str = "network read back",
) -> Figure:
    """Return the page of a network that was read back.

    `intended`: T, (n, n), siemens, in the order and with the signs of what was found. `differences`: what differs; its
    weights are framed. `circuit`: the intended circuit with its graph, of which the neuron at fault is drawn.
    """
    with style.context(["default", dict(STYLE)]):
        figure = Page(figsize=A4_LANDSCAPE)
        figure.text(0.015, 0.963, title, size=12, weight="bold")
        good = differences.agrees if differences is not None else bool(found.agreement and found.agreement.passed)
        figure.text(0.015, 0.936, _reason(found, differences), size=9, color=GOOD if good else FAULT)
        off = {(int(m[1]), int(m[2])) for d in _deviations(differences) if (m := PLACE.match(d))}
        largest = max(
            float(np.max(np.abs(found.weights))), float(np.max(np.abs(intended))) if intended is not None else 0
        )
        _draw_weights(figure.add_axes((0.05, 0.5, 0.21, 0.36)), found, found.weights, largest, off, "T found")
        if intended is not None:
            _draw_weights(figure.add_axes((0.32, 0.5, 0.21, 0.36)), found, intended, largest, off, "T intended")
        _draw_curves(figure.add_axes((0.05, 0.09, 0.24, 0.3)), found)
        rows = [*(differences.rows() if differences is not None else ()), *found.rows()]
        write_table(figure.add_axes((0.575, 0.48, 0.42, 0.4)), rows)
        if circuit is not None and circuit.graph is not None and differences is not None and differences.findings:
            _draw_fault(figure.add_axes((0.37, 0.04, 0.6, 0.38)), circuit, differences)
    return figure


def _reason(found: Extraction, differences: Differences | None) -> str:
    if differences is not None:
        if differences.agrees:
            return f"no value differs from what was intended by more than {differences.tolerance:.1g}"
        first = differences.findings[0].words if differences.findings else "no fault explains what differs"
        return f"differs from what was intended: {first}"
    return str(found.agreement) if found.agreement is not None else "not run against the circuit"


def _deviations(differences: Differences | None) -> list[str]:
    return [] if differences is None else [each.name for each in differences.deviations]


def _draw_weights(
    axes: Axes, found: Extraction, weights: Array, largest: float, off: set[tuple[int, int]], title: str
) -> None:
    """Draw a matrix of weights by colour, with numbers where there is room, and frames around what is off."""
    n = len(weights)
    factor, unit = axis_factor(largest, "V/V" if found.way == "clock phases" else "S")
    axes.imshow(weights * factor, cmap="RdBu_r", vmin=-largest * factor, vmax=largest * factor)
    axes.set_title(f"{title}, {unit} (row: to, column: from)")
    axes.set_xticks(range(n), found.labels if n <= FEW else [""] * n, rotation=90 if n > 4 else 0)
    axes.set_yticks(range(n), found.labels if n <= FEW else [""] * n)
    if n <= FEW:
        for i in range(n):
            for j in range(n):
                dark = abs(weights[i, j]) > 0.6 * largest
                text = f"{weights[i, j] * factor:.3g}" if weights[i, j] else "0"
                axes.text(j, i, text, ha="center", va="center", size=6, color="white" if dark else "black")
    for i, j in off:
        axes.add_patch(Rectangle((j - 0.5, i - 0.5), 1.0, 1.0, fill=False, edgecolor=FAULT, linewidth=1.6))


def _draw_curves(axes: Axes, found: Extraction) -> None:
    """Draw the curves of all states."""
    for gain, label, colour in zip(found.gains, found.labels, line_colours(found.size), strict=True):
        if gain is None:
            continue
        top = float(np.max(np.abs(gain.upper)))
        slope = float(np.max(gain.slope))
        reach = BEYOND * 2.0 * top / slope if 0.0 < slope < np.inf else 1.0
        x = np.linspace(-reach, reach, 401)
        axes.plot(x, gain.value(x), color=colour, label=label, linewidth=1.0)
    axes.set_title("curves g(x) of the amplifiers")
    axes.set_xlabel("state x, V")
    axes.set_ylabel("output, V")
    axes.axhline(0.0, color="#AAAAAA", linewidth=0.4)
    axes.axvline(0.0, color="#AAAAAA", linewidth=0.4)
    if found.size <= FEW and axes.lines:
        axes.legend(fontsize=6)


def _draw_fault(axes: Axes, circuit: Circuit, differences: Differences) -> None:
    """Draw the neuron that a suspected device is of, with the device marked."""
    assert circuit.graph is not None
    names = {name.lower() for finding in differences.findings for name in finding.devices}
    for device in circuit.devices:
        if device.name.lower() in names:
            label = circuit.label_of(device.origin)
            draw_neuron(
                axes, circuit, circuit.graph, label, [d.name for d in circuit.devices if d.name.lower() in names]
            )
            axes.set_title(f"neuron {label} as intended; suspected: {', '.join(sorted(names))}")
            return
    axes.axis("off")
