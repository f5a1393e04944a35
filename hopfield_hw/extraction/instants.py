"""Whether the map that was read back does what its circuit does: states at the instants of the clock, step by step."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ..equations import reference
from ..functions import Gain
from ..spice.ngspice import find
from ..values.arrays import Array
from ..values.errors import InputError, SimulatorError, SimulatorMissing
from .agreement import Agreement
from .clocked_extraction import ClockedExtraction
from .devices import FlatDeck
from .emission import let_go

# Starts, and periods of each; longest step, as a part of a period, and the local tolerance.
STARTS, PERIODS = 3, 8
STEPS, RELTOL = 100, 1e-6
# Inputs are held at up to so many volts or amperes, by their column of U; states without a curve start within so many.
INPUT, WITHOUT_CURVE = 0.5, 1.0
LEAST = 1e-3  # a state that moves by less than this part of what moves most is measured against that


def with_instants(
    extraction: ClockedExtraction, deck: FlatDeck, rng: np.random.Generator, timeout: float
) -> ClockedExtraction:
    """Return an extraction that says how far its map is from the circuit's transient, or why that is not known."""
    try:
        find()
    except SimulatorMissing:
        return replace(extraction, notes=(*extraction.notes, "not run against the circuit: ngspice is missing"))
    try:
        agreement = compare_instants(extraction, deck, rng, timeout)
    except (SimulatorError, InputError) as error:
        return replace(extraction, unexplained=(*extraction.unexplained, f"not run against the circuit: {error}"))
    return replace(extraction, agreement=agreement)


def compare_instants(
    extraction: ClockedExtraction, deck: FlatDeck, rng: np.random.Generator, timeout: float
) -> Agreement:
    """Return how far the map is from the circuit at the instants of its clock, from random starts and inputs.

    From each period to the next the map starts where the circuit is, so that what it amplifies by itself does not
    count; NRMSE against the range over all starts.
    """
    n, period = extraction.size, extraction.clock.period
    first = np.ceil(max(extraction.latest - extraction.read_at, 0.0) / period)
    at = extraction.read_at + period * (first + np.arange(PERIODS + 1.0))
    t_stop = float(at[-1] + 0.01 * period)
    off, seen = [], []
    for _ in range(STARTS):
        start = np.array([_draw(gain, rng) for gain in extraction.gains])
        inputs = INPUT * rng.uniform(-1.0, 1.0, len(extraction.inputs))
        largest = np.max(np.abs(extraction.input_weights), axis=0, initial=0.0)
        inputs = np.where(largest > 0.0, inputs / np.maximum(largest, 1.0), 0.0) if len(inputs) else inputs
        held = (start - extraction.shifts) / extraction.scales
        copied = (held - extraction.copy_offsets) / extraction.copy_gains
        given = dict(zip(extraction.inputs, inputs.tolist(), strict=True))
        times, volts = let_go(
            deck.with_devices(
                replace(device, wave="", keys=(), value=given[device.name]) if device.name in given else device
                for device in deck.devices
            ),
            (*extraction.states, *extraction.copies),
            np.concatenate([held, copied]),
            t_stop=t_stop,
            step=period / STEPS,
            reltol=RELTOL,
            timeout=timeout,
        )
        read = np.stack([np.interp(at, times, volts[:, k]) for k in range(n)], axis=1)
        x = read * extraction.scales + extraction.shifts
        off.append(np.array([_step(extraction, here, inputs) for here in x[:-1]]) - x[1:])
        seen.append(x)
    span = np.ptp(np.concatenate(seen), axis=0)
    span = np.maximum(span, max(LEAST * float(np.max(span)), 1e-30))
    errors = np.sqrt(np.mean(np.array(off) ** 2, axis=1))
    return Agreement(float(np.max(errors / span)), STARTS, t_stop)


def _draw(gain: Gain | None, rng: np.random.Generator) -> float:
    low, high = (
        (-WITHOUT_CURVE, WITHOUT_CURVE) if gain is None else (float(np.max(gain.lower)), float(np.max(gain.upper)))
    )
    if gain is not None and not gain.continuous:
        return low if rng.random() < 0.5 else high
    return float(rng.uniform(low, high))


def _step(extraction: ClockedExtraction, x: Array, inputs: Array) -> Array:
    """Return x[k+1] of the map from x[k]."""
    found = reference(
        extraction.graph(initial=x), t_stop=extraction.clock.period, inputs=inputs if inputs.size else None
    )
    return np.asarray(found["state"].to_numpy()[1], dtype=float)
