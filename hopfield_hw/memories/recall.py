"""One start, recalled on every machine: the equation, the map in integers, the circuit, neuron after neuron."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np

from ..cells import Cell
from ..equations import solve
from ..equations.asynchronous import run_asynchronous
from ..equations.sequences import run_sequence
from ..families.discrete_hopfield import discrete_hopfield
from ..functions import Tanh
from ..graph import Graph, Hold, Leak, as_graph
from ..integers.fixed_point import QFormat
from ..integers.lowering import FixedPoint, lower_to_integers
from ..integers.machine import FixedMachine
from ..lowering import lower
from ..networks.network import Network
from ..problems.learning_rules import bipolar_rows, learn
from ..problems.memory import Patterns
from ..spice.transient import simulate
from ..transforms import discretise
from ..values.arrays import Array, freeze
from ..values.errors import InputError
from ..values.names import unknown
from ..values.report import Report

MACHINES = ("equation", "integers", "circuit", "asynchronous")
# A memory by a rule, as `problems.memory` has it: R_i T_ij = 0.4 W_ij, R C = 100 us, and starts of 0.1 V.
SIEMENS, RESISTANCE, CAPACITANCE, GAIN, START = 4e-4, 1e3, 1e-7, 10.0, 0.1
TIME_CONSTANTS = 20.0
STEP = 0.1  # of the shortest R C, of the map in integers
FORMATS = FixedPoint(signals=QFormat(word=18, fraction=13), weights=QFormat(word=24, fraction=20))
# Settled: no state moves by more than this part of the largest one over the last tenth of a run.
STILL = 1e-2


class Recalled(NamedTuple):
    """Where one machine ends. `signs`: (n,). `nearest`: the label of the nearest pattern, `distance` bits from it."""

    signs: Array
    nearest: str
    distance: int
    settled: bool


@dataclass(frozen=True, kw_only=True, eq=False)
class Recollection(Report):
    """What each machine recalls from one start. `ends`: by machine. `start`: the nearest pattern to it, and how far."""

    start: Recalled
    ends: Mapping[str, Recalled]

    @property
    def agree(self) -> bool:
        """Whether several machines have all settled, at the same signs; False of one, which is compared with none."""
        signs = [end.signs for end in self.ends.values()]
        return (
            len(signs) > 1
            and all(end.settled for end in self.ends.values())
            and all(np.array_equal(signs[0], one) for one in signs)
        )

    def rows(self) -> list[tuple[str, str]]:
        """Return the ends as (machine, pattern and distance) rows."""
        rows = [("start", f"{self.start.distance} bits from {self.start.nearest}")]
        for name, end in self.ends.items():
            said = "" if end.settled else ", not settled"
            rows.append((name, f"{end.nearest}, {end.distance} bits away{said}"))
        return rows

    def figures(self) -> dict[str, Any]:
        """Return by name what JSON has of the recall."""
        return {
            "start": {"nearest": self.start.nearest, "distance": self.start.distance},
            "ends": {
                name: {"nearest": end.nearest, "distance": end.distance, "settled": end.settled}
                for name, end in self.ends.items()
            },
            "agree": self.agree,
        }


def recall(
    memory: str | Callable[[Array], Array] | Network | Graph,
    start: Any,
    *,
    patterns: Any,
    machines: Iterable[str] = ("equation", "integers", "circuit"),
    cell: str | Cell = "ideal",
    formats: FixedPoint = FORMATS,
    t_stop: float | None = None,
    accuracy: float = 1e-3,
    seed: int = 0,
) -> Recollection:
    """Start a memory at `start`, (n,), and say which pattern each machine ends at.

    `memory`: a rule of `problems.learning_rules.RULES` or a function, which learns `patterns` into
    C dx/dt = -x/R + T tanh(10 x) with R T = 0.4 W; a Network; or a graph with one state, such as that of
    `families.dense_memory`. `start`: +1 and -1, brought to 0.1 V where the memory is a rule or a Network. `patterns`:
    `Patterns`, or (k, n), which are then labelled by their numbers; they judge the ends.

    `machines`: "equation" solves the differential equation; "integers" steps it by Euler, 0.1 R C a step, in fixed
    point (`formats`); "circuit" runs in ngspice (`cell`); "asynchronous" changes neurons +1 and -1 one by one in random
    orders (`seed`), x_i <- sign(sum_j W_ij x_j). `t_stop`: seconds, 20 max(R C) by default.

    Raises InputError for unknown rules and machines, wrong shapes, and a machine that the memory cannot run on.
    """
    wanted = tuple(machines)
    if not wanted or isinstance(machines, str):
        raise InputError(f"`machines` = {machines!r:.60}: must name at least one of {', '.join(MACHINES)}, in a tuple")
    for name in wanted:
        if name not in MACHINES:
            raise InputError(unknown("machine", name, MACHINES))
    labelled = patterns if isinstance(patterns, Patterns) else _numbered(patterns)
    signs = freeze(start, "start", shape=(labelled.values.shape[1],))
    if not bool(np.all(np.abs(signs) == 1.0)):
        raise InputError(f"`start` holds {signs[np.abs(signs) != 1.0][0]:g}: each must be +1 or -1")
    network = _network(memory, labelled.values, signs)
    graph = as_graph(network)
    ends = {}
    for name in wanted:
        if name == "asynchronous":
            states, settled = _one_by_one(network, signs, seed)
        elif name == "integers":
            states, settled = _in_integers(network, formats, t_stop)
        else:
            options: dict[str, Any] = {"t_stop": t_stop, "accuracy": accuracy}
            circuit = None if name == "equation" else lower(graph, cell=cell)
            wave = solve(graph, **options) if circuit is None else simulate(circuit, **options)
            states, settled = _end(wave["state"].to_numpy())
        ends[name] = _judged(states, labelled, settled)
    return Recollection(start=_judged(signs, labelled, True), ends=MappingProxyType(ends))


def _numbered(patterns: Any) -> Patterns:
    rows = bipolar_rows(patterns, "patterns")
    return Patterns(labels=tuple(str(k) for k in range(len(rows))), values=rows)


def _network(memory: Any, patterns: Array, signs: Array) -> Network | Graph:
    """Return the memory with its start."""
    if isinstance(memory, Network):
        if memory.size != signs.size:
            raise InputError(f"`memory` has {memory.size} neurons: must have {signs.size}, as `start` has")
        return replace(memory, initial=START * signs)
    if isinstance(memory, Graph):
        states = memory.states
        if len(states) != 1 or states[0].output_size != signs.size:
            raise InputError(f"`memory` is a graph whose states are not one row of {signs.size} neurons")
        begun = replace(_state(states[0]), initial=signs)
        return replace(memory, operators=tuple(begun if op is states[0] else op for op in memory.operators))
    return Network(
        weights=learn(memory, patterns) * SIEMENS,
        resistance=RESISTANCE,
        capacitance=CAPACITANCE,
        gain=Tanh(gain=GAIN),
        initial=START * signs,
    )


def _state(operator: Any) -> Leak | Hold:
    if not isinstance(operator, Leak | Hold):
        raise InputError(f"`memory`: its state is {operator!r:.60}; must be a Leak or a Hold")
    return operator


def _one_by_one(network: Network | Graph, signs: Array, seed: int) -> tuple[Array, bool]:
    if not isinstance(network, Network):
        raise InputError("recall: `asynchronous` takes a rule, or a Network; leave that machine out")
    neurons = discrete_hopfield(network.weights, bias=network.bias, initial=signs)
    end = run_asynchronous(neurons, rng=np.random.default_rng(seed))
    return end.states[0], bool(end.settled[0])


def _in_integers(network: Network | Graph, formats: FixedPoint, t_stop: float | None) -> tuple[Array, bool]:
    if isinstance(network, Graph):
        if network.kind != "map":
            raise InputError("recall: `integers` takes a rule, a Network, or a map (discrete=True); leave it out")
        stepped, steps = network, 100
    else:
        times = network.resistance * network.capacitance
        step = STEP * float(times.min())
        end = TIME_CONSTANTS * float(times.max()) if t_stop is None else t_stop / network.seconds_per_unit
        stepped, steps = discretise(network, step=step), max(10, round(end / step))
    machine = FixedMachine(lower_to_integers(stepped, formats))
    outputs = run_sequence(machine, np.zeros((steps, 1, 0))).outputs[:, 0]
    return _end(outputs)


def _end(states: Array) -> tuple[Array, bool]:
    late = states[-max(2, len(states) // 10) :]
    moved = float(np.ptp(late, axis=0).max())
    return states[-1], moved <= STILL * max(float(np.abs(states[-1]).max()), 1e-300)


def _judged(states: Array, patterns: Patterns, settled: bool) -> Recalled:
    signs = np.where(states >= 0.0, 1.0, -1.0)
    distances = patterns.distances(signs)
    nearest = min(distances, key=distances.__getitem__)
    return Recalled(signs, nearest, distances[nearest], settled)
