"""Op-amps with their inputs exchanged: a static source has the same solution then, and a real op-amp runs to a rail.

So each op-amp is given a pole and rails, ds/dt = (clip(A (v+ - v-)) - s)/tau, and the circuit is let go from s = 0 for
a few tau, in which no state moves. Feedback that is negative brings s to the static solution; where it is positive s
ends at a rail. Those are at fault that no longer do so once their inputs are exchanged.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from ..dialects.ngspice import format_analysis
from ..engines.ngspice import run
from ..engines.options import Settings
from ..engines.transient import Deck
from ..errors import SimulatorError

# A voltage-controlled voltage source of so much gain is an op-amp.
OPEN_LOOP = 1e3
# Rails in units of the largest voltage, the length of the run in units of tau, and its steps.
RAILS, LENGTH, STEPS = 100.0, 6.0, 60
LARGEST = 10.0  # volts at least
LATCHED = 0.5  # of the rail
# Runs that look for the op-amps at fault, and names in what is said.
MOST_TRIES, MOST_NAMED = 60, 6
POLE = "hopfield_hw_pole"
NUMBER = re.compile(r"[-+]?\d+\.?\d*(?:[eE][-+]?\d+)?\Z", re.ASCII)


class _OpAmp(NamedTuple):
    """A line of a deck that is an op-amp: its name, the nodes of its output and inputs, and its gain."""

    name: str
    nodes: tuple[str, str, str, str]
    gain: float


def exchanged(deck: Deck, *, volts: float, fastest: float, timeout: float) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the names of the op-amps of a deck whose inputs are exchanged, and in words what could not be told.

    `volts`: the largest that states take. `fastest`: a time in which no state moves much, seconds.
    """
    found = [each for each in map(_op_amp, deck.text.splitlines()) if each is not None]
    if not found:
        return (), ()
    rail = RAILS * max(volts, LARGEST)

    def latched(turned: frozenset[str]) -> frozenset[str]:
        return frozenset(_latched(deck, rail, fastest, turned, timeout))

    try:
        left = latched(frozenset())
        turned = _cure(left, latched) if left else frozenset()
    except SimulatorError:
        return (), ("whether inputs of op-amps are exchanged could not be told: with poles the deck does not run",)
    if turned is None:
        names = ", ".join(sorted(left)[:MOST_NAMED])
        return (), (f"whether inputs of op-amps are exchanged could not be told: {names} run to a rail either way",)
    return tuple(each.name for each in found if each.name.lower() in turned), ()


def _cure(left: frozenset[str], latched: Callable[[frozenset[str]], frozenset[str]]) -> frozenset[str] | None:
    """Return the op-amps whose inputs must be exchanged for none to end at a rail; None where that is not found.

    First all at once that no longer end there when all are turned; then one by one, each time the one after which the
    fewest are left: what follows one at a rail is there too.
    """
    at_once = left - latched(left)
    if at_once and not latched(at_once):
        return at_once
    turned: frozenset[str] = frozenset()
    tries = 0
    while left:
        rest = {}
        for name in sorted(left - turned):
            tries += 1
            if tries > MOST_TRIES:
                return None
            rest[name] = latched(turned | {name})
        best = min(rest, key=lambda name: len(rest[name]), default=None)
        if best is None or len(rest[best]) >= len(left):
            return None
        turned, left = turned | {best}, rest[best]
    return turned


def _op_amp(line: str) -> _OpAmp | None:
    words = line.split()
    if len(words) != 6 or words[0][:1].upper() != "E" or NUMBER.match(words[5]) is None:
        return None
    gain = float(words[5])
    return _OpAmp(words[0], (words[1], words[2], words[3], words[4]), gain) if abs(gain) >= OPEN_LOOP else None


def _latched(deck: Deck, rail: float, fastest: float, turned: frozenset[str], timeout: float) -> Iterator[str]:
    """Yield the op-amps that end at a rail, in lower case, where some have their inputs exchanged."""
    tau = fastest / LENGTH
    lines: list[str] = []
    names: dict[str, str] = {}
    for line in deck.text.splitlines():
        each = _op_amp(line)
        if each is None:
            lines.append(line)
            continue
        key, node = each.name.lower(), f"{POLE}_{len(names)}"
        plus, minus = each.nodes[2:][::-1] if key in turned else each.nodes[2:]
        names[node] = key
        asked = f"{each.gain!r}*(v({plus})-v({minus}))"
        lines += [
            f"B_{node} 0 {node} I=min(max({asked},{-rail!r}),{rail!r})",
            f"R_{node} {node} 0 1.0",
            f"C_{node} {node} 0 {tau!r}",
            f"{each.name} {each.nodes[0]} {each.nodes[1]} {node} 0 1.0",
        ]
    started = replace(deck, initial={**deck.initial, **dict.fromkeys(names, 0.0)})
    settings = Settings(fastest / STEPS, 1e-4, voltage=1e-6, current=1e-9, charge=1e-30)
    analysis = format_analysis(
        started.initial,
        names,
        t_stop=fastest,
        step=settings.step,
        options=settings.options(klu=False, stated=deck.stated),
        first=settings.step * 1e-3,
    )
    plot = run("\n".join(lines) + "\n" + analysis, t_stop=fastest, timeout=timeout)
    ends = plot.columns([f"v({node})" for node in names]).real[-1]
    yield from (name for name, end in zip(names.values(), np.abs(ends).tolist(), strict=True) if end > LATCHED * rail)
