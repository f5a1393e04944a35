"""The board on the bench: with the switches that hold its states, and a connector that says at what.

While the switches of integrator i are on, R_h lies across its capacitor and from the connector to its summing node, so
that it rests at

    X_i = V_start,i + R_h sum_j T_ij v_j,

the state that is applied and what the synapses add. So R_h must be a small part of the leak's resistance: with a loop
gain R_h max|T| g' of 1 and more, states latch while they are held, and the reset is none.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from ..board.design import Board
from ..board.resetting import ON, reset_resistors, slopes
from ..circuit import GROUND, Circuit, Device, Origin, Role
from ..graph import Graph, Leak
from ..parts import Resistor, Switch, VoltageSource
from ..production.startup import HELD, OFF
from ..production.usual import without_offsets
from ..values.arrays import Array, freeze
from ..values.brief import Brief
from ..values.errors import InputError
from ..values.names import NAME
from ..values.signals import Signal, as_signal

CONTROL = "hold_control"
RESET = "reset"
HELD_AT = " held"  # behind the name of a start: its states are applied, and the switches on
MOST_LOOP_GAIN = 0.5  # while states are held


@dataclass(frozen=True, kw_only=True, eq=False)
class Start(Brief):
    """One start of a board: `name`, `states` (n,), volts that the start connector has, and `inputs`.

    `states` and `inputs`, a Signal, a number, or (m,) constants, volts, are on the board's scale.
    """

    name: str
    states: Array
    inputs: Any = None


class Condition(Brief):
    """What a row of the table is measured in: `name`, the start it belongs to, and whether states are held."""

    def __init__(self, name: str, start: int, held: bool) -> None:
        self.name, self.start, self.held = name, start, held


@dataclass(frozen=True, kw_only=True, eq=False)
class Bench(Brief):
    """A board with what its builder adds to measure it.

    `circuit`: with its switches, whose control is on until `held`, seconds, and runs end at `t_stop`. `ohms`: R_h of
    each neuron, with the switch; `loop_gain`: the largest while states are held. `starts`: the first is the reset, all
    states at 0 V. `signals`: the inputs of each start.
    """

    board: Board
    circuit: Circuit
    ohms: tuple[float, ...]
    loop_gain: float
    held: float
    t_stop: float
    starts: tuple[Start, ...]
    signals: tuple[Signal | None, ...]

    @property
    def holds(self) -> bool:
        """Whether states that are held are about where they should be."""
        return self.loop_gain <= MOST_LOOP_GAIN

    def source(self, neuron: int) -> str:
        """Return the name of the source at the start connector of a neuron."""
        return f"V_start_{neuron}"


def make_bench(board: Board, starts: Any = None, *, reset_ohms: Any = None) -> Bench:
    """Return a board on the bench.

    `starts`: by name, states (n,) or a Start; by default "start", the board's own. `reset_ohms`: what holds a state,
    its switch in it, ohms; by default 5% of its leak's resistance, or less, for a loop gain of 0.4 while
    states are held.

    Raises InputError for starts of other shapes or names, a board that is not of integrators, and one without leaks
    where `reset_ohms` is not given.
    """
    if not isinstance(board, Board):
        raise InputError(f"bring_up: {type(board).__name__}: must be a Board; `design_board` makes one of a network")
    circuit = without_offsets(board.circuit)
    graph, n = circuit.graph, board.network.size
    if not isinstance(graph, Graph):
        raise InputError("bring_up: the board's circuit does not say which graph it is of; take that of design_board")
    chosen = _starts(board, starts)
    leak = graph.of_type(Leak)[0].name
    ohms = _hold_ohms(board, reset_ohms)
    added = []
    held = 0.0
    for k in range(n):
        summing, output = _integrator(circuit, leak, k)
        origin = Origin(leak, Role.PRESET, (k,))
        connector, control = f"start_{k}", (CONTROL, GROUND)
        added += [
            Device(f"S_hold_{k}", Switch(float(ohms[k]), OFF), (output, summing, *control), origin),
            Device(f"S_start_{k}", Switch(float(ohms[k]), OFF), (connector, summing, *control), origin),
            Device(f"V_start_{k}", VoltageSource(0.0), (connector, GROUND), origin),
        ]
        held = max(held, HELD * float(ohms[k] * board.scaled.capacitance[k]))
    held = max(held, 0.05 * board.t_stop)
    switch = VoltageSource(((0.0, 1.0), (held, 1.0), (1.01 * held, 0.0)))
    added.append(Device(f"V_{CONTROL}", switch, (CONTROL, GROUND), Origin(leak, Role.PRESET, ())))
    return Bench(
        board=board,
        circuit=replace(
            circuit,
            devices=(*circuit.devices, *added),
            initial=dict.fromkeys(circuit.initial, 0.0),
            graph=None,
        ),
        ohms=tuple(ohms.tolist()),
        loop_gain=float(np.max(np.abs(np.linalg.eigvals(ohms[:, np.newaxis] * slopes(board))))),
        held=held,
        t_stop=1.01 * held + board.t_stop,
        starts=chosen,
        signals=tuple(_delayed(start.inputs, 1.01 * held) for start in chosen),
    )


def conditions_of(bench: Bench) -> tuple[Condition, ...]:
    """Return the rows of the table: the reset, then each start held and, let go, settled."""
    found = [Condition(RESET, 0, True)]
    for k, start in enumerate(bench.starts[1:], 1):
        if np.any(start.states) or start.inputs is not bench.starts[0].inputs:  # else it is the reset
            found.append(Condition(start.name + HELD_AT, k, True))
        found.append(Condition(start.name, k, False))
    return tuple(found)


def _integrator(circuit: Circuit, leak: str, k: int) -> tuple[str, str]:
    """Return the summing node and the output of the integrator of a neuron."""
    amplifiers = circuit.devices_from(leak, (k,), Role.OP_AMP)
    if len(amplifiers) != 1:
        raise InputError(f"bring_up: neuron {k} has {len(amplifiers)} integrators: must have one, as a board has")
    return amplifiers[0].nodes[1], amplifiers[0].nodes[2]


def _hold_ohms(board: Board, given: Any) -> Array:
    n = board.network.size
    if given is not None:
        ohms = np.asarray(freeze(given, "reset_ohms", unit="Ohm"), dtype=np.float64)
        if ohms.shape not in ((), (n,)) or not np.all(ohms > 0.0):
            raise InputError(f"`reset_ohms` = {given!r:.60}: must be one positive resistance, or ({n},) of them, ohms")
        return np.array(np.broadcast_to(ohms, (n,)))
    return reset_resistors(board) + ON


def _starts(board: Board, starts: Any) -> tuple[Start, ...]:
    n = board.network.size
    if starts is None:
        starts = {"start": board.scaled.initial}
    if not isinstance(starts, Mapping) or not starts:
        raise InputError(f"`starts` = {starts!r:.60}: must be a mapping of names to states, ({n},), volts")
    found = [Start(name=RESET, states=np.zeros(n), inputs=board.inputs)]
    for name, given in starts.items():
        if not isinstance(name, str) or NAME.fullmatch(name.replace(" ", "_").replace("-", "_")) is None:
            raise InputError(f"`starts` has {name!r:.60}: must be a plain name: letters, digits, spaces, - and _")
        if name == RESET or name.endswith(HELD_AT):
            raise InputError(f"`starts` has {name!r:.60}: is the name of another row; choose another")
        one = given if isinstance(given, Start) else Start(name=name, states=given, inputs=board.inputs)
        states = freeze(one.states, f"starts[{name!r:.40}]", shape=(n,), unit="V")
        inputs = one.inputs
        if inputs is not None:
            if not board.circuit.inputs:
                raise InputError(f"starts[{name!r:.40}]: has inputs, and the board none; leave them out")
            if inputs is not board.inputs:
                inputs = as_signal(inputs, f"starts[{name!r:.40}].inputs", len(board.circuit.inputs))
        found.append(Start(name=name, states=states, inputs=inputs))
    return tuple(found)


def _delayed(signal: Signal | None, seconds: float) -> Signal | None:
    """Return a signal that begins when the states are let go."""
    if signal is None or signal.times.size == 1:
        return signal
    return Signal(
        times=np.concatenate([[0.0], signal.times + seconds]), values=np.concatenate([signal.values[:1], signal.values])
    )


def static_switches(circuit: Circuit) -> Circuit:
    """Return the circuit with resistors in place of switches, which are on, for states at rest."""
    return replace(
        circuit,
        devices=tuple(
            d._replace(part=Resistor(d.part.on, is_computing=True), nodes=d.nodes[:2])
            if isinstance(d.part, Switch) and d.nodes[2] == CONTROL
            else d
            for d in circuit.devices
            if d.name != f"V_{CONTROL}"
        ),
    )
