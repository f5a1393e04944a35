"""Op-amps with their inputs exchanged, of a circuit in our own engine: see `spice.decks.polarity`."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np

from ..circuit import GROUND, Circuit, Device, Ensemble
from ..ensemble.backends import choose_run
from ..ensemble.equations.layout import plan
from ..ensemble.equations.system import build_system
from ..ensemble.runs import LONGEST, Job, run
from ..functions.expressions import evaluate
from ..parts import Behaviour, IdealGain, OnePole, OpAmp, Part, VoltageGain
from ..spice.decks.polarity import (
    ENOUGH,
    LARGE,
    LARGEST,
    LATCHED,
    LENGTH,
    MOST_NAMED,
    OPEN_LOOP,
    RAILS,
    SMALL,
    UNTOLD,
    find_cure,
)
from ..values.arrays import Array
from ..values.errors import ConvergenceError

# A step's tolerance that tells which way a loop goes; ohms at an output that loads do not show at.
TOLERANCE, OUTPUT = 1e-4, 1e-3


def find_exchanged(circuit: Circuit, *, volts: float, fastest: float) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the names of the op-amps of a circuit whose inputs are exchanged, and in words what could not be told.

    `volts`: the largest that states take. `fastest`: a time in which no state moves much, seconds. Each static op-amp
    is given a pole and rails, and let go.
    """
    static = {device.name: gain for device in circuit.devices if (gain := _gain_of(device)) is not None}
    unsure = [device.name for device in circuit.devices if _is_steep(device)]
    if unsure:
        return (), (f"{UNTOLD}: {', '.join(unsure[:MOST_NAMED])} are steep without limits, as op-amps of one's own",)
    if not static:
        return (), ()
    rail = RAILS * max(volts, LARGEST)

    def find_latched(turned: frozenset[str]) -> frozenset[str]:
        devices = tuple(
            _with_pole(device, static[device.name], rail, fastest / LENGTH, device.name in turned)
            if device.name in static
            else device
            for device in circuit.devices
        )
        ends = _ends(replace(circuit, devices=devices), [f"{name}.pole" for name in static], fastest)
        return frozenset(name for name, end in zip(static, ends.tolist(), strict=True) if abs(end) > LATCHED * rail)

    try:
        left, turned = find_cure(find_latched, frozenset())
    except ConvergenceError as error:
        return (), (f"{UNTOLD}: with a pole at each the circuit does not run ({error})",)
    if turned is None:
        listed = ", ".join(sorted(left)[:MOST_NAMED])
        return (), (f"{UNTOLD}: {listed} run to a rail either way, so that no feedback holds them",)
    return tuple(sorted(turned)), ()


def _gain_of(device: Device) -> float | None:
    """Return the gain of a static op-amp; None for anything else."""
    part = device.part
    if isinstance(part, OpAmp) and isinstance(part.model, IdealGain) and part.model.gain >= OPEN_LOOP:
        return part.model.gain
    if isinstance(part, VoltageGain) and device.nodes[1] == GROUND and abs(part.gain) >= OPEN_LOOP:
        return part.gain
    return None


def _is_steep(device: Device) -> bool:
    """Whether a source is an op-amp that is not looked at: one between two nodes, or a formula without limits."""
    part: Part = device.part
    if isinstance(part, VoltageGain):
        return abs(part.gain) >= OPEN_LOOP and device.nodes[1] != GROUND
    if not isinstance(part, Behaviour) or part.gives != "voltage":
        return False
    count = len(part.sensed)
    for k in range(count):
        at = np.zeros(count)

        def value(volts: float, k: int = k, at: Array = at) -> float:
            at[k] = volts
            with np.errstate(all="ignore"):
                return float(evaluate(part.formula, at.tolist()))

        slope, reach = (value(SMALL) - value(-SMALL)) / (2.0 * SMALL), max(abs(value(LARGE)), abs(value(-LARGE)))
        if abs(slope) >= OPEN_LOOP and not reach < LARGE:
            return True
    return False


def _with_pole(device: Device, gain: float, rail: float, tau: float, is_turned: bool) -> Device:
    """Return an op-amp with a pole and rails in place of a static one, its inputs exchanged where it is turned."""
    if isinstance(device.part, VoltageGain):
        output, _, plus, minus = device.nodes
    else:
        plus, minus, output = device.nodes[:3]
    if is_turned != (gain < 0.0):
        plus, minus = minus, plus
    gained = min(abs(gain), ENOUGH)
    model = OnePole(
        gain=gained,
        gain_bandwidth=gained / (2.0 * math.pi * tau),
        lower=-rail,
        upper=rail,
        output_resistance=OUTPUT,
    )
    return device._replace(part=OpAmp(model), nodes=(plus, minus, output))


def _ends(circuit: Circuit, nodes: list[str], length: float) -> Array:
    """Return the voltages of nodes after a short run."""
    made = plan(build_system(Ensemble(circuit=circuit, size=1)), length)
    grid = np.array([0.0, length])
    job = Job(made, circuit, grid, choose_run(None, 1)[1], None)
    places = [made.places[node] for node in nodes]
    found = run(job, TOLERANCE, LONGEST * length, places)
    if found.failures:
        raise ConvergenceError(found.failures[0])
    return found.waves[0, -1, -len(nodes) :]
