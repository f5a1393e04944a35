"""Fixed-point formats, accumulators and tables, held to plain Python integers and fractions, and to APyTypes."""

from __future__ import annotations

import itertools
import math
import re
from collections.abc import Callable
from fractions import Fraction
from typing import Any, get_args

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hopfield_hw.functions import Function, HardLimiter, Logistic, Polynomial, Rational, Softmax, Tanh
from hopfield_hw.integers.fixed_point import ActivationTable, Index, Overflow, QFormat, Rounding, accumulator_bits
from hopfield_hw.values.errors import InputError, Unrealisable

ROUNDINGS: tuple[Rounding, ...] = get_args(Rounding)
OVERFLOWS: tuple[Overflow, ...] = get_args(Overflow)
MODES = tuple(itertools.product(ROUNDINGS, OVERFLOWS))
INDICES: tuple[Index, ...] = get_args(Index)


def rounded(x: Fraction, rounding: Rounding) -> int:
    """The second implementation: Python's own rounding of fractions."""
    down = {
        "nearest_even": round(x),
        "nearest_up": math.floor(x + Fraction(1, 2)),
        "floor": math.floor(x),
        "toward_zero": int(x),
    }
    return down[rounding]


def limited(r: int, word: int, overflow: Overflow) -> int:
    low, high = -(2 ** (word - 1)), 2 ** (word - 1) - 1
    if overflow == "saturate":
        return sorted([low, r, high])[1]
    while r < low or r > high:
        r -= 2**word * ((r - low) // 2**word)
    return r


def expected(x: Fraction, q: QFormat) -> int:
    return limited(rounded(x * Fraction(2) ** q.fraction, q.rounding), q.word, q.overflow)


# Formats


def test_a_format_by_hand() -> None:
    q = QFormat(word=16, fraction=12)
    assert (q.step, q.lowest, q.highest, q.lower, q.upper) == (2.0**-12, -32768, 32767, -8.0, 8.0 - 2.0**-12)
    assert str(q) == q.text == "Q(16,12) nearest_even saturate"
    assert QFormat(word=8, fraction=-3, rounding="floor", overflow="wrap").text == "Q(8,-3) floor wrap"
    assert QFormat(word=8, fraction=-3).upper == 127 * 8.0
    assert QFormat(word=2, fraction=63).lower == -(2.0**-62)
    assert q == QFormat(word=np.int64(16), fraction=np.int32(12))  # type: ignore[arg-type]


TIES = [-2.5, -1.75, -1.5, -1.25, -0.5, -0.25, 0.0, 0.25, 0.5, 0.75, 1.5, 2.5]
BY_HAND: dict[Rounding, list[int]] = {
    "nearest_even": [-2, -2, -2, -1, 0, 0, 0, 0, 0, 1, 2, 2],
    "nearest_up": [-2, -2, -1, -1, 0, 0, 0, 0, 1, 1, 2, 3],
    "floor": [-3, -2, -2, -2, -1, -1, 0, 0, 0, 0, 1, 2],
    "toward_zero": [-2, -1, -1, -1, 0, 0, 0, 0, 0, 0, 1, 2],
}


@pytest.mark.parametrize("rounding", ROUNDINGS)
def test_every_rounding_by_hand(rounding: Rounding) -> None:
    q = QFormat(word=4, fraction=0, rounding=rounding)
    assert q.quantise(TIES).tolist() == BY_HAND[rounding]
    assert q.requantise([round(4 * x) for x in TIES], 2).tolist() == BY_HAND[rounding]


def test_every_overflow_by_hand() -> None:
    saturate, wrap = (QFormat(word=3, fraction=1, overflow=overflow) for overflow in OVERFLOWS)
    x = [-5.0, -2.5, -2.0, 1.5, 1.75, 2.0, 100.0]  # from -4 to 3 half steps; 1.75 rounds to 4 of them
    assert saturate.quantise(x).tolist() == [-4, -4, -4, 3, 3, 3, 3]
    assert wrap.quantise(x).tolist() == [-2, 3, -4, 3, -4, -4, 0]
    raw = [-4, -3, 3, 4]
    assert saturate.requantise(raw, 0).tolist() == [-4, -4, 3, 3]
    assert wrap.requantise(raw, 0).tolist() == [0, 2, -2, 0]
    assert saturate.overflows(raw, 0) == wrap.overflows(raw, 0) == 4
    assert saturate.requantise([-9, -8, 6, 7, 8], 2).tolist() == [-4, -4, 3, 3, 3]  # -4.5 and 3.5 go to the even number
    assert saturate.overflows([-9, -8, 6, 7, 8], 2) == 2


def test_shapes_are_kept() -> None:
    q = QFormat(word=8, fraction=4)
    table = ActivationTable.of(Tanh(), source=q, output=q, range_bits=2, address_bits=4, index="interpolate")
    for shape in ((), (0,), (2, 3)):
        raw = np.ones(shape, dtype=np.int32)
        for result in (q.quantise(np.ones(shape)), q.requantise(raw, 6), q.requantise(raw, 1), table.apply(raw)):
            assert (type(result), result.dtype, result.shape) == (np.ndarray, np.int64, shape)
        assert (type(q.value(raw)), q.value(raw).dtype, q.value(raw).shape) == (np.ndarray, np.float64, shape)
        assert isinstance(q.overflows(raw, 6), int)


@pytest.mark.parametrize("value", [0.49999999999999994, -0.49999999999999994, 2.0**52 - 0.5, -(2.0**52) + 0.5])
@pytest.mark.parametrize(("rounding", "overflow"), MODES)
def test_next_to_a_half_and_far_out(value: float, rounding: Rounding, overflow: Overflow) -> None:
    """Where x + 0.5 is not exact in float64."""
    q = QFormat(word=32, fraction=0, rounding=rounding, overflow=overflow)
    assert q.quantise(value) == expected(Fraction(value), q)


@pytest.mark.parametrize("value", [5e-324, -5e-324, -1e-300, 1.7976931348623157e308, -1.7976931348623157e308, -0.0])
@pytest.mark.parametrize("fraction", [-32, 0, 63])
@pytest.mark.parametrize(("rounding", "overflow"), MODES)
def test_the_ends_of_float64(value: float, fraction: int, rounding: Rounding, overflow: Overflow) -> None:
    q = QFormat(word=17, fraction=fraction, rounding=rounding, overflow=overflow)
    assert q.quantise(value) == expected(Fraction(value), q)


@pytest.mark.parametrize(("rounding", "overflow"), MODES)
def test_requantise_is_that_of_fractions_for_all_short_words(rounding: Rounding, overflow: Overflow) -> None:
    """All 9-bit integers, all words up to 8 bits, all shifts with another result than the next one."""
    raw = np.arange(-256, 256)
    for shift in range(-9, 12):
        exact = [rounded(r / Fraction(2) ** shift, rounding) for r in raw.tolist()]
        for word in range(2, 9):
            q = QFormat(word=word, fraction=3, rounding=rounding, overflow=overflow)
            target = [limited(r, word, overflow) for r in exact]
            assert q.requantise(raw, 3 + shift).tolist() == target, (word, shift)
            count = sum(not q.lowest <= r <= q.highest for r in exact)
            assert q.overflows(raw, 3 + shift) == count, (word, shift)


@pytest.mark.parametrize("word", [2, 31, 32])
@pytest.mark.parametrize(("rounding", "overflow"), MODES)
def test_requantise_is_exact_up_to_62_bits_and_at_any_shift(word: int, rounding: Rounding, overflow: Overflow) -> None:
    ends = [sign * (2**k) + d for k in (0, 1, 30, 31, 32, 60, 61) for sign in (-1, 1) for d in (-1, 0, 1)]
    raw = [r for r in ends if -(2**61) <= r < 2**61]
    for own, fraction in itertools.product((-32, 0, 63), (-64, -33, -1, 0, 1, 30, 31, 32, 61, 62, 63, 64, 126)):
        q = QFormat(word=word, fraction=own, rounding=rounding, overflow=overflow)
        exact = [rounded(Fraction(r) * Fraction(2) ** (own - fraction), rounding) for r in raw]
        assert q.requantise(raw, fraction).tolist() == [limited(r, word, overflow) for r in exact], (own, fraction)
        assert q.overflows(raw, fraction) == sum(not q.lowest <= r <= q.highest for r in exact), (own, fraction)


@pytest.mark.parametrize(("rounding", "overflow"), MODES)
def test_quantise_and_requantise_are_those_of_apytypes(
    rounding: Rounding, overflow: Overflow, rng: np.random.Generator
) -> None:
    apytypes = pytest.importorskip("apytypes")
    modes = apytypes.QuantizationMode
    quantization = {
        "nearest_even": modes.TIES_EVEN,
        "nearest_up": modes.TIES_POS,
        "floor": modes.TO_NEG,
        "toward_zero": modes.TO_ZERO,
    }[rounding]
    limit = {"saturate": apytypes.OverflowMode.SAT, "wrap": apytypes.OverflowMode.WRAP}[overflow]
    for _ in range(30):
        q = QFormat(
            word=int(rng.integers(2, 33)), fraction=int(rng.integers(-8, 40)), rounding=rounding, overflow=overflow
        )
        fraction = q.fraction + int(rng.integers(-8, 24))
        # 53 bits, so that the float64 is exact; many short ones, so that there are ties and numbers in range.
        raw = rng.integers(-(2**52), 2**52, size=200) >> rng.integers(0, 52, size=200)
        values = np.ldexp(raw.astype(np.float64), -fraction)
        exact = apytypes.APyFixedArray.from_float(values, bits=54, frac_bits=fraction)
        cast = exact.cast(bits=q.word, frac_bits=q.fraction, quantization=quantization, overflow=limit)
        target = np.ldexp(cast.to_numpy(), q.fraction).astype(np.int64).tolist()
        assert q.quantise(values).tolist() == target, (q, fraction)
        assert q.requantise(raw, fraction).tolist() == target, (q, fraction)


def formats(overflows: tuple[Overflow, ...] = OVERFLOWS) -> st.SearchStrategy[QFormat]:
    return st.builds(
        QFormat,
        word=st.integers(2, 32),
        fraction=st.integers(-32, 63),
        rounding=st.sampled_from(ROUNDINGS),
        overflow=st.sampled_from(overflows),
    )


@given(formats(), st.floats(-1.0, 1.0))
def test_quantise_is_within_half_a_step_or_a_whole_one(q: QFormat, share: float) -> None:
    x = min(max(share * -q.lower, q.lower), q.upper)
    error = abs(Fraction(float(q.value(q.quantise(x)))) - Fraction(x)) / Fraction(q.step)
    assert error <= Fraction(1, 2) if q.rounding.startswith("nearest") else error < 1


@given(formats(), st.floats(allow_nan=False, allow_infinity=False))
def test_quantise_is_that_of_fractions(q: QFormat, x: float) -> None:
    assert q.quantise(x) == expected(Fraction(x), q)


@given(formats(), st.data())
def test_a_raw_integer_comes_back_from_its_value(q: QFormat, data: st.DataObject) -> None:
    raw = data.draw(st.integers(q.lowest, q.highest))
    assert q.quantise(q.value(raw)) == q.requantise(raw, q.fraction) == raw
    assert q.overflows(raw, q.fraction) == 0


@given(formats(("saturate",)), st.floats(-4.0, 4.0), st.floats(-4.0, 4.0), st.integers(-64, 126))
def test_saturating_formats_are_monotone(q: QFormat, a: float, b: float, fraction: int) -> None:
    low, high = sorted([a, b])
    assert q.quantise(low * -q.lower) <= q.quantise(high * -q.lower)
    raw = [int(low * 2**58), int(high * 2**58)]
    first, second = q.requantise(raw, fraction).tolist()
    assert first <= second


# Accumulators


def extremes(weights: list[int], bias: int, source: QFormat) -> list[int]:
    """The sum at every corner of the inputs."""
    corners = itertools.product((source.lowest, source.highest), repeat=len(weights))
    return [sum(w * x for w, x in zip(weights, corner, strict=True)) + bias for corner in corners]


def test_accumulator_bits_by_hand() -> None:
    q = QFormat(word=4, fraction=0)
    assert accumulator_bits([[-3, -4]], [7], q) == 7  # 7 * 8 + 7 = 63
    assert accumulator_bits([[-3, -4]], [8], q) == 8
    assert accumulator_bits([[-3, -4], [0, 9]], [7, 0], q) == 8
    assert accumulator_bits([[0]], [0], q) == 1
    assert accumulator_bits(np.zeros((2, 0), dtype=int), [3, -4], q) == 4
    assert accumulator_bits(np.zeros((0, 2), dtype=int), np.zeros(0, dtype=int), q) == 1
    # Exact where int64 is not: 3 * 2^31 * 2^31 + 2^61.
    assert accumulator_bits(np.full((1, 3), -(2**31)), [-(2**61)], QFormat(word=32, fraction=0)) == 65


def test_no_input_overflows_the_accumulator(rng: np.random.Generator) -> None:
    for _ in range(200):
        source = QFormat(word=int(rng.integers(2, 6)), fraction=0)
        weights, bias = rng.integers(-9, 10, size=(2, 4)), rng.integers(-40, 41, size=2)
        half = 2 ** (accumulator_bits(weights, bias, source) - 1)
        for row, b in zip(weights.tolist(), bias.tolist(), strict=True):
            # Any part of the sum, in any order, is a sum with other weights set to zero.
            for kept in itertools.product((0, 1), repeat=4):
                sums = extremes([w * k for w, k in zip(row, kept, strict=True)], b, source)
                assert -half <= min(sums)
                assert max(sums) < half


def test_one_bit_fewer_overflows_where_the_bound_is_reached(rng: np.random.Generator) -> None:
    for _ in range(200):
        source = QFormat(word=int(rng.integers(2, 6)), fraction=0)
        weights, bias = rng.integers(-9, 1, size=(1, 4)), rng.integers(0, 41, size=1)
        bits = accumulator_bits(weights, bias, source)
        reached = max(extremes(weights[0].tolist(), int(bias[0]), source))
        assert 2 ** (bits - 1) > reached >= 2 ** (bits - 2) if bits > 1 else reached == 0


# Tables


def plain(table: ActivationTable, function: Function, raw: int) -> int:
    """The second implementation: exact fractions of the real input, one at a time."""
    x = Fraction(raw) / Fraction(2) ** table.source.fraction
    low, spacing = -(Fraction(2) ** table.range_bits), Fraction(2) ** (table.range_bits + 1 - table.address_bits)
    last = 2**table.address_bits - (table.index != "interpolate")

    def entry(k: int) -> int:
        y = function.value(np.array([float(low + k * spacing)]))[0]
        return expected(Fraction(float(y)), table.output)

    place = min(max((x - low) / spacing, Fraction(0)), Fraction(last))
    if table.index == "nearest":
        return entry(math.floor(place + Fraction(1, 2)))
    k = math.floor(place)
    if table.index == "floor" or k == last:
        return entry(k)
    return rounded(entry(k) + (entry(k + 1) - entry(k)) * (place - k), table.output.rounding)


TABLES = [
    (Tanh(gain=2.0), 7, 1, 5),  # the range within that of the source
    (Tanh(gain=3.0), 9, 0, 10),  # spacing of one step, and the whole source
    (Logistic(), 8, 3, 4),  # the range beyond that of the source
    (Polynomial(coefficients=np.array([0.1, -1.0, 0.0, 1.5])), 12, -3, 6),  # not monotone, saturates
    (HardLimiter(), -2, 9, 1),
]


@pytest.mark.parametrize("index", INDICES)
@pytest.mark.parametrize(("function", "fraction", "range_bits", "address_bits"), TABLES)
def test_tables_are_those_of_a_plain_loop_for_all_inputs(
    function: Function, fraction: int, range_bits: int, address_bits: int, index: Index
) -> None:
    source = QFormat(word=10, fraction=fraction)
    raw = np.arange(source.lowest, source.highest + 1)
    for rounding in ROUNDINGS if index == "interpolate" else ROUNDINGS[:1]:
        output = QFormat(word=9, fraction=8, rounding=rounding)
        table = ActivationTable.of(
            function, source=source, output=output, range_bits=range_bits, address_bits=address_bits, index=index
        )
        assert table.entries.shape == (table.size + (index == "interpolate"),)
        assert table.apply(raw).tolist() == [plain(table, function, r) for r in raw.tolist()]
        beyond = [-(2**61), 2**61 - 1]
        assert table.apply(beyond).tolist() == [table.entries[0], table.entries[-1]]


def test_a_table_by_hand() -> None:
    """f(x) = x at -2, -1, 0, 1 (and 2), in halves; inputs in quarters."""
    q = QFormat(word=8, fraction=2)
    raw = [-9, -8, -7, -6, -5, -1, 0, 1, 2, 3, 4, 6, 7, 8, 9]
    by_hand: dict[Index, list[int]] = {
        "floor": [-4, -4, -4, -4, -4, -2, 0, 0, 0, 0, 2, 2, 2, 2, 2],
        "nearest": [-4, -4, -4, -2, -2, 0, 0, 0, 2, 2, 2, 2, 2, 2, 2],
        "interpolate": [-4, -4, -4, -3, -2, 0, 0, 0, 1, 2, 2, 3, 4, 4, 4],
    }
    for index, expected_raw in by_hand.items():
        table = ActivationTable.of(
            Polynomial(coefficients=np.array([0.0, 1.0])),
            source=q,
            output=QFormat(word=8, fraction=1),
            range_bits=1,
            address_bits=2,
            index=index,
        )
        assert (table.size, table.spacing, table.shift) == (4, 1.0, 2)
        assert table.entries.tolist() == [-4, -2, 0, 2, 4][: table.entries.size]
        assert not table.entries.flags.writeable
        assert table.apply(raw).tolist() == expected_raw, index


def test_interpolation_of_32_bits_is_exact() -> None:
    """The widest product: entries at both ends of 32 bits, and an interval of 2^31 steps."""
    q = QFormat(word=32, fraction=0, rounding="toward_zero")
    table = ActivationTable(
        entries=np.array([q.lowest, q.highest, q.lowest]),
        source=q,
        output=q,
        range_bits=31,
        address_bits=1,
        index="interpolate",
    )
    raw = [q.lowest, q.lowest + 1, -(2**30), -1, 0, 1, 2**30, q.highest]
    line = [Fraction(q.highest) - Fraction(abs(r) * (2**32 - 1), 2**31) for r in raw]
    assert table.apply(raw).tolist() == [int(y) for y in line]


@pytest.mark.parametrize("address_bits", [5, 7, 9])
def test_the_error_of_an_interpolated_tanh_is_bounded(address_bits: int) -> None:
    """h^2 max|f''| / 8 of the straight lines, half a step of the entries, half a step of the result; flat beyond 4."""
    source, output = QFormat(word=16, fraction=12), QFormat(word=16, fraction=15)
    table = ActivationTable.of(
        Tanh(), source=source, output=output, range_bits=2, address_bits=address_bits, index="interpolate"
    )
    raw = np.arange(source.lowest, source.highest + 1)
    x = source.value(raw)
    error = np.abs(output.value(table.apply(raw)) - np.tanh(x))
    bound = table.spacing**2 * 4.0 / math.sqrt(27.0) / 8.0 + output.step
    assert error[np.abs(x) <= 4.0].max() <= bound
    assert error.max() <= max(bound, 1.0 - math.tanh(4.0) + output.step)


# Messages

Q = QFormat(word=8, fraction=4)


def table_of(function: Function, **changes: Any) -> ActivationTable:
    options: dict[str, Any] = {"source": Q, "output": Q, "range_bits": 2, "address_bits": 4, "index": "floor"}
    return ActivationTable.of(function, **{**options, **changes})


ENTRIES: dict[str, Any] = {"source": Q, "output": Q, "range_bits": 2, "address_bits": 1, "index": "floor"}
ADDRESSES = "; the spacing is at least a step of the source, and the size at most 2^20"

REFUSED: dict[str, tuple[Callable[[], Any], str]] = {
    "word": (
        lambda: QFormat(word=33, fraction=0),
        "`QFormat.word` = 33: must be a whole number from 2 to 32",
    ),
    "word of half bits": (
        lambda: QFormat(word=8.5, fraction=0),  # type: ignore[arg-type]
        "`QFormat.word` = 8.5: must be a whole number from 2 to 32",
    ),
    "fraction": (
        lambda: QFormat(word=8, fraction=-33),
        "`QFormat.fraction` = -33: must be a whole number from -32 to 63",
    ),
    "rounding": (
        lambda: QFormat(word=8, fraction=0, rounding="nearest"),  # type: ignore[arg-type]
        "`QFormat.rounding` = 'nearest': must be one of nearest_even, nearest_up, floor, toward_zero",
    ),
    "overflow": (
        lambda: QFormat(word=8, fraction=0, overflow="clip"),  # type: ignore[arg-type]
        "`QFormat.overflow` = 'clip': must be one of saturate, wrap",
    ),
    "NaN": (
        lambda: Q.quantise([0.0, math.nan]),
        "`values[1] = nan`: must be finite; replace missing or infinite values",
    ),
    "infinity": (
        lambda: Q.quantise(math.inf),
        "`values = inf`: must be finite; replace missing or infinite values",
    ),
    "raw that is real": (
        lambda: Q.requantise([1.0], 4),
        "`raw` is float64: must be whole numbers that int64 holds; quantise real numbers",
    ),
    "raw beyond int64": (
        lambda: Q.overflows([2**70], 4),
        "`raw` is object: must be whole numbers that int64 holds; quantise real numbers",
    ),
    "raw of 63 bits": (
        lambda: Q.requantise([0, 2**61], 4),
        f"`raw` holds {2**61}: must have at most 62 bits, from {-(2**61)} to {2**61 - 1}",
    ),
    "unsigned raw of 64 bits": (
        lambda: Q.overflows(np.array([2**63], dtype=np.uint64), 4),
        f"`raw` holds {2**63}: must have at most 62 bits, from {-(2**61)} to {2**61 - 1}",
    ),
    "value of 55 bits": (
        lambda: Q.value(-(2**53) - 1),
        f"`raw` holds {-(2**53) - 1}: must have at most 54 bits, from {-(2**53)} to {2**53 - 1}",
    ),
    "fraction of raw": (
        lambda: Q.requantise([1], 127),
        "`fraction` = 127: must be a whole number from -64 to 126",
    ),
    "weights of 33 bits": (
        lambda: accumulator_bits([[2**31]], [0], Q),
        f"`weights_raw` holds {2**31}: must have at most 32 bits, from {-(2**31)} to {2**31 - 1}",
    ),
    "bias that is real": (
        lambda: accumulator_bits([[1]], [0.5], Q),
        "`bias_raw` is float64: must be whole numbers that int64 holds; quantise real numbers",
    ),
    "shapes": (
        lambda: accumulator_bits([[1, 2]], [0, 0], Q),
        "`weights_raw` has shape (1, 2), `bias_raw` (2,): must be (n, m) and (n,)",
    ),
    "index": (
        lambda: table_of(Tanh(), index="linear"),
        "`ActivationTable.index` = 'linear': must be one of floor, nearest, interpolate",
    ),
    "range": (
        lambda: table_of(Tanh(), range_bits=-5),
        "`ActivationTable.range_bits` = -5: must be a whole number from -4 to 27; 2^range_bits is from 1 to 2^31 steps "
        "of the source",
    ),
    "spacing below a step of the source": (
        lambda: table_of(Tanh(), address_bits=8),
        f"`ActivationTable.address_bits` = 8: must be a whole number from 1 to 7{ADDRESSES}",
    ),
    "large table": (
        lambda: table_of(Tanh(), source=QFormat(word=32, fraction=28), address_bits=21),
        f"`ActivationTable.address_bits` = 21: must be a whole number from 1 to 20{ADDRESSES}",
    ),
    "elements": (
        lambda: table_of(Tanh(gain=np.ones(3))),
        "`function` has 3 elements: must be one curve for all; take `.at(i)` first",
    ),
    "pole": (
        lambda: table_of(Rational(numerator=np.ones(1), denominator=np.array([0.0, 1.0]))),
        "`rational(x)[8] = inf`: must be finite; replace missing or infinite values",
    ),
    "number of entries": (
        lambda: ActivationTable(entries=np.zeros(3, dtype=int), **ENTRIES),
        "`ActivationTable.entries` has shape (3,): must have shape (2,)",
    ),
    "entries outside the output": (
        lambda: ActivationTable(entries=np.array([0, 128]), **ENTRIES),
        "`ActivationTable.entries` holds 128: must have at most 8 bits, from -128 to 127",
    ),
    "inputs that are real": (
        lambda: table_of(Tanh()).apply(0.5),
        "`raw` is float64: must be whole numbers that int64 holds; quantise real numbers",
    ),
}


@pytest.mark.parametrize(("call", "message"), REFUSED.values(), ids=REFUSED)
def test_what_is_refused_and_how(call: Callable[[], Any], message: str) -> None:
    with pytest.raises(InputError, match=f"^{re.escape(message)}$"):
        call()


def test_a_softmax_has_no_table() -> None:
    with pytest.raises(Unrealisable, match=r"^Softmax: couples the elements of a group"):
        table_of(Softmax())
