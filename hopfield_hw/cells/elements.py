"""Devices that cells share: amplifiers with their curves, biases, capacitors, leaks and comparators."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from ..circuit import GROUND, Draft, Origin, Role, Stage
from ..functions import Function
from ..functions.expressions import ARGUMENT, Argument, Expression, call, substitute
from ..graph import Activate, Affine, Leak, Sign
from ..parts import Behaviour, Capacitor, CurrentSource


def add_amplifier(draft: Draft, activate: Activate, inputs: Iterable[str], *, inverting: bool = False) -> None:
    """Add one behavioural source for each element: v_i = g_i(v(input_i)), or g_i(-v(input_i)) where `inverting`."""
    draft.sketch(activate, Stage.AMPLIFIER)
    for k, (node, source) in enumerate(zip(draft.nodes(activate), inputs, strict=True)):
        formula = curve_of(activate, k).curve()
        if inverting:
            formula = substitute(formula, (-ARGUMENT,))
        origin = Origin(activate.name, Role.FUNCTION, (k,))
        draft.add(f"B_{draft.label(activate.name, k)}", Behaviour(formula), (node, GROUND, source), origin)


def curve_of(activate: Activate, k: int) -> Function:
    """Return the function of one element."""
    function: Function = activate.function
    return function if function.size is None else function.at(k)


def add_bias(draft: Draft, affine: Affine, nodes: Sequence[str]) -> None:
    """Add an ideal current source into each node to which the Affine adds a constant."""
    constant = affine.constant
    for k in np.flatnonzero(constant).tolist():
        origin = Origin(affine.name, Role.BIAS, (k,))
        part = CurrentSource(float(constant[k]))
        draft.add(f"I_{draft.label(affine.name, k)}", part, (GROUND, nodes[k]), origin)


def add_bias_resistors(draft: Draft, affine: Affine, nodes: Sequence[str], reference: float) -> None:
    """Add a resistor from a reference of `reference` volts, or of its opposite, into each virtual ground with a bias.

    A positive constant comes from the positive reference, as its current flows into the node.
    """
    constant = affine.constant
    for k in np.flatnonzero(constant).tolist():
        amperes = float(constant[k])
        name, volts = ("reference_p", reference) if amperes > 0.0 else ("reference_n", -reference)
        rail = draft.supply(name, volts, affine)
        origin = Origin(affine.name, Role.BIAS, (k,))
        draft.add_resistor(
            f"R_{affine.name}_bias{draft.suffix(affine.name, k)}", (rail, nodes[k]), volts / amperes, origin
        )


def add_capacitors(draft: Draft, leak: Leak, plus: Sequence[str], minus: Sequence[str] | None = None) -> None:
    """Add the capacitors of a Leak, to ground where nothing else is said."""
    for k, value in enumerate(leak.capacitance.tolist()):
        to = GROUND if minus is None else minus[k]
        origin = Origin(leak.name, Role.CAPACITANCE, (k,))
        draft.add(f"C_{draft.label(leak.name, k)}", Capacitor(value), (plus[k], to), origin)


def add_leak(draft: Draft, leak: Leak) -> tuple[str, ...]:
    """Add the capacitor and the resistor of each element of a Leak, from its node to ground; return the nodes."""
    nodes = draft.nodes(leak)
    draft.state(leak, nodes)
    draft.sketch(leak, Stage.RC, inputs=draft.graph.drivers(leak))
    add_capacitors(draft, leak, nodes)
    add_leak_resistors(draft, leak, nodes)
    return nodes


def add_leak_resistors(draft: Draft, leak: Leak, plus: Sequence[str], minus: Sequence[str] | None = None) -> None:
    """Add the resistors of a Leak where they are finite, to ground where nothing else is said."""
    for k, value in enumerate(leak.resistance.tolist()):
        if np.isfinite(value):
            ends = (plus[k], GROUND if minus is None else minus[k])
            origin = Origin(leak.name, Role.RESISTANCE, (k,))
            draft.add_resistor(f"R_{draft.label(leak.name, k)}", ends, value, origin)


def add_comparators(draft: Draft, sign: Sign, drives: Sequence[str], ties: Sequence[str]) -> None:
    """Add the comparator of each element of a Sign: its threshold lies at the band, on the side away from the tie."""
    drive, tie = Argument(0), Argument(1)
    for k, nodes in enumerate(zip(draft.nodes(sign), drives, ties, strict=True)):
        node, *inputs = nodes
        formula: Expression = sign.amplitude * call("sign", drive + float(sign.band[k]) * call("sign", tie))
        origin = Origin(sign.name, Role.COMPARATOR, (k,))
        draft.add(f"B_{draft.label(sign.name, k)}", Behaviour(formula), (node, GROUND, *inputs), origin)
