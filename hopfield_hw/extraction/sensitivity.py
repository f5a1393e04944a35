"""Which devices make a weight: by how much each device's value moves it, and how much else it moves."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from ..values.errors import InputError
from .comparison import Frame, Reading

if TYPE_CHECKING:
    from .extraction import Extraction

STEP = 1e-4
# A device counts where a change of its value moves the weight by this part of what it moves at all.
SHARE = 0.05


def devices_of_weight(extraction: Extraction, i: int, j: int, frame: Frame) -> tuple[str, ...]:
    """Return the devices that make T_ij, those whose effect is most on it first; `frame`: its deck, as it is."""
    assert extraction.deck is not None
    reading = Reading(extraction.deck, frame)
    n = extraction.size
    place = i * n + j
    found = []
    for device in extraction.deck.devices:
        if device.kind not in ("R", "G", "E") or device.is_op_amp or not device.value:
            continue
        changed = replace(device, value=device.value * (1.0 + STEP))
        try:
            other = Reading(extraction.deck.with_device(changed), frame)
        except InputError:
            continue
        effect = (other.residual - reading.residual) / STEP
        size = float(np.linalg.norm(effect))
        share = abs(float(effect[place])) / size if size > 1e-9 else 0.0
        if share > SHARE:
            found.append((share, device.name))
    return tuple(name for _, name in sorted(found, key=lambda each: -each[0]))
