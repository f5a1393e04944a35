"""Series of values: those of IEC 60063, what is in a drawer, and what one or two resistors of them come to."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, NamedTuple, TypeAlias, overload

import numpy as np
import numpy.typing as npt

from ..values.arrays import Array, freeze, positive
from ..values.brief import Brief
from ..values.errors import InputError
from ..values.names import unknown

# IEC 60063: hundredths of a decade's values. E12 and E6 are every second and every fourth value of E24, E96 and E48
# those of E192. The rule of rounding, 10^(k/n), does not give them all: 2.7 to 4.7 and 8.2 of E24 and 9.20 of E192.
_E24 = (10, 11, 12, 13, 15, 16, 18, 20, 22, 24, 27, 30, 33, 36, 39, 43, 47, 51, 56, 62, 68, 75, 82, 91)
_E192 = """
    100 101 102 104 105 106 107 109 110 111 113 114 115 117 118 120 121 123 124 126 127 129 130 132 133 135 137
    138 140 142 143 145 147 149 150 152 154 156 158 160 162 164 165 167 169 172 174 176 178 180 182 184 187 189
    191 193 196 198 200 203 205 208 210 213 215 218 221 223 226 229 232 234 237 240 243 246 249 252 255 258 261
    264 267 271 274 277 280 284 287 291 294 298 301 305 309 312 316 320 324 328 332 336 340 344 348 352 357 361
    365 370 374 379 383 388 392 397 402 407 412 417 422 427 432 437 442 448 453 459 464 470 475 481 487 493 499
    505 511 517 523 530 536 542 549 556 562 569 576 583 590 597 604 612 619 626 634 642 649 657 665 673 681 690
    698 706 715 723 732 741 750 759 768 777 787 796 806 816 825 835 845 856 866 876 887 898 909 920 931 942 953
    965 976 988
"""
_THREE_DIGITS = tuple(int(text) for text in _E192.split())

E_SERIES: Mapping[str, tuple[float, ...]] = MappingProxyType(
    {
        "E6": tuple(k / 10.0 for k in _E24[::4]),
        "E12": tuple(k / 10.0 for k in _E24[::2]),
        "E24": tuple(k / 10.0 for k in _E24),
        "E48": tuple(k / 100.0 for k in _THREE_DIGITS[::4]),
        "E96": tuple(k / 100.0 for k in _THREE_DIGITS[::2]),
        "E192": tuple(k / 100.0 for k in _THREE_DIGITS),
    }
)
SLACK = 1e-12  # of a value: what rounding may put it beyond an end
CHUNK = 2_000_000  # numbers looked at together
MOST_DECADES = 40


@dataclass(frozen=True, kw_only=True)
class Series(Brief):
    """Values that can be bought or are in stock.

    `values`: of one decade, from 1 to below 10, which repeat in each decade where `repeats`; otherwise whole values of
    the stock, in SI units. `name`: how messages call it.

    Raises InputError for an empty series, values that are not positive, and a decade's that are not from 1 to below 10.
    """

    values: tuple[float, ...]
    repeats: bool = False
    name: str = "stock"

    def __post_init__(self) -> None:
        given = freeze(self.values, "Series.values", unit="Ohm").reshape(-1)
        if given.size == 0:
            raise InputError("`Series.values` is empty: must have at least one value")
        positive(given, "Series.values", shape=given.shape, unit="")
        if self.repeats and (given.min() < 1.0 or given.max() >= 10.0):
            raise InputError(
                f"`Series.values` are from {given.min():g} to {given.max():g}: those of a decade must be from 1 to "
                "below 10; for values of a stock leave `repeats` out"
            )
        object.__setattr__(self, "values", tuple(float(value) for value in np.unique(given)))

    def within(self, lowest: float, highest: float) -> Array:
        """Return its values from `lowest` to `highest`, ascending, as exact as doubles are; none where it has none."""
        if not self.repeats:
            values = np.array(self.values)
        else:
            first, last = (math.floor(math.log10(end)) for end in (lowest, highest))
            texts = [repr(value) for value in self.values]
            values = np.array([float(f"{text}e{power}") for power in range(first, last + 1) for text in texts])
        return np.asarray(values[(values >= lowest * (1.0 - SLACK)) & (values <= highest * (1.0 + SLACK))])


SeriesLike: TypeAlias = "str | Series | Iterable[Any]"


def as_series(series: Any) -> Series:
    """Return a series by its name in E_SERIES, as it is, or from whole values of a stock, which may be texts ("4k7").

    Raises InputError for an unknown name, an empty stock, and values that are not positive.
    """
    if isinstance(series, Series):
        return series
    if isinstance(series, str):
        if series not in E_SERIES:
            raise InputError(f"`series`: {unknown('series', series, E_SERIES)}; or give the values of your stock")
        return Series(values=E_SERIES[series], repeats=True, name=series)
    values = list(series) if isinstance(series, Iterable) else series
    if isinstance(values, list) and not values:
        raise InputError("`series` is empty: must have at least one value, or be a name such as 'E24'")
    return Series(values=values)


class Bracket(NamedTuple):
    """The neighbours of a value in a series: `below` it, or it itself, and `above`."""

    below: Any
    above: Any


class TwoResistors(NamedTuple):
    """What each value is made of. All have the shape of the values.

    `resistance`: what it comes to, ohms. `first`, `second`: the resistors, ohms; `second` is NaN where one does.
    `connection`: "single", "series" or "parallel". `error`: (resistance - value) / value.
    """

    resistance: Array
    first: Array
    second: Array
    connection: npt.NDArray[np.str_]
    error: Array


@overload
def nearest(value: float | str, series: SeriesLike, *, lowest: Any = ..., highest: Any = ...) -> float: ...
@overload
def nearest(value: Any, series: SeriesLike, *, lowest: Any = ..., highest: Any = ...) -> Any: ...
def nearest(value: Any, series: SeriesLike, *, lowest: Any = None, highest: Any = None) -> Any:
    """Return the value of a series with the least |found - value|, of a tie the smaller: a float, or an array.

    `lowest`, `highest`: only values between these are taken. The error of a value is below half of its neighbours'
    distance, (above - below) / (2 value).

    Raises InputError for values that are not positive or not finite, beyond the first and the last value that there is,
    and for a series without a value between the limits.
    """
    wanted, choices = _prepare(value, series, lowest, highest, "value")
    found = _nearest(wanted, choices)
    return float(found) if found.ndim == 0 else found


def bracket(value: Any, series: SeriesLike, *, lowest: Any = None, highest: Any = None) -> Bracket:
    """Return the values of a series next to a value, at most it and at least it: floats, or arrays.

    Both are the value itself where the series has it. Raises InputError as `nearest` does.
    """
    wanted, choices = _prepare(value, series, lowest, highest, "value")
    above = np.minimum(np.searchsorted(choices, wanted * (1.0 - SLACK)), choices.size - 1)
    below = np.maximum(np.searchsorted(choices, wanted * (1.0 + SLACK), side="right") - 1, 0)
    pair = choices[below], choices[above]
    return Bracket(*(float(one) for one in pair)) if wanted.ndim == 0 else Bracket(*pair)


def two_resistors(
    resistance: Any, series: SeriesLike, *, tolerance: Any = 0.0, lowest: Any = 10.0, highest: Any = 10e6
) -> TwoResistors:
    """Return one resistor of a series where it is within a tolerance, and elsewhere the best of one and of two.

    Two are in series, a + b, or in parallel, a b / (a + b); every pair of values from `lowest` to `highest`, ohms, is
    looked at (for each a the b next to what is missing). `tolerance`: the largest |error| that is asked for, a part;
    0 asks for the best that there is.

    Raises InputError for resistances that are not positive, outside of what one or two resistors reach, and where the
    best pair misses a tolerance above 0, with the tolerance that would do.
    """
    limits = [
        float(positive(end, name, shape=(), unit="Ohm")) for end, name in ((lowest, "lowest"), (highest, "highest"))
    ]
    part = float(freeze(tolerance, "tolerance", shape=(), unit=""))
    if not 0.0 <= part < 1.0:
        raise InputError(f"`tolerance` = {part:g}: must be from 0 to below 1")
    wanted = freeze(resistance, "resistance", unit="Ohm")
    positive(wanted, "resistance", shape=wanted.shape, unit="Ohm")
    chosen = as_series(series)
    choices = _choices(chosen, *limits)
    _refuse_beyond(wanted, choices[0] / 2.0, choices[-1] * 2.0, "resistance", f"two of series {chosen.name}")
    flat = wanted.reshape(-1)
    alone = _nearest(flat, choices)
    fields = [alone, alone.copy(), np.full(flat.shape, np.nan)]
    connection = np.full(flat.shape, "single", dtype="<U8")
    rest = np.flatnonzero(np.abs(alone - flat) > part * flat if part else alone != flat)
    step = max(1, CHUNK // choices.size)
    for start in range(0, rest.size, step):
        _pair_up(flat, rest[start : start + step], choices, fields, connection)
    error = fields[0] / flat - 1.0
    worst = int(np.argmax(np.abs(error))) if flat.size else 0
    if part and flat.size and abs(error[worst]) > part * (1.0 + SLACK):
        raise InputError(
            f"`resistance` = {flat[worst]:g} Ohm: the best of one and two resistors of series {chosen.name} from "
            f"{limits[0]:g} to {limits[1]:g} Ohm is {fields[0][worst]:g} Ohm, off by {abs(error[worst]):.2%}; allow "
            f"that, above the tolerance of {part:.3%}, or take a finer series"
        )
    shaped = (field.reshape(wanted.shape) for field in (*fields, connection, error))
    return TwoResistors(*shaped)


def _pair_up(
    wanted: Array, rows: npt.NDArray[np.intp], choices: Array, fields: list[Array], connection: npt.NDArray[np.str_]
) -> None:
    """Put the best pair into `fields` (resistance, first, second) where it is nearer than what is there."""
    value = wanted[rows, None]
    for name in ("series", "parallel"):
        with np.errstate(divide="ignore", invalid="ignore"):
            missing = value - choices if name == "series" else 1.0 / (1.0 / value - 1.0 / choices)
        possible = (missing > 0.0) & np.isfinite(missing)
        other = _nearest(np.where(possible, missing, choices[0]), choices)
        total = choices + other if name == "series" else choices * other / (choices + other)
        best = np.argmin(np.abs(total - value), axis=1)
        places = np.arange(rows.size), best
        better = np.abs(total[places] - wanted[rows]) < np.abs(fields[0][rows] - wanted[rows])
        for field, new in zip(fields, (total[places], choices[best], other[places]), strict=True):
            field[rows[better]] = new[better]
        connection[rows[better]] = name


def _nearest(wanted: Array, choices: Array) -> Array:
    above = np.clip(np.searchsorted(choices, wanted), 1, max(choices.size - 1, 1))
    low, high = choices[above - 1], choices[np.minimum(above, choices.size - 1)]
    return np.asarray(np.where(high - wanted < wanted - low, high, low))


def _prepare(value: Any, series: Any, lowest: Any, highest: Any, name: str) -> tuple[Array, Array]:
    wanted = freeze(value, name, unit="Ohm")
    positive(wanted, name, shape=wanted.shape, unit="")
    chosen = as_series(series)
    ends = [
        float(positive(end, end_name, shape=(), unit="Ohm")) if end is not None else default
        for end, end_name, default in ((lowest, "lowest", None), (highest, "highest", None))
    ]
    if wanted.size == 0:
        return wanted, np.array(chosen.values)
    # Without limits a series that repeats goes on as far as the values do.
    first = ends[0] if ends[0] is not None else float(wanted.min()) / 10.0 if chosen.repeats else 0.0
    last = ends[1] if ends[1] is not None else float(wanted.max()) * 10.0 if chosen.repeats else math.inf
    choices = _choices(chosen, first, last)
    _refuse_beyond(wanted, choices[0], choices[-1], name, f"series {chosen.name}")
    return wanted, choices


def _choices(series: Series, lowest: float, highest: float) -> Array:
    if series.repeats and highest > lowest * 10.0**MOST_DECADES:
        raise InputError(f"`highest` = {highest:g}: must be within {MOST_DECADES} decades of `lowest` = {lowest:g}")
    choices = series.within(lowest, highest) if highest >= lowest else np.zeros(0)
    if choices.size == 0:
        ends = f"; it has {series.values[0]:g} to {series.values[-1]:g}" if not series.repeats else ""
        raise InputError(f"`series`: {series.name} has no value from {lowest:g} to {highest:g}{ends}")
    return choices


def _refuse_beyond(wanted: Array, first: float, last: float, name: str, what: str) -> None:
    bad = (wanted < first * (1.0 - SLACK)) | (wanted > last * (1.0 + SLACK))
    if bad.any():
        value = float(wanted[bad].flat[0])
        raise InputError(
            f"`{name}` = {value:g}: {what} reaches from {first:g} to {last:g}; rescale, or add to the series"
        )
