"""The open loop: gain, gain-bandwidth product, phase margin, output resistance, and phase with a capacitive load.

An ideal buffer feeds the output back to the inverting input behind a low pass of 1e-13 Hz: at direct current the op-amp
is a follower, and at every frequency of interest its loop is open.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from ..circuit import Circuit
from ..parts import Capacitor, Resistor, VoltageGain
from ..spice.analyses import respond
from ..values.arrays import Array
from ..values.errors import SimulatorError
from .bench import GROUND, MINUS, OUT, PLUS, Draft, under_test

FIRST, LAST = 1e-3, 1e9  # Hz
POINTS = 20  # in a decade
NOTHING = 1e-30  # V/V
LOW_PASS_OHMS, LOW_PASS_FARADS = 1e9, 1e3
# The gain-bandwidth product is read this far below the crossing, where the second pole does not show.
BELOW_CROSSING = 50.0


class OpenLoop(NamedTuple):
    """Gain at direct current, V/V; gain-bandwidth product and crossing of the gain of 1, Hz; phase margin, degrees."""

    gain: float
    gain_bandwidth: float
    crossing: float
    phase_margin: float


def open_loop_circuit(op_amp: Any, *, load: float | None = None, capacitance: float | None = None) -> Circuit:
    """Return the bench of the open loop, with a resistor and a capacitor at the output where they are given."""
    draft = Draft("Open loop", under_test(op_amp))
    draft.hold(PLUS, draft.amplifier.middle, signal=1.0)
    draft.add("R_low", Resistor(LOW_PASS_OHMS), OUT, "low")
    draft.add("C_low", Capacitor(LOW_PASS_FARADS), "low", GROUND)
    draft.add("E_low", VoltageGain(1.0), MINUS, GROUND, "low", GROUND)
    if load is not None:
        draft.load(float(load))
    if capacitance is not None:
        draft.add("C_load", Capacitor(float(capacitance)), OUT, GROUND)
    return draft.circuit()


def measure_open_loop(op_amp: Any, *, load: float | None = None, capacitance: float | None = None) -> OpenLoop:
    """Return what the open loop of an op-amp has.

    Raises SimulatorError where its gain does not fall through 1 between 1 mHz and 1 GHz.
    """
    circuit = open_loop_circuit(op_amp, load=load, capacitance=capacitance)
    found = respond(circuit, (FIRST, LAST), points=POINTS)
    response = found.voltage(OUT)
    decades: Array = np.log10(found.axis)
    size: Array = np.log10(np.maximum(np.abs(response), NOTHING))
    phase: Array = np.degrees(np.unwrap(np.angle(response)))
    below = np.flatnonzero(size < 0.0)
    if not below.size or not below[0]:
        raise SimulatorError(f"{circuit.title}: its gain does not fall through 1 between 1 mHz and 1 GHz")
    # Up to there the gain falls, so that the crossing is found by interpolation.
    upto = slice(max(below[0] - 3, 0), below[0] + 1)
    crossing = 10.0 ** float(np.interp(0.0, -size[upto], decades[upto]))
    at = np.log10(crossing / BELOW_CROSSING)
    product = crossing / BELOW_CROSSING * 10.0 ** float(np.interp(at, decades, size))
    # The phase begins at 0 degrees, or at 180 of an amplifier the wrong way round.
    margin = 180.0 + float(np.interp(np.log10(crossing), decades, phase)) - round(phase[0] / 360.0) * 360.0
    return OpenLoop(float(np.abs(response[0])), product, crossing, margin)


def measure_output_resistance(op_amp: Any, *, load: float) -> float:
    """Return the output resistance of the open loop, ohms: what a load takes off the gain."""
    plain, loaded = (
        abs(complex(respond(open_loop_circuit(op_amp, load=ohms), (FIRST, 10.0 * FIRST), points=2).voltage(OUT)[0]))
        for ohms in (None, load)
    )
    return (plain / loaded - 1.0) * load
