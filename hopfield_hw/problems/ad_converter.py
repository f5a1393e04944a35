"""Analog-to-digital conversion as the minimum of an energy (Tank and Hopfield, IEEE Trans. CAS-33:533, 1986)."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from ..functions import Logistic
from ..networks.network import Network
from ..values.arrays import Array, positive, whole

REFERENCE = 1.0  # volts: minus this, through a resistor, is the constant part of a bias
MOST_BITS = 12  # the conductances spread over 2^(2 bits)
# A bit counts as 0 or 1 within this part of its swing; codes in between are on their way.
CLEAR = 0.1
UNCLEAR = -1


def ad_converter(*, bits: int = 4, siemens: float = 1e-5, capacitance: Any = 1e-9, gain: float = 500.0) -> Network:
    """Return the converter of an input x, volts (one LSB is 1 V), into bits; neuron i is the bit of weight 2^i.

    T_ij = -2^(i+j) s, T_ii = 0;  I_i = (-2^(2i-1) + 2^i x) s;  outputs from 0 to 1 V  (eqs. 12 and 13)

    with s = `siemens`. Its energy is (x - sum_i 2^i V_i)^2 / 2 and a term that favours the corners. The leak is what
    those resistors add up to, 1/R_i = sum_j |T_ij| + 2^i s + 2^(2i-1) s, the last one from a reference of -1 V.
    `capacitance`: farads, one or (bits,). `gain`: the slope of the logistic curve at zero. u(0) = 0, as after a reset.

    The more bits, the more gain it takes to reach the rails, 8,000 at 8 bits, and the further off are the local minima
    in which conversions end: by one LSB of 4 bits at most, by 9 of 8 bits.

    Raises InputError for bits out of range and for values that are not positive.
    """
    n = whole(bits, "ad_converter.bits", 1, MOST_BITS)
    unit = float(positive(siemens, "ad_converter.siemens", shape=(), unit="S"))
    weight = 2.0 ** np.arange(n)
    synapses = -np.outer(weight, weight)
    np.fill_diagonal(synapses, 0.0)
    constant = 0.5 * weight**2
    total = -synapses.sum(axis=1) + weight + constant
    return Network(
        weights=synapses * unit,
        resistance=1.0 / (total * unit),
        capacitance=capacitance,
        gain=Logistic(gain=gain),
        bias=-REFERENCE * constant * unit,
        input_weights=(weight * unit)[:, np.newaxis],
        symmetric=True,
    )


def codes(output: Array) -> npt.NDArray[np.int64]:
    """Return the code of outputs (..., bits), volts; UNCLEAR where a bit is neither 0 nor 1."""
    bits = np.round(output)
    clear = np.all(np.abs(output - bits) <= CLEAR, axis=-1)
    value = bits @ (2.0 ** np.arange(output.shape[-1]))
    return np.where(clear, value, UNCLEAR).astype(np.int64)


def visited_codes(times: Array, output: Array, *, start: float, stop: float, dwell: float) -> tuple[int, ...]:
    """Return the codes that the outputs (times, bits) hold for `dwell` seconds, in order, between start and stop."""
    inside = (times >= start) & (times <= stop)
    t, code = times[inside], codes(output[inside])
    ends = np.flatnonzero(np.diff(code, append=UNCLEAR - 1))
    found: list[int] = []
    first = 0
    for last in ends.tolist():
        if code[first] != UNCLEAR and t[last] - t[first] >= dwell and code[first] not in found[-1:]:
            found.append(int(code[first]))
        first = last + 1
    return tuple(found)
