"""A map in fixed point, a second time: plain Python integers over the graph itself, one element after the other.

It reads the graph and the formats, and nothing that was made of them: the alignment of sums, the rounding, the tables
and their indices are all decided here again.
"""

from __future__ import annotations

import math
from fractions import Fraction
from typing import Any

import numpy as np

from hopfield_hw.functions import Clip, HardLimiter, Identity
from hopfield_hw.graph import Activate, Affine, Graph, Hadamard, Hold, Input, Output, Quantise, Sign
from hopfield_hw.integers.fixed_point import QFormat
from hopfield_hw.integers.lowering import FixedPoint


def rounded(numerator: int, shift: int, rounding: str) -> int:
    """numerator / 2^shift as a whole number; a negative shift multiplies."""
    if shift <= 0:
        return numerator << -shift
    whole, rest = divmod(numerator, 1 << shift)
    half = 1 << (shift - 1)
    if rounding == "nearest_even":
        return whole + (rest > half or (rest == half and whole % 2 == 1))
    if rounding == "nearest_up":
        return whole + (rest >= half)
    if rounding == "toward_zero":
        return whole + (numerator < 0 and rest > 0)
    return whole


def limited(raw: int, kept: QFormat) -> int:
    """A whole number in the word: at its end, or modulo 2^word."""
    low, high = -(2 ** (kept.word - 1)), 2 ** (kept.word - 1) - 1
    if kept.overflow == "saturate":
        return min(max(raw, low), high)
    return (raw - low) % 2**kept.word + low


def quantised(value: float, kept: QFormat) -> int:
    """A real number in a format, exactly."""
    exact = Fraction(value) * Fraction(2) ** kept.fraction
    return limited(rounded(exact.numerator, int(math.log2(exact.denominator)), kept.rounding), kept)


class Oracle:
    """Steps a map; registers and inputs are lists of integers by name."""

    def __init__(self, graph: Graph, formats: FixedPoint) -> None:
        self.graph, self.formats = graph, formats
        self.registers = {
            hold.name: [quantised(x, formats.of(hold.name)) for x in hold.initial.tolist()]
            for hold in graph.of_type(Hold)
        }
        self.weights: dict[str, tuple[list[list[tuple[int, int]]], list[int]]] = {}
        self.places: dict[str, int] = {}
        self.tables: dict[str, list[int]] = {}
        for affine in graph.of_type(Affine):
            dense = affine.weights.matrix
            places = formats.weights.fraction + formats.of(affine.name).fraction
            if affine.exact:  # by so many places that every number is whole, those of an input beyond the point too
                places = 40 + max(0, formats.of(affine.name).fraction)
                factor = Fraction(2) ** (places - formats.of(affine.name).fraction)
                assert all((Fraction(w) * factor).denominator == 1 for w in dense.flat)
                rows = [[(j, int(Fraction(w) * factor)) for j, w in enumerate(row) if w] for row in dense.tolist()]
            else:
                rows = [[(j, quantised(w, formats.weights)) for j, w in enumerate(row) if w] for row in dense.tolist()]
            offset = [round(Fraction(b) * Fraction(2) ** places) for b in affine.bias.tolist()]
            self.places[affine.name] = places
            self.weights[affine.name] = rows, offset

    def step(self, inputs: dict[str, list[int]]) -> dict[str, list[int]]:
        """Take one step; return the outputs by name."""
        values: dict[str, tuple[list[int], int]] = {}
        for operator in self.graph.order:
            name = operator.name
            places = self.formats.of(name).fraction
            if isinstance(operator, Hold):
                values[name] = self.registers[name], places
            elif isinstance(operator, Input):
                values[name] = inputs[name], places
            elif isinstance(operator, Hadamard):
                left, right = (self.taken(operator, port, values) for port in ("left", "right"))
                values[name] = [a * b for a, b in zip(left, right, strict=True)], 2 * places
            elif isinstance(operator, Affine):
                x = self.taken(operator, "in", values)
                rows, offset = self.weights[name]
                found = [sum(w * x[j] for j, w in row) + b for row, b in zip(rows, offset, strict=True)]
                values[name] = found, self.places[name]
            elif isinstance(operator, Quantise):
                x = self.taken(operator, "in", values)
                values[name] = (
                    [self.level(operator, Fraction(r) / Fraction(2) ** places) for r in x],
                    self.given.fraction,
                )
            elif isinstance(operator, Sign):
                values[name] = self.signs(operator, values), self.given.fraction
            elif isinstance(operator, Activate):
                values[name] = self.activated(operator, self.taken(operator, "in", values))
            else:
                assert isinstance(operator, Output)
                values[name] = self.taken(operator, "in", values), places
        self.registers = {hold.name: self.taken(hold, "in", values) for hold in self.graph.of_type(Hold)}
        return {output.name: values[output.name][0] for output in self.graph.of_type(Output)}

    def taken(self, operator: Any, port: str, values: dict[str, tuple[list[int], int]]) -> list[int]:
        """The exact sum of what drives a port, in the operator's format."""
        kept = self.formats.of(operator.name)
        total, finest = self.summed(operator, port, values)
        return [limited(rounded(x, finest - kept.fraction, kept.rounding), kept) for x in total]

    def summed(self, operator: Any, port: str, values: dict[str, tuple[list[int], int]]) -> tuple[list[int], int]:
        """The exact sum of what drives a port, and its fractional bits."""
        driven = [values[driver.name] for driver in self.graph.drivers(operator, port)]
        finest = max(places for _, places in driven)
        total = [sum(x << (finest - places) for x, (_, places) in zip(column, driven, strict=True))
                 for column in zip(*(raw for raw, _ in driven), strict=True)]  # fmt: skip
        return total, finest

    def signs(self, operator: Sign, values: dict[str, tuple[list[int], int]]) -> list[int]:
        """Of a drive outside the band, else of what stands at the tie; exactly, unless a format is given for it."""
        places, ties = self.formats.of(operator.name).fraction, self.formats.of(operator.name).fraction
        if operator.name in self.formats.formats:
            drive, tie = (self.taken(operator, port, values) for port in ("in", "tie"))
        else:
            (drive, places), (tie, ties) = (self.summed(operator, port, values) for port in ("in", "tie"))
        found = []
        for d, t, band in zip(drive, tie, operator.band.tolist(), strict=True):
            exact = Fraction(d) / Fraction(2) ** places
            decider = exact if abs(exact) > Fraction(band) else Fraction(t) / Fraction(2) ** ties
            found.append(quantised(operator.amplitude if decider >= 0 else -operator.amplitude, self.given))
        return found

    @property
    def given(self) -> QFormat:
        """The format of what functions give."""
        return self.formats.activations if self.formats.activations is not None else self.formats.signals

    def level(self, operator: Quantise, x: Fraction) -> int:
        """The nearest level of an exact number, the even one of two; then in the format of what functions give."""
        lower, upper, last = Fraction(operator.lower), Fraction(operator.upper), operator.levels - 1
        k = min(max(round((x - lower) / (upper - lower) * last), 0), last)
        return quantised(operator.lower + (operator.upper - operator.lower) / last * k, self.given)

    def activated(self, operator: Activate, x: list[int]) -> tuple[list[int], int]:
        """A function of raw numbers: a bound, or a table of 2^address_bits entries."""
        formats, kept = self.formats, self.formats.of(operator.name)
        if isinstance(operator.function, Identity):
            return x, kept.fraction
        if isinstance(operator.function, Clip):
            low, high = (
                min(max(float(b), kept.lower), kept.upper) for b in (operator.function.lower, operator.function.upper)
            )
            return [min(max(raw, quantised(low, kept)), quantised(high, kept)) for raw in x], kept.fraction
        given = self.given
        if isinstance(operator.function, HardLimiter):
            amplitude = float(operator.function.amplitude)
            signs = [(r > 0) - (r < 0) for r in x]
            return [quantised(sign * amplitude, given) for sign in signs], given.fraction
        bits = min(formats.address_bits, formats.range_bits + 1 + kept.fraction)
        size, start = 2**bits, -(2.0**formats.range_bits)
        width = 2.0 ** (formats.range_bits + 1 - bits)
        if operator.name not in self.tables:
            points = [operator.function.at(0).value(np.float64(start + k * width)) for k in range(size + 1)]
            self.tables[operator.name] = [quantised(float(y), given) for y in points]
        table = self.tables[operator.name]
        per_entry = round(width * 2**kept.fraction)
        first = round(start * 2**kept.fraction)
        found = []
        for raw in x:
            above = raw - first
            if formats.index == "interpolate":
                above = min(max(above, 0), size * per_entry)
                k = min(above // per_entry, size - 1)
                line = table[k] * per_entry + (table[k + 1] - table[k]) * (above - k * per_entry)
                found.append(rounded(line, per_entry.bit_length() - 1, given.rounding))
            else:
                k = above // per_entry if formats.index == "floor" else (2 * above + per_entry) // (2 * per_entry)
                found.append(table[min(max(k, 0), size - 1)])
        return found, given.fraction
