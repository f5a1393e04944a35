"""Delays as transmission lines: matched at both ends, so that nothing comes back."""

from __future__ import annotations

import operator
from dataclasses import dataclass
from functools import reduce
from typing import Protocol, runtime_checkable

import numpy as np
import numpy.typing as npt

from ..circuit import GROUND, Draft, Origin, Role
from ..functions.expressions import ARGUMENT, Argument, Expression, call, maximum
from ..graph import Affine, Delay, Graph
from ..graph.neutral import check_neutral
from ..parts import Behaviour, Line, Resistor, VoltageGain, VoltageSource
from ..values.arrays import Array
from ..values.brief import Brief
from ..values.errors import Unrealisable
from ..values.signals import Signal

IMPEDANCE = 50.0
# Delays that differ, in one circuit.
MOST_DELAYS = 256
# A delay that varies is interpolated between taps, so many to its range; a range of many times its least would take
# more of them, as one stands below the least.
TAPS, MOST_TAPS = 24, 128


@runtime_checkable
class DelayForm(Protocol):
    """A way to build a Delay. `name`: what users call it."""

    @property
    def name(self) -> str: ...

    def add(self, draft: Draft, delay: Delay, inputs: tuple[str, ...]) -> None:
        """Add the devices of a Delay between the nodes that drive it and its own, which may be loaded."""
        ...


@dataclass(frozen=True, kw_only=True)
class MatchedLine(Brief):
    """Transmission lines behind buffers: exact, and for simulation; no cable is a millisecond long."""

    name: str = "matched_line"

    def add(self, draft: Draft, delay: Delay, inputs: tuple[str, ...]) -> None:
        """Add the lines, and a buffer behind each."""
        add_delay(draft, delay, inputs, buffered=True)


MATCHED_LINE = MatchedLine()


def add_delay(draft: Draft, delay: Delay, inputs: tuple[str, ...], *, buffered: bool = False) -> None:
    """Add y(t) = x(t - tau) for each element: a buffer of gain 2, a resistor, a line and a resistor, all of Z0.

    Half of the buffer's voltage enters the line, and none comes back. Before t = 0 the line holds the history. Delays
    of one signal share a line with taps, unless two of them differ by less than half of the shortest (a short piece of
    line would cost short steps). What nothing takes is left out. Where the delay varies the line has taps, and a source
    interpolates between them.

    Raises Unrealisable for a history that is not constant, over 256 delays that differ, and a delay whose range is too
    wide; InputError for a neutral graph whose jumps would not die out.
    """
    check_delays(draft, delay)
    if isinstance(delay.tau, Signal):
        _add_varying(draft, delay, delay.tau, inputs)
        return
    alike = _of_same_signal(draft.graph, delay)
    if alike[0] is not delay:
        return  # built with the first
    taken = {d.name: find_used(draft.graph, d) for d in alike}
    for k, (into, volts) in enumerate(zip(inputs, constant_history(delay).tolist(), strict=True)):
        for line in _lines([d for d in alike if taken[d.name][k]]):
            nodes = [new_node(draft, d, f"far_{k}") if buffered else draft.nodes(d)[k] for d in line]
            _add_line(draft, line[0], k, into, nodes, [(d.name, tau_of(d)) for d in line], volts)
            for d, node in zip(line if buffered else (), nodes, strict=buffered):
                ports = (draft.nodes(d)[k], GROUND, node, GROUND)
                name = f"E_{d.name}_far{draft.suffix(d.name, k)}"
                draft.add(name, VoltageGain(1.0), ports, Origin(d.name, Role.LINE, (k,)))


def _add_varying(draft: Draft, delay: Delay, tau: Signal, inputs: tuple[str, ...]) -> None:
    taps = _taps(delay.name, tau)
    weights = _add_weights(draft, delay, tau, taps)
    lengths = [(f"{delay.name}_{j}", at) for j, at in enumerate(taps.tolist())]
    history = constant_history(delay).tolist()
    products: list[Expression] = [Argument(2 * j) * Argument(2 * j + 1) for j in range(taps.size)]
    blend = Behaviour(reduce(operator.add, products))
    for k, (into, out, volts) in enumerate(zip(inputs, draft.nodes(delay), history, strict=True)):
        nodes = [new_node(draft, delay, f"tap_{k}_{j}") for j in range(taps.size)]
        _add_line(draft, delay, k, into, nodes, lengths, volts)
        sources = tuple(node for pair in zip(weights, nodes, strict=True) for node in pair)
        origin = Origin(delay.name, Role.INTERPOLATION, (k,))
        draft.add(f"B_{draft.label(delay.name, k)}", blend, (out, GROUND, *sources), origin)


def _add_line(
    draft: Draft, delay: Delay, k: int, into: str, nodes: list[str], taps: list[tuple[str, float]], volts: float
) -> None:
    """Add a line with its buffer and resistors, and taps (name, seconds) at `nodes`, the last one at its end."""
    origin = Origin(delay.name, Role.LINE, (k,))
    buffer, near = new_node(draft, delay, f"in_{k}"), new_node(draft, delay, f"near_{k}")
    label = draft.suffix(delay.name, k)
    match = Resistor(IMPEDANCE, is_computing=True)
    draft.add(f"E_{delay.name}{label}", VoltageGain(2.0), (buffer, GROUND, into, GROUND), origin)
    draft.add(f"R_{delay.name}_near{label}", match, (buffer, near), origin)
    before = 0.0
    for node, (name, tau) in zip(nodes, taps, strict=True):
        owner = name if name in draft.graph.by_name else delay.name
        line = Line(tau - before, IMPEDANCE, volts)
        draft.add(f"T_{name}{label}", line, (near, GROUND, node, GROUND), Origin(owner, Role.LINE, (k,)))
        near, before = node, tau
    draft.add(f"R_{delay.name}_far{label}", match, (near, GROUND), origin)


def find_used(graph: Graph, delay: Delay) -> npt.NDArray[np.bool_]:
    """Return by element whether anything takes it: an Affine that it alone drives may have no weight for it."""
    found = np.zeros(delay.size, dtype=bool)
    for target in graph.targets(delay):
        if isinstance(target, Affine) and len(graph.drivers(target)) == 1:
            found[target.weights.entries().columns] = True
        else:
            found[:] = True
    return found


def _of_same_signal(graph: Graph, delay: Delay) -> list[Delay]:
    """Return the constant delays of one signal with one history, this one among them, the shortest first."""
    alike = [d for d in graph.of_type(Delay) if not isinstance(d.tau, Signal) and _same_signal(graph, d, delay)]
    return sorted(alike, key=tau_of)


def _lines(delays: list[Delay]) -> list[list[Delay]]:
    """Return the delays of one signal by the line that they are on."""
    taus = [tau_of(delay) for delay in delays]
    apart = min(np.diff(taus), default=np.inf)
    return [delays] if taus and apart >= taus[0] / 2.0 else [[delay] for delay in delays]


def _same_signal(graph: Graph, first: Delay, second: Delay) -> bool:
    same = graph.drivers(first) == graph.drivers(second)
    return same and bool(np.array_equal(constant_history(first), constant_history(second)))


def tau_of(delay: Delay) -> float:
    """Return the delay of a Delay that does not vary, seconds."""
    if isinstance(delay.tau, Signal):
        raise Unrealisable(f"Delay {delay.name!r}: varies with time; cell='ideal' has it")
    return delay.tau


def _add_weights(draft: Draft, delay: Delay, tau: Signal, taps: Array) -> tuple[str, ...]:
    """Add the delay as a voltage, counted in taps, and what each tap weighs at it; return the nodes of the weights.

    Cubic convolution (Keys, IEEE Trans. ASSP 29:1153, 1981): a tap at a distance u weighs p^2 (p - 1)/2 + q^2 (1 - 2 q)
    with p = max(2 - u, 0) and q = max(1 - u, 0).
    """
    origin, spacing = Origin(delay.name, Role.TAU, (0,)), float(taps[1] - taps[0])
    place = new_node(draft, delay, "place")
    points = (tau.values[:, 0] - taps[0]) / spacing
    wave = tuple(zip(tau.times.tolist(), points.tolist(), strict=True))
    wave = wave if wave[0][0] == 0.0 else ((0.0, wave[0][1]), *wave)
    source = VoltageSource(wave if len(wave) > 1 else wave[0][1])
    draft.add(f"V_{delay.name}_tau", source, (place, GROUND), origin)
    nodes = []
    for j in range(taps.size):
        distance = call("abs", ARGUMENT - float(j))
        p, q = maximum(2.0 - distance, 0.0), maximum(1.0 - distance, 0.0)
        nodes.append(new_node(draft, delay, f"weight_{j}"))
        part = Behaviour(0.5 * p * p * (p - 1.0) + q * q * (1.0 - 2.0 * q))
        draft.add(f"B_{delay.name}_weight_{j}", part, (nodes[-1], GROUND, place), origin)
    return tuple(nodes)


def _taps(name: str, tau: Signal) -> Array:
    """Return the delays of the taps, seconds, evenly spaced: over the range of tau, and one more at either end."""
    least, most = float(tau.values.min()), float(tau.values.max())
    spread = max(most - least, 0.01 * least)
    number = max(TAPS, int(np.ceil(2.0 * spread / least)))
    if number > MOST_TAPS:
        raise Unrealisable(
            f"Delay {name!r}: varies from {least:.4g} to {most:.4g} s, which takes {number} taps, at most "
            f"{MOST_TAPS}; keep the longest within {MOST_TAPS // 2 + 1} times the shortest"
        )
    return np.asarray(least + spread / number * np.arange(-1, number + 2))


def check_delays(draft: Draft, delay: Delay) -> None:
    """Refuse, with the first Delay, a neutral graph whose jumps would not die out, and too many delays."""
    delays = draft.graph.of_type(Delay)
    if delay is not delays[0]:
        return
    check_neutral(draft.graph)
    distinct = {d.tau for d in delays if not isinstance(d.tau, Signal)}
    if len(distinct) > MOST_DELAYS:
        raise Unrealisable(
            f"the graph has {len(distinct)} delays that differ: a circuit has at most {MOST_DELAYS}; round them to a "
            "grid, or use the reference"
        )


def constant_history(delay: Delay) -> Array:
    """Return the history, (n,), volts. Raises Unrealisable for one that is not constant."""
    if not isinstance(delay.history, Signal):
        return delay.history
    if bool(np.any(delay.history.values != delay.history.values[0])):
        raise Unrealisable(
            f"Delay {delay.name!r}: its history is a function of time, and a line holds a constant one alone; give a "
            "constant history, or shift the variable so that it is constant, or use the reference"
        )
    first: Array = delay.history.values[0]
    return first


def new_node(draft: Draft, delay: Delay, role: str) -> str:
    """Return a node of a Delay's own."""
    node = f"{delay.name}_{role}"
    draft.claim(node, delay, role)
    return node
