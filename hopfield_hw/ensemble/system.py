"""The equations of a circuit, with the numbers of many samples: modified nodal analysis.

With v the voltages of the nodes whose voltage no source gives, Kirchhoff's current law is

    G v + i(v) + d/dt (C v + q(v)) = 0,

a row for each node (C.-W. Ho, A. E. Ruehli and P. A. Brennan, IEEE Trans. Circuits Syst. CAS-22:504, 1975). A device
that holds a voltage between two nodes takes one row: f(v) - v(plus) + v(minus) = 0 in place of the law of the node that
it holds. What flows through it is no unknown: the law of that node is added to that of the node it is held against, and
where that is ground, left out.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_array
from scipy.sparse.csgraph import maximum_bipartite_matching, min_weight_full_bipartite_matching

from ..circuit import GROUND, Circuit
from ..functions.expressions import Argument, Expression
from ..parts.sources import Waveform
from ..values.arrays import Array
from ..values.errors import InputError
from .elements import Element, Formula, Linear, Source, Start, split_device
from .programs import Program, compile_formula, split_numbers

Indices = npt.NDArray[np.int32]


class Matrix(NamedTuple):
    """A sparse matrix of every sample: row, column, and values, (entries, samples)."""

    rows: Indices
    columns: Indices
    values: Array


class Group(NamedTuple):
    """Formulas that are one program. `kind`: what they give. `nodes`: of their arguments, (arguments, formulas).

    `numbers`: (parameters, formulas, samples). `rows`: the rows that each is added to and taken from, (2, formulas), -1
    for none; of a voltage the first is its own.
    """

    program: Program
    kind: str
    nodes: Indices
    numbers: Array
    rows: Indices


@dataclass(frozen=True, kw_only=True, eq=False)
class System:
    """The equations of a circuit's samples; see the head of this module.

    `nodes`: the unknowns, then the nodes that sources give, then ground. `waveforms`: of those sources. `start`: where
    each unknown starts, (unknowns, samples), volts. `linear`, `rates`: G and C, whose columns are all nodes.
    `samples`: how many.
    """

    nodes: tuple[str, ...] = field(repr=False)
    unknowns: int
    waveforms: tuple[Waveform, ...] = field(repr=False)
    start: Array = field(repr=False)
    linear: Matrix = field(repr=False)
    rates: Matrix = field(repr=False)
    groups: tuple[Group, ...] = field(repr=False)
    samples: int

    def entries(self) -> tuple[Indices, Indices]:
        """Return rows and columns of all entries of the Jacobian, each once."""
        pairs = [np.stack([matrix.rows, matrix.columns], axis=1) for matrix in (self.linear, self.rates)]
        for group in self.groups:
            for k, slope in enumerate(group.program.slopes):
                if slope >= 0:
                    pairs += [np.stack([rows, group.nodes[k]], axis=1) for rows in group.rows]
        both = np.unique(np.concatenate(pairs), axis=0)
        both = both[(both[:, 0] >= 0) & (both[:, 1] < self.unknowns)]
        return both[:, 0], both[:, 1]


def build_system(circuits: Sequence[Circuit]) -> System:
    """Return the equations of circuits that differ in the numbers of their parts alone.

    Raises InputError for circuits of different devices or nodes, for nodes that nothing determines, and for loops of
    sources, and Unrealisable for a part that the engine does not know.
    """
    first = circuits[0]
    by_device = [list(split_device(device, first.initial)) for device in first.devices]
    waves: dict[str, Waveform] = {}
    for element in (one for its in by_device for one in its):
        if isinstance(element, Source):
            name, wave = _given(element)
            if name in waves:
                raise InputError(f"device {element.device}: node {name} is held by another source: a loop of sources")
            waves[name] = wave
    branches = [branch for its in by_device for branch in _branches(its)]
    places = [node for one in branches for node in (*one.ends, *one.sensed)]
    unknown = tuple(node for node in dict.fromkeys(places) if node != GROUND and node not in waves)
    nodes = (*unknown, *waves, GROUND)
    index = {node: k for k, node in enumerate(nodes)}
    laws, holders = _place_laws(branches, index, len(unknown))
    values, start = _numbers_of(circuits, by_device, index)
    stamps: dict[bool, list[tuple[int, int, Array]]] = {False: [], True: []}
    formulas: dict[tuple[str, Expression, int], list[tuple[Formula, Array, tuple[int, int]]]] = {}
    for k, (one, value) in enumerate(zip(branches, values, strict=True)):
        here, there = (index[node] for node in one.ends)
        if isinstance(one, Linear):
            plus, minus = (index[node] for node in one.sensed)
            for row, sign in ((laws[here], 1.0), (laws[there], -1.0)):
                if row >= 0:
                    stamps[one.is_rate] += [(row, plus, sign * value[0]), (row, minus, -sign * value[0])]
            continue
        rows = (laws[here], laws[there])
        if one.gives == "voltage":
            rows = (holders[k], -1)
            ones = np.ones(len(circuits))
            stamps[False] += [(rows[0], here, -ones), (rows[0], there, ones)]
        formulas.setdefault((one.gives, _skeleton(one), len(one.sensed)), []).append((one, value, rows))
    made = System(
        nodes=nodes,
        unknowns=len(unknown),
        waveforms=tuple(waves.values()),
        start=start[: len(unknown)],
        linear=_matrix(stamps[False], len(circuits)),
        rates=_matrix(stamps[True], len(circuits)),
        groups=tuple(_group(kind, items, index) for (kind, _, _), items in formulas.items()),
        samples=len(circuits),
    )
    return _match_rows(made, first)


def _given(source: Source) -> tuple[str, Waveform]:
    """Return the node that a source gives, and its waveform; a node of its own for one that is not at ground."""
    plus, minus = source.ends
    if minus == GROUND:
        return plus, source.waveform
    return f"{source.device}.waveform", source.waveform


def _branch(element: Element) -> Linear | Formula | None:
    """Return what an element adds to the equations; a source between two nodes holds what its own node has."""
    if isinstance(element, Source):
        if element.ends[1] == GROUND:
            return None
        return Formula(element.device, element.ends, (f"{element.device}.waveform",), Argument(0), "voltage")
    return element if isinstance(element, Linear | Formula) else None


def _numbers(one: Linear | Formula) -> tuple[float, ...]:
    return (one.value,) if isinstance(one, Linear) else split_numbers(one.formula, len(one.sensed))[1]


def _skeleton(one: Formula) -> Expression:
    return split_numbers(one.formula, len(one.sensed))[0]


def _branches(elements: Sequence[Element]) -> list[Linear | Formula]:
    return [branch for branch in map(_branch, elements) if branch is not None]


def _numbers_of(
    circuits: Sequence[Circuit], by_device: Sequence[Sequence[Element]], index: Mapping[str, int]
) -> tuple[list[Array], Array]:
    """Return the numbers of each branch, (numbers, samples), and where all nodes start, (nodes, samples), volts.

    Devices are compared with those of the first circuit, and those that differ are taken apart. Raises InputError for
    circuits of another topology, and for other waveforms.
    """
    first = circuits[0]
    branches = [_branches(its) for its in by_device]
    nominal = [[_numbers(one) for one in its] for its in branches]
    changed: list[dict[int, list[tuple[float, ...]]]] = [{} for _ in by_device]
    start = np.zeros((len(index), len(circuits)))
    for sample, circuit in enumerate(circuits):
        if [(d.name, d.nodes) for d in circuit.devices] != [(d.name, d.nodes) for d in first.devices]:
            raise InputError(
                f"ensemble: {circuit.title!r} has other devices or nodes than the first circuit: the circuits of an "
                "ensemble have one topology, and differ in the values of their parts"
            )
        starts = {node.lower(): float(volts) for node, volts in circuit.initial.items()}
        same_start = circuit.initial == first.initial
        for k, (device, known) in enumerate(zip(circuit.devices, first.devices, strict=True)):
            is_known = device.part == known.part
            if is_known and (same_start or not any(isinstance(one, Start) for one in by_device[k])):
                own = by_device[k]
            else:
                own = list(split_device(device, circuit.initial))
                if not is_known:
                    changed[k][sample] = _compared(own, by_device[k], device.name)
            starts |= {one.node: one.volts for one in own if isinstance(one, Start)}
        for node, volts in starts.items():
            if node in index:
                start[index[node], sample] = volts
    values = []
    for k, its in enumerate(nominal):
        for b, numbers in enumerate(its):
            value = np.tile(np.array(numbers)[:, np.newaxis], len(circuits))
            for sample, own_numbers in changed[k].items():
                value[:, sample] = own_numbers[b]
            values.append(value)
    return values, start


def _compared(own: Sequence[Element], known: Sequence[Element], name: str) -> list[tuple[float, ...]]:
    """Return the numbers of a device's branches. Raises InputError where they are not those of the first circuit's."""
    waves, known_waves = ([one for one in its if isinstance(one, Source)] for its in (own, known))
    if waves != known_waves:
        raise InputError(f"ensemble: device {name} has another waveform than in the first circuit: sources are shared")
    branches, first = _branches(own), _branches(known)
    if len(branches) != len(first) or not all(map(_is_alike, branches, first)):
        raise InputError(
            f"ensemble: device {name} is made of other elements than in the first circuit: the circuits of an ensemble "
            "have one topology, and differ in the values of their parts"
        )
    return [_numbers(one) for one in branches]


def _is_alike(one: Linear | Formula, first: Linear | Formula) -> bool:
    if one[:3] != first[:3] or type(one) is not type(first):
        return False
    if isinstance(one, Formula):
        return isinstance(first, Formula) and one.gives == first.gives and _skeleton(one) == _skeleton(first)
    return isinstance(first, Linear) and one.is_rate == first.is_rate


def _place_laws(
    branches: Sequence[Linear | Formula], index: Mapping[str, int], unknowns: int
) -> tuple[list[int], dict[int, int]]:
    """Return by node the row of its law, -1 for none, and by branch that holds a voltage the row that it takes.

    The nodes that voltages are held between are trees; the law of each node is in the row of its root.
    """
    edges: dict[int, list[tuple[int, int]]] = {}
    held = [k for k, one in enumerate(branches) if isinstance(one, Formula) and one.gives == "voltage"]
    for k in held:
        first, second = (index[node] for node in branches[k].ends)
        edges.setdefault(first, []).append((k, second))
        edges.setdefault(second, []).append((k, first))
    laws = [k if k < unknowns else -1 for k in range(len(index))]
    holders: dict[int, int] = {}
    reached: set[int] = set()

    def reach(roots: Sequence[int], row: int) -> None:
        reached.update(roots)
        waiting = list(roots)
        while waiting:
            at = waiting.pop()
            for k, other in edges.get(at, ()):
                if k in holders:
                    continue
                if other in reached:
                    raise InputError(
                        f"device {branches[k].device}: it holds a voltage between nodes that others hold already: a "
                        "loop of sources"
                    )
                holders[k], laws[other] = other, row
                reached.add(other)
                waiting.append(other)

    reach(range(unknowns, len(index)), -1)
    for root in [node for node in edges if node < unknowns]:
        if root not in reached:
            reach([root], root)
    return laws, holders


def _match_rows(system: System, circuit: Circuit) -> System:
    """Return a system whose rows are ordered so that each has an entry on the diagonal: there pivots are taken.

    Raises InputError where there is no such order: then something determines fewer nodes than there are.
    """
    n = system.unknowns
    rows, columns = system.entries()
    weights = np.where(rows == columns, 1.0, 2.0)
    if int(np.sum(rows == columns)) == n:
        return system
    pattern = csr_array((weights, (rows, columns)), shape=(n, n))
    found = maximum_bipartite_matching(pattern, perm_type="row")
    if np.any(found < 0):
        free = [system.nodes[k] for k in np.flatnonzero(found < 0).tolist()]
        raise InputError(
            f"{circuit.title!r}: nothing determines the voltage of node {', '.join(free[:4])}: give each a path to "
            "ground, and drive it by one source at most"
        )
    of_row, of_column = min_weight_full_bipartite_matching(pattern)
    place = np.empty(n + 1, dtype=np.int32)
    place[of_row], place[n] = of_column, -1  # of -1, which stands for no row
    linear, rates = (m._replace(rows=place[m.rows]) for m in (system.linear, system.rates))
    groups = tuple(group._replace(rows=place[group.rows]) for group in system.groups)
    return replace(system, linear=linear, rates=rates, groups=groups)


def _matrix(stamps: Sequence[tuple[int, int, Array]], samples: int) -> Matrix:
    """Return the sum of stamps, by row and column."""
    sums: dict[tuple[int, int], Array] = {}
    for row, column, value in stamps:
        sums[row, column] = sums[row, column] + value if (row, column) in sums else value
    places = sorted(sums)
    rows, columns = np.array(places, dtype=np.int32).reshape(-1, 2).T
    values = np.array([sums[place] for place in places]).reshape(len(places), samples)
    return Matrix(rows.copy(), columns.copy(), values)


def _group(kind: str, items: Sequence[tuple[Formula, Array, tuple[int, int]]], index: Mapping[str, int]) -> Group:
    first = items[0][0]
    skeleton, numbers = split_numbers(first.formula, len(first.sensed))
    arguments = len(first.sensed)
    program = compile_formula(skeleton, arguments, len(numbers))
    nodes = np.array([[index[node] for node in one.sensed] for one, _, _ in items], dtype=np.int32)
    return Group(
        program=program,
        kind=kind,
        nodes=nodes.reshape(len(items), arguments).T.copy(),
        numbers=np.array([value for _, value, _ in items]).transpose(1, 0, 2).copy(),
        rows=np.array([rows for _, _, rows in items], dtype=np.int32).T.copy(),
    )
