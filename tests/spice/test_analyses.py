"""Balance, sweeps, small signals and noise of a circuit, against closed forms."""

from __future__ import annotations

import math

import numpy as np
import pytest

from hopfield_hw.circuit import Circuit, Device, Origin, Role
from hopfield_hw.parts import Capacitor, Part, Resistor, VoltageSource
from hopfield_hw.spice.analyses import find_balance, find_noise, respond, run_transient, sweep
from hopfield_hw.values.errors import InputError

BOLTZMANN, KELVIN = 1.380649e-23, 273.15


def device(name: str, part: Part, *nodes: str) -> Device:
    return Device(name, part, nodes, Origin("bench", Role.INPUT, ()))


def divider(volts: float = 1.0, alternating: float = 1.0) -> Circuit:
    """1 kOhm, and 1 kOhm beside 1 nF to ground: a divider by two with a pole at 1/(2 pi 500 Ohm 1 nF)."""
    devices = (
        device("V_in", VoltageSource(volts, alternating), "a", "0"),
        device("R_1", Resistor(1e3), "a", "b"),
        device("R_2", Resistor(1e3), "b", "0"),
        device("C_1", Capacitor(1e-9), "b", "0"),
    )
    return Circuit(title="divider", cell="bench", graph_hash="", devices=devices, initial={}, states=(), outputs=())


def test_balance() -> None:
    found = find_balance(divider(3.0))
    assert found.voltage("B") == pytest.approx([1.5], rel=1e-9)
    assert found.current("V_in") == pytest.approx([-1.5e-3], rel=1e-9)


def test_sweep() -> None:
    found = sweep(divider(), "V_in", (-1.0, 1.0, 0.5))
    np.testing.assert_allclose(found.axis, [-1.0, -0.5, 0.0, 0.5, 1.0], atol=1e-12)
    np.testing.assert_allclose(found.voltage("b"), found.axis / 2.0, atol=1e-9)


def test_response() -> None:
    found = respond(divider(), (1e3, 1e7), points=3)
    expected = 0.5 / (1.0 + 2j * math.pi * found.axis * 500.0 * 1e-9)
    np.testing.assert_allclose(found.voltage("b"), expected, rtol=1e-6)


@pytest.mark.parametrize("temperature", [27.0, 77.0])
def test_noise_is_that_of_the_resistance(temperature: float) -> None:
    found = find_noise(divider(), "b", "V_in", (1.0, 1e2), temperature=temperature)
    assert found.voltage("b")[0] == pytest.approx(math.sqrt(4.0 * BOLTZMANN * (temperature + KELVIN) * 500.0), rel=1e-3)


def test_transient() -> None:
    found = run_transient(divider(), 3e-6, initial={"b": 0.0})
    expected = 0.5 * (1.0 - np.exp(-found.axis / 0.5e-6))
    np.testing.assert_allclose(found.voltage("b"), expected, atol=2e-5)
    assert found.axis[-1] == pytest.approx(3e-6)


def test_bad_input() -> None:
    with pytest.raises(InputError, match=r"^`source` = 'R_1': is a resistor, must be a voltage source$"):
        sweep(divider(), "R_1", (0.0, 1.0, 0.1))
    with pytest.raises(InputError, match=r"^sweep: from 0 V to 1 V by -0.1 V: must be finite, with a step that leads$"):
        sweep(divider(), "V_in", (0.0, 1.0, -0.1))
    with pytest.raises(InputError, match=r"^respond: no voltage source drives it; set `alternating` of one, 1 V for"):
        respond(divider(alternating=0.0), (1.0, 10.0))
    with pytest.raises(InputError, match=r"^`frequencies` = 10 Hz to 1 Hz: must increase$"):
        respond(divider(), (10.0, 1.0))
    with pytest.raises(InputError, match=r"^`temperature` = -300: must be degrees Celsius, above -273.15$"):
        find_balance(divider(), temperature=-300)
    with pytest.raises(InputError, match=r"^analysis: has no 'v\(c\)'; it has v\(a\), v\(b\), i\(v_in\)$"):
        find_balance(divider()).voltage("c")
