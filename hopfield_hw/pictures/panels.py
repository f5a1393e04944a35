"""Parts of the page of a verification: what it could see, and what drove it."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.axes import Axes

from ..values.signals import as_signal
from ..verification import Coverage, Verification
from ..verification.coverage import LEVELS

GREY = "#777777"
# Inputs that are drawn at most, and the changes between which coverage is.
MOST_INPUTS = 4
LOWEST, HIGHEST = 1e-5, 1.0


def plot_coverage(axes: Axes, coverage: Coverage, colour: str) -> None:
    """Draw over the size of a change the share of the devices of which it would have been noticed."""
    axes.set(title="coverage: devices seen", xlabel="change of the value", ylabel="share of devices")
    if not coverage.asked or not coverage.smallest:
        axes.text(0.5, 0.5, "not asked for", transform=axes.transAxes, ha="center", va="center", color=GREY)
        axes.set(xticks=[], yticks=[])
        return
    sizes = np.clip(np.sort(np.array(list(coverage.smallest.values()))), LOWEST, HIGHEST)
    share = np.arange(1, sizes.size + 1) / sizes.size
    seen = sizes < HIGHEST
    axes.step(
        [LOWEST, *sizes[seen], HIGHEST],
        [0.0, *share[seen], share[seen][-1] if seen.any() else 0.0],
        where="post",
        color=colour,
        lw=1.8,
    )
    axes.set_xscale("log")
    for level in LEVELS:
        axes.axvline(level, color=GREY, lw=0.6, ls=":")
    ticks = [10.0 * LOWEST, LEVELS[0], LEVELS[-1]]
    axes.set(xlim=(LOWEST, HIGHEST), ylim=(0.0, 1.03), xticks=ticks, xticklabels=[f"{100.0 * x:g}%" for x in ticks])
    axes.minorticks_off()


def plot_inputs(axes: Axes, result: Verification, factor: float) -> str:
    """Draw the inputs that change over the waveforms, on their own axis, and return what to say of them."""
    if result.inputs is None:
        return ""
    size = len(result.circuit.inputs)
    signal = as_signal(result.inputs, "inputs", size) if size else None
    if signal is None or signal.times.size == 1:
        return ""
    end = float(result.ref["time"].to_numpy()[-1])
    inside = np.unique(np.concatenate([[0.0, end], signal.times[signal.times < end]]))
    values = signal.sample(inside)
    twin: Any = axes.twinx()
    for k in range(min(size, MOST_INPUTS)):
        twin.plot(inside * factor, values[:, k], color=GREY, lw=0.8, ls=":", zorder=1.0)
    twin.tick_params(labelright=False, right=False)
    low, high = float(np.min(values)), float(np.max(values))
    more = "" if size <= MOST_INPUTS else f", {MOST_INPUTS} of {size}"
    return f"; dotted: inputs{more}, {low:.3g} to {high:.3g} V"
