"""Runs of a board in ngspice with some of its imperfections, on one grid and with the same steps."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from ...circuit import GROUND, Circuit
from ...parts import OpAmp
from ...spice.analyses import run_transient
from ...values.arrays import Array
from ...values.physics import ROOM
from ...values.signals import Signal
from .imperfections import uncompensated
from .predicted import Run, read_run

# Of all runs alike, so that what they are off by is the same, and goes out in their differences.
STEPS, ACCURACY = 2000, 1e-5
AT_START = 1e-6  # of the run
START = 1e-4  # of the start, which all runs have in common: tighter, clamps make ngspice creep


def run_circuit(
    circuit: Circuit,
    t_stop: float,
    inputs: Signal | None,
    *,
    whole: Circuit | None = None,
    start: Mapping[str, float] | None = None,
    steps: int = STEPS,
    temperature: float = ROOM,
    timeout: float = 600.0,
) -> Run:
    """Return a run of a circuit on `STEPS` + 1 even times. `whole`: as `read_run`.

    `start`: where outputs of op-amps start, volts, beside what the circuit's own `initial` says.
    """
    times: Array = np.linspace(0.0, t_stop, STEPS + 1)
    driven = circuit.driven(inputs)
    if start is not None:
        driven = replace(driven, initial={**start, **circuit.initial})
    found = run_transient(
        driven,
        t_stop,
        step=t_stop / steps,
        initial=driven.initial,
        accuracy=ACCURACY,
        temperature=temperature,
        timeout=timeout,
    )
    return read_run(circuit, circuit if whole is None else whole, found, times)


def find_start(circuit: Circuit, t_stop: float, inputs: Signal | None) -> dict[str, float]:
    """Return where ideal op-amps have their pins as soon as the states start, volts, by node.

    An op-amp that starts elsewhere slews there first, and a capacitor across its feedback charges first, which is of
    the start and not of the board.
    """
    end = AT_START * t_stop
    circuit = uncompensated(circuit)
    found = run_transient(circuit.driven(inputs), end, step=end / 10.0, initial=circuit.initial, accuracy=START)
    nodes = {node for d in circuit.devices if isinstance(d.part, OpAmp) for node in d.nodes[:3]} - {GROUND}
    return {node: float(np.real(found.voltage(node))[-1]) for node in sorted(nodes)}
