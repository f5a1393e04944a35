"""Which subcircuits are op-amps, and what their pins are: by the names of the pins, by custom, and by what they do.

A subcircuit counts as one where, with its output tied to the inverting input, its output follows the other one into a
load, and without that tie a difference of 10 mV drives it to one side, and the opposite one to the other. A
transconductance amplifier does not follow into a load; a subcircuit with another circuit within does not do both.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from itertools import permutations
from typing import NamedTuple

import numpy as np

from ..ensemble.devices.libraries import Definition
from ..spice.ngspice import run
from ..values.errors import SimulatorError, SimulatorMissing

# What people and vendors call pins.
NAMES = {
    "plus": r"(?:v?in?_?)?(?:\+|p|pos|plus|positive|noninv\w*|non_inv\w*)|ni|\+in|in_?1|v?plus_?in|p_?in",
    "minus": r"(?:v?in?_?)?(?:-|n|m|neg|minus|negative|inv\w*)|-in|in_?2|v?minus_?in|n_?in",
    "output": r"v?o(?:ut(?:put)?)?\d?|vo",
    "high": r"v(?:cc|dd)\d?|v\+|v_?p(?:os)?|vs\+|vsp|supply_plus|vplus|avdd|\+v[s]?",
    "low": r"v(?:ee|ss)\d?|v-|v_?n(?:eg)?|vs-|vsn|supply_minus|vminus|gnd|avss|-v[s]?",
}
# The order of pins that vendors keep to, and others that are met; a name of each pin is a place in NAMES.
CUSTOMS = (
    ("plus", "minus", "high", "low", "output"),
    ("plus", "minus", "output", "high", "low"),
    ("minus", "plus", "high", "low", "output"),
    ("output", "minus", "plus", "high", "low"),
    ("plus", "minus", "output"),
    ("minus", "plus", "output"),
    ("output", "plus", "minus"),
    ("output", "minus", "plus"),
)
SUPPLY = 9.0  # V, of the bench
LEVELS = (1.0, -1.5)  # V, that a follower follows
NEAR = 0.05  # V
TIPPED, SIDE = 0.01, 0.5  # V: between the inputs, and at least at the output
SOURCE, LOAD = 1e4, 2e3  # ohms
PATIENCE = 20.0  # s
ROLES = ("plus", "minus", "output", "high", "low")


class _Bench(NamedTuple):
    """A subcircuit on the bench: its name, how many nodes it has, and the statements that it needs."""

    name: str
    nodes: int
    definitions: tuple[str, ...]


def find_pins(name: str, definition: Definition, definitions: tuple[str, ...]) -> tuple[int, ...] | None:
    """Return the places of plus, minus, output and the supplies (high, low) among the nodes of a subcircuit.

    None for one that is no op-amp. Without ngspice what it does is not known, and its names are believed.
    """
    nodes = definition.nodes
    if not 3 <= len(nodes) <= 8 or len(nodes) == 4:
        return None
    by_name = _by_names(nodes)
    try:
        return _find(_Bench(name, len(nodes), definitions), by_name, any(w.name[0] == "x" for w in definition.lines))
    except SimulatorMissing:
        return by_name


@lru_cache(maxsize=256)
def _find(bench: _Bench, by_name: tuple[int, ...] | None, is_nested: bool) -> tuple[int, ...] | None:
    tried = set()
    for pins in _guesses(bench.nodes, by_name, is_nested):
        if pins not in tried and _behaves(bench, pins):
            return pins
        tried.add(pins)
    return None


def _guesses(count: int, by_name: tuple[int, ...] | None, is_nested: bool) -> Iterator[tuple[int, ...]]:
    """Yield the pins as they may be, the likeliest first."""
    if by_name is not None:
        yield by_name
    for custom in CUSTOMS:
        if len(custom) == count:
            yield tuple(custom.index(role) for role in ROLES if role in custom)
    if count <= 5 and not is_nested:
        yield from permutations(range(count), count)


def _by_names(nodes: tuple[str, ...]) -> tuple[int, ...] | None:
    """Return the pins by their names; None where one has none of them, or two have the same."""
    found: dict[str, int] = {}
    for k, node in enumerate(nodes):
        roles = [role for role, pattern in NAMES.items() if re.fullmatch(pattern, node.lower())]
        if roles:
            if roles[0] in found:
                return None
            found[roles[0]] = k
    needed = ROLES[:3] if len(nodes) == 3 else ROLES
    return tuple(found[role] for role in needed) if all(role in found for role in needed) else None


def _behaves(bench: _Bench, pins: tuple[int, ...]) -> bool:
    """Whether a subcircuit with these pins does what an op-amp does."""
    lines = ["* bench", *bench.definitions, f"Vhigh high 0 {SUPPLY!r}", f"Vlow low 0 {-SUPPLY!r}"]

    def instance(k: int, plus: str, minus: str) -> str:
        where = dict(zip(pins, (plus, minus, f"out{k}", "high", "low"), strict=False))
        nodes = " ".join(where.get(place, f"free{k}_{place}") for place in range(bench.nodes))
        return f"X{k} {nodes} {bench.name}"

    for k, level in enumerate(LEVELS):
        lines += [f"Vin{k} in{k} 0 {level!r}", f"Rin{k} in{k} p{k} {SOURCE!r}", instance(k, f"p{k}", f"out{k}")]
    for k, tip in ((2, TIPPED), (3, -TIPPED)):
        lines += [f"Vin{k} in{k} 0 {tip!r}", instance(k, f"in{k}", "0")]
    lines += [f"Rload{k} out{k} 0 {LOAD!r}" for k in range(4)]
    saved = " ".join(f"v(out{k})" for k in range(4))
    try:
        plot = run("\n".join([*lines, f".save {saved}", ".op", ".end"]) + "\n", t_stop=None, timeout=PATIENCE)
    except SimulatorMissing:
        raise
    except SimulatorError:
        return False
    out = [float(np.real(plot.column(f"v(out{k})")[0])) for k in range(4)]
    follows = all(abs(volts - level) < NEAR for volts, level in zip(out, LEVELS, strict=False))
    return follows and out[2] > SIDE and out[3] < -SIDE
