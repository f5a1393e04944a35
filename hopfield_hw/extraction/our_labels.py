"""Which capacitors hold the states of a deck that this package wrote: from the lines of comment in it.

Its head names the first states and their nodes, `states: 0 = v(x_0), 1 = -v(xn_1), and 3 more`; each neuron has a
heading, `neuron 4`. A capacitor is named after its neuron, so that the first ones tell the names of the others.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from .devices import FlatDevice

HEAD = re.compile(r"states: (.+)")
PROBE = re.compile(r"(?:^|, )([^=]+?) = [^=(]*v\(([^)]+)\)")
HEADING = re.compile(r"neuron (.+)")


def read_labels(comments: Iterable[str], capacitors: Sequence[FlatDevice]) -> dict[str, str]:
    """Return by name of a capacitor the label of its state; empty for a deck that says none."""
    lines = [line.strip() for line in comments]
    heads = [match[1] for line in lines if (match := HEAD.fullmatch(line))]
    labels: dict[str, str] = {}
    for label, node in PROBE.findall(heads[0]) if heads else ():
        for device in capacitors:
            if node.lower() in device.nodes:
                labels.setdefault(device.name, label)
    starts = {name.removesuffix(label.lower()) for name, label in labels.items() if name.endswith(f"_{label.lower()}")}
    names = {device.name for device in capacitors}
    for label in [match[1] for line in lines if (match := HEADING.fullmatch(line))]:
        for start in starts:
            if f"{start}{label.lower()}" in names:
                labels.setdefault(f"{start}{label.lower()}", label)
    return labels
