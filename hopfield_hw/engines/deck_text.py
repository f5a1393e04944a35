"""Decks that people have edited: their devices are kept, their analysis is replaced."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

from ..circuit import Probe
from ..errors import InputError
from .ngspice import check_deck_text
from .transient import Deck

# What the engine states itself: initial values, what to save, options, analyses, measurements, the end.
REPLACED = frozenset(
    {".ic", ".nodeset", ".save", ".probe", ".print", ".plot", ".options", ".option", ".opt", ".opts"}
    | {".tran", ".op", ".dc", ".ac", ".meas", ".measure", ".end"}
)
# A node of a deck; a dot leads into a subcircuit.
NODE = re.compile(r"\w[\w.+-]{0,63}", re.ASCII)


def read_deck(deck: str | Path, *, like: Deck) -> Deck:
    """Return a deck that someone gives as text or as a path, with probes and initial state of the compiled one.

    Lines of analysis are left out, as the engine states its own. Raises InputError for a file that cannot be read,
    an empty deck, a script (`.control`), and a probed node that the deck lacks.
    """
    text = _read(deck) if isinstance(deck, Path) or "\n" not in deck else deck
    check_deck_text(text)
    lines = list(_device_lines(text))
    if len(lines) < 2:
        raise InputError("deck: holds no device; its first line is a title, devices follow")
    body = "\n".join(lines) + "\n"
    words = {word for line in lines[1:] for word in line.lower().split()}
    for probe in (*like.states, *like.outputs):
        if probe.node.lower() not in words:
            raise InputError(
                f"deck: has no node {probe.node!r}, where neuron {probe.label} is probed; keep its name, or say with "
                "`nodes` where its state is"
            )
    return replace(like, text=body)


def with_nodes(deck: Deck, nodes: Mapping[str, str]) -> Deck:
    """Return a deck whose states are found at other nodes, by label, volts for volts; its outputs are not probed.

    Raises InputError unless every neuron has one plain name of a node.
    """
    labels = sorted(probe.label for probe in deck.states)
    if sorted(nodes) != labels:
        raise InputError(f"`nodes` names {sorted(nodes)}: must name the node of each neuron, {labels}")
    for label, node in nodes.items():
        if not isinstance(node, str) or NODE.fullmatch(node) is None:
            raise InputError(f"`nodes[{label!r}]` = {node!r:.80}: must be the name of a node, such as x_0 or xa.node")
    starts = {probe.label: probe.scale * deck.initial[probe.node] for probe in deck.states}
    states = tuple(Probe(probe.label, nodes[probe.label]) for probe in deck.states)
    return replace(deck, states=states, outputs=(), initial={nodes[label]: volts for label, volts in starts.items()})


def cell_of(deck: Path) -> str | None:
    """Return the cell that the head of a deck of ours names; None for a deck of another kind."""
    match = re.search(r"^\* cell (\w+); graph sha256 ", _read(deck)[:4000], re.MULTILINE)
    return None if match is None else match[1]


def _read(path: str | Path) -> str:
    try:
        return Path(path).read_text()
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"deck {str(path)!r:.200}: cannot be read ({error}); give a netlist or its path") from None


def _device_lines(text: str) -> Iterator[str]:
    lines = text.splitlines()
    if lines:
        yield lines[0]
    replaced = False
    for line in lines[1:]:
        words = line.lower().split()
        if words and words[0].startswith("+"):
            if not replaced:
                yield line
            continue
        replaced = bool(words) and words[0] in REPLACED
        if words and not replaced:
            yield line
