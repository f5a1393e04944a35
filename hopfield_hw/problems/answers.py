"""What the answer of a network must be, and how a waveform is judged by it."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, TypeAlias

import numpy as np

from ..values.arrays import Array
from ..values.brief import brief
from ..values.si_text import format_si
from .ad_converter import visited_codes
from .memory import Patterns

if TYPE_CHECKING:
    import xarray as xr


class Answer(NamedTuple):
    """One thing that was looked at: `found` and `expected` as people read them."""

    what: str
    found: str
    expected: str
    ok: bool


class Settled(NamedTuple):
    """The outputs at the end, volts, each within `tolerance` volts."""

    outputs: tuple[float, ...]
    tolerance: float

    def __repr__(self) -> str:
        return brief(self)

    def check(self, wave: xr.Dataset) -> tuple[Answer, ...]:
        """Return the answer of a waveform."""
        found = wave.output.values[-1]
        ok = bool(np.all(np.abs(found - self.outputs) <= self.tolerance))
        return (Answer("outputs at the end, V", _numbers(found), _numbers(self.outputs), ok),)


class Visited(NamedTuple):
    """The codes that a converter holds for `dwell` seconds, in order, in each of several pieces of time, seconds."""

    pieces: tuple[tuple[float, float], ...]
    codes: tuple[tuple[int, ...], ...]
    dwell: float

    def __repr__(self) -> str:
        return brief(self)

    def check(self, wave: xr.Dataset) -> tuple[Answer, ...]:
        """Return an answer for each piece of time."""
        answers = []
        for (start, stop), expected in zip(self.pieces, self.codes, strict=True):
            found = visited_codes(wave.time.values, wave.output.values, start=start, stop=stop, dwell=self.dwell)
            what = f"codes from {format_si(start, 's')} to {format_si(stop, 's')}"
            answers.append(Answer(what, _words(found), _words(expected), found == expected))
        return tuple(answers)


class Recall(NamedTuple):
    """The pattern that the signs of the outputs must equal at the end, and the wrong one that is nearest to them."""

    patterns: Patterns
    pattern: str
    nearest_wrong: str

    def check(self, wave: xr.Dataset) -> tuple[Answer, ...]:
        """Return the pattern that is nearest to the outputs, and the nearest wrong one."""
        distances = self.patterns.distances(np.sign(wave.output.values[-1]))
        pixels = f"of {self.patterns.values.shape[1]} pixels differ"
        nearest = min(distances, key=distances.__getitem__)
        found, expected = f"{nearest}, {distances[nearest]} {pixels}", f"{self.pattern}, 0 {pixels}"
        recalled = Answer("pattern recalled", found, expected, distances[self.pattern] == 0)
        del distances[self.pattern]
        least = min(distances.values())
        wrong = [label for label, distance in distances.items() if distance == least]
        found = f"{' and '.join(wrong)}, {least} {pixels}"
        return recalled, Answer("nearest wrong pattern", found, self.nearest_wrong, self.nearest_wrong in wrong)


class Oscillation(NamedTuple):
    """The period, seconds, and the peak-to-peak swing, volts, of one neuron's state; `tolerance` is relative."""

    neuron: str
    period: float
    swing: float
    tolerance: float

    def check(self, wave: xr.Dataset) -> tuple[Answer, ...]:
        """Return the period and the swing over the second half of a waveform."""
        period, swing = period_and_swing(wave.time.values, wave.state.sel(neuron=self.neuron).values)
        return tuple(
            Answer(
                f"{what} of neuron {self.neuron}",
                format_si(found, unit, 6),
                format_si(expected, unit, 6),
                bool(abs(found - expected) <= self.tolerance * expected),
            )
            for what, found, expected, unit in (
                ("period", period, self.period, "s"),
                ("swing", swing, self.swing, "V"),
            )
        )


Expected: TypeAlias = Settled | Visited | Recall | Oscillation


def period_and_swing(times: Array, values: Array) -> tuple[float, float]:
    """Return the mean period, between upward crossings of the middle, and the swing, over the second half of a wave.

    Crossings and peaks are those of a cubic spline. The period is NaN where there are not two crossings.
    """
    from scipy.interpolate import CubicSpline

    late = times >= 0.5 * times[-1]
    wave = CubicSpline(times[late], values[late])
    slope = wave.derivative()
    peaks = wave(_finite(slope.roots(extrapolate=False)))
    extremes = np.concatenate([peaks, values[late][[0, -1]]])
    low, high = float(np.min(extremes)), float(np.max(extremes))
    crossings = _finite(wave.solve(0.5 * (low + high), extrapolate=False))
    upward = crossings[slope(crossings) > 0.0]
    period = float(np.mean(np.diff(upward))) if upward.size > 1 else float("nan")
    return period, high - low


def _finite(values: Array) -> Array:
    return values[np.isfinite(values)]


def _numbers(values: Array | tuple[float, ...]) -> str:
    return ", ".join(f"{value:.6g}" for value in (np.round(values, 9) + 0.0).tolist())


def _words(values: tuple[int, ...]) -> str:
    return " ".join(str(value) for value in values)
