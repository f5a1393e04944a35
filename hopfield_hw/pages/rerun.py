"""What a page needs to run its circuit again: a deck, how its lines may change, and what to read."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from ..board.design import Board
from ..board.judgement import BoardVerification, output_nrmse
from ..board.start import start_at_rest
from ..circuit import Circuit
from ..parts import Capacitor, OpAmp, Resistor, VoltageSource
from ..spice.options import Settings, settings_for
from ..spice.transient import circuit_deck, run_converged
from ..values.measures import nrmse
from .engine import Engine
from .netlist import Netlist, complete_deck

ACCURACY = 1e-3


class Rerun(NamedTuple):
    """A deck that runs again, its circuit, and how far ngspice is with it from the stored waveforms, NRMSE."""

    circuit: Circuit
    deck: str
    states: float
    outputs: float


def prepare_rerun(result: BoardVerification, *, timeout: float) -> Rerun:
    """Return the deck of a board with the widest steps that ngspice needs, run once against the stored waveforms.

    Raises as `simulate` does where ngspice does not deliver.
    """
    board = result.board
    circuit = start_at_rest(board.circuit, board.t_stop, board.inputs)
    deck = circuit_deck(circuit, board.inputs)
    settings: Settings = settings_for(ACCURACY, board.t_stop, deck)
    waves, settings = run_converged(deck, settings, result.wave["time"].to_numpy(), timeout, None)
    stored = result.wave["state"].to_numpy(), result.wave["output"].to_numpy()
    return Rerun(
        circuit=circuit,
        deck=complete_deck(deck, board.t_stop, settings),
        states=nrmse(stored[0][1:], waves.states[1:]),
        outputs=output_nrmse(stored[1][1:], waves.outputs[1:]),
    )


def rerun_data(board: Board, rerun: Rerun, netlist: Netlist, engine: Engine) -> dict[str, Any]:
    """Return by name what the scripts of a page change and read.

    `parts`: [line, value] of each resistor and capacitor; `rails`: [line, volts] of each supply; a line's value is its
    word number 3 and 4, counted from 0. `weights`: the elements of the table that are made of resistors. `states`,
    `outputs`: the node and the scale of each; `starts`: where the states begin, volts.
    """
    numbers = {
        name: line for element in netlist.elements for name, line in zip(element.devices, element.lines, strict=True)
    }
    parts, rails = [], []
    supplied = {node for d in rerun.circuit.devices if isinstance(d.part, OpAmp) for node in d.nodes[3:]}
    for device in rerun.circuit.devices:
        line, part = numbers.get(device.name), device.part
        if line is None:
            continue
        if isinstance(part, Resistor | Capacitor) and part.physical:
            parts.append([line, part.value])
        elif isinstance(part, VoltageSource) and device.nodes[0] in supplied and isinstance(part.voltage, float):
            rails.append([line, part.voltage])
    resistors = {d.name for d in rerun.circuit.devices if isinstance(d.part, Resistor)}
    weights = [
        k
        for k, element in enumerate(netlist.elements)
        if element.cell.partition("-")[0] in ("weight", "input", "bias") and resistors.issuperset(element.devices)
    ]
    starts = [probe.scale * rerun.circuit.initial.get(probe.node, 0.0) for probe in rerun.circuit.states]
    return {
        "engine": engine.version,
        "parts": parts,
        "rails": rails,
        "weights": weights,
        "states": [[probe.node.lower(), probe.scale] for probe in rerun.circuit.states],
        "outputs": [[probe.node.lower(), probe.scale] for probe in rerun.circuit.outputs],
        "starts": np.asarray(starts).tolist(),
        "stop": board.t_stop,
        "native": [rerun.states, rerun.outputs],
    }
