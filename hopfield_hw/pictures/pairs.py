"""Pairs of resistors, drawn as one: a value that no series has is made of two, in series or in parallel."""

from __future__ import annotations

from collections.abc import Mapping

from ..board.choice import find_pairs, merge_pairs
from ..circuit import Circuit, Device
from ..values.si_text import format_si


def join_pairs(circuit: Circuit) -> tuple[Circuit, Mapping[str, str]]:
    """Return the circuit with one resistor for each pair, and by its name what it is made of."""
    return merge_pairs(circuit), {name: _text(*pair) for name, pair in find_pairs(circuit).items()}


def _text(first: Device, second: Device) -> str:
    sign = "||" if set(first.nodes) == set(second.nodes) else "+"
    return f"{format_si(first.value or 0.0, 'Ohm')} {sign} {format_si(second.value or 0.0, 'Ohm')}"
