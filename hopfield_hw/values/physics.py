"""Constants of nature (exact, SI 2019), and the temperature that the figures of parts are stated at."""

from __future__ import annotations

BOLTZMANN, CHARGE = 1.380649e-23, 1.602176634e-19  # J/K, C
ROOM = 27.0  # degrees Celsius: that of the models of SPICE
ROOM_KELVIN = ROOM + 273.15
THERMAL = BOLTZMANN * ROOM_KELVIN / CHARGE  # k T / q there, volts
FOUR_K_T = 4.0 * BOLTZMANN * ROOM_KELVIN  # there, joules: of the density of a resistor's noise
