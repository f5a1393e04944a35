"""Clamped states: the currents into held capacitors along a path, and which op-amps make the curves.

With every state held at a voltage, the current into its capacitor is C dx/dt of the whole circuit, whatever it is made
of. A path runs along each axis, up and down, and then through points where all states move: what one curve of each
state does not explain there, no network of this family explains.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from ..values.arrays import Array
from ..values.errors import InputError, SimulatorError
from .devices import FlatDeck, FlatDevice
from .emission import hold_states
from .nodal import Nodal, StateCapacitor

# Points along an axis, further points where all states move, and steps between these.
ALONG, CHECKS, LEGS = 160, 12, 8
# How often points are moved to where outputs bend, and the tolerances of solutions that are tried.
REFINEMENTS, TOLERANCES = 3, (1e-5, 1e-4, 1e-6)
# An output is a curve where a straight line leaves this part of its range, volts at least.
BENT, MOVED = 5e-3, 0.05
# Of a curve's range: what others explain of it when it is none of its own.
EXPLAINED = 8e-3
# An op-amp that holds a state does so within this, volts; and how far ranges go to where it does not any more.
MISSED, SHORT_OF = 0.02, 0.97
# The way up and the way down differ by this part of a range where there is hysteresis.
HYSTERESIS = 0.02
# A curve that more than one state moves by this part of its range is of several.
SEVERAL = 2e-2


class Sweep(NamedTuple):
    """A sweep: the states along the path, (points, n), the currents into their capacitors, and voltages of nodes.

    `axes`: of each state, the points at which it alone moves. `base`: where the others then are, (n,).
    """

    states: Array
    currents: Array
    voltages: dict[str, Array]
    axes: tuple[range, ...]
    base: Array

    def output(self, device: FlatDevice) -> Array:
        """Return the output of an op-amp along the path, volts."""
        high, low = device.output
        return self.voltages[high] - (self.voltages[low] if low != "0" else 0.0)


def sweep(
    deck: FlatDeck,
    states: Sequence[StateCapacitor],
    ranges: Sequence[tuple[float, float]],
    rng: np.random.Generator,
    *,
    timeout: float,
) -> Sweep:
    """Hold the states of a deck along a path within ranges, volts, in ngspice; points are close where outputs bend.

    Raises InputError where the way up and the way down differ, whatever the tolerance of the solutions, and a
    SimulatorError where ngspice does not find them.
    """
    n = len(states)
    base = np.array([0.5 * (low + high) for low, high in ranges])
    corners = np.array([[rng.uniform(low, high) for low, high in ranges] for _ in range(CHECKS if n > 1 else 0)])
    nodes = _watched(deck)
    names = ["+".join(state.names) for state in states]
    said: InputError | SimulatorError | None = None
    # Tight tolerances make ngspice give up Newton's method for ways that stop short; loose ones are not exact.
    for reltol in TOLERANCES:
        places = [np.linspace(low, high, ALONG + 1) for low, high in ranges]
        try:
            for _ in range(REFINEMENTS):
                first = _run(deck, states, base, places, corners[:0], nodes, reltol, timeout)
                places = [_refine(first, deck, j, at) for j, at in enumerate(places)]
            found = _run(deck, states, base, places, corners, nodes, reltol, timeout)
        except SimulatorError as error:
            said = error
            continue
        differs = find_hysteresis(found, names)
        if differs is None:
            return found
        said = InputError(f"deck: {differs}")
    assert said is not None
    raise said


def sample(
    deck: FlatDeck,
    states: Sequence[StateCapacitor],
    ranges: Sequence[tuple[float, float]],
    rng: np.random.Generator,
    timeout: float,
) -> Sweep:
    """Hold the states at points within ranges, volts, without axes: enough for the currents, where curves are known."""
    n = len(states)
    base = np.array([0.5 * (low + high) for low, high in ranges])
    points = [[rng.uniform(low, high) for low, high in ranges] for _ in range(2 * n + CHECKS)]
    nodes = _watched(deck)
    path = np.array([base, *points])
    currents, volts = hold_states(deck, states, path, nodes, reltol=TOLERANCES[0], timeout=timeout)
    return Sweep(path, currents, {node: volts[:, k] for k, node in enumerate(nodes)}, (), base)


def _watched(deck: FlatDeck) -> tuple[str, ...]:
    """Return the nodes whose voltages tell of curves: outputs of op-amps, and what formulas are of."""
    nodes = [node for device in deck.op_amps for node in device.output]
    nodes += [node for device in deck.of("B") for node in device.sensed]
    return tuple(node for node in dict.fromkeys(nodes) if node != "0")


def _run(
    deck: FlatDeck,
    states: Sequence[StateCapacitor],
    base: Array,
    places: Sequence[Array],
    corners: Array,
    nodes: tuple[str, ...],
    reltol: float,
    timeout: float,
) -> Sweep:
    """Hold states along each axis, from the base up, down and back, and then from corner to corner."""
    path, axes = [base], []
    for j, at in enumerate(places):
        first = len(path) - 1
        above, below = at[at > base[j]], at[at < base[j]]
        for x in (*above, *at[::-1][1:], *below[1:], base[j]):
            point = base.copy()
            point[j] = x
            path.append(point)
        axes.append(range(first, len(path)))
    for here, there in zip([base, *corners], [*corners, base], strict=False):
        path += [here + (there - here) * k / LEGS for k in range(1, LEGS + 1)] if len(corners) else []
    points = np.array(path)
    currents, volts = hold_states(deck, states, points, nodes, reltol=reltol, timeout=timeout)
    return Sweep(points, currents, {node: volts[:, k] for k, node in enumerate(nodes)}, tuple(axes), base)


def _refine(found: Sweep, deck: FlatDeck, j: int, at: Array) -> Array:
    """Return places along an axis that are close where outputs bend: half of them by what bends, half by length."""
    axis = list(found.axes[j])
    x, first = np.unique(found.states[axis, j], return_index=True)
    width = np.gradient(x)
    density = width / np.sum(width)
    for device in deck.op_amps:
        y = found.output(device)[axis][first]
        if np.ptp(y) < MOVED:
            continue
        second = np.abs(np.gradient(np.gradient(y, x), x))
        # Between points h apart a curve is off by some h^2 |y''|: equal errors have |y''|^(1/2) points to a volt.
        bends = np.sqrt(np.maximum(second, np.convolve(second, [1.0, 1.0, 1.0], mode="same") / 3.0)) * width
        density += bends / max(float(np.sum(bends)), 1e-30)
    along = np.concatenate([[0.0], np.cumsum(0.5 * (density[1:] + density[:-1]))])
    return np.unique(np.round(np.interp(np.linspace(0.0, along[-1], ALONG + 1), along, x), 9))


def find_hysteresis(found: Sweep, names: Sequence[str]) -> str | None:
    """Return in words where the way up and the way down differ; None where they are one."""
    scale = np.maximum(np.ptp(found.currents, axis=0), 1e-30)
    for j, axis in enumerate(found.axes):
        at = found.states[axis, j]
        top, bottom = int(np.argmax(at)), int(np.argmin(at))
        down = [*axis[top : bottom + 1]]
        up = [*axis[bottom:], *axis[1 : top + 1]]
        x = found.states[up, j]
        order = np.argsort(x, kind="stable")
        for k in range(found.currents.shape[1]):
            rising = np.interp(found.states[down, j], x[order], found.currents[up, k][order])
            worst = float(np.max(np.abs(rising - found.currents[down, k])))
            if worst > HYSTERESIS * scale[k]:
                return (
                    f"the current into {names[k]} differs by {worst / scale[k]:.0%} of its range between the way up "
                    f"and the way down of {names[j]}: hysteresis, which is a state without a capacitor of its own"
                )
    return None


def find_curves(deck: FlatDeck, states: Sequence[StateCapacitor], found: Sweep) -> tuple[list[str], dict[str, int]]:
    """Return the op-amps that make curves, and of which state each is, by its place.

    Those whose output is no straight function of a state are candidates; what the others explain is left out. Raises
    InputError for a curve of several states.
    """
    candidates = []
    for device in deck.op_amps:
        output = found.output(device)
        if any(_is_bent(found.states[axis, j], output[axis]) for j, axis in enumerate(found.axes)):
            candidates.append(device)
    # What depends on many other candidates first: it is the likeliest to be explained by them.
    outputs = {device.output[0] for device in candidates}
    near = {d.name: sum(_touches(deck, d, other) for other in outputs if other != d.output[0]) for d in candidates}
    kept = sorted(candidates, key=lambda d: -near[d.name])
    again = True
    while again:
        again = False
        for device in kept:
            rest = [d for d in kept if d is not device]
            if _is_explained(deck, states, found, rest, device):
                kept, again = rest, True
                break
    names = {d.name for d in kept}
    ordered = [d for d in deck.op_amps if d.name in names]
    owners = {}
    for device in ordered:
        output = found.output(device)
        moved = np.array([np.ptp(output[axis]) for axis in found.axes])
        owner = int(np.argmax(moved))
        others = np.delete(moved, owner)
        if np.max(others, initial=0.0) > SEVERAL * moved[owner]:
            second = int(np.argsort(-moved)[1])
            raise InputError(
                f"{device.where}: op-amp {device.name} saturates, and moves with {'+'.join(states[owner].names)} and "
                f"{'+'.join(states[second].names)}: a curve of several states, which no network here has; where it "
                "should not saturate, make its signals smaller"
            )
        owners[device.name] = owner
    return [d.name for d in ordered], owners


def reachable_ranges(
    deck: FlatDeck, states: Sequence[StateCapacitor], found: Sweep, ranges: Sequence[tuple[float, float]]
) -> list[tuple[float, float]]:
    """Return ranges without what an op-amp that holds the state itself, as an integrator does, cannot reach."""
    shorter = list(ranges)
    for device in deck.op_amps:
        for j, state in enumerate(states):
            if device.output[0] not in state.nodes:
                continue
            axis = list(found.axes[j])
            x, y = found.states[axis, j], found.output(device)[axis]
            sign = 1.0 if device.output[0] == state.nodes[0] else -1.0
            middle = float(y[0] - sign * x[0])
            near = abs(sign * float(y[1] - y[0]) - float(x[1] - x[0])) < 0.5 * abs(float(x[1] - x[0]))
            off = (np.abs(y - sign * x - middle) > MISSED) & near  # a reference on the other end does not follow
            above, below = x[off & (x > found.base[j])], x[off & (x < found.base[j])]
            low, high = shorter[j]
            if above.size:
                high = min(high, found.base[j] + SHORT_OF * (float(np.min(above)) - found.base[j]))
            if below.size:
                low = max(low, found.base[j] + SHORT_OF * (float(np.max(below)) - found.base[j]))
            shorter[j] = (low, high)
    return shorter


def _is_bent(x: Array, y: Array) -> bool:
    span = float(np.ptp(y))
    if span < MOVED:
        return False
    line = np.polynomial.Polynomial.fit(x, y, 1)
    return bool(np.max(np.abs(y - line(x))) > BENT * span)


def _touches(deck: FlatDeck, device: FlatDevice, node: str) -> bool:
    """Whether a resistor leads from a node to an input of an op-amp."""
    inputs = set(device.inputs)
    return any(node in r.nodes and inputs & set(r.nodes) for r in deck.of("R"))


def _is_explained(
    deck: FlatDeck, states: Sequence[StateCapacitor], found: Sweep, rest: Sequence[FlatDevice], device: FlatDevice
) -> bool:
    """Whether the output of an op-amp is linear in the states and in the outputs of the other curves."""
    try:
        nodal = Nodal(deck, states, [d.name for d in rest])
        rows = nodal.voltage(device.output[0]) - nodal.voltage(device.output[1])
    except InputError:
        return False
    if any(curve.formula is not None for curve in nodal.curves):
        return False
    n = len(states)
    given = found.states @ rows[:n] + rows[-1]
    for k, curve in enumerate(nodal.curves):
        given = given + rows[n + k] * found.output(curve)
    output = found.output(device)
    return bool(np.max(np.abs(given - output)) < EXPLAINED * max(float(np.ptp(output)), 1e-9))
