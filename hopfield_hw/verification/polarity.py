"""Op-amps with their inputs exchanged: a static source has the same solution then, and a real op-amp runs to a rail.

So each op-amp is given a pole and rails, ds/dt = (clip(A (v+ - v-)) - s)/tau, and the circuit is let go from s = 0 for
a few tau, in which no state moves. Feedback that is negative brings s to the static solution; where it is positive s
ends at a rail. Those are at fault that no longer do so once their inputs are exchanged. In a subcircuit each instance
is an op-amp of its own: its inputs are exchanged by the start of a capacitor, which holds 0 V or 1 V.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import numpy as np

from ..dialects.ngspice import format_analysis
from ..engines.deck_op_amps import DIFFERENCE, Source, read_source
from ..engines.deck_statements import read_statements
from ..engines.ngspice import run
from ..engines.options import Settings
from ..engines.rawfile import Plot
from ..engines.transient import Deck
from ..errors import SimulatorError

# A voltage source of so much gain is an op-amp.
OPEN_LOOP = 1e3
# Rails in units of the largest voltage, the length of the run in units of tau, and its steps.
RAILS, LENGTH, STEPS = 100.0, 6.0, 60
LARGEST = 10.0  # volts at least
LATCHED = 0.5  # of the rail
# Runs that look for the op-amps at fault, and names in what is said.
MOST_TRIES, MOST_NAMED = 60, 6
POLE, TURN, GAIN = (f"hopfield_hw_{what}" for what in ("pole", "turn", "gain"))


@dataclass(frozen=True)
class _Poles:
    """A deck whose op-amps have poles. `names`: of each, by number; `paths`: one for each instance."""

    deck: Deck
    names: Mapping[int, str]
    paths: tuple[str, ...]
    rail: float
    fastest: float
    timeout: float

    def latched(self, turned: frozenset[str]) -> frozenset[str]:
        """Return the op-amps that end at a rail where some, (path), have their inputs exchanged."""
        starts = {f"{path[0]}{kind}_{path[1]}": 0.0 for path in map(_parts, self.paths) for kind in (POLE, TURN)}
        starts |= {f"{path[0]}{TURN}_{path[1]}": 1.0 for path in map(_parts, turned)}
        plot = _run(self.deck, starts, self.fastest, self.timeout)
        return frozenset(path for path, volts in _ends(plot, POLE).items() if abs(volts) > LATCHED * self.rail)

    def name(self, path: str) -> str:
        """Return what an op-amp is called in the deck: its instance's name before it where it is in one."""
        inside, number = _parts(path)
        return f"{inside}{self.names[int(number)]}"


def exchanged(deck: Deck, *, volts: float, fastest: float, timeout: float) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the names of the op-amps of a deck whose inputs are exchanged, and in words what could not be told.

    `volts`: the largest that states take. `fastest`: a time in which no state moves much, seconds.
    """
    untold = "whether inputs of op-amps are exchanged could not be told"
    statements = read_statements(deck.text)
    sources = {k: read_source(statement) for k, statement in enumerate(statements.statements)}
    some = {k: s for k, s in sources.items() if s is not None and (s.gain is None or abs(s.gain) >= OPEN_LOOP)}
    if not some:
        return (), ()

    def text(change: Callable[[int, Source], list[str]]) -> str:
        lines = [statements.title or "*"]
        for k, statement in enumerate(statements.statements):
            lines += change(k, some[k]) if k in some else statement.lines
        return "\n".join(lines) + "\n"

    rail = RAILS * max(volts, LARGEST)
    try:
        asked = text(lambda k, s: [*statements.statements[k].lines, *_slope(k, s)])
        gains = _ends(_run(replace(deck, text=asked), {}, fastest, timeout), GAIN)
        paths = tuple(path for path, gain in gains.items() if abs(gain) >= OPEN_LOOP)
        some = {k: s for k, s in some.items() if str(k) in {_parts(path)[1] for path in paths}}
        if not some:
            return (), ()
        poles = replace(deck, text=text(lambda k, s: _with_pole(k, s, rail, fastest / LENGTH)))
        circuit = _Poles(poles, {k: s.name for k, s in some.items()}, paths, rail, fastest, timeout)
        left, turned = _cure(circuit.latched)
    except SimulatorError:
        return (), (f"{untold}: with poles the deck does not run",)
    if turned is None:
        names = ", ".join(sorted(map(circuit.name, left))[:MOST_NAMED])
        return (), (f"{untold}: {names} run to a rail either way",)
    return tuple(sorted(map(circuit.name, turned))), ()


def _cure(latched: Callable[[frozenset[str]], frozenset[str]]) -> tuple[frozenset[str], frozenset[str] | None]:
    """Return the op-amps that end at a rail, and those whose inputs must be exchanged for none to; None if not found.

    First all at once that no longer end there when all are turned; then one by one, each time the one after which the
    fewest are left: what follows one at a rail is there too.
    """
    first = left = latched(frozenset())
    turned: frozenset[str] = frozenset()
    if not left:
        return first, turned
    at_once = left - latched(left)
    if at_once and not latched(at_once):
        return first, at_once
    tries = 0
    while left:
        rest = {}
        for name in sorted(left - turned):
            tries += 1
            if tries > MOST_TRIES:
                return first, None
            rest[name] = latched(turned | {name})
        best = min(rest, key=lambda name: len(rest[name]), default=None)
        if best is None or len(rest[best]) >= len(left):
            return first, None
        turned, left = turned | {best}, rest[best]
    return first, turned


def _slope(k: int, source: Source) -> list[str]:
    """Return lines that give the gain of a source as a voltage of a node beside it."""
    return [f"B_{GAIN}_{k} {GAIN}_{k} 0 V={_of(source, '1.0')}"]


def _with_pole(k: int, source: Source, rail: float, tau: float) -> list[str]:
    """Return a source with a pole and rails, whose inputs are exchanged where the node TURN starts at 1 V."""
    asked = _of(source, f"(1-2*v({TURN}_{k}))*(v({source.plus})-v({source.minus}))")
    name = source.name if source.name[0] in "eE" else f"E_{POLE}_{k}"
    return [
        f"C_{TURN}_{k} {TURN}_{k} 0 1.0",
        f"B_{POLE}_{k} 0 {POLE}_{k} I=min(max({asked},{-rail!r}),{rail!r})",
        f"R_{POLE}_{k} {POLE}_{k} 0 1.0",
        f"C_{POLE}_{k} {POLE}_{k} 0 {tau!r}",
        f"{name} {source.output[0]} {source.output[1]} {POLE}_{k} 0 1.0",
    ]


def _of(source: Source, difference: str) -> str:
    return source.value.replace(DIFFERENCE, f"({difference})")


def _run(deck: Deck, starts: Mapping[str, float], length: float, timeout: float) -> Plot:
    """Return a short run from t = 0, with all node voltages."""
    settings = Settings(length / STEPS, 1e-4, voltage=1e-6, current=1e-9, charge=1e-30)
    options = settings.options(klu=False, stated=deck.stated)
    initial = {**deck.initial, **starts}
    analysis = format_analysis(
        initial, (), t_stop=length, step=settings.step, options=options, first=settings.step * 1e-3
    )
    return run(deck.text + analysis, t_stop=length, timeout=timeout)


def _ends(plot: Plot, kind: str) -> dict[str, float]:
    """Return the last voltage of each node of a kind, by the path of its instance and its number."""
    found = {}
    for variable in plot.variables:
        match = re.fullmatch(rf"v\(((?:.*\.)?){kind}_(\d+)\)", variable.name)
        if match is not None:
            value = float(plot.column(variable.name).real[-1])
            found[f"{match[1]}{match[2]}"] = value if np.isfinite(value) else 0.0
    return found


def _parts(path: str) -> tuple[str, str]:
    """Return the instance of a path, with a point after it, and the number of the source."""
    inside, point, number = path.rpartition(".")
    return inside + point, number
