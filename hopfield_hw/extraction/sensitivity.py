"""Which devices make a weight: by how much each device's value moves it, and how much else it moves."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from .comparison import Frame, Reading
from .parts import Parts

if TYPE_CHECKING:
    from .extraction import Extraction

# A device counts where a change of its value moves the weight by this part of what it moves at all.
SHARE = 0.05
# What moves less than this, in parts for each part of a value, moves nothing.
NOTHING = 1e-9


def devices_of_weight(extraction: Extraction, i: int, j: int, frame: Frame) -> tuple[str, ...]:
    """Return the devices that make T_ij, those whose effect is most on it first; `frame`: its deck, as it is."""
    assert extraction.deck is not None
    parts = Parts(Reading(extraction.deck, frame))
    found = []
    for device, effect in zip(parts.devices, parts.jacobian.T, strict=False):
        size = float(np.linalg.norm(effect))
        share = abs(float(effect[i * extraction.size + j])) / size if size > NOTHING else 0.0
        if device.kind in ("R", "G", "E") and share > SHARE:
            found.append((share, device.name))
    return tuple(name for _, name in sorted(found, key=lambda each: -each[0]))
