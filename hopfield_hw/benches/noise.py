"""Noise: the white density of the voltage, its corner against 1/f, and the current noise."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np

from ..circuit import Circuit
from ..parts import MacroModel, OpAmp, Resistor
from ..spice.analyses import find_noise
from ..values.arrays import Array
from ..values.physics import FOUR_K_T
from .bench import OUT, PLUS, Draft, under_test

FIRST = 0.1  # Hz
BELOW_BANDWIDTH = 100.0  # noise is read up to the crossing over this
MOST_OHMS, MOST_VOLTS = 1e9, 0.05  # of the resistor at the input, and of what the bias current drops there
CURRENT_AT = FIRST  # Hz: low, so that the input capacitance takes nothing off


class Noise(NamedTuple):
    """White voltage noise, V/sqrt(Hz); the corner below which 1/f is above it, Hz; current noise, A/sqrt(Hz)."""

    voltage: float
    corner: float
    current: float


def noise_circuit(op_amp: Any, *, resistance: float = 0.0) -> Circuit:
    """Return the bench of noise: a follower, its input held directly or through a resistor, ohms."""
    draft = Draft("Noise", under_test(with_noise(op_amp)))
    draft.hold("in" if resistance else PLUS, draft.amplifier.middle, "V_in", signal=1.0)
    if resistance:
        draft.add("R_in", Resistor(float(resistance)), "in", PLUS)
    draft.follow()
    return draft.circuit()


def measure_noise(
    op_amp: Any, *, gain_bandwidth: float, bias_current: float = 0.0, resistance: float = math.inf
) -> Noise:
    """Return the noise of an op-amp.

    The voltage's is fitted by white^2 (1 + corner/f) up to a hundredth of `gain_bandwidth`, Hz. For the current's a
    resistor stands before the input: `bias_current`, amperes, drops 50 mV on it at most, and it is a tenth at most of
    `resistance`, ohms between the inputs. Its own noise is taken off, and that of the voltage, which drives a current
    through the resistance between the inputs.
    """
    last = max(gain_bandwidth / BELOW_BANDWIDTH, 100.0 * FIRST)
    found = find_noise(noise_circuit(op_amp), OUT, "V_in", (FIRST, last))
    density: Array = np.real(found.voltage(OUT)) ** 2
    # Relative deviations count, so that both ends of the spectrum do.
    columns = np.stack((np.ones_like(density), 1.0 / found.axis), axis=1) / density[:, None]
    white, slope = np.linalg.lstsq(columns, np.ones_like(density), rcond=None)[0].tolist()
    voltage = math.sqrt(max(white, 0.0))
    corner = max(slope / white, 0.0) if white > 0.0 else math.inf
    ohms = min(MOST_OHMS, resistance / 10.0, MOST_VOLTS / abs(bias_current) if bias_current else math.inf)
    behind = find_noise(noise_circuit(op_amp, resistance=ohms), OUT, "V_in", (CURRENT_AT, 10.0 * CURRENT_AT))
    own = float(np.interp(CURRENT_AT, found.axis, density)) * (1.0 + ohms / resistance) ** 2
    left = float(np.real(behind.voltage(OUT)[0])) ** 2 - own - FOUR_K_T * ohms
    return Noise(voltage, corner, math.sqrt(max(left, 0.0)) / ohms)


def with_noise(op_amp: Any) -> OpAmp:
    """Return an op-amp whose macro-model makes noise."""
    chosen = under_test(op_amp).op_amp
    model = chosen.model
    return replace(chosen, model=replace(model, noise=True)) if isinstance(model, MacroModel) else chosen
