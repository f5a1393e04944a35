"""Samples of a circuit at once: the numbers of their elements are those of each circuit alone."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from small_circuits import circuit

import hopfield_hw as hh
from hopfield_hw.circuit import Circuit, Ensemble
from hopfield_hw.ensemble.equations.system import System, build_system
from hopfield_hw.parts import Capacitor, Diode, Resistor, VoltageSource
from hopfield_hw.parts.parameters import Parameter
from hopfield_hw.simulation import simulate
from hopfield_hw.tolerance.distributions import Normal
from hopfield_hw.tolerance.draws import Draws, draw_factors
from hopfield_hw.tolerance.tolerances import Rule, Tolerances
from hopfield_hw.values.errors import InputError

SAMPLES = 4
# Offsets are 0 in the nominal circuit; the currents of outputs are solved for, in each sample.
EVERYTHING = Tolerances(
    resistors=0.05,
    capacitors=0.1,
    offset=1e-3,
    op_amps=dict.fromkeys(("gain_bandwidth", "slew_rate", "gain", "supply_current", "output_resistance"), 0.1),
)
OFFSETS = Tolerances(resistors=0.05, offset=1e-3, op_amps={"gain_bandwidth": 0.1, "slew_rate": 0.1, "gain": 0.1})


def drawn(tolerances: Tolerances, cell: Any) -> Draws:
    network = hh.Network(
        weights=[[0.0, -1e-4], [-1e-4, 0.0]],
        resistance=1e4,
        capacitance=1e-8,
        gain=hh.Tanh(gain=3.0),
        initial=[0.1, 0.2],
    )
    return draw_factors(hh.lower(network, cell=cell), tolerances, seed=3, samples=SAMPLES)


def numbers_of(system: System) -> list[np.ndarray[Any, Any]]:
    return [system.linear.values, system.rates.values, *(group.numbers for group in system.groups), system.start]


def assert_same(ensemble: Ensemble, circuits: list[Circuit]) -> None:
    together = build_system(ensemble)
    assert together.samples == len(circuits)
    for k, one in enumerate(circuits):
        alone = build_system(Ensemble.of([one]))
        for every, its in zip(numbers_of(together), numbers_of(alone), strict=True):
            np.testing.assert_allclose(every[..., k], its[..., 0], rtol=1e-12, atol=0.0)


@pytest.mark.parametrize("tolerances", [EVERYTHING, OFFSETS], ids=["by sample", "by symbols"])
@pytest.mark.parametrize("op_amp", ["TL074", "one_pole"])
def test_the_numbers_are_those_of_each_circuit_alone(tolerances: Tolerances, op_amp: str) -> None:
    if op_amp == "one_pole":
        tolerances = Tolerances(resistors=0.05, capacitors=0.1, offset=1e-3, op_amps={"gain": 0.5})
    draws = drawn(tolerances, hh.cells.InvertingIntegrator(op_amp=op_amp))
    circuits = [draws.circuit(k) for k in draws.samples]
    assert_same(draws.ensemble, circuits)
    assert_same(Ensemble.of(circuits), circuits)
    assert draws.ensemble[2].netlist() == circuits[2].netlist() == Ensemble.of(circuits)[2].netlist()


def small(diode: Diode, volts: Any, capacitance: float = 1e-9, start: float = 0.0) -> Circuit:
    made = circuit(
        ("V_in", VoltageSource(volts), ("in", "0")),
        ("R", Resistor(1e3), ("in", "out")),
        ("D", diode, ("out", "0")),
        ("C", Capacitor(capacitance), ("out", "0")),
    )
    return replace(made, initial={"out": start})


def test_diodes_and_starts_may_differ() -> None:
    circuits = [
        small(Diode(saturation_current=1e-14), 1.0),
        small(Diode(saturation_current=2e-14), 1.0, 2e-9, 0.5),
        small(Diode(saturation_current=3e-14, emission=1.5), 1.0, 1e-9, 0.25),
    ]
    assert_same(Ensemble.of(circuits), circuits)
    np.testing.assert_array_equal(Ensemble.of(circuits).initial["out"], [0.0, 0.5, 0.25])


def test_constant_sources_may_differ() -> None:
    """A divider in each sample: half of what its source gives."""
    dividers = [
        circuit(
            ("V_in", VoltageSource(volts), ("in", "0")),
            ("R_1", Resistor(1e3), ("in", "out")),
            ("R_2", Resistor(1e3), ("out", "0")),
            ("C", Capacitor(1e-9), ("out", "0")),
        )
        for volts in (1.0, -2.0, 5.0)
    ]
    found = simulate(dividers, engine="ensemble", t_stop=1e-4, points=21)["state"].to_numpy()
    np.testing.assert_allclose(found[:, -1, 0], [0.5, -1.0, 2.5], rtol=1e-4)


def test_other_structures_are_refused() -> None:
    with pytest.raises(InputError, match=r"^ensemble: device D is made of other elements than in the first circuit"):
        build_system(
            Ensemble.of(
                [
                    small(Diode(saturation_current=1e-14), 1.0),
                    small(Diode(saturation_current=1e-14, breakdown=5.0), 1.0),
                ]
            )
        )
    with pytest.raises(InputError, match=r"^ensemble: device V_in has another waveform than in the first circuit"):
        build_system(
            Ensemble.of(
                [
                    small(Diode(saturation_current=1e-14), 1.0),
                    small(Diode(saturation_current=1e-14), ((0.0, 1.0), (1.0, 2.0))),
                ]
            )
        )


def test_bad_values_are_refused_at_the_door() -> None:
    made = small(Diode(saturation_current=1e-14), 1.0)
    resistance = Parameter("resistance")
    with pytest.raises(InputError, match=r"'a small circuit' has no device 'X'; `trace` takes a name from the"):
        Ensemble(circuit=made, size=1, values={"X": {resistance: np.ones(1)}})
    with pytest.raises(InputError, match=r"^ensemble: device C: a capacitor has no parameter 'resistance'$"):
        Ensemble(circuit=made, size=1, values={"C": {resistance: np.ones(1)}})
    with pytest.raises(InputError, match=r"^`ensemble: R.resistance` has shape \(2,\): must have shape \(3,\)$"):
        Ensemble(circuit=made, size=3, values={"R": {resistance: np.ones(2)}})
    with pytest.raises(InputError, match=r"^device R: resistance = -1.0 Ohm: must be positive and finite$"):
        Ensemble(circuit=made, size=2, values={"R": {resistance: np.array([1.0, -1.0])}})
    with pytest.raises(InputError, match=r"^ensemble: device R: has 1 parts for 2 samples$"):
        Ensemble(circuit=made, size=2, parts={"R": (Resistor(1.0),)})


def test_a_rule_may_draw_any_parameter() -> None:
    rules = (Rule(kind="op_amp", parameter="bias_current", distribution=Normal(tolerance=1e-12, unit="A")),)
    draws = drawn(Tolerances(rules=rules), hh.cells.InvertingIntegrator(op_amp="TL074"))
    assert_same(draws.ensemble, [draws.circuit(k) for k in draws.samples])
