"""Which capacitors hold states: those that are slow; the others decouple, compensate, or are loads of op-amps.

A capacitor between fixed voltages decouples a supply. One whose voltage an op-amp or other capacitors fix holds no
state of its own. One that is far faster than the slowest (C over the conductance that it sees while the others are
held) compensates an amplifier, or is a stray. And one that follows nothing, with its voltage fixed at rest by supplies,
smooths a reference.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

import networkx as nx
import numpy as np

from ..values.arrays import Array
from ..values.errors import InputError
from .devices import GROUND, JUNCTIONS, FlatDeck
from .nodal import Nodal, StateCapacitor, linear_form

# A gap of so much between time constants divides states from what is fast.
GAP = 30.0
# A singular value below this part of the largest one is 0.
NOTHING = 1e-12
# How nodes that stand for a controlled source begin.
DRIVEN = "source of "


class Found(NamedTuple):
    """The states of a deck, the deck without its other capacitors, and what these are, in words.

    `fast`: by name of a capacitor, its time constant, seconds. `at_rest`: by name of one that smooths a reference, its
    voltage.
    """

    states: tuple[StateCapacitor, ...]
    deck: FlatDeck
    fast: dict[str, float]
    notes: tuple[str, ...]
    at_rest: Mapping[str, float] = {}


def find_states(deck: FlatDeck, wanted: Sequence[str] | None, curves: Sequence[str] = ()) -> Found:
    """Return the capacitors that hold states, or those `wanted`, by name.

    Raises InputError for a deck without any, and for names that are no capacitors.
    """
    groups, notes = group_capacitors(deck)
    if deck.labels:
        # A circuit of ours says in which order its states are.
        place = {name: k for k, name in enumerate(deck.labels)}
        last = len(place)
        groups = dict(sorted(groups.items(), key=lambda each: min(place.get(name, last) for name in each[1])))
    if wanted is not None:
        groups = _choose(deck, groups, wanted)
    states = [make_state(deck, names) for names in groups.values()]
    if not states:
        raise InputError("deck: has no capacitor that could hold a state; a network has one for each neuron")
    if wanted is not None:
        kept = {name for state in states for name in state.names}
        rest = [device.name for device in deck.of("C") if device.name not in kept]
        return Found(tuple(states), deck.without(rest), {}, tuple(notes))
    states = drop_determined(deck, states, notes, curves)
    states, deck, at_rest = _fix_references(deck, states, notes)
    if states:
        states, fast = _drop_fast(deck, states, notes, curves)
    else:
        said = "; ".join(notes) or "none follows another one or an amplifier"
        raise InputError(f"deck: none of its capacitors holds a state ({said}); name those that do in `states`")
    kept = {name for state in states for name in state.names}
    rest = [device.name for device in deck.of("C") if device.name not in kept]
    return Found(tuple(states), deck.without(rest), fast, tuple(notes), at_rest)


def _choose(
    deck: FlatDeck, groups: dict[frozenset[str], list[str]], wanted: Sequence[str]
) -> dict[frozenset[str], list[str]]:
    chosen: dict[frozenset[str], list[str]] = {}
    for name in wanted:
        device = deck.device(name)
        where = next((ends for ends, names in groups.items() if device.name in names), None)
        if where is None:
            raise InputError(f"`states` names {name!r:.60}: must be a capacitor that is not between fixed voltages")
        chosen[where] = groups[where]
    return chosen


def group_capacitors(deck: FlatDeck) -> tuple[dict[frozenset[str], list[str]], list[str]]:
    """Return by nodes the names of the capacitors there, fixed nodes as ground, and notes of those that decouple."""
    fixed = deck.fixed
    groups: dict[frozenset[str], list[str]] = {}
    notes = []
    for device in deck.of("C"):
        ends = frozenset(GROUND if node in fixed else node for node in device.nodes)
        if len(ends) < 2:
            notes.append(f"{device.name} is between fixed voltages, so it decouples a supply")
            continue
        groups.setdefault(ends, []).append(device.name)
    return groups, notes


def make_state(deck: FlatDeck, names: Sequence[str]) -> StateCapacitor:
    first = deck.by_name[names[0]]
    total = sum(deck.by_name[name].value or 0.0 for name in names)
    return StateCapacitor(tuple(names), (first.nodes[0], first.nodes[1]), total)


def drop_determined(
    deck: FlatDeck, states: list[StateCapacitor], notes: list[str], curves: Sequence[str]
) -> list[StateCapacitor]:
    """Return the states without those whose voltage others determine: loads of op-amps, loops of capacitors."""
    states = list(states)
    while states:
        nodal = Nodal(deck, states, curves)
        scale_rows, scale_columns = nodal._scales
        scaled = nodal.matrix * scale_rows[:, np.newaxis] * scale_columns
        u, sizes, _ = np.linalg.svd(scaled)
        free = int(np.count_nonzero(sizes <= NOTHING * sizes[0]))
        if not free:
            break
        weights = np.abs(u[list(nodal.clamps), -1])
        if np.max(weights, initial=0.0) < 1e-6:
            break  # it is not the capacitors that are too many
        among = [k for k in range(len(states)) if weights[k] > 1e-3 * np.max(weights)]
        worst = min(among, key=lambda k: states[k].capacitance)
        rest = Nodal(deck, [*states[:worst], *states[worst + 1 :]], curves)
        if rest.count_free(NOTHING) >= free:
            break  # without it as much is undetermined: it is something else
        notes.append(f"{'+'.join(states[worst].names)} is across a voltage that others fix, so it holds no state")
        del states[worst]
    return states


def _times(nodal: Nodal) -> Array:
    """Return the time constant of each state while the others are held, seconds; infinite without a leak."""
    own = np.abs(np.diag(nodal.currents[:, : len(nodal.states)]))
    capacitances = np.array([state.capacitance for state in nodal.states])
    with np.errstate(divide="ignore"):
        return np.asarray(capacitances / own)


def _drop_fast(
    deck: FlatDeck, states: list[StateCapacitor], notes: list[str], curves: Sequence[str]
) -> tuple[list[StateCapacitor], dict[str, float]]:
    """Return the states on the slow side of the widest gap between time constants, and how fast the others are."""
    times = _times(Nodal(deck, states, curves))
    finite = np.where(np.isfinite(times), times, np.inf)
    order = np.argsort(-finite)
    ordered = finite[order]
    steps = [ordered[k] / ordered[k + 1] if np.isfinite(ordered[k]) else 1.0 for k in range(len(ordered) - 1)]
    if not steps or max(steps) < GAP:
        return states, {}
    cut = int(np.argmax(steps)) + 1
    slow = sorted(order[:cut].tolist())
    fast = {}
    for k in sorted(order[cut:].tolist()):
        name = "+".join(states[k].names)
        fast[name] = float(times[k])
        notes.append(f"{name} is fast ({times[k]:.2g} s), so it compensates an amplifier, or is a stray")
    return [states[k] for k in slow], fast


def _fix_references(
    deck: FlatDeck, states: list[StateCapacitor], notes: list[str]
) -> tuple[list[StateCapacitor], FlatDeck, dict[str, float]]:
    """Return the states that follow something, and the deck with the others at rest as sources of their voltage."""
    graph, stiff = _influence(deck)
    moving = [state for state in states if _moves_itself(graph, stiff, state)]
    reached = {node for state in moving for node in _reach(graph, stiff, state)} | _driven_by_inputs(deck, graph)
    known = set(deck.labels or ())
    followers = [
        s
        for s in states
        if s in moving or reached & set(s.nodes) or known & set(s.names) or _makes_a_curve(deck, graph, stiff, s)
    ]
    still = [state for state in states if state not in followers]
    if not still or not followers:
        return states, deck, {}
    # Where they rest: with all of them open, as no current goes into them.
    open_deck = deck.without(name for state in still for name in state.names)
    nodal = Nodal(open_deck, followers)
    at_rest: dict[str, float] = {}
    for state in still:
        volts = float((nodal.voltage(state.nodes[0]) - nodal.voltage(state.nodes[1]))[-1])
        source = replace(deck.by_name[state.names[0]], kind="V", value=volts)
        deck = deck.without(state.names)
        deck = deck.with_devices((*deck.devices, source))
        at_rest |= dict.fromkeys(state.names, volts)
        notes.append(
            f"{'+'.join(state.names)} smooths a reference of {volts:.4g} V; if it is a neuron that nothing drives, "
            "name the capacitors of all neurons in `states`"
        )
    return followers, deck, at_rest


def _driven_by_inputs(deck: FlatDeck, graph: nx.DiGraph[str]) -> set[str]:
    """Return the nodes that inputs move, those of sources with a waveform among them."""
    starts = {node for device in deck.of("V", "I") if device.wave for node in device.nodes} - set(deck.fixed)
    return starts | {node for start in starts if start in graph for node in nx.descendants(graph, start)}


def _reach(graph: nx.DiGraph[str], stiff: set[str], state: StateCapacitor) -> set[str]:
    """Return what a capacitor moves, itself left out where nothing leads back."""
    starts = [node for node in state.nodes if node in graph and node not in stiff]
    return {node for start in starts for node in nx.descendants(graph, start)}


def _moves_itself(graph: nx.DiGraph[str], stiff: set[str], state: StateCapacitor) -> bool:
    """Whether a capacitor moves its own voltage over a source that it controls, as every neuron does."""
    driven = {node for node in _reach(graph, stiff, state) if node.startswith(DRIVEN)}
    return any(node in nx.descendants(graph, source) for source in driven for node in state.nodes)


def _makes_a_curve(deck: FlatDeck, graph: nx.DiGraph[str], stiff: set[str], state: StateCapacitor) -> bool:
    """Whether a formula that is not linear is of the voltage of a capacitor, as of a neuron's and of no reference's.

    A formula that moves what it is of itself is an op-amp with feedback, which a reference may have.
    """
    wires = graph.subgraph([node for node in graph if not node.startswith(DRIVEN)])
    starts = {node for node in state.nodes if node in wires and node not in stiff}
    seen = starts.union(*(nx.descendants(wires, node) for node in starts))
    for device in deck.of("B"):
        if device.formula is None or linear_form(device.formula) is not None or not seen & set(device.sensed):
            continue
        if not nx.descendants(graph, f"{DRIVEN}{device.name}") & set(device.sensed):
            return True
    return False


def _influence(deck: FlatDeck) -> tuple[nx.DiGraph[str], set[str]]:
    """Return what moves what, nodes, and for each controlled source one that stands for it; and the nodes held by one.

    Over resistors and semiconductors nodes move each other; sources of voltages and op-amps move their outputs, which
    nothing else does; fixed nodes are left out.
    """
    graph: nx.DiGraph[str] = nx.DiGraph()
    fixed = set(deck.fixed)
    stiff: set[str] = set()
    for device in deck.devices:
        is_driven = bool(device.is_op_amp or device.sensed or device.control)
        if not is_driven:
            continue
        outputs = device.output if device.is_op_amp else device.nodes
        inputs = device.inputs if device.is_op_amp else device.sensed
        marker = f"{DRIVEN}{device.name}"
        for node in inputs:
            if node not in fixed:
                graph.add_edge(node, marker)
        for node in outputs:
            if node not in fixed:
                graph.add_edge(marker, node)
        gives_voltage = device.is_op_amp or device.kind in ("E", "H") or device.gives == "voltage"
        if gives_voltage and device.kind not in ("G", "F"):
            stiff |= {node for node in outputs if sum(n in fixed for n in outputs) == 1}
    for device in deck.devices:
        if device.kind in ("R", *JUNCTIONS) or (device.kind == "V" and device.nodes[0] not in fixed):
            ends = [node for node in device.nodes if node not in fixed]
            for here in ends:
                for there in ends:
                    if here != there and there not in stiff:
                        graph.add_edge(here, there)
    return graph, stiff
