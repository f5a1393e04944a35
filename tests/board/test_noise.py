"""Noise of boards: k T / C, the linear equation against `.noise` and against a transient with sources of noise."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

import hopfield_hw as hh
from hopfield_hw.board import Board, board_noise, design_board, simulate_noise
from hopfield_hw.board.noise import SUPPLY, _find_rest, _white
from hopfield_hw.circuit import Circuit, Device, Origin, Role
from hopfield_hw.ensemble.analyses.stochastic import linearise
from hopfield_hw.parts import Capacitor, Resistor
from hopfield_hw.parts.data_sheet import find_data_sheet
from hopfield_hw.spice.analyses import find_noise
from hopfield_hw.values.errors import InputError
from hopfield_hw.values.physics import BOLTZMANN, ROOM_KELVIN

pytestmark = pytest.mark.usefixtures("ngspice")
TL074 = find_data_sheet("TL074").model()


@pytest.fixture(scope="module")
def board(ngspice: Any) -> Board:
    network = hh.Network(
        weights=[[0.0, -1e-4, 2e-5], [-1e-4, 0.0, 0.0], [2e-5, 0.0, 0.0]],
        resistance=1e4,
        capacitance=1e-8,
        gain=hh.Tanh(gain=3.0),
        initial=[0.02, -0.02, 0.0],
        bias=[1e-6, -1e-6, 0.0],
    )
    return design_board(network, t_stop=1e-3)


def test_a_resistor_with_a_capacitor_has_k_t_by_c() -> None:
    """Whatever the resistors, which share its power by their conductances."""
    origin = Origin("x", Role.RESISTANCE, (0,))
    parts: list[tuple[str, Any, tuple[str, str]]] = [
        ("R_1", Resistor(1e4), ("a", "0")),
        ("R_2", Resistor(3e6), ("a", "0")),
        ("C_1", Capacitor(3e-12), ("a", "0")),
    ]
    devices = tuple(Device(name, part, nodes, origin) for name, part, nodes in parts)
    circuit = Circuit(title="rc", cell="rc", graph_hash="", devices=devices, initial={}, states=(), outputs=())
    linear = linearise(circuit, {"a": 0.0})
    np.testing.assert_allclose(linear.voltage_covariance(["a"]), [[BOLTZMANN * ROOM_KELVIN / 3e-12]], rtol=1e-12)
    resistance = 1.0 / (1e-4 + 1.0 / 3e6)
    low = math.sqrt(4.0 * BOLTZMANN * ROOM_KELVIN * resistance)
    corner = 1.0 / (2.0 * math.pi * resistance * 3e-12)
    np.testing.assert_allclose(linear.density("a", np.array([0.0, corner])), [low, low / math.sqrt(2.0)], rtol=1e-12)
    assert linear.shares("a")["R_1"] == pytest.approx(1e-4 * resistance, rel=1e-12)


def test_a_neuron_alone_with_op_amps_without_noise_has_k_t_by_c() -> None:
    quiet = replace(TL074, voltage_noise=0.0, current_noise=0.0)
    network = hh.Network(weights=[[0.0]], resistance=1e5, capacitance=1e-8, gain=hh.Tanh(gain=1.0), initial=[0.1])
    board = design_board(network, op_amp=quiet, amplifier="exact")
    found = board_noise(board)
    np.testing.assert_allclose(found.rms, np.sqrt(BOLTZMANN * ROOM_KELVIN / board.realised.capacitance), rtol=1e-3)
    assert found.shares(0)["R_x_0"] == pytest.approx(1.0)


@pytest.mark.parametrize(
    ("amplifier", "gain"),
    [
        ("differential_pair", hh.Tanh(gain=3.0)),
        ("ota", hh.Tanh(gain=3.0)),
        ("zener_clamp", hh.PiecewiseLinear(gain=3.0)),
    ],
)
def test_densities_are_those_of_ngspice(amplifier: str, gain: Any) -> None:
    """To 1e-3 below the bandwidth, beyond which resistors that only compute make noise in ngspice alone."""
    network = hh.Network(
        weights=[[5e-5, -1e-4], [-1e-4, 0.0]], resistance=1e4, capacitance=1e-8, gain=gain, initial=[0.2, -0.2]
    )
    rest = _find_rest(design_board(network, amplifier=amplifier, t_stop=1e-3), None, "test")
    noisy = replace(rest.circuit, devices=tuple(_white(d.part, d) for d in rest.circuit.devices))
    for node in ("xn_0", "v_1"):
        found = find_noise(noisy, node, SUPPLY, (1.0, 0.1 * TL074.gain_bandwidth), guess=rest.volts)
        np.testing.assert_allclose(rest.linear.density(node, found.axis), np.real(found.voltage(node)), rtol=1e-3)


def test_rms_is_that_of_ngspice(board: Board) -> None:
    equation, ngspice = board_noise(board), board_noise(board, engine="ngspice")
    np.testing.assert_allclose(ngspice.rms, equation.rms, rtol=0.05)
    np.testing.assert_array_equal(equation.rest, ngspice.rest)
    assert sum(equation.shares(0).values()) == pytest.approx(1.0)
    assert "made by" in str(equation)


def test_a_transient_with_sources_of_noise_has_the_predicted_rms() -> None:
    network = hh.Network(weights=[[5e-5]], resistance=1e4, capacitance=1e-8, gain=hh.Tanh(gain=2.5), initial=[0.1])
    one = design_board(network, amplifier="exact")
    found = simulate_noise(one, seed=3, periods=60)
    np.testing.assert_allclose(found.rms, found.predicted, rtol=4.0 * found.error)
    louder = simulate_noise(one, seed=3, periods=60, amplified=2.0)
    np.testing.assert_allclose(louder.rms, 2.0 * found.rms, rtol=0.02)


def test_an_equilibrium_that_is_not_stable_is_refused(board: Board) -> None:
    with pytest.raises(InputError, match=r"^board_noise: `at` = \[.*\] V is no stable equilibrium: a deviation grows"):
        board_noise(board, at=[0.0, 0.0, 0.0])


def test_bad_arguments_are_refused(board: Board) -> None:
    with pytest.raises(InputError, match=r"^board_noise: `engine` = 'spice': must be equation or ngspice$"):
        board_noise(board, engine="spice")  # type: ignore[arg-type]
    with pytest.raises(InputError, match=r"^board_noise: list: must be a Board, as design_board returns$"):
        board_noise([])  # type: ignore[arg-type]
    with pytest.raises(InputError, match=r"`at`"):
        board_noise(board, at=[0.0])
    with pytest.raises(InputError, match=r"^board_noise: `at`: the nearest equilibrium that ngspice finds is"):
        board_noise(board, at=[4.0, 4.0, 9.0])
    with pytest.raises(InputError, match=r"`neuron`"):
        board_noise(board).density(3, 1.0)
