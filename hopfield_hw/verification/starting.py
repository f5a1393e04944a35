"""Whether a circuit starts where its network does, in words."""

from __future__ import annotations

import numpy as np
import xarray as xr

from ..spice.decks.nodes import words_of
from ..spice.transient import Deck
from ..values.measures import ranges
from ..values.si_text import format_si

# Off by this part of the range at t = 0, and by half of that still some points later, by when an op-amp whose inner
# nodes start at 0 V has reached its feedback.
OFF = 1e-3
LATER = 4
# A voltage below this part of the range is told of as 0.
NOTHING = 1e-9
MOST = 3


def starts_elsewhere(deck: Deck, wave: xr.Dataset, ref: xr.Dataset) -> str:
    """Return which states of a deck start elsewhere than the network's, and what starts them; empty where none does.

    Devices start where `IC=` says, whatever `.ic` says of their nodes, and a node that holds no charge (a buffered
    copy of the state, say) is not started by `.ic` at all. A clocked circuit is read at the ends of its periods alone.
    """
    found, expected = wave["state"].to_numpy(), ref["state"].to_numpy()
    if deck.clock is not None or len(found) <= LATER or found.shape != expected.shape:
        return ""
    off = np.abs(found - expected)
    limit = OFF * ranges(expected)
    where = np.flatnonzero((off[0] > limit) & (off[LATER] > 0.5 * off[0]))
    rounded = np.where(np.abs(found[0]) < NOTHING * ranges(expected), 0.0, found[0])
    said = [_describe(deck, i, float(rounded[i]), float(expected[0, i])) for i in where[:MOST].tolist()]
    more = f"; so do {where.size - MOST} more" if where.size > MOST else ""
    return f"the deck starts elsewhere than the network: {'; '.join(said)}{more}" if said else ""


def _describe(deck: Deck, index: int, found: float, expected: float) -> str:
    probe = deck.states[index]
    at = f"neuron {probe.label} (node {probe.node}) starts at {format_si(found, 'V')}, not {format_si(expected, 'V')}"
    inner = probe.node.rpartition(".")[2].lower()
    causes = [start for start in deck.starts if {probe.node.lower(), inner} & words_of(start)]
    if causes:
        return f"{at}, as {' and '.join(causes)} has it: give it the network's start there, or leave it out"
    return (
        f"{at}: nothing at that node holds the voltage; name the node of the capacitor in `nodes`, or start that one "
        "with `.ic` in the deck"
    )
