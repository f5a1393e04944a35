"""Boards of several families, drawn at random, and faults planted in their decks: what is known must be found again."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np

import hopfield_hw as hh
from hopfield_hw.extraction.devices import FlatDeck, FlatDevice
from hopfield_hw.extraction.findings import Differences, Finding, Kind
from hopfield_hw.extraction.flatten import flatten

# An op-amp whose output ends 1.5 V from its supplies.
AMPLIFIER = """\
.subckt OA inp inn vcc vee out
Rin inp inn 1e12
Bgm 0 g I=1e-4*tanh(1.5*(v(inp)-v(inn)))
Rg g 0 1.2e9
Cg g 0 8p
Bhi g 0 I=0.2*((v(out)-v(vcc)+1.5)+sqrt((v(out)-v(vcc)+1.5)^2+1e-10))
Blo 0 g I=0.2*((v(vee)+1.5-v(out))+sqrt((v(vee)+1.5-v(out))^2+1e-10))
Eo o 0 g 0 1
Ro o out 2
.ends OA
VCC vp 0 12
VEE vn 0 -12
"""
CONDUCTANCE, DENSITY = 2e-5, 0.75
SMALLEST, LARGEST = 2, 8
# A synapse of ours, or of the boards here: to which neuron, and from which.
SYNAPSE = re.compile(r"r(?:t|_syn)_(\d+)_(\d+)$")
# Resistors of amplifiers, inverters and leaks, which may come loose.
OTHERS = re.compile(r"r(?:l|j|f|g|i|b|_x|_inv)")
SHORT, LOOSE, LOAD = 1.0, 1e12, 1500.0
DRAWS = 400
# Two findings are declared to be equals where they score the same to this much.
EQUAL = 1.0
FACTORS = {"factor 2": 2.0, "10%": 1.1, "1%": 1.01}
FOUND_AS: Mapping[str, tuple[Kind, ...]] = {
    "exchanged": ("exchanged",),
    "sign": ("rewired",),
    "factor 2": ("value",),
    "10%": ("value",),
    "1%": ("value",),
    "missing": ("missing",),
    "shorted": ("value",),
    "open": ("value",),
    "inputs": ("inputs",),
    "rail": ("rewired",),
    "capacitor": ("capacitor",),
    "load": ("load", "extra"),
}
KINDS = tuple(FOUND_AS)


class NoPlaceError(Exception):
    """A board has no place for a fault of a kind."""


@dataclass(frozen=True, kw_only=True)
class Fault:
    """A fault that was planted: its kind, the devices at fault, and between which nodes, or where an end should go.

    `before`, `after`: the values of the devices in the order of `devices`, in their units. `words`: for people.
    """

    kind: str
    devices: tuple[str, ...]
    nodes: tuple[str, ...] = ()
    before: tuple[float, ...] = ()
    after: tuple[float, ...] = ()
    words: str

    def is_named_by(self, finding: Finding) -> bool:
        """Whether a finding names this fault: the kind, the devices, and the nodes where these say what is wrong."""
        if finding.kind not in FOUND_AS[self.kind] or set(finding.devices) != set(self.devices) - {""}:
            return False
        if self.kind in ("missing", "sign", "rail"):
            return sorted(finding.nodes) == sorted(self.nodes)
        return True


class Board(NamedTuple):
    """A deck as text, and of how many neurons it is."""

    family: str
    size: int
    deck: str


def draw_weights(n: int, rng: np.random.Generator) -> np.ndarray:
    """Return weights without self-couplings, (n, n), siemens; every neuron has an input."""
    weights = rng.uniform(0.2, 1.0, (n, n)) * rng.choice([-1, 1], (n, n)) * CONDUCTANCE
    there = rng.uniform(size=(n, n)) < DENSITY
    np.fill_diagonal(there, False)
    for i in range(n):
        if not there[i].any():
            there[i, (i + 1) % n] = True
    return np.asarray(weights * there)


def draw_network(n: int, rng: np.random.Generator, *, is_passive: bool) -> hh.Network:
    """Return a network; `is_passive`: its states are nodes of resistors, which load them with all their weights."""
    weights = draw_weights(n, rng)
    largest = 0.7 / float(np.max(np.sum(np.abs(weights), axis=1))) if is_passive else 2e4
    return hh.Network(
        weights=weights,
        resistance=largest * rng.uniform(0.8, 1.0, n),
        capacitance=rng.uniform(0.8, 1.5, n) * 1e-7,
        gain=hh.Tanh(gain=rng.uniform(4.0, 8.0, n)),
        bias=rng.normal(size=n) * 1e-5,
    )


def tank_board(n: int, rng: np.random.Generator) -> str:
    """Return passive nodes with non-inverting amplifiers that saturate, and an inverter for each."""
    weights, lines = draw_weights(n, rng), ["board of passive nodes", AMPLIFIER.rstrip()]
    for i in range(n):
        lines += [
            f"XU{i}A in{i} fb{i} vp vn out{i} OA",
            f"Rf{i} out{i} fb{i} {rng.uniform(40.0, 60.0):.3f}k",
            f"Rg{i} fb{i} 0 10k",
            f"XU{i}B 0 iv{i} vp vn nout{i} OA",
            f"Ri{i} out{i} iv{i} 10k",
            f"Rj{i} nout{i} iv{i} 10k",
            f"C{i} in{i} 0 {rng.uniform(80.0, 150.0):.3f}n",
            f"RL{i} in{i} 0 {rng.uniform(15.0, 30.0):.3f}k",
            *_synapses(weights, i, f"in{i}", ("out", "nout")),
            *_bias(i, f"in{i}", rng),
        ]
    return "\n".join([*lines, ".end"]) + "\n"


def integrator_board(n: int, rng: np.random.Generator) -> str:
    """Return leaky inverting integrators, each with an amplifier that saturates, and an inverter."""
    weights, lines = draw_weights(n, rng), ["board of integrators", AMPLIFIER.rstrip()]
    for i in range(n):
        lines += [
            f"XU{i}A 0 s{i} vp vn x{i} OA",
            f"C{i} s{i} x{i} {rng.uniform(80.0, 150.0):.3f}n",
            f"RL{i} s{i} x{i} {rng.uniform(15.0, 30.0):.3f}k",
            f"XU{i}B 0 g{i} vp vn out{i} OA",
            f"Rg{i} x{i} g{i} 10k",
            f"Rf{i} out{i} g{i} {rng.uniform(50.0, 90.0):.3f}k",
            f"XU{i}C 0 iv{i} vp vn nout{i} OA",
            f"Ri{i} out{i} iv{i} 10k",
            f"Rj{i} nout{i} iv{i} 10k",
            *_synapses(weights, i, f"s{i}", ("nout", "out")),
            *_bias(i, f"s{i}", rng),
        ]
    return "\n".join([*lines, ".end"]) + "\n"


def _synapses(weights: np.ndarray, i: int, node: str, rails: tuple[str, str]) -> list[str]:
    return [
        f"RT_{i}_{j} {rails[0] if each > 0.0 else rails[1]}{j} {node} {abs(1.0 / each):.6g}"
        for j, each in enumerate(weights[i])
        if each
    ]


def _bias(i: int, node: str, rng: np.random.Generator) -> list[str]:
    if rng.uniform() >= 0.5:
        return []
    return [f"RB_{i} {rng.choice(['vp', 'vn'])} {node} {rng.uniform(150.0, 400.0):.4f}k"]


def cell_board(cell: str) -> Callable[[int, np.random.Generator], str]:
    """Return what draws a network and gives its netlist in one of our cells."""

    def make(n: int, rng: np.random.Generator) -> str:
        network = draw_network(n, rng, is_passive=cell == "hopfield_tank")
        return hh.lower(network, cell=cell).netlist("ngspice")

    return make


FAMILIES: Mapping[str, Callable[[int, np.random.Generator], str]] = {
    "passive nodes": tank_board,
    "integrators": integrator_board,
    "hopfield_tank": cell_board("hopfield_tank"),
    "inverting_integrator": cell_board("inverting_integrator"),
    "summing_amplifier": cell_board("summing_amplifier"),
}
# Whose op-amps make the curves, so that ngspice sweeps them.
SWEPT = ("passive nodes", "integrators")


def draw_board(family: str, rng: np.random.Generator, least: int = SMALLEST, most: int = LARGEST) -> Board:
    """Return a board of a family, of `least` to `most` neurons."""
    n = int(rng.integers(least, most + 1))
    return Board(family, n, FAMILIES[family](n, rng))


def synapse(device: FlatDevice) -> tuple[int, int] | None:
    """Return to which neuron a synapse leads, and from which; None for other devices."""
    found = SYNAPSE.match(device.name)
    return (int(found[1]), int(found[2])) if found else None


def opposite(node: str) -> str:
    """Return the node with the opposite of an amplifier's output."""
    for plain, inverted in (("out", "nout"), ("v_", "vn_")):
        if node.startswith(plain):
            return inverted + node.removeprefix(plain)
        if node.startswith(inverted):
            return plain + node.removeprefix(inverted)
    raise NoPlaceError(node)


def plant(text: str, kind: str, rng: np.random.Generator, taken: Iterable[str] = ()) -> tuple[str, Fault]:
    """Return a deck with a fault of a kind, and what it is. `taken`: devices that stay as they are.

    Raises NoPlaceError for a board that cannot have it.
    """
    deck, kept = flatten(text), set(taken)
    devices = [device for device in deck.devices if device.name not in kept]
    synapses = [device for device in devices if device.kind == "R" and synapse(device)]

    def pick(among: Iterable[FlatDevice]) -> FlatDevice:
        given = list(among)
        if not given:
            raise NoPlaceError(kind)
        return given[int(rng.integers(len(given)))]

    if kind == "exchanged":
        return _exchanged(text, synapses, pick)
    if kind in ("sign", "rail"):
        return _rewired(text, deck, kind, synapses, pick)
    if kind in FACTORS:
        resistors = [device for device in devices if device.kind == "R"]
        device = pick(synapses if rng.uniform() < 0.6 else resistors)
        return _valued(text, kind, device, _value(device) * FACTORS[kind])
    if kind == "missing":
        device = pick(synapses)
        words = f"{device.name} ({_value(device):.6g} Ohm) is missing between {' and '.join(device.nodes)}"
        fault = Fault(kind=kind, devices=(), nodes=device.nodes, before=(_value(device),), words=words)
        return edit(text, device.name, None), fault
    if kind == "shorted":
        return _valued(text, kind, pick(synapses), SHORT)
    if kind == "open":
        loose = [d for d in devices if d.kind == "R" and not synapse(d) and OTHERS.match(d.name)]
        return _valued(text, kind, pick(loose), LOOSE)
    if kind == "capacitor":
        device = pick(device for device in devices if device.kind == "C")
        return _valued(text, kind, device, _value(device) * 10.0)
    if kind == "inputs":
        device = pick(device for device in devices if device.is_op_amp)
        places = (1, 2) if device.kind == "OpAmp" else (3, 4)
        fault = Fault(kind=kind, devices=(device.name,), words=f"inputs of {device.name} are exchanged")
        return edit(text, device.name, lambda words: _turn(words, *places)), fault
    if kind == "load":
        node = pick(synapses).nodes[int(rng.integers(2))]
        lines = text.splitlines()
        place = next((k for k, line in enumerate(lines) if line.strip().lower() == ".end"), len(lines))
        lines.insert(place, f"R_load {node} 0 {LOAD:g}")
        words = f"a load of {LOAD:g} Ohm at {node}"
        return "\n".join(lines) + "\n", Fault(
            kind=kind, devices=("r_load",), nodes=(node, "0"), after=(LOAD,), words=words
        )
    raise ValueError(f"{kind!r} is none of {KINDS}")


def _value(device: FlatDevice) -> float:
    assert device.value is not None
    return device.value


def _turn(words: list[str], first: int, second: int) -> list[str]:
    words[first], words[second] = words[second], words[first]
    return words


def _valued(text: str, kind: str, device: FlatDevice, value: float) -> tuple[str, Fault]:
    before = _value(device)
    words = f"{device.name} is {value:.6g} instead of {before:.6g}"
    fault = Fault(kind=kind, devices=(device.name,), before=(before,), after=(value,), words=words)
    return edit(text, device.name, lambda line: [*line[:3], repr(value)]), fault


def _exchanged(
    text: str, synapses: list[FlatDevice], pick: Callable[[Iterable[FlatDevice]], FlatDevice]
) -> tuple[str, Fault]:
    for _ in range(DRAWS):
        a, b = pick(synapses), pick(synapses)
        if a.name != b.name and abs(_value(a) / _value(b) - 1.0) > 0.05:
            break
    else:
        raise NoPlaceError("exchanged")
    values = (_value(a), _value(b))
    changed = edit(text, a.name, lambda line: [*line[:3], repr(values[1])])
    changed = edit(changed, b.name, lambda line: [*line[:3], repr(values[0])])
    words = f"{a.name} and {b.name} are exchanged"
    return changed, Fault(kind="exchanged", devices=(a.name, b.name), before=values, after=values[::-1], words=words)


def _rewired(
    text: str,
    deck: FlatDeck,
    kind: str,
    synapses: list[FlatDevice],
    pick: Callable[[Iterable[FlatDevice]], FlatDevice],
) -> tuple[str, Fault]:
    nodes = {node for device in deck.devices for node in device.nodes}
    for _ in range(DRAWS):
        device = pick(synapses)
        here = device.nodes[0]
        if kind == "sign":
            there = opposite(here)
        else:
            source = (synapse(device) or (0, 0))[1]
            others = [d for d in synapses if d.nodes[0] != here and (synapse(d) or (0, 0))[1] != source]
            there = pick(others).nodes[0]
        if there in nodes and there not in device.nodes:
            break
    else:
        raise NoPlaceError(kind)
    words = f"{device.name} goes to {there} instead of {here}"
    fault = Fault(kind=kind, devices=(device.name,), nodes=(here,), words=words)
    return edit(text, device.name, lambda line: [line[0], there, *line[2:]]), fault


def edit(text: str, name: str, change: Callable[[list[str]], list[str]] | None) -> str:
    """Return a deck with the statement of a device changed, word by word, or left out. It must be there once."""
    lines, found, inside = [], 0, False
    for line in text.splitlines():
        words = line.split()
        head = words[0].lower() if words else ""
        inside = (inside or head == ".subckt") and head != ".ends"
        if head != name or inside:
            lines.append(line)
            continue
        found += 1
        if change is not None:
            lines.append(" ".join(change(words)))
    assert found == 1, f"{name} is there {found} times"
    return "\n".join(lines) + "\n"


def spread_values(deck: FlatDeck, sigma: float, rng: np.random.Generator, *, is_uniform: bool = False) -> FlatDeck:
    """Return a deck with all resistors and capacitors off by chance: one sigma, or evenly within three of them."""

    def factor() -> float:
        return 1.0 + float(rng.uniform(-3.0, 3.0) if is_uniform else rng.normal()) * sigma

    return deck.with_devices(
        replace(device, value=_value(device) * factor()) if device.kind in ("R", "C") else device
        for device in deck.devices
    )


def is_found(fault: Fault, found: Differences) -> bool:
    """Whether a fault alone is found, first or first among those that are declared to be equals."""
    if len(found.findings) != 1:
        return False
    first = found.findings[0]
    equals = [c for c in found.candidates if c.words in first.alternatives or abs(c.score - first.score) <= EQUAL]
    return any(fault.is_named_by(each) for each in (first, *equals))


def is_among(fault: Fault, found: Differences) -> bool:
    """Whether a fault is one of several findings, or of what one of them declares to be the same."""
    names = fault.devices or fault.nodes
    return any(
        fault.is_named_by(each) or any(set(names) <= set(re.split(r"[ ,;()]+", words)) for words in each.alternatives)
        for each in found.findings
    )
