"""The network that devices say by themselves: formulas and op-amps, without a simulator."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

import numpy as np

from .canonical import Canonical, to_canonical
from .curves import Curve, read_curves
from .devices import FlatDeck
from .extraction import Extraction
from .nodal import Nodal, StateCapacitor
from .states import Found, find_states


def read_by_structure(deck: FlatDeck, states: Sequence[str] | None, ideal: bool) -> tuple[Found, Extraction]:
    found = find_states(deck, states)
    nodal = Nodal(found.deck, found.states, ideal=ideal)
    curves = read_curves(nodal)
    return found, make_extraction(deck, found, nodal, to_canonical(nodal, curves), curves, notes=found.notes)


def make_extraction(
    deck: FlatDeck,
    found: Found,
    nodal: Nodal,
    canonical: Canonical,
    curves: Sequence[Curve],
    *,
    notes: Sequence[str],
) -> Extraction:
    labels = deck.labels or {}
    turned = tuple(
        f"{name} has positive feedback: its inputs are exchanged, or it is a Schmitt trigger"
        for name in nodal.find_turned()
    )
    size = canonical.input_weights.shape[1]
    return Extraction(
        weights=canonical.weights,
        resistance=canonical.resistance,
        capacitance=canonical.capacitance,
        bias=canonical.bias,
        gains=tuple(None if curve is None else curve.gain for curve in canonical.curves),
        labels=_labels(found.states, labels),
        signs=canonical.signs,
        offsets=canonical.offsets,
        way="structure",
        input_weights=canonical.input_weights if size else np.zeros((0, 0)),
        inputs=tuple(device.name for device in nodal.inputs),
        linear=canonical.linear,
        poles=found.fast,
        unexplained=turned,
        notes=(*notes, *_dead_ends(deck), *canonical.notes),
        states=found.states,
        deck=found.deck,
        curve_op_amps=tuple(device.name for device in nodal.curves if device.is_op_amp),
        owners={device.name: curve.owner for device, curve in zip(nodal.curves, curves, strict=True)},
        from_rest=frozenset(
            device.name for device, curve in zip(nodal.curves, curves, strict=True) if curve.is_from_rest
        ),
    )


def _dead_ends(deck: FlatDeck) -> Iterator[str]:
    """Yield what resistors and capacitors lead nowhere, as where a wire is missing."""
    seen = Counter(node for device in deck.devices for node in set(device.all_nodes))
    for device in deck.devices:
        lone = [node for node in device.nodes if node != "0" and seen[node] == 1]
        if device.kind in ("R", "C") and lone:
            yield f"{device.name} leads to node {lone[0]}, where nothing else is: it carries no current"


def _labels(states: Sequence[StateCapacitor], known: dict[str, str] | object) -> tuple[str, ...]:
    given = [known.get(state.names[0], "") for state in states] if isinstance(known, dict) else []
    if len(set(filter(None, given))) == len(states):
        return tuple(given)
    return tuple(state.names[0].replace(".", "_") for state in states)
