"""Blocks: each op-amp with the parts about it, alone, between nodes that are as they were measured.

What drives a block are outputs of op-amps and sources; where those are measured they are held at that, and what is left
is one output with its own parts. Whatever a fault elsewhere does is then in what was measured, and only a block with a
fault in it gives something else than it should (the substitution theorem). So one fault after another is tried in a
circuit of a few nodes, without the loops of the network, which make several states of rest.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace
from typing import NamedTuple

import numpy as np

from ..circuit import GROUND, Circuit, Device, Ensemble, Origin, Probe, Role
from ..ensemble.analyses import find_balance
from ..ensemble.backends import choose_run
from ..ensemble.equations.layout import plan
from ..ensemble.equations.system import build_system
from ..ensemble.runs import Job, run
from ..parts import Capacitor, OpAmp, Resistor, Transistor, VoltageSource
from ..parts.parameters import Parameter, value_of
from ..values.arrays import Array
from ..values.brief import Brief
from ..values.errors import ConvergenceError

OPEN = 1e12  # ohms
MOST_STEPS = 10_000  # of a block; one that takes more oscillates
TOLERANCE, LONGEST = 1e-3, 0.2  # of a step, and the longest one, a part of the run
RESISTANCE, VOLTAGE = Parameter("resistance"), Parameter("voltage")
Changes = dict[tuple[str, Parameter], float]


class Trial(NamedTuple):
    """One sample of a block: values of its parts that differ, the condition it is in, and whether its op-amp works."""

    changes: Changes
    condition: int
    dead: bool = False


@dataclass(frozen=True, kw_only=True, eq=False)
class Block(Brief):
    """An op-amp, or several, with the parts about it.

    `output`: the node that it is free at, and `op_amp` what drives it. `parts`: devices whose faults show here.
    `observed`: the nodes that are compared. `alive`, `dead`: its circuit, and with an output that something else holds.
    `held`: by node that is held, its source. `holding`: the resistors that hold a state, which are there in some
    conditions only.
    """

    output: str
    op_amp: str
    parts: tuple[Device, ...] = field(repr=False)
    observed: tuple[str, ...]
    alive: Circuit = field(repr=False)
    dead: Circuit = field(repr=False)
    held: dict[str, str] = field(repr=False)
    holding: frozenset[str] = field(repr=False)


def split_board(circuit: Circuit, measured: Collection[str]) -> tuple[Block, ...]:
    """Return the blocks of a circuit whose measured outputs are held, one for each of them.

    `circuit`: with resistors that hold its states, of role `preset`. `measured`: nodes.
    """
    amplifiers = {d.nodes[2]: d for d in circuit.devices if isinstance(d.part, OpAmp)}
    clamped = {node for node in amplifiers if node in measured}
    return tuple(_block(circuit, amplifiers[node], clamped, measured) for node in amplifiers if node in clamped)


def _block(circuit: Circuit, amplifier: Device, clamped: set[str], measured: Collection[str]) -> Block:
    output = amplifier.nodes[2]
    sources = {d.nodes[0] for d in circuit.devices if isinstance(d.part, VoltageSource)}
    fixed = sources | {GROUND} | (clamped - {output})
    foreign = {d.name for d in circuit.devices if isinstance(d.part, OpAmp) and d.nodes[2] in clamped - {output}}
    cut = {node for d in circuit.devices if d.name in foreign for node in d.nodes[:2]}
    usable = [d for d in circuit.devices if d.name not in foreign and not isinstance(d.part, VoltageSource)]
    # Its core: what can be reached from its inputs; and what its output drives.
    core = _reach(usable, set(amplifier.nodes[:2]) - fixed, fixed | cut | {output}, output)
    parts = [
        d
        for d in usable
        if d.name != amplifier.name and (core | {output}) & set(d.nodes) and not _is_driven_base(d, output, core)
    ]
    whole = _reach(usable, core | {output}, fixed, output)
    inside = [d for d in usable if whole & set(d.nodes) and not _is_driven_base(d, output, core)]
    nodes = {node for d in inside for node in d.nodes}
    held = {node: f"V_at_{node}" for node in sorted(nodes & fixed - {GROUND})}
    origin = Origin(amplifier.origin.operator, Role.SUPPLY, ())
    ends = [Device(name, VoltageSource(0.0), (node, GROUND), origin) for node, name in held.items()]
    bridges = [
        Device(bridge_of(d.name), Resistor(OPEN, is_computing=True), (d.nodes[0], d.nodes[-1]), origin)
        for d in inside
        if isinstance(d.part, Capacitor | Transistor)
    ]
    forced = [
        Device("V_forced", VoltageSource(0.0), ("forced", GROUND), origin),
        Device("R_forced", Resistor(1.0, is_computing=True), ("forced", output), origin),
    ]
    without = [d for d in inside if d.name != amplifier.name]
    return Block(
        output=output,
        op_amp=amplifier.name,
        parts=tuple(parts),
        observed=tuple(node for node in (output, *sorted(core)) if node in measured),
        alive=_circuit(circuit, [*ends, *inside, *bridges]),
        dead=_circuit(circuit, [*ends, *without, *bridges, *forced]),
        held=held,
        holding=frozenset(d.name for d in inside if d.origin.role == Role.PRESET),
    )


def bridge_of(name: str) -> str:
    """Return the name of the resistor that lies across a capacitor, or between collector and emitter."""
    return f"R_bridge_{name}"


def _is_driven_base(device: Device, output: str, core: set[str]) -> bool:
    """Whether a transistor is of another block: the output does nothing but drive its base."""
    return isinstance(device.part, Transistor) and device.nodes[1] == output and not core & set(device.nodes)


def _reach(devices: Sequence[Device], begin: set[str], ends: set[str], output: str) -> set[str]:
    """Return the nodes that are reached from some, which are not ends."""
    found, queue = set(begin) - ends, list(set(begin) - ends)
    at: dict[str, list[Device]] = {}
    for device in devices:
        for node in device.nodes:
            at.setdefault(node, []).append(device)
    while queue:
        node = queue.pop()
        for device in at.get(node, ()):
            if isinstance(device.part, Transistor) and node == output and device.nodes[1] == output:
                continue
            new = set(device.nodes) - found - ends
            found |= new
            queue += new
    return found


def _circuit(circuit: Circuit, devices: Sequence[Device]) -> Circuit:
    return Circuit(
        title=circuit.title,
        cell=circuit.cell,
        graph_hash=circuit.graph_hash,
        devices=tuple(devices),
        initial={},
        states=(),
        outputs=(),
    )


def solve(block: Block, trials: Sequence[Trial], held: Array, guess: Array, on: Sequence[bool], t_stop: float) -> Array:
    """Return what trials give at the observed nodes, (trials, observed), volts; NaN where it comes to no rest.

    `held`: (trials, held nodes), volts. `guess`: (trials, observed). `on`: by condition, whether states are held.
    `t_stop`: when a block is read, seconds.
    """
    found = np.full((len(trials), len(block.observed)), np.nan)
    for dead in (False, True):
        rows = [k for k, trial in enumerate(trials) if trial.dead == dead]
        if not rows:
            continue
        circuit = block.dead if dead else block.alive
        values: dict[str, dict[Parameter, Array]] = {}
        for q, name in enumerate(block.held.values()):
            values[name] = {VOLTAGE: held[rows, q]}
        for name in block.holding:
            part = circuit.device(name).part
            assert isinstance(part, Resistor)
            values[name] = {RESISTANCE: np.array([part.resistance if on[trials[k].condition] else OPEN for k in rows])}
        for place, k in enumerate(rows):
            for (name, parameter), value in trials[k].changes.items():
                row = values.setdefault(name, {}).get(parameter)
                if row is None:
                    row = np.full(len(rows), _value(circuit, name, parameter))
                    values[name][parameter] = row
                row[place] = value
        starts = {node: guess[rows, q] for q, node in enumerate(block.observed)}
        ensemble = Ensemble(circuit=circuit, size=len(rows), values=values, initial=starts)
        found[rows] = settle(ensemble, block.observed, t_stop)
    return found


def settle(ensemble: Ensemble, nodes: Sequence[str], t_stop: float) -> Array:
    """Return where nodes of samples come to rest, (samples, nodes), volts; NaN of a sample that does not run."""
    circuit = replace(ensemble.circuit, outputs=tuple(Probe(node, node) for node in nodes))
    times = np.array([0.0, *np.linspace(0.9, 1.0, 5) * t_stop])
    made = plan(build_system(replace(ensemble, circuit=circuit)), t_stop)
    job = Job(made, circuit, times, choose_run(None, 1)[1], None)
    found = run(job, TOLERANCE, LONGEST * t_stop, most=MOST_STEPS)
    volts = np.asarray(np.mean(found.waves[:, 1:], axis=1))
    failed = list(found.failures)
    volts[failed] = np.nan
    if failed:
        volts[failed] = _balance(ensemble, nodes, failed)
    return volts


def _balance(ensemble: Ensemble, nodes: Sequence[str], samples: Sequence[int]) -> Array:
    """Return the points of balance of samples, about which those that oscillate move; NaN where there is none."""
    taken = replace(
        ensemble,
        size=len(samples),
        values={
            name: {key: row[list(samples)] for key, row in changes.items()} for name, changes in ensemble.values.items()
        },
        initial={node: row[list(samples)] for node, row in ensemble.initial.items()},
    )
    try:
        rest = find_balance(taken, guess=dict(taken.initial))
    except ConvergenceError:
        return np.full((len(samples), len(nodes)), np.nan)
    return np.asarray(rest["voltage"].sel(node=[node.lower() for node in nodes]).to_numpy())


def _value(circuit: Circuit, name: str, parameter: Parameter) -> float:
    return value_of(circuit.device(name).part, parameter)
