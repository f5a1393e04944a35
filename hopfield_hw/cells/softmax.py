"""Softmax as devices: an exponential source for each element, a node that adds up a group, a division for each element.

With m the largest input of a group, e_i = exp(beta (x_i - m)) V, their currents through 1 S meet in 1 ohm, and
y_i = a e_i / sum_j e_j. The m cancels in the quotient; it keeps every exponential from 0 to 1, at any input. It stands
in each expression, as a node of its own would lag behind its inputs while the solver iterates, and let them overflow.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce

from ..circuit import GROUND, Draft, Origin
from ..functions import Softmax
from ..graph import Activate


def add_softmax(draft: Draft, activate: Activate, function: Softmax, inputs: Sequence[str]) -> None:
    """Add the devices of a softmax, whose inputs are voltage expressions. Devices: 3 an element, and 1 a group."""
    name = activate.name
    outputs = draft.nodes(activate)
    exponentials = draft.new_nodes(activate, "_exp")
    beta, amplitude = float(function.beta), float(function.amplitude)
    sizes = (activate.size,) if function.groups is None else function.groups
    start = 0
    for group, size in enumerate(sizes):
        members = range(start, start + size)
        total = f"{name}_total_{group}"
        draft.claim(total, activate, "total")
        draft.add(f"R_{name}_total_{group}", (total, GROUND), 1.0, Origin(name, "total", (group,)))
        largest = reduce(lambda left, right: f"max({left},{right})", (inputs[k] for k in members))
        for k in members:
            raised, origin = exponentials[k], Origin(name, "exponential", (k,))
            draft.add(f"B_{name}_exp_{k}", (raised, GROUND), f"exp({beta!r}*({inputs[k]}-{largest}))", origin)
            draft.add(f"G_{name}_exp_{k}", (GROUND, total, raised, GROUND), 1.0, origin)
            share = f"{amplitude!r}*v({raised})/v({total})"
            draft.add(f"B_{name}_{k}", (outputs[k], GROUND), share, Origin(name, "function", (k,)))
        start += size
