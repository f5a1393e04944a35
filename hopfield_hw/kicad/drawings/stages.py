"""What of a sheet belongs together: op-amps with the parts around them, differential pairs, and what is left over."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from ...assembly import Assembly, Component, Unit
from ...assembly.component import GROUND
from ..symbols import Pin, symbol

TWO_ENDED = frozenset({"R", "C", "D", "DZ"})


class Placed(NamedTuple):
    """A unit of a component, and the pins of its two ends where it lies between two nets."""

    component: Component
    unit: Unit
    ends: tuple[str, str] | None = None

    def net(self, pin: str) -> str | None:
        return self.unit.pins[pin]

    def turned(self) -> Placed:
        """The same part, seen from its other end."""
        assert self.ends is not None
        return self._replace(ends=(self.ends[1], self.ends[0]))

    @property
    def between(self) -> tuple[str | None, str | None]:
        assert self.ends is not None
        return self.unit.pins[self.ends[0]], self.unit.pins[self.ends[1]]


class Branch(NamedTuple):
    """Parts in series, from one net to another; `nets` has one more than `parts`."""

    parts: tuple[Placed, ...]
    nets: tuple[str | None, ...]

    @property
    def first(self) -> str | None:
        return self.nets[0]

    @property
    def last(self) -> str | None:
        return self.nets[-1]

    def turned(self) -> Branch:
        return Branch(tuple(part.turned() for part in reversed(self.parts)), self.nets[::-1])


class Amplifier(NamedTuple):
    """An op-amp: what leads to its inverting input, and what lies from there to its output."""

    placed: Placed
    pins: tuple[str, str, str]  # output, inverting, other input
    inputs: tuple[Branch, ...]
    feedback: tuple[Branch, ...]
    pair: Pair | None = None

    @property
    def output(self) -> str | None:
        return self.placed.net(self.pins[0])

    @property
    def minus(self) -> str | None:
        return self.placed.net(self.pins[1])

    @property
    def plus(self) -> str | None:
        return self.placed.net(self.pins[2])


class Pair(NamedTuple):
    """Two transistors with one emitter, what leads to their bases, and what takes the tail's current.

    `input`: that whose base the signal drives; `other`: that whose collector feeds the op-amp.
    """

    input: Placed
    other: Placed
    tail: Placed | None
    into: tuple[Branch, ...]  # to the base of `input`, the one that carries the signal first
    balance: tuple[Branch, ...]
    degeneration: tuple[Branch, ...]


class Contents(NamedTuple):
    """What a sheet shows: op-amps in the order of the signal, parts that belong to none, points to measure by net."""

    amplifiers: tuple[Amplifier, ...]
    loose: tuple[Placed, ...]
    points: Mapping[str, Placed]


def find_contents(assembly: Assembly, sheet: str) -> Contents:
    """Return what a sheet shows, grouped for drawing.

    Two-ended parts in series through nets that nothing else is at make one branch. A branch from an op-amp's inverting
    input to its output is feedback; one that ends at the inverting input alone leads into it.
    """
    units = [
        Placed(component, unit) for component in assembly.components for unit in component.units if unit.sheet == sheet
    ]
    points = {str(p.unit.pins["1"]): p for p in units if p.component.symbol == "TP"}
    pool = _Pool(assembly, [_with_ends(p) for p in units if p.component.symbol != "TP"])
    sections = [(p, pins) for p in pool.others if (pins := amplifier_pins(p)) is not None]
    transistors = [p for p in pool.others if is_transistor(p)]
    feedback = {p.unit.role: pool.take_between(p.net(pins[1]), p.net(pins[0])) for p, pins in sections}
    pairs = _find_pairs(pool, transistors, {str(p.net(pins[1])) for p, pins in sections})
    amplifiers = []
    for placed, pins in sections:
        minus = placed.net(pins[1])
        pair = pairs.pop(str(minus), None)
        inputs = () if minus == placed.net(pins[0]) else pool.take_at(minus)
        amplifiers.append(Amplifier(placed, pins, inputs, feedback[placed.unit.role], pair))
    used = {a.placed.unit.role for a in amplifiers}
    for amplifier in amplifiers:
        if amplifier.pair is not None:
            pair = amplifier.pair
            used |= {p.unit.role for p in (pair.input, pair.other, pair.tail) if p is not None}
    loose = [p for p in pool.others if p.unit.role not in used]
    loose += [part for branch in pool.branches for part in branch.parts]
    return Contents(tuple(_in_order(amplifiers)), tuple(loose), points)


def amplifier_pins(placed: Placed) -> tuple[str, str, str] | None:
    """Return the pins of an op-amp's section: output, inverting and other input; None for another unit."""
    names = {pin.name: pin.number for pin in unit_pins(placed)}
    return (names["OUT"], names["-"], names["+"]) if set(names) == {"OUT", "-", "+"} else None


def is_transistor(placed: Placed) -> bool:
    """Whether a unit is one transistor, with a collector, a base and an emitter."""
    names = {pin.name for pin in unit_pins(placed)}
    return names == {"C", "B", "E"}


def named_pin(placed: Placed, name: str) -> str:
    """Return the number of a pin of a unit by its name."""
    return next(pin.number for pin in unit_pins(placed) if pin.name == name)


def unit_pins(placed: Placed) -> tuple[Pin, ...]:
    """Return the pins of a unit as its symbol has them."""
    return symbol(placed.component.symbol).units[placed.unit.number - 1].pins


def _with_ends(placed: Placed) -> Placed:
    if placed.component.symbol in TWO_ENDED:
        return placed._replace(ends=("1", "2"))
    names = {pin.name: pin.number for pin in unit_pins(placed)}
    if set(names) == {"D", "S", "IN"}:
        return placed._replace(ends=(names["D"], names["S"]))
    return placed


class _Pool:
    """The branches of a sheet that no stage has taken yet, and its units that are no two-ended parts."""

    def __init__(self, assembly: Assembly, units: Sequence[Placed]) -> None:
        self.others = [p for p in units if p.ends is None]
        single = [Branch((p,), p.between) for p in units if p.ends is not None]
        at: dict[str, list[Branch]] = {}
        for branch in single:
            for net in branch.nets:
                at.setdefault(str(net), []).append(branch)
        inner = {
            net
            for net, found in at.items()
            if len(found) == 2 and found[0] is not found[1] and len(assembly.nets[net]) == 2 and net != GROUND
        }
        self.branches = _join(single, inner)

    def take(self, branches: Iterable[Branch]) -> tuple[Branch, ...]:
        chosen = tuple(branches)
        self.branches = [b for b in self.branches if all(b.parts[0].unit is not c.parts[0].unit for c in chosen)]
        return tuple(sorted(chosen, key=lambda b: len(b.parts)))

    def take_between(self, first: str | None, last: str | None) -> tuple[Branch, ...]:
        """Take the branches between two nets, from the first one; none where these are one net."""
        if first == last:
            return ()
        found = [b for b in self.branches if {b.first, b.last} == {first, last}]
        return self._turn(self.take(found), last)

    def take_at(self, net: str | None) -> tuple[Branch, ...]:
        """Take the branches that end at a net, with this end last."""
        kept = [b for b in self.branches if net in (b.first, b.last)]
        place = {b.parts[0].unit.role: k for k, b in enumerate(kept)}
        taken = sorted(self.take(kept), key=lambda b: place[b.parts[0].unit.role])
        return self._turn(taken, net)

    @staticmethod
    def _turn(branches: Iterable[Branch], last: str | None) -> tuple[Branch, ...]:
        return tuple(b if b.last == last else b.turned() for b in branches)


def _join(branches: Sequence[Branch], inner: set[str]) -> list[Branch]:
    """Return branches with those that meet at an inner net in one."""
    joined: list[Branch] = []
    waiting = list(branches)
    while waiting:
        branch = waiting.pop(0)
        again = True
        while again:
            again = False
            for k, other in enumerate(waiting):
                ends = (branch.first, branch.last)
                meets = next((n for n in ends if n in inner and n in (other.first, other.last)), None)
                if meets is not None:
                    head = branch if branch.last == meets else branch.turned()
                    tail = other if other.first == meets else other.turned()
                    branch = Branch((*head.parts, *tail.parts), (*head.nets, *tail.nets[1:]))
                    del waiting[k]
                    again = True
                    break
        joined.append(branch)
    return joined


def _find_pairs(pool: _Pool, transistors: Sequence[Placed], inverting: set[str]) -> dict[str, Pair]:
    """Return each differential pair by the net of its second collector, with what lies at its bases and its tail."""

    def net(placed: Placed, name: str) -> str:
        return str(placed.net(named_pin(placed, name)))

    pairs = {}
    for other in transistors:
        collector = net(other, "C")
        partners = [t for t in transistors if t is not other and net(t, "E") == net(other, "E")]
        if collector not in inverting or len(partners) != 1:
            continue
        emitter = net(other, "E")
        tail = next((t for t in transistors if net(t, "C") == emitter), None)
        degeneration = () if tail is None else pool.take_at(net(tail, "E"))
        into, balance = pool.take_at(net(partners[0], "B")), pool.take_at(net(other, "B"))
        into = tuple(sorted(into, key=lambda b: b.first == GROUND))
        pairs[collector] = Pair(partners[0], other, tail, into, balance, degeneration)
    return pairs


def _in_order(amplifiers: Sequence[Amplifier]) -> list[Amplifier]:
    """Return op-amps so that each follows those that drive it, as far as that goes."""
    waiting, order = list(amplifiers), []
    driven = {a.output for a in amplifiers}
    known: set[str | None] = set()
    while waiting:
        ready = [a for a in waiting if not ((sources(a) & driven) - known - {a.output})]
        chosen = (ready or waiting)[0]
        order.append(chosen)
        waiting.remove(chosen)
        known.add(chosen.output)
    return order


def sources(amplifier: Amplifier) -> set[str | None]:
    """Return the nets that an op-amp's own parts lead from."""
    found: set[str | None] = {b.first for b in amplifier.inputs} | {amplifier.plus}
    if amplifier.pair is not None:
        found |= {b.first for b in amplifier.pair.into}
    return found
