"""The terms of a network's equations whose change might explain what a circuit did: the candidates of a diagnosis."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

import numpy as np

from ..circuit import Circuit, Origin, Role
from ..equations.evaluate import Values
from ..graph import Affine, Graph, Leak
from ..parts import Resistor
from ..values.arrays import Array
from .changes import imbalance, measure_effect
from .coverage import device_values
from .effects import Effects, Value
from .steps import Run

INVERTER = (Role.INVERTER, Role.INVERTER_IN, Role.INVERTER_FEEDBACK)
# A dense row of more candidates than this is not tried where its weights are 0.
MOST_ZEROS = 5_000
# Changes are tried one by one with so many numbers; where there are more, those which promise most.
MOST_NUMBERS, FEWEST = 4e8, 12
# What a change moves by less than this part of what it moves most does not count.
LEAST_MOVED = 1e-3


class Term(NamedTuple):
    """A candidate: what a change of 1 moves in the `rows`, states then outputs, (pieces of all runs, rows), of ranges.

    `value`: what it is, in `unit`, to which the change is added, of a weight of this `sign`; without a unit the change
    is relative. `roles`: of the devices that realise it, from its operator and element. `of`: the values of the graph,
    where the states do not just follow them in proportion.
    """

    operator: str
    roles: tuple[Role, ...]
    element: tuple[int, ...]
    rows: tuple[int, ...]
    effect: Array
    value: float = 1.0
    unit: str = ""
    sign: float = 1.0
    of: tuple[Value, ...] = ()


def terms(circuit: Circuit, runs: Sequence[Run], extent: Array) -> list[Term]:
    """Return the candidates of a circuit: all that realises its graph, and weights that should not be there.

    Of a map these are what moves the states that its Holds take, edge by edge. `extent`: of states and outputs.
    """
    found: list[Term] = []
    for leak in runs[0].along.leaks:
        found += _of_leak(circuit, leak, runs, extent)
        for affine in runs[0].graph.drivers(leak):
            if isinstance(affine, Affine) and len(runs[0].graph.targets(affine)) == 1:
                found += _of_weights(circuit, leak, affine, runs, extent)
    found += _others(circuit, runs, extent, {(term.operator, term.roles[0], term.element) for term in found})
    return [term for term in found if float(np.sum(term.effect**2)) > 0.0]


def _of_leak(circuit: Circuit, leak: Leak, runs: Sequence[Run], extent: Array) -> Iterator[Term]:
    first = runs[0].along.operators.slices[leak.name].start
    columns = np.arange(leak.output_size) + first
    moved = np.concatenate([run.moves[:, columns] for run in runs]) / extent[columns]
    held = np.concatenate([run.integral(lambda values: values[leak.name]) for run in runs])
    for k, i in enumerate(columns.tolist()):
        c, r = float(leak.capacitance[k]), float(leak.resistance[k])
        yield Term(leak.name, (Role.CAPACITANCE,), (k,), (i,), -moved[:, [k]] / c, c, "F")
        resistors = circuit.devices_from(leak.name, (k,), Role.RESISTANCE)
        if any(device_values(circuit, runs[0].graph, d) == (Value("capacitance", leak.name, (k,)),) for d in resistors):
            yield Term(leak.name, (Role.RESISTANCE,), (k,), (i,), -moved[:, [k]])  # only the product R C counts
        elif np.isfinite(r):
            effect = -held[:, [k]] / (c * extent[i])
            yield Term(leak.name, (Role.RESISTANCE,), (k,), (i,), effect, 1.0 / r, "S")


def _of_weights(circuit: Circuit, leak: Leak, affine: Affine, runs: Sequence[Run], extent: Array) -> Iterator[Term]:
    operators = runs[0].along.operators
    first = operators.slices[leak.name].start

    def driving(values: Values) -> Array:
        given = operators.driven(values, affine)
        return np.broadcast_to(given, (len(values[leak.name]), affine.input_size))

    sources = np.concatenate([run.integral(driving) for run in runs])
    held = np.concatenate([run.integral(lambda values: values[leak.name]) for run in runs])
    seconds = np.concatenate([np.diff(run.ends, prepend=0.0) for run in runs])[:, np.newaxis]
    per_ampere = 1.0 / (leak.capacitance * extent[first : first + leak.output_size])
    values, rows, columns = affine.weights.entries()
    loads = _loading(circuit)
    for value, i, j in zip(values.tolist(), rows.tolist(), columns.tolist(), strict=True):
        sign = float(np.sign(value))
        effect = (sources[:, [j]] * sign - (held[:, [i]] if first + i in loads else 0.0)) * per_ampere[i]
        yield Term(affine.name, (Role.WEIGHT,), (i, j), (first + i,), effect, abs(value), "S", sign)
        if first + i in loads:
            yield Term(affine.name, (Role.WEIGHT,), (i, j), (first + i,), sources[:, [j]] * per_ampere[i], value, "S")
    if affine.output_size * affine.input_size <= MOST_ZEROS:
        there = set(zip(rows.tolist(), columns.tolist(), strict=True))
        for i in range(affine.output_size):
            for j in range(affine.input_size):
                if (i, j) not in there:
                    yield Term(
                        affine.name, (Role.WEIGHT,), (i, j), (first + i,), sources[:, [j]] * per_ampere[i], 0.0, "S"
                    )
    for i in range(affine.output_size):
        value = float(affine.constant[i])
        yield Term(affine.name, (Role.BIAS,), (i,), (first + i,), seconds * per_ampere[i], value, "A")
    yield from _share(circuit, leak, affine, sources, per_ampere, runs)


def _share(
    circuit: Circuit, leak: Leak, affine: Affine, sources: Array, per_ampere: Array, runs: Sequence[Run]
) -> Iterator[Term]:
    """Yield what several weights have in common: the inverter of a source, and a common line."""
    graph = runs[0].graph
    first = runs[0].along.operators.slices[leak.name].start
    values, rows, columns = affine.weights.entries()
    drivers = graph.drivers(affine)
    if len(drivers) != 1:
        return
    (source,) = drivers
    inverted = _find_inverted(circuit, affine)
    for j in np.unique(columns).tolist():
        own = np.flatnonzero(columns == j)
        behind = [k for k in own.tolist() if (int(rows[k]), j) in inverted]
        if behind:
            to = rows[behind]
            effect = sources[:, [j]] * (values[behind] * per_ampere[to])
            yield Term(source.name, INVERTER, (j,), tuple((first + to).tolist()), effect)
    yield from _of_line(circuit, affine, sources, per_ampere, first)


def _of_line(circuit: Circuit, affine: Affine, sources: Array, per_ampere: Array, first: int) -> Iterator[Term]:
    """Yield the resistors of a common line, over which all inhibit all alike."""
    into = {d.origin.element[0]: d for d in circuit.devices if d.origin[:2] == (affine.name, Role.COMMON)}
    if not into:
        return
    w = {k: d.part.conductance for k, d in into.items() if d.part.conductance is not None}
    rows = tuple(range(first, first + affine.output_size))
    for k, conductance in w.items():
        yield Term(affine.name, (Role.COMMON,), (k,), rows, -conductance * sources[:, [k]] * per_ampere)
    total = -sum((conductance * sources[:, [k]] for k, conductance in w.items()), np.zeros((len(sources), 1)))
    for k in range(affine.output_size):
        yield Term(affine.name, (Role.COMMON_LINE,), (k,), (first + k,), total * per_ampere[k])
    yield Term(affine.name, (Role.FEEDBACK,), (0,), rows, total * per_ampere)


def _loading(circuit: Circuit) -> set[int]:
    """Return the states whose nodes resistors of weights hang on, so that they load them."""
    nodes = {probe.node: k for k, probe in enumerate(circuit.states)}
    weights = (d for d in circuit.devices if isinstance(d.part, Resistor) and d.origin.role is Role.WEIGHT)
    return {nodes[node] for device in weights for node in device.nodes if node in nodes}


def _find_inverted(circuit: Circuit, affine: Affine) -> set[tuple[int, ...]]:
    """Return the weights, (to, from), whose devices hang on the complement of their source."""
    rails = {d.nodes[0] for d in circuit.devices if d.origin.role in (Role.INVERTER, Role.INVERTER_FEEDBACK)}
    weights = (d for d in circuit.devices if d.origin[:2] == (affine.name, Role.WEIGHT))
    return {device.origin.element for device in weights if rails & set(device.nodes)}


def _others(
    circuit: Circuit, runs: Sequence[Run], extent: Array, known: set[tuple[str, Role, tuple[int, ...]]]
) -> Iterator[Term]:
    """Yield what else devices stand for, each on all states and outputs that it moves."""
    effects = [Effects(run, extent) for run in runs]
    wanted: dict[tuple[Value, ...], dict[Origin, None]] = {}  # the places of the devices of each, in their order
    inverted = {affine.name: _find_inverted(circuit, affine) for affine in runs[0].graph.of_type(Affine)}
    for device in circuit.devices:
        origin = device.origin
        if origin.role in (Role.FUNCTION, Role.CLAMP) and origin.operator in runs[0].along.given:
            continue  # judged by itself
        if (origin.operator, origin.role, origin.element) not in known:
            for value in device_values(circuit, runs[0].graph, device):
                if value.kind != "delay" or runs[0].along.depth == 1:  # else it would be a tree of delays
                    wanted.setdefault((value,), {})[origin] = None
            if origin.role in INVERTER:
                behind = _behind(runs[0].graph, origin.operator, origin.element[0], inverted)
                if behind:
                    wanted.setdefault(behind, {})[origin._replace(role=INVERTER[0])] = None
    listed = list(wanted)
    points = sum(len(run.times) * run.along.effort for run in runs)
    total = sum(operator.output_size for operator in runs[0].graph.operators)
    most = max(int(MOST_NUMBERS / (3 * total * points)), FEWEST)
    if len(listed) > most:
        is_map = runs[0].along.continuous == 0
        off = np.concatenate([imbalance(run, extent) for run in runs])
        firsts = [values[0] for values in listed]  # of several, one tells where they act
        rows = np.minimum([effects[0].row(value) for value in firsts], off.shape[1] - 1)
        moved = np.concatenate([each.at_edges(firsts) if is_map else each.integrals(firsts) for each in effects])
        with np.errstate(divide="ignore", invalid="ignore"):
            promise = np.nan_to_num(np.sum(moved * off[:, rows], axis=0) ** 2 / np.sum(moved**2, axis=0))
        listed = [listed[k] for k in sorted(np.argsort(-promise, kind="stable")[:most].tolist())]
    for values in listed:
        moved = np.concatenate([measure_effect(run, values, extent) for run in runs])
        size = np.sqrt(np.sum(moved**2, axis=0))
        moves = np.flatnonzero(size > LEAST_MOVED * np.max(size))
        moves = moves[np.argsort(-size[moves], kind="stable")]
        for operator, role, element in wanted[values]:
            roles = INVERTER if role in INVERTER else (role,)
            yield Term(operator, roles, element, tuple(moves.tolist()), moved[:, moves], of=values)


def _behind(graph: Graph, source: str, j: int, inverted: Mapping[str, set[tuple[int, ...]]]) -> tuple[Value, ...]:
    """Return the weights of an operator's element that hang on its complement."""
    found: list[Value] = []
    for target in graph.targets(graph.by_name[source]):
        elements = sorted(element for element in inverted.get(target.name, ()) if element[1] == j)
        found += [Value("weight", target.name, element) for element in elements]
    return tuple(found)
