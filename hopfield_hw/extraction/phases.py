"""Which capacitors follow and which are held in each phase of a clock, and what those that follow become."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from ..values.arrays import Array
from ..values.errors import InputError
from ..values.si_text import format_si
from .clocks import Clocking, Phase
from .devices import FlatDeck
from .nodal import Nodal, StateCapacitor
from .views import Tie, without_tie

# A coefficient below this part of the largest one of its row is none.
NOTHING = 1e-6
# A capacitor follows where closed switches make its conductance so many times that with all of them open.
FOLLOWS = 2.0
# Of a step, what must not be left when a phase ends: a capacitor that has not moved by this does not follow.
STUCK = 0.5
# One that no switch drives is fast where it settles within this part of the shortest phase.
FAST = 0.1


class Following(NamedTuple):
    """What happens in a phase: the capacitors that follow, by place, and what is left of a step at its end."""

    phase: Phase
    driven: list[int]
    left: float


def _conductances(deck: FlatDeck, capacitors: Sequence[StateCapacitor], ideal: bool) -> Array:
    """Return the currents into held capacitors by their voltages, (n, n), siemens."""
    kept = deck.without(device.name for device in deck.of("C"))
    return Nodal(kept, capacitors, ideal=ideal).currents[:, : len(capacitors)]


def find_driven(
    deck: FlatDeck, clock: Clocking, capacitors: list[StateCapacitor], notes: list[str], ideal: bool
) -> tuple[list[Following], dict[str, float]]:
    """Return the phases in which capacitors follow, and the capacitors that are only fast, taken off the others."""
    still = np.abs(np.diag(_conductances(clock.with_closed(deck, None), capacitors, ideal)))
    moving = [_conductances(clock.with_closed(deck, phase), capacitors, ideal) for phase in clock.phases]
    least = 1e-12 * max((float(np.max(np.abs(np.diag(each)))) for each in moving), default=0.0)
    driven = [np.flatnonzero(np.abs(np.diag(each)) > FOLLOWS * still + least).tolist() for each in moving]
    shortest = min(phase.length for phase in clock.phases)
    fast: dict[str, float] = {}
    for k, state in enumerate(capacitors):
        name, device = "+".join(state.names), deck.by_name[state.names[0]]
        times = [p for p, each in enumerate(driven) if k in each]
        if len(times) > 1:
            one, other = (str(clock.phases[p]) for p in times[:2])
            raise InputError(
                f"{device.where}: {name} is driven in two phases, by {one} and by {other}: a map has one value of it "
                "in a period"
            )
        if times:
            continue
        tau = state.capacitance / still[k] if still[k] else np.inf
        if tau > FAST * shortest:
            said = "holds its voltage" if not np.isfinite(tau) else f"moves by itself in {format_si(tau, 's')}"
            raise InputError(
                f"{device.where}: {name} ({format_si(state.capacitance, 'F')}) is driven by no switch, and decouples "
                f"no supply: it {said}, between the instants of the clock, and a map has no such state; give it a "
                "switch, or leave it out"
            )
        fast[name] = float(tau)
        notes.append(f"{name} is fast ({tau:.2g} s), so it compensates an amplifier, or is a stray")
    kept = [k for k in range(len(capacitors)) if "+".join(capacitors[k].names) not in fast]
    found = []
    for phase, places, each in zip(clock.phases, driven, moving, strict=True):
        if places:
            inner = each[np.ix_(places, places)]
            rates = -np.linalg.eigvals(inner / np.array([capacitors[k].capacitance for k in places])[:, None]).real
            slowest = float(np.min(rates)) * phase.length
            names = ", ".join("+".join(capacitors[k].names) for k in places[:4])
            if slowest < -np.log(1.0 - STUCK):
                where = deck.by_name[phase.switches[0]].where
                raise InputError(
                    f"{where}: {names} do not settle while {phase} are closed: they share their charge without a "
                    "buffer between, drive each other, or the clock is too fast; a map needs values that are reached"
                )
            found.append(Following(phase, [kept.index(k) for k in places], float(np.exp(-min(slowest, 700.0)))))
    capacitors[:] = [capacitors[k] for k in kept]
    return found, fast


class Maps:
    """What the capacitors that follow in a phase become, as a function of those that are held."""

    def __init__(self, deck: FlatDeck, clock: Clocking, capacitors: Sequence[StateCapacitor], ideal: bool) -> None:
        self.deck, self.clock, self.capacitors, self.ideal = deck, clock, tuple(capacitors), ideal
        self.ties: dict[str, Tie] = {}
        devices = []
        for device in deck.devices:
            if device.kind == "B" and device.name not in clock.switches:
                device, tie = without_tie(device)
                if tie is not None:
                    self.ties[device.name] = tie
            devices.append(device)
        self.plain = deck.with_devices(devices)

    def in_phase(self, phase: Phase, held: Sequence[int]) -> FlatDeck:
        """Return the deck as it is in a phase: with the held capacitors only, and without switches that are open."""
        closed = self.clock.with_closed(self.plain, phase)
        kept = {name for k in held for name in self.capacitors[k].names}
        gone = [device.name for device in closed.of("C") if device.name not in kept]
        others = closed.without([*gone, *(name for name in self.clock.switches if name not in phase.switches)])
        there = {node for device in others.devices for node in device.all_nodes} | {"0"}
        loose = {
            name
            for name in self.clock.switches
            if name not in phase.switches and not set(closed.by_name[name].nodes) <= there
        }
        opened = [name for name in self.clock.switches if name not in phase.switches and name not in loose]
        return closed.without([*gone, *opened])

    def solve(self, phase: Phase, held: Sequence[int], driven: Sequence[int]) -> tuple[Nodal, Array]:
        """Return the deck of a phase, solved, and the voltages of the driven capacitors, (driven, columns)."""
        deck = self.in_phase(phase, held)
        kept = deck.without(device.name for device in deck.of("C"))
        nodal = Nodal(kept, [self.capacitors[k] for k in held], ideal=self.ideal)
        rows = [nodal.voltage(self.capacitors[k].nodes[0]) - nodal.voltage(self.capacitors[k].nodes[1]) for k in driven]
        found = np.array(rows)
        size = np.max(np.abs(found[:, :-1]), axis=1, initial=1e-30, keepdims=True)
        found[:, :-1] = np.where(np.abs(found[:, :-1]) > NOTHING * size, found[:, :-1], 0.0)
        first = nodal.width - 1 - len(nodal.inputs)
        seen = [*found, *(nodal.voltage(node) for device in nodal.curves for node in device.sensed)]
        for k, device in enumerate(nodal.inputs):
            if device.name in self.clock.sources and any(abs(row[first + k]) > NOTHING for row in seen):
                raise InputError(
                    f"{device.where}: the clock {device.name} also drives the network: its values would change with "
                    "its phases; drive only switches with it"
                )
        return nodal, found

    def order(self, found: Sequence[Following]) -> tuple[Following, Following, Array]:
        """Return the phase that computes, the one that copies, and the rows of the copy."""
        if len(found) != 2:
            names = "; ".join(str(each.phase) for each in found) or "none"
            raise InputError(
                f"deck: capacitors follow in {len(found)} phases of the clock ({names}): a map needs two, one that "
                "computes the next values while the present ones are held, and one that takes them over"
            )
        copies = []
        for copying, computing in ((found[1], found[0]), (found[0], found[1])):
            _, rows = self.solve(copying.phase, computing.driven, copying.driven)
            n = len(computing.driven)
            linked = rows[:, :n] != 0.0
            is_one = bool(np.all(linked.sum(axis=0) == 1) and np.all(linked.sum(axis=1) == 1))
            if len(copying.driven) == n and is_one and not np.any(rows[:, n:-1]):
                copies.append((computing, copying, rows))
        if not copies:
            one, other = found[0].phase, found[1].phase
            for each in found:
                self._refuse_bare(each)
            raise InputError(
                f"deck: neither of the two phases ({one}; {other}) takes over each capacitor as it is: the map of a "
                "period would be one of two networks in turn, which is not read back as one"
            )
        seen = [each for each in copies if self._labelled(each[1])]
        return (seen or copies)[0]

    def _refuse_bare(self, each: Following) -> None:
        """Refuse a phase with a switch that leads to no capacitor."""
        nodes = {node for k in each.driven for node in self.capacitors[k].nodes} - {"0"}
        for name in each.phase.switches:
            device = self.deck.by_name[name]
            if not nodes & set(device.nodes):
                raise InputError(
                    f"{device.where}: switch {name} leads to no capacitor that holds what it passes on: a hold "
                    "capacitor is missing; each state of a map needs one"
                )

    def _labelled(self, copying: Following) -> bool:
        probes = self.deck.probes or {}
        if not probes or not copying.driven:
            return False
        return len(self.labels(copying.driven)) == len(copying.driven)

    def labels(self, held: Sequence[int]) -> dict[int, str]:
        """Return by place of a capacitor the label of its state, where a circuit of ours says at which node that is."""
        opened = self.clock.with_closed(self.plain, None)
        kept = opened.without(device.name for device in opened.of("C"))
        nodal = Nodal(kept, self.capacitors, ideal=self.ideal)
        found = {}
        for node, label in (self.deck.probes or {}).items():
            row = nodal.voltage(node)
            places = np.flatnonzero(np.abs(row) > NOTHING).tolist()
            if len(places) == 1 and places[0] in held:
                found[places[0]] = label
        return found
