"""The probes of a run of ngspice: at its own time points, on a grid, and what of them has not come to rest."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy.interpolate import CubicSpline, make_interp_spline

from ..circuit import Probe, Settling
from ..values.arrays import Array
from ..values.measures import ranges
from .rawfile import Plot

# A state that is found this part of its range from where `.ic` puts it was not started there.
STARTED = 1e-3
APART = 1.01  # times the first point of a run
# Changes below this part of the range are of rounding; at most this times the last change counts as left.
AT_REST, SLOWEST_DECAY = 1e-7, 10.0


def resample(
    plot: Plot, probes: Sequence[Probe], begins: Array, grid: Array, *, straight: bool
) -> tuple[Array, Array, Array]:
    """Return ngspice's own times, the probes there, and on a grid by a cubic spline through them.

    ngspice does not print t = 0 under `uic`: a probe begins at the voltage in `begins`, where `.ic` put it, unless its
    first two values lead back to elsewhere (a deck may start it with `IC=`); one with NaN there is followed back to 0
    in a straight line from its first value, a hundredth of a step away, and that at twice this time. `straight`:
    straight lines, for clocked waveforms, which have corners.
    """
    times = plot.column("time").real
    values = plot.columns([f"v({probe.node.lower()})" for probe in probes]).real
    scales = np.array([probe.scale for probe in probes])
    first = float(times[0])
    if first <= 0.0:
        return times, scales * values, scales * _interpolate(times, values, grid, straight)
    free = np.isnan(begins)
    if len(times) > 1:
        # A second point at once after the first leads nowhere: between them is rounding.
        k = min(int(np.searchsorted(times, APART * first)), len(times) - 1)
        led = values[0] - first * (values[k] - values[0]) / (times[k] - first)
        elsewhere = np.abs(led - begins) > STARTED * np.maximum(np.ptp(values, axis=0), np.abs(begins))
        begins = np.where(elsewhere, led, begins)
    start, known, early = begins.copy(), np.append(0.0, times), np.array([first, 2.0 * first])
    at_first, later = _interpolate(times, values[:, free], early, straight)
    start[free] = at_first if straight else 2.0 * at_first - later
    own = np.vstack([start, values])
    on_grid = np.empty((grid.size, len(probes)))
    on_grid[:, ~free] = _interpolate(known, own[:, ~free], grid, straight)
    after = _interpolate(times, values[:, free], np.maximum(grid, first), straight)
    before = start[free] + (at_first - start[free]) * grid[:, None] / first
    on_grid[:, free] = np.where(grid[:, None] < first, before, after)
    return known, scales * own, scales * on_grid


def _interpolate(times: Array, values: Array, grid: Array, straight: bool) -> Array:
    """Return columns of values on a grid, in straight lines or by a cubic spline."""
    if not values.shape[1]:
        return np.zeros((grid.size, 0))
    result: Array = make_interp_spline(times, values, k=1)(grid) if straight else CubicSpline(times, values)(grid)
    return result


def settling_times(settling: Sequence[Settling], period: float, t_stop: float) -> Array:
    """Return when nodes are looked at for whether they settle, (3, periods, nodes), seconds.

    At half of each one's window, at three quarters, and at its end.
    """
    starts = period * np.arange(int(t_stop / period * (1.0 + 1e-12)))
    windows = np.array([(start, stop) for _, start, stop in settling]).reshape(-1, 2)
    parts = np.array([0.5, 0.75, 1.0])[:, np.newaxis]
    when = windows[:, 0] + parts * (windows[:, 1] - windows[:, 0])
    result: Array = starts[:, np.newaxis] + period * when[:, np.newaxis]
    return result


def read_unsettled(plot: Plot, settling: Sequence[Settling], period: float, t_stop: float) -> float:
    """Return `measure_unsettled` of a run of ngspice."""
    times = plot.column("time").real
    when = settling_times(settling, period, t_stop)
    voltages = np.empty(when.shape)
    for k, (node, _, _) in enumerate(settling):
        voltages[..., k] = np.interp(when[..., k], times, plot.column(f"v({node.lower()})").real)
    return measure_unsettled(voltages)


def measure_unsettled(voltages: Array) -> float:
    """Return what the worst node still lacks at the end of a window, a part of its range.

    Of changes d1 and d2 over equal times, d2 r / (1 - r) with r = d2 / d1 is left, where they decay. `voltages`: at
    `settling_times`.
    """
    if not voltages.size:
        return 0.0
    half, later, end = voltages
    before, last = (np.abs(change) / ranges(end) for change in (later - half, end - later))
    ratio = last / np.maximum(before, AT_REST)
    left = last * np.minimum(ratio / np.maximum(1.0 - ratio, 1.0 / SLOWEST_DECAY), SLOWEST_DECAY)
    return float(np.max(left))
