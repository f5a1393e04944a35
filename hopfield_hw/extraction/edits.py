"""Single changes of a deck that might be its fault, and what each leaves of what differs from the intended network.

Most are rank-one changes of the matrix, so that all of them are weighed at once: a resistor of another value, one too
many, one that is missing between any two nodes, one that goes to another node. The best are then worked out exactly.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import combinations
from typing import NamedTuple

import numpy as np
from scipy.optimize import minimize_scalar

from ..values.arrays import Array
from ..values.errors import InputError
from ..values.si_text import format_si
from .comparison import Reading
from .devices import FlatDeck, FlatDevice
from .findings import Kind
from .pairs import PROMISING, Pairs, trim

# What a fault may choose costs as much chi-square as it gains by chance: an edit without a number is likelier than one
# with a fitted number (an Occam factor; MacKay, Information Theory, chapter 28).
PENALTIES: dict[Kind, float] = {
    "inputs": 6.0,
    "extra": 8.0,
    "exchanged": 12.0,
    "rewired": 14.0,
    "value": 4.0,
    "capacitor": 4.0,
    "source": 5.0,
    "missing": 8.0,
    "load": 8.0,
}
FITTED = frozenset({"value", "capacitor", "source", "missing"})
# So many changes that promise most are worked out.
MOST = 24
# A value is fitted where a small change of it is along what differs by this cosine.
ALIGNED = 0.05
# A resistor of so much is an open one, and one of so little a short.
OPEN, SHORT = 1e8, 10.0
NEW = "r__missing"
# A resistor that changes all values by less than this does nothing for the network.
IDLE = 1e-6


class Edit(NamedTuple):
    """A change that repairs a deck: what it is, in words, the deck after it, and what it leaves, as a residual.

    `nodes`: of a missing device or a new end.
    """

    kind: Kind
    words: str
    devices: tuple[str, ...]
    nodes: tuple[str, ...]
    deck: FlatDeck
    residual: Array


def find_edits(reading: Reading, floor: float, known: FlatDeck | None = None) -> list[Edit]:
    """Return the single changes that may explain what differs; `floor`: what differs by less counts as nothing.

    `known`: the deck as it should be, where that is known: resistors that are not in it are loads.
    """
    work = _Search(reading, floor)
    if work.total == 0.0:
        return [*work.inputs(), *work.idle(known)]
    return [
        *work.inputs(),
        *work.idle(known),
        *work.capacitors(),
        *work.values(),
        *work.exchanges(),
        *work.ends(),
        *work.missing(),
    ]


class _Search:
    """The changes of one deck."""

    def __init__(self, reading: Reading, floor: float) -> None:
        self.reading, self.floor = reading, floor
        self.deck, self.frame = reading.deck, reading.frame
        self.rest = trim(reading.residual, floor)
        self.total = float(self.rest @ self.rest)
        nodal = reading.nodal
        self.clamps = nodal.inverse[list(nodal.clamps)]
        self.base = reading.residual

    def _read(self, deck: FlatDeck) -> Array | None:
        try:
            return Reading(deck, self.frame).residual
        except InputError:
            return None

    def _left(self, residual: Array) -> float:
        cut = trim(residual, self.floor)
        return float(cut @ cut)

    def _try(
        self, kind: Kind, words: str, devices: Sequence[str], deck: FlatDeck, nodes: Sequence[str] = ()
    ) -> Iterator[Edit]:
        """Yield an edit where it makes what differs less."""
        residual = self._read(deck)
        if residual is not None and self._left(residual) < 0.9 * self.total:
            yield Edit(kind, words, tuple(devices), tuple(nodes), deck, residual)

    def inputs(self) -> Iterator[Edit]:
        """Yield op-amps with positive feedback, with their inputs exchanged: nullors do not show it."""
        for name in (*self.reading.nodal.find_turned(), *self.reading.linear.find_turned()):
            device = self.deck.by_name[name]
            repaired = self.deck.with_device(device.with_inputs_exchanged())
            residual = self._read(repaired)
            if residual is not None:
                yield Edit("inputs", f"inputs of {name} are exchanged", (name,), (), repaired, residual)

    def capacitors(self) -> Iterator[Edit]:
        """Yield capacitors of another value, where one alone is of its state."""
        for k, names in enumerate(self.frame.states):
            found, wanted = self.reading.states[k].capacitance, float(self.frame.intended.capacitance[k])
            if abs(found / wanted - 1.0) <= self.floor:
                continue
            for name in names:
                if name not in self.deck.by_name:
                    continue
                device = self.deck.by_name[name]
                value = (device.value or 0.0) + wanted - found
                if value > 0.0:
                    words = f"{name} is {format_si(device.value or 0.0, 'F')}, and should be {format_si(value, 'F')}"
                    yield from self._try(
                        "capacitor", words, [name], self.deck.with_device(replace(device, value=value))
                    )

    def _effect(self, left: Array, right: Array) -> Array:
        """Return the residual of a small rank-one change, for each unit of it."""
        nodal = self.reading.nodal
        change = -np.outer(self.clamps @ left, right @ nodal.solution)
        return self.frame.residual(self.reading.assemble(nodal.currents + change, self.reading.slopes)) - self.base

    def _vectors(self, device: FlatDevice) -> tuple[Array, Array] | None:
        """Return p and q of a change of a device's value; None for one that is no rank-one change."""
        nodal = self.reading.nodal
        p, q = np.zeros(len(nodal.matrix)), np.zeros(len(nodal.matrix))
        if device.kind == "R":
            _put(nodal.places, p, device.nodes)
            return p, p
        if device.kind == "G":
            _put(nodal.places, p, device.nodes)
            _put(nodal.places, q, device.sensed)
            return p, q
        if device.kind == "E" and not device.is_op_amp:
            p[nodal.branches[device.name]] = -1.0
            _put(nodal.places, q, device.sensed)
            return p, q
        return None

    def values(self) -> Iterator[Edit]:
        """Yield devices of another value, and such that should not be there."""
        tried = []
        for device in self.deck.devices:
            if device.kind not in ("R", "G", "E", "V", "I") or device.is_op_amp or device.wave or not device.value:
                continue
            if device.kind == "R" and device.value >= OPEN:
                tried.append((1.0, device))
                continue
            step = 1e-4
            changed = self._read(self.deck.with_device(replace(device, value=device.value * (1.0 + step))))
            if changed is None:
                continue
            effect = (changed - self.base) / step
            size = float(np.linalg.norm(effect))
            if size < 1e-7:
                continue
            touches = bool(np.any((np.abs(effect) > 1e-6 * np.max(np.abs(effect))) & (self.rest != 0.0)))
            if not touches:
                continue
            along = abs(float(effect @ self.rest)) / (size * math.sqrt(self.total))
            tried.append((along, device))
        tried.sort(key=lambda pair: -pair[0])
        self.touched = [device for _, device in tried]
        for along, device in tried[:MOST]:
            if device.kind in ("R", "I", "G"):
                words = f"{device.name} ({_value(device)}) should not be there"
                yield from self._try("extra", words, [device.name], self.deck.without([device.name]))
            if along > ALIGNED:
                yield from self._fit(device)

    def idle(self, known: FlatDeck | None) -> Iterator[Edit]:
        """Yield resistors that do nothing for the network, and are not in a known deck: loads."""
        for device in self.deck.of("R"):
            if known is None or not is_stranger(device, known) or (device.value or 0.0) >= OPEN:
                continue
            deck = self.deck.without([device.name])
            residual = self._read(deck)
            if residual is not None and np.max(np.abs(residual - self.base)) < IDLE:
                words = (
                    f"{device.name} ({_value(device)}, {' to '.join(device.nodes)}) is a load that should not be there"
                )
                yield Edit("load", words, (device.name,), (), deck, residual)

    def _fit(self, device: FlatDevice) -> Iterator[Edit]:
        """Yield a device with the value that leaves least."""
        value = device.value or 1.0

        def left(log: float) -> float:
            residual = self._read(self.deck.with_device(replace(device, value=value * math.exp(log))))
            return math.inf if residual is None else self._left_smooth(residual)

        grid = np.linspace(-14.0, 14.0, 29) if device.kind in ("R", "G") else np.linspace(-3.0, 3.0, 25)
        if device.kind == "R" and value >= OPEN:
            grid = np.log(np.geomspace(1e2, 1e7, 41) / value)
        heights = [left(float(log)) for log in grid]
        k = int(np.argmin(heights))
        low, high = float(grid[max(k - 1, 0)]), float(grid[min(k + 1, len(grid) - 1)])
        best = minimize_scalar(left, bounds=(low, high), method="bounded", options={"xatol": 1e-10, "maxiter": 60})
        log = float(best.x)
        log = self._polish(device, value, log)
        repaired = replace(device, value=value * math.exp(log))
        kind: Kind = "source" if device.kind in ("V", "I") else "value"
        yield from self._try(kind, _value_words(device, repaired), [device.name], self.deck.with_device(repaired))
        if device.kind in ("V", "I", "G", "E"):
            turned = replace(device, value=-value)
            words = f"{device.name} is {_value(device)}, and should be {_value(turned)}: its sign is wrong"
            yield from self._try("rewired", words, [device.name], self.deck.with_device(turned))

    def _left_smooth(self, residual: Array) -> float:
        return float(np.sum(np.minimum(residual, 1e3) ** 2))

    def _polish(self, device: FlatDevice, value: float, log: float) -> float:
        """Return the value that leaves least, by Gauss and Newton from near it."""
        for _ in range(6):
            here = self._read(self.deck.with_device(replace(device, value=value * math.exp(log))))
            there = self._read(self.deck.with_device(replace(device, value=value * math.exp(log + 1e-6))))
            if here is None or there is None:
                break
            slope = (there - here) / 1e-6
            size = float(slope @ slope)
            if size == 0.0 or not np.isfinite(size):
                break
            step = -float(slope @ here) / size
            if not abs(step) < 1.0:
                break
            log += step
            if abs(step) < 1e-13:
                break
        return log

    def exchanges(self) -> Iterator[Edit]:
        """Yield two devices of one kind that have each other's value."""
        near = [device for device in self.touched if device.kind in ("R", "G") and (device.value or 0.0) < OPEN]
        effects = {}
        for device in near:
            vectors = self._vectors(device)
            if vectors is not None:
                effects[device.name] = self._effect(*vectors)
        pairs = []
        for a, b in combinations(near, 2):
            if a.kind != b.kind or a.value == b.value or a.name not in effects or b.name not in effects:
                continue
            basis = np.stack([effects[a.name], effects[b.name]], axis=1)
            fit = np.linalg.lstsq(basis, -self.rest, rcond=None)[0]
            rest = self.rest + basis @ fit
            part = float(rest @ rest) / self.total
            if part < PROMISING:
                pairs.append((part, a, b))
        for _, a, b in sorted(pairs, key=lambda pair: pair[0])[:MOST]:
            repaired = self.deck.with_device(replace(a, value=b.value)).with_device(replace(b, value=a.value))
            yield from self._try("exchanged", f"{a.name} and {b.name} are exchanged", [a.name, b.name], repaired)

    def ends(self) -> Iterator[Edit]:
        """Yield resistors with one end at another node."""
        found = []
        for device in self.touched[: 2 * MOST]:
            if device.kind != "R":
                continue
            try:
                without = Reading(self.deck.without([device.name]), self.frame)
                pairs = Pairs(without, self.frame)
            except InputError:
                continue
            for side in (0, 1):
                kept = device.nodes[1 - side]
                for node, left in pairs.with_resistor(kept, 1.0 / (device.value or 1.0), self.floor):
                    if node not in device.nodes and left < PROMISING * self.total:
                        found.append((left, device, side, node))
        for _, device, side, node in sorted(found, key=lambda each: each[0])[:MOST]:
            ends = (node, device.nodes[1]) if side == 0 else (device.nodes[0], node)
            words = f"{device.name} goes to {device.nodes[side]}, and should go to {node}"
            repaired = self.deck.with_device(replace(device, nodes=ends))
            yield from self._try("rewired", words, [device.name], repaired, [node])

    def missing(self) -> Iterator[Edit]:
        """Yield resistors between two nodes where there is none."""
        there = {frozenset(device.nodes) for device in self.deck.of("R")}
        name = f"{NEW}_{sum(device.name.startswith(NEW) for device in self.deck.of('R'))}"
        found = [
            (left, a, b, siemens)
            for left, a, b, siemens in Pairs(self.reading, self.frame).best(self.rest)
            if frozenset((a, b)) not in there and left < PROMISING * self.total
        ]
        for _, a, b, siemens in sorted(found, key=lambda each: each[0])[:MOST]:
            device = FlatDevice(name=name, kind="R", nodes=(a, b), value=1.0 / siemens, where="missing")
            deck = self.deck.with_device(device)
            search = replace_deck(self, deck)
            log = search._polish(device, 1.0 / siemens, 0.0)
            device = replace(device, value=math.exp(log) / siemens)
            words = f"a resistor of {format_si(device.value or 0.0, 'Ohm')} is missing between {a} and {b}"
            yield from self._try("missing", words, [], self.deck.with_device(device), (a, b))


def is_stranger(device: FlatDevice, known: FlatDeck) -> bool:
    """Whether a device is neither in a known deck nor one that a repair has put there."""
    return device.name not in known.by_name and not device.name.startswith(NEW)


def replace_deck(search: _Search, deck: FlatDeck) -> _Search:
    """Return a search of another deck that keeps what the first one differs by."""
    other = object.__new__(_Search)
    other.__dict__.update(search.__dict__)
    other.deck = deck
    return other


def _put(places: dict[str, int], vector: Array, ends: Sequence[str]) -> None:
    for node, sign in zip(ends, (1.0, -1.0), strict=False):
        if node in places:
            vector[places[node]] += sign


def _value(device: FlatDevice) -> str:
    unit = {"R": "Ohm", "C": "F", "V": "V", "I": "A", "G": "S"}.get(device.kind, "")
    return format_si(device.value or 0.0, unit).strip()


def _value_words(found: FlatDevice, repaired: FlatDevice) -> str:
    value = found.value or 0.0
    if found.kind == "R" and value >= OPEN:
        return f"{found.name} is open, and should be {_value(repaired)}"
    if found.kind == "R" and value <= SHORT < (repaired.value or 0.0):
        return f"{found.name} is shorted ({_value(found)}), and should be {_value(repaired)}"
    return f"{found.name} is {_value(found)}, and should be {_value(repaired)}"
