"""The equations of a circuit, with the numbers of many samples: modified nodal analysis.

With v the voltages of the nodes whose voltage no source gives, Kirchhoff's current law is

    G v + i(v) + d/dt (C v + q(v)) = 0,

a row for each node (C.-W. Ho, A. E. Ruehli and P. A. Brennan, IEEE Trans. Circuits Syst. CAS-22:504, 1975). A device
that holds a voltage between two nodes takes one row: f(v) - v(plus) + v(minus) = 0 in place of the law of the node that
it holds. What flows through it is no unknown: the law of that node is added to that of the node it is held against, and
where that is ground, left out. Where the current of a source is asked for, it is one, with the law of the source's
node.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_array
from scipy.sparse.csgraph import (
    connected_components,
    maximum_bipartite_matching,
    min_weight_full_bipartite_matching,
)

from ...circuit import GROUND, Circuit, Ensemble, Role
from ...functions.expressions import Expression
from ...parts import VoltageSource
from ...parts.sources import Waveform
from ...values.arrays import Array, SparseArray
from ...values.errors import InputError
from ..devices.elements import Coupling, Delay, Formula, Linear, Source, Start
from .programs import Program, compile_formula
from .samples import Sampled, split_samples

Indices = npt.NDArray[np.int32]


class Matrix(NamedTuple):
    """A sparse matrix of every sample: row, column, and values, (entries, samples)."""

    rows: Indices
    columns: Indices
    values: Array


class Group(NamedTuple):
    """Formulas that are one program. `kind`: what they give. `nodes`: of their arguments, (arguments, formulas).

    `numbers`: (parameters, formulas, samples). `rows`: the rows that each is added to and taken from, (2, formulas), -1
    for none; of a voltage the first is its own. `members`: which branches of the circuit they are.
    """

    program: Program
    kind: str
    nodes: Indices
    numbers: Array
    rows: Indices
    members: tuple[int, ...]


@dataclass(frozen=True, kw_only=True, eq=False)
class System:
    """The equations of a circuit's samples; see the head of this module.

    `nodes`: the unknowns, currents of sources, `i(source)`, last of them, then the nodes that sources give, and those
    that lines give, then ground. `waveforms`: of those sources. `start`: where each unknown starts, (unknowns,
    samples), volts. `linear`, `rates`: G and C, whose columns are all nodes. `ports`: of lines, (2 lines, 3): both
    nodes of each port, and that of what comes out there; with `delays`, seconds, and what entered each at its first
    port `before` t = 0, volts, (lines, samples).
    `coupling`: of crossbars, (unknowns, nodes), beside G; the same in all samples. `weak`: (entries, 2), rows and
    columns of what weights alone add, by which one neuron moves another one. `laws`: by node the row that its law is
    added to, -1 for none. `samples`: how many. `currents`: which of the unknowns are currents of sources.
    """

    nodes: tuple[str, ...] = field(repr=False)
    unknowns: int
    waveforms: tuple[Waveform, ...] = field(repr=False)
    start: Array = field(repr=False)
    linear: Matrix = field(repr=False)
    rates: Matrix = field(repr=False)
    coupling: SparseArray = field(repr=False)
    weak: Indices = field(repr=False)
    groups: tuple[Group, ...] = field(repr=False)
    ports: Indices = field(repr=False)
    delays: Array = field(repr=False)
    before: Array = field(repr=False)
    laws: Indices = field(repr=False)
    samples: int
    currents: tuple[str, ...] = ()

    def entries(self, *, with_weak: bool = True) -> tuple[Indices, Indices]:
        """Return rows and columns of all entries of the Jacobian, each once, without those of crossbars.

        Within a step one neuron moves another one by little, so that Newton's method converges without them, and
        without those that are `weak`.
        """
        linear, rates = (np.stack([matrix.rows, matrix.columns], axis=1) for matrix in (self.linear, self.rates))
        if not with_weak:
            linear = linear[~np.isin(_as_one(linear), _as_one(self.weak)) | (linear[:, 0] == linear[:, 1])]
        pairs = [linear, rates]
        for group in self.groups:
            for k, slope in enumerate(group.program.slopes):
                if slope >= 0:
                    pairs += [np.stack([rows, group.nodes[k]], axis=1) for rows in group.rows]
        both = np.unique(np.concatenate(pairs), axis=0)
        both = both[(both[:, 0] >= 0) & (both[:, 1] < self.unknowns)]
        return both[:, 0], both[:, 1]


def _as_one(pairs: Indices) -> npt.NDArray[np.int64]:
    """Return pairs of indices as single numbers."""
    return pairs[:, 0].astype(np.int64) << 32 | pairs[:, 1]


def build_system(ensemble: Ensemble, currents: Sequence[str] = ()) -> System:
    """Return the equations of the samples of a circuit.

    `currents`: names of voltage sources to ground, whose currents into their plus are unknowns too, amperes.

    Raises InputError for samples that are made of other elements, for nodes that nothing determines, and for loops of
    sources, and Unrealisable for a part that the engine does not know.
    """
    by_device = [(device.origin.role, split_samples(ensemble, device)) for device in ensemble.circuit.devices]
    split = [one for _, its in by_device for one in its]
    weights = {id(one) for role, its in by_device if role is Role.WEIGHT for one in its}
    waves: dict[str, Waveform] = {}
    for element, *_ in split:
        if isinstance(element, Source):
            if element.node in waves:
                raise InputError(
                    f"device {element.device}: node {element.node} is held by another source: a loop of sources"
                )
            waves[element.node] = element.waveform
    branches = [one for one in split if isinstance(one.element, Linear | Formula)]
    elements = [one.element for one in branches if isinstance(one.element, Linear | Formula)]
    places = [node for one in elements for node in (*one.ends, *one.sensed)]
    couplings = [one for one, *_ in split if isinstance(one, Coupling)]
    places += [node for one in couplings for node in (*one.rows, *one.columns)]
    lines = [(one.element, one.numbers) for one in split if isinstance(one.element, Delay)]
    ports = [port for line, _ in lines for port in (line.near, line.far)]
    given = (*waves, *(out for _, _, out in ports), GROUND)
    measured = _measured(ensemble.circuit, currents)
    unknown = (*(node for node in dict.fromkeys(places) if node not in set(given)), *measured)
    nodes = (*unknown, *given)
    index = {node: k for k, node in enumerate(nodes)}
    fed = [index[node] for one in couplings for node in one.rows]
    _refuse_floating(ensemble.circuit, elements, index, (*range(len(unknown), len(nodes)), *fed))
    laws, holders = _place_laws(elements, index, len(unknown), measured)
    stamps: dict[bool, list[tuple[int, int, Array]]] = {False: [], True: []}
    weak: set[tuple[int, int]] = set()
    strong: set[tuple[int, int]] = set()
    stamps[False] += [(index[name], index[name], np.ones(ensemble.size)) for name in measured]
    formulas: dict[tuple[str, Expression | None, int], list[tuple[int, Sampled, tuple[int, int]]]] = {}
    for k, (one, branch) in enumerate(zip(elements, branches, strict=True)):
        here, there = (index[node] for node in one.ends)
        if isinstance(one, Linear):
            (value,) = branch.numbers
            plus, minus = (index[node] for node in one.sensed)
            for node, sign in ((here, 1.0), (there, -1.0)):
                row = laws[node]
                if row >= 0:
                    stamps[one.is_rate] += [(row, plus, sign * value), (row, minus, -sign * value)]
                    for column in (plus, minus):
                        is_weak = id(branch) in weights and column != node
                        (weak if is_weak else strong).add((row, column))
            continue
        rows = (laws[here], laws[there])
        if one.gives == "voltage":
            rows = (holders[k], -1)
            ones = np.ones(ensemble.size)
            stamps[False] += [(rows[0], here, -ones), (rows[0], there, ones)]
        formulas.setdefault((one.gives, branch.skeleton, len(one.sensed)), []).append((k, branch, rows))
    of_lines = np.array([numbers for _, numbers in lines]).reshape(len(lines), 2, ensemble.size)
    made = System(
        nodes=nodes,
        unknowns=len(unknown),
        waveforms=tuple(waves.values()),
        start=_start(ensemble, split, index)[: len(unknown)],
        linear=_matrix(stamps[False], ensemble.size),
        rates=_matrix(stamps[True], ensemble.size),
        coupling=_couple(
            [one.element for one in split if isinstance(one.element, Coupling)], laws, index, len(unknown)
        ),
        weak=np.array(sorted(weak - strong), dtype=np.int32).reshape(-1, 2),
        groups=tuple(_group(kind, items, index) for (kind, _, _), items in formulas.items()),
        ports=np.array([[index[node] for node in port] for port in ports], dtype=np.int32).reshape(-1, 3),
        delays=of_lines[:, 0],
        before=of_lines[:, 1],
        laws=np.array(laws, dtype=np.int32),
        samples=ensemble.size,
        currents=tuple(measured),
    )
    return _match_rows(made, ensemble.circuit)


def _refuse_floating(
    circuit: Circuit, elements: Sequence[Linear | Formula], index: Mapping[str, int], given: Sequence[int]
) -> None:
    """Raise InputError for nodes that no branch leads from to a given one: all of them may move together."""
    ends = np.array([[index[node] for node in one.ends] for one in elements], dtype=np.int32).reshape(-1, 2)
    pattern = csr_array((np.ones(len(ends)), (ends[:, 0], ends[:, 1])), shape=(len(index), len(index)))
    _, islands = connected_components(pattern, directed=False)
    floating = np.isin(islands, islands[ends]) & ~np.isin(islands, islands[list(given)])
    if np.any(floating):
        first = islands == islands[np.argmax(floating)]
        nodes = [node for node, k in index.items() if first[k]]
        raise InputError(
            f"{circuit.title!r}: nothing determines the voltage of node {', '.join(nodes[:4])}: no part connects it to "
            "ground or to a source; connect it, with a large resistor if need be"
        )


def _couple(couplings: Sequence[Coupling], laws: Sequence[int], index: Mapping[str, int], unknowns: int) -> SparseArray:
    """Return the matrix of crossbars."""
    shape = (unknowns, len(index))
    total = csr_array(shape, dtype=np.float64)
    for one in couplings:
        found = one.siemens.tocoo()
        rows = np.array([laws[index[node]] for node in one.rows], dtype=np.int32)[found.row]
        columns = np.array([index[node] for node in one.columns], dtype=np.int32)[found.col]
        kept = rows >= 0
        total = total + csr_array((found.data[kept], (rows[kept], columns[kept])), shape=shape)
    return total


def _start(ensemble: Ensemble, split: Sequence[Sampled], index: Mapping[str, int]) -> Array:
    """Return where all nodes start, (nodes, samples), volts."""
    start = np.zeros((len(index), ensemble.size))
    inner = {one.element.node: one.element.volts for one in split if isinstance(one.element, Start)}
    for node, volts in {**ensemble.starts, **inner}.items():
        if node in index:
            start[index[node]] = volts
    return start


def _measured(circuit: Circuit, currents: Sequence[str]) -> dict[str, str]:
    """Return by the name of each current that is asked for the node of its source."""
    if isinstance(currents, str) or not isinstance(currents, Sequence):
        raise InputError(f"`currents` = {currents!r:.60}: must be a list of names of voltage sources")
    found = {}
    for name in map(str, currents):
        device = circuit.device(name)
        if not isinstance(device.part, VoltageSource) or device.nodes[1] != GROUND:
            raise InputError(f"`currents`: device {name}: must be a voltage source to ground")
        found[f"i({name.lower()})"] = device.nodes[0].lower()
    return found


def _place_laws(
    elements: Sequence[Linear | Formula], index: Mapping[str, int], unknowns: int, measured: Mapping[str, str]
) -> tuple[list[int], dict[int, int]]:
    """Return by node the row of its law, -1 for none, and by branch that holds a voltage the row that it takes.

    The nodes that voltages are held between are trees; the law of each node is in the row of its root, and that of a
    source in the row of its current.
    """
    edges: dict[int, list[tuple[int, int]]] = {}
    held = [k for k, one in enumerate(elements) if isinstance(one, Formula) and one.gives == "voltage"]
    for k in held:
        first, second = (index[node] for node in elements[k].ends)
        edges.setdefault(first, []).append((k, second))
        edges.setdefault(second, []).append((k, first))
    laws = [k if k < unknowns else -1 for k in range(len(index))]
    laws_of_sources = {index[node]: index[name] for name, node in measured.items()}
    holders: dict[int, int] = {}
    reached = set(range(unknowns, len(index)))

    def reach(root: int, row: int) -> None:
        reached.add(root)
        laws[root] = row
        waiting = [root]
        while waiting:
            at = waiting.pop()
            for k, other in edges.get(at, ()):
                if k in holders:
                    continue
                if other in reached:
                    raise InputError(
                        f"device {elements[k].device}: it holds a voltage between nodes that others hold already: a "
                        "loop of sources"
                    )
                holders[k], laws[other] = other, row
                reached.add(other)
                waiting.append(other)

    for root in range(unknowns, len(index)):
        reach(root, laws_of_sources.get(root, -1))
    for root in [node for node in edges if node < unknowns]:
        if root not in reached:
            reach(root, root)
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
    coupling = system.coupling[np.argsort(place[:n])]
    weak = np.stack([place[system.weak[:, 0]], system.weak[:, 1]], axis=1)
    return replace(
        system, linear=linear, rates=rates, coupling=coupling, weak=weak, groups=groups, laws=place[system.laws]
    )


def _matrix(stamps: Sequence[tuple[int, int, Array]], samples: int) -> Matrix:
    """Return the sum of stamps, by row and column."""
    sums: dict[tuple[int, int], Array] = {}
    for row, column, value in stamps:
        sums[row, column] = sums[row, column] + value if (row, column) in sums else value
    places = sorted(sums)
    rows, columns = np.array(places, dtype=np.int32).reshape(-1, 2).T
    values = np.array([sums[place] for place in places]).reshape(len(places), samples)
    return Matrix(rows.copy(), columns.copy(), values)


def _group(kind: str, items: Sequence[tuple[int, Sampled, tuple[int, int]]], index: Mapping[str, int]) -> Group:
    first = items[0][1]
    sensed = [one.element.sensed for _, one, _ in items if isinstance(one.element, Formula)]
    arguments = len(sensed[0])
    assert first.skeleton is not None
    nodes = np.array([[index[node] for node in its] for its in sensed], dtype=np.int32)
    return Group(
        program=compile_formula(first.skeleton, arguments, len(first.numbers)),
        kind=kind,
        nodes=nodes.reshape(len(items), arguments).T.copy(),
        numbers=np.array([one.numbers for _, one, _ in items]).transpose(1, 0, 2).copy(),
        rows=np.array([rows for _, _, rows in items], dtype=np.int32).T.copy(),
        members=tuple(k for k, _, _ in items),
    )
