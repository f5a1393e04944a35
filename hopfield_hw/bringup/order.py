"""In which order a new board is tested, as sentences with its own figures."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ..parts import OpAmp
from ..values.si_text import format_si

if TYPE_CHECKING:
    from .bring_up import BringUp


def order_of_tests(found: BringUp) -> tuple[str, ...]:
    """Return what the builder of a board does, one step after the other."""
    board, bench = found.board, found.bench
    model = board.model
    amplifiers = sum(isinstance(d.part, OpAmp) for d in board.circuit.devices)
    rails = f"{model.supply_plus:+g} V and {model.supply_minus:+g} V"
    limit = format_si(1.5 * float(np.max(found.currents + found.current_band)), "A", 3)
    empty = " and ".join(format_si(abs(x), "A", 3) for x in found.empty)
    references = [p.name for p in found.points if p.kind in ("reference", "level", "amplifier") and not p.neuron]
    steps = [
        "Without power: measure the resistance from each supply to ground, either way; less than 100 Ohm is a short.",
        f"Without the ICs: set both supplies to {rails}, limit their currents to 50 mA, and switch them on. They give "
        f"{empty}. Measure the supply pins of each socket. Switch off.",
        f"With the ICs ({amplifiers} op-amp sections of type {model.name}): set the limits to {limit}. Close the "
        f"reset, switch on, and read both currents: {_current(found, 0, 0)} and {_current(found, 0, 1)}. An IC that "
        "gets hot is the wrong way round, or has an output on a supply.",
    ]
    if references:
        steps.append(f"References and levels: {', '.join(references)}. Nothing else is right before these are.")
    steps.append(
        "Reset, nothing at the start connector: states are held near 0 V. "
        "Inverting inputs are within some millivolts of the other input; one that is not belongs to an op-amp that "
        "does not work, or has lost its feedback."
    )
    if not bench.holds:
        steps.append(
            f"Mind: while states are held the loop gain is {bench.loop_gain:.2g}, and states latch: the reset needs "
            "less resistance than it has."
        )
    for c, condition in enumerate(found.conditions):
        if condition.start == 0:
            continue
        if condition.held:
            steps.append(f"{condition.name}: with the reset closed, apply {_applied(found, condition.start)}.")
            continue
        first = f"{condition.name}: open the reset"
        if not any(one.held and one.start == condition.start for one in found.conditions):
            first = f"{condition.name}: with {_applied(found, condition.start)}, open the reset"
        if not found.at_rest[c]:
            steps.append(f"{first}. The board does not come to rest; look at it with a scope.")
        else:
            settling = format_si(float(found.settling[c]), "s", 3)
            steps.append(
                f"{first}. The board settles within {settling}; see that with a scope that is "
                "triggered by the reset, then measure every point at rest."
            )
    return tuple(steps)


def _applied(found: BringUp, start: int) -> str:
    """Return what is applied to the connectors for a start."""
    states, signal = found.bench.starts[start].states, found.bench.signals[start]
    said = "nothing to the start connector"
    if np.any(states):
        said = f"{', '.join(f'{x:+.3g}' for x in states)} V to the pins of the start connector"
    if signal is None:
        return said
    inputs = ", ".join(f"{x:+.3g}" for x in signal.at(0.0))
    return f"{said}, and {inputs} V{' (as it is at first)' * (signal.times.size > 1)} to the inputs"


def _current(found: BringUp, condition: int, rail: int) -> str:
    amperes, band = found.currents[condition, rail], found.current_band[condition, rail]
    return f"{format_si(float(amperes), 'A', 3)} +- {format_si(float(band), 'A', 2)}"
