"""Fixed-point numbers: formats, accumulators that cannot overflow, and tables of functions, all in exact integers.

A raw integer r of a format with f fractional bits has the value r 2^-f. Every operation here is what a register, a
shifter or a memory does with the same bits, so that a circuit can be held to it bit for bit.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, Self, TypeAlias, get_args

import numpy as np
import numpy.typing as npt

from ..functions import Function
from ..values.arrays import Array, freeze, whole
from ..values.errors import InputError

Integers: TypeAlias = npt.NDArray[np.int64]
Rounding = Literal["nearest_even", "nearest_up", "floor", "toward_zero"]
Overflow = Literal["saturate", "wrap"]
Index = Literal["floor", "nearest", "interpolate"]

MAX_WORD = 32
MIN_FRACTION, MAX_FRACTION = -32, 63
MAX_RAW = 62  # bits of an accumulator, which leaves int64 room for every sum here
MAX_ADDRESS = 20


@dataclass(frozen=True, kw_only=True)
class QFormat:
    """Signed two's complement numbers r 2^-fraction, with r of `word` bits.

    `word`: 2 to 32 bits; `fraction`: -32 to 63 of them after the point, so also below 0 and above `word`.
    `rounding`: to the nearest, halves to the even number ("nearest_even") or upward ("nearest_up"); down ("floor"); or
    "toward_zero". `overflow`, of the rounded number: to the nearest end ("saturate"), or modulo 2^word ("wrap").
    Raises InputError for anything else.
    """

    word: int
    fraction: int
    rounding: Rounding = "nearest_even"
    overflow: Overflow = "saturate"

    def __post_init__(self) -> None:
        object.__setattr__(self, "word", whole(self.word, "QFormat.word", 2, MAX_WORD))
        object.__setattr__(self, "fraction", whole(self.fraction, "QFormat.fraction", MIN_FRACTION, MAX_FRACTION))
        _one_of(self.rounding, "QFormat.rounding", get_args(Rounding))
        _one_of(self.overflow, "QFormat.overflow", get_args(Overflow))

    @property
    def step(self) -> float:
        """The value of the lowest bit, 2^-fraction."""
        return float(2.0**-self.fraction)

    @property
    def lowest(self) -> int:
        """The lowest raw integer, -2^(word - 1)."""
        return -(1 << (self.word - 1))

    @property
    def highest(self) -> int:
        """The highest raw integer, 2^(word - 1) - 1."""
        return (1 << (self.word - 1)) - 1

    @property
    def lower(self) -> float:
        """The lowest value."""
        return self.lowest * self.step

    @property
    def upper(self) -> float:
        """The highest value."""
        return self.highest * self.step

    @property
    def text(self) -> str:
        """The format in words, such as "Q(16,12) nearest_even saturate"."""
        return f"Q({self.word},{self.fraction}) {self.rounding} {self.overflow}"

    def __str__(self) -> str:
        return self.text

    def quantise(self, values: Any) -> Integers:
        """Return the raw integers of real numbers, of any shape: the float64 is rounded exactly.

        Raises InputError for NaN and infinity.
        """
        x: Array = freeze(values, "values")
        if self.overflow == "saturate":
            x = np.clip(x, self.lower, self.upper)
        else:
            x = np.fmod(x, 2.0 ** (self.word - self.fraction))
        return self._limit(self._whole(x))

    def outside(self, values: Any) -> npt.NDArray[np.bool_]:
        """Return which real numbers, once rounded, are beyond the ends: those that `quantise` saturates or wraps.

        Raises InputError for NaN and infinity.
        """
        raw = self._whole(np.clip(freeze(values, "values"), 2.0 * self.lower, -2.0 * self.lower))
        return np.asarray((raw < self.lowest) | (raw > self.highest))

    def _whole(self, x: Array) -> Integers:
        """Return the rounded steps of real numbers, not limited; they lie within twice the range of the word."""
        # In quarters of a step, with the lowest bit set where anything is left below them, every rounding is decided.
        # What is below 2^-64 is below half a step of any format: raising its exponent keeps it from underflow.
        mantissa, exponent = np.frexp(x)
        quarters = np.ldexp(mantissa, np.maximum(exponent, -64) + self.fraction + 2)
        whole = np.floor(quarters)
        return self._round(whole.astype(np.int64) | (whole != quarters), 2)

    def value(self, raw: Any) -> Array:
        """Return raw 2^-fraction, exactly. Raises InputError above 54 bits, which float64 would round."""
        return np.asarray(_integers(raw, "raw", 54) * self.step)

    def requantise(self, raw: Any, fraction: int) -> Integers:
        """Return integers that have `fraction` fractional bits in this format: shifted, rounded, and then limited.

        `raw`: at most 62 bits, any shape. `fraction`: -64 to 126, which a product of two formats may have.
        The result is exact also where a shift to the left leaves int64. Raises InputError for any other arguments.
        """
        number, shift = self._shift(raw, fraction)
        if shift > 0:
            return self._limit(self._round(number, shift))
        # A limit before the shift changes no bit of the result; 32 places to the left, no bit of the word is left.
        return self._limit(self._limit(number) << min(-shift, MAX_WORD))

    def overflows(self, raw: Any, fraction: int) -> int:
        """Return how many elements `requantise` saturates or wraps."""
        number, shift = self._shift(raw, fraction)
        if shift > 0:
            number = self._round(number, shift)
        left = max(-shift, 0)
        return int(np.count_nonzero((number > self.highest >> left) | (number < -(-self.lowest >> left))))

    def _shift(self, raw: Any, fraction: int) -> tuple[Integers, int]:
        """Return the checked integers, and the places to the right; more than 63 do what 63 do to 62 bits."""
        shift = whole(fraction, "fraction", -64, 126) - self.fraction
        return _integers(raw, "raw", MAX_RAW), min(shift, 63)

    def _round(self, raw: Integers, shift: int) -> Integers:
        """Return raw / 2^shift, rounded; `shift` from 1 to 63."""
        floor = raw >> shift
        rest, half = raw & ((1 << shift) - 1), 1 << (shift - 1)
        match self.rounding:
            case "nearest_even":
                return floor + (rest > half - (floor & 1))
            case "nearest_up":
                return floor + (rest >= half)
            case "floor":
                return floor
            case "toward_zero":
                return floor + ((raw < 0) & (rest > 0))

    def _limit(self, raw: Integers) -> Integers:
        if self.overflow == "saturate":
            return np.asarray(np.clip(raw, self.lowest, self.highest))
        return np.asarray(((raw - self.lowest) & ((1 << self.word) - 1)) + self.lowest)


def accumulator_bits(weights_raw: Any, bias_raw: Any, source: QFormat) -> int:
    """Return the bits of a signed accumulator that W x + b cannot overflow, in any order, for any x of `source`.

    bound = max_i (sum_j |w_ij| 2^(word - 1) + |b_i|), and the least number of bits with bound <= 2^(bits - 1) - 1.
    `weights_raw`: (n, m), at most 32 bits; `bias_raw`: (n,), at most 62 bits, aligned with the products.
    The bound is reached where no weight of that row is positive and its bias is not negative.
    Raises InputError for other arrays.
    """
    weights = _integers(weights_raw, "weights_raw", MAX_WORD)
    bias = _integers(bias_raw, "bias_raw", MAX_RAW)
    if weights.ndim != 2 or bias.shape != weights.shape[:1]:
        raise InputError(f"`weights_raw` has shape {weights.shape}, `bias_raw` {bias.shape}: must be (n, m) and (n,)")
    norms = np.abs(weights).sum(axis=1)
    bound = max((int(norm) * -source.lowest + abs(int(b)) for norm, b in zip(norms, bias, strict=True)), default=0)
    return bound.bit_length() + 1


@dataclass(frozen=True, kw_only=True, eq=False)
class ActivationTable:
    """A function on [-2^range_bits, 2^range_bits) by 2^address_bits entries, with a shift for an index.

    Entry k, raw in the format `output`, is f(x_k) at x_k = -2^range_bits + k spacing; the input is raw in `source`.
    `index`: the entry on the left ("floor"); the nearest one, halves upward ("nearest"); or "interpolate", a straight
    line between the two, with one more entry for the right end, of which `output` rounds the exact value.
    Inputs outside the range use the entry at its end. Raises InputError for a spacing finer than the step of `source`,
    and for entries of another number or outside `output`.
    """

    entries: Integers
    source: QFormat
    output: QFormat
    range_bits: int
    address_bits: int
    index: Index

    def __post_init__(self) -> None:
        points = _points(self.source, self.range_bits, self.address_bits, self.index)
        entries = _integers(self.entries, "ActivationTable.entries", self.output.word).copy()
        if entries.shape != (points,):
            raise InputError(f"`ActivationTable.entries` has shape {entries.shape}: must have shape {(points,)}")
        entries.flags.writeable = False
        object.__setattr__(self, "entries", entries)

    @classmethod
    def of(
        cls,
        function: Function,
        *,
        source: QFormat,
        output: QFormat,
        range_bits: int,
        address_bits: int,
        index: Index,
    ) -> Self:
        """Return the table of a function of one element.

        Raises InputError for a function with parameters by element, and where it is not finite; Unrealisable for one
        that couples elements.
        """
        curve = function.at(0)
        if function.size is not None:
            raise InputError(f"`function` has {function.size} elements: must be one curve for all; take `.at(i)` first")
        k = np.arange(float(_points(source, range_bits, address_bits, index)))
        with np.errstate(all="ignore"):
            y = freeze(curve.value(k * 2.0 ** (range_bits + 1 - address_bits) - 2.0**range_bits), f"{curve.kind}(x)")
        return cls(
            entries=output.quantise(y),
            source=source,
            output=output,
            range_bits=range_bits,
            address_bits=address_bits,
            index=index,
        )

    @property
    def size(self) -> int:
        """The number of intervals, 2^address_bits."""
        return 1 << self.address_bits

    @property
    def spacing(self) -> float:
        """The width of an interval, 2^(range_bits + 1 - address_bits)."""
        return float(2.0 ** (self.range_bits + 1 - self.address_bits))

    @property
    def shift(self) -> int:
        """The bits of an input below the address; the offset that makes the address is 2^(range_bits + fraction)."""
        return self.range_bits + 1 - self.address_bits + self.source.fraction

    def apply(self, raw: Any) -> Integers:
        """Return f of raw inputs, of any shape and at most 62 bits, raw in `output`."""
        position = _integers(raw, "raw", MAX_RAW) + (1 << (self.range_bits + self.source.fraction))
        if self.index == "interpolate":
            return self._interpolate(np.clip(position, 0, self.size << self.shift))
        if self.index == "nearest":
            position = position + ((1 << self.shift) >> 1)
        return np.asarray(self.entries[np.clip(position >> self.shift, 0, self.size - 1)])

    def _interpolate(self, position: Integers) -> Integers:
        k = np.minimum(position >> self.shift, self.size - 1)
        left, right = self.entries[k], self.entries[k + 1]
        line = (left << self.shift) + (right - left) * (position - (k << self.shift))
        return np.asarray(self.output._round(line, self.shift) if self.shift else line)


def _points(source: QFormat, range_bits: int, address_bits: int, index: Index) -> int:
    """Return the number of entries of a table, after checking what decides it."""
    _one_of(index, "ActivationTable.index", get_args(Index))
    low, high = -source.fraction, MAX_WORD - 1 - source.fraction
    why = "; 2^range_bits is from 1 to 2^31 steps of the source"
    most = min(whole(range_bits, "ActivationTable.range_bits", low, high, why) + 1 + source.fraction, MAX_ADDRESS)
    why = f"; the spacing is at least a step of the source, and the size at most 2^{MAX_ADDRESS}"
    size = 1 << whole(address_bits, "ActivationTable.address_bits", 1, most, why)
    return size + 1 if index == "interpolate" else size


def _integers(value: Any, name: str, bits: int) -> Integers:
    array = np.asarray(value)
    if array.dtype.kind not in "iu":
        raise InputError(f"`{name}` is {array.dtype}: must be whole numbers that int64 holds; quantise real numbers")
    end = 1 << (bits - 1)
    bad = (array < -end) | (array >= end)
    if bad.any():
        raise InputError(
            f"`{name}` holds {array[bad].flat[0]}: must have at most {bits} bits, from {-end} to {end - 1}"
        )
    return array.astype(np.int64, copy=False)


def _one_of(value: Any, name: str, allowed: tuple[str, ...]) -> None:
    if value not in allowed:
        raise InputError(f"`{name}` = {value!r:.40}: must be one of {', '.join(allowed)}")
