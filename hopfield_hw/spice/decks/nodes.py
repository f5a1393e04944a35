"""Nodes of decks that people drew: which names ngspice takes, where they are, and what `nodes=` says of them."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping
from typing import NamedTuple, TypeAlias

from ...circuit import Probe
from ...values.errors import InputError
from .statements import Statement, plain

# The node of a state, `-` before it for its negative; or the node, and what its voltage is multiplied by.
Place: TypeAlias = "str | tuple[str, float]"

# ngspice 39 takes, saves and starts any node whose name is of these letters. Blanks, brackets of these two kinds,
# commas, semicolons, equals signs and quotes end a name for it; `$` begins a comment, and so does `//`.
NODE = re.compile(r"[!#%&*+\-./:<>?@\[\\\]^_`|~0-9A-Za-z][!#$%&*+\-./:<>?@\[\\\]^_`|~0-9A-Za-z]*", re.ASCII)
LONGEST = 200
# Ground, the scale of a transient, and a name that ngspice 39 crashes on.
TAKEN = frozenset({"0", "gnd", "time", "temper"})
_SEPARATORS = re.compile(r"[\s(),=\"'{}]+")
_PARAMETER = re.compile(r"\s*=\s*")


def words_of(text: str) -> frozenset[str]:
    """Return the words of a statement, lower case, as ngspice tells them apart."""
    return frozenset(_SEPARATORS.split(text.lower()))


def probes_at(states: Iterable[Probe], nodes: Mapping[str, Place]) -> tuple[Probe, ...]:
    """Return where states are found by their labels, in their order.

    Raises InputError unless every neuron has one node, with a finite scale that is not 0, and no two have the same.
    """
    labels = [probe.label for probe in states]
    if sorted(nodes) != sorted(labels):
        raise InputError(f"`nodes` names {sorted(nodes)}: must name the node of each neuron, {sorted(labels)}")
    probes = tuple(_probe(label, nodes[label]) for label in labels)
    seen: dict[str, str] = {}
    for label, node, _ in probes:
        if node in seen:
            raise InputError(f"`nodes`: neurons {seen[node]} and {label} are both at {node!r}; give each its own node")
        seen[node] = label
    return probes


def _probe(label: str, place: object) -> Probe:
    node, scale = place if isinstance(place, tuple) and len(place) == 2 else (place, 1.0)
    said = f"`nodes[{label!r}]` = {place!r:.80}"
    if isinstance(place, str) and place.startswith("-"):
        node, scale = place[1:], -1.0
    if isinstance(scale, bool) or not isinstance(scale, int | float) or not math.isfinite(scale) or scale == 0.0:
        raise InputError(f"{said}: its scale must be a finite number other than 0, such as -1.0")
    name = plain(node) if isinstance(node, str) else ""
    if not NODE.fullmatch(name) or len(name) > LONGEST or "//" in name or name.lower().endswith("#branch"):
        raise InputError(
            f"{said}: must be the name of a node, such as x_0, /x0 or xa.node, `-` before it for its negative, or "
            f"(node, scale); ngspice ends a name at blanks, at any of (){{}},;='\" and at //, for which KiCad writes _"
        )
    if name.lower() in TAKEN:
        raise InputError(f"{said}: is not a node that can be probed; rename it in the deck")
    return Probe(label, name.lower(), float(scale))


class _Scope(NamedTuple):
    """What stands in the deck itself, or in a subcircuit: its pins, its words, its instances and what they are of."""

    pins: frozenset[str]
    words: set[str]
    instances: dict[str, str]


class Nets:
    """The nodes of a deck, those inside its subcircuits among them (`xa.node`)."""

    def __init__(self, statements: Iterable[Statement]) -> None:
        """Take the statements in."""
        self._top = _Scope(frozenset(), set(), {})
        self._subcircuits: dict[str, _Scope] = {}
        scopes = [self._top]
        for statement in statements:
            words = _PARAMETER.sub("=", statement.text.lower()).split()
            if statement.word in (".subckt", ".macro") and len(words) > 1:
                pins = (word for word in words[2:] if "=" not in word)
                scope = _Scope(frozenset(pins), set(), {})
                self._subcircuits[words[1]] = scope
                scopes.append(scope)
            elif statement.word in (".ends", ".eom"):
                scopes = scopes[:-1] or scopes
            elif not statement.word.startswith("."):
                scopes[-1].words.update(words_of(statement.text))
                if statement.word.startswith("x"):
                    plain_words = [word for word in words if "=" not in word and word != "params:"]
                    scopes[-1].instances[words[0]] = plain_words[-1]

    def require(self, probe: Probe) -> None:
        """Raise InputError where the deck lacks a probed node."""
        remedy = "keep its name, or say with `nodes` where its state is"
        pin = self._pin(probe.node.lower(), self._top)
        if pin is None:
            raise InputError(f"deck: has no node {probe.node!r}, where neuron {probe.label} is probed; {remedy}")
        if pin:
            raise InputError(
                f"deck: {probe.node!r}, where neuron {probe.label} is probed, is a pin of a subcircuit, which has the "
                "name of the node that it is connected to; name that one"
            )

    def _pin(self, node: str, scope: _Scope) -> bool | None:
        """Return whether a node is a pin of its subcircuit; None where it is not there."""
        if node in scope.words:
            return node in scope.pins
        instance, dot, inner = node.partition(".")
        found = self._subcircuits.get(scope.instances.get(instance, "")) if dot else None
        return None if found is None else self._pin(inner, found)
