"""Verification in our own engine, and in both simulators, held against each other."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

import hopfield_hw as hh
from hopfield_hw.circuit import Circuit, Device, Origin, Role
from hopfield_hw.graph import Graph
from hopfield_hw.parts import OpAmp, Resistor, VoltageGain
from hopfield_hw.values.errors import InputError
from hopfield_hw.verification import Verification, simulators, verify_circuit

NETWORK = hh.Network(
    weights=[[0.0, -6e-5], [-6e-5, 0.0]],
    resistance=1e4,
    capacitance=1e-8,
    gain=hh.Tanh(gain=3.0),
    initial=[0.3, 0.2],
    bias=[1e-6, 0.0],
)
T_STOP = 2e-3


def changed(circuit: Circuit, change: Callable[[Device], Device]) -> Circuit:
    return replace(circuit, devices=tuple(map(change, circuit.devices)))


def judge(circuit: Circuit) -> Verification:
    graph: Graph = NETWORK.graph()
    return verify_circuit(graph, circuit, engine="ensemble", t_stop=T_STOP)


@pytest.mark.parametrize("cell", ["ideal", "inverting_integrator", "gm_c"])
def test_our_own_engine_passes_what_is_right(cell: str) -> None:
    found = hh.verify(NETWORK, cell=cell, engine="ensemble", t_stop=T_STOP)
    assert (found.verdict, found.engine, found.apart) == ("passed", "ensemble", None)
    assert found.nrmse < found.tolerance
    assert found.starts == 2
    assert {"compile", "reference", "ensemble", "evidence"} == set(found.seconds)
    assert ("engine", f"ensemble {hh.__version__}") in found.rows()


def test_a_resistor_that_is_off_is_found_and_named() -> None:
    right = hh.lower(NETWORK, cell="inverting_integrator")

    def wrong(device: Device) -> Device:
        if device.name != "R_syn_0_1" or not isinstance(device.part, Resistor):
            return device
        return device._replace(part=Resistor(1.01 * device.part.resistance))

    found = judge(changed(right, wrong))
    assert found.verdict == "failed"
    assert "R_syn_0_1" in found.suspects[0].devices


def test_exchanged_inputs_are_found_though_the_waveforms_agree() -> None:
    right = hh.lower(NETWORK, cell="inverting_integrator")

    def turn(device: Device) -> Device:
        if device.name != "E_x_0" or not isinstance(device.part, OpAmp):
            return device
        plus, minus, *rest = device.nodes
        return device._replace(nodes=(minus, plus, *rest))

    found = judge(changed(right, turn))
    assert found.nrmse < found.tolerance
    assert found.verdict == "failed"
    assert found.reasons == ("E_x_0: inputs exchanged; with a pole and rails it runs to a rail",)


def test_an_op_amp_of_ones_own_between_two_nodes_leaves_it_undecided() -> None:
    right = hh.lower(NETWORK, cell="inverting_integrator")
    origin = Origin("x", Role.FUNCTION, (0,))
    more = (
        Device("E_own", VoltageGain(1e3), ("far", "near", "near", "0"), origin),
        Device("R_far", Resistor(1e3), ("far", "0"), origin),
        Device("R_near", Resistor(1e3), ("near", "0"), origin),
    )
    found = judge(replace(right, devices=(*right.devices, *more)))
    assert found.verdict == "undecided"
    assert found.reasons[0].startswith("whether inputs of op-amps are exchanged could not be told: E_own are steep")


@pytest.mark.usefixtures("ngspice")
def test_both_agree_with_the_equation_and_with_each_other() -> None:
    found = hh.verify(NETWORK, cell="inverting_integrator", engine="both", t_stop=T_STOP)
    assert found.verdict == "passed"
    assert found.apart is not None
    assert 0.0 < found.apart < 2.0 * found.tolerance
    assert found.engine.startswith("ngspice ")
    assert found.engine.endswith(f" and ensemble {hh.__version__}")
    assert ("between both", f"NRMSE {found.apart:.1e}") in found.rows()


@pytest.mark.usefixtures("ngspice")
def test_one_that_is_wrong_fails_both(monkeypatch: pytest.MonkeyPatch) -> None:
    run = simulators.simulate

    def wrong(*given: Any, **how: Any) -> Any:
        wave = run(*given, **how)
        wave["state"] = wave["state"] * np.linspace(1.0, 1.01, wave.sizes["time"])[:, np.newaxis]
        return wave

    monkeypatch.setattr(simulators, "simulate", wrong)
    found = hh.verify(NETWORK, engine="both", t_stop=T_STOP)
    assert found.verdict == "failed"
    assert found.reasons[0].startswith("ensemble: NRMSE ")


def test_bad_input() -> None:
    with pytest.raises(InputError, match=r"^verify: `engine` = 'spice': must be ngspice, ensemble or both$"):
        hh.verify(NETWORK, engine="spice", t_stop=T_STOP)  # type: ignore[arg-type]
    with pytest.raises(InputError, match=r"^verify: `engine` = 'both': a deck is read by ngspice alone; leave"):
        hh.verify(NETWORK, engine="both", deck="* nothing", t_stop=T_STOP)


@pytest.mark.parametrize(
    "name",
    ["delayed_inhibition", "echoing_pair", "growing_delay", "sequence_memory", "two_delays", "chaotic_neurons"],
)
def test_designs_with_a_past_are_verified_by_our_own_engine(name: str) -> None:
    """Outputs at t = 0 are those of the start, and what jumps where a delay ends does so between two points."""
    pytest.importorskip("numba")
    design = hh.load_design(name)
    result = hh.verify(design.network, engine="ensemble", t_stop=design.t_stop, inputs=design.inputs)
    assert result.passed, result.reasons
