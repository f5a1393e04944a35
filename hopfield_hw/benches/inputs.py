"""The inputs: offset, currents, rejections, impedance, and the limits of common mode."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np

from ..circuit import Circuit
from ..parts import Resistor, VoltageGain
from ..parts.macro_model import Beyond
from ..spice.analyses import find_balance, respond, sweep
from .bench import GROUND, MIDDLE, MINUS, OUT, PLUS, Draft, under_test
from .open_loop import open_loop_circuit

NOISE_GAIN = 100.0  # of the bench of the offset, less 1
LOAD, LIGHT = 2e3, 10.0  # Ohm, and by what the feedback resistor is above it
SLOW, FAST = 1e-3, 1e5  # Hz: where rejections and resistances are read, and capacitances
STEPS = 300  # of a sweep of the supplies, from their middle beyond either end
BEYOND = 1.0  # V: how far the sweep goes beyond the rails
DEPTH = 0.5  # V beyond a limit: where it is seen what lies there
LOST = 10e-3  # V: an offset that has changed by so much is out of the input range
SERVO = 0.1


class InputCurrents(NamedTuple):
    """Mean of the currents into the inputs, and that of plus less that of minus, amperes."""

    bias: float
    offset: float


class InputImpedance(NamedTuple):
    """Resistance and capacitance between the inputs, and the capacitance of each to ground."""

    resistance: float
    differential: float
    common: float


class CommonMode(NamedTuple):
    """The lowest and the highest voltage at the inputs, volts, infinite where none was found; what lies beyond."""

    lower: float
    upper: float
    beyond: Beyond


def offset_circuit(
    op_amp: Any, *, load: float = LOAD, common_signal: float = 0.0, supply_signal: float = 0.0
) -> Circuit:
    """Return the bench of the offset: a difference amplifier of gain 100 at the middle of the supplies.

    Its four resistors are two equal pairs, so that neither equal currents nor common mode show. `load`: that of the
    sheet, ohms; the feedback resistor is ten times as large, so that what flows there hardly shows either.
    `common_signal`, `supply_signal`: in an analysis of small signals, volts: of both ends of the amplifier, and of the
    supply from rail to rail.
    """
    half = supply_signal / 2.0
    draft = Draft("Offset", under_test(op_amp), upper_signal=half, lower_signal=-half)
    draft.hold(MIDDLE, draft.amplifier.middle)
    draft.hold("common", draft.amplifier.middle, signal=common_signal)
    for pin, end in ((PLUS, MIDDLE), (MINUS, OUT)):
        draft.add(f"R_{pin}", Resistor(LIGHT * load / NOISE_GAIN), "common", pin)
        draft.add(f"R_feedback_{pin}", Resistor(LIGHT * load), pin, end)
    return draft.circuit()


def currents_circuit(op_amp: Any) -> Circuit:
    """Return the bench of the input currents: a follower, whose inputs are held by sources."""
    draft = Draft("Input currents", under_test(op_amp))
    draft.hold(PLUS, draft.amplifier.middle)
    draft.add("E_follow", VoltageGain(1.0), "held", GROUND, OUT, GROUND)
    draft.hold(MINUS, 0.0, to="held")
    return draft.circuit()


def impedance_circuit(op_amp: Any, *, common: bool) -> Circuit:
    """Return the open loop with a source at the inverting input too, which follows plus where `common`."""
    circuit = open_loop_circuit(op_amp)
    draft = Draft("Input impedance", under_test(op_amp))
    draft.devices[:] = [
        device._replace(nodes=("held", *device.nodes[1:])) if device.name == "E_low" else device
        for device in circuit.devices
    ]
    draft.hold(MINUS, 0.0, to="held", signal=1.0 if common else 0.0)
    return draft.circuit()


def common_mode_circuit(op_amp: Any) -> Circuit:
    """Return the bench of the common mode: the inputs stand still, and V_floor moves both rails against them.

    The output, seen from the middle of the rails, is fed back by a tenth, so that it stays near the middle.
    """
    draft = Draft("Common mode", under_test(op_amp), moved=True)
    draft.hold("floor", 0.0)
    draft.hold("centre", draft.amplifier.middle, to="floor")
    draft.hold(PLUS, draft.amplifier.middle)
    draft.add("E_servo", VoltageGain(SERVO), MINUS, PLUS, OUT, "centre")
    return draft.circuit()


def follower_circuit(op_amp: Any) -> Circuit:
    """Return a follower with 10 kOhm to the middle of the supplies."""
    draft = Draft("Follower", under_test(op_amp))
    draft.hold(PLUS, draft.amplifier.middle)
    draft.follow()
    draft.load(1e4)
    return draft.circuit()


def measure_offset(op_amp: Any, *, load: float = LOAD) -> float:
    """Return the offset voltage, volts: positive where the output goes up with inputs that are equal."""
    balance = find_balance(offset_circuit(op_amp, load=load))
    return float((balance.voltage(MINUS) - balance.voltage(PLUS))[0].real)


def measure_rejections(op_amp: Any, *, load: float = LOAD) -> tuple[float, float]:
    """Return the rejection of common mode and of the supply, dB at 1 mHz, while the output stays where it is."""
    found = []
    at_inputs = NOISE_GAIN / (NOISE_GAIN + 1.0)
    for circuit, signal in (
        (offset_circuit(op_amp, load=load, common_signal=1.0), at_inputs),
        (offset_circuit(op_amp, load=load, supply_signal=1.0), 1.0),
    ):
        response = respond(circuit, (SLOW, 10.0 * SLOW), points=2)
        shift = abs(complex(response.voltage(MINUS)[0] - response.voltage(PLUS)[0])) / signal
        found.append(math.inf if shift == 0.0 else -20.0 * math.log10(shift))
    common, supply = found
    return common, supply


def measure_currents(op_amp: Any) -> InputCurrents:
    """Return the currents into the inputs, at the balance where the output is at the middle of the supplies."""
    balance = find_balance(currents_circuit(op_amp))
    plus, minus = (-float(balance.current(f"V_{pin}")[0].real) for pin in (PLUS, MINUS))
    return InputCurrents((plus + minus) / 2.0, plus - minus)


def measure_impedance(op_amp: Any) -> InputImpedance:
    """Return resistance and capacitances of the inputs, from the current into plus at 1 mHz and at 100 kHz."""
    slow, fast = [], []
    for common in (False, True):
        found = respond(impedance_circuit(op_amp, common=common), (SLOW, FAST), points=1)
        current = -found.current(f"V_{PLUS}")
        slow.append(float(current[0].real))
        fast.append(float(current[-1].imag) / (2.0 * math.pi * float(found.axis[-1])))
    conductance = slow[0] - slow[1]
    return InputImpedance(1.0 / conductance if conductance > 0.0 else math.inf, fast[0] - fast[1], fast[1])


def measure_common_mode(op_amp: Any) -> CommonMode:
    """Return the limits of the inputs' range, to 10 mV of offset, and what lies below it.

    "reverse": a follower whose input lies 0.5 V below the range has its output above the middle of the supplies.
    """
    chosen = under_test(op_amp)
    far = chosen.span / 2.0 + BEYOND
    limits = []
    for sign in (1.0, -1.0):
        # The rails go up: the inputs, seen from them, go down.
        found = sweep(common_mode_circuit(chosen), "V_floor", (0.0, sign * far, sign * far / STEPS))
        offset = np.real(found.voltage(MINUS))
        moved = np.abs(offset - offset[0])
        lost = np.flatnonzero(moved > LOST)
        if not lost.size:
            limits.append(-sign * math.inf)
            continue
        k = int(lost[0])
        part = (LOST - moved[k - 1]) / (moved[k] - moved[k - 1])
        limits.append(chosen.middle - float(found.axis[k - 1] + part * (found.axis[k] - found.axis[k - 1])))
    lower, upper = limits
    beyond: Beyond = "none" if math.isinf(lower) and math.isinf(upper) else "clamp"
    if math.isfinite(lower):
        stop = lower - DEPTH
        follow = sweep(follower_circuit(chosen), f"V_{PLUS}", (chosen.middle, stop, (stop - chosen.middle) / STEPS))
        if float(np.real(follow.voltage(OUT)[-1])) > chosen.middle:
            beyond = "reverse"
    return CommonMode(lower, upper, beyond)
