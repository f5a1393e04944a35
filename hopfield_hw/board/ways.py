"""Ways to make a conductance: a value of a series, two resistors, a digital potentiometer, programmed levels."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, NamedTuple, NoReturn

import numpy as np
from scipy import special

from ..parts.series import E_SERIES, as_series, nearest, two_resistors
from ..tolerance.streams import uniforms
from ..values.arrays import Array, freeze, positive, whole
from ..values.brief import Brief
from ..values.errors import InputError

MOST_LEVELS = 2**20
SLACK = 1e-9  # of a conductance: what rounding may put it beyond a limit


class Made(NamedTuple):
    """What a way makes of conductances: `weights`, signed, siemens, and its `settings` by name, of the same shape."""

    weights: Array
    settings: Mapping[str, Any]


class Way(Brief, ABC):
    """How weights of any sign, siemens, are made. The sign comes from the rail, or from a pair of devices."""

    @abstractmethod
    def make(self, weights: Array, seed: int | None) -> Made:
        """Return what is made of weights, (n, m). `seed`: draws what differs from device to device; None for none."""

    @abstractmethod
    def cure(self, weights: Array, most: float) -> str:
        """Return which number would bring the error below `most`, in words."""


@dataclass(frozen=True, kw_only=True)
class OfSeries(Way):
    """One resistor each, the nearest of a series, by resistance. A weight of 0 has no resistor.

    `series`: a name, or a stock (`hopfield_hw.parts.series`). `lowest`, `highest`: the limits of resistances, ohms.
    """

    series: Any = "E24"
    lowest: Any = 1e3
    highest: Any = 1e6

    def __post_init__(self) -> None:
        object.__setattr__(self, "series", as_series(self.series))
        for name in ("lowest", "highest"):
            value = float(positive(getattr(self, name), f"{type(self).__name__}.{name}", shape=(), unit="Ohm"))
            object.__setattr__(self, name, value)
        if self.lowest >= self.highest:
            raise InputError(
                f"`{type(self).__name__}`: lowest = {self.lowest:g} Ohm must be below highest = {self.highest:g} Ohm"
            )

    def make(self, weights: Array, seed: int | None) -> Made:
        resistance = self._resistances(weights)
        found = np.full(weights.shape, np.inf)
        there = weights != 0.0
        found[there] = nearest(resistance[there], self.series, lowest=self.lowest, highest=self.highest)
        return Made(np.sign(weights) / found, {"resistance": found})

    def cure(self, weights: Array, most: float) -> str:
        for name in E_SERIES:
            if _error(weights, replace(self, series=name).make(weights, None).weights) <= most:
                return f"series {name} would do"
        return "no series does: take TwoOfSeries"

    def _resistances(self, weights: Array) -> Array:
        with np.errstate(divide="ignore"):
            resistance = 1.0 / np.abs(weights)
        beyond = (resistance < self.lowest * (1.0 - SLACK)) | (
            np.isfinite(resistance) & (resistance > self.highest * (1.0 + SLACK))
        )
        if beyond.any():
            least, most = np.min(resistance), np.max(resistance[np.isfinite(resistance)])
            _refuse_range(weights, beyond, resistance, self.lowest, self.highest, least, most)
        return np.asarray(np.clip(resistance, self.lowest, np.where(np.isfinite(resistance), self.highest, np.inf)))


@dataclass(frozen=True, kw_only=True)
class TwoOfSeries(OfSeries):
    """One resistor of a series where it is within a tolerance, elsewhere the best two in series or in parallel.

    `tolerance`: the largest relative error that is asked for, a part; 0 asks for the best that there is.
    """

    tolerance: Any = 0.0

    def make(self, weights: Array, seed: int | None) -> Made:
        resistance = self._resistances(weights)
        there = weights != 0.0
        pairs = two_resistors(
            resistance[there], self.series, tolerance=self.tolerance, lowest=self.lowest, highest=self.highest
        )
        total, first, second = (np.full(weights.shape, np.inf) for _ in range(3))
        connection = np.full(weights.shape, "none", dtype="<U8")
        for whole_of, part_of in zip((total, first, second, connection), pairs[:4], strict=True):
            whole_of[there] = part_of
        settings = {"resistance": total, "first": first, "second": second, "connection": connection}
        return Made(np.sign(weights) / total, settings)

    def cure(self, weights: Array, most: float) -> str:
        for name in E_SERIES:
            if _error(weights, replace(self, series=name, tolerance=0.0).make(weights, None).weights) <= most:
                return f"series {name} would do"
        return "no series does"


@dataclass(frozen=True, kw_only=True)
class DigitalPotentiometer(Way):
    """A digital potentiometer as a rheostat each: R(code) = end_to_end x code / (taps - 1) + wiper, in series `fixed`.

    By default an MCP4251 of 10 kOhm: 257 taps, 20% from part to part, a wiper of typically 75 Ohm and at most 160 (up
    to 390 where its supply is low). `is_measured`: the end-to-end resistance of each part was measured and the codes
    chosen for it, so that its tolerance costs nothing but range. `fixed`: a resistor in series, ohms.

    Without a seed every part is typical. With one the end-to-end resistance is uniform within its tolerance and the
    wiper uniform from `wiper` to `most_wiper`.
    """

    end_to_end: Any = 10e3
    taps: int = 257
    tolerance: Any = 0.2
    wiper: Any = 75.0
    most_wiper: Any = 160.0
    fixed: Any = 0.0
    is_measured: bool = False

    def __post_init__(self) -> None:
        whole(self.taps, "DigitalPotentiometer.taps", 2, MOST_LEVELS)
        for name in ("end_to_end", "wiper", "most_wiper", "fixed", "tolerance"):
            unit = "" if name == "tolerance" else "Ohm"
            value = float(freeze(getattr(self, name), f"DigitalPotentiometer.{name}", shape=(), unit=unit))
            if value < 0.0 or (name == "end_to_end" and value == 0.0) or (name == "tolerance" and value >= 1.0):
                raise InputError(
                    f"`DigitalPotentiometer.{name}` = {value:g}: must not be negative, the resistance above 0 and the "
                    "tolerance below 100%"
                )
            object.__setattr__(self, name, value)
        if self.wiper > self.most_wiper:
            raise InputError(
                f"`DigitalPotentiometer`: wiper = {self.wiper:g} Ohm must be at most most_wiper = "
                f"{self.most_wiper:g} Ohm"
            )
        if self.wiper + self.fixed == 0.0:
            raise InputError("`DigitalPotentiometer`: wiper and fixed are 0, a short at code 0; give one of them")

    def make(self, weights: Array, seed: int | None) -> Made:
        shape = weights.shape
        ends, wipers = np.full(shape, self.end_to_end), np.full(shape, self.wiper)
        if seed is not None:
            ends = self.end_to_end * (1.0 + self.tolerance * (2.0 * _numbers(seed, "end", shape) - 1.0))
            wipers = self.wiper + (self.most_wiper - self.wiper) * _numbers(seed, "wiper", shape)
        assumed = ends if self.is_measured else np.full(shape, self.end_to_end)
        lowest, step = self.wiper + self.fixed, assumed / (self.taps - 1)
        highest = lowest + step * (self.taps - 1)
        with np.errstate(divide="ignore"):
            wanted = 1.0 / np.abs(weights)
        there = weights != 0.0
        beyond = there & ((wanted < lowest * (1.0 - SLACK)) | (wanted > highest * (1.0 + SLACK)))
        if beyond.any():
            ranges = float(np.min(wanted)), float(np.max(wanted[there]))
            _refuse_range(weights, beyond, wanted, lowest, float(np.min(highest)), *ranges)
        code = np.where(there, np.rint((np.where(there, wanted, lowest) - lowest) / step), np.nan)
        code = np.clip(code, 0.0, self.taps - 1.0)
        resistance = ends * code / (self.taps - 1) + wipers + self.fixed
        found = np.where(there, np.sign(weights) / np.where(there, resistance, 1.0), 0.0)
        return Made(found, {"resistance": np.where(there, resistance, np.inf), "code": code})

    def cure(self, weights: Array, most: float) -> str:
        for power in range(1, 21):
            if _error(weights, replace(self, taps=2**power + 1).make(weights, None).weights) <= most:
                return f"{2**power + 1} taps would do"
        return "no number of taps does"


@dataclass(frozen=True, kw_only=True)
class ProgrammedLevels(Way):
    """Devices with `levels` conductances, evenly spaced from G_on / `ratio` to G_on: memristive cells, flash, switches.

    `is_pair`: a weight is G_plus - G_minus, one of the two at its lowest, so that 0 is exact; otherwise one device with
    the sign from its rail, and a weight of 0 has a device at its lowest all the same (on the positive rail).
    `on`: G_on, siemens; by default as large as the largest weight needs. `mismatch`: the standard deviation of a
    device's conductance, a part of it. `drift`: v of G(t) = G (t / t_0)^-v, of phase-change cells, after
    `elapsed` = t / t_0; its standard deviation from device to device is `drift_mismatch`, a part of v.

    Without a seed there is no mismatch, and every device drifts alike.
    """

    levels: int = 16
    ratio: Any = 100.0
    on: Any = None
    is_pair: bool = True
    mismatch: Any = 0.0
    drift: Any = 0.0
    elapsed: Any = 1.0
    drift_mismatch: Any = 0.0

    def __post_init__(self) -> None:
        if not isinstance(self.levels, int) or isinstance(self.levels, bool) or not 2 <= self.levels <= MOST_LEVELS:
            raise InputError(
                f"`ProgrammedLevels.levels` = {self.levels!r:.40}: must be a whole number from 2 to {MOST_LEVELS}; one "
                "level holds no weight"
            )
        for name in ("ratio", "mismatch", "drift", "elapsed", "drift_mismatch"):
            value = float(freeze(getattr(self, name), f"ProgrammedLevels.{name}", shape=(), unit=""))
            object.__setattr__(self, name, value)
            if value < 0.0:
                raise InputError(f"`ProgrammedLevels.{name}` = {value:g}: must not be negative")
        if self.ratio <= 1.0 or self.elapsed <= 0.0 or self.mismatch >= 1.0:
            raise InputError(
                f"`ProgrammedLevels`: ratio = {self.ratio:g} must be above 1, elapsed = {self.elapsed:g} above 0, "
                f"mismatch = {self.mismatch:g} below 1 (100%)"
            )
        if self.on is not None:
            object.__setattr__(self, "on", float(positive(self.on, "ProgrammedLevels.on", shape=(), unit="S")))

    def make(self, weights: Array, seed: int | None) -> Made:
        largest = float(np.max(np.abs(weights)))
        share = 1.0 - 1.0 / self.ratio if self.is_pair else 1.0  # of G_on, what the largest weight can be
        on = largest / share if self.on is None else float(self.on)
        off = on / self.ratio
        if largest > on * share * (1.0 + SLACK):
            raise InputError(
                f"`weights`: the largest, {largest:.4g} S, is beyond {on * share:.4g} S, the most of devices of "
                f"{on:.4g} S and a ratio of {self.ratio:g}; scale the weights by {on * share / largest:.4g}, or leave "
                "`on` out"
            )
        step = (on - off) / (self.levels - 1)
        size = np.abs(weights) - (0.0 if self.is_pair else off)
        code = np.clip(np.rint(size / step), 0, self.levels - 1)
        active = self._programmed(off + step * code, seed, "active")
        if not self.is_pair:
            side = np.where(weights < 0.0, -1.0, 1.0)
            return Made(side * active, {"code": side * code, "on": np.full(weights.shape, on)})
        idle = self._programmed(np.full(weights.shape, off), seed, "idle")
        side = np.sign(weights)
        positive_side = np.where(side >= 0.0, active, idle)
        negative_side = np.where(side >= 0.0, idle, active)
        settings = {"code": side * code, "plus": positive_side, "minus": negative_side}
        return Made(positive_side - negative_side, settings)

    def _programmed(self, conductance: Array, seed: int | None, name: str) -> Array:
        exponent: Any = self.drift
        if seed is not None:
            factor = 1.0 + self.mismatch * special.ndtri(_numbers(seed, f"{name} mismatch", conductance.shape))
            conductance = conductance * np.maximum(factor, 0.0)
            if self.drift_mismatch:
                spread = special.ndtri(_numbers(seed, f"{name} drift", conductance.shape))
                exponent = self.drift * (1.0 + self.drift_mismatch * spread)
        return np.asarray(conductance * self.elapsed ** (-exponent))

    def cure(self, weights: Array, most: float) -> str:
        count = 2
        while count <= MOST_LEVELS:
            if _error(weights, replace(self, levels=count).make(weights, None).weights) <= most:
                low, high = count // 2 + 1, count
                while low < high:
                    middle = (low + high) // 2
                    if _error(weights, replace(self, levels=middle).make(weights, None).weights) <= most:
                        high = middle
                    else:
                        low = middle + 1
                return f"{high} levels would do"
            count *= 2
        return "no number of levels does: raise `ratio`, or take pairs of devices"


def _error(wanted: Array, made: Array) -> float:
    return float(np.linalg.norm(made - wanted) / np.linalg.norm(wanted))


def _numbers(seed: int, name: str, shape: tuple[int, ...]) -> Array:
    """Return a uniform number for each device, by the name of its place."""
    names = [f"{name} {' '.join(str(k) for k in place)}" for place in np.ndindex(shape)]
    return uniforms(seed, names, range(1)).reshape(shape)


def _refuse_range(
    weights: Array, beyond: Any, resistance: Array, lowest: float, highest: float, least: float, most: float
) -> NoReturn:
    """Raise InputError for a resistance outside of what can be made, with the scale of the weights that would do."""
    place = tuple(int(k) for k in np.argwhere(beyond)[0])
    if most / least > highest / lowest:
        cure = (
            f"the weights span {most / least:.3g} to 1, more than {highest / lowest:.3g} to 1: drop the smallest, or "
            "widen the limits"
        )
    else:
        # One factor by which all weights become feasible, the nearest to 1.
        low, high = most / highest, least / lowest
        cure = f"scale all weights by {low if low > 1.0 else high:.4g}"
    raise InputError(
        f"`weights[{', '.join(map(str, place))}]` = {weights[place]:.4g} S: is {resistance[place]:.4g} Ohm, outside of "
        f"{lowest:.4g} to {highest:.4g} Ohm; {cure}"
    )
