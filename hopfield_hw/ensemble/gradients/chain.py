"""The chain from the values of a circuit's parts to the numbers of its equations, for all samples."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from typing import NamedTuple, TypeAlias

import numpy as np

from ...circuit import Circuit, Device
from ...parts import OpAmp, Pulse, VoltageSource
from ...parts.crossbar import Crossbar
from ...parts.parameters import value_of
from ...values.arrays import Array
from ...values.errors import InputError
from ..devices.elements import Formula, Linear, Source, Start, split_device
from ..equations.layout import corners_of
from ..equations.samples import Sampled
from .part_values import Slope, Value, slopes_of, usual_size, values_of, with_elements

Fits: TypeAlias = Callable[[str], bool]


class Term(NamedTuple):
    """A value's part of a derivative: `factor` times that by what `kind` and `place` say.

    `kind`: "number", with branch and which number of it; "corner", with source and which corner; "start", with a node.
    """

    kind: str
    place: tuple[int, int] | str
    factor: float


@dataclass(frozen=True, kw_only=True, eq=False)
class Chain:
    """By value of a part, (values,): `names`, `units`, and of each sample `nominal` and `sizes`, (samples, values).

    `terms`: by sample and value, what its derivative is the sum of. `left_out`: values that have none.
    """

    names: tuple[str, ...]
    units: tuple[str, ...]
    nominal: Array
    sizes: Array
    terms: tuple[tuple[tuple[Term, ...], ...], ...]
    left_out: tuple[str, ...]

    @property
    def wanted(self) -> Mapping[int, list[int]]:
        """By branch, the numbers that derivatives are needed by."""
        found: dict[int, set[int]] = {}
        for sample in self.terms:
            for terms in sample:
                for term in terms:
                    if term.kind == "number" and not isinstance(term.place, str):
                        found.setdefault(term.place[0], set()).add(term.place[1])
        return {branch: sorted(numbers) for branch, numbers in sorted(found.items())}


def as_filter(patterns: str | Sequence[str] | None) -> Fits:
    """Return what says whether a name fits one of patterns, such as "R_*.resistance", in any case; None: all do.

    Raises InputError for what are no patterns.
    """
    if patterns is None:
        return lambda name: True
    if isinstance(patterns, str):
        patterns = (patterns,)
    if not isinstance(patterns, Sequence) or not all(isinstance(pattern, str) for pattern in patterns):
        raise InputError(
            f"find_gradients: `parameters` = {patterns!r:.60}: must be patterns of text, such as 'R_*.resistance'"
        )
    given = [pattern.lower() for pattern in patterns]
    exact, others = set(given), [pattern for pattern in given if set(pattern) & set("*?[")]
    return lambda name: name.lower() in exact or any(fnmatchcase(name.lower(), pattern) for pattern in others)


def select(circuit: Circuit, fits: Fits) -> dict[str, list[Value]]:
    """Return by device which of its values are asked for."""
    found: dict[str, list[Value]] = {}
    for device in circuit.devices:
        for value in () if isinstance(device.part, VoltageSource) else values_of(device.part):
            if fits(f"{device.name}.{value.parameter.name}"):
                found.setdefault(device.name, []).append(value)
    return found


def complete(circuit: Circuit, selected: Mapping[str, Sequence[Value]]) -> Circuit:
    """Return a circuit whose parts have an element for each value that is selected."""
    made: dict[tuple[object, ...], Device] = {}
    devices = []
    for device in circuit.devices:
        key = (device.part, tuple(selected.get(device.name, ())))
        if key not in made:
            changed = device
            for value in key[1]:
                changed = changed._replace(part=with_elements(changed, value))
            made[key] = changed
        devices.append(device._replace(part=made[key].part))
    return replace(circuit, devices=tuple(devices))


def find_chain(
    circuits: Sequence[Circuit],
    split: Sequence[Sequence[Sampled]],
    selected: Mapping[str, Sequence[Value]],
    fits: Fits,
    t_stop: float,
) -> Chain:
    """Return how numbers change with the values of parts, sources and starts; what changes none is left out.

    `split`: by device what it is made of.

    Raises InputError where no value fits.
    """
    first = circuits[0]
    branches = [[one for one in its if is_branch(one)] for its in split]
    begins = np.cumsum([0, *map(len, branches)]).tolist()
    columns: list[tuple[str, str, list[float], list[tuple[Term, ...]]]] = []
    left_out = []
    known: dict[tuple[object, Value], list[Slope] | None] = {}

    def slopes(device: Device, value: Value) -> list[Slope] | None:
        key = (device.part, value)
        if key not in known:
            known[key] = slopes_of(device, value)
        return known[key]

    for k, device in enumerate(first.devices):
        if isinstance(device.part, Crossbar) and fits(f"{device.name}.siemens"):
            left_out.append(f"{device.name}.siemens")
        for value in selected.get(device.name, ()):
            name = f"{device.name}.{value.parameter.name}"
            found = [slopes(circuit.devices[k], value) for circuit in circuits]
            terms = [
                tuple(Term("number", (begins[k] + one.branch, one.number), one.slope) for one in its)
                for its in found
                if its is not None
            ]
            if len(terms) < len(found):
                left_out.append(name)
            elif any(terms):
                own = [value_of(circuit.devices[k].part, value.parameter) for circuit in circuits]
                columns.append((name, value.unit, own, terms))
    source = 0
    for k, (device, its) in enumerate(zip(first.devices, split, strict=True)):
        if isinstance(device.part, VoltageSource):
            is_shared = any(isinstance(one.element, Source) for one in its)
            shared = _of_source(device, device.part, source, t_stop)
            for name, volts, its_terms in shared if is_shared else ():
                if fits(name):
                    columns.append((name, "V", [volts] * len(circuits), [its_terms] * len(circuits)))
            if not is_shared and fits(f"{device.name}.voltage"):
                given = its[0].numbers[0].tolist()
                columns.append(
                    (f"{device.name}.voltage", "V", given, [(Term("number", (begins[k], 0), 1.0),)] * len(given))
                )
        source += sum(isinstance(one.element, Source) for one in its)
    for node in first.initial:
        if fits(f"{node}.initial"):
            starts = [float(circuit.initial.get(node, 0.0)) for circuit in circuits]
            its_terms = tuple(_of_start(first, node))
            columns.append((f"{node}.initial", "V", starts, [its_terms] * len(circuits)))
    if not columns:
        raise InputError(
            f"find_gradients: `parameters`: no value of {first.title!r} that changes a waveform fits; give patterns, "
            'such as "R_*.resistance"'
        )
    nominal = np.array([values for _, _, values, _ in columns]).T
    units = tuple(unit for _, unit, _, _ in columns)
    return Chain(
        names=tuple(name for name, _, _, _ in columns),
        units=units,
        nominal=nominal,
        sizes=np.array([[usual_size(v, unit) for v, unit in zip(row, units, strict=True)] for row in nominal.tolist()]),
        terms=tuple(zip(*(terms for _, _, _, terms in columns), strict=True)),
        left_out=tuple(left_out),
    )


def is_branch(one: Sampled) -> bool:
    """Return whether an element has numbers."""
    return isinstance(one.element, Linear | Formula)


def _of_source(
    device: Device, part: VoltageSource, source: int, t_stop: float
) -> Iterator[tuple[str, float, tuple[Term, ...]]]:
    """Yield the voltages of a source's waveform: its constant, its points, or both ends of its pulses."""
    wave = part.voltage
    if isinstance(wave, Pulse):
        for name, ends in (("first", (1.0, 0.0)), ("second", (0.0, 1.0))):
            corners = corners_of(wave._replace(first=ends[0], second=ends[1]), t_stop)
            terms = tuple(Term("corner", (source, k), factor) for k, (_, factor) in enumerate(corners))
            yield f"{device.name}.{name}", getattr(wave, name), terms
    elif isinstance(wave, float):
        yield f"{device.name}.voltage", wave, (Term("corner", (source, 0), 1.0),)
    else:
        for k, (_, volts) in enumerate(wave):
            yield f"{device.name}.voltage[{k}]", volts, (Term("corner", (source, k), 1.0),)


def _of_start(circuit: Circuit, node: str) -> Iterator[Term]:
    """Yield the nodes that start where a node does: itself, and those within parts."""
    yield Term("start", node.lower(), 1.0)
    for device in circuit.devices:
        if node in device.nodes and isinstance(device.part, OpAmp):
            for moved in split_device(device, {node.lower(): 1.0}):
                if isinstance(moved, Start) and moved.volts:
                    yield Term("start", moved.node, float(moved.volts))
