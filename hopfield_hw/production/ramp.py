"""Where the ramp of the supplies leaves drawn boards: the nominal board's ramp in ngspice, and each board's equation.

While op-amps sleep, the charge of each capacitor is that of the nominal board, C_n X_n(t); once the integrators hold
their summing nodes, C_d X_d = C_n X_n(t) + E with E = -C_d V at first, V the integrator's offset beyond its nominal,

    dE/dt = W_d v_d - W_n g_n r + b_d - b_n - X_d / R_d + X_n / R_n,    v_d = r (g_d(X_d) - d) + d,

d for drawn and n for nominal, r(t) the slope of the amplifiers on the supplies of that time as a part of the full one,
and the number d what the offsets of the amplifiers' own op-amps add, which no supply scales. It needs amplifiers whose
curve follows the supplies as r g, as differential pairs do whose tail current is from the reference.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
from scipy.integrate import solve_ivp

from ..benches.gain_curves import cut_bench
from ..board.design import Board
from ..circuit import Circuit, Device, Role
from ..graph import Activate, Graph, Leak
from ..parts import OpAmp, VoltageSource
from ..spice.analyses import run_transient
from ..tolerance.draws import Draws
from ..values.arrays import Array
from ..values.errors import AccuracyError
from ..values.physics import ROOM
from .samples import Maker

SOURCES = ("V_supply_plus", "V_supply_minus", "V_reference_set", "V_reference_p", "V_reference_n")
AWAKE = 0.05  # of the supplies: where a ramp starts, as no model of an op-amp knows less
HOLDS = 1e-3  # of the supply: how near its reference an integrator that is awake holds its summing node
LEVELS = tuple(0.05 * k for k in range(2, 21))  # of the supplies: where the slope of an amplifier is measured, 0 below
NEAR = 0.02  # of the x at which an amplifier saturates: where its slope is measured
RTOL, ATOL = 1e-5, 1e-7
FEWEST = 200


def with_ramp(circuit: Circuit, seconds: float) -> Circuit:
    """Return the circuit with supplies and reference that rise within so many seconds, from 5% of them on."""
    found = _with_sources(circuit, lambda volts: ((0.0, AWAKE * volts), (float(seconds), volts)))
    return replace(found, initial=dict.fromkeys(circuit.initial, 0.0))


def states_after_ramp(board: Board, maker: Maker, draws: Draws, seconds: float, accuracy: float) -> Array:
    """Return the states of drawn boards at the end of a ramp of so many seconds, (S, n), volts.

    One run of the nominal board in ngspice, of that accuracy, and one integration of all drawn boards; the parts that
    `draws` varies are those of `maker`. Raises SimulatorError as `run_transient` does, and AccuracyError where the
    integrator gives up.
    """
    circuit = with_ramp(draws.variation.circuit, seconds).driven(board.inputs)
    drawn, nominal = maker.make(draws.values), maker.make(maker.nominal[np.newaxis])
    graph = circuit.graph
    assert isinstance(graph, Graph)
    leak = graph.of_type(Leak)[0].name
    integrators = [circuit.devices_from(leak, (k,), Role.OP_AMP)[0] for k in range(board.network.size)]
    nodes = [*(p.node for p in circuit.states), *(d.nodes[1] for d in integrators)]
    run = run_transient(
        circuit, seconds, initial=circuit.initial, probes=tuple(f"v({n})" for n in nodes), accuracy=accuracy
    )
    volts = np.stack([np.real(run.voltage(node)) for node in nodes], axis=1)
    n = len(integrators)
    states, summing = volts[:, :n] * [p.scale for p in circuit.states], volts[:, n:]
    sleeping = np.flatnonzero(np.max(np.abs(summing - summing[-1]), axis=1) > HOLDS * board.model.supply_plus)
    first = min(int(sleeping[-1]) + 1, len(run.axis) - 1) if sleeping.size else 0
    columns = {(c.device, c.parameter.name): k for k, c in enumerate(draws.variation.columns)}
    error = np.zeros(drawn.current.shape)
    for k, device in enumerate(integrators):
        column = columns.get((device.name, "offset"))
        if column is not None:
            error[:, k] = -drawn.capacitance[:, k] * (draws.values[:, column] - maker.nominal[column])
    passive = draws.values.copy()
    active = [k for k, c in enumerate(draws.variation.columns) if isinstance(circuit.device(c.device).part, OpAmp)]
    passive[:, active] = maker.nominal[active]
    added = drawn.level - maker.make(passive).level
    scales, levels = _scales(draws.variation.circuit, maker), np.array([0.0, *LEVELS])
    charge = nominal.capacitance * states

    def derivative(t: float, flat: Array) -> Array:
        level = AWAKE + (1.0 - AWAKE) * t / seconds
        scale = np.array([np.interp(level, levels, row) for row in scales])
        at = np.array([[np.interp(t, run.axis, column) for column in charge.T]])
        x, usual = (at + flat.reshape(error.shape)) / drawn.capacitance, at / nominal.capacitance
        v, its = scale * (drawn.outputs(x) - added) + added, scale * nominal.outputs(usual)
        into = np.einsum("sij,sj->si", drawn.weights, v) - its @ nominal.weights[0].T
        constant = drawn.drive(board.inputs, t) - nominal.drive(board.inputs, t)
        return np.asarray((into + constant - drawn.leak * x + nominal.leak * usual).reshape(-1))

    begin = float(run.axis[first])
    if begin >= seconds:
        return np.asarray((charge[-1] + error) / drawn.capacitance)
    found = solve_ivp(
        derivative,
        (begin, seconds),
        error.reshape(-1),
        rtol=RTOL,
        atol=ATOL * drawn.span * float(nominal.capacitance.min()),
        max_step=seconds / FEWEST,
    )
    if not found.success:
        raise AccuracyError(f"states_after_ramp: {found.message}")
    return np.asarray((charge[-1] + found.y[:, -1].reshape(error.shape)) / drawn.capacitance)


def _with_sources(circuit: Circuit, wave: Callable[[float], float | tuple[tuple[float, float], ...]]) -> Circuit:
    """Return the circuit with other voltages of its supplies and references, each from its constant one."""

    def changed(device: Device) -> Device:
        part = device.part
        if device.name not in SOURCES or not isinstance(part, VoltageSource) or not isinstance(part.voltage, float):
            return device
        return device._replace(part=VoltageSource(wave(part.voltage)))

    return replace(circuit, devices=tuple(changed(device) for device in circuit.devices))


def _scales(circuit: Circuit, maker: Maker) -> Array:
    """Return the slopes of the amplifiers on 0 and each of LEVELS of their supplies, of the full one, (n, levels)."""
    graph = circuit.graph
    assert isinstance(graph, Graph)
    (activate,) = graph.of_type(Activate)
    kinds = maker.changes.kinds
    found = []
    for kind in range(len(maker.changes.curves)):
        slopes = [0.0]
        for level in LEVELS:
            bench = cut_bench(_with_sources(circuit, level.__mul__), element=kinds.index(kind), activate=activate.name)
            x, v = bench.sweep(-NEAR * bench.unit, NEAR * bench.unit, 2, ROOM)
            slopes.append(max(float((v[-1] - v[0]) / (x[-1] - x[0])), 0.0))
        found.append(slopes)
    table = np.array(found)
    return np.asarray((table / table[:, -1:])[list(kinds)])
