"""Decks that people have edited or drawn: what changes the circuit stays, the analysis is replaced.

What stays: devices, models, subcircuits, parameters, functions, temperature, the options that change the circuit, and
the start of nodes that are not states. What is replaced, as the engine states its own: every analysis, what it prints
and saves, tolerances and methods, and the start of the states. What can be neither is refused by name.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple

from ...values.errors import InputError
from ..transient import Deck
from .nodes import Nets, Place, probes_at
from .statements import Statement, deck_head, read_statements

# They change the circuit. (What is inside `.if` stays under it.)
KEPT = frozenset(
    {".model", ".subckt", ".ends", ".macro", ".eom", ".param", ".params", ".parameters", ".func", ".global", ".temp"}
    | {".if", ".elseif", ".else", ".endif"}
)
# Analyses, what they report, and what nothing reads in a transient that starts from `.ic`.
REPLACED = frozenset(
    {".tran", ".op", ".dc", ".ac", ".noise", ".sens", ".sens2", ".tf", ".disto", ".pz", ".four", ".fourier", ".sp"}
    | {".pss", ".hb", ".meas", ".measure", ".print", ".plot", ".save", ".probe", ".width", ".watch", ".vector", ".end"}
    | {".nodeset", ".title", ".csparam", ".prot", ".unprot", ".protect", ".unprotect", ".hdl", ".biaschk"}
    | {".backanno", ".wave", ".savebias", ".net", ".graph", ".snap", ".optran"}
)
OPTIONS = frozenset({".options", ".option", ".opt", ".opts"})
# Tolerances, methods, printing, and how ngspice looks for an operating point; all other options stay.
REPLACED_OPTIONS = frozenset(
    {"reltol", "abstol", "vntol", "chgtol", "trtol", "ltereltol", "lteabstol", "ltetrtol", "newtrunc", "method", "xmu"}
    | {"maxord", "lvltim", "minbreak", "maxstep", "bypass", "pivtol", "pivrel", "itl1", "itl2", "itl3", "itl4", "itl5"}
    | {"itl6", "srcsteps", "gminsteps", "gminfactor", "noopiter", "noopac", "noopalter", "nodedamping", "absdv"}
    | {"reldv", "copynodesets", "keepopinfo", "klu", "sparse", "acct", "noacct", "list", "nolist", "node", "nomod"}
    | {"nopage", "noprint", "noinit", "opts", "numdgt", "measdgt", "cptime", "limtim", "limpts", "lvlcod", "warn"}
    | {"maxwarns", "interp", "savecurrents", "autostop", "filetype", "rawfile", "ingold", "post", "probe", "brief"}
    | {"plotwinsize", "plotreltol", "plotabstol", "plotvntol", "nomarch", "fastaccess", "indverbosity", "noraw"}
)
REMEDIES: Mapping[str, str] = MappingProxyType(
    {
        ".step": "runs a circuit many times, and one is judged here: set the value with `.param`, a deck for each",
        ".alter": "runs a circuit many times, and one is judged here: give each its own deck",
        ".data": "runs a circuit many times, and one is judged here: set the values with `.param`, a deck for each",
        ".mc": "draws values at random, and one circuit is judged here: set them, a deck for each",
        ".wcase": "varies values, and one circuit is judged here: set them, a deck for each",
        ".loadbias": "starts the circuit from a file: write its voltages as `.ic v(node)=volts`",
        ".endl": "ends a section that no line begins: read a library with `.lib FILE SECTION`",
        ".lib": "must name a file, and at most one section",
    }
)
UNKNOWN = (
    "is not a statement that ngspice is known to take: remove it, or write its effect as devices, `.model` or `.param`"
)
# XSPICE models that are separate programs.
_PROGRAM = re.compile(r"\bd_(?:process|cosim)\b")
_VALUE = r"(\{[^}]*\}|'[^']*'|\"[^\"]*\"|[^\s,]+)"
_OPTION = re.compile(rf"([^\s=,]+)(?:\s*=\s*{_VALUE})?")
_START = re.compile(rf"v\s*\(\s*\"?([^\s()\"]+)\"?\s*\)\s*=\s*{_VALUE}", re.IGNORECASE)
_DEVICE_START = re.compile(r"\bic\s*=", re.IGNORECASE)
_NUMBER = re.compile(r"([+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?)(meg|mil|[tgkmunpfa])?[a-z]*", re.IGNORECASE)
_SCALES = {"t": 1e12, "g": 1e9, "meg": 1e6, "k": 1e3, "mil": 25.4e-6, "m": 1e-3, "u": 1e-6, "n": 1e-9}
SCALES: Mapping[str, float] = MappingProxyType({**_SCALES, "p": 1e-12, "f": 1e-15, "a": 1e-18})


def read_deck(deck: str | Path, *, like: Deck) -> Deck:
    """Return a deck that someone gives as text or as a path, with probes and initial state of the compiled one.

    Its analysis is left out, as the engine states its own; what changes the circuit stays. `notes` tells of a `.ic`
    that starts a state elsewhere than the network. Raises InputError for a file that cannot be read, an empty deck, a
    script (`.control`), a statement that can be neither kept nor replaced, and a probed node that the deck lacks.
    """
    source = read_statements(deck)
    kept = _Kept(initial={node.lower(): volts for node, volts in like.initial.items()})
    for statement in source.statements:
        kept.take(statement)
    if not kept.devices:
        raise InputError("deck: holds no device; its first line is a title, devices follow")
    nets = Nets(source.statements)
    for probe in (*like.states, *like.outputs):
        nets.require(probe)
    return replace(
        like,
        text="\n".join([source.title or "*", *kept.lines]) + "\n",
        stated=frozenset(kept.stated),
        starts=tuple(kept.starts),
        notes=(*kept.notes, *source.notes),
    )


def with_nodes(deck: Deck, nodes: Mapping[str, Place]) -> Deck:
    """Return a deck whose states are found at other nodes, by label; its outputs are not probed.

    Raises InputError unless every neuron has one name of a node that ngspice takes; see `Place`.
    """
    values = {probe.label: probe.scale * deck.initial[probe.node] for probe in deck.states}
    states = probes_at(deck.states, nodes)
    initial = {probe.node: values[probe.label] / probe.scale for probe in states}
    return replace(deck, states=states, outputs=(), initial=initial)


class Head(NamedTuple):
    """What the head of a deck of ours names: the cell, and the hash of the graph that was lowered to it."""

    cell: str
    graph: str


def read_head(deck: Path) -> Head | None:
    """Return what the head of a deck of ours names; None for a deck of another kind."""
    match = re.search(r"^\* cell (\w+); graph sha256 (\w+)", deck_head(deck), re.MULTILINE)
    return None if match is None else Head(match[1], match[2])


@dataclass
class _Kept:
    """What is kept of a deck, statement by statement. `initial`: where nodes start, volts, by name in lower case."""

    initial: Mapping[str, float]
    lines: list[str] = field(default_factory=list)
    stated: list[str] = field(default_factory=list)
    starts: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    devices: int = 0
    depth: int = 0

    def take(self, statement: Statement) -> None:
        """Keep a statement, leave it out, or raise InputError."""
        word = statement.word
        if not word.startswith("."):
            self.devices += 1
            if _DEVICE_START.search(statement.text):
                self.starts.append(f"{statement.where} `{statement.text:.80}`")
            self.lines += statement.lines
        elif word in KEPT:
            self.depth += {".subckt": 1, ".macro": 1, ".ends": -1, ".eom": -1}.get(word, 0)
            if word == ".model" and _PROGRAM.search(statement.text.lower()):
                raise InputError(f"{statement.where} `{statement.text:.60}`: makes ngspice start a program; remove it")
            self.lines += statement.lines
        elif word in OPTIONS:
            self._options(statement)
        elif word == ".ic":
            self._starts(statement)
        elif word not in REPLACED:
            why = REMEDIES.get(word, UNKNOWN)
            raise InputError(f"{statement.where} `{statement.text:.60}`: {word} {why}")

    def _options(self, statement: Statement) -> None:
        """Keep the options that change the circuit."""
        kept = [match for match in _OPTION.finditer(_after(statement)) if match[1].lower() not in REPLACED_OPTIONS]
        if kept:
            self.stated += [match[1].lower() for match in kept]
            self.lines.append(" ".join([".options", *_assignments(kept)]))

    def _starts(self, statement: Statement) -> None:
        """Keep the start of nodes that are not states, and tell of a state that starts elsewhere than the network."""
        if self.depth:  # its nodes have their own names
            self.starts.append(f"{statement.where} `{statement.text:.80}`")
            self.lines += statement.lines
            return
        text = _after(statement)
        found = list(_START.finditer(text))
        if not found or _START.sub("", text).strip(" ,"):
            raise InputError(
                f"{statement.where} `{statement.text:.60}`: must be a list of v(node)=volts; write a current of an "
                "inductor as IC= of the device"
            )
        others = []
        for match in found:
            volts = self.initial.get(match[1].lower())
            if volts is None:
                others.append(f"v({match[1]})={match[2]}")
            elif not _same(match[2], volts):
                self.notes.append(
                    f"{statement.where} `.ic {match[0]}` starts elsewhere than the network (or is an expression): this "
                    f"run starts that node at {volts:.6g} V, as the network does"
                )
        self.lines += [" ".join([".ic", *others])] if others else []


def number(text: str) -> float | None:
    """Return a number with a scale of SPICE (`10u`, `1meg`; `M` is milli); None for an expression."""
    match = _NUMBER.fullmatch(text)
    return None if match is None else float(match[1]) * SCALES.get((match[2] or "").lower(), 1.0)


def _same(text: str, volts: float) -> bool:
    value = number(text.strip("{}'\" "))
    return value is not None and math.isclose(value, volts, rel_tol=1e-6, abs_tol=1e-9)


def _after(statement: Statement) -> str:
    """Return a statement without its first word."""
    return statement.text[len(statement.word) :].strip()


def _assignments(matches: list[re.Match[str]]) -> Iterator[str]:
    for match in matches:
        yield match[1] if match[2] is None else f"{match[1]}={match[2]}"
