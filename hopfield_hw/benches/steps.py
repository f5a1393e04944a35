"""Large steps: slew rate up and down, and how soon the output comes back from a rail."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np

from ..circuit import Circuit
from ..parts import Capacitor, Pulse, Resistor, VoltageSource
from ..spice.analyses import Result, run_transient
from ..values.arrays import Array
from ..values.errors import SimulatorError
from .bench import GROUND, MINUS, OUT, PLUS, Draft, UnderTest, under_test

SHARE = 1.0 / 6.0  # of the span: the step goes so far to either side of the middle
# Of the step: where its slope is read, after the second pole has followed and while the input stage is overdriven.
SLEW_FROM, SLEW_TO = 0.3, 0.6
# A step that is less than so many times slew rate / (2 pi GBW), the drive that half saturates the input stage, is
# followed more slowly than the slew rate by more than a hundredth.
ENOUGH = 10.0
USUAL = 1e6  # V/s: what is tried first where no slew rate is known
TRIES = 8
ACCURACY = 1e-4
LOAD_OHMS, LOAD_FARADS = 2e3, 100e-12
GAIN = 10.0  # of the inverting amplifier that is overdriven
OVERDRIVE = 2.0  # of what would bring its output to the rail
LEFT, SETTLED = 0.1, 0.01  # of the swing


class Slew(NamedTuple):
    """Slew rate of a rising and of a falling output, V/s, both positive."""

    up: float
    down: float


class Recovery(NamedTuple):
    """From the end of an overdrive until the output has left the rail by a tenth, and has settled to 1%, seconds."""

    left: float
    settled: float


def slew_circuit(op_amp: Any, *, length: float, load: float = LOAD_OHMS) -> Circuit:
    """Return the bench of the slew rate: a follower, its input a pulse of a third of the supply.

    It begins after `length`, seconds, and lasts four times as long; load and 100 pF as sheets have them.
    """
    draft = Draft("Slew rate", under_test(op_amp))
    low, high = _levels(draft.amplifier)
    pulse = Pulse(low, high, length, length / 1e3, 4.0 * length, 16.0 * length)
    draft.add(f"V_{PLUS}", VoltageSource(pulse), PLUS, GROUND)
    draft.add("R_feedback", Resistor(1.0), OUT, MINUS)
    draft.load(load)
    draft.add("C_load", Capacitor(LOAD_FARADS), OUT, GROUND)
    return draft.circuit()


def recovery_circuit(op_amp: Any, *, length: float) -> Circuit:
    """Return the bench of overload recovery: an inverting amplifier of gain 10, overdriven twofold until `length`."""
    draft = Draft("Overload recovery", under_test(op_amp))
    middle = draft.amplifier.middle
    drive = OVERDRIVE * draft.amplifier.span / 2.0 / GAIN
    points = ((0.0, middle - drive), (length, middle - drive), (1.001 * length, middle))
    draft.add("V_in", VoltageSource(points), "in", GROUND)
    draft.hold(PLUS, middle)
    draft.add("R_in", Resistor(1e4), "in", MINUS)
    draft.add("R_feedback", Resistor(GAIN * 1e4), OUT, MINUS)
    return draft.circuit()


def measure_slew(op_amp: Any, *, expected: float = USUAL, load: float = LOAD_OHMS) -> Slew:
    """Return the slew rates, between 30% and 60% of the step. `expected`: what to begin with, V/s.

    Raises SimulatorError where the output does not follow the input at all.
    """
    chosen = under_test(op_amp)
    low, high = _levels(chosen)
    length = (high - low) / expected
    for _ in range(TRIES):
        found = run_transient(
            slew_circuit(chosen, length=length, load=load), 9.0 * length, step=length / 100.0, accuracy=ACCURACY
        )
        rise = _time(found, (length, 5.0 * length), low, high)
        fall = _time(found, (5.0 * length, 9.0 * length), high, low)
        if rise is not None and fall is not None and min(rise, fall) > 0.02 * length:
            way = (SLEW_TO - SLEW_FROM) * (high - low)
            return Slew(way / rise, way / fall)
        length *= 8.0 if rise is None or fall is None else 0.125
    raise SimulatorError(f"{chosen.op_amp.what}: the output of a follower does not come to 60% of a step")


def measure_recovery(op_amp: Any, *, slew: float) -> Recovery:
    """Return how soon the output comes back from the upper rail. `slew`: its slew rate, V/s, for the time to look at.

    Raises SimulatorError where it does not come back in ten times the time that the slew rate takes.
    """
    chosen = under_test(op_amp)
    length = 4.0 * chosen.span / slew
    found = run_transient(recovery_circuit(chosen, length=length), 6.0 * length, step=length / 100.0, accuracy=ACCURACY)
    moments, out = found.axis, np.real(found.voltage(OUT))
    start = float(np.interp(length, moments, out))
    away = np.abs(out - start) > LEFT * abs(start - out[-1])
    rest = np.abs(out - out[-1]) > SETTLED * abs(start - out[-1])
    after = moments > length
    if abs(start - out[-1]) < 0.1 * chosen.span or not (away & after).any():
        raise SimulatorError(f"{chosen.op_amp.what}: the output does not come back from the rail")
    return Recovery(float(moments[away & after][0]) - length, float(moments[rest & after][-1]) - length)


def shows_slew(chosen: UnderTest, slew: float, gain_bandwidth: float) -> bool:
    """Whether a step of the bench shows a slew rate: on low supplies those of fast parts are too small."""
    low, high = _levels(chosen)
    return high - low >= ENOUGH * slew / (2.0 * math.pi * gain_bandwidth)


def _levels(chosen: UnderTest) -> tuple[float, float]:
    way = SHARE * chosen.span
    return chosen.middle - way, chosen.middle + way


def _time(found: Result, window: tuple[float, float], start: float, stop: float) -> float | None:
    """Return how long the output takes from 30% to 60% of the way; None where it does not come there."""
    inside = (found.axis >= window[0]) & (found.axis <= window[1])
    moments: Array = found.axis[inside]
    way: Array = np.maximum.accumulate((np.real(found.voltage(OUT))[inside] - start) / (stop - start))
    if way[0] > SLEW_FROM or way[-1] < SLEW_TO:
        return None
    first, last = (float(np.interp(part, way, moments)) for part in (SLEW_FROM, SLEW_TO))
    return last - first
