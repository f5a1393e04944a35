"""Diodes, transistors, OTAs and resistors that drift are in ngspice what their formulas say, at any temperature."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from scipy.optimize import brentq

from hopfield_hw.circuit import Circuit, Device, Origin, Role
from hopfield_hw.parts import (
    BZX84C6V2,
    D1N4148,
    LM13700,
    SSM2212,
    CurrentSource,
    Diode,
    Part,
    Resistor,
    Transistor,
    VoltageSource,
)
from hopfield_hw.spice.analyses import sweep
from hopfield_hw.spice.dialects import DIALECTS, find_dialect
from hopfield_hw.values.errors import InputError

ORIGIN = Origin("x", Role.FUNCTION, (0,))
BOLTZMANN = 1.380649e-23 / 1.602176634e-19


def thermal(temperature: float) -> float:
    return BOLTZMANN * (temperature + 273.15)


def saturation(at_room: float, temperature: float, emission: float = 1.0) -> float:
    """I_S (T/T0)^(XTI/N) exp((T/T0 - 1) EG / (N V_T)), as SPICE has it, with EG = 1.11 V and XTI = 3."""
    ratio = (temperature + 273.15) / 300.15
    return at_room * ratio ** (3.0 / emission) * math.exp((ratio - 1.0) * 1.11 / (emission * thermal(temperature)))


def place(*devices: tuple[str, Part, tuple[str, ...]]) -> Circuit:
    made = tuple(Device(name, part, nodes, ORIGIN) for name, part, nodes in devices)
    return Circuit(title="t", cell="c", graph_hash="0", devices=made, initial={}, states=(), outputs=())


def across(part: Part) -> Circuit:
    return place(("V_a", VoltageSource(0.0), ("a", "0")), ("D_1", part, ("a", "0")))


@pytest.mark.parametrize("temperature", [0.0, 27.0, 50.0])
def test_a_diode_is_the_equation_of_shockley_with_its_resistance(temperature: float) -> None:
    found = sweep(across(D1N4148), "V_a", (0.3, 0.8, 0.1), temperature=temperature)
    unit = D1N4148.emission * thermal(temperature)
    current = saturation(D1N4148.saturation_current, temperature, D1N4148.emission)

    def excess(i: float, volts: float) -> float:
        return current * math.expm1((volts - i * D1N4148.resistance) / unit) - i

    expected = [brentq(excess, 0.0, 1.0, args=(v,), xtol=1e-15) for v in found.axis]
    np.testing.assert_allclose(-found.current("V_a"), expected, rtol=2e-4)


@pytest.mark.parametrize("temperature", [0.0, 27.0, 50.0])
def test_a_zener_diode_breaks_down_at_its_voltage_which_drifts(temperature: float) -> None:
    zener = replace(BZX84C6V2, resistance=0.0)
    volts = zener.breakdown + zener.breakdown_drift * (temperature - 27.0)
    steps = 0.02
    found = sweep(across(zener), "V_a", (-volts + 2 * steps, -volts, -steps), temperature=temperature)
    expected = zener.breakdown_current * np.exp(-(found.axis + volts) / thermal(temperature))
    np.testing.assert_allclose(found.current("V_a"), expected, rtol=5e-3)


def test_a_resistor_drifts_by_its_coefficient() -> None:
    part = Resistor(1e3, drift=3.5e-3)
    for temperature in (0.0, 27.0, 50.0):
        found = sweep(across(part), "V_a", (1.0, 1.0, 1.0), temperature=temperature)
        expected = 1e-3 / (1.0 + 3.5e-3 * (temperature - 27.0))
        np.testing.assert_allclose(-found.current("V_a"), expected, rtol=1e-8)


def test_a_pnp_transistor_is_an_npn_turned_round() -> None:
    currents = []
    for polarity, sign in (("npn", 1.0), ("pnp", -1.0)):
        part = Transistor(80.0, 1e-14, 60.0, polarity)  # type: ignore[arg-type]
        circuit = place(
            ("V_b", VoltageSource(0.0), ("b", "0")),
            ("V_c", VoltageSource(sign * 3.0), ("c", "0")),
            ("Q_1", part, ("c", "b", "0")),
        )
        found = sweep(circuit, "V_b", (sign * 0.5, sign * 0.65, sign * 0.05))
        currents.append(sign * found.current("V_c"))
    np.testing.assert_allclose(currents[0], currents[1], rtol=1e-8)
    assert bool(np.all(-currents[0] > 0.0))


@pytest.mark.parametrize("temperature", [27.0, 50.0])
def test_an_ota_is_a_tanh_of_its_bias_current(temperature: float) -> None:
    bias = 1e-4
    circuit = place(
        ("V_p", VoltageSource(10.0), ("vp", "0")),
        ("V_n", VoltageSource(-10.0), ("vn", "0")),
        ("V_a", VoltageSource(0.0), ("a", "0")),
        ("I_b", CurrentSource(bias), ("0", "b")),
        ("V_o", VoltageSource(0.0), ("o", "0")),
        ("X_1", LM13700, ("a", "0", "b", "o", "vp", "vn")),
    )
    found = sweep(circuit, "V_a", (-0.2, 0.2, 0.01), temperature=temperature)
    ideal = bias * np.tanh(found.axis / (2.0 * thermal(temperature)))
    # Three mirrors with a junction across one of their two transistors each lose V_BE / V_A.
    assert np.max(np.abs(found.current("V_o") - 0.986 * ideal)) < 4e-3 * bias
    assert found.current("V_o")[-1] > 0.0


def test_the_sheets_transconductance_of_an_lm13700_is_that_of_its_bias() -> None:
    assert 500e-6 / (2.0 * thermal(27.0)) == pytest.approx(9.6e-3, rel=0.01)


@pytest.mark.parametrize("dialect", DIALECTS)
def test_models_stand_once_for_equal_parts_in_every_dialect(dialect: str) -> None:
    circuit = place(
        ("V_a", VoltageSource(0.0), ("a", "0")),
        ("D_1", D1N4148, ("a", "0")),
        ("D_2", replace(D1N4148, product="1N914"), ("0", "a")),
        ("D_3", BZX84C6V2, ("a", "0")),
        ("Q_1", SSM2212, ("a", "a", "0")),
        ("X_1", LM13700, ("a", "a", "a", "a", "a", "0")),
    )
    lines = find_dialect(dialect).write(circuit).split("\n")
    models = [line for line in lines if line.startswith(".model")]
    assert len(models) == len(set(models)) == 5
    assert ".model diode_2p52em09_1p752_0p568_4em12_0p005_0_1_inf D(IS=2.52e-09 N=1.752 RS=0.568 CJO=4e-12)" in models
    drift = "TCV=-0.00205" if dialect == "ngspice" else "TBV1=0.0003306451612903"
    zener = f"D(IS=1e-10 N=1.5 RS=2 CJO=1.5e-10 BV=6.2 IBV=0.005 NBV=1 {drift})"
    assert any(line.endswith(zener) for line in models)
    assert ".subckt ota_600_60_1em15_100 plus minus bias output supply_plus supply_minus" in lines
    conducting = " IC=-0.65,-1" if dialect == "ngspice" else ""
    assert f"Q_up_in left up_base supply_plus pnp_60_1em15_100{conducting}" in lines


@pytest.mark.parametrize(
    ("part", "message"),
    [
        (Diode(saturation_current=0.0), "device D_1: saturation_current = 0.0 A: must be positive and finite"),
        (Diode(saturation_current=1e-9, resistance=-1.0), "device D_1: resistance = -1.0: must not be negative"),
        (Diode(saturation_current=1e-9, capacitance=-1.0), "device D_1: capacitance = -1.0: must not be negative"),
        (
            Diode(saturation_current=1e-9, breakdown=-5.0),
            "device D_1: breakdown = -5.0 V: must be positive, or infinite",
        ),
        (Resistor(1.0, drift=math.nan), "device D_1: drift = nan 1/K: must be finite"),
    ],
)
def test_wrong_parameters_are_refused_by_the_name_of_the_device(part: Part, message: str) -> None:
    with pytest.raises(InputError) as error:
        across(part)
    assert str(error.value) == message


def test_a_polarity_is_npn_or_pnp() -> None:
    with pytest.raises(InputError) as error:
        place(("Q_1", Transistor(80.0, 1e-14, 60.0, "nmos"), ("a", "b", "0")))  # type: ignore[arg-type]
    assert str(error.value) == "device Q_1: polarity = 'nmos': must be npn or pnp"
