"""Softmax as devices: an exponential source for each element, a node that adds up a group, a division for each element.

With m the largest input of a group, e_i = exp(beta (x_i - m)) V, their currents through 1 S meet in 1 ohm, and
y_i = a e_i / sum_j e_j. The m cancels in the quotient; it keeps every exponential from 0 to 1, at any input. It stands
in each expression, as a separate node would lag behind its inputs while the solver iterates, and let them overflow.
"""

from __future__ import annotations

from collections.abc import Sequence

from ..circuit import GROUND, Draft, Origin, Role
from ..functions import Softmax
from ..functions.expressions import Argument, exp, maximum
from ..graph import Activate
from ..parts import Behaviour, Resistor, Transconductance


def add_softmax(draft: Draft, activate: Activate, function: Softmax, inputs: Sequence[str]) -> None:
    """Add the devices of a softmax, whose inputs are nodes. Devices: 3 an element, and 1 a group."""
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
        ohm = Resistor(1.0, is_computing=True)
        draft.add(f"R_{name}_total_{group}", ohm, (total, GROUND), Origin(name, Role.TOTAL, (group,)))
        largest = maximum(*(Argument(k) for k in range(size)))
        of_group = tuple(inputs[k] for k in members)
        for place, k in enumerate(members):
            raised, origin = exponentials[k], Origin(name, Role.EXPONENTIAL, (k,))
            label = draft.suffix(name, k)
            growth = Behaviour(exp(beta * (Argument(place) - largest)))
            draft.add(f"B_{name}_exp{label}", growth, (raised, GROUND, *of_group), origin)
            draft.add(f"G_{name}_exp{label}", Transconductance(1.0), (GROUND, total, raised, GROUND), origin)
            share = Behaviour(amplitude * Argument(0) / Argument(1))
            draft.add(f"B_{name}{label}", share, (outputs[k], GROUND, raised, total), Origin(name, Role.FUNCTION, (k,)))
        start += size
