"""Sample-and-hold circuits read back as maps: which capacitors follow and which are held in each phase of the clock.

In one phase capacitors follow a function of the held ones, read by nodal analysis with these as sources; in the other
one those take the values over. The map is from one period to the next.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from ..graph import Clock
from ..values.arrays import Array
from ..values.errors import InputError
from .canonical import Canonical, to_canonical
from .clocked_extraction import ClockedExtraction
from .clocks import Clocking, Phase, hold_candidates, read_clock
from .curves import Curve, read_curves
from .devices import JUNCTIONS, FlatDeck, FlatDevice
from .nodal import Nodal, StateCapacitor
from .phases import NOTHING, Following, Maps, find_driven
from .views import Sample, Sum, View, as_sum

# What is left of a step when a phase ends counts above this.
LEFT = 1e-4
# A curve of a sum drives its capacitor with a gain of 1 to this part: else it is one of several that are added.
UNITY = 1e-3


def read_clocked(deck: FlatDeck, states: Sequence[str] | None, ideal: bool) -> ClockedExtraction:
    """Return the map of a deck with switches; see `extract`.

    Raises InputError for what is no map: switches without a clock or controlled by a state, phases that overlap, more
    than one phase that does other than copy, capacitors that no switch drives, semiconductors.
    """
    for device in deck.devices:
        if device.kind in JUNCTIONS:
            raise InputError(
                f"{device.where}: {device.name} is a semiconductor in a clocked circuit, whose curves are not read "
                "back here: write its curve as a B source, and its switches as S elements"
            )
    if states is not None:
        raise InputError("extract: `states` is for circuits without a clock; here its phases say which hold states")
    clock = read_clock(deck)
    notes: list[str] = []
    opened = clock.with_closed(deck, None)
    capacitors = hold_candidates(opened, notes)
    found, fast = find_driven(deck, clock, capacitors, notes, ideal)
    reading = Maps(deck, clock, capacitors, ideal)
    computing, copying, rows = reading.order(found)
    return _read_map(reading, computing, copying, rows, tuple(notes), fast)


def _read_map(
    maps: Maps, computing: Following, copying: Following, copied: Array, notes: tuple[str, ...], fast: dict[str, float]
) -> ClockedExtraction:
    known = maps.labels(copying.driven)
    order = list(range(len(copying.driven)))
    labels = [known.get(k, "") for k in copying.driven]
    if all(labels) and maps.deck.probes:
        place = {label: k for k, label in enumerate(maps.deck.probes.values())}
        order.sort(key=lambda k: place[labels[k]])
    held = [copying.driven[k] for k in order]
    takes = [int(np.flatnonzero(copied[k, : len(computing.driven)])[0]) for k in order]
    gains = np.array([copied[k, j] for k, j in zip(order, takes, strict=True)])
    offsets = copied[order, -1]
    driven = [computing.driven[j] for j in takes]
    deck = maps.in_phase(computing.phase, held)
    nodal, rows = maps.solve(computing.phase, held, driven)
    capacitors = maps.capacitors
    samples = [
        Sample(capacitors[h].names[0], capacitors[h].nodes, capacitors[d].nodes, float(gain), float(offset))
        for h, d, gain, offset in zip(held, driven, gains, offsets, strict=True)
    ]
    deck = _simplify(deck, maps.clock, [capacitors[h] for h in held])
    sums = _curves_of_sums(nodal, rows, gains)
    is_of_sums = sums is not None
    if sums is not None:
        samples = [each._replace(curve=name, of=of) for each, (name, of) in zip(samples, sums, strict=True)]
    view = View(samples=tuple(samples), idle=_idle(nodal, rows, samples))
    canonical, curves, inputs = _solve_view(view, deck, maps.clock, maps.ideal)
    bands = _bands(maps, nodal, samples, canonical, is_of_sums)
    names = [labels[k] or capacitors[copying.driven[k]].names[0].replace(".", "_") for k in order]
    late = tuple(
        f"{'+'.join(capacitors[k].names)}: {each.left:.1e} of a step is left when {each.phase} open"
        for each in (computing, copying)
        if each.left > LEFT
        for k in each.driven[:1]
    )
    if is_of_sums:
        scales, shifts = 1.0 / gains, -offsets / gains
    else:
        scales, shifts = canonical.signs, canonical.offsets
    size = canonical.input_weights.shape[1]
    turned = tuple(
        f"{name} has positive feedback: its inputs are exchanged, or it is a Schmitt trigger"
        for name in nodal.find_turned()
    )
    return ClockedExtraction(
        weights=canonical.weights,
        resistance=canonical.resistance,
        capacitance=canonical.capacitance,
        bias=canonical.bias + canonical.offsets,
        gains=tuple(None if curve is None else curve.gain for curve in canonical.curves),
        labels=tuple(names),
        signs=canonical.signs,
        offsets=canonical.offsets,
        way="clock phases",
        input_weights=canonical.input_weights if size else np.zeros((0, 0)),
        inputs=inputs,
        linear=canonical.linear,
        poles=fast,
        unexplained=(*late, *turned),
        notes=(*notes, *canonical.notes),
        states=tuple(capacitors[k] for k in held),
        deck=deck,
        owners={name: curve.owner for name, curve in curves.items()},
        clock=Clock(period=maps.clock.period, phase=copying.phase.edge),
        is_of_sums=is_of_sums,
        bands=bands,
        view=view,
        scales=scales,
        shifts=shifts,
        copies=tuple(capacitors[k] for k in driven),
        copy_gains=gains,
        copy_offsets=offsets,
        sampled=computing.phase.edge,
        sources=maps.clock.sources,
        read_at=_between(copying.phase, maps.clock.period),
        latest=maps.clock.latest,
    )


def _simplify(deck: FlatDeck, clock: Clocking, held: Sequence[StateCapacitor]) -> FlatDeck:
    """Return a deck with its clock at rest, and capacitors in parallel, which hold one state, as one."""
    total = {state.names[0]: state.capacitance for state in held}
    devices: list[FlatDevice] = []
    for device in deck.without(name for state in held for name in state.names[1:]).devices:
        if device.name in clock.sources:
            device = replace(device, wave="", keys=(), value=0.0)
        elif device.name in total:
            device = replace(device, value=total[device.name])
        devices.append(device)
    return deck.with_devices(devices)


def _between(copying: Phase, period: float) -> float:
    """Return when in a period states are held: halfway between the end of being taken over and the next time."""
    return (copying.start + copying.length + 0.5 * (period - copying.length)) % period


def _solve_view(
    view: View, deck: FlatDeck, clock: Clocking, ideal: bool
) -> tuple[Canonical, dict[str, Curve], tuple[str, ...]]:
    shown = view.apply(deck)
    states = [
        StateCapacitor((d.name,), (d.nodes[0], d.nodes[1]), d.value or 0.0)
        for d in (shown.by_name[sample.name] for sample in view.samples)
    ]
    nodal = Nodal(shown, states, ideal=ideal)
    curves = read_curves(nodal)
    found = {device.name: curve for device, curve in zip(nodal.curves, curves, strict=True)}
    return to_canonical(nodal, curves, joined=False), found, tuple(device.name for device in nodal.inputs)


def _curves_of_sums(nodal: Nodal, rows: Array, gains: Array) -> list[tuple[str, Sum]] | None:
    """Return for each state the source whose curve it is, and the sum that this is of; None for maps of another kind.

    Where every curve is of one state alone, and drives with another gain than 1, the map is a sum of curves.
    """
    n, count = len(nodal.states), len(nodal.curves)
    found: list[tuple[str, Sum]] = []
    is_single = True
    for i in range(n):
        own = np.flatnonzero(rows[i, n : n + count]).tolist()
        if len(own) != 1 or np.any(rows[i, :n]) or np.any(rows[i, n + count : -1]):
            return None
        device = nodal.curves[own[0]]
        if device.formula is None or device.name in [name for name, _ in found]:
            return None
        of = as_sum(device)
        if of is None:
            return None
        total = sum(
            (c * nodal.voltage(node) for c, node in zip(of.sum.coefficients, of.nodes, strict=True)),
            start=np.zeros(nodal.width),
        )
        size = max(float(np.max(np.abs(total[:-1]), initial=0.0)), 1e-30)
        if np.any(np.abs(total[n : n + count]) > NOTHING * size):
            return None
        is_plain = abs(abs(rows[i, n + own[0]] * gains[i]) - 1.0) < UNITY
        several = np.count_nonzero(np.abs(total[:-1]) > NOTHING * size) > 1
        is_single &= not several and not is_plain
        found.append((device.name, of))
    return None if is_single else found


def _idle(nodal: Nodal, rows: Array, samples: Sequence[Sample]) -> frozenset[str]:
    """Return the nonlinear sources that move no state, neither directly nor through another one."""
    n = len(nodal.states)
    curves = {device.name: k for k, device in enumerate(nodal.curves)}
    used = {name for name, k in curves.items() if np.any(rows[:, n + k])}
    waiting = [*used]
    while waiting:
        device = nodal.curves[curves[waiting.pop()]]
        for node in device.sensed:
            row = nodal.voltage(node)[n : n + len(curves)]
            for other in np.flatnonzero(np.abs(row) > 1e-12).tolist():
                name = nodal.curves[other].name
                if name not in used:
                    used.add(name)
                    waiting.append(name)
    return frozenset(set(curves) - used)


def _bands(maps: Maps, nodal: Nodal, samples: Sequence[Sample], canonical: Canonical, is_of_sums: bool) -> Array:
    """Return the band of each state within which a comparator keeps it; 0 where none does.

    Raises InputError for a comparator whose ties something else decides.
    """
    bands = np.zeros(len(samples))
    own = {sample.curve: k for k, sample in enumerate(samples)}
    for name, tie in maps.ties.items():
        k = own.get(name) if is_of_sums else None
        row = nodal.voltage(tie.node)
        size = float(np.max(np.abs(row), initial=0.0))
        kept = np.flatnonzero(np.abs(row) > NOTHING * size).tolist() if size else []
        if k is None or kept != [k] or row[k] * samples[k].gain < 0.0:
            where = maps.deck.by_name[name].where
            raise InputError(
                f"{where}: {name} is a comparator whose threshold {tie.node} moves, which is not the state that it "
                "sets: such a curve is of several states, and no map here has one"
            )
        bands[k] = tie.band
    return bands
