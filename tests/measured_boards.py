"""Boards that stand for built ones: drawn parts, one planted fault, run in ngspice, read with a noisy instrument."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import NamedTuple

import numpy as np

import hopfield_hw as hh
from hopfield_hw.bringup import BringUp, bring_up
from hopfield_hw.bringup.runs import LATE, SAMPLES, apply_start
from hopfield_hw.circuit import Circuit
from hopfield_hw.parts import Capacitor, OpAmp
from hopfield_hw.production.circuit_faults import list_faults
from hopfield_hw.spice.analyses import run_transient
from hopfield_hw.tolerance.draws import draw

NOISE = 0.01
PATTERNS = {
    4: np.array([[1, 1, -1, -1], [1, -1, 1, -1]]),
    8: np.array([[1, 1, 1, 1, -1, -1, -1, -1], [1, -1, 1, 1, -1, 1, -1, -1], [1, 1, -1, -1, 1, 1, -1, -1]]),
}
KINDS = ("open", "short", "decade", "inputs", "dead")


class Planted(NamedTuple):
    """A fault of a built board: its kind, the devices at fault, in words, and what makes it of a circuit."""

    kind: str
    devices: tuple[str, ...]
    words: str
    change: Callable[[Circuit], Circuit]


def memory_board(size: int) -> hh.Board:
    """Return a memory of few patterns in TL074 and differential pairs, by Hebb's rule without a diagonal."""
    patterns = PATTERNS[size]
    weights = 2e-5 * (patterns.T @ patterns) / size
    np.fill_diagonal(weights, 0.0)
    network = hh.Network(
        weights=weights, resistance=1e5, capacitance=1e-9, gain=hh.Tanh(gain=8.0), initial=0.1 * patterns[0]
    )
    return hh.design_board(network, op_amp="TL074", force=True, title=f"memory of {size}")


def memory_table(size: int, samples: int) -> BringUp:
    """Return what such a board should measure, from each of its patterns."""
    made = memory_board(size)
    starts = {f"pattern {k}": 0.9 * pattern for k, pattern in enumerate(PATTERNS[size])}
    return bring_up(made, starts=starts, samples=samples)


def draw_fault(board: hh.Board, kind: str, random: np.random.Generator) -> Planted:
    """Return a fault of a kind in a part drawn at random among all that can have it.

    Of capacitors only shorts are drawn: a wrong or missing one changes no voltage at rest.
    """
    circuit = board.circuit
    if kind == "inputs":
        names = [d.name for d in circuit.devices if isinstance(d.part, OpAmp)]
        name = names[random.integers(len(names))]
        return Planted(kind, (name,), f"{name}: inputs exchanged", lambda c: exchange_inputs(c, name))
    chosen = [
        fault
        for fault in list_faults(circuit)
        if fault.kind in {"decade": ("times ten", "by ten")}.get(kind, (kind,))
        and not (kind != "short" and isinstance(circuit.device(fault.devices[0].name).part, Capacitor))
    ]
    fault = chosen[random.integers(len(chosen))]
    devices = tuple(device.name for device in fault.devices)
    return Planted(kind, devices, f"{fault.part}: {fault.kind}", fault.change)


def exchange_inputs(circuit: Circuit, name: str) -> Circuit:
    """Return a circuit in which an op-amp has its inputs the wrong way round."""
    return replace(
        circuit,
        devices=tuple(
            d._replace(nodes=(d.nodes[1], d.nodes[0], *d.nodes[2:])) if d.name == name else d for d in circuit.devices
        ),
    )


def measure(table: BringUp, planted: Planted | None, seed: int, noise: float = NOISE) -> str:
    """Return the readings of one built board as the CSV that its builder writes: test point, state, volts.

    Its parts are drawn from the tolerances, then the fault is planted, and ngspice runs it from each start. Each
    reading is off by Gaussian noise of a part of it.
    """
    bench = table.bench
    circuit = draw(bench.circuit, table.tolerances, seed=seed)
    if planted is not None:
        circuit = planted.change(circuit)
    random = np.random.default_rng(seed)
    lines = ["test point,state,volts"]
    for k in range(len(bench.starts)):
        chosen = [one for one in table.conditions if one.start == k]
        end = bench.held if all(one.held for one in chosen) else bench.t_stop
        run = run_transient(
            apply_start(bench, k, circuit).driven(bench.signals[k]),
            end,
            initial=circuit.initial,
            probes=tuple(f"v({point.name})" for point in table.points),
            accuracy=1e-3,
        )
        for one in chosen:
            last = 0.999 * bench.held if one.held else end
            first = LATE * bench.held if one.held else end - (1.0 - LATE) * bench.board.t_stop
            times = np.linspace(first, last, SAMPLES)
            for point in table.points:
                volts = float(np.mean(np.interp(times, run.axis, np.real(run.voltage(point.name)))))
                read = volts * (1.0 + noise * random.standard_normal())
                lines.append(f"{point.name},{one.name},{read:.5g}")
    return "\n".join(lines) + "\n"
