"""The values of parts: how the numbers of a circuit's equations change with each of them, by differences.

What a part is made of is known by `split_device` alone, so a value is moved, and the part taken apart again. The
numbers are smooth in it but for limits, where the part is made of other elements.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import fields, is_dataclass
from typing import NamedTuple

import numpy as np

from ...circuit import Device
from ...functions.expressions import as_expression, evaluate
from ...parts import Capacitor, OpAmp, Part, Resistor, Transconductance
from ...parts.figures import UNITS
from ...parts.parameters import Parameter, value_of, with_values
from ...values.arrays import Array
from ...values.errors import InputError
from ..devices.elements import Formula, Linear, split_device
from ..equations.programs import split_numbers

# By unit, what is usual of a value that is 0.
USUAL = {"V": 1e-3, "A": 1e-9, "F": 1e-12}
# By which part a value is moved that has an element only then: too little to change a waveform.
LEAST = 1e-12
# Steps of differences, as parts of a value.
STEPS = (1e-3, 1e-4, 1e-5, 1e-6)
# Near enough to be taken, and too far, as parts of a derivative; what roundings of a number may make.
NEAR, FAR, ROUNDING = 1e-5, 1e-3, 1e-9
KINK = 0.05  # of a slope, what slopes to both sides differ by


class Value(NamedTuple):
    """One value of a part: which parameter, in which unit."""

    parameter: Parameter
    unit: str


class Slope(NamedTuple):
    """d(number)/d(value) of number `number` of the part's branch `branch`."""

    branch: int
    number: int
    slope: float


def values_of(part: Part) -> Iterator[Value]:
    """Yield the values of a part that are finite numbers: of an op-amp first those of its model.

    A value of the part with the name of one of the model is left out, as a tolerance of that name is of the model.
    """
    known: set[str] = set()
    for in_model, owner in ((True, part.model if isinstance(part, OpAmp) else None), (False, part)):
        units = UNITS if in_model else part.units
        for one in fields(owner) if is_dataclass(owner) else ():
            value = getattr(owner, one.name)
            if type(value) is float and np.isfinite(value) and one.name not in known:
                known.add(one.name)
                yield Value(Parameter(one.name, in_model), units.get(one.name, ""))


def usual_size(value: float, unit: str) -> float:
    """Return the size of a value; of one that is 0, a usual one."""
    return abs(value) or USUAL.get(unit, 1.0)


def with_elements(device: Device, value: Value) -> Part:
    """Return the part of a device, moved by too little to matter where one of its values has an element only then.

    So has an offset that is 0, and so have formulas with a factor that is 1.
    """
    part, at = device.part, value_of(device.part, value.parameter)
    size = usual_size(at, value.unit)
    here, there = _take_apart(device, part), _move(device, value, at + STEPS[0] * size)
    if there is None or there.kinds == here.kinds:
        return part
    found = _move(device, value, at + LEAST * size)
    if found is None or found.kinds != there.kinds:
        return part
    return with_values(part, {value.parameter: at + LEAST * size})


def slopes_of(device: Device, value: Value) -> list[Slope] | None:
    """Return how the numbers of a device change with one of its values; None where a difference is no derivative.

    It is none where a part is made of other elements on both sides of the value, and where steps do not agree.
    """
    part = device.part
    match part:
        case Resistor(resistance) if value.parameter.name == "resistance":
            return [Slope(0, 0, -1.0 / resistance**2)]
        case Capacitor() | Transconductance() if value.parameter.name == next(iter(part.units)):
            return [Slope(0, 0, 1.0)]
    nominal = _take_apart(device, part)
    at = value_of(part, value.parameter)
    size = abs(at) if at == LEAST * usual_size(0.0, value.unit) else usual_size(at, value.unit)

    def move(to: float) -> Array | None:
        found = _move(device, value, to)
        return None if found is None or found.kinds != nominal.kinds else found.numbers

    slopes = _differentiate(move, at, size, nominal.numbers)
    if slopes is None:
        return None
    found = zip(nominal.places, slopes.tolist(), strict=True)
    return [Slope(k, j, slope) for (k, j), slope in found if slope != 0.0]


class _Pieces(NamedTuple):
    """What a part is made of: what each branch is but for its numbers, the numbers, and by number branch and place."""

    kinds: list[object]
    numbers: Array
    places: list[tuple[int, int]]


def _take_apart(device: Device, part: Part) -> _Pieces:
    kinds: list[object] = []
    numbers: list[float] = []
    places = []
    split = split_device(device._replace(part=part), {})
    for k, one in enumerate(one for one in split if isinstance(one, Linear | Formula)):
        if isinstance(one, Linear):
            kinds.append((one.ends, one.sensed, one.is_rate))
            own = [evaluate(as_expression(one.value), ())]
        else:
            skeleton, constants = split_numbers(one.formula, len(one.sensed))
            kinds.append((one.ends, one.sensed, one.gives, skeleton))
            own = [evaluate(constant, ()) for constant in constants]
        numbers += own
        places += [(k, j) for j in range(len(own))]
    return _Pieces(kinds, np.array(numbers), places)


def _move(device: Device, value: Value, to: float) -> _Pieces | None:
    """Return what a part with another value is made of; None where it cannot have that value."""
    try:
        return _take_apart(device, with_values(device.part, {value.parameter: to}))
    except (InputError, ValueError, ArithmeticError):
        return None


def _differentiate(move: Callable[[float], Array | None], at: float, size: float, nominal: Array) -> Array | None:
    """Return the derivatives of numbers by differences of fourth order, each of the step that suits it best.

    What second and fourth order differ by is far more than the error of the latter. None where that is much, and where
    slopes to both sides differ.
    """
    best = least = np.array(0.0)
    for step in STEPS:
        found = _of_step(move, at, step * size, nominal)
        if found is None:
            continue
        slope, off = found
        best, least = (slope, off) if not least.ndim else (np.where(off < least, slope, best), np.minimum(off, least))
        if np.all(least <= NEAR * np.abs(best)):
            return best
    if not least.ndim or np.any(least > FAR * np.abs(best) + ROUNDING * np.abs(nominal) / size):
        return None
    return best


def _of_step(move: Callable[[float], Array | None], at: float, h: float, nominal: Array) -> tuple[Array, Array] | None:
    """Return derivatives and how far they may be off; to one side where the value has an end. None for none."""
    for places in ((-2, -1, 1, 2), (1, 2, 3, 4), (-1, -2, -3, -4)):
        found = [move(at + place * h) for place in places]
        values = [one - nominal for one in found if one is not None]
        if len(values) < len(found):
            continue
        if places[0] == -2:
            far, near = (values[3] - values[0]) / (4.0 * h), (values[2] - values[1]) / (2.0 * h)
            slope = near + (near - far) / 3.0
            kink = np.abs(values[2] + values[1]) / abs(h)
            return slope, np.maximum(np.abs(near - far), np.where(kink > KINK * np.abs(slope), kink, 0.0))
        one, two, three, four = (value / (places[0] * h) for value in values)
        slope = 4.0 * one - 3.0 * two + 4.0 / 3.0 * three - 0.25 * four
        return slope, np.abs(slope - (3.0 * one - 1.5 * two + three / 3.0))
    return None
