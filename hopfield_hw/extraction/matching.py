"""Which state of a circuit is which of the intended network, and with which sign."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import permutations
from typing import TYPE_CHECKING

import numpy as np

from ..functions import Logistic, Table
from ..values.arrays import Array
from ..values.errors import InputError
from .comparison import Values

if TYPE_CHECKING:
    from .extraction import Extraction

# Up to so many states every order is tried where labels do not say which is which.
MOST = 7
# All states are taken to be turned where their biases then differ by less than this part of how they differ otherwise.
TURNED = 0.3


def match_states(found: Extraction, intended: Extraction, values: Values) -> Values:
    """Return the intended values in the order and with the signs of what was found.

    States are matched by the names of their capacitors, then by their labels, then, up to seven, by their values; else
    they stand in one order. Raises InputError for another number of states.
    """
    n = found.size
    if intended.size != n:
        raise InputError(
            f"extraction: the circuit has {n} states and the intended network {intended.size}; name the capacitors of "
            "its states in `states`, or give the network that it should be"
        )
    order = match_order(found, intended, values)
    taken = Values(
        weights=values.weights[np.ix_(order, order)],
        conductances=values.conductances[np.ix_(order, order)],
        bias=values.bias[order],
        capacitance=values.capacitance[order],
        slopes=values.slopes[order],
    )
    signs = _signs(found, taken)
    both = np.outer(signs, signs)
    return Values(
        weights=both * taken.weights,
        conductances=both * taken.conductances,
        bias=signs * taken.bias,
        capacitance=taken.capacitance,
        slopes=taken.slopes,
    )


def match_order(found: Extraction, intended: Extraction, values: Values) -> list[int]:
    """Return by state of what was found its place among those intended."""
    n = found.size
    if found.states and intended.states:
        names = {name: k for k, state in enumerate(intended.states) for name in state.names}
        places = [next((names[name] for name in state.names if name in names), None) for state in found.states]
        if None not in places and len(set(places)) == n:
            return [place for place in places if place is not None]
    if sorted(found.labels) == sorted(intended.labels):
        return [intended.labels.index(label) for label in found.labels]
    if n > MOST:
        return list(range(n))
    own = np.abs(found.weights)

    def apart(chosen: Iterable[int]) -> float:
        order = list(chosen)
        given = np.abs(values.weights[np.ix_(order, order)])
        scale = float(np.max(own, initial=1e-30))
        off = np.minimum(np.abs(own - given) / scale, 0.2)
        ratio = np.minimum(np.abs(np.log(found.capacitance / values.capacitance[order])), 0.5)
        return float(np.sum(off)) + float(np.sum(ratio)) + 1e-6 * sum(k != place for k, place in enumerate(order))

    return list(min(permutations(range(n)), key=apart))


def _signs(found: Extraction, values: Values) -> Array:
    """Return the signs that bring intended weights nearest to those found; one whose curve is not odd has +1."""
    n = found.size
    signs = np.zeros(n)
    product = np.sign(found.weights * values.weights) * np.minimum(np.abs(found.weights), np.abs(values.weights))
    pull = product + product.T
    free = np.array([_is_odd(gain) for gain in found.gains])
    signs = np.where(free, 0.0, 1.0)
    while not np.all(signs):
        known = signs != 0.0
        strength = np.abs(pull) * np.outer(known, ~known)
        if np.max(strength, initial=0.0) > 0.0:
            here, there = np.unravel_index(int(np.argmax(strength)), strength.shape)
            signs[there] = signs[here] * np.sign(pull[here, there])
        else:
            signs[int(np.flatnonzero(~known)[0])] = 1.0
    if np.all(free):
        # Weights are the same for all states turned; biases are not.
        kept, turned = (float(np.linalg.norm(found.bias - sign * signs * values.bias)) for sign in (1.0, -1.0))
        if turned < TURNED * kept:
            signs = -signs
    return signs


def _is_odd(gain: object) -> bool:
    if gain is None:
        return True
    if isinstance(gain, Logistic):
        return False
    if isinstance(gain, Table):
        return bool(gain.y[0] * gain.y[-1] < 0.0)
    return True
