"""Waveforms as a page holds them: 32-bit numbers in base64, few enough for the page to stay small."""

from __future__ import annotations

import base64
from typing import Any

import numpy as np
from matplotlib.colors import to_hex

from ..board.judgement import BoardVerification
from ..pictures.plots import evenly_spread, line_colours
from ..values.arrays import Array
from ..values.measures import ranges

MOST = 150_000  # numbers of all waveforms; of more, every second time is left out, and so on
MACHINES = ("wave", "equation", "ideal")


def pack_waves(result: BoardVerification) -> dict[str, Any]:
    """Return times, states and outputs of ngspice, of the board's own equation and of the ideal network.

    Of each quantity the numbers stand neuron by neuron. `shown`: the neurons that the page shows at first, the worst
    among them.
    """
    states = result.wave["state"].to_numpy()
    points, n = states.shape
    stride = 1
    while 6 * n * ((points - 1) // stride + 1) > MOST and (points - 1) % (2 * stride) == 0:
        stride *= 2
    times = result.wave["time"].to_numpy()[::stride]
    worst = _worst(result)
    return {
        "times": _numbers(times),
        "points": len(times),
        "labels": [str(label) for label in result.wave["neuron"].to_numpy()],
        "colours": [to_hex(colour) for colour in line_colours(n)],
        "worst": worst,
        "shown": evenly_spread(n, worst),
        "tolerance": result.tolerance,
        **{
            machine: {
                name: _numbers(getattr(result, machine)[name].to_numpy()[::stride].T) for name in ("state", "output")
            }
            for machine in MACHINES
        },
    }


def _worst(result: BoardVerification) -> int:
    """Return the neuron that is furthest from the board's own equation."""
    found, own = (data["state"].to_numpy()[1:] for data in (result.wave, result.equation))
    return int(np.argmax(np.sqrt(np.mean((found - own) ** 2, axis=0)) / ranges(own)))


def _numbers(values: Array) -> str:
    return base64.b64encode(np.ascontiguousarray(values, dtype="<f4").tobytes()).decode("ascii")
