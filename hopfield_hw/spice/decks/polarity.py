"""Op-amps with their inputs exchanged: a static source has the same solution then, and a real op-amp runs to a rail.

So each op-amp is given a pole and rails, ds/dt = (clip(A (v+ - v-)) - s)/tau, and the circuit is let go from s = 0 for
a few tau, in which no state moves. Feedback that is negative brings s to the static solution; where it is positive s
ends at a rail. Those are at fault that no longer do so once their inputs are exchanged. In a subcircuit each instance
is an op-amp of its own: its inputs are exchanged by the start of a capacitor, which holds 0 V or 1 V.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from ...values.errors import SimulatorError
from ..convergence import run_until_converged
from ..dialects.ngspice import format_transient
from ..ngspice import run
from ..options import Settings
from ..rawfile import Plot
from ..transient import Deck
from .op_amps import DIFFERENCE, Source, ground_expression, read_sources
from .statements import Statement, read_statements

# A voltage source of so much gain is an op-amp.
OPEN_LOOP = 50.0
# Rails in units of the largest voltage, the length of the run in units of tau, and its steps.
RAILS, LENGTH, STEPS = 100.0, 6.0, 60
LARGEST = 10.0  # volts at least
LATCHED = 0.9  # of the rail
# One with its own limits is at them where its inputs ask for so many times the way from one to the other.
OVERDRIVEN = 10.0
# So much gain is enough to tell which way a loop goes; more of it is stiff. Volts at a pole that need no short steps.
ENOUGH, SLIGHT = 1e4, 1e-3
# The slope of an expression is taken over so many volts about 0, its limits at so many.
SMALL, LARGE = 1e-9, 1e6
# Which way a loop goes needs no exact steps; at trtol=1 the poles of a hundred op-amps shrink them to none.
TRUNCATION = 7.0
# Nodes that nothing drives while gains are asked for have so many ohms to ground.
SHUNT = 1e9
# Seconds that one run may take.
PATIENCE = 60.0
UNTOLD = "whether inputs of op-amps are exchanged could not be told"
# Runs that look for the op-amps at fault, and names in what is said.
MOST_TRIES, MOST_NAMED = 60, 6
POLE, TURN, GAP = (f"hopfield_hw_{what}" for what in ("pole", "turn", "gap"))
GAIN, LEAST, MOST = (f"hopfield_hw_{what}" for what in ("gain", "least", "most"))


@dataclass(frozen=True)
class _Poles:
    """A deck whose op-amps have poles.

    `names`: of each, by number; `limits`: the lowest and highest voltage of each instance, by its path; `bends`: the
    gain of those that have their own limits.
    """

    deck: Deck
    names: Mapping[int, str]
    limits: Mapping[str, tuple[float, float]]
    bends: Mapping[str, float]
    fastest: float
    timeout: float

    def find_latched(self, turned: frozenset[str]) -> frozenset[str]:
        """Return the op-amps that end at a rail where some, (path), have their inputs exchanged."""
        starts = {f"{path[0]}{kind}_{path[1]}": 0.0 for path in map(_parts, self.limits) for kind in (POLE, TURN)}
        starts |= {f"{path[0]}{TURN}_{path[1]}": 1.0 for path in map(_parts, turned)}
        plot = _run(self.deck, starts, self.fastest, self.timeout)
        given, gaps = _ends(plot, POLE), _ends(plot, GAP)

        def is_latched(path: str) -> bool:
            low, high = self.limits[path]
            if path in self.bends:
                return self.bends[path] * abs(gaps[path]) > OVERDRIVEN * (high - low)
            return not LATCHED * low <= given[path] <= LATCHED * high

        return frozenset(path for path in self.limits if is_latched(path))

    def name(self, path: str) -> str:
        """Return what an op-amp is called in the deck: its instance's name before it where it is in one."""
        inside, number = _parts(path)
        return f"{inside}{self.names[int(number)]}"


def find_exchanged(
    deck: Deck, *, volts: float, fastest: float, timeout: float
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the names of the op-amps of a deck whose inputs are exchanged, and in words what could not be told.

    `volts`: the largest that states take. `fastest`: a time in which no state moves much, seconds.
    """
    source = read_statements(deck.text)
    statements = source.statements
    options = {
        (k, j): option
        for k, found in read_sources(statements).items()
        for j, option in enumerate(found)
        if option.gain is None or abs(option.gain) >= OPEN_LOOP
    }
    if not options:
        return (), ()

    def text(change: Callable[[int, Statement], Sequence[str]]) -> str:
        changed = (line for k, statement in enumerate(statements) for line in change(k, statement))
        return "\n".join([source.title or "*", *changed]) + "\n"

    rail, limit = RAILS * max(volts, LARGEST), min(timeout, PATIENCE)
    try:
        gains = {f"{k}_{j}": option.gain or 0.0 for (k, j), option in options.items()}
        least, most = dict.fromkeys(gains, -rail), dict.fromkeys(gains, rail)
        if any(option.gain is None for option in options.values()):
            lines: dict[int, list[str]] = {}
            held = {word.lower() for s in statements for line in _keep(s) for word in re.split(r"[\s(),=]+", line)}
            for place, option in options.items():
                lines.setdefault(place[0], []).extend(_questions(place, option, held))
            asked = text(lambda k, s: [*_keep(s), *lines.get(k, ())])
            asked += f".options rshunt={SHUNT:g}\n"
            plot = _run(replace(deck, text=asked, initial={}), {}, fastest, limit)
            gains, least, most = (_ends(plot, kind) for kind in (GAIN, LEAST, MOST))
        # Of a source that is steep in several differences the first one counts.
        chosen: dict[int, Source] = {}
        limits: dict[str, tuple[float, float]] = {}
        bends: dict[str, float] = {}
        steep: dict[str, list[str]] = {}
        for path, gain in gains.items():
            if abs(gain) >= OPEN_LOOP:
                steep.setdefault(_parts(path)[1], []).append(path)
        for (k, j), option in options.items():
            paths = steep.get(f"{k}_{j}", [])
            if paths and k not in chosen:
                chosen[k] = option
                bends |= {p.rpartition("_")[0]: abs(gains[p]) for p in paths if option.bends}
                ends = {path: sorted((least[path], most[path])) for path in paths}
                limits |= {p.rpartition("_")[0]: (max(low, -rail), min(high, rail)) for p, (low, high) in ends.items()}
        if not chosen:
            return (), ()
        poles = text(lambda k, s: _with_pole(k, chosen[k], rail, fastest / LENGTH) if k in chosen else s.lines)
        names = {k: each.name for k, each in chosen.items()}
        circuit = _Poles(replace(deck, text=poles), names, limits, bends, fastest, limit)
        bending = frozenset(path for path in limits if path in bends)
        left, turned = find_cure(circuit.find_latched, bending)
        if turned is None:  # what bends may be a separate amplifier, at a limit either way
            own = left & bending & circuit.find_latched(left)
            left, turned = find_cure(lambda those: circuit.find_latched(those) - own, bending)
    except SimulatorError as error:
        return (), (f"{UNTOLD}: with a pole at each the deck does not run ({_first_line(error)})",)
    if turned is None:
        listed = ", ".join(sorted(map(circuit.name, left))[:MOST_NAMED])
        return (), (f"{UNTOLD}: {listed} run to a rail either way, so that no feedback holds them",)
    return tuple(sorted(map(circuit.name, turned))), ()


def find_cure(
    latched: Callable[[frozenset[str]], frozenset[str]], bending: frozenset[str]
) -> tuple[frozenset[str], frozenset[str] | None]:
    """Return the op-amps that end at a rail, and those whose inputs must be exchanged for none to; None if not found.

    First all at once that no longer end there when all are turned, those that do not bend before the others; then one
    by one, each time the one after which the fewest are left: what follows one at a rail is there too.
    """
    first = left = latched(frozenset())
    turned: frozenset[str] = frozenset()
    if not left:
        return first, turned
    for some in dict.fromkeys([left - bending, left]):
        at_once = some - latched(some) if some else some
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


def _questions(place: tuple[int, int], source: Source, held: Collection[str]) -> list[str]:
    """Return lines that give the gain of a source, and where it ends, as voltages of nodes beside it.

    `held`: the nodes, lower case, that something holds at a voltage; all others are at 0 V.
    """

    def value(volts: float) -> str:
        return ground_expression(_of(source, repr(volts)), held)

    asked = {
        GAIN: f"(({value(SMALL)})-({value(-SMALL)}))/{2.0 * SMALL!r}",
        LEAST: value(-LARGE),
        MOST: value(LARGE),
    }
    nodes = {kind: f"{kind}_{place[0]}_{place[1]}" for kind in asked}
    return [f"B_{nodes[kind]} {nodes[kind]} 0 V={expression}" for kind, expression in asked.items()]


def _keep(statement: Statement) -> list[str]:
    """Return what of a deck its gains may hang on: parameters, subcircuits, supplies. All else has no need to run."""
    return list(statement.lines) if statement.word[0] in ".vx" else []


def _with_pole(k: int, source: Source, rail: float, tau: float) -> list[str]:
    """Return a source with a pole and rails, whose inputs are exchanged where the node TURN starts at 1 V."""
    gained = min(ENOUGH / abs(source.gain), 1.0) if source.gain else 1.0
    asked = _of(source, f"{gained!r}*(1-2*v({TURN}_{k}))*(v({source.plus})-v({source.minus}))")
    letter, gain = ("E", 1.0) if source.conductance is None else ("G", source.conductance)
    name = source.name if source.name[0].upper() == letter else f"{letter}_{POLE}_{k}"
    return [
        f"C_{TURN}_{k} {TURN}_{k} 0 1.0",
        f"B_{GAP}_{k} {GAP}_{k} 0 V=v({source.plus})-v({source.minus})",
        f"B_{POLE}_{k} 0 {POLE}_{k} I=min(max(({asked}),{-rail!r}),{rail!r})",
        f"R_{POLE}_{k} {POLE}_{k} 0 1.0",
        f"C_{POLE}_{k} {POLE}_{k} 0 {tau!r}",
        f"{name} {source.output[0]} {source.output[1]} {POLE}_{k} 0 {gain!r}",
    ]


def _of(source: Source, difference: str) -> str:
    return source.value.replace(DIFFERENCE, f"({difference})")


def _run(deck: Deck, starts: Mapping[str, float], length: float, timeout: float) -> Plot:
    """Return a short run from t = 0, with all node voltages."""
    charge = SLIGHT * length / LENGTH
    settings = Settings(length / STEPS, 1e-4, voltage=1e-6, current=1e-9, charge=charge, truncation=TRUNCATION)
    initial = {**deck.initial, **starts}

    def attempt(chosen: Settings) -> Plot:
        options = chosen.options(klu=False, stated=deck.stated)
        first = chosen.step * 1e-3
        analysis = format_transient(initial, (), t_stop=length, step=chosen.step, options=options, first=first)
        return run(deck.text + analysis, t_stop=length, timeout=timeout)

    return run_until_converged(attempt, settings, keep=None)[0]


def _ends(plot: Plot, kind: str) -> dict[str, float]:
    """Return the last voltage of each node of a kind, by the path of its instance and its number."""
    found = {}
    for variable in plot.variables:
        match = re.fullmatch(rf"v\(((?:.*\.)?){kind}_(\d+(?:_\d+)?)\)", variable.name)
        if match is not None:
            value = float(plot.column(variable.name).real[-1])
            found[f"{match[1]}{match[2]}"] = value if np.isfinite(value) else 0.0
    return found


def _parts(path: str) -> tuple[str, str]:
    """Return the instance of a path, with a point after it, and the number of the source."""
    inside, point, number = path.rpartition(".")
    return inside + point, number


def _first_line(error: Exception) -> str:
    return str(error).partition("\n")[0][:120]
