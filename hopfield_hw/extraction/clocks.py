"""The clock of a deck: which switches there are, which pulses close them, and in which phases of a period.

A switch is an S element, or a source of the current (g0 + g1 v(clock)) (v(a) - v(b)) between its own nodes a and b, as
ours are. Its control may be a pulse, or any linear function of pulses, such as the complement of one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from ..functions.expressions import Operation
from ..values.arrays import Array
from ..values.errors import InputError
from .devices import FlatDeck, FlatDevice
from .nodal import Linear, Nodal, StateCapacitor, linear_form
from .states import drop_determined, group_capacitors, make_state

# Of a period: what counts as one time, and how long an edge lasts that takes no time.
SAME, EDGE = 1e-6, 1e-9
# A voltage that is less than this part of another one is none.
NOTHING = 1e-9
OPEN = 1e12  # ohms: of a switch whose resistances are not known yet


class Conductor(NamedTuple):
    """A device that may be a switch: its control (plus, minus), and its conductance, g0 + g1 v, where known."""

    device: FlatDevice
    control: tuple[str, str]
    conductance: tuple[float, float] | None = None


class Switch(NamedTuple):
    """A switch: its name, its resistances, ohms, and from when, for how long, it is closed, seconds of a period."""

    name: str
    on: float
    off: float
    start: float
    length: float


class Phase(NamedTuple):
    """Switches that are closed together: their names, from when and for how long, and when their edge is over, s."""

    switches: tuple[str, ...]
    start: float
    length: float
    edge: float

    def __str__(self) -> str:
        return f"{', '.join(self.switches[:3])}{', ...' if len(self.switches) > 3 else ''}"


class Clocking(NamedTuple):
    """The clock of a deck: its period, seconds, sources, switches by name and phases in the order of their start.

    `latest`: when the last of the sources has begun, seconds.
    """

    period: float
    sources: tuple[str, ...]
    switches: Mapping[str, Switch]
    phases: tuple[Phase, ...]
    latest: float

    def with_closed(self, deck: FlatDeck, phase: Phase | None) -> FlatDeck:
        """Return a deck with its switches as resistors, closed in one phase and else open."""
        closed = () if phase is None else phase.switches
        devices = []
        for device in deck.devices:
            switch = self.switches.get(device.name)
            if switch is None:
                devices.append(device)
            else:
                devices.append(as_resistor(device, switch.on if switch.name in closed else switch.off))
        return deck.with_devices(devices)


def find_conductors(deck: FlatDeck) -> list[Conductor]:
    """Return what may be a switch: S elements, and sources that are conductances between their own nodes."""
    found = []
    for device in deck.devices:
        if device.kind == "S":
            found.append(Conductor(device, (device.sensed[0], device.sensed[1])))
        elif device.kind == "B" and device.gives == "current" and isinstance(device.formula, Operation):
            conductor = _of_product(device, device.formula)
            if conductor is not None:
                found.append(conductor)
    return found


def _of_product(device: FlatDevice, formula: Operation) -> Conductor | None:
    if formula.symbol != "*":
        return None
    places = {node: k for k, node in enumerate(device.sensed)}
    for one, other in ((formula.left, formula.right), (formula.right, formula.left)):
        across, control = linear_form(one), linear_form(other)
        if across is None or control is None or across.constant:
            continue
        volts, controls = _by_node(across, places), _by_node(control, places)
        a, b = device.nodes
        ends = {node: sign for node, sign in ((a, 1.0), (b, -1.0)) if node in volts}
        scale = volts.get(a, -volts.get(b, 0.0))
        if not ends or any(volts.get(node) != sign * scale for node, sign in ends.items()) or len(volts) != len(ends):
            continue
        if len(controls) == 1:
            ((node, slope),) = controls.items()
            return Conductor(device, (node, "0"), (scale * control.constant, scale * slope))
        if len(controls) == 2:
            (plus, slope), (minus, opposite) = controls.items()
            if slope == -opposite:
                return Conductor(device, (plus, minus), (scale * control.constant, scale * slope))
    return None


def _by_node(form: Linear, places: Mapping[str, int]) -> dict[str, float]:
    size = len(form.coefficients)
    return {node: form.coefficients[k] for node, k in places.items() if k < size and form.coefficients[k]}


def as_resistor(device: FlatDevice, ohms: float) -> FlatDevice:
    """Return a switch as a resistor."""
    return replace(device, kind="R", value=ohms, sensed=(), formula=None, model="", keys=())


def is_clocked(deck: FlatDeck) -> bool:
    """Whether a deck has switches: S elements, or conductances that pulses set."""
    if any(deck.of("S")):
        return True
    pulsed = {node for device in deck.of("V") if device.wave.startswith("pulse") for node in device.nodes}
    return any(pulsed & set(each.control) - {"0"} for each in find_conductors(deck))


def read_clock(deck: FlatDeck) -> Clocking:
    """Return the clock of a deck with switches.

    Raises InputError, with the line, for a switch that no clock closes and opens, for one that a state controls, and
    for phases that overlap.
    """
    found = find_conductors(deck)
    opened = deck
    for each in found:
        opened = opened.with_device(as_resistor(each.device, OPEN))
    states = hold_candidates(opened, [])
    nodal = Nodal(opened.without(d.name for d in deck.of("C")), states)
    pulses = [device.wave.startswith("pulse") for device in nodal.inputs]
    first = nodal.width - 1 - len(pulses)
    given: list[tuple[Conductor, Array]] = []
    for each in found:
        row = nodal.voltage(each.control[0]) - nodal.voltage(each.control[1])
        row = np.where(np.abs(row) > NOTHING * max(float(np.max(np.abs(row))), 1e-30), row, 0.0)
        clocked = [k for k, is_pulse in enumerate(pulses) if is_pulse and row[first + k]]
        others = [k for k, is_pulse in enumerate(pulses) if not is_pulse and row[first + k]]
        if each.device.kind != "S" and not clocked:
            continue  # a product of voltages, which is for the curves
        if np.any(row[:first]):
            raise InputError(_by_state(each.device, nodal, row, first))
        if others or not clocked:
            driver = nodal.inputs[others[0]].name if others else "a constant voltage"
            raise InputError(
                f"{each.device.where}: switch {each.device.name} is controlled by {driver}, not by a clock: a "
                "clocked network has switches that sources with a PULSE open and close, periodically"
            )
        given.append((each, row[first:]))
    used = np.any([row[:-1] != 0.0 for _, row in given], axis=0)
    sources = {k: nodal.inputs[k] for k in np.flatnonzero(used).tolist()}
    period = _common_period(list(sources.values()))
    times = _corners(list(sources.values()), period)
    waves = {k: _wave(device, times, period) for k, device in sources.items()}
    switches = [
        _when_closed(each, times, row[-1] + sum(row[k] * wave for k, wave in waves.items()), period)
        for each, row in given
    ]
    phases = _phases(switches, times, period)
    by_name = {switch.name: switch for switch in switches}
    _refuse_overlaps(deck, phases, period)
    latest = max(dict(device.keys).get("delay", 0.0) for device in sources.values())
    return Clocking(period, tuple(device.name for device in sources.values()), by_name, phases, latest)


def hold_candidates(opened: FlatDeck, notes: list[str]) -> list[StateCapacitor]:
    """Return the capacitors that may hold a voltage while all switches are open; notes are added of the others."""
    groups, said = group_capacitors(opened)
    notes += said
    return drop_determined(opened, [make_state(opened, names) for names in groups.values()], notes, ())


def _by_state(device: FlatDevice, nodal: Nodal, row: Array, first: int) -> str:
    n = len(nodal.states)
    k = int(np.argmax(np.abs(row[:first])))
    by = "+".join(nodal.states[k].names) if k < n else nodal.curves[k - n].name
    return (
        f"{device.where}: switch {device.name} is controlled by a state of the circuit (through {by}): that is "
        "hysteresis or a relaxation, and no map of a clock; drive it from a source with a PULSE"
    )


def _common_period(sources: Sequence[FlatDevice]) -> float:
    periods = []
    for device in sources:
        period = dict(device.keys).get("period", 0.0)
        if not period > 0.0:
            raise InputError(
                f"{device.where}: {device.name} is no clock: its PULSE states no period; give all 7 values"
            )
        periods.append(period)
    for device, period in zip(sources, periods, strict=True):
        if abs(period / periods[0] - 1.0) > 1e-9:
            raise InputError(
                f"{device.where}: the clock {device.name} has a period of {period:g} s and {sources[0].name} one of "
                f"{periods[0]:g} s: a map has one; give them the same"
            )
    return periods[0]


def _points(device: FlatDevice, period: float) -> list[tuple[float, float]]:
    """Return the corners of a pulse in one period from its delay on, (seconds, volts)."""
    keys = dict(device.keys)
    least = EDGE * period
    rise, fall = max(keys.get("rise", 0.0), least), max(keys.get("fall", 0.0), least)
    width = keys.get("width", 0.0)
    begin, low, high = keys.get("delay", 0.0), keys["low"], keys["high"]
    if rise + width + fall > period * (1.0 + SAME):
        raise InputError(
            f"{device.where}: the pulse of {device.name} lasts {rise + width + fall:g} s with its edges, longer than "
            f"its period of {period:g} s; make it shorter"
        )
    ends = (0.0, rise, rise + width, rise + width + fall)
    return [(begin + t, volts) for t, volts in zip(ends, (low, high, high, low), strict=True)]


def _corners(sources: Sequence[FlatDevice], period: float) -> Array:
    """Return all times of a period at which a pulse bends, from 0 to the period."""
    found = [t % period for device in sources for t, _ in _points(device, period)]
    return np.unique([0.0, *found, period])


def _wave(device: FlatDevice, times: Array, period: float) -> Array:
    """Return a pulse once it has begun, at times of a period."""
    points = _points(device, period)
    begin = points[0][0]
    at = (times - begin) % period
    at = np.where(period - at < 1e-12 * period, 0.0, at)
    return np.interp(at, [t - begin for t, _ in points], [volts for _, volts in points])


def _when_closed(each: Conductor, times: Array, volts: Array, period: float) -> Switch:
    """Return a switch with when it is closed."""
    name, where = each.device.name, each.device.where
    low, high = float(np.min(volts)), float(np.max(volts))
    if each.conductance is None:
        keys = dict(each.device.keys)
        on, off = keys["ron"], keys["roff"]
        closes, opens = keys["vt"] + abs(keys["vh"]), keys["vt"] - abs(keys["vh"])
    else:
        g0, g1 = each.conductance
        if g1 < 0.0:
            volts, low, high, g1 = -volts, -high, -low, -g1
        least, most = g0 + g1 * low, g0 + g1 * high
        if not most > 0.0 or least < -NOTHING * most:
            raise InputError(
                f"{where}: switch {name} has a conductance of {least:g} to {most:g} S: must not be negative"
            )
        on, off = 1.0 / most, min(1.0 / max(least, 1e-30), 1e3 * OPEN)
        closes = opens = 0.5 * (low + high)
    if not (high > closes and low < opens):
        state = "never closes" if high <= closes else "never opens"
        raise InputError(
            f"{where}: switch {name} {state}: its clock goes from {low:g} V to {high:g} V, and it closes above "
            f"{closes:g} V and opens below {opens:g} V"
        )
    starts, ends, is_closed = [], [], False
    for lap in range(3):
        for k in range(len(times) - 1):
            here, there = float(volts[k]), float(volts[k + 1])
            t, step = lap * period + float(times[k]), float(times[k + 1] - times[k])
            if not is_closed and there > closes:
                is_closed = True
                starts.append(t + step * max((closes - here) / (there - here), 0.0) if there > here else t)
            elif is_closed and there < opens:
                is_closed = False
                ends.append(t + step * max((opens - here) / (there - here), 0.0) if there < here else t)
    begun = [t for t in starts if period <= t < 2.0 * period]
    if len(begun) != 1:
        raise InputError(f"{where}: switch {name} closes {len(begun)} times in a period of its clock: must be once")
    end = min(t for t in ends if t > begun[0])
    return Switch(name, on, off, begun[0] - period, end - begun[0])


def _phases(switches: Sequence[Switch], times: Array, period: float) -> tuple[Phase, ...]:
    """Return switches that close and open together as phases."""
    found: list[list[Switch]] = []
    for switch in switches:
        for group in found:
            start, length = group[0].start, group[0].length
            apart = abs((switch.start - start + 0.5 * period) % period - 0.5 * period)
            if max(apart, abs(switch.length - length)) <= SAME * period:
                group.append(switch)
                break
        else:
            found.append([switch])
    phases = []
    for group in found:
        start = group[0].start
        edge = float(min(times[times >= start * (1.0 - 1e-12)], default=period))
        edge = 0.0 if period - edge < SAME * period else edge
        phases.append(Phase(tuple(each.name for each in group), start, group[0].length, edge))
    return tuple(sorted(phases, key=lambda each: each.start))


def _refuse_overlaps(deck: FlatDeck, phases: Sequence[Phase], period: float) -> None:
    for k, one in enumerate(phases):
        for other in phases[k + 1 :]:
            both = 0.0
            for shift in (-period, 0.0, period):
                begin = max(one.start, other.start + shift)
                both += max(min(one.start + one.length, other.start + shift + other.length) - begin, 0.0)
            if both > 2.0 * EDGE * period:
                first, second = deck.by_name[one.switches[0]], deck.by_name[other.switches[0]]
                raise InputError(
                    f"{first.where}, {second.where}: switches {first.name} and {second.name} are closed at once for "
                    f"{both:.3g} s of a period of {period:.3g} s: the phases of a clock must not overlap; let one "
                    "open before the other closes"
                )
