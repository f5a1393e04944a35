"""Single changes of a deck that might be its fault, and what each leaves of what differs from the intended network.

Most are rank-one changes of the matrix, so that all of them are weighed at once: a resistor of another value, one too
many, one that is missing between any two nodes, one that goes to another node. Values are held each against its own
standard deviation here; what is likeliest is weighed again, with the whole covariance, in `chains`.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from ..values.arrays import Array
from ..values.errors import InputError
from ..values.si_text import format_si
from .comparison import Reading
from .devices import FlatDeck, FlatDevice
from .findings import Kind
from .pairs import Pairs
from .parts import Parts, Places
from .spread import Spread

# So many changes that promise most are worked out.
MOST = 16
# A change must make chi-square less by this much to be looked at.
LEAST = 8.0
# A resistor of so much is an open one, and one of so little a short.
OPEN, SHORT = 1e8, 10.0
NEW = "r__missing"
# A resistor that changes all values by less than this does nothing for the network.
IDLE = 1e-6
# Values that are tried, as logarithms of what they are now; of an open resistor, ohms.
WIDE, NARROW, OPENED = np.linspace(-14.0, 14.0, 29), np.linspace(-3.0, 3.0, 25), np.geomspace(1e2, 1e7, 41)
# Steps of Newton and Gauss, each of so much of a logarithm at most, the change at which they end, and that
# over which derivatives are taken.
STEPS, LONGEST, SHORTEST, SMALL = 8, 1.0, 1e-12, 1e-6


class Edit(NamedTuple):
    """A change that repairs a deck: what it is, in words, the deck after it, and what it leaves, as chi-square.

    `nodes`: of a missing device or a new end. `fitted`: the device whose value was chosen so that least is left.
    """

    kind: Kind
    words: str
    devices: tuple[str, ...]
    nodes: tuple[str, ...]
    deck: FlatDeck
    left: float
    fitted: str = ""


def find_edits(spread: Spread, known: FlatDeck | None = None) -> list[Edit]:
    """Return the single changes that may explain what differs, beside what the spread of parts does.

    `known`: the deck as it should be, where that is known: resistors that are not in it are loads.
    """
    work = _Search(spread)
    by_structure = [*work.inputs(), *work.idle(known)]
    if spread.explains:
        return by_structure
    return [
        *by_structure,
        *work.capacitors(),
        *work.values(),
        *work.exchanges(),
        *work.ends(),
        *work.missing(),
    ]


class _Search:
    """The changes of one deck."""

    def __init__(self, spread: Spread) -> None:
        self.spread, self.reading, self.parts = spread, spread.reading, spread.parts
        self.deck, self.frame = self.reading.deck, self.reading.frame
        self.off = self.reading.residual / spread.each
        self.total = float(self.off @ self.off)
        # By device, what the best value of it leaves; the devices for which that is least, first.
        self.best: dict[str, float] = {}
        self.touched: list[FlatDevice] = []

    def _left(self, residuals: Array) -> Array:
        """Return chi-square of differences, (..., values), each value for itself."""
        off = residuals / self.spread.each
        return np.asarray(np.sum(off * off, axis=-1))

    def _read(self, deck: FlatDeck) -> Reading | None:
        try:
            reading = Reading(deck, self.frame)
            return reading if np.all(np.isfinite(reading.residual)) else None
        except InputError:
            return None

    def _try(
        self,
        kind: Kind,
        words: str,
        devices: Sequence[str],
        deck: FlatDeck,
        nodes: Sequence[str] = (),
        fitted: str = "",
    ) -> Iterator[Edit]:
        """Yield an edit where it makes what differs less."""
        reading = self._read(deck)
        if reading is not None:
            left = float(self._left(reading.residual))
            if left < self.total - LEAST:
                yield Edit(kind, words, tuple(devices), tuple(nodes), deck, left, fitted)

    def inputs(self) -> Iterator[Edit]:
        """Yield op-amps with positive feedback, with their inputs exchanged: nullors do not show it."""
        for name in find_turned(self.reading):
            device = self.deck.by_name[name]
            repaired = self.deck.with_device(device.with_inputs_exchanged())
            reading = self._read(repaired)
            if reading is not None:
                left = float(self._left(reading.residual))
                yield Edit("inputs", f"inputs of {name} are exchanged", (name,), (), repaired, left)

    def idle(self, known: FlatDeck | None) -> Iterator[Edit]:
        """Yield resistors that do nothing for the network, and are not in a known deck: loads."""
        for device in self.deck.of("R"):
            if known is None or not is_stranger(device, known) or (device.value or 0.0) >= OPEN:
                continue
            deck = self.deck.without([device.name])
            reading = self._read(deck)
            if reading is not None and np.max(np.abs(reading.residual - self.reading.residual)) < IDLE:
                ends = " to ".join(device.nodes)
                words = f"{device.name} ({_value(device)}, {ends}) is a load that should not be there"
                yield Edit("load", words, (device.name,), (), deck, float(self._left(reading.residual)))

    def capacitors(self) -> Iterator[Edit]:
        """Yield capacitors of another value."""
        for k, names in enumerate(self.frame.states):
            found, wanted = self.reading.states[k].capacitance, float(self.frame.intended.capacitance[k])
            for name in names:
                if name not in self.deck.by_name:
                    continue
                device = self.deck.by_name[name]
                value = (device.value or 0.0) + wanted - found
                if value > 0.0:
                    yield from self._fitted(device, replace(device, value=value))

    def values(self) -> Iterator[Edit]:
        """Yield devices of another value, and such that should not be there."""
        devices = self.parts.devices
        which, logs = [], []
        for k, device in enumerate(devices):
            tried = WIDE if device.kind in ("R", "G") else NARROW
            if device.kind == "R" and abs(device.value or 0.0) >= OPEN:
                tried = np.log(OPENED / abs(device.value or 1.0))
            which.append(np.full(len(tried), k))
            logs.append(tried)
        if not which:
            return
        place, log = np.concatenate(which), np.concatenate(logs)
        values = np.array([device.value for device in devices], dtype=float)
        left = self._left(self.parts.residuals(place, values[place] * np.exp(log)))
        # Better than all that were tried may be the value that a device has.
        start, least = np.zeros(len(devices)), np.full(len(devices), self.total)
        for k in range(len(devices)):
            own = np.flatnonzero(place == k)
            best = own[np.argmin(left[own])]
            if left[best] < least[k]:
                start[k], least[k] = log[best], left[best]
        start, least = self._polish(self.parts, np.arange(len(devices)), start, least)
        self.best = dict(zip((device.name for device in devices), least.tolist(), strict=True))
        order = np.argsort(least, kind="stable").tolist()
        self.touched = [devices[k] for k in order]
        removed = self._removed(self.touched[:MOST])
        for k, without in zip(order, removed, strict=False):
            device = devices[k]
            if device.kind in ("R", "I", "G") and without < self.total - LEAST:
                words = f"{device.name} ({_value(device)}) should not be there"
                yield from self._try("extra", words, [device.name], self.deck.without([device.name]))
            if least[k] < self.total - LEAST:
                repaired = replace(device, value=values[k] * math.exp(start[k]))
                yield from self._fitted(device, repaired, float(least[k]))
            if device.kind in ("V", "I", "G", "E"):
                turned = replace(device, value=-values[k])
                words = f"{device.name} is {_value(device)}, and should be {_value(turned)}: its sign is wrong"
                yield from self._try("rewired", words, [device.name], self.deck.with_device(turned))

    def _removed(self, devices: Sequence[FlatDevice]) -> list[float]:
        """Return what the decks without each of some devices leave."""
        which = np.array([self.parts.names.index(device.name) for device in devices], dtype=int)
        gone = np.array([math.inf if device.kind == "R" else 0.0 for device in devices])
        found: list[float] = self._left(self.parts.residuals(which, gone)).tolist()
        return found

    def _fitted(self, device: FlatDevice, repaired: FlatDevice, left: float | None = None) -> Iterator[Edit]:
        kind, words = kind_of_value(device), value_words(device, repaired)
        deck = self.deck.with_device(repaired)
        if left is None:
            yield from self._try(kind, words, [device.name], deck, fitted=device.name)
        else:
            yield Edit(kind, words, (device.name,), (), deck, left, device.name)

    def _polish(self, parts: Parts, which: Places, logs: Array, left: Array) -> tuple[Array, Array]:
        """Return for some devices the values that leave least, as logarithms, and what they leave.

        By Gauss and Newton from near them, for each device alone, until nothing becomes less.
        """
        values = np.array([parts.devices[k].value for k in which], dtype=float)
        logs, left = logs.copy(), left.copy()
        going = np.flatnonzero(np.isfinite(left))
        for _ in range(STEPS):
            at, some = logs[going], which[going]
            here = parts.residuals(some, values[going] * np.exp(at)) / self.spread.each
            there = parts.residuals(some, values[going] * np.exp(at + SMALL)) / self.spread.each
            with np.errstate(invalid="ignore"):
                slope = (there - here) / SMALL
                size, along = np.sum(slope * slope, axis=1), np.sum(slope * here, axis=1)
            usable = (size > 0.0) & np.isfinite(size) & np.isfinite(along)
            step = np.where(usable, -along / np.where(usable, size, 1.0), 0.0)
            step = np.clip(step, -LONGEST, LONGEST)
            after = self._left(parts.residuals(some, values[going] * np.exp(at + step)))
            better = after < left[going]
            logs[going[better]] += step[better]
            left[going[better]] = after[better]
            going = going[better & (np.abs(step) > SHORTEST)]
            if not going.size:
                break
        return logs, left

    def exchanges(self) -> Iterator[Edit]:
        """Yield two devices of one kind that have each other's value."""
        near = [
            device
            for device in self.touched
            if device.kind in ("R", "G") and abs(device.value or 0.0) < OPEN and self.best[device.name] < self.total
        ][: 2 * MOST]
        which = np.array([self.parts.names.index(device.name) for device in near], dtype=int)
        values = np.array([device.value for device in near], dtype=float)
        m = len(near)
        if m < 2:
            return
        moved = self.parts.residuals(np.repeat(which, m), np.tile(values, m)).reshape(m, m, -1)
        # A change of two devices is taken for the sum of the changes of each, for a first look.
        left = self._left(moved + moved.transpose(1, 0, 2) - self.reading.residual)
        pairs = [
            (float(left[a, b]), near[a], near[b])
            for a in range(m)
            for b in range(a + 1, m)
            if near[a].kind == near[b].kind and near[a].value != near[b].value
        ]
        for _, *both in sorted(pairs, key=lambda pair: pair[0])[:MOST]:
            one, two = sorted(both, key=lambda device: self.parts.names.index(device.name))
            repaired = self.deck.with_device(replace(one, value=two.value)).with_device(replace(two, value=one.value))
            words = f"{one.name} and {two.name} are exchanged"
            yield from self._try("exchanged", words, [one.name, two.name], repaired)

    def ends(self) -> Iterator[Edit]:
        """Yield resistors with one end at another node."""
        found = []
        near = [device for device in self.touched[: 2 * MOST] if device.kind == "R"]
        which = np.array([self.parts.names.index(device.name) for device in near], dtype=int)
        without = self.parts.residuals(which, np.full(len(near), np.inf))
        for device, residual in zip(near, without, strict=True):
            if not np.all(np.isfinite(residual)):
                continue
            pairs = Pairs(self.reading, self.spread.each, device)
            for side in (0, 1):
                kept = device.nodes[1 - side]
                for node, left in pairs.with_resistor(kept, 1.0 / (device.value or 1.0), residual):
                    if node not in device.nodes and left < self.total - LEAST:
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
            for left, a, b, siemens in Pairs(self.reading, self.spread.each).best(self.reading.residual)
            if frozenset((a, b)) not in there and left < self.total - LEAST
        ]
        for _, a, b, siemens in sorted(found, key=lambda each: each[0])[:MOST]:
            device = FlatDevice(name=name, kind="R", nodes=(a, b), value=1.0 / siemens, where="missing")
            reading = self._read(self.deck.with_device(device))
            if reading is None:
                continue
            parts = Parts(reading)
            place = parts.names.index(name)
            start = np.array([self._left(reading.residual)])
            log, left = self._polish(parts, np.array([place]), np.zeros(1), start)
            device = replace(device, value=math.exp(log[0]) / siemens)
            if left[0] < self.total - LEAST:
                deck = self.deck.with_device(device)
                yield Edit("missing", missing_words(device), (), (a, b), deck, float(left[0]), name)


def find_turned(reading: Reading) -> tuple[str, ...]:
    """Return the op-amps whose feedback is positive, with curves imposed or without."""
    return tuple(dict.fromkeys((*reading.nodal.find_turned(), *reading.linear.find_turned())))


def is_stranger(device: FlatDevice, known: FlatDeck) -> bool:
    """Whether a device is neither in a known deck nor one that a repair has put there."""
    return device.name not in known.by_name and not device.name.startswith(NEW)


def kind_of_value(device: FlatDevice) -> Kind:
    """Return what a wrong value of a device is."""
    return "capacitor" if device.kind == "C" else "source" if device.kind in ("V", "I") else "value"


def missing_words(device: FlatDevice) -> str:
    """Return in words that a resistor is missing."""
    value = format_si(device.value or 0.0, "Ohm")
    return f"a resistor of {value} is missing between {device.nodes[0]} and {device.nodes[1]}"


def value_words(found: FlatDevice, repaired: FlatDevice) -> str:
    """Return in words what a device is, and what it should be."""
    value = found.value or 0.0
    if found.kind == "R" and value >= OPEN:
        return f"{found.name} is open, and should be {_value(repaired)}"
    if found.kind == "R" and value <= SHORT < (repaired.value or 0.0):
        return f"{found.name} is shorted ({_value(found)}), and should be {_value(repaired)}"
    return f"{found.name} is {_value(found)}, and should be {_value(repaired)}"


def _value(device: FlatDevice) -> str:
    unit = {"R": "Ohm", "C": "F", "V": "V", "I": "A", "G": "S"}.get(device.kind, "")
    return format_si(device.value or 0.0, unit).strip()
