"""Which device is at fault: the equation of each state, filled in with the waveforms that the circuit gave."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np

from ..circuit import Circuit, Device, Origin, Role
from ..graph import Graph
from ..parts import Resistor
from ..values.arrays import Array
from ..values.si_text import format_si
from .changes import imbalance, left_by
from .steps import Run
from .terms import Term, terms

# A state is looked at where it is off by this part of the worst one, and an amplifier by this part of its range.
WRONG_CURVE = 2e-3
# A value that acts as less than this part of itself is not there.
OPEN = 1e-3
# The roles of the devices that make an amplifier's curve.
CURVE = (Role.FUNCTION, Role.CLAMP)
# Terms are added until they explain this part of what the states are off by, three of them at most.
EXPLAINED, LEAST = 0.9999, 1e-9
MAX_TERMS = 3
# Where terms explain less than this part, so many of them are also tried far off: open, turned, shorted; fewer where a
# graph takes more than this effort.
WELL, MOST_LARGE, LITTLE = 0.999, 12, 10
FACTORS = (0.0, -1.0, 0.5, 2.0, 1e3)
# Terms whose effects are so much alike have one; of more than so many, the runs see too little.
SAME, MOST_SAME = 1e-7, 3
# A term of which no more than this part is its own has the effect of others.
ALIKE = 1e-10
# Terms that explain less than the best one by at most the first part are named beside it; by at most the second one
# they are as good, but not where the best one leaves next to nothing (the third).
NEARLY, TIE, EXACT = 1e-2, 3e-4, 1e-6
PLAIN = 0.02
MAX_SUSPECTS = 8
# A state that moves less than this part of what its equation asks for is held by something.
STUCK = 1e-3


@dataclass(frozen=True, kw_only=True)
class Suspect:
    """What would explain what the circuit did, if it were another value.

    `weight`: the term of the equation, such as `syn.weights[3, 7]`; `devices`: what realises it; `explained`: the part
    of what the states are off by that its best change (and of those named with it) takes away; `change`: that change.
    """

    neuron: str
    weight: str
    devices: tuple[str, ...]
    explained: float
    change: str

    def __str__(self) -> str:
        devices = f"{', '.join(self.devices)} ({self.weight})" if self.devices else self.weight
        return f"{f'neuron {self.neuron}: ' if self.neuron else ''}{devices}: {self.change}"


def diagnose(circuit: Circuit, runs: Sequence[Run], extent: Array, *, named: bool = True) -> tuple[Suspect, ...]:
    """Return the suspected devices of a circuit that should realise the graph of its runs.

    Each state's equation, integrated over short pieces of the runs, C_i (x_i(b) - x_i(a)) = int (-x_i/R_i + sum_j T_ij
    v_j + ...) dt, is filled in with the waveforms that the circuit gave, its own amplifiers' among them: only where a
    device is wrong does it not balance. The terms whose change would restore the balance are named, the best first.
    Amplifiers are judged by v_i = g_i(x_i) directly. `extent`: (states + outputs,), the range of each, volts. `named`:
    whether the devices of the circuit are those of the deck.
    """
    own = [run.with_own_amplifiers() for run in runs]
    found = [*_amplifiers(circuit, runs), *find_shorted(circuit, own, extent), *_equations(circuit, own, extent)]
    once = {(suspect.neuron, suspect.weight): suspect for suspect in reversed(found)}
    kept = [suspect for suspect in found if once.pop((suspect.neuron, suspect.weight), None) is not None]
    if not named:
        return tuple(replace(suspect, devices=()) for suspect in kept[:MAX_SUSPECTS])
    return tuple(suspect for suspect in kept if suspect.devices)[:MAX_SUSPECTS]


def _amplifiers(circuit: Circuit, runs: Sequence[Run]) -> Iterator[Suspect]:
    """Yield the amplifiers of states whose outputs are not what the graph makes of the circuit's own states."""
    graph = runs[0].graph
    for name in runs[0].of_states:
        given = np.concatenate([run.probed[name][1:] for run in runs])
        wanted = np.concatenate([run.along.values(run.times[1:], run.states[1:])[name] for run in runs])
        off = np.sqrt(np.mean((given - wanted) ** 2, axis=0))
        scale = max(float(np.max(np.abs(wanted))), float(np.max(np.abs(given))), 1e-12)
        for k in np.argsort(-off).tolist():
            if off[k] > WRONG_CURVE * scale:
                devices = _names(d for role in CURVE for d in circuit.devices_from(name, (k,), role))
                text = f"v differs from g(x) by {format_si(float(off[k]), 'V')} RMS"
                label = graph.labels(graph.by_name[name])[k]
                place = str(Origin(name, Role.FUNCTION, (k,)))
                yield Suspect(neuron=label, weight=place, devices=devices, explained=1.0, change=text)


def find_shorted(circuit: Circuit, runs: Sequence[Run], extent: Array) -> Iterator[Suspect]:
    """Yield the states that stand still at 0 V whatever their equation asks for: their node or capacitor is shorted."""
    first = 0
    for leak in runs[0].along.leaks:
        for k in range(leak.output_size):
            i = first + k
            held = max(float(np.max(np.abs(run.states[1:, i]))) for run in runs)
            asked = max(float(np.max(np.abs(run.steps.volts[:, i]))) for run in runs)
            if held <= STUCK * min(asked, float(extent[i])):
                across = (Role.CAPACITANCE, Role.RESISTANCE)
                devices = _names(d for role in across for d in circuit.devices_from(leak.name, (k,), role))
                place = str(Origin(leak.name, Role.CAPACITANCE, (k,)))
                label = runs[0].graph.state_labels[i]
                yield Suspect(
                    neuron=label,
                    weight=place,
                    devices=devices,
                    explained=1.0,
                    change="the state stands at 0 V: shorted",
                )
        first += leak.output_size


def find_absent(circuit: Circuit, words: Collection[str]) -> Iterator[Suspect]:
    """Yield the capacitors of states that a deck, of which these are the devices (lower case), does not have."""
    for device in circuit.devices:
        if device.origin.role is Role.CAPACITANCE and device.name.lower() not in words:
            label = circuit.label_of(device.origin)
            said = "is not in the deck"
            yield Suspect(neuron=label, weight=str(device.origin), devices=(device.name,), explained=1.0, change=said)


def _equations(circuit: Circuit, runs: Sequence[Run], extent: Array) -> Iterator[Suspect]:
    """Yield the terms whose change would make the equations balance, those of the best set first."""
    candidates = terms(circuit, runs, extent)
    if not candidates:
        return
    rest = np.concatenate([imbalance(run, extent) for run in runs])
    total = before = float(np.sum(rest**2))
    bare = [not _devices(circuit, term) for term in candidates]
    basis: list[Array] = []
    while total > 0.0 and len(basis) < MAX_TERMS:
        fits = [_fit(term, rest, basis) for term in candidates]
        left = [before - fit.explained for fit in fits]
        best = min(left)
        if best >= (1.0 - LEAST) * before:
            break  # nothing explains any of it
        if not basis and best > (1.0 - WELL) * total:
            for k, fit in _large(candidates, left, total, runs, extent).items():
                if total - fit.explained < left[k]:
                    fits[k], left[k] = fit, total - fit.explained
            best = min(left)
        # Of what explains as much as makes no difference, what has a device comes first; then one that is missing or
        # turned before one whose value is just so much off; then the order of the candidates, the simplest first.
        nearly = best + NEARLY * (before - best)
        alike = best + min(TIE * (before - best), best + EXACT * total)
        plain = [not _is_plain(term, fit.change) for term, fit in zip(candidates, fits, strict=True)]
        order = sorted(
            range(len(left)), key=lambda k: (left[k] > alike, left[k] if left[k] > alike else 0.0, bare[k], plain[k], k)
        )
        near = [k for k in order if left[k] <= nearly]
        first, same = near[0], [k for k in near[1:] if _is_same(candidates[k], candidates[near[0]])]
        same = same if len(same) < MOST_SAME else []
        for k in [first, *(k for k in near[1:] if k not in same)][: MAX_SUSPECTS // 2]:
            found = _describe(circuit, runs[0].graph, candidates[k], fits[k].change, 1.0 - left[k] / total)
            others = [candidates[each] for each in same] if k == first else []
            if found.change:
                yield _with_others(found, circuit, others)
        if best <= (1.0 - EXPLAINED) * total:
            break
        basis.append(_beyond(candidates[order[0]], basis, rest.shape))
        rest = rest - basis[-1] * float(np.sum(basis[-1] * rest))
        before = float(np.sum(rest**2))


def _large(
    candidates: Sequence[Term], left: Sequence[float], total: float, runs: Sequence[Run], extent: Array
) -> dict[int, _Fit]:
    """Return by its place how a term explains most where it is far off, of those that states do not just follow."""
    if runs[0].along.depth > 1:
        return {}
    values = {k: term.of for k, term in enumerate(candidates) if term.of and term.of[0].kind != "delay"}
    found = {}
    for k in sorted(values, key=lambda k: left[k])[: MOST_LARGE // (1 + runs[0].along.effort // LITTLE)]:
        rest = {factor: sum(left_by(run, values[k], factor, extent) for run in runs) for factor in FACTORS}
        best = min(rest, key=lambda factor: rest[factor])
        found[k] = _Fit(best - 1.0, total - rest[best])
    return found


def _is_same(term: Term, other: Term) -> bool:
    """Whether two terms that are there have one effect, so that no run of these can tell them apart."""
    if sorted(term.rows) != sorted(other.rows) or term.value == 0.0 or other.value == 0.0:
        return False
    a, b = (each.effect[:, np.argsort(each.rows)].ravel() for each in (term, other))
    return abs(float(a @ b)) >= (1.0 - SAME) * float(np.linalg.norm(a) * np.linalg.norm(b))


def _with_others(suspect: Suspect, circuit: Circuit, others: Sequence[Term]) -> Suspect:
    """Return a suspect with the devices of terms that have the same effect."""
    names = [device.name for term in others for device in _devices(circuit, term)]
    more = tuple(name for name in dict.fromkeys(names) if name not in suspect.devices)
    if not more:
        return suspect
    return replace(suspect, devices=(*suspect.devices, *more), change=f"{suspect.change}, or another of these")


def _devices(circuit: Circuit, term: Term) -> list[Device]:
    return [d for role in term.roles for d in circuit.devices_from(term.operator, term.element, role)]


def _is_plain(term: Term, change: float) -> bool:
    """Whether a change takes all of a value away, or turns its sign."""
    part = change / term.value if term.value != 0.0 else 0.0
    return min(abs(part + 1.0), abs(part + 2.0)) < PLAIN


class _Fit(NamedTuple):
    """The best change of a term, and by how much it makes the sum of the squares less."""

    change: float
    explained: float


def _fit(term: Term, rest: Array, basis: Sequence[Array]) -> _Fit:
    """Return how a term explains what others leave; `basis`: orthonormal, of these others.

    Only the part of its effect that they do not have counts: the change is that of a fit of all of them together.
    """
    rows = list(term.rows)
    whole = float(np.sum(term.effect**2))
    own = whole - sum(float(np.sum(each[:, rows] * term.effect)) ** 2 for each in basis)
    if own <= ALIKE * whole:
        return _Fit(0.0, 0.0)
    along = float(np.sum(rest[:, rows] * term.effect))
    return _Fit(along / own, along**2 / own)


def _beyond(term: Term, basis: Sequence[Array], shape: tuple[int, ...]) -> Array:
    """Return the part of a term's effect that is not of the basis, of length 1."""
    effect = np.zeros(shape)
    effect[:, list(term.rows)] = term.effect
    for each in basis:
        effect -= each * float(np.sum(each * effect))
    return effect / float(np.linalg.norm(effect))


def _describe(circuit: Circuit, graph: Graph, term: Term, change: float, explained: float) -> Suspect:
    devices = _devices(circuit, term)
    place = str(Origin(term.operator, term.roles[0], term.element))
    states = [row for row in term.rows if row < len(graph.state_labels)]
    label = graph.state_labels[states[0]] if states else graph.labels(graph.by_name[term.operator])[term.element[0]]
    text = _acts_as(devices[:1], term, change)
    return Suspect(neuron=label, weight=place, devices=_names(devices), explained=explained, change=text)


def _acts_as(devices: Sequence[Device], term: Term, change: float) -> str:
    """Return what a value acts as, in the unit of its device; empty where it acts as it should."""
    if term.unit == "":
        acts = f"{1.0 + change:.4g}"
        return {"1": "", "0": "missing"}.get(acts, f"acts as {acts} times itself")
    if term.value == 0.0:
        return f"0 acts as {format_si(change, term.unit)}"
    for device in devices:
        if isinstance(device.part, Resistor) and term.unit == "S":
            # A leak that is only a part of the total takes all of the change.
            ohms = device.part.resistance
            now = 1.0 / ohms + change
            acts = "open" if abs(now) * ohms < OPEN else format_si(1.0 / now, "Ohm")
            return _unlike(format_si(ohms, "Ohm"), acts)
    after = term.value + change
    acts = "missing" if abs(after) < OPEN * abs(term.value) else format_si(term.sign * after, term.unit)
    return _unlike(format_si(term.sign * term.value, term.unit), acts)


def _unlike(given: str, acts: str) -> str:
    return "" if given == acts else f"{given} acts as {acts}"


def _names(devices: Iterable[Device]) -> tuple[str, ...]:
    return tuple(device.name for device in devices)
